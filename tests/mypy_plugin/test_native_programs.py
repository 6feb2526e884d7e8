"""The programs of tests/typing with the plugin: what mypy refuses without it is refused, what it accepts is accepted.

But for two things: a type that said `Any` says more, and a number of elements is not a `Dim`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.typing.checkers import PROGRAMS, WITH_PLUGIN, Diagnostic, Mark, marks
from tests.typing.conftest import Diagnose

pytestmark = pytest.mark.xdist_group(WITH_PLUGIN)

# Lines that the plugin refuses and mypy alone does not: where a size was Any there is a number now, which is not the
# Dim or the number that it stands beside.
REFUSED_BY_THE_PLUGIN = {
    ("accept_shapes.py", "assert_type(unknown + x, R[Any])"),
    ("accept_shapes.py", "assert_type(w @ unknown, R[Rows])"),
    ("accept_shapes.py", "known: R[Columns] = unknown"),
    ("accept_gradients.py", "slope: BVar[R[Digits]] = tp.grad(net_error)(loose, x, target).bias2"),
}
# Broadcasting that run time does and no signature says, and a list of matrices of different heights.
ACCEPTED_BY_THE_PLUGIN = {
    ("reject_shapes.py", "t + w"),
    ("reject_shapes.py", "w + t"),
    ("accept_structural.py", "assert_type(concatenate([w, BVar(tp.ones(p, n))]), BVar[L[Any, Columns]])"),
}


@pytest.fixture(scope="module")
def told(diagnose: Diagnose) -> dict[tuple[str, int], list[Diagnostic]]:
    """What mypy says with the plugin, by program and line."""
    found = defaultdict[tuple[str, int], list[Diagnostic]](list)
    for entry in diagnose(WITH_PLUGIN):
        found[entry.program, entry.line].append(entry)
    return found


def refused_natively(mark: Mark | None) -> bool:
    return mark is not None and mark.refused("mypy")


def says_more(message: Diagnostic) -> bool:
    """Whether this is of a type that is the declared one but for what was Any there."""
    found = re.fullmatch(r'Expression is of type "(.*)", not "(.*)"', message.message)
    if message.code != "assert-type" or found is None or "Any" not in found[2]:
        return False
    pattern = re.escape(found[2]).replace("Any", r"[\w\[\], -]+")
    return re.fullmatch(pattern, found[1]) is not None


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_the_plugin_agrees(program: Path, told: dict[tuple[str, int], list[Diagnostic]]) -> None:
    marked = marks(program.read_text())
    wrong = []
    for number, line in enumerate(program.read_text().splitlines(), 1):
        found = [message for message in told.get((program.name, number), []) if not says_more(message)]
        place = program.name, line.split("  #")[0].strip()
        refused = refused_natively(marked.get(number))
        if place in REFUSED_BY_THE_PLUGIN | ACCEPTED_BY_THE_PLUGIN:
            # They are not there for nothing.
            assert bool(found) is not refused, f"{number}: {line}"
        elif refused and not found:
            wrong.append(f"{number}: nothing is said of {line}")
        elif not refused:
            wrong += [f"{number}: {message.message} of {line}" for message in found]
    assert not wrong, "\n".join(wrong)


def test_what_counts_as_saying_more() -> None:
    def said(found: str, declared: str) -> Diagnostic:
        return Diagnostic("x.py", 1, "assert-type", f'Expression is of type "{found}", not "{declared}"')

    assert says_more(said("L[Literal[2], Rows, float64]", "L[Any, Rows, float64]"))
    assert says_more(said("R[Add[M, Literal[-1]], float64]", "R[Any, float64]"))
    assert not says_more(said("L[Literal[2], Columns, float64]", "L[Any, Rows, float64]"))
    assert not says_more(said("R[Literal[2], float64]", "R[Rows, float64]"))
    assert not says_more(Diagnostic("x.py", 1, "operator", "Unsupported operand types"))
