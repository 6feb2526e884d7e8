"""Where elements are in order: argmax, argmin, argsort. Positions are plain integers; they have no derivative."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import plain
from typedprop.bvar import BVar, axis_of, count_of
from typedprop.errors import ShapeError
from typedprop.op import checked_plain
from typedprop.shapes import L, R, Tensor3

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.generic)


class Position:
    """The position of an extreme, of BVars and of plain arrays."""

    def __init__(self, name: str, value: Callable[..., Any], doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._value = value

    @overload
    def __call__(self, x: BVar[R[N, D]] | R[N, D], axis: Literal[0, -1] | None = None) -> np.int64: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]] | L[M, N, D], axis: None = None) -> np.int64: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]] | L[M, N, D], axis: Literal[0, -2]) -> R[N, np.int64]: ...
    @overload
    def __call__(self, x: BVar[L[M, N, D]] | L[M, N, D], axis: Literal[1, -1]) -> R[M, np.int64]: ...
    @overload
    def __call__(self, x: BVar[Tensor3[M, N, K, D]] | Tensor3[M, N, K, D], axis: None = None) -> np.int64: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]] | Tensor3[M, N, K, D], axis: Literal[0, -3]
    ) -> L[N, K, np.int64]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]] | Tensor3[M, N, K, D], axis: Literal[1, -2]
    ) -> L[M, K, np.int64]: ...
    @overload
    def __call__(
        self, x: BVar[Tensor3[M, N, K, D]] | Tensor3[M, N, K, D], axis: Literal[2, -1]
    ) -> L[M, N, np.int64]: ...
    def __call__(self, x: Any, axis: Any = None) -> Any:
        """The position in `x`, or in each row along `axis`: plain integers. The first one, if there are several.

        Without an axis, the position among all elements in C order. Raises `ShapeError` for an axis that it does not
        have, and for one without elements.
        """
        x = plain(x) if type(x) is BVar else checked_plain(self.__name__, x)
        x = np.asarray(x)
        if not x.ndim:
            raise ShapeError(f"{self.__name__}: wanted an array, got a float")
        axis = axis_of(self.__name__, x.shape, axis)
        count_of(self.__name__, x.shape, axis)
        return self._value(x, axis)

    def __repr__(self) -> str:
        return f"<typedprop reduction {self.__name__}>"


argmax: Position = Position("argmax", np.argmax, "Where the largest element is.")
argmin: Position = Position("argmin", np.argmin, "Where the smallest element is.")


@overload
def argsort(x: BVar[R[N, D]] | R[N, D], axis: Literal[0, -1] = -1) -> R[N, np.int64]: ...
@overload
def argsort(x: BVar[L[M, N, D]] | L[M, N, D], axis: int = -1) -> L[M, N, np.int64]: ...
@overload
def argsort(x: BVar[Tensor3[M, N, K, D]] | Tensor3[M, N, K, D], axis: int = -1) -> Tensor3[M, N, K, np.int64]: ...
def argsort(x: Any, axis: int = -1) -> Any:
    """The positions that would sort `x` along an axis, plain integers; of equal elements the first comes first.

    `take_along_axis` takes them. Raises `ShapeError` for an axis that `x` does not have.
    """
    x = np.asarray(plain(x) if type(x) is BVar else checked_plain("argsort", x))
    if not x.ndim:
        raise ShapeError("argsort: wanted an array, got a float")
    return np.argsort(x, axis_of("argsort", x.shape, axis), stable=True)
