"""`checked`: hold a function's arguments and result to the shapes in its annotations, at run time.

For functions that are given untyped data, such as what a file or a library without types hands over:

    @tp.checked
    def centred(x: L[M, N], mean: R[N]) -> L[M, N]:
        return x - mean

Each call is a check like that of a `Record`: a type variable or a `Dim` has one size in all arguments and the result,
a `Literal` has its own, `Any` fits, and dtypes are held to it as well. A method of a generic record takes the sizes of
`self` into account. Annotations that say nothing of shapes are not looked at.
"""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from collections.abc import Callable
from functools import partial, wraps
from types import FrameType
from typing import Any, TypeVar

import numpy as np
from typing_extensions import get_type_hints

from typedprop.annotations import Annotation, has_fields, parameters, text_of
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, ShapeError
from typedprop.paths import Path
from typedprop.shape_check import (
    UncheckedWarning,
    _Check,
    _Items,
    _Nested,
    _set_by,
    _Spec,
    _translated,
    _UnclearError,
    _Values,
)
from typedprop.shapes import Dim

F = TypeVar("F", bound=Callable[..., Any])

_RESULT = "return"


def checked(f: F) -> F:
    """`f` with the shapes and dtypes of its arguments and its result checked at each call.

    The check costs some microseconds a call, and in a gradient it is of the values, so it goes around a loss as well.

    An `async` function is checked when it is awaited. Of a generator the arguments are checked, not what it yields; of
    a callable that is an argument, nothing.

    Raises `ShapeError` or `DTypeError` that names the argument, its annotation and the sizes, and TypeError when
    applied to what is no function. The first call warns (`UncheckedWarning`) of annotations that cannot be resolved.
    """
    given: object = f
    if isinstance(given, classmethod | staticmethod):
        kind = type(given).__name__
        raise TypeError(f"checked: wanted a function, got a {kind}: write @{kind} above @tp.checked, not below it")
    if not callable(given):
        raise TypeError(f"checked: wanted a function, got a {type(given).__name__}")
    plan = _Plan(f, sys._getframe(1))

    if inspect.iscoroutinefunction(f):

        @wraps(f)
        async def checked_coroutine(*args: Any, **kwargs: Any) -> Any:
            check = plan.arguments(args, kwargs)
            return plan.result(await f(*args, **kwargs), check)

        return checked_coroutine  # type: ignore[return-value]  # of the same signature

    @wraps(f)
    def checked_f(*args: Any, **kwargs: Any) -> Any:
        check = plan.arguments(args, kwargs)
        return plan.result(f(*args, **kwargs), check)

    return checked_f  # type: ignore[return-value]  # of the same signature


