"""What a user may hand to typedprop by accident or from elsewhere, each beside the ordinary value that it means.

`ordinary` is a float, or a C-contiguous float64 or float32 array in native byte order, which a result must be that of;
None where there is no such value, so that every way in has to refuse it.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np


@attrs.frozen
class Hostile:
    """A value, made anew each time; what it means; and whether typedprop has to take it wherever it takes that."""

    name: str
    make: Callable[[], Any]
    ordinary: Any
    # float64 and float32 arrays in any memory layout, and numbers, are to be taken; other dtypes may be refused.
    is_welcome: bool


BASE = np.array([0.5, -1.5, 2.0])
TINY = 5e-324
HUGE = 1.5e308


def of_numbers() -> list[Hostile]:
    """float64 and float32 of every value and memory layout."""

    def values(*x: float) -> Callable[[], Any]:
        return lambda: np.array(x)

    special = {
        "an array with NaN": values(0.5, np.nan, 2.0),
        "an array with inf": values(0.5, np.inf, -np.inf),
        "an array of subnormals": values(TINY, -2e-310, 0.5),
        "an array of huge numbers": values(HUGE, -HUGE, 0.5),
        "an array of -0.0": values(-0.0, 0.0, 0.5),
        "an array of length 0": values(),
        "an array of shape (0, 3)": lambda: np.zeros((0, 3)),
        "a 0-d array": lambda: np.array(0.5),
    }
    layouts: dict[str, Callable[[], Any]] = {
        "non-contiguous": lambda: np.repeat(BASE, 2)[::2],
        "in Fortran order": lambda: np.asfortranarray(BASE[:, None] * [1.0, 2.0, 4.0]),
        "negative strides": lambda: BASE[::-1].copy()[::-1],
        "strides of 0": lambda: np.broadcast_to(np.array(0.5), (3,)),
        "read-only": _read_only,
        "big-endian": lambda: BASE.astype(">f8"),
        "misaligned": _misaligned,
        "memory-mapped": _memory_mapped,
        "a subclass of ndarray": lambda: BASE.copy().view(Own),
        "float32": lambda: BASE.astype(np.float32),
        "big-endian float32": lambda: BASE.astype(">f4"),
    }
    numbers: dict[str, Callable[[], Any]] = {
        "float": lambda: 0.5,
        "float NaN": lambda: float("nan"),
        "float inf": lambda: float("inf"),
        "float -0.0": lambda: -0.0,
        "float, subnormal": lambda: TINY,
        "float, huge": lambda: HUGE,
        "int": lambda: 2,
        "np.float64": lambda: np.float64(0.5),
        "np.float32": lambda: np.float32(0.5),
    }
    return [
        *(Hostile(name, make, _as_ordinary(make()), True) for name, make in {**special, **layouts}.items()),
        *(Hostile(name, make, _as_ordinary(make()), True) for name, make in numbers.items()),
    ]


def of_other_kinds() -> list[Hostile]:
    """What is an array of numbers, or a number, of a kind that has no derivative; as plain data some of them do."""
    made: dict[str, Callable[[], Any]] = {
        "an int64 array": lambda: np.array([1, 0, 2]),
        "a uint8 array": lambda: np.array([1, 0, 2], np.uint8),
        "a bool array": lambda: np.array([True, False, True]),
        "a float16 array": lambda: BASE.astype(np.float16),
        "a longdouble array": lambda: BASE.astype(np.longdouble),
        "bool": lambda: True,
        "np.bool": lambda: np.bool(True),
        "np.int64": lambda: np.int64(2),
        "np.float16": lambda: np.float16(0.5),
        "np.longdouble": lambda: np.longdouble(0.5),
        "a list of floats": lambda: [0.5, -1.5, 2.0],
        "a list of lists": lambda: [[0.5, -1.5], [2.0, 1.0]],
    }
    return [Hostile(name, make, _as_ordinary(make()), False) for name, make in made.items()]


def of_no_numbers() -> list[Hostile]:
    """What means no real number, or not one that a float holds."""
    made: dict[str, Callable[[], Any]] = {
        "an int that no float holds": lambda: 10**400,
        "complex": lambda: 0.5 + 1j,
        "np.complex128": lambda: np.complex128(0.5 + 1j),
        "a complex array": lambda: BASE + 1j,
        "an object array of floats": lambda: BASE.astype(object),
        "an object array of None": lambda: np.array([None, None, None]),
        "a structured array": lambda: np.zeros(3, [("x", "f8")]),
        "an array of strings": lambda: np.array(["a", "b", "c"]),
        "an array of dates": lambda: np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[D]"),
        "a masked array": lambda: np.ma.masked_array(BASE.copy(), [False, True, False]),
        "np.matrix": _matrix,
        "str": lambda: "0.5",
        "bytes": lambda: b"0.5",
        "None": lambda: None,
        "a ragged list": lambda: [[0.5], [1.0, 2.0]],
        "a dict of floats": lambda: {"x": 0.5},
        "a set": lambda: {0.5},
        "a function": lambda: np.sin,
    }
    return [Hostile(name, make, None, False) for name, make in made.items()]


class Own(np.ndarray[Any, Any]):
    """A subclass that means what its base does."""


def _as_ordinary(x: Any) -> Any:
    array = np.asarray(x)
    dtype = np.float32 if array.dtype.type is np.float32 else np.float64
    return np.array(array, dtype, order="C", subok=False) if array.ndim else float(array)


def _read_only() -> Any:
    x = BASE.copy()
    x.flags.writeable = False
    return x


def _misaligned() -> Any:
    x = np.zeros(3 * 8 + 1, np.uint8)[1:].view(np.float64)
    x[:] = BASE
    return x


def _memory_mapped() -> Any:
    with tempfile.TemporaryFile() as file:
        BASE.tofile(file)
        file.flush()
        return np.memmap(file, np.float64, "r", shape=(3,))


def _matrix() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(BASE.copy())


VALUES = [*of_numbers(), *of_other_kinds(), *of_no_numbers()]
