"""Pytrees: how a record of BVars is taken apart into its leaves and put together again.

A *leaf* is a `BVar`. A *node* is an instance of an attrs class or a dataclass, a named tuple, a tuple, a list or a
dict, or of a class that was given to `register_node`, with a leaf somewhere inside. Whatever holds no leaf is *static*:
it is carried through by identity, never copied.

`flatten` gives the leaves, in the order of the fields, and a `Structure`, which makes the same tree around new leaves.
The new records are made without their class's `__init__`, converters, validators or post-init: what these do to a
parameter (check a range, say) they must not do to a gradient. Since only fields are carried over, a record with leaves
must not have other attributes, cached properties aside.

A leaf that stands in two places is two leaves, and a tuple or list inside stays what it is: there is no merging, no
sorting of keys, no flattening of arrays (that is `ravel`).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import reprlib
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, ItemsView, Iterable, Iterator, Sequence, ValuesView
from operator import attrgetter
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final, Generic, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import plain
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.ops.ravel import Layout, joined, taken_apart
from typedprop.paths import Path, written
from typedprop.shapes import R

P = TypeVar("P")
Static = TypeVar("Static")
# The leaves of one tree have different types, and what a class keeps in its fields is the class's own business, so
# `BVar[Any]` and `Any` are the exact types of what passes through here.
Leaf = BVar[Any]


class StructureError(TypeError):
    """Two trees that should be built alike are not: other classes, lengths, keys or static values."""


# -- What a class is to a tree --------------------------------------------------------------------------------------

# Ordered: below RECORD is what is never taken apart.
_LEAF, _ATOM, _OPAQUE, _RECORD, _NAMED, _TUPLE, _LIST, _DICT, _CUSTOM = range(9)
_SEQUENCES = (_NAMED, _TUPLE, _LIST)


class _Kind:
    """How values of one class are taken apart and put together, worked out once a class."""

    __slots__ = ("children", "cls", "fields_in_dict", "form", "names", "rebuild", "setters", "structure", "whole")

    children: Callable[[Any], Any]
    """A record's fields as a tuple; a custom node's children, and what rebuilding takes besides. Others have none."""
    rebuild: Callable[[Any, list[Any]], Any]
    """The maker of a custom node."""

    def __init__(self, cls: type, form: int, names: tuple[str, ...] = ()) -> None:
        self.cls = cls
        self.form = form
        # A record's fields, a named tuple's, or the slots of an opaque class.
        self.names = names
        # Where all fields are slots, the slots' own setters; they bypass __setattr__, hence frozen and on_setattr.
        self.setters: tuple[Callable[[Any, Any], None], ...] | None = None
        # How many fields live in the instance's __dict__; -1 where there is none. More attributes are no fields.
        self.fields_in_dict = -1
        # A node of this class whose children all are leaves: the common case, made once.
        self.whole: _Entry = (self, len(names), None, True)
        self.structure: Structure[Any] = Structure((self.whole,), (), len(names))

    # The cache may be emptied, so equality is by what is known of the class, identity being the fast case.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kind) and (self.cls, self.form, self.names) == (other.cls, other.form, other.names)


# One step of a structure, in postfix order: (kind, how many children, keys, whether all children are leaves).
_Entry = tuple[_Kind, int, Any, bool]


class Structure(Generic[P]):
    """All of a tree but its leaves; made by `flatten`.

    Two structures are equal when their nodes have the same classes, lengths and keys, and the static values are the
    same objects, or equal ones (arrays: of the same dtype, shape and elements).
    """

    # In postfix order, so that neither building nor comparing recurses, however deep the tree.
    __slots__ = ("_program", "_statics", "size")

    size: int
    """The number of leaves."""

    def __init__(self, program: tuple[_Entry, ...], statics: tuple[Any, ...], size: int) -> None:
        self._program = program
        self._statics = statics
        self.size = size

    def unflatten(self, leaves: Iterable[Leaf]) -> P:
        """The tree around new leaves, as many as it has; raises `StructureError` for more or fewer or none-BVars."""
        new_leaves = leaves if type(leaves) is list else list(leaves)
        if len(new_leaves) != self.size:
            raise StructureError(f"{self!r} cannot be built from {len(new_leaves)} leaves")
        for leaf in new_leaves:
            if type(leaf) is not BVar:
                raise self._not_a_leaf(new_leaves)
        return self._around(new_leaves)

    def _around(self, leaves: list[Leaf]) -> P:
        """The tree around new leaves, which are known to be as many BVars as it has."""
        tree: P = _build(self._program, self._statics, leaves)
        return tree

    def leaves_of(self, tree: P, name: str = "the tree", like: str = "the other tree") -> list[Leaf]:
        """The leaves of `tree`, which must have this structure; in messages it is called `name`, and this one `like`.

        Raises `StructureError`, naming the first path at which they differ and what is there on both sides.
        """
        leaves, structure = flatten(tree)
        if structure is not self and structure != self:
            raise StructureError(f"{name} is not built like {like}: {_difference(structure, self, name, like)}")
        return leaves

    def paths(self) -> list[str]:
        """Where each leaf is, as one would write it: `.layers[0].weight1`, `['w']`; `` for a leaf by itself."""
        found = []
        pending: list[tuple[_View, Path]] = [(_view(self), None)]
        while pending:
            view, path = pending.pop()
            if view.entry is _LEAF_ENTRY:
                found.append(written(path))
            pending.extend((child, (path, step)) for child, step in _reversed_children(view))
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Structure):
            return NotImplemented
        return self is other or (
            self._program == other._program
            and len(self._statics) == len(other._statics)
            and all(_same(x, y) for x, y in zip(self._statics, other._statics, strict=True))
        )

    def __hash__(self) -> int:
        return hash((len(self._program), self.size))

    def __repr__(self) -> str:
        leaves = "1 leaf" if self.size == 1 else f"{self.size} leaves"
        return f"<structure of {_described(self._program[-1], self._statics)} with {leaves}>"

    def _not_a_leaf(self, leaves: list[Leaf]) -> StructureError:
        path, leaf = next((p, x) for p, x in zip(self.paths(), leaves, strict=True) if type(x) is not BVar)
        return StructureError(
            f"the new leaf{' at ' if path else ''}{path} is of type {type(leaf).__name__}, not a BVar; write BVar(...)"
        )


_LEAF_ENTRY: Final[_Entry] = (_Kind(BVar, _LEAF), 1, None, False)
_STATIC_ENTRY: Final[_Entry] = (_Kind(object, _ATOM), 0, None, False)
_LEAF_STRUCTURE: Final[Structure[Any]] = Structure((_LEAF_ENTRY,), (), 1)


class _Unset:
    """Stands for a field without a value, such as one with `init=False` that was never assigned."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "an unset field"


