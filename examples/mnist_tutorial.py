"""The MNIST tutorial of Haskell's backprop: 784-300-100-10, one sample a step, rate 0.02.

Two layers of logistic units, softmax on top, cross-entropy, plain gradient descent on one image after the other. The
data are MNIST's four IDX files (`--mnist DIR`), or else the 1,797 scans of 8 by 8 pixels that come with scikit-learn,
scaled up to 28 by 28. The error on the training and the held-out images is printed on the way, and drawn in
out/mnist_tutorial.png beside what the first layer looks at.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from typing_extensions import TypeVar

import typedprop as tp
from idx import IdxError, load_mnist
from typedprop import BVar, Dim, L, R, Record


# %% Sizes
class Pixels(Dim): ...


class Hidden1(Dim): ...


class Hidden2(Dim): ...


class Digits(Dim): ...


I = TypeVar("I", bound=int)
H1 = TypeVar("H1", bound=int)
H2 = TypeVar("H2", bound=int)
O = TypeVar("O", bound=int)
DI = TypeVar("DI", bound=Dim)
DO = TypeVar("DO", bound=Dim)


# %% The network: layers in a record
@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]


@attrs.frozen
class Network(Record, Generic[I, H1, H2, O]):
    first: Layer[I, H1]
    second: Layer[H1, H2]
    third: Layer[H2, O]


def run_layer(layer: Layer[I, O], x: R[I] | BVar[R[I]]) -> BVar[R[O]]:
    return layer.weight @ x + layer.bias


def scores(net: Network[I, H1, H2, O], x: R[I]) -> BVar[R[O]]:
    """What softmax makes probabilities of."""
    y = tp.sigmoid(run_layer(net.first, x))
    z = tp.sigmoid(run_layer(net.second, y))
    return run_layer(net.third, z)


def loss(net: Network[I, H1, H2, O], x: R[I], target: R[O]) -> BVar[float]:
    return tp.softmax_cross_entropy(scores(net, x), target)


def train_step(net: Network[I, H1, H2, O], x: R[I], target: R[O], rate: float) -> Network[I, H1, H2, O]:
    return net - rate * tp.grad(loss)(net, x, target)


def read(net: Network[I, H1, H2, O], x: R[I]) -> int:
    """The digit that the network sees."""
    return int(np.argmax(scores(net, x).value))


# %% Random weights, uniform from -0.5 to 0.5 as in the original
def random_layer(rng: np.random.Generator, inputs: DI, outputs: DO) -> Layer[DI, DO]:
    return Layer(
        BVar(tp.uniform(rng, outputs, inputs, low=-0.5, high=0.5)), BVar(tp.uniform(rng, outputs, low=-0.5, high=0.5))
    )


ScanNetwork = Network[Pixels, Hidden1, Hidden2, Digits]


def random_network(rng: np.random.Generator, hidden1: Hidden1, hidden2: Hidden2) -> ScanNetwork:
    return Network(
        random_layer(rng, PIXELS, hidden1), random_layer(rng, hidden1, hidden2), random_layer(rng, hidden2, DIGITS)
    )


# %% The data: images of 28 by 28 pixels from 0 to 1, and their digits
PIXELS, DIGITS = Pixels(28 * 28), Digits(10)
Samples = list[tuple[R[Pixels], int]]


def samples(images: npt.NDArray[np.floating], labels: npt.NDArray[np.integer]) -> Samples:
    rows = images.reshape(len(images), -1)
    return [(tp.vector(row, PIXELS), int(label)) for row, label in zip(rows, labels, strict=True)]


def scaled_up(images: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """Square images at another size, by linear interpolation between the centres of their pixels."""
    given = images.shape[-1]
    centres = np.clip((np.arange(side) + 0.5) * given / side - 0.5, 0.0, given - 1.0)
    below = np.minimum(centres.astype(int), given - 2)
    weights = np.zeros((side, given))
    weights[np.arange(side), below] = below + 1 - centres
    weights[np.arange(side), below + 1] = centres - below
    return weights @ images @ weights.T


def load(folder: Path | None, seed: int) -> tuple[Samples, Samples, str]:
    """The training and the held-out samples, and what they are."""
    if folder is not None:
        mnist = load_mnist(folder)
        return (
            samples(mnist.train_images / 255.0, mnist.train_labels),
            samples(mnist.test_images / 255.0, mnist.test_labels),
            f"MNIST from {folder}",
        )
    images, labels = load_digits(return_X_y=True)
    everything = samples(scaled_up(images.reshape(-1, 8, 8) / 16.0, 28), labels)
    order = np.random.default_rng(seed).permutation(len(everything))
    chosen = [everything[k] for k in order]
    held_out = len(chosen) // 5
    return chosen[held_out:], chosen[:held_out], "the scans of 8 by 8 pixels from scikit-learn, scaled up to 28 by 28"


# %% Training
def in_random_order(data: Samples, count: int, rng: np.random.Generator) -> Iterator[tuple[R[Pixels], int]]:
    """So many samples, each once in every round through them all."""
    while count > 0:
        for k in rng.permutation(len(data))[:count]:
            yield data[k]
        count -= len(data)


def error_rate(net: ScanNetwork, data: Samples) -> float:
    return sum(read(net, x) != digit for x, digit in data) / len(data)


@attrs.frozen
class Progress:
    """After how many samples, the error on training and on held-out images."""

    steps: int
    training: float
    held_out: float


def train(
    net: ScanNetwork,
    training: Samples,
    held_out: Samples,
    *,
    rate: float,
    steps: int,
    reports: int,
    rng: np.random.Generator,
) -> tuple[ScanNetwork, list[Progress]]:
    one_hot = tp.eye(DIGITS)
    shown = training[:500]
    history = [Progress(0, error_rate(net, shown), error_rate(net, held_out))]
    for step, (x, digit) in enumerate(in_random_order(training, steps, rng), 1):
        net = train_step(net, x, one_hot[digit], rate)
        if step % max(1, steps // reports) == 0:
            history.append(Progress(step, error_rate(net, shown), error_rate(net, held_out)))
            now = history[-1]
            print(
                f"after {step:6} samples: error {now.training:6.2%} training, {now.held_out:6.2%} held out", flush=True
            )
    return net, history


# %% The picture
def draw(path: Path, start: ScanNetwork, net: ScanNetwork, history: Sequence[Progress]) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False).flat
    curve = left.subplots()
    steps = [progress.steps for progress in history]
    curve.plot(steps, [100.0 * progress.training for progress in history], label="training")
    curve.plot(steps, [100.0 * progress.held_out for progress in history], label="held out")
    curve.set(title="One sample a step", xlabel="samples", ylabel="error (%)", ylim=0)
    curve.legend()
    right.suptitle("What the first units have learned to look at")
    # The random weights of the start are larger than what was learned.
    learned = (net - start).first.weight.value
    largest = np.abs(learned).max()
    for axes, weights in zip(right.subplots(3, 5).flat, learned, strict=False):
        axes.imshow(weights.reshape(28, 28), cmap="RdBu", vmin=-largest, vmax=largest)
        axes.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Handwritten digits by a network of 784-300-100-10, sample by sample.")
    parser.add_argument(
        "--mnist",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's four IDX files (default: the scans that come with scikit-learn, scaled up)",
    )
    parser.add_argument("--steps", type=int, default=8000, help="samples to learn from (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=0.02, help="size of a step (default: %(default)s)")
    parser.add_argument("--hidden1", type=int, default=300, help="first hidden layer (default: %(default)s)")
    parser.add_argument("--hidden2", type=int, default=100, help="second hidden layer (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and order (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/mnist_tutorial.png"),
        metavar="FILE",
        help="picture (default: %(default)s)",
    )
    options = parser.parse_args(argv)
    try:
        training, held_out, what = load(options.mnist, options.seed)
    except (IdxError, OSError) as error:
        print(f"mnist_tutorial.py: error: {error}", file=sys.stderr)
        return 2
    print(f"{what}: {len(training)} training images, {len(held_out)} held out")
    rng = np.random.default_rng(options.seed)
    start = random_network(rng, Hidden1(options.hidden1), Hidden2(options.hidden2))
    net, history = train(start, training, held_out, rate=options.rate, steps=options.steps, reports=8, rng=rng)
    draw(options.out, start, net, history)
    print(f"picture: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
