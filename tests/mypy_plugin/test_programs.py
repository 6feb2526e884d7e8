"""The programs of this folder, line by line, with the plugin, without it, and at run time."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mypy_plugin.checking import PROGRAMS, ROOT, Daemon, Message, configuration, messages
from tests.mypy_plugin.promises import PromisesOfSums

pytestmark = pytest.mark.xdist_group("mypy_plugin")

ACCEPTED = sorted(PROGRAMS.glob("accept_*.py"))
SIZES = PROGRAMS / "accept_sizes.py"


@pytest.mark.parametrize("program", ACCEPTED, ids=lambda program: program.stem)
def test_is_accepted(with_plugin: Daemon, program: Path) -> None:
    assert with_plugin.check(program.read_text()) == []


@pytest.mark.parametrize("program", ACCEPTED, ids=lambda program: program.stem)
def test_the_values_have_the_sizes(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    promises = PromisesOfSums()
    monkeypatch.setattr("typing.assert_type", promises.check)
    runpy.run_path(str(program))
    assert promises.checked


def without_the_plugin(program: str) -> tuple[str, set[int]]:
    """The program with the types that mypy has without the plugin, and the lines that it then refuses."""
    lines, refused = [], set()
    for number, line in enumerate(program.splitlines(), 1):
        code, marked, native = line.partition("  # native: ")
        if marked:
            statement = ast.parse(code.strip()).body[0]
            assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            value, type_ = statement.value.args
            indent = len(code) - len(code.lstrip())
            if native == "error":
                code = " " * indent + ast.unparse(value)
                refused.add(number)
            else:
                code = f"{code[: indent + type_.col_offset]}{native})"
        lines.append(code)
    return "\n".join(lines) + "\n", refused


def test_what_mypy_says_without_the_plugin(tmp_path: Path) -> None:
    source, refused = without_the_plugin(SIZES.read_text())
    program = tmp_path / "program.py"
    program.write_text(source)
    told = mypy(program, tmp_path, plugin=False)
    assert {message.line for message in told if message.severity == "error"} == refused, told
    assert "  # native:" not in source
    assert SIZES.read_text().count("  # native:") > 100


def mypy(program: Path, folder: Path, *, plugin: bool) -> list[Message]:
    """What mypy says by itself, in a process of its own; the packages that a program imports come from a cache."""
    cache = ROOT / ".mypy_cache" / ("mypy_plugin_alone" if plugin else "mypy_plugin_without")
    command = [sys.executable, "-m", "mypy", f"--config-file={configuration(folder, plugin=plugin)}"]
    done = subprocess.run(
        [*command, f"--cache-dir={cache}", str(program)], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return messages(done.stdout, program.name)


def expected(program: str) -> dict[int, tuple[str, str]]:
    """For each line that is to be refused the code and the message that stand above it."""
    found = {}
    for number, line in enumerate(program.splitlines(), 1):
        above = re.fullmatch(r" *# ([a-z-]+): (.*)", line)
        if above is not None and above[1] != "fmt":
            found[number + 1] = (above[1], above[2])
    return found


def test_every_mistake_is_refused_with_its_message(with_plugin: Daemon) -> None:
    program = (PROGRAMS / "reject.py").read_text()
    told = {message.line: (message.code, message.text) for message in with_plugin.check(program)}
    wanted = expected(program)
    assert len(wanted) >= 60
    differing = {line: (told.get(line), wanted.get(line)) for line in sorted({*told, *wanted})}
    wrong = [f"{line}: mypy says\n    {a}\n  and not\n    {b}" for line, (a, b) in differing.items() if a != b]
    assert not wrong, "\n".join(wrong)


def test_mypy_itself_says_the_same_in_two_runs(tmp_path: Path) -> None:
    """Without a daemon, and again with the cache of the first run, in which less is known of functions."""
    program = tmp_path / "reject.py"
    told = []
    for run in range(2):
        program.write_text((PROGRAMS / "reject.py").read_text() + f"# {run}\n")
        told.append(mypy(program, tmp_path, plugin=True))
    wanted = expected(program.read_text())
    assert {message.line: (message.code, message.text) for message in told[0]} == wanted
    assert told[1] == told[0]
