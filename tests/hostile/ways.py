"""The public ways in: what a user can pass a value to, and what NumPy makes of the ordinary value in its place."""

from __future__ import annotations

import operator
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np

import typedprop
import typedprop.scipy
from tests.untyped import BVar, tp
from typedprop import Local1


@attrs.frozen
class Way:
    """A way in. `call(v, c)` passes it `v`; `wanted(o, c)` is what comes out if `v` means `o`, a list of plain values.

    `c` is an ordinary value like `o`, for what else is passed. A `wanted` that raises, or is None, says that there is
    nothing right to come out, so the call has to be refused. Where `by_numpy`, `v` itself is asked about in place of
    `o`, and NumPy says what it means. What is `plain` gives NumPy's numbers and keeps every float dtype.
    """

    name: str
    group: str
    call: Callable[[Any, Any], list[Any]]
    wanted: Callable[[Any, Any], list[Any]] | None
    rtol: float = 1e-15
    shares: bool = False
    by_numpy: bool = False
    plain: bool = False


@attrs.frozen
class Single(typedprop.Record):
    """A record of one field of any size."""

    x: Any


@attrs.frozen
class Vector(typedprop.Record):
    """A record with an annotated field."""

    x: typedprop.BVar[typedprop.R[Any]]


def square(x: Any) -> Any:
    return (x * x).sum()


def elements(x: Any) -> Any:
    return np.eye(np.size(x), dtype=np.asarray(x).dtype) if np.shape(x) else 1.0


def like(x: Any, number: float) -> Any:
    return np.full_like(x, number) if np.shape(x) else number


def pulled(f: Callable[[Any], Any], c: Any) -> list[Any]:
    """The value and the gradient of the sum of its elements."""
    value, pullback = tp.vjp(f, BVar(c))
    return [value, pullback(BVar(like(value.value, 1.0)))]


def argument() -> list[Way]:
    def way(name: str, call: Any, wanted: Any) -> Way:
        return Way(name, "what is differentiated", call, wanted)

    def jacobian(o: Any, _: Any) -> list[Any]:
        return [elements(o) * np.ravel(o) + elements(o) * np.ravel(o) if np.shape(o) else 2 * o]

    return [
        way("BVar(v)", lambda v, c: [BVar(v)], lambda o, c: [o]),
        way("Record(BVar(v))", lambda v, c: [Single(BVar(v)).x], lambda o, c: [o]),
        way("Record(v)", lambda v, c: [Vector(v).x], None),
        way("backprop(f, v)", lambda v, c: [*tp.backprop(square, v)], lambda o, c: [np.sum(o * o), 2 * o]),
        way("grad(f)(v)", lambda v, c: [tp.grad(square)(v)], lambda o, c: [2 * o]),
        way("value_and_grad(f)(v)", lambda v, c: [*tp.value_and_grad(square)(v)], lambda o, c: [np.sum(o * o), 2 * o]),
        way("jacobian(f)(v)", lambda v, c: [tp.jacobian(lambda x: x * x)(v)], jacobian),
        way("hessian(f)(v)", lambda v, c: [tp.hessian(square)(v)], lambda o, c: [2 * elements(o)]),
        way("vjp(f, v)", lambda v, c: [tp.vjp(square, v)[1](BVar(1.0))], lambda o, c: [2 * o]),
        way("jvp(f, v, t)", lambda v, c: [*tp.jvp(lambda x: x * x, v, c)], lambda o, c: [o * o, 2 * o * c]),
        way("hvp(f, v, t)", lambda v, c: [tp.hvp(square, v, c)], lambda o, c: [2 * c]),
    ]


