"""The page and the chart of `make bench-growth`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.bench_page import busy, duration, size
from benchmarks.machine import described

NAME = "growth"

PAGE = """\
# How the cost grows

A gradient costs a fixed amount for each operation, parameter and element, whatever else there is: time and memory are
linear in everything but the order of the derivative. `make bench-growth` measures it and writes this page.

{table}

![Time and memory against operations, rows, depth, fields, uses and order, on logarithmic axes]({name}.png)

What is computed, and differentiated:

{notes}

The slope is that of a straight line through the logarithms, from the named size on, with its standard error: 0 is
constant, 1 linear, 2 quadratic. Below that size the fixed costs show, and the lines are flatter. Time is that of the
fastest call of each size; memory is the peak of all that Python and NumPy hold during a call, the result included.
Slopes up to {allowed} are taken for linear: what no longer fits the processor's caches costs more for each access.

Only the order of the derivative is different. Each `grad` around a function runs it, records it, and goes back over
what it recorded, so each order multiplies the operations. Here the factor for one more order is {factor} in time and
{memory_factor} in memory.

{machine} The program is
[growth.py](../../benchmarks/growth.py).
"""

# A tape of a million operations is 116 MB. By samples of the stack the time goes into the same parts as at a thousand
# operations, the garbage collector has 6 % at all lengths: each access takes longer, no step of the algorithm does.
ALLOWED = 1.1


@dataclass(frozen=True)
class Point:
    """A size, the seconds of a call and the bytes at its peak."""

    n: int
    seconds: float
    peak: int


@dataclass(frozen=True)
class Growth:
    """What was measured of one quantity, and the slopes of time and memory with their standard errors."""

    label: str
    note: str
    points: list[Point]
    fitted_from: int
    power: bool
    time: tuple[float, float]
    memory: tuple[float, float]

    def verdict(self) -> str:
        """What the slopes say."""
        if not self.power:
            return "multiplies"
        worst = max(self.time[0], self.memory[0])
        return "linear" if 0.9 <= worst <= ALLOWED else "less than linear" if worst < 0.9 else "**worse than linear**"


def table(growths: Sequence[Growth]) -> str:
    """The slopes as a table in Markdown."""
    lines = [
        "| | sizes | time | memory | slope of time | slope of memory | fitted from | |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for each in growths:
        first, last = each.points[0], each.points[-1]
        lines.append(
            f"| {each.label} | {first.n:,} to {last.n:,} | {duration(first.seconds)} to {duration(last.seconds)} "
            f"| {size(first.peak)} to {size(last.peak)} | {_slope(each, each.time)} | {_slope(each, each.memory)} "
            f"| {each.fitted_from:,} | {each.verdict()} |"
        )
    return "\n".join(lines)


def notes(growths: Sequence[Growth]) -> str:
    """What is computed in each case."""
    return "\n".join(f"- *{each.label}*: {each.note}" for each in growths)


def _slope(growth: Growth, found: tuple[float, float]) -> str:
    steepness, error = found
    return f"{steepness:.2f} ± {error:.2f}" if growth.power else f"× {math.exp(steepness):.1f} an order"


def draw(growths: Sequence[Growth], file: Path) -> None:
    """A row for each quantity: a panel for time and one for memory, with the fitted lines."""
    mpl.use("agg")
    figure, axes = plt.subplots(
        len(growths), 2, figsize=(8.5, 1.9 * len(growths)), squeeze=False, layout="constrained", sharex="row"
    )
    for (left, right), each in zip(axes, growths, strict=True):
        _panel(left, each, [p.seconds for p in each.points], each.time, duration, "#0072b2")
        _panel(right, each, [p.peak for p in each.points], each.memory, size, "#d55e00")
    axes[0][0].set_title("time of a gradient", fontsize=11)
    axes[0][1].set_title("memory at its peak", fontsize=11)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def _panel(
    axis: Axes,
    growth: Growth,
    values: Sequence[float],
    found: tuple[float, float],
    shown: Callable[[float], str],
    color: str,
) -> None:
    ns = [point.n for point in growth.points]
    axis.plot(ns, values, "o", color=color, markersize=4, zorder=3)
    fitted = [(n, value) for n, value in zip(ns, values, strict=True) if n >= growth.fitted_from]
    across = [math.log(n) if growth.power else n for n, _ in fitted]
    middle = sum(across) / len(across)
    height = sum(math.log(value) for _, value in fitted) / len(fitted)
    line = [math.exp(height + found[0] * (x - middle)) for x in across]
    axis.plot([n for n, _ in fitted], line, color="#333333", linewidth=1, zorder=2)
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: re.sub(r"\.0+ ", " ", shown(value))))
    axis.yaxis.set_minor_formatter(NullFormatter())
    if growth.power:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_xticks(ns)
    axis.text(
        0.04, 0.92, ("slope " if growth.power else "") + _slope(growth, found), transform=axis.transAxes, fontsize=9
    )
    axis.set_xlabel(growth.label, fontsize=9)
    axis.grid(color="#e5e5e5", linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)


def write(growths: Sequence[Growth], folder: Path, load: float | None) -> None:
    """The page and its chart."""
    folder.mkdir(parents=True, exist_ok=True)
    orders = [each for each in growths if not each.power]
    factors = [f"{math.exp(found[0]):.1f}" for each in orders for found in (each.time, each.memory)] or ["?", "?"]
    page = PAGE.format(
        name=NAME,
        table=table(growths),
        notes=notes(growths),
        allowed=ALLOWED,
        factor=factors[0],
        memory_factor=factors[1],
        machine=f"Measured on {described()}. {'' if load is None else busy(load)}".strip(),
    )
    (folder / f"{NAME}.md").write_text(page)
    draw(growths, folder / f"{NAME}.png")
