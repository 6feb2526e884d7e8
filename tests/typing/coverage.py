"""Which public names the programs of this folder use where it counts: in an exact type, or in a mistake."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.typing.checkers import marks


def asserted(program: Path) -> set[str]:
    """The public names within the `assert_type`s of an accept program, as `typedprop.linalg.solve`."""
    tree = ast.parse(program.read_text())
    calls = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assert_type"
    )
    return set(_names(calls, _imported(tree)))


def refused(program: Path) -> set[str]:
    """The public names within the statements of a reject program that hold a line which must be refused."""
    tree = ast.parse(program.read_text())
    wrong = {line for line, mark in marks(program.read_text()).items() if mark.errors}
    return set(_names((node for node in _smallest(tree) if wrong & _lines(node)), _imported(tree)))


def _smallest(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that hold no others, and of those that do, what stands before the body: its decorators too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            if not hasattr(node, "body"):
                yield node
            else:
                yield from (
                    child
                    for child in ast.iter_child_nodes(node)
                    if not isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
                )


def _lines(node: ast.AST) -> set[int]:
    if isinstance(node, ast.expr | ast.stmt | ast.arg):
        return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return {line for child in ast.iter_child_nodes(node) for line in _lines(child)}


def _imported(tree: ast.AST) -> dict[str, str]:
    """What the names of a program stand for: `tp` for `typedprop`, `solve` for `typedprop.linalg.solve`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def _names(nodes: Iterable[ast.AST], known: dict[str, str]) -> Iterator[str]:
    for top in nodes:
        for node in ast.walk(top):
            parts: list[str] = []
            while isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            if isinstance(node, ast.Name) and node.id in known:
                yield ".".join([known[node.id], *reversed(parts)])
