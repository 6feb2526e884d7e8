"""Wrong derivatives, to see that the checks catch them: each rule's zeroed, negated, doubled and swapped.

A mutant changes entries as they are written to the tape, so that the whole library runs as it is but for one rule. What
there is to mutate is found by running the rows: each rule that they record, each joint rule, and, for scalars, whose
entries all share one rule, each slope of each row.

`python -m tests.ops.mutants` makes them all and prints how many there were and which are alive; test_mutants.py does
the same, a test for each.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

import attrs

from tests.ops.checks import Check, check_pull, check_push, point, second_order
from tests.ops.row import Case, Row
from tests.ops.table import TABLE
from tests.untyped import tp
from typedprop.arithmetic import BROADCAST, plain
from typedprop.index_sum import IndexSum
from typedprop.outer_sum import OuterSum
from typedprop.tape import JOINT, PASS, RULES, SCALE, Entry, Joint, Parts, Rule, Tape

Site = tuple[Row, Case]
Direction = Literal["pull", "push"]
CHECK_OF: dict[Direction, Check] = {"pull": check_pull, "push": check_push}
# 0, -1 and 2 are factors of the derivative; "swap" exchanges those of two operands.
FACTORS: dict[str, float] = {"zero": 0.0, "negated": -1.0, "doubled": 2.0}
DIRECTIONS: tuple[Direction, ...] = ("pull", "push")
# A mutant that so many of a rule's places do not catch counts as alive.
PLACES = 12


@attrs.frozen
class Target:
    """What is mutated: the entries of a rule, of a joint rule, or the k-th slope of the n-th scalar entry of a run."""

    name: str
    code: int = -1
    joint: bool = False
    entry: int = 0
    operand: int = 0

    def __str__(self) -> str:
        if self.joint:
            return f"joint {self.name}"
        return f"{self.name}.{self.entry}.{self.operand}" if self.code == SCALE else f"{self.name}#{self.code}"


@attrs.frozen
class Pair:
    """Two operands of one kind of entry, whose derivatives may be exchanged."""

    name: str
    codes: tuple[int, int]

    def __str__(self) -> str:
        return f"joint {self.name}" if self.codes[0] == JOINT else f"{self.name}#{self.codes[0]}#{self.codes[1]}"


class _Entries(list[Entry]):
    """A tape's entries, which pass through a function as they are appended."""

    def __init__(self, entries: list[Entry], change: Callable[[Entry], Entry]) -> None:
        super().__init__(entries)
        self._change = change

    def append(self, entry: Entry, /) -> None:
        super().append(self._change(entry))


@contextmanager
def passing(change: Callable[[Entry], Entry]) -> Generator[None, None, None]:
    """All entries of all tapes pass through `change`."""
    original = Tape.__init__

    def init(self: Tape, inputs: int) -> None:
        original(self, inputs)
        self.entries = _Entries(self.entries, change)

    Tape.__init__ = init  # type: ignore[method-assign]  # for the while
    try:
        yield
    finally:
        Tape.__init__ = original  # type: ignore[method-assign]  # as it was


def recorded(run: Callable[[], object]) -> list[Entry]:
    """The entries that a run records, on whatever tape."""
    entries: list[Entry] = []

    def note(entry: Entry) -> Entry:
        entries.append(entry)
        return entry

    with passing(note):
        run()
    return entries


def targets_of(entries: list[Entry], row: Row) -> Iterator[Target | Pair]:
    """What can be mutated in these entries."""
    scalars = 0
    for entry in entries:
        if entry[0] == JOINT:
            yield Target(entry[2].name, joint=True)
            if len(entry[1]) > 1:
                yield Pair(entry[2].name, (JOINT, JOINT))
            continue
        codes = entry[::3]
        for operand, code in enumerate(codes):
            if code != SCALE:
                yield Target(RULES[code].name, code)
            elif plain(entry[3 * operand + 2]) != 0.0:
                # A slope of 0 has no mutants, and a slope that two operands share none by exchange.
                yield Target(row.name, SCALE, entry=scalars, operand=operand)
        if len(codes) == 2 and entry[1] != entry[4]:
            name = row.name if codes == (SCALE, SCALE) else RULES[codes[0]].name
            same = codes[0] == codes[1] and _same(entry[2], entry[5])
            if not same:
                yield Pair(name, codes)
        scalars += SCALE in codes


