"""Records of every form: generic, nested, with lists, dicts, Optional and plain fields, unions of them, and `match`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, Self, assert_type

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)
N = TypeVar("N", bound=int)
T = TypeVar("T")
F = TypeVar("F", bound=np.generic, default=np.float64)


class Inputs(Dim): ...


class Hidden(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]

    def __call__(self, x: BVar[R[I]] | R[I]) -> BVar[R[O]]:
        return self.weight @ x + self.bias

    def shifted(self, by: float) -> Self:
        return attrs.evolve(self, bias=self.bias + by)


@attrs.frozen
class Pair(Record, Generic[T]):
    first: T
    second: T


@attrs.frozen
class Deep(Record, Generic[I, N, O]):
    first: Layer[I, N]
    middle: list[Layer[N, N]]
    last: Layer[N, O]
    scales: dict[str, BVar[float]]
    offset: BVar[R[O]] | None = None
    name: str = "deep"
    activation: Callable[[BVar[R[Any]]], BVar[R[Any]]] | None = attrs.field(default=None, eq=False)


@attrs.frozen
class Typed(Record, Generic[N, F]):
    weight: BVar[R[N, F]]


@attrs.frozen
class Three(Record):
    weight: BVar[R[Literal[3]]]


@dataclass(frozen=True, eq=False)
class Point(Generic[N]):
    at: BVar[R[N]]
    label: str


class Couple(NamedTuple):
    left: BVar[float]
    right: BVar[float]


@attrs.frozen
class Named(Layer[I, O], Generic[I, O]):
    name: str = "layer"


def run(net: Deep[I, N, O], x: R[I]) -> BVar[R[O]]:
    y = tp.tanh(net.first(x))
    assert_type(y, BVar[R[N]])
    for layer in net.middle:
        assert_type(layer, Layer[N, N])
        y = tp.tanh(layer(y)) * net.scales["middle"]
    z = net.last(y)
    if net.offset is not None:
        assert_type(net.offset, BVar[R[O]])
        z = z + net.offset
    return z


def error(net: Deep[I, N, O], x: R[I]) -> BVar[float]:
    y = run(net, x)
    return y @ y


inputs, hidden, outputs = Inputs(4), Hidden(3), Outputs(2)
first = Layer(BVar(tp.ones(hidden, inputs)), BVar(tp.zeros(hidden)))
middle = Layer(BVar(tp.ones(hidden, hidden)), BVar(tp.zeros(hidden)))
last = Layer(BVar(tp.ones(outputs, hidden)), BVar(tp.zeros(outputs)))
net = Deep(first, [middle, middle], last, {"middle": BVar(0.5)})
x = tp.ones(inputs)

# Generic records find their sizes; nested ones must agree.
assert_type(first, Layer[Inputs, Hidden])
assert_type(first(x), BVar[R[Hidden]])
assert_type(last(first(x)), BVar[R[Outputs]])
assert_type(first.shifted(1.0), Layer[Inputs, Hidden])
assert_type(net, Deep[Inputs, Hidden, Outputs])
assert_type(net.middle, list[Layer[Hidden, Hidden]])
assert_type(net.middle[0].weight, BVar[L[Hidden, Hidden]])
assert_type(net.scales["middle"], BVar[float])
assert_type(net.offset, BVar[R[Outputs]] | None)
assert_type(net.name, str)
assert_type(run(net, x), BVar[R[Outputs]])
assert_type(attrs.evolve(net, offset=BVar(tp.ones(outputs))), Deep[Inputs, Hidden, Outputs])
assert_type(attrs.evolve(net, name="other").last.bias, BVar[R[Outputs]])

# Their gradients are of their type, whatever is in them.
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(error)(net, x), Deep[Inputs, Hidden, Outputs])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(error)(net, x).middle, list[Layer[Hidden, Hidden]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(error)(net, x).middle[1].bias, BVar[R[Hidden]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(error)(net, x).scales, dict[str, BVar[float]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(error)(net, x).first.weight, BVar[L[Hidden, Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(net - 0.1 * tp.grad(error)(net, x), Deep[Inputs, Hidden, Outputs])
assert_type((net + net).first, Layer[Inputs, Hidden])
assert_type(net / BVar(2.0), Deep[Inputs, Hidden, Outputs])
assert_type(-first, Layer[Inputs, Hidden])
assert_type(first == first, bool)

# Of records, of BVars, of floats: one generic record for all.
assert_type(Pair(first, first), Pair[Layer[Inputs, Hidden]])
assert_type(Pair(BVar(1.0), BVar(2.0)), Pair[BVar[float]])
assert_type((Pair(first, first) - Pair(first, first)).second.bias, BVar[R[Hidden]])
assert_type(Typed(BVar(tp.ones(hidden))), Typed[Hidden, np.float64])
assert_type(Typed(BVar(tp.ones(hidden, dtype=np.float32))), Typed[Hidden, np.float32])
assert_type(0.5 * Typed(BVar(tp.ones(hidden, dtype=np.float32))), Typed[Hidden, np.float32])
assert_type(Three(BVar(tp.vector([1.0, 2.0, 3.0]))).weight, BVar[R[Literal[3]]])

# A record that is derived from another.
named = Named(first.weight, first.bias, "first")
assert_type(named, Named[Inputs, Hidden])
assert_type(named(x), BVar[R[Hidden]])
assert_type(named + named, Named[Inputs, Hidden])
assert_type(named.shifted(0.5), Named[Inputs, Hidden])


# Other classes serve as well.
def length(point: Point[N]) -> BVar[float]:
    return point.at @ point.at


def product(couple: Couple) -> BVar[float]:
    return couple.left * couple.right


point = Point(BVar(tp.ones(hidden)), "p")
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(length)(point).at, BVar[R[Hidden]])
assert_type(tp.grad(product)(Couple(BVar(2.0), BVar(3.0))), Couple)
assert_type(tp.grad(product)(Couple(BVar(2.0), BVar(3.0))).left, BVar[float])


# Taken apart by `match`, alone, nested, and as members of a union.
@attrs.frozen
class Scale(Record):
    factor: BVar[float]


def apply(step: Layer[N, N] | Scale, at: BVar[R[N]]) -> BVar[R[N]]:
    match step:
        case Layer(weight, bias):
            # gap: ty "adds a member with unknown sizes to a class pattern of a union"
            assert_type(weight, BVar[L[N, N]])
            assert_type(bias, BVar[R[N]])  # gap: ty "adds a member with unknown sizes to a class pattern of a union"
            return weight @ at + bias
        case Scale(factor):
            assert_type(factor, BVar[float])
            return factor * at


assert_type(apply(middle, BVar(tp.ones(hidden))), BVar[R[Hidden]])
assert_type(apply(Scale(BVar(2.0)), BVar(tp.ones(hidden))), BVar[R[Hidden]])

match net:
    case Deep(Layer(weight, _), rest, Layer(bias=bias), offset=None):
        assert_type(weight, BVar[L[Hidden, Inputs]])
        assert_type(rest, list[Layer[Hidden, Hidden]])
        assert_type(bias, BVar[R[Outputs]])
    case _:
        pass

# Trees.
leaves, structure = tp.tree.flatten(net)
assert_type(structure.unflatten(leaves), Deep[Inputs, Hidden, Outputs])
assert_type(tp.tree.map(lambda leaf: leaf * 2.0, net), Deep[Inputs, Hidden, Outputs])
assert_type(tp.tree.map(lambda a, b: a - b, first, first), Layer[Inputs, Hidden])
assert_type(tp.tree.ravel(net)[0], BVar[R[Any]])
assert_type(tp.tree.ravel(net)[1](tp.tree.ravel(net)[0]), Deep[Inputs, Hidden, Outputs])
assert_type(tp.tree.unflatten(structure, leaves), Deep[Inputs, Hidden, Outputs])
