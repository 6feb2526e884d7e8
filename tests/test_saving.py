"""Saving: every bit comes back or one error says why not, whatever happens to the file or to the process."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import random
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, assert_type

import attrs
import numpy as np
import pytest

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim
from typedprop.saving import CorruptFileError, load, save

safetensors: Any = pytest.importorskip(
    "safetensors.numpy", reason="safetensors is optional: pip install -e .[safetensors]"
)

FORMATS: list[Literal["npz", "safetensors"]] = ["npz", "safetensors"]
formats = pytest.mark.parametrize("format", FORMATS)
# arrays whose sizes are data
lift: Any = BVar


class In(Dim): ...


class Out(Dim): ...


@attrs.frozen
class Layer(Record):
    weight: BVar[L[Out, In]]
    bias: BVar[R[Out]] | None
    name: str = "layer"


@attrs.frozen
class Network(Record):
    layers: list[Layer]
    gain: BVar[float]


def network(seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    out, in_ = Out(2), In(3)
    return Network(
        [
            Layer(BVar(tp.normal(rng, out, in_)), BVar(tp.normal(rng, out)), "first"),
            Layer(BVar(tp.normal(rng, out, in_)), None, "second"),
        ],
        BVar(float(rng.normal())),
    )


def layouts() -> dict[str, Any]:
    block = np.arange(24.0).reshape(2, 3, 4) / 7.0
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1.7976931348623157e308, -1e-310])
    payload = np.array([0x7FF8000000000123, 0xFFF0000000000001], np.uint64).view(np.float64)
    return {
        "C": block,
        "Fortran": np.asfortranarray(block),
        "matrix in Fortran order": np.asfortranarray(block[0]),
        "axes exchanged": block.transpose(1, 0, 2),
        "axes rotated": block.transpose(2, 0, 1),
        "four axes": np.arange(120.0).reshape(2, 3, 4, 5).transpose(3, 1, 0, 2),
        "strided": np.arange(96.0).reshape(2, 6, 8)[:, ::2, ::2],
        "backwards": block[::-1, :, ::-1],
        "float32": block.astype(np.float32),
        "float32 in Fortran order": np.asfortranarray(block.astype(np.float32)),
        "big-endian": block.astype(">f8"),
        "special": special,
        "special in float32": special[:5].astype(np.float32),
        "NaNs of all kinds": payload,
        "empty": np.zeros((0, 3)),
        "one": np.ones((1, 1)),
        "vector": np.linspace(0.0, 1.0, 1000),
        "scalar": 0.1,
        "negative zero": -0.0,
        "not a number": float("nan"),
        "largest": sys.float_info.max,
    }


def bits(b: Any) -> tuple[Any, ...]:
    """All there is to know of a leaf."""
    value = b.value
    if not isinstance(value, np.ndarray):
        return (type(value), np.float64(value).tobytes())
    strides = tuple(stride for stride, size in zip(value.strides, value.shape, strict=True) if size > 1)
    return (value.dtype, value.shape, strides if value.size else (), value.tobytes())


def fresh(value: Any) -> Any:
    """Of the same shape and dtype, and nothing else."""
    return BVar(np.ones(value.shape, value.dtype.newbyteorder("="))) if isinstance(value, np.ndarray) else BVar(1.0)


# -- Round trips -------------------------------------------------------------------------------------------------------


@formats
@pytest.mark.parametrize("name", layouts())
def test_every_bit_comes_back(name: str, format: Any, tmp_path: Path) -> None:
    value = layouts()[name]
    saved = BVar(value)
    save(tmp_path / "file", saved, format=format)
    loaded = load(tmp_path / "file", like=fresh(value))
    assert bits(loaded) == bits(saved)
    in_a_tree: Any = {"x": [saved, BVar(2.0)], 1: saved}
    save(tmp_path / "file", in_a_tree, format=format)
    again: Any = load(tmp_path / "file", like={"x": [fresh(value), BVar(0.0)], 1: fresh(value)})
    assert bits(again["x"][0]) == bits(again[1]) == bits(saved)
    assert again["x"][1] == BVar(2.0)
    if isinstance(value, np.ndarray) and value.size:
        assert not np.shares_memory(again[1].value, again["x"][0].value)


@formats
def test_records(format: Any, tmp_path: Path) -> None:
    net, like = network(), network(1)
    save(str(tmp_path / "net"), net, format=format)
    loaded = load(tmp_path / "net", like=like)
    assert_type(loaded, Network)
    assert loaded == net
    assert loaded != like
    assert [layer.name for layer in loaded.layers] == ["first", "second"]
    # What is computed with it is as with the first.
    assert (loaded - net).gain == BVar(0.0)


@formats
def test_what_is_no_bvar_is_that_of_like(format: Any, tmp_path: Path) -> None:
    save(tmp_path / "layer", network().layers[0], format=format)
    like = attrs.evolve(network(1).layers[0], name="renamed")
    assert load(tmp_path / "layer", like=like) == attrs.evolve(network().layers[0], name="renamed")


@formats
def test_odd_paths(format: Any, tmp_path: Path) -> None:
    """Keys that are no file names, that differ in case alone, or that would climb out of a folder."""
    deep: Any = BVar(7.0)
    for _ in range(100):
        deep = [deep, BVar(8.0)]
    tree: Any = {
        key: BVar(float(k))
        for k, key in enumerate(["a", "A", "../up", "/etc/passwd", "a/b", "#1", "", " ", "é", "\n", "x" * 300, 1, "1"])
    }
    tree |= {(1, 2): BVar(20.0), None: BVar(21.0), "deep": deep, "__metadata__": BVar(22.0)}
    save(tmp_path / "file", tree, format=format)
    like = tp.tree.map(lambda leaf: BVar(0.0), tree)
    assert load(tmp_path / "file", like=like) == tree
    assert os.listdir(tmp_path) == ["file"]


@formats
def test_the_same_record_makes_the_same_bytes(format: Any, tmp_path: Path) -> None:
    for name in ("first", "second"):
        save(tmp_path / name, network(), format=format)
        time.sleep(0.01)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_training_goes_on_where_it_was(tmp_path: Path) -> None:
    net, gradient = network(), network(1)
    o = optim.chain(optim.clip_by_global_norm(1.0), optim.adam(optim.exponential_decay(0.1, 1, 0.5)))
    state = o.init(net)
    for _ in range(3):
        updates, state = o.update(gradient, state, net)
        net = net + updates
    save(tmp_path / "checkpoint", (net, state))
    net2, state2 = load(tmp_path / "checkpoint", like=(network(2), o.init(network(2))))
    assert_type(net2, Network)
    assert_type(state2, optim.ChainState[Network])
    assert o.update(gradient, state2, net2) == o.update(gradient, state, net)


def test_numpy_reads_it(tmp_path: Path) -> None:
    save(tmp_path / "net.npz", network())
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if not name.endswith(".json")}
    assert set(arrays) == {"layers[0].weight", "layers[0].bias", "layers[1].weight", "gain"}
    np.testing.assert_array_equal(arrays["layers[0].weight"], network().layers[0].weight.value)


def test_safetensors_reads_it_and_would_have_corrupted_it(tmp_path: Path) -> None:
    value = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(tmp_path / "file", {"x": BVar(value)}, format="safetensors")
    theirs = safetensors.load_file(tmp_path / "file")["['x']"]
    # Its suffix says so, too, and only that.
    save(tmp_path / "file.safetensors", {"x": BVar(value)})
    assert (tmp_path / "file.safetensors").read_bytes() == (tmp_path / "file").read_bytes()
    save(tmp_path / "other.safetensors", {"x": BVar(value)}, format="npz")
    assert (tmp_path / "other.safetensors").read_bytes().startswith(b"PK")
    np.testing.assert_array_equal(theirs, value)
    # The reason for care, in the version where it was seen. If this fails, the library has mended it.
    alone = safetensors.load(safetensors.save({"x": value}))["x"]
    assert np.array_equal(alone, value) == (version("safetensors") < "0.8")


# -- Mismatches --------------------------------------------------------------------------------------------------------


@formats
def test_mismatches_name_the_path_and_both_sides(format: Any, tmp_path: Path) -> None:
    file = tmp_path / "net"
    net = network()
    save(file, net, format=format)
    first, second = net.layers

    def refused(like: Any, error: type[Exception], *words: str) -> None:
        with pytest.raises(error) as caught:
            load(file, like=like)
        for word in (str(file), *words):
            assert word in str(caught.value)

    wide, wide_too = Layer(lift(np.zeros((2, 4))), first.bias), Layer(lift(np.zeros((2, 4))), None)
    refused(
        Network([wide, wide_too], net.gain),
        tp.ShapeError,
        "at .layers[0].weight",
        "shape (2, 3)",
        "like has shape (2, 4)",
    )
    refused(
        tp.tree.map(lambda leaf: lift(np.float32(leaf.value)) if leaf.shape else leaf, net),
        tp.DTypeError,
        "at .layers[0].weight",
        "has dtype float64, and like has float32",
    )
    refused(
        Network([first, second, second], net.gain),
        tp.tree.StructureError,
        "a Network, has no leaf .layers[2].weight, and like has one",
    )
    refused(
        Network([first], net.gain), tp.tree.StructureError, "a Network, has a leaf .layers[1].weight, and like has none"
    )
    gain = tp.tree.map(lambda leaf: leaf if leaf.shape else lift(np.ones(1)), net)
    refused(gain, tp.ShapeError, "at .gain", "shape ()", "like has shape (1,)")
    refused(BVar(1.0), tp.tree.StructureError, "has no leaf at its root, and like has one")


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(tp.NotDifferentiableError, match="save: there is no BVar in this list"):
        save(file, [1.0])

    def loss(net: Network) -> BVar[float]:
        save(file, net.gain)
        return net.gain

    with pytest.raises(
        tp.NotDifferentiableError, match=r"save: the BVar is inside of a gradient, which does not reach"
    ):
        tp.grad(loss)(network())
    wrong: Any = "pickle"
    with pytest.raises(ValueError, match=r"save: format is 'pickle'; wanted \"npz\" or \"safetensors\""):
        save(file, network(), format=wrong)
    with pytest.raises(FileNotFoundError) as caught:
        save(tmp_path / "nowhere" / "file", network())
    assert caught.value.filename == str(tmp_path / "nowhere")
    opened: Any = io.BytesIO()
    with pytest.raises(TypeError, match="save: path is of type BytesIO; wanted a str or a Path"):
        save(opened, network())
    with pytest.raises(TypeError, match="load: path is of type BytesIO; wanted a str or a Path"):
        load(opened, like=network())
    with pytest.raises(FileNotFoundError):
        load(file, like=network())
    assert os.listdir(tmp_path) == []


# -- Damaged files -----------------------------------------------------------------------------------------------------


def outcome(file: Path, like: Any, expected: Any) -> str:
    """What loading a damaged file gives: an error of ours, or exactly what was saved."""
    try:
        loaded = load(file, like=like)
    except CorruptFileError as error:
        assert str(file) in str(error)
        return "corrupt"
    except (tp.ShapeError, tp.DTypeError, tp.tree.StructureError):
        return "mismatch"
    assert [bits(b) for b in tp.tree.leaves(loaded)] == [bits(b) for b in tp.tree.leaves(expected)]
    return "unharmed"


@formats
def test_cut_off_files(format: Any, tmp_path: Path) -> None:
    file, net = tmp_path / "file", {"w": BVar(np.arange(6.0)), "b": BVar(1.5)}
    save(file, net, format=format)
    whole = file.read_bytes()
    like = {"w": BVar(np.zeros(6)), "b": BVar(0.0)}
    for length in (*range(0, len(whole), 5), len(whole) - 1):
        file.write_bytes(whole[:length])
        assert outcome(file, like, net) == "corrupt", length
    # Bytes that were appended are no part of the zip, or too many for safetensors.
    file.write_bytes(whole + b"\0")
    assert outcome(file, like, net) in ("corrupt", "unharmed")


@formats
def test_flipped_bits(format: Any, tmp_path: Path) -> None:
    """No flipped bit goes unnoticed, unless nothing came of it."""
    file, net = tmp_path / "file", {"w": BVar(np.arange(6.0)), "b": BVar(1.5)}
    save(file, net, format=format)
    whole = file.read_bytes()
    like = {"w": BVar(np.zeros(6)), "b": BVar(0.0)}
    found = []
    rng = random.Random(0)
    for position in range(0, len(whole), 2):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        found.append(outcome(file, like, net))
    assert found.count("corrupt") > len(found) // 2


def test_other_files(tmp_path: Path) -> None:
    file, like = tmp_path / "file", {"x": BVar(np.zeros(3))}

    def refused(message: str) -> None:
        with pytest.raises(CorruptFileError, match=message):
            load(file, like=like)

    file.write_bytes(b"")
    refused(r"file is not what tp\.save wrote: neither a npz nor a safetensors file")
    file.write_bytes(pickle.dumps(like))
    refused("neither a npz nor a safetensors file")
    with open(file, "wb") as handle:
        np.savez(handle, x=np.zeros(3))
    refused("there is no typedprop.json in it")
    safetensors.save_file({"x": np.zeros(3)}, file)
    refused("there is no typedprop.json among its metadata")
    save(file, like)
    edit_schema(file, lambda schema: schema.update(typedprop=2))
    refused("it is of version 2, and this typedprop reads version 1")
    for change in (
        lambda schema: schema["leaves"][0].update(axes=[1]),
        lambda schema: schema["leaves"][0].update(shape="3"),
        lambda schema: schema["leaves"][0].update(path=3),
        lambda schema: schema.update(leaves=["x"]),
        lambda schema: schema.update(leaves=3),
        lambda schema: schema.pop("record"),
    ):
        save(file, like)
        edit_schema(file, change)
        refused("damaged or cut off")


def edit_schema(file: Path, change: Any) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["typedprop.json"])
    change(schema)
    members["typedprop.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_an_array_of_a_later_version_of_numpys_format(tmp_path: Path) -> None:
    file, like = tmp_path / "file", {"x": BVar(np.zeros(3))}
    save(file, like)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    later = io.BytesIO()
    np.lib.format.write_array(later, np.zeros(3), (2, 0))
    (array,) = members.keys() - {"typedprop.json"}
    members[array] = later.getvalue()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(CorruptFileError, match="an array is of a version that save does not write"):
        load(file, like=like)


class Bomb:
    """What runs code when it is unpickled."""

    exploded = False

    def __reduce__(self) -> Any:
        return (setattr, (Bomb, "exploded", True))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    file = tmp_path / "file"
    like = {"x": BVar(np.zeros(3))}
    save(file, like)
    with zipfile.ZipFile(file) as archive:
        schema = archive.read("typedprop.json")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("typedprop.json", schema)
        with archive.open("['x'].npy", "w") as member:
            np.lib.format.write_array(member, np.array([Bomb()] * 3, object), allow_pickle=True)
    with pytest.raises(CorruptFileError, match="it holds pickled objects, which are never loaded"):
        load(file, like=like)
    assert not Bomb.exploded


def test_a_lying_size_does_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    like = {"x": BVar(np.zeros(3))}
    save(file, like)
    with zipfile.ZipFile(file) as archive:
        schema = archive.read("typedprop.json")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("typedprop.json", schema)
        with archive.open("['x'].npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
            for _ in range(64):
                member.write(bytes(2**20))
    with pytest.raises(CorruptFileError):
        load(file, like=like)


# -- The old file or the new one ---------------------------------------------------------------------------------------

WRITER = """
import sys, numpy as np
from typedprop import BVar
from typedprop.saving import save
print("ready", flush=True)
k = 0
while True:
    k += 1
    save(sys.argv[1], [BVar(np.full(200_000, float(k))), BVar(float(k))], format=sys.argv[2])
