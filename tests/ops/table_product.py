"""Products: of matrices and vectors, einsum, convolutions and pooling.

Products are linear in each operand, so NumPy's own functions of complex numbers are the second reference; convolutions
and pooling are checked by their definition, written as loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.row import Array, Case, Function, Row, between, case, distinct, lifted
from tests.untyped import tp


def multilinear(name: str, call: Function, value: Function, *cases: Case) -> Row:
    """A row of an operation that is linear in each operand."""
    return Row(name, call, value, cases, between(-2, 2), analytic=True)


MATMUL = (
    case((2, 3), (3, 4)),
    case((2, 3), (3,)),
    case((3,), (3, 2)),
    case((3,), (3,)),
    case((1,), (1,)),
    case((1, 1), (1, 1)),
    case((0,), (0,)),
    case((2, 0), (0, 3)),
    case((3, 2), (2, 3), layout="transposed"),
    case((2, 4), (4,), layout="strided"),
    case((2, 3, 4), (2, 4, 1)),
    case((2, 3, 4), (4, 2)),
    case((2, 2, 2), (2, 2), layout="transposed"),
)

PRODUCTS = (
    multilinear("matmul", tp.matmul, np.matmul, *MATMUL),
    multilinear("BVar.__matmul__", lambda a, b: lifted(a) @ b, np.matmul, *MATMUL),
    multilinear("BVar.__rmatmul__", lambda a, b: a @ lifted(b), np.matmul, *MATMUL),
    multilinear(
        "dot",
        tp.dot,
        np.dot,
        *(case((n,), (n,)) for n in (3, 1, 0, 5)),
        case((4,), (4,), layout="strided"),
        case((2,), (2,), layout="transposed"),
    ),
    multilinear(
        "BVar.dot",
        lambda a, b: lifted(a).dot(b),
        np.dot,
        *(case((n,), (n,)) for n in (3, 1, 0, 5)),
        case((4,), (4,), layout="strided"),
        case((2,), (2,), layout="transposed"),
        case((2, 3), (3,)),
    ),
    # A vector with itself, which has a rule of its own.
    Row(
        "BVar.dot",
        lambda a: lifted(a).dot(a),
        lambda a: np.dot(a, a),
        (case((3,)), case((1,)), case((0,)), case((4,), layout="strided")),
        between(-2, 2),
        analytic=True,
    ),
    multilinear(
        "inner",
        tp.inner,
        np.inner,
        case((3,), (3,)),
        case((0,), (0,)),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 3), (4, 3)),
        case((3, 2), (1, 2), layout="transposed"),
        case((2, 4), (4,), layout="strided"),
    ),
    multilinear(
        "outer",
        tp.outer,
        np.outer,
        case((2,), (3,)),
        case((1,), (1,)),
        case((0,), (2,)),
        case((3,), (2,), layout="transposed"),
        case((4,), (2,), layout="strided"),
        case((5,), (1,)),
    ),
    multilinear(
        "cross",
        tp.cross,
        np.cross,
        case((3,), (3,)),
        case((2, 3), (2, 3)),
        case((1, 3), (1, 3)),
        case((0, 3), (0, 3)),
        case((4, 3), (4, 3)),
        case((5, 3), (5, 3)),
        case((2, 3), (2, 3), layout="transposed"),
        case((3,), (3,), layout="strided"),
    ),
    multilinear(
        "trapezoid",
        tp.trapezoid,
        np.trapezoid,
        *(case((n,), (n,)) for n in (3, 1, 6)),
        case((4,), (4,), layout="strided"),
        case((2, 3), (3,)),
        case((2, 3), (2,), axis=0),
        case((1, 3), (3,), axis=-1),
        case((3, 2), (2,), layout="transposed"),
        case((2, 3, 4), (3,), axis=1),
    ),
    multilinear(
        "trapezoid",
        tp.trapezoid,
        np.trapezoid,
        *(case((n,)) for n in (3, 1, 0, 6)),
        case((4,), dx=0.5, layout="strided"),
        case((2, 3), dx=2.0),
        case((2, 3), axis=0),
        case((3, 2), layout="transposed"),
        case((2, 3, 4), axis=1),
    ),
    multilinear(
        "kron",
        tp.kron,
        np.kron,
        case((2,), (3,)),
        case((1,), (0,)),
        case((2, 3), (1, 2)),
        case((2, 2), (3, 1), layout="transposed"),
        case((2, 2), (1, 2), layout="strided"),
        case((1, 1), (2, 2)),
        case((2, 1), (2, 3)),
    ),
    multilinear(
        "tensordot",
        lambda a, b, axes=2: tp.tensordot(a, b, axes),
        lambda a, b, axes=2: np.tensordot(a, b, axes),
        case((2, 3), (2, 3)),
        case((2, 3), (3, 2), axes=1),
        case((2,), (3,), axes=0),
        case((2, 3, 4), (4, 2), axes=([0, -1], [1, 0])),
        case((2, 3), (3, 3), axes=(1, 0), layout="transposed"),
        case((2, 2), (2, 2, 2), layout="strided"),
        case((0, 2), (2, 0), axes=([0, 1], [1, 0])),
        case((2, 1), (2, 3), axes=(0, 0)),
        case((2, 3), (1, 3), axes=(1, 1)),
        *(case(*pair, axes=0) for pair in (((), ()), ((), (3,)), ((3,), ()), ((2, 3), ()))),
        case((2, 3), (3,), axes=1),
        case((3,), (2, 3), axes=0),
    ),
)


def einsums(subscripts: str, *shapes: tuple[int, ...], **how: Any) -> Case:
    """A case of einsum."""
    return case(*shapes, subscripts=subscripts, **how)


EINSUM = (
    multilinear(
        "einsum",
        lambda *xs, subscripts: tp.einsum(subscripts, *xs),
        lambda *xs, subscripts: np.einsum(subscripts, *xs),
        # Two: products of matrices and stacks, elementwise, outer; sums, diagonals and broadcasting beside them.
        einsums("ij,jk->ik", (2, 3), (3, 4)),
        einsums("ij,jk", (2, 3), (3, 4)),
        einsums("ij,jk->ki", (3, 2), (2, 3), layout="transposed"),
        einsums("ij,j", (2, 4), (4,), layout="strided"),
        einsums("i,i", (3,), (3,)),
        einsums("i,i", (0,), (0,)),
        einsums("i,j->ij", (3,), (2,)),
        einsums(",i->i", (), (3,)),
        einsums("i,->", (3,), ()),
        einsums(",", (), ()),
        einsums("ij,ij->ij", (2, 3), (2, 3)),
        einsums("...j,...j->...j", (2, 3), (1, 3)),
        einsums("ij,ij->i", (2, 3), (2, 3)),
        einsums("ij,kl->kilj", (2, 1), (3, 2)),
        einsums("bij,bjk->bik", (2, 3, 2), (2, 2, 3)),
        einsums("bhqd,bhkd->bhqk", (2, 1, 3, 2), (2, 1, 2, 2)),
        einsums("...ij,...jk", (2, 3, 2), (2, 2, 1)),
        einsums("...ij,...jk->...ik", (1, 3, 2), (2, 2, 1)),
        einsums("...ij,...jk->...ik", (3, 2), (2, 2, 1)),
        einsums("i...,i->...", (2, 3), (2,)),
        einsums("iij,jk->ik", (2, 2, 3), (3, 2)),
        einsums("ij,k->k", (2, 3), (2,)),
        einsums("i,ij->", (2,), (2, 3)),
        einsums("Ab,bA->A", (2, 3), (3, 2)),
        # One operand: sums, orders, diagonals.
        einsums("ij->ji", (2, 3)),
        einsums("ij->j", (2, 3)),
        einsums("ij->", (3, 2), layout="transposed"),
        einsums("ii", (3, 3)),
        einsums("ii->i", (2, 2), layout="strided"),
        einsums("iij->j", (2, 2, 3)),
        einsums("ijj->ij", (2, 3, 3)),
        einsums("ba", (2, 3)),
        einsums("...ij->...ji", (2, 2, 3)),
        einsums("i...", (2, 3)),
        einsums("i", (0,)),
        # Three and more.
        einsums("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
        einsums("i,i,i->i", (3,), (3,), (3,)),
        einsums("i,ij,j->", (2,), (2, 3), (3,)),
        einsums("ii,ij,jj->", (2, 2), (2, 3), (3, 3)),
        einsums("b...i,ij,...j->b...", (2, 3, 2), (2, 2), (3, 2)),
        einsums(",,i->i", (), (), (3,)),
        einsums("ab,bc,cd,de->ae", (2, 1), (1, 2), (2, 1), (1, 2)),
    ),
)


# -- Convolutions ----------------------------------------------------------------------------------------------------


def convolution(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """The definition of conv1d and conv2d, element by element."""
    rank = x.ndim - 2
    steps = (stride,) * rank if isinstance(stride, int) else stride
    holes = (dilation,) * rank if isinstance(dilation, int) else dilation
    reach = [d * (k - 1) + 1 for d, k in zip(holes, kernel.shape[2:], strict=True)]
    if padding == "valid":
        padding = 0
    if padding == "same":
        more = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(x.shape[2:], steps, reach, strict=True)]
        widths = [(m // 2, m - m // 2) for m in more]
    elif isinstance(padding, int):
        widths = [(padding, padding)] * rank
    elif rank == 1:
        widths = [padding]
    else:
        widths = [(p, p) if isinstance(p, int) else p for p in padding]
    x = np.pad(x, [(0, 0), (0, 0), *widths])
    out = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, steps, strict=True)]
    y = np.zeros((len(x), len(kernel), *out), np.result_type(x, kernel))
    own = kernel.shape[1]
    for b, o, *place in np.ndindex(*y.shape):
        group = o // (len(kernel) // groups)
        for c, *inside in np.ndindex(*kernel.shape[1:]):
            at = [p * s + k * d for p, s, k, d in zip(place, steps, inside, holes, strict=True)]
            y[(b, o, *place)] += x[(b, group * own + c, *at)] * kernel[(o, c, *inside)]
    return y if bias is None else y + bias.reshape(1, -1, *(1,) * rank)


def pooled(reduce: Function, rank: int) -> Function:
    """The definition of pooling: `reduce` of each window."""

    def value(x: Array, size: Any, stride: Any = None) -> Array:
        sizes = (size,) * rank if isinstance(size, int) else size
        steps = sizes if stride is None else (stride,) * rank if isinstance(stride, int) else stride
        out = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], sizes, steps, strict=True)]
        y = np.zeros((*x.shape[:2], *out), x.dtype)
        for b, c, *place in np.ndindex(*y.shape):
            window = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, steps, sizes, strict=True))
            y[(b, c, *place)] = reduce(x[(b, c, *window)])
        return y

    return value


def with_bias(conv: Function) -> Function:
    """A convolution whose third operand is its bias."""
    return lambda x, kernel, *bias, **how: conv(x, kernel, bias=bias[0], **how) if bias else conv(x, kernel, **how)


SEQUENCES = (
    case((2, 3, 6), size=2),
    case((1, 1, 1), size=1),
    case((0, 2, 4), size=2),
    case((2, 2, 5), size=3, stride=1),
    case((1, 2, 7), size=2, stride=3, layout="transposed"),
    case((2, 1, 6), size=3, layout="strided"),
)
IMAGES = (
    case((2, 2, 4, 4), size=2),
    case((1, 1, 1, 1), size=1),
    case((0, 1, 2, 2), size=2),
    case((1, 2, 4, 5), size=(2, 3), stride=(1, 2)),
    case((2, 1, 5, 3), size=(3, 1), layout="transposed"),
    case((1, 1, 3, 4), size=2, stride=1, layout="strided"),
)

CONVOLUTIONS = (
    multilinear(
        "convolve",
        lambda a, b, mode="full": tp.convolve(a, b, mode),
        np.convolve,
        *(case((m,), (n,), mode=mode) for m, n in ((5, 3), (2, 4)) for mode in ("full", "same", "valid")),
        case((1,), (1,)),
        case((1,), (4,)),
        case((4,), (2,), layout="strided", mode="same"),
        case((3,), (3,), layout="transposed", mode="valid"),
    ),
    multilinear(
        "conv1d",
        with_bias(tp.conv1d),
        convolution,
        case((2, 3, 5), (2, 3, 2)),
        case((1, 1, 1), (1, 1, 1)),
        case((0, 2, 4), (3, 2, 2)),
        case((2, 2, 6), (1, 2, 3), (1,), stride=2, padding="same"),
        case((1, 2, 6), (2, 2, 2), (2,), stride=2, padding=(1, 0), dilation=2),
        case((2, 4, 4), (6, 2, 2), groups=2, padding=1),
        case((2, 3, 4), (3, 1, 3), groups=3, layout="transposed"),
        case((1, 2, 4), (2, 2, 2), layout="strided"),
    ),
    multilinear(
        "conv2d",
        with_bias(tp.conv2d),
        convolution,
        case((2, 2, 4, 3), (2, 2, 2, 3)),
        case((1, 1, 1, 1), (1, 1, 1, 1)),
        case((0, 1, 3, 3), (1, 1, 2, 2)),
        case((1, 2, 5, 4), (2, 2, 2, 2), (2,), stride=2, padding=1),
        case((1, 1, 4, 5), (2, 1, 2, 2), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)),
        case((1, 4, 3, 3), (2, 2, 3, 2), (2,), groups=2, padding="same"),
        case((1, 2, 4, 3), (4, 1, 2, 2), groups=2, padding=(1, 0), layout="transposed"),
        case((1, 1, 3, 4), (1, 1, 2, 2), layout="strided"),
    ),
    multilinear("avg_pool1d", tp.avg_pool1d, pooled(np.mean, 1), *SEQUENCES),
    multilinear("avg_pool2d", tp.avg_pool2d, pooled(np.mean, 2), *IMAGES),
    Row("max_pool1d", tp.max_pool1d, pooled(np.max, 1), SEQUENCES, distinct(), smooth=False, analytic=True),
    Row("max_pool2d", tp.max_pool2d, pooled(np.max, 2), IMAGES, distinct(), smooth=False, analytic=True),
)

ROWS: tuple[Row, ...] = (*PRODUCTS, *EINSUM, *CONVOLUTIONS)
