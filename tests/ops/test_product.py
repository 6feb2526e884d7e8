"""Products beyond the table: what einsum and the convolutions refuse and say, and how much memory they take."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, lift, rand, tp


def message_of(kind: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


# -- Errors ---------------------------------------------------------------------------------------------------------

W, V, X, Y = rand(2, 3), rand(3), rand(2, 4, 5), rand(2, 4, 5, 5)
K1, K2 = rand(6, 4, 3), rand(6, 4, 3, 3)

# The operands are called with as BVars and as plain arrays.
WRONG: dict[str, tuple[type[Exception], Callable[..., Any], tuple[Any, ...], str]] = {
    "matmul": (tp.ShapeError, tp.matmul, (W, W), "L[2, 3] @ L[2, 3]: the inner sizes 3 and 2 differ"),
    "matmul, stacks": (tp.ShapeError, tp.matmul, (rand(2, 3, 4), rand(3, 4, 2)), "the batch sizes 2 and 3 differ"),
    "matmul, a stack": (tp.ShapeError, tp.matmul, (rand(2, 3, 4), W), "Tensor3[2, 3, 4] @ L[2, 3]: the inner sizes 4"),
    "matmul, a stack and a vector": (tp.ShapeError, tp.matmul, (X, rand(5)), "is not defined"),
    "dot": (tp.ShapeError, tp.dot, (W, V), "dot: the first argument is L[2, 3]; wanted a vector"),
    "inner": (tp.ShapeError, tp.inner, (W, W.T.copy()), "inner: the last axes of L[2, 3] and L[3, 2] differ"),
    "inner, a stack": (tp.ShapeError, tp.inner, (X, V), "inner: the first argument is Tensor3[2, 4, 5]; wanted"),
    "outer": (tp.ShapeError, tp.outer, (V, W), "outer: the second argument is L[2, 3]; wanted a vector"),
    "cross": (tp.ShapeError, tp.cross, (V, rand(2)), "cross: R[3] and R[2]; wanted two R[3]"),
    "cross, rows": (tp.ShapeError, tp.cross, (W, V), "cross: L[2, 3] and R[3]"),
    "kron": (tp.ShapeError, tp.kron, (W, V), "kron: L[2, 3] and R[3]; wanted two matrices or two vectors"),
    "tensordot": (tp.ShapeError, tp.tensordot, (W, W.T.copy()), "axes [0, 1] of L[2, 3] and [0, 1] of L[3, 2] differ"),
    "tensordot, axes": (
        tp.ShapeError,
        lambda a, b: tp.tensordot(a, b, 3),
        (W, W),
        "tensordot: L[2, 3] and L[2, 3] do not both have 3 axes",
    ),
    "tensordot, twice": (
        tp.ShapeError,
        lambda a, b: tp.tensordot(a, b, ([0, 0], [0, 1])),
        (W, W),
        "axes [0, 0] are not different axes of L[2, 3]",
    ),
    "tensordot, number": (
        tp.ShapeError,
        lambda a, b: tp.tensordot(a, b, ([0], [0, 1])),
        (W, W),
        "axes [0] of L[2, 3] and [0, 1] of L[2, 3] differ in number or size",
    ),
    "convolve": (tp.ShapeError, tp.convolve, (W, V), "convolve: the first argument is L[2, 3]; wanted a vector"),
    "convolve, nothing": (tp.ShapeError, tp.convolve, (V, V[:0]), "convolve: the second argument is R[0]"),
    "convolve, mode": (ValueError, lambda a, b: tp.convolve(a, b, "all"), (V, V), "mode 'all'; wanted \"full\""),
    "conv1d": (tp.ShapeError, tp.conv1d, (W, K1), "x is L[2, 3]; wanted (batch, channels, length)"),
    "conv1d, kernel": (tp.ShapeError, tp.conv1d, (X, W), "kernel is L[2, 3]; wanted (out, channels, length)"),
    "conv1d, channels": (tp.ShapeError, tp.conv1d, (X, K1[:, :2]), "has 2 channels, but x, Tensor3[2, 4, 5], has 4"),
    "conv1d, long": (tp.ShapeError, tp.conv1d, (X[..., :2], K1), "kernel Tensor3[6, 4, 3] with its dilation is longer"),
    "conv1d, dilated": (tp.ShapeError, lambda x, k: tp.conv1d(x, k, dilation=3), (X, K1), "is longer than x"),
    "conv1d, groups": (
        tp.ShapeError,
        lambda x, k: tp.conv1d(x, k, groups=3),
        (X, K1),
        "4 channels and 6 kernels do not divide into 3 groups",
    ),
    "conv1d, channels of a group": (
        tp.ShapeError,
        lambda x, k: tp.conv1d(x, k, groups=2),
        (X, K1),
        "has 4 channels, but x, Tensor3[2, 4, 5], has 4 in 2 groups",
    ),
    "conv1d, stride": (
        tp.ShapeError,
        lambda x, k: tp.conv1d(x, k, stride=0),
        (X, K1),
        "conv1d: stride is 0; wanted a number of 1 or more",
    ),
    "conv1d, padding": (
        tp.ShapeError,
        lambda x, k: tp.conv1d(x, k, padding="full"),
        (X, K1),
        'padding \'full\'; wanted "valid", "same", a number, or a pair',
    ),
    "conv1d, bias": (
        tp.ShapeError,
        lambda x, k, b: tp.conv1d(x, k, bias=b),
        (X, K1, V),
        "conv1d: bias is R[3]; wanted R[6], one number a kernel",
    ),
    "conv2d": (tp.ShapeError, tp.conv2d, (X, K2), "x is Tensor3[2, 4, 5]; wanted (batch, channels, height, width)"),
    "conv2d, stride": (
        tp.ShapeError,
        lambda x, k: tp.conv2d(x, k, stride=(1, 2, 3)),
        (Y, K2),
        "stride is (1, 2, 3); wanted a number of 1 or more, or one an axis",
    ),
    "conv2d, padding": (tp.ShapeError, lambda x, k: tp.conv2d(x, k, padding=-1), (Y, K2), "conv2d: padding -1; wanted"),
    "avg_pool1d": (tp.ShapeError, lambda x: tp.avg_pool1d(x, 2), (W,), "avg_pool1d: x is L[2, 3]; wanted (batch,"),
    "avg_pool2d": (tp.ShapeError, lambda x: tp.avg_pool2d(x, 6), (Y,), "windows of size 6 are larger than x, Tensor4"),
    "max_pool1d": (tp.ShapeError, lambda x: tp.max_pool1d(x, 0), (X,), "size is 0; wanted a number of 1 or more"),
    "max_pool2d": (tp.ShapeError, lambda x: tp.max_pool2d(x, 2, 0), (Y,), "stride is 0; wanted"),
    "einsum, operands": (
        tp.ShapeError,
        lambda a: tp.einsum("ij,jk->ik", a),
        (W,),
        '"ij,jk->ik" is for 2 operands, but there are 1',
    ),
    "einsum, rank": (
        tp.ShapeError,
        lambda a, b: tp.einsum("ij,jk->ik", a, b),
        (W, V),
        '"jk" has 2 labels, but operand 1 of "ij,jk->ik" is R[3]',
    ),
    "einsum, an ellipsis too small": (tp.ShapeError, lambda a: tp.einsum("...ijk", a), (W,), "has 3 labels"),
    "einsum, sizes": (
        tp.ShapeError,
        lambda a, b: tp.einsum("ij,jk->ik", a, b),
        (W, W),
        '"ij,jk->ik" with L[2, 3], L[2, 3]: "j" has the sizes 3 and 2',
    ),
    "einsum, a diagonal": (tp.ShapeError, lambda a: tp.einsum("ii", a), (W,), '"i" has the sizes 2 and 3'),
    "einsum, size 1": (
        tp.ShapeError,
        lambda a, b: tp.einsum("i,i", a, b),
        (V, V[:1]),
        '"i" has the sizes 3 and 1',
    ),
    "einsum, ellipsis": (
        tp.ShapeError,
        lambda a, b: tp.einsum("...,...", a, b),
        (V, V[:2]),
        '"..." has the sizes 3 and 2',
    ),
    "einsum, unknown": (ValueError, lambda a: tp.einsum("ij->ik", a), (W,), 'the label "k" of the result is in no'),
    "einsum, twice": (ValueError, lambda a: tp.einsum("ij->ii", a), (W,), "has a label twice"),
    "einsum, two ellipses": (ValueError, lambda a: tp.einsum("i...->......", a), (W,), "has a label twice"),
    "einsum, lost": (ValueError, lambda a: tp.einsum("i...->i", a), (W,), 'lacks the "..."'),
    "einsum, letters": (ValueError, lambda a: tp.einsum("i1", a), (W,), 'is not made of letters, commas, "..."'),
    "einsum, arrows": (ValueError, lambda a: tp.einsum("ij->i->j", a), (W,), "is not made of letters"),
}


@pytest.mark.parametrize("lifted", [True, False], ids=["BVar", "plain"])
@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(name: str, lifted: bool) -> None:
    kind, call, operands, part = WRONG[name]
    message = message_of(kind, lambda: call(*(map(BVar, operands) if lifted else operands)))
    assert part in message, message


TWO: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": tp.matmul,
    "dot": lambda a, b: tp.dot(a[0], b[0]),
    "inner": tp.inner,
    "outer": lambda a, b: tp.outer(a[0], b[0]),
    "cross": tp.cross,
    "kron": tp.kron,
    "tensordot": tp.tensordot,
    "einsum": lambda a, b: tp.einsum("ij,ij", a, b),
}


@pytest.mark.parametrize("name", ["matmul", "inner", "tensordot", "einsum"])
@pytest.mark.parametrize("value", [[[1.0, 2.0]], None, "a", np.ones((3, 3)) * 1j, np.array([["a"]])])
def test_operands_that_are_no_numbers(name: str, value: Any) -> None:
    for pair in ((lift(3, 3), value), (value, lift(3, 3)), (rand(3, 3), value)):
        message = message_of(tp.DTypeError, lambda: TWO[name](*pair))  # noqa: B023
        assert message.startswith(f"{name}: wanted a BVar, a float or a float array, got a")


@pytest.mark.parametrize("name", TWO)
def test_float32_beside_float64(name: str) -> None:
    double, single = lift(3, 3), lift(3, 3, dtype=np.float32)
    for pair in ((double, single), (single, double), (double, single.value), (double.value, single)):
        message = message_of(tp.DTypeError, lambda: TWO[name](*pair))  # noqa: B023
        assert "float32" in message and "float64" in message
    assert TWO[name](single, np.arange(9).reshape(3, 3)).dtype in (np.float32, np.float64)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_integers_beside_floats_become_floats(dtype: Any) -> None:
    counts = np.array([[1, 2, 3], [4, 5, 6]])
    x = lift(3, dtype=dtype)
    products: list[Callable[[Any], Any]] = [
        lambda x: tp.einsum("ij,j->i", counts, x),
        lambda x: tp.matmul(counts, x),
        lambda x: tp.inner(x, counts),
        lambda x: tp.tensordot(counts, x, 1),
    ]
    for f in products:
        assert f(x).dtype == f(x.value).dtype == dtype
        gradient = tp.grad(lambda x: f(x).sum())(x)  # noqa: B023
        assert gradient.dtype == dtype and gradient.value.tolist() == [5.0, 7.0, 9.0]


# -- What is agreed -------------------------------------------------------------------------------------------------


def test_a_maximum_that_is_attained_twice_is_shared() -> None:
    x = BVar(np.array([[[1.0, 1.0, 0.0, 2.0]]]))
    assert tp.grad(lambda x: tp.max_pool1d(x, 2).sum())(x).value.tolist() == [[[0.5, 0.5, 0.0, 1.0]]]
    # The middle elements are the largest of both windows that they are in.
    assert tp.grad(lambda x: tp.max_pool1d(x, 3, 1).sum())(x).value.tolist() == [[[0.5, 0.5, 0.0, 1.0]]]


def test_a_maximum_over_a_border() -> None:
    x = -lift(1, 1, 4)
    y = tp.max_pool1d(tp.pad(x, ((0, 0), (0, 0), (1, 1)), value=-np.inf), 2)
    np.testing.assert_allclose(y.value[0, 0], [x.value[0, 0, 0], x.value[0, 0, 1:3].max(), x.value[0, 0, 3]])


def test_what_no_window_reaches_has_no_gradient() -> None:
    x = lift(1, 1, 5)
    kernel = BVar(np.ones((1, 1, 2)))
    windowed: list[Callable[[Any], Any]] = [
        lambda x: tp.conv1d(x, kernel, stride=2),
        lambda x: tp.avg_pool1d(x, 2),
        lambda x: tp.max_pool1d(x, 2),
    ]
    for f in windowed:
        assert tp.grad(lambda x: f(x).sum())(x).value[0, 0, 4] == 0.0  # noqa: B023


def test_same_padding_keeps_the_length() -> None:
    for n in (1, 4, 5, 8):
        for width in (1, 2, 3, 5):
            for stride in (1, 2, 3):
                for dilation in (1, 2):
                    y = tp.conv1d(
                        np.ones((1, 1, n)), np.ones((1, 1, width)), padding="same", stride=stride, dilation=dilation
                    )
                    assert y.shape == (1, 1, -(-n // stride))


def test_a_stack_may_share_its_right_matrix() -> None:
    a, w = lift(4, 2, 3), lift(3, 5)
    np.testing.assert_allclose((a @ w).value, a.value @ w.value)
    gradient = tp.grad(lambda w: (a @ w).sum())(w).value
    np.testing.assert_allclose(gradient, np.outer(a.value.sum(axis=(0, 1)), np.ones(5)))


# -- Work and memory ------------------------------------------------------------------------------------------------


def peak_of(call: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_einsum_makes_matrix_products_not_one_large_outer_product() -> None:
    """A product of three matrices, forward and backward, needs memory for matrices, not for the cube of the sizes."""
    n = 60
    a, b, c = (lift(n, n, seed=k) for k in range(3))
    peak = peak_of(lambda: tp.grad(lambda a: tp.einsum("ij,jk,kl->il", a, b, c).sum())(a))
    assert peak < 20 * n * n * 8
    peak = peak_of(lambda: tp.grad(lambda a: tp.einsum("bij,bjk->bik", a, b.reshape((1, n, n))).sum())(lift(1, n, n)))
    assert peak < 20 * n * n * 8


def test_pooling_keeps_no_windows_of_an_average() -> None:
    x = lift(1, 1, 200, 200)
    peak = peak_of(lambda: tp.grad(lambda x: tp.avg_pool2d(x, 10, 1).sum())(x))
    assert peak < 8 * 200 * 200 * 8


def test_a_stack_that_does_not_fit_is_told_of_no_transpose() -> None:
    """As deep as the other matrix is long, by chance: `.T` is of matrices."""
    message = message_of(tp.ShapeError, lambda: tp.matmul(rand(3, 4, 5), rand(3, 2)))
    assert message == "@: Tensor3[3, 4, 5] @ L[3, 2]: the inner sizes 5 and 3 differ"


def test_convolutions_backward_twice() -> None:
    """Of a loss that bends, by the input and by the kernel: the cotangents are recorded, too."""
    x, k, v, u = rand(2, 3, 6), rand(4, 3, 2, seed=1), rand(2, 3, 6, seed=2), rand(4, 3, 2, seed=3)

    def slopes(x: Any, k: Any) -> Any:
        return tp.grad(lambda p: (tp.conv1d(p[0], p[1]) ** 3).sum())((x, k))

    def along(p: Any) -> Any:
        by_x, by_k = slopes(p[0], p[1])
        return (by_x * v).sum() + (by_k * u).sum()

    twice = tp.grad(along)((BVar(x), BVar(k)))
    high, low = (slopes(BVar(x + step * v), BVar(k + step * u)) for step in (1e-6, -1e-6))
    for found, one, other in zip(twice, high, low, strict=True):
        np.testing.assert_allclose(found.value, (one.value - other.value) / 2e-6, rtol=1e-4, atol=1e-6)
