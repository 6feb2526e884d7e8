"""Special functions: those of SciPy, the softmax and its kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.ops.oracles import autograd_numpy as anp
from tests.ops.oracles import autograd_special as asp
from tests.ops.oracles import mp
from tests.ops.oracles import scipy_special as sp
from tests.ops.row import Case, Domain, Function, Row, Special, between, case, one_operand, two_operands
from tests.untyped import tp

INF = math.inf
NAN = math.nan
OUTSIDE = (NAN, None)


def special(
    name: str,
    value: Function,
    domain: Domain,
    exact: tuple[Function, Function],
    at: dict[Any, tuple[float | None, ...]],
    *,
    call: Function | None = None,
    analytic: Any = None,
    autograd: Function | None = None,
    **points: Any,
) -> Row:
    """A special function of one number, with its value and derivative by mpmath."""
    return Row(
        f"special.{name}",
        call or getattr(tp.special, name),
        value,
        one_operand(),
        domain,
        orders=3,
        analytic=analytic,
        autograd=autograd,
        special=Special(exact[0], (exact[1],), at, **points),
    )


def density(x: Any) -> Any:
    return mp.npdf(x)


POSITIVE = between(0.5, 4)
BESSEL_POINTS = (0.0, 1.0, -1.0, 30.0, -30.0, NAN, 5e-324, -5e-324)

ONE = (
    special(
        "erf", sp.erf, between(-2, 2), (mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)), {}, analytic=sp.erf
    ),
    special(
        "erfc",
        sp.erfc,
        between(-2, 2),
        (mp.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
        {1e300: (0.0, 0.0), INF: (0.0, 0.0)},
        analytic=sp.erfc,
    ),
    special(
        "erfinv",
        sp.erfinv,
        between(-0.9, 0.9),
        (mp.erfinv, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2)),
        {1.0: (INF, INF), -1.0: (-INF, INF), **dict.fromkeys((INF, -INF, 1e300, -1e300), OUTSIDE)},
    ),
    special(
        "ndtr",
        sp.ndtr,
        between(-2, 2),
        (mp.ncdf, density),
        {1e300: (1.0, 0.0), INF: (1.0, 0.0), -1e300: (0.0, 0.0), -INF: (0.0, 0.0)},
        analytic=sp.ndtr,
    ),
    special(
        "log_ndtr",
        sp.log_ndtr,
        between(-3, 2),
        (lambda x: mp.log(mp.ncdf(x)), lambda x: density(x) / mp.ncdf(x)),
        {INF: (0.0, 0.0), -INF: (-INF, INF), 1e300: (0.0, 0.0)},
        analytic=sp.log_ndtr,
        points=(0.0, 1.0, -1.0, 10.0, -30.0, INF, -INF, NAN, 1e300, 5e-324),
    ),
    special(
        "gammaln",
        sp.gammaln,
        POSITIVE,
        (lambda x: mp.log(abs(mp.gamma(x))), mp.digamma),
        {0.0: (INF, None), 1e300: (6.897755278982137e302, 690.7755278982137), INF: (INF, INF)},
        analytic=sp.loggamma,
        points=(1.0, 2.0, -0.5, 0.0, INF, NAN, 1e300, 1e-300),
        atol=1e-15,
    ),
    special(
        "digamma",
        sp.digamma,
        POSITIVE,
        (mp.digamma, lambda x: mp.polygamma(1, x)),
        {},
        analytic=sp.digamma,
        points=(1.0, 2.0, 0.25, 30.0, NAN, 1e10),
    ),
    special(
        "polygamma",
        lambda x: sp.polygamma(1, x),
        POSITIVE,
        (lambda x: mp.polygamma(1, x), lambda x: mp.polygamma(2, x)),
        {},
        call=lambda x: tp.special.polygamma(1, x),
        autograd=lambda x: asp.polygamma(1, x),
        points=(1.0, 2.0, 0.25, 30.0),
    ),
    special(
        "i0",
        sp.i0,
        between(-3, 3),
        (lambda x: mp.besseli(0, x), lambda x: mp.besseli(1, x)),
        {},
        analytic=lambda x: sp.iv(0, x),
        points=BESSEL_POINTS,
    ),
    special(
        "i1",
        sp.i1,
        between(-3, 3),
        (lambda x: mp.besseli(1, x), lambda x: (mp.besseli(0, x) + mp.besseli(2, x)) / 2),
        {},
        analytic=lambda x: sp.iv(1, x),
        points=BESSEL_POINTS,
    ),
    special(
        "i0e",
        sp.i0e,
        between(0.2, 3),
        (
            lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
            lambda x: mp.exp(-abs(x)) * (mp.besseli(1, x) - mp.sign(x) * mp.besseli(0, x)),
        ),
        {},
        analytic=lambda x: np.exp(-x) * sp.iv(0, x),
        points=BESSEL_POINTS,
    ),
    special(
        "i1e",
        sp.i1e,
        between(0.2, 3),
        (
            lambda x: mp.exp(-abs(x)) * mp.besseli(1, x),
            lambda x: mp.exp(-abs(x)) * ((mp.besseli(0, x) + mp.besseli(2, x)) / 2 - mp.sign(x) * mp.besseli(1, x)),
        ),
        {},
        analytic=lambda x: np.exp(-x) * sp.iv(1, x),
        points=BESSEL_POINTS,
    ),
    special(
        "expit",
        sp.expit,
        between(-2, 2),
        (lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (2 + mp.exp(x) + mp.exp(-x))),
        {},
        analytic=lambda x: 1 / (1 + np.exp(-x)),
        points=(0.0, 1.0, -1.0, -1000.0, NAN, 5e-324),
    ),
    special(
        "logit",
        sp.logit,
        between(0.25, 0.75),
        (lambda x: mp.log(x / (1 - x)), lambda x: 1 / (x * (1 - x))),
        {0.0: (-INF, INF), 1.0: (INF, INF), **dict.fromkeys((-1.0, INF, -INF, 1e300, -1e300, -5e-324), OUTSIDE)},
        analytic=lambda x: np.log(x / (1 - x)),
    ),
    special(
        "entr",
        sp.entr,
        between(0.1, 3),
        (lambda x: -x * mp.log(x), lambda x: -1 - mp.log(x)),
        {0.0: (0.0, INF), **dict.fromkeys((-1.0, -INF, -1e300, -5e-324), (-INF, None)), INF: (-INF, -INF)},
        analytic=lambda x: -x * np.log(x),
    ),
)

TWO = (
    Row(
        "special.betaln",
        tp.special.betaln,
        sp.betaln,
        two_operands(),
        POSITIVE,
        orders=3,
        analytic=lambda a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b),
        special=Special(
            lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b),
            (lambda a, b: mp.digamma(a) - mp.digamma(a + b), lambda a, b: mp.digamma(b) - mp.digamma(a + b)),
            {},
            [(1.0, 2.0), (2.0, 2.0), (0.5, 0.25), (30.0, 0.5), (1e-3, 3.0), (1e3, 1e3), (1.0, NAN), (NAN, NAN)],
            # A slope is a difference of two digammas, which are near each other where one argument is small.
            atol=1e-15,
        ),
    ),
    Row(
        "special.xlogy",
        tp.special.xlogy,
        sp.xlogy,
        two_operands(),
        (between(-2, 2), between(0.3, 3)),
        orders=3,
        analytic=lambda a, b: a * np.log(b),
        special=Special(
            lambda x, y: x * mp.log(y),
            (lambda x, y: mp.log(y), lambda x, y: x / y),
            {(0.0, 0.0): (0.0, -INF, 0.0), (1.0, 0.0): (-INF, -INF, INF), (0.0, NAN): (NAN, NAN, NAN)},
            [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (2.0, 1e300), (0.0, 5e-324), (0.0, NAN)],
        ),
    ),
)


def along_last() -> tuple[Case, ...]:
    """Arrays with elements along their last axis, and other axes."""
    return (
        case((3,)),
        case((1,)),
        case((2, 3)),
        case((2, 3), axis=0),
        case((0, 3)),
        case((3, 2), layout="transposed", axis=1),
        case((4,), layout="strided"),
        case((2, 1, 3), axis=-3),
        case((2, 3, 2), axis=1),
    )


def softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x: Any, axis: int = -1) -> Any:
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def cross_entropy(x: Any, t: Any) -> Any:
    return -(t * log_softmax(x)).sum(axis=-1)


SOFTMAX = (
    Row("softmax", tp.softmax, softmax, along_last(), between(-2, 2), orders=3, analytic=True),
    Row("log_softmax", tp.log_softmax, log_softmax, along_last(), between(-2, 2), orders=3, analytic=True),
    Row("special.softmax", tp.special.softmax, softmax, along_last(), between(-2, 2), analytic=True),
    Row("special.log_softmax", tp.special.log_softmax, log_softmax, along_last(), between(-2, 2), analytic=True),
    Row(
        "softmax_cross_entropy",
        tp.softmax_cross_entropy,
        cross_entropy,
        (
            case((3,), (3,)),
            case((1,), (1,)),
            case((2, 3), (2, 3)),
            case((0, 3), (0, 3)),
            case((3, 2), (3, 2), layout="transposed"),
            case((4,), (4,), layout="strided"),
            case((2, 1, 3), (2, 1, 3)),
        ),
        (between(-2, 2), between(0.1, 0.9)),
        analytic=True,
        autograd=lambda x, t: -anp.sum(t * (x - anp.log(anp.sum(anp.exp(x), axis=-1, keepdims=True))), axis=-1),
    ),
)

ROWS: tuple[Row, ...] = (*ONE, *TWO, *SOFTMAX)
