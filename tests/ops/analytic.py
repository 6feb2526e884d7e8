"""Linear algebra that is right for complex numbers, by other methods than typedprop's and LAPACK's.

NumPy's own decompositions take absolute values and conjugates of complex numbers, so the complex step cannot go through
them. These do without: textbook algorithms, and Newton's method from the solution at the real part, of which a single
step is exact to the first order, which is all that a complex step sees.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.row import Array


def magnitude(x: Any) -> Any:
    """The absolute value, continued to complex numbers near the real ones."""
    return x * np.sign(np.real(x))


def symmetric(a: Array) -> Array:
    """The symmetric part."""
    return (a + a.T) / 2


def pinv(a: Array) -> Array:
    """The pseudo-inverse by the normal equations, for full rank."""
    if a.shape[0] >= a.shape[1]:
        return np.linalg.solve(a.T @ a, a.T)
    return np.linalg.solve(a @ a.T, a).T


def logabsdet(a: Array) -> Any:
    """The logarithm of the absolute value of the determinant."""
    return np.log(magnitude(np.linalg.det(a)))


def cholesky(a: Array) -> Array:
    """The factor, element by element."""
    y = np.zeros_like(a)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - (y[i, :j] * y[j, :j]).sum()
            y[i, j] = np.sqrt(rest) if i == j else rest / y[j, j]
    return y


def qr(a: Array) -> tuple[Array, Array]:
    """Gram and Schmidt's process, with LAPACK's signs."""
    k = min(a.shape)
    signs = np.sign(np.diagonal(np.linalg.qr(a.real)[1]))
    columns: list[Array] = []
    for j in range(k):
        v = a[:, j]
        for q in columns:
            v = v - (q * v).sum() * q
        columns.append(signs[j] * v / np.sqrt((v * v).sum()))
    q = np.stack(columns, 1) if columns else np.zeros((a.shape[0], 0), a.dtype)
    return q, np.triu(q.T @ a)


def eigh(a: Array) -> tuple[Array, Array]:
    """A Newton step for `a v = w v, v·v = 1` from each real solution."""
    n = len(a)
    w, v = np.linalg.eigh(a.real)
    values, vectors = [], []
    for k in range(n):
        x = v[:, k]
        system = np.block([[a - w[k] * np.eye(n), -x[:, None]], [2 * x[None], np.zeros((1, 1))]])
        residual = np.concatenate([a @ x - w[k] * x, [x @ x - 1]])
        step = np.linalg.solve(system, -residual)
        vectors.append(x + step[:n])
        values.append(w[k] + step[n])
    return np.array(values, a.dtype), np.stack(vectors, 1) if n else a.copy()


def svd(a: Array) -> tuple[Array, Array, Array]:
    """A Newton step for `a v = s u, aᵀ u = s v, u·u = 1` from each real solution."""
    m, n = a.shape
    u, s, vt = np.linalg.svd(a.real, full_matrices=False)
    if not s.size:
        return u.astype(a.dtype), s.astype(a.dtype), vt.astype(a.dtype)
    left, values, right = [], [], []
    for k in range(len(s)):
        x, y = u[:, k], vt[k]
        system = np.block(
            [
                [-s[k] * np.eye(m), a, -x[:, None]],
                [a.T, -s[k] * np.eye(n), -y[:, None]],
                [2 * x[None], np.zeros((1, n + 1))],
            ]
        )
        residual = np.concatenate([a @ y - s[k] * x, a.T @ x - s[k] * y, [x @ x - 1]])
        step = np.linalg.solve(system, -residual)
        left.append(x + step[:m])
        right.append(y + step[m : m + n])
        values.append(s[k] + step[m + n])
    return np.stack(left, 1), np.array(values, a.dtype), np.stack(right)


def sqrtm(a: Array) -> Array:
    """The iteration of Denman and Beavers."""
    y, z = a, np.eye(len(a), dtype=a.dtype)
    for _ in range(30):
        y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
    return y


def logm(a: Array) -> Array:
    """Square roots until the matrix is near 1, and then Gregory's series."""
    halvings = 4
    for _ in range(halvings):
        a = sqrtm(a)
    eye = np.eye(len(a), dtype=a.dtype)
    x = np.linalg.solve(a + eye, a - eye)
    power = x
    y: Array = np.zeros_like(x)
    for k in range(1, 40, 2):
        y = y + power / k
        power = power @ x @ x
    y *= 2 * 2**halvings
    return y


def norm(x: Array, ord: Any = None, axis: int | None = None, keepdims: bool = False) -> Any:
    """Every norm of NumPy, by its definition."""
    if x.ndim == 2 and axis is None and ord not in (None, "fro"):
        if ord in ("nuc", 2, -2):
            s = svd(x)[1]
            y = s.sum() if ord == "nuc" else s[0] if ord == 2 else s[-1]
        else:
            y = _extreme(magnitude(x).sum(axis=0 if abs(ord) == 1 else 1), ord, None)
        return np.reshape(y, (1, 1)) if keepdims else y
    size = magnitude(x)
    if ord in (None, 2, "fro"):
        return np.sqrt((x * x).sum(axis=axis, keepdims=keepdims))
    if ord == 0:
        return (x != 0).sum(axis=axis, keepdims=keepdims).astype(x.dtype)
    if np.isinf(ord):
        return _extreme(size, ord, axis, keepdims)
    return (size**ord).sum(axis=axis, keepdims=keepdims) ** (1 / ord)


def _extreme(sizes: Array, ord: float, axis: int | None, keepdims: bool = False) -> Any:
    return (np.max if ord > 0 else np.min)(sizes, axis=axis, keepdims=keepdims)


def cond(a: Array, ord: Any = None) -> Any:
    """The product of the norms of a matrix and its inverse."""
    if ord in (None, 2, -2):
        s = svd(a)[1]
        return s[-1] / s[0] if ord == -2 else s[0] / s[-1]
    return norm(a, ord) * norm(np.linalg.inv(a), ord)
