"""An autoregressive and a recurrent model of a real series: the yearly sunspot numbers from 1700 to 2008.

The series comes with statsmodels. Both models say the next year from the years before; the first 230 years are for
learning. The autoregressive model is linear in its parameters, so its square error is a parabola, and one step of
Newton with the exact Hessian finds what least squares say. The recurrent one reads year by year into a state, and
learns through all of them. Each then goes on by itself from the last year that it learned from. All is drawn in
out/sunspots.png.
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
from statsmodels.datasets import sunspots
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim

FIRST_YEAR = 1700
LEARNED = 230


# %% Sizes
class Years(Dim): ...


class Lags(Dim): ...


class Cells(Dim): ...


P = TypeVar("P", bound=int)
H = TypeVar("H", bound=int)
N = TypeVar("N", bound=int)


# %% The data, on a scale on which learning is easy
def load() -> tuple[R[Years], float, float]:
    """The square roots of the numbers, whose noise is even, as a standard series; and their mean and deviation."""
    numbers = np.sqrt(np.asarray(sunspots.load().endog, dtype=float))
    mean, deviation = float(numbers[:LEARNED].mean()), float(numbers[:LEARNED].std())
    return tp.vector((numbers - mean) / deviation, Years(len(numbers))), mean, deviation


# %% The autoregressive model: the next year is a weighted sum of the last ones
@attrs.frozen
class AutoRegressive(Record, Generic[P]):
    weights: BVar[R[P]]
    offset: BVar[float]


def say(model: AutoRegressive[P], past: L[N, P]) -> BVar[R[N]]:
    return past @ model.weights + model.offset


def lagged(series: R[N], lags: Lags) -> tuple[L[Years, Lags], R[Years]]:
    """For each year that has enough years before it, those years, and itself."""
    count = Years(len(series) - lags)
    past = np.lib.stride_tricks.sliding_window_view(series, lags)[:count]
    return tp.matrix(past, count, lags), tp.vector(series[lags:], count)


def fit_autoregressive(series: R[N], lags: Lags) -> AutoRegressive[Lags]:
    past, next_year = lagged(series, lags)

    def loss(model: AutoRegressive[Lags]) -> BVar[float]:
        error = say(model, past) - next_year
        return (error * error).mean()

    start = AutoRegressive(BVar(tp.zeros(lags)), BVar(0.0))
    flat, unravel = tp.tree.ravel(start)

    def flat_loss(parameters: BVar[R[Lags]]) -> BVar[float]:
        return loss(unravel(parameters))

    step = tp.linalg.solve(tp.hessian(flat_loss)(flat), tp.grad(flat_loss)(flat))
    return unravel(flat - step)


# %% The recurrent model: a state of some cells that each year changes
@attrs.frozen
class Recurrent(Record, Generic[H]):
    from_state: BVar[L[H, H]]
    from_year: BVar[R[H]]
    bias: BVar[R[H]]
    weights: BVar[R[H]]
    offset: BVar[float]


def read_year(model: Recurrent[H], state: BVar[R[H]], year: BVar[float]) -> tuple[BVar[R[H]], BVar[float]]:
    """The next state, and what the model says of the next year."""
    state = tp.tanh(model.from_state @ state + model.from_year * year + model.bias)
    return state, model.weights @ state + model.offset


def read_all(model: Recurrent[H], series: R[N]) -> tuple[BVar[R[H]], list[BVar[float]]]:
    state = 0.0 * model.bias
    said = list[BVar[float]]()
    for year in BVar(series):
        state, next_year = read_year(model, state, year)
        said.append(next_year)
    return state, said


def recurrent_loss(model: Recurrent[H], series: R[N]) -> BVar[float]:
    _, said = read_all(model, series)
    total = BVar(0.0)
    for year, truth in zip(said[:-1], series[1:], strict=True):
        error = year - float(truth)
        total = total + error * error
    return total / (len(said) - 1)


def random_recurrent(rng: np.random.Generator, cells: Cells) -> Recurrent[Cells]:
    scale = 0.7 / math.sqrt(cells)
    return Recurrent(
        from_state=BVar(tp.normal(rng, cells, cells, scale=scale)),
        from_year=BVar(tp.normal(rng, cells, scale=0.5)),
        bias=BVar(tp.zeros(cells)),
        weights=BVar(tp.normal(rng, cells, scale=scale)),
        offset=BVar(0.0),
    )


def fit_recurrent(model: Recurrent[H], series: R[N], steps: int) -> tuple[Recurrent[H], list[float]]:
    adam = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(0.01))
    state = adam.init(model)
    losses = list[float]()
    for _ in range(steps):
        loss, gradient = tp.value_and_grad(recurrent_loss)(model, series)
        updates, state = adam.update(gradient, state, model)
        model = model + updates
        losses.append(loss.value)
    return model, losses


# %% Going on alone: each says the next year from what it said before
def go_on_autoregressive(model: AutoRegressive[Lags], series: R[N], years: int) -> list[float]:
    lags = Lags(model.weights.size)
    known = [float(year) for year in series]
    for _ in range(years):
        known.append(say(model, tp.matrix([known[-lags:]], Years(1), lags))[0].value)
    return known[-years:]


def go_on_recurrent(model: Recurrent[H], series: R[N], years: int) -> list[float]:
    state, said = read_all(model, series)
    known = [said[-1].value]
    for _ in range(years - 1):
        state, year = read_year(model, state, BVar(known[-1]))
        known.append(year.value)
    return known


# %% All together
def root_mean_square(error: R[N]) -> float:
    return math.sqrt(float(np.mean(error * error)))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Two models of the yearly sunspot numbers, one step ahead and alone.")
    parser.add_argument("--lags", type=int, default=9, help="years that the linear model sees (default: %(default)s)")
    parser.add_argument("--cells", type=int, default=8, help="cells of the recurrent model (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=250, help="steps of Adam (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first weights (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/sunspots.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    series, mean, deviation = load()
    learned = series[:LEARNED]
    lags = Lags(options.lags)

    linear = fit_autoregressive(learned, lags)
    past, next_year = lagged(learned, lags)
    exact, *_ = np.linalg.lstsq(np.column_stack([past, np.ones(len(past))]), next_year, rcond=None)
    distance = float(np.max(np.abs(np.append(linear.weights.value, linear.offset.value) - exact)))
    print(f"autoregressive: {distance:.1e} from least squares after one step of Newton")

    rng = np.random.default_rng(options.seed)
    recurrent, losses = fit_recurrent(random_recurrent(rng, Cells(options.cells)), learned, options.steps)
    print(f"recurrent: mean square error {losses[0]:.3f} at first, {losses[-1]:.3f} at last")

    # One year ahead, in the years that nobody learned from.
    truth = series[LEARNED:]
    by_lags = say(linear, lagged(series, lags)[0]).value[LEARNED - lags :]
    by_state = tp.vector([year.value for year in read_all(recurrent, series)[1]], len(series))[LEARNED - 1 : -1]
    errors = {
        "the same as last year": root_mean_square(truth - series[LEARNED - 1 : -1]),
        "autoregressive": root_mean_square(truth - by_lags),
        "recurrent": root_mean_square(truth - by_state),
    }
    for name, error in errors.items():
        print(f"error one year ahead, {name}: {error:.3f}")

    def numbers(standard: R[N] | list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.maximum(np.asarray(standard) * deviation + mean, 0.0) ** 2

    years = np.arange(FIRST_YEAR, FIRST_YEAR + len(series))
    figure = Figure(figsize=(11, 6), layout="constrained")
    ahead, alone = figure.subplots(2, 1)
    for axes in (ahead, alone):
        axes.plot(years[150:], numbers(series)[150:], color="0.6", label="sunspots")
        axes.axvline(years[LEARNED], color="0.8")
    ahead.plot(years[LEARNED:], numbers(by_lags), label="autoregressive")
    ahead.plot(years[LEARNED:], numbers(by_state), label="recurrent")
    ahead.set(title="One year ahead", ylabel="yearly number")
    ahead.legend(loc="upper left", ncols=3)
    alone.plot(years[LEARNED:], numbers(go_on_autoregressive(linear, learned, len(truth))), label="autoregressive")
    alone.plot(years[LEARNED:], numbers(go_on_recurrent(recurrent, learned, len(truth))), label="recurrent")
    alone.set(title=f"Alone since {years[LEARNED]}", xlabel="year", ylabel="yearly number")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, format="png", dpi=120)

    better = all(errors[name] < 0.8 * errors["the same as last year"] for name in ("autoregressive", "recurrent"))
    if not (distance < 1e-8 and better):
        print("sunspots: this is not what was to be found; take more steps or another seed", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
