"""Gradients in threads, processes, tasks, forks and callbacks: each is what it is alone, bit by bit.

A little of it in `make test`; `make soak` counts 20,000 nested gradients and more.
"""

from __future__ import annotations

import asyncio
import gc
import math
import multiprocessing
import os
import select
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial, reduce
from typing import Any, Literal

import attrs
import numpy as np
import pytest

from tests.nested_gradients import NUMBERS, X, cube, gradient, net_of, prepare, right, work, work_alone
from tests.soaking import SOAK, report, size
from tests.untyped import BVar, tp
from typedprop import Local1, tree
from typedprop.errors import EscapedBVarError, NonFiniteError

THREADS = 8
TURNS = size(8, 300)

# Warned of since Python 3.12 wherever a process has threads, be they NumPy's.
forks = pytest.mark.filterwarnings("ignore:.*use of fork\\(\\) may lead to deadlocks:DeprecationWarning")
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")


class Count:
    """How many gradients were right, and what was wrong."""

    def __init__(self) -> None:
        self.right = 0
        self.wrong: list[str] = []

    def add(self, done: tuple[int, list[str]]) -> None:
        self.right += done[0]
        self.wrong += done[1]


TOTAL = Count()


@pytest.fixture(scope="module", autouse=True)
def total() -> Generator[None]:
    prepare()
    yield
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    python = f"Python {sys.version.split()[0]}{'' if gil else ' without a global lock'}"
    report(f"{python}: {TOTAL.right:,} gradients right, {len(TOTAL.wrong)} wrong")
    if SOAK:
        assert TOTAL.right >= 20_000


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Generator[Count]:
    """What a test counts; nothing may be wrong, and something right."""
    counted = Count()
    yield counted
    TOTAL.add((counted.right, counted.wrong))
    report(f"{counted.right:,} right, {len(counted.wrong)} wrong")
    assert counted.right and not counted.wrong


@contextmanager
def switching(interval: float) -> Generator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_threads(function: Callable[[int], Any]) -> list[Any]:
    """The results of `function(0)`, `function(1)`, ... of as many threads that begin at once."""
    start = threading.Barrier(THREADS)

    def begin(k: int) -> Any:
        start.wait()
        return function(k)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


intervals = pytest.mark.parametrize("interval", [sys.getswitchinterval(), 1e-6])


# -- Threads ---------------------------------------------------------------------------------------------------------


@intervals
def test_threads_with_gradients_of_their_own(interval: float, count: Count) -> None:
    with switching(interval):
        for done in in_threads(lambda k: work(k, TURNS)):
            count.add(done)


@intervals
def test_threads_that_share_records_and_pullbacks(interval: float, count: Count) -> None:
    net = net_of(0.5)
    _, pullback = tp.vjp(lambda n: tp.tanh(n.w @ X + n.b) @ tp.grad(lambda b: (b * b * n.b).sum())(n.b) * n.scale, net)
    cotangents = [BVar(k) for k in NUMBERS]
    wanted = [pullback(g) for g in cotangents]

    def use(k: int) -> tuple[int, list[str]]:
        found = [pullback(cotangents[k]) == wanted[k] for _ in range(size(10, 150))]
        return sum(found), [f"the pullback in turn {turn}" for turn, fine in enumerate(found) if not fine]

    with switching(interval):
        for done in in_threads(use):
            count.add(done)


@intervals
def test_a_function_that_maps_over_threads(interval: float, count: Count) -> None:
    """All of them record on its one tape, by operators, operations of typedprop and gradients within. The numbers are
    such that nothing is rounded, whatever the order of the additions in the sweep."""

    def part(x: Any, k: int) -> Any:
        y = x
        for _ in range(20):
            y = (y + x * 2.0 - x[0]) * 1.0 + np.arange(3.0) * x
        z = tp.outer(x, x) @ y + tp.concatenate([y[:1], x[1:]]) * float(k)
        return z @ x + tp.grad(lambda v: (v * x * v).sum() * x[1])(x) @ y

    def loss(x: Any, mapped: Callable[..., Any], own: bool = False) -> Any:
        total = reduce(lambda a, b: a + b, mapped(partial(part, x), range(THREADS)))
        # A rule over plain values has no second derivative.
        return total + sum(mapped(lambda k: cube(x).sum() * float(k), range(THREADS))) if own else total

    x = np.array([1.0, 2.0, -1.0])
    wanted = tp.grad(loss)(x, map, True)
    slopes = tp.hvp(loss, x, x, map)
    with switching(interval), ThreadPoolExecutor(THREADS) as threads:
        for turn in range(size(2, 40)):
            found = tp.grad(loss)(x, threads.map, True)
            again = tp.hvp(loss, x, x, threads.map) if turn % 10 == 0 else slopes
            fine = found.tobytes() == wanted.tobytes() and again == slopes
            # One nested gradient each thread.
            count.add((THREADS, []) if fine else (0, [f"turn {turn}: {found}"]))


