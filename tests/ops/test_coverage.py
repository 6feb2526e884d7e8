"""Is each operation checked at all the shapes that it takes, and by all the checks? What is legal is found by trying.

test_table.py runs the checks of the rows. Here the rows themselves are counted: an operation that takes scalars, arrays
of length 1 or 0, or operands of two shapes, has cases of them; every operation has six shapes, transposed and strided
views, and all the checks of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np
import pytest

from tests.ops.checks import checks_of
from tests.ops.row import Case, Row, Shape, case
from tests.ops.table import TABLE
from tests.untyped import BVar

OPERATIONS: dict[str, list[Row]] = {}
for one_row in TABLE:
    OPERATIONS.setdefault(one_row.name, []).append(one_row)
each_operation = pytest.mark.parametrize("rows", [pytest.param(rows, id=name) for name, rows in OPERATIONS.items()])
# What each row with derivatives is held to; order 3 comes on top of it for functions of each element.
ALWAYS = {"value", "pull", "push", "adjoint", "float32", "reverse_over_forward", "forward_over_reverse"}
SECOND_REFERENCES = {"complex_step", "autograd"}


def cases_of(rows: list[Row]) -> list[Case]:
    return [at for row in rows for at in row.cases]


def takes(rows: list[Row], trials: Iterable[tuple[Row, Case]]) -> bool:
    """Whether the operation takes one of these."""
    for row, at in trials:
        try:
            with np.errstate(all="ignore"):
                row.call(*map(BVar, row.operands(at)), **at.static)
        except (ValueError, TypeError, IndexError, ArithmeticError):
            continue
        return True
    return False


def resized(rows: list[Row], size: int) -> Iterator[tuple[Row, Case]]:
    """Each case with one of its sizes exchanged for another, wherever it occurs."""
    for row in rows:
        for at in row.cases:
            for old in {n for shape in at.shapes for n in shape if n > 1}:
                shapes = [tuple(size if n == old else n for n in shape) for shape in at.shapes]
                yield row, case(*shapes, domain=at.domain, **at.static)


def of_shapes(rows: list[Row], shapes: tuple[Shape, ...]) -> Iterator[tuple[Row, Case]]:
    """These shapes with what else each case says."""
    for row in rows:
        for at in row.cases:
            if len(at.shapes) == len(shapes):
                yield row, case(*shapes, domain=at.domain, **at.static)


@each_operation
def test_six_shapes(rows: list[Row]) -> None:
    cases = cases_of(rows)
    if all(shape == () for at in cases for shape in at.shapes):
        # Operands that can only be scalars: the sizes of the result take their place.
        assert len({at.label for at in cases}) >= 6
        return
    assert len({at.shapes for at in cases}) >= 6


@each_operation
def test_views(rows: list[Row]) -> None:
    cases = cases_of(rows)
    if any(shape for at in cases for shape in at.shapes):
        assert {"C", "transposed", "strided"} <= {at.layout for at in cases}


@each_operation
def test_scalars_and_lengths_1_and_0_where_they_are_legal(rows: list[Row]) -> None:
    cases = cases_of(rows)
    shapes = {shape for at in cases for shape in at.shapes}
    operands = len(cases[0].shapes)
    if () not in shapes:
        some = [tuple(shapes) for shapes in product([(), (3,)], repeat=operands) if () in shapes]
        assert not takes(rows, [trial for shapes in some for trial in of_shapes(rows, shapes)]), "no case of a scalar"
    for size in (1, 0):
        if not any(size in shape for shape in shapes):
            assert not takes(rows, resized(rows, size)), f"no case of length {size}"


PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((), (3,)),
    ((3,), ()),
    ((2, 3), ()),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
    ((2, 3), (1, 3)),
)


@pytest.mark.parametrize("rows", [pytest.param(rows, id=name) for name, rows in OPERATIONS.items()])
def test_pairs_that_are_broadcast(rows: list[Row]) -> None:
    """An operation of two operands that takes a pair of different shapes has a case of just that kind."""
    cases = cases_of(rows)
    if len(cases[0].shapes) != 2:
        return
    kinds = {tuple(map(kind, at.shapes)) for at in cases if len(at.shapes) == 2}
    missing = [pair for pair in PAIRS if tuple(map(kind, pair)) not in kinds and takes(rows, of_shapes(rows, pair))]
    assert not missing


def kind(shape: Shape) -> tuple[str, ...]:
    """The shape, with each size as 0, 1 or more."""
    return tuple(str(n) if n < 2 else "n" for n in shape)


@each_operation
def test_all_checks(rows: list[Row]) -> None:
    for row in rows:
        checks = set(checks_of(row))
        if not row.orders:
            assert checks == {"value"}
            continue
        assert checks >= ALWAYS
        assert checks & SECOND_REFERENCES or row.special is not None
        if len(row.cases[0].shapes) > 1:
            assert "beside_plain" in checks


# Linear operations that keep the shape of a vector but move its elements about: nothing changes after the first order.
MOVES = {"flip", "roll"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_third_order_of_functions_of_each_element(row: Row) -> None:
    """Functions of each element keep the shape of what they are given, whatever it is."""
    of_each = {(), (3,), (1,), (0,)} <= {shape for at in row.cases for shape in at.shapes}
    elementwise = of_each and all(np.shape(row.value(*row.operands(at), **at.static)) in at.shapes for at in row.cases)
    assert not elementwise or row.orders == 3 or row.name in MOVES
