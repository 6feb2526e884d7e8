"""Products of many matrices: `matrix_power` and `multi_dot`."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, dtype_of, shape_of
from typedprop.bvar import BVar, constant
from typedprop.errors import ShapeError
from typedprop.op import checked_plain, opened
from typedprop.ops.linalg.checks import LinAlgError, singular, want_square
from typedprop.ops.linalg.inverse import inv
from typedprop.shapes import L

K = TypeVar("K", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
P = TypeVar("P", bound=int)
Q = TypeVar("Q", bound=int)
D = TypeVar("D", bound=np.floating[Any])
Matrix: TypeAlias = BVar[L[M, N, D]] | L[M, N, D]


@overload
def matrix_power(a: BVar[L[N, N, D]], n: int, /) -> BVar[L[N, N, D]]: ...
@overload
def matrix_power(a: L[N, N, D], n: int, /) -> L[N, N, D]: ...
def matrix_power(a: Any, n: int, /) -> Any:
    """`a @ a @ ... @ a` with `n` factors, by squaring; the identity for 0, powers of the inverse for negative `n`.

    Raises `ShapeError` unless the matrix is square, `LinAlgError` for a negative power of a singular one.
    """
    size = want_square("matrix_power", a)
    n = operator.index(n)
    a = a if type(a) is BVar else checked_plain("matrix_power", a)
    if n == 0:
        eye = np.eye(size, dtype=dtype_of(a))
        return constant(eye) if type(a) is BVar else eye
    if n < 0:
        again: Any = inv  # a BVar or an array
        try:
            a, n = again(a), -n
        except LinAlgError:
            raise singular("matrix_power", (size, size), f", and has no power {n}") from None
    power: Any = None
    while True:
        if n & 1:
            power = a if power is None else power @ a
        n >>= 1
        if not n:
            return power.copy() if power is a and type(a) is not BVar else power
        a = a @ a


@overload
def multi_dot(matrices: tuple[BVar[L[M, N, D]], Matrix[N, K, D]], /) -> BVar[L[M, K, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], BVar[L[N, K, D]]], /) -> BVar[L[M, K, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], L[N, K, D]], /) -> L[M, K, D]: ...
@overload
def multi_dot(matrices: tuple[BVar[L[M, N, D]], Matrix[N, K, D], Matrix[K, P, D]], /) -> BVar[L[M, P, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], BVar[L[N, K, D]], Matrix[K, P, D]], /) -> BVar[L[M, P, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], L[N, K, D], BVar[L[K, P, D]]], /) -> BVar[L[M, P, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], L[N, K, D], L[K, P, D]], /) -> L[M, P, D]: ...
@overload
def multi_dot(
    matrices: tuple[BVar[L[M, N, D]], BVar[L[N, K, D]], BVar[L[K, P, D]], BVar[L[P, Q, D]]], /
) -> BVar[L[M, Q, D]]: ...
@overload
def multi_dot(matrices: tuple[L[M, N, D], L[N, K, D], L[K, P, D], L[P, Q, D]], /) -> L[M, Q, D]: ...
# Any number, in a list, whose type does not say that each size meets its like. The dtype is spelled out: from items of
# different sizes no checker would find it.
@overload
def multi_dot(matrices: list[BVar[L[Any, Any]]], /) -> BVar[L[Any, Any]]: ...
@overload
def multi_dot(matrices: list[L[Any, Any]], /) -> L[Any, Any]: ...
@overload
def multi_dot(matrices: list[BVar[L[Any, Any]] | L[Any, Any]], /) -> BVar[L[Any, Any]]: ...
@overload
def multi_dot(matrices: list[BVar[L[Any, Any, np.float32]]], /) -> BVar[L[Any, Any, np.float32]]: ...
@overload
def multi_dot(matrices: list[L[Any, Any, np.float32]], /) -> L[Any, Any, np.float32]: ...
def multi_dot(matrices: Sequence[Any], /) -> Any:
    """The product of two or more matrices, multiplied in the order that takes the least work.

    The sizes of up to four in a tuple are checked by their types, those of any number in a list at run time only.

    Raises `ShapeError` for fewer than two, anything but matrices, and inner sizes that differ.
    """
    matrices = list(matrices)
    if len(matrices) < 2:
        raise ShapeError(f"multi_dot: wanted two matrices or more, got {len(matrices)}")
    for x in matrices:
        if type(x) is not BVar:
            checked_plain("multi_dot", x)
    shapes = [shape_of(x) for x in matrices]
    listed = " @ ".join(map(describe, shapes))
    if any(len(shape) != 2 for shape in shapes):
        raise ShapeError(f"multi_dot: {listed}; wanted matrices only")
    for k in range(len(shapes) - 1):
        if shapes[k][1] != shapes[k + 1][0]:
            raise ShapeError(f"multi_dot: {listed}: the sizes {shapes[k][1]} and {shapes[k + 1][0]} differ")
    if not any(type(x) is BVar for x in matrices):
        _, matrices = opened("multi_dot", *matrices)
    first = cheapest_order([shapes[0][0], *(shape[1] for shape in shapes)])
    return _multiplied(matrices, first, 0, len(matrices) - 1)


# A function of the module: one that called itself would be a reference cycle, and with it the matrices.
def _multiplied(matrices: list[Any], first: dict[tuple[int, int], int], start: int, end: int) -> Any:
    """The product of the matrices from `start` to `end`."""
    if start == end:
        return matrices[start]
    middle = first[start, end]
    return _multiplied(matrices, first, start, middle) @ _multiplied(matrices, first, middle + 1, end)


def cheapest_order(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where the last multiplication of each run of factors is, by the least number of scalar ones."""
    count = len(sizes) - 1
    cost = {(k, k): 0 for k in range(count)}
    best: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for start in range(count - length):
            end = start + length
            costs = [
                cost[start, k] + cost[k + 1, end] + sizes[start] * sizes[k + 1] * sizes[end + 1]
                for k in range(start, end)
            ]
            cost[start, end] = min(costs)
            best[start, end] = start + costs.index(min(costs))
    return best
