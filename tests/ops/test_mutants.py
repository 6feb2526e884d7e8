"""The checks of the table are checked: every wrong derivative that mutants.py can make of a rule is caught."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.ops.mutants import Mutant, Target, first_sites, higher_mutants, higher_sites, mutants
from tests.ops.table import TABLE
from typedprop.arithmetic import OF_LEAVES
from typedprop.tape import JOINT, RULES, SCALE


@pytest.mark.parametrize("mutant", mutants(), ids=str)
def test_mutant_of_a_rule_dies(mutant: Mutant) -> None:
    assert mutant.dies(), "the mutant is alive"


# Both look for the rules of higher orders, which takes long.
HIGHER = pytest.mark.xdist_group("higher orders")


@HIGHER
def test_mutants_of_the_rules_of_higher_orders_die() -> None:
    alive = [str(mutant) for mutant in higher_mutants() if not mutant.dies()]
    assert not alive


@HIGHER
def test_every_rule_is_met() -> None:
    # Tests declare rules of their own; the library's come first.
    count = "import typedprop, typedprop.tape; print(len(typedprop.tape.RULES))"
    rules = int(subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout)
    met = {target.code for target in [*first_sites(), *higher_sites()] if isinstance(target, Target)}
    # Scalars and joint rules are counted by row and by name; registered types have no rows (tests/test_leaves.py).
    met |= {SCALE, JOINT}
    met |= {operand.code for op in OF_LEAVES.values() for operand in (op.left, op.right)}
    missed = [f"{RULES[code].name}#{code}" for code in range(rules) if code not in met]
    assert not missed, "rules that no row of the table exercises"


def test_every_operation_has_mutants() -> None:
    """But for roundings, whose gradient is zero, and `+x`, which is x: nothing is recorded of them."""
    mutated = {row.name for places in first_sites().values() for row, _ in places}
    assert {row.name for row in TABLE if row.orders} - mutated == {
        "sign",
        "floor",
        "ceil",
        "trunc",
        "round",
        "BVar.__pos__",
    }


def test_there_are_enough_mutants() -> None:
    assert len(mutants()) > 1500
