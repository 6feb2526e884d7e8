"""Fit a dose-response curve to measurements, with confidence bands from the Hessian.

The measurements are root lengths of ryegrass at seven concentrations of ferulic acid (Inderjit, Streibig and
Olofsdotter 2002), the standard data of dose-response software; the four-parameter log-logistic curve is fitted by least
squares.
The exact Hessian of the sum of squares gives the standard errors, and the Jacobian of the curve by its parameters
carries them to a band around it. The picture is out/dose_response.png.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, R, Record

# %% The model
N = TypeVar("N", bound=int)


@attrs.frozen
class Curve(Record):
    """From `upper` without a dose to `lower` at high doses, half way at the dose `ec50`."""

    slope: BVar[float]
    lower: BVar[float]
    upper: BVar[float]
    ec50: BVar[float]


class Parameters(Dim): ...


PARAMETERS = Parameters(4)


def response(curve: Curve, dose: R[N]) -> BVar[R[N]]:
    """The log-logistic curve. At dose 0 it is `upper`, and so are its derivatives: 0 ** slope has slope 0."""
    return curve.lower + (curve.upper - curve.lower) / (1.0 + (dose / curve.ec50) ** curve.slope)


def sum_of_squares(curve: Curve, dose: R[N], measured: R[N]) -> BVar[float]:
    residual = measured - response(curve, dose)
    return residual @ residual


# %% The measurements: root length in cm at a concentration in mM, seven concentrations
class Roots(Dim): ...


MEASURED = {
    0.0: (7.5800000, 8.0000000, 8.3285714, 7.2500000, 7.3750000, 7.9625000),
    0.94: (8.3555556, 6.9142857, 7.7500000),
    1.88: (6.8714286, 6.4500000, 5.9222222),
    3.75: (1.9250000, 2.8857143, 4.2333333),
    7.5: (1.1875000, 0.8571429, 1.0571429),
    15.0: (0.6875000, 0.5250000, 0.8250000),
    30.0: (0.2500000, 0.2200000, 0.4400000),
}
GUESS = Curve(slope=BVar(1.0), lower=BVar(0.0), upper=BVar(8.0), ec50=BVar(5.0))
LEAST = Curve(slope=BVar(0.1), lower=BVar(-math.inf), upper=BVar(-math.inf), ec50=BVar(0.01))


def measurements() -> tuple[R[Roots], R[Roots]]:
    """The dose of each root, and its length."""
    pairs = [(dose, length) for dose, lengths in MEASURED.items() for length in lengths]
    roots = Roots(len(pairs))
    return tp.vector([dose for dose, _ in pairs], roots), tp.vector([length for _, length in pairs], roots)


# %% The fit, and how far to trust it
@attrs.frozen
class Fit:
    """The estimates, and their covariance in the order of the record's fields."""

    curve: Curve
    noise: float
    """The standard deviation of a measurement."""
    covariance: L[Parameters, Parameters]
    student: float
    """How many standard errors the confidence interval reaches to each side."""


def fit(dose: R[N], measured: R[N], *, guess: Curve = GUESS, confidence: float = 0.95) -> Fit:
    """Least squares. With S the sum of squares, S / 2 / variance is the log likelihood's negative.

    So the covariance of the estimates is the inverse of its Hessian at the best curve, `2 * variance * inv(S'')`.
    Raises RuntimeError if the search fails.
    """
    found = typedprop.scipy.minimize(sum_of_squares, guess, dose, measured, bounds=(LEAST, None))
    if not found.success:
        raise RuntimeError(f"the fit failed: {found.message}")
    freedom = len(dose) - PARAMETERS
    variance = found.value / freedom
    # Of a record the size of the Hessian is unknown to the checker, and is checked here.
    hessian = tp.matrix(tp.hessian(sum_of_squares)(found.record, dose, measured).value, PARAMETERS, PARAMETERS)
    return Fit(
        curve=found.record,
        noise=math.sqrt(variance),
        covariance=2.0 * variance * tp.linalg.inv(hessian),
        student=float(stats.t.ppf(0.5 + confidence / 2.0, freedom)),
    )


def standard_errors(fitted: Fit) -> R[Parameters]:
    return tp.sqrt(tp.take_diag(fitted.covariance))


def band(fitted: Fit, dose: R[N]) -> R[N]:
    """How far the confidence band of the curve reaches to each side at each dose, by the delta method."""
    by_parameters: L[N, Parameters] = tp.jacobian(response)(fitted.curve, dose).value
    variance = (by_parameters @ fitted.covariance * by_parameters).sum(axis=1)
    return fitted.student * tp.sqrt(variance)


