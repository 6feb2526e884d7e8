from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from idx import IdxError, load_mnist, read_idx

IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def random_part(count: int, side: int = 6) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, side, side - 1), dtype=np.uint8)
    return images, rng.integers(0, 10, count, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four small files that fit together."""
    for part, count in (("train", 7), ("t10k", 3)):
        images, labels = random_part(count)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return tmp_path


def refused(folder: Path) -> str:
    """The message with which the folder is refused: one line."""
    with pytest.raises(IdxError) as caught:
        load_mnist(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def assert_all_there(folder: Path) -> None:
    mnist = load_mnist(folder)
    for (images, labels), count in (
        ((mnist.train_images, mnist.train_labels), 7),
        ((mnist.test_images, mnist.test_labels), 3),
    ):
        expected_images, expected_labels = random_part(count)
        assert images.dtype == labels.dtype == np.uint8
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(labels, expected_labels)


def test_plain_files(folder: Path) -> None:
    assert_all_there(folder)


def test_gzipped_files(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert_all_there(folder)


def test_gzipped_without_the_ending_and_named_with_a_dot(folder: Path) -> None:
    (folder / IMAGES).write_bytes(gzip.compress((folder / IMAGES).read_bytes()))
    (folder / LABELS).rename(folder / "train-labels.idx1-ubyte")
    assert_all_there(folder)


def test_missing_folder(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == f"{tmp_path / 'none'}: no such folder; it should hold MNIST's four IDX files"


def test_missing_file(folder: Path) -> None:
    (folder / LABELS).unlink()
    assert refused(folder) == f"{folder}: there is no {LABELS} and no {LABELS}.gz in it"


@pytest.mark.parametrize("size", [0, 1, 3])
def test_shorter_than_the_magic_number(folder: Path, size: int) -> None:
    (folder / IMAGES).write_bytes(b"\0\0\x08\x03"[:size])
    expected = f"{folder / IMAGES}: cut short: {size} bytes, fewer than the 4 that an IDX file starts with"
    assert refused(folder) == expected


def test_shorter_than_its_header(folder: Path) -> None:
    (folder / IMAGES).write_bytes((folder / IMAGES).read_bytes()[:15])
    assert refused(folder) == f"{folder / IMAGES}: cut short: 15 bytes, fewer than the 16 of its header"


def test_items_cut_short(folder: Path) -> None:
    (folder / IMAGES).write_bytes((folder / IMAGES).read_bytes()[:-1])
    assert refused(folder) == (f"{folder / IMAGES}: cut short: its header says 7 by 6 by 5, 210 bytes, but 209 follow")


def test_too_long(folder: Path) -> None:
    (folder / LABELS).write_bytes((folder / LABELS).read_bytes() + b"\0")
    assert refused(folder) == f"{folder / LABELS}: too long: its header says 7, 7 bytes, but 8 follow"


def test_a_header_that_promises_far_too_much(folder: Path) -> None:
    (folder / IMAGES).write_bytes(b"\0\0\x08\x03" + b"\xff" * 12 + b"abc")
    assert "cut short" in refused(folder)


@pytest.mark.parametrize("keep", [2, 12, -9, -4])
def test_gzip_cut_short(folder: Path, keep: int) -> None:
    (folder / IMAGES).write_bytes(gzip.compress((folder / IMAGES).read_bytes())[:keep])
    assert refused(folder).startswith(f"{folder / IMAGES}: the gzip data is cut short or damaged: ")


def test_gzip_damaged(folder: Path) -> None:
    data = bytearray(gzip.compress((folder / IMAGES).read_bytes()))
    data[40] ^= 0xFF
    (folder / IMAGES).write_bytes(data)
    assert refused(folder).startswith(f"{folder / IMAGES}: the gzip data is cut short or damaged: ")


def test_not_an_idx_file(folder: Path) -> None:
    (folder / IMAGES).write_bytes(b"\x89PNG and so on")
    assert refused(folder) == (f"{folder / IMAGES}: not an IDX file: it starts with 89 50 4e 47, not with 00 00 08 03")


def test_unknown_type_code(folder: Path) -> None:
    (folder / LABELS).write_bytes(b"\0\0\x0a\x01" + b"\0" * 20)
    assert refused(folder) == (f"{folder / LABELS}: not an IDX file: it starts with 00 00 0a 01, not with 00 00 08 01")


def test_another_item_type(folder: Path) -> None:
    (folder / IMAGES).write_bytes(b"\0\0\x0d\x03" + (folder / IMAGES).read_bytes()[4:])
    assert refused(folder) == f"{folder / IMAGES}: holds float32 (type code 0d), not uint8 (08)"


def test_images_and_labels_exchanged(folder: Path) -> None:
    images, labels = (folder / IMAGES).read_bytes(), (folder / LABELS).read_bytes()
    (folder / IMAGES).write_bytes(labels)
    (folder / LABELS).write_bytes(images)
    assert refused(folder) == f"{folder / IMAGES}: holds labels (1 axis), not images (3 axes)"
    (folder / IMAGES).write_bytes(images)
    assert refused(folder) == f"{folder / LABELS}: holds images (3 axes), not labels (1 axis)"


def test_counts_that_differ(folder: Path) -> None:
    (folder / LABELS).write_bytes(idx_bytes(random_part(8)[1]))
    assert refused(folder) == f"{folder / LABELS}: 8 labels for the 7 images of {IMAGES}"


def test_a_label_over_nine(folder: Path) -> None:
    labels = random_part(7)[1]
    labels[4] = 10
    (folder / LABELS).write_bytes(idx_bytes(labels))
    assert refused(folder) == f"{folder / LABELS}: label 4 is 10, but the digits are 0 to 9"


def test_no_pixels(folder: Path) -> None:
    (folder / IMAGES).write_bytes(idx_bytes(np.zeros((0, 6, 5), np.uint8)))
    assert refused(folder) == f"{folder / IMAGES}: holds no pixels: its sizes are 0 by 6 by 5"


def test_image_sizes_that_differ(folder: Path) -> None:
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(random_part(3, side=5)[0]))
    assert refused(folder) == (
        f"{folder}: the training images are 6 by 5 pixels and the test images 5 by 4; they should be of one size"
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(IdxError, match=re.escape(f"{tmp_path}: cannot be read: Is a directory")):
        read_idx(tmp_path, 3)
