from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest

import oscillator


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_finds_the_truth(seed: int) -> None:
    time, measured = oscillator.measure(seed)
    fitted, errors = oscillator.fit(oscillator.GUESS, time, measured, rate=0.05, steps=300)
    for name in attrs.fields_dict(oscillator.Oscillator):
        assert abs(getattr(fitted, name).value - getattr(oscillator.TRUTH, name).value) < 0.06, name
    assert errors[0] > 20 * oscillator.NOISE**2
    assert 0.8 * oscillator.NOISE**2 < errors[-1] < 1.2 * oscillator.NOISE**2


def test_without_noise_the_fit_is_exact() -> None:
    time, _ = oscillator.measure(0)
    measured = oscillator.displacement(oscillator.TRUTH, time).value
    fitted, errors = oscillator.fit(oscillator.GUESS, time, measured, rate=0.05, steps=1500)
    assert errors[-1] < 1e-20
    found = [value.value for value in attrs.astuple(fitted, recurse=False)]
    np.testing.assert_allclose(found, [1.5, 0.15, 2.0, 0.6], rtol=1e-8)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "oscillator.png"
    assert oscillator.main(["--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["amplitude", "decay", "frequency", "phase"]
    assert out.read_bytes().startswith(b"\x89PNG")


def test_too_few_steps_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert oscillator.main(["--steps", "3", "--out", str(tmp_path / "oscillator.png")]) == 1
    assert capsys.readouterr().err.startswith("oscillator: the fit is off by ")
