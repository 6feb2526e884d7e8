from __future__ import annotations

import copy
import math
import operator
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, anp, autograd, difference, lift, rand, tp
from typedprop.errors import DTypeError, EscapedBVarError, ShapeError
from typedprop.testing import check_grads

# -- Lifting and looking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(2, 2.0), (1.5, 1.5), (np.float64(1.5), 1.5), (np.float32(1.5), 1.5), (np.array(1.5), 1.5), (math.inf, math.inf)],
)
def test_a_scalar_is_a_python_float(given: Any, wanted: float) -> None:
    b = BVar(given)
    assert type(b.value) is float and b.value == wanted
    assert (b.shape, b.ndim, b.size, b.dtype) == ((), 0, 1, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0,), (4, 2, 3), (1, 1)])
def test_an_array(shape: Any, dtype: Any) -> None:
    b = lift(*shape, dtype=dtype)
    assert type(b.value) is np.ndarray
    assert (b.shape, b.ndim, b.size, b.dtype) == (shape, len(shape), math.prod(shape), dtype)


def test_lifting_copies() -> None:
    x = rand(2, 3)
    for given in (x, x.T, x[:, ::2], x[::-1], np.asfortranarray(x)):
        b = BVar(given)
        assert np.array_equal(b.value, given)
        assert not np.shares_memory(b.value, x)
    big_endian = x.astype(">f8")
    assert BVar(big_endian).value.dtype.isnative and np.array_equal(BVar(big_endian).value, x)


def test_the_value_cannot_be_written() -> None:
    b = lift(3)
    with pytest.raises(ValueError, match="read-only"):
        b.value[0] = 1.0
    early = b.value
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        early.flags.writeable = True
    assert not (b * 2).value.flags.writeable
    assert not tp.grad(lambda x: (x * x).sum())(b).value.flags.writeable


@pytest.mark.parametrize(
    ("b", "shown"),
    [
        (BVar(1.5), "BVar(1.5)"),
        (BVar(np.array([1.0, 2.0])), "BVar([1.0, 2.0])"),
        (BVar(np.zeros((0, 3), np.float32)), "BVar(L[0, 3], float32)"),
        (BVar(np.zeros((2, 3))), "BVar([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])"),
        (BVar(np.zeros((20, 30))), "BVar(L[20, 30])"),
        (BVar(np.zeros(20, np.float32)), "BVar(R[20], float32)"),
    ],
)
def test_repr(b: Any, shown: str) -> None:
    assert repr(b) == shown


def test_equality_is_of_the_whole_value() -> None:
    x = rand(2, 3)
    assert BVar(x) == BVar(x)
    assert BVar(x) != BVar(x + 1e-9)
    assert BVar(x) != BVar(x.T)
    assert BVar(np.ones((2, 3))) != BVar(1.0)
    assert BVar(1.0) == BVar(1)
    assert BVar(math.nan) != BVar(math.nan)
    assert BVar(x) != "x" and BVar(x) is not None and BVar(x) != None  # noqa: E711
    with pytest.raises(TypeError, match="unhashable"):
        hash(BVar(1.0))


def test_comparison_of_scalars() -> None:
    low, high = BVar(1.0), BVar(2.0)
    assert low < high and low <= high and high > low and high >= low
    assert low < 2 and low > 0.5 and low >= np.float64(1.0) and not low > 1
    assert np.float64(0.5) < low
    assert bool(low) and not bool(BVar(0.0))
    assert max(low, high) is high and sorted([high, low]) == [low, high]
    # Inside of gradients they look at the value too, at any depth.
    assert tp.grad(lambda x: x * x if x > 2 else -x)(3.0) == 6.0
    assert tp.grad(tp.grad(lambda x: x**3 if x > 2 else -x))(3.0) == 18.0


def test_copies_and_pickles() -> None:
    b = lift(3)
    assert copy.copy(b) is b and copy.deepcopy([b])[0] is b
    assert pickle.loads(pickle.dumps(b)) == b
    assert pickle.loads(pickle.dumps(BVar(2.0))) == BVar(2.0)
    with pytest.raises(TypeError, match=r"inside of a gradient cannot be pickled.*b\.value"):
        tp.grad(lambda x: pickle.loads(pickle.dumps(x)) * 1.0)(2.0)


# -- Elementwise arithmetic ------------------------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
# All pairs of sizes that go together: scalar with anything, a row along a matrix, what keepdims leaves.
PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()),
    ((), (3,)),
    ((), (2, 3)),
    ((3,), (3,)),
    ((3,), (2, 3)),
    ((2, 3), (2, 3)),
    ((2, 1), (2, 3)),
    ((1, 3), (2, 3)),
    ((1, 1), (2, 3)),
    ((3,), (4, 2, 3)),
    ((4, 2, 1), (4, 2, 3)),
]
BOTH_WAYS = [*PAIRS, *((y, x) for x, y in PAIRS if x != y)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("left", "right"), BOTH_WAYS)
@pytest.mark.parametrize("symbol", OPERATORS)
def test_operators(symbol: str, left: Any, right: Any, dtype: Any) -> None:
    """Value, size and dtype as NumPy has them for every mix of BVars and plain data; derivatives by both operands."""
    op = OPERATORS[symbol]
    x = rand(*left, seed=1, dtype=dtype) if left else 1.25
    y = rand(*right, seed=2, dtype=dtype) if right else 0.75
    wanted = op(x, y)
    for a, b in ((BVar(x), BVar(y)), (BVar(x), y), (x, BVar(y))):
        z = op(a, b)
        assert type(z) is BVar and z.shape == np.shape(wanted)
        if z.shape:
            assert z.dtype == dtype
        else:
            assert type(z.value) is float
        np.testing.assert_array_equal(z.value, wanted)
    check_grads(op, (BVar(x), BVar(y)))
    # With plain data on either side; these have code paths of their own.
    check_grads(lambda a: op(a, y), (BVar(x),), order=1)
    check_grads(lambda b: op(x, b), (BVar(y),), order=1)


