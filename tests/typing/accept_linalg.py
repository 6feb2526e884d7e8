"""Linear algebra and products: of BVars, of plain arrays, and of both, in every position."""

from typing import Any, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3, Tensor4
from typedprop import linalg as la
from typedprop.shapes import One

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Rows(Dim): ...


class Columns(Dim): ...


class Picks(Dim): ...


class Batch(Dim): ...


m, n, p, b = Rows(3), Columns(2), Picks(4), Batch(5)
rng = np.random.default_rng(0)
plain_a, plain_w = tp.normal(rng, m, m), tp.normal(rng, m, n)
plain_spd = plain_a @ plain_a.T + tp.eye(m)
plain_x, plain_y, plain_z = tp.normal(rng, n), tp.normal(rng, m), tp.normal(rng, n, p)
a, w, spd, x, y, z = BVar(plain_a), BVar(plain_w), BVar(plain_spd), BVar(plain_x), BVar(plain_y), BVar(plain_z)
plain_t = tp.normal(rng, b, m, n)
t = BVar(plain_t)
single = BVar(tp.normal(rng, m, m, dtype=np.float32))
plain_single = tp.normal(rng, m, n, dtype=np.float32)

# Equations.
assert_type(la.solve(a, y), BVar[R[Rows]])
assert_type(la.solve(plain_a, y), BVar[R[Rows]])
assert_type(la.solve(a, plain_w), BVar[L[Rows, Columns]])
assert_type(la.solve(plain_a, plain_w), L[Rows, Columns])
assert_type(la.solve(plain_a, plain_y), R[Rows])
assert_type(la.solve_triangular(a, y, lower=True), BVar[R[Rows]])
assert_type(la.solve_triangular(plain_a, w), BVar[L[Rows, Columns]])
assert_type(la.lstsq(w, y), BVar[R[Columns]])
assert_type(la.lstsq(plain_w, a), BVar[L[Columns, Rows]])
assert_type(la.lstsq(plain_w, plain_y), R[Columns])

# Inverses and determinants.
assert_type(la.inv(a), BVar[L[Rows, Rows]])
assert_type(la.inv(plain_a), L[Rows, Rows])
assert_type(la.inv(single), BVar[L[Rows, Rows, np.float32]])
assert_type(la.pinv(w), BVar[L[Columns, Rows]])
assert_type(la.det(a), BVar[float])
assert_type(la.det(plain_a), np.float64)
assert_type(la.slogdet(a), tuple[float, BVar[float]])
assert_type(la.slogdet(plain_a), tuple[np.float64, np.float64])

# Decompositions.
assert_type(la.cholesky(spd), BVar[L[Rows, Rows]])
assert_type(la.cholesky(plain_spd), L[Rows, Rows])
assert_type(la.qr(w), tuple[BVar[L[Rows, Any]], BVar[L[Any, Columns]]])
assert_type(la.qr(a), tuple[BVar[L[Rows, Rows]], BVar[L[Rows, Rows]]])
assert_type(la.qr(plain_w), tuple[L[Rows, Any], L[Any, Columns]])
assert_type(la.eigh(spd), tuple[BVar[R[Rows]], BVar[L[Rows, Rows]]])
assert_type(la.eigvalsh(plain_spd), R[Rows])
assert_type(la.svd(w), tuple[BVar[L[Rows, Any]], BVar[R[Any]], BVar[L[Any, Columns]]])
assert_type(la.svd(single)[1], BVar[R[Rows, np.float32]])
assert_type(la.svdvals(w), BVar[R[Any]])
assert_type(la.svdvals(a), BVar[R[Rows]])

# Functions of matrices.
assert_type(la.matrix_power(a, 3), BVar[L[Rows, Rows]])
assert_type(la.expm(plain_a), L[Rows, Rows])
assert_type(la.sqrtm(spd), BVar[L[Rows, Rows]])
assert_type(la.logm(spd), BVar[L[Rows, Rows]])
assert_type(la.multi_dot((a, w, z)), BVar[L[Rows, Picks]])
assert_type(la.multi_dot((plain_a, plain_w, z)), BVar[L[Rows, Picks]])
assert_type(la.multi_dot((plain_a, plain_w)), L[Rows, Columns])
assert_type(la.multi_dot([a, w, z]), BVar[L[Any, Any]])
assert_type(la.multi_dot([plain_a, plain_w]), L[Any, Any])
assert_type(la.sym(a), BVar[L[Rows, Rows]])
assert_type(la.mTm(w), BVar[L[Columns, Columns]])
assert_type(la.covariance(plain_w), L[Columns, Columns])
assert_type(la.trace(w), BVar[float])

