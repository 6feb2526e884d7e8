"""Every operation that JAX has too, at every case of the table, by JAX's derivatives of two orders.

tests/data/jax_reference.py wrote them, and is run again where JAX is installed.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.data.jax_reference import PAGE, WITHOUT, counterpart, derivatives, fingerprint, jax_modules, pairs
from tests.ops import checks
from tests.ops.row import Case, Row
from tests.ops.table import TABLE
from tests.untyped import tp

NUMBERS: dict[str, list[float]] = json.loads(PAGE.read_text())["operations"]
PAIRS = pairs()


@pytest.mark.parametrize(("name", "row", "case"), [pytest.param(*pair, id=pair[0]) for pair in PAIRS])
def test_derivatives_by_jax(name: str, row: Row, case: Case) -> None:
    at = checks.point(row, case)
    operands, weight = at.lifted(), at.weight()
    assert name in NUMBERS, "not asked yet: python -m tests.data.jax_reference"
    known, *wanted = NUMBERS[name]
    assert fingerprint(at) == pytest.approx(known, abs=1e-9), "other operands: python -m tests.data.jax_reference"
    assert len(wanted) == min(row.orders, 2)
    v = at.direction(101)
    _, pullback = tp.vjp(at.function, operands)
    gradient = pullback(weight)
    scale = 1e-9 * (1 + checks.size_of(gradient, v))
    checks.agree(checks.inner(gradient, v), wanted[0], "reverse mode by JAX", 1e-9, scale)
    if len(wanted) == 1:
        return

    def first(x: Any) -> Any:
        return checks.dot(tp.vjp(at.function, x)[1](weight), v)

    second = tp.jvp(first, operands, at.direction(102))[1]
    checks.agree(second.value, wanted[1], "forward over reverse mode by JAX", 1e-8, 10 * scale)


def test_jax_has_the_others_in_no_form_that_fits() -> None:
    assert {row.name for row in TABLE if row.orders} == {row.name for _, row, _ in PAIRS} | {*WITHOUT}


def test_the_numbers_are_jaxs() -> None:
    """A sample of them, again."""
    pytest.importorskip("jax", reason="JAX is optional: pip install -e .[peers]")
    modules = jax_modules()
    for name, row, case in PAIRS[::40]:
        again = derivatives(row, case, counterpart(row.name, modules), modules)
        np.testing.assert_allclose(again, NUMBERS[name], rtol=1e-8, atol=1e-9, err_msg=name)
