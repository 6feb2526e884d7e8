"""The tables of docs/coming-from-*.md: what stands in a row, there and here, gives the same numbers.

That what stands here runs and type-checks is seen by test_docs.py, with the rest of each page.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from tests.pages import ROOT, blocks, rows
from typedprop import BVar

LIBRARIES = {"autograd": "autograd", "jax": "jax", "pytorch": "torch"}


def numbers(x: Any) -> Any:
    """The arrays and numbers in a result of any of the libraries, in nested lists; a function as it is."""
    if isinstance(x, BVar):
        return x.value
    if attrs.has(type(x)):
        return [numbers(getattr(x, field.name)) for field in attrs.fields(type(x))]
    if isinstance(x, Mapping):
        return [numbers(item) for item in x.values()]
    if isinstance(x, tuple | list):
        return [numbers(item) for item in x]
    if hasattr(x, "detach"):
        return x.detach().numpy()
    return x if x is None or callable(x) else np.asarray(x)


def same(a: Any, b: Any) -> bool:
    """Whether two results are built alike and hold the same numbers."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if callable(a) or callable(b):
        return callable(a) and callable(b)  # functions: it is enough that they exist
    if isinstance(a, list | None) or isinstance(b, list | None):
        return a is b
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-10, atol=1e-12, equal_nan=True))


def there(page: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page, "py"):
        exec(block, names)
    return names


def here(page: Path) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(block, names)
    return names


@pytest.mark.parametrize("name", LIBRARIES)
def test_rows(name: str) -> None:
    page = ROOT / "docs" / f"coming-from-{name}.md"
    if importlib.util.find_spec(LIBRARIES[name]) is None:
        pytest.skip(f"{LIBRARIES[name]} is not installed: what stands there is not run (pip install -e .[peers])")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs
        mine, theirs = here(page), there(page)
        compared = 0
        for row in rows(page):
            if row.there and row.here:
                a, b = numbers(eval(row.there, theirs)), numbers(eval(row.here, mine))
                assert same(a, b) is not row.differs.startswith("not the same"), (row, a, b)
                compared += 1
    assert compared > 20