"""


@formats
def test_killed_at_any_moment(format: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    like = [BVar(np.zeros(200_000)), BVar(0.0)]
    save(file, like, format=format)
    rng = random.Random(0)
    seen = set()
    for _ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file), format], stdout=subprocess.PIPE)
        assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
        for _ in range(10):
            # Whoever reads meanwhile sees one of the versions, too.
            time.sleep(rng.uniform(0.0, 0.01))
            seen.add(tp.tree.leaves(load(file, like=like))[1].value)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        vector, number = tp.tree.leaves(load(file, like=like))
        assert set(vector.value) == {number.value}
        seen.add(number.value)
    assert len(seen) > 1, "the writer never came to write"


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """A full disk, as a limit on the size of files makes one."""
    resource = pytest.importorskip("resource", reason="limits of a process are POSIX's")
    file = tmp_path / "file"
    save(file, network())
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        for format in FORMATS:
            with pytest.raises(OSError) as caught:
                save(file, BVar(np.zeros(10_000)), format=format)
            assert caught.value.errno == errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")
def test_permissions_and_links(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    previous = os.umask(0o027)
    try:
        save(file, network())
    finally:
        os.umask(previous)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    file.chmod(0o604)
    link.symlink_to(file)
    save(link, network(1))
    assert link.is_symlink()
    assert load(file, like=network()) == network(1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_many_writers_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def write(k: int) -> None:
        for _ in range(5):
            save(file, BVar(np.full(1000, float(k))))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(load(file, like=BVar(np.zeros(1000))).value)) == 1
    assert os.listdir(tmp_path) == ["file"]


def test_safetensors_is_optional(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['safetensors'] = None\n"
        "import typedprop as tp\n"
        "from typedprop.saving import load, save\n"
        f"save({str(tmp_path / 'file')!r}, tp.BVar(1.0))\n"
        "one = tp.BVar(1.0)\n"
        "for call in (lambda: save('x', one, format='safetensors'), lambda: load(sys.argv[1], one)):\n"
        "    try: call()\n"
        "    except ImportError as error: print(error)"
    )
    other = tmp_path / "other"
    save(other, BVar(1.0), format="safetensors")
    done = subprocess.run([sys.executable, "-c", program, str(other)], capture_output=True, text=True, check=True)
    way_out = "needs safetensors, which is not installed: pip install 'typedprop[safetensors]'\n"
    assert done.stdout == f'save(format="safetensors") {way_out}load: {other}, which {way_out}'
