"""Every public function and class has a line that says its exact type, and a line of a mistake that is refused."""

from __future__ import annotations

import ast

import pytest

from tests.typing.mentions import accepted, exported, heads, imports, refused, resolved
from tests.typing.public import MODULES

RAISED = "is raised by functions that have lines of their own; an exception takes any arguments"

EXCEPTIONS = dict.fromkeys(
    [
        *(
            "CorruptFileError",
            "DTypeError",
            "EscapedBVarError",
            "LinAlgError",
            "NonFiniteError",
            "NotDifferentiableError",
        ),
        *("NotSentError", "ShapeError", "StructureError", "WorkerLostError"),
    ],
    RAISED,
)
"""What needs no lines, with the reason."""

ACCEPTED, REFUSED = accepted(), refused()


@pytest.mark.parametrize("module", MODULES)
def test_everything_exported_has_a_line_of_each_kind(module: str) -> None:
    wanted = {name: value for name, value in exported(module).items() if name not in EXCEPTIONS}
    without = [name for name, value in wanted.items() if id(value) not in ACCEPTED]
    assert not without, f"{module}: no accept_*.py says the type of {', '.join(without)}"
    without = [name for name, value in wanted.items() if id(value) not in REFUSED]
    assert not without, f"{module}: no line of a reject_*.py is a mistake with {', '.join(without)}"


def test_only_exceptions_are_excepted() -> None:
    every = {name: value for module in MODULES for name, value in exported(module).items()}
    for name in EXCEPTIONS:
        value = every[name]
        assert isinstance(value, type) and issubclass(value, Exception), name


def test_lines_are_read() -> None:
    tree = ast.parse(
        """
import typedprop as tp
from typedprop import linalg as la, special
from typedprop.ops.joining import stack

tp.grad(loss)(net, tp.ones(n))
la.inv(w) @ stack([x]) + tp.linalg.det(a)[0]
y: tp.BVar[tp.R[N]] = special.softmax(tp.exp(x))
with tp.debug_nans():
    pass
"""
    )
    bound = imports(tree)
    names = [
        {ast.unparse(head) for head in heads(statement) if resolved(head, bound) is not None} for statement in tree.body
    ]
    assert names[3:] == [
        {"tp.grad", "tp"},
        {"la.inv", "la", "stack", "tp.linalg.det", "tp.linalg", "tp"},
        {"tp.BVar", "tp.R", "tp", "special.softmax", "special"},
        {"tp.debug_nans", "tp"},
    ]
