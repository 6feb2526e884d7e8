from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, lift, rand, tp
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.tree import StructureError


@attrs.frozen
class Line:
    slope: Any
    offset: Any
    name: str = "line"


def apply(line: Line, x: Any) -> dict[str, Any]:
    y = tp.tanh(line.slope @ x + line.offset)
    return {"y": y, "sum": y.sum(), "name": line.name, "inputs": [line.offset]}


def line(dtype: Any = np.float64) -> Line:
    return Line(lift(2, 3, dtype=dtype), lift(2, dtype=dtype))


def inner(a: Any, b: Any) -> float:
    return sum(
        float(np.sum(np.multiply(p.value, q.value, dtype=np.float64)))
        for p, q in zip(tp.tree.leaves(a), tp.tree.leaves(b), strict=True)
    )


# -- vjp -------------------------------------------------------------------------------------------------------------


def test_vjp_of_a_vector_function() -> None:
    x = rand(3)
    output, pullback = tp.vjp(lambda a: a * a, BVar(x))
    assert output == BVar(x * x)
    cotangent = BVar(np.array([1.0, 10.0, 100.0]))
    assert pullback(cotangent) == BVar(2 * x * cotangent.value)


def test_the_pullback_may_be_called_many_times() -> None:
    x = lift(3, 3)
    output, pullback = tp.vjp(lambda a: tp.exp(a @ a) @ a, x)
    cotangents = [lift(3, 3, seed=k) for k in range(3)]
    first = [pullback(g) for g in cotangents]
    for _ in range(3):
        assert [pullback(g) for g in cotangents] == first  # the same bits
    assert output == tp.exp(x @ x) @ x
    # Linear in the cotangent.
    both = pullback(cotangents[0] + cotangents[1])
    np.testing.assert_allclose(both.value, (first[0] + first[1]).value, rtol=1e-12)


def test_a_gradient_taken_may_be_written_without_harm() -> None:
    weights = rand(3)
    _, pullback = tp.vjp(lambda a: (a * weights).sum(), rand(3))
    first = pullback(BVar(1.0))
    first += 100
    np.testing.assert_array_equal(pullback(BVar(1.0)), weights)


@pytest.mark.parametrize("dtype", DTYPES)
def test_trees_in_and_out(dtype: Any) -> None:
    at, x = line(dtype), rand(3, dtype=dtype)
    output, pullback = tp.vjp(apply, at, x)
    assert output["name"] == "line" and output["y"].dtype == dtype
    assert output["y"] == apply(at, x)["y"] and type(output["sum"].value) is float
    cotangent = tp.tree.map(lambda leaf: leaf * 0.0 + 0.5, output)
    gradient = pullback(cotangent)
    assert type(gradient) is Line and gradient.name == "line"
    assert gradient.slope.dtype == dtype and gradient.slope.shape == (2, 3)
    y = np.tanh(at.slope.value @ x + at.offset.value)
    by_sum = 1.0 * (1 - y * y)
    np.testing.assert_allclose(gradient.offset.value, by_sum + 0.5, rtol=1e-5)
    np.testing.assert_allclose(gradient.slope.value, np.outer(by_sum, x), rtol=1e-5)


def test_further_arguments() -> None:
    output, pullback = tp.vjp(lambda x, y, *, k: x * y * k, BVar(2.0), 3.0, k=5.0)
    assert output.value == 30.0 and pullback(BVar(1.0)).value == 15.0
    output, tangent = tp.jvp(lambda x, y, *, k: x * y * k, BVar(2.0), BVar(1.0), 3.0, k=5.0)
    assert (output.value, tangent.value) == (30.0, 15.0)


def test_outputs_that_do_not_depend() -> None:
    kept = BVar(7.0)
    output, pullback = tp.vjp(lambda x: (x * 2.0, kept, BVar(np.ones(2))), BVar(1.0))
    assert output == (BVar(2.0), kept, BVar(np.ones(2)))
    assert pullback((BVar(1.0), BVar(100.0), lift(2))).value == 2.0
    output, tangent = tp.jvp(lambda x: (x * 2.0, kept, BVar(np.ones(2))), BVar(1.0), BVar(1.0))
    assert tangent == (BVar(2.0), BVar(0.0), BVar(np.zeros(2)))


