"""jacobian, hessian and hvp of several functions by JAX's, and by each other.

tests/data/jax_reference.py wrote the numbers, and is run again where JAX is installed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.data.jax_reference import PAGE, jax_modules, of_functions
from tests.transform.functions import FUNCTIONS, POINT
from tests.untyped import BVar, tp

NUMBERS: dict[str, dict[str, Any]] = json.loads(PAGE.read_text())["functions"]
MODES: list[Any] = ["fwd", "rev", None]
x, v = BVar(POINT), BVar(np.cos(POINT))


def of(name: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The function, and its sum of squares."""
    f = FUNCTIONS[name]
    return lambda p: f(tp, p), lambda p: (f(tp, p) ** 2).sum()


def close(found: Any, wanted: Any, digits: float = 1e-9) -> None:
    np.testing.assert_allclose(found.value, wanted, rtol=digits, atol=digits * max(1.0, np.max(np.abs(wanted))))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian(name: str, mode: Any) -> None:
    f, loss = of(name)
    close(tp.jacobian(f, mode)(x), NUMBERS[name]["jacobian"])
    # The gradient of the sum of squares is twice the transposed Jacobian times the function.
    close(tp.jacobian(loss, mode)(x), 2 * np.array(NUMBERS[name]["jacobian"]).T @ f(x).value)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessian_and_hvp(name: str) -> None:
    _, loss = of(name)
    hessian = tp.hessian(loss)(x)
    close(hessian, NUMBERS[name]["hessian"], 1e-8)
    for outer in MODES:
        close(tp.jacobian(tp.grad(loss), outer)(x), hessian.value, 1e-11)
    product = tp.hvp(loss, x, v)
    close(product, NUMBERS[name]["hvp"], 1e-8)
    close(product, hessian.value @ v.value, 1e-11)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_derivative_of_the_hessian(name: str) -> None:
    _, loss = of(name)
    close(tp.jvp(tp.hessian(loss), x, v)[1], NUMBERS[name]["third"], 1e-7)


def test_the_numbers_are_jaxs() -> None:
    pytest.importorskip("jax", reason="JAX is optional: pip install -e .[peers]")
    for name, found in of_functions(jax_modules()).items():
        for what, numbers in found.items():
            np.testing.assert_allclose(numbers, NUMBERS[name][what], rtol=1e-8, atol=1e-8, err_msg=f"{name} {what}")
