"""Norms of vectors and matrices, and `cond`, the condition number.

Where a norm is 0, all its derivatives are taken as 0: the shortest subgradient.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import broadcast_to, describe, dtype_of, kept_shape, plain, shape_of, total
from typedprop.bvar import BVar, axis_of
from typedprop.errors import ShapeError
from typedprop.op import checked_plain, unary
from typedprop.ops.linalg.checks import Array, singular, want_matrix, want_square
from typedprop.ops.linalg.inverse import inv
from typedprop.ops.linalg.svd import svdvals
from typedprop.shapes import L, One, R, Tensor3
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])
MatrixOrder: TypeAlias = Literal["fro", "nuc"]


def _two_norm(x: Array, axis: int | None) -> Any:
    """The square root of the sum of squares; elements too large or too small to be squared are scaled first."""
    keep = axis is not None
    with np.errstate(over="ignore", under="ignore"):
        y = np.sqrt(np.sum(x * x, axis=axis, keepdims=keep))
    if np.all(np.isfinite(y) & (y > np.sqrt(np.finfo(x.dtype).tiny))):
        return y
    scale = np.max(np.abs(x), axis=axis, keepdims=keep, initial=0.0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, np.ones((), x.dtype))
    with np.errstate(under="ignore"):
        return scale * np.sqrt(np.sum(np.square(x / scale), axis=axis, keepdims=keep))


def _unit(x: Value, y: Value) -> Value:
    """`x / y`, and 0 where the norm `y` is."""
    bottom = plain(y)
    if not shape_of(bottom):
        return x / y if bottom != 0 else x * 0.0
    hole = bottom == 0
    if not hole.any():
        return x / y
    return x / (y + hole.astype(bottom.dtype)) * broadcast_to((~hole).astype(bottom.dtype), shape_of(x), bottom.dtype)


def _along(t: Value, partial: Value, axis: int | None) -> Value:
    return total(t * partial, axis, keepdims=axis is not None)


_two = unary(
    "norm",
    _two_norm,
    keep=lambda x, y, axis: (x, y, axis),
    pull=lambda g, r: g * _unit(r[0], r[1]),
    push=lambda t, r: _along(t, _unit(r[0], r[1]), r[2]),
    fresh=True,
)


def _p_norm(x: Array, axis: int | None, p: float) -> Any:
    """The norm of any other order, of elements that are scaled so that no power overflows."""
    keep = axis is not None
    size = np.abs(x)
    scale = np.max(size, axis=axis, keepdims=keep, initial=0.0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, np.ones((), x.dtype))
    with np.errstate(divide="ignore", under="ignore"):
        return (scale * np.sum((size / scale) ** p, axis=axis, keepdims=keep) ** (1 / p)).astype(x.dtype)


def _p_partial(residual: tuple[Value, Value, int | None, float]) -> Value:
    x, y, _, p = residual
    sign = np.sign(plain(x))
    ratio = _unit(abs(x), y)
    if p < 2:
        # A zero has no derivative; its sign is 0, so any other number will do in its place.
        ratio = ratio + (plain(ratio) == 0).astype(dtype_of(x))
    return sign * ratio ** (p - 1)


_other = unary(
    "norm",
    _p_norm,
    keep=lambda x, y, axis, p: (x, y, axis, p),
    pull=lambda g, r: g * _p_partial(r),
    push=lambda t, r: _along(t, _p_partial(r), r[2]),
    fresh=True,
)


@overload
def norm(
    x: BVar[R[N, D]], ord: float | None = None, axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False
) -> BVar[float]: ...
@overload
def norm(
    x: BVar[R[N, D]], ord: float | None = None, axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]
) -> BVar[R[One, D]]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: MatrixOrder | float | None = None, axis: None = None, *, keepdims: Literal[False] = False
) -> BVar[float]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: MatrixOrder | float | None = None, axis: None = None, *, keepdims: Literal[True]
) -> BVar[L[One, One, D]]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: float | None = None, *, axis: Literal[0, -2], keepdims: Literal[False] = False
) -> BVar[R[N, D]]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: float | None = None, *, axis: Literal[1, -1], keepdims: Literal[False] = False
) -> BVar[R[M, D]]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: float | None = None, *, axis: Literal[0, -2], keepdims: Literal[True]
) -> BVar[L[One, N, D]]: ...
@overload
def norm(
    x: BVar[L[M, N, D]], ord: float | None = None, *, axis: Literal[1, -1], keepdims: Literal[True]
) -> BVar[L[M, One, D]]: ...
@overload
def norm(
    x: BVar[Tensor3[Any, Any, Any, D]], ord: None = None, axis: None = None, *, keepdims: Literal[False] = False
) -> BVar[float]: ...
@overload
def norm(
    x: R[N, D], ord: float | None = None, axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False
) -> D: ...
@overload
def norm(
    x: R[N, D], ord: float | None = None, axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]
) -> R[One, D]: ...
@overload
def norm(
    x: L[M, N, D], ord: MatrixOrder | float | None = None, axis: None = None, *, keepdims: Literal[False] = False
) -> D: ...
@overload
def norm(
    x: L[M, N, D], ord: MatrixOrder | float | None = None, axis: None = None, *, keepdims: Literal[True]
) -> L[One, One, D]: ...
@overload
def norm(
    x: L[M, N, D], ord: float | None = None, *, axis: Literal[0, -2], keepdims: Literal[False] = False
) -> R[N, D]: ...
@overload
def norm(
    x: L[M, N, D], ord: float | None = None, *, axis: Literal[1, -1], keepdims: Literal[False] = False
) -> R[M, D]: ...
@overload
def norm(x: L[M, N, D], ord: float | None = None, *, axis: Literal[0, -2], keepdims: Literal[True]) -> L[One, N, D]: ...
@overload
def norm(x: L[M, N, D], ord: float | None = None, *, axis: Literal[1, -1], keepdims: Literal[True]) -> L[M, One, D]: ...
@overload
def norm(
    x: Tensor3[Any, Any, Any, D], ord: None = None, axis: None = None, *, keepdims: Literal[False] = False
) -> D: ...
def norm(x: Any, ord: Any = None, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The norm of a vector or matrix, or of the vectors along an axis.

    `ord` as in NumPy. Of vectors: None or 2 is the Euclidean length, 1 the sum and `np.inf` (`-np.inf`) the largest
    (smallest) of the absolute values, 0 how many are not 0, another number `p` is `sum(abs(x) ** p) ** (1 / p)`. Of
    matrices: None or "fro" is the length of all elements (of an array of any rank), "nuc" the sum of the singular
    values, 2 (-2) the largest (smallest) of them, 1 (-1) the largest (smallest) sum of the absolute values in a column,
    `np.inf` (`-np.inf`) in a row.

    Where the norm is 0 its derivatives are 0; elements that are equally large share a derivative. Raises `ShapeError`
    for an axis that `x` does not have and for an extreme of no elements, ValueError for another `ord`.
    """
    x = x if type(x) is BVar else np.asarray(checked_plain("norm", x))
    shape = shape_of(x)
    if not shape:
        raise ShapeError("norm: x is a float; wanted a vector or matrix (abs is the norm of a number)")
    if axis is not None:
        (axis,) = (a % len(shape) for a in axis_of("norm", shape, (axis,)))
        kept = kept_shape(shape, axis)
        y = _vector_norm(x, ord, None if len(shape) == 1 else axis)
        if not shape_of(y) or keepdims:
            return _kept(x, y, kept) if keepdims else y
        return y.reshape(tuple(n for a, n in enumerate(kept) if a != axis))
    if ord is None or len(shape) == 1:
        y = _vector_norm(x, ord, None)
    elif len(shape) == 2:
        y = _matrix_norm(x, ord)
    else:
        raise ShapeError(f"norm: x is {describe(shape)}, whose norm of ord={ord!r} needs an axis")
    return _kept(x, y, (1,) * len(shape)) if keepdims else y


