"""Optimisers: the gradient, state or record of another type; arguments of another kind."""
# fmt: off

from __future__ import annotations

from typing import Generic

import attrs
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim

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


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
turned = Layer(BVar(tp.ones(inputs, outputs)), BVar(tp.zeros(inputs)))
line = Line(BVar(1.0))
adam, sgd = optim.adam(1e-3), optim.sgd(0.1)
both = optim.chain(optim.clip(1.0), adam)
state, state_of_line, state_of_turned = adam.init(layer), adam.init(line), both.init(turned)

# The gradient, the state and the record are of one type.
adam.update(line, state, layer)  # E: mypy=misc pyright=reportArgumentType
adam.update(turned, state, layer)  # E: mypy=misc pyright=reportArgumentType
adam.update(layer, state_of_line, layer)  # E: mypy=misc pyright=reportArgumentType
sgd.update(layer, layer, layer)  # E: mypy=arg-type pyright=reportArgumentType
both.update(layer, state_of_turned, layer)  # E: mypy=misc pyright=reportArgumentType
# E: mypy=misc
# gap: pyright pyrefly ty "takes two types of one variable for their union, if the state is made in the call"
adam.update(line, adam.init(layer), layer)
# E: mypy=misc pyright=reportArgumentType
# gap: pyrefly ty "takes two types of one variable for their union, if the state is made in the call"
adam.update(layer, adam.init(line), layer)
a0: Layer[Inputs, Outputs] = optim.apply_updates(layer, turned)  # E: mypy=arg-type pyright=reportAssignmentType
layer + adam.update(layer, adam.init(layer), layer)  # E: mypy=operator pyright=reportOperatorIssue
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "takes an unfit operand of `Self` for a wider type"
line + adam.update(layer, adam.init(layer), layer)[0]

# States and results that are declared as others.
a1: optim.AdamState[Line] = adam.init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a2: optim.SGDState[Layer[Inputs, Outputs]] = adam.init(layer)  # E: mypy=assignment pyright=reportAssignmentType
a3: optim.SGDState[Line] = optim.sgd(0.1).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a4: optim.RMSPropState[Line] = optim.rmsprop(0.1).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a5: optim.AdagradState[Line] = optim.adagrad(0.1).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a6: optim.ChainState[Line] = optim.chain(adam).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a7: optim.Stateless[Line] = optim.clip(1.0).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a8: optim.State[Line] = optim.clip_by_global_norm(1.0).init(layer)  # E: mypy=arg-type pyright=reportAssignmentType
a9: optim.SGD = optim.adam(0.1)  # E: mypy=assignment pyright=reportAssignmentType
a10: optim.Adam = optim.sgd(0.1)  # E: mypy=assignment pyright=reportAssignmentType
a11: optim.Adagrad = optim.rmsprop(0.1)  # E: mypy=assignment pyright=reportAssignmentType
a12: optim.RMSProp = optim.adagrad(0.1)  # E: mypy=assignment pyright=reportAssignmentType
a13: optim.Clip = optim.clip_by_global_norm(1.0)  # E: mypy=assignment pyright=reportAssignmentType
a14: optim.ClipByGlobalNorm = optim.clip(1.0)  # E: mypy=assignment pyright=reportAssignmentType
a15: optim.Decay = optim.chain(adam)  # E: mypy=assignment pyright=reportAssignmentType
a16: optim.Chain = optim.add_decayed_weights(0.1)  # E: mypy=assignment pyright=reportAssignmentType
a17: optim.Optimizer = layer  # E: mypy=assignment pyright=reportAssignmentType
a18: optim.Schedule = 0.1  # E: mypy=assignment pyright=reportAssignmentType
a19: optim.LearningRate = "fast"  # E: mypy=assignment pyright=reportAssignmentType
a20: int = optim.global_norm(layer)  # E: mypy=assignment pyright=reportAssignmentType

# Arguments.
optim.sgd("fast")  # E: mypy=arg-type pyright=reportArgumentType
optim.sgd(0.1, 0.9, True)  # E: mypy=call-arg pyright=reportCallIssue
optim.adam(BVar(0.1))  # E: mypy=arg-type pyright=reportArgumentType
optim.adam(0.1, beta=0.9)  # E: mypy=call-arg pyright=reportCallIssue
optim.adamw(0.1, 0.9, 0.99, 1e-8, 0.1)  # E: mypy=call-arg pyright=reportCallIssue
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
optim.adamw(0.1, where=lambda path: path.missing)
optim.rmsprop()  # E: mypy=call-arg pyright=reportCallIssue
optim.adagrad([0.1])  # E: mypy=arg-type pyright=reportArgumentType
optim.clip(layer)  # E: mypy=arg-type pyright=reportArgumentType
optim.clip_by_global_norm(None)  # E: mypy=arg-type pyright=reportArgumentType
optim.add_decayed_weights(0.1, "bias")  # E: mypy=arg-type pyright=reportArgumentType
optim.chain(0.1, adam)  # E: mypy=arg-type pyright=reportArgumentType
optim.chain([adam])  # E: mypy=arg-type pyright=reportArgumentType
optim.global_norm()  # E: mypy=call-arg pyright=reportCallIssue
optim.constant("0.1")  # E: mypy=arg-type pyright=reportArgumentType
optim.linear(0.1)  # E: mypy=call-arg pyright=reportCallIssue
optim.exponential_decay(0.1, 100)  # E: mypy=call-arg pyright=reportCallIssue
optim.cosine_decay(0.1, "100")  # E: mypy=arg-type pyright=reportArgumentType
optim.piecewise_constant(0.1, [10])  # E: mypy=arg-type pyright=reportArgumentType
optim.warmup(optim.constant(0.1), 10)  # E: mypy=arg-type pyright=reportArgumentType
optim.Optimizer()  # E: mypy=abstract pyright=reportAbstractUsage
