"""typedprop: the loss is written, the gradient is not. Also the other ways to write the classifier.

The parameters are records; how a function gets at their fields is a matter of taste, not of speed, and the benchmark of
the four ways holds the library to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from benchmarks.contender import Call, Contender
from benchmarks.work import (
    Array,
    Classifier,
    Elementwise,
    MultiplyChain,
    Recurrent,
    Regressor,
    Rosenbrock,
    ScalarChain,
    Tree,
)
from typedprop import BVar, L, R, Record

B = TypeVar("B", bound=int)
I = TypeVar("I", bound=int)
H1 = TypeVar("H1", bound=int)
H2 = TypeVar("H2", bound=int)
O = TypeVar("O", bound=int)
H = TypeVar("H", bound=int)
T = TypeVar("T", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


@attrs.frozen
class Network(Record, Generic[I, H1, H2, O, D]):
    weight1: BVar[L[H1, I, D]]
    bias1: BVar[R[H1, D]]
    weight2: BVar[L[H2, H1, D]]
    bias2: BVar[R[H2, D]]
    weight3: BVar[L[O, H2, D]]
    bias3: BVar[R[O, D]]


# Sizes and dtypes are chosen by the benchmark, so here they are unknown to the checker; the functions are generic.
AnyNetwork = Network[Any, Any, Any, Any, Any]


def network(parameters: tuple[Array, ...]) -> AnyNetwork:
    """The record of these arrays."""
    return Network(*map(lift, parameters))


# The arrays of any dtype, for `Array` says float64 where the work is drawn in float32, too.
def data(x: np.ndarray[Any, Any]) -> Any:
    """An array as an `R` or `L` of unknown size, which is what it is at run time."""
    return x


def lift(x: Array) -> BVar[Any]:
    """The same as a BVar."""
    return BVar(x)


# -- The classifier, by field access ----------------------------------------------------------------------------------


def logits(net: Network[I, H1, H2, O, D], x: L[B, I, D]) -> BVar[L[B, O, D]]:
    y1 = tp.sigmoid(x @ net.weight1.T + net.bias1)
    y2 = tp.sigmoid(y1 @ net.weight2.T + net.bias2)
    return y2 @ net.weight3.T + net.bias3


def loss(net: Network[I, H1, H2, O, D], x: L[B, I, D], target: L[B, O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits(net, x), target).mean()


def descend(net: Network[I, H1, H2, O, D], x: L[B, I, D], target: L[B, O, D], rate: float) -> Network[I, H1, H2, O, D]:
    return net - rate * tp.grad(loss)(net, x, target)


def logits_of_one(net: Network[I, H1, H2, O, D], x: R[I, D]) -> BVar[R[O, D]]:
    y1 = tp.sigmoid(net.weight1 @ x + net.bias1)
    y2 = tp.sigmoid(net.weight2 @ y1 + net.bias2)
    return net.weight3 @ y2 + net.bias3


def loss_of_one(net: Network[I, H1, H2, O, D], x: R[I, D], target: R[O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits_of_one(net, x), target)


def descend_by_one(net: Network[I, H1, H2, O, D], x: R[I, D], target: R[O, D], rate: float) -> Network[I, H1, H2, O, D]:
    return net - rate * tp.grad(loss_of_one)(net, x, target)


# -- The other work ---------------------------------------------------------------------------------------------------


def regression_loss(net: Network[I, H1, H2, O, D], x: R[I, D], target: R[O, D]) -> BVar[float]:
    y1 = tp.tanh(net.weight1 @ x + net.bias1)
    y2 = tp.tanh(net.weight2 @ y1 + net.bias2)
    error = net.weight3 @ y2 + net.bias3 - target
    return error @ error


@attrs.frozen
class RecurrentNetwork(Record, Generic[H, I]):
    w: BVar[L[H, H]]
    u: BVar[L[H, I]]
    b: BVar[R[H]]


def recurrent_loss(net: RecurrentNetwork[H, I], start: R[H], inputs: L[T, I], target: R[H]) -> BVar[float]:
    h = BVar(start)
    for x in inputs:
        h = tp.tanh(net.w @ h + net.u @ x + net.b)
    error = h - target
    return error @ error


def scalar_chain(y: BVar[float], a: float, b: float, steps: int) -> BVar[float]:
    for _ in range(steps):
        y = tp.tanh(a * y + b)
    return y


def multiply_chain(x: BVar[R[N]], operations: int) -> BVar[float]:
    y = x
    for _ in range(operations):
        y = y * x
    return y.sum()


def rosenbrock(x: BVar[R[Any]]) -> BVar[float]:
    head, tail = x[:-1], x[1:]
    return (100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2).sum()


def elementwise_chain(x: BVar[R[N]], a: float, b: float, repeats: int) -> BVar[float]:
    y = x
    for _ in range(repeats):
        y = tp.tanh(a * y + b) * x
    return y.sum()


@attrs.frozen
class Layer(Record):
    weight1: BVar[L[Any, Any]]
    bias1: BVar[R[Any]]
    weight2: BVar[L[Any, Any]]
    bias2: BVar[R[Any]]


@attrs.frozen
class Layers(Record):
    layers: list[Layer]


def tree_of(work: Tree) -> Layer | Layers:
    """One record of four fields, or a record of a list of them."""
    weight, bias = BVar(tp.zeros(2, 2)), BVar(tp.zeros(2))
    if work.layers == 1:
        return Layer(weight, bias, weight, bias)
    return Layers([Layer(weight, bias, weight, bias) for _ in range(work.layers)])


class ByTypedprop(Contender):
    """typedprop, by field access."""

    name: ClassVar[str] = "typedprop"

    def classifier_gradient(self, work: Classifier) -> Call:
        net, x, target = network(work.parameters), data(work.x), data(work.target)
        gradient = tp.grad(loss) if work.x.ndim > 1 else tp.grad(loss_of_one)
        return lambda: gradient(net, x, target)

    def classifier_step(self, work: Classifier) -> Call:
        net, x, target = network(work.parameters), data(work.x), data(work.target)
        step = descend if work.x.ndim > 1 else descend_by_one
        return lambda: step(net, x, target, work.rate)

    def classifier_run(self, work: Classifier) -> Call:
        net, x = network(work.parameters), data(work.x)
        run = logits if work.x.ndim > 1 else logits_of_one
        return lambda: run(net, x)

    def regressor_gradient(self, work: Regressor) -> Call:
        net, x, target = network(work.parameters), data(work.x), data(work.target)
        gradient = tp.grad(regression_loss)
        return lambda: gradient(net, x, target)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        net: RecurrentNetwork[Any, Any]
        net = RecurrentNetwork(lift(work.w), lift(work.u), lift(work.b))
        start = data(np.zeros(len(work.b)))
        inputs, target = data(work.inputs), data(work.target)
        gradient = tp.grad(recurrent_loss)
        return lambda: gradient(net, start, inputs, target)

    def scalar_chain_gradient(self, work: ScalarChain) -> Call:
        gradient = tp.grad(scalar_chain)
        start = BVar(work.start)
        return lambda: gradient(start, work.a, work.b, work.steps)

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        gradient = tp.grad(multiply_chain)
        x = lift(work.x)
        return lambda: gradient(x, work.operations)

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        x, tangent = lift(work.x), lift(work.tangent)
        return lambda: tp.hvp(rosenbrock, x, tangent)

    def elementwise_gradient(self, work: Elementwise) -> Call:
        gradient = tp.grad(elementwise_chain)
        x = lift(work.x)
        return lambda: gradient(x, work.a, work.b, work.repeats)

    def flatten(self, work: Tree) -> Call:
        tree = tree_of(work)
        return lambda: tp.tree.flatten(tree)

    def flatten_and_rebuild(self, work: Tree) -> Call:
        tree = tree_of(work)

        def there_and_back() -> object:
            leaves, structure = tp.tree.flatten(tree)
            return structure.unflatten(leaves)

        return there_and_back

    def arrays(self, result: object) -> list[Array]:
        return [np.asarray(leaf.value) for leaf in tp.tree.leaves(result)]


# -- The classifier, by pattern matching ------------------------------------------------------------------------------


def matched_logits(net: Network[I, H1, H2, O, D], x: L[B, I, D]) -> BVar[L[B, O, D]]:
    match net:
        case Network(w1, b1, w2, b2, w3, b3):
            y1 = tp.sigmoid(x @ w1.T + b1)
            y2 = tp.sigmoid(y1 @ w2.T + b2)
            return y2 @ w3.T + b3


def matched_loss(net: Network[I, H1, H2, O, D], x: L[B, I, D], target: L[B, O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(matched_logits(net, x), target).mean()


def matched_logits_of_one(net: Network[I, H1, H2, O, D], x: R[I, D]) -> BVar[R[O, D]]:
    match net:
        case Network(w1, b1, w2, b2, w3, b3):
            y1 = tp.sigmoid(w1 @ x + b1)
            y2 = tp.sigmoid(w2 @ y1 + b2)
            return w3 @ y2 + b3


def matched_loss_of_one(net: Network[I, H1, H2, O, D], x: R[I, D], target: R[O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(matched_logits_of_one(net, x), target)


class Way(NamedTuple):
    """The functions of the classifier, for a batch and for one sample, written in one of several ways."""

    logits: Callable[..., BVar[Any]]
    logits_of_one: Callable[..., BVar[Any]]
    loss: Callable[..., BVar[float]]
    loss_of_one: Callable[..., BVar[float]]


class AnotherWay(Contender):
    """typedprop, by functions that a subclass names."""

    way: ClassVar[Way]

    def classifier_gradient(self, work: Classifier) -> Call:
        way, net, x, target = self.way, network(work.parameters), data(work.x), data(work.target)
        gradient = tp.grad(way.loss) if work.x.ndim > 1 else tp.grad(way.loss_of_one)
        return lambda: gradient(net, x, target)

    def classifier_step(self, work: Classifier) -> Call:
        way, net, x, target = self.way, network(work.parameters), data(work.x), data(work.target)
        gradient = tp.grad(way.loss) if work.x.ndim > 1 else tp.grad(way.loss_of_one)
        return lambda: net - work.rate * gradient(net, x, target)

    def classifier_run(self, work: Classifier) -> Call:
        way, net, x = self.way, network(work.parameters), data(work.x)
        run = way.logits if work.x.ndim > 1 else way.logits_of_one
        return lambda: run(net, x)

    def arrays(self, result: object) -> list[Array]:
        return [np.asarray(leaf.value) for leaf in tp.tree.leaves(result)]


class ByMatching(AnotherWay):
    """typedprop, by pattern matching."""

    name: ClassVar[str] = "typedprop, match"
    way: ClassVar[Way] = Way(matched_logits, matched_logits_of_one, matched_loss, matched_loss_of_one)