class _Plan:
    """What the annotations of a function say; they are resolved at its first call, when all names are defined."""

    def __init__(self, f: Callable[..., Any], frame: FrameType) -> None:
        # What a partial holds is looked at too.
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        while isinstance(f, partial):
            self._args, self._kwargs, f = f.args + self._args, f.keywords | self._kwargs, f.func
        self._signature = inspect.signature(f)
        inner = inspect.unwrap(f)
        self._f = inner if inspect.isroutine(inner) or isinstance(inner, type) else type(inner).__call__
        self._name = self._f.__qualname__.rpartition("<locals>.")[2]
        self._local = _local_names(self._f, frame)
        self._specs: dict[str, _Spec] | None = None

    @property
    def specs(self) -> dict[str, _Spec]:
        """By parameter, and by "return" for the result, where there is something to check."""
        if self._specs is None:
            self._specs, problems = self._resolved()
            if problems:
                warnings.warn(
                    f"{self._name}: some annotations cannot be resolved, so these are not checked: "
                    f"{'; '.join(problems)}. Define the names at the top of the module, and not under "
                    "`if TYPE_CHECKING:`",
                    UncheckedWarning,
                    stacklevel=4,
                )
        return self._specs

    def _resolved(self) -> tuple[dict[str, _Spec], list[str]]:
        specs: dict[str, _Spec] = {}
        problems: list[str] = []
        raw: dict[str, Annotation] = {
            name: parameter.annotation
            for name, parameter in self._signature.parameters.items()
            if parameter.annotation is not parameter.empty
        }
        if self._signature.return_annotation is not self._signature.empty:
            raw[_RESULT] = self._signature.return_annotation
        names = {**vars(sys.modules[self._f.__module__]), **getattr(self._f, "__globals__", {})}
        for name, annotation in raw.items():
            text = annotation.strip("'\"") if isinstance(annotation, str) else text_of(annotation)
            holder = type("holder", (), {"__annotations__": {"annotation": annotation}})
            try:
                resolved = get_type_hints(holder, globalns=names, localns=self._local)["annotation"]
                spec = _Given(text, resolved) if _is_size(resolved) else _translated(resolved, object, text)
            # Whatever evaluating an annotation may raise, those who need it are told.
            except Exception as error:
                why = str(error) if isinstance(error, _UnclearError) else f"{type(error).__name__}: {error}"
                problems.append(f"{name}: {text} ({why})")
            else:
                if spec is not None:
                    specs[name] = spec
        return specs, problems

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Check:
        """The check after the arguments, which knows their sizes."""
        check = _Check(f"{self._name}: ")
        specs = self.specs
        try:
            bound = self._signature.bind(*self._args, *args, **self._kwargs | kwargs)
        except TypeError:
            # The function itself says best what is missing or too much.
            return check
        bound.apply_defaults()
        given: list[tuple[_Spec, Any, Path]] = []
        for position, (name, value) in enumerate(bound.arguments.items()):
            parameter = self._signature.parameters[name]
            spec = specs.get(name)
            if position == 0 and spec is None and parameter.annotation is parameter.empty:
                spec = self._of_self(value)
            if spec is None:
                continue
            values: list[tuple[Any, Path]] = [(value, (None, name))]
            if parameter.kind is parameter.VAR_POSITIONAL:
                values = [(item, (None, f"{name}[{k}]")) for k, item in enumerate(value)]
            elif parameter.kind is parameter.VAR_KEYWORD:
                values = [(item, (None, key)) for key, item in value.items()]
            for item, path in values:
                if isinstance(spec, _Given):
                    given.append((spec, item, path))
                else:
                    _look(spec, item, path, check)
        # Sizes given as numbers come after the arrays, whose messages say more.
        check.run_values()
        for spec, item, path in given:
            spec.check(item, path, check)
        check.run()
        return check

    def result(self, value: Any, check: _Check) -> Any:
        """The result, held to what the arguments have said."""
        spec = self.specs.get(_RESULT)
        if spec is not None:
            _look(spec, value, (None, "the result"), check)
            check.run()
        return value

    def _of_self(self, value: object) -> _Spec | None:
        """What `self` says of the type variables of the class that a method belongs to."""
        owner = self._f.__qualname__.rpartition(".")[0]
        for cls in type(value).__mro__:
            if (cls.__module__, cls.__qualname__) == (self._f.__module__, owner):
                return _Nested(cls.__name__, cls, parameters(cls)) if has_fields(cls) else None
        return None


def _look(spec: _Spec, value: Any, path: Path, check: _Check) -> None:
    """Check an argument or a result. What is no record cannot be one, and what is an array is no list of them."""
    array = isinstance(value, BVar | np.ndarray)
    if (isinstance(spec, _Nested) and not spec.may_be(value)) or (isinstance(spec, _Items | _Values) and array):
        what = f"{type(value).__name__} of shape {value.shape}" if array else f"value of type {type(value).__name__}"
        raise DTypeError(f"{check.place(path)} is annotated {spec.text}, but holds a {what}")
    spec.check(value, path, check)


def _is_size(annotation: Annotation) -> bool:
    if isinstance(annotation, TypeVar):
        bound = annotation.__bound__
        return isinstance(bound, type) and issubclass(bound, int)
    return isinstance(annotation, type) and issubclass(annotation, Dim) and annotation is not Dim


class _Given(_Spec):
    """An argument that is itself a size: `n: N`, `pixels: Pixels`."""

    __slots__ = ("size",)

    def __init__(self, text: str, size: Annotation) -> None:
        super().__init__(text)
        self.size = size

    def may_be(self, value: Any) -> bool:
        return isinstance(value, int | np.integer)

    def keys(self, seen: tuple[type, ...]) -> set[Any]:  # pragma: no cover  # records and unions ask, and have none
        return {self.size}

    def check(self, value: Any, path: Path, check: _Check) -> None:
        if not self.may_be(value):
            return
        known = check.sizes.setdefault(self.size, (int(value), path, self, None))
        if known[0] != value:
            raise ShapeError(
                f"{check.place(path)} is annotated {self.text} and is {int(value)}, but {_set_by(self.size, check)}"
            )


def _local_names(f: Callable[..., Any], frame: FrameType) -> dict[str, Any]:
    """What a function's annotations name among the variables of the function that it is defined in."""
    if frame.f_locals is frame.f_globals:
        return {}
    text = " ".join(raw for raw in getattr(f, "__annotations__", {}).values() if isinstance(raw, str))
    variables = frame.f_locals
    return {name: variables[name] for name in re.findall(r"[^\W\d]\w*", text) if name in variables}
