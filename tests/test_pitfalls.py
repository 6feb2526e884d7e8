"""Traps that other libraries fell into, each a bug that somebody reported.

The list of all, and the tests of the others, are in test_pitfalls_each.py.
"""

from __future__ import annotations

import gc
import itertools
import math
import sys
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, difference, lift, rand, tp
from typedprop.op import elementwise

# -- Perturbation confusion ------------------------------------------------------------------------------------------


def by_reverse(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return tp.grad(f)  # type: ignore[no-any-return]  # untyped on purpose


def by_forward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: tp.jvp(f, x, BVar(1.0))[1]


def by_pullback(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: tp.vjp(f, x)[1](BVar(1.0))


MODES = [by_reverse, by_forward, by_pullback]
ONE = BVar(1.0)


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(MODES, repeat=2)])
def test_two_levels(outer: Any, inner: Any) -> None:
    assert outer(lambda x: x * inner(lambda y: x + y)(ONE))(ONE).value == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y * y)(BVar(3.0)))(BVar(5.0)).value == 60.0
    # What does not depend on the inner variable has no derivative by it, whatever its value is made of.
    assert outer(lambda x: inner(lambda y: x * x)(ONE) + x)(BVar(3.0)).value == 1.0
    assert outer(lambda x: inner(lambda y: y * y)(x))(BVar(3.0)).value == 2.0


@pytest.mark.parametrize("modes", [*itertools.product(MODES, repeat=3)])
def test_three_levels(modes: Any) -> None:
    first, second, third = modes

    def f(x: Any) -> Any:
        # z -> x y z at any z: x y; y -> y * x y at y = 3: 2 x y = 6 x; so this is 6 x^2.
        return x * second(lambda y: y * third(lambda z: x * y * z)(y))(BVar(3.0))

    assert first(f)(BVar(2.0)).value == 24.0
    # The same variable thrice: the third derivative.
    assert first(second(third(lambda x: x**4)))(BVar(2.0)).value == 48.0


SEVERAL: dict[str, Callable[[Any, Any], Any]] = {
    "*": lambda x, y: x * x * y * y,
    "@": lambda x, y: (x * x) @ (y * y) * y,
    "where": lambda x, y: tp.where(np.array([True, False, True]), x * y, y * y * x),
    "concatenate": lambda x, y: tp.concatenate([x, y]) * tp.concatenate([y, x]),
    "stack": lambda x, y: tp.stack([x, y]) * tp.stack([y, x * y]),
    "outer": lambda x, y: tp.outer(x, y) * tp.outer(y, x),
    "power": lambda x, y: x**y,
    "cross-entropy": lambda x, y: tp.softmax_cross_entropy(x, y) * y,
    "scalar": lambda x, y: x[0] * y[1] * (x[1] - y[0]) / y[2],
}


@pytest.mark.parametrize("name", SEVERAL)
def test_operands_of_different_levels(name: str) -> None:
    """Mixed second derivatives, the outer variable left and right of the inner one."""
    f, x, y = SEVERAL[name], rand(3, seed=1), rand(3, seed=2)
    for g in (f, lambda a, b: f(b, a)):

        def by_y(x: Any, g: Any = g) -> Any:
            return (tp.grad(lambda b: tp.sum(g(x, b)))(BVar(y)) * np.arange(1.0, 4.0)).sum()

        found = tp.grad(by_y)(x)
        np.testing.assert_allclose(found, difference(lambda v: by_y(BVar(v)).value, x), rtol=1e-6, atol=1e-8)
        _, forward = tp.jvp(by_y, BVar(x), BVar(np.ones(3)))
        assert forward.value == pytest.approx(found.sum(), rel=1e-11)


def test_on_arrays() -> None:
    x = rand(3)
    found = tp.grad(lambda a: a @ tp.grad(lambda b: (a * b * b).sum())(a))(x)
    np.testing.assert_allclose(found, 6 * x**2, rtol=1e-15)
    _, found = tp.jvp(lambda a: tp.grad(lambda b: (a * b * b).sum())(BVar(np.ones(3))), BVar(x), BVar(np.ones(3)))
    np.testing.assert_array_equal(found.value, np.full(3, 2.0))


# -- Threads ---------------------------------------------------------------------------------------------------------