def _same(x: Any, y: Any) -> bool:
    return x is y or (isinstance(x, float) and isinstance(y, float) and x == y)


def sites(table: tuple[Row, ...]) -> dict[Target | Pair, list[Site]]:
    """Where each target is met in a first derivative."""
    found: dict[Target | Pair, list[Site]] = {}
    for row in table:
        if not row.orders:
            continue
        for case in row.cases:
            at = point(row, case)
            if not all(size for shape in case.shapes for size in shape):
                continue
            entries = recorded(lambda at=at: tp.vjp(at.function, at.lifted()))  # type: ignore[misc]  # bound at once
            for target in dict.fromkeys(targets_of(entries, row)):
                found.setdefault(target, []).append((row, case))
    for target, places in found.items():
        # A rule's own row first.
        places.sort(key=lambda place: place[0].name.rpartition(".")[2] != target.name)
    return found


def squared(row: Row) -> Row:
    """The row's operation and a square after it: then the cotangent of the operation depends on its operands too."""

    def call(*operands: Any, **static: Any) -> Any:
        return tp.tree.map(lambda y: y * y, row.call(*operands, **static))

    return attrs.evolve(row, call=call)


# -- Mutants ---------------------------------------------------------------------------------------------------------


def scaled(x: Any, factor: float) -> Any:
    """A cotangent or tangent of any kind, times a number."""
    if x is None:
        return None
    if isinstance(x, OuterSum | IndexSum):
        return factor * x.dense()
    if isinstance(x, Parts):
        return Parts({k: factor * part for k, part in x.parts.items()})
    if isinstance(x, list | tuple):
        return [scaled(part, factor) for part in x]
    return x * factor


@contextmanager
def mutated(target: Target | Pair, how: str, direction: Direction) -> Generator[None, None, None]:
    """The library with one derivative wrong in one direction."""
    added = len(RULES)
    scalars = 0

    def mutant(code: int) -> int:
        rule = RULES[code]
        factor = FACTORS[how]
        pull = (lambda g, r: scaled(rule.pull(g, r), factor)) if direction == "pull" else rule.pull
        push = (lambda t, r: scaled(rule.push(t, r), factor)) if direction == "push" else rule.push
        return Rule(rule.name, pull, push).code

    def change(entry: Entry) -> Entry:
        nonlocal scalars
        if entry[0] == JOINT:
            joint = target.joint if isinstance(target, Target) else target.codes[0] == JOINT
            if not joint or entry[2].name != target.name or (how == "swap" and len(entry[1]) < 2):
                return entry
            changed = exchanged if how == "swap" else (lambda x: scaled(x, FACTORS[how]))
            return entry[0], entry[1], _mutant_joint(entry[2], changed, how, direction)
        if isinstance(target, Pair):
            if entry[::3] == target.codes:
                first, node, kept, second, other, more = entry
                return first, other, kept, second, node, more
            return entry
        parts = list(entry)
        if target.code == SCALE:
            if SCALE in entry[::3]:
                # The sweeps know these entries by heart: what can be wrong is the slope, for both directions.
                if scalars == target.entry:
                    parts[3 * target.operand + 2] *= FACTORS[how]
                scalars += 1
            return tuple(parts)
        for k, code in enumerate(entry[::3]):
            if code == target.code:
                parts[3 * k] = mutant(code)
        return tuple(parts)

    with passing(change):
        try:
            yield
        finally:
            del RULES[added:]


def _mutant_joint(joint: Joint, changed: Callable[[Any], Any], how: str, direction: Direction) -> Joint:
    pull, push = joint.pull, joint.push
    if direction == "pull":
        return Joint(joint.name, lambda g: changed(pull(g)), push)
    if how == "swap":
        return Joint(joint.name, pull, lambda tangents: push(changed(tangents)))
    return Joint(joint.name, pull, lambda tangents: changed(push(tangents)))


