"""The sweeps on tapes written by hand: no BVar takes part."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, tp
from typedprop.bvar import record
from typedprop.errors import EscapedBVarError
from typedprop.outer_sum import OuterSum
from typedprop.tape import (
    JOINT,
    PART,
    RULES,
    SCALE,
    Joint,
    Parts,
    Rule,
    SweepError,
    Tape,
    ancestors,
    place_of,
    pull_back,
    push_forward,
)

TIMES = Rule("times", lambda g, d: g * d, lambda t, d: t * d, fresh=True).code
SAME = Rule("same", lambda g, _: g, lambda t, _: t, view=True).code
REVERSED = Rule("reversed", lambda g, _: g[::-1], lambda t, _: t[::-1], view=True).code
# The residual is the very array that the cotangent becomes: neither fresh nor a view of it.
KEPT = Rule("kept", lambda g, kept: kept, lambda t, kept: kept).code
MATRIX_OF_PRODUCT = Rule("w @ x", lambda g, x: OuterSum(g, x), lambda t, x: t @ x, fresh=True).code


def tape_of(inputs: int, *entries: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [(), *[()] * (inputs - 1), *entries]


def test_rules_are_found_by_their_code() -> None:
    assert all(rule.code == position for position, rule in enumerate(RULES))


def test_scalars_backward_and_forward() -> None:
    # y = 3 a, z = 2 y + 5 b
    entries = tape_of(2, (SCALE, 0, 3.0), (SCALE, 2, 2.0, SCALE, 1, 5.0))
    assert push_forward(entries, [1.0, 10.0]) == [1.0, 10.0, 3.0, 56.0]
    assert pull_back(entries, [(3, 1.0)], 2) == [6.0, 5.0]


def test_backward_sweep_uses_up_the_entries() -> None:
    entries = tape_of(1, (SCALE, 0, 3.0), (SCALE, 1, 2.0))
    pull_back(entries, [(2, 1.0)], 1)
    assert len(entries) == 1


def test_the_outputs_own_node_is_seeded() -> None:
    # Node 2 comes after the output and depends on the input too: it must not count.
    entries = tape_of(1, (SCALE, 0, 3.0), (SCALE, 0, 100.0))
    assert pull_back(entries, [(1, 1.0)], 1) == [3.0]


def test_an_input_as_output() -> None:
    seed = np.ones(2)
    [gradient, other] = pull_back(tape_of(2, (TIMES, 0, 5.0)), [(0, seed)], 2)
    assert np.array_equal(gradient, seed) and other is None
    assert not np.shares_memory(gradient, seed)


def test_several_outputs_and_the_same_one_twice() -> None:
    entries = tape_of(1, (SCALE, 0, 3.0), (SCALE, 1, 2.0))
    assert pull_back(entries, [(2, 1.0), (1, 10.0), (2, 100.0)], 1) == [101 * 6.0 + 30.0]


def test_what_does_not_depend_is_none() -> None:
    entries = tape_of(2, (SCALE, 0, 3.0))
    assert pull_back(list(entries), [(2, 1.0)], 2) == [3.0, None]
    assert pull_back(list(entries), [], 2) == [None, None]
    assert push_forward(entries, [None, 1.0]) == [None, 1.0, None]


def test_a_zero_cotangent_is_not_pulled() -> None:
    def refuse(g: Any, _: Any) -> Any:
        raise AssertionError("pulled")

    refusing = Rule("refusing", refuse, refuse).code
    entries = tape_of(1, (refusing, 0, None), (SCALE, 0, 2.0))
    assert pull_back(entries, [(2, 1.0)], 1) == [2.0]


def test_a_tangent_that_no_output_depends_on_is_not_pushed() -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("pushed")

    refusing = Rule("refusing", refuse, refuse).code
    joint = Joint("refusing too", lambda g: [g], refuse)
    # Node 4 depends on 1 and 3, and 3 on 0; nobody on 2 and 5.
    entries = tape_of(2, (refusing, 0, None), (SCALE, 0, 2.0), (SCALE, 3, 5.0, SCALE, 1, 7.0), (JOINT, (4,), joint))
    assert push_forward(entries, [1.0, 10.0], ancestors(entries, [4, None])) == [1.0, 10.0, None, 2.0, 80.0, None]
    with pytest.raises(SweepError, match="refusing too"):
        push_forward(entries, [1.0, 10.0], ancestors(entries, [4, 5]))


def test_contributions_add_up_and_nothing_given_is_written_to() -> None:
    seed, kept = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    before = seed.copy(), kept.copy()
    # Both parents of the last entry get the same cotangent, and each gets more later.
    entries = tape_of(
        2,
        (KEPT, 0, kept),
        (TIMES, 0, 3.0),
        (SAME, 0, None),
        (SAME, 1, None),
        (SAME, 4, None, SAME, 5, None),
        (SAME, 2, None, SAME, 6, None, SAME, 3, None),
    )
    first, second = pull_back(entries, [(7, seed)], 2)
    assert np.array_equal(first, seed + 3 * seed + kept)
    assert np.array_equal(second, seed)
    assert np.array_equal(seed, before[0]) and np.array_equal(kept, before[1])
    for left, right in ((first, second), (first, seed), (first, kept), (second, seed)):
        assert not np.shares_memory(left, right)


@pytest.mark.parametrize("view", [SAME, REVERSED])
def test_a_view_of_a_given_array_is_copied_at_the_end(view: int) -> None:
    seed = np.array([1.0, 2.0])
    [gradient] = pull_back(tape_of(1, (view, 0, None), (view, 1, None)), [(2, seed)], 1)
    assert np.array_equal(gradient, seed)
    assert not np.shares_memory(gradient, seed)


def test_a_view_of_a_buffer_of_the_sweeps_own_is_added_into() -> None:
    seed = np.array([1.0, 2.0])
    entries = tape_of(1, (TIMES, 0, 7.0), (REVERSED, 0, None), (TIMES, 2, 2.0), (SAME, 1, None, SAME, 3, None))
    [gradient] = pull_back(entries, [(4, seed)], 1)
    assert np.array_equal(gradient, 2 * seed[::-1] + 7 * seed)
    assert np.array_equal(seed, [1.0, 2.0])


@pytest.mark.parametrize("sort", ["rule", "joint rule"])
def test_what_a_rule_gives_without_a_promise_is_not_added_into(sort: str) -> None:
    """It may be what the rule keeps, though the cotangent that it was given is the sweep's own."""
    seed, kept = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    entry: tuple[Any, ...] = (Rule("kept", lambda g, _: kept, lambda t, _: kept).code, 0, None)
    if sort == "joint rule":
        entry = (JOINT, (0,), Joint("kept", lambda g: [kept], lambda tangents: kept))
    entries = tape_of(1, (TIMES, 0, 7.0), entry, (TIMES, 2, 2.0), (SAME, 1, None, SAME, 3, None))
    [gradient] = pull_back(entries, [(4, seed)], 1)
    assert np.array_equal(gradient, 7 * seed + [10.0, 20.0])
    assert np.array_equal(kept, [10.0, 20.0])


