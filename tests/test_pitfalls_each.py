"""Every trap that another library fell into has a test of its name: those of test_pitfalls.py, and the rest here.

Each trap is tested at the public face, with the convention agreed upon for it. Other tests look further into most of
them: linear algebra in ops/test_conventions.py, files in test_saving.py, SciPy in test_scipy.py.
"""

from __future__ import annotations

import inspect
import itertools
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
import typedprop.scipy
from tests import test_pitfalls
from tests.untyped import BVar, difference, lift, rand, tp
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError, ShapeError

# The traps, and the tests that stand for each, here or in test_pitfalls.py.
TRAPS = {
    "perturbation confusion in nested derivatives": "two_levels three_levels operands_of_different_levels on_arrays",
    "a global trace and threads": "eight_threads threads_that_share_a_model_and_a_pullback",
    "an exception or an interrupt leaves state behind": "an_exception_leaves_nothing_behind",
    "a BVar used after its gradient, or in another one": "a_bvar_used_after_its_gradient_or_in_another_one",
    "a captured array changed before the sweep": "a_reused_buffer a_reused_mask_or_index a_loop_over_one_buffer",
    "results that alias inputs, each other or caches": "no_result_of_a_transformation_shares_memory",
    "NaN through where at a masked branch": "where_with_a_branch_that_is_not_a_number",
    "norm, sqrt, std at 0; underflow": "lengths_at_zero square_root_at_zero_is_infinitely_steep",
    "powers at 0, 1, 2 to order 4": "power_table a_constant_exponent_never_takes_a_logarithm power_by_its_exponent",
    "prod and cumprod with zeros": "products_with_zeros",
    "ties": "ties_in_both_modes at_a_kink_both_modes_take_the_documented_subgradient",
    "integer, bool or complex input": "integers_bools_and_complex_numbers_are_refused_by_name",
    "broadcasting not undone; 0-d becomes 1-d": "broadcasting_is_undone",
    "dtype drift from float32": "float32_stays_float32 scalars_of_float32_are_python_floats",
    "duplicate indices in gather": "duplicate_indices_accumulate",
    "100,000 operations deep": "a_hundred_thousand_operations a_long_chain_that_is_never_differentiated",
    "leaks and reference cycles": "two_hundred_gradients_grow_nothing nothing_is_held_after_a_gradient",
    "overflow in logsumexp, softmax, sigmoid, softplus": (
        "softmax_and_its_kin_far_out logsumexp_of_infinities sigmoid_far_out softplus_far_out"
    ),
    "repeated eigenvalues, singular, not symmetric": "matrices_that_have_no_derivative",
    "an error in the sweep that does not say where": "an_error_in_the_sweep_says_where",
    "a pullback called twice, or with the wrong shape": "a_pullback_called_twice_and_wrongly",
    "NumPy swallowing a BVar": "numpy_swallows_no_bvar",
    "the bridge to SciPy": "scipy_gets_copies_and_gives_them_back",
    "checkpoint files": "files_hold_no_pickles_and_name_what_differs",
}


def test_every_trap_has_a_test_of_its_name() -> None:
    here = {name for module in (test_pitfalls, sys.modules[__name__]) for name, _ in inspect.getmembers(module)}
    missing = [(trap, name) for trap, names in TRAPS.items() for name in names.split() if f"test_{name}" not in here]
    assert not missing


# -- Escapes -----------------------------------------------------------------------------------------------------------


def test_a_bvar_used_after_its_gradient_or_in_another_one() -> None:
    kept: list[Any] = []

    def keep(x: Any) -> Any:
        kept.extend((x, x * x))
        return (x * x).sum()

    tp.grad(keep)(lift(3))
    for escaped in kept:
        uses: list[Any] = [
            lambda b=escaped: b + 1.0,
            lambda b=escaped: tp.exp(b),
            lambda b=escaped: lift(3) * b,
            lambda b=escaped: tp.grad(lambda x: (x * b).sum())(lift(3)),
            lambda b=escaped: tp.grad(lambda x: x.sum())(b),
            lambda b=escaped: tp.vjp(lambda x: b, lift(3)),
            lambda b=escaped: tp.jvp(lambda x: x, lift(3), b),
        ]
        for use in uses:
            with pytest.raises(EscapedBVarError, match="after the gradient that it belongs to had ended"):
                use()
        # It may still be looked at, and lifted anew.
        assert BVar(escaped.value) + 0.0 == BVar(escaped.value)


