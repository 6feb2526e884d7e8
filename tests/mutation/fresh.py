"""Mutants of what runs only while typedprop is imported: constants, declarations, defaults.

This process imports what the tests need but for typedprop, and forks for each mutant; the fork imports typedprop with
the mutant in it, as a user's program would, and runs pytest.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.mutation.forks import FAILED, PASSED, SECONDS, drained, ended_by, in_fork
from tests.mutation.plan import ROOT, Job, Outcome, Plan

# What most of the time of a fork would go to.
BEFORE = (
    *("numpy", "scipy.linalg", "scipy.special", "scipy.optimize", "autograd.numpy", "autograd.scipy.special"),
    *("mpmath", "attrs", "hypothesis.strategies", "hypothesis.extra.numpy", "numpy.testing"),
)


class Mutated(MetaPathFinder, Loader):
    """Imports one module from a mutant's code."""

    def __init__(self, module: str, code: CodeType) -> None:
        path = Path(module).relative_to("src").with_suffix("")
        self.name = ".".join(path.parts).removesuffix(".__init__")
        self.code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own place, with this as its loader."""
        if fullname != self.name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Runs the mutant in place of the module."""
        exec(self.code, vars(module))


class Told:
    """Writes the number of each test as it begins; the pytest plugin that a fork runs with."""

    def __init__(self, tests: list[str], pipe: int) -> None:
        self.numbers = {test: number for number, test in enumerate(tests)}
        self.pipe = pipe

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        os.write(self.pipe, self.numbers.get(nodeid, 0).to_bytes(4, "big"))


def run(plan: Plan, jobs: list[Job]) -> None:
    """Makes these mutants, `plan.jobs` at a time, and writes what became of them."""
    assert not any(name.partition(".")[0] == "typedprop" for name in sys.modules)
    for name in BEFORE:
        importlib.import_module(name)
    waiting: dict[int, tuple[Job, int, list[str]]] = {}
    while jobs or waiting:
        while jobs and len(waiting) < plan.jobs:
            job = jobs.pop(0)
            tests = plan.chosen(job, [], 40)
            if not tests:
                plan.write(job, Outcome(None, 0, "fresh"))
                continue
            pid, pipe = in_fork(lambda write, job=job, tests=tests: _make(job, tests, plan, write))  # type: ignore[misc]  # called at once
            waiting[pid] = job, pipe, tests
        if not waiting:
            continue
        pid, status, used = os.wait4(-1, 0)
        job, pipe, tests = waiting.pop(pid)
        told = drained(pipe)
        signalled, count = ended_by(status), len(told) // 4
        if signalled is not None:
            outcome = Outcome(signalled, count, "fresh")
        elif os.WEXITSTATUS(status) == PASSED:
            outcome = Outcome(None, count, "fresh")
        elif os.WEXITSTATUS(status) == FAILED and count:
            outcome = Outcome(tests[int.from_bytes(told[-4:], "big")], count, "fresh")
        else:
            # typedprop could not be imported, or not the tests.
            outcome = Outcome("an import", count, "fresh")
        plan.write(job, outcome, used.ru_utime + used.ru_stime)


def _make(job: Job, tests: list[str], plan: Plan, write: int) -> int:
    """Runs the tests with the mutant in place of its module; in a fork."""
    job.mutation.apply()
    code = compile(job.tree, str(ROOT / job.module), "exec", dont_inherit=True)
    sys.meta_path.insert(0, Mutated(job.module, code))
    signal.setitimer(signal.ITIMER_PROF, 6 * SECONDS + 10 * sum(plan.seconds[test] for test in tests))
    options = ["-x", "-q", "-s", "--tb=native", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-p", "tests.mutation.forks", "--no-shrinking", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*options, *tests], plugins=[Told(tests, write)]))
