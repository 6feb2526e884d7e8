"""Optimisers over any record, in the shape that optax made familiar: `init` and `update`.

    o = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(1e-3))
    state = o.init(net)
    updates, state = o.update(gradient, state, net)
    net = net + updates

`sgd`, `adam`, `adamw`, `rmsprop` and `adagrad` take a learning rate, a number or a schedule (a function of the step).
`clip`, `clip_by_global_norm` and `add_decayed_weights` change the gradient before that, in a `chain`.
"""

from __future__ import annotations

from typedprop.optim.adagrad import Adagrad, AdagradState, adagrad
from typedprop.optim.adam import Adam, AdamState, adam, adamw
from typedprop.optim.chain import Chain, ChainState, chain
from typedprop.optim.clip import Clip, ClipByGlobalNorm, clip, clip_by_global_norm, global_norm
from typedprop.optim.decay import Decay, add_decayed_weights
from typedprop.optim.optimizer import Optimizer, State, Stateless, apply_updates
from typedprop.optim.rmsprop import RMSProp, RMSPropState, rmsprop
from typedprop.optim.schedules import (
    LearningRate,
    Schedule,
    constant,
    cosine_decay,
    exponential_decay,
    linear,
    piecewise_constant,
    warmup,
)
from typedprop.optim.sgd import SGD, SGDState, sgd

__all__ = [
    "SGD",
    "Adagrad",
    "AdagradState",
    "Adam",
    "AdamState",
    "Chain",
    "ChainState",
    "Clip",
    "ClipByGlobalNorm",
    "Decay",
    "LearningRate",
    "Optimizer",
    "RMSProp",
    "RMSPropState",
    "SGDState",
    "Schedule",
    "State",
    "Stateless",
    "adagrad",
    "adam",
    "adamw",
    "add_decayed_weights",
    "apply_updates",
    "chain",
    "clip",
    "clip_by_global_norm",
    "constant",
    "cosine_decay",
    "exponential_decay",
    "global_norm",
    "linear",
    "piecewise_constant",
    "rmsprop",
    "sgd",
    "warmup",
]
