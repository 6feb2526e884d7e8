"""Small faults in source code: an operator exchanged, a condition negated, a number one off, a statement left out.

`mutations(tree)` lists what can be done to a module, `Mutation.apply` does one of them to the tree in place. Left alone
is what no test of behaviour could notice: annotations, docstrings and texts, type variables, overloads, and what only a
type checker reads.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator

import attrs

ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# Calls that make something for type checkers alone, or text.
FOR_CHECKERS = {"TypeVar", "TypeVarTuple", "ParamSpec", "NewType", "cast", "namedtuple"}
SLOTS = {"__slots__", "__all__", "__match_args__"}
# Arguments that only assert something, or say where a warning points.
ASSERTING = {"doc", "strict", "stacklevel"}
# Functions whose first two arguments may change places, with NaN too (which Python's own max and min do not allow). A
# module may call NumPy's `_add`, say, so as to look it up once.
COMMUTING = {"maximum", "minimum", "multiply", "add", "logaddexp", "may_share_memory", "result_type"}
# Of a longer text only the part around the change is shown.
WIDTH = 70


@attrs.frozen
class Mutation:
    """One fault that can be made in a module."""

    kind: str
    scope: str
    """The qualified name of the function or class, "" at the top of the module."""
    before: str
    after: str
    number: int
    """Which of several that read the same in one scope."""
    line: int
    end: int
    statement: int
    """The first line of the statement that the place is in."""
    first: int
    """The first line of the statement at the top of the module that the fault is in."""
    last: int
    called: bool
    """Whether the place runs when a function is called, and not as the module is imported."""
    apply: Callable[[], None] = attrs.field(eq=False, repr=False)

    def __str__(self) -> str:
        again = f" ({self.number + 1})" if self.number else ""
        return f"{self.scope or 'module'}: {self.before} -> {self.after}{again}"


@attrs.frozen
class _Change:
    kind: str
    before: ast.AST | str
    after: ast.AST | str
    apply: Callable[[], None]
    at: ast.expr | ast.stmt


def _put(parent: ast.AST, field: str, index: int | None, new: ast.AST) -> Callable[[], None]:
    def apply() -> None:
        if index is None:
            setattr(parent, field, new)
        else:
            getattr(parent, field)[index] = new

    return apply


def mutations(tree: ast.Module) -> list[Mutation]:
    """All faults that can be made in this module, in the order of its lines. Their `apply` changes this very tree."""
    finder = _Finder()
    for statement in tree.body:
        finder.top = statement
        finder.visit_statement(statement, tree, "body", tree.body.index(statement))
    return finder.found


class _Finder:
    def __init__(self) -> None:
        self.found: list[Mutation] = []
        self.top: ast.stmt = ast.Pass()
        self.statement = 0
        self.scopes: list[str] = []
        self.depth = 0
        self.seen: Counter[tuple[str, str, str]] = Counter()

    def add(self, change: _Change) -> None:
        before, after = _source(change.before), _source(change.after)
        if before == after:
            return
        before, after = _shown(before, after)
        scope = ".".join(self.scopes)
        place = scope, before, after
        at = change.at
        self.found.append(
            Mutation(
                change.kind,
                scope,
                before,
                after,
                self.seen[place],
                at.lineno,
                at.end_lineno or at.lineno,
                self.statement,
                min([self.top.lineno, *(d.lineno for d in getattr(self.top, "decorator_list", []))]),
                self.top.end_lineno or self.top.lineno,
                self.depth > 0,
                change.apply,
            )
        )
        self.seen[place] += 1

    # -- Walking ----------------------------------------------------------------------------------------------------

    def visit_body(self, parent: ast.AST, field: str) -> None:
        for index, statement in enumerate(getattr(parent, field)):
            self.visit_statement(statement, parent, field, index)

    def visit_statement(self, node: ast.stmt, parent: ast.AST, field: str, index: int) -> None:
        self.statement = node.lineno
        for change in _of_statement(node, parent, field, index):
            self.add(change)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if any(_name(d) == "overload" for d in node.decorator_list):
                    return
                for k in range(len(node.decorator_list)):
                    self.visit_expression(node, "decorator_list", k)
                self.visit_defaults(node.args)
                self.scopes.append(node.name)
                self.depth += 1
                self.visit_body(node, "body")
                self.depth -= 1
                self.scopes.pop()
            case ast.ClassDef():
                if any(_name(base) == "Protocol" for base in node.bases):
                    return
                for k in range(len(node.decorator_list)):
                    self.visit_expression(node, "decorator_list", k)
                self.scopes.append(node.name)
                self.visit_body(node, "body")
                self.scopes.pop()
            case ast.If() if _name(node.test) == "TYPE_CHECKING":
                self.visit_body(node, "orelse")
            case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Nonlocal():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Assign() | ast.AnnAssign() if _for_checkers(node, self.depth):
                pass
            case ast.AnnAssign():
                if node.value is not None:
                    self.visit_expression(node, "value", None)
            case ast.Raise():
                # Its text is tested as a whole; a number or a condition in it is not worth a test of its own.
                pass
            case _:
                self.visit_fields(node)

    def visit_defaults(self, arguments: ast.arguments) -> None:
        for field in ("defaults", "kw_defaults"):
            for k, default in enumerate(getattr(arguments, field)):
                if default is not None:
                    self.visit_expression(arguments, field, k)

    def visit_fields(self, node: ast.AST) -> None:
        if isinstance(node, ast.keyword) and node.arg in ASSERTING:
            return
        for field, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.stmt):
                    assert index is not None
                    self.visit_statement(child, node, field, index)
                elif isinstance(child, ast.expr):
                    self.visit_expression(node, field, index)
                elif isinstance(child, ast.AST):
                    self.visit_fields(child)

    def visit_expression(self, parent: ast.AST, field: str, index: int | None) -> None:
        held = getattr(parent, field)
        node: ast.expr = held if index is None else held[index]
        for change in _of_expression(node, parent, field, index):
            self.add(change)
        match node:
            case ast.Lambda():
                self.visit_defaults(node.args)
                self.scopes.append("<lambda>")
                self.depth += 1
                self.visit_expression(node, "body", None)
                self.depth -= 1
                self.scopes.pop()
            case ast.JoinedStr():
                pass
            case ast.Call(func=function) if _name(function) in FOR_CHECKERS:
                pass
            case _:
                self.visit_fields(node)


# -- Faults ------------------------------------------------------------------------------------------------------------


def _of_statement(node: ast.stmt, parent: ast.AST, field: str, index: int) -> Iterator[_Change]:
    def instead(new: ast.stmt, kind: str) -> _Change:
        new = ast.fix_missing_locations(ast.copy_location(new, node))
        return _Change(kind, node, new, _put(parent, field, index, new), node)

    match node:
        case ast.Expr(value=ast.Constant()):
            pass
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Raise():
            yield instead(ast.Pass(), "statement")
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield instead(ast.Pass(), "statement")
        case ast.AnnAssign(target=ast.Attribute() | ast.Subscript(), value=ast.expr()):
            yield instead(ast.Pass(), "statement")
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield instead(ast.Return(ast.Constant(None)), "return")
        case ast.Return(value=None):
            yield instead(ast.Pass(), "statement")
        case ast.Break():
            yield instead(ast.Continue(), "loop")
        case ast.Continue():
            yield instead(ast.Break(), "loop")
        case _:
            pass
    if isinstance(node, ast.If | ast.While) and _name(node.test) != "TYPE_CHECKING":
        yield from _negated(node.test, node, "test", None)


def _negated(test: ast.expr, parent: ast.AST, field: str, index: int | None) -> Iterator[_Change]:
    """The condition's opposite, unless exchanging its comparison or leaving out its `not` comes to the same."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return
    if isinstance(test, ast.Constant):
        return
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return
    new = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
    yield _Change("condition", test, new, _put(parent, field, index, new), test)


