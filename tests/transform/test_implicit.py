"""`implicit`: the derivative of roots, fixed points and optima, whatever found them."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import attrs
import numpy as np
import pytest
from typing_extensions import TypeVar

import typedprop as tp
from tests import untyped
from typedprop import BVar, L, R, Record
from typedprop.errors import NotDifferentiableError, ShapeError
from typedprop.testing import check_grads

any_tp: Any = untyped.tp
lift: Any = untyped.lift
# SciPy comes without types.
optimize: Any = import_module("scipy.optimize")

N = TypeVar("N", bound=int)


def bracketed(a: BVar[float]) -> BVar[float]:
    """The root of x⁵ + x = a, found by Brent's method in plain floats."""
    root: float = optimize.brentq(lambda x: x**5 + x - a.value, 0.0, 10.0, xtol=1e-15, rtol=1e-14)
    return BVar(root)


def quintic(x: BVar[float], a: BVar[float]) -> BVar[float]:
    return x**5 + x - a


root = tp.implicit(bracketed, quintic)


# -- A scalar root ---------------------------------------------------------------------------------------------------


def test_the_value_is_the_solvers() -> None:
    assert root(BVar(3.0)) == bracketed(BVar(3.0))


def test_derivatives_of_a_root_of_every_order() -> None:
    a = BVar(3.0)
    x = root(a).value
    slope = 1.0 / (5.0 * x**4 + 1.0)
    assert math.isclose(tp.grad(root)(a).value, slope, rel_tol=1e-14)
    assert math.isclose(tp.grad(tp.grad(root))(a).value, -20.0 * x**3 * slope**3, rel_tol=1e-13)
    assert math.isclose(tp.hvp(root, a, BVar(2.0)).value, -40.0 * x**3 * slope**3, rel_tol=1e-13)
    assert math.isclose(tp.jvp(root, a, BVar(2.0))[1].value, 2.0 * slope, rel_tol=1e-14)
    check_grads(root, (a,), order=3)


def test_it_composes_with_what_is_before_and_after() -> None:
    check_grads(lambda a: tp.exp(-root(a * a + 1.0)) * a, (BVar(1.3),), order=2)
    check_grads(lambda a: root(root(a)), (BVar(3.0),), order=2)


def test_the_solver_sees_constants() -> None:
    seen: list[Any] = []

    def solver(a: BVar[float]) -> BVar[float]:
        seen.append(a)
        return bracketed(a)

    any_tp.grad(any_tp.grad(tp.implicit(solver, quintic)))(BVar(3.0))
    assert seen and all(a.value == 3.0 and (a + 1.0).value == 4.0 for a in seen)


def test_the_solver_may_be_made_of_operations() -> None:
    # Newton's method, which is not differentiated through: its steps are recorded nowhere.
    steps: list[int] = []

    def newton(a: BVar[float]) -> BVar[float]:
        x = a
        while abs(quintic(x, a).value) > 1e-13:
            x = x - quintic(x, a) / (5.0 * x**4 + 1.0)
            steps.append(1)
        return x

    solved = tp.implicit(newton, quintic)
    check_grads(solved, (BVar(3.0),), order=2)
    steps.clear()
    _, pullback = tp.vjp(solved, BVar(3.0))
    once = len(steps)
    pullback(BVar(1.0))
    assert once == len(steps) > 3


# -- Systems, records, trees -----------------------------------------------------------------------------------------


@attrs.frozen
class System(Record):
    matrix: BVar[Any]
    right: BVar[Any]
    scale: BVar[float]


@attrs.frozen
class Solution(Record):
    x: BVar[Any]
    energy: BVar[float]


def solver(p: System) -> Solution:
    def equations(v: Any) -> Any:
        return p.matrix.value @ v + 0.1 * v**3 - p.right.value

    x: Any = optimize.fsolve(equations, np.zeros(3), xtol=1e-13)
    return Solution(BVar(x), BVar(p.scale.value * float(x @ x)))


def equations(s: Solution, p: System) -> Solution:
    return Solution(p.matrix @ s.x + 0.1 * s.x**3 - p.right, s.energy - p.scale * (s.x @ s.x))


