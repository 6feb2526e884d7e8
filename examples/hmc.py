"""Bayesian logistic regression by Hamiltonian Monte Carlo, with the diagnostics that say whether to believe it.

The data are scikit-learn's 569 breast tumours, of which five measurements are used to say which are malignant. Four
chains move at once as the rows of one matrix of weights, so one gradient serves all of them. The step size is adapted
by dual averaging (Hoffman and Gelman 2014), and the directions are scaled by the Laplace approximation: the Hessian at
the posterior's mode. The chains are then compared with it. The picture is out/hmc.png.
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
from sklearn.datasets import load_breast_cancer
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy
from typedprop import BVar, Dim, L, R


# %% Sizes
class Tumours(Dim): ...


class Weights(Dim): ...


class Chains(Dim): ...


class Draws(Dim): ...


N = TypeVar("N", bound=int)
W = TypeVar("W", bound=Dim)
C = TypeVar("C", bound=int)

# %% The data: an intercept, and measurements on a standard scale
NAMES = ("intercept", "radius", "texture", "smoothness", "concavity", "symmetry")
MEASUREMENTS = (0, 1, 4, 6, 8)


@attrs.frozen(eq=False)
class Data(Generic[N, W]):
    """Rows of inputs, and which of them are malignant: 1.0 or 0.0."""

    inputs: L[N, W]
    malignant: R[N]


def load() -> Data[Tumours, Weights]:
    measured, benign = load_breast_cancer(return_X_y=True)
    chosen = measured[:, MEASUREMENTS]
    standard = (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)
    tumours, weights = Tumours(len(standard)), Weights(len(NAMES))
    return Data(
        tp.matrix(np.column_stack([np.ones(tumours), standard]), tumours, weights),
        tp.vector(1.0 - benign, tumours),
    )


# %% The posterior
PRIOR = 2.0
"""The standard deviation of each weight before any data were seen."""


def potential(weights: BVar[L[C, W]], data: Data[N, W]) -> BVar[R[C]]:
    """Minus the logarithm of the posterior density of each chain's weights, but for a constant."""
    scores = weights @ data.inputs.T
    surprise = (tp.softplus(scores) - scores * data.malignant).sum(axis=1)
    return surprise + 0.5 / PRIOR**2 * (weights * weights).sum(axis=1)


def one_potential(weights: BVar[R[W]], data: Data[N, W]) -> BVar[float]:
    return potential(tp.row(weights), data).sum()


# %% The Laplace approximation
@attrs.frozen(eq=False)
class Normal(Generic[W]):
    """A normal distribution; `root @ root.T` is its covariance."""

    mean: R[W]
    root: L[W, W]

    @property
    def deviations(self) -> R[W]:
        return tp.sqrt((self.root * self.root).sum(axis=1))


def laplace(data: Data[N, W], size: W) -> Normal[W]:
    """The normal distribution with the posterior's mode and, there, its curvature."""
    mode = typedprop.scipy.minimize(one_potential, BVar(tp.zeros(size)), data, method="trust-exact").record
    covariance = tp.linalg.inv(tp.hessian(one_potential)(mode, data).value)
    return Normal(mode.value, tp.linalg.cholesky(0.5 * (covariance + covariance.T)))


# %% Hamiltonian Monte Carlo
@attrs.frozen(eq=False)
class Samples(Generic[W]):
    draws: tuple[L[Draws, W], ...]
    """One matrix a chain."""
    acceptance: float
    """The mean probability that a trajectory was accepted."""
    step: float


def whitened(position: BVar[L[C, W]], normal: Normal[W], data: Data[N, W]) -> BVar[R[C]]:
    """The potential in coordinates in which the Laplace approximation is the standard normal distribution."""
    return potential(position @ normal.root.T + normal.mean, data)


