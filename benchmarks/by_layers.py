"""typedprop with one hand-written operation a layer: a layer's derivative is by hand, the network's is not.

What this gains over field access is the cost of recording the single operations and pulling back through them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from benchmarks.by_hand import logistic
from benchmarks.by_typedprop import AnotherWay, Network, Way, data
from typedprop import BVar, L, Local2, Local3, R

B = TypeVar("B", bound=int)
I = TypeVar("I", bound=int)
H1 = TypeVar("H1", bound=int)
H2 = TypeVar("H2", bound=int)
O = TypeVar("O", bound=int)
D = TypeVar("D", bound=np.floating[Any])


# -- A batch ----------------------------------------------------------------------------------------------------------

# The input of the first layer is data, whose cotangent nobody wants: it is keyword-only, and no operand.


@tp.op
def first_layer(weight: L[O, I, D], bias: R[O, D], *, x: L[B, I, D]) -> Local2[L[O, I, D], R[O, D], L[B, O, D]]:
    y: L[B, O, D] = data(logistic(data(x @ weight.T + bias)))

    def pull(g: L[B, O, D]) -> tuple[L[O, I, D], R[O, D]]:
        d = g * y * (1 - y)
        return d.T @ x, d.sum(axis=0)

    return Local2(y, pull)


@tp.op
def layer(weight: L[O, I, D], bias: R[O, D], x: L[B, I, D]) -> Local3[L[O, I, D], R[O, D], L[B, I, D], L[B, O, D]]:
    y: L[B, O, D] = data(logistic(data(x @ weight.T + bias)))

    def pull(g: L[B, O, D]) -> tuple[L[O, I, D], R[O, D], L[B, I, D]]:
        d = g * y * (1 - y)
        return d.T @ x, d.sum(axis=0), d @ weight

    return Local3(y, pull)


@tp.op
def last_layer(weight: L[O, I, D], bias: R[O, D], x: L[B, I, D]) -> Local3[L[O, I, D], R[O, D], L[B, I, D], L[B, O, D]]:
    def pull(g: L[B, O, D]) -> tuple[L[O, I, D], R[O, D], L[B, I, D]]:
        return g.T @ x, g.sum(axis=0), g @ weight

    return Local3(x @ weight.T + bias, pull)


def logits(net: Network[I, H1, H2, O, D], x: L[B, I, D]) -> BVar[L[B, O, D]]:
    y1 = first_layer(net.weight1, net.bias1, x=x)
    y2 = layer(net.weight2, net.bias2, y1)
    return last_layer(net.weight3, net.bias3, y2)


def loss(net: Network[I, H1, H2, O, D], x: L[B, I, D], target: L[B, O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits(net, x), target).mean()


# -- One sample -------------------------------------------------------------------------------------------------------


def _outer(x: R[O, D], y: R[I, D]) -> L[O, I, D]:
    """The outer product, written as it is by hand."""
    product: L[O, I, D] = data(x)[:, None] * y
    return product


@tp.op
def first_layer_of_one(weight: L[O, I, D], bias: R[O, D], *, x: R[I, D]) -> Local2[L[O, I, D], R[O, D], R[O, D]]:
    y: R[O, D] = data(logistic(data(weight @ x + bias)))

    def pull(g: R[O, D]) -> tuple[L[O, I, D], R[O, D]]:
        d = g * y * (1 - y)
        return _outer(d, x), d

    return Local2(y, pull)


@tp.op
def layer_of_one(weight: L[O, I, D], bias: R[O, D], x: R[I, D]) -> Local3[L[O, I, D], R[O, D], R[I, D], R[O, D]]:
    y: R[O, D] = data(logistic(data(weight @ x + bias)))

    def pull(g: R[O, D]) -> tuple[L[O, I, D], R[O, D], R[I, D]]:
        d = g * y * (1 - y)
        return _outer(d, x), d, d @ weight

    return Local3(y, pull)


@tp.op
def last_layer_of_one(weight: L[O, I, D], bias: R[O, D], x: R[I, D]) -> Local3[L[O, I, D], R[O, D], R[I, D], R[O, D]]:
    def pull(g: R[O, D]) -> tuple[L[O, I, D], R[O, D], R[I, D]]:
        return _outer(g, x), g, g @ weight

    return Local3(weight @ x + bias, pull)


def logits_of_one(net: Network[I, H1, H2, O, D], x: R[I, D]) -> BVar[R[O, D]]:
    y1 = first_layer_of_one(net.weight1, net.bias1, x=x)
    y2 = layer_of_one(net.weight2, net.bias2, y1)
    return last_layer_of_one(net.weight3, net.bias3, y2)


def loss_of_one(net: Network[I, H1, H2, O, D], x: R[I, D], target: R[O, D]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits_of_one(net, x), target)


class ByLayers(AnotherWay):
    """typedprop, by one hand-written operation a layer."""

    name: ClassVar[str] = "typedprop, layers"
    way: ClassVar[Way] = Way(logits, logits_of_one, loss, loss_of_one)
