"""Putting arrays together and taking them apart: concatenate, stack, split, rows and columns, head and tail.

Sums of sizes are beyond the type system, so a joined axis is `Any`; all other sizes are exact. Everything is linear
and keeps the dtype; plain integers and masks keep theirs too.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, dtype_of, scatter_joint, shape_of, take
from typedprop.bvar import BVar, mixed, record
from typedprop.errors import ShapeError
from typedprop.index_sum import is_plain, scatter, scatter_all
from typedprop.op import checked_plain, opened, record_joint, record_parts
from typedprop.ops.plain import operand, plain_array
from typedprop.shapes import Dim, L, R, Tensor3
from typedprop.tape import PART, Joint, Parts, Rule, Value

A = TypeVar("A", bound=int)
B = TypeVar("B", bound=int)
K = TypeVar("K", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
DK = TypeVar("DK", bound=Dim)
D = TypeVar("D", bound=np.generic)
# Tuples of two are spelled out: as sequences their items would be joined to a type without sizes.
Vectors: TypeAlias = Sequence[BVar[R[Any, D]]] | tuple[BVar[R[Any, D]], BVar[R[Any, D]]]
PlainVectors: TypeAlias = Sequence[R[Any, D]] | tuple[R[Any, D], R[Any, D]]
MixedVectors: TypeAlias = (
    Sequence[BVar[R[Any, D]] | R[Any, D]] | tuple[BVar[R[Any, D]] | R[Any, D], BVar[R[Any, D]] | R[Any, D]]
)
Matrices: TypeAlias = Sequence[BVar[L[M, N, D]]] | tuple[BVar[L[M, N, D]], BVar[L[M, N, D]]]
PlainMatrices: TypeAlias = Sequence[L[M, N, D]] | tuple[L[M, N, D], L[M, N, D]]
MixedMatrices: TypeAlias = (
    Sequence[BVar[L[M, N, D]] | L[M, N, D]] | tuple[BVar[L[M, N, D]] | L[M, N, D], BVar[L[M, N, D]] | L[M, N, D]]
)


# An operand that fills a part of the result; residual: (the part's index, the result's shape, its dtype).
_FILL = Rule("concatenate", lambda g, r: take(g, r[0]), lambda t, r: scatter(t, r[0], r[1], r[2]))
# Up to so many operands their rules are quicker than one for all; forward, each makes an array of the result's size.
_FEW = 8


def _filled(name: str, tape: Any, value: Value, arrays: Sequence[Any], indices: Sequence[Any]) -> Any:
    """Record `value`, of which each operand fills the part at its index."""
    if len(arrays) <= _FEW:
        shape, dtype = shape_of(value), dtype_of(value)
        return record_parts(tape, value, arrays, lambda k: (_FILL.code, (indices[k], shape, dtype)))

    def joint(mine: list[int]) -> Joint:
        return scatter_joint(name, [indices[k] for k in mine], shape_of(value), dtype_of(value))

    return record_joint(tape, value, arrays, joint)


def _listed(name: str, arrays: Any) -> list[Any]:
    if isinstance(arrays, np.ndarray) or type(arrays) is BVar:
        raise TypeError(f"{name}: wanted a sequence of arrays, got one {describe(shape_of(arrays))}")
    arrays = list(arrays)
    if not arrays:
        raise ShapeError(f"{name}: there are no arrays to join")
    listed: list[Any] = arrays
    return listed


def _operands(name: str, arrays: list[Any]) -> tuple[Any, list[Value], list[Shape]]:
    """The tape, the operands as it sees them, and their shapes."""
    if any(type(x) is BVar for x in arrays):
        for x in arrays:
            if type(x) is not BVar:
                checked_plain(name, x)
        tape, values = opened(name, *arrays)
    else:
        tape, values = None, [plain_array(name, x) for x in arrays]
        dtypes = list(dict.fromkeys(v.dtype for v in values if v.dtype.kind == "f" and v.ndim))
        if len(dtypes) > 1:
            raise mixed(name, *dtypes[:2])
        if dtypes:
            values = [v.astype(dtypes[0], copy=False) for v in values]
    return tape, values, [shape_of(x) for x in values]


# float64 is spelled out first: from items of different sizes no checker would find the dtype.
@overload
def concatenate(arrays: Vectors[np.float64], axis: Literal[0, -1] = 0) -> BVar[R[Any]]: ...
@overload
def concatenate(arrays: PlainVectors[np.float64], axis: Literal[0, -1] = 0) -> R[Any]: ...
@overload
def concatenate(arrays: MixedVectors[np.float64], axis: Literal[0, -1] = 0) -> BVar[R[Any]]: ...
@overload
def concatenate(arrays: Vectors[D], axis: Literal[0, -1] = 0) -> BVar[R[Any, D]]: ...
@overload
def concatenate(arrays: PlainVectors[D], axis: Literal[0, -1] = 0) -> R[Any, D]: ...
@overload
def concatenate(arrays: MixedVectors[D], axis: Literal[0, -1] = 0) -> BVar[R[Any, D]]: ...
@overload
def concatenate(arrays: Matrices[Any, N, D], axis: Literal[0, -2] = 0) -> BVar[L[Any, N, D]]: ...
@overload
def concatenate(arrays: Matrices[M, Any, D], axis: Literal[1, -1]) -> BVar[L[M, Any, D]]: ...
@overload
def concatenate(arrays: PlainMatrices[Any, N, D], axis: Literal[0, -2] = 0) -> L[Any, N, D]: ...
@overload
def concatenate(arrays: PlainMatrices[M, Any, D], axis: Literal[1, -1]) -> L[M, Any, D]: ...
@overload
def concatenate(arrays: MixedMatrices[Any, N, D], axis: Literal[0, -2] = 0) -> BVar[L[Any, N, D]]: ...
@overload
def concatenate(arrays: MixedMatrices[M, Any, D], axis: Literal[1, -1]) -> BVar[L[M, Any, D]]: ...
@overload
def concatenate(
    arrays: Sequence[BVar[Tensor3[Any, Any, Any, D]]], axis: int = 0
) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def concatenate(arrays: Sequence[Tensor3[Any, Any, Any, D]], axis: int = 0) -> Tensor3[Any, Any, Any, D]: ...
def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays along an existing axis; all other sizes must be equal.

    Raises `ShapeError` for an empty sequence, scalars, differing ranks or sizes, and an axis out of range.
    """
    return _concatenate("concatenate", arrays, axis)


