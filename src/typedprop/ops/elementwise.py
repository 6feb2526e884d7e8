"""Functions of each element: exponentials, roots, trigonometry, `maximum` and its like, rounding, the choice `where`.

Each line declares a function, how NumPy computes it, and its derivative. They keep the operand's type: `BVar[R[N]]` to
`BVar[R[N]]`, a plain array to a plain array, a float to a float; float32 stays float32. What holds at kinks and poles
is in docs/conventions.md.
"""

# The overloads of `where` and `clip` go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import (
    ADD,
    DIVIDE,
    MULTIPLY,
    POWER,
    SUBTRACT,
    broadcast_shape,
    broadcast_to,
    describe,
    dtype_of,
    plain,
    shape_of,
    sign_of,
    sum_to,
)
from typedprop.bvar import BVar, constant
from typedprop.elementwise2 import Elementwise2, elementwise2
from typedprop.errors import DTypeError, ShapeError
from typedprop.index_sum import is_plain
from typedprop.op import (
    Elementwise,
    checked,
    checked_plain,
    elementwise,
    opened,
    record_parts,
    unary,
)
from typedprop.ops import fused
from typedprop.shapes import L, R
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
V = TypeVar("V")
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)


# -- What derivatives are written with -----------------------------------------------------------------------------

reciprocal: Elementwise = elementwise(
    "reciprocal",
    np.reciprocal,
    number=lambda x: 1.0 / x,
    of_output=lambda y: -(y * y),
    doc="1 / x; infinite at 0.",
)


def over(c: float, x: Value) -> Value:
    """c / x for a positive number c: infinite at 0, without an error or a warning."""
    if type(x) is float:
        return c / x if x else math.copysign(math.inf, x)
    with np.errstate(all="ignore"):
        return c / x if is_plain(x) else c * reciprocal(x)


def quiet(f: Callable[..., Value]) -> Callable[..., Value]:
    """The same function, without warnings: for derivatives that are right where a step of theirs overflows."""

    def quiet_f(*args: Value) -> Value:
        with np.errstate(all="ignore"):
            return f(*args)

    return quiet_f


def ratio(x: Value, y: Value) -> Value:
    """x / y for |x| <= y, 0 where y is 0: the derivative of a length y, for which 0 at 0 is a subgradient."""
    zero = plain(y) == 0.0
    if not shape_of(zero):
        return 0.0 * x if zero else x / y
    return x / (choose(zero, 1.0, y) if zero.any() else y)


# -- Exponentials and logarithms -------------------------------------------------------------------------------------

exp: Elementwise = elementwise(
    "exp", np.exp, number=math.exp, of_output=lambda y: y, doc="The exponential; its own derivative."
)
exp2: Elementwise = elementwise(
    "exp2", np.exp2, number=math.exp2, of_output=lambda y: _LN2 * y, doc="2 to the power x."
)
expm1: Elementwise = elementwise(
    "expm1", np.expm1, number=math.expm1, of_input=exp, doc="exp(x) - 1, to full precision where x is small."
)
log: Elementwise = elementwise(
    "log",
    np.log,
    number=math.log,
    of_input=lambda x: over(1.0, x),
    doc="The natural logarithm; derivative 1/x, infinite at 0.",
)
log2: Elementwise = elementwise(
    "log2", np.log2, number=math.log2, of_input=lambda x: over(1 / _LN2, x), doc="The logarithm to base 2."
)
log10: Elementwise = elementwise(
    "log10", np.log10, number=math.log10, of_input=lambda x: over(1 / _LN10, x), doc="The logarithm to base 10."
)
log1p: Elementwise = elementwise(
    "log1p",
    np.log1p,
    number=math.log1p,
    of_input=lambda x: over(1.0, 1 + x),
    doc="log(1 + x), to full precision where x is small.",
)

# -- Powers and roots ------------------------------------------------------------------------------------------------

sqrt: Elementwise = elementwise(
    "sqrt",
    np.sqrt,
    number=math.sqrt,
    of_output=lambda y: over(0.5, y),
    doc="The square root; derivative 1/(2 sqrt(x)), infinite at 0 like its true limit.",
)
cbrt: Elementwise = elementwise(
    "cbrt",
    np.cbrt,
    number=math.cbrt,
    of_output=lambda y: over(1 / 3, y * y),
    doc="The cube root, also of negative numbers; its derivative is infinite at 0.",
)
square: Elementwise = elementwise(
    "square", np.square, number=lambda x: x * x, of_input=lambda x: 2 * x, doc="x squared."
)
add: Elementwise2 = Elementwise2("add", ADD, "`x + y`.")
subtract: Elementwise2 = Elementwise2("subtract", SUBTRACT, "`x - y`.")
multiply: Elementwise2 = Elementwise2(
    "multiply", MULTIPLY, "`x * y`, element by element; for matrix products see `matmul`."
)
divide: Elementwise2 = Elementwise2("divide", DIVIDE, "`x / y`; infinite or NaN at y = 0, as for NumPy.")
power: Elementwise2 = Elementwise2(
    "power",
    POWER,
    "x to the power y, as `x ** y`. The derivative by x is right at x = 0 too; the one by y is 0 at x = 0, and NaN for "
    "a negative x. A constant exponent never costs a logarithm.",
)


