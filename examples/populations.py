"""Fit a differential equation that SciPy solves, by an operation whose derivative is the adjoint equation.

Prey grow and are eaten, predators eat and die: Lotka and Volterra's equations. `scipy.integrate.solve_ivp` computes how
many there are at given times; typedprop cannot look into it. So it is wrapped in an `op`: its pull integrates the
adjoint equation backward in time (Chen et al. 2018, "Neural ordinary differential equations"), and takes the
derivatives that this one needs from typedprop, by `vjp` of the right-hand side. The solver's steps are not looked into.

The start and the four rates are found from noisy counts. All is drawn in out/populations.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import scipy.integrate
from matplotlib.figure import Figure
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, Local2, R, Record


# %% Sizes
class Species(Dim): ...


class Rates(Dim): ...


class Weeks(Dim): ...


T = TypeVar("T", bound=int)

SPECIES, RATES = Species(2), Rates(4)


# %% The equation, written with typedprop's operations
def velocity(y: BVar[R[Species]], rates: BVar[R[Rates]]) -> BVar[R[Species]]:
    """How fast the numbers of prey and predators, in hundreds, change in a week."""
    prey, predators = y
    growth, eaten, born, death = rates
    return tp.stack([growth * prey - eaten * prey * predators, born * prey * predators - death * predators])


# %% SciPy's solver as an operation
def integrate(slope: Callable[[float, Any], Any], start: Any, begin: float, end: float, times: Any = None) -> Any:
    """SciPy's solution from `begin` to `end`, which may be the earlier one; it can be asked for any time between."""
    solution: Any = scipy.integrate.solve_ivp(
        slope, (begin, end), start, method="DOP853", t_eval=times, dense_output=True, rtol=1e-8, atol=1e-10
    )
    if not solution.success:
        raise ArithmeticError(f"solve_ivp: {solution.message}")
    return solution


@tp.op
def populations(start: R[Species], rates: R[Rates], *, times: R[T]) -> Local2[R[Species], R[Rates], L[T, Species]]:
    """The numbers at these times, which rise from 0 on, a row for each; `start` is at time 0."""
    constant = BVar(rates)

    def onward(_: float, y: Any) -> Any:
        return velocity(BVar(tp.vector(y, SPECIES)), constant).value

    forward = integrate(onward, start, 0.0, float(times[-1]), times)

    def backward(time: float, adjoint: Any) -> Any:
        # How the state's cotangent changes, and what the rates gather, are one pullback of the right-hand side.
        state, cotangent = tp.vector(forward.sol(time), SPECIES), tp.vector(adjoint[:SPECIES], SPECIES)
        _, pullback = tp.vjp(lambda both: velocity(*both), (BVar(state), constant))
        by_state, by_rates = pullback(BVar(cotangent))
        return -np.concatenate([by_state.value, by_rates.value])

    def pull(g: L[T, Species]) -> tuple[R[Species], R[Rates]]:
        adjoint = np.zeros(SPECIES + RATES)
        # From the last time to the first: each row of the cotangent joins in at its time.
        for k in reversed(range(len(times))):
            adjoint[:SPECIES] += g[k]
            later, earlier = float(times[k]), float(times[k - 1]) if k else 0.0
            if later > earlier:
                adjoint = integrate(backward, adjoint, later, earlier).y[:, -1]
        return tp.vector(adjoint[:SPECIES], SPECIES), tp.vector(adjoint[SPECIES:], RATES)

    values: L[T, Species] = forward.y.T
    return Local2(values, pull)


# %% The model: logarithms, so that whatever the search tries is positive
@attrs.frozen
class Model(Record):
    log_start: BVar[R[Species]]
    log_rates: BVar[R[Rates]]


def model(start: Sequence[float], rates: Sequence[float]) -> Model:
    return Model(BVar(tp.log(tp.vector(start, SPECIES))), BVar(tp.log(tp.vector(rates, RATES))))


