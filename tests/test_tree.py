"""Pytrees: what is a leaf, a node or static, round trips of all of them, and what is refused."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import operator
import pickle
import re
import sys
import types
from collections import Counter, OrderedDict, UserList, defaultdict, deque
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, ClassVar, Generic, NamedTuple, assert_type, cast

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeVar

from tests.steps import steps
from typedprop import tree
from typedprop.arrays import ones, zeros
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.shapes import R
from typedprop.testing import check_grads
from typedprop.transform.gradient import grad
from typedprop.tree import Structure, StructureError

T = TypeVar("T")


def leaf(value: float = 1.0) -> BVar[float]:
    return BVar(value)


# -- Nodes of every sort, each with a leaf, a static value and a place for anything ---------------------------------


@attrs.frozen
class Frozen:
    w: Any
    rest: Any = None
    rate: float = 0.5


@attrs.define
class Mutable:
    w: Any
    rest: Any = None


@attrs.define(slots=False)
class WithDict:
    w: Any
    rest: Any = None


@attrs.frozen
class Half(Frozen):
    """Inherits fields and adds one."""

    more: Any = None


@attrs.frozen
class Box(Generic[T]):
    inside: T


@attrs.frozen
class Private:
    _w: Any
    __rest: Any = None  # pyright: ignore[reportGeneralTypeIssues]  # attrs has an alias for it

    def rest(self) -> Any:
        return self.__rest


@dataclasses.dataclass
class Data:
    w: Any
    rest: Any = None
    kept: ClassVar[int] = 3


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenData:
    w: Any
    rest: Any = None


class Pair(NamedTuple):
    w: Any
    rest: Any = None


class SlottedBase:
    __slots__ = ("__dict__",)


@attrs.define(slots=True)
class SlotsAndDict(SlottedBase):
    w: Any
    rest: Any = None


NODES: list[Callable[[Any, Any], Any]] = [
    Frozen,
    Mutable,
    WithDict,
    Half,
    Private,
    Data,
    FrozenData,
    Pair,
    SlotsAndDict,
    lambda w, rest: (w, rest),
    lambda w, rest: [w, rest],
    lambda w, rest: {"w": w, ("re", "st"): rest},
    lambda w, rest: OrderedDict(rest=rest, w=w),
    lambda w, rest: defaultdict(list, {1: w, None: rest}),
]


def children_of(node: Any) -> list[Any] | None:
    """The children by a plain reading of the classes above; None for what is no node."""
    if isinstance(node, dict):
        return list(node.values())
    if isinstance(node, (tuple, list)):
        return list(node)
    if attrs.has(type(node)):
        return [getattr(node, field.name) for field in attrs.fields(type(node))]
    if dataclasses.is_dataclass(node):
        return [getattr(node, field.name) for field in dataclasses.fields(node)]
    return None


def leaves_by_recursion(x: Any) -> list[Any]:
    if type(x) is BVar:
        return [x]
    return [found for child in children_of(x) or [] for found in leaves_by_recursion(child)]


def assert_rebuilt(new: Any, old: Any) -> None:
    """Nodes with leaves are new objects of the same class, everything else is the same object."""
    if not leaves_by_recursion(old):
        assert new is old
        return
    assert type(new) is type(old)
    if type(old) is BVar:
        return
    assert new is not old
    if isinstance(old, dict):
        assert list(new) == list(old)
    if isinstance(old, defaultdict):
        assert new.default_factory is old.default_factory
    for new_child, old_child in zip(children_of(new) or [], children_of(old) or [], strict=True):
        assert_rebuilt(new_child, old_child)


class Color(enum.Enum):
    RED = 1


STATICS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from([np.arange(3), np.float32(1.5), abs, Color.RED, Fraction(1, 3), int, ..., frozenset({1})]),
    st.builds(list),
    st.builds(dict),
    st.just(()),
)
LEAVES = st.one_of(
    st.floats(-9, 9).map(BVar),
    st.integers(0, 3).map(lambda n: BVar(np.arange(float(n)))),
)
TREES = st.recursive(
    st.one_of(LEAVES, STATICS),
    lambda inner: st.one_of(
        st.builds(lambda make, w, rest: make(w, rest), st.sampled_from(NODES), inner, inner),
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=20).map(tuple),
        st.dictionaries(st.one_of(st.integers(), st.text(max_size=2), st.none()), inner, max_size=3),
        st.builds(Box, inner),
    ),
    max_leaves=30,
)


# -- Round trips ----------------------------------------------------------------------------------------------------


@given(TREES)
def test_flatten_finds_the_leaves_and_unflatten_puts_them_back(x: Any) -> None:
    leaves, structure = tree.flatten(x)
    assert list(map(id, leaves)) == list(map(id, leaves_by_recursion(x)))
    assert structure.size == len(leaves)
    again = structure.unflatten(leaves)
    assert_rebuilt(again, x)
    assert list(map(id, tree.leaves(again))) == list(map(id, leaves))
    assert tree.flatten(again)[1] == structure
    assert hash(tree.flatten(again)[1]) == hash(structure)


@given(TREES)
def test_paths_are_the_expressions_of_the_leaves(x: Any) -> None:
    leaves, structure = tree.flatten(x)
    paths = structure.paths()
    assert len(paths) == len(leaves)
    for path, found in zip(paths, leaves, strict=True):
        # Private names are mangled inside of a class only, so this is the expression outside.
        assert eval(f"x{path}", {"x": x}) is found


@given(TREES)
def test_map_visits_the_leaves_in_order(x: Any) -> None:
    numbered = iter(range(1_000))
    new = tree.map(lambda _: BVar(float(next(numbered))), x)
    assert_rebuilt(new, x)
    assert [b.value for b in tree.leaves(new)] == list(range(len(tree.leaves(x))))


@given(TREES, TREES)
def test_structures_are_equal_exactly_when_there_is_no_difference_to_name(x: Any, y: Any) -> None:
    a, b = tree.flatten(x)[1], tree.flatten(y)[1]
    if a == b:
        assert a.leaves_of(y) == tree.leaves(y)
        assert repr(a) == repr(b)
    else:
        with pytest.raises(StructureError, match=r"the tree is not built like the other tree: .* has .* and .* has .*"):
            a.leaves_of(y)
    assert (a == b) is (b == a)


@pytest.mark.parametrize("make", NODES)
def test_every_sort_of_node(make: Callable[[Any, Any], Any]) -> None:
    old = make(leaf(1.0), make(leaf(2.0), "static"))
    new = tree.map(lambda b: b + 1.0, old)
    assert_rebuilt(new, old)
    assert sorted(b.value for b in tree.leaves(new)) == [2.0, 3.0]


def test_the_types() -> None:
    def negative(b: BVar[T]) -> BVar[T]:
        return -b

    record = Box(leaf())
    leaves, structure = tree.flatten(record)
    assert_type(leaves, list[BVar[Any]])
    assert_type(structure, Structure[Box[BVar[float]]])
    assert_type(structure.unflatten(leaves), Box[BVar[float]])
    assert_type(tree.unflatten(structure, leaves), Box[BVar[float]])
    assert_type(tree.map(negative, record), Box[BVar[float]])
    assert_type(tree.map(lambda a, b: a + b, record, record), Box[BVar[float]])
    assert_type(tree.map(lambda a, b, c: a + b + c, record, record, record), Box[BVar[float]])
    assert_type(tree.leaves(record), list[BVar[Any]])
    vector, unravel = tree.ravel(record)
    assert_type(vector, BVar[R[Any]])
    assert_type(unravel(vector), Box[BVar[float]])


def test_a_leaf_by_itself() -> None:
    b = leaf()
    leaves, structure = tree.flatten(b)
    assert leaves == [b]
    assert leaves[0] is b
    assert structure.paths() == [""]
    c = leaf(2.0)
    assert structure.unflatten([c]) is c
    assert repr(structure) == "<structure of a BVar with 1 leaf>"


def test_a_static_value_by_itself() -> None:
    x = np.ones(3)
    leaves, structure = tree.flatten(x)
    assert leaves == []
    assert structure.unflatten([]) is x
    assert tree.map(operator.neg, x) is x


def test_the_leaves_are_a_new_list_each_time() -> None:
    record = Frozen(leaf(), leaf())
    tree.flatten(record)[0].clear()
    assert len(tree.flatten(record)[0]) == 2
    only_leaves = Pair(leaf(), leaf())
    tree.leaves(only_leaves).clear()
    assert len(tree.leaves(only_leaves)) == 2


def test_rebuilt_lists_and_dicts_share_nothing_with_what_they_are_made_of() -> None:
    leaves, structure = tree.flatten([leaf(), leaf()])
    first, second = structure.unflatten(leaves), structure.unflatten(leaves)
    first.append(leaf())
    assert len(leaves) == len(second) == 2


def test_a_leaf_in_two_places_is_two_leaves() -> None:
    b = leaf()
    leaves, structure = tree.flatten((b, {"again": b}))
    assert [x is b for x in leaves] == [True, True]
    assert structure.unflatten([leaf(1.0), leaf(2.0)]) == (leaf(1.0), {"again": leaf(2.0)})


def test_shared_nodes_are_as_many_nodes() -> None:
    shared = Frozen(leaf())
    first, second = tree.map(lambda b: b, (shared, shared))
    assert first is not second


def test_unions_of_records() -> None:
    variants: list[Frozen | Pair | None] = [Frozen(leaf(1.0)), None, Pair(leaf(2.0))]
    doubled = tree.map(lambda b: b * 2.0, variants)
    assert doubled == [Frozen(leaf(2.0)), None, Pair(leaf(4.0))]


# -- Records --------------------------------------------------------------------------------------------------------


def test_construction_is_bypassed() -> None:
    ran = []

    def note(*_: Any) -> None:
        ran.append("validator")

    def convert(x: Any) -> Any:
        ran.append("converter")
        return x

    @attrs.define(on_setattr=attrs.setters.NO_OP)
    class Guarded:
        w: Any = attrs.field(converter=convert, validator=note)

        def __attrs_post_init__(self) -> None:
            ran.append("post-init")

        def __setattr__(self, name: str, value: object) -> None:
            ran.append("setattr")
            object.__setattr__(self, name, value)

        def __new__(cls, *_: Any) -> Guarded:
            ran.append("new")
            return object.__new__(cls)

    @dataclasses.dataclass
    class GuardedData:
        w: Any

        def __post_init__(self) -> None:
            ran.append("post-init of a dataclass")

    class GuardedTuple(Pair):
        __slots__ = ()

        def __new__(cls, *args: Any) -> GuardedTuple:
            ran.append("new of a named tuple")
            return super().__new__(cls, *args)

    records = [Guarded(leaf()), GuardedData(leaf()), GuardedTuple(leaf(), None)]
    assert len(set(ran)) >= 5
    ran.clear()
    assert_rebuilt(tree.map(lambda b: b + 1.0, records), records)
    assert ran == []


def test_private_fields() -> None:
    record = Private(leaf(1.0), leaf(2.0))
    assert tree.flatten(record)[1].paths() == ["._w", "._Private__rest"]
    assert tree.map(lambda b: b * 2.0, record).rest().value == 4.0


def test_inherited_and_redefined_fields_keep_their_order() -> None:
    @attrs.frozen
    class Last(Half):
        w: Any = attrs.field(default=None)

    record = Last(rest=leaf(1.0), more=leaf(2.0), w=leaf(3.0))
    assert tree.flatten(record)[1].paths() == [".rest", ".more", ".w"]

    @dataclasses.dataclass
    class OfBoth(Mutable):
        """A dataclass that is an attrs class, too: the fields of both are fields."""

        extra: Any = None

    both = OfBoth(leaf(1.0))
    both.w = leaf(2.0)
    both.rest = None
    assert tree.flatten(both)[1].paths() == [".extra", ".w"]
    assert tree.map(lambda b: b * 2.0, both).w.value == 4.0


def test_an_undecorated_subclass_has_its_parents_fields() -> None:
    class Quiet(Frozen):
        def __repr__(self) -> str:
            return "quiet"

    record = Quiet(leaf())
    new = tree.map(lambda b: b + 1.0, record)
    assert type(new) is Quiet
    assert new.w.value == 2.0


@attrs.define
class Late:
    w: Any
    cache: Any = attrs.field(init=False)


@attrs.define(slots=False)
class LateInDict:
    w: Any
    cache: Any = attrs.field(init=False)


@pytest.mark.parametrize("cls", [Late, LateInDict])
def test_a_field_without_a_value_stays_without(cls: type[Late]) -> None:
    record = cls(leaf())
    new = tree.map(lambda b: b * 3.0, record)
    assert new.w.value == 3.0
    assert not hasattr(new, "cache")
    record.cache = leaf(5.0)
    assert [b.value for b in tree.leaves(record)] == [1.0, 5.0]
    with pytest.raises(StructureError, match=r"at \.cache, tree 2 has an unset field and the first has a BVar$"):
        tree.map(lambda a, b: a, record, cls(leaf()))


def test_cached_properties_are_made_anew() -> None:
    @attrs.frozen
    class Slotted:
        w: Any

        @functools.cached_property
        def double(self) -> Any:
            return self.w * 2.0

    @dataclasses.dataclass
    class WithADict:
        w: Any

        @functools.cached_property
        def double(self) -> Any:
            return self.w * 2.0

    for record in (Slotted(leaf(1.0)), WithADict(leaf(1.0))):
        assert record.double.value == 2.0
        assert tree.map(lambda b: b + 4.0, record).double.value == 10.0
    static = WithADict(None)
    vars(static)["double"] = leaf()
    assert tree.leaves(static) == []


def test_hostile_field_names() -> None:
    names = ["class", "self", "__init__", "__class_getitem__", "None", "x.y", "ä"]

    class Hostile:
        pass

    # Not by attrs or dataclasses, which would generate code with these names.
    Hostile.__dataclass_fields__ = {}  # type: ignore[attr-defined]  # as dataclasses has it
    for name in names:
        field = dataclasses.field()
        field.name = name
        field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # as dataclasses has it
        Hostile.__dataclass_fields__[name] = field  # type: ignore[attr-defined]  # as dataclasses has it
    record = Hostile()
    for number, name in enumerate(names):
        object.__setattr__(record, name, leaf(float(number)))
    leaves, structure = tree.flatten(record)
    assert structure.paths() == [f".{name}" for name in names]
    new = structure.unflatten([b + 1.0 for b in leaves])
    assert [vars(new)[name].value for name in names] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_an_attribute_of_a_record_whose_fields_are_all_slots() -> None:
    """A subclass without slots of its own has a __dict__, which holds none of the fields."""

    @attrs.frozen
    class Slotted:
        a: Any

    class Loose(Slotted):
        pass

    for hidden in (leaf(), 2.0):
        record: Any = Loose(leaf())
        assert [b.value for b in tree.leaves((record, [record, 1.0]))] == [1.0, 1.0]
        vars(record)["extra"] = hidden
        for holder in (record, [record], [[record, record]], Loose(record)):
            with pytest.raises(NotDifferentiableError, match="has an attribute 'extra' that is not a field"):
                tree.flatten(holder)
        outer: Any = Loose([leaf()])
        vars(outer)["extra"] = hidden
        with pytest.raises(NotDifferentiableError, match="has an attribute 'extra' that is not a field"):
            tree.flatten(outer)
    static: Any = Loose([1.0])
    vars(static)["extra"] = leaf()
    with pytest.raises(NotDifferentiableError, match=r"whose BVars are not in its fields, .* at \.extra,"):
        tree.flatten(static)


def test_orig_class_is_no_attribute_of_the_users() -> None:
    @dataclasses.dataclass
    class Of(Generic[T]):
        w: T

    record = Of[BVar[float]](leaf())
    assert "__orig_class__" in vars(record)
    assert tree.map(lambda b: b + 1.0, record).w.value == 2.0


# -- Containers -----------------------------------------------------------------------------------------------------


def test_dicts_of_any_keys_keep_their_order() -> None:
    keys = ["z", "a", 3, (1, "x"), None, Color.RED, frozenset({1}), 2.5]
    tangled = {key: leaf(float(number)) for number, key in enumerate(keys)}
    new = tree.map(lambda b: b, tangled)
    assert list(new) == keys
    assert [b.value for b in new.values()] == list(range(len(keys)))
    assert tree.flatten({"a": leaf(), 3: [leaf()]})[1].paths() == ["['a']", "[3][0]"]


def test_typed_containers_are_rebuilt_as_they_are() -> None:
    ordered = OrderedDict([("b", leaf(1.0)), ("a", leaf(2.0))])
    new = tree.map(lambda b: b, ordered)
    assert type(new) is OrderedDict
    assert list(new) == ["b", "a"]
    counts: defaultdict[str, Any] = defaultdict(lambda: "made", w=leaf())
    assert tree.map(lambda b: b, counts)["absent"] == "made"


@pytest.mark.parametrize("empty", [[], (), {}, None, [[]], {"a": ()}, Pair(None, [])])
def test_what_holds_no_leaf_is_static(empty: Any) -> None:
    record = Frozen(leaf(), empty)
    assert tree.map(lambda b: b, record).rest is empty
    assert tree.leaves(empty) == []


def test_long_static_data_is_static_and_long_lists_of_leaves_are_not() -> None:
    words = [str(number) for number in range(1_000)]
    mixed: list[Any] = [*words, leaf(7.0)]
    record = Frozen(words, mixed)
    new = tree.map(lambda b: b * 2.0, record)
    assert new.w is words
    assert new.rest[:-1] == words
    assert new.rest[-1].value == 14.0
    hidden = [*words, [leaf(3.0)]]
    assert [b.value for b in tree.leaves((hidden,))] == [3.0]
    nodes = [Pair(leaf()) for _ in range(100)]
    assert len(tree.leaves(nodes)) == 100 and tree.leaves([SlottedClass(None)] * 100) == []
    with pytest.raises(NotDifferentiableError, match=r"^SlottedClass at \[0\] is a plain class"):
        tree.leaves([SlottedClass(leaf())] * 100)


@pytest.mark.parametrize("around", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}, Frozen, Data])
def test_a_record_with_slots_that_is_the_only_child(around: Callable[[Any], Any]) -> None:
    @attrs.frozen
    class Leaves:
        a: Any
        b: Any

    x = around(Leaves(leaf(1.0), leaf(2.0)))
    assert tree.map(lambda b: b, x) == x


def test_static_values_are_untouched() -> None:
    class Touchy:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        def __hash__(self) -> int:
            raise AssertionError("hashed")

        def __bool__(self) -> bool:
            raise AssertionError("asked for its truth")

        def __iter__(self) -> Any:
            raise AssertionError("iterated over")

        def __len__(self) -> int:
            raise AssertionError("measured")

        def __deepcopy__(self, memo: Any) -> Any:
            raise AssertionError("copied")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

    touchy = Touchy()
    array = np.arange(3)
    new = tree.map(lambda a, b: a + b, Frozen(leaf(), [touchy, array]), Frozen(leaf(), [touchy, array]))
    assert new.rest[0] is touchy
    assert new.rest[1] is array


# -- Own nodes ------------------------------------------------------------------------------------------------------


class Ring:
    """A container that is neither attrs class nor dataclass."""

    def __init__(self, name: str, items: Iterable[Any]) -> None:
        self.name = name
        self.items = list(items)


def test_register_node() -> None:
    class Local(Ring):
        pass

    ring = Local("first", [leaf(1.0), None, leaf(2.0)])
    with pytest.raises(NotDifferentiableError, match=r"tree\.register_node\(.*Local, flatten, unflatten\)$"):
        tree.flatten(ring)
    tree.register_node(Local, lambda ring: (ring.items, ring.name), lambda name, items: Local(name, items))
    for outer in (ring, [ring, leaf(3.0)], Local("outer", [ring])):
        new = tree.map(lambda b: b * 2.0, outer)
        assert [b.value for b in tree.leaves(new)] == [2 * b.value for b in tree.leaves(outer)]
    full = Local("full", [leaf(1.0), leaf(2.0)])
    assert tree.map(lambda b: b, full).name == "full"
    assert tree.flatten((0, ring))[1].paths() == ["[1][0]", "[1][2]"]
    empty = Local("empty", [])
    assert tree.map(lambda b: b, [empty, leaf()])[0] is empty
    with pytest.raises(StructureError, match=r"tree 2 has .*Local with 'other' and the first has .*Local with 'full'$"):
        tree.map(lambda a, b: a, full, Local("other", full.items))


def test_how_two_own_nodes_differ() -> None:
    tree.register_node(Ring, lambda ring: (ring.items, ring.name), Ring)
    one, longer, other = Ring("a", [leaf()]), Ring("a", [leaf(), 1]), Ring("b", [leaf()])
    for x, message in (
        (longer, "Ring of 2 and the first has Ring of 1"),
        (other, "Ring with 'b' and the first has Ring wi"),
    ):
        with pytest.raises(StructureError, match=f"^tree 2 is not built like the first: tree 2 has {message}"):
            tree.map(lambda a, b: a, one, x)


def test_a_class_may_be_registered_after_its_use() -> None:
    @attrs.frozen
    class Late:
        scale: Any
        items: Any

    records = [Late(1.0, leaf(1.0)), Late(leaf(2.0), [leaf(3.0)]), Late(3.0, leaf(4.0))]
    assert len(tree.leaves(records)) == 4 and len(tree.leaves(Late(leaf(), leaf()))) == 2
    tree.register_node(Late, lambda late: ([late.items], late.scale), lambda scale, items: Late(scale, *items))
    assert len(tree.leaves(Late(leaf(), leaf()))) == 1
    leaves, structure = tree.flatten(records)
    assert [b.value for b in leaves] == [1.0, 3.0, 4.0]
    # What else each of them holds comes back to it.
    assert structure.unflatten(leaves) == records


def test_a_class_with_fields_that_is_no_named_tuple() -> None:
    class Node:
        _fields = ("w",)

        def __init__(self, w: Any) -> None:
            self.w = w

    assert tree.leaves([Node(1.0)]) == []
    with pytest.raises(NotDifferentiableError, match=r"Node at \[0\] is a plain class, but it holds a BVar at \.w"):
        tree.leaves([Node(leaf())])


def test_structures_of_different_kinds_differ() -> None:
    trees = [leaf(), [leaf()], (leaf(),), {"w": leaf()}, Pair(leaf()), [[leaf()]], [leaf(), 1], [1, leaf()], 1]
    structures = [tree.flatten(x)[1] for x in trees]
    for k, one in enumerate(structures):
        assert [one == other for other in structures] == [j == k for j in range(len(structures))]


@pytest.mark.parametrize("cls", [BVar, list, tuple, dict])
def test_register_node_refuses_what_has_a_meaning(cls: type) -> None:
    with pytest.raises(TypeError, match=f"register_node: what a {cls.__name__} is to a tree cannot be changed"):
        tree.register_node(cls, lambda x: ((), None), lambda rest, children: None)


# -- Differences ----------------------------------------------------------------------------------------------------

DIFFERENCES: list[tuple[Any, Any, str]] = [
    (Frozen(leaf()), Pair(leaf()), "tree 2 has Pair and the first has Frozen"),
    (leaf(), [leaf()], "tree 2 has a list of 1 and the first has a BVar"),
    ([leaf()], (leaf(),), "tree 2 has a tuple of 1 and the first has a list of 1"),
    ([leaf()], [leaf(), leaf()], "tree 2 has a list of 2 and the first has a list of 1"),
    ([leaf()], [], "tree 2 has the list [] and the first has a list of 1"),
    (Frozen(leaf(), [leaf()]), Frozen(leaf(), None), "at .rest, tree 2 has None and the first has a list of 1"),
    (
        Frozen(leaf(), None, 0.1),
        Frozen(leaf(), None, 0.2),
        "at .rate, tree 2 has the float 0.2 and the first has the float 0.1",
    ),
    ({"a": leaf()}, {"b": leaf()}, "tree 2 has the keys ['b'] and the first has the keys ['a']"),
    (
        {"a": leaf(), "b": leaf()},
        {"b": leaf(), "a": leaf()},
        "tree 2 has the keys ['b', 'a'] and the first has the keys ['a', 'b']",
    ),
    (
        {"x": [0, (leaf(), Frozen(leaf()))]},
        {"x": [0, (leaf(), Frozen(3))]},
        "at ['x'][1][1], tree 2 has the Frozen Frozen(w=3, rest=None, rate=0.5) and the first has Frozen",
    ),
    (
        defaultdict(int, a=leaf()),
        defaultdict(list, a=leaf()),
        "tree 2 has a defaultdict with default factory <class 'list'> "
        "and the first has a defaultdict with default factory <class 'int'>",
    ),
    ([leaf(), "a" * 200], [leaf(), "b"], "at [1], tree 2 has the str 'b' and the first has the str 'aaaa"),
    # The first of several.
    ([leaf(), 1, 2], [3, 4, 5], "tree 2 has the list [3, 4, 5] and the first has a list of 3"),
    ([leaf(), 1, 2, leaf()], [leaf(), 4, 5, leaf()], "at [1], tree 2 has the int 4 and the first has the int 1"),
]


@pytest.mark.parametrize(("first", "second", "message"), DIFFERENCES)
def test_the_first_difference_is_named(first: Any, second: Any, message: str) -> None:
    with pytest.raises(StructureError) as caught:
        tree.map(lambda a, b: a, first, second)
    assert str(caught.value).startswith(f"tree 2 is not built like the first: {message}")
    assert len(str(caught.value)) < 300


def test_the_names_of_both_sides_are_the_callers() -> None:
    _, structure = tree.flatten([leaf()])
    with pytest.raises(StructureError, match=r"^the cotangent is not built like the output: the cotangent has a BVar"):
        structure.leaves_of(leaf(), "the cotangent", "the output")  # type: ignore[arg-type]  # that is the mistake


def test_map_says_which_tree_differs() -> None:
    with pytest.raises(StructureError, match=r"^tree 3 is not built like the first"):
        tree.map(lambda a, b, c: a, [leaf()], [leaf()], [])
    with pytest.raises(StructureError, match=r"^tree 4 is not built like the first"):
        tree.map(lambda a, *_: a, [leaf()], [leaf()], [leaf()], [])
    assert tree.map(lambda *xs: functools.reduce(operator.add, xs), [leaf()], [leaf()], [leaf()], [leaf()]) == [
        leaf(4.0)
    ]


def test_two_classes_of_one_name_are_told_apart() -> None:
    # As when the cell of a notebook that defines a class is run again.
    first, second = (attrs.make_class("Again", ["w"]) for _ in range(2))
    message = r"tree 2 has Again and the first has Again, but not the same one$"
    with pytest.raises(StructureError, match=message):
        tree.map(lambda a, b: a, first(leaf()), second(leaf()))
    vague = [leaf(), Same()], [leaf(), Same()]
    with pytest.raises(
        StructureError, match=r"at \[1\], tree 2 has the Same same and .* the Same same, but not the same one$"
    ):
        tree.map(lambda a, b: a, *vague)


class Same:
    def __repr__(self) -> str:
        return "same"


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]  # object declares a method


class Vague:
    def __eq__(self, other: object) -> Any:
        return "perhaps"

    __hash__ = None  # type: ignore[assignment]  # object declares a method


looped: list[Any] = [1]
looped.append(looped)
SAME: list[tuple[Any, Any]] = [
    (1.5, 1.5),
    (float("nan"), float("nan") * 2),
    ("a", "".join(["a"])),
    (np.arange(3), np.arange(3)),
    (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])),
    ([np.arange(3), {"k": (1, np.ones(2))}], [np.arange(3), {"k": (1, np.ones(2))}]),
    (np.array(["a"]), np.array(["a"])),
    (Fraction(1, 3), Fraction(2, 6)),
    (Frozen(1), Frozen(1)),
]
OTHER: list[tuple[Any, Any]] = [
    (1, 1.0),
    (1, True),
    (1, 2),
    (np.arange(3), np.arange(4)),
    (np.arange(3), np.arange(3.0)),
    (np.arange(3), np.array([0, 1, 3])),
    ([1, 2], [1, 3]),
    ([1, 2], [1, 2, 3]),
    ({"a": 1}, {"b": 1}),
    ({"a": 1}, {"a": 2}),
    (Incomparable(), Incomparable()),
    (Vague(), Vague()),
    (Frozen(np.arange(3)), Frozen(np.arange(3))),
]


@pytest.mark.parametrize(("x", "y"), SAME)
def test_equal_statics(x: Any, y: Any) -> None:
    assert tree.flatten([leaf(), x])[1] == tree.flatten([leaf(), y])[1]


@pytest.mark.parametrize(("x", "y"), OTHER)
def test_unequal_statics(x: Any, y: Any) -> None:
    assert tree.flatten([leaf(), x])[1] != tree.flatten([leaf(), y])[1]


def test_statics_that_contain_themselves_are_compared() -> None:
    # Held by a named tuple, which flatten does not see through: a list that contains itself is refused in a tree.
    def loop(last: int) -> list[Any]:
        inner: list[Any] = [0]
        inner.extend([inner, last])
        return inner

    assert tree._same(loop(1), loop(1))
    assert not tree._same(loop(1), loop(2))


def test_a_structure_is_equal_to_structures_only() -> None:
    _, structure = tree.flatten([leaf()])
    assert structure != 3
    assert (structure == object()) is False


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_wrong_number_of_leaves(count: int) -> None:
    _, structure = tree.flatten(Frozen(leaf(), leaf()))
    with pytest.raises(
        StructureError, match=f"^<structure of Frozen with 2 leaves> cannot be built from {count} leaves$"
    ):
        structure.unflatten(leaf() for _ in range(count))


def test_new_leaves_that_are_no_bvars() -> None:
    _, structure = tree.flatten(Frozen(leaf(), [leaf()]))
    new: list[Any] = [leaf(), np.ones(3)]
    with pytest.raises(
        StructureError, match=r"^the new leaf at \.rest\[0\] is of type ndarray, not a BVar; write BVar\(\.\.\.\)$"
    ):
        structure.unflatten(new)
    with pytest.raises(StructureError, match=r"^the new leaf is of type float"):
        tree.map(lambda b: b.value, leaf())


# -- What is refused ------------------------------------------------------------------------------------------------


class PlainClass:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class SlottedClass:
    __slots__ = ("__secret", "w")

    def __init__(self, w: Any) -> None:
        self.__secret = None
        self.w = w


class Layers(list[Any]):
    pass


class Bag(dict[str, Any]):
    pass


class Doubles(tuple[Any, ...]):
    pass


class Numbered(tuple[Any, ...]):
    """No named tuple, whose fields would have names."""

    _fields = (1, 2)


def with_attribute() -> None:
    """A function that holds a BVar, as one that counts its calls holds a number."""


with_attribute.w = leaf()  # type: ignore[attr-defined]  # a function takes any


class DictRecord(dict[str, Any]):
    __attrs_attrs__ = attrs.fields(Frozen)


def object_array(item: Any) -> np.ndarray[Any, Any]:
    array = np.empty(2, object)
    array[1] = item
    return array


REFUSED: list[tuple[Any, str]] = [
    (PlainClass(w=leaf()), "PlainClass is a plain class, but it holds a BVar at .w,"),
    (PlainClass(layers=[Frozen(leaf())]), "PlainClass is a plain class, but it holds a BVar at .layers[0].w,"),
    (PlainClass(a=1, inner=PlainClass(w=leaf())), "PlainClass is a plain class, but it holds a BVar at .inner.w,"),
    (PlainClass(pair=Pair(1, leaf())), "PlainClass is a plain class, but it holds a BVar at .pair.rest,"),
    (SlottedClass(leaf()), "SlottedClass is a plain class, but it holds a BVar at .w,"),
    (types.SimpleNamespace(w=leaf()), "SimpleNamespace is a plain class, but it holds a BVar at .w,"),
    (UserList([leaf()]), "UserList is a plain class, but it holds a BVar at .data[0],"),
    (Layers([1, leaf()]), "Layers is a subclass, which may be more than its items, but it holds a BVar at [1],"),
    (Bag(w=leaf()), "Bag is a subclass, which may be more than its items, but it holds a BVar at ['w'],"),
    (Counter({"w": leaf()}), "Counter is a subclass, which may be more than its items, but it holds a BVar at ['w'],"),
    (Doubles((leaf(),)), "Doubles is a subclass, which may be more than its items, but it holds a BVar at [0],"),
    (Numbered((leaf(),)), "Numbered is a subclass, which may be more than its items, but it holds a BVar at [0],"),
    (DictRecord(w=leaf()), "DictRecord is a subclass, which may be more than its items, but it holds a BVar at ['w'],"),
    (deque([leaf()]), "deque is a container that cannot be differentiated, but it holds a BVar at [0],"),
    (
        types.MappingProxyType({"w": leaf()}),
        "mappingproxy is a container that cannot be differentiated, but it holds a",
    ),
    ({"w": leaf()}.values(), "dict_values is a container that cannot be differentiated, but it holds a BVar at [0],"),
    ({"w": leaf()}.items(), "dict_items is a container that cannot be differentiated, but it holds a BVar at [0][1],"),
    (object_array(leaf()), "ndarray is a container that cannot be differentiated, but it holds a BVar at .flat[1],"),
]


@pytest.mark.parametrize(("x", "message"), REFUSED)
def test_what_is_no_node_but_holds_a_leaf_is_refused_by_name(x: Any, message: str) -> None:
    with pytest.raises(NotDifferentiableError) as caught:
        tree.flatten(x)
    assert str(caught.value).startswith(message)
    assert re.search(
        r"make it .* or register it with tree\.register_node\(\w+, flatten, unflatten\)$", str(caught.value)
    )
    name, _, rest = message.partition(" ")
    for inside, place in ([1, x], "[1]"), ({"k": Frozen([x])}, "['k'].w[0]"), (Frozen(leaf(), (0, x)), ".rest[1]"):
        with pytest.raises(NotDifferentiableError) as caught:
            tree.flatten(inside)
        assert str(caught.value).startswith(f"{name} at {place} {rest}")


@pytest.mark.parametrize(
    "x",
    [
        PlainClass(w=1, layers=[Frozen(2)], pair=Pair(1, None)),
        SlottedClass(None),
        Layers([1]),
        Bag(a=1),
        Doubles((1, 2)),
        deque([1]),
        {"w": 1}.values(),
        {"w": 1}.items(),
        object_array("x"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        {1, 2},
        functools.partial(print, 1),
        np.random.default_rng(0),
        re.compile("a"),
        sys,
        Frozen,
        lambda: None,
        with_attribute,
        type("Class", (), {"w": leaf()}),
        Color.RED,
        abc.ABC(),
        range(3),
        ValueError("x"),
    ],
)
def test_what_holds_no_leaf_passes_whatever_it_is(x: Any) -> None:
    new = tree.map(lambda b: b, [x, leaf()])
    assert new[0] is x


def test_modules_are_not_looked_into() -> None:
    class Module(types.ModuleType):
        """Of a class that was not met before."""

    module = Module("module")
    vars(module)["w"] = leaf()
    assert tree.leaves([module]) == []


def test_arrays_of_objects_are_looked_into() -> None:
    assert tree.leaves([object_array("x"), np.ones(3)]) == []
    with pytest.raises(NotDifferentiableError, match=r"^ndarray at \[0\] is a container .* at \.flat\[1\]"):
        tree.leaves([object_array(leaf())])


def test_equal_floats_are_the_same() -> None:
    assert tree._same(1.5, float("1.5")) and tree._same(float("nan"), float("nan")) and not tree._same(1.5, 2.5)


def test_the_search_for_hidden_leaves_is_short() -> None:
    many = PlainClass(**{f"a{number}": [number] * 1_000 for number in range(1_000)})
    assert tree.leaves(many) == []
    assert steps(lambda: tree.leaves(many)) < 10_000  # of a million numbers
    assert tree.leaves(PlainClass(a=PlainClass(b=PlainClass(c=PlainClass(w=leaf()))))) == []


def test_attributes_that_are_no_fields_are_refused() -> None:
    @dataclasses.dataclass
    class Extra:
        w: Any

        def __post_init__(self) -> None:
            self.scale = 2.0

    class Child(Pair):
        """A named tuple with a __dict__."""

    message = (
        r"Extra at \[0\] has an attribute 'scale' that is not a field, so a gradient or an updated .*Extra would not"
    )
    with pytest.raises(NotDifferentiableError, match=message):
        tree.flatten([Extra(leaf())])
    with pytest.raises(NotDifferentiableError, match="Extra has an attribute 'scale' that is not a field"):
        tree.flatten(Extra([leaf(), 1]))
    child = Child(leaf())
    assert type(tree.map(lambda b: b, child)) is Child
    child.scale = 2.0  # type: ignore[attr-defined]  # that is the mistake
    with pytest.raises(NotDifferentiableError, match="Child has an attribute 'scale' that is not a field"):
        tree.flatten(child)
    # A static record may have what it likes, but no BVars.
    assert tree.leaves([Extra(1)]) == []
    hiding = Extra(1)
    hiding.scale = leaf()  # type: ignore[assignment]  # that is the mistake
    with pytest.raises(
        NotDifferentiableError, match=r"Extra at \[0\] is a record whose BVars are not in its fields, .* at \.scale,"
    ):
        tree.flatten([hiding])
    child = Child(1.0)
    assert tree.leaves([child]) == []
    child.scale = leaf()  # type: ignore[attr-defined]  # that is the mistake
    with pytest.raises(
        NotDifferentiableError, match=r"Child at \[0\] is a record whose BVars are not in its fields, .* at \.scale,"
    ):
        tree.flatten([child])
    slotted = SlotsAndDict(leaf())
    assert tree.map(lambda b: b, slotted).w == leaf()
    slotted.extra = 1  # type: ignore[attr-defined]  # that is the mistake
    with pytest.raises(NotDifferentiableError, match="has an attribute 'extra' that is not a field"):
        tree.flatten(slotted)


def test_a_tree_that_contains_itself() -> None:
    loop: list[Any] = [leaf()]
    loop.append({"again": [loop]})
    with pytest.raises(NotDifferentiableError, match=r"^list at \[1\]\['again'\]\[0\] contains itself: it is a graph"):
        tree.flatten(loop)
    record = Mutable(leaf())
    record.rest = record
    with pytest.raises(NotDifferentiableError, match=r"^Mutable at \[0\]\.rest contains itself"):
        tree.flatten((record,))


# -- Large and deep -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1_000, 10_000, 100_000])
def test_depth_is_no_limit(depth: int) -> None:
    def nested(innermost: Any) -> Any:
        deep = innermost
        for _ in range(depth):
            deep = Pair(leaf(), deep)
        return deep

    record = nested(None)
    leaves, structure = tree.flatten(record)
    assert len(leaves) == depth
    assert structure == tree.flatten(structure.unflatten(leaves))[1]
    assert "a deeper one" not in repr(structure)
    with pytest.raises(StructureError, match=r"at (\.rest){20} \.\.\. \d+ more \.\.\. (\.rest){20}, tree 2 has a BVar"):
        tree.map(lambda a, b: a, record, nested(leaf()))


def test_deep_records() -> None:
    deep: Any = None
    for _ in range(4_000):
        deep = Frozen(leaf(), deep)
    doubled = tree.map(lambda b: b * 2.0, deep)
    assert len(tree.leaves(doubled)) == 4_000
    assert len(tree.flatten(deep)[1].paths()) == 4_000


def test_many_fields_cost_linear_time() -> None:
    def record(fields: int) -> Any:
        cls = dataclasses.make_dataclass("Wide", [f"f{number}" for number in range(fields)], slots=True)
        return cls(*[leaf()] * fields)

    small, large = record(1_000), record(10_000)
    for x in (small, large):
        assert len(tree.leaves(tree.map(lambda b: b, x))) == len(dataclasses.fields(x))

    def there_and_back(x: Any) -> None:
        leaves, structure = tree.flatten(x)
        structure.unflatten(leaves)

    assert steps(lambda: there_and_back(large)) < 11 * steps(lambda: there_and_back(small))


@pytest.mark.parametrize("slots", [False, True])
def test_classes_made_without_end_are_not_kept(monkeypatch: pytest.MonkeyPatch, slots: bool) -> None:
    monkeypatch.setattr(tree, "_MANY", 100)
    kept = tree.flatten(Frozen(leaf(), Data(leaf())))
    for _ in range(300):
        cls = attrs.make_class("Short", ["w"], frozen=True, slots=slots)
        assert len(tree.leaves(tree.map(lambda b: b, [cls(leaf())]))) == 1
        assert len(tree._KINDS) <= 100
        assert len(tree._SLOTTED) <= 100
    again = tree.flatten(Frozen(leaf(), Data(leaf())))
    assert kept[1] == again[1]
    assert hash(kept[1]) == hash(again[1])


# -- One vector -----------------------------------------------------------------------------------------------------

SHAPES = st.sampled_from([(), (0,), (1,), (3,), (2, 3), (1, 1, 2), (2, 1, 0, 1)])


@given(st.lists(st.tuples(SHAPES, st.booleans()), max_size=6), st.randoms(use_true_random=False))
def test_ravel_and_back(specs: list[tuple[tuple[int, ...], bool]], random: Any) -> None:
    rng = np.random.default_rng(random.randrange(2**32))

    def made(shape: tuple[int, ...], single: bool) -> BVar[Any]:
        values = rng.normal(size=shape)
        if shape == ():
            return BVar(float(values))
        return BVar(values.astype(np.float32 if single else np.float64))

    x = [Frozen(made(shape, single), "static") for shape, single in specs]
    vector, unravel = tree.ravel(x)
    expected = [np.ravel(b.value) for b in tree.leaves(x)]
    assert np.array_equal(vector.value, np.concatenate([[], *expected]))
    only_single = bool(specs) and all(shape and single for shape, single in specs)
    assert vector.dtype == (np.float32 if only_single else np.float64)
    for back in (unravel(vector), unravel(vector.value), unravel(vector.value.astype(np.float64))):
        assert back == x
        assert [b.dtype for b in tree.leaves(back)] == [b.dtype for b in tree.leaves(x)]
        assert [type(b.value) for b in tree.leaves(back)] == [type(b.value) for b in tree.leaves(x)]


def test_ravel_keeps_every_bit() -> None:
    x: list[BVar[Any]] = [BVar(-0.0), BVar(np.array([np.inf, np.nan, -0.0, 1e-45], np.float32)), BVar(5e-324)]
    back = tree.ravel(x)[1](tree.ravel(x)[0])
    assert [np.asarray(b.value).tobytes() for b in back] == [np.asarray(b.value).tobytes() for b in x]


def test_ravel_shares_no_memory() -> None:
    b = BVar(np.ones(3))
    vector, unravel = tree.ravel([b])
    assert not np.shares_memory(vector.value, b.value)
    given = ones(3)
    (back,) = unravel(given)
    given[0] = 7.0
    assert back.value[0] == 1.0
    assert not np.shares_memory(unravel(vector)[0].value, vector.value)


def test_ravel_without_leaves() -> None:
    vector, unravel = tree.ravel(("static", None))
    assert vector.shape == (0,)
    assert unravel(zeros(0)) == ("static", None)


def test_ravel_is_differentiable() -> None:
    def through(x: list[BVar[Any]]) -> BVar[float]:
        vector, unravel = tree.ravel(x)
        scaled = unravel(vector * vector)
        return vector @ vector + scaled[1] * (scaled[0] * x[0]).sum() + unravel(BVar(ones(7)))[1] * x[1]

    def directly(x: list[BVar[Any]]) -> BVar[float]:
        w, s = x
        return (w * w).sum() + s * s + s * s * (w * w * w).sum() + s

    x: list[BVar[Any]] = [BVar(np.arange(6.0).reshape(2, 3)), BVar(2.0)]
    check_grads(through, (x,), order=2)
    assert grad(through)(x) == grad(directly)(x)

    def slope(f: Callable[[list[BVar[Any]]], BVar[float]], x: list[BVar[Any]]) -> BVar[float]:
        return grad(f)(x)[1]

    assert grad(functools.partial(slope, through))(x) == grad(functools.partial(slope, directly))(x)


def test_ravel_of_a_gradient_has_the_leaves_dtypes() -> None:
    def loss(x: list[BVar[Any]]) -> BVar[float]:
        vector, _ = tree.ravel(x)
        return vector @ vector

    x: list[BVar[Any]] = [BVar(np.ones(2, np.float32)), BVar(3.0), BVar(np.ones(2)), BVar(np.ones(1, np.float32))]
    gradient = grad(loss)(x)
    assert gradient == [b * 2.0 for b in x]
    assert [b.dtype for b in gradient] == [b.dtype for b in x]


def test_ravel_beside_constants() -> None:
    """Parts that are on no tape get no cotangent, and parts that are not used give none."""

    def loss(b: BVar[float]) -> BVar[float]:
        vector, unravel = tree.ravel([leaf(5.0), b, leaf(7.0)])
        return unravel(vector * vector)[1] * 1.0 + vector[0] * b

    assert grad(loss)(leaf(3.0)).value == 2 * 3.0 + 5.0


def test_ravel_refuses_leaves_that_are_no_floats() -> None:
    # A value of a registered type, as `register` lets BVar hold them.
    fraction = leaf()
    fraction._value = Fraction(1, 3)
    with pytest.raises(DTypeError, match=r"^ravel: the leaf at \[1\] is a Fraction, no float$"):
        tree.ravel([leaf(), fraction])
    with pytest.raises(DTypeError, match=r"^ravel: the leaf is a Fraction, no float$"):
        tree.ravel(fraction)


WRONG_VECTORS: list[tuple[Any, type[Exception], str]] = [
    (
        np.ones(4),
        ShapeError,
        "unravel: wanted a vector of length 3, for <structure of Frozen with 2 leaves>, got shape (4,)",
    ),
    (
        np.ones((3, 1)),
        ShapeError,
        "unravel: wanted a vector of length 3, for <structure of Frozen with 2 leaves>, got shape",
    ),
    (
        BVar(1.0),
        ShapeError,
        "unravel: wanted a vector of length 3, for <structure of Frozen with 2 leaves>, got shape ()",
    ),
    (BVar(np.ones(3, np.float32)), DTypeError, "unravel: the vector is float32, wanted float64, which ravel gave"),
    (np.ones(3, int), DTypeError, "unravel: wanted a BVar or a float array, got an array of dtype int64"),
    (np.ones(3, complex), DTypeError, "unravel: wanted a BVar or a float array, got an array of dtype complex128"),
    ([1.0, 2.0, 3.0], DTypeError, "unravel: wanted a BVar or a float array, got list"),
]


@pytest.mark.parametrize(("vector", "error", "message"), WRONG_VECTORS)
def test_unravel_of_something_else(vector: Any, error: type[Exception], message: str) -> None:
    _, unravel = tree.ravel(Frozen(leaf(), BVar(np.ones(2))))
    with pytest.raises(error) as caught:
        unravel(vector)
    assert str(caught.value).startswith(message)


def test_unravel_of_a_number_for_a_float32_vector() -> None:
    _, unravel = tree.ravel([BVar(np.ones(2, np.float32))])
    with pytest.raises(ShapeError, match=r"^unravel: wanted a vector of length 2, .* got shape \(\)$"):
        unravel(cast(Any, BVar(1.0)))


def test_structures_are_not_pickled_by_accident() -> None:
    # Their kinds hold slot setters, and what is to be stored is the record.
    record = Frozen(leaf())
    assert pickle.loads(pickle.dumps(record)) == record