@overload
def deg2rad(x: BVar[V], /) -> BVar[V]: ...
@overload
def deg2rad(x: Arr, /) -> Arr: ...
@overload
def deg2rad(x: float, /) -> float: ...
def deg2rad(x: Any, /) -> Any:
    """Degrees in radians, x pi / 180."""
    return checked("deg2rad", x) * (math.pi / 180)


@overload
def rad2deg(x: BVar[V], /) -> BVar[V]: ...
@overload
def rad2deg(x: Arr, /) -> Arr: ...
@overload
def rad2deg(x: float, /) -> float: ...
def rad2deg(x: Any, /) -> Any:
    """Radians in degrees, 180 x / pi."""
    return checked("rad2deg", x) * (180 / math.pi)


@overload
def negative(x: BVar[V], /) -> BVar[V]: ...
@overload
def negative(x: Arr, /) -> Arr: ...
@overload
def negative(x: float, /) -> float: ...
def negative(x: Any, /) -> Any:
    """-x, with the type of x."""
    return -checked("negative", x)


abs: Elementwise = elementwise(
    "abs",
    np.abs,
    number=builtins.abs,
    of_input=sign_of,
    doc="The magnitude; its derivative is the sign, 0 at 0.",
)

# -- Trigonometry ----------------------------------------------------------------------------------------------------

sin: Elementwise = elementwise("sin", np.sin, number=math.sin, of_input=lambda x: cos(x), doc="The sine, of radians.")
cos: Elementwise = elementwise(
    "cos", np.cos, number=math.cos, of_input=lambda x: -sin(x), doc="The cosine, of radians."
)
tan: Elementwise = elementwise(
    "tan", np.tan, number=math.tan, of_output=lambda y: 1 + y * y, doc="The tangent, of radians."
)
arcsin: Elementwise = elementwise(
    "arcsin",
    np.arcsin,
    number=math.asin,
    of_input=quiet(lambda x: over(1.0, sqrt((1 - x) * (1 + x)))),
    doc="The inverse sine in radians, of -1 to 1; its derivative is infinite at both ends.",
)
arccos: Elementwise = elementwise(
    "arccos",
    np.arccos,
    number=math.acos,
    of_input=quiet(lambda x: -over(1.0, sqrt((1 - x) * (1 + x)))),
    doc="The inverse cosine in radians, of -1 to 1; its derivative is -infinite at both ends.",
)
arctan: Elementwise = elementwise(
    "arctan",
    np.arctan,
    number=math.atan,
    of_input=quiet(lambda x: over(1.0, 1 + x * x)),
    doc="The inverse tangent in radians, between -pi/2 and pi/2.",
)
sinh: Elementwise = elementwise(
    "sinh", np.sinh, number=math.sinh, of_input=lambda x: cosh(x), doc="The hyperbolic sine."
)
cosh: Elementwise = elementwise(
    "cosh", np.cosh, number=math.cosh, of_input=lambda x: sinh(x), doc="The hyperbolic cosine."
)


tanh: Elementwise = elementwise(
    "tanh",
    np.tanh,
    number=math.tanh,
    of_output=lambda y: 1 - y * y,
    apply=fused.times_tanh_slope,
    doc="The hyperbolic tangent.",
)
hypot: Elementwise2 = elementwise2(
    "hypot",
    np.hypot,
    number=math.hypot,
    left=lambda x, y, length: ratio(x, length),
    right=lambda x, y, length: ratio(y, length),
    doc="The length of (x, y), without overflow; its derivatives at (0, 0) are taken as 0.",
)
arcsinh: Elementwise = elementwise(
    "arcsinh",
    np.arcsinh,
    number=math.asinh,
    of_input=lambda x: over(1.0, hypot(1.0, x)),
    doc="The inverse hyperbolic sine.",
)
arccosh: Elementwise = elementwise(
    "arccosh",
    np.arccosh,
    number=math.acosh,
    of_input=quiet(lambda x: over(1.0, sqrt(x - 1) * sqrt(x + 1))),
    doc="The inverse hyperbolic cosine, of 1 and above; its derivative is infinite at 1.",
)
arctanh: Elementwise = elementwise(
    "arctanh",
    np.arctanh,
    number=math.atanh,
    of_input=lambda x: over(1.0, (1 - x) * (1 + x)),
    doc="The inverse hyperbolic tangent, of -1 to 1; it and its derivative are infinite at both ends.",
)
arctan2: Elementwise2 = elementwise2(
    "arctan2",
    np.arctan2,
    number=math.atan2,
    keep=lambda y, x, angle: (y, x, hypot(y, x)),
    left=quiet(lambda y, x, r: x / r / r),
    right=quiet(lambda y, x, r: -y / r / r),
    doc="`arctan2(y, x)`: the angle of the point (x, y) in radians, from -pi to pi; its derivatives at (0, 0) are NaN.",
)


