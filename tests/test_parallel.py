"""Many workers: the same bits from threads, processes, loky, Dask and MPI; workers that die; what cannot be sent."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import subprocess
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, assert_type

import attrs
import numpy as np
import pytest

import typedprop as tp
from benchmarks import mpi
from tests import shards as work
from tests.shards import Line, line, loss, make_shards
from typedprop import BVar, R, parallel

# With xdist's loadgroup these share a worker: they fill all cores by themselves.
pytestmark = pytest.mark.xdist_group("processes")
# From 3.12 on Python warns where a process with threads forks, as it does for a new pool.
forks = pytest.mark.filterwarnings("ignore:.*use of fork\\(\\) may lead to deadlocks:DeprecationWarning")

value_and_grad: Any = parallel.value_and_grad
# These come without types, or with some.
distributed: Any = pytest.importorskip("dask.distributed", reason="Dask is optional: pip install -e .[dask]")
loky: Any = pytest.importorskip("joblib.externals.loky", reason="joblib is optional: pip install -e .[joblib]")


def bits(result: tuple[BVar[float], Line]) -> tuple[bytes, bytes, bytes]:
    value, gradient = result
    return (
        np.float64(value.value).tobytes(),
        gradient.slope.value.tobytes(),
        np.float64(gradient.shift.value).tobytes(),
    )


@cache
def expected(count: int) -> tuple[bytes, bytes, bytes]:
    """The terms one by one in this process, added up as a tree."""

    def total(terms: list[tuple[BVar[float], Line]]) -> tuple[BVar[float], Line]:
        if len(terms) == 1:
            return terms[0]
        half = 1 << (len(terms) - 1).bit_length() - 1
        (a, da), (b, db) = total(terms[:half]), total(terms[half:])
        return a + b, da + db

    return bits(total([tp.value_and_grad(loss)(line(), *shard) for shard in make_shards(count)]))


# -- Executors ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def loky_pool(workers: int) -> Generator[Executor]:
    pool: Executor = loky.get_reusable_executor(max_workers=workers)
    try:
        yield pool
    finally:
        # Of the one that is current by now.
        loky.get_reusable_executor(max_workers=workers).shutdown(wait=True)


EXECUTORS = ["threads", "many threads", "processes", "spawned", "loky", "dask"]


def open_executor(name: str, request: pytest.FixtureRequest) -> AbstractContextManager[Executor]:
    if name == "threads":
        return ThreadPoolExecutor(1)
    if name == "many threads":
        return ThreadPoolExecutor(5)
    if name == "processes":
        return ProcessPoolExecutor(3)
    if name == "spawned":
        return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    if name == "loky":
        return loky_pool(2)
    client: Any = request.getfixturevalue("dask_client")
    return nullcontext(client.get_executor())


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_same_bits(name: str, request: pytest.FixtureRequest) -> None:
    with open_executor(name, request) as executor:
        for count in (1, 2, 3, 7, 13):
            result = value_and_grad(loss, line(), make_shards(count), executor)
            assert bits(result) == expected(count)
            assert type(result[1]) is Line and result[1].name == "line"
        assert bits(value_and_grad(loss, line(), iter(make_shards(13)), executor, in_flight=1)) == expected(13)


def test_the_order_of_the_sum_matters() -> None:
    """Else the test above would show nothing."""
    value, gradient = BVar(0.0), 0.0 * line()
    for shard in make_shards(13):
        term, part = tp.value_and_grad(loss)(line(), *shard)
        value, gradient = value + term, gradient + part
    assert bits((value, gradient)) != expected(13)


def test_workers_that_finish_in_any_order() -> None:
    delays = [0.03, 0.0, 0.02, 0.01, 0.0, 0.015, 0.0]
    shards = [(*shard, delay) for shard, delay in zip(make_shards(7), delays, strict=True)]
    with ThreadPoolExecutor(4) as threads:
        assert bits(parallel.value_and_grad(work.slow_loss, line(), shards, threads)) == expected(7)


@pytest.mark.parametrize("name", ["processes", "loky", "dask"])
def test_the_work_is_done_elsewhere(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    shards = [(*shard, str(tmp_path)) for shard in make_shards(7)]
    with open_executor(name, request) as executor:
        assert bits(parallel.value_and_grad(work.process_of, line(), shards, executor)) == expected(7)
    processes = {int(name) for name in os.listdir(tmp_path)}
    assert processes and os.getpid() not in processes


MPI_PROGRAM = """
from mpi4py import MPI
from mpi4py.futures import MPIPoolExecutor
from tests.shards import line, loss, loss_that_raises, make_shards
from typedprop import parallel

