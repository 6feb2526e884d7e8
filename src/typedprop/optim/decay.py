"""Weight decay: a pull of the weights towards 0."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.optim.checks import check_within
from typedprop.optim.optimizer import Optimizer, State, Stateless, leafwise, wrong_state, zeros_like

P = TypeVar("P")


def every_leaf(path: str) -> bool:
    """True: the default of `where`."""
    return True


@attrs.frozen
class Decay(Optimizer):
    """See `add_decayed_weights`."""

    weight_decay: float
    where: Callable[[str], bool]

    def init(self, record: P) -> Stateless[P]:
        """There is nothing to remember."""
        zeros_like(record, "add_decayed_weights")
        return Stateless()

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, Stateless[P]]:
        """The gradient plus the decayed weights."""
        if not isinstance(state, Stateless):
            raise wrong_state("add_decayed_weights", state, Stateless)
        return decayed("add_decayed_weights", gradient, record, self.weight_decay, self.where), state


def add_decayed_weights(weight_decay: float, where: Callable[[str], bool] = every_leaf) -> Decay:
    """Adds `weight_decay` times the record to the gradient, as a loss with `weight_decay / 2` times the sum of its
    squares would have it: for a `chain`, in front of an optimiser. (For Adam, rather use `adamw`.)

    `where` chooses the leaves that decay by their paths: `lambda path: "bias" not in path`.
    """
    weight_decay = check_within("add_decayed_weights: weight_decay", weight_decay, 0.0)
    return Decay(weight_decay, where)


def decayed(name: str, x: P, record: P, factor: float, where: Callable[[str], bool]) -> P:
    """`x` plus `factor` times the record, at the leaves that decay."""
    chosen = iter([where(path) for path in tree.flatten(record)[1].paths()])
    (sum_,) = leafwise(
        name, lambda w, g: (g + factor * w if next(chosen) else 1.0 * g,), {"the record": record, "the gradient": x}
    )
    return sum_
