"""A test for each row of docs/coming-from-haskell.md, part "Sized linear algebra".

Values are compared with those of NumPy or SciPy, derivatives are checked to the second order in both modes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, rand, tp
from typedprop.errors import ShapeError
from typedprop.testing import check_grads

sla: Any = import_module("scipy.linalg")
la = tp.linalg

v, w, x = rand(3), rand(3, seed=1), rand(4, seed=2)
a, b = rand(3, 4), rand(3, 4, seed=1)
square = rand(3, 3) + 2.0 * np.eye(3)
definite = square @ square.T
symmetric = definite + np.diag([1.0, 2.0, 4.0])


def check(f: Any, wanted: Any, *operands: Any) -> None:
    """`f` of the operands, a BVar or several, is `wanted`, and its derivatives are right."""
    lifted = [BVar(operand) for operand in operands]
    found = f(*lifted)
    if type(found) is not BVar:
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one.value, other, rtol=1e-9, atol=1e-12)
        found, f = tuple(found), _as_tuple(f)
    else:
        np.testing.assert_allclose(found.value, wanted, rtol=1e-9, atol=1e-12)
    check_grads(f, lifted, order=2, rtol=1e-4, atol=1e-4)


def _as_tuple(f: Any) -> Any:
    return lambda *operands: tuple(f(*operands))


# -- Putting together and taking apart -------------------------------------------------------------------------------


def test_vec2_to_vec4() -> None:
    check(lambda p, q: tp.stack([p, q]), [1.0, 2.0], 1.0, 2.0)
    check(lambda p, q: tp.stack([p, q, p * q, 5.0]), [1.0, 2.0, 2.0, 5.0], 1.0, 2.0)


def test_append_and_concatenate() -> None:
    check(tp.append, np.append(v, 2.0), v, 2.0)
    check(lambda p, q: tp.concatenate([p, q]), np.concatenate([v, x]), v, x)


def test_split_and_headTail() -> None:
    check(lambda p: tp.split(p, [1]), np.split(x, [1]), x)
    check(lambda p: (tp.head(p), tp.tail(p)), (x[0], x[1:]), x)


def test_linspace() -> None:
    check(lambda p, q: tp.linspace(p, q, 5), np.linspace(1.0, 3.0, 5), 1.0, 3.0)


def test_row_col_unrow_uncol() -> None:
    check(lambda p: (tp.row(p), tp.col(p)), (v[None, :], v[:, None]), v)
    check(tp.unrow, v, v[None, :])
    check(tp.uncol, v, v[:, None])


def test_beside_and_below() -> None:
    check(lambda p, q: tp.hstack([p, q]), np.hstack([a, b]), a, b)
    check(lambda p, q: tp.vstack([p, q]), np.vstack([a, b]), a, b)


def test_splitRows_and_splitCols() -> None:
    check(lambda p: tp.split_rows(p, 1), (a[:1], a[1:]), a)
    check(lambda p: tp.split_cols(p, 1), (a[:, :1], a[:, 1:]), a)


def test_tr_diag_and_takeDiag() -> None:
    check(lambda p: p.T, a.T, a)
    check(tp.diag, np.diag(v), v)
    check(tp.take_diag, np.diag(square), square)


def test_toRows_fromRows_and_columns() -> None:
    check(tp.rows, [*a], a)
    check(tp.columns, [*a.T], a)
    check(lambda p, q: tp.from_rows([p, q, p]), np.array([v, w, v]), v, w)
    check(lambda p, q: tp.from_columns([p, q, p]), np.array([v, w, v]).T, v, w)


def test_konst_and_sumElements() -> None:
    check(lambda p: tp.full(2, 3, fill_value=p), np.full((2, 3), 1.5), 1.5)
    check(tp.sum, a.sum(), a)


def test_extract_and_create() -> None:
    # Both are identities at run time; a size that is declared is checked.
    assert np.array_equal(tp.vector(v, 3), v) and np.array_equal(tp.matrix(a, 3, 4), a)
    with pytest.raises(ShapeError):
        tp.vector(v, 4)


def test_sym() -> None:
    check(la.sym, (square + square.T) / 2.0, square)


# -- Products --------------------------------------------------------------------------------------------------------


def test_matrix_and_vector_products() -> None:
    check(lambda p, q: p @ q, a @ b.T, a, b.T)
    check(lambda p, q: p @ q, a @ x, a, x)
    check(lambda p, q: p @ q, v @ a, v, a)


def test_dot_outer_and_cross() -> None:
    check(tp.dot, v @ w, v, w)
    check(tp.outer, np.outer(v, x), v, x)
    check(tp.cross, np.cross(v, w), v, w)


def test_mTm() -> None:
    check(la.mTm, a.T @ a, a)
    # Also for a cotangent that is not symmetric, where the original is wrong.
    weights = rand(4, 4, seed=3)
    check(lambda p: (la.mTm(p) * weights).sum(), (a.T @ a * weights).sum(), a)


# -- Decompositions and functions of matrices ------------------------------------------------------------------------


def test_svd() -> None:
    check(la.svdvals, np.linalg.svd(a, compute_uv=False), a)


def test_eigenvalues_and_eigensystem() -> None:
    check(lambda p: la.eigvalsh(la.sym(p)), np.linalg.eigvalsh(symmetric), symmetric)
    values, vectors = np.linalg.eigh(symmetric)
    check(lambda p: la.eigh(la.sym(p))[0], values, symmetric)
    # An eigenvector's sign is nobody's choice, its projector is.
    for k in range(3):
        check(
            lambda p, k=k: tp.outer(la.eigh(la.sym(p))[1][:, k], la.eigh(la.sym(p))[1][:, k]),
            np.outer(vectors[:, k], vectors[:, k]),
            symmetric,
        )


def test_cholesky() -> None:
    check(lambda p: la.cholesky(la.sym(p)), np.linalg.cholesky(definite), definite)


def test_det_logdet_and_inv() -> None:
    check(la.det, np.linalg.det(square), square)
    check(lambda p: la.slogdet(p)[1], np.linalg.slogdet(square)[1], square)
    check(la.inv, np.linalg.inv(square), square)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
def test_norms_of_vectors(order: Any) -> None:
    check(lambda p: la.norm(p, order), np.linalg.norm(v, order), v)


def test_norm_0() -> None:
    sparse = np.array([0.0, 2.0, 0.0, 3.0])
    assert la.norm(BVar(sparse), 0).value == 2.0
    assert not tp.grad(lambda p: la.norm(p, 0))(BVar(sparse)).value.any()


@pytest.mark.parametrize("order", ["fro", "nuc", 1, 2, np.inf])
def test_norms_of_matrices(order: Any) -> None:
    check(lambda p: la.norm(p, order), np.linalg.norm(a, order), a)


def test_mean_and_covariance() -> None:
    check(tp.mean, v.mean(), v)
    check(la.covariance, np.cov(a, rowvar=False), a)


def test_vmap_mmap_and_zipWith() -> None:
    check(lambda p: tp.map(lambda e: e * e + 1.0, p), v * v + 1.0, v)
    check(lambda p: tp.map(lambda e: e * e + 1.0, p), a * a + 1.0, a)
    check(lambda p, q: tp.zip_with(lambda e, f: e * f * f, p, q), v * w * w, v, w)


# -- Beyond the original ---------------------------------------------------------------------------------------------


def test_full_svd() -> None:
    check(lambda p: _rebuilt(la.svd(p)), a, a)
    left, _, right = np.linalg.svd(a, full_matrices=False)
    check(lambda p: (lambda u, s, vt: u @ vt)(*la.svd(p)), left @ right, a)


def _rebuilt(parts: Any) -> Any:
    left, values, right = parts
    return left * values @ right


def test_qr() -> None:
    check(lambda p: la.qr(p)[0] @ la.qr(p)[1], a.T, a.T)
    _, r = np.linalg.qr(a.T)
    check(lambda p: abs(la.qr(p)[1]), abs(r), a.T)


def test_expm_and_sqrtm() -> None:
    check(la.expm, sla.expm(square), square)
    check(la.sqrtm, sla.sqrtm(definite), definite)


def test_solve_lstsq_pinv_and_triangular_solve() -> None:
    check(la.solve, np.linalg.solve(square, v), square, v)
    check(la.lstsq, np.linalg.lstsq(a.T, x, rcond=None)[0], a.T, x)
    check(la.pinv, np.linalg.pinv(a), a)
    lower = np.tril(square)
    check(lambda p, q: la.solve_triangular(p, q, lower=True), np.linalg.solve(lower, v), lower, v)
