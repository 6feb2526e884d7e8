"""Functions of each element, reductions, special functions and mappings: of BVars, of plain arrays, of both."""

from typing import Any, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3, Tensor4, special
from typedprop.shapes import One

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Rows(Dim): ...


class Columns(Dim): ...


class Pages(Dim): ...


rows, columns, pages = Rows(2), Columns(3), Pages(4)
rng = np.random.default_rng(0)
plain_x = tp.uniform(rng, columns)
plain_w = tp.uniform(rng, rows, columns)
plain_t = tp.uniform(rng, pages, rows, columns)
plain_column = plain_w.sum(axis=1, keepdims=True)
plain_x32 = tp.ones(columns, dtype=np.float32)
s, x, w, t = BVar(0.5), BVar(plain_x), BVar(plain_w), BVar(plain_t)
x32, w32 = BVar(plain_x32), BVar(tp.ones(rows, columns, dtype=np.float32))
mask, mask_w = plain_x > 0.5, plain_w > 0.5

# One operand: its type is kept.
assert_type(tp.exp(s), BVar[float])
assert_type(tp.exp(x), BVar[R[Columns]])
assert_type(tp.log1p(w), BVar[L[Rows, Columns]])
assert_type(tp.tanh(t), BVar[Tensor3[Pages, Rows, Columns]])
assert_type(tp.cos(x32), BVar[R[Columns, np.float32]])
assert_type(tp.exp(plain_x), R[Columns])
assert_type(tp.exp(plain_x32), R[Columns, np.float32])
assert_type(tp.exp(0.5), float)
assert_type(tp.exp(1), float)
assert_type(tp.floor(w), BVar[L[Rows, Columns]])
assert_type(tp.sign(plain_x), R[Columns])
assert_type(tp.round(x, 2), BVar[R[Columns]])
assert_type(tp.negative(s), BVar[float])
assert_type(tp.sinc(plain_w), L[Rows, Columns])
assert_type(tp.relu(w32), BVar[L[Rows, Columns, np.float32]])
assert_type(tp.leaky_relu(x, 0.1), BVar[R[Columns]])
assert_type(tp.elu(plain_x, alpha=2.0), R[Columns])
assert_type(tp.gelu(s), BVar[float])
assert_type(tp.gelu(w, approximate=True), BVar[L[Rows, Columns]])
assert_type(special.erf(x), BVar[R[Columns]])
assert_type(special.digamma(plain_x), R[Columns])
assert_type(special.polygamma(1, s), BVar[float])
assert_type(special.i0(0.5), float)
assert_type(tp.softmax(x), BVar[R[Columns]])
assert_type(tp.softmax(w, axis=0), BVar[L[Rows, Columns]])
assert_type(tp.log_softmax(plain_w), L[Rows, Columns])

# Two operands: equal types, and a scalar with anything, on either side.
assert_type(tp.maximum(s, s), BVar[float])
assert_type(tp.maximum(s, 0.0), BVar[float])
assert_type(tp.maximum(0.0, s), BVar[float])
assert_type(tp.hypot(x, x), BVar[R[Columns]])
assert_type(tp.hypot(x, plain_x), BVar[R[Columns]])
assert_type(tp.hypot(plain_x, x), BVar[R[Columns]])
assert_type(tp.maximum(x, 0.0), BVar[R[Columns]])
assert_type(tp.maximum(0.0, w), BVar[L[Rows, Columns]])
assert_type(tp.power(w, s), BVar[L[Rows, Columns]])
assert_type(tp.power(s, x32), BVar[R[Columns, np.float32]])
assert_type(tp.arctan2(plain_x, s), BVar[R[Columns]])
assert_type(tp.arctan2(s, plain_x), BVar[R[Columns]])
assert_type(tp.logaddexp(x32, plain_x32), BVar[R[Columns, np.float32]])
assert_type(tp.minimum(plain_x, plain_x), R[Columns])
assert_type(tp.minimum(plain_x, 0.5), R[Columns])
assert_type(tp.minimum(0.5, plain_w), L[Rows, Columns])
assert_type(tp.minimum(0.5, 1.0), float)
assert_type(special.xlogy(x, x), BVar[R[Columns]])
# A row along the rows of a matrix, and what keepdims leaves.
assert_type(tp.maximum(w, x), BVar[L[Rows, Columns]])
assert_type(tp.maximum(x, w), BVar[L[Rows, Columns]])
assert_type(tp.maximum(w, plain_x), BVar[L[Rows, Columns]])
assert_type(tp.maximum(plain_w, x), BVar[L[Rows, Columns]])
assert_type(tp.maximum(plain_x, w), BVar[L[Rows, Columns]])
assert_type(tp.maximum(x, plain_w), BVar[L[Rows, Columns]])
assert_type(tp.maximum(w, w.sum(axis=1, keepdims=True)), BVar[L[Rows, Columns]])
assert_type(tp.maximum(w, plain_column), BVar[L[Rows, Columns]])
assert_type(tp.maximum(plain_w, plain_x), L[Rows, Columns])
assert_type(tp.maximum(plain_x, plain_w), L[Rows, Columns])

