"""Paths, as messages show them: where in a tree or record something is, such as `.layers[0].weight1`.

A path is linked from its end, so that the paths of a deep tree cost nothing until one is written.
"""

from __future__ import annotations

from typing import Final

Path = tuple["Path", str] | None
"""The way to the holder and the last step, as in `(None, ".layers")`; None for the tree itself."""

_MOST_STEPS: Final = 40


def written(path: Path) -> str:
    """The path as text, shortened in the middle if it is very long."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(step)
    if len(steps) > _MOST_STEPS:
        half = _MOST_STEPS // 2
        steps[half:-half] = [f" ... {len(steps) - 2 * half} more ... "]
    return "".join(reversed(steps))
