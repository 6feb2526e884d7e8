"""Systems of linear equations: `solve`, `solve_triangular`, and least squares, `lstsq`.

The right-hand side is a vector, or a matrix of several, column by column.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import shape_of
from typedprop.bvar import BVar
from typedprop.op import Function, opened, record_joint
from typedprop.ops.diagonal import tril, triu
from typedprop.ops.linalg.checks import Array, LinAlgError, singular, want_matrix, want_square, want_vector_or_matrix
from typedprop.ops.linalg.inverse import pinv, want_full_rank
from typedprop.ops.product import outer
from typedprop.shapes import L, R
from typedprop.tape import Joint, Value

K = TypeVar("K", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _recorded(name: str, again: Function, value: Function, pull: Function, push: Function, a: Any, b: Any) -> Any:
    """An equation's solution x, and its derivative: `pull(g, a, b, x, of_a)` gives the cotangents of
    both operands, that of `a` only if it is asked for.
    """
    tape, (a_value, b_value) = opened(name, a, b)
    higher = type(a_value) is BVar or type(b_value) is BVar
    x = again(a_value, b_value) if higher else value(a_value, b_value)

    def joint(mine: list[int]) -> Joint:
        def pull_mine(g: Value) -> list[Value]:
            both = pull(g, a_value, b_value, x, 0 in mine)
            return [both[k] for k in mine]

        def push_mine(tangents: Sequence[Value]) -> Value:
            t: list[Value] = [None, None]
            for k, tangent in zip(mine, tangents, strict=True):
                t[k] = tangent
            return push(*t, a_value, b_value, x)

        return Joint(name, pull_mine, push_mine, fresh=True)

    return record_joint(tape, x, (a, b), joint)


def _product(h: Value, x: Value) -> Value:
    """`h xᵀ` of two vectors or two matrices: what all cotangents of a matrix here are made of."""
    again: Any = outer
    return again(h, x) if len(shape_of(x)) == 1 else h @ x.T


# -- Square ---------------------------------------------------------------------------------------------------------


def _solution(a: Array, b: Array) -> Array:
    try:
        y: Array = np.linalg.solve(a, b)
        return y
    except LinAlgError:
        raise singular("solve", a.shape) from None


def _pull_solve(g: Value, a: Value, b: Value, x: Value, of_a: bool) -> tuple[Value | None, Value]:
    h = _solve_again(a.T, g)
    return -_product(h, x) if of_a else None, h


def _push_solve(ta: Value | None, tb: Value | None, a: Value, b: Value, x: Value) -> Value:
    return _solve_again(a, _right_side(tb, None if ta is None else ta @ x))


def _right_side(tb: Value | None, moved: Value | None) -> Value:
    return tb if moved is None else -moved if tb is None else tb - moved


@overload
def solve(a: BVar[L[N, N, D]], b: BVar[R[N, D]] | R[N, D], /) -> BVar[R[N, D]]: ...
@overload
def solve(a: L[N, N, D], b: BVar[R[N, D]], /) -> BVar[R[N, D]]: ...
@overload
def solve(a: BVar[L[N, N, D]], b: BVar[L[N, K, D]] | L[N, K, D], /) -> BVar[L[N, K, D]]: ...
@overload
def solve(a: L[N, N, D], b: BVar[L[N, K, D]], /) -> BVar[L[N, K, D]]: ...
@overload
def solve(a: L[N, N, D], b: R[N, D], /) -> R[N, D]: ...
@overload
def solve(a: L[N, N, D], b: L[N, K, D], /) -> L[N, K, D]: ...
def solve(a: Any, b: Any, /) -> Any:
    """The `x` with `a @ x == b`. The derivative is that of Giles (2008), section 2.3.1.

    Raises `ShapeError` where the sizes do not fit, `LinAlgError` if `a` is singular.
    """
    want_vector_or_matrix("solve", b, want_square("solve", a))
    return _recorded("solve", _solve_again, _solution, _pull_solve, _push_solve, a, b)


# -- Triangular -----------------------------------------------------------------------------------------------------

# Up to this size LAPACK's general solver is faster than two halves.
_BLOCK = 48


def _substitution(a: Array, b: Array, lower: bool) -> Array:
    """Forward or backward substitution by blocks: NumPy has none, and this is products of matrices."""
    n = len(a)
    if n <= _BLOCK:
        if not np.diagonal(a).all():
            row = int(np.flatnonzero(np.diagonal(a) == 0)[0])
            raise singular("solve_triangular", a.shape, f": its diagonal is zero in row {row}")
        y: Array = np.linalg.solve(np.tril(a) if lower else np.triu(a), b)
        return y
    half = n // 2
    first, second = slice(0, half), slice(half, n)
    if not lower:
        first, second = second, first
    x = np.empty(b.shape, np.result_type(a, b))
    x[first] = _substitution(a[first, first], b[first], lower)
    x[second] = _substitution(a[second, second], b[second] - a[second, first] @ x[first], lower)
    return x


@overload
def solve_triangular(a: BVar[L[N, N, D]], b: BVar[R[N, D]] | R[N, D], /, *, lower: bool = False) -> BVar[R[N, D]]: ...
@overload
def solve_triangular(a: L[N, N, D], b: BVar[R[N, D]], /, *, lower: bool = False) -> BVar[R[N, D]]: ...
@overload
def solve_triangular(
    a: BVar[L[N, N, D]], b: BVar[L[N, K, D]] | L[N, K, D], /, *, lower: bool = False
) -> BVar[L[N, K, D]]: ...
@overload
def solve_triangular(a: L[N, N, D], b: BVar[L[N, K, D]], /, *, lower: bool = False) -> BVar[L[N, K, D]]: ...
@overload
def solve_triangular(a: L[N, N, D], b: R[N, D], /, *, lower: bool = False) -> R[N, D]: ...
@overload
def solve_triangular(a: L[N, N, D], b: L[N, K, D], /, *, lower: bool = False) -> L[N, K, D]: ...
def solve_triangular(a: Any, b: Any, /, *, lower: bool = False) -> Any:
    """The `x` with `a @ x == b` for an upper, or lower, triangular `a`, whose other triangle is not looked at.

    The derivative is that of `solve`, of one triangle. Raises `ShapeError` where the sizes do not fit, `LinAlgError` if
    there is a zero in the diagonal.
    """
    want_vector_or_matrix("solve_triangular", b, want_square("solve_triangular", a))

    def again(a: Any, b: Any) -> Any:
        return _triangular_again(a, b, lower=lower)

    def part(m: Value) -> Value:
        return tril(m) if lower else triu(m)

    def pull(g: Value, a: Value, b: Value, x: Value, of_a: bool) -> tuple[Value | None, Value]:
        h = _triangular_again(a.T, g, lower=not lower)
        return -part(_product(h, x)) if of_a else None, h

    def push(ta: Value | None, tb: Value | None, a: Value, b: Value, x: Value) -> Value:
        return again(a, _right_side(tb, None if ta is None else part(ta) @ x))

    return _recorded("solve_triangular", again, lambda a, b: _substitution(a, b, lower), pull, push, a, b)


# -- Least squares --------------------------------------------------------------------------------------------------


def _least_squares(a: Array, b: Array) -> Array:
    y: Array = np.linalg.lstsq(a, b)[0]
    return y


def _pull_lstsq(g: Value, a: Value, b: Value, x: Value, of_a: bool) -> tuple[Value | None, Value]:
    p = _pinv_again(a)
    rows, columns = shape_of(a)
    h = p.T @ g
    if not of_a:
        return None, h
    want_full_rank("lstsq", a)
    y = -_product(h, x)
    if rows > columns:
        y = y + _product(b - a @ x, p @ h)
    if columns > rows:
        y = y + _product(p.T @ x, g - a.T @ h)
    return y, h


def _push_lstsq(ta: Value | None, tb: Value | None, a: Value, b: Value, x: Value) -> Value:
    p = _pinv_again(a)
    if ta is None:
        return p @ tb
    want_full_rank("lstsq", a)
    rows, columns = shape_of(a)
    y = p @ _right_side(tb, ta @ x)
    if rows > columns:
        y = y + p @ (p.T @ (ta.T @ (b - a @ x)))
    if columns > rows:
        z = ta.T @ (p.T @ x)
        y = y + z - p @ (a @ z)
    return y


@overload
def lstsq(a: BVar[L[M, N, D]], b: BVar[R[M, D]] | R[M, D], /) -> BVar[R[N, D]]: ...
@overload
def lstsq(a: L[M, N, D], b: BVar[R[M, D]], /) -> BVar[R[N, D]]: ...
@overload
def lstsq(a: BVar[L[M, N, D]], b: BVar[L[M, K, D]] | L[M, K, D], /) -> BVar[L[N, K, D]]: ...
@overload
def lstsq(a: L[M, N, D], b: BVar[L[M, K, D]], /) -> BVar[L[N, K, D]]: ...
@overload
def lstsq(a: L[M, N, D], b: R[M, D], /) -> R[N, D]: ...
@overload
def lstsq(a: L[M, N, D], b: L[M, K, D], /) -> L[N, K, D]: ...
def lstsq(a: Any, b: Any, /) -> Any:
    """The `x` with the least `norm(a @ x - b)`, and of several such the shortest: `pinv(a) @ b`.

    Unlike NumPy's, only the solution; the derivative is that of Golub and Pereyra (1973), for full rank. Raises
    `ShapeError` where the sizes do not fit; a derivative raises `LinAlgError` where the rank of `a` is deficient, for
    the solution is not continuous there.
    """
    want_vector_or_matrix("lstsq", b, want_matrix("lstsq", a)[0])
    return _recorded("lstsq", _lstsq_again, _least_squares, _pull_lstsq, _push_lstsq, a, b)


# For rules and for operands of an enclosing tape, whose types are unknown.
_solve_again: Any = solve
_triangular_again: Any = solve_triangular
_lstsq_again: Any = lstsq
_pinv_again: Any = pinv
