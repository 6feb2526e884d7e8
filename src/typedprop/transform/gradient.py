"""`grad`, `value_and_grad` and `backprop`: the gradient of a scalar function, in the type of its argument."""

# The overloads of argnums go from the default to tuples.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Literal, overload

import numpy as np
from typing_extensions import ParamSpec, TypeVar

from typedprop.arithmetic import one_like
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError
from typedprop.leaves import leaf_type
from typedprop.transform.differentiated import Differentiated
from typedprop.transform.run import Inputs, Run

P = TypeVar("P")
Q = TypeVar("Q")
S = TypeVar("S")
V = TypeVar("V")
A = ParamSpec("A")


def backprop(f: Callable[Concatenate[P, A], BVar[V]], at: P, /, *args: A.args, **kwargs: A.kwargs) -> tuple[BVar[V], P]:
    """The value of `f(at, *args)` and its gradient by `at`, in one go. Type checkers infer lambdas here.

    `at` is a BVar or any tree of them (records, tuples, lists, dicts); the gradient is of the same type. For a result
    that is not a scalar, it is the gradient of the sum of its elements.

    Raises `NotDifferentiableError` if `at` holds no BVar or `f` returns no BVar.
    """
    run = Run(f, Inputs(at, "backprop"), args, kwargs)
    output: Any = run.output
    if type(output) is not BVar and (
        isinstance(output, bool) or not (isinstance(output, float | int | np.floating) or leaf_type(type(output)))
    ):
        raise NotDifferentiableError(
            f"backprop: the function must return a BVar, but returned a {type(output).__name__}"
        )
    node = run.node(output)
    value = run.result(output)
    gradient: P = run.pull([] if node is None else [(node, one_like(output))])
    return value, gradient


@overload
def grad(f: Callable[Concatenate[P, A], BVar[float]], argnums: Literal[0] = 0) -> Callable[Concatenate[P, A], P]: ...
@overload
def grad(f: Callable[Concatenate[P, Q, A], BVar[float]], argnums: Literal[1]) -> Callable[Concatenate[P, Q, A], Q]: ...
@overload
def grad(
    f: Callable[Concatenate[P, Q, S, A], BVar[float]], argnums: Literal[2]
) -> Callable[Concatenate[P, Q, S, A], S]: ...
@overload
def grad(
    f: Callable[Concatenate[P, Q, A], BVar[float]], argnums: tuple[Literal[0], Literal[1]]
) -> Callable[Concatenate[P, Q, A], tuple[P, Q]]: ...
@overload
def grad(
    f: Callable[Concatenate[P, Q, S, A], BVar[float]], argnums: tuple[Literal[0], Literal[1], Literal[2]]
) -> Callable[Concatenate[P, Q, S, A], tuple[P, Q, S]]: ...
def grad(f: Callable[..., BVar[float]], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The gradient of a scalar function: `grad(f)(net, x)` is of the type of `net`.

    `argnums` says by which positional argument, or by which ones (then a tuple of gradients); further arguments pass
    through. What the function does not depend on gets zeros of its own shape and dtype. Gradients are BVars again, so
    `grad(grad(f))` and losses that contain gradients work.

    Raises `NotDifferentiableError` if the argument holds no BVar or the loss is no scalar, `DTypeError` if a plain
    argument is not of floats.
    """
    differentiated = Differentiated(f, argnums)

    @wraps(f)
    def gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        return differentiated.gradient(args, kwargs)

    return gradient_of_f


@overload
def value_and_grad(
    f: Callable[Concatenate[P, A], BVar[float]], argnums: Literal[0] = 0
) -> Callable[Concatenate[P, A], tuple[BVar[float], P]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[P, Q, A], BVar[float]], argnums: Literal[1]
) -> Callable[Concatenate[P, Q, A], tuple[BVar[float], Q]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[P, Q, S, A], BVar[float]], argnums: Literal[2]
) -> Callable[Concatenate[P, Q, S, A], tuple[BVar[float], S]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[P, Q, A], BVar[float]], argnums: tuple[Literal[0], Literal[1]]
) -> Callable[Concatenate[P, Q, A], tuple[BVar[float], tuple[P, Q]]]: ...
@overload
def value_and_grad(
    f: Callable[Concatenate[P, Q, S, A], BVar[float]], argnums: tuple[Literal[0], Literal[1], Literal[2]]
) -> Callable[Concatenate[P, Q, S, A], tuple[BVar[float], tuple[P, Q, S]]]: ...
def value_and_grad(f: Callable[..., BVar[float]], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Like `grad`, and the value of the loss with it: `value, gradient = value_and_grad(f)(net, x)`."""
    differentiated = Differentiated(f, argnums)

    @wraps(f)
    def value_and_gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        run = differentiated.run(args, kwargs)
        gradient = differentiated.gradient_of(run)
        return run.result(run.output), gradient

    return value_and_gradient_of_f


def gradient_at(f: Callable[..., BVar[float]], at: Any, /, *args: Any, **kwargs: Any) -> Any:
    """`grad(f)(at, *args, **kwargs)`, for other transformations: what `grad` gives looks like `f`, which takes time."""
    return Differentiated(f).gradient((at, *args), kwargs)
