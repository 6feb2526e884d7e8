"""The digits on Dask: a real cluster of two processes, the same bits whoever dies, a cluster that runs already."""

from __future__ import annotations

import importlib
import logging
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import digits
import digits_dask
import idx
import typedprop as tp
from digits import Digits, Hidden1, Hidden2, Pixels, random_network

pytestmark = pytest.mark.xdist_group("processes")

EXAMPLE = Path(digits_dask.__file__)
SMALL = ["--epochs", "2", "--batch", "480"]
# Dask comes with few types.
distributed: Any = importlib.import_module("distributed")


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Any:
    """Dask is as talkative as before, and the modules are not those that it imported from the files given to it."""
    logger = logging.getLogger("distributed")
    level = logger.level
    # A file that is given to a cluster in this process is loaded again, into the module that is here already.
    contents = [(module, dict(vars(module))) for module in (idx, digits, digits_dask)]
    yield
    logger.setLevel(level)
    for module, content in contents:
        sys.modules[module.__name__] = module
        vars(module).update(content)


def accuracy(output: str) -> float:
    found = re.search(r"^accuracy on the held-out images: ([\d.]+)%, after [\d.]+ s of training$", output, re.MULTILINE)
    assert found, output
    return float(found[1])


def test_as_a_script(tmp_path: Path) -> None:
    """With the settings that --help tells."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), "--epochs", "12", "--save", "net.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert accuracy(done.stdout) >= 92.0
    like = random_network(Pixels(64), Hidden1(64), Hidden2(32), Digits(10), np.random.default_rng(1))
    net = tp.load(tmp_path / "net.npz", like=like)
    assert net.weight1 != like.weight1
    assert done.stdout.endswith("saved: net.npz\n")


def test_a_cluster_that_runs_already_and_loses_a_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(name: str) -> bytes:
        assert digits_dask.main([*SMALL, "--scheduler", cluster.scheduler_address, "--save", str(tmp_path / name)]) == 0
        return (tmp_path / name).read_bytes()

    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        undisturbed = run("first")
        with distributed.Client(cluster) as client:
            before = set(client.run(os.getpid).values())

            def kill_when_it_works() -> None:
                end = time.monotonic() + 60
                while not cluster.scheduler.tasks and time.monotonic() < end:
                    time.sleep(0.002)
                os.kill(min(before), 9)

            killer = threading.Thread(target=kill_when_it_works)
            killer.start()
            assert run("second") == undisturbed
            killer.join()
            client.wait_for_workers(2)
            assert min(before) not in client.run(os.getpid).values()
    assert digits_dask.main([*SMALL, "--workers", "1", "--save", str(tmp_path / "third")]) == 0
    assert (tmp_path / "third").read_bytes() == undisturbed
    assert accuracy(capsys.readouterr().out) > 10.0


def test_parts_are_all_the_rows() -> None:
    rows: Any = np.arange(14.0).reshape(7, 2)
    for count in (1, 2, 3, 7, 20):
        cut = list(digits_dask.parts(rows, rows + 1.0, count))
        assert len(cut) == min(count, 7)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in cut]), rows)
        np.testing.assert_array_equal(np.concatenate([target for _, target in cut]), rows + 1.0)
        assert max(len(x) for x, _ in cut) - min(len(x) for x, _ in cut) <= 1


def test_options_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        digits_dask.main(["--help"])
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    for option in ("--scheduler", "--workers", "--shards", "--epochs", "--batch", "--rate", "--save"):
        assert option in help_text
    with pytest.raises(SystemExit) as ended:
        digits_dask.main(["--shards", "0"])
    assert ended.value.code == 2
    assert "argument --shards: invalid whole number above 0 value: '0'" in capsys.readouterr().err
