"""What a mypy type says of an array: its sizes, its dtype, and whether it is a `BVar` of them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen
from mypy.types import AnyType, Instance, TupleType, Type, TypeOfAny, get_proper_type

from typedprop.mypy_plugin.polynomial import Polynomial
from typedprop.mypy_plugin.size_types import DIM, INT, NamedType, size_of, type_of

Size = Polynomial | None
"""None is a size that is not known."""
Sizes = tuple[Size, ...]

BVAR = "typedprop.bvar.BVar"
RANKS = {
    "typedprop.shapes.R": 1,
    "typedprop.shapes.L": 2,
    "typedprop.shapes.Tensor3": 3,
    "typedprop.shapes.Tensor4": 4,
}
_NAMES = {rank: name for name, rank in RANKS.items()}
ARRAYS = frozenset(RANKS)
SIZED = ARRAYS | {BVAR}


@frozen
class Array:
    """An array or, with no sizes, a number."""

    sizes: Sizes
    # The dtype of an array; None for a number, which has none that a type says.
    dtype: Type | None
    lifted: bool

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.sizes)

    @property
    def size(self) -> Size:
        """The number of elements."""
        return product_of(self.sizes)

    def __str__(self) -> str:
        text = written(self.sizes, self.dtype)
        return f"BVar[{text}]" if self.lifted else text


def array_of(type_: Type) -> Array | None:
    """The array that a type describes; None if it is none, or one whose rank is not known."""
    proper = get_proper_type(type_)
    if not isinstance(proper, Instance):
        return None
    name = proper.type.fullname
    if name == BVAR:
        inner = array_of(proper.args[0])
        return None if inner is None or inner.lifted else evolve(inner, lifted=True)
    if name in RANKS:
        return Array(tuple(map(size_of, proper.args[:-1])), proper.args[-1], lifted=False)
    if name in ("builtins.float", INT) or proper.type.has_base("numpy.floating"):
        return Array((), None, lifted=False)
    return None


def written(sizes: Sequence[Size], dtype: Type | None = None) -> str:
    """An array in the words of the run time's messages: `R[3]`, `L[M, 2 * N]`, and a dtype that is not float64."""
    if not sizes:
        return "float"
    parts = ["Any" if size is None else str(size) for size in sizes]
    proper = None if dtype is None else get_proper_type(dtype)
    # np.float64 is a class of its own, the other dtypes are aliases of generic ones.
    if isinstance(proper, Instance) and proper.type.fullname != "numpy.float64":
        parts.append(dtype_name(proper))
    name = {1: "R", 2: "L"}.get(len(sizes), f"Tensor{len(sizes)}")
    return f"{name}[{', '.join(parts)}]"


def dtype_name(dtype: Instance) -> str:
    """`float32` for np.floating[_32Bit], and so on."""
    bits = get_proper_type(dtype.args[0]) if dtype.args else None
    if isinstance(bits, Instance) and bits.type.name.startswith("_"):
        kind = {"floating": "float", "signedinteger": "int", "unsignedinteger": "uint"}.get(dtype.type.name)
        if kind is not None:
            return kind + bits.type.name.strip("_").removesuffix("Bit")
    return dtype.type.name


def product_of(sizes: Sequence[Size]) -> Size:
    """The product of sizes, if all are known."""
    result = Polynomial((((), 1),))
    for size in sizes:
        if size is None:
            return None
        result = result * size
    return result


def sum_of(sizes: Sequence[Size]) -> Size:
    """The sum of sizes, if all are known."""
    result = Polynomial(())
    for size in sizes:
        if size is None:
            return None
        result = result + size
    return result


def differ(a: Size, b: Size) -> bool:
    """Whether two sizes are known and not the same: so the checker takes them, as it takes two type variables."""
    return a is not None and b is not None and a != b


def never_equal(a: Size, b: Size) -> bool:
    """Whether two sizes differ whatever the values of their symbols."""
    return a is not None and b is not None and (a - b).constant not in (None, 0)


