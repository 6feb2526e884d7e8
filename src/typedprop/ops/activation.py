"""Activations of neural networks: `relu` and its variants, `softplus`, `silu`, `gelu` and their like.

They keep the operand's type, as the functions in elementwise.py do. At a kink the derivative is the one on the flat
side, where there is one, otherwise the left one: 0 for `relu` at 0, `negative_slope` for `leaky_relu` at 0. Nothing
overflows: at ±1000, and at ±inf, each has its limit.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import dtype_of, plain, shape_of
from typedprop.bvar import BVar
from typedprop.op import Elementwise, checked, elementwise, unary
from typedprop.ops.elementwise import abs, choose, clip, exp, over, sigmoid, tanh
from typedprop.ops.special import ndtr
from typedprop.tape import Value

V = TypeVar("V")
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])


def _levels(mask: Any, like: Value, high: float, low: float) -> Any:
    """`high` where the mask holds, `low` elsewhere: a slope in the shape and dtype of `like`."""
    return np.where(mask, high, low).astype(dtype_of(like)) if shape_of(like) else (high if mask else low)


def _finite(x: Value, *, above: bool = False) -> Value:
    """x with the infinities brought to the largest numbers, so that 0 times x is 0; with +inf left, if `above`."""
    info = np.finfo(dtype_of(x))
    return clip(x, float(info.min), None if above else float(info.max))


def _parametric(name: str, value: Callable[..., Any], slope: Callable[..., Value]) -> Callable[..., Any]:
    """A function of each element and of fixed parameters: `value(x, *parameters)`, `slope(x, *parameters)`."""

    def scaled(t: Value, kept: tuple[Any, ...]) -> Value:
        return t * slope(*kept)

    return unary(name, value, lambda x, y, *parameters: (x, *parameters), scaled, scaled, fresh=True)


# -- Rectifiers ------------------------------------------------------------------------------------------------------

relu: Elementwise = elementwise(
    "relu",
    lambda x: np.maximum(x, 0),
    number=lambda x: builtins.max(x, 0.0) if x == x else x,
    of_output=lambda y: _levels(plain(y) > 0, y, 1.0, 0.0),
    doc="max(x, 0); the derivative at 0 is taken as 0.",
)
relu6: Elementwise = elementwise(
    "relu6",
    lambda x: np.clip(x, 0, 6),
    of_output=lambda y: _levels((plain(y) > 0) & (plain(y) < 6), y, 1.0, 0.0),
    doc="x between 0 and 6, and the nearer of them elsewhere; the derivative at both is taken as 0.",
)
_LEAKY_RELU = _parametric(
    "leaky_relu",
    lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
    lambda x, negative_slope: _levels(plain(x) > 0, x, 1.0, negative_slope),
)


@overload
def leaky_relu(x: BVar[V], /, negative_slope: float = 0.01) -> BVar[V]: ...
@overload
def leaky_relu(x: Arr, /, negative_slope: float = 0.01) -> Arr: ...
@overload
def leaky_relu(x: float, /, negative_slope: float = 0.01) -> float: ...
def leaky_relu(x: Any, /, negative_slope: float = 0.01) -> Any:
    """x above 0 and `negative_slope * x` below; the derivative at 0 is taken as `negative_slope`."""
    return _LEAKY_RELU(x, float(negative_slope))


def _below(x: Value) -> Value:
    """x where it is not positive, 0 elsewhere: what an exponential of the left half may be given."""
    above = plain(x) > 0
    return choose(above if shape_of(above) else bool(above), 0.0, x)


def _elu_slope(x: Value, alpha: float, scale: float) -> Value:
    above = plain(x) > 0
    if not shape_of(above):
        return scale if above else scale * alpha * exp(x)
    return choose(above, scale, scale * alpha * exp(_below(x)))


_ELU = _parametric(
    "elu",
    lambda x, alpha, scale: scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    _elu_slope,
)


@overload
def elu(x: BVar[V], /, alpha: float = 1.0) -> BVar[V]: ...
@overload
def elu(x: Arr, /, alpha: float = 1.0) -> Arr: ...
@overload
def elu(x: float, /, alpha: float = 1.0) -> float: ...
def elu(x: Any, /, alpha: float = 1.0) -> Any:
    """x above 0 and `alpha * (exp(x) - 1)` below; the derivative at 0 is taken as `alpha`."""
    return _ELU(x, float(alpha), 1.0)


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


@overload
def selu(x: BVar[V], /) -> BVar[V]: ...
@overload
def selu(x: Arr, /) -> Arr: ...
@overload
def selu(x: float, /) -> float: ...
def selu(x: Any, /) -> Any:
    """`scale * elu(x, alpha)` with the two numbers that keep mean 0 and variance 1 through layers."""
    return _ELU(checked("selu", x), _SELU_ALPHA, _SELU_SCALE)


def _celu_slope(x: Value, alpha: float) -> Value:
    return _elu_slope(x / alpha, 1.0, 1.0)


_CELU = _parametric(
    "celu",
    lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
    _celu_slope,
)


@overload
def celu(x: BVar[V], /, alpha: float = 1.0) -> BVar[V]: ...
@overload
def celu(x: Arr, /, alpha: float = 1.0) -> Arr: ...
@overload
def celu(x: float, /, alpha: float = 1.0) -> float: ...
def celu(x: Any, /, alpha: float = 1.0) -> Any:
    """x above 0 and `alpha * (exp(x / alpha) - 1)` below, for a positive `alpha`: smooth at 0.

    Raises `ValueError` for another `alpha`.
    """
    if not alpha > 0:
        raise ValueError(f"celu: alpha is {alpha}; wanted a positive number")
    return _CELU(x, float(alpha))


# -- Smooth ones -----------------------------------------------------------------------------------------------------


def _softplus_number(x: float) -> float:
    return builtins.max(x, 0.0) + math.log1p(math.exp(-builtins.abs(x)))


softplus: Elementwise = elementwise(
    "softplus",
    lambda x: np.logaddexp(x, 0),
    number=_softplus_number,
    of_input=sigmoid,
    doc="log(1 + exp(x)), a smooth relu.",
)
log_sigmoid: Elementwise = elementwise(
    "log_sigmoid",
    lambda x: -np.logaddexp(-x, 0),
    number=lambda x: -_softplus_number(-x),
    of_input=lambda x: sigmoid(-x),
    doc="The logarithm of the logistic function.",
)


def _silu_slope(x: Value) -> Value:
    x = _finite(x)
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


silu: Elementwise = elementwise(
    "silu",
    lambda x: np.maximum(x, np.finfo(x.dtype).min) * sigmoid(x),
    number=lambda x: builtins.max(x, -1e4) * sigmoid(x),
    of_input=_silu_slope,
    doc="x sigmoid(x), also known as swish.",
)

_ROOT = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


def _gelu_tanh(x: Any) -> Any:
    # Beyond ±30 the tangent is ±1 to the last bit, and the cube would overflow.
    z = clip(x, -30.0, 30.0)
    return 0.5 * _finite(x, above=True) * (1 + tanh(_ROOT * (z + _CUBIC * z * z * z)))


def _gelu_tanh_slope(x: Value) -> Value:
    z = clip(x, -30.0, 30.0)
    t = tanh(_ROOT * (z + _CUBIC * z * z * z))
    return 0.5 * (1 + t) + (0.5 * _ROOT) * z * (1 - t * t) * (1 + (3 * _CUBIC) * z * z)


_GELU_TANH = elementwise("gelu", _gelu_tanh, of_input=_gelu_tanh_slope)


def _gelu_slope(x: Value) -> Value:
    z = clip(x, -40.0, 40.0)
    return ndtr(x) + z * exp(-0.5 * z * z) * (1 / math.sqrt(2 * math.pi))


_GELU = elementwise("gelu", lambda x: _finite(x, above=True) * ndtr(x), of_input=_gelu_slope)


@overload
def gelu(x: BVar[V], /, *, approximate: bool = True) -> BVar[V]: ...
@overload
def gelu(x: Arr, /, *, approximate: bool = True) -> Arr: ...
@overload
def gelu(x: float, /, *, approximate: bool = True) -> float: ...
def gelu(x: Any, /, *, approximate: bool = True) -> Any:
    """x times the normal distribution function of x, by default in its usual approximation with a tanh.

    `approximate=False` is exact and needs SciPy, as all of `typedprop.special` does that ends in the error function.
    """
    return _GELU_TANH(x) if approximate else _GELU(x)


softsign: Elementwise = elementwise(
    "softsign",
    lambda x: (z := _finite(x)) / (1 + np.abs(z)),
    of_input=lambda x: (r := over(1.0, 1 + abs(x))) * r,
    doc="x / (1 + |x|).",
)

# -- Piecewise linear ones -------------------------------------------------------------------------------------------

hard_tanh: Elementwise = elementwise(
    "hard_tanh",
    lambda x: np.clip(x, -1, 1),
    of_output=lambda y: _levels(np.abs(plain(y)) < 1, y, 1.0, 0.0),
    doc="x between -1 and 1, and the nearer of them elsewhere; the derivative at both is taken as 0.",
)
hard_sigmoid: Elementwise = elementwise(
    "hard_sigmoid",
    lambda x: np.clip(x / 6 + 0.5, 0, 1),
    of_input=lambda x: _levels(np.abs(plain(x)) < 3, x, 1 / 6, 0.0),
    doc="The line from 0 at -3 to 1 at 3, flat elsewhere; the derivative at both is taken as 0.",
)


def _hard_silu_slope(x: Value) -> Value:
    top = plain(x)
    between = np.abs(top) < 3
    if not shape_of(between):
        return (x + 1.5) / 3 if between else float(top >= 3)
    return choose(between, (x + 1.5) / 3, _levels(top >= 3, x, 1.0, 0.0))


hard_silu: Elementwise = elementwise(
    "hard_silu",
    lambda x: _finite(x, above=True) * np.clip(x / 6 + 0.5, 0, 1),
    of_input=_hard_silu_slope,
    doc="x hard_sigmoid(x); the derivatives at -3 and 3 are taken as 0 and 1.",
)