def test_the_same_output_twice() -> None:
    def f(x: Any) -> Any:
        y = x * 3.0
        return [y, y, x]

    _, pullback = tp.vjp(f, BVar(1.0))
    assert pullback([BVar(1.0), BVar(10.0), BVar(100.0)]).value == 133.0


def test_results_share_no_memory() -> None:
    x, t = lift(3), lift(3, seed=1)
    output, pullback = tp.vjp(lambda a: (a, a[:2], a.reshape((3, 1))), x)
    cotangent = (lift(3), lift(2), lift(3, 1))
    gradient = pullback(cotangent)
    for part in output:
        assert not np.shares_memory(part.value, x.value)
    for g in cotangent:
        assert not np.shares_memory(gradient.value, g.value)
    _, single = tp.vjp(lambda a: a, x)
    assert not np.shares_memory(single(t).value, t.value)
    value, tangent = tp.jvp(lambda a: a, x, t)
    assert not np.shares_memory(value.value, x.value) and not np.shares_memory(tangent.value, t.value)


def test_a_plain_argument() -> None:
    output, pullback = tp.vjp(lambda x: x * x, rand(3))
    assert type(output) is BVar
    gradient = pullback(BVar(np.ones(3)))
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, 2 * rand(3))


def test_pullbacks_and_gradients_may_be_nested() -> None:
    """The pullback is itself differentiable: by the point, and by the cotangent, in which it is linear."""
    x, u = lift(3), lift(3, seed=1)
    by_point = tp.grad(lambda a: tp.vjp(lambda b: b**3, a)[1](u).sum())(x)
    np.testing.assert_allclose(by_point.value, 6 * x.value * u.value, rtol=1e-14)
    by_cotangent = tp.grad(lambda g: tp.vjp(lambda b: b**3, x)[1](g).sum())(u)
    np.testing.assert_allclose(by_cotangent.value, 3 * x.value**2, rtol=1e-14)


# -- jvp -------------------------------------------------------------------------------------------------------------


def test_jvp_of_scalars() -> None:
    value, tangent = tp.jvp(lambda x: tp.exp(x) * x, BVar(0.5), BVar(2.0))
    assert value.value == pytest.approx(0.5 * math.exp(0.5), rel=1e-15)
    assert tangent.value == pytest.approx(2 * 1.5 * math.exp(0.5), rel=1e-15)
    assert type(tangent.value) is float


@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_and_reverse_are_transposes(dtype: Any) -> None:
    at, x = line(dtype), rand(3, dtype=dtype)
    tangent = tp.tree.map(lambda leaf: leaf * leaf - 0.3, at)
    output, moved = tp.jvp(apply, at, tangent, x)
    again, pullback = tp.vjp(apply, at, x)
    assert output == again and moved["y"].dtype == dtype and moved["name"] == "line"
    cotangent = tp.tree.map(lambda leaf: leaf * 2.0 - 0.1, output)
    forward, backward = inner(moved, cotangent), inner(tangent, pullback(cotangent))
    assert forward == pytest.approx(backward, rel=1e-12 if dtype is np.float64 else 1e-4)


def test_every_mix_of_modes() -> None:
    """Second derivatives of x**3 y**2 along (u, v), by all four pairs of modes."""

    def f(p: Any) -> Any:
        x, y = p
        return x**3 * y**2

    p, u = (BVar(2.0), BVar(3.0)), (BVar(0.5), BVar(-1.0))
    # f_xx u u + 2 f_xy u v + f_yy v v
    wanted = 6 * 2 * 9 * 0.25 + 2 * (3 * 4 * 6) * (-0.5) + 2 * 8 * 1.0

    def forward(g: Any) -> Any:
        return lambda q: tp.jvp(g, q, u)[1]

    def reverse(g: Any) -> Any:
        return lambda q: sum(a * b for a, b in zip(tp.grad(g)(q), u, strict=True))

    for outer in (forward, reverse):
        for inside in (forward, reverse):
            assert outer(inside(f))(p).value == pytest.approx(wanted, rel=1e-14)


