"""What do the type checkers say about the programs of this folder, and what should they say?

An `accept_*.py` must be clean, with an exact `assert_type` for everything it shows; it is also run, and its values are
held against those types (promises.py). A `reject_*.py` shows mistakes: a line that must be refused is marked with the
codes that mypy and pyright report there, and every other checker must refuse it too; all other lines are clean. A mark
stands at the end of its line, or just above it on comment lines of its own:

    a + b  # E: mypy=operator pyright=reportOperatorIssue

    # E: mypy=operator pyright=reportCallIssue,reportArgumentType
    # gap: ty zuban "look only at the left operand"
    c + d

`# gap: checkers "reason"` on a line that must be refused: these let the mistake pass. The same on a line that is right:
these refuse it all the same (mypy and pyright with the codes given, `# gap: mypy=misc "reason"`). A gap that has closed
is a failure too, so the notes stay true, and table.py makes the documentation's list from them.

limits.py shows the gaps without typedprop: a few lines for each reason, which a checker judges wrong all the same.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LIMITS = HERE / "limits.py"
PROGRAMS = sorted([*HERE.glob("accept_*.py"), *HERE.glob("reject_*.py"), LIMITS])
BIN = Path(sys.executable).parent
TIMEOUT = 600.0  # most of it for a machine that has other work to do
NOTHING: frozenset[str] = frozenset()


class Diagnostic(NamedTuple):
    """An error that a checker reports."""

    program: str
    line: int
    code: str
    message: str


class Gap(NamedTuple):
    """A checker is known to be wrong about a line."""

    codes: frozenset[str]
    """What mypy or pyright reports, where it refuses a line that is right."""
    reason: str


class Mark(NamedTuple):
    """What a line of a program says of the checkers."""

    errors: Mapping[str, frozenset[str]]
    """The codes of mypy and pyright, if the line must be refused."""
    gaps: Mapping[str, Gap]

    def refused(self, checker: str) -> bool:
        """Whether the checker reports anything on the line."""
        return bool(self.errors) is not (checker in self.gaps)

    def codes(self, checker: str) -> frozenset[str]:
        """The codes that mypy or pyright reports on the line."""
        return self.gaps[checker].codes if checker in self.gaps else self.errors.get(checker, NOTHING)


class CheckerFailedError(Exception):
    """A checker did not do its work: it crashed, or said nothing at all."""


# -- Marks -------------------------------------------------------------------------------------------------------------

_ERRORS = re.compile(r"#\s*E:((?:\s+[\w-]+=[\w,-]+)+)\s*(?=#|$)")
_GAP = re.compile(r'#\s*gap:((?:\s+\w+(?:=[\w,-]+)?)+)\s+"([^"]+)"\s*(?=#|$)')
_ANY_MARK = re.compile(r"#\s*(E|gap):")


def _entries(text: str) -> dict[str, frozenset[str]]:
    """`mypy=misc,operator ty` as codes by checker."""
    entries = (entry.partition("=") for entry in text.split())
    return {checker: frozenset(codes.split(",")) if codes else NOTHING for checker, _, codes in entries}


def marks(source: str) -> dict[int, Mark]:
    """The marked lines of a program, by number from 1. Raises ValueError for a mark that cannot be read."""
    found: dict[int, Mark] = {}
    errors: dict[str, frozenset[str]] = {}
    gaps: dict[str, Gap] = {}
    for number, line in enumerate(source.splitlines(), 1):
        for text in _ERRORS.findall(line):
            errors |= _entries(text)
        for text, reason in _GAP.findall(line):
            gaps |= {checker: Gap(codes, reason) for checker, codes in _entries(text).items()}
        if len(_ANY_MARK.findall(line)) != len(_ERRORS.findall(line)) + len(_GAP.findall(line)):
            raise ValueError(f"line {number}: a mark that cannot be read: {line.strip()}")
        if (errors or gaps) and line.strip() and not line.lstrip().startswith("#"):
            found[number] = Mark(errors, gaps)
            errors, gaps = {}, {}
    return found


def disagreement(mark: Mark | None, checker: str, diagnostics: Iterable[Diagnostic]) -> str | None:
    """What is wrong between a line's mark and what the checker reports on that line; None if nothing is."""
    mark = mark or Mark({}, {})
    told = list(diagnostics)
    # On a line that must fail, what only follows from the error is not looked at.
    reported = frozenset(found.code for found in told) - (CONSEQUENCES if mark.errors or mark.gaps else NOTHING)
    if checker in CODED:
        right = reported == mark.codes(checker)
        wanted = ", ".join(sorted(mark.codes(checker))) or "nothing"
    else:
        right = bool(reported) == mark.refused(checker)
        wanted = "an error" if mark.refused(checker) else "nothing"
    if right:
        return None
    said = "".join(f"\n    {found.code}: {found.message}" for found in told) or " nothing"
    closed = "; the gap has closed, so remove its note" if checker in mark.gaps else ""
    return f"{checker} should report {wanted}{closed}, but it reports{said}"


# -- Checkers ----------------------------------------------------------------------------------------------------------

# What pyright adds to an error: that the type is then unknown, and that the example is not used.
CONSEQUENCES = frozenset(
    {
        "reportUnknownArgumentType",
        "reportUnknownLambdaType",
        "reportUnknownMemberType",
        "reportUnknownVariableType",
        "reportUnusedExpression",
        "reportUnusedVariable",
    }
)


