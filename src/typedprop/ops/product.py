"""Products: matrix, inner, outer, cross and Kronecker ones. The operator `@` says what `matmul` says.

Sums of products that none of them is are in einsum.py: `einsum` and `tensordot`.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, matmul_rules, shape_of
from typedprop.bvar import BVar, product
from typedprop.errors import ShapeError
from typedprop.op import Function, bilinear, checked, checked_plain, opened
from typedprop.ops.einsum import contract
from typedprop.shapes import L, R, Tensor3

B = TypeVar("B", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
# Floats only: a product of plain integers would not be what its type says, for they become floats.
D = TypeVar("D", bound=np.floating[Any])


@overload
def matmul(a: BVar[L[M, K, D]], b: BVar[L[K, N, D]] | L[K, N, D], /) -> BVar[L[M, N, D]]: ...
@overload
def matmul(a: L[M, K, D], b: BVar[L[K, N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def matmul(a: BVar[L[M, N, D]], b: BVar[R[N, D]] | R[N, D], /) -> BVar[R[M, D]]: ...
@overload
def matmul(a: L[M, N, D], b: BVar[R[N, D]], /) -> BVar[R[M, D]]: ...
@overload
def matmul(a: BVar[R[M, D]], b: BVar[L[M, N, D]] | L[M, N, D], /) -> BVar[R[N, D]]: ...
@overload
def matmul(a: R[M, D], b: BVar[L[M, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def matmul(a: BVar[R[N, D]], b: BVar[R[N, D]] | R[N, D], /) -> BVar[float]: ...
@overload
def matmul(a: R[N, D], b: BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def matmul(
    a: BVar[Tensor3[B, M, K, D]], b: BVar[Tensor3[B, K, N, D]] | Tensor3[B, K, N, D], /
) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def matmul(a: Tensor3[B, M, K, D], b: BVar[Tensor3[B, K, N, D]], /) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def matmul(a: BVar[Tensor3[B, M, K, D]], b: BVar[L[K, N, D]] | L[K, N, D], /) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def matmul(a: Tensor3[B, M, K, D], b: BVar[L[K, N, D]], /) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def matmul(a: L[M, K, D], b: L[K, N, D], /) -> L[M, N, D]: ...
@overload
def matmul(a: L[M, N, D], b: R[N, D], /) -> R[M, D]: ...
@overload
def matmul(a: R[M, D], b: L[M, N, D], /) -> R[N, D]: ...
@overload
def matmul(a: R[N, D], b: R[N, D], /) -> D: ...
@overload
def matmul(a: Tensor3[B, M, K, D], b: Tensor3[B, K, N, D], /) -> Tensor3[B, M, N, D]: ...
@overload
def matmul(a: Tensor3[B, M, K, D], b: L[K, N, D], /) -> Tensor3[B, M, N, D]: ...
def matmul(a: Any, b: Any, /) -> Any:
    """The matrix product `a @ b` of vectors, matrices, or stacks of matrices; a stack may share its right matrix.

    Raises `ShapeError` where the inner sizes, or the sizes of two stacks, differ.
    """
    if type(a) is BVar or type(b) is BVar:
        for x in (a, b):
            if type(x) is not BVar:
                checked_plain("matmul", x)
        return a @ b if type(a) is BVar else product(a, b)
    _, (a, b) = opened("matmul", a, b)
    matmul_rules(a, b)
    return a @ b


@overload
def dot(x: BVar[R[N, D]], y: BVar[R[N, D]] | R[N, D], /) -> BVar[float]: ...
@overload
def dot(x: R[N, D], y: BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def dot(x: R[N, D], y: R[N, D], /) -> D: ...
def dot(x: Any, y: Any, /) -> Any:
    """The inner product of two vectors of one length. Raises `ShapeError` for anything else."""
    _want_vectors("dot", x, y)
    return matmul(x, y)


@overload
def inner(x: BVar[R[N, D]], y: BVar[R[N, D]] | R[N, D], /) -> BVar[float]: ...
@overload
def inner(x: R[N, D], y: BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def inner(x: BVar[L[M, N, D]], y: BVar[R[N, D]] | R[N, D], /) -> BVar[R[M, D]]: ...
@overload
def inner(x: L[M, N, D], y: BVar[R[N, D]], /) -> BVar[R[M, D]]: ...
@overload
def inner(x: BVar[R[N, D]], y: BVar[L[M, N, D]] | L[M, N, D], /) -> BVar[R[M, D]]: ...
@overload
def inner(x: R[N, D], y: BVar[L[M, N, D]], /) -> BVar[R[M, D]]: ...
@overload
def inner(x: BVar[L[M, K, D]], y: BVar[L[N, K, D]] | L[N, K, D], /) -> BVar[L[M, N, D]]: ...
@overload
def inner(x: L[M, K, D], y: BVar[L[N, K, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def inner(x: R[N, D], y: R[N, D], /) -> D: ...
@overload
def inner(x: L[M, N, D], y: R[N, D], /) -> R[M, D]: ...
@overload
def inner(x: R[N, D], y: L[M, N, D], /) -> R[M, D]: ...
@overload
def inner(x: L[M, K, D], y: L[N, K, D], /) -> L[M, N, D]: ...
def inner(x: Any, y: Any, /) -> Any:
    """Sums of products over the last axes: of two vectors, or of each row with each row: `x @ y.T`.

    Raises `ShapeError` if the last axes differ or an argument is neither vector nor matrix.
    """
    for name, v in (("first", x), ("second", y)):
        if type(v) is not BVar:
            checked_plain("inner", v)
        if len(shape_of(v)) not in (1, 2):
            raise ShapeError(f"inner: the {name} argument is {describe(shape_of(v))}; wanted a vector or a matrix")
    if shape_of(x)[-1] != shape_of(y)[-1]:
        raise ShapeError(f"inner: the last axes of {describe(shape_of(x))} and {describe(shape_of(y))} differ")
    if len(shape_of(y)) == 2:
        y = y.T
    return _again(x, y)


_OUTER = bilinear(
    "outer",
    lambda a, b: np.multiply(a[:, None], b),
    lambda g, b, _: g @ b,
    lambda g, a, _: a @ g,
    fresh=True,
)


@overload
def outer(x: BVar[R[M, D]], y: BVar[R[N, D]] | R[N, D], /) -> BVar[L[M, N, D]]: ...
@overload
def outer(x: R[M, D], y: BVar[R[N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def outer(x: R[M, D], y: R[N, D], /) -> L[M, N, D]: ...
def outer(x: Any, y: Any, /) -> Any:
    """The outer product of two vectors: `outer(x, y)[i, j] == x[i] * y[j]`. Raises `ShapeError` for anything else."""
    _want_vectors("outer", x, y)
    return _OUTER(x, y)


def _want_vectors(name: str, x: Any, y: Any) -> None:
    for position, v in (("first", x), ("second", y)):
        if type(v) is not BVar:
            checked_plain(name, v)
        if len(shape_of(v)) != 1:
            matrices = " (write a @ b for products of matrices)" if name == "dot" and shape_of(v) else ""
            raise ShapeError(
                f"{name}: the {position} argument is {describe(shape_of(v))}; wanted a vector R[n]{matrices}"
            )


_CROSS: Function = bilinear(
    "cross",
    lambda a, b: np.cross(a, b),
    lambda g, b, _: _CROSS(b, g),
    lambda g, a, _: _CROSS(g, a),
    fresh=True,
)


@overload
def cross(x: BVar[R[N, D]], y: BVar[R[N, D]] | R[N, D], /) -> BVar[R[N, D]]: ...
@overload
def cross(x: R[N, D], y: BVar[R[N, D]], /) -> BVar[R[N, D]]: ...
@overload
def cross(x: BVar[L[M, N, D]], y: BVar[L[M, N, D]] | L[M, N, D], /) -> BVar[L[M, N, D]]: ...
@overload
def cross(x: L[M, N, D], y: BVar[L[M, N, D]], /) -> BVar[L[M, N, D]]: ...
@overload
def cross(x: R[N, D], y: R[N, D], /) -> R[N, D]: ...
@overload
def cross(x: L[M, N, D], y: L[M, N, D], /) -> L[M, N, D]: ...
def cross(x: Any, y: Any, /) -> Any:
    """The vector perpendicular to two vectors of length 3; of matrices, row by row.

    Raises `ShapeError` for other lengths and for operands of different shapes.
    """
    for operand in (x, y):
        checked("cross", operand)
    shape = shape_of(x)
    if shape != shape_of(y) or len(shape) not in (1, 2) or shape[-1] != 3:
        raise ShapeError(
            f"cross: {describe(shape)} and {describe(shape_of(y))}; wanted two R[3], or two L[m, 3] of as many rows"
        )
    return _CROSS(x, y)


@overload
def kron(a: BVar[L[Any, Any, D]], b: BVar[L[Any, Any, D]] | L[Any, Any, D], /) -> BVar[L[Any, Any, D]]: ...
@overload
def kron(a: L[Any, Any, D], b: BVar[L[Any, Any, D]], /) -> BVar[L[Any, Any, D]]: ...
@overload
def kron(a: BVar[R[Any, D]], b: BVar[R[Any, D]] | R[Any, D], /) -> BVar[R[Any, D]]: ...
@overload
def kron(a: R[Any, D], b: BVar[R[Any, D]], /) -> BVar[R[Any, D]]: ...
@overload
def kron(a: L[Any, Any, D], b: L[Any, Any, D], /) -> L[Any, Any, D]: ...
@overload
def kron(a: R[Any, D], b: R[Any, D], /) -> R[Any, D]: ...
def kron(a: Any, b: Any, /) -> Any:
    """The Kronecker product of two matrices or two vectors: `b` times each element of `a`, in its place.

    Raises `ShapeError` for anything else.
    """
    for operand in (a, b):
        checked("kron", operand)
    x, y = shape_of(a), shape_of(b)
    if len(x) != len(y) or len(x) not in (1, 2):
        raise ShapeError(f"kron: {describe(x)} and {describe(y)}; wanted two matrices or two vectors")
    rank = len(x)
    left, right = tuple(range(rank)), tuple(range(rank, 2 * rank))
    both: Any = contract(
        "kron", (left, right), tuple(k for pair in zip(left, right, strict=True) for k in pair), (a, b)
    )
    return both.reshape(tuple(m * n for m, n in zip(x, y, strict=True)))


# For functions of this module called with operands whose types are unknown.
_again: Any = matmul