def _sinc_derivative(x: Any, order: int) -> Any:
    """The derivative of sin(pi x)/(pi x) of an order: by its power series near 0, by recursion elsewhere.

    Differentiating x sinc(x) = sin(pi x)/pi n times gives x s_n + n s_(n-1) = pi^(n-1) sin(pi x + n pi/2), which
    divides by x; the series divides by nothing.
    """
    x = np.asarray(x)
    if order == 0:
        return np.sinc(x)
    near = np.abs(x) < 1
    z = np.where(near, x, 0.0)
    series = np.zeros_like(z)
    for k in range(30, (order + 1) // 2 - 1, -1):
        # The term x^(2k - order) of the series, by Horner's rule in x squared.
        factor = math.perm(2 * k, order) / math.factorial(2 * k + 1)
        series = series * z * z + (-1) ** k * factor * math.pi ** (2 * k)
    if order % 2:
        series = series * z
    far = np.where(near, 1.0, x)
    s = np.sinc(far)
    for n in range(1, order + 1):
        s = (math.pi ** (n - 1) * np.sin(math.pi * far + n * math.pi / 2) - n * s) / far
    return np.where(near, series, s).astype(x.dtype)


def _scaled_sinc(t: Value, kept: tuple[Value, int]) -> Value:
    x, order = kept
    return t * _SINC(x, order + 1)


_SINC = unary("sinc", _sinc_derivative, lambda x, y, order: (x, order), _scaled_sinc, _scaled_sinc, fresh=True)


@overload
def sinc(x: BVar[V], /) -> BVar[V]: ...
@overload
def sinc(x: Arr, /) -> Arr: ...
@overload
def sinc(x: float, /) -> float: ...
def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), and 1 at 0, with derivatives of every order that are right there too."""
    return _SINC(x, 0)


# -- Extremes --------------------------------------------------------------------------------------------------------


def _share(a: Value, b: Value, y: Value) -> tuple[Any]:
    """Which part of the cotangent of the extreme `y` is a's: all or nothing, and half of it in a tie. A NaN wins."""
    p, q, top = plain(a), plain(b), plain(y)
    by_a = (p == top) | np.isnan(p)
    by_b = (q == top) | np.isnan(q)
    share = 0.5 * (1.0 + by_a - by_b)
    return (share.astype(top.dtype) if shape_of(share) else float(share),)


maximum: Elementwise2 = elementwise2(
    "maximum",
    np.maximum,
    keep=_share,
    left=lambda share: share,
    right=lambda share: 1 - share,
    doc="The larger of each two elements; in a tie both get half of the gradient.",
)
minimum: Elementwise2 = elementwise2(
    "minimum",
    np.minimum,
    keep=_share,
    left=lambda share: share,
    right=lambda share: 1 - share,
    doc="The smaller of each two elements; in a tie both get half of the gradient.",
)


