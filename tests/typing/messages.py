"""What mypy and pyright say of the common mistakes, word for word: golden files, and the page made from them.

`python -m tests.typing.messages` writes the files of golden/ that GOLDEN_OF names and docs/reading-the-message.md;
test_messages.py tells when a checker says something else.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.typing.checkers import CODED, HERE, ROOT, RUNS, WITH_PLUGIN, Diagnostic

PROGRAM = HERE / "reject_common_mistakes.py"
GOLDEN = HERE / "golden"
MARK = re.compile(r"\s*#")
GOLDEN_OF = {checker: GOLDEN / f"{checker.replace(' ', '-')}.txt" for checker in (*CODED, WITH_PLUGIN)}
PAGE = ROOT / "docs" / "reading-the-message.md"


class Mistake(NamedTuple):
    """A line of the program, with the title and the way out that stand above it."""

    line: int
    code: str
    title: str
    way_out: str
    other_form: OtherForm | None = None


class OtherForm(NamedTuple):
    """The same mistake as a line of which mypy names both sizes, and what leads to it."""

    line: int
    code: str
    lead: str


def mistakes() -> list[Mistake]:
    """The mistakes, in order."""
    found: list[Mistake] = []
    comment: list[str] = []
    lead = ""
    for number, line in enumerate(PROGRAM.read_text().splitlines(), 1):
        code = line.split("  #")[0].strip()
        if line.startswith("#: "):
            comment.append(line.removeprefix("#: "))
        elif line.startswith("#> "):
            lead = line.removeprefix("#> ")
        elif (comment or lead) and (line.startswith(("@", "def ")) or MARK.match(line)):
            continue
        elif comment and line:
            found.append(Mistake(number, code, comment[0], " ".join(comment[1:])))
            comment = []
        elif lead and line:
            found[-1] = found[-1]._replace(other_form=OtherForm(number, code, lead))
            lead = ""
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
        mistake.title + "\n" + "".join(_golden(form, messages) for form in (mistake, mistake.other_form) if form)
        for mistake in mistakes()
    )


def _golden(form: Mistake | OtherForm, messages: Mapping[int, list[str]]) -> str:
    return f"    {form.code}\n{textwrap.indent(chr(10).join(messages[form.line]), '  ')}\n"


HEAD = """\
# Reading the message

<!-- Written by python -m tests.typing.messages from the programs that it quotes; a test compares them. -->

What the type checker says of the mistakes that are really made, word for word, and what to do. mypy's messages are
those of `mypy --strict` without a plugin, pyright's those of its strict mode.

The operators and methods name both sizes. Of a *function* or a constructor, mypy says only that it "cannot infer value
of type parameter", and of what `tp.grad` makes that it "cannot infer function type argument". Both mean that two
arguments which should agree in a size (or dtype) do not. No signature changes that: `tests/typing/limits.py` shows it
in a few lines without typedprop. Write the operator or method (`a @ b`, `x.dot(y)`), or say the type that you expect,
or switch on [the plugin](mypy-plugin.md): then mypy names both, as is shown where it matters.

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
            parts.append(_quoted(checker, messages[checker][mistake.line]))
        if mistake.other_form is not None:
            parts.append(_quoted("mypy with the plugin", messages[WITH_PLUGIN][mistake.line]))
        parts.append(f"{mistake.way_out}\n")
        if mistake.other_form is not None:
            line, code, lead = mistake.other_form
            parts.append(_broken(f"{lead} `{code}`, and of that mypy names both sizes:", 120, "") + "\n")
            parts.append(_quoted("", messages["mypy"][line]))
    return "\n".join(parts)


def _quoted(who: str, messages: Iterable[str]) -> str:
    text = "\n".join(_broken(line) for message in messages for line in message.splitlines())
    return f"{who and who + ':' + chr(10) * 2}```\n{text}\n```\n"


def _broken(line: str, width: int = 110, further: str = "    ") -> str:
    """A line that would be too long to read without scrolling, continued on the next ones."""
    indent = re.match(r"\s*", line)
    margin = (indent[0] if indent else "") + further
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=margin, break_on_hyphens=False))


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    found = {checker: RUNS[checker]() for checker in GOLDEN_OF}
    for checker, file in GOLDEN_OF.items():
        file.write_text(golden(found[checker]))
    PAGE.write_text(page({checker: said(found[checker]) for checker in GOLDEN_OF}))
