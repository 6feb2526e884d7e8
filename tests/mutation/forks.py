"""A pytest plugin that makes mutants: it collects the tests once, then forks for each mutant, and runs in the fork what
covers the mutated place until a test fails.

In a fork the code of live functions is exchanged, so nothing is imported again. What runs only while a module is
imported (constants, declarations, defaults) is not reached so; fresh.py makes those mutants.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import random
import resource
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

from tests.mutation.plan import ROOT, Job, Outcome, Plan

# -- Exchanging code ---------------------------------------------------------------------------------------------------


def key_of(code: CodeType) -> tuple[Any, ...]:
    """What tells the code of a function from that of any other."""
    return code.co_filename, code.co_qualname, code.co_firstlineno, tuple(code.co_positions())


def inner(code: CodeType) -> list[CodeType]:
    """The functions written in this one."""
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def exchanges(original: CodeType, mutant: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The functions in which two versions of a module differ, with those that they are written in."""
    if original == mutant:
        return
    yield original, mutant
    before, after = inner(original), inner(mutant)
    if len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from exchanges(one, other)


def keeping_names(tree: ast.Module, mutate: Callable[[], None]) -> None:
    """Mutates a tree so that each function still closes over what it did: a live one cannot close over more or less."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    names = {node: _names(node) for node in functions}
    mutate()
    for node in functions:
        lost = names[node] - _names(node)
        if not lost:
            continue
        # Compiled to nothing, but read when the compiler looks for a function's names.
        kept = ast.Tuple([ast.Name(name, ast.Load()) for name in sorted(lost)], ast.Load())
        if isinstance(node, ast.Lambda):
            node.body = ast.IfExp(ast.Constant(True), node.body, kept)
        else:
            node.body.append(ast.If(ast.Constant(False), [ast.Expr(kept)], []))
    ast.fix_missing_locations(tree)


def _names(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


class Functions:
    """The live functions of some files, by their code."""

    def __init__(self, files: set[str]) -> None:
        self.by_code: dict[tuple[Any, ...], list[FunctionType]] = defaultdict(list)
        for thing in gc.get_objects():
            if type(thing) is FunctionType and thing.__code__.co_filename in files:
                self.by_code[key_of(thing.__code__)].append(thing)

    def exchange(self, original: CodeType, mutant: CodeType) -> int:
        """Gives live functions the mutant's code; returns how many. Raises ValueError where it does not fit them."""
        count = 0
        for before, after in exchanges(original, mutant):
            for function in self.by_code.get(key_of(before), ()):
                function.__code__ = after
                count += 1
        return count


# -- Forks -------------------------------------------------------------------------------------------------------------

SECONDS = 5.0
"""Processor time that a test may take, beyond ten times what it took in the original: for endless loops."""
WALL = 300
"""Seconds after which a fork is ended that waits for something."""
MEMORY = 8 << 30


