"""`inv` and `pinv`: the inverse, and the pseudo-inverse of matrices of full rank.

To apply an inverse, `solve` and `lstsq` are faster and more exact.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import plain, shape_of
from typedprop.bvar import BVar
from typedprop.op import unary
from typedprop.ops.linalg.checks import Array, LinAlgError, singular, want_matrix, want_square
from typedprop.shapes import L
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _inverse(a: Array) -> Array:
    try:
        return np.linalg.inv(a)
    except LinAlgError:
        raise singular("inv", a.shape) from None


_inv = unary(
    "inv",
    _inverse,
    keep=lambda a, y: y,
    pull=lambda g, y: -(y.T @ g @ y.T),
    push=lambda t, y: -(y @ t @ y),
    fresh=True,
)


@overload
def inv(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def inv(a: L[N, N, D], /) -> L[N, N, D]: ...
def inv(a: Any, /) -> Any:
    """The inverse. The derivative is that of Giles (2008), section 2.2.3.

    Raises `ShapeError` unless the matrix is square, `LinAlgError` if it is singular.
    """
    want_square("inv", a)
    return _inv(a)


def _pull_pinv(g: Value, kept: tuple[Value, Value]) -> Value:
    a, p = kept
    want_full_rank("pinv", a)
    pt, gt = p.T, g.T
    y = -(pt @ g @ pt)
    rows, columns = shape_of(a)
    if rows > columns:
        wide = gt @ (p @ pt)
        y = y + wide - a @ (p @ wide)
    if columns > rows:
        tall = (pt @ p) @ gt
        y = y + tall - (tall @ p) @ a
    return y


def _push_pinv(t: Value, kept: tuple[Value, Value]) -> Value:
    a, p = kept
    want_full_rank("pinv", a)
    pt, tt = p.T, t.T
    y = -(p @ t @ p)
    rows, columns = shape_of(a)
    if rows > columns:
        wide = (p @ pt) @ tt
        y = y + wide - (wide @ a) @ p
    if columns > rows:
        tall = tt @ (pt @ p)
        y = y + tall - p @ (a @ tall)
    return y


def want_full_rank(name: str, a: Value) -> None:
    """That a matrix has full rank: where it has not, the pseudo-inverse jumps."""
    x = plain(a)
    # (An empty matrix has rank 0, its own; NumPy before 2.3 cannot say so.)
    if x.size and np.linalg.matrix_rank(x) < min(x.shape):
        raise singular(name, x.shape, " or of deficient rank, where the pseudo-inverse is not continuous")


_pinv = unary(
    "pinv", lambda a: np.linalg.pinv(a), keep=lambda a, y: (a, y), pull=_pull_pinv, push=_push_pinv, fresh=True
)


@overload
def pinv(a: BVar[L[M, N, D]], /) -> BVar[L[N, M, D]]: ...
@overload
def pinv(a: L[M, N, D], /) -> L[N, M, D]: ...
def pinv(a: Any, /) -> Any:
    """The Moore-Penrose pseudo-inverse. The derivative is that of Golub and Pereyra (1973), for full rank.

    Raises `ShapeError` for anything but a matrix; a derivative raises `LinAlgError` where the rank is deficient, for
    the pseudo-inverse is not continuous there.
    """
    want_matrix("pinv", a)
    return _pinv(a)
