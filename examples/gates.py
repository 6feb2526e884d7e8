"""AND and XOR: the smallest networks. One neuron learns AND and cannot learn XOR; with a hidden layer, it can.

A model is a function of its parameters, so the same training serves both: of a single layer, and of a pair of layers.
What the networks say of all points of the square is drawn in out/gates.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
from matplotlib.figure import Figure
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record


# %% Sizes
class Inputs(Dim): ...


class Hidden(Dim): ...


class Cases(Dim): ...


I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
N = TypeVar("N", bound=int)
P = TypeVar("P", bound=Record)


# %% One neuron, and a hidden layer below it
@attrs.frozen
class Neuron(Record, Generic[I]):
    weights: BVar[R[I]]
    bias: BVar[float]


@attrs.frozen
class TwoLayers(Record, Generic[I, H]):
    weight: BVar[L[H, I]]
    bias: BVar[R[H]]
    top: Neuron[H]


def fire(neuron: Neuron[I], x: L[N, I] | BVar[L[N, I]]) -> BVar[R[N]]:
    return tp.sigmoid(x @ neuron.weights + neuron.bias)


def think(net: TwoLayers[I, H], x: L[N, I]) -> BVar[R[N]]:
    return fire(net.top, tp.tanh(x @ net.weight.T + net.bias))


# %% Training: full-batch gradient descent on the square error
Model = Callable[[P, L[Cases, Inputs]], BVar[R[Cases]]]


def train(model: Model[P], parameters: P, x: L[Cases, Inputs], y: R[Cases], *, rate: float, steps: int) -> P:
    def loss(p: P) -> BVar[float]:
        error = model(p, x) - y
        return error @ error

    gradient = tp.grad(loss)
    for _ in range(steps):
        parameters = parameters - rate * gradient(parameters)
    return parameters


# %% The truth tables
CASES = Cases(4)
X = tp.matrix([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], CASES, Inputs(2))
AND = tp.vector([0.0, 0.0, 0.0, 1.0], CASES)
XOR = tp.vector([0.0, 1.0, 1.0, 0.0], CASES)


def small_neuron(rng: np.random.Generator, size: I) -> Neuron[I]:
    return Neuron(BVar(tp.uniform(rng, size, low=-0.5, high=0.5)), BVar(0.0))


def small_network(rng: np.random.Generator, hidden: H) -> TwoLayers[Inputs, H]:
    return TwoLayers(
        BVar(tp.uniform(rng, hidden, Inputs(2), low=-1.0, high=1.0)), BVar(tp.zeros(hidden)), small_neuron(rng, hidden)
    )


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Teach AND to a neuron, and XOR to a network with a hidden layer.")
    parser.add_argument("--steps", type=int, default=2000, help="steps of descent (default: %(default)s)")
    parser.add_argument("--hidden", type=int, default=5, help="hidden units (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first weights (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/gates.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    rng = np.random.default_rng(options.seed)

    neuron = train(fire, small_neuron(rng, Inputs(2)), X, AND, rate=1.0, steps=options.steps)
    hopeless = train(fire, small_neuron(rng, Inputs(2)), X, XOR, rate=1.0, steps=options.steps)
    network = train(think, small_network(rng, Hidden(options.hidden)), X, XOR, rate=1.0, steps=options.steps)
    answers = {
        "AND, one neuron": (fire(neuron, X).value, AND),
        "XOR, one neuron": (fire(hopeless, X).value, XOR),
        "XOR, a hidden layer": (think(network, X).value, XOR),
    }
    worst = {}
    for name, (found, wanted) in answers.items():
        worst[name] = float(np.max(np.abs(found - wanted)))
        print(f"{name:20}", "  ".join(f"{x:.2f}" for x in found))

    side = np.linspace(-0.25, 1.25, 61)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    points = tp.matrix(grid, Cases(len(grid)), Inputs(2))
    surfaces = [fire(neuron, points), fire(hopeless, points), think(network, points)]
    figure = Figure(figsize=(10, 4.0), layout="constrained")
    for axes, surface, (name, (_, wanted)) in zip(figure.subplots(1, 3), surfaces, answers.items(), strict=True):
        axes.contourf(side, side, surface.value.reshape(61, 61), levels=np.linspace(0.0, 1.0, 21), cmap="RdBu")
        axes.scatter(X[:, 0], X[:, 1], c=wanted, cmap="gray", edgecolors="black", s=80)
        axes.set(title=name, aspect="equal", xticks=[0, 1], yticks=[0, 1])
    figure.supxlabel("wanted: white 1, black 0; answered: blue 1, red 0", fontsize=9)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, format="png", dpi=120)

    if not (worst["AND, one neuron"] < 0.1 and worst["XOR, a hidden layer"] < 0.1 and worst["XOR, one neuron"] > 0.4):
        print("gates: this is not what was to be learned; take more steps or another seed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
