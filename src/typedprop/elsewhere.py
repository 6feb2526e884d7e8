"""`asarray`: arrays that another library made, as typed arrays, without a copy, checked at the border.

    x = tp.asarray(frame["dose"], n)                      # a pandas column: R[N]
    w = tp.asarray(torch_layer.weight.detach(), h, i, dtype=np.float32)  # by DLPack: L[H, I, float32]
    big = tp.asarray(np.memmap("pixels.f8", mode="r", shape=(10**6, 784)), rows, pixels)

No library is imported for it: pandas is asked by its own method, torch, JAX and others by DLPack, the rest by NumPy's
protocols. `vector`, `matrix` and `tensor` are for lists, and for a copy.
"""

# The overloads go from exact to gradual, as in arrays.pyi.
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arrays import checked_dtype, checked_shape
from typedprop.errors import DTypeError, ShapeError
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4

A = TypeVar("A", bound=Dim)
B = TypeVar("B", bound=Dim)
C = TypeVar("C", bound=Dim)
D = TypeVar("D", bound=Dim)
T = TypeVar("T", bound=np.float64 | np.float32 | np.integer[Any] | np.bool)

_CPU = 1  # DLPack's number for the main memory


@overload
def asarray(data: object, a: A, /) -> R[A]: ...
@overload
def asarray(data: object, a: Dim, /) -> R[Dim]: ...
@overload
def asarray(data: object, a: int, /) -> R[Any]: ...
@overload
def asarray(data: object, a: A, b: B, /) -> L[A, B]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, /) -> L[Dim, Dim]: ...
@overload
def asarray(data: object, a: A, b: int, /) -> L[A, Any]: ...
@overload
def asarray(data: object, a: Dim, b: int, /) -> L[Dim, Any]: ...
@overload
def asarray(data: object, a: int, b: B, /) -> L[Any, B]: ...
@overload
def asarray(data: object, a: int, b: Dim, /) -> L[Any, Dim]: ...
@overload
def asarray(data: object, a: int, b: int, /) -> L[Any, Any]: ...
@overload
def asarray(data: object, a: A, b: B, c: C, /) -> Tensor3[A, B, C]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, c: Dim, /) -> Tensor3[Dim, Dim, Dim]: ...
@overload
def asarray(data: object, a: int, b: int, c: int, /) -> Tensor3[Any, Any, Any]: ...
@overload
def asarray(data: object, a: A, b: B, c: C, d: D, /) -> Tensor4[A, B, C, D]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, c: Dim, d: Dim, /) -> Tensor4[Dim, Dim, Dim, Dim]: ...
@overload
def asarray(data: object, a: int, b: int, c: int, d: int, /) -> Tensor4[Any, Any, Any, Any]: ...
@overload
def asarray(data: object, a: A, /, *, dtype: type[T]) -> R[A, T]: ...
@overload
def asarray(data: object, a: Dim, /, *, dtype: type[T]) -> R[Dim, T]: ...
@overload
def asarray(data: object, a: int, /, *, dtype: type[T]) -> R[Any, T]: ...
@overload
def asarray(data: object, a: A, b: B, /, *, dtype: type[T]) -> L[A, B, T]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, /, *, dtype: type[T]) -> L[Dim, Dim, T]: ...
@overload
def asarray(data: object, a: A, b: int, /, *, dtype: type[T]) -> L[A, Any, T]: ...
@overload
def asarray(data: object, a: Dim, b: int, /, *, dtype: type[T]) -> L[Dim, Any, T]: ...
@overload
def asarray(data: object, a: int, b: B, /, *, dtype: type[T]) -> L[Any, B, T]: ...
@overload
def asarray(data: object, a: int, b: Dim, /, *, dtype: type[T]) -> L[Any, Dim, T]: ...
@overload
def asarray(data: object, a: int, b: int, /, *, dtype: type[T]) -> L[Any, Any, T]: ...
@overload
def asarray(data: object, a: A, b: B, c: C, /, *, dtype: type[T]) -> Tensor3[A, B, C, T]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, c: Dim, /, *, dtype: type[T]) -> Tensor3[Dim, Dim, Dim, T]: ...
@overload
def asarray(data: object, a: int, b: int, c: int, /, *, dtype: type[T]) -> Tensor3[Any, Any, Any, T]: ...
@overload
def asarray(data: object, a: A, b: B, c: C, d: D, /, *, dtype: type[T]) -> Tensor4[A, B, C, D, T]: ...
@overload
def asarray(data: object, a: Dim, b: Dim, c: Dim, d: Dim, /, *, dtype: type[T]) -> Tensor4[Dim, Dim, Dim, Dim, T]: ...
@overload
def asarray(data: object, a: int, b: int, c: int, d: int, /, *, dtype: type[T]) -> Tensor4[Any, Any, Any, Any, T]: ...
def asarray(data: object, /, *sizes: int, dtype: Any = np.float64) -> Any:
    """`data` as a plain array of one to four axes, which must have these sizes and this dtype; nothing is converted.

    `data` is an array (a memory map too), a pandas Series, Index or DataFrame, a tensor or array on the CPU that speaks
    DLPack (torch, JAX and others), or anything with NumPy's array interface or Python's buffers. The result shares its
    memory, so a change of one is a change of the other, and it is read-only where that is. (A DataFrame whose columns
    lie apart, or whose dtypes differ, is joined by pandas, which copies.) A `BVar` of it is a copy, as ever.

    Raises `ShapeError` for other sizes, `DTypeError` for another dtype, for missing values, and for what is no array
    or not in the main memory.
    """
    shape = checked_shape("asarray", sizes)
    wanted = checked_dtype("asarray", dtype)
    array = _array_of(data)
    if array.shape != shape:
        declared = ", ".join(map(repr, sizes))
        raise ShapeError(f"asarray: data has shape {array.shape}, but the declared sizes are ({declared})")
    if array.dtype != wanted:
        # torch converts by a method and names of its own.
        torch = type(data).__module__.partition(".")[0] == "torch"
        convert = f"convert it first, which copies: {f'.to(torch.{wanted})' if torch else f'.astype(np.{wanted})'}"
        known = array.dtype.isnative and (array.dtype.kind in "iub" or array.dtype.name in ("float32", "float64"))
        way_out = f"pass dtype=np.{array.dtype} for what it is, or {convert}" if known else convert
        raise DTypeError(f"asarray: data is of dtype {array.dtype}, but {wanted} was declared; {way_out}")
    return array


