"""The typed constructors at run time; their types are checked in tests/typing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedprop import arrays
from typedprop.arrays import eye, full, matrix, normal, ones, tensor, uniform, vector, zeros
from typedprop.errors import DTypeError, ShapeError
from typedprop.shapes import Dim


class Rows(Dim):
    pass


class Columns(Dim):
    pass


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# Each constructor of any rank, as a function of its sizes.
SIZED: dict[str, Callable[..., np.ndarray[Any, Any]]] = {
    "zeros": zeros,
    "ones": ones,
    "full": lambda *sizes, **dtype: full(*sizes, fill_value=2.5, **dtype),
    "normal": lambda *sizes, **dtype: normal(rng(), *sizes, **dtype),
    "uniform": lambda *sizes, **dtype: uniform(rng(), *sizes, **dtype),
}
FLOATS: list[Any] = [np.float64, np.float32]


@pytest.mark.parametrize("name", SIZED)
@pytest.mark.parametrize("sizes", [(3,), (Rows(2), 3), (2, 0, 4), (1, 2, Columns(3), np.int64(4))])
def test_sizes_and_dtype(name: str, sizes: tuple[int, ...]) -> None:
    made = SIZED[name](*sizes)
    assert type(made) is np.ndarray
    assert made.shape == tuple(int(size) for size in sizes)
    assert made.dtype == np.float64
    assert made.flags.c_contiguous
    assert made.flags.writeable
    assert SIZED[name](*sizes, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.bool])
def test_contents(dtype: Any) -> None:
    assert np.array_equal(zeros(2, 3, dtype=dtype), np.zeros((2, 3), dtype))
    assert np.array_equal(ones(2, 3, dtype=dtype), np.ones((2, 3), dtype))
    assert np.array_equal(eye(3, dtype=dtype), np.eye(3, dtype=dtype))
    assert {array.dtype for array in (zeros(2, dtype=dtype), ones(2, dtype=dtype), eye(2, dtype=dtype))} == {
        np.dtype(dtype)
    }


def test_full() -> None:
    assert full(2, fill_value=2.5).tolist() == [2.5, 2.5]
    assert full(1, 2, fill_value=7).tolist() == [[7.0, 7.0]]
    assert full(2, fill_value=7, dtype=np.int64).dtype == np.int64
    with pytest.raises(DTypeError, match="full: fill_value is a float of dtype float64"):
        full(2, fill_value=2.5, dtype=np.int64)


def test_random_draws_are_the_generators() -> None:
    assert np.array_equal(normal(rng(), 3, 4, loc=1.0, scale=0.5), rng().normal(1.0, 0.5, (3, 4)))
    assert np.array_equal(uniform(rng(), 5, low=-2.0, high=3.0), rng().uniform(-2.0, 3.0, 5))
    assert np.array_equal(normal(rng(), 6, dtype=np.float32), rng().normal(size=6).astype(np.float32))
    generator = rng()
    assert not np.array_equal(normal(generator, 3), normal(generator, 3))


def test_random_options_are_checked() -> None:
    with pytest.raises(ValueError, match="scale < 0"):
        normal(rng(), 3, scale=-1.0)
    with pytest.raises(ValueError, match=r"uniform: low is 2\.0, above high, which is 1\.0"):
        uniform(rng(), 3, low=2.0)
    for random in (normal, uniform):
        call: Any = random
        with pytest.raises(TypeError, match=r"rng is of type int, not a np\.random\.Generator; write .*default_rng"):
            call(3, 4)
        with pytest.raises(DTypeError, match=r"dtype is int64, but the draws are floats: np\.float64 or np\.float32"):
            call(rng(), 3, dtype=np.int64)


@pytest.mark.parametrize("name", SIZED)
def test_sizes_are_checked(name: str) -> None:
    make = SIZED[name]
    with pytest.raises(ShapeError, match=f"{name}: a size cannot be negative, but one is -3"):
        make(2, -3)
    with pytest.raises(TypeError, match=f"{name} takes 1 to 4 sizes, but got 0"):
        make()
    with pytest.raises(TypeError, match=f"{name} takes 1 to 4 sizes, but got 5"):
        make(1, 1, 1, 1, 1)
    with pytest.raises(TypeError, match=rf"{name} takes its sizes one by one: {name}\(3, 4\), not {name}\(\(3, 4\)\)"):
        make((3, 4))
    for size in (2.0, True, None):
        with pytest.raises(TypeError, match=f"{name}: a size is an int, but {size!r} is of type"):
            make(3, size)


@pytest.mark.parametrize("dtype", [np.complex128, np.float16, np.longdouble, np.object_, np.str_])
def test_dtypes_are_checked(dtype: Any) -> None:
    for name in ("zeros", "ones", "full", "eye", "vector", "normal"):
        make: Any = getattr(arrays, name)
        arguments: dict[str, list[Any]] = {"vector": [[1.0]], "normal": [rng(), 3]}
        options = {"fill_value": 1.0} if name == "full" else {}
        with pytest.raises(DTypeError, match=rf"{name}: dtype is .*; it can be np\.float64, np\.float32"):
            make(*arguments.get(name, [3]), dtype=dtype, **options)


def test_eye_takes_one_size() -> None:
    assert eye(Rows(2)).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    with pytest.raises(ShapeError, match="eye: a size cannot be negative, but one is -1"):
        eye(-1)


def test_data_becomes_a_plain_array() -> None:
    made: list[np.ndarray[Any, Any]] = [
        vector([1, 2.5, True + 1], Rows(3)),
        vector((1, 2), n=2),
        vector(np.arange(3)),
        vector([]),
        matrix([[1, 2], [3, 4]], Rows(2), Columns(2)),
        matrix([np.arange(2), np.arange(2)]),
        matrix(np.zeros((0, 3)), 0, 3),
        tensor(np.zeros((2, 3, 4)), 2, 3, 4),
        tensor([[[[1]]]], 1, 1, 1, 1),
    ]
    for array in made:
        assert type(array) is np.ndarray
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
    assert made[0].tolist() == [1.0, 2.5, 2.0]
    assert [array.shape for array in made] == [(3,), (2,), (3,), (0,), (2, 2), (2, 2), (0, 3), (2, 3, 4), (1, 1, 1, 1)]


@given(st.lists(st.floats(width=32), max_size=20), st.sampled_from(FLOATS))
def test_floats_are_kept_exactly(data: list[float], dtype: Any) -> None:
    assert vector(data, len(data), dtype=dtype).tolist() == pytest.approx(data, abs=0.0, rel=0.0, nan_ok=True)


def test_data_is_copied() -> None:
    data = np.arange(6.0)
    for array in (vector(data, 6), matrix(data.reshape(2, 3), 2, 3), tensor(data.reshape(1, 2, 3), 1, 2, 3)):
        assert not np.shares_memory(array, data)
        array[...] = 9.0
    assert data.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert matrix(data.reshape(2, 3).T).flags.c_contiguous


@pytest.mark.parametrize("dtype", FLOATS)
def test_float_data_is_converted(dtype: Any) -> None:
    for given_dtype in FLOATS:
        assert vector(np.array([0.1, 0.2], given_dtype), dtype=dtype).dtype == dtype


def test_data_of_the_wrong_size() -> None:
    message = r"vector: data has shape \(2,\), but the declared sizes are \(Rows\(3\)\); give data of that shape"
    with pytest.raises(ShapeError, match=message):
        vector([1.0, 2.0], Rows(3))
    message = r"matrix: data has shape \(2, 1\), but the declared sizes are \(Rows\(1\), 2\)"
    with pytest.raises(ShapeError, match=message):
        matrix([[1.0], [2.0]], Rows(1), 2)
    with pytest.raises(ShapeError, match=r"tensor: data has shape \(1, 1, 1\), but the declared sizes are \(1, 1, 2\)"):
        tensor([[[1.0]]], 1, 1, 2)
    with pytest.raises(ShapeError, match="vector: a size cannot be negative, but one is -1"):
        vector([1.0], -1)


def test_data_of_the_wrong_rank() -> None:
    call: Any = vector
    with pytest.raises(ShapeError, match=r"vector: data has 2 axes \(shape \(1, 2\)\), but a vector has 1; reshape it"):
        call([[1.0, 2.0]], 2)
    with pytest.raises(ShapeError, match=r"vector: data has 0 axes \(shape \(\)\), but a vector has 1"):
        call(1.0)
    with pytest.raises(ShapeError, match=r"matrix: data has 1 axes \(shape \(2,\)\), but a matrix has 2"):
        matrix(np.zeros(2), 1, 2)
    with pytest.raises(ShapeError, match=r"tensor: data has 2 axes \(shape \(1, 1\)\), but a tensor has 3"):
        tensor(np.zeros((1, 1)), 1, 1, 1)


def test_ragged_data() -> None:
    with pytest.raises(ShapeError, match="matrix: data is ragged: its rows, or the parts of a row, differ in length"):
        matrix([[1.0, 2.0], [3.0]], 2, 2)


@pytest.mark.parametrize(
    ("data", "dtype", "given_dtype"),
    [
        ([True, False], np.float64, "bool"),
        ([1j, 2.0], np.float64, "complex128"),
        (["1", "2"], np.float64, "<U1"),
        ([None, 1.0], np.float64, "object"),
        ([2**70], np.float64, "object"),
        ([1.0, 2.0], np.int64, "float64"),
        ([True], np.int64, "bool"),
        ([0, 1], np.bool, "int64"),
    ],
)
def test_data_of_the_wrong_kind(data: Any, dtype: Any, given_dtype: str) -> None:
    message = (
        f"vector: data is a list of dtype {given_dtype}, which does not become {np.dtype(dtype)} by itself; convert it"
    )
    with pytest.raises(DTypeError, match=message):
        vector(data, dtype=dtype)


def test_plain_data_of_other_dtypes() -> None:
    assert vector([3, 1], 2, dtype=np.int64).dtype == np.int64
    assert vector([True, False], 2, dtype=np.bool).tolist() == [True, False]
    assert matrix(np.array([[255]]), dtype=np.uint8).tolist() == [[255]]


@pytest.mark.parametrize("data", [np.array([300]), np.array([-1])])
def test_integers_that_do_not_fit(data: Any) -> None:
    with pytest.raises(
        DTypeError, match="vector: data holds integers that uint8 cannot represent; choose a wider dtype"
    ):
        vector(data, dtype=np.uint8)


def test_a_matrix_takes_both_sizes_or_none() -> None:
    call: Any = matrix
    with pytest.raises(TypeError, match="matrix takes both sizes or none"):
        call([[1.0]], 1)


@pytest.mark.parametrize("sizes", [(), (2,), (1, 2), (1, 1, 1, 1, 2)])
def test_a_tensor_has_three_or_four_sizes(sizes: tuple[int, ...]) -> None:
    call: Any = tensor
    with pytest.raises(
        TypeError, match=f"tensor takes 3 or 4 sizes after the data, but got {len(sizes)}; for one or two"
    ):
        call(np.zeros(2), *sizes)
