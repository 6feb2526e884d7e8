"""What an optimiser is: `init` makes its memory for a record, `update` turns a gradient into what to add to the record.

    o = optim.adam(1e-3)
    state = o.init(net)
    for x, target in batches:
        updates, state = o.update(tp.grad(loss)(net, x, target), state, net)
        net = net + updates

Nothing is changed in place, and nothing is shared: records, gradients and states of earlier steps stay what they were.
An optimiser is a value that may be used for many records at once; what it remembers of each is in the state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.bvar import constant
from typedprop.errors import DTypeError, ShapeError
from typedprop.flat import plain_leaves
from typedprop.tape import Value

P = TypeVar("P")


class State(Generic[P]):
    """What an optimiser remembers of a record of type P; each optimiser has a class of its own for it.

    A state is a tree whose leaves are numbers and records like P, the count of its steps included, so it can be saved
    and loaded as one.
    """

    __slots__ = ()


@attrs.frozen
class Stateless(State[P]):
    """The state of what needs to remember nothing."""


class Optimizer(ABC):
    """A rule by which gradients become updates. A step of a `chain`, such as clipping, is one too."""

    __slots__ = ()

    @abstractmethod
    def init(self, record: P) -> State[P]:
        """The state before the first step, for records of this type and these shapes."""

    @abstractmethod
    def update(self, gradient: P, state: State[P], record: P) -> tuple[P, State[P]]:
        """What to add to the record, and the next state.

        Raises `tree.StructureError`, `ShapeError` or `DTypeError`, naming the path, if gradient, state and record are
        not built alike, and TypeError for the state of another optimiser.
        """


def apply_updates(record: P, updates: P) -> P:
    """The record plus the updates, for trees that are no `Record` and have no `+`: lists, tuples, dicts.

    Raises as `Optimizer.update` does.
    """
    (new,) = leafwise("apply_updates", lambda x, u: (x + u,), {"the record": record, "the updates": updates})
    return new


def wrong_state(name: str, state: object, wanted: type) -> TypeError:
    """The error for the state of another optimiser."""
    return TypeError(
        f"{name}: the state is a {type(state).__name__}; wanted the {wanted.__name__} that this optimiser's init or "
        "update gave"
    )


def zeros_like(record: P, name: str, fill: float = 0.0) -> P:
    """A record of zeros, or of another number, of the same shapes and dtypes."""
    (zeros,) = leafwise(name, lambda x: (np.full_like(x, fill),), {"the record": record})
    return zeros


def leafwise(name: str, f: Callable[..., tuple[Value, ...]], trees: dict[str, P]) -> list[P]:
    """New trees, made of what `f` gives for the arrays at the same place of the given ones.

    A scalar is an np.float64 for `f`, which computes like an array. `f` may work in place on what it made itself.
    """
    first_name, first = next(iter(trees.items()))
    structure: tree.Structure[P] = tree.flatten(first)[1]
    columns = []
    for each, x in trees.items():
        if x is not first:
            structure.leaves_of(x, f"{name}: {each}", first_name)
        columns.append(plain_leaves(x, f"{name}: {each}"))
    results = []
    for k, row in enumerate(zip(*columns, strict=True)):
        like = row[0]
        for each, value in zip(trees, row, strict=True):
            _check_like(value, like, structure, k, f"{name}: {each}", first_name)
        if isinstance(like, np.ndarray):
            results.append([constant(y) for y in f(*row)])
        else:
            results.append([constant(float(y)) for y in f(*map(np.float64, row))])
    return [structure.unflatten(leaves) for leaves in zip(*results, strict=True)]


def _check_like(value: Value, like: Value, structure: tree.Structure[Any], k: int, name: str, like_name: str) -> None:
    """That leaf `k` is of the same shape and dtype in two trees: nothing is broadcast or promoted."""
    if value is like:
        return
    shape, wanted = np.shape(value), np.shape(like)
    if shape != wanted or (shape and value.dtype != like.dtype):
        path = structure.paths()[k]
        at = path and f" at {path}"
        if shape != wanted:
            raise ShapeError(f"{name}{at} has shape {shape}, and {like_name} has shape {wanted}")
        raise DTypeError(f"{name}{at} is {value.dtype}, and {like_name} is {like.dtype}")
