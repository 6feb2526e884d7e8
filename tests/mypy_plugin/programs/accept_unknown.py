# fmt: off
"""Where too little is known, the plugin leaves what the signatures say, and Any for a size: never a wrong one."""

from __future__ import annotations

from typing import Any, Final, Literal, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import Add, BVar, Dim, L, Mul, R, Tensor3, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
V = TypeVar("V")


class Pixels(Dim): ...


anything: Any = np.ones((2, 3))
number: int = int("1")
some: R[Any] = tp.ones(6)
table: L[Any, Any] = tp.ones(2, 3)
turned: L[Any, Any] = tp.ones(3, 2)
vector, matrix, tensor, batch = tp.ones(6), tp.ones(2, 3), tp.ones(2, 3, 4), tp.ones(1, 1, 4, 4)
lifted = BVar(matrix)
two: Final = 2
minus: Final = -2
pair = (2, 3)
known: Final = (2, 3)
many = [2, 3]
unknown_batch: Tensor4[Any, Any, Any, Any] = batch

mode: Any = "full"
axes: Any = 1
axis: Any = 0
all_axes = [0, 1]
shape: Any = (2, 6)
two_: Literal[2] = 2
lifted_anything: BVar[Any] = BVar(matrix)


def some_of(x: R[N]) -> R[N]:
    return x


def put_together(x: R[M], y: R[N], both: R[Add[M, N]]) -> R[Mul[M, N]]:
    return tp.kron(x, y)


def times(x: R[M], y: R[N], product: R[Mul[M, N]]) -> R[Mul[M, Add[N, N]]]:
    return tp.kron(x, tp.concatenate((y, y)))


