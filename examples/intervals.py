"""Gradients of a type of one's own: intervals, with which a program proves how many roots a function has.

An interval stands for all the numbers in it, and a function of an interval gives bounds of its values there. Registered
as a leaf, an interval has a gradient too: bounds of the derivative. Where 0 is outside of them the function is
monotone, so two values of different sign prove that there is one root and no other. The bounds are fractions, so
nothing is rounded, and what is found is proved. It is drawn in out/intervals.png.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import attrs
import numpy as np
from matplotlib.figure import Figure

import typedprop as tp
from typedprop import BVar


# %% The type: the arithmetic of all numbers between two bounds
@attrs.frozen
class Interval:
    low: Fraction
    high: Fraction

    def __contains__(self, x: Fraction | int) -> bool:
        return self.low <= x <= self.high

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval | int) -> Interval:
        bounds = (other, other) if isinstance(other, int) else (other.low, other.high)
        products = [a * b for a in (self.low, self.high) for b in bounds]
        return Interval(min(products), max(products))

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Interval:
        low, high = sorted((self.low**exponent, self.high**exponent))
        return Interval(Fraction(0) if exponent % 2 == 0 and exponent and 0 in self else low, high)

    def halves(self) -> tuple[Interval, Interval]:
        middle = (self.low + self.high) / 2
        return Interval(self.low, middle), Interval(middle, self.high)


def exactly(x: Fraction | int) -> Interval:
    return Interval(Fraction(x), Fraction(x))


tp.register(Interval, zero=lambda _: exactly(0), one=lambda _: exactly(1))


# %% The function, whose roots are 0 and, up to their sign, the golden ratio and its inverse
def f(x: BVar[Interval]) -> BVar[Interval]:
    return x**5 - 3 * x**3 + x


# %% The proof
@attrs.frozen
class Roots:
    """Intervals with exactly one root each, and those about which nothing was proved; everywhere else there is none."""

    proved: list[Interval]
    open: list[Interval]


def sign_at(x: Fraction) -> int:
    value = f(BVar(exactly(x))).value.low
    return (value > 0) - (value < 0)


def find_roots(among: Interval, narrowest: Fraction) -> Roots:
    proved, unproved = list[Interval](), list[Interval]()
    pending = [among]
    while pending:
        x = pending.pop()
        value, slope = tp.backprop(f, BVar(x))
        if 0 not in value.value:
            continue
        if 0 not in slope.value:
            # Monotone: one root if the ends have different signs, none if they have the same.
            if sign_at(x.low) * sign_at(x.high) < 0:
                proved.append(x)
            elif sign_at(x.low) * sign_at(x.high) == 0:
                unproved.append(x)
        elif x.high - x.low <= narrowest:
            unproved.append(x)
        else:
            pending += x.halves()
    return Roots(sorted(proved, key=lambda x: x.low), unproved)


def narrowed(x: Interval, width: Fraction) -> Interval:
    """A narrower interval around the one root of a monotone stretch."""
    while x.high - x.low > width:
        left, right = x.halves()
        x = left if sign_at(left.low) * sign_at(left.high) <= 0 else right
    return x


# %% All together
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Prove where the roots of a polynomial are, by interval gradients.")
    parser.add_argument(
        "--out", type=Path, default=Path("out/intervals.png"), metavar="FILE", help="picture (default: %(default)s)"
    )
    options = parser.parse_args(argv)
    everywhere = Interval(Fraction(-8), Fraction(9))
    roots = find_roots(everywhere, narrowest=Fraction(1, 1000))
    for x in roots.proved:
        close = narrowed(x, Fraction(1, 10**12))
        print(f"one root in [{float(x.low):8.5f}, {float(x.high):8.5f}], at {float(close.low):z.11f}")
    print(f"no other from {everywhere.low} to {everywhere.high}")

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    at = np.linspace(-2.0, 2.0, 400)
    axes.plot(at, at**5 - 3.0 * at**3 + at)
    axes.axhline(0.0, color="0.7")
    for x in roots.proved:
        axes.axvspan(float(x.low), float(x.high), color="C1", alpha=0.3)
    axes.set(title="Each stripe has one root, and there are no others", xlabel="x", ylim=(-3.0, 3.0))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, format="png", dpi=120)

    if len(roots.proved) != 5 or roots.open:
        print(f"intervals: nothing was proved about {roots.open}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
