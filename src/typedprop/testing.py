"""`check_grads`: is the derivative of this function right? For typedprop's own rules and for users' functions.
`check_leaf`: does a type that was registered as a leaf obey the laws that make gradients right?

`check_grads` looks along random directions, so that one number stands for a whole Jacobian:

- forward mode: `<u, J v>` against a central difference of `<u, f>` along `v`;
- reverse mode: `<Jᵀ u, v>` against the same difference, and against forward mode to rounding, which needs no step size;
- order 2: the same checks of the function's own pullback and pushforward.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from typing_extensions import TypeVar

from typedprop import tree
from typedprop.arithmetic import dtype_of, one_like, plain, shape_of, zero_like
from typedprop.bvar import BVar
from typedprop.errors import DTypeError
from typedprop.leaves import added, leaf_type
from typedprop.transform.gradient import backprop
from typedprop.transform.products import jvp, vjp

V = TypeVar("V")

Mode = Literal["rev", "fwd"]


def check_grads(
    f: Callable[..., object],
    args: Sequence[object],
    order: int = 2,
    modes: Sequence[Mode] = ("rev", "fwd"),
    *,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
) -> None:
    """Check the derivatives of `f(*args)` by all of `args`, each a tree of BVars, to the given order.

    `f` may return any tree of BVars. It should be smooth near `args`; `eps` is the step of the central differences, by
    default 1e-6 (1e-2 if an argument or a result is float32). Raises `AssertionError` that says which mode and order
    failed, with both numbers.
    """
    for mode in modes:
        if mode not in ("rev", "fwd"):
            raise ValueError(f'check_grads: mode {mode!r}; wanted "rev" or "fwd"')
    if order < 1:
        raise ValueError(f"check_grads: order {order}; wanted 1 or more")
    point = tuple(args)
    for leaf in tree.leaves(point):
        if leaf_type(type(plain(leaf))) is not None:
            raise DTypeError(
                f"check_grads: a {type(plain(leaf)).__name__} has no small steps to take differences with; compare "
                "with a derivative that you know, and check the type with check_leaf"
            )
    # A scalar is float64 by itself, but what it is computed with may not be: hence the results.
    single = any(dtype_of(leaf) == np.float32 for leaf in tree.leaves((point, f(*point))))
    scale = _SINGLE if single else _DOUBLE
    scale = _Scale(eps or scale.eps, rtol or scale.rtol, atol or scale.atol, scale.rounding, scale.tight)
    _check(lambda x: f(*x), point, order, tuple(modes), scale, np.random.default_rng(seed), "")


class _Scale(NamedTuple):
    """The step of the differences; what they may be off by; the rounding of f; how closely the modes must agree."""

    eps: float
    rtol: float
    atol: float
    rounding: float
    tight: float


_DOUBLE = _Scale(1e-6, 1e-5, 1e-6, 1e-15, 1e-9)
_SINGLE = _Scale(1e-2, 2e-2, 1e-3, 1e-6, 1e-3)


def _check(
    f: Callable[[Any], Any],
    at: Any,
    order: int,
    modes: tuple[Mode, ...],
    scale: _Scale,
    rng: np.random.Generator,
    of: str,
) -> None:
    eps, rtol, atol, rounding, tight = scale
    direction = _random_like(at, rng)
    output = f(at)
    weight = _random_like(output, rng)
    near, far = (
        _inner(weight, f(_moved(at, direction, step))) - _inner(weight, f(_moved(at, direction, -step)))
        for step in (eps, 2 * eps)
    )
    # The central difference of fourth order, so that float32 may take steps as large as it must.
    expected = (8 * near - far) / (12 * eps)
    # Rounding in f is amplified by the division, in proportion to its values.
    noise = atol + rounding / eps * _inner(tree.map(_absolute, weight), tree.map(_absolute, output))
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
        _compare(found["reverse"], found["forward"], tight, tight, f"reverse against forward mode{of}")
    if order > 1:
        derivatives: list[tuple[Mode, str, Callable[[Any], Any]]] = [
            ("rev", "pullback", lambda x: vjp(f, x)[1](weight)),
            ("fwd", "pushforward", lambda x: jvp(f, x, direction)[1]),
        ]
        for mode, name, derivative in derivatives:
            if mode in modes:
                _check(derivative, at, order - 1, modes, scale, rng, f"{of} of the {name}")


def _random_like(x: Any, rng: np.random.Generator) -> Any:
    def random(leaf: BVar[Any]) -> BVar[Any]:
        shape = shape_of(leaf)
        if not shape:
            return BVar(float(rng.normal()))
        return BVar(rng.normal(size=shape).astype(dtype_of(leaf)))

    return tree.map(random, x)


def _moved(x: Any, direction: Any, step: float) -> Any:
    return tree.map(lambda a, b: BVar(plain(a) + step * plain(b)), x, direction)


def _absolute(leaf: BVar[Any]) -> BVar[Any]:
    return BVar(abs(plain(leaf)))


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


# -- Leaves ----------------------------------------------------------------------------------------------------------


def check_leaf(values: Sequence[V], *, close: Callable[[V, V], bool] | None = None) -> None:
    """Check the laws of a type of leaf on `values`: each one, all pairs and all triples of them.

    - `add` is commutative and associative, `zero(x)` is its identity, and no operand is changed;
    - `zero(zero(x)) == zero(x)` and `one(one(x)) == one(x)`, all of the type of `x`;
    - `one(x)` is the gradient of the identity, `one(x) + one(x)` that of `x + x`, `zero(x)` that of a constant;
    - where values can be multiplied, `x * y == y * x` and `one(x) * y == y`.

    `close(x, y)` says whether two values count as equal: by default `==`, for floats and arrays to rounding. Use it
    with property-based tests, or with a handful of values that differ. Raises `AssertionError` that names the law and
    the values, and `DTypeError` for values that a BVar cannot hold.
    """
    equal: Callable[[Any, Any], bool] = close or _equal

    def law(holds: bool, name: str, *of: object) -> None:
        if not holds:
            raise AssertionError(f"check_leaf: {name} fails for {', '.join(map(repr, of))}")

    def same(found: Any, wanted: Any, name: str, *of: object) -> None:
        law(equal(found, wanted), f"{name} (got {found!r}, wanted {wanted!r})", *of)

    leaves: list[BVar[Any]] = [BVar(x) for x in values]
    plains = [plain(leaf) for leaf in leaves]
    before = copy.deepcopy(plains)
    for x, leaf in zip(plains, leaves, strict=True):
        zero, one = zero_like(x), one_like(x)
        for name, made in (("zero", zero), ("one", one)):
            kind = leaf_type(type(made)) is leaf_type(type(x)) and shape_of(made) == shape_of(x)
            law(kind, f"{name}(x) is of the type and shape of x (got {made!r})", x)
        same(added(x, zero), x, "add(x, zero(x)) == x", x)
        same(added(zero, x), x, "add(zero(x), x) == x", x)
        same(zero_like(zero), zero, "zero(zero(x)) == zero(x)", x)
        same(one_like(one), one, "one(one(x)) == one(x)", x)
        same(backprop(lambda b: b, leaf)[1].value, one, "the gradient of x -> x is one(x)", x)
        same(backprop(lambda b: b + b, leaf)[1].value, added(one, one), "the gradient of x -> x + x is one + one", x)
        unused, _ = backprop(lambda pair: pair[1], (leaf, leaf))[1]
        same(unused.value, zero, "the gradient by what is not used is zero(x)", x)
    for x, y in itertools.product(plains, repeat=2):
        same(added(x, y), added(y, x), "add(x, y) == add(y, x)", x, y)
        try:
            product = x * y
        except TypeError:
            continue
        same(product, y * x, "x * y == y * x", x, y)
        same(one_like(x) * y, y, "one(x) * y == y", x, y)
    for x, y, z in itertools.product(plains, repeat=3):
        same(added(added(x, y), z), added(x, added(y, z)), "add(add(x, y), z) == add(x, add(y, z))", x, y, z)
    for x, was in zip(plains, before, strict=True):
        same(x, was, "add, zero and one do not change x", was)


def _equal(x: Any, y: Any) -> bool:
    if isinstance(x, float | np.ndarray):
        return bool(np.allclose(x, y, rtol=1e-5 if dtype_of(x) == np.float32 else 1e-12, atol=0.0, equal_nan=True))
    return bool(x == y)
