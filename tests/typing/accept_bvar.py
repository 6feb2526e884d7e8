"""`BVar`: operators in every order, reductions, products, indexing and the operations that models are made of."""

from typing import Any, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3, Tensor4
from typedprop.shapes import One

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)


class Rows(Dim): ...


class Columns(Dim): ...


class Pages(Dim): ...


class Picks(Dim): ...


rows, columns, pages, picks = Rows(2), Columns(3), Pages(4), Picks(5)
plain_x = tp.ones(columns)
plain_y = tp.ones(rows)
plain_w = tp.ones(rows, columns)
plain_t = tp.ones(pages, rows, columns)
plain_column = plain_w.sum(axis=1, keepdims=True)
chosen = tp.vector([0, 1, 0, 0, 1], picks, dtype=np.int64)
s = BVar(2.0)
x = BVar(plain_x)
y = BVar(plain_y)
w = BVar(plain_w)
t = BVar(plain_t)
x32 = BVar(tp.ones(columns, dtype=np.float32))
w32 = BVar(tp.ones(rows, columns, dtype=np.float32))
k = np.float64(2.0)

# Lifting and looking.
assert_type(s, BVar[float])
assert_type(BVar(2), BVar[float])
assert_type(BVar(plain_x @ plain_x), BVar[float])
assert_type(x, BVar[R[Columns]])
assert_type(BVar(tp.ones(3)), BVar[R[Any]])
assert_type(s.value, float)
assert_type(x.value, R[Columns])
assert_type(w32.value, L[Rows, Columns, np.float32])
assert_type(x.shape, tuple[int, ...])
assert_type(x == x, bool)
assert_type(x != None, bool)  # noqa: E711  # as one may compare a field that is Optional
assert_type(s < 3.0, bool)
assert_type(s >= s, bool)
assert_type(bool(s), bool)

# Scalars with scalars.
assert_type(s + s, BVar[float])
assert_type(s - 1.0, BVar[float])
assert_type(1 - s, BVar[float])
assert_type(s * 2, BVar[float])
assert_type(2.0 / s, BVar[float])
assert_type(s**2, BVar[float])
assert_type(2.0**s, BVar[float])
assert_type(-s, BVar[float])
assert_type(abs(s), BVar[float])

# Arrays with scalars, in either order.
assert_type(x + 1.0, BVar[R[Columns]])
assert_type(1 - x, BVar[R[Columns]])
assert_type(x * s, BVar[R[Columns]])
assert_type(s * x, BVar[R[Columns]])
assert_type(s * plain_x, BVar[R[Columns]])
assert_type(plain_x / s, BVar[R[Columns]])
assert_type(x**2, BVar[R[Columns]])
assert_type(0.5 * w, BVar[L[Rows, Columns]])
assert_type(w / s, BVar[L[Rows, Columns]])
assert_type(s - plain_w, BVar[L[Rows, Columns]])
assert_type(k * x, BVar[R[Columns]])
assert_type(-x, BVar[R[Columns]])
assert_type(abs(w), BVar[L[Rows, Columns]])
assert_type(t * 2, BVar[Tensor3[Pages, Rows, Columns]])

# Arrays of one size: BVar with BVar, with a plain array, and the other way round.
assert_type(x + x, BVar[R[Columns]])
assert_type(x - plain_x, BVar[R[Columns]])
assert_type(plain_x - x, BVar[R[Columns]])
assert_type(x * plain_x, BVar[R[Columns]])
assert_type(plain_x / x, BVar[R[Columns]])
assert_type(plain_x**x, BVar[R[Columns]])
assert_type(w * w, BVar[L[Rows, Columns]])
assert_type(plain_w - w, BVar[L[Rows, Columns]])
assert_type(t + plain_t, BVar[Tensor3[Pages, Rows, Columns]])
assert_type(plain_t * t, BVar[Tensor3[Pages, Rows, Columns]])

# A row vector along a matrix, and what keepdims leaves.
assert_type(w + x, BVar[L[Rows, Columns]])
assert_type(x + w, BVar[L[Rows, Columns]])
assert_type(w + plain_x, BVar[L[Rows, Columns]])
assert_type(plain_x - w, BVar[L[Rows, Columns]])
assert_type(plain_w + x, BVar[L[Rows, Columns]])
assert_type(x * plain_w, BVar[L[Rows, Columns]])
assert_type(w - w.max(axis=1, keepdims=True), BVar[L[Rows, Columns]])
assert_type(w / w.sum(axis=0, keepdims=True), BVar[L[Rows, Columns]])
assert_type(plain_column - w, BVar[L[Rows, Columns]])