@pytest.mark.parametrize("symbol", OPERATORS)
def test_the_same_operand_twice(symbol: str) -> None:
    op = OPERATORS[symbol]
    for x in (lift(3), lift(), lift(2, 3, dtype=np.float32)):
        check_grads(lambda a: op(a, a), (x,))


@pytest.mark.parametrize("other", [2, True, np.int64(2), np.float32(2.0), np.bool(True), np.array(2)])
def test_plain_scalars_of_all_kinds(other: Any) -> None:
    for symbol, op in OPERATORS.items():
        for x in (lift(3, dtype=np.float32), lift(3), BVar(1.5)):
            right, left = op(x, other), op(other, x)
            assert right.dtype == left.dtype == x.dtype, symbol
            number = float(other)
            np.testing.assert_allclose(right.value, op(x.value, number), rtol=1e-6)
            np.testing.assert_allclose(left.value, op(number, x.value), rtol=1e-6)
            gradient = tp.grad(lambda a: tp.sum(op(a, other)) + tp.sum(op(other, a)))(x)  # noqa: B023
            assert gradient.dtype == x.dtype and gradient.shape == x.shape
            assert x.shape or type(gradient.value) is float


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.bool])
def test_plain_arrays_of_integers(dtype: Any) -> None:
    labels = np.array([1, 0, 1], dtype)
    for x in (lift(3), lift(3, dtype=np.float32), BVar(1.5)):
        for z in (x * labels, labels * x, x + labels, labels - x):
            assert z.shape == (3,) and z.dtype == x.dtype
        np.testing.assert_array_equal((x * labels).value, x.value * labels.astype(float))
        gradient = tp.grad(lambda a: (a * labels).sum())(x)
        np.testing.assert_allclose(gradient.value, labels.astype(float) if x.shape else 2.0)
        assert gradient.dtype == x.dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scalar_goes_with_arrays_of_either_float_type(dtype: Any) -> None:
    plain = rand(3, dtype=dtype)
    for z in (BVar(2.0) * plain, plain * BVar(2.0), BVar(2.0) * BVar(plain)):
        assert z.dtype == dtype
    value, gradient = tp.value_and_grad(lambda s: ((s * plain - 1.0) ** 2).mean())(BVar(2.0))
    assert type(value.value) is float and type(gradient.value) is float
    assert gradient.value == pytest.approx(2 * np.mean(plain * (2 * plain - 1.0)), rel=1e-6)


def test_unary() -> None:
    for x in (lift(3, low=-0.4), lift(2, 3, dtype=np.float32, low=-0.4), BVar(-1.5)):
        assert np.array_equal((-x).value, -x.value)
        assert np.array_equal(abs(x).value, abs(x.value))
        assert +x is x
        check_grads(lambda a: -a, (x,))
        check_grads(lambda a: abs(a) * a, (x,), eps=1e-3 if x.dtype == np.float32 else None)


def test_abs_at_zero_is_flat() -> None:
    assert tp.grad(abs)(0.0) == 0.0
    assert np.array_equal(tp.grad(lambda x: abs(x).sum())(np.array([0.0, -2.0])), [0.0, -1.0])
    assert tp.jvp(abs, BVar(0.0), BVar(1.0))[1].value == 0.0


def test_scalar_division_by_zero_follows_the_arrays() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert (1.0 / BVar(0.0)).value == math.inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert (BVar(0.0) ** -1).value == math.inf
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert (BVar(1e200) ** 2).value == math.inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert np.array_equal((1.0 / BVar(np.zeros(1))).value, [math.inf])


def test_a_power_that_is_not_real() -> None:
    with pytest.raises(ValueError, match=r"\*\*: -8\.0 \*\* 0\.5 is not a real number"):
        _ = BVar(-8.0) ** 0.5


# -- Products --------------------------------------------------------------------------------------------------------

PRODUCTS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2,), (2, 3)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((5, 2, 3), (5, 3, 4)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("left", "right"), PRODUCTS)
def test_matrix_products(left: Any, right: Any, dtype: Any) -> None:
    x, y = rand(*left, seed=1, dtype=dtype), rand(*right, seed=2, dtype=dtype)
    wanted = x @ y
    for a, b in ((BVar(x), BVar(y)), (BVar(x), y), (x, BVar(y))):
        z = a @ b
        assert z.shape == wanted.shape
        assert (z.dtype == dtype) if z.shape else (type(z.value) is float)
        np.testing.assert_array_equal(z.value, wanted)
    check_grads(operator.matmul, (BVar(x), BVar(y)))
    check_grads(lambda a: (a @ y) * 0.5, (BVar(x),), order=1)
    check_grads(lambda b: (x @ b) * 0.5, (BVar(y),), order=1)