def in_fork(body: Callable[[int], int]) -> tuple[int, int]:
    """Starts a fork that ends with the status that `body` returns; gives its number, and the pipe `body` writes to."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    status = CRASHED
    try:
        os.close(read)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        status = body(write)
    finally:
        os._exit(status)


PASSED, FAILED, UNFIT, CRASHED = 0, 1, 90, 91


def drained(pipe: int) -> bytes:
    """What a fork that has ended wrote."""
    parts = []
    while part := os.read(pipe, 65536):
        parts.append(part)
    os.close(pipe)
    return b"".join(parts)


def ended_by(status: int) -> str | None:
    """The signal that ended a fork, if one did; of those for endless loops "timeout"."""
    if not os.WIFSIGNALED(status):
        return None
    number = os.WTERMSIG(status)
    return "timeout" if number in (signal.SIGPROF, signal.SIGALRM) else signal.Signals(number).name


class Failures:
    """Whether a test failed; the pytest plugin that a fork listens to."""

    def __init__(self) -> None:
        self.failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


def run_tests(items: list[pytest.Item], limits: list[float], write: int) -> int:
    """Runs tests until one fails, telling the number of each as it begins; in a fork."""
    failures = Failures()
    items[0].config.pluginmanager.register(failures)
    for k, item in enumerate(items):
        os.write(write, k.to_bytes(4, "big"))
        signal.setitimer(signal.ITIMER_PROF, limits[k])
        following = items[k + 1] if k + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if failures.failed:
            return FAILED
    return PASSED


# -- All mutants -------------------------------------------------------------------------------------------------------


class Runner:
    """Makes mutants in forks of a session that has collected its tests."""

    def __init__(self, items: list[pytest.Item], plan: Plan) -> None:
        self.items: dict[str, pytest.Item] = {item.nodeid: item for item in items}
        self.plan: Plan = plan
        self.killers: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.sound: dict[str, bool] = {}
        gc.collect()
        self.functions: Functions = Functions({str(ROOT / module) for module in plan.modules})
        gc.freeze()

    def run(self, wanted: set[str]) -> None:
        """The mutants of these names, `plan.jobs` at a time."""
        waiting: dict[int, tuple[Job, int, list[str]]] = {}
        jobs = [job for module in self.plan.modules for job in self.plan.mutants(module) if job.name in wanted]
        # In any order, so that the results of a run that broke off are a fair sample.
        random.Random(0).shuffle(jobs)
        while jobs or waiting:
            while jobs and len(waiting) < self.plan.jobs:
                job = jobs.pop()
                tests = self.tests_of(job)
                if tests:
                    pid, pipe = in_fork(lambda write, job=job, tests=tests: self.make(job, tests, write))  # type: ignore[misc]  # called at once
                    waiting[pid] = job, pipe, tests
                else:
                    self.plan.write(job, Outcome(None, 0, "fork"))
            if not waiting:
                continue
            pid, status, used = os.wait4(-1, 0)
            job, pipe, tests = waiting.pop(pid)
            told = drained(pipe)
            outcome = self.outcome(status, told, tests)
            if outcome.killer in self.items and not self.is_sound(outcome.killer):
                jobs.append(job)
                continue
            if outcome.killer in self.items:
                self.remember(job, outcome.killer)
            self.plan.write(job, outcome, used.ru_utime + used.ru_stime)

    def make(self, job: Job, tests: list[str], write: int) -> int:
        """The mutant in the place of the original, and its tests; in a fork."""
        keeping_names(job.tree, job.mutation.apply)
        mutant = compile(job.tree, str(ROOT / job.module), "exec", dont_inherit=True)
        try:
            if not self.functions.exchange(job.original, mutant):
                return UNFIT
        except ValueError:
            return UNFIT
        return run_tests([self.items[test] for test in tests], [self.limit(test) for test in tests], write)

    def limit(self, test: str) -> float:
        """The processor time that a test may take."""
        return SECONDS + 10 * self.plan.seconds[test]

    def outcome(self, status: int, told: bytes, tests: list[str]) -> Outcome:
        """What a fork that has ended says of its mutant."""
        count = len(told) // 4
        signalled = ended_by(status)
        if signalled is not None:
            return Outcome(signalled, count, "fork")
        code = os.WEXITSTATUS(status)
        if code == PASSED:
            return Outcome(None, count, "fork")
        if code == UNFIT:
            return Outcome(None, 0, "unfit")
        if code == FAILED:
            return Outcome(tests[int.from_bytes(told[-4:], "big")], count, "fork")
        return Outcome("a crash", count, "fork")

    def remember(self, job: Job, killer: str) -> None:
        """What killed a mutant is tried first on its neighbours."""
        for place in (job.module, job.mutation.scope), (job.module, ""):
            known = self.killers[place]
            if killer in known:
                known.remove(killer)
            known.insert(0, killer)

    def tests_of(self, job: Job) -> list[str]:
        """The tests to run on a mutant, in their order."""
        first = [*self.killers[job.module, job.mutation.scope][:8], *self.killers[job.module, ""][:4]]
        return [test for test in self.plan.chosen(job, first) if test in self.items and self.sound.get(test, True)]

    def is_sound(self, test: str) -> bool:
        """Whether a test passes by itself in a fork without a mutant."""
        if test not in self.sound:
            pid, pipe = in_fork(lambda write: run_tests([self.items[test]], [WALL], write))
            _, status = os.waitpid(pid, 0)
            drained(pipe)
            self.sound[test] = status == 0
            if status:
                print(f"fails by itself: {test}", flush=True)
        return self.sound[test]


# -- pytest's side -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutation")
    group.addoption("--seconds-of-tests", type=Path, help="write how long each test took to this file")
    group.addoption("--no-shrinking", action="store_true", help="let Hypothesis not look for the smallest failure")
    group.addoption("--mutate", type=Path, help="make the mutants that this file describes, of mutation/__main__.py")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--no-shrinking"):
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile("mutation", deadline=None, derandomize=True, phases=phases)
        hypothesis.settings.load_profile("mutation")
    seconds = config.getoption("--seconds-of-tests")
    if seconds is not None:
        config.pluginmanager.register(Seconds(seconds))


class Seconds:
    """Notes how long the tests take that pass."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seconds: dict[str, float] = defaultdict(float)
        self.others: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if not report.passed:
            self.others.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        passed = {test: round(taken, 4) for test, taken in self.seconds.items() if test not in self.others}
        self.file.write_text(json.dumps(passed, indent=0))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    description = session.config.getoption("--mutate")
    if description is None:
        return None
    said = json.loads(description.read_text())
    files = [Path(said[name]) for name in ("coverage", "seconds", "results")]
    plan = Plan(said["modules"], files[0], files[1], files[2], said["jobs"], said["budget"])
    Runner(session.items, plan).run(set(said["mutants"]))
    return True
