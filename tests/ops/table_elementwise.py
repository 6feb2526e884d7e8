"""Functions of each element: the operators, elementary functions, activations, choice and mapping."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from tests.ops.oracles import autograd_numpy as anp
from tests.ops.oracles import autograd_special as asp
from tests.ops.oracles import mp
from tests.ops.row import (
    Domain,
    Function,
    Row,
    Special,
    away_from,
    between,
    case,
    one_operand,
    two_operands,
)
from tests.untyped import tp

INF = math.inf
NAN = math.nan
# Where a function has no value, nothing is said of its derivative.
OUTSIDE = (NAN, None)


def elementary(
    name: str,
    value: Function,
    domain: Domain,
    exact: tuple[Function, Function],
    at: dict[Any, tuple[float | None, ...]],
    *,
    analytic: Any = True,
    call: Function | None = None,
    smooth: bool = True,
    atol: float = 1e-323,
) -> Row:
    """A function of one number that mpmath has too: `exact` is its value and its derivative there."""
    f, slope = exact
    return Row(
        name,
        call or operator.attrgetter(name)(tp),
        value,
        one_operand(),
        domain,
        smooth=smooth,
        orders=3,
        analytic=analytic,
        special=Special(f, (slope,), at, atol=atol),
    )


def outside(*points: float) -> dict[Any, tuple[float | None, ...]]:
    """Points where the function has no value."""
    return dict.fromkeys(points, OUTSIDE)


NEGATIVE = outside(-1.0, -INF, -1e300, -5e-324)
HUGE = outside(INF, -INF, 1e300, -1e300)
wide = between(-2, 2)
positive = between(0.3, 3)
LN2, LN10 = mp.log(2), mp.log(10)

ELEMENTARY = (
    elementary("exp", np.exp, wide, (mp.exp, mp.exp), {}),
    elementary(
        "exp2", np.exp2, wide, (lambda x: mp.power(2, x), lambda x: LN2 * mp.power(2, x)), {}, analytic=lambda x: 2**x
    ),
    elementary("expm1", np.expm1, wide, (mp.expm1, mp.exp), {}),
    elementary("log", np.log, positive, (mp.log, lambda x: 1 / x), {0.0: (-INF, INF), **NEGATIVE}),
    elementary(
        "log2", np.log2, positive, (lambda x: mp.log(x) / LN2, lambda x: 1 / (x * LN2)), {0.0: (-INF, INF), **NEGATIVE}
    ),
    elementary(
        "log10",
        np.log10,
        positive,
        (lambda x: mp.log(x) / LN10, lambda x: 1 / (x * LN10)),
        {0.0: (-INF, INF), **NEGATIVE},
    ),
    elementary(
        "log1p",
        np.log1p,
        between(-0.7, 2),
        (mp.log1p, lambda x: 1 / (1 + x)),
        {-1.0: (-INF, INF), **outside(-INF, -1e300)},
    ),
    elementary("sqrt", np.sqrt, positive, (mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x))), {0.0: (0.0, INF), **NEGATIVE}),
    elementary(
        "cbrt",
        np.cbrt,
        away_from(0.0, gap=0.3),
        (lambda x: mp.sign(x) * mp.cbrt(abs(x)), lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2)),
        {0.0: (0.0, INF)},
        analytic=lambda x: np.sign(x.real) * (x * np.sign(x.real)) ** (1 / 3),
    ),
    elementary("square", np.square, wide, (lambda x: x * x, lambda x: 2 * x), {}),
    elementary(
        "reciprocal",
        np.reciprocal,
        away_from(0.0, gap=0.4),
        (lambda x: 1 / x, lambda x: -1 / (x * x)),
        {0.0: (INF, -INF)},
    ),
    elementary("negative", np.negative, wide, (lambda x: -x, lambda x: mp.mpf(-1)), {NAN: (NAN, -1.0)}),
    elementary("abs", np.abs, away_from(0.0), (abs, mp.sign), {}, smooth=False, analytic=lambda x: x * np.sign(x.real)),
    Row("deg2rad", tp.deg2rad, np.deg2rad, one_operand(), wide, orders=3, analytic=lambda x: x * np.pi / 180),
    Row("rad2deg", tp.rad2deg, np.rad2deg, one_operand(), wide, orders=3, analytic=lambda x: x * 180 / np.pi),
    elementary("sin", np.sin, wide, (mp.sin, mp.cos), outside(INF, -INF)),
    elementary("cos", np.cos, wide, (mp.cos, lambda x: -mp.sin(x)), outside(INF, -INF)),
    elementary("tan", np.tan, between(-1.2, 1.2), (mp.tan, lambda x: mp.sec(x) ** 2), outside(INF, -INF)),
    elementary(
        "arcsin",
        np.arcsin,
        between(-0.8, 0.8),
        (mp.asin, lambda x: 1 / mp.sqrt(1 - x * x)),
        {1.0: (math.pi / 2, INF), -1.0: (-math.pi / 2, INF), **HUGE},
    ),
    elementary(
        "arccos",
        np.arccos,
        between(-0.8, 0.8),
        (mp.acos, lambda x: -1 / mp.sqrt(1 - x * x)),
        {1.0: (0.0, -INF), -1.0: (math.pi, -INF), **HUGE},
    ),
    elementary("arctan", np.arctan, wide, (mp.atan, lambda x: 1 / (1 + x * x)), {}),
    elementary("sinh", np.sinh, wide, (mp.sinh, mp.cosh), {}),
    elementary("cosh", np.cosh, wide, (mp.cosh, mp.sinh), {}),
    elementary("tanh", np.tanh, wide, (mp.tanh, lambda x: mp.sech(x) ** 2), {INF: (1.0, 0.0), -INF: (-1.0, 0.0)}),
    elementary(
        "arcsinh", np.arcsinh, wide, (mp.asinh, lambda x: 1 / mp.sqrt(1 + x * x)), {INF: (INF, 0.0), -INF: (-INF, 0.0)}
    ),
    elementary(
        "arccosh",
        np.arccosh,
        between(1.3, 3),
        (mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1)),
        {1.0: (0.0, INF), INF: (INF, 0.0), 0.0: OUTSIDE, **NEGATIVE, **outside(5e-324)},
    ),
    elementary(
        "arctanh",
        np.arctanh,
        between(-0.8, 0.8),
        (mp.atanh, lambda x: 1 / (1 - x * x)),
        {1.0: (INF, INF), -1.0: (-INF, INF), **HUGE},
    ),
    elementary(
        "sinc",
        np.sinc,
        wide,
        (
            lambda x: mp.sinc(mp.pi * x),
            lambda x: (mp.cos(mp.pi * x) - mp.sinc(mp.pi * x)) / x if x else mp.mpf(0),
        ),
        # The sine of 1e300 pi depends on the last digit of pi.
        {INF: OUTSIDE, -INF: OUTSIDE, 1e300: (0.0, 0.0), -1e300: (0.0, 0.0)},
        analytic=lambda x: np.sin(np.pi * x) / (np.pi * x),
        # The sine of pi as floats have it is 1e-16.
        atol=1e-16,
    ),
)


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def activation(
    name: str,
    value: Function,
    domain: Domain,
    exact: tuple[Function, Function],
    at: dict[Any, tuple[float | None, ...]],
    *,
    analytic: Any = None,
    autograd: Function | None = None,
    smooth: bool = True,
    call: Function | None = None,
) -> Row:
    """An activation: like `elementary`, with autograd where the complex step does not serve."""
    f, slope = exact
    return Row(
        name,
        call or operator.attrgetter(name)(tp),
        value,
        one_operand(),
        domain,
        smooth=smooth,
        orders=3,
        analytic=analytic,
        autograd=autograd,
        special=Special(f, (slope,), at),
    )


def by_halves(left: Function, right: Function) -> Function:
    """One function at and below 0, another above, for complex numbers too."""
    return lambda x: np.where(x.real > 0, right(x), left(np.where(x.real > 0, 0, x)))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
ROOT = mp.sqrt(2 / mp.pi)


def gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def exact_gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + mp.tanh(ROOT * (x + 0.044715 * x**3)))


def exact_gelu_tanh_slope(x: Any) -> Any:
    t = mp.tanh(ROOT * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x)


ACTIVATIONS = (
    activation(
        "sigmoid",
        lambda x: 1 / (1 + np.exp(-x)),
        wide,
        (logistic, lambda x: logistic(x) * logistic(-x)),
        {INF: (1.0, 0.0), -INF: (0.0, 0.0), -1e300: (0.0, 0.0), 1e300: (1.0, 0.0)},
        analytic=True,
    ),
    activation(
        "relu",
        lambda x: np.maximum(x, 0),
        away_from(0.0),
        (lambda x: max(x, mp.mpf(0)), lambda x: mp.mpf(x > 0)),
        {NAN: (NAN, 0.0)},
        analytic=by_halves(lambda x: 0 * x, lambda x: x),
        smooth=False,
    ),
    activation(
        "relu6",
        lambda x: np.clip(x, 0, 6),
        away_from(0.0, 6.0, low=-2, high=8),
        (lambda x: min(max(x, mp.mpf(0)), mp.mpf(6)), lambda x: mp.mpf(0 < x < 6)),
        {NAN: (NAN, 0.0)},
        analytic=lambda x: np.where((x.real > 0) & (x.real < 6), x, np.clip(x.real, 0, 6)),
        smooth=False,
    ),
    activation(
        "leaky_relu",
        lambda x: np.where(x > 0, x, 0.01 * x),
        away_from(0.0),
        (lambda x: x if x > 0 else mp.mpf(0.01) * x, lambda x: mp.mpf(1) if x > 0 else mp.mpf(0.01)),
        {NAN: (NAN, None)},
        analytic=by_halves(lambda x: 0.01 * x, lambda x: x),
        smooth=False,
    ),
    activation(
        "elu",
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        away_from(0.0),
        (lambda x: x if x > 0 else mp.expm1(x), lambda x: mp.mpf(1) if x > 0 else mp.exp(x)),
        {},
        analytic=by_halves(np.expm1, lambda x: x),
    ),
    activation(
        "selu",
        lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
        away_from(0.0),
        (
            lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)),
            lambda x: SELU_SCALE * (mp.mpf(1) if x > 0 else SELU_ALPHA * mp.exp(x)),
        ),
        {},
        analytic=by_halves(lambda x: SELU_SCALE * SELU_ALPHA * np.expm1(x), lambda x: SELU_SCALE * x),
        smooth=False,
    ),
    activation(
        "celu",
        lambda x: np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0) / 2)),
        away_from(0.0),
        (lambda x: x if x > 0 else 2 * mp.expm1(x / 2), lambda x: mp.mpf(1) if x > 0 else mp.exp(x / 2)),
        {},
        analytic=by_halves(lambda x: 2 * np.expm1(x / 2), lambda x: x),
        call=lambda x: tp.celu(x, 2.0),
    ),
    activation(
        "softplus",
        lambda x: np.log1p(np.exp(x)),
        wide,
        (lambda x: mp.log1p(mp.exp(x)), logistic),
        {1e300: (1e300, 1.0), INF: (INF, 1.0), -INF: (0.0, 0.0), -1e300: (0.0, 0.0)},
        analytic=True,
    ),
    activation(
        "log_sigmoid",
        lambda x: -np.log1p(np.exp(-x)),
        wide,
        (lambda x: -mp.log1p(mp.exp(-x)), lambda x: logistic(-x)),
        {-1e300: (-1e300, 1.0), -INF: (-INF, 1.0), INF: (0.0, 0.0), 1e300: (0.0, 0.0)},
        analytic=True,
    ),
    activation(
        "silu",
        lambda x: x / (1 + np.exp(-x)),
        wide,
        (lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * logistic(-x))),
        {INF: (INF, 1.0), -INF: (0.0, 0.0), 1e300: (1e300, 1.0), -1e300: (0.0, 0.0)},
        analytic=True,
    ),
    activation(
        "gelu",
        gelu_tanh,
        wide,
        (exact_gelu_tanh, exact_gelu_tanh_slope),
        {INF: (INF, 1.0), -INF: (0.0, 0.0), 1e300: (1e300, 1.0), -1e300: (0.0, 0.0)},
        analytic=True,
    ),
    activation(
        "gelu",
        lambda x: x * np.vectorize(mp.ncdf, otypes=[float])(x) if np.size(x) else x,
        wide,
        (lambda x: x * mp.ncdf(x), lambda x: mp.ncdf(x) + x * mp.npdf(x)),
        {INF: (INF, 1.0), -INF: (0.0, 0.0), 1e300: (1e300, 1.0), -1e300: (0.0, 0.0)},
        autograd=lambda x: x * 0.5 * asp.erfc(-x / np.sqrt(2)),
        call=lambda x: tp.gelu(x, approximate=False),
    ),
    activation(
        "softsign",
        lambda x: x / (1 + np.abs(x)),
        away_from(0.0),
        (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
        {INF: (1.0, 0.0), -INF: (-1.0, 0.0)},
        analytic=lambda x: x / (1 + x * np.sign(x.real)),
    ),
    activation(
        "hard_tanh",
        lambda x: np.clip(x, -1, 1),
        away_from(-1.0, 1.0, low=-3, high=3),
        (lambda x: min(max(x, mp.mpf(-1)), mp.mpf(1)), lambda x: mp.mpf(-1 < x < 1)),
        {NAN: (NAN, None)},
        analytic=lambda x: np.where(np.abs(x.real) < 1, x, np.sign(x.real)),
        smooth=False,
    ),
    activation(
        "hard_sigmoid",
        lambda x: np.clip(x / 6 + 0.5, 0, 1),
        away_from(-3.0, 3.0, low=-5, high=5),
        (
            lambda x: min(max(x / 6 + mp.mpf(0.5), mp.mpf(0)), mp.mpf(1)),
            lambda x: mp.mpf(1) / 6 if -3 < x < 3 else mp.mpf(0),
        ),
        {NAN: (NAN, None)},
        analytic=lambda x: np.where(np.abs(x.real) < 3, x / 6 + 0.5, x.real > 0),
        smooth=False,
    ),
    activation(
        "hard_silu",
        lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
        away_from(-3.0, 3.0, low=-5, high=5),
        (
            lambda x: x if x >= 3 else x * (x / 6 + mp.mpf(0.5)) if x > -3 else mp.mpf(0),
            lambda x: mp.mpf(1) if x >= 3 else x / 3 + mp.mpf(0.5) if x > -3 else mp.mpf(0),
        ),
        {NAN: (NAN, None)},
        analytic=lambda x: np.where(np.abs(x.real) < 3, x * (x / 6 + 0.5), x * (x.real > 0)),
        smooth=False,
    ),
)


def two(
    name: str,
    value: Function,
    domain: Domain | tuple[Domain, ...],
    *,
    call: Function | None = None,
    analytic: Any = None,
    autograd: Any = None,
    smooth: bool = True,
    special: Special | None = None,
    orders: int = 3,
) -> Row:
    """A function of two numbers."""
    return Row(
        name,
        call or operator.attrgetter(name)(tp),
        value,
        two_operands(),
        domain,
        smooth=smooth,
        orders=orders,
        analytic=analytic,
        autograd=autograd,
        special=special,
    )


def apart(a: Any, b: Any) -> Any:
    """The larger by real part, for the complex step."""
    return np.where(a.real > b.real, a, b)


nonzero = away_from(0.0, gap=0.4)
# Two operands that are never equal: the one is near whole numbers, the other near halves.
WHOLE: Domain = lambda rng, shape: rng.integers(-2, 3, shape) + rng.uniform(-0.15, 0.15, shape)  # noqa: E731
HALF: Domain = lambda rng, shape: WHOLE(rng, shape) + 0.5  # noqa: E731

OPERATORS = (
    two("BVar.__add__", operator.add, wide, call=operator.add, analytic=True),
    two("BVar.__sub__", operator.sub, wide, call=operator.sub, analytic=True),
    two("BVar.__mul__", operator.mul, wide, call=operator.mul, analytic=True),
    two("BVar.__truediv__", operator.truediv, (wide, nonzero), call=operator.truediv, analytic=True),
    two("BVar.__pow__", operator.pow, (positive, wide), call=operator.pow, analytic=True),
    Row("BVar.__pos__", operator.pos, operator.pos, one_operand(), wide, orders=3, analytic=True),
    Row("BVar.__neg__", operator.neg, operator.neg, one_operand(), wide, orders=3, analytic=True),
    Row("BVar.__abs__", abs, np.abs, one_operand(), away_from(0.0), smooth=False, orders=3, autograd=anp.abs),
    *(
        Row(
            "BVar.__pow__",
            lambda x, e=exponent: x**e,
            lambda x, e=exponent: x**e,
            one_operand(),
            away_from(0.0) if isinstance(exponent, int) else positive,
            orders=3,
            analytic=True,
        )
        for exponent in (-2, -1, 0, 1, 2, 3, 4, 0.5, 2.5)
    ),
)

TWO = (
    two("add", np.add, wide, analytic=True),
    two("subtract", np.subtract, wide, analytic=True),
    two("multiply", np.multiply, wide, analytic=True),
    two("divide", np.divide, (wide, nonzero), analytic=True),
    two(
        "power",
        np.power,
        (positive, wide),
        analytic=lambda a, b: np.exp(b * np.log(a)),
        special=Special(
            mp.power,
            (lambda x, y: y * mp.power(x, y - 1), lambda x, y: mp.power(x, y) * mp.log(x)),
            {
                (0.0, 0.0): (1.0, 0.0, 0.0),
                (0.0, 0.5): (0.0, INF, 0.0),
                (0.0, 1.0): (0.0, 1.0, 0.0),
                (0.0, 2.0): (0.0, 0.0, 0.0),
                (0.0, 3.0): (0.0, 0.0, 0.0),
                (0.0, -1.0): (INF, -INF, -INF),
                (-1.0, 2.0): (1.0, -2.0, NAN),
                (-2.0, 3.0): (-8.0, 12.0, NAN),
                (-2.0, -1.0): (-0.5, -0.25, NAN),
                (INF, 2.0): (INF, INF, INF),
            },
            [
                *((0.0, y) for y in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0)),
                *((1.0, y) for y in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0)),
                *((2.0, y) for y in (0.0, 0.5, 1.0, 2.0, 3.0, -1.0)),
                *((-1.0, 2.0), (-2.0, 3.0), (-2.0, -1.0), (INF, 2.0), (2.0, NAN), (NAN, 2.0)),
                *((1e300, 0.5), (1e300, -1.0), (1e-300, 0.5), (1e-300, 1.0), (5e-324, 0.5)),
            ],
        ),
    ),
    two(
        "arctan2",
        np.arctan2,
        (nonzero, nonzero),
        autograd=anp.arctan2,
        special=Special(
            mp.atan2,
            (lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y)),
            {(0.0, 0.0): (0.0, NAN, NAN), (1.0, NAN): (NAN, NAN, NAN)},
            [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, -1.0), (1e300, 1e300), (1.0, 1e300), (1.0, NAN)],
        ),
    ),
    two(
        "hypot",
        np.hypot,
        (nonzero, nonzero),
        analytic=lambda a, b: np.sqrt(a * a + b * b),
        special=Special(
            lambda a, b: mp.sqrt(a * a + b * b),
            (lambda a, b: a / mp.sqrt(a * a + b * b), lambda a, b: b / mp.sqrt(a * a + b * b)),
            {(0.0, 0.0): (0.0, 0.0, 0.0), (1.0, NAN): (NAN, NAN, NAN)},
            [(0.0, 0.0), (0.0, 1.0), (1.0, -1.0), (1e300, 1e300), (1e-300, 1e-300), (0.0, 5e-324), (1.0, NAN)],
        ),
    ),
    two(
        "maximum",
        np.maximum,
        (WHOLE, HALF),
        smooth=False,
        analytic=apart,
        special=Special(
            lambda a, b: max(a, b),
            (lambda a, b: (1 + mp.sign(a - b)) / 2, lambda a, b: (1 + mp.sign(b - a)) / 2),
            {
                (INF, INF): (INF, 0.5, 0.5),
                (-INF, 1.0): (1.0, 0.0, 1.0),
                (1.0, INF): (INF, 0.0, 1.0),
                (NAN, 1.0): (NAN, 1.0, 0.0),
                (1.0, NAN): (NAN, 0.0, 1.0),
                (NAN, NAN): (NAN, 0.5, 0.5),
            },
            [
                (0.0, 0.0),
                (0.0, -0.0),
                (1.0, 1.0),
                (1.0, 2.0),
                (-1.0, -1e300),
                (5e-324, 0.0),
                (INF, INF),
                (-INF, 1.0),
                (1.0, INF),
                (NAN, 1.0),
                (1.0, NAN),
                (NAN, NAN),
            ],
        ),
    ),
    two(
        "minimum",
        np.minimum,
        (WHOLE, HALF),
        smooth=False,
        analytic=lambda a, b: -apart(-a, -b),
        special=Special(
            lambda a, b: min(a, b),
            (lambda a, b: (1 + mp.sign(b - a)) / 2, lambda a, b: (1 + mp.sign(a - b)) / 2),
            {
                (INF, INF): (INF, 0.5, 0.5),
                (-INF, 1.0): (-INF, 1.0, 0.0),
                (NAN, 1.0): (NAN, 1.0, 0.0),
                (1.0, NAN): (NAN, 0.0, 1.0),
            },
            [(0.0, 0.0), (1.0, 1.0), (1.0, 2.0), (-1.0, -1e300), (INF, INF), (-INF, 1.0), (NAN, 1.0), (1.0, NAN)],
        ),
    ),
    two(
        "logaddexp",
        np.logaddexp,
        wide,
        analytic=lambda a, b: np.log(np.exp(a) + np.exp(b)),
        special=Special(
            lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
            (lambda a, b: 1 / (1 + mp.exp(b - a)), lambda a, b: 1 / (1 + mp.exp(a - b))),
            {
                (1e300, 1.0): (1e300, 1.0, 0.0),
                (-1e300, -1e300): (-1e300, 0.5, 0.5),
                (INF, 1.0): (INF, 1.0, 0.0),
                (INF, INF): (INF, 0.5, 0.5),
                (-INF, -INF): (-INF, 0.5, 0.5),
                (-INF, 1.0): (1.0, 0.0, 1.0),
                (NAN, 1.0): (NAN, NAN, NAN),
            },
            [
                (0.0, 0.0),
                (1000.0, 1000.0),
                (-1000.0, 1000.0),
                (1.0, 5e-324),
                (1e300, 1.0),
                (-1e300, -1e300),
                (INF, 1.0),
                (INF, INF),
                (-INF, -INF),
                (-INF, 1.0),
                (NAN, 1.0),
            ],
        ),
    ),
    Row(
        "clip",
        tp.clip,
        np.clip,
        (
            case((), (), ()),
            case((3,), (), ()),
            case((2, 3), (2, 3), (2, 3)),
            case((0,), (), ()),
            case((1,), (1,), (1,)),
            case((3, 2), (3, 2), (), layout="transposed"),
            case((4,), (), (4,), layout="strided"),
        ),
        (
            lambda rng, shape: 3 * WHOLE(rng, shape) + 0.75,
            lambda rng, shape: rng.uniform(-1.2, -0.8, shape),
            lambda rng, shape: rng.uniform(2.0, 2.5, shape),
        ),
        smooth=False,
        orders=3,
        analytic=lambda x, low, high: -apart(-apart(x, low), -high),
    ),
)

MASK = np.array([True, False, True])
CHOICES = (
    Row(
        "where",
        lambda a, b, condition: tp.where(condition, a, b),
        lambda a, b, condition: np.where(condition, a, b),
        (
            case((), (), condition=True),
            case((), (), condition=False),
            case((3,), (3,), condition=MASK),
            case((3,), (), condition=MASK),
            case((), (3,), condition=MASK),
            case((), (), condition=MASK),
            case((0,), (0,), condition=np.zeros(0, np.bool)),
            case((1,), (1,), condition=np.array([True])),
            case((2, 3), (2, 3), condition=np.array([MASK, ~MASK]), layout="transposed"),
            case((2, 3), (), condition=np.array([MASK, ~MASK])),
            case((3,), (3,), condition=MASK, layout="strided"),
        ),
        wide,
        orders=3,
        analytic=True,
    ),
    Row(
        "map",
        lambda x: tp.map(lambda v: tp.sin(v) * v if v > 0 else v * v, x),
        lambda x: np.where(x > 0, np.sin(x) * x, x * x),
        one_operand()[1:],
        away_from(0.0),
        orders=3,
        analytic=lambda x: np.where(x.real > 0, np.sin(x) * x, x * x),
    ),
    Row(
        "map",
        lambda x, y: tp.map(lambda v: tp.sin(v) * y, x),
        lambda x, y: np.sin(x) * y,
        # A function that is never called says nothing of the operands that it would have used.
        tuple(case(at.shapes[0], (), layout=at.layout) for at in one_operand() if at.shapes[0] not in ((), (0,))),
        wide,
        orders=3,
        analytic=True,
    ),
    Row(
        "zip_with",
        lambda x, y: tp.zip_with(lambda a, b: a * a * tp.exp(b), x, y),
        lambda x, y: x * x * np.exp(y),
        tuple(case(*at.shapes * 2, layout=at.layout) for at in one_operand()[1:]),
        wide,
        orders=3,
        analytic=True,
    ),
)


def flat(name: str, value: Function, call: Function | None = None) -> Row:
    """A function whose derivative is 0."""
    return Row(
        name,
        call or getattr(tp, name),
        value,
        one_operand(),
        away_from(-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2),
        smooth=False,
        orders=3,
        analytic=lambda x: value(x.real) + 0j,
        special=Special(
            lambda x: mp.mpf(float(value(float(x)))),
            (lambda x: mp.mpf(0),),
            {INF: (float(value(INF)), 0.0), -INF: (float(value(-INF)), 0.0), NAN: (NAN, 0.0)},
        ),
    )


FLAT = (
    flat("sign", np.sign),
    flat("floor", np.floor),
    flat("ceil", np.ceil),
    flat("trunc", np.trunc),
    flat("round", np.round),
    Row(
        "round",
        lambda x: tp.round(x, 1),
        lambda x: np.round(x, 1),
        one_operand(),
        lambda rng, shape: rng.integers(-20, 20, shape) / 10 + rng.uniform(-0.03, 0.03, shape),
        smooth=False,
        orders=3,
        analytic=lambda x: np.round(x.real, 1) + 0j,
    ),
)

ROWS: tuple[Row, ...] = (*OPERATORS, *ELEMENTARY, *ACTIVATIONS, *TWO, *CHOICES, *FLAT)
