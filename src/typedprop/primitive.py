"""`op`: a primitive of your own, its value and its derivative written in one place.

    @tp.op
    def matvec(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
        return Local2(w @ x, lambda g: (np.outer(g, x), w.T @ g)).push(lambda dw, dx: dw @ x + w @ dx)

The function computes on plain values and returns a `Local1`, `Local2` or `Local3`, by the number of its operands: the
value, and *pull*, which takes a cotangent of the value to a cotangent of each operand (reverse mode). `.push(...)` adds
the map from tangents of the operands to a tangent of the value (forward mode). Type checkers hold both to the shapes
that the function declares. What `op` returns takes BVars and plain values and returns BVars; the body may call any
code, compiled or not.

Such a rule gives first derivatives, for its pull is not differentiated. `@tp.op(differentiable=True)` is for a rule
that is written with typedprop's operations, over BVars; it gives derivatives of every order:

    @tp.op(differentiable=True)
    def square(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
        return Local1(x * x, lambda g: 2.0 * g * x)
"""

# The overloads for several results come before the general one, which includes them.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, Generic, Literal, NoReturn, Protocol, overload

import numpy as np
from typing_extensions import ParamSpec, TypeVar

from typedprop.arithmetic import describe, dtype_of, plain, shape_of, what_is, zero_like
from typedprop.bvar import BVar, constant, innermost, lifted, seen_from
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.leaves import leaf_type
from typedprop.op import record_joint
from typedprop.tape import Joint, Parts, Value

T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
V = TypeVar("V")
V1 = TypeVar("V1")
V2 = TypeVar("V2")
V3 = TypeVar("V3")
A = ParamSpec("A")

# What the user's functions take and return is theirs to say; at run time it is looked at, not assumed.
_Function = Callable[..., Any]


# The default stands in for None: where a lambda may be None as well, not every checker looks into it.
def _no_pull(cotangent: object) -> Any:
    """Stands for a pull that is not given."""


class _Local(Generic[V]):
    """A value with its derivative, of any number of operands."""

    __slots__ = ("_pull", "_push", "value")

    def __init__(self, value: V, pull: _Function | None, push: _Function | None = None) -> None:
        self.value: V = value
        self._pull = pull
        self._push = push


class Local1(_Local[V], Generic[T1, V]):
    """A value of one operand and its derivative there.

    `pull(g)` is the cotangent of the operand for the cotangent `g` of the value, `push(t)` the tangent of the value
    for the tangent `t` of the operand. A value that is a tuple is several results; `g` is then a tuple too, with
    zeros for those that were not used. The value may be a buffer that is used again (it is copied if anybody but the
    rule holds it), but what `pull` and `push` need of it must stay as it is.
    """

    __slots__ = ()

    def __init__(self, value: V, pull: Callable[[V], T1] = _no_pull) -> None:
        super().__init__(value, None if pull is _no_pull else pull)

    def push(self, push: Callable[[T1], V], /) -> Local1[T1, V]:
        """The same with forward mode."""
        return _with_push(self, push)


class Local2(_Local[V], Generic[T1, T2, V]):
    """A value of two operands; `pull(g)` gives a cotangent for each, `push(t1, t2)` takes a tangent of each."""

    __slots__ = ()

    def __init__(self, value: V, pull: Callable[[V], tuple[T1, T2]] = _no_pull) -> None:
        super().__init__(value, None if pull is _no_pull else pull)

    def push(self, push: Callable[[T1, T2], V], /) -> Local2[T1, T2, V]:
        """The same with forward mode."""
        return _with_push(self, push)


class Local3(_Local[V], Generic[T1, T2, T3, V]):
    """A value of three operands; `pull(g)` gives a cotangent for each, `push(t1, t2, t3)` takes a tangent of each."""

    __slots__ = ()

    def __init__(self, value: V, pull: Callable[[V], tuple[T1, T2, T3]] = _no_pull) -> None:
        super().__init__(value, None if pull is _no_pull else pull)

    def push(self, push: Callable[[T1, T2, T3], V], /) -> Local3[T1, T2, T3, V]:
        """The same with forward mode."""
        return _with_push(self, push)


