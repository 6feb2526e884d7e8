"""BVars of any type: exact numbers, a user's own classes, and what keeps its meaning beside them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from itertools import zip_longest
from typing import Any, NewType

import attrs
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import typedprop as tp
from tests import untyped
from typedprop import BVar, Record, tree
from typedprop.errors import DTypeError, NotDifferentiableError
from typedprop.leaves import FOUND, leaf_type, register
from typedprop.testing import check_grads, check_leaf

# Where a test asks for what no type checker lets pass.
anything: Any = BVar
any_tp: Any = untyped.tp


@attrs.frozen
class Polynomial:
    """A polynomial with exact coefficients, the lowest first and none zero at the end."""

    coefficients: tuple[Fraction, ...] = ()

    @staticmethod
    def of(*coefficients: int | Fraction) -> Polynomial:
        kept = [Fraction(c) for c in coefficients]
        while kept and kept[-1] == 0:
            kept.pop()
        return Polynomial(tuple(kept))

    def __add__(self, other: Polynomial) -> Polynomial:
        return Polynomial.of(*map(sum, zip_longest(self.coefficients, other.coefficients, fillvalue=Fraction(0))))

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + -other

    def __neg__(self) -> Polynomial:
        return self * -1

    def __mul__(self, other: Polynomial | int) -> Polynomial:
        if isinstance(other, int):
            return Polynomial.of(*(c * other for c in self.coefficients))
        product = [Fraction(0)] * (len(self.coefficients) + len(other.coefficients))
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(other.coefficients):
                product[i + j] += a * b
        return Polynomial.of(*product)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Polynomial:
        power = Polynomial.of(1)
        for _ in range(exponent):
            power = power * self
        return power

    def __call__(self, at: Fraction) -> Fraction:
        return sum((c * at**k for k, c in enumerate(self.coefficients)), Fraction(0))


register(Polynomial, zero=lambda _: Polynomial(), one=lambda _: Polynomial.of(1))

# A shared machine may be slow at times, so there is no deadline.
few = settings(max_examples=30, deadline=None)
fractions = st.fractions(max_denominator=50)
small_integers = st.integers(-9, 9)
polynomials = st.lists(small_integers, max_size=4).map(lambda c: Polynomial.of(*c))
integral_decimals = small_integers.map(Decimal)


# -- The laws --------------------------------------------------------------------------------------------------------


@few
@given(st.lists(fractions, min_size=1, max_size=3))
def test_laws_of_fractions(values: list[Fraction]) -> None:
    check_leaf(values)


@few
@given(st.lists(integral_decimals, min_size=1, max_size=3))
def test_laws_of_decimals(values: list[Decimal]) -> None:
    check_leaf(values)


@few
@given(st.lists(polynomials, min_size=1, max_size=3))
def test_laws_of_polynomials(values: list[Polynomial]) -> None:
    check_leaf(values)


@few
@given(st.lists(small_integers.map(float), min_size=1, max_size=3))
def test_laws_of_floats(values: list[float]) -> None:
    check_leaf(values)


@pytest.mark.parametrize("dtype", untyped.DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0,), (1, 1), (2, 1, 3)])
def test_laws_of_arrays(shape: tuple[int, ...], dtype: Any) -> None:
    check_leaf([untyped.rand(*shape, seed=seed, dtype=dtype) for seed in range(3)])


Wrong = NewType("Wrong", object)


def _broken(**functions: Callable[..., Any]) -> list[Any]:
    """Values of a new type that is right but for the given functions."""

    class Broken:
        def __init__(self, x: int) -> None:
            self.x = x

        def __add__(self, other: Broken) -> Broken:
            return Broken(self.x + other.x)

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Broken) and self.x == other.x

        __hash__ = None  # type: ignore[assignment]  # object declares a method

        def __repr__(self) -> str:
            return f"Broken({self.x})"

    right: dict[str, Callable[..., Any]] = {"zero": lambda _: Broken(0), "one": lambda _: Broken(1)}
    given_functions: Any = right | functions
    register(Broken, **given_functions)
    return [Broken(2), Broken(5), Broken(11)]


def _spoiling(a: Any, b: Any) -> Any:
    a.x += b.x
    return a


@pytest.mark.parametrize(
    ("functions", "law"),
    [
        ({"zero": lambda x: x}, r"add\(x, zero\(x\)\) == x"),
        ({"zero": lambda _: 0}, r"zero\(x\) is of the type and shape of x \(got 0\)"),
        ({"one": lambda _: 1.0}, r"one\(x\) is of the type and shape of x"),
        ({"one": lambda x: x + x}, r"one\(one\(x\)\) == one\(x\)"),
        ({"add": lambda a, b: a if b.x == 0 else b}, r"add\(x, y\) == add\(y, x\)|the gradient of x -> x \+ x"),
        ({"add": lambda a, b: type(a)(a.x + b.x + a.x * a.x * b.x)}, r"add\(x, y\) == add\(y, x\)"),
        ({"add": lambda a, b: type(a)(abs(a.x - b.x))}, "add"),
        ({"add": _spoiling}, "zero|change|add"),
    ],
)
def test_check_leaf_finds_a_broken_law(functions: dict[str, Callable[..., Any]], law: str) -> None:
    with pytest.raises(AssertionError, match=law) as caught:
        check_leaf(_broken(**functions))
    assert "Broken(" in str(caught.value)


def test_check_leaf_accepts_what_is_right() -> None:
    check_leaf(_broken())


def test_check_leaf_finds_a_product_that_does_not_commute() -> None:
    class Word(str):
        def __add__(self, other: str) -> Word:
            return Word(max(self, other))

        def __mul__(self, other: Any) -> Word:
            return Word(str(self) + str(other))

    register(Word, zero=lambda _: Word(""), one=lambda _: Word(""))
    with pytest.raises(AssertionError, match=r"x \* y == y \* x \(got 'ab', wanted 'ba'\) fails for 'a', 'b'"):
        check_leaf([Word("a"), Word("b")])


def test_check_leaf_takes_a_notion_of_equality() -> None:
    values = [Decimal(1) / 3, Decimal(100) / 7, Decimal(5) / 9]
    with pytest.raises(AssertionError, match="add"):
        check_leaf(values)
    check_leaf(values, close=lambda x, y: abs(x - y) <= Decimal(10) ** -20)


def test_check_leaf_refuses_what_no_bvar_holds() -> None:
    with pytest.raises(DTypeError, match=r"a str cannot be differentiated; .* or a type that was given to tp.register"):
        check_leaf(["a"])


# -- Exact gradients -------------------------------------------------------------------------------------------------


def rational(x: Any, y: Any) -> Any:
    """Uses every operator, plain numbers on both sides, and a value twice."""
    return (x * x - 3 * y) / (x + y * y + 2) + x**3 / 4 - 1 / x + (-y) ** 2 + x**-1 - abs(-x) + 5 - y**0


def rational_gradient(x: Fraction, y: Fraction) -> tuple[Fraction, Fraction]:
    top, bottom = x * x - 3 * y, x + y * y + 2
    by_x = (2 * x * bottom - top) / bottom**2 + 3 * x * x / 4 + 1 / x**2 - 1 / x**2 - (1 if x > 0 else -1)
    by_y = (-3 * bottom - top * 2 * y) / bottom**2 + 2 * y
    return by_x, by_y


@few
@given(fractions.filter(bool), fractions)
def test_fractions_are_exact(x: Fraction, y: Fraction) -> None:
    if x + y * y + 2 == 0:
        return
    value, gradient = any_tp.value_and_grad(rational, argnums=(0, 1))(BVar(x), BVar(y))
    assert type(value.value) is Fraction and value.value == rational(x, y)
    assert all(type(g.value) is Fraction for g in gradient)
    assert tuple(g.value for g in gradient) == rational_gradient(x, y)


@few
@given(fractions.filter(bool), fractions, fractions, fractions)
def test_forward_mode_is_as_exact(x: Fraction, y: Fraction, dx: Fraction, dy: Fraction) -> None:
    if x + y * y + 2 == 0:
        return
    by_x, by_y = rational_gradient(x, y)
    value, tangent = any_tp.jvp(lambda p: rational(*p), (BVar(x), BVar(y)), (BVar(dx), BVar(dy)))
    assert value.value == rational(x, y)
    assert tangent.value == by_x * dx + by_y * dy


@pytest.mark.parametrize("power", range(6))
def test_every_order_of_a_power(power: int) -> None:
    def f(x: BVar[Fraction]) -> BVar[Fraction]:
        return x**power

    derivative: Any = f
    exact = Fraction(1)
    x = Fraction(2, 3)
    for order in range(4):
        assert derivative(BVar(x)).value == (exact * x ** (power - order) if exact else 0)
        derivative = any_tp.grad(derivative)
        exact *= power - order


def test_higher_orders_of_a_rational_function() -> None:
    # 1 / (1 + x * x) at 1/2, with the derivatives -2x/(1+x²)² and (6x²-2)/(1+x²)³.
    def f(x: Any) -> Any:
        return 1 / (1 + x * x)

    x = Fraction(1, 2)
    second = any_tp.grad(any_tp.grad(f))
    assert any_tp.grad(f)(x) == -2 * x / (1 + x * x) ** 2
    assert second(x) == (6 * x * x - 2) / (1 + x * x) ** 3
    assert any_tp.hvp(f, BVar(x), BVar(Fraction(3))).value == 3 * second(x)
    forward_over_forward = any_tp.jvp(lambda y: any_tp.jvp(f, y, BVar(Fraction(1)))[1], BVar(x), BVar(Fraction(1)))
    assert forward_over_forward[1].value == second(x)


def test_decimals_follow_their_context() -> None:
    def f(x: BVar[Decimal]) -> BVar[Decimal]:
        return x**3 - 2 / x

    value, gradient = tp.backprop(f, BVar(Decimal("0.1")))
    assert (value.value, gradient.value) == (Decimal("-19.999"), Decimal("200.03"))
    with localcontext(Context(prec=50)):
        _, gradient = tp.backprop(lambda x: 1 / x, BVar(Decimal(3)))
        assert gradient.value == -1 / Decimal(9)
        assert len(gradient.value.as_tuple().digits) == 50
    with localcontext(Context(traps=[Inexact])):
        # Not one operation of the sweep rounds.
        assert tp.backprop(f, BVar(Decimal("0.5")))[1].value == Decimal("8.75")


@few
@given(polynomials, polynomials, fractions)
def test_gradients_in_the_ring_of_polynomials(p: Polynomial, q: Polynomial, at: Fraction) -> None:
    def f(p: Any, q: Any) -> Any:
        return p * p * q - q**3 + p - 2 * q

    value, (by_p, by_q) = any_tp.value_and_grad(f, argnums=(0, 1))(BVar(p), BVar(q))
    assert value.value == f(p, q)
    # Evaluation at a point is a homomorphism, so it takes the gradient to the gradient.
    assert by_p.value(at) == 2 * p(at) * q(at) + 1
    assert by_q.value(at) == p(at) ** 2 - 3 * q(at) ** 2 - 2


def test_second_order_in_a_class_that_knows_no_bvar() -> None:
    # Polynomial's operators raise AttributeError for anything but polynomials and ints.
    def f(p: Any) -> Any:
        return p**3 * 2 - p

    p = Polynomial.of(1, 2)
    assert any_tp.grad(any_tp.grad(f))(BVar(p)).value == p * 12
    assert any_tp.grad(any_tp.grad(any_tp.grad(f)))(BVar(p)).value == Polynomial.of(12)
    assert any_tp.hvp(f, BVar(p), BVar(Polynomial.of(0, 1))).value == p * Polynomial.of(0, 12)


def test_a_plain_cotangent_and_a_recorded_one_are_added() -> None:
    value, bend = any_tp.value_and_grad(lambda x: any_tp.grad(lambda x: x * x + x * 3)(x))(BVar(Fraction(1, 2)))
    assert (value.value, bend.value) == (4, 2)


def test_an_argument_that_is_not_used_gets_its_own_zero() -> None:
    gradient = any_tp.grad(lambda x, y: x * 1, argnums=(0, 1))(BVar(Polynomial.of(1)), BVar(Fraction(3)))
    assert [g.value for g in gradient] == [Polynomial.of(1), Fraction(0)]
    assert type(gradient[1].value) is Fraction


def test_a_result_that_does_not_depend_on_the_input() -> None:
    value, gradient = any_tp.value_and_grad(lambda x: Fraction(1, 3))(BVar(Fraction(2)))
    assert (value.value, gradient.value) == (Fraction(1, 3), 0)


def test_plain_arguments_come_back_plain() -> None:
    gradient = any_tp.grad(lambda x: x * x)(Fraction(1, 3))
    assert type(gradient) is Fraction and gradient == Fraction(2, 3)


def test_control_flow_on_exact_values() -> None:
    def collatz(x: Any) -> Any:
        while x != BVar(Fraction(1)):
            x = x / 2 if x.value % 2 == 0 else 3 * x + 1
        return x

    assert any_tp.grad(collatz)(BVar(Fraction(6))).value == Fraction(9, 2**6)
    assert BVar(Fraction(1, 3)).value < Fraction(1, 2)
    assert anything(Fraction(1, 3)) < anything(Fraction(1, 2)) and not anything(Fraction(0))


@attrs.frozen
class Line(Record):
    slope: BVar[Fraction]
    intercept: BVar[Fraction]


def test_a_record_of_fractions() -> None:
    points = [(Fraction(0), Fraction(1)), (Fraction(1), Fraction(3)), (Fraction(2), Fraction(5))]

    def loss(line: Line) -> BVar[Fraction]:
        total = BVar(Fraction(0))
        for x, y in points:
            total = total + (line.slope * x + line.intercept - y) ** 2
        return total

    line = Line(BVar(Fraction(1)), BVar(Fraction(0)))
    _, gradient = tp.backprop(loss, line)
    assert gradient == Line(BVar(Fraction(-16)), BVar(Fraction(-12)))
    assert line + gradient == Line(BVar(Fraction(-15)), BVar(Fraction(-12)))
    step = tree.map(lambda p, g: p - g * Fraction(1, 100), line, gradient)
    assert step.slope.value == Fraction(29, 25)


def test_two_kinds_in_one_tree() -> None:
    def f(pair: tuple[BVar[Fraction], BVar[float]]) -> BVar[float]:
        exact, inexact = pair
        return inexact * inexact * float((exact * exact).value)

    gradient = any_tp.grad(f)((BVar(Fraction(1, 2)), BVar(3.0)))
    assert [g.value for g in gradient] == [Fraction(0), 1.5]


# -- A class's own add, zero and attributes --------------------------------------------------------------------------


class Sparse:
    """A vector without an end; it has no operators, and attributes of the names that arrays and BVars use."""

    shape = (7,)
    dtype = "sparse"

    def __init__(self, **entries: int) -> None:
        self._value = {name: x for name, x in entries.items() if x}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sparse) and self._value == other._value

    __hash__ = None  # type: ignore[assignment]  # object declares a method

    def __repr__(self) -> str:
        return f"Sparse({self._value})"

    def plus(self, other: Sparse) -> Sparse:
        names = self._value | other._value
        return Sparse(**{name: self._value.get(name, 0) + other._value.get(name, 0) for name in names})


register(Sparse, zero=lambda _: Sparse(), one=lambda x: Sparse(**dict.fromkeys(x._value, 1)), add=Sparse.plus)


def test_a_class_without_operators_is_added_by_its_own_function() -> None:
    x, y = Sparse(a=1, b=2), Sparse(b=-2, c=5)
    check_leaf([x, y, Sparse()])
    b = BVar(x)
    assert b.value is x
    assert (b.shape, b.ndim, b.size, b.dtype) == ((), 0, 1, np.dtype(object))
    assert (b + BVar(y)).value == (b + y).value == Sparse(a=1, c=5)
    assert b == BVar(Sparse(a=1, b=2)) and repr(b) == "BVar(Sparse({'a': 1, 'b': 2}))"
    # Contributions of several uses are added by it in every kind of sweep and order.
    cotangent = BVar(Sparse(z=1))
    _, pullback = tp.vjp(lambda v: v + v + v, b)
    assert pullback(cotangent).value == Sparse(z=3)
    assert tp.jvp(lambda v: v + v, b, cotangent)[1].value == Sparse(z=2)
    _, pullback = tp.vjp(lambda v: tp.vjp(lambda w: w + v, v)[1](v), b)
    assert pullback(cotangent).value == Sparse(z=1)


def test_its_own_function_adds_what_belongs_to_different_gradients() -> None:
    one, other = Sparse(a=1), BVar(Sparse(b=2))
    sums: list[Callable[[Any, Any], Any]] = [lambda v, w: v + w, lambda v, w: w + v]
    for f in sums:
        value, pullback = tp.vjp(lambda v: tp.vjp(lambda w: f(v, w), BVar(one))[0], other)  # noqa: B023
        assert value.value == Sparse(a=1, b=2)
        assert pullback(BVar(Sparse(z=1))).value == Sparse(z=1)


class Score:
    """Its `+` takes an int, and what adds two of them has another name."""

    def __init__(self, points: int) -> None:
        self.points = points

    def __add__(self, more: int) -> Score:
        return Score(self.points + more)

    __radd__ = __add__

    def joined(self, other: Score) -> Score:
        return Score(self.points + other.points)


register(Score, zero=lambda _: Score(0), one=lambda _: Score(1), add=Score.joined)


def test_an_int_is_added_by_the_operator() -> None:
    b: Any = BVar(Score(3))
    assert [sum.value.points for sum in (b + 2, 2 + b, b + b)] == [5, 5, 6]


@pytest.mark.parametrize(
    ("f", "value", "bend"),
    [
        (lambda a, b: (a + b) ** 3, lambda a, b: (a + b) ** 3, lambda a, b: 6 * (a + b)),
        (lambda a, b: (a - b) ** 3, lambda a, b: (a - b) ** 3, lambda a, b: -6 * (a - b)),
        (lambda a, b: (b - a) ** 3, lambda a, b: (b - a) ** 3, lambda a, b: -6 * (b - a)),
        (lambda a, b: (a * b) ** 2, lambda a, b: (a * b) ** 2, lambda a, b: 4 * a * b),
        (lambda a, b: (b * a) ** 2, lambda a, b: (a * b) ** 2, lambda a, b: 4 * a * b),
        (lambda a, b: (a / b) ** 2, lambda a, b: (a / b) ** 2, lambda a, b: -4 * a / b**3),
        (lambda a, b: (b / a) ** 2, lambda a, b: (b / a) ** 2, lambda a, b: -4 * b / a**3),
    ],
)
def test_operands_that_belong_to_different_gradients(f: Any, value: Any, bend: Any) -> None:
    """One to the outer gradient, the other to the inner one, which is a number to begin with."""
    a, b = Fraction(2, 3), Fraction(5, 7)
    assert any_tp.vjp(lambda x: any_tp.vjp(lambda y: f(x, y), BVar(b))[0], BVar(a))[0].value == value(a, b)
    assert any_tp.grad(lambda x: any_tp.grad(lambda y: f(x, y))(b))(a) == bend(a, b)


def test_no_other_operation_is_made_up() -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \*: 'Sparse' and 'Sparse'"):
        _ = BVar(Sparse(a=1)) * BVar(Sparse(a=1))


def test_the_last_registration_holds() -> None:
    class Tropical(float):
        def __add__(self, other: float) -> Tropical:
            return Tropical(max(self, other))

    class Derived(Tropical):
        pass

    register(Tropical, zero=lambda _: Tropical("-inf"), one=lambda _: Tropical(0.0))

    def zeros(b: BVar[Any]) -> Any:
        return any_tp.grad(lambda pair: pair[1])((b, b))[0].value

    assert zeros(BVar(Derived(3.0))) == -np.inf
    register(Tropical, zero=lambda _: Tropical(-1e9), one=lambda _: Tropical(0.0))
    assert zeros(BVar(Derived(3.0))) == zeros(BVar(Tropical(3.0))) == -1e9


@pytest.mark.parametrize("cls", [float, int, bool, complex, np.float64, np.ndarray, np.matrix, tuple, list, dict, str])
def test_what_is_a_leaf_or_a_node_already_cannot_be_registered(cls: Any) -> None:
    with pytest.raises(TypeError, match=f"register: what a {cls.__name__} is to a BVar cannot be changed"):
        register(cls, zero=lambda x: x, one=lambda x: x)


def test_only_classes_are_registered() -> None:
    with pytest.raises(TypeError, match=r"register: wanted a class, got Fraction\(1, 2\)"):
        any_tp.register(Fraction(1, 2), zero=None, one=None)


# -- Float subclasses, new types, NumPy's scalars --------------------------------------------------------------------

Meters = NewType("Meters", float)


class Celsius(float):
    pass


class Rate(Fraction):
    pass


def test_a_new_type_is_the_type_that_it_names() -> None:
    def area(side: BVar[Meters]) -> BVar[Meters]:
        return side * side

    side = BVar(Meters(3.0))
    assert type(side.value) is float
    assert tp.backprop(area, side)[1].value == 6.0
    assert tp.exp(side).value == np.exp(3.0)


def test_a_subclass_of_float_is_the_float_that_it_is() -> None:
    b = BVar(Celsius(20.0))
    assert type(b.value) is float and b.value == 20.0
    assert type((b * Celsius(2.0)).value) is float
    assert any_tp.grad(lambda x: x * x)(Celsius(20.0)) == 40.0


def test_a_registered_subclass_of_float_keeps_its_type() -> None:
    class Kelvin(float):
        def __add__(self, other: float) -> Kelvin:
            return Kelvin(float(self) + other)

        def __mul__(self, other: float) -> Kelvin:
            return Kelvin(float(self) * other)

    register(Kelvin, zero=lambda _: Kelvin(0.0), one=lambda _: Kelvin(1.0))
    value, gradient = any_tp.backprop(lambda x: x * x + x, BVar(Kelvin(3.0)))
    assert (value.value, gradient.value) == (12.0, 7.0)
    assert type(value.value) is type(gradient.value) is Kelvin
    with pytest.raises(DTypeError, match=r"-: 3.0 - 1.0 is 2.0, which is not a Kelvin"):
        _ = anything(Kelvin(3.0)) - Kelvin(1.0)


def test_a_subclass_of_a_registered_type_goes_by_its_base() -> None:
    rate = BVar(Rate(1, 3))
    assert type(rate.value) is Rate
    assert leaf_type(Rate) is leaf_type(Fraction)
    value, gradient = any_tp.backprop(lambda x: x * x + Fraction(1), rate)
    assert (value.value, gradient.value) == (Fraction(10, 9), Fraction(2, 3))


@pytest.mark.parametrize("scalar", [np.float64(1.5), np.float32(1.5), np.array(1.5)])
def test_numpy_scalars_are_python_floats(scalar: Any) -> None:
    assert type(anything(scalar).value) is float
    assert type((BVar(2.0) * scalar).value) is float
    assert any_tp.grad(lambda x: x * scalar)(2.0) == 1.5


def test_float32_scalars_do_not_promote() -> None:
    x = np.ones(3, np.float32)
    assert (anything(x) * np.float32(2)).dtype == (anything(x) * np.float64(2)).dtype == np.float32


@pytest.mark.parametrize("scalar", [np.int64(2), np.bool(True), np.complex128(1j), True, 1j])
def test_other_numbers_are_refused(scalar: Any) -> None:
    with pytest.raises(DTypeError, match="cannot be differentiated"):
        anything(scalar)


# -- What does not go together ---------------------------------------------------------------------------------------

HALF = anything(Fraction(1, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: HALF + 0.5, r"\+: a Fraction and a float do not mix, .* as in Fraction\(\.\.\.\)"),
        (lambda: 0.5 * HALF, r"\*: a Fraction and a float do not mix"),
        (lambda: HALF - BVar(0.5), r"-: a Fraction and a float do not mix"),
        (lambda: HALF / np.float64(2), r"/: a Fraction and a float64 do not mix"),
        (lambda: HALF * True, r"\*: a Fraction and a bool do not mix"),
        (lambda: HALF * np.ones(2), r"\*: a Fraction and a ndarray do not mix"),
        (lambda: np.ones(2) * HALF, r"\*: a Fraction and a ndarray do not mix"),
        (lambda: HALF * np.array([1j]), r"\*: a Fraction and a ndarray do not mix"),
        # Where it is the outer gradient's, no less.
        (
            lambda: any_tp.grad(lambda a: any_tp.grad(lambda b: a * b * np.ones(2))(a))(HALF),
            r"a Fraction and a ndarray",
        ),
        (lambda: any_tp.grad(lambda a: any_tp.grad(lambda b: 0.5 * (a * b))(a))(HALF), r"a Fraction and a float"),
        (lambda: any_tp.grad(lambda a: any_tp.grad(lambda b: a * b / np.int64(2))(a))(HALF), r"a Fraction and a int64"),
        (lambda: HALF + BVar(Decimal(1)), r"\+: a Fraction and a Decimal do not mix"),
        (lambda: BVar(np.ones(2)) * HALF, r"\*: a Fraction and a ndarray do not mix"),
        (lambda: HALF ** Fraction(1, 2), r"\*\*: .* is 0\.7071067811865476, which is not a Fraction"),
        (lambda: any_tp.exp(HALF), "exp: wanted a BVar, a float or a float array, got a Fraction"),
        (lambda: any_tp.stack([HALF]), "stack: .* got a Fraction"),
        (lambda: any_tp.where(True, HALF, HALF), "where: .* got a Fraction"),
        (lambda: HALF.sum(), "sum: a Fraction has no elements; wanted a BVar of floats"),
        (lambda: HALF.max(), "max: a Fraction has no elements"),
        (lambda: HALF.mean(), "a Fraction has no elements"),
        (lambda: tree.ravel([HALF]), r"ravel: the leaf at \[0\] is a Fraction, no float"),
        (lambda: any_tp.jacobian(lambda x: x * x)(HALF), "got a Fraction"),
        (lambda: any_tp.vjp(lambda x: x, HALF)[1](BVar(1.0)), "the cotangent is a float, but belongs to a Fraction"),
        (lambda: any_tp.jvp(lambda x: x, HALF, BVar(1.0)), "the tangent is a float, but belongs to a Fraction"),
        (lambda: any_tp.jvp(lambda x: x, BVar(1.0), HALF), "the tangent is a Fraction, but belongs to a float"),
        (lambda: check_grads(lambda x: x, (HALF,)), "check_grads: a Fraction has no small steps"),
    ],
)
def test_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DTypeError, match=message):
        call()


def test_a_cotangent_of_another_registered_type() -> None:
    _, pullback = any_tp.vjp(lambda x: x, HALF)
    with pytest.raises(DTypeError, match="the cotangent is a Decimal, but belongs to a Fraction"):
        pullback(BVar(Decimal(1)))


def test_foreign_operands_are_left_to_python() -> None:
    with pytest.raises(TypeError, match="unsupported operand"):
        _ = HALF + "a"


def test_the_exponent_is_plain() -> None:
    for f in (lambda x: x**x, lambda x: BVar(Fraction(2)) ** x, lambda x: any_tp.grad(lambda y: x**y)(x)):
        with pytest.raises(NotDifferentiableError, match=r"\*\*: the derivative by an exponent takes a logarithm"):
            any_tp.grad(f)(BVar(Fraction(3)))
    assert (anything(Fraction(2)) ** BVar(Fraction(3))).value == 8


def test_equality_with_a_plain_value_is_ambiguous() -> None:
    with pytest.raises(TypeError, match="== between a BVar and a plain value is ambiguous"):
        assert Fraction(1, 2) == HALF
    assert BVar(Fraction(1, 2)) == BVar(Fraction(2, 4))
    assert BVar(Fraction(1, 2)) != BVar(Fraction(1, 3))


@pytest.mark.parametrize(("x", "slope"), [(Fraction(-2), -1), (Fraction(2), 1), (Fraction(0), 0)])
def test_abs(x: Fraction, slope: int) -> None:
    gradient = any_tp.grad(abs)(BVar(x))
    assert type(gradient.value) is Fraction and gradient.value == slope
    assert any_tp.grad(lambda y: any_tp.grad(lambda z: abs(z) * z)(y))(BVar(x)).value == 2 * slope


def test_abs_of_what_has_no_sign() -> None:
    class Gaussian(complex):
        def __abs__(self) -> Any:
            return Gaussian(super().__abs__())

    register(Gaussian, zero=lambda _: Gaussian(0), one=lambda _: Gaussian(1))
    with pytest.raises(NotDifferentiableError, match=r"abs: \(3\+4j\) is neither \(5\+0j\) nor its negative"):
        abs(anything(Gaussian(3 + 4j)))


def test_errors_of_the_type_itself_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = HALF / 0


def test_not_imported_before_they_are_used() -> None:
    program = "import sys, typedprop; print('fractions' in sys.modules, 'decimal' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["False", "False"]


def test_texts_beside_a_fraction_are_left_to_python() -> None:
    x: Any = BVar(Fraction(1, 2))
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'BVar' and 'str'"):
        _ = x + "text"


def test_functions_of_floats_refuse_fractions_alone_and_beside_floats() -> None:
    half: Any = BVar(Fraction(1, 2))
    with pytest.raises(DTypeError, match="hypot is a function of floats and arrays, not of a Fraction"):
        untyped.tp.hypot(half, half)
    with pytest.raises(DTypeError, match="exp: wanted a BVar, a float or a float array, got a Fraction"):
        untyped.tp.exp(half)
    with pytest.raises(DTypeError, match="Fraction"):
        untyped.tp.stack([BVar(1.0), half])
    with pytest.raises(DTypeError, match="where: wanted a BVar, a float or a float array, got a Fraction"):
        untyped.tp.where(np.array([True, False]), half, half)
    # Elsewhere nothing has changed.
    assert untyped.tp.where(np.array([True, False]), BVar(1.0), 2.0).value.tolist() == [1.0, 2.0]


def test_as_long_as_no_other_type_was_met() -> None:
    known = dict(FOUND)
    FOUND.clear()
    try:
        assert untyped.tp.where(np.array([True, False]), BVar(1.0), 2.0).value.tolist() == [1.0, 2.0]
    finally:
        FOUND.update(known)
