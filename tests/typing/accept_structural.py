"""Structural operations: joining, taking apart, moving elements; of BVars, of plain arrays, and of both."""

from typing import Any, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3
from typedprop.ops.arrangement import flip, linspace, pad, repeat, roll, sort, take, take_along_axis, tile
from typedprop.ops.diagonal import diag, take_diag, tril, triu
from typedprop.ops.joining import (
    append,
    columns,
    concatenate,
    from_columns,
    from_rows,
    head,
    hstack,
    rows,
    split,
    split_cols,
    split_rows,
    stack,
    tail,
    vstack,
)
from typedprop.ops.product import cross, inner, kron
from typedprop.ops.structural import broadcast_to, col, ravel, reshape, row, swapaxes, transpose, uncol, unrow
from typedprop.shapes import One, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
F = TypeVar("F", np.float32, np.float64)


class Rows(Dim): ...


class Columns(Dim): ...


class Pages(Dim): ...


class Picks(Dim): ...


class Upper(Dim): ...


m, n, k, p = Rows(2), Columns(3), Pages(4), Picks(5)
plain_x, plain_y, plain_w = tp.ones(n), tp.ones(m), tp.ones(m, n)
plain_t = tp.ones(k, m, n)
picks = tp.vector([0, 1, 0, 0, 1], p, dtype=np.int64)
s, x, y, w, t = BVar(2.0), BVar(plain_x), BVar(plain_y), BVar(plain_w), BVar(plain_t)
q = BVar(tp.ones(p, k, m, n))
x32 = BVar(tp.ones(n, dtype=np.float32))

# Joining: what is joined is unknown, what must agree is kept.
assert_type(concatenate([x, y]), BVar[R[Any]])
assert_type(concatenate((x, plain_y)), BVar[R[Any]])
assert_type(concatenate([plain_x, plain_y]), R[Any])
assert_type(concatenate([x32, x32]), BVar[R[Any, np.float32]])
assert_type(concatenate([w, w]), BVar[L[Any, Columns]])
assert_type(concatenate([w, w], axis=1), BVar[L[Rows, Any]])
assert_type(concatenate([plain_w, plain_w], axis=-1), L[Rows, Any])
# gap: ty "does not join the items of a tuple into one sequence type"
assert_type(concatenate((w, BVar(tp.ones(p, n)))), BVar[L[Any, Columns]])
# gap: mypy=arg-type,assert-type,list-item "joins the items of a list to one type: write a tuple"
# gap: ty "does not join the items of a tuple into one sequence type"
assert_type(concatenate([w, BVar(tp.ones(p, n))]), BVar[L[Any, Columns]])
assert_type(stack([s, s, s]), BVar[R[Any]])
assert_type(stack([1.0, 2.0]), R[Any])
assert_type(stack([x, x]), BVar[L[Any, Columns]])
assert_type(stack([x, x], axis=1), BVar[L[Columns, Any]])
assert_type(stack([plain_x, plain_x]), L[Any, Columns])
assert_type(stack([w, w]), BVar[Tensor3[Any, Rows, Columns]])
assert_type(stack([plain_w, plain_w], axis=-1), Tensor3[Rows, Columns, Any])
assert_type(vstack([x, x]), BVar[L[Any, Columns]])
assert_type(vstack([w, w]), BVar[L[Any, Columns]])
assert_type(hstack([w, w]), BVar[L[Rows, Any]])
assert_type(from_rows([x, x]), BVar[L[Any, Columns]])
assert_type(from_columns([plain_x, plain_x]), L[Columns, Any])
assert_type(append(x, s), BVar[R[Any]])
assert_type(append(x, plain_y), BVar[R[Any]])
assert_type(append(plain_x, 1.0), R[Any])

# Taking apart.
assert_type(split(x, 3), list[BVar[R[Any]]])
assert_type(split(w, 2), list[BVar[L[Any, Columns]]])
assert_type(split(w, [1], axis=1), list[BVar[L[Rows, Any]]])
assert_type(split(plain_w, 3, axis=1), list[L[Rows, Any]])
assert_type(split_rows(w, Upper(1)), tuple[BVar[L[Upper, Columns]], BVar[L[Any, Columns]]])
assert_type(split_rows(w, 1), tuple[BVar[L[Any, Columns]], BVar[L[Any, Columns]]])
assert_type(split_cols(plain_w, 1), tuple[L[Rows, Any], L[Rows, Any]])
assert_type(rows(w), list[BVar[R[Columns]]])
assert_type(columns(w), list[BVar[R[Rows]]])
assert_type(rows(plain_w), list[R[Columns]])
assert_type(head(x), BVar[float])
assert_type(head(plain_x), np.float64)
assert_type(tail(x), BVar[R[Any]])

