"""Twelve test problems of Moré, Garbow and Hillstrom, *Testing Unconstrained Optimization Software* (1981).

Each is a list of residuals, the sum of whose squares is to be made small. Each is written twice: over a record with
typedprop, and over a NumPy vector with the derivatives worked out by hand. The numbers are those of the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import attrs
import numpy as np
import numpy.typing as npt

import typedprop as tp
from typedprop import BVar, L, R, Record

Array = npt.NDArray[Any]
Two = Literal[2]
# Matrices and vectors whose sizes come from data.
stack: Any = tp.stack


@attrs.frozen
class Problem:
    """One problem, in both forms. The elements of `start`, in order, are the vector of the other form."""

    start: Any
    residuals: Callable[[Any], Any]
    plain: Callable[[Array], Array]
    """The residuals; analytic, so that complex numbers may go in."""
    derivatives: Callable[[Array], Array]
    """The Jacobian, by hand."""
    minima: tuple[float, ...]
    """The sums of squares at its local minima."""

    def loss(self, x: Any) -> Any:
        r = self.residuals(x)
        return r @ r

    def plain_loss(self, x: Array) -> Any:
        r = self.plain(x)
        return r @ r

    def gradient(self, x: Array) -> Array:
        return np.asarray(2.0 * (self.plain(x) @ self.derivatives(x)))

    def value_and_gradient(self, x: Array) -> tuple[Any, Array]:
        return self.plain_loss(x), self.gradient(x)

    def hessian(self, x: Array) -> Array:
        """By complex steps of the hand-written gradient, which are exact to rounding."""
        steps = np.diag(np.full(len(x), 1e-30j))
        return np.array([np.imag(self.gradient(x + step)) / 1e-30 for step in steps])


def vector(*values: float) -> BVar[R[Any]]:
    return BVar(tp.vector(values))


def columns(*values: Any) -> Array:
    """A matrix of columns, of which numbers stand for constant ones."""
    return np.stack(np.broadcast_arrays(*values), axis=-1)


# -- 1 Rosenbrock, 2 Freudenstein and Roth, 3 Powell badly scaled: a record of numbers -------------------------------


@attrs.frozen
class Point(Record):
    x: BVar[float]
    y: BVar[float]


ROSENBROCK = Problem(
    Point(BVar(-1.2), BVar(1.0)),
    lambda p: stack([10.0 * (p.y - p.x**2), 1.0 - p.x]),
    lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
    lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
    (0.0,),
)

FREUDENSTEIN_ROTH = Problem(
    Point(BVar(0.5), BVar(-2.0)),
    lambda p: stack([p.x - 13.0 + ((5.0 - p.y) * p.y - 2.0) * p.y, p.x - 29.0 + ((p.y + 1.0) * p.y - 14.0) * p.y]),
    lambda x: np.array(
        [x[0] - 13.0 + ((5.0 - x[1]) * x[1] - 2.0) * x[1], x[0] - 29.0 + ((x[1] + 1.0) * x[1] - 14.0) * x[1]]
    ),
    lambda x: np.array([[1.0, 10.0 * x[1] - 3.0 * x[1] ** 2 - 2.0], [1.0, 3.0 * x[1] ** 2 + 2.0 * x[1] - 14.0]]),
    (0.0, 48.98425),
)

POWELL_BADLY_SCALED = Problem(
    Point(BVar(0.0), BVar(1.0)),
    lambda p: stack([1e4 * p.x * p.y - 1.0, tp.exp(-p.x) + tp.exp(-p.y) - 1.0001]),
    lambda x: np.array([1e4 * x[0] * x[1] - 1.0, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001]),
    lambda x: np.array([[1e4 * x[1], 1e4 * x[0]], [-np.exp(-x[0]), -np.exp(-x[1])]]),
    (0.0,),
)

# -- 5 Beale, 6 Jennrich and Sampson, 12 Box: a vector ---------------------------------------------------------------

_POWERS = np.arange(1.0, 4.0)

BEALE = Problem(
    vector(1.0, 1.0),
    lambda x: np.array([1.5, 2.25, 2.625]) - x[0] * (1.0 - stack([x[1], x[1] ** 2, x[1] ** 3])),
    lambda x: np.array([1.5, 2.25, 2.625]) - x[0] * (1.0 - x[1] ** _POWERS),
    lambda x: columns(x[1] ** _POWERS - 1.0, x[0] * _POWERS * x[1] ** (_POWERS - 1.0)),
    (0.0,),
)

_ONE_TO_TEN = np.arange(1.0, 11.0)

JENNRICH_SAMPSON = Problem(
    vector(0.3, 0.4),
    lambda x: 2.0 + 2.0 * _ONE_TO_TEN - (tp.exp(_ONE_TO_TEN * x[0]) + tp.exp(_ONE_TO_TEN * x[1])),
    lambda x: 2.0 + 2.0 * _ONE_TO_TEN - (np.exp(_ONE_TO_TEN * x[0]) + np.exp(_ONE_TO_TEN * x[1])),
    lambda x: -_ONE_TO_TEN[:, None] * np.exp(np.outer(_ONE_TO_TEN, x)),
    (124.3622,),
)

_TENTHS = _ONE_TO_TEN / 10.0
_FALL = np.exp(-_TENTHS) - np.exp(-10.0 * _TENTHS)

BOX = Problem(
    vector(0.0, 10.0, 20.0),
    lambda x: tp.exp(-_TENTHS * x[0]) - tp.exp(-_TENTHS * x[1]) - _FALL * x[2],
    lambda x: np.exp(-_TENTHS * x[0]) - np.exp(-_TENTHS * x[1]) - x[2] * _FALL,
    lambda x: columns(-_TENTHS * np.exp(-_TENTHS * x[0]), _TENTHS * np.exp(-_TENTHS * x[1]), -_FALL),
    (0.0,),
)

# -- 8 Bard, 15 Kowalik and Osborne: records of numbers and vectors --------------------------------------------------


@attrs.frozen
class Bard(Record):
    level: BVar[float]
    slope: BVar[R[Two]]


_BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
_U = np.arange(1.0, 16.0)
_V = 16.0 - _U
_W = np.minimum(_U, _V)

BARD = Problem(
    Bard(BVar(1.0), vector(1.0, 1.0)),
    lambda p: _BARD - (p.level + _U / (_V * p.slope[0] + _W * p.slope[1])),
    lambda x: _BARD - (x[0] + _U / (_V * x[1] + _W * x[2])),
    lambda x: columns(-1.0, _U * _V / (_V * x[1] + _W * x[2]) ** 2, _U * _W / (_V * x[1] + _W * x[2]) ** 2),
    (8.214877e-3,),
)


@attrs.frozen
class Enzyme(Record):
    rate: BVar[float]
    upper: BVar[float]
    lower: BVar[R[Two]]


_REACTION = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
_DOSE = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def _enzyme_parts(x: Array) -> tuple[Array, Array]:
    return _DOSE**2 + _DOSE * x[1], _DOSE**2 + _DOSE * x[2] + x[3]


def _enzyme_jacobian(x: Array) -> Array:
    above, below = _enzyme_parts(x)
    return columns(-above / below, -x[0] * _DOSE / below, x[0] * above * _DOSE / below**2, x[0] * above / below**2)


KOWALIK_OSBORNE = Problem(
    Enzyme(BVar(0.25), BVar(0.39), vector(0.415, 0.39)),
    lambda p: _REACTION - p.rate * (_DOSE**2 + _DOSE * p.upper) / (_DOSE**2 + _DOSE * p.lower[0] + p.lower[1]),
    lambda x: _REACTION - x[0] * _enzyme_parts(x)[0] / _enzyme_parts(x)[1],
    _enzyme_jacobian,
    (3.075056e-4, 1.02734e-3),
)

# -- 13 Powell singular: a matrix that lies column by column in memory -----------------------------------------------


@attrs.frozen
class Matrix(Record):
    x: BVar[L[Two, Two]]


_ROOT5, _ROOT10 = np.sqrt(5.0), np.sqrt(10.0)

POWELL_SINGULAR = Problem(
    Matrix(BVar(np.array([[3.0, -1.0], [0.0, 1.0]], order="F"))),  # type: ignore[arg-type]  # a plain array, sized
    lambda p: stack(
        [
            p.x[0, 0] + 10.0 * p.x[0, 1],
            _ROOT5 * (p.x[1, 0] - p.x[1, 1]),
            (p.x[0, 1] - 2.0 * p.x[1, 0]) ** 2,
            _ROOT10 * (p.x[0, 0] - p.x[1, 1]) ** 2,
        ]
    ),
    lambda x: np.array(
        [x[0] + 10.0 * x[1], _ROOT5 * (x[2] - x[3]), (x[1] - 2.0 * x[2]) ** 2, _ROOT10 * (x[0] - x[3]) ** 2]
    ),
    lambda x: np.array(
        [
            [1.0, 10.0, 0.0, 0.0],
            [0.0, 0.0, _ROOT5, -_ROOT5],
            [0.0, 2.0 * (x[1] - 2.0 * x[2]), -4.0 * (x[1] - 2.0 * x[2]), 0.0],
            [2.0 * _ROOT10 * (x[0] - x[3]), 0.0, 0.0, -2.0 * _ROOT10 * (x[0] - x[3])],
        ]
    ),
    (0.0,),
)

# -- 14 Wood: a list of records; 16 Brown and Dennis: a tuple; 18 Biggs: a dict ---------------------------------------

_ROOT90 = np.sqrt(90.0)

WOOD = Problem(
    [Point(BVar(-3.0), BVar(-1.0)), Point(BVar(-3.0), BVar(-1.0))],
    lambda p: stack(
        [
            10.0 * (p[0].y - p[0].x ** 2),
            1.0 - p[0].x,
            _ROOT90 * (p[1].y - p[1].x ** 2),
            1.0 - p[1].x,
            _ROOT10 * (p[0].y + p[1].y - 2.0),
            (p[0].y - p[1].y) / _ROOT10,
        ]
    ),
    lambda x: np.array(
        [
            10.0 * (x[1] - x[0] ** 2),
            1.0 - x[0],
            _ROOT90 * (x[3] - x[2] ** 2),
            1.0 - x[2],
            _ROOT10 * (x[1] + x[3] - 2.0),
            (x[1] - x[3]) / _ROOT10,
        ]
    ),
    lambda x: np.array(
        [
            [-20.0 * x[0], 10.0, 0.0, 0.0],
            [-1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, -2.0 * _ROOT90 * x[2], _ROOT90],
            [0.0, 0.0, -1.0, 0.0],
            [0.0, _ROOT10, 0.0, _ROOT10],
            [0.0, 1.0 / _ROOT10, 0.0, -1.0 / _ROOT10],
        ]
    ),
    (0.0,),
)

_TIMES = np.arange(1.0, 21.0) / 5.0
_SINE, _COSINE, _GROWTH = np.sin(_TIMES), np.cos(_TIMES), np.exp(_TIMES)


def _brown_dennis_jacobian(x: Array) -> Array:
    growth = 2.0 * (x[0] + _TIMES * x[1] - _GROWTH)
    wave = 2.0 * (x[2] + _SINE * x[3] - _COSINE)
    return columns(growth, growth * _TIMES, wave, wave * _SINE)


BROWN_DENNIS = Problem(
    (vector(25.0, 5.0), vector(-5.0, -1.0)),
    lambda p: (p[0][0] + _TIMES * p[0][1] - _GROWTH) ** 2 + (p[1][0] + _SINE * p[1][1] - _COSINE) ** 2,
    lambda x: (x[0] + _TIMES * x[1] - _GROWTH) ** 2 + (x[2] + _SINE * x[3] - _COSINE) ** 2,
    _brown_dennis_jacobian,
    (85822.2016,),
)

_BIGGS_TIMES = np.arange(1.0, 14.0) / 10.0
_BIGGS = np.exp(-_BIGGS_TIMES) - 5.0 * np.exp(-10.0 * _BIGGS_TIMES) + 3.0 * np.exp(-4.0 * _BIGGS_TIMES)


def _biggs_jacobian(x: Array) -> Array:
    t = _BIGGS_TIMES
    a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t * x[4])
    return columns(-t * x[2] * a, t * x[3] * b, a, -b, -t * x[5] * c, c)


BIGGS = Problem(
    {"rates": vector(1.0, 2.0), "weights": vector(1.0, 1.0), "third": [BVar(1.0), BVar(1.0)]},
    lambda p: (
        p["weights"][0] * tp.exp(-_BIGGS_TIMES * p["rates"][0])
        - p["weights"][1] * tp.exp(-_BIGGS_TIMES * p["rates"][1])
        + p["third"][1] * tp.exp(-_BIGGS_TIMES * p["third"][0])
        - _BIGGS
    ),
    lambda x: (
        x[2] * np.exp(-_BIGGS_TIMES * x[0])
        - x[3] * np.exp(-_BIGGS_TIMES * x[1])
        + x[5] * np.exp(-_BIGGS_TIMES * x[4])
        - _BIGGS
    ),
    _biggs_jacobian,
    (5.65565e-3, 0.0),
)

PROBLEMS = {
    "Rosenbrock": ROSENBROCK,
    "Freudenstein and Roth": FREUDENSTEIN_ROTH,
    "Powell badly scaled": POWELL_BADLY_SCALED,
    "Beale": BEALE,
    "Jennrich and Sampson": JENNRICH_SAMPSON,
    "Bard": BARD,
    "Box": BOX,
    "Powell singular": POWELL_SINGULAR,
    "Wood": WOOD,
    "Kowalik and Osborne": KOWALIK_OSBORNE,
    "Brown and Dennis": BROWN_DENNIS,
    "Biggs": BIGGS,
}
