"""The API reference, from the sources: signatures, types and docstrings of the names that a page lists.

    ```{api} typedprop.linalg
    cholesky
    solve
    ```

A docstring is Markdown. A public name in backticks becomes a link. The overloads of a function, which say the shapes,
are folded away under "Types". What has no docstring is a warning, and so fails the build.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

import attrs
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from typedprop.op import Elementwise

logger = logging.getLogger(__name__)

Function = ast.FunctionDef


# -- What the source says --------------------------------------------------------------------------------------------


@cache
def parsed(module: str) -> ast.Module:
    """A module's source, or the stub that gives its types."""
    file = inspect.getsourcefile(importlib.import_module(module))
    assert file is not None, module
    stub = Path(file).with_suffix(".pyi")
    return ast.parse((stub if stub.exists() else Path(file)).read_text())


def functions(body: list[ast.stmt], name: str) -> tuple[list[Function], list[Function]]:
    """The overloads of a function, and its implementation; a stub has no implementation."""
    found = [node for node in body if isinstance(node, Function) and node.name == name]
    overloads = [f for f in found if any(ast.unparse(d) == "overload" for d in f.decorator_list)]
    return overloads, [f for f in found if f not in overloads]


def class_body(cls: type) -> list[ast.stmt]:
    for node in parsed(cls.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            return node.body
    return []


def arguments(f: Function, *, types: bool, method: bool) -> str:
    """`(x: R[N], /) -> R[N]`, or `(x, /)`."""
    args = ast.parse(ast.unparse(f)).body[0]
    assert isinstance(args, Function)
    if method:
        first = args.args.posonlyargs or args.args.args
        del first[0]
    for arg in ast.walk(args.args):
        if isinstance(arg, ast.arg) and not types:
            arg.annotation = None
    result = f" -> {ast.unparse(args.returns)}" if types and args.returns else ""
    # Names with an underscore are the stubs' own, and mean what the others mean.
    return re.sub(r"\b_([A-Z])", r"\1", f"({ast.unparse(args.args)}){result}")


def signature(overloads: list[Function], plain: list[Function], *, method: bool) -> str:
    """The types, where there is one line of them; otherwise the names, with the types below."""
    if plain:
        return arguments(plain[0], types=not overloads, method=method)
    # Of a stub: the overload that takes most.
    return arguments(
        max(overloads, key=lambda f: len(f.args.args + f.args.posonlyargs + f.args.kwonlyargs)),
        types=False,
        method=method,
    )


def types_below(name: str, overloads: list[Function], *, method: bool) -> list[str]:
    """The overloads, folded away."""
    if not overloads:
        return []
    lines = dict.fromkeys(name + arguments(f, types=True, method=method) for f in overloads)
    return ["", "<details><summary>Types</summary>", "", "```python", *lines, "```", "", "</details>", ""]


# -- Docstrings ------------------------------------------------------------------------------------------------------


def linked(text: str, module: str, own: set[str]) -> str:
    """The docstring with links: a name in backticks that is public, and no parameter of the function's own."""

    def link(found: re.Match[str]) -> str:
        name = found[1]
        if name.split(".")[0] in own:
            return found[0]
        for full in (f"{module}.{name}", f"typedprop.{name}"):
            if full in public():
                return f"{{py:obj}}`{name} <{full}>`"
        return found[0]

    lines, code = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            code = not code
        indented = line.startswith("    ")
        lines.append(line if code or indented else re.sub(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)", link, line))
    return highlighted("\n".join(lines))


def highlighted(text: str) -> str:
    """Indented blocks, which are Python, as fenced ones."""
    return re.sub(
        r"(?<=\n\n)((?: {4}.*\n?|\n)+)",
        lambda found: "```python\n" + inspect.cleandoc("\n" + found[1]) + "\n```\n\n" if found[1].strip() else found[1],
        text,
    )


def below(body: list[ast.stmt], name: str) -> str:
    """The string that stands under an assignment or a field."""
    for node, following in itertools.pairwise(body):
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        string = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant) and following.value.value
        if isinstance(target, ast.Name) and target.id == name and isinstance(string, str):
            return inspect.cleandoc(string)
    return ""


# -- What is public --------------------------------------------------------------------------------------------------

MODULES = ["typedprop"]


@cache
def public() -> frozenset[str]:
    """The full names of all that the reference may link to."""
    names: set[str] = set()
    for name in MODULES:
        module = importlib.import_module(name)
        for member in members(module):
            value = getattr(module, member)
            names.add(f"{name}.{member}")
            if isinstance(value, type):
                names |= {f"{name}.{member}.{x}" for x, _ in class_members(value)}
    return frozenset(names)


def members(module: ModuleType) -> list[str]:
    """The public names of a module."""
    listed: list[str] | None = getattr(module, "__all__", None)
    if listed is None:
        listed = [n for n, v in vars(module).items() if n[0] != "_" and getattr(v, "__module__", "") == module.__name__]
    apart = ModuleType | TypeVar | TypeVarTuple | ParamSpec
    return [name for name in listed if not isinstance(getattr(module, name), apart)]


def class_members(cls: type) -> Iterator[tuple[str, Any]]:
    """The fields, properties and methods that a class declares itself."""
    fields = [field.name for field in attrs.fields(cls)] if attrs.has(cls) else []
    for name in fields:
        if name[0] != "_":
            yield name, None
    for name, value in vars(cls).items():
        if name[0] != "_" and name not in fields and (callable(value) or isinstance(value, property | classmethod)):
            yield name, value


# -- Entries ---------------------------------------------------------------------------------------------------------


def alias(value: Any, module: str) -> list[str]:
    """The name in the module that it comes from, where that is public too."""
    home = value.__module__
    return [f":canonical: {home}.{value.__name__}"] if home in MODULES and home != module else []


class Missing(Exception):
    """A public name without a docstring."""


def entry(module: str, name: str) -> str:
    """The Markdown of one name."""
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, type):
        return class_entry(module, name, value)
    home = getattr(value, "__module__", module)
    if callable(value) and inspect.isfunction(value):
        overloads, plain = functions(parsed(home).body, value.__name__)
        method = False
        if not plain and not overloads and home == Elementwise.__module__:
            # Made by a declaration, which says of what type.
            overloads, plain = functions(class_body(Elementwise), "__call__")
            method = True
    elif callable(value) and inspect.getdoc(type(value)) and "__call__" in vars(type(value)):
        overloads, plain = functions(class_body(type(value)), "__call__")
        method = True
    else:
        doc = next((d for m in (module, *submodules(module)) if (d := below(parsed(m).body, name))), "")
        return block("py:data", module, name, linked(checked(doc, module, name), module, {name}), ":no-index-entry:")
    if not plain and not overloads:
        raise Missing(f"{module}.{name}: no source found in {home}")
    own = {name, *inspect.signature(value).parameters}
    doc = checked(inspect.getdoc(value) or "", module, name)
    if inspect.isfunction(value):
        call = inspect.getdoc(Elementwise.__call__) if method else ""
    else:
        call = inspect.getdoc(type(value).__call__) if method else ""
    if call:
        doc += f"\n\n{call}"
    doc = linked(doc, module, own)
    sign = signature(overloads, plain, method=method)
    return block(
        "py:function",
        module,
        name + sign,
        "\n".join([doc, *types_below(name, overloads, method=method)]),
        *alias(value, module),
    )


