"""What a contender is: someone who can do the measured work, or some of it.

A method gets the work's data and returns a function of no arguments to be timed, with everything prepared that a
program would prepare once. None says that the contender does not take part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

import numpy as np

from benchmarks.work import (
    Array,
    Classifier,
    Elementwise,
    MultiplyChain,
    Recurrent,
    Regressor,
    Rosenbrock,
    ScalarChain,
    Tree,
)

# What a call returns is the contender's own: arrays, tensors, records. `arrays` makes them comparable.
Call: TypeAlias = Callable[[], object]


class Contender:
    """One way to do the work; by default it takes part in nothing."""

    name: ClassVar[str]
    # Whether it is another library, whose failure is a finding; a failure of ours stops the benchmark.
    peer: ClassVar[bool] = False

    def classifier_gradient(self, work: Classifier) -> Call | None:
        """The gradient of the loss by all parameters."""
        return None

    def classifier_step(self, work: Classifier) -> Call | None:
        """One step of gradient descent: the new parameters; the old ones stay."""
        return None

    def classifier_run(self, work: Classifier) -> Call | None:
        """The network's outputs, the logits, without a gradient."""
        return None

    def regressor_gradient(self, work: Regressor) -> Call | None:
        """The gradient by all parameters."""
        return None

    def recurrent_gradient(self, work: Recurrent) -> Call | None:
        """The gradient by w, u and b."""
        return None

    def scalar_chain_gradient(self, work: ScalarChain) -> Call | None:
        """The derivative by the start."""
        return None

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call | None:
        """The gradient by x."""
        return None

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call | None:
        """The Hessian times the tangent."""
        return None

    def elementwise_gradient(self, work: Elementwise) -> Call | None:
        """The gradient by x."""
        return None

    def flatten(self, work: Tree) -> Call | None:
        """The list of leaves and the structure."""
        return None

    def flatten_and_rebuild(self, work: Tree) -> Call | None:
        """The tree again, from its own leaves."""
        return None

    def arrays(self, result: object) -> list[Array]:
        """What a call returned, as NumPy arrays in the order of the parameters."""
        if isinstance(result, float | np.ndarray):
            return [np.asarray(result)]
        assert isinstance(result, Iterable)
        return [np.asarray(part) for part in result]
