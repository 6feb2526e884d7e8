from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.steps import calls_of
from tests.untyped import DTYPES, BVar, rand, tp
from typedprop.bvar import record
from typedprop.index_sum import IndexSum, scatter, total
from typedprop.leaves import added
from typedprop.tape import SCALE, Tape

INDICES: dict[str, tuple[tuple[int, ...], list[Any]]] = {
    "elements": ((5,), [0, 3, -1, 3]),
    "slices": ((5,), [slice(0, 3), slice(None, None, -2), slice(2, 2)]),
    "masks": ((4,), [np.array([True, False, True, True]), np.array([False] * 4)]),
    "arrays": ((4,), [np.array([1, 1, 3]), np.array([0])]),
    "rows": ((3, 2), [0, -1, 0]),
    "parts": ((3, 2), [(0, 1), (slice(None), 0), (np.array([0, 0]), np.array([1, 1])), (Ellipsis, 1), None]),
    "all sorts": ((5,), [0, slice(1, 3), np.array([2, 2]), np.array([True, False, True, False, True])]),
}
sorts = pytest.mark.parametrize("sort", INDICES)


def cotangents(sort: str, dtype: Any = np.float64) -> tuple[list[IndexSum], list[Any]]:
    """What is read by each index, once as the rule gives it and once as the whole array."""
    shape, indices = INDICES[sort]
    sums, arrays = [], []
    for k, index in enumerate(indices):
        part = np.zeros(shape)[index]
        value: Any = rand(*part.shape, seed=k, dtype=dtype) if part.shape else 0.5 + k
        sums.append(IndexSum(value, (index, shape, np.dtype(dtype))))
        arrays.append(scatter(value, index, shape, np.dtype(dtype)))
    return sums, arrays


@pytest.mark.parametrize("dtype", DTYPES)
@sorts
def test_a_sum_of_plain_values(sort: str, dtype: Any) -> None:
    sums, arrays = cotangents(sort, dtype)
    for one, array in zip(sums, arrays, strict=True):
        assert np.array_equal(one.dense(), array) and one.dense().dtype == dtype
    found: Any = sums[0]
    for one in sums[1:]:
        found = total(found, one, True, True)
    assert type(found) is np.ndarray and found.dtype == dtype
    np.testing.assert_allclose(found, sum(arrays), rtol=1e-6)


@sorts
def test_beside_whole_arrays(sort: str) -> None:
    """Added into where that is the sweep's own, and left as it is where not."""
    (one, *_), (array, *_) = cotangents(sort)
    whole = rand(*array.shape, seed=9)
    for owned in (True, False):
        for old, new in [(whole.copy(), one), (one, whole.copy())]:
            given: Any = old if new is one else new
            found = total(old, new, owned and new is one, owned and old is one)
            assert np.array_equal(found, whole + array)
            assert (found is given) is owned and (owned or np.array_equal(given, whole))


@sorts
def test_a_sum_of_differentiable_values(sort: str) -> None:
    """In whatever order they come, plain ones and whole arrays among them: one operation of the enclosing tape."""
    shape, indices = INDICES[sort]
    plain, arrays = cotangents(sort)
    whole = rand(*shape, seed=9)
    tape = Tape(1)

    def on_tape(value: Any) -> Any:
        b = BVar(value)
        b._tape, b._node = tape, 0
        return b

    for position in range(2 * len(indices) + 2):
        given: list[Any] = [IndexSum(on_tape(s._value), s._residual) for s in plain]
        given += [IndexSum(s._value, s._residual) for s in plain]
        given += [whole.copy(), on_tape(whole)]
        given = given[position:] + given[:position]
        found = given[0]
        for k, one in enumerate(given[1:]):
            if type(found) is type(one) is np.ndarray or type(found) is BVar is not type(one) is np.ndarray:
                found = found + one
            elif type(found) is IndexSum or type(one) is IndexSum:
                found = total(found, one, k > 0, False)
            else:
                found = found + one
        before = len(tape.entries)
        dense = found.dense()
        np.testing.assert_allclose(dense.value, 2 * sum(arrays) + 2 * whole, rtol=1e-12)
        # All that was gathered, and the sum with what came whole.
        assert len(tape.entries) - before <= 2


@pytest.mark.parametrize("read", ["before", "after"])
def test_a_cotangent_that_two_hold_is_not_added_into(read: str) -> None:
    """The sum gives both of its operands the same array; to one of them an element is added."""
    weights = np.array([1.0, 2.0, 3.0])

    def f(x: Any, y: Any) -> Any:
        first = x[0] if read == "before" else None
        loss = ((x + y) * weights).sum()
        return loss + 10.0 * (x[0] if first is None else first)

    by_x, by_y = tp.grad(f, (0, 1))(rand(3), rand(3, seed=1))
    assert np.array_equal(by_x, [11.0, 2.0, 3.0]) and np.array_equal(by_y, weights)


def test_what_is_read_may_belong_to_different_gradients() -> None:
    """Of those that are gathered, one was recorded by the outer gradient and one by the inner one."""

    def f(a: Any, b: Any) -> Any:
        gradient = tp.grad(lambda v: v[0] * a + v[1] * b)(BVar(rand(3)))
        return gradient[0] * gradient[0] * gradient[1]

    # a² b, by b and then by a
    assert tp.grad(lambda a: tp.grad(lambda b: f(a, b))(2.0))(3.0) == 6.0
    assert tp.grad(f, 1)(3.0, 2.0) == 9.0


