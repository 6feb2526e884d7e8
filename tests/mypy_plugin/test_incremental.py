"""What the plugin finds in a module is found again from the cache, and anew where what it depends on has changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mypy_plugin.checking import ROOT, configuration, messages

pytestmark = pytest.mark.xdist_group("mypy_plugin")

LIBRARY = """\
from __future__ import annotations

from typing import Generic

import attrs
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import Add, BVar, L, R, Record

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
weights = tp.zeros({rows}, 100)


@attrs.frozen
class Pair(Record, Generic[M, N]):
    both: BVar[R[Add[N, M]]]
    one: BVar[R[M]]
    other: BVar[R[N]]


def joined(x: R[M], y: R[N]) -> R[Add[M, N]]:
    return tp.concatenate((x, y))
"""
USER = """\
import typedprop as tp
from library import Pair, joined, weights
from typedprop import BVar

reveal_type(weights)
reveal_type(joined(tp.zeros(3), tp.zeros(4)))
pair = Pair(BVar(tp.zeros(7)), BVar(tp.zeros(3)), BVar(tp.zeros(4)))
reveal_type(pair.both)
tp.concatenate((weights, tp.zeros(5, 99)))
Pair(BVar(tp.zeros(8)), BVar(tp.zeros(3)), BVar(tp.zeros(4)))
"""


def wanted(rows: int) -> list[tuple[int, str]]:
    return [
        (5, f'Revealed type is "typedprop.shapes.L[Literal[{rows}], Literal[100], numpy.float64]"'),
        (6, 'Revealed type is "typedprop.shapes.R[Literal[7], numpy.float64]"'),
        (8, 'Revealed type is "typedprop.bvar.BVar[typedprop.shapes.R[Literal[7], numpy.float64]]"'),
        (
            9,
            f'Item 1 for "concatenate" is L[5, 99], beside L[{rows}, 100]: all sizes but that of axis 0 must be equal',
        ),
        (
            10,
            'Argument 1 ("both") to "Pair" is BVar[R[8]], but argument 2 ("one") is BVar[R[3]]: M + N cannot be both 8 '
            "and 7",
        ),
    ]


def write(folder: Path, rows: int, remark: str) -> None:
    (folder / "library.py").write_text(LIBRARY.format(rows=rows))
    (folder / "user.py").write_text(USER + f"# {remark}\n")


def told(folder: Path, *command: str) -> list[tuple[int, str]]:
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=folder, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr and "INTERNAL" not in done.stderr, done.stderr
    return [(message.line, message.text) for message in messages(done.stdout, "user.py")]


def run_of_mypy(folder: Path) -> list[str]:
    cache = ROOT / ".mypy_cache" / "mypy_plugin_alone"
    return [f"--config-file={configuration(folder, plugin=True)}", f"--cache-dir={cache}", "library.py", "user.py"]


def test_incrementally(tmp_path: Path) -> None:
    options = run_of_mypy(tmp_path)
    for rows, remark in [
        (20, "fresh"),
        (20, "the library from the cache"),
        (300, "the library changed"),
        (300, "again"),
    ]:
        write(tmp_path, rows, remark)
        assert told(tmp_path, "mypy", *options) == wanted(rows), remark


def test_a_module_that_imports_no_sums_itself(tmp_path: Path) -> None:
    """Of what is in the cache, mypy loads only the modules that this one depends on."""
    (tmp_path / "user.py").write_text(
        "from typing import TypeVar\n"
        "from typedprop.shapes import L\n"
        "M = TypeVar('M', bound=int)\n"
        "N = TypeVar('N', bound=int)\n"
        "def flat(w: L[M, N]) -> None:\n"
        "    reveal_type(w.ravel())\n"
    )
    options = [option for option in run_of_mypy(tmp_path) if option != "library.py"]
    for _ in range(2):
        # The second time all but this module is from the cache.
        with (tmp_path / "user.py").open("a") as file:
            file.write("# changed\n")
        assert told(tmp_path, "mypy", *options) == [
            (6, 'Revealed type is "typedprop.shapes.R[typedprop.sizes.Mul[M, N], numpy.float64]"')
        ]


def test_under_dmypy(tmp_path: Path) -> None:
    options = run_of_mypy(tmp_path)
    status = f"--status-file={tmp_path / 'status.json'}"
    try:
        for rows, remark in [(20, "fresh"), (20, "the user changed"), (300, "the library changed")]:
            write(tmp_path, rows, remark)
            assert told(tmp_path, "mypy.dmypy", status, "run", "--", *options) == wanted(rows), remark
    finally:
        told(tmp_path, "mypy.dmypy", status, "stop")


def test_a_program_that_names_no_product_meets_one_from_the_cache(tmp_path: Path) -> None:
    for remark in ("fresh", "typedprop from the cache"):
        (tmp_path / "user.py").write_text(
            "from typedprop.shapes import Dim, L\n\n\nclass Rows(Dim): ...\n\n\n"
            f"def flat(x: L[Rows, Rows]) -> None:\n    reveal_type(x.reshape(-1))\n    # {remark}\n"
        )
        assert told(tmp_path, "mypy", *run_of_mypy(tmp_path)[:2], "user.py") == [
            (8, 'Revealed type is "typedprop.shapes.R[typedprop.sizes.Mul[user.Rows, user.Rows], numpy.float64]"')
        ]
