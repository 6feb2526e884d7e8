"""`checkpoint`: remember a function's arguments instead of its intermediate results, and run it again when needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from typing_extensions import TypeVar

from typedprop import tree
from typedprop.arithmetic import zero_like
from typedprop.bvar import BVar, innermost, seen_from
from typedprop.errors import NotDifferentiableError
from typedprop.op import on, record_joint
from typedprop.tape import Joint, Parts, Value, ancestors
from typedprop.transform.run import WATCH, Inputs, Run, as_bvar, value_of

# Any callable. (As Callable[A, Q], a generic function would lose its sizes for pyrefly and zuban.)
F = TypeVar("F", bound=Callable[..., Any])


def checkpoint(f: F) -> F:
    """`f` with a gradient that takes less memory and one more run of `f`: its intermediate results are not kept.

    `f` takes and returns any trees of BVars. Everything that it differentiates must be among its arguments: a BVar of
    the running gradient that it captures instead raises `NotDifferentiableError`.
    """

    @wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        tape = innermost(*leaves)
        if tape is None:
            return f(*args, **kwargs)
        seen = [as_bvar(seen_from(tape, leaf)) for leaf in leaves]

        def run_with(some: Sequence[BVar[Any]], positions: Sequence[int]) -> Any:
            everything = list(seen)
            for position, leaf in zip(positions, some, strict=True):
                everything[position] = leaf
            again, keywords = structure.unflatten(everything)
            return f(*again, **keywords)

        def run_watched() -> Any:
            # Nobody wants this derivative yet, but whoever looks for a NaN wants to know of each result.
            run = Run(run_with, Inputs(tuple(seen), "checkpoint"), (range(len(seen)),))
            return tree.map(run.result, run.output)

        outputs, output_structure = tree.flatten(run_with([], []) if WATCH.get() is None else run_watched())
        if any(on(tape, leaf) for leaf in outputs):
            raise NotDifferentiableError(
                f"checkpoint: {getattr(f, '__name__', 'the function')} uses a BVar of the running gradient that is not "
                "among its arguments; pass it as one"
            )

        def joint(positions: list[int]) -> Joint:
            mine = tuple(seen[k] for k in positions)

            def rerun() -> tuple[Run, list[int | None], list[BVar[Any]]]:
                run = Run(run_with, Inputs(mine, "checkpoint"), (positions,))
                again = tree.leaves(run.output)
                nodes, results = [run.node(leaf) for leaf in again], [run.result(leaf) for leaf in again]
                run.output = None
                return run, nodes, results

            def pull(cotangent: Any) -> list[Value]:
                run, nodes, _ = rerun()
                parts = cotangent.parts if type(cotangent) is Parts else {0: cotangent}
                seeds = [(node, parts[k]) for k, node in enumerate(nodes) if node is not None and k in parts]
                return [value_of(leaf) for leaf in run.pull(seeds)]

            def push(tangents: Sequence[Value]) -> Any:
                run, nodes, results = rerun()
                values = [zero_like(x) if t is None else t for t, x in zip(tangents, mine, strict=True)]
                pushed = run.push(values, ancestors(run.tape.entries, nodes))
                moved = [None if node is None else pushed[node] for node in nodes]
                whole = [zero_like(x) if t is None else t for t, x in zip(moved, results, strict=True)]
                return tuple(whole) if len(outputs) > 1 else whole[0]

            return Joint("checkpoint", pull, push)

        values = [value_of(leaf) for leaf in outputs]
        recorded = record_joint(tape, tuple(values) if len(values) > 1 else values[0], leaves, joint)
        return output_structure.unflatten(list(recorded) if len(values) > 1 else [recorded])

    return checkpointed  # type: ignore[return-value]  # of the same signature
