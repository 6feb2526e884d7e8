"""Operands that do not fit, for every row of the table: refused by name, or what NumPy gives, and never float64.

The rows' cases are changed in one place: an operand of another kind, another dtype, one more element, one more axis, an
axis that is not there. test_refusals.py and its neighbours check what the messages say of each operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.ops import checks
from tests.ops.row import Case, Row, Shape
from tests.ops.table import TABLE
from tests.untyped import BVar, tp
from typedprop.errors import DTypeError, ShapeError

# By what name an operation speaks: of the operator that does the work, or, where the row puts another operation before
# its own, of that one.
SPEAKS: dict[str, tuple[str, ...]] = {
    "BVar.__add__": ("+",),
    "BVar.__sub__": ("-",),
    "BVar.__mul__": ("*",),
    "BVar.__truediv__": ("/",),
    "BVar.__pow__": ("**",),
    "BVar.__matmul__": ("@",),
    "BVar.__rmatmul__": ("@",),
    "BVar.dot": ("@",),
    "BVar.at.set": ("at(...).set", "R[", "L[", "Tensor3[", "a scalar BVar cannot be indexed"),
    "BVar.at.add": ("at(...).add", "R[", "L[", "Tensor3[", "a scalar BVar cannot be indexed"),
    "BVar.__getitem__": ("R[", "L[", "Tensor3[", "a scalar BVar cannot be indexed"),
    "BVar.__iter__": ("a scalar BVar cannot be iterated over",),
    "BVar.T": (".T",),
    "BVar.mT": (".mT",),
    "dot": ("dot", "@"),
    "add": ("add", "+"),
    "subtract": ("subtract", "-"),
    "multiply": ("multiply", "*"),
    "divide": ("divide", "/"),
    "power": ("power", "**"),
    "matmul": ("matmul", "@"),
    "special.expit": ("sigmoid",),
    "linalg.cholesky": ("cholesky", "sym"),
    "linalg.eigh": ("eigh", "sym"),
    "linalg.eigvalsh": ("eigvalsh", "sym"),
    **{name: (name, "concatenate") for name in ("max", "min", "median", "sort")},
}
# Of plain operands these are Python's or NumPy's own.
UNARY = {"BVar.__pos__", "BVar.__neg__", "BVar.__abs__"}
NATIVE = {
    *UNARY,
    *("BVar." + name for name in ("__add__", "__sub__", "__mul__", "__truediv__", "__pow__")),
    *("BVar." + name for name in ("sum", "mean", "max", "min")),
}
# A function of the user's does the work, with what it is given.
OF_A_FUNCTION = {"map", "zip_with"}
ERRORS = (ShapeError, DTypeError, IndexError, TypeError, np.linalg.LinAlgError)

each_row = pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.name}-{k}") for k, row in enumerate(TABLE)])


def speaks(row: Row, error: Exception) -> bool:
    """Whether the message begins with the operation's name."""
    names = SPEAKS.get(row.name, (row.name.rpartition(".")[2],))
    if row.name.startswith("BVar."):
        names = (*names, "BVar: ", "unsupported operand type(s)")
    return str(error).startswith(names)


def operands_of(row: Row, case: Case, dtype: Any = np.float64) -> Iterator[tuple[bool, tuple[Any, ...]]]:
    """The operands as BVars, and, where the operation is typedprop's, plain."""
    at = checks.point(row, case)
    yield True, at.lifted(dtype)
    if row.name not in NATIVE:
        yield False, tuple(x if isinstance(x, float) else x.astype(dtype) for x in at.operands)


def contiguous(row: Row) -> list[Case]:
    return [case for case in row.cases if case.layout == "C"]


def exchanged(operands: tuple[Any, ...], k: int, x: Any) -> list[Any]:
    return [x if j == k else operand for j, operand in enumerate(operands)]


def plain(operands: list[Any]) -> list[Any]:
    return [x.value if isinstance(x, tp.BVar) else x for x in operands]


def judged(row: Row, case: Case, operands: list[Any], what: str) -> None:
    """Either an error of ours that begins with the operation's name, or the shapes that NumPy's function gives."""
    try:
        with np.errstate(all="ignore"):
            result = row.call(*operands, **case.static)
    except ERRORS as error:
        assert speaks(row, error), f"{row.name} {case.label}, {what}: {error!r}"
        return
    except ValueError as error:
        # Of an argument that is no operand, such as the order of a norm.
        assert speaks(row, error) and case.static, f"{row.name} {case.label}, {what}: {error!r}"
        return
    with np.errstate(all="ignore"):
        wanted = row.value(*plain(operands), **case.static)
    shapes = [y.shape for y in checks.arrays(result)], [y.shape for y in checks.arrays(wanted)]
    assert shapes[0] == shapes[1], f"{row.name} {case.label}, {what}: accepted, and the result has the wrong shape"


