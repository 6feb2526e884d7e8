"""Linear algebra and products of sizes that do not fit."""

import numpy as np

import typedprop as tp
from typedprop import BVar, Dim, L, R
from typedprop import linalg as la


class Rows(Dim): ...


class Columns(Dim): ...


m, n = Rows(3), Columns(2)
a, w, x, y = BVar(tp.ones(m, m)), BVar(tp.ones(m, n)), BVar(tp.ones(n)), BVar(tp.ones(m))
counts = tp.ones(m, m, dtype=np.int64)

# Matrices that are not square.
la.inv(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.det(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.cholesky(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.eigh(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.expm(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.sym(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.solve(w, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.eigvalsh(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.logm(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.sqrtm(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.slogdet(w)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.trace(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
la.matrix_power(w, 2)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.covariance(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
la.cond(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
la.mTm(w) + a  # E: mypy=operator pyright=reportOperatorIssue
la.qr(x)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
la.svd(y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
la.svdvals([[1.0]])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue

# Right-hand sides and factors of other sizes.
la.solve(a, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.solve_triangular(a, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.lstsq(w, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.matmul(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.matmul(tp.ones(n), y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.dot(x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
la.multi_dot((w, w))  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
tp.inner(w, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
tp.cross(x, y)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue

# Results of other sizes.
other: BVar[L[Columns, Columns]] = la.inv(a)  # E: mypy=arg-type pyright=reportAssignmentType
transposed: BVar[L[Rows, Columns]] = la.pinv(w)  # E: mypy=arg-type pyright=reportAssignmentType
rows: BVar[R[Rows]] = la.norm(w, axis=0)  # E: mypy=call-overload pyright=reportAssignmentType

# What has no product, or no derivative.
la.inv([[1.0]])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
la.det(counts)  # E: mypy=type-var pyright=reportArgumentType,reportCallIssue
tp.matmul(counts, counts)  # E: mypy=type-var pyright=reportArgumentType,reportCallIssue
la.norm(w, "other")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue

# Updates of another size.
w.at(0).set(y)  # E: mypy=arg-type pyright=reportArgumentType
