"""optree: pytrees in C++, with its own integration of attrs classes."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
import numpy as np
import optree
from optree.integrations.attrs import register_node

from benchmarks.contender import Call, Contender
from benchmarks.work import Array, Tree


@register_node(namespace="benchmarks")
@attrs.frozen
class Layer:
    weight1: Array
    bias1: Array
    weight2: Array
    bias2: Array


@register_node(namespace="benchmarks")
@attrs.frozen
class Layers:
    layers: list[Layer]


def tree_of(work: Tree) -> Any:
    """One record of four fields, or a record of a list of them; optree takes trees of any type."""
    weight, bias = np.zeros((2, 2)), np.zeros(2)
    if work.layers == 1:
        return Layer(weight, bias, weight, bias)
    return Layers([Layer(weight, bias, weight, bias) for _ in range(work.layers)])


class ByOptree(Contender):
    """optree."""

    name: ClassVar[str] = "optree"
    peer: ClassVar[bool] = True

    def flatten(self, work: Tree) -> Call:
        tree = tree_of(work)
        return lambda: optree.tree_flatten(tree, namespace="benchmarks")

    def flatten_and_rebuild(self, work: Tree) -> Call:
        tree = tree_of(work)

        def there_and_back() -> object:
            leaves, structure = optree.tree_flatten(tree, namespace="benchmarks")
            return optree.tree_unflatten(structure, leaves)

        return there_and_back

    def arrays(self, result: object) -> list[Array]:
        tree: Any = result
        return [np.asarray(leaf) for leaf in optree.tree_leaves(tree, namespace="benchmarks") if np.ndim(leaf)]
