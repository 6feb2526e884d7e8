"""Convolutions: `convolve` of vectors, and `conv1d`, `conv2d` of neural networks, with stride, padding and groups.

Inside there is one bilinear operation of any number of spatial axes, and the two that its derivatives need: the
transposed convolution (cotangent of the input) and the correlation of input and cotangent (that of the kernel). The
three are each other's derivatives, so every order is at hand. Each is one product of matrices by BLAS, of windows that
NumPy lays over the input without a copy of its own.
"""

# The overloads go from exact to gradual.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from __future__ import annotations

import itertools
import math
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from typing_extensions import TypeVar

from typedprop.arithmetic import Shape, describe, shape_of
from typedprop.bvar import BVar
from typedprop.errors import ShapeError
from typedprop.op import Function, bilinear, checked_plain, opened
from typedprop.ops.arrangement import flip, pad
from typedprop.ops.windows import spatial, strided, windows
from typedprop.shapes import R, Tensor3, Tensor4

A = TypeVar("A", bound=int)
C = TypeVar("C", bound=int)
K = TypeVar("K", bound=int)
D = TypeVar("D", bound=np.floating[Any])
Array: TypeAlias = np.ndarray[Any, Any]
Padding: TypeAlias = Literal["valid", "same"] | int
Two: TypeAlias = int | tuple[int, int]
# One number for all sides, one an axis, or (before, after) for each axis.
Padding2: TypeAlias = Padding | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]

# -- Of vectors -----------------------------------------------------------------------------------------------------

_FULL: Function = bilinear(
    "convolve",
    lambda a, b: np.convolve(a, b, "full"),
    lambda g, b, _: _VALID(g, flip(b)),
    lambda g, a, _: _VALID(g, flip(a)),
    fresh=True,
)
# The first operand is the longer one.
_VALID: Function = bilinear(
    "convolve",
    lambda a, b: np.convolve(a, b, "valid"),
    lambda g, b, _: _FULL(g, flip(b)),
    lambda g, a, _: _VALID(flip(a), g),
    fresh=True,
)


@overload
def convolve(
    a: BVar[R[Any, D]], b: BVar[R[Any, D]] | R[Any, D], /, mode: Literal["full", "same", "valid"] = "full"
) -> BVar[R[Any, D]]: ...
@overload
def convolve(
    a: R[Any, D], b: BVar[R[Any, D]], /, mode: Literal["full", "same", "valid"] = "full"
) -> BVar[R[Any, D]]: ...
@overload
def convolve(a: R[Any, D], b: R[Any, D], /, mode: Literal["full", "same", "valid"] = "full") -> R[Any, D]: ...
def convolve(a: Any, b: Any, /, mode: str = "full") -> Any:
    """The convolution of two vectors: `y[k]` is the sum of `a[i] * b[j]` over all `i + j == k`.

    All of it (`"full"`), its middle of the longer vector's length (`"same"`), or where the shorter one lies inside of
    the longer (`"valid"`). Raises `ShapeError` for anything but two vectors with elements.
    """
    for name, x in (("first", a), ("second", b)):
        if type(x) is not BVar:
            checked_plain("convolve", x)
        if len(shape_of(x)) != 1 or not shape_of(x)[0]:
            raise ShapeError(
                f"convolve: the {name} argument is {describe(shape_of(x))}; wanted a vector of one element or more"
            )
    if mode not in ("full", "same", "valid"):
        raise ValueError(f'convolve: mode {mode!r}; wanted "full", "same" or "valid"')
    sizes = shape_of(a)[0], shape_of(b)[0]
    if mode == "valid":
        return _VALID(a, b) if sizes[0] >= sizes[1] else _VALID(b, a)
    y = _FULL(a, b)
    if mode == "full":
        return y
    start = (min(sizes) - 1) // 2
    y = y[start : start + max(sizes)]
    return y if type(y) is BVar else y.copy()


# -- Of stacks of channels ------------------------------------------------------------------------------------------


def _columns(x: Array, kernel: Shape, stride: Shape, dilation: Shape, groups: int) -> tuple[Array, Shape]:
    """The windows of each group, as (batch, group, *out, channel, *kernel), and the spatial sizes of the result."""
    v = windows(x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:]), kernel, stride, dilation)
    rank = len(kernel)
    return np.moveaxis(v, 2, 2 + rank), v.shape[3 : 3 + rank]


