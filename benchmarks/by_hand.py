"""Gradients written by hand in NumPy, as one writes them: the work that all others are compared to.

Nothing is computed that the gradient does not need (the loss itself is not), nothing twice, and products of a column
and a row are written as such: `np.outer` is slower.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

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
    """The logistic function, without a thought of overflow."""
    return 1 / (1 + np.exp(-x))


def softmax(x: Array) -> Array:
    """Softmax of a vector or of each row."""
    y: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    total: Array = y.sum(axis=-1, keepdims=True)
    return y / total


def classifier_gradient(parameters: Arrays, x: Array, target: Array) -> Arrays:
    """The gradient for a batch."""
    w1, b1, w2, b2, w3, b3 = parameters
    y1 = logistic(x @ w1.T + b1)
    y2 = logistic(y1 @ w2.T + b2)
    d3 = (softmax(y2 @ w3.T + b3) - target) / len(x)
    d2 = d3 @ w3 * y2 * (1 - y2)
    d1 = d2 @ w2 * y1 * (1 - y1)
    return d1.T @ x, d1.sum(axis=0), d2.T @ y1, d2.sum(axis=0), d3.T @ y2, d3.sum(axis=0)


def classifier_gradient_of_one(parameters: Arrays, x: Array, target: Array) -> Arrays:
    """The gradient for one sample."""
    w1, b1, w2, b2, w3, b3 = parameters
    y1 = logistic(w1 @ x + b1)
    y2 = logistic(w2 @ y1 + b2)
    d3 = softmax(w3 @ y2 + b3) - target
    d2 = d3 @ w3 * y2 * (1 - y2)
    d1 = d2 @ w2 * y1 * (1 - y1)
    return d1[:, None] * x, d1, d2[:, None] * y1, d2, d3[:, None] * y2, d3


def classifier_run(parameters: Arrays, x: Array) -> Array:
    """The logits for a batch."""
    w1, b1, w2, b2, w3, b3 = parameters
    return logistic(logistic(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3


def classifier_run_of_one(parameters: Arrays, x: Array) -> Array:
    """The logits for one sample."""
    w1, b1, w2, b2, w3, b3 = parameters
    return w3 @ logistic(w2 @ logistic(w1 @ x + b1) + b2) + b3


def regressor_gradient(parameters: Arrays, x: Array, target: Array) -> Arrays:
    """The gradient of the tiny network."""
    w1, b1, w2, b2, w3, b3 = parameters
    y1 = np.tanh(w1 @ x + b1)
    y2 = np.tanh(w2 @ y1 + b2)
    d3 = 2 * (w3 @ y2 + b3 - target)
    d2 = d3 @ w3 * (1 - y2 * y2)
    d1 = d2 @ w2 * (1 - y1 * y1)
    return d1[:, None] * x, d1, d2[:, None] * y1, d2, d3[:, None] * y2, d3


def recurrent_gradient(work: Recurrent) -> Arrays:
    """Backpropagation through time, adding to the gradients at each step."""
    w, u, b = work.w, work.u, work.b
    h = np.zeros(len(b))
    states = [h]
    for x in work.inputs:
        h = np.tanh(w @ h + u @ x + b)
        states.append(h)
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    g = 2 * (h - work.target)
    for t in range(len(work.inputs) - 1, -1, -1):
        h = states[t + 1]
        d = g * (1 - h * h)
        dw += d[:, None] * states[t]
        du += d[:, None] * work.inputs[t]
        db += d
        g = d @ w
    return dw, du, db


def scalar_chain_gradient(work: ScalarChain) -> float:
    """Forward with a list of the values, then back."""
    y, a, b = work.start, work.a, work.b
    values = []
    for _ in range(work.steps):
        y = math.tanh(a * y + b)
        values.append(y)
    g = 1.0
    for y in reversed(values):
        g *= (1 - y * y) * a
    return g


def multiply_chain_gradient(work: MultiplyChain) -> Array:
    """Forward with a list of the powers, then back."""
    x = y = work.x
    powers = []
    for _ in range(work.operations):
        powers.append(y)
        y = y * x
    g = np.ones_like(x)
    dx = np.zeros_like(x)
    for y in reversed(powers):
        dx += g * y
        g *= x
    return dx + g


def rosenbrock_hvp(x: Array, v: Array) -> Array:
    """The Hessian is tridiagonal: its diagonal and its neighbours, times the vector."""
    head, tail = x[:-1], x[1:]
    slope = -400 * head
    product = np.empty_like(v)
    product[:-1] = (1200 * head * head - 400 * tail + 2) * v[:-1] + slope * v[1:]
    product[-1] = 0.0
    product[1:] += 200 * v[1:] + slope * v[:-1]
    return product


def elementwise_gradient(work: Elementwise) -> Array:
    """Forward with a list of the tanh values, then back."""
    x, a, b = work.x, work.a, work.b
    y = x
    kept = []
    for _ in range(work.repeats):
        t = np.tanh(a * y + b)
        kept.append(t)
        y = t * x
    dx = np.zeros_like(x)
    g = np.ones_like(x)
    while kept:
        t = kept.pop()
        dx += g * t
        g = g * x * (1 - t * t) * a
    return dx + g


class ByHand(Contender):
    """NumPy as one writes it."""

    name: ClassVar[str] = "by hand"

    def classifier_gradient(self, work: Classifier) -> Call:
        gradient = classifier_gradient if work.x.ndim > 1 else classifier_gradient_of_one
        return lambda: gradient(work.parameters, work.x, work.target)

    def classifier_step(self, work: Classifier) -> Call:
        gradient = classifier_gradient if work.x.ndim > 1 else classifier_gradient_of_one

        def step() -> Arrays:
            gradients = gradient(work.parameters, work.x, work.target)
            return tuple(p - work.rate * g for p, g in zip(work.parameters, gradients, strict=True))

        return step

    def classifier_run(self, work: Classifier) -> Call:
        run = classifier_run if work.x.ndim > 1 else classifier_run_of_one
        return lambda: run(work.parameters, work.x)

    def regressor_gradient(self, work: Regressor) -> Call:
        return lambda: regressor_gradient(work.parameters, work.x, work.target)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        return lambda: recurrent_gradient(work)

    def scalar_chain_gradient(self, work: ScalarChain) -> Call:
        return lambda: scalar_chain_gradient(work)

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        return lambda: multiply_chain_gradient(work)

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        return lambda: rosenbrock_hvp(work.x, work.tangent)

    def elementwise_gradient(self, work: Elementwise) -> Call:
        return lambda: elementwise_gradient(work)
