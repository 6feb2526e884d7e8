"""Which libraries typedprop is compared to, and in which process each is measured.

A peer that is not installed is left out, and its column says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from benchmarks.by_buffers import ByBuffers
from benchmarks.by_hand import ByHand
from benchmarks.by_layers import ByLayers
from benchmarks.by_typedprop import ByMatching, ByTypedprop
from benchmarks.contender import Contender

OURS: tuple[type[Contender], ...] = (ByHand, ByTypedprop)

# A name for each process; the package that it needs; the module and classes that do the work with it.
PEERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "autograd": ("autograd", "by_autograd", ("ByAutograd",)),
    "torch": ("torch", "by_torch", ("ByTorch",)),
    "jax": ("jax", "by_jax", ("ByJax", "ByJit")),
    "optree": ("optree", "by_optree", ("ByOptree",)),
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
    _, module, names = PEERS[peer]
    found: Sequence[type[Contender]] = [getattr(import_module(f"benchmarks.{module}"), name) for name in names]
    return [cls() for cls in (*OURS, *found)]
