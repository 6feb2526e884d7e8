"""`make bench-growth`: how time and memory of a gradient grow with the size of the problem, for the page and its chart.

Each quantity is varied by itself over three or four decades. All its sizes are measured in one process, in turns and in
random order, and the fastest call of each counts, for a disturbed one says nothing about growth. Memory is the peak by
tracemalloc. A straight line through the logarithms gives the slope: 1 is linear, 2 quadratic.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import attrs
import numpy as np

import typedprop as tp
from benchmarks import growth_page, machine
from benchmarks.by_typedprop import ByTypedprop
from benchmarks.contender import Call
from benchmarks.growth_page import Growth, Point
from benchmarks.measurements import run_module
from benchmarks.memory import peak_bytes
from benchmarks.work import Classifier, ScalarChain
from typedprop import BVar, L, R, Record


@dataclass(frozen=True)
class Quantity:
    """What is varied: the sizes, and the call for each."""

    label: str
    sizes: tuple[int, ...]
    prepare: Callable[[int], Call]
    # From which size on the line is fitted: where the constant costs have become small.
    fitted_from: int
    note: str
    # A power is fitted, cost ~ size ** slope; else cost ~ factor ** size, as for orders of derivative.
    power: bool = True


def sizes(first: int, last: int) -> tuple[int, ...]:
    """1, 2 and 5 times the powers of ten."""
    found = (step * 10**k for k in range(9) for step in (1, 2, 5))
    return tuple(n for n in found if first <= n <= last)


# -- Operations and batches -------------------------------------------------------------------------------------------


def scalar_chain(operations: int) -> Call:
    return ByTypedprop().scalar_chain_gradient(ScalarChain(operations))


def classifier(rows: int) -> Call:
    return ByTypedprop().classifier_gradient(Classifier.draw(rows, "float64"))


# -- Records ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Layer(Record):
    """A layer, and those inside of it."""

    weight: BVar[R[Any]]
    bias: BVar[R[Any]]
    rest: Layer | None


def through_layers(net: Layer, x: R[Any]) -> BVar[float]:
    y = BVar(x)
    layer: Layer | None = net
    while layer is not None:
        y = tp.tanh(layer.weight * y + layer.bias)
        layer = layer.rest
    return y @ y


def nested(depth: int) -> Call:
    rng = np.random.default_rng(7)
    net: Layer | None = None
    for _ in range(depth):
        net = Layer(BVar(tp.normal(rng, 16)), BVar(tp.normal(rng, 16)), net)
    assert net is not None
    layers, x = net, tp.normal(rng, 16)
    gradient = tp.grad(through_layers)
    return lambda: gradient(layers, x)


def squares(fields: Any, names: Sequence[str]) -> BVar[float]:
    total = BVar(0.0)
    for name in names:
        parameter: BVar[R[Any]] = getattr(fields, name)
        total = total + parameter @ parameter
    return total


def wide(fields: int) -> Call:
    names = [f"parameter{k}" for k in range(fields)]
    cls: Any = attrs.make_class("Wide", dict.fromkeys(names, attrs.field()), frozen=True)
    rng = np.random.default_rng(8)
    record = cls(*(BVar(tp.normal(rng, 16)) for _ in names))
    gradient: Any = tp.grad(squares)
    return lambda: gradient(record, names)


# -- Orders and uses --------------------------------------------------------------------------------------------------


def smooth(x: BVar[float]) -> BVar[float]:
    return tp.tanh(1.5 * x + 0.3) * x


def derivative(order: int) -> Call:
    f: Callable[[BVar[float]], BVar[float]] = smooth
    for _ in range(order):
        f = tp.grad(f)
    point = BVar(0.4)
    return lambda: f(point)


def matrix_uses(matrix: BVar[L[Any, Any]], x: R[Any], uses: int) -> BVar[float]:
    y = BVar(x)
    for _ in range(uses):
        y = tp.tanh(matrix @ y)
    return y @ y


def of_a_matrix(uses: int) -> Call:
    rng = np.random.default_rng(9)
    matrix, x = BVar(tp.normal(rng, 32, 32, scale=32**-0.5)), tp.normal(rng, 32)
    gradient = tp.grad(matrix_uses)
    return lambda: gradient(matrix, x, uses)


def vector_uses(x: BVar[R[Any]], uses: int) -> BVar[float]:
    total = BVar(0.0)
    for k in range(uses):
        total = total + (x * (0.5 + 1.0 / (1 + k))).sum()
    return total


def of_a_vector(uses: int) -> Call:
    x = BVar(tp.normal(np.random.default_rng(10), 32))
    gradient = tp.grad(vector_uses)
    return lambda: gradient(x, uses)


QUANTITIES = {
    "operations": Quantity(
        "operations of a scalar chain",
        sizes(100, 1_000_000),
        scalar_chain,
        10_000,
        "`y = tanh(a * y + b)` on floats",
    ),
    "batch": Quantity(
        "rows of a batch",
        tuple(2**k for k in range(13)),
        classifier,
        256,
        "the gradient of 784-300-100-10 by all parameters",
    ),
    "depth": Quantity(
        "depth of a nested record",
        sizes(1, 1000),
        nested,
        50,
        "a layer holds the next as a field; each has two vectors of 16",
    ),
    "fields": Quantity(
        "fields of a record",
        sizes(1, 1000),
        wide,
        50,
        "an attrs class of so many vectors of 16; the sum of their squares",
    ),
    "matrix": Quantity(
        "uses of a matrix",
        sizes(1, 1000),
        of_a_matrix,
        50,
        "32 by 32, in products with a vector",
    ),
    "vector": Quantity(
        "uses of a vector",
        sizes(1, 1000),
        of_a_vector,
        50,
        "of 32 elements, each time times another number",
    ),
    "order": Quantity(
        "order of the derivative",
        (1, 2, 3, 4, 5),
        derivative,
        1,
        "`tanh(1.5 * x + 0.3) * x`, by `grad` of `grad` of ...",
        power=False,
    ),
}


def fastest(calls: Sequence[Call], seconds: float) -> list[float]:
    """The fastest call of each, which take turns in random order, at least five times each."""
    shuffled = random.Random(0)
    best = [math.inf] * len(calls)
    order = list(range(len(calls)))
    start, rounds = perf_counter(), 0
    while rounds < 5 or perf_counter() - start < seconds:
        shuffled.shuffle(order)
        for k in order:
            # Short calls are repeated, the first ones find the caches cold.
            for _ in range(max(1, min(20, int(0.001 / best[k])))):
                begin = perf_counter()
                calls[k]()
                best[k] = min(best[k], perf_counter() - begin)
        rounds += 1
    return best


def measured(quantity: Quantity, seconds: float) -> Iterator[Point]:
    """Time and memory at each size."""
    calls = [quantity.prepare(n) for n in quantity.sizes]
    memory = [peak_bytes(call) for call in calls]
    gc.collect()
    gc.freeze()
    for n, time, peak in zip(quantity.sizes, fastest(calls, seconds), memory, strict=True):
        yield Point(n, time, peak)


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The slope of a line through these points, by least squares, and its standard error."""
    x, y = np.array(points).T
    x, y = x - x.mean(), y - y.mean()
    steepness = float(x @ y / (x @ x))
    rest = y - steepness * x
    return steepness, math.sqrt(float(rest @ rest) / max(1, len(x) - 2) / float(x @ x))