def test_products_of_the_same_operand() -> None:
    check_grads(lambda x: x @ x, (lift(3),))
    check_grads(lambda x: x @ x, (lift(3, 3),))
    check_grads(lambda x: x @ x.T, (lift(2, 3),))
    check_grads(lambda x: x.T @ x, (lift(2, 3),))
    check_grads(lambda x: x @ x.mT, (lift(4, 2, 3),))


def test_a_product_with_a_transpose() -> None:
    """As layers have it: recorded with the matrix itself, whatever else its transpose is used for."""
    x, w = rand(4, 3, seed=1), lift(2, 3, seed=2)
    check_grads(lambda x, w: tp.tanh(x @ w.T), (BVar(x), w))
    check_grads(lambda w: tp.tanh(x @ w.T), (w,))
    check_grads(lambda w: tp.tanh(x[0] @ w.T), (w,))

    def twice(x: Any, w: Any) -> Any:
        t = w.T
        return tp.tanh(x @ t) @ w + (t * t).sum() + tp.sin(x @ t).sum()

    check_grads(twice, (BVar(x), w))
    check_grads(lambda w: twice(x, w), (w,))
    gradient = tp.grad(lambda w: (x @ w.T).sum())(w)
    assert gradient.value.flags.c_contiguous
    np.testing.assert_allclose(gradient.value, np.ones((2, 4)) @ x, rtol=1e-15)
    for f in (lambda w: BVar(x.T) @ w.T, lambda w: x.T @ w.T, lambda w: (w @ w.T) @ w.T):
        with pytest.raises(
            ShapeError, match=r"@: L\[\d, \d\] @ L\[3, 2\]: the inner sizes \d and 3 differ; did you mean"
        ):
            tp.grad(f)(w)


def test_products_with_integers() -> None:
    w, counts = lift(2, 3, dtype=np.float32), np.array([1, 0, 2])
    assert (w @ counts).dtype == np.float32
    np.testing.assert_allclose((w @ counts).value, w.value @ counts.astype(np.float32), rtol=1e-6)


def test_dot() -> None:
    x, y = lift(3, seed=1), lift(3, seed=2)
    assert x.dot(y) == x @ y


def test_a_recurrent_use_of_a_matrix() -> None:
    """Many matrix-vector products with one matrix: their outer products are collected, and right."""
    w, x = rand(4, 4, low=-0.5), rand(4)

    def f(w: Any, x: Any) -> Any:
        for _ in range(30):
            x = tp.tanh(w @ x) + tp.tanh(x @ w)
        return x.sum() + w.sum()

    def reference(w: Any, x: Any) -> Any:
        for _ in range(30):
            x = anp.tanh(anp.dot(w, x)) + anp.tanh(anp.dot(x, w))
        return anp.sum(x) + anp.sum(w)

    ours = tp.grad(f, argnums=(0, 1))(w, x)
    for found, wanted in zip(ours, (autograd.grad(reference, k)(w, x) for k in (0, 1)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11)
    np.testing.assert_allclose(ours[0], difference(lambda v: float(reference(v, x)), w), rtol=1e-6, atol=1e-8)


# -- Reductions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [1, 7, 4096, 4097])
def test_the_sum_of_a_short_and_of_a_long_vector(length: int, dtype: Any) -> None:
    """By BLAS, and by NumPy, whose order of adding pays for many."""
    x = rand(length, dtype=dtype)
    tolerance = 1e-5 if dtype == np.float32 else 1e-14
    for b in (BVar(x), BVar(np.stack([x, x], 1))[:, 0]):
        assert b.sum().value == pytest.approx(math.fsum(x), rel=tolerance)
        assert b.mean().value == pytest.approx(math.fsum(x) / length, rel=tolerance)
        assert type(b.sum().value) is type(b.mean().value) is float


AXES: list[tuple[tuple[int, ...], Any]] = [
    ((3,), None),
    ((3,), 0),
    ((3,), -1),
    ((2, 3), None),
    ((2, 3), 0),
    ((2, 3), -2),
    ((2, 3), 1),
    ((2, 3), (0, 1)),
    ((2, 3), np.int64(1)),
    ((4, 2, 3), 1),
    ((4, 2, 3), (0, -1)),
    ((1, 3), 0),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), AXES)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_reductions(name: str, shape: Any, axis: Any, keepdims: bool, dtype: Any) -> None:
    # Elements far apart, so that no step of a difference changes which one is the largest.
    x = (np.random.default_rng(0).permutation(math.prod(shape)).reshape(shape) / 4).astype(dtype)
    wanted = getattr(np, name)(x, axis=axis, keepdims=keepdims)

    def f(b: Any) -> Any:
        return getattr(b, name)(axis, keepdims=keepdims)

    z = f(BVar(x))
    assert z.shape == wanted.shape
    assert (z.dtype == dtype) if z.shape else (type(z.value) is float)
    np.testing.assert_allclose(z.value, wanted, rtol=1e-6)
    check_grads(lambda b: f(b * b) * f(b), (BVar(x),))


