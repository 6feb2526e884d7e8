"""asarray: arrays of other libraries, shared and not copied, and refused where sizes or dtypes are not as declared."""

from __future__ import annotations

import array
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop import Dim, DTypeError, ShapeError

X = np.arange(6.0).reshape(2, 3)


class Rows(Dim): ...


class Columns(Dim): ...


def library(name: str) -> Any:
    """A library that is not among those that the tests need: without it, the test says that it is skipped."""
    pytest.importorskip(name, reason=f"{name} is not installed: pip install {name}")
    return import_module(name)


def test_an_array_is_shared() -> None:
    y = tp.asarray(X, Rows(2), Columns(3))
    assert type(y) is np.ndarray and np.shares_memory(X, y) and np.array_equal(X, y)
    assert np.shares_memory(tp.asarray(X.T, 3, 2), X) and np.shares_memory(tp.asarray(X[:, 1], 2), X)
    assert not np.shares_memory(BVar(y).value, X)
    for shape in ((3,), (2, 3), (2, 1, 3), (1, 2, 2, 2)):
        assert tp.asarray(np.zeros(shape, np.float32), *shape, dtype=np.float32).shape == shape
    assert tp.asarray(np.array([True]), 1, dtype=np.bool).dtype == np.bool


def test_a_memory_map_is_shared(tmp_path: Path) -> None:
    X.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.float64, "r", shape=(2, 3))
    y = tp.asarray(mapped, 2, 3)
    assert type(y) is np.ndarray and np.shares_memory(y, mapped) and not y.flags.writeable
    value, gradient = tp.value_and_grad(lambda w: (y @ w).sum())(BVar(np.ones(3)))
    assert value.value == 15.0 and np.array_equal(gradient.value, [3.0, 5.0, 7.0])


def test_buffers_are_shared() -> None:
    data = array.array("d", [1.0, 2.0])
    tp.asarray(memoryview(data), 2)[0] = 5.0
    assert data[0] == 5.0


class OnADevice:
    """An array that says by DLPack where it is: on a CUDA device, or in memory that it does not give away."""

    shape = (3,)

    def __init__(self, device: int) -> None:
        self.device = device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0

    def __dlpack__(self, **options: object) -> object:
        raise BufferError("it is sparse")


def test_what_cannot_be_shared_is_told() -> None:
    with pytest.raises(DTypeError, match=r"asarray: the tests OnADevice is not in the main memory; copy it there"):
        tp.asarray(OnADevice(2), 3)
    with pytest.raises(DTypeError, match=r"asarray: the tests OnADevice cannot be shared with NumPy: it is sparse"):
        tp.asarray(OnADevice(1), 3)
    learnt: Any = OnADevice(1)
    learnt.requires_grad = True
    with pytest.raises(DTypeError, match=r"asarray: the tests OnADevice requires grad, which ends here; say so with"):
        tp.asarray(learnt, 3)


def test_sizes_and_dtypes_are_checked() -> None:
    with pytest.raises(
        ShapeError, match=r"asarray: data has shape \(2, 3\), but the declared sizes are \(Rows\(3\), 2"
    ):
        tp.asarray(X, Rows(3), 2)
    with pytest.raises(DTypeError, match=r"of dtype float32, but float64 was declared; pass dtype=np.float32 for what"):
        tp.asarray(X.astype(np.float32), 2, 3)
    with pytest.raises(DTypeError, match=r"dtype >f8, but float64 was declared; convert it first, which copies: \.ast"):
        tp.asarray(X.astype(">f8"), 2, 3)
    with pytest.raises(
        DTypeError, match=r"dtype float16, but float64 was declared; convert it first, which copies: \.ast"
    ):
        tp.asarray(X.astype(np.float16), 2, 3)
    with pytest.raises(DTypeError, match="dtype is complex128; it can be"):
        tp.asarray(X, 2, 3, dtype=np.complex128)
    with pytest.raises(TypeError, match="asarray takes 1 to 4 sizes, but got 0"):
        tp.asarray(X)