# -- Zeros, ties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lengths_at_zero(dtype: Any) -> None:
    zero, same = np.zeros(2, dtype), np.full(3, 0.5, dtype)
    small, large = (1e-200, 1e200) if dtype is np.float64 else (1e-30, 1e30)
    for f, at in ((tp.linalg.norm, zero), (tp.std, same), (lambda x: tp.hypot(x[0], x[1]), zero)):
        value, gradient = tp.value_and_grad(f)(at)
        assert value.value == 0.0 and not gradient.any() and gradient.dtype == dtype
        assert tp.jvp(f, BVar(at), BVar(np.ones_like(at)))[1].value == 0.0
        assert not tp.hessian(f)(BVar(at)).value.any()
    for scale in (small, large):
        at = np.array([3, 4], dtype) * dtype(scale)
        value, gradient = tp.value_and_grad(tp.linalg.norm)(at)
        assert value.value == pytest.approx(5 * scale, rel=1e-6)
        np.testing.assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)
    # What underflows to 0 before it gets there is 0, and has the derivative of 0.
    assert tp.grad(lambda x: tp.sqrt(x * x))(1e-200) == math.inf
    assert np.array_equal(tp.grad(lambda x: tp.linalg.norm(x * small * small))(np.ones(2, dtype)), [0.0, 0.0])


def test_products_with_zeros() -> None:
    for at in ([2.0, 0.0, 3.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 4.0, 3.0], [-0.0, 4.0, -3.0]):
        x = np.array(at)
        others = [math.prod(at[:k] + at[k + 1 :]) for k in range(3)]
        np.testing.assert_array_equal(tp.grad(tp.prod)(x), others)
        for k, basis in enumerate(np.eye(3)):
            assert tp.jvp(tp.prod, BVar(x), BVar(basis))[1].value == others[k]
        second = [[0.0 if i == j else at[3 - i - j] for j in range(3)] for i in range(3)]
        np.testing.assert_array_equal(tp.hessian(tp.prod)(BVar(x)).value, second)
        rows = tp.grad(lambda m: tp.prod(m, 1).sum())(np.array([at, [1.0, 2.0, 3.0]]))
        np.testing.assert_array_equal(rows, [others, [6.0, 3.0, 2.0]])
        a, b, c = at
        jacobian = [[1.0, 0.0, 0.0], [b, a, 0.0], [b * c, a * c, a * b]]
        for mode in ("fwd", "rev"):
            np.testing.assert_array_equal(tp.jacobian(tp.cumprod, mode)(BVar(x)).value, jacobian)


TIES: dict[str, tuple[Any, list[float], list[list[float]]]] = {
    "clip": (lambda x: tp.clip(x, 0.0, 1.0), [0.0, 0.5, 1.0], [[0.5, 0, 0], [0, 1, 0], [0, 0, 0.5]]),
    "sort": (tp.sort, [2.0, 1.0, 2.0], [[0, 1, 0], [0.5, 0, 0.5], [0.5, 0, 0.5]]),
    "maximum": (lambda x: tp.maximum(x, x[::-1]), [1.0, 5.0, 1.0], [[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]]),
    "minimum": (lambda x: tp.minimum(x, x[0]), [1.0, 1.0, 0.0], [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]),
    "median": (lambda x: tp.stack([tp.median(x)]), [2.0, 1.0, 2.0], [[0.5, 0, 0.5]]),
    "max of each row": (lambda x: tp.stack([x, x]).max(1), [1.0, 2.0, 2.0], [[0, 0.5, 0.5], [0, 0.5, 0.5]]),
}


@pytest.mark.parametrize("name", TIES)
def test_ties_in_both_modes(name: str) -> None:
    f, at, jacobian = TIES[name]
    for mode in ("fwd", "rev"):
        np.testing.assert_array_equal(tp.jacobian(f, mode)(BVar(np.array(at))).value, jacobian)


# -- What is taken, and its form ---------------------------------------------------------------------------------------


@attrs.frozen
class Pair(typedprop.Record):
    weight: typedprop.BVar[typedprop.R[Any]]
    rate: typedprop.BVar[float]


