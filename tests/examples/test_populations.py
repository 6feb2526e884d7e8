from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import populations
import typedprop as tp
from populations import TRUTH, Model, Weeks
from typedprop import BVar
from typedprop.testing import check_grads


def test_an_ode_solver_with_its_adjoint() -> None:
    times = tp.vector([0.0, 0.7, 2.0, 2.5], Weeks(4))
    weights = tp.matrix(np.arange(1.0, 9.0).reshape(4, 2), Weeks(4), populations.SPECIES)

    def weighed(model: Model) -> BVar[float]:
        return (populations.predicted(model, times) * weights).sum()

    check_grads(weighed, (TRUTH,), order=1, modes=["rev"])


def test_it_needs_no_time_zero_and_takes_one_time() -> None:
    start, rates = tp.exp(TRUTH.log_start), tp.exp(TRUTH.log_rates)
    for moments in ([2.0], [0.0, 2.0], [0.0, 1.0, 2.0]):
        times = tp.vector(moments, Weeks(len(moments)))
        check_grads(lambda y, r, t=times: populations.populations(y, r, times=t)[-1], (start, rates), 1, ["rev"])


def test_the_solver_s_failure_is_an_error() -> None:
    def blows_up(_: float, y: Any) -> Any:
        return y * y

    with pytest.raises(ArithmeticError, match="solve_ivp: Required step size is less than spacing"):
        populations.integrate(blows_up, [1.0], 0.0, 2.0)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "populations.png"
    assert populations.main(["--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["growth", "eaten", "born", "death"]
    truths = np.exp(TRUTH.log_rates.value)
    found = [float(line.split()[1]) for line in lines[:4]]
    np.testing.assert_allclose(found, truths, rtol=0.1)
    # What is left is the noise of the counts.
    assert "82% at first, 8.7% at last" in lines[4]
    assert out.read_bytes().startswith(b"\x89PNG")
