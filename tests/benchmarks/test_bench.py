"""The benchmark of all work: what peers fail at is told, profiles are added up, the page and its charts are made."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import ClassVar

import matplotlib.image
import numpy as np
import pytest

from benchmarks import bench, bench_page
from benchmarks.bench_results import Profiled, Results
from benchmarks.by_hand import ByHand
from benchmarks.contender import Call
from benchmarks.measurements import Measurements
from benchmarks.peers import contenders_of
from benchmarks.targets import TARGETS
from benchmarks.tasks import TASKS
from benchmarks.timing import Race
from benchmarks.where import Profile, summed
from benchmarks.work import Regressor
from benchmarks.worker import prepared

DOCS = Path(__file__).parents[2] / "docs" / "performance"


class Broken(ByHand):
    name: ClassVar[str] = "broken"
    peer: ClassVar[bool] = True

    def regressor_gradient(self, work: Regressor) -> Call:
        raise RuntimeError("no\n such thing")


class Doubled(ByHand):
    name: ClassVar[str] = "doubled"
    peer: ClassVar[bool] = True

    def regressor_gradient(self, work: Regressor) -> Call:
        right = super().regressor_gradient(work)
        return lambda: [2.0 * part for part in self.arrays(right())]


def test_what_a_peer_fails_at_is_told() -> None:
    calls, failures = prepared(TASKS["tiny"], [*contenders_of("numpy"), Broken(), Doubled()])
    assert list(calls) == ["by hand", "typedprop", "by hand, out="]
    assert failures["broken"] == "RuntimeError: no such thing"
    assert failures["doubled"].startswith("AssertionError: Not equal to tolerance")


def test_a_peer_whose_process_dies_is_told() -> None:
    # A worker that does not know its task ends with an error, as one does that crashes.
    found = Measurements()
    found.race("optree", ["no such task"], 0.0)
    assert found.failure("flatten", "optree") == "its process ended with code 1"
    assert found.failure("tiny", "torch") is None
    with pytest.raises(subprocess.CalledProcessError):
        found.race("numpy", ["no such task"], 0.0)


@pytest.mark.parametrize("key", ["tiny", "recurrent", "scalars/1000", "multiply", "hvp", "step/float32/1"])
def test_ours_agree(key: str) -> None:
    calls, failures = prepared(TASKS[key], contenders_of("numpy"))
    assert not failures
    assert {"by hand", "typedprop"} <= set(calls)


def test_a_long_round_is_run_once() -> None:
    race = Race({"long": lambda: np.linalg.eigvals(np.ones((60, 60)))}, seed=0)
    race.run(0.0)
    assert 1 <= len(race.timings["long"]) <= 7


def test_a_target_without_its_peer_is_not_measured() -> None:
    found = Measurements(timings={"numpy": {"tiny": {"by hand": [1.0, 1.0], "typedprop": [2.0, 3.0]}}})
    tiny = {target.against: target for target in TARGETS if target.key == "tiny"}
    assert tiny["torch"].verdict(tiny["torch"].compute(found)) == "not measured"
    figure = tiny["by hand"].compute(found)
    assert figure is not None
    assert figure.value == 2.5
    assert tiny["by hand"].verdict(figure) == "SHORT"


STACKS = """\
<module> (benchmarks/where.py:150);start (typedprop/tape.py:1) 9
main (benchmarks/where.py:150);again_and_again (benchmarks/where.py:130);loss (by_typedprop.py:9) 1
again_and_again (where.py:1);loss (by_typedprop.py:9);BVar.__add__ (typedprop/bvar.py:5) 2
again_and_again (where.py:1);f (typedprop/transform/run.py:9);pull_back (typedprop/tape.py:5);of (typedprop/op.py:5) 3
again_and_again (where.py:1);record (typedprop/bvar.py:5);malloc (libc.so.6);gc_collect_main (libpython3.11.so.1.0) 1
again_and_again (where.py:1);record (typedprop/bvar.py:5);dot (numpy/_core/_multiarray_umath.so);memcpy (libc.so.6) 4
again_and_again (where.py:1);dot (numpy/_core/_multiarray_umath.so);gemm (libscipy_openblas64_-32a4b2a6.so) 5
again_and_again (where.py:1);flatten (typedprop/tree.py:5);tuple_new (libpython3.11.so.1.0) 3
again_and_again (where.py:1);perf_counter (libpython3.11.so.1.0) 1
"""


def test_samples_count_for_who_is_at_work() -> None:
    found = summed(STACKS.splitlines())
    assert found.samples == 20
    assert {part: round(20 * share) for part, share in found.parts.items()} == {
        "BLAS": 5,
        "NumPy": 4,
        "recording the operations": 2,
        "the backward sweep": 3,
        "before and after: trees, results": 3,
        "the program itself": 1,
        "Python's garbage collector": 1,
        "the rest": 1,
    }
    assert list(found.functions) == ["op.py: of", "tree.py: flatten", "bvar.py: BVar.__add__"]


def results() -> Results:
    """As they might be measured: typedprop takes 1.25 times as long as by hand, autograd 8 times; torch fails."""
    ours = {"by hand": [4e-5] * 3, "typedprop": [5e-5] * 3}
    found = Measurements(
        timings={
            "numpy": {key: {**ours, "by hand, out=": [3e-5] * 3} for key in bench.WORK},
            "autograd": {key: {**ours, "autograd": [32e-5] * 3} for key in bench.WORK},
            "optree": {key: {"typedprop": [1e-6], "optree": [2e-5]} for key in bench.TREES},
        },
        failures={"torch": {"tiny": {"torch": "RuntimeError: no kernel"}}},
        memory={key: {"by hand": 1000, "typedprop": 1_500_000} for key in bench.WORK},
        startup={"import": 0.04, "first gradient": 0.001},
        speedups=[1.7, 1.8],
    )
    profile = Profile(1234, {"BLAS": 0.25, "the backward sweep": 0.75}, {"tape.py: pull_back": 0.6})
    profiles = [
        Profiled("tiny", "tiny", {"by hand": (4e-5, profile), "typedprop": (5e-5, profile)}, ""),
        Profiled("hvp", "hvp", {}, "py-spy is not installed"),
    ]
    versions = {"autograd": "1.9.1", "torch": "2.13.0", "jax": None, "optree": "0.20.0"}
    return Results(found, profiles, versions, "2 cores, a processor", 1.5, 600.0)


def test_the_page_and_the_charts(tmp_path: Path) -> None:
    found = results()
    found.save(tmp_path / "out" / "raw.json")
    assert Results.read(tmp_path / "out" / "raw.json") == found
    bench_page.write(found, tmp_path)
    page = (tmp_path / "measured.md").read_text()
    times = [line for line in page.splitlines() if line.startswith("| 10-16-16-3: gradient, one sample |")]
    assert times == [
        "| 10-16-16-3: gradient, one sample | 40.0 µs | 1.25 (1.25 to 1.25) | – | 0.75 | 8.00 | failed: RuntimeError "
        "| not installed | not installed |",
        "| 10-16-16-3: gradient, one sample | 1.00 kB | 1.50 MB | 1,500 |",
    ]
    assert "- torch, 10-16-16-3: gradient, one sample: RuntimeError: no kernel" in page
    assert "| tiny MLP 10-16-16-3, one sample | torch |  |  | 0.35 | 0.2 | failed: RuntimeError |" in page
    assert "| HVP of Rosenbrock, n = 1,000 | by hand | 1.250 |  | 8 | 5 | better than the aim |" in page
    assert "| 20 elementwise operations on 10⁶ elements | by hand | 1.250 |  | 1.1 | 0.95 | **falls short** |" in page
    assert "| the backward sweep | 30.0 µs | 37.5 µs |" in page
    assert "`tape.py: pull_back` 60 % (1,234 samples)" in page
    assert "Not profiled: py-spy is not installed." in page
    assert "jax (not installed)" in page
    assert "the load average was 1.5" in page
    for name in ("measured-network.png", "measured-other.png"):
        picture = matplotlib.image.imread(tmp_path / name)[..., :3]
        rgb = np.array([int(bench_page.MARKS["typedprop"].color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        assert (abs(picture - rgb) < 0.01).all(axis=-1).sum() > 500


def test_the_page_in_the_docs_is_what_the_program_writes() -> None:
    # But for the figures.
    kept = (DOCS / "measured.md").read_text()
    for words in re.split(r"\{\w+\}", bench_page.PAGE):
        assert words.strip() in kept
