"""Learning-rate schedules: PyTorch's rates, ends that are kept, and settings that cannot be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from typedprop import optim

RATES: Any = json.loads((Path(__file__).parents[1] / "data" / "torch_optimizers.json").read_text())["rates"]

SCHEDULES: dict[str, optim.Schedule] = {
    "exponential": optim.exponential_decay(0.5, 1, 0.9),
    "staircase": optim.exponential_decay(0.5, 3, 0.5, staircase=True),
    "cosine": optim.cosine_decay(0.5, len(RATES["cosine"]), end=0.05),
    "linear": optim.linear(0.5, 0.1, 5),
    "warmup": optim.warmup(4, optim.exponential_decay(0.5, 1, 0.8), start=0.1),
    "multistep": optim.piecewise_constant(0.5, {3: 0.1, 7: 0.1}),
}


@pytest.mark.parametrize("name", RATES)
def test_the_rates_of_torch(name: str) -> None:
    found = [SCHEDULES[name](step) for step in range(len(RATES[name]))]
    assert found == pytest.approx(RATES[name], rel=1e-12)
    assert len(set(found)) > 1


def test_ends_are_kept() -> None:
    assert optim.cosine_decay(1.0, 10, 0.2)(10) == optim.cosine_decay(1.0, 10, 0.2)(1000) == pytest.approx(0.2)
    assert optim.linear(1.0, 0.2, 10)(10) == optim.linear(1.0, 0.2, 10)(1000) == pytest.approx(0.2)
    assert optim.linear(1.0, 0.2, 10)(0) == optim.cosine_decay(1.0, 10)(0) == 1.0
    assert {optim.constant(0.3)(step) for step in (0, 5, 10**9)} == {0.3}
    assert optim.exponential_decay(1.0, 100, 0.5)(50) == pytest.approx(math.sqrt(0.5))
    rises = optim.warmup(2, 1.0)
    assert [rises(step) for step in range(4)] == [0.0, 0.5, 1.0, 1.0]


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"warmup: steps is 0; wanted a number of 1 or more"):
        optim.warmup(0, 1.0)
    with pytest.raises(ValueError, match=r"linear: steps is -1; wanted"):
        optim.linear(1.0, 0.0, -1)
    with pytest.raises(ValueError, match=r"cosine_decay: steps is 0; wanted"):
        optim.cosine_decay(1.0, 0)
    with pytest.raises(ValueError, match=r"exponential_decay: factor is 0.0; wanted a number above 0"):
        optim.exponential_decay(1.0, 10, 0.0)
    with pytest.raises(ValueError, match=r"constant: value is nan; wanted"):
        optim.constant(math.nan)