def test_float32_stays() -> None:
    seed = np.ones(2, np.float32)
    [gradient] = pull_back(tape_of(1, (TIMES, 0, 3.0), (SAME, 0, None, SAME, 1, None)), [(2, seed)], 1)
    assert gradient.dtype == np.float32
    assert np.array_equal(gradient, [4.0, 4.0])


# -- Outer products, joint entries, several results ------------------------------------------------------------------


@pytest.mark.parametrize("order", ["dense first", "dense last", "dense between"])
def test_outer_products_beside_a_dense_cotangent(order: str) -> None:
    rng = np.random.default_rng(0)
    x, y, g, h, dense = rng.random(3), rng.random(3), rng.random(2), rng.random(2), rng.random((2, 3))
    products = [(MATRIX_OF_PRODUCT, 0, x), (MATRIX_OF_PRODUCT, 0, y)]
    # The sweep meets the entries from the last to the first.
    entries: list[tuple[Any, ...]] = {
        "dense first": [*products, (TIMES, 0, 2.0)],
        "dense last": [(TIMES, 0, 2.0), *products],
        "dense between": [products[0], (TIMES, 0, 2.0), products[1]],
    }[order]
    cotangents = iter((g, h))
    seeds = [(k, dense if entry[0] == TIMES else next(cotangents)) for k, entry in enumerate(entries, start=1)]
    [gradient] = pull_back(tape_of(1, *entries), seeds, 1)
    np.testing.assert_allclose(gradient, np.outer(g, x) + np.outer(h, y) + 2 * dense, rtol=1e-14)


