from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import heat
import typedprop as tp
from typedprop import BVar, R


@pytest.fixture(scope="module")
def start() -> heat.Network[heat.Hidden]:
    return heat.random_network(heat.Hidden(16), np.random.default_rng(0))


def test_the_derivatives_by_the_inputs_are_those_of_differences(start: heat.Network[heat.Hidden]) -> None:
    points = heat.Points(7)
    x: R[heat.Points] = tp.uniform(np.random.default_rng(1), points)
    t: R[heat.Points] = tp.uniform(np.random.default_rng(2), points)

    def u(x: R[heat.Points], t: R[heat.Points]) -> R[heat.Points]:
        return heat.temperature(start, BVar(x), BVar(t)).value

    h = 1e-3
    u_t = (8 * (u(x, t + h) - u(x, t - h)) - (u(x, t + 2 * h) - u(x, t - 2 * h))) / (12 * h)
    near, far = u(x + h, t) + u(x - h, t), u(x + 2 * h, t) + u(x - 2 * h, t)
    u_xx = (16 * near - far - 30 * u(x, t)) / (12 * h**2)
    found = heat.imbalance(start, 0.3, BVar(x), BVar(t)).value
    np.testing.assert_allclose(found, u_t - 0.3 * u_xx, rtol=1e-5, atol=1e-6)
    # And through them by the weights.
    tp.testing.check_grads(heat.physics, (start, BVar(x), BVar(t)), order=1)


def test_the_analytic_solution_obeys_the_equation() -> None:
    points = heat.Points(50)
    x, t = tp.uniform(np.random.default_rng(0), points), tp.uniform(np.random.default_rng(1), points)
    h = 1e-4
    u_t = (heat.analytic(x, t + h) - heat.analytic(x, t - h)) / (2 * h)
    u_xx = (heat.analytic(x + h, t) - 2.0 * heat.analytic(x, t) + heat.analytic(x - h, t)) / h**2
    np.testing.assert_allclose(u_t, heat.DIFFUSIVITY * u_xx, atol=1e-5)
    np.testing.assert_allclose(heat.analytic(x, 0.0 * t), heat.beginning(BVar(x)).value, rtol=1e-12)


def test_learns_the_solution(start: heat.Network[heat.Hidden]) -> None:
    x, t = heat.collocation(0)
    net, losses = heat.solve(start, x, t, iterations=300)
    assert heat.error(start) > 0.3
    # Measured: 0.0008 of a temperature that is 1.3 at its highest.
    assert heat.error(net) < 0.003
    assert losses[-1] < 1e-4 * losses[0]


def test_finds_the_diffusivity(start: heat.Network[heat.Hidden]) -> None:
    x, t = heat.collocation(0)
    model, course = heat.calibrate(start, heat.measure(np.random.default_rng(0)), x, t, iterations=300)
    assert abs(course[0] - heat.DIFFUSIVITY) > 0.05
    # Measured on three seeds: within 0.0023.
    assert abs(course[-1] - heat.DIFFUSIVITY) < 0.005
    assert model.diffusivity.value == course[-1]
    assert heat.error(model.net) < 0.05


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "heat.png"
    assert heat.main(["--out", str(out), "--iterations", "120"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("largest error ") and lines[1].startswith("diffusivity 0.")
    assert out.read_bytes().startswith(b"\x89PNG")
    assert heat.main(["--out", str(out), "--iterations", "3"]) == 1
    assert capsys.readouterr().err.startswith("heat: the solution is off by ")
    assert math.isfinite(heat.error(heat.random_network(heat.Hidden(4), np.random.default_rng(0))))
