"""checkpoint: the same values and derivatives, less memory, and one more run."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, lift, rand, tp
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.testing import check_grads


@attrs.frozen
class Layer:
    weight: Any
    bias: Any
    name: str = "layer"


def layer(seed: int, dtype: Any = np.float64) -> Layer:
    return Layer(lift(3, 3, seed=seed, dtype=dtype), lift(3, seed=seed + 50, dtype=dtype))


def apply(layer: Layer, x: Any, *, slope: float = 1.0) -> Any:
    return tp.tanh(slope * (layer.weight @ x) + layer.bias)


def loss(apply: Callable[..., Any], layers: list[Layer], x: Any) -> Any:
    for one in layers:
        x = apply(one, x, slope=0.9)
    return (x * x).sum()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits(dtype: Any) -> None:
    layers, x = [layer(k, dtype) for k in range(3)], lift(3, dtype=dtype)
    value, gradient = tp.value_and_grad(lambda p: loss(apply, *p))((layers, x))
    again, of_checkpoints = tp.value_and_grad(lambda p: loss(tp.checkpoint(apply), *p))((layers, x))
    assert again == value and of_checkpoints == gradient
    assert of_checkpoints[0][1].name == "layer" and of_checkpoints[1].dtype == dtype


def test_every_order_in_both_modes() -> None:
    f = tp.checkpoint(lambda a, b: (tp.exp(a * b), {"s": (a * a @ b).sum()}))
    check_grads(lambda a, b: f(a, b), [BVar(rand(3)), BVar(rand(3, seed=1))], order=3)
    twice = tp.checkpoint(lambda a: tp.checkpoint(tp.sin)(a) * a)
    check_grads(twice, [BVar(rand(3))], order=3)
    assert tp.grad(tp.grad(tp.grad(tp.checkpoint(lambda x: x**4))))(BVar(2.0)).value == 48.0


def test_the_function_runs_again_for_each_sweep() -> None:
    runs = []

    def noted(x: Any) -> Any:
        runs.append(type(x))
        return tp.sin(x) * x

    counted = tp.checkpoint(noted)
    counted(BVar(1.0))
    assert len(runs) == 1
    tp.grad(counted)(BVar(1.0))
    assert len(runs) == 3
    _, pullback = tp.vjp(counted, BVar(1.0))
    assert len(runs) == 4
    pullback(BVar(1.0))
    pullback(BVar(2.0))
    assert len(runs) == 6


def test_what_is_static_passes_and_plain_values_stay_plain() -> None:
    def scaled(x: Any, how: str, table: Any = None) -> Any:
        """Scales."""
        return x * 2.0 if how == "double" else x * table

    f = tp.checkpoint(scaled)
    assert f(3.0, "double") == 6.0 and type(f(np.ones(2), "double")) is np.ndarray
    table = np.array([1.0, 5.0])
    assert tp.grad(lambda x: f(x, "by table", table=table).sum())(lift(2)) == BVar(table)
    assert f.__name__ == "scaled" and f.__doc__ == "Scales."
    # A BVar that is a constant may be captured.
    kept = BVar(table)
    assert tp.grad(lambda x: tp.checkpoint(lambda y: y * kept)(x).sum())(lift(2)) == BVar(table)


def test_some_outputs_and_arguments_are_not_used() -> None:
    f = tp.checkpoint(lambda a, b: (a * 2.0, b * 3.0, a * b))
    gradient = tp.grad(lambda p: f(*p)[1])((BVar(1.0), BVar(2.0)))
    assert gradient == (BVar(0.0), BVar(3.0))
    assert tp.jvp(lambda a: f(a, BVar(5.0)), BVar(1.0), BVar(1.0))[1] == (BVar(2.0), BVar(0.0), BVar(5.0))
    # A result that is used, and depends on no argument.
    assert tp.grad(lambda a: sum(tp.checkpoint(lambda b: (b * 2.0, BVar(3.0)))(a)))(1.0) == 2.0


@pytest.mark.parametrize("transform", ["grad", "jvp"])
def test_a_captured_bvar_of_the_running_gradient_is_refused(transform: str) -> None:
    def outer(x: Any) -> Any:
        def hidden(y: Any) -> Any:
            return y * x

        return tp.checkpoint(hidden)(x)

    message = "checkpoint: hidden uses a BVar of the running gradient that is not among its arguments; pass it as one"
    with pytest.raises(NotDifferentiableError, match=message):
        tp.grad(outer)(BVar(2.0)) if transform == "grad" else tp.jvp(outer, BVar(2.0), BVar(1.0))


def test_errors_inside_are_the_functions_own() -> None:
    with pytest.raises(ShapeError, match=r"R\[3\].*R\[2\]"):
        tp.grad(lambda x: tp.checkpoint(lambda y: (y + np.ones(2)).sum())(x))(lift(3))
    with pytest.raises(DTypeError):
        tp.grad(lambda x: tp.checkpoint(lambda y: (y + np.ones(3)).sum())(x))(lift(3, dtype=np.float32))


# -- Memory ----------------------------------------------------------------------------------------------------------

LAYERS, SIZE = 1000, 2000


def run(w: Any, x: Any, layers: int) -> Any:
    for _ in range(layers):
        x = tp.tanh(w * x)
    return x


def in_segments(w: Any, x: Any) -> Any:
    for _ in range(LAYERS // 25):
        x = tp.checkpoint(run)(w, x, 25)
    return x


def halved(w: Any, x: Any, layers: int) -> Any:
    """Checkpoints within checkpoints: memory grows with the logarithm of the layers, work with it too."""
    if layers <= 8:
        return run(w, x, layers)
    half = layers // 2
    x = tp.checkpoint(halved)(w, x, half)
    return tp.checkpoint(halved)(w, x, layers - half)


def peak(f: Callable[[Any, Any], Any]) -> tuple[float, Any]:
    """The most memory that a gradient takes at a time, in arrays of the chain, and the gradient."""
    w, x = BVar(rand(SIZE)), BVar(rand(SIZE, seed=1))
    gradient_of = tp.grad(lambda w: f(w, x).sum())
    gc.collect()
    tracemalloc.start()
    try:
        gradient = gradient_of(w)
        return tracemalloc.get_traced_memory()[1] / (8 * SIZE), gradient
    finally:
        tracemalloc.stop()


def test_the_memory_of_a_thousand_layers_falls_below_a_tenth() -> None:
    whole, gradient = peak(lambda w, x: run(w, x, LAYERS))
    segments, of_segments = peak(in_segments)
    halves, of_halves = peak(lambda w, x: halved(w, x, LAYERS))
    np.testing.assert_allclose(of_segments.value, gradient.value, rtol=1e-9)
    np.testing.assert_allclose(of_halves.value, gradient.value, rtol=1e-9)
    # One array a layer; with 40 segments of 25 layers, those between segments and those within one.
    assert LAYERS < whole < 1.1 * LAYERS
    assert segments < whole / 10
    assert halves < whole / 15