_L = TypeVar("_L", bound=_Local[Any])


def _with_push(local: _L, push: _Function) -> _L:
    extended = object.__new__(type(local))
    _Local.__init__(extended, local.value, local._pull, push)
    return extended


_OPERANDS: dict[type, int] = {Local1: 1, Local2: 2, Local3: 3}


class _OfBVars(Protocol):
    """What `op(differentiable=True)` returns."""

    @overload
    def __call__(
        self, f: Callable[Concatenate[BVar[T1], A], Local1[BVar[T1], tuple[BVar[V1], BVar[V2]]]], /
    ) -> Callable[Concatenate[BVar[T1] | T1, A], tuple[BVar[V1], BVar[V2]]]: ...
    @overload
    def __call__(
        self, f: Callable[Concatenate[BVar[T1], A], Local1[BVar[T1], tuple[BVar[V1], BVar[V2], BVar[V3]]]], /
    ) -> Callable[Concatenate[BVar[T1] | T1, A], tuple[BVar[V1], BVar[V2], BVar[V3]]]: ...
    @overload
    def __call__(
        self, f: Callable[Concatenate[BVar[T1], A], Local1[BVar[T1], BVar[V]]], /
    ) -> Callable[Concatenate[BVar[T1] | T1, A], BVar[V]]: ...
    @overload
    def __call__(
        self,
        f: Callable[Concatenate[BVar[T1], BVar[T2], A], Local2[BVar[T1], BVar[T2], tuple[BVar[V1], BVar[V2]]]],
        /,
    ) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, A], tuple[BVar[V1], BVar[V2]]]: ...
    @overload
    def __call__(
        self, f: Callable[Concatenate[BVar[T1], BVar[T2], A], Local2[BVar[T1], BVar[T2], BVar[V]]], /
    ) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, A], BVar[V]]: ...
    @overload
    def __call__(
        self,
        f: Callable[
            Concatenate[BVar[T1], BVar[T2], BVar[T3], A],
            Local3[BVar[T1], BVar[T2], BVar[T3], tuple[BVar[V1], BVar[V2]]],
        ],
        /,
    ) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, BVar[T3] | T3, A], tuple[BVar[V1], BVar[V2]]]: ...
    @overload
    def __call__(
        self,
        f: Callable[Concatenate[BVar[T1], BVar[T2], BVar[T3], A], Local3[BVar[T1], BVar[T2], BVar[T3], BVar[V]]],
        /,
    ) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, BVar[T3] | T3, A], BVar[V]]: ...