def nested(k: float) -> tuple[float, float, list[float]]:
    """Three nested gradients of scalars and arrays that depend on `k`."""

    def f(x: Any) -> Any:
        return x * tp.grad(lambda y: y * y * tp.grad(lambda z: tp.exp(z * 0.1) * x * z)(y) * k)(x + 1.0)

    value, slope = tp.value_and_grad(f)(BVar(0.5))
    w = np.arange(1.0, 5.0).reshape(2, 2) * k
    penalty = tp.grad(lambda m: (tp.grad(lambda v: tp.tanh(m @ v).sum())(BVar(np.ones(2))) ** 2).sum())(w)
    return value.value, slope.value, penalty.ravel().tolist()


@pytest.mark.parametrize("interval", [sys.getswitchinterval(), 1e-6])
def test_eight_threads(interval: float) -> None:
    numbers = [0.25 + 0.125 * k for k in range(8)]
    wanted = [nested(k) for k in numbers]
    wrong: list[Any] = []
    start = threading.Barrier(len(numbers))

    def work(position: int) -> None:
        start.wait()
        for _ in range(20):
            try:
                found = nested(numbers[position])
            except Exception as error:
                wrong.append(error)
                return
            if found != wanted[position]:
                wrong.append((position, found))

    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        threads = [threading.Thread(target=work, args=(k,)) for k in range(len(numbers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


def test_threads_that_share_a_model_and_a_pullback() -> None:
    w = lift(4, 4)
    _, pullback = tp.vjp(lambda a: tp.tanh(a @ a), w)
    cotangents = [lift(4, 4, seed=k) for k in range(8)]
    wanted = [pullback(g) for g in cotangents]
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda k=k: found.update({k: [pullback(cotangents[k]) for _ in range(20)]}))
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[k] == [wanted[k]] * 20 for k in range(8))


# -- Exceptions, leaks -----------------------------------------------------------------------------------------------


@contextmanager
def no_collector() -> Generator[None]:
    """Whatever dies here dies by its reference count: cycles would live on."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def watch(x: Any) -> weakref.ref[Any]:
    """A reference to the array at the bottom of a BVar that does not keep it."""
    while type(x) is BVar:
        x = x._value
    return weakref.ref(x)


def test_nothing_is_held_after_a_gradient() -> None:
    seen: list[weakref.ref[Any]] = []

    def f(x: Any) -> Any:
        y = tp.exp(x @ x)
        z = tp.tanh(y.T * y) + y.sum(0)
        seen.extend(map(watch, (x, y, z)))
        return z.mean()

    with no_collector():
        value, gradient = tp.value_and_grad(f)(rand(30, 30))
        assert len(seen) == 3 and all(ref() is None for ref in seen)
        del value, gradient

        seen.clear()
        _, pullback = tp.vjp(f, lift(30, 30))
        pullback(BVar(1.0))
        assert any(ref() is not None for ref in seen)
        del pullback
        assert len(seen) == 3 and all(ref() is None for ref in seen)

        seen.clear()
        tp.jvp(f, lift(30, 30), lift(30, 30))
        assert len(seen) == 3 and all(ref() is None for ref in seen)

        seen.clear()
        tp.grad(lambda x: (tp.grad(f)(x) ** 2).sum())(rand(30, 30))
        assert len(seen) == 3 and all(ref() is None for ref in seen)


def test_memory_falls_during_the_backward_sweep() -> None:
    seen: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def count(x: Any) -> Any:
        alive.append(sum(ref() is not None for ref in seen))
        return 2 * x

    counted: Any = elementwise("counted", lambda x: x * x, of_input=count)

    def f(x: Any) -> Any:
        for _ in range(10):
            x = counted(x) * 0.5
            seen.append(watch(x))
        return x.sum()

    tp.grad(f)(rand(100))
    assert len(alive) == 10 and alive[0] >= 9 and alive[-1] <= 1


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["f", "an inner f", "the sweep", "an inner sweep"])
def test_an_exception_leaves_nothing_behind(where: str, kind: Any) -> None:
    seen: list[weakref.ref[Any]] = []
    angry = True

    def interrupt(x: Any) -> Any:
        if angry:
            raise kind("stop")
        return 2 * x

    interrupted: Any = elementwise("interrupted", lambda x: x * x, of_input=interrupt)

    def g(x: Any) -> Any:
        y = tp.exp(x) * 2.0
        seen.extend(map(watch, (x, y)))
        if where.endswith("f"):
            interrupt(x)
        return (interrupted(y) if where.endswith("sweep") else y).sum()

    def f(x: Any) -> Any:
        return tp.grad(g)(x) @ x if "inner" in where else g(x)

    def attempt() -> None:
        with pytest.raises(kind, match="stop"):
            tp.grad(f)(BVar(np.full(3, 0.5)))

    with no_collector():
        attempt()
        assert len(seen) >= 2 and all(ref() is None for ref in seen)
    angry = False
    x = rand(3)
    found = tp.grad(f)(x)
    assert found.shape == (3,)
    np.testing.assert_allclose(found, difference(lambda v: f(BVar(v)).value, x), rtol=1e-7)


def test_two_hundred_gradients_grow_nothing() -> None:
    w, x = lift(5, 5), rand(5)

    def loss(w: Any) -> Any:
        y = [tp.tanh(w @ x) for _ in range(3)]
        return sum((a @ b for a, b in itertools.pairwise(y)), BVar(0.0)) + tp.softmax(y[0])[0]

    def once() -> None:
        tp.grad(loss)(w)
        tp.grad(lambda v: tp.grad(loss)(v).sum())(w)
        tp.vjp(loss, w)[1](BVar(1.0))
        tp.jvp(tp.grad(loss), w, w)

    once()
    with no_collector():
        before = len(gc.get_objects())
        for _ in range(200):
            once()
        assert len(gc.get_objects()) - before < 20


# -- Captured and given arrays ---------------------------------------------------------------------------------------

USES: dict[str, Callable[[Any, Any], Any]] = {
    "*": lambda x, c: x * c,
    "reflected *": lambda x, c: c * x,
    "/": lambda x, c: x / c,
    "reflected /": lambda x, c: c / x,
    "+": lambda x, c: (x + c) ** 2,
    "**": lambda x, c: x**c,
    "reflected **": lambda x, c: c**x,
    "@": lambda x, c: x @ c * x,
    "reflected @": lambda x, c: c @ x * x,
    "lifted": lambda x, c: x * BVar(c),
    "where": lambda x, c: tp.where(np.array([True, False, True]), x * c, c) * x,
    "concatenate": lambda x, c: tp.concatenate([x * c, c])[:3] * x,
    "outer": lambda x, c: tp.outer(x, c) @ x,
    "cross-entropy": lambda x, c: tp.softmax_cross_entropy(x, c) * x,
}


@pytest.mark.parametrize("use", USES)
def test_a_reused_buffer(use: str) -> None:
    """A plain array that f used and that changes before the backward sweep."""
    call, x, buffer = USES[use], rand(3), rand(3, seed=1)
    first = buffer.copy()

    def f(x: Any) -> Any:
        y = call(x, buffer)
        buffer[:] = np.nan
        return y.sum()

    found = tp.grad(f)(x)
    np.testing.assert_allclose(found, difference(lambda v: call(BVar(v), first).sum().value, x), rtol=1e-6)


@pytest.mark.parametrize("mask_or_index", [np.array([True, False, True]), np.array([0, 2])])
def test_a_reused_mask_or_index(mask_or_index: Any) -> None:
    def f(x: Any) -> Any:
        y = x[mask_or_index].sum()
        if mask_or_index.dtype == bool:
            y = y + tp.where(mask_or_index, x, 0.0).sum()
        mask_or_index[:] = 0
        return y

    kept = mask_or_index.copy()
    wanted = np.zeros(3)
    wanted[kept] = 1.0 + (kept.dtype == bool)
    assert np.array_equal(tp.grad(f)(np.ones(3)), wanted)


def test_a_loop_over_one_buffer() -> None:
    batches = rand(5, 3)

    def f(w: Any) -> Any:
        buffer, total = np.empty(3), BVar(0.0)
        for batch in batches:
            buffer[:] = batch
            total = total + tp.tanh(w @ buffer)
        return total

    w = rand(3, seed=1)
    wanted = sum((1 - np.tanh(w @ b) ** 2) * b for b in batches)
    np.testing.assert_allclose(tp.grad(f)(w), wanted, rtol=1e-14)


def test_the_argument_itself_changes() -> None:
    x = rand(3)
    before = x.copy()

    def f(a: Any) -> Any:
        y = a * a
        x[:] = np.nan
        return y.sum()

    np.testing.assert_array_equal(tp.grad(f)(x), 2 * before)
    x[:] = before
    _, pullback = tp.vjp(lambda a: a * a, x)
    x[:] = np.nan
    np.testing.assert_array_equal(pullback(BVar(np.ones(3))), 2 * before)
    cotangent = np.ones(3)
    lifted = BVar(cotangent)
    cotangent[:] = np.nan
    np.testing.assert_array_equal(pullback(lifted), 2 * before)


UNARY: dict[str, Callable[[Any], Any]] = {
    "+": lambda x: x + 0.0,
    "positive": lambda x: +x,
    "negative": lambda x: -x,
    "*": lambda x: x * 1.0,
    "**": lambda x: x**1,
    "abs": abs,
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "reshape": lambda x: x.reshape((3, 2)),
    "all": lambda x: x[...],
    "row": lambda x: x[0],
    "gather": lambda x: x[np.array([0, 1])],
    "list": lambda x: list(x),
    "sum": lambda x: x.sum(0, keepdims=True),
    "max": lambda x: x.max(0),
    "where": lambda x: tp.where(np.ones((2, 3), bool), x, 0.0),
    "concatenate": lambda x: tp.concatenate([x]),
    "stack": lambda x: tp.stack([x]),
    "relu": tp.relu,
    "exp": tp.exp,
    "softmax": tp.softmax,
    "log_softmax": tp.log_softmax,
    "stop_gradient": tp.stop_gradient,
}


@pytest.mark.parametrize("name", UNARY)
def test_no_result_of_a_transformation_shares_memory(name: str) -> None:
    x, u = lift(2, 3), lift(2, 3, seed=1)
    bytes_before = x.value.tobytes(), u.value.tobytes()
    f = UNARY[name]
    output, pullback = tp.vjp(f, x)
    cotangent = tp.tree.map(lambda leaf: leaf * 2.0, output)
    gradient = pullback(cotangent)
    again = pullback(cotangent)
    value, tangent = tp.jvp(f, x, u)
    assert gradient == again
    given = [x, u, *tp.tree.leaves(cotangent)]
    results = [*tp.tree.leaves(output), gradient, again, *tp.tree.leaves(value), *tp.tree.leaves(tangent)]
    for result in results:
        for other in given:
            assert not np.shares_memory(result.value, other.value)
    for one, other in itertools.combinations([tp.tree.leaves(output)[0], gradient, again], 2):
        assert not np.shares_memory(one.value, other.value)
    assert (x.value.tobytes(), u.value.tobytes()) == bytes_before


@pytest.mark.parametrize("name", [name for name in UNARY if name not in ("T", "mT", "list")])
def test_plain_values_are_not_shared_either(name: str) -> None:
    x = rand(2, 3)
    functions = {"relu", "exp", "softmax", "log_softmax", "where", "concatenate", "stack"}
    plain_functions: dict[str, Callable[[Any], Any]] = {name: UNARY[name] for name in functions}
    plain_functions |= {"reshape": lambda x: tp.reshape(x, (3, 2)), "sum": tp.sum, "max": tp.max}
    if name in plain_functions:
        assert not np.shares_memory(plain_functions[name](x), x)


# -- Powers ----------------------------------------------------------------------------------------------------------

BASES = [0.0, 1.0, -1.0, 2.0, -2.0]
EXPONENTS = [0.0, 0.5, 1.0, 2.0, 3.0, -1.0]


def true_derivative(x: float, e: float, order: int) -> float:
    """The order-th derivative of x**e by x."""
    factor = math.prod(e - k for k in range(order))
    if factor == 0:
        return 0.0
    with np.errstate(all="ignore"):
        return factor * float(np.float64(x) ** (e - order))


def derivative(f: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    for _ in range(order):
        f = tp.grad(f)
    return f


FORMS: dict[str, Callable[[Any, float], Any]] = {
    "float": lambda x, e: x**e,
    "lifted": lambda x, e: x ** BVar(e),
    "array": lambda x, e: (x ** np.array([e, e])).sum() * 0.5,
    "lifted array": lambda x, e: (x ** BVar(np.array([e, e]))).sum() * 0.5,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinities are what some of these are
@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("e", EXPONENTS)
@pytest.mark.parametrize("x", BASES)
def test_power_table(x: float, e: float, form: str, order: int) -> None:
    call = FORMS[form]
    wanted = true_derivative(x, e, order)
    if x < 0 and e == 0.5:
        if form in ("float", "lifted"):
            with pytest.raises(ValueError, match="is not a real number"):
                tp.grad(lambda b: call(b, e))(x)
        else:
            assert math.isnan(derivative(lambda b: call(b, e), order)(x))
        return
    assert derivative(lambda b: call(b, e), order)(x) == pytest.approx(wanted, rel=1e-14)
    if e == int(e) and form == "float":
        assert derivative(lambda b: b ** int(e), order)(x) == pytest.approx(wanted, rel=1e-14)
    # An array as the base: each element's own derivative.
    base = np.array([x, 2.0])
    exponent = e if form == "float" else BVar(e) if form == "lifted" else np.array([e, 3.0])
    if form == "lifted array":
        exponent = BVar(exponent)
    second = e if form in ("float", "lifted") else 3.0

    def elementwise_derivative(f: Any) -> Any:
        return lambda a: tp.grad(lambda b: f(b).sum())(a)

    f: Any = lambda b: b**exponent  # noqa: E731
    for _ in range(order):
        f = elementwise_derivative(f)
    np.testing.assert_allclose(f(base), [wanted, true_derivative(2.0, second, order)], rtol=1e-14)


@pytest.mark.parametrize("e", [0.5, 1.0, 2.0, 3.0, -1.0])
def test_power_by_its_exponent(e: float) -> None:
    for order in (1, 2, 3):
        wanted = 2.0**e * math.log(2.0) ** order
        assert derivative(lambda k: 2.0**k, order)(e) == pytest.approx(wanted, rel=1e-13)
        assert derivative(lambda k: BVar(2.0) ** k, order)(e) == pytest.approx(wanted, rel=1e-13)
        assert derivative(lambda k: (np.array([2.0, 2.0]) ** k).sum() * 0.5, order)(e) == pytest.approx(
            wanted, rel=1e-13
        )
        if e > 0:
            assert derivative(lambda k: 0.0**k, order)(e) == 0.0
            assert derivative(lambda k: (np.array([0.0, 2.0]) ** k).sum(), order)(e) == pytest.approx(wanted, rel=1e-13)
    # Mixed: d/dx d/de x**e = x**(e - 1) (1 + e log x).
    wanted = 2.0 ** (e - 1) * (1 + e * math.log(2.0))
    assert tp.grad(lambda x: tp.grad(lambda k: x**k)(e))(2.0) == pytest.approx(wanted, rel=1e-13)
    assert tp.grad(lambda k: tp.grad(lambda x: x**k)(2.0))(e) == pytest.approx(wanted, rel=1e-13)


def test_a_constant_exponent_never_takes_a_logarithm() -> None:
    """log(-2) is NaN: what does not want the derivative by the exponent must not meet it."""
    for exponent in (3, 3.0, BVar(3.0), np.array([3.0, 3.0]), BVar(np.array([3.0, 3.0]))):
        found = tp.grad(lambda x: (x**exponent).sum())(np.array([-2.0, 0.0]))  # noqa: B023
        assert np.array_equal(found, [12.0, 0.0])
    # And a NaN in a constant's own partial derivative does not leak.
    log_of_constant = tp.grad(lambda x: x * BVar(-2.0) ** 3.0)(1.0)
    assert log_of_constant == -8.0
    assert tp.grad(lambda x: x + (BVar(-2.0) ** BVar(3.0)) * 0.0)(1.0) == 1.0


# -- Kinks -----------------------------------------------------------------------------------------------------------

KINKS: list[tuple[str, Callable[[Any], Any], list[float], list[float]]] = [
    ("max", lambda x: x.max(), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
    ("max of all equal", lambda x: x.max(), [2.0, 2.0, 2.0], [1 / 3, 1 / 3, 1 / 3]),
    ("min", lambda x: x.min(), [1.0, 1.0, 3.0], [0.5, 0.5, 0.0]),
    ("abs", lambda x: abs(x).sum(), [0.0, -2.0, 2.0], [0.0, -1.0, 1.0]),
    ("relu", lambda x: tp.relu(x).sum(), [0.0, -2.0, 2.0], [0.0, 0.0, 1.0]),
    ("infinite max", lambda x: x.max(), [math.inf, 1.0, math.inf], [0.5, 0.0, 0.5]),
]


@pytest.mark.parametrize(("name", "f", "at", "wanted"), KINKS, ids=[kink[0] for kink in KINKS])
def test_at_a_kink_both_modes_take_the_documented_subgradient(name: str, f: Any, at: Any, wanted: Any) -> None:
    x = np.array(at)
    np.testing.assert_array_equal(tp.grad(f)(x), wanted)
    for k, basis in enumerate(np.eye(3)):
        assert tp.jvp(f, BVar(x), BVar(basis))[1].value == wanted[k]
    assert not tp.grad(lambda a: tp.grad(f)(a).sum())(x).any()
    single = tp.grad(f)(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, wanted, rtol=1e-6)


def test_scalars_at_kinks() -> None:
    for f in (abs, tp.relu):
        assert tp.grad(f)(0.0) == 0.0 and tp.grad(f)(-0.0) == 0.0
        assert tp.jvp(f, BVar(0.0), BVar(1.0))[1].value == 0.0


def test_square_root_at_zero_is_infinitely_steep() -> None:
    assert tp.grad(tp.sqrt)(0.0) == math.inf
    with np.errstate(divide="ignore"):
        assert np.array_equal(tp.grad(lambda x: tp.sqrt(x).sum())(np.array([0.0, 4.0])), [math.inf, 0.25])
        assert tp.grad(tp.grad(tp.sqrt))(0.0) == -math.inf


def test_where_with_a_branch_that_is_not_a_number() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    mask = x > 0
    # The documented way: a safe argument.
    safe = lambda a: tp.where(mask, tp.sqrt(tp.where(mask, a, 1.0)), 0.0).sum()  # noqa: E731
    assert np.array_equal(tp.grad(safe)(x), [0.0, 0.0, 0.25])
    assert np.array_equal(tp.grad(lambda a: tp.grad(safe)(a).sum())(x), [0.0, 0.0, -1 / 32])
    # A branch that is not chosen may hold NaN and infinities as values.
    bad = np.array([math.nan, math.inf, 1.0])
    value, gradient = tp.value_and_grad(lambda a: tp.where(mask, a, a * 2.0 + 1.0).sum())(np.array([1.0, 2.0, 3.0]))
    assert value.value == 3.0 + 5.0 + 3.0 and np.array_equal(gradient, [2.0, 2.0, 1.0])
    assert np.array_equal(tp.grad(lambda a: tp.where(mask, a, bad)[2] * a[0])(np.ones(3)), [1.0, 0.0, 1.0])
    assert np.array_equal(tp.grad(lambda a: tp.where(~mask, bad, a).sum())(np.ones(3)), [0.0, 0.0, 1.0])


# -- dtypes and sizes ------------------------------------------------------------------------------------------------

DRIFTS: dict[str, Callable[[Any], Any]] = {
    "Python floats": lambda x: (0.5 + 2.0 * x - 1.0) / 3.0 ** (1.0 - x),
    "Python ints": lambda x: (1 + 2 * x - 3) ** 2 / 4,
    "np.float64": lambda x: np.float64(0.5) * x + np.float64(2.0) / (x + np.float64(1.0)),
    "np.float64 of a reduction": lambda x: x * np.mean([1.0, 2.0]) + np.sqrt(2.0),
    "integer arrays": lambda x: x * np.arange(6).reshape(2, 3),
    "scalars of its own": lambda x: x * x.sum() + x.mean() * x.max() - x[0, 0],
    "lifted scalars": lambda x: x * BVar(2.0) + tp.exp(BVar(0.5)),
    "rows": lambda x: x * x[0] + x.sum(0),
    "keepdims": lambda x: x / x.sum(1, keepdims=True) - x.max(0, keepdims=True),
    "products": lambda x: (x @ x.T) @ x * (x[0] @ x[1]),
    "iteration": lambda x: sum((row * row[0] for row in x), BVar(np.zeros(3, np.float32))),
    "taking apart": lambda x: tp.stack([a * 2.0 for a in x[0]])[0] * x,
    "gather": lambda x: x[np.array([0, 1, 1])] * 2.0,
    "activations": lambda x: (
        tp.tanh(x) + tp.sigmoid(x) + tp.relu(x) + tp.exp(x) + tp.log(x) + tp.sqrt(x) + tp.square(x)
    ),
    "softmax": lambda x: tp.softmax(x) + tp.log_softmax(x) * tp.logsumexp(x),
    "logsumexp": lambda x: x - tp.logsumexp(x, 1, keepdims=True),
    "cross-entropy": lambda x: tp.softmax_cross_entropy(x, np.eye(3, dtype=np.float32)[:2]),
    "where": lambda x: tp.where(x.value > 0.8, x, 0.0) + tp.where(x.value > 0.8, 1.5, x * x),
    "joined": lambda x: tp.concatenate([x, x * 2.0]) * tp.stack([x[0], x[1], x[0], x[1]]),
    "power": lambda x: x**2 + x**0.5 + 2.0**x + x**x,
    "abs": lambda x: abs(x - 0.8) * -x,
    "a gradient": lambda x: tp.grad(lambda a: (a**3).mean())(x),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_float32_stays_float32(name: str) -> None:
    f, x = DRIFTS[name], lift(2, 3, dtype=np.float32)
    output, pullback = tp.vjp(f, x)
    assert output.dtype == np.float32
    assert pullback(output).dtype == np.float32
    value, tangent = tp.jvp(f, x, x)
    assert value.dtype == tangent.dtype == np.float32
    gradient = tp.grad(lambda a: f(a).sum())(x)
    assert gradient.dtype == np.float32 and gradient.shape == (2, 3)
    second = tp.grad(lambda a: (tp.grad(lambda b: (f(b) ** 2).mean())(a) * x.value).sum())(x)
    assert second.dtype == np.float32
    assert tp.jvp(lambda a: tp.grad(lambda b: f(b).sum())(a), x, x)[1].dtype == np.float32
    # The same numbers as in float64, as far as float32 has them; the constants must be float64 then.
    if "float32" not in f.__code__.co_names:
        double = tp.grad(lambda a: f(a).sum())(BVar(x.value.astype(np.float64)))
        np.testing.assert_allclose(gradient.value, double.value, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("name", DRIFTS)
def test_scalars_of_float32_are_python_floats(name: str) -> None:
    f, x = DRIFTS[name], lift(2, 3, dtype=np.float32)
    value, gradient = tp.value_and_grad(lambda s: (f(x * s)).sum())(BVar(1.25))
    assert type(value.value) is float and type(gradient.value) is float
    _, tangent = tp.jvp(lambda s: f(x * s).sum(), BVar(1.25), BVar(1.0))
    assert type(tangent.value) is float
    second = tp.grad(tp.grad(lambda s: f(x * s).sum()))(BVar(1.25))
    assert type(second.value) is float


# -- Depth -----------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_operations() -> None:
    n = 100_000

    def f(x: Any) -> Any:
        y = x
        for _ in range(n // 2):
            y = y * 1.00001 + x
        return y

    growth = 1.00001 ** (n // 2)
    wanted = growth + (growth - 1) / 0.00001
    value, gradient = tp.value_and_grad(f)(BVar(1.0))
    assert value.value == pytest.approx(wanted, rel=1e-9) and gradient.value == pytest.approx(wanted, rel=1e-9)
    _, tangent = tp.jvp(f, BVar(1.0), BVar(1.0))
    assert tangent.value == pytest.approx(wanted, rel=1e-9)


def test_a_deep_chain_of_arrays_and_of_second_order() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_000):
            x = x + 1e-5 * x * x
        return x.sum() if x.shape else x

    x = rand(3)
    gradient = tp.grad(f)(x)
    np.testing.assert_allclose(gradient, difference(lambda v: f(BVar(v)).value, x), rtol=1e-5)
    second = tp.grad(tp.grad(f))(0.5)
    assert second == pytest.approx(float(difference(lambda v: tp.grad(f)(float(v)), 0.5)), rel=1e-5)


def test_a_long_chain_that_is_never_differentiated() -> None:
    b = BVar(1.0)
    for _ in range(100_000):
        b = b * 1.0 + 0.0
    assert b.value == 1.0
    _, pullback = tp.vjp(lambda x: [x := x * 1.0 for _ in range(100_000)][-1], BVar(2.0))
    del pullback  # a deep tape that is thrown away


# -- Overflow --------------------------------------------------------------------------------------------------------

FAR = [
    np.array([1000.0, 0.0, -1000.0]),
    np.array([-1000.0, -1000.0, -1000.0]),
    np.array([1000.0, 1000.0, 1000.0]),
    np.array([0.0, -np.inf, 1.0]),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("x", FAR)
def test_softmax_and_its_kin_far_out(x: Any, dtype: Any) -> None:
    top = x.max()
    weights = np.exp(x - top) / np.exp(x - top).sum()
    lse = top + math.log(np.exp(x - top).sum())
    x = x.astype(dtype)
    value, gradient = tp.value_and_grad(tp.logsumexp)(x)
    assert value.value == pytest.approx(lse, rel=1e-6)
    # What is computed as x - logsumexp(x) is as exact as float32 has numbers near 1000.
    rtol, atol = (1e-12, 1e-12) if dtype is np.float64 else (5e-5, 2e-5)
    np.testing.assert_allclose(gradient, weights, rtol=rtol)
    np.testing.assert_allclose(tp.softmax(x), weights, rtol=1e-5)
    np.testing.assert_allclose(tp.log_softmax(x), x - lse, rtol=rtol)
    np.testing.assert_allclose(
        tp.grad(lambda a: tp.softmax(a)[0])(x), weights[0] * (np.array([1, 0, 0]) - weights), atol=atol
    )
    target = np.array([1.0, 0.0, 0.0], dtype)
    if np.isfinite(x).all():
        value, gradient = tp.value_and_grad(lambda a: tp.softmax_cross_entropy(a, target))(x)
        assert value.value == pytest.approx(lse - x[0], rel=1e-6, abs=1e-5)
        np.testing.assert_allclose(gradient, weights - target, atol=atol)
        second = tp.grad(lambda a: tp.grad(lambda b: tp.softmax_cross_entropy(b, target))(a)[0])(x)
        np.testing.assert_allclose(second, weights[0] * (np.array([1, 0, 0]) - weights), atol=atol)


def test_logsumexp_of_infinities() -> None:
    assert tp.logsumexp(np.full(3, -np.inf)) == -math.inf
    assert tp.logsumexp(BVar(np.full(3, -np.inf))).value == -math.inf
    assert tp.logsumexp(np.array([0.0, np.inf])) == math.inf
    rows = tp.logsumexp(BVar(np.array([[-np.inf, -np.inf], [0.0, 0.0], [1.0, np.inf]])), 1)
    np.testing.assert_allclose(rows.value, [-math.inf, math.log(2), math.inf])
    # A row of -inf alone has no softmax.
    assert np.isnan(tp.softmax(np.full(3, -np.inf))).all() and np.isnan(tp.log_softmax(np.full(3, -np.inf))).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_far_out(dtype: Any) -> None:
    x = np.array([-1000.0, -np.inf, 0.0, 1000.0, np.inf], dtype)
    np.testing.assert_array_equal(tp.sigmoid(x), [0.0, 0.0, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(tp.grad(lambda a: tp.sigmoid(a).sum())(x), [0.0, 0.0, 0.25, 0.0, 0.0])
    for number, value, slope in ((-1000.0, 0.0, 0.0), (-math.inf, 0.0, 0.0), (1000.0, 1.0, 0.0), (0.0, 0.5, 0.25)):
        found, gradient = tp.value_and_grad(tp.sigmoid)(number)
        assert (found.value, gradient) == (value, slope)
    # Small, but not nothing: where 1 + exp(-x) would be rounded to 1.
    assert tp.sigmoid(-700.0) == pytest.approx(math.exp(-700), rel=1e-12)
    assert tp.grad(tp.sigmoid)(-700.0) == pytest.approx(math.exp(-700), rel=1e-12)


def test_tanh_far_out() -> None:
    value, gradient = tp.value_and_grad(lambda x: tp.tanh(x).sum())(np.array([-1000.0, 0.0, 1000.0]))
    assert value.value == 0.0 and np.array_equal(gradient, [0.0, 1.0, 0.0])
