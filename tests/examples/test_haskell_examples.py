"""The smaller examples that Haskell's backprop is known by: each program is run, and what it finds is asserted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import extensible
import gates
import manual_gradient
import regression
import sunspots
import typedprop as tp
from typedprop import BVar
from typedprop.testing import check_grads


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (regression, "held-out tumours told right"),
        (gates, "XOR, a hidden layer"),
        (extensible, "layers of [24, 12, 1]"),
        (sunspots, "error one year ahead, recurrent"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_it_finds_what_it_should(program: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "picture.png"
    # The program compares its own result, and says by its status whether that is good.
    assert program.main(["--out", str(out)]) == 0
    assert said in capsys.readouterr().out
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("program", [regression, gates, extensible], ids=lambda x: x.__name__)
def test_too_few_steps_are_an_error(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--steps", "2", "--out", str(tmp_path / "picture.png")]) == 1
    assert capsys.readouterr().err.startswith(f"{program.__name__}: this is not what was to be")


def test_the_manual_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    assert manual_gradient.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("MT")[1] for line in lines[:3]] == [
        "(x=BVar(24.5), y=BVar(35.0), z=BVar(-61.25); 3 parameters)"
    ] * 3
    assert "declare it with @tp.op(differentiable=True)" in lines[4]


def test_its_hand_written_rules() -> None:
    at = manual_gradient.MT(BVar(1.5), BVar(-0.7), BVar(2.0))
    check_grads(manual_gradient.by_first_order, (at,), order=1)
    check_grads(manual_gradient.by_any_order, (at,), order=3)


def test_a_network_of_networks() -> None:
    rng = np.random.default_rng(0)
    net = extensible.random_network(rng, extensible.Plane(2), [4, 3, 5], extensible.Score(1))
    assert extensible.sizes(net) == [4, 3, 5, 1]
    x = tp.normal(rng, extensible.Points(6), extensible.Plane(2))
    inside = extensible.two_discs(x, extensible.Points(6))
    gradient = tp.grad(extensible.loss)(net, x, inside)
    assert extensible.sizes(gradient) == [4, 3, 5, 1]
    check_grads(lambda net: extensible.loss(net, x, inside), (net,), order=1)


def test_layers_that_do_not_agree_are_refused_at_run_time_too() -> None:
    rng = np.random.default_rng(0)
    four: Any = extensible.random_layer(rng, extensible.Plane(2), extensible.Hidden(4))
    three: Any = extensible.random_network(rng, extensible.Hidden(3), [], extensible.Score(1))
    with pytest.raises(tp.ShapeError):
        extensible.Above(four, three).run(tp.ones(extensible.Points(5), extensible.Plane(2)))


def test_the_recurrent_model_s_gradient() -> None:
    model = sunspots.random_recurrent(np.random.default_rng(0), sunspots.Cells(3))
    series = sunspots.load()[0][:8]
    check_grads(lambda model: sunspots.recurrent_loss(model, series), (model,), order=2)


def test_lags_are_the_years_before() -> None:
    past, next_year = sunspots.lagged(tp.vector([1.0, 2.0, 3.0, 4.0, 5.0], 5), sunspots.Lags(2))
    assert past.tolist() == [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    assert next_year.tolist() == [3.0, 4.0, 5.0]