def test_reductions_of_nothing() -> None:
    empty = BVar(np.zeros((0, 3)))
    assert empty.sum() == BVar(0.0)
    assert np.array_equal(empty.sum(0).value, np.zeros(3)) and empty.sum(1).shape == (0,)
    assert tp.grad(lambda x: x.sum())(empty).shape == (0, 3)
    assert empty.max(1).shape == (0,) and empty.mean(1).shape == (0,)
    for name in ("mean", "max", "min"):
        with pytest.raises(ShapeError, match=rf"{name}: L\[0, 3\] has no elements$"):
            getattr(empty, name)()
        with pytest.raises(ShapeError, match=rf"{name}: L\[0, 3\] has no elements along axis 0"):
            getattr(empty, name)(0)
    assert tp.grad(lambda x: x @ x)(np.zeros(0)).shape == (0,)


def test_reductions_of_a_scalar() -> None:
    for name in ("sum", "mean", "max", "min"):
        assert tp.grad(lambda x: getattr(x, name)() * x)(3.0) == 6.0  # noqa: B023


@pytest.mark.parametrize("name", ["max", "min"])
def test_a_tie_shares_equally_in_both_modes(name: str) -> None:
    x = BVar(np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 1.0]] if name == "max" else [[1.0, 1.0, 1.0], [1.0, 1.0, 3.0]]))

    def f(b: Any) -> Any:
        return getattr(b, name)()

    assert np.array_equal(tp.grad(f)(x).value, [[0.2, 0.2, 0.2], [0.2, 0.2, 0]])
    direction = BVar(np.arange(6.0).reshape(2, 3))
    assert tp.jvp(f, x, direction)[1].value == pytest.approx(0.2 * (0 + 1 + 2 + 3 + 4))


# -- Structure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposes(dtype: Any) -> None:
    x = lift(2, 3, dtype=dtype)
    assert np.array_equal(x.T.value, x.value.T)
    check_grads(lambda b: b.T * b.T, (x,))
    stack = lift(4, 2, 3, dtype=dtype)
    assert np.array_equal(stack.mT.value, stack.value.mT)
    check_grads(lambda b: b.mT * b.mT, (stack,))
    with pytest.raises(ShapeError, match=r"\.T: wanted a matrix, got R\[3\]"):
        _ = lift(3).T


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 2), (6,), 6, np.int64(6), (-1,), -1, (1, 6), (2, 1, 3), (2, -1), [3, 2]])
def test_reshape(shape: Any, dtype: Any) -> None:
    x = lift(2, 3, dtype=dtype)
    assert np.array_equal(x.reshape(shape).value, x.value.reshape(shape))
    assert np.array_equal(x.T.reshape(shape).value, x.value.T.reshape(shape))
    check_grads(lambda b: (b * b).T.reshape(shape), (x,))


def test_reshape_to_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"reshape: L\[2, 3\] has 6 elements, which \(4, 2\) cannot hold"):
        lift(2, 3).reshape((4, 2))
    for b, shape in ((BVar(1.0), (1,)), (lift(1), ())):
        with pytest.raises(ShapeError, match=r"scalars have no elements.*tp\.stack\(\[b\]\)"):
            b.reshape(shape)


INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((3,), 0),
    ((3,), -1),
    ((3,), np.int64(1)),
    ((3,), slice(None, None, -1)),
    ((3,), slice(0, 0)),
    ((3,), [0, 2, 2]),
    ((3,), []),
    ((3,), np.array([0, 2, 2, 0, 0])),
    ((3,), np.array([True, False, True])),
    ((3,), (slice(None), None)),
    ((3,), (None, slice(None))),
    ((3,), Ellipsis),
    ((3,), (Ellipsis, 0)),
    ((3, 4), 1),
    ((3, 4), (1, -1)),
    ((3, 4), (slice(None), 1)),
    ((3, 4), (1, slice(1, 3))),
    ((3, 4), slice(1, None)),
    ((3, 4), np.array([2, 0, 2])),
    ((3, 4), (np.array([0, 1, 1]), np.array([3, 2, 2]))),
    ((3, 4), (slice(None), [1, 1, 0])),
    ((3, 4), np.arange(12).reshape(3, 4) % 3 == 0),
    ((2, 3, 4), (1, 2)),
    ((2, 3, 4), (Ellipsis, 1)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "index"), INDICES)
def test_indexing(shape: Any, index: Any, dtype: Any) -> None:
    x = lift(*shape, dtype=dtype)
    wanted = x.value[index]
    z = x[index]
    assert z.shape == wanted.shape
    assert (z.dtype == dtype) if z.shape else (type(z.value) is float)
    np.testing.assert_array_equal(z.value, wanted)
    if wanted.size:
        check_grads(lambda b: (b * b)[index] * b[index], (x,))
    else:
        assert not tp.grad(lambda b: b[index].sum())(x).value.any()


def test_repeated_indices_accumulate() -> None:
    index = np.array([1, 1, 0, 1])
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    assert np.array_equal(tp.grad(lambda x: x[index] @ weights)(np.zeros(3)), [100.0, 1011.0, 0.0])


