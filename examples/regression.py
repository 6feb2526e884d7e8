"""Linear and logistic regression: two models of one layer, each on a table that comes with scikit-learn.

The linear model tells how far a diabetes progresses from ten measurements. Gradient descent must find what the normal
equations say. The logistic model tells benign from malignant tumours by thirty measurements. What they learned is drawn
in out/regression.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer, load_diabetes
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record


# %% Sizes
class Samples(Dim): ...


class Features(Dim): ...


F = TypeVar("F", bound=int)
N = TypeVar("N", bound=int)


# %% The model: one layer with one output
@attrs.frozen
class Affine(Record, Generic[F]):
    weights: BVar[R[F]]
    offset: BVar[float]


def scores(model: Affine[F], x: L[N, F]) -> BVar[R[N]]:
    """A number for each row of x."""
    return x @ model.weights + model.offset


def square_error(model: Affine[F], x: L[N, F], y: R[N]) -> BVar[float]:
    error = scores(model, x) - y
    return (error * error).mean()


def cross_entropy(model: Affine[F], x: L[N, F], y: R[N]) -> BVar[float]:
    """Of the labels y, 0 or 1, when the logistic of the score is the probability of a 1."""
    z = scores(model, x)
    return (tp.softplus(z) - y * z).mean()


# %% Training: gradient descent with momentum
def train(model: Affine[F], x: L[N, F], y: R[N], *, logistic: bool, rate: float, steps: int) -> Affine[F]:
    gradient = tp.grad(cross_entropy if logistic else square_error)
    velocity = 0.0 * model
    for _ in range(steps):
        velocity = 0.9 * velocity - rate * gradient(model, x, y)
        model = model + velocity
    return model


def blank(features: Features) -> Affine[Features]:
    return Affine(BVar(tp.zeros(features)), BVar(0.0))


# %% The data, each column with mean 0 and variance 1
def table(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.floating | np.integer]
) -> tuple[L[Samples, Features], R[Samples]]:
    samples, features = Samples(x.shape[0]), Features(x.shape[1])
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    return tp.matrix(standard, samples, features), tp.vector(y, samples)


# %% The linear model, against the exact solution
def linear(steps: int) -> tuple[Affine[Features], float, R[Samples], R[Samples]]:
    """The model, how far it is from the normal equations' solution, what it says, and the truth."""
    x, y = table(*load_diabetes(return_X_y=True, scaled=False))
    model = train(blank(Features(x.shape[1])), x, y, logistic=False, rate=0.2, steps=steps)
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(y))]), y, rcond=None)
    found = np.append(model.weights.value, model.offset.value)
    return model, float(np.max(np.abs(found - exact))), scores(model, x).value, y


# %% The logistic model, on samples that it has not seen
def logistic(steps: int, seed: int) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The share of held-out tumours that are told right, and their probabilities and labels."""
    x, y = table(*load_breast_cancer(return_X_y=True))
    order = np.random.default_rng(seed).permutation(len(y))
    train_rows, test_rows = order[: len(y) * 2 // 3], order[len(y) * 2 // 3 :]
    count = Samples(len(train_rows))
    rows = tp.vector(train_rows, count, dtype=np.int64)
    model = train(blank(Features(x.shape[1])), x[rows], y[rows], logistic=True, rate=0.1, steps=steps)
    probability = tp.sigmoid(scores(model, x)).value[test_rows]
    label = y[test_rows]
    return float(np.mean((probability > 0.5) == (label > 0.5))), probability, label


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Linear and logistic regression on tables of scikit-learn.")
    parser.add_argument("--steps", type=int, default=2000, help="steps of descent (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the held-out choice (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/regression.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    _, distance, said, truth = linear(options.steps)
    explained = 1.0 - np.var(truth - said) / np.var(truth)
    print(f"linear: {explained:.1%} of the variance explained, {distance:.1e} from the exact solution")
    accuracy, probability, label = logistic(options.steps, options.seed)
    print(f"logistic: {accuracy:.1%} of {len(label)} held-out tumours told right")

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(truth, said, ".", alpha=0.5)
    left.axline((150.0, 150.0), slope=1.0, color="0.6")
    left.set(title="Linear: progression of diabetes", xlabel="measured", ylabel="predicted")
    for value, name in ((0.0, "malignant"), (1.0, "benign")):
        right.hist(probability[label == value], bins=np.linspace(0.0, 1.0, 21), alpha=0.6, label=name)
    right.set(title="Logistic: held-out tumours", xlabel="probability of being benign", ylabel="count")
    right.legend()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, format="png", dpi=120)

    if not (distance < 1e-3 and accuracy > 0.95):
        print("regression: this is not what was to be found; take more steps", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
