"""The bridge to SciPy: the same steps as SciPy with hand-written derivatives, and records that come back exactly."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from typing import Any, Generic, Literal, assert_type, get_args

import attrs
import numpy as np
import pytest
from typing_extensions import TypeVar

import typedprop as tp
import typedprop.scipy as tps
from tests.more_garbow_hillstrom import PROBLEMS, Point, Problem
from typedprop import BVar, Dim, L, NotDifferentiableError, R, Record
from typedprop.flat import Flat

# SciPy comes without types.
optimize: Any = importlib.import_module("scipy.optimize")

METHODS: tuple[str, ...] = get_args(tps.Method)
BOUNDED = ("L-BFGS-B", "TNC", "SLSQP", "trust-constr")
# minimize with any method by its name
minimize: Any = tps.minimize
least_squares: Any = tps.least_squares
root: Any = tps.root
# arrays whose sizes are data
lift: Any = BVar

problems = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


class In(Dim): ...


class Out(Dim): ...


I = TypeVar("I", bound=int)
O = TypeVar("O", bound=int)
D = TypeVar("D", bound=np.generic, default=np.float64)


@attrs.frozen
class Affine(Record, Generic[I, O, D]):
    weight: BVar[L[O, I, D]]
    bias: BVar[R[O, D]]


def misfit(net: Affine[I, O, D], x: R[I, D], target: R[O, D]) -> BVar[float]:
    error = net.weight @ x + net.bias - target
    return error @ error


def errors(net: Affine[I, O, D], x: R[I, D], target: R[O, D]) -> BVar[R[O, D]]:
    return net.weight @ x + net.bias - target


def affine(order: Literal["C", "F"], dtype: Any) -> Any:
    weight = np.asarray(np.linspace(-1.0, 1.0, 6).reshape(2, 3), dtype, order=order)
    return Affine(lift(weight), lift(np.ones(2, dtype)))


def start_of(problem: Problem) -> Any:
    return Flat(problem.start, "start").start()


def relative(a: Any, b: Any) -> float:
    return float(np.max(np.abs(a - b) / (1e-12 + np.abs(b))))


# -- minimize ----------------------------------------------------------------------------------------------------------


@problems
def test_derivatives(problem: Problem) -> None:
    """The two forms of each problem agree, at the start and beside it; else the tests below would compare nothing."""
    flat = Flat(problem.start, "start")
    for shift in (0.0, 0.01, -0.02):
        x = flat.start() + shift
        value, gradient = tp.value_and_grad(problem.loss)(flat.record(x))
        assert value.value == pytest.approx(problem.plain_loss(x), rel=1e-12)
        np.testing.assert_allclose(flat.vector(gradient, "gradient"), problem.gradient(x), rtol=1e-10, atol=1e-8)
        for direction in np.eye(flat.size):
            product = tp.hvp(problem.loss, flat.record(x), flat.record(direction))
            by_hand = problem.hessian(x) @ direction
            np.testing.assert_allclose(
                flat.vector(product, "product"), by_hand, rtol=1e-9, atol=1e-9 * np.abs(problem.hessian(x)).max()
            )


@pytest.mark.parametrize("method", METHODS)
@problems
def test_the_same_steps_as_with_derivatives_by_hand(problem: Problem, method: str) -> None:
    """The first steps; in the long run rounding sends any two runs of some of these problems different ways."""
    second: dict[str, Any] = {}
    if method in ("dogleg", "trust-exact"):
        second = {"hess": problem.hessian}
    elif method in ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"):
        second = {"hessp": lambda x, d: problem.hessian(x) @ d}
    options = {"maxfun": 8} if method == "TNC" else {"maxiter": 4}
    with warnings.catch_warnings():
        # Of dogleg where the Hessian is not positive definite, and of division by 0 in CG: SciPy's own.
        warnings.simplefilter("ignore")
        expected = optimize.minimize(
            problem.value_and_gradient, start_of(problem), jac=True, method=method, options=options, **second
        )
        found = minimize(problem.loss, problem.start, method=method, options=options)
    assert type(found.record) is type(problem.start)
    assert (found.raw.nfev, found.success, found.message) == (expected.nfev, expected.success, expected.message)
    # TNC takes differences of gradients, and so makes their rounding 1e8 times as large.
    tolerance = 1e-3 if method == "TNC" else 1e-6
    assert relative(found.raw.x, expected.x) < tolerance
    assert found.value == pytest.approx(expected.fun, rel=tolerance, abs=1e-12)
    assert found.value == pytest.approx(problem.loss(found.record).value, rel=1e-12)


@pytest.mark.parametrize("method", ["BFGS", "trust-exact"])
@problems
def test_minima_of_the_paper(problem: Problem, method: str) -> None:
    # How small a gradient can get depends on the loss, of which it has the rounding.
    tolerance = max(1e-5, 1e-8 * max(problem.minima))
    found = minimize(problem.loss, problem.start, method=method, tol=tolerance)
    assert found.success, found.message
    assert any(found.value == pytest.approx(minimum, rel=1e-5, abs=2e-7) for minimum in problem.minima), found.value


def test_types() -> None:
    net = Affine(BVar(tp.ones(Out(2), In(3))), BVar(tp.zeros(Out(2))))
    x, target = tp.ones(In(3)), tp.vector([1.0, 2.0], Out(2))
    result = tps.minimize(misfit, net, x, target, method="trust-ncg", callback=lambda net, loss: (net.bias, loss + 1.0))
    assert_type(result, tps.Result[Affine[In, Out]])
    assert_type(result.record.weight, BVar[L[Out, In]])
    assert_type(result.value, float)
    assert_type(tps.minimize(lambda net: misfit(net, x, target), net).record, Affine[In, Out])
    assert_type(tps.least_squares(errors, net, x, target).record, Affine[In, Out])
    assert_type(tps.root(lambda net: tp.grad(misfit)(net, x, target), net, method="lm").record, Affine[In, Out])
    assert result.value < 1e-10


def test_wrong_types_are_refused() -> None:
    net = Affine(BVar(tp.ones(Out(2), In(3))), BVar(tp.zeros(Out(2))))
    x, target = tp.ones(In(3)), tp.vector([1.0, 2.0], Out(2))
    point = Point(BVar(1.0), BVar(2.0))
    with pytest.raises(tp.ShapeError):
        tps.minimize(misfit, net, target, x)  # type: ignore[arg-type]  # the data in the wrong order
    with pytest.raises(tp.tree.StructureError):
        tps.minimize(misfit, net, x, target, bounds=(point, None))  # type: ignore[arg-type]  # another record
    with pytest.raises(ValueError, match="none that uses gradients"):
        tps.minimize(misfit, net, x, target, method="Nelder-Mead")  # type: ignore[arg-type]  # uses no gradients


def layouts() -> dict[str, Any]:
    block = np.arange(24.0).reshape(2, 3, 4) / 24.0
    return {
        "C": np.ascontiguousarray(block),
        "Fortran": np.asfortranarray(block),
        "axes exchanged": block.transpose(1, 0, 2),
        "strided": np.arange(96.0).reshape(2, 6, 8)[:, ::2, ::2] / 96.0,
        "backwards": block[::-1, :, ::-1],
        "float32": block.astype(np.float32),
        "float32 Fortran": np.asfortranarray(block.astype(np.float32)),
        "read-only": block.view(),
        "zero-dimensional": np.array(0.25),
        "scalar": 0.75,
        "one": np.ones((1, 1)),
    }


@pytest.mark.parametrize("name", layouts())
def test_leaves_come_back_exactly(name: str) -> None:
    data = layouts()[name]
    if name == "read-only":
        data.flags.writeable = False
    before = np.array(data).tobytes()
    at: Any = {"x": BVar(data), "y": [BVar(2.0)]}

    def loss(at: Any) -> Any:
        x = at["x"] - 3.0
        return (x * x).sum() + at["y"][0] ** 2

    seen: list[Any] = []
    found = minimize(loss, at, method="L-BFGS-B", callback=lambda at, value: seen.append((at, value)))
    was, x = at["x"].value, found.record["x"].value
    assert type(x) is type(was)
    np.testing.assert_allclose(x, 3.0, rtol=1e-5)
    assert isinstance(found.record["y"][0].value, float)
    if isinstance(x, np.ndarray):
        assert (x.dtype, x.shape, x.strides) == (was.dtype, was.shape, was.strides)
        assert not np.shares_memory(x, was)
        assert not np.shares_memory(x, found.raw.x)
    assert np.array(data).tobytes() == before
    # What the callback was given stays what it was: SciPy's methods use their buffers again.
    assert len(seen) > 1
    for record, value in seen:
        assert loss(record).value == value
    assert len({value for _, value in seen}) == len(seen)


def test_float32_converges_by_default() -> None:
    """In float32, BFGS ends with SciPy's "precision loss" at the minimum of this loss."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(50, 4)), rng.normal(size=50), rng.normal(size=(4, 3)), np.zeros(3)

    def loss(p: Any, x: Any, y: Any) -> Any:
        error = tp.tanh(x @ p["w"] + p["b"]).sum(axis=1) - y
        return error @ error + 0.1 * (p["w"] * p["w"]).sum()

    found = {}
    for dtype in (np.float32, np.float64):
        x, y, w, b = (array.astype(dtype) for array in data)
        found[dtype] = minimize(loss, {"w": lift(w), "b": lift(b)}, x, y)
        assert found[dtype].success
    assert "RELATIVE REDUCTION" in found[np.float32].message, "that is L-BFGS-B's"
    assert found[np.float64].raw.hess_inv.shape == (15, 15), "that is BFGS's"
    assert found[np.float32].value == pytest.approx(found[np.float64].value, rel=0.1)


