"""`summary`: the parameter table of a record: each leaf with its shape, number of elements, norm and range."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np

from typedprop import tree
from typedprop.arithmetic import describe, plain
from typedprop.bvar import BVar
from typedprop.table import Table, bytes_text


@attrs.frozen
class Parameter:
    """A leaf of a record: where it is, its sizes, and the Euclidean norm and range of its elements.

    `norm`, `low` and `high` are NaN for a leaf without elements, or of a registered type.
    """

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int
    bytes: int
    norm: float
    low: float
    high: float


@attrs.frozen(repr=False)
class Summary:
    """The leaves of a record in order; `str` of it is the table."""

    name: str
    parameters: tuple[Parameter, ...]

    @property
    def count(self) -> int:
        """The number of elements of all leaves."""
        return sum(p.count for p in self.parameters)

    @property
    def bytes(self) -> int:
        """What the elements take."""
        return sum(p.bytes for p in self.parameters)

    @property
    def norm(self) -> float:
        """The Euclidean norm of all elements."""
        return math.hypot(*(p.norm for p in self.parameters if p.count))

    def table(self) -> Table:
        """The table that is shown."""
        rows = [
            (
                p.path or "(itself)",
                shape_text(p.shape, p.dtype),
                f"{p.count:,}",
                bytes_text(p.bytes),
                *map(_number, (p.norm, p.low, p.high)),
            )
            for p in self.parameters
        ]
        leaves = "1 leaf" if len(rows) == 1 else f"{len(rows):,} leaves"
        return Table(
            f"{self.name}: {leaves}, {parameters_text(self.count)}",
            ("leaf", "shape", "count", "bytes", "norm", "min", "max"),
            rows,
            right=("count", "bytes", "norm", "min", "max"),
            last=("", "", f"{self.count:,}", bytes_text(self.bytes), _number(self.norm), "", ""),
        )

    def __str__(self) -> str:
        return self.table().text()

    def __repr__(self) -> str:
        return f"<summary of {self.table().title}>"

    def __rich__(self) -> object:
        return self.table().rich()


def summary(net: object) -> Summary:
    """Print the parameter table of a record, or any tree of BVars, and return it as data.

    It is printed by rich where that is installed, as plain text otherwise. A BVar that stands in two places is two
    leaves, as it is to a gradient, and counts twice. Raises `NotDifferentiableError` where
    `tree.flatten` does.
    """
    found = summarized(net)
    found.table().show()
    return found


def summarized(net: object) -> Summary:
    """The summary without printing it."""
    leaves, structure = tree.flatten(net)
    parameters = [_parameter(path, leaf) for path, leaf in zip(structure.paths(), leaves, strict=True)]
    return Summary(type(net).__name__, tuple(parameters))


def norm(x: Any) -> float:
    """The Euclidean norm of an array's elements, or of a number; computed in float64. NaN for anything else."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return float(np.linalg.norm(x.astype(np.float64, copy=False).ravel()))
    return abs(x) if isinstance(x, float) else math.nan


def parameters_text(count: int) -> str:
    """`1 parameter`, `2,125 parameters`."""
    return f"{count:,} parameter{'' if count == 1 else 's'}"


def shape_text(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """A shape as its type is written, with its dtype unless it is float64: `L[3, 4, float32]`."""
    text = describe(shape)
    if not shape:
        return text if dtype == np.float64 else dtype.name
    return text if dtype == np.float64 else f"{text[:-1]}, {dtype.name}]"


def _parameter(path: str, leaf: BVar[Any]) -> Parameter:
    x = plain(leaf)
    low = high = math.nan
    if isinstance(x, np.ndarray):
        size, width = x.size, x.nbytes
        if size:
            low, high = float(x.min()), float(x.max())
    else:
        size, width = 1, 8
        if isinstance(x, float):
            low = high = x
    return Parameter(path, leaf.shape, leaf.dtype, size, width, norm(x), low, high)


def _number(x: float) -> str:
    return f"{x:.4g}"
