"""The engine is ready for mypyc: what is written otherwise for it is there, and nothing else changes.

That the compiled engine is right, `make compiled` tests, with all other tests.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import mypyc_build
from mypyc_build import COMPILED, rewritten

ROOT = Path(__file__).parents[1]


def source(name: str) -> str:
    return (ROOT / "src" / "typedprop" / f"{name}.py").read_text()


@pytest.mark.parametrize("name", COMPILED)
def test_a_module_is_rewritten_line_for_line(name: str) -> None:
    before, after = source(name), rewritten(name, source(name))
    tree = ast.parse(after)
    assert len(after.splitlines()) - len(before.splitlines()) in (0, 1)  # a last line is added to one of them
    # Functions are where they were; overloads and what only checkers see are gone.
    lines = {(node.name, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    were = {(node.name, node.lineno) for node in ast.walk(ast.parse(before)) if isinstance(node, ast.FunctionDef)}
    assert lines - were <= {("bare", k + 1) for k, line in enumerate(after.splitlines()) if "def bare" in line}
    assert "@overload" not in after
    # No message is written otherwise.
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and "operand is" in str(node.value)}
    was = {node.value for node in ast.walk(ast.parse(before)) if isinstance(node, ast.Constant)}
    assert said <= was
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert not any("Generic" in ast.unparse(base) for base in node.bases)
            assert not any(isinstance(child, ast.If) for child in node.body)


def test_what_python_alone_would_see_is_a_method() -> None:
    (bvar,) = (
        node
        for node in ast.parse(rewritten("bvar", source("bvar"))).body
        if isinstance(node, ast.ClassDef) and node.name == "BVar"
    )
    methods = {node.name for node in bvar.body if isinstance(node, ast.FunctionDef)}
    assert {"__array__", "__float__", "__index__", "__reduce__", "__add__", "__matmul__"} <= methods
    assert "__ne__" not in methods


@pytest.mark.parametrize("name", sorted(mypyc_build._OTHERWISE))
def test_a_source_that_has_changed_is_refused(name: str) -> None:
    for old, _ in mypyc_build._OTHERWISE[name]:
        with pytest.raises(ValueError, match=rf"{name}\.py holds .* 0 times, not once: see _OTHERWISE"):
            rewritten(name, source(name).replace(old, "\n" * old.count("\n")))


def test_the_build_takes_the_mypy_that_is_tested_with() -> None:
    """The library has no pins; a build, which compiles what this mypy has checked, has this one."""
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    (pin,) = (requirement for requirement in dev if requirement.startswith("mypy=="))
    (built,) = re.findall(r'"mypy\[mypyc\](==[\d.]+)"', (ROOT / "hatch_build.py").read_text())
    assert pin == f"mypy{built}"
