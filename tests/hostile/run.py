"""Passing every hostile value to every way in: what is right, what is refused, and what is neither."""

from __future__ import annotations

import contextlib
import re
import traceback
import warnings
from pathlib import Path
from typing import Any

import attrs
import numpy as np

import typedprop
from tests.hostile.values import Hostile
from tests.hostile.ways import Way
from tests.untyped import BVar
from typedprop.arithmetic import describe

PACKAGE = Path(typedprop.__file__).parent
ERRORS = (TypeError, ValueError, IndexError, OverflowError)


@attrs.frozen
class Outcome:
    """`right`, the name of the error that refused it, or `WRONG` with what is wrong about it."""

    kind: str
    message: str = ""


def companion(ordinary: Any) -> Any:
    """An ordinary value like another one, for what else a way in takes; a vector where there is nothing to be like."""
    if ordinary is None:
        return np.array([0.75, 1.25, 1.5])
    if not np.shape(ordinary):
        return 0.75
    return np.linspace(0.75, 1.5, ordinary.size, dtype=ordinary.dtype).reshape(ordinary.shape)


def outcome(hostile: Hostile, way: Way) -> Outcome:
    """What comes of passing the one to the other."""
    value = hostile.make()
    before = value.tobytes() if isinstance(value, np.ndarray) and value.dtype != object else repr(value)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            found = way.call(value, companion(hostile.ordinary))
    except Exception as error:
        return _refusal(error, value)
    if (value.tobytes() if isinstance(value, np.ndarray) and value.dtype != object else repr(value)) != before:
        return Outcome("WRONG", "the value was changed")
    wanted = None
    if way.wanted is not None and (hostile.ordinary is not None or way.by_numpy):
        try:
            with np.errstate(all="ignore"):
                wanted = way.wanted(hostile.make() if way.by_numpy else hostile.ordinary, companion(hostile.ordinary))
        except Exception as error:
            return Outcome("WRONG", f"{found} where NumPy says {error!r}")
    if wanted is None:
        return Outcome("WRONG", f"{found} where nothing is right")
    for result, right in zip(found, wanted, strict=True):
        if way.plain:
            result, right = (np.asarray(x, np.float64) if np.ndim(x) else float(x) for x in (result, right))
        difference = _difference(result, right, way.rtol)
        if difference:
            return Outcome("WRONG", difference)
        plain = _plain(result)
        if isinstance(value, np.ndarray) and not way.shares and np.may_share_memory(plain, value):
            return Outcome("WRONG", "a result shares memory with the value")
    return Outcome("right")


def _plain(result: Any) -> Any:
    return result.value if type(result) is BVar else result


def _difference(result: Any, right: Any, rtol: float) -> str:
    plain = _plain(result)
    if isinstance(right, np.generic) or np.ndim(right) == 0:
        right = float(right)
        if type(plain) is not float:
            return f"{plain!r} is a {type(plain).__name__} and no float"
    elif type(plain) is not np.ndarray or plain.dtype != right.dtype or not plain.dtype.isnative:
        return f"{plain!r} is not a plain array of {right.dtype}"
    if np.shape(plain) != np.shape(right):
        return f"shape {np.shape(plain)}, not {np.shape(right)}"
    if np.asarray(right).dtype == np.float32:
        rtol = max(rtol, 1e-6)
    # Where the elements are subnormal, three of their steps.
    atol = rtol if rtol > 1e-9 else 1.5e-323
    if not np.allclose(plain, right, rtol=rtol, atol=atol, equal_nan=True):
        return f"{plain!r}, not {right!r}"
    return ""


def _refusal(error: Exception, value: Any) -> Outcome:
    """A clear error: one of ours or Python's for operands, in a few words, that says what it was given."""
    message = str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    if not isinstance(error, ERRORS):
        return Outcome("WRONG", f"{type(error).__name__}: {message}")
    # A compiled module gives its name within the project.
    is_ours = Path(last.filename).is_relative_to(PACKAGE) or last.filename.startswith("typedprop/")
    # What np.matrix does with ** when it stands left; nobody else is asked. What Python says of an operator between the
    # two, and of an int that is too large for a float.
    is_numpys = type(error) is np.linalg.LinAlgError and isinstance(value, np.matrix)
    of_operands = type(error) is TypeError and ("BVar" in message or "Single" in message)
    is_pythons = of_operands or "int too large to convert to float" in message
    if not (is_ours or is_pythons or is_numpys) or len(message) > 600:
        return Outcome("WRONG", f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {message}")
    if not is_numpys and not any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message) for word in _names(value)):
        return Outcome("WRONG", f"{type(error).__name__} does not say what it was given: {message}")
    return Outcome(type(error).__name__, message)


def _names(value: Any) -> list[str]:
    """The words by which a message may call a value."""
    names = [type(value).__name__, repr(value), str(value)]
    if isinstance(value, int):
        names.append("int")
    if isinstance(value, np.ndarray):
        names += ["float", "a scalar"] if not value.ndim else []
        names += ["no elements"] if not value.size else []
        names += [str(value.dtype), str(value.shape), describe(value.shape), "an array"]
    elif isinstance(value, int | float | np.floating | np.integer | np.bool):
        names += ["float", "a number", "a scalar", "a plain number", "shape ()", "(1,)", str(np.asarray(value).dtype)]
    else:
        # Sequences are looked into, or are what sizes are not given as.
        names += ["ragged", "sizes one by one"]
        with contextlib.suppress(ValueError):
            names += [str(np.asarray(value).dtype), describe(np.shape(value)), str(np.shape(value))]
    return names