# A size of 1 beside one that is not known may become any: the result fits every size there.
row_of_means: BVar[L[One, Columns]] = w.mean(axis=0, keepdims=True)
unknown_rows: BVar[L[Any, Columns]] = w
of_rows: BVar[L[Rows, Columns]] = tp.maximum(row_of_means, unknown_rows)
of_rows = tp.minimum(unknown_rows, row_of_means)
of_rows = tp.add(row_of_means, unknown_rows.value)
of_rows = tp.hypot(row_of_means.value, unknown_rows)
of_rows = tp.logaddexp(unknown_rows, row_of_means.value)
of_plain_rows: L[Rows, Columns] = tp.maximum(row_of_means.value, unknown_rows.value)
of_plain_rows = tp.maximum(unknown_rows.value, row_of_means.value)
one_number: BVar[L[One, One]] = w.mean(keepdims=True)
unknown_sizes: BVar[L[Any, Any]] = w
of_rows = tp.maximum(one_number, unknown_sizes)
one_page: BVar[Tensor3[One, Rows, Columns]] = BVar(plain_t[:1])
one_row: BVar[Tensor3[One, One, Columns]] = BVar(tp.ones(1, 1, columns))
any_pages: BVar[Tensor3[Any, Rows, Columns]] = t
any_rows: BVar[Tensor3[Any, Any, Columns]] = t
of_pages: BVar[Tensor3[Pages, Rows, Columns]] = tp.maximum(one_page, any_pages)
of_pages = tp.minimum(one_page, any_pages.value)
of_pages = tp.power(one_page.value, any_pages)
of_pages = tp.maximum(any_pages.value, one_page)
of_pages = tp.maximum(one_row, any_rows)
of_plain_pages: Tensor3[Pages, Rows, Columns] = tp.maximum(one_page.value, any_pages.value)
any_batch: BVar[Tensor4[Pages, Any, Rows, Any]] = BVar(tp.ones(pages, pages, rows, columns))
one_column: BVar[Tensor4[Pages, Any, Rows, One]] = BVar(tp.ones(pages, pages, rows, 1))
of_batch: BVar[Tensor4[Pages, Pages, Rows, Columns]] = tp.maximum(one_column, any_batch)
assert_type(tp.maximum(one_page, one_page), BVar[Tensor3[One, Rows, Columns]])

# Choice and bounds.
assert_type(tp.where(mask, x, x), BVar[R[Columns]])
assert_type(tp.where(mask, x, 0.0), BVar[R[Columns]])
assert_type(tp.where(mask, 0.0, x), BVar[R[Columns]])
assert_type(tp.where(mask_w, w, plain_w), BVar[L[Rows, Columns]])
assert_type(tp.where(mask, plain_x, 0.0), R[Columns])
assert_type(tp.where(True, s, 0.0), BVar[float])
assert_type(tp.clip(x, 0.0, 1.0), BVar[R[Columns]])
assert_type(tp.clip(w, None, w), BVar[L[Rows, Columns]])
assert_type(tp.clip(x32, s, None), BVar[R[Columns, np.float32]])
assert_type(tp.clip(plain_x, 0.2, plain_x), R[Columns])
assert_type(tp.clip(plain_x, s, None), BVar[R[Columns]])
assert_type(tp.clip(plain_x, 0.2, x), BVar[R[Columns]])
assert_type(tp.clip(0.5, 0.0, None), float)

