"""Running a function on a tape of its own: what every transformation begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

import numpy as np

from typedprop import tree
from typedprop.arithmetic import describe, dtype_of, plain, shape_of, zero_like
from typedprop.bvar import BVar, bare, constant, lifted
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.leaves import NDARRAY, leaf_type
from typedprop.tape import Entry, SweepError, Tape, Value, pull_back, push_forward
from typedprop.transform.watched import WatchedTape, written_line

# The type of the transformed function's result is the caller's business: here any tree of BVars comes back.
Function = Callable[..., Any]


_PLAIN: Final = (np.ndarray, float, int, np.generic, complex)


def to_be_lifted(argument: Any) -> bool:
    """Whether an argument is a number or array, or a value of a registered type, which is lifted for the function."""
    return isinstance(argument, _PLAIN) or leaf_type(type(argument)) is not None


class Inputs:
    """What is differentiated: a tree of BVars, or a plain float or array.

    A plain argument is lifted for the function and its gradient is handed back plain, for lambdas and experiments.
    """

    __slots__ = ("leaves", "plain", "structure")

    def __init__(self, argument: Any, name: str) -> None:
        # A record is not plain, and to be asked what it is in five ways takes longer than to take it apart.
        self.plain: bool = type(argument) not in tree._SLOTTED and to_be_lifted(argument)
        leaves, structure = tree.flatten(constant(lifted(argument, name)) if self.plain else argument)
        if not leaves:
            raise NotDifferentiableError(
                f"{name}: there is no BVar in this {type(argument).__name__} to differentiate; {_way_out(argument)}"
            )
        self.leaves: list[BVar[Any]] = leaves
        self.structure: tree.Structure[Any] = structure

    def gradient(self, cotangents: list[Value]) -> Any:
        """The argument's cotangent, made of the list that is given; zeros of its own shape and dtype for a leaf that
        received none."""
        array, leaves = NDARRAY, cotangents
        for k, g in enumerate(cotangents):
            if type(g) is array:
                # `constant`, written out.
                b: BVar[Any] = bare(BVar)
                b._value = g
                b._tape = None
                b._node = -1
            else:
                b = _as_leaf(g, self.leaves[k])
            leaves[k] = b
        gradient = self.structure._around(leaves)
        return as_given(gradient) if self.plain else gradient

    def tangents(self, tangent: Any) -> list[Value]:
        """The leaves of a tangent that must match the argument, as values for a sweep."""
        if self.plain and type(tangent) is not BVar:
            tangent = constant(lifted(tangent, "the tangent"))
        values = [value_of(b) for b in self.structure.leaves_of(tangent, "the tangent", "the argument")]
        check_like(values, self.leaves, self.structure, "tangent")
        return values


def as_given(gradient: BVar[Any]) -> Any:
    """The gradient by a plain argument: plain, too, unless it belongs to an enclosing gradient."""
    return gradient._value if gradient._tape is None else gradient


def _way_out(argument: Any) -> str:
    """What to do with an argument in which no BVar was found."""
    if isinstance(argument, Iterator):
        return "what it would give is not looked at; pass a list of it"
    lift = "lift its values, as in BVar(np.zeros(3)) or BVar(1.0)"
    cls = type(argument)
    if cls.__module__ == "builtins" or tree._kind_of(cls).form >= tree._RECORD:
        return lift
    return (
        f"{lift}. To differentiate by values of type {cls.__name__}, give it to tp.register; for a container of BVars, "
        "give it to tree.register_node"
    )


def as_bvar(value: Value) -> BVar[Any]:
    """A value of the sweep as the user gets it."""
    return value if type(value) is BVar else constant(value)


def check_like(values: Sequence[Value], leaves: Sequence[Value], structure: tree.Structure[Any], what: str) -> None:
    """That tangents or cotangents have the shapes and dtypes of the leaves, of a tree, that they belong to."""
    for k, (value, leaf) in enumerate(zip(values, leaves, strict=True)):
        x = leaf._value if type(leaf) is BVar else leaf
        if type(value) is NDARRAY is type(x) and value.shape == x.shape and value.dtype is x.dtype:
            continue
        shape, kind, dtype = shape_of(value), leaf_type(type(plain(value))), dtype_of(value)
        if shape == shape_of(leaf) and kind is leaf_type(type(plain(leaf))) and dtype == dtype_of(leaf):
            continue
        path = structure.paths()[k]
        name = f"the {what}{path and f' at {path}'}"
        if shape != shape_of(leaf):
            raise ShapeError(f"{name} is {describe(shape)}, but belongs to {describe(shape_of(leaf))}")
        if kind is not leaf_type(type(plain(leaf))):
            raise DTypeError(
                f"{name} is a {type(plain(value)).__name__}, but belongs to a {type(plain(leaf)).__name__}"
            )
        raise DTypeError(f"{name} is {dtype}, but belongs to {dtype_of(leaf)}")


def _as_leaf(cotangent: Value, leaf: BVar[Any]) -> BVar[Any]:
    """A cotangent as the user gets it, by a leaf that it belongs to."""
    kind = type(cotangent)
    if kind is BVar:
        return cotangent  # type: ignore[no-any-return]  # of an enclosing gradient
    if cotangent is None:
        return constant(zero_like(leaf))
    return constant(cotangent if leaf_type(kind) is not None else float(cotangent))


def separate(value: Value, given: Iterable[Value]) -> Value:
    """`value`, or a copy of it if it may be one of the arrays that the caller gave, or a view of one."""
    if type(value) is NDARRAY:
        for x in given:
            # Two arrays that are no views share nothing; asking NumPy takes longer than a short product.
            if type(x) is NDARRAY and (
                x is value or ((x.base is not None or value.base is not None) and np.may_share_memory(value, x))
            ):
                return value.copy()
    return value


def value_of(b: BVar[Any]) -> Value:
    """What `b` is to a tape that begins now: its array if it is constant, itself if another tape records it."""
    if b._tape is None:
        return b._value
    b._tape.check_open()
    return b


# What makes the tapes in this context, where they are not plain ones. Looked at once a gradient.
WATCH: ContextVar[Callable[[Inputs], WatchedTape] | None] = ContextVar("WATCH", default=None)


class Run:
    """One execution of a function on a fresh tape, which is closed when the function returns.

    The function gets the input, and then what else it takes: `args` and `kwargs`, which are not differentiated.
    """

    __slots__ = ("args", "function", "inputs", "kwargs", "output", "tape")

    def __init__(
        self,
        function: Function,
        inputs: Inputs,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        tape: Tape | None = None,
    ) -> None:
        if tape is None:
            watch = WATCH.get()
            tape = Tape(len(inputs.leaves)) if watch is None else watch(inputs)
        self.function: Function = function
        self.inputs: Inputs = inputs
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] | None = kwargs
        self.tape: Tape = tape
        self.output: Any = self._call()

    def _call(self) -> Any:
        tape, args = self.tape, self.args
        try:
            x = self.inputs.structure._around(on_tape(tape, self.inputs.leaves))
            if type(tape) is not Tape and isinstance(tape, WatchedTape):
                return tape.watch(partial(self.function, x, *args, **self.kwargs or {}))
            if not self.kwargs:
                # What is frequent needs neither a tuple nor a dict to be made for the call.
                if not args:
                    return self.function(x)
                if len(args) == 2:
                    return self.function(x, args[0], args[1])
            return self.function(x, *args, **self.kwargs or {})
        finally:
            tape.close()

    def node(self, output: Any) -> int | None:
        """The tape's node of an output; None if it does not depend on the inputs."""
        if type(output) is not BVar or output._tape is None:
            return None
        if output._tape is self.tape:
            return output._node
        output._tape.check_open()
        return None

    def result(self, output: Any) -> Any:
        """An output without this tape: a constant, or a BVar of an enclosing gradient."""
        if type(output) is not BVar:
            return constant(lifted(output, "the result"))
        if output._tape is not None and output._tape is not self.tape:
            return output
        value = output._value
        if type(value) is BVar:
            return value
        own = separate(value, [leaf._value for leaf in self.inputs.leaves])
        return output if output._tape is None and own is value else constant(own)

    def pull(self, seeds: Sequence[tuple[int, Value]], *, again: bool = False) -> Any:
        """The gradient by the input for the outputs' cotangents. Uses up the tape unless it is needed `again`."""
        tape, inputs = self.tape, self.inputs
        if type(tape) is not Tape and isinstance(tape, WatchedTape):
            return self._pull_watched(tape, seeds)
        entries = list(tape.entries) if again else tape.entries
        return inputs.gradient(self._swept(True, entries, seeds, len(inputs.leaves)))

    def _pull_watched(self, tape: WatchedTape, seeds: Sequence[tuple[int, Value]]) -> Any:
        for node, seed in seeds:
            tape.seeded(node, seed)
        cotangents = self._swept(True, tape.watched(), seeds, len(self.inputs.leaves))
        tape.swept(cotangents)
        return self.inputs.gradient(cotangents)

    def push(self, tangents: Sequence[Value], wanted: bytearray) -> list[Value]:
        """The tangents of the `wanted` nodes, of `ancestors`, for those of the inputs."""
        tape = self.tape
        if not isinstance(tape, WatchedTape):
            return self._swept(False, tape.entries, tangents, wanted)
        for node, tangent in enumerate(tangents):
            tape.moved(node, tangent)
        return self._swept(False, tape.watched(), tangents, wanted)

    # What is given, and what else, is of one type for the one sweep and of another for the other.
    def _swept(self, back: bool, entries: list[Entry], given: Sequence[Any], rest: Any) -> list[Value]:
        """What the sweep back, or forward, gives. What a rule raises gets a note of the operation and the user's line.

        Watched by the tape, if it is one that watches.
        """
        tape = self.tape
        try:
            if type(tape) is not Tape and isinstance(tape, WatchedTape):
                watched: list[Value] = tape.watch(pull_back if back else push_forward, entries, given, rest)
                return watched
            return pull_back(entries, given, rest) if back else push_forward(entries, given, rest)
        except SweepError as failure:
            error = failure.error
            if not (isinstance(self.tape, WatchedTape) and self.tape.stopped):
                error.add_note(f"{failure}{self._user_line(failure.node)}")
        # Raised out here and forgotten, for an error that is held by its own context or traceback keeps all arrays.
        try:
            raise error
        finally:
            del error

    def _user_line(self, node: int) -> str:
        """Where the failed node was recorded: the function runs once more, for lines are too slow to record always."""
        recorded = self.tape
        if isinstance(recorded, WatchedTape):
            note = recorded.note_of(node)
        else:
            self.tape = again = WatchedTape(len(self.inputs.leaves))
            try:
                self._call()
            except Exception:
                return ""
            finally:
                self.tape = recorded
            note = again.note_of(node)
        return f"\nrecorded at {written_line(note.line)}" if note is not None else ""


def on_tape(tape: Tape, leaves: list[BVar[Any]]) -> list[BVar[Any]]:
    """The leaves as inputs of a tape: nodes 0, 1, 2 and so on."""
    inputs = [*leaves]
    for node, leaf in enumerate(leaves):
        b: BVar[Any] = bare(BVar)
        b._value = leaf._value if leaf._tape is None else value_of(leaf)
        b._tape = tape
        b._node = node
        inputs[node] = b
    return inputs
