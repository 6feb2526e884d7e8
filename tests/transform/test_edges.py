"""Traces by a clock of whole seconds, what a tape keeps, Jacobians of every size, static values that are the same."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop import NotDifferentiableError
from typedprop.outer_sum import OuterSum
from typedprop.transform import trace as of_trace
from typedprop.transform.trace import _count
from typedprop.tree import _same

# -- Traces -----------------------------------------------------------------------------------------------------------


def test_times_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()
    # Each look at the clock is a second after the one before.
    monkeypatch.setattr(of_trace, "perf_counter", lambda: float(next(looks)))

    def f(x: Any) -> Any:
        tp.exp(x)  # not reached
        return tp.sin(x * 3.0) + x

    found = tp.trace(f, BVar(np.ones(2)))
    assert [op.name for op in found.operations] == ["exp", "*", "sin", "+"]
    assert [op.forward for op in found.operations] == [1.0] * 4
    assert [op.backward for op in found.operations] == [0.0, 1.0, 1.0, 1.0]
    assert [op.reached for op in found.operations] == [False, True, True, True]
    assert (found.forward, found.backward) == (4.0, 3.0)
    assert sum(line.forward for line in found.by_line()) == 4.0
    # What is stretched for another operation takes no time of its own.
    stretched = tp.trace(lambda p: (p[0] + p[1]).sum(), (BVar(1.0), BVar(np.ones(3))))
    assert {op.forward for op in stretched.operations} <= {0.0, 1.0}
    assert {op.backward for op in stretched.operations} <= {0.0, 1.0}


def test_names_in_a_trace() -> None:
    x, w = BVar(np.ones(2)), BVar(np.ones((2, 2)))
    operations = {
        "+": lambda x: x + x,
        "-": lambda x: 1.0 - x,
        "*": lambda x: 2.0 * x,
        "/": lambda x: x / 2.0,
        "**": lambda x: x**2.0,
        "@": lambda x: w @ x,
        "tanh": tp.tanh,
        "concatenate": lambda x: tp.concatenate([x, x]),
    }
    for name, f in operations.items():
        assert [op.name for op in tp.trace(f, x).operations][-1] == name
    inner = tp.trace(lambda x: tp.grad(lambda x: (x * x * x).sum())(x), x)
    assert len(inner.operations) > 2 and all(op.name for op in inner.operations)
    for op in inner.operations:
        assert all(0 <= node < op.node for node in op.operands)


class Slotted:
    __slots__ = ("array",)
    __module__ = "typedprop.one"

    def __init__(self, array: Any) -> None:
        self.array = array


class Open:
    __module__ = "typedprop.one"

    def __init__(self, array: Any) -> None:
        self.array = array

    def method(self) -> None: ...


class Other(Open):
    __module__ = "elsewhere"


def test_what_is_kept_is_counted_once() -> None:
    x = np.zeros(10)

    def enclosing(kept: Any) -> Any:
        def f(y: Any = x[:0]) -> Any:
            return y, kept, later

        if kept is None:
            later = 1.0
        return f

    def with_default(y: Any = x) -> Any:
        return y

    holders: list[Any] = [x, x[::2], [1, "text", None, x], (1.5, x), {"a": 1, "b": x}, BVar(x), enclosing(x)]
    seen: set[int]
    holders += [with_default, Slotted(x), Open(x), Open(x).method, OuterSum(x, x), [x, x, x[1:]], ([x], {1: (x,)})]
    for holder in holders:
        seen = set()
        assert _count(holder, seen) == 80, holder
        assert _count(holder, seen) == 0
    seen = set()
    assert (_count([x], seen), _count(x[1:], seen)) == (80, 0)
    for holder in (None, 1.0, 7, "text", float, Other(x), [], enclosing(None)):
        assert _count(holder, set()) == (0 if type(holder) is not type(enclosing) else 80)
    assert _count([x, np.zeros(3)], set()) == 80 + 24
    big = BVar(np.ones(1000))
    kept = tp.trace(lambda x: tp.exp(x).sum(), big)
    assert kept.kept == 8000  # the exponential; the input itself does not count
    assert tp.trace(lambda x: (x * x).sum(), big).kept == 0


def test_labels_are_quoted() -> None:
    assert of_trace._label('say "a"', "b\\c") == '"say \\"a\\"\\nb\\\\c"'


# -- no_gradient ------------------------------------------------------------------------------------------------------


def test_no_gradient_of_any_function() -> None:
    def double(x: Any) -> Any:
        return x * 2.0

    named = tp.no_gradient(double)
    partial = tp.no_gradient(functools.partial(double))
    for f, name in ((named, "double"), (partial, "the function")):
        assert tp.value_and_grad(lambda x, f=f: x * x + tp.stop_gradient(f(x)))(BVar(3.0))[0].value == 15.0
        with pytest.raises(NotDifferentiableError, match=f"a derivative was asked through {name}, which has none"):
            tp.grad(f)(BVar(1.0))
    results: list[Any] = [{}, [], (), None, 3]
    for result in results:
        nothing = tp.no_gradient(lambda x, result=result: result)
        seen: list[Any] = []

        def loss(x: Any, nothing: Any = nothing, seen: Any = seen) -> Any:
            seen.append(nothing(x))
            return x

        tp.grad(loss)(BVar(1.0))
        assert seen == [result]
    for count in (1, 2, 3):
        several = tp.no_gradient(lambda x, count=count: [x * float(k) for k in range(count)])

        def total(x: Any, several: Any = several) -> Any:
            return x + sum(tp.stop_gradient(y) for y in several(x))

        value, slope = tp.value_and_grad(total)(BVar(2.0))
        assert (value.value, slope.value) == (2.0 + 2.0 * sum(range(count)), 1.0)


# -- Jacobians --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [None, "fwd", "rev"])
@pytest.mark.parametrize("rows", [0, 1, 2, 5])
@pytest.mark.parametrize("columns", [0, 1, 2, 5])
def test_jacobians_of_every_size(rows: int, columns: int, mode: Any) -> None:
    for dtype in (np.float32, np.float64):
        a: Any = np.arange(1.0, rows * columns + 1).reshape(rows, columns).astype(dtype)
        x = np.linspace(1.0, 2.0, columns).astype(dtype)
        found = tp.jacobian(lambda x, a=a: a @ (x * x), mode=mode)(BVar(x)).value
        assert found.shape == (rows, columns) and found.dtype == dtype
        np.testing.assert_allclose(found, a * (2 * x), rtol=1e-6)


@pytest.mark.parametrize("mode", [None, "fwd", "rev"])
def test_jacobians_of_scalars_and_trees(mode: Any) -> None:
    x = np.array([1.0, 2.0])
    assert tp.jacobian(lambda x: x * x, mode=mode)(BVar(3.0)).value == 6.0
    assert tp.jacobian(lambda x: (x * x).sum(), mode=mode)(BVar(x)).value.tolist() == [2.0, 4.0]
    assert tp.jacobian(lambda s: s * x, mode=mode)(BVar(3.0)).value.tolist() == [1.0, 2.0]
    one = tp.jacobian(lambda x: x * x, mode=mode)(BVar(np.array([3.0]))).value
    assert one.shape == (1, 1) and one == 6.0
    single = tp.jacobian(lambda s: s * s, mode=mode)(BVar(np.float32(3.0))).value
    assert single == 6.0
    both = tp.jacobian(lambda p: [p["a"] * p["b"], p["a"]], mode=mode)({"a": BVar(x), "b": BVar(5.0)}).value
    assert both.tolist() == [[5.0, 0.0, 1.0], [0.0, 5.0, 2.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    scalars = tp.jacobian(lambda p: (p[0] * p[1], 2.0 * p[0]), mode=mode)((BVar(3.0), BVar(4.0))).value
    assert scalars.tolist() == [[4.0, 3.0], [2.0, 0.0]] and scalars.dtype == np.float64
    mixed = tp.jacobian(lambda p: [p[0], p[1] * 2.0], mode=mode)([BVar(np.ones(1, np.float32)), BVar(np.ones(1))]).value
    assert mixed.tolist() == [[1.0, 0.0], [0.0, 2.0]] and mixed.dtype == np.float64
    constant = tp.jacobian(lambda x: [x.sum(), BVar(np.ones(2))], mode=mode)(BVar(x)).value
    assert constant.tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    wide = np.arange(6.0).reshape(2, 3)
    matrix = tp.jacobian(lambda m: m * m, mode=mode)(BVar(wide)).value
    np.testing.assert_array_equal(matrix, np.diag(2 * wide.ravel()))


# -- Static values ----------------------------------------------------------------------------------------------------

NAN = float("nan")


class Never:
    def __eq__(self, other: object) -> bool:
        raise ValueError("no")

    __hash__ = None  # type: ignore[assignment]  # as for any class with __eq__


class Odd:
    def __eq__(self, other: object) -> Any:
        return "yes"

    __hash__ = None  # type: ignore[assignment]  # as for any class with __eq__


@pytest.mark.parametrize(
    ("x", "y", "wanted"),
    [
        (1.5, 1.5, True),
        (1.5, 2.5, False),
        (NAN, float("nan"), True),
        (NAN, 1.0, False),
        (1.0, NAN, False),
        (1, 1.0, False),
        (1, True, False),
        ("a", "a", True),
        ("a", "b", False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
        ([1, 2], [3, 2], False),
        ([1, 2], [1], False),
        ([1], (1,), False),
        ((1, (2, [3])), (1, (2, [3])), True),
        ((1, (2, [3])), (1, (2, [4])), False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0]), False),
        (np.array([1.0]), np.array([1.0], np.float32), False),
        (np.array([[1.0]]), np.array([1.0]), False),
        (np.array([1]), np.array([1]), True),
        (np.array(["a"]), np.array(["a"]), True),
        (Never(), Never(), False),
        (Odd(), Odd(), False),
        (len, len, True),
    ],
)
def test_static_values_that_are_the_same(x: Any, y: Any, wanted: bool) -> None:
    assert _same(x, y) is wanted and _same(y, x) is wanted
    assert _same([0, x, 1], [0, y, 1]) is wanted and _same({"k": (x,)}, {"k": (y,)}) is wanted
    # One that is the same object, or contains itself, does not end the comparison of what comes after it.
    shared = [1]
    assert _same([shared, x], [shared, y]) is wanted and _same([x, shared], [y, shared]) is wanted
    one: list[Any] = [x]
    other: list[Any] = [y]
    one.append(one)
    other.append(other)
    assert _same(one, other) is wanted and _same([x, one, one], [y, other, other]) is wanted


def test_structures_tell_their_differences() -> None:
    a, b = BVar(1.0), BVar(2.0)
    pairs: list[tuple[Any, Any, str]] = [
        ([a, b], [a], "a list of 2 and .* a list of 1"),
        ([a], (a,), "a list of 1 and .* a tuple of 1"),
        ({"x": a}, {"y": a}, r"the keys \['x'\] and .* the keys \['y'\]"),
        ({"x": a}, {"x": a, "y": b}, r"the keys \['x'\] and .* the keys \['x', 'y'\]"),
        ([a, "s"], [a, "t"], r"the str 's' and .* the str 't'"),
        ([a, None], [a, 3], "None and .* the int 3"),
        ([a, 1], [a, b], r"the int 1 and .* a BVar"),
    ]
    for x, y, message in pairs:
        for one, other in ((x, y), (y, x)):
            with pytest.raises(tp.tree.StructureError) as told:
                tp.tree.map(lambda p, q: p + q, one, other)
            first, _, second = message.partition(" and .* ")
            if one is x:
                first, second = second, first
            assert told.match(f".*tree 2 has {first} and the first has {second}")


def test_a_tree_may_be_as_deep_and_as_wide_as_it_likes() -> None:
    deep: Any = BVar(1.0)
    for _ in range(2500):
        deep = [deep]
    assert tp.tree.leaves(deep)[0].value == 1.0
    for count in (0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000):
        for values in ([BVar(1.0)] * count, [1.0] * count, [*[1.0] * count, BVar(2.0)], [BVar(2.0), *[1.0] * count]):
            leaves, structure = tp.tree.flatten([values, 5, BVar(3.0)])
            assert len(leaves) == 1 + sum(type(v) is BVar for v in values)
            again = structure.unflatten(leaves)
            assert again[1] == 5 and [type(v) for v in again[0]] == [type(v) for v in values]
            assert again[0] == values and again[2] is leaves[-1]
    loop: list[Any] = [BVar(1.0)]
    loop.append(loop)
    with pytest.raises(NotDifferentiableError, match=r"list at \[1\] contains itself: it is a graph"):
        tp.tree.leaves(loop)
