"""Functions of each element, reductions and mappings: sizes, dtypes and axes that do not fit."""
# fmt: off

import numpy as np

import typedprop as tp
from typedprop import BVar, Dim, L, R, special


class Rows(Dim): ...
class Columns(Dim): ...


rows, columns = Rows(2), Columns(3)
plain_x, plain_y, plain_w = tp.ones(columns), tp.ones(rows), tp.ones(rows, columns)
s, x, y, w = BVar(2.0), BVar(plain_x), BVar(plain_y), BVar(plain_w)
x32 = BVar(tp.ones(columns, dtype=np.float32))
mask, mask_y = plain_x > 0.5, plain_y > 0.5

# Two operands of different sizes or dtypes.
tp.maximum(x, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.maximum(x, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.maximum(plain_y, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.minimum(plain_x, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.hypot(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.hypot(w, w.T)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.hypot(plain_w, plain_w.T)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.arctan2(plain_y, w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.logaddexp(x, x32)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.power(x, "2")  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
special.xlogy(x, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.clip(x, y, 1.0)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.clip(plain_x, plain_y, 1.0)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.clip(plain_x, s, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.clip(plain_x, plain_y, s)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue

# Choice: the mask and both branches.
tp.where(mask_y, x, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.where(mask, x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.where(plain_x, x, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.where(x > 0.5, x, x)  # E: mypy=arg-type,operator pyright=reportOperatorIssue

# What is kept is kept.
a: BVar[R[Rows]] = tp.exp(x)  # E: mypy=arg-type pyright=reportAssignmentType
# E: mypy=arg-type pyright=reportAssignmentType
b: BVar[R[Columns]] = tp.sin(x32)
c: BVar[float] = tp.relu(x)  # E: mypy=arg-type pyright=reportAssignmentType
d: R[Rows] = tp.log(plain_x)  # E: mypy=arg-type pyright=reportAssignmentType
e: BVar[L[Columns, Rows]] = tp.softmax(w)  # E: mypy=arg-type pyright=reportAssignmentType
tp.exp("1")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.exp([1.0, 2.0])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.gelu(x, 1)  # E: mypy=call-overload pyright=reportCallIssue

# The result of each function of an element has the sizes and the dtype of its argument.
tp.abs(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.arccos(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.arccosh(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.arcsin(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.arcsinh([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.arctan(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.arctanh(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.cbrt(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.ceil(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.celu([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.cos(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.cosh(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.deg2rad(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.elu(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.exp2([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.expm1(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.floor(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.hard_sigmoid(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.hard_silu(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.hard_tanh([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.leaky_relu(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.log1p(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.log2(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.log10(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.log_sigmoid([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.log_softmax(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.negative(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.rad2deg(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.reciprocal(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.relu6([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.round(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.selu(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.sign(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.silu(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.sinc([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.sinh(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.softplus(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.softsign(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.sqrt(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
tp.square([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.tan(x) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.tanh(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
tp.trunc(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
tp.add(x, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.subtract(plain_x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.multiply(x, x32)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.divide(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.max(w, axis=0) + y  # E: mypy=operator pyright=reportOperatorIssue
tp.min(x, axis=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.cumprod(x, 1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.argmin(w, axis=1) + x  # E: mypy=operator pyright=reportOperatorIssue
tp.argsort(x, axis=1)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# Axes, and what they leave.
tp.prod(x, 1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.prod(w, 2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.median(w, axis=-3)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
f: BVar[R[Rows]] = tp.prod(w, 0)  # E: mypy=call-overload pyright=reportAssignmentType
g: BVar[R[Rows]] = tp.std(w, 1, keepdims=True)  # E: mypy=assignment pyright=reportAssignmentType
h: BVar[R[Columns]] = tp.var(w, 1, ddof=1)  # E: mypy=call-overload pyright=reportAssignmentType
i: BVar[float] = tp.logsumexp(w, 0)  # E: mypy=assignment pyright=reportAssignmentType
j: R[Columns, np.int64] = tp.argmax(w, 1)  # E: mypy=call-overload pyright=reportAssignmentType
tp.argmax(w, 1) + x  # E: mypy=operator pyright=reportOperatorIssue
tp.quantile(x)  # E: mypy=call-overload pyright=reportCallIssue
tp.quantile(x, plain_x)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
tp.cumsum(x, 1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
k: BVar[R[Rows]] = tp.quantile(w, 0.5, 0)  # E: mypy=call-overload pyright=reportAssignmentType
m: BVar[L[Rows, Columns]] = tp.cumsum(w)  # E: mypy=assignment pyright=reportAssignmentType
tp.softmax_cross_entropy(w, plain_x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.softmax(s)  # E: mypy=type-var pyright=reportArgumentType,reportCallIssue


# Mappings.
def norm(v: BVar[R[Columns]]) -> BVar[float]:
    return v @ v


def pair(v: BVar[float]) -> tuple[BVar[float], BVar[float]]:
    return v, v


tp.map(norm, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.map(pair, x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.zip_with(lambda p, q: p * q, x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.zip_with(lambda p, q: p * q, plain_x, plain_y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