def sample(
    data: Data[N, W],
    normal: Normal[W],
    size: W,
    chains: Chains,
    rng: np.random.Generator,
    *,
    warm_up: int,
    draws: Draws,
) -> Samples[W]:
    """Chains from starts that are spread wider than the posterior. Trajectories are about 1.6 long: to independence."""

    def energies(at: L[Chains, W]) -> tuple[R[Chains], L[Chains, W]]:
        """Each chain's potential and, in its row, its gradient: no chain depends on another."""
        level, gradient = tp.backprop(whitened, BVar(at), normal, data)
        return level.value, gradient.value

    position = tp.normal(rng, chains, size, scale=2.0)
    level, slope = energies(position)
    step, adapted, mean_error = 0.1, 0.1, 0.0
    accepted, kept = 0.0, np.zeros((chains, draws, size))
    for k in range(warm_up + draws):
        momentum = tp.normal(rng, chains, size)
        here = level + 0.5 * (momentum * momentum).sum(axis=1)
        there, new_slope = position, slope
        new_level = level
        for _ in range(max(1, min(30, round(1.6 / step * rng.uniform(0.8, 1.2))))):
            # The leapfrog: half a step of the momentum, one of the position, half a step of the momentum.
            momentum = momentum - 0.5 * step * new_slope
            there = there + step * momentum
            new_level, new_slope = energies(there)
            momentum = momentum - 0.5 * step * new_slope
        gain = here - new_level - 0.5 * (momentum * momentum).sum(axis=1)
        probability = tp.exp(tp.minimum(gain, 0.0))
        taken = tp.uniform(rng, chains) < probability
        # Chains that took the step go on from there, the others from where they were.
        row = np.flatnonzero(taken)
        position, slope, level = position.copy(), slope.copy(), level.copy()
        position[row], slope[row], level[row] = there[row], new_slope[row], new_level[row]
        if k < warm_up:
            # Dual averaging, towards an acceptance of 0.8.
            mean_error += (0.8 - float(probability.mean()) - mean_error) / (k + 11)
            log_step = math.log(1.0) - math.sqrt(k + 1) / 0.05 * mean_error
            share = (k + 1) ** -0.75
            adapted = math.exp(share * log_step + (1.0 - share) * math.log(adapted))
            step = adapted if k == warm_up - 1 else math.exp(log_step)
        else:
            accepted += float(probability.mean()) / draws
            kept[:, k - warm_up] = position @ normal.root.T + normal.mean
    return Samples(tuple(tp.matrix(chain, draws, size) for chain in kept), accepted, step)


# %% Diagnostics
def r_hat(draws: Sequence[R[Draws]]) -> float:
    """The split R-hat of Gelman and others: above 1.01, halves of chains disagree about where the posterior is."""
    half = len(draws[0]) // 2
    halves = np.array([part for chain in draws for part in (chain[:half], chain[half : 2 * half])])
    within = halves.var(axis=1, ddof=1).mean()
    between = half * halves.mean(axis=1).var(ddof=1)
    return math.sqrt((half - 1) / half + between / within / half)


def effective_size(draws: Sequence[R[Draws]]) -> float:
    """How many independent draws would say as much about the mean: Geyer's initial positive sequence."""
    chains = np.array(draws)
    count = chains.shape[1]
    centred = chains - chains.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * count, axis=1)) ** 2
    correlation = np.fft.irfft(spectrum, axis=1)[:, :count].mean(axis=0)
    correlation /= correlation[0]
    pairs = correlation[: count // 2 * 2].reshape(-1, 2).sum(axis=1)
    stop = int(np.argmax(pairs < 0.0)) or len(pairs)
    return chains.size / max(float(2.0 * pairs[:stop].sum() - 1.0), 1.0 / math.log10(chains.size))


# %% The picture
class Grid(Dim): ...


def draw(path: Path, samples: Samples[Weights], normal: Normal[Weights]) -> None:
    figure = Figure(figsize=(11, 6), layout="constrained")
    figure.suptitle("Posterior of the weights: four chains (steps) and the Laplace approximation (line)")
    grid = Grid(120)
    for k, axes in enumerate(figure.subplots(2, 3).flat):
        mean, deviation = normal.mean[k], normal.deviations[k]
        x = tp.vector(np.linspace(mean - 4.5 * deviation, mean + 4.5 * deviation, grid), grid)
        axes.plot(x, tp.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi)), color="k")
        for chain in samples.draws:
            axes.hist(chain[:, k], bins=x[::4], density=True, histtype="step", alpha=0.7)
        axes.axvline(0.0, color="0.7", linestyle=":")
        axes.set(title=NAMES[k], xlim=(x[0], x[-1]), yticks=[])
        if k >= 3:
            axes.set_xlabel("log odds of malignant\nper standard deviation")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=120)


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Logistic regression by Hamiltonian Monte Carlo.")
    parser.add_argument("--draws", type=int, default=1000, help="draws that each chain keeps (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=300, help="draws that it forgets (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the chains (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/hmc.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)

    data = load()
    size = Weights(data.inputs.shape[1])
    normal = laplace(data, size)
    samples = sample(
        data,
        normal,
        size,
        Chains(4),
        np.random.default_rng(options.seed),
        warm_up=options.warm_up,
        draws=Draws(options.draws),
    )
    print(f"step {samples.step:.2f}, acceptance {samples.acceptance:.0%}")
    print(f"{'weight':12} {'mean':>7} {'sd':>6}  {'Laplace':>7} {'sd':>6}  {'R-hat':>6} {'effective':>9}")
    worst = 0.0
    for k, name in enumerate(NAMES):
        chains = [chain[:, k] for chain in samples.draws]
        together = np.array(chains)
        worst = max(worst, r_hat(chains))
        print(
            f"{name:12} {together.mean():7.3f} {together.std():6.3f}  "
            f"{normal.mean[k]:7.3f} {normal.deviations[k]:6.3f}  "
            f"{r_hat(chains):6.3f} {effective_size(chains):9.0f}"
        )
    draw(options.out, samples, normal)
    print(f"picture: {options.out}")
    if worst > 1.02:
        print(f"hmc: the chains disagree (R-hat {worst:.3f}); they need more draws", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
