"""The page and the charts of `make bench`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks import machine
from benchmarks.bench_results import Profiled, Results
from benchmarks.measurements import Figure
from benchmarks.peers import PEERS
from benchmarks.targets import TARGETS, Target
from benchmarks.tasks import TASKS
from benchmarks.where import PARTS


def name(results: Results) -> str:
    """The name of the page: the Python engine and the compiled one have a page each."""
    return "measured-compiled" if machine.COMPILED in results.machine else "measured"


PAGE = """\
# {title}

What a gradient by typedprop costs beside the gradient written by hand in NumPy, and beside other libraries.
`make bench` measures all of it and writes this page; each library has to be there (`pip install -e .[bench,peers]`), or
its column says that it is not.

{machine}

Each library is measured in a process of its own, in which typedprop and the work by hand take turns with it, in random
order. A ratio is taken in each round, and the median over the rounds is shown, for a machine that is faster or slower
for a while is so for both. Everyone computes on one thread, under the same settings of the C allocator (memory is kept,
not handed back to the system), and nobody is timed whose result differs from that by hand.

## In pictures

![Time beside the time by hand: gradient, step and run of 784-300-100-10]({name}-network.png)

![Time beside the time by hand: the other work]({name}-other.png)

## What typedprop is held to

*must* is what a release has to hold, *aim* where it would like to be. {summary}

{targets}

*out=* is not among them: it is the least that NumPy can do, with buffers made once, which nobody writes first.

## All work, all libraries

Times as multiples of the time by hand, which is the first column; below 1 is faster. In brackets are typedprop's
quartiles. *out=* is by hand into buffers made once, whose results the next call overwrites; *match* is typedprop by
pattern matching instead of field access. JAX's compilation by `jit` is not counted. A dash: not measured, because there
is no such way, or because a single call takes seconds (JAX eager beyond 1,000 scalar operations, autograd and PyTorch
at a million).

{times}
{failures}
## Memory at its peak

All that Python and NumPy hold at the worst moment of a call, its result included, and beyond what was there before.

{memory}

## Where the time goes

{where}
## How it was measured

The programs are in `benchmarks`: [work.py](../../benchmarks/work.py) says what is computed,
[by_hand.py](../../benchmarks/by_hand.py), [by_typedprop.py](../../benchmarks/by_typedprop.py) and their neighbours how
each does it, [timing.py](../../benchmarks/timing.py) how it is timed. Rounds in which the system gave the processor to
somebody else are left out. `make bench-quick` measures what the bounds need in two minutes and prints it.
"""

# The columns, by what contenders are called: after the time by hand and typedprop's.
OTHERS = {
    "typedprop, match": "match",
    "by hand, out=": "out=",
    "autograd": "autograd",
    "torch": "PyTorch",
    "JAX eager": "JAX eager",
    "JAX jit": "JAX jit",
}
_PROCESSES = {name: peer for peer, library in PEERS.items() for name in library.contenders}


class Mark(NamedTuple):
    """How a contender is drawn."""

    label: str
    color: str
    shape: str
    size: float


MARKS = {
    "typedprop": Mark("typedprop", "#0072b2", "o", 70),
    "by hand, out=": Mark("by hand, out=", "#7f7f7f", "D", 28),
    "torch": Mark("PyTorch", "#d55e00", "^", 42),
    "autograd": Mark("autograd", "#e69f00", "s", 36),
    "JAX eager": Mark("JAX eager", "#cc79a7", "v", 42),
    "JAX jit": Mark("JAX jit", "#009e73", "P", 42),
}

VERDICTS = {"aim": "better than the aim", "must": "holds", "SHORT": "**falls short**", "not measured": "not measured"}


def verdicts(results: Results) -> str:
    """How many bounds hold, and which do not."""
    found = [(target, target.compute(results.found)) for target in TARGETS]
    kinds = [target.verdict(figure) for target, figure in found]
    short = [
        f"{target.work}{f', to {target.against}' if target.against else ''}: {_number(figure.value)} {target.unit}"
        for target, figure in found
        if figure is not None and target.verdict(figure) == "SHORT"
    ]
    counts = f"Of {len(kinds)} bounds {kinds.count('aim') + kinds.count('must')} hold"
    unknown = kinds.count("not measured")
    return "\n".join([counts + (f", {unknown} were not measured" if unknown else "") + ".", *short])


def _number(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _precise(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 20 else 2 if value >= 2 else 3}f}"


def duration(seconds: float) -> str:
    """A time with three digits."""
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        value = seconds * factor
        if value < 999.5:
            return f"{value:.{_decimals(value)}f} {unit}"
    return f"{seconds:.2f} s"


def size(count: float) -> str:
    """A number of bytes with three digits."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.{0 if unit == 'B' else _decimals(count)}f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def _decimals(value: float) -> int:
    return 0 if value >= 99.95 else 1 if value >= 9.995 else 2


