"""The tape that takes notes: what it says where there is no note, and of operands that were stretched."""

from __future__ import annotations

import dis
import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop import NonFiniteError, scipy
from typedprop.arithmetic import BROADCAST
from typedprop.tape import PASS, SCALE, TIMES
from typedprop.transform.nans import _CheckedTape
from typedprop.transform.run import Inputs
from typedprop.transform.trace import _count
from typedprop.transform.watched import Note, WatchedTape, _name, _operator, frames, parents_of


def test_an_input_has_no_note() -> None:
    tape = WatchedTape(2)
    assert tape.note_of(0) is None
    # Nor has it that of what comes after it; and what was stretched has none before it is used.
    tape.entries += [(SCALE, 0, 2.0), (BROADCAST.code, 2, ((), (3,), np.dtype(np.float64)))]
    assert [tape.note_of(position) for position in range(4)] == [None] * 4
    assert tape.note_of(4) is None
    tape.notes[4] = note = Note("*", (3,), np.dtype(np.float64), ("file", 1, "f"))
    assert math.isnan(note.low) and math.isnan(note.high)
    tape.entries.append((TIMES, 3, np.ones(3)))
    found = [tape.note_of(position) for position in range(5)]
    assert found[:3] == [None] * 3 and [note.name for note in found[3:] if note] == ["broadcast", "*"]
    assert parents_of(()) == ()


def test_an_operation_that_a_lambda_made_is_named_by_its_rules() -> None:
    frame: Any = (lambda: sys._getframe())()
    assert _name(frame) == ""
    assert _name(None) == ""


def test_an_operator_is_named_by_its_symbol() -> None:
    frames_of: dict[str, Any] = {}
    for method in ("__add__", "__rsub__", "__matmul__", "__neg__", "__len__", "_private", "method"):
        namespace: dict[str, Any] = {"sys": sys}
        exec(f"def {method}(): return sys._getframe()", namespace)
        frames_of[method] = namespace[method]()
    assert {method: _name(frame) for method, frame in frames_of.items()} == {
        "__add__": "+",
        "__rsub__": "-",
        "__matmul__": "@",
        "__neg__": "-",
        "__len__": "",
        "_private": "",
        "method": "method",
    }


def test_the_frames_of_what_was_called_and_of_the_user() -> None:
    called, user = frames()
    assert called is None and user is sys._getframe()
    # In the user's place a transformation may call an operation.
    assert [op.name for op in tp.trace(tp.sin, BVar(1.0)).operations] == ["sin"]
    assert [op.name for op in tp.trace(tp.grad(tp.sin), BVar(1.0)).operations] == ["sin", "sin", "*"]
    # Another function of the library's may call the transformation, and is not what was asked for.
    with tp.debug_nans(), np.errstate(all="ignore"), pytest.raises(NonFiniteError, match=r"^log: the result is -inf"):
        scipy.minimize(tp.log, BVar(0.0))


def test_each_operand_is_swept_to() -> None:
    tape = WatchedTape(2)
    tape.entries += [(SCALE, 0, 2.0, SCALE, 1, 3.0)]
    assert [parents_of(entry) for entry in tape.watched()] == [(), (), (0, 1)]
    # What it gives is all new only if each of its rules promises so.
    tape.entries = [(), (), (TIMES, 0, np.ones(2), PASS, 1, None), (TIMES, 0, np.ones(2), TIMES, 1, np.ones(2))]
    assert [entry[2].fresh for entry in tape.watched()[2:]] == [False, True]


def test_an_operation_that_is_an_object_is_named_by_it() -> None:
    class Called:
        def __init__(self) -> None:
            self.__name__ = "hypot"

        def __call__(self) -> Any:
            return sys._getframe()

    assert _name(Called()()) == "hypot"


def test_a_place_without_a_note_is_told_without_a_line() -> None:
    tape = _CheckedTape(Inputs(BVar(1.0), "x"), True)
    with pytest.raises(NonFiniteError, match=r"^in the backward sweep: it is nan$"):
        tape._stop(0, (), "it is nan")
    assert tape.stopped


def test_a_stretched_operand_is_named_by_what_was_stretched() -> None:
    rows = np.full((2, 3), 1e300)

    def loss(v: Any) -> Any:
        return ((v + v) * rows * 1e200).sum()

    with (
        np.errstate(over="ignore"),
        tp.debug_nans(),
        pytest.raises(NonFiniteError, match=r"the cotangent of its operand, \+ R\[3\] in \[4e-300, 4e-300\]") as caught,
    ):
        tp.grad(loss)(BVar(np.full(3, 2e-300)))
    assert "in the backward sweep" in str(caught.value)


def test_the_gradient_by_a_matrix_is_watched_and_unchanged() -> None:
    x = np.array([1.0, 2.0])

    def loss(w: Any) -> Any:
        return (w @ x).sum() + (w @ x)[0]

    at = BVar(np.eye(2))
    with tp.debug_nans():
        watched = tp.grad(loss)(at)
    assert np.array_equal(watched.value, tp.grad(loss)(at).value)
    assert np.array_equal(watched.value, [[2.0, 4.0], [1.0, 2.0]])


def test_forward_mode_is_watched_where_an_operand_has_no_tangent() -> None:
    tape = WatchedTape(2)
    product = tp.grad(lambda x: tp.jvp(lambda y: x * y, BVar(3.0), BVar(1.0))[1])
    with tp.debug_nans():
        assert product(BVar(2.0)).value == 1.0
    entry = (0, 0, 5.0, 0, 1, 7.0)
    assert tape.pushed(2, entry, [None, 2.0]) == 14.0
    assert tape.pushed(2, entry, [3.0, 2.0]) == 29.0
    assert tape.pushed(2, entry, [None, None]) is None


class Keeper:
    """What a rule may remember: an object with a method."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def method(self) -> None:
        pass


def test_bytes_that_a_bound_method_holds_are_counted_where_the_object_is_ours() -> None:
    tape = WatchedTape(1)
    assert _count(tape.check_open, set()) == 0
    assert _count(Keeper(np.ones(3)).method, set()) == 0
    assert _count((np.ones(3), [np.ones(2)], {"a": BVar(np.ones(1))}), set()) == 48


def test_bytes_of_what_a_function_encloses() -> None:
    array = np.ones(4)
    assert _count(lambda: array, set()) == 32
    assert _count(lambda x=array: x, set()) == 32
    assert _count([array, array[1:]], set()) == 32


def test_values_of_other_types_are_not_looked_at() -> None:
    with tp.debug_nans():
        assert tp.grad(lambda x: x * x)(BVar(Fraction(1, 2))).value == 1


def test_an_operator_without_a_frame_is_told_by_the_instruction() -> None:
    """Where the engine is compiled, an operator has no frame, and the user's line says what it is."""

    def steps(x: Any, y: Any) -> tuple[Any, ...]:
        x += y
        return x @ y, -x, x[y], abs(x)

    names = [_operator(steps.__code__, i.offset) for i in dis.get_instructions(steps.__code__)]
    assert [name for name in names if name] == ["+", "@", "-", "[]"]
    assert _operator(steps.__code__, -1) == ""
