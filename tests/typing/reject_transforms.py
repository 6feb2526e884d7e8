"""Transformations: functions without a gradient, arguments of another size, gradients taken for something else."""
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
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Inputs(Dim): ...
class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]

    def loss(self, x: R[I]) -> BVar[float]:
        y = self.weight @ x + self.bias
        return y @ y


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
x = tp.ones(inputs)
v = BVar(x)
s = BVar(2.0)


def loss(layer: Layer[I, O], x: R[I]) -> BVar[float]:
    return layer.loss(x)


def both(left: BVar[R[M]], right: BVar[R[N]]) -> BVar[float]:
    return left.sum() * right.sum()


def length(x: BVar[R[N]]) -> BVar[float]:
    return x @ x


def squares(x: BVar[R[N]]) -> BVar[R[N]]:
    return x * x


def three(x: BVar[R[Literal[3]]]) -> BVar[float]:
    return x @ x


def length32(x: BVar[R[N, np.float32]]) -> BVar[float]:
    return x @ x


def nothing() -> BVar[float]:
    return BVar(1.0)


def plain(x: R[N]) -> np.float64:
    return x.sum()


# What has no gradient.
tp.grad(squares)  # E: mypy=arg-type pyright=reportArgumentType
tp.grad(nothing)  # E: mypy=arg-type pyright=reportArgumentType
tp.grad(plain)  # E: mypy=arg-type pyright=reportArgumentType
tp.grad(3.0)  # E: mypy=call-overload pyright=reportArgumentType
tp.grad(both, 2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.grad(both, -1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.grad(both, (1, 0))  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.value_and_grad(squares)  # E: mypy=arg-type pyright=reportArgumentType
tp.backprop(plain, v)  # E: mypy=arg-type pyright=reportArgumentType
tp.hessian(squares)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.jacobian(3.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.jacobian(squares, "both")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.checkpoint(3.0)  # E: mypy=type-var pyright=reportArgumentType

# Arguments that do not fit.
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(length)(s)
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(length)(x)
tp.grad(length)()  # E: mypy=call-arg pyright=reportCallIssue
tp.grad(length)(v, v)  # E: mypy=call-arg pyright=reportCallIssue
tp.grad(three)(v)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(length32)(v)
# E: mypy=misc pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(loss)(layer, tp.ones(outputs))
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(loss)(v, x)
tp.grad(loss)(layer, x, scale=1.0)  # E: mypy=call-arg pyright=reportCallIssue
tp.grad(Layer[Inputs, Outputs].loss)(layer, tp.ones(outputs))  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.value_and_grad(length)(s)
tp.backprop(length, s)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.backprop(loss, layer, tp.ones(outputs))
tp.backprop(lambda n: n.weights, layer)  # E: mypy=attr-defined pyright=reportAttributeAccessIssue
tp.backprop(lambda n: n.weight @ n.bias, layer)  # E: mypy=operator pyright=reportOperatorIssue
tp.vjp(squares, s)  # E: mypy=arg-type pyright=reportArgumentType
tp.vjp(squares, v)[1](s)  # E: mypy=arg-type pyright=reportArgumentType
tp.vjp(squares, v)[1](BVar(tp.ones(outputs)))  # E: mypy=arg-type pyright=reportArgumentType
tp.jvp(length, v, s)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.jvp(length, v, BVar(tp.ones(outputs)))
tp.hvp(length, v, layer)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.hvp(loss, layer, layer, tp.ones(outputs))
tp.jacobian(squares)(s)  # E: mypy=arg-type pyright=reportArgumentType
tp.hessian(length)(s)  # E: mypy=arg-type pyright=reportArgumentType
tp.checkpoint(squares)(s)  # E: mypy=arg-type pyright=reportArgumentType
tp.no_gradient(squares)(v, v)  # E: mypy=call-arg pyright=reportCallIssue
tp.stop_gradient(v) + s + layer  # E: mypy=operator pyright=reportOperatorIssue
tp.testing.check_grads(length)  # E: mypy=call-arg pyright=reportCallIssue

# Results that are taken for something else.
# E: mypy=arg-type pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g1: BVar[R[Outputs]] = tp.grad(length)(v)
# E: mypy=assignment pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g2: R[Inputs] = tp.grad(length)(v)
# E: mypy=arg-type pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g3: BVar[R[Inputs]] = tp.grad(both, 1)(v, layer.bias)
# E: mypy=arg-type pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
g4: tuple[BVar[R[Outputs]], BVar[R[Inputs]]] = tp.grad(both, (0, 1))(v, layer.bias)
g5: Layer[Inputs, Outputs] = tp.value_and_grad(loss)(layer, x)  # E: mypy=assignment pyright=reportAssignmentType
g6: Layer[Outputs, Inputs] = tp.backprop(loss, layer, x)[1]  # E: mypy=assignment pyright=reportAssignmentType
g7: BVar[L[Inputs, Outputs]] = tp.jacobian(squares)(v)  # E: mypy=assignment pyright=reportAssignmentType
g8: BVar[R[Inputs]] = tp.hessian(length)(v)  # E: mypy=assignment pyright=reportAssignmentType
g9: BVar[float] = tp.hvp(length, v, v)  # E: mypy=arg-type pyright=reportAssignmentType
g10: Layer[Inputs, Inputs] = tp.stop_gradient(layer)  # E: mypy=arg-type pyright=reportAssignmentType
layer - 0.1 * tp.backprop(loss, layer, x)  # E: mypy=operator pyright=reportOperatorIssue
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
layer.bias - 0.1 * tp.grad(loss)(layer, x).weight
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
layer.weight - tp.grad(loss)(layer, x).weight.T
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(loss)(layer, x).weights


# In a generic body.
def wrong_step(layer: Layer[I, O], x: R[I]) -> Layer[I, O]:
    gradient = tp.grad(loss)(layer, x)
    # E: mypy=return-value pyright=reportReturnType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    return gradient.weight


def wrong_sizes(layer: Layer[I, O], x: R[O]) -> None:
    # E: mypy=misc pyright=reportArgumentType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    tp.grad(loss)(layer, x)


def wrong_bias(layer: Layer[I, O], x: R[I]) -> BVar[R[I]]:
    # E: mypy=return-value pyright=reportReturnType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    return tp.grad(loss)(layer, x).bias
