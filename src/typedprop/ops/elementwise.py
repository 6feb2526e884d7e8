"""Functions of each element: exponentials, roots, hyperbolic functions, activations, and the choice `where`.

Each line declares a function, how NumPy computes it, and its derivative. They keep the operand's type: `BVar[R[N]]` to
`BVar[R[N]]`, a plain array to a plain array, a float to a float; float32 stays float32.
"""

# The overloads of `where` go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import describe, is_plain, plain, shape_of, sign_of, sum_to
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, ShapeError
from typedprop.op import elementwise, opened, record_parts
from typedprop.shapes import L, R
from typedprop.tape import Rule, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)

exp = elementwise("exp", np.exp, number=math.exp, of_output=lambda y: y, doc="The exponential; its own derivative.")

log = elementwise(
    "log",
    np.log,
    number=math.log,
    of_input=lambda x: 1 / x,
    doc="The natural logarithm; derivative 1/x, infinite at 0.",
)

sqrt = elementwise(
    "sqrt",
    np.sqrt,
    number=math.sqrt,
    of_output=lambda y: 0.5 / y,
    doc="The square root; derivative 1/(2 sqrt(x)), infinite at 0 like its true limit.",
)

square = elementwise("square", np.square, number=lambda x: x * x, of_input=lambda x: 2 * x, doc="x squared.")


def _one_minus_square(y: Value) -> Value:
    if type(y) is not np.ndarray:
        return 1 - y * y
    d = y * y
    return np.subtract(1, d, out=d)


tanh = elementwise("tanh", np.tanh, number=math.tanh, of_output=_one_minus_square, doc="The hyperbolic tangent.")


def _sigmoid(x: Value) -> Value:
    """1 / (1 + exp(-x)) in one buffer; where exp overflows to infinity, the result is the right 0."""
    if not shape_of(x):
        return np.float64(_sigmoid_number(float(x)))
    y = np.negative(x)
    with np.errstate(over="ignore"):
        np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.reciprocal(y, out=y)


def _sigmoid_number(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    z = math.exp(x)
    return z / (1 + z)


def _sigmoid_slope(y: Value) -> Value:
    if type(y) is not np.ndarray:
        return y * (1 - y)
    d = np.subtract(1, y)
    return np.multiply(d, y, out=d)


sigmoid = elementwise(
    "sigmoid",
    _sigmoid,
    number=_sigmoid_number,
    of_output=_sigmoid_slope,
    doc="The logistic function 1 / (1 + exp(-x)), without overflow at either end.",
)

relu = elementwise(
    "relu",
    lambda x: np.maximum(x, 0),
    number=lambda x: max(x, 0.0) if x == x else x,
    of_output=lambda y: (sign_of(y) > 0) * 1.0 if not shape_of(y) else (plain(y) > 0).astype(plain(y).dtype),
    doc="max(x, 0); the derivative at 0 is taken as 0.",
)


def _masked(g: Value, mask: Any) -> Value:
    """`g` where `mask`, 0 elsewhere, whatever stands there (0 times NaN would be NaN)."""
    if is_plain(g):
        return np.where(mask, g, np.zeros((), g.dtype if shape_of(g) else np.float64))
    return _again(mask, g, 0.0)


# residual: (mask, the operand's shape); a scalar operand's cotangent is summed where it was chosen.
_CHOSEN = Rule(
    "where",
    lambda g, r: sum_to(_masked(g, r[0]), r[1]),
    lambda t, r: _again(r[0], t, 0.0),
    fresh=True,
)


@overload
def where(
    condition: R[N, np.bool], a: BVar[R[N, D]], b: BVar[R[N, D]] | R[N, D] | BVar[float] | float, /
) -> BVar[R[N, D]]: ...
@overload
def where(condition: R[N, np.bool], a: R[N, D] | BVar[float] | float, b: BVar[R[N, D]], /) -> BVar[R[N, D]]: ...
@overload
def where(
    condition: L[M, N, np.bool], a: BVar[L[M, N, D]], b: BVar[L[M, N, D]] | L[M, N, D] | BVar[float] | float, /
) -> BVar[L[M, N, D]]: ...
@overload
def where(
    condition: L[M, N, np.bool], a: L[M, N, D] | BVar[float] | float, b: BVar[L[M, N, D]], /
) -> BVar[L[M, N, D]]: ...
@overload
def where(condition: R[N, np.bool], a: BVar[float], b: BVar[float] | float, /) -> BVar[R[N]]: ...
@overload
def where(condition: L[M, N, np.bool], a: BVar[float], b: BVar[float] | float, /) -> BVar[L[M, N]]: ...
@overload
def where(condition: R[N, np.bool], a: R[N, D], b: R[N, D] | float, /) -> R[N, D]: ...
@overload
def where(condition: R[N, np.bool], a: float, b: R[N, D], /) -> R[N, D]: ...
@overload
def where(condition: L[M, N, np.bool], a: L[M, N, D], b: L[M, N, D] | float, /) -> L[M, N, D]: ...
@overload
def where(condition: L[M, N, np.bool], a: float, b: L[M, N, D], /) -> L[M, N, D]: ...
@overload
def where(condition: bool, a: BVar[float], b: BVar[float] | float, /) -> BVar[float]: ...
@overload
def where(condition: bool, a: float, b: BVar[float], /) -> BVar[float]: ...
def where(condition: Any, a: Any, b: Any, /) -> Any:
    """`a` where the plain mask `condition` holds, `b` elsewhere; scalars go with anything.

    Only the chosen elements receive a cotangent. A branch that is not chosen is computed all the same, and an infinite
    derivative in it makes NaN of the zero that it receives: give such a branch a safe argument,
    `where(m, sqrt(where(m, x, 1.0)), 0.0)`.

    Raises `ShapeError` if the sizes differ, `DTypeError` if the condition is not bool.
    """
    if type(condition) is BVar:
        raise DTypeError("where: the condition is a BVar; wanted a plain mask, such as b.value > 0")
    mask = np.array(condition)
    if mask.dtype != np.bool:
        raise DTypeError(f"where: the condition has dtype {mask.dtype}; wanted bool")
    tape, (x, y) = opened("where", a, b)
    value: Any
    if type(x) is BVar or type(y) is BVar:
        value = _again(mask, x, y)
    else:
        value = np.where(mask, x, y)
        dtypes = {v.dtype for v in (x, y) if isinstance(v, np.ndarray)}
        if dtypes and value.dtype not in dtypes:
            value = value.astype(dtypes.pop())
    shape = shape_of(value)
    for name, operand in (("condition", mask), ("a", x), ("b", y)):
        if shape_of(operand) not in ((), shape):
            raise ShapeError(
                f"where: {name} is {describe(shape_of(operand))} beside {describe(shape)}; sizes must be equal"
            )
    if not shape:
        value = value if type(value) is BVar else float(value)
    full = mask if mask.shape == shape else np.broadcast_to(mask, shape)
    return record_parts(
        tape, value, (a, b), lambda k: (_CHOSEN.code, ((full if k == 0 else ~full), shape_of((x, y)[k])))
    )


# For rules and for operands of an enclosing tape, whose types are unknown.
_again: Any = where
