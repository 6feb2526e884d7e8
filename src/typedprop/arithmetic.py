"""The rules under the operators and methods of `BVar`: `+ - * / ** @`, `abs`, indexing, sums, reshapes.

Each rule is written once with what plain arrays and `BVar`s share (operators, `.T`, `.mT`, `.sum`, `.reshape`,
indexing), so the same text runs on bare arrays in a first derivative and is itself recorded in a higher one. Where
NumPy has a function and no method, a small helper here asks the value for it.

Sizes are equal by the time a rule runs: broadcasting is an operation of its own (`BROADCAST`), recorded where an
operand was stretched, so no rule below undoes it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Final

import numpy as np

from typedprop.errors import NotDifferentiableError, ShapeError
from typedprop.index_sum import IndexSum, is_plain, scatter, scatter_all
from typedprop.leaves import FOUND, NDARRAY
from typedprop.outer_sum import OuterSum
from typedprop.tape import PASS, RULES, TIMES, Joint, Parts, Rule, Value

Shape = tuple[int, ...]

# NumPy's, by names of their own: see `NDARRAY`.
_TOTAL: Final[Any] = np.add.reduce
_EMPTY: Final = np.empty


# -- What arrays and BVars share, as functions ----------------------------------------------------------------------


def unwarned() -> Context:
    """A context in which a function of NumPy's runs, once, without warnings, whatever the caller's `np.errstate` is:
    `unwarned().run(np.exp, x)`.

    NumPy keeps that state in a context variable. `np.errstate` sets and resets it in .65 us, as much as the exponential
    of 300 elements takes; a copy of a context where it was set once comes in .06 us. (A copy, for two threads cannot be
    in one context.) The function must be NumPy's own: context variables of the caller's are not seen.
    """
    return _UNWARNED.copy()


_UNWARNED: Final = Context()
_UNWARNED.run(np.seterr, all="ignore")


def alarmed() -> Context:
    """As `unwarned`, but what has no value, such as 0 times infinity, raises FloatingPointError."""
    return _ALARMED.copy()


_ALARMED: Final = Context()
_ALARMED.run(np.seterr, all="ignore", invalid="raise")


def shape_of(x: Value) -> Shape:
    """The shape; `()` for numbers."""
    kind = type(x)
    if kind is NDARRAY:
        return x.shape  # type: ignore[no-any-return]  # an array's shape
    if kind is float or kind in FOUND:
        # A value of a registered type is one thing, whatever attributes its class may have.
        return ()
    shape: Shape = getattr(x, "shape", ())
    return shape


def dtype_of(x: Value) -> np.dtype[Any]:
    """The dtype; float64 for Python floats, object for values of registered types."""
    if type(x) in FOUND:
        return _OBJECT
    dtype: np.dtype[Any] = getattr(x, "dtype", _FLOAT64)
    return dtype


_FLOAT64 = np.dtype(np.float64)
_OBJECT: Final = np.dtype(object)


def plain(x: Value) -> Any:
    """The value under any number of enclosing tapes; what masks and comparisons look at."""
    while not is_plain(x) and type(x) not in FOUND and hasattr(x, "_value"):
        x = x._value
    return x


def zero_like(x: Value) -> Value:
    """A plain zero of the shape, dtype and type of `x`."""
    shape = shape_of(x)
    if shape:
        return np.zeros(shape, dtype_of(x))
    value = plain(x)
    leaf = FOUND.get(type(value))
    return 0.0 if leaf is None else leaf.zero(value)


def one_like(x: Value) -> Value:
    """A plain one of the shape, dtype and type of `x`: the cotangent that a gradient begins with."""
    shape = shape_of(x)
    if shape:
        return np.ones(shape, dtype_of(x))
    value = plain(x)
    leaf = FOUND.get(type(value))
    return 1.0 if leaf is None else leaf.one(value)


def number(x: Value) -> Value:
    """A 0-d result as a Python float, which, unlike np.float64, does not promote float32 arrays."""
    return float(x) if is_plain(x) else x


def total(x: Value, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Value:
    """`x.sum(axis, keepdims)`, a Python float where nothing is left."""
    if type(x) is NDARRAY and axis is None and not keepdims:
        return float(_TOTAL(x, None))
    y = x.sum(axis=axis, keepdims=keepdims)
    return y if shape_of(y) else number(y)


def total_of_floats(x: Any, shape: Shape, dtype: np.dtype[Any]) -> float:
    """The sum of all elements of a float array, of which shape and dtype are at hand."""
    if len(shape) == 1 and shape[0] <= _LONG_ONES:
        # BLAS takes a third of the time, and these are too few for the order of a sum to matter.
        return float(x.dot(ones_of(shape[0], dtype)))
    return float(_TOTAL(x, None))


def broadcast_to(x: Value, shape: Shape, dtype: np.dtype[Any]) -> Value:
    """`x` stretched to `shape`, in a new array."""
    if type(x) is float:
        y = _EMPTY(shape, dtype)
        y.fill(x)
        return y
    if is_plain(x):
        y = _EMPTY(shape, dtype)
        y[...] = x
        return y
    return x._broadcast_to(shape, dtype)


# By length, of the dtype that was wanted last. Few and short, for they stay.
_ONES: Final[dict[int, Any]] = {}
_MANY_ONES: Final = 64
_LONG_ONES: Final = 4096


def ones_of(count: int, dtype: np.dtype[Any]) -> Any:
    """A vector of ones, which nobody writes to: what BLAS adds up by, in less time than NumPy's sums take."""
    ones = _ONES.get(count)
    if ones is None or ones.dtype is not dtype:
        ones = np.ones(count, dtype)
        if count <= _LONG_ONES:
            if len(_ONES) >= _MANY_ONES:
                _ONES.clear()
            _ONES[count] = ones
    return ones