@pytest.mark.parametrize("wrong", [np.arange(3), np.ones(3, bool), np.ones(3, complex), np.ones(3, np.float16)])
def test_integers_bools_and_complex_numbers_are_refused_by_name(wrong: Any) -> None:
    pair: Any = Pair
    with pytest.raises(DTypeError, match=rf"Pair\.weight is annotated .* a plain array of dtype {wrong.dtype}"):
        pair(wrong, BVar(1.0))
    with pytest.raises(DTypeError, match=r"Pair\.rate is annotated .*"):
        pair(lift(3), wrong[0].item())

    def loss(x: Any) -> Any:
        return x.sum()

    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: BVar(wrong), "BVar"),
        (lambda: tp.grad(loss)(wrong), "grad of loss, argument 0"),
        (lambda: tp.grad(lambda a, b: b.sum(), 1)(1.0, wrong), "grad of <lambda>, argument 1"),
        (lambda: tp.jacobian(loss)(wrong), "jacobian"),
        (lambda: tp.vjp(loss, wrong), "vjp"),
    ]
    for call, name in calls:
        with pytest.raises(DTypeError) as caught:
            call()
        assert str(caught.value).startswith(f"{name}: an array of dtype {wrong.dtype} and shape (3,) cannot be")


SHAPES = [(), (3,), (1,), (2, 3), (2, 1), (1, 3), (1, 1), (2, 2, 3)]
BINARY: dict[str, Any] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "**": lambda x, y: x**y,
    "maximum": tp.maximum,
    "hypot": tp.hypot,
}


@pytest.mark.parametrize("symbol", BINARY)
def test_broadcasting_is_undone(symbol: str) -> None:
    """All pairs of shapes: those that go together have gradients of their own shapes, the others are refused."""
    f, taken = BINARY[symbol], set[tuple[Any, Any]]()
    for left, right in itertools.product(SHAPES, repeat=2):
        x, y = (rand(*s, seed=k) if s else 0.7 + k for k, s in enumerate((left, right)))
        weight = rand(*np.broadcast_shapes(left, right), seed=3) if _broadcast(left, right) else None
        try:
            output, pullback = tp.vjp(lambda a: f(*a), (BVar(x), BVar(y)))
        except ShapeError as error:
            assert "do not go together" in str(error)
            continue
        taken.add((left, right))
        assert weight is not None and output.shape == np.shape(weight)
        gradient = pullback(BVar(weight))
        for k, (g, at) in enumerate(zip(gradient, (x, y), strict=True)):
            assert g.shape == np.shape(at) and (g.shape or type(g.value) is float)

            def moved(v: Any, k: int = k, x: Any = x, y: Any = y, weight: Any = weight) -> float:
                v = float(v) if v.ndim == 0 else v
                return float(np.sum(weight * f(BVar(v) if k == 0 else x, BVar(v) if k == 1 else y).value))

            np.testing.assert_allclose(g.value, difference(moved, at), rtol=1e-6, atol=1e-7)
    allowed = {(s, s) for s in SHAPES} | {((), s) for s in SHAPES} | {(s, ()) for s in SHAPES}
    for pair in (((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 3), (2, 3))):
        allowed |= {pair, pair[::-1]}
    assert allowed <= taken
    # Nothing else that NumPy would stretch in both directions at once.
    assert not {((2, 1), (1, 3)), ((3,), (2, 1)), ((1,), (3,))} & taken


def _broadcast(left: Any, right: Any) -> bool:
    try:
        np.broadcast_shapes(left, right)
    except ValueError:
        return False
    return True


def test_duplicate_indices_accumulate() -> None:
    x, index = rand(3, 2), np.array([0, 2, 0, 0])
    wanted = np.array([[3.0, 3.0], [0.0, 0.0], [1.0, 1.0]])
    gathers: list[Callable[[Any], Any]] = [
        lambda b: b[index],
        lambda b: tp.take(b, index, 0),
        lambda b: tp.stack([b[0], b[2], b[0], b[0]]),
        lambda b: BVar(np.zeros((3, 2))).at(np.array([1, 1, 1, 1])).add(b[index]),
    ]
    for f in gathers:
        np.testing.assert_array_equal(tp.grad(lambda b: f(b).sum())(x), wanted)  # noqa: B023
        assert tp.jvp(lambda b: f(b).sum(), BVar(x), BVar(np.ones((3, 2))))[1].value == 8.0  # noqa: B023
    pairs = (np.array([0, 0, 2]), np.array([1, 1, 0]))
    np.testing.assert_array_equal(tp.grad(lambda b: b[pairs].sum())(x), [[0, 2], [0, 0], [1, 0]])
    with pytest.raises(ValueError, match="the index chooses an element twice"):
        lift(3).at(np.array([0, 0])).set(1.0)


