"""`vjp` and `jvp`: the derivative as a linear map, backward and forward, for functions of and to any tree of BVars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate

from typing_extensions import ParamSpec, TypeVar

from typedprop import tree
from typedprop.arithmetic import zero_like
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError
from typedprop.tape import ancestors
from typedprop.transform.run import Inputs, Run, as_bvar, check_like, separate, value_of

P = TypeVar("P")
Q = TypeVar("Q")
A = ParamSpec("A")


def vjp(f: Callable[Concatenate[P, A], Q], at: P, /, *args: A.args, **kwargs: A.kwargs) -> tuple[Q, Callable[[Q], P]]:
    """The output of `f(at, *args)` and its pullback, which takes a cotangent of the output to the gradient by `at`.

    The output may be any tree of BVars; its cotangent is of the same type. The pullback may be called many times, and
    gives the same bits each time.

    Raises `NotDifferentiableError` if `at` holds no BVar or the output none; the pullback raises `ShapeError` or
    `DTypeError`, naming the path, for a cotangent that does not fit.
    """
    run = Run(f, Inputs(at, "vjp"), args, kwargs)
    leaves, structure = _outputs(run.output, "vjp")
    nodes = [run.node(leaf) for leaf in leaves]
    results = [run.result(leaf) for leaf in leaves]
    run.output = None

    def pullback(cotangent: Q) -> P:
        values = [value_of(b) for b in structure.leaves_of(cotangent, "the cotangent", "the output")]
        check_like(values, results, structure, "cotangent")
        seeds = [(node, value) for node, value in zip(nodes, values, strict=True) if node is not None]
        gradient: P = run.pull(seeds, again=True)
        return gradient

    return structure.unflatten(results), pullback


def jvp(f: Callable[Concatenate[P, A], Q], at: P, tangent: P, /, *args: A.args, **kwargs: A.kwargs) -> tuple[Q, Q]:
    """The output of `f(at, *args)` and how it changes as `at` moves along `tangent`: forward mode.

    Raises `NotDifferentiableError` if `at` holds no BVar or the output none, `ShapeError` or `DTypeError`, naming the
    path, for a tangent that does not fit `at`.
    """
    inputs = Inputs(at, "jvp")
    tangents = inputs.tangents(tangent)
    run = Run(f, inputs, args, kwargs)
    leaves, structure = _outputs(run.output, "jvp")
    nodes = [run.node(leaf) for leaf in leaves]
    pushed = run.push(tangents, ancestors(run.tape.entries, nodes))
    results = [run.result(leaf) for leaf in leaves]
    moved = []
    for node, result in zip(nodes, results, strict=True):
        value = None if node is None else pushed[node]
        moved.append(as_bvar(zero_like(result) if value is None else separate(value, tangents)))
    return structure.unflatten(results), structure.unflatten(moved)


def _outputs(output: Any, name: str) -> tuple[list[BVar[Any]], tree.Structure[Any]]:
    leaves, structure = tree.flatten(output)
    if not leaves:
        raise NotDifferentiableError(
            f"{name}: the function returned a {type(output).__name__} without a BVar in it; "
            "wanted a BVar or a record, tuple, list or dict of them"
        )
    return leaves, structure