def sum_to(x: Value, shape: Shape) -> Value:
    """The transpose of `broadcast_to`: sum over the axes along which a value of `shape` was stretched."""
    if type(x) is NDARRAY and x.ndim == 2 and len(shape) == 1:
        # A row along the rows: the biases of a batch. BLAS takes half of the time of a sum over the first axis.
        return ones_of(len(x), x.dtype).dot(x)
    if not shape:
        return total(x)
    from_shape = shape_of(x)
    lead = len(from_shape) - len(shape)
    stretched = tuple(
        axis for axis, size in enumerate(from_shape) if axis < lead or (shape[axis - lead] == 1 and size != 1)
    )
    y = x.sum(axis=stretched, keepdims=True)
    return y.reshape(shape)


def cleared(x: Value, index: Any) -> Value:
    """A copy of `x` with zeros at `index`."""
    if not is_plain(x):
        return x._cleared(index)
    y = x.copy()
    y[index] = 0
    return y


def outer(x: Value, y: Value) -> Value:
    """The outer product, as a matrix product of a column with a row, which exists for arrays and BVars."""
    return x.reshape((-1, 1)) @ y.reshape((1, -1))


def broadcast_shape(name: str, x: Shape, y: Shape) -> Shape:
    """The shape of a binary elementwise operation, by typedprop's rules, narrower than NumPy's.

    A scalar goes with anything; a smaller rank must match the last axes (a row along a matrix); equal ranks may differ
    where one operand, always the same one, has size 1 (as keepdims leaves it).
    """
    if x == y or not x or not y:
        return x or y
    if len(x) != len(y):
        large, small = (x, y) if len(x) > len(y) else (y, x)
        if large[len(large) - len(small) :] == small:
            return large
    elif len(x) > 1:
        if all(a in (b, 1) for a, b in zip(x, y, strict=True)):
            return y
        if all(b in (a, 1) for a, b in zip(x, y, strict=True)):
            return x
    raise ShapeError(
        f"{name}: {describe(x)} and {describe(y)} do not go together. "
        f"Sizes must be equal; a scalar goes with anything, R[n] along the rows of L[m, n], "
        f"and L[m, 1] or L[1, n] with L[m, n]{_transposed_hint(x, y)}"
    )


def _transposed_hint(x: Shape, y: Shape) -> str:
    if len(x) == len(y) > 1 and all(a == b or 1 in (a, b) for a, b in zip(x, y, strict=True)):
        return ". NumPy would stretch both: stretch one by broadcast_to, or write outer for a product of two vectors"
    return ". Did you mean to transpose one of them (.T)?" if len(x) == len(y) == 2 and x == y[::-1] else ""


