"""Bare ints as sizes in annotations: `R[20]` for `R[Literal[20]]`, and `Add`, `Mul` in normal form from the start."""

from __future__ import annotations

from collections.abc import Callable

from mypy.errorcodes import VALID_TYPE
from mypy.plugin import AnalyzeTypeContext
from mypy.types import AnyType, RawExpressionType, Type, TypeOfAny, UnboundType

from typedprop.mypy_plugin.arrays import RANKS
from typedprop.mypy_plugin.size_types import ADD, MUL, NamedType, literal, normalized

TAKES_SIZES = {**RANKS, ADD: 2, MUL: 2}
"""How many sizes each class takes before its other parameters."""


class Literals:
    """The hook for annotations. It hands the type on to mypy's own analysis, for which it must not be called again."""

    def __init__(self, named: NamedType) -> None:
        self._named = named
        self._own_analysis_of: str | None = None

    def hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        """What analyzes a type of this name."""
        sizes = TAKES_SIZES.get(fullname)
        if sizes is None:
            return None
        if self._own_analysis_of == fullname:
            self._own_analysis_of = None
            return None

        def analyze(context: AnalyzeTypeContext) -> Type:
            return self._analyzed(context, fullname, sizes)

        return analyze

    def _analyzed(self, context: AnalyzeTypeContext, fullname: str, sizes: int) -> Type:
        api = context.api
        name = fullname.rpartition(".")[2]
        arguments: list[Type] = []
        for position, argument in enumerate(context.type.args):
            if isinstance(argument, RawExpressionType) and argument.base_type_name == "builtins.int":
                value = argument.literal_value
                if position >= sizes:
                    more = f"; {_OF_RANK[position + 1]} is for {position + 1} sizes" * (position + 1 in _OF_RANK)
                    what = f"{name} takes {sizes} size{'s' * (sizes > 1)} and a dtype, and {value} is no dtype{more}"
                elif isinstance(value, int) and value < 0 and fullname in RANKS:
                    what = f"{name}[...]: {value} is not a size; write an int of 0 or more"
                else:
                    assert isinstance(value, int)
                    arguments.append(literal(value, self._named))
                    continue
                api.fail(what, argument, code=VALID_TYPE)
                arguments.append(AnyType(TypeOfAny.from_error))
            else:
                arguments.append(argument)
        self._own_analysis_of = fullname
        analyzed = api.analyze_type(context.type.copy_modified(args=arguments))
        self._own_analysis_of = None
        # A type that waits for a definition that is still to come is analyzed again.
        if isinstance(analyzed, UnboundType):
            return analyzed
        return normalized(analyzed, self._named)


_OF_RANK = {rank: name.rpartition(".")[2] for name, rank in RANKS.items()}