def _of_expression(node: ast.expr, parent: ast.AST, field: str, index: int | None) -> Iterator[_Change]:
    def instead(new: ast.expr, kind: str) -> _Change:
        new = ast.fix_missing_locations(ast.copy_location(new, node))
        return _Change(kind, node, new, _put(parent, field, index, new), node)

    match node:
        case ast.Constant(value=bool() as value):
            yield instead(ast.Constant(not value), "constant")
        case ast.Constant(value=int() | float() as value):
            yield instead(ast.Constant(value + 1), "constant")
            yield instead(ast.Constant(value - 1), "constant")
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield instead(operand, "unary")
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_type(node):
            yield instead(ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right), "operator")
            if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
                yield instead(ast.BinOp(node.right, node.op, node.left), "exchanged")
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield instead(ast.BoolOp(other, node.values), "and/or")
            for k in range(len(node.values)):
                rest = [value for j, value in enumerate(node.values) if j != k]
                yield instead(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest), "operand")
        case ast.Compare():
            for k, op in enumerate(node.ops):
                for other_op in COMPARISONS[type(op)]:
                    ops = [*node.ops[:k], other_op(), *node.ops[k + 1 :]]
                    yield instead(ast.Compare(node.left, ops, node.comparators), "comparison")
        case ast.IfExp():
            yield from _negated(node.test, node, "test", None)
        case ast.Call() if _name(node.func) not in {"isinstance", *FOR_CHECKERS}:
            for k in range(len(node.args) - 1):
                if any(isinstance(a, ast.Starred) for a in node.args[k : k + 2]):
                    continue
                if k == 0 and _name(node.func).removeprefix("_") in COMMUTING:
                    continue
                args = [*node.args[:k], node.args[k + 1], node.args[k], *node.args[k + 2 :]]
                yield instead(ast.Call(node.func, args, node.keywords), "exchanged")
            for k, keyword in enumerate(node.keywords):
                if keyword.arg is not None and keyword.arg not in ASSERTING:
                    yield instead(
                        ast.Call(node.func, node.args, [*node.keywords[:k], *node.keywords[k + 1 :]]), "argument"
                    )
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in node.generators:
                for k, test in enumerate(generator.ifs):
                    yield from _negated(test, generator, "ifs", k)
        case _:
            pass


