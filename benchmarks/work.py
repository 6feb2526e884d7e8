"""The work that is measured, as plain data: sizes, parameters and inputs, drawn from fixed seeds.

How each contender does the work is in the module named after it: `by_hand`, `by_typedprop`, `by_torch` and so on.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

# Of any rank: the same work comes as one sample or as a batch.
Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Arrays: TypeAlias = tuple[Array, ...]


@dataclass(frozen=True)
class Classifier:
    """The network 784-300-100-10: two logistic layers, softmax, cross-entropy; one sample or the mean of a batch."""

    parameters: Arrays  # weight and bias, layer by layer; a weight has a row for each output
    x: Array
    target: Array
    rate: float = 0.02

    @classmethod
    def draw(cls, batch: int | None, dtype: str, sizes: tuple[int, ...] = (784, 300, 100, 10)) -> Classifier:
        """A network and a batch; `batch` None is one sample, a vector."""
        rng = np.random.default_rng(1)
        rows = () if batch is None else (batch,)
        labels = rng.integers(0, sizes[-1], rows)
        return cls(
            parameters=_layers(rng, sizes, dtype),
            x=rng.uniform(0.0, 1.0, (*rows, sizes[0])).astype(dtype),
            target=np.eye(sizes[-1])[labels].astype(dtype),
        )


@dataclass(frozen=True)
class Regressor:
    """The network 10-16-16-3: two tanh layers, a linear one, the squared error of one sample."""

    parameters: Arrays
    x: Array
    target: Array

    @classmethod
    def draw(cls) -> Regressor:
        """A network and a sample."""
        rng = np.random.default_rng(2)
        return cls(_layers(rng, (10, 16, 16, 3), "float64"), rng.normal(size=10), rng.normal(size=3))


@dataclass(frozen=True)
class Recurrent:
    """100 steps of `h = tanh(w h + u x + b)` with 32 hidden units; the squared error of the last state."""

    w: Array
    u: Array
    b: Array
    inputs: Array
    target: Array

    @classmethod
    def draw(cls, steps: int = 100, hidden: int = 32, features: int = 8) -> Recurrent:
        """A network and a sequence."""
        rng = np.random.default_rng(3)
        return cls(
            w=rng.normal(scale=hidden**-0.5, size=(hidden, hidden)),
            u=rng.normal(scale=features**-0.5, size=(hidden, features)),
            b=rng.normal(scale=0.1, size=hidden),
            inputs=rng.normal(size=(steps, features)),
            target=rng.normal(size=hidden),
        )


@dataclass(frozen=True)
class ScalarChain:
    """`y = tanh(a y + b)` again and again, on Python floats: three operations a step.

    With these numbers the derivative of a million operations is still 1e-8 or so, which can be compared.
    """

    operations: int
    start: float = 0.5
    a: float = 1.0
    b: float = 1e-9

    @property
    def steps(self) -> int:
        """How often the line is run."""
        return self.operations // 3


@dataclass(frozen=True)
class MultiplyChain:
    """`y = y * x` with vectors of 32 elements, 1,000 times, then the sum."""

    x: Array
    operations: int = 1000

    @classmethod
    def draw(cls) -> MultiplyChain:
        """A vector close to 1, so that its powers stay finite."""
        return cls(np.random.default_rng(4).uniform(0.999, 1.001, 32))


@dataclass(frozen=True)
class Rosenbrock:
    """The Hessian of Rosenbrock's function of 1,000 variables, times a vector."""

    x: Array
    tangent: Array

    @classmethod
    def draw(cls, n: int = 1000) -> Rosenbrock:
        """A point and a direction."""
        rng = np.random.default_rng(5)
        return cls(rng.normal(size=n), rng.normal(size=n))


@dataclass(frozen=True)
class Elementwise:
    """20 operations on a million elements: five times `y = tanh(a y + b) * x`, then the sum."""

    x: Array
    a: float = 0.9
    b: float = 0.1
    repeats: int = 5

    @classmethod
    def draw(cls, elements: int = 1_000_000) -> Elementwise:
        """A vector."""
        return cls(np.random.default_rng(6).normal(size=elements))


@dataclass(frozen=True)
class Tree:
    """Parameters to take apart and put together: `layers` records of four fields, in a list if there are several."""

    layers: int


def _layers(rng: np.random.Generator, sizes: tuple[int, ...], dtype: str) -> Arrays:
    parameters: list[Array] = []
    for inputs, outputs in itertools.pairwise(sizes):
        parameters.append(rng.normal(scale=inputs**-0.5, size=(outputs, inputs)).astype(dtype))
        parameters.append(rng.normal(scale=0.1, size=outputs).astype(dtype))
    return tuple(parameters)
