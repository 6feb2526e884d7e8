"""`check_grads`: is the derivative of this function right? For typedprop's own rules and for users' functions.

A derivative is checked along random directions, so that one number stands for a whole Jacobian:

- forward mode: `<u, J v>` against a central difference of `<u, f>` along `v`;
- reverse mode: `<Jᵀ u, v>` against the same difference, and against forward mode to rounding, which needs no step size;
- order 2: the same checks of the function's own pullback and pushforward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from typedprop import tree
from typedprop.arithmetic import dtype_of, plain, shape_of
from typedprop.bvar import BVar
from typedprop.transform.products import jvp, vjp

Mode = Literal["rev", "fwd"]


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[Mode] = ("rev", "fwd"),
    *,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
) -> None:
    """Check the derivatives of `f(*args)` by all of `args`, each a tree of BVars, to the given order.

    `f` may return any tree of BVars. It should be smooth near `args`; `eps` is the relative step of the central
    differences, by default 1e-6 (float32: 1e-2). Raises `AssertionError` that says which mode and order failed, with
    both numbers.
    """
    for mode in modes:
        if mode not in ("rev", "fwd"):
            raise ValueError(f'check_grads: mode {mode!r}; wanted "rev" or "fwd"')
    if order < 1:
        raise ValueError(f"check_grads: order {order}; wanted 1 or more")
    point = tuple(args)
    single = any(dtype_of(leaf) == np.float32 for leaf in tree.leaves(point))
    eps = eps or (1e-2 if single else 1e-6)
    rtol = rtol or (2e-2 if single else 1e-5)
    atol = atol or (2e-2 if single else 1e-6)
    _check(lambda x: f(*x), point, order, tuple(modes), eps, rtol, atol, np.random.default_rng(seed), "")


def _check(
    f: Callable[[Any], Any],
    at: Any,
    order: int,
    modes: tuple[Mode, ...],
    eps: float,
    rtol: float,
    atol: float,
    rng: np.random.Generator,
    of: str,
) -> None:
    direction = _random_like(at, rng)
    output = f(at)
    weight = _random_like(output, rng)
    high = _inner(weight, f(_moved(at, direction, eps)))
    low = _inner(weight, f(_moved(at, direction, -eps)))
    expected = (high - low) / (2 * eps)
    # Rounding in f is amplified by the division, in proportion to its values.
    noise = atol + 1e-13 / eps * (abs(high) + abs(low))
    found: dict[str, float] = {}
    if "fwd" in modes:
        value, tangent = jvp(f, at, direction)
        _compare_values(value, output, f"the output of jvp{of}")
        found["forward"] = _inner(weight, tangent)
        _compare(found["forward"], expected, rtol, noise, f"forward mode{of} against central differences")
    if "rev" in modes:
        value, pullback = vjp(f, at)
        _compare_values(value, output, f"the output of vjp{of}")
        found["reverse"] = _inner(pullback(weight), direction)
        _compare(found["reverse"], expected, rtol, noise, f"reverse mode{of} against central differences")
    if len(found) == 2:
        tight = 1e-3 if any(dtype_of(leaf) == np.float32 for leaf in tree.leaves(at)) else 1e-9
        scale = 1.0 + abs(found["forward"])
        _compare(found["reverse"], found["forward"], tight, tight * scale, f"reverse against forward mode{of}")
    if order > 1:
        if "rev" in modes:
            _check(lambda x: vjp(f, x)[1](weight), at, order - 1, modes, eps, rtol, atol, rng, f"{of} of the pullback")
        if "fwd" in modes:
            _check(
                lambda x: jvp(f, x, direction)[1],
                at,
                order - 1,
                modes,
                eps,
                rtol,
                atol,
                rng,
                f"{of} of the pushforward",
            )


def _random_like(x: Any, rng: np.random.Generator) -> Any:
    def random(leaf: BVar[Any]) -> BVar[Any]:
        shape = shape_of(leaf)
        if not shape:
            return BVar(float(rng.normal()))
        return BVar(rng.normal(size=shape).astype(dtype_of(leaf)))

    return tree.map(random, x)


def _moved(x: Any, direction: Any, step: float) -> Any:
    return tree.map(lambda a, b: BVar(plain(a) + step * plain(b)), x, direction)


def _inner(x: Any, y: Any) -> float:
    pairs = zip(tree.leaves(x), tree.leaves(y), strict=True)
    return float(sum(np.sum(np.multiply(plain(a), plain(b), dtype=np.float64)) for a, b in pairs))


def _compare(found: float, expected: float, rtol: float, atol: float, what: str) -> None:
    if not np.isclose(found, expected, rtol=rtol, atol=atol):
        raise AssertionError(f"{what}: got {found!r}, expected {expected!r}")


def _compare_values(found: Any, expected: Any, what: str) -> None:
    for a, b in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        if shape_of(a) != shape_of(b) or dtype_of(a) != dtype_of(b):
            raise AssertionError(f"{what} is {shape_of(a)} {dtype_of(a)}, expected {shape_of(b)} {dtype_of(b)}")
        np.testing.assert_allclose(plain(a), plain(b), rtol=1e-6, err_msg=what)
