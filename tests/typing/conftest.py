"""Each checker runs once, however many tests and test processes ask what it said."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.typing.checkers import RUNS, TIMEOUT, CheckerFailedError, Diagnostic

Diagnose = Callable[[str], list[Diagnostic]]


@pytest.fixture(scope="session")
def diagnose(tmp_path_factory: pytest.TempPathFactory) -> Diagnose:
    """What a checker says of all programs, in one run of each that the test processes share."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    known: dict[str, list[Diagnostic]] = {}

    def answer(checker: str) -> list[Diagnostic]:
        if checker not in known:
            known[checker] = shared_run(checker, shared)
        return known[checker]

    return answer


def shared_run(checker: str, folder: Path) -> list[Diagnostic]:
    """The first process that comes here runs the checker; the others wait for what it found."""
    result = folder / f"{checker}.json"
    try:
        (folder / f"{checker}.running").touch(exist_ok=False)
    except FileExistsError:
        deadline = time.monotonic() + TIMEOUT
        while not result.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    else:
        try:
            report: dict[str, object] = {"found": RUNS[checker]()}
        except Exception as error:
            report = {"failed": f"{type(error).__name__}: {error}"}
        unfinished = folder / f"{checker}.part"
        unfinished.write_text(json.dumps(report))
        unfinished.rename(result)
    report = json.loads(result.read_text())
    if "failed" in report:
        raise CheckerFailedError(report["failed"])
    found = report["found"]
    assert isinstance(found, list)
    if not found:
        raise CheckerFailedError(f"{checker} found no error in any program, the wrong ones included")
    return [Diagnostic(*entry) for entry in found]
