"""A network of any number of layers, whose neighbours agree by type.

A network from I to O is its output layer alone, or a layer from I to H on top of which stands a network from H to O.
The type checker holds the two H to each other wherever a network is put together, and nobody else needs to know them:
the hidden sizes come from a list at run time. Networks of three such lists learn to tell two discs from the rest of the
plane, which is drawn in out/extensible.png.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim


# %% Sizes
class Plane(Dim): ...


class Hidden(Dim): ...


class Score(Dim): ...


class Points(Dim): ...


I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
N = TypeVar("N", bound=int)
DI = TypeVar("DI", bound=Dim)
DO = TypeVar("DO", bound=Dim)


# %% The network
@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]


def apply(layer: Layer[I, O], x: L[N, I] | BVar[L[N, I]]) -> BVar[L[N, O]]:
    return x @ layer.weight.T + layer.bias


class Network(Record, Generic[I, O]):
    """Any network from I to O: an `Output`, or one `Above` another."""

    def run(self, x: L[N, I] | BVar[L[N, I]]) -> BVar[L[N, O]]:
        raise NotImplementedError


@attrs.frozen
class Output(Network[I, O], Generic[I, O]):
    layer: Layer[I, O]

    def run(self, x: L[N, I] | BVar[L[N, I]]) -> BVar[L[N, O]]:
        return apply(self.layer, x)


@attrs.frozen
class Above(Network[I, O], Generic[I, H, O]):
    layer: Layer[I, H]
    rest: Network[H, O]

    def run(self, x: L[N, I] | BVar[L[N, I]]) -> BVar[L[N, O]]:
        return self.rest.run(tp.tanh(apply(self.layer, x)))


# %% Networks of random weights, with hidden sizes from a list
def random_layer(rng: np.random.Generator, inputs: DI, outputs: DO) -> Layer[DI, DO]:
    return Layer(BVar(tp.normal(rng, outputs, inputs, scale=1.0 / math.sqrt(inputs))), BVar(tp.zeros(outputs)))


def random_network(rng: np.random.Generator, inputs: DI, hidden: Sequence[int], outputs: DO) -> Network[DI, DO]:
    if not hidden:
        return Output(random_layer(rng, inputs, outputs))
    size = Hidden(hidden[0])
    return Above(random_layer(rng, inputs, size), random_network(rng, size, hidden[1:], outputs))


def sizes(net: Network[I, O]) -> list[int]:
    """The outputs of each layer, read off the record."""
    match net:
        case Above(layer, rest):
            return [*layer.bias.shape, *sizes(rest)]
        case Output(layer):
            return [*layer.bias.shape]
        case _:
            raise TypeError(f"a network of another kind: {type(net).__name__}")


# %% Training: the gradient of a network is a network, so any optimiser will do
def loss(net: Network[I, Score], x: L[N, I], inside: L[N, Score]) -> BVar[float]:
    """The cross-entropy, when the logistic of the score is the probability of being inside."""
    score = net.run(x)
    return (tp.softplus(score) - inside * score).mean()


def train(net: Network[I, Score], x: L[N, I], inside: L[N, Score], *, steps: int) -> Network[I, Score]:
    adam = optim.adam(0.02)
    state = adam.init(net)
    gradient = tp.grad(loss)
    for _ in range(steps):
        updates, state = adam.update(gradient(net, x, inside), state, net)
        net = net + updates
    return net


# Centre and radius.
DISCS = (((-0.85, -0.3), 0.7), ((0.8, 0.5), 0.6))


def two_discs(x: L[N, Plane], count: N) -> L[N, Score]:
    inside = np.any([np.hypot(*(x - np.array(centre)).T) < radius for centre, radius in DISCS], axis=0)
    return tp.matrix(inside[:, None].astype(float), count, Score(1))


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Networks of 0, 1 and 2 hidden layers learn to tell two discs.")
    parser.add_argument("--steps", type=int, default=600, help="steps of Adam (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of points and weights (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/extensible.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)
    count = Points(800)
    x = tp.uniform(rng, count, Plane(2), low=-1.6, high=1.6)
    inside = two_discs(x, count)

    side = np.linspace(-1.6, 1.6, 81)
    grid_count = Points(81 * 81)
    grid = tp.matrix(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), grid_count, Plane(2))
    truth = two_discs(grid, grid_count)
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    accuracies = []
    for axes, hidden in zip(figure.subplots(1, 3), ([], [12], [24, 12]), strict=True):
        net = train(random_network(rng, Plane(2), hidden, Score(1)), x, inside, steps=options.steps)
        score = net.run(grid).value
        accuracies.append(float(np.mean((score > 0.0) == (truth > 0.5))))
        print(f"layers of {sizes(net)}: {accuracies[-1]:.1%} of the plane right")
        axes.contourf(side, side, tp.sigmoid(score).reshape(81, 81), levels=np.linspace(0.0, 1.0, 21), cmap="RdBu")
        for centre, radius in DISCS:
            axes.add_patch(Circle(centre, radius, fill=False))
        axes.set(title=f"hidden layers {hidden}: {accuracies[-1]:.1%}", aspect="equal")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, format="png", dpi=120)

    if not (accuracies[0] < 0.8 and accuracies[2] > 0.96):
        print("extensible: this is not what was to be learned; take more steps", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