def system() -> System:
    return System(BVar(np.eye(3) + 0.2 * untyped.rand(3, 3)), lift(3), BVar(1.5))


def test_a_system_over_records() -> None:
    solved = tp.implicit(solver, equations)
    assert type(solved(system())) is Solution
    check_grads(solved, (system(),), order=2)
    gradient = any_tp.grad(lambda p: solved(p).energy)(system())
    assert type(gradient) is System and gradient.matrix.shape == (3, 3)


def test_only_some_of_the_results_are_used() -> None:
    solved = tp.implicit(solver, equations)
    check_grads(lambda p: solved(p).x[1], (system(),), order=1)


def test_only_some_of_the_parameters_vary() -> None:
    solved = tp.implicit(solver, equations)
    p = system()
    check_grads(lambda right: solved(attrs.evolve(p, right=right)), (p.right,), order=2)


def test_dicts_and_further_arguments() -> None:
    def solve(p: Any, power: int, *, offset: Any) -> Any:
        return {"x": (p["a"] + offset) ** (1.0 / power)}

    def residual(s: Any, p: Any, power: int, *, offset: Any) -> Any:
        return {"x": s["x"] ** power - p["a"] - offset}

    solved = tp.implicit(solve, residual)
    check_grads(lambda p, offset: solved(p, 3, offset=offset), ({"a": lift(2)}, lift(2, seed=1)), order=2)


