"""Other libraries: sizes and dtypes that were not declared, functions of other records, arguments of another kind."""
# fmt: off

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, parallel, pytrees, saving
from typedprop import scipy as tps

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)


class Inputs(Dim): ...
class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]


@attrs.frozen
class Line(Record):
    slope: BVar[float]


def loss(layer: Layer[I, O], x: R[I], scale: float) -> BVar[float]:
    y = scale * (layer.weight @ x) + layer.bias
    return y @ y


def residuals(layer: Layer[I, O], x: R[I]) -> BVar[R[O]]:
    return layer.weight @ x + layer.bias


def steepness(line: Line) -> BVar[float]:
    return line.slope


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
turned = Layer(BVar(tp.ones(inputs, outputs)), BVar(tp.zeros(inputs)))
line = Line(BVar(1.0))
x, y = tp.ones(inputs), tp.ones(outputs)
executor = ThreadPoolExecutor(1)
data: object = np.ones(3)

# Arrays that another library made.
a1: R[Outputs] = tp.asarray(data, inputs)  # E: mypy=assignment pyright=reportAssignmentType
a2: L[Inputs, Outputs] = tp.asarray(data, outputs, inputs)  # E: mypy=assignment pyright=reportAssignmentType
a3: R[Inputs] = tp.asarray(data, inputs, dtype=np.float32)  # E: mypy=arg-type pyright=reportAssignmentType
a4: R[Any] = tp.asarray(data, 3, 4)  # E: mypy=assignment pyright=reportAssignmentType
tp.asarray(data)  # E: mypy=call-overload pyright=reportCallIssue
tp.asarray(data, "3")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.asarray(data, (3, 4))  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.asarray(data, inputs, dtype=np.complex128)  # E: mypy=type-var pyright=reportArgumentType,reportCallIssue

# SciPy.
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(loss, layer, y, 1.0)
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(loss, layer, x)
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(residuals, layer, x)
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(lambda net: net.weights, layer)
# E: mypy=arg-type pyright=reportArgumentType
tps.minimize(lambda net: net.bias @ net.bias, layer, method="Nelder-Mead")
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(lambda net: net.bias @ net.bias, layer, bounds=(line, None))
# E: mypy=list-item pyright=reportArgumentType
tps.minimize(lambda net: net.bias @ net.bias, layer, constraints=[(steepness, 0.0, 1.0)])
# E: mypy=list-item pyright=reportArgumentType
tps.minimize(lambda net: net.bias @ net.bias, layer, constraints=[{"type": "ineq"}])
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.minimize(lambda net: net.bias @ net.bias, layer, constraints=[(lambda net: net.biases, 0.0, 1.0)])
# E: mypy=list-item pyright=reportArgumentType
tps.minimize(lambda net: net.bias @ net.bias, layer, constraints=[(lambda net: net.bias, "0", 1.0)])
# E: mypy=arg-type,misc pyright=reportArgumentType
tps.minimize(lambda net: net.bias @ net.bias, layer, callback=lambda net: None)
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.least_squares(residuals, layer, y)
# E: mypy=arg-type,return-value pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.least_squares(lambda net: net.bias @ net.bias, layer)
tps.least_squares(lambda net: net.bias, layer, loss="squared")  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type pyright=reportArgumentType
# gap: pyrefly "takes no arguments at all for a variadic type variable"
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
tps.root(residuals, layer)
tps.root(lambda net: net.bias, layer, method="newton")  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=arg-type,attr-defined pyright=reportAssignmentType
a5: tps.Result[Line] = tps.minimize(lambda net: net.bias @ net.bias, layer)
a6: Line = tps.root(lambda net: net, layer)  # E: mypy=assignment pyright=reportAssignmentType
a7: tps.Method = "Powell"  # E: mypy=assignment pyright=reportAssignmentType

# Executors.
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
parallel.value_and_grad(loss, layer, [(y, 1.0)], executor)
parallel.value_and_grad(loss, layer, [x], executor)  # E: mypy=list-item pyright=reportArgumentType
parallel.value_and_grad(loss, line, [(x, 1.0)], executor)  # E: mypy=arg-type pyright=reportArgumentType
parallel.value_and_grad(residuals, layer, [(x,)], executor)  # E: mypy=arg-type pyright=reportArgumentType
parallel.value_and_grad(loss, layer, [(x, 1.0)], 4)  # E: mypy=arg-type pyright=reportArgumentType
# E: mypy=assignment pyright=reportAssignmentType
a8: Layer[Inputs, Outputs] = parallel.value_and_grad(loss, layer, [(x, 1.0)], executor)

# Files.
tp.save(layer, "layer.npz")  # E: mypy=arg-type pyright=reportArgumentType
tp.save("layer.npz", layer, "npz")  # E: mypy=call-arg pyright=reportCallIssue
tp.save("layer.npz", layer, format="pickle")  # E: mypy=arg-type pyright=reportArgumentType
tp.load("layer.npz")  # E: mypy=call-arg pyright=reportCallIssue
a9: Line = tp.load("layer.npz", layer)  # E: mypy=assignment pyright=reportAssignmentType
a10: Layer[Outputs, Inputs] = tp.load("layer.npz", layer)  # E: mypy=arg-type pyright=reportAssignmentType
a11: saving.FilePath = 3  # E: mypy=assignment pyright=reportAssignmentType

# Classes, not their instances.
pytrees.register_jax(layer)  # E: mypy=arg-type pyright=reportArgumentType
pytrees.register_optree(layer)  # E: mypy=arg-type pyright=reportArgumentType
pytrees.register_optree(Layer, "mine")  # E: mypy=call-arg pyright=reportCallIssue
