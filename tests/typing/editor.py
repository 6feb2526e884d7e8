"""What an editor shows of a program that uses typedprop: a session with pyright's language server, written down.

`python -m tests.typing.editor` writes golden/editor.txt, and docs/in-the-editor.md from it; test_editor.py tells when
the server shows something else.
"""

from __future__ import annotations

import tempfile
import textwrap
from pathlib import Path
from typing import NamedTuple

from tests.typing.checkers import HERE, ROOT
from tests.typing.language_server import Document, LanguageServer

PROGRAM = HERE / "network.py"
GOLDEN = HERE / "golden" / "editor.txt"
PAGE = ROOT / "docs" / "in-the-editor.md"


MANY = 6
"""So many overloads are written down."""


class Step(NamedTuple):
    """Something that is typed, with the cursor at `|`, and what is asked there."""

    asked: str
    typed: str
    about: str = ""
    """What the page says of it; a step without is in the golden file alone."""

    @property
    def line(self) -> str:
        """The line under the eye, with the cursor."""
        return next(line for line in self.typed.split("\n") if "|" in line)


STEPS = (
    Step("completion", "net.|", "After the dot stand the fields of the record:"),
    Step(
        "completion",
        "tp.grad(loss)(net, x, target).|",
        "A gradient is a record of the same class, so its fields are there too:",
    ),
    Step(
        "hover",
        "gradient = tp.grad(loss)(net, x, target)\ngradient.wei|ght1",
        "Point at a field of the gradient, and its sizes are shown:",
    ),
    Step("hover", "output = net.run(x)\nout|put", "At any value between:"),
    Step("hover", "step = net - 0.1 * tp.grad(loss)(net, x, target)\nst|ep"),
    Step("hover", "value, pullback = tp.vjp(Network[Pixels, Hidden, Digits].run, net, x)\npull|back"),
    Step("hover", "sums = net.weight1.sum(axis=1)\nsu|ms"),
    Step("hover", "tp.gr|ad(loss)"),
    Step("signature", "tp.grad(loss, |)", "In a call stand the parameters and what comes out:"),
    Step("signature", "tp.grad(loss)(|)", "and, of the gradient function, those of the loss, by their names:"),
    Step("signature", "tp.value_and_grad(loss)(|)"),
    Step("signature", "tp.backprop(loss, net, |)"),
    Step("signature", "tp.vjp(loss, net, |)"),
    Step("signature", "tp.jvp(loss, net, net, |)"),
    Step("signature", "tp.hvp(loss, net, net, |)"),
    Step("signature", "def scaled(v: BVar[R[N]]) -> BVar[R[N]]: ...\n\n\ntp.jacobian(scaled, |)"),
    Step("signature", "def length(v: BVar[R[N]]) -> BVar[float]: ...\n\n\ntp.hessian(length|)"),
    Step("signature", "tp.checkpoint(loss|)"),
    Step("signature", "tp.checked(loss|)"),
    Step("signature", "Network(|)"),
    Step("signature", "BVar(|)"),
    Step("signature", "tp.zeros(hidden, |)"),
    Step("signature", "tp.exp(|)"),
    Step("signature", "tp.softmax_cross_entropy(|)"),
    Step("signature", "tp.linalg.solve(|)"),
    Step("signature", "net.weight1.sum(|)", "A method knows the sizes of what it is a method of:"),
    Step("signature", "tp.optim.adam(|)"),
    Step("signature", "tp.save(|)"),
    Step("signature", "tp.testing.check_grads(|)"),
)


class Shown(NamedTuple):
    """What the editor shows at a step: lines, and the documentation under a signature."""

    step: Step
    lines: list[str]
    documentation: str = ""


def session() -> list[Shown]:
    """All steps, in one session with the language server."""
    with tempfile.TemporaryDirectory() as folder:
        # The file is alone in its folder, as in a project of a user's own.
        file = Path(folder, PROGRAM.name)
        text = PROGRAM.read_text()
        file.write_text(text)
        with LanguageServer(Path(folder).resolve()) as server:
            document = server.open(file.resolve(), text)
            return [_shown(document, step) for step in STEPS]


def _shown(document: Document, step: Step) -> Shown:
    document.type(step.typed)
    if step.asked == "completion":
        return Shown(step, document.completion())
    if step.asked == "hover":
        return Shown(step, document.hover().splitlines())
    signatures = document.signatures()
    return Shown(step, [signature.label for signature in signatures], signatures[0].documentation)


def public(names: list[str]) -> list[str]:
    """Of completions those that are not Python's own or private, which editors list last."""
    return [name for name in names if not name.startswith("_")]


def golden(shown: list[Shown]) -> str:
    """The transcript."""
    parts = []
    for step, lines, documentation in shown:
        told = public(lines) if step.asked == "completion" else lines
        if len(told) > MANY:
            told = [*told[:MANY], f"... {len(told) - MANY} more"]
        more = [textwrap.indent(documentation.partition("\n\n")[0], "    ")] if documentation else []
        parts.append("\n".join([step.asked, *(f"> {line}" for line in step.typed.split("\n")), *told, *more]))
    return "\n\n".join(parts) + "\n"


HEAD = """\
# In the editor

<!-- Written by python -m tests.typing.editor from what the server shows; a test compares them. -->

What an editor shows of a typed program, without a plugin of typedprop's: here by pyright's language server, which
Visual Studio Code, Neovim, Emacs and others use. The listings are of a session with it, in which the lines at `>` were
typed at the end of this program; the cursor is the `|`.

"""


def page(shown: list[Shown]) -> str:
    """The page in Markdown."""
    _, _, program = PROGRAM.read_text().partition("import typedprop as tp\n")
    parts = [f"{HEAD}```text\nimport typedprop as tp\n{program}```\n"]
    for step, lines, documentation in shown:
        if step.about:
            parts.append(f"{step.about}\n\n```text\n{_box(step, lines, documentation)}\n```\n")
    return "\n".join(parts)


def _box(step: Step, lines: list[str], documentation: str) -> str:
    """The lines typed, and under the cursor the box that the editor draws."""
    width = 96
    told = public(lines) if step.asked == "completion" else lines[:1] if step.asked == "signature" else lines
    inside = [piece for line in told for piece in textwrap.wrap(line, width, subsequent_indent="    ") or [""]]
    if len(lines) > 1 and step.asked == "signature":
        inside.append(f"({len(lines)} overloads)")
    if documentation:
        inside += ["", *textwrap.wrap(documentation.partition("\n\n")[0], width)]
    longest = max(map(len, inside))
    box = [f"┌{'─' * (longest + 2)}┐", *(f"│ {line:{longest}} │" for line in inside), f"└{'─' * (longest + 2)}┘"]
    margin = " " * min(2 + step.line.index("|"), 106 - longest)
    return "\n".join([*(f"> {line}" for line in step.typed.split("\n")), *(margin + line for line in box)])


if __name__ == "__main__":
    found = session()
    GOLDEN.write_text(golden(found))
    PAGE.write_text(page(found))
