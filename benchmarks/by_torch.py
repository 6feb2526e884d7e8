"""PyTorch, eager, on one thread of the CPU."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

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

torch.set_num_threads(1)

Tensors = tuple[Tensor, ...]


def tensors(arrays: Arrays, *, tracked: bool = True) -> Tensors:
    """Copies of the arrays as tensors."""
    return tuple(torch.tensor(x, requires_grad=tracked) for x in arrays)


def logits(parameters: Tensors, x: Tensor) -> Tensor:
    w1, b1, w2, b2, w3, b3 = parameters
    return linear(torch.sigmoid(linear(torch.sigmoid(linear(x, w1, b1)), w2, b2)), w3, b3)


def loss(parameters: Tensors, x: Tensor, target: Tensor) -> Tensor:
    return cross_entropy(logits(parameters, x), target)


def regression_loss(parameters: Tensors, x: Tensor, target: Tensor) -> Tensor:
    w1, b1, w2, b2, w3, b3 = parameters
    y2 = torch.tanh(w2 @ torch.tanh(w1 @ x + b1) + b2)
    error = w3 @ y2 + b3 - target
    return error @ error


def recurrent_loss(parameters: Tensors, inputs: Tensor, target: Tensor) -> Tensor:
    w, u, b = parameters
    h = torch.zeros_like(b)
    for x in inputs:
        h = torch.tanh(w @ h + u @ x + b)
    error = h - target
    return error @ error


def rosenbrock(x: Tensor) -> Tensor:
    head, tail = x[:-1], x[1:]
    return (100.0 * (tail - head**2) ** 2 + (1.0 - head) ** 2).sum()


class ByTorch(Contender):
    """PyTorch, eager."""

    name: ClassVar[str] = "torch"
    peer: ClassVar[bool] = True

    def classifier_gradient(self, work: Classifier) -> Call:
        parameters = tensors(work.parameters)
        x, target = tensors((work.x, work.target), tracked=False)
        return lambda: torch.autograd.grad(loss(parameters, x, target), parameters)

    def classifier_step(self, work: Classifier) -> Call:
        parameters = tensors(work.parameters)
        x, target = tensors((work.x, work.target), tracked=False)

        def step() -> Tensors:
            gradients = torch.autograd.grad(loss(parameters, x, target), parameters)
            with torch.no_grad():
                return tuple(p - work.rate * g for p, g in zip(parameters, gradients, strict=True))

        return step

    def classifier_run(self, work: Classifier) -> Call:
        parameters = tensors(work.parameters, tracked=False)
        (x,) = tensors((work.x,), tracked=False)

        def run() -> Tensor:
            with torch.inference_mode():
                return logits(parameters, x)

        return run

    def regressor_gradient(self, work: Regressor) -> Call:
        parameters = tensors(work.parameters)
        x, target = tensors((work.x, work.target), tracked=False)
        return lambda: torch.autograd.grad(regression_loss(parameters, x, target), parameters)

    def recurrent_gradient(self, work: Recurrent) -> Call:
        parameters = tensors((work.w, work.u, work.b))
        inputs, target = tensors((work.inputs, work.target), tracked=False)
        return lambda: torch.autograd.grad(recurrent_loss(parameters, inputs, target), parameters)

    def scalar_chain_gradient(self, work: ScalarChain) -> Call | None:
        if work.operations > 100_000:
            return None
        start = torch.tensor(work.start, dtype=torch.float64, requires_grad=True)

        def gradient() -> Tensors:
            y = start
            for _ in range(work.steps):
                y = torch.tanh(work.a * y + work.b)
            return torch.autograd.grad(y, start)

        return gradient

    def multiply_chain_gradient(self, work: MultiplyChain) -> Call:
        (x,) = tensors((work.x,))

        def gradient() -> Tensors:
            y = x
            for _ in range(work.operations):
                y = y * x
            return torch.autograd.grad(y.sum(), x)

        return gradient

    def rosenbrock_hvp(self, work: Rosenbrock) -> Call:
        (x,) = tensors((work.x,))
        (tangent,) = tensors((work.tangent,), tracked=False)

        def hvp() -> Tensors:
            (slope,) = torch.autograd.grad(rosenbrock(x), x, create_graph=True)
            return torch.autograd.grad(slope, x, tangent)

        return hvp

    def elementwise_gradient(self, work: Elementwise) -> Call:
        (x,) = tensors((work.x,))

        def gradient() -> Tensors:
            y = x
            for _ in range(work.repeats):
                y = torch.tanh(work.a * y + work.b) * x
            return torch.autograd.grad(y.sum(), x)

        return gradient

    def arrays(self, result: object) -> list[Array]:
        if isinstance(result, Tensor):
            result = (result,)
        assert isinstance(result, Iterable)
        return [np.asarray(part.detach().numpy()) for part in result]
