"""How a primitive is declared: value, pull and push in one place, in a line or two.

- `elementwise(value, of_input=...)` or `of_output=`: a function of each element, by its derivative.
- `elementwise2`, in a file of its own: a function of two values element by element, by its two derivatives.
- `linear(apply, transpose)`: a linear map of one operand; the map is its own forward mode.
- `bilinear(value, left, right)`: linear in each of two operands.
- `unary(value, keep, pull, push)`: one operand, free form.
- `nary(value, (pull, push), ...)`: several operands, free form.
- `decomposition(value, pull, push)`: one operand, several results.
- `record_parts`, `record_joint`: any number of operands, for the few primitives that no word above describes.

The functions given are written with typedprop's own operations (or operators), which take plain arrays and `BVar`s
alike: run on arrays in a first derivative, recorded in a higher one. A primitive applied to plain values only calls its
NumPy function: no wrapper, no tape.
"""

# The overloads of Elementwise go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, overload

import numpy as np

from typedprop.arithmetic import dtype_of, number, shape_of, what_is
from typedprop.bvar import Arr, BVar, V, constant, innermost, is_operand, mixed, own_data, record, seen_from
from typedprop.errors import DTypeError
from typedprop.index_sum import is_plain
from typedprop.leaves import FOUND, NDARRAY
from typedprop.tape import JOINT, PART, SCALE, Entry, Joint, Rule, Tape, Value

Function = Callable[..., Any]


def checked_plain(name: str, x: Any) -> Value:
    """Plain data as NumPy's functions get it: a float or an array of floats; everything else is refused by name."""
    kind = type(x)
    if kind is float or (kind is NDARRAY and x.dtype.kind == "f" and x.ndim):
        return x
    if not is_operand(x):
        raise DTypeError(f"{name}: wanted a BVar, a float or a float array, got {what_is(x)}")
    if isinstance(x, np.ma.MaskedArray | np.matrix):
        raise DTypeError(f"{name}: a {kind.__name__} would lose its meaning; pass a plain array")
    if isinstance(x, np.ndarray) and x.ndim:
        x = np.asarray(x)
        return x if x.dtype.kind == "f" else x.astype(np.float64)
    # NumPy's numbers, and arrays without an axis, would promote float32 arrays that they meet later on.
    return float(x)


def checked(name: str, x: Any) -> Any:
    """An operand of an operation that is made of others, so that a refusal bears its name: a BVar, or plain data."""
    return x if type(x) is BVar else checked_plain(name, x)


def python_number(x: Value) -> Value:
    """`x`, but a Python float for NumPy's scalars, which the declared functions may well give and which would promote
    float32 arrays."""
    return float(x) if isinstance(x, np.generic) else x


class Elementwise(Protocol):
    """A differentiable function of each element: what `elementwise` makes. Keeps type, shape and dtype."""

    __name__: str

    @overload
    def __call__(self, x: BVar[V], /) -> BVar[V]: ...
    @overload
    def __call__(self, x: Arr, /) -> Arr: ...
    @overload
    def __call__(self, x: float, /) -> float: ...
    def __call__(self, x: Any, /) -> Any:
        """Of each element of `x`, a BVar, an array of any shape or a number; the result has its shape and dtype.

        Plain integers and bools count as floats. Raises `DTypeError` for anything else, complex numbers included.
        """


