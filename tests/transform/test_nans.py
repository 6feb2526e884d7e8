"""debug_nans: where it stops, what it says, and what it leaves alone."""

from __future__ import annotations

import contextvars
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ops.checks import point
from tests.ops.table import TABLE
from tests.untyped import BVar, tp
from typedprop import Local1, NonFiniteError
from typedprop.op import decomposition

HERE = re.escape(Path(__file__).name)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    """NumPy warns of some of these values, too; here that is not the point."""
    with np.errstate(all="ignore"):
        yield


def line_of(marker: str) -> int:
    text = Path(__file__).read_text()
    return next(k for k, line in enumerate(text.splitlines(), start=1) if f"# {marker}" in line)


def said(f: Any, at: Any, **options: Any) -> str:
    with pytest.raises(NonFiniteError) as caught, tp.debug_nans(**options):
        tp.grad(f)(at)
    assert not getattr(caught.value, "__notes__", [])
    return str(caught.value)


def too_large(x: Any) -> Any:
    y = x * 2.0  # the operand
    z = tp.exp(y) + 1.0  # the exponential
    return z.sum()


def test_forward_it_names_the_operation_the_element_the_line_and_the_operands() -> None:
    message = said(too_large, BVar(np.array([1.0, 400.0, 3.0])))
    first, second, third = message.splitlines()
    assert first == "exp: the result R[3] is inf at [1] (1 of 3 elements is not finite)"
    where = rf"{HERE}:{line_of('the exponential')} in too_large"
    assert re.search(rf"^at .*{where}: z = tp.exp\(y\) \+ 1.0  # the exponential$", second)
    assert re.search(rf"^  operand: \* R\[3\] in \[2, 800\], of .*{HERE}:{line_of('the operand')} in too_large$", third)


def norm(x: Any) -> Any:
    squares = x @ x
    return tp.sqrt(squares)  # the root


def test_backward_it_names_the_operation_and_its_line() -> None:
    message = said(norm, BVar(np.zeros(3)))
    assert message.startswith("sqrt: in the backward sweep, the cotangent of its operand, @ is 0, of ")
    assert "is inf; that of its result is 1\n" in message
    assert re.search(rf"{HERE}:{line_of('the root')} in norm: return tp.sqrt", message)


def test_backward_of_an_array_operation() -> None:
    message = said(lambda x: tp.sqrt(x).sum(), BVar(np.array([[4.0, 0.0]])))
    assert "sqrt: in the backward sweep, the cotangent of its operand, the input L[1, 2] in [0, 4], L[1, 2] is inf at"
    assert "[0, 1] (1 of 2 elements is not finite); that of its result L[1, 2] in [1, 1]" in message


def test_an_operand_without_elements_has_no_range() -> None:
    message = said(lambda x: tp.append(x, np.nan).sum(), BVar(np.zeros(0)))
    assert message.startswith("append: the result R[1] is nan at [0] (1 of 1 elements is not finite)\n")
    assert "  operand: the input R[0]" in message.splitlines()


def test_a_nan_that_the_result_hides_is_found() -> None:
    def masked(x: Any) -> Any:
        return tp.where(x.value > 0, tp.log(x), 0.0).sum()

    x = BVar(np.array([-1.0, 1.0]))
    assert np.isfinite(masked(x).value)
    assert said(masked, x).startswith("log: the result R[2] is nan at [0]")


def test_in_forward_mode() -> None:
    message = "sqrt: in forward mode, the tangent of its result is "
    with pytest.raises(NonFiniteError, match=message) as caught, tp.debug_nans():
        tp.jvp(norm, BVar(np.zeros(2)), BVar(np.ones(2)))
    assert f":{line_of('the root')} in norm" in str(caught.value)
    with pytest.raises(NonFiniteError, match="in forward mode"), tp.debug_nans():
        tp.jacobian(lambda x: tp.sqrt(x), "fwd")(BVar(np.zeros(2)))


def test_in_a_second_derivative() -> None:
    # Not by squares: the norm's first derivative is finite here, its second is not.
    def f(x: Any) -> Any:
        return tp.power(x, 1.5)

    with tp.debug_nans():
        assert tp.grad(f)(BVar(0.0)).value == 0.0
    with pytest.raises(NonFiniteError, match=HERE), tp.debug_nans():
        tp.grad(tp.grad(f))(BVar(0.0))


def test_inputs_and_given_cotangents() -> None:
    net = {"w": [BVar(np.zeros(2)), BVar(np.full(2, np.nan))]}
    message = r"^the input \['w'\]\[1\] R\[2\] is nan at \[0\] \(2 of 2 elements are not finite\)$"
    with pytest.raises(NonFiniteError, match=message), tp.debug_nans():
        tp.grad(lambda p: p["w"][0].sum())(net)
    with pytest.raises(NonFiniteError, match=r"^the cotangent that was given for the output is -inf"), tp.debug_nans():
        tp.vjp(lambda x: x * 2.0, BVar(1.0))[1](BVar(-np.inf))
    message = r"^the tangent that was given for the input \[1\] is 2: it is nan$"
    with pytest.raises(NonFiniteError, match=message), tp.debug_nans():
        tp.jvp(lambda x: x[0] * x[1], (BVar(1.0), BVar(2.0)), (BVar(1.0), BVar(np.nan)))