@overload
def clip(x: BVar[V], low: BVar[float] | float | None, high: BVar[float] | float | None, /) -> BVar[V]: ...
@overload
def clip(
    x: BVar[V], low: BVar[V] | V | BVar[float] | float | None, high: BVar[V] | V | BVar[float] | float | None, /
) -> BVar[V]: ...
@overload
def clip(x: R[N, D], low: R[N, D] | float | None, high: R[N, D] | float | None, /) -> R[N, D]: ...
@overload
def clip(x: L[M, N, D], low: L[M, N, D] | float | None, high: L[M, N, D] | float | None, /) -> L[M, N, D]: ...
@overload
def clip(x: Arr, low: float | None, high: float | None, /) -> Arr: ...
@overload
def clip(x: Arr, low: BVar[Arr], high: BVar[Arr] | Arr | BVar[float] | float | None, /) -> BVar[Arr]: ...
@overload
def clip(x: Arr, low: Arr | BVar[float] | float | None, high: BVar[Arr], /) -> BVar[Arr]: ...
@overload
def clip(x: Arr, low: BVar[float], high: BVar[float] | float | None, /) -> BVar[Arr]: ...
@overload
def clip(x: Arr, low: float | None, high: BVar[float], /) -> BVar[Arr]: ...
@overload
def clip(x: float, low: float | None, high: float | None, /) -> float: ...
def clip(x: Any, low: Any, high: Any, /) -> Any:
    """`minimum(maximum(x, low), high)`: x, but not below `low` nor above `high`; None is no bound.

    At a bound, x and the bound get half of the gradient each. Raises `ShapeError` if the sizes differ, `TypeError`
    without any bound.
    """
    if low is None and high is None:
        raise TypeError("clip: low and high are both None; wanted at least one bound")
    for bound in (low, high):
        if bound is not None:
            broadcast_shape("clip", shape_of(checked("clip", x)), shape_of(checked("clip", bound)))
    y = x if low is None else maximum(x, low)
    return y if high is None else minimum(y, high)


# -- Logistic functions ----------------------------------------------------------------------------------------------


