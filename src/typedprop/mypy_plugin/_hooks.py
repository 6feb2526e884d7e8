"""The plugin itself: which names it hooks, and how rules and messages get to mypy.

A hook of one plugin hides those of others for the same function, mypy's own (`attrs.evolve`) among them. So only
functions are hooked whose signatures mention sizes.

Two hooks share a call. The signature hook comes first: where the arguments do not go together it reports that, and
gives mypy a signature that takes anything, so that nothing is reported twice. The function hook comes last, and fills
in the sizes that the signature's result leaves open. All else, mypy checks as it would without the plugin.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from mypy.build import PRI_MED
from mypy.checker import TypeChecker
from mypy.errorcodes import ARG_TYPE
from mypy.expandtype import expand_type
from mypy.nodes import (
    CallExpr,
    Context,
    Decorator,
    Expression,
    FuncDef,
    Import,
    ImportAll,
    ImportBase,
    ImportFrom,
    IndexExpr,
    MemberExpr,
    MypyFile,
    NameExpr,
    OverloadedFuncDef,
    SymbolNode,
    TypeInfo,
    Var,
)
from mypy.options import Options
from mypy.plugin import (
    AnalyzeTypeContext,
    AttributeContext,
    CheckerPluginInterface,
    FunctionContext,
    FunctionSigContext,
    MethodContext,
    MethodSigContext,
    Plugin,
    ReportConfigContext,
)
from mypy.types import (
    AnyType,
    CallableType,
    FunctionLike,
    Instance,
    Overloaded,
    ProperType,
    Type,
    TypeOfAny,
    TypeVarId,
    TypeVarType,
    get_proper_type,
)

from typedprop.mypy_plugin import broadcasting
from typedprop.mypy_plugin.arrays import BVAR, SIZED, Array, array_of, array_type, refined, with_room_for
from typedprop.mypy_plugin.called_at_once import Calls
from typedprop.mypy_plugin.calls import Call, Mismatch, bound, type_of_expression
from typedprop.mypy_plugin.indexing import indexed
from typedprop.mypy_plugin.literals import Literals
from typedprop.mypy_plugin.size_types import SIZES_MODULE, SUMS, mentions, normalized, symbols_in_sums, type_of
from typedprop.mypy_plugin.table import BROADCAST, ELEMENTWISE2, FUNCTIONS, INDEXED, METHODS, Rule
from typedprop.mypy_plugin.unifying import Arguments, disagreement, filled, settled, text_of, turned_argument

Symbol = SymbolNode | None

# mypy checks again what it has in its cache when a file of the plugin has changed.
_DIGEST = sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


class SizesPlugin(Plugin):
    """Sizes of arrays, for mypy."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._literals = Literals(self._named)
        self._known: dict[str, tuple[Symbol, bool, bool]] = {}
        self._calls = Calls()

    def report_config_data(self, ctx: ReportConfigContext) -> object:
        """What the cache of a module depends on, besides the module."""
        return _DIGEST

    def get_additional_deps(self, file: MypyFile) -> list[tuple[int, str, int]]:
        """The classes of sums and products come before all that may need them.

        From its cache mypy loads only what a module depends on, and a module may say `typedprop.shapes` alone.
        """
        if file.fullname == SIZES_MODULE or not any(map(_imports_typedprop, file.imports)):
            return []
        return [(PRI_MED, SIZES_MODULE, -1)]

    def get_type_analyze_hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        """Ints in `R[...]` and its like."""
        return self._literals.hook(fullname)

    # -- Functions ------------------------------------------------------------------------------------------------

    def get_function_signature_hook(self, fullname: str) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Arguments that do not go together."""
        if _is_local(fullname):
            return self._checked_local
        node, sized, _ = self._look_up(fullname)
        if not sized:
            return None
        rule = FUNCTIONS.get(fullname)
        return lambda context: self._checked_function(context, fullname, _declared(node), rule)

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """The sizes of the result."""
        rule = FUNCTIONS.get(fullname)
        if rule is not None:
            return lambda context: self._result(context, rule, None)
        if _is_local(fullname):
            return self._normalized
        node, _, sums = self._look_up(fullname)
        if sums:
            return self._normalized
        return self._settled if fullname.startswith("typedprop.") and _makes_functions(node) else None

    # -- Methods --------------------------------------------------------------------------------------------------

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Operands that do not go together, or do so by the rules of broadcasting alone."""
        if fullname in BROADCAST or fullname == ELEMENTWISE2:
            return self._broadcast
        rule = METHODS.get(fullname)
        return None if rule is None else (lambda context: _checked_method(context, rule))

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """The sizes of the result."""
        rule = METHODS.get(fullname)
        if rule is not None:
            return lambda context: self._result(context, rule, context.type)
        if fullname in INDEXED:
            return self._indexed
        _, _, sums = self._look_up(fullname)
        return self._normalized if sums else None

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Sums and products in the type of a field, once the variables in them are known."""
        _, _, sums = self._look_up(fullname)
        return self._normalized_attribute if sums else None

    # -- Which functions ------------------------------------------------------------------------------------------

    def _look_up(self, fullname: str) -> tuple[Symbol, bool, bool]:
        """What a name stands for, whether its type mentions arrays, and whether it mentions sums of sizes."""
        node = self._node(fullname)
        known = self._known.get(fullname)
        # A daemon makes new nodes for what has changed.
        if known is not None and known[0] is node:
            return known
        type_ = _declared_type(node)
        result = (node, mentions(type_, SIZED), mentions(type_, SUMS))
        # While a module is analyzed, types are still to come.
        if type_ is not None:
            self._known[fullname] = result
        return result

    def _node(self, fullname: str) -> Symbol:
        if fullname.startswith(("builtins.", "typing.", "numpy.")):
            return None
        entry = self.lookup_fully_qualified(fullname)
        if entry is not None:
            return entry.node
        owner, _, name = fullname.rpartition(".")
        entry = self.lookup_fully_qualified(owner) if "." in owner else None
        if entry is not None and isinstance(entry.node, TypeInfo):
            inherited = entry.node.get(name)
            return None if inherited is None else inherited.node
        return None

    def _checked_local(self, context: FunctionSigContext) -> FunctionLike:
        """A function, or a variable that holds one, within a function: mypy tells of it the name alone."""
        signature, call = context.default_signature, context.context
        if not isinstance(call, CallExpr) or not mentions(signature, SIZED):
            return signature
        return self._checked_function(context, "", type_of_expression(call.callee, context.api), None)

    def _settled(self, context: FunctionContext) -> Type:
        """What a transformation makes of a function (`tp.grad(loss)`), for the arguments that it is called with there.

        mypy asks no plugin about a call of what is not a name, and says that it "cannot infer function type argument".
        If the arguments disagree, the function is returned with the sizes of the first ones, so that mypy names both.
        """
        made, maker, api = get_proper_type(context.default_return_type), context.context, context.api
        if not isinstance(made, CallableType) or not isinstance(maker, CallExpr) or not isinstance(api, TypeChecker):
            return made
        call = self._calls.of(maker, api.tree)
        known = None if call is None else settled(made, _arguments(call, "", api))
        if known is None:
            return made
        variables = [variable for variable in made.variables if variable.id not in known]
        return expand_type(made.copy_modified(name=text_of(maker), variables=variables), known)

    def _checked_function(
        self, context: FunctionSigContext, fullname: str, declared: ProperType | None, rule: Rule | None
    ) -> FunctionLike:
        signature, call, api = context.default_signature, context.context, context.api
        if not isinstance(call, CallExpr):
            return signature
        overloads = declared.items if isinstance(declared, Overloaded) else None
        # mypy asks once for each overload; the answer is the same.
        if overloads is not None and signature is not overloads[0] and signature != overloads[0]:
            asked, answer = self._answered
            if asked is call:
                return signature if answer is None else _taking_anything(signature, answer)
        refusal = _refusal(call, fullname, overloads or [signature], api)
        result: Type | None = None
        if rule is not None:
            try:
                arguments = bound(call, rule.parameters)
                if arguments is not None:
                    found = rule.result(Call(api, _name_of(call), call, arguments, None))
                    if rule.alone and isinstance(found, Array):
                        refusal, result = None, array_type(with_room_for(api.type_context[-1], found), self._named)
            except Mismatch as mismatch:
                refusal = mismatch.message, mismatch.at, AnyType(TypeOfAny.from_error)
        if refusal is not None:
            message, at, result = refusal
            api.fail(message, at or call, code=ARG_TYPE)
        self._answered = call, result
        if result is not None:
            return _taking_anything(signature, result)
        with_sums = any(mentions(formal, SUMS) for formal in signature.arg_types)
        return self._with_sums(signature, call, api) if with_sums else signature

    def _with_sums(self, signature: CallableType, call: CallExpr, api: CheckerPluginInterface) -> CallableType:
        """The signature with its sums and products calculated; those that the arguments do not decide take any size."""
        sizes = filled(signature, _arguments(call, "", api))
        known: dict[TypeVarId, Type] = {id_: type_of(size, self._named) for id_, size in sizes.items()}
        for formal in signature.arg_types:
            for one in symbols_in_sums(formal):
                known.setdefault(one.type.id, AnyType(TypeOfAny.special_form))
        return signature.copy_modified(
            arg_types=[normalized(expand_type(formal, known), self._named) for formal in signature.arg_types],
            ret_type=normalized(expand_type(signature.ret_type, known), self._named),
            variables=[variable for variable in signature.variables if variable.id not in known],
        )

    _answered: tuple[Context | None, Type | None] = (None, None)

    # -- Results --------------------------------------------------------------------------------------------------

    def _result(self, context: FunctionContext | MethodContext, rule: Rule, owner: Type | None) -> Type:
        """The declared result with its sizes filled in."""
        call = context.context
        arguments = bound(call, rule.parameters)
        if arguments is None or not isinstance(call, CallExpr):
            return context.default_return_type
        try:
            result = rule.result(Call(context.api, _name_of(call), call, arguments, owner))
        except Mismatch:
            return context.default_return_type
        return refined(context.default_return_type, result, self._named, context.api.type_context[-1])

    def _indexed(self, context: MethodContext) -> Type:
        x = array_of(context.type)
        if x is None or not isinstance(context.context, IndexExpr):
            # The signatures take an unknown array for a vector, which it need not be.
            return context.type if _is_unknown(context.type) else context.default_return_type
        found = indexed(x, context.context, context.api)
        return refined(context.default_return_type, found, self._named, context.api.type_context[-1])

    def _normalized(self, context: FunctionContext | MethodContext) -> Type:
        return normalized(context.default_return_type, self._named)

    def _normalized_attribute(self, context: AttributeContext) -> Type:
        return normalized(context.default_attr_type, self._named)

    def _broadcast(self, context: MethodSigContext) -> FunctionLike:
        """The signature of an operator, or a function such as `maximum`, for operands that only broadcasting joins."""
        signature = context.default_signature
        operands = [array_of(type_) for type_ in _operands(context)]
        if len(operands) != 2:
            return signature
        x, y = operands
        if x is None or y is None:
            return signature
        joined = broadcasting.joined(x, y)
        if joined is None:
            together = broadcasting.broadcast(x.sizes, y.sizes) is not None
            if together or not isinstance(context.context, CallExpr) or len(context.context.args) != 2:
                return signature
            _, second = context.context.args
            turned = x.rank == y.rank == 2 and x.sizes == y.sizes[::-1]
            hint = f"; did you mean {turned_argument(second, 2)}?" if turned else ""
            of = _name_of(context.context)
            message = f'Argument 2 to "{of}" is {y}, but argument 1 is {x}: they do not go together{hint}'
            context.api.fail(message, second, code=ARG_TYPE)
            return _taking_anything(signature, AnyType(TypeOfAny.from_error))
        return _taking_anything(signature, array_type(joined, self._named))

    def _named(self, name: str, arguments: list[Type]) -> Instance:
        entry = self.lookup_fully_qualified(name)
        assert entry is not None and isinstance(entry.node, TypeInfo), name
        return Instance(entry.node, arguments)


def _is_unknown(type_: ProperType) -> bool:
    return (
        isinstance(type_, Instance)
        and type_.type.fullname == BVAR
        and isinstance(get_proper_type(type_.args[0]), AnyType)
    )


def _declared_type(node: Symbol) -> Type | None:
    if isinstance(node, FuncDef | OverloadedFuncDef):
        return node.type
    if isinstance(node, Decorator):
        return node.var.type
    if isinstance(node, Var):
        return node.type
    if isinstance(node, TypeInfo):
        constructor = node.get("__init__")
        return None if constructor is None else _declared_type(constructor.node)
    return None


def _imports_typedprop(statement: ImportBase) -> bool:
    if isinstance(statement, Import):
        return any(name.split(".")[0] == "typedprop" for name, _ in statement.ids)
    if isinstance(statement, ImportFrom | ImportAll):
        # A relative import may be of typedprop itself.
        return statement.relative > 0 or statement.id.split(".")[0] == "typedprop"
    return False


def _declared(node: Symbol) -> ProperType | None:
    """The type of a function, overloads and all; a class has its constructor's, which mypy knows."""
    return None if isinstance(node, TypeInfo) else get_proper_type(_declared_type(node))


