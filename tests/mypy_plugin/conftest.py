"""The daemon: one in a test process, for mypy keeps some of its state in globals."""

from __future__ import annotations

import pytest

from tests.mypy_plugin.checking import Daemon
from tests.typing.conftest import diagnose

__all__ = ["diagnose"]


@pytest.fixture(scope="session")
def with_plugin(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    return Daemon(tmp_path_factory.mktemp("daemon"))
