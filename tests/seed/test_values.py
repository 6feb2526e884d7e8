"""A test for each row of docs/coming-from-haskell.md, part "Values and lifting"."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, NewType

import attrs
import numpy as np
import pytest

from tests.untyped import BVar, lift, rand, tp
from typedprop import Record
from typedprop.errors import EscapedBVarError, NotDifferentiableError
from typedprop.testing import check_grads, check_leaf


def test_the_phantom_s() -> None:
    escaped: list[Any] = []

    def f(x: Any) -> Any:
        escaped.append(x)
        return x * x

    tp.grad(f)(3.0)
    assert escaped[0].value == 3.0
    with pytest.raises(EscapedBVarError, match="used after the gradient that it belongs to had ended"):
        _ = escaped[0] + 1.0
    with pytest.raises(EscapedBVarError):
        tp.grad(lambda y: y * escaped[0])(2.0)


def test_constVar_and_auto() -> None:
    def f(x: Any) -> Any:
        return (BVar(2.0) * x + 3.0) * lift(3) + rand(3)

    check_grads(f, (BVar(0.5),), order=2)
    # The partial by a constant may be infinite or NaN: it is nobody's gradient.
    zero = BVar(0.0)
    for g in (
        lambda x: x + tp.sqrt(zero) * 0.0,
        lambda x: x * 1.0 + zero**x * 0.0,
        lambda x: x + 0.0 * tp.sqrt(BVar(np.zeros(2))).sum(),
    ):
        assert tp.grad(g)(2.0) == 1.0
    assert np.array_equal(tp.grad(lambda x: (x / lift(3) * np.zeros(3)).sum())(lift(3)).value, np.zeros(3))


@tp.op  # type: ignore[untyped-decorator]  # this file is about values
def op1(x: Any) -> Any:
    return tp.Local1(np.cosh(x), lambda g: g * np.sinh(x)).push(lambda t: t * np.sinh(x))


@tp.op  # type: ignore[untyped-decorator]  # as above
def op2(x: Any, y: Any) -> Any:
    return tp.Local2(x * y, lambda g: (g * y, g * x)).push(lambda dx, dy: dx * y + x * dy)


@tp.op(differentiable=True)  # type: ignore[untyped-decorator]  # as above
def op3(x: Any, y: Any, z: Any) -> Any:
    value = x * y / z
    return tp.Local3(value, lambda g: (g * y / z, g * x / z, -g * value / z)).push(
        lambda dx, dy, dz: dx * y / z + x * dy / z - value * dz / z
    )


def test_liftOp_op1_op2_op3() -> None:
    check_grads(op1, (lift(3),), order=1)
    check_grads(op2, (lift(3), lift(3, seed=1)), order=1)
    check_grads(op3, (lift(3), lift(3, seed=1), lift(3, seed=2)), order=3)
    # Two ops compose as functions do.
    check_grads(lambda x: op2(op1(x), op1(x * x)), (lift(3),), order=1)


def test_opConst_opIso_opLens_and_noGrad() -> None:
    assert tp.grad(lambda x: BVar(3.0))(2.0) == 0.0
    # An isomorphism and a lens are functions.
    check_grads(lambda x: x.reshape((3, 2)).T, (lift(2, 3),), order=2)
    assert tp.grad(lambda pair: pair[1])((BVar(1.0), BVar(2.0))) == (BVar(0.0), BVar(1.0))
    count = tp.no_gradient(lambda x: BVar(float(np.count_nonzero(x.value))))
    assert count(lift(3)).value == 3.0
    assert tp.grad(lambda x: x.sum() if count(x) > 2.0 else 0.0 * x.sum())(lift(3)).value.all()
    with pytest.raises(NotDifferentiableError, match="no_gradient: a derivative was asked"):
        tp.grad(lambda x: count(x))(lift(3))


Meters = NewType("Meters", float)


class Ratio(Fraction):
    pass


def test_isoVar_coerceVar_and_opCoerce() -> None:
    # Taking apart and putting together is an ordinary function.
    check_grads(lambda p: {"sum": p[0] + p[1], "parts": [p[1], p[0]]}, ((lift(3), lift(3, seed=1)),), order=2)
    value, gradient = tp.backprop(lambda side: side * side, BVar(Meters(3.0)))
    assert (value.value, gradient.value) == (9.0, 6.0)
    ratio = BVar(Ratio(1, 3))
    assert type(ratio.value) is Ratio
    assert tp.backprop(lambda r: r * r, ratio)[1].value == Fraction(2, 3)


def test_bpOp() -> None:
    def f(x: Any) -> Any:
        return tp.sin(x) * x

    value, pull = tp.vjp(f, lift(3))
    _, push = tp.jvp(f, lift(3), lift(3, seed=1))
    assert value == f(lift(3))
    np.testing.assert_allclose(
        (pull(lift(3, seed=2)) @ lift(3, seed=1)).value, (lift(3, seed=2) @ push).value, rtol=1e-13
    )
    # The two halves make an op of f.
    again = tp.op(lambda x: tp.Local1(f(x), lambda g: tp.vjp(f, BVar(x))[1](BVar(g)).value))
    check_grads(again, (lift(3),), order=1, modes=("rev",))


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 1.0, -2.5],
        [rand(3, seed=k) for k in range(3)],
        [rand(2, 3, seed=k, dtype=np.float32) for k in range(3)],
        [Fraction(1, 3), Fraction(0), Fraction(-7, 2)],
        [Decimal("0.5"), Decimal(0), Decimal(-7)],
    ],
    ids=["float", "float64", "float32", "Fraction", "Decimal"],
)
def test_the_Backprop_class_and_its_laws(values: Any) -> None:
    check_leaf(values)


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Pair:
    left: Any
    right: Any


@attrs.define
class Both(Record):
    first: Any
    second: Any


@pytest.mark.parametrize(
    "leaf",
    [1.5, rand(3), rand(2, 3, dtype=np.float32), Fraction(1, 3), Decimal("0.5")],
    ids=lambda leaf: type(leaf).__name__,
)
def test_instances(leaf: Any) -> None:
    def tree(x: Any) -> Any:
        pair = Pair([x, (x, None)], {("any", "key"): x, 3: Point(x, "static")})
        return Both(pair, Both(x, None))

    at = tree(BVar(leaf))
    value, gradient = tp.backprop(lambda t: t.first.left[1][0] + t.second.first + t.second.first, at)
    one = tp.backprop(lambda x: x, BVar(leaf))[1]
    wanted = tree(0 * one)
    wanted.first.left[1] = (one, None)
    wanted.second.first = 2 * one
    assert gradient == wanted
    assert np.all(value.value == 3 * leaf)


class Word(str):
    """A commutative monoid of the user's own: the longer word."""

    def __add__(self, other: str) -> Word:
        return Word(max((self, other), key=lambda w: (len(w), w)))


def test_explicit_and_Num_flavours() -> None:
    tp.register(Word, zero=lambda _: Word(), one=lambda _: Word("1"))
    check_leaf([Word("a"), Word("bcd"), Word()])
    assert tp.backprop(lambda w: w + BVar(Word("longer")), BVar(Word("short")))[0].value == "longer"
