"""Structural operations: other shapes, joining and taking apart, elements in other places, indexing.

All of them but `sort` are linear, so NumPy's own functions of complex numbers are the second reference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.row import Array, Case, Function, Row, between, case, distinct, lifted
from tests.untyped import tp

ALL = slice(None)


def vectors(**static: Any) -> tuple[Case, ...]:
    """Vectors of several lengths and layouts, each with the same keywords."""
    return (
        *(case((n,), **static) for n in (3, 1, 0, 6)),
        case((4,), layout="strided", **static),
        case((2,), layout="transposed", **static),
    )


def matrices(**static: Any) -> tuple[Case, ...]:
    """Matrices of several sizes and layouts, each with the same keywords."""
    return (
        *(case(shape, **static) for shape in ((2, 3), (1, 3), (3, 1), (0, 3), (3, 3))),
        case((3, 2), layout="transposed", **static),
        case((2, 4), layout="strided", **static),
    )


def linear(name: str, call: Function, value: Function, *cases: Case, orders: int = 2) -> Row:
    """A row of a linear operation, whose value for complex numbers NumPy knows too."""
    return Row(name, call, value, cases, between(-2, 2), orders=orders, analytic=True)


def assigned(x: Array, v: Any, index: Any) -> Array:
    """`x.at(index).set(v)`, by NumPy's assignment."""
    y = np.array(x, np.result_type(x, v))
    y[index] = v
    return y


def increased(x: Array, v: Any, index: Any) -> Array:
    """`x.at(index).add(v)`, by NumPy's `add.at`."""
    y = np.array(x, np.result_type(x, v))
    np.add.at(y, index, v)
    return y


def padded(x: Array, width: Any, mode: Any = "constant", value: float = 0.0) -> Array:
    """NumPy's pad, which calls the value by another name."""
    return np.pad(x, width, mode, constant_values=value) if mode == "constant" else np.pad(x, width, mode)


