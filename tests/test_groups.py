"""Tests that share what takes long to make run in one process: pytest-xdist keeps the groups together."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("kept together")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="asks what is so in several processes")
def test_groups_are_kept_together(request: pytest.FixtureRequest) -> None:
    """The name of a test tells its group. pytest 9.2 forgets it and says nothing (pytest-xdist issue 1386)."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@kept together")
