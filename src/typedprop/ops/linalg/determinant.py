"""`det` and `slogdet`: the determinant, and its logarithm, which does not overflow."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import dtype_of, plain, shape_of, total
from typedprop.bvar import BVar, record
from typedprop.index_sum import is_plain
from typedprop.op import checked_plain, unary
from typedprop.ops.arrangement import take
from typedprop.ops.full import full
from typedprop.ops.joining import concatenate
from typedprop.ops.linalg.checks import Array, LinAlgError, singular, want_square
from typedprop.ops.linalg.inverse import inv
from typedprop.shapes import L
from typedprop.tape import Rule, Value

N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _inverse_if_well(a: Array) -> Array | None:
    """The inverse, if it is right to half of the digits; None of a singular matrix and its neighbours."""
    try:
        b = np.linalg.inv(a)
    except LinAlgError:
        return None
    condition = np.abs(a).sum(axis=0).max(initial=0.0) * np.abs(b).sum(axis=0).max(initial=0.0)
    return b if condition * np.sqrt(np.finfo(a.dtype).eps) < 1 else None


def _products_of_others(s: Array) -> Array:
    one = np.ones(1, s.dtype)
    before = np.cumprod(np.concatenate([one, s[:-1]]))
    after = np.cumprod(np.concatenate([one, s[:0:-1]]))[::-1]
    y: Array = before * after
    return y


def _plain_cofactors(a: Array) -> Array:
    b = _inverse_if_well(a)
    y: Array
    if b is not None:
        y = np.linalg.det(a) * b.T
        return y
    # The adjugate exists for every matrix: by singular values it takes no division.
    u, s, vt = np.linalg.svd(a)
    y = np.sign(np.linalg.det(u)) * np.sign(np.linalg.det(vt)) * (u * _products_of_others(s)) @ vt
    return y


def _cofactors(a: Value) -> Value:
    """The derivative of the determinant by each element, at every matrix: a polynomial, like the determinant."""
    if is_plain(a):
        return _plain_cofactors(a)
    if _inverse_if_well(plain(a)) is not None:
        return _det(a) * _again(a).T
    n = shape_of(a)[0]
    dtype = dtype_of(a)
    if n == 1:
        return np.ones((1, 1), dtype)
    # Only in derivatives of the second order and higher, at a singular matrix: the determinants of the minors.
    others = [np.delete(np.arange(n), k) for k in range(n)]
    elements = []
    for i in range(n):
        rows = _take(a, others[i], axis=0)
        for j in range(n):
            minor = _det(_take(rows, others[j], axis=1))
            elements.append(_full(1, fill_value=minor if (i + j) % 2 == 0 else -minor, dtype=dtype))
    return _concatenate(elements).reshape((n, n))


_det = unary(
    "det",
    lambda a: np.linalg.det(a),
    keep=lambda a, y: a,
    pull=lambda g, a: g * _cofactors(a),
    push=lambda t, a: total(t * _cofactors(a)),
    fresh=True,
)


@overload
def det(a: BVar[L[N, N, D]], /) -> BVar[float]: ...
@overload
def det(a: L[N, N, D], /) -> D: ...
def det(a: Any, /) -> Any:
    """The determinant. Its gradient is the matrix of cofactors (Jacobi's formula), which every matrix has, of any rank.

    Raises `ShapeError` unless the matrix is square.
    """
    want_square("det", a)
    return _det(a) if type(a) is BVar else np.linalg.det(checked_plain("det", a))


def _inverse_transposed(a: Value, logarithm: float) -> Value:
    if logarithm == -np.inf:
        raise singular("slogdet", shape_of(a), ", where log |det| has no derivative; det has one")
    return _again(a).T


_SLOGDET = Rule(
    "slogdet",
    lambda g, r: g * _inverse_transposed(*r),
    lambda t, r: total(t * _inverse_transposed(*r)),
    fresh=True,
)


@overload
def slogdet(a: BVar[L[N, N, D]], /) -> tuple[float, BVar[float]]: ...
@overload
def slogdet(a: L[N, N, D], /) -> tuple[D, D]: ...
def slogdet(a: Any, /) -> Any:
    """The sign of the determinant, a plain number, and the logarithm of its size, whose gradient is `inv(a).T`.

    So says Jacobi's formula. A singular matrix has sign 0 and logarithm -inf, as in NumPy; a derivative there raises
    `LinAlgError`. Raises `ShapeError` unless the matrix is square.
    """
    want_square("slogdet", a)
    if type(a) is not BVar:
        sign, logarithm = np.linalg.slogdet(checked_plain("slogdet", a))
        return sign, logarithm
    inner = a._value
    again: Any = slogdet  # the operand may be of an enclosing tape: its type is unknown
    sign, logarithm = again(inner)
    logarithm = float(logarithm) if is_plain(logarithm) else logarithm
    return float(sign), record(a._tape, logarithm, (_SLOGDET.code, a._node, (inner, plain(logarithm))))


# For operands of an enclosing tape, whose types are unknown.
_again: Any = inv
_take: Any = take
_full: Any = full
_concatenate: Any = concatenate
