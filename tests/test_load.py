"""Much of everything: long tapes, parameters that are used often, wide records, big arrays, many gradients in a row.

Work and memory grow in proportion, and not with anything else. Work is counted in calls, as a profiler sees them, and
never in seconds; `make soak` says what the full sizes take.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np
import pytest

from tests.soaking import SOAK, report, size
from tests.steps import calls
from tests.untyped import BVar, tp
from typedprop import Record
from typedprop.errors import ShapeError


def peak(run: Callable[[], Any]) -> int:
    """How many bytes a run takes at once, beyond what there is before it."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@contextmanager
def shallow() -> Generator[None]:
    """A stack of some fifty frames more than now: whatever recurses with the size of its input breaks."""
    depth, frame = 0, sys._getframe()
    while (back := frame.f_back) is not None:
        depth, frame = depth + 1, back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 60)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def check_proportion(run_of: Callable[[int], Callable[[], Any]], n: int, name: str, *, calls_per: float = 100.0) -> int:
    """That four times the size takes four times the calls and bytes, give or take what does not depend on it. Gives
    the bytes a unit of size."""
    for k in (1, 2, 4):
        run_of(k * n)()  # what is worked out once a class
    work = [calls(run_of(k * n)) for k in (1, 2, 4)]
    memory = [peak(run_of(k * n)) for k in (1, 2, 4)]
    # Second differences: a share that grows with the square would show here.
    assert abs(work[2] - 3 * work[1] + 2 * work[0]) <= 0.02 * work[0] + 20, work
    assert memory[2] <= 2.4 * memory[1] + 4096 and memory[1] <= 2.4 * memory[0] + 4096, memory
    each = (work[2] - work[1]) / (2 * n)
    assert each <= calls_per
    per_unit = round((memory[2] - memory[1]) / (2 * n))
    report(f"{name}: {each:.1f} calls and {per_unit} bytes each")
    return per_unit


