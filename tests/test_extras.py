"""Optional libraries, and what is imported only when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

import typedprop
from typedprop.extras import extra


def test_a_library_that_is_not_there() -> None:
    with pytest.raises(ImportError, match=r"^f needs far_away, .*: pip install 'typedprop\[far\]'$") as raised:
        extra("far_away.inner", name="far", needed_by="f")
    assert raised.value.name == "far_away"


def test_a_library_that_lacks_another_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_there.py").write_text("import far_away\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'far_away'$"):
        extra("half_there", name="half", needed_by="f")


def test_what_is_imported_later_is_listed() -> None:
    names = dir(typedprop)
    assert {*typedprop.__all__, "linalg", "optim", "special"} <= {*names}
    assert names == sorted(names) and all(hasattr(typedprop, name) for name in names)
