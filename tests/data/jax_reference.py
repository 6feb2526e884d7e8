"""Writes jax_reference.json: what JAX has for the derivatives of the table's operations and of some functions.

    pip install jax==0.10.2
    python -m tests.data.jax_reference          # what is new in the table
    python -m tests.data.jax_reference --all    # everything, in five minutes

The tests read the numbers (tests/ops/test_jax.py, tests/transform/test_jax.py), so that they need no JAX; where it is
installed, they also compute the numbers again.

Of each operation at each case of the table: its first and second derivative along directions that the tests draw
again, and a sum over the operands by which a test knows that it has the same ones. Of each function: its Jacobian, its
Hessian and a product with it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tests.ops import checks
from tests.ops.row import Case, Row
from tests.ops.table import TABLE
from tests.ops.table_reduction import TIES
from tests.transform.functions import FUNCTIONS, POINT

PAGE = Path(__file__).with_suffix(".json")
# Rows that are not held against JAX, and why.
WITHOUT: dict[str, str] = {
    "avg_pool1d": "JAX has windows of another form",
    "avg_pool2d": "JAX has windows of another form",
    "max_pool1d": "JAX has windows of another form",
    "max_pool2d": "JAX has windows of another form",
    "conv1d": "JAX has convolutions of another form",
    "conv2d": "JAX has convolutions of another form",
    "map": "JAX traces the function, which branches on the value",
    "linalg.eigh": "the signs of vectors are LAPACK's choice, which need not be the same here and there",
    "linalg.svd": "the signs of vectors are LAPACK's choice, which need not be the same here and there",
    "linalg.cond": "JAX has it of two orders only",
    "linalg.logm": "JAX has none",
    "linalg.sqrtm": "JAX has no derivative of it",
    "quantile": "the rows know the quantile, the cases do not",
    "zip_with": "JAX traces the function, which branches on the value",
}
# Of these the first row only: the others have an exponent, or another form, that no case shows.
FIRST_ONLY = {"BVar.__pow__", "BVar.dot", "gelu"}
# JAX's derivative is NaN where a standard deviation is 0.
NAN = ("std", ((1,),))
# The third order is held against differences in tests/ops, and would take JAX long.
ORDERS = 2


def whole(x: Any) -> Any:
    """Numbers of places as JAX wants them: an array in the place of a list."""
    return np.array(x, int) if isinstance(x, list) else x


def otherwise(jax: Any, jnp: Any) -> dict[str, Callable[..., Any]]:
    """For the names of rows: what JAX has elsewhere or in another form, and what takes the place of a method."""
    return {
        "BVar.__add__": lambda x, y: x + y,
        "BVar.__sub__": lambda x, y: x - y,
        "BVar.__mul__": lambda x, y: x * y,
        "BVar.__truediv__": lambda x, y: x / y,
        "BVar.__pow__": lambda x, y: x**y,
        "BVar.__neg__": lambda x: -x,
        "BVar.__pos__": lambda x: +x,
        "BVar.__abs__": lambda x: abs(x),
        "BVar.__matmul__": jnp.matmul,
        "BVar.__rmatmul__": jnp.matmul,
        "BVar.__iter__": list,
        "BVar.T": lambda x: x.T,
        "BVar.mT": lambda x: x.mT,
        "BVar.at.set": lambda x, v, index: x.at[index].set(v),
        "BVar.at.add": lambda x, v, index: x.at[index].add(v),
        "BVar.__getitem__": lambda x, index: x[whole(index)],
        "linspace": lambda a, b, num: jnp.linspace(a, b, num),
        "leaky_relu": lambda x, negative_slope=0.01: jax.nn.leaky_relu(x, negative_slope),
        "gelu": lambda x, approximate=True: jax.nn.gelu(x, approximate),
        "celu": lambda x: jax.nn.celu(x, 2.0),
        "softsign": jax.nn.soft_sign,
        "where": lambda a, b, condition: jnp.where(condition, a, b),
        "concatenate": lambda *xs, axis=0: jnp.concatenate(xs, axis),
        "stack": lambda *xs, axis=0: jnp.stack(xs, axis),
        "vstack": lambda *xs: jnp.vstack(xs),
        "hstack": lambda *xs: jnp.hstack(xs),
        "from_rows": lambda *xs: jnp.stack(xs),
        "from_columns": lambda *xs: jnp.stack(xs, 1),
        "split": lambda x, sections, axis=0: jnp.split(x, whole(sections), axis),
        "head": lambda x: x[0],
        "tail": lambda x: x[1:],
        "row": lambda x: x[None],
        "col": lambda x: x[:, None],
        "unrow": lambda x: x[0],
        "uncol": lambda x: x[:, 0],
        "split_rows": lambda x, count: (x[:count], x[count:]),
        "split_cols": lambda x, count: (x[:, :count], x[:, count:]),
        "rows": list,
        "columns": lambda x: list(x.T),
        "take_diag": lambda x, k=0: jnp.diagonal(x, k),
        "einsum": lambda *xs, subscripts: jnp.einsum(subscripts, *xs),
        "full": lambda x, sizes: jnp.full(sizes, x),
        "tile": lambda x, reps: jnp.tile(x, reps),
        "repeat": lambda x, repeats, axis=None: jnp.repeat(x, whole(repeats), axis),
        "take": lambda x, indices, axis=None: jnp.take(x, whole(indices), axis),
        "pad": lambda x, width, mode="constant", value=None: jnp.pad(x, width, mode, **edge(value)),
        "linalg.qr": lambda a: tuple(jnp.linalg.qr(a)),
        "linalg.cholesky": lambda a: jnp.linalg.cholesky((a + a.T) / 2, symmetrize_input=False),
        "linalg.eigh": lambda a: tuple(jnp.linalg.eigh((a + a.T) / 2)),
        "linalg.eigvalsh": lambda a: jnp.linalg.eigvalsh((a + a.T) / 2),
        "linalg.slogdet": lambda a: jnp.linalg.slogdet(a)[1],
        "linalg.solve_triangular": lambda a, b, lower=False: jax.scipy.linalg.solve_triangular(a, b, lower=lower),
        "linalg.multi_dot": lambda *xs: jnp.linalg.multi_dot(xs),
        "linalg.svd": lambda a: tuple(jnp.linalg.svd(a, full_matrices=False)),
        "linalg.svdvals": lambda a: jnp.linalg.svd(a, compute_uv=False),
        "linalg.covariance": lambda x: jnp.reshape(jnp.cov(x, rowvar=False), (x.shape[1],) * 2),
        "linalg.mTm": lambda a: a.T @ a,
        "linalg.sym": lambda a: (a + a.T) / 2,
        "linalg.trace": jnp.trace,
        "linalg.lstsq": lambda a, b: jnp.linalg.pinv(a) @ b,
        "special.polygamma": lambda x: jax.scipy.special.polygamma(1, x),
        "special.log_softmax": jax.nn.log_softmax,
        "special.softmax": jax.nn.softmax,
        "softmax_cross_entropy": lambda x, t: -(t * jax.nn.log_softmax(x)).sum(-1),
    }


def edge(value: float | None) -> dict[str, float]:
    """The keyword of the pads that take a value."""
    return {} if value is None else {"constant_values": value}


def jax_modules() -> dict[str, Any]:
    """JAX and its parts, set to 64 bits."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    names = ("jax.numpy", "jax.nn", "jax.scipy.special", "jax.scipy.linalg")
    return {"jax": jax, "jnp": import_module("jax.numpy"), **{name: import_module(name) for name in names}}


