"""`qr`: an orthogonal and an upper triangular factor."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import plain
from typedprop.bvar import BVar
from typedprop.op import checked_plain, decomposition
from typedprop.ops.diagonal import tril
from typedprop.ops.joining import hstack
from typedprop.ops.linalg.checks import Array, singular, tolerance, want_matrix
from typedprop.ops.linalg.solve import solve_triangular
from typedprop.shapes import L
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.floating[Any])


def _divided(m: Value, r: Value, *, transposed: bool) -> Value:
    """`m @ inv(r)`, or `m @ inv(r).T`, by substitution."""
    values = plain(r)
    if (np.abs(np.diagonal(values)) <= tolerance(values)).any():
        raise singular("qr", values.shape, " in its triangular factor: dependent columns have no derivative")
    return _solve(r, m.T, lower=False).T if transposed else _solve(r.T, m.T, lower=True).T


def _pull(cotangents: Sequence[Value | None], _a: Value, results: tuple[Value, Value]) -> Value:
    (q, r), (gq, gr) = results, cotangents
    m = 0.0 if gr is None else r @ gr.T
    if gq is not None:
        m = m - gq.T @ q
    y = q @ (_tril(m) + _tril(m, -1).T)
    return _divided(y if gq is None else gq + y, r, transposed=True)


def _push(t: Value, _a: Value, results: tuple[Value, Value]) -> tuple[Value, Value]:
    q, r = results
    scaled = _divided(t, r, transposed=False)
    inner = q.T @ scaled
    below = _tril(inner, -1)
    turn = below - below.T
    return scaled + q @ (turn - inner), (inner - turn) @ r


def _factors(a: Array) -> tuple[Array, Array]:
    q, r = np.linalg.qr(a)
    return q, r


# Of matrices with at least as many rows as columns.
_tall = decomposition("qr", _factors, _pull, _push)


@overload
def qr(a: BVar[L[N, N, D]], /) -> tuple[BVar[L[N, N, D]], BVar[L[N, N, D]]]: ...
@overload
def qr(a: BVar[L[M, N, D]], /) -> tuple[BVar[L[M, Any, D]], BVar[L[Any, N, D]]]: ...
@overload
def qr(a: L[N, N, D], /) -> tuple[L[N, N, D], L[N, N, D]]: ...
@overload
def qr(a: L[M, N, D], /) -> tuple[L[M, Any, D], L[Any, N, D]]: ...
def qr(a: Any, /) -> Any:
    """`q` with orthonormal columns and an upper triangular `r` with `q @ r == a`, as many columns as the smaller size.

    The derivative is that of Seeger and others (2017); of a matrix wider than high, that of its square part, and `r`
    follows for the rest. Raises `ShapeError` for anything but a matrix; a derivative raises `LinAlgError` where the
    columns (of a wide matrix, the first ones) are linearly dependent.
    """
    m, n = want_matrix("qr", a)
    if type(a) is not BVar:
        return _factors(checked_plain("qr", a))
    if m >= n:
        return _tall(a)
    q, r = _tall(a[:, :m])
    return q, _hstack([r, q.T @ a[:, m:]])


# For operands of an enclosing tape, whose types are unknown.
_tril: Any = tril
_hstack: Any = hstack
_solve: Any = solve_triangular
