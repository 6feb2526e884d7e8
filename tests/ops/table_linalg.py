"""Linear algebra: equations, inverses, determinants, decompositions, functions of matrices, norms.

Where a decomposition has a derivative only at some matrices (symmetric, of full rank, of different eigenvalues), the
domain draws those; what holds at the others is in test_linalg_conventions.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from tests.ops import analytic
from tests.ops.row import Array, Case, Function, Row, Shape, away_from, between, case
from tests.untyped import tp

la: Any = tp.linalg
# The reference for functions of matrices, which comes without types.
sla: Any = import_module("scipy.linalg")


# -- Domains ---------------------------------------------------------------------------------------------------------


def regular(rng: np.random.Generator, shape: Shape) -> Array:
    """Matrices whose singular values are different, and from 1 to 2."""
    m, n = shape
    u, _, vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    a: Array = (u * np.linspace(2, 1, min(m, n))) @ vt
    return a


def positive(rng: np.random.Generator, shape: Shape) -> Array:
    """Matrices whose symmetric part has different eigenvalues, from 1 to 2; they are not symmetric themselves."""
    n = shape[0]
    q = np.linalg.qr(rng.normal(size=shape))[0]
    skew = rng.normal(size=shape)
    a: Array = (q * np.linspace(1, 2, n)) @ q.T + (skew - skew.T)
    return a


def triangular(rng: np.random.Generator, shape: Shape) -> Array:
    """Matrices with a diagonal from 1 to 2; both triangles are filled."""
    m, n = shape
    return rng.uniform(-1, 1, shape) + 2 * np.eye(m, n)


def near_one(rng: np.random.Generator, shape: Shape) -> Array:
    """Matrices near the identity, where every function of a matrix is real."""
    return np.eye(shape[0]) + 0.2 * rng.uniform(-1, 1, shape)


# -- Cases -----------------------------------------------------------------------------------------------------------


def square(**static: Any) -> tuple[Case, ...]:
    """Square matrices of several sizes and layouts."""
    return (
        *(case((n, n), **static) for n in (1, 2, 3, 4, 5)),
        case((3, 3), layout="transposed", **static),
        case((4, 4), layout="strided", **static),
    )


EMPTY = case((0, 0))


def rectangular(**static: Any) -> tuple[Case, ...]:
    """Matrices of all proportions, of none in one direction too."""
    return (
        *(case(shape, **static) for shape in ((1, 1), (3, 3), (3, 2), (2, 4), (3, 1), (1, 2), (0, 2), (3, 0))),
        case((4, 2), layout="transposed", **static),
        case((2, 4), layout="strided", **static),
    )


def equations(**static: Any) -> tuple[Case, ...]:
    """A square matrix with one right-hand side, and with several."""
    return (
        *(case((n, n), (n,), **static) for n in (1, 3)),
        *(case((n, n), (n, k), **static) for n, k in ((1, 1), (2, 3), (3, 0))),
        case((3, 3), (3,), layout="transposed", **static),
        case((2, 2), (2, 2), layout="strided", **static),
    )


def of_symmetric(f: Function) -> Function:
    """A function of the symmetric part, which may be drawn and moved in any direction."""
    return lambda a: f(la.sym(a))


def of_symmetric_part(f: Function) -> Function:
    """The same of plain arrays."""
    return lambda a: f(analytic.symmetric(a))


def triangle(a: Array, lower: bool) -> Array:
    """One triangle of a matrix."""
    return np.tril(a) if lower else np.triu(a)


def norms() -> tuple[Case, ...]:
    """Every order of vectors, matrices, and along an axis."""
    vector: tuple[Any, ...] = (None, 0, 1, 2, 3, 2.5, 0.5, -1, -2, np.inf, -np.inf)
    matrix: tuple[Any, ...] = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    return (
        *(case((3,), ord=p) for p in vector),
        *(case((2, 3), ord=p) for p in matrix),
        *(case((3, 2), ord=p, axis=0) for p in vector),
        *(case((2, 3), ord=p, axis=-1, keepdims=True) for p in (None, 1, 3, np.inf)),
        case((3,), keepdims=True),
        case((2, 3), ord="nuc", keepdims=True),
        case((1,)),
        case((0,), domain=between(1, 2)),
        case((0,), ord=3),
        case((3, 2), layout="transposed"),
        case((4,), layout="strided"),
        case((2, 3, 2)),
        case((2, 3, 2), axis=1),
        case((2, 2, 1, 2), ord=1, axis=2),
    )


EQUATIONS = (
    Row("linalg.solve", la.solve, np.linalg.solve, equations(), (regular, between(-2, 2)), analytic=True),
    Row(
        "linalg.solve_triangular",
        la.solve_triangular,
        lambda a, b, lower=False: np.linalg.solve(triangle(a, lower), b),
        (*equations(), *equations(lower=True), case((60, 60), (60,), lower=True)),
        (triangular, between(-2, 2)),
        analytic=True,
    ),
    Row(
        "linalg.lstsq",
        la.lstsq,
        lambda a, b: np.linalg.lstsq(a, b)[0],
        (
            *(case((m, n), (m,)) for m, n in ((1, 1), (3, 3), (3, 2), (2, 4))),
            *(case((m, n), (m, 2)) for m, n in ((4, 2), (1, 3))),
            case((3, 1), (3, 2)),
            case((0, 2), (0,)),
            case((3, 0), (3,)),
            case((3, 2), (3,), layout="transposed"),
            case((2, 4), (2, 2), layout="strided"),
        ),
        (regular, between(-2, 2)),
        analytic=lambda a, b: analytic.pinv(a) @ b,
    ),
    Row("linalg.inv", la.inv, np.linalg.inv, (*square(), EMPTY), regular, analytic=True),
    Row("linalg.pinv", la.pinv, np.linalg.pinv, rectangular(), regular, analytic=analytic.pinv),
    Row("linalg.det", la.det, np.linalg.det, (*square(), EMPTY), between(-2, 2), analytic=True),
    Row(
        "linalg.slogdet",
        lambda a: la.slogdet(a)[1],
        lambda a: np.linalg.slogdet(a)[1],
        (*square(), EMPTY),
        regular,
        analytic=analytic.logabsdet,
    ),
)

DECOMPOSITIONS = (
    Row(
        "linalg.cholesky",
        of_symmetric(la.cholesky),
        of_symmetric_part(np.linalg.cholesky),
        (*square(), EMPTY),
        positive,
        analytic=of_symmetric_part(analytic.cholesky),
    ),
    Row("linalg.qr", la.qr, lambda a: tuple(np.linalg.qr(a)), rectangular(), regular, analytic=analytic.qr),
    Row(
        "linalg.eigh",
        of_symmetric(la.eigh),
        of_symmetric_part(lambda a: tuple(np.linalg.eigh(a))),
        (*square(), EMPTY),
        positive,
        analytic=of_symmetric_part(analytic.eigh),
    ),
    Row(
        "linalg.eigvalsh",
        of_symmetric(la.eigvalsh),
        of_symmetric_part(np.linalg.eigvalsh),
        (*square(), EMPTY),
        positive,
        analytic=of_symmetric_part(lambda a: analytic.eigh(a)[0]),
    ),
    Row(
        "linalg.svd",
        la.svd,
        lambda a: tuple(np.linalg.svd(a, full_matrices=False)),
        rectangular(),
        regular,
        analytic=analytic.svd,
    ),
    Row(
        "linalg.svdvals",
        la.svdvals,
        lambda a: np.linalg.svd(a, compute_uv=False),
        rectangular(),
        regular,
        analytic=lambda a: analytic.svd(a)[1],
    ),
)

FUNCTIONS = (
    Row(
        "linalg.matrix_power",
        lambda a, n: la.matrix_power(a, n),
        lambda a, n: np.linalg.matrix_power(a, n),
        (
            *(case((3, 3), n=n) for n in (0, 1, 2, 3, 6, -1, -2)),
            *(case((n, n), n=3) for n in (0, 1, 2, 4, 5)),
            case((3, 3), n=2, layout="transposed"),
            case((2, 2), n=5, layout="strided"),
        ),
        regular,
        analytic=True,
    ),
    Row("linalg.expm", la.expm, sla.expm, (*square(), EMPTY), between(-1, 1), analytic=True),
    Row(
        "linalg.sqrtm",
        la.sqrtm,
        # Some versions of SciPy give a real root in complex numbers.
        lambda a: np.real_if_close(sla.sqrtm(a)),
        (*square(), EMPTY),
        near_one,
        analytic=analytic.sqrtm,
    ),
    Row(
        "linalg.logm",
        la.logm,
        lambda a: sla.logm(a) if a.size else a,
        (*square(), EMPTY),
        near_one,
        analytic=analytic.logm,
    ),
    Row(
        "linalg.multi_dot",
        lambda *matrices: la.multi_dot(matrices),
        lambda *matrices: np.linalg.multi_dot(matrices),
        (
            case((2, 3), (3, 1)),
            case((1, 1), (1, 1), (1, 1)),
            case((2, 3), (3, 1), (1, 4)),
            case((3, 2), (2, 2), (2, 3), layout="transposed"),
            case((2, 2), (2, 4), (4, 2), layout="strided"),
            case((2, 1), (1, 3), (3, 2), (2, 2)),
            case((0, 2), (2, 3), (3, 1)),
        ),
        between(-2, 2),
        analytic=lambda *matrices: np.linalg.multi_dot(matrices),
    ),
    Row("linalg.sym", la.sym, analytic.symmetric, (*square(), EMPTY), between(-2, 2), analytic=True),
    Row("linalg.mTm", la.mTm, lambda a: a.T @ a, (*rectangular(), EMPTY), between(-2, 2), analytic=True),
    Row("linalg.trace", la.trace, np.trace, (*rectangular(), EMPTY), between(-2, 2), analytic=True),
    Row(
        "linalg.covariance",
        la.covariance,
        lambda x: np.reshape(np.cov(x, rowvar=False), (x.shape[1],) * 2),
        (
            *(case(shape) for shape in ((4, 3), (2, 2), (3, 1), (5, 4), (3, 0))),
            case((4, 2), layout="transposed"),
            case((3, 4), layout="strided"),
        ),
        between(-2, 2),
        analytic=lambda x: (x - x.mean(axis=0)).T @ (x - x.mean(axis=0)) / (len(x) - 1),
    ),
)

NORMS = (
    Row(
        "linalg.norm",
        la.norm,
        np.linalg.norm,
        norms(),
        away_from(0.0),
        smooth=False,
        analytic=analytic.norm,
    ),
    Row(
        "linalg.cond",
        la.cond,
        lambda a, ord=None: np.linalg.cond(a, ord),
        (
            *(at for at in rectangular() if 0 not in at.shapes[0]),
            *(case((3, 3), ord=p) for p in (2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf)),
        ),
        regular,
        smooth=False,
        analytic=analytic.cond,
    ),
)

ROWS: tuple[Row, ...] = (*EQUATIONS, *DECOMPOSITIONS, *FUNCTIONS, *NORMS)
