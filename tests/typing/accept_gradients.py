"""Records and gradients: the gradient is of the type of the parameters, whatever they are."""

from collections.abc import Callable
from typing import Any, Generic, assert_type

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


class Batch(Dim): ...


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


def run_net(net: Network[I, H, O], x: R[I]) -> BVar[R[O]]:
    y = tp.sigmoid(net.weight1 @ x + net.bias1)
    assert_type(y, BVar[R[H]])
    return tp.sigmoid(net.weight2 @ y + net.bias2)


def net_error(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    error = target - run_net(net, x)
    return error @ error


def descend(net: Network[I, H, O], x: R[I], target: R[O]) -> Network[I, H, O]:
    gradient = tp.grad(net_error)(net, x, target)
    # gap: ty "does not solve the variables of a generic function that is an argument"
    assert_type(gradient, Network[I, H, O])
    return net - 0.1 * gradient


def run_batch(net: Network[I, H, O], x: L[B, I]) -> BVar[L[B, O]]:
    y = tp.sigmoid(x @ net.weight1.T + net.bias1)
    return y @ net.weight2.T + net.bias2


def batch_error(net: Network[I, H, O], x: L[B, I], target: L[B, O]) -> BVar[float]:
    return tp.softmax_cross_entropy(run_batch(net, x), target).mean()


rng = np.random.default_rng(0)
pixels, hidden, digits, batch = Pixels(5), Hidden(4), Digits(3), Batch(2)
net = Network(
    BVar(tp.normal(rng, hidden, pixels)),
    BVar(tp.zeros(hidden)),
    BVar(tp.normal(rng, digits, hidden)),
    BVar(tp.zeros(digits)),
)
x = tp.ones(pixels)
target = tp.zeros(digits)
assert_type(net, Network[Pixels, Hidden, Digits])
assert_type(net.weight1, BVar[L[Hidden, Pixels]])
assert_type(run_net(net, x), BVar[R[Digits]])
assert_type(run_net(net, x).value, R[Digits])
assert_type(run_batch(net, tp.ones(batch, pixels)), BVar[L[Batch, Digits]])
assert_type(descend(net, x, target), Network[Pixels, Hidden, Digits])

# The record's arithmetic.
assert_type(net + net, Network[Pixels, Hidden, Digits])
assert_type(net - net, Network[Pixels, Hidden, Digits])
assert_type(-net, Network[Pixels, Hidden, Digits])
assert_type(2 * net, Network[Pixels, Hidden, Digits])
assert_type(net * BVar(2.0), Network[Pixels, Hidden, Digits])
assert_type(net / 2.0, Network[Pixels, Hidden, Digits])
assert_type(attrs.evolve(net, bias1=BVar(tp.ones(hidden))), Network[Pixels, Hidden, Digits])
match net:
    case Network(weight1, bias1, weight2, bias2):
        assert_type(weight1, BVar[L[Hidden, Pixels]])
        assert_type(bias1, BVar[R[Hidden]])
        assert_type(weight2, BVar[L[Digits, Hidden]])
        assert_type(bias2, BVar[R[Digits]])

# Transformations.
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(net_error)(net, x, target), Network[Pixels, Hidden, Digits])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(net_error)(net, x, target).weight2, BVar[L[Digits, Hidden]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(batch_error)(net, tp.ones(batch, pixels), tp.ones(batch, digits)), Network[Pixels, Hidden, Digits])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.value_and_grad(net_error)(net, x, target), tuple[BVar[float], Network[Pixels, Hidden, Digits]])
assert_type(tp.backprop(net_error, net, x, target), tuple[BVar[float], Network[Pixels, Hidden, Digits]])
assert_type(tp.backprop(lambda n: net_error(n, x, target), net), tuple[BVar[float], Network[Pixels, Hidden, Digits]])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.backprop(run_net, net, x), tuple[BVar[R[Digits]], Network[Pixels, Hidden, Digits]])
output, pullback = tp.vjp(run_net, net, x)
assert_type(output, BVar[R[Digits]])  # gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(pullback(output), Network[Pixels, Hidden, Digits])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.jvp(run_net, net, net, x), tuple[BVar[R[Digits]], BVar[R[Digits]]])


# By other arguments, and by several.
def misfit(w: BVar[L[Digits, Hidden]], b: BVar[R[Digits]], at: BVar[R[Hidden]], scale: float) -> BVar[float]:
    return scale * tp.square(w @ at + b).sum()


w, b, at = net.weight2, net.bias2, net.bias1
assert_type(tp.grad(misfit)(w, b, at, 1.0), BVar[L[Digits, Hidden]])
assert_type(tp.grad(misfit, 1)(w, b, at, 1.0), BVar[R[Digits]])
assert_type(tp.grad(misfit, argnums=2)(w, b, at, 1.0), BVar[R[Hidden]])
assert_type(tp.grad(misfit, (0, 1))(w, b, at, 1.0), tuple[BVar[L[Digits, Hidden]], BVar[R[Digits]]])
assert_type(tp.grad(misfit, (0, 1, 2))(w, b, at, 1.0), tuple[BVar[L[Digits, Hidden]], BVar[R[Digits]], BVar[R[Hidden]]])
assert_type(tp.value_and_grad(misfit, 1)(w, b, at, 1.0), tuple[BVar[float], BVar[R[Digits]]])


# Of scalars, tuples, lists and dicts, and of any order.
def cube(t: BVar[float]) -> BVar[float]:
    return t**3


def total(parts: tuple[BVar[float], BVar[R[Hidden]]]) -> BVar[float]:
    return parts[0] * parts[1].sum()


def sum_of_squares(parts: list[BVar[R[Hidden]]]) -> BVar[float]:
    out = BVar(0.0)
    for part in parts:
        out = out + part @ part
    return out


def by_name(parts: dict[str, BVar[float]]) -> BVar[float]:
    return parts["a"] * parts["b"]


assert_type(tp.grad(cube)(BVar(2.0)), BVar[float])
assert_type(tp.grad(tp.grad(cube))(BVar(2.0)), BVar[float])
assert_type(tp.grad(tp.grad(tp.grad(cube)))(BVar(2.0)), BVar[float])
assert_type(tp.grad(total)((BVar(2.0), at)), tuple[BVar[float], BVar[R[Hidden]]])
assert_type(tp.grad(sum_of_squares)([at, at]), list[BVar[R[Hidden]]])
tied: dict[str, BVar[float]] = tp.grad(by_name)({"a": BVar(2.0), "b": BVar(3.0)})


def penalised(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    g = tp.grad(net_error)(net, x, target)
    return (g.weight1 * g.weight1).sum() + g.bias1 @ g.bias1


# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(penalised)(net, x, target), Network[Pixels, Hidden, Digits])
# gap: ty "does not solve the variables of a generic function that is an argument"
assert_type(tp.grad(penalised)(net, x, target).weight1, BVar[L[Hidden, Pixels]])


# A transformation is a value like any other.
Loss = Callable[[Network[I, H, O], R[I], R[O]], BVar[float]]


def trained(net: Network[I, H, O], loss: Loss[I, H, O], x: R[I], target: R[O]) -> Network[I, H, O]:
    return net - tp.grad(loss)(net, x, target) * 0.1


assert_type(trained(net, net_error, x, target), Network[Pixels, Hidden, Digits])

# An unknown size fits.
loose = Network(BVar(tp.ones(4, 5)), BVar(tp.ones(4)), BVar(tp.ones(3, 4)), BVar(tp.ones(3)))
assert_type(loose, Network[Any, Any, Any])
slope: BVar[R[Digits]] = tp.grad(net_error)(loose, x, target).bias2
