"""Structural operations beyond the table: ties in sort, places chosen twice, plain integers, and all errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, lift, tp


def message_of(kind: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


# -- sort -----------------------------------------------------------------------------------------------------------


def test_equal_elements_share_the_derivative_of_sort() -> None:
    """As for max and min: of two equal elements, each is half of the first and half of the second place."""
    x = BVar(np.array([1.0, 2.0, 1.0, 3.0, 2.0, 2.0]))
    weight = BVar(np.arange(6.0))
    value, pullback = tp.vjp(tp.sort, x)
    assert value.value.tolist() == [1.0, 1.0, 2.0, 2.0, 2.0, 3.0]
    assert pullback(weight).value.tolist() == [0.5, 3.0, 0.5, 5.0, 3.0, 3.0]
    tangent = tp.jvp(tp.sort, x, weight)[1].value
    np.testing.assert_allclose(tangent, [1.0, 1.0, 10 / 3, 10 / 3, 10 / 3, 3.0])
    assert tp.grad(lambda x: tp.sort(x)[-1])(BVar(np.ones(4))).value.tolist() == [0.25] * 4


def test_ties_are_shared_along_the_axis_only() -> None:
    x = BVar(np.array([[1.0, 1.0], [1.0, 2.0]]))
    for axis, expected in ((0, [[0.5, 1.0], [1.5 - 1.0, 2.0]]), (1, [[0.5, 0.5], [2.0, 3.0]])):
        weight = np.array([[0.0, 1.0], [1.0, 2.0]]) if axis == 0 else np.array([[0.0, 1.0], [2.0, 3.0]])
        gradient = tp.grad(lambda x: (tp.sort(x, axis) * weight).sum())(x)  # noqa: B023
        assert gradient.value.tolist() == expected


def test_nan_is_sorted_to_the_end() -> None:
    x = np.array([np.nan, 2.0, np.nan, 1.0])
    gradient = tp.grad(lambda x: (tp.sort(x)[:2] * np.array([10.0, 20.0])).sum())(BVar(x)).value
    assert gradient.tolist() == [0.0, 20.0, 0.0, 10.0]


# -- Indexing -------------------------------------------------------------------------------------------------------


def test_repeated_indices_accumulate() -> None:
    x, index = lift(3), np.array([0, 0, 2, 0])
    choices: list[Callable[[Any], Any]] = [
        lambda x: x[index],
        lambda x: tp.take(x, index),
        lambda x: tp.take_along_axis(x, index),
    ]
    for f in choices:
        assert tp.grad(lambda x: (f(x) * np.arange(4.0)).sum())(x).value.tolist() == [4.0, 0.0, 2.0]  # noqa: B023


def test_an_index_may_be_changed_after_its_use() -> None:
    index = np.array([0, 1])

    def f(x: Any) -> Any:
        y = x[index].sum() + tp.take(x, index).sum() + x.at(index).add(1.0)[0]
        index[:] = 2
        return y

    gradient = tp.grad(f)(lift(3)).value
    assert gradient.tolist() == [3.0, 2.0, 0.0]


def test_functional_updates() -> None:
    x = lift(3)
    before = x.value.copy()
    y = x.at(1).set(5.0).at(np.array([0, 0])).add(BVar(1.0))
    assert y.value.tolist() == [before[0] + 2.0, 5.0, before[2]]
    assert np.array_equal(x.value, before)
    assert tp.grad(lambda x: (x.at(1).set(5.0) * np.arange(3.0)).sum())(x).value.tolist() == [0.0, 0.0, 2.0]
    # What is overwritten is gone, even infinities.
    spoilt = BVar(np.array([1.0, np.inf, np.nan]))
    assert np.array_equal(spoilt.at(np.array([1, 2])).set(0.0).value, [1.0, 0.0, 0.0])


def test_a_place_chosen_twice_cannot_be_set() -> None:
    x = lift(2, 3)
    for index in (np.array([0, 1, 0]), [-1, 1], (np.array([0, 0]), np.array([1, 1]))):
        message = message_of(ValueError, lambda: x.at(index).set(0.0))  # noqa: B023
        assert message.startswith("at(...).set: the index chooses an element twice") and "at(...).add" in message
    assert x.at((np.array([0, 0]), np.array([1, 2]))).set(0.0).value[0, 1] == 0.0


def test_updates_that_do_not_fit() -> None:
    x = lift(2, 3)
    message = message_of(tp.ShapeError, lambda: x.at(0).set(lift(2)))
    assert message.startswith("at(...).set: R[2] and R[3] do not go together")
    message = message_of(tp.ShapeError, lambda: x.at(0).add(np.ones((2, 3))))
    assert message == "at(...).add: the value is L[2, 3], the place R[3]"
    assert "L[2, 3] indexed with 2" in message_of(IndexError, lambda: x.at(2))
    assert "a scalar BVar cannot be indexed" in message_of(TypeError, lambda: BVar(1.0).at(0))
    assert "an index array has dtype float64" in message_of(IndexError, lambda: x.at(np.array([0.5])))
    assert "the value is a list" in message_of(tp.DTypeError, lambda: x.at(0).set([1.0, 2.0, 3.0]))
    message = message_of(tp.DTypeError, lambda: x.at(0).set(lift(3, dtype=np.float32)))
    assert message.startswith("at(...).set: one operand is float32 and the other float64")
    assert message_of(tp.DTypeError, lambda: x.at(0).set(np.ones(3, np.float32))).startswith("at(...).set:")


# -- Plain data -----------------------------------------------------------------------------------------------------

OF_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: tp.reshape(x, (3, 2)),
    "ravel": tp.ravel,
    "transpose": tp.transpose,
    "swapaxes": lambda x: tp.swapaxes(x, 0, 1),
    "broadcast_to": lambda x: tp.broadcast_to(x, (2, 2, 3)),
    "concatenate": lambda x: tp.concatenate([x, x]),
    "stack": lambda x: tp.stack([x, x]),
    "vstack": lambda x: tp.vstack([x, x]),
    "hstack": lambda x: tp.hstack([x, x]),
    "rows": lambda x: tp.rows(x)[0],
    "split": lambda x: tp.split(x, 2)[1],
    "flip": tp.flip,
    "roll": lambda x: tp.roll(x, 1),
    "pad": lambda x: tp.pad(x, 1),
    "tile": lambda x: tp.tile(x, (2, 2)),
    "repeat": lambda x: tp.repeat(x, 2, axis=0),
    "take": lambda x: tp.take(x, [0, 0], axis=0),
    "sort": tp.sort,
    "take_diag": tp.take_diag,
    "tril": tp.tril,
    "triu": tp.triu,
}


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool, np.float32])
@pytest.mark.parametrize("name", OF_ARRAYS)
def test_plain_arrays_keep_their_dtype_and_memory(name: str, dtype: Any) -> None:
    x = np.array([[3, 1, 2], [0, 5, 4]]).astype(dtype)
    before = x.copy()
    y = OF_ARRAYS[name](x)
    assert y.dtype == dtype and not np.shares_memory(x, y)
    y[...] = 1
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", OF_ARRAYS)
@pytest.mark.parametrize(
    "value", [np.ones((2, 3)) * 1j, np.array([["a"]]), [[1.0, 2.0]], None, np.ma.masked_array(np.ones((2, 3)), False)]
)
def test_plain_data_that_is_refused(name: str, value: Any) -> None:
    message = message_of(tp.DTypeError, lambda: OF_ARRAYS[name](value))
    assert message.startswith(f"{name}: ")
    kind = "MaskedArray" if isinstance(value, np.ma.MaskedArray) else str(getattr(value, "dtype", type(value).__name__))
    assert kind in message


def test_integers_beside_floats_become_floats() -> None:
    assert tp.concatenate([np.arange(2), np.ones(2, np.float32)]).dtype == np.float32
    assert tp.concatenate([np.arange(2), lift(2, dtype=np.float32)]).dtype == np.float32
    assert tp.append(lift(2, dtype=np.float32), 1).dtype == np.float32
    message = message_of(tp.DTypeError, lambda: tp.stack([np.ones(2), np.ones(2, np.float32)]))
    assert message.startswith("stack: one operand is float32 and the other float64")


def test_full() -> None:
    assert tp.full(2, 3, fill_value=BVar(2.0), dtype=np.float32).dtype == np.float32
    threes = tp.full(2, fill_value=3, dtype=np.int64)
    assert threes.dtype == np.int64 and threes.tolist() == [3, 3]
    assert tp.grad(lambda b: tp.full(2, 3, fill_value=b).sum())(BVar(1.0)).value == 6.0
    assert "fill_value is R[2]; wanted a scalar" in message_of(tp.ShapeError, lambda: tp.full(2, fill_value=lift(2)))
    message = message_of(tp.DTypeError, lambda: tp.full(2, fill_value=BVar(1.0), dtype=np.int64))
    assert message == "full: a BVar cannot fill an array of dtype int64; wanted np.float64 or np.float32"


def test_linspace_ends_exactly() -> None:
    x = tp.linspace(BVar(0.1), BVar(0.7), 7).value
    assert (x[0], x[-1]) == (0.1, 0.7)
    assert tp.grad(lambda a: tp.linspace(a, 2.0, 3).sum())(BVar(0.0)).value == 1.5


# -- Errors ---------------------------------------------------------------------------------------------------------

W = np.ones((2, 3))

WRONG: dict[str, tuple[type[Exception], Callable[[Any], Any], str]] = {
    "reshape": (tp.ShapeError, lambda x: tp.reshape(x, (4, 2)), "L[2, 3] has 6 elements, which (4, 2) cannot hold"),
    "reshape, a size": (tp.ShapeError, lambda x: tp.reshape(x, (-2, 3)), "(-2, 3)"),
    "transpose": (
        tp.ShapeError,
        lambda x: tp.transpose(x, (0, 0)),
        "(0, 0) do not name each axis of L[2, 3] once",
    ),
    "transpose, too many": (tp.ShapeError, lambda x: tp.transpose(x, (0, 1, 2)), "do not name each axis of L[2, 3]"),
    "swapaxes": (tp.ShapeError, lambda x: tp.swapaxes(x, 0, 2), "swapaxes: axis 2 is out of range for L[2, 3]"),
    "row": (tp.ShapeError, tp.row, "row: x is L[2, 3]; wanted a vector R[n]"),
    "col": (tp.ShapeError, tp.col, "col: x is L[2, 3]; wanted a vector R[n]"),
    "unrow": (tp.ShapeError, tp.unrow, "unrow: x is L[2, 3]; wanted a matrix of one row"),
    "uncol": (tp.ShapeError, tp.uncol, "uncol: x is L[2, 3]; wanted a matrix of one column"),
    "broadcast_to": (tp.ShapeError, lambda x: tp.broadcast_to(x, (2, 4)), "broadcast_to: L[2, 3] and L[2, 4]"),
    "broadcast_to, smaller": (tp.ShapeError, lambda x: tp.broadcast_to(x, 3), "L[2, 3] does not fill R[3]"),
    "broadcast_to, a column": (tp.ShapeError, lambda x: tp.broadcast_to(x, (2, 1)), "L[2, 3] does not fill L[2, 1]"),
    "broadcast_to, a size": (tp.ShapeError, lambda x: tp.broadcast_to(x, (-1, 3)), "(-1, 3) is negative"),
    "broadcast_to, a float": (TypeError, lambda x: tp.broadcast_to(x, 3.0), "shape is 3.0; wanted an int or a tuple"),
    "concatenate": (tp.ShapeError, lambda x: tp.concatenate([x, np.ones(3)]), "array 1 is R[3] beside L[2, 3]"),
    "concatenate, axis": (tp.ShapeError, lambda x: tp.concatenate([x], 2), "axis 2 is out of range for L[2, 3]"),
    "concatenate, none": (tp.ShapeError, lambda x: tp.concatenate([]), "concatenate: there are no arrays to join"),
    "concatenate, one": (TypeError, tp.concatenate, "wanted a sequence of arrays, got one L[2, 3]"),
    "concatenate, scalars": (tp.ShapeError, lambda x: tp.concatenate([1.0, 2.0]), "out of range for float"),
    "stack": (tp.ShapeError, lambda x: tp.stack([x, W.T]), "stack: array 1 is L[3, 2] beside L[2, 3]"),
    "stack, axis": (tp.ShapeError, lambda x: tp.stack([x], 3), "axis 3 is out of range for arrays of L[2, 3]"),
    "vstack": (tp.ShapeError, lambda x: tp.vstack([x, np.ones(3)]), "vstack: the arrays are L[2, 3], R[3]; wanted"),
    "vstack, sizes": (tp.ShapeError, lambda x: tp.vstack([x, W.T]), "vstack: array 1 is L[3, 2] beside L[2, 3]"),
    "hstack": (tp.ShapeError, lambda x: tp.hstack([x, W.T]), "hstack: array 1 is L[3, 2] beside L[2, 3]"),
    "append": (tp.ShapeError, lambda x: tp.append(x, 1.0), "append: x is L[2, 3]; wanted a vector"),
    "append, value": (
        tp.ShapeError,
        lambda x: tp.append(np.ones(2), x),
        "is L[2, 3]; wanted a vector or a scalar",
    ),
    "from_rows": (tp.ShapeError, lambda x: tp.from_rows([x, x]), "from_rows: array 0 is L[2, 3]; wanted vectors"),
    "from_columns": (tp.ShapeError, lambda x: tp.from_columns([x]), "from_columns: array 0 is L[2, 3]; wanted vectors"),
    "split": (tp.ShapeError, lambda x: tp.split(x, 2, 1), "axis 1 of L[2, 3] does not divide into 2 equal pieces"),
    "split, none": (tp.ShapeError, lambda x: tp.split(x, 0), "does not divide into 0 equal pieces"),
    "split, order": (tp.ShapeError, lambda x: tp.split(x, [2, 1], 1), "positions [2, 1] do not ascend from 0 to 3"),
    "split, beyond": (tp.ShapeError, lambda x: tp.split(x, [4], 1), "positions [4] do not ascend from 0 to 3"),
    "split, axis": (tp.ShapeError, lambda x: tp.split(x, 1, 2), "split: axis 2 is out of range for L[2, 3]"),
    "split_rows": (tp.ShapeError, lambda x: tp.split_rows(x, 3), "split_rows: L[2, 3] does not have 3 rows"),
    "split_cols": (tp.ShapeError, lambda x: tp.split_cols(x, -1), "split_cols: L[2, 3] does not have -1 columns"),
    "rows": (tp.ShapeError, lambda x: tp.rows(x[0]), "rows: x is R[3]; wanted a matrix"),
    "columns": (tp.ShapeError, lambda x: tp.columns(x[0]), "columns: x is R[3]; wanted a matrix"),
    "head": (tp.ShapeError, tp.head, "head: x is L[2, 3]; wanted a vector of one element or more"),
    "tail": (tp.ShapeError, lambda x: tp.tail(x[0, :0]), "tail: x is R[0]; wanted a vector of one element or more"),
    "flip": (tp.ShapeError, lambda x: tp.flip(x, 2), "flip: axis 2 is out of range for L[2, 3]"),
    "roll": (tp.ShapeError, lambda x: tp.roll(x, 1, -3), "roll: axis -3 is out of range for L[2, 3]"),
    "roll, shifts": (tp.ShapeError, lambda x: tp.roll(x, (1, 2), 0), "roll: there are 2 shifts for 1 axes"),
    "roll, no axis": (tp.ShapeError, lambda x: tp.roll(x, (1, 2)), "roll: several shifts need several axes"),
    "pad": (
        tp.ShapeError,
        lambda x: tp.pad(x, (1, 2, 3)),
        "(1, 2, 3) does not give a pair for each axis of L[2, 3]",
    ),
    "pad, negative": (tp.ShapeError, lambda x: tp.pad(x, -1), "pad: width -1 has a negative number in it"),
    "pad, mode": (ValueError, lambda x: tp.pad(x, 1, "mean"), "pad: mode 'mean'; wanted"),
    "pad, nothing": (tp.ShapeError, lambda x: tp.pad(x[:0], 1, "edge"), "L[0, 3] has no elements along axis 0"),
    "tile": (
        tp.ShapeError,
        lambda x: tp.tile(x, 2),
        "2 do not give a count of 0 or more for each axis of L[2, 3]",
    ),
    "tile, negative": (tp.ShapeError, lambda x: tp.tile(x, (1, -1)), "reps (1, -1) do not give a count"),
    "repeat": (tp.ShapeError, lambda x: tp.repeat(x, [1, 2], 1), "repeat: 2 repeats for the 3 elements along axis 1"),
    "repeat, negative": (tp.ShapeError, lambda x: tp.repeat(x, -1), "repeats is -1; wanted an int of 0 or more"),
    "repeat, a float": (tp.ShapeError, lambda x: tp.repeat(x, 1.5), "repeats is 1.5; wanted an int"),
    "take": (
        IndexError,
        lambda x: tp.take(x, [0, 2], 0),
        "the indices go from 0 to 2, but axis 0 of L[2, 3] has 2",
    ),
    "take, negative": (IndexError, lambda x: tp.take(x, -7), "the indices go from -7 to -7"),
    "take, floats": (IndexError, lambda x: tp.take(x, [0.5]), "the indices have dtype float64; wanted integers"),
    "take, axis": (tp.ShapeError, lambda x: tp.take(x, 0, 2), "take: axis 2 is out of range for L[2, 3]"),
    "take_along_axis": (
        tp.ShapeError,
        lambda x: tp.take_along_axis(x, np.zeros((3, 1), int), 1),
        "indices of L[3, 1] for L[2, 3]; all sizes but that of axis 1 must be equal",
    ),
    "take_along_axis, floats": (IndexError, lambda x: tp.take_along_axis(x, W), "dtype float64; wanted integers"),
    "take_along_axis, range": (IndexError, lambda x: tp.take_along_axis(x, np.full((1, 3), 5)), "5"),
    "sort": (tp.ShapeError, lambda x: tp.sort(x, 2), "sort: axis 2 is out of range for L[2, 3]"),
    "linspace": (tp.ShapeError, lambda x: tp.linspace(x, 1.0, 3), "linspace: start is L[2, 3]; wanted a scalar"),
    "linspace, num": (tp.ShapeError, lambda x: tp.linspace(0.0, 1.0, -1), "linspace: num is -1; wanted 0 or more"),
    "diag": (tp.ShapeError, tp.diag, "diag: x is L[2, 3]; wanted a vector R[n] (take_diag gives a matrix's diagonal)"),
    "take_diag": (tp.ShapeError, lambda x: tp.take_diag(x[0]), "take_diag: x is R[3]; wanted a matrix"),
    "take_diag, outside": (tp.ShapeError, lambda x: tp.take_diag(x, 4), "take_diag: L[2, 3] has no diagonal 4"),
    "tril": (tp.ShapeError, lambda x: tp.tril(x[0]), "tril: x is R[3]; wanted a matrix"),
    "triu": (tp.ShapeError, lambda x: tp.triu(x[0]), "triu: x is R[3]; wanted a matrix"),
    "an index": (IndexError, lambda x: BVar(W)[2], "L[2, 3] indexed with 2"),
}


@pytest.mark.parametrize("lifted", [True, False], ids=["BVar", "plain"])
@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(name: str, lifted: bool) -> None:
    kind, call, part = WRONG[name]
    message = message_of(kind, lambda: call(BVar(W) if lifted else W))
    assert part in message, message
