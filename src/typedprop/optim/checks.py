"""The settings of optimisers, checked where they are made: an error there names the setting, a NaN later would not."""

from __future__ import annotations

import math


def check_within(setting: str, value: float, least: float, below: float = math.inf) -> None:
    """That a number is at least `least` and less than `below`; NaN is neither."""
    if not least <= value < below:
        upper = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(f"{setting} is {value}; wanted a number of {least:g} or more{upper}")


def check_positive(setting: str, value: float) -> None:
    """That a number is finite and above 0."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{setting} is {value}; wanted a number above 0")
