"""Sizes of new arrays, from ints that are literals, Finals or Dims, and from data that is written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from typedprop.mypy_plugin.arrays import Result, Size, never_equal, written
from typedprop.mypy_plugin.calls import Call, Item
from typedprop.mypy_plugin.polynomial import number


def of_sizes(*names: str) -> Callable[[Call], Result | None]:
    """The rule of a function that is given the sizes: `zeros(a, b)`."""

    def rule(call: Call) -> Result | None:
        return tuple(_checked(call, name) for name in names if call.has(name))

    return rule


def _checked(call: Call, name: str) -> Size:
    size = call.size(name)
    if size is not None and size.constant is not None and size.constant < 0:
        raise call.blame(f'"{call.name}" makes no array of the size {size}', name)
    return size


def eye(call: Call) -> Result | None:
    """A square."""
    size = _checked(call, "n")
    return (size, size)


def from_data(rank: int, *names: str) -> Callable[[Call], Result | None]:
    """The rule of a function that is given data and perhaps the sizes: `vector(data, n)`."""

    def rule(call: Call) -> Result | None:
        found = _shape(call, call.item("data"), rank)
        given = [_checked(call, name) for name in names if call.has(name)]
        if len(given) != rank:
            return tuple(found)
        for size, wanted in zip(found, given, strict=True):
            if never_equal(size, wanted):
                raise call.blame(
                    f'"{call.name}" is given data of the shape {written(found)} and sizes for {written(given)}', "data"
                )
        return tuple(size if wanted is None else wanted for size, wanted in zip(found, given, strict=True))

    return rule


def _shape(call: Call, data: Item, rank: int) -> Sequence[Size]:
    """The shape of data that is an array, or written out as lists of lists."""
    array = data.array
    if array is not None and array.rank == rank:
        return array.sizes
    items = call.items_of(data)
    if items is None:
        return (None,) * rank
    if rank == 1:
        return (number(len(items)),)
    shapes = [_shape(call, item, rank - 1) for item in items]
    for position, shape in enumerate(shapes):
        for first, size in zip(shapes[0], shape, strict=True):
            if never_equal(first, size):
                raise call.blame(
                    f'"{call.name}" is given data whose item {position} is {written(shape)} beside '
                    f"{written(shapes[0])}; all must be of one shape",
                    "data",
                )
    inner = [next((size for size in sizes if size is not None), None) for sizes in zip(*shapes, strict=True)]
    return (number(len(items)), *(inner or (None,) * (rank - 1)))


def linspace(call: Call) -> Result | None:
    """As many numbers as are wanted."""
    return (_checked(call, "num"),)


def tensor(call: Call) -> Result | None:
    """Of three or four axes, by the number of sizes."""
    return from_data(4 if call.has("d") else 3, "a", "b", "c", *"d" * call.has("d"))(call)


def broadcast_to(call: Call) -> Result | None:
    """The shape that is wanted, if the operand may fill it."""
    x, sizes = call.array("x"), call.sizes("shape")
    if sizes is None:
        return None
    if x is not None:
        lead = len(sizes) - x.rank
        for own, size in zip(x.sizes, sizes[max(lead, 0) :], strict=False):
            # Only an axis of a matrix is stretched, a vector is not.
            if lead < 0 or (never_equal(own, size) and (lead or x.rank == 1 or own != number(1))):
                raise call.blame(f'"broadcast_to": {x} does not fill {written(sizes)}', "shape")
    return tuple(sizes)
