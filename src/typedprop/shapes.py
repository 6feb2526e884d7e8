"""`R[N]`, `L[M, N]`, `Tensor3`, `Tensor4` and `Dim`: how an array's sizes are written in a type.

`R[N]` is a vector of length N and `L[M, N]` an M-by-N matrix, the names of Haskell's hmatrix; the last parameter is the
dtype, `np.float64` where it is left out. They are names for the type checker, which reads shapes.pyi, where they are
subclasses of `np.ndarray`. The values are ordinary NumPy arrays. At run time the names can be subscripted,
`isinstance(x, R)` answers by rank, and they cannot be called.

A size is a subclass of `Dim`, a `Literal`, a type variable, or `Any` where it is not known.
"""

from __future__ import annotations

from types import GenericAlias
from typing import Any, Literal, Self, cast

import numpy as np

One = Literal[1]
"""The size of an axis that a reduction with `keepdims=True` leaves, and that broadcasts against any other."""


class _ShapeType(type):
    """The type of R, L, Tensor3 and Tensor4; it answers for them at run time."""

    rank: int
    maker: str

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, np.ndarray) and instance.ndim == cls.rank

    def __getitem__(cls, parameters: object) -> GenericAlias:
        """The alias with all its parameters, the dtype included, so that `typing.get_args` always ends with it."""
        given = cast("tuple[object, ...]", parameters) if isinstance(parameters, tuple) else (parameters,)
        if len(given) == cls.rank:
            given = (*given, np.float64)
        if len(given) != cls.rank + 1:
            sizes = "1 size" if cls.rank == 1 else f"{cls.rank} sizes"
            raise TypeError(f"{cls.__name__} takes {sizes} and, if you like, a dtype, but got {len(given)} parameters")
        for size in given[: cls.rank]:
            if isinstance(size, bool | float) or (isinstance(size, int) and size < 0):
                raise TypeError(
                    f"{cls.__name__}[...]: {size!r} is not a size; write an int of 0 or more, a Literal, "
                    "a subclass of Dim, a type variable or Any"
                )
        return GenericAlias(cls, given)

    def __call__(cls, *args: object, **kwargs: object) -> object:
        raise TypeError(
            f"{cls.__name__} names a type and makes no values: they are plain NumPy arrays. Make one with {cls.maker}"
        )


class R(metaclass=_ShapeType):
    """A vector: `R[N]`, or `R[N, dtype]`."""

    rank = 1
    maker = "tp.vector(data, n) or tp.zeros(n)"


class L(metaclass=_ShapeType):
    """A matrix of M rows and N columns: `L[M, N]`, or `L[M, N, dtype]`."""

    rank = 2
    maker = "tp.matrix(data, m, n) or tp.zeros(m, n)"


class Tensor3(metaclass=_ShapeType):
    """An array of three axes: `Tensor3[A, B, C]`, or `Tensor3[A, B, C, dtype]`."""

    rank = 3
    maker = "tp.tensor(data, a, b, c) or tp.zeros(a, b, c)"


class Tensor4(metaclass=_ShapeType):
    """An array of four axes: `Tensor4[A, B, C, D]`, or `Tensor4[A, B, C, D, dtype]`."""

    rank = 4
    maker = "tp.tensor(data, a, b, c, d) or tp.zeros(a, b, c, d)"


class Dim(int):
    """A named dimension: subclass it, and an instance carries the size.

    `class Hidden(Dim): ...` makes `Hidden` a size for the checker, as in `R[Hidden]`, and `Hidden(300)` is the int 300
    at run time.
    """

    __slots__ = ()

    def __new__(cls, size: int | np.integer[Any]) -> Self:
        """Raises TypeError for anything but an int (a bool is none), and ValueError for a negative one."""
        given: object = size  # at run time it can be anything
        if isinstance(given, bool) or not isinstance(given, int | np.integer):
            raise TypeError(f"{cls.__name__}({given!r}): a size is an int, not {type(given).__name__}")
        if size < 0:
            raise ValueError(f"{cls.__name__}({int(size)}): a size cannot be negative")
        return super().__new__(cls, size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    __str__ = int.__repr__  # it is an int: f"{hidden} units" prints the number