# %% The picture
class Grid(Dim): ...


def draw(path: Path, dose: R[Roots], measured: R[Roots], fitted: Fit) -> None:
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    curve, valley = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_curve(curve, dose, measured, fitted)
    draw_valley(valley, dose, measured, fitted)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


def draw_curve(axes: Axes, dose: R[Roots], measured: R[Roots], fitted: Fit) -> None:
    # No dose has no place on an axis of logarithms; it stands to the left of the others.
    none = 0.3
    grid = Grid(200)
    doses = tp.vector(np.geomspace(none, 40.0, grid), grid)
    middle, reach = response(fitted.curve, doses).value, band(fitted, doses)
    axes.fill_between(doses, middle - reach, middle + reach, color="C0", alpha=0.2, label="95 % band of the curve")
    noise = tp.sqrt(reach**2 + (fitted.student * fitted.noise) ** 2)
    axes.plot(doses, middle - noise, ":", color="C0", label="95 % band of a measurement")
    axes.plot(doses, middle + noise, ":", color="C0")
    axes.plot(doses, middle, color="C0", label="fit")
    axes.plot(np.maximum(dose, none), measured, "o", color="0.3", markersize=4, label="measured")
    ec50 = fitted.curve.ec50.value
    half = (fitted.curve.upper.value + fitted.curve.lower.value) / 2
    error = fitted.student * float(standard_errors(fitted)[3])
    axes.errorbar(ec50, half, xerr=error, color="C3", fmt="D", capsize=4, label=f"EC50 {ec50:.2f} ± {error:.2f} mM")
    axes.set_xscale("log")
    axes.set_xticks([none, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
    axes.minorticks_off()
    axes.set(title="Root length of ryegrass", xlabel="ferulic acid (mM)", ylabel="root length (cm)")
    axes.legend()


def draw_valley(axes: Axes, dose: R[Roots], measured: R[Roots], fitted: Fit) -> None:
    """The sum of squares around its least value, and the ellipse that the Hessian makes of it."""
    errors, best = standard_errors(fitted), fitted.curve
    across, along = np.linspace(-4.0, 4.0, 41), np.linspace(-4.0, 4.0, 41)
    slopes, ec50s = best.slope.value + errors[0] * across, best.ec50.value + errors[3] * along
    losses = [
        [
            sum_of_squares(Curve(BVar(s), best.lower, best.upper, BVar(e)), dose, measured).value / fitted.noise**2
            for s in slopes
        ]
        for e in ec50s
    ]
    freedom = len(dose) - PARAMETERS
    levels = [freedom + 1.0, freedom + 4.0, freedom + 9.0]
    axes.contour(slopes, ec50s, losses, levels=levels, colors="C0")
    # The same with lower and upper held: the inverse of the inverse's block.
    held = np.linalg.inv(fitted.covariance)[np.ix_([0, 3], [0, 3])]
    x, y = np.meshgrid(slopes - best.slope.value, ec50s - best.ec50.value)
    squares = freedom + held[0, 0] * x**2 + 2 * held[0, 1] * x * y + held[1, 1] * y**2
    axes.contour(slopes, ec50s, squares, levels=levels, colors="C1", linestyles="--")
    axes.plot([], [], color="C0", label="sum of squares")
    axes.plot([], [], "--", color="C1", label="as the Hessian has it")
    axes.plot(best.slope.value, best.ec50.value, "D", color="C3")
    axes.set(title="1, 2 and 3 standard errors away, limits held", xlabel="slope", ylabel="EC50 (mM)")
    axes.legend(loc="upper right")


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fit a dose-response curve, with confidence bands from the Hessian.")
    parser.add_argument(
        "--out", type=Path, default=Path("out/dose_response.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    dose, measured = measurements()
    fitted = fit(dose, measured)
    errors = standard_errors(fitted)
    for name, error in zip(attrs.fields_dict(Curve), errors, strict=True):
        estimate = getattr(fitted.curve, name).value
        low, high = estimate - fitted.student * error, estimate + fitted.student * error
        print(f"{name:6} {estimate:7.4f}   standard error {error:.4f}   95 % from {low:.3f} to {high:.3f}")
    draw(options.out, dose, measured, fitted)
    print(f"noise {fitted.noise:.4f} cm; picture: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
