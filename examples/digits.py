"""Learn to read handwritten digits: a typed network of two hidden layers, trained by plain gradient descent.

The data are the 1,797 scans of 8 by 8 pixels that come with scikit-learn, of which a fifth is held out for the test, or
MNIST's four IDX files. The picture that it leaves shows the learning curve, the confusion matrix, and the mistakes that
the network was surest of.

Every size has a name in the types. Exchange two layers, drop a `.T` or feed the wrong target, and the type checker says
which line is wrong before anything runs.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm
from typing_extensions import TypeVar

import typedprop as tp
from idx import IdxError, load_mnist
from typedprop import BVar, Dim, L, R, Record


# %% Sizes: names for this program's own, and variables for functions of any size
class Pixels(Dim): ...


class Hidden1(Dim): ...


class Hidden2(Dim): ...


class Digits(Dim): ...


class Batch(Dim): ...


class Training(Dim): ...


class HeldOut(Dim): ...


I = TypeVar("I", bound=int)
H1 = TypeVar("H1", bound=int)
H2 = TypeVar("H2", bound=int)
O = TypeVar("O", bound=int)
B = TypeVar("B", bound=int)
N = TypeVar("N", bound=Dim)


# %% The model
@attrs.frozen
class Network(Record, Generic[I, H1, H2, O]):
    weight1: BVar[L[H1, I]]
    bias1: BVar[R[H1]]
    weight2: BVar[L[H2, H1]]
    bias2: BVar[R[H2]]
    weight3: BVar[L[O, H2]]
    bias3: BVar[R[O]]


def logits(net: Network[I, H1, H2, O], x: L[B, I]) -> BVar[L[B, O]]:
    """A row of scores for each row of x: softmax makes them probabilities."""
    y = tp.sigmoid(x @ net.weight1.T + net.bias1)
    z = tp.sigmoid(y @ net.weight2.T + net.bias2)
    return z @ net.weight3.T + net.bias3


def loss(net: Network[I, H1, H2, O], x: L[B, I], target: L[B, O]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits(net, x), target).mean()


def descend(net: Network[I, H1, H2, O], x: L[B, I], target: L[B, O], rate: float) -> Network[I, H1, H2, O]:
    return net - rate * tp.grad(loss)(net, x, target)  # the gradient is a Network[I, H1, H2, O]


ScanNetwork = Network[Pixels, Hidden1, Hidden2, Digits]


def random_network(
    pixels: Pixels, hidden1: Hidden1, hidden2: Hidden2, digits: Digits, rng: np.random.Generator
) -> ScanNetwork:
    """Weights that keep the spread of the values from layer to layer.

    The standard deviation is 1 / sqrt(inputs), and four times that in front of the logistic, whose slope is 1/4.
    """
    return Network(
        weight1=BVar(tp.normal(rng, hidden1, pixels, scale=4.0 / math.sqrt(pixels))),
        bias1=BVar(tp.zeros(hidden1)),
        weight2=BVar(tp.normal(rng, hidden2, hidden1, scale=4.0 / math.sqrt(hidden1))),
        bias2=BVar(tp.zeros(hidden2)),
        weight3=BVar(tp.normal(rng, digits, hidden2, scale=1.0 / math.sqrt(hidden2))),
        bias3=BVar(tp.zeros(digits)),
    )


# %% The data
@attrs.frozen(eq=False)
class Samples(Generic[N]):
    """N images, one a row, with values from 0 to 1; their labels; and the labels as rows with a 1 at the digit."""

    count: N
    shape: tuple[int, int]
    images: L[N, Pixels]
    labels: R[N, np.int64]
    targets: L[N, Digits]


def make_samples(count: N, images: npt.NDArray[np.float64], digits: npt.NDArray[np.integer]) -> Samples[N]:
    height, width = images.shape[1:]
    pixels = Pixels(height * width)
    labels = tp.vector(digits, count, dtype=np.int64)
    return Samples(
        count=count,
        shape=(height, width),
        images=tp.matrix(images.reshape(count, pixels), count, pixels),
        labels=labels,
        targets=tp.eye(Digits(10))[labels],
    )


def bundled_scans(seed: int) -> tuple[Samples[Training], Samples[HeldOut]]:
    """scikit-learn's scans, split four to one with the same share of each digit on both sides."""
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images.reshape(-1, 8, 8) / 16.0, labels, test_size=0.2, stratify=labels, random_state=seed
    )
    return (
        make_samples(Training(len(train_labels)), train_images, train_labels),
        make_samples(HeldOut(len(test_labels)), test_images, test_labels),
    )


