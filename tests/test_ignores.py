"""Every `type: ignore`, and every directive for a whole file, names what it silences and says why."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "tests", "examples", "benchmarks", "docs", "stubs")
FILES = sorted(
    file
    for folder in FOLDERS
    for file in Path(ROOT, folder).rglob("*")
    if file.suffix in (".py", ".pyi", ".md") and "_build" not in file.parts
)

AT_ALL = re.compile(r"#\s*(?:type|pyright|mypy|pyrefly|ty|zuban):\s*ignore\b")
WITH_CODE_AND_REASON = re.compile(
    r"#\s*(?:type|pyright): ignore\[[\w-]+(?:, ?[\w-]+)*\](?:  # noqa: \w+)?  # (?!noqa)\S.{3,}"
)
DIRECTIVE = re.compile(r"# (?:mypy|pyright): [\w-]+=")
EITHER = re.compile(f"{AT_ALL.pattern}|{DIRECTIVE.pattern}")


def comments(file: Path) -> Iterator[tuple[int, str]]:
    """The comments of a module, or of what a page quotes, by line, each with what follows it on the line."""
    text = file.read_text()
    if not EITHER.search(text):
        return
    if file.suffix == ".md":
        for number, line in enumerate(text.splitlines(), 1):
            if "`#" not in line and "#" in line:
                yield number, line[line.index("#") :]
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def unexplained(file: Path) -> list[str]:
    """The comments that silence a checker without a code or without a reason."""
    found = dict(comments(file))
    place = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
    wrong = []
    for number, comment in found.items():
        if AT_ALL.search(comment) and not WITH_CODE_AND_REASON.search(comment):
            wrong.append(f"{place}:{number}: {comment}")
        if DIRECTIVE.match(comment):
            # A run of directives has its reason in a comment above it, or in one that begins below it.
            first, last = number, number
            while DIRECTIVE.match(found.get(first, "")):
                first -= 1
            while DIRECTIVE.match(found.get(last, "")):
                last += 1
            if first not in found and len(found.get(last, "")) < 2 and "Why" not in found.get(last + 1, ""):
                wrong.append(f"{place}:{number}: {comment}")
    return wrong


def test_every_ignore_has_a_code_and_a_reason() -> None:
    assert len(FILES) > 300
    wrong = [line for file in FILES for line in unexplained(file)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x = 1  # type: ignore\n", 1),
        ("x = 1  # type: ignore[misc]\n", 1),
        ("x = 1  # type: ignore[misc]  # noqa: E501\n", 1),
        ("x = 1  # type: ignore  # because\n", 1),
        ("x = 1  # pyright: ignore\n", 1),
        ("x = 1  # pyrefly: ignore[bad-return]  # only the two that check the project are silenced\n", 1),
        ("x = 1  # type: ignore[misc]  # of another record\n", 0),
        ("x = 1  # type: ignore[misc, arg-type]  # noqa: F821  # of another record\n", 0),
        ("x = '# type: ignore'\n", 0),
        ("# mypy: disable-error-code=misc\n", 1),
        ("# pyright: reportX=false\n# mypy: disable-error-code=misc\n", 2),
        ("# The overloads overlap.\n# pyright: reportX=false\n# mypy: disable-error-code=misc\n", 0),
    ],
)
def test_what_is_unexplained_is_found(text: str, count: int, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(text)
    assert len(unexplained(file)) == count
