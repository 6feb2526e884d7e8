"""Typed constructors: plain NumPy arrays whose sizes the type checker knows.

`zeros`, `ones`, `full`, `eye` and the random `normal` and `uniform` take their sizes one by one; `vector`, `matrix` and
`tensor` check data that comes from elsewhere. A size that is a `Dim` is in the result's type: `zeros(Hidden(300))` is
an `R[Hidden]`. A bare int is not, it makes an `R[Any]`, which fits any declared size: `x: R[Literal[3]] = zeros(3)`.
The overloads that say so are in arrays.pyi.

All results are float64 unless `dtype` says otherwise, freshly made and C-contiguous; none shares memory with its data.
Sizes that disagree raise `ShapeError`, data or a dtype of the wrong kind `DTypeError`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from typedprop.errors import DTypeError, ShapeError

Number: TypeAlias = np.float64 | np.float32 | np.integer | np.bool
Array: TypeAlias = npt.NDArray[Number]
DType: TypeAlias = type[Number] | np.dtype[Number]

# The kinds of data that an array of each kind is made from: integers become floats, nothing becomes anything else.
_FROM = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}


def zeros(*sizes: int, dtype: DType = np.float64) -> Array:
    """An array of zeros, of one to four sizes."""
    return np.zeros(checked_shape("zeros", sizes), checked_dtype("zeros", dtype))


def ones(*sizes: int, dtype: DType = np.float64) -> Array:
    """An array of ones, of one to four sizes."""
    return np.ones(checked_shape("ones", sizes), checked_dtype("ones", dtype))


def full(*sizes: int, fill_value: float, dtype: DType = np.float64) -> Array:
    """An array of one to four sizes that is `fill_value` throughout."""
    shape = checked_shape("full", sizes)
    return np.full(shape, _converted("full", "fill_value", fill_value, checked_dtype("full", dtype)))


def eye(n: int, /, *, dtype: DType = np.float64) -> Array:
    """The n-by-n identity matrix."""
    return np.eye(*checked_shape("eye", (n,)), dtype=checked_dtype("eye", dtype))


def vector(data: npt.ArrayLike, n: int | None = None, *, dtype: DType = np.float64) -> Array:
    """A vector with a copy of `data`, a sequence or array of numbers, whose length must be `n` if that is given.

    Integers become floats. Raises `DTypeError` for data that holds bools, complex numbers or no numbers at all, unless
    `dtype` is `np.bool` and the data too; an integer dtype takes integers only.
    """
    return _from_data("vector", data, 1, () if n is None else (n,), dtype)


def matrix(data: npt.ArrayLike, m: int | None = None, n: int | None = None, *, dtype: DType = np.float64) -> Array:
    """A matrix with a copy of `data`, a sequence of rows or a two-dimensional array, checked as `vector` checks.

    The sizes are given both, and must be the data's, or neither.
    """
    if (m is None) != (n is None):
        raise TypeError("matrix takes both sizes or none: matrix(data, m, n) or matrix(data)")
    return _from_data("matrix", data, 2, () if m is None or n is None else (m, n), dtype)


def tensor(data: npt.ArrayLike, /, *sizes: int, dtype: DType = np.float64) -> Array:
    """An array of three or four axes with a copy of `data`, whose shape must be `sizes`, checked as `vector` checks."""
    if len(sizes) not in (3, 4):
        raise TypeError(
            f"tensor takes 3 or 4 sizes after the data, but got {len(sizes)}; "
            "for one or two there are vector(data, n) and matrix(data, m, n)"
        )
    return _from_data("tensor", data, len(sizes), sizes, dtype)


def normal(
    rng: np.random.Generator, /, *sizes: int, loc: float = 0.0, scale: float = 1.0, dtype: DType = np.float64
) -> Array:
    """Independent draws from the normal distribution of mean `loc` and standard deviation `scale`.

    A float32 result is the float64 one rounded. Raises ValueError for a negative scale.
    """
    shape, dtype = _random_arguments("normal", rng, sizes, dtype)
    return rng.normal(loc, scale, shape).astype(dtype, copy=False)


def uniform(
    rng: np.random.Generator, /, *sizes: int, low: float = 0.0, high: float = 1.0, dtype: DType = np.float64
) -> Array:
    """Independent draws from the uniform distribution on [low, high).

    A float32 result is the float64 one rounded, which may be `high` itself. Raises ValueError if low exceeds high.
    """
    shape, dtype = _random_arguments("uniform", rng, sizes, dtype)
    if low > high:
        raise ValueError(f"uniform: low is {low}, above high, which is {high}")
    return rng.uniform(low, high, shape).astype(dtype, copy=False)


def checked_shape(function: str, sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes that are sizes, as a shape; `function` is who asks."""
    if len(sizes) == 1 and isinstance(sizes[0], Sequence):
        raise TypeError(f"{function} takes its sizes one by one: {function}(3, 4), not {function}((3, 4))")
    if not 1 <= len(sizes) <= 4:
        raise TypeError(f"{function} takes 1 to 4 sizes, but got {len(sizes)}")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"{function}: a size is an int, but {size!r} is of type {type(size).__name__}")
        if size < 0:
            raise ShapeError(f"{function}: a size cannot be negative, but one is {size!r}")
        if size > sys.maxsize:
            raise ShapeError(
                f"{function}: a size is an int of {int(size).bit_length()} bits, more than an array can have"
            )
    return tuple(map(int, sizes))


