"""`make bench`: all work by all contenders, for the page and the charts of the documentation.

Each peer is measured in a process of its own, beside typedprop and the work by hand, in turns and in random order.
What falls short of its bound is profiled afterwards. The raw figures are kept in a file, from which the page can be
made again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from benchmarks import bench_page, machine
from benchmarks.bench_results import Profiled, Results
from benchmarks.measurements import Measurements, run_module
from benchmarks.peers import PEERS, installed
from benchmarks.targets import TARGETS
from benchmarks.tasks import TASKS
from benchmarks.where import NotProfiledError, profile

TREES = ("flatten", "rebuild")
WORK = tuple(key for key in TASKS if key not in TREES)


def measure(seconds: float, keys: Sequence[str] = WORK) -> Results:
    """Everything; `seconds` is the time for each task in each process."""
    began, load = perf_counter(), machine.load()
    found = Measurements()
    for peer in ("numpy", *PEERS):
        if peer == "numpy" or installed(PEERS[peer].package):
            found.race(peer, TREES if peer == "optree" else keys, 2 * seconds if peer == "numpy" else seconds)
            _tell(peer, began)
    found.memory = run_module("memory", *keys)
    _tell("memory", began)
    found.startup = run_module("startup")
    found.speedups = run_module("threads", 15, keep_memory=False)
    _tell("start and threads", began)
    versions = {peer: installed(library.package) for peer, library in PEERS.items()}
    return Results(found, [], versions, machine.described(), load, perf_counter() - began)


def _tell(what: str, began: float) -> None:
    print(f"{perf_counter() - began:4.0f} s: {what} measured", file=sys.stderr, flush=True)


def profiles(found: Measurements, seconds: float = 4.0) -> list[Profiled]:
    """Where the time goes in each work that falls short, by typedprop and by hand."""
    short: dict[str, str] = {}
    for target in TARGETS:
        if target.key and target.verdict(target.compute(found)) == "SHORT":
            short.setdefault(target.key, target.work)
    profiled = []
    for key, work in short.items():
        sides = {}
        note = ""
        for contender in ("by hand", "typedprop"):
            typical = found.seconds(key, contender)
            if typical is not None:
                try:
                    sides[contender] = (typical, profile(key, contender, seconds))
                except (NotProfiledError, OSError, subprocess.SubprocessError) as error:
                    note = str(error)
        profiled.append(Profiled(key, work, sides, note))
    return profiled


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the page and the charts, and print where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="time for each task in each process; NumPy has twice"
    )
    parser.add_argument("--to", type=Path, default=Path("docs/performance"), metavar="DIR", help="where the page goes")
    parser.add_argument("--raw", type=Path, default=Path("out/bench.json"), metavar="FILE", help="the raw figures")
    parser.add_argument("--again", action="store_true", help="make the page from the raw figures, without measuring")
    options = parser.parse_args(arguments)
    if options.again:
        results = Results.read(options.raw)
    else:
        results = measure(options.seconds)
        results.save(options.raw)
        began = perf_counter()
        results.profiles.extend(profiles(results.found))
        _tell("profiles", began)
        results.save(options.raw)
    bench_page.write(results, options.to)
    print(bench_page.verdicts(results))
    page = options.to / f"{bench_page.name(results)}.md"
    print(f"measured in {results.took:.0f} s; see {page}, raw figures in {options.raw}")


if __name__ == "__main__":
    main()
