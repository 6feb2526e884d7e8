"""Sizes of the same elements in other shapes and places: reshape, ravel, transpose, tile, repeat, pad, take, diag."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from typedprop.mypy_plugin.arrays import Array, Result, Size, never_equal, product_of, sum_of, written
from typedprop.mypy_plugin.calls import Call, is_int
from typedprop.mypy_plugin.joining import axis_argument
from typedprop.mypy_plugin.polynomial import number


def reshape(call: Call) -> Result | None:
    """The sizes given; one that is -1 is what the others leave."""
    return _reshaped(call, "x", call.sizes("shape"), "shape")


def reshape_method(call: Call) -> Result | None:
    """`x.reshape(2, 3)` of a plain array, `b.reshape((2, 3))` of a BVar or a plain array."""
    if not call.has("a"):
        return None
    if not call.has("b"):
        return _reshaped(call, "self", call.sizes("a"), "a")
    return _reshaped(call, "self", [call.size(name) for name in "abcd" if call.has(name)], "a")


def _reshaped(call: Call, name: str, sizes: list[Size] | None, blamed: str) -> Result | None:
    x = call.array(name)
    if x is None or not x.rank or sizes is None:
        return None
    before = x.size
    open_ = [position for position, size in enumerate(sizes) if size is not None and size.constant == -1]
    if len(open_) == 1:
        rest = product_of([size for position, size in enumerate(sizes) if position != open_[0]])
        left = None
        if before is not None and rest is not None and rest.constant != 0:
            left = before.divided_by(rest)
            if left is None and before.constant is not None and rest.constant is not None:
                raise call.blame(f'"reshape" of {x}: {before} elements do not divide by {rest}', blamed)
        sizes = [left if position == open_[0] else size for position, size in enumerate(sizes)]
    elif open_:
        return None
    after = product_of(sizes)
    if never_equal(before, after):
        raise call.blame(f'"reshape" of {x} to {written(sizes)}: {before} elements are not {after}', blamed)
    return Array(tuple(sizes), x.dtype, x.lifted)


def ravel(call: Call) -> Result | None:
    """All elements."""
    x = call.array("x")
    return None if x is None or not x.rank else (x.size,)


def ravel_method(call: Call) -> Result | None:
    """All elements."""
    x = call.array("self")
    return None if x is None or not x.rank else (x.size,)


def transpose(call: Call) -> Result | None:
    """The axes in the order given."""
    x, order = call.array("x"), call.integers("axes") if call.has("axes") else None
    if x is None or order is None:
        return None
    axes = [axis + x.rank if axis < 0 else axis for axis in order]
    if sorted(axes) != list(range(x.rank)):
        raise call.blame(f'"transpose": the axes {order} do not name each axis of {x} once', "axes")
    return tuple(x.sizes[axis] for axis in axes)


def transpose_method(call: Call) -> Result | None:
    """`x.transpose(0, 2, 1)` of a plain array."""
    x = call.array("self")
    given = [call.integer(name) for name in ("axis1", "axis2", "axis3", "axis4") if call.has(name)]
    order = [axis for axis in given if axis is not None]
    if x is None or len(order) != x.rank:
        return None
    axes = [axis + x.rank if axis < 0 else axis for axis in order]
    if sorted(axes) != list(range(x.rank)):
        raise call.blame(f'"transpose": the axes {order} do not name each axis of {x} once')
    return tuple(x.sizes[axis] for axis in axes)


def moveaxis(call: Call) -> Result | None:
    """One axis in another place."""
    x, source, destination = call.array("x"), call.integer("source"), call.integer("destination")
    if x is None or source is None or destination is None:
        return None
    for name, axis in (("source", source), ("destination", destination)):
        if not -x.rank <= axis < x.rank:
            raise call.blame(f'"moveaxis": {x} has no axis {axis}', name)
    sizes = list(x.sizes)
    moved = sizes.pop(source)
    sizes.insert(destination % x.rank, moved)
    return tuple(sizes)


def expand_dims(call: Call) -> Result | None:
    """A new axis of size 1."""
    x, axis = call.array("x"), call.integer("axis")
    if x is None or axis is None or not -x.rank - 1 <= axis <= x.rank:
        return None
    axis %= x.rank + 1
    return (*x.sizes[:axis], number(1), *x.sizes[axis:])


def squeeze(call: Call) -> Result | None:
    """An axis of size 1 less."""
    x = call.array("x")
    axis = None if x is None or not call.has("axis") else axis_argument(call, x.rank)
    if x is None or axis is None:
        return None
    if never_equal(x.sizes[axis], number(1)):
        raise call.blame(f'"squeeze" of {x}: axis {axis} is of size {x.sizes[axis]}, not 1', "axis")
    return (*x.sizes[:axis], *x.sizes[axis + 1 :]) if x.rank > 1 else None


def diff(call: Call) -> Result | None:
    """So many elements less along an axis."""
    x, order = call.array("x"), call.integer("n", 1)
    axis = None if x is None or not x.rank else axis_argument(call, x.rank, default=-1)
    if x is None or axis is None or order is None:
        return None
    size = sum_of([x.sizes[axis], number(-order)])
    if size is not None and size.constant is not None and size.constant < 0:
        raise call.blame(f'"diff" of {x}: fewer than {order} elements along axis {axis}', "x")
    return (*x.sizes[:axis], size, *x.sizes[axis + 1 :])


def swapaxes(call: Call) -> Result | None:
    """Two axes exchanged."""
    x, a, b = call.array("x") or call.array("self"), call.integer("axis1"), call.integer("axis2")
    if x is None or a is None or b is None:
        return None
    for name, axis in (("axis1", a), ("axis2", b)):
        if not -x.rank <= axis < x.rank:
            raise call.blame(f'"swapaxes": {x} has no axis {axis}', name)
    sizes = list(x.sizes)
    sizes[a], sizes[b] = sizes[b], sizes[a]
    return tuple(sizes)


def tile(call: Call) -> Result | None:
    """Each size so many times; a vector may become the rows of a matrix."""
    x, reps = call.array("x"), call.sizes("reps")
    if x is None or not x.rank or reps is None or len(reps) < x.rank:
        return None
    padded = (number(1),) * (len(reps) - x.rank) + x.sizes
    return tuple(product_of(pair) for pair in zip(padded, reps, strict=True))


def repeat(call: Call) -> Result | None:
    """Along an axis, or of all elements: one count for each, or a count of its own."""
    x = call.array("x")
    if x is None or not x.rank:
        return None
    flat = not call.has("axis")
    axis = 0 if flat else axis_argument(call, x.rank)
    if axis is None:
        return None
    sizes = (x.size,) if flat else x.sizes
    counts = call.items("repeats")
    if counts is not None:
        if never_equal(sizes[axis], number(len(counts))):
            raise call.blame(f'"repeat" of {x}: {len(counts)} repeats for {sizes[axis]} elements', "repeats")
        size = sum_of([call.size_of_item(item) for item in counts])
    else:
        size = product_of([sizes[axis], call.size("repeats")]) if is_int(call.type("repeats")) else None
    return (*sizes[:axis], size, *sizes[axis + 1 :])


def pad(call: Call) -> Result | None:
    """More elements before and after each axis."""
    x = call.array("x")
    widths = None if x is None or not x.rank else widths_of(call, "width", x.rank)
    if x is None or widths is None:
        return None
    return tuple(sum_of([size, before, after]) for size, (before, after) in zip(x.sizes, widths, strict=True))


def widths_of(call: Call, name: str, rank: int) -> Sequence[tuple[Size, Size]] | None:
    """Widths given as one number, as a pair for all axes, or as a pair for each."""
    items = call.items(name)
    if items is None:
        size = call.size(name) if is_int(call.type(name)) else None
        if size is None:
            return None
        both: tuple[Size, Size] = (size, size)
        return [both] * rank
    pairs = [call.items_of(item) for item in items]
    if all(pair is None for pair in pairs) and len(items) == 2:
        before, after = (call.size_of_item(item) for item in items)
        return [(before, after)] * rank
    if len(pairs) != rank or any(pair is None or len(pair) != 2 for pair in pairs):
        return None
    return [(call.size_of_item(pair[0]), call.size_of_item(pair[1])) for pair in pairs if pair is not None]


def take(call: Call) -> Result | None:
    """As many as there are indices in a list."""
    x, indices = call.array("x"), call.items("indices")
    if x is None or not x.rank or indices is None:
        return None
    count = number(len(indices))
    if not call.has("axis"):
        return (count,)
    axis = axis_argument(call, x.rank)
    return None if axis is None else (*x.sizes[:axis], count, *x.sizes[axis + 1 :])


def diag(call: Call) -> Result | None:
    """A square with room for the k-th diagonal."""
    x, k = call.array("x"), call.integer("k", 0)
    if x is None or x.rank != 1 or k is None:
        return None
    size = sum_of([x.sizes[0], number(abs(k))])
    return (size, size)


def take_diag(call: Call) -> Result | None:
    """The length of the k-th diagonal of a matrix whose sizes are numbers."""
    x, k = call.array("x"), call.integer("k", 0)
    if x is None or x.rank != 2 or k is None:
        return None
    m, n = x.sizes
    if m is not None and m == n:
        shorter = m - number(abs(k))
        # Beyond the matrix there is no diagonal: run time refuses.
        return (shorter,)
    if m is None or n is None or m.constant is None or n.constant is None:
        return None
    return (number(max(0, min(m.constant + min(k, 0), n.constant - max(k, 0), m.constant, n.constant))),)


def kron(call: Call) -> Result | None:
    """The products of the sizes, axis by axis."""
    a, b = call.array("a"), call.array("b")
    if a is None or b is None or a.rank != b.rank:
        return None
    return tuple(product_of(pair) for pair in zip(a.sizes, b.sizes, strict=True))


def flattened(axis: str = "axis") -> Callable[[Call], Result | None]:
    """The rule of a function that without an axis goes over all elements, such as cumsum."""

    def rule(call: Call) -> Result | None:
        x = call.array("x")
        return None if x is None or not x.rank or call.has(axis) else (x.size,)

    return rule
