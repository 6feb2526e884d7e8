"""Special functions: the error function, the gamma function and their kin.

Their values come from SciPy, an optional library: `pip install 'typedprop[special]'`. What needs none of it (`expit`,
`logit`, `xlogy`, `entr`) works without. The types are those of elementwise.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import dtype_of, plain, shape_of
from typedprop.bvar import BVar
from typedprop.elementwise2 import Elementwise2, elementwise2
from typedprop.extras import extra
from typedprop.op import Elementwise, checked, elementwise, unary
from typedprop.ops.elementwise import choose, exp, log, over, quiet, sigmoid, sign, square
from typedprop.tape import Value

V = TypeVar("V")
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])

_ROOT_PI = math.sqrt(math.pi)


@functools.cache
def _scipy(name: str, needed_by: str) -> Callable[..., Any]:
    """SciPy's function; an ImportError that says how to install it where it is missing."""
    module = extra("scipy.special", name="special", needed_by=f"typedprop.special.{needed_by}")
    function: Callable[..., Any] = getattr(module, name)
    return function


def _from_scipy(name: str) -> Callable[..., Any]:
    """SciPy's function of this name, imported when it is first called."""
    return lambda *operands: _scipy(name, name)(*operands)


# -- The error function and the normal distribution ------------------------------------------------------------------

erf: Elementwise = elementwise(
    "erf",
    _from_scipy("erf"),
    of_input=quiet(lambda x: (2 / _ROOT_PI) * exp(-square(x))),
    doc="The error function, the integral of 2/sqrt(pi) exp(-t^2) from 0 to x.",
)
erfc: Elementwise = elementwise(
    "erfc",
    _from_scipy("erfc"),
    of_input=quiet(lambda x: (-2 / _ROOT_PI) * exp(-square(x))),
    doc="1 - erf(x), to full precision where it is small.",
)
erfinv: Elementwise = elementwise(
    "erfinv",
    _from_scipy("erfinv"),
    of_output=quiet(lambda y: (0.5 * _ROOT_PI) * exp(square(y))),
    doc="The inverse of erf, of -1 to 1; it and its derivative are infinite at both ends.",
)
ndtr: Elementwise = elementwise(
    "ndtr",
    _from_scipy("ndtr"),
    of_input=quiet(lambda x: (1 / math.sqrt(2 * math.pi)) * exp(-0.5 * square(x))),
    doc="The distribution function of the standard normal distribution.",
)
# The density over the distribution function, and its own derivative; far to the left it is nearly -x.
_mills: Elementwise = elementwise(
    "ndtr_ratio",
    lambda x: math.sqrt(2 / math.pi) / _scipy("erfcx", "log_ndtr")(x * -math.sqrt(0.5)),
    of_input=lambda x: (ratio := _mills(x)) * (-x - ratio),
)
log_ndtr: Elementwise = elementwise(
    "log_ndtr",
    _from_scipy("log_ndtr"),
    of_input=lambda x: _mills(x),
    doc="The logarithm of ndtr(x), also where that underflows to 0.",
)

# -- The gamma function ----------------------------------------------------------------------------------------------


def _polygamma_value(x: Any, order: int) -> Any:
    y = _scipy("digamma", "digamma")(x) if order == 0 else _scipy("polygamma", "polygamma")(order, x)
    return np.asarray(y, dtype=dtype_of(x))


def _polygamma_scaled(t: Value, kept: tuple[Value, int]) -> Value:
    x, order = kept
    return t * _POLYGAMMA(x, order + 1)


_POLYGAMMA = unary(
    "polygamma", _polygamma_value, lambda x, y, order: (x, order), _polygamma_scaled, _polygamma_scaled, fresh=True
)


@overload
def polygamma(order: int, x: BVar[V], /) -> BVar[V]: ...
@overload
def polygamma(order: int, x: Arr, /) -> Arr: ...
@overload
def polygamma(order: int, x: float, /) -> float: ...
def polygamma(order: int, x: Any, /) -> Any:
    """The derivative of an order of `digamma`, which is order 0. Raises `ValueError` for a negative order."""
    if order < 0:
        raise ValueError(f"polygamma: order is {order}; wanted 0 or more")
    return _POLYGAMMA(x, int(order))


@overload
def digamma(x: BVar[V], /) -> BVar[V]: ...
@overload
def digamma(x: Arr, /) -> Arr: ...
@overload
def digamma(x: float, /) -> float: ...
def digamma(x: Any, /) -> Any:
    """The derivative of `gammaln`."""
    return _POLYGAMMA(checked("digamma", x), 0)


gammaln: Elementwise = elementwise(
    "gammaln",
    _from_scipy("gammaln"),
    of_input=digamma,
    doc="The logarithm of the absolute value of the gamma function.",
)


def _betaln(a: Any, b: Any) -> Any:
    # SciPy takes a number beside a float32 array for a float64.
    return np.asarray(_scipy("betaln", "betaln")(a, b), dtype=dtype_of(a if shape_of(a) else b))


