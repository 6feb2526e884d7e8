"""Which mutants there are to make, and which tests cover each of them."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType

import attrs
from coverage import CoverageData

from tests.mutation.mutator import Mutation, mutations

ROOT = Path(__file__).parents[2]
LEAST = 5
"""So many of the covering tests are run at least, whatever they cost,"""
MOST = 300
"""and at most so many."""


@attrs.frozen
class Job:
    """A mutant to be made: its module as a path from the root, with the module's tree, which a fork changes."""

    module: str
    mutation: Mutation
    tree: ast.Module
    original: CodeType
    imported: bool
    """Whether the place runs while typedprop is imported, be it in a function."""

    @property
    def name(self) -> str:
        """The mutant's name, by which another run knows it again."""
        return f"{self.module}: {self.mutation}"


@attrs.frozen
class Outcome:
    """What became of a mutant: what ended it, a test or "timeout"; None if all tests passed that were run."""

    killer: str | None
    tests: int
    how: str


class Plan:
    """The mutants of some modules, and the tests that cover each line, from a run with `--cov-context=test`."""

    def __init__(self, modules: list[str], coverage: Path, seconds: Path, results: Path, jobs: int, budget: float):
        self.modules: list[str] = modules
        self.results: Path = results
        self.jobs: int = jobs
        self.budget: float = budget
        self.seconds: dict[str, float] = json.loads(seconds.read_text())
        data = CoverageData(str(coverage))
        data.read()
        self.lines: dict[str, dict[int, set[str]]] = {}
        self.imported: dict[str, set[int]] = {}
        self.breadth: Counter[str] = Counter()
        for module in modules:
            contexts = data.contexts_by_lineno(str(ROOT / module))
            self.imported[module] = {line for line, names in contexts.items() if "" in names}
            self.lines[module] = {line: self._tests(names) for line, names in contexts.items()}
            for tests in self.lines[module].values():
                self.breadth.update(tests)

    def _tests(self, contexts: Iterable[str]) -> set[str]:
        """The tests that passed, of contexts such as `test|run`."""
        return {test for context in contexts if (test := context.rpartition("|")[0]) in self.seconds}

    def mutants(self, module: str) -> Iterator[Job]:
        """All mutants of a module. They share its tree, so one process may make one of them."""
        source = (ROOT / module).read_text()
        tree = ast.parse(source)
        original = compile(source, str(ROOT / module), "exec", dont_inherit=True)
        for mutation in mutations(tree):
            imported = not mutation.called or mutation.line in self.imported[module]
            yield Job(module, mutation, tree, original, imported)

    def covering(self, job: Job) -> set[str]:
        """The tests that run the mutant's lines, or at least its statement.

        Of what is made as the module is imported: those that run functions in the same statement, or in one that
        names what it makes, or any function of the module. Of a function's default: those that call the function.
        """
        lines, mutation = self.lines[job.module], job.mutation

        def of(numbers: Iterable[int]) -> set[str]:
            return set[str]().union(*(lines.get(line, ()) for line in numbers))

        if mutation.called:
            found = of(range(mutation.line, mutation.end + 1)) or of(range(mutation.statement, mutation.end + 1))
            if found or not job.imported:
                return found
        function = _function_of(job)
        if function is not None and (called := of(_own_lines(function)) or of(_lines(function))):
            return called
        found = of(range(mutation.first, mutation.last + 1))
        if not found:
            made = _bound(job.tree, mutation.first, mutation.last)
            for statement in job.tree.body:
                if made & _names(statement):
                    found |= of(range(statement.lineno, (statement.end_lineno or 0) + 1))
        return self._named(job) | (found or of(lines))

    def _named(self, job: Job) -> set[str]:
        """Of what is made as the module is imported: the tests whose names hold its name, two of each function."""
        names = {name.strip("_").lower() for name in _bound(job.tree, job.mutation.first, job.mutation.last)}
        if job.mutation.called or not names or _function_of(job) is not None:
            return set()
        word = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, names))})(?![a-z])")
        groups: dict[str, list[str]] = defaultdict(list)
        for test in sorted(self.seconds, key=len):
            if word.search(test.lower()):
                groups[test.partition("[")[0]].append(test)
        return {test for group in groups.values() for test in group[:2]}

    def chosen(self, job: Job, first: list[str], most: int = MOST) -> list[str]:
        """The covering tests in the order to run them: `first`, and then by turns one from each test function, those
        first that take little time and cover little else."""
        covering = self.covering(job)
        groups: dict[str, list[str]] = defaultdict(list)
        for test in sorted(covering, key=lambda test: (self.seconds[test] + 0.002) * self.breadth[test] ** 0.5):
            groups[test.partition("[")[0]].append(test)
        turns = [test for k in range(most) for group in groups.values() for test in group[k : k + 1]]
        chosen: list[str] = []
        left = self.budget
        called_so = sorted(self._named(job))
        # What killed others comes first, if it leaves time for more.
        quick = [test for test in first if test in covering and self.seconds[test] <= self.budget / 8]
        order = list(dict.fromkeys([*quick, *called_so, *turns]))
        for test in order:
            cost = self.seconds[test]
            if cost <= left and len(chosen) < most:
                left -= cost
                chosen.append(test)
        slow = [test for test in order if test not in chosen]
        chosen += slow[: max(LEAST - len(chosen), 0)]
        return chosen

    def known(self) -> dict[str, dict[str, object]]:
        """The newest result of each mutant, by its name."""
        if not self.results.exists():
            return {}
        return {entry["mutant"]: entry for entry in map(json.loads, self.results.read_text().splitlines())}

    def write(self, job: Job, outcome: Outcome, seconds: float = 0.0) -> None:
        """Adds a result to the file."""
        mutation = job.mutation
        entry = {
            "mutant": job.name,
            "module": job.module,
            "kind": mutation.kind,
            "line": mutation.line,
            "killer": outcome.killer,
            "tests": outcome.tests,
            "how": outcome.how,
            "imported": job.imported,
            "seconds": round(seconds, 2),
        }
        with self.results.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def _function_of(job: Job) -> ast.FunctionDef | None:
    """The function whose default or decorator a mutant changes."""
    for node in () if job.mutation.called else ast.walk(job.tree):
        if isinstance(node, ast.FunctionDef) and node.lineno == job.mutation.statement:
            return node
    return None


def _lines(node: ast.stmt) -> set[int]:
    return {*range(node.lineno, (node.end_lineno or 0) + 1)}


def _own_lines(function: ast.FunctionDef) -> set[int]:
    """The lines that a call of the function runs, but for those of functions in it."""
    inner = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node is not function]
    own = set[int]().union(*map(_lines, function.body))
    return own.difference(*map(_lines, inner))


def _bound(tree: ast.Module, first: int, last: int) -> set[str]:
    """The names that the statements on these lines bind."""
    found: set[str] = set()
    for statement in tree.body:
        if first <= statement.lineno <= last or statement.lineno <= first <= (statement.end_lineno or 0):
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                found.add(statement.name)
            stored = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            found |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    return found


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
