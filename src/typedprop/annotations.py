"""What the fields of a class are annotated with, as objects: names resolved, type variables of bases filled in.

An annotation may be a string (all are under `from __future__ import annotations`), it may belong to a base class in
another module, and its type variables are the base's own: in `class Deep(Network[I, H, Ten])` a field that Network
declares as `BVar[R[O]]` is a `BVar[R[Ten]]`.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping
from types import FrameType, UnionType
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

import numpy as np
from typing_extensions import get_type_hints

# Annotations are objects of many kinds, type variables among them, that have no type in common.
Annotation = Any
Substitution = Mapping[Any, Annotation]

_LOCAL_NAMES = "_typedprop_local_names"


class Field:
    """A field's name, its annotation as it is written and as an object, or why there is no such object."""

    __slots__ = ("annotation", "name", "problem", "text")

    def __init__(self, name: str, text: str, annotation: Annotation, problem: str | None = None) -> None:
        self.name: str = name
        self.text: str = text
        self.annotation: Annotation = annotation
        self.problem: str | None = problem


def has_fields(cls: object) -> bool:
    """Whether instances of `cls` have annotated fields: an attrs class, a dataclass or a named tuple."""
    if not isinstance(cls, type):
        return False
    return (
        hasattr(cls, "__attrs_attrs__")
        or dataclasses.is_dataclass(cls)
        or (issubclass(cls, tuple) and hasattr(cls, "_fields"))
    )


def fields_of(cls: type) -> list[Field]:
    """The annotated fields of a class that has fields."""
    substitutions = _substitutions_of_bases(cls)
    fields = []
    for name, owner, raw in _declarations(cls):
        text = raw if isinstance(raw, str) else text_of(raw)
        try:
            annotation = substitute(_resolved(raw, owner), substitutions.get(owner, {}))
            fields.append(Field(name, text, annotation))
        # Whatever evaluating an annotation may raise, those who need it are told.
        except Exception as error:
            fields.append(Field(name, text, None, f"{type(error).__name__}: {error}"))
    return fields


def _declarations(cls: type) -> Iterator[tuple[str, type, Annotation]]:
    """Each field's name, the class that declares it, and its annotation, evaluated or not."""
    if hasattr(cls, "__attrs_attrs__"):
        for attribute in cls.__attrs_attrs__:
            if attribute.type is not None:
                yield attribute.name, _owner(cls, "__attrs_attrs__", attribute.name), attribute.type
    elif dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            yield field.name, _owner(cls, "__dataclass_fields__", field.name), field.type
    else:
        for base in cls.__mro__:
            if "_fields" in vars(base):
                for name, raw in base.__annotations__.items():
                    yield name, base, raw


def _owner(cls: type, attribute: str, name: str) -> type:
    """The class whose body declares a field."""
    return next((base for base in cls.__mro__ if _declares(base, attribute, name)), cls)


def _declares(cls: type, attribute: str, name: str) -> bool:
    declared = vars(cls).get(attribute)
    if declared is None:
        return False
    if attribute == "__attrs_attrs__":
        return any(field.name == name and not field.inherited for field in declared)
    # A dataclass has the very Field objects of its bases.
    return all(vars(base).get(attribute, {}).get(name) is not declared[name] for base in cls.__mro__[1:])


# -- Resolving names ------------------------------------------------------------------------------------------------


def _resolved(raw: Annotation, owner: type) -> Annotation:
    module = sys.modules.get(owner.__module__)
    names = vars(module) if module is not None else {}
    # What the module does not say: the class, which may be local, and its type variables, by their own names.
    known = {owner.__name__: owner} if "<locals>" in owner.__qualname__ or owner.__name__ not in names else {}
    known |= {variable.__name__: variable for variable in parameters(owner) if variable.__name__ not in names}
    known |= vars(owner).get(_LOCAL_NAMES, {})
    holder = type("holder", (), {"__annotations__": {"annotation": raw}})
    return get_type_hints(holder, globalns=dict(names), localns=known)["annotation"]


def remember_local_names(cls: type, frame: FrameType | None) -> None:
    """Keep what the annotations of a class name among the local variables where it is defined.

    Under `from __future__ import annotations` nothing else does, and a class that is local to a function could not be
    checked: its sizes are local, too. `frame` is where the class is made, perhaps by a decorator or metaclass.
    """
    while frame is not None and frame.f_globals.get("__name__") != cls.__module__:
        frame = frame.f_back
    if frame is None or frame.f_locals is frame.f_globals:
        return
    text = " ".join(raw for raw in vars(cls).get("__annotations__", {}).values() if isinstance(raw, str))
    variables = frame.f_locals
    local = {name: variables[name] for name in re.findall(r"[^\W\d]\w*", text) if name in variables}
    if local:
        setattr(cls, _LOCAL_NAMES, local)


# -- Type variables -------------------------------------------------------------------------------------------------


def parameters(cls: Annotation) -> tuple[Any, ...]:
    """The type variables of a generic class, in order."""
    found: tuple[Any, ...] = getattr(cls, "__parameters__", ())
    return found


def substitution(cls: Annotation, arguments: tuple[Annotation, ...]) -> dict[Any, Annotation]:
    """What the parameters of a generic class stand for, given arguments; the missing ones for their default or Any."""
    filled = {}
    for index, variable in enumerate(parameters(cls)):
        if index < len(arguments):
            filled[variable] = arguments[index]
        else:
            has_default = getattr(variable, "has_default", None)
            filled[variable] = variable.__default__ if has_default is not None and has_default() else Any
    return filled


def substitute(annotation: Annotation, filled: Substitution) -> Annotation:
    """The annotation with its type variables replaced."""
    if isinstance(annotation, TypeVar):
        return filled.get(annotation, annotation)
    variables = parameters(annotation)
    # A class without arguments has parameters, but says nothing of them.
    bare = isinstance(annotation, type) and get_origin(annotation) is None
    if bare or not any(variable in filled for variable in variables):
        return annotation
    generic: Annotation = annotation
    return generic[tuple(filled.get(variable, variable) for variable in variables)]


def _substitutions_of_bases(cls: type) -> dict[type, Substitution]:
    """For each generic base what its type variables stand for, in terms of the class's own."""
    found: dict[type, Substitution] = {cls: {}}
    pending = [cls]
    while pending:
        derived = pending.pop()
        for base in vars(derived).get("__orig_bases__", derived.__bases__):
            origin = get_origin(base) or base
            if isinstance(origin, type) and origin not in found:
                arguments = tuple(substitute(argument, found[derived]) for argument in get_args(base))
                found[origin] = substitution(origin, arguments)
                pending.append(origin)
    return found


# -- Writing annotations --------------------------------------------------------------------------------------------


def text_of(annotation: Annotation) -> str:
    """An annotation as one would write it."""
    if annotation is Any:
        return "Any"
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, list):
        # The parameters of a Callable.
        return f"[{', '.join(map(text_of, annotation))}]"
    origin: Annotation = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin in (Union, UnionType):
        return " | ".join(map(text_of, arguments))
    if origin is not None:
        # The dtype of R and L is float64 where nothing is said.
        if len(arguments) > 1 and arguments[-1] is np.float64 and hasattr(origin, "rank"):
            arguments = arguments[:-1]
        return f"{text_of(origin)}[{', '.join(map(text_of, arguments))}]"
    name = getattr(annotation, "__qualname__", None) or getattr(annotation, "__name__", None)
    if not isinstance(name, str):
        return repr(annotation)
    module = getattr(annotation, "__module__", None)
    prefix = "np." if module == "numpy" else ""
    return prefix + name.rpartition("<locals>.")[2]