@pytest.mark.parametrize("data", [[1.0], (1.0,), "1", 1.0, None])
def test_lists_and_numbers_are_for_vector(data: Any) -> None:
    message = f"asarray: a {type(data).__name__} is no array; copy it into one by vector, matrix or tensor"
    with pytest.raises(DTypeError, match=message):
        tp.asarray(data, 1)


def test_other_things_are_refused() -> None:
    with pytest.raises(DTypeError, match="asarray: a object is no array of numbers"):
        tp.asarray(object(), 1)
    with pytest.raises(DTypeError, match="asarray: a MaskedArray would lose its meaning"):
        tp.asarray(np.ma.masked_array(X), 2, 3)


def test_pandas_columns() -> None:
    pandas = library("pandas")
    frame = pandas.DataFrame({"dose": [1.0, np.nan], "count": [1, 2], "name": ["a", "b"]})
    dose = tp.asarray(frame["dose"], 2)
    assert np.shares_memory(dose, frame["dose"].to_numpy()) and np.isnan(dose[1])
    assert tp.asarray(frame["count"], 2, dtype=np.int64).dtype == np.int64
    assert np.array_equal(tp.asarray(pandas.DataFrame(X), 2, 3), X)
    with pytest.raises(DTypeError, match="of dtype int64, but float64 was declared"):
        tp.asarray(frame["count"], 2)
    with pytest.raises(DTypeError, match="float64 was declared; convert it first"):
        tp.asarray(frame, 2, 3)
    gaps = pandas.Series([1.0, None], dtype="Float64", name="weight")
    message = r"the column 'weight' \(Float64\) has 1 missing values; fill or drop"
    with pytest.raises(DTypeError, match=message):
        tp.asarray(gaps, 2)
    with pytest.raises(DTypeError, match=message):
        tp.asarray(pandas.DataFrame({"weight": gaps}), 2, 1)
    assert np.array_equal(tp.asarray(gaps.fillna(0.0), 2), [1.0, 0.0])


def test_torch_tensors() -> None:
    torch = library("torch")
    tensor = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    y = tp.asarray(tensor, 2, 3)
    y[0, 0] = 7.0
    assert tensor[0, 0].item() == 7.0
    assert tp.asarray(tensor.T, 3, 2).shape == (3, 2)
    assert tp.asarray(torch.ones(3), 3, dtype=np.float32).dtype == np.float32
    with pytest.raises(
        DTypeError, match=r"asarray: the torch Tensor requires grad, which ends here; say so with \.det"
    ):
        tp.asarray(torch.ones(3, requires_grad=True), 3)
    with pytest.raises(DTypeError, match=r"pass dtype=np.float32 .*, or convert it .*: \.to\(torch\.float64\)$"):
        tp.asarray(torch.ones(3), 3)
    with pytest.raises(DTypeError, match=r"cannot be shared with NumPy: Unknown device type meta for Dlpack$"):
        tp.asarray(torch.ones(3, device="meta"), 3)
    for tensor in (torch.ones(3, dtype=torch.bfloat16), torch.eye(3).to_sparse()):
        with pytest.raises(DTypeError, match=r"cannot be shared with NumPy: .*; convert it first, as by \.to\(torch"):
            tp.asarray(tensor, 3)


def test_another_device_is_refused() -> None:
    class OnADevice:
        """What an array of a library with devices is to DLPack, which numbers CUDA 2."""

        def __dlpack_device__(self) -> tuple[int, int]:
            return (2, 0)

        def __dlpack__(self) -> object:
            raise AssertionError("nothing is to be fetched from there")

    with pytest.raises(DTypeError, match="OnADevice is not in the main memory; copy it there first, as with"):
        tp.asarray(OnADevice(), 3)


def test_jax_arrays() -> None:
    jax = library("jax")
    # By name, for where other tests have let JAX have float64, that would be its choice.
    x = jax.numpy.arange(3.0, dtype=np.float32)
    y = tp.asarray(x, 3, dtype=np.float32)
    assert np.array_equal(y, [0.0, 1.0, 2.0]) and not y.flags.writeable
    assert y.ctypes.data == x.unsafe_buffer_pointer()
