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
from typing import Any, Final

import numpy as np

from typedprop.errors import EscapedBVarError
from typedprop.index_sum import IndexSum, total
from typedprop.leaves import NDARRAY, added
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
RULES: Final[list[Rule]] = []

# The rules that the backward sweep knows by heart: they are most of all entries, and a call costs as much as they do.
# Scalar result, scalar parent, the residual is the partial derivative:
SCALE: Final[int] = Rule("scale", lambda g, d: g * d, lambda t, d: t * d).code
# The same of arrays, element by element:
TIMES: Final[int] = Rule("*", lambda g, d: g * d, lambda t, d: t * d, fresh=True).code
# The identity:
PASS: Final[int] = Rule("pass", lambda g, _: g, lambda t, _: t, view=True).code
# The transpose of a matrix, which is how a layer's weight is written:
TRANSPOSE: Final[int] = Rule("transpose", lambda g, _: g.T, lambda t, _: t.T, view=True).code


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


JOINT: Final[int] = Rule("joint", _not_linear, _not_linear).code


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
PART: Final[int] = Rule(
    "part", lambda g, position: Parts({position: g}), lambda t, position: t[position], fresh=True
).code

# Only ever compared: it orders nested tapes, so that the innermost one records an operation first.
_births: Final = itertools.count()


class Tape:
    """What one gradient records: its entries, its birth number, and whether it still records."""

    __slots__ = ("birth", "entries", "open")

    def __init__(self, inputs: int) -> None:
        self.birth: int = next(_births)
        self.open: bool = True
        # The inputs have entries too, so that a node's number is its position.
        self.entries: list[Entry] = [()] * inputs

    def close(self) -> None:
        """Called when the function has returned: nothing more is recorded."""
        self.open = False

    def check_open(self) -> None:
        """Raise `EscapedBVarError` if the gradient has ended."""
        if not self.open:
            raise EscapedBVarError(ESCAPED)

    def note(self, value: Value, entry: Entry) -> None:
        """Called with what is to be recorded where the tape is not open: here, to refuse it. See `WatchedTape`."""
        self.check_open()


def place_of(entries: list[Entry], entry: Entry, place: int) -> int:
    """Where an entry is that was appended when the list had the length `place`.

    There, unless the function computes in several threads and another one was faster: an entry is told by identity. (A
    list of entries that changes them as they are appended holds another one there.)
    """
    return next((k for k in range(place, len(entries)) if entries[k] is entry), place)


ESCAPED: Final = (
    "a BVar was used after the gradient that it belongs to had ended. Return it from the function that is "
    "differentiated, or lift its value again: BVar(b.value)"
)


OUTLIVED: Final = (
    "a thread computed with BVars of a gradient whose function had returned. Let the function wait for the threads "
    "that it starts, as in `with ThreadPoolExecutor() as threads:`"
)


class SweepError(Exception):
    """A rule failed in a sweep; `error` is what it raised, `node` the entry where. Never leaves the library."""

    def __init__(self, node: int, entry: Entry, what: str, error: Exception) -> None:
        if entry[0] == JOINT:
            names = entry[2].name
        else:
            names = " and ".join(dict.fromkeys(RULES[code].name for code in entry[::3]))
        super().__init__(f"{what} {names}")
        self.node: int = node
        self.error: Exception = error