def counterpart(name: str, modules: dict[str, Any]) -> Callable[..., Any]:
    """JAX's function for a row."""
    others = otherwise(modules["jax"], modules["jnp"])
    if name in others:
        return others[name]
    namespace, _, last = name.rpartition(".")
    places = {
        "": (modules["jnp"], modules["jax.nn"], modules["jax.scipy.special"]),
        "BVar": (modules["jnp"],),
        "special": (modules["jax.scipy.special"],),
        "linalg": (modules["jnp"].linalg, modules["jax.scipy.linalg"]),
    }
    return next(getattr(place, last) for place in places[namespace] if hasattr(place, last))  # type: ignore[no-any-return]  # the same


def pairs() -> list[tuple[str, Row, Case]]:
    """Every row that JAX has a function for, at every case, by a name of its own."""
    numbers: dict[str, int] = {}
    found = []
    for row in TABLE:
        number = numbers[row.name] = numbers.get(row.name, -1) + 1
        # Of elements that tie, JAX gives the whole derivative to one.
        tied = any(row is other for other in TIES)
        if row.orders and row.name not in WITHOUT and not tied and not (number and row.name in FIRST_ONLY):
            # Without elements there is nothing to compare, and some of JAX's functions fail.
            cases = [(k, at) for k, at in enumerate(row.cases) if all(size for shape in at.shapes for size in shape)]
            found += [
                (f"{row.name}/{number}/{k} {at.label}", row, at) for k, at in cases if (row.name, at.shapes) != NAN
            ]
    return found