def direction() -> list[Way]:
    def way(name: str, call: Any, wanted: Any) -> Way:
        return Way(name, "directions and results", call, wanted)

    return [
        way("jvp(f, x, v)", lambda v, c: [*tp.jvp(lambda x: x * x, c, v)], lambda o, c: [c * c, 2 * c * o]),
        way(
            "jvp(f, BVar(x), BVar(v))",
            lambda v, c: [*tp.jvp(lambda x: x * x, BVar(c), BVar(v))],
            lambda o, c: [c * c, 2 * c * o],
        ),
        way("hvp(f, x, v)", lambda v, c: [tp.hvp(square, c, v)], lambda o, c: [2 * o]),
        way("pullback(v)", lambda v, c: [tp.vjp(lambda x: x * x, c)[1](v)], None),
        way("pullback(BVar(v))", lambda v, c: [tp.vjp(lambda x: x * x, c)[1](BVar(v))], lambda o, c: [2 * c * o]),
        way(
            "value_and_grad of f that returns v",
            lambda v, c: [*tp.value_and_grad(lambda x: v)(c)],
            lambda o, c: [_scalar(o), 0.0 * c],
        ),
        way("vjp of f that returns v", lambda v, c: [tp.vjp(lambda x: v, c)[0]], None),
        way(
            "value of a tp.op", lambda v, c: [*pulled(tp.op(lambda x: Local1(v, lambda g: c)), c)], lambda o, c: [o, c]
        ),
        way(
            "pull of a tp.op",
            lambda v, c: [*pulled(tp.op(lambda x: Local1(x * 2.0, lambda g: v)), c)],
            lambda o, c: [c * 2, o],
        ),
        way(
            "push of a tp.op",
            lambda v, c: [tp.jvp(tp.op(lambda x: Local1(x * 2.0, lambda g: g).push(lambda t: v)), BVar(c), BVar(c))[1]],
            lambda o, c: [o],
        ),
    ]


# The value, and the derivative by the BVar, where it stands left and where it stands right.
OPERATORS: dict[str, tuple[Any, Any, Any]] = {
    "+": (operator.add, lambda x, y: like(x, 1.0), lambda x, y: like(y, 1.0)),
    "-": (operator.sub, lambda x, y: like(x, 1.0), lambda x, y: like(y, -1.0)),
    "*": (operator.mul, lambda x, y: y, lambda x, y: x),
    "/": (np.divide, lambda x, y: np.divide(1.0, y), lambda x, y: -x / y**2),
    "**": (np.power, lambda x, y: y * x ** (y - 1), lambda x, y: np.where(x == 0, 0.0, np.power(x, y) * np.log(x))),
    "@": (np.matmul, None, None),
}
CALLS: dict[str, Any] = {**{s: f for s, (f, _, _) in OPERATORS.items()}, "/": operator.truediv, "**": operator.pow}
CALLS["@"] = operator.matmul


def operand() -> list[Way]:
    ways = []
    for symbol, (value, left, right) in OPERATORS.items():
        call = CALLS[symbol]

        def by_left(v: Any, c: Any, call: Any = call) -> list[Any]:
            return pulled(lambda x: call(x, v), c)

        def by_right(v: Any, c: Any, call: Any = call) -> list[Any]:
            return pulled(lambda x: call(v, x), c)

        def left_of(o: Any, c: Any, f: Any = value, d: Any = left) -> list[Any]:
            return [f(c, o), d(c, o) if d else np.ones_like(f(c, o)) @ o.T if o.ndim > 1 else o]

        def right_of(o: Any, c: Any, f: Any = value, d: Any = right) -> list[Any]:
            return [f(o, c), d(o, c) if d else o.T @ np.ones_like(f(o, c)) if o.ndim > 1 else o]

        rtol = 1e-14 if symbol in "** @" else 1e-15
        ways += [
            Way(f"x {symbol} v", "an operand beside a BVar", by_left, left_of, rtol),
            Way(f"v {symbol} x", "an operand beside a BVar", by_right, right_of, rtol),
        ]

    def scalar(o: Any, c: Any) -> list[Any]:
        assert not np.shape(o)
        x = np.array([0.5, 2.0], np.float32)
        return [x * np.float32(o), np.full(2, o, np.float32)]

    ways.append(
        Way(
            "float32 array * v",
            "an operand beside a BVar",
            lambda v, c: pulled(lambda x: x * v, np.array([0.5, 2.0], np.float32)),
            scalar,
        )
    )
    return ways


def _cross_entropy(o: Any, c: Any) -> list[Any]:
    if not np.shape(o) or not np.shape(o)[-1]:
        raise TypeError("a vector or a matrix of rows is wanted")
    weights = np.exp(c) / np.exp(c).sum(-1, keepdims=True)
    # Terms may overflow whose sum does not.
    loss = np.multiply(o, -np.log(weights), dtype=np.longdouble).sum(-1)
    return [loss.astype(float), o.sum(-1, keepdims=True) * weights - o]