def submodules(module: str) -> list[str]:
    """The modules below a package that a name may be defined in."""
    path = importlib.import_module(module).__file__
    assert path is not None
    if not path.endswith("__init__.py") or module == "typedprop":
        return []
    return [f"{module}.{file.stem}" for file in sorted(Path(path).parent.glob("[a-z]*.py"))]


def checked(doc: str, module: str, name: str) -> str:
    if not doc:
        raise Missing(f"{module}.{name} has no docstring")
    return doc


def block(kind: str, module: str, heading: str, content: str, *options: str) -> str:
    # A heading is one line; the fence is longer than any inside.
    fence = "`" * (8 if "\n`````" in content else 5)
    return "\n".join([f"{fence}{{{kind}}} {heading}", f":module: {module}", *options, "", content, fence, ""])


def class_entry(module: str, name: str, cls: type) -> str:
    own = {name}
    body = class_body(cls)
    overloads, plain = functions(body, "__init__")
    if issubclass(cls, BaseException):
        kind, sign, overloads = "py:exception", "", []
    elif type(cls).__call__ is not type.__call__ or (not plain and not attrs.has(cls)):
        kind, sign = "py:class", ""
    elif plain:
        kind, sign = "py:class", signature(overloads, plain, method=True).removesuffix(" -> None")
    else:
        kind, sign = "py:class", attrs_signature(cls)
    content = [linked(checked(inspect.cleandoc(cls.__doc__ or ""), module, name), module, own)]
    bases = [full for base in cls.__bases__ if (full := f"{module}.{base.__name__}") in public()]
    if bases and kind == "py:class":
        content += ["", "A kind of " + ", ".join(f"{{py:obj}}`{b.rpartition('.')[2]} <{b}>`" for b in bases) + "."]
    content += types_below(name, overloads, method=True)
    for member, value in class_members(cls):
        content += ["", member_entry(module, name, cls, body, member, value)]
    return block(kind, module, name + sign, "\n".join(content), *alias(cls, module))


