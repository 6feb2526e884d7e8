"""Learning rates that change from step to step: functions of the number of steps made before, from 0.

Wherever an optimiser takes a learning rate, it takes a number or such a function, of yours or of these:

    optim.adam(optim.warmup(100, optim.cosine_decay(1e-3, 900)))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from typedprop.optim.checks import check_positive, check_within

Schedule = Callable[[int], float]
"""The learning rate by the number of steps made before."""

LearningRate = float | Schedule
"""A number, or a function of the number of steps made before."""


def rate_at(learning_rate: LearningRate, step: float) -> float:
    """The learning rate of a step; `step` is a whole number, kept as a float."""
    return float(learning_rate(int(step)) if callable(learning_rate) else learning_rate)


def check_rate(setting: str, learning_rate: LearningRate) -> LearningRate:
    """A learning rate that, if it is a number, is finite and not negative, as a Python float."""
    return learning_rate if callable(learning_rate) else check_within(setting, learning_rate, 0.0)


def constant(value: float) -> Schedule:
    """Always `value`."""
    rate = check_within("constant: value", value, 0.0)
    return lambda step: rate


def linear(start: float, end: float, steps: int) -> Schedule:
    """From `start` in a straight line to `end`, which is reached after `steps` and kept."""
    check_within("linear: steps", steps, 1)
    return lambda step: start + (end - start) * min(step / steps, 1.0)


def exponential_decay(start: float, steps: int, factor: float, *, staircase: bool = False) -> Schedule:
    """`start`, multiplied by `factor` every so many `steps`: `start * factor ** (step / steps)`, or, as a staircase,
    with the whole part of that exponent."""
    check_within("exponential_decay: steps", steps, 1)
    check_positive("exponential_decay: factor", factor)
    return lambda step: start * factor ** float(step // steps if staircase else step / steps)


def cosine_decay(start: float, steps: int, end: float = 0.0) -> Schedule:
    """From `start` along half a wave of the cosine to `end`, which is reached after `steps` and kept."""
    check_within("cosine_decay: steps", steps, 1)
    return lambda step: end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(step / steps, 1.0)))


def piecewise_constant(start: float, factors: Mapping[int, float]) -> Schedule:
    """`start`, multiplied by each of the `factors` from the step on that is its key."""
    steps = dict(factors)
    return lambda step: start * math.prod(factor for since, factor in steps.items() if step >= since)


def warmup(steps: int, then: LearningRate, start: float = 0.0) -> Schedule:
    """From `start` in a straight line to what `then` begins with, in so many `steps`; after them `then`, from its own
    beginning."""
    check_within("warmup: steps", steps, 1)
    peak = rate_at(then, 0)

    def rate(step: int) -> float:
        return start + (peak - start) * step / steps if step < steps else rate_at(then, step - steps)

    return rate
