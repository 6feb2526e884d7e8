"""`save` and `load`: a record in a file, and back bit by bit, with the dtypes, shapes and memory layouts it had.

    tp.save("net.npz", net)
    net = tp.load("net.npz", like=net)

The file is a zip of .npy files, as np.savez writes them, each named by the path of its leaf, so `np.load("net.npz")`
reads it too; `typedprop.json` in it lists the paths, dtypes and shapes. With `format="safetensors"` it is one of those,
for other libraries to read. Nothing is ever pickled or unpickled: a file cannot run code.

What is no BVar (names, sizes, functions) is not saved: `like` says it, and says what the file must hold.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final, Literal

import attrs
import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.atomic import replacing
from typedprop.bvar import BVar, constant
from typedprop.errors import DTypeError, ShapeError
from typedprop.extras import extra
from typedprop.flat import plain_leaves

P = TypeVar("P")
Array = npt.NDArray[np.floating[Any]]
FilePath = str | os.PathLike[str]

_SCHEMA: Final = "typedprop.json"
_VERSION: Final = 1
# Before any year is as good as another, and the same record makes the same bytes.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
# A .npy file's own header is shorter.
_HEADER: Final = 4096


class CorruptFileError(ValueError):
    """A file is not what `save` wrote: cut off, damaged, or something else."""


@attrs.frozen
class _Leaf:
    """What the file says of a leaf."""

    path: str
    key: str
    dtype: str
    shape: tuple[int, ...]
    # The axes from the outermost to the innermost in memory, where that is not their order.
    axes: tuple[int, ...] | None
    crc: int

    def to_json(self) -> dict[str, object]:
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, entry: object) -> _Leaf:
        """Raises KeyError, TypeError or ValueError for what `to_json` did not make."""
        if not isinstance(entry, dict):
            raise TypeError("no dict")
        axes = entry.get("axes")
        leaf = cls(
            entry["path"], entry["key"], entry["dtype"], tuple(entry["shape"]), axes and tuple(axes), entry["crc"]
        )
        if not all(isinstance(text, str) for text in (leaf.path, leaf.key, leaf.dtype)):
            raise TypeError("no string")
        if not all(type(size) is int and size >= 0 for size in leaf.shape):
            raise TypeError("no shape")
        if leaf.axes is not None and sorted(leaf.axes) != list(range(len(leaf.shape))):
            raise ValueError("no axes")
        return leaf


# -- Saving ------------------------------------------------------------------------------------------------------------


def save(path: FilePath, record: object, *, format: Literal["npz", "safetensors"] | None = None) -> None:
    """Write the leaves of a record, or of any tree of BVars, to a file.

    Without a `format` it is npz, or safetensors where the path ends in `.safetensors`.

    The file is replaced as a whole: a crash while it is written leaves the old one. Equal records make equal files.

    Raises `NotDifferentiableError` where there is no BVar, or one inside of a gradient; `DTypeError` for leaves of a
    registered type; OSError where the file cannot be written; ImportError where safetensors is not installed.
    """
    name = _name(path, "save")
    if format is None:
        format = "safetensors" if name.endswith(".safetensors") else "npz"
    values = plain_leaves(record, "save")
    paths = tree.flatten(record)[1].paths()
    # In C order, whatever the layout: safetensors (0.8 at least) silently mixes up arrays in Fortran order.
    arrays = [np.asarray(value, order="C") for value in values]
    leaves = [
        _Leaf(at, key, str(array.dtype), array.shape, _axes(value), _crc(array))
        for at, key, array, value in zip(paths, _keys(paths), arrays, values, strict=True)
    ]
    schema = json.dumps(
        {
            "typedprop": _VERSION,
            "record": type(record).__qualname__,
            "leaves": [leaf.to_json() for leaf in leaves],
        }
    )
    if format == "npz":
        with replacing(path) as file:
            _write_npz(file, schema, leaves, arrays)
    elif format == "safetensors":
        library: Any = extra("safetensors.numpy", name="safetensors", needed_by='save(format="safetensors")')
        content = library.save({leaf.key: x for leaf, x in zip(leaves, arrays, strict=True)}, {_SCHEMA: schema})
        with replacing(path) as file:
            file.write(content)
    else:
        raise ValueError(f'save: format is {format!r}; wanted "npz" or "safetensors"')


def _name(path: object, function: str) -> str:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{function}: path is of type {type(path).__name__}; wanted a str or a Path")
    return os.fspath(path)


def _write_npz(file: IO[bytes], schema: str, leaves: Sequence[_Leaf], arrays: Sequence[Array]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(_SCHEMA, _DATE), schema)
        for leaf, array in zip(leaves, arrays, strict=True):
            with archive.open(zipfile.ZipInfo(f"{leaf.key}.npy", _DATE), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _keys(paths: Sequence[str]) -> Iterator[str]:
    """A name for each leaf that other programs see: its path, where that can be a file's name and is not another's."""
    count = Counter(paths)
    for k, path in enumerate(paths):
        key = path.removeprefix(".")
        fit = re.fullmatch(r"[\w.\[\]' -]{1,200}", key) and not key.startswith("__")
        yield key if fit and count[path] == 1 else f"#{k}"


def _crc(array: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B") if array.size else b"")


def _axes(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, np.ndarray) or value.flags.c_contiguous:
        return None
    return tuple(sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis])))


# -- Loading -----------------------------------------------------------------------------------------------------------


def load(path: FilePath, like: P) -> P:
    """The record that `save` wrote to a file, of the type of `like`, whose values at the leaves do not matter.

    Raises `CorruptFileError` for a file that is damaged or that `save` did not write; `tree.StructureError` where file
    and `like` have leaves at different paths, `ShapeError` or `DTypeError` where shapes or dtypes differ, each naming
    the path and both sides; OSError where the file cannot be read.
    """
    wanted = plain_leaves(like, "load: like")
    structure: tree.Structure[P] = tree.flatten(like)[1]
    name = _name(path, "load")
    with open(path, "rb") as file:
        start = file.read(9)
        file.seek(0)
        try:
            if start.startswith(b"PK\x03\x04"):
                arrays = _read_npz(file, name, structure, wanted)
            elif start[8:] == b"{":
                arrays = _read_safetensors(file, name, structure, wanted)
            else:
                raise CorruptFileError("neither a npz nor a safetensors file")
        except CorruptFileError as error:
            raise CorruptFileError(f"load: {name} is not what tp.save wrote: {error}") from error.__cause__
    return structure.unflatten([_leaf(array, value) for array, value in zip(arrays, wanted, strict=True)])


def _read_npz(file: IO[bytes], name: str, structure: tree.Structure[Any], wanted: Sequence[Any]) -> list[Array]:
    # Whatever is wrong with a zip, reading it raises one of many things.
    try:
        archive = zipfile.ZipFile(file)
        names = archive.namelist()
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in archive.infolist()):
            # What others expand to has no limit.
            raise CorruptFileError("it is compressed in a way that is not read here")
        with archive.open(_SCHEMA) as member:
            most = _longest(structure)
            schema = member.read(most + 1)
    except KeyError:
        raise CorruptFileError(f"there is no {_SCHEMA} in it") from None
    except CorruptFileError:
        raise
    except Exception as error:
        raise _damaged(error) from error
    if len(set(names)) < len(names):
        # Others may read the first where this reads the last.
        raise CorruptFileError(f"it holds {Counter(names).most_common(1)[0][0]!r} more than once")
    if len(schema) > most:
        raise CorruptFileError(f"its {_SCHEMA} is longer than what a record like this one needs")
    arrays = []
    for leaf, value in zip(_chosen(schema, name, structure, wanted), wanted, strict=True):
        try:
            with archive.open(f"{leaf.key}.npy") as member:
                content = io.BytesIO(member.read(np.asarray(value).nbytes + _HEADER))
            _check_header(content, leaf)
            array = np.lib.format.read_array(content, allow_pickle=False)
        except Exception as error:
            raise _damaged(error) from error
        arrays.append(_checked(array, leaf))
    return arrays


def _check_header(content: IO[bytes], leaf: _Leaf) -> None:
    """That an array is of the size that it should have, before memory is taken for it. Raises ValueError."""
    if np.lib.format.read_magic(content) != (1, 0):
        raise ValueError("an array is of a version that save does not write")
    shape, _, dtype = np.lib.format.read_array_header_1_0(content)
    if shape != leaf.shape or (dtype.itemsize > 8 and not dtype.hasobject):
        raise ValueError(f"an array is said to have shape {shape} and dtype {str(dtype)[:100]}")
    content.seek(0)


def _longest(structure: tree.Structure[Any]) -> int:
    """A length in bytes that no description of such a record exceeds, or of one with some leaves more."""
    return 2**20 + sum(1000 + 100 * len(path) for path in structure.paths())


def _read_safetensors(file: IO[bytes], name: str, structure: tree.Structure[Any], wanted: Sequence[Any]) -> list[Array]:
    library: Any = extra("safetensors.numpy", name="safetensors", needed_by=f"load: {name}, which")
    content = file.read()
    try:
        (length,) = struct.unpack_from("<Q", content)
        schema = json.loads(content[8 : 8 + length])["__metadata__"][_SCHEMA]
        arrays = library.load(content)
    except KeyError:
        raise CorruptFileError(f"there is no {_SCHEMA} among its metadata") from None
    # Its own errors derive from no more than Exception.
    except Exception as error:
        raise _damaged(error) from error
    leaves = _chosen(schema, name, structure, wanted)
    try:
        return [_checked(arrays[leaf.key], leaf) for leaf in leaves]
    except KeyError as error:
        raise _damaged(error) from error


def _chosen(schema: str | bytes, name: str, structure: tree.Structure[Any], wanted: Sequence[Any]) -> list[_Leaf]:
    """What the file says of each leaf that is wanted, in that order; all that it says must be wanted."""
    try:
        document = json.loads(schema)
        version, record = document["typedprop"], _shown(str(document["record"]))
        entries = [_Leaf.from_json(entry) for entry in document["leaves"]] if version == _VERSION else []
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(error) from error
    if version != _VERSION:
        raise CorruptFileError(f"it is of version {version!r}, and this typedprop reads version {_VERSION}")
    # Paths of very deep trees are shortened and may be equal: then their order tells them apart.
    held = dict(zip(_numbered([entry.path for entry in entries]), entries, strict=True))
    paths = structure.paths()
    places = _numbered(paths)
    for path, k in places:
        if (path, k) not in held:
            raise tree.StructureError(f"load: {name}, a {record}, has no leaf {_place(path)}, and like has one")
    for path, k in held:
        if (path, k) not in places:
            raise tree.StructureError(f"load: {name}, a {record}, has a leaf {_place(path)}, and like has none")
    for (path, k), value in zip(places, wanted, strict=True):
        leaf, at = held[path, k], path and f"at {path}, "
        if leaf.shape != np.shape(value):
            raise ShapeError(f"load: {at}{name} has shape {leaf.shape}, and like has shape {np.shape(value)}")
        if leaf.dtype != str(np.asarray(value).dtype):
            raise DTypeError(f"load: {at}{name} has dtype {leaf.dtype}, and like has {np.asarray(value).dtype}")
    return [held[place] for place in places]


def _numbered(paths: Sequence[str]) -> dict[tuple[str, int], None]:
    """The paths with a number that tells equal ones apart, in order."""
    seen: Counter[str] = Counter()
    numbered: dict[tuple[str, int], None] = {}
    for path in paths:
        numbered[path, seen[path]] = None
        seen[path] += 1
    return numbered


def _shown(text: str) -> str:
    """A name or path that a file gives, as a message shows it: in one line, of moderate length."""
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 300 else f"{text[:200]} ... {text[-50:]}"


def _place(path: str) -> str:
    return _shown(path) or "at its root"


def _checked(array: Array, leaf: _Leaf) -> Array:
    """The array in the layout that it had, if it is the one that was saved."""
    if (str(array.dtype), array.shape) != (leaf.dtype, leaf.shape) or _crc(array) != leaf.crc:
        raise CorruptFileError(f"it is damaged {f'at {leaf.path}' if leaf.path else 'in its data'}")
    axes = leaf.axes or tuple(range(array.ndim))
    laid = np.empty([array.shape[axis] for axis in axes], array.dtype).transpose(np.argsort(axes))
    laid[...] = array
    return laid


def _leaf(array: Array, like: object) -> BVar[Any]:
    return constant(array if isinstance(like, np.ndarray) else float(array))


def _damaged(error: Exception) -> CorruptFileError:
    if isinstance(error, ValueError) and "allow_pickle" in str(error):
        return CorruptFileError("it holds pickled objects, which are never loaded")
    return CorruptFileError(f"it is damaged or cut off ({type(error).__name__}: {error})")
