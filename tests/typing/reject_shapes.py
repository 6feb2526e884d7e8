"""Plain arrays: mistakes in sizes, ranks and dtypes."""
# fmt: off

from typing import Any

import numpy as np

from typedprop.arrays import ones
from typedprop.shapes import Dim, L, One, R, Tensor3


class Rows(Dim): ...
class Columns(Dim): ...
class Pages(Dim): ...


rows, columns, pages = Rows(2), Columns(3), Pages(4)
x = ones(columns)
y = ones(rows)
w = ones(rows, columns)
t = ones(pages, rows, columns)
x32 = ones(columns, dtype=np.float32)
counts = ones(columns, dtype=np.int64)
table = ones(columns, columns, dtype=np.int32)
mask = x > 0
column = w.sum(axis=1, keepdims=True)
row = w.sum(axis=0, keepdims=True)

# Sizes that differ.
x + y  # E: mypy=operator pyright=reportOperatorIssue
x - y  # E: mypy=operator pyright=reportOperatorIssue
x * y  # E: mypy=operator pyright=reportOperatorIssue
x / y  # E: mypy=operator pyright=reportOperatorIssue
x // y  # E: mypy=operator pyright=reportOperatorIssue
x % y  # E: mypy=operator pyright=reportOperatorIssue
x ** y  # E: mypy=operator pyright=reportOperatorIssue
x @ y  # E: mypy=operator pyright=reportOperatorIssue
x < y  # E: mypy=operator pyright=reportOperatorIssue
x == y  # E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes object's == where the operands' own refuses"
mask & (y > 0)  # E: mypy=operator pyright=reportOperatorIssue
w + w.T  # E: mypy=operator pyright=reportOperatorIssue
w == w.T  # E: mypy=operator pyright=reportOperatorIssue  # gap: ty "takes object's == where the operands' own refuses"
t * t.mT  # E: mypy=operator pyright=reportOperatorIssue

# A vector that does not run along the rows, and other broadcasting that only NumPy knows.
w + y  # E: mypy=operator pyright=reportOperatorIssue
y + w  # E: mypy=operator pyright=reportOperatorIssue
w < y  # E: mypy=operator pyright=reportOperatorIssue
w.T + column  # E: mypy=operator pyright=reportOperatorIssue
column + row  # E: mypy=operator pyright=reportOperatorIssue
t + w  # E: mypy=operator pyright=reportOperatorIssue
w + t  # E: mypy=operator pyright=reportOperatorIssue

# Products without the transposition.
w @ y  # E: mypy=operator pyright=reportOperatorIssue
x @ w  # E: mypy=operator pyright=reportOperatorIssue
w @ w  # E: mypy=operator pyright=reportOperatorIssue
w @ t  # E: mypy=operator pyright=reportOperatorIssue
t @ w  # E: mypy=operator pyright=reportOperatorIssue
t @ t  # E: mypy=operator pyright=reportOperatorIssue
w @ 2.0  # E: mypy=operator pyright=reportOperatorIssue

# float32 beside float64, integers beside floats, masks in arithmetic.
x + x32  # E: mypy=operator pyright=reportOperatorIssue
x32 - x  # E: mypy=operator pyright=reportOperatorIssue
w @ x32  # E: mypy=operator pyright=reportOperatorIssue
x32 < x  # E: mypy=operator pyright=reportOperatorIssue
counts + 0.5  # E: mypy=operator pyright=reportOperatorIssue
counts * x  # E: mypy=operator pyright=reportOperatorIssue
counts & 0.5  # E: mypy=operator pyright=reportOperatorIssue
counts - table  # E: mypy=operator pyright=reportOperatorIssue
table * 0.5  # E: mypy=operator pyright=reportOperatorIssue
0.5 * table  # E: mypy=operator pyright=reportOperatorIssue
1 - mask  # E: mypy=operator pyright=reportOperatorIssue
mask + 1  # E: mypy=operator pyright=reportOperatorIssue
mask * 2.0  # E: mypy=operator pyright=reportOperatorIssue
mask + mask  # E: mypy=misc pyright=reportOperatorIssue
mask * x  # E: mypy=operator pyright=reportOperatorIssue
x & 1  # E: mypy=operator pyright=reportOperatorIssue
x + "1"  # E: mypy=operator pyright=reportOperatorIssue
divmod(x, y)  # E: mypy=operator pyright=reportCallIssue,reportArgumentType