def test_elements_keep_their_places() -> None:
    """Each element of each leaf has a minimum of its own, so that no two could be exchanged."""
    shapes = {"a": (2, 3), "b": (), "c": (4,), "d": (2, 2, 2)}
    rng = np.random.default_rng(0)
    wanted = {name: rng.normal(size=shape) if shape else 7.5 for name, shape in shapes.items()}
    at = {name: BVar(np.zeros(shape, order="F") if shape else 0.0) for name, shape in shapes.items()}

    def loss(at: Any) -> Any:
        total: Any = 0.0
        for name, shape in shapes.items():
            error = at[name] - wanted[name]
            total = total + ((error * error).sum() if shape else error * error)
        return total

    for method in METHODS:
        found = minimize(loss, at, method=method)
        for name in shapes:
            np.testing.assert_allclose(found.record[name].value, wanted[name], atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_callback(method: str) -> None:
    problem = PROBLEMS["Rosenbrock"]
    seen: list[tuple[Any, float]] = []

    def watch(record: Any, value: float) -> None:
        assert type(record) is Point
        seen.append((record, value))
        if len(seen) == 3:
            raise StopIteration

    found = minimize(problem.loss, problem.start, method=method, callback=watch)
    assert len(seen) == 3
    assert not found.success
    assert "StopIteration" in found.message
    assert [problem.loss(record).value for record, _ in seen] == pytest.approx([value for _, value in seen], rel=1e-12)
    assert found.record == seen[-1][0]
    assert found.value == seen[-1][1]


@pytest.mark.parametrize("method", METHODS)
def test_an_error_in_the_loss_passes_through(method: str) -> None:
    calls: list[None] = []

    def loss(p: Any) -> Any:
        calls.append(None)
        if len(calls) > 3:
            raise ZeroDivisionError("mine")
        return p.x**2 + p.y**2 + p.x**4

    with pytest.raises(ZeroDivisionError, match="mine"):
        minimize(loss, Point(BVar(1.0), BVar(2.0)), method=method)


# -- bounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, *BOUNDED])
def test_bounds(method: str | None) -> None:
    at = {"x": BVar(np.full((2, 2), 0.5, np.float32, order="F")), "y": BVar(0.0)}
    least: Any = {"x": BVar(np.array([[0.0, 0.2], [-np.inf, 0.0]], np.float32)), "y": BVar(-np.inf)}
    greatest: Any = {"x": BVar(np.array([[0.7, 0.7], [np.inf, 0.6]], np.float32)), "y": BVar(2.0)}
    wanted = np.array([[1.0, 0.0], [-3.0, 0.55]], np.float32)

    def loss(p: Any) -> Any:
        error = p["x"] - wanted
        return (error * error).sum() + (p["y"] - 5.0) ** 2

    found = minimize(loss, at, method=method, bounds=(least, greatest))
    x = found.record["x"].value
    np.testing.assert_allclose(x, [[0.7, 0.2], [-3.0, 0.55]], atol=2e-3)
    assert found.record["y"].value == pytest.approx(2.0, abs=1e-3)
    assert x.dtype == np.float32
    assert np.all((least["x"].value <= x) & (x <= greatest["x"].value))
    only_above = minimize(loss, at, method=method, bounds=(None, greatest))
    np.testing.assert_allclose(only_above.record["x"].value, [[0.7, 0.0], [-3.0, 0.55]], atol=2e-3)


@pytest.mark.parametrize("method", BOUNDED)
def test_fixed_elements(method: str) -> None:
    """Where both bounds are the same, SciPy takes the element out of the problem for some methods."""
    seen: list[Any] = []
    found = minimize(
        lambda p: (p.x - 1.0) ** 2 + (p.y - 2.0) ** 2 + p.x * p.y,
        Point(BVar(0.5), BVar(0.0)),
        method=method,
        bounds=(Point(BVar(0.5), BVar(-9.0)), Point(BVar(0.5), BVar(9.0))),
        callback=lambda record, value: seen.append(record),
    )
    assert found.record.x.value == pytest.approx(0.5, abs=1e-6)
    assert found.record.y.value == pytest.approx(1.75, abs=1e-3)
    assert seen and all(type(record) is Point for record in seen)


def test_bounds_that_cannot_be() -> None:
    at = Affine(BVar(tp.ones(Out(2), In(3))), BVar(tp.zeros(Out(2))))
    low, high = at - 10.0 * at, at + 10.0 * at
    arguments: tuple[Any, ...] = (misfit, at, tp.ones(In(3)), tp.ones(Out(2)))
    with pytest.raises(ValueError, match=r"minimize: method BFGS knows no bounds; choose one of L-BFGS-B, TNC, SLSQP"):
        minimize(*arguments, method="BFGS", bounds=(low, high))
    bad = attrs.evolve(high, weight=lift(np.full((2, 3), -20.0)))
    with pytest.raises(
        ValueError, match=r"minimize: at \.weight\[0, 0\], the lower bound -9.0 is not below the upper one -20.0"
    ):
        minimize(*arguments, bounds=(low, bad))
    bad = attrs.evolve(high, weight=lift(np.array([[2.0, 2.0, 2.0], [2.0, 0.5, 2.0]])))
    with pytest.raises(
        ValueError, match=r"minimize: at \.weight\[1, 1\], the start 1.0 is outside of the bounds -9.0 and 0.5"
    ):
        minimize(*arguments, bounds=(low, bad))
    bad = attrs.evolve(high, weight=lift(np.full((2, 3), np.nan)))
    with pytest.raises(ValueError, match="is not below the upper one nan"):
        minimize(*arguments, bounds=(low, bad))
    # By evolve, which checks the record: so a tuple.
    with pytest.raises(tp.ShapeError, match=r"the upper bound at \[0\] has shape \(3,\), and the record \(2,\)"):
        minimize(lambda p: p[0].sum(), (BVar(np.ones(2)),), bounds=(None, (BVar(np.ones(3)),)))
    for pairs, what in (([(0.0, 1.0)] * 8, "a list of 8"), (optimize.Bounds(0.0, 1.0), "a Bounds")):
        with pytest.raises(TypeError, match=f"minimize: bounds is {what}; wanted a tuple of two, the least and the gr"):
            minimize(*arguments, bounds=pairs)
    with pytest.raises(ValueError, match='least_squares: method "lm" knows no bounds; choose "trf" or "dogbox"'):
        least_squares(errors, *arguments[1:], method="lm", bounds=(low, high))


# -- constraints -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Four(Record):
    """Four unknowns, as three and one."""

    x: BVar[R[Any]]
    y: BVar[float]


def four(*numbers: float) -> Four:
    return Four(BVar(tp.vector(numbers[:3])), BVar(numbers[3]))


@attrs.frozen
class Constrained:
    """A problem of W. Hock and K. Schittkowski, *Test Examples for Nonlinear Programming Codes* (1981).

    Written twice: over a record, and over a vector with derivatives by hand.
    """

    loss: Any
    constraints: list[Any]
    start: Four
    bounds: Any
    plain_loss: Any
    gradient: Any
    hessian: Any
    # (function, lower, upper, Jacobian, Hessian times multipliers)
    plain_constraints: list[tuple[Any, Any, Any, Any, Any]]
    solution: list[float]
    minimum: float


def products(p: Four) -> BVar[float]:
    return p.x[0] * p.x[1] * p.x[2] * p.y


def squares(p: Four) -> BVar[float]:
    return p.x @ p.x + p.y * p.y


def hessian_71(x: Any) -> Any:
    a, b, c, d = x
    return np.array([[2 * d, d, d, 2 * a + b + c], [d, 0, 0, a], [d, 0, 0, a], [2 * a + b + c, a, a, 0]])


def hessian_of_product(x: Any) -> Any:
    a, b, c, d = x
    return np.array(
        [[0, c * d, b * d, b * c], [c * d, 0, a * d, a * c], [b * d, a * d, 0, a * b], [b * c, a * c, a * b, 0]]
    )


PROBLEM_71 = Constrained(
    lambda p: p.x[0] * p.y * p.x.sum() + p.x[2],
    [(products, 25.0, np.inf), (squares, 40.0, 40.0)],
    four(1.0, 5.0, 5.0, 1.0),
    (four(1.0, 1.0, 1.0, 1.0), four(5.0, 5.0, 5.0, 5.0)),
    lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
    lambda x: np.array([x[3] * (2 * x[0] + x[1] + x[2]), x[0] * x[3], x[0] * x[3] + 1.0, x[0] * (x[0] + x[1] + x[2])]),
    hessian_71,
    [
        (np.prod, 25.0, np.inf, lambda x: np.prod(x) / x, lambda x, v: v[0] * hessian_of_product(x)),
        (lambda x: x @ x, 40.0, 40.0, lambda x: 2 * x, lambda x, v: v[0] * 2 * np.eye(4)),
    ],
    [1.0, 4.7429994, 3.8211503, 1.3794082],
    17.0140173,
)

WEIGHTS = tp.matrix([[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 1.0, 0.0]])
SLOPES = tp.matrix([[1.0, -1.0, 1.0, -1.0], [-1.0, 0.0, 0.0, -1.0], [2.0, -1.0, 0.0, -1.0]])


def three(p: Four) -> BVar[R[Any]]:
    x = tp.append(p.x, p.y)
    return WEIGHTS @ (x * x) + SLOPES @ x


PROBLEM_43 = Constrained(
    lambda p: (
        p.x[0] ** 2 + p.x[1] ** 2 + 2.0 * p.x[2] ** 2 + p.y**2 - 5.0 * (p.x[0] + p.x[1]) - 21.0 * p.x[2] + 7.0 * p.y
    ),
    [(three, None, np.array([8.0, 10.0, 5.0]))],
    four(0.0, 0.0, 0.0, 0.0),
    None,
    lambda x: x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2 - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3],
    lambda x: np.array([2 * x[0] - 5, 2 * x[1] - 5, 4 * x[2] - 21, 2 * x[3] + 7]),
    lambda x: np.diag([2.0, 2.0, 4.0, 2.0]),
    [
        (
            lambda x: WEIGHTS @ (x * x) + SLOPES @ x,
            -np.inf,
            [8.0, 10.0, 5.0],
            lambda x: 2 * WEIGHTS * x + SLOPES,
            lambda x, v: np.diag(2 * v @ WEIGHTS),
        )
    ],
    [0.0, 1.0, 2.0, -1.0],
    -44.0,
)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
@pytest.mark.parametrize("problem", [PROBLEM_71, PROBLEM_43], ids=["HS71", "HS43"])
def test_constraints_as_with_derivatives_by_hand(problem: Constrained, method: str) -> None:
    second: Any = {"hess": problem.hessian} if method == "trust-constr" else {}
    flat = Flat(problem.start, "start")
    limits = [flat.vector(side, "bound") for side in problem.bounds or ()]
    expected = optimize.minimize(
        problem.plain_loss,
        flat.start(),
        jac=problem.gradient,
        method=method,
        bounds=problem.bounds and optimize.Bounds(*limits),
        constraints=[
            optimize.NonlinearConstraint(f, low, high, jac=jac, **({"hess": hess} if second else {}))
            for f, low, high, jac, hess in problem.plain_constraints
        ],
        **second,
    )
    found = minimize(problem.loss, problem.start, method=method, bounds=problem.bounds, constraints=problem.constraints)
    assert found.success, found.message
    assert type(found.record) is Four
    assert (found.raw.nfev, found.raw.nit, found.message) == (expected.nfev, expected.nit, expected.message)
    np.testing.assert_allclose(found.raw.x, expected.x, rtol=1e-6, atol=1e-8)
    tolerance = 1e-4 if method == "trust-constr" else 1e-6
    assert found.value == pytest.approx(problem.minimum, rel=tolerance)
    np.testing.assert_allclose(flat.vector(found.record, "record"), problem.solution, atol=20 * tolerance)


