"""One measured process: some contenders do some tasks, and the timings are printed as JSON.

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


def prepared(task: Task, contenders: Sequence[Contender]) -> dict[str, Call]:
    """The calls of all that take part, after a check that they agree with the first, by hand where there is one."""
    calls: dict[str, Call] = {}
    reference: list[Array] = []
    for contender in contenders:
        call = task.prepare(contender)
        if call is None:
            continue
        results = contender.arrays(call())
        reference = reference or results
        for got, wanted in zip(results, reference, strict=True):
            wrong = (
                f"{task.key}: {contender.name} gives {got.dtype} of {got.shape}, not {wanted.dtype} of {wanted.shape}"
            )
            assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape), wrong
            tolerance = task.tolerance * (float(np.abs(wanted).max()) or 1.0)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance, err_msg=f"{task.key}: {contender.name}")
        calls[contender.name] = call
    return calls


def measured(keys: Sequence[str], contenders: Sequence[Contender], seconds: float, passes: int) -> dict[str, Timings]:
    """The timings of each task, taken in several passes so that a bad moment does not hit one task alone."""
    races: dict[str, Race] = {}
    for key in keys:
        calls = prepared(TASKS[key], contenders)
        if len(calls) > 1:
            races[key] = Race(calls, seed=len(races))
    # What was imported and prepared is not the collector's business any more, in every process alike.
    gc.collect()
    gc.freeze()
    order = list(races)
    shuffle = random.Random(0).shuffle
    for _ in range(passes):
        shuffle(order)
        for key in order:
            races[key].run(seconds / passes)
    return {key: race.timings for key, race in races.items()}


def main() -> None:
    """Measure, and print the timings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="which contenders: numpy, ways, or a peer library")
    parser.add_argument("keys", nargs="+", help="which tasks")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each task")
    parser.add_argument("--passes", type=int, default=3)
    arguments = parser.parse_args()
    timings = measured(arguments.keys, contenders_of(arguments.peer), arguments.seconds, arguments.passes)
    json.dump(timings, sys.stdout)


if __name__ == "__main__":
    main()
