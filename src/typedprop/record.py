"""`Record`: parameters as an attrs class that one can compute with, as in `net - 0.1 * gradient`.

    @attrs.frozen
    class Network(Record, Generic[I, H]):
        weight: BVar[L[H, I]]
        bias: BVar[R[H]]

What can be done to a record is what can be done to a vector: records of the same class and structure are added and
subtracted, a record is multiplied and divided by a scalar. All of it is differentiable. Static fields are the left
operand's.

When a record is made, the shapes of its fields are held against their annotations; see `shape_check`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.arithmetic import describe, plain
from typedprop.bvar import BVar, constant
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.shape_check import Checked


class Record(Checked):
    """A mixin for attrs classes whose fields are `BVar`s, other records, containers of them, or static values.

    Arithmetic makes new records, without their `__init__`, converters, validators or shape checks. Both operands of
    `+` and `-` must be of the same class and structure, static values included; else `tree.StructureError` names
    the first place where they differ. The scalar of `*` and `/` is a number or a `BVar[float]`.

    Its repr shows the shapes and norms of its leaves and how many parameters they are, in a notebook as a table;
    `summary` prints that table.

    A class with an `__attrs_post_init__` of its own calls `super().__attrs_post_init__()` in it, for the shape check.
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        # attrs and dataclasses write a repr for each class that has none of its own.
        if "__repr__" not in vars(cls):
            cls.__repr__ = Record.__repr__  # type: ignore[method-assign]  # the inherited one, which they look past

    def __repr__(self) -> str:
        # Here, as below: attrs takes a quarter of the time of `import typedprop`, and who has records has imported it.
        from attrs import NOTHING

        from typedprop.parameters import parameters_text

        fields = [f"{name}={show(getattr(self, name, NOTHING))}" for name, show in _shown(type(self))]
        try:
            count = sum(leaf.size for leaf in tree.leaves(self))
        except NotDifferentiableError:
            return f"{type(self).__name__}({', '.join(fields)})"
        return f"{type(self).__name__}({', '.join(fields)}; {parameters_text(count)})"

    def _repr_html_(self) -> str:
        from typedprop.parameters import summarized

        return summarized(self).table().html()

    # A NumPy array or scalar on the left leaves the operation to the record.
    __array_ufunc__: ClassVar[None] = None

    def __add__(self, other: Self) -> Self:
        return _combined(self, other, "+")

    def __sub__(self, other: Self) -> Self:
        return _combined(self, other, "-")

    def __mul__(self, scalar: float | BVar[float]) -> Self:
        return _scaled(self, scalar, "*")

    def __rmul__(self, scalar: float | BVar[float]) -> Self:
        return _scaled(self, scalar, "*")

    def __truediv__(self, scalar: float | BVar[float]) -> Self:
        return _scaled(self, scalar, "/")

    # Hidden from type checkers, to which `1.0 + record` is a mistake; at run time it is to get a message.
    if not TYPE_CHECKING:

        def __radd__(self, other):
            raise _not_a_record(self, other, f"{type(other).__name__} + {type(self).__name__}", "+")

        def __rsub__(self, other):
            raise _not_a_record(self, other, f"{type(other).__name__} - {type(self).__name__}", "-")

        def __rtruediv__(self, other):
            raise TypeError(f"{type(other).__name__} / {type(self).__name__}: nothing is divided by a record")

    def __neg__(self) -> Self:
        leaves, structure = tree.flatten(self)
        return structure.unflatten([-leaf for leaf in leaves])


def _shown(cls: type) -> Iterator[tuple[str, Callable[[Any], object]]]:
    """The fields that a repr shows, and how."""
    if hasattr(cls, "__attrs_attrs__"):
        for attribute in cls.__attrs_attrs__:
            if attribute.repr:
                yield attribute.name, attribute.repr if callable(attribute.repr) else _field_text
    elif dataclasses.is_dataclass(cls):
        for field in dataclasses.fields(cls):
            if field.repr:
                yield field.name, _field_text


def _field_text(x: Any) -> str:
    """A field's repr: for a leaf that is too large to be shown whole its shape and norm."""
    from typedprop.parameters import norm

    text = repr(x)
    if type(x) is BVar and x.shape and text.startswith(f"BVar({describe(x.shape)}"):
        return f"{text[:-1]}, norm {norm(plain(x)):.4g})"
    return text


