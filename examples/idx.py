"""Read the handwritten digits of MNIST from its four IDX files, gzipped or not.

`load_mnist(folder)` gives the 60,000 training and 10,000 test images with their labels. An IDX file is a header (two
zero bytes, a code for the type of its items, the number of axes, and each axis' length as four bytes, the highest
first), followed by the items. A file that is cut short, or is not what its name says, raises `IdxError`: one line that
names the file, what was found in it and what was expected.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import attrs
import numpy as np
import numpy.typing as npt

TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
CLASSES = 10


class IdxError(ValueError):
    """A data file is missing, cut short, or not what its name says."""


@attrs.frozen(eq=False)
class Mnist:
    """Images of shape (count, height, width), labels of shape (count,), all of them bytes."""

    train_images: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.uint8]
    test_images: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.uint8]


def load_mnist(folder: Path) -> Mnist:
    """Read MNIST's four files in `folder`, each under its usual name, with or without `.gz`."""
    if not folder.is_dir():
        raise IdxError(f"{folder}: no such folder; it should hold MNIST's four IDX files")
    train_images, train_labels = read_pair(folder, "train")
    test_images, test_labels = read_pair(folder, "t10k")
    if train_images.shape[1:] != test_images.shape[1:]:
        raise IdxError(
            f"{folder}: the training images are {sizes(train_images.shape[1:])} pixels "
            f"and the test images {sizes(test_images.shape[1:])}; they should be of one size"
        )
    return Mnist(train_images, train_labels, test_images, test_labels)


def read_pair(folder: Path, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The images and the labels of one part, "train" or "t10k", which must fit together."""
    images_path = find(folder, f"{part}-images", "idx3-ubyte")
    labels_path = find(folder, f"{part}-labels", "idx1-ubyte")
    images = read_idx(images_path, 3)
    labels = read_idx(labels_path, 1)
    if images.size == 0:
        raise IdxError(f"{images_path}: holds no pixels: its sizes are {sizes(images.shape)}")
    if len(images) != len(labels):
        raise IdxError(f"{labels_path}: {len(labels)} labels for the {len(images)} images of {images_path.name}")
    if labels.max() >= CLASSES:
        at = int(labels.argmax())
        raise IdxError(f"{labels_path}: label {at} is {labels[at]}, but the digits are 0 to {CLASSES - 1}")
    return images, labels


def find(folder: Path, stem: str, suffix: str) -> Path:
    """The file under any of the names in use: some sources write a dot for the hyphen before `idx`."""
    names = [f"{stem}{joint}{suffix}{end}" for joint in "-." for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise IdxError(f"{folder}: there is no {names[0]} and no {names[1]} in it")


def read_idx(path: Path, axes: int) -> npt.NDArray[np.uint8]:
    """The array of bytes with this many axes that the file holds; gzip is recognised by the content, not the name."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IdxError(f"{path}: cannot be read: {error.strerror}") from error
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise IdxError(f"{path}: the gzip data is cut short or damaged: {error}") from error
    if len(data) < 4:
        raise IdxError(f"{path}: cut short: {len(data)} bytes, fewer than the 4 that an IDX file starts with")
    if data[:2] != b"\0\0" or data[2] not in TYPES:
        raise IdxError(f"{path}: not an IDX file: it starts with {data[:4].hex(' ')}, not with 00 00 08 {axes:02x}")
    if TYPES[data[2]] != "uint8":
        raise IdxError(f"{path}: holds {TYPES[data[2]]} (type code {data[2]:02x}), not uint8 (08)")
    if data[3] != axes:
        raise IdxError(f"{path}: holds {kind(data[3])}, not {kind(axes)}")
    start = 4 + 4 * axes
    if len(data) < start:
        raise IdxError(f"{path}: cut short: {len(data)} bytes, fewer than the {start} of its header")
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4))
    found, expected = len(data) - start, math.prod(shape)
    if found != expected:
        fault = "cut short" if found < expected else "too long"
        raise IdxError(f"{path}: {fault}: its header says {sizes(shape)}, {expected} bytes, but {found} follow")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def kind(axes: int) -> str:
    name = {1: "labels", 3: "images"}.get(axes, "something else")
    return f"{name} ({axes} {'axis' if axes == 1 else 'axes'})"


def sizes(shape: tuple[int, ...]) -> str:
    return " by ".join(map(str, shape))
