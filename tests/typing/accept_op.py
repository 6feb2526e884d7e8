"""A user's own primitives and leaves: sizes stay generic through `op`; registered types have their own arithmetic."""

from decimal import Decimal
from fractions import Fraction
from typing import NewType, assert_type

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, Local1, Local2, Local3, R

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Rows(Dim): ...


class Columns(Dim): ...


rows, columns = Rows(2), Columns(3)
plain_x = tp.ones(columns)
plain_w = tp.ones(rows, columns)
x = BVar(plain_x)
y = BVar(tp.ones(rows))
w = BVar(plain_w)
s = BVar(2.0)


# Rules over plain values: pull alone, pull and push, push alone.
@tp.op
def dot(x: R[N], y: R[N]) -> Local2[R[N], R[N], float]:
    return Local2(float(x @ y), lambda g: (g * y, g * x))


@tp.op
def double(x: R[N]) -> Local1[R[N], R[N]]:
    return Local1(2.0 * x, lambda g: 2.0 * g).push(lambda t: 2.0 * t)


@tp.op
def doubled_forward(x: R[N]) -> Local1[R[N], R[N]]:
    return Local1[R[N], R[N]](2.0 * x).push(lambda t: 2.0 * t)


@tp.op
def affine(w: L[M, N], x: R[N], b: R[M]) -> Local3[L[M, N], R[N], R[M], R[M]]:
    return Local3(w @ x + b, lambda g: (tp.outer(g, x), w.T @ g, g)).push(lambda dw, dx, db: dw @ x + w @ dx + db)


# gap: ty=invalid-argument-type "loses a generic function's sizes in a decorator"
assert_type(dot(x, x), BVar[float])
# gap: ty=invalid-argument-type "loses a generic function's sizes in a decorator"
assert_type(dot(x, plain_x), BVar[float])
# gap: ty=invalid-argument-type "loses a generic function's sizes in a decorator"
assert_type(dot(plain_x, plain_x), BVar[float])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(double(x), BVar[R[Columns]])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(double(y), BVar[R[Rows]])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(doubled_forward(x), BVar[R[Columns]])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(affine(w, x, y), BVar[R[Rows]])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(affine(w, plain_x, y), BVar[R[Rows]])


# What is not differentiated is keyword-only.
@tp.op
def power(x: R[N], *, exponent: int, scale: float = 1.0) -> Local1[R[N], R[N]]:
    return Local1(scale * x**exponent, lambda g: scale * exponent * g * x ** (exponent - 1))


# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(power(x, exponent=3), BVar[R[Columns]])
# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(power(x, exponent=3, scale=2.0), BVar[R[Columns]])


# Several results.
@tp.op
def norm_and_direction(x: R[N]) -> Local1[R[N], tuple[float, R[N]]]:
    norm = float(np.sqrt(x @ x))

    def pull(g: tuple[float, R[N]]) -> R[N]:
        to_norm, to_direction = g
        u = x / norm
        return to_norm * u + (to_direction - float(to_direction @ u) * u) / norm

    return Local1((norm, x / norm), pull)


# gap: ty=invalid-argument-type,type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(norm_and_direction(x), tuple[BVar[float], BVar[R[Columns]]])


# Rules over BVars.
@tp.op(differentiable=True)
def square(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
    return Local1(x * x, lambda g: 2.0 * g * x).push(lambda t: 2.0 * t * x)


@tp.op(differentiable=True)
def product(w: BVar[L[M, N]], x: BVar[R[N]]) -> Local2[BVar[L[M, N]], BVar[R[N]], BVar[R[M]]]:
    return Local2(w @ x, lambda g: (tp.outer(g, x), w.T @ g))


# gap: ty=type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(square(x), BVar[R[Columns]])
# gap: ty=type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(square(plain_x), BVar[R[Columns]])
# gap: ty=type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(product(w, x), BVar[R[Rows]])
# gap: ty=type-assertion-failure "loses a generic function's sizes in a decorator"
assert_type(tp.backprop(lambda v: square(v), x), tuple[BVar[R[Columns]], BVar[R[Columns]]])

# Registered types have the operators of their own kind, and ints.
half = BVar(Fraction(1, 2))
assert_type(half, BVar[Fraction])
assert_type(half.value, Fraction)
assert_type(half + half, BVar[Fraction])
assert_type(half * Fraction(2, 3), BVar[Fraction])
assert_type(Fraction(1) - half, BVar[Fraction])
assert_type(half / 2, BVar[Fraction])
assert_type(1 / half, BVar[Fraction])
assert_type(half**3, BVar[Fraction])
assert_type(-abs(half), BVar[Fraction])
assert_type(BVar(Decimal(2)) ** 2, BVar[Decimal])


def cube(x: BVar[Fraction]) -> BVar[Fraction]:
    return x**3


assert_type(tp.backprop(cube, half), tuple[BVar[Fraction], BVar[Fraction]])
assert_type(tp.jvp(cube, half, half), tuple[BVar[Fraction], BVar[Fraction]])


@tp.op
def exact_square(x: Fraction) -> Local1[Fraction, Fraction]:
    return Local1(x * x, lambda g: 2 * g * x)


assert_type(exact_square(half), BVar[Fraction])

# A NewType keeps its name, NumPy's scalars become floats.
Meters = NewType("Meters", float)
length = BVar(Meters(2.0))
assert_type(length + length, BVar[Meters])
assert_type(length * 2.0, BVar[Meters])
assert_type(tp.exp(length), BVar[Meters])
assert_type(BVar(np.float64(2.0)), BVar[float])
assert_type(BVar(np.float32(2.0)), BVar[float])
declared: BVar[Meters] = BVar(Meters(3.0))


# The solution of equations has the solver's type.
def solver(a: BVar[R[N]]) -> BVar[R[N]]:
    return tp.sqrt(a)


def residual(x: BVar[R[N]], a: BVar[R[N]]) -> BVar[R[N]]:
    return x * x - a


def scalar_solver(a: BVar[float]) -> BVar[float]:
    return tp.sqrt(a)


def scalar_residual(x: BVar[float], a: BVar[float]) -> BVar[float]:
    return x * x - a


# gap: zuban=arg-type,misc "does not solve for two generic functions in one call"
# gap: ty=invalid-argument-type,type-assertion-failure "does not solve for two generic functions in one call"
assert_type(tp.implicit(solver, residual)(x), BVar[R[Columns]])
assert_type(tp.implicit(scalar_solver, scalar_residual)(s), BVar[float])
assert_type(tp.grad(tp.implicit(scalar_solver, scalar_residual))(s), BVar[float])