# -- Far out, singular -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_softplus_far_out(dtype: Any) -> None:
    x = np.array([-1000.0, -np.inf, 0.0, 1000.0, np.inf], dtype)
    np.testing.assert_allclose(tp.softplus(x), [0.0, 0.0, math.log(2), 1000.0, np.inf], rtol=1e-6)
    np.testing.assert_array_equal(tp.grad(lambda a: tp.softplus(a).sum())(x), [0.0, 0.0, 0.5, 1.0, 1.0])
    # One infinity takes all of the weight, and where everything is -inf there is none.
    np.testing.assert_array_equal(tp.grad(tp.logsumexp)(np.array([0.0, np.inf, 1.0], dtype)), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(tp.grad(tp.logsumexp)(np.full(3, -np.inf, dtype)), [0.0, 0.0, 0.0])


def test_matrices_that_have_no_derivative() -> None:
    """A documented value or a clear error; never a number that looks right."""
    same, singular = np.eye(2) * 2.0, np.array([[1.0, 2.0], [2.0, 4.0]])
    skew, linalg = np.array([[1.0, 0.5], [0.0, 1.0]]), tp.linalg
    np.testing.assert_array_equal(tp.grad(lambda a: linalg.eigvalsh(a).sum())(same), np.eye(2))
    np.testing.assert_array_equal(tp.grad(lambda a: linalg.eigvalsh(a).max())(same), np.eye(2) / 2)
    np.testing.assert_allclose(tp.grad(lambda a: linalg.svdvals(a).sum())(same), np.eye(2), atol=1e-15)
    refused: list[tuple[Callable[[Any], Any], Any]] = [
        (lambda a: linalg.eigh(a)[1].sum(), same),
        (lambda a: linalg.svd(a)[0].sum(), same),
        (lambda a: linalg.inv(a).sum(), singular),
        (lambda a: linalg.solve(a, np.ones(2)).sum(), singular),
        (lambda a: linalg.slogdet(a)[1], singular),
        (lambda a: linalg.pinv(a).sum(), singular),
        (lambda a: linalg.cholesky(a).sum(), skew),
        (lambda a: linalg.eigh(a)[0].sum(), skew),
        (lambda a: linalg.cholesky(a).sum(), -same),
    ]
    for f, at in refused:
        with pytest.raises(np.linalg.LinAlgError) as caught:
            tp.grad(f)(at)
        assert len(str(caught.value)) > 10


# -- Sweeps and pullbacks ----------------------------------------------------------------------------------------------


def fails(x: Any) -> Any:
    raise ValueError("no derivative today")


FAILING = tp.op(lambda x: typedprop.Local1(np.exp(x), fails))


def test_an_error_in_the_sweep_says_where() -> None:
    with pytest.raises(ValueError, match="no derivative today") as caught:
        tp.grad(lambda x: (FAILING(x * 2.0) + 1.0).sum())(lift(2, 3))  # the line
    (note,) = caught.value.__notes__
    line = next(k for k, text in enumerate(Path(__file__).read_text().splitlines(), 1) if text.endswith("# the line"))
    assert "pulling a cotangent of shape (2, 3) back through" in note and f"{Path(__file__).name}:{line}" in note


def test_a_pullback_called_twice_and_wrongly() -> None:
    x, weight = lift(2, 3), lift(2, seed=1)
    _, pullback = tp.vjp(lambda a: tp.tanh(a @ a.T).sum(0) * 2.0, x)
    first = pullback(weight)
    with pytest.raises(ShapeError, match=r"the cotangent is R\[3\], but belongs to R\[2\]"):
        pullback(lift(3))
    with pytest.raises(DTypeError, match="the cotangent is float32, but belongs to float64"):
        pullback(lift(2, dtype=np.float32))
    with pytest.raises(tp.tree.StructureError, match="the cotangent is not built like the output"):
        pullback((weight, weight))
    assert all(pullback(weight).value.tobytes() == first.value.tobytes() for _ in range(3))


def test_numpy_swallows_no_bvar() -> None:
    plain = np.zeros(3)

    def f(b: Any) -> Any:
        for use in (
            lambda: np.exp(b),
            lambda: np.array([b, b]),
            lambda: np.asarray(b),
            lambda: np.sum(b),
            lambda: plain.__setitem__(0, b[0]),
            lambda: plain.__setitem__(slice(None), b),
            lambda: float(b[0]),
            lambda: math.sqrt(b[0]),
            lambda: bool(b > 0.0),
            lambda: bool(b),
            lambda: b[0] == 0.0,
        ):
            with pytest.raises((TypeError, ValueError)) as caught:
                use()
            error = caught.value
            assert any(way_out in f"{error} {error.__cause__}" for way_out in ("b.value", "tp.where", "`b.value"))
        assert isinstance(plain * b, BVar) and isinstance(np.float64(2.0) * b, BVar)
        return b.sum()

    f(lift(3))
    tp.grad(f)(lift(3))
    assert not plain.any()
    with pytest.raises(NotDifferentiableError, match="returned an array of shape"):
        tp.grad(lambda b: b.value)(lift(3))


# -- Bridges -----------------------------------------------------------------------------------------------------------


def test_scipy_gets_copies_and_gives_them_back() -> None:
    """float32, non-contiguous and 0-d leaves, of which SciPy computes with one float64 vector that it uses again."""
    wide = np.arange(24.0).reshape(4, 6)
    start = {"w": BVar(wide[::2, ::-2].astype(np.float32)), "t": BVar(wide.T), "s": BVar(np.array(2.0))}
    seen: list[Any] = []

    def loss(r: Any) -> Any:
        seen.append(tp.tree.leaves(r)[0].value)
        kinds = [(leaf.dtype, leaf.shape) for leaf in tp.tree.leaves(r)]
        assert kinds == [(leaf.dtype, leaf.shape) for leaf in tp.tree.leaves(start)]
        return sum(((leaf - 1.0) * (leaf - 1.0)).sum() for leaf in tp.tree.leaves(r))

    before = [leaf.value.tobytes() if leaf.shape else leaf.value for leaf in tp.tree.leaves(start)]
    result = typedprop.scipy.minimize(loss, start, method="L-BFGS-B")
    assert [leaf.value.tobytes() if leaf.shape else leaf.value for leaf in tp.tree.leaves(start)] == before
    for found, like in zip(tp.tree.leaves(result.record), tp.tree.leaves(start), strict=True):
        assert found.dtype == like.dtype and found.shape == like.shape
        np.testing.assert_allclose(found.value, 1.0, atol=1e-4)
    assert result.raw.x.dtype == np.float64 and result.raw.x.flags.c_contiguous and result.raw.x.ndim == 1
    np.testing.assert_array_equal(seen[0], start["w"].value)
    flat, unravel = tp.tree.ravel(start)
    assert unravel(flat) == start


def test_files_hold_no_pickles_and_name_what_differs(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is optional: pip install -e .[safetensors]")
    file = tmp_path / "net"
    layouts = {"c": rand(2, 3), "fortran": np.asfortranarray(rand(2, 3)), "strided": rand(4, 6)[::2, ::-2]}
    for format in ("npz", "safetensors"):
        tp.save(file, {k: BVar(x) for k, x in layouts.items()}, format=format)
        found = tp.load(file, like={k: lift(2, 3, seed=9) for k in layouts})
        assert all(np.array_equal(found[k].value, x) for k, x in layouts.items())
        for like, error, message in (
            ({k: lift(2, 3) for k in ("c", "fortran", "other")}, tp.tree.StructureError, r"no leaf \['other'\]"),
            ({k: lift(3, 2) for k in layouts}, ShapeError, r"at \['c'\]"),
            ({k: lift(2, 3, dtype=np.float32) for k in layouts}, DTypeError, r"at \['c'\]"),
        ):
            with pytest.raises(error, match=message):
                tp.load(file, like=like)
        file.write_bytes(file.read_bytes()[:-20])
        with pytest.raises(tp.CorruptFileError):
            tp.load(file, like={k: lift(2, 3) for k in layouts})
    with open(file, "wb") as handle:
        np.save(handle, np.array([{}]), allow_pickle=True)
    with pytest.raises(tp.CorruptFileError):
        tp.load(file, like={"c": lift(2, 3)})