# Reductions: the axis says what is left.
assert_type(tp.prod(x), BVar[float])
assert_type(tp.prod(x, -1), BVar[float])
assert_type(tp.prod(x, keepdims=True), BVar[R[One]])
assert_type(tp.prod(w), BVar[float])
assert_type(tp.prod(w, 0), BVar[R[Columns]])
assert_type(tp.prod(w, axis=1), BVar[R[Rows]])
assert_type(tp.prod(w, 1, keepdims=True), BVar[L[Rows, One]])
assert_type(tp.prod(w32, -2, keepdims=True), BVar[L[One, Columns, np.float32]])
assert_type(tp.prod(w, keepdims=True), BVar[L[One, One]])
assert_type(tp.prod(t, 1), BVar[L[Pages, Columns]])
assert_type(tp.prod(plain_w, 0), R[Columns])
assert_type(tp.prod(plain_x32), np.float32)
assert_type(tp.logsumexp(w, 1), BVar[R[Rows]])
assert_type(tp.median(w, 0), BVar[R[Columns]])
assert_type(tp.median(plain_x), np.float64)
assert_type(tp.var(w, 1), BVar[R[Rows]])
assert_type(tp.var(x, ddof=1), BVar[float])
assert_type(tp.std(w, 0, ddof=1, keepdims=True), BVar[L[One, Columns]])
assert_type(tp.std(plain_t, -1), L[Pages, Rows])
assert_type(tp.quantile(x, 0.9), BVar[float])
assert_type(tp.quantile(w, 0.9, 0), BVar[R[Columns]])
assert_type(tp.quantile(w, 0.9, axis=1, keepdims=True), BVar[L[Rows, One]])
assert_type(tp.quantile(plain_w, 0.9, 1), R[Rows])
assert_type(tp.argmax(x), np.int64)
assert_type(tp.argmax(w, 0), R[Columns, np.int64])
assert_type(tp.argmin(plain_w, 1), R[Rows, np.int64])
assert_type(tp.argmin(t, 1), L[Pages, Columns, np.int64])
assert_type(tp.cumsum(x), BVar[R[Columns]])
assert_type(tp.cumsum(w, 1), BVar[L[Rows, Columns]])
assert_type(tp.cumsum(w), BVar[R[Any]])
assert_type(tp.cumprod(plain_w, 0), L[Rows, Columns])
assert_type(tp.cumprod(t, -1), BVar[Tensor3[Pages, Rows, Columns]])
assert_type(tp.softmax_cross_entropy(x, plain_x), BVar[float])
assert_type(tp.softmax_cross_entropy(w, plain_w), BVar[R[Rows]])


# Mappings, with functions of BVars, of floats, and of floats that use a BVar.
def bump(v: BVar[float]) -> BVar[float]:
    return v * v if v > 0.5 else tp.sin(v)


def plus(a: BVar[float], b: BVar[float]) -> BVar[float]:
    return a + b * b


def half(v: float) -> float:
    return v / 2


def scaled(v: float) -> BVar[float]:
    return s * v


assert_type(tp.map(bump, x), BVar[R[Columns]])
assert_type(tp.map(bump, w32), BVar[L[Rows, Columns, np.float32]])
assert_type(tp.map(half, plain_x), R[Columns])
assert_type(tp.map(scaled, plain_w), BVar[L[Rows, Columns]])
assert_type(tp.zip_with(plus, x, x), BVar[R[Columns]])
assert_type(tp.zip_with(lambda a, b: a * b, x, plain_x), BVar[R[Columns]])
assert_type(tp.zip_with(lambda a, b: a * b, plain_w, w), BVar[L[Rows, Columns]])


# In generic code, for all sizes at once.
def normalized(a: BVar[L[M, N]]) -> BVar[L[M, N]]:
    centred = a - tp.mean(a, 0)
    return centred / (tp.std(a, 0) + 1e-6)


def attention(a: BVar[L[M, N]], b: R[N]) -> BVar[R[M]]:
    return tp.softmax(tp.logsumexp(tp.maximum(a, b), 1))


assert_type(normalized(w), BVar[L[Rows, Columns]])
assert_type(attention(w, plain_x), BVar[R[Rows]])
