"""Sizes of convolutions and of pooled windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from typedprop.mypy_plugin.arrays import Array, Result, Size, never_equal
from typedprop.mypy_plugin.calls import Call
from typedprop.mypy_plugin.polynomial import Polynomial, number
from typedprop.mypy_plugin.rearranging import widths_of


def _per_axis(call: Call, name: str, rank: int, default: int | None) -> list[int] | None:
    """A number given once for all axes, or once for each."""
    if not call.has(name):
        return None if default is None else [default] * rank
    values = call.integers(name)
    if values is not None and len(values) == 1 and rank > 1:
        return values * rank
    return values if values is not None and len(values) == rank and min(values) > 0 else None


def _windows(size: Polynomial, reach: Polynomial, stride: int) -> Size:
    """How many windows of a reach there are: (size - reach) // stride + 1, where that can be said."""
    room = size - reach
    if room.constant is not None:
        return number(room.constant // stride + 1)
    places = room.divided_by(number(stride))
    if places is not None:
        return places + number(1)
    # Every term but the constant may be a multiple: floor division then goes through.
    rest = number(next((coefficient for monomial, coefficient in room.terms if not monomial), 0))
    places = (room - rest).divided_by(number(stride))
    return None if places is None or rest.constant is None else places + number(rest.constant // stride + 1)


def pool(rank: int) -> Callable[[Call], Result | None]:
    """The rule of pooling over the last axes."""

    def rule(call: Call) -> Result | None:
        x, size = call.array("x"), _per_axis(call, "size", rank, None)
        if x is None or x.rank != rank + 2 or size is None:
            return None
        stride = _per_axis(call, "stride", rank, None) if call.has("stride") else size
        if stride is None:
            return None
        out: list[Size] = []
        for n, k, s in zip(x.sizes[2:], size, stride, strict=True):
            if n is not None and n.constant is not None and n.constant < k:
                raise call.blame(f'"{call.name}": windows of {k} elements are larger than {x}', "size")
            out.append(None if n is None else _windows(n, number(k), s))
        return (*x.sizes[:2], *out)

    return rule


def convolution(rank: int) -> Callable[[Call], Result | None]:
    """The rule of a convolution of a stack of channels."""

    def rule(call: Call) -> Result | None:
        x, kernel = call.array("x"), call.array("kernel")
        if x is None or kernel is None or x.rank != rank + 2 or kernel.rank != rank + 2:
            return None
        stride, dilation = _per_axis(call, "stride", rank, 1), _per_axis(call, "dilation", rank, 1)
        groups = call.integer("groups", 1)
        if groups is not None and x.sizes[1] is not None and kernel.sizes[1] is not None:
            channels = kernel.sizes[1] * number(groups)
            if never_equal(channels, x.sizes[1]) or (groups == 1 and channels != x.sizes[1]):
                raise call.blame(
                    f'Argument 2 to "{call.name}" is {kernel}, for {channels} channels; argument 1 is {x}, with '
                    f"{x.sizes[1]}",
                    "kernel",
                )
        if stride is None or dilation is None:
            return (x.sizes[0], kernel.sizes[0], *(None,) * rank)
        out = [
            _length(call, x, axis, kernel.sizes[2 + axis], stride[axis], dilation[axis], rank) for axis in range(rank)
        ]
        return (x.sizes[0], kernel.sizes[0], *out)

    return rule


def _length(call: Call, x: Array, axis: int, width: Size, stride: int, dilation: int, rank: int) -> Size:
    size = x.sizes[2 + axis]
    padding = call.text("padding", "valid") if _is_word(call) else None
    if padding == "same":
        if size is None:
            return None
        return number(ceil(size.constant / stride)) if size.constant is not None else size.divided_by(number(stride))
    if padding == "valid":
        before: Size = number(0)
        after: Size = number(0)
    else:
        widths = _widths(call, rank)
        if widths is None:
            return None
        before, after = widths[axis]
    if size is None or width is None or before is None or after is None:
        return None
    padded, reach = size + before + after, number(dilation) * (width - number(1)) + number(1)
    room = (padded - reach).constant
    if room is not None and room < 0:
        raise call.blame(f'"{call.name}": the kernel with its dilation is longer than {x}', "kernel")
    return _windows(padded, reach, stride)


def _is_word(call: Call) -> bool:
    return not call.has("padding") or call.text("padding") is not None


def _widths(call: Call, rank: int) -> Sequence[tuple[Size, Size]] | None:
    """How many zeros come before and after each axis: one number, `(before, after)`, or for each axis either."""
    items = call.items("padding")
    if items is None or rank == 1:
        return widths_of(call, "padding", rank)
    if len(items) != rank:
        return None
    widths: list[tuple[Size, Size]] = []
    for item in items:
        pair = call.items_of(item)
        if pair is None:
            size = call.size_of_item(item)
            widths.append((size, size))
        elif len(pair) == 2:
            widths.append((call.size_of_item(pair[0]), call.size_of_item(pair[1])))
        else:
            return None
    return widths


def convolve(call: Call) -> Result | None:
    """Of two vectors: full M + N - 1; same and valid, where it is known which of them is the longer."""
    a, b = call.array("a"), call.array("b")
    mode = call.text("mode", "full")
    if a is None or b is None or a.rank != 1 or b.rank != 1:
        return None
    m, n = a.sizes[0], b.sizes[0]
    if m is None or n is None:
        return None
    if mode == "full":
        return (m + n - number(1),)
    more = (m - n).constant
    if more is None or mode not in ("same", "valid"):
        return None
    longer, shorter = (m, n) if more >= 0 else (n, m)
    return (longer,) if mode == "same" else (longer - shorter + number(1),)
