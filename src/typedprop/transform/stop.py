"""`stop_gradient` and `no_gradient`: a value without its history, and a function that must not be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from typing_extensions import TypeVar

from typedprop import tree
from typedprop.arithmetic import plain
from typedprop.bvar import constant, innermost, seen_from
from typedprop.errors import NotDifferentiableError
from typedprop.op import record_joint
from typedprop.tape import Joint
from typedprop.transform.run import as_bvar, value_of

P = TypeVar("P")
# Any callable. (As Callable[A, Q], a generic function would lose its sizes for pyrefly and zuban.)
F = TypeVar("F", bound=Callable[..., Any])


def stop_gradient(x: P) -> P:
    """`x` as a constant: the same values, through which no derivative of any order or mode flows.

    `x` may be a BVar or any tree of them.
    """
    return tree.map(lambda leaf: constant(plain(leaf)), x)


def no_gradient(f: F) -> F:
    """`f`, declared to have no derivative: its value may be used freely, and only a cotangent or tangent that reaches
    it raises `NotDifferentiableError`.

    `f` takes and returns any trees of BVars, and is not recorded.
    """
    name = getattr(f, "__name__", "the function")

    def refuse(_: Any) -> NoReturn:
        raise NotDifferentiableError(
            f"no_gradient: a derivative was asked through {name}, which has none; stop_gradient(...) its result to "
            "treat it as a constant"
        )

    @wraps(f)
    def undifferentiated(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten((args, kwargs))
        tape = innermost(*leaves)
        if tape is None:
            return f(*args, **kwargs)
        again, keywords = structure.unflatten([as_bvar(seen_from(tape, leaf)) for leaf in leaves])
        outputs, output_structure = tree.flatten(f(*again, **keywords))
        if not outputs:
            return output_structure.unflatten([])
        values = [value_of(leaf) for leaf in outputs]
        several = len(values) > 1
        value = tuple(values) if several else values[0]
        recorded = record_joint(tape, value, leaves, lambda _: Joint(name, refuse, refuse))
        return output_structure.unflatten(list(recorded) if several else [recorded])

    return undifferentiated  # type: ignore[return-value]  # of the same signature
