"""Adam, and AdamW: steps whose size is set by how the gradient varied, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import numpy as np
from typing_extensions import TypeVar

from typedprop.bvar import BVar
from typedprop.optim.checks import check_within
from typedprop.optim.decay import decayed, every_leaf
from typedprop.optim.optimizer import Optimizer, State, leafwise, wrong_state, zeros_like
from typedprop.optim.schedules import LearningRate, check_rate, rate_at
from typedprop.tape import Value

P = TypeVar("P")


@attrs.frozen
class AdamState(State[P]):
    """The steps made, and the decaying means of the gradient and of its square."""

    step: BVar[float]
    mean: P
    square: P


@attrs.frozen
class Adam(Optimizer):
    """See `adam` and `adamw`."""

    learning_rate: LearningRate
    b1: float
    b2: float
    eps: float
    weight_decay: float
    where: Callable[[str], bool]

    def init(self, record: P) -> AdamState[P]:
        """Means of 0."""
        return AdamState(BVar(0.0), zeros_like(record, "adam"), zeros_like(record, "adam"))

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, AdamState[P]]:
        """Minus the learning rate times the mean over the root of the mean square, and the weight decay."""
        if not isinstance(state, AdamState):
            raise wrong_state("adam", state, AdamState)
        b1, b2, eps = self.b1, self.b2, self.eps
        step = state.step.value + 1.0
        rate = rate_at(self.learning_rate, state.step.value)
        # Both means begin at 0; these undo the pull towards it.
        scale = -rate / (1.0 - b1**step)
        root = math.sqrt(1.0 - b2**step)

        def leaf(x: Value, g: Value, m: Value, v: Value) -> tuple[Value, Value, Value]:
            mean = b1 * m
            mean += (1.0 - b1) * g
            square = b2 * v
            change = (1.0 - b2) * g
            change *= g
            square += change
            divisor = np.sqrt(square)
            divisor /= root
            divisor += eps
            update = scale * mean
            update /= divisor
            return update, mean, square

        trees = {
            "the record": record,
            "the gradient": gradient,
            "the state's mean": state.mean,
            "the state's square": state.square,
        }
        updates, mean, square = leafwise("adam", leaf, trees)
        if self.weight_decay:
            updates = decayed("adamw", updates, record, -rate * self.weight_decay, self.where)
        return updates, AdamState(BVar(step), mean, square)


def adam(learning_rate: LearningRate, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Adam:
    """Adam (Kingma and Ba 2015): the decaying mean of the gradient over the root of that of its square, plus `eps`.

    `b1` and `b2` are how much of each mean is kept from step to step.
    """
    return _adam("adam", learning_rate, b1, b2, eps, 0.0, every_leaf)


def adamw(
    learning_rate: LearningRate,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    *,
    weight_decay: float = 0.01,
    where: Callable[[str], bool] = every_leaf,
) -> Adam:
    """Adam that also takes `learning_rate * weight_decay` times the record off the record (Loshchilov and Hutter 2019).

    Unlike a penalty in the loss, this is not divided by the root of the squares. `where` chooses the leaves that decay
    by their paths: `lambda path: "bias" not in path`.
    """
    return _adam("adamw", learning_rate, b1, b2, eps, weight_decay, where)


def _adam(
    name: str,
    learning_rate: LearningRate,
    b1: float,
    b2: float,
    eps: float,
    weight_decay: float,
    where: Callable[[str], bool],
) -> Adam:
    learning_rate = check_rate(f"{name}: learning_rate", learning_rate)
    b1 = check_within(f"{name}: b1", b1, 0.0, 1.0)
    b2 = check_within(f"{name}: b2", b2, 0.0, 1.0)
    eps = check_within(f"{name}: eps", eps, 0.0)
    weight_decay = check_within(f"{name}: weight_decay", weight_decay, 0.0)
    return Adam(learning_rate, b1, b2, eps, weight_decay, where)