BAD: dict[str, Any] = {
    "complex": lambda shape: np.ones(shape, complex) if shape else 1j,
    "objects": lambda shape: np.full(shape, "1", object) if shape else object(),
    "dates": lambda shape: np.zeros(shape or (2,), "M8[s]"),
    "a list": lambda shape: np.ones(shape or (2,)).tolist(),
    "a tuple": lambda shape: (1.0, 2.0),
    "a dict": lambda shape: {},
}


@each_row
def test_what_is_no_real_number(row: Row) -> None:
    if row.name in UNARY:
        return  # of anything but a BVar they are Python's and NumPy's
    case = contiguous(row)[0]
    for lifted, operands in operands_of(row, case):
        for k in range(1 if row.name in OF_A_FUNCTION else len(operands)):
            for what, make in BAD.items():
                bad = make(case.shapes[k])
                if row.name in NATIVE and (len(operands) == 1 or not isinstance(bad, np.ndarray)):
                    continue  # the left operand is the other's, as for every class of Python's
                with pytest.raises((DTypeError, ShapeError, TypeError)) as caught:
                    row.call(*exchanged(operands, k, bad), **case.static)
                if lifted or type(caught.value) is DTypeError:
                    assert speaks(row, caught.value), f"{what} as operand {k}: {caught.value!r}"


@each_row
def test_one_element_more_and_one_axis_more(row: Row) -> None:
    for case in contiguous(row):
        for _, operands in operands_of(row, case):
            for k, shape in enumerate(case.shapes):
                for other in other_shapes(shape, len(operands) > 1):
                    x = np.ones(other) + 0.1 * np.arange(other[-1]) if other else 1.0
                    changed = BVar(x) if isinstance(operands[k], tp.BVar) else x
                    judged(row, case, exchanged(operands, k, changed), f"operand {k} of shape {other}")


def other_shapes(shape: Shape, longer: bool) -> list[Shape]:
    """Shapes that differ from this one in one size, or by an axis."""
    found = [(*shape, 2), (2, *shape), *([shape[1:]] if shape else [])]
    if longer:
        found += [tuple(n + (j == axis) for j, n in enumerate(shape)) for axis in range(len(shape))]
    return found


@each_row
def test_no_result_of_float32_operands_is_float64(row: Row) -> None:
    """Beside float32, float64 is refused, and integers, bools and numbers of every kind count as float32."""
    for case in contiguous(row):
        operands = checks.point(row, case).lifted(np.float32)
        if len(operands) < 2 or not any(case.shapes):
            continue
        for k, shape in enumerate(case.shapes):
            if not shape:
                for number in (np.float64(0.5), np.float32(0.5), 1, True, np.int64(1), np.array(0.5)):
                    assert stays_single(row.call(*exchanged(operands, k, number), **case.static)), type(number)
                continue
            if sum(map(bool, case.shapes)) > 1:
                double = np.ones(shape) + np.arange(shape[-1])
                for x in (double, BVar(double)):
                    with pytest.raises(DTypeError) as caught:
                        row.call(*exchanged(operands, k, x), **case.static)
                    assert "float32" in str(caught.value) and "float64" in str(caught.value)
            if row.name.startswith("BVar.") and row.name not in NATIVE:
                continue  # the row lifts its first operand, and integers are refused as BVars
            if sum(map(bool, case.shapes)) == 1:
                continue  # scalars have no dtype, and integers alone count as float64
            for dtype in (np.int64, np.int8, np.bool):
                whole = np.eye(*shape, dtype=dtype) if len(shape) == 2 else np.ones(shape, dtype)
                with np.errstate(all="ignore"):
                    assert stays_single(row.call(*exchanged(operands, k, whole), **case.static)), dtype


def stays_single(result: Any) -> bool:
    return all(y.dtype == np.float32 for y in checks.arrays(result) if y.ndim)


WITH_AXIS = [
    pytest.param(row, case, key, id=f"{row.name}-{k}-{case.label}-{key}")
    for k, row in enumerate(TABLE)
    for case in row.cases
    for key in ("axis", "axis1", "axis2")
    if key in case.static
]


@pytest.mark.parametrize(("row", "case", "key"), WITH_AXIS)
def test_an_axis_that_is_not_there(row: Row, case: Case, key: str) -> None:
    for _, operands in operands_of(row, case):
        for axis in (7, -8):
            with pytest.raises(ShapeError) as caught:
                row.call(*operands, **{**case.static, key: axis})
            assert speaks(row, caught.value) and str(axis) in str(caught.value)
        with pytest.raises(TypeError):
            row.call(*operands, **{**case.static, key: 0.5})
