"""Fit a record with SciPy: `minimize`, `least_squares` and `root` take a record, and return one of the same type.

    import typedprop.scipy

    result = typedprop.scipy.minimize(loss, net, x, target, method="L-BFGS-B")
    result.record   # a Network, like net

SciPy computes with one vector of float64, which holds all elements of the record in order (see `tree.ravel`).
Gradients, Jacobians and products with the Hessian are typedprop's. float32 leaves are rounded to float32 each time the
function is called, so a tolerance below 1e-7 or so cannot be reached with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, get_args

import attrs
import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar, TypeVarTuple

from typedprop import tree
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError, ShapeError
from typedprop.extras import extra
from typedprop.flat import Flat, Vector
from typedprop.shapes import R
from typedprop.transform.gradient import value_and_grad
from typedprop.transform.jacobian import hessian, hvp, jacobian

# SciPy comes without types, or with those of a separate package; what is used of it is typed here.
_optimize: Any = extra("scipy.optimize", name="scipy", needed_by="typedprop.scipy")
_sparse_linalg: Any = extra("scipy.sparse.linalg", name="scipy", needed_by="typedprop.scipy")

P = TypeVar("P")
Ts = TypeVarTuple("Ts")

Method = Literal[
    "CG",
    "BFGS",
    "Newton-CG",
    "L-BFGS-B",
    "TNC",
    "SLSQP",
    "dogleg",
    "trust-constr",
    "trust-exact",
    "trust-krylov",
    "trust-ncg",
]
"""The methods of `scipy.optimize.minimize` that use gradients, by SciPy's names: `"BFGS"`, `"CG"`, `"L-BFGS-B"`,
`"Newton-CG"`, `"SLSQP"`, `"TNC"`, `"dogleg"`, `"trust-constr"`, `"trust-exact"`, `"trust-krylov"` and `"trust-ncg"`."""

Side = float | Sequence[float] | npt.NDArray[np.floating[Any]] | None
"""A constraint's lower or upper bound: a number for all elements that its function returns, one for each in their
order, or None for no bound on this side."""

_METHODS: Final[tuple[str, ...]] = get_args(Method)
_BOUNDED: Final = ("L-BFGS-B", "TNC", "SLSQP", "trust-constr")
_CONSTRAINED: Final = ("SLSQP", "trust-constr")
_WITH_HESSIAN: Final = ("dogleg", "trust-exact")
_WITH_PRODUCT: Final = ("Newton-CG", "trust-constr", "trust-krylov", "trust-ncg")


@attrs.frozen
class Result(Generic[P]):
    """What was found, and whether to believe it."""

    record: P
    """The best point, of the type of the start, with its dtypes, shapes and memory layouts."""
    value: float
    """`minimize`: the loss. `least_squares`: SciPy's cost, half the sum of the (robustified) squares. `root`: the
    largest absolute value of an equation's left side."""
    success: bool
    """Whether the method reports that it converged."""
    message: str
    """Why it ended, in SciPy's words."""
    # SciPy's class, whose fields depend on the method.
    raw: Any
    """SciPy's own `OptimizeResult`: iterations, evaluations, vectors, multipliers."""


