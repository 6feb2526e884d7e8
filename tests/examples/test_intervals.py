from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import intervals
import typedprop as tp
from intervals import Interval
from typedprop import BVar
from typedprop.testing import check_leaf

numbers = st.fractions(min_value=-3, max_value=3, max_denominator=12)
boxes = st.tuples(numbers, numbers).map(lambda ends: Interval(min(ends), max(ends)))
shares = st.fractions(min_value=0, max_value=1, max_denominator=12)


@given(st.lists(boxes, min_size=1, max_size=3))
@settings(max_examples=25)
def test_the_laws_of_a_leaf(values: list[Interval]) -> None:
    check_leaf(values)


def rational(x: Any) -> Any:
    return x**3 * 2 - x * x + (x - x**2) * x


@given(boxes, shares)
@settings(max_examples=50)
def test_the_gradient_of_an_interval_bounds_the_gradient_of_its_numbers(box: Interval, share: Fraction) -> None:
    x = box.low + share * (box.high - box.low)
    for f in (intervals.f, rational):
        untyped_f: Any = f
        value, slope = tp.backprop(untyped_f, BVar(box))
        exact_value, exact_slope = tp.backprop(untyped_f, BVar(x))
        assert exact_value.value in value.value
        assert exact_slope.value in slope.value


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "intervals.png"
    assert intervals.main(["--out", str(out)]) == 0
    found = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines()[:-1]]
    golden = (1.0 + 5.0**0.5) / 2.0
    assert found == pytest.approx([-golden, 1.0 - golden, 0.0, golden - 1.0, golden], abs=1e-11)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_what_is_not_proved_is_said() -> None:
    # From 0 on: the root is the end of the stretch, so no change of sign tells of it.
    roots = intervals.find_roots(Interval(Fraction(0), Fraction(1, 8)), narrowest=Fraction(1, 1000))
    assert not roots.proved and roots.open
