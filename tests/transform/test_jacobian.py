"""jacobian, hessian and hvp: against autograd, against each other, of vectors, scalars and records, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, anp, autograd, lift, rand, tp
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError

MODES: list[Any] = ["fwd", "rev", None]
W = rand(4, 3, seed=7)


def ours(x: Any) -> Any:
    return tp.tanh(W @ x) * tp.exp((x * x).sum())


def theirs(x: Any) -> Any:
    return anp.tanh(anp.dot(W, x)) * anp.exp((x * x).sum())


@attrs.frozen
class Layer:
    weight: Any
    bias: Any
    gain: Any
    name: str = "layer"


def layer(dtype: Any = np.float64) -> Layer:
    return Layer(lift(2, 3, dtype=dtype), lift(2, seed=1, dtype=dtype), BVar(0.7))


def energy(p: Layer, x: Any) -> Any:
    y = tp.tanh(p.weight @ x + p.bias)
    return p.gain * p.gain * tp.logsumexp(y) + (y * y).sum()


# -- jacobian --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_of_a_vector_by_a_vector(mode: Any) -> None:
    x = rand(3)
    found = tp.jacobian(ours, mode)(BVar(x))
    assert type(found) is BVar and found.shape == (4, 3)
    np.testing.assert_allclose(found.value, autograd.jacobian(theirs)(x), rtol=1e-13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", MODES)
def test_a_scalar_leaves_out_its_axis(mode: Any, dtype: Any) -> None:
    x = lift(3, dtype=dtype)
    row = tp.jacobian(lambda a: (a * a).sum(), mode)(x)
    assert (row.shape, row.dtype) == ((3,), dtype)
    np.testing.assert_allclose(row.value, 2 * x.value, rtol=1e-6)
    column = tp.jacobian(lambda s: s * s * x, mode)(BVar(3.0))
    assert (column.shape, column.dtype) == ((3,), dtype)
    np.testing.assert_allclose(column.value, 6 * x.value, rtol=1e-6)
    slope = tp.jacobian(lambda s: s**3, mode)(BVar(2.0))
    assert slope.value == 12.0 and type(slope.value) is float


@pytest.mark.parametrize("mode", MODES)
def test_of_matrices_and_records_in_the_order_of_ravel(mode: Any) -> None:
    p, x = layer(), rand(3)
    vector, unravel = tp.tree.ravel(p)

    def outputs(q: Any) -> Any:
        return {"y": tp.tanh(q.weight @ x + q.bias), "z": [q.gain * q.bias, q.weight * q.gain]}

    def of_vector(v: Any) -> Any:
        return tp.tree.ravel(outputs(unravel(v)))[0]

    found = tp.jacobian(outputs, mode)(p)
    assert found.shape == (2 + 2 + 6, 6 + 2 + 1)
    np.testing.assert_allclose(found.value, tp.jacobian(of_vector, mode)(BVar(vector.value)).value, rtol=1e-14)
    # Column by column, it is what forward mode says.
    for k, direction in enumerate(np.eye(9)):
        moved = tp.jvp(outputs, p, unravel(BVar(direction)))[1]
        np.testing.assert_allclose(found.value[:, k], tp.tree.ravel(moved)[0].value, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("mode", MODES)
def test_float32_beside_scalars_stays_float32(mode: Any) -> None:
    p, x = layer(np.float32), rand(3, dtype=np.float32)
    found = tp.jacobian(lambda q: {"y": q.weight @ x * q.gain, "z": q.gain * q.gain}, mode)(p)
    assert (found.shape, found.dtype) == ((3, 9), np.float32)
    by_gain = [*(p.weight.value @ x), 2 * p.gain.value]
    np.testing.assert_allclose(found.value[:, -1], by_gain, rtol=1e-6)
    assert tp.jacobian(lambda q: energy(q, x), mode)(p).dtype == np.float32
    assert tp.hessian(energy)(p, x).dtype == np.float32
    twice = tp.grad(lambda q: (tp.jacobian(lambda r: energy(r, x), mode)(q) ** 2).sum())(p)
    assert twice.weight.dtype == np.float32 and type(twice.gain.value) is float
    # A float64 array beside float32 ones makes the matrix float64, which holds both.
    mixed = tp.jacobian(lambda q: (q[0].sum() * q[1]).sum(), mode)((lift(2), lift(3, dtype=np.float32)))
    assert (mixed.shape, mixed.dtype) == ((5,), np.float64)


@pytest.mark.parametrize("mode", MODES)
def test_of_a_result_without_elements(mode: Any) -> None:
    assert tp.jacobian(lambda x: x[:0], mode)(lift(3)).shape == (0, 3)


@pytest.mark.parametrize("mode", MODES)
def test_the_dtype_is_that_of_the_result(mode: Any) -> None:
    found = tp.jacobian(lambda x: x.sum() * np.ones(2), mode)(lift(3, dtype=np.float32))
    assert (found.shape, found.dtype) == ((2, 3), np.float64)
    found = tp.jacobian(lambda x: x.sum() * np.ones(2, np.float32), mode)(lift(3))
    assert (found.shape, found.dtype) == ((2, 3), np.float32)


@pytest.mark.parametrize("mode", MODES)
def test_an_output_that_does_not_depend_and_a_batch_without_elements(mode: Any) -> None:
    kept = BVar(np.ones(2))
    np.testing.assert_array_equal(
        tp.jacobian(lambda x: (x, kept), mode)(lift(2)).value, [*np.eye(2), *np.zeros((2, 2))]
    )
    assert tp.jacobian(lambda x: x * 2.0, mode)(BVar(np.ones(0))).shape == (0, 0)
    assert tp.jacobian(lambda x: tp.concatenate([x, x]), mode)(BVar(np.ones(0, np.float32))).dtype == np.float32


def sweeps(f: Callable[[Any], Any], x: Any, mode: Any) -> tuple[int, int]:
    """How often a Jacobian goes forward and backward through `f`."""
    counts = [0, 0]

    def identity(y: Any) -> Any:
        def pull(g: Any) -> Any:
            counts[1] += 1
            return g

        def push(t: Any) -> Any:
            counts[0] += 1
            return t

        return tp.Local1(y, pull).push(push)

    counted = tp.op(identity)
    tp.jacobian(lambda v: f(counted(v)), mode)(x)
    return counts[0], counts[1]


def test_the_cheaper_mode_is_taken_unless_one_is_asked_for() -> None:
    tall: Callable[[Any], Any] = lambda v: tp.concatenate([v, v, v])  # noqa: E731  # 3 inputs, 9 outputs
    flat: Callable[[Any], Any] = lambda v: v[:1]  # noqa: E731  # 3 inputs, 1 output
    assert sweeps(tall, lift(3), None) == (3, 0)
    assert sweeps(flat, lift(3), None) == (0, 1)
    assert sweeps(tall, lift(3), "rev") == (0, 9)
    assert sweeps(flat, lift(3), "fwd") == (3, 0)


def test_the_function_runs_once() -> None:
    runs = []

    def counted(x: Any) -> Any:
        runs.append(x)
        return ours(x)

    for k, mode in enumerate(MODES, start=1):
        tp.jacobian(counted, mode)(lift(3))
        assert len(runs) == k


def test_further_arguments_and_names() -> None:
    def scaled(x: Any, k: float, *, shift: float) -> Any:
        """Scales."""
        return k * x + shift

    np.testing.assert_array_equal(tp.jacobian(scaled)(lift(2), 3.0, shift=1.0).value, 3 * np.eye(2))
    assert tp.jacobian(scaled).__name__ == "scaled" and tp.jacobian(scaled).__doc__ == "Scales."
    np.testing.assert_array_equal(tp.jacobian(lambda x: x * 2.0)(np.ones(2)).value, 2 * np.eye(2))


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r'jacobian: mode \'forward\'; wanted "fwd", "rev" or None'):
        tp.jacobian(ours, "forward")
    with pytest.raises(NotDifferentiableError, match="jacobian: the function returned a float without a BVar in it"):
        tp.jacobian(lambda x: 1.0)(lift(3))
    with pytest.raises(NotDifferentiableError, match="jacobian: there is no BVar in this str"):
        tp.jacobian(ours)("text")
    with pytest.raises(DTypeError, match="jacobian: an array of dtype int64"):
        tp.jacobian(ours)(np.arange(3))


# -- hessian and hvp -------------------------------------------------------------------------------------------------


def test_hessian_of_a_vector() -> None:
    x = rand(3)
    found = tp.hessian(lambda v: ours(v).sum())(BVar(x))
    np.testing.assert_allclose(found.value, autograd.hessian(lambda v: theirs(v).sum())(x), rtol=1e-12)
    np.testing.assert_allclose(found.value, found.value.T, rtol=1e-12)
    assert tp.hessian(lambda s: s**4)(BVar(2.0)).value == 48.0


@pytest.mark.parametrize("inner", MODES)
@pytest.mark.parametrize("outer", MODES)
def test_hessian_is_the_jacobian_of_the_gradient_in_every_pair_of_modes(outer: Any, inner: Any) -> None:
    p, x = layer(), rand(3)
    found = tp.hessian(energy)(p, x)
    assert found.shape == (9, 9)
    np.testing.assert_allclose(found.value, tp.jacobian(tp.grad(energy), outer)(p, x).value, rtol=1e-12, atol=1e-14)
    twice = tp.jacobian(lambda q: tp.jacobian(energy, inner)(q, x), outer)(p)
    np.testing.assert_allclose(found.value, twice.value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_hvp_of_a_record(dtype: Any) -> None:
    p, x = layer(dtype), rand(3, dtype=dtype)
    direction = Layer(lift(2, 3, seed=2, dtype=dtype), lift(2, seed=3, dtype=dtype), BVar(-0.4))
    found = tp.hvp(energy, p, direction, x)
    assert type(found) is Layer and found.name == "layer" and type(found.gain.value) is float
    assert found.weight.dtype == dtype and found.weight.shape == (2, 3)
    double = layer()
    matrix = tp.hessian(energy)(double, rand(3)).value
    along = tp.tree.ravel(tp.tree.map(lambda leaf: BVar(np.float64(leaf.value)) if leaf.shape else leaf, direction))[0]
    tolerance = 1e-12 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(tp.tree.ravel(found)[0].value, matrix @ along.value, rtol=tolerance, atol=tolerance)


def test_hvp_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"the tangent at \.bias is R\[3\], but belongs to R\[2\]"):
        tp.hvp(energy, layer(), Layer(lift(2, 3), lift(3), BVar(1.0)), rand(3))
    with pytest.raises(NotDifferentiableError, match=r"must be a scalar BVar\[float\].* of shape \(4,\); reduce it"):
        tp.hessian(ours)(lift(3))
