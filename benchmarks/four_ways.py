"""`make bench-four-ways`: the benchmark of Haskell's backprop, four ways to write a network against each other.

The network is 784-300-100-10. Its gradient, a training step and a plain run are done by hand in NumPy; by typedprop
with field access; with pattern matching; and with one hand-written operation a layer. All four take turns in one
process, and their results are compared before they are timed. It makes the page and the chart of the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

from benchmarks.machine import described, is_compiled
from benchmarks.measurements import Figure, Measurements

WORKS = {"gradient": "gradient", "step": "training step", "run": "plain run"}
BATCHES = {1: "one sample", 32: "a batch of 32", 256: "a batch of 256"}
# What the contenders are called on the page.
WAYS = {
    "by hand": "by hand",
    "typedprop": "field access",
    "typedprop, match": "pattern matching",
    "typedprop, layers": "one operation a layer",
}
COLORS = ("#9aa0a6", "#1f77b4", "#17a2a2", "#e08a1e")

PAGE = """\
# Four ways to write a network{title}

Haskell's backprop is known by a benchmark: how much its gradient of a network costs beside the gradient written by
hand. This is the same benchmark for typedprop. The network has 784 inputs, 300 and 100 hidden units and 10 outputs,
with logistic layers and the cross-entropy of the softmax; its arrays are float64. Each of three tasks is done in four
ways:

- *by hand*: NumPy, as one writes it, with the gradient derived on paper;
- *field access*: typedprop, where the loss says `net.weight1`;
- *pattern matching*: typedprop, where it says `match net: case Network(w1, b1, w2, b2, w3, b3)`;
- *one operation a layer*: typedprop, where each layer is an `op` with a derivative by hand.

A training step makes new parameters, `p - rate * g`, and keeps the old ones. A plain run gives the ten outputs and no
gradient.

![Time beside the time by hand, for each task, way and batch]({name}.png)

{table}

The first column of figures is the time of one call by hand. The others are multiples of it: the median over rounds in
which all four ways took turns, in random order, with the quartiles in brackets. Below 1 is faster than by hand.

At one sample most of the time goes into writing the gradient of the first weight. typedprop's `@` does that by BLAS,
faster than the product of a column and a row, which the gradient and the operations by hand use.

Measured on {machine}.
All four ways run on one thread, with the C allocator set to keep memory. `make bench-four-ways` measures again and
writes this page. The programs are [by_hand.py](../benchmarks/by_hand.py),
[by_typedprop.py](../benchmarks/by_typedprop.py) for field access and pattern matching, and
[by_layers.py](../benchmarks/by_layers.py).
"""


@dataclass(frozen=True)
class Bar:
    """One task at one batch size: the seconds by hand, and each way's time as a multiple of that."""

    work: str
    batch: int
    seconds: float
    ratios: dict[str, Figure]


def keys() -> list[str]:
    """The tasks, as `tasks` calls them."""
    return [f"{work}/float64/{batch}" for batch in BATCHES for work in WORKS]


def measure(seconds: float) -> list[Bar]:
    """All tasks in one process, so many seconds each."""
    found = Measurements()
    found.race("ways", keys(), seconds)
    return [*_bars(found)]


def _bars(found: Measurements) -> Iterator[Bar]:
    for batch in BATCHES:
        for work in WORKS:
            key = f"{work}/float64/{batch}"
            ratios = {way: found.ratio(key, way, "by hand") for way in WAYS}
            by_hand = sorted(found.timings["ways"][key]["by hand"])
            measured = {way: ratio for way, ratio in ratios.items() if ratio is not None}
            yield Bar(work, batch, by_hand[len(by_hand) // 2], measured)


def table(bars: Sequence[Bar]) -> str:
    """The figures as a table in Markdown."""
    ways = [way for way in WAYS if way != "by hand"]
    lines = [
        f"| | | by hand | {' | '.join(WAYS[way] for way in ways)} |",
        f"|---|---|---:|{'---:|' * len(ways)}",
    ]
    for bar in bars:
        figures = [bar.ratios[way] for way in ways]
        cells = " | ".join(f"{f.value:.2f} ({f.low:.2f} to {f.high:.2f})" for f in figures)
        lines.append(f"| {WORKS[bar.work]} | {BATCHES[bar.batch]} | {_duration(bar.seconds)} | {cells} |")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    micro = 1e6 * seconds
    return f"{micro:.0f} µs" if micro < 1000 else f"{micro / 1000:.2f} ms"


def draw(bars: Sequence[Bar], file: Path) -> None:
    """The figures as a bar chart: a panel for each batch size, a group for each task, a bar for each way."""
    mpl.use("agg")
    figure, panels = plt.subplots(1, len(BATCHES), figsize=(11, 4.2), sharey=True, layout="constrained")
    width = 0.8 / len(WAYS)
    for panel, (batch, name) in zip(panels, BATCHES.items(), strict=True):
        of_batch = [bar for bar in bars if bar.batch == batch]
        for k, (way, label) in enumerate(WAYS.items()):
            ratios = [bar.ratios[way] for bar in of_batch]
            positions = [group + (k - (len(WAYS) - 1) / 2) * width for group in range(len(of_batch))]
            heights = [ratio.value for ratio in ratios]
            spread: Any = [[r.value - r.low for r in ratios], [r.high - r.value for r in ratios]]
            error = None if way == "by hand" else spread
            panel.bar(
                positions, heights, 0.92 * width, label=label, color=COLORS[k], yerr=error, ecolor="#333333", capsize=2
            )
            if way != "by hand":
                for x, ratio in zip(positions, ratios, strict=True):
                    panel.annotate(
                        f"{ratio.value:.2f}",
                        (x, ratio.high),
                        (0, 3),
                        textcoords="offset points",
                        ha="center",
                        va="bottom",
                        fontsize=7,
                        rotation=90,
                    )
        panel.axhline(1.0, color="#333333", linewidth=0.8, linestyle="--", zorder=0)
        panel.set_xticks(
            range(len(of_batch)), [f"{WORKS[bar.work]}\n{_duration(bar.seconds)}" for bar in of_batch], fontsize=9
        )
        panel.set_title(name, fontsize=11)
        panel.spines[["top", "right"]].set_visible(False)
    top = max(ratio.high for bar in bars for ratio in bar.ratios.values())
    panels[0].set_ylim(0, 1.15 * top)
    panels[0].set_ylabel("time, by hand = 1")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(WAYS), frameon=False)
    figure.supxlabel("below each task: the time of one call by hand", fontsize=9)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def write(bars: Sequence[Bar], folder: Path) -> None:
    """The page and its chart."""
    name, title = ("four-ways-compiled", ", with a compiled engine") if is_compiled() else ("four-ways", "")
    page = PAGE.format(name=name, title=title, table=table(bars), machine=described())
    (folder / f"{name}.md").write_text(page)
    draw(bars, folder / f"{name}.png")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the page and the chart, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="time for each of nine tasks")
    parser.add_argument("--to", type=Path, default=Path("docs"), metavar="DIR", help="where the page goes")
    options = parser.parse_args(arguments)
    bars = measure(options.seconds)
    write(bars, options.to)
    print(table(bars))


if __name__ == "__main__":
    main()