def function() -> list[Way]:
    group = "an argument of a function"

    def way(name: str, call: Any, wanted: Any, rtol: float = 1e-14) -> Way:
        return Way(name, group, call, wanted, rtol)

    def mask(c: Any) -> Any:
        return c > 1.0 if np.shape(c) else False

    def chosen(o: Any, c: Any) -> list[Any]:
        return [np.where(mask(c), c, o), np.where(mask(c), like(c, 1.0), like(c, 0.0))]

    def condition(v: Any, c: Any) -> list[Any]:
        if np.asarray(v).dtype != bool:
            raise TypeError("a mask is wanted")
        return [np.where(v, c, 2 * c), np.where(v, like(c, 1.0), like(c, 2.0))]

    def greater(o: Any, c: Any) -> list[Any]:
        weight = np.where(c > o, 1.0, np.where(c == o, 0.5, 0.0))
        return [np.maximum(c, o), weight.astype(c.dtype) if np.shape(c) else float(weight)]

    def twice(c: Any) -> Any:
        return 2 * np.eye((*np.shape(c), 3)[0], dtype=np.asarray(c).dtype)

    def joined(f: Any) -> Any:
        return lambda o, c: [f([c, o]), like(c, 1.0)]

    return [
        Way("exp(v)", group, lambda v, c: [tp.exp(v)], lambda o, c: [np.exp(o)], 1e-3, plain=True),
        Way("sum(v)", group, lambda v, c: [tp.sum(v)], lambda o, c: [np.sum(o)], 1e-3, plain=True),
        way(
            "x.at(...).set(v)",
            lambda v, c: pulled(lambda x: x.at(...).set(v), c),
            lambda o, c: [np.zeros_like(_array(c)) + o, 0.0 * c],
        ),
        way("maximum(x, v)", lambda v, c: pulled(lambda x: tp.maximum(x, v), c), greater),
        way("where(mask, x, v)", lambda v, c: pulled(lambda x: tp.where(mask(c), x, v), c), chosen),
        Way("where(v, x, y)", group, lambda v, c: pulled(lambda x: tp.where(v, x, 2 * x), c), condition, by_numpy=True),
        way("concatenate([x, v])", lambda v, c: pulled(lambda x: tp.concatenate([x, v]), c), joined(np.concatenate)),
        way("stack([x, v])", lambda v, c: pulled(lambda x: tp.stack([x, v]), c), joined(np.stack)),
        way("dot(x, v)", lambda v, c: pulled(lambda x: tp.dot(x, v), c), lambda o, c: [_vector(o) @ c, o]),
        way(
            "outer(x, v)",
            lambda v, c: pulled(lambda x: tp.outer(x, v), c),
            lambda o, c: [np.outer(c, _vector(o)), like(c, 1.0) * o.sum()],
        ),
        way(
            'einsum("i,i->", x, v)',
            lambda v, c: pulled(lambda x: tp.einsum("i,i->", x, v), c),
            lambda o, c: [_vector(o) @ c, o],
        ),
        way(
            "softmax_cross_entropy(x, v)",
            lambda v, c: pulled(lambda x: tp.softmax_cross_entropy(x, v), c),
            _cross_entropy,
            1e-6,
        ),
        way(
            "linalg.solve(a, v)",
            lambda v, c: [tp.linalg.solve(BVar(twice(c)), v)],
            lambda o, c: [np.linalg.solve(twice(c), o)],
        ),
    ]


def _vector(o: Any) -> Any:
    if np.ndim(o) != 1:
        raise TypeError("a vector is wanted")
    return o


