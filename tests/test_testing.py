"""check_grads must itself be right: it accepts true derivatives, and no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, lift, tp
from typedprop.arithmetic import plain
from typedprop.op import elementwise, nary, unary
from typedprop.testing import Mode, check_grads

REV: Sequence[Mode] = ("rev",)
FWD: Sequence[Mode] = ("fwd",)
BOTH: Sequence[Mode] = ("rev", "fwd")

# What becomes of a right gradient; each of these a test of a derivative must notice.
MISTAKES: dict[str, Callable[[Any], Any]] = {
    "zero": lambda d: d * 0.0,
    "negated": lambda d: -d,
    "doubled": lambda d: d * 2.0,
    "one percent off": lambda d: d * 1.01,
    "constant": lambda d: d * 0.0 + 1.0,
}


def right(d: Any) -> Any:
    return d


def cubed(wrong_pull: Callable[[Any], Any] = right, wrong_push: Callable[[Any], Any] = right) -> Any:
    """x ** 3 elementwise, with a mistake in its pullback or its pushforward."""
    return unary(
        "cubed",
        lambda x: x**3,
        lambda x, y: x,
        lambda g, x: g * wrong_pull(3 * x**2),
        lambda t, x: t * wrong_push(3 * x**2),
    )


def product(swap_pull: bool = False, swap_push: bool = False) -> Any:
    """a * b**2, whose two derivatives may be swapped."""
    by_a, by_b = (lambda a, b: b * b), (lambda a, b: 2 * a * b)
    pulls = (by_b, by_a) if swap_pull else (by_a, by_b)
    pushes = (by_b, by_a) if swap_push else (by_a, by_b)
    return nary(
        "product",
        lambda a, b: a * b**2,
        *(
            (lambda g, a, b, y, pull=pull: g * pull(a, b), lambda t, a, b, y, push=push: t * push(a, b))
            for pull, push in zip(pulls, pushes, strict=True)
        ),
    )


def fails(f: Any, args: Any, order: int, modes: Sequence[Mode]) -> str:
    """The message with which check_grads refuses."""
    with pytest.raises(AssertionError) as caught:
        check_grads(f, args, order, modes)
    return str(caught.value)


POINTS = [
    *(pytest.param(lift(3, low=0.5, dtype=dtype), id=dtype.__name__) for dtype in DTYPES),
    pytest.param(lift(2, 3, low=0.5), id="matrix"),
    pytest.param(BVar(0.75), id="scalar"),
]


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("modes", [REV, FWD, BOTH])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_derivatives_pass(x: Any, modes: Any, order: int) -> None:
    check_grads(cubed(), (x,), order, modes)
    check_grads(product(), (x, x * 0.5 + 1.0), order, modes)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("modes", [REV, FWD, BOTH])
def test_wrong_derivatives_fail(mistake: str, x: Any, modes: Any) -> None:
    if x.dtype == np.float32 and mistake == "one percent off":
        modes = BOTH  # too little for differences in float32; the other mode knows better
    wrong = MISTAKES[mistake]
    f = cubed(wrong if "rev" in modes else right, wrong if modes == FWD else right)
    message = fails(f, (x,), 1, modes)
    assert "central differences" in message or "reverse against forward mode" in message
    assert "got " in message and "expected " in message


@pytest.mark.parametrize("x", POINTS)
def test_swapped_derivatives_fail(x: Any) -> None:
    args = (x, x * 0.5 + 1.0)
    assert fails(product(swap_pull=True), args, 1, REV).startswith("reverse mode against central differences")
    assert fails(product(swap_push=True), args, 1, FWD).startswith("forward mode against central differences")


def test_each_mode_is_checked_by_itself() -> None:
    x = lift(3)
    wrong = MISTAKES["doubled"]
    check_grads(cubed(wrong_pull=wrong), (x,), 1, FWD)
    check_grads(cubed(wrong_push=wrong), (x,), 1, REV)
    assert fails(cubed(wrong_pull=wrong), (x,), 1, BOTH).startswith("reverse mode")
    assert fails(cubed(wrong_push=wrong), (x,), 1, BOTH).startswith("forward mode")


def second_order(wrong: Callable[[Any], Any]) -> Any:
    """x ** 3 with the right first derivative, whose own derivative is wrong."""
    slope: Any = elementwise("slope", lambda x: 3 * x**2, of_input=lambda x: wrong(6 * x))
    return elementwise("cubed", lambda x: x**3, of_input=slope)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("mistake", ["zero", "negated", "doubled"])
@pytest.mark.parametrize("modes", [REV, FWD, BOTH])
def test_wrong_second_derivatives_fail(mistake: str, x: Any, modes: Any) -> None:
    f = second_order(MISTAKES[mistake])
    check_grads(f, (x,), 1, modes)
    message = fails(f, (x,), 2, modes)
    assert "of the pushforward" in message if modes == FWD else "of the pullback" in message
    check_grads(second_order(right), (x,), 2, modes)


def test_a_rule_that_forgets_to_be_differentiable() -> None:
    """A rule that takes its residual's plain value is right at order 1 and silently flat at order 2."""
    forgetful: Any = elementwise("cubed", lambda x: x**3, of_input=lambda x: 3 * plain(x) ** 2)
    for modes in (REV, FWD):
        check_grads(forgetful, (lift(3),), 1, modes)
        fails(forgetful, (lift(3),), 2, modes)


