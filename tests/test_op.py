"""Primitives declared as users of `op` would: each word of the vocabulary, at both orders, in both modes and dtypes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, difference, lift, rand, tp
from typedprop.arithmetic import broadcast_to, shape_of, take
from typedprop.elementwise2 import elementwise2
from typedprop.errors import DTypeError
from typedprop.index_sum import scatter
from typedprop.op import (
    bilinear,
    checked_plain,
    decomposition,
    elementwise,
    linear,
    nary,
    opened,
    record_joint,
    record_parts,
    unary,
)
from typedprop.ops.elementwise import Stepwise
from typedprop.tape import Joint, Parts, Rule
from typedprop.testing import check_grads

# A function of each element, by its derivative at the input, at the output, and with a faster way for numbers.
SIN: Any = elementwise("sin", np.sin, of_input=lambda x: COS(x), doc="The sine.")
COS: Any = elementwise("cos", np.cos, of_input=lambda x: -SIN(x))
TAN: Any = elementwise("tan", np.tan, of_output=lambda y: 1 + y * y, number=math.tan)
ELEMENTWISE = {"sin": (SIN, np.sin), "cos": (COS, np.cos), "tan": (TAN, np.tan)}

HYPOT: Any = elementwise2("hypot", np.hypot, lambda a, b, y: a / y, lambda a, b, y: b / y)
# `roll(x, n)`; transposed, it rolls back. A stretch to n columns, whose transpose sums them.
ROLL: Any = linear(
    "roll",
    lambda x, n: np.roll(x, n),
    lambda g, shape, dtype, n: ROLL(g, -n),
)
COLUMNS: Any = linear(
    "columns",
    lambda x, n: np.repeat(x[:, None], n, axis=1),
    lambda g, shape, dtype, n: g.sum(axis=1),
    fresh=True,
)
TOTAL: Any = linear("total", lambda x: x.sum(), lambda g, shape, dtype: broadcast_to(g, shape, dtype))
# x[i] * b for each i, as a matrix.
OUTER: Any = bilinear(
    "outer",
    lambda a, b: np.multiply(a[:, None], b),
    lambda g, b, shape: g @ b,
    lambda g, a, shape: a @ g,
)
# <a, b> / n, with a static number.
INNER: Any = bilinear(
    "inner",
    lambda a, b, n: a @ b / n,
    lambda g, b, shape, n: g * b / n,
    lambda g, a, shape, n: g * a / n,
)
LENGTH: Any = unary(
    "length",
    lambda x: np.sqrt(np.sum(x * x)),
    lambda x, y: (x, y),
    lambda g, kept: (g / kept[1]) * kept[0],
    lambda t, kept: (t * kept[0]).sum() / kept[1],
)
NORMALIZED: Any = unary(
    "normalized",
    lambda x, k: k * x / np.sqrt(np.sum(x * x)),
    lambda x, y, k: (x, y, k),
    lambda g, kept: _tangential(g, *kept),
    lambda t, kept: _tangential(t, *kept),
)


def _tangential(t: Any, x: Any, y: Any, k: float) -> Any:
    """The derivative of k x / |x|, which is symmetric: the part of t across y, times k / |x|."""
    unit = y / k
    return (t - (t * unit).sum() * unit) * (k / LENGTH(x))


# a * b + c, elementwise, with three operands; and c may be left out of the derivative.
FUSED: Any = nary(
    "fused",
    lambda a, b, c: a * b + c,
    (lambda g, a, b, c, y: g * b, lambda t, a, b, c, y: t * b),
    (lambda g, a, b, c, y: g * a, lambda t, a, b, c, y: a * t),
    (lambda g, a, b, c, y: g, lambda t, a, b, c, y: t),
)


def _pull_halves(cotangents: list[Any], x: Any, results: Any) -> Any:
    n = shape_of(x)[0] // 2
    pulled = 0.0 * x
    for position, g in enumerate(cotangents):
        if g is not None:
            part = slice(position * n, (position + 1) * n)
            pulled = pulled + scatter(2 * take(x, part) * g, part, shape_of(x), x.dtype)
    return pulled


# The squares of the first and of the second half of a vector: two results.
HALVES: Any = decomposition(
    "halves",
    lambda x: (x[: len(x) // 2] ** 2, x[len(x) // 2 :] ** 2),
    _pull_halves,
    lambda t, x, results: [2 * x[: len(x) // 2] * t[: len(x) // 2], 2 * x[len(x) // 2 :] * t[len(x) // 2 :]],
)

# -- elementwise -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 2, 3), (0,)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_of_arrays(name: str, shape: Any, dtype: Any) -> None:
    f, numpy_f = ELEMENTWISE[name]
    x = rand(*shape, dtype=dtype)
    assert type(f(x)) is np.ndarray and f(x).dtype == dtype
    np.testing.assert_array_equal(f(x), numpy_f(x))
    assert f(BVar(x)) == BVar(numpy_f(x))
    check_grads(f, (BVar(x),), order=3 if dtype is np.float64 else 2)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_of_numbers(name: str) -> None:
    f, numpy_f = ELEMENTWISE[name]
    for given in (0.75, np.float64(0.75), np.float32(0.75)):
        assert type(f(given)) is float
        assert f(given) == pytest.approx(numpy_f(0.75), rel=1e-6)
    b = f(BVar(0.75))
    assert type(b.value) is float and b.value == pytest.approx(numpy_f(0.75), rel=1e-15)
    value, gradient = tp.value_and_grad(f)(BVar(0.75))
    assert type(value.value) is float and type(gradient.value) is float
    check_grads(f, (BVar(0.75),), order=3)


def test_a_number_beside_float32_leaves_it_float32() -> None:
    x = lift(3, dtype=np.float32)
    for f, _ in ELEMENTWISE.values():
        assert (f(BVar(0.5)) * x).dtype == np.float32
        gradient = tp.grad(lambda s: (f(s) * x).sum())(0.5)  # noqa: B023
        assert type(gradient) is float
        _, tangent = tp.jvp(lambda s: f(s) * x, BVar(0.5), BVar(1.0))  # noqa: B023
        assert tangent.dtype == np.float32


def test_elementwise_where_python_raises() -> None:
    log: Any = elementwise("log", np.log, of_input=lambda x: 1 / x, number=math.log)
    exp: Any = elementwise("exp", np.exp, of_output=lambda y: y, number=math.exp)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        value, slope = tp.value_and_grad(log)(0.0)
    assert (value.value, slope) == (-math.inf, math.inf)
    with pytest.warns(RuntimeWarning, match="overflow"):
        value, slope = tp.value_and_grad(exp)(1000.0)
    assert (value.value, slope) == (math.inf, math.inf)
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert math.isnan(log(-1.0))


def test_elementwise_takes_one_derivative() -> None:
    cases: list[dict[str, Any]] = [{}, {"of_input": np.cos, "of_output": np.cos}]
    for derivatives in cases:
        with pytest.raises(TypeError, match="elementwise sin: give the derivative as of_input or as of_output"):
            elementwise("sin", np.sin, **derivatives)


def test_elementwise_keeps_only_what_the_derivative_is_a_function_of() -> None:
    """The backward sweep may write over its own temporaries, never over what is kept."""
    x = rand(3)
    before = x.copy()
    b = BVar(x)
    _, pullback = tp.vjp(lambda a: TAN(SIN(a)), b)
    g = BVar(np.ones(3))
    first = pullback(g)
    assert pullback(g) == first and b == BVar(before) and g == BVar(np.ones(3))
    np.testing.assert_allclose(first.value, np.cos(x) / np.cos(np.sin(x)) ** 2, rtol=1e-14)


def test_a_derivative_that_is_kept_is_not_written_over() -> None:
    """What is kept may itself be the derivative, or a view of it, or one of several kept arrays."""
    exp: Any = elementwise("exp", np.exp, of_output=lambda y: y)
    view: Any = elementwise("exp", np.exp, of_output=lambda y: y[...])
    times: Any = elementwise2("times", np.multiply, lambda a, b, y: b, lambda a, b, y: a)
    views: Any = elementwise2("times", np.multiply, lambda a, b, y: b[...], lambda a, b, y: a[...])
    x, g = lift(3), lift(3, seed=1)
    for f in (exp, view, lambda a: times(a, x), lambda a: times(a, a), lambda a: views(a, x), lambda a: views(a, a)):
        output, pullback = tp.vjp(f, x)
        before = output.value.copy(), x.value.copy()
        first = pullback(g)
        assert pullback(g) == first
        assert np.array_equal(output.value, before[0]) and np.array_equal(x.value, before[1])
        check_grads(f, (x,))


def test_a_slope_that_is_infinite_warns_of_nothing() -> None:
    with np.errstate(all="ignore"):
        _, of_log = tp.vjp(tp.log, BVar(0.0))
    assert of_log(BVar(1.0)).value == np.inf
    inverse = elementwise(
        "inverse", np.reciprocal, number=lambda x: 1 / x if x else np.inf, of_input=lambda x: -1 / (x * x)
    )
    assert tp.grad(inverse)(BVar(0.0)).value == -np.inf


def test_a_masked_array_beside_a_bvar_is_refused_by_name() -> None:
    masked = np.ma.masked_array([1.0, 2.0])
    with pytest.raises(DTypeError, match=r"^where: a MaskedArray beside a BVar would lose its meaning"):
        tp.grad(lambda x: tp.where(np.array([True, False]), x, masked).sum())(lift(2))


@pytest.mark.parametrize("name", ["dot", "outer", "kron", "convolve", "hypot", "inner"])
def test_a_plain_operand_may_change_after_its_use(name: str) -> None:
    f: Any = getattr(tp, name)
    plain = np.array([1.0, 2.0, 3.0])
    for g in (f, lambda a, b: f(b, a), lambda a, b: tp.einsum("i,i->i", a, b), lambda a, b: tp.where(b > 1, a * b, b)):
        value, pullback = tp.vjp(lambda x, g=g: g(x, plain), lift(3))  # noqa: B023
        seed = BVar(np.ones(value.shape)) if value.shape else BVar(1.0)
        first = pullback(seed)
        plain += 10.0
        assert pullback(seed) == first


def test_half_floats_are_computed_with_where_nothing_is_differentiated() -> None:
    half = np.array([1.0, 2.0], np.float16)
    for f in (tp.dot, tp.hypot, tp.convolve, lambda a, b: tp.concatenate([a, b])):
        assert f(half, half).dtype == np.float16


def test_elementwise_refuses_by_name() -> None:
    for given in (np.array([1j]), np.array(["a"]), "a", None, [1.0]):
        with pytest.raises(DTypeError, match=r"sin: wanted a BVar, a float or a float array, got an? "):
            SIN(given)


def test_what_a_derivative_keeps_is_not_added_into() -> None:
    """Of a word that promises nothing the derivative may be an array that it keeps, and the sweep adds to a copy."""
    kept = np.array([10.0, 20.0, 30.0])
    words: dict[str, Any] = {
        "linear": linear("kept", lambda x: x.copy(), lambda g, shape, dtype: kept),
        "unary": unary("kept", lambda x: x.copy(), lambda x, y: None, lambda g, _: kept, lambda t, _: t),
        "nary": nary("kept", lambda x: x.copy(), (lambda g, x, y: kept, lambda t, x, y: t)),
        "bilinear": bilinear("kept", lambda a, b: a * b, lambda g, b, shape: kept, lambda g, a, shape: kept),
    }
    for name, word in words.items():
        ones = np.ones(3)
        operands: list[Any] = [(None, ones), (ones, None)] if name == "bilinear" else [(None,)]
        for given in operands:

            def f(x: Any, word: Any = word, given: Any = given) -> Any:
                return (x * 7.0).sum() + (word(*(x if other is None else other for other in given)) * 2.0).sum()

            gradient = tp.grad(f)(ones)
            assert np.array_equal(gradient, [17.0, 27.0, 37.0]), name
            assert np.array_equal(kept, [10.0, 20.0, 30.0]), name


def test_each_word_names_what_it_makes() -> None:
    def anything(*_: Any) -> Any:
        raise AssertionError

    made: list[Any] = [
        elementwise("f", anything, of_input=anything, doc="A text."),
        elementwise2("f", anything, anything, anything, doc="A text."),
        unary("f", anything, anything, anything, anything),
        bilinear("f", anything, anything, anything),
        nary("f", anything, (anything, anything)),
        decomposition("f", anything, anything, anything),
    ]
    assert [f.__name__ for f in made] == ["f"] * 6
    assert [f.__doc__ for f in made[:2]] == ["A text."] * 2
    assert repr(made[0]).startswith("<function f at ")


def test_a_step_function_says_what_it_is() -> None:
    f = Stepwise("f", np.sign, "A text.")
    assert (f.__name__, f.__doc__) == ("f", "A text.") and f(-2.0) == -1.0


def test_what_a_linear_map_is_not_given_is_named() -> None:
    f = linear("f", lambda x: x, lambda g, shape, dtype: g)
    with pytest.raises(DTypeError, match=r"^f: wanted a BVar, a float or a float array, got a list$"):
        f([1.0, 2.0])


def test_a_value_without_axes_becomes_a_python_float() -> None:
    for value in (lambda x: float(x.sum()), lambda x: x.sum(), lambda x: np.array(x.sum())):
        f = unary("f", value, lambda x, y: x.shape, lambda g, kept: np.full(kept, g), lambda t, kept: t.sum())
        assert type(f(np.ones(3))) is type(f(BVar(np.ones(3))).value) is float
        assert np.array_equal(tp.grad(f)(np.ones(3)), np.ones(3))


def test_what_a_function_of_two_operands_keeps() -> None:
    f: Any = elementwise2("f", np.multiply, lambda b: b, lambda b: 7.0, keep=lambda a, b, y: (b,))
    assert tp.grad(f, (0, 1))(2.0, 5.0) == (5.0, 7.0)
    # A plain number beside a value of the outer gradient.
    assert tp.grad(tp.grad(lambda s: HYPOT(2.0, s)))(0.0) == tp.grad(tp.grad(lambda s: HYPOT(s, 2.0)))(0.0) == 0.5


def test_the_derivative_of_a_number_is_a_python_float() -> None:
    """NumPy's would promote a float32 array that it meets later, in either mode."""
    by_one: Any = elementwise("f", np.sin, of_input=lambda x: np.float64(2.0))
    by_two: Any = elementwise2("f", np.hypot, lambda a, b, y: np.float64(2.0), lambda a, b, y: np.float64(3.0))
    x = lift(3, dtype=np.float32)
    for f in (by_one, lambda s: by_two(s, 1.0), lambda s: by_two(1.0, s)):
        assert type(tp.grad(f)(0.5)) is float
        assert tp.jvp(lambda s: f(s) * x, BVar(0.5), BVar(1.0))[1].dtype == np.float32  # noqa: B023
        assert tp.grad(lambda y: f(y @ y))(x).dtype == np.float32  # noqa: B023


