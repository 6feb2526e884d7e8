"""The documentation's table of what each type checker finds, from a run of all of them.

`python -m tests.typing.table` writes it into docs/typed-shapes.md; test_table.py tells when that is out of date.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.typing.checkers import CHECKERS, ENDLESS, HERE, LIMITS, ROOT, Diagnostic, marks
from tests.typing.checkers import PROGRAMS as ALL_PROGRAMS

PROGRAMS = [program for program in ALL_PROGRAMS if program != LIMITS]
PAGE = ROOT / "docs" / "typed-shapes.md"
BEGIN = "<!-- From here to the end mark: python -m tests.typing.table -->\n"
END = "<!-- end -->\n"

HOW = {
    "mypy": "`mypy --strict`",
    "pyright": 'pyright, `typeCheckingMode = "strict"`',
    "pyrefly": "`pyrefly check --preset default`",
    "zuban": "`zuban mypy --strict`",
    "ty": "`ty check`",
}


def assertions(program: Path) -> list[range]:
    """The lines of each `assert_type` of a program."""
    return [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(program.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assert_type"
    ]


def table(found: Mapping[str, Iterable[Diagnostic]]) -> str:
    """The table and the list of gaps, in Markdown, from what each checker reports."""
    refused = {checker: {(entry.program, entry.line) for entry in entries} for checker, entries in found.items()}
    right = [(program.name, lines) for program in PROGRAMS for lines in assertions(program)]
    mistakes = [
        (program.name, line) for program in PROGRAMS for line, mark in marks(program.read_text()).items() if mark.errors
    ]
    rows = [
        f"| checker | of {len(right)} exact types, inferred | of {len(mistakes)} mistakes, found |",
        "|---|---|---|",
    ]
    for checker in CHECKERS:
        inferred = sum(all((name, line) not in refused[checker] for line in lines) for name, lines in right)
        caught = sum(mistake in refused[checker] for mistake in mistakes)
        rows.append(f"| {HOW[checker]} {version(checker)} | {inferred} | {caught} |")
    return "\n".join([*rows, "", *_gaps(), "", *_endless()]) + "\n"


def _gaps() -> list[str]:
    """The known gaps by reason; the programs' tests hold the marks against the run, line by line."""
    reasons: dict[tuple[bool, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for program in PROGRAMS:
        lines = program.read_text().splitlines()
        for number, mark in marks(program.read_text()).items():
            for checker, gap in mark.gaps.items():
                reasons[bool(mark.errors), gap.reason][checker].append(lines[number - 1].split("  #")[0].strip())
    rows = []
    for missed, title in ((True, "Mistakes that pass:"), (False, "Right lines that are refused:")):
        rows += [title, "", "| who | lines | why | for example |", "|---|---|---|---|"]
        for (kind, reason), by in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0][1])):
            if kind is missed:
                counts = {len(examples) for examples in by.values()}
                lines_of = f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
                example = min(next(iter(by.values())), key=len).replace("|", "\\|")
                rows.append(f"| {', '.join(by)} | {lines_of} | {reason} | `{example}` |")
        rows.append("")
    return rows[:-1]


def _endless() -> list[str]:
    """The lines over which a checker does not come to an end."""
    rows = [f"| {checker} | {reason} | `{line}` |" for checker, (line, reason) in ENDLESS.items()]
    return [
        "Lines over which a run does not come to an end:",
        "",
        "| who | why | for example |",
        "|---|---|---|",
        *rows,
    ]


def page_with(text: str) -> str:
    """The page with this table in it."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with(table({checker: run() for checker, run in CHECKERS.items()})))
    print(f"wrote {PAGE.relative_to(HERE.parent.parent)}")
