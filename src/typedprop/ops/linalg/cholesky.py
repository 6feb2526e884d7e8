"""`cholesky`: the lower triangular factor of a symmetric positive definite matrix."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, dtype_of, shape_of
from typedprop.bvar import BVar
from typedprop.op import unary
from typedprop.ops.linalg.checks import Array, LinAlgError, symmetric_part, want_square
from typedprop.ops.linalg.solve import solve_triangular
from typedprop.ops.linalg.symmetric import sym
from typedprop.shapes import L
from typedprop.tape import Value

N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _factor(a: Array) -> Array:
    s = symmetric_part("cholesky", a)
    try:
        return np.linalg.cholesky(s)
    except LinAlgError:
        raise LinAlgError(f"cholesky: the matrix, {describe(a.shape)}, is not positive definite") from None


def _half_lower(m: Value) -> Value:
    """The lower triangle with half of the diagonal: the triangular part of a symmetric matrix."""
    n, dtype = shape_of(m)[0], dtype_of(m)
    return m * (np.tri(n, k=-1, dtype=dtype) + np.eye(n, dtype=dtype) * dtype.type(0.5))


def _pull(g: Value, y: Value) -> Value:
    inner = _half_lower(y.T @ g)
    left = _solve(y.T, inner, lower=False)
    return _sym(_solve(y.T, left.T, lower=False))


def _push(t: Value, y: Value) -> Value:
    left = _solve(y, _sym(t), lower=True)
    return y @ _half_lower(_solve(y, left.T, lower=True))


_cholesky = unary("cholesky", _factor, keep=lambda a, y: y, pull=_pull, push=_push, fresh=True)


@overload
def cholesky(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def cholesky(a: L[N, N, D], /) -> L[N, N, D]: ...
def cholesky(a: Any, /) -> Any:
    """The lower triangular `l` with `l @ l.T == a`, for a symmetric positive definite `a`.

    It is a function of the symmetric part of `a`, and its gradient is symmetric: Murray (2016), section 3.
    Raises `ShapeError` unless the matrix is square, `LinAlgError` if it is not symmetric, but for rounding, or not
    positive definite.
    """
    want_square("cholesky", a)
    return _cholesky(a)


# For operands of an enclosing tape, whose types are unknown.
_sym: Any = sym
_solve: Any = solve_triangular
