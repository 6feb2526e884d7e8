"""JAX on the CPU: eager, operation by operation, and compiled by `jit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
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

jax.config.update("jax_enable_x64", True)

# JAX's arrays, tuples of them, and what its transformations make of functions: JAX itself types them as Any.
Value = Any


def logits(parameters: Value, x: Value) -> Value:
    w1, b1, w2, b2, w3, b3 = parameters
    return jax.nn.sigmoid(jax.nn.sigmoid(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3


def loss(parameters: Value, x: Value, target: Value) -> Value:
    return -(target * jax.nn.log_softmax(logits(parameters, x))).sum(axis=-1).mean()


def step(parameters: Value, x: Value, target: Value, rate: float) -> Value:
    gradients = jax.grad(loss)(parameters, x, target)
    return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients)


def regression_loss(parameters: Value, x: Value, target: Value) -> Value:
    w1, b1, w2, b2, w3, b3 = parameters
    error = w3 @ jnp.tanh(w2 @ jnp.tanh(w1 @ x + b1) + b2) + b3 - target
    return error @ error


def recurrent_loss(parameters: Value, inputs: Value, target: Value) -> Value:
    w, u, b = parameters

    def advance(h: Value, x: Value) -> Value:
        return jnp.tanh(w @ h + u @ x + b), None

    h, _ = jax.lax.scan(advance, jnp.zeros_like(b), inputs)
    error = h - target
    return error @ error


def scalar_chain(y: Value, a: float, b: float, steps: int) -> Value:
    return jax.lax.scan(lambda y, _: (jnp.tanh(a * y + b), None), y, length=steps)[0]


def multiply_chain(x: Value, operations: int) -> Value:
    return jax.lax.scan(lambda y, _: (y * x, None), x, length=operations)[0].sum()


def rosenbrock(x: Value) -> Value:
    head, tail = x[:-1], x[1:]
    return (100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2).sum()


def hvp(x: Value, tangent: Value) -> Value:
    return jax.jvp(jax.grad(rosenbrock), (x,), (tangent,))[1]


def elementwise_chain(x: Value, a: float, b: float, repeats: int) -> Value:
    y = x
    for _ in range(repeats):
        y = jnp.tanh(a * y + b) * x
    return y.sum()


class ByJax(Contender):
    """JAX, eager; the recurrent network is its own `scan`, as it wants loops written, and is compiled anyway."""

    name: ClassVar[str] = "JAX eager"
    peer: ClassVar[bool] = True

    def call(self, f: Callable[..., Value], *arguments: Value) -> Call:
        """`f` of these arguments, waited for: JAX hands out promises."""
        return lambda: jax.block_until_ready(f(*arguments))

    def classifier_gradient(self, work: Classifier) -> Call:
        return self.call(jax.grad(loss), given(work.parameters), jnp.asarray(work.x), jnp.asarray(work.target))

    def classifier_step(self, work: Classifier) -> Call:
        return self.call(step, given(work.parameters), jnp.asarray(work.x), jnp.asarray(work.target), work.rate)

    def classifier_run(self, work: Classifier) -> Call:
        return self.call(logits, given(work.parameters), jnp.asarray(work.x))

    def regressor_gradient(self, work: Regressor) -> Call:
        x, target = jnp.asarray(work.x), jnp.asarray(work.target)
        return self.call(jax.grad(regression_loss), given(work.parameters), x, target)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        inputs, target = jnp.asarray(work.inputs), jnp.asarray(work.target)
        return self.call(jax.grad(recurrent_loss), given((work.w, work.u, work.b)), inputs, target)

    def scalar_chain_gradient(self, work: ScalarChain) -> Call | None:
        if work.operations > 1_000:  # a second and more each time
            return None

        def chain(y: Value) -> Value:
            for _ in range(work.steps):
                y = jnp.tanh(work.a * y + work.b)
            return y

        return self.call(jax.grad(chain), jnp.asarray(work.start))

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        def chain(x: Value) -> Value:
            y = x
            for _ in range(work.operations):
                y = y * x
            return y.sum()

        return self.call(jax.grad(chain), jnp.asarray(work.x))

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        return self.call(hvp, jnp.asarray(work.x), jnp.asarray(work.tangent))

    def elementwise_gradient(self, work: Elementwise) -> Call:
        gradient = jax.grad(lambda x: elementwise_chain(x, work.a, work.b, work.repeats))
        return self.call(gradient, jnp.asarray(work.x))

    def arrays(self, result: object) -> list[Array]:
        return [np.asarray(leaf) for leaf in jax.tree.leaves(result)]


class ByJit(ByJax):
    """JAX, compiled; the compilation itself is not timed."""

    name: ClassVar[str] = "JAX jit"

    def call(self, f: Callable[..., Value], *arguments: Value) -> Call:
        compiled = jax.jit(f)
        return lambda: jax.block_until_ready(compiled(*arguments))

    def scalar_chain_gradient(self, work: ScalarChain) -> Call:
        gradient = jax.grad(lambda y: scalar_chain(y, work.a, work.b, work.steps))
        return self.call(gradient, jnp.asarray(work.start))

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        gradient = jax.grad(lambda x: multiply_chain(x, work.operations))
        return self.call(gradient, jnp.asarray(work.x))


def given(arrays: Arrays) -> tuple[Value, ...]:
    """The arrays as JAX's."""
    return tuple(map(jnp.asarray, arrays))
