"""The tables of docs/conventions.md: each row a test, in both modes, both dtypes, of scalars and of arrays."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import pytest

import typedprop
from tests.untyped import BVar, tp
from typedprop.linalg import LinAlgError

PAGE = Path(__file__).parent.parent.parent / "docs" / "conventions.md"
# What the expressions of the page are written with.
NAMES = {
    **{name: getattr(typedprop, name) for name in typedprop.__all__},
    "inf": inf,
    "nan": nan,
    "numpy": np,
}


@attrs.frozen
class Convention:
    """A row of the page."""

    expression: str
    operands: dict[str, Any]
    value: Any
    derivatives: list[Any]

    def call(self, operands: tuple[Any, ...]) -> Any:
        return eval(self.expression, {**NAMES, **dict(zip(self.operands, operands, strict=True))})

    def is_finite(self) -> bool:
        """Whether there is a value, and a derivative, be it infinite."""
        return bool(np.all(np.isfinite(self.value)) and not any(np.any(np.isnan(d)) for d in self.derivatives))

    def fits_single(self) -> bool:
        """Whether float32 has such numbers."""
        sizes = [np.abs(np.asarray(x)) for x in (*self.operands.values(), self.value or 0.0)]
        return all(bool(np.all((x == 0) | ~np.isfinite(x) | ((x > 1e-37) & (x < 1e37)))) for x in sizes)

    def lifted(self, dtype: Any) -> tuple[Any, ...]:
        return tuple(BVar(x if isinstance(x, float) else np.array(x, dtype)) for x in self.operands.values())


def read(line: str) -> Any:
    """A test's parameter, of a line of a table."""
    cells = [cell.strip().strip("`") for cell in line.strip("| \n").split("|")]
    expression, at, value, derivative, _why = cells
    operands = {}
    for part in at.split(";"):
        name, _, number = part.partition("=")
        operands[name.strip()] = eval(number, NAMES)
    fails = derivative == "LinAlgError"
    wanted = [] if fails else [eval(part, NAMES) for part in derivative.split(";")]
    convention = Convention(expression, operands, None if fails else eval(value, NAMES), wanted)
    return pytest.param(convention, id=f"{expression} at {at}")


ROWS = [read(line) for line in PAGE.read_text().splitlines() if line.startswith("| `")]


DTYPES = [
    pytest.param(*row.values, dtype, id=f"{row.id}-{dtype.__name__}")
    for row in ROWS
    for dtype in (np.float64, np.float32)
    if dtype is np.float64 or row.values[0].fits_single()
]


@pytest.mark.parametrize(("convention", "dtype"), DTYPES)
def test_convention(convention: Convention, dtype: Any) -> None:
    operands = convention.lifted(dtype)
    if not convention.derivatives:
        with pytest.raises(LinAlgError):
            value, pullback = tp.vjp(convention.call, operands)
            pullback(like(value, 1.0))
        with pytest.raises(LinAlgError):
            tp.jvp(convention.call, operands, operands)
        return
    # NumPy warns of an infinite or undefined value. Where there is a value and a derivative, nobody does.
    quiet: Literal["warn", "ignore"] = "warn" if convention.is_finite() else "ignore"
    with np.errstate(divide=quiet, over=quiet, invalid=quiet):
        value, pullback = tp.vjp(convention.call, operands)
        gradient = pullback(like(value, 1.0))
        forward = [by_forward(convention, operands, k) for k in range(len(operands))]
    rtol, atol = (1e-9, 1e-15) if dtype is np.float64 else (2e-6, 1e-7)
    np.testing.assert_allclose(value.value, convention.value, rtol=rtol, atol=atol)
    for x, g, f, wanted in zip(operands, gradient, forward, convention.derivatives, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)
        np.testing.assert_allclose(g.value, wanted, rtol=rtol, atol=atol, err_msg="reverse mode")
        expected = wanted if np.shape(f) == np.shape(wanted) else np.sum(wanted)
        np.testing.assert_allclose(f, expected, rtol=rtol, atol=atol, err_msg="forward mode")


def by_forward(convention: Convention, operands: tuple[Any, ...], k: int) -> Any:
    """The derivative of the sum by one operand in forward mode, element by element; the sum of all in one go where a
    slope is not finite, for 0 times it would be NaN."""
    x = operands[k]

    def along(direction: Any) -> Any:
        tangent = tp.jvp(lambda v: convention.call((*operands[:k], v, *operands[k + 1 :])), x, BVar(direction))[1]
        return np.sum(tangent.value)

    if not x.shape:
        return along(1.0)
    if not np.all(np.isfinite(convention.derivatives[k])):
        return along(np.ones(x.shape, x.dtype))
    found = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        basis = np.zeros(x.shape, x.dtype)
        basis[index] = 1
        found[index] = along(basis)
    return found


def like(x: Any, number: float) -> Any:
    return BVar(np.full(x.shape, number, x.dtype) if x.shape else number)


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) > 80


def test_sigmoid_raises_for_no_steps_of_its_own() -> None:
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(tp.sigmoid(np.array([-1000.0, 0.0, 1000.0])), [0.0, 0.5, 1.0])
        with pytest.raises(FloatingPointError):  # the caller's own settings hold outside
            np.exp(np.array([1000.0]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cross_entropy_of_what_cannot_happen(dtype: Any) -> None:
    """A label of probability 0 that the logits exclude costs nothing, plain, recorded and beside a recorded target."""
    logits, target = np.array([-np.inf, 0.0], dtype), np.array([0.0, 1.0], dtype)
    plain = tp.softmax_cross_entropy(logits, target)
    assert plain == 0.0 and plain.dtype == dtype
    value, gradient = tp.value_and_grad(lambda x: tp.softmax_cross_entropy(x, target))(BVar(logits))
    assert value.value == 0.0 and gradient.value.tolist() == [0.0, 0.0]
    value, gradient = tp.value_and_grad(lambda x: tp.softmax_cross_entropy(x * 1.0, BVar(target)))(BVar(logits))
    assert value.value == 0.0 and gradient.value.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "slope"), [(-3.5, 0.0), (-3.0, 0.0), (-2.9, -1.4 / 3), (2.9, 4.4 / 3), (3.0, 1.0), (3.5, 1.0), (4.5, 1.0)]
)
def test_the_slope_of_hard_silu_on_each_piece(x: float, slope: float) -> None:
    assert tp.grad(tp.hard_silu)(BVar(x)).value == pytest.approx(slope, abs=1e-15)
    at = BVar(np.array([x, 0.0]))
    assert tp.grad(lambda v: tp.hard_silu(v).sum())(at).value == pytest.approx([slope, 0.5], abs=1e-15)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("keepdims", [False, True])
def test_the_deviation_of_numbers_whose_squares_no_float_holds(scale: float, keepdims: bool) -> None:
    x = np.array([[1.0, -2.0, 4.0], [0.5, 0.0, 3.0]])
    for axis in (None, 0, 1):
        found = tp.std(x * scale, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(found, np.std(x, axis=axis, keepdims=keepdims) * scale, rtol=1e-14)