_UNSET: Final = _Unset()

# Classes are looked up here at each node. Both are emptied when they grow past `_MANY`, so that a program that makes
# classes without end does not keep them all.
_KINDS: dict[type, _Kind] = {}
_MANY: Final = 4096
# The fields and the structure of records with slots, which `flatten` has a short way for.
_SLOTTED: dict[type, tuple[Callable[[Any], tuple[Any, ...]], Structure[Any]]] = {}
# The classes given to register_node.
_REGISTERED: dict[type, tuple[Callable[[Any], tuple[Iterable[Any], Any]], Callable[[Any, list[Any]], Any]]] = {}


def register_node(
    cls: type[P],
    flatten: Callable[[P], tuple[Iterable[object], Static]],
    # The children are of the types that they had, which the class knows and no signature can say.
    unflatten: Callable[[Static, list[Any]], P],
) -> None:
    """Let instances of `cls` (not of its subclasses) be nodes: for a container of yours that is not an attrs class.

    `flatten(x)` gives its children and whatever else it takes to make it again, which is static; `unflatten(rest,
    children)` makes it. Raises TypeError for the classes that are nodes or leaves already by Python's own meaning.

    To make a number type of yours differentiable, use `register`: that is another thing, a leaf.
    """
    if cls in (BVar, tuple, list, dict):
        raise TypeError(f"register_node: what a {cls.__name__} is to a tree cannot be changed")
    _REGISTERED[cls] = (flatten, unflatten)
    _KINDS.pop(cls, None)
    _SLOTTED.pop(cls, None)


