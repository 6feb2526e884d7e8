"""trace: the tape as data, its table, its graph, and its profile."""

from __future__ import annotations

import html.parser
import io
import re
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
from tests.ops.checks import arrays, point
from tests.ops.table import TABLE
from tests.untyped import BVar, tp
from typedprop import L, NotDifferentiableError, R, Record
from typedprop.table import Table
from typedprop.transform.trace import Input, Operation, SourceLine, Trace


@attrs.frozen
class Layer(Record):
    weight: typedprop.BVar[L[Any, Any]]
    bias: typedprop.BVar[R[Any]]


def line_of(marker: str) -> int:
    text = Path(__file__).read_text()
    return next(k for k, line in enumerate(text.splitlines(), start=1) if f"# {marker}" in line)


def run(net: Layer, x: Any) -> Any:
    return tp.sigmoid(net.weight @ x + net.bias)  # the layer


def loss(net: Layer, x: Any) -> Any:
    y = run(net, x)
    unused = tp.exp(y[0])  # nobody's
    assert unused.value > 0.0
    return y @ y


def layer(rows: int, columns: int) -> Layer:
    rng = np.random.default_rng(0)
    return Layer(BVar(rng.normal(size=(rows, columns))), BVar(rng.normal(size=rows)))


TRACE = tp.trace(loss, layer(3, 4), np.ones(4))


def test_a_transpose_is_shown_where_it_is_written() -> None:
    """A gradient that nobody looks at takes a layer's product for one step."""
    found = tp.trace(lambda w: (w @ w.T).sum(), BVar(np.ones((2, 3))))
    assert [op.operands for op in found.operations] == [(0,), (0, 1), (2,)]
    assert all(op.reached for op in found.operations)


def test_inputs_and_operations_are_data() -> None:
    assert [(i.node, i.path, i.shape, i.dtype, i.bytes) for i in TRACE.inputs] == [
        (0, ".weight", (3, 4), np.float64, 96),
        (1, ".bias", (3,), np.float64, 24),
    ]
    found = [(op.node, op.name, op.operands, op.shape, op.bytes, op.reached) for op in TRACE.operations]
    assert found == [
        (2, "@", (0,), (3,), 24, True),
        (3, "+", (2, 1), (3,), 24, True),
        (4, "sigmoid", (3,), (3,), 24, True),
        (5, "[]", (4,), (), 8, False),
        (6, "exp", (5,), (), 8, False),
        (7, "@", (4,), (), 8, True),
    ]
    assert TRACE.outputs == (7,)
    assert all(op.dtype == np.float64 and op.forward > 0.0 for op in TRACE.operations)
    assert all(op.backward > 0.0 if op.reached else op.backward == 0.0 for op in TRACE.operations)
    assert TRACE.bytes == 96
    # The copy of x, and what sigmoid and the product share; the weight is an input.
    assert [op.kept for op in TRACE.operations] == [32, 0, 24, 0, 0, 0] and TRACE.kept == 56


def test_lines_are_the_users() -> None:
    lines = [op.line for op in TRACE.operations]
    assert {line.file for line in lines} == {__file__}
    assert [line.number for line in lines[:3]] == [line_of("the layer")] * 3
    assert lines[0].function == "run" and lines[4].number == line_of("nobody's")
    assert lines[0].text == "return tp.sigmoid(net.weight @ x + net.bias)  # the layer"
    assert str(lines[0]) == f"{Path(__file__).name}:{line_of('the layer')}"


def test_functions_that_share_a_line_share_its_profile() -> None:
    found = tp.trace(lambda xs: sum((tp.exp(x) for x in xs), start=BVar(0.0)), [BVar(1.0), BVar(2.0)])
    assert {op.line.function for op in found.operations} == {"<genexpr>", "<lambda>"}
    (line,) = found.by_line()
    assert line.operations == 4


