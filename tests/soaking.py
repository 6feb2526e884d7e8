"""How much the tests of concurrency, faults and load do: a little of it in `make test`, all of it in `make soak`."""

from __future__ import annotations

import os

SOAK: bool = os.environ.get("TYPEDPROP_SOAK") == "1"


def size(light: int, heavy: int) -> int:
    """A number of rounds or a size: `heavy` in `make soak`."""
    return heavy if SOAK else light


def report(words: str) -> None:
    """Say what was measured; `make soak` shows it."""
    print(f"\n    {words}")  # it is what the soak is run for
