"""Special functions, by SciPy's names: `from typedprop import special`, `special.erf(x)`.

Most of the values come from SciPy, an optional library (`pip install 'typedprop[special]'`), which is imported when one
of those is called. `entr`, `expit`, `log_softmax`, `logit`, `logsumexp`, `softmax` and `xlogy` work without it.
"""

from __future__ import annotations

from typedprop.ops.reduction import logsumexp
from typedprop.ops.softmax import log_softmax, softmax
from typedprop.ops.special import (
    betaln,
    digamma,
    entr,
    erf,
    erfc,
    erfinv,
    expit,
    gammaln,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    logit,
    ndtr,
    polygamma,
    xlogy,
)

__all__ = [
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "polygamma",
    "softmax",
    "xlogy",
]