def attrs_signature(cls: type) -> str:
    parts = []
    for parameter in inspect.signature(cls).parameters.values():
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {parameter.annotation}{default}")
    return f"({', '.join(parts)})"


def member_entry(module: str, name: str, cls: type, body: list[ast.stmt], member: str, value: Any) -> str:
    full = f"{name}.{member}"
    if value is None:
        fields = {field.name: field for field in attrs.fields(cls)}
        doc = below(body, member)
        return block("py:attribute", module, full, linked(doc, module, {member}), f":type: {fields[member].type}")
    if isinstance(value, property):
        doc = checked(inspect.getdoc(value) or "", module, full)
        annotation = inspect.get_annotations(value.fget).get("return") if value.fget else None
        return block("py:property", module, full, linked(doc, module, {member}), f":type: {annotation}")
    overloads, plain = functions(body, member)
    # A method that overrides one of a public base says what that says.
    doc = checked(inspect.getdoc(getattr(cls, member)) or "", module, full)
    own = {member, *inspect.signature(getattr(cls, member)).parameters}
    content = [linked(doc, module, own), *types_below(member, overloads, method=True)]
    return block("py:method", module, full + signature(overloads, plain, method=True), "\n".join(content))


# -- Sphinx ----------------------------------------------------------------------------------------------------------


class Api(SphinxDirective):
    """The entries of the names that are its content."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module = self.arguments[0]
        # Any source may be that of a name: a reference is as new as the newest of them.
        for file in [
            Path(__file__),
            *Path(str(inspect.getsourcefile(importlib.import_module("typedprop")))).parent.rglob("*.py*"),
        ]:
            if file.suffix in (".py", ".pyi"):
                self.env.note_dependency(str(file))
        entries = []
        for name in filter(None, map(str.strip, self.content)):
            try:
                entries.append(entry(module, name))
            except (Missing, AttributeError) as error:
                logger.warning("%s", error, location=self.get_location())
        return self.parse_text_to_nodes("\n".join(entries))


class Examples(SphinxDirective):
    """A table of the programs in examples/, each with the first sentence of what it says of itself."""

    def run(self) -> list[nodes.Node]:
        lines = ["| program | what it does |", "|---|---|"]
        for file in sorted((Path(__file__).parents[1] / "examples").glob("*.py")):
            text = file.read_text()
            if "__main__" in text:
                self.env.note_dependency(str(file))
                first = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0].replace("\n", " ")
                lines.append(f"| [{file.name}](../examples/{file.name}) | {first} |")
        return self.parse_text_to_nodes("\n".join(lines))


def link_from_signature(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, child: nodes.Element
) -> nodes.Node | None:
    """A type in a signature of another module, such as `BVar` in typedprop.optim, is typedprop's."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or "." in target:
        return None
    domain = env.domains.python_domain
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", f"typedprop.{target}", node, child)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("api", Api)
    app.add_directive("examples", Examples)
    app.add_config_value("api_modules", MODULES, "env")
    app.connect("config-inited", lambda _, config: MODULES.__setitem__(slice(None), config.api_modules))
    app.connect("missing-reference", link_from_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
