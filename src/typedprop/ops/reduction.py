"""Reductions: sums, means, products and extremes, of all elements or along an axis.

The type of the result follows from the axis: `axis=0` of `L[M, N]` is `R[N]`, with `keepdims=True` `L[One, N]`.

All but the first few are declared by `weighted`: the derivative of a reduction by each element is a weight, and that
one array gives both modes, as (g * weight) and as sum(t * weight).
"""

# The overloads go from exact to gradual, by rank.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import (
    Shape,
    broadcast_to,
    dtype_of,
    kept_shape,
    number,
    plain,
    shape_of,
    tie_weights,
    total,
)
from typedprop.bvar import BVar, axis_of, constant, count_of, record
from typedprop.errors import ShapeError
from typedprop.index_sum import is_plain
from typedprop.op import checked_plain
from typedprop.ops.cumulative import products_of_others
from typedprop.ops.elementwise import choose, exp
from typedprop.shapes import L, One, R, Tensor3
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)

# A reduction of x along an axis (None: all): `apply(x, axis, keepdims)`.
Apply = Callable[..., Any]
# An axis, several, or all of them.
Axis = int | tuple[int, ...] | None


# -- Declaring a reduction -------------------------------------------------------------------------------------------


def weighted(name: str, value: Callable[..., Any], weights: Callable[..., Value]) -> Apply:
    """Declare a reduction, of BVars and of plain arrays, by its derivative by each element.

    `value(x, axis, keepdims, *static)` is of plain arrays. `weights(x, y, axis, *static)` is a new array of the shape
    of x, given the operand and the result, which is a scalar or has the axes that were reduced with size 1. It is
    written for arrays and BVars alike.
    """
    rule = Rule(name, lambda g, r: _pull(weights, g, r), lambda t, r: _push(weights, t, r), fresh=True)

    def call(x: Any, axis: Any = None, keepdims: bool = False, *static: Any) -> Any:
        inner = x._value if type(x) is BVar else np.asarray(checked_plain(name, x))
        shape = shape_of(inner)
        if not shape:
            raise ShapeError(f"{name}: wanted an array, got a float")
        axis = axis_of(name, shape, axis)
        count_of(name, shape, axis)
        if type(x) is not BVar:
            return value(x, axis, keepdims, *static)
        # A scalar needs no axes of size 1 to stand beside x; anything else does.
        whole = reduces_all(shape, axis)
        y = call(inner, axis, not whole, *static)
        y = number(y) if whole else y
        if keepdims:
            result = broadcast_to(y, kept_shape(shape, axis), dtype_of(inner)) if whole else y
        else:
            result = y if whole else y.reshape(_left(shape, axis))
        if x._tape is None:
            return constant(result)
        return record(x._tape, result, (rule.code, x._node, (inner, y, axis, keepdims, static)))

    call.__name__ = call.__qualname__ = name
    return call


def reduces_all(shape: Shape, axis: Axis) -> bool:
    """Whether nothing is left of an array of this shape."""
    return axis is None or len(_left(shape, axis)) == 0


def _left(shape: Shape, axis: Axis) -> Shape:
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis or ())}
    return tuple(size for position, size in enumerate(shape) if position not in axes)


def _pull(weights: Callable[..., Value], g: Value, residual: tuple[Any, ...]) -> Value:
    x, y, axis, _keepdims, static = residual
    w = weights(x, y, axis, *static)
    if shape_of(g):
        g = g.reshape(shape_of(y)) if shape_of(y) else total(g)
    return np.multiply(w, g, out=w) if type(w) is np.ndarray and is_plain(g) else w * g


def _push(weights: Callable[..., Value], t: Value, residual: tuple[Any, ...]) -> Value:
    x, y, axis, keepdims, static = residual
    return total(t * weights(x, y, axis, *static), axis, keepdims)


