"""Data-parallel gradients: how much faster two threads are than one, at batch 4,096.

NumPy lets other threads run while it computes, and a tape belongs to its gradient alone, so gradients of two halves of
the data need no lock.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import typedprop as tp
from benchmarks import machine
from benchmarks.by_typedprop import data, loss, network
from benchmarks.work import Classifier


def speedups(rounds: int) -> list[float]:
    """Time for two gradients one after the other, over the time for both at once; in threads of a pool either time.

    In the main thread the C library hands out memory by other rules, which took a tenth longer here.
    """
    work = Classifier.draw(4096, "float64")
    net, x, target = network(work.parameters), data(work.x), data(work.target)
    gradient = tp.grad(loss)
    found = []
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        for _ in range(rounds + 1):
            start = perf_counter()
            list(one.map(lambda _: gradient(net, x, target), range(2)))
            middle = perf_counter()
            list(two.map(lambda _: gradient(net, x, target), range(2)))
            found.append((middle - start) / (perf_counter() - middle))
    return found[1:]


if __name__ == "__main__":
    json.dump(speedups(int(sys.argv[1])) if machine.cores() > 1 else [], sys.stdout)
