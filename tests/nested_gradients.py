"""Nested gradients that depend on a number, for test_concurrency.py: whoever mixes them up gets another result.

A module of its own, for other processes import it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import attrs
import numpy as np

from tests.untyped import tp
from typedprop import BVar, Local1, Record


@attrs.frozen
class Net(Record):
    w: BVar[Any]
    b: BVar[Any]
    scale: BVar[float]
    name: str = "net"


def net_of(k: float) -> Net:
    return Net(BVar(np.arange(6.0).reshape(2, 3) * 0.1 * k), BVar(np.array([0.5, -k])), BVar(k), name=f"net {k}")


X = np.array([1.0, -0.5, 0.25])


@tp.op  # type: ignore[untyped-decorator]  # untyped on purpose
def cube(x: Any) -> Any:
    return Local1(x**3, lambda g: 3.0 * g * x * x).push(lambda t: 3.0 * t * x * x)


def scalars(k: float) -> Any:
    """Three levels."""

    def f(x: Any) -> Any:
        return x * tp.grad(lambda y: y * y * tp.grad(lambda z: tp.exp(z * 0.1) * x * z)(y) * k)(x + 1.0)

    return tp.value_and_grad(f)(BVar(0.5))


def penalty(k: float) -> Any:
    """Of a record, by a loss with a gradient in it."""

    def loss(net: Any) -> Any:
        return (tp.tanh(net.w @ X + net.b) ** 2).sum() * net.scale

    def penalized(net: Any) -> Any:
        g = tp.grad(loss)(net)
        return loss(net) + (g.w * g.w).sum() * net.scale + g.b @ net.b

    return tp.grad(penalized)(net_of(k))


def mixed_modes(k: float) -> Any:
    """Forward over reverse, reverse over forward, and a Hessian."""

    def f(x: Any) -> Any:
        return (tp.sin(x * k) * x).sum() + tp.logsumexp(x) * x[0]

    x, v = BVar(X), BVar(X * k)
    return tp.hvp(f, x, v), tp.grad(lambda y: tp.jvp(f, y, v)[1])(x), tp.hessian(f)(x)


def own_and_again(k: float) -> Any:
    """Primitives of the user's, with functions that run again in the sweep."""

    def f(x: Any) -> Any:
        return (tp.checkpoint(lambda y: cube(y * k) * y)(x) @ tp.grad(lambda y: (y * y * k).sum())(x)).sum()

    _, pullback = tp.vjp(f, BVar(X))
    return pullback(BVar(1.0)), pullback(BVar(k)), tp.grad(f)(BVar(X))


PROGRAMS: list[Callable[[float], Any]] = [scalars, penalty, mixed_modes, own_and_again]
NUMBERS = [0.25 + 0.125 * k for k in range(8)]


def bits(tree: Any) -> tuple[Any, ...]:
    """Everything of a result: its class, its static fields, and each bit of its numbers."""
    names = getattr(tree, "name", None)
    return (type(tree).__name__, names, *(np.asarray(leaf.value).tobytes() for leaf in tp.tree.leaves(tree)))


def gradient(task: int, turn: int) -> tuple[Any, ...]:
    """What a task computes in its turn."""
    return bits(PROGRAMS[turn % len(PROGRAMS)](NUMBERS[(task + turn // len(PROGRAMS)) % len(NUMBERS)]))


@cache
def wanted(program: int, number: int) -> tuple[Any, ...]:
    return bits(PROGRAMS[program](NUMBERS[number]))


def right(found: tuple[Any, ...], task: int, turn: int) -> bool:
    """Whether it is what the same gradient gave when nothing else ran."""
    return found == wanted(turn % len(PROGRAMS), (task + turn // len(PROGRAMS)) % len(NUMBERS))


def prepare() -> None:
    """Compute all that is wanted, one after the other."""
    for program in range(len(PROGRAMS)):
        for number in range(len(NUMBERS)):
            wanted(program, number)


def work(task: int, turns: int) -> tuple[int, list[str]]:
    """So many gradients of one task: how many were right, and what was wrong with the others."""
    wrong = []
    for turn in range(turns):
        try:
            if not right(gradient(task, turn), task, turn):
                wrong.append(f"{PROGRAMS[turn % len(PROGRAMS)].__name__} of task {task} in turn {turn}")
        except Exception as error:
            wrong.append(f"{PROGRAMS[turn % len(PROGRAMS)].__name__} of task {task} in turn {turn}: {error!r}")
    return turns - len(wrong), wrong


def work_alone(task: int, turns: int) -> tuple[int, list[str]]:
    """`work` in a process of its own, which first computes what is wanted."""
    prepare()
    return work(task, turns)