def grown(key: str, points: Sequence[Point]) -> Growth:
    """The points with the lines through them."""
    quantity = QUANTITIES[key]
    fitted = [point for point in points if point.n >= quantity.fitted_from]
    across = [math.log(point.n) if quantity.power else point.n for point in fitted]
    time, memory = (
        slope([(x, math.log(value)) for x, value in zip(across, values, strict=True)])
        for values in ([point.seconds for point in fitted], [point.peak for point in fitted])
    )
    return Growth(quantity.label, quantity.note, list(points), quantity.fitted_from, quantity.power, time, memory)


def measure(seconds: float) -> list[Growth]:
    """All quantities, each in a process of its own under the settings of all measurements."""
    found = []
    for key in QUANTITIES:
        printed = run_module("growth", "--only", key, "--seconds", seconds)
        found.append(grown(key, [Point(**point) for point in printed]))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the page and the chart, and print the slopes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="time for each of seven quantities")
    parser.add_argument("--to", type=Path, default=Path("docs/performance"), metavar="DIR", help="where the page goes")
    parser.add_argument("--only", choices=QUANTITIES, help="measure this one, and print it as JSON")
    options = parser.parse_args(arguments)
    if options.only:
        json.dump([asdict(point) for point in measured(QUANTITIES[options.only], options.seconds)], sys.stdout)
        return
    load = machine.load()
    growths = measure(options.seconds)
    growth_page.write(growths, options.to, load)
    print(growth_page.table(growths))


if __name__ == "__main__":
    main()
