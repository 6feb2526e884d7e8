"""Errors at every point of a gradient: they come through as they are, the next gradient is right, nothing is held.

Raised are an exception of the user's, KeyboardInterrupt, MemoryError and RecursionError: in each rule in turn, at each
line of typedprop that a gradient runs, and by Python and the operating system themselves.
"""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import attrs
import numpy as np
import pytest

from tests.ops.checks import point
from tests.ops.table import TABLE
from tests.soaking import SOAK, report, size
from tests.untyped import BVar, tp
from typedprop import Local1, Record


class Fault(Exception):
    """An exception of the user's own."""


KINDS: list[type[BaseException]] = [Fault, KeyboardInterrupt, MemoryError, RecursionError]
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module", autouse=True)
def frozen() -> Generator[None]:
    """What there is now is not looked at by the collector again, or each look would take long."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_collector() -> Generator[None]:
    """Whatever dies here dies by its reference count, and what does not is found when the collector is asked."""
    gc.collect()
    gc.disable()
    # What a test that failed left behind is its own.
    SEEN.clear()
    yield
    gc.enable()


SEEN: list[weakref.ref[Any]] = []


def seen(x: Any) -> Any:
    """`x`, whose array is now watched."""
    value = x
    while type(value) is BVar:
        value = value._value
    if type(value) is np.ndarray:
        SEEN.append(weakref.ref(value))
    return x


def held() -> int:
    """How many of the arrays that were seen live on, and how many objects only the collector would find."""
    alive = sum(ref() is not None for ref in SEEN)
    SEEN.clear()
    return alive + gc.collect()


# -- Programs --------------------------------------------------------------------------------------------------------


class Probe:
    """What a program does nothing with but count: at its `at`th call, it raises."""

    def __init__(self, kind: type[BaseException] = Fault) -> None:
        self.kind = kind
        self.calls = 0
        self.at = -1

    def __call__(self) -> None:
        self.calls += 1
        if self.calls - 1 == self.at:
            raise self.kind("stop")

    def arm(self, at: int) -> None:
        self.calls, self.at = 0, at


def probed(probe: Probe, *, value: bool = False) -> Callable[[Any], Any]:
    """An identity whose rules ask the probe, in both directions and at every order, and its value too if wanted."""

    @tp.op(differentiable=True)  # type: ignore[untyped-decorator]  # untyped on purpose
    def checked(x: Any) -> Any:
        def ask(y: Any) -> Any:
            probe()
            return seen(y * 1.0)

        if value:
            probe()
        return Local1(x * 1.0, ask).push(ask)

    return checked  # type: ignore[no-any-return]  # untyped on purpose


@attrs.frozen
class Model(Record):
    w: Any
    b: Any
    scale: Any
    name: str = "model"


X = np.array([1.0, -0.5, 0.25])
MODEL = Model(BVar(np.arange(6.0).reshape(2, 3) * 0.1), BVar(np.array([0.5, -1.0])), BVar(0.5))
LINES: list[int] = []


def program(model: Any, check: Callable[[Any], Any] = lambda x: x) -> Any:
    """Many kinds of operations, each of whose results is checked: of arrays and numbers, with several results, with
    several operands, with a function that runs again, with a gradient inside."""
    y = check(model.w @ X)
    y = check(y + model.b)
    y = check(seen(tp.tanh(y)))
    z = check(tp.outer(y, y))
    z = check(tp.concatenate([z, model.w.T @ z.T]))
    a, b = tp.split(z, [2])
    u, s, v = tp.linalg.svd(check(a + np.diag([1.0, 3.0])))
    y = check(u @ (s * y) + v[0] * tp.sum(b))
    y = check(tp.checkpoint(lambda t: seen(tp.exp(t) * t))(y))
    y = check(tp.grad(lambda t: (check(t * t) * y).sum())(y))
    n = check(tp.sum(y)) * model.scale
    n = check(n * n + 1.0)
    return check(tp.log(n) - y[0] / n)


def by_reverse(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.grad(program)(MODEL, check)


def by_pullback(check: Callable[[Any], Any] = lambda x: x) -> Any:
    _, pullback = tp.vjp(program, MODEL, check)
    pullback(BVar(1.0))
    return pullback(BVar(2.0))


def by_forward(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.jvp(program, MODEL, MODEL, check)


def by_both(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.hvp(program, MODEL, MODEL, check)


def program_of_functions(v: Any, check: Callable[[Any], Any] = lambda x: x) -> Any:
    """What takes functions, or takes an array to pieces: an operation of one's own, an equation that is solved, maps,
    a loop over elements."""

    @tp.op(differentiable=True)  # type: ignore[untyped-decorator]  # untyped on purpose
    def squared(x: Any) -> Any:
        return Local1(x * x, lambda g: seen(2.0 * g * x)).push(lambda t: seen(2.0 * x * t))

    def solver(a: Any) -> Any:
        # Plain numbers: Newton's method for x**3 + x = a.
        x = 1.0
        for _ in range(50):
            x -= (x**3 + x - a.value) / (3.0 * x * x + 1.0)
        return BVar(x)

    root = tp.implicit(solver, lambda x, a: check(x * x * x + x) - a)
    y = check(squared(v) + v[::-1])
    a, *others = y
    n = check(root(a * a + 1.0) + others[0] * y[1] + v[0])
    z = check(tp.map(lambda e: tp.sin(e * n), y))
    z = check(tp.zip_with(lambda p, q: p * q + 0.5, z, v))
    return check(tp.sum(z[0:1]) * n + z @ y)


V = BVar(np.array([0.7, -0.4]))


def by_value_and_grad(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.value_and_grad(program_of_functions)(V, check)


def by_forward_of_functions(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.jvp(program_of_functions, V, V, check)


def by_two_gradients(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.grad(lambda v: tp.grad(program_of_functions)(v, check) @ X[:2])(V)


def by_hessian(check: Callable[[Any], Any] = lambda x: x) -> Any:
    return tp.hessian(program_of_functions)(V, check)


def by_jacobian(check: Callable[[Any], Any] = lambda x: x) -> Any:
    modes: list[Literal["rev", "fwd"]] = ["rev", "fwd"]
    return [tp.jacobian(lambda v: v * program_of_functions(v, check), mode=mode)(V) for mode in modes]


def by_debug_nans(check: Callable[[Any], Any] = lambda x: x) -> Any:
    with tp.debug_nans():
        return tp.backprop(program_of_functions, V, check)


RUNS = [
    by_reverse,
    by_pullback,
    by_forward,
    by_both,
    by_value_and_grad,
    by_forward_of_functions,
    by_two_gradients,
    by_hessian,
    by_jacobian,
    by_debug_nans,
]
runs = pytest.mark.parametrize("run", RUNS)


def bits(tree: Any) -> list[bytes]:
    return [np.asarray(leaf.value).tobytes() for leaf in tp.tree.leaves(tree)]


def caught(call: Callable[[], Any], kind: type[BaseException]) -> str | None:
    """The traceback with which a call ends; None if it ends well."""
    try:
        call()
    except kind as error:
        return "".join(traceback.format_exception(error))
    return None


# -- Without any error -----------------------------------------------------------------------------------------------


def test_no_operation_makes_a_cycle() -> None:
    """Where no backward sweep takes the tape apart: after a forward one, and for a pullback that is thrown away. An
    entry must not hold what holds its tape, and no function may call itself through a closure."""
    count = 0
    for row in (row for row in TABLE if row.orders):
        for case in row.cases[: size(3, 1000)]:
            at = point(row, case)
            x, direction = at.lifted(), at.direction(1)
            tp.vjp(at.function, x)
            tp.jvp(at.function, x, direction)
            count += 2
        remaining = gc.collect()
        assert remaining == 0, f"{row.name}: {remaining} objects wait for the collector"
    assert count > 1000


MADE: dict[str, Callable[[Any], Any]] = {
    "op": lambda v: tp.op(lambda x: Local1(x * x, lambda g: 2.0 * g * v.value))(v),
    "differentiable op": lambda v: tp.op(differentiable=True)(lambda x: Local1(x * x, lambda g: 2.0 * g * x))(v),
    "implicit": lambda v: tp.implicit(lambda a: BVar(a.value), lambda x, a: (x - a) * (v.value + 3.0))(v),
    "checkpoint": lambda v: tp.checkpoint(lambda x: x * v.value)(v),
    "stop_gradient": lambda v: tp.stop_gradient(v) * v,
    "map": lambda v: tp.map(lambda e: e * v[0], v),
    "a gradient": lambda v: tp.grad(lambda x: (x * x * v).sum())(v),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_in_a_function_dies_with_it(name: str) -> None:
    """An operation or equation that captures what is differentiated, as those in a loss do."""
    for _ in range(2):
        tp.grad(lambda v: seen(MADE[name](seen(v * 1.0))).sum())(V)
        assert held() == 0


# -- At every operation ----------------------------------------------------------------------------------------------


@kinds
@runs
@pytest.mark.parametrize("value", [True, False], ids=["values too", "rules"])
def test_in_the_rules_of_every_operation(run: Callable[..., Any], value: bool, kind: Any) -> None:
    probe = Probe(kind)
    check = probed(probe, value=value)
    wanted = bits(run(check))
    count = probe.calls
    assert count >= 6 and held() == 0
    step = size(5, 1)
    for at in range(0, count, step):
        probe.arm(at)
        told = caught(lambda: run(check), kind)
        assert held() == 0, f"something is held after {told}"
        assert told is not None, f"nothing was raised at {at} of {count}"
        assert f"{kind.__name__}: stop" in told
        # In the run of the function by the traceback, in a sweep by the note.
        if not re.search(r", in program(_of_functions)?\n", told):
            assert kind is KeyboardInterrupt or (f"recorded at {__file__}:" in told and " in program" in told), told
            assert ", in by_" in told
        probe.arm(-1)
        assert bits(run(check)) == wanted
        assert held() == 0
    report(f"{kind.__name__} in {len(range(0, count, step))} of {count} rules, {run.__name__}")


# -- At every line of typedprop --------------------------------------------------------------------------------------

PACKAGE = str(Path(tp.__file__).parent)


class Stopper:
    """A trace function, as a debugger has one, that raises at the `at`th line, call or return in typedprop."""

    def __init__(self, at: int, kind: type[BaseException]) -> None:
        self.at = at
        self.kind = kind
        self.count = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        self.count += 1
        if self.count - 1 == self.at:
            raise self.kind("stop")
        return self

    def run(self, call: Callable[[], Any]) -> Any:
        before = sys.gettrace()
        sys.settrace(self)
        try:
            return call()
        finally:
            sys.settrace(before)


# Raised while a generator is thrown away, an error is a warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@kinds
@runs
def test_at_every_line(run: Callable[..., Any], kind: Any) -> None:
    wanted = bits(run())
    counter = Stopper(-1, kind)
    counter.run(run)
    count = counter.count
    assert held() == 0
    # Primes, so that all sorts of lines are among them.
    if run in RUNS[:4]:
        step = size(997, 1 if kind in (Fault, KeyboardInterrupt) else 3)
    else:
        step = size(3989, 1 if kind is Fault else 17)
    raised = 0
    for at in range(0, count, step):
        told = caught(partial(Stopper(at, kind).run, run), kind)
        remaining = held()
        # None where a generator was being thrown away: Python tells pytest of the error, which keeps it.
        if told is not None:
            assert remaining == 0, f"something is held after {told}"
            raised += 1
            assert f"{kind.__name__}: stop" in told and ", in by_" in told
        assert bits(run()) == wanted
        SEEN.clear()
    report(f"{kind.__name__} at {raised:,} of {count:,} lines, {run.__name__}")
    assert raised >= 0.99 * len(range(0, count, step)) - 1


# -- By Python and the operating system ------------------------------------------------------------------------------


@runs
def test_too_deep_a_stack(run: Callable[..., Any]) -> None:
    """At every limit from where nothing works to where all does."""
    wanted = bits(run())
    assert held() == 0
    before = sys.getrecursionlimit()
    depth = len(traceback.extract_stack())
    raised = 0
    for limit in range(depth + 8, depth + 400):
        try:
            sys.setrecursionlimit(limit)
            try:
                found = run()
            finally:
                sys.setrecursionlimit(before)
        except RecursionError:
            raised += 1
        else:
            assert bits(found) == wanted
            break
        assert held() == 0
        if limit % size(10, 1) == 0:
            assert bits(run()) == wanted
    else:
        raise AssertionError("never deep enough")
    assert raised > 5
    report(f"{raised} limits that were too low, {run.__name__}")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers are POSIX's")
@runs
def test_interrupts_at_any_time(run: Callable[..., Any]) -> None:
    """As Ctrl-C makes them, wherever the gradient happens to be."""
    assert threading.current_thread() is threading.main_thread()
    wanted = bits(run())

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    turns = size(20, 2000)
    try:
        for turn in range(turns):
            try:
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + 2e-2 * turn / turns)
                found = run()
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            except KeyboardInterrupt:
                interrupted += 1
            else:
                assert bits(found) == wanted
                del found
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            assert held() == 0
            assert bits(run()) == wanted
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    report(f"{interrupted} of {turns} interrupted, {run.__name__}")


STARVED = """
import gc, resource, sys, weakref
import numpy as np
import typedprop as tp
from typedprop import BVar

