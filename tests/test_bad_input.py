"""What a user may get wrong, and the one message for it: what it is, the sizes, and what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
from tests.untyped import BVar, lift, rand, tp
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError, ShapeError


class Rows(typedprop.Dim):
    pass


class Columns(typedprop.Dim):
    pass


@attrs.frozen
class Network(typedprop.Record):
    weight: typedprop.BVar[typedprop.L[Rows, Columns]]
    bias: typedprop.BVar[typedprop.R[Rows]]
    rate: typedprop.BVar[float] = attrs.field(factory=lambda: typedprop.BVar(1.0))


# Wrong on purpose, so made without types.
make: Any = Network


def message_of(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_the_errors_are_what_numpy_and_python_would_raise() -> None:
    assert issubclass(ShapeError, ValueError)
    assert issubclass(DTypeError, TypeError)
    assert issubclass(NotDifferentiableError, TypeError)
    assert issubclass(EscapedBVarError, RuntimeError)


# -- What NumPy and Python would do with a BVar ----------------------------------------------------------------------

SWALLOWED: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "np.exp(b)": (np.exp, ["tp.exp(b)", "b.value"]),
    "np.add.reduce(b)": (np.add.reduce, ["b.value"]),
    "np.array([b])": (lambda b: np.array([b]), ["tp.stack([b, c])", "b.value"]),
    "np.array([b, b])": (lambda b: np.array([b, b]), ["tp.stack([b, c])"]),
    "np.asarray(b)": (np.asarray, ["b.value"]),
    "np.sum(b)": (np.sum, ["tp.sum", "b.value"]),
    "np.concatenate([b, b])": (lambda b: np.concatenate([b, b]), ["tp.concatenate", "b.value"]),
    "np.where(m, b, b)": (lambda b: np.where(True, b, b), ["tp.where", "b.value"]),
    "np.maximum(b, 0)": (lambda b: np.maximum(b, 0.0), ["b.value"]),
    "np.dot(b, b)": (lambda b: np.dot(b, b), ["tp.dot", "b.value"]),
    "np.linalg.norm(b)": (np.linalg.norm, ["write tp.linalg.norm", "b.value"]),
    "np.ones_like(b)": (np.ones_like, ["np.ones_like does not differentiate a BVar: pass b.value"]),
}


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("use", SWALLOWED)
def test_numpy_does_not_swallow_a_bvar(use: str, shape: Any) -> None:
    call, ways_out = SWALLOWED[use]
    b = lift(*shape) if shape else BVar(1.5)
    inside: list[str] = []

    def f(x: Any) -> Any:
        inside.append(message_of(NotDifferentiableError, lambda: call(x)))
        return tp.sum(x)

    tp.grad(f)(b)
    for message in (message_of(NotDifferentiableError, lambda: call(b)), *inside):
        for way_out in ways_out:
            assert way_out in message, message


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "int": int,
    "complex": complex,
    "math.exp": math.exp,
    "math.floor": math.floor,
    "range": range,
    "as an index": lambda b: [1, 2, 3][b],
}


@pytest.mark.parametrize("use", NUMBERS)
def test_a_bvar_does_not_become_a_number(use: str) -> None:
    message = message_of(NotDifferentiableError, lambda: NUMBERS[use](BVar(1.5)))
    assert "float(b) would lose the gradient" in message and "b.value" in message


def test_a_bvar_may_be_shown_in_a_text() -> None:
    assert f"{BVar(2.0):.3f}" == "2.000" and f"{BVar(2.0)}" == "BVar(2.0)"
    shown = []

    def f(x: Any) -> Any:
        shown.append(f"{x:.1f}")
        return x * x

    tp.grad(f)(BVar(2.0))
    assert shown == ["2.0"]
    with pytest.raises(TypeError, match="unsupported format string"):
        format(lift(3), ".2f")


def test_concatenate_wants_an_axis() -> None:
    assert message_of(TypeError, lambda: tp.concatenate([lift(2, 3)], axis=None)).startswith(
        "concatenate: axis is None"
    )


def test_the_full_matrices_of_svd_are_refused() -> None:
    a = lift(2, 3)
    assert tp.linalg.svd(a, full_matrices=False)[1] == tp.linalg.svdvals(a)
    assert "full_matrices is True" in message_of(ValueError, lambda: tp.linalg.svd(a, full_matrices=True))


def test_a_bvar_is_not_written_into_an_array() -> None:
    a = np.zeros(3)
    for b in (BVar(1.5), lift(3)):
        with pytest.raises((ValueError, TypeError)) as caught:
            a[0] = b
        # NumPy words the error for an element itself, and gives ours as the cause.
        causes = f"{caught.value} {caught.value.__cause__}"
        assert "would lose the gradient" in causes or "gradient would be lost" in causes
        assert "b.value" in causes
    message = message_of(NotDifferentiableError, lambda: a.__setitem__(slice(None), lift(3)))
    assert "of shape (3,) cannot become a plain array" in message and "b.value" in message
    assert np.array_equal(a, np.zeros(3))


def test_an_array_is_not_updated_in_place_by_a_bvar() -> None:
    """`a += b` is `a = a + b`: the array itself, which others may hold, is not written to."""
    a = kept = np.zeros(3)
    a += lift(3)
    assert type(a) is BVar
    assert np.array_equal(kept, np.zeros(3))


def test_the_truth_of_an_array() -> None:
    b = lift(2, 3)
    message = message_of(TypeError, lambda: bool(b))
    assert "the truth value of a BVar of shape (2, 3) is ambiguous" in message
    assert "b.value" in message and "tp.where(b.value > 0" in message
    assert message == message_of(TypeError, lambda: 1 if b else 0)
    assert message == message_of(TypeError, lambda: not b)


@pytest.mark.parametrize(
    "compare",
    [lambda b: b > 0, lambda b: b <= 0.0, lambda b: np.zeros(3) < b, lambda b: b >= b, lambda b: BVar(0.0) < b],
)
def test_comparing_arrays(compare: Any) -> None:
    message = message_of(TypeError, lambda: compare(lift(3)))
    assert "a BVar of shape (3,) is compared" in message and "`b.value > 0`" in message


@pytest.mark.parametrize("plain", [0.0, 0, True, np.float64(0.0), np.zeros(3), np.int64(1)])
def test_equality_with_plain_values(plain: Any) -> None:
    comparisons: list[Callable[[Any], Any]] = [lambda b: b == plain, lambda b: plain == b, lambda b: b != plain]
    for compare in comparisons:
        for b in (BVar(0.0), lift(3)):
            message = message_of(TypeError, lambda: compare(b))  # noqa: B023
            assert "== between a BVar and a plain value is ambiguous" in message and "`b.value == x`" in message


def test_where_with_a_bvar_as_condition() -> None:
    message = message_of(DTypeError, lambda: tp.where(lift(3), 1.0, 2.0))
    assert "the condition is a BVar; wanted a plain mask, such as b.value > 0" in message
    message = message_of(DTypeError, lambda: tp.where(np.array([0, 1]), lift(2), 2.0))
    assert "the condition has dtype int64; wanted bool" in message


# -- Values that cannot be differentiated ----------------------------------------------------------------------------

BAD_VALUES: list[tuple[Any, str, str]] = [
    (np.arange(3), "an array of dtype int64 and shape (3,)", "x.astype(np.float64)"),
    (np.ones((2, 3), bool), "an array of dtype bool and shape (2, 3)", "pass it unlifted"),
    (np.ones(3, np.uint8), "an array of dtype uint8 and shape (3,)", "labels, indices, masks"),
    (np.ones(3, complex), "an array of dtype complex128 and shape (3,)", "take x.real and x.imag"),
    (np.ones(3, np.float16), "an array of dtype float16 and shape (3,)", "wanted float64 or float32"),
    (np.array(["a"]), "an array of dtype <U1 and shape (1,)", "wanted float64 or float32"),
    (np.array([None]), "an array of dtype object and shape (1,)", "wanted float64 or float32"),
    (True, "True (bool)", "pass a float"),
    (np.bool(True), "(bool)", "pass a float"),
    (np.int64(3), "np.int64(3) (int64)", "pass a float"),
    (1j, "1j (complex)", "take real and imaginary parts"),
    (np.complex128(1j), "(complex128)", "take real and imaginary parts"),
    ([1.0, 2.0], "a list", "np.array(..., dtype=float) or tp.vector"),
    (None, "a NoneType", "wanted a float or a float64 or float32 array"),
    ("1.0", "a str", "wanted a float or a float64 or float32 array"),
    (np.ma.masked_array([1.0, 2.0], [False, True]), "a MaskedArray", "pass a plain array"),
]


@pytest.mark.parametrize(("value", "what", "way_out"), BAD_VALUES)
def test_lifting_what_has_no_derivative(value: Any, what: str, way_out: str) -> None:
    message = message_of(DTypeError, lambda: BVar(value))
    assert message.startswith("BVar: ") and what in message and "cannot be differentiated" in message
    assert way_out in message


def test_lifting_a_bvar() -> None:
    assert "the value is a BVar already" in message_of(DTypeError, lambda: BVar(BVar(1.0)))


@pytest.mark.parametrize(("value", "what", "way_out"), [bad for bad in BAD_VALUES if isinstance(bad[0], np.ndarray)])
def test_a_plain_argument_that_has_no_derivative(value: Any, what: str, way_out: str) -> None:
    def loss(x: Any) -> Any:
        return x.sum()

    for transform, name in ((tp.grad, "grad of loss, argument 0"), (tp.value_and_grad, "grad of loss, argument 0")):
        message = message_of(DTypeError, lambda: transform(loss)(value))  # noqa: B023
        assert message.startswith(f"{name}: ") and what in message and way_out in message
    for call, name in ((tp.backprop, "backprop"), (tp.vjp, "vjp")):
        message = message_of(DTypeError, lambda: call(loss, value))  # noqa: B023
        assert message.startswith(f"{name}: ") and what in message and way_out in message


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("bias", np.arange(2), "a plain array of dtype int64, which cannot be differentiated"),
        ("bias", np.ones(2, bool), "a plain array of dtype bool, which cannot be differentiated"),
        ("bias", np.ones(2, complex), "a plain array of dtype complex128, which cannot be differentiated"),
        ("rate", 1, "the plain number 1"),
        ("rate", True, "a value of type bool"),
        ("rate", 1j, "a value of type complex"),
    ],
)
def test_a_parameter_in_a_record_that_has_no_derivative(field: str, value: Any, what: str) -> None:
    """The message names the record, the field and its annotation."""
    fields = {"weight": lift(2, 3), "bias": lift(2), "rate": BVar(1.0)}
    message = message_of(DTypeError, lambda: make(**(fields | {field: value})))
    assert message.startswith(f"Network.{field} is annotated typedprop.BVar[") and what in message
    assert "BVar(" in message.split("write", 1)[1]


def test_a_parameter_in_a_record_of_the_wrong_size() -> None:
    message = message_of(ShapeError, lambda: make(lift(2, 3), lift(3)))
    for part in ("Network.bias", "BVar[typedprop.R[Rows]]", "(3,)", "Rows is 3", "Rows is 2 by weight", "(2, 3)"):
        assert part in message
    message = message_of(DTypeError, lambda: make(lift(2, 3, dtype=np.float32), lift(2)))
    for part in ("Network.weight", "float64", "float32", "astype"):
        assert part in message


@pytest.mark.parametrize("argument", [{"w": 1.0}, [np.ones(3)], None, (), "text", object(), lambda: BVar(1.0)])
def test_an_argument_that_is_no_tree_of_bvars(argument: Any) -> None:
    def loss(net: Any) -> Any:
        return BVar(1.0)

    for call in (lambda: tp.grad(loss)(argument), lambda: tp.backprop(loss, argument), lambda: tp.vjp(loss, argument)):
        message = message_of(NotDifferentiableError, call)
        assert f"there is no BVar in this {type(argument).__name__} to differentiate" in message
        assert "BVar(np.zeros(3)) or BVar(1.0)" in message


class PlainModel:
    def __init__(self) -> None:
        self.weight = lift(3)


def test_a_model_that_is_a_plain_class() -> None:
    for argument in (PlainModel(), [PlainModel(), lift(2)]):
        message = message_of(NotDifferentiableError, lambda: tp.grad(lambda m: BVar(1.0))(argument))  # noqa: B023
        assert "PlainModel" in message and ".weight" in message and "attrs class" in message


# -- Plain data beside a BVar ----------------------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "**": lambda x, y: x**y,
    "@": lambda x, y: x @ y,
}


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("value", [np.array([1j, 2j, 3j]), np.array(["a", "b", "c"]), np.array([None, 1, 2])])
def test_arrays_that_are_no_real_numbers(symbol: str, value: Any) -> None:
    for pair in ((lift(3), value), (value, lift(3))):
        message = message_of(DTypeError, lambda: OPERATORS[symbol](*pair))  # noqa: B023
        assert message.startswith(f"{symbol}: an array of dtype {value.dtype} beside a BVar")
        assert "wanted real numbers" in message


WAY_OUT = "wanted a float or an array: np.array(..., dtype=float)"


@pytest.mark.parametrize("symbol", OPERATORS)
@pytest.mark.parametrize("value", ["a", None, [1.0, 2.0, 3.0], 1j, {}])
def test_objects_of_other_kinds(symbol: str, value: Any) -> None:
    for pair in ((lift(3), value), (value, lift(3))):
        message = message_of(TypeError, lambda: OPERATORS[symbol](*pair))  # noqa: B023
        assert "BVar" in message and type(value).__name__ in message
        if isinstance(value, str | list):
            # Python would repeat the sequence, so many times, or join it with another one.
            assert message == f"{symbol}: a {type(value).__name__} beside a BVar; {WAY_OUT}"


@pytest.mark.parametrize("symbol", OPERATORS)
def test_subclasses_that_mean_something_else(symbol: str) -> None:
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    message = message_of(DTypeError, lambda: OPERATORS[symbol](lift(3), masked))
    assert message.startswith(f"{symbol}: a MaskedArray beside a BVar") and "pass a plain array" in message


@pytest.mark.parametrize("symbol", OPERATORS)
def test_a_complex_number_of_numpys(symbol: str) -> None:
    message = message_of(DTypeError, lambda: OPERATORS[symbol](lift(3), np.complex128(1j)))
    assert message == f"{symbol}: a complex128 beside a BVar; wanted real numbers: float, int or bool"


def test_a_mask_that_would_be_lost() -> None:
    """A masked array as an index or a condition, whose own mask NumPy looks past."""
    x, ints = lift(3), np.ma.masked_array([0, 1], [True, False])
    message = message_of(IndexError, lambda: x[ints])
    assert message == "an index is a MaskedArray, whose mask would be lost; take index.compressed()"
    assert message_of(IndexError, lambda: x.at(ints)) == message
    condition = np.ma.masked_array([True, True, False], [True, False, False])
    message = message_of(DTypeError, lambda: tp.where(condition, x, 0.0))
    assert message.startswith("where: the condition is a MaskedArray, whose mask would be lost")
    for make in (tp.vector, tp.special.gammaln, tp.sum, tp.sort):
        message = message_of(DTypeError, lambda: make(np.ma.masked_array([1.0, 2.0], [True, False])))  # noqa: B023
        assert "MaskedArray" in message


def test_ragged_lists() -> None:
    assert "an index is a ragged list" in message_of(IndexError, lambda: lift(3)[[[0], [1, 2]]])
    ragged: Any = [[True], [True, False]]
    assert "the condition is a ragged list" in message_of(DTypeError, lambda: tp.where(ragged, 1.0, 2.0))
    assert "fill_value is a ragged list" in message_of(ShapeError, lambda: tp.full(2, fill_value=ragged))


# Every pair of sizes that does not go together, for every operator: the message has the operator and both sizes.
DISAGREEING = [
    ((3,), (2,)),
    ((1,), (3,)),
    ((2,), (2, 3)),
    ((2, 3), (3, 2)),
    ((2, 1), (1, 3)),
    ((2, 3), (4, 3)),
    ((2,), (4, 2, 3)),
]


def described(shape: tuple[int, ...]) -> str:
    return f"{ {1: 'R', 2: 'L', 3: 'Tensor3'}[len(shape)] }[{', '.join(map(str, shape))}]"


@pytest.mark.parametrize(("left", "right"), DISAGREEING)
@pytest.mark.parametrize("symbol", [symbol for symbol in OPERATORS if symbol != "@"])
def test_sizes_that_disagree(symbol: str, left: Any, right: Any) -> None:
    for shape_x, shape_y in ((left, right), (right, left)):
        x, y = rand(*shape_x), rand(*shape_y)
        for pair in ((BVar(x), BVar(y)), (BVar(x), y), (x, BVar(y))):
            message = message_of(ShapeError, lambda: OPERATORS[symbol](*pair))  # noqa: B023
            assert message.startswith(f"{symbol}: {described(shape_x)} and {described(shape_y)} do not go together")
            assert "Sizes must be equal; a scalar goes with anything" in message
            # The same inside of a gradient.
            inside = message_of(ShapeError, lambda: tp.grad(lambda b: OPERATORS[symbol](b, y).sum())(BVar(x)))  # noqa: B023
            assert inside == message


def test_products_whose_sizes_disagree() -> None:
    w, x = lift(2, 3), lift(2)
    message = message_of(ShapeError, lambda: w @ x)
    assert message == "@: L[2, 3] @ R[2]: the inner sizes 3 and 2 differ; did you mean to transpose the left one (.T)?"
    assert message_of(ShapeError, lambda: w.value @ x) == message_of(ShapeError, lambda: w @ x.value) == message
    assert "@: R[2] @ float is not defined; use * with a scalar" in message_of(ShapeError, lambda: x @ 2.0)
    assert "@: float @ R[2] is not defined" in message_of(ShapeError, lambda: 2.0 @ x)


FUNCTIONS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "dot": (lambda: tp.dot(lift(3), lift(2)), ["R[3] @ R[2]", "3 and 2 differ"]),
    "dot of matrices": (lambda: tp.dot(lift(2, 2), lift(2)), ["dot: the first argument is L[2, 2]", "wanted a vector"]),
    "outer": (lambda: tp.outer(lift(2), lift(2, 2)), ["outer: the second argument is L[2, 2]", "wanted a vector"]),
    "matmul": (lambda: tp.matmul(lift(2, 3), lift(2, 3)), ["L[2, 3] @ L[2, 3]", "transpose the"]),
    "where": (
        lambda: tp.where(np.array([True, False]), lift(3), lift(3)),
        ["where: condition is R[2] beside R[3]", "sizes must be equal"],
    ),
    "concatenate": (
        lambda: tp.concatenate([lift(2, 3), lift(2, 4)]),
        ["concatenate: array 1 is L[2, 4] beside L[2, 3]", "axis 0"],
    ),
    "stack": (lambda: tp.stack([lift(3), lift(2)]), ["stack: array 1 is R[2] beside R[3]"]),
    "dot of a matrix": (lambda: tp.dot(lift(2, 3), lift(3)), ["dot: the first argument is L[2, 3]", "a @ b"]),
    "a row beside a column": (lambda: lift(3, 1) + lift(1, 2), ["L[3, 1] and L[1, 2]", "broadcast_to", "outer"]),
    "reshape": (lambda: tp.reshape(lift(2, 3), (4, 2)), ["L[2, 3] has 6 elements, which (4, 2) cannot hold"]),
    "sum": (lambda: tp.sum(lift(2, 3), 2), ["sum: axis 2 is out of range for L[2, 3]"]),
    "mean": (lambda: lift(3).mean(-2), ["mean: axis -2 is out of range for R[3]"]),
    "max": (lambda: tp.max(BVar(np.zeros((0, 3)))), ["max: L[0, 3] has no elements"]),
    "logsumexp": (lambda: tp.logsumexp(lift(3), 1), ["logsumexp: axis 1 is out of range for R[3]"]),
    "softmax": (lambda: tp.softmax(BVar(1.0)), ["softmax: wanted a vector or a matrix, got a float"]),
    "softmax_cross_entropy": (
        lambda: tp.softmax_cross_entropy(lift(2, 3), rand(3)),
        ["logits are L[2, 3] and target is R[3]"],
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_whose_sizes_disagree(name: str) -> None:
    call, parts = FUNCTIONS[name]
    message = message_of(ShapeError, call)
    for part in parts:
        assert part in message, message


def test_float32_beside_float64() -> None:
    double, single = lift(2, 2), lift(2, 2, dtype=np.float32)
    calls: dict[str, Callable[[Any, Any], Any]] = {
        **OPERATORS,
        "where": lambda x, y: tp.where(np.ones((2, 2), bool), x, y),
        "concatenate": lambda x, y: tp.concatenate([x, y]),
        "stack": lambda x, y: tp.stack([x, y]),
        "softmax_cross_entropy": tp.softmax_cross_entropy,
    }
    for name, call in calls.items():
        for pair in ((double, single), (single, double), (double, single.value), (single, double.value)):
            message = message_of(DTypeError, lambda: call(*pair))  # noqa: B023
            assert "float32" in message and "float64" in message, name
            assert "convert" in message and "astype" in message, name


# -- Losses and escapes; the rest of them is in transform/test_run.py and test_bvar.py -------------------------------


def test_a_loss_that_is_no_scalar() -> None:
    def error(net: Any) -> Any:
        return net.weight @ np.ones(3)

    message = message_of(NotDifferentiableError, lambda: tp.grad(error)(make(lift(2, 3), lift(2))))
    assert message.startswith("grad of error: the loss must be a scalar BVar[float]")
    assert "a BVar of shape (2,)" in message and ".sum() or .mean()" in message and "vjp or jacobian" in message


def test_a_bvar_used_after_its_gradient() -> None:
    kept: list[Any] = []

    def loss(net: Network) -> Any:
        kept.append(net)
        return net.bias.sum()

    tp.grad(loss)(make(lift(2, 3), lift(2)))
    (net,) = kept
    for use in (lambda: net.bias * 2.0, lambda: net - net, lambda: tp.grad(loss)(net), lambda: net.weight @ np.ones(3)):
        message = message_of(EscapedBVarError, use)
        assert "after the gradient that it belongs to had ended" in message
        assert "Return it from the function" in message and "BVar(b.value)" in message
