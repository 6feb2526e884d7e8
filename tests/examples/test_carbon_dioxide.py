from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    ExpSineSquared,
    Kernel,
    RationalQuadratic,
    WhiteKernel,
)

import carbon_dioxide
import typedprop as tp

# The order of scikit-learn's parameters among those of the record: it has shape before length.
ORDER = [0, 1, 2, 3, 4, 5, 7, 6, 8, 9, 10]
# Its amplitudes are variances, whose logarithms are twice ours.
SCALE = np.array([2.0, 1, 2, 1, 1, 2, 1, 1, 2, 1, 2])


def values(kernel: carbon_dioxide.Kernel) -> np.ndarray:
    return np.array([leaf.value for leaf in tp.tree.leaves(kernel)])


def sklearn_kernel(kernel: carbon_dioxide.Kernel) -> Kernel:
    v = [math.exp(x) for x in values(kernel)]
    b, b2 = (1e-3, 1e4), (1e-6, 1e8)
    found = (
        ConstantKernel(v[0] ** 2, b2) * RBF(v[1], b)
        + ConstantKernel(v[2] ** 2, b2) * RBF(v[3], b) * ExpSineSquared(v[4], 1.0, b, "fixed")
        + ConstantKernel(v[5] ** 2, b2) * RationalQuadratic(v[6], v[7], b, b)
        + ConstantKernel(v[8] ** 2, b2) * RBF(v[9], b)
        + WhiteKernel(v[10] ** 2, b2)
    )
    np.testing.assert_allclose(found.theta, (SCALE * values(kernel))[ORDER], rtol=1e-12)
    return found


@pytest.fixture(scope="module")
def data() -> tuple[carbon_dioxide.Series[carbon_dioxide.Learned], carbon_dioxide.Series[carbon_dioxide.Unseen], float]:
    return carbon_dioxide.load(every=4)


Data = tuple[carbon_dioxide.Series[carbon_dioxide.Learned], carbon_dioxide.Series[carbon_dioxide.Unseen], float]


def test_the_months(data: Data) -> None:
    series, unseen, mean = carbon_dioxide.load()
    assert len(series.time) == 377 and len(unseen.time) == 144
    assert series.time[0] == pytest.approx(1958 + 2.5 / 12)
    assert series.level[0] + mean == pytest.approx(316.1)
    assert unseen.level[-1] + mean == pytest.approx(np.mean([370.3, 370.8, 371.2, 371.3, 371.5]))
    assert abs(series.level.mean()) < 1e-9
    np.testing.assert_array_equal(data[0].time, series.time[::4])


def test_likelihood_and_gradient_are_scikit_learns(data: Data) -> None:
    series = data[0]
    surprise, gradient = tp.value_and_grad(carbon_dioxide.surprise)(carbon_dioxide.GUESS, series)
    kernel = sklearn_kernel(carbon_dioxide.GUESS)
    other = GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(series.time[:, None], series.level)
    likelihood, by_theta = other.log_marginal_likelihood(kernel.theta, eval_gradient=True)
    assert -surprise.value == pytest.approx(likelihood, rel=1e-9)
    np.testing.assert_allclose(-values(gradient)[ORDER], by_theta * SCALE[ORDER], rtol=1e-5, atol=1e-5)


def test_the_learned_kernel_is_scikit_learns(data: Data) -> None:
    series, unseen, _ = data
    kernel, course = carbon_dioxide.learn(series)
    assert course[-1] < course[0] - 20
    with warnings.catch_warnings():
        # It says that the shape is at its bound.
        warnings.simplefilter("ignore")
        other = GaussianProcessRegressor(sklearn_kernel(carbon_dioxide.GUESS), alpha=0.0)
        other.fit(series.time[:, None], series.level)
    assert -course[-1] == pytest.approx(other.log_marginal_likelihood_value_, abs=0.01)
    # All but the noise, of which a year of three months says nothing.
    np.testing.assert_allclose(values(kernel)[ORDER][:-1], (other.kernel_.theta / SCALE[ORDER])[:-1], atol=0.02)
    mean, deviation = carbon_dioxide.predict(kernel, series, unseen.time)
    other_mean, other_deviation = other.predict(unseen.time[:, None], return_std=True)
    np.testing.assert_allclose(mean, other_mean, atol=0.1)
    np.testing.assert_allclose(deviation, other_deviation, rtol=0.05)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "carbon_dioxide.png"
    assert carbon_dioxide.main(["--every", "3", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("126 months: log marginal likelihood -107.43 at first, -65.4")
    # From 1990 on the trend slowed down for some years; the season goes on as learned.
    assert 1.0 < float(lines[-2].split("off by ")[1].split()[0]) < 3.0
    assert out.read_bytes().startswith(b"\x89PNG")
