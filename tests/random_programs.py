"""Random programs and random records, for Hypothesis: what test_random_programs.py holds to its laws.

A program is a list of steps. Each takes values that earlier steps made, the newest more often than others, so that a
program is deep, and old ones again and again, so that its terms are shared; some operands are plain arrays. One program
runs in three libraries: typedprop, NumPy (for differences) and autograd.

There are two sorts of operations. Those of `CORE` are written once for all three libraries, with operands of every pair
of shapes that may be broadcast. Those of `FROM_TABLE` are all the rows of the table of operations: the operands are
drawn in by a tanh to a small ball about a point of the row's own domain, and the result is blown up as much again.

Values stay of the order of 1, or a product of products would overflow, and steps are not steep, or thirty of them would
leave no digit to compare.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple

import attrs
import numpy as np
from hypothesis import strategies as st
from typing_extensions import TypeVar

import typedprop
from tests.ops.row import Case, Row
from tests.ops.table import TABLE
from tests.untyped import BVar, anp, autograd, tp
from typedprop import L, R
from typedprop.arithmetic import broadcast_shape
from typedprop.errors import ShapeError

Shape = tuple[int, ...]
SCALAR, VECTOR, MATRIX, COLUMN, ROW = (), (3,), (3, 3), (3, 1), (1, 3)
SHAPES: list[Shape] = [SCALAR, VECTOR, MATRIX, COLUMN, ROW, (2, 3), (2, 3, 3)]


# -- The libraries ---------------------------------------------------------------------------------------------------


class Ours:
    """typedprop."""

    where, stack, concatenate, outer, max, min = tp.where, tp.stack, tp.concatenate, tp.outer, tp.max, tp.min
    sum, mean, prod, var, tanh, exp, log, sqrt = tp.sum, tp.mean, tp.prod, tp.var, tp.tanh, tp.exp, tp.log, tp.sqrt
    sin, arctan, abs, maximum, minimum, cumsum = tp.sin, tp.arctan, tp.abs, tp.maximum, tp.minimum, tp.cumsum
    sigmoid, relu, softmax, logsumexp, logaddexp = tp.sigmoid, tp.relu, tp.softmax, tp.logsumexp, tp.logaddexp
    einsum, kron, tensordot, transpose, swapaxes = tp.einsum, tp.kron, tp.tensordot, tp.transpose, tp.swapaxes
    tril, roll, flip, repeat, tile, diag = tp.tril, tp.roll, tp.flip, tp.repeat, tp.tile, tp.diag
    inv, solve, det, cholesky = tp.linalg.inv, tp.linalg.solve, tp.linalg.det, tp.linalg.cholesky

    @staticmethod
    def slope(a: Any) -> Any:
        """A gradient in the program itself, by a variable of its own, of a function that captures `a`."""
        return tp.grad(lambda y: tp.sum(y * y * a))(a)

    @staticmethod
    def again(f: Callable[[Any], Any], a: Any) -> Any:
        """What is computed anew in the backward sweep."""
        return tp.checkpoint(f)(a)


class _Eye:
    """Four times the identity, in the dtype of what it is added to."""

    def __add__(self, a: Any) -> Any:
        return a + 4.0 * np.eye(3, dtype=a.dtype)


EYE4 = _Eye()


class Plain:
    """NumPy."""

    where, outer, max, min, abs, arctan = np.where, np.outer, np.max, np.min, np.abs, np.arctan
    sum, mean, prod, var, tanh, exp, log, sqrt = np.sum, np.mean, np.prod, np.var, np.tanh, np.exp, np.log, np.sqrt
    sin, maximum, minimum, cumsum, logaddexp = np.sin, np.maximum, np.minimum, np.cumsum, np.logaddexp
    einsum, kron, tensordot, transpose, swapaxes = np.einsum, np.kron, np.tensordot, np.transpose, np.swapaxes
    tril, roll, repeat, tile, diag = np.tril, np.roll, np.repeat, np.tile, np.diag
    flip: Any = np.flip
    inv, solve, det, cholesky = np.linalg.inv, np.linalg.solve, np.linalg.det, np.linalg.cholesky
    stack: Any = np.stack
    concatenate = np.concatenate

    @staticmethod
    def sigmoid(x: Any) -> Any:
        return 0.5 * (np.tanh(0.5 * x) + 1.0)

    @staticmethod
    def relu(x: Any) -> Any:
        return np.where(x > 0, x, 0.0)

    @staticmethod
    def softmax(x: Any) -> Any:
        e = np.exp(x - np.max(x, -1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    @staticmethod
    def logsumexp(x: Any, axis: Any = None) -> Any:
        return np.log(np.sum(np.exp(x), axis))

    @staticmethod
    def slope(a: Any) -> Any:
        return 2.0 * a * a

    @staticmethod
    def again(f: Callable[[Any], Any], a: Any) -> Any:
        return f(a)


class Theirs(Plain):
    """autograd, whose functions of NumPy's names come first, and what it lacks in their terms."""

    where, outer, max, min, abs, arctan = anp.where, anp.outer, anp.max, anp.min, anp.abs, anp.arctan
    sum, mean, prod, var, tanh, exp, log = anp.sum, anp.mean, anp.prod, anp.var, anp.tanh, anp.exp, anp.log
    sqrt, sin, maximum, minimum, cumsum = anp.sqrt, anp.sin, anp.maximum, anp.minimum, anp.cumsum
    logaddexp, einsum, kron, tensordot = anp.logaddexp, anp.einsum, anp.kron, anp.tensordot
    transpose, swapaxes, tril, roll, repeat, tile = (
        anp.transpose,
        anp.swapaxes,
        anp.tril,
        anp.roll,
        anp.repeat,
        anp.tile,
    )
    diag, inv, solve, det = anp.diag, anp.linalg.inv, anp.linalg.solve, anp.linalg.det
    cholesky, concatenate = anp.linalg.cholesky, anp.concatenate

    stack: Any = staticmethod(lambda xs: anp.stack(xs) if anp.ndim(xs[0]) else anp.array(xs))

    flip: Any = staticmethod(lambda x: x[(slice(None, None, -1),) * anp.ndim(x)])

    @staticmethod
    def sigmoid(x: Any) -> Any:
        return 0.5 * (anp.tanh(0.5 * x) + 1.0)

    @staticmethod
    def relu(x: Any) -> Any:
        return anp.where(x > 0, x, 0.0)

    @staticmethod
    def softmax(x: Any) -> Any:
        e = anp.exp(x)
        return e / anp.sum(e, -1, keepdims=True)

    @staticmethod
    def logsumexp(x: Any, axis: Any = None) -> Any:
        return anp.log(anp.sum(anp.exp(x), axis))

    @staticmethod
    def slope(a: Any) -> Any:
        return autograd.grad(lambda y: anp.sum(y * y * a))(a)


