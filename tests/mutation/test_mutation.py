"""The mutants are what they should be, and a fork's functions become them; `make mutants` makes those of typedprop."""

from __future__ import annotations

import ast
import json
import os
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

from tests.mutation.__main__ import digests, figures, modules, place_of, report
from tests.mutation.forks import Functions, drained, ended_by, in_fork, keeping_names
from tests.mutation.mutator import Mutation, mutations
from tests.mutation.plan import ROOT, Plan


def faults(source: str) -> list[str]:
    """What each mutation makes of a source."""
    source = textwrap.dedent(source)
    found = []
    for k in range(len(mutations(ast.parse(source)))):
        tree = ast.parse(source)
        mutations(tree)[k].apply()
        found.append(ast.unparse(tree))
    return found


def changes(source: str) -> list[str]:
    """How mutations of a source are named."""
    return [str(mutation) for mutation in mutations(ast.parse(textwrap.dedent(source)))]


@pytest.mark.parametrize(
    ("expression", "mutants"),
    [
        ("a + b", ["a - b"]),
        ("a - b", ["a + b", "b - a"]),
        ("a * b", ["a / b"]),
        ("a / b", ["a * b", "b / a"]),
        ("a < b", ["a <= b", "a >= b"]),
        ("a is b", ["a is not b"]),
        ("a in b", ["a not in b"]),
        ("a and b", ["a or b", "b", "a"]),
        ("-a", ["a"]),
        ("not a", ["a"]),
        ("f(2)", ["f(3)", "f(1)"]),
        ("f(a, b)", ["f(b, a)"]),
        ("f(a, *b)", []),
        ("f(a, fresh=b)", ["f(a)"]),
        ("a if c(b) else d", ["a if not c(b) else d"]),
        ("[a for a in b if a.c]", ["[a for a in b if not a.c]"]),
        ("np.maximum(a, b)", []),
        ("_multiply(a, b)", []),
        ("np.multiply(a, b, c)", ["np.multiply(a, c, b)"]),
        ("max(a, b)", ["max(b, a)"]),
        ("zip(a, b, strict=True)", ["zip(b, a, strict=True)"]),
        ("isinstance(a, b)", []),
        ("f'{a + 1}'", []),
        ("'text'", []),
    ],
)
def test_mutants_of_expressions(expression: str, mutants: list[str]) -> None:
    assert faults(f"x = {expression}") == [f"x = {mutant}" for mutant in mutants]


def test_mutants_of_statements() -> None:
    source = """
    def f(a):
        a.b = c
        a += c
        g(a)
        while a:
            break
        return a
    """
    assert changes(source) == [
        "f: a.b = c -> pass",
        "f: a += c -> pass",
        "f: g(a) -> pass",
        "f: a -> not a",
        "f: break -> continue",
        "f: return a -> return None",
    ]


def test_what_is_for_checkers_is_left_alone() -> None:
    source = '''
    """A text."""
    from __future__ import annotations
    N = TypeVar("N", bound=int, default=1)
    Both = int | float
    Function = Callable[[int], str]
    class A(Protocol):
        def f(self) -> int: ...
    if TYPE_CHECKING:
        x = 1 + 2
    @overload
    def g(x: int = 1) -> int: ...
    def g(x: L[1]) -> R[2 + 3]:
        """A text."""
        __slots__ = ("a" + "b",)
        raise ValueError(f"{x + 1}" + "text")
    '''
    assert changes(source) == ["g: raise ValueError(f'{x + 1}' + 'text') -> pass"]


def test_the_same_change_twice_in_a_scope_has_two_names() -> None:
    assert changes("def f(a):\n    x = a + b\n    y = a + b\n") == ["f: a + b -> a - b", "f: a + b -> a - b (2)"]


def test_a_long_text_is_cut_around_its_change() -> None:
    (name,) = changes(f"x = f({'a' * 100}, b)")
    assert len(name) < 180 and name.count("...") >= 2


def test_places_that_run_at_import() -> None:
    source = "x = 1\ndef f(a=1):\n    return lambda: a + 1\nclass A:\n    y = 2\n"
    assert [(m.called, m.before) for m in mutations(ast.parse(source)) if m.after != "return None"] == [
        *[(False, "1")] * 4,
        (True, "a + 1"),
        *[(True, "1")] * 2,
        *[(False, "2")] * 2,
    ]


