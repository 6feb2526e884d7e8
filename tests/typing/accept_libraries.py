"""Other libraries: arrays of theirs, their optimisers and executors, files."""

import tempfile
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, assert_type

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, Tensor3, Tensor4, parallel, pytrees, saving
from typedprop import scipy as tps

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)


class Inputs(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]


def loss(layer: Layer[I, O], x: R[I], scale: float) -> BVar[float]:
    y = scale * (layer.weight @ x) + layer.bias - 1.0
    return y @ y


def residuals(layer: Layer[I, O], x: R[I]) -> BVar[R[O]]:
    return layer.weight @ x + layer.bias - 1.0


def equations(x: BVar[R[I]], wanted: R[I]) -> BVar[R[I]]:
    return x * x - wanted


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
x = tp.ones(inputs)
v = BVar(tp.full(inputs, fill_value=0.5))

# Arrays that another library made.
data: object = np.ones(3)
table: object = np.ones((2, 3))
assert_type(tp.asarray(data, inputs), R[Inputs])
assert_type(tp.asarray(data, 3), R[Any])
assert_type(tp.asarray(table, outputs, inputs), L[Outputs, Inputs])
assert_type(tp.asarray(table, outputs, 3), L[Outputs, Any])
assert_type(tp.asarray(table, 2, inputs), L[Any, Inputs])
assert_type(tp.asarray(np.ones((2, 3, 2)), outputs, inputs, outputs), Tensor3[Outputs, Inputs, Outputs])
assert_type(tp.asarray(np.ones((2, 3, 2)), 2, 3, 2), Tensor3[Any, Any, Any])
assert_type(
    tp.asarray(np.ones((2, 3, 2, 3)), outputs, inputs, outputs, inputs), Tensor4[Outputs, Inputs, Outputs, Inputs]
)
assert_type(tp.asarray(np.ones(3, np.float32), inputs, dtype=np.float32), R[Inputs, np.float32])
assert_type(tp.asarray(np.arange(6).reshape(2, 3), outputs, inputs, dtype=np.int64), L[Outputs, Inputs, np.int64])

# SciPy's optimisers return the record that they are given.
assert_type(tps.minimize(loss, layer, x, 2.0), tps.Result[Layer[Inputs, Outputs]])
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
assert_type(tps.minimize(lambda net: loss(net, x, 1.0), layer, method="BFGS").record.weight, BVar[L[Outputs, Inputs]])
assert_type(tps.minimize(lambda net: net.bias @ net.bias, layer).value, float)
assert_type(tps.least_squares(residuals, layer, x).record, Layer[Inputs, Outputs])
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
assert_type(tps.least_squares(lambda t: t - 1.0, v, method="lm").record, BVar[R[Inputs]])
assert_type(tps.root(equations, v, x), tps.Result[BVar[R[Inputs]]])
assert_type(tps.root(lambda t: t * t - 2.0, BVar(1.0)).success, bool)
chosen: tps.Method = "Newton-CG"
assert_type(tps.minimize(lambda net: net.bias @ net.bias, layer, method=chosen).message, str)


def total(net: Layer[I, O]) -> BVar[float]:
    return net.weight.sum()


assert_type(tps.minimize(loss, layer, x, 2.0, constraints=[(total, 1.0, 1.0)]), tps.Result[Layer[Inputs, Outputs]])
assert_type(
    tps.minimize(
        loss, layer, x, 2.0, constraints=[(lambda net: net.bias, -1.0, None), (total, [1.0], np.ones(1))]
    ).record,
    Layer[Inputs, Outputs],
)


# Gradients over shards, by any executor.
def over(shards: list[tuple[R[I], float]], layer: Layer[I, O], executor: Executor) -> Layer[I, O]:
    value, gradient = parallel.value_and_grad(loss, layer, shards, executor)
    assert_type(value, BVar[float])
    return gradient


with ThreadPoolExecutor(1) as executor:
    shards = [(x, 1.0), (x, 2.0)]
    assert_type(parallel.value_and_grad(loss, layer, shards, executor), tuple[BVar[float], Layer[Inputs, Outputs]])
    assert_type(over(shards, layer, executor), Layer[Inputs, Outputs])

# Files.
with tempfile.TemporaryDirectory() as folder:
    place: saving.FilePath = Path(folder) / "layer.npz"
    tp.save(place, layer)
    saving.save(place, [layer, layer], format="npz")
    assert_type(tp.load(place, [layer, layer]), list[Layer[Inputs, Outputs]])
    tp.save(place, layer)
    assert_type(tp.load(place, layer), Layer[Inputs, Outputs])
    assert_type(tp.load(place, layer).bias, BVar[R[Outputs]])


# JAX and optree are told of a class once.
def tell() -> None:
    pytrees.register_jax(Layer)
    pytrees.register_jax(BVar)
    pytrees.register_optree(Layer)
    pytrees.register_optree(Layer, namespace="mine")