def test_an_index_array_may_be_reused() -> None:
    index = np.array([0, 0])

    def f(x: Any) -> Any:
        y = x[index]
        index[:] = 2
        return y.sum()

    assert np.array_equal(tp.grad(f)(np.zeros(3)), [2.0, 0.0, 0.0])


def test_indices_that_are_refused() -> None:
    x = lift(3)
    with pytest.raises(IndexError, match=r"R\[3\] indexed with 5: index 5 is out of bounds"):
        x[5]
    with pytest.raises(IndexError, match="an index array has dtype float64; wanted integers or a mask"):
        x[np.array([0.0, 1.0])]
    with pytest.raises(TypeError, match=r"a BVar cannot be an index.*b\.value"):
        x[BVar(1.0)]
    with pytest.raises(TypeError, match="a scalar BVar cannot be indexed"):
        BVar(1.0)[0]
    with pytest.raises(TypeError, match="does not support item assignment"):
        x[0] = 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_taking_apart(dtype: Any) -> None:
    x = lift(3, dtype=dtype)
    assert len(x) == 3
    assert all(type(item.value) is float for item in x)
    assert [item.value for item in x] == x.value.tolist()
    check_grads(lambda b: [v * w for v, w in zip(b, reversed(list(b)), strict=True)], (x,))
    matrix = lift(2, 3, dtype=dtype)
    assert [row.shape for row in matrix] == [(3,), (3,)] and {row.dtype.type for row in matrix} == {dtype}
    check_grads(lambda b: [row * row for row in b], (matrix,))
    # Only some of the parts are used.
    check_grads(lambda b: next(iter(b)) * list(b)[1], (matrix,))
    first, second, third = x
    assert (first, second, third) == (x[0], x[1], x[2])


def test_taking_apart_keeps_the_dtype_forward_too() -> None:
    x = lift(3, dtype=np.float32)
    value, tangent = tp.jvp(lambda b: next(iter(b)) * b, x, x)
    assert value.dtype == tangent.dtype == np.float32
    _, scalar = tp.jvp(lambda b: next(iter(b)), x, x)
    assert type(scalar.value) is float


def test_taking_apart_grows_in_proportion() -> None:
    """Each element taken must not cost a pass over the whole gradient."""
    x = BVar(np.linspace(0.1, 1.0, 20_000))
    gradient = tp.grad(lambda b: sum((v * v for v in b), BVar(0.0)))(x)
    np.testing.assert_allclose(gradient.value, 2 * x.value)


def test_scalars_have_no_elements() -> None:
    for use in (len, list):
        with pytest.raises(TypeError, match="a scalar BVar"):
            use(BVar(1.0))


# -- Nesting, escaping -----------------------------------------------------------------------------------------------


def test_constants_record_nothing() -> None:
    x, y = lift(3), lift(3, seed=1)
    z = tp.exp(x * y + 1.0)[0] / 2.0
    assert z._tape is None
    assert z.value == pytest.approx(math.exp(x.value[0] * y.value[0] + 1.0) / 2)


ESCAPES: dict[str, Callable[[Any], Any]] = {
    "+": lambda b: b + 1.0,
    "reflected -": lambda b: 1.0 - b,
    "*": lambda b: b * b,
    "**": lambda b: b**2,
    "negative": lambda b: -b,
    "abs": lambda b: abs(b),
    "exp": lambda b: tp.exp(b),
    "where": lambda b: tp.where(True, b, 0.0),
    "with a constant": lambda b: b * BVar(2.0),
    "beside a live one": lambda b: tp.grad(lambda x: x * b)(1.0),
    "as the result": lambda b: tp.grad(lambda x: b)(1.0),
    "as a result of vjp": lambda b: tp.vjp(lambda x: (x, b), BVar(1.0)),
    "as an argument": lambda b: tp.grad(lambda x: x * x)(b),
    "as a tangent": lambda b: tp.jvp(lambda x: x * x, BVar(1.0), b),
    "as a cotangent": lambda b: tp.vjp(lambda x: x * x, BVar(1.0))[1](b),
}
ARRAY_ESCAPES: dict[str, Callable[[Any], Any]] = {
    "negative": lambda b: -b,
    "abs": lambda b: abs(b),
    "sum": lambda b: b.sum(),
    "max": lambda b: b.max(),
    "@": lambda b: b @ b,
    "row": lambda b: np.ones((2, 3)) * b,
    "index": lambda b: b[0],
    "list": lambda b: list(b),
    "reshape": lambda b: b.reshape((3, 1)),
    "stack": lambda b: tp.stack([b, np.ones(3)]),
    "softmax": lambda b: tp.softmax(b),
    "in another": lambda b: tp.grad(lambda x: (x + b).sum())(np.ones(3)),
}


def escaped(value: Any) -> Any:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2.0)
        return x.sum() if x.shape else x

    tp.grad(f)(BVar(value))
    return kept[0]


@pytest.mark.parametrize("use", ESCAPES)
def test_an_escaped_scalar(use: str) -> None:
    b = escaped(1.0)
    with pytest.raises(EscapedBVarError, match="after the gradient that it belongs to had ended"):
        ESCAPES[use](b)


