"""The documentation is true: every Python block in it runs, type-checks, and fails to where it says so.

The blocks of one page make one program. A line that ends in `# mypy: error` must be rejected by mypy and pyright; the
lines of a `text` block are what mypy says of them, word for word.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in p.parts)]
MARK = "# mypy: error"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


def program(page: Path) -> str:
    return "\n\n".join(blocks(page, "python"))


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


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_runs(page: Path, programs: dict[Path, Path], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", str(programs[page])], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.xdist_group("docs")
def test_mypy_agrees(programs: dict[Path, Path]) -> None:
    output = run([sys.executable, "-m", "mypy", "--strict", "--no-incremental", *map(str, programs.values())])
    assert "checked" in output, output
    for page, file in programs.items():
        found = dict(errors_of(output, file))
        assert set(found) == marked(page), output
        said = "\n".join(found.values())
        for text in blocks(page, "text"):
            for line in text.splitlines():
                if line.startswith("error: "):
                    assert line.removeprefix("error: ") in said, f"{page.name} quotes: {line}\nmypy says: {said}"


@pytest.mark.xdist_group("docs")
def test_pyright_agrees(programs: dict[Path, Path]) -> None:
    output = run([sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *map(str, programs.values())])
    assert re.search(r"\d+ errors?", output), output
    for page, file in programs.items():
        assert {line for line, _ in errors_of(output, file)} == marked(page), output
