"""The documentation as a site: it builds without a warning, and every link in it leads somewhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar, TypeVarTuple, get_origin
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]

# One process builds the site once for all tests of this file.
pytestmark = pytest.mark.xdist_group("site")


def test_every_page_is_there(site: Path) -> None:
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts]
    assert len(pages) > 10
    for page in pages:
        assert (site / page.relative_to(ROOT / "docs").with_suffix(".html")).exists(), page


# -- The reference ---------------------------------------------------------------------------------------------------

MODULES = ["linalg", "optim", "special", "testing", "tree", "errors", "parallel", "saving", "scipy", "pytrees"]


def documented_types(module: ModuleType) -> list[str]:
    """The names that a module gives to types and explains below: such a name does not know which module it is from."""
    found: list[str] = []
    for node, following in itertools.pairwise(ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.Assign) and isinstance(following, ast.Expr):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found += [name for name in names if name[0] != "_" and get_origin(getattr(module, name)) is not None]
    return found


def public_names() -> list[str]:
    """The full name of everything public: of what `__all__` lists, or what a module without it defines itself."""
    typedprop = importlib.import_module("typedprop")
    exported = [name for name in typedprop.__all__ if inspect.ismodule(getattr(typedprop, name))]
    found: list[str] = []
    for name in ["typedprop", *(f"typedprop.{module}" for module in dict.fromkeys([*exported, *MODULES]))]:
        module = importlib.import_module(name)
        own = [n for n, v in vars(module).items() if n[0] != "_" and getattr(v, "__module__", None) == name]
        own += documented_types(module)
        listed: list[str] = getattr(module, "__all__", own)
        apart = ModuleType | TypeVar | TypeVarTuple | ParamSpec
        found += [f"{name}.{n}" for n in listed if not isinstance(getattr(module, n), apart)]
    return found


def missing(names: list[str], site: Path) -> list[str]:
    """The names that the site's inventory, a list for links from other sites, does not have as Python's."""
    _, _, packed = (site / "objects.inv").read_bytes().partition(b"compressed using zlib.\n")
    entries = [line.split(" ") for line in zlib.decompress(packed).decode().splitlines()]
    documented = {entry[0] for entry in entries if entry[1].startswith("py:")}
    return [name for name in names if name not in documented]


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    names = public_names()
    assert len(names) > 250 and {"typedprop.scipy.Method", "typedprop.scipy.Side"} < {*names}
    assert not missing(names, site)
    assert missing(["typedprop.exp", "typedprop.expp"], site) == ["typedprop.expp"]


# -- Links -----------------------------------------------------------------------------------------------------------

LINKS = {"a": "href", "link": "href", "script": "src", "img": "src", "form": "action"}


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is not None and LINKS.get(tag) == name:
                self.links.append(value)
            if value is not None and name == "id":
                self.anchors.add(value)


def fault(link: str, file: Path, site: Path, pages: dict[Path, Page]) -> str | None:
    """What is wrong with a link of `file`, or None. Other sites are not asked: the address must be well formed."""
    try:
        parts = urlsplit(link)
    except ValueError as error:
        return str(error)
    if parts.scheme in ("http", "https"):
        well_formed = parts.hostname is not None and "." in parts.hostname and " " not in link
        return None if well_formed else "not an address"
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        return "neither http nor a file of the site"
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_relative_to(site.resolve()):
        return "outside of the site"
    if not target.is_file():
        return "no such file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in pages[target].anchors:
        return "no such anchor"
    return None


def faults(site: Path) -> dict[str, str]:
    """Everything wrong with the links of a site, by page and link."""
    pages = {file.resolve(): Page(file.read_text()) for file in site.rglob("*.html")}
    found: dict[str, str] = {}
    for file, page in pages.items():
        for link in page.links:
            wrong = fault(link, file, site, pages)
            if wrong is not None:
                found[f"{file.relative_to(site.resolve())}: {link}"] = wrong
    return found


def test_every_link_leads_somewhere(site: Path) -> None:
    assert not faults(site)


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.html").write_text("<h1 id='there'>Here</h1>")
    good = ["other.html", "other.html#there", "#top", "https://numpy.org/doc/", "./other.html?q=1"]
    bad = {
        "missing.html": "no such file",
        "other.html#nowhere": "no such anchor",
        "#nowhere": "no such anchor",
        "../elsewhere.html": "outside of the site",
        "https://": "not an address",
        "https://no where.org": "not an address",
        "http://[": "Invalid IPv6 URL",
        "ftp://numpy.org": "neither http nor a file of the site",
    }
    body = "".join(f'<a href="{link}">x</a>' for link in [*good, *bad])
    (tmp_path / "index.html").write_text(f'<body id="top">{body}<img src="missing.png"></body>')
    expected = {f"index.html: {link}": wrong for link, wrong in bad.items()}
    assert faults(tmp_path) == expected | {"index.html: missing.png": "no such file"}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_files_that_the_other_pages_name_exist(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text()) if "://" not in link]
    assert links or name != "README.md"
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []
