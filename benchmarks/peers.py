"""Which libraries typedprop is compared to, and in which process each is measured.

A peer that is not installed is left out, and its column says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from benchmarks.by_buffers import ByBuffers
from benchmarks.by_hand import ByHand
from benchmarks.by_layers import ByLayers
from benchmarks.by_typedprop import ByMatching, ByTypedprop
from benchmarks.contender import Contender

OURS: tuple[type[Contender], ...] = (ByHand, ByTypedprop)


class Peer(NamedTuple):
    """A library: its package, the module and the classes that do the work with it, and the names of these."""

    package: str
    module: str
    classes: tuple[str, ...]
    contenders: tuple[str, ...]


# By the name of the process. The names of contenders are here too, for who is not installed has a column as well.
PEERS = {
    "autograd": Peer("autograd", "by_autograd", ("ByAutograd",), ("autograd",)),
    "torch": Peer("torch", "by_torch", ("ByTorch",), ("torch",)),
    "jax": Peer("jax", "by_jax", ("ByJax", "ByJit"), ("JAX eager", "JAX jit")),
    "optree": Peer("optree", "by_optree", ("ByOptree",), ("optree",)),
}


def installed(package: str) -> str | None:
    """The version of a package; None if it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def contenders_of(peer: str) -> list[Contender]:
    """By hand, typedprop, and who else is measured in the process of this name."""
    if peer == "numpy":
        return [ByHand(), ByTypedprop(), ByBuffers(), ByMatching()]
    if peer == "ways":
        return [ByHand(), ByTypedprop(), ByMatching(), ByLayers()]
    library = PEERS[peer]
    module = import_module(f"benchmarks.{library.module}")
    found: Sequence[type[Contender]] = [getattr(module, name) for name in library.classes]
    return [cls() for cls in (*OURS, *found)]
