"""Transformations nested in every order, to the fourth derivative, of a record.

Each transformation, with a direction, takes a scalar function of a record to its derivative along the direction, which
is again such a function. So they nest at will, and the fourth derivative along one direction is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import attrs
import numpy as np
import pytest

from tests.ops.oracles import mp
from tests.untyped import BVar, tp


@attrs.frozen
class Point:
    place: Any
    scale: Any
    name: str = "point"


Function = Callable[[Any], Any]
W = np.array([[0.5, -1.0], [1.5, 0.25]])
AT = Point(BVar(np.array([0.3, -0.7])), BVar(1.2))
ALONG = Point(BVar(np.array([0.8, 0.4])), BVar(-0.5))


def f(p: Any) -> Any:
    """A function with a third and a fourth derivative, by several families of operations."""
    y = tp.tanh(W @ p.place * p.scale)
    return (tp.exp(y) * y).sum() + p.scale**3 * tp.logsumexp(p.place) + tp.prod(p.place)


def exact(order: int) -> float:
    """The derivative of an order of `t -> f(AT + t ALONG)`, by mpmath's differences with 80 digits."""

    def along(t: Any) -> Any:
        x = [mp.mpf(float(a)) + t * float(v) for a, v in zip(AT.place.value, ALONG.place.value, strict=True)]
        s = mp.mpf(AT.scale.value) + t * ALONG.scale.value
        y = [mp.tanh((float(row[0]) * x[0] + float(row[1]) * x[1]) * s) for row in W]
        return sum(mp.exp(z) * z for z in y) + s**3 * mp.log(sum(map(mp.exp, x))) + x[0] * x[1]

    with mp.workdps(80):
        return float(mp.diff(along, 0, order))


EXACT = [exact(order) for order in range(5)]


def dot(x: Any, y: Any) -> Any:
    """The inner product of two records."""
    total = BVar(0.0)
    for a, b in zip(tp.tree.leaves(x), tp.tree.leaves(y), strict=True):
        total = total + (a * b).sum()
    return total


FLAT = BVar(np.array([*ALONG.place.value, ALONG.scale.value]))
# By name: how many orders it adds, and the transformation.
TRANSFORMATIONS: dict[str, tuple[int, Callable[[Function], Function]]] = {
    "grad": (1, lambda g: lambda p: dot(tp.grad(g)(p), ALONG)),
    "value_and_grad": (1, lambda g: lambda p: dot(tp.value_and_grad(g)(p)[1], ALONG)),
    "vjp": (1, lambda g: lambda p: dot(tp.vjp(g, p)[1](BVar(1.0)), ALONG)),
    "jvp": (1, lambda g: lambda p: tp.jvp(g, p, ALONG)[1]),
    "jacobian fwd": (1, lambda g: lambda p: tp.jacobian(g, "fwd")(p) @ FLAT),
    "jacobian rev": (1, lambda g: lambda p: tp.jacobian(g, "rev")(p) @ FLAT),
    "hvp": (2, lambda g: lambda p: dot(tp.hvp(g, p, ALONG), ALONG)),
    "hessian": (2, lambda g: lambda p: FLAT @ (tp.hessian(g)(p) @ FLAT)),
}
FIRST = [name for name, (orders, _) in TRANSFORMATIONS.items() if orders == 1]
SECOND = [name for name, (orders, _) in TRANSFORMATIONS.items() if orders == 2]


def nested(names: tuple[str, ...], wrap: Callable[[Function], Function] = lambda g: g) -> Function:
    """The transformations one around the other, the outermost first, each of a wrapped function."""
    g = wrap(f)
    for name in reversed(names):
        g = wrap(TRANSFORMATIONS[name][1](g))
    return g


def order_of(names: tuple[str, ...]) -> int:
    return sum(TRANSFORMATIONS[name][0] for name in names)


ORDER_2 = [*product(FIRST, repeat=2), *((name,) for name in SECOND)]
ORDER_3 = [names for names in [*product(FIRST, repeat=3), *product(FIRST, SECOND), *product(SECOND, FIRST)]]
# To the fourth order of those that differ in how they sweep: reverse, forward, and whole matrices of each.
ORDER_4 = [
    *product(["grad", "jvp", "jacobian fwd", "jacobian rev"], repeat=4),
    *product(SECOND, repeat=2),
    *((one, second, other) for one in FIRST for second in SECOND for other in FIRST),
    *((second, one, other) for one in FIRST for second in SECOND for other in FIRST),
    *((one, other, second) for one in FIRST for second in SECOND for other in FIRST),
]


@pytest.mark.parametrize("outermost", TRANSFORMATIONS)
@pytest.mark.parametrize("combinations", [ORDER_2, ORDER_3, ORDER_4], ids=["order 2", "order 3", "order 4"])
def test_every_order_of_nesting(outermost: str, combinations: list[tuple[str, ...]]) -> None:
    for names in combinations:
        if names[0] == outermost:
            found = nested(names)(AT).value
            assert found == pytest.approx(EXACT[order_of(names)], rel=1e-11), names


@pytest.mark.parametrize("names", [*ORDER_2, *ORDER_4[::9]], ids=" over ".join)
def test_with_a_checkpoint_at_every_level(names: tuple[str, ...]) -> None:
    assert nested(names, tp.checkpoint)(AT).value == pytest.approx(EXACT[order_of(names)], rel=1e-11)


@pytest.mark.parametrize("names", [*ORDER_2, *ORDER_4[::9]], ids=" over ".join)
def test_a_stopped_factor_is_a_constant_at_every_order(names: tuple[str, ...]) -> None:
    def stopped(g: Function) -> Function:
        return lambda p: g(p) * tp.stop_gradient(p.scale)

    wanted = EXACT[order_of(names)] * AT.scale.value
    assert _derivative(names, stopped(f)) == pytest.approx(wanted, rel=1e-11)


@pytest.mark.parametrize("names", [*ORDER_2, *ORDER_4[::9]], ids=" over ".join)
def test_a_value_without_a_derivative_may_decide_at_every_order(names: tuple[str, ...]) -> None:
    size = tp.no_gradient(lambda p: tp.abs(p.scale))

    def decided(p: Any) -> Any:
        return f(p) if size(p).value < 2.0 else f(p) * 3.0

    assert _derivative(names, decided) == pytest.approx(EXACT[order_of(names)], rel=1e-11)


def _derivative(names: tuple[str, ...], g: Function) -> float:
    for name in reversed(names):
        g = TRANSFORMATIONS[name][1](g)
    found: float = g(AT).value
    return found