@pytest.mark.parametrize("use", ARRAY_ESCAPES)
def test_an_escaped_array(use: str) -> None:
    b = escaped(np.ones(3))
    with pytest.raises(EscapedBVarError, match="after the gradient that it belongs to had ended"):
        ARRAY_ESCAPES[use](b)


def test_an_escaped_bvar_can_be_looked_at() -> None:
    b = escaped(np.ones(3))
    assert np.array_equal(b.value, [2.0, 2.0, 2.0])
    assert repr(b) == "BVar([2.0, 2.0, 2.0])" and len(b) == 3
    assert BVar(b.value) + 1.0 == BVar(np.full(3, 3.0))
    assert escaped(1.0) > 1.5


def test_float32_beside_float64() -> None:
    double, single = lift(3), lift(3, dtype=np.float32)
    for pair in ((double, single), (single, double), (single.value, double), (double, single.value)):
        for symbol, op in [*OPERATORS.items(), ("@", operator.matmul)]:
            with pytest.raises(DTypeError) as caught:
                op(*pair)
            message = str(caught.value)
            assert message.startswith(f"{symbol}:") and "float32" in message and "float64" in message
            assert "astype" in message


def test_a_shape_that_is_no_shape() -> None:
    with pytest.raises(TypeError, match="reshape: the shape is of type str; wanted an int or a tuple of ints"):
        BVar(np.zeros(3)).reshape("x")


def test_an_int_that_no_float_holds() -> None:
    with pytest.raises(DTypeError, match="BVar: the int is too large for a float"):
        BVar(10**400)


class Tagged(np.ndarray[Any, Any]):
    """A subclass that only carries a name."""


def test_a_plain_subclass_counts_as_the_array_that_it_is() -> None:
    x = np.ones(3).view(Tagged)
    for result in (BVar(x), BVar(np.zeros(3)) + x, x + BVar(np.zeros(3)), tp.hypot(BVar(np.zeros(3)), x)):
        assert type(result.value) is np.ndarray and result.value.tolist() == [1, 1, 1]
    with pytest.raises(DTypeError, match=r"^\+: a BVar of float64 and an array of float32; "):
        _ = BVar(np.zeros(3)) + x.astype(np.float32)


@pytest.mark.parametrize(("shape", "dtype"), [((3,), np.float32), ((2, 3), np.float32), ((), np.float16)])
def test_plain_data_of_another_dtype_is_said_to_be_converted(shape: Any, dtype: Any) -> None:
    x, plain = BVar(np.ones(shape) if shape else 1.0), np.ones(3, dtype)
    message = f"a BVar of float64 and an array of {np.dtype(dtype)}; convert the array: x.astype(np.float64)"
    calls: list[Callable[[], Any]] = [lambda: x * plain, lambda: plain * x]
    for call in calls:
        with pytest.raises(DTypeError, match=re.escape(f"*: {message}")):
            call()


# Of plain data beside a BVar: pairs of shapes.
BESIDE: dict[str, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "*": [((), (3,)), ((3,), (3,)), ((3,), (2, 3)), ((2, 3), (3,))],
    "@": [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)), ((4, 2, 3), (3, 2))],
}


@pytest.mark.parametrize("symbol", [*OPERATORS, "@"])
def test_a_plain_operand_may_change_after_its_use(symbol: str) -> None:
    """What the backward sweep needs of it was copied, in a nested gradient, too."""
    op: Any = OPERATORS.get(symbol, operator.matmul)

    def pulled_twice(f: Callable[[Any, Any], Any], x: Any, plain: Any) -> Any:
        value, pullback = tp.vjp(lambda z: f(z, plain), x)
        seed = BVar(np.ones(value.shape) if value.shape else 1.0)
        first = pullback(seed)
        plain += 10.0
        assert pullback(seed) == first
        return tp.sum(value)

    for one, other in BESIDE.get(symbol, BESIDE["*"]):
        for x, plain, f in ((one, other, op), (other, one, lambda z, p: op(p, z))):
            if plain:
                pulled_twice(f, lift(*x), rand(*plain, seed=1))
                tp.grad(lambda x, plain, f=f: pulled_twice(f, x, plain))(lift(*x), rand(*plain, seed=1))


@pytest.mark.parametrize("symbol", [*OPERATORS, "@"])
def test_a_constant_beside_what_is_recorded_adds_no_level(symbol: str) -> None:
    """Else each operation would cost as much as in a nested gradient."""
    op: Any = OPERATORS.get(symbol, operator.matmul)
    operands = [lift(3), lift(2, 3), lift(), lift(3, 3), lift(3, 2)]
    for x in operands:
        for constant in operands:
            try:
                op(x, constant)
            except ShapeError:
                continue
            seen: list[type] = []

            def watched(z: Any, f: Callable[[Any], Any], seen: list[type] = seen) -> Any:
                seen.append(type(f(z)._value))
                return z

            tp.vjp(watched, x, lambda z: op(z, constant))  # noqa: B023
            tp.vjp(watched, constant, lambda z: op(x, z))  # noqa: B023
            assert len(seen) == 2 and all(kind in (float, np.ndarray) for kind in seen)


