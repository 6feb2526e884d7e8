"""Tools: checks of functions and gradients, the tape and the parameters as data, trees."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Generic, assert_type

import attrs
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, testing, tree

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Inputs(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]

    @tp.checked
    def run(self, x: R[I]) -> BVar[R[O]]:
        return self.weight @ x + self.bias


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
x = tp.ones(inputs)
v = BVar(x)


def length(x: BVar[R[N]]) -> BVar[float]:
    return x @ x


def loss(layer: Layer[I, O], x: R[I], scale: float = 1.0) -> BVar[float]:
    y = layer.weight @ x
    return scale * (y @ y)


# `checked` keeps the function's type.
@tp.checked
def centred(x: L[M, N], mean: R[N], *, scale: float = 1.0) -> L[M, N]:
    return scale * (x - mean)


assert_type(centred(tp.ones(outputs, inputs), x), L[Outputs, Inputs])
assert_type(centred(tp.ones(outputs, inputs), x, scale=2.0), L[Outputs, Inputs])
assert_type(layer.run(x), BVar[R[Outputs]])
assert_type(tp.checked(length)(v), BVar[float])

# The parameters and the tape as data.
assert_type(tp.summary(layer).count, int)
assert_type(tp.summary(layer).parameters[0].shape, tuple[int, ...])
assert_type(tp.trace(loss, layer, x).kept, int)
assert_type(tp.trace(loss, layer, x, scale=2.0).operations[0].line.text, str)
assert_type(tp.trace(lambda net: net.bias @ net.bias, layer).by_line()[0].forward, float)
with tp.debug_nans(infinities=False):
    # gap: ty "does not solve the variables of a generic function that is an argument"
    assert_type(tp.grad(length)(v), BVar[R[Inputs]])


@tp.debug_nans()
def watched(x: BVar[R[N]]) -> BVar[R[N]]:
    return tp.backprop(length, x)[1]


assert_type(watched(v), BVar[R[Inputs]])

# Tests of gradients and of leaves.
testing.check_grads(loss, (layer, x, 2.0), order=1, modes=["rev"])
testing.check_leaf([Fraction(1, 2), Fraction(2, 3)], close=lambda p, q: abs(p - q) < 1)
mode: testing.Mode = "fwd"


# A type of leaf, and a class of nodes.
class Bag:
    def __init__(self, items: list[BVar[float]]) -> None:
        self.items = items


def taken_apart(bag: Bag) -> tuple[list[BVar[float]], None]:
    return bag.items, None


def made(rest: None, items: list[BVar[float]]) -> Bag:
    return Bag(items)


class Score(float): ...


tp.register(Score, zero=lambda x: Score(0 * x), one=lambda x: Score(0 * x + 1), add=lambda x, y: Score(x + y))
tree.register_node(Bag, taken_apart, made)
bag = Bag([BVar(1.0)])
assert_type(tree.flatten(bag)[1].unflatten(tree.leaves(bag)), Bag)
assert_type(tree.flatten(layer)[0], list[BVar[Any]])
assert_type(tree.flatten(layer)[1], tree.Structure[Layer[Inputs, Outputs]])
assert_type(tree.flatten(layer)[1].paths(), list[str])
assert_type(tree.leaves(layer), list[BVar[Any]])
assert_type(tree.unflatten(tree.flatten(layer)[1], tree.leaves(layer)), Layer[Inputs, Outputs])
assert_type(tree.map(lambda leaf: leaf * 2.0, layer), Layer[Inputs, Outputs])
assert_type(tree.ravel(layer)[0], BVar[R[Any]])
assert_type(tree.ravel(layer)[1](tree.ravel(layer)[0]), Layer[Inputs, Outputs])


def largest(leaves: Iterable[tree.Leaf]) -> int:
    return max(leaf.size for leaf in leaves)


assert_type(largest(tree.leaves(layer)), int)


# Sums and products of sizes are names for sizes.
def joined(x: R[M], y: R[N]) -> R[tp.Add[M, N]]:
    return tp.concatenate([x, y])


def flat(w: L[M, N]) -> R[tp.Mul[M, N]]:
    return tp.ravel(w)


assert_type(joined(x, tp.ones(outputs)), R[tp.Add[Inputs, Outputs]])
assert_type(flat(tp.ones(outputs, inputs)), R[tp.Mul[Outputs, Inputs]])
