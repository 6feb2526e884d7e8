"""What the measured processes reported, and the figures that are read off it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.settings import environment
from benchmarks.timing import Timings

# A process that takes longer, in seconds, is taken for hung.
_LONGEST = 1800.0


@dataclass(frozen=True)
class Figure:
    """A median over rounds, the quartiles around it, and the same of each side's fastest round."""

    value: float
    low: float
    high: float
    of_fastest: float

    @classmethod
    def exact(cls, value: float) -> Figure:
        """A figure without a spread."""
        return cls(value, value, value, value)

    @classmethod
    def of(cls, values: Sequence[float], of_fastest: float) -> Figure:
        """The median and the quartiles."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4], of_fastest)


@dataclass
class Measurements:
    """Timings by process and task, and what the other programs printed."""

    timings: dict[str, dict[str, Timings]] = field(default_factory=dict)
    # Of a peer at a task, by process, task and contender; of a whole process under the task "".
    failures: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    memory: dict[str, dict[str, int]] = field(default_factory=dict)
    startup: dict[str, float] = field(default_factory=dict)
    speedups: list[float] = field(default_factory=list)

    def race(self, peer: str, keys: Sequence[str], seconds: float) -> None:
        """Measure in the process of this peer; where it breaks down as a whole, note how."""
        try:
            printed = run_module("worker", peer, *keys, "--seconds", seconds)
        except subprocess.SubprocessError as error:
            if peer not in PEERS:
                raise
            how = f"code {error.returncode}" if isinstance(error, subprocess.CalledProcessError) else "too late"
            self.failures[peer] = {"": dict.fromkeys(PEERS[peer].contenders, f"its process ended with {how}")}
        else:
            self.timings[peer] = printed["timings"]
            self.failures[peer] = printed["failures"]

    def failure(self, key: str, contender: str) -> str | None:
        """What a peer failed at."""
        for tasks in self.failures.values():
            for found in (tasks.get(key, {}), tasks.get("", {})):
                if contender in found:
                    return found[contender]
        return None

    def ratio(self, key: str, of: str, to: str) -> Figure | None:
        """The time of one contender over that of another, in a process with both."""
        for tasks in self.timings.values():
            timings = tasks.get(key, {})
            if of in timings and to in timings:
                ratios = [a / b for a, b in zip(timings[of], timings[to], strict=True)]
                return Figure.of(ratios, min(timings[of]) / min(timings[to]))
        return None

    def seconds(self, key: str, contender: str) -> float | None:
        """The median time of a call; beside NumPy's own contenders, if it was measured there."""
        for tasks in self.timings.values():
            if contender in tasks.get(key, {}):
                return median(tasks[key][contender])
        return None

    def nanoseconds(self, key: str, operations: int) -> Figure:
        """typedprop's time for each operation."""
        times = [1e9 * t / operations for t in self.timings["numpy"][key]["typedprop"]]
        return Figure.of(times, min(times))

    def bytes_each(self, key: str, operations: int) -> Figure:
        """typedprop's peak memory for each operation."""
        return Figure.exact(self.memory[key]["typedprop"] / operations)

    def memory_ratio(self, key: str) -> Figure:
        """typedprop's peak memory over that by hand."""
        return Figure.exact(self.memory[key]["typedprop"] / self.memory[key]["by hand"])

    def milliseconds(self, what: str) -> Figure:
        """The time to begin."""
        return Figure.exact(1e3 * self.startup[what])

    def threads(self) -> Figure | None:
        """What a second thread gives; None on one core."""
        if not self.speedups:
            return None
        return Figure.of(self.speedups, max(self.speedups))


def run_module(module: str, *arguments: object, keep_memory: bool = True) -> Any:
    """What a measuring program printed as JSON; each has its own form."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(
        command,
        env=environment(keep_memory=keep_memory),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_LONGEST,
    )
    return json.loads(done.stdout)