def test_finite_contributions_with_an_infinite_sum() -> None:
    large = BVar(np.array([1e308]))

    def twice(x: Any) -> Any:
        return (x * large + x * large).sum()

    assert said(twice, BVar(np.zeros(1))) == (
        "the gradient by the input R[1] in [0, 0]: its parts are finite, but their sum R[1] is inf at [0] "
        "(1 of 1 elements is not finite)"
    )

    def inside(x: Any) -> Any:
        y = tp.sin(x)
        return (y * large + y * large).sum()

    assert "sin: in the backward sweep, the cotangents of its result are finite, but their sum R[1]" in said(
        inside, BVar(np.zeros(1))
    )


def test_infinities_may_pass() -> None:
    def attention(scores: Any) -> Any:
        mask = np.array([0.0, -np.inf])
        return tp.softmax(scores + mask)[0]

    at = BVar(np.array([1.0, 2.0]))
    assert said(attention, at).startswith("+: the result R[2] is -inf at [1]")
    with tp.debug_nans(infinities=False):
        assert np.array_equal(tp.grad(attention)(at).value, [0.0, 0.0])
    assert said(lambda x: (x * np.inf) * 0.0, BVar(1.0), infinities=False).startswith("*: the result is nan")


def test_it_ends_with_the_block() -> None:
    with tp.debug_nans():
        pass
    assert np.isinf(tp.grad(norm)(BVar(np.zeros(1))).value) or np.isnan(tp.grad(norm)(BVar(np.zeros(1))).value)
    with pytest.raises(KeyError), tp.debug_nans():
        raise KeyError("an error inside")
    tp.grad(norm)(BVar(np.zeros(1)))
    # Blocks nest, and each is undone by itself.
    with tp.debug_nans(infinities=False):
        with pytest.raises(NonFiniteError), tp.debug_nans():
            tp.grad(lambda x: tp.exp(x))(BVar(1000.0))
        tp.grad(lambda x: tp.exp(x))(BVar(1000.0))


def test_other_threads_are_left_alone() -> None:
    def job() -> float:
        with np.errstate(all="ignore"):
            return float(tp.grad(lambda x: tp.exp(x))(BVar(1000.0)).value)

    with ThreadPoolExecutor(1) as pool, tp.debug_nans():
        assert pool.submit(job).result() == np.inf
        with pytest.raises(NonFiniteError):
            pool.submit(contextvars.copy_context().run, job).result()
        assert pool.submit(job).result() == np.inf


def test_what_escapes_is_refused_as_ever() -> None:
    escaped: list[Any] = []

    def keep(x: Any) -> Any:
        escaped.append(x)
        return x * 2.0

    with tp.debug_nans():
        tp.grad(keep)(BVar(1.0))
        with pytest.raises(tp.EscapedBVarError):
            _ = escaped[0] * 2.0


def test_leaves_of_other_types_pass() -> None:
    from fractions import Fraction

    with tp.debug_nans():
        assert tp.backprop(lambda x: x * x, BVar(Fraction(1, 3)))[1].value == Fraction(2, 3)


def test_checkpoints_are_looked_into() -> None:
    def f(x: Any) -> Any:
        return tp.checkpoint(lambda y: tp.sqrt(y @ y))(x)

    with pytest.raises(NonFiniteError, match="sqrt: in the backward sweep"), tp.debug_nans():
        tp.grad(f)(BVar(np.zeros(2)))

    def two(x: Any, y: Any) -> Any:
        return {"sum": (tp.checkpoint(lambda a, b: (tp.log(a) + b, b * b))(x, y))[0].sum(), "name": "two"}["sum"]

    assert said(lambda x: two(x, x), BVar(np.zeros(2))).startswith("log: the result R[2] is -inf at [0] (2 of 2")
    x = BVar(np.array([1.0, 2.0]))
    with tp.debug_nans():
        assert np.array_equal(tp.grad(lambda x: two(x, x))(x).value, [2.0, 1.5])
        assert tp.hessian(lambda x: two(x, x))(x).value.tolist() == [[-1.0, 0.0], [0.0, -0.25]]


def test_a_constant_that_is_not_finite_is_named() -> None:
    data = np.array([1.0, np.nan])
    at = BVar(np.zeros(2))
    named = "operand: the constant R[2] is nan at [1] (1 of 2 elements is not finite)"
    for f in (
        lambda x: (x * data).sum(),
        lambda x: (BVar(data) - x).sum(),
        lambda x: tp.concatenate([x, data]).sum(),
        lambda x: tp.einsum("i,i->", x, data),
        lambda x: tp.where(np.array([True, False]), x, data).sum(),
    ):
        first, _, *operands = said(f, at).splitlines()
        assert "is nan" in first and operands[-1].strip() == named
    assert said(lambda x: x.sum() + float("inf"), at).splitlines()[-1] == "  operand: the constant is inf"
    # Also one that an operation of the user's takes by its keyword.
    times = tp.op(lambda x, factor: Local1(x * factor, lambda g: g * factor))
    assert said(lambda x: times(x, factor=np.nan).sum(), at).splitlines()[-1] == "  operand: the constant is nan"
    # A constant that is finite is not to blame.
    assert said(lambda x: (x / np.zeros(2)).sum(), BVar(np.ones(2))).splitlines()[2:] == [
        "  operand: the input R[2] in [1, 1]"
    ]