def _run(command: Sequence[str | Path], **environment: str) -> str:
    """The output of a checker that ended with "nothing found" (0) or "errors found" (1)."""
    done = subprocess.run(
        [str(BIN / command[0]), *map(str, command[1:])],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise CheckerFailedError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def read_lines(output: str) -> list[Diagnostic]:
    """The errors among lines like `file.py:3:1: error: message  [code]`, or with the code before the message."""
    return [
        Diagnostic(Path(found["file"]).name, int(found["line"]), found["code"] or found["last"] or "", found["message"])
        for found in _LINE.finditer(output)
    ]


_LINE = re.compile(
    r"^(?P<file>[^:\n]+\.py):(?P<line>\d+)(?::\d+)?: error(?:\[(?P<code>[\w-]+)\]|:) "
    r"(?P<message>.*?)(?:  \[(?P<last>[\w-]+)\])?$",
    re.MULTILINE,
)


def run_mypy() -> list[Diagnostic]:
    """As `mypy --strict` of a user, who does not have this project's configuration."""
    return _mypy("--config-file=", "--cache-dir=.mypy_cache/typing")


def run_mypy_with_plugin() -> list[Diagnostic]:
    """The same with typedprop's plugin."""
    return _mypy(f"--config-file={HERE / 'plugin.ini'}", "--cache-dir=.mypy_cache/typing_with_plugin")


def _mypy(*options: str) -> list[Diagnostic]:
    output = _run(
        ["mypy", "--strict", *options, "--output=json", "--python-executable", sys.executable, *PROGRAMS],
        MYPYPATH="src",
    )
    found = [json.loads(line) for line in output.splitlines()]
    return [
        Diagnostic(Path(entry["file"]).name, entry["line"], entry["code"] or "", entry["message"])
        for entry in found
        if entry["severity"] == "error" and Path(ROOT, entry["file"]) in PROGRAMS
    ]


def run_pyright() -> list[Diagnostic]:
    """Strict, as the pyrightconfig.json of this folder has it."""
    output = _run(
        ["pyright", "--project", HERE, "--pythonpath", sys.executable, "--outputjson"],
        PYRIGHT_PYTHON_IGNORE_WARNINGS="1",
    )
    report = json.loads(output)
    if report["summary"]["filesAnalyzed"] != len(PROGRAMS):
        raise CheckerFailedError(f"pyright looked at {report['summary']['filesAnalyzed']} of {len(PROGRAMS)} programs")
    return [
        Diagnostic(
            Path(entry["file"]).name, entry["range"]["start"]["line"] + 1, entry.get("rule", ""), entry["message"]
        )
        for entry in report["generalDiagnostics"]
        if entry["severity"] in ("error", "warning")
    ]


def run_pyrefly() -> list[Diagnostic]:
    """With the preset `default`: its `basic` one, which it takes where nothing is configured, reports nothing here."""
    options = ["--preset=default", "--search-path=src", "--output-format=json"]
    output = _run(["pyrefly", "check", *options, "--python-interpreter-path", sys.executable, *PROGRAMS])
    return [
        Diagnostic(Path(entry["path"]).name, entry["line"], entry["name"], entry["description"])
        for entry in json.loads(output)["errors"]
        if entry["severity"] == "error"
    ]


def run_zuban() -> list[Diagnostic]:
    """In its mypy mode, which is stricter about NumPy's own methods than its default mode."""
    options: list[str | Path] = ["--strict", "--config-file", HERE / "zuban.ini"]
    return read_lines(_run(["zuban", "mypy", *options, "--python-executable", sys.executable, *PROGRAMS]))


def zuban_ends(program: Path, seconds: float) -> bool:
    """Whether zuban comes to an end over a program within a time."""
    options = [BIN / "zuban", "mypy", "--strict", "--config-file", HERE / "zuban.ini", "--python-executable"]
    command = [*map(str, options), sys.executable, str(program)]
    try:
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return False
    return True


def run_ty() -> list[Diagnostic]:
    """As it comes; it has no strict mode."""
    options = ["--extra-search-path=src", "--output-format=concise"]
    return read_lines(_run(["ty", "check", *options, "--python", sys.executable, *PROGRAMS]))


ENDLESS = {
    "zuban": ("np.array([w])", "tries all ways to take `__getitem__` of a BVar of an array for that of a sequence"),
}
"""A line over which a checker does not come to an end, and why: it stands in no program, or nothing would be found."""

CODED = ("mypy", "pyright")
"""The checkers whose codes are pinned: users write them into `# type: ignore[...]`."""

CHECKERS: dict[str, Callable[[], list[Diagnostic]]] = {
    "mypy": run_mypy,
    "pyright": run_pyright,
    "pyrefly": run_pyrefly,
    "zuban": run_zuban,
    "ty": run_ty,
}

WITH_PLUGIN = "mypy with plugin"

RUNS: dict[str, Callable[[], list[Diagnostic]]] = CHECKERS | {WITH_PLUGIN: run_mypy_with_plugin}
"""The checkers, and mypy with the plugin, which is held to the same programs by tests/mypy_plugin."""
