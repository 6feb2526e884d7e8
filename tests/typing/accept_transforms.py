"""Transformations of functions, methods, lambdas and partial functions, by any argument and to any order."""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Literal, assert_type

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)


class Inputs(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]

    def loss(self, x: R[I]) -> BVar[float]:
        y = self.weight @ x + self.bias
        return y @ y


@attrs.frozen
class Line(Record):
    slope: BVar[float]
    offset: BVar[float]

    def at(self, x: float) -> BVar[float]:
        return self.slope * x + self.offset


@attrs.frozen
class Data(Generic[I]):
    x: R[I]

    def loss(self, layer: Layer[I, O]) -> BVar[float]:
        return layer.loss(self.x)


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
line = Line(BVar(1.0), BVar(2.0))
x = tp.ones(inputs)
v = BVar(x)
s = BVar(2.0)


def loss(layer: Layer[I, O], x: R[I], scale: float = 1.0) -> BVar[float]:
    return scale * layer.loss(x)


def both(left: BVar[R[M]], right: BVar[R[N]], third: Line) -> BVar[float]:
    return left.sum() * right.sum() * third.slope + third.offset


def squares(x: BVar[R[N]]) -> BVar[R[N]]:
    return x * x


def length(x: BVar[R[N]]) -> BVar[float]:
    return x @ x


def scaled(t: BVar[float], by: R[N]) -> BVar[R[N]]:
    return t * by


def three(x: BVar[R[Literal[3]]]) -> BVar[float]:
    return x @ x


def length32(x: BVar[R[N, np.float32]]) -> BVar[float]:
    return x @ x


# By any argument, with defaults and keywords passed on.
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(loss)(layer, x), Layer[Inputs, Outputs])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(loss)(layer, x, 2.0), Layer[Inputs, Outputs])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(loss)(layer, x, scale=2.0), Layer[Inputs, Outputs])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(both)(v, v, line), BVar[R[Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(both, 1)(v, layer.bias, line), BVar[R[Outputs]])
assert_type(tp.grad(both, 2)(v, layer.bias, line), Line)
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(both, argnums=(0, 1))(v, layer.bias, line), tuple[BVar[R[Inputs]], BVar[R[Outputs]]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(both, (0, 1, 2))(v, layer.bias, line), tuple[BVar[R[Inputs]], BVar[R[Outputs]], Line])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.value_and_grad(loss)(layer, x), tuple[BVar[float], Layer[Inputs, Outputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.value_and_grad(both, (0, 1))(v, v, line), tuple[BVar[float], tuple[BVar[R[Inputs]], BVar[R[Inputs]]]])
assert_type(tp.value_and_grad(both, 2)(v, v, line)[1], Line)

# Lambdas: backprop and vjp infer them; grad takes one that has a declared type.
assert_type(tp.backprop(lambda n: n.loss(x), layer), tuple[BVar[float], Layer[Inputs, Outputs]])
assert_type(tp.backprop(lambda n: n.weight @ x, layer), tuple[BVar[R[Outputs]], Layer[Inputs, Outputs]])
assert_type(tp.vjp(lambda n: n.weight @ x, layer)[0], BVar[R[Outputs]])
assert_type(tp.vjp(lambda n: n.weight @ x, layer)[1](layer.bias), Layer[Inputs, Outputs])
assert_type(tp.jvp(lambda n: n.weight, layer, layer), tuple[BVar[L[Outputs, Inputs]], BVar[L[Outputs, Inputs]]])
assert_type(tp.hvp(lambda n: n.loss(x), layer, layer), Layer[Inputs, Outputs])
declared: Callable[[BVar[R[Inputs]]], BVar[float]] = lambda v: v @ v  # noqa: E731
assert_type(tp.grad(declared)(v), BVar[R[Inputs]])
# gap: pyright=reportAssertTypeFailure,reportOperatorIssue "cannot infer a lambda here: write backprop(lambda ...)"
# gap: mypy=assert-type pyrefly zuban ty "cannot infer a lambda here: write backprop(lambda ...)"
assert_type(tp.grad(lambda t: t * t)(s), BVar[float])

# Methods: bound ones, of generic classes too, and the unbound ones of plain classes.
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(Data(x).loss)(layer), Layer[Inputs, Outputs])
assert_type(tp.backprop(Data(x).loss, layer), tuple[BVar[float], Layer[Inputs, Outputs]])
assert_type(tp.grad(Line.at)(line, 2.0), Line)
assert_type(tp.backprop(Line.at, line, 2.0), tuple[BVar[float], Line])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(Layer[Inputs, Outputs].loss)(layer, x), Layer[Inputs, Outputs])
# gap: pyright=reportAssertTypeFailure zuban ty "forgets the sizes of an unbound method: write Layer[A, B].loss"
assert_type(tp.grad(Layer.loss)(layer, x), Layer[Inputs, Outputs])
# gap: pyright "forgets the sizes of an unbound method: write Layer[A, B].loss"
assert_type(tp.backprop(Layer.loss, layer, x), tuple[BVar[float], Layer[Inputs, Outputs]])

