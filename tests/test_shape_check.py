"""The shape check of records: what fits its annotations, and what is said of the rest."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, NamedTuple, NewType, Optional, Self

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType, TypeVar

from tests.steps import steps
from typedprop import shape_check, tree
from typedprop.bvar import BVar
from typedprop.errors import DTypeError, ShapeError
from typedprop.ops.full import full
from typedprop.record import Record
from typedprop.shape_check import Checked, UncheckedWarning, check_shapes
from typedprop.shapes import Dim, L, R, Tensor3, Tensor4
from typedprop.sizes import Add, Mul
from typedprop.transform.gradient import grad

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForCheckers

I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
D = TypeVar("D", bound=np.generic)
V = TypeVar("V")


class Hidden(Dim):
    pass


class Rows(Dim):
    pass


# The sizes here are wrong on purpose, or known at run time only, so values are made without them.
def a(*shape: int, dtype: Any = np.float64) -> Any:
    return np.zeros(shape, dtype)


def b(*shape: int, dtype: Any = np.float64) -> Any:
    return BVar(a(*shape, dtype=dtype)) if shape else BVar(0.0)


def assert_refused(
    error: type[Exception], message: str, make: Callable[..., object], *args: Any, **kwargs: Any
) -> None:
    with pytest.raises(error) as caught:
        make(*args, **kwargs)
    assert str(caught.value) == message


# -- The network of the README --------------------------------------------------------------------------------------


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


GOOD = {"weight1": b(3, 7), "bias1": b(3), "weight2": b(2, 3), "bias2": b(2)}
W1, W2 = "annotated BVar[L[H, I]] and of shape (3, 7)", "annotated BVar[L[O, H]] and of shape (2, 3)"


def test_a_record_that_fits() -> None:
    net = Network(**GOOD)
    assert net.bias1 is GOOD["bias1"]
    Network(b(1, 1), b(1), b(1, 1), b(1))
    Network(b(0, 1), b(0), b(1, 0), b(1))


NETWORK_ERRORS: list[tuple[str, Any, type[Exception], str]] = [
    (
        "bias1",
        b(4),
        ShapeError,
        f"Network.bias1 is annotated BVar[R[H]] and has shape (4,), so H is 4, but H is 3 by weight1, {W1}",
    ),
    (
        "bias2",
        b(3),
        ShapeError,
        f"Network.bias2 is annotated BVar[R[O]] and has shape (3,), so O is 3, but O is 2 by weight2, {W2}",
    ),
    (
        "weight1",
        b(7, 3),
        ShapeError,
        "Network.bias1 is annotated BVar[R[H]] and has shape (3,), so H is 3, but H is 7 by weight1, "
        "annotated BVar[L[H, I]] and of shape (7, 3). Is weight1 transposed? Then pass its .T",
    ),
    (
        "weight2",
        b(3, 2),
        ShapeError,
        "Network.weight2 is annotated BVar[L[O, H]] and has shape (3, 2), so H is 2, but H is 3 by weight1, "
        f"{W1}. Is it transposed? Then pass its .T",
    ),
    (
        "weight2",
        b(2, 5),
        ShapeError,
        f"Network.weight2 is annotated BVar[L[O, H]] and has shape (2, 5), so H is 5, but H is 3 by weight1, {W1}",
    ),
    (
        "bias1",
        b(3, 1),
        ShapeError,
        "Network.bias1 is annotated BVar[R[H]], a vector, but holds a matrix of shape (3, 1)",
    ),
    ("bias1", b(), ShapeError, "Network.bias1 is annotated BVar[R[H]], a vector, but holds a scalar of shape ()"),
    (
        "bias1",
        b(1, 1, 1, 1, 3),
        ShapeError,
        "Network.bias1 is annotated BVar[R[H]], a vector, but holds an array of shape (1, 1, 1, 1, 3)",
    ),
    (
        "bias1",
        a(3),
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], but holds a plain array of shape (3,); write BVar(...) around it",
    ),
    (
        "bias1",
        a(3, dtype=int),
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], but holds a plain array of dtype int64, "
        "which cannot be differentiated; write BVar(x.astype(np.float64)), or annotate it as plain data, without BVar",
    ),
    (
        "bias1",
        0.5,
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], but holds the plain number 0.5; write BVar(0.5)",
    ),
    ("bias1", 2, DTypeError, "Network.bias1 is annotated BVar[R[H]], but holds the plain number 2; write BVar(2.0)"),
    (
        "bias1",
        None,
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], but holds None; if it may, annotate it BVar[R[H]] | None",
    ),
    (
        "bias1",
        True,
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], but holds a value of type bool; "
        "write BVar(...) around a float or an array of floats",
    ),
    (
        "bias1",
        b(3, dtype=np.float32),
        DTypeError,
        "Network.bias1 is annotated BVar[R[H]], whose dtype is float64, but holds float32; "
        "convert it with .astype(np.float64), or give the annotation np.float32 as its last parameter",
    ),
]


@pytest.mark.parametrize(("field", "value", "error", "message"), NETWORK_ERRORS)
def test_a_record_that_does_not_fit(field: str, value: Any, error: type[Exception], message: str) -> None:
    assert_refused(error, message, Network, **{**GOOD, field: value})


@given(st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_a_record_fits_exactly_when_its_sizes_agree(sizes: list[int]) -> None:
    h1, i, h2, o1, h3, o2 = sizes
    fits = h1 == h2 == h3 and o1 == o2
    try:
        Network(b(h1, i), b(h2), b(o1, h3), b(o2))
    except ShapeError:
        assert not fits
    else:
        assert fits


def test_inside_a_gradient() -> None:
    """Values on a tape are held to the annotations as others are; what arithmetic and gradients make is not."""

    def loss(net: Network[Any, Any, Any]) -> BVar[float]:
        wider = attrs.evolve(net, bias1=net.bias1 * 2.0)
        with pytest.raises(ShapeError, match=r"^Network\.bias1 .* so H is 2, but H is 3 by weight1"):
            attrs.evolve(net, bias1=net.bias2)
        return wider.bias1.sum()

    def slope(net: Network[Any, Any, Any]) -> BVar[float]:
        return grad(loss)(net).bias1.sum()

    net: Network[Any, Any, Any] = Network(**GOOD)
    assert grad(loss)(net).bias1 == BVar(full(3, fill_value=2.0))
    assert grad(slope)(net) == net
    assert tree.map(lambda leaf: leaf.sum(), net).bias1.shape == ()


# -- Sizes ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Sizes(Record, Generic[N]):
    literal: BVar[L[Literal[2], N]] = attrs.field(factory=lambda: b(2, 3))
    choice: BVar[R[Literal[4, 5]]] = attrs.field(factory=lambda: b(4))
    free: BVar[R[Any]] = attrs.field(factory=lambda: b(9))
    dim: BVar[L[Hidden, N]] = attrs.field(factory=lambda: b(6, 3))
    again: BVar[Tensor3[N, Hidden, Any]] = attrs.field(factory=lambda: b(3, 6, 8))
    four: BVar[Tensor4[Any, Any, Any, Rows]] = attrs.field(factory=lambda: b(1, 2, 3, 4))
    square: BVar[L[Rows, Rows]] = attrs.field(factory=lambda: b(4, 4))
    scalar: BVar[float] = attrs.field(factory=b)


SIZE_ERRORS: list[tuple[dict[str, Any], str]] = [
    (
        {"literal": b(3, 2)},
        "Sizes.literal is annotated BVar[L[Literal[2], N]], but has shape (3, 2): its first size must be 2. "
        "Is it transposed? Then pass its .T",
    ),
    (
        {"literal": b(4, 3)},
        "Sizes.literal is annotated BVar[L[Literal[2], N]], but has shape (4, 3): its first size must be 2",
    ),
    (
        {"choice": b(6)},
        "Sizes.choice is annotated BVar[R[Literal[4, 5]]], but has shape (6,): its length must be 4 or 5",
    ),
    (
        {"dim": b(7, 3)},
        "Sizes.again is annotated BVar[Tensor3[N, Hidden, Any]] and has shape (3, 6, 8), so Hidden is 6, "
        "but Hidden is 7 by dim, annotated BVar[L[Hidden, N]] and of shape (7, 3)",
    ),
    (
        {"again": b(8, 6, 3)},
        "Sizes.again is annotated BVar[Tensor3[N, Hidden, Any]] and has shape (8, 6, 3), so N is 8, "
        "but N is 3 by literal, annotated BVar[L[Literal[2], N]] and of shape (2, 3). "
        "Is it transposed? Then pass its .T",
    ),
    (
        {"square": b(4, 5)},
        "Sizes.square is annotated BVar[L[Rows, Rows]] and has shape (4, 5), so Rows is 5, "
        "but Rows is 4 by four, annotated BVar[Tensor4[Any, Any, Any, Rows]] and of shape (1, 2, 3, 4)",
    ),
    ({"scalar": b(1)}, "Sizes.scalar is annotated BVar[float], a scalar, but holds a vector of shape (1,)"),
    (
        {"again": b(3, 6)},
        "Sizes.again is annotated BVar[Tensor3[N, Hidden, Any]], a Tensor3, but holds a matrix of shape (3, 6)",
    ),
    (
        {"four": b(3, 6, 4)},
        "Sizes.four is annotated BVar[Tensor4[Any, Any, Any, Rows]], a Tensor4, but holds a Tensor3 of shape (3, 6, 4)",
    ),
]


@pytest.mark.parametrize(("change", "message"), SIZE_ERRORS)
def test_sizes_that_differ(change: dict[str, Any], message: str) -> None:
    Sizes()
    assert_refused(ShapeError, message, Sizes, **change)


def test_sizes_that_are_free() -> None:
    Sizes(choice=b(5), free=b(0), again=b(3, 6, 0), four=b(9, 9, 9, 4))


def test_one_field_with_two_sizes_of_one_name() -> None:
    @attrs.frozen
    class Square(Record, Generic[N]):
        w: BVar[L[N, N]]

    Square(b(2, 2))
    message = "Square.w is annotated BVar[L[N, N]], but has shape (2, 3): two sizes that are both N differ"
    assert_refused(ShapeError, message, Square, b(2, 3))


def test_plain_ints_as_sizes() -> None:
    """As the mypy plugin lets one write them."""
    cls = made("Ints", w=BVAR[MATRIX[2, 3]])
    cls(b(2, 3))
    message = "Ints.w is annotated BVar[L[2, 3]], but has shape (3, 3): its first size must be 2"
    assert_refused(ShapeError, message, cls, b(3, 3))
    assert_refused(
        ShapeError, "Ints.w is annotated BVar[L[2, 3]], but has shape (2, 2): its second size must be 3", cls, b(2, 2)
    )


def test_plain_ints_as_the_parameters_of_a_nested_record() -> None:
    @attrs.frozen
    class Numbered(Record):
        layer: Layer[2, 3]  # type: ignore[valid-type]  # ints, as the mypy plugin has them

    Numbered(layer(2, 3))
    with pytest.raises(
        ShapeError, match=r"^Numbered\.layer\.weight is annotated BVar\[L\[2, 3\]\], .* second size must be 3$"
    ):
        Numbered(layer(2, 4))


def test_sizes_that_are_unknown() -> None:
    @attrs.frozen
    class Unknown(Record):
        some: BVar[R[int]]
        dim: BVar[R[Dim]]
        bare: BVar[R]  # type: ignore[type-arg]  # bare, on purpose
        lifted: BVar  # type: ignore[type-arg]  # bare, on purpose

    Unknown(b(1), b(2), b(3), b(4, 5))
    with pytest.raises(ShapeError, match=r"^Unknown\.bare is annotated BVar\[R\], a vector, but holds a scalar"):
        Unknown(b(1), b(2), b(), b())


# -- dtypes ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class DTypes(Record, Generic[D]):
    single: BVar[R[Any, np.float32]] = attrs.field(factory=lambda: b(2, dtype=np.float32))
    either: BVar[R[Any, np.floating[Any]]] = attrs.field(factory=lambda: b(2, dtype=np.float32))
    free: BVar[R[Any, Any]] = attrs.field(factory=lambda: b(2, dtype=np.float32))
    one: BVar[R[Any, D]] = attrs.field(factory=lambda: b(2, dtype=np.float32))
    two: BVar[L[Any, Any, D]] = attrs.field(factory=lambda: b(2, 2, dtype=np.float32))
    mask: R[Any, np.bool] = attrs.field(factory=lambda: a(2, dtype=bool))
    counts: R[Any, np.integer[Any]] = attrs.field(factory=lambda: a(2, dtype=np.int32))


def test_dtypes_that_fit() -> None:
    DTypes()
    # Equal dtypes need not be the same object.
    DTypes(mask=a(2, dtype=np.dtype(bool, metadata={"unit": None})))
    DTypes(one=b(2), two=b(2, 2), free=b(2), either=b(2))


DTYPE_ERRORS: list[tuple[dict[str, Any], str]] = [
    (
        {"single": b(2)},
        "DTypes.single is annotated BVar[R[Any, np.float32]], whose dtype is float32, but holds float64; "
        "convert it with .astype(np.float32), or give the annotation np.float64 as its last parameter",
    ),
    (
        {"one": b(2)},
        "DTypes.two is annotated BVar[L[Any, Any, D]] and holds float32, but D is float64 by one, "
        "annotated BVar[R[Any, D]]",
    ),
    (
        {"mask": a(2)},
        "DTypes.mask is annotated R[Any, np.bool], whose dtype is bool, but holds float64; "
        "convert it with .astype(np.bool), or give the annotation np.float64 as its last parameter",
    ),
    ({"counts": a(2)}, "DTypes.counts is annotated R[Any, np.integer[Any]], but holds float64"),
    (
        {"counts": b(2)},
        "DTypes.counts is annotated R[Any, np.integer[Any]], plain data, but holds a BVar; "
        "annotate it BVar[R[Any, np.integer[Any]]], or pass the BVar's .value",
    ),
    ({"mask": [True, False]}, "DTypes.mask is annotated R[Any, np.bool], but holds a value of type list, not an array"),
]


@pytest.mark.parametrize(("change", "message"), DTYPE_ERRORS)
def test_dtypes_that_differ(change: dict[str, Any], message: str) -> None:
    assert_refused(DTypeError, message, DTypes, **change)


def test_plain_data_has_a_shape_too() -> None:
    @attrs.frozen
    class WithData(Record, Generic[N]):
        w: BVar[R[N]]
        mask: R[N, np.bool]
        maybe: R[N] | None = None

    WithData(b(3), a(3, dtype=bool), a(3))
    with pytest.raises(
        ShapeError, match=r"^WithData\.mask is annotated R\[N, np\.bool\] and has shape \(4,\), so N is 4,"
    ):
        WithData(b(3), a(4, dtype=bool))
    with pytest.raises(ShapeError, match=r"^WithData\.maybe is annotated R\[N\], a vector, but holds a matrix"):
        WithData(b(3), a(3, dtype=bool), a(3, 1))


# -- BVars of other things ------------------------------------------------------------------------------------------


def test_bvars_without_a_shape() -> None:
    @attrs.frozen
    class Loose(Record, Generic[V]):
        anything: BVar[Any]
        variable: BVar[V]
        exact: BVar[Fraction]

    Loose(b(1, 2), b(), b())
    wrong: list[tuple[Any, Any, Any]] = [(1.0, b(), b()), (b(), a(2), b()), (b(), b(), Fraction(1, 2))]
    for values in wrong:
        with pytest.raises(DTypeError, match=r"^Loose\.(anything|variable|exact) is annotated BVar\[\w+\], but holds"):
            Loose(*values)


def test_new_types_and_aliases() -> None:
    @attrs.frozen
    class Named(Record, Generic[N]):
        rate: BVar[Rate]
        slope: Slope
        weights: Weights[N, Literal[2]]
        old: OldWeights[N]
        many: Many
        noted: Annotated[BVar[R[N]], "a note"]
        final: Final[BVar[R[Rows]]] = attrs.field(factory=lambda: b(3))

    Named(b(), b(), b(3, 2), b(3, 3), [b(2)], b(3))
    with pytest.raises(ShapeError, match=r"^Named\.rate is annotated BVar\[Rate\], a scalar"):
        Named(b(1), b(), b(3, 2), b(3, 3), [b(2)], b(3))
    with pytest.raises(
        ShapeError, match=r"^Named\.weights is annotated Weights\[N, Literal\[2\]\], .* second size must be 2"
    ):
        Named(b(), b(), b(3, 3), b(3, 3), [b(2)], b(3))
    with pytest.raises(
        ShapeError, match=r"^Named\.old is annotated OldWeights\[N\] .* so N is 4, but N is 3 by weights"
    ):
        Named(b(), b(), b(3, 2), b(4, 4), [b(2)], b(3))
    with pytest.raises(ShapeError, match=r"^Named\.many\[1\] is annotated BVar\[R\[Literal\[2\]\]\]"):
        Named(b(), b(), b(3, 2), b(3, 3), [b(2), b(3)], b(3))
    with pytest.raises(
        ShapeError, match=r"^Named\.noted is annotated Annotated\[BVar\[R\[N\]\], 'a note'\] .* so N is 4"
    ):
        Named(b(), b(), b(3, 2), b(3, 3), [b(2)], b(4))
    with pytest.raises(ShapeError, match=r"^Named\.final is annotated Final\[BVar\[R\[Rows\]\]\], a vector, but"):
        Named(b(), b(), b(3, 2), b(3, 3), [b(2)], b(3), b())


Either = TypeAliasType("Either", BVar[R[M]] | list[BVar[R[M]]], type_params=(M,))
Rate = NewType("Rate", float)
Slope = NewType("Slope", BVar[Rate])
Weights = TypeAliasType("Weights", BVar[L[M, N]], type_params=(M, N))
OldWeights = BVar[L[N, N]]
Many = TypeAliasType("Many", list[BVar[R[Literal[2]]]])


# -- Records in records ---------------------------------------------------------------------------------------------


@attrs.frozen
class Layer(Record, Generic[M, N]):
    weight: BVar[L[M, N]]
    bias: BVar[R[M]]


@dataclasses.dataclass
class Plain(Generic[N]):
    """Not a record: checked only as part of one."""

    v: BVar[R[N]]
    w: BVar[R[N]]


class Pair(NamedTuple):
    rows: BVar[R[Rows]]
    other: Plain[Any] | None = None


def layer(m: int, n: int) -> Any:
    return Layer(b(m, n), b(m))


@attrs.frozen
class Deep(Record, Generic[I, H, O]):
    first: Layer[H, I]
    middle: list[Layer[H, H]]
    last: Layer[O, H]


def test_the_variables_of_a_nested_record_are_what_its_annotation_says() -> None:
    Deep(layer(3, 7), [], layer(2, 3))
    Deep(layer(3, 7), [layer(3, 3), layer(3, 3)], layer(2, 3))
    first = "annotated BVar[L[H, I]] and of shape (3, 7)"
    assert_refused(
        ShapeError,
        f"Deep.middle[1].weight is annotated BVar[L[H, H]] and has shape (4, 3), so H is 4, "
        f"but H is 3 by first.weight, {first}",
        Deep,
        layer(3, 7),
        [layer(3, 3), layer(4, 3)],
        layer(2, 3),
    )
    assert_refused(
        ShapeError,
        "Deep.last.weight is annotated BVar[L[O, H]] and has shape (3, 2), so H is 2, but H is 3 by first.weight, "
        f"{first}. Is it transposed? Then pass its .T",
        Deep,
        layer(3, 7),
        [],
        layer(3, 2),
    )


@attrs.frozen
class Everything(Record, Generic[N]):
    here: BVar[R[N]] = attrs.field(factory=lambda: b(3))
    fixed: tuple[BVar[R[N]], str, BVar[R[Rows]]] = attrs.field(factory=lambda: (b(3), "static", b(5)))
    several: tuple[BVar[R[N]], ...] = ()
    sequence: Sequence[BVar[R[N]]] = ()
    table: dict[str, BVar[L[Any, N]]] = attrs.field(factory=dict)
    mapping: Mapping[Any, list[BVar[R[N]]]] = attrs.field(factory=dict)
    optional: Optional[BVar[R[N]]] = None  # noqa: UP045
    mixed: BVar[float] | BVar[R[N]] | float = 0.0
    variants: Layer[N, Any] | Plain[N] | None = None
    bare: Layer | None = None  # type: ignore[type-arg]  # bare, on purpose
    ten: Layer[Literal[10], N] | None = None
    plain: Plain[N] | None = None
    pair: Pair | None = None
    counts: list[int] | tuple[int, ...] | dict[str, float] | None = None
    function: Callable[[BVar[R[N]]], BVar[float]] | None = None
    late: BVar[R[N]] = attrs.field(init=False)
    later: BVar[Any] | None = attrs.field(init=False)


GOOD_PARTS: list[dict[str, Any]] = [
    {},
    {"several": (b(3), b(3)), "sequence": [b(3)]},
    {"table": {"x": b(1, 3), "y": b(2, 3)}, "mapping": OrderedDict({1: [b(3)]})},
    {"optional": b(3)},
    {"mixed": b()},
    {"mixed": b(3)},
    {"mixed": 3.0},
    {"variants": layer(3, 8)},
    {"variants": Plain(b(3), b(3))},
    {"bare": layer(8, 9)},
    {"ten": layer(10, 3)},
    {"plain": Plain(b(3), b(3))},
    {"pair": Pair(b(5))},
    {"pair": Pair(b(5), Plain(b(6), b(7)))},
    {"counts": [1, 2], "function": abs},
    # Something else than the annotation says is for the type checker to find, if there are no BVars in it.
    {"several": 3, "table": 3, "plain": 3},
]
BAD_PARTS: list[tuple[dict[str, Any], str]] = [
    (
        {"fixed": (b(3), "static")},
        "Everything.fixed is annotated tuple[BVar[R[N]], str, BVar[R[Rows]]], 3 items, but holds 2",
    ),
    (
        {"fixed": (b(4), "static", b(5))},
        "Everything.fixed[0] is annotated BVar[R[N]] and has shape (4,), so N is 4, but N is 3 by here",
    ),
    (
        {"several": (b(3), b(4))},
        "Everything.several[1] is annotated BVar[R[N]] and has shape (4,), so N is 4, but N is 3 by here,",
    ),
    ({"sequence": [b(4)]}, "Everything.sequence[0] is annotated BVar[R[N]] and has shape (4,)"),
    ({"table": {"x": b(1, 4)}}, "Everything.table['x'] is annotated BVar[L[Any, N]] and has shape (1, 4), so N is 4"),
    ({"mapping": {1: [b(3), b(4)]}}, "Everything.mapping[1][1] is annotated BVar[R[N]] and has shape (4,), so N is 4"),
    ({"optional": b(4)}, "Everything.optional is annotated BVar[R[N]] and has shape (4,), so N is 4"),
    (
        {"optional": b(3, 1)},
        "Everything.optional is annotated BVar[R[N]], a vector, but holds a matrix of shape (3, 1)",
    ),
    (
        {"optional": a(3)},
        "Everything.optional is annotated BVar[R[N]], but holds a plain array of shape (3,); write BVar(...)",
    ),
    ({"mixed": b(4)}, "Everything.mixed is annotated BVar[R[N]] and has shape (4,), so N is 4"),
    (
        {"variants": layer(4, 8)},
        "Everything.variants.weight is annotated BVar[L[N, Any]] and has shape (4, 8), so N is 4",
    ),
    ({"variants": Plain(b(3), b(4))}, "Everything.variants.w is annotated BVar[R[N]] and has shape (4,), so N is 4"),
    (
        {"ten": layer(11, 3)},
        "Everything.ten.weight is annotated BVar[L[Literal[10], N]], but has shape (11, 3): its first size must be 10",
    ),
    ({"plain": Plain(b(3), b(4))}, "Everything.plain.w is annotated BVar[R[N]] and has shape (4,), so N is 4"),
    ({"plain": Plain(b(3), a(3))}, "Everything.plain.w is annotated BVar[R[N]], but holds a plain array"),
    (
        {"pair": Pair(b(6))},
        "Everything.pair.rows is annotated BVar[R[Rows]] and has shape (6,), so Rows is 6, but Rows is 5 by fixed[2]",
    ),
    (
        {"pair": Pair(b(5), Plain(b(6), a(6)))},
        "Everything.pair.other.w is annotated BVar[R[Any]], but holds a plain array",
    ),
]


@pytest.mark.parametrize("parts", GOOD_PARTS)
def test_parts_that_fit(parts: dict[str, Any]) -> None:
    Everything(**parts)


@pytest.mark.parametrize(("parts", "message"), BAD_PARTS)
def test_parts_that_do_not_fit(parts: dict[str, Any], message: str) -> None:
    with pytest.raises((ShapeError, DTypeError)) as caught:
        Everything(**parts)
    assert str(caught.value).startswith(message)


def test_unions_of_the_same_rank() -> None:
    @attrs.frozen
    class Choices(Record, Generic[M, N]):
        m: BVar[R[M]]
        n: BVar[R[N]]
        either: BVar[R[M]] | BVar[R[N]]
        after: BVar[L[M, Rows]] | BVar[L[Rows, N]]
        rows: BVar[R[Rows]] | None = None

    Choices(b(2), b(3), b(2), b(2, 5), b(5))
    Choices(b(2), b(3), b(3), b(5, 3), b(5))
    with pytest.raises(
        ShapeError, match=r"^Choices\.either is annotated BVar\[R\[M\]\] and has shape \(4,\), so M is 4"
    ):
        Choices(b(2), b(3), b(4), b(2, 5))
    with pytest.raises(
        ShapeError, match=r"^Choices\.rows .* so Rows is 6, but Rows is 5 by after, annotated BVar\[L\[Rows, N\]\]"
    ):
        Choices(b(2), b(3), b(3), b(5, 3), b(6))


def test_unions_of_containers_and_records() -> None:
    @attrs.frozen
    class Variants(Record, Generic[N]):
        v: BVar[R[N]]
        some: list[BVar[R[N]]] | dict[str, BVar[R[N]]] | Plain[N] | BVar[Fraction] | None
        none_of_them: BVar[R[N]] | Any = None
        fixed: tuple[BVar[R[N]], int] | tuple[BVar[R[Any]], BVar[R[N]], int] | None = None

    values: list[tuple[Any, str]] = [
        ([b(2)], ""),
        ([b(2), b(3)], r"some\[1\]"),
        ({"k": b(2)}, ""),
        ({"k": b(3)}, r"some\['k'\]"),
        (Plain(b(2), b(2)), ""),
        (Plain(b(2), b(3)), r"some\.w"),
        (None, ""),
        (b(3), ""),
    ]
    for value, place in values:
        if place:
            with pytest.raises(ShapeError, match=rf"^Variants\.{place} is annotated .* so N is 3, but N is 2 by v"):
                Variants(b(2), value)
        else:
            Variants(b(2), value, b(5, 5))
    Variants(b(2), None, None, (b(2), 1))
    Variants(b(2), None, None, (b(9), b(2), 1))
    with pytest.raises(
        ShapeError, match=r"^Variants\.fixed is annotated tuple\[BVar\[R\[N\]\], int\], 2 items, but holds 3"
    ):
        Variants(b(2), None, None, (b(9), b(3), 1))

    @attrs.frozen
    class Around(Record, Generic[M]):
        m: BVar[R[M]]
        inner: Variants[M] | list[Variants[M]] | None
        either: list[BVar[R[M]]] | dict[str, BVar[R[M]] | list[BVar[R[M]]]] | BVar[R[M]] | None = None

    Around(b(2), Variants(b(2), None), {"k": [b(2)]})
    with pytest.raises(
        ShapeError, match=r"^Around\.inner\.v is annotated BVar\[R\[M\]\] .* so M is 3, but M is 2 by m"
    ):
        Around(b(2), Variants(b(3), None))
    with pytest.raises(ShapeError, match=r"^Around\.either\['k'\]\[0\] is annotated BVar\[R\[M\]\] .* so M is 3,"):
        Around(b(2), None, {"k": [b(3)]})


def test_unions_in_unions() -> None:
    @attrs.frozen
    class Outer(Record, Generic[N]):
        v: BVar[R[N]]
        w: Either[N] | None

    Outer(b(2), [b(2)])
    Outer(b(2), None)
    for w, place in (b(3), r"w"), ([b(3)], r"w\[0\]"):
        with pytest.raises(
            ShapeError, match=rf"^Outer\.{place} is annotated BVar\[R\[N\]\] .* so N is 3, but N is 2 by v"
        ):
            Outer(b(2), w)


def test_a_nested_record_is_looked_at_where_its_sizes_show() -> None:
    """Its own check has seen to the rest, and does not see what was made around it."""

    @attrs.frozen
    class Inner(Record, Generic[M, N]):
        first: BVar[R[M]]
        again: BVar[R[M]]
        optional: BVar[R[Rows]] | None = None
        items: list[BVar[R[N]]] = attrs.field(factory=list)

    @attrs.frozen
    class Outer(Record, Generic[H]):
        inner: Inner[H, H]
        rows: BVar[R[Rows]]
        h: BVar[R[H]]

    assert shape_check._witnesses(Inner) == {"first", "optional", "items"}
    assert shape_check._witnesses(Outer) == {"rows", "h"}
    Outer(Inner(b(2), b(2), b(3), [b(2)]), b(3), b(2))
    for inner, path in [
        (Inner(b(3), b(3)), "inner.first"),
        (Inner(b(2), b(2), b(4)), "inner.optional"),
        (Inner(b(2), b(2), None, [b(5)]), r"inner.items\[0\]"),
    ]:
        with pytest.raises(ShapeError, match=f"^Outer.({path}|h) .*({path}|h|rows)"):
            Outer(inner, b(3), b(2))


@attrs.frozen
class Chain(Record, Generic[N]):
    here: BVar[R[N]]
    tail: Chain[N] | None = None
    me: Self | None = None


def test_records_that_contain_records_of_their_class() -> None:
    Chain(b(2), Chain(b(2)), Chain(b(2), Chain(b(2))))  # type: ignore[arg-type]  # Self, seen from outside
    with pytest.raises(ShapeError, match=r"^Chain\.tail\.here .* so N is 3, but N is 2 by here"):
        Chain(b(2), Chain(b(3)))
    with pytest.raises(ShapeError, match=r"^Chain\.me\.here .* so N is 3, but N is 2 by here"):
        Chain(b(2), None, Chain(b(3)))  # type: ignore[arg-type]  # Self, seen from outside


@dataclasses.dataclass
class PlainChain(Generic[N]):
    here: BVar[R[N]]
    tail: PlainChain[N] | None = None


def test_deep_records_are_checked_without_recursion_and_in_linear_time() -> None:
    def chain(length: int) -> None:
        record: Chain[Any] | None = None
        for _ in range(length):
            record = Chain(b(2), record)

    assert steps(lambda: chain(2_000)) < 11 * steps(lambda: chain(200))

    @attrs.frozen
    class Around(Record):
        deep: PlainChain[Any]
        last: BVar[R[Literal[2]]]

    plain: PlainChain[Any] | None = None
    for length in (3, *[2] * 5_000):
        plain = PlainChain(b(length), plain)
    assert plain is not None
    Around(plain, b(2))

    @attrs.frozen
    class Same(Record, Generic[N]):
        deep: PlainChain[N]

    with pytest.raises(
        ShapeError, match=r"^Same\.deep(\.tail){19} \.\.\. \d+ more \.\.\. .*\.here is annotated .* so N is 3"
    ):
        Same(plain)


# -- Classes --------------------------------------------------------------------------------------------------------


def test_inheritance_fills_in_type_variables() -> None:
    @attrs.frozen
    class TenDigits(Network[I, H, Literal[10]], Generic[I, H]):
        extra: BVar[L[I, H]]

    @attrs.frozen
    class Fixed(TenDigits[Hidden, Rows]):
        rows: BVar[R[Rows]]

    TenDigits(b(3, 7), b(3), b(10, 3), b(10), b(7, 3))
    with pytest.raises(
        ShapeError, match=r"^TenDigits\.weight2 is annotated BVar\[L\[O, H\]\], .* its first size must be 10$"
    ):
        TenDigits(b(3, 7), b(3), b(9, 3), b(9), b(7, 3))
    with pytest.raises(ShapeError, match=r"^TenDigits\.extra .* so I is 3, but I is 7 by weight1.* Is it transposed\?"):
        TenDigits(b(3, 7), b(3), b(10, 3), b(10), b(3, 7))
    Fixed(b(3, 7), b(3), b(10, 3), b(10), b(7, 3), b(3))
    with pytest.raises(
        ShapeError, match=r"^Fixed\.rows .* so Rows is 4, but Rows is 3 by weight1, annotated BVar\[L\[H, I\]\]"
    ):
        Fixed(b(3, 7), b(3), b(10, 3), b(10), b(7, 3), b(4))


def test_a_bare_base_says_nothing_of_its_sizes() -> None:
    @attrs.frozen
    class Unspecified(Layer):  # type: ignore[type-arg]  # bare, on purpose
        n: BVar[R[N]]  # type: ignore[valid-type]  # a variable of no class

    Unspecified(b(2, 3), b(5), b(7))


def test_a_post_init_of_ones_own_calls_super() -> None:
    seen = []

    @attrs.frozen
    class Careful(Record, Generic[N]):
        v: BVar[R[N]]
        w: BVar[R[N]]

        def __attrs_post_init__(self) -> None:
            seen.append("before")
            super().__attrs_post_init__()
            seen.append("after")

    Careful(b(2), b(2))
    with pytest.raises(ShapeError):
        Careful(b(2), b(3))
    assert seen == ["before", "after", "before"]


def test_validators_and_converters_run_first() -> None:
    @attrs.frozen
    class Lifting(Record, Generic[N]):
        v: BVar[R[N]] = attrs.field(converter=BVar)
        w: BVar[R[N]] = attrs.field(converter=BVar)

    assert Lifting(a(2), a(2)).v.shape == (2,)
    with pytest.raises(ShapeError, match=r"^Lifting\.w "):
        Lifting(a(2), a(3))


def made(name: str, **types: Any) -> Any:
    """A record whose annotations are no strings."""
    return attrs.make_class(name, {field: attrs.field(type=type) for field, type in types.items()}, bases=(Record,))


# As values, which is what they are here.
BVAR: Any = BVar
VECTOR: Any = R
MATRIX: Any = L


def test_annotations_that_are_no_strings() -> None:
    either: Any = Callable[[int], Literal["x"]] | BVar[float]
    cls = made("Made", w=BVAR[MATRIX[M, N]], maybe=BVAR[VECTOR[N]] | None, function=either, nothing=None)
    cls(b(2, 3), b(3), abs, 1)
    cls(b(2, 3), b(3), b(), 1)
    with pytest.raises(ShapeError, match=r"^Made\.maybe is annotated BVar\[R\[N\]\] and has shape \(2,\), so N is 2,"):
        cls(b(2, 3), b(2), abs, 1)
    with pytest.raises(ShapeError, match=r"^Made\.function is annotated BVar\[float\], a scalar"):
        cls(b(2, 3), b(3), b(1), 1)


def test_names_that_are_local_to_a_function() -> None:
    def local() -> Any:
        class Local(Dim):
            pass

        K = TypeVar("K", bound=int)

        @attrs.frozen
        class Part(Record, Generic[K]):
            v: BVar[L[Local, K]]

        @attrs.frozen
        class Whole(Record, Generic[K]):
            parts: list[Part[K]]
            rows: BVar[R[Local]]
            same: Whole[K] | None = None

        return Part, Whole

    part, whole = local()
    whole([part(b(2, 3)), part(b(2, 3))], b(2), whole([], b(2)))
    with pytest.raises(
        ShapeError, match=r"^Whole\.parts\[1\]\.v is annotated BVar\[L\[Local, K\]\] .* so K is 4, but K is 3"
    ):
        whole([part(b(2, 3)), part(b(2, 4))], b(2))
    with pytest.raises(ShapeError, match=r"^Whole\.parts\[0\]\.v .* so Local is 2, but Local is 5 by rows"):
        whole([part(b(2, 3))], b(5))
    with pytest.raises(ShapeError, match=r"^Whole\.same\.rows .* so Local is 4, but Local is 5 by rows"):
        whole([], b(5), whole([], b(4)))


def test_a_checked_class_without_arithmetic() -> None:
    @dataclasses.dataclass
    class Scan(Checked, Generic[N]):
        image: R[N]
        other: R[N]

    scan = Scan(a(2), a(2))
    with pytest.raises(ShapeError, match=r"^Scan\.other "):
        Scan(a(2), a(3))
    scan.other = a(3)
    with pytest.raises(ShapeError, match=r"^Scan\.other "):
        check_shapes(scan)


def test_a_record_without_anything_to_check() -> None:
    @attrs.frozen
    class Nothing(Record):
        name: str
        count: int = 3

    assert Nothing("x").name == "x"


# -- What is not checked --------------------------------------------------------------------------------------------


def test_unresolved_annotations_are_said_to_be_unchecked_once() -> None:
    @attrs.frozen
    class Unresolved(Record, Generic[N]):
        w: BVar[R[OnlyForCheckers]]  # type: ignore[type-var]  # no size at run time
        v: BVar[R[N]]
        odd: BVar[R[M | N]]  # type: ignore[valid-type]  # no size
        text: BVar[R[Literal["x"]]]  # type: ignore[type-var]  # no size
        strange: BVar[R[N, int]]  # type: ignore[type-var]  # no dtype
        u: BVar[R[N]]

    expected = (
        "Unresolved: some annotations cannot be resolved, so these fields are not checked at run time: "
        "w: BVar[R[OnlyForCheckers]] (NameError: name 'OnlyForCheckers' is not defined); "
        "odd: BVar[R[M | N]] (M | N is not a size); text: BVar[R[Literal['x']]] (Literal['x'] is not a size); "
        "strange: BVar[R[N, int]] (int is not a dtype). "
        "Define the names at the top of the module, or before the class where it is defined, "
        "and not under `if TYPE_CHECKING:`"
    )
    with pytest.warns(UncheckedWarning, match=f"^{re.escape(expected)}$") as caught:
        Unresolved(b(9), b(2), b(8), b(5), b(7), b(2))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Unresolved(b(9), b(2), b(8), b(5), b(7), b(2))
        with pytest.raises(ShapeError, match=r"^Unresolved\.u .* so N is 3, but N is 2 by v"):
            Unresolved(b(9), b(2), b(8), b(5), b(7), b(3))


def test_the_warning_may_be_an_error() -> None:
    @attrs.frozen
    class Strict(Record):
        w: BVar[R[OnlyForCheckers]]  # type: ignore[type-var]  # no size at run time

    for _ in range(2):
        with pytest.raises(UncheckedWarning, match=r"^Strict: some annotations"):
            Strict(b(2))


def test_strings_in_aliases_are_not_evaluated() -> None:
    @attrs.frozen
    class Aliased(Record):
        w: Late

    with pytest.warns(UncheckedWarning, match=r"w: Late \('list\[BVar\[R\[Hidden\]\]\]' is not evaluated\)"):
        Aliased([b(2)])


Late = TypeAliasType("Late", "list[BVar[R[Hidden]]]")


def test_too_many_parameters() -> None:
    @attrs.frozen
    class TooMany(Record):
        layer: Layer[N, N, N]  # type: ignore[type-arg,valid-type]  # one too many

    with pytest.warns(UncheckedWarning, match=r"layer: Layer\[N, N, N\] \(TypeError: Too many"):
        TooMany(layer(5, 6))


def test_classes_made_without_end_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape_check, "_MANY", 20)
    for _ in range(100):
        made("Short", w=BVAR[VECTOR[N]])(b(2))
        assert len(shape_check._PLANS) <= 20
    Network(**GOOD)


# -- Sums and products of sizes -------------------------------------------------------------------------------------


def test_sums_and_products_of_sizes() -> None:
    @attrs.frozen
    class Joined(Record, Generic[M, N]):
        both: BVar[R[Add[M, N]]]
        one: BVar[R[M]]
        other: BVar[R[N]]
        flat: BVar[L[Mul[M, N], Add[Mul[Literal[2], M], Literal[-1]]]]

    Joined(b(5), b(2), b(3), b(6, 3))
    message = (
        "Joined.both is annotated BVar[R[Add[M, N]]], but has shape (6,): its length must be 5, as M is 2 and N is 3"
    )
    assert_refused(ShapeError, message, Joined, b(6), b(2), b(3), b(6, 3))
    message = (
        "Joined.flat is annotated BVar[L[Mul[M, N], Add[Mul[Literal[2], M], Literal[-1]]]], but has shape (6, 4): "
        "its second size must be 3, as M is 2"
    )
    assert_refused(ShapeError, message, Joined, b(5), b(2), b(3), b(6, 4))


def test_a_sum_of_what_is_not_known_is_not_checked() -> None:
    @attrs.frozen
    class Half(Record, Generic[M, N]):
        both: BVar[R[Add[M, N]]]
        one: BVar[R[M]]

    Half(b(5), b(2))
    Half(b(1), b(2))


def test_a_sum_in_a_nested_record() -> None:
    @attrs.frozen
    class Inner(Record, Generic[M]):
        twice: BVar[R[Add[M, M]]]

    @attrs.frozen
    class Outer(Record, Generic[N]):
        inner: Inner[N]
        once: BVar[R[N]]

    Outer(Inner(b(4)), b(2))
    message = "Outer.inner.twice is annotated BVar[R[Add[N, N]]], but has shape (4,): its length must be 6, as N is 3"
    assert_refused(ShapeError, message, Outer, Inner(b(4)), b(3))


def test_sums_are_names_only() -> None:
    for cls in (Add, Mul):
        with pytest.raises(TypeError, match=rf"^{cls.__name__}\[M, N\] names a size in a type; it makes no values$"):
            cls(3)  # type: ignore[arg-type]  # is refused
