from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.untyped import DTYPES
from typedprop.outer_sum import OuterSum


def pairs(count: int, m: int, n: int, dtype: Any) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    return [(rng.normal(size=m).astype(dtype), rng.normal(size=n).astype(dtype)) for _ in range(count)]


@pytest.mark.parametrize("dtype", DTYPES)
# 1 pair; a few; so many that they are folded once, and many times.
@pytest.mark.parametrize("count", [1, 2, 7, 200, 2000])
@pytest.mark.parametrize(("m", "n"), [(3, 5), (1, 1), (20, 30)])
def test_the_sum(count: int, m: int, n: int, dtype: Any) -> None:
    given = pairs(count, m, n, dtype)
    total = OuterSum(*given[0])
    for pair in given[1:]:
        total.add(OuterSum(*pair))
    expected = sum(np.outer(left.astype(np.float64), right) for left, right in given)
    dense = total.dense()
    assert dense.dtype == dtype
    np.testing.assert_allclose(dense, expected, rtol=1e-4, atol=1e-9 if dtype is np.float64 else 1e-3)


@pytest.mark.parametrize("count", [1, 2, 2000])
def test_the_matrix_is_nobody_elses_and_the_vectors_stay(count: int) -> None:
    given = pairs(count, 3, 1, np.float64)
    copies = [(left.copy(), right.copy()) for left, right in given]
    total = OuterSum(*given[0])
    for pair in given[1:]:
        total.add(OuterSum(*pair))
    dense = total.dense()
    dense += 1
    for (left, right), (left_before, right_before) in zip(given, copies, strict=True):
        assert not np.shares_memory(dense, left) and not np.shares_memory(dense, right)
        assert np.array_equal(left, left_before) and np.array_equal(right, right_before)


def test_many_pairs_do_not_pile_up() -> None:
    """However many vectors are added, no more are held than a few matrices' worth (and a fixed handful)."""
    total = OuterSum(np.ones(10), np.ones(10))
    for _ in range(5000):
        total.add(OuterSum(np.ones(10), np.ones(10)))
        # Of ten elements each; there are two vectors in a pair.
        assert len(total._pairs or ()) * 10 <= 4 * 100 + 1024 + 20
    assert np.array_equal(total.dense(), np.full((10, 10), 5001.0))


def test_empty_vectors() -> None:
    total = OuterSum(np.ones(0), np.ones(3))
    total.add(OuterSum(np.ones(0), np.ones(3)))
    assert total.dense().shape == (0, 3)


def test_the_sum_at_each_number_of_pairs() -> None:
    """Also where the pairs have just become a matrix and none has come since."""
    vectors = np.random.default_rng(0).normal(size=(60, 2, 3))
    total, expected = OuterSum(vectors[0, 0], vectors[0, 1]), np.outer(vectors[0, 0], vectors[0, 1])
    emptied = 0
    total._room = 1
    for left, right in vectors[1:]:
        total.add(OuterSum(left, right))
        total._room = 4
        expected = expected + np.outer(left, right)
        emptied += total._pairs == []
        np.testing.assert_allclose(total.dense(), expected, rtol=1e-12, atol=1e-12)
    assert emptied > 3
