"""Along an axis, from each element to the next: diff, and trapezoid, the integral by trapezoids."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import operator
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, shape_of
from typedprop.bvar import BVar, axis_of
from typedprop.errors import ShapeError
from typedprop.op import checked, checked_plain
from typedprop.ops.einsum import checked_operands, contract
from typedprop.ops.plain import array_operand
from typedprop.ops.reduction import sum
from typedprop.shapes import L, R, Tensor3

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
# Floats only: differences of plain integers would not be what the type says, for they become floats.
D = TypeVar("D", bound=np.floating[Any])
_sum: Any = sum


@overload
def diff(x: BVar[R[Any, D]], n: int = 1, axis: Literal[0, -1] = -1) -> BVar[R[Any, D]]: ...
@overload
def diff(x: BVar[L[M, Any, D]], n: int = 1, axis: Literal[1, -1] = -1) -> BVar[L[M, Any, D]]: ...
@overload
def diff(x: BVar[L[Any, N, D]], n: int = 1, *, axis: Literal[0, -2]) -> BVar[L[Any, N, D]]: ...
@overload
def diff(x: BVar[Tensor3[M, N, Any, D]], n: int = 1, axis: Literal[2, -1] = -1) -> BVar[Tensor3[M, N, Any, D]]: ...
@overload
def diff(x: R[Any, D], n: int = 1, axis: Literal[0, -1] = -1) -> R[Any, D]: ...
@overload
def diff(x: L[M, Any, D], n: int = 1, axis: Literal[1, -1] = -1) -> L[M, Any, D]: ...
@overload
def diff(x: L[Any, N, D], n: int = 1, *, axis: Literal[0, -2]) -> L[Any, N, D]: ...
@overload
def diff(x: Tensor3[M, N, Any, D], n: int = 1, axis: Literal[2, -1] = -1) -> Tensor3[M, N, Any, D]: ...
def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along an axis, `x[i + 1] - x[i]`; of order `n`, the differences of those.

    The result has `n` elements fewer. Raises `ShapeError` for an axis that `x` does not have, or with fewer elements,
    ValueError for a negative order.
    """
    x = array_operand("diff", checked("diff", x))
    order = operator.index(n)
    shape = shape_of(x)
    place = axis_of("diff", shape, axis) % len(shape)
    if order < 0:
        raise ValueError(f"diff: n is {order}; wanted 0 or more")
    if shape[place] < order:
        raise ShapeError(
            f"diff: {describe(shape)} has {shape[place]} elements along axis {axis}; wanted {order} or more"
        )
    before = (slice(None),) * place
    for _ in range(order):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x if type(x) is BVar or order else x.copy()


@overload
def trapezoid(
    y: BVar[R[N, D]], x: BVar[R[N, D]] | R[N, D] | None = None, dx: float = 1.0, axis: Literal[0, -1] = -1
) -> BVar[float]: ...
@overload
def trapezoid(y: R[N, D], x: BVar[R[N, D]], dx: float = 1.0, axis: Literal[0, -1] = -1) -> BVar[float]: ...
@overload
def trapezoid(
    y: BVar[L[M, N, D]], x: BVar[R[N, D]] | R[N, D] | None = None, dx: float = 1.0, axis: Literal[1, -1] = -1
) -> BVar[R[M, D]]: ...
@overload
def trapezoid(y: L[M, N, D], x: BVar[R[N, D]], dx: float = 1.0, axis: Literal[1, -1] = -1) -> BVar[R[M, D]]: ...
@overload
def trapezoid(
    y: BVar[L[M, N, D]], x: BVar[R[M, D]] | R[M, D] | None = None, dx: float = 1.0, *, axis: Literal[0, -2]
) -> BVar[R[N, D]]: ...
@overload
def trapezoid(y: L[M, N, D], x: BVar[R[M, D]], dx: float = 1.0, *, axis: Literal[0, -2]) -> BVar[R[N, D]]: ...
@overload
def trapezoid(y: R[N, D], x: R[N, D] | None = None, dx: float = 1.0, axis: Literal[0, -1] = -1) -> D: ...
@overload
def trapezoid(y: L[M, N, D], x: R[N, D] | None = None, dx: float = 1.0, axis: Literal[1, -1] = -1) -> R[M, D]: ...
@overload
def trapezoid(y: L[M, N, D], x: R[M, D] | None = None, dx: float = 1.0, *, axis: Literal[0, -2]) -> R[N, D]: ...
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of `y` along an axis by the rule of trapezoids, at the places `x`, a vector, or `dx` apart.

    Raises `ShapeError` where `x` has not as many elements as `y` has along the axis.
    """
    if x is None:
        y = array_operand("trapezoid", checked("trapezoid", y))
        place = axis_of("trapezoid", shape_of(y), axis) % len(shape_of(y))
        return 0.5 * checked_number(dx) * _sum(_middles(y, place), place)
    (y, x), like = checked_operands("trapezoid", (y, x))
    shape = shape_of(array_operand("trapezoid", y))
    place = axis_of("trapezoid", shape, axis) % len(shape)
    if shape_of(x) != (shape[place],):
        raise ShapeError(
            f"trapezoid: x is {describe(shape_of(x))}, but y, {describe(shape)}, has {shape[place]} elements along "
            f"axis {axis}; wanted a vector of as many"
        )
    labels = tuple(range(len(shape)))
    left = tuple(label for label in labels if label != place)
    return like(contract("trapezoid", (labels, (place,)), left, (_middles(y, place), 0.5 * (x[1:] - x[:-1]))))


def _middles(y: Any, axis: int) -> Any:
    """The sums of neighbours: twice what is in the middle between them."""
    before = (slice(None),) * axis
    return y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]


def checked_number(dx: Any) -> float:
    """The distance of two places."""
    step = checked_plain("trapezoid", dx)
    if shape_of(step):
        raise ShapeError(f"trapezoid: dx is {describe(shape_of(step))}; wanted a number")
    return float(step)