def test_float32_and_scalars() -> None:
    found = tp.trace(lambda x: (x * 2.0).sum() * 3.0, BVar(np.ones(5, np.float32)))
    assert [(op.dtype, op.bytes) for op in found.operations] == [(np.float32, 20), (np.float64, 8), (np.float64, 8)]
    assert "R[5, float32]" in str(found)


def test_the_profile_by_line_adds_up() -> None:
    lines = TRACE.by_line()
    assert len(lines) == 3 and lines[0].forward + lines[0].backward >= lines[-1].forward + lines[-1].backward
    at = {line.line.number: line for line in lines}
    assert at[line_of("the layer")].operations == 3 and at[line_of("the layer")].kept == 56
    for what in ("bytes", "kept", "forward", "backward"):
        assert np.isclose(sum(getattr(line, what) for line in lines), getattr(TRACE, what))


@typedprop.op
def slow(x: float) -> typedprop.Local1[float, float]:
    time.sleep(0.03)

    def pull(g: float) -> float:
        time.sleep(0.05)
        return g

    return typedprop.Local1(x, pull)


@typedprop.op
def broken(x: float) -> typedprop.Local1[float, float]:
    def pull(g: float) -> float:
        raise LookupError("not at hand")

    return typedprop.Local1(x, pull)


def test_an_error_inside_passes_through() -> None:
    with pytest.raises(LookupError, match="not at hand") as caught:
        tp.trace(lambda x: broken(x) * 2.0, BVar(1.0))  # where it is recorded
    (note,) = caught.value.__notes__
    assert "back through broken" in note and f":{line_of('where it is recorded')} in <lambda>" in note
    with pytest.raises(KeyError, match="missing"):
        tp.trace(lambda x: {"there": x}["missing"], BVar(1.0))


def test_times_are_those_of_the_operation() -> None:
    found = tp.trace(lambda x: tp.exp(slow(tp.exp(x))), BVar(1.0))
    first, second, third = found.operations
    assert second.name == "slow" and 0.03 <= second.forward < 0.3 and 0.05 <= second.backward < 0.3
    assert max(first.forward, first.backward, third.forward, third.backward) < 0.02
    assert found.by_line()[0].forward >= 0.03


def test_kept_is_what_the_gradient_takes() -> None:
    net, x = layer(100, 300), np.random.default_rng(1).normal(size=(300, 200))

    def wide(net: Layer) -> Any:
        y = tp.tanh(net.weight @ BVar(x))
        return (tp.exp(y) * y + tp.sin(y)).sum()

    kept = tp.trace(wide, net).kept
    tracemalloc.start()
    value, pullback = tp.vjp(wide, net)
    measured = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.95 < kept / measured < 1.05
    assert pullback(value).bias.shape == (100,)


def test_rules_that_enclose_what_they_remember_count() -> None:
    kept = tp.trace(lambda x: tp.linalg.svdvals(x).sum(), BVar(np.eye(50))).kept
    assert kept >= 2 * 50 * 50 * 8  # U and V


def test_several_results() -> None:
    found = tp.trace(lambda x: tp.linalg.svd(x)[1].sum(), BVar(np.eye(3)))
    assert [(row[1], row[2], row[3]) for row in found.table().rows] == [
        ("svd", "several", "0 B"),
        ("svd", "L[3, 3]", "72 B"),
        ("svd", "R[3]", "24 B"),
        ("svd", "L[3, 3]", "72 B"),
        ("sum", "float", "8 B"),
    ]


def test_an_operation_by_itself_has_its_name() -> None:
    for f in (tp.sin, tp.sum, tp.linalg.det, slow, tp.grad(tp.sin), tp.checkpoint(tp.sin)):
        at = np.eye(2) if f in (tp.sum, tp.linalg.det) else 1.0
        first = tp.trace(f, BVar(at)).operations[0]
        name = {tp.sum: "sum", tp.linalg.det: "det", slow: "slow"}.get(f, "sin")
        assert first.name == (name if first.rule != "checkpoint" else "checkpoint") and first.line.file == __file__
    assert [op.name for op in tp.trace(lambda p: p[0] - 2.0 * p[0], (BVar(1.0),)).operations] == ["*", "-"]


