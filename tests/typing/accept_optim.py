"""Optimisers: the state of a record of type P says so, and the updates are a P."""

from collections.abc import Callable
from typing import Generic, assert_type

import attrs
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim

I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)
P = TypeVar("P")


class Inputs(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record, Generic[I, O]):
    weight: BVar[L[O, I]]
    bias: BVar[R[O]]


inputs, outputs = Inputs(3), Outputs(2)
layer = Layer(BVar(tp.ones(outputs, inputs)), BVar(tp.zeros(outputs)))
pair = (BVar(1.0), BVar(tp.ones(inputs)))

# Each optimiser: its class, its state of a record, and a step.
sgd = optim.sgd(0.1, momentum=0.9, nesterov=True)
assert_type(sgd, optim.SGD)
assert_type(optim.sgd(0.1).init(layer), optim.SGDState[Layer[Inputs, Outputs]])
assert_type(optim.sgd(0.1).init(layer).velocity, Layer[Inputs, Outputs] | None)
sgd_step = optim.sgd(0.1).update(layer, sgd.init(layer), layer)
assert_type(sgd_step, tuple[Layer[Inputs, Outputs], optim.SGDState[Layer[Inputs, Outputs]]])

assert_type(optim.adam(1e-3), optim.Adam)
assert_type(optim.adam(1e-3).init(layer), optim.AdamState[Layer[Inputs, Outputs]])
assert_type(optim.adam(1e-3).init(layer).mean, Layer[Inputs, Outputs])
assert_type(optim.adam(1e-3).init(layer).mean.bias, BVar[R[Outputs]])
adam_step = optim.adam(1e-3, b1=0.8).update(layer, optim.adam(1e-3).init(layer), layer)
assert_type(adam_step, tuple[Layer[Inputs, Outputs], optim.AdamState[Layer[Inputs, Outputs]]])
assert_type(adam_step[0].weight, BVar[L[Outputs, Inputs]])
assert_type(layer + adam_step[0], Layer[Inputs, Outputs])
assert_type(optim.adamw(1e-3, weight_decay=0.1, where=lambda path: "bias" not in path), optim.Adam)

assert_type(optim.rmsprop(1e-3), optim.RMSProp)
assert_type(optim.rmsprop(1e-3).init(layer), optim.RMSPropState[Layer[Inputs, Outputs]])
assert_type(optim.rmsprop(1e-3).update(layer, optim.rmsprop(1e-3).init(layer), layer)[0], Layer[Inputs, Outputs])

assert_type(optim.adagrad(1e-3), optim.Adagrad)
assert_type(optim.adagrad(1e-3).init(layer), optim.AdagradState[Layer[Inputs, Outputs]])
assert_type(optim.adagrad(1e-3).update(layer, optim.adagrad(1e-3).init(layer), layer)[0], Layer[Inputs, Outputs])

# What changes the gradient before, and the chain of both.
assert_type(optim.clip(1.0), optim.Clip)
assert_type(optim.clip(1.0).init(layer), optim.Stateless[Layer[Inputs, Outputs]])
assert_type(optim.clip_by_global_norm(1.0), optim.ClipByGlobalNorm)
assert_type(optim.clip_by_global_norm(1.0).init(pair), optim.Stateless[tuple[BVar[float], BVar[R[Inputs]]]])
assert_type(optim.add_decayed_weights(0.1), optim.Decay)
decay = optim.add_decayed_weights(0.1, lambda path: path == ".weight")
assert_type(decay.update(layer, decay.init(layer), layer)[0], Layer[Inputs, Outputs])
both = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(1e-3))
assert_type(optim.chain(optim.clip(1.0), optim.sgd(0.1)), optim.Chain)
assert_type(both.init(layer), optim.ChainState[Layer[Inputs, Outputs]])
assert_type(both.init(layer).states, tuple[optim.State[Layer[Inputs, Outputs]], ...])
assert_type(both.update(layer, both.init(layer), layer)[0], Layer[Inputs, Outputs])
assert_type(optim.global_norm(layer), float)

# Trees that are no records.
assert_type(optim.apply_updates(layer, layer), Layer[Inputs, Outputs])
assert_type(optim.apply_updates(pair, pair), tuple[BVar[float], BVar[R[Inputs]]])
assert_type(optim.adam(1e-3).init(pair).mean[1], BVar[R[Inputs]])

# Learning rates.
assert_type(optim.constant(0.1)(0), float)
assert_type(optim.linear(0.1, 0.0, 100)(0), float)
assert_type(optim.exponential_decay(0.1, 100, 0.5)(0), float)
assert_type(optim.cosine_decay(0.1, 100)(0), float)
assert_type(optim.piecewise_constant(0.1, {10: 0.5})(0), float)
assert_type(optim.warmup(10, optim.cosine_decay(0.1, 90))(0), float)
assert_type(optim.sgd(lambda step: 1.0 / (1.0 + step)), optim.SGD)


# A training step for any optimiser and any record.
def step(optimizer: optim.Optimizer, state: optim.State[P], net: P, gradient: P) -> tuple[P, optim.State[P]]:
    updates, state = optimizer.update(gradient, state, net)
    return optim.apply_updates(net, updates), state


def first(rate: optim.LearningRate) -> float:
    return rate if isinstance(rate, float | int) else rate(0)


def loss(layer: Layer[I, O]) -> BVar[float]:
    return layer.bias @ layer.bias


optimizers: list[optim.Optimizer] = [sgd, both]
schedule: optim.Schedule = optim.constant(1.0)
made: Callable[[int], float] = schedule
assert_type(first(schedule), float)
assert_type(
    step(both, both.init(layer), layer, layer), tuple[Layer[Inputs, Outputs], optim.State[Layer[Inputs, Outputs]]]
)
assert_type(optimizers[0].init(layer), optim.State[Layer[Inputs, Outputs]])
assert_type(sgd.init(tp.backprop(loss, layer)[1]), optim.SGDState[Layer[Inputs, Outputs]])