def minimize(
    loss: Callable[[P, *Ts], BVar[float]],
    at: P,
    /,
    *args: *Ts,
    method: Method | None = None,
    bounds: tuple[P | None, P | None] | None = None,
    constraints: Sequence[tuple[Callable[[P], object], Side, Side]] = (),
    callback: Callable[[P, float], object] | None = None,
    tol: float | None = None,
    options: Mapping[str, object] | None = None,
) -> Result[P]:
    """The record where `loss(record, *args)` is least, searched from `at` by one of SciPy's gradient-based methods.

    `bounds` are two records, the least and the greatest value of each element (infinite where there is none), or None
    for no bounds on that side. `constraints`, for SLSQP and trust-constr, are tuples `(function, lower, upper)`: the
    BVar or tree of BVars `function(record)` is to lie between the two, or to equal them. They are scalars, or vectors
    with a number for each of its elements in the order of `tree.ravel`, infinite where there is none, or None. The
    start need not keep to them.

    `callback(record, loss)` is called after each iteration, and ends the search by raising StopIteration. Without a
    `method` it is BFGS, SLSQP where there are constraints, or else L-BFGS-B where there are bounds or float32 leaves,
    whose rounding BFGS takes for a failure. `tol` and `options` are SciPy's.

    Newton-CG, trust-ncg, trust-krylov and trust-constr get products with the Hessian (trust-constr with those of the
    constraints, too), dogleg and trust-exact the Hessian.

    Raises ValueError for a method that uses no gradients, bounds or constraints that the method cannot keep, and bounds
    that are in the wrong order or that the start is not within; `tree.StructureError` or `ShapeError` for bounds that
    are not built like `at`, or for those of a constraint like what its function returns; `NotDifferentiableError` if
    `at` or what that function returns holds no BVar, or the loss is no scalar. Errors in the functions pass through.
    """
    flat = Flat(at, "minimize")
    if not isinstance(constraints, Sequence):
        raise TypeError(
            f"minimize: constraints is of type {type(constraints).__name__}; wanted a list of tuples (function, lower "
            "bound, upper bound)"
        )
    name = _method(method, bounds is not None, len(constraints) > 0, rounded=flat.rounded)
    limits = None if bounds is None else _limits(flat, bounds, "minimize")
    differentiated = value_and_grad(loss)
    # The last loss, for the callback: SciPy tells some of its methods' callbacks only where they are.
    last: list[tuple[Vector, float]] = []

    def value_and_gradient(x: Vector) -> tuple[float, Vector]:
        value, gradient = differentiated(flat.record(x), *args)
        last[:] = [(x.copy(), value.value)]
        return value.value, flat.vector(gradient, "the gradient")

    def iterated(x: Vector, *_: object) -> None:
        assert callback is not None
        record = flat.record(x)
        known = last and np.array_equal(last[0][0], x)
        value = last[0][1] if known else loss(record, *args).value
        try:
            callback(record, value)
        except StopIteration:
            if name in _DEAF_TO_STOP_ITERATION:
                raise _StoppedError(x.copy(), value) from None
            raise

    # SciPy takes it amiss if it is given what the method does not use.
    second: dict[str, object] = {}
    if name in _WITH_PRODUCT:

        def hessian_times(x: Vector, direction: Vector) -> Vector:
            product = hvp(loss, flat.record(x), flat.record(direction), *args)
            return flat.vector(product, "the product with the Hessian")

        second["hessp"] = hessian_times
    elif name in _WITH_HESSIAN:
        raveled = _Raveled(at)
        second["hess"] = raveled.plain(hessian(lambda v: loss(raveled.record(v), *args)))
    try:
        raw = _optimize.minimize(
            value_and_gradient,
            flat.start(),
            jac=True,
            method=name,
            bounds=limits and _optimize.Bounds(*limits),
            constraints=[_nonlinear(constraint, k, flat, at, name) for k, constraint in enumerate(constraints)],
            callback=None if callback is None else iterated,
            tol=tol,
            options=None if options is None else dict(options),
            **second,
        )
    except _StoppedError as stopped:
        raw = _optimize.OptimizeResult(
            x=stopped.x, fun=stopped.value, status=99, success=False, message="`callback` raised `StopIteration`."
        )
    return Result(flat.record(raw.x), float(raw.fun), bool(raw.success), str(raw.message), raw)


# Not in every release, or only by a message of their own.
_DEAF_TO_STOP_ITERATION = ("TNC", "SLSQP", "trust-constr")


class _StoppedError(Exception):
    """The callback asked to stop."""

    def __init__(self, x: Vector, value: float) -> None:
        super().__init__()
        self.x = x
        self.value = value


