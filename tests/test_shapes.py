"""R, L, Tensor3, Tensor4 and Dim at run time."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Generic, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from typing_extensions import TypeVar

from typedprop.shapes import Dim, L, One, R, Tensor3, Tensor4

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
T = TypeVar("T")

RANKS = [(R, 1), (L, 2), (Tensor3, 3), (Tensor4, 4)]
# As values, which a checker does not follow.
ANY_R: Any = R
ANY_L: Any = L
ANY_TENSOR3: Any = Tensor3


class Hidden(Dim):
    pass


class Digits(Dim):
    pass


class Box(Generic[T]):
    content: T


class Annotated(Generic[M, N]):
    weight: Box[L[M, N]]
    bias: Box[R[M, np.float32]]
    labels: Box[R[Literal[3], np.int64]] | None
    column: Box[L[Hidden, One]]


@pytest.mark.parametrize(("name", "rank"), RANKS)
def test_isinstance_answers_by_rank(name: type, rank: int) -> None:
    for ndim in range(6):
        assert isinstance(np.zeros((2,) * ndim), name) == (ndim == rank)
    for other in (None, 1.0, [1.0], [[1.0]], np.float64(1.0), name):
        assert not isinstance(other, name)


def test_isinstance_of_a_union() -> None:
    assert isinstance(np.zeros(3), R | L)
    assert not isinstance(np.zeros((1, 1, 1)), R | L)


@pytest.mark.parametrize(("name", "rank"), RANKS)
def test_a_subscript_keeps_its_parameters_and_says_the_dtype(name: Any, rank: int) -> None:
    alias = name[(N,) * rank]
    assert get_origin(alias) is name
    assert get_args(alias) == (N,) * rank + (np.float64,)
    assert alias.__parameters__ == (N,)
    assert alias == name[(*(N,) * rank, np.float64)]
    assert alias != name[(*(N,) * rank, np.float32)]
    assert hash(alias) == hash(name[(N,) * rank])


@pytest.mark.parametrize("size", [20, 0, Hidden, Hidden(20), Literal[20], One, Any, N, "Hidden"])
def test_what_a_size_can_be(size: Any) -> None:
    assert get_args(ANY_R[size]) == (size, np.float64)


@pytest.mark.parametrize("size", [-1, True, 2.5])
def test_what_is_no_size(size: Any) -> None:
    with pytest.raises(TypeError, match=r"L\[\.\.\.\]: (-1|True|2\.5) is not a size; write an int of 0 or more"):
        ANY_L[3, size]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (R, (M, N, np.float32), "R takes 1 size and, if you like, a dtype, but got 3 parameters"),
        (R, (), "R takes 1 size and, if you like, a dtype, but got 0 parameters"),
        (L, M, "L takes 2 sizes and, if you like, a dtype, but got 1 parameters"),
        (Tensor4, (M, M, M), "Tensor4 takes 4 sizes"),
    ],
)
def test_the_number_of_parameters_is_checked(name: Any, parameters: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        name[parameters]


def test_a_generic_alias_can_be_specialised() -> None:
    box: Any = Box
    assert ANY_L[M, N][Hidden, Digits] == L[Hidden, Digits]
    assert box[ANY_L[M, Hidden]][Digits] == Box[L[Digits, Hidden]]


def test_annotations_are_resolved() -> None:
    hints = get_type_hints(Annotated)
    box: Any = Box
    assert hints["weight"] == box[ANY_L[M, N]]
    assert hints["bias"] == box[ANY_R[M, np.float32]]
    assert hints["labels"] == Box[R[Literal[3], np.int64]] | None
    assert hints["column"] == Box[L[Hidden, Literal[1]]]


def test_aliases_are_copied_and_pickled() -> None:
    alias = ANY_TENSOR3[Hidden, Any, 3]
    assert copy.deepcopy(alias) == pickle.loads(pickle.dumps(alias)) == alias


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        (R, r"tp\.vector\(data, n\) or tp\.zeros\(n\)"),
        (L, r"tp\.matrix"),
        (Tensor3, r"tp\.tensor"),
        (Tensor4, r"tp\.tensor"),
    ],
)
def test_a_call_says_how_to_make_one(name: Any, maker: str) -> None:
    with pytest.raises(TypeError, match=f"{name.__name__} names a type and makes no values: .* Make one with {maker}"):
        name([1.0, 2.0])
    with pytest.raises(TypeError, match="names a type"):
        name[(3,) * name.rank](3)


def test_a_dim_is_an_int_with_a_name() -> None:
    hidden = Hidden(300)
    assert isinstance(hidden, int)
    assert hidden == 300
    assert repr(hidden) == "Hidden(300)"
    assert str(hidden) == f"{hidden}" == "300"
    assert np.zeros((hidden, 2)).shape == (300, 2)
    assert Hidden(np.int64(3)) == 3
    assert Hidden(0) == 0


@pytest.mark.parametrize("size", [True, 3.0, "3", None, np.float64(3.0), np.True_])
def test_a_dim_refuses_what_is_no_int(size: Any) -> None:
    with pytest.raises(TypeError, match=r"Hidden\(.*\): a size is an int, not \w+"):
        Hidden(size)


def test_a_dim_refuses_a_negative_size() -> None:
    with pytest.raises(ValueError, match=r"Hidden\(-3\): a size cannot be negative"):
        Hidden(-3)


def test_a_dim_is_pickled_and_copied() -> None:
    for same in (pickle.loads(pickle.dumps(Hidden(3))), copy.deepcopy(Hidden(3))):
        assert same == 3
        assert type(same) is Hidden
