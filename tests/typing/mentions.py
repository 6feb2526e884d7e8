"""Which public functions and classes does a line of a program put to the test?

A line tests what it calls at its outermost, or decorates with, or annotates: `tp.grad(loss)(net, tp.ones(n))` is a line
of `grad` and not of `ones`. A name is followed through the program's imports to the object itself, so that
`special.softmax` and `tp.softmax` are one. Aliases of types are not followed.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, NoneType
from typing import ParamSpec, TypeVar, TypeVarTuple, get_type_hints

from tests.typing.checkers import PROGRAMS, marks
from tests.typing.public import MODULES

Found = dict[int, list[str]]
"""The lines of each object, by its `id`, as `program:line`."""


def exported(module: str) -> dict[str, object]:
    """The public names of a module with what they stand for; modules are asked for on their own."""
    loaded = importlib.import_module(module)
    listed: list[str] | None = getattr(loaded, "__all__", None)
    found: dict[str, object] = {name: getattr(loaded, name) for name in listed or vars(loaded)}
    return {
        name: value
        for name, value in found.items()
        if not isinstance(value, ModuleType)
        and (listed or not name.startswith("_"))
        # A module without a list exports what it defines, and not what it imports.
        and (listed or getattr(value, "__module__", "") == module)
        and not isinstance(value, TypeVar | TypeVarTuple | ParamSpec)
    }


def imports(tree: ast.Module) -> dict[str, object]:
    """What a program's imports from typedprop bind."""
    bound: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "typedprop":
                    module = importlib.import_module(alias.name)
                    bound[alias.asname or "typedprop"] = (
                        module if alias.asname else importlib.import_module("typedprop")
                    )
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "typedprop":
            for alias in node.names:
                bound[alias.asname or alias.name] = attribute(importlib.import_module(node.module or ""), alias.name)
    return bound


def attribute(module: ModuleType, name: str) -> object:
    """A name of a module, or a module in it."""
    try:
        found: object = getattr(module, name)
    except AttributeError:
        return importlib.import_module(f"{module.__name__}.{name}")
    return found


def resolved(node: ast.expr, bound: dict[str, object]) -> object | None:
    """What `tp.linalg.solve` stands for; None for what is not of typedprop."""
    if isinstance(node, ast.Name):
        return bound.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolved(node.value, bound)
        return attribute(owner, node.attr) if isinstance(owner, ModuleType) else None
    return None


def heads(node: ast.AST | None) -> Iterator[ast.expr]:
    """The names at which an expression or a statement begins; of a call its function, not its arguments."""
    if isinstance(node, ast.Name):
        yield node
    elif isinstance(node, ast.Attribute):
        yield node
        yield from heads(node.value)
    elif isinstance(node, ast.Call):
        yield from heads(node.func)
    elif isinstance(node, ast.Subscript | ast.Starred | ast.Expr | ast.Return | ast.Assign | ast.AugAssign | ast.Await):
        yield from heads(node.value)
    elif isinstance(node, ast.BinOp):
        yield from heads(node.left)
        yield from heads(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from heads(node.operand)
    elif isinstance(node, ast.Compare):
        yield from heads(node.left)
    elif isinstance(node, ast.AnnAssign):
        yield from whole(node.annotation)
        yield from heads(node.value)
    elif isinstance(node, ast.With):
        for item in node.items:
            yield from heads(item.context_expr)
    elif isinstance(node, ast.For):
        yield from heads(node.iter)
    elif isinstance(node, ast.If | ast.Assert):
        yield from heads(node.test)
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            yield from heads(decorator)
        if isinstance(node, ast.FunctionDef):
            for argument in node.args.args:
                yield from whole(argument.annotation)
            yield from whole(node.returns)
        else:
            for base in node.bases:
                yield from whole(base)


def whole(node: ast.AST | None) -> Iterator[ast.expr]:
    """Every name in an annotation."""
    if node is not None:
        yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Attribute))


def own_lines(node: ast.stmt) -> range:
    """The lines of a statement without those of the statements inside of it."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    body: list[ast.stmt] = getattr(node, "body", [])
    return range(first, body[0].lineno if body else (node.end_lineno or node.lineno) + 1)


def refused() -> Found:
    """The lines of the programs that must be refused."""
    found: Found = {}
    for program in PROGRAMS:
        text = program.read_text()
        tree = ast.parse(text)
        bound = imports(tree)
        wrong = {line for line, mark in marks(text).items() if mark.errors}
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and wrong & {*own_lines(node)}:
                note(found, heads(node), bound, program, node)
    return found


def accepted() -> Found:
    """The lines that say the exact type, by assertion or declaration; of what returns nothing, those that call it."""
    found: Found = {}
    for program in PROGRAMS:
        if not program.name.startswith("accept_"):
            continue
        tree = ast.parse(program.read_text())
        bound = imports(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_type":
                note(found, heads(node.args[0]), bound, program, node)
                note(found, whole(node.args[1]), bound, program, node)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Return | ast.AnnAssign | ast.With):
                note(found, heads(node), bound, program, node)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                function = resolved(node.value.func, bound)
                if callable(function) and get_type_hints(function).get("return") is NoneType:
                    note(found, iter([node.value.func]), bound, program, node)
    return found


def note(
    found: Found, names: Iterator[ast.expr], bound: dict[str, object], program: Path, node: ast.stmt | ast.expr
) -> None:
    """Adds the lines of what the names stand for."""
    for name in names:
        value = resolved(name, bound)
        if value is not None:
            found.setdefault(id(value), []).append(f"{program.name}:{node.lineno}")


if __name__ == "__main__":
    lines = {"accepted": accepted(), "refused": refused()}
    for module in MODULES:
        for kind, by in lines.items():
            missing = [name for name, value in exported(module).items() if id(value) not in by]
            print(f"{module}: not {kind} ({len(missing)}): {' '.join(missing)}")
