"""Sums of outer products, kept as pairs of vectors until somebody needs the matrix.

A matrix used in `k` matrix-vector products receives `k` rank-one cotangents. Adding them one by one writes the whole
matrix `k` times; kept as pairs they become one matrix product at the end. Measured on a recurrent network of 100 steps
and 32 hidden units, this alone is faster than the natural hand-written gradient.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

# Pairs are folded into the dense matrix once they hold more numbers than this many matrices would.
_MATRICES: Final = 4


class OuterSum:
    """The matrix `sum(outer(left, right))` over pairs of plain vectors, not yet formed."""

    __slots__ = ("_dense", "_left", "_pairs", "_right", "_room")

    def __init__(self, left: Array, right: Array) -> None:
        self._left = left
        self._right = right
        # All pairs, one after the other, once there are several.
        self._pairs: list[Array] | None = None

    def add(self, other: OuterSum) -> None:
        """Take over the single pair of `other`."""
        pairs = self._pairs
        if pairs is None:
            left, right = self._left.size, self._right.size
            # How many pairs there may be before all are folded, and what was folded so far: not set before, for most
            # sums have a single pair.
            self._room: int = (_MATRICES * left * right + 1024) // (left + right + 1)
            self._dense: Array | None = None
            self._pairs = pairs = [self._left, self._right]
        pairs.append(other._left)
        pairs.append(other._right)
        if len(pairs) > 2 * self._room:
            self._dense = self.dense()
            pairs.clear()

    def dense(self) -> Array:
        """The matrix, in a buffer of its own."""
        pairs = self._pairs
        if pairs is None:
            # A matrix product with one inner index: BLAS writes the result once, 1.7 times as fast as np.outer or a
            # broadcast product, which made half of the time of a one-sample gradient.
            outer: Array = self._left[:, None].dot(self._right[None])
            return outer
        if not pairs:
            assert self._dense is not None
            return self._dense
        product: Array = np.array(pairs[::2]).T @ np.array(pairs[1::2])
        if self._dense is not None:
            np.add(self._dense, product, product)
        return product