def test_an_outer_product_is_formed_for_other_rules() -> None:
    rng = np.random.default_rng(0)
    x, g = rng.random(3), rng.random(2)
    seen = []

    def pull(cotangent: Any) -> list[Any]:
        seen.append(type(cotangent))
        return [2 * cotangent]

    joint = Joint("twice", pull, lambda tangents: 2 * tangents[0])
    for entry in ((TIMES, 0, 2.0), (JOINT, (0,), joint), (TIMES, 0, 1.0, SAME, 0, None)):
        [gradient] = pull_back(tape_of(1, entry, (MATRIX_OF_PRODUCT, 1, x)), [(2, g)], 1)
        np.testing.assert_allclose(gradient, 2 * np.outer(g, x), rtol=1e-15)
    assert seen == [np.ndarray]


def test_a_joint_entry() -> None:
    # z = 2 a + 5 c; b gets no cotangent.
    joint = Joint(
        "joint",
        lambda g: [2 * g, None, 5 * g],
        lambda tangents: sum(d * t for d, t in zip((2.0, 0.0, 5.0), tangents, strict=True) if t is not None),
    )
    entries = tape_of(3, (JOINT, (0, 1, 2), joint))
    assert push_forward(entries, [1.0, None, 10.0]) == [1.0, None, 10.0, 52.0]
    assert push_forward(entries, [None, None, None]) == [None] * 4
    assert pull_back(entries, [(3, 1.0)], 3) == [2.0, None, 5.0]


def test_several_results() -> None:
    def pull(parts: Parts) -> list[Any]:
        return [sum((10.0**position) * g for position, g in parts.parts.items())]

    joint = Joint("powers of ten", pull, lambda tangents: [tangents[0] * 10.0**k for k in range(3)])
    entries = tape_of(1, (JOINT, (0,), joint), (PART, 1, 0), (PART, 1, 1), (PART, 1, 2), (PART, 1, 2))
    assert push_forward(entries, [2.0])[2:] == [2.0, 20.0, 200.0, 200.0]
    # The second result is not used; the third is taken out twice.
    assert pull_back(entries, [(2, 1.0), (4, 3.0), (5, 4.0)], 1) == [1.0 + 700.0]


# -- Errors, the tape itself -----------------------------------------------------------------------------------------


def test_a_failing_rule_is_named() -> None:
    def fail(g: Any, _: Any) -> Any:
        raise ValueError("no such thing")

    failing = Rule("failing op", fail, fail).code
    entries = tape_of(1, (SAME, 0, None), (SAME, 1, None, failing, 1, None), (SAME, 2, None))
    with pytest.raises(SweepError, match=r"cotangent of shape \(2, 3\) back through same and failing op") as caught:
        pull_back(entries, [(3, np.ones((2, 3)))], 1)
    assert caught.value.node == 2
    assert str(caught.value.error) == "no such thing"


def test_a_rule_that_fails_forward_is_named() -> None:
    failing = Rule("failing op", lambda g, _: g, lambda t, _: t.no_such_attribute).code
    with pytest.raises(SweepError, match="in forward mode, pushing the tangents through failing op") as caught:
        push_forward(tape_of(1, (SAME, 0, None), (failing, 1, None)), [np.ones(2)])
    assert caught.value.node == 2
    assert isinstance(caught.value.error, AttributeError)


def test_an_error_from_outside_before_the_first_rule() -> None:
    """Such as a signal's handler raises: it is no rule's, and comes through as it is."""

    class Interrupted(list[Any]):
        def pop(self, *_: Any) -> Any:
            raise TimeoutError("from a signal")

    class InterruptedForward(list[Any]):
        def __len__(self) -> int:
            raise TimeoutError("from a signal")

    with pytest.raises(TimeoutError, match="from a signal"):
        pull_back(Interrupted(tape_of(1, (SAME, 0, None))), [(1, 1.0)], 1)
    with pytest.raises(TimeoutError, match="from a signal"):
        push_forward(InterruptedForward(tape_of(1, (SAME, 0, None))), [1.0])


