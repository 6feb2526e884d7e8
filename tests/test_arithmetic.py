"""The rules under the operators: transposes of each other, right in size and dtype, and nobody else's memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, rand, tp
from typedprop import arithmetic as rules
from typedprop.arithmetic import broadcast_shape, describe, matmul_rules, plain, power_log, power_slope
from typedprop.errors import ShapeError
from typedprop.index_sum import IndexSum, scatter
from typedprop.outer_sum import OuterSum
from typedprop.tape import PASS, RULES, TRANSPOSE, Parts, Rule

# -- Sizes -----------------------------------------------------------------------------------------------------------

ALLOWED = [
    ((), (), ()),
    ((), (3,), (3,)),
    ((), (2, 3), (2, 3)),
    ((), (0,), (0,)),
    ((3,), (3,), (3,)),
    ((3,), (2, 3), (2, 3)),
    ((2, 3), (2, 3), (2, 3)),
    ((2, 1), (2, 3), (2, 3)),
    ((1, 3), (2, 3), (2, 3)),
    ((1, 1), (2, 3), (2, 3)),
    ((3,), (1, 3), (1, 3)),
    ((3,), (4, 2, 3), (4, 2, 3)),
    ((2, 3), (4, 2, 3), (4, 2, 3)),
    ((4, 1, 3), (4, 2, 3), (4, 2, 3)),
]
REFUSED = [
    ((3,), (2,)),
    ((1,), (3,)),
    ((2,), (2, 3)),
    ((1,), (2, 3)),
    ((2, 3), (3, 2)),
    ((2, 1), (1, 3)),
    ((1, 3), (2, 1)),
    ((2, 3), (4, 3)),
    ((2,), (4, 2, 3)),
    ((1, 3), (4, 2, 3)),
]


@pytest.mark.parametrize(("x", "y", "wanted"), ALLOWED)
def test_broadcast_shape(x: Any, y: Any, wanted: Any) -> None:
    assert broadcast_shape("+", x, y) == wanted
    assert broadcast_shape("+", y, x) == wanted
    # Narrower than NumPy's rules, never different from them.
    assert np.broadcast_shapes(x, y) == wanted


@pytest.mark.parametrize(("x", "y"), REFUSED)
def test_broadcast_shape_refuses_what_numpy_may_allow(x: Any, y: Any) -> None:
    for a, b in ((x, y), (y, x)):
        with pytest.raises(ShapeError) as caught:
            broadcast_shape("*", a, b)
        assert str(caught.value).startswith(f"*: {describe(a)} and {describe(b)} do not go together")
        assert "Sizes must be equal" in str(caught.value)


def test_broadcast_shape_hints_at_a_transpose() -> None:
    with pytest.raises(ShapeError, match=r"Did you mean to transpose one of them \(\.T\)\?"):
        broadcast_shape("+", (2, 3), (3, 2))
    with pytest.raises(ShapeError) as caught:
        broadcast_shape("+", (2, 3), (4, 2))
    assert "transpose" not in str(caught.value)


def test_describe() -> None:
    shapes = [(), (3,), (2, 3), (4, 2, 3), (5, 4, 2, 3)]
    assert [*map(describe, shapes)] == ["float", "R[3]", "L[2, 3]", "Tensor3[4, 2, 3]", "Tensor4[5, 4, 2, 3]"]


@pytest.mark.parametrize(
    ("shape", "axis", "wanted"),
    [
        ((2, 3), None, (1, 1)),
        ((2, 3), 0, (1, 3)),
        ((2, 3), -1, (2, 1)),
        ((4, 2, 3), (0, -1), (1, 2, 1)),
        ((4, 2, 3), (), (4, 2, 3)),
        ((), None, ()),
    ],
)
def test_kept_shape(shape: Any, axis: Any, wanted: Any) -> None:
    assert rules.kept_shape(shape, axis) == wanted
    assert np.zeros(shape).sum(axis=axis, keepdims=True).shape == wanted


# -- Looking at values -----------------------------------------------------------------------------------------------


def nested(value: Any) -> Any:
    """`value` as it is inside of two gradients."""
    seen: list[Any] = []

    def f(x: Any) -> Any:
        def g(y: Any) -> Any:
            seen.append(y)
            return (y * y).sum()

        return (tp.grad(g)(x) * x).sum()

    tp.grad(f)(BVar(value))
    return seen[0]


def test_plain_goes_to_the_bottom() -> None:
    x = np.array([1.0, 2.0])
    assert plain(x) is x
    assert plain(2.0) == 2.0
    assert np.array_equal(plain(BVar(x)), x)
    deep = nested(x)
    assert type(deep._value) is BVar
    assert type(plain(deep)) is np.ndarray and np.array_equal(plain(deep), x)
    assert plain(nested(3.0)) == 3.0


def test_numbers_are_python_floats() -> None:
    assert type(rules.number(np.float32(1.5))) is float
    assert type(rules.total(np.ones(3, np.float32))) is float
    assert type(rules.take(np.ones(3), 1)) is float
    assert type(rules.matmul(np.ones(3), np.ones(3))) is float
    assert [type(x) for x in rules.unstacked(np.ones(2, np.float32))] == [float, float]
    assert [x.shape for x in rules.unstacked(np.ones((2, 3)))] == [(3,), (3,)]
    assert rules.shape_of(2.0) == () and rules.dtype_of(2.0) == np.float64


def test_signs() -> None:
    assert [rules.sign_of(x) for x in (-2.0, 0.0, 3.0)] == [-1.0, 0.0, 1.0]
    assert type(rules.sign_of(-2.0)) is float
    assert rules.sign_of(np.array([-2, 0, 3], np.float32)).dtype == np.float32


def test_a_tie_shares_equally() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 0.0, 2.0]])
    assert np.array_equal(rules.tie_weights(x, 3.0, None), [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]])
    assert np.array_equal(rules.tie_weights(x, np.array([3.0, 2.0]), 1), [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5]])
    assert np.array_equal(rules.tie_weights(x, np.array([[2.0, 3.0, 3.0]]), 0), [[0, 1, 1], [1, 0, 0]])
    assert rules.tie_weights(x.astype(np.float32), 3.0, None).dtype == np.float32


# -- Stretching and gathering ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("small", "other", "large"), [a for a in ALLOWED if a[2]])
def test_sum_to_is_the_transpose_of_broadcast_to(small: Any, other: Any, large: Any, dtype: Any) -> None:
    x = rand(*small, dtype=dtype) if small else 1.75
    y = rand(*large, seed=1, dtype=dtype)
    stretched, summed = rules.broadcast_to(x, large, np.dtype(dtype)), rules.sum_to(y, small)
    assert stretched.shape == large and stretched.dtype == dtype
    assert rules.shape_of(summed) == small
    if small:
        assert summed.dtype == dtype and not np.shares_memory(summed, y)
        assert not np.shares_memory(stretched, x)
    else:
        assert type(summed) is float
    np.testing.assert_allclose(np.sum(stretched * y), np.sum(x * summed), rtol=1e-5 if dtype == np.float32 else 1e-13)


INDICES = [
    1,
    -1,
    slice(None, None, -1),
    slice(1, 3),
    Ellipsis,
    (None, slice(None)),
    np.array([0, 2, 2, 2, 0]),
    np.array([[0, 1], [1, 1]]),
    np.array([True, False, True]),
    np.array([], dtype=np.intp),
]


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("shape", [(3,), (3, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_is_the_transpose_of_take(index: Any, shape: Any, dtype: Any) -> None:
    x = rand(*shape, dtype=dtype)
    taken = rules.take(x, index)
    y = rand(*rules.shape_of(taken), seed=1, dtype=dtype) if rules.shape_of(taken) else 1.75
    scattered = scatter(y, index, shape, np.dtype(dtype))
    assert scattered.shape == shape and scattered.dtype == dtype
    np.testing.assert_allclose(np.sum(taken * y), np.sum(x * scattered), rtol=1e-5)


def test_repeated_indices_accumulate() -> None:
    scattered = scatter(np.array([1.0, 10.0, 100.0]), np.array([2, 0, 2]), (4,), np.dtype(float))
    assert np.array_equal(scattered, [10.0, 0.0, 101.0, 0.0])
    rows = scatter(np.array([[1.0], [10.0]]), (np.array([1, 1]), slice(0, 1)), (2, 2), np.dtype(float))
    assert np.array_equal(rows, [[0.0, 0.0], [11.0, 0.0]])


# -- Powers ----------------------------------------------------------------------------------------------------------

POWER_SLOPES = [
    # x, exponent, the derivative by x
    (0.0, 0.0, 0.0),
    (0.0, 1.0, 1.0),
    (0.0, 2.0, 0.0),
    (0.0, 3.0, 0.0),
    (2.0, 0.0, 0.0),
    (2.0, 0.5, 0.5 / math.sqrt(2)),
    (2.0, -1.0, -0.25),
    (-2.0, 2.0, -4.0),
    (-2.0, 3.0, 12.0),
    (-2.0, -1.0, -0.25),
    (-2.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("x", "exponent", "wanted"), POWER_SLOPES)
def test_power_slope(x: float, exponent: float, wanted: float) -> None:
    assert power_slope(x, exponent) == pytest.approx(wanted, rel=1e-15)
    array = np.array([x, 1.0])
    np.testing.assert_allclose(power_slope(array, exponent), [wanted, exponent], rtol=1e-15)
    np.testing.assert_allclose(power_slope(array, np.array([exponent, 3.0])), [wanted, 3.0], rtol=1e-15)
    single = power_slope(array.astype(np.float32), np.array([exponent, 3.0], np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, [wanted, 3.0], rtol=1e-6)
    if exponent == int(exponent):
        assert power_slope(x, int(exponent)) == pytest.approx(wanted, rel=1e-15)


def test_power_log() -> None:
    assert power_log(2.0, 8.0) == pytest.approx(8 * math.log(2))
    assert power_log(0.0, 0.0) == 0.0
    assert math.isnan(power_log(-2.0, 4.0))
    x = np.array([2.0, 0.0, -2.0], np.float32)
    slope = power_log(x, x**2)
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, [4 * math.log(2), 0.0, math.nan], rtol=1e-6)


# -- Every rule ------------------------------------------------------------------------------------------------------

SHAPE = (2, 3)


def _of(dtype: Any) -> dict[str, tuple[Rule, Any, Any, Any]]:
    """Each rule with a residual, and shapes of the parent and of the result."""
    d = np.dtype(dtype)
    a, b, square = rand(*SHAPE, dtype=dtype), rand(*SHAPE, seed=1, dtype=dtype), rand(3, 2, dtype=dtype)
    v, w = rand(3, dtype=dtype), rand(2, dtype=dtype)
    binary: dict[str, tuple[Rule, Any, Any, Any]] = {}
    for op in (rules.ADD, rules.SUBTRACT, rules.MULTIPLY, rules.DIVIDE, rules.POWER):
        for side, operand in (("left", op.left), ("right", op.right)):
            rule = RULES[operand.code]
            binary[f"{op.name} {side}"] = (rule, operand.residual(a, b, op.value(a, b)), SHAPE, SHAPE)
    stack3 = rand(4, 2, 3, dtype=dtype), rand(4, 3, 5, dtype=dtype)
    products = {
        "dot": ((v, v), (3,), (3,), ()),
        "matrix @ vector": ((a, v), SHAPE, (3,), (2,)),
        "vector @ matrix": ((w, a), (2,), SHAPE, (3,)),
        "matrix @ matrix": ((a, square), SHAPE, (3, 2), (2, 2)),
        "matrix @ transposed": ((a, square.T.copy().T), SHAPE, (3, 2), (2, 2)),
        "stacks": (stack3, (4, 2, 3), (4, 3, 5), (4, 2, 5)),
    }
    found = {}
    for name, ((x, y), shape_x, shape_y, result) in products.items():
        left, right = (RULES[code] for code in matmul_rules(x, y))
        found[f"{name}, left"] = (left, y, shape_x, result)
        found[f"{name}, right"] = (right, x, shape_y, result)
    return {
        **binary,
        **found,
        "pass": (RULES[PASS], None, SHAPE, SHAPE),
        "negative": (rules.NEGATE, None, SHAPE, SHAPE),
        "broadcast scalar": (rules.BROADCAST, ((), SHAPE, d), (), SHAPE),
        "broadcast row": (rules.BROADCAST, ((3,), SHAPE, d), (3,), SHAPE),
        "broadcast column": (rules.BROADCAST, ((2, 1), SHAPE, d), (2, 1), SHAPE),
        "sum": (rules.SUM, (SHAPE, None, False, d), SHAPE, ()),
        "sum 0": (rules.SUM, (SHAPE, 0, False, d), SHAPE, (3,)),
        "sum -1": (rules.SUM, (SHAPE, -1, False, d), SHAPE, (2,)),
        "sum -1 keepdims": (rules.SUM, (SHAPE, -1, True, d), SHAPE, (2, 1)),
        "sum (0, 1)": (rules.SUM, (SHAPE, (0, 1), False, d), SHAPE, ()),
        "mean": (rules.MEAN, (SHAPE, None, False, d, 6.0), SHAPE, ()),
        "mean 0": (rules.MEAN, (SHAPE, 0, False, d, 2.0), SHAPE, (3,)),
        "mean -1 keepdims": (rules.MEAN, (SHAPE, -1, True, d, 3.0), SHAPE, (2, 1)),
        "transpose": (RULES[TRANSPOSE], None, SHAPE, (3, 2)),
        "mT": (rules.SWAP_LAST, None, (4, 2, 3), (4, 3, 2)),
        "reshape": (rules.RESHAPE, (SHAPE, (6,)), SHAPE, (6,)),
        "index": (rules.INDEX, ((slice(None), 1), SHAPE, d), SHAPE, (2,)),
        "index one": (rules.INDEX, ((1, 1), SHAPE, d), SHAPE, ()),
        "gather": (rules.INDEX, (np.array([1, 1, 0]), SHAPE, d), SHAPE, (3, 3)),
        "scatter": (rules.SCATTER, (np.array([1, 1, 0]), SHAPE, d), (3, 3), SHAPE),
        "max": (rules.SELECT, (rules.tie_weights(a, a.max(), None), SHAPE, None, False, d), SHAPE, ()),
        "max 1": (rules.SELECT, (rules.tie_weights(a, a.max(1), 1), SHAPE, 1, False, d), SHAPE, (2,)),
        "max 0 keepdims": (rules.SELECT, (rules.tie_weights(a, a.max(0), 0), SHAPE, 0, True, d), SHAPE, (1, 3)),
        "abs": (rules.ABSOLUTE, np.sign(a - 0.8), SHAPE, SHAPE),
        "log": (rules.LOG, a, SHAPE, SHAPE),
    }


def arrays_in(x: Any) -> list[Any]:
    if isinstance(x, tuple):
        return [array for part in x for array in arrays_in(part)]
    return [x] if isinstance(x, np.ndarray) else []


def dense(x: Any) -> Any:
    return x.dense() if type(x) in (OuterSum, IndexSum) else x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", _of(np.float64))
def test_pull_is_the_transpose_of_push(name: str, dtype: Any) -> None:
    rule, residual, before, after = _of(dtype)[name]
    tangent = rand(*before, seed=5, dtype=dtype, low=-0.5) if before else 0.625
    cotangent = rand(*after, seed=6, dtype=dtype, low=-0.5) if after else -0.375
    pushed, pulled = rule.push(tangent, residual), dense(rule.pull(cotangent, residual))
    for value, shape in ((pushed, after), (pulled, before)):
        assert rules.shape_of(value) == shape
        assert (value.dtype == dtype) if shape else (type(value) is float)
    forward, backward = np.sum(pushed * cotangent), np.sum(tangent * pulled)
    assert forward != 0
    np.testing.assert_allclose(forward, backward, rtol=1e-12 if dtype is np.float64 else 1e-4)
    # Linear in what it maps: twice in, twice out.
    np.testing.assert_allclose(rule.push(2 * tangent, residual), 2 * pushed, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", _of(np.float64))
def test_what_a_rule_promises_of_memory(name: str, dtype: Any) -> None:
    rule, residual, _, after = _of(dtype)[name]
    cotangent = rand(*after, seed=6, dtype=dtype) if after else 0.5
    given = [cotangent, *arrays_in(residual)]
    copies = [np.copy(x) for x in given]
    pulled = dense(rule.pull(cotangent, residual))
    shared = [np.shares_memory(pulled, x) for x in given]
    if rule.fresh:
        assert not any(shared), "fresh, but shares memory"
    elif rule.view:
        assert not any(shared[1:]), "a view of the cotangent, but of the residual too"
    for x, copy in zip(given, copies, strict=True):
        assert np.array_equal(x, copy), "the rule wrote to what it was given"


def test_iteration_is_pulled_back_together() -> None:
    residual = ((3, 2), np.dtype(np.float32))
    pulled = rules.UNSTACK.pull(Parts({0: np.ones(2, np.float32), 2: np.full(2, 5, np.float32)}), residual)
    assert pulled.dtype == np.float32
    assert np.array_equal(pulled, [[1, 1], [0, 0], [5, 5]])
    [first, *_] = rules.UNSTACK.push(np.ones((3, 2), np.float32), residual)
    assert first.shape == (2,)


# -- Products --------------------------------------------------------------------------------------------------------

PRODUCT_ERRORS: list[tuple[tuple[int, ...], tuple[int, ...], str]] = [
    ((3,), (4,), "@: R[3] @ R[4]: the inner sizes 3 and 4 differ"),
    ((2, 3), (4,), "@: L[2, 3] @ R[4]: the inner sizes 3 and 4 differ"),
    ((2, 3), (2,), "the inner sizes 3 and 2 differ; did you mean to transpose the left one (.T)?"),
    ((3,), (2, 3), "the inner sizes 3 and 2 differ; did you mean to transpose the right one (.T)?"),
    ((2, 3), (4, 3), "the inner sizes 3 and 4 differ; did you mean to transpose the right one (.T)?"),
    ((3, 2), (3, 5), "the inner sizes 2 and 3 differ; did you mean to transpose the left one (.T)?"),
    ((4, 2, 3), (5, 3, 2), "@: Tensor3[4, 2, 3] @ Tensor3[5, 3, 2]: the batch sizes 4 and 5 differ"),
    ((4, 2, 3), (4, 2, 3), "the inner sizes 3 and 2 differ"),
    ((), (3,), "@: float @ R[3] is not defined; use * with a scalar"),
    ((3,), (), "@: R[3] @ float is not defined"),
    ((2, 3), (4, 3, 2), "@: L[2, 3] @ Tensor3[4, 3, 2] is not defined"),
]


@pytest.mark.parametrize(("x", "y", "message"), PRODUCT_ERRORS)
def test_products_that_are_not_defined(x: Any, y: Any, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        matmul_rules(np.ones(x), np.ones(y))
    assert message in str(caught.value)


def test_the_cotangent_of_a_transposed_operand_is_in_its_own_order() -> None:
    w = np.ascontiguousarray(rand(2, 3))
    _, right = matmul_rules(rand(4, 3), w.T)
    pulled = RULES[right].pull(rand(4, 2), rand(4, 3))
    assert pulled.shape == (3, 2) and pulled.T.flags.c_contiguous


def test_the_rules_run_on_bvars() -> None:
    """What a rule does to arrays it does to BVars: that is how second derivatives come about."""
    checked = 0
    for name, (rule, residual, before, after) in _of(np.float64).items():
        tangent, cotangent = (rand(*s, seed=7) if s else 0.5 for s in (before, after))
        applied: list[tuple[Callable[[Any, Any], Any], Any]] = [(rule.push, tangent), (rule.pull, cotangent)]
        for apply, given in applied:
            on_arrays, on_bvars = dense(apply(given, residual)), dense(apply(BVar(given), residual))
            assert type(on_bvars) is BVar, name
            np.testing.assert_allclose(on_bvars.value, on_arrays, rtol=1e-14, err_msg=name)
            checked += 1
    assert checked > 60