def test_a_partial_derivative_that_is_infinite_warns_of_nothing() -> None:
    f: Any = elementwise2("f", np.hypot, lambda a, b, y: 1 / a, lambda a, b, y: -1 / a)
    assert tp.grad(f, (0, 1))(0.0, 1.0) == (math.inf, -math.inf)


def test_arrays_in_another_byte_order_are_opened_in_ones_own() -> None:
    swapped = np.arange(3.0).astype(np.dtype(np.float64).newbyteorder())
    _, (x, y) = opened("f", swapped, np.ones(3))
    assert x.dtype.isnative and y.dtype.isnative and np.array_equal(x, [0.0, 1.0, 2.0])


def test_names() -> None:
    assert SIN.__name__ == "sin" and SIN.__doc__ == "The sine." and repr(SIN).startswith("<function sin ")
    assert [f.__name__ for f in (HYPOT, OUTER, LENGTH, FUSED, HALVES)] == [
        "hypot",
        "outer",
        "length",
        "fused",
        "halves",
    ]


# -- The other words -------------------------------------------------------------------------------------------------

PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()),
    ((), (3,)),
    ((3,), ()),
    ((3,), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_elementwise2(left: Any, right: Any, dtype: Any) -> None:
    x: Any = rand(*left, seed=1, dtype=dtype) if left else 1.25
    y: Any = rand(*right, seed=2, dtype=dtype) if right else 0.75
    wanted = np.hypot(x, y)
    for a, b in ((BVar(x), BVar(y)), (BVar(x), y), (x, BVar(y)), (x, y)):
        z = HYPOT(a, b)
        assert (type(z) is BVar) == (BVar in (type(a), type(b)))
        value: Any = getattr(z, "value", z)
        np.testing.assert_array_equal(value, wanted)
        if left or right:
            assert type(value) is np.ndarray and value.dtype == dtype
        else:
            assert type(value) is float
    check_grads(HYPOT, (BVar(x), BVar(y)), order=3)
    # The cotangents and tangents of scalars are Python floats: NumPy's would promote float32.
    for found in tp.grad(lambda a, b: tp.sum(HYPOT(a, b)), (0, 1))(x, y):
        assert found.dtype == dtype if shape_of(found) else type(found) is float


def test_elementwise2_refuses_by_name() -> None:
    with pytest.raises(DTypeError, match="hypot: wanted a BVar"):
        HYPOT(BVar(1.0), "a")
    with pytest.raises(DTypeError, match="hypot: wanted a BVar"):
        HYPOT(None, 1.0)
    with pytest.raises(ValueError, match=r"hypot: R\[3\] and R\[2\] do not go together"):
        HYPOT(lift(3), lift(2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear(dtype: Any) -> None:
    x = rand(4, dtype=dtype)
    np.testing.assert_array_equal(ROLL(x, 1), np.roll(x, 1))
    assert ROLL(BVar(x), 1) == BVar(np.roll(x, 1))
    check_grads(lambda a: ROLL(a * a, 1) * a, (BVar(x),))
    check_grads(lambda a: COLUMNS(a * a, 3), (BVar(x),))
    assert type(TOTAL(x)) is float and type(TOTAL(BVar(x)).value) is float
    check_grads(lambda a: TOTAL(a * a) * a, (BVar(x),))


@pytest.mark.parametrize("dtype", DTYPES)
def test_bilinear(dtype: Any) -> None:
    x, y = rand(4, dtype=dtype), rand(3, dtype=dtype)
    np.testing.assert_array_equal(OUTER(x, y), np.outer(x, y))
    for a, b in ((BVar(x), BVar(y)), (BVar(x), y), (x, BVar(y))):
        assert OUTER(a, b) == BVar(np.outer(x, y))
    check_grads(OUTER, (BVar(x), BVar(y)))
    check_grads(lambda a: OUTER(a, y) * 0.5, (BVar(x),))
    check_grads(lambda b: OUTER(x, b) * 0.5, (BVar(y),))
    check_grads(lambda a: OUTER(a, a), (BVar(x),))
    check_grads(lambda a, b: INNER(a, b, 2.0), (BVar(x), lift(4, seed=3, dtype=dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_unary(dtype: Any) -> None:
    x = rand(4, dtype=dtype)
    assert type(LENGTH(x)) is float and LENGTH(x) == pytest.approx(np.linalg.norm(x), rel=1e-6)
    check_grads(LENGTH, (BVar(x),))
    check_grads(lambda a: NORMALIZED(a, 3.0), (BVar(x),))
    gradient = tp.grad(LENGTH)(BVar(x))
    np.testing.assert_allclose(gradient.value, x / np.linalg.norm(x), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_nary(dtype: Any) -> None:
    a, b, c = (rand(3, seed=k, dtype=dtype) for k in range(3))
    np.testing.assert_array_equal(FUSED(a, b, c), a * b + c)
    assert type(FUSED(1.0, 2.0, 3.0)) is float
    check_grads(FUSED, (BVar(a), BVar(b), BVar(c)))
    check_grads(lambda x: FUSED(x, b, x), (BVar(a),))
    check_grads(lambda x: FUSED(a, x, BVar(c)), (BVar(b),))
    assert FUSED(BVar(a), b, c) == BVar(a * b + c)


@pytest.mark.parametrize("dtype", DTYPES)
def test_decomposition(dtype: Any) -> None:
    x = rand(4, dtype=dtype)
    for half, wanted in zip(HALVES(x), (x[:2] ** 2, x[2:] ** 2), strict=True):
        np.testing.assert_array_equal(half, wanted)
    assert [type(half) for half in HALVES(BVar(x))] == [BVar, BVar]
    check_grads(HALVES, (BVar(x),))
    # One result used, or one of them twice.
    check_grads(lambda a: HALVES(a)[1], (BVar(x),))
    check_grads(lambda a: (lambda p, q: p * p * q)(*HALVES(a)), (BVar(x),))
    gradient = tp.grad(lambda a: HALVES(a)[0].sum())(x)
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient, np.concatenate([2 * x[:2], np.zeros(2)]), rtol=1e-6)


def test_a_result_of_a_decomposition_as_a_matrix() -> None:
    """The outer products that a matrix collects are formed before the rule of its origin sees them."""
    doubled: Any = decomposition(
        "doubled", lambda x: (2 * x,), lambda used, x, results: 2 * used[0], lambda t, x, results: [2 * t]
    )
    w, x = rand(3, 3), rand(3)

    def f(w: Any) -> Any:
        (d,) = doubled(w)
        return (d @ x) @ (d @ (d @ x))

    np.testing.assert_allclose(tp.grad(f)(w), difference(lambda v: (2 * v @ x) @ (2 * v @ (2 * v @ x)), w), rtol=1e-6)


# -- Any number of operands ------------------------------------------------------------------------------------------

_ADDED = Rule("added", lambda g, factor: g * factor, lambda t, factor: t * factor, fresh=True)


def weighted(*operands: Any) -> Any:
    """a + 2 b + 3 c + ..., by `record_parts`."""
    tape, values = _opened(operands)
    value = sum((k + 1.0) * x for k, x in enumerate(values))
    return record_parts(tape, value, operands, lambda k: (_ADDED.code, k + 1.0))


def product_and_sum(a: Any, b: Any) -> Any:
    """(a * b, a + b), by `record_joint`: two results of two operands."""
    tape, (x, y) = _opened((a, b))
    value = product_and_sum(x, y) if BVar in (type(x), type(y)) else (x * y, x + y)

    def joint(mine: list[int]) -> Joint:
        def pull(parts: Parts) -> list[Any]:
            g, h = parts.parts.get(0, 0.0), parts.parts.get(1, 0.0)
            both = (g * y + h, g * x + h)
            return [both[k] for k in mine]

        def push(tangents: Any) -> list[Any]:
            t = dict(zip(mine, tangents, strict=True))
            s, u = (0.0 if t.get(k) is None else t[k] for k in (0, 1))
            return [s * y + x * u, s + u]

        return Joint("product and sum", pull, push)

    return record_joint(tape, value, (a, b), joint)


def _opened(operands: Any) -> Any:
    return opened("test", *operands)


@pytest.mark.parametrize("dtype", DTYPES)
def test_record_parts(dtype: Any) -> None:
    a, b, c = (rand(3, seed=k, dtype=dtype) for k in range(3))
    np.testing.assert_allclose(weighted(a, b, c), a + 2 * b + 3 * c, rtol=1e-6)
    assert type(weighted(BVar(a), b)) is BVar
    check_grads(lambda x, y: weighted(x * y, c, y), (BVar(a), BVar(b)))
    # The same operand at two places.
    assert np.array_equal(tp.grad(lambda x: weighted(x, x, c).sum())(a), np.full(3, 3.0))


def test_record_joint() -> None:
    a, b = lift(3), lift(3, seed=1)
    assert all(type(part) is BVar for part in product_and_sum(a, b))
    assert all(type(part) is np.ndarray for part in product_and_sum(a.value, b.value))
    check_grads(product_and_sum, (a, b))
    check_grads(lambda x: product_and_sum(x, b.value), (a,))
    check_grads(lambda y: product_and_sum(a.value, y)[0], (b,))
    check_grads(lambda x: product_and_sum(x, x)[0] * product_and_sum(x, x)[1], (a,))


def test_plain_operands_are_copied_and_converted() -> None:
    x, weights = BVar(np.ones(3, np.float32)), np.array([1, 2, 3])

    def f(a: Any) -> Any:
        z = FUSED(a, weights, 1)
        weights[:] = 0
        return z.sum()

    gradient = tp.grad(f)(x)
    assert gradient.dtype == np.float32
    assert np.array_equal(gradient.value, [1, 2, 3])


def test_float32_beside_float64_is_refused_by_name() -> None:
    for f in (lambda x, y: FUSED(x, y, 1.0), OUTER, HYPOT):
        with pytest.raises(DTypeError, match=r"float32.*float64"):
            f(lift(3), rand(3, dtype=np.float32))
        with pytest.raises(DTypeError, match=r"float32.*float64"):
            f(lift(3), lift(3, dtype=np.float32))


def test_checked_plain() -> None:
    assert checked_plain("f", 2) == 2.0 and type(checked_plain("f", 2)) is float
    assert checked_plain("f", np.array([1, 2])).dtype == np.float64
    assert checked_plain("f", rand(2, dtype=np.float32)).dtype == np.float32
    with pytest.raises(
        DTypeError, match="f: wanted a BVar, a float or a float array, got an array of dtype complex128"
    ):
        checked_plain("f", np.array([1j]))
