"""The public names of typedprop, and where their signatures say `Any`: as mypy sees them, stubs and overloads included.

mypy's own data are read, from a build of a module that imports everything public. What `make test` has checked before
comes from mypy's cache, so this takes less than a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mypy import build
from mypy.main import process_options
from mypy.modulefinder import BuildSource
from mypy.nodes import Decorator, FuncDef, Node, OverloadedFuncDef, TypeAlias, TypeInfo, Var
from mypy.types import (
    AnyType,
    CallableType,
    Instance,
    LiteralType,
    NoneType,
    Overloaded,
    ParamSpecType,
    TupleType,
    Type,
    TypeType,
    TypeVarTupleType,
    TypeVarType,
    UninhabitedType,
    UnionType,
    UnpackType,
    get_proper_type,
)

MODULES = (
    "typedprop",
    "typedprop.errors",
    "typedprop.linalg",
    "typedprop.optim",
    "typedprop.parallel",
    "typedprop.pytrees",
    "typedprop.saving",
    "typedprop.scipy",
    "typedprop.special",
    "typedprop.testing",
    "typedprop.tree",
)
"""The modules that users import; the others are how they are built."""

SIZES = {"typedprop.shapes.R": 1, "typedprop.shapes.L": 2, "typedprop.shapes.Tensor3": 3, "typedprop.shapes.Tensor4": 4}

NUMPY = {"numpy.ndarray", "numpy.dtype", "numpy.integer", "numpy.floating", "numpy.number", "builtins.slice"}
"""Generic classes whose `Any` is the way to say "any kind of": any shape, any width, any bounds."""


class Place(NamedTuple):
    """Where a signature says `Any`."""

    name: str
    kind: str
    """What it stands for: "size", "dtype", "result" or "argument"; or "kind of X" within one of NumPy's classes."""


def names(module: str) -> dict[str, Node]:
    """What a public module exports, and what mypy knows of it."""
    table = _build().files[module].names
    return {
        name: symbol.node
        for name, symbol in table.items()
        if symbol.module_public and not name.startswith("_") and symbol.node is not None
    }


_built: list[build.BuildResult] = []


def _build() -> build.BuildResult:
    if not _built:
        # With the project's own options, so that its cache is used.
        _, options = process_options(["--module=typedprop"])
        options.incremental = True
        text = "\n".join(f"import {module}" for module in MODULES)
        result = build.build([BuildSource(None, "everything_public", text)], options)
        assert not result.errors, result.errors
        _built.append(result)
    return _built[0]


def signatures() -> Iterator[tuple[str, Type]]:
    """Each public function, method and attribute, by name, with its type."""
    seen: set[str] = set()
    for module in MODULES:
        for name, node in names(module).items():
            yield from _signatures_of(node, f"{module}.{name}", seen)


def _signatures_of(node: Node, name: str, seen: set[str]) -> Iterator[tuple[str, Type]]:
    if isinstance(node, TypeInfo):
        yield from _methods(node, seen, exported=True)
    elif isinstance(node, TypeAlias):
        yield name, node.target
    elif isinstance(node, Decorator | FuncDef | OverloadedFuncDef | Var):
        kind = node.var.type if isinstance(node, Decorator) else node.type
        assert kind is not None, f"{name} has no type"
        yield name, kind
        instance = get_proper_type(kind)
        if isinstance(node, Var) and isinstance(instance, Instance):
            # `exp` and its like are objects: their signature is that of their class's `__call__`.
            yield from _methods(instance.type, seen, exported=False)


def _methods(info: TypeInfo, seen: set[str], *, exported: bool) -> Iterator[tuple[str, Type]]:
    for base in info.mro:
        if not base.fullname.startswith("typedprop.") or base.fullname in seen:
            continue
        seen.add(base.fullname)
        for name, symbol in base.names.items():
            special = name.startswith("__") and name.endswith("__")
            made_by_attrs = name.startswith("__attrs") or "AttrsAttributes__" in name
            if (name.startswith("_") and not special) or made_by_attrs or symbol.node is None:
                continue
            if name in ("__init__", "__new__", "__slots__") and not exported:
                continue
            yield from _signatures_of(symbol.node, f"{base.fullname}.{name}", seen)


def places() -> set[Place]:
    """Every `Any` in a public signature."""
    return {Place(name, kind) for name, signature in signatures() for kind in _anys(signature, "result")}


def _anys(t: Type, kind: str) -> Iterator[str]:
    proper = get_proper_type(t)
    if isinstance(proper, AnyType):
        yield kind
    elif isinstance(proper, CallableType):
        for argument in proper.arg_types:
            yield from _anys(argument, "argument" if kind == "result" else kind)
        yield from _anys(proper.ret_type, kind)
    elif isinstance(proper, Overloaded):
        for signature in proper.items:
            yield from _anys(signature, kind)
    elif isinstance(proper, Instance):
        where = proper.type.fullname
        for index, argument in enumerate(proper.args):
            if where in SIZES:
                yield from _anys(argument, f"{kind}'s {'size' if index < SIZES[where] else 'dtype'}")
            elif where in NUMPY:
                yield from (f"kind of {proper.type.name}" for _ in _anys(argument, kind))
            else:
                yield from _anys(argument, kind)
    elif isinstance(proper, UnionType | TupleType):
        for item in proper.items:
            yield from _anys(item, kind)
    elif isinstance(proper, TypeType):
        yield from _anys(proper.item, kind)
    elif isinstance(proper, UnpackType):
        yield from _anys(proper.type, kind)
    else:
        known = LiteralType | NoneType | ParamSpecType | TypeVarType | TypeVarTupleType | UninhabitedType
        assert isinstance(proper, known), f"{type(proper).__name__} is not looked into"