def least_squares(
    residuals: Callable[[P, *Ts], BVar[R[Any, Any]]],
    at: P,
    /,
    *args: *Ts,
    method: Literal["trf", "dogbox", "lm"] = "trf",
    bounds: tuple[P | None, P | None] | None = None,
    loss: Literal["linear", "soft_l1", "huber", "cauchy", "arctan"] = "linear",
    f_scale: float = 1.0,
    x_scale: P | Literal["jac"] | None = None,
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    max_nfev: int | None = None,
) -> Result[P]:
    """The record where half the sum of the squares of `residuals(record, *args)` is least, by Gauss and Newton's idea.

    The residuals are a vector, at least as many as the record has elements for "lm". `bounds` are as in `minimize`;
    "lm" knows none. `x_scale` is a record of the elements' sizes, or "jac". The rest is SciPy's. `result.raw.jac` is
    the Jacobian at the solution, its columns in the order of `tree.ravel`, from which a covariance can be had.

    The derivative costs one sweep for each residual or for each element of the record, whichever are fewer.

    Raises as `minimize` does, and `ShapeError` if the residuals are no vector.
    """
    flat = Flat(at, "least_squares")
    if bounds is not None and method == "lm":
        raise ValueError('least_squares: method "lm" knows no bounds; choose "trf" or "dogbox"')
    limits = (-np.inf, np.inf) if bounds is None else _limits(flat, bounds, "least_squares")
    raveled = _Raveled(at)

    def of_vector(v: BVar[R[Any, Any]]) -> BVar[R[Any, Any]]:
        result = residuals(raveled.record(v), *args)
        if len(result.shape) != 1:
            raise ShapeError(
                f"least_squares: the residuals are of shape {result.shape}; wanted a vector, as .reshape(-1) makes one"
            )
        return result

    # By default SciPy's choice, which depends on the method.
    scale: dict[str, object] = {}
    if isinstance(x_scale, str):
        scale["x_scale"] = x_scale
    elif x_scale is not None:
        scale["x_scale"] = flat.vector(x_scale, "x_scale")
    raw = _optimize.least_squares(
        raveled.plain(of_vector),
        flat.start(),
        jac=raveled.plain(jacobian(of_vector)),
        bounds=limits,
        method=method,
        ftol=ftol,
        xtol=xtol,
        gtol=gtol,
        loss=loss,
        f_scale=f_scale,
        max_nfev=max_nfev,
        **scale,
    )
    return Result(flat.record(raw.x), float(raw.cost), bool(raw.success), str(raw.message), raw)


def root(
    equations: Callable[[P, *Ts], object],
    at: P,
    /,
    *args: *Ts,
    method: Literal["hybr", "lm"] = "hybr",
    tol: float | None = None,
    options: Mapping[str, object] | None = None,
) -> Result[P]:
    """The record where all that `equations(record, *args)` returns is 0, searched from `at` by Powell's hybrid method
    or ("lm") Levenberg and Marquardt's.

    The equations may return a vector or any tree of BVars, such as a record of the same type, with as many elements as
    the record has (more for "lm").

    Raises `ShapeError` if there are not as many equations as unknowns, `NotDifferentiableError` if `at` or the result
    holds no BVar.
    """
    flat = Flat(at, "root")
    raveled = _Raveled(at)

    def of_vector(v: BVar[R[Any, Any]]) -> BVar[R[Any, Any]]:
        result = equations(raveled.record(v), *args)
        if not tree.leaves(result):
            raise NotDifferentiableError(f"root: the equations returned a {type(result).__name__} without a BVar in it")
        together = tree.ravel(result)[0]
        count = together.size
        if count < flat.size or (count > flat.size and method != "lm"):
            raise ShapeError(
                f"root: there are {count} equations for {flat.size} unknowns"
                + ('; method "lm" takes more equations than unknowns' if count > flat.size else "")
            )
        return together

    raw = _optimize.root(
        raveled.plain(of_vector),
        flat.start(),
        jac=raveled.plain(jacobian(of_vector)),
        method=method,
        tol=tol,
        options=None if options is None else dict(options),
    )
    largest = float(np.max(np.abs(raw.fun), initial=0.0))
    return Result(flat.record(raw.x), largest, bool(raw.success), str(raw.message), raw)


class _Raveled(Generic[P]):
    """The way from functions of a record to functions of a vector, differentiable on the inside and plain outside."""

    def __init__(self, at: P) -> None:
        vector, self.record = tree.ravel(at)
        self._dtype = vector.dtype

    def plain(self, f: Callable[[BVar[R[Any, Any]]], BVar[Any]]) -> Callable[[Vector], Vector]:
        """What SciPy gets of a function of the raveled record: float64 in memory that nobody else has."""

        def of_plain(x: Vector) -> Vector:
            point: Any = BVar(x.astype(self._dtype))
            return np.array(f(point).value, np.float64)

        return of_plain


