"""The digits example, run for real: its promise on the bundled scans, MNIST's files, its picture and its errors."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_digits

import digits

EXAMPLE = Path(digits.__file__)


def accuracy(output: str) -> float:
    found = re.search(r"^accuracy on the held-out images: ([\d.]+)%$", output, re.MULTILINE)
    assert found, output
    return float(found[1])


def write_mnist(folder: Path, *, training: int, test: int) -> None:
    """Some of the bundled scans, as the four files that MNIST comes in."""
    images, labels = load_digits(return_X_y=True)
    pictures = np.rint(images * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    for part, rows in (("train", slice(training)), ("t10k", slice(training, training + test))):
        count = len(labels[rows])
        header = struct.pack(">4B3I", 0, 0, 8, 3, count, 8, 8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + pictures[rows].tobytes())
        header = struct.pack(">4BI", 0, 0, 8, 1, count)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header + labels[rows].astype(np.uint8).tobytes())


def test_the_defaults_reach_97_percent_in_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    assert digits.main(["--out", str(tmp_path / "digits.png")]) == 0
    assert time.perf_counter() - start < 60.0
    output = capsys.readouterr().out
    assert "1437 training images, 360 held out, 64 pixels" in output
    assert accuracy(output) >= 97.0
    picture = matplotlib.image.imread(tmp_path / "digits.png")
    assert picture.shape[0] > 500 and picture.shape[1] > 500
    assert 0.01 < np.mean(np.any(picture[..., :3] < 0.9, axis=-1)) < 0.9, "the picture is blank, or all ink"


def test_mnist_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_mnist(tmp_path, training=1000, test=300)
    out = tmp_path / "new" / "picture"
    assert digits.main(["--mnist", str(tmp_path), "--epochs", "12", "--quiet", "--out", str(out)]) == 0
    output = capsys.readouterr()
    assert "1000 training images, 300 held out, 64 pixels" in output.out
    assert accuracy(output.out) >= 85.0
    assert output.err == ""
    assert out.read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_network() -> None:
    def two_epochs(seed: int) -> digits.ScanNetwork:
        training, held_out = digits.bundled_scans(seed)
        rng = np.random.default_rng(seed)
        net = digits.random_network(digits.Pixels(64), digits.Hidden1(12), digits.Hidden2(11), digits.Digits(10), rng)
        net, history = digits.train(net, training, held_out, rate=1.0, epochs=2, batch=100, rng=rng, quiet=True)
        assert len(history.training) == len(history.held_out) == 3
        assert history.training[0].loss > history.training[1].loss > history.training[2].loss
        return net

    assert two_epochs(1) == two_epochs(1)
    assert two_epochs(1) != two_epochs(2)


def test_the_split_is_stratified_and_loses_nothing() -> None:
    training, held_out = digits.bundled_scans(3)
    images, labels = load_digits(return_X_y=True)
    together = np.concatenate([training.images, held_out.images])
    assert sorted(map(bytes, np.ascontiguousarray(together))) == sorted(map(bytes, images / 16.0))
    share = np.bincount(held_out.labels) / np.bincount(labels)
    assert np.all(np.abs(share - 0.2) < 0.01)
    np.testing.assert_array_equal(held_out.targets.argmax(axis=1), held_out.labels)
    np.testing.assert_array_equal(held_out.targets.sum(axis=1), 1.0)


def test_mini_batches_give_each_image_once() -> None:
    training, _ = digits.bundled_scans(0)
    batches = list(digits.mini_batches(training, 100, np.random.default_rng(0)))
    assert [len(x) for x, _ in batches] == [100] * 14 + [37]
    rows = np.concatenate([np.hstack([x, target]) for x, target in batches])
    expected = np.hstack([training.images, training.targets])
    assert not np.array_equal(rows, expected), "the order is new"
    assert sorted(map(bytes, rows)) == sorted(map(bytes, expected))


def test_a_rate_too_high_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "digits.png")
    assert digits.main(["--rate", "1e308", "--epochs", "1", "--batch", "400", "--out", out]) == 2
    assert re.fullmatch(r"digits\.py: error: the loss is .* after epoch 1: lower the rate\n", capsys.readouterr().err)


def test_bad_data_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    write_mnist(tmp_path, training=20, test=10)
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-4])
    process = subprocess.run(
        [sys.executable, EXAMPLE, "--mnist", tmp_path], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr == f"digits.py: error: {labels}: cut short: its header says 10, 10 bytes, but 6 follow\n"
    assert not (tmp_path / "out").exists()


def test_a_picture_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert digits.main(["--out", str(tmp_path / "file" / "digits.png")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("digits.py: error: ") and error.count("\n") == 1


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        digits.main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    for option in vars(digits.make_parser().parse_args([])):
        assert re.search(rf"^  --{option}(?: [A-Z]+)?\s+[a-z].{{15}}", text, re.MULTILINE), option


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "argument --epochs: invalid whole number above 0 value: '0'"),
        ("--batch", "2.5", "argument --batch: invalid whole number above 0 value: '2.5'"),
        ("--rate", "nan", "argument --rate: invalid number above 0 value: 'nan'"),
        ("--seed", "-1", "argument --seed: invalid seed from 0 to 4294967295 value: '-1'"),
    ],
)
def test_bad_options(option: str, value: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        digits.main([f"{option}={value}"])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.endswith(f"digits.py: error: {message}\n")
