"""`WatchedTape`: a tape that notes of each operation what a gradient has no use for: its line, its sizes, its time.

It takes the place of a plain tape where something is to be found out (`trace`, `debug_nans`, the line of an error), and
costs nothing elsewhere: it says that it is not open, and what is recorded on a tape that is not open goes the slow way,
by `note`.

The backward sweep is watched without a second sweep: each entry is wrapped in one whose pull calls the original's.
"""

from __future__ import annotations

import dis
import math
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from typedprop.arithmetic import BROADCAST, dtype_of, plain, shape_of
from typedprop.errors import EscapedBVarError
from typedprop.leaves import added
from typedprop.op import record_joint
from typedprop.tape import ESCAPED, JOINT, RULES, Entry, Joint, Tape, Value, pull_back, push_forward

# Python's names of the operators, as one writes them.
_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "pow": "**",
    "matmul": "@",
    "neg": "-",
    "abs": "abs",
    "getitem": "[]",
    "iter": "iter",
}

# What records without having been called by name: the sweeps, and what transformations record by.
_THEMSELVES = {f.__code__ for f in (pull_back, push_forward, record_joint) if isinstance(f, FunctionType)}

# What the sweep itself does, where it is an operation of an outer tape.
_SPOKEN = {"pass": "+", "scale": "*"}


class Note:
    """What was noted of one operation.

    `shape` and `dtype` are the result's (`()` and float64 for a number); `line` is the user's, as (file, number,
    function).
    """

    __slots__ = ("dtype", "high", "line", "low", "name", "shape")

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], line: tuple[str, int, str]) -> None:
        self.name: str = name
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = dtype
        self.line: tuple[str, int, str] = line
        # The least and the greatest element, where somebody asked for them.
        self.low: float = math.nan
        self.high: float = math.nan


