"""Every hostile value at every way in: the right result or one clear error, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.hostile.page import EXCEPTIONS, PAGE, page, run
from tests.hostile.run import Outcome, companion, outcome
from tests.hostile.values import VALUES, Hostile
from tests.hostile.ways import WAYS, Way
from tests.untyped import BVar, tp


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Outcome]:
    return run()


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_the_right_result_or_one_clear_error(way: Way, found: dict[tuple[str, str], Outcome]) -> None:
    for value in VALUES:
        was = found[way.name, value.name]
        assert was.kind != "WRONG", f"{way.name} of {value.name}: {was.message}"
        if (way.name, value.name) in EXCEPTIONS:
            assert was.kind != "right", f"{way.name} takes {value.name} now"
        elif value.is_welcome and _is_right(way, value):
            assert was.kind == "right", f"{way.name} refuses {value.name}: {was.message}"


def _is_right(way: Way, value: Hostile) -> bool:
    """Whether there is something right to come out."""
    if way.wanted is None:
        return False
    try:
        with np.errstate(all="ignore"):
            way.wanted(value.make() if way.by_numpy else value.ordinary, companion(value.ordinary))
    except Exception:
        return False
    return True


def test_the_page_is_current(found: dict[tuple[str, str], Outcome]) -> None:
    assert PAGE.read_text() == page(found), "out of date: python -m tests.hostile.page"


KEPT = np.array([0.5, -1.5, 2.0])
# Ways in that are wrong on purpose: each has to be found out.
WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a wrong number": (lambda v: [BVar(np.asarray(v) * 1.001)], "not array"),
    "another dtype": (lambda v: [BVar(np.asarray(v, np.float32))], "not a plain array of float64"),
    "another shape": (lambda v: [BVar(np.asarray(v)[:2])], "shape"),
    "a NumPy number for a float": (lambda v: [np.float64(np.sum(v))], "no float"),
    "what is shared": (lambda v: [v], "shares memory"),
    "what is changed": (lambda v: [v.__setitem__(0, 1.0), v.copy()][1:], "was changed"),
    "a foreign error": (lambda v: [np.linalg.inv(v)], "LinAlgError in _linalg"),
    "an error that says nothing": (lambda v: tp.einsum("->->"), "does not say what it was given"),
    "an error of no kind that is caught": (lambda v: v.missing, "AttributeError"),
    "a warning": (lambda v: [np.asarray(v + 1j, np.float64).copy()], "ComplexWarning"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_out(name: str) -> None:
    call, what = WRONG[name]
    value = Hostile("v", lambda: KEPT.copy(), KEPT.sum() if "number for" in name else KEPT.copy(), True)
    was = outcome(value, Way(name, "", lambda v, c: call(v), lambda o, c: [o]))
    assert was.kind == "WRONG" and what in was.message
    assert outcome(value, Way(name, "", lambda v, c: [BVar(v)], None)).kind == "WRONG"
