"""The messages of mypy and pyright are those of the golden files, name the sizes, and are those on the page."""

from __future__ import annotations

import pytest

from tests.typing.checkers import LIMITS, WITH_PLUGIN
from tests.typing.conftest import Diagnose
from tests.typing.messages import GOLDEN_OF, PAGE, golden, mistakes, page, said

RENEW = "if the change is right: python -m tests.typing.messages"

# What the message on each of the twenty has to name: both sizes, or the two types or names that do not go together.
NAMED = [
    ("L[Pixels, Hidden", "R[Pixels"),
    ("L[Digits, Hidden", "R[Pixels"),
    ("R[Hidden", "R[Digits"),
    ("L[Batch, Pixels", "L[Hidden, Pixels"),
    ("R[Pixels", "R[Digits"),
    ("R[Digits", "R[Pixels"),
    ("L[Hidden, Pixels, float64]", "R[Pixels, float"),
    ('"R[Hidden', "BVar[R[Hidden"),
    ("R[Digits", "Hidden"),
    ("BVar[R[O", "BVar[float]"),
    ("R[Digits", "R[Pixels"),
    ("Network[Pixels, Hidden, Digits]", "Line"),
    ("L[Hidden, Pixels", "L[Digits, Hidden"),
    ("BVar", "Network[Pixels, Hidden, Digits]"),
    ("Network[Pixels, Hidden, Digits]", "weight3"),
    ("Network[Pixels, Hidden, Digits]", "BVar[R[Digits"),
    ("__call__", "BVar[L[Hidden, Pixels"),
    ("float", "BVar[float]"),
    ("R[Pixels", "R[Batch"),
    ("L[H", "R[I"),
]
EACH = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in GOLDEN_OF]


@pytest.mark.parametrize("checker", EACH)
def test_the_messages_are_the_golden_ones(diagnose: Diagnose, checker: str) -> None:
    assert golden(diagnose(checker)) == GOLDEN_OF[checker].read_text(), RENEW


# In the process that asks the slower of the two, which would be waited for elsewhere.
@pytest.mark.xdist_group("pyright")
def test_the_page_is_made_from_them(diagnose: Diagnose) -> None:
    assert page({checker: said(diagnose(checker)) for checker in GOLDEN_OF}) == PAGE.read_text(), RENEW


def test_there_are_twenty() -> None:
    assert len(mistakes()) == len(NAMED) == 20
    assert all(mistake.way_out for mistake in mistakes())


@pytest.mark.parametrize("checker", EACH)
def test_a_message_names_both(diagnose: Diagnose, checker: str) -> None:
    messages = said(diagnose(checker))
    silent = []
    for number, (mistake, names) in enumerate(zip(mistakes(), NAMED, strict=True), 1):
        other_form = mistake.other_form.line if mistake.other_form else mistake.line
        if not all(name in " ".join(messages[other_form]) for name in names):
            silent.append(f"{number}: {messages[other_form]}")
        if not all(name in " ".join(messages[mistake.line]) for name in names):
            # Only where no signature can make mypy say more (below).
            assert checker == "mypy" and mistake.other_form, f"{number}: {messages[mistake.line]}"
    assert not silent, "\n".join(silent)


CANNOT_INFER = {
    "both(v, w)": 'Cannot infer value of type parameter "N" of "both"',
    "Pair(v, w)": 'Cannot infer value of type parameter "N" of "Pair"',
    "slope(both)(v, w)": "Cannot infer function type argument",
}


@pytest.mark.xdist_group("mypy")
def test_mypy_names_no_sizes_of_functions_without_typedprop_either(diagnose: Diagnose) -> None:
    lines = [line.split("  #")[0].strip() for line in LIMITS.read_text().splitlines()]
    told = {lines[found.line - 1]: found.message for found in diagnose("mypy") if found.program == LIMITS.name}
    assert {code: told[code] for code in CANNOT_INFER} == CANNOT_INFER
    for code in ("v.dot(w)", "Pair[int](v, w)", "declared: Vector[int] = slope(both)(v, w)"):
        assert '"Vector[str]"; expected "Vector[int]"' in told[code]


@pytest.mark.xdist_group("mypy")
def test_the_plugin_says_more_where_mypy_names_no_sizes(diagnose: Diagnose) -> None:
    natively, with_plugin = said(diagnose("mypy")), said(diagnose(WITH_PLUGIN))
    for mistake in mistakes():
        if mistake.other_form:
            assert natively[mistake.line] != with_plugin[mistake.line]
