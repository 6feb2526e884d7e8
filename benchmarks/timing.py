"""How long calls take, compared fairly: contenders take turns in random order, and ratios are taken round by round.

A machine speeds up and slows down over seconds, which shifts all contenders of a round alike and cancels in its ratio.
Rounds in which the process lost its processor to another one are not counted, and the median forgets the rest.
"""

from __future__ import annotations

import gc
import random
import resource
from collections.abc import Callable, Mapping
from time import perf_counter

Timings = dict[str, list[float]]
"""Seconds per call by contender, a number for each round."""

# A sample is as many calls as fill this time, so that nearly all of them find the processor's caches as their own last
# call left them, as in a loop of one's own, and not as another contender did.
_SAMPLE_SECONDS = 0.02
_FEWEST_ROUNDS = 7
# Where a round takes long, these rounds are fewer, down to one, and take no longer than this.
_LONGEST = 2.0


class Race:
    """Calls that are timed against each other, some rounds at a time."""

    def __init__(self, calls: Mapping[str, Callable[[], object]], seed: int) -> None:
        self.timings: Timings = {name: [] for name in calls}
        self._disturbed: Timings = {name: [] for name in calls}
        self._random = random.Random(seed)
        self.calls = dict(calls)
        self._repeats = {name: _repeats(call) for name, call in calls.items()}

    def run(self, seconds: float) -> None:
        """Rounds for so many seconds, but a few in any case."""
        start = perf_counter()
        rounds, passed = 0, 0.0
        gc.collect()
        order = list(self.calls)
        while rounds == 0 or passed < seconds or (rounds < _FEWEST_ROUNDS and passed < _LONGEST):
            self._random.shuffle(order)
            before = _interruptions()
            seconds_each = {name: seconds_per_call(self.calls[name], self._repeats[name]) for name in order}
            kept = self.timings if _interruptions() == before else self._disturbed
            for name, value in seconds_each.items():
                kept[name].append(value)
            rounds += 1
            passed = perf_counter() - start
        # On a machine so busy that no round is left alone, all rounds are.
        if len(self.timings[order[0]]) < _FEWEST_ROUNDS:
            for name in order:
                self.timings[name] += self._disturbed[name]
                self._disturbed[name].clear()


def seconds_per_call(call: Callable[[], object], repeats: int) -> float:
    """The mean time of `repeats` calls, with the collector on for everybody: long tapes are its work too."""
    start = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - start) / repeats


def _interruptions() -> int:
    """How often the system took the processor away so far; a call that waits by itself is not interrupted."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def _repeats(call: Callable[[], object]) -> int:
    # The call has been made before, when its result was compared.
    if seconds_per_call(call, 1) > _SAMPLE_SECONDS:
        return 1
    fastest = min(seconds_per_call(call, 1) for _ in range(3))
    return max(1, round(_SAMPLE_SECONDS / fastest))