def _kind_of(cls: type) -> _Kind:
    """The kind of a class that is not in the cache, which it then is."""
    if len(_KINDS) >= _MANY:
        _KINDS.clear()
        _SLOTTED.clear()
    kind = _examine(cls)
    _KINDS[cls] = kind
    if kind.form == _RECORD and kind.fields_in_dict < 0:
        _SLOTTED[cls] = (kind.children, kind.structure)
    return kind


def _examine(cls: type) -> _Kind:
    if cls in _REGISTERED:
        kind = _Kind(cls, _CUSTOM)
        kind.children, kind.rebuild = _REGISTERED[cls]
        return kind
    if cls is list:
        return _Kind(cls, _LIST)
    if cls is tuple:
        return _Kind(cls, _TUPLE)
    if cls in (dict, OrderedDict, defaultdict):
        return _Kind(cls, _DICT)
    names = getattr(cls, "_fields", None)
    if issubclass(cls, tuple) and isinstance(names, tuple) and all(isinstance(name, str) for name in names):
        kind = _Kind(cls, _NAMED, names)
        kind.fields_in_dict = 0 if _has_dict(cls) else -1
        return kind
    fields = _fields(cls)
    if fields and _is_plainly_made(cls):
        return _record(cls, fields)
    return _Kind(cls, _OPAQUE if _may_hide(cls) else _ATOM, _slots(cls))


def _record(cls: type, names: tuple[str, ...]) -> _Kind:
    kind = _Kind(cls, _RECORD, names)
    get: Callable[[Any], Any] = attrgetter(*names)
    # An attrgetter of one name gives the bare value.
    kind.children = get if len(names) > 1 else (lambda x: (get(x),))
    members = [_class_attribute(cls, name) for name in names]
    if all(type(member) is MemberDescriptorType for member in members):
        kind.setters = tuple(member.__set__ for member in members)
    if _has_dict(cls):
        kind.fields_in_dict = sum(type(member) is not MemberDescriptorType for member in members)
    return kind


