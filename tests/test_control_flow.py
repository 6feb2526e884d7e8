"""Programs, not expressions: what a gradient makes of branches, loops, recursion, generators, exceptions and `with`."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Generator, Iterator
from typing import assert_never

import attrs
import numpy as np
import pytest
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record
from typedprop.errors import NotDifferentiableError
from typedprop.testing import check_grads
from typedprop.tree import StructureError

N = TypeVar("N", bound=int)


class Three(Dim): ...


def vector(*items: float) -> BVar[R[Three]]:
    return BVar(tp.vector(items, Three(3)))


# -- Branches and loops that depend on values ------------------------------------------------------------------------


def huber(x: BVar[float]) -> BVar[float]:
    if abs(x) <= 1.0:
        return 0.5 * x * x
    return abs(x) - 0.5


@pytest.mark.parametrize(("at", "slope", "curvature"), [(-3.0, -1.0, 0.0), (0.25, 0.25, 1.0), (3.0, 1.0, 0.0)])
def test_if(at: float, slope: float, curvature: float) -> None:
    assert tp.grad(huber)(BVar(at)).value == slope
    assert tp.grad(tp.grad(huber))(BVar(at)).value == curvature


def test_conditional_expression_and_boolean_operators() -> None:
    def f(x: BVar[float]) -> BVar[float]:
        y = x if x > 0.0 and not x > 10.0 else -x
        return y * y * y if x else y

    assert tp.grad(f)(BVar(2.0)).value == 12.0
    assert tp.grad(f)(BVar(-2.0)).value == -12.0
    assert tp.grad(f)(BVar(0.0)).value == -1.0


def test_while_until_converged() -> None:
    steps = 0

    def square_root(x: BVar[float]) -> BVar[float]:
        nonlocal steps
        y = x
        while abs(y * y - x) > 1e-15 * x:
            y = 0.5 * (y + x / y)
            steps += 1
            if steps > 100:
                break
        return y

    assert math.isclose(tp.grad(square_root)(BVar(2.0)).value, 0.5 / math.sqrt(2.0), rel_tol=1e-12)
    assert math.isclose(tp.grad(tp.grad(square_root))(BVar(2.0)).value, -0.25 * 2.0**-1.5, rel_tol=1e-10)
    assert steps > 3


def test_for_with_break_continue_and_else() -> None:
    def f(x: BVar[R[Three]]) -> BVar[float]:
        total = BVar(0.0)
        for item in x:
            if item < 0.0:
                continue
            if item > 10.0:
                break
            total = total + item * item
        else:
            total = total * 2.0
        return total

    assert tp.grad(f)(vector(1.0, -2.0, 3.0)) == vector(4.0, 0.0, 12.0)
    assert tp.grad(f)(vector(1.0, 11.0, 3.0)) == vector(2.0, 0.0, 0.0)


def test_sorting_and_choosing_by_value() -> None:
    def f(x: BVar[R[Three]]) -> BVar[float]:
        low, middle, high = sorted(x, key=lambda item: item.value)
        return low + 10.0 * middle + 100.0 * max(high, low * 2.0)

    assert tp.grad(f)(vector(3.0, 1.0, 2.0)) == vector(100.0, 1.0, 10.0)


# -- Recursion and functions of functions ----------------------------------------------------------------------------


def test_recursion_to_a_depth_that_values_decide() -> None:
    def collatz(x: BVar[float], steps: int = 0) -> tuple[BVar[float], int]:
        if x.value == 1.0:
            return x, steps
        return collatz(x / 2.0 if x.value % 2.0 == 0.0 else 3.0 * x + 1.0, steps + 1)

    value, gradient = tp.backprop(lambda x: collatz(x)[0], BVar(6.0))
    assert (value.value, gradient.value) == (1.0, 9.0 / 2.0**6)


def test_mutual_recursion() -> None:
    def even(x: BVar[float], n: int) -> BVar[float]:
        return x if n == 0 else 2.0 * odd(x, n - 1)

    def odd(x: BVar[float], n: int) -> BVar[float]:
        return even(x, n - 1) * x

    check_grads(lambda x: even(x, 4), (BVar(1.3),), order=3)


@attrs.frozen
class Leaf(Record):
    weight: BVar[float]


@attrs.frozen
class Node(Record):
    left: Leaf | Node
    right: Leaf | Node


def total(tree: Leaf | Node) -> BVar[float]:
    match tree:
        case Leaf(weight):
            return weight * weight
        case Node(left, right):
            return total(left) + 2.0 * total(right)
        case _:
            assert_never(tree)


def test_recursion_over_a_recursive_record() -> None:
    tree = Node(Leaf(BVar(1.0)), Node(Leaf(BVar(2.0)), Leaf(BVar(3.0))))
    value, gradient = tp.backprop(total, tree)
    assert value.value == 1.0 + 2.0 * (4.0 + 2.0 * 9.0)
    assert gradient == Node(Leaf(BVar(2.0)), Node(Leaf(BVar(8.0)), Leaf(BVar(24.0))))


def test_closures_partial_reduce_and_accumulate() -> None:
    def scaled_by(k: BVar[float]) -> Callable[[BVar[float]], BVar[float]]:
        return lambda x: k * x

    def f(x: BVar[R[Three]]) -> BVar[float]:
        a, b, c = x
        composed = functools.reduce(lambda g, h: lambda y: h(g(y)), [scaled_by(a), scaled_by(b)])
        running = list(itertools.accumulate(x, lambda s, item: s * item))
        square = functools.partial(pow, c)
        total: BVar[float] = composed(c) + square(2) + running[-1]
        return total

    check_grads(f, (vector(1.5, -2.0, 0.5),), order=3)


# -- Generators ------------------------------------------------------------------------------------------------------


def fibonacci(a: BVar[float], b: BVar[float]) -> Iterator[BVar[float]]:
    while True:
        yield a
        a, b = b, a + b


def test_generators() -> None:
    def f(pair: tuple[BVar[float], BVar[float]]) -> BVar[float]:
        terms = itertools.takewhile(lambda term: term < 50.0, fibonacci(*pair))
        return sum((term * term for term in terms), BVar(0.0))

    at = (BVar(1.0), BVar(1.0))
    numbers = [1, 1, 2, 3, 5, 8, 13, 21, 34]
    by_a = [1, 0, *numbers[:-2]]
    by_b = [0, *numbers[:-1]]
    gradient = tp.backprop(f, at)[1]
    assert gradient[0].value == sum(2 * x * d for x, d in zip(numbers, by_a, strict=True))
    assert gradient[1].value == sum(2 * x * d for x, d in zip(numbers, by_b, strict=True))


def test_a_generator_that_receives_and_delegates() -> None:
    def averager() -> Generator[BVar[float], BVar[float], None]:
        mean = BVar(0.0)
        for count in itertools.count(1):
            item = yield mean
            mean = mean + (item - mean) / count

    def delegating() -> Generator[BVar[float], BVar[float], None]:
        yield from averager()

    def f(x: BVar[R[Three]]) -> BVar[float]:
        running = delegating()
        mean = next(running)
        for item in x:
            mean = running.send(item)
        running.close()
        return mean

    np.testing.assert_allclose(tp.grad(f)(vector(1.0, 2.0, 6.0)).value, np.full(3, 1 / 3), rtol=1e-15)


# -- Exceptions and context managers ---------------------------------------------------------------------------------


class TooLarge(Exception):
    def __init__(self, value: BVar[float]) -> None:
        super().__init__("too large")
        self.value = value


def limited(x: BVar[float]) -> BVar[float]:
    if x > 10.0:
        raise TooLarge(x * 0.5)
    return x * x


def test_an_exception_that_carries_a_value_is_control_flow() -> None:
    def f(x: BVar[float]) -> BVar[float]:
        try:
            y = limited(3.0 * x)
        except TooLarge as error:
            y = error.value
        else:
            y = y + x
        finally:
            x = x * 1.0
        return y * x

    for at in (1.0, 5.0):
        check_grads(f, (BVar(at),), order=3)
    assert tp.grad(f)(BVar(5.0)).value == 15.0


def test_an_exception_that_leaves_does_no_harm() -> None:
    with pytest.raises(TooLarge):
        tp.grad(limited)(BVar(11.0))
    assert tp.grad(limited)(BVar(3.0)).value == 6.0

    def guarded(x: BVar[float]) -> BVar[float]:
        try:
            return tp.grad(limited)(x)
        except TooLarge:
            return x

    assert tp.grad(guarded)(BVar(3.0)).value == 2.0
    assert tp.grad(guarded)(BVar(11.0)).value == 1.0


def test_context_managers() -> None:
    order: list[str] = []

    @contextlib.contextmanager
    def scaled(k: BVar[float]) -> Generator[Callable[[BVar[float]], BVar[float]]]:
        order.append("enter")
        try:
            yield lambda x: k * x
        finally:
            order.append("leave")

    def f(k: BVar[float]) -> BVar[float]:
        with contextlib.ExitStack() as stack:
            inner = stack.enter_context(scaled(k))
            outer = stack.enter_context(scaled(k * k))
            with contextlib.suppress(TooLarge):
                return limited(outer(inner(k)))
        return k

    check_grads(f, (BVar(1.2),), order=2)
    order.clear()
    assert tp.grad(f)(BVar(3.0)).value == 1.0
    assert order == ["enter", "enter", "leave", "leave"]


# -- A record variant that values choose -----------------------------------------------------------------------------


@attrs.frozen
class Disc(Record):
    radius: BVar[float]


@attrs.frozen
class Box(Record):
    width: BVar[float]
    height: BVar[float]


Shape = Disc | Box


def area(shape: Shape) -> BVar[float]:
    match shape:
        case Disc(radius):
            return math.pi * radius * radius
        case Box(width, height):
            return width * height
        case _:
            assert_never(shape)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [(Disc(BVar(2.0)), Disc(BVar(4.0 * math.pi))), (Box(BVar(2.0), BVar(3.0)), Box(BVar(3.0), BVar(2.0)))],
)
def test_a_union_of_records_as_the_argument(shape: Shape, wanted: Shape) -> None:
    assert tp.grad(area)(shape) == wanted


def fitted(size: BVar[float]) -> Shape:
    """Small things are discs, large ones boxes: the variant is the value's choice."""
    return Disc(size) if size < 1.0 else Box(size, 2.0 * size)


