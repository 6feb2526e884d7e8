"""Sizes of factors: the smaller of two sizes, where it is known; and of a chain of products."""

from __future__ import annotations

import itertools

from typedprop.mypy_plugin.arrays import Result, Size, differ
from typedprop.mypy_plugin.calls import Call


def smaller(m: Size, n: Size) -> Size:
    """The smaller of two sizes, if that is known of all values of their symbols."""
    if m is None or n is None:
        return None
    more = (n - m).at_least
    if more is not None and more >= 0:
        return m
    more = (m - n).at_least
    return n if more is not None and more >= 0 else None


def qr(call: Call) -> Result | None:
    """`Q` and `R`, both of the smaller size within."""
    a = call.array("a")
    if a is None or a.rank != 2:
        return None
    m, n = a.sizes
    return [(m, smaller(m, n)), (smaller(m, n), n)]


def svd(call: Call) -> Result | None:
    """`U`, the singular values, and `V` transposed."""
    a = call.array("a")
    if a is None or a.rank != 2:
        return None
    m, n = a.sizes
    k = smaller(m, n)
    return [(m, k), (k,), (k, n)]


def svdvals(call: Call) -> Result | None:
    """As many as the smaller size."""
    a = call.array("a")
    return None if a is None or a.rank != 2 else (smaller(*a.sizes),)


def multi_dot(call: Call) -> Result | None:
    """The rows of the first matrix, the columns of the last; those between fit."""
    items = call.items("matrices")
    arrays = [array for item in items or [] if (array := item.array) is not None]
    if items is None or len(arrays) < len(items) or not arrays or any(array.rank != 2 for array in arrays):
        return None
    for position, (left, right) in enumerate(itertools.pairwise(arrays)):
        if differ(left.sizes[1], right.sizes[0]):
            raise call.blame(f"Matrix {position} is {left}, and the next {right}: their inner sizes differ", "matrices")
    return (arrays[0].sizes[0], arrays[-1].sizes[1])
