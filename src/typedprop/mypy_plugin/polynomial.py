"""Sizes as polynomials with integer coefficients, in a normal form: two that are always equal are one value.

An indeterminate (`Symbol`) is a type variable or a named dimension. Every size is 0 or more, and that is all that is
known of a symbol.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen


@frozen(order=True)
class Symbol:
    """An indeterminate: symbols are the same if their names and keys are; they are sorted by name."""

    name: str
    key: str
    # The type that it stands for. Any, so that this file needs no mypy.
    type: Any = field(eq=False, order=False, repr=False)


Monomial = tuple[Symbol, ...]
"""A product of symbols, sorted; `()` is 1."""


@frozen
class Polynomial:
    """A sum of monomials with their coefficients: sorted, none of them 0, the constant last."""

    terms: tuple[tuple[Monomial, int], ...]

    @classmethod
    def of(cls, coefficients: Mapping[Monomial, int]) -> Polynomial:
        """The polynomial with these coefficients."""
        return cls(tuple(sorted(((m, c) for m, c in coefficients.items() if c), key=lambda term: (not term[0], term))))

    @property
    def constant(self) -> int | None:
        """Its value, if it has no symbol in it."""
        if not self.terms:
            return 0
        monomial, coefficient = self.terms[0]
        return None if monomial else coefficient

    @property
    def at_least(self) -> int | None:
        """A number that it is not below, whatever the sizes; None if there may be none."""
        if any(monomial and coefficient < 0 for monomial, coefficient in self.terms):
            return None
        return sum(coefficient for monomial, coefficient in self.terms if not monomial)

    @property
    def symbols(self) -> set[Symbol]:
        """Its indeterminates."""
        return {symbol for monomial, _ in self.terms for symbol in monomial}

    def __add__(self, other: Polynomial) -> Polynomial:
        total = dict(self.terms)
        for monomial, coefficient in other.terms:
            total[monomial] = total.get(monomial, 0) + coefficient
        return Polynomial.of(total)

    def __neg__(self) -> Polynomial:
        return Polynomial(tuple((monomial, -coefficient) for monomial, coefficient in self.terms))

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + -other

    def __mul__(self, other: Polynomial) -> Polynomial:
        total: dict[Monomial, int] = {}
        for a, x in self.terms:
            for b, y in other.terms:
                monomial = tuple(sorted((*a, *b)))
                total[monomial] = total.get(monomial, 0) + x * y
        return Polynomial.of(total)

    def divided_by(self, other: Polynomial) -> Polynomial | None:
        """The quotient, if it is again a polynomial and `other` a single term; None where that cannot be said."""
        if len(other.terms) != 1:
            return number(1) if self == other and self.terms else None
        ((divisor, by),) = other.terms
        quotient: dict[Monomial, int] = {}
        for monomial, coefficient in self.terms:
            rest = list(monomial)
            for symbol in divisor:
                if symbol not in rest:
                    return None
                rest.remove(symbol)
            if coefficient % by:
                return None
            quotient[tuple(rest)] = coefficient // by
        return Polynomial.of(quotient)

    def with_values(self, values: Mapping[Symbol, Polynomial]) -> Polynomial:
        """The polynomial with symbols replaced."""
        total = number(0)
        for monomial, coefficient in self.terms:
            total += product([number(coefficient), *(values.get(s, symbol(s)) for s in monomial)])
        return total

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in self.terms:
            factors = [symbol.name for symbol in monomial]
            if abs(coefficient) != 1 or not factors:
                factors.insert(0, str(abs(coefficient)))
            sign = "-" if coefficient < 0 else "+"
            text += f" {sign} {' * '.join(factors)}" if text else f"{'-' * (coefficient < 0)}{' * '.join(factors)}"
        return text or "0"


def number(value: int) -> Polynomial:
    """A constant."""
    return Polynomial((((), value),) if value else ())


def symbol(of: Symbol) -> Polynomial:
    """A polynomial that is one symbol."""
    return Polynomial((((of,), 1),))


def total(sizes: Iterable[Polynomial]) -> Polynomial:
    """The sum."""
    return sum(sizes, number(0))


def product(sizes: Iterable[Polynomial]) -> Polynomial:
    """The product."""
    return math.prod(sizes, start=number(1))