def _fields(cls: type) -> tuple[str, ...]:
    """The names of the fields of an attrs class or dataclass, in the order of their declaration."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        own = vars(base)
        if "__attrs_attrs__" in own:
            names.update((attribute.name, None) for attribute in own["__attrs_attrs__"])
        elif "__dataclass_fields__" in own:
            names.update((field.name, None) for field in dataclasses.fields(base))
    return tuple(names)


def _is_plainly_made(cls: type) -> bool:
    """Whether an empty instance can be made; not so for records that derive from dict, Exception and their like."""
    try:
        object.__new__(cls)
    except TypeError:
        return False
    return True


def _class_attribute(cls: type, name: str) -> Any:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def _has_dict(cls: type) -> bool:
    return any("__dict__" in vars(base) for base in cls.__mro__)


def _slots(cls: type) -> tuple[str, ...]:
    """The slots of a Python class, under the names that getattr takes."""
    return tuple(
        name
        for base in cls.__mro__
        if "__slots__" in vars(base)
        for name, member in vars(base).items()
        if type(member) is MemberDescriptorType
    )


# What may hold BVars and cannot be built anew around others: not always, or not as what it was.
_CONTAINERS: Final = (deque, MappingProxyType, ValuesView, ItemsView, np.ndarray)


def _may_hide(cls: type) -> bool:
    """Whether a BVar inside an instance would be overlooked by its owner: then flatten has a look."""
    if issubclass(cls, (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType)):
        return False
    if issubclass(cls, (list, tuple, dict, *_CONTAINERS)):
        return True
    return _has_dict(cls) or bool(_slots(cls))


# -- Taking apart ---------------------------------------------------------------------------------------------------


def flatten(x: P) -> tuple[list[Leaf], Structure[P]]:
    """The leaves of `x`, in order, in a new list, and its structure.

    Raises `NotDifferentiableError` for a plain class or an unknown container with BVars inside, whose gradient would be
    missing silently, and for a tree that contains itself.
    """
    # The short way, for a record of leaves: no more than a look at each field.
    try:
        fields, structure = _SLOTTED[type(x)]
        values = fields(x)
    except (KeyError, AttributeError):
        return _flatten(x)
    for value in values:
        if type(value) is not BVar:
            return _flatten(x)
    return [*values], structure


# A node that is being taken apart: its kind, keys, itself, children, the ones still to come, and how long the program,
# the leaves and the statics were before it.
_Frame = tuple[_Kind, Any, Any, Sequence[Any], Iterator[Any], int, int, int]


def _flatten(x: Any) -> tuple[list[Leaf], Structure[Any]]:
    if type(x) is BVar:
        return [x], _LEAF_STRUCTURE
    leaves: list[Leaf] = []
    program: list[_Entry] = []
    statics: list[Any] = []
    # The innermost node is last. The first frame holds the root as if it were a child.
    children: Sequence[Any] = (x,)
    remaining: Iterator[Any] = iter(children)
    frames: list[_Frame] = [(_STATIC_ENTRY[0], None, None, children, remaining, 0, 0, 0)]
    many = 1000
    while True:
        for child in remaining:
            cls = type(child)
            if cls is BVar:
                leaves.append(child)
                program.append(_LEAF_ENTRY)
                continue
            kind = _KINDS.get(cls) or _kind_of(cls)
            form = kind.form
            keys: Any = None
            if form == _RECORD:
                try:
                    children = kind.children(child)
                except AttributeError:
                    children = [getattr(child, name, _UNSET) for name in kind.names]
                    keys = _UNSET
            elif form in _SEQUENCES:
                children = child
            elif form == _DICT:
                children = tuple(child.values())
                keys = (tuple(child), getattr(child, "default_factory", None))
            elif form == _CUSTOM:
                parts, keys = kind.children(child)
                children = [*parts]
            else:
                if form == _OPAQUE:
                    _refuse_hidden(kind, child, frames)
                statics.append(child)
                program.append(_STATIC_ENTRY)
                continue
            if len(children) > _LONG and _all_atoms(children):
                statics.append(child)
                program.append(_STATIC_ENTRY)
                continue
            for value in children:
                if type(value) is not BVar:
                    # A child to look into, now.
                    remaining = iter(children)
                    frames.append((kind, keys, child, children, remaining, len(program), len(leaves), len(statics)))
                    break
            else:
                if not children:
                    statics.append(child)
                    program.append(_STATIC_ENTRY)
                    continue
                leaves.extend(children)
                if kind.fields_in_dict >= 0:
                    _refuse_other_attributes(kind, child, frames)
                if form == _RECORD:
                    program.append(kind.whole)
                elif form == _CUSTOM:
                    statics.append(keys)
                    program.append((kind, len(children), None, True))
                else:
                    program.append((kind, len(children), keys, True))
                continue
            break
        else:
            kind, keys, node, children, _, programmed, found, kept = frames.pop()
            if not frames:
                return leaves, Structure(tuple(program), tuple(statics), len(leaves))
            if len(leaves) == found:
                # No leaf inside: all of it is static.
                if kind.fields_in_dict >= 0 and len(vars(node)) > kind.fields_in_dict:
                    _refuse_hidden(kind, node, frames)
                del program[programmed:], statics[kept:]
                statics.append(node)
                program.append(_STATIC_ENTRY)
            else:
                if kind.fields_in_dict >= 0:
                    _refuse_other_attributes(kind, node, frames)
                if kind.form == _CUSTOM:
                    statics.append(keys)
                    keys = None
                program.append((kind, len(children), keys, False))
            remaining = frames[-1][4]
        if len(frames) > many:
            _refuse_cycle(frames)
            many *= 2


# From this length on, a look ahead saves time on static data, such as a list of words.
_LONG: Final = 16


def _all_atoms(values: Sequence[Any]) -> bool:
    """Whether nothing but numbers, strings and their like is there, by the first value and then by all."""
    if not _is_atom(type(values[0])):
        return False
    return all(_is_atom(cls) for cls in {type(value) for value in values})


def _is_atom(cls: type) -> bool:
    return cls is not BVar and (_KINDS.get(cls) or _kind_of(cls)).form == _ATOM


def leaves(x: object) -> list[Leaf]:
    """The leaves of `x`, in order; see `flatten`."""
    return flatten(x)[0]


# -- Putting together -----------------------------------------------------------------------------------------------


def unflatten(structure: Structure[P], leaves: Iterable[Leaf]) -> P:
    """The tree of this structure around new leaves: `unflatten(*reversed(flatten(x)))` is like `x`."""
    return structure.unflatten(leaves)


_new = object.__new__
_set = object.__setattr__


def _build(program: tuple[_Entry, ...], statics: tuple[Any, ...], leaves: list[Leaf]) -> Any:
    node: Any
    if len(program) == 1 and (setters := program[0][0].setters) is not None:
        # The common case first, and with nothing in between: one record with slots, all of them leaves.
        node = _new(program[0][0].cls)
        for setter, leaf in zip(setters, leaves):  # noqa: B905  # of one length, which costs time to have checked
            setter(node, leaf)
        return node
    made: list[Any] = []
    push = made.append
    used = kept = 0
    values: list[Any]
    for entry in program:
        kind, count, keys, whole = entry
        if whole:
            setters = kind.setters
            if setters is not None:
                # A record with slots, all of them leaves.
                node = _new(kind.cls)
                for setter in setters:
                    setter(node, leaves[used])
                    used += 1
                push(node)
                continue
            values = leaves[used : used + count]
            used += count
        elif entry is _LEAF_ENTRY:
            made.append(leaves[used])
            used += 1
            continue
        elif entry is _STATIC_ENTRY:
            made.append(statics[kept])
            kept += 1
            continue
        else:
            values = made[-count:]
            del made[-count:]
        form = kind.form
        if form == _RECORD:
            node = _new(kind.cls)
            for name, value in zip(kind.names, values, strict=True):
                if value is not _UNSET:
                    _set(node, name, value)
            made.append(node)
        elif form == _LIST:
            made.append(values)
        elif form == _TUPLE:
            made.append(tuple(values))
        elif form == _NAMED:
            made.append(tuple.__new__(kind.cls, values))
        elif form == _DICT:
            items = zip(keys[0], values, strict=True)
            made.append(defaultdict(keys[1], items) if kind.cls is defaultdict else kind.cls(items))
        else:
            made.append(kind.rebuild(statics[kept], values))
            kept += 1
    return made[0]


@overload
def map(f: Callable[[Leaf], Leaf], tree: P, /) -> P: ...
@overload
def map(f: Callable[[Leaf, Leaf], Leaf], tree: P, other: P, /) -> P: ...
@overload
def map(f: Callable[[Leaf, Leaf, Leaf], Leaf], tree: P, other: P, another: P, /) -> P: ...
@overload
def map(f: Callable[..., Leaf], tree: P, /, *others: P) -> P: ...
def map(f: Callable[..., Leaf], tree: P, /, *others: P) -> P:
    """The tree of `f(leaf, ...)` for each leaf of `tree` and the leaves in the same places of the other trees.

    The trees must be built alike, their static values included; those of the result are the first tree's. Raises
    `StructureError` with the first path at which two trees differ, or where `f` gives something other than a BVar.
    """
    first, structure = flatten(tree)
    if not others:
        return structure.unflatten([f(leaf) for leaf in first])
    rest = [structure.leaves_of(other, f"tree {number}", "the first") for number, other in enumerate(others, start=2)]
    return structure.unflatten([f(*row) for row in zip(first, *rest, strict=True)])


def ravel(x: P) -> tuple[BVar[R[Any]], Callable[[BVar[R[Any]] | R[Any]], P]]:
    """All elements of all leaves as one vector, in order, and the function that makes the tree of such a vector.

    Both are differentiable, and `unravel(vector)` has the leaves of `x` exactly, each of its own shape and dtype: the
    vector is float32 if all leaves are float32 arrays, else float64. `unravel` takes a BVar of the vector's length and
    dtype, or a plain float array, as optimizers give it; else it raises `ShapeError` or `DTypeError`.

    Raises `DTypeError` for leaves of a registered type, which are no floats.
    """
    parts, structure = flatten(x)
    for part in parts:
        if not isinstance(plain(part), (float, np.ndarray)):
            path = next(path for path, leaf in zip(structure.paths(), parts, strict=True) if leaf is part)
            raise DTypeError(f"ravel: the leaf{path and f' at {path}'} is a {type(part.value).__name__}, no float")
    layout = Layout([part.shape for part in parts], [part.dtype for part in parts])

    # Without leaves there is no BVar among the parts to make the vector one.
    together: BVar[Any] = joined(parts, layout) if parts else BVar(np.zeros(0))
    return together, _Unravel(layout, structure)


class _Unravel:
    """What makes the tree of a vector: the second result of `ravel`."""

    __slots__ = ("_layout", "_structure")

    def __init__(self, layout: Layout, structure: Structure[Any]) -> None:
        self._layout = layout
        self._structure = structure

    # A tree of the type that `ravel` was given.
    def __call__(self, vector: BVar[R[Any]] | R[Any]) -> Any:
        layout = self._layout
        lifted: BVar[Any]
        if type(vector) is BVar:
            lifted = vector
            if vector.shape and vector.dtype != layout.dtype:
                raise DTypeError(f"unravel: the vector is {vector.dtype}, wanted {layout.dtype}, which ravel gave")
        elif isinstance(vector, np.ndarray) and vector.dtype.kind == "f":
            lifted = BVar(vector.astype(layout.dtype))
        else:
            what = f"an array of dtype {vector.dtype}" if isinstance(vector, np.ndarray) else type(vector).__name__
            raise DTypeError(f"unravel: wanted a BVar or a float array, got {what}")
        if lifted.shape != (layout.size,):
            raise ShapeError(
                f"unravel: wanted a vector of length {layout.size}, for {self._structure!r}, got shape {lifted.shape}"
            )
        return self._structure.unflatten(taken_apart(lifted, layout))


# -- Refusing -------------------------------------------------------------------------------------------------------


def _refuse_hidden(kind: _Kind, x: Any, frames: list[_Frame]) -> None:
    """Raise if an object that is not taken apart holds a BVar, for which there would silently be no gradient."""
    step = _hidden(kind, x)
    if step is None:
        return
    cls = kind.cls
    where = _place(frames, x)
    if kind.form != _NAMED and issubclass(cls, (list, tuple, dict)):
        what, way_out = "a subclass, which may be more than its items", "a plain list, tuple or dict"
    elif issubclass(cls, _CONTAINERS):
        what, way_out = "a container that cannot be differentiated", "a list, tuple or dict"
    elif kind.form in (_RECORD, _NAMED):
        what, way_out = "a record whose BVars are not in its fields", "fields for them"
    else:
        what, way_out = "a plain class", "an attrs class (@attrs.frozen), a dataclass or a named tuple"
    name = cls.__qualname__
    raise NotDifferentiableError(
        f"{name}{where} is {what}, but it holds a BVar at {step}, which would get no gradient; make it {way_out}, "
        f"or register it with tree.register_node({name}, flatten, unflatten)"
    )


def _hidden(kind: _Kind, x: Any) -> str | None:
    """Where an object holds a BVar: in its attributes or items, or a little deeper. The search is short, for it is
    made for each static object at each gradient; what it is to find is the model that was written as a plain class."""
    if type(x) is np.ndarray and not x.dtype.hasobject:
        return None
    steps = _MOST_PARTS
    pending: list[tuple[_Kind, Any, str, int]] = [(kind, x, "", 0)]
    for holder_kind, holder, path, depth in pending:
        for step, value in _parts(holder_kind, holder):
            if type(value) is BVar:
                return f"{path}{step}"
            steps -= 1
            if steps < 0:
                return None
            value_kind = _KINDS.get(type(value)) or _kind_of(type(value))
            if depth < 2 and value_kind.form != _ATOM:
                pending.append((value_kind, value, f"{path}{step}", depth + 1))
    return None


def _parts(kind: _Kind, x: Any) -> Iterator[tuple[str, Any]]:
    """What an object of any class holds, as far as a look at it can tell."""
    for name in kind.names:
        yield f".{name}", getattr(x, name, None)
    attributes = getattr(x, "__dict__", None)
    if type(attributes) is dict:
        for name, value in _first(attributes.items()):
            # A cached property is made anew for new leaves.
            if type(_class_attribute(kind.cls, name)) is not functools.cached_property:
                yield f".{name}", value
    if kind.form == _NAMED:
        return
    if isinstance(x, (list, tuple, deque, ValuesView, ItemsView)):
        for index, value in enumerate(_first(x)):
            yield f"[{index}]", value
    elif isinstance(x, (dict, MappingProxyType)):
        for key, value in _first(x.items()):
            yield f"[{key!r}]", value
    elif isinstance(x, np.ndarray) and x.dtype.hasobject and x.dtype.names is None:
        for index, value in enumerate(_first(x.flat)):
            yield f".flat[{index}]", value


_MOST_PARTS: Final = 200


def _first(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(itertools.islice(values, _MOST_PARTS))


def _refuse_other_attributes(kind: _Kind, x: Any, frames: list[_Frame]) -> None:
    """Raise if a record with a __dict__ has attributes there besides its fields: its copies would lack them."""
    attributes = vars(x)
    if len(attributes) <= kind.fields_in_dict:
        return
    for name in attributes:
        # Dunder attributes are Python's own, such as __orig_class__; a cached property is made anew for new leaves.
        if (
            name not in kind.names
            and not name.startswith("__")
            and type(_class_attribute(kind.cls, name)) is not functools.cached_property
        ):
            cls = kind.cls.__qualname__
            raise NotDifferentiableError(
                f"{cls}{_place(frames, x)} has an attribute {name!r} that is not a field, so a gradient or an updated "
                f"{cls} would not have it; declare it as a field ({name}: ... = attrs.field(init=False)), or make it a "
                "functools.cached_property"
            )


def _refuse_cycle(frames: list[_Frame]) -> None:
    """Raise if a node contains itself; asked only when the nesting is deep, for every such tree nests without end."""
    seen: set[int] = set()
    for depth, frame in enumerate(frames):
        node = frame[2]
        if id(node) in seen and node is not None:
            raise NotDifferentiableError(
                f"{type(node).__qualname__}{_place(frames[:depth], node)} contains itself: it is a graph, and "
                "only a tree has leaves"
            )
        seen.add(id(node))


def _place(frames: list[_Frame], x: Any, word: str = " at ") -> str:
    """Where `x`, a child of the last frame's node, is: ` at .layers[0]`, or nothing for the root."""
    nodes = [frame[2] for frame in frames[1:]] + [x]
    path: Path = None
    for (kind, keys, _, children, *_), node in zip(frames[1:], nodes[1:], strict=True):
        index = next((i for i, child in enumerate(children) if child is node), 0)
        path = (path, _step((kind, len(children), keys, False), index))
    return word + written(path) if path else ""


