"""RMSProp: steps divided by the root of the mean square of the gradient, element by element."""

from __future__ import annotations

import attrs
import numpy as np
from typing_extensions import TypeVar

from typedprop.bvar import BVar
from typedprop.optim.checks import check_within
from typedprop.optim.optimizer import Optimizer, State, leafwise, wrong_state, zeros_like
from typedprop.optim.schedules import LearningRate, check_rate, rate_at
from typedprop.tape import Value

P = TypeVar("P")


@attrs.frozen
class RMSPropState(State[P]):
    """The steps made, the decaying means of the gradient's square and, if it is centered, of the gradient, and the
    velocity, if there is momentum."""

    step: BVar[float]
    square: P
    mean: P | None
    velocity: P | None


@attrs.frozen
class RMSProp(Optimizer):
    """See `rmsprop`."""

    learning_rate: LearningRate
    decay: float
    eps: float
    centered: bool
    momentum: float

    def init(self, record: P) -> RMSPropState[P]:
        """Means and velocity of 0."""
        return RMSPropState(
            BVar(0.0),
            zeros_like(record, "rmsprop"),
            zeros_like(record, "rmsprop") if self.centered else None,
            zeros_like(record, "rmsprop") if self.momentum else None,
        )

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, RMSPropState[P]]:
        """Minus the learning rate times the gradient over its root mean square, or the velocity."""
        if not isinstance(state, RMSPropState):
            raise wrong_state("rmsprop", state, RMSPropState)
        decay, eps, momentum = self.decay, self.eps, self.momentum
        rate = rate_at(self.learning_rate, state.step.value)
        trees = {"the record": record, "the gradient": gradient, "the state's square": state.square}
        if state.mean is not None:
            trees["the state's mean"] = state.mean
        if state.velocity is not None:
            trees["the state's velocity"] = state.velocity
        centered, moving = state.mean is not None, state.velocity is not None

        def leaf(x: Value, g: Value, v: Value, *more: Value) -> tuple[Value, ...]:
            square = decay * v
            change = (1.0 - decay) * g
            change *= g
            square += change
            results = [square]
            if centered:
                mean = decay * more[0]
                mean += (1.0 - decay) * g
                # The variance; rounding could take it below 0.
                divisor = np.sqrt(np.maximum(square - mean * mean, 0.0))
                results.append(mean)
            else:
                divisor = np.sqrt(square)
            divisor += eps
            change = g / divisor
            if moving:
                velocity = momentum * more[-1]
                velocity += change
                results.append(velocity)
                change = velocity
            return (-rate * change, *results)

        updates, square, *rest = leafwise("rmsprop", leaf, trees)
        mean = rest.pop(0) if centered else None
        velocity = rest.pop(0) if moving else None
        return updates, RMSPropState(BVar(state.step.value + 1.0), square, mean, velocity)


def rmsprop(
    learning_rate: LearningRate,
    decay: float = 0.9,
    eps: float = 1e-8,
    *,
    centered: bool = False,
    momentum: float = 0.0,
) -> RMSProp:
    """RMSProp (Hinton 2012): the gradient over the root of the decaying mean of its square, plus `eps`.

    `decay` is how much of the mean is kept from step to step. With `centered` the square of the mean is taken off the
    mean of the square (Graves 2013). With `momentum` the steps are summed up as in `sgd`. As torch.optim.RMSprop has it
    (`decay` is its alpha, 0.99 there).
    """
    learning_rate = check_rate("rmsprop: learning_rate", learning_rate)
    decay = check_within("rmsprop: decay", decay, 0.0, 1.0)
    eps = check_within("rmsprop: eps", eps, 0.0)
    momentum = check_within("rmsprop: momentum", momentum, 0.0, 1.0)
    return RMSProp(learning_rate, decay, eps, centered, momentum)
