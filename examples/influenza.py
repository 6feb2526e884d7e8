"""Calibrate an epidemic model, an ordinary differential equation, to an outbreak of influenza, with its uncertainty.

In January 1978 influenza went through an English boarding school of 763 boys; the British Medical Journal of 4 March
1978 shows how many were in bed on each of 14 days. The SIR model has two rates, of infection and of recovery. It is
solved by the Runge-Kutta method written out below on records, and differentiated through: the Jacobian of the whole
solution by the rates comes from the tape, for a Gauss-Newton fit and for the covariance. What follows from the rates
inherits their uncertainty by further derivatives, also where it is given by an equation only, as the final size of an
outbreak is. The picture is out/influenza.png.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import root_scalar
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, R, Record

# %% The outbreak
BOYS = 763.0


class Days(Dim): ...


IN_BED = tp.vector([3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4], Days(14), dtype=np.float64)


# %% The model
@attrs.frozen
class State(Record):
    """Boys who can catch it, and boys who can give it; the others are over it."""

    susceptible: BVar[float]
    infected: BVar[float]


@attrs.frozen
class Rates(Record):
    """Both a day: of infections from one boy among healthy ones, and of recovery."""

    infection: BVar[float]
    recovery: BVar[float]


class Parameters(Dim): ...


PARAMETERS = Parameters(2)
START = State(susceptible=BVar(BOYS - 1.0), infected=BVar(1.0))
GUESS = Rates(infection=BVar(1.2), recovery=BVar(0.6))
Rec = TypeVar("Rec", bound=Record)


def change(state: State, rates: Rates) -> State:
    """The derivative of the state by the time in days, of the type of the state."""
    infections = rates.infection * state.susceptible * state.infected / BOYS
    return State(susceptible=-infections, infected=infections - rates.recovery * state.infected)


def runge_kutta(f: Callable[[Rec], Rec], y: Rec, step: float) -> Rec:
    """One step of the classical method, for the state of any system."""
    k1 = f(y)
    k2 = f(y + step / 2 * k1)
    k3 = f(y + step / 2 * k2)
    k4 = f(y + step * k3)
    return y + step / 6 * (k1 + 2.0 * (k2 + k3) + k4)


def infected(rates: Rates, days: Days, steps_a_day: int = 8) -> BVar[R[Days]]:
    """How many boys are ill on each day from day 1, where one was on day 0."""
    state, course = START, list[BVar[float]]()
    for _ in range(days):
        for _ in range(steps_a_day):
            state = runge_kutta(lambda y: change(y, rates), state, 1.0 / steps_a_day)
        course.append(state.infected)
    return tp.stack(course).reshape(days)


def residuals(rates: Rates, in_bed: R[Days]) -> BVar[R[Days]]:
    return infected(rates, Days(len(in_bed))) - in_bed


# %% The fit
@attrs.frozen
class Fit:
    rates: Rates
    noise: float
    """The standard deviation of the residuals, in boys."""
    covariance: L[Parameters, Parameters]


def fit(in_bed: R[Days], guess: Rates = GUESS) -> Fit:
    """Least squares by Gauss and Newton's idea; the covariance is that of the linearized problem."""
    found = typedprop.scipy.least_squares(residuals, guess, in_bed)
    if not found.success:
        raise RuntimeError(f"the fit failed: {found.message}")
    days = Days(len(in_bed))
    variance = 2.0 * found.value / (days - PARAMETERS)
    by_rates = tp.matrix(found.raw.jac, days, PARAMETERS)
    return Fit(found.record, math.sqrt(variance), variance * tp.linalg.inv(by_rates.T @ by_rates))


# %% What follows from the rates
def reproduction(rates: Rates) -> BVar[float]:
    """How many boys one ill boy infects among healthy ones."""
    return rates.infection / rates.recovery