# Classes and not instances, on which functions would be methods.
OURS, PLAIN, THEIRS = Ours, Plain, Theirs


# -- The operations --------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Operation:
    """`call(library, *operands)`, the shapes that it takes, and what is to be known of it.

    `smooth`: differences can be taken of it. `floats`: it makes an array of scalars, which is always float64.
    """

    family: str
    name: str
    takes: tuple[Shape, ...]
    call: Callable[..., Any]
    smooth: bool = True
    floats: bool = False


def core(
    family: str, name: str, takes: Sequence[Shape], call: Callable[..., Any], *, grows: bool = False, **more: Any
) -> Operation:
    """An operation of all libraries; what `grows` is put through a tanh."""
    bounded = (lambda lib, *xs: lib.tanh(call(lib, *xs))) if grows else call
    return Operation(family, name, tuple(takes), bounded, **more)


BINARY: list[tuple[str, Callable[..., Any], bool]] = [
    ("+", lambda lib, a, b: a + b, True),
    ("-", lambda lib, a, b: a - b, True),
    ("*", lambda lib, a, b: a * b, True),
    ("/", lambda lib, a, b: a / (b * b + 1.0), True),
    ("reflected /", lambda lib, a, b: b / (2.0 + lib.sin(a)), True),
    # autograd's second derivative is wrong where an exponent is 0: of x**k by x and k at (2, 0) it says 2 and not 1/2.
    ("**", lambda lib, a, b: (a * a + 0.5) ** (1.5 + lib.tanh(b)), True),
    ("maximum", lambda lib, a, b: lib.maximum(a, b), False),
    ("minimum", lambda lib, a, b: lib.minimum(a, b), False),
    ("logaddexp", lambda lib, a, b: lib.logaddexp(a, b) - 0.7, True),
]

