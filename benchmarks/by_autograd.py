"""HIPS autograd: NumPy, wrapped."""

from __future__ import annotations

from typing import ClassVar

import autograd.numpy as np
from autograd import grad, make_hvp

from benchmarks.contender import Call, Contender
from benchmarks.work import (
    Array,
    Arrays,
    Classifier,
    Elementwise,
    MultiplyChain,
    Recurrent,
    Regressor,
    Rosenbrock,
    ScalarChain,
)


def logistic(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def log_softmax(x: Array) -> Array:
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def logits(parameters: Arrays, x: Array) -> Array:
    w1, b1, w2, b2, w3, b3 = parameters
    return np.dot(logistic(np.dot(logistic(np.dot(x, w1.T) + b1), w2.T) + b2), w3.T) + b3


def loss(parameters: Arrays, x: Array, target: Array) -> Array:
    rows = len(x) if x.ndim > 1 else 1
    return -np.sum(target * log_softmax(logits(parameters, x))) / rows


def regression_loss(parameters: Arrays, x: Array, target: Array) -> Array:
    w1, b1, w2, b2, w3, b3 = parameters
    y1 = np.tanh(np.dot(w1, x) + b1)
    y2 = np.tanh(np.dot(w2, y1) + b2)
    error = np.dot(w3, y2) + b3 - target
    return np.dot(error, error)


def recurrent_loss(parameters: Arrays, inputs: Array, target: Array) -> Array:
    w, u, b = parameters
    h = np.zeros(len(b))
    for x in inputs:
        h = np.tanh(np.dot(w, h) + np.dot(u, x) + b)
    error = h - target
    return np.dot(error, error)


def scalar_chain(y: float, a: float, b: float, steps: int) -> float:
    for _ in range(steps):
        y = np.tanh(a * y + b)
    return y


def multiply_chain(x: Array, operations: int) -> Array:
    y = x
    for _ in range(operations):
        y = y * x
    return np.sum(y)


def rosenbrock(x: Array) -> Array:
    head, tail = x[:-1], x[1:]
    return np.sum(100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2)


def elementwise_chain(x: Array, a: float, b: float, repeats: int) -> Array:
    y = x
    for _ in range(repeats):
        y = np.tanh(a * y + b) * x
    return np.sum(y)


class ByAutograd(Contender):
    """HIPS autograd."""

    name: ClassVar[str] = "autograd"
    peer: ClassVar[bool] = True

    def classifier_gradient(self, work: Classifier) -> Call:
        gradient = grad(loss)
        return lambda: gradient(work.parameters, work.x, work.target)

    def classifier_step(self, work: Classifier) -> Call:
        gradient = grad(loss)

        def step() -> Arrays:
            gradients = gradient(work.parameters, work.x, work.target)
            return tuple(p - work.rate * g for p, g in zip(work.parameters, gradients, strict=True))

        return step

    def classifier_run(self, work: Classifier) -> Call:
        return lambda: logits(work.parameters, work.x)

    def regressor_gradient(self, work: Regressor) -> Call:
        gradient = grad(regression_loss)
        return lambda: gradient(work.parameters, work.x, work.target)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        gradient = grad(recurrent_loss)
        return lambda: gradient((work.w, work.u, work.b), work.inputs, work.target)

    def scalar_chain_gradient(self, work: ScalarChain) -> Call | None:
        if work.operations > 100_000:
            return None
        gradient = grad(scalar_chain)
        return lambda: gradient(work.start, work.a, work.b, work.steps)

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        gradient = grad(multiply_chain)
        return lambda: gradient(work.x, work.operations)

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        hvp = make_hvp(rosenbrock)
        return lambda: hvp(work.x)[0](work.tangent)

    def elementwise_gradient(self, work: Elementwise) -> Call:
        gradient = grad(elementwise_chain)
        return lambda: gradient(work.x, work.a, work.b, work.repeats)
