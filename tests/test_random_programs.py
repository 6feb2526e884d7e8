"""The laws of differentiation, held against random programs on random records (random_programs.py).

Each takes 300 examples, and 10,000 with `pytest --hypothesis-profile=soak`. Against autograd and differences the
tolerance grows with what the program itself magnifies; the laws that typedprop's own modes must keep among themselves
hold to 1e-10, those of second order to 1e-9.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, event, given, settings
from hypothesis import strategies as st

from tests.random_programs import (
    OURS,
    PLAIN,
    THEIRS,
    Program,
    inner,
    leaves_of,
    programs,
    random_like,
    skeleton,
    trees,
)
from tests.untyped import BVar, autograd, tp

# To explain a failure line by line takes hours; the smallest program that fails says enough.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
examples = settings(max_examples=max(300, settings().max_examples), phases=PHASES)
DTYPES = st.sampled_from([np.float64, np.float64, np.float32])


@st.composite
def cases(draw: st.DrawFn, /, dtype: Any = np.float64, ties: bool | None = None, **how: Any) -> tuple[Any, Program]:
    """A tree and a program on its leaves."""
    dtype = draw(DTYPES) if dtype is None else dtype
    tree = draw(trees(dtype, ties=ties))
    shapes = [leaf.shape for leaf in leaves_of(tree)]
    assume(any(0 not in shape for shape in shapes))
    return tree, draw(programs(shapes, dtype, **how))


def loss_of(program: Program) -> Any:
    return lambda tree: program.loss(OURS, leaves_of(tree))


def several_of(program: Program) -> Any:
    return lambda tree: program.several(OURS, leaves_of(tree))


def values_of(tree: Any) -> list[Any]:
    return [leaf.value for leaf in leaves_of(tree)]


def arrays_of(*given: Any) -> list[Any]:
    return [value for tree in given for value in values_of(tree) if isinstance(value, np.ndarray) and value.size]


@examples
@given(cases(None))
def test_pull_is_the_transpose_of_push(case: Any) -> None:
    tree, program = case
    f = several_of(program)
    output, pullback = tp.vjp(f, tree)
    u, v = random_like(output, 1), random_like(tree, 2)
    value, tangent = tp.jvp(f, tree, v)
    assert skeleton(value) == skeleton(output) == skeleton(tangent)
    backward, size = inner(pullback(u), v)
    forward, other = inner(tangent, u)
    tolerance = 1e-10 if program.dtype is np.float64 else 1e-2
    assert abs(backward - forward) <= tolerance * (1 + size + other)


@examples
@given(cases(smooth=True, ties=False))
def test_against_differences(case: Any) -> None:
    """Of the program in plain NumPy, along one direction."""
    tree, program = case
    v = random_like(tree, 3)
    value, gradient = tp.value_and_grad(loss_of(program))(tree)
    at, along = values_of(tree), values_of(v)

    def moved(step: float) -> float:
        return float(program.loss(PLAIN, [x + step * d for x, d in zip(at, along, strict=True)]))

    def slope(step: float) -> float:
        return (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)

    assert value.value == pytest.approx(moved(0.0), rel=1e-8, abs=1e-8)
    found, size = inner(gradient, v)
    near, nearer = slope(1e-4), slope(2e-5)
    # Where the two differences are not of one mind they cannot be a reference: steps that are steep, one upon another.
    error = abs(near - nearer)
    if error > 1e-4 * (1 + size):
        event("too steep for differences")
        return
    assert abs(found - nearer) <= 1e-6 * (1 + size) + 10 * error


def sides(program: Any, at: list[Any]) -> tuple[float, float]:
    """The slopes of the loss to the left and to the right, as all leaves move alike."""

    def moved(step: float) -> float:
        return float(program.loss(PLAIN, [x + step for x in at]))

    return (moved(0.0) - moved(-1e-6)) / 1e-6, (moved(1e-6) - moved(0.0)) / 1e-6


def is_at_a_kink(program: Any, at: list[Any]) -> bool:
    """Whether the two differ. There autograd takes one side or the other as its roundings have it: two values that are
    equal here may differ in their last bits there."""
    left, right = sides(program, at)
    return abs(left - right) > 1e-3 * (1 + abs(left) + abs(right))


@examples
@given(cases(table=False))
def test_against_autograd(case: Any) -> None:
    tree, program = case
    value, gradient = tp.value_and_grad(loss_of(program))(tree)
    at = values_of(tree)
    wanted = autograd.grad(lambda leaves: program.loss(THEIRS, leaves))(at)
    assert value.value == pytest.approx(float(program.loss(PLAIN, at)), rel=1e-9, abs=1e-9)
    scale = 1 + max(np.abs(x).max(initial=0.0) for x in wanted)
    try:
        for mine, its in zip(values_of(gradient), wanted, strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-10 * scale)
    except AssertionError:
        if not is_at_a_kink(program, at):
            raise
        event("at a kink")
        least, most = sorted(sides(program, at))
        assert least - 1e-3 * scale <= sum(float(np.sum(x)) for x in values_of(gradient)) <= most + 1e-3 * scale


@pytest.mark.filterwarnings("ignore:Output seems independent")  # of a second derivative that is 0
@examples
@given(cases(table=False, most=8))
def test_second_order_against_autograd(case: Any) -> None:
    tree, program = case
    v = random_like(tree, 4)
    at, along = values_of(tree), values_of(v)

    def theirs(leaves: Any) -> Any:
        slopes = autograd.grad(lambda xs: program.loss(THEIRS, xs))(leaves)
        return sum(THEIRS.sum(a * b) for a, b in zip(slopes, along, strict=True))

    wanted = autograd.grad(theirs)(at)
    scale = 1 + max(np.abs(x).max(initial=0.0) for x in wanted)
    try:
        for mine, its in zip(values_of(tp.hvp(loss_of(program), tree, v)), wanted, strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-8, atol=1e-9 * scale)
    except AssertionError:
        if not is_at_a_kink(program, at):
            raise
        event("at a kink")


@examples
@given(cases(most=20))
def test_second_derivatives_are_symmetric(case: Any) -> None:
    """And the same forward over reverse, reverse over reverse, and reverse over forward."""
    tree, program = case
    f = loss_of(program)
    u, v = random_like(tree, 5), random_like(tree, 6)
    by_u = tp.jvp(tp.grad(f), tree, u)[1]
    by_v = tp.vjp(tp.grad(f), tree)[1](v)
    along_u = tp.grad(lambda x: tp.jvp(f, x, u)[1])(tree)
    one, size = inner(by_u, v)
    two, other = inner(by_v, u)
    three, last = inner(along_u, v)
    # The terms of a second derivative cancel where the first is steep.
    bound = 1e-9 * (1 + size + other + last)
    assert abs(one - two) <= bound and abs(one - three) <= bound


@examples
@given(cases(None), st.floats(-3, 3), st.floats(-3, 3))
def test_the_pullback_is_linear(case: Any, a: float, b: float) -> None:
    tree, program = case
    output, pullback = tp.vjp(several_of(program), tree)
    u, v = random_like(output, 7), random_like(output, 8)
    together = pullback(tp.tree.map(lambda x, y: a * x + b * y, u, v))
    apart = tp.tree.map(lambda x, y: a * x + b * y, pullback(u), pullback(v))
    tolerance = 1e-10 if program.dtype is np.float64 else 1e-2
    scale = 1 + max(np.abs(x).max(initial=0.0) for part in (pullback(u), pullback(v)) for x in values_of(part))
    for mine, its in zip(values_of(together), values_of(apart), strict=True):
        np.testing.assert_allclose(mine, its, rtol=tolerance, atol=tolerance * scale)
    # Twice the same gives the same bits.
    assert pullback(u) == pullback(u) or not all(np.isfinite(x).all() for x in values_of(pullback(u)))
    nothing = pullback(tp.tree.map(lambda x: x * 0.0, u))
    assert not any(np.any(x) for x in values_of(nothing))


@examples
@given(cases(None))
def test_a_gradient_is_of_the_type_of_what_it_belongs_to(case: Any) -> None:
    """Classes, static fields, None, the order of keys, shapes and dtypes."""
    tree, program = case
    form = skeleton(tree)
    gradient = tp.grad(loss_of(program))(tree)
    output, pullback = tp.vjp(several_of(program), tree)
    assert skeleton(gradient) == skeleton(pullback(output)) == form
    assert skeleton(tp.jvp(several_of(program), tree, tree)[1]) == skeleton(output)
    assert skeleton(tp.hvp(loss_of(program), tree, tree)) == form
    # What a program is given has the same form too.
    seen: list[Any] = []

    def look(x: Any) -> Any:
        seen.append(skeleton(x))
        return program.loss(OURS, leaves_of(x))

    tp.grad(look)(tree)
    assert seen == [form]


def nudged(x: Any) -> Any:
    """Each element moved by another part of what float32 rounds off, so that what tied ties no more."""
    return x * (1.0 + 1e-7 * (np.cos(np.arange(1.0, 1.0 + x.size)).reshape(x.shape) if x.shape else 1.0))


@examples
@given(cases(np.float32))
def test_float32_stays(case: Any) -> None:
    """In values, gradients of both orders, tangents; and the numbers are those of float64, as far as they go."""
    tree, program = case
    form = skeleton(tree)
    f = loss_of(program)
    for value in program.values(OURS, leaves_of(tree)):
        assert value.dtype == (np.float32 if value.shape else np.float64)
    single = tp.grad(f)(tree)
    assert skeleton(single) == skeleton(tp.hvp(f, tree, tree)) == form
    double_tree = tp.tree.map(lambda x: BVar(x.value.astype(np.float64) if x.shape else x.value), tree)
    pairs = zip(
        program.values(OURS, leaves_of(tree)),
        Program(program.steps, np.float64).values(OURS, leaves_of(double_tree)),
        strict=True,
    )
    if any((np.sign(mine.value) != np.sign(its.value)).any() for mine, its in pairs):
        # What is 0 but for rounding may be on either side of a kink.
        event("a sign by rounding")
        return
    double = tp.grad(loss_of(Program(program.steps, np.float64)))(double_tree)
    finer = tp.grad(loss_of(Program(program.steps, np.float64)))(tp.tree.map(nudged, double_tree))
    for mine, its, near in zip(values_of(single), values_of(double), values_of(finer), strict=True):
        # What float32 rounds off the input alone may change so much.
        doubt = np.abs(np.asarray(its) - near).max(initial=0.0)
        scale = 1 + np.abs(its).max(initial=0.0)
        if doubt > 1e-3 * scale:
            event("too steep for float32")
            continue
        np.testing.assert_allclose(mine, its, rtol=1e-2, atol=1e-2 * scale + 100 * doubt)


@examples
@given(cases(None))
def test_nothing_is_shared(case: Any) -> None:
    """No result shares memory with what was given, with another result, or with a second one of the same."""
    tree, program = case
    f = several_of(program)
    output, pullback = tp.vjp(f, tree)
    u, v = random_like(output, 9), random_like(tree, 10)
    value, tangent = tp.jvp(f, tree, v)
    given = arrays_of(tree, u, v)
    made = [
        arrays_of(output),
        arrays_of(pullback(u)),
        arrays_of(pullback(u)),
        arrays_of(value),
        arrays_of(tangent),
        arrays_of(tp.grad(loss_of(program))(tree)),
    ]
    for k, results in enumerate(made):
        others = given + [array for more in made[:k] for array in more]
        for result in results:
            assert not result.flags.writeable
            assert not any(np.may_share_memory(result, other) for other in others)
    # Two leaves of one gradient do not share it either.
    for gradient in (made[1], made[5]):
        assert not any(np.may_share_memory(x, y) for k, x in enumerate(gradient) for y in gradient[:k])


@examples
@given(cases(None))
def test_nothing_given_is_written_to(case: Any) -> None:
    tree, program = case
    f = several_of(program)
    u, v = random_like(tp.vjp(f, tree)[0], 11), random_like(tree, 12)
    before = [x.tobytes() for x in arrays_of(tree, u, v)]
    output, pullback = tp.vjp(f, tree)
    first = [x.tobytes() for x in arrays_of(output)]
    pullback(u)
    pullback(u)
    tp.jvp(f, tree, v)
    tp.hvp(loss_of(program), tree, v)
    assert [x.tobytes() for x in arrays_of(tree, u, v)] == before
    assert [x.tobytes() for x in arrays_of(output)] == first


@examples
@given(trees(np.float64) | trees(np.float32), st.floats(0.1, 2))
def test_ravel_and_back(tree: Any, factor: float) -> None:
    vector, unravel = tp.tree.ravel(tree)
    again = unravel(vector)
    assert skeleton(again) == skeleton(tree)
    assert [x.tobytes() for x in arrays_of(again)] == [x.tobytes() for x in arrays_of(tree)]
    assert leaves_of(again) == leaves_of(tree)
    assert vector.size == sum(leaf.size for leaf in leaves_of(tree))

    # One is the transpose of the other, so the gradient by the vector is the vector of the gradient.
    def loss(x: Any) -> Any:
        return sum((tp.sum(leaf * leaf) for leaf in leaves_of(x)), BVar(0.0)) * factor

    by_tree = tp.grad(loss)(tree)
    by_vector = tp.grad(lambda x: loss(unravel(x)))(vector)
    np.testing.assert_array_equal(tp.tree.ravel(by_tree)[0].value, by_vector.value)
    assert math.isclose(tp.grad(lambda x: loss(tree) * x)(1.0), loss(tree).value)
