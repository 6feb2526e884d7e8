"""Do the values in a record fit the record's annotations?

A type variable or a `Dim` has one size throughout a record, a `Literal` has its own, and `Any` is not checked; the same
goes for dtypes. What is inside is held to it too: records in lists, tuples, dicts and other records, whose type
variables are what the annotation says: those of a field `first: Layer[I, H]` are the I and H of the record around it.

The annotations of a class are translated to `Spec`s once; a check walks over these.
"""

from __future__ import annotations

import collections.abc
import sys
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from operator import add, attrgetter, mul
from types import UnionType
from typing import Any, Final, ForwardRef, Literal, NewType, Self, TypeVar, Union, get_args, get_origin

import numpy as np

from typedprop.annotations import (
    Annotation,
    fields_of,
    has_fields,
    parameters,
    remember_local_names,
    substitute,
    substitution,
    text_of,
)
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, ShapeError
from typedprop.paths import Path, written
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
from typedprop.sizes import Add, Mul


class UncheckedWarning(UserWarning):
    """The annotation of a field cannot be resolved, so its shape is not checked at run time."""


class Checked:
    """A mixin for attrs classes and dataclasses whose fields must fit their annotations when an instance is made.

    A subclass with an `__attrs_post_init__` of its own calls `super().__attrs_post_init__()` in it. The first instance
    of a class warns (`UncheckedWarning`) of annotations that cannot be resolved.

    Raises `ShapeError` where sizes disagree, and `DTypeError` for another dtype, or a plain value in a field that is
    annotated `BVar[...]`.
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        remember_local_names(cls, sys._getframe(1))

    def __attrs_post_init__(self) -> None:
        check_shapes(self)

    def __post_init__(self) -> None:
        check_shapes(self)


def check_shapes(record: object) -> None:
    """Raise `ShapeError` or `DTypeError` if a field of the record does not fit its annotation."""
    cls = type(record)
    plan = _PLANS.get(cls) or _plan_of(cls)
    if not plan.specs:
        return
    check = _Check(cls.__name__)
    for spec, value, path in zip(plan.specs, plan.values(record), plan.paths, strict=True):
        spec.check(value, path, check)
    if check.pending or check.sums:
        check.run()


# -- A check in progress --------------------------------------------------------------------------------------------

# Stands for a field without a value, such as one with `init=False` that is assigned later.
_UNSET: Final = object()

# What a size is written as: a number, several (from a Literal), a type variable or a Dim, a sum or product of these, or
# None for any size.
_Size = Any


class _Check:
    """One check of one record: the sizes found so far, and the nested values that are still to be looked at."""

    __slots__ = ("dtypes", "name", "pending", "sizes", "sums")

    def __init__(self, name: str) -> None:
        self.name = name
        # With each size the field that set it, for the message; a size that was given as a number has no shape.
        self.sizes: dict[_Size, tuple[int, Path, _Spec, tuple[int, ...] | None]] = {}
        self.dtypes: dict[_Size, tuple[np.dtype[Any], Path, _Array]] = {}
        # Nested values wait here, so that a check does not recurse, however deep the records.
        self.pending: deque[tuple[_Spec, Any, Path]] = deque()
        # Sizes that are calculated wait until all that they are calculated from are known.
        self.sums: list[tuple[_Array, int, tuple[int, ...], Path]] = []

    def run(self) -> None:
        self.run_values()
        for array, axis, shape, path in self.sums:
            array.check_sum(axis, shape, path, self)
        self.sums.clear()

    def run_values(self) -> None:
        while self.pending:
            spec, value, path = self.pending.popleft()
            spec.check(value, path, self)

    def look(self, spec: _Spec, value: Any, path: Path) -> None:
        """Check a value inside another one: an array now, for it has nothing inside, all else later."""
        if type(spec) is _Array:
            spec.check(value, path, self)
        else:
            self.pending.append((spec, value, path))

    def place(self, path: Path) -> str:
        return self.name + written(path)

    def fits(self, spec: _Spec, value: Any, path: Path) -> bool:
        """Whether a value passes on its own; if so, its sizes are kept."""
        trial = _Check(self.name)
        trial.sizes = dict(self.sizes)
        trial.dtypes = dict(self.dtypes)
        try:
            spec.check(value, path, trial)
            trial.run()
        except (ShapeError, DTypeError):
            return False
        self.sizes = trial.sizes
        self.dtypes = trial.dtypes
        return True


# -- What annotations say -------------------------------------------------------------------------------------------


class _Spec(ABC):
    """What one annotation says of a value."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @abstractmethod
    def check(self, value: Any, path: Path, check: _Check) -> None:
        """Raise `ShapeError` or `DTypeError` if the value does not fit."""

    @abstractmethod
    def may_be(self, value: Any) -> bool:
        """Whether this can be the member of a union that a value belongs to."""

    @abstractmethod
    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        """The type variables and Dims that it mentions, but for those of the record classes in `seen`."""


