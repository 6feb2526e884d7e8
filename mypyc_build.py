"""Compiling the engine with mypyc: for a wheel that is faster where Python itself takes the time.

`COMPILED` modules become extension modules, made from the very sources that otherwise run. mypyc does not take all that
is in them, and sees some of it differently; `rewritten` writes that otherwise first, without moving a line, so that
tracebacks tell the line of the source. It fails where the source does not hold what it is to replace.

    python mypyc_build.py FOLDER    # a package with a compiled engine, to look at: PYTHONPATH=FOLDER python ...
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path

# The engine, and nothing that hands its own functions to the user: under Python 3.11 a function that mypyc made within
# another one can be weakly referenced, and ends without telling the reference. (An operation's name, in traces and in
# messages of `debug_nans`, is told by the frame of its Python function, too.)
COMPILED = (
    *("tape", "outer_sum", "index_sum", "leaves", "arithmetic", "bvar", "tree"),
    *("transform/run", "transform/differentiated", "ops/fused"),
)

_COMPARISONS = ("lt", "le", "gt", "ge")

# What is written otherwise, by module: (in the source, for mypyc), each once in the source.
_OTHERWISE: dict[str, tuple[tuple[str, str], ...]] = {
    "bvar": (
        # Calling the class is the fast way to an instance, and `object.__new__` refuses.
        (
            "# A BVar without a value, by `bare(BVar)`: its callers set the three attributes.\n"
            "bare: Callable[[type[BVar[Any]]], BVar[Any]] = object.__new__\n",
            "_BARE: Final[Any] = object(); _Float: Final[Any] = float; _1: Final[Any] = 1.0; _M1: Final[Any] = -1.0\n"
            "def bare(_: Any) -> BVar[Any]: return BVar(_BARE)\n",
        ),
        (
            "        self._value = lifted(value)\n        self._tape = None\n",
            "        if value is _BARE: return\n        self._value = lifted(value); self._tape = None\n",
        ),
        # A class attribute has to say that it is one.
        ("    mT: _Swapped", "    mT: ClassVar[_Swapped]"),
        # A class that compares and defines no hash has none.
        ("    __hash__: ClassVar[None]", "    #"),
        # What is declared is checked at a call, with a message of mypyc's; these have their own.
        *(
            (f"__{name}__(self: BVar[float], other: BVar[float] | float)", f"__{name}__(self, other: Any)")
            for name in _COMPARISONS
        ),
    ),
    "tape": (
        # What Python is fastest by is a call to mypyc, which has ways of its own for lists and counts.
        ("    next_entry, next_cotangent = entries.pop, cotangents.pop\n", "\n"),
        ("            entry = next_entry()\n", "            entry = entries.pop()\n"),
        ("            cotangent = next_cotangent()\n", "            cotangent = cotangents.pop()\n"),
        ("for _ in itertools.repeat(None, count - inputs):", "for _ in range(count - inputs):"),
    ),
    "tree": (
        ("Leaf = BVar[Any]\n", "Leaf = Any\n"),
        ("def __call__(self, vector: BVar[R[Any]] | R[Any])", "def __call__(self, vector: Any)"),
        # On an alias that contains itself mypyc never ends.
        ("from typedprop.paths import Path, written\n", "from typedprop.paths import written; Path = Any\n"),
        # A tuple of known length has no identity, by which these entries are told apart.
        ("_Entry = tuple[_Kind, int, Any, bool]\n", "_Entry = tuple[Any, ...]\n"),
    ),
}

_GENERIC = ("BVar", "At", "Structure")

# What mypyc has to know of a class: that Python classes inherit from it. (Not `free_list_len`, which would save a BVar
# the making of a new one: mypyc 2.4 keeps an instance's memory before it lets go of its attributes, and a finalizer of
# one of these, an array say, would compute with that very memory.)
_MARKS = {"Tape": "allow_interpreted_subclasses=True"}

# Between products of matrices, which push all else out of the processor's caches, the engine's time is that of fetching
# its code. So it is small: loops are not unrolled, functions call each other directly, for nobody else looks for them,
# and what is taken seldom is apart from what is taken often, which the compiler sees by a first build.
_FLAGS = ["-O2", "-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt"]
_COUNTING = ["-fprofile-generate", "-fprofile-update=single"]
_COUNTED = ["-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile"]
# What GCC does for what is taken often, at the price of more code.
_COUNTED += [f"-fno-{name}" for name in ("unroll-loops", "peel-loops", "tracer", "split-loops", "ipa-cp-clone")]


def compiled(source: Path, folder: Path) -> list[Path]:
    """Copy the package `source/typedprop` to `folder`, which must not have it, and compile its engine there.

    Gives the paths of the extension modules. Needs mypyc and setuptools, a C compiler, and what the package needs.
    """
    # The build has them, the library's users need not.
    mypycify = import_module("mypyc.build").mypycify
    setup = import_module("setuptools").setup
    shutil.copytree(source / "typedprop", folder / "typedprop", ignore=shutil.ignore_patterns("__pycache__"))
    for name in COMPILED:
        path = folder / "typedprop" / f"{name}.py"
        path.write_text(rewritten(name, path.read_text("utf-8")), "utf-8")
    # The types have been checked, in the sources; here they only tell mypyc what it may rely on.
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    options += ["--disable-error-code=type-var", "--disable-error-code=var-annotated"]
    here = Path.cwd()
    os.chdir(folder)
    try:
        modules = mypycify([*options, *(f"typedprop/{name}.py" for name in COMPILED)], group_name="typedprop")
        given = [list(module.extra_compile_args) for module in modules]

        def build(compiler: list[str], linker: list[str]) -> None:
            for module, arguments in zip(modules, given, strict=True):
                module.extra_compile_args, module.extra_link_args = [*arguments, *compiler], linker
            arguments = ["--quiet", "build_ext", "--inplace", "--force"]
            setup(name="typedprop", packages=[], ext_modules=modules, script_args=arguments)

        if not _is_gcc():
            build([] if os.name == "nt" else _FLAGS, [])
        else:
            build([*_FLAGS, *_COUNTING], _COUNTING)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
            subprocess.run([sys.executable, source.parent / "mypyc_training.py"], env=environment, check=True)
            build([*_FLAGS, *_COUNTED], [])
    finally:
        os.chdir(here)
    shutil.rmtree(folder / "build")
    for name in COMPILED:
        shutil.copy(source / "typedprop" / f"{name}.py", folder / "typedprop" / f"{name}.py")
    return [path for path in folder.rglob("*") if path.suffix in (".so", ".pyd")]


def _is_gcc() -> bool:
    """Whether the C compiler is GCC; others count what is taken by other options, and with more programs."""
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "")
    if not command or shutil.which(command[0]) is None:
        return False
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout
    return "Free Software Foundation" in version


def rewritten(name: str, text: str) -> str:
    """The text of a module as mypyc takes it, line for line. Raises ValueError where it is not what it was."""
    for old, new in _OTHERWISE.get(name, ()):
        if text.count(old) != 1:
            raise ValueError(f"{name}.py holds {old!r} {text.count(old)} times, not once: see _OTHERWISE")
        text = text.replace(old, new)
    if name == "bvar":
        # What is known to be a float loses its box, and gets a new one in each entry that keeps it.
        text = re.sub(r" is float\b", " is _Float", text)
        text = re.sub(r"(SCALE, \w+\._node, )1\.0\b", r"\1_1", text)
        text = re.sub(r"(SCALE, \w+\._node, )-1\.0\b", r"\1_M1", text)
    text = _without_parameters(text)
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "overload" for d in node.decorator_list):
            # For type checkers; of an overloaded `__init__`, mypyc makes code that is none.
            _blank(lines, node.decorator_list[0].lineno, node)
        elif isinstance(node, ast.ClassDef):
            _rewrite_class(lines, node)
    if name == "bvar":
        # It is taken for a number's when it is set, and not before.
        lines[-1] = 'setattr(BVar, "__index__", vars(BVar)["__index__"])\n'
    k = lines.index("from __future__ import annotations")
    lines[k] += "; import sys, typing; from types import GenericAlias; from typing import Any, ClassVar"
    # The decorator is for mypyc alone. When the module runs, mypy_extensions need not be there, and one that does
    # nothing takes its place.
    lines[k] += "; setattr(sys.modules[__name__], 'mypyc_attr', typing.dataclass_transform)"
    lines[k + 1] = "if typing.TYPE_CHECKING: from mypy_extensions import mypyc_attr"
    return "\n".join(lines)


def _without_parameters(text: str) -> str:
    """Generic classes without Generic, and their names without parameters in annotations.

    An instance of a class that inherits from Generic can be weakly referenced when compiled, and ends without telling
    the reference.
    """
    lines = text.split("\n")
    tree = ast.parse(text)
    subscripts = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    found = [node for node in subscripts if ast.unparse(node.value).split(".")[-1] in _GENERIC]
    # From the end of a line to its beginning, so that the places of those to come stay right.
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        if node.lineno == node.end_lineno:
            line = lines[node.lineno - 1].encode()
            lines[node.lineno - 1] = (line[: node.value.end_col_offset] + line[node.end_col_offset :]).decode()
    for cls in ast.walk(tree):
        if isinstance(cls, ast.ClassDef) and cls.name in _GENERIC:
            lines[cls.lineno - 1] = f"class {cls.name}:"
            slots = next(k for k in range(cls.lineno, len(lines)) if lines[k].startswith("    __slots__ = "))
            lines[slots] = "    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)"
    return "\n".join(lines)


def _rewrite_class(lines: list[str], node: ast.ClassDef) -> None:
    mark = _MARKS.get(node.name)
    if any(hasattr(builtins, ast.unparse(base)) for base in node.bases):
        # An int or an error with a name stays a Python class.
        mark = "native_class=False"
    if mark:
        # The line before a class is an empty one.
        lines[node.lineno - 2] = f"@mypyc_attr({mark})"
    for child in node.body:
        if isinstance(child, ast.If):
            # Within a class mypyc takes no such statement. What only checkers see goes, what they do not see stays.
            test = ast.unparse(child.test)
            if test == "TYPE_CHECKING":
                _blank(lines, child.lineno, child)
            elif test == "not TYPE_CHECKING":
                lines[child.lineno - 1] = ""
                for k in range(child.lineno, child.end_lineno or 0):
                    lines[k] = re.sub("^    ", "", lines[k])


def _blank(lines: list[str], first: int, node: ast.stmt) -> None:
    for k in range(first - 1, node.end_lineno or 0):
        lines[k] = ""


if __name__ == "__main__":
    for made in compiled(Path(__file__).parent / "src", Path(sys.argv[1])):
        print(made)
