"""What the digits example promises of the type checker: a slip in it is an error on its line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import digits

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(digits.__file__)

# What is written, and what a tired author might have written.
SLIPS = [
    ("x @ net.weight1.T", "x @ net.weight1"),
    ("x @ net.weight1.T", "net.weight1 @ x"),
    ("x @ net.weight1.T + net.bias1", "x @ net.weight1.T + net.bias2"),
    ("y @ net.weight2.T + net.bias2", "y @ net.weight3.T + net.bias2"),
    ("return z @ net.weight3.T", "return y @ net.weight3.T"),
    ("tp.softmax_cross_entropy(logits(net, x), target).mean()", "tp.softmax_cross_entropy(logits(net, x), x).mean()"),
    ("tp.softmax_cross_entropy(logits(net, x), target).mean()", "tp.softmax_cross_entropy(logits(net, x), target)"),
    ("tp.grad(loss)(net, x, target)", "tp.grad(loss)(net, target, x)"),
    ("net - rate * tp.grad(loss)(net, x, target)", "net - rate * tp.grad(loss)(net, x, target).weight1"),
    ("tp.normal(rng, hidden2, hidden1, ", "tp.normal(rng, hidden1, hidden2, "),
    ("BVar(tp.zeros(hidden2))", "BVar(tp.zeros(hidden1))"),
    ("BVar(tp.zeros(hidden2))", "tp.zeros(hidden2)"),
    ("samples.images[rows], samples.targets[rows]", "samples.targets[rows], samples.images[rows]"),
    ("descend(net, x, target, rate)", "tp.grad(loss)"),
]


def test_each_slip_is_found_on_its_line(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    lines: dict[str, int | None] = {"right": None}
    (tmp_path / "right.py").write_text(text)
    for i, (right, wrong) in enumerate(SLIPS):
        assert text.count(right) == 1, right
        (tmp_path / f"slip{i}.py").write_text(text.replace(right, wrong))
        lines[f"slip{i}"] = text[: text.index(right)].count("\n") + 1

    path = os.pathsep.join(str(ROOT / folder) for folder in ("src", "stubs", "examples"))
    output = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={ROOT}/.mypy_cache/slips", "."],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": path},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = {name: set[int]() for name in lines}
    for name, line in re.findall(r"^(\w+)\.py:(\d+): error: ", output, re.MULTILINE):
        found[name].add(int(line))
    assert found == {name: set() if line is None else {line} for name, line in lines.items()}, output