def test_constraints_choose_the_method_and_take_any_tree() -> None:
    # Found by SLSQP, whose result has no trust region.
    found = minimize(
        PROBLEM_71.loss,
        PROBLEM_71.start,
        bounds=PROBLEM_71.bounds,
        constraints=[(lambda p: {"products": products(p), "squares": squares(p)}, 25.0, [np.inf, 40.0])],
    )
    assert found.success and "tr_radius" not in found.raw
    # The squares need not be 40 any more, and a little less does better.
    assert found.value < PROBLEM_71.minimum and 25.0 <= squares(found.record).value + 1e-6 <= 40.0 + 1e-5
    assert products(found.record).value == pytest.approx(25.0, abs=1e-5)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_of_float32_and_of_fixed_elements(method: str) -> None:
    at = {"x": BVar(np.array([-3.0, -2.0], np.float32)), "y": BVar(1.0)}
    on_circle = (lambda p: p["x"] @ p["x"], 2.0, 2.0)
    found = minimize(lambda p: p["x"].sum() + (p["y"] - 3.0) ** 2, at, method=method, constraints=[on_circle])
    np.testing.assert_allclose(found.record["x"].value, [-1.0, -1.0], atol=5e-3)
    assert found.record["x"].value.dtype == np.float32 and found.record["y"].value == pytest.approx(3.0, abs=1e-3)
    fixed = minimize(
        PROBLEM_43.loss,
        four(0.0, 0.5, 0.0, 0.0),
        method=method,
        bounds=(four(-9.0, 0.5, -9.0, -9.0), four(9.0, 0.5, 9.0, 9.0)),
        constraints=PROBLEM_43.constraints,
    )
    assert fixed.record.x.value[1] == pytest.approx(0.5, abs=1e-6) and fixed.value > -44.0
    assert np.all(three(fixed.record).value <= np.array([8.0, 10.0, 5.0]) + 1e-5)


