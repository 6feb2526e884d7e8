"""Where the time goes: a process does one task again and again, and py-spy looks at its stack 200 times a second.

py-spy reads the stack from outside, with NumPy's C functions in it, so nothing is slowed down more than the rest, as it
is where every call is traced. A sample counts for whoever is at work: BLAS, NumPy, or the part of typedprop that called
last.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.peers import contenders_of
from benchmarks.settings import environment
from benchmarks.tasks import TASKS

BLAS, NUMPY, COLLECTOR = "BLAS", "NumPy", "Python's garbage collector"
RECORDING, SWEEP, AROUND = "recording the operations", "the backward sweep", "before and after: trees, results"
PROGRAM, OTHER = "the program itself", "the rest"
PARTS = (BLAS, NUMPY, RECORDING, SWEEP, AROUND, PROGRAM, COLLECTOR, OTHER)

_RATE = 200
# `function (file.py:12)` or `symbol (library.so)`.
_FRAME = re.compile(r"^(?P<name>.*) \((?P<file>[^()]*?)(?P<line>:\d+)?\)$")
_SWEEPING = ("pull_back", "push_forward")
_RECORDERS = ("bvar.py", "arithmetic.py", "op.py", "ops/")


class NotProfiledError(Exception):
    """py-spy is not installed, or may not look at processes here."""


@dataclass(frozen=True)
class Profile:
    """Shares of the time: of each part, and of typedprop's own functions, the largest first."""

    samples: int
    parts: dict[str, float]
    functions: dict[str, float]


def profile(key: str, contender: str, seconds: float) -> Profile:
    """Sample the task for so many seconds."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if spy is None:
        raise NotProfiledError("py-spy is not installed")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        command = [spy, "record", "--native", f"--rate={_RATE}", "--format=raw", f"--output={file}", "--"]
        command += [sys.executable, "-m", "benchmarks.where", key, contender, str(seconds)]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode or not file.exists():
            raise NotProfiledError(f"py-spy: {(done.stderr.strip() or 'no samples').splitlines()[-1]}")
        return summed(file.read_text().splitlines())


def summed(stacks: Iterable[str]) -> Profile:
    """The shares, from lines of frames, outermost first, and a number of samples."""
    parts: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        names = frames.split(";")
        starts = [k for k, frame in enumerate(names) if frame.startswith(f"{again_and_again.__name__} ")]
        if starts:  # else the process is starting
            part, function = _part(names[starts[-1] + 1 :])
            parts[part] += int(count)
            if function:
                functions[function] += int(count)
    total = parts.total()
    if not total:
        raise NotProfiledError("py-spy saw no samples of the task")
    return Profile(
        total,
        {part: parts[part] / total for part in PARTS if parts[part]},
        {function: samples / total for function, samples in functions.most_common(6)},
    )


def _part(frames: list[str]) -> tuple[str, str | None]:
    """Whose sample it is, and in which of typedprop's functions: the innermost frame that tells decides."""
    sweeping = any(frame.startswith(_SWEEPING) for frame in frames)
    for frame in reversed(frames):
        found = _FRAME.match(frame)
        if found is None:
            continue
        name, file = found["name"], found["file"]
        if "blas" in file:
            return BLAS, None
        if file.startswith("numpy") or "_umath" in file:
            return NUMPY, None
        if name.startswith("gc_collect"):
            return COLLECTOR, None
        if file.startswith("typedprop/"):
            module = file.removeprefix("typedprop/")
            part = SWEEP if sweeping else RECORDING if module.startswith(_RECORDERS) else AROUND
            return part, f"{module}: {name}"
        if Path(file).name.startswith("by_"):
            return PROGRAM, None
    return OTHER, None


def again_and_again(call: Callable[[], object], seconds: float) -> None:
    """What is sampled."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        call()


def main() -> None:
    """Do the task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("key", help="which task")
    parser.add_argument("contender", help="by hand or typedprop")
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    (contender,) = (c for c in contenders_of("numpy") if c.name == arguments.contender)
    call = TASKS[arguments.key].prepare(contender)
    assert call is not None, f"{arguments.contender} does not do {arguments.key}"
    again_and_again(call, arguments.seconds)


if __name__ == "__main__":
    main()