# Products.
assert_type(w @ x, BVar[R[Rows]])
assert_type(w @ plain_x, BVar[R[Rows]])
assert_type(plain_w @ x, BVar[R[Rows]])
assert_type(y @ w, BVar[R[Columns]])
assert_type(plain_y @ w, BVar[R[Columns]])
assert_type(x @ x, BVar[float])
assert_type(plain_x @ x, BVar[float])
assert_type(x @ plain_x, BVar[float])
assert_type(x.dot(plain_x), BVar[float])
assert_type(w @ w.T, BVar[L[Rows, Rows]])
assert_type(w.T @ plain_w, BVar[L[Columns, Columns]])
assert_type(plain_w @ w.T, BVar[L[Rows, Rows]])
assert_type(tp.outer(y, x), BVar[L[Rows, Columns]])
assert_type(tp.outer(plain_y, x), BVar[L[Rows, Columns]])
assert_type(tp.outer(plain_y, plain_x), L[Rows, Columns])
assert_type(tp.dot(x, plain_x), BVar[float])
assert_type(tp.matmul(w, x), BVar[R[Rows]])

# float32 stays.
assert_type(x32 + 1, BVar[R[Columns, np.float32]])
assert_type(w32 @ x32, BVar[R[Rows, np.float32]])
assert_type(w32 + x32, BVar[L[Rows, Columns, np.float32]])
assert_type(w32.sum(axis=1), BVar[R[Rows, np.float32]])
assert_type(x32 @ x32, BVar[float])
assert_type(tp.tanh(x32), BVar[R[Columns, np.float32]])

# Reductions.
assert_type(x.sum(), BVar[float])
assert_type(x.mean(axis=0), BVar[float])
assert_type(w.sum(), BVar[float])
assert_type(w.sum(axis=0), BVar[R[Columns]])
assert_type(w.mean(axis=1), BVar[R[Rows]])
assert_type(w.max(axis=-1), BVar[R[Rows]])
assert_type(w.min(axis=-2), BVar[R[Columns]])
assert_type(w.sum(axis=1, keepdims=True), BVar[L[Rows, One]])
assert_type(w.mean(axis=0, keepdims=True), BVar[L[One, Columns]])
assert_type(t.sum(axis=0), BVar[L[Rows, Columns]])
assert_type(t.mean(axis=1), BVar[L[Pages, Columns]])
assert_type(t.max(axis=2), BVar[L[Pages, Rows]])
assert_type(tp.sum(w, axis=0), BVar[R[Columns]])
assert_type(tp.mean(plain_w, axis=1), R[Rows])
assert_type(tp.logsumexp(x), BVar[float])

# Structure.
assert_type(w.T, BVar[L[Columns, Rows]])
assert_type(w.reshape(Dim(6)), BVar[R[Dim]])
assert_type(w.reshape((columns, rows)), BVar[L[Columns, Rows]])
assert_type(w.reshape(-1), BVar[R[Any]])
assert_type(x[0], BVar[float])
assert_type(x[1:], BVar[R[Any]])
assert_type(x[...], BVar[R[Columns]])
assert_type(x[chosen], BVar[R[Picks]])
assert_type(x[plain_x > 0], BVar[R[Any]])
assert_type(x[:, None], BVar[L[Columns, One]])
assert_type(w[0], BVar[R[Columns]])
assert_type(w[0, 1], BVar[float])
assert_type(w[:, 1], BVar[R[Rows]])
assert_type(w[1, :], BVar[R[Columns]])
assert_type(w[chosen], BVar[L[Picks, Columns]])
assert_type(w[chosen, chosen], BVar[R[Picks]])
assert_type(w[1:], BVar[L[Any, Columns]])
assert_type(t[0], BVar[L[Rows, Columns]])
for element in x:
    assert_type(element, BVar[float])
for line in w:
    assert_type(line, BVar[R[Columns]])
