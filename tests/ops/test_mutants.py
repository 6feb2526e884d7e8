"""The checks of the table are checked: every wrong derivative that mutants.py can make of a rule is caught."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.ops.checks import second_order
from tests.ops.mutants import (
    CHECK_OF,
    FACTORS,
    Direction,
    Pair,
    Site,
    Target,
    caught,
    recorded,
    sites,
    squared,
    targets_of,
)
from tests.ops.table import TABLE
from typedprop.arithmetic import OF_LEAVES
from typedprop.tape import JOINT, RULES, SCALE

SITES = sites(TABLE)
DIRECTIONS: tuple[Direction, ...] = ("pull", "push")
MUTANTS = [
    pytest.param(target, how, direction, id=f"{target}-{how}-{direction}")
    for target in SITES
    for how in (["swap"] if isinstance(target, Pair) else FACTORS)
    for direction in DIRECTIONS
]
# A mutant that these many of a rule's places do not catch counts as alive.
PLACES = 12


@pytest.mark.parametrize(("target", "how", "direction"), MUTANTS)
def test_mutant_of_a_rule_dies(target: Target | Pair, how: str, direction: Direction) -> None:
    assert caught(target, how, direction, SITES[target][:PLACES], CHECK_OF[direction]), "the mutant is alive"


@cache
def higher_sites() -> dict[Target, list[Site]]:
    """Where the rules are met that no first derivative records: those that other rules are written with."""
    known = {target.code for target in SITES if isinstance(target, Target)}
    check = second_order("reverse", "reverse")
    found: dict[Target, list[Site]] = {}
    for row in map(squared, TABLE):
        if row.orders < 2:
            continue
        for case in row.cases:
            if not all(size for shape in case.shapes for size in shape):
                continue
            for target in dict.fromkeys(targets_of(recorded(lambda: check(row, case)), row)):  # noqa: B023
                if isinstance(target, Target) and target.code not in known and not target.joint:
                    found.setdefault(target, []).append((row, case))
    return found


def test_mutants_of_the_rules_of_higher_orders_die() -> None:
    checks: dict[Direction, Any] = {
        "pull": second_order("reverse", "reverse"),
        "push": second_order("forward", "reverse"),
    }
    alive = [
        f"{target} {how} {direction}"
        for target, places in higher_sites().items()
        for how in FACTORS
        for direction in DIRECTIONS
        if not caught(target, how, direction, places[:PLACES], checks[direction])
    ]
    assert not alive


def test_every_rule_is_met() -> None:
    # Tests declare rules of their own; the library's come first.
    count = "import typedprop, typedprop.tape; print(len(typedprop.tape.RULES))"
    rules = int(subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout)
    met = {target.code for target in [*SITES, *higher_sites()] if isinstance(target, Target)}
    # Scalars and joint rules are counted by row and by name; registered types have no rows (tests/test_leaves.py).
    met |= {SCALE, JOINT}
    met |= {operand.code for op in OF_LEAVES.values() for operand in (op.left, op.right)}
    missed = [f"{RULES[code].name}#{code}" for code in range(rules) if code not in met]
    assert not missed, "rules that no row of the table exercises"


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) > 1500
