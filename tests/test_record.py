"""Records: arithmetic, what it refuses, and that records are trees; their shape check is in test_shape_check.py."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Generic, assert_type

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.arrays import ones, zeros
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.record import Record
from typedprop.shapes import Dim, L, R
from typedprop.testing import check_grads
from typedprop.transform.gradient import grad
from typedprop.tree import StructureError

I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)


class Pixels(Dim):
    pass


class Hidden(Dim):
    pass


@attrs.frozen
class Layer(Record, Generic[I, H]):
    weight: BVar[L[H, I]]
    bias: BVar[R[H]]


@attrs.frozen
class Model(Record):
    first: Layer[Pixels, Hidden]
    others: list[Layer[Hidden, Hidden]]
    scale: BVar[float]
    offset: BVar[float] | None = None
    name: str = "model"
    table: Any = None


def layer(inputs: int, outputs: int, value: float = 1.0) -> Layer[Any, Any]:
    return Layer(
        BVar(np.full((outputs, inputs), value)),  # type: ignore[arg-type]  # the sizes are not known here
        BVar(np.full(outputs, value)),  # type: ignore[arg-type]  # nor here
    )


def model(value: float = 1.0) -> Model:
    return Model(layer(3, 2, value), [layer(2, 2, value), layer(2, 2, value)], BVar(value), table=np.arange(3))


def values(record: Record) -> list[float]:
    """The first element of each leaf."""
    return [float(np.ravel(b.value)[0]) for b in tree.leaves(record)]


# -- Arithmetic -----------------------------------------------------------------------------------------------------


def test_arithmetic_is_leaf_by_leaf() -> None:
    x, y = (attrs.evolve(model(value), table=None) for value in (3.0, 4.0))
    assert values(x + y) == [7.0] * 7
    assert values(x - y) == [-1.0] * 7
    assert values(-x) == [-3.0] * 7
    assert values(2.0 * x) == values(x * 2.0) == [6.0] * 7
    assert values(x / 2.0) == [1.5] * 7
    assert values(x - 0.5 * y) == [1.0] * 7
    assert x - y == x + (-1.0) * y


def test_arithmetic_keeps_the_class_and_the_static_fields_of_the_left_operand() -> None:
    x, y = model(1.0), model(1.0)
    total = x + y
    assert type(total) is Model
    assert type(total.others) is list
    assert total.table is x.table
    assert (y * 2.0).table is y.table
    assert total.offset is None
    assert total.name == "model"


def test_the_operands_are_unchanged() -> None:
    x, y = model(1.0), model(2.0)
    before = pickle.dumps((x, y))
    result = -((x + y) * 2.0 - y / 3.0)
    assert pickle.dumps((x, y)) == before
    for b in tree.leaves((x, y)):
        for c in tree.leaves(result):
            assert not np.shares_memory(np.asarray(b.value), np.asarray(c.value))


def test_in_place_forms_make_new_records() -> None:
    x = first = model(1.0)
    x += model(2.0)
    x *= 2.0
    x -= model(1.0)
    x /= 5.0
    assert values(x) == [1.0] * 7
    assert values(first) == [1.0] * 7
    assert x is not first


@pytest.mark.parametrize(
    "scalar", [2.0, 2, BVar(2.0), np.float64(2.0), np.float32(2.0), np.int64(2), np.float16(2.0), np.longdouble(2.0)]
)
def test_scalars(scalar: Any) -> None:
    @attrs.frozen
    class Single(Record):
        w: BVar[R[Any, np.float32]]
        s: BVar[float]

    x = Single(BVar(ones(3, dtype=np.float32)), BVar(1.0))
    for result, value in (x * scalar, 2.0), (scalar * x, 2.0), (x / scalar, 0.5):
        assert values(result) == [value, value]
        assert result.w.dtype == np.float32
        assert type(result.s.value) is float


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_records_are_a_vector_space(a: float, b: float, factor: float) -> None:
    x, y = (attrs.evolve(model(value), table=None) for value in (a, b))
    assert x + y == y + x
    assert x - y == -(y - x)
    assert factor * (x + y) == tree.map(lambda p, q: factor * (p + q), x, y)
    assert x * 0.0 == x - x


def test_arithmetic_is_differentiable() -> None:
    def loss(x: Model, y: Model, rate: BVar[float]) -> BVar[float]:
        z = x - rate * y + (-x) / rate
        return (z.first.weight * z.first.weight).sum() + z.others[1].bias.sum() * z.scale * rate

    check_grads(loss, (model(0.5), model(0.3), BVar(1.7)), order=2)


def test_a_number_and_an_array_at_one_place() -> None:
    @attrs.frozen
    class One(Record):
        x: BVar[Any]

    number, array = One(BVar(1.0)), One(BVar(np.ones(3)))
    for left, right, shapes in ((number, array, r"\(\) .* \(3,\)"), (array, number, r"\(3,\) .* \(\)")):
        with pytest.raises(ShapeError, match=f"at .x, the left operand has shape {shapes}"):
            _ = left + right


def test_a_constant_record_times_what_is_differentiated() -> None:
    def loss(rate: BVar[float], x: Model) -> BVar[float]:
        return (x * rate).first.weight.sum() + (rate * x).scale + (x / rate).scale

    assert grad(loss)(BVar(2.0), model(3.0)).value == 6 * 3.0 + 3.0 - 3.0 / 4


def test_a_record_of_fractions_is_not_scaled_by_a_float() -> None:
    @attrs.frozen
    class Ratio(Record):
        x: BVar[Fraction]

    ratio = Ratio(BVar(Fraction(1, 3)))
    calls: list[Callable[[], Any]] = [lambda: ratio * 0.5, lambda: 0.5 * ratio, lambda: ratio / 2.0]
    for call in calls:
        with pytest.raises(DTypeError, match="a Fraction and a float do not mix"):
            call()


def test_a_gradient_is_a_record_of_the_same_class() -> None:
    def loss(x: Model) -> BVar[float]:
        return (x.first.weight * x.first.weight).sum() + x.scale * 3.0

    x = model(2.0)
    gradient = grad(loss)(x)
    assert_type(gradient, Model)
    assert type(gradient) is Model
    assert values(gradient) == [4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0]
    assert gradient.table is x.table
    assert gradient.name == "model"
    stepped = x - 0.5 * gradient
    assert_type(stepped, Model)
    assert values(stepped) == [0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.5]


def test_the_types() -> None:
    x = Layer(BVar(zeros(Hidden(2), Pixels(3))), BVar(zeros(Hidden(2))))
    scale = BVar(2.0)
    assert_type(x + x, Layer[Pixels, Hidden])
    assert_type(x - x, Layer[Pixels, Hidden])
    assert_type(-x, Layer[Pixels, Hidden])
    assert_type(0.1 * x, Layer[Pixels, Hidden])
    assert_type(x * 2, Layer[Pixels, Hidden])
    assert_type(scale * x, Layer[Pixels, Hidden])
    assert_type(x / scale, Layer[Pixels, Hidden])
    assert_type(x - 0.1 * x, Layer[Pixels, Hidden])


def test_records_are_made_without_their_init_in_arithmetic() -> None:
    ran = []

    @attrs.frozen
    class Careful(Record):
        w: BVar[float] = attrs.field(validator=lambda *_: ran.append("validator"))
        twice: BVar[float] = attrs.field(init=False)

        def __attrs_post_init__(self) -> None:
            super().__attrs_post_init__()
            ran.append("post-init")
            object.__setattr__(self, "twice", self.w * 2.0)

    x = Careful(BVar(1.0))
    assert ran == ["validator", "post-init"]
    assert values(-(x + x * 2.0)) == [-3.0, -6.0]
    assert ran == ["validator", "post-init"]


# -- What is refused ------------------------------------------------------------------------------------------------


def test_records_of_different_classes() -> None:
    @attrs.frozen
    class Deeper(Layer[I, H]):
        pass

    one, deeper = layer(2, 2), Deeper(BVar(zeros(Hidden(2), Hidden(2))), BVar(zeros(Hidden(2))))
    cases: list[tuple[Any, Any, tuple[str, str]]] = [
        (one, model(), ("Layer", "Model")),
        (model(), one, ("Model", "Layer")),
        (one, deeper, ("Layer", "Deeper")),
        (deeper, one, ("Deeper", "Layer")),
    ]
    for x, y, names in cases:
        with pytest.raises(StructureError, match=rf"^{names[0]} \+ {names[1]}: the records are of different classes$"):
            operator.add(x, y)
        with pytest.raises(StructureError, match=rf"^{names[0]} - {names[1]}: the records are of different classes$"):
            operator.sub(x, y)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"name": "other"}, "at .name, the right operand has the str 'other' and the left one has the str 'model'"),
        ({"others": []}, "at .others, the right operand has the list [] and the left one has a list of 2"),
        ({"offset": BVar(1.0)}, "at .offset, the right operand has a BVar and the left one has None"),
        ({"table": np.arange(4)}, "at .table, the right operand has the ndarray"),
    ],
)
def test_records_of_different_structure(change: dict[str, Any], difference: str) -> None:
    x, y = model(), attrs.evolve(model(), **change)
    for operation in operator.add, operator.sub:
        with pytest.raises(
            StructureError, match=f"^the right operand is not built like the left one: {re.escape(difference)}"
        ):
            operation(x, y)


def test_leaves_are_not_broadcast() -> None:
    wide, narrow = layer(3, 2), layer(3, 1)
    for x, y in (wide, narrow), (narrow, wide):
        with pytest.raises(
            ShapeError, match=r"^Layer \+ Layer: at \.weight, the left operand has shape \(\d, 3\) and the right"
        ):
            operator.add(x, y)

    @attrs.frozen
    class Either(Record):
        w: BVar[R[Any]] | BVar[float]

    with pytest.raises(
        ShapeError, match=r"^Either - Either: at \.w, the left .* has shape \(3,\) and the right one \(\)$"
    ):
        operator.sub(Either(BVar(ones(3))), Either(BVar(1.0)))


@pytest.mark.parametrize("combine", [operator.add, operator.sub])
def test_a_constant_record_beside_one_of_a_gradient(combine: Callable[[Any, Any], Any]) -> None:
    """On either side, and with several leaves, the gradient reaches the one that is no constant."""
    fixed: Any = layer(3, 2, 5.0)
    sign = 1.0 if combine is operator.add else -1.0

    def total(x: Any) -> Any:
        return x.weight.sum() + x.bias.sum()

    right: Any = grad(lambda x: total(combine(fixed, x)))(layer(3, 2))
    left: Any = grad(lambda x: total(combine(x, fixed)))(layer(3, 2))
    assert [set(b.value.ravel().tolist()) for b in tree.leaves(right)] == [{sign}, {sign}]
    assert [set(b.value.ravel().tolist()) for b in tree.leaves(left)] == [{1.0}, {1.0}]


def test_leaves_of_different_dtypes() -> None:
    @attrs.frozen
    class AnyDType(Record):
        name: str
        w: BVar[R[Any, Any]]

    message = r"^AnyDType - AnyDType: at \.w, the left operand holds float64 and the right one float32$"
    with pytest.raises(DTypeError, match=message):
        operator.sub(AnyDType("x", BVar(ones(3))), AnyDType("x", BVar(ones(3, dtype=np.float32))))


@pytest.mark.parametrize("other", [1.0, 1, np.float32(1.0), np.ones(2), np.ones((2, 3)), BVar(1.0), BVar(np.ones(2))])
def test_adding_something_that_is_no_record(other: Any) -> None:
    x: Any = layer(3, 2)
    name = type(other).__name__
    way_out = (
        r"only another Layer is added to or subtracted from a Layer; "
        r"for the same at each leaf write tree\.map\(lambda leaf: leaf"
    )
    with pytest.raises(TypeError, match=rf"^Layer \+ {name}: {way_out} \+ \.\.\., record\)$"):
        operator.add(x, other)
    with pytest.raises(TypeError, match=rf"^Layer - {name}: {way_out} - \.\.\., record\)$"):
        operator.sub(x, other)
    with pytest.raises(TypeError, match=rf"^{name} \+ Layer: {way_out}"):
        operator.add(other, x)
    with pytest.raises(TypeError, match=rf"^{name} - Layer: {way_out}"):
        operator.sub(other, x)


def test_sum_wants_a_start() -> None:
    records: Any = [model(1.0), model(2.0), model(3.0)]
    with pytest.raises(
        TypeError, match=r"to add up several, give sum\(\) a Model to start with: sum\(others, start=first\)$"
    ):
        sum(records)
    total: Any = sum(records[1:], start=records[0])
    assert values(total) == [6.0] * 7


@pytest.mark.parametrize(
    ("other", "error", "what"),
    [
        (np.ones(2), ShapeError, r"an array of shape \(2,\)"),
        (np.array(2.0), ShapeError, r"an array of shape \(\)"),
        (BVar(np.ones(2)), ShapeError, r"a BVar of shape \(2,\)"),
        (2j, TypeError, "a complex"),
        (np.complex128(2j), TypeError, "a complex128"),
        (np.bool(True), TypeError, "a bool"),
        (model(), TypeError, "a Model"),
    ],
)
def test_scaling_by_something_that_is_no_scalar(other: Any, error: type[Exception], what: str) -> None:
    x: Any = layer(3, 2)
    message = r"^a Layer is {} by a scalar, a float or BVar\[float\], not by {}; for leaf by leaf write tree\.map"
    with pytest.raises(error, match=message.format("multiplied", what)):
        operator.mul(x, other)
    with pytest.raises(error, match=message.format("divided", what)):
        operator.truediv(x, other)
    if not isinstance(other, Record):
        with pytest.raises(error, match=message.format("multiplied", what)):
            operator.mul(other, x)


@pytest.mark.parametrize("other", [2.0, np.ones(2), BVar(2.0)])
def test_nothing_is_divided_by_a_record(other: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{type(other).__name__} / Layer: nothing is divided by a record$"):
        operator.truediv(other, layer(3, 2))


def test_other_classes_may_know_what_to_do_with_a_record() -> None:
    class Optimizer:
        def __radd__(self, record: Record) -> str:
            return f"steps {type(record).__name__}"

        def __rmul__(self, record: Record) -> str:
            return f"scales {type(record).__name__}"

    x: Any = layer(1, 1)
    assert x + Optimizer() == "steps Layer"
    assert x * Optimizer() == "scales Layer"
    for operation, other in (operator.add, "x"), (operator.mul, "x"), (operator.truediv, Fraction(1, 2)):
        with pytest.raises(TypeError, match=r"unsupported operand type|not by a str;"):
            operation(x, other)


def test_a_record_that_is_no_attrs_class_is_refused_by_name() -> None:
    class Bare(Record):
        def __init__(self) -> None:
            self.w = BVar(1.0)

    with pytest.raises(
        NotDifferentiableError, match=r"Bare is a plain class, but it holds a BVar at \.w, .*@attrs\.frozen"
    ):
        operator.mul(Bare(), 2.0)


# -- As values ------------------------------------------------------------------------------------------------------


def test_the_repr_shows_shapes() -> None:
    x = Layer(BVar(zeros(Hidden(300), Pixels(784))), BVar(zeros(Hidden(300))))
    assert repr(x) == "Layer(weight=BVar(L[300, 784], norm 0), bias=BVar(R[300], norm 0); 235,500 parameters)"
    small = Layer(BVar(ones(Hidden(1), Pixels(2))), BVar(ones(Hidden(1))))
    assert repr(small) == "Layer(weight=BVar([[1.0, 1.0]]), bias=BVar([1.0]); 3 parameters)"


def test_records_compare_copy_and_pickle() -> None:
    x = attrs.evolve(model(1.0), table=None)
    assert x == attrs.evolve(model(1.0), table=None)
    assert x != attrs.evolve(model(2.0), table=None)
    for same in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert same == x
        assert same - x == x * 0.0


def test_evolve_and_match() -> None:
    x = model(1.0)

    def loss(x: Model) -> BVar[float]:
        match attrs.evolve(x, scale=BVar(5.0)):
            case Model(Layer(weight, bias), [_, Layer(last, _)], scale):
                return (weight.sum() + bias.sum() + last.sum()) * scale
            case _:
                raise AssertionError

    assert values(grad(loss)(x)) == [5.0, 5.0, 0.0, 0.0, 5.0, 0.0, 0.0]


def test_a_record_without_slots_and_one_that_is_a_dataclass() -> None:
    @attrs.frozen(slots=False)
    class WithDict(Record):
        w: BVar[R[Hidden]]
        b: BVar[R[Hidden]]

    @dataclasses.dataclass(frozen=True)
    class Data(Record):
        w: BVar[R[Hidden]]
        b: BVar[R[Hidden]]

    classes: list[Any] = [WithDict, Data]
    for cls in classes:
        x = cls(BVar(ones(Hidden(2))), BVar(ones(Hidden(2))))
        assert values(x + x * 2.0) == [3.0, 3.0]
        with pytest.raises(
            ShapeError, match=rf"^{cls.__name__}\.b is annotated BVar\[R\[Hidden\]\] and has shape \(3,\)"
        ):
            cls(BVar(ones(Hidden(2))), BVar(ones(Hidden(3))))


def test_the_mixin_adds_no_dict() -> None:
    assert not hasattr(layer(1, 1), "__dict__")


def test_a_repr_of_a_record_without_fields() -> None:
    class Plain(Record):
        pass

    assert repr(Plain()).startswith("Plain(")