assert_type(tp.concatenate([x, y]), BVar[R[Any]])
assert_type(tp.concatenate([x, plain_y]), BVar[R[Any]])
assert_type(tp.concatenate([plain_x, plain_y]), R[Any])
assert_type(tp.stack([s, s]), BVar[R[Any]])
assert_type(tp.stack([x, x, x]), BVar[L[Any, Columns]])
assert_type(tp.where(plain_x > 0, x, 0.0), BVar[R[Columns]])
assert_type(tp.where(plain_w > 0, w, plain_w), BVar[L[Rows, Columns]])
assert_type(tp.where(plain_x > 0, plain_x, 0.0), R[Columns])

# The same function on BVars, plain arrays and floats.
assert_type(tp.exp(x), BVar[R[Columns]])
assert_type(tp.exp(plain_x), R[Columns])
assert_type(tp.exp(s), BVar[float])
assert_type(tp.exp(2.0), float)
assert_type(tp.sigmoid(w), BVar[L[Rows, Columns]])
assert_type(tp.relu(plain_w), L[Rows, Columns])
assert_type(tp.sqrt(s), BVar[float])
assert_type(tp.softmax(x), BVar[R[Columns]])
assert_type(tp.log_softmax(plain_w), L[Rows, Columns])
assert_type(tp.softmax_cross_entropy(x, plain_x), BVar[float])
assert_type(tp.softmax_cross_entropy(w, plain_w), BVar[R[Rows]])
assert_type(tp.stop_gradient(x), BVar[R[Columns]])


# Generic bodies are checked once for all sizes.
def affine(weight: BVar[L[M, N]], bias: BVar[R[M]], at: BVar[R[N]] | R[N]) -> BVar[R[M]]:
    assert_type(weight @ at, BVar[R[M]])
    return tp.tanh(weight @ at + bias)


def batched(weight: BVar[L[M, N]], bias: BVar[R[M]], at: L[K, N]) -> BVar[L[K, M]]:
    assert_type(at @ weight.T, BVar[L[K, M]])
    return at @ weight.T + bias


assert_type(affine(w, y, x), BVar[R[Rows]])
assert_type(affine(w, y, plain_x), BVar[R[Rows]])
assert_type(batched(w, y, tp.ones(picks, columns)), BVar[L[Picks, Rows]])

# A size of 1 beside one that is not known: it is not known what comes out.
unknown_w: BVar[L[Any, Columns]] = w
column_means, row_means = w.mean(axis=0, keepdims=True), w.mean(axis=1, keepdims=True)
same: BVar[L[Rows, Columns]] = column_means + unknown_w
same = column_means * unknown_w.value
same = unknown_w.value - column_means
same = unknown_w / column_means
unknown_both: BVar[L[Any, Any]] = w
same = row_means + unknown_both
same = unknown_both.value - row_means
any_pages: BVar[Tensor3[Any, Rows, Columns]] = t
any_rows: BVar[Tensor3[Any, Any, Columns]] = t
one_page: BVar[Tensor3[One, Rows, Columns]] = BVar(plain_t[:1])
one_row: BVar[Tensor3[One, One, Columns]] = BVar(tp.ones(1, 1, columns))
of_pages: BVar[Tensor3[Pages, Rows, Columns]] = one_page + any_pages
of_pages = one_page - any_pages.value
of_pages = any_pages.value * one_page
of_pages = one_row / any_rows
of_pages = any_rows.value**one_row
any_batch: BVar[Tensor4[Picks, Any, Rows, Any]] = BVar(tp.ones(picks, pages, rows, columns))
one_column: BVar[Tensor4[Picks, Any, Rows, One]] = BVar(tp.ones(picks, pages, rows, 1))
of_batch: BVar[Tensor4[Picks, Pages, Rows, Columns]] = one_column * any_batch
of_batch = any_batch.value - one_column
assert_type(one_page + one_page, BVar[Tensor3[One, Rows, Columns]])
assert_type(one_row * one_row.value, BVar[Tensor3[One, One, Columns]])
assert_type(any_pages / any_pages, BVar[Tensor3[Any, Rows, Columns]])
assert_type(any_pages * 2.0, BVar[Tensor3[Any, Rows, Columns]])


def of_any_pages(left: BVar[Tensor3[Any, M, N]], right: Tensor3[Any, M, N]) -> BVar[Tensor3[Any, M, N]]:
    assert_type(left + right, BVar[Tensor3[Any, M, N]])
    return right - left


assert_type(of_any_pages(any_pages, plain_t), BVar[Tensor3[Any, Rows, Columns]])
