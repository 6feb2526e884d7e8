"""`elementwise2`: how a function of two operands, element by element, is declared; see op.py for all other kinds.

What the operands may be is said in overloads, for type checkers. They take most of this file.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Binary, Operand, broadcast_shape, shape_of
from typedprop.bvar import Arr, BVar, V, binary
from typedprop.op import Function, checked_plain, opened
from typedprop.shapes import L, One, R, Tensor3, Tensor4

if TYPE_CHECKING:
    from typedprop.bvar import _BVarOfTwo3, _BVarOfTwo4, _OfAnyRank, _Two3, _Two4, _Unknown

B = TypeVar("B", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)
T = TypeVar("T", covariant=True)

if TYPE_CHECKING:

    class SameSizes(Protocol[T]):
        """A BVar of what T is."""

        @property
        def value(self) -> _OfAnyRank:
            """What no value is, so that only BVars of whom nothing is known are such."""
            ...


class Elementwise2:
    """A differentiable function of two operands, element by element: what `elementwise2` makes.

    The operands go together as those of the operators do: equal sizes, a scalar with anything, `R[N]` along the rows of
    `L[M, N]`, and what keepdims leaves. Raises `ShapeError` otherwise, and `DTypeError` for float32 beside float64.
    """

    def __init__(self, name: str, op: Binary, doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._op = op

    # mypy words what is wrong with two operands by the first overload. This one fits none whose sizes are known.
    @overload
    def __call__(self, x: BVar[V], y: SameSizes[V], /) -> BVar[Any]: ...
    # A size that is declared to be 1 becomes what is beside it, which may not be known.
    @overload
    def __call__(
        self, x: BVar[L[One, One, D]], y: BVar[L[_Unknown, _Unknown, D]] | L[_Unknown, _Unknown, D], /
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __call__(self, x: L[One, One, D], y: BVar[L[_Unknown, _Unknown, D]], /) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __call__(self, x: L[One, One, D], y: L[_Unknown, _Unknown, D], /) -> L[Any, Any, D]: ...
    @overload
    def __call__(self, x: L[_Unknown, _Unknown, D], y: BVar[L[One, One, D]], /) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[_Unknown, _Unknown, D]], y: BVar[L[One, One, D]] | L[One, One, D], /
    ) -> BVar[L[Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[One, N, D]], y: BVar[L[_Unknown, N, D]] | L[_Unknown, N, D], /
    ) -> BVar[L[Any, N, D]]: ...
    @overload
    def __call__(self, x: L[One, N, D], y: BVar[L[_Unknown, N, D]], /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __call__(self, x: L[One, N, D], y: L[_Unknown, N, D], /) -> L[Any, N, D]: ...
    @overload
    def __call__(self, x: L[_Unknown, N, D], y: BVar[L[One, N, D]], /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __call__(self, x: BVar[L[_Unknown, N, D]], y: BVar[L[One, N, D]] | L[One, N, D], /) -> BVar[L[Any, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, One, D]], y: BVar[L[M, _Unknown, D]] | L[M, _Unknown, D], /
    ) -> BVar[L[M, Any, D]]: ...
    @overload
    def __call__(self, x: L[M, One, D], y: BVar[L[M, _Unknown, D]], /) -> BVar[L[M, Any, D]]: ...
    @overload
    def __call__(self, x: L[M, One, D], y: L[M, _Unknown, D], /) -> L[M, Any, D]: ...
    @overload
    def __call__(self, x: L[M, _Unknown, D], y: BVar[L[M, One, D]], /) -> BVar[L[M, Any, D]]: ...
    @overload
    def __call__(self, x: BVar[L[M, _Unknown, D]], y: BVar[L[M, One, D]] | L[M, One, D], /) -> BVar[L[M, Any, D]]: ...
    @overload
    def __call__(
        self, x: _BVarOfTwo3[B, One, D, M, N], y: _BVarOfTwo3[B, _Unknown, D, M, N] | _Two3[B, _Unknown, D, M, N], /
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: _Two3[B, One, D, M, N], y: _BVarOfTwo3[B, _Unknown, D, M, N], /
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __call__(self, x: _Two3[B, One, D, M, N], y: _Two3[B, _Unknown, D, M, N], /) -> Tensor3[Any, Any, Any, D]: ...
    @overload
    def __call__(
        self, x: _Two3[B, _Unknown, D, M, N], y: _BVarOfTwo3[B, One, D, M, N], /
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: _BVarOfTwo3[B, _Unknown, D, M, N], y: _BVarOfTwo3[B, One, D, M, N] | _Two3[B, One, D, M, N], /
    ) -> BVar[Tensor3[Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[One, M, N, D]], y: BVar[Tensor3[_Unknown, M, N, D]] | Tensor3[_Unknown, M, N, D], /
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor3[One, M, N, D], y: BVar[Tensor3[_Unknown, M, N, D]], /
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __call__(self, x: Tensor3[One, M, N, D], y: Tensor3[_Unknown, M, N, D], /) -> Tensor3[Any, M, N, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[_Unknown, M, N, D], y: BVar[Tensor3[One, M, N, D]], /
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[_Unknown, M, N, D]], y: BVar[Tensor3[One, M, N, D]] | Tensor3[One, M, N, D], /
    ) -> BVar[Tensor3[Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[B, One, N, D]], y: BVar[Tensor3[B, _Unknown, N, D]] | Tensor3[B, _Unknown, N, D], /
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor3[B, One, N, D], y: BVar[Tensor3[B, _Unknown, N, D]], /
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __call__(self, x: Tensor3[B, One, N, D], y: Tensor3[B, _Unknown, N, D], /) -> Tensor3[B, Any, N, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[B, _Unknown, N, D], y: BVar[Tensor3[B, One, N, D]], /
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[B, _Unknown, N, D]], y: BVar[Tensor3[B, One, N, D]] | Tensor3[B, One, N, D], /
    ) -> BVar[Tensor3[B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[B, M, One, D]], y: BVar[Tensor3[B, M, _Unknown, D]] | Tensor3[B, M, _Unknown, D], /
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __call__(
        self, x: Tensor3[B, M, One, D], y: BVar[Tensor3[B, M, _Unknown, D]], /
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __call__(self, x: Tensor3[B, M, One, D], y: Tensor3[B, M, _Unknown, D], /) -> Tensor3[B, M, Any, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[B, M, _Unknown, D], y: BVar[Tensor3[B, M, One, D]], /
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[B, M, _Unknown, D]], y: BVar[Tensor3[B, M, One, D]] | Tensor3[B, M, One, D], /
    ) -> BVar[Tensor3[B, M, Any, D]]: ...
    @overload
    def __call__(
        self,
        x: _BVarOfTwo4[K, B, One, D, M, N],
        y: _BVarOfTwo4[K, B, _Unknown, D, M, N] | _Two4[K, B, _Unknown, D, M, N],
        /,
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: _Two4[K, B, One, D, M, N], y: _BVarOfTwo4[K, B, _Unknown, D, M, N], /
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: _Two4[K, B, One, D, M, N], y: _Two4[K, B, _Unknown, D, M, N], /
    ) -> Tensor4[Any, Any, Any, Any, D]: ...
    @overload
    def __call__(
        self, x: _Two4[K, B, _Unknown, D, M, N], y: _BVarOfTwo4[K, B, One, D, M, N], /
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self, x: _BVarOfTwo4[K, B, _Unknown, D, M, N], y: _BVarOfTwo4[K, B, One, D, M, N] | _Two4[K, B, One, D, M, N], /
    ) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
    @overload
    def __call__(
        self,
        x: BVar[Tensor4[One, B, M, N, D]],
        y: BVar[Tensor4[_Unknown, B, M, N, D]] | Tensor4[_Unknown, B, M, N, D],
        /,
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[One, B, M, N, D], y: BVar[Tensor4[_Unknown, B, M, N, D]], /
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[One, B, M, N, D], y: Tensor4[_Unknown, B, M, N, D], /
    ) -> Tensor4[Any, B, M, N, D]: ...
    @overload
    def __call__(
        self, x: Tensor4[_Unknown, B, M, N, D], y: BVar[Tensor4[One, B, M, N, D]], /
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor4[_Unknown, B, M, N, D]], y: BVar[Tensor4[One, B, M, N, D]] | Tensor4[One, B, M, N, D], /
    ) -> BVar[Tensor4[Any, B, M, N, D]]: ...
    @overload
    def __call__(
        self,
        x: BVar[Tensor4[K, One, M, N, D]],
        y: BVar[Tensor4[K, _Unknown, M, N, D]] | Tensor4[K, _Unknown, M, N, D],
        /,
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, One, M, N, D], y: BVar[Tensor4[K, _Unknown, M, N, D]], /
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, One, M, N, D], y: Tensor4[K, _Unknown, M, N, D], /
    ) -> Tensor4[K, Any, M, N, D]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, _Unknown, M, N, D], y: BVar[Tensor4[K, One, M, N, D]], /
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor4[K, _Unknown, M, N, D]], y: BVar[Tensor4[K, One, M, N, D]] | Tensor4[K, One, M, N, D], /
    ) -> BVar[Tensor4[K, Any, M, N, D]]: ...
    @overload
    def __call__(
        self,
        x: BVar[Tensor4[K, B, One, N, D]],
        y: BVar[Tensor4[K, B, _Unknown, N, D]] | Tensor4[K, B, _Unknown, N, D],
        /,
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, One, N, D], y: BVar[Tensor4[K, B, _Unknown, N, D]], /
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, One, N, D], y: Tensor4[K, B, _Unknown, N, D], /
    ) -> Tensor4[K, B, Any, N, D]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, _Unknown, N, D], y: BVar[Tensor4[K, B, One, N, D]], /
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor4[K, B, _Unknown, N, D]], y: BVar[Tensor4[K, B, One, N, D]] | Tensor4[K, B, One, N, D], /
    ) -> BVar[Tensor4[K, B, Any, N, D]]: ...
    @overload
    def __call__(
        self,
        x: BVar[Tensor4[K, B, M, One, D]],
        y: BVar[Tensor4[K, B, M, _Unknown, D]] | Tensor4[K, B, M, _Unknown, D],
        /,
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, M, One, D], y: BVar[Tensor4[K, B, M, _Unknown, D]], /
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, M, One, D], y: Tensor4[K, B, M, _Unknown, D], /
    ) -> Tensor4[K, B, M, Any, D]: ...
    @overload
    def __call__(
        self, x: Tensor4[K, B, M, _Unknown, D], y: BVar[Tensor4[K, B, M, One, D]], /
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor4[K, B, M, _Unknown, D]], y: BVar[Tensor4[K, B, M, One, D]] | Tensor4[K, B, M, One, D], /
    ) -> BVar[Tensor4[K, B, M, Any, D]]: ...
    @overload
    def __call__(self, x: BVar[V], y: BVar[V] | V, /) -> BVar[V]: ...
    @overload
    def __call__(self, x: V, y: BVar[V], /) -> BVar[V]: ...
    @overload
    def __call__(self, x: BVar[Arr], y: BVar[float] | float, /) -> BVar[Arr]: ...
    @overload
    def __call__(self, x: BVar[float] | float, y: BVar[Arr], /) -> BVar[Arr]: ...
    @overload
    def __call__(self, x: BVar[float], y: Arr, /) -> BVar[Arr]: ...
    @overload
    def __call__(self, x: Arr, y: BVar[float], /) -> BVar[Arr]: ...
    @overload
    def __call__(
        self,
        x: BVar[L[M, N, D]],
        y: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
        /,
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], y: BVar[R[N, D]] | BVar[L[M, One, D]] | BVar[L[One, N, D]], /
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __call__(
        self,
        x: BVar[R[N, D]] | R[N, D] | BVar[L[M, One, D]] | L[M, One, D] | BVar[L[One, N, D]] | L[One, N, D],
        y: BVar[L[M, N, D]],
        /,
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[R[N, D]] | BVar[L[M, One, D]] | BVar[L[One, N, D]], y: L[M, N, D], /
    ) -> BVar[L[M, N, D]]: ...
    # Plain arrays by rank: for two types of one variable a checker finds a common supertype, whatever the sizes.
    @overload
    def __call__(self, x: R[N, D], y: R[N, D] | float, /) -> R[N, D]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], y: L[M, N, D] | R[N, D] | L[M, One, D] | L[One, N, D] | float, /
    ) -> L[M, N, D]: ...
    @overload
    def __call__(self, x: R[N, D] | L[M, One, D] | L[One, N, D], y: L[M, N, D], /) -> L[M, N, D]: ...
    @overload
    def __call__(self, x: Tensor3[M, N, K, D], y: Tensor3[M, N, K, D] | float, /) -> Tensor3[M, N, K, D]: ...
    @overload
    def __call__(self, x: Tensor4[B, M, N, K, D], y: Tensor4[B, M, N, K, D] | float, /) -> Tensor4[B, M, N, K, D]: ...
    @overload
    def __call__(self, x: float, y: Arr, /) -> Arr: ...
    @overload
    def __call__(self, x: float, y: float, /) -> float: ...
    def __call__(self, x: Any, y: Any, /) -> Any:
        """Of each two elements of `x` and `y`, each a BVar, an array or a number.

        Two of one shape, a scalar with anything, a vector with the rows of a matrix, and what `keepdims` leaves. Raises
        `ShapeError` for other sizes, and `DTypeError` for float32 beside float64.
        """
        name = self.__name__
        if type(x) is BVar or type(y) is BVar:
            for other in (x, y):
                if type(other) is not BVar:
                    checked_plain(name, other)
            return binary(self._op, x, y)
        _, (x, y) = opened(name, x, y)
        broadcast_shape(name, shape_of(x), shape_of(y))
        try:
            z = self._op.value(x, y)
        except (ValueError, OverflowError, ZeroDivisionError):
            z = self._op.value(np.float64(x), np.float64(y))
        if type(z) is complex:
            raise ValueError(f"{name}: {name}({x!r}, {y!r}) is not a real number")
        return z if shape_of(z) else float(z)

    def __repr__(self) -> str:
        return f"<typedprop elementwise {self.__name__}>"


def elementwise2(
    name: str,
    value: Function,
    left: Function,
    right: Function,
    *,
    keep: Function | None = None,
    number: Function | None = None,
    doc: str = "",
) -> Elementwise2:
    """Declare a function of two operands element by element, which broadcast as the operators do.

    `value` is the NumPy function; `number`, where given, a faster one for Python floats. `keep(a, b, y)` says what of
    the operands and the value to remember, as a tuple: by default all three. `left(*kept)` and `right(*kept)` are then
    the derivatives by each operand.
    """

    def value_of(x: Any, y: Any) -> Any:
        if type(x) is BVar or type(y) is BVar:
            return call(x, y)
        if type(x) is float and type(y) is float and number is not None:
            return number(x, y)
        z = value(x, y)
        return z if shape_of(z) else float(z)

    residual = keep or (lambda a, b, y: (a, b, y))
    call = Elementwise2(
        name,
        Binary(
            name,
            value_of,
            Operand(name, residual, lambda kept: left(*kept)),
            Operand(name, residual, lambda kept: right(*kept)),
        ),
        doc,
    )
    return call