betaln: Elementwise2 = elementwise2(
    "betaln",
    _betaln,
    keep=lambda a, b, y: (a, b),
    left=lambda a, b: digamma(a) - digamma(a + b),
    right=lambda a, b: digamma(b) - digamma(a + b),
    doc="The logarithm of the absolute value of the beta function.",
)

# -- Bessel functions ------------------------------------------------------------------------------------------------


def _bessel_value(x: Any, order: int, scaled: bool) -> Any:
    name = {0: "i0", 1: "i1"}.get(order)
    if name is not None:
        return _scipy(name + ("e" if scaled else ""), "i0")(x)
    # Of subnormal numbers SciPy answers NaN; from order 2 on the power of x is 0 there.
    x = np.where(np.abs(x) < np.finfo(dtype_of(x)).tiny, 0, x)
    return _scipy("ive" if scaled else "iv", "i0")(order, x).astype(dtype_of(x))


def _bessel_slope(t: Value, kept: tuple[Value, Value, int, bool]) -> Value:
    """Half of the two neighbours in order, which divides by nothing at 0; if scaled, less sign(x) y."""
    x, y, order, scaled = kept
    above = _BESSEL(x, order + 1, scaled)
    d = above if order == 0 else 0.5 * (_BESSEL(x, order - 1, scaled) + above)
    return t * (d - sign(x) * y if scaled else d)


_BESSEL = unary(
    "bessel", _bessel_value, lambda x, y, order, scaled: (x, y, order, scaled), _bessel_slope, _bessel_slope, fresh=True
)


@overload
def i0(x: BVar[V], /) -> BVar[V]: ...
@overload
def i0(x: Arr, /) -> Arr: ...
@overload
def i0(x: float, /) -> float: ...
def i0(x: Any, /) -> Any:
    """The modified Bessel function of the first kind of order 0."""
    return _BESSEL(checked("i0", x), 0, False)


@overload
def i1(x: BVar[V], /) -> BVar[V]: ...
@overload
def i1(x: Arr, /) -> Arr: ...
@overload
def i1(x: float, /) -> float: ...
def i1(x: Any, /) -> Any:
    """The modified Bessel function of the first kind of order 1."""
    return _BESSEL(checked("i1", x), 1, False)


@overload
def i0e(x: BVar[V], /) -> BVar[V]: ...
@overload
def i0e(x: Arr, /) -> Arr: ...
@overload
def i0e(x: float, /) -> float: ...
def i0e(x: Any, /) -> Any:
    """exp(-|x|) i0(x), which does not overflow; its derivative at the kink at 0 is taken as 0."""
    return _BESSEL(checked("i0e", x), 0, True)


@overload
def i1e(x: BVar[V], /) -> BVar[V]: ...
@overload
def i1e(x: Arr, /) -> Arr: ...
@overload
def i1e(x: float, /) -> float: ...
def i1e(x: Any, /) -> Any:
    """exp(-|x|) i1(x), which does not overflow."""
    return _BESSEL(checked("i1e", x), 1, True)


# -- Without SciPy ---------------------------------------------------------------------------------------------------

expit: Elementwise = sigmoid


def _logit(x: Any) -> Any:
    return np.log(x) - np.log1p(-x)


logit: Elementwise = elementwise(
    "logit",
    _logit,
    number=lambda x: math.log(x) - math.log1p(-x),
    of_input=quiet(lambda x: over(1.0, x) + over(1.0, 1 - x)),
    doc="log(x / (1 - x)), the inverse of expit, of 0 to 1; it and its derivative are infinite at both ends.",
)


def _safe(x: Value, zero: Any) -> Value:
    """x, and 1 where `zero` holds."""
    if not shape_of(zero):
        return 1.0 if zero else x
    return choose(zero, 1.0, x) if zero.any() else x


def _x_log_y(x: Any, y: Any) -> Any:
    zero = np.asarray((x == 0) & ~np.isnan(y))
    z = x * np.log(np.where(zero, 1, y))
    return np.where(zero, 0, z).astype(np.result_type(x, y))


def _log_slope(x: Value, y: Value) -> Value:
    """x / y, and 0 where x is 0."""
    return x / _safe(y, np.asarray(plain(x) == 0) & (plain(y) == 0))


xlogy: Elementwise2 = elementwise2(
    "xlogy",
    _x_log_y,
    keep=lambda x, y, z: (x, y),
    left=quiet(lambda x, y: log(y)),
    right=quiet(_log_slope),
    doc="x log(y), and 0 where x is 0, also at y = 0; its derivative by y is 0 there too.",
)


def _entr(x: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        y = -x * np.log(x)
    return np.where(x < 0, -np.inf, np.where(x == 0, 0, y)).astype(dtype_of(x))


entr: Elementwise = elementwise(
    "entr",
    _entr,
    of_input=quiet(lambda x: -1 - log(x)),
    doc="-x log(x), 0 at 0 and -inf below: a term of an entropy. Its derivative at 0 is infinite.",
)