def test_a_number_that_is_stretched_over_float32_is_float32_in_forward_mode() -> None:
    x = rand(3, dtype=np.float32)
    tangent = tp.jvp(lambda s: tp.grad(lambda a: a.sum() * s)(BVar(x)), BVar(2.0), BVar(1.0))[1]
    assert tangent.dtype == np.float32 and tangent.value.tolist() == [1.0, 1.0, 1.0]


def test_the_inner_gradient_records_whichever_operand_comes_first() -> None:
    def product(operands: list[Any]) -> Any:
        one, other = tp.stack(operands)
        return one * other

    for turned in (1, -1):
        assert tp.grad(lambda a: tp.grad(lambda b: product([a, b][::turned]) * a)(3.0))(2.0) == 4.0  # noqa: B023


def test_a_number_before_an_array() -> None:
    """The derivatives by what stands on the right."""
    x = np.array([1.0, 2.0])
    assert np.array_equal(tp.grad(lambda a: (2.0 / a).sum())(x), -2.0 / x**2)
    np.testing.assert_allclose(tp.grad(lambda a: (3.0**a).sum())(x), 3.0**x * np.log(3.0), rtol=1e-14)


NUMBERS_BESIDE: list[Callable[[Any], Any]] = [
    lambda x: x + 2.0,
    lambda x: 2.0 + x,
    lambda x: x - 2.0,
    lambda x: 2.0 - x,
    lambda x: x * 2.0,
    lambda x: 2.0 * x,
    abs,
]


@pytest.mark.parametrize("k", range(len(NUMBERS_BESIDE)))
def test_an_array_beside_a_number_is_read_and_multiplied_by(k: int) -> None:
    """Its cotangent is then a sum that is not formed yet, which the short way of numbers does not know."""
    f = NUMBERS_BESIDE[k]
    slope = [1.0, 1.0, 1.0, -1.0, 2.0, 2.0, 1.0][k]
    assert np.array_equal(tp.grad(lambda x: f(x)[0])(np.ones(3)), [slope, 0.0, 0.0])
    assert np.array_equal(tp.grad(lambda w: (f(w) @ np.ones(3)).sum())(np.ones((2, 3))), np.full((2, 3), slope))


def test_an_array_and_a_number_of_one_gradient() -> None:
    x = np.array([1.0, 2.0, 3.0])
    sums: list[tuple[Callable[[Any, Any], Any], Any, float]] = [
        (lambda a, s: a + s, np.ones(3), 3.0),
        (lambda a, s: s + a, np.ones(3), 3.0),
        (lambda a, s: a - s, np.ones(3), -3.0),
        (lambda a, s: s - a, -np.ones(3), 3.0),
        (lambda a, s: a * s, np.full(3, 5.0), 6.0),
        (lambda a, s: s * a, np.full(3, 5.0), 6.0),
    ]
    for f, by_array, by_number in sums:
        found = tp.grad(lambda a, s: f(a, s).sum(), (0, 1))(x, 5.0)  # noqa: B023
        assert np.array_equal(found[0], by_array) and found[1] == by_number and type(found[1]) is float


def test_two_numbers_by_name() -> None:
    """Unlike the operators, the functions have no way of their own for them."""
    values = [f(BVar(2.0), BVar(5.0)).value for f in (tp.add, tp.subtract, tp.multiply)]
    found = [tp.value_and_grad(f, (0, 1))(2.0, 5.0) for f in (tp.add, tp.subtract, tp.multiply)]
    assert [value.value for value, _ in found] == values == [7.0, -3.0, 10.0]
    assert [gradient for _, gradient in found] == [(1.0, 1.0), (1.0, -1.0), (5.0, 2.0)]


def test_a_number_and_an_array_make_an_array() -> None:
    plain = np.array([1.0, 2.0])
    sums: list[Callable[[Any], Any]] = [lambda s: s + plain, lambda s: plain + s]
    for f in sums:
        value, gradient = tp.value_and_grad(lambda s: f(s).sum())(BVar(3.0))  # noqa: B023
        assert (value.value, gradient.value) == (9.0, 2.0)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_axes_are_left_out_unless_they_are_asked_for(name: str) -> None:
    reduced = getattr(BVar(np.arange(6.0).reshape(2, 3)), name)
    assert reduced(0).shape == (3,) and reduced().shape == ()


def test_the_length_is_that_of_the_first_axis() -> None:
    assert len(BVar(np.ones((2, 3)))) == 2


def test_of_the_class_the_transpose_is_the_descriptor() -> None:
    assert BVar.mT is vars(BVar)["mT"]


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_floats_that_nothing_is_differentiated_in(dtype: Any) -> None:
    x = np.ones(3, dtype)
    name = np.dtype(dtype).name
    with pytest.raises(DTypeError, match=f"one operand is {name} and the other float64; beside a BVar there is"):
        tp.where(x > 0, BVar(1.0), x)
    with pytest.raises(DTypeError, match=f"one operand is float64 and the other {name}; beside a BVar there is"):
        tp.concatenate([BVar(np.ones(2)), x])


