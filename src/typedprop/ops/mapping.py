"""A differentiable function of scalars, applied to each element of a vector or matrix: map and zip_with.

For functions that are easier to write for one number, with an `if`, a loop or another model in them. Each element is
computed by itself, in Python: where an operation on whole arrays will do, it is much faster.
"""

# The overloads go from exact to gradual, and a plain function is a function of BVars too.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, dtype_of, shape_of
from typedprop.bvar import BVar, innermost, mixed, seen_from
from typedprop.errors import ShapeError
from typedprop.index_sum import is_plain
from typedprop.op import checked_plain, record_joint
from typedprop.shapes import L, R
from typedprop.tape import Joint, Value

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
Arr = TypeVar("Arr", bound=np.ndarray[Any, Any])
Scalar: TypeAlias = BVar[float]


@overload
def map(f: Callable[[Scalar], Scalar], x: BVar[Arr], /) -> BVar[Arr]: ...
@overload
def map(f: Callable[[float], float], x: Arr, /) -> Arr: ...
@overload
def map(f: Callable[[float], Scalar], x: Arr, /) -> BVar[Arr]: ...
def map(f: Callable[[Any], Any], x: Any, /) -> Any:
    """`f` of each element of `x`, in the shape and dtype of `x`.

    `f` takes a scalar and returns one: of a BVar's elements a `BVar[float]`, of a plain array's a float, or a
    `BVar[float]` if it uses other BVars. Gradients flow through `f` to those too.

    Raises `ShapeError` if `f` returns something that is not a scalar.
    """
    return _gather("map", [f(element) for element in _elements("map", x)], x, type(x) is BVar)


@overload
def zip_with(f: Callable[[Scalar, Scalar], Scalar], x: BVar[Arr], y: BVar[Arr], /) -> BVar[Arr]: ...
@overload
def zip_with(f: Callable[[Scalar, float], Scalar], x: BVar[Arr], y: Arr, /) -> BVar[Arr]: ...
@overload
def zip_with(f: Callable[[float, Scalar], Scalar], x: Arr, y: BVar[Arr], /) -> BVar[Arr]: ...
@overload
def zip_with(f: Callable[[float, float], float], x: R[N, D], y: R[N, D], /) -> R[N, D]: ...
@overload
def zip_with(f: Callable[[float, float], float], x: L[M, N, D], y: L[M, N, D], /) -> L[M, N, D]: ...
@overload
def zip_with(f: Callable[[float, float], Scalar], x: R[N, D], y: R[N, D], /) -> BVar[R[N, D]]: ...
@overload
def zip_with(f: Callable[[float, float], Scalar], x: L[M, N, D], y: L[M, N, D], /) -> BVar[L[M, N, D]]: ...
def zip_with(f: Callable[[Any, Any], Any], x: Any, y: Any, /) -> Any:
    """`f` of each two elements of `x` and `y` in the same place, in their shape and dtype; otherwise as `map`.

    Raises `ShapeError` if the sizes differ, or if `f` returns something that is not a scalar, `DTypeError` for float32
    beside float64.
    """
    pairs = zip(_elements("zip_with", x), _elements("zip_with", y), strict=False)
    if shape_of(x) != shape_of(y):
        raise ShapeError(f"zip_with: {describe(shape_of(x))} and {describe(shape_of(y))}; sizes must be equal")
    like = x if dtype_of(x).kind == "f" else y
    if dtype_of(y).kind == "f" and dtype_of(y) != dtype_of(like):
        raise mixed("zip_with", dtype_of(x), dtype_of(y))
    return _gather("zip_with", [f(a, b) for a, b in pairs], like, type(x) is BVar or type(y) is BVar)


def _elements(name: str, x: Any) -> list[Any]:
    """The elements in C order: BVars of a BVar, floats of a plain array."""
    given: Any = x if type(x) is BVar else checked_plain(name, x)
    if not shape_of(given):
        raise ShapeError(f"{name}: wanted an array, got a float; call the function itself")
    flat = given.reshape(-1)
    return list(flat) if type(x) is BVar else flat.tolist()


def _gather(name: str, scalars: list[Any], like: Any, lift: bool) -> Any:
    """The scalars as an array of the shape and dtype of `like`; with `lift` a BVar, even of no scalars at all."""
    for scalar in scalars:
        if shape_of(scalar):
            raise ShapeError(f"{name}: the function returned {describe(shape_of(scalar))}; wanted a scalar")
        if type(scalar) is not BVar:
            checked_plain(name, scalar)
    shape, dtype = shape_of(like), dtype_of(like)
    result = gather(name, scalars, shape, dtype if dtype.kind == "f" else np.dtype(np.float64))
    return BVar(result) if lift and not scalars else result


def gather(name: str, scalars: Sequence[Any], shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Scalars put together, in C order, as one operation."""
    tape = innermost(*scalars)
    values = [seen_from(tape, scalar) for scalar in scalars]
    y: Value
    if any(type(value) is BVar for value in values):
        y = gather(name, values, shape, dtype)
    else:
        y = np.array(values, dtype).reshape(shape)

    # Not the scalars themselves: held by an entry of their own tape they would be a reference cycle.
    count = len(scalars)

    def joint(mine: list[int]) -> Joint:
        def pull(g: Value) -> list[Any]:
            flat = g.reshape(-1).tolist() if is_plain(g) else list(g.reshape(-1))
            return [flat[k] for k in mine]

        def push(tangents: Sequence[Any]) -> Any:
            scattered = [0.0] * count
            for k, t in zip(mine, tangents, strict=True):
                scattered[k] = 0.0 if t is None else t
            return gather(name, scattered, shape, dtype)

        return Joint(name, pull, push)

    return record_joint(tape, y, scalars, joint)