def test_a_variant_in_the_middle() -> None:
    def f(size: BVar[float]) -> BVar[float]:
        return area(fitted(size))

    for at in (0.5, 3.0):
        check_grads(f, (BVar(at),), order=3)
    assert tp.grad(f)(BVar(3.0)).value == 12.0


def test_a_variant_as_the_result() -> None:
    output, pullback = tp.vjp(fitted, BVar(3.0))
    assert output == Box(BVar(3.0), BVar(6.0))
    assert pullback(Box(BVar(1.0), BVar(10.0))).value == 21.0
    with pytest.raises(StructureError, match="the cotangent has Disc and the output has Box"):
        pullback(Disc(BVar(1.0)))
    assert tp.jvp(fitted, BVar(0.5), BVar(2.0)) == (Disc(BVar(0.5)), Disc(BVar(2.0)))


def test_variants_in_a_list() -> None:
    def f(shapes: list[Shape]) -> BVar[float]:
        return sum((area(shape) for shape in shapes if isinstance(shape, Box)), BVar(0.0))

    gradient = tp.grad(f)([Disc(BVar(2.0)), Box(BVar(2.0), BVar(3.0))])
    assert gradient == [Disc(BVar(0.0)), Box(BVar(3.0), BVar(2.0))]


# -- A model whose length values decide ------------------------------------------------------------------------------


