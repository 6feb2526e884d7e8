"""The values that the documentation of Haskell's backprop prints, to the last digit or one unit in the last place; and
what the original gets wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp


def assert_one_ulp(found: float, printed: float) -> None:
    assert type(found) is float
    assert abs(found - printed) <= np.spacing(abs(printed))


def test_square_root() -> None:
    value, gradient = tp.backprop(lambda x: tp.sqrt(x * 4.0), BVar(9.0))
    assert value.value == 6.0
    assert gradient.value == 0.3333333333333333


def test_a_list() -> None:
    def f(items: Any) -> Any:
        x, y, z = items
        return tp.sqrt(x / y) * z

    value, gradient = tp.backprop(f, [BVar(3.0), BVar(5.0), BVar(-2.0)])
    assert type(gradient) is list
    assert_one_ulp(value.value, -1.5491933384829668)
    for found, printed in zip(gradient, [-0.2581988897471611, 0.15491933384829668, 0.7745966692414834], strict=True):
        assert_one_ulp(found.value, printed)


def test_two_arguments() -> None:
    def f(x: Any, xs: Any) -> Any:
        return sum(y**2 for y in xs) / x

    by_x, by_xs = tp.grad(f, argnums=(0, 1))(BVar(9.0), [BVar(1.0), BVar(6.0), BVar(2.0)])
    assert_one_ulp(by_x.value, -0.5061728395061729)
    for found, printed in zip(by_xs, [0.2222222222222222, 1.3333333333333333, 0.4444444444444444], strict=True):
        assert_one_ulp(found.value, printed)


def test_cross_entropy_squared() -> None:
    target = np.array([1.0, 0.0, 0.0])
    printed = [-0.7314742091958236, 0.3474654731904, 0.38400873600542373]

    def as_published(x: Any) -> Any:
        e = tp.exp(x)
        return (-(tp.log(1.0 / e.sum() * e) @ target)) ** 2

    gradient = tp.grad(as_published)(BVar(np.array([0.9, 0.2, 0.3])))
    for found, wanted in zip(gradient.value.tolist(), printed, strict=True):
        assert_one_ulp(found, wanted)

    # The same by typedprop's own softmax and loss, which round in another order.
    by_softmax = tp.grad(lambda x: (-(tp.log(tp.softmax(x)) @ target)) ** 2)
    by_loss = tp.grad(lambda x: tp.softmax_cross_entropy(x, target) ** 2)
    for f in (by_softmax, by_loss):
        np.testing.assert_allclose(f(np.array([0.9, 0.2, 0.3])), printed, rtol=1e-14)


# -- What the original gets wrong ------------------------------------------------------------------------------------


def branch(x: Any) -> Any:
    y = 2.0 * x
    return y if y > 0 else 0.0


@pytest.mark.parametrize(("at", "wanted"), [(-1.0, 0.0), (1.0, 2.0)])
def test_the_output_is_seeded_not_the_last_operation(at: float, wanted: float) -> None:
    assert tp.grad(branch)(at) == wanted
    assert tp.grad(lambda x: branch(x) * 1.0 if x > 0 else BVar(0.0))(at) == wanted
    assert tp.jvp(lambda x: x * 0.0 + branch(x), BVar(at), BVar(1.0))[1].value == wanted


def test_whatever_comes_after_the_output_on_the_tape() -> None:
    def f(x: Any) -> Any:
        y = x * x
        for _ in range(3):
            x = tp.tanh(x) * y  # never used
        return y

    assert tp.grad(f)(3.0) == 6.0
    assert tp.grad(tp.grad(f))(3.0) == 2.0
    assert tp.vjp(f, BVar(3.0))[1](BVar(1.0)).value == 6.0
    assert np.array_equal(tp.backprop(f, BVar(np.array([1.0, 2.0])))[1].value, [2.0, 4.0])


def test_vectors_of_unequal_length_are_not_added() -> None:
    with pytest.raises(tp.ShapeError, match=r"\+: R\[3\] and R\[2\] do not go together"):
        _ = BVar(np.ones(3)) + BVar(np.ones(2))


def test_a_tie_shares_its_cotangent() -> None:
    assert np.array_equal(tp.grad(tp.max)(np.array([1.0, 3.0, 3.0])), [0.0, 0.5, 0.5])
    assert np.array_equal(tp.grad(tp.min)(np.array([1.0, 1.0, 3.0])), [0.5, 0.5, 0.0])


def test_the_mean_counts_zeros_too() -> None:
    value, gradient = tp.value_and_grad(tp.mean)(np.array([0.0, 0.0, 3.0]))
    assert value.value == 1.0
    assert np.array_equal(gradient, np.full(3, 1 / 3))
