# fmt: off
"""Sizes that the plugin finds. `# native:` is the type without it, where that says less."""

from __future__ import annotations

from typing import Any, Final, Literal, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import Add, BVar, Dim, L, Mul, R, Tensor3, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Rows(Dim): ...


class Columns(Dim): ...


m, n = Rows(2), Columns(3)
k: Final = 4
rng = np.random.default_rng(0)
x, y = tp.ones(m), BVar(tp.ones(n))
a, b = tp.ones(m, n), BVar(tp.ones(m, n))
t, u = tp.ones(2, 3, 4), BVar(tp.ones(2, 3, 6, 8))
ten, five = tp.ones(10), tp.ones(5, dtype=np.float32)

# -- From ints and data ------------------------------------------------------------------------------------------------

assert_type(tp.zeros(20, 100), L[20, 100])  # native: L[Any, Any]
assert_type(tp.asarray(tp.zeros(2, 4, 3), 2, k, 3), Tensor3[2, 4, 3])  # native: Tensor3[Any, Any, Any]
assert_type(tp.zeros(k), R[4])  # native: R[Any]
assert_type(tp.ones(2 * k + 1, m), L[9, Rows])  # native: L[Any, Rows]
assert_type(tp.zeros(k // 3, k - 1), L[1, 3])  # native: L[Any, Any]
assert_type(tp.zeros(2 * m), R[Mul[2, Rows]])  # native: R[Any]
assert_type(tp.zeros(m + n), R[Add[Rows, Columns]])  # native: R[Any]
assert_type(tp.zeros(m * n, m), L[Mul[Rows, Columns], Rows])  # native: L[Any, Rows]
assert_type(tp.zeros(m, 3, 4), Tensor3[Rows, 3, 4])  # native: Tensor3[Any, Any, Any]
assert_type(tp.ones(1, 2, 3, 4, dtype=np.float32), Tensor4[1, 2, 3, 4, np.float32])  # native: Tensor4[Any, Any, Any, Any, np.float32]
assert_type(tp.full(3, fill_value=1.5), R[3])  # native: R[Any]
assert_type(tp.full(3, fill_value=BVar(1.5)), BVar[R[3]])  # native: BVar[R[Any]]
assert_type(tp.eye(3), L[3, 3])  # native: L[Any, Any]
assert_type(tp.normal(rng, 3, n), L[3, Columns])  # native: L[Any, Columns]
assert_type(tp.uniform(rng, 3), R[3])  # native: R[Any]
assert_type(tp.linspace(0.0, 1.0, 5), R[5])  # native: R[Any]
assert_type(tp.vector([1.0, 2.0, 3.0]), R[3])  # native: R[Any]
assert_type(tp.vector((1, 2), dtype=np.int64), R[2, np.int64])  # native: R[Any, np.int64]
assert_type(tp.vector([1.0, 2.0, 3.0], n), R[Columns])
assert_type(tp.matrix([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), L[2, 3])  # native: L[Any, Any]
assert_type(tp.matrix([x, x, x]), L[3, Rows])  # native: L[Any, Any]
assert_type(tp.tensor([[[1.0, 2.0]]], 1, 1, 2), Tensor3[1, 1, 2])  # native: Tensor3[Any, Any, Any]
assert_type(tp.broadcast_to(2.0, (2, 3)), L[2, 3])  # native: L[Any, Any]
assert_type(tp.broadcast_to(y, (4, 3)), BVar[L[4, Columns]])  # native: BVar[L[Any, Columns]]
assert_type(BVar(tp.zeros(3)), BVar[R[3]])  # native: BVar[R[Any]]
count = int("3")
assert_type(tp.zeros(count), R[Any])
assert_type(tp.zeros(count, 3), L[Any, 3])  # native: L[Any, Any]

# -- Put together ------------------------------------------------------------------------------------------------------

assert_type(tp.concatenate((x, y)), BVar[R[Add[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(tp.concatenate((y, x)), BVar[R[Add[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(tp.concatenate([x, x, x]), R[Mul[3, Rows]])  # native: R[Any]
assert_type(tp.concatenate((ten, x)), R[Add[Rows, 10]])  # native: Any
assert_type(tp.concatenate([a, tp.ones(5, n)]), L[Add[Rows, 5], Columns])  # native: Any
assert_type(tp.concatenate((b, a), axis=1), BVar[L[Rows, Mul[2, Columns]]])  # native: BVar[L[Rows, Any]]
assert_type(tp.concatenate([t, t], axis=-1), Tensor3[2, 3, 8])  # native: Tensor3[Any, Any, Any]
assert_type(tp.concatenate((five, five)), R[10, np.float32])  # native: Any
assert_type(tp.stack([x, x, x]), L[3, Rows])  # native: L[Any, Rows]
assert_type(tp.stack([x, x], axis=1), L[Rows, 2])  # native: L[Rows, Any]
assert_type(tp.stack([BVar(1.0), BVar(2.0)]), BVar[R[2]])  # native: BVar[R[Any]]
assert_type(tp.stack((a, a, a, a), axis=1), Tensor3[Rows, 4, Columns])  # native: Tensor3[Rows, Any, Columns]
assert_type(tp.vstack([y, y]), BVar[L[2, Columns]])  # native: BVar[L[Any, Columns]]
assert_type(tp.vstack((a, tp.ones(4, n))), L[Add[Rows, 4], Columns])  # native: Any
assert_type(tp.hstack((x, x)), R[Mul[2, Rows]])  # native: R[Any]
assert_type(tp.hstack((a, tp.ones(m, 4))), L[Rows, Add[Columns, 4]])  # native: Any
assert_type(tp.append(x, 1.0), R[Add[Rows, 1]])  # native: R[Any]
assert_type(tp.append(x, y), BVar[R[Add[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(tp.from_rows([x, x, x]), L[3, Rows])  # native: L[Any, Rows]
assert_type(tp.from_columns([y, y]), BVar[L[Columns, 2]])  # native: BVar[L[Columns, Any]]
many = [x for _ in range(count)]
assert_type(tp.concatenate(many), R[Any])
assert_type(tp.concatenate([x, *many]), R[Any])

# -- Taken apart -------------------------------------------------------------------------------------------------------

assert_type(tp.tail(y), BVar[R[Add[Columns, -1]]])  # native: BVar[R[Any]]
assert_type(tp.tail(tp.append(x, 1.0)), R[Rows])  # native: R[Any]
assert_type(tp.split(ten, 5), list[R[2]])  # native: list[R[Any]]
assert_type(tp.split(ten, [2, 5]), list[R[Any]])
assert_type(tp.split(ten, [5]), list[R[5]])  # native: list[R[Any]]
assert_type(tp.split(tp.concatenate((a, a)), 2), list[L[Rows, Columns]])  # native: list[L[Any, Columns]]
assert_type(tp.split_rows(a, 1), tuple[L[1, Columns], L[Add[Rows, -1], Columns]])  # native: tuple[L[Any, Columns], L[Any, Columns]]
assert_type(tp.split_cols(tp.ones(m, 5), 2), tuple[L[Rows, 2], L[Rows, 3]])  # native: tuple[L[Rows, Any], L[Rows, Any]]
assert_type(tp.rows(tp.ones(4, 5)), list[R[5]])  # native: list[R[Any]]

# -- Indexed -----------------------------------------------------------------------------------------------------------

assert_type(ten[2:5], R[3])  # native: R[Any]
assert_type(ten[::3], R[4])  # native: R[Any]
assert_type(ten[-3:], R[3])  # native: R[Any]
assert_type(ten[8:20], R[2])  # native: R[Any]
assert_type(BVar(ten)[k:], BVar[R[6]])  # native: BVar[R[Any]]
assert_type(x[::-1], R[Rows])  # native: R[Any]
assert_type(x[1:], R[Any])
assert_type(tp.append(x, 0.0)[1:], R[Rows])  # native: R[Any]
assert_type(tp.append(x, 0.0)[:-1], R[Rows])  # native: R[Any]
assert_type(tp.concatenate((x, y))[:m], BVar[R[Rows]])  # native: BVar[R[Any]]
assert_type(tp.concatenate((x, y))[m:], BVar[R[Columns]])  # native: BVar[R[Any]]
assert_type(a[:, ::-1], L[Rows, Columns])  # native: L[Rows, Any]
assert_type(tp.ones(4, n)[1:3], L[2, Columns])  # native: L[Any, Columns]
assert_type(tp.ones(4, 6)[1:3, ::2], L[2, 3])  # native: L[Any, Any]
assert_type(tp.ones(4, 6)[1:3, 0], R[2])  # native: R[Any]
assert_type(t[:, 1:], Tensor3[2, 2, 4])  # native: Any
assert_type(t[..., :2], Tensor3[2, 3, 2])  # native: Any
assert_type(t[0, 1:, None], Tensor3[2, 1, 4])  # native: Any
assert_type(u[0, :, 1:3], BVar[Tensor3[3, 2, 8]])  # native: BVar[Any]

# -- In other shapes ---------------------------------------------------------------------------------------------------

assert_type(tp.ravel(b), BVar[R[Mul[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(a.ravel(), R[Mul[Rows, Columns]])  # native: R[Any]
assert_type(t.flatten(), R[24])  # native: R[Any]
assert_type(tp.reshape(t, (6, 4)), L[6, 4])  # native: L[Any, Any]
assert_type(tp.reshape(t, (6, -1)), L[6, 4])  # native: L[Any, Any]
assert_type(tp.reshape(b, (-1,)), BVar[R[Mul[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(tp.reshape(tp.ravel(a), (-1, n)), L[Rows, Columns])  # native: L[Any, Any]
assert_type(u.reshape((6, -1)), BVar[L[6, 48]])  # native: BVar[Any]
assert_type(ten.reshape(2, 5), L[2, 5])  # native: L[Any, Any]
assert_type(ten.reshape((5, -1)), L[5, 2])  # native: Any
assert_type(tp.transpose(t, (0, 2, 1)), Tensor3[2, 4, 3])  # native: Tensor3[Any, Any, Any]
assert_type(tp.swapaxes(u, 1, -1), BVar[Tensor4[2, 8, 6, 3]])  # native: BVar[Tensor4[Any, Any, Any, Any]]
assert_type(tp.tile(x, 3), R[Mul[3, Rows]])  # native: R[Any]
assert_type(tp.tile(x, (2, 3)), L[2, Mul[3, Rows]])  # native: L[Any, Any]
assert_type(tp.repeat(ten, 3), R[30])  # native: R[Any]
assert_type(tp.repeat(a, 2, axis=1), L[Rows, Mul[2, Columns]])  # native: L[Rows, Any]
assert_type(tp.repeat(tp.ones(3), [1, 0, 4]), R[5])  # native: R[Any]
assert_type(tp.pad(x, 1), R[Add[Rows, 2]])  # native: R[Any]
assert_type(tp.pad(a, ((1, 0), (2, 3))), L[Add[Rows, 1], Add[Columns, 5]])  # native: L[Any, Any]
assert_type(tp.take(ten, [3, 1, 4]), R[3])  # native: R[Any]
assert_type(tp.take(b, [1, 0, 1], axis=0), BVar[L[3, Columns]])  # native: BVar[L[Any, Columns]]
assert_type(tp.diag(x, 1), L[Add[Rows, 1], Add[Rows, 1]])  # native: L[Any, Any]
assert_type(tp.take_diag(tp.ones(3, 5), 1), R[3])  # native: R[Any]
assert_type(tp.cumsum(a), R[Mul[Rows, Columns]])  # native: R[Any]

# -- Products and windows ----------------------------------------------------------------------------------------------

assert_type(tp.kron(a, tp.ones(2, 3)), L[Mul[2, Rows], Mul[3, Columns]])  # native: L[Any, Any]
assert_type(tp.kron(x, y), BVar[R[Mul[Rows, Columns]]])  # native: BVar[R[Any]]
assert_type(tp.convolve(ten, x), R[Add[Rows, 9]])  # native: R[Any]
assert_type(tp.convolve(ten, tp.ones(3), mode="valid"), R[8])  # native: R[Any]
assert_type(tp.convolve(ten, tp.ones(3), mode="same"), R[10])  # native: R[Any]
assert_type(tp.conv1d(t, tp.ones(5, 3, 2)), Tensor3[2, 5, 3])  # native: Tensor3[Any, Any, Any]
assert_type(tp.conv1d(t, tp.ones(5, 3, 2), padding=1, stride=2), Tensor3[2, 5, 3])  # native: Tensor3[Any, Any, Any]
assert_type(tp.conv1d(t, tp.ones(6, 1, 2), groups=3, padding="same"), Tensor3[2, 6, 4])  # native: Tensor3[Any, Any, Any]
assert_type(tp.conv2d(u, tp.ones(5, 3, 3, 3)), BVar[Tensor4[2, 5, 4, 6]])  # native: BVar[Tensor4[Any, Any, Any, Any]]
assert_type(tp.conv2d(u, tp.ones(5, 3, 3, 3), stride=(1, 2), padding=((1, 1), (0, 1)), dilation=2), BVar[Tensor4[2, 5, 4, 3]])  # native: BVar[Tensor4[Any, Any, Any, Any]]
assert_type(tp.max_pool1d(t, 2), Tensor3[2, 3, 2])  # native: Tensor3[Any, Any, Any]
assert_type(tp.avg_pool2d(u, (2, 3), stride=2), BVar[Tensor4[2, 3, 3, 3]])  # native: BVar[Tensor4[Any, Any, Any, Any]]
assert_type(tp.linalg.qr(tp.ones(4, 3)), tuple[L[4, 3], L[3, 3]])  # native: tuple[L[Any, Any], L[Any, Any]]
assert_type(tp.linalg.svd(tp.ones(4, 3)), tuple[L[4, 3], R[3], L[3, 3]])  # native: tuple[L[Any, Any], R[Any], L[Any, Any]]
assert_type(tp.linalg.svdvals(tp.ones(4, 3)), R[3])  # native: R[Any]
assert_type(tp.linalg.multi_dot([a, tp.ones(n, 5), tp.ones(5, 6)]), L[Rows, 6])  # native: L[Any, Any]

# -- einsum ------------------------------------------------------------------------------------------------------------

assert_type(tp.einsum("ij,j->i", a, y), BVar[R[Rows]])
assert_type(tp.einsum("ij,kj->ki", a, tp.ones(5, n)), L[5, Rows])  # native: Any
assert_type(tp.einsum("ij", a), L[Rows, Columns])  # native: Any
assert_type(tp.einsum("ba", a), L[Columns, Rows])  # native: Any
assert_type(tp.einsum("i,j,k", x, y, x), BVar[Tensor3[Rows, Columns, Rows]])  # native: BVar[Any]
assert_type(tp.einsum("ii->i", tp.eye(3)), R[3])  # native: Any
assert_type(tp.einsum("i,i", y, y), BVar[float])
assert_type(tp.einsum("i,i", x, x), np.float64)
assert_type(tp.einsum("...ij->...ji", t), Tensor3[2, 4, 3])  # native: Any
assert_type(tp.einsum("...i,i", t, tp.ones(4)), L[2, 3])  # native: Any
assert_type(tp.tensordot(t, tp.ones(3, 4)), R[2])  # native: Any
assert_type(tp.tensordot(t, tp.ones(5, 3), axes=([1], [1])), Tensor3[2, 4, 5])  # native: Any

# -- Broadcasting: without the plugin these are errors -----------------------------------------------------------------

assert_type(t + tp.ones(4), Tensor3[2, 3, 4])  # native: error
assert_type(tp.ones(3, 4) * t, Tensor3[2, 3, 4])  # native: error
assert_type(u - tp.ones(8), BVar[Tensor4[2, 3, 6, 8]])  # native: error
assert_type(tp.ones(6, 8) / u, BVar[Tensor4[2, 3, 6, 8]])  # native: error
assert_type(t + tp.ones(2, 1, 4), Tensor3[2, 3, 4])  # native: Tensor3[Any, Any, Any]
assert_type(b.sum(axis=1, keepdims=True) + b, BVar[L[Rows, Columns]])  # native: error
assert_type(tp.maximum(t, tp.ones(4)), Tensor3[2, 3, 4])  # native: error


# -- Symbolic ----------------------------------------------------------------------------------------------------------


def joined(x: R[M], y: BVar[R[N]]) -> BVar[R[Add[N, M]]]:
    assert_type(tp.concatenate((x, x, y)), BVar[R[Add[Mul[Literal[2], M], N]]])  # native: BVar[R[Any]]
    return tp.concatenate((x, y))


def flat(a: L[M, N], x: R[Mul[N, M]]) -> R[Mul[M, N]]:
    square = tp.kron(a, a)
    assert_type(square, L[Mul[M, M], Mul[N, N]])  # native: L[Any, Any]
    return tp.ravel(a) + x


def of_length(n: N) -> R[N]:
    return tp.zeros(n)


assert_type(joined(tp.ones(3), BVar(tp.ones(4))), BVar[R[7]])  # native: BVar[R[Add[Any, Any]]]
assert_type(joined(x, y), BVar[R[Add[Columns, Rows]]])  # native: BVar[R[Add[Columns, Rows]]]
assert_type(flat(tp.ones(2, 3), tp.ones(6)), R[6])  # native: R[Mul[Any, Any]]