def test_an_operand_that_was_stretched() -> None:
    found = tp.trace(lambda x: (x[0] * np.ones((2, 3))).sum(), BVar(np.ones(2)))
    assert [(op.name, op.shape, op.bytes, op.operands) for op in found.operations[:3]] == [
        ("[]", (), 8, (0,)),
        ("broadcast", (2, 3), 0, (1,)),
        ("*", (2, 3), 48, (2,)),
    ]
    assert found.operations[1].line == found.operations[2].line
    # It took no time of its own, for its value was never formed.
    assert found.operations[1].forward == 0.0 < found.operations[2].forward


def test_any_tree_of_results() -> None:
    found = tp.trace(lambda x: {"a": x * 2.0, "b": (x, 3.0)}, BVar(1.0))
    assert set(found.outputs) == {0, 1} and found.operations[0].reached


def test_inside_of_a_gradient_and_around_one() -> None:
    traces = []

    def outer(x: Any) -> Any:
        traces.append(tp.trace(lambda y: tp.exp(y) * x, x))
        return x * 2.0

    assert tp.grad(outer)(BVar(1.0)).value == 2.0
    assert [op.name for op in traces[0].operations] == ["exp", "*"]
    around = tp.trace(lambda x: tp.grad(lambda y: tp.exp(y) * x)(x), BVar(1.0))
    assert around.operations[0].name == "exp"
    assert (around.operations[-1].name, around.operations[-1].rule) == ("*", "scale")
    summed = tp.trace(tp.grad(lambda y: (tp.sin(y) + tp.exp(y)).sum()), BVar(np.ones(2))).operations
    assert ("+", "pass") in {(op.name, op.rule) for op in summed}
    assert {op.line.number for op in around.operations} == {around.operations[0].line.number}


def test_a_checkpoint_is_one_operation() -> None:
    found = tp.trace(lambda x: tp.checkpoint(lambda y: tp.exp(tp.sin(y)).sum())(x), BVar(np.ones(3)))
    assert [op.name for op in found.operations] == ["checkpoint"]


def test_what_cannot_be_traced() -> None:
    with pytest.raises(NotDifferentiableError, match="trace: there is no BVar in this str"):
        tp.trace(lambda x: x, "text")
    with pytest.raises(NotDifferentiableError, match="trace: the function returned a float without a BVar in it"):
        tp.trace(lambda x: 1.0, BVar(1.0))
    assert tp.trace(lambda x: BVar(1.0), BVar(1.0)).operations == ()


ROWS = [row for row in TABLE if row.orders > 0]


@pytest.mark.parametrize("row", ROWS, ids=[f"{k}-{row.name}" for k, row in enumerate(ROWS)])
def test_every_operation_has_a_name_and_its_sizes(row: Any) -> None:
    at = point(row, row.cases[0])
    found = tp.trace(at.function, at.lifted())
    results = {op.node: op for op in found.operations}
    values = arrays(at.function(at.lifted()))
    # A result that does not depend on the operands, such as a sign, is on no tape.
    for node, expected in zip(found.outputs, values if found.outputs else (), strict=True):
        if node in results:
            assert (results[node].shape, results[node].dtype) == (expected.shape, expected.dtype)
            assert results[node].bytes in (expected.nbytes, 0)
    assert all(op.name and op.rule and op.reached is not None for op in found.operations)


# -- Showing it -------------------------------------------------------------------------------------------------------