# -- Saying where and what ------------------------------------------------------------------------------------------


def _step(entry: _Entry, index: int) -> str:
    """How one writes the way to a node's child."""
    kind, _, keys, _ = entry
    if kind.form == _RECORD or kind.form == _NAMED:
        return f".{kind.names[index]}"
    return f"[{keys[0][index]!r}]" if kind.form == _DICT else f"[{index}]"


class _View:
    """A structure's node with its children below it, for messages; the structure itself is flat."""

    __slots__ = ("children", "entry", "static")

    def __init__(self, entry: _Entry, children: list[_View], static: Any = None) -> None:
        self.entry = entry
        self.children = children
        self.static = static


def _view(structure: Structure[Any]) -> _View:
    made: list[_View] = []
    statics = iter(structure._statics)
    for entry in structure._program:
        kind, count, _, whole = entry
        children: list[_View] = []
        if whole:
            children = [_View(_LEAF_ENTRY, [])] * count
        elif entry is not _LEAF_ENTRY and entry is not _STATIC_ENTRY:
            children = made[-count:]
            del made[-count:]
        takes_static = entry is _STATIC_ENTRY or kind.form == _CUSTOM
        made.append(_View(entry, children, next(statics) if takes_static else None))
    return made[0]


def _reversed_children(view: _View) -> Iterator[tuple[_View, str]]:
    for index in reversed(range(len(view.children))):
        yield view.children[index], _step(view.entry, index)


