from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import hmc
import typedprop as tp
from typedprop import BVar, L, R

# pyright takes the shape for an int, from its default.
multivariate_t: Any = stats.multivariate_t


@pytest.fixture(scope="module")
def data() -> hmc.Data[hmc.Tumours, hmc.Weights]:
    return hmc.load()


@pytest.fixture(scope="module")
def normal(data: hmc.Data[hmc.Tumours, hmc.Weights]) -> hmc.Normal[hmc.Weights]:
    return hmc.laplace(data, hmc.Weights(6))


@pytest.fixture(scope="module")
def samples(data: hmc.Data[hmc.Tumours, hmc.Weights], normal: hmc.Normal[hmc.Weights]) -> hmc.Samples[hmc.Weights]:
    rng = np.random.default_rng(0)
    return hmc.sample(data, normal, hmc.Weights(6), hmc.Chains(4), rng, warm_up=300, draws=hmc.Draws(1000))


def test_the_gradient_of_each_chain_is_its_own(data: hmc.Data[hmc.Tumours, hmc.Weights]) -> None:
    weights = tp.normal(np.random.default_rng(1), hmc.Chains(4), hmc.Weights(6))
    level, gradient = tp.backprop(hmc.potential, BVar(weights), data)
    for chain in range(4):
        scores = data.inputs @ weights[chain]
        own = data.inputs.T @ (1 / (1 + np.exp(-scores)) - data.malignant) + weights[chain] / hmc.PRIOR**2
        np.testing.assert_allclose(gradient.value[chain], own, rtol=1e-12)
        surprise = np.logaddexp(0, np.where(data.malignant == 1, -scores, scores)).sum()
        assert level.value[chain] == pytest.approx(surprise + (weights[chain] ** 2).sum() / 8, rel=1e-12)


def test_the_diagnostics_know_good_chains_from_bad(samples: hmc.Samples[hmc.Weights]) -> None:
    assert 0.7 < samples.acceptance < 0.9
    for k in range(6):
        chains = [chain[:, k] for chain in samples.draws]
        assert 0.99 < hmc.r_hat(chains) < 1.01
        assert 2000 < hmc.effective_size(chains) < 8000
        apart = [chains[0] + chains[0].std(), *chains[1:]]
        assert hmc.r_hat(apart) > 1.05
    rng, count = np.random.default_rng(0), hmc.Draws(4000)
    independent: list[R[hmc.Draws]] = [tp.normal(rng, count) for _ in range(4)]
    assert hmc.effective_size(independent) == pytest.approx(16000, rel=0.15)
    # An autoregression of the first order with coefficient 0.8 is worth (1 - 0.8) / (1 + 0.8) of its length.
    slow = [tp.zeros(count) for _ in range(4)]
    for chain in slow:
        for i in range(1, count):
            chain[i] = 0.8 * chain[i - 1] + rng.normal()
    assert hmc.effective_size(slow) == pytest.approx(16000 / 9, rel=0.2)


def test_the_posterior_is_that_of_importance_sampling(
    data: hmc.Data[hmc.Tumours, hmc.Weights],
    normal: hmc.Normal[hmc.Weights],
    samples: hmc.Samples[hmc.Weights],
) -> None:
    """A method without gradients and without chains: 40,000 draws of a t distribution, weighted by the posterior."""
    wide = multivariate_t(normal.mean, normal.root @ normal.root.T, df=8, seed=2)
    proposed = tp.matrix(wide.rvs(40_000), hmc.Draws(40_000), hmc.Weights(6))
    log_weights = -hmc.potential(BVar(proposed), data).value - wide.logpdf(proposed)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    assert 1 / (weights**2).sum() > 15_000
    mean = weights @ proposed
    deviation = np.sqrt(weights @ (proposed - mean) ** 2)
    together = np.concatenate(samples.draws)
    # Some 3,500 independent draws: an error of the mean of 1/60 deviations, of the deviation 1/80.
    np.testing.assert_array_less(np.abs(together.mean(axis=0) - mean), 0.07 * deviation)
    np.testing.assert_allclose(together.std(axis=0), deviation, rtol=0.06)
    # The mode is not the mean of a skewed posterior, so Laplace is near but wrong, and the chains know.
    assert together[:, 1].mean() - normal.mean[1] > 0.2 * deviation[1]
    np.testing.assert_array_less(np.abs(normal.mean - mean), 0.5 * deviation)
    np.testing.assert_allclose(normal.deviations, deviation, rtol=0.1)


def test_a_normal_posterior_is_found_exactly(normal: hmc.Normal[hmc.Weights]) -> None:
    """Without data there is the prior."""
    none = hmc.Data(inputs=tp.zeros(hmc.Tumours(1), hmc.Weights(6)), malignant=tp.zeros(hmc.Tumours(1)))
    prior = hmc.laplace(none, hmc.Weights(6))
    np.testing.assert_allclose(prior.mean, 0.0, atol=1e-12)
    np.testing.assert_allclose(prior.deviations, hmc.PRIOR, rtol=1e-12)
    drawn: L[hmc.Draws, hmc.Weights]
    rng = np.random.default_rng(0)
    samples = hmc.sample(none, prior, hmc.Weights(6), hmc.Chains(4), rng, warm_up=200, draws=hmc.Draws(500))
    for drawn in samples.draws:
        np.testing.assert_array_less(np.abs(drawn.mean(axis=0)), 0.5)
        np.testing.assert_allclose(drawn.std(axis=0), hmc.PRIOR, rtol=0.2)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "hmc.png"
    assert hmc.main(["--out", str(out), "--draws", "500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:8]] == list(hmc.NAMES)
    assert out.read_bytes().startswith(b"\x89PNG")
    assert hmc.main(["--out", str(out), "--draws", "8", "--warm-up", "2"]) == 1
    assert capsys.readouterr().err.startswith("hmc: the chains disagree (R-hat ")
