"""Plain arrays: what R, L, Tensor3 and Tensor4 promise of NumPy's operators and methods."""

from typing import Any, Literal, assert_type

import numpy as np
from typing_extensions import TypeVar

from typedprop.arrays import full, matrix, ones, vector
from typedprop.shapes import Dim, L, One, R, Tensor3, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
F = TypeVar("F", bound=np.floating[Any])


class Rows(Dim): ...


class Columns(Dim): ...


class Pages(Dim): ...


class Picks(Dim): ...


rows, columns, pages, picks = Rows(2), Columns(3), Pages(4), Picks(5)
x = ones(columns)
y = ones(rows)
w = full(rows, columns, fill_value=0.5)
square = ones(columns, columns)
t = ones(pages, rows, columns)
batch = ones(picks, pages, rows, columns)
x32 = ones(columns, dtype=np.float32)
w32 = ones(rows, columns, dtype=np.float32)
counts = ones(columns, dtype=np.int64)
table = ones(rows, columns, dtype=np.int64)
mask: R[Columns, np.bool] = x > 0
mask2: L[Rows, Columns, np.bool] = w > 0
chosen = vector([0, 1, 0, 0, 1], picks, dtype=np.int64)
column = w.sum(axis=1, keepdims=True)
row = w.sum(axis=0, keepdims=True)
unknown = ones(3)
gradual: R[Any] = x
k = np.float64(2.0)