def fingerprint(at: checks.Point) -> float:
    """A number by which the operands are known again."""
    return float(sum(np.sum(np.sin(np.asarray(x))) for x in at.operands))


def along(jax: Any, f: Callable[..., Any], directions: Any) -> Callable[..., Any]:
    return lambda *x: jax.jvp(f, x, directions)[1]


def derivatives(row: Row, case: Case, f: Callable[..., Any], modules: dict[str, Any]) -> list[float]:
    """The fingerprint, and the derivatives of the row's orders, by JAX."""
    jax, jnp = modules["jax"], modules["jnp"]
    at = checks.point(row, case)
    weights = checks.arrays(at.weight())

    def g(*x: Any) -> Any:
        y = f(*x, **case.static)
        parts = y if isinstance(y, tuple | list) else [y]
        return sum(jnp.sum(u * part) for u, part in zip(weights, parts, strict=True))

    operands = tuple(jnp.asarray(np.ascontiguousarray(x) if np.ndim(x) else x) for x in at.operands)
    numbers = [fingerprint(at)]
    for order in range(1, min(row.orders, ORDERS) + 1):
        v = tuple(jnp.asarray(np.asarray(leaf.value)) for leaf in at.direction(100 + order))
        g = along(jax, g, v)
        numbers.append(float(g(*operands)))
    return numbers


def of_operations(modules: dict[str, Any], known: dict[str, list[float]]) -> dict[str, list[float]]:
    """The derivatives of all rows that JAX has a function for; those known of the same operands are kept."""
    return {
        name: known[name]
        if name in known and abs(known[name][0] - fingerprint(checks.point(row, case))) < 1e-9
        else derivatives(row, case, counterpart(row.name, modules), modules)
        for name, row, case in pairs()
    }


def of_functions(modules: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Jacobian, Hessian of the sum of squares, and its product with a direction, of each function."""
    jax, jnp = modules["jax"], modules["jnp"]
    found: dict[str, dict[str, Any]] = {}
    x, v = jnp.asarray(POINT), jnp.asarray(np.cos(POINT))
    for name, function in FUNCTIONS.items():

        def f(x: Any, function: Any = function) -> Any:
            return function(jnp, x)

        def loss(x: Any, f: Any = f) -> Any:
            return (f(x) ** 2).sum()

        found[name] = {
            "jacobian": jax.jacobian(f)(x).tolist(),
            "hessian": jax.hessian(loss)(x).tolist(),
            "hvp": jax.jvp(jax.grad(loss), (x,), (v,))[1].tolist(),
            "third": jax.jvp(jax.hessian(loss), (x,), (v,))[1].tolist(),
        }
    return found


def rounded(x: Any) -> Any:
    """All numbers to 12 digits, which is more than the tests ask for."""
    if isinstance(x, dict):
        return {key: rounded(item) for key, item in x.items()}
    if isinstance(x, list):
        return [rounded(item) for item in x]
    return float(f"{x:.12g}") if isinstance(x, float) else x


def reference(known: dict[str, list[float]]) -> dict[str, Any]:
    """All that the file holds, given the operations that need not be done again."""
    modules = jax_modules()
    return {
        "jax": modules["jax"].__version__,
        "operations": of_operations(modules, known),
        "functions": of_functions(modules),
    }


if __name__ == "__main__":
    again = "--all" in sys.argv or not PAGE.exists()
    numbers = rounded(reference({} if again else json.loads(PAGE.read_text())["operations"]))
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(item)}" for key, item in numbers["operations"].items())
    PAGE.write_text(
        f'{{"jax": {json.dumps(numbers["jax"])},\n"functions": {json.dumps(numbers["functions"])},\n'
        f'"operations": {{\n{lines}\n}}}}\n'
    )
    print(f"wrote {PAGE.name}: {len(numbers['operations'])} cases of operations, {len(numbers['functions'])} functions")