def test_float32() -> None:
    def solve(a: Any) -> Any:
        return BVar(np.cbrt(a.value))

    solved = tp.implicit(solve, lambda x, a: x**3 - a)
    gradient = any_tp.grad(lambda a: solved(a).sum())(lift(3, dtype=np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient.value, np.cbrt(lift(3).value) ** -2 / 3, rtol=1e-4)


def test_the_steps_are_not_on_the_tape() -> None:
    def iterate(p: Any) -> Any:
        x = np.zeros(2)
        for _ in range(5000):
            x = 0.99 * np.tanh(x) + p.value
        return BVar(x)

    solved = tp.implicit(iterate, lambda x, p: 0.99 * tp.tanh(x) + p - x)
    recorded: list[int] = []

    def f(p: Any) -> Any:
        x = solved(p)
        recorded.append(len(p._tape.entries))
        return x.sum()

    p = lift(2)
    gradient = any_tp.grad(f)(p)
    assert recorded[0] < 5
    np.testing.assert_allclose(gradient.value, 1.0 / (1.0 - 0.99 / np.cosh(solved(p).value) ** 2), rtol=1e-6)


# -- Fixed points and optima -----------------------------------------------------------------------------------------


def test_a_fixed_point() -> None:
    # Kepler's equation E = m + e sin E.
    def iterate(p: tuple[BVar[float], BVar[float]]) -> BVar[float]:
        m, e = p[0].value, p[1].value
        anomaly = m
        for _ in range(200):
            anomaly = m + e * math.sin(anomaly)
        return BVar(anomaly)

    def residual(x: BVar[float], p: tuple[BVar[float], BVar[float]]) -> BVar[float]:
        return p[0] + p[1] * tp.sin(x) - x

    kepler = tp.implicit(iterate, residual)
    at = (BVar(1.0), BVar(0.3))
    x = kepler(at).value
    by_m, by_e = any_tp.grad(kepler)(at)
    assert math.isclose(by_m.value, 1.0 / (1.0 - 0.3 * math.cos(x)), rel_tol=1e-12)
    assert math.isclose(by_e.value, math.sin(x) / (1.0 - 0.3 * math.cos(x)), rel_tol=1e-12)
    check_grads(kepler, (at,), order=3)


def test_an_optimum_by_the_gradient_of_its_loss() -> None:
    # Ridge regression: how the best weights move with the penalty and the data.
    def loss(weights: Any, p: Any) -> Any:
        error = p["x"] @ weights - p["y"]
        return error @ error + p["penalty"] * (weights @ weights)

    def fit(p: Any) -> Any:
        x, y = p["x"].value, p["y"].value
        return BVar(np.linalg.solve(x.T @ x + p["penalty"].value * np.eye(2), x.T @ y))

    best = tp.implicit(fit, any_tp.grad(loss))
    check_grads(best, ({"x": lift(5, 2), "y": lift(5), "penalty": BVar(0.7)},), order=2)


# -- What it refuses -------------------------------------------------------------------------------------------------


def both_ways(solved: Any, at: Any) -> list[Any]:
    return [lambda: any_tp.grad(solved)(at), lambda: any_tp.jvp(solved, at, at)]


def test_a_result_that_is_no_solution() -> None:
    wrong = tp.implicit(lambda a: bracketed(a) + 0.5, quintic)
    assert wrong(BVar(3.0)).value == bracketed(BVar(3.0)).value + 0.5
    message = r"implicit\(<lambda>\): .* no solution: a Newton step would move it by .* tolerance=0\.001 allows 0\.001"
    for derivative in both_ways(wrong, BVar(3.0)):
        with pytest.raises(NotDifferentiableError, match=message):
            derivative()
    loose = tp.implicit(lambda a: bracketed(a) + 0.5, quintic, tolerance=1.0)
    assert all(derivative() is not None for derivative in both_ways(loose, BVar(3.0)))


@pytest.mark.parametrize(("off", "is_one"), [(0.9e-3, True), (1.1e-3, False)])
@pytest.mark.parametrize("size", [0.0, 1.0, 100.0])
def test_how_exact_a_solution_is_to_be(off: float, is_one: bool, size: float) -> None:
    """To a thousandth of its norm, or of 1 where that is more."""
    moved = any_tp.implicit(lambda a: BVar(a.value + off * max(size, 1.0)), lambda x, a: x - a)
    if is_one:
        assert tp.grad(moved)(BVar(size)).value == 1.0
    else:
        with pytest.raises(NotDifferentiableError, match="no solution"):
            tp.grad(moved)(BVar(size))


def test_a_solution_that_is_nan() -> None:
    broken = tp.implicit(lambda a: a * math.nan, quintic)
    with pytest.raises(NotDifferentiableError, match="no solution"):
        tp.grad(broken)(BVar(3.0))


def test_a_solution_that_is_not_isolated() -> None:
    double = any_tp.implicit(lambda a: a * 0.0, lambda x, a: x * x + 0.0 * a)
    for derivative in both_ways(double, BVar(3.0)):
        with pytest.raises(NotDifferentiableError, match=r"the solution is not isolated, .* L\[1, 1\], is singular"):
            derivative()


def test_as_many_equations_as_unknowns() -> None:
    untyped_implicit: Any = tp.implicit
    solved = untyped_implicit(lambda p: p, lambda x, p: (x - p)[:2])
    with pytest.raises(ShapeError, match=r"the residual is R\[2\] and the solution R\[3\]; wanted as many equations"):
        any_tp.grad(lambda p: solved(p).sum())(lift(3))


@pytest.mark.parametrize("function", ["solver", "residual"])
def test_a_captured_bvar(function: str) -> None:
    def f(b: Any) -> Any:
        if function == "solver":
            return any_tp.implicit(lambda a: a * b, lambda x, a: x - a * 2.0)(b)
        return any_tp.implicit(lambda a: a * 2.0, lambda x, a: x - a * b)(b)

    for derivative in both_ways(f, BVar(2.0)):
        with pytest.raises(NotDifferentiableError, match=f"the {function} uses a BVar of the running gradient that"):
            derivative()

    def captured_only(b: Any) -> Any:
        return any_tp.implicit(lambda a: a * b, lambda x, a: x - a * 2.0)(BVar(1.0))

    with pytest.raises(NotDifferentiableError, match="the solver uses a BVar of the running gradient"):
        any_tp.grad(captured_only)(2.0)


def test_types_are_the_solvers() -> None:
    def solve(p: tuple[BVar[L[N, N]], BVar[R[N]]]) -> BVar[R[N]]:
        return tp.linalg.solve(p[0], p[1])

    solved = tp.implicit(solve, lambda x, p: p[0] @ x - p[1])
    check_grads(solved, ((lift(3, 3), lift(3)),), order=2)
