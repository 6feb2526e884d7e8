"""`debug_nans`: stop where a NaN or an infinity first appears.

    with tp.debug_nans():
        gradient = tp.grad(loss)(net, x, target)

The error names the operation, the line of yours that it is on, and what its operands were. It is raised there and then,
so a debugger stops on that line, with the values at hand.
"""

from __future__ import annotations

import inspect
import linecache
import math
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import attrs
import numpy as np

from typedprop.arithmetic import describe, plain, shape_of
from typedprop.bvar import BVar
from typedprop.errors import NonFiniteError
from typedprop.index_sum import IndexSum
from typedprop.outer_sum import OuterSum
from typedprop.parameters import shape_text
from typedprop.tape import Entry, Parts, Value, pull_back, push_forward
from typedprop.transform.run import WATCH, Inputs
from typedprop.transform.watched import WatchedTape, frames, parents_of, written_line


@contextmanager
def debug_nans(*, infinities: bool = True) -> Generator[None, None, None]:
    """A context (and a decorator) in which each gradient stops at the first operation that gives a NaN or an infinity.

    Watched are the inputs of `grad`, `backprop`, `vjp`, `jvp`, `jacobian` and their kin, each result that they record,
    and each cotangent (or tangent) of their sweeps, at every order. What is computed outside of them, or from constants
    and plain arrays only, is not: where such a value is not finite, the first operation that meets it is named, and the
    constant with it. With `infinities=False` infinities may pass, as in a mask of -inf before a softmax, and only a NaN
    stops.

    It holds for the running thread or task, and ends with the block; other threads and tasks are not affected. (A
    thread started inside of the block does not inherit it; `contextvars.copy_context().run` makes it. The workers of
    `parallel.value_and_grad` do.) Gradients outside of it cost nothing more; inside, each operation costs some
    microseconds and a look at all its elements.

    Raises `NonFiniteError`, a FloatingPointError. NumPy's own warnings are left as they are.
    """

    token = WATCH.set(_Watch(infinities))
    try:
        yield
    finally:
        WATCH.reset(token)


@attrs.frozen
class _Watch:
    """What makes the tapes; a class, so that it can be sent to another process."""

    infinities: bool

    def __call__(self, inputs: Inputs) -> _CheckedTape:
        return _CheckedTape(inputs, self.infinities)