@attrs.frozen
class Cell(Record):
    weight: BVar[L[Three, Three]]
    halt: BVar[R[Three]]


def pondered(cell: Cell, x: BVar[R[Three]]) -> BVar[R[Three]]:
    """A recurrent cell that runs until it has had enough (adaptive computation time)."""
    left = BVar(1.0)
    result = 0.0 * x
    while left > 0.05:
        x = tp.tanh(cell.weight @ x)
        part = left * tp.sigmoid(cell.halt @ x)
        result = result + part * x
        left = left - part
    return result


def test_adaptive_computation_time() -> None:
    rng = np.random.default_rng(0)
    three = Three(3)
    cell = Cell(BVar(tp.normal(rng, three, three)), BVar(tp.normal(rng, three)))
    check_grads(pondered, (cell, vector(1.0, -0.5, 0.3)), order=2)


def test_what_does_not_reach_the_result_is_zero() -> None:
    def f(x: BVar[float]) -> BVar[float]:
        _ = x * x * x
        return BVar(1.0) if x > 0.0 else x

    assert tp.grad(f)(BVar(2.0)).value == 0.0
    assert tp.grad(f)(BVar(-2.0)).value == 1.0


def test_a_branch_without_a_result_is_an_error() -> None:
    def f(x: BVar[float]) -> BVar[float]:
        if x > 0.0:
            return x
        return None  # type: ignore[return-value]  # the mistake that a checker finds

    with pytest.raises(NotDifferentiableError, match="the loss must be a scalar BVar"):
        tp.grad(f)(BVar(-1.0))