def say_seconds(run_of: Callable[[int], Callable[[], Any]], n: int, name: str) -> None:
    """The slopes: seconds for a tenth, a half and the whole."""
    if SOAK:
        words = []
        for k in (n // 10, n // 2, n):
            start = time.perf_counter()
            run_of(k)()
            words.append(f"{k:,} in {time.perf_counter() - start:.2f} s")
        report(f"{name}: {', '.join(words)}")


# -- Long tapes ------------------------------------------------------------------------------------------------------


def chain(n: int) -> Callable[[Any], Any]:
    """`n` operations deep."""

    def f(x: Any) -> Any:
        y = x
        for _ in range(n // 2):
            y = y * 0.999 + x
        return y.sum() if y.shape else y

    return f


CHAINS: dict[str, Callable[[int], Callable[[], Any]]] = {
    "reverse mode": lambda n: lambda: tp.grad(chain(n))(0.5),
    "forward mode": lambda n: lambda: tp.jvp(chain(n), BVar(0.5), BVar(1.0))[1].value,
    "a pullback": lambda n: lambda: tp.vjp(chain(n), BVar(0.5))[1](BVar(1.0)).value,
    "arrays": lambda n: lambda: tp.grad(chain(n))(np.full(3, 0.5))[0],
    "second order": lambda n: lambda: tp.grad(lambda x: tp.grad(chain(n))(x) * x)(0.5),
}


@pytest.mark.parametrize("name", CHAINS)
def test_deep(name: str) -> None:
    """A million operations one upon another in `make soak`."""
    run_of = CHAINS[name]
    n = size(10_000, 1_000_000)
    wanted = 1000.0 - 999.0 * 0.999 ** (n // 2)
    with shallow():
        assert run_of(n)() == pytest.approx(wanted, rel=1e-9)
    per_operation = check_proportion(run_of, size(500, 20_000), name)
    # An entry of the tape, a number or an array of three and its BVar; with the cotangents at order 2.
    assert per_operation <= {"arrays": 700, "second order": 1200}.get(name, 400)
    say_seconds(run_of, n, name)


def test_a_long_tape_that_is_thrown_away() -> None:
    n = size(10_000, 1_000_000)
    with shallow():
        _, pullback = tp.vjp(chain(n), BVar(np.full(3, 0.5)))
        del pullback
        with pytest.raises(ZeroDivisionError):
            tp.grad(lambda x: chain(n)(x) * (1 / 0))(0.5)


# -- A parameter that is used often ----------------------------------------------------------------------------------

VECTOR = np.linspace(0.1, 1.0, 50)
MATRIX = np.eye(50) * 0.5


def often(n: int, use: Callable[[Any, int], Any]) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        total = BVar(0.0)
        for k in range(n):
            total = total + use(x, k)
        return total

    return f


USES: dict[str, tuple[Any, Callable[[Any, int], Any], Callable[[int], Any]]] = {
    "a number": (0.5, lambda x, k: x * 2.0, lambda n: 2.0 * n),
    "a vector": (VECTOR, lambda x, k: x @ VECTOR, lambda n: n * VECTOR),
    "an element": (VECTOR, lambda x, k: x[k % 50], lambda n: np.full(50, n / 50)),
    "a slice": (VECTOR, lambda x, k: x[1:3].sum(), lambda n: n * np.isin(np.arange(50), [1, 2])),
    "a matrix": (MATRIX, lambda x, k: (x @ VECTOR) @ VECTOR, lambda n: n * np.outer(VECTOR, VECTOR)),
    "a row": (MATRIX, lambda x, k: x[k % 50] @ VECTOR, lambda n: np.tile(VECTOR * (n / 50), (50, 1))),
}


@pytest.mark.parametrize("name", USES)
def test_used_often(name: str) -> None:
    """A hundred thousand times in `make soak`. A cotangent is one buffer, however many contributions it gets."""
    at, use, wanted = USES[name]

    def run_of(n: int) -> Callable[[], Any]:
        return lambda: tp.grad(often(n, use))(at)

    n = size(2_000, 100_000)
    np.testing.assert_allclose(run_of(n)(), wanted(n), rtol=1e-9)
    per_use = check_proportion(run_of, size(200, 5_000), name)
    # What the tape remembers, and not a cotangent of the whole parameter each time: a matrix has 20,000 bytes.
    assert per_use <= 2000
    say_seconds(run_of, n, name)


def element_by_element(v: Any) -> Any:
    total = BVar(0.0)
    for k in range(len(v)):
        total = total + v[k] * v[k]
    return total


READS: dict[str, Callable[[Any], Any]] = {
    "element by element": lambda x: tp.grad(element_by_element)(x),
    "element by element, second order": lambda x: tp.grad(lambda v: tp.grad(element_by_element)(v) @ x)(x),
}


@pytest.mark.parametrize("name", READS)
def test_a_vector_read_element_by_element(name: str) -> None:
    """One of a hundred thousand in `make soak`. `test_index_sum` counts the arrays that are made for it."""
    n = size(2_000, 100_000)
    x = np.linspace(0.0, 1.0, n)
    np.testing.assert_allclose(READS[name](x), 2 * x, rtol=1e-12)

    def run_of(n: int) -> Callable[[], Any]:
        return lambda: READS[name](x[:n])

    per_read = check_proportion(run_of, size(200, 5_000), name, calls_per=260.0)
    assert per_read <= 3000
    say_seconds(run_of, n, name)


# -- Wide records ----------------------------------------------------------------------------------------------------


def wide(n: int) -> Any:
    names = [f"field{k}" for k in range(n)]
    cls = attrs.make_class(f"Wide{n}", names, bases=(Record,), frozen=True, slots=True, eq=False)
    cls.__annotations__ = {name: BVar for name in names}
    return cls(*(BVar(float(k)) for k in range(n)))


def rows(n: int) -> Any:
    return [{"x": BVar(float(k)), "pair": (BVar(np.zeros(2)), None)} for k in range(n // 2)]


def squares(tree: Any) -> Any:
    total = BVar(0.0)
    for leaf in tp.tree.leaves(tree):
        total = total + (leaf * leaf).sum() if leaf.shape else total + leaf * leaf
    return total


@pytest.mark.parametrize("make", [wide, rows])
def test_many_leaves(make: Callable[[int], Any]) -> None:
    """A record of ten thousand fields in `make soak`, and as many leaves of nested trees."""
    n = size(320, 10_000)
    at = make(n)
    with shallow():
        value, gradient = tp.value_and_grad(squares)(at)
    assert type(gradient) is type(at)
    for mine, leaf in zip(tp.tree.leaves(gradient), tp.tree.leaves(at), strict=True):
        assert np.array_equal(mine.value, 2.0 * leaf.value)
    if make is wide:
        moved = at - 0.5 * gradient
        assert tp.tree.leaves(moved)[-1].value == 0.0
        assert value.value == sum(k * k for k in range(n))

    made = {k * n // 4: make(k * n // 4) for k in (1, 2, 4)}

    def run_of(k: int) -> Callable[[], Any]:
        return lambda: tp.grad(squares)(made[k])

    check_proportion(run_of, n // 4, f"{n:,} leaves of {make.__name__}")
    start = time.perf_counter()
    run_of(n)()
    if SOAK:
        report(f"{n:,} leaves of {make.__name__}: {time.perf_counter() - start:.2f} s a gradient")


# -- Big arrays ------------------------------------------------------------------------------------------------------

BIG = """
import sys
import numpy as np
import typedprop as tp
from typedprop import BVar

layers, n = 8, int(sys.argv[1])

def rss():
    # Of this program; what getrusage says begins with what the process was before.
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM"))

start = rss()
ws = [BVar(np.full((n, n), 1e-3 / n)) for _ in range(layers)]
x = np.linspace(0.0, 1.0, n)
data = sum(w.value.nbytes for w in ws)
# BVar copies what it is given, one array at a time.
lifted = rss() - start

def loss(ws):
    y = x
    for w in ws:
        y = tp.tanh(w @ y + x)
    return y @ y

gradient = tp.grad(loss)(ws)
after = rss() - start
assert len(gradient) == layers and all(np.isfinite(g.value).all() for g in gradient)
y = x
for w in ws[:-1]:
    y = np.tanh(w.value @ y + x)
z = np.tanh(ws[-1].value @ y + x)
np.testing.assert_allclose(gradient[-1].value, np.outer(2 * z * (1 - z * z), y), rtol=1e-12)
penalty = tp.grad(lambda ws: sum((w * w).sum() for w in ws))(ws)
np.testing.assert_array_equal(penalty[0].value, 2 * ws[0].value)
del penalty
print(data, lifted, after, rss() - start)
"""


def test_big_parameters() -> None:
    """A gigabyte in `make soak`: the gradient takes as much again, and nothing else of that size is made."""
    if sys.platform != "linux":
        pytest.skip("the peak of a process's memory is counted as Linux does")
    ended = subprocess.run(
        [sys.executable, "-c", BIG, str(size(512, 4096))], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    data, lifted, after, penalized = map(int, ended.stdout.split())
    times = f"{after / data:.2f} times that with their gradient, {penalized / data:.2f} with two gradients"
    report(f"{data / 2**30:.2f} GiB of parameters: at most {times}")
    # Eight layers: one more array of a layer is an eighth.
    assert lifted <= 1.2 * data + 2**24
    assert after <= 2.3 * data + 2**24
    assert penalized <= 4.3 * data + 2**24


# -- Many gradients --------------------------------------------------------------------------------------------------


def test_many_gradients_in_a_row() -> None:
    """A hundred thousand in `make soak`, without the garbage collector."""
    w, x = BVar(np.eye(4)), VECTOR[:4]

    def loss(w: Any) -> Any:
        return tp.sum(tp.tanh(w @ x) * tp.softmax(w[0])) + tp.linalg.det(w)

    def once() -> None:
        tp.grad(loss)(w)
        tp.jvp(loss, w, w)
        tp.vjp(loss, w)[1](BVar(1.0))
        tp.grad(lambda v: tp.grad(loss)(v).sum())(w)
        try:
            tp.grad(lambda v: loss(v) + (v @ VECTOR).sum())(w)
        except ShapeError:
            return
        raise AssertionError("no error")

    n = size(200, 25_000)
    for _ in range(50):
        once()
    gc.collect()
    gc.disable()
    try:
        objects, start = len(gc.get_objects()), resident()
        tracemalloc.start()
        traced = 0
        for k in range(min(n, 200)):
            once()
            if k == 20:
                # Which empties the lists of tuples that wait for their next use, too.
                gc.collect()
                traced = tracemalloc.get_traced_memory()[0]
        assert gc.collect() == 0
        grown = tracemalloc.get_traced_memory()[0] - traced
        tracemalloc.stop()
        for _ in range(n - 200):
            once()
        assert len(gc.get_objects()) - objects < 50
        assert gc.collect() == 0
    finally:
        gc.enable()
        tracemalloc.stop()
    # Python's own lists of spare objects grow a little; an array that each gradient kept would be 100,000 bytes.
    assert grown < 20_000
    if start:
        # Four right ones each round.
        report(f"{4 * n:,} gradients: {(resident() - start) / 1024:.0f} KiB more resident, {grown} bytes more traced")
        assert resident() - start < 8 * 2**20


def resident() -> int:
    """Bytes of the process in memory, as Linux counts them."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