# A vector and a vector, or a scalar.
assert_type(x + x, R[Columns])
assert_type(x - x, R[Columns])
assert_type(x * x, R[Columns])
assert_type(x / x, R[Columns])
assert_type(x**x, R[Columns])
assert_type(x // x, R[Columns])
assert_type(x % x, R[Columns])
assert_type(x + 1, R[Columns])
assert_type(x * 0.5, R[Columns])
assert_type(x**2, R[Columns])
assert_type(x + k, R[Columns])
assert_type(x + x[0], R[Columns])
assert_type(1 + x, R[Columns])
assert_type(1.0 - x, R[Columns])
assert_type(2 / x, R[Columns])
assert_type(2.0**x, R[Columns])
assert_type(k - x, R[Columns])
assert_type(-x, R[Columns])
assert_type(+x, R[Columns])
assert_type(abs(x), R[Columns])
assert_type(x @ x, np.float64)

# A matrix with a matrix, a scalar, a row vector, and with what keepdims leaves.
assert_type(w + w, L[Rows, Columns])
assert_type(w * w, L[Rows, Columns])
assert_type(2 * w, L[Rows, Columns])
assert_type(w / 2, L[Rows, Columns])
assert_type(1 / w, L[Rows, Columns])
assert_type(-w, L[Rows, Columns])
assert_type(w + x, L[Rows, Columns])
assert_type(x + w, L[Rows, Columns])
assert_type(x - w, L[Rows, Columns])
assert_type(w / x, L[Rows, Columns])
assert_type(x / w, L[Rows, Columns])
assert_type(w - column, L[Rows, Columns])
assert_type(w / row, L[Rows, Columns])
assert_type(column - w, L[Rows, Columns])
assert_type(row * w, L[Rows, Columns])
assert_type(w - w.mean(axis=1, keepdims=True), L[Rows, Columns])
assert_type(column / w, L[Rows, Columns])
assert_type(column**w, L[Rows, Columns])

# Products.
assert_type(w @ x, R[Rows])
assert_type(y @ w, R[Columns])
assert_type(w @ w.T, L[Rows, Rows])
assert_type(w.T @ w, L[Columns, Columns])
assert_type(w @ square @ x, R[Rows])
assert_type(x @ square @ x, np.float64)
assert_type(t @ t.mT, Tensor3[Pages, Rows, Rows])
assert_type(batch @ batch.mT, Tensor4[Picks, Pages, Rows, Rows])

# In place.
w += w
w -= 0.1 * w
w *= x
w /= 1 + column
x += 1
x *= x
counts += 2
counts *= counts
assert_type(w, L[Rows, Columns])
assert_type(x, R[Columns])

# Comparisons and masks.
assert_type(x < x, R[Columns, np.bool])
assert_type(x <= 0, R[Columns, np.bool])
assert_type(x == x, R[Columns, np.bool])
assert_type(x != 0.5, R[Columns, np.bool])
assert_type(w > x, L[Rows, Columns, np.bool])
assert_type(x > w, L[Rows, Columns, np.bool])
assert_type(w >= column, L[Rows, Columns, np.bool])
assert_type(t == t, Tensor3[Pages, Rows, Columns, np.bool])
assert_type(mask & (x < 3), R[Columns, np.bool])
assert_type(mask | ~mask, R[Columns, np.bool])
assert_type(mask ^ True, R[Columns, np.bool])
assert_type(mask.mean(), np.float64)

# float32 stays, integers stay, and a quotient of integers is float64.
assert_type(x32 + x32, R[Columns, np.float32])
assert_type(x32 * 0.5, R[Columns, np.float32])
assert_type(1 - x32, R[Columns, np.float32])
assert_type(x32 * x32[0], R[Columns, np.float32])
assert_type(w32 @ x32, R[Rows, np.float32])
assert_type(x32 @ x32, np.float32)
assert_type(w32 + x32, L[Rows, Columns, np.float32])
assert_type(w32.sum(axis=1), R[Rows, np.float32])
assert_type(w32.mean(), np.float32)
assert_type(x32.astype(np.float64) + x, R[Columns])
assert_type(w32 * k, L[Rows, Columns])
assert_type(counts + 1, R[Columns, np.int64])
assert_type(counts // 2, R[Columns, np.int64])
assert_type(counts % counts, R[Columns, np.int64])
assert_type(2**counts, R[Columns, np.int64])
assert_type(counts & 1, R[Columns, np.int64])
assert_type(counts / 2, R[Columns])
assert_type(counts / counts, R[Columns])
assert_type(table / counts, L[Rows, Columns])
assert_type(table @ counts, R[Rows, np.int64])
assert_type(table.mean(axis=1), R[Rows])

# Elements, rows, columns, slices, masks and picked indices.
assert_type(x[0], np.float64)
assert_type(x[np.int64(1)], np.float64)
assert_type(x[:], R[Columns])
assert_type(x[...], R[Columns])
assert_type(x[1:], R[Any])
assert_type(x[[0, 1]], R[Any])
assert_type(x[mask], R[Any])
assert_type(x[chosen], R[Picks])
assert_type(x[:, None], L[Columns, One])
assert_type(x[None, :], L[One, Columns])
assert_type(w[0], R[Columns])
assert_type(w[0, 1], np.float64)
assert_type(w[:, 1], R[Rows])
assert_type(w[1, :], R[Columns])
assert_type(w[1:, 1], R[Any])
assert_type(w[:, :], L[Rows, Columns])
assert_type(w[1:], L[Any, Columns])
assert_type(w[:, 1:], L[Rows, Any])
assert_type(w[1:, 1:], L[Any, Any])
assert_type(w[y > 0], L[Any, Columns])
assert_type(w[mask2], R[Any])
assert_type(w[chosen], L[Picks, Columns])
assert_type(w[chosen, chosen], R[Picks])
assert_type(w[[0, 1]], L[Any, Columns])
assert_type(t[0], L[Rows, Columns])
assert_type(t[0, 1], R[Columns])
assert_type(t[0, 1, 2], np.float64)
assert_type(t[:, 1], L[Pages, Columns])
assert_type(t[:, :, 1], L[Pages, Rows])
assert_type(t[1:], Tensor3[Any, Rows, Columns])
assert_type(t[chosen], Tensor3[Picks, Rows, Columns])
assert_type(batch[0], Tensor3[Pages, Rows, Columns])
assert_type(batch[0, 1], L[Rows, Columns])
assert_type(batch[0, 1, 1], R[Columns])
assert_type(batch[0, 1, 1, 2], np.float64)
for element in x:
    assert_type(element, np.float64)
for line in w:
    assert_type(line, R[Columns])
for page in t:
    assert_type(page, L[Rows, Columns])
for block in batch:
    assert_type(block, Tensor3[Pages, Rows, Columns])

# Reductions.
assert_type(x.sum(), np.float64)
assert_type(x.sum(axis=0), np.float64)
assert_type(x.mean(axis=-1, keepdims=True), R[One])
assert_type(w.sum(), np.float64)
assert_type(w.sum(axis=0), R[Columns])
assert_type(w.mean(axis=1), R[Rows])
assert_type(w.max(axis=-1), R[Rows])
assert_type(w.min(axis=-2), R[Columns])
assert_type(column, L[Rows, One])
assert_type(row, L[One, Columns])
assert_type(w.max(keepdims=True), L[One, One])
assert_type(w.argmax(axis=1), R[Rows, np.int64])
assert_type(w.argmin(axis=0), R[Columns, np.int64])
assert_type((w.argmax(axis=1) == table[:, 0]).mean(), np.float64)

# Other views and copies.
assert_type(x.T, R[Columns])
assert_type(w.T, L[Columns, Rows])
assert_type(w.mT, L[Columns, Rows])
assert_type(w.transpose(), L[Columns, Rows])
assert_type(t.T, Tensor3[Columns, Rows, Pages])
assert_type(t.mT, Tensor3[Pages, Columns, Rows])
assert_type(t.transpose(0, 2, 1), Tensor3[Any, Any, Any])
assert_type(batch.T, Tensor4[Columns, Rows, Pages, Picks])
assert_type(w.copy(), L[Rows, Columns])
assert_type(w.astype(np.float32), L[Rows, Columns, np.float32])
assert_type(mask.astype(np.float64) * x, R[Columns])
assert_type(w.round(2), L[Rows, Columns])
assert_type(w.clip(0, 1), L[Rows, Columns])
assert_type(x.clip(min=x / 2), R[Columns])
assert_type(x.ravel(), R[Columns])
assert_type(w.ravel(), R[Any])
assert_type(w.flatten(), R[Any])
assert_type(w.reshape(-1), R[Any])
assert_type(w.reshape(3, 2), L[Any, Any])
assert_type(w.reshape(columns, 2), L[Columns, Any])
assert_type(w.reshape(3, rows), L[Any, Rows])
assert_type(w.reshape(columns, rows), L[Columns, Rows])
assert_type(w.reshape(1, 3, 2), Tensor3[Any, Any, Any])
assert_type(t.reshape(rows, columns, pages), Tensor3[Rows, Columns, Pages])
assert_type(np.zeros_like(w), L[Rows, Columns])
assert_type(w.tolist(), list[list[float]])  # gap: ty "does not know the Python type of a dtype's elements"
assert_type(t * t + 2, Tensor3[Pages, Rows, Columns])
assert_type(batch - batch / 2, Tensor4[Picks, Pages, Rows, Columns])

# An unknown size fits any, and a function over type variables serves all sizes.
assert_type(unknown + x, R[Any])
assert_type(x + gradual, R[Columns])
assert_type(w @ unknown, R[Rows])
three: R[Literal[3]] = unknown
known: R[Columns] = unknown
assert_type(three + three, R[Literal[3]])
assert_type(matrix([[1, 2, 3]]) @ three, R[Any])


def affine(weight: L[M, N, F], bias: R[M, F], at: R[N, F]) -> R[M, F]:
    out: R[M, F] = weight @ at + bias
    return 0.5 * out / 3 + out**2 - (at @ weight.T)


assert_type(affine(w, y, x), R[Rows])
assert_type(affine(w32, w32[:, 0], x32), R[Rows, np.float32])

# A size of 1 beside one that is not known: it is not known what comes out.
one_page: Tensor3[One, Rows, Columns] = ones(1, rows, columns)
any_pages: Tensor3[Any, Rows, Columns] = t
pages_of: Tensor3[Pages, Rows, Columns] = one_page + any_pages
pages_of = one_page * any_pages
pages_of = any_pages - one_page
above: Tensor3[Pages, Rows, Columns, np.bool] = one_page < any_pages
one_batch: Tensor4[Picks, Pages, Rows, One] = ones(picks, pages, rows, 1)
any_batch: Tensor4[Picks, Pages, Rows, Any] = batch
batch_of: Tensor4[Picks, Pages, Rows, Columns] = one_batch / any_batch
any_rows: L[Any, Columns] = w
above2: L[Rows, Columns, np.bool] = row <= any_rows
any_columns: L[Any, One] = column
outer: L[Rows, Columns] = row * any_columns
above1: R[Columns, np.bool] = x.mean(keepdims=True) != gradual