SHAPES = (
    linear(
        "reshape",
        lambda x, shape: tp.reshape(x, shape),
        np.reshape,
        case((6,), shape=(2, 3)),
        case((2, 3), shape=6),
        case((2, 3), shape=(3, -1)),
        case((3, 2), layout="transposed", shape=(2, 3)),
        case((4,), layout="strided", shape=(2, 1, 2)),
        case((0, 3), shape=(3, 0)),
        case((2, 3, 2), shape=(2, 6)),
        case((1,), shape=(1, 1, 1, 1)),
    ),
    linear("ravel", tp.ravel, np.ravel, *vectors(), *matrices(), case((2, 3, 2)), case((2, 1, 2, 2))),
    linear(
        "transpose",
        tp.transpose,
        np.transpose,
        *matrices(),
        case((3,)),
        case(()),
        case((2, 3, 4)),
        case((2, 1, 3, 2)),
        case((2, 3), axes=(1, 0)),
        case((2, 3, 4), axes=(1, 2, 0)),
        case((2, 3, 4), axes=(0, -1, 1), layout="strided"),
    ),
    linear(
        "swapaxes",
        tp.swapaxes,
        np.swapaxes,
        *matrices(axis1=0, axis2=1),
        case((2, 3, 4), axis1=1, axis2=-1),
        case((2, 3, 4), axis1=-3, axis2=2),
        case((2, 3, 1, 2), axis1=1, axis2=3),
    ),
    linear(
        "expand_dims",
        tp.expand_dims,
        np.expand_dims,
        *vectors(axis=0),
        *vectors(axis=-1)[:3],
        *matrices(axis=1),
        case((2, 3), axis=2),
        case((2, 3), axis=-3),
        case((2, 3, 2), axis=-2),
    ),
    linear(
        "squeeze",
        tp.squeeze,
        np.squeeze,
        case((1,), axis=0),
        case((1, 3), axis=0),
        case((3, 1), axis=1),
        case((1, 0), axis=-2),
        case((1, 1), axis=-1),
        case((2, 1, 3), axis=1),
        case((2, 1), axis=1, layout="transposed"),
        case((1, 4), axis=0, layout="strided"),
        case((2, 2, 1, 3), axis=-2),
    ),
    linear(
        "moveaxis",
        tp.moveaxis,
        np.moveaxis,
        *matrices(source=0, destination=1),
        *matrices(source=-1, destination=0)[:2],
        case((3,), source=0, destination=0),
        case((2, 3, 4), source=0, destination=-1),
        case((2, 3, 4), source=2, destination=0),
        case((2, 3, 1, 2), source=1, destination=3),
    ),
    linear("row", tp.row, lambda x: x[None], *vectors()),
    linear("col", tp.col, lambda x: x[:, None], *vectors()),
    linear(
        "unrow",
        tp.unrow,
        lambda x: x[0],
        *(case((1, n)) for n in (3, 1, 0, 5, 2)),
        case((1, 4), layout="strided"),
        case((1, 3), layout="transposed"),
    ),
    linear(
        "uncol",
        tp.uncol,
        lambda x: x[:, 0],
        *(case((n, 1)) for n in (3, 1, 0, 5, 2)),
        case((4, 1), layout="strided"),
        case((3, 1), layout="transposed"),
    ),
    linear(
        "broadcast_to",
        lambda x, shape: tp.broadcast_to(x, shape),
        np.broadcast_to,
        case((), shape=3),
        case((), shape=(2, 3)),
        case((), shape=(0,)),
        case((3,), shape=(2, 3)),
        case((3,), shape=3),
        case((4,), shape=(3, 4), layout="strided"),
        case((2, 1), shape=(2, 3)),
        case((1, 3), shape=(2, 3), layout="transposed"),
        case((2, 3), shape=(4, 2, 3)),
    ),
    linear(
        "full",
        lambda x, sizes: tp.full(*sizes, fill_value=x),
        lambda x, sizes: np.full(sizes, x),
        *(case((), sizes=sizes) for sizes in ((3,), (1,), (0,), (2, 3), (2, 3, 2), (1, 2, 2, 3))),
    ),
    linear("BVar.T", lambda x: lifted(x).T, lambda x: x.T, *matrices()),
    linear("BVar.mT", lambda x: lifted(x).mT, lambda x: x.mT, *matrices(), case((2, 3, 4))),
    linear(
        "BVar.reshape",
        lambda x, shape: lifted(x).reshape(shape),
        np.reshape,
        case((6,), shape=(2, 3)),
        case((2, 3), shape=-1),
        case((3, 2), layout="transposed", shape=(2, 3)),
        case((4,), layout="strided", shape=(2, 2)),
        case((0, 3), shape=(3, 0)),
        case((1,), shape=(1, 1)),
    ),
)

