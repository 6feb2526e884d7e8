"""Every line of the programs in this folder, under every checker; checkers.py says how they are marked."""

from __future__ import annotations

import runpy
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.typing import checkers
from tests.typing.checkers import (
    CHECKERS,
    CODED,
    ENDLESS,
    HERE,
    LIMITS,
    NOTHING,
    PROGRAMS,
    RUNS,
    CheckerFailedError,
    Diagnostic,
    Gap,
    Mark,
    disagreement,
    marks,
    read_lines,
    zuban_ends,
)
from tests.typing.conftest import Diagnose, shared_run
from tests.typing.promises import Promises

MARKS = {program.name: marks(program.read_text()) for program in PROGRAMS}
MARKED_LINES = [(name, line) for name, marked in MARKS.items() for line in marked]


# A checker's tests go to one process, so that two of them can be at work and neither waits for the other.
@pytest.mark.parametrize("checker", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in CHECKERS])
@pytest.mark.parametrize("program", MARKS)
def test_every_line_is_judged_as_marked(diagnose: Diagnose, checker: str, program: str) -> None:
    told = defaultdict[int, list[Diagnostic]](list)
    for found in diagnose(checker):
        if found.program == program:
            told[found.line].append(found)
    wrong = {
        line: disagreement(MARKS[program].get(line), checker, told[line]) for line in sorted({*told, *MARKS[program]})
    }
    assert not any(wrong.values()), "\n".join(f"{program}:{line}: {what}" for line, what in wrong.items() if what)


def test_every_mistake_is_marked_for_mypy_and_pyright() -> None:
    incomplete = [
        f"{program}:{line} says nothing of {checker}"
        for program, line in MARKED_LINES
        for mark in [MARKS[program][line]]
        for checker in CODED
        if mark.errors and checker not in mark.errors and checker not in mark.gaps
    ]
    assert not incomplete, "\n".join(incomplete)


def test_marks_name_checkers() -> None:
    named = {checker for marked in MARKS.values() for mark in marked.values() for checker in mark.gaps}
    assert named <= set(CHECKERS)


def test_only_programs_of_mistakes_are_marked_with_errors() -> None:
    for program, marked in MARKS.items():
        mistakes = any(mark.errors for mark in marked.values())
        assert mistakes == (program.startswith("reject_") or program == LIMITS.name), program


@pytest.mark.parametrize("checker", [name for name in CHECKERS if name != "ty"])
def test_a_reason_is_shown_without_typedprop(checker: str) -> None:
    def reasons(marked: Mapping[int, Mark]) -> set[str]:
        return {mark.gaps[checker].reason for mark in marked.values() if checker in mark.gaps}

    given = {reason for name, marked in MARKS.items() if name != LIMITS.name for reason in reasons(marked)}
    assert given and given <= reasons(MARKS[LIMITS.name])


@pytest.mark.parametrize("program", [name for name in MARKS if name.startswith("accept_")])
def test_values_are_what_the_types_promise(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promises = Promises()
    monkeypatch.setattr("typing.assert_type", promises.check)
    runpy.run_path(str(HERE / program))
    assert promises.checked


@pytest.mark.xdist_group("zuban")
def test_zuban_does_not_come_to_an_end_over_a_bvar_in_an_array(tmp_path: Path) -> None:
    line, _ = ENDLESS["zuban"]
    program = tmp_path / "program.py"

    def ends(type_: str) -> bool:
        program.write_text(
            f"import numpy as np\nfrom typedprop import BVar, R\ndef f(w: {type_}) -> None:\n    {line}\n"
        )
        return zuban_ends(program, 5.0)

    assert not ends("BVar[R[int]]"), "the gap has closed: let the programs say it, and the table no more"
    assert ends("BVar[float]") and ends("R[int]")


# -- The runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_is_told_the_interpreter(checker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[Sequence[str | Path]] = []

    def not_run(command: Sequence[str | Path], **environment: str) -> str:
        commands.append(command)
        raise CheckerFailedError

    monkeypatch.setattr(checkers, "_run", not_run)
    with pytest.raises(CheckerFailedError):
        CHECKERS[checker]()
    assert sys.executable in commands[0]


def test_a_checker_that_finds_nothing_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNS, "silent", lambda: [])
    with pytest.raises(CheckerFailedError, match="silent found no error in any program, the wrong ones included"):
        shared_run("silent", tmp_path)


