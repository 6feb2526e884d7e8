"""`covariance` and `trace`: what is summed up of a matrix."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import checked_plain
from typedprop.ops.diagonal import take_diag
from typedprop.ops.linalg.checks import want_matrix
from typedprop.shapes import L

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


@overload
def covariance(x: BVar[L[M, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def covariance(x: L[M, N, D], /) -> L[N, N, D]: ...
def covariance(x: Any, /) -> Any:
    """The covariance matrix of the columns, each row being one observation; the mean of the rows is `mean(x, axis=0)`.

    It is the unbiased one, with `m - 1` in the denominator. Raises `ShapeError` for fewer than two rows.
    """
    shape = want_matrix("covariance", x, "x")
    if shape[0] < 2:
        raise ShapeError(f"covariance: x is {describe(shape)}; wanted two rows, that is observations, or more")
    x = x if type(x) is BVar else checked_plain("covariance", x)
    deviation = x - x.mean(axis=0)
    return (deviation.T @ deviation) / float(shape[0] - 1)


@overload
def trace(a: BVar[L[M, N, D]], /) -> BVar[float]: ...
@overload
def trace(a: L[M, N, D], /) -> D: ...
def trace(a: Any, /) -> Any:
    """The sum of the diagonal. Raises `ShapeError` for anything but a matrix."""
    want_matrix("trace", a)
    again: Any = take_diag  # a BVar or an array
    return again(a if type(a) is BVar else checked_plain("trace", a)).sum()
