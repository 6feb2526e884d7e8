"""Pairwise sums: the order is that of a binary tree, few partial sums are kept, and the rounding stays small."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from typedprop.pairwise import PairwiseSum


def order(low: int, high: int) -> str:
    """How the terms from `low` to `high` should be added up: the largest power of two of them first, by itself."""
    if high - low == 1:
        return str(low)
    half = 1 << (high - low - 1).bit_length() - 1
    return f"({order(low, low + half)}+{order(low + half, high)})"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 31, 100])
def test_order_and_partial_sums(count: int) -> None:
    sums: PairwiseSum[str] = PairwiseSum(lambda a, b: f"({a}+{b})")
    for k in range(count):
        sums.add(str(k))
        assert sums.total() == order(0, k + 1)
        assert len(sums._partial) == (k + 1).bit_count()


def test_nothing() -> None:
    assert PairwiseSum[int](lambda a, b: a + b).total() is None


def test_rounding_grows_slowly() -> None:
    rng = random.Random(0)
    terms = [np.float32(rng.random()) for _ in range(20_000)]
    sums: PairwiseSum[np.float32] = PairwiseSum(lambda a, b: a + b)
    one_by_one = np.float32(0.0)
    for term in terms:
        sums.add(term)
        one_by_one += term
    exact = math.fsum(map(float, terms))
    total = sums.total()
    assert total is not None
    assert abs(float(total) - exact) < 1e-6 * exact
    assert abs(float(total) - exact) < 0.1 * abs(float(one_by_one) - exact)
