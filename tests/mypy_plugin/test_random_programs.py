"""Random programs of typed operations: the sizes that the plugin derives are the sizes that come out.

A program is drawn step by step and run as it grows, so that each step is legal: an operation is applied to values that
are there, or left out if run time refuses it. mypy then reveals the type of every value at once. A size that mypy gives
is held against the array's, one that it leaves open (`Any`) fits. With the sizes as Dims and type variables in the
places of the numbers, sums and products are calculated from what these stand for. Those are 2 or more: of an array of
unknown size beside one of size M the signatures say M, which would be wrong if M were 1 and NumPy stretched it.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import typedprop as tp
from tests.mypy_plugin.checking import Daemon
from typedprop import BVar, Dim

pytestmark = pytest.mark.xdist_group("mypy_plugin")

HEAD = """\
from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Tensor3, Tensor4

K = TypeVar("K", bound=int)
P = TypeVar("P", bound=int)


class Rows(Dim): ...
class Columns(Dim): ...


m, n = Rows({m}), Columns({n})


def program(k: K, p: P) -> None:
    rng = np.random.default_rng(0)
"""

# Sizes that a program declares, or does not know: `?` is a type that fits the value.
DECLARED = (
    "cast('?', {0})",
    *(
        text.format(x, y)
        for x in ("{0}", "BVar({0})")
        for y in ("{0}", "BVar({0})")
        for text in (
            "cast('?', {0}) * cast('?', {1})",
            "cast('?', {0}[:1]) + cast('?', {1})",
            "cast('?', {0}) / cast('?', {1}[:, :1])",
            "tp.maximum(cast('?', {0}[..., :1]), cast('?', {1}))",
            "tp.where(True, cast('?', {0}), cast('?', {1}[:1]))",
        )
    ),
)
# What makes a value from no other: of numbers, Dims and type variables.
SIZES = ("1", "2", "3", "4", "6", "m", "n", "k", "p", "m + 1", "2 * n", "k + p", "m * 2")
# Each `{}` is a value; `#` is a small number, `@` an axis.
ONE = (
    "tp.tail({})",
    "tp.append({}, 1.0)",
    "tp.ravel({})",
    "tp.split({}, #, @)[0]",
    "tp.split_rows({}, #)[1]",
    "tp.split_cols({}, #)[0]",
    "{}[#:]",
    "{}[:#]",
    "{}[-#:]",
    "{}[:-#]",
    "{}[::-1]",
    "{}[#::#]",
    "{}[#:, #:]",
    "{}[:, ::2]",
    "{}[0, 1:]",
    "{}[..., :#]",
    "{}[None, 1:]",
    "{}[:m]",
    "{}[n:]",
    "tp.reshape({}, (-1,))",
    "tp.reshape({}, (#, -1))",
    "tp.reshape({}, (-1, n))",
    "tp.reshape({}, (#, #))",
    "tp.transpose({}, (1, 0))",
    "tp.transpose({}, (0, 2, 1))",
    "tp.swapaxes({}, 0, -1)",
    "tp.moveaxis({}, 0, -1)",
    "tp.expand_dims({}, @)",
    "tp.squeeze({}, @)",
    "tp.diff({})",
    "tp.tile({}, #)",
    "tp.tile({}, (#, 2))",
    "tp.repeat({}, #)",
    "tp.repeat({}, #, axis=@)",
    "tp.pad({}, #)",
    "tp.pad({}, (1, #))",
    "tp.pad({}, ((#, 0), (1, #)))",
    "tp.take({}, [0, 1, 0])",
    "tp.take({}, [0, 1, 0], axis=@)",
    "tp.diag({}, #)",
    "tp.take_diag({}, #)",
    "tp.take_diag({})",
    "tp.cumsum({})",
    "tp.broadcast_to({}, (#, n))",
    "tp.flip({})",
    "tp.einsum('ij->ji', {})",
    "tp.einsum('ij->j', {})",
    "tp.einsum('ijk', {})",
    "tp.einsum('...i->i...', {})",
    "tp.avg_pool1d({}, #)",
    "tp.max_pool1d({}, 2, #)",
    "tp.max_pool2d({}, (2, #), stride=#)",
    "tp.linalg.qr({})[0]",
    "tp.linalg.svdvals({})",
    "{}.T",
    "BVar({})",
    "{}.value",
    *DECLARED,
)
TWO = (
    "tp.concatenate(({}, {}))",
    "tp.concatenate([{}, {}], axis=@)",
    "tp.stack([{}, {}], axis=@)",
    "tp.vstack(({}, {}))",
    "tp.hstack(({}, {}))",
    "tp.append({}, {})",
    "tp.from_rows([{}, {}])",
    "tp.kron({}, {})",
    "tp.outer({}, {})",
    "tp.matmul({}, {})",
    "tp.convolve({}, {})",
    "tp.convolve({}, {}, mode='same')",
    "tp.convolve({}, {}, mode='valid')",
    "tp.conv1d({}, {}, padding=#)",
    "tp.conv1d({}, {}, stride=#, dilation=#)",
    "tp.conv1d({}, {}, stride=#, padding='same')",
    "tp.conv2d({}, {}, stride=(1, #), padding=((1, #), (0, #)))",
    "tp.einsum('ij,jk', {}, {})",
    "tp.einsum('i,j->ji', {}, {})",
    "tp.einsum('...i,i', {}, {})",
    "tp.einsum('...,...', {}, {})",
    "tp.tensordot({}, {}, axes=1)",
    "tp.tensordot({}, {}, axes=([0], [0]))",
    "tp.maximum({}, {})",
    "{} + {}",
    "{} * {}",
    "{} / {}",
)
SYMBOLS = {"Rows": "m", "Columns": "n", "K": "k", "P": "p"}


class Step(NamedTuple):
    """A draw, from which a statement is made once it is known which values there are."""

    kind: int
    template: int
    operands: tuple[int, int]
    numbers: tuple[int, ...]
    sizes: tuple[int, ...]
    rank: int


steps = st.builds(
    Step,
    st.integers(0, 9),
    st.integers(0, 10**6),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    st.tuples(*[st.integers(0, 3)] * 4),
    st.tuples(*[st.integers(0, len(SIZES) - 1)] * 4),
    st.integers(1, 4),
)


def statement(step: Step, names: list[str], one: tuple[str, ...] = ONE) -> str:
    """The expression that a step adds."""
    if step.kind < 3 or not names:
        sizes = [SIZES[index] for index in step.sizes[: step.rank]]
        return f"tp.zeros({', '.join(sizes)})"
    templates = one if step.kind < 7 else TWO
    text = templates[step.template % len(templates)]
    # More often than not the newest, so that programs become deep.
    chosen = [names[-1] if pick % 2 else names[pick % len(names)] for pick in step.operands]
    text = text.format(*chosen)
    numbers = list(step.numbers)
    for mark, lowest in (("@", 0), ("#", 1)):
        while mark in text:
            text = text.replace(mark, str(max(numbers.pop(0) if numbers else 2, lowest)), 1)
    return text


def declared(value: Any, choices: Iterator[int], m: int, n: int) -> str:
    """A type that a program may declare for a value: each size as it is, or not known."""
    names = {1: "Literal[1]", int(m): "Rows", int(n): "Columns"}
    sizes = ", ".join(names.get(size, "Any") if next(choices) % 2 else "Any" for size in value.shape)
    array = f"{('R', 'L', 'Tensor3', 'Tensor4')[value.ndim - 1]}[{sizes}]"
    return f"BVar[{array}]" if isinstance(value, BVar) else array


def with_types(text: str, scope: dict[str, Any], choices: tuple[int, ...]) -> str:
    """The expression with a type for each `?` that its value has: of it a program knows what it declares."""
    if "?" not in text:
        return text
    tree, numbers = ast.parse(text, mode="eval"), itertools.cycle(choices)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            value = eval(ast.unparse(node.args[1]), scope)
            node.args[0] = ast.Constant(declared(value, numbers, scope["m"], scope["n"]))
    return ast.unparse(tree)


def grown(drawn: list[Step], known: dict[str, int], one: tuple[str, ...] = ONE) -> list[tuple[str, str, Any]]:
    """The statements that run, each with its name and value."""
    scope: dict[str, Any] = {"tp": tp, "BVar": BVar, "np": np, "cast": cast, **known}
    found: list[tuple[str, str, Any]] = []
    for step in drawn:
        text = statement(step, [name for name, _, _ in found], one)
        try:
            with np.errstate(all="ignore"):
                text = with_types(text, scope, (*step.numbers, *step.sizes, step.rank))
                value = eval(text, scope)
        except Exception:  # run time refuses it: what it raises for bad input is tested elsewhere
            continue
        if isinstance(value, np.ndarray | BVar) and 0 < value.ndim <= 4 and value.size < 5_000:
            name = f"v{len(found)}"
            scope[name] = value
            found.append((name, text, value))
    return found


REVEALED = re.compile(r'Revealed type is "(?P<type>.*)"')


def sizes_of(revealed: str) -> list[str] | None:
    """The sizes of a revealed type; None if it is not the type of an array."""
    text = re.sub(r"\b(?:typedprop|numpy|program|builtins)(?:\.\w+)*\.(?=\w)", "", revealed)
    text = re.sub(r"\b(K|P)`-?\d+", r"\1", text)
    lifted = re.fullmatch(r"BVar\[(.*)\]", text)
    found = re.fullmatch(r"(?:R|L|Tensor3|Tensor4)\[(.*)\]", lifted[1] if lifted else text)
    if found is None:
        return None
    parts: list[str] = []
    depth, last = 0, ""
    for character in found[1] + ",":
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            parts.append(last.strip())
            last = ""
        else:
            last += character
    return parts


def value_of(size: str, known: dict[str, int]) -> int | None:
    """The number that a revealed size stands for; None for one that is open."""
    if "Any" in size or size == "int" or size == "Dim":
        return None
    text = re.sub(r"Literal\[(-?\d+)\]", r"\1", size)
    scope: dict[str, object] = {name: known[variable] for name, variable in SYMBOLS.items()}
    scope |= {"Add": _Sum(), "Mul": _Product()}
    return int(eval(text, scope))


class _Sum:
    def __getitem__(self, operands: tuple[int, int]) -> int:
        return operands[0] + operands[1]


class _Product:
    def __getitem__(self, operands: tuple[int, int]) -> int:
        return operands[0] * operands[1]


def compared(daemon: Daemon, drawn: list[Step], at: tuple[int, ...], seen: Counter[str]) -> None:
    """One program: each size that mypy gives is that of the value."""
    known = dict(zip("mnkp", at, strict=True))
    program = grown(drawn, {"m": Dim(at[0]), "n": Dim(at[1]), "k": at[2], "p": at[3]})
    lines = [f"    {name} = {text}; reveal_type({name})" for name, text, _ in program]
    source = HEAD.format(m=at[0], n=at[1]) + "\n".join(lines) + "\n    return None\n"
    told: dict[int, list[str]] = {}
    for message in daemon.check(source):
        told.setdefault(message.line, []).append(message.text)
    unknown = set[str]()
    for number, (name, text, value) in enumerate(program, len(HEAD.splitlines()) + 1):
        said = told.get(number, [])
        types = [found["type"] for line in said if (found := REVEALED.fullmatch(line))]
        # mypy may refuse what runs: R[Rows] and R[3] do not go together, even if there are 3 rows.
        if len(said) > len(types) or not types:
            seen["refused"] += 1
            continue
        revealed = sizes_of(types[0])
        # From a BVar[Any] the signatures may conclude a rank that it does not have.
        if revealed is None or unknown & set(re.findall(r"\bv\d+\b", text)):
            unknown.add(name)
            seen["of no known rank"] += 1
            continue
        assert len(revealed) - 1 == value.ndim, f"{name} = {text}: {types[0]}, but {value.shape}"
        for size, wanted in zip(revealed, value.shape, strict=False):
            number_of = value_of(size, known)
            assert number_of in (None, wanted), f"{name} = {text}: {types[0]}, but {value.shape} with {known}\n{source}"
            kind = "calculated" if size.startswith(("Add", "Mul")) else "known"
            seen["open" if number_of is None else kind] += 1


def test_the_sizes_that_the_types_promise_come_out(with_plugin: Daemon) -> None:
    seen = Counter[str]()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.lists(steps, min_size=30, max_size=60), st.tuples(*[st.integers(2, 5)] * 4))
    def run(drawn: list[Step], at: tuple[int, int, int, int]) -> None:
        compared(with_plugin, drawn, at, seen)

    run()
    # Most sizes are known, and many of them are sums and products.
    assert seen["known"] > 300, seen
    assert seen["calculated"] > 50, seen
    assert seen["open"] < seen["known"] + seen["calculated"], seen
