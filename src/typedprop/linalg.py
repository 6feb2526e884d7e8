"""Linear algebra with gradients: `tp.linalg.solve(a, b)`, `tp.linalg.cholesky(a)`, ... of matrices of known sizes.

The names and meanings are those of `numpy.linalg` and `scipy.linalg`; where a choice was to be made (which singular
vectors, rank deficiency, equal eigenvalues) each docstring says what holds. A plain matrix gives a plain result, a BVar
a BVar; float32 stays float32. `expm`, `sqrtm` and `logm` need SciPy: `pip install typedprop[special]`.

What cannot be done raises `LinAlgError`, NumPy's own, with the name of the function and the sizes.
"""

from __future__ import annotations

from numpy.linalg import LinAlgError

from typedprop.ops.linalg.cholesky import cholesky
from typedprop.ops.linalg.determinant import det, slogdet
from typedprop.ops.linalg.eigen import eigh, eigvalsh
from typedprop.ops.linalg.functions import expm, logm, sqrtm
from typedprop.ops.linalg.inverse import inv, pinv
from typedprop.ops.linalg.norm import cond, norm
from typedprop.ops.linalg.powers import matrix_power, multi_dot
from typedprop.ops.linalg.qr import qr
from typedprop.ops.linalg.solve import lstsq, solve, solve_triangular
from typedprop.ops.linalg.statistics import covariance, trace
from typedprop.ops.linalg.svd import svd, svdvals
from typedprop.ops.linalg.symmetric import mTm, sym

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "covariance",
    "det",
    "eigh",
    "eigvalsh",
    "expm",
    "inv",
    "logm",
    "lstsq",
    "mTm",
    "matrix_power",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "sym",
    "trace",
]
