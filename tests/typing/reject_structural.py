"""Structural operations: what does not fit together, and sizes that the result does not have."""
# fmt: off

import numpy as np

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3, Tensor4
from typedprop.ops.arrangement import flip, linspace, repeat, sort, take, take_along_axis, tile
from typedprop.ops.diagonal import diag, take_diag, tril
from typedprop.ops.joining import concatenate, from_rows, head, hstack, rows, split, split_rows, stack, vstack
from typedprop.ops.product import cross, inner, kron
from typedprop.ops.structural import broadcast_to, col, ravel, reshape, row, swapaxes, transpose, uncol, unrow


class Rows(Dim): ...
class Columns(Dim): ...
class Pages(Dim): ...
class Picks(Dim): ...


m, n, k, p = Rows(2), Columns(3), Pages(4), Picks(5)
plain_x, plain_y, plain_w = tp.ones(n), tp.ones(m), tp.ones(m, n)
picks = tp.vector([0, 1, 0, 0, 1], p, dtype=np.int64)
s, x, y, w, t = BVar(2.0), BVar(plain_x), BVar(plain_y), BVar(plain_w), BVar(tp.ones(k, m, n))
x32 = BVar(tp.ones(n, dtype=np.float32))

# Joining.
concatenate([x, w])  # E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
concatenate([w, w.T])
# E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
concatenate([w, w.T], axis=1)
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
concatenate([x, x32])
concatenate([w, w], axis=2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
concatenate(x, y)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
concatenate([s, s])  # E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
stack([x, y])
stack([x, s])  # E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
stack([w, w.T])
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
stack([plain_x, plain_y])
stack([x, x], axis=2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
# E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
vstack([x, y])
# E: mypy=list-item pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
hstack([w, w.T])
# E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
# gap: ty "takes a list of different sizes for one of their union"
from_rows([x, y])
from_rows([w])  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.append(x, w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.from_columns([w])  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# Taking apart.
split(s, 1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
split(w, 2.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
split(w, 2, axis=3)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
split_rows(x, 1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
rows(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
head(w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.split_cols(x, 1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.columns(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.tail(w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# Other shapes.
reshape(w, "6")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
reshape(s, (1, 1))  # E: mypy=arg-type,type-var pyright=reportArgumentType,reportCallIssue
transpose(w, (0, 1, 2))  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
swapaxes(w, 0, 2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
row(w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
unrow(w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
uncol(row(x))  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
broadcast_to(x, n)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
broadcast_to(t, (m, n))  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
w.reshape("6")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
ravel(1.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.expand_dims(s, 0)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.squeeze(w, 0)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.moveaxis(x, 0, 1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# Diagonals and arrangement.
diag(w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
take_diag(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tril(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
flip(2.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
sort(s)  # E: mypy=type-var pyright=reportArgumentType,reportCallIssue
tile(x, 1.5)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
repeat(w, 2, axis=2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
take(w, 0.5, axis=0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
take(x, picks, axis=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
take_along_axis(w, picks, axis=0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
linspace(x, 1.0, 3)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.triu(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.roll(w, 1.5)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.pad(s, 1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.diff(s)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.trapezoid(x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue

# Products.
inner(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
inner(w, w.T)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
cross(x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
kron(w, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.outer(w, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.matmul(w.T, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.matmul(plain_w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.dot(plain_x, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.dot(w, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.einsum(1, w)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.tensordot(w, x, "1")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.convolve(w, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.conv1d(t, w)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.conv2d(t, t)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.avg_pool1d(w, 2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.avg_pool2d(t, 2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.max_pool1d(w, 2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.max_pool2d(t, 2)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# Choosing.
tp.where(plain_y > 0, x, 0.0)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.where(plain_x > 0, x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.where(plain_x, x, 0.0)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.where(plain_w > 0, w, w.T)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue

# Functions of each element, and reductions.
tp.exp("1")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.exp([1.0])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.sigmoid(x, y)  # E: mypy=call-overload pyright=reportCallIssue
tp.softmax(2.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.softmax_cross_entropy(x, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.softmax_cross_entropy(w, plain_w.T)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.softmax_cross_entropy(w, plain_x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.sum(w, axis=2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.mean(x, axis=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.logsumexp(w, axis="0")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
w.max(axis=0, keepdims=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue

# A result is declared as what it is not.
a1: BVar[L[Rows, Rows]] = stack([x, x])  # E: mypy=assignment,list-item pyright=reportAssignmentType
a2: BVar[L[Rows, Columns]] = reshape(w, (n, m))  # E: mypy=assignment pyright=reportAssignmentType
a3: BVar[R[Rows]] = ravel(x)  # E: mypy=arg-type pyright=reportAssignmentType
a4: BVar[L[Rows, Columns]] = transpose(w)  # E: mypy=arg-type,assignment pyright=reportAssignmentType
a4b: BVar[Tensor3[Pages, Rows, Columns]] = transpose(t, (0, 2, 1))  # E: mypy=assignment pyright=reportAssignmentType
a5: BVar[R[Rows]] = broadcast_to(s, n)  # E: mypy=assignment pyright=reportAssignmentType
a6: BVar[L[Rows, Rows]] = diag(x)  # E: mypy=arg-type pyright=reportAssignmentType
a7: BVar[R[Rows]] = take(x, picks)  # E: mypy=arg-type pyright=reportAssignmentType
a8: Tensor3[Rows, Columns, Pages] = reshape(plain_w, (k, n, m))  # E: mypy=assignment pyright=reportAssignmentType
a9: R[Rows] = sort(plain_x)  # E: mypy=arg-type pyright=reportAssignmentType
a10: L[Columns, Rows] = tp.outer(plain_y, plain_x)  # E: mypy=arg-type pyright=reportAssignmentType
a11: BVar[R[Rows]] = linspace(0.0, s, p)  # E: mypy=assignment pyright=reportAssignmentType
a12: BVar[R[Rows]] = tp.softmax(x)  # E: mypy=arg-type pyright=reportAssignmentType
a13: BVar[L[Rows, Columns]] = col(x)  # E: mypy=arg-type,assignment pyright=reportAssignmentType
a14: Tensor4[Rows, Rows, Pages, Columns] = tp.zeros(m, m, n, k)  # E: mypy=assignment pyright=reportAssignmentType
