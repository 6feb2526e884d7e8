"""The network of the README, 100-20-5, trained on made data until its error has fallen.

The data are answers of a second network of the same sizes, with weights drawn from a fixed seed, to random inputs.
"""

from __future__ import annotations

from typing import Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record


# %% Sizes: names for this program's own, and variables for functions of any size
class Inputs(Dim): ...


class Hidden(Dim): ...


class Outputs(Dim): ...


I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)


# %% The model
@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


def run_net(net: Network[I, H, O], x: R[I]) -> BVar[R[O]]:
    y = tp.sigmoid(net.weight1 @ x + net.bias1)
    return tp.sigmoid(net.weight2 @ y + net.bias2)


def net_error(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    error = target - run_net(net, x)
    return error @ error


def descend(net: Network[I, H, O], x: R[I], target: R[O]) -> Network[I, H, O]:
    return net - 0.1 * tp.grad(net_error)(net, x, target)


# %% A network with random weights
def random_network(rng: np.random.Generator) -> Network[Inputs, Hidden, Outputs]:
    inputs, hidden, outputs = Inputs(100), Hidden(20), Outputs(5)
    return Network(
        weight1=BVar(tp.normal(rng, hidden, inputs)),
        bias1=BVar(tp.normal(rng, hidden)),
        weight2=BVar(tp.normal(rng, outputs, hidden)),
        bias2=BVar(tp.normal(rng, outputs)),
    )


# %% Training
def main(samples: int = 200, rounds: int = 20) -> tuple[float, float]:
    """The mean error over the samples, before training and after."""
    rng = np.random.default_rng(0)
    teacher, net = random_network(rng), random_network(rng)
    data = [(x, run_net(teacher, x).value) for x in (tp.normal(rng, Inputs(100)) for _ in range(samples))]

    def mean_error() -> float:
        return sum(net_error(net, x, target).value for x, target in data) / samples

    before = mean_error()
    for _ in range(rounds):
        for x, target in data:
            net = descend(net, x, target)
    after = mean_error()
    print(f"mean error before training: {before:.4f}, after {rounds} rounds: {after:.4f}")
    assert after < before, "training made the error larger"
    return before, after


if __name__ == "__main__":
    main()
