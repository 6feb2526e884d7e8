"""Annotations as objects and as text: whose names they use, and whose type variables."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple

import attrs
import numpy as np
import pytest
from typing_extensions import TypeVar

from typedprop.annotations import Field, fields_of, has_fields, substitute, substitution, text_of
from typedprop.bvar import BVar
from typedprop.record import Record
from typedprop.shapes import Dim, L, R

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
E = TypeVar("E", bound=np.generic, default=np.float32)

# As values, which is what they are here.
BVAR: Any = BVar
VECTOR: Any = R
MATRIX: Any = L


class Hidden(Dim):
    pass


@attrs.frozen
class Base(Generic[M, N]):
    w: BVar[L[M, N]]
    v: BVar[R[M]]


@attrs.frozen
class Derived(Base[N, Hidden], Generic[N]):
    v: BVar[R[N]]  # declared again
    u: R[N]


@dataclasses.dataclass
class Data(Generic[N]):
    w: BVar[R[N]]


@dataclasses.dataclass
class DerivedData(Data[Hidden]):
    v: int


class Undecorated(Derived[Hidden]):
    x: str


class UndecoratedData(DerivedData):
    x: str


class Named(NamedTuple):
    w: BVar[R[Hidden]]


class DerivedNamed(Named):
    label: str


def annotated(cls: type) -> dict[str, Any]:
    return {field.name: field.annotation for field in fields_of(cls)}


def test_fields_of_classes() -> None:
    assert annotated(Base) == {"w": BVAR[MATRIX[M, N]], "v": BVAR[VECTOR[M]]}
    assert annotated(Data) == {"w": BVAR[VECTOR[N]]}
    assert annotated(Named) == {"w": BVAR[VECTOR[Hidden]]}
    assert [field.text for field in fields_of(Base)] == ["BVar[L[M, N]]", "BVar[R[M]]"]
    assert [field.text for field in fields_of(Named)] == ["BVar[R[Hidden]]"]


def test_fields_of_bases_are_in_terms_of_the_class() -> None:
    assert annotated(Derived) == {"w": BVAR[MATRIX[N, Hidden]], "v": BVAR[VECTOR[N]], "u": VECTOR[N]}
    assert annotated(DerivedData) == {"w": BVAR[VECTOR[Hidden]], "v": int}
    assert annotated(Undecorated) == {"w": BVAR[MATRIX[Hidden, Hidden]], "v": BVAR[VECTOR[Hidden]], "u": VECTOR[Hidden]}
    assert annotated(UndecoratedData) == {"w": BVAR[VECTOR[Hidden]], "v": int}
    assert annotated(DerivedNamed) == {"w": BVAR[VECTOR[Hidden]]}


def test_a_base_in_another_module_has_that_modules_names() -> None:
    module = types.ModuleType("elsewhere")
    sys.modules["elsewhere"] = module
    try:
        vars(module).update(BVar=BVar, R=R, attrs=attrs, Elsewhere=Hidden)
        vars(module)["Far"] = attrs.make_class("Far", {"w": attrs.field(type="BVar[R[Elsewhere]]")})  # type: ignore[call-overload]  # attrs takes text too, its types do not
        vars(module)["Far"].__module__ = "elsewhere"
        near = attrs.make_class("Near", {"v": attrs.field(type=int)}, bases=(vars(module)["Far"],))
        assert annotated(near) == {"w": BVAR[VECTOR[Hidden]], "v": int}
    finally:
        del sys.modules["elsewhere"]
    (field,) = fields_of(vars(module)["Far"])
    assert field.problem == "NameError: name 'BVar' is not defined"


def test_what_has_fields() -> None:
    assert all(map(has_fields, [Base, Derived, Data, DerivedData, Named, DerivedNamed]))
    assert not any(map(has_fields, [int, tuple, Record, Data[Hidden], Base(1, 2), None]))  # type: ignore[arg-type]  # no classes, on purpose


def test_problems_are_told_and_not_raised() -> None:
    cls = attrs.make_class(
        "Odd",
        {
            "a": attrs.field(type="Missing[3]"),  # type: ignore[call-overload]  # attrs takes text too, its types do not
            "b": attrs.field(type="1 +"),  # type: ignore[call-overload]  # attrs takes text too, its types do not
            "c": attrs.field(type="np.nothing"),  # type: ignore[call-overload]  # attrs takes text too, its types do not
            "d": attrs.field(type=int),
            "e": attrs.field(),
        },
    )
    fields: dict[str, Field] = {field.name: field for field in fields_of(cls)}
    assert list(fields) == ["a", "b", "c", "d"]
    assert fields["a"].problem == "NameError: name 'Missing' is not defined"
    assert (fields["b"].problem or "").startswith("SyntaxError: ")
    assert (fields["c"].problem or "").startswith("AttributeError: ")
    assert fields["d"].problem is None


def test_local_names_are_those_where_the_class_is_defined() -> None:
    def outer() -> type:
        class Width(Dim):
            pass

        def inner(Hidden: type) -> type:
            # The parameter hides the module's name, and only what the annotations name is kept.
            unrelated = np.zeros(3)

            @attrs.frozen
            class Local(Record):
                w: BVar[R[Hidden]]  # type: ignore[valid-type]  # a class that a function makes

            assert unrelated.size == 3
            assert vars(Local)["_typedprop_local_names"] == {"Hidden": Hidden}
            return Local

        cls = inner(Width)
        assert annotated(cls) == {"w": BVAR[VECTOR[Width]]}
        return cls

    outer()
    assert not any("_typedprop_local_names" in vars(cls) for cls in (Record, Base, Derived))


def test_type_variables_found_by_the_class_alone() -> None:
    def local() -> type:
        K = TypeVar("K", bound=int)

        @attrs.frozen
        class NoRecord(Generic[K]):
            """Its locals are not kept, for it is no record."""

            w: BVar[R[K]]
            inner: NoRecord[K] | None

        return NoRecord

    cls: Any = local()
    (k,) = cls.__parameters__
    assert annotated(cls) == {"w": BVAR[VECTOR[k]], "inner": cls[k] | None}


def test_substitution() -> None:
    assert substitution(Base, (Hidden, N)) == {M: Hidden, N: N}
    assert substitution(Base, (Hidden,)) == {M: Hidden, N: Any}
    assert substitution(int, ()) == {}

    class Defaulted(Generic[N, E]):
        pass

    assert substitution(Defaulted, (N,)) == {N: N, E: np.float32}


def test_substitute() -> None:
    filled = {M: Hidden, N: Literal[3]}
    assert substitute(M, filled) is Hidden
    assert substitute(E, filled) is E
    assert substitute(int, filled) is int
    assert substitute(Base, filled) is Base
    assert substitute(BVAR[MATRIX[N, M]], filled) == BVAR[MATRIX[Literal[3], Hidden]]
    assert substitute(BVAR[VECTOR[N]] | None, filled) == BVAR[VECTOR[Literal[3]]] | None
    assert substitute(list[BVAR[VECTOR[N, E]]], filled) == list[BVAR[VECTOR[Literal[3], E]]]


TEXTS: list[tuple[Any, str]] = [
    (BVAR[MATRIX[M, N]], "BVar[L[M, N]]"),
    (VECTOR[Hidden, np.float32], "R[Hidden, np.float32]"),
    (VECTOR[N, np.bool], "R[N, np.bool]"),
    (VECTOR, "R"),
    (BVAR[float], "BVar[float]"),
    (BVAR[Any] | None, "BVar[Any] | None"),
    (typing.Optional[int], "int | None"),  # noqa: UP045
    (VECTOR[Literal[1, 2]], "R[Literal[1, 2]]"),
    (VECTOR[3], "R[3]"),
    (tuple[int, ...], "tuple[int, ...]"),
    (Callable[[int], None], "Callable[[int], None]"),
    (Base[Hidden, Any], "Base[Hidden, Any]"),
    (typing.ForwardRef("Later"), "Later"),
    (None, "None"),
]


@pytest.mark.parametrize(("annotation", "text"), TEXTS)
def test_annotations_as_one_would_write_them(annotation: Any, text: str) -> None:
    assert text_of(annotation) == text


def test_the_text_of_a_local_class_is_its_name() -> None:
    class Local(Dim):
        pass

    assert text_of(VECTOR[Local]) == "R[Local]"
