from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import BVar, lift, tp


@attrs.frozen
class Line:
    slope: Any
    offset: Any
    name: str = "line"


def test_no_derivative_flows() -> None:
    assert tp.grad(lambda x: x * tp.stop_gradient(x))(3.0) == 3.0
    assert tp.jvp(lambda x: x * tp.stop_gradient(x), BVar(3.0), BVar(1.0))[1].value == 3.0
    assert tp.grad(lambda x: tp.stop_gradient(x * x))(3.0) == 0.0
    x = lift(3)
    assert tp.grad(lambda a: (a * tp.stop_gradient(tp.exp(a))).sum())(x) == tp.exp(x)


def test_of_no_order() -> None:
    assert tp.grad(tp.grad(lambda x: x * x * tp.stop_gradient(x)))(3.0) == 6.0
    # What an inner gradient stops stays stopped in the outer one.
    assert tp.grad(lambda x: x * tp.grad(lambda y: y * tp.stop_gradient(x))(x))(3.0) == 3.0


def test_trees() -> None:
    line = Line(lift(2, 3), BVar(2.0))
    stopped = tp.stop_gradient(line)
    assert type(stopped) is Line and stopped == line

    def f(net: Line) -> Any:
        frozen = tp.stop_gradient(net)
        return (net.slope * frozen.slope).sum() * frozen.offset

    gradient = tp.grad(f)(line)
    assert gradient.slope == line.slope * 2.0 and gradient.offset == BVar(0.0)


def test_a_stopped_value_may_leave_the_gradient() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(tp.stop_gradient(x * 2.0))
        return x * x

    tp.grad(f)(3.0)
    assert (kept[0] + 1.0).value == 7.0


def test_a_safe_logarithm() -> None:
    """The usual trick: a value from one expression, the derivative from another."""

    def rounded(x: Any) -> Any:
        return x + tp.stop_gradient(BVar(math.floor(x.value)) - x)

    value, gradient = tp.value_and_grad(rounded)(2.75)
    assert (value.value, gradient) == (2.0, 1.0)


def test_static_values_pass() -> None:
    assert tp.stop_gradient("text") == "text"
    assert tp.stop_gradient([1.0, BVar(2.0)]) == [1.0, BVar(2.0)]


def _nearest(x: Any) -> Any:
    return BVar(np.round(x.value)) if x.shape else BVar(float(round(x.value)))


nearest: Any = tp.no_gradient(_nearest)


def test_no_gradient_gives_its_value() -> None:
    assert nearest(BVar(2.75)).value == 3.0

    def decided(x: Any) -> Any:
        return x * 2.0 if nearest(x) > 2.0 else x

    assert tp.grad(decided)(2.75) == 2.0
    # Forward mode too asks nothing of a value that was merely looked at.
    assert tp.jvp(decided, BVar(2.75), BVar(1.0))[1].value == 2.0
    assert tp.jacobian(decided, "fwd")(BVar(2.75)).value == 2.0
    assert tp.jvp(tp.checkpoint(decided), BVar(2.75), BVar(1.0))[1].value == 2.0
    assert tp.hvp(lambda x: decided(x) * x, BVar(2.75), BVar(1.0)).value == 4.0


def test_no_gradient_refuses_a_derivative() -> None:
    message = (
        r"no_gradient: a derivative was asked through _nearest, which has none; stop_gradient\(\.\.\.\) its result"
    )
    with pytest.raises(tp.NotDifferentiableError, match=message):
        tp.grad(lambda x: x * nearest(x))(2.75)
    with pytest.raises(tp.NotDifferentiableError, match=message):
        tp.jvp(lambda x: x * nearest(x), lift(3), lift(3))
    assert tp.grad(lambda x: x * tp.stop_gradient(nearest(x)))(2.75) == 3.0


def test_no_gradient_of_a_function_that_gives_nothing() -> None:
    def loss(x: Any) -> Any:
        assert tp.no_gradient(lambda y: {})(x) == {}
        return x * x

    assert tp.grad(loss)(BVar(3.0)).value == 6.0
