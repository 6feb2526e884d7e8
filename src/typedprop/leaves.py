"""Leaves of any type: what a `BVar` can hold besides floats and float arrays.

A type is differentiable when its values can be added and have a zero: then its cotangents can be, and Python's own
operators on it do the rest. `register` says how, once a type:

    register(Polynomial, zero=lambda p: Polynomial(), one=lambda p: Polynomial(1))

`fractions.Fraction` and `decimal.Decimal` are known already, without being imported before you do. Subclasses go by
their nearest registered base and keep their type. Values are taken as immutable, as numbers are: none is copied.

The laws that make gradients right, and that `testing.check_leaf` checks:

- `add` is commutative and associative, `zero(x)` is its identity, and no argument is changed;
- `zero(zero(x)) == zero(x)` and `one(one(x)) == one(x)`;
- `one(x)` is the gradient of the identity at `x`; with multiplication, `one(x) * y == y`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from typing_extensions import TypeVar

V = TypeVar("V")

# `np.ndarray`, where it is asked for at each step: NumPy's module has a `__getattr__`, so that Python looks up in full,
# each time, what is written `np.something`. That takes 35 ns, and a name 8.
NDARRAY: Final = np.ndarray


class LeafType:
    """How the values of one registered type are added, and its zero and one, each made from a value like them."""

    __slots__ = ("add", "cls", "one", "zero")

    # The type is known when it is registered, at run time only.
    def __init__(
        self,
        cls: type,
        zero: Callable[[Any], Any],
        add: Callable[[Any, Any], Any],
        one: Callable[[Any], Any],
    ) -> None:
        self.cls: type = cls
        self.zero: Callable[[Any], Any] = zero
        self.add: Callable[[Any, Any], Any] = add
        self.one: Callable[[Any], Any] = one


_REGISTERED: Final[dict[type, LeafType]] = {}
# By the exact type of a value, subclasses included: every type that a BVar ever held, or that a result had.
FOUND: Final[dict[type, LeafType]] = {}
# Known by name, for they are not imported: (module, name).
_STANDARD: Final = (("fractions", "Fraction"), ("decimal", "Decimal"))


def register(
    cls: type[V],
    /,
    *,
    zero: Callable[[V], V],
    one: Callable[[V], V],
    add: Callable[[V, V], V] | None = None,
) -> None:
    """Let `BVar` hold values of type `cls` and of its subclasses.

    `zero(x)` and `one(x)` make the zero and the one that belong to `x` (of the same size, say). `add(x, y)`, by default
    `x + y`, is what `+` between BVars of the type means, and how the contributions to a gradient are added up. The
    rules of the other operators call the type's own: `-` negates, `*` and `/` multiply and divide (multiplication is
    taken as commutative), `**` takes a plain exponent and multiplies by it.

    A type may be registered again; the last one holds. Raises `TypeError` for what is a leaf or a container already:
    float, int, bool, complex, NumPy's types, tuple, list and dict. (A subclass of float may be registered; otherwise
    its values are taken as the floats that they are.)
    """
    if not isinstance(cls, type):
        raise TypeError(f"register: wanted a class, got {cls!r}")
    if cls in _BUILT_IN or issubclass(cls, (np.generic, np.ndarray)):
        raise TypeError(f"register: what a {cls.__name__} is to a BVar cannot be changed; register a class of your own")
    _REGISTERED[cls] = LeafType(cls, zero, add or operator.add, one)
    for known in FOUND:
        FOUND[known] = _look_up(known) or FOUND[known]


_BUILT_IN: Final = frozenset({object, float, int, bool, complex, str, bytes, tuple, list, dict, set, type(None)})


def leaf_type(cls: type) -> LeafType | None:
    """What is registered for `cls` or its nearest base; None for types that are not, the built-in leaves included."""
    found = FOUND.get(cls)
    if found is None:
        found = _look_up(cls)
        if found is not None:
            FOUND[cls] = found
    return found


def _look_up(cls: type) -> LeafType | None:
    for base in cls.__mro__:
        found = _REGISTERED.get(base)
        if found is None and (base.__module__, base.__qualname__) in _STANDARD:
            found = _REGISTERED[base] = _number_type(base)
        if found is not None:
            return found
    return None


def _number_type(cls: Any) -> LeafType:
    return LeafType(cls, lambda _: cls(0), operator.add, lambda _: cls(1))


def added(x: Any, y: Any) -> Any:
    """The sum of two cotangents or tangents: by `+`, or as their registered type has it."""
    found = FOUND.get(type(x))
    if found is None:
        return x + y
    # A BVar stands left, for the class's own operators need not know what it is.
    return found.add(x, y) if type(y) in FOUND else y + x