@overload
def op(
    f: Callable[Concatenate[T1, A], Local1[T1, tuple[V1, V2]]], /
) -> Callable[Concatenate[BVar[T1] | T1, A], tuple[BVar[V1], BVar[V2]]]: ...
@overload
def op(
    f: Callable[Concatenate[T1, A], Local1[T1, tuple[V1, V2, V3]]], /
) -> Callable[Concatenate[BVar[T1] | T1, A], tuple[BVar[V1], BVar[V2], BVar[V3]]]: ...
@overload
def op(f: Callable[Concatenate[T1, A], Local1[T1, V]], /) -> Callable[Concatenate[BVar[T1] | T1, A], BVar[V]]: ...
@overload
def op(
    f: Callable[Concatenate[T1, T2, A], Local2[T1, T2, tuple[V1, V2]]], /
) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, A], tuple[BVar[V1], BVar[V2]]]: ...
@overload
def op(
    f: Callable[Concatenate[T1, T2, A], Local2[T1, T2, V]], /
) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, A], BVar[V]]: ...
@overload
def op(
    f: Callable[Concatenate[T1, T2, T3, A], Local3[T1, T2, T3, tuple[V1, V2]]], /
) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, BVar[T3] | T3, A], tuple[BVar[V1], BVar[V2]]]: ...
@overload
def op(
    f: Callable[Concatenate[T1, T2, T3, A], Local3[T1, T2, T3, V]], /
) -> Callable[Concatenate[BVar[T1] | T1, BVar[T2] | T2, BVar[T3] | T3, A], BVar[V]]: ...
@overload
def op(*, differentiable: Literal[True]) -> _OfBVars: ...
def op(f: _Function | None = None, /, *, differentiable: bool = False) -> Any:
    """Make a primitive of a function that returns its value with its derivative; see the module for both forms.

    Positional arguments are the operands, as many as the `Local` has; what is not differentiated is keyword-only.
    Operands and results are floats, float arrays or values of registered types, of any shapes. The function gets
    read-only arrays; plain operands beside BVars are copied. With `differentiable=True` it gets BVars, and what its
    pull and push use must come from them by typedprop's operations: from their `.value`, no second derivative sees it.

    Calling the primitive raises `TypeError` if the function returns no `Local` or one of another number of operands.
    A derivative raises `NotDifferentiableError` where its direction or its order is not given, and `ShapeError` or
    `DTypeError`, naming function and argument, if pull or push return something of another size or type.
    """
    if f is None:
        return lambda f: _primitive(f, differentiable)
    return _primitive(f, differentiable)


def _primitive(f: _Function, differentiable: bool) -> _Function:
    name = getattr(f, "__name__", "op")
    names = [*inspect.signature(f).parameters]

    @wraps(f)
    def primitive(*operands: Any, **static: Any) -> Any:
        for key, x in static.items():
            if type(x) is BVar:
                raise TypeError(f"{name}: {key} is a BVar, but a keyword argument is not differentiated")
        return _applied(f, name, names, differentiable, operands, static)

    return primitive


def _applied(
    f: _Function,
    name: str,
    names: list[str],
    differentiable: bool,
    operands: Sequence[Any],
    static: dict[str, Any],
) -> Any:
    """What a primitive gives. A function of the module: one that called itself would be a reference cycle, and with it
    all that the user's function captures."""
    tape = innermost(*operands)
    # What the operation sees: plain values, or BVars of an enclosing gradient.
    seen = [
        seen_from(tape, x) if type(x) is BVar else _own(f"{name}: {_argument(names, k)}", x, tape is not None)
        for k, x in enumerate(operands)
    ]
    nested = any(type(x) is BVar for x in seen)
    local: _Local[Any] | None = None
    if differentiable or not nested:
        local = f(*map(_as_bvar if differentiable else _read_only, seen), **static)
        _check_local(name, local, len(operands))
    results: Any
    if nested:
        # The value is a differentiable one of the enclosing gradient, by the same rule.
        results = _applied(f, name, names, differentiable, seen, static)
        if local is not None:
            _check_not_captured(name, local, seen)
    else:
        assert local is not None
        results = local.value if differentiable else _own_value(local)
    several = type(results) is tuple
    values = [_result(name, y, seen, differentiable or nested) for y in (results if several else (results,))]
    if tape is None:
        return tuple(map(constant, values)) if several else constant(values[0])
    rule = _Derivative(name, names, local, differentiable, seen, values, several)

    def joint(mine: list[int]) -> Joint:
        return Joint(name, lambda g: rule.pull(g, mine), lambda t: rule.push(t, mine), fresh=not differentiable)

    return record_joint(tape, tuple(values) if several else values[0], operands, joint)


# -- The derivative of one call ---------------------------------------------------------------------------------------


