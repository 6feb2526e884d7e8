"""Special functions: sizes and dtypes that the result does not have, operands that do not fit."""
# fmt: off

import numpy as np

import typedprop as tp
from typedprop import BVar, Dim, special


class Rows(Dim): ...
class Columns(Dim): ...


rows, columns = Rows(2), Columns(3)
plain_x, plain_y, plain_w = tp.full(columns, fill_value=0.5), tp.full(rows, fill_value=0.5), tp.ones(rows, columns)
x, y, w = BVar(plain_x), BVar(plain_y), BVar(plain_w)
x32 = BVar(tp.full(columns, fill_value=0.5, dtype=np.float32))

# Functions of each element.
special.erf(x) + y  # E: mypy=operator pyright=reportOperatorIssue
special.erfc(plain_x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
special.erfinv(x32) * x  # E: mypy=operator pyright=reportOperatorIssue
special.ndtr(w) @ y  # E: mypy=operator pyright=reportOperatorIssue
special.log_ndtr([0.5])  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
special.gammaln(x) / y  # E: mypy=operator pyright=reportOperatorIssue
special.digamma(plain_x) + y  # E: mypy=operator pyright=reportOperatorIssue
special.i0(x, x)  # E: mypy=call-overload pyright=reportCallIssue
special.i0e(x32) + x  # E: mypy=operator pyright=reportOperatorIssue
special.i1("1")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
special.i1e(w) + w.T  # E: mypy=operator pyright=reportOperatorIssue
special.expit(x) - plain_y  # E: mypy=operator pyright=reportOperatorIssue
special.logit(plain_x) @ plain_y  # E: mypy=operator pyright=reportOperatorIssue
special.entr(None)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
special.polygamma(x, 1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue

# Two operands.
special.betaln(x, y)  # E: mypy=arg-type pyright=reportArgumentType,reportCallIssue
special.betaln(plain_x, x32)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
special.xlogy(plain_y, x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue

# Along an axis.
special.logsumexp(x, axis=1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
special.softmax(x) + y  # E: mypy=operator pyright=reportOperatorIssue
special.log_softmax(w, "rows")  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
