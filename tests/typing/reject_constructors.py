"""The typed constructors: sizes that are declared as others, and what makes no array."""
# fmt: off

from typing import Any, Literal

import numpy as np

import typedprop as tp
from typedprop import asarray
from typedprop.arrays import eye, full, matrix, normal, ones, tensor, uniform, vector, zeros
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4


class Rows(Dim): ...
class Columns(Dim): ...
class Pages(Dim): ...


m, n, k = Rows(2), Columns(3), Pages(4)
rng = np.random.default_rng(0)

# Another size, rank or dtype is declared.
x1: R[Columns] = zeros(m)  # E: mypy=assignment pyright=reportAssignmentType
x2: L[Columns, Rows] = zeros(m, n)  # E: mypy=assignment pyright=reportAssignmentType
x3: L[Columns, Any] = zeros(m, 3)  # E: mypy=assignment pyright=reportAssignmentType
x4: L[Rows, Columns] = zeros(3, m)  # E: mypy=assignment pyright=reportAssignmentType
x5: Tensor3[Rows, Columns, Columns] = zeros(m, n, k)  # E: mypy=assignment pyright=reportAssignmentType
x6: R[Literal[2]] = zeros(m)  # E: mypy=assignment pyright=reportAssignmentType
x7: R[Any] = zeros(3, 4)  # E: mypy=assignment pyright=reportAssignmentType
x8: R[Rows] = zeros(m, dtype=np.float32)  # E: mypy=arg-type pyright=reportAssignmentType
x9: R[Rows, np.float32] = zeros(m)  # E: mypy=assignment pyright=reportAssignmentType
x10: R[Columns, np.float32] = zeros(m, dtype=np.float32)  # E: mypy=assignment pyright=reportAssignmentType
x11: R[Any, np.float32] = zeros(3)  # E: mypy=assignment pyright=reportAssignmentType
x12: R[Columns] = ones(m)  # E: mypy=assignment pyright=reportAssignmentType
x13: R[Columns] = full(m, fill_value=1.0)  # E: mypy=assignment pyright=reportAssignmentType
x14: L[Rows, Columns] = eye(m)  # E: mypy=assignment pyright=reportAssignmentType
x15: L[Columns, Rows] = normal(rng, m, n)  # E: mypy=assignment pyright=reportAssignmentType
x16: R[Columns] = uniform(rng, m)  # E: mypy=assignment pyright=reportAssignmentType
x17: R[Columns] = vector([1.0, 2.0], m)  # E: mypy=assignment pyright=reportAssignmentType
x18: L[Columns, Rows] = matrix([[1.0, 2.0]], m, n)  # E: mypy=assignment pyright=reportAssignmentType
x19: Tensor3[Rows, Rows, Rows] = tensor(np.zeros((2, 3, 4)), m, n, k)  # E: mypy=assignment pyright=reportAssignmentType
x20: R[Columns] = asarray([1.0], m)  # E: mypy=assignment pyright=reportAssignmentType
x21: Tensor3[Rows, Rows, Rows] = asarray(0, m, n, k)  # E: mypy=assignment pyright=reportAssignmentType
x22: Tensor3[Rows, Rows, Rows] = asarray(0, m, m, m, dtype=np.int8)  # E: mypy=arg-type pyright=reportAssignmentType
x23: Tensor4[Rows, Columns, Pages, Rows] = asarray(0, m, n, k, k)  # E: mypy=assignment pyright=reportAssignmentType

# Sizes that are none.
zeros("3")  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
zeros((3, 4))  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
zeros(3.0)  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType
zeros()  # E: mypy=call-overload pyright=reportCallIssue
zeros(1, 2, 3, 4, 5)  # E: mypy=call-overload pyright=reportCallIssue
Rows("3")  # E: mypy=arg-type pyright=reportArgumentType

# Arguments that are missing or wrong.
full(m)  # E: mypy=call-overload pyright=reportCallIssue
tp.full(m, 1.0)  # E: mypy=call-overload pyright=reportCallIssue
full(m, 1.0)  # E: mypy=call-overload pyright=reportCallIssue
matrix([[1.0]], m)  # E: mypy=call-overload pyright=reportCallIssue
tensor([[1.0]], 1, 1)  # E: mypy=call-overload pyright=reportCallIssue
normal(3)  # E: mypy=call-overload pyright=reportCallIssue
normal(3, 4)  # E: mypy=call-overload pyright=reportCallIssue,reportArgumentType

# Data and dtypes of the wrong kind.
vector(["a"])  # E: mypy=list-item pyright=reportArgumentType
vector([1j])  # E: mypy=list-item pyright=reportArgumentType
vector([[1.0]])  # E: mypy=list-item pyright=reportArgumentType
vector([None])  # E: mypy=list-item pyright=reportArgumentType
matrix([1.0, 2.0])  # E: mypy=list-item pyright=reportArgumentType
zeros(3, dtype=np.complex128)  # E: mypy=type-var pyright=reportCallIssue,reportArgumentType
zeros(3, dtype=float)  # E: mypy=type-var pyright=reportCallIssue,reportArgumentType
normal(rng, 3, dtype=np.int64)  # E: mypy=type-var pyright=reportCallIssue,reportArgumentType
