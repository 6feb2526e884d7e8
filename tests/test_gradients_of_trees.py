"""The gradient of a tree is that tree, whatever it is made of: each sort of node, as its user writes and types it."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, NamedTuple, assert_type

import attrs
import pytest
from typing_extensions import TypeVar

import typedprop as tp
from tests import untyped
from typedprop import BVar, Dim, R, Record
from typedprop.errors import NotDifferentiableError

T = TypeVar("T")
# For lambdas, whose parameters `grad` does not tell the type of.
any_tp: Any = untyped.tp


class Three(Dim): ...


def vector() -> BVar[R[Three]]:
    return BVar(tp.vector([1.0, 2.0, 3.0], Three(3)))


# -- attrs classes ----------------------------------------------------------------------------------------------------

ran: list[str] = []


def converted(x: BVar[float]) -> BVar[float]:
    ran.append("converter")
    return x


def positive(_: object, __: object, x: BVar[float]) -> None:
    ran.append("validator")
    if x.value <= 0.0:
        raise ValueError("not positive")


@attrs.define
class Base(Record):
    weight: BVar[R[Three]]


@attrs.define
class Inherited(Base):
    _scale: BVar[float] = attrs.field(converter=converted, validator=positive)
    name: str = "static"
    activation: Callable[[BVar[R[Three]]], BVar[R[Three]]] = tp.tanh


def test_private_checked_and_static_fields_of_a_class_that_inherits() -> None:
    def loss(p: Inherited) -> BVar[float]:
        return -(p.activation(p.weight) * p._scale).sum()

    at = Inherited(vector(), BVar(2.0))
    ran.clear()
    gradient = tp.grad(loss)(at)
    assert_type(gradient, Inherited)
    assert type(gradient) is Inherited
    # It is negative, which no parameter may be.
    assert gradient._scale.value < 0.0 and not ran
    assert (gradient.name, gradient.activation) == ("static", tp.tanh)
    with pytest.raises(ValueError, match="not positive"):
        attrs.evolve(at, scale=gradient._scale)


@attrs.frozen(slots=False)
class Pair(Generic[T]):
    left: T
    right: BVar[float] | None = None


def test_a_generic_class_without_slots_and_an_optional_field() -> None:
    def loss(p: Pair[tuple[BVar[float], list[BVar[float]]]]) -> BVar[float]:
        x, (y,) = p.left
        return x * y if p.right is None else x * y * p.right

    without = tp.grad(loss)(Pair((BVar(2.0), [BVar(3.0)])))
    assert without == Pair((BVar(3.0), [BVar(2.0)]), None)
    assert tp.grad(loss)(Pair((BVar(2.0), [BVar(3.0)]), BVar(5.0))) == Pair((BVar(15.0), [BVar(10.0)]), BVar(6.0))


@attrs.define(kw_only=True, eq=False)
class Derived:
    first: BVar[float]
    second: BVar[float] = attrs.field(init=False, default=attrs.Factory(lambda self: self.first * 2.0, takes_self=True))


def test_a_field_that_is_computed_from_another() -> None:
    gradient = any_tp.grad(lambda p: p.first * p.second)(Derived(first=BVar(2.0)))
    # Both are leaves; the second is not made anew from the first.
    assert (gradient.first.value, gradient.second.value) == (4.0, 2.0)


# -- Dataclasses and named tuples -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    weight: BVar[R[Three]]
    power: int = 3
    late: BVar[float] = dataclasses.field(init=False, default_factory=lambda: BVar(5.0))


def test_a_frozen_dataclass_with_slots_keywords_and_a_field_without_init() -> None:
    def loss(p: Data) -> BVar[float]:
        return (p.weight**p.power).sum() * p.late

    gradient = tp.grad(loss)(Data(weight=vector()))
    assert_type(gradient, Data)
    assert gradient.weight == 15.0 * vector() ** 2
    assert (gradient.late.value, gradient.power) == (36.0, 3)


class Point(NamedTuple):
    x: BVar[float]
    y: BVar[float] | None = None


def test_a_named_tuple() -> None:
    def square(p: Point) -> BVar[float]:
        return p.x * p.x

    assert_type(tp.grad(square)(Point(BVar(3.0))), Point)
    assert tp.grad(square)(Point(BVar(3.0))) == Point(BVar(6.0), None)
    assert tp.grad(square)(Point(BVar(3.0), BVar(1.0))) == Point(BVar(6.0), BVar(0.0))


# -- Containers -------------------------------------------------------------------------------------------------------


class Key(Enum):
    A = 1


def test_dicts_of_any_hashable_keys() -> None:
    keys: list[object] = [Key.A, ("pair", 1), frozenset({1}), 1.5, None, "text", int]
    at = {key: BVar(float(k)) for k, key in enumerate(keys, 1)}

    def loss(parts: dict[object, BVar[float]]) -> BVar[float]:
        return parts[Key.A] * parts[None] * parts[1.5] + parts[int]

    gradient = tp.grad(loss)(at)
    assert list(gradient) == keys
    assert [g.value for g in gradient.values()] == [20.0, 0.0, 0.0, 5.0, 4.0, 0.0, 1.0]
    ordered = any_tp.grad(lambda d: d["b"] * d["a"])(OrderedDict(b=BVar(2.0), a=BVar(3.0)))
    assert type(ordered) is OrderedDict and list(ordered) == ["b", "a"]

    def missing(d: defaultdict[str, BVar[float]]) -> BVar[float]:
        return d["here"] * d["new"]

    with_default = defaultdict(lambda: BVar(7.0), here=BVar(2.0))
    assert tp.grad(missing)(with_default) == {"here": BVar(7.0)}
    assert list(with_default) == ["here"]


def test_empty_containers_and_none_are_static() -> None:
    def loss(p: tuple[BVar[float], list[BVar[float]], dict[str, BVar[float]], tuple[()], None]) -> BVar[float]:
        return sum(p[1], p[0] * 3.0)

    assert tp.grad(loss)((BVar(2.0), [], {}, (), None)) == (BVar(3.0), [], {}, (), None)
    empty: Any
    for empty in ([], {}, (), None):
        with pytest.raises(NotDifferentiableError, match="there is no BVar in this"):
            any_tp.grad(lambda _: BVar(1.0))(empty)


def test_static_values_pass_untouched() -> None:
    marker = object()

    def loss(p: tuple[BVar[float], object, str]) -> BVar[float]:
        assert p[1] is marker and type(p[2]) is str
        return p[0] * len(p[2])

    gradient = tp.grad(loss)((BVar(2.0), marker, "four"))
    assert gradient == (BVar(4.0), marker, "four") and gradient[1] is marker


# -- Leaves and records that are shared -------------------------------------------------------------------------------


def test_the_same_leaf_twice() -> None:
    leaf = BVar(3.0)
    # Two places, two leaves; one place that is used twice has one gradient, to which both uses contribute.
    assert any_tp.grad(lambda p: p[0] * p[1])((leaf, leaf)) == (leaf, leaf)
    assert any_tp.grad(lambda p, q: p * q, (0, 1))(leaf, leaf) == (leaf, leaf)
    assert any_tp.grad(lambda p: p * p)(leaf).value == 6.0
    shared = Point(leaf)
    assert any_tp.grad(lambda p: p[0].x * p[1].x)((shared, shared)) == (Point(leaf), Point(leaf))


# -- Unions and depth -------------------------------------------------------------------------------------------------


@attrs.frozen
class Circle:
    radius: BVar[float]


@attrs.frozen
class Rectangle:
    width: BVar[float]
    height: BVar[float]


def area(shape: Circle | Rectangle) -> BVar[float]:
    match shape:
        case Circle(radius):
            return 3.0 * radius * radius
        case Rectangle(width, height):
            return width * height


def test_a_list_of_a_union_of_records() -> None:
    def total(shapes: list[Circle | Rectangle]) -> BVar[float]:
        return sum(map(area, shapes), BVar(0.0))

    shapes: list[Circle | Rectangle] = [Circle(BVar(1.0)), Rectangle(BVar(2.0), BVar(3.0))]
    gradient = tp.grad(total)(shapes)
    assert_type(gradient, list[Circle | Rectangle])
    assert gradient == [Circle(BVar(6.0)), Rectangle(BVar(3.0), BVar(2.0))]


@attrs.frozen
class Nested(Record):
    weight: BVar[float]
    inner: Nested | None = None


def test_a_thousand_levels() -> None:
    def nested(levels: int) -> Nested:
        record = Nested(BVar(1.0))
        for _ in range(levels - 1):
            record = Nested(BVar(1.0), record)
        return record

    def loss(record: Nested) -> BVar[float]:
        total, inner = BVar(0.0), record.inner
        while inner is not None:
            total, inner = total + inner.weight * inner.weight, inner.inner
        return total

    at = nested(1000)
    gradient = tp.grad(loss)(at)
    assert [g.value for g in tp.tree.leaves(gradient)] == [0.0] + 999 * [2.0]
    assert [p.value for p in tp.tree.leaves(at - 0.25 * gradient)] == [1.0] + 999 * [0.5]
    assert [h.value for h in tp.tree.leaves(tp.hvp(loss, at, at))] == [0.0] + 999 * [2.0]
    with pytest.raises(
        tp.tree.StructureError, match=r"\.inner\.inner.*, the right operand has Nested and the left one has None$"
    ):
        _ = nested(999) + at

    deep: Any = BVar(1.0)
    for level in range(1000):
        deep = {"deeper": [deep, level]}

    def bottom(x: Any) -> Any:
        while type(x) is dict:
            x = x["deeper"][0]
        return 3.0 * x

    (leaf,) = tp.tree.leaves(any_tp.grad(bottom)(deep))
    assert leaf.value == 3.0