class _Array(_Spec):
    """`BVar[R[N]]`, `BVar[float]`, or `R[N]` by itself, for plain data."""

    __slots__ = ("dtype", "lifted", "sizes")

    def __init__(self, text: str, lifted: bool, sizes: tuple[_Size, ...], dtype: Any) -> None:
        super().__init__(text)
        self.lifted = lifted
        self.sizes = sizes
        # A dtype, an abstract class of them such as np.floating, a type variable, or None for any.
        self.dtype = dtype

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if (type(value) is BVar) is not self.lifted or not (self.lifted or isinstance(value, np.ndarray)):
            if value is _UNSET:
                return
            raise self._wrong_type(value, check.place(path))
        shape = value.shape
        if len(shape) != len(self.sizes):
            raise ShapeError(
                f"{check.place(path)} is annotated {self.text}, {_RANKS.get(len(self.sizes), 'an array')}, "
                f"but holds {_RANKS.get(len(shape), 'an array')} of shape {shape}"
            )
        found = check.sizes
        for axis, wanted in enumerate(self.sizes):
            if wanted is not None:
                size = shape[axis]
                if type(wanted) is int:
                    if size != wanted:
                        raise self._wrong_size(shape, axis, path, check)
                elif type(wanted) is frozenset:
                    if size not in wanted:
                        raise self._wrong_size(shape, axis, path, check)
                elif type(wanted) is _Sum:
                    check.sums.append((self, axis, shape, path))
                else:
                    known = found.get(wanted)
                    if known is None:
                        found[wanted] = (size, path, self, shape)
                    elif known[0] != size:
                        raise self._wrong_size(shape, axis, path, check)
        if self.dtype is not None and value.dtype is not self.dtype:
            self._check_dtype(value.dtype, path, check)

    def may_be(self, value: Any) -> bool:
        if self.lifted:
            return type(value) is BVar and len(value.shape) == len(self.sizes)
        return isinstance(value, np.ndarray) and value.ndim == len(self.sizes)

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        sizes = (part for size in self.sizes for part in (size.parts() if type(size) is _Sum else (size,)))
        named = {size for size in sizes if size is not None and not isinstance(size, (int, frozenset))}
        return named | {self.dtype} if isinstance(self.dtype, TypeVar) else named

    def check_sum(self, axis: int, shape: tuple[int, ...], path: Path, check: _Check) -> None:
        """Check a size that is a sum or product, if all that is in it is known by now."""
        wanted: _Sum = self.sizes[axis]
        size = wanted.value(check)
        if size is not None and shape[axis] != size:
            which = f"its {('first', 'second', 'third', 'fourth')[axis]} size" if len(shape) > 1 else "its length"
            known = {part.__name__: check.sizes[part][0] for part in wanted.parts() if part in check.sizes}
            given = " and ".join(f"{name} is {value}" for name, value in known.items())
            raise ShapeError(
                f"{check.place(path)} is annotated {self.text}, but has shape {shape}: {which} must be {size}"
                + f", as {given}" * bool(given)
            )

    def _check_dtype(self, dtype: np.dtype[Any], path: Path, check: _Check) -> None:
        wanted = self.dtype
        if isinstance(wanted, TypeVar):
            known = check.dtypes.setdefault(wanted, (dtype, path, self))
            if known[0] != dtype:
                raise DTypeError(
                    f"{check.place(path)} is annotated {self.text} and holds {dtype}, but {wanted.__name__} is "
                    f"{known[0]} by {written(known[1]).lstrip('.')}, annotated {known[2].text}"
                )
        elif isinstance(wanted, np.dtype):
            if dtype != wanted:
                raise DTypeError(
                    f"{check.place(path)} is annotated {self.text}, whose dtype is {wanted}, but holds {dtype}; "
                    f"convert it with .astype(np.{wanted}), or give the annotation np.{dtype} as its last parameter"
                )
        elif not issubclass(dtype.type, wanted):
            raise DTypeError(f"{check.place(path)} is annotated {self.text}, but holds {dtype}")

    def _wrong_type(self, value: Any, place: str) -> DTypeError:
        if type(value) is BVar:
            return DTypeError(
                f"{place} is annotated {self.text}, plain data, but holds a BVar; "
                f"annotate it BVar[{self.text}], or pass the BVar's .value"
            )
        if not self.lifted:
            return DTypeError(
                f"{place} is annotated {self.text}, but holds a value of type {type(value).__name__}, not an array"
            )
        return _not_lifted(value, place, self.text)

    def _wrong_size(self, shape: tuple[int, ...], axis: int, path: Path, check: _Check) -> ShapeError:
        wanted = self.sizes[axis]
        begin = f"{check.place(path)} is annotated {self.text}"
        transposed = ". Is it transposed? Then pass its .T" if self._fits_transposed(shape, check) else ""
        if isinstance(wanted, (int, frozenset)):
            which = wanted if isinstance(wanted, int) else " or ".join(map(str, sorted(wanted)))
            where = f"its {('first', 'second', 'third', 'fourth')[axis]} size" if len(shape) > 1 else "its length"
            return ShapeError(f"{begin}, but has shape {shape}: {where} must be {which}{transposed}")
        _, setter_path, setter, setter_shape = check.sizes[wanted]
        name = wanted.__name__
        if setter_path is path:
            return ShapeError(f"{begin}, but has shape {shape}: two sizes that are both {name} differ")
        if (
            not transposed
            and isinstance(setter, _Array)
            and setter_shape is not None
            and setter._agrees_transposed(setter_shape, self, shape, check)
        ):
            transposed = f". Is {written(setter_path).lstrip('.')} transposed? Then pass its .T"
        return ShapeError(
            f"{begin} and has shape {shape}, so {name} is {shape[axis]}, but {_set_by(wanted, check)}{transposed}"
        )

    def _agrees_transposed(
        self, shape: tuple[int, ...], other: _Array, other_shape: tuple[int, ...], check: _Check
    ) -> bool:
        """Whether this field, if it were the other way round, would agree with another one and all before."""
        sizes = {key: size for key, (size, _, setter, _) in check.sizes.items() if setter is not self}
        sizes |= dict(zip(other.sizes, other_shape, strict=True))
        return all(sizes.get(key, size) == size for key, size in zip(self.sizes, reversed(shape), strict=True) if key)

    def _fits_transposed(self, shape: tuple[int, ...], check: _Check) -> bool:
        """Whether the sizes are all right the other way round, so far as they are known from other fields."""
        for size, wanted in zip(reversed(shape), self.sizes, strict=True):
            if isinstance(wanted, (int, frozenset)):
                if size not in ((wanted,) if isinstance(wanted, int) else wanted):
                    return False
            elif wanted is not None:
                known = check.sizes.get(wanted)
                if known is not None and known[2] is not self and known[0] != size:
                    return False
        return len(shape) > 1 and shape != shape[::-1]