def test_the_table_in_plain_text() -> None:
    lines = str(TRACE).splitlines()
    assert lines[0] == "2 inputs, 6 operations"
    assert lines[1].split() == ["operation", "result", "bytes", "kept", "forward", "backward", "line", "operands"]
    assert lines[3].split()[:3] == ["2", "@", "R[3]"] and lines[3].endswith(".weight")
    assert lines[6].split()[:3] == ["5", "[]", "float"] and " -  " in lines[6]
    assert lines[-1].split()[:4] == ["96", "B", "56", "B"]
    # Numbers end, and words begin, at the same place.
    assert lines[3].index(" 24 B") + 5 == lines[8].index(" 8 B") + 4 and lines[3].index("@") == lines[8].index("@")
    assert repr(TRACE) == "<trace of 2 inputs, 6 operations>"
    profile = str(TRACE.profile())
    assert profile == TRACE.profile().text() and profile.splitlines()[-1].split()[:4] == ["96", "B", "56", "B"]
    layer, result = (next(x for x in profile.splitlines() if end in x) for end in ("# the layer", "return y @ y"))
    assert layer.index(" 72 B") + 5 == result.index(" 8 B") + 4
    assert repr(TRACE.profile()) == "<table of 3 rows: 2 inputs, 6 operations>"
    assert "return tp.sigmoid(net.weight @ x + net.bias)  # the layer" in profile


def test_a_long_table_shows_the_slowest() -> None:
    def long(x: Any) -> Any:
        for _ in range(100):
            x = tp.sin(x)
        return slow(x)

    table = tp.trace(long, BVar(1.0)).table(most=5)
    assert table.title == "1 input, 101 operations, the 5 slowest" and len(table.rows) == 5
    assert table.rows[-1][:2] == ("101", "slow")
    found = tp.trace(long, BVar(1.0))
    assert [row[-1] for row in found.table(most=101).rows[:2]] == ["input", "1"]
    assert found.table(most=100).title == "1 input, 101 operations, the 100 slowest"
    assert len(found.table(most=100).rows) == 100
    assert found.table(most=101).title == "1 input, 101 operations" and len(found.table(most=101).rows) == 101


def test_the_notebook_shows_well_formed_html() -> None:
    class Tags(html.parser.HTMLParser):
        depth = 0
        cells = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.depth += 1
            self.cells += tag == "td"

        def handle_endtag(self, tag: str) -> None:
            self.depth -= 1

    tags = Tags()
    tags.feed(TRACE._repr_html_())
    assert tags.depth == 0 and tags.cells == 6 * 9
    tags.feed(TRACE.profile()._repr_html_())
    assert tags.depth == 0 and tags.cells == 6 * 9 + 3 * 7


def test_rich_shows_it_where_it_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    TRACE.show()
    shown = capsys.readouterr().out
    assert "─" in shown and "[]" in shown and "sigmoid" in shown
    import rich

    for shows_itself in (TRACE, TRACE.profile()):
        rich.print(shows_itself)
        assert "─" in capsys.readouterr().out


def test_rich_shortens_the_last_text_in_a_terminal_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    rich, console = pytest.importorskip("rich"), pytest.importorskip("rich.console")

    def shown(table: Any, columns: int, terminal: bool) -> list[str]:
        file = io.StringIO()
        monkeypatch.setattr(
            rich, "get_console", lambda: console.Console(file=file, width=columns, force_terminal=terminal)
        )
        table.show()
        return re.sub("\x1b\\[[0-9;]*m", "", file.getvalue()).splitlines()

    profile = TRACE.profile()
    (source,) = [row[-1] for row in profile.rows if "# the layer" in row[-1]]
    for columns, terminal, whole in ((40, True, False), (100, True, False), (200, True, True), (40, False, True)):
        lines = shown(profile, columns, terminal)
        (line,) = [line for line in lines if f"py:{line_of('the layer')}" in line]
        row = next(row for row in profile.rows if row[-1] == source)
        assert all(cell in line for cell in row[:-1]) and "kept" in lines[2]
        assert (source in line) == whole and (whole or "…" in line)
    # Where the last column is a number, it stays.
    lines = shown(Table("numbers", ("a", "b"), [("x" * 30, "-2.398")], right=("b",)), 20, True)
    assert "-2.398" in lines[4]