@pytest.mark.parametrize("order", [*itertools.permutations(["plain", "recorded", "whole", "whole and recorded"])])
def test_a_sum_of_all_sorts_in_any_order(order: tuple[str, ...]) -> None:
    tape = Tape(1)
    residual = (slice(1, 3), (4,), np.dtype(np.float64))
    sorts: dict[str, Any] = {"plain": IndexSum(np.array([1.0, 2.0]), residual), "whole": np.array([1.0, 2.0, 3.0, 4.0])}
    sorts["recorded"] = IndexSum(record(tape, np.array([10.0, 20.0]), (SCALE, 0, 1.0)), residual)
    sorts["whole and recorded"] = record(tape, np.array([100.0, 200.0, 300.0, 400.0]), (SCALE, 0, 1.0))
    found = sorts[order[0]]
    for name in order[1:]:
        new = sorts[name]
        found = total(found, new, False, False) if IndexSum in (type(found), type(new)) else added(found, new)
    dense = found.dense() if type(found) is IndexSum else found
    assert np.array_equal(dense.value, [101.0, 213.0, 325.0, 404.0])
    assert np.array_equal(sorts["whole"], [1.0, 2.0, 3.0, 4.0])


def reads(v: Any, count: int) -> Any:
    total = BVar(0.0)
    for k in range(count):
        total = total + v[k] * v[k]
    return total


# A function of a vector that takes it to pieces, one at a time, and the gradient that it has.
LOOPS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "elements": (lambda v: reads(v, len(v)), lambda x: 2 * x),
    "iteration": (lambda v: sum((e * e for e in v), BVar(0.0)), lambda x: 2 * x),
    "windows": (
        lambda v: sum(((v[k : k + 2] ** 3).sum() for k in range(len(v) - 1)), BVar(0.0)),
        lambda x: 3 * x**2 * np.r_[1, np.full(len(x) - 2, 2), 1],
    ),
    "arrays of places": (
        lambda v: sum(((v[np.array([k, 0])] ** 2).sum() for k in range(len(v))), BVar(0.0)),
        lambda x: 2 * x * np.r_[len(x) + 1, np.ones(len(x) - 1)],
    ),
    "split": (lambda v: sum(((p**2).sum() for p in tp.split(v, len(v))), BVar(0.0)), lambda x: 2 * x),
    "used whole, too": (lambda v: (v * v).sum() + reads(v, len(v)) + v @ v, lambda x: 6 * x),
    "stacked": (lambda v: (tp.stack([v[k] * 2.0 for k in range(len(v))]) ** 2).sum(), lambda x: 8 * x),
    "concatenated": (
        lambda v: (tp.concatenate([v[k : k + 1] * 2.0 for k in range(len(v))]) ** 2).sum(),
        lambda x: 8 * x,
    ),
}
# Each gives the gradient, or its product with the vector and the Hessian.
ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "reverse": lambda f, x: tp.grad(f)(x),
    "forward": lambda f, x: tp.jvp(f, BVar(x), BVar(x))[1].value,
    "reverse of reverse": lambda f, x: tp.grad(lambda v: tp.grad(f)(v) @ x)(x),
    "forward of reverse": lambda f, x: tp.jvp(tp.grad(f), BVar(x), BVar(x))[1].value,
    "reverse of forward": lambda f, x: tp.grad(lambda v: tp.jvp(f, v, BVar(x))[1])(x),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_is_linear(loop: str, order: str) -> None:
    """However many pieces, as many arrays of the whole are made."""
    f, slope = LOOPS[loop]
    run = ORDERS[order]
    made = []
    for n in (16, 64):
        x = np.linspace(0.5, 1.5, n)
        found = run(f, x)
        power = 2 if loop == "windows" else 1
        wanted = {"reverse": slope(x), "forward": x @ slope(x)}.get(order, power * slope(x))
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        made.append(calls_of(partial(run, f, x), np.zeros))
    assert made[0] == made[1] <= 16, made


@pytest.mark.parametrize("loop", LOOPS)
def test_orders_one_upon_another(loop: str) -> None:
    """To order 3, where sums of what was read are themselves read."""
    f, _ = LOOPS[loop]
    x = rand(4)
    tp.testing.check_grads(f, [BVar(x)], order=3)
    third = tp.jvp(lambda v: tp.jvp(tp.grad(f), v, BVar(x))[1], BVar(x), BVar(x))[1].value
    wanted = 6 * x**2 * [1, 2, 2, 1] if loop == "windows" else np.zeros(4)
    np.testing.assert_allclose(third, wanted, rtol=1e-12)


@pytest.mark.parametrize("recorded_first", [False, True])
def test_plain_values_and_recorded_ones_are_added(recorded_first: bool) -> None:
    def slope(x: Any) -> Any:
        def inner(y: Any) -> Any:
            one, other = y[1] * x, y[0] * 2.0
            return one + other if recorded_first else other + one

        return tp.grad(inner)(BVar(np.array([3.0, 4.0, 5.0]))) @ np.array([1.0, 10.0, 100.0])

    value, gradient = tp.value_and_grad(slope)(BVar(7.0))
    assert (value.value, gradient.value) == (72.0, 10.0)