def _difference(a: Structure[Any], b: Structure[Any], name: str, other: str) -> str:
    """What is different at the first place where two unequal structures are."""
    pending: list[tuple[_View, _View, Path]] = [(_view(a), _view(b), None)]
    while True:
        x, y, path = pending.pop()
        # A record's entry may say that fields are unset, which shows in those.
        alike = x.entry[:2] == y.entry[:2] and (x.entry[0].form == _RECORD or x.entry[2] == y.entry[2])
        if not alike or not _same(x.static, y.static):
            where = f"at {written(path)}, " if path else ""
            first, second = _shown(x, y, alike), _shown(y, x, alike)
            return f"{where}{name} has {first} and {other} has {second}" + ", but not the same one" * (first == second)
        pending.extend(
            (child, y.children[-1 - index], (path, step)) for index, (child, step) in enumerate(_reversed_children(x))
        )


def _shown(view: _View, other: _View, alike: bool) -> str:
    """A node in words; where two would read alike, the point in which they differ."""
    kind, _, keys, _ = view.entry
    if kind.form == _CUSTOM:
        return f"{kind.cls.__qualname__} {f'with {_SHORT.repr(view.static)}' if alike else f'of {view.entry[1]}'}"
    if kind.form == _DICT and other.entry[0] == kind:
        if keys[0] == other.entry[2][0]:
            return f"a {kind.cls.__name__} with default factory {_SHORT.repr(keys[1])}"
        return f"the keys {_SHORT.repr(list(keys[0]))}"
    return _described(view.entry, (view.static,))


