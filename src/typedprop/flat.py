"""A record as one vector of float64, and back exactly: what libraries that know no records compute with.

Going there, each leaf is copied in C order, whatever its dtype and memory layout. Coming back, each leaf has its own
dtype, shape and memory layout again, in memory of its own. (`tree.ravel` is differentiable instead; this is not.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Generic

import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.bvar import BVar, constant
from typedprop.errors import DTypeError, NotDifferentiableError, ShapeError
from typedprop.tape import Value

P = TypeVar("P")
Vector = npt.NDArray[np.float64]


def plain_leaves(x: object, name: str) -> list[Value]:
    """The floats and arrays at the leaves of a tree of constants, themselves and not copies.

    Raises `NotDifferentiableError`, which begins with `name`, where there is no leaf, or where the tree is inside of a
    gradient, which would silently end there; `DTypeError` for leaves of a registered type, which are no floats.
    """
    leaves, structure = tree.flatten(x)
    if not leaves:
        raise NotDifferentiableError(
            f"{name}: there is no BVar in this {type(x).__name__}; "
            "lift its values, as in BVar(np.zeros(3)) or BVar(1.0)"
        )
    for k, leaf in enumerate(leaves):
        if leaf._tape is not None:
            leaf._tape.check_open()
            raise NotDifferentiableError(
                f"{name}: the BVar{_at(structure, k)} is inside of a gradient, which does not reach through here; "
                "pass tp.stop_gradient(...) of it"
            )
        if not isinstance(leaf._value, float | np.ndarray):
            raise DTypeError(
                f"{name}: the leaf{_at(structure, k)} is a {type(leaf._value).__name__}; wanted floats or float arrays"
            )
    return [leaf._value for leaf in leaves]


def _at(structure: tree.Structure[Any], k: int) -> str:
    path = structure.paths()[k]
    return path and f" at {path}"


class Flat(Generic[P]):
    """How the record that it is made of lies in a vector."""

    __slots__ = ("_parts", "_slices", "_structure", "rounded", "size")

    def __init__(self, record: P, name: str) -> None:
        self._parts = plain_leaves(record, name)
        self._structure = tree.flatten(record)[1]
        ends = [0, *accumulate(np.size(part) for part in self._parts)]
        self._slices = [slice(start, end) for start, end in pairwise(ends)]
        self.size: int = ends[-1]
        """The length of the vector."""
        self.rounded: bool = any(isinstance(part, np.ndarray) and part.itemsize < 8 for part in self._parts)
        """Whether the record holds fewer digits than the vector: a leaf of float32."""
        if not self.size:
            raise ShapeError(f"{name}: the record has no elements, so there is nothing to compute")

    def vector(self, record: P, name: str) -> Vector:
        """The elements of a record that is built like the first; in messages it is called `name`.

        Raises `tree.StructureError` or `ShapeError`, naming the path, where it is not.
        """
        leaves = self._structure.leaves_of(record, name, "the record")
        for k, (leaf, part) in enumerate(zip(leaves, self._parts, strict=True)):
            if leaf.shape != np.shape(part):
                raise ShapeError(
                    f"{name}{_at(self._structure, k)} has shape {leaf.shape}, and the record {np.shape(part)}"
                )
        return self._joined(plain_leaves(record, name))

    def start(self) -> Vector:
        """The elements of the record itself."""
        return self._joined(self._parts)

    def record(self, vector: npt.NDArray[np.floating[Any]]) -> P:
        """The record of these elements; shares no memory with the vector."""
        leaves: list[BVar[Any]] = []
        for part, place in zip(self._parts, self._slices, strict=True):
            if isinstance(part, np.ndarray):
                # Like the part in its memory layout, too.
                leaf = np.empty_like(part)
                leaf[...] = vector[place].reshape(part.shape)
                leaves.append(constant(leaf))
            else:
                leaves.append(constant(float(vector[place.start])))
        return self._structure.unflatten(leaves)

    def place(self, position: int) -> str:
        """Which element of the record is at a position of the vector: `.weight[2, 3]`."""
        for part, place, path in zip(self._parts, self._slices, self._structure.paths(), strict=True):
            if position < place.stop:
                if not isinstance(part, np.ndarray):
                    return path or "the scalar"
                index = ", ".join(map(str, np.unravel_index(position - place.start, part.shape)))
                return f"{path}[{index}]"
        raise IndexError(position)

    def _joined(self, parts: Sequence[Value]) -> Vector:
        vector = np.empty(self.size)
        for part, place in zip(parts, self._slices, strict=True):
            vector[place] = np.ravel(part)
        return vector
