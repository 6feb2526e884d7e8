"""Plain data in structural operations: which arrays are welcome, and that a result shares no memory with them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from typedprop.arithmetic import Shape, shape_of
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import Linear, checked_plain

Array = np.ndarray[Any, Any]


def plain_array(name: str, x: Any) -> Array:
    """Plain data as an array of its own dtype: moving elements about needs no floats. Others are refused by name."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub":
        return x
    return np.asarray(checked_plain(name, x))


def operand(name: str, x: Any) -> Any:
    """A BVar as it is, or plain data as an array."""
    return x if type(x) is BVar else plain_array(name, x)


def array_operand(name: str, x: Any) -> Any:
    """The same for what lays out the elements of an array; a scalar is refused by name."""
    x = operand(name, x)
    if not shape_of(x):
        raise ShapeError(f"{name}: wanted an array, got a float; tp.stack([x]) is a vector of one element")
    return x


def applied(op: Linear, x: Any, *static: Any) -> Any:
    """A linear operation of a BVar, or of plain data, from whose memory the result is then apart."""
    if type(x) is BVar:
        return op(x, *static)
    x = plain_array(op.name, x)
    y = op(x, *static)
    return y.copy() if np.may_share_memory(x, y) else y


def sizes_of(name: str, shape: Any) -> Shape:
    """A shape given as an int or a tuple of ints, as a tuple of plain ints."""
    try:
        sizes = tuple(map(operator.index, shape if isinstance(shape, tuple | list) else (shape,)))
    except TypeError:
        raise TypeError(f"{name}: shape is {shape!r}; wanted an int or a tuple of ints") from None
    if min(sizes, default=0) < 0:
        raise ShapeError(f"{name}: a size in {sizes} is negative")
    return sizes
