"""Solve the heat equation by a neural network, and find how fast the heat spreads from a few measurements.

A rod of length 1 is held at 0 degrees at both ends; the temperature u(x, t) obeys u_t = diffusivity * u_xx. The network
knows the beginning and the ends by its form, and learns the rest from the equation alone: its loss has derivatives of
the network by its inputs, two by x and one by t, taken by forward mode inside of the gradient by the weights. SciPy's
L-BFGS minimizes it. Then the diffusivity is taken for unknown, and is found with the solution from 20 measurements:
it is one more field of the record. Both are compared with the analytic solution. The picture is out/heat.png.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic

import attrs
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import qmc
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, R, Record


# %% Sizes
class Hidden(Dim): ...


class Points(Dim): ...


class Sensors(Dim): ...


class Grid(Dim): ...


class Sides(Dim): ...


N = TypeVar("N", bound=int)
H = TypeVar("H", bound=Dim)

# %% The problem, and its analytic solution
DIFFUSIVITY = 0.1
END = 1.0
"""The time at which the experiment ends."""


def beginning(x: BVar[R[N]]) -> BVar[R[N]]:
    return tp.sin(math.pi * x) + 0.5 * tp.sin(2 * math.pi * x)


def analytic(x: R[N], t: R[N]) -> R[N]:
    """Each of the two waves decays at a rate of its own."""
    slow, fast = DIFFUSIVITY * math.pi**2, 4 * DIFFUSIVITY * math.pi**2
    return tp.exp(-slow * t) * tp.sin(math.pi * x) + 0.5 * tp.exp(-fast * t) * tp.sin(2 * math.pi * x)


# %% The model
@attrs.frozen
class Network(Record, Generic[H]):
    """Two hidden layers of tanh, for many points (x, t) at once, one a row."""

    by_x: BVar[R[H]]
    by_t: BVar[R[H]]
    bias1: BVar[R[H]]
    weight2: BVar[L[H, H]]
    bias2: BVar[R[H]]
    weight3: BVar[R[H]]


def temperature(net: Network[H], x: BVar[R[N]], t: BVar[R[N]]) -> BVar[R[N]]:
    """Right at the ends and at the beginning, whatever the weights are: there the network is multiplied by 0."""
    y = tp.tanh(tp.outer(x, net.by_x) + tp.outer(t, net.by_t) + net.bias1)
    z = tp.tanh(y @ net.weight2 + net.bias2)
    return beginning(x) + t * x * (1.0 - x) * (z @ net.weight3)


def slope(f: Callable[[BVar[R[N]]], BVar[R[N]]], at: BVar[R[N]]) -> BVar[R[N]]:
    """The derivative of a function of each element, by forward mode: all elements move by 1 at once."""
    return tp.jvp(f, at, BVar(0.0 * at.value + 1.0))[1]


def imbalance(net: Network[H], diffusivity: BVar[float] | float, x: BVar[R[N]], t: BVar[R[N]]) -> BVar[R[N]]:
    """By how much u_t differs from diffusivity * u_xx at each point."""

    def along(x: BVar[R[N]]) -> BVar[R[N]]:
        return temperature(net, x, t)

    u_t = slope(lambda t: temperature(net, x, t), t)
    u_xx = slope(lambda x: slope(along, x), x)
    return u_t - diffusivity * u_xx


def random_network(hidden: H, rng: np.random.Generator) -> Network[H]:
    scale = 1.0 / math.sqrt(hidden)
    return Network(
        by_x=BVar(tp.normal(rng, hidden, scale=3.0)),
        by_t=BVar(tp.normal(rng, hidden, scale=3.0)),
        bias1=BVar(tp.normal(rng, hidden)),
        weight2=BVar(tp.normal(rng, hidden, hidden, scale=scale)),
        bias2=BVar(tp.zeros(hidden)),
        weight3=BVar(tp.normal(rng, hidden, scale=scale)),
    )


def physics(net: Network[H], x: BVar[R[N]], t: BVar[R[N]]) -> BVar[float]:
    residual = imbalance(net, DIFFUSIVITY, x, t)
    return (residual * residual).mean()


# %% The same where the diffusivity is unknown
@attrs.frozen
class Calibration(Record, Generic[H]):
    net: Network[H]
    diffusivity: BVar[float]


@attrs.frozen(eq=False)
class Measurements:
    x: BVar[R[Sensors]]
    t: BVar[R[Sensors]]
    temperature: R[Sensors]


NOISE = 0.01


def measure(rng: np.random.Generator) -> Measurements:
    count = Sensors(20)
    x, t = tp.uniform(rng, count, low=0.1, high=0.9), tp.uniform(rng, count, low=0.1, high=END)
    return Measurements(BVar(x), BVar(t), analytic(x, t) + tp.normal(rng, count, scale=NOISE))


def misfit(model: Calibration[H], measured: Measurements, x: BVar[R[N]], t: BVar[R[N]]) -> BVar[float]:
    """Of the equation, and of the measurements in units of a tenth of a degree."""
    residual = imbalance(model.net, model.diffusivity, x, t)
    off = temperature(model.net, measured.x, measured.t) - measured.temperature
    return (residual * residual).mean() + 100.0 * (off * off).mean()


# %% Solving
def collocation(seed: int, exponent: int = 8) -> tuple[BVar[R[Points]], BVar[R[Points]]]:
    """Points of a Sobol sequence, which fill the rod and the time evenly."""
    points = Points(2**exponent)
    unit = tp.matrix(qmc.Sobol(2, rng=seed).random(points), points, Sides(2))
    return BVar(unit[:, 0]), BVar(END * unit[:, 1])


def solve(net: Network[H], x: BVar[R[N]], t: BVar[R[N]], *, iterations: int) -> tuple[Network[H], list[float]]:
    """The network that has learned the equation at the points; also the loss after each iteration."""
    losses = list[float]()
    found = typedprop.scipy.minimize(
        physics,
        net,
        x,
        t,
        method="L-BFGS-B",
        callback=lambda _, loss: losses.append(loss),
        options={"maxiter": iterations, "maxfun": 10 * iterations, "maxcor": 30, "ftol": 0.0, "gtol": 1e-9},
    )
    return found.record, losses


def calibrate(
    net: Network[H], measured: Measurements, x: BVar[R[N]], t: BVar[R[N]], *, iterations: int
) -> tuple[Calibration[H], list[float]]:
    """The solution and the diffusivity, from the equation and the measurements; also the course of the latter."""
    course = list[float]()
    found = typedprop.scipy.minimize(
        misfit,
        Calibration(net, BVar(0.3)),
        measured,
        x,
        t,
        method="L-BFGS-B",
        callback=lambda model, _: course.append(model.diffusivity.value),
        options={"maxiter": iterations, "maxfun": 10 * iterations, "maxcor": 30, "ftol": 0.0, "gtol": 1e-9},
    )
    return found.record, course


def error(net: Network[H], points: int = 41) -> float:
    """The largest deviation from the analytic solution on a grid of the rod and the time, in degrees."""
    grid = Grid(points * points)
    x = tp.vector(np.tile(np.linspace(0.0, 1.0, points), points), grid)
    t = tp.vector(np.repeat(np.linspace(0.0, END, points), points), grid)
    return float(np.max(np.abs(temperature(net, BVar(x), BVar(t)).value - analytic(x, t))))


# %% The picture
def draw(
    path: Path,
    net: Network[Hidden],
    losses: Sequence[float],
    measured: Measurements,
    course: Sequence[float],
) -> None:
    figure = Figure(figsize=(13, 4), layout="constrained")
    field, curve, search = figure.subplots(1, 3, width_ratios=(5, 4, 4))
    grid = Grid(101)
    x = tp.vector(np.linspace(0.0, 1.0, grid), grid)
    for k, time in enumerate((0.0, 0.05, 0.1, 0.25, 0.5, 1.0)):
        t = 0.0 * x + time
        color = f"C{k}"
        field.plot(x, analytic(x, t), color=color, linewidth=5, alpha=0.3)
        field.plot(x, temperature(net, BVar(x), BVar(t)).value, color=color, label=f"t = {time:g}")
    field.plot([], color="0.5", linewidth=5, alpha=0.3, label="analytic")
    field.set(title="Temperature along the rod", xlabel="x", ylabel="u")
    field.legend(fontsize="small")
    curve.semilogy(losses)
    curve.set(title="Learning the equation", xlabel="iteration of L-BFGS", ylabel="mean square of $u_t - a u_{xx}$")
    search.axhline(DIFFUSIVITY, color="0.6", linestyle="--", label="truth")
    search.plot(course, label=f"found: {course[-1]:.4f}")
    search.set(
        title=f"Diffusivity from {len(measured.temperature)} measurements", xlabel="iteration", ylabel="diffusivity"
    )
    search.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Solve the heat equation by a neural network.")
    parser.add_argument("--iterations", type=int, default=400, help="of L-BFGS, for each (default: %(default)s)")
    parser.add_argument("--hidden", type=int, default=16, help="units in a hidden layer (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, points and noise (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/heat.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    rng = np.random.default_rng(options.seed)
    start = random_network(Hidden(options.hidden), rng)
    x, t = collocation(options.seed)
    net, losses = solve(start, x, t, iterations=options.iterations)
    off = error(net)
    print(f"largest error {error(start):.4f} degrees at first, {off:.5f} at last")
    measured = measure(rng)
    model, course = calibrate(start, measured, x, t, iterations=options.iterations)
    print(
        f"diffusivity {course[-1]:.4f}   truth {DIFFUSIVITY}; then the largest error is {error(model.net):.4f} degrees"
    )
    draw(options.out, net, losses, measured, course)
    print(f"picture: {options.out}")
    if not off < 0.01:
        print(f"heat: the solution is off by {off:.3f} degrees; it takes more iterations", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
