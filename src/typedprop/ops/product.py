"""Products: matrix, inner and outer ones. The operator `@` says the same, and its messages name the sizes."""

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
from typedprop.op import bilinear, checked_plain
from typedprop.shapes import L, R, Tensor3

B = TypeVar("B", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)


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
def matmul(a: L[M, K, D], b: L[K, N, D], /) -> L[M, N, D]: ...
@overload
def matmul(a: L[M, N, D], b: R[N, D], /) -> R[M, D]: ...
@overload
def matmul(a: R[M, D], b: L[M, N, D], /) -> R[N, D]: ...
@overload
def matmul(a: R[N, D], b: R[N, D], /) -> D: ...
def matmul(a: Any, b: Any, /) -> Any:
    """The matrix product `a @ b` of vectors, matrices, or stacks of matrices of one batch size.

    Raises `ShapeError` where the inner sizes differ.
    """
    if type(a) is BVar or type(b) is BVar:
        for x in (a, b):
            if type(x) is not BVar:
                checked_plain("matmul", x)
        return product(a, b)
    a, b = checked_plain("matmul", a), checked_plain("matmul", b)
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


_OUTER = bilinear(
    "outer",
    lambda a, b: np.multiply(a[:, None], b),
    lambda g, b, _: g @ b,
    lambda g, a, _: a @ g,
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
        if len(shape_of(v)) != 1:
            raise ShapeError(f"{name}: the {position} argument is {describe(shape_of(v))}; wanted a vector R[n]")