def exchanged(parts: Any) -> list[Any]:
    """Cotangents or tangents of the operands, those of the first two exchanged."""
    first, second, *rest = parts
    return [second, first, *rest]


def caught(target: Target | Pair, how: str, direction: Direction, places: list[Site], check: Check) -> bool:
    """Whether the check fails at one of these places."""
    for row, case in places:
        try:
            with mutated(target, how, direction):
                check(row, case)
        except AssertionError:
            return True
        except (ValueError, TypeError):
            # Exchanged cotangents of different shapes or dtypes: no silent mistake either.
            if how != "swap":
                raise
            return True
    return False


# -- All of them -----------------------------------------------------------------------------------------------------


class Mutant(NamedTuple):
    """One wrong derivative, where it is met, and the check that has to notice."""

    target: Target | Pair
    how: str
    direction: Direction
    places: list[Site]
    check: Check

    def __str__(self) -> str:
        return f"{self.target}-{self.how}-{self.direction}"

    def dies(self) -> bool:
        """Whether the check fails at one of the places."""
        return caught(self.target, self.how, self.direction, self.places[:PLACES], self.check)


@cache
def first_sites() -> dict[Target | Pair, list[Site]]:
    """Where the rules are met in first derivatives."""
    return sites(TABLE)


@cache
def mutants() -> list[Mutant]:
    """Each rule that a first derivative records, zeroed, negated and doubled, and its two operands' exchanged."""
    return [
        Mutant(target, how, direction, places, CHECK_OF[direction])
        for target, places in first_sites().items()
        for how in (["swap"] if isinstance(target, Pair) else FACTORS)
        for direction in DIRECTIONS
        if not (direction == "push" and isinstance(target, Pair) and set(target.codes) == _ADDED_AND_STRETCHED)
    ]


# Exchanging the tangents of a sum changes nothing: the sweep adds them up, and stretches the smaller one all the same.
_ADDED_AND_STRETCHED = {PASS, BROADCAST.code}


@cache
def higher_sites() -> dict[Target, list[Site]]:
    """Where the rules are met that no first derivative records: those that other rules are written with."""
    known = {target.code for target in first_sites() if isinstance(target, Target)}
    check = second_order("reverse", "reverse")
    found: dict[Target, list[Site]] = {}
    for row in map(squared, TABLE):
        if row.orders < 2:
            continue
        for case in row.cases:
            if not all(size for shape in case.shapes for size in shape):
                continue
            entries = recorded(lambda row=row, case=case: check(row, case))  # type: ignore[misc]  # bound at once
            for target in dict.fromkeys(targets_of(entries, row)):
                if isinstance(target, Target) and target.code not in known and not target.joint:
                    found.setdefault(target, []).append((row, case))
    return found


@cache
def higher_mutants() -> list[Mutant]:
    """The same of the rules of higher orders."""
    checks: dict[Direction, Check] = {
        "pull": second_order("reverse", "reverse"),
        "push": second_order("forward", "reverse"),
    }
    return [
        Mutant(target, how, direction, places, checks[direction])
        for target, places in higher_sites().items()
        for how in FACTORS
        for direction in DIRECTIONS
    ]


def report() -> int:
    """Makes every mutant and prints how many there were, by kind, and which are alive; returns their number."""
    start = time.perf_counter()
    everyone = [*mutants(), *higher_mutants()]
    alive = [mutant for mutant in everyone if not mutant.dies()]
    kinds = Counter(mutant.how for mutant in everyone)
    rules = len({str(mutant.target) for mutant in everyone})
    print(f"{len(everyone)} mutants of {rules} rules and slopes: {', '.join(f'{n} {how}' for how, n in kinds.items())}")
    for mutant in alive:
        print(f"alive: {mutant}")
    print(f"{len(alive) or 'none'} alive, after {time.perf_counter() - start:.0f} s")
    return len(alive)


if __name__ == "__main__":
    sys.exit(bool(report()))