JOINED = (
    linear(
        "concatenate",
        lambda *xs, axis=0: tp.concatenate(xs, axis),
        lambda *xs, axis=0: np.concatenate(xs, axis),
        case((3,), (2,)),
        case((1,), (0,), (4,)),
        case((3,)),
        case((2, 3), (1, 3)),
        case((2, 3), (2, 1), axis=1),
        case((2, 1), (2, 3), axis=1),
        case((2, 3), (2, 3), axis=-1, layout="transposed"),
        case((4,), (2,), layout="strided"),
        case((2, 1, 3), (2, 2, 3), axis=1),
    ),
    linear(
        "stack",
        lambda *xs, axis=0: tp.stack(xs, axis),
        lambda *xs, axis=0: np.stack(xs, axis),
        case((), (), ()),
        case((3,), (3,)),
        case((3,), (3,), axis=1),
        case((0,), (0,)),
        case((1,), (1,)),
        case((2, 3), (2, 3), axis=1, layout="transposed"),
        case((2, 3), (2, 3), (2, 3), axis=-1),
        case((4,), (4,), layout="strided"),
    ),
    linear(
        "vstack",
        lambda *xs: tp.vstack(xs),
        lambda *xs: np.vstack(xs),
        case((3,), (3,)),
        case((1,), (1,)),
        case((0,), (0,)),
        case((2, 3), (1, 3)),
        case((2, 3), (2, 3), layout="transposed"),
        case((4,), (4,), layout="strided"),
    ),
    linear(
        "hstack",
        lambda *xs: tp.hstack(xs),
        lambda *xs: np.hstack(xs),
        case((3,), (2,)),
        case((1,), (0,)),
        case((2, 3), (2, 1)),
        case((2, 1), (2, 3)),
        case((2, 3), (2, 3), layout="transposed"),
        case((4,), (2,), layout="strided"),
        case((0, 2), (0, 1)),
    ),
    linear(
        "append",
        tp.append,
        np.append,
        case((3,), ()),
        case((3,), (2,)),
        case((0,), ()),
        case((1,), (0,)),
        case((4,), (2,), layout="strided"),
        case((3,), (3,), layout="transposed"),
    ),
    linear(
        "from_rows",
        lambda *xs: tp.from_rows(xs),
        lambda *xs: np.stack(xs),
        *(case((n,), (n,)) for n in (3, 1, 0)),
        case((4,), (4,), layout="strided"),
        case((2,), (2,), layout="transposed"),
        case((3,)),
        case((2,), (2,), (2,)),
    ),
    linear(
        "from_columns",
        lambda *xs: tp.from_columns(xs),
        lambda *xs: np.stack(xs, 1),
        *(case((n,), (n,)) for n in (3, 1, 0)),
        case((4,), (4,), layout="strided"),
        case((2,), (2,), layout="transposed"),
        case((3,)),
        case((2,), (2,), (2,)),
    ),
    linear(
        "split",
        lambda x, sections, axis=0: tp.split(x, sections, axis),
        lambda x, sections, axis=0: np.split(x, sections, axis),
        case((6,), sections=3),
        case((6,), sections=[1, 4]),
        case((4,), sections=[0, 4], layout="strided"),
        case((1,), sections=1),
        case((0,), sections=2),
        case((4, 2), sections=2),
        case((3, 2), sections=[2], axis=0, layout="transposed"),
        case((2, 3), sections=[1, 1], axis=1),
        case((2, 4, 2), sections=2, axis=-2),
    ),
    linear(
        "split_rows",
        lambda x, count: tp.split_rows(x, count),
        lambda x, count: np.split(x, [count]),
        *(case((3, 2), count=count) for count in (0, 1, 3)),
        case((3, 2), count=2, layout="transposed"),
        case((2, 4), count=1, layout="strided"),
        *(case(shape, count=0) for shape in ((0, 2), (2, 0), (1, 3))),
        case((4, 1), count=2),
    ),
    linear(
        "split_cols",
        lambda x, count: tp.split_cols(x, count),
        lambda x, count: np.split(x, [count], 1),
        *(case((2, 3), count=count) for count in (0, 1, 3)),
        case((2, 3), count=2, layout="transposed"),
        case((2, 4), count=1, layout="strided"),
        *(case(shape, count=1) for shape in ((0, 2), (3, 1), (1, 2))),
        case((2, 0), count=0),
    ),
    linear("rows", tp.rows, list, *(c for c in matrices() if c.shapes[0][0]), case((2, 0))),
    linear("columns", tp.columns, lambda x: list(x.T), *matrices()),
    linear(
        "head",
        tp.head,
        lambda x: x[0],
        *(case((n,)) for n in (3, 1, 2, 5, 6)),
        case((4,), layout="strided"),
        case((3,), layout="transposed"),
    ),
    linear(
        "tail",
        tp.tail,
        lambda x: x[1:],
        *(case((n,)) for n in (3, 1, 2, 5, 6)),
        case((4,), layout="strided"),
        case((3,), layout="transposed"),
    ),
)

