"""A test for each row of docs/coming-from-haskell.md, part "Access"."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import attrs
import numpy as np

from tests.untyped import BVar, lift, rand, tp
from typedprop import Record, tree
from typedprop.testing import check_grads


@attrs.frozen
class Layer(Record):
    weight: Any
    bias: Any


@attrs.frozen
class Network(Record):
    first: Layer
    second: Layer


def layer(seed: int) -> Layer:
    return Layer(lift(3, 3, seed=seed), lift(3, seed=seed + 1))


def test_lenses() -> None:
    net = Network(layer(0), layer(2))
    assert tp.grad(lambda net: net.first.bias.sum())(net).first.bias == BVar(np.ones(3))

    def overwritten(net: Network, bias: Any) -> Any:
        changed = attrs.evolve(net, second=attrs.evolve(net.second, bias=bias))
        return (changed.second.weight @ changed.second.bias) @ changed.first.bias

    by_net, by_bias = tp.grad(overwritten, argnums=(0, 1))(net, lift(3, seed=5))
    assert not by_net.second.bias.value.any() and by_bias.value.all()
    check_grads(overwritten, (net, lift(3, seed=5)), order=2)

    def modified(net: Network) -> Any:
        return attrs.evolve(net, first=attrs.evolve(net.first, weight=net.first.weight.T * 2.0)).first

    check_grads(modified, (net,), order=2)


@attrs.frozen
class Circle(Record):
    radius: Any


@attrs.frozen
class Square(Record):
    side: Any


def test_prisms_and_traversals() -> None:
    def radius(shape: Circle | Square) -> Any:
        match shape:
            case Circle(radius):
                return radius
            case Square():
                return None

    def f(shapes: Any) -> Any:
        radii = [r for shape in shapes.values() if (r := radius(shape)) is not None]
        return sum(r * r for r in radii)

    gradient = tp.grad(f)({"a": Circle(BVar(2.0)), "b": Square(BVar(3.0)), "c": Circle(BVar(5.0))})
    assert gradient == {"a": Circle(BVar(4.0)), "b": Square(BVar(0.0)), "c": Circle(BVar(10.0))}


def test_sequenceVar_and_collectVar() -> None:
    def f(x: Any) -> Any:
        items = list(x)
        return tp.stack([items[2], items[0] * items[1], *items[1:]])

    check_grads(f, (lift(4),), order=2)
    check_grads(lambda m: tp.stack([row * row[0] for row in m][::-1]), (lift(3, 2),), order=2)


def test_Prelude_Backprop() -> None:
    numbers = [BVar(float(k)) for k in (3, 1, 4)]

    def of(f: Any, wanted: list[float]) -> None:
        gradient = tp.grad(f)(numbers)
        assert type(gradient) is list and [g.value for g in gradient] == wanted

    of(sum, [1.0, 1.0, 1.0])
    of(math.prod, [4.0, 12.0, 3.0])
    of(min, [0.0, 1.0, 0.0])
    of(max, [0.0, 0.0, 1.0])
    of(lambda xs: xs[0] * len(xs), [3.0, 0.0, 0.0])
    of(lambda xs: functools.reduce(lambda total, x: x * x - total, xs), [1.0 * 2 * 0 + 1.0, -2.0, 8.0])
    of(lambda xs: sum(map(lambda x: x * x, xs)), [6.0, 2.0, 8.0])
    of(lambda xs: list(itertools.accumulate(xs))[1], [1.0, 1.0, 0.0])
    of(lambda xs: sum(a * b for a, b in itertools.pairwise(xs)), [1.0, 7.0, 1.0])
    of(lambda xs: sorted(xs, key=lambda x: x.value)[0] * 2.0, [0.0, 2.0, 0.0])

    def running(xs: Any) -> Any:
        state, out = BVar(0.0), []
        for x in xs:
            state = state * 0.5 + x
            out.append(state * x)
        return out

    check_grads(running, (numbers,), order=2)
    doubled = tp.vjp(lambda xs: tree.map(lambda x: 2.0 * x, xs), numbers)[1]([BVar(1.0)] * 3)
    assert doubled == [BVar(2.0)] * 3
    # Products with zeros, which the original makes NaN of.
    assert [g.value for g in tp.grad(math.prod)([BVar(0.0), BVar(2.0), BVar(3.0)])] == [6.0, 0.0, 0.0]
    assert tp.grad(tp.prod)(BVar(np.array([0.0, 2.0, 3.0]))) == BVar(np.array([6.0, 0.0, 0.0]))


def test_splitBV_joinBV_and_the_BV_pattern() -> None:
    def f(net: Network, x: Any) -> Any:
        match net:
            case Network(Layer(weight1, bias1), Layer(weight2, bias2)):
                return weight2 @ tp.tanh(weight1 @ x + bias1) + bias2

    check_grads(lambda net: f(net, rand(3)), (Network(layer(0), layer(2)),), order=2)
    # Joining is the constructor.
    check_grads(lambda w, b: Layer(w * 2.0, b @ w), (lift(3, 3), lift(3)), order=2)


def test_T2_and_T3() -> None:
    def f(triple: Any) -> Any:
        a, (b, c) = triple
        return (a * b, c, a @ c)

    check_grads(f, ((lift(3), (lift(3, seed=1), lift(3, seed=2))),), order=2)