# Indices.
x["first"]  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
x[y > 0]  # E: mypy=index pyright=reportCallIssue,reportArgumentType
w[mask]  # E: mypy=index pyright=reportCallIssue,reportArgumentType
w[w.T > 0]  # E: mypy=index pyright=reportCallIssue,reportArgumentType
x[0.5]  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType

x.clip(min=y)  # E: mypy=arg-type pyright=reportArgumentType

# Axes that are not there.
x.sum(axis=1)  # E: mypy=call-overload pyright=reportArgumentType
w.sum(axis=2)  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
w.argmax(axis=3)  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType

# A result is declared as what it is not.
a1: R[Rows] = x  # E: mypy=assignment pyright=reportAssignmentType
a2: L[Rows, Columns] = w.T  # E: mypy=assignment pyright=reportAssignmentType
a3: R[Rows] = w.sum(axis=0)  # E: mypy=assignment pyright=reportAssignmentType
a4: R[Columns] = w + x  # E: mypy=assignment pyright=reportAssignmentType
a5: R[Rows] = y[counts]  # E: mypy=assignment pyright=reportAssignmentType
a6: L[Rows, Columns] = w[counts]  # E: mypy=assignment pyright=reportAssignmentType
a7: R[Rows] = w[counts, counts]  # E: mypy=assignment pyright=reportAssignmentType
a8: L[Rows, Columns] = w.reshape(columns, rows)  # E: mypy=assignment pyright=reportAssignmentType
a9: L[Rows, Any] = w.reshape(columns, 2)  # E: mypy=assignment pyright=reportAssignmentType
a10: R[Columns, np.float32] = x  # E: mypy=assignment pyright=reportAssignmentType
a11: R[Columns] = x > 0  # E: mypy=assignment pyright=reportAssignmentType
a12: Tensor3[Rows, Columns, Pages] = t.T  # E: mypy=assignment pyright=reportAssignmentType
a13: L[Rows, Columns] = column  # E: mypy=assignment pyright=reportAssignmentType
a14: L[Rows, One] = w.mean(axis=0, keepdims=True)  # E: mypy=assignment pyright=reportAssignmentType
a15: R[Rows] = np.zeros(2)  # E: mypy=assignment pyright=reportAssignmentType
a16: R[Any] = w  # E: mypy=assignment pyright=reportAssignmentType
a17: R[int] = x  # E: mypy=assignment pyright=reportAssignmentType
a18: R[Columns, np.float32] = x.astype(np.float64)  # E: mypy=arg-type pyright=reportAssignmentType
a19: R[Rows] = [1.0, 2.0]  # E: mypy=assignment pyright=reportAssignmentType


# What changes an array in place cannot change its type.
def in_place(x: R[Columns], w: L[Rows, Columns]) -> None:
    x.resize(4)  # E: mypy=arg-type pyright=reportArgumentType
    w.shape = (3, 2)  # E: mypy=misc,assignment pyright=reportAttributeAccessIssue


def in_place_add(x: R[Columns], y: R[Rows]) -> None:
    x += y  # E: mypy=arg-type pyright=reportOperatorIssue


def in_place_add_row(w: L[Rows, Columns], y: R[Rows]) -> None:
    w += y  # E: mypy=arg-type pyright=reportOperatorIssue


def in_place_add_matrix(row: L[One, Columns], w: L[Rows, Columns]) -> None:
    row += w  # E: mypy=arg-type pyright=reportAssignmentType


def in_place_divide(counts: R[Columns, np.int64]) -> None:
    counts /= 2  # E: mypy=misc pyright=reportAssignmentType


def in_place_divide_sizes(x: R[Columns], y: R[Rows]) -> None:
    x /= y  # E: mypy=arg-type pyright=reportOperatorIssue


def in_place_product(w: L[Rows, Columns]) -> None:
    w @= w  # E: mypy=arg-type pyright=reportOperatorIssue


# A name of a type makes no array.
R(3)  # E: mypy=call-arg,arg-type pyright=reportCallIssue
L([[1.0]])  # E: mypy=call-arg,arg-type pyright=reportCallIssue