PLACES = (
    linear(
        "flip",
        tp.flip,
        np.flip,
        *vectors(),
        *matrices(),
        *matrices(axis=1)[:3],
        case((2, 3, 2), axis=(0, -1)),
        case(()),
    ),
    linear(
        "roll",
        tp.roll,
        np.roll,
        *vectors(shift=2),
        *matrices(shift=-1),
        *matrices(shift=1, axis=1)[:3],
        case((2, 3), shift=(1, 2), axis=(0, 1)),
        case((), shift=1),
    ),
    linear(
        "pad",
        tp.pad,
        padded,
        *vectors(width=1),
        case((3,), width=(1, 2), value=1.5),
        case((3,), width=(2, 1), mode="edge"),
        case((3,), width=(2, 4), mode="reflect"),
        case((3,), width=2, mode="symmetric"),
        case((2, 3), width=((1, 0), (0, 2))),
        case((3, 2), width=1, mode="wrap", layout="transposed"),
        case((2, 1, 2), width=1),
        case((1, 2, 1, 2), width=((0, 0), (0, 0), (1, 1), (2, 0))),
    ),
    linear(
        "tile",
        lambda x, reps: tp.tile(x, reps),
        np.tile,
        *vectors(reps=2),
        case((3,), reps=(2, 3)),
        case((2, 3), reps=(2, 1)),
        case((3, 2), reps=(1, 2), layout="transposed"),
        case((2, 3), reps=(0, 2)),
        case((2, 1, 2), reps=(1, 2, 2)),
    ),
    linear(
        "repeat",
        tp.repeat,
        np.repeat,
        *vectors(repeats=2),
        case((3,), repeats=[0, 2, 1]),
        case((2, 3), repeats=2),
        case((2, 3), repeats=2, axis=0),
        case((3, 2), repeats=[2, 0, 1], axis=0, layout="transposed"),
        case((2, 3), repeats=3, axis=-1),
    ),
    linear(
        "take",
        tp.take,
        lambda x, indices, axis=None: np.take(x, np.array(indices, int), axis),
        case((3,), indices=[0, 2, 2, -1]),
        case((3,), indices=1),
        case((1,), indices=[]),
        case((0,), indices=[]),
        case((2, 3, 2), indices=[1, 0, 1], axis=1),
        case((4,), indices=[3, 0], layout="strided"),
        case((2, 3), indices=[1, 4]),
        case((2, 3), indices=[1, 1], axis=0),
        case((3, 2), indices=[1, 0, 1], axis=1, layout="transposed"),
        case((2, 3), indices=-1, axis=1),
    ),
    linear(
        "take_along_axis",
        tp.take_along_axis,
        lambda x, indices, axis=0: np.take_along_axis(x, indices, axis),
        case((3,), indices=np.array([0, 2, 2])),
        case((3,), indices=np.array([], int)),
        case((1,), indices=np.array([0, 0, -1])),
        case((4,), indices=np.array([3, 1]), layout="strided"),
        case((0,), indices=np.array([], int)),
        case((2, 2, 2), indices=np.array([[[1], [0]], [[1], [1]]]), axis=2),
        case((2, 3), indices=np.array([[0, 1, 1]]), axis=0),
        case((2, 3), indices=np.array([[0, 1], [2, 2]]), axis=1),
        case((3, 2), indices=np.array([[0], [1], [1]]), axis=-1, layout="transposed"),
    ),
    Row(
        "sort",
        tp.sort,
        np.sort,
        (*vectors(), *matrices(), *matrices(axis=0), case((2, 3, 2), axis=1)),
        distinct(),
        smooth=False,
        analytic=True,
    ),
    linear(
        "linspace",
        lambda a, b, num: tp.linspace(a, b, num),
        lambda a, b, num: np.linspace(a, b, num),
        *(case((), (), num=num) for num in (5, 2, 1, 0, 3, 10)),
    ),
    linear("diag", tp.diag, np.diag, *vectors(), case((3,), k=1), case((2,), k=-2)),
    linear(
        "take_diag",
        tp.take_diag,
        lambda x, k=0: np.diagonal(x, k),
        *matrices(),
        case((3, 4), k=1),
        case((3, 2), k=-2),
        case((2, 2), k=2),
    ),
    linear(
        "diff",
        tp.diff,
        np.diff,
        *(at for at in vectors() if at.shapes != ((0,),)),
        case((0,), n=0),
        case((5,), n=3),
        *matrices(),
        *matrices(axis=0)[:3],
        case((2, 4), n=2, axis=1),
        case((2, 3, 2), axis=1),
    ),
    linear("tril", tp.tril, np.tril, *matrices(), case((3, 3), k=-1), case((2, 3, 3))),
    linear("triu", tp.triu, np.triu, *matrices(), case((3, 3), k=1), case((2, 3, 3))),
)