UNARY: list[tuple[str, Callable[..., Any], bool]] = [
    ("negative", lambda lib, a: -a, True),
    ("tanh", lambda lib, a: lib.tanh(a), True),
    ("exp", lambda lib, a: lib.exp(lib.tanh(a)) - 1.0, True),
    ("log", lambda lib, a: lib.log(1.5 + lib.tanh(a)), True),
    ("sqrt", lambda lib, a: lib.sqrt(1.0 + a * a), True),
    ("sin", lambda lib, a: lib.sin(a), True),
    ("arctan", lambda lib, a: lib.arctan(a), True),
    ("sigmoid", lambda lib, a: lib.sigmoid(a), True),
    ("relu", lambda lib, a: lib.relu(a), False),
    ("abs", lambda lib, a: lib.abs(a), False),
    ("cube", lambda lib, a: lib.tanh(a) ** 3, True),
    ("reciprocal", lambda lib, a: 1.0 / (2.0 + lib.tanh(a)), True),
    ("a gradient", lambda lib, a: lib.tanh(lib.slope(a)), True),
    ("checkpoint", lambda lib, a: lib.again(lambda x: lib.sin(x) * x, lib.tanh(a)), True),
    ("plus 0", lambda lib, a: a + 0.0, True),
]

GATHER = np.array([2, 0, 2])
N = 3


def _pairs() -> list[tuple[Shape, Shape]]:
    """Every pair of shapes that go together."""
    pairs = []
    for x in SHAPES:
        for y in SHAPES:
            try:
                broadcast_shape("", x, y)
            except ShapeError:
                continue
            pairs.append((x, y))
    return pairs


def _mask(shape: Shape) -> Any:
    return np.random.default_rng(5).random(shape) < 0.5