def test_in_a_thread_of_the_function() -> None:
    def f(x: Any) -> Any:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: x + float("inf")).result()

    assert said(f, BVar(0.0)).startswith("+: the result is inf\n")


def test_an_operation_by_itself_is_named() -> None:
    assert said(tp.log, BVar(0.0)).startswith("log: the result is -inf\n")
    assert said(lambda x: tp.checkpoint(tp.log)(x), BVar(0.0)).startswith("log: the result is -inf\n")
    with pytest.raises(NonFiniteError, match=r"^log: the result, or its derivative, is -inf\n"), tp.debug_nans():
        tp.grad(tp.grad(tp.log))(BVar(0.0))


def test_a_dtype_that_overflows_is_named() -> None:
    message = said(lambda x: (x * x).sum(), BVar(np.array([1e30], np.float32)))
    assert message.startswith("*: the result R[1, float32] is inf at [0]")
    assert message.endswith("operand: the input R[1, float32] in [1e+30, 1e+30]")


def test_an_inner_gradient_is_said_to_be_one() -> None:
    at = BVar(np.zeros(2))
    # What the outer tape records while the inner function runs: here a derivative, and the value 0 is finite.
    assert said(lambda x: tp.grad(lambda y: (y @ y) ** 0.5)(x).sum(), at).startswith(
        "**: the result, or its derivative, is inf\n"
    )
    with pytest.raises(NonFiniteError) as caught, tp.debug_nans():
        tp.grad(lambda x: tp.grad(lambda y: tp.sqrt(y).sum())(x).sum())(at)
    assert str(caught.value).startswith("reciprocal: in the sweep of an inner gradient, the result R[2] is inf at [0]")
    (note,) = caught.value.__notes__
    assert "back through sqrt" in note and re.search(rf"recorded at .*{HERE}:\d+ in <lambda>", note)
    with pytest.raises(NonFiniteError, match=r"^reciprocal: in the sweep of an inner gradient"), tp.debug_nans():
        tp.grad(lambda x: tp.jvp(tp.sqrt, x, BVar(np.ones(2)))[1].sum())(at)
    # The outer function's own operations are what they were.
    assert said(lambda x: tp.log(tp.grad(lambda y: y @ y)(x)).sum(), at).startswith("log: the result R[2] is -inf")


def test_the_derivative_that_a_user_wrote_is_a_function_like_any_other() -> None:
    """What it computes is a result on its own line, though an inner sweep calls it."""
    bent = tp.op(lambda x: Local1(x * 2.0, lambda g: g * tp.log(x - x)), differentiable=True)
    with pytest.raises(NonFiniteError, match=r"^log: the result is -inf\n"), tp.debug_nans():
        tp.grad(lambda x: tp.grad(lambda y: bent(y))(x))(BVar(1.0))


def test_one_of_several_results_in_forward_mode() -> None:
    """It is said of the operation that gave them, whose operands are at hand."""
    pair: Any = decomposition(
        "pair", lambda x: (x, 2 * x), lambda used, x, results: used[0], lambda t, x, results: [t, t * np.nan]
    )
    at = BVar(np.ones(2))
    with pytest.raises(NonFiniteError) as caught, tp.debug_nans():
        tp.jvp(lambda x: pair(x)[0], at, at)
    assert str(caught.value).startswith("pair: in forward mode, the tangent of its result R[2] is nan at [0] (2 of 2")
    assert str(caught.value).endswith("operand: the input R[2] in [1, 1]")


def test_the_solution_of_equations_is_looked_at() -> None:
    root = tp.implicit(lambda a: BVar(float(np.sqrt(a.value))), lambda x, a: x * x - a)
    with tp.debug_nans():
        assert tp.grad(root)(BVar(4.0)).value == 0.25
    assert said(root, BVar(-1.0)).startswith("implicit(<lambda>): the result is nan\n")


ROWS = [row for row in TABLE if row.orders > 0]


@pytest.mark.parametrize("row", ROWS, ids=[f"{k}-{row.name}" for k, row in enumerate(ROWS)])
def test_gradients_and_tangents_have_the_same_bits(row: Any) -> None:
    at = point(row, row.cases[0])
    weight, direction = at.weight(), at.direction(1)

    def bits() -> list[Any]:
        pulled = tp.vjp(at.function, at.lifted())[1](weight)
        pushed = tp.jvp(at.function, at.lifted(), direction)
        return [(leaf.shape, leaf.dtype, np.asarray(leaf.value).tobytes()) for leaf in tp.tree.leaves((pulled, pushed))]

    plain = bits()
    with tp.debug_nans():
        assert bits() == plain
