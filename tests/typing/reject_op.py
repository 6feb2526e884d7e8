"""A user's own primitives and leaves: pullbacks of the wrong shape or order, wrong operands, mixed types."""
# fmt: off

from decimal import Decimal
from fractions import Fraction
from typing import NewType

from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, Local1, Local2, Local3, R

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Rows(Dim): ...
class Columns(Dim): ...


rows, columns = Rows(2), Columns(3)
x = BVar(tp.ones(columns))
y = BVar(tp.ones(rows))
w = BVar(tp.ones(rows, columns))


@tp.op
def matvec(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    return Local2(w @ x, lambda g: (tp.outer(g, x), w.T @ g))


@tp.op(differentiable=True)
def square(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
    return Local1(x * x, lambda g: 2.0 * g * x)


# Operands that do not go together.
# E: mypy=misc pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type
# gap: ty "loses a generic function's sizes in a decorator"
matvec(w, y)
# E: mypy=arg-type pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type
# gap: ty "loses a generic function's sizes in a decorator"
matvec(x, w)
# E: mypy=call-arg pyright=reportCallIssue pyrefly=bad-argument-count zuban=call-arg ty=missing-argument
matvec(w)
# E: mypy=call-arg pyright=reportCallIssue pyrefly=bad-argument-count zuban=call-arg ty=too-many-positional-arguments
matvec(w, x, y)
# E: mypy=arg-type pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type
# gap: ty "loses a generic function's sizes in a decorator"
square(w)
# E: mypy=arg-type pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type
# gap: ty "loses a generic function's sizes in a decorator"
square("x")
# E: mypy=arg-type pyright=reportAssignmentType pyrefly=bad-assignment zuban=arg-type
# gap: ty "loses a generic function's sizes in a decorator"
a1: BVar[R[Columns]] = matvec(w, x)


# A cotangent that is transposed, in the wrong order, summed, or of another operand.
@tp.op
def transposed(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    # E: mypy=arg-type pyright=reportReturnType pyrefly=bad-return ty=invalid-explicit-return
    return Local2(w @ x, lambda g: (tp.outer(x, g), w.T @ g))


@tp.op
def swapped(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    # E: mypy=arg-type,return-value pyright=reportReturnType pyrefly=bad-return ty=invalid-explicit-return
    return Local2(w @ x, lambda g: (w.T @ g, tp.outer(g, x)))


@tp.op
def summed(x: R[N]) -> Local1[R[N], R[N]]:
    # E: mypy=arg-type,return-value pyright=reportReturnType pyrefly=bad-return ty=invalid-explicit-return
    return Local1(x * 2.0, lambda g: g.sum())


@tp.op
def untransposed(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    # E: mypy=operator pyright=reportOperatorIssue pyrefly=bad-return,unsupported-operation ty=unsupported-operator
    return Local2(w @ x, lambda g: (tp.outer(g, x), w @ g))


@tp.op(differentiable=True)
def over_bvars(w: BVar[L[M, N]], x: BVar[R[N]]) -> Local2[BVar[L[M, N]], BVar[R[N]], BVar[R[M]]]:
    # E: mypy=arg-type,return-value pyright=reportReturnType pyrefly=bad-return ty=invalid-explicit-return
    return Local2(w @ x, lambda g: (w.T @ g, tp.outer(g, x)))


# A push of the wrong size, beside a right pull.
@tp.op
def pushed(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    # E: mypy=arg-type,return-value pyright=reportArgumentType pyrefly=bad-argument-type ty=invalid-argument-type
    return Local2(w @ x, lambda g: (tp.outer(g, x), w.T @ g)).push(lambda dw, dx: dx)


# A wrong pull, beside a right push.
@tp.op
def pulled(x: R[N]) -> Local1[R[N], float]:
    # E: mypy=attr-defined,return-value pyright=reportAttributeAccessIssue,reportReturnType
    # E: pyrefly=bad-return,missing-attribute ty=invalid-explicit-return,missing-attribute
    return Local1(float(x.sum()), lambda g: g).push(lambda t: float(t.sum()))


# The number of operands.
@tp.op
def one_of_two(w: L[M, N], x: R[N]) -> Local1[L[M, N], R[M]]:
    return Local1(w @ x, lambda g: tp.outer(g, x))


# E: mypy=arg-type pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type ty=invalid-argument-type
one_of_two(w, x)

@tp.op
def three(w: L[M, N], x: R[N], b: R[M]) -> Local3[L[M, N], R[N], R[M], R[M]]:
    # E: mypy=arg-type,return-value pyright=reportReturnType
    return Local3(w @ x + b, lambda g: (tp.outer(g, x), w.T @ g, x))


# Functions without a derivative.
def plain(x: R[N]) -> R[N]:
    return 2.0 * x


tp.op(plain)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.op(3.0)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.op(one_of_two, differentiable=False)  # E: mypy=call-overload pyright=reportCallIssue

# Registered types do not mix with floats, arrays and each other.
half = BVar(Fraction(1, 2))
one = BVar(Decimal(1))
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half + 0.5
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
0.5 * half
# E: mypy=arg-type pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half * BVar(0.5)
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half / one
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half - Decimal(1)
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half * x
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
x * half
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
half + "1"
# E: mypy=assignment pyright=reportAssignmentType pyrefly=bad-assignment zuban=assignment ty=invalid-assignment
a2: BVar[float] = half
# E: mypy=arg-type,return-value pyright=reportArgumentType pyrefly=bad-argument-type
# gap: zuban ty "takes the class and the result of the lambda for one wider type"
tp.register(Fraction, zero=lambda _: Fraction(0), one=lambda _: 1.0)
# E: mypy=call-arg pyright=reportCallIssue pyrefly=missing-argument zuban=call-arg ty=missing-argument
tp.register(Fraction, zero=lambda _: Fraction(0))

Meters = NewType("Meters", float)
Seconds = NewType("Seconds", float)
length = BVar(Meters(2.0))
time = BVar(Seconds(3.0))
# E: mypy=operator pyright=reportOperatorIssue pyrefly=unsupported-operation zuban=operator ty=unsupported-operator
length + time
# E: mypy=assignment pyright=reportAssignmentType pyrefly=bad-assignment zuban=assignment ty=invalid-assignment
a3: BVar[Seconds] = length


# Equations about something else than the solution.
def solver(a: BVar[R[N]]) -> BVar[R[N]]:
    return tp.sqrt(a)


def of_a_matrix(x: BVar[L[N, N]], a: BVar[R[N]]) -> BVar[L[N, N]]:
    return x - a


def without_parameters(x: BVar[R[N]]) -> BVar[R[N]]:
    return x * x


# E: mypy=misc pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type
# gap: ty "does not look at generic functions given as arguments"
tp.implicit(solver, of_a_matrix)
# E: mypy=arg-type pyright=reportArgumentType pyrefly=bad-argument-type zuban=arg-type ty=invalid-argument-type
tp.implicit(solver, without_parameters)
