"""Sums of what was read from an array by index, kept as index and value until somebody needs the whole array.

A vector whose `n` elements are read one by one receives `n` cotangents that are zero but for one element. Written as
arrays, they would make the gradient of a loop over the elements quadratic; like this they go into one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from typedprop.leaves import added

# A plain number or array, or a differentiable value of an enclosing tape.
Value = Any


def is_plain(x: Value) -> bool:
    """Whether `x` is an array or number rather than a differentiable value of an enclosing tape."""
    return isinstance(x, _PLAIN)


# Tuples made once: `isinstance(x, A | B)` makes the union anew at each call, which costs more than the test.
_PLAIN: Final = (np.ndarray, float, int, np.generic)
_PLACES: Final = (slice, int, np.integer)


def selects_once(index: Any) -> bool:
    """Whether `index` selects each element at most once, whatever the values in it: it has no array of integers."""
    if isinstance(index, _PLACES):
        return True
    if isinstance(index, tuple):
        return all(map(selects_once, index))
    if isinstance(index, np.ndarray):
        return bool(index.dtype == np.bool)
    return index is None or index is Ellipsis


def scatter(x: Value, index: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
    """Zeros of `shape` with `x` added at `index`; repeated indices accumulate. The transpose of indexing."""
    if not is_plain(x):
        return x._scatter(index, shape, dtype)
    y = np.zeros(shape, dtype)
    if selects_once(index):
        y[index] = x
    else:
        np.add.at(y, index, x)
    return y


def scatter_all(pairs: Sequence[tuple[Any, Value]], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
    """Zeros of `shape` with the value of each pair `(index, value)` added at its index: a sum of `scatter`s."""
    for _, x in pairs:
        if not is_plain(x):
            return x._scatter_all(pairs, shape, dtype)
    y = np.zeros(shape, dtype)
    for index, x in pairs:
        _add_at(y, index, x)
    return y


def _add_at(y: Any, index: Any, x: Value) -> None:
    """Add `x` into the array `y` at `index`; repeated indices accumulate."""
    kind = type(index)
    if kind is slice:
        # Without writing the sum to where it is already.
        part = y[index]
        np.add(part, x, part)
    elif kind is int or selects_once(index):
        y[index] += x
    else:
        np.add.at(y, index, x)


class IndexSum:
    """The array that is zero but for `value` at an index, by its residual `(index, shape, dtype)`; and what was added.

    A sum of plain values is an array as soon as there are two. Differentiable values are gathered, so that they become
    one operation of the enclosing tape.
    """

    __slots__ = ("_more", "_residual", "_rest", "_value")

    def __init__(self, value: Value, residual: tuple[Any, tuple[int, ...], np.dtype[Any]]) -> None:
        self._value = value
        self._residual = residual
        # Further pairs of index and value, once something was gathered.
        self._more: list[tuple[Any, Value]] | None = None

    def _gather(self) -> list[tuple[Any, Value]]:
        if self._more is None:
            self._more = []
            # The sum of what came as whole arrays.
            self._rest: Value = None
        return self._more

    def dense(self) -> Value:
        """The array, in a buffer of its own."""
        index, shape, dtype = self._residual
        if self._more:
            array = scatter_all([(index, self._value), *self._more], shape, dtype)
        else:
            array = scatter(self._value, index, shape, dtype)
        return array if self._more is None or self._rest is None else added(self._rest, array)


def total(old: Value, new: Value, owned: bool, fresh: bool) -> Value:
    """The sum of two cotangents of one array, of which one is an `IndexSum` at least; `new` is as its rule gave it.

    It may be one of them, changed: an `IndexSum`, an `old` array that is `owned`, or a `new` one that is `fresh`. Other
    arrays stay as they are.
    """
    if type(old) is IndexSum and old._more is None and is_plain(old._value):
        # With another plain value it makes an array.
        if type(new) is not IndexSum:
            old, new, owned = new, old, fresh
        elif is_plain(new._value):
            old, owned = old.dense(), True
    if type(new) is not IndexSum:
        old._gather()
        old._rest = new if old._rest is None else added(old._rest, new)
        return old
    index, value = new._residual[0], new._value
    if type(old) is np.ndarray and is_plain(value):
        array = old if owned else old.copy()
        _add_at(array, index, value)
        return array
    if type(old) is IndexSum:
        old._gather().append((index, value))
        return old
    new._gather()
    new._rest = old
    return new
