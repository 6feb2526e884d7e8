"""Which public function has which rule for sizes. A new one is a line: its full name, its parameters and the rule.

Only what the signatures leave open is here. Functions whose results the signatures say in full need no line; that the
arguments of all functions go together is seen by unifying.py, which needs none either.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from typedprop.mypy_plugin import constructing, decomposing, einsum, joining, rearranging, windows
from typedprop.mypy_plugin.arrays import Result
from typedprop.mypy_plugin.calls import Call
from typedprop.mypy_plugin.joining import axis_argument, concatenated, stacked


@frozen
class Rule:
    """The parameters of a function in their order, and how its result's sizes follow from the arguments.

    `*0` stands for all further positional arguments. The rule raises `Mismatch` if run time would refuse the sizes.
    With `alone`, an `Array` that it returns also stands where no signature takes the arguments: mypy has no type for a
    list of matrices of different heights.
    """

    parameters: tuple[str, ...]
    result: Callable[[Call], Result | None]
    alone: bool = False


def _rule(parameters: str, result: Callable[[Call], Result | None], *, alone: bool = False) -> Rule:
    return Rule(tuple(parameters.split()), result, alone)


_A = "typedprop.arrays."
_J = "typedprop.ops.joining."
_R = "typedprop.ops.arrangement."
_S = "typedprop.ops.structural."
_P = "typedprop.ops.pooling."
_C = "typedprop.ops.convolution."

FUNCTIONS: dict[str, Rule] = {
    # New arrays.
    _A + "zeros": _rule("a b c d", constructing.of_sizes("a", "b", "c", "d")),
    _A + "ones": _rule("a b c d", constructing.of_sizes("a", "b", "c", "d")),
    _A + "eye": _rule("n", constructing.eye),
    _A + "vector": _rule("data n", constructing.from_data(1, "n")),
    _A + "matrix": _rule("data m n", constructing.from_data(2, "m", "n")),
    _A + "tensor": _rule("data a b c d", constructing.tensor),
    _A + "normal": _rule("rng a b c d", constructing.of_sizes("a", "b", "c", "d")),
    _A + "uniform": _rule("rng a b c d", constructing.of_sizes("a", "b", "c", "d")),
    "typedprop.elsewhere.asarray": _rule("data a b c d", constructing.of_sizes("a", "b", "c", "d")),
    "typedprop.ops.full.full": _rule("a b c d", constructing.of_sizes("a", "b", "c", "d")),
    _R + "linspace": _rule("start stop num", constructing.linspace),
    _S + "broadcast_to": _rule("x shape", constructing.broadcast_to),
    # Put together and taken apart.
    _J + "concatenate": _rule("arrays axis", concatenated("arrays", axis_argument), alone=True),
    _J + "stack": _rule("arrays axis", stacked("arrays", axis_argument), alone=True),
    _J + "vstack": _rule("arrays", joining.vstack, alone=True),
    _J + "hstack": _rule("arrays", joining.hstack, alone=True),
    _J + "append": _rule("x value", joining.append),
    _J + "from_rows": _rule("rows", stacked("rows", lambda _call, _rank: 0, rank=1), alone=True),
    _J + "from_columns": _rule("columns", stacked("columns", lambda _call, _rank: 1, rank=1), alone=True),
    _J + "head": _rule("x", joining.head),
    _J + "tail": _rule("x", joining.tail),
    _J + "split": _rule("x sections axis", joining.split),
    _J + "split_rows": _rule("x count", joining.split_in_two(0)),
    _J + "split_cols": _rule("x count", joining.split_in_two(1)),
    # The same elements in other shapes and places.
    _S + "reshape": _rule("x shape", rearranging.reshape),
    _S + "ravel": _rule("x", rearranging.ravel),
    _S + "transpose": _rule("x axes", rearranging.transpose),
    _S + "swapaxes": _rule("x axis1 axis2", rearranging.swapaxes),
    "typedprop.ops.axes.expand_dims": _rule("x axis", rearranging.expand_dims),
    "typedprop.ops.axes.squeeze": _rule("x axis", rearranging.squeeze),
    "typedprop.ops.axes.moveaxis": _rule("x source destination", rearranging.moveaxis),
    "typedprop.ops.differences.diff": _rule("x n axis", rearranging.diff),
    _R + "pad": _rule("x width mode", rearranging.pad),
    _R + "tile": _rule("x reps", rearranging.tile),
    _R + "repeat": _rule("x repeats axis", rearranging.repeat),
    _R + "take": _rule("x indices axis", rearranging.take),
    "typedprop.ops.diagonal.diag": _rule("x k", rearranging.diag),
    "typedprop.ops.diagonal.take_diag": _rule("x k", rearranging.take_diag),
    "typedprop.ops.cumulative.cumsum": _rule("x axis", rearranging.flattened()),
    "typedprop.ops.cumulative.cumprod": _rule("x axis", rearranging.flattened()),
    # Products.
    "typedprop.ops.product.kron": _rule("a b", rearranging.kron),
    "typedprop.ops.einsum.einsum": _rule("subscripts *0", einsum.einsum),
    "typedprop.ops.einsum.tensordot": _rule("a b axes", einsum.tensordot),
    "typedprop.ops.linalg.powers.multi_dot": _rule("matrices", decomposing.multi_dot),
    "typedprop.ops.linalg.qr.qr": _rule("a", decomposing.qr),
    "typedprop.ops.linalg.svd.svd": _rule("a", decomposing.svd),
    "typedprop.ops.linalg.svd.svdvals": _rule("a", decomposing.svdvals),
    # Windows.
    _P + "avg_pool1d": _rule("x size stride", windows.pool(1)),
    _P + "max_pool1d": _rule("x size stride", windows.pool(1)),
    _P + "avg_pool2d": _rule("x size stride", windows.pool(2)),
    _P + "max_pool2d": _rule("x size stride", windows.pool(2)),
    _C + "conv1d": _rule("x kernel", windows.convolution(1)),
    _C + "conv2d": _rule("x kernel", windows.convolution(2)),
    _C + "convolve": _rule("a b mode", windows.convolve),
}

_SHAPES = ("R", "L", "Tensor3", "Tensor4")

METHODS: dict[str, Rule] = {
    "typedprop.bvar.BVar.reshape": _rule("a", rearranging.reshape_method),
    **{f"typedprop.shapes.{name}.reshape": _rule("a b c d", rearranging.reshape_method) for name in _SHAPES},
    **{f"typedprop.shapes.{name}.ravel": _rule("order", rearranging.ravel_method) for name in _SHAPES},
    **{f"typedprop.shapes.{name}.flatten": _rule("order", rearranging.ravel_method) for name in _SHAPES},
    **{
        f"typedprop.shapes.{name}.transpose": _rule("axis1 axis2 axis3 axis4", rearranging.transpose_method)
        for name in _SHAPES
    },
    **{f"typedprop.shapes.{name}.swapaxes": _rule("axis1 axis2", rearranging.swapaxes) for name in _SHAPES},
}

INDEXED = frozenset({"typedprop.bvar.BVar.__getitem__", *(f"typedprop.shapes.{name}.__getitem__" for name in _SHAPES)})

_OPERATORS = ("add", "sub", "mul", "truediv", "pow")
BROADCAST = frozenset(
    f"{owner}.__{reflected}{name}__"
    for owner in ("typedprop.bvar.BVar", *(f"typedprop.shapes.{name}" for name in _SHAPES))
    for name in _OPERATORS
    for reflected in ("", "r")
)
ELEMENTWISE2 = "typedprop.elementwise2.Elementwise2.__call__"
