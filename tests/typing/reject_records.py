"""Records: fields that do not fit each other, wrong members, and what a union may be."""
# fmt: off

from __future__ import annotations

from typing import Generic, Literal

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)
N = TypeVar("N", bound=int)


class Inputs(Dim): ...
class Hidden(Dim): ...
class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]

    def __call__(self, x: BVar[R[I]] | R[I]) -> BVar[R[O]]:
        return self.weight @ x + self.bias


@attrs.frozen
class Deep(Record, Generic[I, N, O]):
    first: Layer[I, N]
    middle: list[Layer[N, N]]
    last: Layer[N, O]
    scales: dict[str, BVar[float]]
    offset: BVar[R[O]] | None = None
    name: str = "deep"


@attrs.frozen
class Three(Record):
    weight: BVar[R[Literal[3]]]


@attrs.frozen
class Scale(Record):
    factor: BVar[float]


inputs, hidden, outputs = Inputs(4), Hidden(3), Outputs(2)
first = Layer(BVar(tp.ones(hidden, inputs)), BVar(tp.zeros(hidden)))
middle = Layer(BVar(tp.ones(hidden, hidden)), BVar(tp.zeros(hidden)))
last = Layer(BVar(tp.ones(outputs, hidden)), BVar(tp.zeros(outputs)))
scales = {"middle": BVar(0.5)}
net = Deep(first, [middle], last, scales)
x = tp.ones(inputs)

# Where they are made.
# E: mypy=misc pyright=reportArgumentType  # gap: ty "takes two sizes for one variable as their union"
Layer(BVar(tp.ones(hidden, inputs)), BVar(tp.zeros(inputs)))
Layer(BVar(tp.ones(hidden, inputs)).T, BVar(tp.zeros(hidden)))  # E: mypy=misc pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
Layer(BVar(tp.ones(hidden, inputs)), BVar(tp.zeros(hidden, dtype=np.float32)))
Layer(tp.ones(hidden, inputs), BVar(tp.zeros(hidden)))  # E: mypy=arg-type pyright=reportArgumentType
Layer(BVar(tp.ones(hidden, inputs)))  # E: mypy=call-arg pyright=reportCallIssue
Layer(BVar(tp.ones(hidden)), BVar(tp.ones(hidden, inputs)))  # E: mypy=arg-type pyright=reportArgumentType
Deep(last, [middle], last, scales)  # E: mypy=misc pyright=reportArgumentType
Deep(first, [first], last, scales)  # E: mypy=misc pyright=reportArgumentType
Deep(first, middle, last, scales)  # E: mypy=arg-type pyright=reportArgumentType
Deep(first, [middle], first, scales)  # E: mypy=misc pyright=reportArgumentType
Deep(first, [middle], last, {"middle": 0.5})  # E: mypy=dict-item pyright=reportArgumentType
Deep(first, [middle], last, scales, BVar(tp.ones(hidden)))  # E: mypy=misc pyright=reportArgumentType
Deep(first, [middle], last, scales, tp.ones(outputs))  # E: mypy=arg-type pyright=reportArgumentType
Deep(first, [middle], last, scales, None, 3)  # E: mypy=arg-type pyright=reportArgumentType
Three(BVar(tp.ones(hidden)))  # E: mypy=arg-type pyright=reportArgumentType
l1: Layer[Hidden, Inputs] = first  # E: mypy=assignment pyright=reportAssignmentType
l2: Deep[Inputs, Inputs, Outputs] = net  # E: mypy=assignment pyright=reportAssignmentType

# Where they are used.
first(tp.ones(hidden))  # E: mypy=arg-type pyright=reportArgumentType
first(last(first(x)))  # E: mypy=arg-type pyright=reportArgumentType
last(x)  # E: mypy=arg-type pyright=reportArgumentType
net.middle[0](x)  # E: mypy=arg-type pyright=reportArgumentType
net.scales["middle"] + net.first  # E: mypy=operator pyright=reportOperatorIssue
net.offset + 1.0  # E: mypy=operator pyright=reportOptionalOperand
net.first.weights  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
# E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes an unfit operand of `Self` for a wider type"
net.first + net.last
# E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes an unfit operand of `Self` for a wider type"
net + first
net.middle + first  # E: mypy=operator pyright=reportOperatorIssue
# E: mypy=arg-type
# gap: pyright zuban ty "takes any keyword in attrs.evolve, which mypy and pyrefly know by a plugin of their own"
attrs.evolve(first, bias=BVar(tp.ones(inputs)))
# E: mypy=call-arg
# gap: pyright zuban ty "takes any keyword in attrs.evolve, which mypy and pyrefly know by a plugin of their own"
attrs.evolve(first, biases=first.bias)
tp.tree.map(lambda leaf: leaf, first).middle  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
tp.tree.unflatten(tp.tree.flatten(first)[1], []).middle  # E: mypy=attr-defined pyright=reportAttributeAccessIssue


def error(net: Deep[I, N, O], x: R[I]) -> BVar[float]:
    y = net.last(tp.tanh(net.first(x)))
    return y @ y


def wrong_chain(net: Deep[I, N, O], x: R[I]) -> BVar[R[O]]:
    return net.first(net.last(x))  # E: mypy=arg-type,return-value pyright=reportArgumentType,reportReturnType


def wrong_member(step: Layer[N, N] | Scale, at: BVar[R[N]]) -> BVar[R[N]]:
    return step.weight @ at  # E: mypy=union-attr pyright=reportAttributeAccessIssue


def wrong_case(step: Layer[N, O] | Scale, at: BVar[R[N]]) -> BVar[R[N]]:
    match step:
        case Layer(weight, bias):
            return weight @ at + bias  # E: mypy=return-value pyright=reportReturnType
        case Scale(factor):
            return factor  # E: mypy=return-value pyright=reportReturnType


# Their gradients.
# E: mypy=misc pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(error)(net, tp.ones(hidden))
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(error)(first, x)
# E: mypy=assignment pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g1: Layer[Inputs, Hidden] = tp.grad(error)(net, x)
# E: mypy=assignment pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g2: BVar[R[Hidden]] = tp.grad(error)(net, x).last.bias
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
first - tp.grad(error)(net, x).last

# A record is one by its class.
record: Record = BVar(1.0)  # E: mypy=assignment pyright=reportAssignmentType
Record(x)  # E: mypy=call-arg pyright=reportCallIssue
