"""What a row of the table of operations says, and the words to say it with.

One operation, one row: its public name, how to call it, the operands to draw, what NumPy computes in its place, and an
independent reference for its derivative. table.py collects the rows, checks.py holds every row to account.

    Row("hypot", tp.hypot, value=np.hypot, cases=two_operands(), domain=between(-2, 2), orders=3,
        analytic=lambda a, b: np.sqrt(a * a + b * b))
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np

from tests.untyped import BVar, tp

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]
Domain = Callable[[np.random.Generator, Shape], Array]
# How an operand's array lies in memory: in C order, as a transposed view, or as a view of every second element, read
# backwards.
Layout = Literal["C", "transposed", "strided"]
# An operation and what stands for it take operands of any type: the table is about values, tests/typing about types.
Function = Callable[..., Any]


@attrs.frozen
class Case:
    """The shapes of the operands, their layout, and what else the operation is called with."""

    shapes: tuple[Shape, ...]
    layout: Layout = "C"
    static: Mapping[str, Any] = attrs.field(factory=dict)
    domain: Domain | None = None

    @property
    def label(self) -> str:
        """For a test's name: `2x3,3-transposed-axis=0`."""
        parts = [",".join("x".join(map(str, shape)) or "scalar" for shape in self.shapes)]
        if self.layout != "C":
            parts.append(self.layout)
        for key, given in self.static.items():
            words = "".join(str(given).split())
            parts.append(f"{key}={words}" if len(words) < 24 else key)
        return "-".join(parts)


def case(*shapes: Shape, layout: Layout = "C", domain: Domain | None = None, **static: Any) -> Case:
    """`case((2, 3), (3,), axis=0)`: two operands, and a keyword for the operation; `domain` draws all of its operands
    in place of the row's."""
    return Case(shapes, layout, static, domain)


def one_operand() -> tuple[Case, ...]:
    """The shapes that every function of each element is checked at."""
    return (
        case(()),
        case((3,)),
        case((1,)),
        case((0,)),
        case((2, 3)),
        case((3, 2), layout="transposed"),
        case((4,), layout="strided"),
        case((2, 1, 3)),
    )


def two_operands() -> tuple[Case, ...]:
    """The same for functions of two operands, with every pair of shapes that may be broadcast."""
    return (
        case((), ()),
        case((3,), (3,)),
        case((1,), (1,)),
        case((0,), (0,)),
        case((), (3,)),
        case((3,), ()),
        case((2, 3), ()),
        case((2, 3), (2, 3), layout="transposed"),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 1), (2, 3)),
        case((2, 3), (1, 3)),
        case((4,), (4,), layout="strided"),
    )


@attrs.frozen
class Special:
    """The values and slopes at the points where formulae break: 0, ±1, ±inf, nan, ±1e300, subnormal numbers.

    `value` and `slopes`, one an operand, are written with mpmath, which is exact there. `at` overrides them: the value
    and the slopes agreed upon (docs/conventions.md). None says that the point is outside of the domain, or that nothing
    is agreed. `atol` is how far off a value may be, beyond rounding.
    """

    value: Function
    slopes: tuple[Function, ...]
    at: Mapping[Any, tuple[float | None, ...]] = attrs.field(factory=dict)
    points: Sequence[Any] = (
        0.0,
        1.0,
        -1.0,
        np.inf,
        -np.inf,
        np.nan,
        1e300,
        -1e300,
        5e-324,
        -5e-324,
    )
    atol: float = 1e-323


@attrs.frozen
class Row:
    """An operation and what it is checked against.

    - `name`: the public name, below `typedprop`: `exp`, `linalg.inv`, `BVar.__add__`.
    - `call(*operands, **static)`: the operation, of BVars or plain values; its result is one, or a tuple of them.
    - `value(*arrays, **static)`: the same by NumPy or SciPy, on plain arrays.
    - `domain`: what draws an operand, or one drawing each.
    - `smooth`: whether it has derivatives everywhere in its domain; where not, `domain` keeps away from the kinks,
      which docs/conventions.md and test_conventions.py are about.
    - `orders`: to which order derivatives are checked. 0 is for results without one, such as positions.
    - a second reference, one at least: `analytic`, like `value` but right for complex numbers, for the complex step
      (True: `value` itself is), `autograd`, like `value` but of autograd.numpy, or `special`.
    """

    name: str
    call: Function
    value: Function
    cases: tuple[Case, ...]
    domain: Domain | tuple[Domain, ...]
    smooth: bool = True
    orders: int = 2
    analytic: Function | Literal[True] | None = None
    autograd: Function | None = None
    special: Special | None = None

    def operands(self, at: Case) -> tuple[Any, ...]:
        """The operands of a case: plain floats and float64 arrays, the same ones at each call."""
        rng = np.random.default_rng(zlib.crc32(f"{self.name} {at.label}".encode()))
        domain = at.domain or self.domain
        domains = domain if isinstance(domain, tuple) else (domain,) * len(at.shapes)
        return tuple(laid_out(draw, rng, shape, at.layout) for draw, shape in zip(domains, at.shapes, strict=True))


def laid_out(draw: Domain, rng: np.random.Generator, shape: Shape, layout: Layout) -> Any:
    """An operand of this shape and layout; a float for a scalar."""
    if not shape:
        return float(draw(rng, ()))
    x = np.ascontiguousarray(draw(rng, shape))
    if layout == "transposed":
        return x.T.copy().T
    if layout == "strided":
        wide = np.empty((*shape[:-1], 2 * shape[-1]))
        view = wide[..., ::-2]
        view[...] = x
        return view
    return x


def lifted(x: Any) -> Any:
    """A BVar: for the methods that plain values do not have, or have in another way."""
    return x if isinstance(x, tp.BVar) else BVar(x)


# -- Domains ---------------------------------------------------------------------------------------------------------


def between(low: float, high: float) -> Domain:
    """Numbers between `low` and `high`."""
    return lambda rng, shape: rng.uniform(low, high, shape)


def away_from(*points: float, low: float = -2.0, high: float = 2.0, gap: float = 0.1) -> Domain:
    """Numbers between `low` and `high`, none within `gap` of a point, where there is a kink or a pole."""

    def draw(rng: np.random.Generator, shape: Shape) -> Array:
        x = rng.uniform(low, high, shape)
        while (near := np.any([np.abs(x - point) < gap for point in points], axis=0)).any():
            x = np.where(near, rng.uniform(low, high, shape), x)
        return x

    return draw


def distinct(low: float = -2.0, high: float = 2.0) -> Domain:
    """Numbers between `low` and `high` of which no two are near each other: for what sorts or selects."""

    def draw(rng: np.random.Generator, shape: Shape) -> Array:
        size = int(np.prod(shape))
        step = (high - low) / max(size, 1)
        places = low + step * (rng.permutation(size) + 0.5 + rng.uniform(-0.2, 0.2, size))
        return places.reshape(shape)

    return draw