def test_plain_text_shows_it_otherwise(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    TRACE.show()
    assert capsys.readouterr().out == f"{TRACE}\n"


DOT = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz' program dot is not installed")


def by_hand(times: list[tuple[float, float]]) -> Any:
    """A trace of operations that took these times, forward and backward, each on a line of its own."""
    operations = [
        Operation(
            node, "f", "f", (node - 1,), (), np.dtype(np.float64), 8, 0, *both, True, SourceLine("f.py", node, "f")
        )
        for node, both in enumerate(times, start=1)
    ]
    return Trace((Input(0, "", (), np.dtype(np.float64), 8),), tuple(operations), (len(times),))


def test_the_slowest_are_those_that_take_longest_both_ways() -> None:
    found = by_hand([(1.0, 5.0), (4.0, 1.0), (3.0, 4.0)])
    assert [line.line.number for line in found.by_line()] == [3, 1, 2]
    assert [row[0] for row in found.table(most=2).rows] == ["1", "3"]
    assert [row[0] for row in found.profile(most=2).rows] == ["f.py:3", "f.py:1"]


def test_fifty_are_shown_unless_more_are_asked_for() -> None:
    for count in (50, 51):
        found = by_hand([(1.0, 1.0)] * count)
        for table, what in ((found.table(), "slowest"), (found.profile(), f"slowest lines of {count}")):
            assert len(table.rows) == 50
            assert table.title == f"1 input, {count} operations" + (f", the 50 {what}" if count > 50 else "")


def test_two_thousand_are_drawn_unless_more_are_asked_for() -> None:
    with pytest.raises(ValueError, match=r"to_svg: 2,001 nodes are more than most=2,000"):
        by_hand([(1.0, 1.0)] * 2000).to_svg()


def test_the_graph_in_dot() -> None:
    text = TRACE.to_dot()
    assert 'n0 [shape=box, label=".weight\\nL[3, 4]"];' in text
    assert re.search(r'n2 \[label="@\\nR\[3\]\\n[\d.]+ \w+ \+ [\d.]+ \w+\\n[^"]*test_trace\.py:\d+', text)
    assert "  n2 -> n3;\n" in text and text.count("n4 -> n7;") == 1
    assert text.count("style=dashed") == 2 and text.count("peripheries=2") == 1


@DOT
def test_dot_reads_it() -> None:
    awkward = tp.trace(lambda p: p['a"b\\'] * 2.0, {'a"b\\': BVar(1.0)})
    for found in (TRACE, awkward):
        done = subprocess.run(["dot", "-Tplain"], input=found.to_dot(), capture_output=True, text=True, check=True)
        nodes = [line for line in done.stdout.splitlines() if line.startswith("node ")]
        assert len(nodes) == len(found.inputs) + len(found.operations)
        # The way to the leaf, in quotes that dot itself has read and written.
        assert found is TRACE or 'a\\"b' in done.stdout


@DOT
def test_the_graph_in_svg(tmp_path: Path) -> None:
    pytest.importorskip("graphviz")
    svg = TRACE.to_svg(tmp_path / "tape.svg")
    assert "<svg" in svg and ".weight" in svg and (tmp_path / "tape.svg").read_text() == svg
    assert TRACE.to_svg() == svg


def test_svg_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"to_svg: 8 nodes are more than most=7, .* pass a larger most"):
        TRACE.to_svg(most=7)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "graphviz", None)
        for most in (8, 2000):
            with pytest.raises(ImportError, match=r"to_svg needs graphviz, .*: pip install 'typedprop\[graphviz\]'"):
                TRACE.to_svg(most=most)
    pytest.importorskip("graphviz")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="to_svg: Graphviz' program dot is not on the PATH; install it"):
        TRACE.to_svg()
