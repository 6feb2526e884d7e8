"""Nothing that typedprop is given as data runs as code: not its own source, not names, not files."""

from __future__ import annotations

import ast
import dataclasses
import html.parser
import io
import json
import pickle
import shutil
import subprocess
import tracemalloc
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
from tests.untyped import BVar, lift, tp
from typedprop import Record
from typedprop.saving import CorruptFileError, load, save

SOURCE = Path(typedprop.__file__).parent

# -- The source --------------------------------------------------------------------------------------------------------

CALLS = {"eval", "exec", "compile", "__import__", "open", "input", "breakpoint"}
SERIALIZERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
LOADERS = {"code", "codeop", "ctypes", "runpy", "importlib", "imp"}
OUTSIDE = {"subprocess", "socket", "ssl", "urllib", "http", "tempfile"}
MODULES = SERIALIZERS | LOADERS | OUTSIDE
ATTRIBUTES = {"load", "loads", "get_type_hints", "system", "popen", "fromfile", "memmap", "loadtxt", "import_module"}
# Where one of these stands all the same, and why.
ALLOWED = {
    ("__init__.py", "importlib"): "loads modules of typedprop by a table of its own",
    ("__init__.py", "import_module"): "the same",
    ("waiting.py", "importlib"): "loads the package itself once more, in mypy's process",
    ("extras.py", "importlib"): "loads optional libraries by names that stand in the source",
    ("extras.py", "import_module"): "the same",
    ("table.py", "importlib"): "asks whether rich is installed",
    ("parallel.py", "importlib"): "loads the module of an executor that is in use",
    ("parallel.py", "import_module"): "the same",
    ("parallel.py", "pickle"): "asks whether what an executor would send can be sent",
    ("parallel.py", "loads"): "reads what it dumped itself in the line before",
    ("annotations.py", "get_type_hints"): "annotations are the program's own text, and Python evaluates them",
    ("checked.py", "get_type_hints"): "the same",
    ("atomic.py", "open"): "the file that save is given",
    ("saving.py", "open"): "the file that load is given",
    ("saving.py", "loads"): "JSON",
    ("saving.py", "load"): "safetensors, which is no code",
}


def findings(module: ast.Module) -> Iterator[str]:
    """What of the above a module does, and whatever switches pickles on."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS | ATTRIBUTES:
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=base), attr=name)) if name in ATTRIBUTES:
                # Methods of an object of typedprop's own have names as they like.
                yield name if base not in ("self", "cls") else ""
            case ast.Import(names=names):
                yield from (a.name.partition(".")[0] for a in names if a.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(origin)) if origin.partition(".")[0] in MODULES:
                yield origin.partition(".")[0]
            case ast.keyword(arg="allow_pickle", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                yield "allow_pickle"
            case _:
                pass


@pytest.fixture(scope="module")
def modules() -> list[tuple[str, ast.Module]]:
    return [(path.name, ast.parse(path.read_text(encoding="utf-8"))) for path in SOURCE.rglob("*.py")]


def test_the_source_runs_no_data(modules: list[tuple[str, ast.Module]]) -> None:
    found = {(module, name) for module, tree in modules for name in findings(tree) if name}
    assert found - ALLOWED.keys() == set(), "give the reason in ALLOWED, or do without"
    assert ALLOWED.keys() - found == set(), "is not there any more"


@pytest.mark.parametrize(
    "line",
    [
        "eval(x)",
        "exec(x)",
        "compile(x, '', 'exec')",
        "__import__(x)",
        "import pickle",
        "import marshal as m",
        "from pickle import loads",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "read_array(file, allow_pickle=flag)",
        "os.system(x)",
    ],
)
def test_the_search_finds(line: str) -> None:
    assert any(findings(ast.parse(line)))


def test_no_file_is_read_without_saying_that_pickles_are_refused(modules: list[tuple[str, ast.Module]]) -> None:
    """NumPy's readers and writers of arrays, whose defaults differ."""
    calls = [
        node
        for _, tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("read_array", "write_array"))
    ]
    assert len(calls) == 2
    for call in calls:
        assert any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False" for k in call.keywords)


# -- Names -------------------------------------------------------------------------------------------------------------

