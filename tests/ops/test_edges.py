"""The ends of what is allowed: first and last axes, one element and none, the outermost options, NaN and infinities."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop import DTypeError, ShapeError
from typedprop.ops.cumulative import _recurrence_of_arrays
from typedprop.ops.linalg.powers import cheapest_order

RNG: Any = np.random.default_rng(8)
A: Any = RNG.standard_normal((2, 3, 4))
M: Any = RNG.standard_normal((3, 4))
V: Any = RNG.standard_normal(5)
INF, NAN = math.inf, math.nan


def plain(y: Any) -> Any:
    return y.value if type(y) is BVar else y


def both(f: Any, *xs: Any) -> tuple[Any, Any]:
    """What a function makes of plain values, and of recorded ones."""
    kept: list[Any] = []

    def loss(*variables: Any) -> Any:
        y = f(*variables)
        kept.append(plain(y))
        return y.sum() if np.shape(kept[-1]) else y

    tp.grad(loss, argnums=tuple(range(len(xs))))(*map(BVar, xs))
    return f(*xs), kept[0]


def alike(f: Any, wanted: Any, *xs: Any) -> None:
    """Plain and recorded, the same values of the same shape."""
    for y in both(f, *xs):
        assert np.shape(y) == np.shape(wanted)
        np.testing.assert_allclose(y, wanted, rtol=1e-12)


def gradient(f: Any, x: Any) -> Any:
    return plain(tp.grad(lambda x: f(x).sum())(BVar(x)))


# -- Axes ------------------------------------------------------------------------------------------------------------

ALONG: dict[str, tuple[Callable[[Any, int], Any], Callable[[Any, int], Any]]] = {
    "concatenate": (lambda x, k: tp.concatenate([x, x], axis=k), lambda x, k: np.concatenate([x, x], axis=k)),
    "split": (lambda x, k: tp.split(x, 1, axis=k)[0], lambda x, k: x),
    "take": (lambda x, k: tp.take(x, [0, -1], axis=k), lambda x, k: np.take(x, [0, -1], axis=k)),
    "cumsum": (lambda x, k: tp.cumsum(x, axis=k), lambda x, k: np.cumsum(x, axis=k)),
    "cumprod": (lambda x, k: tp.cumprod(x, axis=k), lambda x, k: np.cumprod(x, axis=k)),
    "sort": (lambda x, k: tp.sort(x, axis=k), lambda x, k: np.sort(x, axis=k)),
    "repeat": (lambda x, k: tp.repeat(x, 2, axis=k), lambda x, k: np.repeat(x, 2, axis=k)),
    "flip": (lambda x, k: tp.flip(x, axis=k), lambda x, k: np.flip(x, axis=k)),
    "roll": (lambda x, k: tp.roll(x, 1, axis=k), lambda x, k: np.roll(x, 1, axis=k)),
    "diff": (lambda x, k: tp.diff(x, axis=k), lambda x, k: np.diff(x, axis=k)),
    "sum": (lambda x, k: tp.sum(x, axis=k), lambda x, k: np.sum(x, axis=k)),
    "std": (lambda x, k: tp.std(x, axis=k), lambda x, k: np.std(x, axis=k)),
    "max": (lambda x, k: tp.max(x, axis=k), lambda x, k: np.max(x, axis=k)),
    "median": (lambda x, k: tp.median(x, axis=k), lambda x, k: np.median(x, axis=k)),
    "softmax": (
        lambda x, k: tp.softmax(x, axis=k),
        lambda x, k: np.exp(x) / np.exp(x).sum(axis=k, keepdims=True),
    ),
    "norm": (lambda x, k: tp.linalg.norm(x, axis=k), lambda x, k: np.linalg.norm(x, axis=k)),
}


@pytest.mark.parametrize("name", ALONG)
def test_first_and_last_axes(name: str) -> None:
    f, oracle = ALONG[name]
    for k in range(-3, 3):
        alike(lambda x, k=k: f(x, k), oracle(A, k), A)
    for x in (A, BVar(A)):
        for k in (-4, 3):
            with pytest.raises((ShapeError, ValueError), match=r"axis"):
                f(x, k)


def test_the_axes_of_stack() -> None:
    for k in range(-4, 4):
        alike(lambda x, y, k=k: tp.stack([x, y], axis=k), np.stack([A, 2 * A], axis=k), A, 2 * A)
    for x in (A, BVar(A)):
        for k in (-5, 4):
            with pytest.raises(ShapeError, match=rf"stack: axis {k} is out of range for arrays of L?"):
                tp.stack([x, x], axis=k)
    alike(lambda x: tp.stack([x, x]), np.stack([V, V]), V)


def test_joining_by_rows_and_columns() -> None:
    alike(lambda x, y: tp.vstack([x, y]), np.vstack([M, 2 * M[:1]]), M, 2 * M[:1])
    alike(lambda x, y: tp.hstack([x, y]), np.hstack([M, 2 * M[:, :1]]), M, 2 * M[:, :1])
    alike(lambda x, y: tp.vstack([x, y]), np.vstack([V, 2 * V]), V, 2 * V)
    alike(lambda x, y: tp.hstack([x, y]), np.hstack([V, V[:2]]), V, V[:2])
    alike(lambda x, y: tp.append(x, y), np.append(V, V[:2]), V, V[:2])
    alike(lambda x, y: tp.append(x, y), np.append(V, 2.0), V, 2.0)
    for x in (V, BVar(V)):
        with pytest.raises(ShapeError, match=r"append: value is L?.*; wanted a vector or a scalar"):
            tp.append(x, M)
        with pytest.raises(ShapeError, match=r"append: x is .*; wanted a vector$"):
            tp.append(2.0 if x is V else BVar(2.0), x)


def test_what_is_joined_is_checked() -> None:
    x, y = V, V.astype(np.float32)
    for f in (tp.concatenate, tp.stack, tp.hstack, tp.vstack):
        for arrays in ([x, y], [BVar(x), y], [y, BVar(x)], [BVar(x), BVar(y)]):
            with pytest.raises(DTypeError, match="float32"):
                f(arrays)
        for one in (M, BVar(M)):
            with pytest.raises(TypeError, match="wanted a sequence of arrays, got one L"):
                f(one)
        for bad in ("text", np.array(["a"]), V.astype(complex)):
            for beside in (x, BVar(x)):
                with pytest.raises((TypeError, ShapeError)):
                    f([beside, bad])
    with pytest.raises(ShapeError, match="array 1 is"):
        tp.concatenate([M, V])
    with pytest.raises(ShapeError, match=r"concatenate: array 1 is R\[3\] beside L\[3, 4\]"):
        tp.concatenate([M, V[:3]], axis=1)
    # Arrays without an axis count as Python's numbers, whose dtype nobody asks for.
    masked = np.ma.masked_array([1.0, 2.0])
    for arrays in ([BVar(V), masked], [masked, BVar(V)], [V, masked]):
        with pytest.raises(
            DTypeError, match=r"^concatenate: a MaskedArray would lose its meaning; pass a plain array$"
        ):
            tp.concatenate(arrays)
    for f in (tp.from_rows, tp.from_columns):
        with pytest.raises(DTypeError, match=rf"^{f.__name__}: wanted a BVar, a float or a float array, got a str$"):
            f(["text"])
    numbers = tp.stack([np.array(1.0, np.float32), 2.0])
    assert numbers.dtype == np.float64 and numbers.tolist() == [1.0, 2.0]
    with pytest.raises(ShapeError, match="array 1 is"):
        tp.concatenate([V, M])
    with pytest.raises(ShapeError, match="array 1 is"):
        tp.concatenate([A, np.zeros((2, 3, 4, 1))])
    # Whole numbers take the dtype of the others.
    assert tp.concatenate([y, np.array([1, 2])]).dtype == np.float32
    assert tp.concatenate([np.array([1, 2]), y]).dtype == np.float32
    assert tp.stack([V[:2], np.array([1, 2])]).tolist() == [V[:2].tolist(), [1.0, 2.0]]
    joined = tp.concatenate([x])
    joined[0] = 7.0
    assert x[0] != 7.0


def test_pieces() -> None:
    for x, k in ((A, 0), (A, 1), (A, -1), (V, 0)):
        size = x.shape[k]
        for sections in (1, size, [1], [0, 1], [size], []):
            wanted = np.split(x, sections, axis=k)
            for position, piece in enumerate(wanted):
                alike(lambda x, p=position, s=sections, k=k: tp.split(x, s, axis=k)[p], piece, x)
    empty = np.zeros((0, 2))
    assert [y.shape for y in tp.split(empty, 3)] == [(0, 2)] * 3
    for x in (V, BVar(V)):
        for sections in (0, -1, 2, 6):
            with pytest.raises(ShapeError, match=f"does not divide into {sections} equal pieces"):
                tp.split(x, sections)
    assert [y.shape for y in tp.split(V, 5)] == [(1,)] * 5
    mine = tp.split(V, 1)[0]
    mine[0] = 9.0
    assert V[0] != 9.0
    # One piece alone has a gradient, and each its own.
    first = gradient(lambda x: tp.split(x, [2, 4])[0] * 2.0, V)
    last = gradient(lambda x: tp.split(x, [2, 4])[-1] * 3.0, V)
    assert first.tolist() == [2.0, 2.0, 0.0, 0.0, 0.0] and last.tolist() == [0.0, 0.0, 0.0, 0.0, 3.0]
    two = tp.grad(lambda x: (tp.grad(lambda x: (tp.split(x, [2])[1] ** 3).sum())(x)).sum())(BVar(V))
    np.testing.assert_allclose(plain(two), np.where(np.arange(5) < 2, 0.0, 6 * V))


def test_head_and_tail_of_little() -> None:
    alike(tp.tail, V[1:], V)
    assert tp.tail(np.ones(1)).shape == (0,)
    for x in (np.zeros(0), M, 1.0):
        for given in (x, BVar(x)):
            with pytest.raises(ShapeError, match="wanted a vector of one element or more"):
                tp.tail(given)


# -- Numbers at the ends ----------------------------------------------------------------------------------------------

SMOOTH = (
    *("softplus", "log_sigmoid", "silu", "gelu", "relu", "relu6", "elu", "selu", "celu", "mish", "hard_silu"),
    *("hard_sigmoid", "sigmoid", "leaky_relu", "tanh"),
)
NUMBERS = [
    *(0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0, 2.999, 29.5, -29.5, 35.0, -35.0, 39.5, -39.5, 50.0, -50.0, 710.0),
    *(-745.0, 9_999.5, -9_999.5, 20_000.0, -20_000.0, 1e300, -1e300, INF, -INF, NAN, 5e-324),
]


@pytest.mark.parametrize("name", [name for name in SMOOTH if hasattr(tp, name)])
def test_a_number_and_an_array_are_one_function(name: str) -> None:
    f = getattr(tp, name)
    with np.errstate(all="ignore"):
        values, slopes = f(np.array(NUMBERS)), gradient(f, np.array(NUMBERS))
        for x, value, slope in zip(NUMBERS, values, slopes, strict=True):
            np.testing.assert_allclose(f(x), value, rtol=1e-14, atol=1e-300, err_msg=str(x))
            np.testing.assert_allclose(plain(tp.grad(f)(BVar(x))), slope, rtol=1e-13, atol=1e-300, err_msg=str(x))
            assert np.isnan(value) == np.isnan(x)
    single = f(np.array(NUMBERS[:12], np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, values[:12], rtol=3e-5, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "x", "value", "slope"),
    [
        ("relu", 0.0, 0.0, 0.0),
        ("relu6", 6.0, 6.0, 0.0),
        ("relu6", 0.0, 0.0, 0.0),
        ("elu", 0.0, 0.0, 1.0),
        ("hard_silu", 3.0, 3.0, 1.0),
        ("hard_silu", -3.0, 0.0, 0.0),
        ("hard_silu", 3.5, 3.5, 1.0),
        ("hard_silu", 2.5, 2.5 * 5.5 / 6, 4 / 3),
        ("hard_sigmoid", 3.0, 1.0, 0.0),
        ("hard_sigmoid", -3.0, 0.0, 0.0),
        ("softplus", INF, INF, 1.0),
        ("softplus", -INF, 0.0, 0.0),
        ("gelu", INF, INF, 1.0),
        ("gelu", -INF, 0.0, 0.0),
        ("silu", -INF, 0.0, 0.0),
        ("silu", INF, INF, 1.0),
    ],
)
def test_values_and_slopes_at_the_joints(name: str, x: float, value: float, slope: float) -> None:
    if not hasattr(tp, name):
        pytest.fail(f"there is no {name}")
    f = getattr(tp, name)
    found = f(x)
    np.testing.assert_allclose([found, f(np.array([x]))[0]], value, rtol=1e-15, atol=0)
    np.testing.assert_allclose(
        [plain(tp.grad(f)(BVar(x))), gradient(f, np.array([x]))[0]], slope, rtol=1e-15, atol=1e-300
    )


def test_parameters_of_activations() -> None:
    x = np.array([-2.0, -0.5, 0.5])
    for alpha in (0.3, 1.7):
        alike(lambda x, a=alpha: tp.elu(x, a), np.where(x > 0, x, alpha * np.expm1(x)), x)
        alike(lambda x, a=alpha: tp.celu(x, a), np.where(x > 0, x, alpha * np.expm1(x / alpha)), x)
        alike(lambda x, a=alpha: tp.leaky_relu(x, a), np.where(x > 0, x, alpha * x), x)
        np.testing.assert_allclose(gradient(lambda x, a=alpha: tp.elu(x, a), x), np.where(x > 0, 1, alpha * np.exp(x)))
        np.testing.assert_allclose(gradient(lambda x, a=alpha: tp.celu(x, a), x), np.where(x > 0, 1, np.exp(x / alpha)))
    for alpha in (0.0, -1.0):
        with pytest.raises(ValueError, match=f"celu: alpha is {alpha}; wanted a positive number"):
            tp.celu(x, alpha)
    # Far to the right the exponential of the left half is not looked at.
    with np.errstate(all="raise"):
        for f in (tp.elu, tp.celu, tp.selu):
            assert gradient(f, np.array([1e4]))[0] >= 1.0
            assert plain(tp.grad(lambda x, f=f: tp.grad(f)(x))(BVar(1e4))) == 0.0
            assert gradient(lambda x, f=f: tp.grad(lambda x: f(x).sum())(x), np.array([1e4, 0.5])).tolist() == [0.0] * 2


# -- Convolutions -----------------------------------------------------------------------------------------------------


def test_convolve_every_mode_both_ways_round() -> None:
    pair: Any
    for m, n in ((1, 1), (3, 3), (3, 2), (2, 3), (5, 2), (2, 5), (4, 1), (1, 4)):
        a, b = RNG.standard_normal(m), RNG.standard_normal(n)
        modes: Any = "full", "same", "valid"
        for mode in modes:
            wanted = np.convolve(a, b, mode)
            alike(lambda a, b, mode=mode: tp.convolve(a, b, mode), wanted, a, b)
            weights = RNG.standard_normal(len(wanted))

            def loss(a: Any, b: Any, mode: str = mode, weights: Any = weights) -> Any:
                return tp.convolve(a, b, mode) @ weights

            for k, x in enumerate((a, b)):
                found = plain(tp.grad(loss, argnums=k)(BVar(a), BVar(b)))
                unit = np.eye(len(x))
                by_hand = [np.convolve(e if k == 0 else a, b if k == 0 else e, mode) @ weights for e in unit]
                np.testing.assert_allclose(found, by_hand, rtol=1e-12, atol=1e-14)
    for bad in (np.zeros(0), 1.0, M):
        for name, pair in (("first", (bad, V)), ("second", (V, bad))):
            with pytest.raises(
                ShapeError, match=f"convolve: the {name} argument is .*; wanted a vector of one element"
            ):
                tp.convolve(*pair)
            with pytest.raises(ShapeError, match=f"convolve: the {name} argument"):
                tp.convolve(*map(BVar, pair))
    for pair in ((BVar(V), "x"), ("x", BVar(V)), (V.astype(complex), BVar(V))):
        with pytest.raises((TypeError, DTypeError), match="convolve"):
            tp.convolve(*pair)


def test_the_bounds_of_conv() -> None:
    bad: Any
    x, w = np.ones((1, 4, 5)), np.ones((2, 2, 3))
    assert tp.conv1d(x, w, groups=2).shape == (1, 2, 3)
    for groups, what in ((0, "0 groups"), (-1, "-1 groups"), (3, "3 groups"), (4, "4 groups")):
        with pytest.raises(ShapeError, match=what):
            tp.conv1d(x, w, groups=groups)
    with pytest.raises(ShapeError, match="4 channels and 3 kernels do not divide into 2 groups"):
        tp.conv1d(x, np.ones((3, 2, 3)), groups=2)
    # As long as the padded input, and one longer.
    assert tp.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 5))).shape == (1, 1, 1)
    assert tp.conv1d(np.ones((1, 1, 2)), np.ones((1, 1, 5)), padding=(1, 2)).shape == (1, 1, 1)
    assert tp.conv1d(np.ones((1, 1, 5)), np.ones((1, 1, 3)), dilation=2).shape == (1, 1, 1)
    for kernel, options in (
        ((1, 1, 6), {}),
        ((1, 1, 4), {"dilation": 2}),
        ((1, 1, 0), {}),
        ((1, 1, 9), {"padding": 1}),
    ):
        with pytest.raises(ShapeError, match=r"conv1d: the kernel .* is longer than x"):
            tp.conv1d(np.ones((1, 1, 5)), np.ones(kernel), **options)
    with pytest.raises(ShapeError, match=r"conv2d: the kernel .* is longer than x"):
        tp.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 1, 6)))
    with pytest.raises(ShapeError, match=r"conv2d: the kernel .* is longer than x"):
        tp.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 0, 5)))
    for bad in (-1, (-1, 0), (0, -1), (1, 2, 3), (1,), ((0, 1), (1, 0)), ((1, 2, 3),), ((-1, 0),), "wide", 1.5, None):
        with pytest.raises((ShapeError, TypeError), match="padding"):
            tp.conv1d(x, np.ones((2, 4, 3)), padding=bad)
    for bad in ((1,), (1, 2, 3), ((0, 1),), ((0, 1), (-1, 1)), ((0, 1), (0, 1, 2)), ((0, 1), (1, -1)), -1):
        with pytest.raises((ShapeError, TypeError), match="padding"):
            tp.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), padding=bad)
    assert tp.conv1d(x, np.ones((2, 4, 3)), padding=0).shape == (1, 2, 3)
    pairs = [tp.conv1d(x, np.ones((2, 4, 3)), padding=widths) for widths in ((1, 2), ((1, 2),))]
    assert pairs[0].shape == (1, 2, 6) and np.array_equal(*pairs)
    # Sums over no channels.
    assert tp.conv1d(np.ones((1, 0, 4)), np.ones((2, 0, 2))).tolist() == np.zeros((1, 2, 3)).tolist()
    assert tp.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), padding=((0, 1), (2, 0))).shape == (1, 1, 4, 5)
    for name in ("stride", "dilation"):
        with pytest.raises((ShapeError, ValueError), match=f"conv1d: {name}"):
            tp.conv1d(x, np.ones((2, 4, 3)), **{name: 0})
    for length, stride in ((5, 1), (5, 2), (5, 5), (7, 3), (1, 2)):
        y = tp.conv1d(np.ones((1, 1, length)), np.ones((1, 1, 1)), stride=stride, padding="same")
        assert y.shape == (1, 1, -(-length // stride)) and (y == 1).all()
    with pytest.raises(ShapeError, match=r"conv1d: bias is R\[3\]; wanted R\[2\]"):
        tp.conv1d(x, np.ones((2, 4, 3)), bias=np.ones(3))
    bias = np.array([1.0, 2.0])
    assert tp.conv1d(np.zeros((1, 4, 5)), np.ones((2, 4, 3)), bias=bias)[0].tolist() == [[1.0] * 3, [2.0] * 3]
    for bad in ("x", np.ones((1, 4, 5), complex)):
        with pytest.raises((TypeError, ShapeError), match="conv1d"):
            tp.conv1d(bad, BVar(np.ones((2, 4, 3))))


def test_conv_of_groups_batches_and_steps_against_loops() -> None:
    for batch, groups, inner, outer, size, k, stride, dilation in (
        (2, 2, 3, 2, 7, 3, 2, 1),
        (3, 3, 1, 2, 6, 2, 1, 2),
        (2, 1, 2, 3, 5, 2, 2, 1),
    ):
        x = RNG.standard_normal((batch, groups * inner, size))
        w = RNG.standard_normal((groups * outer, inner, k))

        def conv(x: Any, w: Any, sizes: Any = (groups, stride, dilation)) -> Any:
            return tp.conv1d(x, w, groups=sizes[0], stride=sizes[1], dilation=sizes[2])

        out = (size - dilation * (k - 1) - 1) // stride + 1
        wanted = np.zeros((batch, groups * outer, out))
        for b, o, p, c, q in np.ndindex(batch, groups * outer, out, inner, k):
            group = o // outer
            wanted[b, o, p] += w[o, c, q] * x[b, group * inner + c, p * stride + q * dilation]
        alike(conv, wanted, x, w)
        g = RNG.standard_normal(wanted.shape)
        by_x, by_w = tp.grad(lambda x, w, g=g, conv=conv: (conv(x, w) * g).sum(), argnums=(0, 1))(BVar(x), BVar(w))
        dx, dw = np.zeros(x.shape), np.zeros(w.shape)
        for b, o, p, c, q in np.ndindex(batch, groups * outer, out, inner, k):
            group = o // outer
            place = (b, group * inner + c, p * stride + q * dilation)
            dx[place] += g[b, o, p] * w[o, c, q]
            dw[o, c, q] += g[b, o, p] * x[place]
        np.testing.assert_allclose(plain(by_x), dx, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(plain(by_w), dw, rtol=1e-12, atol=1e-13)


# -- einsum and tensordot ---------------------------------------------------------------------------------------------


EINSUMS = (
    *("ij,jk->ik", "ij,jk", "ij,kj->ik", "bij,bjk->bik", "bij,bjk->ik", "ij,ij->", "ij,ij->i", "ij,ij->ij", "i,j->ij"),
    *("i,i", "i,ij->j", "ij,i->ij", "ii,ij->j", "ij,jk,kl->il", "bij,jk->bik", "...ij,...jk->...ik", "ij->ji"),
    *("ii->i", "ii", "ij->", "i,i->i", "bi,bj->bij", "...i,i->...", "i,...->i...", "ij,ij,ij->j", "bij,bij->b", "ij,j"),
)


@pytest.mark.parametrize("subscripts", EINSUMS)
def test_einsum_is_numpys(subscripts: str) -> None:
    sizes = dict(zip("bijkl", (2, 3, 3, 4, 5), strict=True))
    terms = subscripts.partition("->")[0].split(",")
    for ellipsis in [(), (2,), (1,), (3, 2)] if "..." in subscripts else [()]:
        xs = [
            RNG.standard_normal([n for c in term.replace("...", ".") for n in (ellipsis if c == "." else (sizes[c],))])
            for term in terms
        ]
        wanted = np.einsum(subscripts, *xs)
        alike(lambda *xs: tp.einsum(subscripts, *xs), wanted, *xs)
        for y in (
            tp.einsum(subscripts, *xs),
            tp.einsum(subscripts, xs[0].astype("f4"), *(x.astype("f4") for x in xs[1:])),
        ):
            assert not isinstance(y, np.ndarray) or (
                y.flags.c_contiguous and not any(np.shares_memory(y, x) for x in xs)
            )
        for dtype in (np.float32, np.float64):
            y = tp.einsum(subscripts, *(x.astype(dtype) for x in xs))
            assert y.dtype == dtype if isinstance(y, np.ndarray | np.generic) else dtype is np.float64


def test_einsum_stretches_what_the_dots_stand_for() -> None:
    for left, right in (
        ((3, 1), (3, 4)),
        ((1, 4), (3, 4)),
        ((1, 1), (3, 4)),
        ((3, 4), (1,)),
        ((1,), (3, 4)),
        ((), (3,)),
    ):
        x, y = RNG.standard_normal((*left, 2)), RNG.standard_normal((*right, 2))
        alike(lambda x, y: tp.einsum("...i,...i->...", x, y), np.einsum("...i,...i->...", x, y), x, y)
        by_x, by_y = tp.grad(lambda x, y: (tp.einsum("...i,...i->...", x, y) ** 2).sum(), argnums=(0, 1))(
            BVar(x), BVar(y)
        )
        by_hand = tp.grad(lambda x, y: ((x * y).sum(axis=-1) ** 2).sum(), argnums=(0, 1))(
            BVar(np.broadcast_to(x, np.broadcast_shapes(x.shape, y.shape)).copy()),
            BVar(np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape)).copy()),
        )
        for found, wanted, shape in ((by_x, by_hand[0], x.shape), (by_y, by_hand[1], y.shape)):
            full = plain(wanted)
            full = full.sum(axis=tuple(range(full.ndim - len(shape))))
            kept = tuple(k for k, n in enumerate(shape) if n == 1 and full.shape[k] != 1)
            np.testing.assert_allclose(plain(found), full.sum(axis=kept, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("i1,j", ((2, 2), (2,)), "is not made of letters"),
        ("iä,j", ((2, 2), (2,)), "is not made of letters"),
        ("i->j->k", ((2,),), "is not made of letters"),
        ("i->i,i", ((2,),), "is not made of letters"),
        ("ij,j", ((2, 2),), "is for 2 operands, but there are 1"),
        ("ij", ((2,),), '"ij" has 2 labels, but operand 0'),
        ("i", ((2, 2),), '"i" has 1 labels, but operand 0'),
        ("...ij", ((2,),), r'"\.\.\.ij" has 2 labels'),
        ("...i...", ((2, 2),), "labels, but operand 0"),
        ("i,i", ((2,), (3,)), '"i" has the sizes 2 and 3'),
        ("i,i", ((1,), (3,)), '"i" has the sizes 1 and 3'),
        ("i,i", ((3,), (1,)), '"i" has the sizes 3 and 1'),
        ("...i,...i", ((2, 1), (3, 1)), r'"\.\.\." has the sizes 2 and 3'),
        ("ij->ii", ((2, 2),), "has a label twice"),
        ("...i->...i...", ((2, 2),), "has a label twice"),
        ("...i->......", ((2, 2),), "has a label twice"),
        ("i->ij", ((2,),), 'label "j" of the result is in no operand'),
        ("...i->i", ((2, 2),), r'lacks the "\.\.\."'),
    ],
)
def test_einsum_refuses(subscripts: str, shapes: Any, message: str) -> None:
    for lift in (np.asarray, BVar):
        with pytest.raises((ValueError, ShapeError), match=message):
            tp.einsum(subscripts, *(lift(np.ones(shape)) for shape in shapes))


def test_einsum_with_nothing_for_the_dots() -> None:
    alike(lambda x, y: tp.einsum("...,...->...", x, y), 2.0 * V, np.array([2.0]), V)
    alike(lambda x, y: tp.einsum("...,...->...", x, y), 2.0 * M, np.array([[2.0]]), M)
    alike(lambda x: tp.einsum("...i->...", x), V.sum(), V)
    alike(lambda x: tp.einsum("i...->i", x), V, V)


def test_tensordot_is_numpys() -> None:
    x, y = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((4, 3, 2))
    pairs: list[Any] = [0, 1, ([2], [0]), ([-1], [-3]), (-1, 0), (2, -3), ([0, 1], [2, 1]), ([1, 2], [1, 0])]
    pairs += [([-3, -2, -1], [2, 1, 0])]
    for axes in pairs:
        alike(lambda x, y, axes=axes: tp.tensordot(x, y, axes), np.tensordot(x, y, axes), x, y)
    square = RNG.standard_normal((4, 3, 2))
    alike(lambda x, y: tp.tensordot(x, y, 3), np.tensordot(square, y, 3), square, y)
    alike(
        lambda x, y: tp.tensordot(x, y),
        np.tensordot(square, square.transpose(1, 2, 0)),
        square,
        square.transpose(1, 2, 0),
    )
    alike(lambda x, y: tp.tensordot(x, y, 1), M @ M.T, M, M.T)
    bad: list[tuple[Any, str]] = [(-1, "do not both have -1 axes"), (4, "do not both have 4 axes")]
    bad += [(([3], [0]), r"axes \[3\] are not"), (([-4], [0]), r"axes \[-4\] are not"), (([0], [3]), r"axes \[3\] are")]
    bad += [(([0, 0], [0, 1]), "are not different axes"), (([0, -3], [0, 1]), "are not different axes")]
    bad += [(([0], [0]), "differ in number or size"), (([0, 1], [2]), "differ in number or size")]
    for axes, message in bad:
        for lift in (np.asarray, BVar):
            with pytest.raises(ShapeError, match=message):
                tp.tensordot(lift(x), lift(y), axes)
    with pytest.raises(ShapeError, match="do not both have 2 axes"):
        tp.tensordot(V, A, 2)
    with pytest.raises(ShapeError, match="do not both have 2 axes"):
        tp.tensordot(A, V, 2)


# -- Arranging --------------------------------------------------------------------------------------------------------


def test_padding() -> None:
    for width in (0, 1, (1, 2), ((1, 0), (0, 2))):
        alike(lambda x, w=width: tp.pad(x, w), np.pad(M, width), M)
        for value in (1.0, -1.0, 0.5):
            alike(lambda x, w=width, v=value: tp.pad(x, w, value=v), np.pad(M, width, constant_values=value), M)
        for mode in ("edge", "reflect", "symmetric", "wrap"):
            alike(lambda x, w=width, m=mode: tp.pad(x, w, mode=m), np.pad(M, width, mode), M)
    empty = np.zeros((0, 3))
    assert tp.pad(empty, ((0, 0), (1, 1)), mode="edge").shape == (0, 5)
    with pytest.raises(ShapeError, match="has no elements along axis 0 to pad with"):
        tp.pad(empty, ((1, 0), (0, 0)), mode="edge")
    with pytest.raises(ShapeError, match="has no elements along axis 0 to pad with"):
        tp.pad(empty, ((0, 1), (0, 0)), mode="edge")


def test_tiling_and_repeating() -> None:
    reps: Any
    counts: Any
    for reps in ((1, 1), (2, 3), (0, 1), (2, 1, 3)):
        alike(lambda x, r=reps: tp.tile(x, r), np.tile(M, reps), M)
    for reps in ((2,), (1, -1), (-1, 1), 2, ()):
        with pytest.raises(ShapeError, match="tile: reps"):
            tp.tile(M, reps)
    for counts in (0, 1, 3, [0, 1, 2], np.array([1, 0, 1])):
        alike(lambda x, c=counts: tp.repeat(x, c, axis=0), np.repeat(M, counts, axis=0), M)
    alike(lambda x: tp.repeat(x, 2), np.repeat(M, 2), M)
    assert tp.repeat(np.zeros(0), np.zeros(0, int)).shape == (0,)
    for counts in (-1, [1, -1, 1], 1.5, [[1, 2, 3]], "2"):
        with pytest.raises((ShapeError, TypeError), match="repeat"):
            tp.repeat(M, counts, axis=0)
    with pytest.raises(ShapeError, match=r"repeat: repeats is .*; wanted an int of 0 or more, or a vector of them"):
        tp.repeat(M, [[1, 2, 3]], axis=0)
    assert tp.broadcast_to(2.0, ()).shape == () and plain(tp.broadcast_to(BVar(2.0), ())) == 2.0
    with pytest.raises(ShapeError, match="repeat: 2 repeats for the 3 elements"):
        tp.repeat(M, [1, 2], axis=0)


def test_taking() -> None:
    index: Any
    for index in (0, -5, 4, [0, 4, -5], [], [[0, 1], [4, 4]]):
        alike(lambda x, k=index: tp.take(x, k), np.take(V, np.array(index, int)), V)
    for index in (5, -6, [0, 5], [-6, 0]):
        for x in (V, BVar(V)):
            with pytest.raises(IndexError, match=r"take: the indices go from .* has 5 elements"):
                tp.take(x, index)
    taken = tp.take(M, [0], axis=0)
    taken[0] = 9.0
    row = tp.take(M, 0, axis=0)
    row[0] = 9.0
    assert not (M == 9.0).any()
    for axis in (0, 1, -1):
        order = np.argsort(M, axis)[:2, :2]
        wanted_shape = [3, 4]
        wanted_shape[axis] = 2
        order = np.resize(order, wanted_shape) % 3
        alike(lambda x, o=order, k=axis: tp.take_along_axis(x, o, k), np.take_along_axis(M, order, axis), M)
    for shape in ((3, 3), (2, 5), (3,), (3, 4, 1)):
        with pytest.raises(ShapeError, match="take_along_axis: indices of"):
            tp.take_along_axis(M, np.zeros(shape, int), 0)
    mine = tp.take_along_axis(V, np.arange(5))
    mine[0] = 9.0
    assert V[0] != 9.0


def test_equal_elements_share_along_every_axis() -> None:
    x = RNG.integers(0, 3, (3, 4, 5)).astype(float)
    w = RNG.standard_normal(x.shape)
    for axis in (0, 1, 2):
        order = np.argsort(x, axis, kind="stable")
        wanted = np.zeros(x.shape)
        np.put_along_axis(wanted, order, w, axis)
        for value in range(3):
            equal = x == value
            count = np.maximum(equal.sum(axis, keepdims=True), 1)
            mean = np.where(equal, wanted, 0).sum(axis, keepdims=True) / count
            wanted = np.where(equal, mean, wanted)
        found = gradient(lambda x, k=axis: tp.sort(x, k) * w, x)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)
        _, pushed = tp.jvp(lambda x, k=axis: tp.sort(x, k), BVar(x), BVar(wanted))
        np.testing.assert_allclose((plain(pushed) * w).sum(), (wanted * wanted).sum(), rtol=1e-12)
    inner = tp.grad(lambda x: (np.array([1.0, 2.0, 3.0]) * tp.sort(x) ** 3).sum())
    assert plain(tp.grad(lambda x: inner(x).sum())(BVar(np.array([2.0, 1.0, 1.0])))).tolist() == [36.0, 9.0, 9.0]


def test_moving_axes() -> None:
    alike(lambda x: tp.moveaxis(x, 0, 2), np.moveaxis(A, 0, 2), A)
    alike(lambda x: tp.moveaxis(x, -1, 0), np.moveaxis(A, -1, 0), A)
    for bad in (True, 1.5, None, "0"):
        with pytest.raises(TypeError, match="moveaxis: axis is"):
            tp.moveaxis(A, bad, 0)
        with pytest.raises(TypeError, match="moveaxis: axis is"):
            tp.moveaxis(A, 0, bad)
    alike(lambda x: tp.squeeze(x, 0), 3.0, np.array([3.0]))


def test_recurrences_along_every_axis() -> None:
    a, b = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((2, 3, 4))
    for large in (1.0, 1e200):
        with np.errstate(all="ignore"):
            for axis in (0, 1, 2):
                x = np.moveaxis(a, axis, 0) * large
                y = np.moveaxis(b, axis, 0)
                s = [np.zeros(y.shape[1:])]
                for k in range(len(y)):
                    s.append(x[k] * (s[-1] if k else 0.0) + y[k])
                wanted = np.moveaxis(np.array(s[1:]), 0, axis)
                np.testing.assert_allclose(_recurrence_of_arrays(a * large, b, axis, False), wanted, rtol=1e-10)
                turned = _recurrence_of_arrays(np.flip(a * large, axis), np.flip(b, axis), axis, True)
                np.testing.assert_allclose(np.flip(turned, axis), wanted, rtol=1e-10)
    # The products overflow, what is wanted does not.
    factors, added = np.ones((2, 5, 3)), np.zeros((2, 5, 3))
    factors[:, 1:3] = 1e160
    added[:, 0] = 1e-170
    wanted = np.broadcast_to(np.array([1e-170, 1e-10, 1e150, 1e150, 1e150])[:, None], (2, 5, 3))
    with np.errstate(all="raise"):
        np.testing.assert_allclose(_recurrence_of_arrays(factors, added, 1, False), wanted, rtol=1e-12)
        turned = _recurrence_of_arrays(factors[:, ::-1].copy(), added[:, ::-1].copy(), 1, True)
    np.testing.assert_allclose(turned[:, ::-1], wanted, rtol=1e-12)


def test_diagonals() -> None:
    for k in (-3, -1, 0, 1, 4):
        alike(lambda x, k=k: tp.take_diag(x, k), np.diagonal(M, k), M)
    for k in (-4, 5):
        with pytest.raises(ShapeError, match=f"has no diagonal {k}"):
            tp.take_diag(M, k)
    for k in (-2, -1, 0, 3):
        alike(lambda x, k=k: tp.diag(x, k), np.diag(V, k), V)
        w = RNG.standard_normal((5 + abs(k),) * 2)
        np.testing.assert_allclose(gradient(lambda x, k=k, w=w: tp.diag(x, k) * w, V), np.diagonal(w, k))


def test_differences() -> None:
    for n in (0, 1, 2, 4, 5):
        alike(lambda x, n=n: tp.diff(x, n), np.diff(V, n), V)
    with pytest.raises(ValueError, match="diff: n is -1; wanted 0 or more"):
        tp.diff(V, -1)
    with pytest.raises(ShapeError, match="has 5 elements along axis -1; wanted 6 or more"):
        tp.diff(V, 6)
    same = tp.diff(V, 0)
    same[0] = 9.0
    assert V[0] != 9.0
    with pytest.raises(ShapeError, match="trapezoid: dx is"):
        tp.trapezoid(V, dx=np.ones(4))
    alike(lambda y: tp.trapezoid(y, dx=0.5), np.trapezoid(V, dx=0.5), V)


def test_positions() -> None:
    x = np.array([3.0, 1.0, 3.0, 1.0] * 10)
    for given in (x, BVar(x)):
        np.testing.assert_array_equal(tp.argsort(given), np.argsort(x, kind="stable"))
        assert (tp.argmax(given), tp.argmin(given)) == (0, 1)
    for axis in (0, 1, -1, -2):
        np.testing.assert_array_equal(tp.argsort(M, axis), np.argsort(M, axis))
    for f in (tp.argsort, tp.argmax, tp.argmin):
        for number in (1.0, BVar(1.0)):
            with pytest.raises(ShapeError, match=f"{f.__name__}: wanted an array, got a float"):
                f(number)


# -- Reductions -------------------------------------------------------------------------------------------------------


def test_what_a_reduction_is_called() -> None:
    for name in ("sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "argmax", "argmin", "floor", "sign"):
        f = getattr(tp, name)
        assert f.__name__ == name and f.__doc__ and name in repr(f)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "std", "var", "median"])
def test_reductions_are_numpys(name: str) -> None:
    for axis in (None, 0, 1, 2, -3):
        for keepdims in (False, True):
            alike(
                lambda x, a=axis, k=keepdims: getattr(tp, name)(x, a, keepdims=k),
                getattr(np, name)(A, axis=axis, keepdims=keepdims),
                A,
            )
    for dtype in (np.float32, np.float64):
        y = getattr(tp, name)(A.astype(dtype), 1)
        assert y.dtype == dtype and getattr(tp, name)(BVar(A.astype(dtype)), 1).value.dtype == dtype
    for x in (1.0, BVar(1.0)) if name not in ("sum", "mean", "max", "min") else ():
        with pytest.raises(ShapeError, match=f"{name}: wanted an array, got a float"):
            getattr(tp, name)(x)


def test_quantiles() -> None:
    for q in (0.0, 0.25, 0.3, 0.5, 1.0):
        for axis in (None, 0, 1, 2):
            for keepdims in (False, True):
                wanted = np.quantile(A, q, axis=axis, keepdims=keepdims)
                alike(lambda x, q=q, a=axis, k=keepdims: tp.quantile(x, q, a, keepdims=k), wanted, A)
        steps = np.zeros(5)
        order, place = np.argsort(V), q * 4
        steps[order[int(place)]] += 1 - place % 1
        if place % 1:
            steps[order[int(place) + 1]] += place % 1
        np.testing.assert_allclose(plain(tp.grad(lambda x, q=q: tp.quantile(x, q))(BVar(V))), steps, atol=1e-15)
    for dtype in (np.float64, np.float32):
        assert type(tp.median(V.astype(dtype))) is dtype
    w = RNG.standard_normal((2, 4))
    by_axis = gradient(lambda x: tp.quantile(x, 0.3, 1) * w, A)
    for i, j in np.ndindex(2, 4):
        alone = plain(tp.grad(lambda x: tp.quantile(x, 0.3))(BVar(A[i, :, j].copy())))
        np.testing.assert_allclose(by_axis[i, :, j], alone * w[i, j], atol=1e-15)


def test_a_nan_takes_the_gradient_of_a_quantile() -> None:
    for x in ([1.0, NAN, 2.0], [NAN, 1.0, 2.0], [1.0, 2.0, NAN]):
        for q in (0.0, 0.3, 0.5, 1.0):
            value, slope = tp.value_and_grad(lambda x, q=q: tp.quantile(x, q))(BVar(np.array(x)))
            assert math.isnan(value.value) and slope.value.tolist() == [float(math.isnan(v)) for v in x]


def test_logsumexp_of_infinities() -> None:
    x = np.array([[0.0, 1.0, 2.0], [INF, 1.0, INF], [-INF, -INF, -INF], [-INF, 0.0, 0.0], [INF, -INF, 0.0]])
    wanted = np.array(
        [np.exp([0.0, 1.0, 2.0]) / np.exp([0.0, 1.0, 2.0]).sum(), [0.5, 0, 0.5], [0] * 3, [0, 0.5, 0.5], [1, 0, 0]]
    )
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(gradient(lambda x: tp.logsumexp(x, 1), x), wanted, rtol=1e-12)
        np.testing.assert_allclose(gradient(lambda x: tp.logsumexp(x, 0), x.T), wanted.T, rtol=1e-12)
        for row, slope in zip(x, wanted, strict=True):
            np.testing.assert_allclose(plain(tp.grad(tp.logsumexp)(BVar(row))), slope, rtol=1e-12)
        # Twice: rows without an infinity have the Hessian of theirs, the others none.
        second = gradient(lambda x: tp.grad(lambda x: (tp.logsumexp(x, 1) * np.arange(1.0, 6.0)).sum())(x)[:, :1], x)
    p = wanted
    rest = np.arange(1.0, 6.0)[:, None] * (p * (np.eye(3)[0] - p[:, :1]))
    np.testing.assert_allclose(second[[0, 3]], rest[[0, 3]], rtol=1e-12, atol=1e-15)


def test_std_of_what_cannot_be_squared() -> None:
    for factor in (1e200, 1e-200):
        for axis in (None, 0, 1):
            for ddof in (0, 1):
                for keepdims in (False, True):
                    wanted = np.std(M, axis=axis, ddof=ddof, keepdims=keepdims) * factor
                    with np.errstate(all="raise"):
                        found = tp.std(M * factor, axis, ddof=ddof, keepdims=keepdims)
                    np.testing.assert_allclose(found, wanted, rtol=1e-12)
                    assert np.shape(found) == np.shape(wanted)
    mixed = np.array([[1e200, 2e200], [1e-200, 2e-200], [1.0, 2.0], [0.0, 0.0]])
    np.testing.assert_allclose(tp.std(mixed, 1), [5e199, 5e-201, 0.5, 0.0], rtol=1e-12)
    with np.errstate(all="ignore"):
        assert np.isnan(tp.std(np.array([[INF, 1.0], [0.0, 1.0]]), 1)).tolist() == [True, False]


# -- Matrices ---------------------------------------------------------------------------------------------------------

ORDERS: list[Any] = [None, 0, 1, 2, 3, 1.5, 2.5, 0.5, INF, -INF, -1, -2, 2.0, np.float64(2), np.int64(1)]


def test_norms_are_numpys() -> None:
    ord: Any
    for ord in ORDERS:
        alike(lambda x, o=ord: tp.linalg.norm(x, o), np.linalg.norm(V, ord), V)
        for axis in (0, 1, -1):
            for keepdims in (False, True):
                wanted = np.linalg.norm(M, ord, axis=axis, keepdims=keepdims)
                alike(lambda x, o=ord, a=axis, k=keepdims: tp.linalg.norm(x, o, axis=a, keepdims=k), wanted, M)
    for ord in (None, "fro", "nuc", 1, -1, 2, -2, INF, -INF):
        alike(lambda x, o=ord: tp.linalg.norm(x, o), np.linalg.norm(M, ord), M)
    for bad in ("fro", "nuc", "wide", [1], 1j, "2"):
        with pytest.raises(ValueError, match=r"norm: ord=.* is not a norm of vectors; wanted a number or None"):
            tp.linalg.norm(V, bad)
    for bad in ("wide", 3, 0, -3, 0.5, "2"):
        with pytest.raises(ValueError, match=r"norm: ord=.* is not a norm of matrices"):
            tp.linalg.norm(M, bad)
    for ord in (INF, -INF):
        with pytest.raises(ShapeError, match="has no elements, so none is the largest"):
            tp.linalg.norm(np.zeros(0), ord)


@pytest.mark.parametrize("p", [None, 1, 1.5, 2, 2.5, 3, INF])
def test_slopes_of_norms(p: Any) -> None:
    x = np.array([3.0, -4.0, 0.0, 1.0])
    number = 2 if p is None else p
    y = np.linalg.norm(x, p)
    wanted = np.sign(x) * (np.abs(x) / y) ** (number - 1) if p != INF else np.array([0.0, -1.0, 0.0, 0.0])
    np.testing.assert_allclose(plain(tp.grad(lambda x: tp.linalg.norm(x, p))(BVar(x))), wanted, rtol=1e-12)
    t = np.array([1.0, 2.0, 3.0, 4.0])
    _, pushed = tp.jvp(lambda x: tp.linalg.norm(x, p), BVar(x), BVar(t))
    np.testing.assert_allclose(plain(pushed), wanted @ t, rtol=1e-12)
    for axis in (0, 1):
        rows = np.array([x, 2 * x, 0 * x])
        turned = rows if axis else rows.T
        found = gradient(lambda x, k=axis: tp.linalg.norm(x, p, axis=k), turned)
        if p != INF:
            np.testing.assert_allclose(found if axis else found.T, [wanted, wanted, 0 * x], rtol=1e-12)
    zero = plain(tp.grad(lambda x: tp.linalg.norm(x, p))(BVar(np.zeros(2))))
    assert zero.tolist() == ([0.0, 0.0] if p != INF else [0.5, 0.5]) or p == INF


def test_norms_of_the_large_and_the_small() -> None:
    for p in (None, 2, 1.5, 3):
        for factor in (1e200, 1e-200):
            with np.errstate(all="raise"):
                np.testing.assert_allclose(tp.linalg.norm(V * factor, p), np.linalg.norm(V, p) * factor, rtol=1e-12)
                np.testing.assert_allclose(
                    tp.linalg.norm(np.array([[3e200, 4e200], [3e-200, 4e-200], [0.0, 0.0], [3.0, 4.0]]), axis=1),
                    [5e200, 5e-200, 0.0, 5.0],
                    rtol=1e-12,
                )
    assert tp.linalg.norm(np.zeros(0)) == 0.0 and tp.linalg.norm(np.zeros(0), 3) == 0.0
    with np.errstate(all="ignore"):
        assert tp.linalg.norm(np.array([INF, 1.0])) == INF and tp.linalg.norm(np.array([INF, 1.0]), 3) == INF


def test_condition_numbers() -> None:
    ord: Any
    square = RNG.standard_normal((3, 3))
    for ord in (None, 2, -2):
        for x in (M, square):
            np.testing.assert_allclose(plain(tp.linalg.cond(BVar(x), ord)), np.linalg.cond(x, ord), rtol=1e-10)
            np.testing.assert_allclose(tp.linalg.cond(x, ord), np.linalg.cond(x, ord), rtol=1e-10)
    for ord in (1, -1, INF, -INF, "fro", "nuc"):
        np.testing.assert_allclose(tp.linalg.cond(square, ord), np.linalg.cond(square, ord), rtol=1e-10)
        with pytest.raises(ShapeError, match="cond"):
            tp.linalg.cond(M, ord)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_determinants_of_singular_matrices_twice(n: int) -> None:
    # det is a polynomial: at the zero matrix its derivative of order n is that of one product.
    a = np.zeros((n, n))
    if n > 1:
        a[: n - 2, : n - 2] = np.eye(n - 2)
    first = tp.grad(tp.linalg.det)
    w = RNG.standard_normal((n, n))
    second = plain(tp.grad(lambda a: (first(a) * w).sum())(BVar(a)))
    h = 1e-3
    wanted = np.zeros((n, n))

    def cofactors(x: Any) -> Any:
        y = np.zeros((n, n))
        for i, j in np.ndindex(n, n):
            minor = np.delete(np.delete(x, i, 0), j, 1)
            y[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
        return y

    for i, j in np.ndindex(n, n):
        e = np.zeros((n, n))
        e[i, j] = h
        wanted[i, j] = ((cofactors(a + e) - cofactors(a - e)) * w).sum() / (2 * h)
    np.testing.assert_allclose(second, wanted, atol=1e-9)
    np.testing.assert_allclose(plain(first(BVar(a))), cofactors(a), atol=1e-12)
    single = plain(tp.grad(lambda a: (first(a) * w.astype(np.float32)).sum())(BVar(a.astype(np.float32))))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, wanted, atol=1e-4)


def test_powers_and_products_of_matrices() -> None:
    square = RNG.standard_normal((3, 3))
    for n in (-3, -1, 0, 1, 2, 3, 6, 7):
        alike(lambda a, n=n: tp.linalg.matrix_power(a, n), np.linalg.matrix_power(square, n), square)
    one = tp.linalg.matrix_power(square, 1)
    assert not np.shares_memory(one, square)
    chain = [RNG.standard_normal(shape) for shape in ((2, 5), (5, 3), (3, 4), (4, 1))]
    alike(lambda *xs: tp.linalg.multi_dot(xs), np.linalg.multi_dot(chain), *chain)
    # The textbook's example (Cormen and others, 15.2): ((A1 (A2 A3)) ((A4 A5) A6)).
    best = cheapest_order([30, 35, 15, 5, 10, 20, 25])
    assert (best[0, 5], best[0, 2], best[3, 5]) == (2, 0, 4)
    assert cheapest_order([10, 100, 5, 50])[0, 2] == 1 and cheapest_order([50, 5, 100, 10])[0, 2] == 0
    assert cheapest_order([1, 2, 3, 4])[0, 2] == 1 and cheapest_order([4, 3, 2, 1])[0, 2] == 0
    for bad in ([], [M], [M, V], [M, M]):
        for lift in (np.asarray, BVar):
            with pytest.raises(ShapeError, match="multi_dot"):
                tp.linalg.multi_dot([lift(x) for x in bad])


def test_solving() -> None:
    a, b, c = RNG.standard_normal((3, 3)), RNG.standard_normal(3), RNG.standard_normal((3, 2))
    for right in (b, c):
        alike(tp.linalg.solve, np.linalg.solve(a, right), a, right)
        for k in (0, 1):
            tangents = RNG.standard_normal((a, right)[k].shape)

            def f(x: Any, k: int = k, right: Any = right) -> Any:
                return tp.linalg.solve(*((x, right) if k == 0 else (a, x)))

            _, pushed = tp.jvp(f, BVar((a, right)[k]), BVar(tangents))
            h = 1e-6
            by_hand = (f((a, right)[k] + h * tangents) - f((a, right)[k] - h * tangents)) / (2 * h)
            np.testing.assert_allclose(plain(pushed), by_hand, rtol=1e-5, atol=1e-6)
            # Twice, where one operand alone belongs to the outer gradient.
            second = tp.grad(lambda x, f=f: (tp.grad(lambda x: (f(x) ** 2).sum())(x)).sum())(BVar((a, right)[k]))
            inner = tp.grad(lambda x, f=f: (f(x) ** 2).sum())
            step = 1e-6 * tangents
            start = (a, right)[k]
            change = (plain(inner(BVar(start + step))) - plain(inner(BVar(start - step)))).sum() / 2e-6
            np.testing.assert_allclose((plain(second) * tangents).sum(), change, rtol=1e-4, atol=1e-4)
    for shape in ((2,), (4, 1), (3, 1, 1), ()):
        for lift in (np.asarray, BVar):
            with pytest.raises(ShapeError, match=r"solve: b is .*; wanted R\[3\] or L\[3, k\], as a has 3 rows"):
                tp.linalg.solve(lift(a), lift(np.ones(shape)) if shape else 1.0)


@pytest.mark.parametrize("n", [1, 47, 48, 49, 97, 100])
def test_triangles_of_any_size(n: int) -> None:
    a: Any
    b: Any
    for dtype in (np.float64, np.float32):
        a = (np.eye(n) * 3 + RNG.standard_normal((n, n)) / n).astype(dtype)
        for b in (RNG.standard_normal(n).astype(dtype), RNG.standard_normal((n, 2)).astype(dtype)):
            for lower in (False, True):
                x = tp.linalg.solve_triangular(a, b, lower=lower)
                assert x.dtype == dtype
                np.testing.assert_allclose((np.tril(a) if lower else np.triu(a)) @ x, b, rtol=1e-4, atol=1e-5)
    a[n // 2, n // 2] = 0.0
    with pytest.raises(np.linalg.LinAlgError, match="its diagonal is zero in row"):
        tp.linalg.solve_triangular(a, b)


def test_least_squares_both_ways() -> None:
    for shape in ((5, 3), (3, 5), (3, 3)):
        a = RNG.standard_normal(shape)
        for b in (RNG.standard_normal(shape[0]), RNG.standard_normal((shape[0], 2))):
            alike(tp.linalg.lstsq, np.linalg.lstsq(a, b, rcond=None)[0], a, b)
            for k in (0, 1):
                start, t = (a, b)[k], RNG.standard_normal((a, b)[k].shape)

                def f(x: Any, k: int = k, a: Any = a, b: Any = b) -> Any:
                    return tp.linalg.lstsq(*((x, b) if k == 0 else (a, x)))

                by_hand = (f(start + 1e-6 * t) - f(start - 1e-6 * t)) / 2e-6
                _, pushed = tp.jvp(f, BVar(start), BVar(t))
                np.testing.assert_allclose(plain(pushed), by_hand, rtol=1e-5, atol=1e-6)
                w = RNG.standard_normal(by_hand.shape)
                pulled = plain(tp.grad(lambda x, f=f, w=w: (f(x) * w).sum())(BVar(start)))
                np.testing.assert_allclose((pulled * t).sum(), (by_hand * w).sum(), rtol=1e-5, atol=1e-6)


def test_factors_of_square_wide_and_tall_matrices() -> None:
    for shape in ((3, 3), (4, 3), (3, 4)):
        a = RNG.standard_normal(shape)
        t = RNG.standard_normal(shape)
        parts: dict[str, Callable[[Any], Any]] = {
            "u": lambda a: tp.linalg.svd(a)[0],
            "s": lambda a: tp.linalg.svd(a)[1],
            "vt": lambda a: tp.linalg.svd(a)[2],
            "pinv": tp.linalg.pinv,
        }
        if shape[0] >= shape[1]:
            parts |= {"q": lambda a: tp.linalg.qr(a)[0], "r": lambda a: tp.linalg.qr(a)[1]}
        for name, f in parts.items():
            by_hand = (f(a + 1e-6 * t) - f(a - 1e-6 * t)) / 2e-6
            _, pushed = tp.jvp(f, BVar(a), BVar(t))
            np.testing.assert_allclose(plain(pushed), by_hand, rtol=1e-5, atol=1e-6, err_msg=f"{name} {shape}")
            w = RNG.standard_normal(by_hand.shape)
            pulled = plain(tp.grad(lambda x, f=f, w=w: (f(x) * w).sum())(BVar(a)))
            np.testing.assert_allclose((pulled * t).sum(), (by_hand * w).sum(), rtol=1e-5, atol=1e-6, err_msg=name)


def test_matrices_without_elements() -> None:
    empty = np.zeros((0, 0))
    for name in ("det", "inv", "pinv", "cholesky", "eigvalsh", "svdvals"):
        f = getattr(tp.linalg, name)
        np.testing.assert_array_equal(f(empty), getattr(np.linalg, name)(empty))
    assert plain(tp.linalg.inv(BVar(empty))).shape == (0, 0)
    assert tp.linalg.pinv(np.zeros((0, 3))).shape == (3, 0)


# -- Mapping, pooling, raveling, products -----------------------------------------------------------------------------


def test_mapping_scalars() -> None:
    assert plain(tp.zip_with(lambda a, b: a * b, BVar(V), V)).tolist() == (V * V).tolist()
    for x, y in ((V, V[:4]), (V[:4], V), (M, M.T), (V, M)):
        for lift in (np.asarray, BVar):
            with pytest.raises(ShapeError, match=r"zip_with: .*; sizes must be equal"):
                tp.zip_with(lambda a, b: a, lift(x), lift(y))
    # Elements that the function left alone, or gave no gradient, are constants, forwards and backwards, and twice.
    functions: list[Any] = [lambda v: v * v if v.value > 0 else 2.0, lambda v: v * v * v]
    for f in functions:
        x = np.array([1.5, -2.0, 3.0])
        by_hand = np.array([plain(f(BVar(v))) for v in x])
        y = tp.map(f, BVar(x))
        np.testing.assert_allclose(plain(y), by_hand)
        slope = np.array([plain(tp.grad(lambda v, f=f: f(v) + v * 0.0)(BVar(v))) for v in x])
        np.testing.assert_allclose(gradient(lambda x, f=f: tp.map(f, x), x), slope)
        _, pushed = tp.jvp(lambda x, f=f: tp.map(f, x), BVar(x), BVar(np.array([1.0, 10.0, 100.0])))
        np.testing.assert_allclose(plain(pushed), slope * [1.0, 10.0, 100.0])
        twice = gradient(lambda x, f=f: tp.grad(lambda x: tp.map(f, x).sum())(x), x)
        bend = np.array([plain(tp.grad(lambda v, f=f: tp.grad(lambda v: f(v) + v * 0.0)(v))(BVar(v))) for v in x])
        np.testing.assert_allclose(twice, bend)
        # The cotangents of the map are recorded, too.
        squared = gradient(lambda x, f=f: tp.grad(lambda x: (tp.map(f, x) ** 2).sum())(x), x)
        np.testing.assert_allclose(squared, 2 * slope**2 + 2 * by_hand * bend)
    assert plain(tp.map(lambda v: v, BVar(np.zeros((0, 2))))).shape == (0, 2)
    assert type(tp.map(lambda v: v, np.zeros(0))) is np.ndarray
    assert type(tp.map(lambda v: v, BVar(np.zeros(0)))) is BVar and type(tp.map(lambda v: 1.0, V)) is np.ndarray


def test_pools_whose_windows_are_not_their_steps() -> None:
    bad: Any
    x = RNG.standard_normal((1, 2, 7))
    for size, stride in ((3, 1), (2, 3), (3, 2), (7, 1), (2, None)):
        step = stride or size
        count = (7 - size) // step + 1
        groups = np.stack([x[..., k * step : k * step + size] for k in range(count)], -2)
        for name, oracle in (("avg_pool1d", groups.mean(-1)), ("max_pool1d", groups.max(-1))):
            f = getattr(tp, name)
            alike(lambda x, f=f, s=size, t=stride: f(x, s, t), oracle, x)
            inner = tp.grad(lambda x, f=f, s=size, t=stride: (f(x, s, t) ** 3).sum())
            start, t = x, RNG.standard_normal(x.shape)
            by_hand = (plain(inner(BVar(start + 1e-6 * t))) - plain(inner(BVar(start - 1e-6 * t)))) / 2e-6
            w = RNG.standard_normal(x.shape)
            second = plain(tp.grad(lambda x, inner=inner, w=w: (inner(x) * w).sum())(BVar(x)))
            np.testing.assert_allclose((second * t).sum(), (by_hand * w).sum(), rtol=1e-5, atol=1e-6)
            third = plain(tp.grad(lambda x, i=inner, w=w: tp.grad(lambda x: (i(x) * w).sum())(x).sum())(BVar(x)))
            assert third.shape == x.shape
    for bad in (8, 9):
        with pytest.raises(ShapeError, match=f"max_pool1d: windows of size {bad} are larger than x"):
            tp.max_pool1d(x, bad)
    for rank, layout in ((1, r"\(batch, channels, length\)"), (2, r"\(batch, channels, height, width\)")):
        with pytest.raises(ShapeError, match=f"max_pool{rank}d: x is .*; wanted {layout}"):
            getattr(tp, f"max_pool{rank}d")(np.ones((2, 2)), 1)
        with pytest.raises(ShapeError, match=f"avg_pool{rank}d: x is .*; wanted {layout}"):
            getattr(tp, f"avg_pool{rank}d")(BVar(np.ones((2, 2))), 1)
    with pytest.raises(DTypeError, match=r"^avg_pool1d: a MaskedArray would lose its meaning; pass a plain array$"):
        tp.avg_pool1d(np.ma.masked_array(x), 2)
    for bad in ("x", np.ones((1, 2, 3), complex)):
        with pytest.raises((TypeError, DTypeError)):
            tp.max_pool1d(bad, 1)


def test_products_of_vectors() -> None:
    three, rows = V[:3], M[:, :3]
    alike(tp.cross, np.cross(three, three[::-1]), three, three[::-1].copy())
    alike(tp.cross, np.cross(rows, rows[::-1]), rows, rows[::-1].copy())
    for x, y in ((V, V), (V[:2], V[:2]), (three, rows), (np.ones((2, 2, 3)), np.ones((2, 2, 3))), (1.0, 1.0)):
        for lift in (lambda v: v, BVar):
            with pytest.raises(ShapeError, match=r"cross: .*; wanted two R\[3\], or two L\[m, 3\]"):
                tp.cross(lift(x), lift(y))
    alike(tp.kron, np.kron(V, three), V, three)
    alike(tp.kron, np.kron(M, rows), M, rows)
    for x, y in ((V, M), (A, A), (1.0, 1.0)):
        with pytest.raises(ShapeError, match=r"kron: .*; wanted two matrices or two vectors"):
            tp.kron(x, y)
    for f in (tp.cross, tp.kron, tp.outer, tp.dot):
        for pair in (("x", three), (three, "x"), (three, three.astype(complex)), (BVar(three), "x")):
            with pytest.raises((TypeError, DTypeError), match=f.__name__):
                f(*pair)
    for name, hint in (("dot", True), ("outer", False)):
        for x, y, where in ((M, three, "first"), (three, M, "second")):
            with pytest.raises(ShapeError) as told:
                getattr(tp, name)(x, y)
            assert f"the {where} argument is" in str(told.value)
            assert ("write a @ b" in str(told.value)) == hint
        with pytest.raises(ShapeError) as told:
            getattr(tp, name)(1.0, three)
        assert "write a @ b" not in str(told.value)
    alike(tp.outer, np.outer(V, three), V, three)


@pytest.mark.parametrize("shapes", [((3,), (2, 3)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((3,), (2,))])
def test_cross_entropy_wants_a_probability_for_each_logit_in_a_gradient_too(shapes: Any) -> None:
    x, t = map(np.ones, shapes)
    with pytest.raises(tp.ShapeError, match=r"^softmax_cross_entropy: logits are .* wanted a probability for each"):
        tp.grad(lambda logits: tp.sum(tp.softmax_cross_entropy(logits, t)))(BVar(x))


@pytest.mark.parametrize("f", [tp.tanh, tp.sigmoid])
def test_a_pullback_is_differentiable_by_its_cotangent(f: Any) -> None:
    x, v = RNG.standard_normal(3), RNG.standard_normal(3)
    y = f(x)
    slope = 1 - y * y if f is tp.tanh else y * (1 - y)
    pullback: Any = tp.vjp(f, BVar(x))[1]
    found: Any = tp.grad(lambda g: (pullback(g) * v).sum())(BVar(np.ones(3)))
    np.testing.assert_allclose(found.value, slope * v, rtol=1e-12)


def test_the_pullback_of_a_reduction_is_differentiable_by_its_cotangent() -> None:
    x, v = np.array([2.0, 3.0, 4.0]), RNG.standard_normal(3)
    pullback: Any = tp.vjp(tp.prod, BVar(x))[1]
    found: Any = tp.grad(lambda g: (pullback(g) * v).sum())(BVar(1.0))
    np.testing.assert_allclose(found.value, (24.0 / x * v).sum(), rtol=1e-12)


def test_the_pullback_of_cross_entropy_is_differentiable_by_its_cotangent() -> None:
    x, v, t = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3)), np.array([[1.0, 0.0, 0.0], [0.0, 0.25, 0.75]])
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    pullback: Any = tp.vjp(lambda logits: tp.softmax_cross_entropy(logits, t), BVar(x))[1]
    found = tp.grad(lambda g: (pullback(g) * v).sum())(BVar(np.ones(2)))
    np.testing.assert_allclose(found.value, ((p - t) * v).sum(-1), rtol=1e-12)


def test_cross_entropy_of_every_kind() -> None:
    g: Any
    logits: Any
    target: Any
    found: Any
    for shape in ((3,), (2, 3), (2, 2, 3), (1, 1)):
        for dtype in (np.float64, np.float32):
            x = RNG.standard_normal(shape).astype(dtype)
            t = np.abs(RNG.standard_normal(shape)).astype(dtype)
            p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
            wanted = -(t * np.log(p)).sum(-1)
            tolerance = 1e-12 if dtype == np.float64 else 1e-4
            for logits, target in ((x, t), (BVar(x), t), (BVar(x), BVar(t)), (x, BVar(t))):
                found = tp.softmax_cross_entropy(logits, target)
                np.testing.assert_allclose(plain(found), wanted, rtol=tolerance)
                assert np.shape(plain(found)) == shape[:-1]
                if shape[:-1]:
                    assert plain(found).dtype == dtype
            by_x, by_t = tp.grad(lambda x, t: tp.softmax_cross_entropy(x, t).sum(), argnums=(0, 1))(BVar(x), BVar(t))
            alone = gradient(lambda x, t=t: tp.softmax_cross_entropy(x, t), x)
            for found in (by_x.value, alone):
                assert found.dtype == dtype
                np.testing.assert_allclose(found, p * t.sum(-1, keepdims=True) - t, rtol=tolerance, atol=tolerance)
            assert by_t.value.dtype == dtype
            np.testing.assert_allclose(by_t.value, -np.log(p), rtol=tolerance, atol=tolerance)
            g = RNG.standard_normal(shape[:-1]).astype(dtype) if shape[:-1] else 2.0
            scaled = gradient(lambda x, t=t, g=g: tp.softmax_cross_entropy(x, t) * g, x)
            column = g[..., None] if shape[:-1] else g
            np.testing.assert_allclose(
                scaled, (p * t.sum(-1, keepdims=True) - t) * column, rtol=tolerance, atol=tolerance
            )
    for x, t in ((np.ones(3), np.ones(2)), (np.ones((2, 3)), np.ones(3)), (np.ones((2, 3)), np.ones((3, 2)))):
        for logits in (x, BVar(x)):
            with pytest.raises(ShapeError, match=r"softmax_cross_entropy: logits are .* wanted a probability for each"):
                tp.softmax_cross_entropy(logits, t)
    with pytest.raises(DTypeError, match="float32"):
        tp.grad(lambda x: tp.softmax_cross_entropy(x, np.ones(3, np.float32)))(BVar(np.ones(3)))
    for empty in (np.zeros(0), np.zeros((2, 0))):
        with pytest.raises(ShapeError, match=r"softmax_cross_entropy: .*\b0\] has no elements along axis -1"):
            tp.grad(lambda x, t=empty: tp.softmax_cross_entropy(x, t).sum())(BVar(empty))
    assert plain(
        tp.grad(lambda x: tp.softmax_cross_entropy(x, np.zeros((0, 3))).sum())(BVar(np.zeros((0, 3))))
    ).shape == (0, 3)


def test_cross_entropy_of_infinite_logits() -> None:
    with np.errstate(all="raise"):
        x = np.array([[-INF, 0.0, 0.0], [0.0, 0.0, -INF], [0.0, 0.0, 0.0]])
        t = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
        wanted = [math.log(2), math.log(2), math.log(3)]
        for logits, target in ((x, t), (BVar(x), t), (BVar(x), BVar(t)), (x, BVar(t))):
            np.testing.assert_allclose(plain(tp.softmax_cross_entropy(logits, target)), wanted, rtol=1e-12)
        for target in (t, BVar(t)):
            value, _ = tp.value_and_grad(
                lambda x, t=target: tp.softmax_cross_entropy(x, t) @ np.array([1.0, 2.0, 4.0])
            )(BVar(x))
            np.testing.assert_allclose(value.value, np.dot(wanted, [1.0, 2.0, 4.0]), rtol=1e-12)
        # What has the probability 0 and cannot happen costs nothing, at the margin too, of arrays of any rank.
        for logits, target in ((x, t), (x[None], t[None])):
            costs = plain(tp.grad(lambda t, x=logits: tp.softmax_cross_entropy(x, t).sum())(BVar(target)))
            assert costs.reshape(3, 3)[0, 0] == costs.reshape(3, 3)[1, 2] == 0.0
        # What has a probability and cannot happen costs infinity, whatever else cannot happen.
        both_ways = np.array([-INF, -INF, 0.0]), np.array([0.0, 0.5, 0.5])
        for given in (both_ways[0], BVar(both_ways[0])):
            assert plain(tp.softmax_cross_entropy(given, both_ways[1])) == INF
        assert (
            tp.value_and_grad(lambda x: tp.softmax_cross_entropy(x, both_ways[1]))(BVar(both_ways[0]))[0].value == INF
        )
        for given in (x, BVar(x)):
            assert plain(tp.softmax_cross_entropy(given, np.eye(3)[[0, 1, 2]]))[0] == INF
        y = tp.log_softmax(np.array([INF, 0.0, INF]))
        assert y.tolist() == [-math.log(2), -INF, -math.log(2)]
        y = tp.softmax(np.array([[INF, 0.0, INF], [0.0, -INF, 0.0]]))
        assert y.tolist() == [[0.5, 0.0, 0.5], [0.5, 0.0, 0.5]]


# -- Single functions -------------------------------------------------------------------------------------------------


def test_sinc_to_the_fourth_derivative() -> None:
    mpmath = pytest.importorskip("mpmath")
    f: Any = tp.sinc
    for order in range(5):
        for x in (0.0, 1e-9, 0.3, -0.7, 0.999, 1.0, -1.0, 1.001, 2.5, -3.0):
            with mpmath.workdps(50):
                exact = mpmath.diff(lambda v: mpmath.sincpi(v), mpmath.mpf(x), order)
            np.testing.assert_allclose(plain(f(BVar(x))), float(exact), rtol=1e-9, atol=1e-12, err_msg=f"{order} {x}")
        f = tp.grad(f)
    assert gradient(tp.sinc, np.array([0.3], np.float32)).dtype == np.float32


def test_lengths_and_quotients_at_zero() -> None:
    for x, y, wanted in ((0.0, 0.0, (0.0, 0.0)), (3.0, 4.0, (0.6, 0.8)), (0.0, 2.0, (0.0, 1.0))):
        by_x, by_y = tp.grad(tp.hypot, argnums=(0, 1))(BVar(x), BVar(y))
        np.testing.assert_allclose((plain(by_x), plain(by_y)), wanted)
        both_ = tp.grad(lambda x, y: tp.hypot(x, y).sum(), argnums=(0, 1))(
            BVar(np.array([x, 1.0])), BVar(np.array([y, 0.0]))
        )
        np.testing.assert_allclose([plain(v)[0] for v in both_], wanted)
        np.testing.assert_allclose([plain(v)[1] for v in both_], (1.0, 0.0))


def test_parameters_that_nobody_gave() -> None:
    for f, wanted in ((tp.elu, math.expm1(-1.0)), (tp.celu, math.expm1(-1.0)), (tp.leaky_relu, -0.01)):
        alike(f, wanted, -1.0)
        alike(f, [wanted, 2.0], np.array([-1.0, 2.0]))


def test_sigmoid_of_floats_that_are_not_differentiated() -> None:
    for dtype in (np.float16, np.longdouble):
        y = tp.sigmoid(np.array([0.0, 100.0, -100.0], dtype))
        assert y.dtype == dtype and y.tolist()[:2] == [0.5, 1.0] and 0.0 <= y[2] < 1e-7


def test_clip_and_where_and_masks() -> None:
    x = np.array([-2.0, 0.0, 0.5, 2.0, NAN])
    alike(lambda x: tp.clip(x, -1.0, 1.0), np.clip(x, -1.0, 1.0), x)
    alike(lambda x: tp.clip(x, None, 1.0), np.minimum(x, 1.0), x)
    alike(lambda x: tp.clip(x, -1.0, None), np.maximum(x, -1.0), x)
    assert gradient(lambda x: tp.clip(x, 0.0, 2.0), x[:4]).tolist() == [0.0, 0.5, 1.0, 0.5]
    mask = np.array([True, False, True, False, False])
    for a, b in ((V, 2.0), (2.0, V), (V, V[::-1].copy()), (3.0, 2.0)):
        alike(lambda a, b: tp.where(mask, a, b), np.where(mask, a, b), a, b)
    for condition in (True, False, np.array(True)):
        alike(lambda a, b, c=condition: tp.where(c, a, b), np.where(condition, V, 2 * V), V, 2 * V)
        alike(lambda a, b, c=condition: tp.where(c, a, b), np.where(condition, 1.0, 2.0), 1.0, 2.0)
    for a, b, c in ((V, V[:4], mask), (V, M, True), (M, 1.0, mask)):
        with pytest.raises(ShapeError, match=r"where: \w+ is .*; sizes must be equal"):
            tp.where(c, a, b)
    # What was not chosen has no part, whatever stands there, once and twice, and forwards.
    y = np.array([1.0, 4.0])
    chosen = np.array([True, False])
    with np.errstate(all="ignore"):
        f = lambda y: tp.where(chosen, y**3, tp.log(y - 4.0)).sum()  # noqa: E731
        np.testing.assert_allclose(plain(tp.grad(f)(BVar(y)))[0], 3.0)
        twice = plain(tp.grad(lambda y: tp.grad(f)(y)[:1].sum())(BVar(y)))
        assert twice[0] == 6.0
        _, pushed = tp.jvp(lambda y: tp.where(chosen, y**3, 0.0), BVar(y), BVar(np.array([1.0, NAN])))
    assert plain(pushed).tolist() == [3.0, 0.0]


def test_logaddexp_of_infinities() -> None:
    for a, b, wanted in (
        (INF, INF, (0.5, 0.5)),
        (-INF, -INF, (0.5, 0.5)),
        (INF, 0.0, (1.0, 0.0)),
        (0.0, INF, (0.0, 1.0)),
    ):
        with np.errstate(all="raise"):
            found = tp.grad(tp.logaddexp, argnums=(0, 1))(BVar(a), BVar(b))
            assert tuple(map(plain, found)) == wanted
            xs = np.array([a, 1.0]), np.array([b, 2.0])
            both_ = tp.grad(lambda a, b: tp.logaddexp(a, b).sum(), argnums=(0, 1))(*map(BVar, xs))
        assert tuple(plain(v)[0] for v in both_) == wanted
        np.testing.assert_allclose([plain(v)[1] for v in both_], [1 / (1 + math.e), math.e / (1 + math.e)])


def test_special_functions_at_their_ends() -> None:
    special = tp.special
    pytest.importorskip("scipy")
    from scipy import special as sc  # optional

    for order in (0, 1, 2):
        np.testing.assert_allclose(special.polygamma(order, 1.5), float(sc.polygamma(order, 1.5)))
    with pytest.raises(ValueError, match="polygamma: order is -1; wanted 0 or more"):
        special.polygamma(-1, 1.5)
    for name in ("i0", "i1", "i0e", "i1e"):
        f, oracle = getattr(special, name), getattr(sc, name)
        for x in (0.0, 0.5, -2.0):
            np.testing.assert_allclose(f(x), oracle(x))
            h = 1e-6
            np.testing.assert_allclose(
                plain(tp.grad(f)(BVar(x + 0.1))), (oracle(x + 0.1 + h) - oracle(x + 0.1 - h)) / (2 * h), rtol=1e-6
            )
            second = (oracle(x + 0.1 + 1e-4) - 2 * oracle(x + 0.1) + oracle(x + 0.1 - 1e-4)) / 1e-8
            np.testing.assert_allclose(plain(tp.grad(tp.grad(f))(BVar(x + 0.1))), second, rtol=1e-5, atol=1e-6)
    for name in ("xlogy", "xlog1py"):
        if not hasattr(special, name):
            continue
        f, oracle = getattr(special, name), getattr(sc, name)
        for x in (0.0, 2.0):
            for y in (0.0, 0.5, NAN, INF):
                with np.errstate(all="ignore"):
                    np.testing.assert_allclose(f(x, y), oracle(x, y))
                    single = f(np.array([x], np.float32), np.array([y], np.float32))
                assert single.dtype == np.float32
                np.testing.assert_allclose(single, oracle(x, y), rtol=1e-6)


# -- Arithmetic -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 1.0, 2, 2.0, 3, 1.5, 0.5, -1, -2.0])
def test_slopes_of_powers(exponent: Any) -> None:
    for x in (0.0, 0.5, 2.0, -2.0):
        if x < 0 and exponent % 1:
            continue
        if exponent == 0:
            wanted, bend = 0.0, 0.0
        elif exponent == 1:
            wanted, bend = 1.0, 0.0
        else:
            with np.errstate(all="ignore"):
                wanted = float(exponent * np.float64(x) ** (exponent - 1))
                bend = float(exponent * (exponent - 1) * np.float64(x) ** (exponent - 2)) if exponent != 2 else 2.0
        with np.errstate(over="raise", invalid="raise", divide="raise" if x else "ignore"):
            if x == 0 and exponent < 0:
                continue
            given = np.array([x, 1.0])
            powers: list[tuple[Any, Any]] = [(given, exponent), (given, np.full(2, float(exponent)))]
            for base, e in powers:
                slope = gradient(lambda b, e=e: b**e, base)
                np.testing.assert_allclose(slope, [wanted, exponent], rtol=1e-12)
                assert slope.dtype == np.float64
            single = gradient(lambda b: b**exponent, given.astype(np.float32))
            assert single.dtype == np.float32
            np.testing.assert_allclose(plain(tp.grad(lambda b: b**exponent)(BVar(x))), wanted, rtol=1e-12)
            np.testing.assert_allclose(
                plain(tp.grad(lambda b: b ** BVar(float(exponent)))(BVar(x))), wanted, rtol=1e-12
            )
            if x or exponent >= 2 or exponent in (0, 1):
                twice = plain(tp.grad(tp.grad(lambda b: b**exponent))(BVar(x)))
                np.testing.assert_allclose(twice, bend, rtol=1e-12)
                twice = gradient(lambda b: tp.grad(lambda b: (b**exponent).sum())(b), given)
                np.testing.assert_allclose(twice, [bend, exponent * (exponent - 1)], rtol=1e-12)


@pytest.mark.parametrize(
    ("base", "exponent", "wanted"),
    [
        (2.0, 3.0, 8 * math.log(2)),
        (0.0, 3.0, 0.0),
        (0.0, 0.5, 0.0),
        (0.0, -1.0, -INF),
        (-2.0, 2.0, NAN),
        (-0.5, 2.0, NAN),
        (1.0, 5.0, 0.0),
        (0.5, -2.0, 4 * math.log(0.5)),
    ],
)
def test_slopes_by_exponents(base: float, exponent: float, wanted: float) -> None:
    with np.errstate(all="ignore"):
        if base != 0.0 or exponent > 0:
            found = plain(tp.grad(lambda e: BVar(base) ** e)(BVar(exponent)))
            np.testing.assert_allclose(found, wanted, rtol=1e-12)
        arrays: list[tuple[Any, Any]] = [
            (np.array([base, 2.0]), np.array([exponent, 1.0])),
            (np.array([base, 2.0]), exponent),
            (base, np.array([exponent, exponent])),
        ]
        for b, e in arrays:
            found = plain(tp.grad(lambda e, b=b: (BVar(b) ** e).sum())(BVar(e)))
            here = np.broadcast_to(b, np.broadcast_shapes(np.shape(b), np.shape(e)))
            there = np.broadcast_to(e, here.shape)
            slopes = np.array(
                [
                    wanted if x == base and y == exponent else float(x**y * np.log(x))
                    for x, y in zip(here, there, strict=True)
                ]
            )
            np.testing.assert_allclose(found, slopes if np.shape(e) else slopes.sum(), rtol=1e-12)


def test_what_goes_together() -> None:
    fits: list[tuple[Any, Any]] = [
        ((3,), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1), (2, 3)),
        ((2, 3), (1, 3)),
        ((2, 3, 4), (3, 4)),
    ]
    fits += [((4,), (2, 3, 4)), ((1, 1), (2, 3)), ((2, 1, 4), (2, 3, 4)), ((), (2, 3)), ((2,), ()), ((1,), (1,))]
    fits += [((2, 1, 1), (2, 3, 4)), ((1, 3, 1), (2, 3, 4))]
    for left, right in fits:
        x, y = RNG.standard_normal(left) if left else 1.5, RNG.standard_normal(right) if right else 2.5
        alike(lambda x, y: x * y + x, x * y + x, x, y)
        full = np.broadcast_shapes(left, right)
        w = RNG.standard_normal(full)
        by_x, by_y = tp.grad(lambda x, y, w=w: (x * y * w).sum(), argnums=(0, 1))(BVar(x), BVar(y))
        for found, other, shape in ((by_x, y, left), (by_y, x, right)):
            whole = np.broadcast_to(other, full) * w
            summed = whole.sum(axis=tuple(range(len(full) - len(shape))))
            kept = tuple(k for k, n in enumerate(shape) if n == 1)
            np.testing.assert_allclose(plain(found), summed.sum(axis=kept, keepdims=True), rtol=1e-12)
    hints = {
        ((2, 1), (1, 3)): "NumPy would stretch both",
        ((2, 3), (3, 2)): r"Did you mean to transpose one of them \(\.T\)\?",
        ((2, 1, 4), (1, 3, 4)): "NumPy would stretch both",
    }
    for (left, right), hint in hints.items():
        for lift in (np.asarray, BVar):
            with pytest.raises(ShapeError, match=hint):
                tp.maximum(lift(np.ones(left)), lift(np.ones(right)))
        with pytest.raises(ShapeError, match=hint):
            _ = BVar(np.ones(left)) + np.ones(right)
    for left, right in (
        ((1,), (3,)),
        ((3,), (1,)),
        ((2,), (3,)),
        ((2, 3), (2,)),
        ((2, 3), (4, 3)),
        ((2, 3, 4), (4, 3, 2)),
    ):
        with pytest.raises(ShapeError, match=r"\+: .* do not go together") as told:
            _ = BVar(np.ones(left)) + BVar(np.ones(right))
        assert "Did you mean" not in str(told.value) and "stretch both" not in str(told.value)


def test_products_of_every_rank() -> None:
    shapes: list[tuple[Any, Any]] = [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 4)),
    ]
    shapes += [
        ((5, 2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((3, 3), (3, 3)),
        ((3, 3, 3), (3, 3, 3)),
        ((2, 3, 3), (3, 3)),
        ((1,), (1,)),
    ]
    for left, right in shapes:
        for turn in (False, True):
            x, y = RNG.standard_normal(left), RNG.standard_normal(right)
            if turn and y.ndim == 2:
                y = np.asfortranarray(y)
            alike(lambda x, y: x @ y, x @ y, x, y)
            w = RNG.standard_normal((x @ y).shape)
            by_x, by_y = tp.grad(lambda x, y, w=w: (x @ y * w).sum(), argnums=(0, 1))(BVar(x), BVar(y))
            tx, ty = RNG.standard_normal(left), RNG.standard_normal(right)
            np.testing.assert_allclose((plain(by_x) * tx).sum(), (tx @ y * w).sum(), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose((plain(by_y) * ty).sum(), (x @ ty * w).sum(), rtol=1e-10, atol=1e-12)
            inner = tp.grad(lambda x, y, w=w: ((x @ y) ** 2 * w).sum(), argnums=(0, 1))
            second = tp.grad(lambda x, y, i=inner, tx=tx, ty=ty: (i(x, y)[0] * tx).sum() + (i(x, y)[1] * ty).sum())
            exact = 2 * ((tx @ y + x @ ty) * w * 1.0)
            wanted = exact @ np.swapaxes(y, -1, -2) if x.ndim > 1 and y.ndim > 1 else None
            found = plain(second(BVar(x), BVar(y)))
            if wanted is not None:
                cross = 2 * ((x @ y) * w) @ np.swapaxes(ty, -1, -2)
                np.testing.assert_allclose(found, wanted + cross, rtol=1e-9, atol=1e-10)
            h = 1e-5
            move = (inner(BVar(x + h * tx), BVar(y + h * ty)), inner(BVar(x - h * tx), BVar(y - h * ty)))
            by_hand = sum(((plain(a) - plain(b)) / (2 * h) * t).sum() for a, b, t in zip(*move, (tx, ty), strict=True))
            _, pushed = tp.jvp(
                lambda p, i=inner, tx=tx, ty=ty: (i(*p)[0] * tx).sum() + (i(*p)[1] * ty).sum(),
                (BVar(x), BVar(y)),
                (BVar(tx), BVar(ty)),
            )
            np.testing.assert_allclose(plain(pushed), by_hand, rtol=1e-5, atol=1e-6)
    right_turned = r"did you mean to transpose the right one \(\.T\)\?"
    left_turned = r"did you mean to transpose the left one \(\.T\)\?"
    told: list[tuple[Any, Any, str]] = [((2, 3), (4, 3), right_turned), ((3, 2), (3, 4), left_turned)]
    told += [
        ((3, 2), (3,), left_turned),
        ((3,), (2, 3), right_turned),
        ((2, 3), (4, 5), "the inner sizes 3 and 4 differ$"),
    ]
    told += [((2,), (3,), "the inner sizes 2 and 3 differ$"), ((5, 2, 3), (4, 3, 2), "the batch sizes 5 and 4 differ")]
    told += [
        ((5, 2, 3), (5, 2, 3), "the inner sizes 3 and 2 differ$"),
        ((), (3,), "is not defined; use \\* with a scalar"),
    ]
    told += [((5, 2, 3), (3,), "is not defined"), ((3,), (5, 3, 2), "is not defined"), ((3,), (), "is not defined")]
    told += [((2, 2, 2, 2), (2, 2), "is not defined"), ((2, 2), (2, 2, 2), "is not defined")]
    for left, right, message in told:
        x, y = np.ones(left) if left else 1.0, np.ones(right) if right else 1.0
        with pytest.raises(ShapeError, match=message):
            _ = BVar(x) @ BVar(y)
        with pytest.raises(ShapeError, match=message):
            _ = BVar(x) @ y


def test_dtypes_of_operands() -> None:
    x = np.array([1.0, 2.0])
    for dtype in (np.float16, np.longdouble, complex, object, "U1"):
        for other in (x.astype(dtype) if dtype != "U1" else np.array(["a", "b"]),):
            with pytest.raises((DTypeError, TypeError)):
                _ = BVar(x) + other
            with pytest.raises((DTypeError, TypeError)):
                tp.hypot(BVar(x), other)
    swapped = x.astype(">f8")
    for f in (lambda a, b: a + b, tp.hypot, tp.maximum, lambda a, b: tp.concatenate([a, b])):
        for pair in ((BVar(x), swapped), (swapped, BVar(x))):
            y = plain(f(*pair))
            assert y.dtype == np.float64 and y.dtype.isnative
        assert f(swapped, swapped).dtype.isnative
    whole = np.array([1, 2])
    for f in (lambda a, b: a * b, tp.hypot, tp.minimum):
        for dtype in (np.float32, np.float64):
            assert plain(f(BVar(x.astype(dtype)), whole)).dtype == dtype
            assert plain(f(whole, BVar(x.astype(dtype)))).dtype == dtype
            assert plain(f(BVar(x.astype(dtype)), 2)).dtype == dtype
            assert plain(f(BVar(x.astype(dtype)), 2.5)).dtype == dtype
            assert plain(f(BVar(x.astype(dtype)), True)).dtype == dtype
        for other in (x.astype(np.float32), BVar(x.astype(np.float32))):
            with pytest.raises(DTypeError, match="float32"):
                f(BVar(x), other)
    with pytest.raises(DTypeError, match="too large"):
        BVar(10**400)
    with pytest.raises((DTypeError, OverflowError), match="large"):
        _ = BVar(1.0) + 10**400


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    **{name: getattr(tp, name) for name in ("maximum", "minimum", "hypot", "arctan2", "logaddexp")},
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "**": lambda x, y: x**y,
}


@pytest.mark.parametrize("name", BINARY)
def test_a_pullback_leaves_what_it_keeps_as_it_is(name: str) -> None:
    f = BINARY[name]
    x, y = np.abs(M) + 0.5, np.abs(M[::-1]) + 0.25
    for left, right in ((x, y), (x, y[0]), (x[0], y), (x, 1.5), (1.5, y), (x[:, :1].copy(), y)):
        value, pull = tp.vjp(lambda p: f(p[0], p[1]), (BVar(left), BVar(right)))
        g = BVar(np.abs(RNG.standard_normal(value.shape)))
        first, again, twice = pull(g), pull(g), pull(g * 2.0)
        for one, other, double in zip(first, again, twice, strict=True):
            np.testing.assert_array_equal(plain(one), plain(other))
            np.testing.assert_array_equal(2 * np.asarray(plain(one)), plain(double))
        np.testing.assert_array_equal(plain(value), plain(f(left, right)))


class Metres:
    """A length whose class has attributes that arrays and BVars have, and knows no operand but its own and numbers."""

    shape = (2, 2)

    def __init__(self, value: float) -> None:
        self._value = value

    def _with(self, other: object, result: Callable[[float, float], float]) -> Metres:
        if isinstance(other, Metres):
            return Metres(result(self._value, other._value))
        if isinstance(other, int):
            return Metres(result(self._value, float(other)))
        raise TypeError(f"metres beside a {type(other).__name__}")

    def __add__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: a * b)

    def __truediv__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: a / b)

    def __pow__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: a**b)

    def __neg__(self) -> Metres:
        return Metres(-self._value)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: object) -> Metres:
        return -self + other

    def __rtruediv__(self, other: object) -> Metres:
        return self._with(other, lambda a, b: b / a)


tp.register(Metres, zero=lambda _: Metres(0.0), one=lambda _: Metres(1.0))


def test_a_type_that_knows_only_itself_to_the_second_order() -> None:
    functions: list[tuple[Any, Callable[[float], float], Callable[[float], float]]] = [
        (lambda x: x * x * x, lambda x: 3 * x**2, lambda x: 6 * x),
        (lambda x: x * Metres(3.0) * x, lambda x: 6 * x, lambda x: 6.0),
        (lambda x: 2 * x * x, lambda x: 4 * x, lambda x: 4.0),
        (lambda x: x * x / Metres(4.0), lambda x: x / 2, lambda x: 0.5),
        (lambda x: 4 / x, lambda x: -4 / x**2, lambda x: 8 / x**3),
        (lambda x: x * x * x / x, lambda x: 2 * x, lambda x: 2.0),
        (lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x),
        (lambda x: x**0 * x, lambda x: 1.0, lambda x: 0.0),
        (lambda x: x**1, lambda x: 1.0, lambda x: 0.0),
        (lambda x: x - Metres(1.0) - x * x, lambda x: 1 - 2 * x, lambda x: -2.0),
        (lambda x: -x * x + Metres(2.0), lambda x: -2 * x, lambda x: -2.0),
    ]
    for f, slope, bend in functions:
        x = BVar(Metres(2.0))
        assert x.shape == ()
        assert math.isclose(tp.grad(f)(x).value._value, slope(2.0), abs_tol=1e-12)
        assert math.isclose(tp.grad(tp.grad(f))(x).value._value, bend(2.0), abs_tol=1e-12)
        _, pushed = tp.jvp(f, x, BVar(Metres(3.0)))
        assert math.isclose(pushed.value._value, 3 * slope(2.0), abs_tol=1e-12)


class OneSided(Metres):
    """A length that cannot stand right of a division, whatever stands left."""

    __rtruediv__ = None  # type: ignore[assignment]  # as Python spells that there is none

    def __truediv__(self, other: object) -> OneSided:
        return OneSided(super().__truediv__(other)._value)

    def __add__(self, other: object) -> OneSided:
        return OneSided(super().__add__(other)._value)


tp.register(OneSided, zero=lambda _: OneSided(0.0), one=lambda _: OneSided(1.0))


def test_values_of_a_type_are_divided_by_its_own_division() -> None:
    slope = tp.grad(lambda x: x / OneSided(4.0) + x)(BVar(OneSided(2.0)))
    assert type(slope.value) is OneSided and slope.value._value == 1.25


def test_a_power_whose_exponent_an_outer_gradient_records() -> None:
    """0 to the power 0: the derivative by the base is 0, and nobody is warned."""
    value = tp.value_and_grad(lambda e: tp.grad(lambda b: b**e)(BVar(0.0)))(BVar(0.0))[0]
    assert value.value == 0.0
    dtypes: list[Any] = []

    def total(e: Any) -> Any:
        slope = tp.grad(lambda b: (b**e).sum())(BVar(np.zeros(2, np.float32)))
        dtypes.append(slope.dtype)
        return slope.sum()

    tp.grad(total)(BVar(0.0))
    assert dtypes == [np.float32]


def test_the_pole_of_a_power_by_its_exponent_warns_of_nothing() -> None:
    with np.errstate(divide="ignore"):
        _, pull = tp.vjp(lambda e: BVar(np.array([0.0, 1.0])) ** e, BVar(np.array([-1.0, 2.0])))
    assert pull(BVar(np.ones(2))).value.tolist() == [-INF, 0.0]


def test_what_is_scattered_from_constants_is_one() -> None:
    y = BVar(1.0)._scatter_all([(0, BVar(2.0)), (2, 1.0), (0, BVar(0.5))], (3,), np.dtype(np.float64))
    assert type(y) is BVar and y._tape is None and y.value.tolist() == [2.5, 0.0, 1.0]
