from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
from scipy.optimize import curve_fit

import dose_response
import typedprop as tp


def test_finds_the_published_estimates() -> None:
    """Those of Ritz and others (2015), "Dose-Response Analysis Using R", for the same data and curve."""
    fitted = dose_response.fit(*dose_response.measurements())
    found = [value.value for value in attrs.astuple(fitted.curve, recurse=False)]
    np.testing.assert_allclose(found, [2.98222, 0.48141, 7.79296, 3.05795], rtol=2e-5)
    np.testing.assert_allclose(
        dose_response.standard_errors(fitted), [0.46506, 0.21219, 0.18857, 0.18573], rtol=1e-3, atol=0
    )
    assert fitted.noise == pytest.approx(0.5196, abs=1e-4)
    assert fitted.student == pytest.approx(2.086, abs=1e-3)


def test_agrees_with_curve_fit() -> None:
    dose, measured = dose_response.measurements()
    fitted = dose_response.fit(dose, measured)

    def curve(x: np.ndarray, b: float, c: float, d: float, e: float) -> np.ndarray:
        return c + (d - c) / (1 + (x / e) ** b)

    found, covariance = curve_fit(curve, dose, measured, [2.0, 0.0, 8.0, 3.0])
    np.testing.assert_allclose([v.value for v in attrs.astuple(fitted.curve, recurse=False)], found, rtol=1e-4)
    # curve_fit leaves the curve's second derivatives out of the Hessian.
    np.testing.assert_allclose(dose_response.standard_errors(fitted), np.sqrt(np.diag(covariance)), rtol=0.1)


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """100 experiments made from the fitted curve: the truth is in about 95 of the intervals for each parameter."""
    dose, measured = dose_response.measurements()
    truth = dose_response.fit(dose, measured)
    values = np.array([v.value for v in attrs.astuple(truth.curve, recurse=False)])
    grid = tp.vector([1.5, 3.0, 6.0], dose_response.Grid(3))
    rng = np.random.default_rng(0)
    inside, inside_band = np.zeros(4), np.zeros(3)
    for _ in range(100):
        again = dose_response.response(truth.curve, dose).value + rng.normal(0.0, truth.noise, len(dose))
        fitted = dose_response.fit(dose, tp.vector(again, dose_response.Roots(len(dose))), guess=truth.curve)
        found = np.array([v.value for v in attrs.astuple(fitted.curve, recurse=False)])
        inside += np.abs(found - values) < fitted.student * dose_response.standard_errors(fitted)
        off = dose_response.response(fitted.curve, grid).value - dose_response.response(truth.curve, grid).value
        inside_band += np.abs(off) < dose_response.band(fitted, grid)
    # Four standard deviations of a count of 100 at 95 %, and what the delta method is off by.
    assert (inside >= 86).all(), inside
    assert (inside_band >= 86).all(), inside_band
    assert inside.sum() < 400


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "dose_response.png"
    assert dose_response.main(["--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["slope", "lower", "upper", "ec50", "noise"]
    assert out.read_bytes().startswith(b"\x89PNG")