# -- Making types ---------------------------------------------------------------------------------------------------


def array_type(array: Array, named: NamedType) -> Type:
    """The type of an array; Any for one of more axes than there are names for."""
    if array.rank == 0:
        inner: Type = named("builtins.float", []) if array.lifted or array.dtype is None else array.dtype
    elif array.rank in _NAMES:
        dtype = array.dtype if array.dtype is not None else AnyType(TypeOfAny.special_form)
        inner = named(_NAMES[array.rank], [*(type_of(size, named) for size in array.sizes), dtype])
    else:
        inner = AnyType(TypeOfAny.special_form)
    return named(BVAR, [inner]) if array.lifted else inner


Result = Array | Sizes | list[Sizes | None]
"""What a rule says of a result: all of it; the sizes, where the signature says the rest; or those of the items."""


def refined(declared: Type, result: Result | None, named: NamedType, expected: Type | None = None) -> Type:
    """The declared type with the sizes filled in that it leaves open. A size that it says stands.

    Whether a `Dim` has some number of elements cannot be said: where the one is found and `expected`, the type that the
    result is assigned to, has the other, the size stays open.
    """
    proper = get_proper_type(declared)
    if result is None:
        return declared
    if isinstance(result, list):
        if isinstance(proper, TupleType) and len(proper.items) == len(result):
            items = [refined(item, sizes, named) for item, sizes in zip(proper.items, result, strict=True)]
            return proper.copy_modified(items=items)
        if isinstance(proper, Instance) and proper.type.fullname == "builtins.list" and result:
            # One type for all items: the sizes that are the same in all.
            first, *others = result
            if first is not None and all(other == first for other in others):
                return proper.copy_modified(args=[refined(proper.args[0], first, named)])
        return declared
    if isinstance(proper, AnyType):
        return array_type(with_room_for(expected, result), named) if isinstance(result, Array) else declared
    if not isinstance(proper, Instance):
        return declared
    if proper.type.fullname == BVAR:
        if isinstance(result, Array) and isinstance(get_proper_type(proper.args[0]), AnyType):
            return array_type(with_room_for(expected, evolve(result, lifted=True)), named)
        inner = evolve(result, lifted=False) if isinstance(result, Array) else result
        return proper.copy_modified(args=[refined(proper.args[0], inner, named, _lowered(expected))])
    found = result.sizes if isinstance(result, Array) else result
    if RANKS.get(proper.type.fullname) != len(found):
        return declared
    sizes = _with_room_for(expected, found)
    filled = [
        type_of(size, named) if isinstance(get_proper_type(given), AnyType) else given
        for given, size in zip(proper.args, sizes, strict=False)
    ]
    return proper.copy_modified(args=[*filled, proper.args[-1]])


def with_room_for(expected: Type | None, array: Array) -> Array:
    """The array with those sizes open of which it cannot be said whether they are what is expected."""
    return evolve(array, sizes=_with_room_for(_lowered(expected) if array.lifted else expected, array.sizes))


def _lowered(expected: Type | None) -> Type | None:
    proper = None if expected is None else get_proper_type(expected)
    return proper.args[0] if isinstance(proper, Instance) and proper.type.fullname == BVAR else None


def _with_room_for(expected: Type | None, sizes: Sizes) -> Sizes:
    array = None if expected is None else array_of(expected)
    if array is None or array.rank != len(sizes):
        return sizes
    return tuple(None if _undecided(size, wanted) else size for size, wanted in zip(sizes, array.sizes, strict=True))


def _undecided(a: Size, b: Size) -> bool:
    """Whether one is a number and the other made of Dims."""
    if a is None or b is None or (a.constant is None) == (b.constant is None):
        return False
    return all(isinstance(one.type, Instance) for one in a.symbols | b.symbols)


def is_open(size: Type) -> bool:
    """Whether a size says nothing: Any, int, or Dim without a name."""
    proper = get_proper_type(size)
    return isinstance(proper, AnyType) or (isinstance(proper, Instance) and proper.type.fullname in (INT, DIM))