NAMES = [
    "class",
    "None",
    "__init__",
    "__class__",
    "__dict__",
    "__reduce__",
    "self",
    "été",
    "ﬁeld",
    "x.y",
    "../x",
    "/etc/passwd",
    "a b",
    "'",
    '"',
    "\\",
    "\n",
    "\r\n",
    "\0",
    "'); import os; os.abort() #",
    "{x}",
    "%s",
    "<script>alert(1)</script>",
    "&lt;",
    "</td><img src=x onerror=alert(1)>",
    "\u202e",
    "\x1b[31m",
    "[link](javascript:alert(1))",
    "]] -> n0 [shape=box",
    "",
    " ",
    "x" * 5000,
]
# These are Python's own of every object.
FIELDS = [name for name in NAMES if name not in ("__class__", "__dict__")]
KEYS: list[Any] = [*NAMES, 0, -1, 1.5, None, True, (1, "\n"), b"x", frozenset({1})]


def of_keys() -> dict[Any, Any]:
    # True and 1 are one key of a dict; 0 and False would be.
    return {key: BVar(float(number)) for number, key in enumerate(KEYS)}


def of_fields() -> Any:
    """Not by attrs or dataclasses, which generate code with the names of fields and refuse most of these."""
    fields = {}
    for name in FIELDS:
        field: Any = dataclasses.field()
        field.name, field._field_type = name, dataclasses._FIELD  # type: ignore[attr-defined]  # as dataclasses has it
        fields[name] = field
    record = type("Odd", (), {"__dataclass_fields__": fields})()
    for number, name in enumerate(FIELDS):
        object.__setattr__(record, name, BVar(float(number)))
    return record


def test_hostile_keys_go_through_trees_and_transformations() -> None:
    tree = of_keys()
    leaves, structure = tp.tree.flatten(tree)
    assert [leaf.value for leaf in leaves] == [float(k) for k in range(len(KEYS))]
    assert structure.unflatten(leaves) == tree
    assert len(structure.paths()) == len(set(structure.paths())) == len(KEYS)
    gradient = tp.grad(lambda t: sum((x * x for x in t.values()), BVar(0.0)))(tree)
    assert list(gradient) == KEYS and all(gradient[key] == 2.0 * tree[key] for key in KEYS)
    flat, unravel = tp.tree.ravel(tree)
    assert unravel(flat) == tree
    with pytest.raises(tp.tree.StructureError):
        tp.tree.map(lambda a, b: a + b, tree, {**tree, "'more'": BVar(1.0)})


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_hostile_keys_go_through_files(format: Any, tmp_path: Path) -> None:
    if format == "safetensors":
        pytest.importorskip("safetensors", reason="safetensors is optional: pip install -e .[safetensors]")
    tree = of_keys()
    save(tmp_path / "file", tree, format=format)
    assert load(tmp_path / "file", like=tp.tree.map(lambda _: BVar(0.0), tree)) == tree
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    # Others that unpack the file get names that stay in their folder.
    if format == "npz":
        with zipfile.ZipFile(tmp_path / "file") as archive:
            for name in archive.namelist():
                assert not name.startswith("/") and ".." not in Path(name).parts and "\\" not in name
                assert name.isprintable() and len(name) < 255
            archive.extractall(tmp_path / "there")
        assert {p.name for p in tmp_path.iterdir()} == {"file", "there"}


def test_hostile_fields_go_through_trees_and_files(tmp_path: Path) -> None:
    record = of_fields()
    leaves, structure = tp.tree.flatten(record)
    assert [leaf.value for leaf in leaves] == [float(k) for k in range(len(FIELDS))]
    assert structure.paths() == [f".{name}" for name in FIELDS]
    doubled = tp.tree.map(lambda x: x * 2.0, record)
    assert [vars(doubled)[name].value for name in FIELDS] == [2.0 * k for k in range(len(FIELDS))]
    save(tmp_path / "file", record)
    loaded = load(tmp_path / "file", like=doubled)
    assert vars(loaded) == vars(record)


