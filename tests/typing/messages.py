"""What mypy and pyright say of the common mistakes, word for word: golden files, and the page made from them.

`python -m tests.typing.messages` writes golden/mypy.txt, golden/pyright.txt and docs/reading-the-message.md;
test_messages.py tells when a checker says something else.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.typing.checkers import CHECKERS, CODED, HERE, ROOT, Diagnostic

PROGRAM = HERE / "reject_common_mistakes.py"
GOLDEN = HERE / "golden"
MARK = re.compile(r"\s*#")
PAGE = ROOT / "docs" / "reading-the-message.md"


class Mistake(NamedTuple):
    """A line of the program, with the title and the way out that stand above it."""

    line: int
    code: str
    title: str
    way_out: str


def mistakes() -> list[Mistake]:
    """The mistakes, in order."""
    found = []
    comment: list[str] = []
    for number, line in enumerate(PROGRAM.read_text().splitlines(), 1):
        if line.startswith("#: "):
            comment.append(line.removeprefix("#: "))
        elif comment and (line.startswith(("@", "def ")) or MARK.match(line)):
            continue
        elif comment and line:
            found.append(Mistake(number, line.split("  #")[0].strip(), comment[0], " ".join(comment[1:])))
            comment = []
    return found


def said(diagnostics: Iterable[Diagnostic]) -> dict[int, list[str]]:
    """The messages by line, with their codes."""
    messages: dict[int, list[str]] = {}
    for found in diagnostics:
        # That an expression is not used is said of each example.
        if found.program == PROGRAM.name and found.code != "reportUnusedExpression":
            text = found.message.replace("\u00a0", " ")
            messages.setdefault(found.line, []).append(f"{text}  [{found.code}]")
    return messages


def golden(diagnostics: Iterable[Diagnostic]) -> str:
    """A golden file: each mistake with its messages."""
    messages = said(diagnostics)
    return "\n".join(
        f"{mistake.title}\n    {mistake.code}\n{textwrap.indent(chr(10).join(messages[mistake.line]), '  ')}\n"
        for mistake in mistakes()
    )


HEAD = """\
# Reading the message

<!-- Written by python -m tests.typing.messages from the programs that it quotes; a test compares them. -->

What the type checker says of the mistakes that are really made, word for word, and what to do. mypy's messages are
those of `mypy --strict` without a plugin, pyright's those of its strict mode.

The operators and methods name both sizes. Of a *function*, mypy says only that it "cannot infer value of type
parameter", which means: two arguments that should agree in the size (or dtype) of that name do not. The operator and
method forms (`a @ b`, `x.dot(y)`) say more.

The examples are of a network with 784 pixels, 100 hidden units and 10 digits:

```
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]        # L[Hidden, Pixels]
    bias1: BVar[R[H]]             # R[Hidden]
    weight2: BVar[L[O, H]]        # L[Digits, Hidden]
    bias2: BVar[R[O]]             # R[Digits]
```
"""


def page(messages: Mapping[str, Mapping[int, list[str]]]) -> str:
    """The page in Markdown, from the messages of mypy and of pyright by line."""
    parts = [HEAD]
    for number, mistake in enumerate(mistakes(), 1):
        parts.append(f"## {number}. {mistake.title}\n\n```\n{mistake.code}\n```\n")
        for checker in CODED:
            text = "\n".join(_broken(line) for message in messages[checker][mistake.line] for line in _lines(message))
            parts.append(f"{checker}:\n\n```\n{text}\n```\n")
        parts.append(f"{mistake.way_out}\n")
    return "\n".join(parts)


def _lines(message: str) -> list[str]:
    return message.splitlines()


def _broken(line: str) -> str:
    """A line that would be too long to read without scrolling, continued on the next ones."""
    indent = re.match(r"\s*", line)
    margin = (indent[0] if indent else "") + "    "
    return "\n".join(textwrap.wrap(line, 110, subsequent_indent=margin, break_on_hyphens=False, drop_whitespace=True))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    found = {checker: CHECKERS[checker]() for checker in CODED}
    for checker in CODED:
        Path(GOLDEN, f"{checker}.txt").write_text(golden(found[checker]))
    PAGE.write_text(page({checker: said(found[checker]) for checker in CODED}))