def test_plain_data_in_the_other_byte_order_beside_a_number() -> None:
    x = np.array([1.0, 2.0, 3.0])
    swapped = x.astype(x.dtype.newbyteorder())
    result = tp.where(x > 1.5, BVar(1.0), swapped)
    assert result.value.tolist() == [1, 1, 1] and result.value.dtype.isnative
    gradient = tp.grad(lambda a: tp.where(x > 1.5, a, swapped).sum())(BVar(1.0))
    assert gradient.value == 2.0


def test_half_precision_beside_a_number() -> None:
    with pytest.raises(DTypeError, match="einsum: one operand is float16 and the other float64"):
        tp.einsum("i,j->ij", np.ones(3, np.float16), BVar(np.ones(2)))
    with pytest.raises(DTypeError, match="where: one operand is float16 and the other float64"):
        tp.where(np.array([True]), np.ones(1, np.float16), BVar(1.0))


def test_comparisons_of_equal_numbers() -> None:
    a, b = BVar(1.0), BVar(1.0)
    assert (a < b, a <= b, a > b, a >= b) == (False, True, False, True)
    assert (a < 1.0, a <= 1.0, a > 1.0, a >= 1.0) == (False, True, False, True)
    assert (a == "text") is False and a.__eq__("text") is NotImplemented


def test_how_many_elements_are_shown() -> None:
    assert repr(BVar(np.arange(6.0))) == "BVar([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])"
    assert repr(BVar(np.arange(7.0))) == "BVar(R[7])" and repr(BVar(np.zeros(0))) == "BVar(R[0])"


@pytest.mark.parametrize(("axis", "kind"), [(1.5, "float"), ("0", "str"), ((0, 1.5), "float"), (True, "bool")])
def test_an_axis_is_an_int(axis: Any, kind: str) -> None:
    for x in (BVar(np.ones((2, 3))), np.ones((2, 3))):
        with pytest.raises(TypeError, match=rf"^sum: axis is of type {kind}; wanted an int, a tuple of ints or None$"):
            tp.sum(x, axis=axis)


def test_an_index_without_elements() -> None:
    """A list of none has no dtype, so it is as good as one of integers; an array has one."""
    x = BVar(np.arange(3.0))
    index: Any
    for index in ([], np.zeros(0, int), np.zeros(0, np.int8)):
        assert x[index].shape == (0,)
    assert x[[[]]].shape == (1, 0)
    for index in (np.zeros(0), np.zeros((0, 2)), [1.0]):
        with pytest.raises(IndexError, match=r"^an index array has dtype float64; wanted integers or a mask$"):
            x[index]


def test_what_has_escaped_is_not_stretched() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        return x.sum()

    tp.grad(f)(BVar(np.ones(3)))
    calls: list[Callable[[], Any]] = [lambda: kept[0] + np.ones((2, 3)), lambda: BVar(np.ones((2, 3))) * kept[0]]
    for call in calls:
        with pytest.raises(tp.EscapedBVarError, match="after the gradient that it belongs to had ended"):
            call()


OTHERS: dict[str, Any] = {
    "float": 2.5,
    "int": 2,
    "NumPy's float": np.float64(2.5),
    "array": np.array([0.5, 2.0, 3.0]),
    "constant": BVar(2.5),
    "constant array": BVar(np.array([0.5, 2.0, 3.0])),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
def test_each_operator_beside_each_kind_of_operand(name: str, other: str) -> None:
    """The gradient is the slope of the values, of a scalar and of an array, on either side, alone and nested."""
    f: Any = getattr(operator, name)
    y = OTHERS[other]

    def total(z: Any) -> Any:
        return z.sum() if z.shape else z

    for at in (1.5, np.array([1.5, 0.5, 2.0])):
        for g in (lambda x: total(f(x, y)), lambda x: total(f(y, x))):
            wanted = difference(lambda v, g=g: g(BVar(v if v.shape else float(v))).value, at)
            slope = tp.grad(g)(BVar(at))
            assert slope.shape == np.shape(at)
            np.testing.assert_allclose(slope.value, wanted, rtol=1e-6)
            nested = tp.value_and_grad(lambda x, g=g: total(tp.grad(g)(x)))(BVar(at))[0]
            np.testing.assert_allclose(nested.value, np.sum(wanted), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradient_of_a_row_along_a_batch_of_any_size(dtype: Any) -> None:
    # More sizes than are remembered, one of them too large for that, and the first ones once more.
    for count in (*range(70), 5_000, 0, 1, 2):
        weights = np.linspace(-1.0, 1.0, 3 * count, dtype=dtype).reshape(count, 3)
        gradient = tp.grad(lambda b, w: ((w + b) * w).sum())(BVar(np.ones(3, dtype)), weights).value
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, weights.sum(axis=0), rtol=0, atol=1e-12 if dtype is np.float64 else 1e-3)


def test_the_gradient_of_a_row_keeps_infinities_and_nans() -> None:
    weights = np.array([[1.0, np.inf, np.inf, np.nan], [2.0, 1.0, -np.inf, 0.0]])
    with np.errstate(invalid="ignore"):
        gradient = tp.grad(lambda b, w: ((b + np.zeros((2, 4))) * w).sum())(BVar(np.zeros(4)), weights)
    np.testing.assert_array_equal(gradient.value, [3.0, np.inf, np.nan, np.nan])
