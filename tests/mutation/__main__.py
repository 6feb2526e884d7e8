"""Mutants of typedprop's engine and rules: how many of them the tests kill, and which live.

    python -m tests.mutation                 # `make mutants`: everything; hours
    python -m tests.mutation --only tape     # the modules whose path holds this word
    python -m tests.mutation --sample 20     # every 20th mutant
    python -m tests.mutation --again --more tests/test_new.py   # those that nothing kills yet, with new tests too
    python -m tests.mutation --report        # nothing new: the page, from the results that are there

The tests run once to see which lines each covers (map), then each mutant meets the tests that cover it: first in forks
of one process that has collected all tests, then, where that cannot reach it, in forks that import typedprop anew.
Results are kept in out/mutants, so a run that broke off goes on where it was; those of a function or class that has
changed since are made again. survivors.md, beside this file, and the figures in docs/reliability.md are written from
them.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.mutation import fresh
from tests.mutation.plan import ROOT, Plan
from tests.mutation.reasons import reason_of

OUT = ROOT / "out" / "mutants"
PAGE = Path(__file__).with_name("survivors.md")
FIGURES = ROOT / "docs" / "reliability.md"
BETWEEN = re.compile(r"(?<=written by python -m tests\.mutation\. -->\n\n).*?(?=\n\n<!-- As far as here\.)", re.DOTALL)
ENGINE = (
    *("tape", "arithmetic", "bvar", "op", "elementwise2", "outer_sum", "index_sum", "tree", "record", "flat", "leaves"),
)
# Those that ask other programs, whose processes are not this one, or whose work is large, say little of a line and take
# long. Interrupts that come at any time come also while coverage holds a lock, which nobody gives back.
APART = (
    *("typing", "mypy_plugin", "examples", "benchmarks", "ops/test_mutants.py"),
    *(f"test_{name}.py" for name in ("docs", "site", "browser", "coming_from", "parallel", "load", "faults")),
)
TESTS = ["tests", *(f"--ignore=tests/{name}" for name in APART)]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.forks", "-p", "no:cacheprovider"]
# What a failure looks like is not asked; of each frame's file pytest would parse all lines.
QUICK = ["-s", "--tb=native", "--assert=plain", "--no-shrinking"]


def modules() -> list[str]:
    """The engine and the rules, as paths from the root."""
    source = ROOT / "src" / "typedprop"
    files = [source / f"{name}.py" for name in ENGINE]
    files += sorted([*(source / "transform").glob("*.py"), *(source / "ops").rglob("*.py")])
    return [file.relative_to(ROOT).as_posix() for file in files if file.name != "__init__.py"]


def is_rule(module: str) -> bool:
    """Whether a module holds rules of operations."""
    return "/ops/" in module or module.endswith(("arithmetic.py", "outer_sum.py", "index_sum.py"))


def make_map(results: Path, more: list[str] | None = None) -> None:
    """Runs the tests once and notes what each covers and how long it takes; of `more`, beside what is known."""
    file, known = results / "seconds.json", dict[str, float]()
    if more:
        known = json.loads(file.read_text())
    environment = os.environ | {"COVERAGE_FILE": str(results / "coverage")}
    options = ["--cov", "--cov-context=test", "--cov-report=", f"--seconds-of-tests={file}"]
    options += ["--cov-append"] if more else []
    # A test that fails here (1) says nothing of a mutant: it has no seconds, and so it is not run.
    assert subprocess.run([*PYTEST, *options, *(more or TESTS)], cwd=ROOT, env=environment).returncode in (0, 1)
    file.write_text(json.dumps(known | json.loads(file.read_text()), indent=0))


def digests(source: str) -> dict[str, str]:
    """What tells one version of each function and class of a module from another, and of all else, called ""."""
    texts: dict[str, str] = defaultdict(str)
    for statement in ast.parse(source).body:
        name = statement.name if isinstance(statement, ast.FunctionDef | ast.ClassDef) else ""
        texts[name] += ast.unparse(statement)
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}


def place_of(entry: dict[str, Any]) -> str:
    """The name among `digests` of the function or class that a result is of."""
    return re.split(r"[.:]", entry["mutant"].removeprefix(f"{entry['module']}: "))[0]


def keep_up(wanted: list[str]) -> None:
    """Makes the map where a module has changed since it was made, and forgets the results of what has changed."""
    versions, results = OUT / "versions.json", OUT / "results.jsonl"
    now = {module: digests((ROOT / module).read_text()) for module in modules()}
    before: dict[str, dict[str, str]] = json.loads(versions.read_text()) if versions.exists() else {}
    if all(before.get(module) == now[module] for module in wanted):
        return
    make_map(OUT)
    if results.exists():
        kept: list[str] = []
        for line in results.read_text().splitlines():
            entry = json.loads(line)
            old, new = before.get(entry["module"], {}), now.get(entry["module"], {})
            # "module" and "<lambda>" are no names of functions.
            place = place_of(entry) if place_of(entry) in new else ""
            if place in old and old[place] == new.get(place):
                kept.append(line)
        results.write_text("".join(f"{line}\n" for line in kept))
    versions.write_text(json.dumps(now, indent=0))


def is_unexplained(entry: dict[str, Any] | None) -> bool:
    """Whether a mutant was not made yet, or lives without a reason."""
    return entry is None or (entry["killer"] is None and reason_of(entry) is None)


def make(plan: Plan, options: argparse.Namespace) -> None:
    """Makes the mutants of which nothing is known."""
    jobs = [job for module in plan.modules for job in plan.mutants(module)][:: options.sample]
    known = plan.known()
    wanted = [job for job in jobs if job.mutation.called and job.name not in known]
    if options.again:
        wanted = [job for job in jobs if job.mutation.called and is_unexplained(known.get(job.name))]
    if wanted:
        OUT.mkdir(parents=True, exist_ok=True)
        description = OUT / "description.json"
        said = {"modules": plan.modules, "mutants": [job.name for job in wanted], "results": str(plan.results)}
        said |= {"coverage": str(OUT / "coverage"), "seconds": str(OUT / "seconds.json")}
        description.write_text(json.dumps(said | {"jobs": plan.jobs, "budget": plan.budget}))
        command = [*PYTEST, *QUICK, f"--mutate={description}", *TESTS]
        # 5 is pytest's word for "no tests were run": in this process itself none were.
        assert subprocess.run(command, cwd=ROOT, check=False).returncode in (0, 5)
    known = plan.known()
    fresh.run(
        plan,
        [
            job
            for job in jobs
            if job.name not in known
            or known[job.name]["how"] == "unfit"
            or (known[job.name]["killer"] is None and job.imported and known[job.name]["how"] != "fresh")
            or (options.again and job.imported and is_unexplained(known[job.name]))
        ],
    )


def report(results: Iterable[dict[str, Any]], total: int) -> str:
    """The page: numbers by module, and every mutant that lives, with the reason; `total` mutants there are."""
    by_module: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in results:
        by_module[entry["module"].removeprefix("src/typedprop/")].append(entry)
    everything = [entry for entries in by_module.values() for entry in entries]
    lines = [
        "# Mutants that live",
        "",
        "<!-- Written by python -m tests.mutation; reasons.py holds the reasons. -->",
        "",
    ]
    lines += [*_summary(everything, total), "", "| module | mutants | killed | | of these, too slow | alive |"]
    lines += ["|---|--:|--:|--:|--:|--:|"]
    for module, entries in by_module.items():
        dead = sum(entry["killer"] is not None for entry in entries)
        late = sum(entry["killer"] == "timeout" for entry in entries)
        lines.append(
            f"| {module} | {len(entries)} | {dead} | {dead / len(entries):.1%} | {late} | {len(entries) - dead} |"
        )
    for module, entries in by_module.items():
        alive = sorted((e for e in entries if e["killer"] is None), key=lambda e: (e["line"], e["mutant"]))
        if not alive:
            continue
        lines += ["", f"## {module}", ""]
        reasons: dict[str, list[str]] = defaultdict(list)
        for entry in alive:
            reasons[_why(entry)].append(_shown(entry))
        for reason, mutants in reasons.items():
            lines += [f"{reason[0].upper()}{reason[1:]}:", "", *(f"- {mutant}" for mutant in mutants), ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def _summary(entries: list[dict[str, Any]], total: int) -> list[str]:
    dead = sum(entry["killer"] is not None for entry in entries)
    kinds = Counter(entry["kind"] for entry in entries)
    rules = [entry for entry in entries if is_rule(entry["module"])]
    dead_rules = sum(entry["killer"] is not None for entry in rules)
    drawn = "" if len(entries) == total else f" (there are {total:,}; the others were not made)"
    changed = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    return [
        f"Of {len(entries):,} mutants{drawn}, the tests kill {dead:,} ({dead / len(entries):.1%}); "
        f"of {len(rules):,} in rules, {dead_rules:,} ({dead_rules / max(len(rules), 1):.1%}). "
        "One that is listed lives through the tests that cover it, the quickest and most particular of them first, as "
        "far as its time reaches.",
        "",
        f"What was changed: {changed}.",
    ]


def figures(entries: list[dict[str, Any]], total: int) -> str:
    """The same in a few sentences, for readers of the documentation."""

    def share(some: list[dict[str, Any]]) -> str:
        dead = sum(entry["killer"] is not None for entry in some)
        return f"{dead:,} ({dead / max(len(some), 1):.1%})".replace("%)", " %)")

    rules = [entry for entry in entries if is_rule(entry["module"])]
    alive = [entry for entry in entries if entry["killer"] is None]
    unknown = [entry for entry in alive if reason_of(entry) is None]
    of_rules = sum(is_rule(entry["module"]) for entry in unknown)
    known = f"each of the {len(alive):,} has one."
    if unknown:
        known = f"{len(alive) - len(unknown):,} have one. Of {len(unknown):,}, {of_rules or 'none'} of them in rules, "
        known += "no reason is known."
    made = "all were made" if len(entries) == total else f"{len(entries):,} were made so far"
    text = (
        f"Of {total:,} mutants {made}, and {share(entries)} of them killed; of {len(rules):,} in rules {share(rules)}. "
        "`tests/mutation/survivors.md` lists those that live, by the reason why no test can see the change, such as "
        f"two ways to one value, or operands that commute: {known}"
    )
    return textwrap.fill(text, 120)


def _why(entry: dict[str, Any]) -> str:
    if reason := reason_of(entry):
        return reason
    if entry.get("imported") and entry.get("how") != "fresh":
        return "runs while typedprop is imported, for which a fork comes too late, and was not made in a new process"
    return "no test notices it, and no reason is known"


def _shown(entry: dict[str, Any]) -> str:
    scope, _, change = entry["mutant"].removeprefix(f"{entry['module']}: ").partition(": ")
    before, _, after = change.partition(" -> ")
    return f"`{scope}`: `{before}` → `{after}`".replace("``", "` `")


def main(arguments: list[str]) -> int:
    """Makes mutants and writes the page; the exit status says whether enough were killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--only", action="append", default=[], help="modules whose path holds this word")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="every Nth mutant")
    parser.add_argument("--again", action="store_true", help="make those again that lived without a reason")
    parser.add_argument("--more", action="append", default=[], metavar="TEST", help="tests that came since the map")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at a time")
    parser.add_argument("--budget", type=float, default=4.0, help="seconds of tests for a mutant that lives")
    parser.add_argument("--report", action="store_true", help="make none; write the page from the results")
    options = parser.parse_args(arguments)
    wanted = [module for module in modules() if not options.only or any(word in module for word in options.only)]
    OUT.mkdir(parents=True, exist_ok=True)
    results = OUT / "results.jsonl"
    if not options.report:
        keep_up(wanted)
    if options.more:
        make_map(OUT, options.more)
    plan = Plan(wanted, OUT / "coverage", OUT / "seconds.json", results, options.jobs, options.budget)
    if not options.report:
        make(plan, options)
    names = [job.name for module in wanted for job in plan.mutants(module)]
    known = plan.known()
    found = [known[name] for name in names if name in known]
    if not found:
        print("no mutant was made")
        return 1
    page = report(found, len(names))
    if not options.only:
        PAGE.write_text(page)
        FIGURES.write_text(BETWEEN.sub(lambda _: figures(found, len(names)), FIGURES.read_text()))
    print(page)
    dead = sum(entry["killer"] is not None for entry in found)
    return int(dead < 0.9 * len(found))


if __name__ == "__main__":
    # One thread of BLAS, as in tests/conftest.py, which comes too late here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
