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
from typedprop.arithmetic import one_like, plain, zero_like
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, NotDifferentiableError
from typedprop.ops.joining import stack
from typedprop.ops.ravel import Layout, joined
from typedprop.shapes import L, R
from typedprop.tape import Value, ancestors
from typedprop.transform.gradient import grad, gradient_at
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
    elements in the order of `tree.ravel`. The dtype is that of the result's arrays, or, of a scalar, of the argument's.

    Forward mode costs a sweep for each element of the argument, reverse mode one for each of the result; the cheaper
    one is taken unless `mode` asks for "fwd" or "rev". The function itself runs once.

    Raises `NotDifferentiableError` if argument or result hold no BVar.
    """
    if mode not in (None, "fwd", "rev"):
        raise ValueError(f'jacobian: mode {mode!r}; wanted "fwd", "rev" or None')

    @wraps(f)
    def jacobian_of_f(at: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = Inputs(at, "jacobian")
        run = Run(f, inputs, args, kwargs)
        outputs = tree.leaves(run.output)
        if not outputs:
            raise NotDifferentiableError(
                f"jacobian: the function returned a {type(run.output).__name__} without a BVar in it"
            )
        nodes = [run.node(leaf) for leaf in outputs]
        results = [run.result(leaf) for leaf in outputs]
        rows, columns = _size(results), _size(inputs.leaves)
        of_results, of_inputs = _dtype(results), _dtype(inputs.leaves)
        dtype = of_results or of_inputs or np.dtype(np.float64)
        if not rows or not columns:
            return BVar(np.zeros((rows, columns), dtype))
        matrix: Any
        if mode == "rev" or (mode is None and rows <= columns):
            last = rows - 1
            pulled = []
            for k, basis in enumerate(_bases(results)):
                seeds = [(n, g) for n, g in zip(nodes, basis, strict=True) if n is not None]
                pulled.append(_flat([run.pull(seeds, again=k < last)], dtype))
            matrix = _stacked(pulled, 0)
        else:
            pushed = []
            wanted = ancestors(run.tape.entries, nodes)
            for basis in _bases(inputs.leaves):
                tangents = run.push(basis, wanted)
                moved = [None if n is None else tangents[n] for n in nodes]
                whole = [zero_like(r) if t is None else t for t, r in zip(moved, results, strict=True)]
                pushed.append(_flat(whole, dtype))
            matrix = _stacked(pushed, 1)
        if _is_scalar(results):
            matrix = matrix[0]
        return matrix[..., 0] if _is_scalar(inputs.leaves) else matrix

    return jacobian_of_f


_stacked: Any = stack  # of rows whose lengths are known at run time only


def _size(leaves: Sequence[BVar[Any]]) -> int:
    return sum(leaf.size for leaf in leaves)


def _is_scalar(leaves: Sequence[BVar[Any]]) -> bool:
    return len(leaves) == 1 and not leaves[0].shape


def _dtype(leaves: Sequence[BVar[Any]]) -> np.dtype[Any] | None:
    """The dtype that holds those of all arrays; None where there are only scalars, which have none of their own."""
    for leaf in leaves:
        if not isinstance(plain(leaf), float | np.ndarray):
            raise DTypeError(f"jacobian: wanted floats and arrays of floats, got a {type(plain(leaf)).__name__}")
    dtypes = [leaf.dtype for leaf in leaves if leaf.shape]
    return np.result_type(*dtypes) if dtypes else None


def _flat(values: Any, dtype: np.dtype[Any]) -> BVar[Any]:
    """The elements of a tree of BVars or values in one vector."""
    leaves = [as_bvar(v) for v in (tree.leaves(values) or values)]
    if len(leaves) == 1 and leaves[0].shape and leaves[0].dtype == dtype:
        return leaves[0].reshape(-1)
    return joined(leaves, Layout([x.shape for x in leaves], [x.dtype for x in leaves], dtype))  # type: ignore[no-any-return]  # of unknown size


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
) -> Callable[Concatenate[P, A], BVar[L[Any, Any, Any]]]: ...
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
    product: P = jvp(lambda x: gradient_at(f, x, *args, **kwargs), at, tangent)[1]
    return product
