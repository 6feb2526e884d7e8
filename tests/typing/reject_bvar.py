"""`BVar`: mistakes in sizes and dtypes, and what Python and NumPy must not do with one."""
# fmt: off

from typing import Any, Literal

import numpy as np

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3


class Rows(Dim): ...
class Columns(Dim): ...
class Picks(Dim): ...


rows, columns, picks = Rows(2), Columns(3), Picks(5)
plain_x = tp.ones(columns)
plain_y = tp.ones(rows)
plain_w = tp.ones(rows, columns)
chosen = tp.vector([0, 1, 0, 0, 1], picks, dtype=np.int64)
s = BVar(2.0)
x = BVar(plain_x)
y = BVar(plain_y)
w = BVar(plain_w)
x32 = BVar(tp.ones(columns, dtype=np.float32))

# Sizes that differ: BVar with BVar, with a plain array, and the other way round.
x + y  # E: mypy=operator pyright=reportOperatorIssue
x - plain_y  # E: mypy=operator pyright=reportOperatorIssue
plain_y - x  # E: mypy=operator pyright=reportOperatorIssue
x * y  # E: mypy=operator pyright=reportOperatorIssue
x / plain_y  # E: mypy=operator pyright=reportOperatorIssue
plain_y / x  # E: mypy=operator pyright=reportOperatorIssue
x ** y  # E: mypy=operator pyright=reportOperatorIssue
w + w.T  # E: mypy=operator pyright=reportOperatorIssue
w * plain_w.T  # E: mypy=operator pyright=reportOperatorIssue
plain_w.T * w  # E: mypy=operator pyright=reportOperatorIssue

# Beside a size that is not known, the others are still held to account.
t: BVar[Tensor3[Any, Rows, Columns]] = BVar(tp.ones(4, rows, columns))
one_page: BVar[Tensor3[Literal[1], Rows, Columns]] = BVar(tp.ones(1, rows, columns))
swapped: BVar[Tensor3[Any, Columns, Rows]] = t.mT
t + swapped  # E: mypy=operator pyright=reportOperatorIssue
one_page * swapped  # E: mypy=operator pyright=reportOperatorIssue
swapped.value - one_page  # E: mypy=operator pyright=reportOperatorIssue
one_page / swapped.value  # E: mypy=operator pyright=reportOperatorIssue

# Comparisons: of other sizes never equal, and with plain data it raises.
x == y  # E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes object's == where the operands' own refuses"
x != y  # E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes object's == where the operands' own refuses"
w == w.T  # E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes object's == where the operands' own refuses"
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "takes object's == where the operands' own refuses"
x == plain_x
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "takes object's == where the operands' own refuses"
plain_x == x
x < plain_x  # E: mypy=operator pyright=reportOperatorIssue

# A bias that does not run along the rows.
w + y  # E: mypy=operator pyright=reportOperatorIssue
y + w  # E: mypy=operator pyright=reportOperatorIssue
w + plain_y  # E: mypy=operator pyright=reportOperatorIssue
plain_y + w  # E: mypy=operator pyright=reportOperatorIssue
plain_w + y  # E: mypy=operator pyright=reportOperatorIssue
w.T - w.sum(axis=1, keepdims=True)  # E: mypy=operator pyright=reportOperatorIssue

# Products without the transposition.
w @ y  # E: mypy=operator pyright=reportOperatorIssue
w @ plain_y  # E: mypy=operator pyright=reportOperatorIssue
plain_w @ y  # E: mypy=operator pyright=reportOperatorIssue
x @ w  # E: mypy=operator pyright=reportOperatorIssue
plain_x @ w  # E: mypy=operator pyright=reportOperatorIssue
w @ w  # E: mypy=operator pyright=reportOperatorIssue
plain_w @ w  # E: mypy=operator pyright=reportOperatorIssue
x @ y  # E: mypy=operator pyright=reportOperatorIssue
plain_x @ y  # E: mypy=operator pyright=reportOperatorIssue
x.dot(y)  # E: mypy=arg-type pyright=reportArgumentType
tp.dot(x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.matmul(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue

# float32 beside float64.
x + x32  # E: mypy=operator pyright=reportOperatorIssue
x32 * x  # E: mypy=operator pyright=reportOperatorIssue
w @ x32  # E: mypy=operator pyright=reportOperatorIssue
plain_x - x32  # E: mypy=operator pyright=reportOperatorIssue
x32 - plain_x  # E: mypy=operator pyright=reportOperatorIssue

# What is no operand.
x + "1"  # E: mypy=operator pyright=reportOperatorIssue
s + "1"  # E: mypy=operator pyright=reportOperatorIssue
x @ 2.0  # E: mypy=operator pyright=reportOperatorIssue
s @ s  # E: mypy=misc,operator pyright=reportOperatorIssue

# Axes and indices that are not there.
w.sum(axis=2)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
x.mean(axis=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
x[0, 1]  # E: mypy=index pyright=reportArgumentType,reportCallIssue
x["first"]  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
x[plain_y > 0]  # E: mypy=index pyright=reportArgumentType,reportCallIssue
s[0]  # E: mypy=misc pyright=reportIndexIssue
x.T  # E: mypy=misc pyright=reportAttributeAccessIssue

# A result is declared as what it is not.
a1: BVar[R[Rows]] = x  # E: mypy=assignment pyright=reportAssignmentType
a2: BVar[R[Rows]] = w @ x + 1.0 + w.sum(axis=0)  # E: mypy=operator pyright=reportOperatorIssue
a3: BVar[R[Rows]] = w.sum(axis=0)  # E: mypy=assignment pyright=reportAssignmentType
a4: BVar[L[Rows, Columns]] = w.T  # E: mypy=assignment pyright=reportAssignmentType
a5: BVar[R[Rows]] = x[chosen]  # E: mypy=assignment pyright=reportAssignmentType
a6: BVar[R[Rows]] = BVar(plain_x)  # E: mypy=arg-type pyright=reportAssignmentType
a7: BVar[L[Rows, Columns]] = w.reshape((columns, rows))  # E: mypy=assignment pyright=reportAssignmentType
a8: R[Columns] = x  # E: mypy=assignment pyright=reportAssignmentType
a9: BVar[R[Columns]] = plain_x  # E: mypy=assignment pyright=reportAssignmentType
a10: float = s  # E: mypy=assignment pyright=reportAssignmentType
a11: BVar[float] = x  # E: mypy=assignment pyright=reportAssignmentType

# What would lose the gradient. (`np.array([s])` is for run time to refuse: NumPy takes any object there.)
np.array([s])
float(s)  # E: mypy=arg-type pyright=reportArgumentType
int(s)  # E: mypy=call-overload pyright=reportArgumentType
np.exp(x)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
np.exp(s)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
# E: mypy=call-overload pyright=reportArgumentType,reportCallIssue  # gap: ty "takes any object as an element"
plain_w[0] = x
# E: mypy=call-overload pyright=reportArgumentType,reportCallIssue  # gap: ty "takes any object as an element"
plain_x[0] = s
x[0] = 1.0  # E: mypy=index pyright=reportIndexIssue
x.value = plain_x  # E: mypy=misc pyright=reportAttributeAccessIssue
{x: 1}  # E: pyright=reportUnhashable  # gap: mypy pyrefly zuban ty "does not look at whether a key can be hashed"
x < y  # E: mypy=misc,operator pyright=reportOperatorIssue
not x  # E: pyright=reportGeneralTypeIssues  # gap: mypy pyrefly zuban ty "does not look at whether `__bool__` returns"
complex(s)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
round(s)  # E: mypy=call-overload pyright=reportArgumentType
