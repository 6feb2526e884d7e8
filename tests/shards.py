"""Losses and shards for the tests of `typedprop.parallel`: a module that worker processes can import."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np

import typedprop as tp
from typedprop import BVar, L, R, Record

Array = np.ndarray[Any, Any]


@attrs.frozen
class Line(Record):
    slope: BVar[R[Any]]
    shift: BVar[float]
    name: str = "line"


def line() -> Line:
    return Line(BVar(tp.vector(np.linspace(-1.0, 1.0, 5))), BVar(0.3))


def loss(at: Line, x: L[Any, Any], y: R[Any]) -> BVar[float]:
    error = tp.tanh(x @ at.slope + at.shift) - y
    return (error * error).sum()


def make_shards(count: int, rows: int = 3) -> list[tuple[Any, Any]]:
    """Numbers of about one size, whose sums in another order have other bits."""
    rng = np.random.default_rng(count)
    return [(rng.normal(size=(rows, 5)), rng.normal(size=rows)) for _ in range(count)]


def slow_loss(at: Line, x: L[Any, Any], y: R[Any], seconds: float) -> BVar[float]:
    time.sleep(seconds)
    return loss(at, x, y)


def loss_that_kills_once(at: Line, x: L[Any, Any], y: R[Any], mark: str) -> BVar[float]:
    """Whoever comes first where a mark is named leaves it there, and dies; the sleep lets others be in flight."""
    if mark and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return loss(at, x, y)


def deadly_loss(at: Line, x: L[Any, Any], y: R[Any]) -> BVar[float]:
    os.kill(os.getpid(), signal.SIGKILL)
    return loss(at, x, y)


def loss_that_raises(at: Line, x: L[Any, Any], y: R[Any], error: str) -> BVar[float]:
    if error == "plain":
        raise ZeroDivisionError("mine")
    if error == "unpicklable":
        raise StubbornError(threading.Lock())
    if error == "worker's own":
        raise OSError(7, "no such thing")
    return loss(at, x, y)


class StubbornError(Exception):
    """Holds what cannot be pickled."""


def process_of(at: Line, x: L[Any, Any], y: R[Any], folder: str) -> BVar[float]:
    """Leaves a file with its process in a folder."""
    Path(folder, str(os.getpid())).touch()
    return loss(at, x, y)


def vector_loss(at: Line, x: L[Any, Any], y: R[Any]) -> BVar[R[Any]]:
    return x @ at.slope - y


def scaled(at: Any, factor: float) -> Any:
    return factor * ((at["x"] * at["x"]).sum() + at["y"][0] ** 2)
