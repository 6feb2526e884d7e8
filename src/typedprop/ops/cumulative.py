"""Running sums and products: cumsum, cumprod, and the product of all the other elements.

Nothing here divides, so zeros are as good as any number, at every order. What makes that possible is one recurrence,
s_i = a_i s_(i-1) + b_i: the derivatives of a running product are such recurrences, and their derivatives are again.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import operator
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, dtype_of, shape_of
from typedprop.bvar import BVar, axis_of
from typedprop.errors import ShapeError
from typedprop.op import Linear, checked_plain, linear, nary, unary
from typedprop.shapes import L, R, Tensor3
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)

Array = np.ndarray[Any, Any]


def _backwards(x: Array, axis: int, reverse: bool) -> Array:
    return np.flip(x, axis) if reverse else x


# Running from the end of the axis to its start if `reverse`, which is the transposed direction.
_cumsum: Linear = linear(
    "cumsum",
    lambda x, axis, reverse: _backwards(np.cumsum(_backwards(x, axis, reverse), axis), axis, reverse),
    lambda g, shape, dtype, axis, reverse: _cumsum(g, axis, not reverse),
    fresh=True,
)


def _shifted(x: Array, axis: int, reverse: bool) -> Array:
    y = np.zeros_like(x)
    to, source = np.moveaxis(y, axis, 0), np.moveaxis(x, axis, 0)
    if reverse:
        to[:-1] = source[1:]
    else:
        to[1:] = source[:-1]
    return y


# Each element in the place of the next one along the axis (of the one before, if `reverse`), and a zero at the end.
_shift: Linear = linear(
    "shift", _shifted, lambda g, shape, dtype, axis, reverse: _shift(g, axis, not reverse), fresh=True
)


def _recurrence_of_arrays(a: Array, b: Array, axis: int, reverse: bool) -> Array:
    """In log2(n) steps, which join runs of 1, 2, 4 elements and so on; in n steps where a product overflows."""
    factors = np.moveaxis(_backwards(a, axis, reverse), axis, 0).copy()
    sums = np.moveaxis(_backwards(b, axis, reverse), axis, 0).copy()
    n = len(sums)
    run = 1
    with np.errstate(all="ignore"):
        while run < n:
            sums[run:] += factors[run:] * sums[:-run]
            factors[run:] = factors[run:] * factors[:-run]
            run *= 2
    if not np.isfinite(sums).all():
        a, sums = np.moveaxis(_backwards(a, axis, reverse), axis, 0), np.moveaxis(_backwards(b, axis, reverse), axis, 0)
        sums = sums.copy()
        for k in range(1, n):
            sums[k] += a[k] * sums[k - 1]
    return _backwards(np.moveaxis(sums, 0, axis), axis, reverse)


# s_i = a_i s_(i-1) + b_i along the axis, from s_0 = b_0; s_i = a_i s_(i+1) + b_i from the other end if `reverse`.
_recurrence: Any = nary(
    "recurrence",
    _recurrence_of_arrays,
    (
        lambda g, a, b, s, axis, reverse: _back(g, a, axis, reverse) * _shift(s, axis, reverse),
        lambda t, a, b, s, axis, reverse: _recurrence(a, t * _shift(s, axis, reverse), axis, reverse),
    ),
    (
        lambda g, a, b, s, axis, reverse: _back(g, a, axis, reverse),
        lambda t, a, b, s, axis, reverse: _recurrence(a, t, axis, reverse),
    ),
)


def _back(g: Value, a: Value, axis: int, reverse: bool) -> Value:
    """The transposed recurrence: it runs the other way, with the factors that led out of each element."""
    return _recurrence(_shift(a, axis, not reverse), g, axis, not reverse)


def _ends(shape: Shape, dtype: Any, axis: int, reverse: bool) -> Array:
    """Zeros but for a 1 where the running direction begins."""
    y = np.zeros(shape, dtype)
    if shape[axis]:
        np.moveaxis(y, axis, 0)[-1 if reverse else 0] = 1
    return y


def _before(x: Value, axis: int, reverse: bool) -> Value:
    """What a running product of x had been before each element, which is 1 at the first."""
    return _shift(x, axis, reverse) + _ends(shape_of(x), dtype_of(x), axis, reverse)


_cumprod: Any = unary(
    "cumprod",
    lambda x, axis, reverse: _backwards(np.cumprod(_backwards(x, axis, reverse), axis), axis, reverse),
    lambda x, y, axis, reverse: (x, y, axis, reverse),
    lambda g, kept: _back(g, kept[0], kept[2], kept[3]) * _before(*kept[1:]),
    lambda t, kept: _recurrence(kept[0], t * _before(*kept[1:]), kept[2], kept[3]),
    fresh=True,
)


def products_of_others(x: Value, axis: int) -> Value:
    """For each element the product of all others along the axis: of those before it and of those after it."""
    return _cumprod(_before(x, axis, False), axis, False) * _cumprod(_before(x, axis, True), axis, True)


@overload
def cumsum(x: BVar[R[N, D]], axis: Literal[0, -1] | None = None) -> BVar[R[N, D]]: ...
@overload
def cumsum(x: BVar[L[M, N, D]], axis: Literal[0, 1, -1, -2]) -> BVar[L[M, N, D]]: ...
@overload
def cumsum(x: BVar[L[M, N, D]], axis: None = None) -> BVar[R[Any, D]]: ...
@overload
def cumsum(x: BVar[Tensor3[M, N, K, D]], axis: Literal[0, 1, 2, -1, -2, -3]) -> BVar[Tensor3[M, N, K, D]]: ...
@overload
def cumsum(x: R[N, D], axis: Literal[0, -1] | None = None) -> R[N, D]: ...
@overload
def cumsum(x: L[M, N, D], axis: Literal[0, 1, -1, -2]) -> L[M, N, D]: ...
@overload
def cumsum(x: L[M, N, D], axis: None = None) -> R[Any, D]: ...
@overload
def cumsum(x: Tensor3[M, N, K, D], axis: Literal[0, 1, 2, -1, -2, -3]) -> Tensor3[M, N, K, D]: ...
def cumsum(x: Any, axis: Any = None) -> Any:
    """The running sums along an axis; without one, of all elements in C order, as a vector.

    Raises `ShapeError` for an axis that x does not have.
    """
    return _running("cumsum", _cumsum, x, axis)


@overload
def cumprod(x: BVar[R[N, D]], axis: Literal[0, -1] | None = None) -> BVar[R[N, D]]: ...
@overload
def cumprod(x: BVar[L[M, N, D]], axis: Literal[0, 1, -1, -2]) -> BVar[L[M, N, D]]: ...
@overload
def cumprod(x: BVar[L[M, N, D]], axis: None = None) -> BVar[R[Any, D]]: ...
@overload
def cumprod(x: BVar[Tensor3[M, N, K, D]], axis: Literal[0, 1, 2, -1, -2, -3]) -> BVar[Tensor3[M, N, K, D]]: ...
@overload
def cumprod(x: R[N, D], axis: Literal[0, -1] | None = None) -> R[N, D]: ...
@overload
def cumprod(x: L[M, N, D], axis: Literal[0, 1, -1, -2]) -> L[M, N, D]: ...
@overload
def cumprod(x: L[M, N, D], axis: None = None) -> R[Any, D]: ...
@overload
def cumprod(x: Tensor3[M, N, K, D], axis: Literal[0, 1, 2, -1, -2, -3]) -> Tensor3[M, N, K, D]: ...
def cumprod(x: Any, axis: Any = None) -> Any:
    """The running products along an axis; without one, of all elements in C order, as a vector. Zeros are fine.

    Raises `ShapeError` for an axis that x does not have.
    """
    return _running("cumprod", _cumprod, x, axis)


def _running(name: str, running: Any, x: Any, axis: Any) -> Any:
    if type(x) is not BVar:
        x = checked_plain(name, x)
    if not shape_of(x):
        raise ShapeError(f"{name}: wanted an array, got a float")
    if axis is None:
        x, axis = x.reshape(-1), 0
    number: int = axis_of(name, shape_of(x), operator.index(axis))
    return running(x, number % len(shape_of(x)), False)
