"""`BVar[T]`: a value of type `T` that can be differentiated.

Outside of a gradient a `BVar` is a constant: computing with it computes, and records nothing. Inside of one, the
gradient hands the function `BVar`s that belong to its tape, and every operation on them is recorded there.

A `BVar` of an inner gradient may hold a `BVar` of an outer one as its value: the innermost tape records first, with the
value computed by the same operation one level further out, until plain arrays are reached. That is all there is to
higher orders.

The overloads are the product: they are what a type checker knows of sizes. Their implementations are at the end of each
group. A plain operand may stand on either side of an operator.
"""

# Reflected operators overlap with the normal ones of `R` and `L` by design (NumPy arrays refuse BVars, see
# `__array_ufunc__`), and gradual overloads come after exact ones whose signatures they include.
# mypy: disable-error-code="overload-overlap, misc"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Never, Self, TypeAlias, overload

import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar

from typedprop import arithmetic as rules
from typedprop.arithmetic import Binary, Shape, broadcast_shape, describe, dtype_of, plain, shape_of
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.index_sum import scatter, scatter_all, selects_once
from typedprop.leaves import FOUND, NDARRAY, LeafType, leaf_type
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
from typedprop.tape import JOINT, PART, PASS, SCALE, TIMES, TRANSPOSE, Entry, Tape, Value, place_of

V = TypeVar("V")
B = TypeVar("B", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
U = TypeVar("U", bound=int)
K = TypeVar("K", bound=int)
DB = TypeVar("DB", bound=Dim)
DK = TypeVar("DK", bound=Dim)
DM = TypeVar("DM", bound=Dim)
DN = TypeVar("DN", bound=Dim)
D = TypeVar("D", bound=np.generic)
Int = TypeVar("Int", bound=np.integer[Any])
S = TypeVar("S")
# Any array type, for "a scalar with an array"; and a scalar or an array, for "with a scalar", so that a BVar of a
# registered type such as Fraction does not silently mix with floats.
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])
FloatOrArray = TypeVar("FloatOrArray", bound=float | np.ndarray[Any, Any])
One = Literal[1]
# The index types are spelled out: SupportsIndex would let whole arrays through, which have __index__.
Index = int | np.integer[Any]
_All: TypeAlias = "slice[None, None, None]"  # the index `:`
Indices: TypeAlias = list[int] | npt.NDArray[np.integer[Any]]
_NewAxes: TypeAlias = EllipsisType | slice | tuple[slice | EllipsisType | None, ...]
_AnyIndex: TypeAlias = (
    EllipsisType | slice | tuple[Index | slice | EllipsisType | Indices | npt.NDArray[np.bool] | None, ...]
)

# A BVar without a value, by `bare(BVar)`: its callers set the three attributes.
bare: Callable[[type[BVar[Any]]], BVar[Any]] = object.__new__
# What the short ways of the operators use, looked up once.
_NEGATE: Final = rules.NEGATE.code
_TIMES_TRANSPOSE: Final = rules.TIMES_TRANSPOSE[1]


class _Unknown(int):
    """A size that no array has: only `Any` fits it. What a size of 1 becomes beside that is not known either."""


class _OfAnyRank:
    """What no BVar holds: only `Any` fits it."""


class _Swapped:
    """`BVar.mT`. A property has one type for all ranks; what a descriptor gives can be said for each of them."""

    @overload
    def __get__(self, of: BVar[L[M, N, D]], owner: type) -> BVar[L[N, M, D]]: ...
    @overload
    def __get__(self, of: BVar[Tensor3[B, M, N, D]], owner: type) -> BVar[Tensor3[B, N, M, D]]: ...
    @overload
    def __get__(self, of: BVar[Tensor4[K, B, M, N, D]], owner: type) -> BVar[Tensor4[K, B, N, M, D]]: ...
    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    def __get__(self, of: BVar[Any] | None, owner: type) -> BVar[Any] | Self:
        if of is None:
            return self
        if len(shape_of(of._value)) < 2:
            raise ShapeError(f".mT: wanted a matrix or a stack of them, got {describe(of.shape)}")
        return record(of._tape, of._value.mT, (rules.SWAP_LAST.code, of._node, None))