# Norms.
assert_type(la.norm(x), BVar[float])
assert_type(la.norm(w, "nuc"), BVar[float])
assert_type(la.norm(plain_w, 1), np.float64)
assert_type(la.norm(w, axis=0), BVar[R[Columns]])
assert_type(la.norm(w, 1, axis=1), BVar[R[Rows]])
assert_type(la.norm(w, axis=1, keepdims=True), BVar[L[Rows, One]])
assert_type(la.norm(plain_single, axis=0), R[Columns, np.float32])
assert_type(la.cond(w), BVar[float])
assert_type(la.cond(plain_a, "fro"), np.float64)

# Products.
assert_type(tp.matmul(a, w), BVar[L[Rows, Columns]])
assert_type(tp.matmul(plain_w, x), BVar[R[Rows]])
assert_type(tp.matmul(y, plain_w), BVar[R[Columns]])
assert_type(tp.matmul(plain_x, x), BVar[float])
assert_type(tp.matmul(plain_x, plain_x), np.float64)
assert_type(tp.matmul(t, z), BVar[Tensor3[Batch, Rows, Picks]])
assert_type(tp.matmul(plain_t, z), BVar[Tensor3[Batch, Rows, Picks]])
assert_type(t @ z, BVar[Tensor3[Batch, Rows, Picks]])
assert_type(tp.outer(plain_x, y), BVar[L[Columns, Rows]])
assert_type(tp.einsum("ij,jk->ik", w, z), BVar[L[Rows, Picks]])
assert_type(tp.einsum("ij,jk->ik", plain_w, z), BVar[L[Rows, Picks]])
assert_type(tp.tensordot(plain_w, z, 1), BVar[Any])

# Convolutions.
assert_type(tp.convolve(x, plain_y), BVar[R[Any]])
line, kernel = tp.normal(rng, b, m, p), tp.normal(rng, n, m, Picks(4))
assert_type(tp.conv1d(BVar(line), kernel), BVar[Tensor3[Batch, Columns, Any]])
assert_type(tp.conv1d(line, kernel, padding="same"), Tensor3[Batch, Columns, Any])
assert_type(tp.conv1d(line, kernel, bias=x), BVar[Tensor3[Batch, Columns, Any]])
image, kernel2 = tp.normal(rng, b, m, p, p), tp.normal(rng, n, m, Picks(4), Picks(4))
assert_type(tp.conv2d(image, BVar(kernel2), stride=(2, 1)), BVar[Tensor4[Batch, Columns, Any, Any]])
assert_type(tp.max_pool2d(BVar(image), 2), BVar[Tensor4[Batch, Rows, Any, Any]])
assert_type(tp.avg_pool1d(line, 2), Tensor3[Batch, Rows, Any])

# Indexing and updates.
picks = tp.vector([0, 1, 1, 0], p, dtype=np.int64)
assert_type(w[:, 0], BVar[R[Rows]])
assert_type(w[:, 0:1], BVar[L[Rows, Any]])
assert_type(w[plain_w > 0], BVar[R[Any]])
assert_type(w[plain_y > 0], BVar[L[Any, Columns]])
assert_type(w[picks], BVar[L[Picks, Columns]])
assert_type(w[:, picks], BVar[L[Rows, Picks]])
assert_type(t[0], BVar[L[Rows, Columns]])
assert_type(t[:, 0], BVar[L[Batch, Columns]])
assert_type(x.at(0).set(1.0), BVar[R[Columns]])
assert_type(w.at(0).set(x), BVar[L[Rows, Columns]])
assert_type(w.at((0, 1)).add(2.0), BVar[L[Rows, Columns]])
assert_type(w.at(picks).add(tp.ones(p, n)), BVar[L[Rows, Columns]])


# In a generic body.
def ridge(w: BVar[L[M, N]], y: R[M], weight: float) -> BVar[R[N]]:
    gram = la.mTm(w)
    assert_type(gram, BVar[L[N, N]])
    return la.solve(gram + weight, w.T @ y)


assert_type(ridge(w, plain_y, 0.1), BVar[R[Columns]])
