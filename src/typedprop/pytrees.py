"""Records as pytrees of JAX and of optree: `register_jax`, `register_optree`.

    register_jax(Network)
    doubled = jax.tree.map(lambda x: 2 * x, net)          # a Network
    gradient = jax.grad(loss_in_jax)(net)                 # a Network

To JAX, the leaves of a record are the values of its BVars; to optree they are the BVars themselves, as to `tree`. What
a record holds besides is static: JAX compiles again where it differs. Both libraries are optional: `typedprop[jax]`,
`typedprop[optree]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from typedprop import tree
from typedprop.bvar import BVar, constant
from typedprop.errors import NotDifferentiableError
from typedprop.extras import extra

NAMESPACE = "typedprop"


def register_jax(cls: type) -> None:
    """Make instances of `cls` pytrees of JAX: a record, or a `BVar` by itself (`register_jax(BVar)`).

    Records inside it need no registration of their own. In a function that JAX transforms, `.value` of a BVar is JAX's
    own array, to compute with by JAX; what comes back holds NumPy's arrays again, which share JAX's memory on the CPU.
    Inside of a gradient of typedprop, which would end there, it raises `NotDifferentiableError`. Raises ValueError for
    a class that is registered already, as JAX does.
    """
    jax = extra("jax", name="jax", needed_by="register_jax")

    def value_of(child: Any) -> Any:
        if isinstance(child, jax.Array) and not isinstance(child, jax.core.Tracer):
            return np.asarray(child) if child.ndim else float(child)
        return child

    def take_apart(x: Any) -> tuple[list[Any], Any]:
        leaves, structure = tree.flatten(x)
        for leaf, path in zip(leaves, structure.paths(), strict=True):
            if leaf._tape is not None:
                raise NotDifferentiableError(
                    f"register_jax: the BVar{path and f' at {path}'} is inside of a gradient, which does not reach "
                    "through JAX; pass tp.stop_gradient(...) of it"
                )
        return [leaf._value for leaf in leaves], structure

    def with_paths(x: Any) -> tuple[list[tuple[Any, Any]], Any]:
        values, structure = take_apart(x)
        keys = [jax.tree_util.GetAttrKey(path.removeprefix(".")) for path in structure.paths()]
        return list(zip(keys, values, strict=True)), structure

    def put_together(structure: Any, children: Iterable[Any]) -> Any:
        return structure.unflatten([constant(value_of(child)) for child in children])

    jax.tree_util.register_pytree_with_keys(cls, with_paths, put_together, take_apart)


def register_optree(cls: type, *, namespace: str = NAMESPACE) -> None:
    """Make instances of `cls` pytrees of optree in a namespace: `optree.tree_map(f, net, namespace="typedprop")`.

    The leaves are BVars. Records inside need no registration of their own. Raises ValueError for a class that is
    registered already, as optree does.
    """
    optree = extra("optree", name="optree", needed_by="register_optree")

    def take_apart(x: Any) -> tuple[Sequence[BVar[Any]], Any, list[str]]:
        leaves, structure = tree.flatten(x)
        return leaves, structure, structure.paths()

    def put_together(structure: Any, children: Iterable[Any]) -> Any:
        return structure.unflatten(children)

    optree.register_pytree_node(cls, take_apart, put_together, namespace=namespace)
