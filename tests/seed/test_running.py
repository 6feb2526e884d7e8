"""A test for each row of docs/coming-from-haskell.md, part "Running"."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import BVar, lift, rand, tp
from typedprop import Record
from typedprop.errors import ShapeError
from typedprop.testing import check_grads


@attrs.frozen
class Network(Record):
    weight1: Any
    bias1: Any
    weight2: Any
    bias2: Any


def network(dtype: Any = np.float64) -> Network:
    shapes = [(4, 6), (4,), (3, 4), (3,)]
    return Network(*(lift(*shape, seed=seed, dtype=dtype) for seed, shape in enumerate(shapes)))


def run(net: Network, x: Any) -> Any:
    return tp.sigmoid(net.weight2 @ tp.sigmoid(net.weight1 @ x + net.bias1) + net.bias2)


def loss(net: Network, x: Any, target: Any) -> Any:
    error = target - run(net, x)
    return error @ error


def test_evalBP() -> None:
    net, x = network(), rand(6)

    def sigmoid(v: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-v))

    hidden = sigmoid(net.weight1.value @ x + net.bias1.value)
    np.testing.assert_allclose(run(net, x).value, sigmoid(net.weight2.value @ hidden + net.bias2.value), rtol=1e-14)


def test_gradBP_and_backprop() -> None:
    net, x, target = network(np.float32), rand(6, dtype=np.float32), rand(3, dtype=np.float32)
    value, gradient = tp.backprop(loss, net, x, target)
    assert value == loss(net, x, target)
    assert gradient == tp.grad(loss)(net, x, target) == tp.value_and_grad(loss)(net, x, target)[1]
    assert type(gradient) is Network
    # An unused field gets zeros of its own shape and dtype.
    unused = tp.grad(lambda net: net.bias1.sum())(net).weight2
    assert (unused.shape, unused.dtype) == ((3, 4), np.float32) and not unused.value.any()


def test_backpropWith() -> None:
    output, pullback = tp.vjp(run, network(), rand(6))
    assert output == run(network(), rand(6))
    first, second = pullback(lift(3)), pullback(lift(3, seed=9))
    assert pullback(lift(3)) == first != second
    summed = pullback(lift(3) + lift(3, seed=9))
    np.testing.assert_allclose(summed.weight1.value, (first + second).weight1.value, rtol=1e-12)
    with pytest.raises(ShapeError, match=r"the cotangent is R\[2\], but belongs to R\[3\]"):
        pullback(lift(2))


def test_backprop2_and_backpropN() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return a * b["x"] + c[0] @ c[1]

    at = (BVar(2.0), {"x": BVar(3.0)}, [lift(3), lift(3, seed=1)])
    by_a, by_b, by_c = tp.grad(f, argnums=(0, 1, 2))(*at)
    assert (by_a.value, by_b) == (3.0, {"x": BVar(2.0)})
    assert by_c == [lift(3, seed=1), lift(3)]
    assert tp.grad(f, argnums=2)(*at) == by_c
    assert tp.grad(lambda everything: f(*everything))(at) == (by_a, by_b, by_c)
    # At run time there may be more, in any order.
    xs = [BVar(float(k)) for k in range(1, 6)]
    gradients = tp.grad(lambda *ys: math.prod(ys), argnums=(0, 4, 2))(*xs)
    assert [g.value for g in gradients] == [120.0, 24.0, 40.0]


def test_evalBP0() -> None:
    assert (tp.exp(BVar(0.0)) + 1.0).value == 2.0


def test_nested_gradBP() -> None:
    def f(x: Any) -> Any:
        return tp.exp(x * x) * tp.sin(x)

    check_grads(f, (BVar(0.7),), order=4)
    third = tp.grad(lambda x: tp.jvp(tp.grad(f), x, BVar(1.0))[1])(BVar(0.7))
    other = tp.jvp(lambda x: tp.grad(tp.grad(f))(x), BVar(0.7), BVar(1.0))[1]
    np.testing.assert_allclose(third.value, other.value, rtol=1e-13)
    # A loss with a gradient inside, over a record.
    check_grads(lambda net: (tp.grad(loss)(net, rand(6), rand(3)).weight1 ** 2).sum(), (network(),), order=1)
