"""What the functions of linear algebra ask of a matrix, and what they say when it is not so."""

from __future__ import annotations

from typing import Any

import numpy as np

from typedprop.arithmetic import Shape, describe, shape_of
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import checked_plain

LinAlgError = np.linalg.LinAlgError
Array = np.ndarray[Any, Any]


def want_matrix(name: str, a: Any, argument: str = "a") -> Shape:
    """The two sizes of a matrix of floats; an error that names the argument for anything else."""
    if type(a) is not BVar:
        checked_plain(name, a)
    shape = shape_of(a)
    if len(shape) != 2:
        raise ShapeError(f"{name}: {argument} is {describe(shape)}; wanted a matrix L[m, n]")
    return shape


def want_square(name: str, a: Any, argument: str = "a") -> int:
    """The size of a square matrix; an error that names the argument for anything else."""
    shape = want_matrix(name, a, argument)
    if shape[0] != shape[1]:
        raise ShapeError(f"{name}: {argument} is {describe(shape)}; wanted a square matrix L[n, n]")
    return shape[0]


def want_vector_or_matrix(name: str, b: Any, rows: int, argument: str = "b") -> None:
    """That `b` has `rows` elements or rows."""
    if type(b) is not BVar:
        checked_plain(name, b)
    shape = shape_of(b)
    if len(shape) not in (1, 2) or shape[0] != rows:
        raise ShapeError(
            f"{name}: {argument} is {describe(shape)}; wanted R[{rows}] or L[{rows}, k], as a has {rows} rows"
        )


def singular(name: str, shape: Shape, why: str = "") -> LinAlgError:
    """The error for a matrix without an inverse."""
    return LinAlgError(f"{name}: the matrix, {describe(shape)}, is singular{why}")


def tolerance(a: Array, power: float = 1.0) -> float:
    """What counts as zero beside the largest number in `a`: `max(sizes) * eps ** power` of it."""
    largest = float(np.max(np.abs(a), initial=0.0))
    zero: float = max(a.shape, default=0) * float(np.finfo(a.dtype).eps) ** power * largest
    return zero


def symmetric_part(name: str, a: Array) -> Array:
    """`(a + a.T) / 2` of a plain matrix that is symmetric but for rounding; an error for any other.

    A function of the symmetric part has a symmetric gradient, whichever triangle LAPACK reads.
    """
    asymmetry = np.abs(a - a.T).max(initial=0.0)
    if asymmetry > tolerance(a, 0.5):
        raise LinAlgError(
            f"{name}: the matrix, {describe(a.shape)}, is not symmetric: two of its elements that should be equal "
            f"differ by {asymmetry:.3g}. If its symmetric part is meant, write {name}(sym(a))"
        )
    half: Array = (a + a.T) * a.dtype.type(0.5)
    return half