V, M, S, T, H = VECTOR, MATRIX, SCALAR, (2, 3, 3), (2, 3)
CORE: list[Operation] = [
    *(
        core("arithmetic", f"{name} {pair}", pair, call, grows=True, smooth=smooth)
        for name, call, smooth in BINARY
        for pair in _pairs()
    ),
    *(
        core("arithmetic", f"where {shape}", [shape, shape], lambda lib, a, b, m=mask: lib.where(m, a, b))
        for shape, mask in ((shape, _mask(shape)) for shape in SHAPES[1:])
    ),
    *(
        core("elementwise", f"{name} {shape}", [shape], call, smooth=smooth)
        for name, call, smooth in UNARY
        for shape in SHAPES
    ),
    core("reduction", "sum", [V], lambda lib, a: lib.sum(a), grows=True),
    core("reduction", "sum of rows", [M], lambda lib, a: lib.sum(a, 0), grows=True),
    core("reduction", "sum keepdims", [M], lambda lib, a: lib.sum(a, axis=1, keepdims=True), grows=True),
    core("reduction", "mean", [H], lambda lib, a: lib.mean(a, 0)),
    core("reduction", "mean of all", [T], lambda lib, a: lib.mean(a)),
    core("reduction", "max", [V], lambda lib, a: lib.max(a), smooth=False),
    core("reduction", "max of rows", [M], lambda lib, a: lib.max(a, 1), smooth=False),
    core("reduction", "min", [T], lambda lib, a: lib.min(a, 0), smooth=False),
    core("reduction", "var", [V], lambda lib, a: lib.var(a), grows=True),
    core("reduction", "logsumexp", [M], lambda lib, a: lib.logsumexp(a, 1) - 1.1),
    core("reduction", "cumsum", [V], lambda lib, a: lib.cumsum(a), grows=True),
    core("reduction", "softmax", [V], lambda lib, a: lib.softmax(a)),
    core("reduction", "softmax of rows", [M], lambda lib, a: lib.softmax(a)),
    core("structural", "reverse", [V], lambda lib, a: a[::-1]),
    core("structural", "gather", [V], lambda lib, a: a[GATHER]),
    core("structural", "element", [V], lambda lib, a: a[1]),
    core("structural", "row", [M], lambda lib, a: a[1]),
    core("structural", "matrix", [T], lambda lib, a: a[1]),
    core("structural", "column", [M], lambda lib, a: a[:, 2]),
    core("structural", "T", [M], lambda lib, a: a.T),
    core("structural", "there and back", [V], lambda lib, a: a.reshape((N, 1)).T.reshape((N,))),
    core("structural", "as a column", [V], lambda lib, a: a.reshape((N, 1))),
    core("structural", "concatenate", [V, V], lambda lib, a, b: lib.concatenate([a[:1], b[1:]])),
    core("structural", "stack", [V, V], lambda lib, a, b: lib.stack([a, b])),
    core("structural", "stack of shared", [M, M], lambda lib, a, b: lib.stack([a[0], b[1], a[0]])),
    core("structural", "scalars", [S, S, S], lambda lib, a, b, c: lib.stack([a, c, a]) * b, grows=True, floats=True),
    core("structural", "swapaxes", [T], lambda lib, a: lib.swapaxes(a, 1, 2)),
    core("structural", "transpose", [M], lambda lib, a: lib.transpose(a)),
    core("structural", "tril", [M], lambda lib, a: lib.tril(a)),
    core("structural", "diag", [V], lambda lib, a: lib.diag(a)),
    core("structural", "roll", [V], lambda lib, a: lib.roll(a, 1)),
    core("structural", "flip", [M], lambda lib, a: lib.flip(a)),
    core("structural", "repeat", [ROW], lambda lib, a: lib.repeat(a, 3, axis=0)),
    core("structural", "tile", [V], lambda lib, a: lib.tile(a, (2, 1))),
    core("product", "inner", [V, V], lambda lib, a, b: a @ b, grows=True),
    core("product", "matrix vector", [M, V], lambda lib, a, b: a @ b, grows=True),
    core("product", "vector matrix", [V, M], lambda lib, a, b: a @ b, grows=True),
    core("product", "matrices", [M, M], lambda lib, a, b: a @ b, grows=True),
    core("product", "wide", [H, M], lambda lib, a, b: a @ b, grows=True),
    core("product", "same", [M], lambda lib, a: a @ a.T, grows=True),
    core("product", "stacks", [T, T], lambda lib, a, b: a @ b, grows=True),
    core("product", "outer", [V, V], lambda lib, a, b: lib.outer(a, b), grows=True),
    core("product", "einsum", [M, M], lambda lib, a, b: lib.einsum("ij,kj->ik", a, b), grows=True),
    core("product", "bilinear", [V, M, V], lambda lib, a, m, b: lib.einsum("i,ij,j->", a, m, b), grows=True),
    core("product", "tensordot", [M, T], lambda lib, a, b: lib.tensordot(a, b, ((0,), (2,))), grows=True),
    core("product", "kron", [ROW, COLUMN], lambda lib, a, b: lib.kron(a, b), grows=True),
    core("linalg", "inv", [M], lambda lib, a: lib.inv(EYE4 + lib.tanh(a))),
    core("linalg", "solve", [M, V], lambda lib, a, b: lib.solve(EYE4 + lib.tanh(a), b)),
    core("linalg", "det", [M], lambda lib, a: lib.det(EYE4 + lib.tanh(a)) * 0.01),
    core("linalg", "cholesky", [M], lambda lib, a: lib.cholesky(EYE4 + (lib.tanh(a) + lib.tanh(a).T) * 0.5)),
]


# How far operands may move from the point of a row's domain: less than half of its gaps about kinks and poles.
RADIUS = 0.04


