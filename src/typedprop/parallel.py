"""The gradient of a sum over many shards of data, computed by many workers at once.

    from concurrent.futures import ProcessPoolExecutor
    from typedprop import parallel

    with ProcessPoolExecutor() as workers:
        value, gradient = parallel.value_and_grad(loss, net, shards, workers)

The workers are those of any `concurrent.futures.Executor`: threads, processes, joblib's loky, a Dask cluster
(`client.get_executor()`), MPI ranks (`mpi4py.futures.MPIPoolExecutor`). The terms are summed up in the order of the
shards, in pairs, so the result has the same bits whoever computed them, and however many they were.
"""

from __future__ import annotations

import importlib
import os
import pickle
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import attrs
from typing_extensions import TypeVar, TypeVarTuple

from typedprop import tree
from typedprop.bvar import BVar, constant
from typedprop.flat import plain_leaves
from typedprop.pairwise import PairwiseSum
from typedprop.tape import Value
from typedprop.transform.gradient import value_and_grad as value_and_grad_of
from typedprop.transform.run import WATCH, Inputs
from typedprop.transform.watched import WatchedTape

P = TypeVar("P")
Ts = TypeVarTuple("Ts")

_NAME: Final = "parallel.value_and_grad"

# A shard's value, and its gradient without the structure, which the caller knows.
Term = tuple[float, list[Value]]


class WorkerLostError(RuntimeError):
    """A shard was given up, because the workers that were to compute it died again and again."""


class NotSentError(TypeError):
    """The loss, the record or a shard cannot be sent to another process."""


def value_and_grad(
    loss: Callable[[P, *Ts], BVar[float]],
    at: P,
    shards: Iterable[tuple[*Ts]],
    executor: Executor,
    *,
    in_flight: int | None = None,
    retries: int = 2,
) -> tuple[BVar[float], P]:
    """The sum of `loss(at, *shard)` over all shards, and its gradient by `at`.

    Each shard is a tuple of the loss's further arguments, and is computed as a whole by one worker. `shards` may be a
    generator: no more than `in_flight` shards, and gradients that wait to be summed, are held at a time (by default two
    for each worker where the executor says how many it has, else 32; below the number of workers, some are idle).

    A shard whose worker died is computed again, up to `retries` times. A process pool does not outlive its workers: a
    new one of the same size takes its place, with a RuntimeWarning, for this call and later ones.

    With executors of other processes, `loss`, `at` and each shard are pickled and sent: write the loss at the top of a
    module (loky and Dask send lambdas and local functions, too), and choose the shards large enough to be worth it.

    Raises `NotSentError` where that cannot be done, `WorkerLostError` where a shard is given up, `ValueError` if there
    are no shards, `TypeError` for a shard that is no tuple and for what is no executor, `NotDifferentiableError` if
    `at` holds no BVar. An error in the loss is raised as it is, with a note that names the shard, and so is one in a
    generator of shards, without; the shards that wait are then cancelled.
    """
    if in_flight is not None and in_flight < 1:
        raise ValueError(f"{_NAME}: in_flight is {in_flight}; wanted at least 1 shard")
    if isinstance(executor, type) or not hasattr(executor, "submit"):
        what = f"the class {executor.__name__}" if isinstance(executor, type) else f"of type {type(executor).__name__}"
        raise TypeError(f"{_NAME}: executor is {what}; wanted an instance of concurrent.futures.Executor")
    if not isinstance(shards, Iterable):
        raise TypeError(f"{_NAME}: shards is of type {type(shards).__name__}; wanted an iterable of tuples")
    plain_leaves(at, f"{_NAME}: at")
    structure: tree.Structure[P] = tree.flatten(at)[1]
    pool = _Pool(executor)
    limit = in_flight or pool.default_in_flight()
    terms: PairwiseSum[Term] = PairwiseSum(_plus)
    waiting: deque[_Task] = deque()
    source = enumerate(shards)
    try:
        while True:
            while len(waiting) < limit and (numbered := next(source, None)) is not None:
                number, shard = numbered
                if not isinstance(shard, tuple):
                    raise TypeError(
                        f"{_NAME}: shard {number} is of type {type(shard).__name__}; wanted a tuple of the loss's "
                        "further arguments, as in (x, y), or (x,) for one"
                    )
                task = _Task(number, (loss, at, shard))
                waiting.append(task)
                pool.start(task)
            if not waiting:
                break
            terms.add(_term(pool, waiting, retries))
            waiting.popleft()
    finally:
        for task in waiting:
            if task.future is not None:
                task.future.cancel()
    total = terms.total()
    if total is None:
        raise ValueError(f"{_NAME}: there are no shards; a generator can be gone through only once")
    value, leaves = total
    return constant(value), structure.unflatten([constant(leaf) for leaf in leaves])


@attrs.define
class _Task:
    """A shard on its way."""

    number: int
    # The loss, the record and the shard, whose types `value_and_grad` holds together.
    arguments: tuple[Any, Any, Any]
    attempts: int = 0
    future: Future[Term | _Raised] | None = None

    def loss_of_worker(self) -> Exception | None:
        """What says that the worker died, if it did and that is known by now."""
        if self.future is None or not self.future.done():
            return None
        try:
            error = self.future.exception()
        except CancelledError as cancelled:
            return cancelled
        return error if isinstance(error, Exception) and _is_loss(error) else None