def test_constraints_that_cannot_be() -> None:
    def asking(*constraints: Any, **options: Any) -> Any:
        return minimize(PROBLEM_71.loss, PROBLEM_71.start, constraints=constraints, **options)

    with pytest.raises(
        ValueError, match=r"minimize: method L-BFGS-B knows no constraints; choose one of SLSQP, trust-constr"
    ):
        asking((products, 1.0, 2.0), method="L-BFGS-B")
    with pytest.raises(
        TypeError, match=r"constraint 1 is a dict; wanted a tuple of three, \(function, lower bound, upper"
    ):
        asking((products, 1.0, 2.0), {"type": "ineq", "fun": products})
    with pytest.raises(TypeError, match="minimize: constraints is of type function; wanted a list of tuples"):
        minimize(PROBLEM_71.loss, PROBLEM_71.start, constraints=products)
    with pytest.raises(TypeError, match="constraint 0 is a tuple of 2; wanted a tuple of three"):
        asking((products, 1.0))
    with pytest.raises(
        NotDifferentiableError, match="constraint 0: its function returned a float without a BVar in it"
    ):
        asking((lambda p: 1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"constraint 0: at \[2\], the lower bound 2.0 is not below the upper one 1.0"):
        asking((three, [0.0, 0.0, 2.0], 1.0))
    with pytest.raises(
        tp.ShapeError,
        match=r"its upper bound has shape \(2,\), and what its function returns has \(3,\) in all; wanted that, or",
    ):
        asking((three, 0.0, np.ones(2)))
    with pytest.raises(TypeError, match="its lower bound is of type str; wanted a float, a vector of floats, or None"):
        asking((three, "1", 2.0))
    with pytest.raises(ValueError, match="neither a lower nor an upper bound; give one, or the same for both"):
        asking((three, None, np.inf))
    with pytest.raises(ZeroDivisionError, match="mine"):
        asking((raise_mine, 1.0, 1.0))


def raise_mine(_: object) -> Any:
    raise ZeroDivisionError("mine")


# -- What is refused ---------------------------------------------------------------------------------------------------


def test_refusals() -> None:
    point = Point(BVar(1.0), BVar(2.0))

    def loss(p: Any) -> Any:
        return p.x**2 + p.y**2

    with pytest.raises(
        ValueError, match=r"method 'powell' is none that uses gradients; choose one of CG, BFGS, Newton"
    ):
        minimize(loss, point, method="powell")
    assert minimize(loss, point, method="l-bfgs-b").success, "SciPy's names are not case-sensitive"
    with pytest.raises(tp.NotDifferentiableError, match="minimize: there is no BVar in this list; lift its values"):
        minimize(loss, [1.0, 2.0])
    with pytest.raises(tp.NotDifferentiableError, match="the loss must be a scalar"):
        minimize(lambda p: tp.stack([p.x, p.y]), point)
    with pytest.raises(tp.NotDifferentiableError, match=r"minimize: the BVar at \.x is inside of a gradient"):
        tp.grad(lambda p: minimize(loss, p).record.x)(point)
    with pytest.raises(tp.NotDifferentiableError, match=r"root: the equations returned a float without a BVar in it"):
        root(lambda p: 1.0, point)
    with pytest.raises(tp.ShapeError, match=r"root: there are 1 equations for 2 unknowns$"):
        root(lambda p: p.x, point)
    with pytest.raises(tp.ShapeError, match=r'3 equations for 2 unknowns; method "lm" takes more'):
        root(lambda p: [p.x, p.y, p.x], point)
    with pytest.raises(tp.ShapeError, match=r"the residuals are of shape \(2, 1\); wanted a vector"):
        least_squares(lambda p: tp.stack([p.x, p.y]).reshape((2, 1)), point)
    with pytest.raises(tp.ShapeError, match=r"the residuals are of shape \(\); wanted a vector"):
        least_squares(loss, point)


def test_scipy_is_optional() -> None:
    """Where there is no SciPy, the core works, and the bridge says what to install."""
    program = (
        "import sys; sys.modules['scipy'] = None\n"
        "import typedprop\n"
        "try: import typedprop.scipy\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "typedprop.scipy needs scipy, which is not installed: pip install 'typedprop[scipy]'\n"


# -- least_squares and root --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
@problems
def test_least_squares(problem: Problem, method: str) -> None:
    # Biggs's start has a singular Jacobian: from the sixth step on dogbox goes where the last bit leads.
    expected = optimize.least_squares(
        problem.plain, start_of(problem), jac=problem.derivatives, method=method, max_nfev=5
    )
    found = least_squares(problem.residuals, problem.start, method=method, max_nfev=5)
    assert type(found.record) is type(problem.start)
    assert (found.raw.nfev, found.raw.njev, found.message) == (expected.nfev, expected.njev, expected.message)
    assert relative(found.raw.x, expected.x) < 1e-6
    np.testing.assert_allclose(found.raw.jac, expected.jac, rtol=1e-5, atol=1e-6 * np.abs(expected.jac).max())
    assert found.value == pytest.approx(expected.cost, rel=1e-6)
    r = problem.residuals(found.record).value
    assert found.value == pytest.approx(0.5 * float(r @ r), rel=1e-9)


@pytest.mark.parametrize("robust", ["soft_l1", "huber", "cauchy", "arctan"])
@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_least_squares_with_bounds_scales_and_outliers(method: str, robust: str) -> None:
    rng = np.random.default_rng(1)
    t = np.linspace(0.0, 4.0, 40)
    y = 2.0 * np.exp(-0.7 * t) + 0.01 * rng.normal(size=40)
    y[::10] += 5.0

    def residuals(p: Point, t: R[Any], y: R[Any]) -> BVar[R[Any]]:
        return p.x * tp.exp(-p.y * t) - y

    def plain(x: Any) -> Any:
        return x[0] * np.exp(-x[1] * t) - y

    def derivatives(x: Any) -> Any:
        return np.stack([np.exp(-x[1] * t), -x[0] * t * np.exp(-x[1] * t)], axis=1)

    settings: dict[str, Any] = {"loss": robust, "f_scale": 0.05, "method": method}
    start = Point(BVar(1.0), BVar(1.0))
    found = least_squares(
        residuals,
        start,
        t,
        y,
        bounds=(Point(BVar(0.0), BVar(0.0)), Point(BVar(1.9), BVar(np.inf))),
        x_scale=Point(BVar(2.0), BVar(0.5)),
        ftol=1e-12,
        xtol=1e-12,
        gtol=1e-12,
        **settings,
    )
    expected = optimize.least_squares(
        plain,
        [1.0, 1.0],
        jac=derivatives,
        bounds=([0.0, 0.0], [1.9, np.inf]),
        x_scale=[2.0, 0.5],
        ftol=1e-12,
        xtol=1e-12,
        gtol=1e-12,
        **settings,
    )
    # Both are as far down as rounding lets them go; which of the tolerances says so differs from one SciPy to another.
    assert found.success and expected.success
    assert relative(found.raw.x, expected.x) < 1e-6
    assert found.value == pytest.approx(expected.cost, rel=1e-9)
    free = least_squares(residuals, start, t, y, x_scale="jac", **settings)
    expected = optimize.least_squares(plain, [1.0, 1.0], jac=derivatives, x_scale="jac", **settings)
    assert relative(free.raw.x, expected.x) < 1e-6
    assert robust == "huber" or np.allclose(free.raw.x, [2.0, 0.7], atol=0.03), "the outliers count little"
    with pytest.raises(tp.tree.StructureError, match="x_scale is not built like the record"):
        least_squares(residuals, start, t, y, x_scale=[BVar(1.0), BVar(1.0)])


@pytest.mark.parametrize("method", ["hybr", "lm"])
@pytest.mark.parametrize("name", ["Rosenbrock", "Freudenstein and Roth", "Powell badly scaled", "Powell singular"])
def test_root(name: str, method: str) -> None:
    problem = PROBLEMS[name]
    options = {"maxfev" if method == "hybr" else "maxiter": 8}
    expected = optimize.root(problem.plain, start_of(problem), jac=problem.derivatives, method=method, options=options)
    found = root(problem.residuals, problem.start, method=method, options=options)
    assert type(found.record) is type(problem.start)
    assert (found.raw.nfev, found.message) == (expected.nfev, expected.message)
    assert relative(found.raw.x, expected.x) < 1e-6
    assert found.value == pytest.approx(np.abs(expected.fun).max(), rel=1e-6)


def test_roots_of_a_gradient() -> None:
    """Equations that are a record themselves, of both float types."""
    at = {"a": BVar(np.ones((2, 2), np.float32, order="F")), "b": BVar(3.0)}

    def loss(p: Any) -> Any:
        error = p["a"] - np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
        return (error * error).sum() + tp.exp(p["b"]) - 2.0 * p["b"]

    found = root(tp.grad(loss), at, tol=1e-6)
    assert found.success
    np.testing.assert_allclose(found.record["a"].value, [[1.0, 2.0], [3.0, 4.0]], rtol=1e-5)
    assert found.record["a"].value.flags.f_contiguous and found.record["a"].dtype == np.float32
    assert found.record["b"].value == pytest.approx(np.log(2.0), rel=1e-5)


@pytest.mark.parametrize("solve", [minimize, least_squares, root])
def test_both_float_types_and_layouts_in_each_function(solve: Any) -> None:
    net = affine("F", np.float32)
    x: Any = np.array([1.0, -1.0, 2.0], np.float32)
    target: Any = np.array([3.0, 4.0], np.float32)
    if solve is minimize:
        found = solve(misfit, net, x, target, method="trust-exact")
    elif solve is least_squares:
        found = solve(errors, net, x, target)
    else:
        found = solve(lambda net: [tp.grad(misfit)(net, x, target)], net, method="lm")
    assert type(found.record) is Affine
    assert found.record.weight.dtype == np.float32
    assert found.record.weight.value.flags.f_contiguous
    assert misfit(found.record, x, target).value < 1e-6
    assert found.raw.x.dtype == np.float64
