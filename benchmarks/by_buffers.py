"""Gradients written by hand into buffers made once: every array is given with `out=`, results are overwritten.

The least that NumPy can do. Nobody writes this first, and its results have to be copied to be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from benchmarks.contender import Call, Contender
from benchmarks.work import Array, Arrays, Classifier, Elementwise, MultiplyChain, Recurrent, Regressor, Rosenbrock


def logistic(x: Array) -> None:
    """The logistic function in place."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    np.add(x, 1, out=x)
    np.reciprocal(x, out=x)


def softmax(x: Array) -> None:
    """Softmax of a vector or of each row, in place."""
    np.subtract(x, x.max(axis=-1, keepdims=True), out=x)
    np.exp(x, out=x)
    np.divide(x, x.sum(axis=-1, keepdims=True), out=x)


def classifier(work: Classifier) -> tuple[Callable[[], Array], Callable[[], Arrays]]:
    """The run and the gradient for a batch or one sample, sharing buffers."""
    w1, b1, w2, b2, w3, b3 = work.parameters
    x, target = work.x, work.target
    rows, dtype = x.shape[:-1], x.dtype
    y1, y2, y3 = (np.empty((*rows, len(b)), dtype) for b in (b1, b2, b3))
    d1, d2, slope1, slope2 = (np.empty_like(y) for y in (y1, y2, y1, y2))
    g1, h1, g2, h2, g3, h3 = gradients = tuple(np.empty_like(p) for p in work.parameters)

    def layer(y: Array, w: Array, b: Array, out: Array) -> None:
        if rows:
            np.matmul(y, w.T, out=out)
        else:
            np.matmul(w, y, out=out)
        np.add(out, b, out=out)

    def run() -> Array:
        layer(x, w1, b1, y1)
        logistic(y1)
        layer(y1, w2, b2, y2)
        logistic(y2)
        layer(y2, w3, b3, y3)
        return y3

    def back(d: Array, w: Array, y: Array, slope: Array, out: Array) -> None:
        np.matmul(d, w, out=out)
        np.subtract(1, y, out=slope)
        np.multiply(slope, y, out=slope)
        np.multiply(out, slope, out=out)

    def by_weight_and_bias(d: Array, y: Array, g: Array, h: Array) -> None:
        if rows:
            np.matmul(d.T, y, out=g)
            np.sum(d, axis=0, out=h)
        else:
            np.multiply(d[:, None], y, out=g)
            h[:] = d

    def gradient() -> Arrays:
        d3 = run()
        softmax(d3)
        np.subtract(d3, target, out=d3)
        if rows:
            np.divide(d3, len(x), out=d3)
        back(d3, w3, y2, slope2, d2)
        back(d2, w2, y1, slope1, d1)
        by_weight_and_bias(d1, x, g1, h1)
        by_weight_and_bias(d2, y1, g2, h2)
        by_weight_and_bias(d3, y2, g3, h3)
        return gradients

    return run, gradient


def regressor(work: Regressor) -> Callable[[], Arrays]:
    """The gradient of the tiny network."""
    w1, b1, w2, b2, w3, b3 = work.parameters
    x, target = work.x, work.target
    y1, y2, d3 = np.empty_like(b1), np.empty_like(b2), np.empty_like(b3)
    slope1, slope2 = np.empty_like(b1), np.empty_like(b2)
    g1, h1, g2, h2, g3, h3 = gradients = tuple(np.empty_like(p) for p in work.parameters)

    def layer(y: Array, w: Array, b: Array, out: Array) -> None:
        np.dot(w, y, out=out)
        np.add(out, b, out=out)

    def back(d: Array, w: Array, y: Array, slope: Array, out: Array) -> None:
        np.dot(d, w, out=out)
        np.multiply(y, y, out=slope)
        np.subtract(1, slope, out=slope)
        np.multiply(out, slope, out=out)

    def gradient() -> Arrays:
        layer(x, w1, b1, y1)
        np.tanh(y1, out=y1)
        layer(y1, w2, b2, y2)
        np.tanh(y2, out=y2)
        layer(y2, w3, b3, d3)
        np.subtract(d3, target, out=d3)
        np.multiply(d3, 2, out=h3)
        back(h3, w3, y2, slope2, h2)
        back(h2, w2, y1, slope1, h1)
        np.multiply(h1[:, None], x, out=g1)
        np.multiply(h2[:, None], y1, out=g2)
        np.multiply(h3[:, None], y2, out=g3)
        return gradients

    return gradient


