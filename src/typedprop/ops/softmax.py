"""Softmax, its logarithm, and the loss made of it, which need care against overflow."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, plain, shape_of, total
from typedprop.bvar import BVar, axis_of, record
from typedprop.errors import ShapeError
from typedprop.leaves import NDARRAY
from typedprop.op import checked_plain, on, opened, unary
from typedprop.ops.elementwise import exp, where
from typedprop.ops.fused import CROSS_ENTROPY, CROSS_ENTROPY_TARGET, column, cross_entropy, cross_entropy_of_arrays
from typedprop.shapes import L, R
from typedprop.tape import Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])
V = TypeVar("V", bound=np.ndarray[Any, Any])


def _below_top(x: Any, axis: int) -> Any:
    """x less its largest element, so that nothing overflows.

    Infinite elements share that place. Where all are -inf there is no softmax; NaN says so, as in SciPy.
    """
    top = x.max(axis=axis, keepdims=True)
    if not np.isinf(top).any():
        return x - top
    with np.errstate(invalid="ignore"):
        return np.where(top == np.inf, np.where(x == np.inf, 0, -np.inf), x - top).astype(x.dtype, copy=False)


def _softmax(x: Any, axis: int) -> Any:
    """exp(x) over its sum."""
    y = _below_top(x, axis)
    np.exp(y, y)
    y /= y.sum(axis=axis, keepdims=True)
    return y


def _beside(t: Value, y: Value, axis: int) -> Value:
    """The sum of t along the axis, to stand beside y."""
    return total(t, axis, keepdims=len(shape_of(y)) > 1)


def _softmax_derivative(t: Value, kept: tuple[Value, int]) -> Value:
    """The derivative is symmetric, so it serves both directions: y (t - <t, y>)."""
    y, axis = kept
    return (t - _beside(t * y, y, axis)) * y


_SOFTMAX = unary(
    "softmax", _softmax, lambda x, y, axis: (y, axis), _softmax_derivative, _softmax_derivative, fresh=True
)


def _log_softmax(x: Any, axis: int) -> Any:
    # The largest element goes first: x - logsumexp(x) would round away what float32 has near 1000.
    y = _below_top(x, axis)
    y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
    return y


_LOG_SOFTMAX = unary(
    "log_softmax",
    _log_softmax,
    lambda x, y, axis: (y, axis),
    lambda g, kept: g - exp(kept[0]) * _beside(g, *kept),
    lambda t, kept: t - _beside(t * exp(kept[0]), *kept),
    fresh=True,
)


@overload
def softmax(x: BVar[V], /, axis: int = -1) -> BVar[V]: ...
@overload
def softmax(x: Arr, /, axis: int = -1) -> Arr: ...
def softmax(x: Any, /, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis, by default the last: of a vector, or of each row of a matrix.

    Nothing overflows: +inf takes all, and shares it with others. Where all elements are -inf the softmax is NaN.
    Raises `ShapeError` for a scalar, an axis that x does not have, and for one without elements.
    """
    return _SOFTMAX(x, _axis("softmax", x, axis))


@overload
def log_softmax(x: BVar[V], /, axis: int = -1) -> BVar[V]: ...
@overload
def log_softmax(x: Arr, /, axis: int = -1) -> Arr: ...
def log_softmax(x: Any, /, axis: int = -1) -> Any:
    """The logarithm of `softmax(x, axis)`, right also where the softmax underflows to 0. Raises as `softmax` does."""
    return _LOG_SOFTMAX(x, _axis("log_softmax", x, axis))


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
    quick = cross_entropy_of_arrays(logits, target)
    if quick is not None:
        return quick
    _axis("softmax_cross_entropy", logits, -1)
    if type(target) is not BVar:
        checked_plain("softmax_cross_entropy", target)
    if shape_of(logits) != shape_of(target):
        raise ShapeError(
            f"softmax_cross_entropy: logits are {describe(shape_of(logits))} and target is "
            f"{describe(shape_of(target))}; wanted a probability for each logit (one-hot for a label)"
        )
    tape, (x, t) = opened("softmax_cross_entropy", logits, target)
    if tape is None or not (type(x) is type(t) is NDARRAY) or x.ndim > 2 or not on(tape, logits):
        # Plain integers count as the floats that they equal, of the other operand's dtype.
        given: Any = logits if type(logits) is BVar else x
        y = log_softmax(given)
        impossible = np.isneginf(plain(y))
        if impossible.any():
            # What cannot happen and has probability 0 costs nothing; 0 times -inf would be NaN.
            y = _where(~(impossible & (plain(target) == 0)), y, 0.0)
        losses: Any = -total(target * y, -1)
        # Of plain data a NumPy scalar, as reductions give.
        return losses if type(losses) is not float else y.dtype.type(losses)
    value, d, (below, log_norm) = cross_entropy(x, t)
    if not on(tape, target):
        return record(tape, value, (CROSS_ENTROPY, logits._node, d))
    log_softmax_of_x = below - column(log_norm)
    return record(tape, value, (CROSS_ENTROPY, logits._node, d, CROSS_ENTROPY_TARGET, target._node, log_softmax_of_x))


def _axis(name: str, x: Any, axis: int) -> int:
    if type(x) is not BVar:
        x = checked_plain(name, x)
    shape = shape_of(x)
    if not shape:
        raise ShapeError(f"{name}: wanted a vector or a matrix, got a float")
    number: int = axis_of(name, shape, axis)
    if not shape[number]:
        raise ShapeError(f"{name}: {describe(shape)} has no elements along axis {axis}")
    return number


_where: Any = where  # of arrays of any rank
