"""Sizes of sums of products by subscripts: `einsum` with a string that is known, and `tensordot`."""

from __future__ import annotations

from mypy.types import Instance, Type, get_proper_type

from typedprop.mypy_plugin.arrays import Array, Result, Size, differ
from typedprop.mypy_plugin.calls import Call
from typedprop.mypy_plugin.polynomial import number

ONE = number(1)


def einsum(call: Call) -> Result | None:
    """What `einsum` says of the ranks and of sizes that share a letter, and the result."""
    subscripts = call.text("subscripts")
    if subscripts is None:
        return None
    operands = [item.array for item in call.rest()]
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    letters = text.replace("->", "").replace(",", "").replace("...", "")
    if not all(c.isascii() and c.isalpha() for c in letters) or "->" in right or "," in right:
        raise call.blame(f'"{subscripts}" is not made of letters, commas, "..." and one "->"', "subscripts")
    if len(terms) != len(operands):
        raise call.blame(f'"{subscripts}" is for {len(terms)} operands, and {len(operands)} are given', "subscripts")
    sizes: dict[str, Size] = {}
    first: dict[str, int] = {}
    broadcast: list[Size] | None = []
    for position, (term, array) in enumerate(zip(terms, operands, strict=True)):
        named = len(term.replace("...", ""))
        if array is None:
            broadcast = None if "..." in term else broadcast
            _keep_letters(term, sizes)
            continue
        if named != array.rank if "..." not in term else named > array.rank or term.count("...") > 1:
            raise call.blame(
                f'Argument {position + 2} to "einsum" is {array}, of rank {array.rank}, but "{term}" in "{subscripts}" '
                f"has {named} letter{'s' * (named != 1)}",
                f"*{position}",
            )
        before, _, after = term.partition("...")
        rest = array.rank - named
        labelled = [*zip(before, array.sizes[: len(before)], strict=True)]
        labelled += zip(after, array.sizes[len(before) + rest :], strict=True)
        for letter, size in labelled:
            known = sizes.get(letter)
            if differ(known, size):
                raise call.blame(
                    f'Argument {position + 2} to "einsum" is {array}, but argument {first[letter] + 2} is '
                    f'{operands[first[letter]]}: "{letter}" in "{subscripts}" cannot be both {known} and {size}',
                    f"*{position}",
                )
            if known is None:
                sizes[letter] = size
                first[letter] = position
        if broadcast is not None and "..." in term:
            broadcast = _broadcast(broadcast, array.sizes[len(before) : len(before) + rest])
            if broadcast == _IMPOSSIBLE:
                raise call.blame(
                    f'Argument {position + 2} to "einsum" is {array}: its axes of "..." in "{subscripts}" do not '
                    "broadcast with those before",
                    f"*{position}",
                )
    output = right if arrow else _implicit(left)
    result = _output(call, subscripts, output, sizes, broadcast, dots=bool(broadcast) and not arrow)
    arrays = [array for array in operands if array is not None]
    if result is None or len(arrays) < len(operands):
        return None
    return Array(result, _dtype(arrays), any(array.lifted for array in arrays))


def _keep_letters(term: str, sizes: dict[str, Size]) -> None:
    for letter in term.replace("...", ""):
        sizes.setdefault(letter, None)


_IMPOSSIBLE: list[Size] = [number(-1)]


def _broadcast(a: list[Size], b: tuple[Size, ...]) -> list[Size]:
    """The axes of two ellipses, the last with the last; a size of 1, or a missing axis, goes with any."""
    wide = max(len(a), len(b))
    left: list[Size] = [*[ONE] * (wide - len(a)), *a]
    right: list[Size] = [*[ONE] * (wide - len(b)), *b]
    result: list[Size] = []
    for x, y in zip(left, right, strict=True):
        if ONE in (x, y) or x == y:
            result.append(y if x == ONE else x)
        elif x is not None and y is not None:
            return _IMPOSSIBLE
        else:
            # The other one may be 1, and so may a symbol be; a number that is not stands.
            given = x if x is not None else y
            result.append(given if given is not None and given.constant is not None else None)
    return result


def _implicit(left: str) -> str:
    letters = left.replace(",", "").replace("...", "")
    return "".join(c for c in sorted(set(letters)) if letters.count(c) == 1)


def _output(
    call: Call, subscripts: str, output: str, sizes: dict[str, Size], broadcast: list[Size] | None, *, dots: bool
) -> tuple[Size, ...] | None:
    before, with_dots, after = output.partition("...")
    if "..." in after or len(set(before + after)) < len(before + after):
        raise call.blame(f'The result of "{subscripts}" has a letter twice', "subscripts")
    missing = sorted(set(before + after) - set(sizes))
    if missing:
        raise call.blame(f'"{missing[0]}" in the result of "{subscripts}" is in no operand', "subscripts")
    if broadcast is None:
        return None
    if broadcast and not with_dots and not dots:
        raise call.blame(f'The result of "{subscripts}" lacks the "..." that the operands have', "subscripts")
    first = [] if dots else [sizes[letter] for letter in before]
    last = [sizes[letter] for letter in (output if dots else after)]
    return (*first, *(broadcast if with_dots or dots else []), *last)


def _dtype(operands: list[Array]) -> Type | None:
    """The dtype of the result: that of the arrays, if it is one of floats and all have the same."""
    dtypes = [get_proper_type(array.dtype) for array in operands if array.dtype is not None]
    floats = all(isinstance(dtype, Instance) and dtype.type.has_base("numpy.floating") for dtype in dtypes)
    return dtypes[0] if dtypes and floats and all(dtype == dtypes[0] for dtype in dtypes) else None


def tensordot(call: Call) -> Result | None:
    """The axes that are not summed over; what is summed over has the same sizes in both."""
    a, b = call.array("a"), call.array("b")
    if a is None or b is None:
        return None
    pairs = _pairs(call, a, b)
    if pairs is None:
        return None
    for i, j in pairs:
        if differ(a.sizes[i], b.sizes[j]):
            raise call.blame(
                f'Argument 2 to "tensordot" is {b}, but argument 1 is {a}: axis {j} of size {b.sizes[j]} is summed '
                f"with axis {i} of size {a.sizes[i]}",
                "b",
            )
    left, right = {i for i, _ in pairs}, {j for _, j in pairs}
    sizes = [size for i, size in enumerate(a.sizes) if i not in left]
    sizes += [size for j, size in enumerate(b.sizes) if j not in right]
    return Array(tuple(sizes), _dtype([a, b]), a.lifted or b.lifted)


def _pairs(call: Call, a: Array, b: Array) -> list[tuple[int, int]] | None:
    count = call.integer("axes", 2)
    if count is not None:
        if not 0 <= count <= min(a.rank, b.rank):
            raise call.blame(f'"tensordot" of {a} and {b}: they do not both have {count} axes', "axes")
        return [(a.rank - count + k, k) for k in range(count)]
    items = call.items("axes")
    if items is None or len(items) != 2:
        return None
    sides: list[list[int]] = []
    for item, array in zip(items, (a, b), strict=True):
        one = call.integer_of(item)
        given = [one] if one is not None else [call.integer_of(each) for each in call.items_of(item) or [item]]
        known = [axis for axis in given if axis is not None]
        if len(known) < len(given) or any(not -array.rank <= axis < array.rank for axis in known):
            return None
        sides.append([axis % array.rank for axis in known])
    return list(zip(*sides, strict=True)) if len(sides[0]) == len(sides[1]) else None
