"""Records and gradients: layers in the wrong order, the wrong target, the gradient of another record."""
# fmt: off

from typing import Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record

I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
B = TypeVar("B", bound=int)


class Pixels(Dim): ...
class Hidden(Dim): ...
class Digits(Dim): ...


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


@attrs.frozen
class Line(Record):
    slope: BVar[float]
    offset: BVar[float]


# In the body, once for all sizes.
def wrong_order(net: Network[I, H, O], x: R[I]) -> None:
    net.weight2 @ x  # E: mypy=operator pyright=reportOperatorIssue
    net.weight2 @ tp.sigmoid(net.weight2 @ net.bias1)  # E: mypy=arg-type pyright=reportOperatorIssue


def transposed_weight(net: Network[I, H, O], x: R[I]) -> None:
    net.weight1.T @ x  # E: mypy=operator pyright=reportOperatorIssue
    x @ net.weight1  # E: mypy=operator pyright=reportOperatorIssue


def wrong_bias(net: Network[I, H, O], x: R[I]) -> None:
    net.weight1 @ x + net.bias2  # E: mypy=operator pyright=reportOperatorIssue


def missing_transposition(net: Network[I, H, O], x: L[B, I]) -> None:
    x @ net.weight1  # E: mypy=operator pyright=reportOperatorIssue
    net.weight1 @ x  # E: mypy=operator pyright=reportOperatorIssue
    x @ net.weight1.T + net.bias2  # E: mypy=operator pyright=reportOperatorIssue


def wrong_result(net: Network[I, H, O], x: R[I]) -> BVar[R[H]]:
    return net.weight2 @ tp.sigmoid(net.weight1 @ x)  # E: mypy=return-value pyright=reportReturnType


def wrong_target(net: Network[I, H, O], target: R[I]) -> None:
    target - net.bias2  # E: mypy=operator pyright=reportOperatorIssue


def no_scalar(net: Network[I, H, O], x: R[I]) -> BVar[R[H]]:
    return net.weight1 @ x


def net_error(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    error = target - (net.weight2 @ tp.sigmoid(net.weight1 @ x + net.bias1) + net.bias2)
    return error @ error


def line_error(line: Line, x: float, y: float) -> BVar[float]:
    return (line.slope * x + line.offset - y) ** 2


def plain_loss(x: R[Pixels]) -> float:
    return float(x @ x)


# Where the record is made.
pixels, hidden, digits = Pixels(5), Hidden(4), Digits(3)
weight1, bias1 = BVar(tp.ones(hidden, pixels)), BVar(tp.ones(hidden))
weight2, bias2 = BVar(tp.ones(digits, hidden)), BVar(tp.ones(digits))
Network(weight1.T, bias1, weight2, bias2)  # E: mypy=misc pyright=reportArgumentType
Network(weight1, bias2, weight2, bias2)  # E: mypy=misc pyright=reportArgumentType
Network(weight1, bias1, weight1, bias2)  # E: mypy=misc pyright=reportArgumentType
Network(weight1, bias1, bias2, weight2)  # E: mypy=arg-type pyright=reportArgumentType
Network(weight1, bias1, weight2)  # E: mypy=call-arg pyright=reportCallIssue
Network(weight1, tp.ones(hidden), weight2, bias2)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
Network(BVar(tp.ones(hidden, pixels, dtype=np.float32)), bias1, weight2, bias2)
Line(1.0, BVar(2.0))  # E: mypy=arg-type pyright=reportArgumentType

# Where it is used.
net = Network(weight1, bias1, weight2, bias2)
line = Line(BVar(1.0), BVar(2.0))
x, target = tp.ones(pixels), tp.ones(digits)
net_error(net, target, x)  # E: mypy=misc pyright=reportArgumentType
net_error(net, x, x)  # E: mypy=misc pyright=reportArgumentType
net_error(line, x, target)  # E: mypy=arg-type pyright=reportArgumentType
net_error(net, tp.ones(pixels, dtype=np.float32), target)  # E: mypy=arg-type pyright=reportArgumentType
net.weight3  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
net.weight1 = weight1  # E: mypy=misc pyright=reportAttributeAccessIssue

# Gradients.
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(net_error)(line, x, target)  # E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(net_error)(net, target, x)  # E: mypy=misc pyright=reportArgumentType
tp.grad(net_error)(net, x)  # E: mypy=call-arg pyright=reportCallIssue
tp.grad(no_scalar)  # E: mypy=arg-type pyright=reportArgumentType
tp.grad(plain_loss)  # E: mypy=arg-type pyright=reportArgumentType
tp.grad(net_error, "net")  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.backprop(net_error, net, target, x)  # E: mypy=arg-type pyright=reportArgumentType
tp.backprop(line_error, net, 1.0, 2.0)  # E: mypy=misc pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g1: Line = tp.grad(net_error)(net, x, target)  # E: mypy=assignment pyright=reportAssignmentType
# E: mypy=arg-type pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g2: Network[Hidden, Hidden, Digits] = tp.grad(net_error)(net, x, target)
# E: mypy=assignment pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g3: BVar[L[Digits, Hidden]] = tp.grad(net_error)(net, x, target).weight1
tp.vjp(line_error, line, 1.0, 2.0)[1](line)  # E: mypy=arg-type pyright=reportArgumentType
tp.jvp(line_error, line, net, 1.0, 2.0)  # E: mypy=misc pyright=reportArgumentType

# Steps.
# gap: ty "does not solve the variables of a generic function that is an argument"
line - tp.grad(net_error)(net, x, target)  # E: mypy=operator pyright=reportOperatorIssue
net - 0.1  # E: mypy=operator pyright=reportOperatorIssue
net * net  # E: mypy=operator pyright=reportOperatorIssue
net * x  # E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
net + tp.grad(line_error)(line, 1.0, 2.0)  # E: mypy=operator pyright=reportOperatorIssue
