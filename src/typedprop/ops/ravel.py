"""Many arrays and scalars as one vector, and back: what `tree.ravel` does to the leaves.

Each of the two maps is the other's transpose, and each is one operation, however many parts there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from typedprop.arithmetic import Shape
from typedprop.bvar import BVar, innermost, seen_from
from typedprop.op import decomposition, record_joint
from typedprop.tape import Joint, Value


class Layout:
    """Where each part is in the vector, and what it is there and by itself.

    Unless its dtype is given, the vector is float32 if all parts are float32 arrays, else float64, which holds float32
    and Python floats exactly.
    """

    __slots__ = ("dtype", "dtypes", "shapes", "size", "slices")

    def __init__(
        self, shapes: Sequence[Shape], dtypes: Sequence[np.dtype[Any]], dtype: np.dtype[Any] | None = None
    ) -> None:
        self.shapes: tuple[Shape, ...] = tuple(shapes)
        self.dtypes: tuple[np.dtype[Any], ...] = tuple(dtypes)
        single = bool(dtypes) and all(
            shape and of_part == np.float32 for shape, of_part in zip(shapes, dtypes, strict=True)
        )
        self.dtype: np.dtype[Any] = dtype or np.dtype(np.float32 if single else np.float64)
        ends = [0, *accumulate(map(math.prod, shapes))]
        self.slices: tuple[slice, ...] = tuple(map(slice, ends[:-1], ends[1:]))
        self.size: int = ends[-1]


def joined(parts: Sequence[Value | None], layout: Layout) -> Any:
    """The vector of all parts; None is a part of zeros."""
    tape = innermost(*parts)
    values = [seen_from(tape, part) for part in parts]
    if any(type(value) is BVar for value in values):
        vector = joined(values, layout)
    else:
        vector = np.zeros(layout.size, layout.dtype)
        for place, value in zip(layout.slices, values, strict=True):
            if value is not None:
                vector[place] = np.ravel(value)

    # Not the parts themselves: held by an entry of their own tape they would be a reference cycle.
    count = len(parts)

    def joint(mine: list[int]) -> Joint:
        def push(tangents: Sequence[Value | None]) -> Value:
            pushed: list[Value | None] = [None] * count
            for k, tangent in zip(mine, tangents, strict=True):
                pushed[k] = tangent
            return joined(pushed, layout)

        def pull(cotangent: Value) -> list[Value]:
            pulled = taken_apart(cotangent, layout)
            return [pulled[k] for k in mine]

        return Joint("ravel", pull, push)

    return record_joint(tape, vector, parts, joint)


def _take_apart(vector: Any, layout: Layout) -> tuple[Any, ...]:
    return tuple(
        np.array(vector[place], dtype).reshape(shape) if shape else float(vector[place.start])
        for place, shape, dtype in zip(layout.slices, layout.shapes, layout.dtypes, strict=True)
    )


taken_apart: Callable[..., Any] = decomposition(
    "unravel",
    _take_apart,
    lambda cotangents, _vector, _parts, layout: joined(cotangents, layout),
    lambda tangent, _vector, _parts, layout: taken_apart(tangent, layout),
)