class _Derivative:
    """The derivative at one point, as the sweeps ask for it."""

    def __init__(
        self,
        name: str,
        names: list[str],
        # None: the rule is over plain values, but the operands are BVars.
        local: _Local[Any] | None,
        differentiable: bool,
        operands: list[Value],
        values: list[Value],
        several: bool,
    ) -> None:
        self.name = name
        self.names = names
        self.local = local
        self.differentiable = differentiable
        self.operands = operands
        self.values = values
        self.several = several

    def pull(self, cotangent: Any, mine: list[int]) -> list[Value]:
        """The cotangents of the operands at the positions `mine`."""
        parts = cotangent.parts if type(cotangent) is Parts else {0: cotangent}
        pulled = self.map(self.pulled, self.pushed, _filled(parts, self.values))
        return [pulled[k] for k in mine]

    def push(self, tangents: Sequence[Value], mine: list[int]) -> Any:
        """The tangent of the value, or a tuple of them, for the tangents of the operands `mine`."""
        pushed = self.map(self.pushed, self.pulled, _filled(dict(zip(mine, tangents, strict=True)), self.operands))
        return tuple(pushed) if self.several else pushed[0]

    def map(self, apply: _Map, transpose: _Map, values: list[Value]) -> list[Value]:
        """`apply` to values of a sweep.

        A linear map over plain values, applied to BVars of an enclosing gradient, is differentiated by its transpose:
        so a rule with pull and push serves mixed derivatives of second order that do not vary the operands.
        """
        tape = None if self.differentiable else innermost(*values)
        if tape is None:
            return apply(values)
        results = self.map(apply, transpose, [seen_from(tape, x) for x in values])

        def joint(mine: list[int]) -> Joint:
            def pull(cotangent: Parts) -> list[Value]:
                pulled = self.map(transpose, apply, _filled(cotangent.parts, results))
                return [pulled[k] for k in mine]

            def push(tangents: Sequence[Value]) -> list[Value]:
                return self.map(apply, transpose, _filled(dict(zip(mine, tangents, strict=True)), values))

            return Joint(self.name, pull, push)

        return list(record_joint(tape, tuple(results), values, joint))

    def pulled(self, cotangents: list[Value]) -> list[Value]:
        """The pull, and a check of what it returns."""
        function = self._given("pull")
        given = [self._outward(g) for g in cotangents]
        returned = function(tuple(given) if self.several else given[0])
        count = len(self.operands)
        if count == 1:
            returned = (returned,)
        elif type(returned) is not tuple or len(returned) != count:
            what = f"{len(returned)} cotangents" if type(returned) is tuple else f"a {type(returned).__name__}"
            raise TypeError(f"{self.name}: the pull returned {what}; wanted a tuple of {count}, one an operand")
        # A list of our own, and no variable for the tuple, which the user may hold.
        returned = [*returned]
        return self._checked(returned, self.operands, "pull")

    def pushed(self, tangents: list[Value]) -> list[Value]:
        """The push, and a check of what it returns."""
        returned = self._given("push")(*map(self._outward, tangents))
        count = len(self.values)
        if not self.several:
            returned = (returned,)
        elif type(returned) is not tuple or len(returned) != count:
            raise TypeError(f"{self.name}: the push returned no tuple of {count} tangents, one a result")
        returned = [*returned]
        return self._checked(returned, self.values, "push")

    def _checked(self, returned: list[Any], likes: list[Value], direction: Literal["pull", "push"]) -> list[Value]:
        checked = []
        for k, like in enumerate(likes):
            x = returned[k] if self.differentiable else _fresh(returned, k)
            plainly = not self.differentiable and _fits(x, like)
            checked.append(x if plainly else self._inward(x, like, k, direction))
        return checked

    def _given(self, direction: Literal["pull", "push"]) -> _Function:
        if self.local is None:
            self._refuse_second_order()
        function = self.local._pull if direction == "pull" else self.local._push
        if function is not None:
            return function
        if direction == "pull":
            raise NotDifferentiableError(
                f"{self.name} has no pull, so it has forward mode only (jvp, jacobian with mode='fwd'); give one for "
                f"reverse mode: {type(self.local).__name__}(value, pull)"
            )
        raise NotDifferentiableError(
            f"{self.name} has no push, so it has reverse mode only (grad, vjp); give one for forward mode: "
            f"{type(self.local).__name__}(value, pull).push(push)"
        )

    def _refuse_second_order(self) -> NoReturn:
        raise NotDifferentiableError(
            f"{self.name}: a derivative of its derivative was asked for, but its rule is over plain values, which "
            "gives first derivatives. Write the rule over BVars with typedprop's operations and declare it with "
            "@tp.op(differentiable=True)"
        )

    def _outward(self, x: Value) -> Any:
        return _as_bvar(x) if self.differentiable else _read_only(x)

    def _inward(self, x: Any, like: Value, k: int, direction: Literal["pull", "push"]) -> Value:
        """What the user's function returned, as the sweep takes it: of the shape, dtype and type of `like`."""
        if direction == "pull":
            of = _argument(self.names, k)
            what = f"{self.name}: the pull's cotangent of {of}"
        else:
            of = f"result {k}" if self.several else "the value"
            what = f"{self.name}: the push's tangent{f' {k}' if self.several else ''}"
        if self.differentiable:
            if type(x) is not BVar:
                raise TypeError(f"{what} is a {type(x).__name__}; a differentiable rule gives BVars")
            x = x._value if x._tape is None else x
        elif type(x) is BVar:
            raise TypeError(f"{what} is a BVar; a rule over plain values gives plain values")
        if leaf_type(type(plain(x))) is not leaf_type(type(plain(like))) or not _is_value(x):
            raise DTypeError(f"{what} is {what_is(plain(x))}, but {of} is {what_is(plain(like))}")
        if isinstance(x, np.ma.MaskedArray | np.matrix):
            raise DTypeError(f"{what} is a {type(x).__name__}; give a plain array")
        if isinstance(x, np.ndarray) and type(x) is not np.ndarray:
            x = np.array(x, subok=False)
        if shape_of(x) != shape_of(like):
            raise ShapeError(f"{what} is {describe(shape_of(x))}, but {of} is {describe(shape_of(like))}")
        if not shape_of(like):
            return float(x) if isinstance(x, np.ndarray | np.generic | int) else x
        dtype = dtype_of(like)
        if dtype_of(x) == dtype:
            return x
        if self.differentiable:
            raise DTypeError(f"{what} is {dtype_of(x)}, but {of} is {dtype}")
        # External code computes in float64, say.
        return x.astype(dtype)


