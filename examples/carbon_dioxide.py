"""A Gaussian process whose kernel is learned: carbon dioxide over Mauna Loa, and where it goes from 1990 on.

The weekly measurements from 1958 to 2001 come with statsmodels; months are averaged. The kernel is a sum of a long-term
trend, a season that may change its form slowly, irregularities of some years, and noise; its ten parameters are one
record. They are found by the gradient of the log marginal likelihood, through the Cholesky factor of the covariance
matrix of the months that it learns from (Rasmussen and Williams 2006, equations 2.30 and 5.8). The months after 1990 it
has not seen. The picture is out/carbon_dioxide.png.
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
from statsmodels.datasets import co2
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, R, Record

M = TypeVar("M", bound=Dim)
N = TypeVar("N", bound=Dim)


# %% The data
class Learned(Dim): ...


class Unseen(Dim): ...


class Grid(Dim): ...


FORECAST_FROM = 1990.0


@attrs.frozen(eq=False)
class Series(Generic[N]):
    """Times in years, and the carbon dioxide in parts per million, less the mean of what is learned from."""

    time: R[N]
    level: R[N]


def load(every: int = 1) -> tuple[Series[Learned], Series[Unseen], float]:
    """The monthly means up to 1990, of which each `every`-th is taken; those after; and the mean of the former."""
    weeks = co2.load_pandas().data["co2"]
    years = np.asarray(weeks.index.year, dtype=np.int64)
    months = np.asarray(weeks.index.month, dtype=np.int64)
    values = np.asarray(weeks, dtype=np.float64)
    time, level = list[float](), list[float]()
    for month in range(12 * 1958, 12 * 2002):
        chosen = values[(12 * years + months - 1 == month) & ~np.isnan(values)]
        if len(chosen):
            time.append((month + 0.5) / 12.0)
            level.append(float(chosen.mean()))
    split = int(np.searchsorted(time, FORECAST_FROM))
    learned, unseen = Learned(len(time[:split:every])), Unseen(len(time[split:]))
    mean = float(np.mean(level[:split:every]))
    return (
        Series(tp.vector(time[:split:every], learned), tp.vector(level[:split:every], learned) - mean),
        Series(tp.vector(time[split:], unseen), tp.vector(level[split:], unseen) - mean),
        mean,
    )


# %% The kernel
@attrs.frozen
class Smooth(Record):
    """amplitude² exp(-d² / 2 length²): smooth functions that change over a length."""

    amplitude: BVar[float]
    length: BVar[float]


@attrs.frozen
class Seasonal(Record):
    """Functions of a period of one year, which are another after a time `decay`."""

    amplitude: BVar[float]
    decay: BVar[float]
    length: BVar[float]


@attrs.frozen
class Irregular(Record):
    """amplitude² (1 + d² / 2 shape length²)^-shape: a rational quadratic, smooth functions of many lengths at once."""

    amplitude: BVar[float]
    length: BVar[float]
    shape: BVar[float]


@attrs.frozen
class Kernel(Record):
    """The logarithms of what the kernel's parts have, so that all values are allowed."""

    trend: Smooth
    season: Seasonal
    irregular: Irregular
    weather: Smooth
    noise: BVar[float]


def kernel_of(
    trend: tuple[float, float],
    season: tuple[float, float, float],
    irregular: tuple[float, float, float],
    weather: tuple[float, float],
    noise: float,
) -> Kernel:
    """The kernel with these values, of which it holds the logarithms."""

    def log(values: Sequence[float]) -> list[BVar[float]]:
        return [BVar(math.log(value)) for value in values]

    return Kernel(
        Smooth(*log(trend)), Seasonal(*log(season)), Irregular(*log(irregular)), Smooth(*log(weather)), *log([noise])
    )


GUESS = kernel_of((50.0, 50.0), (2.0, 100.0, 1.0), (0.5, 1.0, 1.0), (0.1, 0.1), 0.1)


def distances(x: R[M], y: R[N]) -> L[M, N]:
    """How far each of the x is from each of the y."""
    return tp.abs(tp.outer(x, 0.0 * y + 1.0) - tp.outer(0.0 * x + 1.0, y))


def covariance(kernel: Kernel, x: R[M], y: R[N]) -> BVar[L[M, N]]:
    """How the carbon dioxide at the times x goes with that at the times y, without the noise."""
    distance = distances(x, y)
    square, sine = distance**2, tp.sin(math.pi * distance) ** 2
    trend, season, irregular, weather = kernel.trend, kernel.season, kernel.irregular, kernel.weather
    shape = tp.exp(irregular.shape)
    return (
        tp.exp(2.0 * trend.amplitude - 0.5 * tp.exp(-2.0 * trend.length) * square)
        + tp.exp(
            2.0 * season.amplitude
            - 0.5 * tp.exp(-2.0 * season.decay) * square
            - 2.0 * tp.exp(-2.0 * season.length) * sine
        )
        + tp.exp(2.0 * irregular.amplitude - shape * tp.log1p(0.5 * tp.exp(-2.0 * irregular.length) / shape * square))
        + tp.exp(2.0 * weather.amplitude - 0.5 * tp.exp(-2.0 * weather.length) * square)
    )


