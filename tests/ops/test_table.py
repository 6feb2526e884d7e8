"""Every check of every row at every case; see row.py for rows, checks.py for checks, table.py for the table.

And the table itself is checked: it has a row for every operation that typedprop exports, and enough of everything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

import typedprop
from tests.ops.checks import Check, check_special, checks_of
from tests.ops.row import Row
from tests.ops.table import TABLE

# One test makes a check at all cases of a row: 23,000 tests would take pytest longer than the checks take.
CHECKS = [pytest.param(check, row, id=f"{row.name}-{name}") for row in TABLE for name, check in checks_of(row).items()]
SPECIAL = [pytest.param(row, id=row.name) for row in TABLE if row.special is not None]


def at_each(places: Iterable[tuple[str, Callable[[], None]]]) -> None:
    """Makes a check at each of several places, and raises the first failure with the names of all places that fail."""
    failures: list[tuple[str, Exception]] = []
    for name, check in places:
        try:
            check()
        except Exception as error:
            failures.append((name, error))
    if failures:
        failures[0][1].add_note(f"fails at {', '.join(name for name, _ in failures)}; the first is shown")
        raise failures[0][1]


@pytest.mark.parametrize(("check", "row"), CHECKS)
def test_row(check: Check, row: Row) -> None:
    at_each((case.label, partial(check, row, case)) for case in row.cases)


@pytest.mark.parametrize("row", SPECIAL)
def test_special_values(row: Row) -> None:
    assert row.special is not None
    at_each((str(point), partial(check_special, row, point)) for point in row.special.points)


def test_all_places_are_tried_and_the_failing_ones_named() -> None:
    tried: list[int] = []

    def check(k: int) -> None:
        tried.append(k)
        assert k % 2 == 0, f"{k} is odd"

    with pytest.raises(AssertionError, match="1 is odd") as caught:
        at_each((f"case {k}", partial(check, k)) for k in range(4))
    assert tried == [0, 1, 2, 3]
    assert caught.value.__notes__ == ["fails at case 1, case 3; the first is shown"]


# -- The table itself ------------------------------------------------------------------------------------------------

# Exported functions that are no operations on differentiable values: those that make plain arrays, transformations of
# functions, files.
NOT_OPERATIONS = {
    "asarray",
    "eye",
    "matrix",
    "normal",
    "ones",
    "tensor",
    "uniform",
    "vector",
    "zeros",
    "backprop",
    "checked",
    "checkpoint",
    "debug_nans",
    "grad",
    "hessian",
    "hvp",
    "implicit",
    "jacobian",
    "jvp",
    "no_gradient",
    "stop_gradient",
    "value_and_grad",
    "vjp",
    "load",
    "op",
    "register",
    "save",
    "summary",
    "trace",
}
# Of these a row has cases with the plain operand on either side, which are operations of these names.
REFLECTED = {
    "__radd__": "__add__",
    "__rsub__": "__sub__",
    "__rmul__": "__mul__",
    "__rtruediv__": "__truediv__",
    "__rpow__": "__pow__",
}
# Methods of a BVar that look at it, compare it or refuse, and make nothing to differentiate.
NOT_METHODS = {
    "__array__",
    "__array_function__",
    "__array_ufunc__",
    "__bool__",
    "__complex__",
    "__copy__",
    "__deepcopy__",
    "__eq__",
    "__float__",
    "__format__",
    "__ge__",
    "__gt__",
    "__index__",
    "__init__",
    "__int__",
    "__le__",
    "__len__",
    "__lt__",
    "__reduce__",
    "__repr__",
}


def exported() -> list[str]:
    """The names of all operations: functions of the three namespaces, and methods of BVars."""
    names = []
    for prefix, module in (("", typedprop), ("special.", typedprop.special), ("linalg.", typedprop.linalg)):
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.isclass(value) and not inspect.ismodule(value) and name not in NOT_OPERATIONS:
                names.append(prefix + name)
    for name, value in vars(typedprop.BVar).items():
        method = callable(value) and name not in NOT_METHODS and name not in REFLECTED
        if method and (name.startswith("__") or not name.startswith("_")):
            names.append(f"BVar.{name}")
    return names


@pytest.mark.parametrize("name", exported())
def test_an_exported_operation_has_a_row(name: str) -> None:
    assert any(row.name == name or row.name.startswith(f"{name}.") for row in TABLE), (
        f"{name} is exported without a row in the table; CONTRIBUTING.md says how to write one"
    )


def test_names_of_rows_exist() -> None:
    for row in TABLE:
        owner: Any = typedprop
        for part in row.name.removesuffix(".set").removesuffix(".add").split("."):
            owner = getattr(owner, part)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_has_cases_and_a_second_reference(row: Row) -> None:
    same = [other for other in TABLE if other.name == row.name]
    assert len({at.label for other in same for at in other.cases}) >= 6
    assert row.orders == 0 or row.analytic or row.autograd or row.special
    assert all(other.orders for other in same) or not any(other.orders for other in same)


def test_there_are_enough_checks() -> None:
    checks = sum(len(checks_of(row)) * len(row.cases) for row in TABLE)
    points = sum(len(row.special.points) for row in TABLE if row.special is not None)
    assert checks + points > 20_000
