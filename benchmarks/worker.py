"""One measured process: some contenders do some tasks, and the timings are printed as JSON, with what peers failed at.

A process has one peer library in it at most, so that no library's threads, allocator or start-up work disturbs
another's. `python -m benchmarks` starts the processes, in the environment of `settings`.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.contender import Call, Contender
from benchmarks.peers import contenders_of
from benchmarks.tasks import TASKS, Task
from benchmarks.timing import Race, Timings
from benchmarks.work import Array


def prepared(task: Task, contenders: Sequence[Contender]) -> tuple[dict[str, Call], dict[str, str]]:
    """The calls of all that take part, and what peers failed at.

    Each call is made once, and its results are compared to the first contender's, by hand where there is one. A peer
    that raises or gives something else is not timed; typedprop raises.
    """
    calls: dict[str, Call] = {}
    failures: dict[str, str] = {}
    reference: list[Array] = []
    for contender in contenders:
        try:
            call = task.prepare(contender)
            if call is None:
                continue
            results = contender.arrays(call())
            reference = reference or results
            _compare(results, reference, task.tolerance, f"{task.key}: {contender.name}")
        except Exception as error:
            if not contender.peer:
                raise
            failures[contender.name] = failure(error)
        else:
            calls[contender.name] = call
    return calls, failures


def failure(error: Exception) -> str:
    """The error in one short line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}"[:120]


def _compare(results: Sequence[Array], reference: Sequence[Array], tolerance: float, who: str) -> None:
    assert len(results) == len(reference), f"{who} gives {len(results)} arrays, not {len(reference)}"
    for got, wanted in zip(results, reference, strict=True):
        wrong = f"{who} gives {got.dtype} of {got.shape}, not {wanted.dtype} of {wanted.shape}"
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape), wrong
        largest = float(np.abs(wanted).max()) or 1.0
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * largest, err_msg=who)


def measured(
    keys: Sequence[str], contenders: Sequence[Contender], seconds: float, passes: int
) -> tuple[dict[str, Timings], dict[str, dict[str, str]]]:
    """The timings of each task, taken in several passes so that a bad moment does not hit one task alone; failures.

    In each pass the work's arrays are made anew, in other places of memory: where a matrix begins within a cache line
    makes a small product 5 % slower or faster, for whoever happens to have it there.
    """
    races: dict[str, Race] = {}
    failures: dict[str, dict[str, str]] = {}
    for key in keys:
        calls, failed = prepared(TASKS[key], contenders)
        if failed:
            failures[key] = failed
        if len(calls) > 1:
            races[key] = Race(calls, seed=len(races))
    # What was imported and prepared is not the collector's business any more, in every process alike.
    gc.collect()
    gc.freeze()
    order = list(races)
    chance = random.Random(0)
    fillers: list[bytearray] = []
    for number in range(passes):
        chance.shuffle(order)
        for key in order:
            for contender in contenders if number else ():
                if not contender.peer and contender.name in races[key].calls:
                    fillers.append(bytearray(chance.randrange(1, 4096)))
                    call = TASKS[key].prepare(contender)
                    assert call is not None
                    call()
                    races[key].calls[contender.name] = call
            races[key].run(seconds / passes)
    return {key: race.timings for key, race in races.items()}, failures


def main() -> None:
    """Measure, and print the timings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="which contenders: numpy, ways, or a peer library")
    parser.add_argument("keys", nargs="+", help="which tasks")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each task")
    parser.add_argument("--passes", type=int, default=5)
    arguments = parser.parse_args()
    timings, failures = measured(arguments.keys, contenders_of(arguments.peer), arguments.seconds, arguments.passes)
    json.dump({"timings": timings, "failures": failures}, sys.stdout)


if __name__ == "__main__":
    main()
