from __future__ import annotations

import numpy as np
import pytest

import readme
import typedprop as tp


def test_the_error_falls(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = readme.main(samples=60, rounds=10)
    assert 0.0 < after < 0.5 * before
    assert capsys.readouterr().out == f"mean error before training: {before:.4f}, after 10 rounds: {after:.4f}\n"


def test_one_step_lowers_the_error_of_its_sample() -> None:
    rng = np.random.default_rng(5)
    net = readme.random_network(rng)
    x, target = tp.normal(rng, readme.Inputs(100)), tp.uniform(rng, readme.Outputs(5))
    after = readme.descend(net, x, target)
    assert isinstance(after, readme.Network)
    assert readme.net_error(after, x, target).value < readme.net_error(net, x, target).value
