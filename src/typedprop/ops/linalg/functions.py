"""Functions of a matrix as a whole: `expm`, `sqrtm`, `logm`, with SciPy's values.

A matrix function of a block triangular matrix holds its own derivative:

    f([[a, t], [0, a]]) == [[f(a), df(a; t)], [0, f(a)]]

(Mathias 1996; Higham, Functions of Matrices, 2008, theorem 3.6). That is forward mode; reverse mode is the same at the
transposed matrix, and higher orders are it once more.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, dtype_of, shape_of
from typedprop.bvar import BVar
from typedprop.extras import extra
from typedprop.op import Function, unary
from typedprop.ops.joining import hstack, vstack
from typedprop.ops.linalg.checks import Array, LinAlgError, want_square
from typedprop.shapes import L
from typedprop.tape import Value

N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _declared(name: str, value: Function) -> Function:
    """A matrix function by its values."""

    def along(a: Value, t: Value) -> Value:
        n = shape_of(a)[0]
        lower = _hstack([np.zeros((n, n), dtype_of(a)), a])
        return f(_vstack([_hstack([a, t]), lower]))[:n, n:]

    f = unary(name, value, keep=lambda a, y: a, pull=lambda g, a: along(a.T, g), push=lambda t, a: along(a, t))
    return f


def _by_scipy(name: str, a: Array) -> Array:
    """SciPy's value; computed in float64, since float32 would lose most of its digits."""
    library: Any = extra("scipy.linalg", name="special", needed_by=f"linalg.{name}")
    if not a.size:
        return a.copy()
    y: Array = getattr(library, name)(a.astype(np.float64))
    if y.dtype.kind == "c":
        if np.abs(y.imag).max() > 1e-8 * np.abs(y).max():
            raise LinAlgError(f"{name}: the matrix, {describe(a.shape)}, has negative eigenvalues, and no real {name}")
        y = y.real  # pragma: no cover  # where older releases of SciPy give complex arrays
    return y.astype(a.dtype)


def _want_regular(name: str, a: Array) -> None:
    if a.size and np.linalg.matrix_rank(a) < len(a):
        raise LinAlgError(f"{name}: the matrix, {describe(a.shape)}, is singular, where {name} has no derivative")


def _sqrtm_value(a: Array) -> Array:
    _want_regular("sqrtm", a)
    return _by_scipy("sqrtm", a)


def _logm_value(a: Array) -> Array:
    _want_regular("logm", a)
    return _by_scipy("logm", a)


_expm = _declared("expm", lambda a: _by_scipy("expm", a))
_sqrtm = _declared("sqrtm", _sqrtm_value)
_logm = _declared("logm", _logm_value)


@overload
def expm(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def expm(a: L[N, N, D], /) -> L[N, N, D]: ...
def expm(a: Any, /) -> Any:
    """The exponential of a matrix, `1 + a + a @ a / 2 + ...`. Needs SciPy: `pip install typedprop[special]`.

    The derivative is read off the exponential of a block triangular matrix (Mathias 1996), of any matrix.
    Raises `ShapeError` unless the matrix is square.
    """
    want_square("expm", a)
    return _expm(a)


@overload
def sqrtm(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def sqrtm(a: L[N, N, D], /) -> L[N, N, D]: ...
def sqrtm(a: Any, /) -> Any:
    """The principal square root of a matrix: `sqrtm(a) @ sqrtm(a) == a`. Needs SciPy: `pip install typedprop[special]`.

    The derivative is read off the root of a block triangular matrix (Mathias 1996). Raises `ShapeError` unless the
    matrix is square, `LinAlgError` if it is singular or has no real square root.
    """
    want_square("sqrtm", a)
    return _sqrtm(a)


@overload
def logm(a: BVar[L[N, N, D]], /) -> BVar[L[N, N, D]]: ...
@overload
def logm(a: L[N, N, D], /) -> L[N, N, D]: ...
def logm(a: Any, /) -> Any:
    """The principal logarithm of a matrix: `expm(logm(a)) == a`. Needs SciPy: `pip install typedprop[special]`.

    The derivative is read off the logarithm of a block triangular matrix (Mathias 1996). Raises `ShapeError` unless the
    matrix is square, `LinAlgError` if it is singular or has no real logarithm.
    """
    want_square("logm", a)
    return _logm(a)


# For operands of an enclosing tape, whose types are unknown.
_hstack: Any = hstack
_vstack: Any = vstack