def test_a_failing_joint_rule_is_named() -> None:
    joint = Joint("failing joint", lambda g: g.no_such_attribute, lambda tangents: None)
    with pytest.raises(SweepError, match=r"cotangent of shape \(\) back through failing joint"):
        pull_back(tape_of(1, (JOINT, (0,), joint)), [(1, 1.0)], 1)


class Raced(list[Any]):
    """Entries on which another thread records something whenever this one does, just before."""

    def append(self, entry: Any) -> None:
        super().append((RULES[0].code, 0, 1.0))
        super().append((RULES[0].code, 0, 1.0))
        super().append(entry)


def test_a_function_that_computes_in_several_threads() -> None:
    """Each result has its own entry, whoever was faster."""
    vector = np.arange(3.0)
    for f, at, wanted in (
        (lambda x: 3.0 * (x * 2.0 + 1.0) * x, 5.0, 63.0),
        (lambda x: (x * 2.0 + x + vector).sum(), vector, np.full(3, 3.0)),
        (lambda x: tp.outer(x, x)[0] @ (tp.outer(x, x) * x)[1], vector, None),
    ):
        expected = tp.grad(f)(at)

        def raced(x: Any, f: Any = f) -> Any:
            x._tape.entries = Raced(x._tape.entries)
            return f(x)

        np.testing.assert_array_equal(tp.grad(raced)(at), expected)
        if wanted is not None:
            np.testing.assert_array_equal(expected, wanted)


def test_the_entry_of_a_result_is_looked_for_where_another_thread_was_faster() -> None:
    tape = Tape(1)
    tape.entries = Raced(tape.entries)
    assert record(tape, 6.0, (SCALE, 0, 2.0))._node == 3


def test_an_entry_is_told_by_identity() -> None:
    # Equal, and made one by one, or Python would make a single constant of them.
    entries = tape_of(1, *(tuple([SCALE, 0, 1.0]) for _ in range(3)))
    assert [place_of(entries, entry, 1) for entry in entries[1:]] == [1, 2, 3]


def test_a_thread_that_outlives_its_function() -> None:
    """It recorded on a tape that a sweep is using up."""
    entries = tape_of(1)

    def late(g: Any, _: Any) -> Any:
        entries.append((code, 0, None))
        return g

    code = Rule("late", late, lambda t, _: t).code
    entries += [(code, position, None) for position in range(3)]
    with pytest.raises(RuntimeError, match="Let the function wait for the threads that it starts"):
        pull_back(entries, [(3, 1.0)], 1)


def test_tapes_are_ordered_by_birth() -> None:
    first, second = Tape(1), Tape(3)
    assert first.birth < second.birth
    assert len(first.entries) == 1 and len(second.entries) == 3


def test_a_closed_tape_says_what_to_do() -> None:
    tape = Tape(1)
    tape.check_open()
    tape.open = False
    with pytest.raises(EscapedBVarError, match=r"after the gradient that it belongs to had ended.*BVar\(b\.value\)"):
        tape.check_open()


def test_the_collector_does_not_track_entries() -> None:
    recorded: list[Any] = []

    def f(x: Any) -> Any:
        w = BVar(np.ones((3, 3)))
        y = tp.exp(w @ x) * x + 1.0
        z = (y.sum() * 2.0 - 1.0) / 3.0
        recorded.extend(x._tape.entries[1:])
        return z

    tp.grad(f)(BVar(np.ones(3)))
    assert len(recorded) > 6
    for _ in range(3):
        gc.collect()  # a tuple is let go after the tuples inside it
    assert not [entry for entry in recorded if gc.is_tracked(entry)]


def test_a_joint_entry_is_never_taken_for_a_rule() -> None:
    for direction in (RULES[JOINT].pull, RULES[JOINT].push):
        with pytest.raises(AssertionError, match="a joint entry is handled by the sweeps themselves"):
            direction(1.0, None)
