"""Functions of a vector that typedprop and JAX both run: what is held against JAX's Jacobians and Hessians.

Each takes the library, `typedprop` or `jax.numpy`, and a vector of 9 elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

POINT = np.array([0.3, -0.7, 1.1, 0.4, -0.2, 0.9, -1.3, 0.6, 0.5])
X = np.array([0.5, -1.0, 0.25])
W = np.array([[1.0, 0.5, -0.5], [0.25, 2.0, 0.0], [-0.75, 0.1, 1.5]])


def network(lib: Any, v: Any) -> Any:
    """Two layers, whose weights and biases are the vector."""
    y = lib.tanh(v[:6].reshape((2, 3)) @ X + v[6:8])
    return lib.stack([y @ y, lib.exp(y[0]) * v[8], lib.sin(v[8] * y[1])])


def rosenbrock(lib: Any, v: Any) -> Any:
    """The residuals of the valley."""
    return lib.concatenate([10.0 * (v[1:] - v[:-1] ** 2), 1.0 - v[:-1]])


def recurrent(lib: Any, v: Any) -> Any:
    """A state that a matrix is applied to again and again."""
    matrix, state = lib.tanh(v.reshape((3, 3))), X
    for k in range(5):
        state = lib.tanh(matrix @ state + 0.1 * k)
    return state


def attention(lib: Any, v: Any) -> Any:
    """Softmax of scores, as a product."""
    q = v.reshape((3, 3))
    scores = q @ W @ q.T
    weights = lib.exp(scores - scores.max(axis=1, keepdims=True))
    return ((weights / weights.sum(axis=1, keepdims=True)) @ q).reshape((9,))


def gaussian(lib: Any, v: Any) -> Any:
    """The logarithm of a density, by Cholesky, solve and determinant."""
    a = v.reshape((3, 3))
    covariance = a @ a.T + 2.0 * np.eye(3)
    white = lib.linalg.solve(lib.linalg.cholesky(covariance), X)
    return lib.stack([white @ white, lib.linalg.slogdet(covariance)[1], lib.linalg.inv(covariance)[0, 1]])


def spectrum(lib: Any, v: Any) -> Any:
    """Eigenvalues and a projection on an eigenvector."""
    a = v.reshape((3, 3))
    values, vectors = lib.linalg.eigh(a + a.T + np.diag([0.0, 2.0, 5.0]))
    return lib.concatenate([values, vectors[:, 0] * (vectors[:, 0] @ X)])


def places(lib: Any, v: Any) -> Any:
    """Sorting, running sums, a gather with repetitions, and a product with a zero in it."""
    again = v[np.array([0, 3, 3, 8])]
    return lib.concatenate([lib.sort(v) * v, lib.cumsum(v * v), lib.stack([lib.prod(again * X[0] - 0.15)]), again**3])


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    f.__name__: f for f in (network, rosenbrock, recurrent, attention, gaussian, spectrum, places)
}
