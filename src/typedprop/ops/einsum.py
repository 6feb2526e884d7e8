"""Sums of products by subscripts: `einsum`, with every string that NumPy takes, and `tensordot`.

A string is brought to a plain form first, by operations that have rules of their own: an ellipsis becomes labels, a
repeated label takes a diagonal, a label that stands nowhere else is summed over. What is left is a *contraction*: every
label stands once in an operand, and in the result or in another operand. Contractions are closed under differentiation:
the cotangent of an operand is the contraction of the result's cotangent with all other operands.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, number, shape_of
from typedprop.bvar import BVar, mixed
from typedprop.errors import ShapeError
from typedprop.op import Linear, checked_plain, linear, opened, record_parts
from typedprop.shapes import L, R, Tensor3
from typedprop.tape import Rule, Value

B = TypeVar("B", bound=int)
K = TypeVar("K", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])
Labels: TypeAlias = tuple[int, ...]
Array: TypeAlias = np.ndarray[Any, Any]
# NumPy's types do not know the form that takes labels as numbers.
_numpy_einsum: Any = np.einsum


# -- Contractions ---------------------------------------------------------------------------------------------------


def _pull(g: Value, residual: tuple[str, tuple[Labels, ...], Labels, tuple[Any, ...], int]) -> Value:
    name, inputs, output, values, k = residual
    others = (*inputs[:k], output, *inputs[k + 1 :])
    return contract(name, others, inputs[k], (*values[:k], g, *values[k + 1 :]))


def _push(t: Value, residual: tuple[str, tuple[Labels, ...], Labels, tuple[Any, ...], int]) -> Value:
    name, inputs, output, values, k = residual
    return contract(name, inputs, output, (*values[:k], t, *values[k + 1 :]))


# residual: (name, the operands' labels, the result's, the operands, which of them)
_CONTRACT = Rule("einsum", _pull, _push, fresh=True)


def contract(name: str, inputs: tuple[Labels, ...], output: Labels, operands: Sequence[Any]) -> Any:
    """The sum of products of `operands` with these labels, in the form that the module's docstring describes."""
    tape, values = opened(name, *operands)
    if any(type(x) is BVar for x in values):
        y = contract(name, inputs, output, values)
    else:
        y = _value(inputs, output, values)
        y = y if y.ndim else number(y)
    return record_parts(
        tape,
        y,
        operands,
        lambda k: (
            _CONTRACT.code,
            (name, inputs, output, tuple(v if j != k else None for j, v in enumerate(values)), k),
        ),
    )


def _value(inputs: tuple[Labels, ...], output: Labels, values: Sequence[Any]) -> Any:
    # A Python float would make a float64 array of its own.
    dtype = next((v.dtype for v in values if shape_of(v)), np.float64)
    arrays = [np.asarray(v, dtype) for v in values]
    if len(arrays) == 2:
        shared = {*inputs[0]} & {*inputs[1]}
        # Without a label of its own, no operand is a matrix: NumPy's loop is then the faster one.
        if shared - {*output} and (shared < {*inputs[0], *inputs[1]} or not shared & {*output}):
            return _matrix_product(inputs, output, arrays)
    operands = [part for pair in zip(arrays, inputs, strict=True) for part in pair]
    y = _numpy_einsum(*operands, output, optimize=len(arrays) > 2)
    # A single operand may come back as a view, and more than one in the memory order of an intermediate result.
    return np.array(y, order="C")


def _matrix_product(inputs: tuple[Labels, ...], output: Labels, arrays: list[Array]) -> Any:
    """Two operands that share summed labels: one product of matrices, or a stack of them, which is BLAS's work."""
    (a, b), (x, y) = inputs, arrays
    batch = [k for k in output if k in a and k in b]
    inner = [k for k in a if k in b and k not in output]
    left = [k for k in a if k not in b]
    right = [k for k in b if k not in a]
    sizes = dict(zip(a + b, x.shape + y.shape, strict=True))

    def size(labels: list[int]) -> int:
        return math.prod(sizes[k] for k in labels)

    x = x.transpose([a.index(k) for k in batch + left + inner]).reshape(size(batch), size(left), size(inner))
    y = y.transpose([b.index(k) for k in batch + inner + right]).reshape(size(batch), size(inner), size(right))
    z = (x @ y).reshape([sizes[k] for k in batch + left + right])
    order = batch + left + right
    return np.ascontiguousarray(z.transpose([order.index(k) for k in output])) if output else z