if __name__ == "__main__":
    with MPIPoolExecutor() as ranks:
        assert ranks.num_workers == 2, ranks.num_workers
        for count in (1, 7, 13):
            value, gradient = parallel.value_and_grad(loss, line(), make_shards(count), ranks)
            print(count, value.value.hex(), gradient.slope.value.tobytes().hex(), gradient.shift.value.hex())
        try:
            parallel.value_and_grad(lambda at, x, y: loss(at, x, y), line(), make_shards(1), ranks)
        except parallel.NotSentError as error:
            print(error)
        try:
            parallel.value_and_grad(loss_that_raises, line(), [(*make_shards(1)[0], "plain")], ranks)
        except ZeroDivisionError as error:
            print(error, error.__notes__[0].splitlines()[0])
"""


def test_mpi_ranks(tmp_path: Path) -> None:
    reason = mpi.missing()
    if reason is not None:
        pytest.skip(reason)
    program = tmp_path / "program.py"
    program.write_text(MPI_PROGRAM)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        mpi.command(2, str(program)),
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | mpi.ENVIRONMENT | {"PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for text in lines[:3]:
        count, value, slope, shift = text.split()
        numbers = (float.fromhex(value), float.fromhex(shift))
        assert expected(int(count)) == (
            np.float64(numbers[0]).tobytes(),
            bytes.fromhex(slope),
            np.float64(numbers[1]).tobytes(),
        )
    assert "the loss <lambda> cannot be pickled" in lines[3]
    assert lines[4] == "mine parallel.value_and_grad: in shard 0; there:"


# -- Bounded memory ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_flight", "most"), [(1, 1), (3, 3), (None, 4)])
def test_few_shards_at_a_time(in_flight: int | None, most: int) -> None:
    """By default two for each of the two workers."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    largest = 0

    def shards() -> Iterator[tuple[Any, Any]]:
        nonlocal largest
        for x, y in make_shards(12):
            # The generator, too, holds the one that it gives.
            gc.collect()
            largest = max(largest, len(alive))
            own = x.copy()
            alive.add(Tracked(own))
            yield own, y

    class Tracked:
        def __init__(self, array: Any) -> None:
            weakref.finalize(array, alive.discard, self)
            kept.append(self)

    kept: list[Any] = []
    # What there is by now need not be looked at by every collection.
    gc.collect()
    gc.freeze()
    try:
        with ThreadPoolExecutor(2) as threads:
            result = parallel.value_and_grad(loss, line(), shards(), threads, in_flight=in_flight)
    finally:
        gc.unfreeze()
    assert bits(result) == expected(12)
    # Those in flight, the last one that was summed, and the one that the generator still names.
    assert largest <= most + 2, largest
    assert largest >= min(most, 2)


def test_in_flight_is_how_far_the_generator_runs_ahead() -> None:
    taken = 0
    release = threading.Event()
    seen: list[int] = []

    def shards() -> Iterator[tuple[Any, Any]]:
        nonlocal taken
        for shard in make_shards(10):
            taken += 1
            yield shard

    def waits(at: Line, x: Any, y: Any) -> BVar[float]:
        release.wait(10.0)
        return loss(at, x, y)

    def watch() -> None:
        time.sleep(0.2)
        seen.append(taken)
        release.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(2) as threads:
        assert bits(parallel.value_and_grad(waits, line(), shards(), threads, in_flight=5)) == expected(10)
    watcher.join()
    assert seen == [5]


# -- Workers that die --------------------------------------------------------------------------------------------------


def lethal(folder: Path) -> list[Any]:
    """Thirteen shards; two of them kill the first worker that meets them."""
    marks = {4: str(folder / "first"), 9: str(folder / "second")}
    return [(*shard, marks.get(k, "")) for k, shard in enumerate(make_shards(13))]


