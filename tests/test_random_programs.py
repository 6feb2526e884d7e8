"""Random programs, differentiated by typedprop in both modes and by autograd: what no test of one operation meets.

Values are used many times over, forked, joined and dropped, so that the sweep's sharing of buffers is put to the test.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, anp, autograd, tp

N = 3
Library = dict[str, Callable[..., Any]]

OURS: Library = {
    "tanh": tp.tanh,
    "exp": lambda x: tp.exp(tp.tanh(x)),
    "where": lambda m, x, y: tp.where(m, x, y),
    "stack": lambda xs: tp.stack(xs),
    "concatenate": lambda xs: tp.concatenate(xs),
    "outer": tp.outer,
    "max": tp.max,
    "sum": tp.sum,
}
THEIRS: Library = {
    "tanh": anp.tanh,
    "exp": lambda x: anp.exp(anp.tanh(x)),
    "where": anp.where,
    "stack": lambda xs: anp.stack(xs) if anp.ndim(xs[0]) else anp.array(xs),
    "concatenate": anp.concatenate,
    "outer": anp.outer,
    "max": anp.max,
    "sum": anp.sum,
}

# How to make a new value from old ones: (what it takes, what it gives, the operation). s is a scalar, v a vector of N
# elements, m an N by N matrix.
SCALARS = "sss"
MASK = np.array([True, False, True])
GATHER = np.array([2, 0, 2])
OPERATIONS: list[tuple[str, str, Callable[..., Any]]] = [
    ("ss", "s", lambda lib, a, b: a * b),
    ("ss", "s", lambda lib, a, b: a - b),
    ("s", "s", lambda lib, a: lib["tanh"](a)),
    ("vv", "v", lambda lib, a, b: a + b),
    ("vv", "v", lambda lib, a, b: a - b),
    ("vv", "v", lambda lib, a, b: a * b),
    ("vv", "v", lambda lib, a, b: a / (b * b + 1.0)),
    ("sv", "v", lambda lib, a, b: a * b),
    ("sv", "v", lambda lib, a, b: b - a),
    ("v", "v", lambda lib, a: -a),
    ("v", "v", lambda lib, a: lib["exp"](a)),
    ("v", "v", lambda lib, a: a[::-1]),
    ("v", "v", lambda lib, a: a[GATHER]),
    ("v", "v", lambda lib, a: a + 0.0),
    ("v", "v", lambda lib, a: a.reshape((N, 1)).T.reshape((N,))),
    ("vv", "v", lambda lib, a, b: lib["where"](MASK, a, b)),
    ("vv", "v", lambda lib, a, b: lib["concatenate"]([a[:1], b[1:]])),
    (SCALARS, "v", lambda lib, a, b, c: lib["stack"]([a * b, c, a])),
    ("vv", "s", lambda lib, a, b: a @ b),
    ("v", "s", lambda lib, a: lib["sum"](a)),
    ("v", "s", lambda lib, a: lib["max"](a)),
    ("v", "s", lambda lib, a: a[1]),
    ("mv", "v", lambda lib, a, b: a @ b),
    ("mv", "v", lambda lib, a, b: b @ a),
    ("mm", "m", lambda lib, a, b: lib["tanh"](a @ b)),
    ("mm", "m", lambda lib, a, b: a + b),
    ("mm", "m", lambda lib, a, b: a.T * b),
    ("m", "m", lambda lib, a: a.T),
    ("mv", "m", lambda lib, a, b: a + b),
    ("mv", "m", lambda lib, a, b: b * a),
    ("vv", "m", lambda lib, a, b: lib["outer"](a, b)),
    ("m", "v", lambda lib, a: a[1]),
    ("m", "v", lambda lib, a: lib["sum"](a, 0)),
    ("mm", "m", lambda lib, a, b: lib["stack"]([a[0], b[1], a[0]])),
]


def program(seed: int, length: int = 25) -> tuple[Callable[[Library, Any, Any, Any], Any], bool]:
    """A scalar function of a scalar, a vector and a matrix, the same at each call; and whether it can be run in float32
    (not where scalars are put together, for a vector of Python floats is one of float64)."""
    rng = np.random.default_rng(seed)
    count = {"s": 1, "v": 1, "m": 1}
    steps = []
    for _ in range(length):
        takes, gives, operation = OPERATIONS[rng.integers(len(OPERATIONS))]
        # Half of the time the newest, so that the program is deep and wide.
        chosen = [count[kind] - 1 if rng.random() < 0.5 else int(rng.integers(count[kind])) for kind in takes]
        steps.append((takes, gives, operation, chosen))
        count[gives] += 1

    def run(lib: Library, s: Any, v: Any, m: Any) -> Any:
        values: dict[str, list[Any]] = {"s": [s], "v": [v], "m": [m]}
        for takes, gives, operation, chosen in steps:
            operands = [values[kind][k] for kind, k in zip(takes, chosen, strict=True)]
            # Kept small, or a product of products would overflow.
            values[gives].append(lib["tanh"](operation(lib, *operands)))
        return values["s"][-1] + lib["sum"](values["v"][-1]) + lib["sum"](values["m"][-1] * values["m"][0])

    return run, all(takes != SCALARS for takes, *_ in steps)


def point(seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng([seed, 1])
    return float(rng.normal()), rng.normal(size=N), rng.normal(size=(N, N))


def total(xs: Any, ys: Any) -> Any:
    """The inner product of two tuples of a scalar, a vector and a matrix."""
    return operator.add(operator.add(xs[0] * ys[0], (xs[1] * ys[1]).sum()), (xs[2] * ys[2]).sum())


@pytest.mark.parametrize("seed", range(80))
def test_against_autograd(seed: int) -> None:
    f, has_float32 = program(seed)
    at, along = point(seed), point(seed + 1000)
    before = [np.copy(x) for x in at]

    def ours(args: Any) -> Any:
        return f(OURS, *args)

    def theirs(args: Any) -> Any:
        return f(THEIRS, *args)

    lifted, direction = tuple(map(BVar, at)), tuple(map(BVar, along))
    value, gradient = tp.value_and_grad(ours)(lifted)
    assert value.value == pytest.approx(float(theirs(at)), rel=1e-12)
    wanted = autograd.grad(theirs)(at)
    for mine, its in zip(gradient, wanted, strict=True):
        np.testing.assert_allclose(mine.value, its, rtol=1e-9, atol=1e-12)
    _, tangent = tp.jvp(ours, lifted, direction)
    assert tangent.value == pytest.approx(float(total(wanted, along)), rel=1e-9, abs=1e-12)

    # Second order: reverse over reverse and forward over reverse.
    second = tp.grad(lambda args: total(tp.grad(ours)(args), direction))(lifted)
    hvp = tp.jvp(tp.grad(ours), lifted, direction)[1]
    wanted = autograd.grad(lambda args: total(autograd.grad(theirs)(args), along))(at)
    for mine, forward, its in zip(second, hvp, wanted, strict=True):
        np.testing.assert_allclose(mine.value, its, rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(forward.value, its, rtol=1e-8, atol=1e-11)
    assert all(np.array_equal(x, y) for x, y in zip(at, before, strict=True))

    # A pullback twice gives the same bits; float32 stays.
    _, pullback = tp.vjp(ours, lifted)
    assert pullback(BVar(1.0)) == pullback(BVar(1.0)) == gradient
    if not has_float32:
        return
    single = tuple(BVar(x if isinstance(x, float) else x.astype(np.float32)) for x in at)
    for mine, its in zip(tp.grad(ours)(single), gradient, strict=True):
        assert mine.dtype == (np.float32 if mine.shape else np.float64)
        np.testing.assert_allclose(mine.value, its.value, rtol=5e-2, atol=1e-3)