@pytest.mark.parametrize("make", [attrs.make_class, dataclasses.make_dataclass])
@pytest.mark.parametrize("name", [n for n in NAMES if n.isidentifier()])
def test_fields_that_attrs_and_dataclasses_take(make: Any, name: str, tmp_path: Path) -> None:
    """Keywords, dunders and letters of all alphabets, as far as these libraries let them be fields."""
    fields: Any = [name] if make is attrs.make_class else [(name, object)]
    try:
        cls = make("Made", fields, bases=(Record,))
        record = cls(lift(3))
    except (TypeError, ValueError, SyntaxError, AttributeError):
        return
    if unicodedata.normalize("NFKC", name) != name:
        # Python's compiler normalizes names, so attrs and dataclasses set another attribute than they list.
        with pytest.raises(tp.NotDifferentiableError):
            tp.grad(lambda r: BVar(1.0))(record)
        return
    (path,) = tp.tree.flatten(record)[1].paths()
    assert path == f".{name}"
    gradient = tp.grad(lambda r: tp.tree.leaves(r)[0].sum())(record)
    assert type(gradient) is cls and tp.tree.leaves(gradient)[0] == BVar(np.ones(3))
    assert "BVar(" in repr(record) and type(record + record) is cls
    save(tmp_path / "file", record)
    assert tp.tree.leaves(load(tmp_path / "file", like=gradient)) == tp.tree.leaves(record)


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a text, and the text itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_hostile_names_are_escaped_in_html() -> None:
    shown = Tags(tp.summary(of_keys()).table().html())
    assert shown.tags == {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"}
    assert shown.attributes == {"style"}
    assert any("<script>alert(1)</script>" in text for text in shown.text)
    made: Any = attrs.make_class("Bad", ["x"], bases=(Record,))
    # Not from the beginning: some versions of attrs generate code with the name, which then is none.
    made.__name__ = made.__qualname__ = "<b>Bad</b>"
    record = made(lift(3))
    assert "b" not in Tags(record._repr_html_()).tags
    found = tp.trace(lambda t: sum(t.values(), BVar(0.0)), of_keys())
    assert Tags(found._repr_html_()).tags <= shown.tags


def test_hostile_names_are_one_label_each_in_dot() -> None:
    tree = of_keys()
    text = tp.trace(lambda t: sum((x * 2.0 for x in t.values()), BVar(0.0)), tree).to_dot()
    lines = text.splitlines()
    boxes = [line for line in lines if "shape=box" in line and line.startswith("  n")]
    assert len(boxes) == len(KEYS)
    for line in lines:
        # Outside of strings there are names of nodes and attributes alone.
        outside = _outside_of_strings(line)
        assert outside.isascii() and "script" not in outside and "import" not in outside, line
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True)
        nodes = [line for line in done.stdout.splitlines() if line.startswith("node ")]
        assert len(nodes) == len(KEYS) + text.count("label=") - len(boxes)


def _outside_of_strings(line: str) -> str:
    kept, inside, skip = [], False, False
    for character in line:
        if skip:
            skip = False
        elif inside and character == "\\":
            skip = True
        elif character == '"':
            inside = not inside
        elif not inside:
            kept.append(character)
    assert not inside and not skip, line
    return "".join(kept)


# -- Files -------------------------------------------------------------------------------------------------------------


class Bomb:
    """What runs code when it is unpickled."""

    exploded = False

    def __reduce__(self) -> Any:
        return (setattr, (Bomb, "exploded", True))


Members = list[tuple[str, bytes]]


def members(file: Path) -> Members:
    with zipfile.ZipFile(file) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def npy(x: Any, allow_pickle: bool = False) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asarray(x), allow_pickle=allow_pickle)
    return content.getvalue()


def header(descr: Any, shape: Any) -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def replaced(name: str, content: bytes) -> Callable[[Members], Members]:
    return lambda given: [(n, content if n == name else c) for n, c in given]


def schema(change: Callable[[Any], Any]) -> Callable[[Members], Members]:
    def changed(given: Members) -> Members:
        document = json.loads(dict(given)["typedprop.json"])
        change(document)
        return replaced("typedprop.json", json.dumps(document).encode())(given)

    return changed


