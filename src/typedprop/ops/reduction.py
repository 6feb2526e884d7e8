"""Reductions: sums, means and extremes, of all elements or along an axis.

The type of the result follows from the axis: `axis=0` of `L[M, N]` is `R[N]`, with `keepdims=True` `L[One, N]`. All of
them are methods of `BVar` too, whose messages name the sizes.
"""

# The overloads go from exact to gradual, by rank.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import kept_shape, number, shape_of, total
from typedprop.bvar import BVar, axis_of, count_of, record
from typedprop.op import checked_plain
from typedprop.ops.elementwise import exp
from typedprop.shapes import L, R, Tensor3
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)
One = Literal[1]


class Reduction:
    """A reduction over all elements or along an axis, of BVars and of plain arrays."""

    def __init__(self, name: str, value: Callable[..., Any], of_bvar: Callable[..., Any], doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._value = value
        self._of_bvar = of_bvar

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
        """The reduction of `x`, a BVar or a plain array; `ShapeError` for an axis that it does not have."""
        if type(x) is BVar:
            return self._of_bvar(x, axis, keepdims=keepdims)
        x = np.asarray(checked_plain(self.__name__, x))
        axis = axis_of(self.__name__, x.shape, axis)
        if self.__name__ != "sum":
            count_of(self.__name__, x.shape, axis)
        return self._value(x, axis=axis, keepdims=keepdims)

    def __repr__(self) -> str:
        return f"<typedprop reduction {self.__name__}>"


sum = Reduction("sum", np.sum, BVar.sum, "The sum; 0 along an axis of length 0.")
mean = Reduction("mean", np.mean, BVar.mean, "The arithmetic mean.")
max = Reduction("max", np.max, BVar.max, "The largest element; equal ones share the gradient equally.")
min = Reduction("min", np.min, BVar.min, "The smallest element; equal ones share the gradient equally.")


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) with the largest element taken out, so that nothing overflows; all -inf gives -inf."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, np.zeros((), x.dtype))
    shifted = np.asarray(x - top)
    np.exp(shifted, out=shifted)
    with np.errstate(divide="ignore"):
        y = np.log(shifted.sum(axis=axis, keepdims=True))
    y += top
    return y if keepdims else y.reshape(np.delete(y.shape, axis) if axis is not None else ())[()]


def _softmax_weights(residual: tuple[Value, Value, Any, Any]) -> Value:
    x, y, shape, _axis = residual
    return exp(x - (y.reshape(shape) if shape_of(y) else y))


def _pull_logsumexp(g: Value, residual: tuple[Value, Value, Any, Any]) -> Value:
    shape = residual[2]
    return (g.reshape(shape) if shape_of(g) else g) * _softmax_weights(residual)


def _push_logsumexp(t: Value, residual: tuple[Value, Value, Any, Any]) -> Value:
    y, axis = residual[1], residual[3]
    z = total(t * _softmax_weights(residual), axis)
    return z.reshape(shape_of(y)) if shape_of(y) else z


# residual: (x, y, the shape of y with keepdims, axis)
_LOGSUMEXP = Rule("logsumexp", _pull_logsumexp, _push_logsumexp, fresh=True)


def _logsumexp_of_bvar(x: BVar[Any], axis: Any = None, *, keepdims: bool = False) -> BVar[Any]:
    shape, inner = x.shape, x._value
    if not shape:
        return x
    axis = axis_of("logsumexp", shape, axis)
    count_of("logsumexp", shape, axis)
    again: Any = logsumexp  # the operand may be of an enclosing tape: its type is unknown
    y = again(inner, axis, keepdims=keepdims)
    y = y if shape_of(y) else number(y)
    return record(x._tape, y, (_LOGSUMEXP.code, x._node, (inner, y, kept_shape(shape, axis), axis)))


logsumexp = Reduction(
    "logsumexp",
    _logsumexp,
    _logsumexp_of_bvar,
    "log(sum(exp(x))), without overflow; the gradient is the softmax.",
)
