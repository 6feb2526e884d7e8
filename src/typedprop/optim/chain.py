"""`chain`: several steps in a row, as in `chain(clip_by_global_norm(1.0), adam(1e-3))`."""

from __future__ import annotations

import attrs
from typing_extensions import TypeVar

from typedprop.optim.optimizer import Optimizer, State, wrong_state

P = TypeVar("P")


@attrs.frozen
class ChainState(State[P]):
    """The states of the steps."""

    states: tuple[State[P], ...]


@attrs.frozen
class Chain(Optimizer):
    """See `chain`."""

    steps: tuple[Optimizer, ...]

    def init(self, record: P) -> ChainState[P]:
        """The first states of the steps."""
        return ChainState(tuple(step.init(record) for step in self.steps))

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, ChainState[P]]:
        """What comes out of the last step."""
        if not isinstance(state, ChainState) or len(state.states) != len(self.steps):
            raise wrong_state("chain", state, ChainState)
        states = []
        for step, old in zip(self.steps, state.states, strict=True):
            gradient, new = step.update(gradient, old, record)
            states.append(new)
        return gradient, ChainState(tuple(states))


def chain(*steps: Optimizer) -> Chain:
    """The optimiser that hands the gradient from step to step. What makes steps of a learning rate, such as `adam`,
    comes last; before it what changes the gradient, such as clipping."""
    if not steps:
        raise ValueError("chain: there are no steps; give at least one optimiser")
    return Chain(steps)
