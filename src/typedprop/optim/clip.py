"""Gradient clipping: what keeps one bad gradient from throwing the weights far away."""

from __future__ import annotations

import math

import attrs
import numpy as np
from typing_extensions import TypeVar

from typedprop.flat import plain_leaves
from typedprop.optim.checks import check_positive
from typedprop.optim.optimizer import Optimizer, State, Stateless, leafwise, wrong_state, zeros_like
from typedprop.tape import Value

P = TypeVar("P")


def global_norm(x: object) -> float:
    """The Euclidean norm of all elements of all leaves; in float64, and without overflow where the norm has none."""
    leaves = [np.abs(leaf, dtype=np.float64) for leaf in plain_leaves(x, "global_norm")]
    largest = max(float(np.max(leaf, initial=0.0)) for leaf in leaves)
    # NaN loses against every number in max.
    if any(np.isnan(leaf).any() for leaf in leaves):
        return math.nan
    if largest in (0.0, math.inf):
        return largest
    return largest * math.sqrt(sum(float(np.sum(np.square(leaf / largest))) for leaf in leaves))


@attrs.frozen
class ClipByGlobalNorm(Optimizer):
    """See `clip_by_global_norm`."""

    max_norm: float

    def init(self, record: P) -> Stateless[P]:
        """There is nothing to remember."""
        zeros_like(record, "clip_by_global_norm")
        return Stateless()

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, Stateless[P]]:
        """The gradient, shortened if it is too long."""
        if not isinstance(state, Stateless):
            raise wrong_state("clip_by_global_norm", state, Stateless)
        norm = global_norm(gradient)
        # A norm of NaN or infinity makes all of it NaN: it should be seen, not look like a small step.
        factor = 1.0 if norm <= self.max_norm else self.max_norm / norm if norm < math.inf else math.nan
        (clipped,) = leafwise(
            "clip_by_global_norm",
            lambda x, g: (factor * g,),
            {"the record": record, "the gradient": gradient},
        )
        return clipped, state


def clip_by_global_norm(max_norm: float) -> ClipByGlobalNorm:
    """Shortens a gradient that is longer than `max_norm`, all leaves taken together, to that length; for a `chain`.

    A gradient with a NaN or an infinity becomes NaN as a whole.
    """
    max_norm = check_positive("clip_by_global_norm: max_norm", max_norm)
    return ClipByGlobalNorm(max_norm)


@attrs.frozen
class Clip(Optimizer):
    """See `clip`."""

    max_delta: float

    def init(self, record: P) -> Stateless[P]:
        """There is nothing to remember."""
        zeros_like(record, "clip")
        return Stateless()

    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, Stateless[P]]:
        """The gradient, each element brought into the range."""
        if not isinstance(state, Stateless):
            raise wrong_state("clip", state, Stateless)

        def leaf(x: Value, g: Value) -> tuple[Value]:
            return (np.clip(g, -self.max_delta, self.max_delta),)

        (clipped,) = leafwise("clip", leaf, {"the record": record, "the gradient": gradient})
        return clipped, state


def clip(max_delta: float) -> Clip:
    """Brings each element of the gradient into the range from `-max_delta` to `max_delta`; for a `chain`.

    A NaN stays NaN.
    """
    max_delta = check_positive("clip: max_delta", max_delta)
    return Clip(max_delta)
