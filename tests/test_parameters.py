"""summary, and how records show themselves."""

from __future__ import annotations

import dataclasses
import sys
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
from tests.untyped import BVar, tp
from typedprop import L, R, Record
from typedprop.table import Table, bytes_text, time_text


@attrs.frozen
class Layer(Record):
    weight: typedprop.BVar[L[Any, Any, Any]]
    bias: typedprop.BVar[R[Any, Any]]


@attrs.frozen
class Net(Record):
    layers: list[Layer]
    scale: typedprop.BVar[float]
    name: str = "net"


NET = Net(
    [
        Layer(BVar(np.full((3, 4), 2.0)), BVar(np.array([3.0, 0.0, 4.0]))),
        Layer(BVar(np.zeros((1, 3), np.float32)), BVar(np.zeros(1, np.float32))),
    ],
    BVar(-2.5),
)


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)


@pytest.mark.usefixtures("_plain")
def test_it_prints_the_table_and_returns_it_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    found = tp.summary(NET)
    assert capsys.readouterr().out == (
        "Net: 5 leaves, 20 parameters\n"
        "leaf               shape             count  bytes   norm   min   max\n"
        "--------------------------------------------------------------------\n"
        ".layers[0].weight  L[3, 4]              12   96 B  6.928     2     2\n"
        ".layers[0].bias    R[3]                  3   24 B      5     0     4\n"
        ".layers[1].weight  L[1, 3, float32]      3   12 B      0     0     0\n"
        ".layers[1].bias    R[1, float32]         1    4 B      0     0     0\n"
        ".scale             float                 1    8 B    2.5  -2.5  -2.5\n"
        "--------------------------------------------------------------------\n"
        "                                        20  144 B  8.902\n"
    )
    assert str(found) + "\n" == str(found.table().text()) + "\n"
    assert found.count == 20 and found.bytes == 144 and np.isclose(found.norm**2, 48.0 + 25.0 + 6.25)
    first = found.parameters[0]
    assert (first.path, first.shape, first.count, first.low, first.high) == (".layers[0].weight", (3, 4), 12, 2.0, 2.0)
    assert repr(found) == "<summary of Net: 5 leaves, 20 parameters>"


def test_rich_shows_it_where_it_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    tp.summary(NET)
    shown = capsys.readouterr().out
    assert "─" in shown and "L[1, 3, float32]" in shown and "8.902" in shown
    import_module("rich").print([tp.summary(NET)][0])
    assert capsys.readouterr().out == 2 * shown


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (bytes_text(0), "0 B"),
        (bytes_text(999), "999 B"),
        (bytes_text(1000), "1 kB"),
        (bytes_text(999_499), "999 kB"),
        (bytes_text(999_500), "1 MB"),
        (bytes_text(1_234_567), "1.23 MB"),
        (bytes_text(10**9), "1 GB"),
        (bytes_text(45 * 10**10), "450 GB"),
        (time_text(3.21e-6), "3.21 µs"),
        (time_text(9.996e-4), "1 ms"),
        (time_text(0.0152), "15.2 ms"),
        (time_text(1.0), "1 s"),
        (time_text(75.0), "75 s"),
    ],
)
def test_units(text: str, wanted: str) -> None:
    assert text == wanted


def test_a_table_without_a_sum() -> None:
    assert Table("title", ["a", "b"], [["x", "10"]], ["b"]).text() == "title\na   b\n-----\nx  10"


@pytest.mark.usefixtures("_plain")
def test_any_tree_and_any_leaf(capsys: pytest.CaptureFixture[str]) -> None:
    assert tp.summary(BVar(2.0)).parameters[0].path == ""
    assert "BVar: 1 leaf, 1 parameter\n" in capsys.readouterr().out
    empty, exact = tp.summary((BVar(np.zeros((0, 2))), BVar(Fraction(1, 3)))).parameters
    assert empty.count == 0 and np.isnan(empty.low)
    assert exact.count == 1 and np.isnan(exact.norm)
    assert tp.summary({}).count == 0
    large = tp.summary(BVar(np.full(2, 3e30, np.float32))).parameters[0]
    assert np.isclose(large.norm, 3e30 * 2**0.5)


