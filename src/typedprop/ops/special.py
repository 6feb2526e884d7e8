"""Softmax and the losses made of it, which need care against overflow."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, shape_of, total
from typedprop.bvar import BVar, record
from typedprop.errors import ShapeError
from typedprop.op import checked_plain, on, opened, unary
from typedprop.ops.elementwise import exp as _exp
from typedprop.ops.reduction import logsumexp
from typedprop.shapes import L, R
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])
V = TypeVar("V", bound=np.ndarray[Any, Any])


def _softmax(x: Any) -> Any:
    """exp(x) over its sum along the last axis, with the largest element taken out so that nothing overflows."""
    if not x.size:
        return x.copy()
    top = x.max(axis=-1, keepdims=True)
    # A row of -inf alone has no softmax; NaN says so, as in SciPy.
    with np.errstate(invalid="ignore"):
        y = np.subtract(x, top)
    np.exp(y, out=y)
    y /= y.sum(axis=-1, keepdims=True)
    return y


def _softmax_derivative(t: Value, y: Value) -> Value:
    """The derivative is symmetric, so it serves both directions: y (t - <t, y>)."""
    inner = total(t * y, -1, keepdims=len(shape_of(y)) > 1)
    return (t - inner) * y


_SOFTMAX = unary("softmax", _softmax, lambda x, y: y, _softmax_derivative, _softmax_derivative, fresh=True)


def _log_softmax(x: Any) -> Any:
    if not x.size:
        return x.copy()
    # A row of -inf alone is NaN, as in softmax.
    with np.errstate(invalid="ignore"):
        return np.subtract(x, logsumexp(x, x.ndim - 1, keepdims=True))


def _pull_log_softmax(g: Value, y: Value) -> Value:
    return g - _exp(y) * total(g, -1, keepdims=len(shape_of(y)) > 1)


def _push_log_softmax(t: Value, y: Value) -> Value:
    return t - total(t * _exp(y), -1, keepdims=len(shape_of(y)) > 1)


_LOG_SOFTMAX = unary("log_softmax", _log_softmax, lambda x, y: y, _pull_log_softmax, _push_log_softmax, fresh=True)


@overload
def softmax(x: BVar[V], /) -> BVar[V]: ...
@overload
def softmax(x: Arr, /) -> Arr: ...
def softmax(x: Any, /) -> Any:
    """exp(x) / sum(exp(x)) along the last axis: of a vector, or of each row of a matrix. Nothing overflows.

    Raises `ShapeError` for a scalar.
    """
    _want_array("softmax", x)
    return _SOFTMAX(x)


@overload
def log_softmax(x: BVar[V], /) -> BVar[V]: ...
@overload
def log_softmax(x: Arr, /) -> Arr: ...
def log_softmax(x: Any, /) -> Any:
    """The logarithm of `softmax(x)`, right also where the softmax underflows to 0. Raises `ShapeError` for a scalar."""
    _want_array("log_softmax", x)
    return _LOG_SOFTMAX(x)


@overload
def softmax_cross_entropy(logits: BVar[R[N, D]], target: R[N, D] | BVar[R[N, D]], /) -> BVar[float]: ...
@overload
def softmax_cross_entropy(logits: BVar[L[M, N, D]], target: L[M, N, D] | BVar[L[M, N, D]], /) -> BVar[R[M, D]]: ...
@overload
def softmax_cross_entropy(logits: R[N, D], target: R[N, D], /) -> D: ...
@overload
def softmax_cross_entropy(logits: L[M, N, D], target: L[M, N, D], /) -> R[M, D]: ...
def softmax_cross_entropy(logits: Any, target: Any, /) -> Any:
    """The cross-entropy of `softmax(logits)` with the probabilities `target`, along the last axis.

    For a vector of logits a scalar, for a matrix one loss a row (take `.mean()` of it). Computed as
    `-sum(target * log_softmax(logits))`, so probabilities that underflow cost the right, finite amount.

    Raises `ShapeError` where logits and target differ in size.
    """
    _want_array("softmax_cross_entropy", logits)
    if shape_of(logits) != shape_of(target):
        raise ShapeError(
            f"softmax_cross_entropy: logits are {describe(shape_of(logits))} and target is "
            f"{describe(shape_of(target))}; wanted a probability for each logit (one-hot for a label)"
        )
    tape, (x, t) = opened("softmax_cross_entropy", logits, target)
    if tape is None or type(x) is not np.ndarray or type(t) is not np.ndarray or not on(tape, logits):
        return -total(target * log_softmax(logits), -1)
    # The same in one entry, for the gradient that everybody takes: the derivative by the logits is softmax - target.
    # (The ufuncs' own reductions: the array methods cost 1 us more each.)
    y = np.subtract(x, np.maximum.reduce(x, axis=-1, keepdims=True))
    p = np.exp(y)
    norm = np.add.reduce(p, axis=-1, keepdims=True)
    p /= norm
    y -= np.log(norm)
    loss = -np.add.reduce(t * y, axis=-1)
    value = loss if shape_of(loss) else float(loss)
    if not on(tape, target):
        return record(tape, value, (_CROSS_ENTROPY.code, logits._node, (p, t)))
    return record(tape, value, (_CROSS_ENTROPY.code, logits._node, (p, t), _CROSS_ENTROPY_TARGET.code, target._node, y))


def _column(g: Value) -> Value:
    """Per-row cotangents as a column beside the rows' elements."""
    return g.reshape((-1, 1)) if shape_of(g) else g


def _by_logits(p: Any, t: Any) -> Any:
    weight = np.add.reduce(t, axis=-1, keepdims=True)
    d = np.multiply(p, weight)
    return np.subtract(d, t, out=d)


_CROSS_ENTROPY = Rule(
    "softmax_cross_entropy",
    lambda g, r: _column(g) * _by_logits(*r),
    lambda t, r: total(t * _by_logits(*r), -1),
    fresh=True,
)
_CROSS_ENTROPY_TARGET = Rule(
    "softmax_cross_entropy",
    lambda g, y: -(_column(g) * y),
    lambda t, y: -total(t * y, -1),
    fresh=True,
)


def _want_array(name: str, x: Any) -> None:
    if type(x) is not BVar:
        x = checked_plain(name, x)
    if not shape_of(x):
        raise ShapeError(f"{name}: wanted a vector or a matrix, got a float")
    if not shape_of(x)[-1]:
        raise ShapeError(f"{name}: {describe(shape_of(x))} has no elements along its last axis")
