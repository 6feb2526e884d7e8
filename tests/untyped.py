"""typedprop without its types, for tests about values: what checkers say of calls is tested in tests/typing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

import typedprop

tp: Any = typedprop
BVar: Any = typedprop.BVar

# The independent reference, which comes without types.
autograd: Any = import_module("autograd")
anp: Any = import_module("autograd.numpy")

DTYPES = [np.float64, np.float32]


def rand(*shape: int, seed: int = 0, dtype: Any = np.float64, low: float = 0.3) -> Any:
    """A plain array of numbers between `low` and `low + 1`: positive, and away from where powers and logs are steep."""
    return (low + np.random.default_rng([seed, *shape]).random(shape)).astype(dtype)


def lift(*shape: int, seed: int = 0, dtype: Any = np.float64, low: float = 0.3) -> Any:
    """The same, lifted; a scalar where no shape is given."""
    return BVar(rand(*shape, seed=seed, dtype=dtype, low=low))


def difference(f: Any, at: Any, step: float = 1e-6) -> Any:
    """The gradient of a plain scalar function of a plain float64 array, element by element, by central differences."""
    at = np.asarray(at, dtype=np.float64)
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        high, low = at.copy(), at.copy()
        high[index] += step
        low[index] -= step
        gradient[index] = (f(high) - f(low)) / (2 * step)
    return gradient
