"""The Wengert tape and its two sweeps; the place to start reading.

While a function runs, each operation appends one entry to a list. An entry says how a small change of each parent
changes the result: it is a flat tuple of triples `(code, parent, residual)`, where `code` names a linear map (a
`Rule`), `parent` is the position of the operand's own entry, and `residual` is what the map needs to remember.

- Backward (`pull_back`): walk the entries from the output to the inputs; each triple *pulls* the result's cotangent
  back to its parent, where contributions add up.
- Forward (`push_forward`): walk from the inputs to the output; each triple *pushes* its parent's tangent forward.

The tape knows nothing of `BVar`: residuals, cotangents and tangents are plain arrays and numbers in a first derivative,
and differentiable values of an enclosing tape in a higher one. The rules are written with operations that serve both.

Why so plain: entries are tuples of atoms, which CPython's garbage collector stops tracking; an entry that held a
function would stay tracked, and made long tapes 2.6 times slower. Hence the numbers for rules. Entries are appended in
topological order, so no sweep sorts or recurses, and they are popped as they are used, so that memory falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from typedprop.errors import EscapedBVarError
from typedprop.leaves import added
from typedprop.outer_sum import OuterSum

# A plain number or array, a value of a registered type, or a differentiable value of an enclosing tape: what a tape
# holds is as heterogeneous as the program that it records, so no narrower type can be said.
Value = Any
Entry = tuple[Any, ...]
Pull = Callable[[Any, Any], Any]


class Rule:
    """A linear map between tangents, in both directions, given what it remembers.

    `pull(cotangent, residual)` is the transposed map (reverse mode), `push(tangent, residual)` the map itself (forward
    mode). `fresh` promises that `pull` returns a new array that nobody else holds, which the sweep may then add into;
    `view`, that it returns the cotangent itself or a view of it, which is as much the sweep's own as the cotangent was.
    """

    __slots__ = ("code", "fresh", "name", "pull", "push", "view")

    def __init__(self, name: str, pull: Pull, push: Pull, *, fresh: bool = False, view: bool = False) -> None:
        self.name: str = name
        self.pull: Pull = pull
        self.push: Pull = push
        self.fresh: bool = fresh
        self.view: bool = view
        self.code: int = len(RULES)
        RULES.append(self)


# Every rule by its code; filled while modules are imported.
RULES: list[Rule] = []

# The one rule that the sweeps know by heart: scalar result, scalar parent, the residual is the partial derivative.
SCALE: int = Rule("scale", lambda g, d: g * d, lambda t, d: t * d).code


class Joint:
    """The derivative of an operation whose parents' cotangents are computed together, or that has several results.

    An entry of this kind is `(JOINT, parents, joint)`; `pull` gives one cotangent (or None) a parent, `push` takes one
    tangent (or None) a parent. `fresh` promises of all that `pull` gives what it promises of a `Rule`.
    """

    __slots__ = ("fresh", "name", "pull", "push")

    def __init__(
        self,
        name: str,
        pull: Callable[[Any], Sequence[Any]],
        push: Callable[[Sequence[Any]], Any],
        *,
        fresh: bool = False,
    ) -> None:
        self.name: str = name
        self.pull: Callable[[Any], Sequence[Any]] = pull
        self.push: Callable[[Sequence[Any]], Any] = push
        self.fresh: bool = fresh


def _not_linear(_value: Any, _residual: Any) -> Any:
    raise AssertionError("a joint entry is handled by the sweeps themselves")


JOINT: int = Rule("joint", _not_linear, _not_linear).code


class Parts:
    """The cotangent of several results of one operation: those that were used, by position."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts: dict[int, Any] = parts

    def add(self, other: Parts) -> None:
        """Take over the cotangents of `other`."""
        for position, cotangent in other.parts.items():
            mine = self.parts.get(position)
            self.parts[position] = cotangent if mine is None else added(mine, cotangent)


# One of several results: the residual is its position.
PART: int = Rule("part", lambda g, position: Parts({position: g}), lambda t, position: t[position], fresh=True).code

# Only ever compared: it orders nested tapes, so that the innermost one records an operation first.
_births = itertools.count()


class Tape:
    """What one gradient records: its entries, its birth number, and whether it still records."""

    __slots__ = ("birth", "entries", "open")

    def __init__(self, inputs: int) -> None:
        self.birth: int = next(_births)
        self.open: bool = True
        # The inputs have entries too, so that a node's number is its position.
        self.entries: list[Entry] = [()] * inputs

    def check_open(self) -> None:
        """Raise `EscapedBVarError` if the gradient has ended."""
        if not self.open:
            raise EscapedBVarError(ESCAPED)

    def note(self, value: Value, entry: Entry) -> None:
        """Called with what is to be recorded where the tape is not open: here, to refuse it. See `WatchedTape`."""
        self.check_open()


ESCAPED = (
    "a BVar was used after the gradient that it belongs to had ended. Return it from the function that is "
    "differentiated, or lift its value again: BVar(b.value)"
)


class SweepError(Exception):
    """A rule failed in a sweep; `__cause__` is what it raised, `node` the entry where. Never leaves the library."""

    def __init__(self, node: int, entry: Entry, shape: tuple[int, ...]) -> None:
        if entry[0] == JOINT:
            names = entry[2].name
        else:
            names = " and ".join(dict.fromkeys(RULES[code].name for code in entry[::3]))
        super().__init__(f"in the backward sweep, pulling a cotangent of shape {shape} back through {names}")
        self.node = node


