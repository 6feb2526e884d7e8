"""The documentation's list of operations, from the table.

`python -m tests.ops.reference` writes docs/operations.md; test_reference.py tells when that is out of date.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import typedprop
from tests.data.jax_reference import pairs
from tests.ops.checks import checks_of
from tests.ops.row import Row
from tests.ops.table import TABLE

PAGE = Path(__file__).parent.parent.parent / "docs" / "operations.md"
HEAD = """\
# Operations

<!-- Written by python -m tests.ops.reference from the table that the tests run on. -->

Every operation takes plain values or `BVar`s in any position and keeps float32. Its derivatives are checked in forward
and in reverse mode, one over the other, to the order given, against differences of NumPy's function and against a
second, independent reference: the complex step, autograd, JAX, or mpmath at 0, ±1, ±inf, nan, ±1e300 and subnormal
numbers. What holds at kinks is in [conventions](conventions.md).

These are {rows} rows and {checks:,} checks. That they notice a wrong derivative is checked too: each rule's is
zeroed, negated, doubled and exchanged with its neighbour's (`python -m tests.ops.mutants` counts them).
"""
FAMILIES = (
    ("Functions", ""),
    ("typedprop.special", "special"),
    ("typedprop.linalg", "linalg"),
    ("Methods and operators of a BVar", "BVar"),
)


BY_JAX = {row.name for _, row, _ in pairs()}


def page() -> str:
    """The whole page."""
    checks = len(pairs())
    checks += sum(
        len(checks_of(row)) * len(row.cases) + len(row.special.points if row.special else ()) for row in TABLE
    )
    parts = [HEAD.format(rows=len(TABLE), checks=checks)]
    for title, prefix in FAMILIES:
        rows = sorted(
            {row.name for row in TABLE if row.name.rpartition(".")[0].partition(".")[0] == prefix}, key=str.lower
        )
        parts += [f"\n## {title}\n", "| operation | what it is | orders | checked against |", "|---|---|---|---|"]
        parts += [line(name, [row for row in TABLE if row.name == name]) for name in rows]
    return "\n".join(parts) + "\n"


def line(name: str, rows: list[Row]) -> str:
    """One operation's line."""
    orders = min(row.orders for row in rows)
    said = "plain" if orders == 0 else f"{orders}" if all(row.smooth for row in rows) else f"{orders}, but for kinks"
    return f"| `{name}` | {summary(name)} | {said} | {references(rows)} |"


def summary(name: str) -> str:
    """The first sentence of the documentation; for an operator, what one writes."""
    owner: Any = typedprop
    for part in name.removesuffix(".set").removesuffix(".add").split("."):
        owner = inspect.getattr_static(owner, part) if inspect.isclass(owner) else getattr(owner, part)
    if name in OPERATORS:
        return f"`{OPERATORS[name]}`"
    text = " ".join((inspect.getdoc(owner) or "").split("\n\n")[0].split()).replace("|", "\\|")
    return re.split(r"(?<!\.)\.(?: (?=[A-Z])|$)", text)[0] or f"as `{name.rpartition('.')[2]}`"


OPERATORS = {
    "BVar.__abs__": "abs(x)",
    "BVar.__add__": "x + y",
    "BVar.__getitem__": "x[index]",
    "BVar.__iter__": "for v in x",
    "BVar.__matmul__": "x @ y",
    "BVar.__mul__": "x * y",
    "BVar.__neg__": "-x",
    "BVar.__pos__": "+x",
    "BVar.__pow__": "x ** y",
    "BVar.__rmatmul__": "array @ x",
    "BVar.__sub__": "x - y",
    "BVar.__truediv__": "x / y",
    "BVar.at.add": "x.at(index).add(v)",
    "BVar.at.set": "x.at(index).set(v)",
}


def references(rows: list[Row]) -> str:
    """What the derivatives are held against."""
    if not any(row.orders for row in rows):
        return "NumPy"
    found = ["differences"]
    if any(row.analytic is not None for row in rows):
        found.append("complex step")
    if any(row.autograd is not None for row in rows):
        found.append("autograd")
    if rows[0].name in BY_JAX:
        found.append("JAX")
    if any(row.special is not None for row in rows):
        found.append("mpmath")
    return ", ".join(found)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"wrote docs/{PAGE.name}: {len(TABLE)} rows")