gc.disable()
seen = []

def f(x):
    y = x
    for k in range(6):
        y = tp.tanh(y * x) + tp.exp(-y) * 0.5
        seen.append(weakref.ref(y.value.base))
    return (y * y).sum()

def pages():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

small = np.linspace(0.1, 1.0, 7)
wanted = tp.grad(f)(small).tobytes()
gc.collect()
hard = resource.getrlimit(resource.RLIMIT_AS)[1]
x = BVar(np.ones(int(sys.argv[1])))
size = x.value.nbytes
failed = 0
for k in range(1000):
    seen.clear()
    resource.setrlimit(resource.RLIMIT_AS, (pages() + k * size // int(sys.argv[2]), hard))
    try:
        tp.grad(f)(x)
        ended = True
    except MemoryError:
        failed += 1
        ended = False
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    assert all(ref() is None for ref in seen), f"held with {k}"
    assert gc.collect() == 0, f"cycles with {k}"
    assert tp.grad(f)(small).tobytes() == wanted
    if ended:
        break
assert ended, "never enough"
print(failed)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux keeps them")
def test_memory_that_runs_out() -> None:
    """At every amount of memory from none to enough, in steps of an array or less: NumPy's own MemoryError."""
    arguments = [str(size(200_000, 1_000_000)), str(size(1, 4))]
    ended = subprocess.run([sys.executable, "-c", STARVED, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= 10
    report(f"{ended.stdout.strip()} amounts of memory that were too little")


# -- Files -----------------------------------------------------------------------------------------------------------

# Forks for each point, and not in the process of the tests, which has threads.
KILLED = """
import os, signal, sys
import numpy as np
import typedprop as tp
from typedprop import BVar

file, format, step = sys.argv[1], sys.argv[2], int(sys.argv[3])

def record(k):
    return [BVar(np.full(300, float(k))), {"x": BVar(float(k))}]

class Killer:
    def __init__(self, at):
        self.at, self.count = at, 0
    def __call__(self, frame, event, argument):
        self.count += 1
        if self.count - 1 == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self

tp.save(file, record(0), format=format)
counter = Killer(-1)
sys.settrace(counter)
tp.save(file, record(0), format=format)
sys.settrace(None)
before, at, killed, new = 0, 0, 0, 0
while True:
    child = os.fork()
    if child == 0:
        sys.settrace(Killer(at))
        tp.save(file, record(before + 1), format=format)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    vector, number = tp.tree.leaves(tp.load(file, like=record(0)))
    found = number.value
    assert found in (before, before + 1) and (vector.value == found).all(), (at, before, found)
    if status == 0:
        assert found == before + 1
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    killed, new, before, at = killed + 1, new + (found != before), found, at + step
print(killed, counter.count, new)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_killed_at_every_line_of_save(format: str, tmp_path: Path) -> None:
    """The file is the old one or the new one, whole."""
    if format == "safetensors":
        pytest.importorskip("safetensors", reason="safetensors is optional: pip install -e .[safetensors]")
    step = str(size(97, 1))
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", KILLED, str(tmp_path / "file"), format, step]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    killed, count, new = map(int, ended.stdout.split())
    report(f"killed at {killed:,} of {count:,} lines of save to {format}, {new} of them with the new file in place")
    assert killed >= 5


def big(k: int) -> Any:
    return [BVar(np.full(2000, float(k))), BVar(float(k))]


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_no_space_at_any_byte(format: str, tmp_path: Path) -> None:
    """For each length that a file may be written to before the disk is full, as a limit on the size of files has it."""
    resource = pytest.importorskip("resource", reason="limits of a process are POSIX's")
    if format == "safetensors":
        pytest.importorskip("safetensors", reason="safetensors is optional: pip install -e .[safetensors]")
    file = tmp_path / "file"
    tp.save(file, big(0), format=format)
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = range(0, len(before), size(3001, 13))
    try:
        for limit in limits:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            with pytest.raises(OSError) as error:
                tp.save(file, big(1), format=format)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert error.value.errno == errno.EFBIG
            assert file.read_bytes() == before and os.listdir(tmp_path) == ["file"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    tp.save(file, big(1), format=format)
    assert bits(tp.load(file, like=big(0))) == bits(big(1))
    report(f"{len(limits)} lengths of {format}")


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A real one, of memory, where tests may mount it; filled up to each of many lengths."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = SOAK and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("make soak mounts a small disk, where it may (as root)")
    try:
        file, filler = disk / "file", disk / "filler"
        tp.save(file, big(0))
        before = file.read_bytes()
        full = 0
        for pages in range(1, 32):
            filler.write_bytes(b"")
            try:
                filler.write_bytes(bytes(4096 * pages))
            except OSError:
                break
            try:
                tp.save(file, big(1))
            except OSError as error:
                assert error.errno == errno.ENOSPC
                full += 1
                assert file.read_bytes() == before
            else:
                assert bits(tp.load(file, like=big(0))) == bits(big(1))
                file.write_bytes(before)
            assert sorted(os.listdir(disk)) == ["file", "filler"]
        assert full >= 3
        report(f"a full disk {full} times")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