def pull_back(entries: list[Entry], seeds: Sequence[tuple[int, Value]], inputs: int) -> list[Value]:
    """The cotangents of the first `inputs` nodes, given those of the outputs. Uses up `entries`.

    The outputs' own nodes are seeded, whatever was recorded after them. None stands for a zero cotangent. The arrays
    returned are aliased by nobody. Raises `SweepError` if a rule fails.
    """
    last = -1
    for node, _ in seeds:
        if node > last:
            last = node
    del entries[last + 1 :]
    cotangents: list[Any] = [None] * max(len(entries), inputs)
    # Nodes whose cotangent is a buffer of the sweep's own, which further contributions may be added into.
    owned = bytearray(len(cotangents))
    for node, seed in seeds:
        _accumulate(cotangents, owned, node, seed, False)
    rules = RULES
    entry: Entry = ()
    cotangent: Any = None
    try:
        while len(entries) > inputs:
            entry = entries.pop()
            cotangent = cotangents.pop()
            mine = owned.pop()
            if cotangent is None:
                continue
            if len(entry) == 3:
                code, parent, residual = entry
                if code == SCALE:
                    # The path of scalars: one multiplication and one addition an operand, no call.
                    contribution = cotangent * residual
                    old = cotangents[parent]
                    cotangents[parent] = contribution if old is None else old + contribution
                    continue
                if type(cotangent) is OuterSum:
                    cotangent = cotangent.dense()
                if code == JOINT:
                    for node, contribution in zip(parent, residual.pull(cotangent), strict=True):
                        if contribution is not None:
                            _accumulate(cotangents, owned, node, contribution, residual.fresh)
                    continue
                rule = rules[code]
                contribution = rule.pull(cotangent, residual)
                fresh = rule.fresh or (rule.view and bool(mine))
                if cotangents[parent] is None:
                    cotangents[parent] = contribution
                    owned[parent] = fresh
                else:
                    _accumulate(cotangents, owned, parent, contribution, fresh)
            elif entry[0] == SCALE:
                # A scalar of two scalars.
                _, parent, residual, _, other, slope = entry
                contribution = cotangent * residual
                old = cotangents[parent]
                cotangents[parent] = contribution if old is None else old + contribution
                contribution = cotangent * slope
                old = cotangents[other]
                cotangents[other] = contribution if old is None else old + contribution
            else:
                if type(cotangent) is OuterSum:
                    cotangent = cotangent.dense()
                triples = iter(entry)
                for code, parent, residual in zip(triples, triples, triples, strict=True):
                    rule = rules[code]
                    contribution = rule.pull(cotangent, residual)
                    if cotangents[parent] is None:
                        cotangents[parent] = contribution
                        owned[parent] = rule.fresh
                    else:
                        _accumulate(cotangents, owned, parent, contribution, rule.fresh)
    except Exception as error:
        raise SweepError(len(entries), entry, getattr(cotangent, "shape", ())) from error
    for node, cotangent in enumerate(cotangents):
        kind = type(cotangent)
        if kind is np.ndarray:
            if not owned[node]:
                cotangents[node] = cotangent.copy()
        elif kind is OuterSum:
            cotangents[node] = cotangent.dense()
    return cotangents


def _accumulate(cotangents: list[Any], owned: bytearray, node: int, contribution: Any, fresh: bool) -> None:
    """Add a contribution to a node's cotangent, in place where the buffer is the sweep's own."""
    old = cotangents[node]
    if old is None:
        cotangents[node] = contribution
        owned[node] = fresh
    elif type(contribution) is OuterSum:
        if type(old) is OuterSum:
            old.add(contribution)
        else:
            cotangents[node] = old + contribution.dense()
            owned[node] = True
    elif type(contribution) is Parts:
        old.add(contribution)
    else:
        if type(old) is OuterSum:
            old = cotangents[node] = old.dense()
        if owned[node] and type(old) is np.ndarray and type(contribution) is np.ndarray:
            np.add(old, contribution, out=old)
        else:
            cotangents[node] = added(old, contribution)
            owned[node] = True


def push_forward(entries: list[Entry], tangents: Sequence[Value], wanted: bytearray | None = None) -> list[Value]:
    """The tangents of all nodes, given those of the inputs. None stands for a zero tangent.

    With `wanted`, of `ancestors`, only those are computed: a value that was merely looked at needs no tangent, and may
    not have one.
    """
    pushed: list[Any] = list(tangents)
    rules = RULES
    for position in range(len(pushed), len(entries)):
        if wanted is not None and not wanted[position]:
            pushed.append(None)
            continue
        entry = entries[position]
        if entry[0] == JOINT:
            _, parents, joint = entry
            operands = [pushed[parent] for parent in parents]
            pushed.append(None if all(t is None for t in operands) else joint.push(operands))
            continue
        total: Any = None
        for k in range(0, len(entry), 3):
            tangent = pushed[entry[k + 1]]
            if tangent is not None:
                contribution = rules[entry[k]].push(tangent, entry[k + 2])
                total = contribution if total is None else added(total, contribution)
        pushed.append(total)
    return pushed


def ancestors(entries: list[Entry], outputs: Sequence[int | None]) -> bytearray:
    """For each node, whether one of the outputs depends on it."""
    wanted = bytearray(len(entries))
    for node in outputs:
        if node is not None:
            wanted[node] = True
    position = len(entries)
    for entry in reversed(entries):
        position -= 1
        if not wanted[position]:
            continue
        if len(entry) == 3:
            code, parents, _ = entry
            if code != JOINT:
                wanted[parents] = True
                continue
        else:
            parents = entry[1::3]
        for parent in parents:
            wanted[parent] = True
    return wanted
