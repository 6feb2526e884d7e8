"""Every operation of the table has a line in the accepted programs that says its type, for a BVar and for plain data.

The lines are run by test_programs.py under every checker, and their values held against their types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.row import Row
from tests.ops.table import TABLE
from tests.typing.checkers import PROGRAMS

ROWS: dict[str, Row] = {}
for one_row in TABLE:
    ROWS.setdefault(one_row.name, one_row)

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.Pow: "__pow__",
    ast.MatMult: "__matmul__",
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Subscript: "__getitem__",
}
# What the programs call the namespaces.
NAMESPACES = {"tp": "", "special": "special.", "la": "linalg.", "linalg": "linalg.", "tp.special": "special."}


def mentioned(expression: ast.expr) -> Iterator[str]:
    """The rows that an expression uses. A name stands for the function, and after a dot for the method too."""
    for node in ast.walk(expression):
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            kind = OPERATORS.get(type(node.op))
            if kind:
                yield f"BVar.{kind}"
                yield f"BVar.__r{kind[2:]}"
        elif isinstance(node, ast.Subscript):
            yield "BVar.__getitem__"
        elif isinstance(node, ast.Name):
            yield "BVar.__abs__" if node.id == "abs" else "BVar.__iter__" if node.id == "list" else node.id
        elif isinstance(node, ast.Attribute):
            namespace = NAMESPACES.get(ast.unparse(node.value))
            if namespace is not None:
                yield namespace + node.attr
            elif isinstance(node.value, ast.Call) and ast.unparse(node.value.func).endswith(".at"):
                yield f"BVar.at.{node.attr}"
            else:
                yield f"BVar.{node.attr}"


def typed_lines(program: Path) -> Iterator[tuple[str, str]]:
    """For each `assert_type(expression, type)`, the rows that the expression uses, with the type."""
    for node in ast.walk(ast.parse(program.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_type":
            expression, promised = node.args
            for name in mentioned(expression):
                yield name, ast.unparse(promised)


TYPES: dict[str, list[str]] = {}
for one_program in PROGRAMS:
    if one_program.name.startswith("accept_"):
        for one_name, one_type in typed_lines(one_program):
            TYPES.setdefault(one_name, []).append(one_type)


@pytest.mark.parametrize("name", ROWS)
def test_an_operation_has_its_type_in_a_program(name: str) -> None:
    types = TYPES.get(name, [])
    if ROWS[name].orders:
        assert any("BVar" in promised for promised in types), f"no accept_*.py asserts the type of {name} of a BVar"
    if not name.startswith("BVar."):
        assert any("BVar" not in promised for promised in types), (
            f"no accept_*.py asserts the type of {name} of plain data"
        )


def test_names_are_read() -> None:
    (call,) = ast.parse("tp.exp(la.inv(w) @ -x)[0].sum() + y.at(0).set(1.0) + kron(a, b)").body
    assert isinstance(call, ast.Expr)
    assert {*mentioned(call.value)} >= {
        *("exp", "linalg.inv", "BVar.__matmul__", "BVar.__rmatmul__", "BVar.__neg__", "BVar.__getitem__"),
        *("BVar.sum", "BVar.at.set", "kron", "BVar.__add__"),
    }
    assert "special.inv" not in mentioned(call.value)
