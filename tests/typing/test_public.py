"""Nothing in the public signatures is `Any` where a type can be said, and every public symbol has a declared type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

from tests.typing.checkers import BIN, ROOT, TIMEOUT
from tests.typing.public import MODULES, Place, names, places, signatures

# An `Any` that is not here needs a better type, or its reason here. One that is gone has to go from here too.

RUN_TIME_SIZES = """
typedprop.asarray typedprop.eye typedprop.full typedprop.linspace typedprop.matrix typedprop.normal typedprop.ones
typedprop.tensor typedprop.uniform typedprop.vector typedprop.zeros typedprop.broadcast_to typedprop.reshape
typedprop.tile
typedprop.bvar.BVar.reshape typedprop.shapes._Sized.reshape
"""
COMPUTED_SIZES = """
typedprop.append typedprop.concatenate typedprop.convolve typedprop.conv1d typedprop.conv2d typedprop.avg_pool1d
typedprop.avg_pool2d typedprop.max_pool1d typedprop.max_pool2d typedprop.cumprod typedprop.cumsum typedprop.diag
typedprop.diff
typedprop.hstack typedprop.vstack typedprop.kron typedprop.pad typedprop.ravel typedprop.repeat typedprop.split
typedprop.split_cols typedprop.split_rows typedprop.tail typedprop.take_diag typedprop.tree.ravel
typedprop.shapes._Sized.flatten typedprop.shapes._Sized.ravel typedprop.linalg.qr typedprop.linalg.svd
typedprop.linalg.svdvals
"""
INDEXED_SIZES = """
typedprop.bvar.BVar.__getitem__ typedprop.bvar.BVar.at typedprop.shapes.R.__getitem__ typedprop.shapes.L.__getitem__
typedprop.shapes.Tensor3.__getitem__ typedprop.shapes.Tensor4.__getitem__ typedprop.take
"""
COUNTED_SIZES = "typedprop.from_columns typedprop.from_rows typedprop.stack typedprop.linalg.multi_dot"
PERMUTED_SIZES = """
typedprop.expand_dims typedprop.moveaxis typedprop.squeeze
typedprop.swapaxes typedprop.transpose typedprop.shapes.L.transpose typedprop.shapes.Tensor3.transpose
typedprop.shapes.Tensor4.transpose typedprop.shapes.L.swapaxes typedprop.shapes.Tensor3.swapaxes
typedprop.shapes.Tensor4.swapaxes
"""
SIZES_OF_RECORDS = "typedprop.hessian typedprop.jacobian"
ANY_SIZE_TAKEN = """
typedprop.diff typedprop.expand_dims typedprop.moveaxis typedprop.squeeze
typedprop.append typedprop.avg_pool1d typedprop.avg_pool2d typedprop.broadcast_to typedprop.columns
typedprop.concatenate typedprop.conv1d typedprop.conv2d typedprop.convolve typedprop.head typedprop.hstack
typedprop.kron typedprop.linalg.multi_dot typedprop.linalg.norm typedprop.max_pool1d typedprop.max_pool2d
typedprop.pad typedprop.ravel typedprop.repeat typedprop.reshape typedprop.rows typedprop.scipy.least_squares
typedprop.split typedprop.split_cols typedprop.split_rows typedprop.swapaxes typedprop.tail typedprop.take
typedprop.take_along_axis typedprop.take_diag typedprop.tile typedprop.transpose typedprop.tree.ravel typedprop.vstack
"""
REFUSED_OPERATORS = " ".join(
    f"typedprop.shapes._Sized.__{name}__"
    for name in (
        *("and", "divmod", "floordiv", "lshift", "matmul", "mod", "or", "rshift", "xor"),
        *("rand", "rdivmod", "rfloordiv", "rlshift", "rmatmul", "rmod", "ror", "rrshift", "rxor"),
        *("iand", "ifloordiv", "ilshift", "imatmul", "imod", "ior", "irshift", "ixor"),
    )
)


_ARITHMETIC = ("add", "sub", "mul", "truediv", "pow")
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
STRETCHED_SIZES = " ".join(
    [
        *(f"typedprop.bvar.BVar.__{r}{name}__" for r in ("", "r") for name in _ARITHMETIC),
        *(f"typedprop.shapes.{kind}.__{name}__" for kind in ("R", "L", "Tensor3", "Tensor4") for name in _ARITHMETIC),
        *(f"typedprop.shapes.{kind}.__{name}__" for kind in ("R", "L", "Tensor3", "Tensor4") for name in _COMPARISONS),
        *(f"typedprop.shapes.L.__r{name}__" for name in _ARITHMETIC),
        "typedprop.elementwise2.Elementwise2.__call__",
    ]
)
QUOTIENTS = """
typedprop.shapes.R.__truediv__ typedprop.shapes.L.__truediv__ typedprop.shapes.L.__rtruediv__
typedprop.shapes.Tensor3.__truediv__ typedprop.shapes.Tensor4.__truediv__
"""
UNKNOWN_RANKS = " ".join(
    [
        *(f"typedprop.bvar.BVar.__{r}{name}__" for r in ("", "r") for name in _ARITHMETIC),
        "typedprop.elementwise2.Elementwise2.__call__",
    ]
)
BESIDE_UNKNOWN_RANKS = " ".join(f"typedprop.bvar.BVar.__{name}__" for name in _ARITHMETIC)


class Reason(NamedTuple):
    """Why these signatures say `Any` for what is named by the kind, as `Place` has it."""

    kind: str
    where: str
    why: str


EXPLAINED = (
    Reason("result's size", RUN_TIME_SIZES, "a size given as an int, or by data, is known at run time only"),
    Reason("result's size", COMPUTED_SIZES, "no checker computes a size from others; the mypy plugin does"),
    Reason(
        "result's size",
        INDEXED_SIZES,
        "how many elements a slice, a mask or a list of indices selects is known at run time only",
    ),
    Reason("result's size", STRETCHED_SIZES, "NumPy stretches a size of 1 to one that is not known"),
    Reason("result", UNKNOWN_RANKS, "beside a BVar of Any, which goes with every rank, the rank is not known"),
    Reason("argument", BESIDE_UNKNOWN_RANKS, "beside a BVar of Any every BVar is taken"),
    Reason("result's dtype", QUOTIENTS, "then that of a quotient is not known either: integers make float64"),
    Reason("result's size", COUNTED_SIZES, "the number of items of a sequence is known at run time only"),
    Reason("result's size", PERMUTED_SIZES, "axes given as ints may be any"),
    Reason("result's size", SIZES_OF_RECORDS, "the number of all elements of a record is in no type"),
    Reason("result's dtype", "typedprop.hessian", "nor is the dtype of its arrays"),
    Reason("argument's size", ANY_SIZE_TAKEN, "arrays of every size are taken, and nothing else has to agree with it"),
    Reason(
        "result",
        REFUSED_OPERATORS,
        "the operator is refused: its operand is Never, and mypy wants a result all the same",
    ),
    Reason(
        "result",
        """
        typedprop.bvar.BVar.__getitem__ typedprop.bvar.BVar.at typedprop.shapes.R.__getitem__
        typedprop.shapes.L.__getitem__ typedprop.shapes.Tensor3.__getitem__
        typedprop.shapes.Tensor4.__getitem__
        """,
        "the rank depends on an index that may be anything",
    ),
    Reason(
        "result",
        "typedprop.bvar.BVar.reshape typedprop.shapes._Sized.reshape",
        "the rank depends on a tuple whose length is known at run time only",
    ),
    Reason("result", "typedprop.shapes._Sized.squeeze", "the rank depends on which sizes are 1"),
    Reason("result", "typedprop.einsum", "the rank depends on the text of the subscripts; the mypy plugin reads it"),
    Reason("argument", "typedprop.einsum typedprop.tensordot", "operands of every rank and dtype are taken"),
    Reason("result", "typedprop.tensordot", "the rank depends on the axes"),
    Reason(
        "result",
        "typedprop.shapes.R.sum typedprop.shapes.L.sum",
        "NumPy sums integers in a dtype that depends on the machine",
    ),
    Reason(
        "result's dtype",
        "typedprop.shapes.R.sum typedprop.shapes.L.sum",
        "NumPy sums integers in a dtype that depends on the machine",
    ),
    Reason(
        "result",
        """
        typedprop.tree.Leaf typedprop.tree.Structure.leaves_of typedprop.tree.flatten typedprop.tree.leaves
        typedprop.parallel.Term
        """,
        "the leaves of one tree have many types",
    ),
    Reason(
        "argument",
        """
        typedprop.tree.Structure.unflatten typedprop.tree.unflatten typedprop.tree.map
        typedprop.tree.register_node typedprop.tree.Structure.__init__
        """,
        "a tree is made from leaves of many types",
    ),
    Reason("argument's dtype", "typedprop.scipy.least_squares", "residuals of every dtype are taken"),
    Reason("argument", "typedprop.testing.check_grads", "functions of every signature are taken"),
    Reason("argument", "typedprop.primitive._Local.__init__", "a base class; Local1, Local2 and Local3 say more"),
    Reason("result", "typedprop.scipy.Result.raw", "SciPy's own object, which has no types"),
    Reason("argument", "typedprop.scipy.Result.__init__", "SciPy's own object, which has no types"),
)


def test_no_any_without_a_reason() -> None:
    explained = {Place(name, reason.kind) for reason in EXPLAINED for name in reason.where.split()}
    found = {place for place in places() if not place.kind.startswith("kind of ")}
    assert sorted(found - explained) == [], "an Any in a public signature: give it a type, or its reason"
    assert sorted(explained - found) == [], "no Any there any more: remove its reason"


def test_the_walk_sees_everything() -> None:
    seen = [name for name, _ in signatures()]
    assert len(seen) > 600
    for name in (
        "typedprop.grad",
        "typedprop.exp",
        "typedprop.op.Elementwise.__call__",
        "typedprop.bvar.BVar.__matmul__",
        "typedprop.shapes.L.__matmul__",
        "typedprop.linalg.solve",
        "typedprop.record.Record.__add__",
        "typedprop.scipy.Result.record",
    ):
        assert name in seen
    for module in MODULES:
        assert names(module), module


def test_pyright_knows_every_public_type() -> None:
    """What `pyright --verifytypes` reports to users of the package: 100 %, and every function documented."""
    command = [BIN / "pyright", "--pythonpath", sys.executable, "--verifytypes", "typedprop", "--ignoreexternal"]
    done = subprocess.run(
        [*map(str, command), "--outputjson"],
        # Found as an installed package is, and not by the settings of the project.
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    report = json.loads(done.stdout)["typeCompleteness"]
    unknown = [symbol["name"] for symbol in report["symbols"] if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    assert unknown == []
    assert report["exportedSymbolCounts"]["withKnownType"] > 1000
    assert report["completenessScore"] == 1
    assert done.returncode == 0, done.stdout