def _is_local(fullname: str) -> bool:
    """Whether a name is that of a local variable or function, of which mypy says no more."""
    return "." not in fullname


def _makes_functions(node: Symbol) -> bool:
    """Whether the result is a function, with the parameters of one that is given."""
    declared = _declared(node)
    for item in declared.items if isinstance(declared, FunctionLike) else []:
        result = get_proper_type(item.ret_type)
        if isinstance(result, TypeVarType):
            result = get_proper_type(result.upper_bound)
        if isinstance(result, CallableType) and (result.is_ellipsis_args or result.param_spec() is not None):
            return True
    return False


def _name_of(call: CallExpr) -> str:
    return call.callee.name if isinstance(call.callee, NameExpr | MemberExpr) else "the function"


def _taking_anything(signature: CallableType, result: Type) -> CallableType:
    """A signature for a call that an error has been reported of."""
    anything: list[Type] = [AnyType(TypeOfAny.from_error) for _ in signature.arg_types]
    return signature.copy_modified(arg_types=anything, ret_type=result, variables=[])


def _arguments(call: CallExpr, fullname: str, api: CheckerPluginInterface) -> Arguments:
    types: list[ProperType] = [type_of_expression(expression, api) for expression in call.args]
    return Arguments(types, call.arg_kinds, call.arg_names, call.args, partial(_own_parameters, fullname))


