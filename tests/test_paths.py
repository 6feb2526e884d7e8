"""Paths as messages show them."""

from __future__ import annotations

from typedprop.paths import Path, written


def test_a_path_is_written_from_its_beginning() -> None:
    assert written(None) == ""
    assert written(((None, ".layers"), "[0]")) == ".layers[0]"


def test_a_long_path_is_shortened_in_the_middle() -> None:
    path: Path = None
    for step in range(1_000):
        path = (path, f"[{step}]")
    assert written(path) == (
        "".join(f"[{step}]" for step in range(20))
        + " ... 960 more ... "
        + "".join(f"[{step}]" for step in range(980, 1_000))
    )