INDEXED = (
    linear(
        "BVar.__getitem__",
        lambda x, index: lifted(x)[index],
        lambda x, index: x[index],
        case((3,), index=1),
        case((3,), index=slice(None, None, -1)),
        case((3,), index=np.array([0, 0, -1])),
        case((3,), index=[]),
        case((3,), index=np.array([True, False, True])),
        case((3,), index=(ALL, None)),
        case((4,), index=slice(1, 3), layout="strided"),
        case((1,), index=...),
        case((0,), index=ALL),
        case((2, 3), index=-1),
        case((2, 3), index=(1, 2)),
        case((2, 3), index=(ALL, slice(0, 2))),
        case((2, 3), index=(ALL, np.array([2, 0, 2]))),
        case((2, 3), index=(np.array([1, 1, 0]), np.array([2, 2, 0]))),
        case((2, 3), index=np.array([[True, False, True], [False, False, True]])),
        case((3, 2), index=np.array([False, True, True]), layout="transposed"),
        case((2, 3, 2), index=(ALL, 1)),
        case((2, 3, 2), index=(1, ..., np.array([0, 0, 1]))),
    ),
    linear(
        "BVar.__iter__", lambda x: list(lifted(x)), list, *vectors()[:2], *vectors()[3:], *matrices()[:3], case((2, 0))
    ),
    linear(
        "BVar.at.set",
        lambda x, v, index: lifted(x).at(index).set(v),
        assigned,
        case((3,), (), index=1),
        case((3,), (2,), index=np.array([2, 0])),
        case((3,), (), index=np.array([True, False, True])),
        case((4,), (2,), index=slice(1, 3), layout="strided"),
        case((1,), (), index=...),
        case((0,), (0,), index=ALL),
        case((2, 3), (3,), index=1),
        case((2, 3), (), index=(ALL, 1)),
        case((2, 3), (3,), index=ALL),
        case((2, 3), (1, 3), index=ALL),
        case((3, 2), (2,), index=(np.array([0, 2]), np.array([1, 1])), layout="transposed"),
        case((2, 3, 2), (2, 2), index=(ALL, 1)),
        orders=3,
    ),
    linear(
        "BVar.at.add",
        lambda x, v, index: lifted(x).at(index).add(v),
        increased,
        case((3,), (), index=1),
        case((3,), (3,), index=np.array([2, 0, 2])),
        case((3,), (), index=np.array([1, 1])),
        case((4,), (2,), index=slice(1, 3), layout="strided"),
        case((1,), (), index=...),
        case((0,), (0,), index=ALL),
        case((2, 3), (3,), index=1),
        case((2, 3), (), index=1),
        case((2, 3), (1, 3), index=ALL),
        case((2, 3), (2,), index=(np.array([0, 0]), np.array([1, 1]))),
        case((3, 2), (4, 2), index=np.array([0, 2, 2, 0]), layout="transposed"),
        orders=3,
    ),
)

ROWS: tuple[Row, ...] = (*SHAPES, *JOINED, *PLACES, *INDEXED)