# Other shapes of the same elements.
assert_type(reshape(w, Dim(6)), BVar[R[Dim]])
assert_type(reshape(w, (n, m)), BVar[L[Columns, Rows]])
assert_type(reshape(plain_t, (m, k, n)), Tensor3[Rows, Pages, Columns])
assert_type(reshape(plain_w, (3, 2)), L[Any, Any])
assert_type(reshape(w, (1, 2, 3)), BVar[Tensor3[Any, Any, Any]])
assert_type(ravel(x), BVar[R[Columns]])
assert_type(ravel(w), BVar[R[Any]])
assert_type(transpose(w), BVar[L[Columns, Rows]])
assert_type(transpose(plain_t), Tensor3[Columns, Rows, Pages])
assert_type(transpose(q), BVar[Tensor4[Columns, Rows, Pages, Picks]])
assert_type(transpose(t, (0, 2, 1)), BVar[Tensor3[Pages, Columns, Rows]])
assert_type(transpose(t, (1, 2, 0)), BVar[Tensor3[Rows, Columns, Pages]])
assert_type(transpose(plain_t, (1, 0, 2)), Tensor3[Rows, Pages, Columns])
assert_type(transpose(w, (1, 0)), BVar[L[Columns, Rows]])
assert_type(swapaxes(w, 0, 1), BVar[L[Columns, Rows]])
assert_type(swapaxes(t, 1, 2), BVar[Tensor3[Pages, Columns, Rows]])
assert_type(swapaxes(plain_t, 0, -1), Tensor3[Columns, Rows, Pages])
assert_type(row(x), BVar[L[One, Columns]])
assert_type(col(plain_x), L[Columns, One])
assert_type(unrow(row(x)), BVar[R[Columns]])
assert_type(uncol(w.sum(axis=1, keepdims=True)), BVar[R[Rows]])
assert_type(broadcast_to(s, n), BVar[R[Columns]])
assert_type(broadcast_to(s, (m, n)), BVar[L[Rows, Columns]])
assert_type(broadcast_to(x, (m, n)), BVar[L[Rows, Columns]])
assert_type(broadcast_to(1.0, (m, n)), L[Rows, Columns])
assert_type(broadcast_to(col(plain_y), (m, n)), L[Rows, Columns])

# Diagonals.
assert_type(diag(x), BVar[L[Columns, Columns]])
assert_type(diag(plain_x, 1), L[Any, Any])
assert_type(take_diag(diag(x)), BVar[R[Columns]])
assert_type(take_diag(w), BVar[R[Any]])
assert_type(tril(w), BVar[L[Rows, Columns]])
assert_type(triu(plain_t), Tensor3[Pages, Rows, Columns])

# Moving elements about.
assert_type(flip(x), BVar[R[Columns]])
assert_type(flip(plain_w, axis=0), L[Rows, Columns])
assert_type(roll(w, 1), BVar[L[Rows, Columns]])
assert_type(sort(x), BVar[R[Columns]])
assert_type(sort(plain_x), R[Columns])
assert_type(pad(x, 1), BVar[R[Any]])
assert_type(pad(plain_w, ((1, 0), (0, 2))), L[Any, Any])
assert_type(tile(x, 2), BVar[R[Any]])
assert_type(tile(w, (2, 2)), BVar[L[Any, Any]])
assert_type(repeat(w, 2, axis=0), BVar[L[Any, Columns]])
assert_type(repeat(w, 2, axis=1), BVar[L[Rows, Any]])
assert_type(take(x, 0), BVar[float])
assert_type(take(x, picks), BVar[R[Picks]])
assert_type(take(w, picks, axis=0), BVar[L[Picks, Columns]])
assert_type(take(plain_w, 1, axis=1), R[Rows])
assert_type(take_along_axis(x, picks), BVar[R[Picks]])
assert_type(linspace(0.0, s, p), BVar[R[Picks]])
assert_type(linspace(0.0, 1.0, 5), R[Any])

# Products.
assert_type(inner(w, x), BVar[R[Rows]])
assert_type(inner(w, plain_w), BVar[L[Rows, Rows]])
assert_type(cross(x, plain_x), BVar[R[Columns]])
assert_type(kron(w, plain_w), BVar[L[Any, Any]])
assert_type(kron(plain_x, plain_y), R[Any])

# Filling.
assert_type(tp.ones(m, n), L[Rows, Columns])
assert_type(tp.where(plain_x > 0, s, 0.0), BVar[R[Columns]])
assert_type(tp.where(plain_x > 0, 1.0, x), BVar[R[Columns]])
assert_type(tp.where(plain_w > 0, 0.0, plain_w), L[Rows, Columns])


# In a generic body.
def outer_sum(a: BVar[R[M]], b: BVar[R[N]]) -> BVar[L[M, N]]:
    left, above = col(a), row(b)
    assert_type(left, BVar[L[M, One]])
    return broadcast_to(left, (a.shape[0], b.shape[0])) + unrow(above)


def doubled(a: BVar[R[N, F]]) -> BVar[R[N, F]]:
    assert_type(a + a, BVar[R[N, F]])
    return sort(a) + flip(a)


assert_type(outer_sum(y, x), BVar[L[Rows, Columns]])
assert_type(doubled(x32), BVar[R[Columns, np.float32]])
