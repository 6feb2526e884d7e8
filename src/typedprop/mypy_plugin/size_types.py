"""Between mypy's types and polynomials: reading a size, writing one, and the sizes within a type in normal form."""

from __future__ import annotations

from collections.abc import Callable

from mypy.type_visitor import TypeTranslator
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    LiteralType,
    Overloaded,
    ProperType,
    TupleType,
    Type,
    TypeAliasType,
    TypeOfAny,
    TypeVarType,
    UnionType,
    get_proper_type,
)

from typedprop.mypy_plugin.polynomial import Monomial, Polynomial, Symbol, number, symbol

SIZES_MODULE = "typedprop.sizes"
ADD = f"{SIZES_MODULE}.Add"
MUL = f"{SIZES_MODULE}.Mul"
DIM = "typedprop.shapes.Dim"
INT = "builtins.int"

NamedType = Callable[[str, list[Type]], Instance]
"""Makes an instance of a class, by its full name."""


def size_of(type_: Type) -> Polynomial | None:
    """The size that a type says, or that a value of the type has; None for one that is not known."""
    proper = get_proper_type(type_)
    if isinstance(proper, LiteralType):
        return number(proper.value) if isinstance(proper.value, int) and not isinstance(proper.value, bool) else None
    if isinstance(proper, TypeVarType):
        bound = get_proper_type(proper.upper_bound)
        if isinstance(bound, Instance) and bound.type.has_base(INT) and not proper.values:
            return symbol(Symbol(proper.name, _key(proper), proper))
        return None
    if not isinstance(proper, Instance):
        return None
    if proper.last_known_value is not None:
        return size_of(proper.last_known_value)
    if proper.type.fullname in (ADD, MUL) and len(proper.args) == 2:
        left, right = map(size_of, proper.args)
        if left is None or right is None:
            return None
        return left + right if proper.type.fullname == ADD else left * right
    # Dim itself, and int, are sizes that are not known.
    if proper.type.fullname != DIM and proper.type.has_base(DIM) and not proper.args:
        return symbol(Symbol(proper.type.name, proper.type.fullname, proper))
    return None


def _key(variable: TypeVarType) -> str:
    return f"{variable.id.namespace}:{variable.id.raw_id}:{variable.id.meta_level}"


def type_of(size: Polynomial | None, named: NamedType) -> Type:
    """A size as a type: a sum of products, of two operands each, in the order of the normal form; Any for None."""
    if size is None:
        return AnyType(TypeOfAny.special_form)
    if size.constant is not None:
        return literal(size.constant, named)
    return _nested(ADD, [_product(monomial, coefficient, named) for monomial, coefficient in size.terms], named)


def literal(value: int, named: NamedType) -> LiteralType:
    """`Literal[value]`."""
    return LiteralType(value, named(INT, []))


def _product(monomial: Monomial, coefficient: int, named: NamedType) -> Type:
    factors: list[Type] = [one.type for one in monomial]
    if coefficient != 1 or not factors:
        factors.insert(0, literal(coefficient, named))
    return _nested(MUL, factors, named)


def _nested(name: str, operands: list[Type], named: NamedType) -> Type:
    result = operands[0]
    for operand in operands[1:]:
        result = named(name, [result, operand])
    return result


# -- Within a type --------------------------------------------------------------------------------------------------


def mentions(type_: Type | None, names: frozenset[str], depth: int = 8) -> bool:
    """Whether one of the classes is in a type, not deeper than a type that someone wrote is nested."""
    if type_ is None or depth == 0:
        return False
    proper = get_proper_type(type_)
    if isinstance(proper, Instance):
        parts: list[Type] = list(proper.args)
        if proper.type.fullname in names:
            return True
    elif isinstance(proper, CallableType):
        parts = [*proper.arg_types, proper.ret_type]
    elif isinstance(proper, Overloaded | TupleType | UnionType):
        parts = list(proper.items)
    else:
        return False
    return any(mentions(part, names, depth - 1) for part in parts)


def symbols_in_sums(type_: Type) -> set[Symbol]:
    """The indeterminates of all sums and products in a type of arrays."""
    proper = get_proper_type(type_)
    if isinstance(proper, Instance):
        if proper.type.fullname in SUMS:
            size = size_of(proper)
            return set() if size is None else size.symbols
        return {one for argument in proper.args for one in symbols_in_sums(argument)}
    if isinstance(proper, TupleType | UnionType):
        return {one for item in proper.items for one in symbols_in_sums(item)}
    return set()


class _Normalizer(TypeTranslator):
    def __init__(self, named: NamedType) -> None:
        super().__init__()
        self._named = named

    def visit_instance(self, t: Instance) -> Type:
        if t.type.fullname in (ADD, MUL):
            return type_of(size_of(t), self._named)
        return super().visit_instance(t)

    def visit_type_alias_type(self, t: TypeAliasType) -> Type:
        return t


SUMS = frozenset({ADD, MUL})


def normalized(type_: Type, named: NamedType) -> ProperType:
    """The type with all sums and products of sizes in normal form; those of sizes that are not known are Any."""
    proper = get_proper_type(type_)
    return get_proper_type(proper.accept(_Normalizer(named))) if mentions(proper, SUMS) else proper
