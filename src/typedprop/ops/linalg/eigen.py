"""Eigenvalues and eigenvectors of symmetric matrices: `eigh` and `eigvalsh`."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import broadcast_to, describe, dtype_of, plain
from typedprop.bvar import BVar, record
from typedprop.op import checked_plain, decomposition
from typedprop.ops.diagonal import diag, take_diag
from typedprop.ops.linalg.checks import Array, LinAlgError, symmetric_part, tolerance, want_square
from typedprop.ops.linalg.symmetric import sym
from typedprop.shapes import L, R
from typedprop.tape import Rule, Value

N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _eigh(a: Array) -> tuple[Array, Array]:
    w, v = np.linalg.eigh(symmetric_part("eigh", a))
    return w, v


def _inverse_gaps(w: Value) -> Value:
    """`1 / (w[j] - w[i])`, and 0 in the diagonal."""
    values = plain(w)
    n, dtype = len(values), dtype_of(w)
    gaps = np.diff(values)
    if n > 1 and gaps.min() <= tolerance(values):
        k = int(gaps.argmin())
        raise LinAlgError(
            f"eigh: eigenvalues {k} and {k + 1} of the matrix, {describe((n, n))}, are equal ({values[k]:.6g}), so "
            "their eigenvectors have no derivative; if only eigenvalues are needed, write eigvalsh(a)"
        )
    columns = broadcast_to(w, (n, n), dtype)
    eye = np.eye(n, dtype=dtype)
    return (1 - eye) / (columns - columns.T + eye)


def _pull(cotangents: Sequence[Value | None], _a: Value, results: tuple[Value, Value]) -> Value:
    (w, v), (gw, gv) = results, cotangents
    inner = 0.0 if gw is None else _diag(gw)
    if gv is not None:
        inner = inner + _inverse_gaps(w) * (v.T @ gv)
    return _sym(v @ inner @ v.T)


def _push(t: Value, _a: Value, results: tuple[Value, Value]) -> tuple[Value, Value]:
    w, v = results
    inner = v.T @ _sym(t) @ v
    return _take_diag(inner), v @ (_inverse_gaps(w) * inner)


_decompose = decomposition("eigh", _eigh, _pull, _push)


@overload
def eigh(a: BVar[L[N, N, D]], /) -> tuple[BVar[R[N, D]], BVar[L[N, N, D]]]: ...
@overload
def eigh(a: L[N, N, D], /) -> tuple[R[N, D], L[N, N, D]]: ...
def eigh(a: Any, /) -> Any:
    """The eigenvalues of a symmetric matrix in ascending order, and as columns the eigenvectors of length 1.

    It is a function of the symmetric part of `a`, and its gradient is symmetric: Giles (2008), section 3.1. The sign of
    an eigenvector is LAPACK's choice. Raises `ShapeError` unless the matrix is square, `LinAlgError` if it is not
    symmetric but for rounding; so does a derivative of the eigenvectors, or forward mode, where two eigenvalues are
    equal. The eigenvalues alone have one, see `eigvalsh`.
    """
    want_square("eigh", a)
    return _decompose(a if type(a) is BVar else checked_plain("eigh", a))


_EIGVALSH = Rule(
    "eigvalsh",
    lambda g, v: _sym(v @ _diag(g) @ v.T),
    lambda t, v: _take_diag(v.T @ _sym(t) @ v),
    fresh=True,
)


@overload
def eigvalsh(a: BVar[L[N, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def eigvalsh(a: L[N, N, D], /) -> R[N, D]: ...
def eigvalsh(a: Any, /) -> Any:
    """The eigenvalues of a symmetric matrix in ascending order. The derivative is that of Giles (2008), section 3.1.

    Where some are equal, each has for derivative that along the eigenvector that LAPACK chose, a valid one of several,
    and their sum has the right one; the second derivative raises `LinAlgError` there. Errors as `eigh`.
    """
    want_square("eigvalsh", a)
    if type(a) is not BVar:
        return np.linalg.eigvalsh(symmetric_part("eigvalsh", checked_plain("eigvalsh", a)))
    inner = a._value
    if type(inner) is not BVar:
        symmetric_part("eigvalsh", inner)
    w, v = _decompose(inner)
    return record(a._tape, w, (_EIGVALSH.code, a._node, v))


# For operands of an enclosing tape, whose types are unknown.
_sym: Any = sym
_diag: Any = diag
_take_diag: Any = take_diag
