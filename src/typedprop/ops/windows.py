"""Windows over the last axes of an array: what convolution and pooling share."""

from __future__ import annotations

from typing import Any

import numpy as np

from typedprop.arithmetic import Shape
from typedprop.errors import ShapeError

Array = np.ndarray[Any, Any]


def spatial(name: str, what: str, value: Any, rank: int) -> Shape:
    """A parameter given once for all spatial axes, or once for each, as a tuple of positive ints."""
    values = (value,) * rank if isinstance(value, int | np.integer) else tuple(value)
    if len(values) != rank or min(values) < 1:
        raise ShapeError(f"{name}: {what} is {value!r}; wanted a number of 1 or more{', or one an axis' * (rank > 1)}")
    return tuple(map(int, values))


def out_sizes(sizes: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Shape:
    """How many windows there are along each axis."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True))


def windows(x: Array, kernel: Shape, stride: Shape, dilation: Shape) -> Array:
    """A read-only view of `x` with the last axes replaced by those of the windows, then those inside of a window."""
    lead = x.ndim - len(kernel)
    out = out_sizes(x.shape[lead:], kernel, stride, dilation)
    steps = x.strides[lead:]
    return np.lib.stride_tricks.as_strided(
        x,
        x.shape[:lead] + out + kernel,
        x.strides[:lead]
        + tuple(n * s for n, s in zip(steps, stride, strict=True))
        + tuple(n * d for n, d in zip(steps, dilation, strict=True)),
        writeable=False,
    )


def strided(x: Array, place: tuple[int, ...], out: Shape, stride: Shape, dilation: Shape) -> Array:
    """The view of the elements of `x` that stand at `place` in their windows."""
    # Any: NumPy's types know no tuple of an ellipsis and slices of a length that is not fixed.
    index: Any = (
        ...,
        *(slice(d * p, d * p + s * (n - 1) + 1, s) for p, n, s, d in zip(place, out, stride, dilation, strict=True)),
    )
    y: Array = x[index]
    return y
