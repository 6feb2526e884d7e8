"""`jacobian`, `hessian` and `hvp`: the derivative as a matrix, the second derivative, and its product with a vector."""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Concatenate, Literal, overload

import numpy as np
from typing_extensions import ParamSpec, TypeVar

from typedprop import tree
from typedprop.arithmetic import dtype_of, one_like, zero_like
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError
from typedprop.ops.joining import concatenate, stack
from typedprop.shapes import L, R
from typedprop.tape import Value, push_forward
from typedprop.transform.gradient import grad
from typedprop.transform.products import jvp
from typedprop.transform.run import Inputs, Run, as_bvar

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
P = TypeVar("P")
A = ParamSpec("A")

Mode = Literal["fwd", "rev"]


@overload
def jacobian(
    f: Callable[Concatenate[BVar[R[N, D]], A], BVar[R[M, D]]], mode: Mode | None = None
) -> Callable[Concatenate[BVar[R[N, D]], A], BVar[L[M, N, D]]]: ...
@overload
def jacobian(
    f: Callable[Concatenate[BVar[R[N, D]], A], BVar[float]], mode: Mode | None = None
) -> Callable[Concatenate[BVar[R[N, D]], A], BVar[R[N, D]]]: ...
@overload
def jacobian(
    f: Callable[Concatenate[BVar[float], A], BVar[R[M, D]]], mode: Mode | None = None
) -> Callable[Concatenate[BVar[float], A], BVar[R[M, D]]]: ...
@overload
def jacobian(
    f: Callable[Concatenate[BVar[float], A], BVar[float]], mode: Mode | None = None
) -> Callable[Concatenate[BVar[float], A], BVar[float]]: ...
@overload
def jacobian(
    f: Callable[Concatenate[P, A], BVar[R[M, D]]], mode: Mode | None = None
) -> Callable[Concatenate[P, A], BVar[L[M, Any, D]]]: ...
def jacobian(f: Callable[..., Any], mode: Mode | None = None) -> Callable[..., Any]:
    """The Jacobian of a function: `jacobian(f)(x)[i, j]` is the derivative of `f(x)[i]` by `x[j]`.

    A scalar result or argument leaves out its axis. For a record or another tree, the columns (or rows) are its
    elements in the order of `tree.ravel`.

    Forward mode costs a sweep for each element of the argument, reverse mode one for each of the result; the cheaper
    one is taken unless `mode` asks for "fwd" or "rev". The function itself runs once.

    Raises `NotDifferentiableError` if argument or result hold no BVar.
    """
    if mode not in (None, "fwd", "rev"):
        raise ValueError(f'jacobian: mode {mode!r}; wanted "fwd", "rev" or None')

    @wraps(f)
    def jacobian_of_f(at: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = Inputs([at], ["jacobian"])
        run = Run(lambda x: f(x, *args, **kwargs), inputs)
        outputs = tree.leaves(run.output)
        if not outputs:
            raise NotDifferentiableError(
                f"jacobian: the function returned a {type(run.output).__name__} without a BVar in it"
            )
        nodes = [run.node(leaf) for leaf in outputs]
        results = [run.result(leaf) for leaf in outputs]
        rows, columns = _size(results), _size(inputs.leaves)
        if not rows or not columns:
            return BVar(np.zeros((rows, columns), dtype_of(results[0])))
        matrix: Any
        if mode == "rev" or (mode is None and rows <= columns):
            last = rows - 1
            pulled = [
                _flat(run.pull([(n, g) for n, g in zip(nodes, basis, strict=True) if n is not None], again=k < last))
                for k, basis in enumerate(_bases(results))
            ]
            matrix = _stacked(pulled, 0)
        else:
            pushed = []
            for basis in _bases(inputs.leaves):
                tangents = push_forward(run.tape.entries, basis, nodes)
                moved = [None if n is None else tangents[n] for n in nodes]
                pushed.append(_flat([zero_like(r) if t is None else t for t, r in zip(moved, results, strict=True)]))
            matrix = _stacked(pushed, 1)
        if _is_scalar(results):
            matrix = matrix[0]
        return matrix[..., 0] if _is_scalar(inputs.leaves) else matrix

    return jacobian_of_f


_stacked: Any = stack  # of rows whose lengths are known at run time only
_joined: Any = concatenate


def _size(leaves: Sequence[BVar[Any]]) -> int:
    return sum(leaf.size for leaf in leaves)


def _is_scalar(leaves: Sequence[BVar[Any]]) -> bool:
    return len(leaves) == 1 and not leaves[0].shape


def _flat(values: Any) -> BVar[Any]:
    """The elements of a tree of BVars or values in one vector."""
    leaves = [as_bvar(v) for v in (tree.leaves(values) or values)]
    pieces: Any = [leaf.reshape(-1) if leaf.shape else _stacked([leaf]) for leaf in leaves]
    return pieces[0] if len(pieces) == 1 else _joined(pieces)  # type: ignore[no-any-return]  # a BVar of unknown size


def _bases(leaves: Sequence[BVar[Any]]) -> Iterator[list[Value]]:
    """For each element of the leaves in turn, values that are 1 there and 0 elsewhere."""
    for k, leaf in enumerate(leaves):
        for position in range(leaf.size):
            values = [zero_like(other) for other in leaves]
            if leaf.shape:
                values[k].reshape(-1)[position] = 1.0
            else:
                values[k] = one_like(leaf)
            yield values


@overload
def hessian(
    f: Callable[Concatenate[BVar[R[N, D]], A], BVar[float]],
) -> Callable[Concatenate[BVar[R[N, D]], A], BVar[L[N, N, D]]]: ...
@overload
def hessian(
    f: Callable[Concatenate[BVar[float], A], BVar[float]],
) -> Callable[Concatenate[BVar[float], A], BVar[float]]: ...
@overload
def hessian(
    f: Callable[Concatenate[P, A], BVar[float]],
) -> Callable[Concatenate[P, A], BVar[L[Any, Any]]]: ...
def hessian(f: Callable[..., Any]) -> Callable[..., Any]:
    """The matrix of second derivatives of a scalar function, by forward over reverse mode.

    For a record, rows and columns are its elements in the order of `tree.ravel`. For a product with a vector, `hvp` is
    cheaper by the number of elements.
    """
    second: Any = jacobian(grad(f), "fwd")
    return second  # type: ignore[no-any-return]  # a function, typed by the overloads


def hvp(f: Callable[Concatenate[P, A], BVar[float]], at: P, tangent: P, /, *args: A.args, **kwargs: A.kwargs) -> P:
    """The Hessian of `f` at `at` times `tangent`, in the type of both, at about the cost of two gradients.

    Forward over reverse mode (Pearlmutter 1994): how the gradient changes as `at` moves along `tangent`.
    """
    return jvp(lambda x: grad(f)(x, *args, **kwargs), at, tangent)[1]
