"""One size for each type variable: where the arguments of a call disagree, which argument it is, and what would help.

mypy says of a function that it "cannot infer value of type parameter". Here the parameters of a signature are matched
with the arguments in their order, only as far as that is certain: what is not understood fits. A disagreement is
reported where no overload can take the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import Factory, define, evolve, frozen
from mypy.argmap import map_actuals_to_formals
from mypy.maptype import map_instance_to_supertype
from mypy.nodes import ArgKind, CallExpr, Context, Expression, IntExpr, MemberExpr, NameExpr
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    LiteralType,
    NoneType,
    ProperType,
    TupleType,
    Type,
    TypeOfAny,
    TypeVarId,
    TypeVarType,
    UnionType,
    get_proper_type,
)

from typedprop.mypy_plugin.arrays import BVAR, RANKS, SIZED, array_of, differ, dtype_name, is_open
from typedprop.mypy_plugin.polynomial import Polynomial, Symbol, number, symbol
from typedprop.mypy_plugin.size_types import size_of


@frozen
class Argument:
    """An argument of a call, as the messages name it."""

    position: int
    name: str | None
    expression: Expression | None
    type: ProperType


@frozen
class Conflict:
    """A type variable that two arguments (or one) give two meanings."""

    variable: str
    first: str
    second: str
    # The arguments that say the one and the other.
    by: Argument
    at: Argument


@frozen
class Arguments:
    """The arguments of a call as mypy has them.

    `own_parameters` looks up the names of all parameters, for those that mypy knows by position only.
    """

    types: Sequence[ProperType]
    kinds: list[ArgKind]
    names: Sequence[str | None]
    expressions: Sequence[Expression]
    own_parameters: Callable[[], Sequence[str]] = tuple


class _NoMatch(Exception):
    """The arguments are certainly not for this signature, whatever the sizes."""


@define
class _Matching:
    """One attempt: what the type variables stand for, and by which argument."""

    variables: set[TypeVarId]
    sizes: dict[Symbol, tuple[Polynomial, Argument]] = Factory(dict)
    others: dict[TypeVarId, tuple[ProperType, Argument]] = Factory(dict)
    equations: list[tuple[Polynomial, Polynomial, Argument]] = Factory(list)
    conflicts: list[Conflict] = Factory(list)

    def trial(self) -> _Matching:
        return evolve(self, sizes=dict(self.sizes), others=dict(self.others), equations=[], conflicts=[])


def disagreement(
    signatures: Sequence[CallableType],
    given: Arguments,
) -> tuple[str, Context | None, CallableType, dict[TypeVarId, Type]] | None:
    """What to say if the arguments fit no signature because of their sizes or dtypes; None if all may be well.

    With it: the expression to blame, the signature that fits but for that, and what its other variables stand for.
    """
    found: tuple[CallableType, _Matching] | None = None
    for signature in signatures:
        matching = _matched(signature, given)
        if matching is None:
            continue
        if not matching.conflicts:
            return None
        found = found or (signature, matching)
    if found is None:
        return None
    signature, matching = found
    conflict = matching.conflicts[0]
    hint = ""
    for position in dict.fromkeys((conflict.at.position, conflict.by.position)):
        turned = list(given.types)
        transposed = _transposed(turned[position - 1])
        if transposed is None:
            continue
        turned[position - 1] = transposed
        other = _matched(signature, evolve(given, types=turned))
        if other is not None and not other.conflicts:
            hint = f"; did you mean {turned_argument(given.expressions[position - 1], position)}?"
            break
    if conflict.at is conflict.by:
        other_one = ""
    else:
        other_one = f", but {_named(conflict.by, given)} is {written(conflict.by.type)}"
    at = _named(conflict.at, given)
    about = f"{at[0].upper()}{at[1:]} to {_called(signature)} is {written(conflict.at.type)}{other_one}"
    message = f"{about}: {conflict.variable} cannot be both {conflict.first} and {conflict.second}{hint}"
    return message, conflict.at.expression, signature, _meanings(signature, matching)


def filled(
    signature: CallableType,
    given: Arguments,
) -> dict[TypeVarId, Polynomial]:
    """What the sizes that a signature adds and multiplies are, as far as the arguments say."""
    matching = _matched(signature, given)
    if matching is None:
        return {}
    return {one.type.id: size for one, (size, _) in matching.sizes.items() if _is_variable(one, matching)}


def settled(signature: CallableType, given: Arguments) -> dict[TypeVarId, Type] | None:
    """What the variables of a signature stand for by the first arguments that say it, if later ones disagree."""
    matching = _matched(signature, given)
    if matching is None or not matching.conflicts:
        return None
    return {id_: type_ for id_, (type_, _) in matching.others.items()}


def _named(argument: Argument, given: Arguments) -> str:
    name, place = argument.name, f"argument {argument.position}"
    if name is None:
        name = dict(enumerate(given.own_parameters(), 1)).get(argument.position)
    return place if name is None else f'{place} ("{name}")'


def _called(signature: CallableType) -> str:
    name = (signature.name or "the function").split(" of ")[0].strip('"')
    return f'"{name}"'


def turned_argument(expression: Expression, position: int) -> str:
    """How to transpose an argument: a name with `.T` after it, or without it."""
    text = text_of(expression)
    if text is None:
        return f"to transpose argument {position} (.T)"
    return f'"{text.removesuffix(".T")}"' if text.endswith(".T") else f'"{text}.T"'


def text_of(expression: Expression) -> str | None:
    """A name with attributes, or a call of one with such arguments (`tp.grad(loss)`), as it is written."""
    if isinstance(expression, NameExpr):
        return expression.name
    if isinstance(expression, MemberExpr):
        owner = text_of(expression.expr)
        return None if owner is None else f"{owner}.{expression.name}"
    if isinstance(expression, CallExpr):
        parts = [text_of(part) for part in (expression.callee, *expression.args)]
        return f"{parts[0]}({', '.join(filter(None, parts[1:]))})" if None not in parts else None
    if isinstance(expression, IntExpr):
        return str(expression.value)
    return None


def written(type_: Type) -> str:
    """A type as the messages show it: arrays in short, a generic class with its arguments."""
    proper = get_proper_type(type_)
    if isinstance(proper, Instance) and proper.type.has_base("numpy.generic"):
        return dtype_name(proper)
    array = array_of(proper)
    if array is not None:
        return str(array)
    size = size_of(proper)
    if size is not None:
        return str(size)
    if isinstance(proper, Instance):
        arguments = f"[{', '.join(map(written, proper.args))}]" if proper.args else ""
        return proper.type.name + arguments
    if isinstance(proper, AnyType):
        return "Any"
    if isinstance(proper, TupleType):
        return f"({', '.join(map(written, proper.items))})"
    return proper.name if isinstance(proper, TypeVarType) else str(proper)


def _transposed(type_: ProperType) -> ProperType | None:
    """The type of the transpose of a matrix that is not a square."""
    if not isinstance(type_, Instance):
        return None
    if type_.type.fullname == BVAR:
        inner = _transposed(get_proper_type(type_.args[0]))
        return None if inner is None else type_.copy_modified(args=[inner])
    if RANKS.get(type_.type.fullname) != 2 or type_.args[0] == type_.args[1]:
        return None
    return type_.copy_modified(args=[type_.args[1], type_.args[0], type_.args[2]])


def _meanings(signature: CallableType, matching: _Matching) -> dict[TypeVarId, Type]:
    """What the variables of a signature stand for; Any for those that are in conflict or not known."""
    known: dict[TypeVarId, Type] = {id_: type_ for id_, (type_, _) in matching.others.items()}
    conflicting = {conflict.variable for conflict in matching.conflicts}
    return {
        variable.id: AnyType(TypeOfAny.from_error)
        if variable.name in conflicting
        else known.get(variable.id, AnyType(TypeOfAny.from_error))
        for variable in signature.variables
    }


# -- Matching -------------------------------------------------------------------------------------------------------


def _matched(
    signature: CallableType,
    given: Arguments,
) -> _Matching | None:
    """The signature matched with the arguments; None if they are certainly for another one."""
    actuals = map_actuals_to_formals(
        given.kinds,
        list(given.names),
        signature.arg_kinds,
        signature.arg_names,
        lambda position: given.types[position],
    )
    taken = {position for positions in actuals for position in positions}
    required = [not kind.is_optional() and not kind.is_star() for kind in signature.arg_kinds]
    if len(taken) < len(given.types) or any(
        needed and not positions for needed, positions in zip(required, actuals, strict=True)
    ):
        return None
    matching = _Matching({variable.id for variable in signature.variables})
    try:
        for formal, name, positions in zip(signature.arg_types, signature.arg_names, actuals, strict=True):
            for position in positions:
                if not given.kinds[position].is_star():
                    type_ = given.types[position]
                    argument = Argument(position + 1, name, given.expressions[position], type_)
                    _match(formal, type_, argument, matching, exact=False)
        _solve(matching)
    except _NoMatch:
        return None
    return matching


def _match(formal_type: Type, actual_type: Type, argument: Argument, matching: _Matching, *, exact: bool) -> None:
    """Match a type with that of an argument; `exact` where no subtype will do."""
    formal, actual = get_proper_type(formal_type), get_proper_type(actual_type)
    if isinstance(formal, AnyType) or isinstance(actual, AnyType):
        return
    if isinstance(formal, UnionType):
        _match_union(formal, actual, argument, matching, exact=exact)
    elif isinstance(actual, UnionType):
        return
    elif isinstance(formal, TypeVarType):
        if formal.id in matching.variables and exact:
            _bind(formal, actual, argument, matching)
    elif isinstance(formal, LiteralType):
        value = actual.last_known_value if isinstance(actual, Instance) else actual
        if not isinstance(value, LiteralType) or value.value != formal.value:
            raise _NoMatch
    elif isinstance(formal, NoneType):
        if not isinstance(actual, NoneType):
            raise _NoMatch
    elif isinstance(formal, TupleType):
        if isinstance(actual, TupleType) and len(formal.items) == len(actual.items):
            for one, other in zip(formal.items, actual.items, strict=True):
                _match(one, other, argument, matching, exact=exact)
        elif not isinstance(actual, TupleType) or actual.partial_fallback.type.fullname == "builtins.tuple":
            raise _NoMatch
    elif isinstance(formal, Instance):
        _match_class(formal, actual, argument, matching)


def _match_union(
    formal: UnionType, actual: ProperType, argument: Argument, matching: _Matching, *, exact: bool
) -> None:
    """The first member that fits; if all that may be meant conflict, so does the first of them."""
    conflicting: _Matching | None = None
    for item in formal.items:
        trial = matching.trial()
        try:
            _match(item, actual, argument, trial, exact=exact)
        except _NoMatch:
            continue
        if not trial.conflicts:
            matching.sizes, matching.others = trial.sizes, trial.others
            matching.equations += trial.equations
            return
        conflicting = conflicting or trial
    if conflicting is None:
        raise _NoMatch
    matching.conflicts += conflicting.conflicts


def _match_class(formal: Instance, actual: ProperType, argument: Argument, matching: _Matching) -> None:
    if not isinstance(actual, Instance):
        # Of a sequence of arrays, a tuple has them one by one.
        if isinstance(actual, TupleType) and formal.type.fullname in ("typing.Sequence", "typing.Iterable"):
            for item in actual.items:
                _match(formal.args[0], item, argument, matching, exact=False)
        elif formal.type.fullname in SIZED and isinstance(actual, NoneType | TupleType | CallableType):
            raise _NoMatch
        return
    if not actual.type.has_base(formal.type.fullname):
        if not _promoted(formal, actual):
            raise _NoMatch
        return
    given = map_instance_to_supertype(actual, formal.type)
    if formal.type.fullname in RANKS:
        for one, other in zip(formal.args[:-1], given.args[:-1], strict=True):
            _equate(one, other, argument, matching)
        _match(formal.args[-1], given.args[-1], argument, matching, exact=True)
        return
    for variable, one, other in zip(formal.type.defn.type_vars, formal.args, given.args, strict=False):
        # A covariant parameter takes subtypes, and no two sizes are subtypes of one another.
        invariant = isinstance(variable, TypeVarType) and variable.variance == 0
        _match(one, other, argument, matching, exact=invariant)


def _promoted(formal: Instance, actual: Instance) -> bool:
    """Whether a value may pass although its class is not a subclass: numbers and protocols."""
    return (
        formal.type.is_protocol
        or actual.type.fallback_to_any
        or (formal.type.fullname in ("builtins.float", "builtins.complex") and actual.type.has_base("builtins.int"))
    )


def _equate(formal: Type, actual: Type, argument: Argument, matching: _Matching) -> None:
    """Two sizes of an array."""
    wanted, given = size_of(formal), size_of(actual)
    if wanted is None or given is None:
        return
    variable = get_proper_type(formal)
    if isinstance(variable, TypeVarType) and variable.id in matching.variables:
        _bind_size(next(iter(wanted.symbols)), given, argument, matching)
        matching.others.setdefault(variable.id, (get_proper_type(actual), argument))
    elif any(_is_variable(one, matching) for one in wanted.symbols):
        matching.equations.append((wanted, given, argument))
    elif wanted != given:
        raise _NoMatch


def _bind_size(variable: Symbol, given: Polynomial, argument: Argument, matching: _Matching) -> None:
    known, by = matching.sizes.setdefault(variable, (given, argument))
    if known != given:
        matching.conflicts.append(Conflict(variable.name, str(given), str(known), by, argument))


def _bind(variable: TypeVarType, actual: ProperType, argument: Argument, matching: _Matching) -> None:
    """A type variable that stands for a size, a dtype or another type, where only the same type will do."""
    size = size_of(actual)
    if size is not None and size_of(variable) is not None:
        _equate(variable, actual, argument, matching)
        return
    if size is None and is_open(actual):
        return
    known, by = matching.others.setdefault(variable.id, (actual, argument))
    if _certainly_differ(known, actual):
        matching.conflicts.append(Conflict(variable.name, written(actual), written(known), by, argument))


def _certainly_differ(a: ProperType, b: ProperType) -> bool:
    """Whether two types in the place of one variable are different arrays or dtypes."""
    if isinstance(a, Instance) and isinstance(b, Instance):
        names = [dtype_name(dtype) for dtype in (a, b) if dtype.type.has_base("numpy.generic")]
        if names:
            return len(names) == 2 and names[0] != names[1] and all(name in _DTYPES for name in names)
    x, y = array_of(a), array_of(b)
    if x is None or y is None:
        return False
    if x.rank != y.rank or x.lifted != y.lifted:
        return True
    return any(differ(p, q) for p, q in zip(x.sizes, y.sizes, strict=True))


_DTYPES = {"float64", "float32", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool"}


def _solve(matching: _Matching) -> None:
    """Sizes that the signature writes as sums and products, once all but one of the variables in them are known."""
    pending, before = matching.equations, -1
    while len(pending) != before:
        before, rest = len(pending), []
        for wanted, given, argument in pending:
            values = {one: size for one, (size, _) in matching.sizes.items()}
            unknown = [one for one in wanted.symbols if _is_variable(one, matching) and one not in values]
            filled = wanted.with_values(values)
            if not unknown:
                if filled != given:
                    by = next(matching.sizes[one][1] for one in sorted(wanted.symbols) if one in matching.sizes)
                    matching.conflicts.append(Conflict(str(wanted), str(given), str(filled), by, argument))
            elif len(unknown) == 1 and (solution := _solution(filled, unknown[0], given)) is not None:
                matching.sizes[unknown[0]] = (solution, argument)
            else:
                rest.append((wanted, given, argument))
        pending = rest


def _is_variable(one: Symbol, matching: _Matching) -> bool:
    return isinstance(one.type, TypeVarType) and one.type.id in matching.variables


def _solution(wanted: Polynomial, unknown: Symbol, given: Polynomial) -> Polynomial | None:
    """The value of a symbol that stands in one term, by itself."""
    terms = [(monomial, coefficient) for monomial, coefficient in wanted.terms if unknown in monomial]
    if len(terms) != 1 or terms[0][0] != (unknown,):
        return None
    factor = number(terms[0][1])
    return (given - wanted + symbol(unknown) * factor).divided_by(factor)
