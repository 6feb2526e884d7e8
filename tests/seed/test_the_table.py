"""The tables of docs/coming-from-haskell.md: each row has its runnable test, and each test here has its row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "coming-from-haskell.md"
LINK = re.compile(r"\[`?([\w. ]+)`?\]\(([^)]+)\)")
ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| there")]
# The last table is about what there is no row for.
WITHOUT_TEST = PAGE.read_text().split("## What Python does not have")[1]


def links(row: str) -> list[tuple[str, Path]]:
    return [(name, (PAGE.parent / target.partition("#")[0]).resolve()) for name, target in LINK.findall(row)]


@pytest.mark.parametrize("row", [row for row in ROWS if row not in WITHOUT_TEST], ids=lambda row: row[2:40])
def test_each_row_has_a_test(row: str) -> None:
    tests = [(name, path) for name, path in links(row.rsplit("|", 2)[1])]
    assert tests, row
    for name, path in tests:
        assert f"\ndef {name}(" in path.read_text(), f"{path} has no {name}"


def test_links_lead_somewhere() -> None:
    for name, path in links(PAGE.read_text()):
        assert path.is_file(), name


def test_each_test_of_this_folder_has_a_row() -> None:
    named = {(name, path) for row in ROWS for name, path in links(row)}
    for path in HERE.glob("test_*.py"):
        if path != Path(__file__):
            for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE):
                assert (name, path) in named, f"{name} is in no table"
