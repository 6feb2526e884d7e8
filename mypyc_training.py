"""What the compiler sees the engine do before it compiles it for good: derivatives of many kinds, small and quick.

`mypyc_build.py` runs it on an engine that counts which ways are taken. What matters is that each kind of work is there,
not how much of it: the ways that are not taken here are only placed out of the way.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs
import numpy as np

import typedprop as tp
from typedprop import BVar, Record


@attrs.frozen
class _Layers(Record):
    weight1: BVar[Any]
    bias1: BVar[Any]
    weight2: BVar[Any]
    bias2: BVar[Any]


def _of_batch(net: _Layers, x: Any, target: Any) -> Any:
    y = tp.sigmoid(x @ net.weight1.T + net.bias1)
    return tp.softmax_cross_entropy(y @ net.weight2.T + net.bias2, target).mean()


def _of_one(net: _Layers, x: Any, target: Any) -> Any:
    y = net.weight2 @ tp.tanh(net.weight1 @ x + net.bias1) + net.bias2
    error = y - target
    return error @ error + tp.relu(y).sum() / 2 + (y * y).max()


def _recurrent(net: _Layers, inputs: Any) -> Any:
    h = BVar(np.zeros(len(inputs[0])))
    for x in inputs:
        h = tp.tanh(net.weight1 @ h + net.weight1 @ x + net.bias1)
    return (h * h).sum()


def _scalar(y: Any) -> Any:
    for k in range(50):
        y = tp.tanh(0.9 * y + 0.1) * y - y / (2.0 + k)
        y = -((1.0 - y) ** 2) + tp.exp(y)
    return y


def _rosenbrock(x: Any) -> Any:
    head, tail = x[:-1], x[1:]
    return (100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2).sum()


def _elements(x: Any) -> Any:
    first, *others = list(x)
    return first * tp.stack(others).reshape(-1)[::2].sum() + x.sum(axis=0, keepdims=True).mean()


def main(rounds: int = 30) -> None:
    """Takes each kind of derivative some times."""
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):

        def array(*shape: int, dtype: Any = dtype) -> Any:
            return rng.normal(size=shape).astype(dtype)

        net = _Layers(BVar(array(5, 5)), BVar(array(5)), BVar(array(3, 5)), BVar(array(3)))
        batch, one, inputs = array(4, 5), array(5), array(6, 5)
        target, vector = np.eye(4, 3, dtype=dtype), BVar(array(7))
        for _ in range(rounds):
            net -= 1e-3 * tp.grad(_of_batch)(net, batch, target)
            tp.value_and_grad(_of_one)(net, one, target[0])
            tp.tree.map(lambda leaf: leaf * 2.0, (net, {"more": [net, net]}))
            tp.hvp(_rosenbrock, vector, vector)
            tp.jvp(_rosenbrock, vector, vector)
            tp.backprop(_elements, vector)
            if dtype is np.float64:
                tp.grad(_recurrent)(net, inputs)
                tp.hessian(_rosenbrock)(vector)
                tp.grad(tp.grad(_scalar))(BVar(0.5))
                for number in (BVar(0.5), BVar(Fraction(1, 2))):
                    tp.grad(lambda y: y * y + y)(number)


if __name__ == "__main__":
    main()