def describe(shape: Shape) -> str:
    """A shape in the words of the types: `float`, `R[3]`, `L[2, 3]`, `Tensor3[...]`."""
    if not shape:
        return "float"
    name = {1: "R", 2: "L"}.get(len(shape), f"Tensor{len(shape)}")
    return f"{name}[{', '.join(map(str, shape))}]"


def what_is(x: Any) -> str:
    """What was given, in a message about its type: `an array of dtype int64`, `a list`."""
    return f"an array of dtype {x.dtype}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"


# -- Linear maps --------------------------------------------------------------------------------------------------

NEGATE: Final = Rule("negative", lambda g, _: -g, lambda t, _: -t, fresh=True)

# residual: (shape before, shape after, dtype)
BROADCAST: Final = Rule(
    "broadcast",
    lambda g, r: sum_to(g, r[0]),
    lambda t, r: broadcast_to(t, r[1], r[2]),
    fresh=True,
)


def _pull_sum(g: Value, residual: tuple[Shape, Any, bool, Any]) -> Value:
    shape, axis, keepdims, dtype = residual
    if shape_of(g) and not keepdims:
        g = g.reshape(kept_shape(shape, axis))
    return broadcast_to(g, shape, dtype)


def kept_shape(shape: Shape, axis: int | tuple[int, ...] | None) -> Shape:
    """The shape that a reduction over `axis` leaves with keepdims."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}
    return tuple(1 if position in axes else size for position, size in enumerate(shape))


# residual: (shape, axis, keepdims, dtype)
SUM: Final = Rule("sum", _pull_sum, lambda t, r: total(t, r[1], r[2]), fresh=True)

# The mean is the sum divided by a count. residual: (shape, axis, keepdims, dtype, count)
MEAN: Final = Rule(
    "mean",
    lambda g, r: _pull_sum(g / r[4], r[:4]),
    lambda t, r: total(t, r[1], r[2]) / r[4],
    fresh=True,
)

SWAP_LAST: Final = Rule("mT", lambda g, _: g.mT, lambda t, _: t.mT, view=True)
# residual: (shape before, shape after)
RESHAPE: Final = Rule("reshape", lambda g, r: g.reshape(r[0]), lambda t, r: t.reshape(r[1]), view=True)


def take(x: Value, index: Any) -> Value:
    """`x[index]`, a Python float where it selects one element."""
    y = x[index]
    return y if shape_of(y) else number(y)


def _pull_index(g: Value, residual: tuple[Any, Shape, Any]) -> Value:
    """An array where much of one was read, which is one step less; so many elements were copied by the read anyway."""
    index, shape, dtype = residual
    if shape_of(g) and 2 * g.size >= math.prod(shape):
        return scatter(g, index, shape, dtype)
    return IndexSum(g, residual)


# residual: (index, shape, dtype)
INDEX: Final = Rule(
    "index",
    _pull_index,
    lambda t, r: take(t, r[0]),
    fresh=True,
)
SCATTER: Final = Rule(
    "scatter",
    lambda g, r: take(g, r[0]),
    lambda t, r: scatter(t, r[0], r[1], r[2]),
)


def scatter_joint(name: str, indices: list[Any], shape: Shape, dtype: np.dtype[Any]) -> Joint:
    """The rule of `scatter_all` and of what joins arrays, for the values that are on the tape: each has its index."""

    def push(tangents: Sequence[Value]) -> Value:
        moved = [(index, t) for index, t in zip(indices, tangents, strict=True) if t is not None]
        return scatter_all(moved, shape, dtype)

    return Joint(name, lambda g: [take(g, index) for index in indices], push)


# A projection, its own transpose. residual: index
CLEAR: Final = Rule("at", lambda g, index: cleared(g, index), lambda t, index: cleared(t, index), fresh=True)


def unstacked(x: Value) -> list[Value]:
    """The elements along the first axis, Python floats where they are scalars."""
    return x.tolist() if type(x) is NDARRAY and x.ndim == 1 else list(x)


def _pull_unstack(parts: Parts, residual: tuple[Shape, Any]) -> Value:
    shape, dtype = residual
    if all(map(is_plain, parts.parts.values())):
        y = np.zeros(shape, dtype)
        for position, g in parts.parts.items():
            y[position] = g
        return y
    return scatter_all(list(parts.parts.items()), shape, dtype)


# An array taken apart along its first axis; the elements are PARTs of this node. residual: (shape, dtype)
UNSTACK: Final = Rule("iteration", _pull_unstack, lambda t, _: unstacked(t), fresh=True)

# A reduction that selects: residual (weights, shape, axis, keepdims, dtype); a tie shares its cotangent equally.
SELECT: Final = Rule(
    "max or min",
    lambda g, r: _pull_sum(g, r[1:]) * r[0],
    lambda t, r: total(t * r[0], r[2], r[3]),
    fresh=True,
)


def tie_weights(x: Value, y: Value, axis: int | tuple[int, ...] | None) -> Any:
    """1 where `x` attains the reduced value `y`, divided among ties; plain, for the derivative is constant there.

    A NaN is what a NaN attains.
    """
    top = plain(x)
    low = np.reshape(plain(y), kept_shape(top.shape, axis))
    hit = (top == low).astype(top.dtype)
    if np.isnan(low).any():
        hit += np.isnan(top) & np.isnan(low)
    hit /= hit.sum(axis=axis, keepdims=True)
    return hit


# -- Binary elementwise operations --------------------------------------------------------------------------------


class Operand:
    """The derivative of a binary elementwise operation by one of its operands.

    `residual(a, b, y)` says what to remember, `partial(residual)` is the derivative, and `apply(t, residual)`
    multiplies a tangent or cotangent by it (an elementwise map is its own transpose).
    """

    __slots__ = ("code", "partial", "residual")

    def __init__(
        self,
        name: str,
        residual: Callable[[Any, Any, Any], Any],
        partial: Callable[[Any], Any],
        apply: Callable[[Any, Any], Any] | None = None,
        *,
        rule: Rule | None = None,
    ) -> None:
        if rule is None:
            apply = apply or scaled_by(partial)
            rule = Rule(name, apply, apply, fresh=True)
        self.code: int = rule.code
        self.residual: Callable[[Any, Any, Any], Any] = residual
        self.partial: Callable[[Any], Any] = partial


def scaled_by(partial: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The map `t -> t * partial(residual)`, which multiplies in place where `partial` made a new array."""

    def apply(t: Value, residual: Any) -> Value:
        d = partial(residual)
        if type(d) is NDARRAY and type(t) is NDARRAY and d is not residual and d.dtype is t.dtype:
            # The derivative is a temporary of ours, unless it is (a view of) something kept: reuse it, and save one
            # array of memory traffic.
            mine = d.base is None and not (type(residual) is tuple and any(d is kept for kept in residual))
            if mine and d.shape == t.shape:
                return np.multiply(d, t, out=d)
        return t * d

    return apply