def mnist_scans(folder: Path) -> tuple[Samples[Training], Samples[HeldOut]]:
    """MNIST's own training and test images."""
    mnist = load_mnist(folder)
    return (
        make_samples(Training(len(mnist.train_labels)), mnist.train_images / 255.0, mnist.train_labels),
        make_samples(HeldOut(len(mnist.test_labels)), mnist.test_images / 255.0, mnist.test_labels),
    )


def mini_batches(
    samples: Samples[N], size: int, rng: np.random.Generator
) -> Iterator[tuple[L[Batch, Pixels], L[Batch, Digits]]]:
    """All the samples once, in a new order; the last batch holds what is left."""
    order = rng.permutation(samples.count)
    for start in range(0, samples.count, size):
        chosen = order[start : start + size]
        rows = tp.vector(chosen, Batch(len(chosen)), dtype=np.int64)
        yield samples.images[rows], samples.targets[rows]


# %% Training
@attrs.frozen
class Score:
    """The mean cross-entropy, and the share of the images that were read right."""

    loss: float
    accuracy: float


def read(net: ScanNetwork, samples: Samples[N]) -> R[N, np.int64]:
    """The digit with the highest score, image by image."""
    return tp.vector(logits(net, samples.images).value.argmax(axis=1), samples.count, dtype=np.int64)


def judge(net: ScanNetwork, samples: Samples[N]) -> Score:
    right = read(net, samples) == samples.labels
    return Score(loss(net, samples.images, samples.targets).value, float(np.mean(right)))


@attrs.frozen
class History:
    """The scores on the training images and on the held-out ones, before training and after each epoch."""

    training: list[Score]
    held_out: list[Score]


class DivergedError(ArithmeticError):
    """The loss is no longer a finite number."""


def train(
    net: ScanNetwork,
    training: Samples[Training],
    held_out: Samples[HeldOut],
    *,
    rate: float,
    epochs: int,
    batch: int,
    rng: np.random.Generator,
    quiet: bool = False,
) -> tuple[ScanNetwork, History]:
    history = History([judge(net, training)], [judge(net, held_out)])
    steps = epochs * math.ceil(training.count / batch)
    # An overflow shows in the loss. No bar (None) where the output is not a terminal.
    with (
        np.errstate(over="ignore", invalid="ignore"),
        tqdm(total=steps, desc="training", unit="step", disable=True if quiet else None) as bar,
    ):
        for epoch in range(1, epochs + 1):
            for x, target in mini_batches(training, batch, rng):
                net = descend(net, x, target, rate)
                bar.update()
            history.training.append(judge(net, training))
            history.held_out.append(judge(net, held_out))
            if not math.isfinite(history.training[-1].loss):
                raise DivergedError(f"the loss is {history.training[-1].loss} after epoch {epoch}: lower the rate")
            bar.set_postfix(epoch=epoch, accuracy=f"{history.held_out[-1].accuracy:.2%}")
    return net, history


