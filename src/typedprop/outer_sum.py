"""Sums of outer products, kept as pairs of vectors until somebody needs the matrix.

A matrix used in `k` matrix-vector products receives `k` rank-one cotangents. Adding them one by one writes the whole
matrix `k` times; kept as pairs they become one matrix product at the end. Measured on a recurrent network of 100 steps
and 32 hidden units, this alone is faster than the natural hand-written gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

# Pairs are folded into the dense matrix once they hold more numbers than this many matrices would.
_MATRICES = 4


class OuterSum:
    """The matrix `sum(outer(left, right))` over pairs of plain vectors, not yet formed."""

    __slots__ = ("_dense", "_left", "_right")

    def __init__(self, left: Array, right: Array) -> None:
        self._left = [left]
        self._right = [right]
        self._dense: Array | None = None

    def add(self, other: OuterSum) -> None:
        """Take over the single pair of `other`."""
        self._left += other._left
        self._right += other._right
        left, right = self._left[0], self._right[0]
        if len(self._left) * (left.size + right.size) > _MATRICES * left.size * right.size + 1024:
            self._dense = self.dense()
            self._left.clear()
            self._right.clear()

    def dense(self) -> Array:
        """The matrix, in a buffer of its own."""
        if not self._left:
            assert self._dense is not None
            return self._dense
        if len(self._left) == 1:
            # A matrix product with one inner index: BLAS writes the result once, 1.7 times as fast as np.outer or a
            # broadcast product, which made half of the time of a one-sample gradient.
            product = np.dot(self._left[0][:, None], self._right[0][None, :])
        else:
            product = np.array(self._left).T @ np.array(self._right)
        return product if self._dense is None else np.add(self._dense, product, out=self._dense)