class Binary:
    """A binary elementwise operation: its value and the derivative by each operand.

    `keeps` says whether a residual holds an operand itself, which then must not change under it. `slopes(a, b)` gives
    both derivatives at two floats, where that takes no thought: the short way for scalar programs.
    """

    __slots__ = ("keeps", "left", "name", "right", "slopes", "value")

    def __init__(
        self,
        name: str,
        value: Callable[[Any, Any], Any],
        left: Operand,
        right: Operand,
        *,
        keeps: bool = True,
        slopes: Callable[[float, float], tuple[float, float]] | None = None,
    ) -> None:
        self.name: str = name
        self.slopes: Callable[[float, float], tuple[float, float]] | None = slopes
        self.value: Callable[[Any, Any], Any] = value
        self.left: Operand = left
        self.right: Operand = right
        self.keeps: bool = keeps


def _nothing(*_: Value) -> None:
    return None


ADD: Final = Binary(
    "+",
    operator.add,
    Operand("+", _nothing, lambda _: 1.0, rule=RULES[PASS]),
    Operand("+", _nothing, lambda _: 1.0, rule=RULES[PASS]),
    keeps=False,
    slopes=lambda a, b: (1.0, 1.0),
)
SUBTRACT: Final = Binary(
    "-",
    operator.sub,
    Operand("-", _nothing, lambda _: 1.0, rule=RULES[PASS]),
    Operand("-", _nothing, lambda _: -1.0, rule=NEGATE),
    keeps=False,
    slopes=lambda a, b: (1.0, -1.0),
)
MULTIPLY: Final = Binary(
    "*",
    operator.mul,
    Operand("*", lambda a, b, y: b, lambda b: b, rule=RULES[TIMES]),
    Operand("*", lambda a, b, y: a, lambda a: a, rule=RULES[TIMES]),
    slopes=lambda a, b: (b, a),
)
DIVIDE: Final = Binary(
    "/",
    operator.truediv,
    Operand("/", lambda a, b, y: b, lambda b: 1 / b, operator.truediv),
    Operand("/", lambda a, b, y: (y, b), lambda r: -r[0] / r[1]),
)