def predicted(model: Model, times: R[T]) -> BVar[L[T, Species]]:
    return populations(tp.exp(model.log_start), tp.exp(model.log_rates), times=times)


def mean_square_error(model: Model, times: R[T], counted: L[T, Species]) -> BVar[float]:
    # Of logarithms: a count is off by so many per cent.
    error = tp.log(predicted(model, times)) - tp.log(counted)
    return (error * error).mean()


# %% The counts: one a week, with an error of ten per cent
NOISE = 0.1
TRUTH = model([3.0, 1.0], [0.9, 0.5, 0.2, 0.6])
GUESS = model([2.0, 2.0], [0.6, 0.4, 0.3, 0.4])


def count(seed: int) -> tuple[R[Weeks], L[Weeks, Species]]:
    weeks = Weeks(25)
    times = tp.vector(np.arange(weeks), weeks)
    noise = tp.normal(np.random.default_rng(seed), weeks, SPECIES, scale=NOISE)
    return times, predicted(TRUTH, times).value * tp.exp(noise)


# %% The fit
def fit(start: Model, times: R[T], counted: L[T, Species]) -> tuple[Model, list[float]]:
    """The best model, and the error after each step of the search."""
    errors: list[float] = []
    result = typedprop.scipy.minimize(
        mean_square_error, start, times, counted, callback=lambda _, error: errors.append(error)
    )
    return result.record, errors


# %% The picture
def draw(path: Path, times: R[T], counted: L[T, Species], fitted: Model) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    over_time, orbit = figure.subplots(1, 2, width_ratios=(3, 2))
    fine = tp.vector(np.linspace(0.0, times[-1], 400))
    curves = {name: predicted(m, fine).value for name, m in (("first guess", GUESS), ("truth", TRUTH), ("fit", fitted))}
    for k, (name, color) in enumerate((("prey", "C0"), ("predators", "C1"))):
        over_time.plot(times, counted[:, k], ".", color=color, label=f"{name}, counted")
        over_time.plot(fine, curves["first guess"][:, k], ":", color=color, linewidth=1)
        over_time.plot(fine, curves["truth"][:, k], color=color, linewidth=4, alpha=0.3)
        over_time.plot(fine, curves["fit"][:, k], color=color, linewidth=1.2)
    over_time.set(title="Found by the gradient through solve_ivp", xlabel="week", ylabel="hundreds of animals")
    orbit.plot(counted[:, 0], counted[:, 1], ".", color="0.6")
    for name, line in (("first guess", ":"), ("truth", "-"), ("fit", "-")):
        width, alpha = (4, 0.3) if name == "truth" else (1.2, 1.0)
        orbit.plot(curves[name][:, 0], curves[name][:, 1], line, color="0.3", linewidth=width, alpha=alpha, label=name)
    orbit.set(title="The cycle", xlabel="prey", ylabel="predators")
    orbit.legend()
    over_time.set_ylim(0.0, 1.35 * float(counted.max()))
    over_time.legend(loc="upper right", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fit a differential equation that SciPy solves to noisy counts.")
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/populations.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    times, counted = count(options.seed)
    fitted, errors = fit(GUESS, times, counted)
    names = ("growth", "eaten", "born", "death")
    truths, found = np.exp(TRUTH.log_rates.value), np.exp(fitted.log_rates.value)
    for name, truth, rate in zip(names, truths, found, strict=True):
        print(f"{name:8} {rate:7.4f}   truth {truth:.4f}")
    draw(options.out, times, counted, fitted)
    before = mean_square_error(GUESS, times, counted).value
    print(f"error of a count {before**0.5:.0%} at first, {errors[-1] ** 0.5:.1%} at last; picture: {options.out}")
    worst = float(np.max(np.abs(found / truths - 1)))
    if not worst < 0.1:
        print(f"populations: a rate is off by {worst:.0%}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