def conditions(results: Results) -> str:
    """The machine, the versions, and how busy it was."""
    peers = ", ".join(f"{peer} {version or '(not installed)'}" for peer, version in results.versions.items())
    load = "" if results.load is None else f" {busy(results.load)}"
    return f"Measured on {results.machine}, {peers}, in {results.took / 60:.0f} minutes.{load}"


def busy(load: float) -> str:
    """What else the machine did."""
    if load < 0.3:
        return f"The machine was quiet (load average {load:.1f} when it began)."
    return f"Other programs ran on it, too: the load average was {load:.1f} when it began."


def targets_table(results: Results) -> str:
    """The bounds, the figures and what they say."""
    lines = ["| work | to | figure | quartiles | must | aim | |", "|---|---|---:|---:|---:|---:|---|"]
    for target in TARGETS:
        figure = target.compute(results.found)
        value = "" if figure is None else f"{_precise(figure.value)} {target.unit}".strip()
        spread = (
            "" if figure is None or figure.low == figure.high else f"{_precise(figure.low)} to {_precise(figure.high)}"
        )
        verdict = VERDICTS[target.verdict(figure)]
        if figure is None:
            verdict = _absence(results, target.key, target.against) or verdict
        bounds = f"{_bound(target, target.must)} | {_bound(target, target.aim)}"
        lines.append(f"| {target.work} | {target.against} | {value} | {spread} | {bounds} | {verdict} |")
    return "\n".join(lines)


def _bound(target: Target, bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}"


def _absence(results: Results, key: str, contender: str) -> str | None:
    """Why there is no figure of a peer."""
    if failed := results.found.failure(key, contender):
        return f"failed: {failed.split(':')[0]}"
    peer = _PROCESSES.get(contender)
    return "not installed" if peer and results.versions[peer] is None else None