def test_a_thread_that_outlives_the_function() -> None:
    """What it computes after the function has returned is an error of that thread, and harms nobody."""
    go_on = threading.Event()
    errors: list[BaseException] = []

    def late(x: Any) -> None:
        go_on.wait()
        try:
            assert x * 2.0 is None
        except EscapedBVarError as error:
            errors.append(error)

    threads: list[threading.Thread] = []

    def f(x: Any) -> Any:
        threads.append(threading.Thread(target=late, args=(x,)))
        threads[-1].start()
        return x * x

    assert tp.grad(f)(3.0) == 6.0
    go_on.set()
    threads[0].join()
    assert len(errors) == 1


@attrs.frozen
class Wide(tp.Record):  # type: ignore[misc]  # untyped on purpose
    first: Any
    second: Any


def test_caches_of_classes_that_are_emptied_meanwhile(count: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of a class is worked out once, and forgotten when there are too many: here after four."""
    monkeypatch.setattr(tree, "_MANY", 4)
    classes: list[Any] = [
        attrs.make_class(f"Made{k}", ["first", "second"], frozen=True, slots=k % 2 == 0) for k in range(12)
    ]
    classes.append(Wide)

    def use(k: int) -> tuple[int, list[str]]:
        wrong = []
        for turn in range(size(26, 260)):
            cls = classes[(k + turn) % len(classes)]
            at: Any = cls(BVar(float(k)), [BVar(X), cls(BVar(2.0), "static")])
            g = tp.grad(lambda r: (r.first**2) * (r.second[0] * r.second[1].first).sum())(at)
            fine = type(g) is cls and type(g.second[1]) is cls and g.second[1].second == "static"
            if not (fine and g.first.value == 4.0 * k * X.sum() and (g.second[0].value == 2.0 * k * k).all()):
                wrong.append(f"{cls.__name__} in turn {turn}: {g!r}")
        return size(26, 260) - len(wrong), wrong

    with switching(1e-6):
        for done in in_threads(use):
            count.add(done)


def test_debugging_in_some_threads(count: Count) -> None:
    """It ends with its block and holds for its own thread: of two tasks one is stopped and the other is not."""

    def use(k: int) -> tuple[int, list[str]]:
        wrong = []
        for turn in range(size(10, 60)):
            with np.errstate(all="ignore"):
                if k % 2:
                    try:
                        with tp.debug_nans():
                            tp.grad(lambda x: tp.log(x * 0.0).sum())(X)
                        wrong.append("was not stopped")
                    except NonFiniteError as error:
                        if "test_concurrency.py" not in str(error):
                            wrong.append(str(error))
                elif np.isfinite(tp.grad(lambda x: tp.log(x * 0.0).sum())(X)).any():
                    wrong.append("is finite")
            if not right(gradient(k, turn), k, turn):
                wrong.append(f"turn {turn}")
        return size(10, 60) - len(wrong), wrong

    for done in in_threads(use):
        count.add(done)


# -- Processes -------------------------------------------------------------------------------------------------------


@forks
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_process_pools(method: Literal["fork", "spawn", "forkserver"], count: Count) -> None:
    workers = size(1, 4)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as pool:
        for done in pool.map(work_alone, range(THREADS), [size(4, 300)] * THREADS):
            count.add(done)


class Fork:
    """A fork that has happened; the child says what it has found, and the parent reads it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.child = os.fork()

    def tell(self, found: bytes) -> bytes:
        if self.child == 0:
            os.write(self.writing, found)
            os._exit(0)
        os.close(self.writing)
        # Of a child that hangs, nothing would come.
        ready, _, _ = select.select([self.reading], [], [], 60.0)
        told = os.read(self.reading, 1 << 16) if ready else b"nothing in a minute"
        os.close(self.reading)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        return told


WHERE = ["the function", "an inner function", "the backward sweep", "an inner sweep", "the forward sweep"]


@posix
@forks
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("where", WHERE)
def test_a_fork_in_the_middle(where: str, busy: bool, count: Count) -> None:
    """Both sides end the gradient that they are in, and the child computes others. If `busy`, while other threads
    compute theirs; they do not live on in the child."""
    fork_here: list[Callable[[], None]] = []

    def fork(place: str) -> None:
        if place == where and fork_here:
            fork_here.pop()()

    @tp.op  # type: ignore[untyped-decorator]  # untyped on purpose
    def forking(x: Any, *, inner: bool) -> Any:
        def pull(g: Any) -> Any:
            fork("an inner sweep" if inner else "the backward sweep")
            return 2.0 * g * x

        def push(t: Any) -> Any:
            fork("the forward sweep")
            return 2.0 * t * x

        return Local1(x * x, pull).push(push)

    def inner_loss(y: Any) -> Any:
        fork("an inner function")
        return (forking(y, inner=True) * y).sum()

    def loss(x: Any) -> Any:
        y = tp.exp(x * 0.5)
        fork("the function")
        return (forking(y, inner=False) * x).sum() + tp.grad(inner_loss)(X) @ x

    def whole() -> bytes:
        if where == "the forward sweep":
            return b"".join(leaf.value.tobytes() for leaf in tp.jvp(tp.exp, BVar(X), tp.jvp(f, BVar(X), BVar(X))[1]))
        return tp.grad(loss)(X).tobytes()  # type: ignore[no-any-return]  # untyped on purpose

    def f(x: Any) -> Any:
        return forking(tp.sin(x), inner=False) * x

    wanted = whole()
    stop = threading.Event()

    def compute(k: int) -> None:
        turn = 0
        while not stop.is_set():
            gradient(k, turn)
            turn += 1

    others = [threading.Thread(target=compute, args=(k,)) for k in range(3 if busy else 0)]
    for thread in others:
        thread.start()
    try:
        for turn in range(size(1, 60)):
            born: list[Fork] = []

            def fork_now(born: list[Fork] = born) -> None:
                born.append(Fork())

            fork_here.append(fork_now)
            try:
                found = whole()
                assert born, f"there was no fork in {where}"
                # The child goes on to another gradient after the one that it was born in.
                after = b"right" if right(gradient(turn % 8, turn), turn % 8, turn) else b"wrong"
                told = born[0].tell(found + after)
            finally:
                if born and born[0].child == 0:
                    os._exit(1)
            fine = found == wanted and told == wanted + b"right" and after == b"right"
            count.add((4, []) if fine else (0, [f"turn {turn}: {told!r}"]))
    finally:
        stop.set()
        for thread in others:
            thread.join()


# -- Tasks -----------------------------------------------------------------------------------------------------------


def test_tasks(count: Count) -> None:
    """Of asyncio: they take turns between a function's run and its backward sweep."""

    async def use(k: int) -> None:
        for turn in range(TURNS):
            net = net_of(NUMBERS[k])
            _, pullback = tp.vjp(lambda n: tp.grad(lambda w: (w * w * n.w).sum())(n.w).sum() * n.scale, net)
            await asyncio.sleep(0)
            if turn % 2:
                found = pullback(BVar(NUMBERS[k]))
            else:
                found = await asyncio.to_thread(pullback, BVar(NUMBERS[k]))
            wanted = 4.0 * NUMBERS[k] ** 2 * net.w.value
            fine = np.allclose(found.w.value, wanted, rtol=1e-14) and right(gradient(k, turn), k, turn)
            count.add((2, []) if fine else (0, [f"task {k} in turn {turn}"]))
            await asyncio.sleep(0)

    async def stopped() -> str:
        with tp.debug_nans():
            await asyncio.sleep(0)
            try:
                tp.grad(lambda x: x * math.nan)(1.0)
            except NonFiniteError as error:
                return str(error)
        return ""

    async def main() -> None:
        message = asyncio.create_task(stopped())
        await asyncio.gather(*map(use, range(THREADS)))
        assert "is nan" in await message

    asyncio.run(main())


# -- Callbacks -------------------------------------------------------------------------------------------------------

# Each computes `gradient(k, turn)` in a callback that Python, NumPy or typedprop makes while another gradient is being
# computed, and gives the number of callbacks that were made and the other gradient.
Inside = Callable[[], None]


def in_a_key(inside: Inside) -> Any:
    def key(b: Any) -> Any:
        inside()
        return b.value

    return tp.grad(lambda x: sorted(x, key=key)[0] * max(x, key=key))(X)


def in_a_rule(inside: Inside) -> Any:
    """Of a primitive over plain values, in its value and its pull."""

    @tp.op  # type: ignore[untyped-decorator]  # untyped on purpose
    def calling(x: Any) -> Any:
        inside()

        def pull(g: Any) -> Any:
            inside()
            return 2.0 * g * x

        return Local1(x * x, pull)

    return tp.grad(lambda x: (calling(x) * calling(tp.exp(x))).sum())(X)


def in_numpy(inside: Inside) -> Any:
    def double(row: Any) -> Any:
        inside()
        return 2.0 * row

    return tp.grad(lambda x: (np.apply_along_axis(double, 0, np.eye(3)) @ x * x).sum())(X)


def in_tree_map(inside: Inside) -> Any:
    def square(b: Any) -> Any:
        inside()
        return b * b

    return tp.tree.ravel(tp.grad(lambda n: tp.tree.map(square, n).w.sum() * n.scale)(net_of(0.5)))[0].value


def in_implicit(inside: Inside) -> Any:
    """In the solver and in the equations."""

    def solver(a: Any) -> Any:
        inside()
        return BVar(math.sqrt(a.value))

    def residual(x: Any, a: Any) -> Any:
        inside()
        return x * x - a

    return np.asarray(tp.grad(lambda a: tp.implicit(solver, residual)(a) * a)(4.0))


def in_a_finalizer(inside: Inside) -> Any:
    """Of arrays that die while the sweep uses up its tape."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(3):
            y = tp.sin(y) * x
            weakref.finalize(y.value.base, inside)
        return y.sum()

    return tp.grad(f)(X)


def in_the_collector(inside: Inside) -> Any:
    def collected(phase: str, _: Any) -> None:
        if phase == "start":
            inside()

    def f(x: Any) -> Any:
        y = tp.exp(x)
        gc.collect()
        return (y * cube(x)).sum()

    gc.callbacks.append(collected)
    try:
        return tp.grad(f)(X)
    finally:
        gc.callbacks.remove(collected)


def in_a_trace_function(inside: Inside) -> Any:
    """Of a debugger or profiler, at every call of typedprop's own functions."""
    calls = 0

    def profile(_frame: Any, event: str, _: Any) -> None:
        nonlocal calls
        calls += event == "call"
        if event == "call" and calls % 6 == 0:
            sys.setprofile(None)
            inside()
            sys.setprofile(profile)

    sys.setprofile(profile)
    try:
        return tp.grad(lambda x: (tp.grad(lambda y: (y * y * x).sum())(x) * tp.exp(x)).sum())(X)
    finally:
        sys.setprofile(None)


def in_a_signal(inside: Inside) -> Any:
    """That comes wherever the gradient happens to be."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        inside()
        return tp.grad(long)(X)

    over = False

    def handler(*_: Any) -> None:
        inside()
        # One that has come just before the end must not have another one come after it, which would end the process.
        if not over:
            signal.setitimer(signal.ITIMER_REAL, 0.001)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    try:
        return tp.grad(long)(X)
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        inside()


def long(x: Any) -> Any:
    y = x
    for _ in range(30):
        y = tp.tanh(y * x) + x @ y * 0.1
    return (y * tp.grad(lambda v: (tp.exp(v) * x).sum())(x)).sum()


CALLBACKS = [
    in_a_key,
    in_a_rule,
    in_numpy,
    in_tree_map,
    in_implicit,
    in_a_finalizer,
    in_the_collector,
    in_a_trace_function,
    in_a_signal,
]


@pytest.mark.parametrize("callback", CALLBACKS)
def test_gradients_in_a_callback_of_another(callback: Callable[[Inside], Any], count: Count) -> None:
    wanted = callback(lambda: None).tobytes()
    for turn in range(size(3, 60)):
        done = 0

        def inside(turn: int = turn) -> None:
            nonlocal done
            k, done = done % THREADS, done + 1
            found = gradient(k, turn)
            count.add((1, []) if right(found, k, turn) else (0, [f"inside, turn {turn}"]))

        found = callback(inside).tobytes()
        assert done, "there was no callback"
        count.add((1, []) if found == wanted else (0, [f"the other, turn {turn}"]))
