"""Gradient descent, plain or with momentum."""

from __future__ import annotations

import attrs
from typing_extensions import TypeVar

from typedprop.bvar import BVar
from typedprop.optim.checks import check_within
from typedprop.optim.optimizer import Optimizer, State, leafwise, wrong_state, zeros_like
from typedprop.optim.schedules import LearningRate, check_rate, rate_at
from typedprop.tape import Value

P = TypeVar("P")


@attrs.frozen
class SGDState(State[P]):
    """The steps made, and the velocity; None without momentum."""

    step: BVar[float]
    velocity: P | None


@attrs.frozen
class SGD(Optimizer):
    """See `sgd`."""

    learning_rate: LearningRate
    momentum: float
    nesterov: bool

    def init(self, record: P) -> SGDState[P]:
        """A velocity of 0."""
        velocity = zeros_like(record, "sgd")
        return SGDState(BVar(0.0), velocity if self.momentum else None)

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, SGDState[P]]:
        """Minus the learning rate times the velocity, or the gradient."""
        if not isinstance(state, SGDState):
            raise wrong_state("sgd", state, SGDState)
        rate = rate_at(self.learning_rate, state.step.value)
        step = BVar(state.step.value + 1.0)
        trees = {"the record": record, "the gradient": gradient}
        if state.velocity is None:
            (updates,) = leafwise("sgd", lambda x, g: (-rate * g,), trees)
            return updates, SGDState(step, None)

        def leaf(x: Value, g: Value, v: Value) -> tuple[Value, Value]:
            velocity = self.momentum * v
            velocity += g
            if not self.nesterov:
                return -rate * velocity, velocity
            ahead = self.momentum * velocity
            ahead += g
            ahead *= -rate
            return ahead, velocity

        updates, velocity = leafwise("sgd", leaf, trees | {"the state's velocity": state.velocity})
        return updates, SGDState(step, velocity)


def sgd(learning_rate: LearningRate, momentum: float = 0.0, *, nesterov: bool = False) -> SGD:
    """Gradient descent: each step goes `learning_rate` times the velocity downhill.

    The velocity is the gradient plus `momentum` times the velocity before. With `nesterov` a step goes where that
    velocity leads together with the gradient (Sutskever et al. 2013), as torch.optim.SGD has it.
    """
    learning_rate = check_rate("sgd: learning_rate", learning_rate)
    momentum = check_within("sgd: momentum", momentum, 0.0, 1.0)
    if nesterov and not momentum:
        raise ValueError("sgd: nesterov needs a momentum above 0")
    return SGD(learning_rate, momentum, nesterov)