def times_table(results: Results) -> str:
    """All ratios to by hand."""
    lines = [
        f"| work | by hand | typedprop | {' | '.join(OTHERS.values())} |",
        f"|---|---:|---:|{'---:|' * len(OTHERS)}",
    ]
    for key in results.found.timings["numpy"]:
        seconds = results.found.seconds(key, "by hand")
        ours = results.found.ratio(key, "typedprop", "by hand")
        assert seconds is not None and ours is not None
        cells = [f"{_number(ours.value)} ({_number(ours.low)} to {_number(ours.high)})"]
        for contender in OTHERS:
            ratio = results.found.ratio(key, contender, "by hand")
            cells.append(_number(ratio.value) if ratio else _absence(results, key, contender) or "–")
        lines.append(f"| {TASKS[key].label} | {duration(seconds)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_trees(results)])


def _trees(results: Results) -> Iterator[str]:
    yield "Trees, which NumPy has none of:"
    yield ""
    yield "| work | optree | typedprop, as a multiple |"
    yield "|---|---:|---:|"
    for key in ("flatten", "rebuild"):
        seconds = results.found.seconds(key, "optree")
        ratio = results.found.ratio(key, "typedprop", "optree")
        absent = _absence(results, key, "optree") or "not measured"
        cells = f"{absent} | " if seconds is None or ratio is None else f"{duration(seconds)} | {_spread(ratio)}"
        yield f"| {TASKS[key].label} | {cells} |"


def _spread(ratio: Figure) -> str:
    return f"{_precise(ratio.value)} ({_precise(ratio.low)} to {_precise(ratio.high)})"


def failures(results: Results) -> str:
    """What the cells have no room for."""
    lines = [
        f"- {name}, {TASKS[key].label if key else 'all work'}: {message}"
        for tasks in results.found.failures.values()
        for key, failed in tasks.items()
        for name, message in failed.items()
    ]
    return "\n".join(["", "What failed:", "", *lines, ""]) if lines else ""


def memory_table(results: Results) -> str:
    """Peaks by hand and by typedprop."""
    lines = ["| work | by hand | typedprop | ratio |", "|---|---:|---:|---:|"]
    for key, peaks in results.found.memory.items():
        by_hand, ours = peaks["by hand"], peaks["typedprop"]
        lines.append(f"| {TASKS[key].label} | {size(by_hand)} | {size(ours)} | {_number(ours / by_hand)} |")
    return "\n".join(lines)


WHERE = """\
What falls short, by samples of its stack: py-spy looks 200 times a second whose code is running, NumPy's and BLAS's C
functions included. Each part is that share of the call's median time.
"""


def where(profiled: Sequence[Profiled]) -> str:
    """A table for each work that falls short."""
    if not profiled:
        return "Nothing falls short of its bound, so nothing was profiled.\n"
    return "\n".join([WHERE, *(line for each in profiled for line in _where(each))])


def _where(each: Profiled) -> Iterator[str]:
    yield f"### {TASKS[each.key].label}"
    yield ""
    if each.note:
        yield f"Not profiled: {each.note}."
        yield ""
        return
    yield f"| | {' | '.join(each.sides)} |"
    yield f"|---|{'---:|' * len(each.sides)}"
    for part in PARTS:
        if any(part in shares.parts for _, shares in each.sides.values()):
            parts = [(seconds, shares.parts.get(part)) for seconds, shares in each.sides.values()]
            cells = ("" if share is None else duration(seconds * share) for seconds, share in parts)
            yield f"| {part} | {' | '.join(cells)} |"
    yield f"| the whole call | {' | '.join(duration(seconds) for seconds, _ in each.sides.values())} |"
    yield ""
    _, ours = each.sides["typedprop"]
    named = ", ".join(f"`{name}` {100 * share:.0f} %" for name, share in ours.functions.items() if share >= 0.01)
    most = f"the most time is spent in {named}" if named else "none has more than 1 %"
    yield f"Of typedprop's own functions {most} ({ours.samples:,} samples)."
    yield ""


def draw(results: Results, panels: dict[str, dict[str, str]], file: Path) -> None:
    """Dots on a logarithmic axis: a panel for each group, a row for each work, a mark for each contender."""
    mpl.use("agg")
    rows = [len(labels) for labels in panels.values()]
    figure, axes = plt.subplots(
        len(rows),
        figsize=(8.5, 1.3 + 0.42 * sum(rows)),
        height_ratios=rows,
        squeeze=False,
        sharex=True,
        layout="constrained",
    )
    for axis, (title, labels) in zip(axes[:, 0], panels.items(), strict=True):
        for name, mark in MARKS.items():
            places = [
                (ratio.value, row)
                for row, key in enumerate(labels)
                if (ratio := results.found.ratio(key, name, "by hand")) is not None
            ]
            xs, ys = [x for x, _ in places], [y for _, y in places]
            axis.scatter(xs, ys, s=mark.size, c=mark.color, marker=mark.shape, label=mark.label, zorder=3, linewidths=0)
            if name == "typedprop":
                for x, y in places:
                    axis.annotate(_number(x), (x, y), (0, 6), textcoords="offset points", ha="center", fontsize=7)
        axis.axvline(1.0, color="#333333", linewidth=0.8, linestyle="--", zorder=1)
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0,) if len(panels) == 1 else (1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        ticks = [f"{label}\n{duration(results.found.seconds(key, 'by hand') or 0.0)}" for key, label in labels.items()]
        axis.set_yticks(range(len(labels)), ticks, fontsize=8)
        axis.set_ylim(len(labels) - 0.5, -0.6)
        axis.grid(axis="x", color="#dddddd", linewidth=0.6, zorder=0)
        axis.set_title(title, fontsize=11)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.tick_params(axis="x", labelbottom=True)
    handles, names = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=9)
    figure.supxlabel("time, by hand = 1 (its time is below each label); left is faster", fontsize=9)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def panels_of_network() -> dict[str, dict[str, str]]:
    """The classifier's rows."""
    batches = {256: "batch 256", 32: "batch 32", 1: "one sample"}
    works = {"gradient": "gradient", "step": "SGD step", "run": "plain run"}
    return {
        dtype: {
            f"{work}/{dtype}/{n}": f"{name}, {batch}" for work, name in works.items() for n, batch in batches.items()
        }
        for dtype in ("float64", "float32")
    }


def panels_of_others(results: Results) -> dict[str, dict[str, str]]:
    """All other rows."""
    return {"": {key: TASKS[key].label for key in results.found.timings["numpy"] if "float" not in key}}


def write(results: Results, folder: Path) -> None:
    """The page and its charts."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = name(results)
    page = PAGE.format(
        title="Measured with a compiled engine" if machine.COMPILED in results.machine else "Measured",
        name=stem,
        machine=conditions(results),
        summary=verdicts(results).splitlines()[0],
        targets=targets_table(results),
        times=times_table(results),
        failures=failures(results),
        memory=memory_table(results),
        where=where(results.profiles),
    )
    (folder / f"{stem}.md").write_text(page)
    draw(results, panels_of_network(), folder / f"{stem}-network.png")
    draw(results, panels_of_others(results), folder / f"{stem}-other.png")
