"""Operators and functions of two operands, element by element, beyond what their signatures say.

The signatures know a scalar with anything, a row along a matrix, and what keepdims leaves beside a matrix. At run time
more goes together: any smaller rank along the last axes, and sizes of 1 in any operand of the same rank.
"""

from __future__ import annotations

from collections.abc import Sequence

from typedprop.mypy_plugin.arrays import Array, Size, Sizes
from typedprop.mypy_plugin.polynomial import number

ONE = number(1)


def broadcast(x: Sequence[Size], y: Sequence[Size]) -> Sizes | None:
    """The sizes of the result, by the rules of typedprop.arithmetic.broadcast_shape; None if they do not go together.

    A size that is not known goes with any. What the result's size then is, is said where no value of the other size
    could make it wrong.
    """
    if not x or not y:
        return tuple(x or y)
    if len(x) != len(y):
        large, small = (x, y) if len(x) > len(y) else (y, x)
        lead = len(large) - len(small)
        if any(a is not None and b is not None and a != b for a, b in zip(large[lead:], small, strict=True)):
            return None
        # NumPy itself, which joins plain arrays, stretches sizes of 1 here too.
        return (*large[:lead], *(a if a == b else _certain(a, b) for a, b in zip(large[lead:], small, strict=True)))
    if any(size is None for size in (*x, *y)):
        # Which of them is stretched is not known.
        if any(not _may_be(a, b) and not _may_be(b, a) for a, b in zip(x, y, strict=True)):
            return None
        return tuple(a if a == b else _certain(a, b) for a, b in zip(x, y, strict=True))
    for small, large in ((x, y), (y, x)):
        if len(x) > 1 and all(a in (b, ONE) for a, b in zip(small, large, strict=True)):
            return tuple(large)
    return tuple(x) if list(x) == list(y) else None


def _may_be(a: Size, b: Size) -> bool:
    return a is None or b is None or a in (b, ONE)


def _certain(a: Size, b: Size) -> Size:
    """The size of the result along an axis, if one of two is not known: any number but 1 stands."""
    known = a if a is not None else b
    return known if known is not None and known.constant not in (None, 1) else None


def natively(x: Array, y: Array) -> bool:
    """Whether the signatures say all of these operands, so that there is nothing to add."""
    if not x.rank or not y.rank or x.sizes == y.sizes:
        return True
    if x.rank > 2 or y.rank > 2:
        return False
    pairs = list(zip(reversed(x.sizes), reversed(y.sizes), strict=False))
    if any(pair in ((None, ONE), (ONE, None)) for pair in pairs):
        # The signatures take the unknown size for 1, and it may be any.
        return False
    if x.rank != y.rank or None in (*x.sizes, *y.sizes):
        return True
    # L[M, 1] and L[1, N] to the right of L[M, N].
    return sum(a != b for a, b in pairs) == 1 and all(b in (a, ONE) for a, b in pairs)


def joined(x: Array, y: Array) -> Array | None:
    """The result for two operands that go together although no signature says so; None if one does, or they do not."""
    if natively(x, y) or x.dtype is None or y.dtype is None or x.dtype != y.dtype:
        return None
    sizes = broadcast(x.sizes, y.sizes)
    return None if sizes is None else Array(sizes, x.dtype, x.lifted or y.lifted)
