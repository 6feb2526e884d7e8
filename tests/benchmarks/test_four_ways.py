"""The benchmark of the four ways: they agree, and it makes its page and its chart."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from benchmarks import four_ways
from benchmarks.contender import Call
from benchmarks.measurements import Figure
from benchmarks.peers import contenders_of
from benchmarks.tasks import TASKS, Task
from benchmarks.worker import prepared

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("key", four_ways.keys())
def test_four_ways(key: str) -> None:
    calls, _ = prepared(TASKS[key], contenders_of("ways"))
    assert list(calls) == list(four_ways.WAYS)


def test_a_wrong_gradient_is_not_timed() -> None:
    ours, theirs = contenders_of("ways")[:2]
    right = TASKS["gradient/float64/1"]

    def doubled() -> Call:
        call = right.prepare(ours)
        assert call is not None
        parts = ours.arrays(call())
        return lambda: [2.0 * part for part in parts]

    task = Task(
        "gradient/float64/1", "", lambda contender: doubled() if contender is ours else right.prepare(contender)
    )
    with pytest.raises(AssertionError, match="gradient/float64/1: typedprop"):
        prepared(task, [ours, theirs])


def bars() -> list[four_ways.Bar]:
    """Figures as they might be measured."""
    ratios = {way: Figure(1.0 + 0.1 * k, 0.95 + 0.1 * k, 1.1 + 0.1 * k, 1.0) for k, way in enumerate(four_ways.WAYS)}
    return [four_ways.Bar(work, batch, 1e-4 * batch, ratios) for batch in four_ways.BATCHES for work in four_ways.WORKS]


def test_the_table_and_the_chart(tmp_path: Path) -> None:
    four_ways.write(bars(), tmp_path)
    page = (tmp_path / "four-ways.md").read_text()
    assert (
        "| gradient | one sample | 100 µs | 1.10 (1.05 to 1.20) | 1.20 (1.15 to 1.30) | 1.30 (1.25 to 1.40) |" in page
    )
    assert "| plain run | a batch of 256 | 25.60 ms |" in page
    picture = matplotlib.image.imread(tmp_path / "four-ways.png")[..., :3]
    # Each way's colour is in the chart.
    for color in four_ways.COLORS:
        rgb = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        assert (abs(picture - rgb) < 0.01).all(axis=-1).sum() > 1000


def test_the_page_in_the_docs_is_what_the_program_writes(tmp_path: Path) -> None:
    # But for the figures and the machine.
    four_ways.write(bars(), tmp_path)
    written = (tmp_path / "four-ways.md").read_text()
    kept = (DOCS / "four-ways.md").read_text()

    def words(page: str) -> list[str]:
        text = re.sub(r"Measured on .*", "Measured", page)
        return [re.sub(r"[\d.]+( µs| ms)?", "0", line) for line in text.splitlines()]

    assert words(kept) == words(written)


def test_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    # One task, for the time it takes; the rounds are as many as must be.
    monkeypatch.setattr(four_ways, "BATCHES", {1: "one sample"})
    monkeypatch.setattr(four_ways, "WORKS", {"run": "plain run"})
    (bar,) = four_ways.measure(0.01)
    assert 1e-6 < bar.seconds < 1.0
    assert list(bar.ratios) == list(four_ways.WAYS)
    assert bar.ratios["by hand"].value == 1.0
    assert all(0.0 < ratio.low <= ratio.value <= ratio.high for ratio in bar.ratios.values())
