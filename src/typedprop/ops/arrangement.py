"""Elements in other places: flip, roll, pad, tile, repeat, take, sort; and linspace, which spaces them evenly.

Reading and writing single places is indexing: `x[i]`, and `x.at(i).set(v)` for a copy that differs there.
"""

# The overloads go from exact to gradual, with catchers for Dims between them (see arrays.pyi).
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, dtype_of, plain, shape_of
from typedprop.bvar import Arr, BVar, axis_of, record
from typedprop.errors import ShapeError
from typedprop.index_sum import scatter
from typedprop.op import Linear, checked_plain, linear
from typedprop.ops.plain import applied, array_operand, operand
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
from typedprop.tape import Rule, Value

K = TypeVar("K", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
DK = TypeVar("DK", bound=Dim)
D = TypeVar("D", bound=np.generic)
Int = TypeVar("Int", bound=np.integer[Any])
Index: TypeAlias = int | np.integer[Any]
Indices: TypeAlias = Sequence[int] | npt.NDArray[np.integer[Any]]
Pair: TypeAlias = tuple[int, int]
Mode: TypeAlias = Literal["constant", "edge", "reflect", "symmetric", "wrap"]


def _axes(name: str, x: Any, axis: Any) -> tuple[int, ...]:
    """The axes meant, as non-negative ints; all of them for None."""
    shape = shape_of(x)
    if axis is None:
        return tuple(range(len(shape)))
    axes = tuple(map(operator.index, axis if isinstance(axis, tuple | list) else (axis,)))
    axis_of(name, shape, axes)
    return tuple(a % len(shape) for a in axes)


_flip: Linear = linear("flip", lambda x, axes: np.flip(x, axes), lambda g, _s, _d, axes: _flip(g, axes), view=True)


@overload
def flip(x: BVar[Arr], /, axis: int | tuple[int, ...] | None = None) -> BVar[Arr]: ...
@overload
def flip(x: Arr, /, axis: int | tuple[int, ...] | None = None) -> Arr: ...
def flip(x: Any, /, axis: Any = None) -> Any:
    """The elements in reverse order along an axis, several, or all. `ShapeError` for an axis that `x` does not have."""
    x = operand("flip", x)
    return applied(_flip, x, _axes("flip", x, axis))


_roll: Linear = linear(
    "roll",
    lambda x, shift, axis: np.roll(x, shift, axis),
    lambda g, _s, _d, shift, axis: _roll(g, tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis),
    fresh=True,
)


@overload
def roll(x: BVar[Arr], /, shift: int, axis: int | None = None) -> BVar[Arr]: ...
@overload
def roll(x: BVar[Arr], /, shift: tuple[int, ...], axis: tuple[int, ...]) -> BVar[Arr]: ...
@overload
def roll(x: Arr, /, shift: int, axis: int | None = None) -> Arr: ...
@overload
def roll(x: Arr, /, shift: tuple[int, ...], axis: tuple[int, ...]) -> Arr: ...
def roll(x: Any, /, shift: Any, axis: Any = None) -> Any:
    """The elements shifted along an axis, those beyond the end coming in again at the start.

    Without an axis they are shifted in C order; several axes take a shift each. Raises `ShapeError` for an axis that
    `x` does not have, or for as many shifts as axes.
    """
    x = operand("roll", x)
    if axis is not None:
        axis = _axes("roll", x, axis)
        shift = tuple(shift) if isinstance(shift, tuple | list) else (shift,) * len(axis)
        if len(shift) != len(axis):
            raise ShapeError(f"roll: there are {len(shift)} shifts for {len(axis)} axes")
    elif isinstance(shift, tuple | list):
        raise ShapeError("roll: several shifts need several axes: axis=(0, 1)")
    return applied(_roll, x, shift, axis)


_pad: Linear = linear(
    "pad",
    lambda x, widths: np.pad(x, widths),
    lambda g, shape, _d, widths: g[tuple(slice(w[0], w[0] + n) for w, n in zip(widths, shape, strict=True))],
    view=True,
)


@overload
def pad(x: BVar[R[Any, D]], width: int | Pair, mode: Mode = "constant", *, value: float = 0.0) -> BVar[R[Any, D]]: ...
@overload
def pad(
    x: BVar[L[Any, Any, D]], width: int | Pair | tuple[Pair, Pair], mode: Mode = "constant", *, value: float = 0.0
) -> BVar[L[Any, Any, D]]: ...
@overload
def pad(
    x: BVar[Tensor3[Any, Any, Any, D]],
    width: int | Pair | tuple[Pair, Pair, Pair],
    mode: Mode = "constant",
    *,
    value: float = 0.0,
) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def pad(
    x: BVar[Tensor4[Any, Any, Any, Any, D]],
    width: int | Pair | tuple[Pair, Pair, Pair, Pair],
    mode: Mode = "constant",
    *,
    value: float = 0.0,
) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def pad(x: R[Any, D], width: int | Pair, mode: Mode = "constant", *, value: float = 0.0) -> R[Any, D]: ...
@overload
def pad(
    x: L[Any, Any, D], width: int | Pair | tuple[Pair, Pair], mode: Mode = "constant", *, value: float = 0.0
) -> L[Any, Any, D]: ...
@overload
def pad(
    x: Tensor3[Any, Any, Any, D],
    width: int | Pair | tuple[Pair, Pair, Pair],
    mode: Mode = "constant",
    *,
    value: float = 0.0,
) -> Tensor3[Any, Any, Any, D]: ...
@overload
def pad(
    x: Tensor4[Any, Any, Any, Any, D],
    width: int | Pair | tuple[Pair, Pair, Pair, Pair],
    mode: Mode = "constant",
    *,
    value: float = 0.0,
) -> Tensor4[Any, Any, Any, Any, D]: ...
def pad(x: Any, width: Any, mode: Mode = "constant", *, value: float = 0.0) -> Any:
    """An array with more elements before and after each axis.

    `width` is how many: one number for all, `(before, after)` for every axis, or such a pair for each. The new elements
    are `value`, or by `mode` those of `x`: its edge, its reflection without or with the edge ("reflect", "symmetric"),
    or its other end ("wrap"). Raises `ShapeError` for a number or for widths that do not fit.
    """
    x = array_operand("pad", x)
    shape = shape_of(x)
    try:
        whole = np.asarray(width)
        if whole.dtype.kind not in "iu":
            raise TypeError(f"pad: width is {width!r}; wanted an int or pairs of ints")
        widths = tuple((int(a), int(b)) for a, b in np.broadcast_to(whole, (len(shape), 2)))
    except ValueError:
        raise ShapeError(f"pad: width {width} does not give a pair for each axis of {describe(shape)}") from None
    if any(min(pair) < 0 for pair in widths):
        raise ShapeError(f"pad: width {width} has a negative number in it; take a slice to make an array smaller")
    if mode != "constant":
        if mode not in ("edge", "reflect", "symmetric", "wrap"):
            raise ValueError(f'pad: mode {mode!r}; wanted "constant", "edge", "reflect", "symmetric" or "wrap"')
        for axis, pair in enumerate(widths):
            if not shape[axis] and any(pair):
                raise ShapeError(f"pad: {describe(shape)} has no elements along axis {axis} to pad with")
            x = _taken(x, np.pad(np.arange(shape[axis]), pair, mode), axis)
        return x
    y = applied(_pad, x, widths)
    if value == 0:
        return y
    frame = np.pad(np.zeros(shape, dtype_of(x)), widths, constant_values=value)
    return y + frame


def _pull_tile(g: Value, shape: Shape, _dtype: Any, reps: tuple[int, ...]) -> Value:
    parts = [size for pair in zip(reps, shape, strict=True) for size in pair]
    return g.reshape(tuple(parts)).sum(axis=tuple(range(0, len(parts), 2)))


_tile: Linear = linear("tile", lambda x, reps: np.tile(x, reps), _pull_tile, fresh=True)


@overload
def tile(x: BVar[R[Any, D]], reps: int, /) -> BVar[R[Any, D]]: ...
@overload
def tile(x: BVar[R[Any, D]] | BVar[L[Any, Any, D]], reps: tuple[int, int], /) -> BVar[L[Any, Any, D]]: ...
@overload
def tile(x: BVar[Tensor3[Any, Any, Any, D]], reps: tuple[int, int, int], /) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def tile(x: R[Any, D], reps: int, /) -> R[Any, D]: ...
@overload
def tile(x: R[Any, D] | L[Any, Any, D], reps: tuple[int, int], /) -> L[Any, Any, D]: ...
@overload
def tile(x: Tensor3[Any, Any, Any, D], reps: tuple[int, int, int], /) -> Tensor3[Any, Any, Any, D]: ...
def tile(x: Any, reps: Any, /) -> Any:
    """`x` repeated as a whole, `reps` times along each axis; a vector may become the rows of a matrix.

    Raises `ShapeError` if there are fewer numbers than axes, or a negative one.
    """
    x = array_operand("tile", x)
    shape = shape_of(x)
    counts = tuple(map(operator.index, reps if isinstance(reps, tuple | list) else (reps,)))
    if len(counts) < len(shape) or min(counts) < 0:
        raise ShapeError(f"tile: reps {reps} do not give a count of 0 or more for each axis of {describe(shape)}")
    return applied(_tile, x.reshape((1,) * (len(counts) - len(shape)) + shape), counts)


def _pull_repeat(g: Value, shape: Shape, dtype: Any, counts: Any, axis: int) -> Value:
    if isinstance(counts, int):
        return g.reshape((*shape[: axis + 1], counts, *shape[axis + 1 :])).sum(axis=axis + 1)
    return scatter(g, (*(slice(None),) * axis, np.repeat(np.arange(shape[axis]), counts)), shape, dtype)


_repeat: Linear = linear("repeat", lambda x, counts, axis: np.repeat(x, counts, axis), _pull_repeat, fresh=True)


@overload
def repeat(x: BVar[R[Any, D]], repeats: int | Indices, axis: Literal[0, -1] | None = None) -> BVar[R[Any, D]]: ...
@overload
def repeat(x: BVar[L[Any, Any, D]], repeats: int | Indices, axis: None = None) -> BVar[R[Any, D]]: ...
@overload
def repeat(x: BVar[L[Any, N, D]], repeats: int | Indices, axis: Literal[0, -2]) -> BVar[L[Any, N, D]]: ...
@overload
def repeat(x: BVar[L[M, Any, D]], repeats: int | Indices, axis: Literal[1, -1]) -> BVar[L[M, Any, D]]: ...
@overload
def repeat(x: R[Any, D], repeats: int | Indices, axis: Literal[0, -1] | None = None) -> R[Any, D]: ...
@overload
def repeat(x: L[Any, Any, D], repeats: int | Indices, axis: None = None) -> R[Any, D]: ...
@overload
def repeat(x: L[Any, N, D], repeats: int | Indices, axis: Literal[0, -2]) -> L[Any, N, D]: ...
@overload
def repeat(x: L[M, Any, D], repeats: int | Indices, axis: Literal[1, -1]) -> L[M, Any, D]: ...
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element (or row, or column) so many times in a row: one count for all, or one for each.

    Without an axis, the elements in C order. Raises `ShapeError` for an axis that `x` does not have, for counts that
    are negative or not as many as the elements.
    """
    x = array_operand("repeat", x)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    (axis,) = _axes("repeat", x, axis)
    counts: Any = np.array(repeats)
    size = shape_of(x)[axis]
    if counts.dtype.kind not in "iu" or counts.ndim > 1 or counts.min(initial=0) < 0:
        raise ShapeError(f"repeat: repeats is {repeats!r}; wanted an int of 0 or more, or a vector of them")
    if counts.ndim and len(counts) != size:
        raise ShapeError(f"repeat: {len(counts)} repeats for the {size} elements along axis {axis}")
    return applied(_repeat, x, counts if counts.ndim else int(counts), axis)


@overload
def take(x: BVar[R[Any, D]], indices: Index, axis: Literal[0, -1] | None = None) -> BVar[float]: ...
@overload
def take(x: BVar[R[Any, D]], indices: R[K, Int], axis: Literal[0, -1] | None = None) -> BVar[R[K, D]]: ...
@overload
def take(x: BVar[R[Any, D]], indices: Sequence[int], axis: Literal[0, -1] | None = None) -> BVar[R[Any, D]]: ...
@overload
def take(x: BVar[L[Any, N, D]], indices: Index, axis: Literal[0, -2]) -> BVar[R[N, D]]: ...
@overload
def take(x: BVar[L[M, Any, D]], indices: Index, axis: Literal[1, -1]) -> BVar[R[M, D]]: ...
@overload
def take(x: BVar[L[Any, N, D]], indices: R[K, Int], axis: Literal[0, -2]) -> BVar[L[K, N, D]]: ...
@overload
def take(x: BVar[L[M, Any, D]], indices: R[K, Int], axis: Literal[1, -1]) -> BVar[L[M, K, D]]: ...
@overload
def take(x: BVar[L[Any, N, D]], indices: Sequence[int], axis: Literal[0, -2]) -> BVar[L[Any, N, D]]: ...
@overload
def take(x: BVar[L[M, Any, D]], indices: Sequence[int], axis: Literal[1, -1]) -> BVar[L[M, Any, D]]: ...
@overload
def take(x: BVar[L[Any, Any, D]], indices: Index, axis: None = None) -> BVar[float]: ...
@overload
def take(x: BVar[L[Any, Any, D]], indices: R[K, Int], axis: None = None) -> BVar[R[K, D]]: ...
@overload
def take(x: BVar[L[Any, Any, D]], indices: Sequence[int], axis: None = None) -> BVar[R[Any, D]]: ...
@overload
def take(x: R[Any, D], indices: Index, axis: Literal[0, -1] | None = None) -> D: ...
@overload
def take(x: R[Any, D], indices: R[K, Int], axis: Literal[0, -1] | None = None) -> R[K, D]: ...
@overload
def take(x: R[Any, D], indices: Sequence[int], axis: Literal[0, -1] | None = None) -> R[Any, D]: ...
@overload
def take(x: L[Any, N, D], indices: Index, axis: Literal[0, -2]) -> R[N, D]: ...
@overload
def take(x: L[M, Any, D], indices: Index, axis: Literal[1, -1]) -> R[M, D]: ...
@overload
def take(x: L[Any, N, D], indices: R[K, Int], axis: Literal[0, -2]) -> L[K, N, D]: ...
@overload
def take(x: L[M, Any, D], indices: R[K, Int], axis: Literal[1, -1]) -> L[M, K, D]: ...
@overload
def take(x: L[Any, N, D], indices: Sequence[int], axis: Literal[0, -2]) -> L[Any, N, D]: ...
@overload
def take(x: L[M, Any, D], indices: Sequence[int], axis: Literal[1, -1]) -> L[M, Any, D]: ...
@overload
def take(x: L[Any, Any, D], indices: Index, axis: None = None) -> D: ...
@overload
def take(x: L[Any, Any, D], indices: R[K, Int], axis: None = None) -> R[K, D]: ...
@overload
def take(x: L[Any, Any, D], indices: Sequence[int], axis: None = None) -> R[Any, D]: ...
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements at `indices`: of all in C order, or the rows, columns and so on along an axis.

    An index may come again, its gradient then adds up, and negative ones count from the end. Raises `IndexError` for an
    index out of range or not an integer, `ShapeError` for an axis that `x` does not have.
    """
    x = array_operand("take", x)
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    (axis,) = _axes("take", x, axis)
    index = np.array(indices)
    if index.dtype.kind not in "iu" and index.size:
        raise IndexError(f"take: the indices have dtype {index.dtype}; wanted integers")
    size = shape_of(x)[axis]
    if index.size and not -size <= index.min() <= index.max() < size:
        raise IndexError(
            f"take: the indices go from {index.min()} to {index.max()}, but axis {axis} of {describe(shape_of(x))} "
            f"has {size} elements"
        )
    return _taken(x, index.astype(np.intp), axis)


def _taken(x: Any, index: npt.NDArray[np.intp], axis: int) -> Any:
    y = x[(*(slice(None),) * axis, index if index.ndim else int(index))]
    return y if type(y) is BVar or not shape_of(y) else y.copy()


@overload
def take_along_axis(x: BVar[R[Any, D]], indices: R[K, Int], axis: Literal[0, -1] = 0) -> BVar[R[K, D]]: ...
@overload
def take_along_axis(x: BVar[L[Any, N, D]], indices: L[K, N, Int], axis: Literal[0, -2]) -> BVar[L[K, N, D]]: ...
@overload
def take_along_axis(x: BVar[L[M, Any, D]], indices: L[M, K, Int], axis: Literal[1, -1]) -> BVar[L[M, K, D]]: ...
@overload
def take_along_axis(x: R[Any, D], indices: R[K, Int], axis: Literal[0, -1] = 0) -> R[K, D]: ...
@overload
def take_along_axis(x: L[Any, N, D], indices: L[K, N, Int], axis: Literal[0, -2]) -> L[K, N, D]: ...
@overload
def take_along_axis(x: L[M, Any, D], indices: L[M, K, Int], axis: Literal[1, -1]) -> L[M, K, D]: ...
def take_along_axis(x: Any, indices: Any, axis: int = 0) -> Any:
    """For each place of `indices` the element of `x` in the same row (or column, ...) whose number stands there.

    Raises `ShapeError` unless the sizes agree but along the axis, `IndexError` for an index out of range.
    """
    x = operand("take_along_axis", x)
    (axis,) = _axes("take_along_axis", x, axis)
    index = np.array(indices)
    shape = shape_of(x)
    if index.dtype.kind not in "iu":
        raise IndexError(f"take_along_axis: the indices have dtype {index.dtype}; wanted integers")
    if index.ndim != len(shape) or any(
        a != b for k, (a, b) in enumerate(zip(index.shape, shape, strict=True)) if k != axis
    ):
        raise ShapeError(
            f"take_along_axis: indices of {describe(index.shape)} for {describe(shape)}; "
            f"all sizes but that of axis {axis} must be equal"
        )
    grids: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grids[axis] = index
    y = x[tuple(grids)]
    return y if type(y) is BVar else y.copy()


_permute: Linear = linear(
    "sort",
    lambda x, order, axis: np.take_along_axis(x, order, axis),
    lambda g, _s, _d, order, axis: _permute(g, np.argsort(order, axis), axis),
    fresh=True,
)


def _means(x: Value, groups: npt.NDArray[np.intp]) -> Any:
    """Each element replaced by the mean of its group."""
    flat = groups.reshape(-1)
    sums = np.bincount(flat, x.reshape(-1)) / np.bincount(flat)
    return sums[groups].astype(x.dtype)


_share: Linear = linear("sort", _means, lambda g, _s, _d, groups: _share(g, groups), fresh=True)


def _groups(y: Any, axis: int) -> npt.NDArray[np.intp] | None:
    """A number for each run of equal elements along the axis of the sorted `y`; None if all are different."""
    last = np.moveaxis(y, axis, -1)
    same = last[..., 1:] == last[..., :-1]
    if not same.any():
        return None
    new = np.concatenate([np.ones((*same.shape[:-1], 1), bool), ~same], -1)
    return np.moveaxis((np.cumsum(new.reshape(-1)) - 1).reshape(last.shape), -1, axis)


def _pull_sort(g: Value, residual: tuple[Any, Any, int]) -> Value:
    order, groups, axis = residual
    return _permute(g if groups is None else _share(g, groups), np.argsort(order, axis), axis)


def _push_sort(t: Value, residual: tuple[Any, Any, int]) -> Value:
    order, groups, axis = residual
    y = _permute(t, order, axis)
    return y if groups is None else _share(y, groups)


_SORT = Rule("sort", _pull_sort, _push_sort, fresh=True)


@overload
def sort(x: BVar[Arr], /, axis: int = -1) -> BVar[Arr]: ...
@overload
def sort(x: Arr, /, axis: int = -1) -> Arr: ...
def sort(x: Any, /, axis: int = -1) -> Any:
    """The elements in ascending order along an axis; NaN comes last.

    The derivative goes with each element to its place; equal elements share it equally, as for max and min. Raises
    `ShapeError` for an axis that `x` does not have.
    """
    x = operand("sort", x)
    (axis,) = _axes("sort", x, axis)
    if type(x) is not BVar:
        return np.sort(x, axis)
    inner = x._value
    order = np.argsort(plain(inner), axis, kind="stable")
    again: Any = sort  # the operand may be of an enclosing tape: its type is unknown
    value = again(inner, axis) if type(inner) is BVar else _permute(inner, order, axis)
    return record(x._tape, value, (_SORT.code, x._node, (order, _groups(plain(value), axis), axis)))


@overload
def linspace(start: BVar[float], stop: BVar[float] | float, num: DK) -> BVar[R[DK]]: ...
@overload
def linspace(start: BVar[float], stop: BVar[float] | float, num: Dim) -> BVar[R[Dim]]: ...
@overload
def linspace(start: BVar[float], stop: BVar[float] | float, num: int) -> BVar[R[Any]]: ...
@overload
def linspace(start: float, stop: BVar[float], num: DK) -> BVar[R[DK]]: ...
@overload
def linspace(start: float, stop: BVar[float], num: Dim) -> BVar[R[Dim]]: ...
@overload
def linspace(start: float, stop: BVar[float], num: int) -> BVar[R[Any]]: ...
@overload
def linspace(start: float, stop: float, num: DK) -> R[DK]: ...
@overload
def linspace(start: float, stop: float, num: Dim) -> R[Dim]: ...
@overload
def linspace(start: float, stop: float, num: int) -> R[Any]: ...
def linspace(start: Any, stop: Any, num: int) -> Any:
    """`num` numbers from `start` to `stop`, both included and both differentiable, at equal distances.

    One number is `start`. Raises `ShapeError` for a negative `num` and for ends that are not scalars.
    """
    if num < 0:
        raise ShapeError(f"linspace: num is {num}; wanted 0 or more")
    for name, end in (("start", start), ("stop", stop)):
        if type(end) is not BVar:
            checked_plain("linspace", end)
        if shape_of(end):
            raise ShapeError(f"linspace: {name} is {describe(shape_of(end))}; wanted a scalar")
    if type(start) is not BVar and type(stop) is not BVar:
        return np.linspace(float(start), float(stop), int(num))
    weights = np.linspace(0.0, 1.0, int(num))
    return start * (1.0 - weights) + stop * weights