def _term(pool: _Pool, waiting: deque[_Task], retries: int) -> Term:
    """The result of the first task that waits."""
    task = waiting[0]
    while True:
        assert task.future is not None
        try:
            outcome = task.future.result()
        except Exception as error:
            if not _is_loss(error):
                raise _not_sent(error, task) from error
            if task.attempts > retries:
                raise WorkerLostError(
                    f"{_NAME}: shard {task.number} was lost {task.attempts} times, each time with the worker that was "
                    f"to compute it ({type(error).__name__}: {error}); it may need too much memory, or the workers "
                    "cannot import the module of the loss"
                ) from error
            # The others that were lost with it are not to wait for their turn.
            for other in waiting:
                if other is task or (other.attempts <= retries and other.loss_of_worker()):
                    pool.start(other)
            continue
        if isinstance(outcome, _Raised):
            outcome.error.add_note(f"{_NAME}: in shard {task.number}{outcome.traceback}")
            raise outcome.error
        return outcome


def _plus(left: Term, right: Term) -> Term:
    return left[0] + right[0], [a + b for a, b in zip(left[1], right[1], strict=True)]


# -- What the worker does ----------------------------------------------------------------------------------------------


@attrs.frozen
class _Raised:
    """An error in the loss. It is handed back, not raised, so that it is not taken for one of the executor."""

    error: Exception
    traceback: str


def _of_shard(
    loss: Callable[..., BVar[float]],
    at: object,
    shard: tuple[object, ...],
    caller: int,
    attempt: int,
    watch: Callable[[Inputs], WatchedTape] | None,
) -> Term | _Raised:
    """A shard's term. `attempt` is for executors that take equal calls for one; `watch` is the caller's `WATCH`."""
    token = WATCH.set(watch)
    try:
        value, gradient = value_and_grad_of(loss)(at, *shard)
        return value.value, [leaf._value for leaf in tree.leaves(gradient)]
    except Exception as error:
        if os.getpid() == caller:
            return _Raised(error, "")
        # Tracebacks do not travel, and some errors neither.
        text = f"; there:\n{traceback.format_exc()}"
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return _Raised(RuntimeError(f"{type(error).__name__}: {error}"), text)
        return _Raised(error, text)
    finally:
        WATCH.reset(token)


# -- Executors that break ----------------------------------------------------------------------------------------------

# What took the place of broken pools, for as long as their owners keep them.
_REPLACEMENTS: WeakKeyDictionary[Executor, Executor] = WeakKeyDictionary()
_REPLACING: Final = threading.Lock()


class _Pool:
    """The caller's executor, or what took its place when it broke."""

    def __init__(self, executor: Executor) -> None:
        self._given = executor
        self._current = _REPLACEMENTS.get(executor, executor)

    def default_in_flight(self) -> int:
        for name in ("_max_workers", "num_workers"):
            workers = getattr(self._current, name, None)
            if isinstance(workers, int):
                return 2 * max(1, workers)
        return 32

    def start(self, task: _Task) -> None:
        """Submit a task, for the first time or again."""
        call = partial(self._submit, task.arguments, task.attempts)
        task.attempts += 1
        try:
            task.future = call()
        except BrokenExecutor as broken:
            self._replace(broken)
            task.future = call()
        except RuntimeError:
            # Shut down: the message says so.
            raise
        except Exception as error:
            raise _not_sent(error, task) from error

    def _submit(self, arguments: tuple[Any, Any, Any], attempt: int) -> Future[Term | _Raised]:
        loss, at, shard = arguments
        return self._current.submit(_of_shard, loss, at, shard, os.getpid(), attempt, WATCH.get())

    def _replace(self, broken: BrokenExecutor) -> None:
        with _REPLACING:
            known = _REPLACEMENTS.get(self._given)
            if known is None or known is self._current:
                known = _another(self._current, broken)
                _REPLACEMENTS[self._given] = known
            self._current = known


def _another(executor: Executor, broken: BrokenExecutor) -> Executor:
    """A new executor like a broken one; there is no public way to ask one how it was made."""
    another: Executor
    if type(executor) is ProcessPoolExecutor:
        broken_pool: Any = executor
        another = ProcessPoolExecutor(
            broken_pool._max_workers,
            mp_context=broken_pool._mp_context,
            initializer=broken_pool._initializer,
            initargs=broken_pool._initargs,
        )
    elif type(executor).__module__.endswith("loky.reusable_executor"):
        loky: Any = importlib.import_module(type(executor).__module__)
        another = loky.get_reusable_executor(max_workers=getattr(executor, "_max_workers", None))
    else:
        raise WorkerLostError(
            f"{_NAME}: a worker died, and the {type(executor).__name__} with it ({broken}); give a new one"
        ) from broken
    warnings.warn(
        f"{_NAME}: a worker process died, and its pool with it ({broken}); a new pool takes its place",
        RuntimeWarning,
        stacklevel=5,
    )
    return another


def _is_loss(error: Exception) -> bool:
    """Whether an error of an executor says that the worker died."""
    if isinstance(error, BrokenExecutor | CancelledError):
        return True
    kind = type(error)
    return kind.__module__.partition(".")[0] == "distributed" and kind.__name__ in ("KilledWorker", "CommClosedError")


def _not_sent(error: Exception, task: _Task) -> Exception:
    """The error for what an executor could not do with a task."""
    loss, at, shard = task.arguments
    for what, x in (
        (f"the loss {getattr(loss, '__qualname__', loss)}", loss),
        (f"the record, a {type(at).__name__},", at),
        (f"shard {task.number}", shard),
    ):
        try:
            pickle.dumps(x)
        except Exception as reason:
            return NotSentError(
                f"{_NAME}: {what} cannot be pickled for another process ({type(reason).__name__}: {reason}); define "
                "functions and classes at the top of a module, or use threads; loky and Dask send local functions, too"
            )
    return NotSentError(f"{_NAME}: shard {task.number} could not be sent ({type(error).__name__}: {error})")
