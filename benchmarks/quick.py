"""`make bench-quick`: the figures that the targets name, in under two minutes, with a verdict on each."""

from __future__ import annotations

from time import perf_counter

from benchmarks.measurements import Figure, Measurements, run_module
from benchmarks.peers import PEERS, installed
from benchmarks.targets import TARGETS, Target

_GRADIENTS = [f"gradient/{dtype}/{batch}" for dtype in ("float64", "float32") for batch in (256, 32, 1)]
_RUNS = [f"run/float64/{batch}" for batch in (256, 32, 1)]
_CHAINS = [f"scalars/{n}" for n in (1_000, 10_000, 100_000, 1_000_000)]

# What each process has to measure for the targets, and the time for each task in seconds.
PLAN: dict[str, tuple[list[str], float]] = {
    "numpy": (
        [*_GRADIENTS, *_RUNS, *_CHAINS, "step/float64/32", "tiny", "recurrent", "multiply", "hvp", "elementwise"],
        1.2,
    ),
    "autograd": ([*_GRADIENTS, *_CHAINS[:2], "tiny"], 0.5),
    "torch": ([*_GRADIENTS, *_CHAINS[:2], "tiny", "hvp"], 0.5),
    "jax": (_GRADIENTS, 0.5),
    "optree": (["flatten", "rebuild"], 0.3),
}


def measure() -> Measurements:
    """All that the targets need."""
    found = Measurements()
    for peer, (keys, seconds) in PLAN.items():
        if peer == "numpy" or installed(PEERS[peer].package):
            found.race(peer, keys, seconds)
    found.memory = run_module("memory", *_CHAINS, "elementwise")
    found.startup = run_module("startup")
    found.speedups = run_module("threads", 9, keep_memory=False)
    return found


def line(target: Target, figure: Figure | None) -> str:
    """A row of the table."""
    bounds = [
        f"{'≥' if target.bigger_is_better else '≤'} {b:g}" if b is not None else "" for b in (target.must, target.aim)
    ]
    if figure is None:
        values = ["", "", ""]
    else:
        digits = 0 if figure.value >= 100 else 1 if figure.value >= 20 else 2 if figure.value >= 2 else 3
        values = [f"{v:.{digits}f}" for v in (figure.value, figure.of_fastest, figure.low, figure.high)]
        values[2:] = [f"{values[2]}–{values[3]}"]
    cells = [target.work, target.against, values[0], target.unit, *bounds, target.verdict(figure), values[2], values[1]]
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


_HEADINGS = ["work", "against", "figure", "", "must", "aim", "holds", "quartiles", "fastest rounds"]
_WIDTHS = [50, 9, 7, 5, 7, 7, 13, 13, 14]


def main() -> None:
    """Measure and print."""
    start = perf_counter()
    found = measure()
    print("  ".join(f"{cell:<{width}}" for cell, width in zip(_HEADINGS, _WIDTHS, strict=True)).rstrip())
    for target in TARGETS:
        print(line(target, target.compute(found)))
    print(f"measured in {perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
