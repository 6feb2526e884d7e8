"""How the cost grows: slopes are fitted right, the calls are what they say, the page and its chart are made."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import typedprop as tp
from benchmarks import growth, growth_page
from benchmarks.growth_page import Growth, Point

DOCS = Path(__file__).parents[2] / "docs" / "performance"


def points(key: str, power: float) -> list[Point]:
    """Time that grows with a power of the size, and memory that is linear."""
    return [Point(n, 1e-6 * n**power, 1000 * n) for n in growth.QUANTITIES[key].sizes]


@pytest.mark.parametrize(
    ("power", "verdict"), [(0.5, "linear"), (1.0, "linear"), (1.08, "linear"), (1.2, "**worse than linear**")]
)
def test_a_power_is_found(power: float, verdict: str) -> None:
    found = growth.grown("fields", points("fields", power))
    assert found.time == pytest.approx((power, 0.0), abs=1e-6)
    assert found.memory == pytest.approx((1.0, 0.0), abs=1e-6)
    assert found.verdict() == verdict


def test_the_error_of_a_slope_is_that_of_least_squares() -> None:
    xs, ys = np.arange(6.0), np.array([0.0, 1.2, 1.9, 3.1, 3.8, 5.2])
    coefficients, covariance = np.polyfit(xs, ys, 1, cov=True)
    found = growth.slope([*zip(xs, ys, strict=True)])
    assert found == pytest.approx((coefficients[0], math.sqrt(covariance[0, 0])))


def gradients(key: str, n: int) -> list[np.ndarray]:
    return [np.asarray(leaf.value) for leaf in tp.tree.leaves(growth.QUANTITIES[key].prepare(n)())]


def test_the_calls() -> None:
    assert len(gradients("fields", 7)) == 7
    assert len(gradients("depth", 3)) == 6
    # The matrix is used twice, so its gradient is no outer product any more.
    assert [np.linalg.matrix_rank(gradients("matrix", n)[0]) for n in (1, 2)] == [1, 2]
    (vector,) = gradients("vector", 3)
    np.testing.assert_allclose(vector, 3 * 0.5 + 1 + 1 / 2 + 1 / 3)
    (first,), (second,) = gradients("order", 1), gradients("order", 2)
    x, h = 0.4, 1e-5

    def slope(x: float) -> float:
        t = math.tanh(1.5 * x + 0.3)
        return t + 1.5 * x * (1 - t * t)

    assert first == pytest.approx(slope(x))
    assert second == pytest.approx((slope(x + h) - slope(x - h)) / (2 * h))


def test_it_measures() -> None:
    quantity = growth.Quantity("", (1, 50), growth.wide, 1, "")
    few, many = growth.measured(quantity, 0.0)
    assert (few.n, many.n) == (1, 50)
    assert few.seconds < many.seconds
    assert few.peak < many.peak


def test_the_page_and_the_chart(tmp_path: Path) -> None:
    found: list[Growth] = [growth.grown(key, points(key, 1.0)) for key in ("operations", "order")]
    growth_page.write(found, tmp_path, 0.1)
    page = (tmp_path / "growth.md").read_text()
    assert "| 100 µs to 1.00 s | 100 kB to 1.00 GB | 1.00 ± 0.00 | 1.00 ± 0.00 | 10,000 | linear |" in page
    assert "- *order of the derivative*: `tanh" in page
    assert "The machine was quiet" in page
    assert (tmp_path / "growth.png").stat().st_size > 20_000


def test_the_page_in_the_docs_is_what_the_program_writes() -> None:
    # But for the figures.
    kept = (DOCS / "growth.md").read_text()
    words = growth_page.PAGE.replace("{allowed}", str(growth_page.ALLOWED))
    for part in re.split(r"\{\w+\}", words):
        assert part.strip() in kept