def _concatenate(name: str, arrays: Sequence[Any], axis: int | None) -> Any:
    arrays = _listed(name, arrays)
    tape, values, shapes = _operands(name, arrays)
    first = shapes[0]
    if axis is None:
        raise TypeError(f"{name}: axis is None; wanted an int (write {name}([ravel(a), ravel(b)]) for all elements)")
    if not -len(first) <= axis < len(first):
        raise ShapeError(f"{name}: axis {axis} is out of range for {describe(first)}")
    axis %= len(first)
    for position, shape in enumerate(shapes):
        if shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :] or len(shape) != len(first):
            raise ShapeError(
                f"{name}: array {position} is {describe(shape)} beside {describe(first)}; "
                f"all sizes but that of axis {axis} must be equal"
            )
    higher = any(type(v) is BVar for v in values)
    value = _concatenate(name, values, axis) if higher else np.concatenate(values, axis)
    ends = np.cumsum([shape[axis] for shape in shapes]).tolist()
    lead = (slice(None),) * axis
    parts = [(*lead, slice(start, end)) for start, end in zip([0, *ends], ends, strict=False)]
    return _filled(name, tape, value, arrays, parts)


@overload
def stack(arrays: Sequence[BVar[float]], axis: Literal[0, -1] = 0) -> BVar[R[Any]]: ...
@overload
def stack(arrays: Sequence[float], axis: Literal[0, -1] = 0) -> R[Any]: ...
@overload
def stack(arrays: Sequence[BVar[float] | float], axis: Literal[0, -1] = 0) -> BVar[R[Any]]: ...
@overload
def stack(arrays: Sequence[BVar[R[N, D]]], axis: Literal[0, -2] = 0) -> BVar[L[Any, N, D]]: ...
@overload
def stack(arrays: Sequence[BVar[R[N, D]]], axis: Literal[1, -1]) -> BVar[L[N, Any, D]]: ...
@overload
def stack(arrays: Sequence[R[N, D]], axis: Literal[0, -2] = 0) -> L[Any, N, D]: ...
@overload
def stack(arrays: Sequence[R[N, D]], axis: Literal[1, -1]) -> L[N, Any, D]: ...
@overload
def stack(arrays: Sequence[BVar[R[N, D]] | R[N, D]], axis: Literal[0, -2] = 0) -> BVar[L[Any, N, D]]: ...
@overload
def stack(arrays: Sequence[BVar[R[N, D]] | R[N, D]], axis: Literal[1, -1]) -> BVar[L[N, Any, D]]: ...
@overload
def stack(arrays: Sequence[BVar[L[M, N, D]]], axis: Literal[0, -3] = 0) -> BVar[Tensor3[Any, M, N, D]]: ...
@overload
def stack(arrays: Sequence[BVar[L[M, N, D]]], axis: Literal[1, -2]) -> BVar[Tensor3[M, Any, N, D]]: ...
@overload
def stack(arrays: Sequence[BVar[L[M, N, D]]], axis: Literal[2, -1]) -> BVar[Tensor3[M, N, Any, D]]: ...
@overload
def stack(arrays: Sequence[L[M, N, D]], axis: Literal[0, -3] = 0) -> Tensor3[Any, M, N, D]: ...
@overload
def stack(arrays: Sequence[L[M, N, D]], axis: Literal[1, -2]) -> Tensor3[M, Any, N, D]: ...
@overload
def stack(arrays: Sequence[L[M, N, D]], axis: Literal[2, -1]) -> Tensor3[M, N, Any, D]: ...
@overload
def stack(arrays: Sequence[BVar[L[M, N, D]] | L[M, N, D]], axis: Literal[0, -3] = 0) -> BVar[Tensor3[Any, M, N, D]]: ...
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays (or scalars) of one shape along a new axis.

    Raises `ShapeError` for an empty sequence, differing shapes and an axis out of range.
    """
    return _stack("stack", arrays, axis)


def _stack(name: str, arrays: Sequence[Any], axis: int) -> Any:
    arrays = _listed(name, arrays)
    tape, values, shapes = _operands(name, arrays)
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ShapeError(
                f"{name}: array {position} is {describe(shape)} beside {describe(shapes[0])}; all must be of one shape"
            )
    if not -len(shapes[0]) - 1 <= axis <= len(shapes[0]):
        raise ShapeError(f"{name}: axis {axis} is out of range for arrays of {describe(shapes[0])}")
    axis %= len(shapes[0]) + 1
    if any(type(v) is BVar for v in values):
        value = _stack(name, values, axis)
    else:
        value = np.stack([np.asarray(v) for v in values], axis)
    lead = (slice(None),) * axis
    return _filled(name, tape, value, arrays, [(*lead, k) for k in range(len(arrays))])


@overload
def vstack(arrays: Sequence[BVar[R[N, D]]]) -> BVar[L[Any, N, D]]: ...
@overload
def vstack(arrays: Sequence[R[N, D]]) -> L[Any, N, D]: ...
@overload
def vstack(arrays: Sequence[BVar[R[N, D]] | R[N, D]]) -> BVar[L[Any, N, D]]: ...
@overload
def vstack(arrays: Matrices[Any, N, D]) -> BVar[L[Any, N, D]]: ...
@overload
def vstack(arrays: PlainMatrices[Any, N, D]) -> L[Any, N, D]: ...
@overload
def vstack(arrays: MixedMatrices[Any, N, D]) -> BVar[L[Any, N, D]]: ...
def vstack(arrays: Sequence[Any]) -> Any:
    """One below the other: matrices of equally many columns, or vectors as rows. Raises `ShapeError` as concatenate."""
    arrays, vectors = _flat("vstack", arrays)
    return _stack("vstack", arrays, 0) if vectors else _concatenate("vstack", arrays, 0)


@overload
def hstack(arrays: Vectors[np.float64]) -> BVar[R[Any]]: ...
@overload
def hstack(arrays: PlainVectors[np.float64]) -> R[Any]: ...
@overload
def hstack(arrays: MixedVectors[np.float64]) -> BVar[R[Any]]: ...
@overload
def hstack(arrays: Vectors[D]) -> BVar[R[Any, D]]: ...
@overload
def hstack(arrays: PlainVectors[D]) -> R[Any, D]: ...
@overload
def hstack(arrays: MixedVectors[D]) -> BVar[R[Any, D]]: ...
@overload
def hstack(arrays: Matrices[M, Any, D]) -> BVar[L[M, Any, D]]: ...
@overload
def hstack(arrays: PlainMatrices[M, Any, D]) -> L[M, Any, D]: ...
@overload
def hstack(arrays: MixedMatrices[M, Any, D]) -> BVar[L[M, Any, D]]: ...
def hstack(arrays: Sequence[Any]) -> Any:
    """Side by side: matrices of equally many rows, or vectors one after the other. `ShapeError` as concatenate."""
    arrays, vectors = _flat("hstack", arrays)
    return _concatenate("hstack", arrays, 0 if vectors else 1)


def _flat(name: str, arrays: Sequence[Any]) -> tuple[list[Any], bool]:
    """The arrays, which must be vectors or matrices, and whether they are vectors."""
    arrays = [operand(name, x) for x in _listed(name, arrays)]
    ranks = {len(shape_of(x)) for x in arrays}
    if ranks not in ({1}, {2}):
        shapes = ", ".join(describe(shape_of(x)) for x in arrays)
        raise ShapeError(f"{name}: the arrays are {shapes}; wanted vectors, or matrices")
    return arrays, ranks == {1}


@overload
def append(x: BVar[R[N, D]], value: BVar[float] | float | BVar[R[Any, D]] | R[Any, D], /) -> BVar[R[Any, D]]: ...
@overload
def append(x: R[N, D], value: BVar[float] | BVar[R[Any, D]], /) -> BVar[R[Any, D]]: ...
@overload
def append(x: R[N, D], value: float | R[Any, D], /) -> R[Any, D]: ...
def append(x: Any, value: Any, /) -> Any:
    """A vector with one element, or the elements of another vector, at its end. `ShapeError` for anything else."""
    for what, v, ranks in (("x", x, (1,)), ("value", value, (0, 1))):
        operand("append", v)
        if len(shape_of(v)) not in ranks:
            raise ShapeError(
                f"append: {what} is {describe(shape_of(v))}; wanted a vector{' or a scalar' * (0 in ranks)}"
            )
    if not shape_of(value):
        value = value._broadcast_to((1,), dtype_of(x)) if type(value) is BVar else np.full(1, value, dtype_of(x))
    return _concatenate("append", [x, value], 0)


@overload
def from_rows(rows: Sequence[BVar[R[N, D]]], /) -> BVar[L[Any, N, D]]: ...
@overload
def from_rows(rows: Sequence[R[N, D]], /) -> L[Any, N, D]: ...
def from_rows(rows: Sequence[Any], /) -> Any:
    """The matrix with these rows, vectors of one length. The inverse of `rows`. Raises `ShapeError` as `stack`."""
    _want_vectors("from_rows", rows)
    return _stack("from_rows", rows, 0)


@overload
def from_columns(columns: Sequence[BVar[R[M, D]]], /) -> BVar[L[M, Any, D]]: ...
@overload
def from_columns(columns: Sequence[R[M, D]], /) -> L[M, Any, D]: ...
def from_columns(columns: Sequence[Any], /) -> Any:
    """The matrix with these columns, vectors of one length. The inverse of `columns`. `ShapeError` as `stack`."""
    _want_vectors("from_columns", columns)
    return _stack("from_columns", columns, 1)


def _want_vectors(name: str, vectors: Sequence[Any]) -> None:
    for position, v in enumerate(vectors):
        operand(name, v)
        if len(shape_of(v)) != 1:
            raise ShapeError(f"{name}: array {position} is {describe(shape_of(v))}; wanted vectors R[n]")


# -- Taking apart ---------------------------------------------------------------------------------------------------


def _pull_parts(parts: Parts, residual: tuple[Any, ...]) -> Value:
    indices, shape, dtype = residual
    if all(map(is_plain, parts.parts.values())):
        y = np.zeros(shape, dtype)
        for position, g in parts.parts.items():
            y[indices[position]] = g
        return y
    return scatter_all([(indices[position], g) for position, g in parts.parts.items()], shape, dtype)


# An array taken apart into pieces that do not overlap, which are PARTs of its node: one array is written in the
# backward sweep, not one a piece. residual: (indices, shape, dtype)
_SPLIT = Rule("split", _pull_parts, lambda t, r: [take(t, index) for index in r[0]], fresh=True)


def _pieces(x: Any, indices: list[Any]) -> list[Any]:
    if type(x) is not BVar:
        return [x[index].copy() if shape_of(x[index]) else x[index] for index in indices]
    inner, tape = x._value, x._tape
    values = _pieces(inner, indices) if type(inner) is BVar else [take(inner, index) for index in indices]
    node = -1
    if tape is not None:
        node = record(tape, None, (_SPLIT.code, x._node, (indices, shape_of(inner), dtype_of(inner))))._node
    return [record(tape, value, (PART, node, k)) for k, value in enumerate(values)]


@overload
def split(x: BVar[R[Any, D]], sections: int | Sequence[int], axis: Literal[0, -1] = 0) -> list[BVar[R[Any, D]]]: ...
@overload
def split(
    x: BVar[L[Any, N, D]], sections: int | Sequence[int], axis: Literal[0, -2] = 0
) -> list[BVar[L[Any, N, D]]]: ...
@overload
def split(x: BVar[L[M, Any, D]], sections: int | Sequence[int], axis: Literal[1, -1]) -> list[BVar[L[M, Any, D]]]: ...
@overload
def split(
    x: BVar[Tensor3[Any, Any, Any, D]], sections: int | Sequence[int], axis: int = 0
) -> list[BVar[Tensor3[Any, Any, Any, D]]]: ...
@overload
def split(x: R[Any, D], sections: int | Sequence[int], axis: Literal[0, -1] = 0) -> list[R[Any, D]]: ...
@overload
def split(x: L[Any, N, D], sections: int | Sequence[int], axis: Literal[0, -2] = 0) -> list[L[Any, N, D]]: ...
@overload
def split(x: L[M, Any, D], sections: int | Sequence[int], axis: Literal[1, -1]) -> list[L[M, Any, D]]: ...
@overload
def split(
    x: Tensor3[Any, Any, Any, D], sections: int | Sequence[int], axis: int = 0
) -> list[Tensor3[Any, Any, Any, D]]: ...
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> Any:
    """Consecutive pieces along an axis: so many equal ones, or those between the positions given.

    `split(x, 3)`, and `split(x, [2, 5])` for the elements 0-1, 2-4 and the rest. Raises `ShapeError` if the axis does
    not divide into equal pieces, if positions are out of order or beyond the end, and for an axis out of range.
    """
    x = operand("split", x)
    shape = shape_of(x)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"split: axis {axis} is out of range for {describe(shape)}")
    axis %= len(shape)
    size = shape[axis]
    if isinstance(sections, int | np.integer):
        if sections < 1 or size % sections:
            raise ShapeError(f"split: axis {axis} of {describe(shape)} does not divide into {sections} equal pieces")
        cuts = list(range(0, size + 1, size // int(sections))) if size else [0] * (int(sections) + 1)
    else:
        cuts = [0, *map(operator.index, sections), size]
        if cuts != sorted(cuts):
            raise ShapeError(
                f"split: the positions {cuts[1:-1]} do not ascend from 0 to {size}, the size of axis {axis} of "
                f"{describe(shape)}"
            )
    lead = (slice(None),) * axis
    return _pieces(x, [(*lead, slice(start, end)) for start, end in itertools.pairwise(cuts)])


@overload
def split_rows(x: BVar[L[Any, N, D]], count: DK, /) -> tuple[BVar[L[DK, N, D]], BVar[L[Any, N, D]]]: ...
@overload
def split_rows(x: BVar[L[Any, N, D]], count: Dim, /) -> tuple[BVar[L[Dim, N, D]], BVar[L[Any, N, D]]]: ...
@overload
def split_rows(x: BVar[L[Any, N, D]], count: int, /) -> tuple[BVar[L[Any, N, D]], BVar[L[Any, N, D]]]: ...
@overload
def split_rows(x: L[Any, N, D], count: DK, /) -> tuple[L[DK, N, D], L[Any, N, D]]: ...
@overload
def split_rows(x: L[Any, N, D], count: Dim, /) -> tuple[L[Dim, N, D], L[Any, N, D]]: ...
@overload
def split_rows(x: L[Any, N, D], count: int, /) -> tuple[L[Any, N, D], L[Any, N, D]]: ...
def split_rows(x: Any, count: int, /) -> Any:
    """The first `count` rows of a matrix, and the rest. Raises `ShapeError` if it has fewer."""
    return _in_two("split_rows", x, count, 0)


@overload
def split_cols(x: BVar[L[M, Any, D]], count: DK, /) -> tuple[BVar[L[M, DK, D]], BVar[L[M, Any, D]]]: ...
@overload
def split_cols(x: BVar[L[M, Any, D]], count: Dim, /) -> tuple[BVar[L[M, Dim, D]], BVar[L[M, Any, D]]]: ...
@overload
def split_cols(x: BVar[L[M, Any, D]], count: int, /) -> tuple[BVar[L[M, Any, D]], BVar[L[M, Any, D]]]: ...
@overload
def split_cols(x: L[M, Any, D], count: DK, /) -> tuple[L[M, DK, D], L[M, Any, D]]: ...
@overload
def split_cols(x: L[M, Any, D], count: Dim, /) -> tuple[L[M, Dim, D], L[M, Any, D]]: ...
@overload
def split_cols(x: L[M, Any, D], count: int, /) -> tuple[L[M, Any, D], L[M, Any, D]]: ...
def split_cols(x: Any, count: int, /) -> Any:
    """The first `count` columns of a matrix, and the rest. Raises `ShapeError` if it has fewer."""
    return _in_two("split_cols", x, count, 1)


def _in_two(name: str, x: Any, count: int, axis: int) -> Any:
    x = _matrix(name, x)
    size = shape_of(x)[axis]
    if not 0 <= count <= size:
        raise ShapeError(f"{name}: {describe(shape_of(x))} does not have {count} {('rows', 'columns')[axis]}")
    lead = (slice(None),) * axis
    return tuple(_pieces(x, [(*lead, slice(0, int(count))), (*lead, slice(int(count), size))]))


@overload
def rows(x: BVar[L[Any, N, D]], /) -> list[BVar[R[N, D]]]: ...
@overload
def rows(x: L[Any, N, D], /) -> list[R[N, D]]: ...
def rows(x: Any, /) -> Any:
    """The rows of a matrix, as vectors. Raises `ShapeError` for anything else."""
    x = _matrix("rows", x)
    return _pieces(x, [(k,) for k in range(shape_of(x)[0])])


@overload
def columns(x: BVar[L[M, Any, D]], /) -> list[BVar[R[M, D]]]: ...
@overload
def columns(x: L[M, Any, D], /) -> list[R[M, D]]: ...
def columns(x: Any, /) -> Any:
    """The columns of a matrix, as vectors. Raises `ShapeError` for anything else."""
    x = _matrix("columns", x)
    return _pieces(x, [(slice(None), k) for k in range(shape_of(x)[1])])


def _matrix(name: str, x: Any) -> Any:
    x = operand(name, x)
    if len(shape_of(x)) != 2:
        raise ShapeError(f"{name}: x is {describe(shape_of(x))}; wanted a matrix L[m, n]")
    return x


@overload
def head(x: BVar[R[Any, D]], /) -> BVar[float]: ...
@overload
def head(x: R[Any, D], /) -> D: ...
def head(x: Any, /) -> Any:
    """The first element of a vector. Raises `ShapeError` if there is none."""
    return _nonempty("head", x)[0]


@overload
def tail(x: BVar[R[Any, D]], /) -> BVar[R[Any, D]]: ...
@overload
def tail(x: R[Any, D], /) -> R[Any, D]: ...
def tail(x: Any, /) -> Any:
    """A vector without its first element. Raises `ShapeError` if there is none."""
    x = _nonempty("tail", x)
    return x[1:] if type(x) is BVar else x[1:].copy()


def _nonempty(name: str, x: Any) -> Any:
    x = operand(name, x)
    if len(shape_of(x)) != 1 or not shape_of(x)[0]:
        raise ShapeError(f"{name}: x is {describe(shape_of(x))}; wanted a vector of one element or more")
    return x
