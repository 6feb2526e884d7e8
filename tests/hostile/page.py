"""The documentation's tables of hostile input, from a run of every value through every way in.

`python -m tests.hostile.page` writes docs/hostile-input.md; test_hostile.py tells when that is out of date.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.hostile.run import Outcome, outcome
from tests.hostile.values import VALUES, Hostile
from tests.hostile.ways import WAYS, Way

PAGE = Path(__file__).parents[2] / "docs" / "hostile-input.md"
HEAD = """\
# Hostile input

<!-- Written by python -m tests.hostile.page from a run. -->

Arrays come from files, sensors and other libraries, in any memory layout and of any dtype, with NaNs in them, or are no
arrays at all. Each row of the tables below is such a value `v`, each column a way in: {pairs:,} pairs, of which each
was run for this page. There are two outcomes:

- ✓: the result is what NumPy computes from the ordinary value that `v` means, bit by bit or to the last digits, in
  value and derivative, as a Python float or a plain array in native byte order. It shares no memory with `v`, and `v`
  was not changed.
- the name of an error, less its "Error". It says what it was given, by its type, dtype, shape or value. `DType`,
  `Shape` and `NotDifferentiable` are in `typedprop.errors`, `Structure` in `typedprop.tree`, and the others are
  Python's: `DTypeError` is a `TypeError`, `ShapeError` a `ValueError`. `LinAlg` is NumPy's own: `np.matrix`, when it
  stands left of `**`, asks nobody else.

Nothing is silently converted that would lose its meaning: no mask, no imaginary part, no precision of a longdouble.
Integers and bools beside a `BVar` are the numbers they equal; as what is differentiated they are refused. In the
columns, `x` and `t` are ordinary values of the shape of `v`, `f` a function that suits them.
"""
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("value_and_grad of f that returns v", "a 0-d array"): "a loss is a `BVar` or a number",
    ("optim.sgd(v)", "a 0-d array"): "a setting is a number",
    ("record * v", "a 0-d array"): "a record is scaled by a number or a `BVar`",
    ("asarray(v, n)", "big-endian"): "nothing is converted there",
    ("asarray(v, n)", "big-endian float32"): "nothing is converted there",
    ("scipy.minimize(f, BVar(v))", "an array of length 0"): "there is nothing to search",
    ("scipy.minimize(f, BVar(v))", "an array of shape (0, 3)"): "there is nothing to search",
}
"""Where an ordinary number or array is refused all the same, and why."""


def run() -> dict[tuple[str, str], Outcome]:
    """The outcome of every pair, by the names of way and value."""
    return {(way.name, value.name): outcome(value, way) for way in WAYS for value in VALUES}


def page(found: dict[tuple[str, str], Outcome]) -> str:
    """The whole page."""
    parts = [HEAD.format(pairs=len(found))]
    for group, ways in groupby(WAYS, key=lambda way: way.group):
        parts.append(f"\n## {group[0].upper()}{group[1:]}\n")
        parts.append(_table(list(ways), found))
    parts += ["\n## Refused, though ordinary\n", "| way in | value | why |", "|---|---|---|"]
    parts += [f"| `{way}` | {value} | {why} |" for (way, value), why in EXCEPTIONS.items()]
    parts += [
        "\n## What the errors say\n",
        "Of each value, where it is lifted:\n",
        "| value | `BVar(v)` |",
        "|---|---|",
    ]
    parts += [_message(value.name, found["BVar(v)", value.name]) for value in VALUES if _is_error(value, found)]
    parts += ["\nOf a complex array, at each way in:\n", "| way in | message |", "|---|---|"]
    parts += [_message(f"`{_cell(way.name)}`", found[way.name, "a complex array"]) for way in WAYS]
    return "\n".join(parts) + "\n"


def _table(ways: list[Way], found: dict[tuple[str, str], Outcome]) -> str:
    lines = [f"| v | {' | '.join(f'`{_cell(way.name)}`' for way in ways)} |", f"|---|{'---|' * len(ways)}"]
    for value in VALUES:
        cells = (_short(found[way.name, value.name].kind) for way in ways)
        lines.append(f"| {value.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(kind: str) -> str:
    return "✓" if kind == "right" else kind.removesuffix("Error")


def _is_error(value: Hostile, found: dict[tuple[str, str], Outcome]) -> bool:
    return found["BVar(v)", value.name].kind != "right"


def _message(name: str, of: Outcome) -> str:
    return f"| {name} | {of.kind}: {_cell(of.message)} |"


def _cell(text: str) -> str:
    """Text in a table's cell: no bar, no end of line, no tag."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


if __name__ == "__main__":
    PAGE.write_text(page(run()))
    print(f"wrote docs/{PAGE.name}: {len(WAYS)} ways in, {len(VALUES)} values")
