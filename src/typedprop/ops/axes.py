"""Axes of length 1 put in and taken out, and axes in other places: expand_dims, squeeze, moveaxis.

For vectors, `row`, `col`, `unrow` and `uncol` say the same in words.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, shape_of
from typedprop.bvar import BVar, axis_of
from typedprop.errors import ShapeError
from typedprop.ops.plain import applied, array_operand
from typedprop.ops.structural import permute, reshape
from typedprop.shapes import L, One, R, Tensor3, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)
_reshape: Any = reshape  # to shapes of any rank


@overload
def expand_dims(x: BVar[R[N, D]], axis: Literal[0, -2]) -> BVar[L[One, N, D]]: ...
@overload
def expand_dims(x: BVar[R[N, D]], axis: Literal[1, -1]) -> BVar[L[N, One, D]]: ...
@overload
def expand_dims(x: BVar[L[M, N, D]], axis: Literal[0, -3]) -> BVar[Tensor3[One, M, N, D]]: ...
@overload
def expand_dims(x: BVar[L[M, N, D]], axis: Literal[1, -2]) -> BVar[Tensor3[M, One, N, D]]: ...
@overload
def expand_dims(x: BVar[L[M, N, D]], axis: Literal[2, -1]) -> BVar[Tensor3[M, N, One, D]]: ...
@overload
def expand_dims(x: BVar[Tensor3[Any, Any, Any, D]], axis: int) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def expand_dims(x: R[N, D], axis: Literal[0, -2]) -> L[One, N, D]: ...
@overload
def expand_dims(x: R[N, D], axis: Literal[1, -1]) -> L[N, One, D]: ...
@overload
def expand_dims(x: L[M, N, D], axis: Literal[0, -3]) -> Tensor3[One, M, N, D]: ...
@overload
def expand_dims(x: L[M, N, D], axis: Literal[1, -2]) -> Tensor3[M, One, N, D]: ...
@overload
def expand_dims(x: L[M, N, D], axis: Literal[2, -1]) -> Tensor3[M, N, One, D]: ...
@overload
def expand_dims(x: Tensor3[Any, Any, Any, D], axis: int) -> Tensor4[Any, Any, Any, Any, D]: ...
def expand_dims(x: Any, axis: int) -> Any:
    """A new axis of length 1 at position `axis` of the result.

    Raises `ShapeError` for a position that the result does not have, and for a scalar.
    """
    x = array_operand("expand_dims", x)
    shape = shape_of(x)
    if not -len(shape) - 1 <= (place := _index("expand_dims", axis)) <= len(shape):
        raise ShapeError(f"expand_dims: axis {axis} is out of range for {describe(shape)} with one axis more")
    place %= len(shape) + 1
    return _reshape(x, (*shape[:place], 1, *shape[place:]))


@overload
def squeeze(x: BVar[R[One, D]], axis: Literal[0, -1]) -> BVar[float]: ...
@overload
def squeeze(x: BVar[L[One, N, D]], axis: Literal[0, -2]) -> BVar[R[N, D]]: ...
@overload
def squeeze(x: BVar[L[M, One, D]], axis: Literal[1, -1]) -> BVar[R[M, D]]: ...
@overload
def squeeze(x: BVar[Tensor3[One, N, K, D]], axis: Literal[0, -3]) -> BVar[L[N, K, D]]: ...
@overload
def squeeze(x: BVar[Tensor3[M, One, K, D]], axis: Literal[1, -2]) -> BVar[L[M, K, D]]: ...
@overload
def squeeze(x: BVar[Tensor3[M, N, One, D]], axis: Literal[2, -1]) -> BVar[L[M, N, D]]: ...
@overload
def squeeze(x: BVar[Tensor4[Any, Any, Any, Any, D]], axis: int) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def squeeze(x: R[One, D], axis: Literal[0, -1]) -> D: ...
@overload
def squeeze(x: L[One, N, D], axis: Literal[0, -2]) -> R[N, D]: ...
@overload
def squeeze(x: L[M, One, D], axis: Literal[1, -1]) -> R[M, D]: ...
@overload
def squeeze(x: Tensor3[One, N, K, D], axis: Literal[0, -3]) -> L[N, K, D]: ...
@overload
def squeeze(x: Tensor3[M, One, K, D], axis: Literal[1, -2]) -> L[M, K, D]: ...
@overload
def squeeze(x: Tensor3[M, N, One, D], axis: Literal[2, -1]) -> L[M, N, D]: ...
@overload
def squeeze(x: Tensor4[Any, Any, Any, Any, D], axis: int) -> Tensor3[Any, Any, Any, D]: ...
def squeeze(x: Any, axis: int) -> Any:
    """Without the axis `axis`, whose length is 1; which one has to be said, for the type to say what is left.

    Raises `ShapeError` for an axis of another length or one that `x` does not have.
    """
    x = array_operand("squeeze", x)
    shape = shape_of(x)
    place = axis_of("squeeze", shape, axis) % len(shape)
    if shape[place] != 1:
        raise ShapeError(f"squeeze: axis {axis} of {describe(shape)} has {shape[place]} elements; wanted 1")
    if len(shape) == 1:
        return x[0]
    return _reshape(x, shape[:place] + shape[place + 1 :])


@overload
def moveaxis(x: BVar[L[M, N, D]], source: Literal[0, -2], destination: Literal[1, -1]) -> BVar[L[N, M, D]]: ...
@overload
def moveaxis(x: BVar[L[M, N, D]], source: Literal[1, -1], destination: Literal[0, -2]) -> BVar[L[N, M, D]]: ...
@overload
def moveaxis(
    x: BVar[Tensor3[M, N, K, D]], source: Literal[0, -3], destination: Literal[2, -1]
) -> BVar[Tensor3[N, K, M, D]]: ...
@overload
def moveaxis(
    x: BVar[Tensor3[M, N, K, D]], source: Literal[2, -1], destination: Literal[0, -3]
) -> BVar[Tensor3[K, M, N, D]]: ...
@overload
def moveaxis(x: BVar[Tensor3[Any, Any, Any, D]], source: int, destination: int) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def moveaxis(
    x: BVar[Tensor4[Any, Any, Any, Any, D]], source: int, destination: int
) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def moveaxis(x: L[M, N, D], source: Literal[0, -2], destination: Literal[1, -1]) -> L[N, M, D]: ...
@overload
def moveaxis(x: L[M, N, D], source: Literal[1, -1], destination: Literal[0, -2]) -> L[N, M, D]: ...
@overload
def moveaxis(x: Tensor3[M, N, K, D], source: Literal[0, -3], destination: Literal[2, -1]) -> Tensor3[N, K, M, D]: ...
@overload
def moveaxis(x: Tensor3[M, N, K, D], source: Literal[2, -1], destination: Literal[0, -3]) -> Tensor3[K, M, N, D]: ...
@overload
def moveaxis(x: Tensor3[Any, Any, Any, D], source: int, destination: int) -> Tensor3[Any, Any, Any, D]: ...
@overload
def moveaxis(x: Tensor4[Any, Any, Any, Any, D], source: int, destination: int) -> Tensor4[Any, Any, Any, Any, D]: ...
def moveaxis(x: Any, source: int, destination: int) -> Any:
    """The axis `source` at position `destination`, the others in their order.

    Raises `ShapeError` for an axis that `x` does not have.
    """
    x = array_operand("moveaxis", x)
    shape = shape_of(x)
    start, end = (axis_of("moveaxis", shape, _index("moveaxis", axis)) % len(shape) for axis in (source, destination))
    order = [axis for axis in range(len(shape)) if axis != start]
    order.insert(end, start)
    return applied(permute, x, tuple(order))


def _index(name: str, axis: Any) -> int:
    if isinstance(axis, int | np.integer) and not isinstance(axis, bool):
        return int(axis)
    raise TypeError(f"{name}: axis is {axis!r}; wanted an int")
