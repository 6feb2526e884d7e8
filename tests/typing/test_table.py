"""The documentation's table of the checkers is that of the run."""

from __future__ import annotations

from tests.typing.checkers import CHECKERS
from tests.typing.conftest import Diagnose
from tests.typing.table import PAGE, page_with, table


def test_the_table_is_current(diagnose: Diagnose) -> None:
    text = table({checker: diagnose(checker) for checker in CHECKERS})
    assert PAGE.read_text() == page_with(text), "out of date: python -m tests.typing.table"