def _array_of(data: Any) -> np.ndarray[Any, np.dtype[Any]]:
    kind = type(data)
    if isinstance(data, np.ma.MaskedArray | np.matrix):
        raise DTypeError(f"asarray: a {kind.__name__} would lose its meaning; pass a plain array")
    if isinstance(data, np.ndarray):
        return np.asarray(data)
    if kind.__module__.partition(".")[0] == "pandas" and hasattr(data, "to_numpy"):
        return _of_pandas(data)
    if hasattr(data, "__dlpack__") and hasattr(data, "__dlpack_device__"):
        return _by_dlpack(data)
    if isinstance(data, list | tuple | str | bytes | int | float) or data is None:
        raise DTypeError(
            f"asarray: a {kind.__name__} is no array; copy it into one by vector, matrix or tensor, which check it, too"
        )
    array = np.asarray(data)
    if array.dtype == object:
        raise DTypeError(f"asarray: a {kind.__name__} is no array of numbers")
    return array


def _of_pandas(data: Any) -> np.ndarray[Any, np.dtype[Any]]:
    # NumPy's own float columns have NaNs, which are values; pandas' own dtypes have gaps.
    columns = [data[name] for name in data.columns] if hasattr(data, "columns") else [data]
    for column in columns:
        if not isinstance(column.dtype, np.dtype) and column.isna().any():
            raise DTypeError(
                f"asarray: the column {column.name!r} ({column.dtype}) has {int(column.isna().sum())} missing values; "
                "fill or drop them first: .fillna(...), .dropna()"
            )
    array: np.ndarray[Any, np.dtype[Any]] = data.to_numpy()
    return array


def _by_dlpack(data: Any) -> np.ndarray[Any, np.dtype[Any]]:
    name = f"{type(data).__module__.partition('.')[0]} {type(data).__name__}"
    if getattr(data, "requires_grad", False):
        raise DTypeError(f"asarray: the {name} requires grad, which ends here; say so with .detach()")
    device: int | None = None
    try:
        device = data.__dlpack_device__()[0]
        if device == _CPU:
            return np.from_dlpack(data)
    # What each library raises for a device, dtype or layout that NumPy does not have is its own.
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        torch = name.startswith("torch ") and device == _CPU
        way_out = "; convert it first, as by .to(torch.float64), .to_dense() or .resolve_conj()" if torch else ""
        raise DTypeError(
            f"asarray: the {name} cannot be shared with NumPy: {str(error).rstrip('.')}{way_out}"
        ) from error
    raise DTypeError(f"asarray: the {name} is not in the main memory; copy it there first, as with .cpu()")
