"""The program that is open in the editor: editor.py types further lines at its end."""

from __future__ import annotations

from typing import Generic

import attrs
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record


class Pixels(Dim): ...


class Hidden(Dim): ...


class Digits(Dim): ...


I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
N = TypeVar("N", bound=int)


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    """A layer of `H` units between `I` inputs and `O` outputs."""

    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]

    def run(self, x: R[I]) -> BVar[R[O]]:
        """The outputs for the inputs `x`."""
        return self.weight2 @ tp.tanh(self.weight1 @ x + self.bias1) + self.bias2


def loss(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    """Half the squared distance from the target."""
    error = net.run(x) - target
    return 0.5 * (error @ error)


pixels, hidden, digits = Pixels(784), Hidden(100), Digits(10)
net = Network(
    weight1=BVar(tp.zeros(hidden, pixels)),
    bias1=BVar(tp.zeros(hidden)),
    weight2=BVar(tp.zeros(digits, hidden)),
    bias2=BVar(tp.zeros(digits)),
)
x, target = tp.ones(pixels), tp.ones(digits)
