"""How much a piece of Python does, counted: the same on a busy machine as on a quiet one, unlike seconds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(f: Callable[[], object]) -> int:
    """How many lines and calls of Python `f` takes, one for each time that a loop comes round."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        f()
    finally:
        sys.settrace(before)
    return count


def calls(f: Callable[[], object]) -> int:
    """How many functions `f` calls, Python's and C's."""
    count = 0

    def each(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    # A collection calls whoever wants to be told of it.
    gc.disable()
    sys.setprofile(each)
    try:
        f()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def calls_of(f: Callable[[], object], function: Any) -> int:
    """How often `f` calls `function`, one of C's, such as `np.zeros`."""
    count = 0

    def each(_frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call" and argument is function

    before = sys.getprofile()
    sys.setprofile(each)
    try:
        f()
    finally:
        sys.setprofile(before)
    return count