def pull_back(entries: list[Entry], seeds: Sequence[tuple[int, Value]], inputs: int) -> list[Value]:
    """The cotangents of the first `inputs` nodes, given those of the outputs. Uses up `entries`.

    The outputs' own nodes are seeded, whatever was recorded after them. None stands for a zero cotangent. The arrays
    returned are aliased by nobody. Raises `SweepError` if a rule fails, and RuntimeError if a thread appended an entry
    meanwhile.
    """
    last = -1
    for node, _ in seeds:
        if node > last:
            last = node
    if len(entries) > last + 1:
        del entries[last + 1 :]
    count = len(entries)
    cotangents: list[Any] = [None] * max(count, inputs)
    # Nodes whose cotangent somebody else may hold. All others are buffers of the sweep's own, which it may add into.
    shared: set[int] = set()
    for node, seed in seeds:
        if type(seed) is float and cotangents[node] is None:
            # A number is nobody's to change.
            cotangents[node] = seed
        else:
            _accumulate(cotangents, shared, node, seed, False)
    rules = RULES
    next_entry, next_cotangent = entries.pop, cotangents.pop
    array, add = NDARRAY, np.add
    outer_sum, index_sum = OuterSum, IndexSum
    entry: Entry = ()
    cotangent: Any = None
    parent: int
    residual: Any
    next_code: int = PASS
    next_parent: int = -1
    next_residual: Any = None
    try:
        for _ in itertools.repeat(None, count - inputs):
            entry = next_entry()
            cotangent = next_cotangent()
            if cotangent is None:
                continue
            code: int = entry[0]
            if code == SCALE:
                # The path of scalars: one multiplication and one addition an operand, no call.
                if len(entry) == 3:
                    _, parent, residual = entry
                else:
                    _, parent, residual, _, next_parent, next_residual = entry
                    old = cotangents[next_parent]
                    cotangents[next_parent] = (
                        cotangent * next_residual if old is None else old + cotangent * next_residual
                    )
                old = cotangents[parent]
                cotangents[parent] = cotangent * residual if old is None else old + cotangent * residual
                continue
            if (kind := type(cotangent)) is not array and (kind is outer_sum or kind is index_sum):
                cotangent = cotangent.dense()
            if code == JOINT:
                _, parents, joint = entry
                for one, contribution in zip(parents, joint.pull(cotangent), strict=True):
                    if contribution is not None:
                        _accumulate(cotangents, shared, one, contribution, joint.fresh)
                continue
            # Taken apart once, for an index into a tuple costs as much as a third of a short product.
            left = len(entry)
            if left == 3:
                _, parent, residual = entry
            else:
                _, parent, residual, next_code, next_parent, next_residual = entry[:6] if left > 6 else entry
            while True:
                if code == TIMES:
                    contribution = cotangent * residual
                    fresh = True
                elif code == PASS:
                    contribution = cotangent
                    fresh = len(entry) == 3 and not (shared and len(entries) in shared)
                elif code == TRANSPOSE:
                    contribution = cotangent.T
                    fresh = not (shared and len(entries) in shared)
                else:
                    rule = rules[code]
                    contribution = rule.pull(cotangent, residual)
                    fresh = rule.fresh or (rule.view and len(entry) == 3 and not (shared and len(entries) in shared))
                old = cotangents[parent]
                if old is None:
                    cotangents[parent] = contribution
                    if not fresh:
                        shared.add(parent)
                elif type(old) is array is type(contribution) and not (shared and parent in shared):
                    # Positional, for a keyword argument costs as much as the sum of two short vectors.
                    add(old, contribution, old)
                elif type(old) is OuterSum is type(contribution):
                    old.add(contribution)
                else:
                    _accumulate(cotangents, shared, parent, contribution, fresh)
                if left == 3:
                    break
                left -= 3
                code, parent, residual = next_code, next_parent, next_residual
                if left > 3:
                    # Those three alone: an entry may have as many operands as a vector elements.
                    next_code, next_parent, next_residual = entry[3 - left : (6 - left) or None]
    except Exception as error:
        if not entry:
            # It came from outside, by a signal say, before the first rule.
            raise
        shape = getattr(cotangent, "shape", ())
        what = f"in the backward sweep, pulling a cotangent of shape {shape} back through"
        raise SweepError(len(entries), entry, what, error) from None
    if len(entries) > inputs:
        raise RuntimeError(OUTLIVED)
    for node, cotangent in enumerate(cotangents):
        kind = type(cotangent)
        if kind is NDARRAY:
            if shared and node in shared:
                cotangents[node] = cotangent.copy()
        elif kind is OuterSum or kind is IndexSum:
            cotangents[node] = cotangent.dense()
    return cotangents


def _accumulate(cotangents: list[Any], shared: set[int], node: int, contribution: Any, fresh: bool) -> None:
    """Add a contribution to a node's cotangent, in place where the buffer is the sweep's own."""
    old = cotangents[node]
    kind = type(old)
    if old is None:
        cotangents[node] = contribution
        if not fresh:
            shared.add(node)
        return
    if kind is NDARRAY is type(contribution):
        if node not in shared:
            np.add(old, contribution, old)
            return
        cotangents[node] = old + contribution
    elif type(contribution) is IndexSum or kind is IndexSum:
        old = old.dense() if kind is OuterSum else old
        contribution = contribution.dense() if type(contribution) is OuterSum else contribution
        cotangents[node] = total(old, contribution, node not in shared, fresh)
    elif type(contribution) is OuterSum:
        if kind is OuterSum:
            old.add(contribution)
        else:
            cotangents[node] = old + contribution.dense()
    elif type(contribution) is Parts:
        old.add(contribution)
    else:
        cotangents[node] = added(old.dense() if kind is OuterSum else old, contribution)
    shared.discard(node)


def push_forward(entries: list[Entry], tangents: Sequence[Value], wanted: bytearray | None = None) -> list[Value]:
    """The tangents of all nodes, given those of the inputs. None stands for a zero tangent.

    With `wanted`, of `ancestors`, only those are computed: a value that was merely looked at needs no tangent, and may
    not have one. Raises `SweepError` if a rule fails.
    """
    pushed: list[Any] = list(tangents)
    rules = RULES
    position = 0
    try:
        for position in range(len(pushed), len(entries)):
            if wanted is not None and not wanted[position]:
                pushed.append(None)
                continue
            entry = entries[position]
            code = entry[0]
            if code == JOINT:
                _, parents, joint = entry
                operands = [pushed[parent] for parent in parents]
                pushed.append(None if all(t is None for t in operands) else joint.push(operands))
                continue
            total: Any = None
            for k in range(0, len(entry), 3):
                tangent = pushed[entry[k + 1]]
                if tangent is not None:
                    code = entry[k]
                    if code == PASS:
                        contribution = tangent
                    elif code == TIMES:
                        contribution = tangent * entry[k + 2]
                    else:
                        contribution = rules[code].push(tangent, entry[k + 2])
                    if total is None:
                        total = contribution
                    else:
                        total = total + contribution if type(total) is NDARRAY else added(total, contribution)
            pushed.append(total)
    except Exception as error:
        if not entries[position]:
            # It came from outside, by a signal say, before the first rule.
            raise
        what = "in forward mode, pushing the tangents through"
        raise SweepError(position, entries[position], what, error) from None
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
