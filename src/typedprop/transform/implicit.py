"""`implicit`: the derivative of what equations define, whatever algorithm solves them.

A root, a fixed point or an optimum depends on parameters through equations `residual(x, parameters) == 0`. By the
implicit function theorem its derivative is that of the residual alone, by way of one linear system: the solver is not
looked into, need not be differentiable, and its steps cost no memory (Griewank and Walther 2008, chapter 15).

    def solver(a: BVar[float]) -> BVar[float]:
        return BVar(scipy.optimize.brentq(lambda x: x**5 + x - a.value, 0.0, 10.0))

    root = tp.implicit(solver, lambda x, a: x**5 + x - a)

For a fixed point `x == g(x, parameters)` the residual is `g(x, parameters) - x`; for an optimum of a loss it is its
gradient, `tp.grad(loss)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate

import numpy as np
from numpy.linalg import LinAlgError
from typing_extensions import ParamSpec, TypeVar

from typedprop import tree
from typedprop.arithmetic import describe, plain, zero_like
from typedprop.bvar import BVar, innermost, seen_from
from typedprop.errors import NotDifferentiableError, ShapeError
from typedprop.op import on, record_joint
from typedprop.ops.linalg.solve import solve
from typedprop.tape import Joint, Parts, Value
from typedprop.transform.jacobian import jacobian
from typedprop.transform.products import jvp, vjp
from typedprop.transform.run import as_bvar, value_of

P = TypeVar("P")
X = TypeVar("X")
A = ParamSpec("A")

Vector = BVar[Any]
# Sizes are those of the user's trees, known at run time only.
_jacobian: Any = jacobian
_solve: Any = solve


def implicit(
    solver: Callable[Concatenate[P, A], X],
    residual: Callable[Concatenate[X, P, A], X],
    *,
    tolerance: float = 1e-3,
) -> Callable[Concatenate[P, A], X]:
    """`solver`, with the derivative of the equations that it solves: `residual(solver(p), p)` is zero.

    `solver(parameters, *args)` gives the solution, a BVar or any tree of them. It gets constants, so it may read
    `.value` and call any library. `residual(x, parameters, *args)` is written with typedprop's operations and returns
    as many numbers as `x` has. Parameters and further arguments are any trees of BVars and static values; forward and
    reverse mode and every order work. Each derivative costs the residual's Jacobian and a dense linear solve.

    A derivative raises `NotDifferentiableError` where the solution is not isolated (the Jacobian is singular), if the
    result of `solver` is no solution (a Newton step would move it by more than `tolerance`, relative to its norm and
    at least 1), or if `solver` or `residual` use a BVar of the running gradient that is not among their arguments;
    `ShapeError` if the residual has another number of elements.
    """
    name = f"implicit({getattr(solver, '__name__', 'solver')})"

    @wraps(solver)
    def solution(parameters: P, /, *args: A.args, **kwargs: A.kwargs) -> X:
        x: X = _solved(name, solver, residual, tolerance, parameters, args, kwargs)
        return x

    return solution


def _solved(
    name: str,
    solver: Callable[..., Any],
    residual: Callable[..., Any],
    tolerance: float,
    parameters: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """The solution, recorded. A function of the module: one that called itself would be a reference cycle, and with it
    all that solver and residual capture."""
    leaves, structure = tree.flatten((parameters, args, kwargs))
    tape = innermost(*leaves)
    if tape is None:
        x = solver(parameters, *args, **kwargs)
        if innermost(*tree.leaves(x)) is not None:
            raise _captured(name, "solver")
        return x
    seen = [as_bvar(seen_from(tape, leaf)) for leaf in leaves]
    again, more, keywords = structure.unflatten(seen)
    # As the enclosing gradient sees the solution: by this same rule, until all is constant.
    x = _solved(name, solver, residual, tolerance, again, more, keywords)
    parts, x_structure = tree.flatten(x)
    vector, unravel = tree.ravel(x)

    def equations(at: Vector, some: Sequence[BVar[Any]], positions: Sequence[int]) -> Vector:
        everything = list(seen)
        for position, leaf in zip(positions, some, strict=True):
            everything[position] = leaf
        p, more, keywords = structure.unflatten(everything)
        left, _ = tree.ravel(residual(unravel(at), p, *more, **keywords))
        if left.shape != vector.shape:
            raise ShapeError(
                f"{name}: the residual is {describe(left.shape)} and the solution {describe(vector.shape)}; wanted "
                "as many equations as unknowns"
            )
        return left

    left_over = equations(vector, (), ())
    if on(tape, left_over):
        raise _captured(name, "residual")

    def joint(mine: list[int]) -> Joint:
        parameters_here = tuple(seen[k] for k in mine)

        def slope() -> Vector:
            """The residual's derivative by the solution, after a look at whether there is one."""
            matrix: Vector = _jacobian(equations)(vector, (), ())
            _check_solution(name, plain(matrix), plain(left_over), plain(vector), tolerance)
            return matrix

        def pull(cotangent: Any) -> list[Value]:
            given = cotangent.parts if type(cotangent) is Parts else {0: cotangent}
            filled = [as_bvar(given.get(k, zero_like(part))) for k, part in enumerate(parts)]
            weights = _solve(slope().T, tree.ravel(filled)[0])
            _, pullback = vjp(lambda some: equations(vector, some, mine), parameters_here)
            return [value_of(leaf) for leaf in pullback(-weights)]

        def push(tangents: Sequence[Value]) -> Any:
            pairs = zip(tangents, parameters_here, strict=True)
            along = tuple(as_bvar(zero_like(p) if t is None else t) for t, p in pairs)
            _, moved = jvp(lambda some: equations(vector, some, mine), parameters_here, along)
            values = tuple(value_of(leaf) for leaf in tree.leaves(unravel(-_solve(slope(), moved))))
            return values[0] if len(values) == 1 else values

        return Joint(name, pull, push)

    values = tuple(value_of(part) for part in parts)
    if len(values) == 1:
        return x_structure.unflatten([record_joint(tape, values[0], leaves, joint)])
    return x_structure.unflatten(list(record_joint(tape, values, leaves, joint)))


def _captured(name: str, function: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"{name}: the {function} uses a BVar of the running gradient that is not among its arguments; pass it as one"
    )


def _check_solution(name: str, matrix: Any, left_over: Any, x: Any, tolerance: float) -> None:
    try:
        step = np.linalg.solve(matrix, left_over)
    except LinAlgError:
        raise NotDifferentiableError(
            f"{name}: the solution is not isolated, since the residual's derivative by it, "
            f"{describe(matrix.shape)}, is singular; so it has no derivative"
        ) from None
    size, allowed = float(np.linalg.norm(step)), tolerance * max(1.0, float(np.linalg.norm(x)))
    if not size <= allowed:
        raise NotDifferentiableError(
            f"{name}: what the solver returned is no solution: a Newton step would move it by {size:.3g}, and "
            f"tolerance={tolerance:g} allows {allowed:.3g}. Solve more exactly, or see whether residual and solver "
            "are about the same equations"
        )