def _convolve(x: Array, w: Array, stride: Shape, dilation: Shape, groups: int) -> Array:
    v, out = _columns(x, w.shape[2:], stride, dilation, groups)
    batch, rank = len(x), len(out)
    # (batch, group, channel * kernel, out)
    v = v.transpose(0, 1, *range(2 + rank, v.ndim), *range(2, 2 + rank))
    rows = v.reshape(batch, groups, math.prod(w.shape[1:]), math.prod(out))
    y = w.reshape(groups, len(w) // groups, math.prod(w.shape[1:])) @ rows
    return y.reshape(batch, len(w), *out)


def _transposed(g: Array, w: Array, shape: Shape, stride: Shape, dilation: Shape, groups: int) -> Array:
    batch, out, kernel = len(g), g.shape[2:], w.shape[2:]
    left = w.reshape(groups, len(w) // groups, math.prod(w.shape[1:])).mT
    rows = left @ g.reshape(batch, groups, len(w) // groups, math.prod(out))
    # The places in a window come first, so that one of them is one index.
    parts = np.moveaxis(rows.reshape(batch, shape[1], *kernel, *out), range(2, 2 + len(kernel)), range(len(kernel)))
    y = np.zeros(shape, g.dtype)
    for place in itertools.product(*map(range, kernel)):
        strided(y, place, out, stride, dilation)[...] += parts[place]
    return y


def _of_kernel(x: Array, g: Array, shape: Shape, stride: Shape, dilation: Shape, groups: int) -> Array:
    v, out = _columns(x, shape[2:], stride, dilation, groups)
    count = len(x) * math.prod(out)
    rows = np.moveaxis(v, 1, 0).reshape(groups, count, math.prod(shape[1:]))
    left = g.reshape(len(x), groups, shape[0] // groups, math.prod(out)).transpose(1, 2, 0, 3)
    return (left.reshape(groups, shape[0] // groups, count) @ rows).reshape(shape)


# The cotangent of each of the three is by its first operand one, and by its second the other, of the two that remain.
_CONV: Function = bilinear(
    "conv",
    _convolve,
    lambda g, w, shape, *how: _CONV_TRANSPOSED(g, w, shape, *how),
    lambda g, x, shape, *how: _CONV_KERNEL(x, g, shape, *how),
    fresh=True,
)
_CONV_TRANSPOSED: Function = bilinear(
    "conv",
    _transposed,
    lambda h, w, _shape, _x_shape, *how: _CONV(h, w, *how),
    lambda h, g, shape, _x_shape, *how: _CONV_KERNEL(h, g, shape, *how),
    fresh=True,
)
_CONV_KERNEL: Function = bilinear(
    "conv",
    _of_kernel,
    lambda h, g, shape, _w_shape, *how: _CONV_TRANSPOSED(g, h, shape, *how),
    lambda h, x, _shape, _w_shape, *how: _CONV(x, h, *how),
    fresh=True,
)


@overload
def conv1d(
    x: BVar[Tensor3[A, C, Any, D]],
    kernel: BVar[Tensor3[K, C, Any, D]] | Tensor3[K, C, Any, D],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, C, Any, D],
    kernel: BVar[Tensor3[K, C, Any, D]],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: BVar[Tensor3[A, C, Any, D]],
    kernel: BVar[Tensor3[K, C, Any, D]] | Tensor3[K, C, Any, D],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, C, Any, D],
    kernel: BVar[Tensor3[K, C, Any, D]],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, C, Any, D],
    kernel: Tensor3[K, C, Any, D],
    /,
    *,
    bias: BVar[R[K, D]],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: BVar[Tensor3[A, Any, Any, D]],
    kernel: BVar[Tensor3[K, Any, Any, D]] | Tensor3[K, Any, Any, D],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, Any, Any, D],
    kernel: BVar[Tensor3[K, Any, Any, D]],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: BVar[Tensor3[A, Any, Any, D]],
    kernel: BVar[Tensor3[K, Any, Any, D]] | Tensor3[K, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, Any, Any, D],
    kernel: BVar[Tensor3[K, Any, Any, D]],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, Any, Any, D],
    kernel: Tensor3[K, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> BVar[Tensor3[A, K, Any, D]]: ...
@overload
def conv1d(
    x: Tensor3[A, C, Any, D],
    kernel: Tensor3[K, C, Any, D],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> Tensor3[A, K, Any, D]: ...
@overload
def conv1d(
    x: Tensor3[A, C, Any, D],
    kernel: Tensor3[K, C, Any, D],
    /,
    *,
    bias: R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: Literal[1] = 1,
) -> Tensor3[A, K, Any, D]: ...
@overload
def conv1d(
    x: Tensor3[A, Any, Any, D],
    kernel: Tensor3[K, Any, Any, D],
    /,
    *,
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> Tensor3[A, K, Any, D]: ...
@overload
def conv1d(
    x: Tensor3[A, Any, Any, D],
    kernel: Tensor3[K, Any, Any, D],
    /,
    *,
    bias: R[K, D],
    stride: int = 1,
    padding: Padding | tuple[int, int] = "valid",
    dilation: int = 1,
    groups: int,
) -> Tensor3[A, K, Any, D]: ...
def conv1d(
    x: Any,
    kernel: Any,
    /,
    *,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Each window of a sequence with each kernel: `x` is (batch, channels, length), `kernel` (out, channels, width).

    As in all neural networks the kernel is not reversed. Windows are `stride` apart, the elements of one `dilation`;
    zeros are added before and after by `padding`: a number for both ends, `(before, after)`, none ("valid"), or as many
    as make the result `length / stride` long ("same"). With `groups`, so many equal parts of the channels are convolved
    apart, and `kernel` has channels / groups. `bias` holds a number for each output channel.

    Raises `ShapeError` if the channels do not fit or a kernel is longer than the padded input.
    """
    if isinstance(padding, tuple) and len(padding) == 2:
        padding = (padding,)
    return _conv("conv1d", 1, x, kernel, bias, stride, padding, dilation, groups)


@overload
def conv2d(
    x: BVar[Tensor4[A, C, Any, Any, D]],
    kernel: BVar[Tensor4[K, C, Any, Any, D]] | Tensor4[K, C, Any, Any, D],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, C, Any, Any, D],
    kernel: BVar[Tensor4[K, C, Any, Any, D]],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: BVar[Tensor4[A, C, Any, Any, D]],
    kernel: BVar[Tensor4[K, C, Any, Any, D]] | Tensor4[K, C, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, C, Any, Any, D],
    kernel: BVar[Tensor4[K, C, Any, Any, D]],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, C, Any, Any, D],
    kernel: Tensor4[K, C, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: BVar[Tensor4[A, Any, Any, Any, D]],
    kernel: BVar[Tensor4[K, Any, Any, Any, D]] | Tensor4[K, Any, Any, Any, D],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, Any, Any, Any, D],
    kernel: BVar[Tensor4[K, Any, Any, Any, D]],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: BVar[Tensor4[A, Any, Any, Any, D]],
    kernel: BVar[Tensor4[K, Any, Any, Any, D]] | Tensor4[K, Any, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, Any, Any, Any, D],
    kernel: BVar[Tensor4[K, Any, Any, Any, D]],
    /,
    *,
    bias: BVar[R[K, D]] | R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, Any, Any, Any, D],
    kernel: Tensor4[K, Any, Any, Any, D],
    /,
    *,
    bias: BVar[R[K, D]],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> BVar[Tensor4[A, K, Any, Any, D]]: ...
@overload
def conv2d(
    x: Tensor4[A, C, Any, Any, D],
    kernel: Tensor4[K, C, Any, Any, D],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> Tensor4[A, K, Any, Any, D]: ...
@overload
def conv2d(
    x: Tensor4[A, C, Any, Any, D],
    kernel: Tensor4[K, C, Any, Any, D],
    /,
    *,
    bias: R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: Literal[1] = 1,
) -> Tensor4[A, K, Any, Any, D]: ...
@overload
def conv2d(
    x: Tensor4[A, Any, Any, Any, D],
    kernel: Tensor4[K, Any, Any, Any, D],
    /,
    *,
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> Tensor4[A, K, Any, Any, D]: ...
@overload
def conv2d(
    x: Tensor4[A, Any, Any, Any, D],
    kernel: Tensor4[K, Any, Any, Any, D],
    /,
    *,
    bias: R[K, D],
    stride: Two = 1,
    padding: Padding2 = "valid",
    dilation: Two = 1,
    groups: int,
) -> Tensor4[A, K, Any, Any, D]: ...
def conv2d(
    x: Any,
    kernel: Any,
    /,
    *,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Each window of an image with each kernel: `x` is (batch, channels, height, width), `kernel` (out, channels, ...).

    As `conv1d`; stride and dilation are one number or one an axis, padding besides a pair `(before, after)` an axis.
    """
    if isinstance(padding, tuple):
        padding = tuple((p, p) if isinstance(p, int) else p for p in padding)
    return _conv("conv2d", 2, x, kernel, bias, stride, padding, dilation, groups)


def _conv(
    name: str, rank: int, x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    for v in (x, w) if bias is None else (x, w, bias):
        if type(v) is not BVar:
            checked_plain(name, v)
    shape, kernel = shape_of(x), shape_of(w)
    layout = ("(batch, channels, length)", "(batch, channels, height, width)")[rank - 1]
    if len(shape) != rank + 2:
        raise ShapeError(f"{name}: x is {describe(shape)}; wanted {layout}")
    if len(kernel) != rank + 2:
        raise ShapeError(f"{name}: the kernel is {describe(kernel)}; wanted {layout.replace('batch', 'out')}")
    if groups < 1 or shape[1] % groups or kernel[0] % groups:
        raise ShapeError(f"{name}: {shape[1]} channels and {kernel[0]} kernels do not divide into {groups} groups")
    if kernel[1] * groups != shape[1]:
        raise ShapeError(
            f"{name}: the kernel {describe(kernel)} has {kernel[1]} channels, but x, {describe(shape)}, has {shape[1]}"
            + (f" in {groups} groups" if groups > 1 else "")
        )
    steps, dilations = spatial(name, "stride", stride, rank), spatial(name, "dilation", dilation, rank)
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilations, kernel[2:], strict=True))
    widths = _widths(name, rank, shape[2:], reach, steps, padding)
    if any(n + a + b < r for n, (a, b), r in zip(shape[2:], widths, reach, strict=True)) or 0 in kernel[2:]:
        raise ShapeError(f"{name}: the kernel {describe(kernel)} with its dilation is longer than x, {describe(shape)}")
    if not any(type(v) is BVar for v in (x, w, bias)):
        _, (x, w) = opened(name, x, w)
    if any(map(any, widths)):
        x = _pad(x, ((0, 0), (0, 0), *widths))
    y = _CONV(x, w, steps, dilations, groups)
    if bias is None:
        return y
    if shape_of(bias) != (kernel[0],):
        raise ShapeError(f"{name}: bias is {describe(shape_of(bias))}; wanted R[{kernel[0]}], one number a kernel")
    return y + bias.reshape((1, -1) + (1,) * rank)


def _widths(
    name: str, rank: int, sizes: Shape, reach: Shape, steps: Shape, padding: Any
) -> tuple[tuple[int, int], ...]:
    """How many zeros come before and after each spatial axis."""
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        widths = []
        for n, r, s in zip(sizes, reach, steps, strict=True):
            more = max((-(-n // s) - 1) * s + r - n, 0)
            widths.append((more // 2, more - more // 2))
        return tuple(widths)
    if isinstance(padding, int | np.integer) and padding >= 0:
        return ((int(padding), int(padding)),) * rank
    if isinstance(padding, tuple) and len(padding) == rank and all(map(_is_pair, padding)):
        return tuple((int(a), int(b)) for a, b in padding)
    raise ShapeError(f'{name}: padding {padding!r}; wanted "valid", "same", a number, or a pair of numbers an axis')


def _is_pair(widths: Any) -> bool:
    if not isinstance(widths, tuple | list) or len(widths) != 2:
        return False
    return all(isinstance(width, int | np.integer) and width >= 0 for width in widths)


# For operands and a number of axes that are not known here.
_pad: Any = pad