class Reduction:
    """A reduction over all elements or along an axis, of BVars and of plain arrays."""

    def __init__(self, name: str, apply: Apply, doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._apply = apply

    @overload
    def __call__(
        self, x: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False
    ) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]
    ) -> BVar[R[One, D]]: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[False] = False) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[False] = False
    ) -> BVar[R[N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[False] = False
    ) -> BVar[R[M, D]]: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]], axis: None = None, *, keepdims: Literal[True]) -> BVar[L[One, One, D]]: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]], axis: Literal[0, -2], *, keepdims: Literal[True]) -> BVar[L[One, N, D]]: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]], axis: Literal[1, -1], *, keepdims: Literal[True]) -> BVar[L[M, One, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: None = None, *, keepdims: Literal[False] = False
    ) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __call__(self, x: R[N, D], axis: Literal[0, -1] | None = None, *, keepdims: Literal[False] = False) -> D: ...
    @overload
    def __call__(self, x: R[N, D], axis: Literal[0, -1] | None = None, *, keepdims: Literal[True]) -> R[One, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: None = None, *, keepdims: Literal[False] = False) -> D: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: Literal[0, -2], *, keepdims: Literal[False] = False) -> R[N, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: Literal[1, -1], *, keepdims: Literal[False] = False) -> R[M, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: None = None, *, keepdims: Literal[True]) -> L[One, One, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: Literal[0, -2], *, keepdims: Literal[True]) -> L[One, N, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: Literal[1, -1], *, keepdims: Literal[True]) -> L[M, One, D]: ...
    @overload
    def __call__(self, x: Tensor3[M, N, K, D], axis: None = None, *, keepdims: Literal[False] = False) -> D: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[0, -3], *, keepdims: Literal[False] = False
    ) -> L[N, K, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[1, -2], *, keepdims: Literal[False] = False
    ) -> L[M, K, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[2, -1], *, keepdims: Literal[False] = False
    ) -> L[M, N, D]: ...
    def __call__(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Of `x`, a BVar or a plain array: of all elements, or along an axis or several.

        Raises `ShapeError` for an axis that it does not have, and, but for `sum`, for one without elements.
        """
        return self._apply(x, axis, keepdims)

    def __repr__(self) -> str:
        return f"<typedprop reduction {self.__name__}>"


def _by_method(name: str) -> Apply:
    """A reduction that is a method of BVars and of arrays."""

    def apply(x: Any, axis: Any, keepdims: bool) -> Any:
        if type(x) is BVar:
            return getattr(x, name)(axis, keepdims=keepdims)
        x = np.asarray(checked_plain(name, x))
        axis = axis_of(name, x.shape, axis)
        if name != "sum":
            count_of(name, x.shape, axis)
        return getattr(x, name)(axis=axis, keepdims=keepdims)

    return apply


sum: Reduction = Reduction("sum", _by_method("sum"), "The sum; 0 along an axis of length 0.")
mean: Reduction = Reduction("mean", _by_method("mean"), "The arithmetic mean.")
max: Reduction = Reduction("max", _by_method("max"), "The largest element; equal ones share the gradient equally.")
min: Reduction = Reduction("min", _by_method("min"), "The smallest element; equal ones share the gradient equally.")

# -- The product -----------------------------------------------------------------------------------------------------


def _others(x: Value, y: Value, axis: int | None) -> Value:
    shape = shape_of(x)
    if axis is None:
        return products_of_others(x.reshape(-1), 0).reshape(shape)
    return products_of_others(x, axis)


_PROD = weighted("prod", lambda x, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims), _others)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    if isinstance(axis, tuple):
        raise TypeError(f"prod: axis is {axis}; wanted one axis, or None for all of them")
    return _PROD(x, axis, keepdims)


prod: Reduction = Reduction(
    "prod", _prod, "The product; the gradient by an element is the product of the others, whatever zeros there are."
)

# -- The smooth maximum ----------------------------------------------------------------------------------------------


def _logsumexp(x: Any, axis: Axis, keepdims: bool) -> Any:
    """log(sum(exp(x))) with the largest element taken out, so that nothing overflows; all -inf gives -inf."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype))
    shifted = np.asarray(x - top)
    np.exp(shifted, out=shifted)
    with np.errstate(divide="ignore"):
        y = np.log(shifted.sum(axis=axis, keepdims=True))
    y += top
    return y if keepdims else y.reshape(_left(x.shape, axis) if axis is not None else ())[()]


def _softmax_weights(x: Value, y: Value, axis: Axis) -> Value:
    """The softmax of x. Infinite elements share all of it equally; it is 0 where all are -inf."""
    values = plain(x)
    top = values.max(axis=axis, keepdims=True)
    endless = np.isinf(top)
    if not endless.any():
        return _weights_below(x, top, axis)
    everywhere = np.broadcast_to(endless, values.shape)
    shares = tie_weights(values, top, axis) * (top > 0)
    finite = _weights_below(choose(everywhere, 0.0, x), np.where(endless, 0, top).astype(values.dtype), axis)
    return choose(everywhere, shares, finite)


def _weights_below(x: Value, top: Any, axis: Axis) -> Value:
    e = exp(x - np.broadcast_to(top, shape_of(x)))
    return e / total(e, axis, keepdims=not reduces_all(shape_of(x), axis))


logsumexp: Reduction = Reduction(
    "logsumexp",
    weighted("logsumexp", _logsumexp, _softmax_weights),
    "log(sum(exp(x))), without overflow; the gradient is the softmax.",
)