def checked_dtype(function: str, dtype: DType) -> np.dtype[Number]:
    """A dtype that typedprop has; `function` is who asks."""
    chosen = np.dtype(dtype)
    if chosen.kind not in _FROM or (chosen.kind == "f" and chosen.itemsize not in (4, 8)):
        raise DTypeError(
            f"{function}: dtype is {chosen}; it can be np.float64, np.float32, or for plain data an integer or np.bool"
        )
    return chosen


def _random_arguments(
    function: str, rng: np.random.Generator, sizes: Sequence[int], dtype: DType
) -> tuple[tuple[int, ...], np.dtype[Number]]:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{function}: rng is of type {type(rng).__name__}, not a np.random.Generator; "
            f"write {function}(np.random.default_rng(seed), ...)"
        )
    chosen = checked_dtype(function, dtype)
    if chosen.kind != "f":
        raise DTypeError(f"{function}: dtype is {chosen}, but the draws are floats: np.float64 or np.float32")
    return checked_shape(function, sizes), chosen


def _from_data(function: str, data: npt.ArrayLike, rank: int, sizes: Sequence[int], dtype: DType) -> Array:
    array = _converted(function, "data", data, checked_dtype(function, dtype))
    if array.ndim != rank:
        raise ShapeError(
            f"{function}: data has {array.ndim} axes (shape {array.shape}), but a {function} has {rank}; "
            "reshape it, or use the constructor for its rank (vector, matrix, tensor)"
        )
    if sizes and array.shape != checked_shape(function, sizes):
        declared = ", ".join(map(repr, sizes))
        raise ShapeError(
            f"{function}: data has shape {array.shape}, but the declared sizes are ({declared}); "
            "give data of that shape, or declare the sizes that it has"
        )
    return array


def _converted(function: str, argument: str, data: npt.ArrayLike, dtype: np.dtype[Number]) -> Array:
    """A C-contiguous copy of the data in the dtype, if that means the same numbers (floats may be rounded)."""
    if isinstance(data, np.ma.MaskedArray):
        raise DTypeError(
            f"{function}: {argument} is a MaskedArray, whose mask would be lost; fill it first: .filled(...), or take "
            "what is not masked: .compressed()"
        )
    try:
        given = np.asarray(data)
    except ValueError as error:
        raise ShapeError(
            f"{function}: {argument} is ragged: its rows, or the parts of a row, differ in length; make them equal"
        ) from error
    if given.size and given.dtype.kind not in _FROM[dtype.kind]:
        what = "is" if isinstance(data, np.ndarray | np.generic) else f"is a {type(data).__name__}"
        raise DTypeError(
            f"{function}: {argument} {what} of dtype {given.dtype}, which does not become {dtype} by itself; "
            "convert it first, or choose the dtype (dtype=...) that it has"
        )
    array = np.array(given, dtype=dtype, order="C")
    if dtype.kind in "iu" and not np.array_equal(array, given):
        raise DTypeError(f"{function}: {argument} holds integers that {dtype} cannot represent; choose a wider dtype")
    return array
