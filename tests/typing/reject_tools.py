"""Tools: functions without types, arguments of another kind, trees that are declared as others."""
# fmt: off

from __future__ import annotations

from fractions import Fraction
from typing import Generic

import attrs
import numpy as np
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


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
x, y = tp.ones(inputs), tp.ones(outputs)
v = BVar(x)


def length(x: BVar[R[N]]) -> BVar[float]:
    return x @ x


def loss(layer: Layer[I, O], x: R[I], scale: float = 1.0) -> BVar[float]:
    y = layer.weight @ x
    return scale * (y @ y)


@tp.checked
def centred(x: L[M, N], mean: R[N]) -> L[M, N]:
    return x - mean


# A checked function has the types that it had.
centred(tp.ones(outputs, inputs), y)  # E: mypy=misc pyright=reportArgumentType
tp.checked(centred)(x, x)  # E: mypy=arg-type pyright=reportArgumentType
tp.checked(length)(y)  # E: mypy=arg-type pyright=reportArgumentType
tp.checked(3.0)  # E: mypy=type-var pyright=reportArgumentType


# What is computed from sizes is not of either.
def joined(x: R[M], y: R[N]) -> R[tp.Add[M, N]]:
    return x  # E: mypy=return-value pyright=reportReturnType


a1: R[tp.Add[Inputs, Outputs]] = x  # E: mypy=assignment pyright=reportAssignmentType
a2: R[tp.Mul[Inputs, Outputs]] = tp.zeros(inputs)  # E: mypy=assignment pyright=reportAssignmentType

# The parameters and the tape as data.
tp.summary()  # E: mypy=call-arg pyright=reportCallIssue
tp.summary(layer, layer)  # E: mypy=call-arg pyright=reportCallIssue
tp.summary(layer).norms  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
tp.trace(loss)  # E: mypy=arg-type,call-arg pyright=reportCallIssue
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.trace(loss, layer, y)
tp.trace(loss, layer, x, scaled=2.0)  # E: mypy=arg-type pyright=reportCallIssue
tp.trace(loss, layer, x).operations[0].shape.missing  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
with tp.debug_nans(False):  # E: mypy=call-arg pyright=reportCallIssue
    pass
tp.debug_nans(nans=True)  # E: mypy=call-arg pyright=reportCallIssue

# Tests of gradients and of leaves.
testing.check_grads(loss)  # E: mypy=call-arg pyright=reportCallIssue
testing.check_grads(loss, (layer, x), modes=["reverse"])  # E: mypy=list-item pyright=reportArgumentType
testing.check_grads(3.0, (layer,))  # E: mypy=arg-type pyright=reportArgumentType
testing.check_leaf(Fraction(1, 2))  # E: mypy=arg-type pyright=reportArgumentType
testing.check_leaf([Fraction(1, 2)], close=lambda p: True)  # E: mypy=arg-type,misc pyright=reportArgumentType
mode: testing.Mode = "reverse"  # E: mypy=assignment pyright=reportAssignmentType


# A type of leaf, and a class of nodes.
class Bag:
    def __init__(self, items: list[BVar[float]]) -> None:
        self.items = items


def taken_apart(bag: Bag) -> tuple[list[BVar[float]], str]:
    return bag.items, ""


def made(rest: int, items: list[BVar[float]]) -> Bag:
    return Bag(items)


# E: mypy=arg-type,return-value pyright=reportArgumentType
# gap: zuban ty "takes the class and the result of the lambda for one wider type"
tp.register(Fraction, zero=lambda q: 0.5, one=lambda q: q)
tp.register(Fraction, zero=Fraction)  # E: mypy=call-arg pyright=reportCallIssue
tp.register(Fraction(1, 2), zero=lambda q: q, one=lambda q: q)  # E: mypy=arg-type pyright=reportArgumentType
tree.register_node(Bag, taken_apart, made)  # E: mypy=misc pyright=reportArgumentType
tree.register_node(Layer, taken_apart, made)  # E: mypy=arg-type,misc pyright=reportArgumentType
tree.flatten()  # E: mypy=call-arg pyright=reportCallIssue
tree.leaves(layer, layer)  # E: mypy=call-arg pyright=reportCallIssue
tree.unflatten(layer, tree.leaves(layer))  # E: mypy=arg-type pyright=reportArgumentType
tree.unflatten(tree.flatten(layer)[1], [x])  # E: mypy=list-item pyright=reportArgumentType
a7: Layer[Inputs, Outputs] = tree.map(lambda p, q: p + q, layer, v)  # E: mypy=arg-type pyright=reportAssignmentType
tree.map(lambda leaf: 2.0, layer)  # E: mypy=arg-type,return-value pyright=reportArgumentType,reportCallIssue
tree.ravel(layer)[1](v.sum())  # E: mypy=arg-type pyright=reportArgumentType
a3: tree.Structure[Bag] = tree.flatten(layer)[1]  # E: mypy=assignment pyright=reportAssignmentType
a4: list[tree.Leaf] = layer  # E: mypy=assignment pyright=reportAssignmentType
a5: Bag = tree.map(lambda leaf: leaf, layer)  # E: mypy=assignment pyright=reportAssignmentType
a6: BVar[R[Inputs, np.float32]] = tree.ravel(v)[0]  # E: mypy=assignment pyright=reportAssignmentType

# What is a name for a size makes no values: the program ends there.
def no_value() -> None:
    tp.Add(1, 2)  # E: mypy=arg-type,call-arg pyright=reportCallIssue


def no_other_value() -> None:
    tp.Mul(2)  # E: mypy=arg-type pyright=reportArgumentType


Dim("three")  # E: mypy=arg-type pyright=reportArgumentType
