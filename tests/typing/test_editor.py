"""What an editor shows, asked of pyright's language server by its protocol; editor.py is the session."""

from __future__ import annotations

import attrs
import pytest

from tests.typing.checkers import CheckerFailedError
from tests.typing.editor import GOLDEN, PAGE, Shown, golden, page, public, session
from tests.typing.language_server import LanguageServer
from tests.typing.network import Network

pytestmark = pytest.mark.xdist_group("editor")

RENEW = "if the change is right: python -m tests.typing.editor"
FIELDS = [field.name for field in attrs.fields(Network)]


@pytest.fixture(scope="module")
def shown() -> list[Shown]:
    return session()


def at(shown: list[Shown], line: str) -> Shown:
    return next(entry for entry in shown if entry.step.line == line)


@pytest.mark.parametrize("line", ["net.|", "tp.grad(loss)(net, x, target).|"])
def test_completion_lists_the_fields_of_a_record_and_of_its_gradient(shown: list[Shown], line: str) -> None:
    assert public(at(shown, line).lines) == sorted([*FIELDS, "run"])


def test_hover_shows_the_sizes(shown: list[Shown]) -> None:
    assert at(shown, "gradient.wei|ght1").lines == ["(variable) weight1: BVar[L[Hidden, Pixels, float64]]"]
    assert at(shown, "st|ep").lines == ["(variable) step: Network[Pixels, Hidden, Digits]"]


def test_signatures_are_readable(shown: list[Shown]) -> None:
    signatures = [entry for entry in shown if entry.step.asked == "signature"]
    assert len(signatures) >= 20
    for step, lines, documentation in signatures:
        # The one that is shown first; the rest are a key away.
        assert len(lines[0]) < 300, step
        assert documentation, step


def test_a_call_of_a_gradient_shows_the_parameters_of_the_loss(shown: list[Shown]) -> None:
    (signature,) = at(shown, "tp.grad(loss)(|)").lines
    parameters, _, result = signature.partition(") -> ")
    assert "x: R[" in parameters and "target: R[" in parameters
    assert result.startswith("Network[")


def test_the_transcript_is_the_golden_one(shown: list[Shown]) -> None:
    assert golden(shown) == GOLDEN.read_text(), RENEW


def test_the_page_is_made_from_it(shown: list[Shown]) -> None:
    assert page(shown) == PAGE.read_text(), RENEW


def test_a_server_that_ends_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = LanguageServer(tmp_path_factory.mktemp("project"))
    server._process.kill()
    with pytest.raises((CheckerFailedError, BrokenPipeError)):
        server.request("initialize", {})
    server._process.communicate()
