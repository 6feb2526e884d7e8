"""Random programs of typed operations: the sizes that mypy infers without a plugin are the sizes that come out.

tests/mypy_plugin has the same test of the plugin, and how the programs are made. Here they are functions of one module,
which mypy looks at once. A size is exact or `Any`, never another number; so is the rank.

Left out is what follows from a value that mypy knows nothing of: an `Any` that came of an overloaded call is none to it
in the next one, of which it takes the first overload. And as there, Dims and type variables stand for 2 or more.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.mypy_plugin.checking import messages
from tests.mypy_plugin.test_random_programs import DECLARED, HEAD, ONE, REVEALED, SIZES, Step, grown, sizes_of, value_of
from tests.typing.checkers import BIN, ROOT, TIMEOUT
from typedprop import Dim

PROGRAMS, STEPS = 60, 40
# In addition: what leaves a size of 1, and what no signature knows the rank of.
TEMPLATES = (
    *ONE,
    *DECLARED,
    *("tp.sum({}, axis=@, keepdims=True)", "{}.mean(axis=@, keepdims=True)", "tp.row({})", "tp.col({})") * 3,
    *("{}.sum(axis=@)", "tp.max({}, axis=@)", "tp.softmax({})", "tp.argsort({})", "tp.sort({})", "{}.T", "{}.mT"),
    *("tp.einsum('i...->...i', {})", "{}[..., 0]", "{}[0]", "{}[1:]", "{}[1:, 0]", "{}[:, None]", "{}[[0, 0]]"),
    *("{}.reshape((#, -1))", "{}.reshape(-1)", "{}.ravel()", "{}[{} > 0.5]"),
)


def drawn(rng: random.Random) -> Step:
    """One step. Most sizes are Dims, for only these are known without the plugin."""
    dims = [SIZES.index("m"), SIZES.index("n")]
    sizes = [rng.choice(dims) if rng.random() < 0.7 else rng.randrange(len(SIZES)) for _ in range(4)]
    numbers = [rng.randrange(4) for _ in range(4)]
    operands = rng.randrange(10**6), rng.randrange(10**6)
    return Step(rng.randrange(10), rng.randrange(10**6), operands, tuple(numbers), tuple(sizes), rng.randint(1, 4))


def test_the_sizes_that_the_types_promise_come_out(tmp_path: Path) -> None:
    rng = random.Random(1)
    lines = HEAD.format(m=3, n=4).splitlines()[:-3]
    values: dict[int, tuple[str, str, Any, dict[str, int], str]] = {}
    for number in range(PROGRAMS):
        known = {"m": 3, "n": 4, "k": rng.randint(2, 5), "p": rng.randint(2, 5)}
        steps = [drawn(rng) for _ in range(STEPS)]
        program = grown(steps, known | {"m": Dim(3), "n": Dim(4)}, TEMPLATES)
        lines += ["", "", f"def program_{number}(k: K, p: P) -> None:"]
        for name, text, value in program:
            lines.append(f"    {name} = {text}; reveal_type({name})")
            values[len(lines)] = (name, text, value, known, f"program_{number}")
    file = tmp_path / "program.py"
    file.write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *map(str, [BIN / "mypy", "--strict", "--config-file=", "--cache-dir=.mypy_cache/typing"]),
            *map(str, ["--python-executable", sys.executable, file]),
        ],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": "src"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    told = defaultdict[int, list[str]](list)
    for message in messages(done.stdout, file.name):
        told[message.line].append(message.text)
    assert told, done.stdout + done.stderr
    seen = Counter[str]()
    wrong: list[str] = []
    lost = set[tuple[str, str]]()
    for line, (name, text, value, known, place) in values.items():
        types = [found["type"] for said in told[line] if (found := REVEALED.fullmatch(said))]
        follows = any((place, operand) in lost for operand in re.findall(r"\bv\d+\b", text))
        # mypy gives up on the rank where two signatures fit for what is not known.
        given_up = types and (types[0] == "Any" or ("cast" in text and types[0].endswith("BVar[Any]")))
        if follows or len(told[line]) > len(types) or not types or given_up:
            lost.add((place, name))
            seen["refused or lost"] += 1
            continue
        revealed = sizes_of(types[0])
        if revealed is None:
            seen["of no known rank"] += 1
            continue
        shape = np.shape(value.value if hasattr(value, "value") else value)
        sizes = [value_of(size, known) for size in revealed[: len(shape)]]
        if len(revealed) - 1 != len(shape) or any(size not in (None, n) for size, n in zip(sizes, shape, strict=True)):
            wrong.append(f"{name} = {text}: {types[0]}, but {shape} with {known} (line {line})")
        seen["open"] += sizes.count(None)
        seen["known"] += len(sizes) - sizes.count(None)
    assert not wrong, "\n".join(wrong)
    assert seen["known"] > 500, seen