X = "['x'].npy"
FILES: dict[str, tuple[Callable[[Members], Members], str]] = {
    "pickled objects": (replaced(X, npy([Bomb()] * 3, True)), "pickled objects, which are never loaded"),
    "a pickle in a member's place": (replaced(X, pickle.dumps(Bomb())), "damaged or cut off"),
    "a pickle in the schema's place": (replaced("typedprop.json", pickle.dumps(Bomb())), "damaged or cut off"),
    "a missing array": (lambda given: [m for m in given if m[0] != X], "damaged or cut off"),
    "a missing schema": (lambda given: [m for m in given if m[0] != "typedprop.json"], "no typedprop.json"),
    "an array twice": (lambda given: [*given, (X, npy(np.ones(3)))], "more than once"),
    "the schema twice": (lambda given: [*given, ("typedprop.json", b"{}")], "'typedprop.json' more than once"),
    "an absolute path": (schema(lambda s: s["leaves"][0].update(key="/etc/passwd")), "damaged or cut off"),
    "a path that climbs": (schema(lambda s: s["leaves"][0].update(key="../../etc/passwd")), "damaged or cut off"),
    "a cut array": (lambda given: replaced(X, dict(given)[X][:-1])(given), "damaged or cut off"),
    "an empty member": (replaced(X, b""), "damaged or cut off"),
    "another dtype": (replaced(X, npy(np.arange(3))), "damaged at"),
    "strings": (replaced(X, npy(np.array(["a", "b", "c"]))), "damaged at"),
    "a huge declared shape": (replaced(X, header("<f8", (10**15,))), "damaged or cut off"),
    "a shape that overflows": (replaced(X, header("<f8", (2**40, 2**40))), "damaged or cut off"),
    "a negative shape": (replaced(X, header("<f8", (-3,))), "damaged"),
    "a huge item": (replaced(X, header("V2000000000", (1000,))), "damaged or cut off"),
    "a header that is code": (
        replaced(X, b"\x93NUMPY\x01\x00\x30\x00" + b"__import__('os').abort()".ljust(47) + b"\n"),
        "damaged or cut off",
    ),
    "a deep header": (replaced(X, b"\x93NUMPY\x01\x00\x20\x27" + b"(" * 10_015 + b"\n"), "damaged or cut off"),
    "a deep schema": (replaced("typedprop.json", b"[" * 200_000), "damaged or cut off"),
    "a long schema": (replaced("typedprop.json", b" " * 2**22), "longer than what a record like this one needs"),
    "a schema of a number": (replaced("typedprop.json", b"1"), "damaged or cut off"),
    "no UTF-8": (replaced("typedprop.json", b"\xff\xfe{"), "damaged or cut off"),
    "a number of 5,000 digits": (
        replaced("typedprop.json", b'{"typedprop": ' + b"9" * 5000 + b"}"),
        "damaged or cut off",
    ),
    "the axes of another rank": (schema(lambda s: s["leaves"][0].update(axes=[1, 0])), "damaged or cut off"),
    "no checksum": (schema(lambda s: s["leaves"][0].pop("crc")), "damaged or cut off"),
    "another checksum": (schema(lambda s: s["leaves"][0].update(crc=None)), "damaged at"),
}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore:Duplicate name")  # of the zip, which is written here
def test_hostile_files(name: str, compression: int, tmp_path: Path) -> None:
    file, like = tmp_path / "file.npz", {"x": BVar(np.zeros(3)), "y": BVar(1.0)}
    save(file, like)
    change, message = FILES[name]
    changed = change(members(file))
    with zipfile.ZipFile(file, "w", compression) as archive:
        for member, content in changed:
            archive.writestr(member, content)
    with pytest.raises(CorruptFileError, match=message) as caught:
        load(file, like=like)
    assert len(str(caught.value)) < 1000 + len(str(file))
    assert not Bomb.exploded
    assert [p.name for p in tmp_path.iterdir()] == ["file.npz"]


def test_a_member_that_the_description_does_not_name_is_not_read(tmp_path: Path) -> None:
    file, like = tmp_path / "file.npz", {"x": BVar(np.zeros(3)), "y": BVar(1.0)}
    save(file, like)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../outside.npy", npy([Bomb()] * 3, True))
    assert load(file, like=like) == like
    assert not Bomb.exploded
    assert [p.name for p in tmp_path.iterdir()] == ["file.npz"]


@pytest.mark.parametrize("member", ["typedprop.json", X])
@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_takes_no_memory(member: str, compression: int, tmp_path: Path) -> None:
    """8 MB of zeros in a file of 20 kB or less."""
    file, like = tmp_path / "file.npz", {"x": BVar(np.zeros(3))}
    save(file, like)
    others = [m for m in members(file) if m[0] != member]
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in others:
            archive.writestr(name, content)
        with archive.open(member, "w") as stream:
            stream.write(header("<f8", (10**6,)) if member == X else b"{")
            for _ in range(8):
                stream.write(bytes(10**6))
    assert file.stat().st_size < 2 * 10**4
    tracemalloc.start()
    try:
        with pytest.raises(CorruptFileError):
            load(file, like=like)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 10**6


def test_what_a_file_says_of_itself_is_shown_in_one_line(tmp_path: Path) -> None:
    file, like = tmp_path / "file.npz", {"x": BVar(np.zeros(3)), "y": BVar(1.0)}
    save(file, like)
    changed = schema(lambda s: s.update(record="A\x1b[31m\n" + "B" * 10_000, leaves=[]))(members(file))
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in changed:
            archive.writestr(name, content)
    with pytest.raises(tp.tree.StructureError) as caught:
        load(file, like=like)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000 + len(str(file))