def _kept(x: Any, y: Any, shape: tuple[int, ...]) -> Any:
    return y if shape_of(y) else broadcast_to(y, shape, dtype_of(x))


def _vector_norm(x: Any, ord: Any, axis: int | None) -> Any:
    """The norm along an axis, which stays as one of size 1; of all elements, a scalar, without one."""
    if ord is None or ord == 2:
        return _of(x, _two, _two_norm, axis)
    if not isinstance(ord, int | float | np.number):
        raise ValueError(f"norm: ord={ord!r} is not a norm of vectors; wanted a number or None")
    keep = axis is not None
    if ord == 1:
        return abs(x).sum(axis=axis, keepdims=keep)
    if np.isinf(ord):
        return _extreme(abs(x), bool(ord > 0), axis, keep)
    if ord == 0:
        y = (plain(x) != 0).sum(axis=axis, keepdims=keep).astype(dtype_of(x))
        return BVar(y if keep else float(y)) if type(x) is BVar else y
    return _of(x, _other, _p_norm, axis, float(ord))


def _of(x: Any, op: Any, value: Any, *static: Any) -> Any:
    """The operation of a BVar; of plain arrays only the value, for a scalar one then keeps NumPy's type."""
    return op(x, *static) if type(x) is BVar else value(x, *static)