def power_slope(x: Value, exponent: Value) -> Value:
    """The derivative of `x ** exponent` by `x`, finite wherever it is: 0 for exponent 0, also at x = 0.

    Where it is infinite, at x = 0 and exponents below 1, nobody is warned.
    """
    if type(exponent) is float or type(exponent) is int:
        if exponent == 0:
            return x * 0.0 if shape_of(x) else 0.0
        if exponent == 1:
            return x * 0.0 + 1.0 if shape_of(x) else 1.0
        if exponent == 2:
            return 2 * x
        if exponent > 1:
            return exponent * x ** (exponent - 1)
        with np.errstate(divide="ignore"):
            return exponent * x ** (exponent - 1)
    one: Any = 1.0
    # 0 ** (0 - 1) is infinite, and 0 times it is not 0: there, and only there, the exponent stays.
    hole = np.asarray((plain(x) == 0) & (plain(exponent) == 0))
    if hole.any():
        one = (~hole).astype(dtype_of(x if shape_of(x) else exponent)) if hole.ndim else 0.0
    with np.errstate(divide="ignore"):
        return exponent * x ** (exponent - one)


def power_log(x: Value, y: Value) -> Value:
    """The derivative of `y = x ** e` by the exponent, `y log x`; 0 at x = 0, where y is 0 in every neighbourhood, but
    for the pole at negative exponents, where it is -inf like its limit.

    At x < 0 the power exists for isolated exponents only, so the derivative by the exponent is NaN.
    """
    base = plain(x)
    if not shape_of(base):
        if base == 0.0 and not shape_of(y):
            return 0.0 if math.isfinite(plain(y)) else -math.inf
        if base < 0.0:
            return math.nan
    # A safe base where the logarithm is not needed; `1 - hole` and `hole` are plain, so order 2 is as right.
    hole = np.asarray((base == 0.0) & np.isfinite(plain(y)))
    if hole.any():
        x = x + hole.astype(dtype_of(y))
    return y * log(x)


def log(x: Value) -> Value:
    """The natural logarithm of an array, number or BVar (whose class brings its own)."""
    if not is_plain(x):
        return x._log()
    with np.errstate(invalid="ignore", divide="ignore"):
        return number(np.log(x)) if not shape_of(x) else np.log(x)


POWER: Final = Binary(
    "**",
    operator.pow,
    Operand("**", lambda a, b, y: (a, b), lambda r: power_slope(r[0], r[1])),
    Operand("**", lambda a, b, y: (a, y), lambda r: power_log(r[0], r[1])),
)


# The sign is constant wherever it has a derivative; 0 at 0, a valid subgradient.
ABSOLUTE: Final = Rule("abs", lambda g, s: g * s, lambda t, s: t * s, fresh=True)
LOG: Final = Rule("log", lambda g, x: g / x, lambda t, x: t / x, fresh=True)


def sign_of(x: Value) -> Any:
    """-1, 0 or 1, plain."""
    value = plain(x)
    if type(value) in FOUND:
        return _sign_of_leaf(value)
    s = np.sign(value)
    return s if shape_of(s) else float(s)


