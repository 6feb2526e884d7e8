"""Sizes of what an index takes from an array: slices whose bounds are literals, numbers, new axes, an ellipsis."""

from __future__ import annotations

from mypy.nodes import EllipsisExpr, Expression, IndexExpr, SliceExpr, TupleExpr
from mypy.plugin import CheckerPluginInterface
from mypy.types import NoneType

from typedprop.mypy_plugin.arrays import Array, Size
from typedprop.mypy_plugin.calls import Item, is_int, size_of_item, type_of_expression
from typedprop.mypy_plugin.polynomial import Polynomial, number


def indexed(x: Array, context: IndexExpr, api: CheckerPluginInterface) -> Array | None:
    """What `x[index]` is; None if the index says too little, or if the signatures say all there is to say."""
    index = context.index
    parts = index.items if isinstance(index, TupleExpr) else [index]
    if not any(isinstance(part, SliceExpr) for part in parts):
        return None
    types = [None if isinstance(part, SliceExpr | EllipsisExpr) else type_of_expression(part, api) for part in parts]
    axes = sum(not isinstance(type_, NoneType) for type_ in types)
    axes -= sum(isinstance(part, EllipsisExpr) for part in parts)
    if axes > x.rank:
        return None
    sizes: list[Size] = []
    axis = 0
    for part, type_ in zip(parts, types, strict=True):
        if isinstance(part, EllipsisExpr):
            end = axis + x.rank - axes
            sizes += x.sizes[axis:end]
            axis = end
        elif isinstance(part, SliceExpr):
            sizes.append(_sliced(x.sizes[axis], part, api))
            axis += 1
        elif isinstance(type_, NoneType):
            sizes.append(number(1))
        elif type_ is not None and is_int(type_):
            axis += 1
        else:
            return None
    sizes += x.sizes[axis:]
    return Array(tuple(sizes), x.dtype, x.lifted) if sizes else None


def _sliced(size: Size, part: SliceExpr, api: CheckerPluginInterface) -> Size:
    """The length of a slice of so many elements."""
    given = [part.begin_index, part.end_index, part.stride]
    bounds = [None if bound is None else _bound(bound, api) for bound in given]
    if any(bound is None and expression is not None for bound, expression in zip(bounds, given, strict=True)):
        return None
    begin, end, step = bounds
    if step is None:
        step = number(1)
    numbers = [None if bound is None else bound.constant for bound in (begin, end, step)]
    if size is None or step.constant in (None, 0):
        return None
    if begin is None and end is None and step.constant in (1, -1):
        return size
    if any(bound is not None and bound.constant is None for bound in (begin, end)):
        # Of the first N of M + N elements, and the like, with N or more of them there.
        return _between(size, begin, end) if step.constant == 1 else None
    if size.constant is not None:
        return number(len(range(*slice(*numbers).indices(size.constant))))
    return _between(size, begin, end) if step.constant == 1 else None


def _bound(expression: Expression, api: CheckerPluginInterface) -> Polynomial | None:
    type_ = type_of_expression(expression, api)
    return size_of_item(Item(type_, expression), api)


def _between(size: Polynomial, begin: Polynomial | None, end: Polynomial | None) -> Size:
    """The length of `x[begin:end]`, if both are known to lie within the array and in this order."""
    start = _place(size, begin, number(0))
    stop = _place(size, end, size)
    if start is None or stop is None:
        return None
    length = stop - start
    if (length.at_least or 0) < 0 or length.at_least is None:
        return number(0) if length.constant is not None else None
    return length


def _place(size: Polynomial, bound: Polynomial | None, default: Polynomial) -> Polynomial | None:
    """A bound counted from the start, if it is known to lie within an array of this size."""
    if bound is None:
        return default
    lowest = bound.at_least
    if lowest is not None and lowest >= 0:
        place = bound
    elif bound.constant is not None:
        place = size + bound
    else:
        return None
    room, lowest = (size - place).at_least, place.at_least
    return place if room is not None and room >= 0 and lowest is not None and lowest >= 0 else None