@forks
@pytest.mark.parametrize("name", ["processes", "loky", "dask"])
def test_a_killed_worker_changes_nothing(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    # A pool breaks, and is replaced; Dask's workers come back by themselves.
    replaced = nullcontext() if name == "dask" else pytest.warns(RuntimeWarning, match="a new pool takes its place")
    with open_executor(name, request) as executor:
        with replaced:
            result = parallel.value_and_grad(work.loss_that_kills_once, line(), lethal(tmp_path), executor)
        assert bits(result) == expected(13)
        assert sorted(os.listdir(tmp_path)) == ["first", "second"], "nobody died"
        # The same executor serves on, now without a warning.
        assert bits(parallel.value_and_grad(loss, line(), make_shards(7), executor)) == expected(7)


def test_a_dask_worker_that_is_killed_from_outside(dask_client: Any) -> None:
    shards = [(*shard, 0.05) for shard in make_shards(13)]
    victim = next(iter(dask_client.run(os.getpid).values()))

    def kill() -> None:
        time.sleep(0.2)
        os.kill(victim, 9)

    killer = threading.Thread(target=kill)
    killer.start()
    result = parallel.value_and_grad(work.slow_loss, line(), shards, dask_client.get_executor())
    killer.join()
    assert bits(result) == expected(13)
    assert victim not in dask_client.run(os.getpid).values()


@forks
def test_a_shard_that_always_kills_is_given_up() -> None:
    with (
        ProcessPoolExecutor(2) as processes,
        pytest.warns(RuntimeWarning, match="a worker process died"),
        pytest.raises(
            parallel.WorkerLostError,
            match=r"shard 0 was lost 2 times, each time with the worker that was to compute it \(BrokenProcessPool: ",
        ),
    ):
        parallel.value_and_grad(work.deadly_loss, line(), make_shards(3), processes, retries=1)
    # No second try, so no second pool.
    with ProcessPoolExecutor(1) as processes, pytest.raises(parallel.WorkerLostError, match="shard 0 was lost 1 times"):
        parallel.value_and_grad(work.deadly_loss, line(), make_shards(1), processes, retries=0)


def test_an_executor_of_another_kind_that_breaks() -> None:
    class Own(ProcessPoolExecutor):
        pass

    with (
        Own(1) as own,
        pytest.raises(parallel.WorkerLostError, match=r"a worker died, and the Own with it .* a new one"),
    ):
        parallel.value_and_grad(work.deadly_loss, line(), make_shards(1), own)


# -- What cannot be sent, and errors of the loss -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["threads", "loky", "dask"])
def test_local_functions(name: str, request: pytest.FixtureRequest) -> None:
    def local(at: Line, x: Any, y: Any) -> BVar[float]:
        return loss(at, x, y)

    with open_executor(name, request) as executor:
        assert bits(parallel.value_and_grad(local, line(), make_shards(3), executor)) == expected(3)


def test_what_cannot_be_pickled_is_named() -> None:
    def local(at: Line, x: Any, y: Any) -> BVar[float]:
        return loss(at, x, y)

    lock: Any = threading.Lock()
    (x, y), other = make_shards(2)
    with ProcessPoolExecutor(1) as processes:
        with pytest.raises(
            parallel.NotSentError,
            match=r"the loss \S*<locals>\.local cannot be pickled .* at the top of a module, or use threads; loky",
        ):
            value_and_grad(local, line(), make_shards(2), processes)
        with pytest.raises(parallel.NotSentError, match=r"the record, a Line, cannot be pickled .*lock"):
            value_and_grad(loss, attrs.evolve(line(), name=lock), make_shards(2), processes)
        with pytest.raises(parallel.NotSentError, match=r"shard 1 cannot be pickled .*lock"):
            value_and_grad(loss, line(), [other, (x, y, lock)], processes)
        # It was nobody's death: the pool is as good as before.
        assert bits(value_and_grad(loss, line(), make_shards(3), processes)) == expected(3)


def test_an_error_that_cannot_travel_is_told() -> None:
    class Own(Exception):
        pass

    def failing(at: Line, x: Any, y: Any) -> BVar[float]:
        raise Own("too steep")

    # As in a process that the caller is not.
    told = parallel._of_shard(failing, line(), make_shards(1)[0], -1, 0, None)
    assert isinstance(told, parallel._Raised) and type(told.error) is RuntimeError
    assert str(told.error) == "Own: too steep" and "in failing" in told.traceback


def test_two_losses_on_one_broken_pool_share_what_takes_its_place() -> None:
    with ProcessPoolExecutor(1) as executor:
        one, other = parallel._Pool(executor), parallel._Pool(executor)
        with pytest.warns(RuntimeWarning, match="a worker process died") as warned:
            one._replace(BrokenProcessPool())
            other._replace(BrokenProcessPool())
        assert len(warned) == 1
        assert one._current is other._current is not executor
        one._current.shutdown()


def test_an_executor_that_takes_no_task() -> None:
    class Full(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no room")

    with (
        Full(1) as full,
        pytest.raises(parallel.NotSentError, match=r"shard 0 could not be sent \(OSError: no room\)"),
    ):
        value_and_grad(loss, line(), make_shards(1), full)


def test_a_cancelled_shard_is_lost() -> None:
    class Cancelling(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with Cancelling(1) as cancelling, pytest.raises(parallel.WorkerLostError, match="shard 0 was lost 3 times"):
        value_and_grad(loss, line(), make_shards(1), cancelling)


def test_what_dask_cannot_send(dask_client: Any) -> None:
    (x, y), _ = make_shards(2)
    with pytest.raises(parallel.NotSentError, match=r"shard 0 cannot be pickled"):
        value_and_grad(loss, line(), [(x, y, threading.Lock())], dask_client.get_executor())


@pytest.mark.parametrize("name", ["threads", "processes", "loky", "dask"])
def test_errors_of_the_loss(name: str, request: pytest.FixtureRequest) -> None:
    def shards(error: str) -> list[Any]:
        return [(*shard, error if k == 2 else "") for k, shard in enumerate(make_shards(5))]

    elsewhere = name != "threads"
    with open_executor(name, request) as executor:
        with pytest.raises(ZeroDivisionError) as caught:
            parallel.value_and_grad(work.loss_that_raises, line(), shards("plain"), executor)
        assert str(caught.value) == "mine"
        (note,) = caught.value.__notes__
        assert note.startswith("parallel.value_and_grad: in shard 2")
        assert ("shards.py" in note and "in loss_that_raises" in note) == elsewhere
        with pytest.raises(OSError) as os_error:
            parallel.value_and_grad(work.loss_that_raises, line(), shards("worker's own"), executor)
        assert os_error.value.errno == 7
        kind, text = (RuntimeError, "^StubbornError: ") if elsewhere else (work.StubbornError, "lock")
        with pytest.raises(kind, match=text):
            parallel.value_and_grad(work.loss_that_raises, line(), shards("unpicklable"), executor)
        # A loss that is no scalar is told as it is without workers.
        with pytest.raises(tp.NotDifferentiableError, match="the loss must be a scalar"):
            value_and_grad(work.vector_loss, line(), make_shards(3), executor)
        assert bits(parallel.value_and_grad(loss, line(), make_shards(5), executor)) == expected(5)


def test_what_waits_is_cancelled_after_an_error() -> None:
    ran: list[float] = []

    def fails(at: Line, x: Any, y: Any, delay: float) -> BVar[float]:
        ran.append(delay)
        if delay == 0.0:
            raise ZeroDivisionError
        time.sleep(delay)
        return loss(at, x, y)

    shards = [(*shard, 0.02 * k) for k, shard in enumerate(make_shards(10))]
    with ThreadPoolExecutor(1) as threads, pytest.raises(ZeroDivisionError):
        parallel.value_and_grad(fails, line(), shards, threads, in_flight=10)
    assert len(ran) <= 3, ran


def test_an_error_of_the_generator_passes_through() -> None:
    def shards() -> Iterator[tuple[Any, Any]]:
        yield from make_shards(2)
        raise OSError("no more data")

    with ThreadPoolExecutor(2) as threads, pytest.raises(OSError, match="no more data"):
        parallel.value_and_grad(loss, line(), shards(), threads)


def test_refusals() -> None:
    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(ValueError, match="there are no shards; a generator can be gone through only once"):
            value_and_grad(loss, line(), [], threads)
        with pytest.raises(ValueError, match="in_flight is 0; wanted at least 1 shard"):
            value_and_grad(loss, line(), make_shards(1), threads, in_flight=0)
        with pytest.raises(TypeError, match=r"shard 0 is of type ndarray; wanted a tuple .*, or \(x,\) for one"):
            value_and_grad(loss, line(), [np.ones(3)], threads)
        with pytest.raises(TypeError, match="shards is of type int; wanted an iterable of tuples"):
            value_and_grad(loss, line(), 3, threads)
    for executor, what in ((None, "of type NoneType"), (ThreadPoolExecutor, "the class ThreadPoolExecutor")):
        with pytest.raises(TypeError, match=f"executor is {what}; wanted an instance of concurrent.futures.Executor"):
            value_and_grad(loss, line(), make_shards(1), executor)
    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(
            tp.NotDifferentiableError, match=r"parallel\.value_and_grad: at: there is no BVar in this list"
        ):
            value_and_grad(loss, [1.0], make_shards(1), threads)
        with pytest.raises(tp.NotDifferentiableError, match=r"at: the BVar at \.slope is inside of a gradient"):
            tp.grad(lambda at: value_and_grad(loss, at, make_shards(1), threads)[0])(line())
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        value_and_grad(loss, line(), make_shards(1), threads)


# -- Types and trees ---------------------------------------------------------------------------------------------------


def test_types() -> None:
    with ThreadPoolExecutor(2) as threads:
        result = parallel.value_and_grad(loss, line(), ((x, y) for x, y in make_shards(3)), threads)
        assert_type(result, tuple[BVar[float], Line])
        one = parallel.value_and_grad(lambda x, a: (x * a).sum(), BVar(tp.ones(2)), [(tp.ones(2),)], threads)
        assert_type(one, tuple[BVar[float], BVar[R[Any]]])
        short: list[tuple[R[Any]]] = [(tp.ones(2),)]
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
            parallel.value_and_grad(loss, line(), short, threads)  # type: ignore[arg-type]  # one argument is missing


class Marker:
    """Equal to itself alone, and to no copy of it."""


@pytest.mark.parametrize("name", ["threads", "processes"])
def test_static_values_and_dtypes_are_those_of_the_record(name: str, request: pytest.FixtureRequest) -> None:
    marker = Marker()
    at: Any = {"x": BVar(np.ones((2, 3), np.float32, order="F")), "y": [BVar(2.0), None, marker]}
    with open_executor(name, request) as executor:
        value, gradient = value_and_grad(work.scaled, at, [(1.0,), (2.0,), (4.0,)], executor)
    assert value.value == 7.0 * (6.0 + 4.0)
    assert gradient["x"].dtype == np.float32
    np.testing.assert_array_equal(gradient["x"].value, np.full((2, 3), 14.0))
    assert gradient["y"][0].value == 28.0
    assert gradient["y"][1] is None
    assert gradient["y"][2] is marker


def test_an_executor_without_a_number_of_workers() -> None:
    class Bare(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(fn(*args, **kwargs))
            return future

    assert bits(parallel.value_and_grad(loss, line(), make_shards(40), Bare())) == expected(40)


# -- Looking for a NaN -------------------------------------------------------------------------------------------------


def test_debug_nans_reaches_the_workers() -> None:
    x, y = make_shards(1)[0]
    shards = [(x, y), (np.full_like(x, np.nan), y)]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        for executor in (processes, ThreadPoolExecutor(1)):
            with pytest.raises(tp.NonFiniteError, match=r"^@: the result R\[3\] is nan") as caught, tp.debug_nans():
                parallel.value_and_grad(loss, line(), shards, executor)
            assert "in shard 1" in caught.value.__notes__[0] and f"{work.__file__}:" in str(caught.value)
            assert np.isnan(parallel.value_and_grad(loss, line(), shards, executor)[0].value)