# %% The picture
def draw(path: Path, net: ScanNetwork, held_out: Samples[HeldOut], history: History, mistakes: int = 10) -> None:
    figure = Figure(figsize=(11, 8), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(5, 3)).flat
    curve, matrix = upper.subplots(1, 2)
    draw_curve(curve, history)
    found = read(net, held_out)
    draw_confusion(matrix, held_out.labels, found)

    probability = tp.softmax(logits(net, held_out.images)).value
    wrong = np.flatnonzero(found != held_out.labels)
    surest = wrong[np.argsort(probability[wrong, found[wrong]])][::-1]
    lower.suptitle(f"{len(wrong)} mistakes, the surest first, with their probability" if len(wrong) else "No mistakes")
    panels: list[Axes] = list(lower.subplots(2, mistakes // 2).flat)
    for panel in panels:
        panel.axis("off")
    for panel, i in zip(panels, surest, strict=False):
        panel.imshow(held_out.images[i].reshape(held_out.shape), cmap="gray_r")
        panel.set_title(f"{held_out.labels[i]} read as {found[i]} ({probability[i, found[i]]:.0%})")
    figure.savefig(path, format="png", dpi=120)


def draw_curve(axes: Axes, history: History) -> None:
    epochs = range(len(history.training))
    for scores, name in ((history.training, "training"), (history.held_out, "held out")):
        axes.semilogy(epochs, [score.loss for score in scores], label=f"{name} ({scores[-1].accuracy:.1%} right)")
    axes.set(title="Learning curve", xlabel="epoch", ylabel="mean cross-entropy")
    axes.grid(alpha=0.3)
    axes.legend()


def draw_confusion(axes: Axes, truth: npt.NDArray[np.integer], found: npt.NDArray[np.integer]) -> None:
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (truth, found), 1)
    # Of a few mistakes among hundreds of images, a single scale would show nothing: red is for the mistakes alone.
    diagonal = np.eye(10, dtype=np.bool)
    axes.imshow(np.ma.masked_where(~diagonal, counts), cmap="Blues", vmin=0, vmax=1.5 * counts.max())
    axes.imshow(
        np.ma.masked_where(diagonal | (counts == 0), counts),
        cmap="Reds",
        vmin=0,
        vmax=max(1.0, 1.5 * counts[~diagonal].max()),
    )
    for row, column in np.argwhere(counts > 0):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize="small")
    axes.set(title="Confusion matrix", xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10))


# %% The command line
def positive_int(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError
    return value


def positive_float(text: str) -> float:
    if not 0.0 < (value := float(text)) < math.inf:
        raise ValueError
    return value


def seed(text: str) -> int:
    if not 0 <= (value := int(text)) < 2**32:
        raise ValueError
    return value


# argparse puts these names into its messages: "invalid whole number above 0 value: 'x'".
positive_int.__name__ = "whole number above 0"
positive_float.__name__ = "number above 0"
seed.__name__ = "seed from 0 to 4294967295"


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digits.py",
        description="Train a network of two hidden layers to read handwritten digits, and draw what it learned.",
    )
    parser.add_argument(
        "--mnist",
        type=Path,
        metavar="DIR",
        help="folder with MNIST's four IDX files, gzipped or not: train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (default: the 1,797 scans that come with scikit-learn)",
    )
    parser.add_argument(
        "--epochs",
        type=positive_int,
        metavar="N",
        help="how many times to go through the training images (default: 60, or 10 with --mnist)",
    )
    parser.add_argument(
        "--batch",
        type=positive_int,
        metavar="N",
        default=16,
        help="images in a mini-batch, over which the gradient is averaged (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=positive_float,
        metavar="X",
        default=1.0,
        help="learning rate: how much of the gradient a step subtracts (default: %(default)s)",
    )
    parser.add_argument(
        "--hidden1",
        type=positive_int,
        metavar="N",
        default=300,
        help="units in the first hidden layer (default: %(default)s)",
    )
    parser.add_argument(
        "--hidden2",
        type=positive_int,
        metavar="N",
        default=100,
        help="units in the second hidden layer (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        metavar="N",
        default=0,
        help="seed of the first weights, the order of the images and the choice of the held-out ones "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        default=Path("out/digits.png"),
        help="where to write the picture (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train, report and draw as the options say. The result is the exit status: 2 where the data cannot be used."""
    options = make_parser().parse_args(argv)
    try:
        training, held_out = mnist_scans(options.mnist) if options.mnist else bundled_scans(options.seed)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(options.seed)
        net = random_network(
            Pixels(training.images.shape[1]), Hidden1(options.hidden1), Hidden2(options.hidden2), Digits(10), rng
        )
        print(f"{training.count} training images, {held_out.count} held out, {net.weight1.shape[1]} pixels")
        net, history = train(
            net,
            training,
            held_out,
            rate=options.rate,
            epochs=options.epochs or (10 if options.mnist else 60),
            batch=options.batch,
            rng=rng,
            quiet=options.quiet,
        )
        print(f"accuracy on the held-out images: {history.held_out[-1].accuracy:.2%}")
        draw(options.out, net, held_out, history)
        print(f"picture: {options.out}")
    except (IdxError, DivergedError, OSError) as error:
        print(f"digits.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