class BVar(Generic[V]):
    """A differentiable value: a float, a float64 or float32 array, or a value of a type that was given to `register`.

    `BVar(x)` lifts a plain value. An array is copied once and the copy never changes, so nothing that a gradient needs
    can be overwritten. A Python int and NumPy's float scalars count as the Python float they equal, and so do values of
    a subclass of float that is not registered. `Fraction` and `Decimal` stay what they are, and their gradients exact.

    Raises `DTypeError` for integer, bool, complex and other arrays, which have no derivative; as plain operands beside
    a BVar (labels, counts, masks) they are welcome.
    """

    __slots__ = ("_node", "_tape", "_value")

    _value: Value
    _tape: Tape | None
    _node: int

    # Equality is by value and values are arrays, so there is no hash.
    __hash__: ClassVar[None]  # type: ignore[assignment]  # object declares a method

    # Only what becomes a float: a float itself, or a NewType of it, keeps its name as V.
    @overload
    def __init__(self: BVar[float], value: int | np.floating[Any]) -> None: ...
    @overload
    def __init__(self, value: V) -> None: ...
    def __init__(self, value: Any) -> None:
        self._value = lifted(value)
        self._tape = None
        self._node = -1

    # -- Looking at the value --------------------------------------------------------------------------------------

    @property
    def value(self) -> V:
        """The plain value: a Python float, or a read-only view of the array."""
        value = plain(self)
        if type(value) is NDARRAY:
            value.flags.writeable = False
            return value.view()  # type: ignore[return-value]  # V is the static name of this very array
        return value  # type: ignore[no-any-return]  # a number of type V

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape; `()` for a scalar."""
        value = self._value
        while type(value) is BVar:
            value = value._value
        return shape_of(value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64 or float32; float64 for a scalar."""
        value = self._value
        while type(value) is BVar:
            value = value._value
        return dtype_of(value)

    @property
    def ndim(self) -> int:
        """The number of axes; 0 for a scalar."""
        return len(shape_of(self._value))

    @property
    def size(self) -> int:
        """The number of elements; 1 for a scalar."""
        return math.prod(shape_of(self._value))

    def __repr__(self) -> str:
        value = plain(self)
        if not shape_of(value):
            return f"BVar({value!r})"
        if 0 < value.size <= 6:
            return f"BVar({value.tolist()})"
        dtype = "" if value.dtype == np.float64 else f", {value.dtype}"
        return f"BVar({describe(value.shape)}{dtype})"

    # Typed as those of `R` and `L` are: of other sizes it is never equal, and beside a plain value it raises.
    @overload  # type: ignore[override]  # object's takes anything
    def __eq__(self, other: BVar[V]) -> bool: ...
    @overload
    def __eq__(self, other: None) -> bool: ...
    def __eq__(self, other: object) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        """Whether two BVars have the same value (shape and all elements), as records compare their fields."""
        if type(other) is BVar:
            x, y = plain(self), plain(other)
            return shape_of(x) == shape_of(y) and bool(np.all(x == y))
        if isinstance(other, float | int | np.ndarray | np.generic) or leaf_type(type(other)) is not None:
            raise TypeError(
                "== between a BVar and a plain value is ambiguous: compare `b.value == x`, or two BVars with =="
            )
        return NotImplemented

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # object's takes anything
        def __ne__(self, other: BVar[V]) -> bool: ...
        @overload
        def __ne__(self, other: None) -> bool: ...
        def __ne__(self, other: object) -> bool: ...  # pyright: ignore[reportIncompatibleMethodOverride]  # as above

    @overload
    def __bool__(self: BVar[float]) -> bool: ...
    @overload
    def __bool__(self) -> Never: ...
    def __bool__(self) -> bool:
        value = plain(self)
        if shape_of(value):
            raise TypeError(
                f"the truth value of a BVar of shape {value.shape} is ambiguous: test `b.value`, or choose elementwise "
                "with tp.where(b.value > 0, ..., ...)"
            )
        return bool(value)

    def __lt__(self: BVar[float], other: BVar[float] | float) -> bool:
        return bool(_comparable(self) < _comparable(other))

    def __le__(self: BVar[float], other: BVar[float] | float) -> bool:
        return bool(_comparable(self) <= _comparable(other))

    def __gt__(self: BVar[float], other: BVar[float] | float) -> bool:
        return bool(_comparable(self) > _comparable(other))

    def __ge__(self: BVar[float], other: BVar[float] | float) -> bool:
        return bool(_comparable(self) >= _comparable(other))

    # -- Arithmetic ------------------------------------------------------------------------------------------------
    @overload
    def __add__(self: BVar[_OfAnyRank], other: BVar[Any]) -> BVar[Any]: ...
    @overload
    def __add__(self: _Named[DK, DB, DM, DN, D], other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __add__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __add__(
        self: _BVarOfTwo4[K, B, One, D, M, N],
        other: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor3[One, M, N, D]], other: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor3[B, One, N, D]], other: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor3[B, M, One, D]], other: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor4[One, B, M, N, D]], other: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor4[K, One, M, N, D]], other: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor4[K, B, One, N, D]], other: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __add__(
        self: BVar[Tensor4[K, B, M, One, D]], other: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __add__(
        self: BVar[L[One, One, D]], other: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D]
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __add__(self: BVar[L[One, N, D]], other: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __add__(self: BVar[L[M, One, D]], other: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __add__(self, other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __add__(self: BVar[FloatOrArray], other: BVar[float] | float) -> BVar[FloatOrArray]: ...
    @overload
    def __add__(self: BVar[float], other: BVar[Arr] | Arr) -> BVar[Arr]: ...
    @overload
    def __add__(
        self: BVar[L[M, N, D]],
        other: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __add__(self: BVar[R[N, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __add__(self, other: int) -> BVar[V]: ...
    def __add__(self, other: Any) -> Any:
        x, tape = self._value, self._tape
        if type(other) is BVar:
            right: BVar[Any] = other
            if right._tape is tape:
                y = right._value
                if type(x) is NDARRAY and type(y) is NDARRAY:
                    dtype, shape_x, shape_y = x.dtype, x.shape, y.shape
                    if dtype is y.dtype:
                        if shape_x != shape_y:
                            return _of_arrays(rules.ADD, tape, self._node, right._node, x, y, shape_x, shape_y, dtype)
                        if tape is None:
                            return constant(x + y)
                        return record(tape, x + y, (PASS, self._node, None, PASS, right._node, None))
                elif type(x) is float and type(y) is float and tape is not None:
                    return record(tape, x + y, (SCALE, self._node, 1.0, SCALE, right._node, 1.0))
        elif type(x) is float and type(other) is float and tape is not None and tape.open:
            b: BVar[Any] = bare(BVar)
            b._value = x + other
            b._tape = tape
            entries = tape.entries
            entry: Entry = (SCALE, self._node, 1.0)
            node = len(entries)
            entries.append(entry)
            b._node = node if entries[node] is entry else place_of(entries, entry, node)
            return b
        return binary(rules.ADD, self, other)

    @overload
    def __radd__(self: BVar[_OfAnyRank], other: np.ndarray[Any, Any]) -> BVar[Any]: ...
    @overload
    def __radd__(self: _Named[DK, DB, DM, DN, D], other: V) -> BVar[V]: ...
    @overload
    def __radd__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __radd__(
        self: _BVarOfTwo4[K, B, One, D, M, N], other: _Two4[K, B, _Unknown, D, M, N]
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor3[One, M, N, D]], other: Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor3[B, One, N, D]], other: Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor3[B, M, One, D]], other: Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor4[One, B, M, N, D]], other: Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor4[K, One, M, N, D]], other: Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor4[K, B, One, N, D]], other: Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __radd__(
        self: BVar[Tensor4[K, B, M, One, D]], other: Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __radd__(self: BVar[L[One, One, D]], other: L[_Unknown, _Unknown, D]) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __radd__(self: BVar[L[One, N, D]], other: L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __radd__(self: BVar[L[M, One, D]], other: L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __radd__(self: BVar[FloatOrArray], other: float) -> BVar[FloatOrArray]: ...
    @overload
    def __radd__(self, other: V) -> BVar[V]: ...
    @overload
    def __radd__(self: BVar[float], other: Arr) -> BVar[Arr]: ...
    @overload
    def __radd__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __radd__(self: BVar[L[M, N, D]], other: R[N, D] | L[M, One, D] | L[One, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __radd__(self, other: int) -> BVar[V]: ...
    def __radd__(self, other: Any) -> Any:
        if type(other) is float and type(self._value) is float:
            return record(self._tape, self._value + other, (SCALE, self._node, 1.0))
        return binary(rules.ADD, other, self)

    @overload
    def __sub__(self: BVar[_OfAnyRank], other: BVar[Any]) -> BVar[Any]: ...
    @overload
    def __sub__(self: _Named[DK, DB, DM, DN, D], other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __sub__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __sub__(
        self: _BVarOfTwo4[K, B, One, D, M, N],
        other: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor3[One, M, N, D]], other: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor3[B, One, N, D]], other: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor3[B, M, One, D]], other: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor4[One, B, M, N, D]], other: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor4[K, One, M, N, D]], other: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor4[K, B, One, N, D]], other: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __sub__(
        self: BVar[Tensor4[K, B, M, One, D]], other: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __sub__(
        self: BVar[L[One, One, D]], other: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D]
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __sub__(self: BVar[L[One, N, D]], other: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __sub__(self: BVar[L[M, One, D]], other: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __sub__(self, other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __sub__(self: BVar[FloatOrArray], other: BVar[float] | float) -> BVar[FloatOrArray]: ...
    @overload
    def __sub__(self: BVar[float], other: BVar[Arr] | Arr) -> BVar[Arr]: ...
    @overload
    def __sub__(
        self: BVar[L[M, N, D]],
        other: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __sub__(self: BVar[R[N, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __sub__(self, other: int) -> BVar[V]: ...
    def __sub__(self, other: Any) -> Any:
        x, tape = self._value, self._tape
        if type(other) is BVar:
            right: BVar[Any] = other
            if right._tape is tape:
                y = right._value
                if type(x) is NDARRAY and type(y) is NDARRAY:
                    if x.shape == y.shape and x.dtype is y.dtype:
                        return record(tape, x - y, (PASS, self._node, None, _NEGATE, right._node, None))
                elif type(x) is float and type(y) is float and tape is not None:
                    return record(tape, x - y, (SCALE, self._node, 1.0, SCALE, right._node, -1.0))
        elif type(x) is float and type(other) is float and tape is not None:
            return record(tape, x - other, (SCALE, self._node, 1.0))
        return binary(rules.SUBTRACT, self, other)

    @overload
    def __rsub__(self: BVar[_OfAnyRank], other: np.ndarray[Any, Any]) -> BVar[Any]: ...
    @overload
    def __rsub__(self: _Named[DK, DB, DM, DN, D], other: V) -> BVar[V]: ...
    @overload
    def __rsub__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __rsub__(
        self: _BVarOfTwo4[K, B, One, D, M, N], other: _Two4[K, B, _Unknown, D, M, N]
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor3[One, M, N, D]], other: Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor3[B, One, N, D]], other: Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor3[B, M, One, D]], other: Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor4[One, B, M, N, D]], other: Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor4[K, One, M, N, D]], other: Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor4[K, B, One, N, D]], other: Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __rsub__(
        self: BVar[Tensor4[K, B, M, One, D]], other: Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __rsub__(self: BVar[L[One, One, D]], other: L[_Unknown, _Unknown, D]) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __rsub__(self: BVar[L[One, N, D]], other: L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __rsub__(self: BVar[L[M, One, D]], other: L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __rsub__(self: BVar[FloatOrArray], other: float) -> BVar[FloatOrArray]: ...
    @overload
    def __rsub__(self, other: V) -> BVar[V]: ...
    @overload
    def __rsub__(self: BVar[float], other: Arr) -> BVar[Arr]: ...
    @overload
    def __rsub__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rsub__(self: BVar[L[M, N, D]], other: R[N, D] | L[M, One, D] | L[One, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rsub__(self, other: int) -> BVar[V]: ...
    def __rsub__(self, other: Any) -> Any:
        if type(other) is float and type(self._value) is float:
            return record(self._tape, other - self._value, (SCALE, self._node, -1.0))
        return binary(rules.SUBTRACT, other, self)

    @overload
    def __mul__(self: BVar[_OfAnyRank], other: BVar[Any]) -> BVar[Any]: ...
    @overload
    def __mul__(self: _Named[DK, DB, DM, DN, D], other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __mul__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __mul__(
        self: _BVarOfTwo4[K, B, One, D, M, N],
        other: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor3[One, M, N, D]], other: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor3[B, One, N, D]], other: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor3[B, M, One, D]], other: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor4[One, B, M, N, D]], other: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor4[K, One, M, N, D]], other: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor4[K, B, One, N, D]], other: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __mul__(
        self: BVar[Tensor4[K, B, M, One, D]], other: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __mul__(
        self: BVar[L[One, One, D]], other: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D]
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __mul__(self: BVar[L[One, N, D]], other: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __mul__(self: BVar[L[M, One, D]], other: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __mul__(self, other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __mul__(self: BVar[FloatOrArray], other: BVar[float] | float) -> BVar[FloatOrArray]: ...
    @overload
    def __mul__(self: BVar[float], other: BVar[Arr] | Arr) -> BVar[Arr]: ...
    @overload
    def __mul__(
        self: BVar[L[M, N, D]],
        other: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __mul__(self: BVar[R[N, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __mul__(self, other: int) -> BVar[V]: ...
    def __mul__(self, other: Any) -> Any:
        x, tape = self._value, self._tape
        if type(other) is BVar:
            right: BVar[Any] = other
            if right._tape is tape:
                y = right._value
                if type(x) is NDARRAY and type(y) is NDARRAY:
                    if x.shape == y.shape and x.dtype is y.dtype:
                        return record(tape, x * y, (TIMES, self._node, y, TIMES, right._node, x))
                elif type(x) is float and type(y) is float and tape is not None:
                    return record(tape, x * y, (SCALE, self._node, y, SCALE, right._node, x))
        elif type(x) is float and type(other) is float and tape is not None and tape.open:
            b: BVar[Any] = bare(BVar)
            b._value = x * other
            b._tape = tape
            entries = tape.entries
            entry: Entry = (SCALE, self._node, other)
            node = len(entries)
            entries.append(entry)
            b._node = node if entries[node] is entry else place_of(entries, entry, node)
            return b
        return binary(rules.MULTIPLY, self, other)

    @overload
    def __rmul__(self: BVar[_OfAnyRank], other: np.ndarray[Any, Any]) -> BVar[Any]: ...
    @overload
    def __rmul__(self: _Named[DK, DB, DM, DN, D], other: V) -> BVar[V]: ...
    @overload
    def __rmul__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __rmul__(
        self: _BVarOfTwo4[K, B, One, D, M, N], other: _Two4[K, B, _Unknown, D, M, N]
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor3[One, M, N, D]], other: Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor3[B, One, N, D]], other: Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor3[B, M, One, D]], other: Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor4[One, B, M, N, D]], other: Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor4[K, One, M, N, D]], other: Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor4[K, B, One, N, D]], other: Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __rmul__(
        self: BVar[Tensor4[K, B, M, One, D]], other: Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __rmul__(self: BVar[L[One, One, D]], other: L[_Unknown, _Unknown, D]) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __rmul__(self: BVar[L[One, N, D]], other: L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __rmul__(self: BVar[L[M, One, D]], other: L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __rmul__(self: BVar[FloatOrArray], other: float) -> BVar[FloatOrArray]: ...
    @overload
    def __rmul__(self, other: V) -> BVar[V]: ...
    @overload
    def __rmul__(self: BVar[float], other: Arr) -> BVar[Arr]: ...
    @overload
    def __rmul__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rmul__(self: BVar[L[M, N, D]], other: R[N, D] | L[M, One, D] | L[One, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rmul__(self, other: int) -> BVar[V]: ...
    def __rmul__(self, other: Any) -> Any:
        x, tape = self._value, self._tape
        if type(other) is float and type(x) is float and tape is not None and tape.open:
            b: BVar[Any] = bare(BVar)
            b._value = x * other
            b._tape = tape
            entries = tape.entries
            entry: Entry = (SCALE, self._node, other)
            node = len(entries)
            entries.append(entry)
            b._node = node if entries[node] is entry else place_of(entries, entry, node)
            return b
        return binary(rules.MULTIPLY, other, self)

    @overload
    def __truediv__(self: BVar[_OfAnyRank], other: BVar[Any]) -> BVar[Any]: ...
    @overload
    def __truediv__(self: _Named[DK, DB, DM, DN, D], other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __truediv__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __truediv__(
        self: _BVarOfTwo4[K, B, One, D, M, N],
        other: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor3[One, M, N, D]], other: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor3[B, One, N, D]], other: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor3[B, M, One, D]], other: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor4[One, B, M, N, D]], other: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor4[K, One, M, N, D]], other: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor4[K, B, One, N, D]], other: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[Tensor4[K, B, M, One, D]], other: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __truediv__(
        self: BVar[L[One, One, D]], other: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D]
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __truediv__(
        self: BVar[L[One, N, D]], other: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D]
    ) -> BVar[L[Any, N, D]]: ...
    @overload
    def __truediv__(
        self: BVar[L[M, One, D]], other: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D]
    ) -> BVar[L[M, Any, D]]: ...
    @overload
    def __truediv__(self, other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __truediv__(self: BVar[FloatOrArray], other: BVar[float] | float) -> BVar[FloatOrArray]: ...
    @overload
    def __truediv__(self: BVar[float], other: BVar[Arr] | Arr) -> BVar[Arr]: ...
    @overload
    def __truediv__(
        self: BVar[L[M, N, D]],
        other: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __truediv__(self: BVar[R[N, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __truediv__(self, other: int) -> BVar[V]: ...
    def __truediv__(self, other: Any) -> Any:
        return binary(rules.DIVIDE, self, other)

    @overload
    def __rtruediv__(self: BVar[_OfAnyRank], other: np.ndarray[Any, Any]) -> BVar[Any]: ...
    @overload
    def __rtruediv__(self: _Named[DK, DB, DM, DN, D], other: V) -> BVar[V]: ...
    @overload
    def __rtruediv__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __rtruediv__(
        self: _BVarOfTwo4[K, B, One, D, M, N], other: _Two4[K, B, _Unknown, D, M, N]
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor3[One, M, N, D]], other: Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor3[B, One, N, D]], other: Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor3[B, M, One, D]], other: Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor4[One, B, M, N, D]], other: Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor4[K, One, M, N, D]], other: Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor4[K, B, One, N, D]], other: Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __rtruediv__(
        self: BVar[Tensor4[K, B, M, One, D]], other: Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __rtruediv__(self: BVar[L[One, One, D]], other: L[_Unknown, _Unknown, D]) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __rtruediv__(self: BVar[L[One, N, D]], other: L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __rtruediv__(self: BVar[L[M, One, D]], other: L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __rtruediv__(self: BVar[FloatOrArray], other: float) -> BVar[FloatOrArray]: ...
    @overload
    def __rtruediv__(self, other: V) -> BVar[V]: ...
    @overload
    def __rtruediv__(self: BVar[float], other: Arr) -> BVar[Arr]: ...
    @overload
    def __rtruediv__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rtruediv__(self: BVar[L[M, N, D]], other: R[N, D] | L[M, One, D] | L[One, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rtruediv__(self, other: int) -> BVar[V]: ...
    def __rtruediv__(self, other: Any) -> Any:
        return binary(rules.DIVIDE, other, self)

    @overload
    def __pow__(self: BVar[_OfAnyRank], other: BVar[Any]) -> BVar[Any]: ...
    @overload
    def __pow__(self: _Named[DK, DB, DM, DN, D], other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __pow__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __pow__(
        self: _BVarOfTwo4[K, B, One, D, M, N],
        other: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor3[One, M, N, D]], other: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor3[B, One, N, D]], other: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor3[B, M, One, D]], other: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor4[One, B, M, N, D]], other: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor4[K, One, M, N, D]], other: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor4[K, B, One, N, D]], other: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __pow__(
        self: BVar[Tensor4[K, B, M, One, D]], other: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __pow__(
        self: BVar[L[One, One, D]], other: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D]
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __pow__(self: BVar[L[One, N, D]], other: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __pow__(self: BVar[L[M, One, D]], other: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __pow__(self, other: BVar[V] | V) -> BVar[V]: ...
    @overload
    def __pow__(self: BVar[FloatOrArray], other: BVar[float] | float) -> BVar[FloatOrArray]: ...
    @overload
    def __pow__(self: BVar[float], other: BVar[Arr] | Arr) -> BVar[Arr]: ...
    @overload
    def __pow__(
        self: BVar[L[M, N, D]],
        other: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __pow__(self: BVar[R[N, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __pow__(self, other: int) -> BVar[V]: ...
    def __pow__(self, other: Any) -> Any:
        return binary(rules.POWER, self, other)

    @overload
    def __rpow__(self: BVar[_OfAnyRank], other: np.ndarray[Any, Any]) -> BVar[Any]: ...
    @overload
    def __rpow__(self: _Named[DK, DB, DM, DN, D], other: V) -> BVar[V]: ...
    @overload
    def __rpow__(
        self: _BVarOfTwo3[B, One, D, M, N], other: _Two3[B, _Unknown, D, M, N]
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __rpow__(
        self: _BVarOfTwo4[K, B, One, D, M, N], other: _Two4[K, B, _Unknown, D, M, N]
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor3[One, M, N, D]], other: Tensor3[_Unknown, M, N, D]
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor3[B, One, N, D]], other: Tensor3[B, _Unknown, N, D]
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor3[B, M, One, D]], other: Tensor3[B, M, _Unknown, D]
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor4[One, B, M, N, D]], other: Tensor4[_Unknown, B, M, N, D]
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor4[K, One, M, N, D]], other: Tensor4[K, _Unknown, M, N, D]
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor4[K, B, One, N, D]], other: Tensor4[K, B, _Unknown, N, D]
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __rpow__(
        self: BVar[Tensor4[K, B, M, One, D]], other: Tensor4[K, B, M, _Unknown, D]
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __rpow__(self: BVar[L[One, One, D]], other: L[_Unknown, _Unknown, D]) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __rpow__(self: BVar[L[One, N, D]], other: L[_Unknown, N, D]) -> BVar[L[Any, N, D]]: ...
    @overload
    def __rpow__(self: BVar[L[M, One, D]], other: L[M, _Unknown, D]) -> BVar[L[M, Any, D]]: ...
    @overload
    def __rpow__(self: BVar[FloatOrArray], other: float) -> BVar[FloatOrArray]: ...
    @overload
    def __rpow__(self, other: V) -> BVar[V]: ...
    @overload
    def __rpow__(self: BVar[float], other: Arr) -> BVar[Arr]: ...
    @overload
    def __rpow__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rpow__(self: BVar[L[M, N, D]], other: R[N, D] | L[M, One, D] | L[One, N, D]) -> BVar[L[M, N, D]]: ...
    def __rpow__(self, other: Any) -> Any:
        return binary(rules.POWER, other, self)

    def __neg__(self) -> BVar[V]:
        x, tape = self._value, self._tape
        if type(x) is float:
            return record(tape, -x, (SCALE, self._node, -1.0))
        return record(tape, -x, (_NEGATE, self._node, None))

    def __pos__(self) -> BVar[V]:
        return self

    def __abs__(self) -> BVar[V]:
        x = self._value
        sign = rules.sign_of(x)
        code = SCALE if type(x) is float else rules.ABSOLUTE.code
        return record(self._tape, abs(x), (code, self._node, sign))

    # -- Products --------------------------------------------------------------------------------------------------

    @overload
    def __matmul__(self: BVar[R[N, D]], other: BVar[R[N, D]] | R[N, D]) -> BVar[float]: ...
    @overload
    def __matmul__(self: BVar[L[M, N, D]], other: BVar[R[N, D]] | R[N, D]) -> BVar[R[M, D]]: ...
    @overload
    def __matmul__(self: BVar[L[M, K, D]], other: BVar[L[K, N, D]] | L[K, N, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __matmul__(self: BVar[R[M, D]], other: BVar[L[M, N, D]] | L[M, N, D]) -> BVar[R[N, D]]: ...
    @overload
    def __matmul__(
        self: BVar[Tensor3[B, M, K, D]], other: BVar[Tensor3[B, K, N, D]] | Tensor3[B, K, N, D]
    ) -> BVar[Tensor3[B, M, N, D]]: ...
    @overload
    def __matmul__(
        self: BVar[Tensor3[B, M, K, D]], other: BVar[L[K, N, D]] | L[K, N, D]
    ) -> BVar[Tensor3[B, M, N, D]]: ...
    def __matmul__(self, other: Any) -> Any:
        # The frequent cases, of arrays on one tape or none, or with plain data, need no questions about tapes.
        tape, x = self._tape, self._value
        y, node = other, -1
        if type(other) is BVar:
            # Said for mypyc, as in `binary`.
            right: BVar[Any] = other
            if right._tape is tape:
                y, node = right._value, right._node
        if type(x) is NDARRAY and type(y) is NDARRAY and x.dtype is y.dtype:
            matrix = -1 if tape is None or node < 0 else _transposed(tape, node)
            value, (code_x, code_y) = rules.array_product(x, y, matrix >= 0)
            if tape is None:
                return constant(value)
            if other is self and type(value) is float:
                return record(tape, value, (rules.DOT_ITSELF.code, self._node, x))
            if code_y == _TIMES_TRANSPOSE:
                return record(tape, value, (code_x, self._node, y.T, code_y, matrix, x))
            if node >= 0:
                return record(tape, value, (code_x, self._node, y, code_y, node, x))
            return record(tape, value, (code_x, self._node, y.copy()))
        return product(self, other)

    @overload
    def __rmatmul__(self: BVar[R[N, D]], other: R[N, D]) -> BVar[float]: ...
    @overload
    def __rmatmul__(self: BVar[R[N, D]], other: L[M, N, D]) -> BVar[R[M, D]]: ...
    @overload
    def __rmatmul__(self: BVar[L[K, N, D]], other: L[M, K, D]) -> BVar[L[M, N, D]]: ...
    @overload
    def __rmatmul__(self: BVar[L[K, N, D]], other: R[K, D]) -> BVar[R[N, D]]: ...
    @overload
    def __rmatmul__(self: BVar[Tensor3[B, K, N, D]], other: Tensor3[B, M, K, D]) -> BVar[Tensor3[B, M, N, D]]: ...
    @overload
    def __rmatmul__(self: BVar[L[K, N, D]], other: Tensor3[B, M, K, D]) -> BVar[Tensor3[B, M, N, D]]: ...
    def __rmatmul__(self, other: Any) -> Any:
        # The frequent case, of the data of a batch.
        tape, y = self._tape, self._value
        if type(other) is NDARRAY and type(y) is NDARRAY and other.dtype is y.dtype:
            if tape is None:
                return constant(rules.array_product(other, y)[0])
            x = other.copy()
            matrix = _transposed(tape, self._node)
            value, (_, right) = rules.array_product(x, y, matrix >= 0)
            return record(tape, value, (right, matrix if right == _TIMES_TRANSPOSE else self._node, x))
        return product(other, self)

    def dot(self: BVar[R[N, D]], other: BVar[R[N, D]] | R[N, D]) -> BVar[float]:
        """The inner product of two vectors."""
        return self @ other

    # -- Reductions -----------------------------------------------------------------------------------------------

    @overload
    def sum(self, axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def sum(self: BVar[R[N, D]], axis: Literal[0, -1], *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def sum(self: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]) -> BVar[R[One, D]]: ...
    @overload
    def sum(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> BVar[R[N, D]]: ...
    @overload
    def sum(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> BVar[R[M, D]]: ...
    @overload
    def sum(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
    @overload
    def sum(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
    @overload
    def sum(self: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
    @overload
    def sum(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def sum(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def sum(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The sum over all elements or along `axis`. Along an axis of length 0 it is 0."""
        return _sum(self, axis if axis is None else axis_of("sum", self.shape, axis), keepdims)

    @overload
    def mean(self, axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def mean(self: BVar[R[N, D]], axis: Literal[0, -1], *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def mean(
        self: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]
    ) -> BVar[R[One, D]]: ...
    @overload
    def mean(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> BVar[R[N, D]]: ...
    @overload
    def mean(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> BVar[R[M, D]]: ...
    @overload
    def mean(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
    @overload
    def mean(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
    @overload
    def mean(self: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
    @overload
    def mean(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def mean(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def mean(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The arithmetic mean over all elements or along `axis`. An empty one raises `ShapeError`."""
        x = self._value
        if type(x) is NDARRAY and axis is None and not keepdims and (size := x.size):
            # The frequent case, of a loss.
            shape, dtype, count = x.shape, x.dtype, float(size)
            mean = rules.total_of_floats(x, shape, dtype) / count
            return record(self._tape, mean, (rules.MEAN.code, self._node, (shape, None, False, dtype, count)))
        shape = self.shape
        axis = axis_of("mean", shape, axis)
        count = float(count_of("mean", shape, axis))
        if not shape:
            return _alone("mean", self)
        value = rules.total(x, axis, keepdims) / count
        return record(self._tape, value, (rules.MEAN.code, self._node, (shape, axis, keepdims, self.dtype, count)))

    @overload
    def max(self, axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def max(self: BVar[R[N, D]], axis: Literal[0, -1], *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def max(self: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]) -> BVar[R[One, D]]: ...
    @overload
    def max(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> BVar[R[N, D]]: ...
    @overload
    def max(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> BVar[R[M, D]]: ...
    @overload
    def max(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
    @overload
    def max(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
    @overload
    def max(self: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
    @overload
    def max(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def max(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def max(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    def max(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The largest element of all or along `axis`; equal ones share the gradient equally."""
        return _select("max", self, axis, keepdims)

    @overload
    def min(self, axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def min(self: BVar[R[N, D]], axis: Literal[0, -1], *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def min(self: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]) -> BVar[R[One, D]]: ...
    @overload
    def min(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> BVar[R[N, D]]: ...
    @overload
    def min(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> BVar[R[M, D]]: ...
    @overload
    def min(self: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
    @overload
    def min(self: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
    @overload
    def min(self: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
    @overload
    def min(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def min(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def min(
        self: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    def min(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        """The smallest element of all or along `axis`; equal ones share the gradient equally."""
        return _select("min", self, axis, keepdims)

    # -- Structure -------------------------------------------------------------------------------------------------

    @property
    def T(self: BVar[L[M, N, D]]) -> BVar[L[N, M, D]]:
        """The transpose of a matrix."""
        x = self._value
        if (x.ndim if type(x) is NDARRAY else len(shape_of(x))) != 2:
            raise ShapeError(f".T: wanted a matrix, got {describe(self.shape)}; use reshape or swapaxes")
        return record(self._tape, x.T, (TRANSPOSE, self._node, None))

    mT: _Swapped = _Swapped()
    """The last two axes swapped: the transpose of a matrix, or of each matrix of a batch."""

    @overload
    def reshape(self: BVar[R[N, D]], shape: DN, /) -> BVar[R[DN, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: DN, /) -> BVar[R[DN, D]]: ...
    @overload
    def reshape(self: BVar[R[N, D]], shape: tuple[DM, DN], /) -> BVar[L[DM, DN, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: tuple[DM, DN], /) -> BVar[L[DM, DN, D]]: ...
    # Catchers: what a declared type rejected above must not slip into the gradual overloads below.
    @overload
    def reshape(self: BVar[R[N, D]], shape: Dim, /) -> BVar[R[Dim, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: Dim, /) -> BVar[R[Dim, D]]: ...
    @overload
    def reshape(self: BVar[R[N, D]], shape: tuple[Dim, Dim], /) -> BVar[L[Dim, Dim, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: tuple[Dim, Dim], /) -> BVar[L[Dim, Dim, D]]: ...
    @overload
    def reshape(self: BVar[R[N, D]], shape: int | tuple[int], /) -> BVar[R[Any, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: int | tuple[int], /) -> BVar[R[Any, D]]: ...
    @overload
    def reshape(self: BVar[R[N, D]], shape: tuple[int, int], /) -> BVar[L[Any, Any, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: tuple[int, int], /) -> BVar[L[Any, Any, D]]: ...
    @overload
    def reshape(self: BVar[R[N, D]], shape: tuple[int, int, int], /) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def reshape(self: BVar[L[M, N, D]], shape: tuple[int, int, int], /) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    # Any other: tp.reshape says more of three and four axes.
    @overload
    def reshape(self: BVar[Arr], shape: tuple[int, ...], /) -> BVar[Any]: ...
    def reshape(self, shape: Any, /) -> Any:
        """The same elements in C order in another shape; one size may be -1. `ShapeError` if they do not fit."""
        before, x = self.shape, self._value
        try:
            if type(shape) is np.bool:
                raise TypeError("NumPy's bools become ints with a warning up to 2.2")
            wanted = tuple(map(operator.index, shape if isinstance(shape, (tuple, list)) else (shape,)))
        except TypeError:
            kind = type(shape).__name__
            raise TypeError(f"reshape: the shape is of type {kind}; wanted an int or a tuple of ints") from None
        if not before or not wanted:
            raise ShapeError(
                f"reshape: {describe(before)} to {wanted}: scalars have no elements to lay out; write tp.stack([b]) "
                "for a vector of one element, x[0] for its element"
            )
        try:
            if min(wanted) < -1:
                raise ValueError("NumPy takes any negative size for -1")
            # A view of x, which is as immutable as x is.
            y = x.reshape(wanted)
        except ValueError:
            raise ShapeError(
                f"reshape: {describe(before)} has {self.size} elements, which {wanted} cannot hold"
            ) from None
        return record(self._tape, y, (rules.RESHAPE.code, self._node, (before, shape_of(y))))

    def _broadcast_to(self, shape: Shape, dtype: np.dtype[Any]) -> BVar[Any]:
        value = rules.broadcast_to(self._value, shape, dtype)
        residual = (self.shape, shape, self.dtype if self.shape else dtype)
        return record(self._tape, value, (rules.BROADCAST.code, self._node, residual))

    def _scatter(self, index: Any, shape: Shape, dtype: np.dtype[Any]) -> BVar[Any]:
        value = scatter(self._value, index, shape, dtype)
        return record(self._tape, value, (rules.SCATTER.code, self._node, (index, shape, dtype)))

    def _scatter_all(self, pairs: Sequence[tuple[Any, Value]], shape: Shape, dtype: np.dtype[Any]) -> BVar[Any]:
        tape = innermost(*[x for _, x in pairs])
        seen, indices, nodes = [], [], []
        for index, x in pairs:
            seen.append((index, seen_from(tape, x)))
            if type(x) is BVar and x._tape is tape:
                indices.append(index)
                nodes.append(x._node)
        value = scatter_all(seen, shape, dtype)
        if tape is None:
            return constant(value)
        return record(tape, value, (JOINT, tuple(nodes), rules.scatter_joint("scatter", indices, shape, dtype)))

    def _cleared(self, index: Any) -> BVar[V]:
        value = rules.cleared(self._value, index)
        return record(self._tape, value, (rules.CLEAR.code, self._node, index))

    def _log(self) -> BVar[V]:
        return record(self._tape, rules.log(self._value), (rules.LOG.code, self._node, self._value))

    # The rows below are those of shapes.pyi: what is known of a plain array's element is known of a BVar's.
    @overload  # the value of a BVar[Any] may be of any rank
    def __getitem__(
        self: BVar[_OfAnyRank], index: Index | Indices | npt.NDArray[np.bool] | _AnyIndex, /
    ) -> BVar[Any]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: Index, /) -> BVar[float]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: EllipsisType | _All, /) -> BVar[R[N, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: slice, /) -> BVar[R[Any, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: tuple[_All, None], /) -> BVar[L[N, One, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: tuple[None, _All], /) -> BVar[L[One, N, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: R[N, np.bool], /) -> BVar[R[Any, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: R[M, Int], /) -> BVar[R[M, D]]: ...
    @overload  # the catcher: another length was declared for the result
    def __getitem__(self: BVar[R[N, D]], index: R[M, Int], /) -> BVar[R[int, D]]: ...
    @overload
    def __getitem__(self: BVar[R[N, D]], index: Indices, /) -> BVar[R[Any, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: Index, /) -> BVar[R[N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[Index, Index], /) -> BVar[float]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: EllipsisType | _All | tuple[_All, _All], /) -> BVar[L[M, N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[_All, Index], /) -> BVar[R[M, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[Index, _All], /) -> BVar[R[N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[slice, Index] | tuple[Index, slice], /) -> BVar[R[Any, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: slice | tuple[slice, _All], /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[_All, slice], /) -> BVar[L[M, Any, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[slice, slice], /) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: L[M, N, np.bool], /) -> BVar[R[Any, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: R[M, np.bool], /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: R[K, Int], /) -> BVar[L[K, N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[R[K, Int], R[K, Int]], /) -> BVar[R[K, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[_All, R[K, Int]], /) -> BVar[L[M, K, D]]: ...
    @overload  # the catchers: another length was declared for the result
    def __getitem__(self: BVar[L[M, N, D]], index: R[K, Int], /) -> BVar[L[int, N, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[R[K, Int], R[K, Int]], /) -> BVar[R[int, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: tuple[_All, R[K, Int]], /) -> BVar[L[M, int, D]]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: Indices, /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: Index, /) -> BVar[L[N, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: tuple[Index, Index], /) -> BVar[R[K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: tuple[Index, Index, Index], /) -> BVar[float]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: EllipsisType | _All, /) -> BVar[Tensor3[M, N, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: slice, /) -> BVar[Tensor3[Any, N, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: tuple[_All, Index], /) -> BVar[L[M, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: tuple[_All, _All, Index], /) -> BVar[L[M, N, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: R[B, Int], /) -> BVar[Tensor3[B, N, K, D]]: ...
    @overload  # the catcher: another length was declared for the result
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: R[B, Int], /) -> BVar[Tensor3[int, N, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: Indices, /) -> BVar[Tensor3[Any, N, K, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor4[M, N, K, B, D]], index: Index, /) -> BVar[Tensor3[N, K, B, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor4[M, N, K, B, D]], index: tuple[Index, Index], /) -> BVar[L[K, B, D]]: ...
    @overload
    def __getitem__(self: BVar[Tensor4[M, N, K, B, D]], index: slice, /) -> BVar[Tensor4[Any, N, K, B, D]]: ...
    # Any other index of an array: what it leaves cannot be said. A vector has no second axis for a second number.
    @overload
    def __getitem__(self: BVar[R[N, D]], index: _NewAxes, /) -> BVar[Any]: ...
    @overload
    def __getitem__(self: BVar[L[M, N, D]], index: _AnyIndex, /) -> BVar[Any]: ...
    @overload
    def __getitem__(self: BVar[Tensor3[M, N, K, D]], index: _AnyIndex, /) -> BVar[Any]: ...
    @overload
    def __getitem__(self: BVar[Tensor4[M, N, K, B, D]], index: _AnyIndex, /) -> BVar[Any]: ...
    def __getitem__(self, index: Any, /) -> Any:
        index = _own_index(index)
        shape, x = self.shape, self._value
        if not shape:
            raise TypeError("a scalar BVar cannot be indexed")
        try:
            y = rules.take(x, index)
        except IndexError as error:
            raise IndexError(f"{describe(shape)} indexed with {index!r}: {error}") from None
        return record(self._tape, y, (rules.INDEX.code, self._node, (index, shape, self.dtype)))

    @overload
    def at(self: BVar[R[N, D]], index: Index, /) -> At[R[N, D], float]: ...
    @overload
    def at(self: BVar[R[N, D]], index: R[N, np.bool] | slice, /) -> At[R[N, D], R[Any, D]]: ...
    @overload
    def at(self: BVar[R[N, D]], index: R[M, Int], /) -> At[R[N, D], R[M, D]]: ...
    @overload
    def at(self: BVar[R[N, D]], index: Indices, /) -> At[R[N, D], R[Any, D]]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: Index | tuple[Index, _All], /) -> At[L[M, N, D], R[N, D]]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: tuple[Index, Index], /) -> At[L[M, N, D], float]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: tuple[_All, Index], /) -> At[L[M, N, D], R[M, D]]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: L[M, N, np.bool], /) -> At[L[M, N, D], R[Any, D]]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: R[K, Int], /) -> At[L[M, N, D], L[K, N, D]]: ...
    @overload
    def at(self: BVar[L[M, N, D]], index: tuple[R[K, Int], R[K, Int]], /) -> At[L[M, N, D], R[K, D]]: ...
    @overload
    def at(self: BVar[Arr], index: _AnyIndex, /) -> At[Arr, Any]: ...
    def at(self, index: Any, /) -> Any:
        """A place in an array, to be replaced in a copy: `x.at(i).set(v)` or `x.at(i).add(v)`; `x` stays as it is.

        Any index that `x[index]` takes. Raises `IndexError` where `x[index]` does.
        """
        return At(self, index)

    def __len__(self) -> int:
        shape = self.shape
        if not shape:
            raise TypeError("a scalar BVar has no length")
        return shape[0]

    @overload
    def __iter__(self: BVar[R[N, D]]) -> Iterator[BVar[float]]: ...
    @overload
    def __iter__(self: BVar[L[M, N, D]]) -> Iterator[BVar[R[N, D]]]: ...
    @overload
    def __iter__(self: BVar[Tensor3[M, N, K, D]]) -> Iterator[BVar[L[N, K, D]]]: ...
    def __iter__(self) -> Iterator[Any]:
        shape, tape, x = self.shape, self._tape, self._value
        if not shape:
            raise TypeError("a scalar BVar cannot be iterated over")
        # One node for the whole: an index operation each would write the whole gradient once an element.
        items = rules.unstacked(x)
        node = -1
        if tape is not None:
            node = record(tape, None, (rules.UNSTACK.code, self._node, (shape, self.dtype)))._node
        return iter([record(tape, item, (PART, node, position)) for position, item in enumerate(items)])

    # -- What NumPy and Python would do with it, and must not ------------------------------------------------------
    # Hidden from checkers, so that `float(b)` and `np.exp(b)` are errors in the editor too.

    if not TYPE_CHECKING:
        # Makes `array + b` leave the work to `b.__radd__`. (With `__array_ufunc__` an error could name the ufunc, but
        # NumPy's detour through it costs every `array @ b` 2 us.)
        __array_priority__: ClassVar[float] = 1000.0

        def __array_function__(self, func, types, args, kwargs):
            place = "linalg." if func.__module__ == "numpy.linalg" else ""
            # Through the package, which loads linalg when it is first asked for.
            ours = sys.modules.get("typedprop")
            ours = getattr(ours, "linalg", None) if place else ours
            instead = f"write tp.{place}{func.__name__}, or pass" if hasattr(ours, func.__name__) else "pass"
            raise NotDifferentiableError(
                f"np.{place}{func.__name__} does not differentiate a BVar: {instead} b.value for the plain value"
            )

        def __array__(self, dtype=None, copy=None):
            raise NotDifferentiableError(
                f"a BVar of shape {self.shape} cannot become a plain array, as np.exp(b), np.array([b]) and the like "
                "would have it: the gradient would be lost. Write tp.exp(b) for np.exp(b), tp.stack([b, c]) for "
                "np.array([b, c]), or b.value for the plain value"
            )

        def __float__(self):
            raise NotDifferentiableError(
                "float(b) would lose the gradient: keep b as it is, or write b.value for the plain number"
            )

        def __int__(self):
            return self.__float__()

        def __index__(self):
            return self.__float__()

        def __complex__(self):
            return self.__float__()

        def __format__(self, spec):
            # For people to read, as repr is: nothing is computed with it.
            return format(plain(self), spec) if spec else str(self)

        def __reduce__(self):
            if self._tape is not None:
                raise TypeError("a BVar inside of a gradient cannot be pickled or copied; take b.value")
            return BVar, (self._value,)

        def __copy__(self):
            return self

        def __deepcopy__(self, memo):
            return self


class At(Generic[V, S]):
    """A place in a BVar that a copy will differ at: what `x.at(index)` gives. `S` is the type of `x[index]`."""

    __slots__ = ("_chosen", "_index", "_x")

    def __init__(self, x: BVar[V], index: Any) -> None:
        self._x = x
        self._index = _own_index(index)
        if not x.shape:
            raise TypeError("a scalar BVar cannot be indexed")
        try:
            # The shape of x[index], without a copy of its elements.
            self._chosen = np.broadcast_to(np.False_, x.shape)[self._index].shape
        except IndexError as error:
            raise IndexError(f"{describe(x.shape)} indexed with {index!r}: {error}") from None

    def set(self, value: BVar[S] | S | BVar[float] | float) -> BVar[V]:
        """A copy of `x` with `value`, a scalar or of the shape of `x[index]`, in this place.

        Raises `ShapeError` if the shapes do not fit, ValueError if the index chooses an element twice.
        """
        x, index = self._x, self._index
        if not selects_once(index):
            places = np.arange(x.size).reshape(x.shape)[index]
            if len(np.unique(places)) < places.size:
                raise ValueError(
                    "at(...).set: the index chooses an element twice, so the result would depend on an order; "
                    "leave out one of them, or use at(...).add"
                )
        result: BVar[V] = x._cleared(index) + self._scattered("set", value)
        return result

    def add(self, value: BVar[S] | S | BVar[float] | float) -> BVar[V]:
        """A copy of `x` with `value`, a scalar or of the shape of `x[index]`, added in this place.

        An element that the index chooses several times receives as many terms. `ShapeError` if the shapes do not fit.
        """
        result: BVar[V] = self._x + self._scattered("add", value)
        return result

    def _scattered(self, method: str, value: Any) -> Any:
        x, name = self._x, f"at(...).{method}"
        if type(value) is not BVar:
            if not is_operand(value):
                raise DTypeError(f"{name}: the value is {rules.what_is(value)}; wanted a BVar, a float or an array")
            value = own_data(value, x.dtype, name, False)
        elif shape_of(value) and value.dtype != x.dtype:
            raise mixed(name, value.dtype, x.dtype)
        if broadcast_shape(name, shape_of(value), self._chosen) != self._chosen:
            raise ShapeError(f"{name}: the value is {describe(shape_of(value))}, the place {describe(self._chosen)}")
        if shape_of(value) != self._chosen:
            value = rules.broadcast_to(value, self._chosen, x.dtype)
        return scatter(value, self._index, x.shape, x.dtype)


# -- Making BVars ---------------------------------------------------------------------------------------------------


def constant(value: Value) -> BVar[Any]:
    """A BVar that holds `value` itself, unchecked and not copied: for values of the library's own."""
    b: BVar[Any] = bare(BVar)
    b._value = value
    b._tape = None
    b._node = -1
    return b


def record(tape: Tape | None, value: Value, entry: Entry) -> BVar[Any]:
    """The BVar of a new entry on `tape`; a constant where there is no tape."""
    b: BVar[Any] = bare(BVar)
    b._value = value
    b._tape = tape
    if tape is None:
        b._node = -1
    else:
        if not tape.open:
            tape.note(value, entry)
        entries = tape.entries
        node = len(entries)
        entries.append(entry)
        b._node = node if entries[node] is entry else place_of(entries, entry, node)
    return b


def lifted(value: Any, name: str = "BVar") -> Value:
    """What a BVar of `value` holds: a Python float, or a C- or Fortran-ordered copy of a float array.

    Raises `DTypeError`, which begins with `name`, for what cannot be differentiated.
    """
    kind = type(value)
    if kind is float:
        return value
    if isinstance(value, np.ndarray):
        if value.dtype.type not in (np.float64, np.float32):
            raise DTypeError(
                f"{name}: an array of dtype {value.dtype} and shape {value.shape} cannot be differentiated; "
                f"{_way_out(value.dtype)}"
            )
        if isinstance(value, (np.ma.MaskedArray, np.matrix)):
            raise DTypeError(f"{name}: a {kind.__name__} cannot be differentiated; pass a plain array")
        if value.ndim == 0:
            return float(value)
        return np.array(value, dtype=value.dtype.newbyteorder("="), subok=False)
    if kind not in _NATIVE and leaf_type(kind) is not None:
        return value
    if isinstance(value, bool | np.bool | complex | np.complexfloating | np.integer):
        raise DTypeError(
            f"{name}: {value!r} ({kind.__name__}) cannot be differentiated; "
            f"{'take real and imaginary parts' if isinstance(value, complex | np.complexfloating) else 'pass a float'}"
        )
    if isinstance(value, (float, int)) or kind is np.float32:
        try:
            return float(value)
        except OverflowError:
            raise DTypeError(f"{name}: the {kind.__name__} is too large for a float") from None
    if kind is BVar:
        raise DTypeError(f"{name}: the value is a BVar already")
    raise DTypeError(
        f"{name}: a {kind.__name__} cannot be differentiated; wanted a float or a float64 or float32 array "
        "(lists: np.array(..., dtype=float) or tp.vector), or a type that was given to tp.register"
    )


def _way_out(dtype: np.dtype[Any]) -> str:
    if dtype.kind in "iub":
        return (
            "write x.astype(np.float64) if these are numbers; as plain data (labels, indices, masks) pass it unlifted"
        )
    if dtype.kind == "c":
        return "take x.real and x.imag"
    return "wanted float64 or float32: x.astype(np.float64)"


# -- Applying rules -------------------------------------------------------------------------------------------------


def innermost(*operands: Any) -> Tape | None:
    """The tape that records an operation on `operands`: the youngest of theirs; None if all are constants."""
    tape: Tape | None = None
    for x in operands:
        if type(x) is BVar:
            other = x._tape
            if other is not None and other is not tape and (tape is None or other.birth > tape.birth):
                tape = other
    return tape


def seen_from(tape: Tape | None, x: Any) -> Value:
    """What `x` is to an operation that `tape` records: the value under its own and under constant BVars."""
    if type(x) is BVar and (x._tape is tape or x._tape is None):
        return x._value
    return x


def is_operand(x: Any) -> bool:
    """Whether `x` is plain data that can stand beside a BVar: a real number, or an array of them."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "fiub"
    return isinstance(x, _NUMBERS)


_NUMBERS: Final = (float, int, np.floating, np.integer, np.bool)
# The types that certainly are not registered ones.
_NATIVE: Final[frozenset[type]] = frozenset({float, int, bool, np.ndarray, np.float64, np.float32, np.int64, BVar})


def beside(b: Value, x: Any, name: str, keep: bool) -> Value:
    """Plain data `x` beside the value `b` of a BVar, as rules want it: a float, or an array of the same dtype.

    Integer and bool arrays are converted; float64 beside float32 is refused, since the result would be float64. What a
    tape will `keep` is copied, so that the caller may write to the array; a constant that was lifted is its own copy.
    """
    like = dtype_of(b)
    if FOUND and type(plain(b)) in FOUND:
        return x  # in a nested gradient: what goes with a Fraction is known where the Fraction is seen
    if not shape_of(b) and isinstance(x, np.ndarray) and x.dtype == np.float32:
        like = x.dtype  # a scalar goes with either float type
    return own_data(x, like, name, keep)


def own_data(x: Any, like: np.dtype[Any], name: str, keep: bool) -> Value:
    """Plain data in an operation on BVars of dtype `like`; see `beside`."""
    if type(x) is NDARRAY:
        dtype = x.dtype
        if not x.ndim:
            return float(x)
        if dtype is like or dtype == like:
            return x.copy() if keep else x
        if dtype.kind in "iub" or dtype.type is like.type:
            return x.astype(like)  # numbers, or the same in another byte order
        raise DTypeError(f"{name}: a BVar of {like} and an array of {dtype}; convert the array: x.astype(np.{like})")
    if isinstance(x, (np.ma.MaskedArray, np.matrix)):
        raise DTypeError(f"{name}: a {type(x).__name__} beside a BVar would lose its meaning; pass a plain array")
    if isinstance(x, np.ndarray):
        return own_data(np.asarray(x), like, name, keep)
    return float(x)


def refused(name: str, x: Any) -> Any:
    """NotImplemented for an object that may have operators of its own; an error for an array or a number of NumPy's,
    which it would take to pieces otherwise, and for a sequence, which Python would repeat."""
    if isinstance(x, np.ndarray | np.generic):
        raise DTypeError(f"{name}: {rules.what_is(x)} beside a BVar; wanted real numbers: float, int or bool")
    if type(x) in (list, tuple, str, bytes):
        raise DTypeError(
            f"{name}: {rules.what_is(x)} beside a BVar; wanted a float or an array: np.array(..., dtype=float)"
        )
    return NotImplemented


def _array_of(x: Value) -> Any:
    """The array that is the value of a BVar, under any number of nested gradients; None for anything else."""
    while type(x) is BVar:
        x = x._value
    return x if type(x) is NDARRAY else None


def binary(op: Binary, a: Any, b: Any) -> Any:
    """A binary elementwise operation, at least one of its operands a BVar."""
    type_a, type_b = type(a), type(b)
    # The frequent cases, of arrays on one tape or none, or with plain data, need none of the questions below.
    # Said for mypyc, which looks attributes of an object up by name and those of a BVar not.
    p: BVar[Any]
    q: BVar[Any]
    if type_a is type_b:
        # Both are BVars then.
        p, q = a, b
        both = p._tape
        if both is q._tape:
            x, y = p._value, q._value
            array_x, array_y = _array_of(x), _array_of(y)
            if array_x is not None is not array_y and array_x.dtype is array_y.dtype:
                return _of_arrays(op, both, p._node, q._node, x, y, array_x.shape, array_y.shape, array_x.dtype)
            if type(x) is float and type(y) is float and both is not None and op.slopes is not None:
                slope_x, slope_y = op.slopes(x, y)
                return record(both, op.value(x, y), (SCALE, p._node, slope_x, SCALE, q._node, slope_y))
    elif type_b is float or type_b is int:
        p = a
        x, tape = p._value, p._tape
        if _array_of(x) is not None:
            value = op.value(x, b)
            if tape is None:
                return constant(value)
            return record(tape, value, (op.left.code, p._node, op.left.residual(x, b, value)))
    elif type_a is float or type_a is int:
        q = b
        y, tape = q._value, q._tape
        if _array_of(y) is not None:
            value = op.value(a, y)
            if tape is None:
                return constant(value)
            return record(tape, value, (op.right.code, q._node, op.right.residual(a, y, value)))
    elif type_b is NDARRAY and type_a is BVar:
        p = a
        x, tape = p._value, p._tape
        if type(x) is NDARRAY and x.dtype is b.dtype and x.shape == b.shape:
            value = op.value(x, b)
            if tape is None:
                return constant(value)
            kept = b.copy() if op.keeps else None
            return record(tape, value, (op.left.code, p._node, op.left.residual(x, kept, value)))
    elif type_a is NDARRAY and type_b is BVar:
        q = b
        y, tape = q._value, q._tape
        if type(y) is NDARRAY and y.dtype is a.dtype and y.shape == a.shape:
            value = op.value(a, y)
            if tape is None:
                return constant(value)
            kept = a.copy() if op.keeps else None
            return record(tape, value, (op.right.code, q._node, op.right.residual(kept, y, value)))
    tape_a: Tape | None = a._tape if type_a is BVar else None
    tape_b: Tape | None = b._tape if type_b is BVar else None
    tape = tape_a
    if tape_b is not None and (tape is None or (tape is not tape_b and tape_b.birth > tape.birth)):
        tape = tape_b
    x = a._value if type_a is BVar and (tape_a is tape or tape_a is None) else a
    y = b._value if type_b is BVar and (tape_b is tape or tape_b is None) else b
    if type(x) not in _NATIVE or type(y) not in _NATIVE:
        leaf = leaf_type(type(x)) or leaf_type(type(y))
        if leaf is not None:
            return _of_leaves(op, leaf, tape, a, b, x, y)
    keeps = op.keeps and tape is not None
    if type_b is not BVar and type(y) is not float:
        if not is_operand(y):
            return refused(op.name, y)
        # An int exponent is as good as a float: to leave it saves a third of the time of a scalar's power.
        if op is not rules.POWER or type(y) is not int:
            y = beside(x, y, op.name, keeps)
    elif type_a is not BVar and type(x) is not float:
        if not is_operand(x):
            return refused(op.name, x)
        x = beside(y, x, op.name, keeps)
    shape_x, shape_y = shape_of(x), shape_of(y)
    shape = shape_x if shape_x == shape_y else broadcast_shape(op.name, shape_x, shape_y)
    if shape_x and shape_y and dtype_of(x) != dtype_of(y):
        raise mixed(op.name, dtype_of(x), dtype_of(y))
    try:
        value = op.value(x, y)
    except (ZeroDivisionError, OverflowError):
        # Python's floats raise where NumPy goes to infinity; scalars follow the arrays.
        value = float(op.value(np.float64(x), np.float64(y)))
    if type(value) is complex:
        raise ValueError(f"{op.name}: {x!r} {op.name} {y!r} is not a real number")
    if tape is None:
        return constant(value)
    if FOUND and type(value) is BVar and type(plain(value)) in FOUND:
        return _recorded(rules.OF_LEAVES[op], tape, a, b, x, y, value)
    if not shape:
        if tape_a is tape:
            part: Entry = (SCALE, a._node, _partial(op.left, x, y, value))
            if tape_b is tape:
                part += (SCALE, b._node, _partial(op.right, x, y, value))
        else:
            part = (SCALE, b._node, _partial(op.right, x, y, value))
        return record(tape, value, part)
    entry: Entry = ()
    if tape_a is tape:
        node = a._node if shape_x == shape else _stretch(tape, a._node, shape_x, shape, value)
        entry = (op.left.code, node, op.left.residual(x, y, value))
    if tape_b is tape:
        node = b._node if shape_y == shape else _stretch(tape, b._node, shape_y, shape, value)
        entry += (op.right.code, node, op.right.residual(x, y, value))
    return record(tape, value, entry)


def _of_arrays(
    op: Binary,
    tape: Tape | None,
    node_x: int,
    node_y: int,
    x: Value,
    y: Value,
    shape_x: Shape,
    shape_y: Shape,
    dtype: np.dtype[Any],
) -> BVar[Any]:
    """A binary operation of `x` and `y`, which hold arrays of one dtype, both on `tape`, or both constant."""
    shape = shape_x if shape_x == shape_y else broadcast_shape(op.name, shape_x, shape_y)
    value = op.value(x, y)
    if tape is None:
        return constant(value)
    left, right = op.left, op.right
    code_x, code_y = left.code, right.code
    # An identity remembers nothing.
    residual_x = None if code_x == PASS else left.residual(x, y, value)
    residual_y = None if code_y == PASS else right.residual(x, y, value)
    if shape_x != shape:
        if code_x == PASS:
            # One step for two: the identity of what was broadcast.
            code_x, residual_x = rules.BROADCAST.code, (shape_x, shape, dtype)
        else:
            node_x = _stretch(tape, node_x, shape_x, shape, value)
    elif shape_y != shape:
        if code_y == PASS:
            code_y, residual_y = rules.BROADCAST.code, (shape_y, shape, dtype)
        else:
            node_y = _stretch(tape, node_y, shape_y, shape, value)
    return record(tape, value, (code_x, node_x, residual_x, code_y, node_y, residual_y))


def _of_leaves(op: Binary, leaf: LeafType, tape: Tape | None, a: Any, b: Any, x: Value, y: Value) -> Any:
    """A binary operation of which at least one operand is of a registered type: with its own kind, or with an int."""
    for other in (x, y):
        kind = type(other)
        if kind is BVar or kind is int or leaf_type(kind) is leaf:
            continue
        if leaf_type(kind) is not None or is_operand(other) or isinstance(other, np.ndarray):
            raise DTypeError(
                f"{op.name}: a {leaf.cls.__name__} and a {kind.__name__} do not mix, since the result would be "
                f"neither; convert one of them, as in {leaf.cls.__name__}(...)"
            )
        return NotImplemented
    if op not in rules.OF_LEAVES:
        raise DTypeError(
            f"{op.name} is a function of floats and arrays, not of a {leaf.cls.__name__}; declare yours with tp.op"
        )
    value: Value
    if type(x) is BVar or type(y) is BVar:
        value = binary(op, x, y)
    elif op is rules.ADD and type(x) is not int and type(y) is not int:
        value = leaf.add(x, y)
    else:
        value = op.value(x, y)
    if type(value) is not BVar and leaf_type(type(value)) is not leaf:
        raise DTypeError(f"{op.name}: {x!r} {op.name} {y!r} is {value!r}, which is not a {leaf.cls.__name__}")
    if tape is None:
        return constant(value)
    return _recorded(rules.OF_LEAVES[op], tape, a, b, x, y, value)


def _recorded(op: Binary, tape: Tape, a: Any, b: Any, x: Value, y: Value, value: Value) -> BVar[Any]:
    entry: Entry = ()
    if type(a) is BVar and a._tape is tape:
        entry = (op.left.code, a._node, op.left.residual(x, y, value))
    if type(b) is BVar and b._tape is tape:
        entry += (op.right.code, b._node, op.right.residual(x, y, value))
    return record(tape, value, entry)


def _partial(operand: rules.Operand, x: Value, y: Value, value: Value) -> Value:
    """The derivative of a scalar operation; infinite or NaN, as NumPy has it, where Python's floats raise."""
    try:
        partial = operand.partial(operand.residual(x, y, value))
        return partial if type(partial) is float else rules.number(partial)
    except (ZeroDivisionError, OverflowError):
        with np.errstate(all="ignore"):
            return float(operand.partial(operand.residual(np.float64(x), np.float64(y), np.float64(value))))


def _stretch(tape: Tape | None, node: int, before: Shape, after: Shape, value: Value) -> int:
    """Record that an operand was broadcast; its stretched value is never formed."""
    assert tape is not None
    tape.check_open()
    entry: Entry = (rules.BROADCAST.code, node, (before, after, dtype_of(value)))
    place = len(tape.entries)
    tape.entries.append(entry)
    return place_of(tape.entries, entry, place)


def mixed(name: str, one: np.dtype[Any], other: np.dtype[Any]) -> DTypeError:
    """The error for operands of different float dtypes."""
    if {one.type, other.type} == {np.float32, np.float64}:
        return DTypeError(
            f"{name}: one operand is float32 and the other float64, which NumPy would promote; convert the plain data "
            "of one of them, as in x.astype(np.float32)"
        )
    return DTypeError(
        f"{name}: one operand is {one.name} and the other {other.name}; beside a BVar there is float64 or float32: "
        "convert the plain data, as in x.astype(np.float64)"
    )


def _transposed(tape: Tape, node: int) -> int:
    """The node of the matrix whose transpose is recorded at `node`.

    -1 where it is none, the gradient has ended, or somebody watches the tape, who is to see what was written.
    """
    if tape.open:
        entry = tape.entries[node]
        if entry and entry[0] == TRANSPOSE:
            matrix: int = entry[1]
            return matrix
    return -1


def product(a: Any, b: Any) -> Any:
    """`a @ b`, at least one a BVar."""
    type_a, type_b = type(a), type(b)
    tape_a: Tape | None = a._tape if type_a is BVar else None
    tape_b: Tape | None = b._tape if type_b is BVar else None
    tape = tape_a
    if tape_b is not None and (tape is None or (tape is not tape_b and tape_b.birth > tape.birth)):
        tape = tape_b
    x = a._value if type_a is BVar and (tape_a is tape or tape_a is None) else a
    y = b._value if type_b is BVar and (tape_b is tape or tape_b is None) else b
    if type_b is not BVar:
        if not is_operand(y):
            return refused("@", y)
        y = beside(x, y, "@", tape is not None)
    elif type_a is not BVar:
        if not is_operand(x):
            return refused("@", x)
        x = beside(y, x, "@", tape is not None)
    left, right = rules.matmul_rules(x, y)
    if x.dtype != y.dtype:
        raise mixed("@", x.dtype, y.dtype)
    value = rules.matmul(x, y)
    if tape is None:
        return constant(value)
    entry: Entry = ()
    if tape_a is tape:
        entry = (left, a._node, y)
    if tape_b is tape:
        entry += (right, b._node, x)
    return record(tape, value, entry)


def _sum(b: BVar[Any], axis: int | tuple[int, ...] | None, keepdims: bool) -> BVar[Any]:
    shape = b.shape
    if not shape:
        return _alone("sum", b)
    x, dtype = b._value, b.dtype
    value: Value
    if type(x) is NDARRAY and axis is None and not keepdims:
        value = rules.total_of_floats(x, shape, dtype)
    else:
        value = rules.total(x, axis, keepdims)
    return record(b._tape, value, (rules.SUM.code, b._node, (shape, axis, keepdims, dtype)))


def _alone(name: str, b: BVar[Any]) -> BVar[Any]:
    """The sum or maximum of a scalar, which is itself."""
    if type(plain(b)) in FOUND:
        raise DTypeError(f"{name}: a {type(plain(b)).__name__} has no elements; wanted a BVar of floats")
    return b


def _select(name: str, b: BVar[Any], axis: Any, keepdims: bool) -> BVar[Any]:
    shape, x = b.shape, b._value
    if not shape:
        return _alone(name, b)
    axis = axis_of(name, shape, axis)
    count_of(name, shape, axis)
    value = getattr(x, name)(axis=axis, keepdims=keepdims)
    if not shape_of(value):
        value = rules.number(value)
    if b._tape is None:
        return constant(value)
    weights = rules.tie_weights(x, value, axis)
    return record(b._tape, value, (rules.SELECT.code, b._node, (weights, shape, axis, keepdims, b.dtype)))


def axis_of(name: str, shape: Shape, axis: Any) -> Any:
    """`axis` in Python's own ints if the shape has it; one clear error otherwise."""
    if axis is None:
        return None
    if isinstance(axis, tuple):
        return tuple(axis_of(name, shape, a) for a in axis)
    try:
        # A bool is no axis, and NumPy's become ints with a warning up to 2.2.
        number = None if isinstance(axis, bool | np.bool) else operator.index(axis)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name}: axis is of type {type(axis).__name__}; wanted an int, a tuple of ints or None")
    if not -len(shape) <= number < len(shape):
        raise ShapeError(f"{name}: axis {number} is out of range for {describe(shape)}")
    return number


def count_of(name: str, shape: Shape, axis: Any) -> int:
    """How many elements a reduction joins; an error where there is none."""
    if axis is None:
        count = math.prod(shape)
    else:
        count = math.prod(shape[a] for a in (axis if isinstance(axis, tuple) else (axis,)))
    if not count:
        raise ShapeError(f"{name}: {describe(shape)} has no elements{'' if axis is None else f' along axis {axis}'}")
    return count


def _own_index(index: Any) -> Any:
    """The index with its arrays copied, for the backward sweep uses it again."""
    kind = type(index)
    if kind is int or kind is slice:
        return index
    if isinstance(index, tuple):
        return tuple(map(_own_index, index))
    if isinstance(index, (list, np.ndarray)):
        if isinstance(index, np.ma.MaskedArray):
            raise IndexError("an index is a MaskedArray, whose mask would be lost; take index.compressed()")
        try:
            array = np.array(index)
        except ValueError:
            raise IndexError("an index is a ragged list; wanted integers or a mask") from None
        if not array.size and isinstance(index, list):
            return array.astype(np.intp)
        if array.dtype.kind not in "iub":
            raise IndexError(f"an index array has dtype {array.dtype}; wanted integers or a mask")
        return array
    if type(index) is BVar:
        raise NotDifferentiableError("a BVar cannot be an index: it has no derivative by its position; take b.value")
    return index


def _comparable(x: Any) -> Any:
    """The plain scalar to compare; arrays are refused, since a mask has no place in `if`."""
    value = plain(x)
    if shape_of(value):
        raise TypeError(
            f"a BVar of shape {shape_of(value)} is compared: compare plain values, `b.value > 0`, which gives a mask"
        )
    return value


if TYPE_CHECKING:
    # For the operators on three and four axes. No size of these is 1, so that the result has the sizes of `self`.
    _Named: TypeAlias = BVar[Tensor4[DK, DB, DM, DN, D]] | BVar[Tensor3[DB, DM, DN, D]]
    # Two of the sizes, or more, are U: 1 in one operand, and not known in the other.
    _Two3: TypeAlias = Tensor3[B, U, U, D] | Tensor3[U, M, U, D] | Tensor3[U, U, N, D]
    _BVarOfTwo3: TypeAlias = BVar[Tensor3[B, U, U, D]] | BVar[Tensor3[U, M, U, D]] | BVar[Tensor3[U, U, N, D]]
    _Two4: TypeAlias = (
        Tensor4[K, B, U, U, D]
        | Tensor4[K, U, M, U, D]
        | Tensor4[K, U, U, N, D]
        | Tensor4[U, B, M, U, D]
        | Tensor4[U, B, U, N, D]
        | Tensor4[U, U, M, N, D]
    )
    _BVarOfTwo4: TypeAlias = (
        BVar[Tensor4[K, B, U, U, D]]
        | BVar[Tensor4[K, U, M, U, D]]
        | BVar[Tensor4[K, U, U, N, D]]
        | BVar[Tensor4[U, B, M, U, D]]
        | BVar[Tensor4[U, B, U, N, D]]
        | BVar[Tensor4[U, U, M, N, D]]
    )
