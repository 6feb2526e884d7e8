"""A record as a vector, as SciPy's optimisers want it: where each element lies, and what cannot lie there."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError, ShapeError
from typedprop.flat import Flat, plain_leaves

TREE = {"a": BVar(2.0), "b": BVar(np.arange(6.0).reshape(2, 3)), "c": [BVar(np.array([7.0, 8.0]))]}


def test_there_and_back() -> None:
    flat: Any = Flat(TREE, "f")
    assert flat.size == 9
    assert flat.start().tolist() == [2, 0, 1, 2, 3, 4, 5, 7, 8]
    vector = np.arange(9.0)
    back = flat.record(vector)
    assert type(back["a"].value) is float and back["a"].value == 0.0
    assert back["b"].value.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert not np.shares_memory(back["b"].value, vector)
    assert flat.vector(back, "x").tolist() == vector.tolist()


def test_float32_comes_back_as_float32() -> None:
    assert not Flat(TREE, "f").rounded and Flat({"s": BVar(np.ones(3, np.float32)), "t": TREE}, "f").rounded
    flat: Any = Flat(BVar(np.ones(3, np.float32)), "f")
    assert flat.start().dtype == np.float64
    assert flat.record(np.zeros(3)).dtype == np.float32


@pytest.mark.parametrize(
    ("position", "place"),
    [(0, "['a']"), (1, "['b'][0, 0]"), (6, "['b'][1, 2]"), (7, "['c'][0][0]"), (8, "['c'][0][1]")],
)
def test_where_an_element_lies(position: int, place: str) -> None:
    flat: Any = Flat(TREE, "f")
    assert flat.place(position) == place


def test_where_the_element_of_a_scalar_lies() -> None:
    flat: Any = Flat(BVar(1.0), "f")
    assert flat.place(0) == "the scalar"
    with pytest.raises(IndexError):
        flat.place(1)


def test_what_cannot_lie_in_a_vector() -> None:
    with pytest.raises(NotDifferentiableError, match=r"f: there is no BVar in this dict; lift its values"):
        plain_leaves({"a": 1.0}, "f")
    with pytest.raises(DTypeError, match=r"f: the leaf at \['a'\] is a Fraction; wanted floats or float arrays"):
        plain_leaves({"a": BVar(Fraction(1, 2))}, "f")
    with pytest.raises(ShapeError, match="f: the record has no elements, so there is nothing to compute"):
        Flat([BVar(np.zeros(0)), BVar(np.zeros((2, 0)))], "f")
    with pytest.raises(NotDifferentiableError, match=r"f: the BVar is inside of a gradient, .*stop_gradient"):
        tp.grad(lambda x: (plain_leaves(x, "f"), x)[1])(BVar(1.0))


def test_a_leaf_of_a_gradient_that_has_ended_is_refused() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        return x

    tp.grad(f)(BVar(1.0))
    with pytest.raises(EscapedBVarError, match="a BVar was used after the gradient that it belongs to had ended"):
        plain_leaves(kept, "f")


def test_another_shape_is_refused() -> None:
    flat: Any = Flat(TREE, "f")
    other = TREE | {"b": BVar(np.zeros((3, 2)))}
    with pytest.raises(ShapeError, match=r"x at \['b'\] has shape \(3, 2\), and the record \(2, 3\)"):
        flat.vector(other, "x")