def test_a_plain_tangent_for_a_plain_argument() -> None:
    assert tp.jvp(lambda x: x * x, 3.0, BVar(1.0))[1].value == 6.0
    value, tangent = tp.jvp(lambda x: x * x, 3.0, 1.0)
    assert (value.value, tangent.value) == (9.0, 6.0)
    array = rand(3)
    _, tangent = tp.jvp(lambda x: x * x, array, array)
    np.testing.assert_allclose(tangent.value, 2 * array * array)


# -- What is refused -------------------------------------------------------------------------------------------------


def test_a_cotangent_that_does_not_fit() -> None:
    _, pullback = tp.vjp(lambda x: {"y": x * 2.0, "z": [x.sum()]}, lift(3))
    fit = {"y": lift(3), "z": [BVar(1.0)]}
    pullback(fit)
    with pytest.raises(ShapeError, match=r"the cotangent at \['y'\] is R\[2\], but belongs to R\[3\]"):
        pullback(fit | {"y": lift(2)})
    with pytest.raises(ShapeError, match=r"the cotangent at \['z'\]\[0\] is R\[3\], but belongs to float"):
        pullback(fit | {"z": [lift(3)]})
    with pytest.raises(DTypeError, match=r"the cotangent at \['y'\] is float32, but belongs to float64"):
        pullback(fit | {"y": lift(3, dtype=np.float32)})
    with pytest.raises(StructureError, match="the cotangent is not built like the output"):
        pullback({"y": lift(3)})
    with pytest.raises(StructureError, match="the cotangent is not built like the output"):
        pullback(np.ones(3))
    # A number first: what follows it is looked at, too.
    _, after = tp.vjp(lambda x: [x.sum(), x * 2.0], lift(3))
    with pytest.raises(ShapeError, match=r"the cotangent at \[1\] is R\[2\], but belongs to R\[3\]"):
        after([BVar(1.0), lift(2)])
    _, single = tp.vjp(lambda x: x * 2.0, lift(3))
    with pytest.raises(ShapeError, match=r"the cotangent is L\[3, 1\], but belongs to R\[3\]"):
        single(lift(3, 1))


def test_a_tangent_that_does_not_fit() -> None:
    at = line()
    with pytest.raises(ShapeError, match=r"the tangent at \.offset is R\[3\], but belongs to R\[2\]"):
        tp.jvp(apply, at, Line(lift(2, 3), lift(3)), rand(3))
    with pytest.raises(DTypeError, match=r"the tangent at \.slope is float32, but belongs to float64"):
        tp.jvp(apply, at, Line(lift(2, 3, dtype=np.float32), lift(2)), rand(3))
    with pytest.raises(StructureError, match="the tangent is not built like the argument"):
        tp.jvp(apply, at, Line(lift(2, 3), lift(2), "other"), rand(3))
    with pytest.raises(DTypeError, match="the tangent: an array of dtype int64"):
        tp.jvp(lambda x: x * x, rand(3), np.arange(3))


@pytest.mark.parametrize("name", ["vjp", "jvp"])
def test_functions_and_arguments_without_bvars(name: str) -> None:
    def call(f: Any, at: Any) -> Any:
        return tp.vjp(f, at) if name == "vjp" else tp.jvp(f, at, at)

    outputs: list[Any] = [1.0, None, np.ones(3), [], {"a": 2.0}]
    for output in outputs:
        message = rf"{name}: the function returned a {type(output).__name__} without a BVar in it; wanted a BVar or"
        with pytest.raises(NotDifferentiableError, match=message):
            call(lambda x: output, BVar(1.0))  # noqa: B023
    with pytest.raises(NotDifferentiableError, match=f"{name}: there is no BVar in this str"):
        call(lambda x: BVar(1.0), "text")
    with pytest.raises(DTypeError, match=f"{name}: an array of dtype int64"):
        call(lambda x: x * x, np.arange(3))