def doubling_time(rates: Rates) -> BVar[float]:
    """In how many days the number of ill boys doubles at the beginning."""
    return math.log(2.0) / (rates.infection - rates.recovery)


def spared_by_equation(spared: BVar[float], ratio: BVar[float]) -> BVar[float]:
    """Zero at the share of the boys who are never ill."""
    return spared - tp.exp(-ratio * (1.0 - spared))


def solve_for_spared(ratio: BVar[float]) -> BVar[float]:
    # The other root is 1: nobody falls ill. Any solver may be called here, as the derivative is that of the equation.
    found = root_scalar(lambda s: spared_by_equation(BVar(s), ratio).value, bracket=(0.0, 1.0 / ratio.value))
    return BVar(float(found.root))


spared = tp.implicit(solve_for_spared, spared_by_equation)


def final_size(rates: Rates) -> BVar[float]:
    """How many boys fall ill in all."""
    return BOYS * (1.0 - spared(reproduction(rates)))


def with_error(quantity: Callable[[Rates], BVar[float]], fitted: Fit) -> tuple[float, float]:
    """What follows from the rates, and its standard error by the delta method."""
    value, gradient = tp.value_and_grad(quantity)(fitted.rates)
    slope = tp.vector([gradient.infection.value, gradient.recovery.value], PARAMETERS)
    return value.value, math.sqrt(slope @ (fitted.covariance @ slope))


# %% The picture
class Draws(Dim): ...


def draw(path: Path, in_bed: R[Days], fitted: Fit, rng: np.random.Generator) -> None:
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    course, cloud = figure.subplots(1, 2, width_ratios=(3, 2))
    best = np.array([fitted.rates.infection.value, fitted.rates.recovery.value])
    draws = Draws(100)
    sample = tp.matrix(rng.multivariate_normal(best, fitted.covariance, draws), draws, PARAMETERS)
    days = Days(18)
    shown = range(1, days + 1)
    for pair in sample:
        ill = infected(Rates(BVar(pair[0]), BVar(pair[1])), days).value
        course.plot(shown, ill, color="C0", alpha=0.06)
    course.plot([], color="C0", alpha=0.4, label="100 draws of the rates")
    course.plot(shown, infected(GUESS, days).value, ":", color="C1", label="first guess")
    course.plot(shown, infected(fitted.rates, days).value, color="C0", label="fit")
    course.plot(range(1, len(in_bed) + 1), in_bed, "o", color="0.3", label="in bed")
    course.set(title="Influenza in a boarding school, 1978", xlabel="day", ylabel="boys", xticks=shown[1::2])
    course.legend()
    cloud.plot(*sample.T, ".", color="C0", alpha=0.4)
    cloud.plot(*best, "D", color="C3")
    infection, recovery = np.meshgrid(*np.linspace(sample.min(axis=0), sample.max(axis=0), 50).T)
    ratios = cloud.contour(infection, recovery, infection / recovery, colors="0.7", zorder=0, linewidths=1)
    cloud.clabel(ratios, fmt="$R_0$ = %.1f")
    cloud.set(title="Rates that the outbreak allows", xlabel="infection (1/day)", ylabel="recovery (1/day)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Calibrate the SIR model to an outbreak of influenza.")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn rates (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/influenza.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    fitted = fit(IN_BED)
    quantities: list[tuple[str, Callable[[Rates], BVar[float]]]] = [
        ("infection rate (1/day)", lambda rates: rates.infection),
        ("recovery rate (1/day)", lambda rates: rates.recovery),
        ("reproduction number", reproduction),
        ("doubling time (days)", doubling_time),
        ("ill in all (boys)", final_size),
    ]
    for name, quantity in quantities:
        value, error = with_error(quantity, fitted)
        print(f"{name:22} {value:8.3f} ± {error:.3f}")
    draw(options.out, IN_BED, fitted, np.random.default_rng(options.seed))
    print(f"noise {fitted.noise:.1f} boys; picture: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