# -- What is left alone ------------------------------------------------------------------------------------------------


def _name(node: ast.AST) -> str:
    """The last name of `a.b.name`, `name[...]` or `name(...)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name(inner)
        case _:
            return ""


def _for_checkers(node: ast.Assign | ast.AnnAssign, depth: int) -> bool:
    """Whether an assignment is for type checkers alone: a type variable, an alias, slots."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if any(_name(target) in SLOTS for target in targets):
        return True
    value = node.value
    if value is None or (isinstance(value, ast.Call) and _name(value.func) in FOR_CHECKERS):
        return True
    return depth == 0 and isinstance(value, ast.Subscript | ast.BinOp) and _is_type(value)


def _is_type(node: ast.expr) -> bool:
    """Whether an expression reads as a type: `Callable[...]`, `X | None`, `int | float`."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_type(left) and _is_type(right)
        case ast.Subscript(value=value):
            return _is_type(value)
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return (
                name[:1].isupper()
                or name in {"int", "float", "str", "bool", "list", "tuple", "dict", "set", "type"}
                or (name in {"ndarray", "generic", "floating", "integer", "matrix"})
            )
        case _:
            return False


def _source(node: ast.AST | str) -> str:
    return node if isinstance(node, str) else " ".join(ast.unparse(node).split())


def _shown(before: str, after: str) -> tuple[str, str]:
    """Two texts cut to a bounded length, around where they differ."""
    if max(len(before), len(after)) <= WIDTH:
        return before, after
    same = next((k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(0, same - WIDTH // 3)
    return _window(before, start), _window(after, start)


def _window(text: str, start: int) -> str:
    part = text[start : start + WIDTH]
    return ("..." if start else "") + part + ("..." if start + WIDTH < len(text) else "")