_Map = Callable[[list[Value]], list[Value]]


def _fits(x: Any, like: Value) -> bool:
    """Whether there is nothing more to look at: by far the most frequent cases."""
    if type(x) is np.ndarray:
        return type(like) is np.ndarray and x.shape == like.shape and x.dtype is like.dtype
    return type(x) is float and type(like) is float


def _fresh(returned: list[Any], k: int) -> Any:
    """What the user's function returned, in an array that the sweep may add into and hand out.

    If nobody but the list holds the array, it is new, and needs no copy.
    """
    alone = _holders(returned, k) <= _ALONE
    x = returned[k]
    return x if type(x) is not np.ndarray or (alone and x.base is None) else x.copy()


def _holders(elements: list[Any], k: int) -> int:
    """How many hold an element of a list, as it looks from here."""
    x = elements[k]
    return sys.getrefcount(x)


# Measured, because a variable and an argument are two references up to Python 3.13 and one from 3.14 on.
_ALONE = _holders([np.zeros(1)], 0)


def _own_value(local: _Local[Any]) -> Any:
    """The value, or the results, that a rule over plain values gave, in arrays that the user will not write to.

    An array that anybody but the rule's own pull and push holds may be a buffer that is used again, and is copied.
    """
    several = type(local.value) is tuple
    values = [*local.value] if several else [local.value]
    cells = {id(cell): cell for f in (local._pull, local._push) for cell in getattr(f, "__closure__", None) or ()}

    def is_kept(elements: list[Any], k: int) -> bool:
        # Beside the list there are the rule's value, or its tuple, and what pull and push remember.
        return _holders(elements, k) > _ALONE + 1 + sum(cell.cell_contents is elements[k] for cell in cells.values())

    is_tuple_kept = several and is_kept([local.value], 0)
    for k in range(len(values)):
        if type(values[k]) is np.ndarray and (is_tuple_kept or values[k].base is not None or is_kept(values, k)):
            values[k] = values[k].copy()
    return tuple(values) if several else values[0]