# SciPy's NonlinearConstraint comes without a type; what was given may be anything in an unchecked program.
def _nonlinear(constraint: Any, k: int, flat: Flat[P], at: P, method: str) -> Any:
    """A constraint as SciPy knows it."""
    called = f"minimize: constraint {k}"
    if not isinstance(constraint, tuple) or len(constraint) != 3:
        what = f"a tuple of {len(constraint)}" if isinstance(constraint, tuple) else f"a {type(constraint).__name__}"
        raise TypeError(f"{called} is {what}; wanted a tuple of three, (function, lower bound, upper bound)")
    function: Callable[[P], object]
    function, low, high = constraint
    raveled = _Raveled(at)

    def of_vector(v: BVar[R[Any, Any]]) -> BVar[R[Any, Any]]:
        result = function(raveled.record(v))
        if not tree.leaves(result):
            raise NotDifferentiableError(
                f"{called}: its function returned a {type(result).__name__} without a BVar in it"
            )
        return tree.ravel(result)[0]

    values = raveled.plain(of_vector)
    shape = values(flat.start()).shape
    lower, upper = (
        np.full(shape, infinite) if bound is None else _side(bound, f"{called}: its {side} bound", shape)
        for bound, side, infinite in ((low, "lower", -np.inf), (high, "upper", np.inf))
    )
    wrong = np.flatnonzero(~(lower <= upper))
    if wrong.size:
        j = int(wrong[0])
        raise ValueError(f"{called}: at [{j}], the lower bound {lower[j]} is not below the upper one {upper[j]}")
    if np.all(np.isinf(lower) & np.isinf(upper)):
        raise ValueError(f"{called}: it has neither a lower nor an upper bound; give one, or the same for both")
    second: dict[str, object] = {}
    # SLSQP warns of what it does not use.
    if method == "trust-constr":

        def weighted(record: P, weights: Vector) -> BVar[float]:
            together: Any = tree.ravel(function(record))[0]
            value: BVar[float] = together @ BVar(weights.astype(together.dtype))
            return value

        def hess(x: Vector, multipliers: Vector) -> object:
            record, weights = flat.record(x), np.array(multipliers)

            def times(direction: Vector) -> Vector:
                product = hvp(weighted, record, flat.record(direction.reshape(-1)), weights)
                return flat.vector(product, "the product with the Hessian")

            return _sparse_linalg.LinearOperator((flat.size, flat.size), matvec=times, dtype=np.float64)

        second["hess"] = hess
    return _optimize.NonlinearConstraint(values, lower, upper, jac=raveled.plain(jacobian(of_vector)), **second)


def _side(bound: object, name: str, shape: tuple[int, ...]) -> Vector:
    """One bound of a constraint, as a number for each element."""
    wide = np.asarray(bound)
    if wide.dtype.kind not in "fi":
        raise TypeError(f"{name} is of type {type(bound).__name__}; wanted a float, a vector of floats, or None")
    if wide.shape not in ((), shape):
        raise ShapeError(
            f"{name} has shape {wide.shape}, and what its function returns has {shape} in all; wanted that, or a scalar"
        )
    return np.full(shape, wide, np.float64)


def _method(method: str | None, bounded: bool, constrained: bool, *, rounded: bool) -> str:
    """The method as SciPy spells it."""
    if method is None and constrained:
        return "SLSQP"
    if method is None:
        return "L-BFGS-B" if bounded or rounded else "BFGS"
    for name in _METHODS:
        if str(method).lower() == name.lower():
            if bounded and name not in _BOUNDED:
                raise ValueError(f"minimize: method {name} knows no bounds; choose one of {', '.join(_BOUNDED)}")
            if constrained and name not in _CONSTRAINED:
                raise ValueError(
                    f"minimize: method {name} knows no constraints; choose one of {', '.join(_CONSTRAINED)}"
                )
            return name
    raise ValueError(
        f"minimize: method {method!r} is none that uses gradients; choose one of {', '.join(_METHODS)}, or call "
        "scipy.optimize.minimize yourself"
    )


# The bounds may be anything in an unchecked program.
def _limits(flat: Flat[P], bounds: Any, name: str) -> tuple[Vector, Vector]:
    """The bounds as vectors, between which the start must be."""
    if not isinstance(bounds, tuple) or len(bounds) != 2:
        what = f"a {type(bounds).__name__}" + (f" of {len(bounds)}" if isinstance(bounds, tuple | list) else "")
        raise TypeError(
            f"{name}: bounds is {what}; wanted a tuple of two, the least and the greatest record, or None for either"
        )
    lower, upper = bounds
    low = np.full(flat.size, -np.inf) if lower is None else flat.vector(lower, "the lower bound")
    high = np.full(flat.size, np.inf) if upper is None else flat.vector(upper, "the upper bound")
    start = flat.start()
    wrong = np.flatnonzero(~(low <= high))
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(f"{name}: at {flat.place(k)}, the lower bound {low[k]} is not below the upper one {high[k]}")
    outside = np.flatnonzero(~((low <= start) & (start <= high)))
    if outside.size:
        k = int(outside[0])
        raise ValueError(
            f"{name}: at {flat.place(k)}, the start {start[k]} is outside of the bounds {low[k]} and {high[k]}"
        )
    return low, high
