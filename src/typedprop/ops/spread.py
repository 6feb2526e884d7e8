"""How far elements lie from their mean: variance and standard deviation, of all elements or along an axis."""

# The overloads go from exact to gradual, by rank.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, shape_of, total
from typedprop.bvar import BVar, axis_of, count_of
from typedprop.errors import ShapeError
from typedprop.ops.elementwise import ratio
from typedprop.ops.reduction import Axis, reduces_all, weighted
from typedprop.shapes import L, One, R, Tensor3
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)


class Spread:
    """The variance or the standard deviation, of BVars and of plain arrays."""

    def __init__(self, name: str, value: Callable[..., Any], weights: Callable[..., Value], doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._apply = weighted(name, value, weights)

    @overload
    def __call__(
        self, x: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[R[N, D]], axis: Literal[0, -1] | None = None, *, ddof: float = 0, keepdims: Literal[True]
    ) -> BVar[R[One, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: None = None, *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[0, -2], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[R[N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[1, -1], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[R[M, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: None = None, *, ddof: float = 0, keepdims: Literal[True]
    ) -> BVar[L[One, One, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[0, -2], *, ddof: float = 0, keepdims: Literal[True]
    ) -> BVar[L[One, N, D]]: ...
    @overload
    def __call__(
        self, x: BVar[L[M, N, D]], axis: Literal[1, -1], *, ddof: float = 0, keepdims: Literal[True]
    ) -> BVar[L[M, One, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: None = None, *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[float]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[0, -3], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[L[N, K, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[1, -2], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[L[M, K, D]]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]], axis: Literal[2, -1], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> BVar[L[M, N, D]]: ...
    @overload
    def __call__(
        self, x: R[N, D], axis: Literal[0, -1] | None = None, *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> D: ...
    @overload
    def __call__(
        self, x: R[N, D], axis: Literal[0, -1] | None = None, *, ddof: float = 0, keepdims: Literal[True]
    ) -> R[One, D]: ...
    @overload
    def __call__(self, x: L[M, N, D], axis: None = None, *, ddof: float = 0, keepdims: Literal[False] = False) -> D: ...
    @overload
    def __call__(
        self, x: L[M, N, D], axis: Literal[0, -2], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> R[N, D]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], axis: Literal[1, -1], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> R[M, D]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], axis: None = None, *, ddof: float = 0, keepdims: Literal[True]
    ) -> L[One, One, D]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], axis: Literal[0, -2], *, ddof: float = 0, keepdims: Literal[True]
    ) -> L[One, N, D]: ...
    @overload
    def __call__(
        self, x: L[M, N, D], axis: Literal[1, -1], *, ddof: float = 0, keepdims: Literal[True]
    ) -> L[M, One, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: None = None, *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> D: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[0, -3], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> L[N, K, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[1, -2], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> L[M, K, D]: ...
    @overload
    def __call__(
        self, x: Tensor3[M, N, K, D], axis: Literal[2, -1], *, ddof: float = 0, keepdims: Literal[False] = False
    ) -> L[M, N, D]: ...
    def __call__(self, x: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        """Of all elements of `x`, or along an axis or several; the divisor is the number of elements less `ddof`.

        Raises `ShapeError` for an axis that it does not have, and where there are no more elements than `ddof`.
        """
        shape = shape_of(x)
        if shape:
            axis = axis_of(self.__name__, shape, axis)
            count = count_of(self.__name__, shape, axis)
            if not count > ddof:
                raise ShapeError(
                    f"{self.__name__}: ddof is {ddof}, but {describe(shape)} has {count} elements"
                    f"{'' if axis is None else f' along axis {axis}'}; wanted more than ddof"
                )
        return self._apply(x, axis, keepdims, ddof)

    def __repr__(self) -> str:
        return f"<typedprop reduction {self.__name__}>"


def _centred(x: Value, axis: Axis) -> Value:
    shape = shape_of(x)
    return x - total(x, axis, keepdims=not reduces_all(shape, axis)) / count_of("mean", shape, axis)


def _std(x: Any, axis: Axis, keepdims: bool, ddof: float) -> Any:
    """NumPy's, of distances that are scaled first if their squares would overflow or vanish."""
    with np.errstate(over="ignore", under="ignore"):
        y = np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)
    if np.all(np.isfinite(y) & (y > np.sqrt(np.finfo(x.dtype).tiny))):
        return y
    distances = _centred(x, axis)
    scale = np.max(np.abs(distances), axis=axis, keepdims=True)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, np.ones((), x.dtype))
    with np.errstate(under="ignore"):
        y = scale * np.std(distances / scale, axis=axis, ddof=ddof, keepdims=True)
    return y if keepdims else np.squeeze(y, axis)[()]


def _std_weights(x: Value, y: Value, axis: Axis, ddof: float) -> Value:
    return ratio(_centred(x, axis), y) / (count_of("std", shape_of(x), axis) - ddof)


var: Spread = Spread(
    "var",
    lambda x, axis, keepdims, ddof: np.var(x, axis=axis, ddof=ddof, keepdims=keepdims),
    lambda x, y, axis, ddof: _centred(x, axis) * (2.0 / (count_of("var", shape_of(x), axis) - ddof)),
    "The variance: the mean of the squared distances from the mean.",
)
std: Spread = Spread("std", _std, _std_weights, "The standard deviation; its gradient is taken as 0 where it is 0.")