def test_a_default_meets_the_tests_that_call_its_function(tmp_path: Path) -> None:
    """And what is made as the module is imported those of whatever names it, be it a lambda."""
    source = """
    BASE = 10
    class A:
        def f(self, x=1):
            return x
        def g(self, x=2):
            return x
    h = made(lambda x: x * BASE)
    def word(fresh=3):
        def call(x):
            return x
        return call
    """
    module = tmp_path / "module.py"
    module.write_text(textwrap.dedent(source))
    lines = {5: "of f", 7: "of g", 8: "of h", 11: "of what word made", 12: "of word"}
    data = CoverageData(str(tmp_path / "coverage"))
    for line, test in lines.items():
        data.set_context(f"test_{test}|run")
        data.add_lines({str(module): [line]})
    data.write()
    seconds = tmp_path / "seconds.json"
    seconds.write_text(json.dumps({f"test_{test}": 0.1 for test in lines.values()}))
    plan = Plan([str(module)], tmp_path / "coverage", seconds, tmp_path / "results", 1, 1.0)
    found = {job.mutation.before: plan.covering(job) for job in plan.mutants(str(module)) if not job.mutation.called}
    assert found == {"10": {"test_of h"}, "1": {"test_of f"}, "2": {"test_of g"}, "3": {"test_of word"}}


SOURCE = """
def outer(a, b):
    def middle(x):
        y = a * x
        y += b
        return y
    return middle

double = lambda x: x + x
"""


def mutant(source: str, name: str) -> tuple[ast.Module, Mutation]:
    tree = ast.parse(source)
    return tree, next(m for m in mutations(tree) if str(m) == name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("outer.middle: a * x -> a / x", (2 / 4 + 3, 2 / 4 + 3, 8)),
        # Nothing of `middle` names b any more, over which the one that lives has closed.
        ("outer.middle: y += b -> pass", (8, 8, 8)),
        ("outer: return middle -> return None", (11, None, 8)),
        ("<lambda>: x + x -> x - x", (11, 11, 0)),
    ],
)
def test_live_functions_become_the_mutant(name: str, expected: tuple[Any, ...]) -> None:
    space: dict[str, Any] = {}
    file = f"<{name}>"
    original = compile(SOURCE, file, "exec")
    exec(original, space)
    before: Callable[[int], int] = space["outer"](2, 3)
    tree, mutation = mutant(SOURCE, name)
    keeping_names(tree, mutation.apply)
    assert Functions({file}).exchange(original, compile(tree, file, "exec")) >= 1
    after = space["outer"](2, 3)
    assert (before(4), after and after(4), space["double"](4)) == expected


# From Python 3.12 on a fork beside other threads, such as those of xdist, warns.
in_a_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@in_a_fork
def test_a_fork_tells_what_it_did() -> None:
    def body(write: int) -> int:
        os.write(write, b"told")
        return 7

    pid, pipe = in_fork(body)
    _, status = os.waitpid(pid, 0)
    assert (drained(pipe), os.WEXITSTATUS(status), ended_by(status)) == (b"told", 7, None)


@in_a_fork
def test_a_fork_that_does_not_end_is_ended() -> None:
    def body(write: int) -> int:
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        while True:
            pass

    pid, pipe = in_fork(body)
    _, status = os.waitpid(pid, 0)
    assert (drained(pipe), ended_by(status)) == (b"", "timeout")


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_the_page_counts_and_lists() -> None:
    def result(mutant: str, killer: str | None) -> dict[str, Any]:
        module = "src/typedprop/ops/softmax.py"
        return {"mutant": f"{module}: {mutant}", "module": module, "kind": "operator", "line": 1, "killer": killer}

    page = report([result("f: a + b -> a - b", "a test"), result("f: a or b -> a and b", None)], 4)
    assert (
        "Of 2 mutants (there are 4; the others were not made), the tests kill 1 (50.0%); of 2 in rules, 1 (50.0%)."
        in page
    )
    assert "| ops/softmax.py | 2 | 1 | 50.0% | 0 | 1 |" in page
    assert "- `f`: `a or b` → `a and b`" in page and "a + b" not in page
    of_no_reason = result("f: a or b -> a and b", None)
    explained = result("_below_top: False -> True", None)
    assert "1 have one. Of 1, 1 of them in rules, no reason is known." in unwrapped(
        figures([explained, of_no_reason], 2)
    )
    assert unwrapped(figures([explained], 1)).endswith("or operands that commute: each of the 1 has one.")


def test_what_has_changed_is_told_by_function() -> None:
    before = digests("x = 1\ndef f():\n    return 1  # one\nclass A:\n    pass\n")
    after = digests("x = 1\n\n\ndef f():\n    return 1\nclass A:\n    y = 2\n")
    assert {name for name in before if before[name] != after[name]} == {"A"} and {*before} == {"", "f", "A"}
    module = "src/typedprop/a.py"
    for mutant, place in (("f.g: x -> y", "f"), ("A: x -> y", "A"), ("module: a.b -> c", "module")):
        assert place_of({"module": module, "mutant": f"{module}: {mutant}"}) == place


def test_the_engine_and_the_rules_are_mutated() -> None:
    found = modules()
    assert {
        "src/typedprop/tape.py",
        "src/typedprop/index_sum.py",
        "src/typedprop/ops/linalg/svd.py",
        "src/typedprop/transform/run.py",
    } <= {*found}
    assert sum(len(mutations(ast.parse((ROOT / module).read_text()))) for module in found) > 10_000
