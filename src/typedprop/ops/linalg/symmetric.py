"""`sym` and `mTm`: symmetric matrices made from others."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.bvar import BVar
from typedprop.op import checked_plain
from typedprop.ops.linalg.checks import want_matrix, want_square
from typedprop.shapes import L

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


@overload
def sym(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def sym(a: L[N, N, D], /) -> L[N, N, D]: ...
def sym(a: Any, /) -> Any:
    """The symmetric part of a matrix, `(a + a.T) / 2`. Raises `ShapeError` unless the matrix is square."""
    want_square("sym", a)
    a = a if type(a) is BVar else checked_plain("sym", a)
    return (a + a.T) * 0.5


@overload
def mTm(a: BVar[L[M, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def mTm(a: L[M, N, D], /) -> L[N, N, D]: ...
def mTm(a: Any, /) -> Any:
    """`a.T @ a`, which is symmetric. Raises `ShapeError` for anything but a matrix."""
    want_matrix("mTm", a)
    a = a if type(a) is BVar else checked_plain("mTm", a)
    return a.T @ a