class WatchedTape(Tape):
    """A tape whose `notes` are told apart by the positions of their entries."""

    __slots__ = ("ended", "inputs", "notes", "stopped")

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs)
        # An operation looks no further then, and calls `note`.
        self.open = False
        self.ended: bool = False
        self.inputs: int = inputs
        self.notes: dict[int, Note] = {}
        # Whether a sweep failed by the watching itself, with a message that says where.
        self.stopped: bool = False

    def close(self) -> None:
        """Called when the function has returned."""
        self.ended = True

    def check_open(self) -> None:
        """Raise `EscapedBVarError` if the gradient has ended."""
        if self.ended:
            raise EscapedBVarError(ESCAPED)

    def watch(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """What a step of the run gives: the function, or a sweep. Here for its frame, by which it is told what runs."""
        return step(*arguments)

    def note(self, value: Value, entry: Entry) -> None:
        """Note the operation that gave `value` and is recorded next."""
        self.check_open()
        called, user = frames()
        line = (user.f_code.co_filename, user.f_lineno, user.f_code.co_name)
        name = _name(called) or _operator(user.f_code, user.f_lasti) or _SPOKEN.get(names := rule_names(entry), names)
        self.notes[len(self.entries)] = Note(name, shape_of(value), dtype_of(value), line)

    def note_of(self, position: int) -> Note | None:
        """The note of an entry. An operand that was stretched (which is recorded before the operation that wants it
        so, and not noted) has that operation's line."""
        note = self.notes.get(position)
        if note is None and position < len(self.entries):
            entry = self.entries[position]
            after = next((self.notes[k] for k in range(position, len(self.entries)) if k in self.notes), None)
            if after is not None and entry and entry[0] == BROADCAST.code:
                _, shape, dtype = entry[2]
                return Note("broadcast", shape, dtype, after.line)
        return note

    def watched(self) -> list[Entry]:
        """The entries as a sweep is to see them: those after the inputs wrapped, so that `pulled` and `pushed` run."""
        entries, inputs = self.entries, self.inputs
        return [*entries[:inputs], *(self._wrapped(k, entries[k]) for k in range(inputs, len(entries)))]

    def _wrapped(self, position: int, entry: Entry) -> Entry:
        def pull(cotangent: Value) -> Sequence[Value]:
            return self.pulled(position, entry, cotangent)

        def push(tangents: Sequence[Value]) -> Value:
            return self.pushed(position, entry, tangents)

        joint = entry[0] == JOINT
        fresh = entry[2].fresh if joint else all(RULES[code].fresh for code in entry[::3])
        return (JOINT, entry[1] if joint else entry[1::3], Joint(rule_names(entry), pull, push, fresh=fresh))

    def pulled(self, position: int, entry: Entry, cotangent: Value) -> Sequence[Value]:
        """The contributions of an entry to its operands' cotangents."""
        if entry[0] == JOINT:
            return entry[2].pull(cotangent)  # type: ignore[no-any-return]  # what a Joint promises
        return [RULES[entry[k]].pull(cotangent, entry[k + 2]) for k in range(0, len(entry), 3)]

    def pushed(self, position: int, entry: Entry, tangents: Sequence[Value]) -> Value:
        """The tangent of an entry's result."""
        if entry[0] == JOINT:
            return entry[2].push(tangents)
        total: Any = None
        for k, tangent in enumerate(tangents):
            if tangent is not None:
                part = RULES[entry[3 * k]].push(tangent, entry[3 * k + 2])
                total = part if total is None else added(total, part)
        return total

    def seeded(self, node: int, seed: Value) -> None:
        """Told the cotangents that a backward sweep begins with."""

    def moved(self, node: int, tangent: Value) -> None:
        """Told the tangents of the inputs that a forward sweep begins with."""

    def swept(self, cotangents: Sequence[Value]) -> None:
        """Told the gradients at the end of a backward sweep."""


def written_line(line: tuple[str, int, str]) -> str:
    """A line as messages show it: `model.py:12 in loss`."""
    file, number, function = line
    return f"{file}:{number} in {function}"


def rule_names(entry: Entry) -> str:
    """The names of an entry's rules."""
    if entry[0] == JOINT:
        name: str = entry[2].name
        return name
    return " and ".join(dict.fromkeys(RULES[code].name for code in entry[::3]))


def parents_of(entry: Entry) -> tuple[int, ...]:
    """The positions of an entry's operands; none for an input."""
    if not entry:
        return ()
    return tuple(entry[1]) if entry[0] == JOINT else entry[1::3]


def number_of_bytes(value: Value) -> int:
    """What the data of a value takes: an array its elements, a number 8."""
    x = plain(value)
    return x.nbytes if isinstance(x, np.ndarray) else 8


def frames() -> tuple[FrameType | None, FrameType]:
    """The frame of the operation that was called, by the user or in his place by a transformation of it (as `sin` is in
    `grad(sin)`), and the user's own. None for the former where a sweep or a transformation recorded by itself."""
    called: FrameType | None = None
    below: FrameType | None = None
    frame = sys._getframe(1)
    while frame.f_back is not None and (module := frame.f_globals.get("__name__", "")).split(".")[0] == "typedprop":
        if not module.startswith("typedprop.transform."):
            below = frame
        elif called is None:
            called = below
        frame = frame.f_back
    called = called or below
    return None if called is not None and called.f_code in _THEMSELVES else called, frame


@lru_cache(1024)
def _operator(code: CodeType, position: int) -> str:
    """The operator that a frame is at; nothing at a call. An operator that is compiled has no frame of its own."""
    for instruction in dis.get_instructions(code):
        if instruction.offset == position:
            if instruction.opname == "BINARY_OP":
                return instruction.argrepr.removesuffix("=")
            return _INSTRUCTIONS.get(instruction.opname, "")
    return ""


_INSTRUCTIONS = {"UNARY_NEGATIVE": "-", "BINARY_SUBSCR": "[]", "GET_ITER": "iter"}


def _name(called: FrameType | None) -> str:
    """What the user wrote, as far as the frame tells: a function made by a declaration has its `name` at hand."""
    if called is None:
        return ""
    name = called.f_code.co_name
    if name == "__call__":
        return str(getattr(called.f_locals.get("self"), "__name__", ""))
    if name.startswith("<"):
        return ""
    if "<locals>" in called.f_code.co_qualname:
        declared = called.f_locals.get("name")
        return declared if isinstance(declared, str) else ""
    bare = name.strip("_")
    if name != bare:
        return _SYMBOLS.get(bare) or _SYMBOLS.get(bare[1:], "") if name.startswith("__") else ""
    return name
