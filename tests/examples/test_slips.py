"""What the examples promise of the type checker: a slip in one is an error on its line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

# What is written, and what a tired author might have written.
SLIPS = {
    "digits": [
        ("x @ net.weight1.T", "x @ net.weight1"),
        ("x @ net.weight1.T", "net.weight1 @ x"),
        ("x @ net.weight1.T + net.bias1", "x @ net.weight1.T + net.bias2"),
        ("y @ net.weight2.T + net.bias2", "y @ net.weight3.T + net.bias2"),
        ("return z @ net.weight3.T", "return y @ net.weight3.T"),
        (
            "tp.softmax_cross_entropy(logits(net, x), target).mean()",
            "tp.softmax_cross_entropy(logits(net, x), x).mean()",
        ),
        ("tp.softmax_cross_entropy(logits(net, x), target).mean()", "tp.softmax_cross_entropy(logits(net, x), target)"),
        ("tp.grad(loss)(net, x, target)", "tp.grad(loss)(net, target, x)"),
        ("net - rate * tp.grad(loss)(net, x, target)", "net - rate * tp.grad(loss)(net, x, target).weight1"),
        ("tp.normal(rng, hidden2, hidden1, ", "tp.normal(rng, hidden1, hidden2, "),
        ("BVar(tp.zeros(hidden2))", "BVar(tp.zeros(hidden1))"),
        ("BVar(tp.zeros(hidden2))", "tp.zeros(hidden2)"),
        ("samples.images[rows], samples.targets[rows]", "samples.targets[rows], samples.images[rows]"),
        ("descend(net, x, target, rate)", "tp.grad(loss)"),
    ],
    "extensible": [
        ("Output(random_layer(rng, inputs, outputs))", "Output(random_layer(rng, outputs, inputs))"),
        ("random_network(rng, size, hidden[1:], outputs)", "random_network(rng, inputs, hidden[1:], outputs)"),
        ("random_network(rng, size, hidden[1:], outputs)", "random_network(rng, size, hidden[1:], inputs)"),
        ("self.rest.run(tp.tanh(apply(self.layer, x)))", "self.rest.run(tp.tanh(x))"),
        ("self.rest.run(tp.tanh(apply(self.layer, x)))", "apply(self.layer, self.rest.run(x))"),
    ],
    "mnist_tutorial": [
        ("run_layer(net.second, y)", "run_layer(net.third, y)"),
        ("run_layer(net.third, z)", "run_layer(net.third, y)"),
        ("tp.softmax_cross_entropy(scores(net, x), target)", "tp.softmax_cross_entropy(scores(net, target), x)"),
        ("random_layer(rng, hidden1, hidden2)", "random_layer(rng, hidden2, hidden1)"),
        ("(net - start).first", "(net - start.first).first"),
    ],
    "populations": [
        ("vector(adjoint[:SPECIES], SPECIES), tp.vector(adjoint[SPECIES:], RATES)", "vector(adjoint, SPECIES)"),
        ("(tp.exp(model.log_start), tp.exp(model.log_rates)", "(tp.exp(model.log_rates), tp.exp(model.log_start)"),
    ],
}


def test_each_slip_is_found_on_its_line(tmp_path: Path) -> None:
    lines: dict[str, int | None] = {}
    for example, slips in SLIPS.items():
        text = (EXAMPLES / f"{example}.py").read_text()
        lines[example] = None
        (tmp_path / f"{example}.py").write_text(text)
        for i, (right, wrong) in enumerate(slips):
            assert text.count(right) == 1, right
            (tmp_path / f"{example}{i}.py").write_text(text.replace(right, wrong))
            lines[f"{example}{i}"] = text[: text.index(right)].count("\n") + 1

    path = os.pathsep.join(str(ROOT / folder) for folder in ("src", "stubs", "examples"))
    # SciPy comes without types.
    options = ["--strict", "--config-file=", "--ignore-missing-imports", f"--cache-dir={ROOT}/.mypy_cache/slips"]
    output = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "."],
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
