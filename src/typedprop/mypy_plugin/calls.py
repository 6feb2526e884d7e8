"""A call as a rule sees it: the arguments by name, with what their expressions say of arrays, sizes and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from mypy.nodes import (
    ARG_NAMED,
    ARG_POS,
    CallExpr,
    Context,
    Expression,
    ListExpr,
    OpExpr,
    StarExpr,
    StrExpr,
    TupleExpr,
    UnaryExpr,
)
from mypy.plugin import CheckerPluginInterface
from mypy.types import Instance, LiteralType, NoneType, ProperType, TupleType, Type, get_proper_type

from typedprop.mypy_plugin.arrays import Array, Size, array_of
from typedprop.mypy_plugin.polynomial import Polynomial, number
from typedprop.mypy_plugin.size_types import size_of


class Mismatch(Exception):
    """Arguments that do not go together; `at` is the expression to blame."""

    def __init__(self, message: str, at: Context) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


@frozen
class Item:
    """A value within a call: its type, and its expression if there is one."""

    type: ProperType
    expression: Expression | None

    @property
    def array(self) -> Array | None:
        """The array or number that it is."""
        return array_of(self.type)


class Call:
    """The arguments of one call. Nothing is computed before a rule asks."""

    def __init__(
        self,
        api: CheckerPluginInterface,
        name: str,
        context: Context,
        arguments: dict[str, Expression],
        self_: Type | None,
    ) -> None:
        self.api = api
        self.name = name
        self.context = context
        self._arguments = arguments
        self._self = self_

    def has(self, name: str) -> bool:
        """Whether the argument is given, and is not None."""
        return name in self._arguments and not isinstance(self.type(name), NoneType)

    def type(self, name: str) -> ProperType:
        """The type of an argument."""
        if name == "self" and self._self is not None:
            return get_proper_type(self._self)
        return type_of_expression(self._arguments[name], self.api)

    def array(self, name: str) -> Array | None:
        """An argument that is an array or a number."""
        known = name in self._arguments or (name == "self" and self._self is not None)
        return array_of(self.type(name)) if known else None

    def integer(self, name: str, default: int | None = None) -> int | None:
        """An int that is known: a literal, or a Final."""
        if name not in self._arguments:
            return default
        return int_of(Item(self.type(name), self._arguments[name]), self.api)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A string that is known."""
        if name not in self._arguments:
            return default
        expression, type_ = self._arguments[name], self.type(name)
        if isinstance(expression, StrExpr):
            return expression.value
        if isinstance(type_, Instance):
            type_ = type_.last_known_value or type_
        return type_.value if isinstance(type_, LiteralType) and isinstance(type_.value, str) else None

    def size(self, name: str) -> Size:
        """An int as a size, which may be symbolic."""
        return self.size_of_item(self.item(name))

    def item(self, name: str) -> Item:
        """An argument that is given."""
        return Item(self.type(name), self._arguments[name])

    def items(self, name: str) -> list[Item] | None:
        """The items of an argument that is a sequence of a length that is known."""
        return self.items_of(self.item(name)) if name in self._arguments else None

    def items_of(self, item: Item) -> list[Item] | None:
        """The items of a value that is a list or tuple of a length that is known."""
        return items_of(item, self.api)

    def integer_of(self, item: Item) -> int | None:
        """An int that is known."""
        return int_of(item, self.api)

    def size_of_item(self, item: Item) -> Size:
        """An int as a size, which may be symbolic."""
        return size_of_item(item, self.api)

    def integers(self, name: str) -> list[int] | None:
        """An int, or a sequence of ints, all of them known."""
        item = self.item(name)
        one = self.integer_of(item)
        if one is not None:
            return [one]
        values = [self.integer_of(each) for each in self.items_of(item) or [item]]
        return [value for value in values if value is not None] if None not in values else None

    def sizes(self, name: str) -> list[Size] | None:
        """A shape given as an int or a tuple of ints; a size of -1 is -1."""
        item = self.item(name)
        items = self.items_of(item)
        if items is not None:
            return [self.size_of_item(each) for each in items]
        return [self.size_of_item(item)] if is_int(item.type) else None

    def rest(self) -> list[Item]:
        """The arguments that `*0` stands for."""
        return [self.item(name) for name in self._arguments if name.startswith("*")]

    def blame(self, message: str, name: str | None = None) -> Mismatch:
        """What to raise."""
        return Mismatch(message, self.context if name is None else self._arguments.get(name, self.context))


def bound(context: Context, parameters: Sequence[str]) -> dict[str, Expression] | None:
    """The arguments of a call by the names of the parameters; None if stars make that unknowable."""
    if not isinstance(context, CallExpr):
        return None
    arguments = {}
    positions = iter(parameters)
    for expression, kind, name in zip(context.args, context.arg_kinds, context.arg_names, strict=True):
        if kind == ARG_POS:
            parameter = next(positions, None)
            if parameter is None:
                return None
            # `*0` takes all that are left, as `*0`, `*1` and so on.
            if parameter.startswith("*"):
                positions = iter([f"*{int(parameter[1:]) + 1}"])
            arguments[parameter] = expression
        elif kind == ARG_NAMED and name is not None:
            arguments[name] = expression
        else:
            return None
    return arguments


def type_of_expression(expression: Expression, api: CheckerPluginInterface) -> ProperType:
    """The type of an expression without a context; its errors are told when mypy itself comes to it."""
    with api.msg.filter_errors():
        return get_proper_type(api.get_expression_type(expression))


def items_of(item: Item, api: CheckerPluginInterface) -> list[Item] | None:
    """The items of a value that is a list or tuple of a length that is known."""
    if isinstance(item.expression, ListExpr | TupleExpr):
        if any(isinstance(each, StarExpr) for each in item.expression.items):
            return None
        return [Item(type_of_expression(each, api), each) for each in item.expression.items]
    if isinstance(item.type, TupleType):
        types = [get_proper_type(each) for each in item.type.items]
        return None if item.type.partial_fallback.type.fullname != "builtins.tuple" else [Item(t, None) for t in types]
    return None


def is_int(type_: ProperType) -> bool:
    """Whether a value of the type is an int."""
    if isinstance(type_, Instance):
        return type_.type.has_base("builtins.int") and type_.type.fullname != "builtins.bool"
    return size_of(type_) is not None


def int_of(item: Item, api: CheckerPluginInterface) -> int | None:
    """The int that a value is, if it is known."""
    size = size_of_item(item, api)
    return None if size is None else size.constant


def size_of_item(item: Item, api: CheckerPluginInterface) -> Polynomial | None:
    """The int that a value is, if it can be said in terms of sizes: `hidden`, `2 * hidden + 1`."""
    known = size_of(item.type)
    if known is not None:
        return known
    expression = item.expression
    if isinstance(expression, UnaryExpr) and expression.op == "-":
        operand = size_of_item(Item(type_of_expression(expression.expr, api), expression.expr), api)
        return None if operand is None or not is_int(item.type) else -operand
    if isinstance(expression, OpExpr) and expression.op in ("+", "-", "*", "//") and is_int(item.type):
        left = size_of_item(Item(type_of_expression(expression.left, api), expression.left), api)
        right = size_of_item(Item(type_of_expression(expression.right, api), expression.right), api)
        if left is None or right is None:
            return None
        if expression.op == "+":
            return left + right
        if expression.op == "-":
            return left - right
        if expression.op == "*":
            return left * right
        if left.constant is not None and right.constant:
            return number(left.constant // right.constant)
        return left.divided_by(right) if right.constant else None
    return None
