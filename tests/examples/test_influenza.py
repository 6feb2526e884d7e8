from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import influenza
import typedprop as tp
from typedprop import BVar


def course(infection: float, recovery: float) -> np.ndarray:
    """The same by an adaptive solver with a small tolerance."""

    def change(_: float, y: np.ndarray) -> list[float]:
        infections = infection * y[0] * y[1] / 763.0
        return [-infections, infections - recovery * y[1]]

    solved = solve_ivp(change, (0.0, 14.0), [762.0, 1.0], t_eval=np.arange(1, 15), rtol=1e-11, atol=1e-9)
    return np.asarray(solved.y[1])


def test_the_solution_and_its_derivative_are_those_of_another_solver() -> None:
    rates = influenza.Rates(BVar(1.7), BVar(0.45))
    days = influenza.Days(14)
    np.testing.assert_allclose(influenza.infected(rates, days).value, course(1.7, 0.45), rtol=1e-4)
    np.testing.assert_allclose(influenza.infected(rates, days, 64).value, course(1.7, 0.45), rtol=1e-8)
    jacobian = tp.jacobian(influenza.infected)(rates, days, 64).value
    by_infection = (course(1.7 + 1e-4, 0.45) - course(1.7 - 1e-4, 0.45)) / 2e-4
    by_recovery = (course(1.7, 0.45 + 1e-4) - course(1.7, 0.45 - 1e-4)) / 2e-4
    np.testing.assert_allclose(jacobian, np.stack([by_infection, by_recovery], 1), rtol=1e-4, atol=1e-2)


def test_the_fit_is_the_textbook_one() -> None:
    """Murray, "Mathematical Biology", gives 2.18e-3 infections a boy and day, and recovery 0.44 a day."""
    fitted = influenza.fit(influenza.IN_BED)
    assert fitted.rates.infection.value / influenza.BOYS == pytest.approx(2.18e-3, rel=0.01)
    assert fitted.rates.recovery.value == pytest.approx(0.44, abs=0.006)
    assert 17 < fitted.noise < 20


def test_exact_data_give_the_rates_back() -> None:
    rates = influenza.Rates(BVar(1.5), BVar(0.35))
    fitted = influenza.fit(influenza.infected(rates, influenza.Days(14)).value)
    assert fitted.rates.infection.value == pytest.approx(1.5, rel=1e-6)
    assert fitted.rates.recovery.value == pytest.approx(0.35, rel=1e-6)


def test_what_follows_has_the_errors_of_a_sample() -> None:
    fitted = influenza.fit(influenza.IN_BED)
    best = [fitted.rates.infection.value, fitted.rates.recovery.value]
    sample = np.random.default_rng(0).multivariate_normal(best, fitted.covariance, 2000)
    for quantity in (influenza.reproduction, influenza.doubling_time, influenza.final_size):
        value, error = influenza.with_error(quantity, fitted)
        drawn = [quantity(influenza.Rates(BVar(b), BVar(c))).value for b, c in sample[:, :]]
        assert np.mean(drawn) == pytest.approx(value, abs=0.15 * error), quantity.__name__
        assert np.std(drawn) == pytest.approx(error, rel=0.1), quantity.__name__
    # At the end of an epidemic that runs for long, who is left was never ill.
    state = influenza.START
    for _ in range(600):
        state = influenza.runge_kutta(lambda y: influenza.change(y, fitted.rates), state, 0.125)
    # The one boy of the beginning is what the equation leaves out.
    assert influenza.BOYS - state.susceptible.value == pytest.approx(influenza.final_size(fitted.rates).value, abs=0.5)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "influenza.png"
    assert influenza.main(["--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6 and lines[2].startswith("reproduction number")
    assert out.read_bytes().startswith(b"\x89PNG")