def test_the_page_shows_it_as_it_is() -> None:
    rng = np.random.default_rng(0)
    net = Layer(BVar(tp.normal(rng, 20, 100)), BVar(tp.zeros(20)))
    page = Path(__file__).parent.parent / "docs" / "how-to" / "look-inside.md"
    assert f"```text\n{typedprop.summary(net)}\n```" in page.read_text()


@pytest.mark.usefixtures("_plain")
def test_a_leaf_in_two_places_is_two_as_it_is_to_a_gradient() -> None:
    shared = BVar(np.ones((3, 4)))
    tied = {"in": shared, "out": shared}
    found = tp.summary(tied)
    assert found.count == 24 == tp.tree.ravel(tied)[0].size and len(found.parameters) == 2
    slope = tp.grad(lambda p: p["in"].sum() + 2.0 * p["out"].sum())(tied)
    assert slope["in"].value[0, 0] == 1.0 and slope["out"].value[0, 0] == 2.0


def test_a_repr_shows_shapes_norms_and_counts() -> None:
    assert repr(Layer(BVar(np.full((3, 4), 2.0)), BVar(np.zeros(3)))) == (
        "Layer(weight=BVar(L[3, 4], norm 6.928), bias=BVar([0.0, 0.0, 0.0]); 15 parameters)"
    )
    assert repr(NET).startswith("Net(layers=[Layer(weight=BVar(L[3, 4], norm 6.928), ")
    assert repr(NET).endswith("scale=BVar(-2.5), name='net'; 20 parameters)")
    wide = Layer(BVar(np.ones((3, 4), np.float32)), BVar(np.ones(9, np.float32)))
    assert "BVar(L[3, 4], float32, norm 3.464)" in repr(wide)


def test_a_repr_inside_of_a_gradient() -> None:
    shown: list[str] = []

    def loss(net: Layer) -> Any:
        shown.append(repr(net))
        return net.bias.sum()

    net = Layer(BVar(np.full((3, 4), 2.0)), BVar(np.zeros(3)))
    tp.grad(loss)(net)
    assert shown == [repr(net)]


def test_a_repr_of_ones_own_is_left_alone() -> None:
    @attrs.frozen
    class Mine(Record):
        x: typedprop.BVar[float]

        def __repr__(self) -> str:
            return "mine"

    @attrs.frozen
    class Quiet(Record):
        x: typedprop.BVar[float]
        cache: dict[str, int] = attrs.field(factory=dict, repr=False)
        label: str = attrs.field(default="a", repr=str.upper)

    @attrs.frozen(repr=True)
    class Theirs(Record):
        x: typedprop.BVar[float]

    @dataclasses.dataclass(frozen=True)
    class Data(Record):
        x: typedprop.BVar[float]
        hidden: int = dataclasses.field(default=0, repr=False)

    assert repr(Mine(BVar(1.0))) == "mine"
    assert repr(Quiet(BVar(1.0))) == "Quiet(x=BVar(1.0), label=A; 1 parameter)"
    assert repr(Theirs(BVar(1.0))).endswith("Theirs(x=BVar(1.0))")
    assert repr(Data(BVar(1.0))) == "Data(x=BVar(1.0); 1 parameter)"


def test_a_repr_never_raises() -> None:
    @attrs.define
    class Loop(Record):
        x: typedprop.BVar[float]
        plain: Any = None

    class Hidden:
        def __init__(self) -> None:
            self.b = BVar(1.0)

    odd = Loop(BVar(1.0), Hidden())
    assert repr(odd).startswith("Loop(x=BVar(1.0), plain=<")


def test_the_notebook_shows_a_table() -> None:
    text = NET._repr_html_()
    assert "<caption>Net: 5 leaves, 20 parameters</caption>" in text
    assert text.count("<tr>") == 1 + 5 + 1 and ">6.928<" in text

    @attrs.frozen
    class Named(Record):
        table: dict[str, typedprop.BVar[float]]

    assert "[&#x27;a&lt;b&#x27;]" in Named({"a<b": BVar(1.0)})._repr_html_()
