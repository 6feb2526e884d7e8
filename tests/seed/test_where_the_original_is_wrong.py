"""A test for each row of docs/coming-from-haskell.md, part "Where the original is wrong"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, lift, rand, tp
from typedprop.errors import ShapeError
from typedprop.testing import check_grads


def test_the_output_is_seeded_whatever_was_recorded_last() -> None:
    def f(x: Any) -> Any:
        y = 2.0 * x
        return y if y > 0.0 else BVar(0.0)

    assert tp.grad(f)(-1.0) == 0.0
    assert tp.grad(f)(1.0) == 2.0


def test_vectors_of_unequal_length_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\+: R\[3\] and R\[2\] do not go together"):
        _ = lift(3) + lift(2)


def test_eigenvectors_and_cholesky() -> None:
    square = rand(3, 3)
    definite = BVar(square @ square.T + np.diag([1.0, 2.0, 4.0]))
    check_grads(lambda a: abs(tp.linalg.eigh(tp.linalg.sym(a))[1]), (definite,), order=2, rtol=1e-4, atol=1e-4)
    check_grads(lambda a: tp.linalg.cholesky(tp.linalg.sym(a)), (definite,), order=2)


def test_covariance_mean_and_mTm() -> None:
    samples = lift(5, 3)
    np.testing.assert_allclose(tp.linalg.covariance(samples).value, np.cov(samples.value, rowvar=False), rtol=1e-13)
    check_grads(tp.linalg.covariance, (samples,), order=2)
    with_zeros = BVar(np.array([0.0, 3.0, 0.0, 5.0]))
    assert tp.mean(with_zeros).value == 2.0
    assert np.array_equal(tp.grad(tp.mean)(with_zeros).value, np.full(4, 0.25))
    weights = rand(3, 3, seed=4)
    check_grads(lambda a: (tp.linalg.mTm(a) * weights).sum(), (samples,), order=2)


def test_product_with_zeros_and_ties() -> None:
    assert tp.grad(tp.prod)(BVar(np.array([0.0, 2.0, 3.0]))) == BVar(np.array([6.0, 0.0, 0.0]))
    assert tp.grad(tp.prod)(BVar(np.array([0.0, 0.0, 3.0]))) == BVar(np.zeros(3))
    assert [g.value for g in tp.grad(math.prod)([BVar(0.0), BVar(2.0)])] == [2.0, 0.0]
    tied = BVar(np.array([3.0, 1.0, 3.0]))
    assert tp.grad(tp.max)(tied) == BVar(np.array([0.5, 0.0, 0.5]))
    assert tp.grad(lambda x: tp.min(-x))(tied) == BVar(np.array([-0.5, 0.0, -0.5]))


@pytest.mark.parametrize("wrong", [0.0, -1.0, 2.0])
def test_a_test_fails_on_zero_negated_and_doubled_gradients(wrong: float) -> None:
    def primitive(pull: float, push: float) -> Any:
        return tp.op(lambda x: tp.Local1(x * x, lambda g: pull * 2.0 * g * x).push(lambda t: push * 2.0 * t * x))

    check_grads(primitive(1.0, 1.0), (lift(3),), order=1)
    with pytest.raises(AssertionError, match="reverse mode against central differences"):
        check_grads(primitive(wrong, 1.0), (lift(3),), order=1)
    with pytest.raises(AssertionError, match="forward mode against central differences"):
        check_grads(primitive(1.0, wrong), (lift(3),), order=1)