def doubled(x: R[Add[N, N]]) -> R[N]:
    half: R[Any] = x[: len(x) // 2]
    return half


def optional(x: R[N], y: R[N] | None) -> R[N]:
    return x if y is None else y


def of_kind(kind: Literal["a", "b"], x: R[N]) -> R[N]:
    return x if kind == "a" else -x


# -- Of data that is not known -----------------------------------------------------------------------------------------

assert_type(tp.linalg.svdvals(table), R[Any])
assert_type(tp.linalg.svd(table)[1], R[Any])
assert_type(tp.linalg.qr(table)[0], L[Any, Any])
assert_type(tp.linalg.multi_dot((matrix, turned, tp.ones(2, 4))), L[2, 4])
assert_type(tp.ravel(table), R[Any])
assert_type(tp.tail(some), R[Any])
assert_type(tp.append(some, 1.0), R[Any])
assert_type(tp.append(vector, tp.ones(2)), R[8])
assert_type(tp.split(some, 2), list[R[Any]])
assert_type(tp.split(vector, number), list[R[Any]])
assert_type(tp.split(vector, [number]), list[R[Any]])
assert_type(tp.split(vector, [1, 3]), list[R[Any]])
assert_type(tp.split_rows(table, 1), tuple[L[1, Any], L[Any, Any]])
assert_type(tp.tile(some, 2), R[Any])
assert_type(tp.repeat(some, 2), R[Any])
assert_type(tp.pad(some, 1), R[Any])
assert_type(tp.diag(some), L[Any, Any])
assert_type(tp.take_diag(table), R[Any])
assert_type(tp.take_diag(matrix), R[2])
assert_type(tp.take_diag(matrix, 1), R[2])
assert_type(tp.take_diag(tp.eye(3), 1), R[2])
assert_type(tp.kron(some, vector), R[Any])
assert_type(tp.diff(some), R[Any])
assert_type(tp.concatenate((some, vector)), R[Any])
assert_type(tp.stack((some, vector)), L[2, 6])
assert_type(tp.max_pool2d(unknown_batch, 2), Tensor4[Any, Any, Any, Any])
assert_type(tp.conv2d(unknown_batch, tp.ones(1, 1, 2, 2)), Tensor4[Any, 1, Any, Any])
assert_type(tp.conv2d(unknown_batch, tp.ones(1, 1, 2, 2), padding="same"), Tensor4[Any, 1, Any, Any])
assert_type(tp.convolve(some, vector), R[Any])
assert_type(tp.convolve(some, vector, "same"), R[Any])
assert_type(tp.einsum("ij,jk->ik", table, matrix.T), L[Any, 2])
assert_type(tp.tensordot(table, matrix.T, 1), L[Any, 2])
assert_type(table[:, :2], L[Any, Any])
assert_type(some[1:], R[Any])

# -- With numbers that are not known -----------------------------------------------------------------------------------

assert_type(tp.zeros(number), R[Any])
assert_type(tp.linspace(0.0, 1.0, abs(number)), R[Any])
assert_type(tp.zeros(-minus), R[2])
assert_type(tp.zeros(number * 2 - 1), R[Any])
assert_type(tp.zeros(two * 4 // 3), R[2])
assert_type(tp.ones(2, 3)[:number], L[Any, 3])
assert_type(vector[:: number], R[Any])
assert_type(vector[-number:], R[Any])
assert_type(tensor[..., :1], Tensor3[2, 3, 1])
assert_type(tensor[0, None, :2], Tensor3[1, 2, 4])
assert_type(vector[4:2], R[0])
assert_type(tp.reshape(vector, pair), L[Any, Any])
assert_type(tp.reshape(vector, known), L[2, 3])
assert_type(tp.tile(vector, number), R[Any])
assert_type(tp.tile(vector, (2, 1)), L[2, 6])
assert_type(tp.repeat(vector, number), R[Any])
assert_type(tp.repeat(vector, many * 3), R[Any])
assert_type(tp.repeat(tp.ones(2), [1, 2]), R[3])
assert_type(tp.repeat(matrix, many, 0), L[Any, 3])
assert_type(tp.take(vector, many), R[Any])
assert_type(tp.take(matrix, [0, 1], axis=1), L[2, 2])
assert_type(tp.take(matrix, [0, 1]), R[2])
assert_type(tp.pad(vector, number), R[Any])
assert_type(tp.pad(matrix, (1, 2)), L[5, 6])
assert_type(tp.pad(matrix, ((1, 2), (0, 1))), L[5, 4])
assert_type(tp.diag(vector, number), L[Any, Any])
assert_type(tp.take_diag(matrix, number), R[Any])
assert_type(tp.moveaxis(tensor, number, 0), Tensor3[Any, Any, Any])
assert_type(tp.swapaxes(tensor, number, 0), Tensor3[Any, Any, Any])
assert_type(tp.transpose(tensor, (number, 0, 2)), Tensor3[Any, Any, Any])
assert_type(tensor.transpose(2, 0, 1), Tensor3[4, 2, 3])
assert_type(tensor.transpose(-1, 0, 1), Tensor3[4, 2, 3])
assert_type(tp.diff(vector, number), R[Any])
assert_type(tp.cumsum(matrix), R[6])
assert_type(tp.max_pool2d(batch, number + 1), Tensor4[1, 1, Any, Any])
assert_type(tp.max_pool2d(batch, (2, 4), (1, 2)), Tensor4[1, 1, 3, 1])
assert_type(tp.max_pool2d(batch, 2, number), Tensor4[1, 1, Any, Any])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), stride=number), Tensor4[1, 1, Any, Any])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), padding=number), Tensor4[1, 1, Any, Any])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), padding=1), Tensor4[1, 1, 5, 5])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), padding=((1, 1), (0, 2))), Tensor4[1, 1, 5, 5])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), padding=(1, 2)), Tensor4[1, 1, 5, 7])
assert_type(tp.conv2d(batch, tp.ones(1, 1, 2, 2), padding="same", stride=3), Tensor4[1, 1, 2, 2])
assert_type(tp.convolve(vector, tp.ones(2), "valid"), R[5])
assert_type(tp.einsum("ij" + "->ji", matrix), Any)
assert_type(tp.tensordot(matrix, matrix, ([0, 1], [0, 1])), np.float64)
assert_type(tp.tensordot(matrix, matrix, (1, 1)), L[2, 2])

# -- Of anything at all ------------------------------------------------------------------------------------------------