# -- The reading of marks ----------------------------------------------------------------------------------------------

REFUSED = Diagnostic("reject_x.py", 1, "operator", "Unsupported operand types")
MARK = Mark(
    {"mypy": frozenset({"operator"}), "pyright": frozenset({"reportA", "reportB"})},
    {"ty": Gap(frozenset(), "a reason")},
)


def test_marks_are_read() -> None:
    source = """\
x = 1
a + b  # E: mypy=operator pyright=reportA,reportB # gap: ty "a reason"
# a comment
# E: mypy=call-overload
# gap: pyright zuban "another"
f(a)
g(a)  # gap: mypy=misc,operator ty "refused, though right"
"""
    assert marks(source) == {
        2: MARK,
        6: Mark({"mypy": frozenset({"call-overload"})}, dict.fromkeys(["pyright", "zuban"], Gap(NOTHING, "another"))),
        7: Mark(
            {},
            {
                "mypy": Gap(frozenset({"misc", "operator"}), "refused, though right"),
                "ty": Gap(NOTHING, "refused, though right"),
            },
        ),
    }


@pytest.mark.parametrize("comment", ["# E: mypy", "# E: operator", "# gap: ty", "# gap: ty no quotes", "# E:"])
def test_a_mark_that_cannot_be_read_is_an_error(comment: str) -> None:
    with pytest.raises(ValueError, match="line 1: a mark that cannot be read"):
        marks(f"a + b  {comment}\n")


def test_a_disagreement_is_told() -> None:
    assert disagreement(MARK, "mypy", [REFUSED]) is None
    assert disagreement(MARK, "ty", []) is None
    assert disagreement(MARK, "pyrefly", [REFUSED._replace(code="any at all")]) is None
    assert disagreement(MARK, "mypy", [REFUSED, REFUSED._replace(code="reportUnusedExpression")]) is None
    assert disagreement(None, "mypy", []) is None
    assert disagreement(None, "zuban", []) is None
    assert disagreement(MARK, "mypy", []) == "mypy should report operator, but it reports nothing"
    assert disagreement(MARK, "zuban", []) == "zuban should report an error, but it reports nothing"
    assert disagreement(MARK, "mypy", [REFUSED._replace(code="misc")]) == (
        "mypy should report operator, but it reports\n    misc: Unsupported operand types"
    )
    assert disagreement(MARK, "ty", [REFUSED]) == (
        "ty should report nothing; the gap has closed, so remove its note, but it reports\n"
        "    operator: Unsupported operand types"
    )
    assert disagreement(None, "mypy", [REFUSED._replace(code="reportUnusedExpression")]) is not None
    assert disagreement(None, "zuban", [REFUSED]) is not None
    refused_though_right = Mark({}, {"mypy": Gap(frozenset({"misc"}), "r"), "ty": Gap(NOTHING, "r")})
    assert disagreement(refused_though_right, "mypy", [REFUSED._replace(code="misc")]) is None
    assert disagreement(refused_though_right, "ty", [REFUSED]) is None
    assert disagreement(refused_though_right, "pyrefly", [REFUSED]) is not None
    assert disagreement(refused_though_right, "ty", []) is not None


def test_lines_are_read() -> None:
    assert read_lines(
        "tests/a.py:3:5: error[invalid-x] Not `x`: y\na.py:3: note: no\nb.py:4: error: Bad  [misc]\n"
    ) == [
        Diagnostic("a.py", 3, "invalid-x", "Not `x`: y"),
        Diagnostic("b.py", 4, "misc", "Bad"),
    ]
