"""Sizes of arrays that are put together and taken apart: concatenate, stack, append, split, tail and their like."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from typedprop.mypy_plugin.arrays import Array, Result, Size, Sizes, differ, sum_of
from typedprop.mypy_plugin.calls import Call
from typedprop.mypy_plugin.polynomial import number


def _arrays(call: Call, name: str) -> list[Array] | None:
    """The arrays of a list or tuple that is written out, if the ranks of all are known and the same."""
    items = call.items(name)
    if not items:
        return None
    arrays = [array for item in items if (array := item.array) is not None]
    return arrays if len(arrays) == len(items) and len({array.rank for array in arrays}) == 1 else None


def _common(call: Call, name: str, arrays: list[Array], but: int | None = None) -> Sizes:
    """The sizes that all arrays share. Raises Mismatch if they do not, but for those of one axis."""
    first = arrays[0]
    for position, array in enumerate(arrays):
        for axis, (a, b) in enumerate(zip(first.sizes, array.sizes, strict=True)):
            if axis != but and differ(a, b):
                rule = "they must be of one shape" if but is None else f"all sizes but that of axis {but} must be equal"
                raise call.blame(f'Item {position} for "{call.name}" is {array}, beside {first}: {rule}', name)
    return tuple(
        next((size for size in sizes if size is not None), None)
        for sizes in zip(*(array.sizes for array in arrays), strict=True)
    )


def _whole(arrays: list[Array], sizes: Sizes) -> Result:
    """The result with its dtype, where the arrays have the same."""
    dtype = arrays[0].dtype
    if dtype is None or any(array.dtype != dtype for array in arrays):
        return sizes
    return Array(sizes, dtype, any(array.lifted for array in arrays))


def concatenated(name: str, axis_of: Callable[[Call, int], int | None]) -> Callable[[Call], Result | None]:
    """The rule of a function that joins along an axis, which is found from the call and the rank."""

    def rule(call: Call) -> Result | None:
        arrays = _arrays(call, name)
        if arrays is None or not arrays[0].rank:
            return None
        axis = axis_of(call, arrays[0].rank)
        if axis is None:
            return None
        sizes = _common(call, name, arrays, but=axis)
        joined = (*sizes[:axis], sum_of([array.sizes[axis] for array in arrays]), *sizes[axis + 1 :])
        return _whole(arrays, joined)

    return rule


def stacked(
    name: str, axis_of: Callable[[Call, int], int | None], *, rank: int | None = None
) -> Callable[[Call], Result | None]:
    """The rule of a function that joins along a new axis; of arrays of one rank alone, if it is given."""

    def rule(call: Call) -> Result | None:
        arrays = _arrays(call, name)
        if arrays is None or rank not in (None, arrays[0].rank):
            return None
        axis = axis_of(call, arrays[0].rank + 1)
        if axis is None:
            return None
        sizes = _common(call, name, arrays)
        return _whole(arrays, (*sizes[:axis], number(len(arrays)), *sizes[axis:]))

    return rule


def axis_argument(call: Call, rank: int, default: int = 0) -> int | None:
    """The argument `axis`, if it is known and there is such an axis, counted from the start."""
    axis = call.integer("axis", default)
    return axis % rank if axis is not None and -rank <= axis < rank else None


def vstack(call: Call) -> Result | None:
    """Vectors as rows, matrices one below the other."""
    arrays = _arrays(call, "arrays")
    if arrays is None or arrays[0].rank > 2:
        return None
    rule = stacked if arrays[0].rank == 1 else concatenated
    return rule("arrays", lambda _call, _rank: 0)(call)


hstack: Callable[[Call], Result | None] = concatenated("arrays", lambda _call, rank: rank - 1 if rank <= 2 else None)


def append(call: Call) -> Result | None:
    """One element more, or as many as the other vector has."""
    x, value = call.array("x"), call.array("value")
    if x is None or value is None or x.rank != 1 or value.rank > 1:
        return None
    return (sum_of([x.sizes[0], value.sizes[0] if value.rank else number(1)]),)


# -- Taking apart ---------------------------------------------------------------------------------------------------


def head(call: Call) -> Result | None:
    """A number: there is at least one."""
    _nonempty(call)
    return None


def _nonempty(call: Call) -> Array | None:
    x = call.array("x")
    if x is not None and x.rank == 1 and x.sizes[0] == number(0):
        raise call.blame(f'Argument 1 to "{call.name}" is {x}; a vector of one element or more is wanted', "x")
    return x


def tail(call: Call) -> Result | None:
    """One element less: there is at least one."""
    x = _nonempty(call)
    if x is None or x.rank != 1:
        return None
    return (sum_of([x.sizes[0], number(-1)]),)


def split(call: Call) -> Result | None:
    """Equal pieces; or those between positions, whose sizes the type of a list can say if they are all the same."""
    x = call.array("x")
    axis = None if x is None else axis_argument(call, x.rank)
    if x is None or axis is None:
        return None
    size = x.sizes[axis]

    def piece(length: Size) -> Sizes:
        return (*x.sizes[:axis], length, *x.sizes[axis + 1 :])

    items = call.items("sections")
    if items is None:
        count = call.integer("sections")
        if count is None or size is None or count < 1:
            return None
        if size.constant is not None and size.constant % count:
            raise call.blame(f'"split" of {x}: {size} does not divide into {count} equal pieces', "sections")
        return [piece(size.divided_by(number(count)))]
    cuts = [call.integer_of(item) for item in items]
    known = [cut for cut in cuts if cut is not None]
    if len(known) < len(cuts) or size is None:
        return None
    ends = [number(0), *map(number, known), size]
    lengths = [end - start for start, end in itertools.pairwise(ends)]
    if any(length.constant is not None and length.constant < 0 for length in lengths):
        raise call.blame(f'"split" of {x}: the positions {known} do not ascend from 0 to {size}', "sections")
    return [piece(length) for length in lengths]


def split_in_two(axis: int) -> Callable[[Call], Result | None]:
    """The rule of `split_rows` and `split_cols`: so many, and the rest."""

    def rule(call: Call) -> Result | None:
        x, count = call.array("x"), call.size("count")
        if x is None or x.rank != 2:
            return None
        size = x.sizes[axis]
        rest = None if size is None or count is None else size - count
        if rest is not None and rest.constant is not None and rest.constant < 0:
            what = ("rows", "columns")[axis]
            raise call.blame(f'"{call.name}" of {x}: there are {size} {what}, not {count}', "count")
        parts: list[Sizes | None] = [(*x.sizes[:axis], part, *x.sizes[axis + 1 :]) for part in (count, rest)]
        return parts

    return rule
