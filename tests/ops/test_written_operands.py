"""Writing to what an operation was given, before its derivative is asked for, does no harm; nor to what it gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.ops.checks import arrays, random_like
from tests.ops.row import Case, Row
from tests.ops.table import TABLE
from tests.untyped import BVar, tp


def with_most(row: Row) -> Case:
    """The case with the most elements, which has arrays among its operands."""
    return max(row.cases, key=lambda case: sum(int(np.prod(shape)) * bool(shape) for shape in case.shapes))


def copies(x: Any) -> Any:
    """Operands or settings with arrays of their own."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, tuple | list):
        return type(x)(map(copies, x))
    return x


def spoiled(x: Any) -> None:
    """Every array in `x` made useless, in place."""
    if isinstance(x, np.ndarray):
        x[...] = np.nan if x.dtype.kind == "f" else 0
    elif isinstance(x, tuple | list):
        for each in x:
            spoiled(each)


@pytest.mark.parametrize("row", [row for row in TABLE if row.orders], ids=lambda row: row.name)
def test_operands_and_settings_may_be_written_to(row: Row) -> None:
    """Each operand alone as a BVar, beside the others as plain arrays; arrays among the settings, such as indices."""
    case = with_most(row)
    given = row.operands(case)
    for k in range(len(given)):
        static = {key: copies(x) for key, x in case.static.items()}
        others = [copies(x) for x in given]

        def f(x: Any, spoil: bool, k: int = k, static: Any = static, others: Any = others) -> Any:
            operands = [*others[:k], x, *others[k + 1 :]]
            result = row.call(*operands, **static)
            if spoil:
                spoiled(others)
                spoiled([*static.values()])
            return result

        clean, clean_pull = tp.vjp(f, given[k], False)
        weight, direction = random_like(clean, 1), random_like(BVar(given[k]), 2)
        expected = clean_pull(weight)
        _, clean_tangent = tp.jvp(f, BVar(given[k]), direction, False)
        again = [copies(x) for x in given], {key: copies(x) for key, x in case.static.items()}
        spoiled_value, pull = tp.vjp(f, given[k], True)
        for found, wanted in zip(arrays(spoiled_value), arrays(clean), strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(pull(weight), expected)
        others[:], static = again
        f.__defaults__ = (k, static, others)
        _, tangent = tp.jvp(f, BVar(given[k]), direction, True)
        for found, wanted in zip(arrays(tangent), arrays(clean_tangent), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("row", [row for row in TABLE if row.orders], ids=lambda row: row.name)
def test_results_cannot_be_written_to_and_gradients_may(row: Row) -> None:
    """An intermediate value, a result and a BVar's gradient are read-only; a plain gradient is the caller's."""
    case = with_most(row)
    given = copies(row.operands(case))
    inside: list[Any] = []

    def f(operands: Any) -> Any:
        result = row.call(*operands, **case.static)
        inside.extend(tp.tree.leaves((operands, result)))
        return result

    value, pull = tp.vjp(f, tuple(map(BVar, given)))
    # What was lifted is the caller's again.
    spoiled(list(given))
    weight = random_like(value, 1)
    first = pull(weight)
    for leaf in (*inside, *tp.tree.leaves(value), *tp.tree.leaves(first)):
        if leaf.shape:
            with pytest.raises(ValueError, match="read-only"):
                leaf.value[...] = 0.0
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays(first), arrays(pull(weight)), strict=True))
    if len(given) == 1 and case.shapes[0]:
        operand = copies(row.operands(case))[0]
        _, plain_pull = tp.vjp(lambda x: row.call(x, **case.static), operand)
        mine = plain_pull(weight)
        kept = mine.copy()
        mine[...] = np.nan
        np.testing.assert_array_equal(plain_pull(weight), kept)
