"""How much memory calls need at their peak, by tracemalloc, which counts Python's objects and NumPy's arrays alike.

Counting slows programs down, so it is done in a process of its own. What a call returns is counted too.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable

from benchmarks.by_hand import ByHand
from benchmarks.by_typedprop import ByTypedprop
from benchmarks.tasks import TASKS


def peak_bytes(call: Callable[[], object]) -> int:
    """The most that was allocated at once during the call, beyond what was there before."""
    call()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def main() -> None:
    """Print the peaks of the tasks that are named, by hand and by typedprop."""
    peaks: dict[str, dict[str, int]] = {}
    for key in sys.argv[1:]:
        peaks[key] = {}
        for contender in (ByHand(), ByTypedprop()):
            call = TASKS[key].prepare(contender)
            assert call is not None
            peaks[key][contender.name] = peak_bytes(call)
    json.dump(peaks, sys.stdout)


if __name__ == "__main__":
    main()
