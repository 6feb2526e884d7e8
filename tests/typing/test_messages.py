"""The messages of mypy and pyright are those of the golden files, name the sizes, and are those on the page."""

from __future__ import annotations

import re

import pytest

from tests.typing.checkers import CODED
from tests.typing.conftest import Diagnose
from tests.typing.messages import GOLDEN, PAGE, golden, mistakes, page, said

RENEW = "if the change is right: python -m tests.typing.messages"


@pytest.mark.parametrize("checker", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in CODED])
def test_the_messages_are_the_golden_ones(diagnose: Diagnose, checker: str) -> None:
    assert golden(diagnose(checker)) == (GOLDEN / f"{checker}.txt").read_text(), RENEW


def test_the_page_is_made_from_them(diagnose: Diagnose) -> None:
    assert page({checker: said(diagnose(checker)) for checker in CODED}) == PAGE.read_text(), RENEW


def test_there_are_twenty() -> None:
    assert len(mistakes()) == 20
    assert all(mistake.way_out for mistake in mistakes())


@pytest.mark.parametrize("checker", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in CODED])
def test_an_operator_names_both_operands(diagnose: Diagnose, checker: str) -> None:
    messages = said(diagnose(checker))
    operators = [
        mistake
        for mistake in mistakes()
        if re.search(r"\w [-+@] ", mistake.code) and not re.search("grad|Local", mistake.code)
    ]
    assert len(operators) >= 5
    for mistake in operators:
        assert len(re.findall(r'"(?:BVar\[)?[RL]\[', "".join(messages[mistake.line]))) >= 2, mistake