# -- The same operations on values of registered types -------------------------------------------------------------
#
# A leaf stands right of a BVar wherever both may meet: its class's own operators need not know what a BVar is.


def _times(t: Value, d: Value) -> Value:
    return t * d if type(t) not in FOUND or type(d) in FOUND or type(d) is int else d * t


def _over(t: Value, d: Value) -> Value:
    return t / d if type(t) not in FOUND or type(d) in FOUND or type(d) is int else d.__rtruediv__(t)


def _leaf_power(t: Value, residual: tuple[Value, Value]) -> Value:
    x, exponent = residual
    return t * 0 if exponent == 0 else _times(t, x ** (exponent - 1) * exponent)


def _no_logarithm(x: Value, exponent: Value, y: Value) -> Value:
    raise NotDifferentiableError(
        f"**: the derivative by an exponent takes a logarithm, which is not known for a {type(plain(y)).__name__}; "
        "give a plain exponent, or declare the power with tp.op"
    )


# By the operation for floats and arrays. Nothing here is a float, so that exact types stay exact.
OF_LEAVES: Final = {
    ADD: ADD,
    SUBTRACT: SUBTRACT,
    MULTIPLY: Binary(
        "*",
        operator.mul,
        Operand("*", lambda a, b, y: b, _nothing, _times),
        Operand("*", lambda a, b, y: a, _nothing, _times),
    ),
    DIVIDE: Binary(
        "/",
        operator.truediv,
        Operand("/", lambda a, b, y: b, _nothing, _over),
        Operand("/", lambda a, b, y: (y, b), _nothing, lambda t, r: _times(t, -r[0] / r[1])),
    ),
    POWER: Binary(
        "**",
        operator.pow,
        Operand("**", lambda a, b, y: (a, b), _nothing, _leaf_power),
        Operand("**", _no_logarithm, _nothing),
    ),
}


def _sign_of_leaf(x: Any) -> int:
    y = abs(x)
    if y == x:
        return 0 if y == -x else 1
    if y == -x:
        return -1
    raise NotDifferentiableError(
        f"abs: {x!r} is neither {y!r} nor its negative, so its absolute value has no derivative that is known here; "
        "declare it with tp.op"
    )


# -- Products -----------------------------------------------------------------------------------------------------


def _outer_or_pair(left: Value, right: Value) -> Any:
    """The cotangent of a matrix in a matrix-vector product: a pair for the sweep to collect, dense for BVars."""
    if type(left) is NDARRAY and type(right) is NDARRAY:
        return OuterSum(left, right)
    return outer(left, right)


def _dot(a: Value, b: Value) -> Value:
    """`a @ b` for ranks 1 and 2, not both 2: arrays' own `dot` lacks the ufunc's overhead, as much as a small product.

    (For two matrices it is slower: it fills the result with zeros first.)
    """
    return a.dot(b) if type(b) is NDARRAY else a @ b


def _product(name: str, pull_left: _Map, pull_right: _Map) -> tuple[int, int]:
    """The rules of one combination of ranks, the residual being the other operand; both push by the product itself."""
    return (
        Rule(name, pull_left, lambda t, b: matmul(t, b), fresh=True).code,
        Rule(name, pull_right, lambda t, a: matmul(a, t), fresh=True).code,
    )


_Map = Callable[[Any, Any], Any]

_DOT: Final = _product("dot", lambda g, b: g * b, lambda g, a: g * a)
# A vector's product with itself, as in a sum of squares: one cotangent, not two equal ones to be added.
DOT_ITSELF: Final = Rule("dot", lambda g, a: g * 2 * a, lambda t, a: 2 * matmul(t, a), fresh=True)
_MATRIX_VECTOR: Final = _product("matrix @ vector", _outer_or_pair, lambda g, w: _dot(g, w))
_VECTOR_MATRIX: Final = _product("vector @ matrix", lambda g, w: _dot(w, g), lambda g, x: _outer_or_pair(x, g))
_MATRICES: Final = _product("matrix @ matrix", lambda g, b: g @ b.T, lambda g, a: a.T @ g)
# A transposed right operand gets its cotangent in its own memory order: undoing the transposition then gives a
# C-ordered gradient, with which a later update runs 1.25 times as fast.
_MATRICES_RIGHT_TRANSPOSED: Final = _product("matrix @ matrix", lambda g, b: g @ b.T, lambda g, a: (g.T @ a).T)
# `x @ w.T`, as layers have it, with `w` for its operand: the cotangent of `w` then needs no turning.
TIMES_TRANSPOSE: Final = (
    Rule("matrix @ matrix", lambda g, w: g @ w, lambda t, w: t @ w.T, fresh=True).code,
    Rule("matrix @ matrix", lambda g, x: g.T @ x, lambda t, x: x @ t.T, fresh=True).code,
)
_STACKS: Final = _product("stack @ stack", lambda g, b: g @ b.mT, lambda g, a: a.mT @ g)


