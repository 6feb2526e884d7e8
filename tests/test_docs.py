"""The documentation is true: every Python block in it runs, type-checks, fails where it says so, prints what it says.

The blocks of one page make one program. A line that ends in `# mypy: error` must be rejected by mypy and pyright; the
lines of a `text` block are what mypy says of them, word for word. A page that shows how to switch on the mypy plugin is
checked with it, and by mypy alone. A `print(...)  # like this` prints that line, whose
end may be left out with `...`; other lines may be printed around it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import PAGES, ROOT, blocks, program

MARK = "# mypy: error"


# Blocks that are no program: commands, settings, Sphinx's own directives.
NO_PROGRAM = re.compile(
    r"sh|toml|ini|json|yaml|makefile|\{(toctree|api|examples|py:module|note|image|include|literalinclude)\}.*"
)
WRITTEN = "<!-- Written by python -m tests."  # a page of a generator's, whose tests are elsewhere
WHY_NOT = re.compile(r"<!-- not run: .{10,} -->\n+\Z")


def uncovered(text: str) -> list[str]:
    """The first lines of blocks that nobody checks and that do not say why: `<!-- not run: ... -->` above them.

    Checked are `python` blocks, and of `text` blocks the lines of mypy's errors.
    """
    fences = list(re.finditer(r"^( *)(`{3,}|~{3,})([^\n]*)\n(.*?)^\1\2$", text, re.MULTILINE | re.DOTALL))
    found = []
    for fence in fences:
        language, content = fence[3].strip(), fence[4]
        checked = not fence[1] and (
            language == "python"
            or NO_PROGRAM.fullmatch(language) is not None
            or (language == "text" and all(line.startswith("error: ") for line in content.splitlines()))
        )
        if not checked and not WHY_NOT.search(text, 0, fence.start()):
            found.append(f"{fence[0].splitlines()[0]} {content.splitlines()[0]}")
    return found


WITH_CODE = [page for page in PAGES if blocks(page, "python")]
PLUGIN = "plugins = typedprop.mypy_plugin"
WITH_PLUGIN = {page for page in WITH_CODE if PLUGIN in page.read_text()}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    folder = tmp_path_factory.mktemp("docs")
    files = {}
    for page in WITH_CODE:
        files[page] = folder / (page.relative_to(ROOT).as_posix().replace("/", "_").replace(".", "_") + ".py")
        files[page].write_text(program(page))
    return files


def run(command: list[str]) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return finished.stdout + finished.stderr


def errors_of(output: str, file: Path) -> Iterator[tuple[int, str]]:
    for line in output.splitlines():
        found = re.match(rf"\s*{re.escape(str(file))}:(\d+)(?::\d+)?:? (?:- )?error: (.*)", line)
        if found:
            yield int(found[1]), found[2]


def marked(page: Path) -> set[int]:
    return {number for number, line in enumerate(program(page).splitlines(), 1) if MARK in line}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_checked_or_says_why_not(page: Path) -> None:
    text = page.read_text()
    assert WRITTEN in text or not uncovered(text)


def test_an_unchecked_block_is_found() -> None:
    text = "```python\nx = 1\n```\n```text\nerror: no\n```\n<!-- not run: it needs a GPU -->\n```py\ny\n```\n"
    assert not uncovered(text)
    assert uncovered(text + "```py\nz\n```\n- a\n\n  ```python\n  w\n  ```\n") == ["```py z", "  ```python   w"]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_runs(page: Path, programs: dict[Path, Path], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(programs[page])], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert finished.returncode == 0, finished.stderr
    said = re.findall(r"^ *print\(.*?\)  # (?!mypy: error)(.*)$", program(page), re.MULTILINE)
    printed = iter(finished.stdout.splitlines())
    for wanted in said:
        start = wanted.removesuffix("...")
        found = any(line == wanted or (start != wanted and line.startswith(start)) for line in printed)
        assert found, f"not printed in this order: {wanted}\n{finished.stdout}"


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("plugin", [False, True], ids=["alone", "with the plugin"])
def test_mypy_agrees(programs: dict[Path, Path], plugin: bool, tmp_path: Path) -> None:
    checked = {page: file for page, file in programs.items() if (page in WITH_PLUGIN) is plugin}
    options = ["--strict", "--no-incremental"]
    if plugin:
        (tmp_path / "mypy.ini").write_text(f"[mypy]\n{PLUGIN}\nmypy_path = src\n")
        options.append(f"--config-file={tmp_path / 'mypy.ini'}")
    output = run([sys.executable, "-m", "mypy", *options, *map(str, checked.values())])
    assert "checked" in output, output
    for page, file in checked.items():
        found = dict(errors_of(output, file))
        assert set(found) == marked(page), output
        said = "\n".join(found.values())
        for text in blocks(page, "text"):
            for line in text.splitlines():
                if line.startswith("error: "):
                    assert line.removeprefix("error: ") in said, f"{page.name} quotes: {line}\nmypy says: {said}"


@pytest.mark.xdist_group("docs")
def test_pyright_agrees(programs: dict[Path, Path]) -> None:
    checked = {page: file for page, file in programs.items() if page not in WITH_PLUGIN}
    output = run([sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *map(str, checked.values())])
    assert re.search(r"\d+ errors?", output), output
    for page, file in checked.items():
        assert {line for line, _ in errors_of(output, file)} == marked(page), output
