"""The normal form of sizes: what is always equal is equal, and calculating with it agrees with calculating."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedprop.mypy_plugin.polynomial import Polynomial, Symbol, number, product, symbol, total

A, B, C = (Symbol(name, name, None) for name in "ABC")
a, b, c = map(symbol, (A, B, C))

polynomials = st.recursive(
    st.one_of(st.integers(-3, 4).map(number), st.sampled_from([a, b, c])),
    lambda inner: st.tuples(inner, inner, st.sampled_from("+-*")).map(
        lambda t: t[0] + t[1] if t[2] == "+" else t[0] - t[1] if t[2] == "-" else t[0] * t[1]
    ),
    max_leaves=6,
)
values = st.fixed_dictionaries({A: st.integers(0, 9), B: st.integers(0, 9), C: st.integers(0, 9)})


def value(p: Polynomial, at: dict[Symbol, int]) -> int:
    found = p.with_values({one: number(size) for one, size in at.items()}).constant
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (a + b, b + a),
        (number(2) * a, a + a),
        (a * (b + number(1)), a * b + a),
        (a - a, number(0)),
        ((a + b) * (a - b), a * a - b * b),
        (total([a, number(1), b, number(-1)]), b + a),
        (product([a, b, number(3)]), number(3) * b * a),
    ],
)
def test_equal_sizes_are_one(left: Polynomial, right: Polynomial) -> None:
    assert left == right
    assert hash(left) == hash(right)


def test_different_sizes_differ() -> None:
    assert a + b != a * b
    assert a != b
    # A type variable of another function.
    assert symbol(Symbol("A", "another", None)) != a


@given(polynomials, polynomials, values)
def test_calculating(p: Polynomial, q: Polynomial, at: dict[Symbol, int]) -> None:
    assert value(p + q, at) == value(p, at) + value(q, at)
    assert value(p - q, at) == value(p, at) - value(q, at)
    assert value(p * q, at) == value(p, at) * value(q, at)
    quotient = (p * q).divided_by(q)
    if quotient is not None:
        assert value(quotient, at) * value(q, at) == value(p * q, at)


@given(polynomials, values)
def test_what_is_known_of_a_size(p: Polynomial, at: dict[Symbol, int]) -> None:
    assert p.at_least is None or value(p, at) >= p.at_least
    assert p.constant is None or value(p, at) == p.constant
    assert (p.constant is None) == bool(p.symbols)


@pytest.mark.parametrize(
    ("p", "by", "quotient"),
    [
        (number(12), number(4), number(3)),
        (number(12), number(5), None),
        (number(6) * a * b, number(2) * b, number(3) * a),
        (a + b, number(2), None),
        (a + number(1), a, None),
        (a + b, a + b, number(1)),
        (number(0), number(0), None),
    ],
)
def test_division(p: Polynomial, by: Polynomial, quotient: Polynomial | None) -> None:
    assert p.divided_by(by) == quotient


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (number(0), "0"),
        (number(-3), "-3"),
        (a + number(2) * b - number(1), "A + 2 * B - 1"),
        (number(-1) * a * b + number(3), "-A * B + 3"),
    ],
)
def test_how_it_is_written(p: Polynomial, text: str) -> None:
    assert str(p) == text