def _sigmoid_number(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    z = math.exp(x)
    return z / (1 + z)


sigmoid: Elementwise = elementwise(
    "sigmoid",
    fused.sigmoid,
    number=_sigmoid_number,
    of_output=lambda y: y * (1 - y),
    apply=fused.times_sigmoid_slope,
    doc="The logistic function 1 / (1 + exp(-x)), without overflow at either end.",
)


def _apart(a: Value, b: Value) -> Value:
    """a - b, and 0 where both are the same infinity."""
    p, q = plain(a), plain(b)
    same = np.isinf(p) & (p == q)
    if not same.any():
        return a - b
    with np.errstate(invalid="ignore"):
        return choose(same if shape_of(same) else bool(same), 0.0, a - b)


logaddexp: Elementwise2 = elementwise2(
    "logaddexp",
    np.logaddexp,
    keep=lambda a, b, y: (a, b),
    left=lambda a, b: sigmoid(_apart(a, b)),
    right=lambda a, b: sigmoid(_apart(b, a)),
    doc="log(exp(x) + exp(y)), without overflow; two equal infinities share the gradient.",
)

# -- Without a gradient ----------------------------------------------------------------------------------------------


class Stepwise:
    """A function whose derivative is 0 wherever it has one: a rounding, or the sign. Its result is a constant."""

    def __init__(self, name: str, value: Callable[..., Any], doc: str) -> None:
        self.__name__ = name
        self.__doc__ = doc
        self._value = value

    @overload
    def __call__(self, x: BVar[V], /) -> BVar[V]: ...
    @overload
    def __call__(self, x: Arr, /) -> Arr: ...
    @overload
    def __call__(self, x: float, /) -> float: ...
    def __call__(self, x: Any, /) -> Any:
        """Of each element of `x`, a BVar, an array of any shape or a number; the result has its shape and dtype."""
        return stepwise(self.__name__, self._value, x)

    def __repr__(self) -> str:
        return f"<typedprop elementwise {self.__name__}>"


def stepwise(name: str, value: Callable[..., Any], x: Any) -> Any:
    """`value` of x without its history; a Python float for a number."""
    if type(x) is not BVar:
        y = value(checked_plain(name, x))
        return y if shape_of(y) else float(y)
    if x._tape is not None:
        x._tape.check_open()
    y = value(plain(x))
    return constant(y if shape_of(y) else float(y))


sign: Stepwise = Stepwise("sign", np.sign, "-1, 0 or 1; its gradient is 0, also at 0.")
floor: Stepwise = Stepwise("floor", np.floor, "The largest whole number that is not above x; its gradient is 0.")
ceil: Stepwise = Stepwise("ceil", np.ceil, "The smallest whole number that is not below x; its gradient is 0.")
trunc: Stepwise = Stepwise("trunc", np.trunc, "x without its fraction; its gradient is 0.")


@overload
def round(x: BVar[V], decimals: int = 0, /) -> BVar[V]: ...
@overload
def round(x: Arr, decimals: int = 0, /) -> Arr: ...
@overload
def round(x: float, decimals: int = 0, /) -> float: ...
def round(x: Any, decimals: int = 0, /) -> Any:
    """x rounded to so many decimals, halves to the even neighbour; its gradient is 0."""
    return stepwise("round", lambda v: np.round(v, decimals), x)


# -- Choice ----------------------------------------------------------------------------------------------------------


def _masked(g: Value, mask: Any) -> Value:
    """`g` where `mask`, 0 elsewhere, whatever stands there (0 times NaN would be NaN)."""
    if is_plain(g):
        return np.where(mask, g, np.zeros((), g.dtype if shape_of(g) else np.float64))
    return choose(mask, g, 0.0)


def _push_chosen(t: Value, residual: tuple[Any, Any, Any]) -> Value:
    mask, _shape, dtype = residual
    return choose(mask, t if shape_of(t) == mask.shape else broadcast_to(t, mask.shape, dtype), 0.0)


# residual: (mask, the operand's shape, the result's dtype); a scalar operand's cotangent is summed where it was chosen.
_CHOSEN = Rule("where", lambda g, r: sum_to(_masked(g, r[0]), r[1]), _push_chosen, fresh=True)


@overload
def where(
    condition: R[N, np.bool], a: BVar[R[N, D]], b: BVar[R[N, D]] | R[N, D] | BVar[float] | float, /
) -> BVar[R[N, D]]: ...
@overload
def where(condition: R[N, np.bool], a: R[N, D] | BVar[float] | float, b: BVar[R[N, D]], /) -> BVar[R[N, D]]: ...
@overload
def where(
    condition: L[M, N, np.bool], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D] | BVar[float] | float, /
) -> BVar[L[M, N, D]]: ...
@overload
def where(
    condition: L[M, N, np.bool], a: L[M, N, D] | BVar[float] | float, b: BVar[L[M, N, D]], /
) -> BVar[L[M, N, D]]: ...
@overload
def where(condition: R[N, np.bool], a: BVar[float], b: BVar[float] | float, /) -> BVar[R[N]]: ...
@overload
def where(condition: L[M, N, np.bool], a: BVar[float], b: BVar[float] | float, /) -> BVar[L[M, N]]: ...
@overload
def where(condition: R[N, np.bool], a: R[N, D], b: R[N, D] | float, /) -> R[N, D]: ...
@overload
def where(condition: R[N, np.bool], a: float, b: R[N, D], /) -> R[N, D]: ...
@overload
def where(condition: L[M, N, np.bool], a: L[M, N, D], b: L[M, N, D] | float, /) -> L[M, N, D]: ...
@overload
def where(condition: L[M, N, np.bool], a: float, b: L[M, N, D], /) -> L[M, N, D]: ...
@overload
def where(condition: bool, a: BVar[float], b: BVar[float] | float, /) -> BVar[float]: ...
@overload
def where(condition: bool, a: float, b: BVar[float], /) -> BVar[float]: ...
def where(condition: Any, a: Any, b: Any, /) -> Any:
    """`a` where the plain mask `condition` holds, `b` elsewhere; scalars go with anything.

    Only the chosen elements receive a cotangent. A branch that is not chosen is computed all the same, and an infinite
    derivative in it makes NaN of the zero that it receives: give such a branch a safe argument,
    `where(m, sqrt(where(m, x, 1.0)), 0.0)`.

    Raises `ShapeError` if the sizes differ, `DTypeError` if the condition is not bool.
    """
    if type(condition) is BVar:
        raise DTypeError("where: the condition is a BVar; wanted a plain mask, such as b.value > 0")
    if isinstance(condition, np.ma.MaskedArray):
        raise DTypeError("where: the condition is a MaskedArray, whose mask would be lost; wanted a plain mask")
    try:
        mask = np.array(condition)
    except ValueError:
        raise DTypeError(f"where: the condition is a ragged {type(condition).__name__}; wanted a plain mask") from None
    if mask.dtype != np.bool:
        raise DTypeError(f"where: the condition has dtype {mask.dtype}; wanted bool")
    tape, (x, y) = opened("where", a, b)
    operands = (("a", x), ("b", y), ("condition", mask))
    shape = max((shape_of(operand) for _, operand in operands), key=len)
    for name, operand in operands:
        if shape_of(operand) not in ((), shape):
            raise ShapeError(
                f"where: {name} is {describe(shape_of(operand))} beside {describe(shape)}; sizes must be equal"
            )
    value: Any = choose(mask, x, y) if type(x) is BVar or type(y) is BVar else np.where(mask, x, y)
    if not shape:
        value = value if type(value) is BVar else float(value)
    full = mask if mask.shape == shape else np.broadcast_to(mask, shape)
    masks = (full, ~full)
    return record_parts(tape, value, (a, b), lambda k: (_CHOSEN.code, (masks[k], shape_of((x, y)[k]), dtype_of(value))))


# The same for rules, whose operands may be of any type.
choose: Any = where
