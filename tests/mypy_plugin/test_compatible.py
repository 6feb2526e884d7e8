"""A version of mypy that the plugin is not tested with: one line, and no traceback."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from mypy.version import __version__

from tests.mypy_plugin.checking import ROOT
from typedprop.mypy_plugin import NEWEST, OLDEST, compatible, plugin
from typedprop.mypy_plugin._hooks import SizesPlugin
from typedprop.mypy_plugin.compatible import problem_with


@pytest.mark.parametrize("version", ["2.2.0", "2.3.1", "2.4.1", "2.4.2+dev.abc"])
def test_versions_that_it_works_with(version: str) -> None:
    assert problem_with(version) is None
    assert plugin(version) is SizesPlugin


@pytest.mark.parametrize("version", ["2.1.0", "1.20.0", "2.5.0", "3.0.0", "unknown"])
def test_a_version_that_it_does_not_know(version: str, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\nplugins = typedprop.mypy_plugin\n")
    (tmp_path / "program.py").write_text("import typedprop\n")
    pretend = f"import mypy.version; mypy.version.__version__ = {version!r}; from mypy.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", pretend, "program.py"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert done.stdout == "Found 1 error in 1 file (errors prevented further checking)\n"
    assert done.stderr == (
        'mypy.ini:2: error: Error importing plugin "typedprop.mypy_plugin": this plugin works with mypy 2.2 to 2.4, '
        f"and this is mypy {version}: install one of those, or take the plugin out of the configuration, which it is "
        "never needed in  [misc]\n"
    )


def test_the_modules_of_the_plugin_are_not_imported_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mypy.version.__version__", "2.5.0")
    with pytest.raises(
        ImportError, match=r"this plugin works with mypy 2\.2 to 2\.4, and this is mypy 2\.5\.0: install"
    ):
        runpy.run_path(compatible.__file__)


def test_the_pinned_version_is_the_newest() -> None:
    assert tuple(map(int, __version__.split(".")[:2])) == NEWEST
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    assert f"mypy=={__version__}" in dev
    assert OLDEST[0] == NEWEST[0] and NEWEST[1] - OLDEST[1] == 2
