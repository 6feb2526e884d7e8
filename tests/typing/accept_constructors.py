"""The typed constructors: sizes that are Dims are in the type, bare ints are not."""

from typing import Any, Literal, assert_type

import numpy as np
from typing_extensions import TypeVar

from typedprop import asarray
from typedprop.arrays import eye, full, matrix, normal, ones, tensor, uniform, vector, zeros
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4

N = TypeVar("N", bound=int)
D = TypeVar("D", bound=Dim)
F = TypeVar("F", np.float32, np.float64)


class Rows(Dim): ...


class Columns(Dim): ...


class Pages(Dim): ...


m, n, k = Rows(2), Columns(3), Pages(4)
rng = np.random.default_rng(0)

assert_type(zeros(m), R[Rows])
assert_type(zeros(m, n), L[Rows, Columns])
assert_type(zeros(m, n, k), Tensor3[Rows, Columns, Pages])
assert_type(zeros(m, n, k, k), Tensor4[Rows, Columns, Pages, Pages])
assert_type(zeros(3), R[Any])
assert_type(zeros(3, 4), L[Any, Any])
assert_type(zeros(m, 4), L[Rows, Any])
assert_type(zeros(4, m), L[Any, Rows])
assert_type(zeros(3, 4, 5), Tensor3[Any, Any, Any])
assert_type(zeros(m, 4, 5), Tensor3[Any, Any, Any])
assert_type(zeros(3, 4, 5, 6), Tensor4[Any, Any, Any, Any])
assert_type(zeros(m, dtype=np.float32), R[Rows, np.float32])
assert_type(zeros(m, n, dtype=np.float32), L[Rows, Columns, np.float32])
assert_type(zeros(m, 4, dtype=np.float32), L[Rows, Any, np.float32])
assert_type(zeros(3, dtype=np.float32), R[Any, np.float32])
assert_type(zeros(m, dtype=np.int64), R[Rows, np.int64])

assert_type(ones(m, n), L[Rows, Columns])
assert_type(ones(n, dtype=np.float32), R[Columns, np.float32])
assert_type(full(m, n, fill_value=1), L[Rows, Columns])
assert_type(full(m, fill_value=0.5, dtype=np.float32), R[Rows, np.float32])
assert_type(eye(m), L[Rows, Rows])
assert_type(eye(3), L[Any, Any])
assert_type(eye(m, dtype=np.float32), L[Rows, Rows, np.float32])

assert_type(normal(rng, m), R[Rows])
assert_type(normal(rng, m, n), L[Rows, Columns])
assert_type(normal(rng, m, n, scale=0.1), L[Rows, Columns])
assert_type(normal(rng, 5, loc=1, dtype=np.float32), R[Any, np.float32])
assert_type(uniform(rng, m, n), L[Rows, Columns])
assert_type(uniform(rng, m, low=-1, high=1, dtype=np.float32), R[Rows, np.float32])

assert_type(vector([1.0, 2.0]), R[Any])
assert_type(vector([1.0, 2.0], 2), R[Any])
assert_type(vector([1.0, 2.0], m), R[Rows])
assert_type(vector((1, 2), n=m), R[Rows])
assert_type(vector(np.arange(3), n), R[Columns])
assert_type(vector(np.linspace(0.0, 1.0, 3), n, dtype=np.float32), R[Columns, np.float32])
assert_type(vector([np.float32(1.0), np.float32(2.0)], m), R[Rows])
assert_type(vector([3, 1], m, dtype=np.int64), R[Rows, np.int64])
assert_type(matrix([[1.0, 2.0, 3.0], [4, 5, 6]]), L[Any, Any])
assert_type(matrix([[1.0, 2.0, 3.0], [4, 5, 6]], m, n), L[Rows, Columns])
assert_type(matrix([[1.0, 2.0, 3.0], [4, 5, 6]], m, 3), L[Rows, Any])
assert_type(matrix(np.zeros((2, 3)), m, n), L[Rows, Columns])
assert_type(matrix([zeros(n), zeros(n)], m, n, dtype=np.float32), L[Rows, Columns, np.float32])
assert_type(tensor(np.zeros((2, 3, 4)), m, n, k), Tensor3[Rows, Columns, Pages])
assert_type(tensor([[[1, 2], [3, 4]]], 1, 2, 2), Tensor3[Any, Any, Any])
assert_type(tensor([[[[1.0]]]], 1, 1, 1, 1, dtype=np.float32), Tensor4[Any, Any, Any, Any, np.float32])

# Data of any kind: all is looked at when it runs.
deep: object = np.zeros((2, 3, 4, 4))
narrow: object = np.zeros((2, 3, 4, 4), np.float32)
assert_type(asarray(np.zeros(2), m), R[Rows])
assert_type(asarray(np.zeros((2, 3), np.float32), m, n, dtype=np.float32), L[Rows, Columns, np.float32])
assert_type(asarray(np.zeros((2, 3)), m, 3), L[Rows, Any])
assert_type(asarray(np.zeros((2, 3, 4)), m, n, k), Tensor3[Rows, Columns, Pages])
assert_type(asarray(np.zeros((2, 3, 4)), m, 3, k), Tensor3[Any, Any, Any])
assert_type(asarray(np.zeros((2, 3, 4), np.int64), m, n, k, dtype=np.int64), Tensor3[Rows, Columns, Pages, np.int64])
assert_type(asarray(deep, m, n, k, k), Tensor4[Rows, Columns, Pages, Pages])
assert_type(asarray(narrow, m, n, k, k, dtype=np.float32), Tensor4[Rows, Columns, Pages, Pages, np.float32])
assert_type(asarray(deep, 2, 3, 4, 4), Tensor4[Any, Any, Any, Any])

# A mask is made with dtype=np.bool, and fits the type that it is declared with.
mask: R[Rows, np.bool] = vector([True, False], m, dtype=np.bool)

# A size that is not known fits a declared one.
three: R[Literal[3]] = zeros(3)
declared: L[Literal[3], Rows] = zeros(3, m)
assert_type(three, R[Literal[3]])

# An array's shape has its sizes.
assert_type(zeros(zeros(m, n).shape[1]), R[Columns])


def like(x: R[D], w: L[N, D]) -> R[D]:
    assert_type(zeros(x.shape[0]), R[D])
    assert_type(zeros(w.shape[0]), R[Any])
    return zeros(w.shape[1])


def of_dtype(size: D, fitting: R[D], dtype: type[F]) -> R[D, F]:
    return ones(size, dtype=dtype)


def of_size(size: N, fitting: R[N]) -> R[N]:
    return zeros(size)


assert_type(of_dtype(n, zeros(n), np.float32), R[Columns, np.float32])
assert_type(of_size(n, zeros(n)), R[Columns])
