"""What takes several functions of NumPy and is asked for most: written out, with few arrays and no step too many.

The logistic function, the slopes of it and of tanh, and the cross-entropy, for plain arrays of one dtype.
elementwise.py and softmax.py declare the operations that are made of them. They have a file of their own for they
belong to the engine that can be compiled.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from typedprop.arithmetic import alarmed, ones_of, shape_of, total, unwarned
from typedprop.bvar import BVar, record
from typedprop.leaves import NDARRAY
from typedprop.tape import Rule, Value

# Ones without an axis, of each dtype: a ufunc takes one in half the time that a Python number costs it.
_ONES: Final = {np.dtype(dtype): np.ones((), dtype) for dtype in (np.float64, np.float32)}
# NumPy's functions by names of their own, which Python finds faster: see `NDARRAY`.
_ADD: Final = np.add
_SUBTRACT: Final = np.subtract
_MULTIPLY: Final = np.multiply
_DIVIDE: Final = np.divide
_NEGATIVE: Final = np.negative
_EXP: Final = np.exp
_LOG: Final = np.log
# The ufunc's own reduction: (array, axis, dtype, out, keepdims), by position, which its stub does not know. The array's
# method costs 1 us more.
_LARGEST: Final[Any] = np.maximum.reduce


# -- Functions of each element ---------------------------------------------------------------------------------------


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) in one buffer; where exp overflows to infinity, the result is the right 0."""
    one = _ONES.get(x.dtype, 1)
    y = _NEGATIVE(x)
    unwarned().run(_EXP, y, y)
    _ADD(y, one, y)
    return _DIVIDE(one, y, y)


def times_sigmoid_slope(t: Value, y: Value) -> Value:
    """t y (1 - y), in one buffer."""
    if type(t) is not NDARRAY or type(y) is not NDARRAY:
        return t * (y * (1 - y))
    d: Any = _SUBTRACT(_ONES[y.dtype], y)
    _MULTIPLY(d, y, d)
    return _MULTIPLY(d, t, d)


def times_tanh_slope(t: Value, y: Value) -> Value:
    """t (1 - y²), in one buffer."""
    if type(t) is not NDARRAY or type(y) is not NDARRAY:
        return t * (1 - y * y)
    d: Any = _MULTIPLY(y, y)
    _SUBTRACT(_ONES[y.dtype], d, d)
    return _MULTIPLY(d, t, d)


# -- The cross-entropy of a softmax ----------------------------------------------------------------------------------


def cross_entropy_of_arrays(logits: Any, target: Any) -> BVar[Any] | None:
    """The frequent case, of a recorded array and a plain one that fits it; None for all others."""
    if type(logits) is not BVar or type(target) is not NDARRAY:
        return None
    b: BVar[Any] = logits
    x, tape = b._value, b._tape
    if tape is None or type(x) is not NDARRAY or x.dtype is not target.dtype:
        return None
    shape = x.shape
    if shape != target.shape or len(shape) > 2 or 0 in shape:
        return None
    value, d, _ = cross_entropy(x, target)
    return record(tape, value, (CROSS_ENTROPY, b._node, d))


def cross_entropy(x: Any, t: Any) -> tuple[Any, Any, Any]:
    """The loss, its derivative by the logits and that by the target: one entry for the gradient that everybody takes.

    The derivative by the logits is softmax times the target's sum, less the target. That by the target is minus the
    logarithm of softmax, given as what it is the difference of. The target itself is not kept.
    """
    below: Any = _SUBTRACT(x, _LARGEST(x, -1, None, None, True))
    p: Any = _EXP(below)
    # Sums along the classes by BLAS: three of them take as long as two of NumPy's.
    ones = ones_of(x.shape[-1], x.dtype)
    norm = p.dot(ones)
    mass = t.dot(ones)
    scale = mass / norm
    _MULTIPLY(p, column(scale), p)
    _SUBTRACT(p, t, p)
    log_norm: Any = _LOG(norm)
    # -sum(t log_softmax(x)), where the logarithm of the norm is taken out of the sum.
    try:
        hits: Any = alarmed().run(_MULTIPLY, t, below).dot(ones)
    except FloatingPointError:
        # 0 times -inf. What cannot happen and has probability 0 costs nothing.
        below = np.where(np.isneginf(below) & (t == 0), column(log_norm), below)
        hits = (t * below).dot(ones)
    loss: Any = log_norm * mass - hits
    return (loss if x.ndim > 1 else float(loss)), p, (below, log_norm)


def column(g: Value) -> Value:
    """What there is a row, as a column beside the rows' elements; a number as it is."""
    if type(g) is NDARRAY:
        return g[..., None]
    return g.reshape((*shape_of(g), 1)) if shape_of(g) else g


CROSS_ENTROPY: Final[int] = Rule(
    "softmax_cross_entropy", lambda g, d: column(g) * d, lambda t, d: total(t * d, -1), fresh=True
).code
CROSS_ENTROPY_TARGET: Final[int] = Rule(
    "softmax_cross_entropy",
    lambda g, y: -(column(g) * y),
    lambda t, y: -total(t * y, -1),
    fresh=True,
).code
