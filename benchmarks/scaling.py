"""How much faster is a gradient over shards on two workers, and what is to be expected of more?

    python -m benchmarks.scaling            all ways
    python -m benchmarks.scaling processes  some of them

Measured are, for the network 784-300-100-10 and shards of several sizes: the time that a shard takes by itself, that
which the caller is busy for each shard (pickling, unpickling, adding up), and the speed-up on two workers. From the
first two follows what more workers can give at most: each takes its share of the shards, and the caller its time for
all of them, which no worker can take over. A shard is the number of a file, so to say, that the worker reads once. All
have one BLAS thread, as is said before NumPy is imported.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from typing import Any

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import attrs
import numpy as np

import typedprop as tp
from benchmarks import mpi
from typedprop import BVar, L, R, Record, parallel

WORKERS = 2
SHARDS = 8
ROWS = (64, 512, 4096)
REPEATS = 5


@attrs.frozen
class Network(Record):
    weight1: BVar[L[Any, Any]]
    bias1: BVar[R[Any]]
    weight2: BVar[L[Any, Any]]
    bias2: BVar[R[Any]]
    weight3: BVar[L[Any, Any]]
    bias3: BVar[R[Any]]


def network() -> Network:
    rng = np.random.default_rng(0)
    return Network(
        BVar(tp.normal(rng, 784, 300, scale=0.05)),
        BVar(tp.zeros(300)),
        BVar(tp.normal(rng, 300, 100, scale=0.05)),
        BVar(tp.zeros(100)),
        BVar(tp.normal(rng, 100, 10, scale=0.05)),
        BVar(tp.zeros(10)),
    )


@cache
def data(rows: int, number: int) -> tuple[Any, Any]:
    rng = np.random.default_rng([rows, number])
    return rng.normal(size=(rows, 784)), np.eye(10)[rng.integers(10, size=rows)]


def loss(net: Network, rows: int, number: int) -> BVar[float]:
    x, target = data(rows, number)
    y = tp.sigmoid(x @ net.weight1 + net.bias1)
    z = tp.sigmoid(y @ net.weight2 + net.bias2)
    total: BVar[float] = tp.softmax_cross_entropy(z @ net.weight3 + net.bias3, target).sum()
    return total


@contextmanager
def loky() -> Generator[Executor]:
    pool: Any = importlib.import_module("joblib.externals.loky").get_reusable_executor(max_workers=WORKERS)
    yield pool
    pool.shutdown(wait=True)


@contextmanager
def dask() -> Generator[Executor]:
    distributed: Any = importlib.import_module("distributed")
    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


@contextmanager
def ranks() -> Generator[Executor]:
    """Only in a program that was started with ranks, see `through_mpi`."""
    pool: Any
    with importlib.import_module("mpi4py.futures").MPIPoolExecutor() as pool:
        assert pool.num_workers == WORKERS, pool.num_workers
        yield pool


EXECUTORS: dict[str, Callable[[], AbstractContextManager[Executor]]] = {
    "threads": lambda: ThreadPoolExecutor(WORKERS),
    "processes": lambda: ProcessPoolExecutor(WORKERS),
    "loky": loky,
    "Dask": dask,
    "MPI": ranks,
}


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Median seconds by the clock, and of this process's processor."""
    run()
    clock, busy = [], []
    for _ in range(REPEATS):
        start, start_busy = time.perf_counter(), time.process_time()
        run()
        clock.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
    return statistics.median(clock), statistics.median(busy)


def rows_of(name: str) -> None:
    """Print the rows of one way."""
    net = network()
    gradient = tp.value_and_grad(loss)
    with EXECUTORS[name]() as executor:
        for rows in ROWS:
            shards = [(rows, number) for number in range(SHARDS)]
            together, busy = timed(partial(parallel.value_and_grad, loss, net, shards, executor))
            alone, _ = timed(partial(lambda shards: [gradient(net, *shard) for shard in shards], shards))
            # Threads compute in the caller's process: what is the caller's own cannot be told from the clock.
            share = None if name == "threads" else busy / SHARDS
            most = "" if share is None else f"{alone / SHARDS / share:.1f}"
            print(
                f"| {name} | {rows:,} | {alone / SHARDS * 1e3:.1f} | {'' if share is None else f'{share * 1e3:.1f}'} "
                f"| {alone / together:.2f} | {most} |",
                flush=True,
            )


def through_mpi() -> None:
    """Print the rows of MPI, whose caller and workers are ranks that are started together."""
    reason = mpi.missing()
    if reason is None:
        program = mpi.command(WORKERS, "-m", "benchmarks.scaling", "MPI")
        subprocess.run(program, env=os.environ | mpi.ENVIRONMENT, check=True)
    else:
        print(f"| MPI | | {reason} | | | |")


def main(names: list[str]) -> None:
    """Print the table of the page on scaling out, or with one name the rows of it."""
    if names == ["MPI"] and "PMI_RANK" in os.environ:
        rows_of("MPI")
        return
    print(f"| workers | rows of a shard | one shard, ms | caller's share, ms | speed-up on {WORKERS} | at most |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in names or EXECUTORS:
        if name == "MPI":
            through_mpi()
        else:
            rows_of(name)


if __name__ == "__main__":
    # By its name, so that workers find the loss in a module that they can import.
    importlib.import_module("benchmarks.scaling").main(sys.argv[1:])