def _described(entry: _Entry, statics: tuple[Any, ...]) -> str:
    kind, count, _, _ = entry
    if entry is _LEAF_ENTRY:
        return "a BVar"
    if entry is _STATIC_ENTRY:
        static = statics[-1]
        if static is None or static is _UNSET:
            return str(static)
        return f"the {type(static).__qualname__} {_SHORT.repr(static)}"
    if kind.form in (_TUPLE, _LIST, _DICT):
        return f"a {kind.cls.__name__} of {count}"
    return kind.cls.__qualname__


_SHORT: Final = reprlib.Repr()
_SHORT.maxother = 60
_SHORT.maxstring = 60


# -- Comparing static values ----------------------------------------------------------------------------------------


def _same(x: Any, y: Any) -> bool:
    """Whether two static values are the same object or equal, where equality is a plain yes or no."""
    pending = [(x, y)]
    # Static values may contain themselves; each pair is compared once.
    seen: set[tuple[int, int]] = set()
    while pending:
        x, y = pending.pop()
        if x is y:
            continue
        if type(x) is not type(y):
            return False
        if isinstance(x, np.ndarray):
            if not _same_arrays(x, y):
                return False
        elif isinstance(x, (tuple, list, dict)):
            if len(x) != len(y):
                return False
            if (id(x), id(y)) in seen:
                continue
            seen.add((id(x), id(y)))
            if isinstance(x, dict):
                if x.keys() != y.keys():
                    return False
                pending.extend((value, y[key]) for key, value in x.items())
            else:
                pending.extend(zip(x, y, strict=True))
        elif not _equal(x, y):
            return False
    return True


def _equal(x: Any, y: Any) -> bool:
    # A comparison may raise anything, and a value that cannot be compared is not known to be equal.
    try:
        if type(x) is float:
            return x == y or (x != x and y != y)
        answer = x == y
        return isinstance(answer, (bool, np.bool)) and bool(answer)
    except Exception:
        return False


def _same_arrays(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    return x.dtype == y.dtype and x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
