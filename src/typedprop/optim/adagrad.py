"""Adagrad: steps divided by the root of the sum of the squares of all gradients so far, element by element."""

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
class AdagradState(State[P]):
    """The steps made, and the sum of the squares of the gradients."""

    step: BVar[float]
    squares: P


@attrs.frozen
class Adagrad(Optimizer):
    """See `adagrad`."""

    learning_rate: LearningRate
    initial_accumulator: float
    eps: float

    def init(self, record: P) -> AdagradState[P]:
        """Sums that begin at `initial_accumulator`."""
        return AdagradState(BVar(0.0), zeros_like(record, "adagrad", self.initial_accumulator))

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, AdagradState[P]]:
        """Minus the learning rate times the gradient over the root of the sum."""
        if not isinstance(state, AdagradState):
            raise wrong_state("adagrad", state, AdagradState)
        rate = rate_at(self.learning_rate, state.step.value)

        def leaf(x: Value, g: Value, s: Value) -> tuple[Value, Value]:
            squares = g * g
            squares += s
            divisor = np.sqrt(squares)
            divisor += self.eps
            update = -rate * g
            update /= divisor
            return update, squares

        trees = {"the record": record, "the gradient": gradient, "the state's squares": state.squares}
        updates, squares = leafwise("adagrad", leaf, trees)
        return updates, AdagradState(BVar(state.step.value + 1.0), squares)


def adagrad(learning_rate: LearningRate, initial_accumulator: float = 0.0, eps: float = 1e-10) -> Adagrad:
    """Adagrad (Duchi, Hazan and Singer 2011): the gradient over the root of the sum of its squares so far, plus `eps`.

    The sum begins at `initial_accumulator`.
    """
    learning_rate = check_rate("adagrad: learning_rate", learning_rate)
    initial_accumulator = check_within("adagrad: initial_accumulator", initial_accumulator, 0.0)
    eps = check_within("adagrad: eps", eps, 0.0)
    return Adagrad(learning_rate, initial_accumulator, eps)
