from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, lift, tp
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError
from typedprop.op import elementwise

HERE = Path(__file__).name


def test_the_function_runs_once() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(type(x))
        return x * x

    tp.grad(f)(BVar(2.0))
    tp.vjp(f, BVar(2.0))[1](BVar(1.0))
    tp.jvp(f, BVar(2.0), BVar(1.0))
    assert calls == [BVar] * 3


def test_the_tape_is_closed_when_the_function_returns_or_raises() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        if len(kept) == 2:
            raise RuntimeError("the user's own")
        return x * x

    assert tp.grad(f)(3.0) == 6.0
    with pytest.raises(RuntimeError, match="the user's own"):
        tp.grad(f)(3.0)
    assert not any(b._tape.open for b in kept)
    for b in kept:
        with pytest.raises(EscapedBVarError):
            _ = b + 1.0
    assert tp.grad(f)(4.0) == 8.0


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions(interruption: Any) -> None:
    def f(x: Any) -> Any:
        y = x * x
        if y > 10:
            raise interruption
        return y

    for _ in range(3):
        with pytest.raises(interruption):
            tp.grad(f)(5.0)
        with pytest.raises(interruption):
            tp.grad(lambda x: x * tp.grad(f)(x))(5.0)
        assert tp.grad(f)(3.0) == 6.0


def test_constants_stay_constants_inside() -> None:
    """An argument's own BVar, captured by the function, is a constant there."""
    x = BVar(3.0)
    assert tp.grad(lambda y: y * x)(x).value == 3.0


# -- Losses ----------------------------------------------------------------------------------------------------------

LOSSES: list[tuple[Any, str]] = [
    (lift(3), r"a BVar of shape \(3,\); reduce it with \.sum\(\) or \.mean\(\), or use vjp or jacobian"),
    (lift(1), r"a BVar of shape \(1,\)"),
    (lift(2, 3), r"a BVar of shape \(2, 3\)"),
    (np.ones((2, 3)), r"an array of shape \(2, 3\)"),
    (None, "a NoneType"),
    (True, "a bool"),
    ("text", "a str"),
    ((BVar(1.0), BVar(2.0)), "a tuple"),
    (1j, "a complex"),
]


@pytest.mark.parametrize(("loss", "what"), LOSSES)
def test_a_loss_that_is_no_scalar(loss: Any, what: str) -> None:
    def error(x: Any) -> Any:
        return loss

    message = rf"grad of error: the loss must be a scalar BVar\[float\], but the function returned {what}"
    with pytest.raises(NotDifferentiableError, match=message):
        tp.grad(error)(BVar(1.0))
    with pytest.raises(NotDifferentiableError, match=message):
        tp.value_and_grad(error)(BVar(1.0))


@pytest.mark.parametrize("output", [None, True, "text", (BVar(1.0),), np.ones(3)])
def test_backprop_of_what_is_no_bvar(output: Any) -> None:
    message = f"backprop: the function must return a BVar, but returned a {type(output).__name__}"
    with pytest.raises(NotDifferentiableError, match=message):
        tp.backprop(lambda x: output, BVar(1.0))


# -- Errors in the backward sweep ------------------------------------------------------------------------------------


def fail(x: Any) -> Any:
    raise ValueError("no derivative today")


FAILING: Any = elementwise("failing", lambda x: x + 0.0, of_input=fail)


def loss_with_a_failure(x: Any) -> Any:
    y = tp.exp(x)
    z = FAILING(y)  # this line
    return (z * x).sum()


def line_of(marker: str) -> int:
    text = Path(__file__).read_text()
    return next(k for k, line in enumerate(text.splitlines(), start=1) if f"# {marker}" in line)


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", []))


def test_an_error_in_the_sweep_says_where() -> None:
    with pytest.raises(ValueError, match="no derivative today") as caught:
        tp.grad(loss_with_a_failure)(lift(2, 3))
    said = notes(caught.value)
    assert "in the backward sweep, pulling a cotangent of shape (2, 3) back through failing" in said
    assert re.search(rf"recorded at .*{HERE}:{line_of('this line')} in loss_with_a_failure", said)


def test_an_error_in_the_sweep_of_a_pullback_says_where_each_time() -> None:
    output, pullback = tp.vjp(lambda x: FAILING(x) * 2.0, lift(3))
    for _ in range(2):
        with pytest.raises(ValueError, match="no derivative today") as caught:
            pullback(output)
        assert f"{HERE}:" in notes(caught.value) and "failing" in notes(caught.value)


def test_an_error_in_an_inner_sweep_says_where() -> None:
    with pytest.raises(ValueError, match="no derivative today") as caught:
        tp.grad(lambda x: tp.grad(loss_with_a_failure)(x).sum())(lift(3))
    said = notes(caught.value)
    assert "shape (3,) back through failing" in said and f"{HERE}:{line_of('this line')}" in said


def test_a_function_that_cannot_run_twice_still_gets_its_error() -> None:
    calls: list[Any] = []

    def once(x: Any) -> Any:
        calls.append(x)
        if len(calls) > 1:
            raise RuntimeError("only once")
        return FAILING(x).sum()

    with pytest.raises(ValueError, match="no derivative today") as caught:
        tp.grad(once)(lift(3))
    assert notes(caught.value).endswith("back through failing")


def test_a_pullback_that_failed_is_as_it_was() -> None:
    calls: list[Any] = []

    def once(x: Any) -> Any:
        calls.append(x)
        if len(calls) > 1:
            raise RuntimeError("only once")
        return [x * 2.0, FAILING(x)]

    (fine, _), pullback = tp.vjp(once, lift(3))
    for _ in range(2):
        with pytest.raises(ValueError, match="no derivative today"):
            pullback([fine, fine])


def test_gradients_work_after_an_error_in_the_sweep() -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="no derivative today"):
            tp.grad(lambda x: tp.grad(loss_with_a_failure)(x).sum())(lift(3))
        assert tp.grad(tp.grad(lambda x: x**3))(2.0) == 12.0


def test_plain_arguments_are_checked_by_name() -> None:
    with pytest.raises(DTypeError, match=r"grad of <lambda>, argument 0: an array of dtype int64 and shape \(3,\)"):
        tp.grad(lambda x: x.sum())(np.arange(3))


def test_what_an_inner_function_gives_may_be_of_the_outer_gradient_alone() -> None:
    def f(x: Any) -> Any:
        value, gradient = tp.value_and_grad(lambda _: x)(BVar(2.0))
        assert gradient.value == 0.0
        return value * value

    assert tp.grad(f)(BVar(3.0)).value == 6.0


def test_further_arguments_of_any_name_are_passed_on() -> None:
    def f(x: Any, /, *factors: float, step: float, **more: float) -> Any:
        return x * factors[0] * step * more["self"]

    assert tp.grad(f)(BVar(1.0), 2.0, step=3.0, **{"self": 5.0}).value == 30.0
    # Where the run is watched, it is told by its frame what runs.
    with tp.debug_nans():
        assert tp.grad(f)(BVar(1.0), 2.0, step=3.0, **{"self": 5.0}).value == 30.0
    assert [operation.name for operation in tp.trace(f, BVar(1.0), 2.0, step=3.0, **{"self": 5.0}).operations] == [
        "*"
    ] * 3