def _from_row(row: Row, case: Case) -> Operation | None:
    """An operation of the table near the point that it is checked at; None if it has no part in programs."""
    points = row.operands(case)
    if not row.orders or any(np.size(x) == 0 for x in points) or sum(map(np.size, points)) > 20:
        return None
    static = case.static
    start = row.value(*points, **static)
    part = next((k for k, y in enumerate(start) if np.size(y)), None) if type(start) in (tuple, list) else None
    y0 = np.asarray(start if part is None else start[part], dtype=np.float64)
    if not 0 < y0.size <= 20:
        return None
    # Of two results of a decomposition whose sign is free, say, the library's own point is the one to move from.
    singles = [BVar(x if isinstance(x, float) else x.astype(np.float32)) for x in points]
    made = row.call(*singles, **static)
    single = made if part is None else made[part]
    floats = bool(single.shape) and single.dtype != np.float32

    def call(lib: Any, *operands: Any) -> Any:
        single = any(getattr(x, "shape", ()) and x.dtype == np.float32 for x in operands)
        kind = np.float32 if single else np.float64
        near = [
            p + RADIUS * lib.tanh(x) if isinstance(p, float) else p.astype(kind) + RADIUS * lib.tanh(x)
            for p, x in zip(points, operands, strict=True)
        ]
        y = (row.call if lib is OURS else row.value)(*near, **static)
        if part is not None:
            y = y[part]
        return lib.tanh((y - (float(y0) if not y0.shape else y0.astype(kind))) * (0.5 / RADIUS))

    family = "table"
    shapes = tuple(np.shape(x) for x in points)
    return Operation(family, f"{row.name} {case.label}", shapes, call, floats=floats)


@cache
def from_table() -> dict[str, list[Operation]]:
    """The table's operations by their names."""
    found: dict[str, list[Operation]] = {}
    for row in TABLE:
        for case in row.cases:
            operation = _from_row(row, case)
            if operation is not None:
                found.setdefault(row.name, []).append(operation)
    return found


# -- Programs --------------------------------------------------------------------------------------------------------


def fitted(x: Any, shape: Shape, dtype: Any) -> Any:
    """The elements of `x`, in the same order, repeated or cut off as another shape needs it."""
    have = getattr(x, "shape", ())
    if have == shape:
        return x
    if not have:
        return x + np.zeros(shape, dtype)
    size = int(np.prod(shape))
    return x.reshape((-1,))[0] if not shape else x.reshape((-1,))[np.arange(size) % np.prod(have)].reshape(shape)


@attrs.frozen
class Step:
    """An operation and its operands: the number of an earlier value, or a plain constant where it is None."""

    operation: Operation
    operands: tuple[int | None, ...]
    seed: int

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"<{self.operation.family}: {self.operation.name} of {self.operands}, seed {self.seed}>")


