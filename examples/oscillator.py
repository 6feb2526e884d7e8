"""Find a damped oscillator's amplitude, decay, frequency and phase from noisy measurements.

The four unknowns are one record of `BVar[float]`. Its gradient is the same record, so gradient descent with momentum is
arithmetic on records. The result is compared with the truth that the measurements were made from, and drawn in
out/oscillator.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
from matplotlib.figure import Figure
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, R, Record

# %% The model
N = TypeVar("N", bound=int)


@attrs.frozen
class Oscillator(Record):
    """Its displacement at time t is amplitude * exp(-decay * t) * cos(frequency * t + phase)."""

    amplitude: BVar[float]
    decay: BVar[float]
    frequency: BVar[float]
    phase: BVar[float]


def displacement(model: Oscillator, time: R[N]) -> BVar[R[N]]:
    return model.amplitude * tp.exp(-model.decay * time) * tp.cos(model.frequency * time + model.phase)


def mean_square_error(model: Oscillator, time: R[N], measured: R[N]) -> BVar[float]:
    difference = displacement(model, time) - measured
    return (difference * difference).mean()


# %% The measurements: 300 of them in 15 seconds, with noise
class Samples(Dim): ...


NOISE = 0.1
TRUTH = Oscillator(amplitude=BVar(1.5), decay=BVar(0.15), frequency=BVar(2.0), phase=BVar(0.6))
# Near enough: from frequencies below 1 or above 3.5, descent ends in another valley of the error.
GUESS = Oscillator(amplitude=BVar(1.0), decay=BVar(0.1), frequency=BVar(2.4), phase=BVar(0.0))


def measure(seed: int) -> tuple[R[Samples], R[Samples]]:
    samples = Samples(300)
    time = tp.vector(np.linspace(0.0, 15.0, samples), samples)
    noise = tp.normal(np.random.default_rng(seed), samples, scale=NOISE)
    return time, displacement(TRUTH, time).value + noise


# %% The fit
def fit(model: Oscillator, time: R[N], measured: R[N], *, rate: float, steps: int) -> tuple[Oscillator, list[float]]:
    """Gradient descent with momentum; also the error before each step."""
    error_and_gradient = tp.value_and_grad(mean_square_error)
    velocity = 0.0 * model
    errors = list[float]()
    for _ in range(steps):
        error, gradient = error_and_gradient(model, time, measured)
        errors.append(error.value)
        velocity = 0.9 * velocity - rate * gradient
        model = model + velocity
    return model, errors


# %% The picture
def draw(path: Path, time: R[N], measured: R[N], fitted: Oscillator, errors: Sequence[float]) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    motion, curve = figure.subplots(1, 2, width_ratios=(3, 2))
    motion.plot(time, measured, ".", color="0.6", label="measured")
    motion.plot(time, displacement(GUESS, time).value, ":", color="C1", label="first guess")
    motion.plot(time, displacement(TRUTH, time).value, color="C2", linewidth=4, alpha=0.4, label="truth")
    motion.plot(time, displacement(fitted, time).value, color="C0", label="fit")
    motion.set(title="A damped oscillator", xlabel="time (s)", ylabel="displacement")
    motion.legend(loc="upper right", ncols=2)
    curve.semilogy(errors)
    curve.axhline(NOISE**2, color="0.6", linestyle="--", label="variance of the noise")
    curve.set(title="Gradient descent on the record", xlabel="step", ylabel="mean square error")
    curve.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fit a damped oscillator to noisy measurements by gradient descent.")
    parser.add_argument(
        "--steps", type=int, default=200, help="how many steps of descent to take (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, default=0.05, help="size of a step (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/oscillator.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    time, measured = measure(options.seed)
    fitted, errors = fit(GUESS, time, measured, rate=options.rate, steps=options.steps)
    worst = 0.0
    for name in attrs.fields_dict(Oscillator):
        truth, found = getattr(TRUTH, name).value, getattr(fitted, name).value
        worst = max(worst, abs(found - truth))
        print(f"{name:10} {found:8.4f}   truth {truth:.4f}")
    draw(options.out, time, measured, fitted, errors)
    print(f"mean square error {errors[0]:.4f} at first, {errors[-1]:.4f} at last; picture: {options.out}")
    if not worst < 0.05:
        print(f"oscillator: the fit is off by {worst:.3f}; it takes more steps, or another rate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