def _pull_shared_matrix(g: Value, a: Value) -> Value:
    """The cotangent of the one right matrix of a stack of products, as a single product of the stacked rows."""
    return a.reshape((-1, shape_of(a)[-1])).T @ g.reshape((-1, shape_of(g)[-1]))


_STACK_MATRIX: Final = _product("stack @ matrix", lambda g, b: g @ b.mT, _pull_shared_matrix)


def matmul(x: Value, y: Value) -> Value:
    """`x @ y`; a Python float for two vectors."""
    z = x @ y
    return z if shape_of(z) else number(z)


def array_product(
    x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], transposed: bool = False
) -> tuple[Any, tuple[int, int]]:
    """`matmul` of two arrays of one dtype, with its rules; the sizes are looked at only if they do not fit.

    `transposed` says that `y` is the transpose of a recorded matrix, for which the rules are `TIMES_TRANSPOSE`.
    """
    rank_x, rank_y = x.ndim, y.ndim
    try:
        if rank_y == 1:
            if rank_x == 2:
                return x.dot(y), _MATRIX_VECTOR
            if rank_x == 1:
                return float(x.dot(y)), _DOT
        elif rank_y == 2:
            if rank_x == 2:
                if transposed:
                    return x @ y, TIMES_TRANSPOSE
                return x @ y, _MATRICES_RIGHT_TRANSPOSED if y.flags.fnc else _MATRICES
            if rank_x == 1:
                return x.dot(y), _VECTOR_MATRIX
    except ValueError:
        pass
    codes = matmul_rules(x, y)
    return matmul(x, y), codes


def matmul_rules(x: Value, y: Value) -> tuple[int, int]:
    """The codes of the rules of `x @ y`, after a check that it is defined."""
    a, b = shape_of(x), shape_of(y)
    ranks = (len(a), len(b))
    if a and b and a[-1] == b[0]:
        if ranks == (2, 1):
            return _MATRIX_VECTOR
        if ranks == (2, 2):
            return _MATRICES_RIGHT_TRANSPOSED if type(y) is NDARRAY and y.flags.fnc else _MATRICES
        if ranks == (1, 2):
            return _VECTOR_MATRIX
        if ranks == (1, 1):
            return _DOT
    if 0 in ranks or max(ranks) > 3 or (max(ranks) == 3 and ranks not in ((3, 3), (3, 2))):
        raise ShapeError(f"@: {describe(a)} @ {describe(b)} is not defined; use * with a scalar, einsum for the rest")
    inner = b[-2] if ranks[1] > 1 else b[0]
    if a[-1] != inner or (ranks == (3, 3) and a[0] != b[0]):
        raise ShapeError(f"@: {describe(a)} @ {describe(b)}: {_matmul_mismatch(a, b, inner)}")
    return _STACKS if ranks == (3, 3) else _STACK_MATRIX


def _matmul_mismatch(a: Shape, b: Shape, inner: int) -> str:
    if len(a) == len(b) == 3 and a[0] != b[0]:
        return f"the batch sizes {a[0]} and {b[0]} differ"
    hint = ""
    if len(b) == 2 and b[1] == a[-1]:
        hint = "; did you mean to transpose the right one (.T)?"
    elif len(a) == 2 and a[0] == inner:
        hint = "; did you mean to transpose the left one (.T)?"
    return f"the inner sizes {a[-1]} and {inner} differ{hint}"
