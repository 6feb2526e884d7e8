"""Average and maximum of each window: `avg_pool1d`, `avg_pool2d`, `max_pool1d`, `max_pool2d`.

The windows are `stride` apart, by default so far that they lie side by side; what remains at an end is left out. To
pool over a border too, `tp.pad` first (for a maximum with `value=-np.inf`).
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import itertools
import math
from typing import Any, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, shape_of
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import Linear, checked_plain, linear, opened
from typedprop.ops.windows import out_sizes, spatial, strided, windows
from typedprop.shapes import Tensor3, Tensor4

A = TypeVar("A", bound=int)
C = TypeVar("C", bound=int)
D = TypeVar("D", bound=np.floating[Any])
Array: TypeAlias = np.ndarray[Any, Any]
Two: TypeAlias = int | tuple[int, int]


def _sums(x: Array, size: Shape, stride: Shape) -> Array:
    lead = x.ndim - len(size)
    out = out_sizes(x.shape[lead:], size, stride, (1,) * len(size))
    y = np.zeros(x.shape[:lead] + out, x.dtype)
    for place in itertools.product(*map(range, size)):
        y += strided(x, place, out, stride, (1,) * len(size))
    return y


def _spread(g: Array, shape: Shape, size: Shape, stride: Shape) -> Array:
    y = np.zeros(shape, g.dtype)
    for place in itertools.product(*map(range, size)):
        strided(y, place, g.shape[g.ndim - len(size) :], stride, (1,) * len(size))[...] += g
    return y


# The sum of each window, and each element given to all windows that it is in: each is the other's transpose.
_SUM: Linear = linear(
    "avg_pool", _sums, lambda g, shape, _dtype, size, stride: _SPREAD(g, shape, size, stride), fresh=True
)
_SPREAD: Linear = linear(
    "avg_pool", _spread, lambda g, _shape, _dtype, _full, size, stride: _SUM(g, size, stride), fresh=True
)


def _unfold(x: Array, size: Shape, stride: Shape) -> Array:
    v = windows(x, size, stride, (1,) * len(size))
    return np.ascontiguousarray(np.moveaxis(v, range(v.ndim - len(size), v.ndim), range(len(size))))


def _fold(parts: Array, shape: Shape, size: Shape, stride: Shape) -> Array:
    y = np.zeros(shape, parts.dtype)
    out = parts.shape[parts.ndim - len(size) :]
    for place in itertools.product(*map(range, size)):
        strided(y, place, out, stride, (1,) * len(size))[...] += parts[place]
    return y


# The windows, their own axes first, and elements added up where windows overlap: each is the other's transpose.
_UNFOLD: Linear = linear(
    "max_pool", _unfold, lambda g, shape, _dtype, size, stride: _FOLD(g, shape, size, stride), fresh=True
)
_FOLD: Linear = linear(
    "max_pool", _fold, lambda g, _shape, _dtype, _full, size, stride: _UNFOLD(g, size, stride), fresh=True
)


def _prepared(name: str, rank: int, x: Any, size: Any, stride: Any) -> tuple[Any, Shape, Shape]:
    if type(x) is not BVar:
        checked_plain(name, x)
        _, (x,) = opened(name, x)
    shape = shape_of(x)
    if len(shape) != rank + 2:
        layout = ("(batch, channels, length)", "(batch, channels, height, width)")[rank - 1]
        raise ShapeError(f"{name}: x is {describe(shape)}; wanted {layout}")
    sizes = spatial(name, "size", size, rank)
    if any(n < k for n, k in zip(shape[2:], sizes, strict=True)):
        raise ShapeError(f"{name}: windows of size {size} are larger than x, {describe(shape)}")
    return x, sizes, sizes if stride is None else spatial(name, "stride", stride, rank)


def _average(name: str, rank: int, x: Any, size: Any, stride: Any) -> Any:
    x, sizes, steps = _prepared(name, rank, x, size, stride)
    return _SUM(x, sizes, steps) / float(math.prod(sizes))


def _maximum(name: str, rank: int, x: Any, size: Any, stride: Any) -> Any:
    x, sizes, steps = _prepared(name, rank, x, size, stride)
    return _UNFOLD(x, sizes, steps).max(axis=tuple(range(rank)))


@overload
def avg_pool1d(
    x: BVar[Tensor3[A, C, Any, D]], /, size: int, stride: int | None = None
) -> BVar[Tensor3[A, C, Any, D]]: ...
@overload
def avg_pool1d(x: Tensor3[A, C, Any, D], /, size: int, stride: int | None = None) -> Tensor3[A, C, Any, D]: ...
def avg_pool1d(x: Any, /, size: int, stride: int | None = None) -> Any:
    """The mean of each window of `size` elements of (batch, channels, length). `ShapeError` if there is no window."""
    return _average("avg_pool1d", 1, x, size, stride)


@overload
def avg_pool2d(
    x: BVar[Tensor4[A, C, Any, Any, D]], /, size: Two, stride: Two | None = None
) -> BVar[Tensor4[A, C, Any, Any, D]]: ...
@overload
def avg_pool2d(
    x: Tensor4[A, C, Any, Any, D], /, size: Two, stride: Two | None = None
) -> Tensor4[A, C, Any, Any, D]: ...
def avg_pool2d(x: Any, /, size: Two, stride: Two | None = None) -> Any:
    """The mean of each window of (batch, channels, height, width). Raises `ShapeError` if there is no window."""
    return _average("avg_pool2d", 2, x, size, stride)


@overload
def max_pool1d(
    x: BVar[Tensor3[A, C, Any, D]], /, size: int, stride: int | None = None
) -> BVar[Tensor3[A, C, Any, D]]: ...
@overload
def max_pool1d(x: Tensor3[A, C, Any, D], /, size: int, stride: int | None = None) -> Tensor3[A, C, Any, D]: ...
def max_pool1d(x: Any, /, size: int, stride: int | None = None) -> Any:
    """The largest element of each window of (batch, channels, length); equal ones share the gradient equally.

    Raises `ShapeError` if there is no window.
    """
    return _maximum("max_pool1d", 1, x, size, stride)


@overload
def max_pool2d(
    x: BVar[Tensor4[A, C, Any, Any, D]], /, size: Two, stride: Two | None = None
) -> BVar[Tensor4[A, C, Any, Any, D]]: ...
@overload
def max_pool2d(
    x: Tensor4[A, C, Any, Any, D], /, size: Two, stride: Two | None = None
) -> Tensor4[A, C, Any, Any, D]: ...
def max_pool2d(x: Any, /, size: Two, stride: Two | None = None) -> Any:
    """The largest element of each window of (batch, channels, height, width); equal ones share the gradient equally.

    Raises `ShapeError` if there is no window.
    """
    return _maximum("max_pool2d", 2, x, size, stride)