cube: Any = np.ones((2, 3, 4))
line: Any = np.ones(4)
images: Any = np.ones((1, 1, 4, 4))
assert_type(tp.linalg.svdvals(anything), Any)
tp.linalg.svd(anything)
tp.linalg.qr(anything)
tp.linalg.multi_dot([anything, matrix.T])
tp.transpose(anything, (1, 0))
tp.moveaxis(cube, 0, 1)
tp.moveaxis(tensor, -1, 0)
tp.swapaxes(cube, 0, 1)
tp.expand_dims(line, 0)
tp.squeeze(images, 0)
tp.diff(line)
tp.tile(line, 2)
tp.repeat(line, 2)
tp.pad(line, 1)
tp.take(line, [0])
tp.diag(line)
tp.take_diag(anything)
tp.kron(anything, matrix)
tp.cumsum(anything)
tp.ravel(anything)
tp.reshape(anything, (3, 2))
tp.concatenate((anything, anything))
tp.stack((anything, matrix))
tp.vstack((anything, anything))
tp.from_rows([line, line])
tp.append(line, 1.0)
tp.head(line)
tp.tail(line)
tp.split(line, 2)
tp.split_rows(anything, 1)
tp.broadcast_to(line, (3, 4))
tp.broadcast_to(tp.ones(4), (3, 4))
tp.max_pool2d(images, 2)
tp.conv2d(images, tp.ones(1, 1, 2, 2))
tp.conv2d(batch, images)
tp.convolve(line, vector)
tp.convolve(vector, tp.ones(2), mode)
tp.convolve(some_of(tp.ones(3)), vector, "same")
tp.einsum("ij,jk->ik", anything, matrix.T)
tp.einsum("...j,jk->...k", anything, matrix.T)
tp.einsum("...,...", some, anything[0, 0])
tp.tensordot(anything, matrix.T, 1)
tp.tensordot(matrix, matrix, (all_axes, all_axes))
tp.tensordot(matrix, matrix.T, axes)
anything[:1]
lifted_anything[:1]
lifted_anything + lifted_anything

tp.concatenate((vector, vector), axis)
tp.stack((vector, vector), axis)
tp.squeeze(batch, axis)
tp.squeeze(tp.ones(1), 0)
tp.repeat(matrix, 2, axis)
tp.vector(many)
tp.matrix([many, many])
tp.broadcast_to(vector, shape)
tp.einsum("...i,...i->...i", table, matrix)
assert_type(vector[0], np.float64)
tensor[:, [0, 1]]

# -- Sizes that are variables ------------------------------------------------------------------------------------------


def of_sizes(n: N, x: R[M], wide: L[M, Add[M, 1]], both: R[Add[M, N]]) -> None:
    assert_type(tp.repeat(x, n), R[Mul[M, N]])
    assert_type(tp.zeros(4 * n // 2), R[Mul[2, N]])
    assert_type(tp.zeros(3 * n // 2), R[Any])
    assert_type(tp.linalg.qr(wide)[0], L[M, M])
    assert_type(tp.linalg.svdvals(wide.T), R[M])
    assert_type(both[:n], R[N])
    assert_type(both[n:], R[M])
    assert_type(both[: n - 1], R[Any])
    assert_type(x[:n], R[Any])
    assert_type(x[: 2 * n : 2], R[Any])


def alike(a: BVar[V], b: BVar[V]) -> BVar[V]:
    return alike(b, a)


def open_twice() -> None:
    tp.reshape(vector, (-1, -1))


of_sizes(two_, vector, tp.ones(6, 7), tp.ones(8))

# -- Sums of which a part is not known ---------------------------------------------------------------------------------

assert_type(put_together(some, tp.ones(4), tp.ones(10)), R[24])
assert_type(put_together(some, some, tp.ones(12)), R[Any])
assert_type(times(tp.ones(2), some, tp.ones(12)), R[24])
assert_type(doubled(tp.ones(6)), R[3])
assert_type(optional(vector, None), R[6])
assert_type(optional(vector, vector), R[6])
assert_type(of_kind("a", vector), R[6])

# -- With arguments that stand in a star -------------------------------------------------------------------------------

arguments: tuple[Any, ...] = (matrix,)
assert_type(tp.zeros(*many[:1]), R[Any])
tp.ravel(*arguments)
matrix.reshape(*pair)