def factor(kernel: Kernel, time: R[N]) -> BVar[L[N, N]]:
    """The Cholesky factor of the covariance of the measurements."""
    noise = tp.diag(tp.exp(2.0 * kernel.noise) + 0.0 * time)
    return tp.linalg.cholesky(covariance(kernel, time, time) + noise)


# %% Learning it
def surprise(kernel: Kernel, series: Series[N]) -> BVar[float]:
    """Minus the log marginal likelihood of the series."""
    root = factor(kernel, series.time)
    whitened = tp.linalg.solve_triangular(root, series.level, lower=True)
    count = len(series.time)
    return 0.5 * (whitened @ whitened) + tp.log(tp.take_diag(root)).sum() + 0.5 * count * math.log(2.0 * math.pi)


def learn(series: Series[N], start: Kernel = GUESS) -> tuple[Kernel, list[float]]:
    """The kernel under which the series is least surprising; also the surprise at first and after each iteration."""
    course = [surprise(start, series).value]
    low, high = tp.tree.map(lambda _: BVar(math.log(1e-3)), start), tp.tree.map(lambda _: BVar(math.log(1e4)), start)
    found = typedprop.scipy.minimize(
        surprise, start, series, bounds=(low, high), callback=lambda _, value: course.append(value)
    )
    return found.record, course


def predict(kernel: Kernel, series: Series[N], time: R[M]) -> tuple[R[M], R[M]]:
    """Mean and standard deviation of measurements at other times, given the series."""
    root = factor(kernel, series.time).value
    whitened = tp.linalg.solve_triangular(root, series.level, lower=True)
    across = tp.linalg.solve_triangular(root, covariance(kernel, series.time, time).value, lower=True)
    alone = covariance(kernel, time[:1], time[:1]).value[0, 0] + math.exp(2.0 * kernel.noise.value)
    return across.T @ whitened, tp.sqrt(alone - (across * across).sum(axis=0))


# %% The picture
def draw(
    path: Path,
    learned: Series[Learned],
    unseen: Series[Unseen],
    mean: float,
    kernel: Kernel,
    course: Sequence[float],
) -> None:
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    whole, parts = figure.subplots(1, 2, width_ratios=(3, 2))
    grid = Grid(600)
    time = tp.vector(np.linspace(1975.0, 2006.0, grid), grid)
    middle, deviation = predict(kernel, learned, time)
    whole.plot(time, middle + mean, linewidth=1, label="mean of the process")
    low, high = middle + mean - 1.96 * deviation, middle + mean + 1.96 * deviation
    whole.fill_between(time, low, high, color="C0", alpha=0.25, label="95 % of measurements")
    whole.plot(learned.time, learned.level + mean, ".", color="0.3", markersize=3, label="learned from")
    whole.plot(unseen.time, unseen.level + mean, ".", color="C3", markersize=3, label="unseen")
    whole.set(title="Carbon dioxide over Mauna Loa", xlabel="year", ylabel="parts per million", xlim=(1975, 2006))
    whole.set_ylim(325, 395)
    whole.legend(loc="upper left")
    lag = tp.vector(np.linspace(0.0, 5.0, grid), grid)
    for chosen, color, name in ((GUESS, "C1", "first guess"), (kernel, "C0", "learned")):
        season = attrs.evolve(chosen, trend=attrs.evolve(chosen.trend, amplitude=BVar(-math.inf)))
        parts.plot(lag, covariance(season, tp.zeros(Learned(1)), lag).value[0], color=color, label=name)
    parts.set_ylim(0.0, 1.25 * parts.get_ylim()[1])
    parts.set(title="The kernel without the trend", xlabel="years apart", ylabel="covariance (ppm²)")
    parts.legend(title=f"surprise {course[0]:.0f} at first, {course[-1]:.0f} at last", loc="upper right", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Learn the kernel of a Gaussian process of carbon dioxide.")
    parser.add_argument("--every", type=int, default=1, help="learn from each so many-th month (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("out/carbon_dioxide.png"),
        metavar="FILE",
        help="picture (default: %(default)s)",
    )
    options = parser.parse_args(argv)

    learned, unseen, mean = load(options.every)
    kernel, course = learn(learned)
    print(f"{len(learned.time)} months: log marginal likelihood {-course[0]:.2f} at first, {-course[-1]:.2f} at last")
    paths, leaves = tp.tree.flatten(kernel)[1].paths(), tp.tree.leaves(kernel)
    for path, leaf in zip(paths, leaves, strict=True):
        print(f"{path:20} {math.exp(leaf.value):9.3g}")
    middle, deviation = predict(kernel, learned, unseen.time)
    error = unseen.level - middle
    inside = float(np.mean(np.abs(error) < 1.96 * deviation))
    root_mean_square = math.sqrt((error @ error) / len(error))
    print(f"{len(error)} unseen months: off by {root_mean_square:.2f} ppm, {inside:.0%} in the 95 % band")
    draw(options.out, learned, unseen, mean, kernel, course)
    print(f"picture: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
