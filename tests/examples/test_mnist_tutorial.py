from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

import mnist_tutorial as tutorial
import typedprop as tp
from typedprop.testing import check_grads


def test_it_learns_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "picture.png"
    assert tutorial.main(["--steps", "2000", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "the scans of 8 by 8 pixels from scikit-learn, scaled up to 28 by 28: 1438 training images, 359 held out"
    )
    errors = [float(line.split("%")[-2].split()[-1]) for line in lines if line.startswith("after")]
    assert len(errors) == 8 and errors[-1] < 12.0 < 20.0 < errors[0]
    assert out.read_bytes().startswith(b"\x89PNG")


def test_mnist_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training, held_out, _ = tutorial.load(None, 0)
    for part, data in (("train", training[:300]), ("t10k", held_out[:100])):
        pictures = np.array([np.rint(x * 255.0) for x, _ in data]).astype(np.uint8)
        header = struct.pack(">4B3I", 0, 0, 8, 3, len(data), 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(header + pictures.tobytes())
        labels = np.array([digit for _, digit in data], np.uint8)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">4BI", 0, 0, 8, 1, len(data)) + labels.tobytes()
        )
    options = ["--mnist", str(tmp_path), "--steps", "100", "--hidden1", "12", "--hidden2", "11"]
    assert tutorial.main([*options, "--out", str(tmp_path / "picture.png")]) == 0
    assert f"MNIST from {tmp_path}: 300 training images, 100 held out" in capsys.readouterr().out


def test_no_mnist_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tutorial.main(["--mnist", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("mnist_tutorial.py: error: ")


def test_the_gradient_is_right() -> None:
    (x, digit), *_ = tutorial.load(None, 0)[0]
    net = tutorial.random_network(np.random.default_rng(0), tutorial.Hidden1(4), tutorial.Hidden2(3))
    check_grads(lambda net: tutorial.loss(net, x, tp.eye(tutorial.DIGITS)[digit]), (net,), order=1)


def test_a_step_goes_downhill() -> None:
    (x, digit), *_ = tutorial.load(None, 0)[0]
    target = tp.eye(tutorial.DIGITS)[digit]
    net = tutorial.random_network(np.random.default_rng(0), tutorial.Hidden1(20), tutorial.Hidden2(10))
    assert tutorial.loss(tutorial.train_step(net, x, target, 0.02), x, target) < tutorial.loss(net, x, target)


def test_images_are_scaled_up_in_place() -> None:
    ramp = np.tile(np.arange(8.0), (1, 8, 1))
    large = tutorial.scaled_up(ramp, 28)
    assert large.shape == (1, 28, 28)
    np.testing.assert_allclose(large[0, 3], np.clip((np.arange(28) + 0.5) / 3.5 - 0.5, 0.0, 7.0))
    np.testing.assert_allclose(tutorial.scaled_up(ramp, 8), ramp)
    np.testing.assert_allclose(tutorial.scaled_up(ramp.transpose(0, 2, 1), 28), large.transpose(0, 2, 1))


def test_samples_come_in_a_random_order_each_once_a_round() -> None:
    training, _, _ = tutorial.load(None, 0)
    data = training[:5]
    order = [digit for _, digit in tutorial.in_random_order(data, 12, np.random.default_rng(0))]
    assert len(order) == 12
    assert sorted(order[:5]) == sorted(order[5:10]) == sorted(digit for _, digit in data)
    assert order[:5] != order[5:10]
