"""Does a value have the sizes and the dtype that its type promises?

The accepted programs are run with `Promises.check` in the place of `assert_type`, so that what the checkers infer is
held against what NumPy computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import UnionType
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin

import numpy as np

from typedprop.bvar import BVar
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4

V = TypeVar("V")


class Promises:
    """Compares values with types. A `Dim` stands for one size throughout."""

    def __init__(self) -> None:
        self.checked = 0
        self._sizes: dict[type[Dim], int] = {}

    def check(self, value: V, promised: Any, /) -> V:
        """Returns the value, as `assert_type` does. Raises AssertionError if it is not what its type promises."""
        assert self.kept(value, promised), f"{value!r} is not what {promised} promises"
        self.checked += 1
        return value

    def kept(self, value: object, promised: Any) -> bool:
        """Whether the value is of the type, down to the sizes, the dtypes and the items of tuples and lists."""
        origin, arguments = get_origin(promised), get_args(promised)
        if origin in (Union, UnionType):
            return any(self.kept(value, member) for member in arguments)
        if promised is Any or isinstance(promised, TypeVar):
            return True
        if isinstance(promised, NewType):
            return self.kept(value, promised.__supertype__)
        if origin is BVar:
            return isinstance(value, BVar) and self.kept(value.value, arguments[0])
        if origin in (R, L, Tensor3, Tensor4):
            *sizes, dtype = arguments
            return (
                type(value) is np.ndarray
                and isinstance(value, origin)
                and (dtype is Any or isinstance(dtype, TypeVar) or value.dtype == dtype)
                and all(map(self._fits, value.shape, sizes))
            )
        if origin is tuple and arguments[-1] is Ellipsis:
            return isinstance(value, tuple) and all(self.kept(item, arguments[0]) for item in value)
        if origin is tuple:
            return isinstance(value, tuple) and len(value) == len(arguments) and all(map(self.kept, value, arguments))
        if origin is list:
            return isinstance(value, Iterable) and all(self.kept(item, arguments[0]) for item in value)
        if origin is Callable:
            return callable(value)
        cls: type = origin or promised
        # A number is of the very type: np.float64 is a float, too. What has subclasses of its own may be of one.
        return type(value) is cls or (cls.__module__.startswith("typedprop") and isinstance(value, cls))

    def _fits(self, size: int, promised: Any) -> bool:
        if get_origin(promised) is Literal:
            return size in get_args(promised)
        if isinstance(promised, type) and issubclass(promised, Dim):
            return self._sizes.setdefault(promised, size) == size
        return True  # Any, or a type variable
