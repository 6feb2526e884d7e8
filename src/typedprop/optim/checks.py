"""The settings of optimisers, checked where they are made: an error there names the setting, a NaN later would not."""

from __future__ import annotations

import math

import numpy as np


def check_within(setting: str, value: float, least: float, below: float = math.inf) -> float:
    """A number that is at least `least` and less than `below`, as a Python float, which promotes no float32; NaN is
    neither."""
    number = check_number(setting, value)
    if not least <= number < below:
        upper = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{setting} is {value}; wanted a number of {least:g} or more{upper}")
    return number


def check_positive(setting: str, value: float) -> float:
    """A number that is finite and above 0, as a Python float."""
    number = check_number(setting, value)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{setting} is {value}; wanted a number above 0")
    return number


def check_number(setting: str, value: float) -> float:
    """A real number as a Python float: no array of one element, which would be broadcast, and no complex number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{setting} is of type {type(value).__name__}; wanted a number")
    return float(value)
