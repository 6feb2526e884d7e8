"""Gradients of type-checked Python over NumPy.

`BVar[T]` wraps a differentiable value, `R[n]` and `L[m, n]` are vectors and matrices with their sizes in the type, a
model's parameters are an attrs record, and the gradient of a loss is that same record type.
"""

from __future__ import annotations

from typedprop import testing, tree
from typedprop.arrays import eye, full, matrix, normal, ones, uniform, vector, zeros
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError, ShapeError
from typedprop.ops.elementwise import exp, log, relu, sigmoid, sqrt, square, tanh, where
from typedprop.ops.product import dot, matmul, outer
from typedprop.ops.reduction import logsumexp, max, mean, min, sum
from typedprop.ops.special import log_softmax, softmax, softmax_cross_entropy
from typedprop.ops.joining import concatenate, stack
from typedprop.ops.structural import reshape
from typedprop.record import Record
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
from typedprop.transform.checkpoint import checkpoint
from typedprop.transform.gradient import backprop, grad, value_and_grad
from typedprop.transform.jacobian import hessian, hvp, jacobian
from typedprop.transform.products import jvp, vjp
from typedprop.transform.stop import no_gradient, stop_gradient

__version__ = "0.1.0"

__all__ = [
    "BVar",
    "DTypeError",
    "Dim",
    "EscapedBVarError",
    "L",
    "NotDifferentiableError",
    "R",
    "Record",
    "ShapeError",
    "Tensor3",
    "Tensor4",
    "backprop",
    "checkpoint",
    "concatenate",
    "dot",
    "exp",
    "eye",
    "full",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log",
    "log_softmax",
    "logsumexp",
    "matmul",
    "matrix",
    "max",
    "mean",
    "min",
    "no_gradient",
    "normal",
    "ones",
    "outer",
    "relu",
    "reshape",
    "sigmoid",
    "softmax",
    "softmax_cross_entropy",
    "sqrt",
    "square",
    "stack",
    "stop_gradient",
    "sum",
    "tanh",
    "testing",
    "tree",
    "uniform",
    "value_and_grad",
    "vector",
    "vjp",
    "where",
    "zeros",
]
