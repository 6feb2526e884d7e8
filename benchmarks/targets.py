"""The figures that typedprop is held to: what must hold, and what it aims for.

A target names its figure; `figures` computes it from the raw measurements. Most are ratios of times, smaller is better;
where a peer is to be so many times slower, bigger is better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measurements import Figure, Measurements

Compute = Callable[[Measurements], Figure | None]


@dataclass(frozen=True)
class Target:
    """One figure, its bounds, and how it is computed; None where it was not measured, for want of the peer."""

    work: str
    against: str
    compute: Compute
    must: float | None
    aim: float | None = None
    unit: str = ""
    bigger_is_better: bool = False
    # The task behind it, by its key; "" where there is none to profile.
    key: str = ""

    def verdict(self, figure: Figure | None) -> str:
        """What the figure says of the bounds."""
        if figure is None:
            return "not measured"
        if self._holds(figure.value, self.aim):
            return "aim"
        if self.must is None or self._holds(figure.value, self.must):
            return "must"
        return "SHORT"

    def _holds(self, value: float, bound: float | None) -> bool:
        return bound is not None and (value >= bound if self.bigger_is_better else value <= bound)


def ratio(key: str, to: str, of: str = "typedprop") -> Compute:
    """The time of a contender over that of another."""
    return lambda m: m.ratio(key, of, to)


def _speedup(key: str, to: str) -> Compute:
    return lambda m: m.ratio(key, to, "typedprop")


def _nanoseconds(n: int) -> Compute:
    return lambda m: m.nanoseconds(f"scalars/{n}", n)


def _bytes_each(n: int) -> Compute:
    return lambda m: m.bytes_each(f"scalars/{n}", n)


def _targets() -> list[Target]:
    targets = []
    peers = ("torch", "autograd", "JAX eager")

    def add(
        work: str,
        against: str,
        compute: Compute,
        must: float | None,
        aim: float | None = None,
        unit: str = "",
        bigger_is_better: bool = False,
        key: str = "",
    ) -> None:
        targets.append(Target(work, against, compute, must, aim, unit, bigger_is_better, key))

    def add_ratio(work: str, to: str, key: str, must: float, aim: float | None = None) -> None:
        add(work, to, ratio(key, to), must, aim, key=key)

    for batch, must, aim in ((256, 1.06, 1.00), (32, 1.10, 1.02), (1, 1.05, 0.85)):
        for dtype in ("float64", "float32"):
            work = f"gradient of 784-300-100-10, {dtype}, {'one sample' if batch == 1 else f'batch {batch}'}"
            add_ratio(work, "by hand", f"gradient/{dtype}/{batch}", must, aim)
            for peer in peers:
                add_ratio(work, peer, f"gradient/{dtype}/{batch}", 1.0)
    add_ratio("SGD step on the record, batch 32", "by hand", "step/float64/32", 1.08, 0.80)
    for batch, must, aim in ((256, 1.03, 1.00), (32, 1.03, 1.00), (1, 1.10, 1.03)):
        work = f"plain run, {'one sample' if batch == 1 else f'batch {batch}'}"
        add_ratio(work, "by hand", f"run/float64/{batch}", must, aim)
    add_ratio("tiny MLP 10-16-16-3, one sample", "by hand", "tiny", 2.4, 1.5)
    add_ratio("tiny MLP 10-16-16-3, one sample", "torch", "tiny", 0.35, 0.2)
    add_ratio("tiny MLP 10-16-16-3, one sample", "autograd", "tiny", 0.12, 0.06)
    add_ratio("RNN of 100 steps, hidden 32", "by hand", "recurrent", 1.10, 0.85)
    for n in (1_000, 10_000, 100_000, 1_000_000):
        add(f"scalar chain of {n:,} operations", "", _nanoseconds(n), 650, 450, "ns/op", key=f"scalars/{n}")
    for n in (1_000, 10_000, 100_000, 1_000_000):
        add(f"scalar chain of {n:,} operations", "", _bytes_each(n), 130, 100, "B/op")
    for peer, must, aim in (("torch", 15.0, 25.0), ("autograd", 30.0, 45.0)):
        for n in (1_000, 10_000):
            work = f"scalar chain of {n:,} operations, times faster"
            add(work, peer, _speedup(f"scalars/{n}", peer), must, aim, "×", True, f"scalars/{n}")
    add_ratio("32-element multiply chain", "by hand", "multiply", 1.8, 1.4)
    add_ratio("HVP of Rosenbrock, n = 1,000", "by hand", "hvp", 8.0, 5.0)
    add_ratio("HVP of Rosenbrock, n = 1,000", "torch", "hvp", 0.3, 0.2)
    add_ratio("flatten a record of 4 fields", "optree", "flatten", 0.1)
    add_ratio("flatten and rebuild 100 layers", "optree", "rebuild", 0.3)
    add_ratio("20 elementwise operations on 10⁶ elements", "by hand", "elementwise", 1.1, 0.95)
    add("the same, peak memory", "by hand", lambda m: m.memory_ratio("elementwise"), 1.1, 0.95)
    add("import beyond numpy's own", "", lambda m: m.milliseconds("import"), 60, 25, "ms")
    add("first gradient of the digits network", "", lambda m: m.milliseconds("first gradient"), 10, 3, "ms")
    add("two threads, batch 4,096, times faster", "one", lambda m: m.threads(), 1.6, None, "×", True)
    return targets


TARGETS = _targets()