# -- Bringing strings to that form ----------------------------------------------------------------------------------


def _write_diagonal(g: Array, shape: Shape, labels: Labels, kept: Labels) -> Array:
    y = np.zeros(shape, g.dtype)
    # The view of the elements whose repeated indices are equal; NumPy makes it writable.
    _numpy_einsum(y, labels, kept)[...] = g
    return y


# The elements whose repeated indices are equal, and zeros but for them: each is the transpose of the other.
_diagonal: Linear = linear(
    "einsum",
    lambda x, labels, kept: _numpy_einsum(x, labels, kept).copy(),
    lambda g, shape, _dtype, labels, kept: _embedded(g, shape, labels, kept),
    fresh=True,
)
_embedded: Linear = linear(
    "einsum",
    _write_diagonal,
    lambda g, _shape, _dtype, _full, labels, kept: _diagonal(g, labels, kept),
    fresh=True,
)


# Strings that a checker can read: the products and sums that are written most.
@overload
def einsum(
    subscripts: Literal["ij,jk->ik", "ij,jk"], a: BVar[L[M, K, D]], b: BVar[L[K, N, D]] | L[K, N, D], /
) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,jk->ik", "ij,jk"], a: L[M, K, D], b: BVar[L[K, N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,jk->ik", "ij,jk"], a: L[M, K, D], b: L[K, N, D], /) -> L[M, N, D]: ...
@overload
def einsum(
    subscripts: Literal["ij,kj->ik"], a: BVar[L[M, K, D]], b: BVar[L[N, K, D]] | L[N, K, D], /
) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,kj->ik"], a: L[M, K, D], b: BVar[L[N, K, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,kj->ik"], a: L[M, K, D], b: L[N, K, D], /) -> L[M, N, D]: ...
@overload
def einsum(
    subscripts: Literal["ji,jk->ik"], a: BVar[L[K, M, D]], b: BVar[L[K, N, D]] | L[K, N, D], /
) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ji,jk->ik"], a: L[K, M, D], b: BVar[L[K, N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ji,jk->ik"], a: L[K, M, D], b: L[K, N, D], /) -> L[M, N, D]: ...
@overload
def einsum(
    subscripts: Literal["ij,j->i", "ij,j"], a: BVar[L[M, N, D]], b: BVar[R[N, D]] | R[N, D], /
) -> BVar[R[M, D]]: ...
@overload
def einsum(subscripts: Literal["ij,j->i", "ij,j"], a: L[M, N, D], b: BVar[R[N, D]], /) -> BVar[R[M, D]]: ...
@overload
def einsum(subscripts: Literal["ij,j->i", "ij,j"], a: L[M, N, D], b: R[N, D], /) -> R[M, D]: ...
@overload
def einsum(
    subscripts: Literal["i,ij->j", "i,ij"], a: BVar[R[M, D]], b: BVar[L[M, N, D]] | L[M, N, D], /
) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["i,ij->j", "i,ij"], a: R[M, D], b: BVar[L[M, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["i,ij->j", "i,ij"], a: R[M, D], b: L[M, N, D], /) -> R[N, D]: ...
@overload
def einsum(
    subscripts: Literal["i,j->ij", "i,j"], a: BVar[R[M, D]], b: BVar[R[N, D]] | R[N, D], /
) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["i,j->ij", "i,j"], a: R[M, D], b: BVar[R[N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["i,j->ij", "i,j"], a: R[M, D], b: R[N, D], /) -> L[M, N, D]: ...
@overload
def einsum(subscripts: Literal["i,i->", "i,i"], a: BVar[R[N, D]], b: BVar[R[N, D]] | R[N, D], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["i,i->", "i,i"], a: R[N, D], b: BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["i,i->", "i,i"], a: R[N, D], b: R[N, D], /) -> D: ...
@overload
def einsum(
    subscripts: Literal["ij,ij->", "ij,ij"], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D], /
) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["ij,ij->", "ij,ij"], a: L[M, N, D], b: BVar[L[M, N, D]], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["ij,ij->", "ij,ij"], a: L[M, N, D], b: L[M, N, D], /) -> D: ...
@overload
def einsum(
    subscripts: Literal["ij,ij->ij"], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D], /
) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->ij"], a: L[M, N, D], b: BVar[L[M, N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->ij"], a: L[M, N, D], b: L[M, N, D], /) -> L[M, N, D]: ...
@overload
def einsum(
    subscripts: Literal["ij,ij->i"], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D], /
) -> BVar[R[M, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->i"], a: L[M, N, D], b: BVar[L[M, N, D]], /) -> BVar[R[M, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->i"], a: L[M, N, D], b: L[M, N, D], /) -> R[M, D]: ...
@overload
def einsum(
    subscripts: Literal["ij,ij->j"], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D], /
) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->j"], a: L[M, N, D], b: BVar[L[M, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["ij,ij->j"], a: L[M, N, D], b: L[M, N, D], /) -> R[N, D]: ...
@overload
def einsum(
    subscripts: Literal["bij,bjk->bik"],
    a: BVar[Tensor3[B, M, K, D]],
    b: BVar[Tensor3[B, K, N, D]] | Tensor3[B, K, N, D],
    /,
) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def einsum(
    subscripts: Literal["bij,bjk->bik"], a: Tensor3[B, M, K, D], b: BVar[Tensor3[B, K, N, D]], /
) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def einsum(
    subscripts: Literal["bij,bjk->bik"], a: Tensor3[B, M, K, D], b: Tensor3[B, K, N, D], /
) -> Tensor3[B, M, N, D]: ...
@overload
def einsum(subscripts: Literal["ij->ji", "ji"], a: BVar[L[M, N, D]], /) -> BVar[L[N, M, D]]: ...
@overload
def einsum(subscripts: Literal["ij->ji", "ji"], a: L[M, N, D], /) -> L[N, M, D]: ...
@overload
def einsum(subscripts: Literal["ij->i"], a: BVar[L[M, N, D]], /) -> BVar[R[M, D]]: ...
@overload
def einsum(subscripts: Literal["ij->i"], a: L[M, N, D], /) -> R[M, D]: ...
@overload
def einsum(subscripts: Literal["ij->j"], a: BVar[L[M, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["ij->j"], a: L[M, N, D], /) -> R[N, D]: ...
@overload
def einsum(subscripts: Literal["ij->"], a: BVar[L[M, N, D]], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["ij->"], a: L[M, N, D], /) -> D: ...
@overload
def einsum(subscripts: Literal["ii->i"], a: BVar[L[N, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def einsum(subscripts: Literal["ii->i"], a: L[N, N, D], /) -> R[N, D]: ...
@overload
def einsum(subscripts: Literal["ii->", "ii"], a: BVar[L[N, N, D]], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["ii->", "ii"], a: L[N, N, D], /) -> D: ...
@overload
def einsum(subscripts: Literal["i->"], a: BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def einsum(subscripts: Literal["i->"], a: R[N, D], /) -> D: ...
@overload
def einsum(subscripts: str, a: BVar[Any], /, *operands: Any) -> BVar[Any]: ...
@overload
def einsum(subscripts: str, a: Array | float, b: BVar[Any], /, *operands: Any) -> BVar[Any]: ...
@overload
def einsum(subscripts: str, a: Array | float, b: Array | float, c: BVar[Any], /, *operands: Any) -> BVar[Any]: ...
# Of other strings the result's sizes are unknown, and whether it is a scalar; a later operand that is a BVar makes it
# one. (The mypy plugin reads them all.)
@overload
def einsum(subscripts: str, /, *operands: Any) -> Any: ...
def einsum(subscripts: str, /, *operands: Any) -> Any:
    """The sum of products that `subscripts` says, as in `numpy.einsum`: `einsum("ij,jk->ik", a, b)` is `a @ b`.

    Repeated labels take a diagonal, labels that the result lacks are summed over, without `->` the result has in
    alphabetical order those that stand once, and `...` stands for all axes without a label, which broadcast as NumPy's
    do (the last ones with the last; a size of 1, or an axis that is not there, with any). Each label has one size.

    Raises `ShapeError` where the subscripts and the operands do not fit, ValueError for a string that says nothing.
    """
    values, like = checked_operands("einsum", operands)
    inputs, output = _parsed(subscripts, [shape_of(x) for x in values])
    labels: list[Labels] = []
    for k, x in enumerate(values):
        own, values[k] = _without_stretched(inputs[k], x)
        labels.append(own)
    for k, x in enumerate(values):
        elsewhere = {*output}.union(*(labels[j] for j in range(len(labels)) if j != k))
        labels[k], values[k] = _without_repeated_and_private(labels[k], x, elsewhere)
    return like(contract("einsum", tuple(labels), output, values))


def checked_operands(name: str, given: Sequence[Any]) -> tuple[list[Any], Callable[[Any], Any]]:
    """The operands, checked, and what makes of the result the type that belongs to them."""
    floats: list[np.dtype[Any]] = []
    for x in given:
        if type(x) is not BVar:
            checked_plain(name, x)
        if shape_of(x) and x.dtype.kind == "f":
            floats.append(x.dtype)
    if any(type(x) is BVar for x in given):
        # Here, for an operand that is summed over before the others are met is a scalar, which has no dtype.
        for dtype in floats:
            if dtype.type is not floats[0].type:
                raise mixed(name, floats[0], dtype)
        # Of the machine's byte order, whatever that of plain operands is.
        like = floats[0].newbyteorder("=") if floats else np.dtype(np.float64)
        return [x if type(x) is BVar or not shape_of(x) else x.astype(like, copy=False) for x in given], lambda y: y
    _, values = opened(name, *given)
    dtype = next((x.dtype for x in values if shape_of(x)), np.dtype(np.float64))
    return values, lambda y: y if shape_of(y) else dtype.type(y)


def _parsed(subscripts: str, shapes: list[Shape]) -> tuple[list[list[tuple[int, bool]]], Labels]:
    """For each operand a `(label, stretched)` an axis, and the labels of the result; all errors are raised here."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    letters = text.replace("->", "").replace(",", "").replace("...", "")
    if not all(c.isascii() and c.isalpha() for c in letters) or "->" in right or "," in right:
        raise ValueError(f'einsum: "{subscripts}" is not made of letters, commas, "..." and one "->"')
    if len(terms) != len(shapes):
        raise ShapeError(f'einsum: "{subscripts}" is for {len(terms)} operands, but there are {len(shapes)}')
    ranks = []
    for k, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        named = len(term.replace("...", ""))
        if term.count("...") > 1 or (named != len(shape) if "..." not in term else named > len(shape)):
            raise ShapeError(
                f'einsum: "{term}" has {named} labels, but operand {k} of "{subscripts}" is {describe(shape)}'
            )
        ranks.append(len(shape) - named)
    # Labels are numbers; those of the ellipsis are the lowest, so that they come first in an implicit result.
    wide = max(ranks, default=0)
    number_of = {c: wide + k for k, c in enumerate(sorted(set(letters)))}
    inputs: list[list[int]] = []
    for term, rank in zip(terms, ranks, strict=True):
        before, _, after = term.partition("...")
        inputs.append([number_of[c] for c in before] + list(range(wide - rank, wide)) + [number_of[c] for c in after])
    sizes: dict[int, int] = {}
    for own, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(own, shape, strict=True):
            if label not in sizes or (label < wide and sizes[label] == 1):
                sizes[label] = size
            elif sizes[label] != size and not (label < wide and size == 1):
                name = "..." if label < wide else next(c for c, n in number_of.items() if n == label)
                raise ShapeError(
                    f'einsum: "{subscripts}" with {", ".join(map(describe, shapes))}: '
                    f'"{name}" has the sizes {sizes[label]} and {size}'
                )
    if arrow:
        before, dots, after = right.partition("...")
        if len(set(right)) < len(right.replace("...", ".")):
            raise ValueError(f'einsum: the result of "{subscripts}" has a label twice')
        missing = sorted(set(before + after) - set(left))
        if missing:
            raise ValueError(f'einsum: the label "{missing[0]}" of the result is in no operand of "{subscripts}"')
        if wide and not dots:
            raise ValueError(f'einsum: the result of "{subscripts}" lacks the "..." that the operands have')
        output = [number_of[c] for c in before] + list(range(wide)) * bool(dots) + [number_of[c] for c in after]
    else:
        once = [c for c in sorted(set(letters)) if left.count(c) == 1]
        output = list(range(wide)) + [number_of[c] for c in once]
    marked = [
        [(label, label < wide and size != sizes[label]) for label, size in zip(own, shape, strict=True)]
        for own, shape in zip(inputs, shapes, strict=True)
    ]
    return marked, tuple(output)


def _without_stretched(own: list[tuple[int, bool]], x: Any) -> tuple[Labels, Any]:
    """The operand without its axes of size 1 that another operand stretches."""
    if any(stretched for _, stretched in own):
        kept = tuple(size for size, (_, stretched) in zip(shape_of(x), own, strict=True) if not stretched)
        x = x.reshape(kept) if kept else x[(0,) * len(own)]
    return tuple(label for label, stretched in own if not stretched), x


def _without_repeated_and_private(own: Labels, x: Any, elsewhere: set[int]) -> tuple[Labels, Any]:
    """The operand with a diagonal taken for repeated labels, and summed over those that stand nowhere else."""
    unique = tuple(dict.fromkeys(own))
    if len(unique) < len(own):
        x = _diagonal(x, own, unique)
    private = tuple(axis for axis, label in enumerate(unique) if label not in elsewhere)
    if private:
        x = x.sum(axis=private)
    return tuple(label for label in unique if label in elsewhere), x


@overload
def tensordot(
    a: BVar[Any], b: BVar[Any] | Array, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2
) -> BVar[Any]: ...
@overload
def tensordot(a: Array, b: BVar[Any], axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2) -> BVar[Any]: ...
# The axes are values to a checker, so the result's sizes are unknown, and whether it is a scalar.
@overload
def tensordot(a: Array, b: Array, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2) -> Any: ...
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes: the last `axes` of `a` with the first of `b`, or the pairs given.

    `tensordot(a, b, axes=([0, 2], [1, 0]))` sums over axis 0 of `a` with 1 of `b`, and 2 with 0. The remaining axes of
    `a`, then those of `b`, make the result. Raises `ShapeError` for axes that do not exist, come twice or differ in
    size.
    """
    values, like = checked_operands("tensordot", (a, b))
    x, y = map(shape_of, values)
    if isinstance(axes, int | np.integer):
        if not 0 <= axes <= min(len(x), len(y)):
            raise ShapeError(f"tensordot: {describe(x)} and {describe(y)} do not both have {axes} axes")
        pairs: tuple[list[int], list[int]] = (list(range(len(x) - int(axes), len(x))), list(range(int(axes))))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
        for own, shape in ((left, x), (right, y)):
            if any(not -len(shape) <= k < len(shape) for k in own) or len({k % len(shape) for k in own}) < len(own):
                raise ShapeError(f"tensordot: axes {own} are not different axes of {describe(shape)}")
        pairs = ([k % len(x) for k in left], [k % len(y) for k in right])
    if [x[k] for k in pairs[0]] != [y[k] for k in pairs[1]]:
        raise ShapeError(
            f"tensordot: axes {pairs[0]} of {describe(x)} and {pairs[1]} of {describe(y)} differ in number or size"
        )
    labels_a = list(range(len(x)))
    labels_b = [len(x) + k for k in range(len(y))]
    for k, j in zip(*pairs, strict=True):
        labels_b[j] = k
    output = [k for k in labels_a if k not in pairs[0]] + [k for k in labels_b if k >= len(x)]
    return like(contract("tensordot", (tuple(labels_a), tuple(labels_b)), tuple(output), values))