def recurrent(work: Recurrent) -> Callable[[], Arrays]:
    """Backpropagation through time that keeps all states and cotangents, for one matrix product at the end."""
    w, u, b, inputs = work.w, work.u, work.b, work.inputs
    steps = len(inputs)
    states = np.zeros((steps + 1, len(b)))
    driven = np.empty((steps, len(b)))
    cotangents = np.empty((steps, len(b)))
    slopes = np.empty((steps, len(b)))
    g = np.empty_like(b)
    dw, du, db = np.empty_like(w), np.empty_like(u), np.empty_like(b)

    def gradient() -> Arrays:
        np.matmul(inputs, u.T, out=driven)
        np.add(driven, b, out=driven)
        for t in range(steps):
            h = states[t + 1]
            np.dot(w, states[t], out=h)
            np.add(h, driven[t], out=h)
            np.tanh(h, out=h)
        np.multiply(states[1:], states[1:], out=slopes)
        np.subtract(1, slopes, out=slopes)
        np.subtract(states[-1], work.target, out=g)
        np.multiply(g, 2, out=g)
        for t in range(steps - 1, -1, -1):
            d = cotangents[t]
            np.multiply(g, slopes[t], out=d)
            np.dot(d, w, out=g)
        np.matmul(cotangents.T, states[:-1], out=dw)
        np.matmul(cotangents.T, inputs, out=du)
        np.sum(cotangents, axis=0, out=db)
        return dw, du, db

    return gradient


def multiply_chain(work: MultiplyChain) -> Callable[[], Array]:
    """All powers in one matrix."""
    x = work.x
    powers = np.empty((work.operations + 1, len(x)))
    g, product, dx = np.empty_like(x), np.empty_like(x), np.empty_like(x)

    def gradient() -> Array:
        powers[0] = x
        for k in range(work.operations):
            np.multiply(powers[k], x, out=powers[k + 1])
        g.fill(1.0)
        dx.fill(0.0)
        for k in range(work.operations - 1, -1, -1):
            np.multiply(g, powers[k], out=product)
            np.add(dx, product, out=dx)
            np.multiply(g, x, out=g)
        return np.add(dx, g, out=dx)

    return gradient


def rosenbrock(work: Rosenbrock) -> Callable[[], Array]:
    """The tridiagonal Hessian times the vector."""
    x, v = work.x, work.tangent
    head, tail, v_head, v_tail = x[:-1], x[1:], v[:-1], v[1:]
    product, slope, term = np.empty_like(x), np.empty_like(head), np.empty_like(head)

    def hvp() -> Array:
        np.multiply(head, -400, out=slope)
        np.multiply(head, head, out=term)
        np.multiply(term, 1200, out=term)
        np.add(term, 2, out=term)
        np.multiply(term, v_head, out=product[:-1])
        np.multiply(tail, -400, out=term)
        np.multiply(term, v_head, out=term)
        np.add(product[:-1], term, out=product[:-1])
        np.multiply(slope, v_tail, out=term)
        np.add(product[:-1], term, out=product[:-1])
        product[-1] = 0.0
        np.multiply(v_tail, 200, out=term)
        np.add(product[1:], term, out=product[1:])
        np.multiply(slope, v_head, out=term)
        np.add(product[1:], term, out=product[1:])
        return product

    return hvp


def elementwise(work: Elementwise) -> Callable[[], Array]:
    """All tanh values in one matrix."""
    x, a, b = work.x, work.a, work.b
    kept = np.empty((work.repeats, len(x)))
    y, g, dx = np.empty_like(x), np.empty_like(x), np.empty_like(x)

    def gradient() -> Array:
        y[:] = x
        for t in kept:
            np.multiply(y, a, out=t)
            np.add(t, b, out=t)
            np.tanh(t, out=t)
            np.multiply(t, x, out=y)
        g.fill(1.0)
        dx.fill(0.0)
        for t in kept[::-1]:
            np.multiply(g, t, out=y)
            np.add(dx, y, out=dx)
            np.multiply(g, x, out=g)
            np.multiply(t, t, out=y)
            np.subtract(1, y, out=y)
            np.multiply(g, y, out=g)
            np.multiply(g, a, out=g)
        return np.add(dx, g, out=dx)

    return gradient


class ByBuffers(Contender):
    """NumPy by hand, with `out=` everywhere."""

    name: ClassVar[str] = "by hand, out="

    def classifier_gradient(self, work: Classifier) -> Call:
        return classifier(work)[1]

    def classifier_step(self, work: Classifier) -> Call:
        gradient = classifier(work)[1]
        moved = tuple(np.empty_like(p) for p in work.parameters)

        def step() -> Arrays:
            for p, g, new in zip(work.parameters, gradient(), moved, strict=True):
                np.multiply(g, work.rate, out=new)
                np.subtract(p, new, out=new)
            return moved

        return step

    def classifier_run(self, work: Classifier) -> Call:
        return classifier(work)[0]

    def regressor_gradient(self, work: Regressor) -> Call:
        return regressor(work)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        return recurrent(work)

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        return multiply_chain(work)

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        return rosenbrock(work)

    def elementwise_gradient(self, work: Elementwise) -> Call:
        return elementwise(work)
