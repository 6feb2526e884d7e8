"""The documentation's list of operations is that of the table."""

from __future__ import annotations

from tests.ops.reference import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "out of date: python -m tests.ops.reference"