@cache
def _own_parameters(fullname: str) -> tuple[str, ...]:
    """The names of the parameters of a function of typedprop, which mypy's cache leaves out if they are positional.

    They are read in its source, since to import it would be to import NumPy.
    """
    module, _, name = fullname.rpartition(".")
    package, _, path = module.partition(".")
    source = Path(__file__).parents[1].joinpath(*path.split(".")).with_suffix(".py")
    if package != "typedprop" or not source.is_file():
        return ()
    found: tuple[str, ...] = ()
    for statement in ast.parse(source.read_bytes()).body:
        # After its overloads comes the function itself.
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            found = tuple(each.arg for each in ast.walk(statement.args) if isinstance(each, ast.arg))
    return found


def _refusal(
    call: CallExpr, fullname: str, signatures: list[CallableType], api: CheckerPluginInterface
) -> tuple[str, Context | None, Type] | None:
    # A function that is a value has no name but that of the variable.
    named = [each if each.name else each.copy_modified(name=text_of(call.callee)) for each in signatures]
    found = disagreement(named, _arguments(call, fullname, api))
    if found is None:
        return None
    message, at, signature, meanings = found
    return message, at, expand_type(signature.ret_type, meanings)


def _checked_method(context: MethodSigContext, rule: Rule) -> FunctionLike:
    call = context.context
    arguments = bound(call, rule.parameters)
    if arguments is None or not isinstance(call, CallExpr):
        return context.default_signature
    try:
        rule.result(Call(context.api, _name_of(call), call, arguments, context.type))
    except Mismatch as mismatch:
        context.api.fail(mismatch.message, mismatch.at, code=ARG_TYPE)
        return _taking_anything(context.default_signature, AnyType(TypeOfAny.from_error))
    return context.default_signature


def _operands(context: MethodSigContext) -> list[Type]:
    given = context.context
    expressions: list[Expression] = [each for formal in context.args for each in formal]
    types: list[Type] = [type_of_expression(expression, context.api) for expression in expressions]
    return types if isinstance(given, CallExpr) and len(types) == 2 else [context.type, *types]
