"""Quantiles and the median, of all elements or along an axis.

A quantile is an element, or a mixture of two neighbours in order, and its gradient goes to those; equal elements share.
"""

# The overloads go from exact to gradual, by rank.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import math
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import plain, tie_weights
from typedprop.bvar import BVar
from typedprop.ops.reduction import Axis, Reduction, weighted
from typedprop.shapes import L, One, R, Tensor3
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)


def _value(x: Any, axis: Axis, keepdims: bool, q: float) -> Any:
    # Where an axis is given NumPy answers in float64 for some dtypes.
    y = np.asarray(np.quantile(x, q, axis=axis, keepdims=keepdims)).astype(x.dtype)
    return y if y.ndim else y[()]


def _weights(x: Value, y: Value, axis: Axis, q: float) -> Value:
    """The part of each element: a plain array, for the derivative is constant where there is one."""
    top = plain(x)
    columns = top.reshape(-1, 1) if axis is None else np.moveaxis(top, axis, 0)
    ordered = np.sort(columns, axis=0)
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    # NaNs come last in order; one of them makes the quantile NaN, and takes the gradient.
    broken = np.isnan(ordered[-1])
    parts = (1 - (place - low)) * tie_weights(columns, np.where(broken, ordered[-1], ordered[low]), 0)
    parts += (place - low) * tie_weights(columns, np.where(broken, ordered[-1], ordered[high]), 0)
    return np.ascontiguousarray(parts.reshape(top.shape) if axis is None else np.moveaxis(parts, 0, axis))


_QUANTILE = weighted("quantile", _value, _weights)
_MEDIAN = weighted(
    "median", lambda x, axis, keepdims: _value(x, axis, keepdims, 0.5), lambda x, y, axis: _weights(x, y, axis, 0.5)
)


def _one_axis(name: str, axis: Any) -> Any:
    if isinstance(axis, tuple):
        raise TypeError(f"{name}: axis is {axis}; wanted one axis, or None for all of them")
    return axis


median: Reduction = Reduction(
    "median",
    lambda x, axis, keepdims: _MEDIAN(x, _one_axis("median", axis), keepdims),
    "The middle element in order, or the mean of the two in the middle; equal elements share the gradient equally.",
)


@overload
def quantile(
    x: BVar[R[N, D]], q: float, axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False
) -> BVar[float]: ...
@overload
def quantile(
    x: BVar[R[N, D]], q: float, axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]
) -> BVar[R[One, D]]: ...
@overload
def quantile(x: BVar[L[M, N, D]], q: float, axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
@overload
def quantile(
    x: BVar[L[M, N, D]], q: float, axis: Literal[0, -2], *, keepdims: Literal[False] = False
) -> BVar[R[N, D]]: ...
@overload
def quantile(
    x: BVar[L[M, N, D]], q: float, axis: Literal[1, -1], *, keepdims: Literal[False] = False
) -> BVar[R[M, D]]: ...
@overload
def quantile(x: BVar[L[M, N, D]], q: float, axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
@overload
def quantile(x: BVar[L[M, N, D]], q: float, axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
@overload
def quantile(x: BVar[L[M, N, D]], q: float, axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
@overload
def quantile(
    x: BVar[Tensor3[M, N, K, D]], q: float, axis: None = None, *, keepdims: Literal[False] = False
) -> BVar[float]: ...
@overload
def quantile(
    x: BVar[Tensor3[M, N, K, D]], q: float, axis: Literal[0, -3], *, keepdims: Literal[False] = False
) -> BVar[L[N, K, D]]: ...
@overload
def quantile(
    x: BVar[Tensor3[M, N, K, D]], q: float, axis: Literal[1, -2], *, keepdims: Literal[False] = False
) -> BVar[L[M, K, D]]: ...
@overload
def quantile(
    x: BVar[Tensor3[M, N, K, D]], q: float, axis: Literal[2, -1], *, keepdims: Literal[False] = False
) -> BVar[L[M, N, D]]: ...
@overload
def quantile(x: R[N, D], q: float, axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False) -> D: ...
@overload
def quantile(x: R[N, D], q: float, axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]) -> R[One, D]: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: None = None, *, keepdims: Literal[False] = False) -> D: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> R[N, D]: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> R[M, D]: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: None = None, *, keepdims: Literal[True]) -> L[One, One, D]: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: Literal[0, -2], *, keepdims: Literal[True]) -> L[One, N, D]: ...
@overload
def quantile(x: L[M, N, D], q: float, axis: Literal[1, -1], *, keepdims: Literal[True]) -> L[M, One, D]: ...
@overload
def quantile(x: Tensor3[M, N, K, D], q: float, axis: None = None, *, keepdims: Literal[False] = False) -> D: ...
@overload
def quantile(
    x: Tensor3[M, N, K, D], q: float, axis: Literal[0, -3], *, keepdims: Literal[False] = False
) -> L[N, K, D]: ...
@overload
def quantile(
    x: Tensor3[M, N, K, D], q: float, axis: Literal[1, -2], *, keepdims: Literal[False] = False
) -> L[M, K, D]: ...
@overload
def quantile(
    x: Tensor3[M, N, K, D], q: float, axis: Literal[2, -1], *, keepdims: Literal[False] = False
) -> L[M, N, D]: ...
def quantile(x: Any, q: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The element below which the part `q` of all lies, by linear interpolation between two neighbours in order.

    Equal elements share the gradient equally. Raises `ValueError` for a q outside of 0 to 1, and `ShapeError` for an
    axis that x does not have, or without elements.
    """
    if isinstance(q, bool | BVar) or not isinstance(q, float | int | np.floating) or not 0 <= q <= 1:
        raise ValueError(f"quantile: q is {q!r}; wanted one number from 0 to 1")
    return _QUANTILE(x, _one_axis("quantile", axis), keepdims, float(q))