class _CheckedTape(WatchedTape):
    """A tape that looks at each value."""

    __slots__ = ("_infinities", "_ranges", "_stretched")

    def __init__(self, inputs: Inputs, infinities: bool) -> None:
        super().__init__(len(inputs.leaves))
        self._infinities = infinities
        # What an operand is called in a message, and its least and greatest element.
        self._ranges: list[str] = []
        for leaf, path in zip(inputs.leaves, inputs.structure.paths(), strict=True):
            bad = self._bad(leaf)
            if bad:
                raise NonFiniteError(f"the input{path and f' {path}'} {bad}")
            self._ranges.append(f"the input{path and f' {path}'} {_range(leaf)}")

    def note(self, value: Value, entry: Entry) -> None:
        super().note(value, entry)
        note = self.notes[len(self.entries)]
        bad = self._bad(value)
        if bad:
            called, user = frames()
            what = "the result"
            if _in_a_sweep(user):
                what = "in the sweep of an inner gradient, the result"
            elif self._is_outer():
                # What an inner gradient's operation computes for an outer one may be its derivative as well.
                what = "the result, or its derivative,"
            where = self._where(note.line, entry, () if called is None else self._constants(called))
            raise NonFiniteError(f"{note.name}: {what} {bad}\n{where}")
        # Operands that were stretched are entries too, and not noted.
        self._ranges += [""] * (len(self.entries) - len(self._ranges))
        self._ranges.append(f"{note.name} {_range(value)}, of {written_line(note.line)}")

    def seeded(self, node: int, seed: Value) -> None:
        bad = self._bad(seed)
        if bad:
            raise NonFiniteError(f"the cotangent that was given for the output {bad}")

    def moved(self, node: int, tangent: Value) -> None:
        bad = self._bad(tangent)
        if bad:
            raise NonFiniteError(f"the tangent that was given for {self._operand(node)}: it {bad}")

    def pulled(self, position: int, entry: Entry, cotangent: Value) -> Sequence[Value]:
        bad = self._bad(cotangent)
        if bad:
            self._stop(position, entry, f"the cotangents of its result are finite, but their sum {bad}")
        contributions = super().pulled(position, entry, cotangent)
        for parent, contribution in zip(parents_of(entry), contributions, strict=True):
            bad = self._bad(contribution)
            if bad:
                came = f"; that of its result {_range(cotangent)}" if type(cotangent) is not Parts else ""
                self._stop(position, entry, f"the cotangent of its operand, {self._operand(parent)}, {bad}{came}")
        return contributions

    def pushed(self, position: int, entry: Entry, tangents: Sequence[Value]) -> Value:
        tangent = super().pushed(position, entry, tangents)
        bad = self._bad(tangent)
        if bad:
            self._stop(position, entry, f"the tangent of its result {bad}", "forward mode")
        return tangent

    def swept(self, cotangents: Sequence[Value]) -> None:
        for node, cotangent in enumerate(cotangents):
            bad = self._bad(cotangent)
            if bad:
                self.stopped = True
                raise NonFiniteError(
                    f"the gradient by {self._operand(node)}: its parts are finite, but their sum {bad}"
                )

    def _stop(self, position: int, entry: Entry, what: str, sweep: str = "the backward sweep") -> None:
        self.stopped = True
        note = self.note_of(position)
        if note is None:
            raise NonFiniteError(f"in {sweep}: {what}")
        raise NonFiniteError(f"{note.name}: in {sweep}, {what}\n{self._where(note.line, entry)}")

    def _where(self, line: tuple[str, int, str], entry: Entry, constants: Iterable[str] = ()) -> str:
        source = linecache.getline(line[0], line[1]).strip()
        operands = dict.fromkeys([*map(self._operand, parents_of(entry)), *constants])
        return "\n".join([f"at {written_line(line)}{source and f': {source}'}", *(f"  operand: {x}" for x in operands)])

    def _constants(self, called: FrameType) -> list[str]:
        """The plain arguments of the operation that are not finite to begin with; the tape knows of the others."""
        names, rest, keywords, values = inspect.getargvalues(called)
        pending: list[Any] = [values.get(name) for name in (*names, rest, keywords) if name is not None]
        found = []
        for x in pending:  # grows as it goes
            if isinstance(x, tuple | list):
                pending += x
            elif isinstance(x, dict):
                pending += x.values()
            elif (not isinstance(x, BVar) or x._tape is None) and (bad := self._bad(x)):
                found.append(f"the constant {bad}")
        return found

    def _is_outer(self) -> bool:
        """Whether the function that runs is an inner gradient's."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code is _WATCH and not _is_sweep(frame):
                return frame.f_locals["self"] is not self
            frame = frame.f_back
        return False

    def _operand(self, node: int) -> str:
        while node >= self.inputs and not self._ranges[node]:
            (node,) = parents_of(self.entries[node])
        return self._ranges[node]

    def _bad(self, value: Value) -> str:
        """What is wrong with a value, as in `R[3] is nan at [1] (2 of 3 elements)`; nothing if it is finite."""
        if type(value) in (OuterSum, IndexSum):
            return ""  # is looked at when it is summed up
        if type(value) in (Parts, tuple, list):
            parts = value.parts.values() if type(value) is Parts else value
            return next(filter(None, map(self._bad, parts)), "")
        x = plain(value)
        if isinstance(x, float):
            wrong = not math.isfinite(x) if self._infinities else math.isnan(x)
            return f"is {x}" if wrong else ""
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return ""
        mask = ~np.isfinite(x) if self._infinities else np.isnan(x)
        count = int(np.count_nonzero(mask))
        if not count:
            return ""
        place = np.unravel_index(int(np.argmax(mask)), x.shape)
        return (
            f"{shape_text(x.shape, x.dtype)} is {x[place]} at [{', '.join(map(str, place))}] "
            f"({count:,} of {x.size:,} elements {'is' if count == 1 else 'are'} not finite)"
        )


# Of the frames in which a watched run runs its function and its sweeps.
_WATCH = WatchedTape.watch.__code__


def _is_sweep(frame: FrameType) -> bool:
    step = frame.f_locals["step"]
    return step is pull_back or step is push_forward


def _in_a_sweep(user: FrameType) -> bool:
    """Whether a sweep is running that the user's frame began."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not user:
        if frame.f_code is _WATCH and _is_sweep(frame):
            return True
        frame = frame.f_back
    return False


def _range(value: Value) -> str:
    """A value in short: `R[3] in [-1, 2.5]`."""
    x: Any = value.dense() if type(value) is OuterSum else plain(value)
    if isinstance(x, float):
        return f"is {x:.6g}"
    if not isinstance(x, np.ndarray) or not x.size:
        return describe(shape_of(x))
    return f"{shape_text(x.shape, x.dtype)} in [{np.nanmin(x):.6g}, {np.nanmax(x):.6g}]"