@attrs.frozen
class Program:
    """A function of the leaves of a tree, in any of the libraries."""

    steps: tuple[Step, ...]
    dtype: Any

    def values(self, lib: Any, leaves: Sequence[Any]) -> list[Any]:
        """Everything that it computes, the leaves first."""
        made = [leaf for leaf in leaves if isinstance(leaf, float) or leaf.size]
        for step in self.steps:
            operands = []
            for k, (number, shape) in enumerate(zip(step.operands, step.operation.takes, strict=True)):
                if number is None:
                    operands.append(constant(step.seed + k, shape, self.dtype))
                else:
                    operands.append(fitted(made[number], shape, self.dtype))
            made.append(step.operation.call(lib, *operands))
        return made

    def loss(self, lib: Any, leaves: Sequence[Any]) -> Any:
        """A scalar of the last value, and a little of all others, so that most is used and some in many places."""
        made = self.values(lib, leaves)
        total = lib.sum(made[-1])
        for k, x in enumerate(made[:-1]):
            if k % 3 == 0:
                total = total + lib.sum(x) * 0.1
        return total

    def several(self, lib: Any, leaves: Sequence[Any]) -> dict[str, Any]:
        """A tree of several values, two of them the same one, one an input as it is."""
        made = self.values(lib, leaves)
        return {"last": made[-1], "first": (made[0], made[len(made) // 2]), "again": made[-1]}


def constant(seed: int, shape: Shape, dtype: Any) -> Any:
    """The same plain operand at each run."""
    rng = np.random.default_rng([seed, *shape])
    return float(rng.normal()) if not shape else rng.normal(size=shape).astype(dtype)


FAMILIES: dict[str, list[Operation]] = {}
for _operation in CORE:
    FAMILIES.setdefault(_operation.family, []).append(_operation)


@cache
def _picks(count: int) -> st.SearchStrategy[int]:
    return st.integers(-1, 2 * count - 1)


@cache
def _operations(table: bool) -> st.SearchStrategy[Operation]:
    """Families alike, then operations alike, then cases alike; a third of all from the table."""
    families: list[Sequence[Sequence[Operation]]] = [[[x] for x in found] for found in FAMILIES.values()]
    if table:
        families += [list(from_table().values())] * 3
    # One number for all three choices, which is drawn faster.
    return st.integers(0, 2**32 - 1).map(lambda k: _chosen(families, k))


def _chosen(families: Sequence[Sequence[Sequence[Operation]]], number: int) -> Operation:
    number, k = divmod(number, len(families))
    number, i = divmod(number, len(families[k]))
    return families[k][i][number % len(families[k][i])]


@st.composite
def programs(
    draw: st.DrawFn, shapes: Sequence[Shape], dtype: Any, *, smooth: bool = False, table: bool = True, most: int = 30
) -> Program:
    """Programs of up to `most` steps on leaves of these shapes."""
    count = len([shape for shape in shapes if 0 not in shape])
    steps: list[Step] = []
    length = draw(st.integers(1, most))
    for _ in range(length):
        operation = draw(_operations(table))
        if (smooth and not operation.smooth) or (operation.floats and dtype is np.float32):
            continue
        operands: list[int | None] = []
        for _ in operation.takes:
            # Half of the time the newest; now and then a constant, but never all of them.
            pick = draw(_picks(count))
            operands.append(None if pick < 0 else pick if pick < count else count - 1)
        if all(operand is None for operand in operands):
            operands[0] = count - 1
        steps.append(Step(operation, tuple(operands), draw(FEW) if None in operands else 0))
        count += 1
    return Program(tuple(steps), dtype)


# -- Records ---------------------------------------------------------------------------------------------------------

P = TypeVar("P")
Q = TypeVar("Q")
A = TypeVar("A", bound=int)
B = TypeVar("B", bound=int)


@attrs.frozen
class Layer(typedprop.Record, Generic[A, B]):
    weight: typedprop.BVar[L[A, B]]
    bias: typedprop.BVar[R[A]]


@attrs.frozen
class Pair(typedprop.Record, Generic[P, Q]):
    first: P
    second: Q


@attrs.frozen(kw_only=True)
class Options(typedprop.Record):
    name: str
    table: dict[str, Any]
    scale: typedprop.BVar[float]
    skip: typedprop.BVar[R[Any, Any]] | None = None
    activation: Any = np.tanh
    sizes: tuple[int, ...] = (3, 3)


@attrs.define(slots=False)
class Mutable:
    _hidden: Any = attrs.field(alias="hidden")
    count: int = 7


@dataclasses.dataclass
class Data(Generic[P]):
    inside: P
    label: str = "label"


class Named(NamedTuple):
    left: Any
    right: Any
    number: int = 5


def leaves_of(x: Any) -> list[Any]:
    """The BVars in a tree, in order, found without the library."""
    if isinstance(x, BVar):
        return [x]
    if attrs.has(type(x)):
        parts: list[Any] = [getattr(x, field.name) for field in attrs.fields(type(x))]
    elif dataclasses.is_dataclass(x):
        parts = [getattr(x, field.name) for field in dataclasses.fields(x)]
    elif isinstance(x, tuple | list):
        parts = list(x)
    elif isinstance(x, dict):
        parts = list(x.values())
    else:
        return []
    return [leaf for part in parts for leaf in leaves_of(part)]


def skeleton(x: Any) -> Any:
    """All of a tree but its values: classes, names, order, static values by identity, shapes and dtypes of leaves."""
    if isinstance(x, BVar):
        return (x.shape, str(x.dtype), type(x.value))
    if attrs.has(type(x)):
        return (type(x), [(field.name, skeleton(getattr(x, field.name))) for field in attrs.fields(type(x))])
    if dataclasses.is_dataclass(x):
        return (type(x), [(field.name, skeleton(getattr(x, field.name))) for field in dataclasses.fields(x)])
    if isinstance(x, tuple | list):
        return (type(x), [skeleton(part) for part in x])
    if isinstance(x, dict):
        return (type(x), [(key, skeleton(part)) for key, part in x.items()])
    return (type(x), id(x) if callable(x) else x)


@attrs.frozen
class Maker:
    """Draws leaves: numbers of a normal distribution, or few different ones, for ties and zeros."""

    seed: int
    dtype: Any
    ties: bool

    def leaf(self, number: int, shape: Shape) -> Any:
        rng = np.random.default_rng([self.seed, number])
        values = rng.choice([-1.0, 0.0, 0.5, 1.0], shape) if self.ties else rng.normal(size=shape)
        return BVar(float(values) if not shape else np.asarray(values).astype(self.dtype))


# Drawn one by one: a strategy that is made of others anew for each record takes longer than all the rest.
KINDS = st.sampled_from(
    ["leaf", "leaf", "leaf", "layer", "pair", "shared", "options", "mutable", "data", "named", "list", "tuple", "dict"]
)
NUMBERS = st.integers(0, 20)
SHAPE = st.sampled_from(SHAPES)
FLAG = st.booleans()
FEW = st.integers(0, 2)
SEED = st.integers(0, 100)


@st.composite
def trees(draw: st.DrawFn, dtype: Any = np.float64, *, ties: bool | None = None) -> Any:
    """Records and other trees of up to a dozen leaves, one of them at least; among them some that hold no element."""
    maker = Maker(draw(SEED), dtype, draw(FLAG) if ties is None else ties)

    def leaf(shape: Shape) -> Any:
        return maker.leaf(draw(NUMBERS), shape)

    def grow(depth: int) -> Any:
        kind = draw(KINDS) if depth < 3 else "leaf"
        if kind == "layer" and dtype is np.float64:
            return Layer(leaf(MATRIX), leaf(VECTOR))
        if kind == "pair":
            return Pair(grow(depth + 1), grow(depth + 1))
        if kind == "shared":
            shared = grow(depth + 1)
            return Pair(shared, shared)
        if kind == "options":
            table = {key: grow(depth + 1) for key in ("x", "self")[: draw(FEW)]}
            skip = leaf(VECTOR) if draw(FLAG) else None
            return Options(name="name", table=table, scale=leaf(SCALAR), skip=skip)
        if kind == "mutable":
            return Mutable(hidden=grow(depth + 1), count=draw(FEW))
        if kind == "data":
            return Data(grow(depth + 1))
        if kind == "named":
            return Named(grow(depth + 1), None if draw(FLAG) else np.add)
        if kind == "list":
            return [grow(depth + 1) for _ in range(1 + draw(FEW))]
        if kind == "tuple":
            return (grow(depth + 1), None, grow(depth + 1))
        if kind == "dict":
            return {key: grow(depth + 1) for key in (3, 1)}
        return BVar(np.zeros((0, 3), dtype)) if depth and draw(NUMBERS) == 20 else leaf(draw(SHAPE))

    return grow(0)


def random_like(tree: Any, seed: int) -> Any:
    """A tree of the same form with random numbers at its leaves."""
    rng = np.random.default_rng(seed)
    return tp.tree.map(
        lambda b: BVar(rng.normal(size=b.shape).astype(b.dtype) if b.shape else float(rng.normal())), tree
    )


def inner(x: Any, y: Any) -> tuple[float, float]:
    """The inner product of two trees in float64, and the sum of the magnitudes that it adds."""
    terms = [
        np.ravel(a.value * np.asarray(b.value, np.float64)) for a, b in zip(leaves_of(x), leaves_of(y), strict=True)
    ]
    joined = np.concatenate(terms)
    return float(joined.sum()), float(np.abs(joined).sum())