# Partial functions.
# gap: mypy=assert-type zuban ty "functools.partial loses the types of its parameters"
assert_type(tp.grad(partial(both, right=v, third=line))(v), BVar[R[Inputs]])
# gap: mypy=assert-type zuban "functools.partial loses the types of its parameters"
assert_type(tp.backprop(partial(loss, scale=2.0), layer, x), tuple[BVar[float], Layer[Inputs, Outputs]])


# Nested: of any order, of gradients within losses, over and under forward mode.
def cube(t: BVar[float]) -> BVar[float]:
    return t * t * t


def penalty(x: BVar[R[N]]) -> BVar[float]:
    g = tp.grad(length)(x)
    assert_type(g, BVar[R[N]])  # gap: ty "does not solve the variables of a generic function that is an argument"
    return g @ g


def directional(x: BVar[R[N]], along: BVar[R[N]]) -> BVar[float]:
    out, tangent = tp.jvp(length, x, along)
    assert_type(tangent, BVar[float])
    return out * tangent


assert_type(tp.grad(tp.grad(cube))(s), BVar[float])
assert_type(tp.grad(tp.grad(tp.grad(tp.grad(cube))))(s), BVar[float])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(penalty)(v), BVar[R[Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(directional)(v, v), BVar[R[Inputs]])
assert_type(tp.jvp(tp.grad(cube), s, s), tuple[BVar[float], BVar[float]])
# gap: pyrefly "forgets that the result of a transformation is generic: write a def"
assert_type(tp.vjp(tp.grad(length), v)[1](v), BVar[R[Inputs]])
assert_type(tp.backprop(tp.grad(cube), s), tuple[BVar[float], BVar[float]])

# Matrices of derivatives.
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.jacobian(squares)(v), BVar[L[Inputs, Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.jacobian(squares, "fwd")(v), BVar[L[Inputs, Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.jacobian(length)(v), BVar[R[Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.jacobian(scaled)(s, x), BVar[R[Inputs]])
assert_type(tp.jacobian(cube)(s), BVar[float])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.hessian(length)(v), BVar[L[Inputs, Inputs]])
assert_type(tp.hessian(cube)(s), BVar[float])
assert_type(tp.hvp(length, v, v), BVar[R[Inputs]])
assert_type(tp.hvp(loss, layer, layer, x), Layer[Inputs, Outputs])

# Literal sizes, float32, and unknown sizes.
assert_type(tp.grad(three)(BVar(tp.vector([1.0, 2.0, 3.0]))), BVar[R[Literal[3]]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(length32)(BVar(tp.ones(inputs, dtype=np.float32))), BVar[R[Inputs, np.float32]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(length)(BVar(tp.ones(3))), BVar[R[Any]])

# What keeps a function's type.
assert_type(tp.checkpoint(squares)(v), BVar[R[Inputs]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(tp.checkpoint(length))(v), BVar[R[Inputs]])
assert_type(tp.no_gradient(squares)(v), BVar[R[Inputs]])
assert_type(tp.stop_gradient(layer), Layer[Inputs, Outputs])
assert_type(tp.stop_gradient(v), BVar[R[Inputs]])


@tp.checkpoint
def block(x: BVar[R[N]], by: float) -> BVar[R[N]]:
    return tp.tanh(x) * by


assert_type(block(v, 2.0), BVar[R[Inputs]])


# Functions that take functions.
def newton(f: Callable[[BVar[float]], BVar[float]], t: BVar[float]) -> BVar[float]:
    return t - f(t) / tp.grad(f)(t)


def descend(f: Callable[[BVar[R[N]]], BVar[float]], x: BVar[R[N]]) -> BVar[R[N]]:
    return x - 0.1 * tp.grad(f)(x)


assert_type(newton(cube, s), BVar[float])
assert_type(newton(lambda t: t * t - 2.0, s), BVar[float])
assert_type(descend(length, v), BVar[R[Inputs]])
assert_type(descend(lambda v: v @ v, v), BVar[R[Inputs]])