def parameter() -> list[Way]:
    group = "an index, an axis, a size, a setting"

    def way(name: str, call: Any, wanted: Any) -> Way:
        return Way(name, group, call, wanted)

    x = np.array([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])

    def number(o: Any) -> int:
        if np.shape(o) or o == 0 or o != int(o):
            raise TypeError("an int is wanted")
        return int(o)

    two = np.array([2.0, 4.0], np.float32)

    def stepped(v: Any, c: Any) -> list[Any]:
        optimizer = tp.optim.sgd(v)
        return [optimizer.update(BVar(two), optimizer.init(BVar(two)), BVar(two))[0]]

    def step(v: Any, c: Any) -> list[Any]:
        """A number, or a function of the step."""
        rate: Any = v(0) if callable(v) else v
        if isinstance(v, bool | np.bool | np.ndarray) or not 0.0 <= float(rate) < np.inf:
            raise TypeError("a rate is wanted")
        return [-np.float32(rate) * two]

    def rows(v: Any, c: Any) -> list[Any]:
        gradient = np.zeros_like(x)
        np.add.at(gradient, v, 1.0)
        return [x[v], gradient]

    return [
        Way("x[v]", group, lambda v, c: pulled(lambda b: b[v], x), rows, by_numpy=True),
        Way(
            "sum(x, axis=v)",
            group,
            lambda v, c: [tp.sum(BVar(x[None]), v)],
            lambda v, c: [x[None].sum(v)],
            by_numpy=True,
        ),
        Way(
            "x.reshape(v)",
            group,
            lambda v, c: [BVar(x[0, :2]).reshape(v)],
            lambda v, c: [x[0, :2].reshape(v)],
            by_numpy=True,
        ),
        way("zeros(v)", lambda v, c: [tp.zeros(v)], lambda o, c: [np.zeros(number(o))]),
        way("full(2, fill_value=v)", lambda v, c: [tp.full(2, fill_value=v)], lambda o, c: [np.full(2, _scalar(o))]),
        Way("optim.sgd(v)", group, stepped, step, by_numpy=True),
        way("record * v", lambda v, c: [(Single(BVar(c)) * v).x], lambda o, c: [c * _scalar(o)]),
        way("record + v", lambda v, c: [(Single(BVar(c)) + v).x], None),
    ]


def _array(o: Any) -> Any:
    if not np.shape(o):
        raise TypeError("an array is wanted")
    return o


def _scalar(o: Any) -> float:
    if np.shape(o):
        raise TypeError("a number is wanted")
    return float(o)


def data() -> list[Way]:
    def way(name: str, call: Any, wanted: Any, rtol: float = 1e-15, shares: bool = False) -> Way:
        return Way(name, "data, files, fitting", call, wanted, rtol, shares)

    def round_trip(v: Any, c: Any) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder:
            tp.save(Path(folder) / "x.npz", {"x": BVar(v)})
            return [tp.load(Path(folder) / "x.npz", like={"x": BVar(c)})["x"]]

    def saved(v: Any, c: Any) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder:
            tp.save(Path(folder) / "x.npz", v)
            return list(Path(folder).iterdir())

    def updated(v: Any, c: Any) -> list[Any]:
        o = tp.optim.sgd(0.5)
        return [o.update(BVar(v), o.init(BVar(c)), BVar(c))[0]]

    def fitted(v: Any, c: Any) -> list[Any]:
        result = typedprop.scipy.minimize(square, BVar(v))
        return [result.record] if result.success else [float(result.success)]

    def least(o: Any, c: Any) -> list[Any]:
        with np.errstate(all="ignore"):
            return [0.0 * o] if np.isfinite(np.sum(o * o)) else [0.0]

    def made(o: Any, c: Any) -> list[Any]:
        return [np.asarray(_vector(o), np.float64)]

    return [
        way("vector(v)", lambda v, c: [tp.vector(v)], made),
        way(
            "asarray(v, n)",
            lambda v, c: [tp.asarray(v, *(np.shape(c) or (1,)), dtype=np.asarray(c).dtype.type)],
            lambda o, c: [_array(o)],
            shares=True,
        ),
        way("save(path, v)", saved, None),
        way("save and load BVar(v)", round_trip, lambda o, c: [o]),
        way("gradient of optim", updated, lambda o, c: [-0.5 * o]),
        way("scipy.minimize(f, BVar(v))", fitted, least, 1e-5),
        way("scipy.minimize(f, v)", lambda v, c: [typedprop.scipy.minimize(square, v)], None),
    ]


WAYS = [*argument(), *direction(), *operand(), *function(), *parameter(), *data()]
