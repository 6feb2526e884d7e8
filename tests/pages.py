"""What the documentation holds: its pages, their blocks of code, and the code in their tables."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in p.parts)]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


class Row(NamedTuple):
    """A row that says what is written elsewhere, and here. A cell that is one piece of code is an expression."""

    there: str | None
    here: str | None
    differs: str


def rows(page: Path) -> list[Row]:
    """The rows of all tables whose columns are another library's name, `typedprop` and `what differs`."""
    head = r"^\| [^|\n]* \| typedprop \| what differs \|\n\|.*\n"
    found = []
    for table in re.findall(head + r"((?:\|.*\n)+)", page.read_text(), re.MULTILINE):
        for line in table.splitlines():
            there, here, differs = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            found.append(Row(code(there), code(here), differs))
    return found


def code(cell: str) -> str | None:
    """The code of a cell that is nothing else."""
    alone = re.fullmatch(r"`([^`]+)`", cell)
    return alone[1].replace("\\|", "|") if alone else None


def program(page: Path) -> str:
    """The Python blocks of a page, and after them what stands in its tables, as one program."""
    lines = [statement(row.here, k) for k, row in enumerate(rows(page)) if row.here]
    return "\n\n".join([*blocks(page, "python"), "\n".join(lines)])


def statement(expression: str, k: int) -> str:
    """As a line of a program, in which an expression that is no call must not stand alone."""
    return expression if isinstance(ast.parse(expression, mode="eval").body, ast.Call) else f"row_{k} = {expression}"