_Rec = TypeVar("_Rec", bound=Record)


def _combined(x: _Rec, y: object, symbol: str) -> _Rec:
    """The sum or difference of two records of the same class and structure."""
    name = type(x).__name__
    if type(y) is not type(x):
        if isinstance(y, Record):
            raise tree.StructureError(f"{name} {symbol} {type(y).__name__}: the records are of different classes")
        if isinstance(y, (float, int, np.generic, np.ndarray, BVar)):
            raise _not_a_record(x, y, f"{name} {symbol} {type(y).__name__}", symbol)
        return NotImplemented  # type: ignore[no-any-return]  # asks the other operand
    lefts, structure = tree.flatten(x)
    rights = structure.leaves_of(y, "the right operand", "the left one")
    combined: list[BVar[Any]] = []
    for a, b in zip(lefts, rights, strict=True):
        p, q = a._value, b._value
        constants = a._tape is None and b._tape is None
        if constants and type(p) is np.ndarray is type(q) and p.shape == q.shape and p.dtype is q.dtype:
            # As in a training step, with nothing in between; what does not fit is refused below.
            combined.append(constant(p + q if symbol == "+" else p - q))
            continue
        # Leaves are not broadcast: the result would be of another shape than the record.
        if a.shape != b.shape:
            path = structure.paths()[len(combined)]
            raise ShapeError(
                f"{name} {symbol} {name}: at {path}, the left operand has shape {a.shape} and the right one {b.shape}"
            )
        try:
            combined.append(a + b if symbol == "+" else a - b)
        except DTypeError as error:
            path = structure.paths()[len(combined)]
            raise DTypeError(
                f"{name} {symbol} {name}: at {path}, the left operand holds {a.dtype} and the right one {b.dtype}"
            ) from error
    return structure.unflatten(combined)


def _scaled(x: _Rec, scalar: object, symbol: str) -> _Rec:
    """A record times or divided by a scalar."""
    factor: BVar[float] | float
    if type(scalar) is BVar:
        if scalar.shape:
            raise ShapeError(_not_a_scalar(x, f"a BVar of shape {scalar.shape}", symbol))
        factor = scalar
    elif isinstance(scalar, (float, int, np.floating, np.integer)):
        # A Python float, which does not promote float32.
        factor = float(scalar)
    elif isinstance(scalar, np.ndarray):
        raise ShapeError(_not_a_scalar(x, f"an array of shape {scalar.shape}", symbol))
    elif isinstance(scalar, (np.generic, complex, Record, list, tuple, str, bytes)):
        raise TypeError(_not_a_scalar(x, f"a {type(scalar).__name__}", symbol))
    else:
        return NotImplemented  # type: ignore[no-any-return]  # asks the other operand
    leaves, structure = tree.flatten(x)
    if symbol == "/":
        return structure.unflatten([leaf / factor for leaf in leaves])
    if type(factor) is float:
        return structure.unflatten(
            [
                # Constants, as in a training step, with nothing in between.
                constant(leaf._value * factor)
                if leaf._tape is None and type(leaf._value) is np.ndarray
                else leaf * factor
                for leaf in leaves
            ]
        )
    return structure.unflatten([leaf * factor for leaf in leaves])


def _not_a_record(x: Record, other: object, operation: str, symbol: str) -> TypeError:
    name = type(x).__name__
    if type(other) is int and other == 0:
        way_out = f"to add up several, give sum() a {name} to start with: sum(others, start=first)"
    else:
        way_out = f"for the same at each leaf write tree.map(lambda leaf: leaf {symbol} ..., record)"
    return TypeError(f"{operation}: only another {name} is added to or subtracted from a {name}; {way_out}")


def _not_a_scalar(x: Record, what: str, symbol: str) -> str:
    return (
        f"a {type(x).__name__} is {'multiplied' if symbol == '*' else 'divided'} by a scalar, a float or BVar[float], "
        f"not by {what}; for leaf by leaf write tree.map(lambda a, b: a {symbol} b, x, y)"
    )
