"""Bad input to elementwise functions, special functions, reductions and mappings: one error that says what is wrong."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from tests.ops import table_elementwise, table_reduction, table_special
from tests.ops.row import Row
from tests.untyped import BVar, tp
from typedprop.errors import DTypeError, EscapedBVarError, ShapeError
from typedprop.ops import special

OURS: dict[str, Row] = {}
for one_row in (*table_elementwise.ROWS, *table_special.ROWS, *table_reduction.ROWS):
    if not one_row.name.startswith("BVar") and one_row not in table_reduction.TIES:
        OURS.setdefault(one_row.name, one_row)
# Names of an operation with another one.
ALIASES = {"expit": "sigmoid"}
NOT_NUMBERS: dict[str, tuple[Any, str]] = {
    "complex array": (np.ones((2, 3), np.complex128), "array of dtype complex128"),
    "complex number": (1j, "a complex"),
    "string": ("1.0", "a str"),
    "list": ([1.0, 2.0], "a list"),
    "array of objects": (np.array([1.0, None]), "array of dtype object"),
    "None": (None, "a NoneType"),
}
x = BVar(np.ones(3))
w = BVar(np.ones((2, 3)))


def said(kind: type[Exception], call: Any) -> str:
    """The message of the error that a call raises, which has to be of this very kind."""
    with pytest.raises(kind) as caught:
        call()
    assert caught.type is kind
    return str(caught.value)


@pytest.mark.parametrize("what", NOT_NUMBERS)
@pytest.mark.parametrize("row", OURS.values(), ids=lambda row: row.name)
def test_what_is_no_real_number_is_refused_by_name(row: Row, what: str) -> None:
    bad, description = NOT_NUMBERS[what]
    name = row.name.rpartition(".")[2]
    operands = len(row.cases[0].shapes)
    static = row.cases[0].static
    for position in range(1 if name in ("map", "zip_with", "sort", "median") else operands):
        given = [bad if k == position else x for k in range(operands)]
        if name == "clip" and what == "None" and position > 0:
            continue
        if name == "where":
            static = {"condition": np.ones(3, bool)}
        message = said(DTypeError, lambda given=given, static=static: row.call(*given, **static))
        assert message.startswith(f"{ALIASES.get(name, name)}: ") and description in message


@pytest.mark.parametrize(
    "name", ["hypot", "maximum", "arctan2", "logaddexp", "power", "special.xlogy", "special.betaln"]
)
@pytest.mark.parametrize("lift", [lambda a: a, BVar], ids=["plain", "lifted"])
def test_two_operands_must_go_together(name: str, lift: Any) -> None:
    f = OURS[name].call
    message = said(ShapeError, lambda: f(lift(np.ones(3)), lift(np.ones(2))))
    assert "R[3] and R[2] do not go together" in message
    message = said(ShapeError, lambda: f(lift(np.ones((2, 3))), lift(np.ones((3, 2)))))
    assert "L[2, 3] and L[3, 2] do not go together" in message and "transpose" in message
    # NumPy would make a matrix of these two.
    said(ShapeError, lambda: f(lift(np.ones((3, 1))), lift(np.ones((1, 2)))))
    message = said(DTypeError, lambda: f(lift(np.ones(3)), lift(np.ones(3, np.float32))))
    assert "float32" in message and "float64" in message


@pytest.mark.parametrize("name", ["hypot", "maximum", "special.xlogy"])
def test_integers_beside_floats_count_as_floats(name: str) -> None:
    f = OURS[name].call
    single = np.ones(3, np.float32)
    for y in (f(single, np.arange(1, 4)), f(BVar(single), np.arange(1, 4)).value, f(np.arange(1, 4), single)):
        assert y.dtype == np.float32
    assert f(np.arange(1, 4), np.arange(1, 4)).dtype == np.float64
    assert f(single, np.float64(2.0)).dtype == np.float32


def test_integers_count_as_floats_and_zero_dimensional_arrays_as_numbers() -> None:
    assert tp.exp(np.arange(3)).dtype == np.float64
    assert tp.exp(np.array([True, False])).dtype == np.float64
    for zero_d in (np.array(1.0, np.float32), np.array(1), np.float32(1), np.int64(1), 1):
        for y in (tp.exp(zero_d), tp.sinc(zero_d), tp.elu(zero_d), tp.floor(zero_d), tp.hypot(zero_d, zero_d)):
            assert type(y) is float


def test_where_and_clip() -> None:
    mask = np.ones(3, bool)
    assert said(DTypeError, lambda: tp.where(np.ones(3), x, x)) == "where: the condition has dtype float64; wanted bool"
    assert "the condition is a BVar" in said(DTypeError, lambda: tp.where(x, x, x))
    message = said(ShapeError, lambda: tp.where(mask, w, w))
    assert "condition is R[3] beside L[2, 3]" in message
    assert "both None" in said(TypeError, lambda: tp.clip(x, None, None))
    assert tp.clip(x, None, 0.5).value.tolist() == [0.5] * 3 and tp.clip(x, 2.0, None).value.tolist() == [2.0] * 3
    assert said(ShapeError, lambda: tp.clip(x, np.ones(2), 1.0)).startswith("clip: R[3] and R[2]")
    assert "float32" in said(DTypeError, lambda: tp.where(mask, np.ones(3), np.ones(3, np.float32)))
    assert tp.where(mask, np.ones(3, np.float32), 0.0).dtype == np.float32
    assert tp.where(mask, 1, np.arange(3)).dtype == np.float64


REDUCTIONS = ["sum", "mean", "prod", "max", "min", "logsumexp", "var", "std", "median", "argmax", "argmin"]


@pytest.mark.parametrize("lift", [lambda a: a, BVar], ids=["plain", "lifted"])
@pytest.mark.parametrize("name", [*REDUCTIONS, "quantile", "cumsum", "cumprod", "softmax", "log_softmax"])
def test_an_axis_out_of_range_and_no_elements(name: str, lift: Any) -> None:
    f = getattr(tp, name) if name != "quantile" else lambda a, axis=None: tp.quantile(a, 0.5, axis)
    for axis in (2, -3):
        message = said(ShapeError, lambda axis=axis: f(lift(np.ones((2, 3))), axis=axis))
        assert message == f"{name}: axis {axis} is out of range for L[2, 3]"
    with pytest.raises(TypeError):
        f(lift(np.ones((2, 3))), axis=1.5)
    if name in ("sum", "cumsum", "cumprod"):
        return
    message = said(ShapeError, lambda: f(lift(np.ones((0, 3))), axis=0))
    assert message == f"{name}: L[0, 3] has no elements along axis 0"
    if "softmax" not in name:
        assert said(ShapeError, lambda: f(lift(np.ones(0)))) == f"{name}: R[0] has no elements"


@pytest.mark.parametrize(
    "name", ["prod", "logsumexp", "var", "std", "median", "argmax", "argmin", "cumsum", "cumprod", "softmax"]
)
def test_a_number_has_nothing_to_reduce(name: str) -> None:
    for scalar in (1.0, BVar(1.0)):
        message = said(ShapeError, lambda scalar=scalar: getattr(tp, name)(scalar))
        assert message.startswith(f"{name}: wanted a") and message.endswith("got a float")


def test_arguments_of_reductions() -> None:
    assert said(ShapeError, lambda: tp.var(w, axis=0, ddof=2)) == (
        "var: ddof is 2, but L[2, 3] has 2 elements along axis 0; wanted more than ddof"
    )
    assert said(ShapeError, lambda: tp.std(np.ones(3), ddof=3)) == (
        "std: ddof is 3, but R[3] has 3 elements; wanted more than ddof"
    )
    for q in (-0.1, 1.1, np.nan, True, [0.5], np.array([0.5]), BVar(0.5), None):
        assert said(ValueError, lambda q=q: tp.quantile(x, q)).endswith("wanted one number from 0 to 1")
    for name in ("prod", "median"):
        message = said(TypeError, lambda name=name: getattr(tp, name)(w, axis=(0, 1)))
        assert message == f"{name}: axis is (0, 1); wanted one axis, or None for all of them"
    assert said(TypeError, lambda: tp.quantile(w, 0.5, (0, 1))).startswith("quantile: axis is (0, 1)")


def test_arguments_of_functions() -> None:
    assert said(ValueError, lambda: tp.celu(x, 0.0)) == "celu: alpha is 0.0; wanted a positive number"
    assert said(ValueError, lambda: tp.special.polygamma(-1, x)) == "polygamma: order is -1; wanted 0 or more"
    message = said(ShapeError, lambda: tp.softmax_cross_entropy(w, np.ones((3, 2))))
    assert "logits are L[2, 3] and target is L[3, 2]" in message


def test_powers_of_plain_numbers() -> None:
    assert tp.power(2, 3) == 8.0 and type(tp.power(2, 3)) is float
    assert tp.power(-8.0, 3) == -512.0
    with np.errstate(all="ignore"):
        assert tp.power(0.0, -1.0) == np.inf
        assert tp.power(1e300, 2.0) == np.inf
    message = said(ValueError, lambda: tp.power(-8.0, 0.5))
    assert message == "power: power(-8.0, 0.5) is not a real number"


def test_mappings() -> None:
    assert said(ShapeError, lambda: tp.map(lambda v: x, x)) == "map: the function returned R[3]; wanted a scalar"
    assert said(DTypeError, lambda: tp.map(lambda v: None, x)).startswith("map: wanted a BVar, a float")
    assert said(ShapeError, lambda: tp.zip_with(lambda a, b: a, x, w)) == (
        "zip_with: R[3] and L[2, 3]; sizes must be equal"
    )
    assert said(ShapeError, lambda: tp.map(tp.sin, BVar(1.0))) == (
        "map: wanted an array, got a float; call the function itself"
    )
    # The result is float32 where the argument is, and float64 of integers.
    assert tp.map(lambda v: v * 2.0, np.ones(3, np.float32)).dtype == np.float32
    assert tp.map(lambda v: v * 2.0, np.arange(3)).tolist() == [0.0, 2.0, 4.0]
    assert tp.zip_with(lambda a, b: a * b, np.arange(3), np.ones(3, np.float32)).dtype == np.float32


def test_a_rounding_has_no_gradient_but_still_knows_where_it_belongs() -> None:
    kept = []

    def keep(v: Any) -> Any:
        kept.append(v)
        return v.sum()

    tp.grad(keep)(x)
    for f in (tp.floor, tp.sign, tp.exp, tp.max, tp.median):
        with pytest.raises(EscapedBVarError):
            f(kept[0])
    assert tp.grad(lambda v: (tp.floor(v) * v).sum())(BVar(np.array([1.5, 2.5]))).value.tolist() == [1.0, 2.0]


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    special._scipy.cache_clear()
    for name in ("erf", "erfc", "erfinv", "gammaln", "digamma", "i0", "i1", "ndtr", "log_ndtr"):
        for operand in (1.5, x, np.ones(2)):
            message = said(ImportError, lambda name=name, operand=operand: getattr(tp.special, name)(operand))
            assert f"typedprop.special.{name}" in message or name in ("i1",), message
            assert "pip install 'typedprop[special]'" in message
    assert "typedprop[special]" in said(ImportError, lambda: tp.gelu(x, approximate=False))
    for name in ("entr", "expit", "log_softmax", "logsumexp", "softmax"):
        getattr(tp.special, name)(x)
    assert tp.special.xlogy(x, x) == BVar(np.zeros(3))
    assert tp.special.logit(0.5) == 0.0
    assert tp.gelu(x).shape == (3,)


def test_the_names_are_shown() -> None:
    assert repr(tp.exp).startswith("<function exp ")
    assert repr(tp.hypot) == "<typedprop elementwise hypot>"
    assert repr(tp.floor) == "<typedprop elementwise floor>"
    assert repr(tp.prod) == "<typedprop reduction prod>"
    assert repr(tp.std) == "<typedprop reduction std>"
    assert repr(tp.argmax) == "<typedprop reduction argmax>"


@pytest.mark.parametrize("name", OURS)
def test_an_operation_is_documented(name: str) -> None:
    operation: Any = tp
    for part in name.split("."):
        operation = getattr(operation, part)
    assert len(operation.__doc__) > 5


def test_widths_orders_and_distances_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"pad: width is 1\.5; wanted an int or pairs of ints"):
        tp.pad(np.ones(3), 1.5)
    with pytest.raises(ValueError, match="diff: n is -1; wanted 0 or more"):
        tp.diff(np.ones(3), -1)
    with pytest.raises(ShapeError, match=r"trapezoid: dx is R\[2\]; wanted a number"):
        tp.trapezoid(np.ones(3), dx=np.ones(2))


def test_objects_of_one_class_have_their_own_documentation() -> None:
    groups = (("sum", "mean", "max", "median"), ("var", "std"), ("sign", "ceil", "floor"), ("argmax", "argmin"))
    for names in groups:
        assert len({getattr(tp, name).__doc__ for name in names}) == len(names)
