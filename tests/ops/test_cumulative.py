"""Running products where numbers run out, or where there are many."""

from __future__ import annotations

import numpy as np
import pytest

from tests.untyped import BVar, tp


@pytest.mark.parametrize("k", range(2))
def test_products_that_overflow_further_on_do_no_harm(k: int) -> None:
    numbers = np.array([1e-200, 1e200, 1e200, 3.0])
    x = BVar(numbers)
    value, gradient = tp.value_and_grad(lambda v: tp.cumprod(v)[k])(x)
    tangent = tp.jvp(lambda v: tp.cumprod(v)[k], x, BVar(np.array([0.0, 0.0, 0.0, 1.0])))[1]
    wanted = [float(np.prod(np.delete(numbers[: k + 1], i))) if i <= k else 0.0 for i in range(4)]
    assert value.value == np.prod(numbers[: k + 1])
    np.testing.assert_allclose(gradient.value, wanted, rtol=1e-14)
    assert tangent.value == wanted[3]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 100])
def test_the_product_of_the_others_of_many(n: int, reverse: bool) -> None:
    rng = np.random.default_rng(n)
    x = rng.uniform(0.5, 1.5, n)
    x[n // 2] = 0.0
    x = x[::-1] if reverse else x
    others = [np.prod(np.delete(x, k)) for k in range(n)]
    np.testing.assert_allclose(tp.grad(tp.prod)(x), others, rtol=1e-12)
    weight = rng.normal(size=n)
    by_hand = [sum(weight[i] * np.prod(np.delete(x[: i + 1], k)) for i in range(k, n)) for k in range(n)]
    np.testing.assert_allclose(tp.grad(lambda v: tp.cumprod(v) @ weight)(x), by_hand, rtol=1e-10, atol=1e-14)
