"""Gradients of type-checked Python over NumPy.

`BVar[T]` wraps a differentiable value, `R[n]` and `L[m, n]` are vectors and matrices with their sizes in the type, a
model's parameters are an attrs record, and the gradient of a loss is that same record type.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from typedprop.waiting import waits

__version__ = "0.1.0"

if TYPE_CHECKING or not waits(sys.modules[__name__]):
    from typedprop import tree
    from typedprop.arrays import eye, matrix, normal, ones, tensor, uniform, vector, zeros
    from typedprop.bvar import BVar
    from typedprop.checked import checked
    from typedprop.errors import DTypeError, EscapedBVarError, NonFiniteError, NotDifferentiableError, ShapeError
    from typedprop.leaves import register
    from typedprop.ops.activation import (
        celu,
        elu,
        gelu,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        log_sigmoid,
        relu,
        relu6,
        selu,
        silu,
        softplus,
        softsign,
    )
    from typedprop.ops.arrangement import flip, linspace, pad, repeat, roll, sort, take, take_along_axis, tile
    from typedprop.ops.axes import expand_dims, moveaxis, squeeze
    from typedprop.ops.convolution import conv1d, conv2d, convolve
    from typedprop.ops.cumulative import cumprod, cumsum
    from typedprop.ops.diagonal import diag, take_diag, tril, triu
    from typedprop.ops.differences import diff, trapezoid
    from typedprop.ops.einsum import einsum, tensordot
    from typedprop.ops.elementwise import (
        abs,
        add,
        arccos,
        arccosh,
        arcsin,
        arcsinh,
        arctan,
        arctan2,
        arctanh,
        cbrt,
        ceil,
        clip,
        cos,
        cosh,
        deg2rad,
        divide,
        exp,
        exp2,
        expm1,
        floor,
        hypot,
        log,
        log1p,
        log2,
        log10,
        logaddexp,
        maximum,
        minimum,
        multiply,
        negative,
        power,
        rad2deg,
        reciprocal,
        round,
        sigmoid,
        sign,
        sin,
        sinc,
        sinh,
        sqrt,
        square,
        subtract,
        tan,
        tanh,
        trunc,
        where,
    )
    from typedprop.ops.full import full
    from typedprop.ops.joining import (
        append,
        columns,
        concatenate,
        from_columns,
        from_rows,
        head,
        hstack,
        rows,
        split,
        split_cols,
        split_rows,
        stack,
        tail,
        vstack,
    )
    from typedprop.ops.mapping import map, zip_with
    from typedprop.ops.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
    from typedprop.ops.position import (
        argmax,
        argmin,
        argsort,
    )
    from typedprop.ops.product import cross, dot, inner, kron, matmul, outer
    from typedprop.ops.quantile import median, quantile
    from typedprop.ops.reduction import logsumexp, max, mean, min, prod, sum
    from typedprop.ops.softmax import log_softmax, softmax, softmax_cross_entropy
    from typedprop.ops.spread import std, var
    from typedprop.ops.structural import broadcast_to, col, ravel, reshape, row, swapaxes, transpose, uncol, unrow
    from typedprop.primitive import Local1, Local2, Local3, op
    from typedprop.record import Record
    from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
    from typedprop.sizes import Add, Mul
    from typedprop.transform.checkpoint import checkpoint
    from typedprop.transform.gradient import backprop, grad, value_and_grad
    from typedprop.transform.implicit import implicit
    from typedprop.transform.jacobian import hessian, hvp, jacobian
    from typedprop.transform.products import jvp, vjp
    from typedprop.transform.stop import no_gradient, stop_gradient

if TYPE_CHECKING:
    from typedprop import linalg, optim, special, testing
    from typedprop.elsewhere import asarray
    from typedprop.parameters import summary
    from typedprop.saving import CorruptFileError, load, save
    from typedprop.transform.nans import debug_nans
    from typedprop.transform.trace import trace
else:
    # What many programs do without is loaded when it is first asked for: that halves the time of `import typedprop`.
    _LATER = {
        "CorruptFileError": "typedprop.saving",
        "asarray": "typedprop.elsewhere",
        "debug_nans": "typedprop.transform.nans",
        "linalg": "typedprop.linalg",
        "load": "typedprop.saving",
        "optim": "typedprop.optim",
        "save": "typedprop.saving",
        "special": "typedprop.special",
        "summary": "typedprop.parameters",
        "testing": "typedprop.testing",
        "trace": "typedprop.transform.trace",
        "tree": "typedprop.tree",
    }

    def __getattr__(name):
        place = _LATER.get(name)
        if place is None:
            raise AttributeError(f"module 'typedprop' has no attribute {name!r}")
        module = importlib.import_module(place)
        found = globals()[name] = module if place == f"typedprop.{name}" else getattr(module, name)
        return found

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "Add",
    "BVar",
    "CorruptFileError",
    "DTypeError",
    "Dim",
    "EscapedBVarError",
    "L",
    "Local1",
    "Local2",
    "Local3",
    "Mul",
    "NonFiniteError",
    "NotDifferentiableError",
    "R",
    "Record",
    "ShapeError",
    "Tensor3",
    "Tensor4",
    "abs",
    "add",
    "append",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "avg_pool1d",
    "avg_pool2d",
    "backprop",
    "broadcast_to",
    "cbrt",
    "ceil",
    "celu",
    "checked",
    "checkpoint",
    "clip",
    "col",
    "columns",
    "concatenate",
    "conv1d",
    "conv2d",
    "convolve",
    "cos",
    "cosh",
    "cross",
    "cumprod",
    "cumsum",
    "debug_nans",
    "deg2rad",
    "diag",
    "diff",
    "divide",
    "dot",
    "einsum",
    "elu",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "eye",
    "flip",
    "floor",
    "from_columns",
    "from_rows",
    "full",
    "gelu",
    "grad",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "head",
    "hessian",
    "hstack",
    "hvp",
    "hypot",
    "implicit",
    "inner",
    "jacobian",
    "jvp",
    "kron",
    "leaky_relu",
    "linalg",
    "linspace",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "map",
    "matmul",
    "matrix",
    "max",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "mean",
    "median",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "negative",
    "no_gradient",
    "normal",
    "ones",
    "op",
    "optim",
    "outer",
    "pad",
    "power",
    "prod",
    "quantile",
    "rad2deg",
    "ravel",
    "reciprocal",
    "register",
    "relu",
    "relu6",
    "repeat",
    "reshape",
    "roll",
    "round",
    "row",
    "rows",
    "save",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinc",
    "sinh",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "softsign",
    "sort",
    "special",
    "split",
    "split_cols",
    "split_rows",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "summary",
    "swapaxes",
    "tail",
    "take",
    "take_along_axis",
    "take_diag",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "testing",
    "tile",
    "trace",
    "transpose",
    "trapezoid",
    "tree",
    "tril",
    "triu",
    "trunc",
    "uncol",
    "uniform",
    "unrow",
    "value_and_grad",
    "var",
    "vector",
    "vjp",
    "vstack",
    "where",
    "zeros",
    "zip_with",
]
