"""`trace`: the tape of a function as data: each operation with its shape, bytes, times, and the line of yours.

    print(tp.trace(loss, net, x, target))            # the operations in order
    print(tp.trace(loss, net, x, target).profile())  # what each line takes

The function runs once and its backward sweep once, on a tape that takes notes.
"""

from __future__ import annotations

import gc
import linecache
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any, Concatenate

import attrs
import numpy as np
from typing_extensions import ParamSpec, TypeVar

from typedprop import tree
from typedprop.arithmetic import one_like
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError
from typedprop.extras import extra
from typedprop.parameters import shape_text
from typedprop.table import Table, bytes_text, time_text
from typedprop.tape import Entry, Tape, Value
from typedprop.transform.run import Inputs, Run
from typedprop.transform.watched import WatchedTape, number_of_bytes, parents_of, rule_names

P = TypeVar("P")
A = ParamSpec("A")


@attrs.frozen
class SourceLine:
    """A line of the traced program; `str` of it is `model.py:12`."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What is written there; empty where the source is not at hand."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.number}"


@attrs.frozen
class Input:
    """A leaf of what is differentiated. `path` is where it is in the record: `.weight1`."""

    node: int
    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bytes: int


@attrs.frozen
class Operation:
    """An operation on the tape.

    `name` is the function or operator that was called, in the sweep of an inner gradient that of the rule; `rule` is
    what the tape calls the derivative. `operands` are the nodes of inputs and operations; constants and plain arrays
    are none. `shape`, `dtype` and `bytes` are the result's; each of several results is an operation of its own, whose
    rule is `part`, and which they all come from has 0 bytes. `kept` counts the bytes of the arrays that the tape keeps
    for the backward sweep, each where it is kept first: those of the inputs not at all, a constant that was lifted
    outside of the function like any other.

    `forward` is the time in seconds since the operation before, so it holds Python between them and work on plain
    values; `backward` is the time of its step in the backward sweep, 0 where no cotangent `reached` it.
    """

    node: int
    name: str
    rule: str
    operands: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bytes: int
    kept: int
    forward: float
    backward: float
    reached: bool
    line: SourceLine


@attrs.frozen
class LineProfile:
    """What the operations of one line take together: how many they are, bytes, and times in seconds."""

    line: SourceLine
    operations: int
    bytes: int
    kept: int
    forward: float
    backward: float


@attrs.frozen
class Trace:
    """The tape of one run: `inputs`, `operations` in order, and `outputs`, the nodes of the results.

    `print` shows it as a table, `show` by rich where that is installed; a notebook shows it in HTML.
    """

    inputs: tuple[Input, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """The bytes of all results."""
        return sum(op.bytes for op in self.operations)

    @property
    def kept(self) -> int:
        """The bytes of the arrays that the tape holds, beside its inputs, when the function has returned.

        Not counted are the entries themselves, some 150 bytes an operation, and what comes and goes: results that no
        rule keeps, and cotangents.
        """
        return sum(op.kept for op in self.operations)

    @property
    def forward(self) -> float:
        """The time of the forward run in seconds, up to the last operation."""
        return sum(op.forward for op in self.operations)

    @property
    def backward(self) -> float:
        """The time of the backward sweep in seconds."""
        return sum(op.backward for op in self.operations)

    def by_line(self) -> tuple[LineProfile, ...]:
        """The operations summed up by source line, the slowest line first."""
        # A lambda and the function that it stands in may share a line.
        found: dict[tuple[str, int], list[Operation]] = {}
        for op in self.operations:
            found.setdefault((op.line.file, op.line.number), []).append(op)
        lines = [
            LineProfile(
                ops[0].line,
                len(ops),
                sum(op.bytes for op in ops),
                sum(op.kept for op in ops),
                sum(op.forward for op in ops),
                sum(op.backward for op in ops),
            )
            for ops in found.values()
        ]
        return tuple(sorted(lines, key=lambda line: line.forward + line.backward, reverse=True))

    def table(self, most: int = 50) -> Table:
        """The operations in order; of more than `most`, the slowest ones."""
        operations: Sequence[Operation] = self.operations
        left_out = len(operations) - most
        if left_out > 0:
            slowest = sorted(operations, key=lambda op: op.forward + op.backward, reverse=True)[:most]
            operations = sorted(slowest, key=lambda op: op.node)
        several = {op.operands[0] for op in self.operations if op.rule == "part"}
        rows = [
            (
                str(op.node),
                op.name,
                "several" if op.node in several else shape_text(op.shape, op.dtype),
                bytes_text(op.bytes),
                bytes_text(op.kept),
                time_text(op.forward),
                time_text(op.backward) if op.reached else "-",
                str(op.line),
                ", ".join(map(self._name, op.operands)),
            )
            for op in operations
        ]
        return Table(
            self._title() + (f", the {most:,} slowest" if left_out > 0 else ""),
            ("", "operation", "result", "bytes", "kept", "forward", "backward", "line", "operands"),
            rows,
            right=("", "bytes", "kept", "forward", "backward"),
            last=("", "", "", *self._sums(), "", ""),
        )

    def profile(self, most: int = 50) -> Table:
        """Memory and time by source line, the slowest line first, `most` of them."""
        lines = self.by_line()
        return Table(
            self._title() + (f", the {most:,} slowest lines of {len(lines):,}" if len(lines) > most else ""),
            ("line", "operations", "bytes", "kept", "forward", "backward", "source"),
            [
                (
                    str(line.line),
                    f"{line.operations:,}",
                    bytes_text(line.bytes),
                    bytes_text(line.kept),
                    time_text(line.forward),
                    time_text(line.backward),
                    line.line.text,
                )
                for line in lines[:most]
            ],
            right=("operations", "bytes", "kept", "forward", "backward"),
            last=("", "", *self._sums(), ""),
        )

    def show(self) -> None:
        """Print the table of operations: by rich where it is installed, as plain text otherwise."""
        self.table().show()

    def to_dot(self) -> str:
        """The tape as a graph in Graphviz' language DOT.

        Inputs are boxes, results have a double border, and what no cotangent reached is dashed.
        """
        lines = ["digraph trace {", '  node [fontname="Helvetica", fontsize=10];', "  edge [arrowsize=0.6];"]
        for leaf in self.inputs:
            label = _label(self._name(leaf.node), shape_text(leaf.shape, leaf.dtype))
            lines.append(f"  n{leaf.node} [shape=box, label={label}{self._border(leaf.node)}];")
        for op in self.operations:
            times = f"{time_text(op.forward)} + {time_text(op.backward)}"
            label = _label(op.name, shape_text(op.shape, op.dtype), times, str(op.line))
            dashed = "" if op.reached else ", style=dashed"
            lines.append(f"  n{op.node} [label={label}{dashed}{self._border(op.node)}];")
        lines += [f"  n{parent} -> n{op.node};" for op in self.operations for parent in op.operands]
        return "\n".join([*lines, "}", ""])

    def to_svg(self, path: str | os.PathLike[str] | None = None, *, most: int = 2000) -> str:
        """The graph as SVG text, which is also written to `path` if that is given.

        It takes the package graphviz and Graphviz' program `dot`. Raises ImportError without the one, RuntimeError
        without the other, and ValueError for more than `most` nodes, whose layout takes minutes.
        """
        nodes = len(self.inputs) + len(self.operations)
        if nodes > most:
            raise ValueError(
                f"to_svg: {nodes:,} nodes are more than most={most:,}, and their layout may take minutes; trace a "
                "smaller case, or pass a larger most"
            )
        graphviz = extra("graphviz", name="graphviz", needed_by="to_svg")
        try:
            svg: str = graphviz.Source(self.to_dot()).pipe(format="svg", encoding="utf-8")
        except graphviz.ExecutableNotFound:
            raise RuntimeError(
                "to_svg: Graphviz' program dot is not on the PATH; install it (apt install graphviz, brew install "
                "graphviz), or draw the text of to_dot() elsewhere"
            ) from None
        if path is not None:  # pragma: no cover  # only where Graphviz' program is installed
            Path(path).write_text(svg, encoding="utf-8")
        return svg  # pragma: no cover  # as above

    def _title(self) -> str:
        return f"{_many(len(self.inputs), 'input')}, {_many(len(self.operations), 'operation')}"

    def _sums(self) -> tuple[str, str, str, str]:
        return bytes_text(self.bytes), bytes_text(self.kept), time_text(self.forward), time_text(self.backward)

    def _name(self, node: int) -> str:
        return (self.inputs[node].path or "input") if node < len(self.inputs) else str(node)

    def _border(self, node: int) -> str:
        return ", peripheries=2" if node in self.outputs else ""

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<trace of {self._title()}>"

    def __rich__(self) -> object:
        return self.table().rich()

    def _repr_html_(self) -> str:
        return self.table().html()


def trace(f: Callable[Concatenate[P, A], object], at: P, /, *args: A.args, **kwargs: A.kwargs) -> Trace:
    """What `f(at, *args)` records: operations with shapes, dtypes, bytes, times, and source lines.

    `f` is any function of a tree of BVars to one; each of its results gets the cotangent 1 in the backward sweep. It
    runs once, so times are those of a first run: trace again for those of a second. They hold what taking notes costs,
    about a microsecond an operation forward and two or three backward, for they are to show what is slow, and no
    benchmark.

    Operations on constants and plain arrays are not recorded, hence not here; their time is counted to the next one
    that is. A `checkpoint` and an inner gradient's own sweep are what the outer tape sees of them.

    Raises `NotDifferentiableError` if `at` holds no BVar or the result none. An error in `f`, or in a rule of its
    operations, passes through.
    """
    inputs = Inputs(at, "trace")
    tape = _TimedTape(len(inputs.leaves))
    run = Run(f, inputs, args, kwargs, tape)
    outputs = tree.leaves(run.output)
    if not outputs:
        raise NotDifferentiableError(
            f"trace: the function returned a {type(run.output).__name__} without a BVar in it; "
            "wanted a BVar or a record, tuple, list or dict of them"
        )
    seeds = [(node, one_like(leaf)) for leaf in outputs if (node := run.node(leaf)) is not None]
    run.pull(seeds)
    paths = inputs.structure.paths()
    leaves = tuple(
        Input(node, path, leaf.shape, leaf.dtype, number_of_bytes(leaf))
        for node, (leaf, path) in enumerate(zip(inputs.leaves, paths, strict=True))
    )
    kept = _kept(tape.entries, [leaf._value for leaf in inputs.leaves])
    operations = [_operation(tape, node, kept[node]) for node in range(tape.inputs, len(tape.entries))]
    return Trace(leaves, tuple(operations), tuple(node for node, _ in seeds))


class _TimedTape(WatchedTape):
    """A tape that notes times."""

    __slots__ = ("_pulling", "_since", "backward", "forward", "sizes")

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs)
        self.forward: dict[int, float] = {}
        self.backward: dict[int, float] = {}
        self.sizes: dict[int, int] = {}
        self._pulling: int | None = None
        self._since = perf_counter()

    def note(self, value: Value, entry: Entry) -> None:
        self.forward[len(self.entries)] = perf_counter() - self._since
        super().note(value, entry)
        # One of several results is a view of them all, for all that is known; it counts here, and they nothing there.
        self.sizes[len(self.entries)] = 0 if value is None else number_of_bytes(value)
        self._since = perf_counter()

    def pulled(self, position: int, entry: Entry, cotangent: Value) -> Sequence[Value]:
        # A step lasts until the next begins, so that adding up its contributions is counted to it.
        self._end_step()
        self._pulling = position
        self._since = perf_counter()
        return super().pulled(position, entry, cotangent)

    def swept(self, cotangents: Sequence[Value]) -> None:
        self._end_step()

    def _end_step(self) -> None:
        if self._pulling is not None:
            self.backward[self._pulling] = perf_counter() - self._since


def _operation(tape: _TimedTape, node: int, kept: int) -> Operation:
    entry = tape.entries[node]
    note = tape.note_of(node)
    # What is recorded is noted, or was stretched for an operation that is.
    assert note is not None
    return Operation(
        node=node,
        name=note.name,
        rule=rule_names(entry),
        operands=parents_of(entry),
        shape=note.shape,
        dtype=note.dtype,
        bytes=tape.sizes.get(node, 0),
        kept=kept,
        forward=tape.forward.get(node, 0.0),
        backward=tape.backward.get(node, 0.0),
        reached=node in tape.backward,
        line=SourceLine(*note.line),
    )


def _kept(entries: Iterable[Entry], inputs: Iterable[Value]) -> list[int]:
    """The bytes of the arrays that each entry is the first to hold."""
    seen: set[int] = set()
    for value in inputs:
        _count(value, seen)
    return [_count(entry, seen) for entry in entries]


def _count(x: object, seen: set[int]) -> int:
    """The bytes of the arrays within reach of `x` that were not seen before, of views those of the whole."""
    count = 0
    pending = [x]
    while pending:
        x = pending.pop()
        if isinstance(x, np.ndarray):
            while isinstance(x.base, np.ndarray):
                x = x.base
        if isinstance(x, (float, int, str, type(None), Tape, type)) or id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, np.ndarray):
            count += x.nbytes
        elif isinstance(x, (tuple, list)):
            pending += x
        elif isinstance(x, dict):
            pending += x.values()
        elif isinstance(x, BVar):
            pending.append(x._value)
        elif isinstance(x, FunctionType):
            # The rules of some operations are functions that enclose what they remember.
            for cell in x.__closure__ or ():
                with suppress(ValueError):  # a cell that is not filled yet
                    pending.append(cell.cell_contents)
            pending += x.__defaults__ or ()
        elif isinstance(x, MethodType):
            pending.append(x.__self__)
        elif type(x).__module__.split(".")[0] == "typedprop":
            # What it holds, whether its class is Python's or compiled.
            pending += gc.get_referents(x)
    return count


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _label(*lines: str) -> str:
    """A label in DOT, where quotes and backslashes are escaped and a line ends in \\n."""
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
