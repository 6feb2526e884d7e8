"""Other shapes of the same elements: reshape, ravel, transpose, rows and columns of vectors, broadcast_to.

All of them are linear and keep the dtype; plain integers and masks keep theirs too. A result never shares memory with
a plain argument. Putting arrays together and taking them apart is in joining.py, moving elements in arrangement.py.
"""

# The overloads go from exact to gradual, with catchers for Dims between them (see arrays.pyi).
# mypy: disable-error-code="overload-overlap, overload-cannot-match"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop import arithmetic
from typedprop.arithmetic import Shape, broadcast_shape, describe, dtype_of, shape_of
from typedprop.bvar import BVar, constant
from typedprop.errors import ShapeError
from typedprop.op import Linear, linear
from typedprop.ops.plain import applied, array_operand, operand, plain_array, sizes_of
from typedprop.shapes import Dim, L, One, R, Tensor3, Tensor4
from typedprop.tape import Value

A = TypeVar("A", bound=int)
B = TypeVar("B", bound=int)
C = TypeVar("C", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
DA = TypeVar("DA", bound=Dim)
DB = TypeVar("DB", bound=Dim)
DM = TypeVar("DM", bound=Dim)
DN = TypeVar("DN", bound=Dim)
D = TypeVar("D", bound=np.generic)
Any1: TypeAlias = BVar[R[Any, D]] | BVar[L[Any, Any, D]] | BVar[Tensor3[Any, Any, Any, D]]
Vars: TypeAlias = Any1[D] | BVar[Tensor4[Any, Any, Any, Any, D]]
Arrays: TypeAlias = R[Any, D] | L[Any, Any, D] | Tensor3[Any, Any, Any, D] | Tensor4[Any, Any, Any, Any, D]


@overload
def reshape(x: Vars[D], shape: tuple[DM, DN], /) -> BVar[L[DM, DN, D]]: ...
@overload
def reshape(x: Vars[D], shape: DN, /) -> BVar[R[DN, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[DA, DM, DN], /) -> BVar[Tensor3[DA, DM, DN, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[DA, DB, DM, DN], /) -> BVar[Tensor4[DA, DB, DM, DN, D]]: ...
# Catchers: what a declared type rejected above must not slip into the gradual overloads below.
@overload
def reshape(x: Vars[D], shape: tuple[Dim, Dim], /) -> BVar[L[Dim, Dim, D]]: ...
@overload
def reshape(x: Vars[D], shape: Dim, /) -> BVar[R[Dim, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[Dim, Dim, Dim], /) -> BVar[Tensor3[Dim, Dim, Dim, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[Dim, Dim, Dim, Dim], /) -> BVar[Tensor4[Dim, Dim, Dim, Dim, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[int, int], /) -> BVar[L[Any, Any, D]]: ...
@overload
def reshape(x: Vars[D], shape: int | tuple[int], /) -> BVar[R[Any, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[int, int, int], /) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def reshape(x: Vars[D], shape: tuple[int, int, int, int], /) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[DM, DN], /) -> L[DM, DN, D]: ...
@overload
def reshape(x: Arrays[D], shape: DN, /) -> R[DN, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[DA, DM, DN], /) -> Tensor3[DA, DM, DN, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[DA, DB, DM, DN], /) -> Tensor4[DA, DB, DM, DN, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[Dim, Dim], /) -> L[Dim, Dim, D]: ...
@overload
def reshape(x: Arrays[D], shape: Dim, /) -> R[Dim, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[Dim, Dim, Dim], /) -> Tensor3[Dim, Dim, Dim, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[Dim, Dim, Dim, Dim], /) -> Tensor4[Dim, Dim, Dim, Dim, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[int, int], /) -> L[Any, Any, D]: ...
@overload
def reshape(x: Arrays[D], shape: int | tuple[int], /) -> R[Any, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[int, int, int], /) -> Tensor3[Any, Any, Any, D]: ...
@overload
def reshape(x: Arrays[D], shape: tuple[int, int, int, int], /) -> Tensor4[Any, Any, Any, Any, D]: ...
def reshape(x: Any, shape: Any, /) -> Any:
    """The same elements in C order in another shape; one size may be -1. Raises `ShapeError` if they do not fit."""
    if type(x) is BVar:
        return x.reshape(shape)
    # By the same rules; a copy, which unlike NumPy's never aliases the input.
    return constant(plain_array("reshape", x)).reshape(shape)._value.copy()


@overload
def ravel(x: BVar[R[N, D]], /) -> BVar[R[N, D]]: ...
@overload
def ravel(
    x: BVar[L[Any, Any, D]] | BVar[Tensor3[Any, Any, Any, D]] | BVar[Tensor4[Any, Any, Any, Any, D]], /
) -> BVar[R[Any, D]]: ...
@overload
def ravel(x: R[N, D], /) -> R[N, D]: ...
@overload
def ravel(x: L[Any, Any, D] | Tensor3[Any, Any, Any, D] | Tensor4[Any, Any, Any, Any, D], /) -> R[Any, D]: ...
def ravel(x: Any, /) -> Any:
    """All elements in C order as a vector. Raises `ShapeError` for a scalar, which has none."""
    return _again(array_operand("ravel", x), (-1,))


def _transposed(g: Value, _shape: Shape, _dtype: Any, axes: tuple[int, ...]) -> Value:
    return permute(g, tuple(np.argsort(axes).tolist()))


# The axes in another order; a view, which is enough inside of a rule.
permute: Linear = linear("transpose", lambda x, axes: np.transpose(x, axes), _transposed, view=True)


# The orders of axes that a type can follow.
_10: TypeAlias = tuple[Literal[1], Literal[0]]
_021: TypeAlias = tuple[Literal[0], Literal[2], Literal[1]]
_102: TypeAlias = tuple[Literal[1], Literal[0], Literal[2]]
_120: TypeAlias = tuple[Literal[1], Literal[2], Literal[0]]
_201: TypeAlias = tuple[Literal[2], Literal[0], Literal[1]]
_210: TypeAlias = tuple[Literal[2], Literal[1], Literal[0]]
_Literals3: TypeAlias = tuple[Literal[0, 1, 2], Literal[0, 1, 2], Literal[0, 1, 2]]


@overload
def transpose(x: BVar[R[N, D]], axes: None = None) -> BVar[R[N, D]]: ...
@overload
def transpose(x: BVar[L[M, N, D]], axes: None = None) -> BVar[L[N, M, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: None = None) -> BVar[Tensor3[C, B, A, D]]: ...
@overload
def transpose(x: BVar[Tensor4[A, B, M, N, D]], axes: None = None) -> BVar[Tensor4[N, M, B, A, D]]: ...
@overload
def transpose(x: BVar[L[M, N, D]], axes: _10) -> BVar[L[N, M, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _021) -> BVar[Tensor3[A, C, B, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _102) -> BVar[Tensor3[B, A, C, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _120) -> BVar[Tensor3[B, C, A, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _201) -> BVar[Tensor3[C, A, B, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _210) -> BVar[Tensor3[C, B, A, D]]: ...
@overload  # the catchers: other sizes were declared for the result
def transpose(x: BVar[L[M, N, D]], axes: _10) -> BVar[L[int, int, D]]: ...
@overload
def transpose(x: BVar[Tensor3[A, B, C, D]], axes: _Literals3) -> BVar[Tensor3[int, int, int, D]]: ...
@overload
def transpose(x: BVar[L[Any, Any, D]], axes: tuple[int, int]) -> BVar[L[Any, Any, D]]: ...
@overload
def transpose(x: BVar[Tensor3[Any, Any, Any, D]], axes: tuple[int, int, int]) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def transpose(
    x: BVar[Tensor4[Any, Any, Any, Any, D]], axes: tuple[int, int, int, int]
) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def transpose(x: R[N, D], axes: None = None) -> R[N, D]: ...
@overload
def transpose(x: L[M, N, D], axes: None = None) -> L[N, M, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: None = None) -> Tensor3[C, B, A, D]: ...
@overload
def transpose(x: Tensor4[A, B, M, N, D], axes: None = None) -> Tensor4[N, M, B, A, D]: ...
@overload
def transpose(x: L[M, N, D], axes: _10) -> L[N, M, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _021) -> Tensor3[A, C, B, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _102) -> Tensor3[B, A, C, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _120) -> Tensor3[B, C, A, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _201) -> Tensor3[C, A, B, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _210) -> Tensor3[C, B, A, D]: ...
@overload  # the catchers: other sizes were declared for the result
def transpose(x: L[M, N, D], axes: _10) -> L[int, int, D]: ...
@overload
def transpose(x: Tensor3[A, B, C, D], axes: _Literals3) -> Tensor3[int, int, int, D]: ...
@overload
def transpose(x: L[Any, Any, D], axes: tuple[int, int]) -> L[Any, Any, D]: ...
@overload
def transpose(x: Tensor3[Any, Any, Any, D], axes: tuple[int, int, int]) -> Tensor3[Any, Any, Any, D]: ...
@overload
def transpose(x: Tensor4[Any, Any, Any, Any, D], axes: tuple[int, int, int, int]) -> Tensor4[Any, Any, Any, Any, D]: ...
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes in reverse order, or in the order given: `transpose(x, (0, 2, 1))`.

    Raises `ShapeError` unless `axes` names each axis of `x` once.
    """
    x = operand("transpose", x)
    rank = len(shape_of(x))
    order = tuple(range(rank))[::-1] if axes is None else tuple(axes)
    if sorted(a + rank if a < 0 else a for a in order) != list(range(rank)):
        raise ShapeError(f"transpose: axes {order} do not name each axis of {describe(shape_of(x))} once")
    return applied(permute, x, tuple(a % rank for a in order))


@overload
def swapaxes(x: BVar[L[M, N, D]], axis1: Literal[0, -2], axis2: Literal[1, -1]) -> BVar[L[N, M, D]]: ...
@overload
def swapaxes(x: BVar[L[M, N, D]], axis1: Literal[1, -1], axis2: Literal[0, -2]) -> BVar[L[N, M, D]]: ...
@overload
def swapaxes(
    x: BVar[Tensor3[A, B, C, D]], axis1: Literal[0, -3], axis2: Literal[1, -2]
) -> BVar[Tensor3[B, A, C, D]]: ...
@overload
def swapaxes(
    x: BVar[Tensor3[A, B, C, D]], axis1: Literal[1, -2], axis2: Literal[2, -1]
) -> BVar[Tensor3[A, C, B, D]]: ...
@overload
def swapaxes(
    x: BVar[Tensor3[A, B, C, D]], axis1: Literal[0, -3], axis2: Literal[2, -1]
) -> BVar[Tensor3[C, B, A, D]]: ...
@overload
def swapaxes(x: BVar[Tensor3[Any, Any, Any, D]], axis1: int, axis2: int) -> BVar[Tensor3[Any, Any, Any, D]]: ...
@overload
def swapaxes(
    x: BVar[Tensor4[Any, Any, Any, Any, D]], axis1: int, axis2: int
) -> BVar[Tensor4[Any, Any, Any, Any, D]]: ...
@overload
def swapaxes(x: L[M, N, D], axis1: Literal[0, -2], axis2: Literal[1, -1]) -> L[N, M, D]: ...
@overload
def swapaxes(x: L[M, N, D], axis1: Literal[1, -1], axis2: Literal[0, -2]) -> L[N, M, D]: ...
@overload
def swapaxes(x: Tensor3[A, B, C, D], axis1: Literal[0, -3], axis2: Literal[1, -2]) -> Tensor3[B, A, C, D]: ...
@overload
def swapaxes(x: Tensor3[A, B, C, D], axis1: Literal[1, -2], axis2: Literal[2, -1]) -> Tensor3[A, C, B, D]: ...
@overload
def swapaxes(x: Tensor3[A, B, C, D], axis1: Literal[0, -3], axis2: Literal[2, -1]) -> Tensor3[C, B, A, D]: ...
@overload
def swapaxes(x: Tensor3[Any, Any, Any, D], axis1: int, axis2: int) -> Tensor3[Any, Any, Any, D]: ...
@overload
def swapaxes(x: Tensor4[Any, Any, Any, Any, D], axis1: int, axis2: int) -> Tensor4[Any, Any, Any, Any, D]: ...
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged. Raises `ShapeError` for an axis that `x` does not have."""
    x = operand("swapaxes", x)
    rank = len(shape_of(x))
    axes = list(range(rank))
    for axis in (axis1, axis2):
        if not -rank <= axis < rank:
            raise ShapeError(f"swapaxes: axis {axis} is out of range for {describe(shape_of(x))}")
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return applied(permute, x, tuple(axes))


@overload
def row(x: BVar[R[N, D]], /) -> BVar[L[One, N, D]]: ...
@overload
def row(x: R[N, D], /) -> L[One, N, D]: ...
def row(x: Any, /) -> Any:
    """A vector as a matrix of one row. Raises `ShapeError` for anything but a vector."""
    x = _wanted("row", "a vector R[n]", x, lambda shape: len(shape) == 1)
    return _again(x, (1, shape_of(x)[0]))


@overload
def col(x: BVar[R[N, D]], /) -> BVar[L[N, One, D]]: ...
@overload
def col(x: R[N, D], /) -> L[N, One, D]: ...
def col(x: Any, /) -> Any:
    """A vector as a matrix of one column. Raises `ShapeError` for anything but a vector."""
    x = _wanted("col", "a vector R[n]", x, lambda shape: len(shape) == 1)
    return _again(x, (shape_of(x)[0], 1))


@overload
def unrow(x: BVar[L[One, N, D]], /) -> BVar[R[N, D]]: ...
@overload
def unrow(x: L[One, N, D], /) -> R[N, D]: ...
def unrow(x: Any, /) -> Any:
    """The only row of a matrix as a vector. Raises `ShapeError` for anything else."""
    x = _wanted("unrow", "a matrix of one row L[1, n]", x, lambda shape: len(shape) == 2 and shape[0] == 1)
    return _again(x, shape_of(x)[1])


@overload
def uncol(x: BVar[L[N, One, D]], /) -> BVar[R[N, D]]: ...
@overload
def uncol(x: L[N, One, D], /) -> R[N, D]: ...
def uncol(x: Any, /) -> Any:
    """The only column of a matrix as a vector. Raises `ShapeError` for anything else."""
    x = _wanted("uncol", "a matrix of one column L[n, 1]", x, lambda shape: len(shape) == 2 and shape[1] == 1)
    return _again(x, shape_of(x)[0])


def _wanted(name: str, what: str, x: Any, holds: Callable[[Shape], bool]) -> Any:
    """The operand, if its shape is as wanted."""
    x = operand(name, x)
    if not holds(shape_of(x)):
        raise ShapeError(f"{name}: x is {describe(shape_of(x))}; wanted {what}")
    return x


@overload
def broadcast_to(x: BVar[float], shape: DN, /) -> BVar[R[DN]]: ...
@overload
def broadcast_to(x: BVar[float], shape: Dim, /) -> BVar[R[Dim]]: ...
@overload
def broadcast_to(x: BVar[float], shape: int | tuple[int], /) -> BVar[R[Any]]: ...
@overload
def broadcast_to(x: BVar[float], shape: tuple[DM, DN], /) -> BVar[L[DM, DN]]: ...
@overload
def broadcast_to(x: BVar[float], shape: tuple[Dim, Dim], /) -> BVar[L[Dim, Dim]]: ...
@overload
def broadcast_to(x: BVar[float], shape: tuple[int, int], /) -> BVar[L[Any, Any]]: ...
@overload
def broadcast_to(x: BVar[float], shape: tuple[int, int, int], /) -> BVar[Tensor3[Any, Any, Any]]: ...
@overload
def broadcast_to(x: BVar[float], shape: tuple[int, int, int, int], /) -> BVar[Tensor4[Any, Any, Any, Any]]: ...
@overload
def broadcast_to(x: BVar[R[N, D]], shape: tuple[DM, int], /) -> BVar[L[DM, N, D]]: ...
@overload
def broadcast_to(x: BVar[R[N, D]], shape: tuple[Dim, int], /) -> BVar[L[Dim, N, D]]: ...
@overload
def broadcast_to(x: BVar[R[N, D]], shape: tuple[int, int], /) -> BVar[L[Any, N, D]]: ...
@overload
def broadcast_to(x: BVar[L[M, One, D]], shape: tuple[int, DN], /) -> BVar[L[M, DN, D]]: ...
@overload
def broadcast_to(x: BVar[L[M, One, D]], shape: tuple[int, Dim], /) -> BVar[L[M, Dim, D]]: ...
@overload
def broadcast_to(x: BVar[L[One, N, D]], shape: tuple[DM, int], /) -> BVar[L[DM, N, D]]: ...
@overload
def broadcast_to(x: BVar[L[One, N, D]], shape: tuple[Dim, int], /) -> BVar[L[Dim, N, D]]: ...
@overload
def broadcast_to(x: BVar[L[Any, Any, D]], shape: tuple[int, int], /) -> BVar[L[Any, Any, D]]: ...
@overload
def broadcast_to(x: BVar[L[M, N, D]], shape: tuple[int, int, int], /) -> BVar[Tensor3[Any, M, N, D]]: ...
@overload
def broadcast_to(x: float, shape: DN, /) -> R[DN]: ...
@overload
def broadcast_to(x: float, shape: Dim, /) -> R[Dim]: ...
@overload
def broadcast_to(x: float, shape: int | tuple[int], /) -> R[Any]: ...
@overload
def broadcast_to(x: float, shape: tuple[DM, DN], /) -> L[DM, DN]: ...
@overload
def broadcast_to(x: float, shape: tuple[Dim, Dim], /) -> L[Dim, Dim]: ...
@overload
def broadcast_to(x: float, shape: tuple[int, int], /) -> L[Any, Any]: ...
@overload
def broadcast_to(x: float, shape: tuple[int, int, int], /) -> Tensor3[Any, Any, Any]: ...
@overload
def broadcast_to(x: float, shape: tuple[int, int, int, int], /) -> Tensor4[Any, Any, Any, Any]: ...
@overload
def broadcast_to(x: R[N, D], shape: tuple[DM, int], /) -> L[DM, N, D]: ...
@overload
def broadcast_to(x: R[N, D], shape: tuple[Dim, int], /) -> L[Dim, N, D]: ...
@overload
def broadcast_to(x: R[N, D], shape: tuple[int, int], /) -> L[Any, N, D]: ...
@overload
def broadcast_to(x: L[M, One, D], shape: tuple[int, DN], /) -> L[M, DN, D]: ...
@overload
def broadcast_to(x: L[M, One, D], shape: tuple[int, Dim], /) -> L[M, Dim, D]: ...
@overload
def broadcast_to(x: L[One, N, D], shape: tuple[DM, int], /) -> L[DM, N, D]: ...
@overload
def broadcast_to(x: L[One, N, D], shape: tuple[Dim, int], /) -> L[Dim, N, D]: ...
@overload
def broadcast_to(x: L[Any, Any, D], shape: tuple[int, int], /) -> L[Any, Any, D]: ...
@overload
def broadcast_to(x: L[M, N, D], shape: tuple[int, int, int], /) -> Tensor3[Any, M, N, D]: ...
def broadcast_to(x: Any, shape: Any, /) -> Any:
    """`x` stretched to `shape` by the rules of the operators, in a new array.

    A scalar fills any shape, a vector the rows of a matrix, an axis of size 1 any size. Raises `ShapeError` for the
    rest: a vector is not stretched along itself.
    """
    wanted = sizes_of("broadcast_to", shape)
    x = operand("broadcast_to", x)
    if broadcast_shape("broadcast_to", shape_of(x), wanted) != wanted:
        raise ShapeError(f"broadcast_to: {describe(shape_of(x))} does not fill {describe(wanted)}")
    return arithmetic.broadcast_to(x, wanted, dtype_of(x))


# For functions of this module called with operands whose types are unknown.
_again: Any = reshape