def _filled(given: dict[int, Value], like: list[Value]) -> list[Value]:
    """One value for each of `like`: the given one, or a zero."""
    filled = []
    for k, x in enumerate(like):
        value = given.get(k)
        filled.append(zero_like(x) if value is None else value)
    return filled


# -- What comes in and goes out ------------------------------------------------------------------------------------


def _argument(names: list[str], k: int) -> str:
    return f"{names[k]} (argument {k})" if k < len(names) else f"argument {k}"


def _own(name: str, x: Any, keep: bool) -> Value:
    """A plain operand: a copy of an array that the tape is to keep."""
    if not keep and type(x) is np.ndarray and x.ndim and x.dtype in _DTYPES:
        return x
    return lifted(x, name)


_DTYPES = (np.dtype(np.float64), np.dtype(np.float32))


def _as_bvar(x: Value) -> BVar[Any]:
    return x if type(x) is BVar else constant(x)


def _read_only(x: Value) -> Value:
    """`x` for the user's function, which must not write to what the tape holds."""
    if type(x) is not np.ndarray:
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def _is_value(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "fiu"
    return type(x) is BVar or (isinstance(x, float | int) and not isinstance(x, bool)) or leaf_type(type(x)) is not None


def _result(name: str, y: Any, operands: list[Value], lift: bool) -> Value:
    """A value as the tape holds it: no view of an operand, and a Python float for a scalar."""
    if lift:
        if type(y) is not BVar:
            raise TypeError(f"{name}: the value is a {type(y).__name__}; a differentiable rule gives BVars")
        if y._tape is not None:
            return y
        y = y._value
    elif type(y) is BVar:
        raise TypeError(
            f"{name}: the value is a BVar, but the rule is over plain values; for a rule over BVars write "
            "@tp.op(differentiable=True)"
        )
    if type(y) is not np.ndarray or not y.ndim or y.dtype not in _DTYPES:
        return lifted(y, f"{name}: the value")
    if any(type(x) is np.ndarray and np.may_share_memory(x, y) for x in operands):
        return y.copy()
    return y


def _check_local(name: str, local: Any, count: int) -> None:
    wanted = _OPERANDS.get(type(local))
    if wanted is None:
        raise TypeError(
            f"{name}: wanted a Local1, Local2 or Local3 from the function, got a {type(local).__name__}; write "
            "Local1(value, pull)"
        )
    if wanted != count:
        raise TypeError(
            f"{name}: called with {count} operands, but its {type(local).__name__} is of {wanted}; an argument that "
            "is not differentiated is keyword-only: def f(x, *, steps)"
        )


def _check_not_captured(name: str, local: _Local[Any], operands: list[Value]) -> None:
    """Refuse a rule that uses its own value where that was computed from `.value`: no derivative would see it."""
    values = local.value if type(local.value) is tuple else (local.value,)
    lost = [y for y in values if type(y) is BVar and y._tape is None]
    for function in (local._pull, local._push):
        for cell in getattr(function, "__closure__", None) or ():
            if any(cell.cell_contents is y for y in lost):
                raise NotDifferentiableError(
                    f"{name}: the rule uses the value, which was computed outside of typedprop's operations, so a "
                    f"second derivative would miss how it varies; in pull and push write {name}(x) for it"
                )