def test_swapped_second_derivatives_fail() -> None:
    args = (lift(3), lift(3, seed=1))

    def f(a: Any, b: Any) -> Any:
        # Right once: the derivatives are those of a * b**2; but they are computed by a product whose own are swapped.
        return outer(a, b)

    outer: Any = nary(
        "outer",
        lambda a, b: a * b**2,
        (lambda g, a, b, y: g * (b * b), lambda t, a, b, y: t * (b * b)),
        (lambda g, a, b, y: g * swapped(a, b), lambda t, a, b, y: t * swapped(a, b)),
    )
    swapped: Any = nary(
        "swapped",
        lambda a, b: 2 * a * b,
        (lambda g, a, b, y: g * 2 * a, lambda t, a, b, y: t * 2 * a),
        (lambda g, a, b, y: g * 2 * b, lambda t, a, b, y: t * 2 * b),
    )
    check_grads(f, args, 1)
    for modes in (REV, FWD, BOTH):
        fails(f, args, 2, modes)


def test_forward_and_reverse_must_agree_to_rounding() -> None:
    slightly = lambda d: d * (1 + 1e-7)  # noqa: E731  # too little for differences to see
    for modes in (REV, FWD):
        check_grads(cubed(slightly, slightly), (lift(3),), 1, modes)
    assert fails(cubed(wrong_pull=slightly), (lift(3),), 1, BOTH).startswith("reverse against forward mode: got")


@attrs.frozen
class Line:
    slope: Any
    offset: Any
    name: str = "line"


def test_trees_in_and_out() -> None:
    line = Line(lift(2, 3), lift(3))

    def f(line: Line, x: Any) -> dict[str, Any]:
        y = x @ line.slope + line.offset
        return {"y": y, "squares": [y * y, (line.offset * x[0]).sum()], "name": line.name}

    check_grads(f, (line, lift(2)))
    wrong: Any = cubed(MISTAKES["zero"])
    fails(lambda line, x: {"right": line.slope * x[0], "wrong": wrong(line.offset)}, (line, lift(2)), 1, REV)


def test_one_wrong_argument_of_several() -> None:
    for k in range(3):
        functions = [cubed(MISTAKES["zero"]) if j == k else cubed() for j in range(3)]
        message = fails(lambda *xs: [f(x) for f, x in zip(functions, xs, strict=True)], [lift(3)] * 3, 1, REV)  # noqa: B023
        assert message.startswith("reverse mode")


def test_one_wrong_element_of_many() -> None:
    off_by_one = np.ones(100)
    off_by_one[17] = 1.1
    fails(cubed(lambda d: d * off_by_one, lambda d: d * off_by_one), (lift(100),), 1, BOTH)


def test_a_dtype_that_drifts() -> None:
    drifting: Any = unary(
        "drifting", lambda x: x * 2, lambda x, y: None, lambda g, _: g * 2, lambda t, _: np.float64(2.0) * t
    )
    message = fails(lambda x: tp.jvp(drifting, x, x)[1], (lift(3, dtype=np.float32),), 1, BOTH)
    assert "float64" in message and "float32" in message


def test_a_value_that_changes_under_a_gradient() -> None:
    def f(x: Any) -> Any:
        return x * 2.0 if x._tape is None else x * 2.5

    assert "the output of jvp" in fails(f, (lift(3),), 1, BOTH)


def test_not_a_number_fails() -> None:
    fails(lambda x: cubed(lambda d: d * np.nan, lambda d: d * np.nan)(x), (lift(3),), 1, BOTH)


def test_the_step_and_tolerances_can_be_chosen() -> None:
    def steep(x: Any) -> Any:
        return tp.sum(tp.tanh((x - 0.5) * 1e4))

    x = BVar(np.array([0.5]))
    check_grads(steep, (x,), 1, eps=1e-7)
    with pytest.raises(AssertionError):
        check_grads(steep, (x,), 1, eps=1e-3)
    slightly = MISTAKES["one percent off"]
    check_grads(cubed(slightly, slightly), (lift(3),), 1, rtol=0.02)
    check_grads(cubed(slightly, slightly), (lift(3),), 1, atol=0.5)


def test_seeds_choose_directions() -> None:
    """A mistake orthogonal to one direction is seen along another."""
    seen = []

    def f(x: Any) -> Any:
        seen.append(x.value.copy())
        return x * x

    check_grads(f, (lift(3),), 1, seed=0)
    first = list(seen)
    seen.clear()
    check_grads(f, (lift(3),), 1, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(first, seen, strict=True))
    seen.clear()
    check_grads(f, (lift(3),), 1, seed=1)
    assert not all(np.array_equal(a, b) for a, b in zip(first, seen, strict=True))


def test_what_is_asked_must_make_sense() -> None:
    unknown: Any = ("reverse",)
    with pytest.raises(ValueError, match=r"check_grads: mode 'reverse'; wanted \"rev\" or \"fwd\""):
        check_grads(lambda x: x, (lift(3),), modes=unknown)
    with pytest.raises(ValueError, match="check_grads: order 0; wanted 1 or more"):
        check_grads(lambda x: x, (lift(3),), order=0)
    with pytest.raises(TypeError, match="there is no BVar in this tuple"):
        check_grads(lambda x: x, (np.ones(3),))
    with pytest.raises(TypeError, match="the function returned a float without a BVar"):
        check_grads(lambda x: 1.0, (lift(3),))