def _set_by(size: _Size, check: _Check) -> str:
    """What a size is, and which field says so."""
    value, path, setter, shape = check.sizes[size]
    of_shape = "" if shape is None else f" and of shape {shape}"
    return f"{size.__name__} is {value} by {written(path).lstrip('.')}, annotated {setter.text}{of_shape}"


class _Sum:
    """The size `Add[M, N]` or `Mul[M, N]`."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: Callable[[int, int], int], left: _Size, right: _Size) -> None:
        self.operator = operator
        self.left = left
        self.right = right

    def parts(self) -> list[_Size]:
        """The sizes that it is calculated from, each once."""
        operands = (self.left, self.right)
        return list(dict.fromkeys(p for one in operands for p in (one.parts() if type(one) is _Sum else (one,))))

    def value(self, check: _Check) -> int | None:
        """The size, if all that it is calculated from is known."""
        left, right = (_value(operand, check) for operand in (self.left, self.right))
        return None if left is None or right is None else self.operator(left, right)


def _value(size: _Size, check: _Check) -> int | None:
    if type(size) is _Sum:
        return size.value(check)
    if size is None or isinstance(size, (int, frozenset)):
        return size if isinstance(size, int) else None
    known = check.sizes.get(size)
    return None if known is None else known[0]


class _Lifted(_Spec):
    """A `BVar` of whatever: of a type variable, of Any, of a registered type."""

    __slots__ = ()

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if type(value) is not BVar and value is not _UNSET:
            raise _not_lifted(value, check.place(path), self.text)

    def may_be(self, value: Any) -> bool:
        return type(value) is BVar

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        return set()


class _Items(_Spec):
    """`list[X]`, `tuple[X, ...]` and their like; with several specs, `tuple[X, Y]`. None is an item not checked."""

    __slots__ = ("items",)

    def __init__(self, text: str, items: _Spec | tuple[_Spec | None, ...]) -> None:
        super().__init__(text)
        self.items = items

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if not isinstance(value, (list, tuple, deque)):
            return
        if isinstance(self.items, _Spec):
            for index, item in enumerate(value):
                check.look(self.items, item, (path, f"[{index}]"))
            return
        if len(value) != len(self.items):
            raise ShapeError(
                f"{check.place(path)} is annotated {self.text}, {len(self.items)} items, but holds {len(value)}"
            )
        for index, (spec, item) in enumerate(zip(self.items, value, strict=True)):
            if spec is not None:
                check.look(spec, item, (path, f"[{index}]"))

    def may_be(self, value: Any) -> bool:
        return isinstance(value, (list, tuple, deque))

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        specs = (self.items,) if isinstance(self.items, _Spec) else self.items
        return {key for spec in specs if spec is not None for key in spec.keys(seen)}


class _Values(_Spec):
    """`dict[K, X]` and its like: what is said of the values."""

    __slots__ = ("value",)

    def __init__(self, text: str, value: _Spec) -> None:
        super().__init__(text)
        self.value = value

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                check.look(self.value, item, (path, f"[{key!r}]"))

    def may_be(self, value: Any) -> bool:
        return isinstance(value, dict)

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        return self.value.keys(seen)


class _Union(_Spec):
    """`X | Y`, `Optional[X]`; `others` says whether there are members besides None of which nothing is checked."""

    __slots__ = ("members", "others")

    def __init__(self, text: str, members: tuple[_Spec, ...], others: bool) -> None:
        super().__init__(text)
        self.members = members
        self.others = others

    def check(self, value: Any, path: Path, check: _Check) -> None:
        possible = [member for member in self.members if member.may_be(value)]
        if not possible:
            # It fits no member: the first one says what is wrong, unless it is one of which nothing is checked.
            if type(value) is BVar or not (value is None or value is _UNSET or self.others):
                self.members[0].check(value, path, check)
        elif len(possible) == 1 or not any(check.fits(member, value, path) for member in possible):
            possible[0].check(value, path, check)

    def may_be(self, value: Any) -> bool:
        return any(member.may_be(value) for member in self.members)

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        return {key for member in self.members for key in member.keys(seen)}


class _Nested(_Spec):
    """A record in a record: its fields, in terms of the outer record's type variables."""

    __slots__ = ("_plans", "arguments", "cls")

    def __init__(self, text: str, cls: type, arguments: tuple[Annotation, ...]) -> None:
        super().__init__(text)
        self.cls = cls
        self.arguments = arguments
        # Made when needed, for a class may contain itself.
        self._plans: dict[bool, _Plan] = {}

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if not isinstance(value, self.cls):
            return
        plan = self._plan(isinstance(value, Checked))
        for spec, item, step in zip(plan.specs, plan.values(value), plan.steps, strict=True):
            check.look(spec, item, (path, step))

    def may_be(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def keys(self, seen: tuple[type, ...]) -> set[_Size]:
        if self.cls in seen:
            return set()
        return {key for spec in self._plan(False).specs for key in spec.keys((*seen, self.cls))}

    def _plan(self, was_checked: bool) -> _Plan:
        plan = self._plans.get(was_checked)
        if plan is None:
            names = _witnesses(self.cls) if was_checked else None
            plan = self._plans[was_checked] = _Plan(self.cls, substitution(self.cls, self.arguments), names)
        return plan


def _witnesses(cls: type) -> set[str]:
    """Fields of a record class that show its every size.

    A nested record was checked when it was made: its sizes agree among themselves, and looking at one array for each
    size finds whether they agree with those around it. So a chain of records is checked in linear time.
    """
    specs = dict(zip((plan := _plan_of(cls)).names, plan.specs, strict=True))
    names: set[str] = set()
    covered: set[_Size] = set()
    for name, spec in specs.items():
        keys = spec.keys((cls,)) if type(spec) is _Array else set()
        if keys - covered:
            names.add(name)
            covered |= keys
    # An empty list or a None shows nothing, so these are looked at in addition.
    return names | {name for name, spec in specs.items() if spec.keys((cls,)) - covered}


# -- Translating ----------------------------------------------------------------------------------------------------


class _Plan:
    """The fields of a class of which something is to be checked, in order."""

    __slots__ = ("_get", "names", "paths", "problems", "specs", "steps")

    def __init__(self, cls: type, filled: dict[Any, Annotation], only: set[str] | None = None) -> None:
        names = []
        specs: list[_Spec] = []
        self.problems: list[str] = []
        for field in fields_of(cls):
            if only is not None and field.name not in only:
                continue
            problem = field.problem
            if problem is None:
                try:
                    annotation = substitute(field.annotation, filled) if filled else field.annotation
                    spec = _translated(annotation, cls, text_of(annotation) if filled else field.text)
                except (_UnclearError, TypeError) as error:
                    problem = str(error)
                else:
                    if spec is not None:
                        names.append(field.name)
                        specs.append(spec)
            if problem is not None:
                self.problems.append(f"{field.name}: {field.text} ({problem})")
        self.names = tuple(names)
        self.specs = tuple(specs)
        self.steps = tuple(f".{name}" for name in names)
        self.paths: tuple[Path, ...] = tuple((None, step) for step in self.steps)
        # An attrgetter of one name gives the bare value.
        self._get: Callable[[Any], Any] | None = attrgetter(*names) if len(names) > 1 else None

    def values(self, record: object) -> tuple[Any, ...]:
        """The values of the fields; `_UNSET` for one that has none yet."""
        if self._get is not None:
            try:
                values: tuple[Any, ...] = self._get(record)
                return values
            except AttributeError:
                pass
        return tuple(getattr(record, name, _UNSET) for name in self.names)


# Classes are translated once. The table is emptied when it is large, for a program may make classes without end.
_PLANS: Final[dict[type, _Plan]] = {}
_MANY: Final = 4096


def _plan_of(cls: type) -> _Plan:
    plan = _PLANS.get(cls)
    if plan is not None:
        return plan
    plan = _Plan(cls, {})
    if plan.problems:
        warnings.warn(
            f"{cls.__name__}: some annotations cannot be resolved, so these fields are not checked at run time: "
            f"{'; '.join(plan.problems)}. Define the names at the top of the module, or before the class where it is "
            "defined, and not under `if TYPE_CHECKING:`",
            UncheckedWarning,
            stacklevel=_level_of_the_user(),
        )
    if len(_PLANS) >= _MANY:
        _PLANS.clear()
    _PLANS[cls] = plan
    return plan


def _level_of_the_user() -> int:
    """The level, seen from the caller, of the first frame that is neither typedprop's nor generated by attrs."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_globals.get("__name__", "").startswith("typedprop.") or frame.f_code.co_filename.startswith("<")
    ):
        frame = frame.f_back
        level += 1
    return level


class _UnclearError(Exception):
    """An annotation that has a meaning to a type checker, perhaps, but not here."""


def _translated(annotation: Annotation, cls: type, text: str | None = None) -> _Spec | None:
    """What an annotation says; None if nothing that could be checked. `cls` is what `Self` means."""
    text = text or text_of(annotation)
    if isinstance(annotation, (str, ForwardRef)):
        raise _UnclearError(f"{annotation!r} is not evaluated")
    origin = _origin(annotation)
    arguments = get_args(annotation)
    if isinstance(annotation, NewType):
        return _translated(annotation.__supertype__, cls, text)
    if arguments and origin == Final:
        return _translated(arguments[0], cls, text)
    if origin is BVar:
        return _lifted(arguments[0], text) if arguments else _Lifted(text)
    if origin in _SHAPES:
        return _array(annotation, text, lifted=False)
    if origin is Self:
        return _Nested(text, cls, parameters(cls))
    if origin in (Union, UnionType):
        if Any in arguments or object in arguments:
            return None
        members = [_translated(member, cls) for member in arguments]
        specs = tuple(member for member in members if member is not None)
        others = any(spec is None and member is not type(None) for spec, member in zip(members, arguments, strict=True))
        return _Union(text, specs, others) if specs else None
    if hasattr(origin, "__value__"):
        # `type Weights[M, N] = ...`
        filled = dict(zip(origin.__type_params__, arguments, strict=True))
        return _translated(substitute(origin.__value__, filled), cls, text)
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        items = tuple(_translated(item, cls) for item in arguments)
        return _Items(text, items) if any(item is not None for item in items) else None
    if has_fields(origin):
        return _Nested(text, origin, arguments)
    if isinstance(origin, type) and arguments:
        if issubclass(origin, collections.abc.Mapping):
            value = _translated(arguments[-1], cls)
            return value and _Values(text, value)
        if issubclass(origin, collections.abc.Iterable):
            item = _translated(arguments[0], cls)
            return item and _Items(text, item)
    return None


def _origin(annotation: Annotation) -> Annotation:
    """The class of `X[...]`, or X itself."""
    origin: Annotation = get_origin(annotation)
    return annotation if origin is None else origin


_SHAPES: Final = (R, L, Tensor3, Tensor4)
_RANKS: Final = {0: "a scalar", 1: "a vector", 2: "a matrix", 3: "a Tensor3", 4: "a Tensor4"}


def _lifted(inner: Annotation, text: str) -> _Spec:
    while isinstance(inner, NewType):
        inner = inner.__supertype__
    if inner is float:
        return _Array(text, True, (), None)
    origin = _origin(inner)
    if origin in _SHAPES:
        return _array(inner, text, lifted=True)
    return _Lifted(text)


def _array(annotation: Annotation, text: str, *, lifted: bool) -> _Spec:
    arguments = get_args(annotation)
    if not arguments:
        return _Array(text, lifted, (None,) * annotation.rank, np.dtype(np.float64))
    *sizes, dtype = arguments
    return _Array(text, lifted, tuple(map(_size, sizes)), _dtype(dtype))


def _size(size: Annotation) -> _Size:
    if size is Any or size is int or size is Dim:
        return None
    if isinstance(size, TypeVar) or (isinstance(size, int) and not isinstance(size, bool)):
        return int(size) if isinstance(size, int) else size
    origin: Annotation = get_origin(size)
    if origin is Literal:
        sizes = get_args(size)
        if all(isinstance(one, int) for one in sizes):
            return int(sizes[0]) if len(sizes) == 1 else frozenset(map(int, sizes))
    elif origin in _SUMS:
        left, right = map(_size, get_args(size))
        return _Sum(_SUMS[origin], left, right)
    elif isinstance(size, type) and issubclass(size, Dim):
        return size
    raise _UnclearError(f"{text_of(size)} is not a size")


_SUMS: Final[Mapping[object, Callable[[int, int], int]]] = {Add: add, Mul: mul}


# The classes of NumPy's scalars that stand for several dtypes.
_ABSTRACT = frozenset(
    (
        np.generic,
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
        np.complexfloating,
        np.flexible,
        np.character,
    )
)


def _dtype(dtype: Annotation) -> Any:
    if dtype is Any or isinstance(dtype, TypeVar):
        return None if dtype is Any else dtype
    scalar = _origin(dtype)
    if isinstance(scalar, type) and issubclass(scalar, np.generic):
        # NumPy 2.2 would make float64 of np.floating, and only warn.
        return scalar if scalar in _ABSTRACT else np.dtype(scalar)
    raise _UnclearError(f"{text_of(dtype)} is not a dtype")


def _not_lifted(value: Any, place: str, text: str) -> DTypeError:
    if isinstance(value, np.ndarray) and value.dtype not in (np.float64, np.float32):
        what = (
            f"a plain array of dtype {value.dtype}, which cannot be differentiated; write BVar(x.astype(np.float64)), "
            "or annotate it as plain data, without BVar"
        )
    elif isinstance(value, np.ndarray):
        what = f"a plain array of shape {value.shape}; write BVar(...) around it"
    elif isinstance(value, (float, int, np.floating, np.integer)) and not isinstance(value, bool):
        try:
            what = f"the plain number {value}; write BVar({float(value)})"
        except OverflowError:
            what = "an int that is too large for a float"
    elif value is None:
        what = f"None; if it may, annotate it {text} | None"
    else:
        what = f"a value of type {type(value).__name__}; write BVar(...) around a float or an array of floats"
    return DTypeError(f"{place} is annotated {text}, but holds {what}")
