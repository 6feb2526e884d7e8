"""Singular values, and the factors that belong to them: `svdvals` and `svd`."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import broadcast_to, describe, dtype_of, plain, shape_of
from typedprop.bvar import BVar, record
from typedprop.op import checked_plain, decomposition
from typedprop.ops.diagonal import diag, take_diag
from typedprop.ops.linalg.checks import Array, LinAlgError, tolerance, want_matrix
from typedprop.shapes import L, R
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _svd(a: Array) -> tuple[Array, Array, Array]:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return u, s, vt


def _inverse_gaps(s: Value, shape: tuple[int, ...]) -> Value:
    """`1 / (s[j]² - s[i]²)`, and 0 in the diagonal; an error where a factor has no derivative."""
    values = plain(s)
    n, dtype = len(values), dtype_of(s)
    gaps = -np.diff(values)
    nothing = max(shape) * tolerance(values) / max(n, 1)
    if n > 1 and gaps.min() <= nothing:
        k = int(gaps.argmin())
        raise LinAlgError(
            f"svd: singular values {k} and {k + 1} of the matrix, {describe(shape)}, are equal ({values[k]:.6g}), so "
            "their singular vectors have no derivative; if only singular values are needed, write svdvals(a)"
        )
    if n and shape[0] != shape[1] and values[-1] <= nothing:
        raise LinAlgError(
            f"svd: the matrix, {describe(shape)}, is not of full rank, so the vectors of the singular value 0 have no "
            "derivative; if only singular values are needed, write svdvals(a)"
        )
    columns = broadcast_to(s, (n, n), dtype)
    eye = np.eye(n, dtype=dtype)
    return (1 - eye) / ((columns - columns.T + eye) * (columns + columns.T + eye))


def _pull(cotangents: Sequence[Value | None], a: Value, results: tuple[Value, Value, Value]) -> Value:
    (u, s, vt), (gu, gs, gvt) = results, cotangents
    shape = shape_of(a)
    inner = 0.0 if gs is None else _diag(gs)
    if gu is None and gvt is None:
        return u @ inner @ vt
    gaps = _inverse_gaps(s, shape)
    rest: Value = None
    if gu is not None:
        turned = u.T @ gu
        inner = inner + (gaps * (turned - turned.T)) * s
        if shape[0] > shape[1]:
            rest = ((gu - u @ turned) / s) @ vt
    if gvt is not None:
        turned = vt @ gvt.T
        inner = inner + ((gaps * (turned - turned.T)) * s).T
        if shape[1] > shape[0]:
            rest = u @ ((gvt.T - vt.T @ turned) / s).T
    y = u @ inner @ vt
    return y if rest is None else y + rest


def _push(t: Value, a: Value, results: tuple[Value, Value, Value]) -> tuple[Value, Value, Value]:
    u, s, vt = results
    shape = shape_of(a)
    gaps = _inverse_gaps(s, shape)
    inner = u.T @ t @ vt.T
    right = inner * s
    left = (inner.T * s).T
    du = u @ (gaps * (right + right.T))
    dv = vt.T @ (gaps * (left + left.T))
    if shape[0] > shape[1]:
        scaled = (t @ vt.T) / s
        du = du + scaled - u @ (u.T @ scaled)
    if shape[1] > shape[0]:
        scaled = (t.T @ u) / s
        dv = dv + scaled - vt.T @ (vt @ scaled)
    return du, _take_diag(inner), dv.T


_decompose = decomposition("svd", _svd, _pull, _push)


@overload
def svd(
    a: BVar[L[N, N, D]], /, *, full_matrices: Literal[False] = False
) -> tuple[BVar[L[N, N, D]], BVar[R[N, D]], BVar[L[N, N, D]]]: ...
@overload
def svd(
    a: BVar[L[M, N, D]], /, *, full_matrices: Literal[False] = False
) -> tuple[BVar[L[M, Any, D]], BVar[R[Any, D]], BVar[L[Any, N, D]]]: ...
@overload
def svd(a: L[N, N, D], /, *, full_matrices: Literal[False] = False) -> tuple[L[N, N, D], R[N, D], L[N, N, D]]: ...
@overload
def svd(a: L[M, N, D], /, *, full_matrices: Literal[False] = False) -> tuple[L[M, Any, D], R[Any, D], L[Any, N, D]]: ...
def svd(a: Any, /, *, full_matrices: Literal[False] = False) -> Any:
    """`u`, `s` and `vt` with `(u * s) @ vt == a`: singular values in descending order, and their vectors.

    There are as many as the smaller size of the matrix (NumPy's `full_matrices=False`; further vectors would not be
    functions of `a`). The signs are LAPACK's choice. The derivative is that of Giles (2008), section 3.2, with that of
    Townsend (2016) for the vectors of matrices that are not square.

    Raises `ShapeError` for anything but a matrix; a derivative of `u` or `vt`, or forward mode, raises `LinAlgError`
    where two singular values are equal, or one is 0 in a matrix that is not square. The values alone have a derivative,
    see `svdvals`. `full_matrices=True` is refused by ValueError.
    """
    if full_matrices:
        raise ValueError("svd: full_matrices is True; the vectors beyond the singular values are no function of a")
    want_matrix("svd", a)
    return _decompose(a if type(a) is BVar else checked_plain("svd", a))


def _kept(s: Value, shape: tuple[int, ...]) -> Array:
    """1 for each singular value, 0 for one that is 0."""
    values = plain(s)
    nothing = max(shape) * tolerance(values) / max(len(values), 1)
    y: Array = (values > nothing).astype(values.dtype)
    return y


# residual: (u, vt, which values are not 0)
_SVDVALS = Rule(
    "svdvals",
    lambda g, r: (r[0] * (g * r[2])) @ r[1],
    lambda t, r: _take_diag(r[0].T @ t @ r[1].T) * r[2],
    fresh=True,
)


@overload
def svdvals(a: BVar[L[N, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def svdvals(a: BVar[L[M, N, D]], /) -> BVar[R[Any, D]]: ...
@overload
def svdvals(a: L[N, N, D], /) -> R[N, D]: ...
@overload
def svdvals(a: L[M, N, D], /) -> R[Any, D]: ...
def svdvals(a: Any, /) -> Any:
    """The singular values of a matrix in descending order. The derivative is that of Giles (2008), section 3.2.

    Where some are equal, each has for derivative that along the vectors that LAPACK chose, a valid one of several, and
    their sum has the right one; a value of 0 has the derivative 0, as `abs` has at 0. The second derivative raises
    `LinAlgError` at both. Raises `ShapeError` for anything but a matrix.
    """
    shape = want_matrix("svdvals", a)
    if type(a) is not BVar:
        return np.linalg.svd(checked_plain("svdvals", a), compute_uv=False)
    u, s, vt = _decompose(a._value)
    return record(a._tape, s, (_SVDVALS.code, a._node, (u, vt, _kept(s, shape))))


# For operands of an enclosing tape, whose types are unknown.
_diag: Any = diag
_take_diag: Any = take_diag