def _extreme(x: Any, largest: bool, axis: int | None, keepdims: bool) -> Any:
    if 0 in shape_of(x):
        raise ShapeError(f"norm: {describe(shape_of(x))} has no elements, so none is the largest")
    return x.max(axis=axis, keepdims=keepdims) if largest else x.min(axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, ord: Any) -> Any:
    if ord == "fro":
        return _of(x, _two, _two_norm, None)
    if ord == "nuc":
        return _svdvals(x).sum()
    if isinstance(ord, str) or abs(ord) not in (1, 2, np.inf):
        raise ValueError(
            f'norm: ord={ord!r} is not a norm of matrices; wanted "fro", "nuc", 1, 2, np.inf or a negative one'
        )
    sizes = _svdvals(x) if abs(ord) == 2 else abs(x).sum(axis=0 if abs(ord) == 1 else 1)
    return _extreme(sizes, ord > 0, None, False)


@overload
def cond(a: BVar[L[M, N, D]], /, ord: Literal[2, -2] | None = None) -> BVar[float]: ...
@overload
def cond(a: BVar[L[N, N, D]], /, ord: MatrixOrder | float) -> BVar[float]: ...
@overload
def cond(a: L[M, N, D], /, ord: Literal[2, -2] | None = None) -> D: ...
@overload
def cond(a: L[N, N, D], /, ord: MatrixOrder | float) -> D: ...
def cond(a: Any, /, ord: Any = None) -> Any:
    """The condition number: how much a matrix magnifies relative errors, `norm(a, ord) * norm(inv(a), ord)`.

    Without `ord` or with 2 it is the ratio of the largest and the smallest singular value, of any matrix. Infinite for
    a plain singular matrix; for a BVar that raises `LinAlgError`, since nothing can be differentiated there. Raises
    `ShapeError` for a matrix without elements, or not square where it has to be.
    """
    by_values = ord is None or ord in (2, -2)
    shape = want_matrix("cond", a)
    if 0 in shape:
        raise ShapeError(f"cond: a is {describe(shape)}; wanted a matrix with elements")
    if not by_values:
        want_square("cond", a)
    if type(a) is not BVar:
        return np.linalg.cond(checked_plain("cond", a), ord)
    if np.linalg.matrix_rank(plain(a)) < min(shape):
        raise singular("cond", shape, ", and its condition number infinite")
    if by_values:
        s = _svdvals(a)
        return s[-1] / s[0] if ord == -2 else s[0] / s[-1]
    return _matrix_norm(a, ord) * _matrix_norm(_inv(a), ord)


# For operands of an enclosing tape, whose types are unknown.
_svdvals: Any = svdvals
_inv: Any = inv
