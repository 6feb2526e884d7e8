# fmt: off
"""Ints as sizes, in every place where mypy asks a plugin: annotations, records, quoted aliases, stubs."""

from __future__ import annotations

from typing import Generic, TypeAlias, assert_type

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from tests.mypy_plugin.programs.sized import halves, images, weights
from typedprop import Add, BVar, L, Mul, R, Record, Tensor3, Tensor4

N = TypeVar("N", bound=int)
Image: TypeAlias = "Tensor3[3, 32, 32]"
Pixels: TypeAlias = "R[Mul[Mul[3, 32], 32], np.float32]"


@attrs.frozen
class Layer(Record, Generic[N]):
    weight: BVar[L[20, N]]
    bias: BVar[R[20]]


def apply(layer: Layer[N], x: R[N]) -> BVar[R[20]]:
    return layer.weight @ x + layer.bias


def pixels(image: Image) -> R[3072]:
    return tp.ravel(image)


def one_more(x: R[N], batch: Tensor4[2, 3, 4, 4]) -> R[Add[1, N]]:
    halved: Tensor4[2, 3, 2, 2] = tp.max_pool2d(batch, 2)
    total: float = halved.sum()
    return tp.append(x, total)


layer = Layer(BVar(tp.zeros(20, 100)), BVar(tp.zeros(20)))
assert_type(layer.bias, BVar[R[20]])
assert_type(apply(layer, tp.ones(100)).value, R[20])
assert_type(pixels(tp.zeros(3, 32, 32)), R[3072])
assert_type(one_more(tp.zeros(3), tp.zeros(2, 3, 4, 4)), R[4])
flat: Pixels = tp.zeros(3072, dtype=np.float32)
vectors: list[R[3]] = [tp.zeros(3)]
assert_type(vectors[0] + 1.0, R[3])
assert_type(weights, L[20, 100])
assert_type(images(tp.zeros(5)), Tensor3[3, 32, 32])
assert_type(halves(tp.zeros(10)), tuple[R[5], R[5]])