def elementwise(
    name: str,
    value: Function,
    *,
    of_input: Function | None = None,
    of_output: Function | None = None,
    number: Function | None = None,
    apply: Function | None = None,
    doc: str = "",
) -> Elementwise:
    """Declare a function of each element.

    `value` is the NumPy function; `number`, where given, a faster one for Python floats (from `math`). The derivative
    is a function of the input or of the output, and only that one is kept for the backward sweep. `apply(t, kept)`
    multiplies a tangent by the derivative; give it where that takes fewer steps than the derivative by itself.
    """
    partial = of_input or of_output
    if partial is None or (of_input and of_output):
        raise TypeError(f"elementwise {name}: give the derivative as of_input or as of_output, one of them")
    keeps_output = of_output is not None
    apply = apply or _scaled_elements(partial)
    code = Rule(name, apply, apply, fresh=True).code
    # NumPy's functions give np.float64 for a float, which would promote float32 arrays later on.
    number_of = number or (lambda x: float(value(x)))

    def of_number(x: float) -> float:
        """The value at a number: Python's where it has one, NumPy's infinities and NaNs where Python raises."""
        try:
            y: float = number_of(x)
        except (ValueError, OverflowError, ZeroDivisionError):
            y = float(value(np.float64(x)))
        return y

    def slope(kept: float) -> Value:
        try:
            return python_number(partial(kept))
        except (ValueError, OverflowError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(partial(np.float64(kept)))

    def call(x: Any, /) -> Any:
        if type(x) is not BVar:
            x = checked_plain(name, x)
            return value(x) if type(x) is NDARRAY else of_number(x)
        inner, tape = x._value, x._tape
        y: Any
        if type(inner) is NDARRAY:
            y = value(inner)
            if tape is None:
                return constant(y)
            return record(tape, y, (code, x._node, y if keeps_output else inner))
        if type(inner) is float:
            try:
                y = number_of(inner)
                if tape is None:
                    return constant(y)
                d = partial(y if keeps_output else inner)
            except (ValueError, OverflowError, ZeroDivisionError):
                y = of_number(inner)
                d = slope(y if keeps_output else inner)
            return record(tape, y, (SCALE, x._node, d if type(d) is float else float(d)))
        # A value of another type has been refused, so this is a BVar, which only a BVar on a tape holds.
        y = call(inner)
        kept = y if keeps_output else inner
        if shape_of(inner):
            return record(tape, y, (code, x._node, kept))
        return record(tape, y, (SCALE, x._node, partial(kept)))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = doc
    return call


def _scaled_elements(partial: Function) -> Function:
    """The map `t -> t * partial(kept)`, in place where `partial` made a new array, as a temporary is ours to use."""

    def apply(t: Value, kept: Any) -> Value:
        d = partial(kept)
        if type(d) is NDARRAY is type(t) and d is not kept and d.base is None:
            return np.multiply(d, t, d)
        return t * d

    return apply


class Linear:
    """A linear map of one operand with static parameters: what `linear` makes."""

    __slots__ = ("_apply", "_rule", "name")

    def __init__(self, name: str, apply: Function, transpose: Function, *, fresh: bool, view: bool) -> None:
        self.name: str = name
        self._apply = apply
        self._rule = Rule(
            name,
            lambda g, r: python_number(transpose(g, *r)),
            lambda t, r: self(t, *r[2:]),
            fresh=fresh,
            view=view,
        )

    def __call__(self, x: Any, *static: Any) -> Any:
        """The map of `x`: a BVar or a plain array."""
        if type(x) is not BVar:
            y = self._apply(x if is_plain(x) else checked_plain(self.name, x), *static)
            return y if shape_of(y) else number(y)
        inner = x._value
        y = self(inner, *static)
        return record(x._tape, y, (self._rule.code, x._node, (shape_of(inner), dtype_of(inner), *static)))


def linear(name: str, apply: Function, transpose: Function, *, fresh: bool = False, view: bool = False) -> Linear:
    """Declare a linear map: `apply(x, *static)` on plain arrays, `transpose(g, shape, dtype, *static)` on cotangents.

    `shape` and `dtype` are the operand's. `transpose` may meet BVars; `apply` never does. `fresh` and `view` as in
    `Rule`.
    """
    return Linear(name, apply, transpose, fresh=fresh, view=view)


def unary(
    name: str, value: Function, keep: Function, pull: Function, push: Function, *, fresh: bool = False
) -> Function:
    """Declare a primitive of one operand in free form.

    `value(x, *static)` on plain arrays; `keep(x, y, *static)` says what to remember; `pull(g, kept)` and
    `push(t, kept)` are the transposed derivative and the derivative, on arrays or BVars.
    """
    rule = Rule(name, lambda g, r: python_number(pull(g, r)), lambda t, r: python_number(push(t, r)), fresh=fresh)

    def call(x: Any, *static: Any) -> Any:
        if type(x) is not BVar:
            y = value(checked_plain(name, x), *static)
            return y if type(y) is NDARRAY and y.ndim else number(y)
        inner, tape = x._value, x._tape
        y = call(inner, *static)
        if tape is None:
            return constant(y)
        return record(tape, y, (rule.code, x._node, keep(inner, y, *static)))

    call.__name__ = call.__qualname__ = name
    return call


def bilinear(name: str, value: Function, left: Function, right: Function, *, fresh: bool = False) -> Function:
    """Declare a product, linear in each of two operands.

    `value(a, b, *static)` on plain arrays; `left(g, b, shape, *static)` pulls a cotangent back to the first operand
    (of `shape`), `right(g, a, shape, *static)` to the second. Forward mode is the product itself. `fresh` as in `Rule`.
    """
    left_rule = Rule(name, lambda g, r: python_number(left(g, *r)), lambda t, r: call(t, r[0], *r[2:]), fresh=fresh)
    right_rule = Rule(name, lambda g, r: python_number(right(g, *r)), lambda t, r: call(r[0], t, *r[2:]), fresh=fresh)

    def call(a: Any, b: Any, *static: Any) -> Any:
        tape, (x, y) = opened(name, a, b)
        if not (type(x) is BVar or type(y) is BVar):
            z = value(x, y, *static)
            z = z if shape_of(z) else number(z)
        else:
            z = call(x, y, *static)
        if tape is None:
            return constant(z) if type(a) is BVar or type(b) is BVar else z
        parts: list[Any] = []
        if on(tape, a):
            parts += (left_rule.code, a._node, (y, shape_of(x), *static))
        if on(tape, b):
            parts += (right_rule.code, b._node, (x, shape_of(y), *static))
        return record(tape, z, tuple(parts))

    call.__name__ = call.__qualname__ = name
    return call


def nary(name: str, value: Function, *derivatives: tuple[Function, Function]) -> Function:
    """Declare a primitive of several operands in free form; it remembers them all, and the result.

    `value(*operands, *static)` on plain values. For each operand there is a pair `(pull, push)`:
    `pull(g, *operands, y, *static)` is its cotangent, `push(t, *operands, y, *static)` its part of the result's
    tangent, on arrays or BVars.
    """
    codes = [_rule_of(name, pull, push) for pull, push in derivatives]

    def call(*arguments: Any) -> Any:
        operands, static = arguments[: len(codes)], arguments[len(codes) :]
        tape, values = opened(name, *operands)
        if any(type(x) is BVar for x in values):
            y = call(*values, *static)
        else:
            y = value(*values, *static)
            y = y if shape_of(y) else number(y)
        return record_parts(tape, y, operands, lambda k: (codes[k], (*values, y, *static)))

    call.__name__ = call.__qualname__ = name
    return call


def _rule_of(name: str, pull: Function, push: Function) -> int:
    return Rule(name, lambda g, kept: python_number(pull(g, *kept)), lambda t, kept: python_number(push(t, *kept))).code


def decomposition(name: str, value: Function, pull: Function, push: Function) -> Function:
    """Declare a primitive of one operand with several results.

    `value(x, *static)` gives a tuple of plain arrays. `pull(cotangents, x, results, *static)` gets a cotangent a
    result, None for one that was not used; `push(t, x, results, *static)` gives a tangent a result.
    """

    def call(x: Any, *static: Any) -> Any:
        tape, (inner,) = opened(name, x)
        results = call(inner, *static) if type(inner) is BVar else tuple(map(python_number, value(inner, *static)))

        def joint(_: list[int]) -> Joint:
            return Joint(
                name,
                lambda used: [
                    python_number(pull([used.parts.get(k) for k in range(len(results))], inner, results, *static))
                ],
                lambda tangents: [*map(python_number, push(tangents[0], inner, results, *static))],
            )

        return record_joint(tape, results, (x,), joint)

    call.__name__ = call.__qualname__ = name
    return call


# -- Any number of operands -----------------------------------------------------------------------------------------


def on(tape: Tape, x: Any) -> bool:
    """Whether `x` is recorded on `tape` itself."""
    return type(x) is BVar and x._tape is tape


def opened(name: str, *operands: Any) -> tuple[Tape | None, list[Value]]:
    """The tape that records an operation on `operands`, and the operands as that operation sees them.

    Plain arrays beside BVars are copied and brought to their dtype, so that the caller may keep them.
    """
    tape = innermost(*operands)
    values = [seen_from(tape, x) for x in operands]
    if FOUND:
        for x in values:
            if type(x) in FOUND:
                checked_plain(name, x)  # says so
    like: Any = None
    for x in values:
        if shape_of(x) and x.dtype.kind == "f":
            if like is None:
                like = x.dtype
            elif x.dtype.type is not like.type:
                raise mixed(name, like, x.dtype)
    if like is not None and (like.type not in _DIFFERENTIABLE or not like.isnative):
        # float16 and longdouble can only be computed with where nothing is differentiated.
        if like.type not in _DIFFERENTIABLE and any(type(x) is BVar for x in operands):
            raise mixed(name, like, _FLOAT64)
        like = like.newbyteorder("=")
    for position, (given, x) in enumerate(zip(operands, values, strict=True)):
        if type(given) is not BVar:
            if not is_operand(x):
                checked_plain(name, x)
            values[position] = own_data(x, like or _FLOAT64, name, tape is not None)
    return tape, values


_FLOAT64: Final = np.dtype(np.float64)
_DIFFERENTIABLE: Final = (np.float64, np.float32)


def record_parts(
    tape: Tape | None, value: Value, operands: Sequence[Any], part: Callable[[int], tuple[int, Any]]
) -> Any:
    """Record `value` of `operands`; `part(k)` gives the code of the rule and the residual of the k-th one.

    Where no operand is a BVar, `value` itself.
    """
    if tape is None:
        return constant(value) if any(type(x) is BVar for x in operands) else value
    entry: list[Any] = []
    for k, x in enumerate(operands):
        if type(x) is BVar and x._tape is tape:
            code, residual = part(k)
            entry += (code, x._node, residual)
    return record(tape, value, tuple(entry))


def record_joint(tape: Tape | None, value: Value, operands: Sequence[Any], joint: Callable[[list[int]], Joint]) -> Any:
    """Record `value` of `operands` whose cotangents are computed together.

    `joint` is given the positions of the operands that are on the tape and returns their common rule. A tuple `value`
    makes as many results, and the rule's `pull` then gets `Parts`.
    """
    if tape is None:
        lift = any(type(x) is BVar for x in operands)
        if type(value) is tuple:
            return tuple(map(constant, value)) if lift else value
        return constant(value) if lift else value
    mine = [k for k, x in enumerate(operands) if on(tape, x)]
    entry: Entry = (JOINT, tuple(operands[k]._node for k in mine), joint(mine))
    if type(value) is not tuple:
        return record(tape, value, entry)
    node = record(tape, None, entry)._node
    return tuple(record(tape, v, (PART, node, k)) for k, v in enumerate(value))
