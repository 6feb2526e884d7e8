"""Diagonals and triangles of matrices: diag, take_diag, tril, triu. All linear; they keep the dtype."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, shape_of
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import Linear, linear
from typedprop.ops.plain import applied, operand
from typedprop.shapes import L, R, Tensor3

B = TypeVar("B", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)


def _on_diagonal(x: Any, shape: tuple[int, int], k: int) -> Any:
    y = np.zeros(shape, x.dtype)
    rows = np.arange(len(x)) + max(-k, 0)
    y[rows, rows + k] = x
    return y


# Each is the transpose of the other: the k-th diagonal of a matrix, and a matrix of zeros but for it.
_take: Linear = linear(
    "take_diag", lambda x, k: np.diagonal(x, k), lambda g, shape, _dtype, k: _put(g, shape, k), fresh=True
)
_put: Linear = linear("diag", _on_diagonal, lambda g, _shape, _dtype, _matrix, k: _take(g, k))


@overload
def diag(x: BVar[R[N, D]], /, k: Literal[0] = 0) -> BVar[L[N, N, D]]: ...
@overload
def diag(x: BVar[R[N, D]], /, k: int) -> BVar[L[Any, Any, D]]: ...
@overload
def diag(x: R[N, D], /, k: Literal[0] = 0) -> L[N, N, D]: ...
@overload
def diag(x: R[N, D], /, k: int) -> L[Any, Any, D]: ...
def diag(x: Any, /, k: int = 0) -> Any:
    """The matrix with the vector `x` on its k-th diagonal, and zeros elsewhere. `ShapeError` for anything but a vector.

    For the diagonal of a matrix there is `take_diag`.
    """
    x = operand("diag", x)
    shape = shape_of(x)
    if len(shape) != 1:
        raise ShapeError(f"diag: x is {describe(shape)}; wanted a vector R[n] (take_diag gives a matrix's diagonal)")
    size = shape[0] + abs(k)
    return applied(_put, x, (size, size), k)


@overload
def take_diag(x: BVar[L[N, N, D]], /, k: Literal[0] = 0) -> BVar[R[N, D]]: ...
@overload
def take_diag(x: BVar[L[Any, Any, D]], /, k: int = 0) -> BVar[R[Any, D]]: ...
@overload
def take_diag(x: L[N, N, D], /, k: Literal[0] = 0) -> R[N, D]: ...
@overload
def take_diag(x: L[Any, Any, D], /, k: int = 0) -> R[Any, D]: ...
def take_diag(x: Any, /, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, which need not be square. Raises `ShapeError` for a diagonal outside of it."""
    x = operand("take_diag", x)
    shape = shape_of(x)
    if len(shape) != 2:
        raise ShapeError(f"take_diag: x is {describe(shape)}; wanted a matrix L[m, n] (diag makes one from a vector)")
    if not -shape[0] <= k <= shape[1]:
        raise ShapeError(f"take_diag: {describe(shape)} has no diagonal {k}")
    return applied(_take, x, k)


# Projections: their own transposes.
_tril: Linear = linear("tril", lambda x, k: np.tril(x, k), lambda g, _shape, _dtype, k: _tril(g, k), fresh=True)
_triu: Linear = linear("triu", lambda x, k: np.triu(x, k), lambda g, _shape, _dtype, k: _triu(g, k), fresh=True)


@overload
def tril(x: BVar[L[M, N, D]], /, k: int = 0) -> BVar[L[M, N, D]]: ...
@overload
def tril(x: BVar[Tensor3[B, M, N, D]], /, k: int = 0) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def tril(x: L[M, N, D], /, k: int = 0) -> L[M, N, D]: ...
@overload
def tril(x: Tensor3[B, M, N, D], /, k: int = 0) -> Tensor3[B, M, N, D]: ...
def tril(x: Any, /, k: int = 0) -> Any:
    """The lower triangle, zeros above the k-th diagonal; of each matrix of a stack. `ShapeError` for a vector."""
    return applied(_tril, _matrix("tril", x), k)


@overload
def triu(x: BVar[L[M, N, D]], /, k: int = 0) -> BVar[L[M, N, D]]: ...
@overload
def triu(x: BVar[Tensor3[B, M, N, D]], /, k: int = 0) -> BVar[Tensor3[B, M, N, D]]: ...
@overload
def triu(x: L[M, N, D], /, k: int = 0) -> L[M, N, D]: ...
@overload
def triu(x: Tensor3[B, M, N, D], /, k: int = 0) -> Tensor3[B, M, N, D]: ...
def triu(x: Any, /, k: int = 0) -> Any:
    """The upper triangle, zeros below the k-th diagonal; of each matrix of a stack. `ShapeError` for a vector."""
    return applied(_triu, _matrix("triu", x), k)


def _matrix(name: str, x: Any) -> Any:
    x = operand(name, x)
    if len(shape_of(x)) < 2:
        raise ShapeError(f"{name}: x is {describe(shape_of(x))}; wanted a matrix L[m, n]")
    return x
