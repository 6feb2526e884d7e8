"""What every row of the table is held to. One check is one function of a row and a case, and one test.

A derivative is checked along random directions, so that one number stands for a whole Jacobian. With `u` a cotangent
of the result and `v` a direction of the operands, `<u, J v>` is known in four ways: by forward mode, by reverse mode,
by differences of the NumPy function, and by the row's second reference. The differences have five points, whose error
is of the fourth order in the step: 1e-9 where two points reach 1e-5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import attrs
import numpy as np

from tests.ops.oracles import autograd, mp
from tests.ops.row import Array, Case, Row
from tests.untyped import BVar, tp

Check = Callable[[Row, Case], None]
Mode = Literal["reverse", "forward"]

STEP = 1e-3


@attrs.frozen
class Point:
    """A case with its operands, its function of lifted operands, and random directions of operands and result."""

    row: Row
    case: Case
    operands: tuple[Any, ...]

    def lifted(self, dtype: Any = np.float64) -> tuple[Any, ...]:
        """The operands as BVars."""
        return tuple(BVar(x if isinstance(x, float) else x.astype(dtype)) for x in self.operands)

    def function(self, operands: tuple[Any, ...]) -> Any:
        """The operation, of the tuple of its operands."""
        return self.row.call(*operands, **self.case.static)

    def values(self, *operands: Any) -> list[Array]:
        """What NumPy makes of plain operands, flattened to a list of arrays."""
        return arrays(self.row.value(*operands, **self.case.static))

    def direction(self, seed: int, dtype: Any = np.float64) -> tuple[Any, ...]:
        """A random direction of the operands, lifted."""
        return random_like(self.lifted(dtype), seed)  # type: ignore[no-any-return]  # a tuple like its argument

    def weight(self, dtype: Any = np.float64) -> Any:
        """A random cotangent of the result, lifted, in the form of the result."""
        return random_like(self.function(self.lifted(dtype)), 9)


def point(row: Row, case: Case) -> Point:
    """The point that a case is checked at."""
    return Point(row, case, row.operands(case))


def random_like(x: Any, seed: int) -> Any:
    """Random values of the shapes and dtypes of the BVars in `x`."""
    rng = np.random.default_rng(seed)

    def draw(leaf: Any) -> Any:
        return BVar(rng.normal(size=leaf.shape).astype(leaf.dtype) if leaf.shape else float(rng.normal()))

    return tp.tree.map(draw, x)


def arrays(result: Any) -> list[Array]:
    """A result, a plain value or BVar or a tuple of them, as a list of arrays."""
    if isinstance(result, tuple | list):
        return [array for part in result for array in arrays(part)]
    return [np.asarray(result.value if isinstance(result, tp.BVar) else result)]


def inner(x: Any, y: Any) -> Any:
    """The inner product of two results, or of two tuples of operands."""
    return sum(np.sum(a * b.astype(np.result_type(b, np.float64))) for a, b in zip(arrays(x), arrays(y), strict=True))


def size_of(x: Any, y: Any) -> float:
    """The sum of the magnitudes that `inner(x, y)` adds: what its rounding is in proportion to."""
    return float(sum(np.sum(np.abs(a * b)) for a, b in zip(arrays(x), arrays(y), strict=True)))


def difference(f: Callable[[float], float], step: float = STEP) -> float:
    """The derivative of `f` at 0 by five points."""
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)


def moved(operands: tuple[Any, ...], direction: Any, step: complex) -> list[Any]:
    """Plain operands, moved along a direction."""
    return [x + step * v.value for x, v in zip(operands, direction, strict=True)]


def along(at: Point, direction: Any, weight: Any) -> float:
    """`<u, J v>` by differences of the NumPy function."""
    return difference(lambda step: inner(weight, at.values(*moved(at.operands, direction, step))))


def agree(found: float, expected: float, what: str, rtol: float = 1e-6, atol: float = 1e-7) -> None:
    """The assertion of every check of a derivative."""
    __tracebackhide__ = True
    assert np.isclose(found, expected, rtol=rtol, atol=atol), f"{what}: got {found!r}, expected {expected!r}"


def forms_agree(found: Any, like: Any, what: str) -> None:
    """That a gradient has the shapes and dtypes of what it belongs to."""
    for g, x in zip(tp.tree.leaves(found), tp.tree.leaves(like), strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype), f"{what} is {g.shape} {g.dtype}, not {x.shape} {x.dtype}"
        assert x.shape or type(g.value) is float, f"{what} is a {type(g.value).__name__}, not a float"


def none_shared(results: Any, operands: Any, what: str) -> None:
    """That no result aliases an operand or another result."""
    made = arrays(results)
    for k, y in enumerate(made):
        for x in [*arrays(operands), *made[:k]]:
            assert not np.shares_memory(x, y), f"{what} shares memory with an operand or another result"


def frozen(operands: Any) -> list[bytes]:
    """The bytes of all operands, to see whether they change."""
    return [x.tobytes() for x in arrays(operands)]


# -- Values ----------------------------------------------------------------------------------------------------------


def check_value(row: Row, case: Case) -> None:
    """The value by NumPy's, of plain operands and of BVars: dtype, shape, no aliasing, operands unchanged."""
    for dtype, rtol in ((np.float64, 1e-12), (np.float32, 2e-4)):
        operands = tuple(x if isinstance(x, float) else like_layout(x, dtype) for x in row.operands(case))
        before = frozen(operands)
        expected = arrays(row.value(*(wide(x) for x in operands), **case.static))
        plain = row.call(*operands, **case.static)
        lifted = row.call(*map(BVar, operands), **case.static)
        assert frozen(operands) == before, "an operand was changed"
        none_shared(plain, operands, "the value")
        single = dtype is np.float32 and any(case.shapes)
        for of_plain, of_lifted, y in zip(arrays(plain), arrays(lifted), expected, strict=True):
            assert of_plain.shape == of_lifted.shape == y.shape
            for found in (of_plain, of_lifted):
                # A scalar of plain arrays is a NumPy scalar of their dtype, one of a BVar a Python float.
                if y.dtype.kind == "f" and (found.ndim or (found is of_plain and not row.name.startswith("BVar."))):
                    assert found.dtype == (np.float32 if single else np.float64)
                np.testing.assert_allclose(found, y, rtol=rtol, atol=rtol)
        for leaf in tp.tree.leaves(lifted):
            assert leaf.shape or type(leaf.value) is float, "a scalar BVar holds a Python float"


def like_layout(x: Array, dtype: Any) -> Array:
    """The array in another dtype, laid out in memory as it is."""
    if x.dtype == dtype:
        return x
    if x.strides and x.strides[-1] < 0:
        y = np.empty((*x.shape[:-1], 2 * x.shape[-1]), dtype)[..., ::-2]
        y[...] = x
        return y
    return x.astype(dtype, order="K")


def wide(x: Any) -> Any:
    """An operand in float64, for a reference."""
    return x if isinstance(x, float) else x.astype(np.float64)


# -- First order -----------------------------------------------------------------------------------------------------


def check_pull(row: Row, case: Case) -> None:
    """Reverse mode by differences; the gradient's form, no aliasing, operands unchanged, the same bits twice."""
    at = point(row, case)
    operands, weight, v = at.lifted(), at.weight(), at.direction(1)
    before = frozen(operands), frozen(weight)
    value, pullback = tp.vjp(at.function, operands)
    gradient = pullback(weight)
    again = pullback(weight)
    assert (frozen(operands), frozen(weight)) == before, "an operand or the cotangent was changed"
    assert frozen(gradient) == frozen(again), "the second call of the pullback differs"
    for found, expected in zip(arrays(value), at.values(*at.operands), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    forms_agree(gradient, operands, "the gradient")
    none_shared(gradient, [*operands, *arrays(weight), *arrays(value)], "the gradient")
    agree(inner(gradient, v), along(at, v, weight), "reverse mode against differences")


def check_push(row: Row, case: Case) -> None:
    """Forward mode by differences; the tangent's form."""
    at = point(row, case)
    weight, v = at.weight(), at.direction(1)
    value, tangent = tp.jvp(at.function, at.lifted(), v)
    forms_agree(tangent, value, "the tangent")
    agree(inner(weight, tangent), along(at, v, weight), "forward mode against differences")


def check_adjoint(row: Row, case: Case) -> None:
    """`<u, J v>` by forward mode is `<Jᵀ u, v>` by reverse mode, to rounding."""
    at = point(row, case)
    operands, weight, v = at.lifted(), at.weight(), at.direction(2)
    tangent = tp.jvp(at.function, operands, v)[1]
    gradient = tp.vjp(at.function, operands)[1](weight)
    scale = 1 + size_of(weight, tangent) + size_of(gradient, v)
    agree(inner(gradient, v), inner(weight, tangent), "<Jᵀ u, v> and <u, J v>", 0, 1e-10 * scale)


def check_cotangent(row: Row, case: Case) -> None:
    """Reverse mode over reverse mode by the cotangent alone: the derivative of `<Jᵀ u, v>` by `u` is `J v`.

    The sweep then carries differentiable values over what was kept as plain arrays.
    """
    at = point(row, case)
    operands, v = at.lifted(), at.direction(4)
    pullback = tp.vjp(at.function, operands)[1]
    found = tp.grad(lambda u: inner_of(pullback(u), v))(at.weight())
    for one, tangent in zip(arrays(found), arrays(tp.jvp(at.function, operands, v)[1]), strict=True):
        np.testing.assert_allclose(one, tangent, rtol=1e-9, atol=1e-10)


def inner_of(x: Any, y: Any) -> Any:
    """The inner product of two trees, differentiable."""
    pairs = zip(tp.tree.leaves(x), tp.tree.leaves(y), strict=True)
    return sum(((a * b).sum() if a.shape else a * b for a, b in pairs), start=BVar(0.0))


def check_complex_step(row: Row, case: Case) -> None:
    """Reverse mode by the complex step, which has no rounding error."""
    at = point(row, case)
    analytic = row.value if row.analytic is True else row.analytic
    assert analytic is not None
    weight, v = at.weight(), at.direction(3)
    stepped = arrays(analytic(*moved(at.operands, v, 1e-30j), **case.static))
    expected = sum(float(np.sum(u * y.imag)) / 1e-30 for u, y in zip(arrays(weight), stepped, strict=True))
    gradient = tp.vjp(at.function, at.lifted())[1](weight)
    agree(
        inner(gradient, v),
        expected,
        "reverse mode against the complex step",
        1e-11,
        1e-40 + 1e-12 * size_of(gradient, v),
    )


def check_autograd(row: Row, case: Case) -> None:
    """Reverse mode by autograd's."""
    at = point(row, case)
    assert row.autograd is not None
    oracle = row.autograd
    weight = at.weight()

    def loss(*operands: Any) -> Any:
        result = oracle(*operands, **case.static)
        parts = result if isinstance(result, tuple | list) else [result]
        return sum((u * y).sum() if u.ndim else u * y for u, y in zip(arrays(weight), parts, strict=True))

    positions = tuple(range(len(at.operands)))
    expected = autograd.grad(loss, positions)(*(np.array(x) for x in at.operands))
    gradient = tp.vjp(at.function, at.lifted())[1](weight)
    for found, wanted in zip(arrays(gradient), arrays(expected), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)


def check_single(row: Row, case: Case) -> None:
    """float32 stays float32, in value, gradient and tangent, and the derivatives are those of float64 to its digits."""
    at = point(row, case)
    operands, v = at.lifted(np.float32), at.direction(1, np.float32)
    weight = at.weight(np.float32)
    value, tangent = tp.jvp(at.function, operands, v)
    gradient = tp.vjp(at.function, operands)[1](weight)
    for leaf in tp.tree.leaves((value, tangent)):
        assert not leaf.shape or not any(case.shapes) or leaf.dtype == np.float32
    forms_agree(tangent, value, "the tangent")
    forms_agree(gradient, operands, "the gradient")
    double = tuple(BVar(wide(x.value)) for x in operands)
    directions = tuple(BVar(wide(x.value)) for x in v)
    expected = tp.jvp(at.function, double, directions)[1]
    tolerance = 1e-3 * (1e-2 + size_of(weight, expected) + size_of(gradient, v))
    agree(inner(weight, tangent), inner(weight, expected), "float32 forward", 0, tolerance)
    agree(inner(gradient, v), inner(weight, expected), "float32 reverse", 0, tolerance)


def check_beside_plain(row: Row, case: Case) -> None:
    """Each operand alone as a BVar, the others plain: the same value and the same gradient."""
    at = point(row, case)
    operands, weight = at.lifted(), at.weight()
    value, pullback = tp.vjp(at.function, operands)
    everything = pullback(weight)
    for k in range(len(operands)):

        def alone(x: Any, k: int = k) -> Any:
            return at.function((*at.operands[:k], x, *at.operands[k + 1 :]))

        before = frozen(at.operands)
        one_value, one_pullback = tp.vjp(alone, operands[k])
        gradient = one_pullback(weight)
        assert frozen(at.operands) == before, "a plain operand was changed"
        for found, wanted in zip(arrays((one_value, gradient)), arrays((value, everything[k])), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


# -- Higher orders ---------------------------------------------------------------------------------------------------


def along_in(mode: Mode, f: Callable[[Any], Any], direction: Any, weight: Any) -> Callable[[Any], Any]:
    """`x -> <weight, (derivative of f at x) direction>`, by one of the two modes."""
    if mode == "forward":
        return lambda x: dot(weight, tp.jvp(f, x, direction)[1])
    return lambda x: dot(tp.vjp(f, x)[1](weight), direction)


def dot(x: Any, y: Any) -> Any:
    """The inner product as a BVar, differentiable."""
    total = BVar(0.0)
    for a, b in zip(tp.tree.leaves(x), tp.tree.leaves(y), strict=True):
        product = a * b
        total = total + (product.sum() if product.shape else product)
    return total


def higher(row: Row, case: Case, modes: tuple[Mode, ...], what: str) -> None:
    """A derivative by nested modes, the outermost first, by differences of the derivative one order lower."""
    at = point(row, case)
    operands = at.lifted()
    one = BVar(1.0)
    weight = at.weight()
    lower: Callable[[Any], Any] = lambda x: dot(weight, at.function(x))  # noqa: E731  # wrapped again and again
    for order, mode in enumerate(reversed(modes[1:]), start=1):
        lower = along_in(mode, lower, at.direction(10 + order), one)
    direction = at.direction(10 + len(modes))
    f = along_in(modes[0], lower, direction, one)
    found = f(operands).value
    expected = difference(lambda step: lower(tuple(map(BVar, moved(at.operands, direction, step)))).value)
    agree(found, expected, what, 1e-6, 1e-6)


def second_order(outer: Mode, of: Mode) -> Check:
    """The check of one mode over another."""

    def check(row: Row, case: Case) -> None:
        higher(row, case, (outer, of), f"{outer} over {of} against differences of {of}")

    return check


def check_third(row: Row, case: Case) -> None:
    """The third derivative by reverse over forward over reverse, and the other way round, by differences."""
    higher(row, case, ("reverse", "forward", "reverse"), "reverse over forward over reverse")
    higher(row, case, ("forward", "reverse", "forward"), "forward over reverse over forward")


# -- Special values --------------------------------------------------------------------------------------------------


def exactly(f: Callable[..., Any], xs: tuple[float, ...]) -> float:
    """A function of mpmath, rounded to a float."""
    with mp.workdps(60):
        y = mp.mpf(f(*map(mp.mpf, xs)))
        try:
            return float(y)
        except OverflowError:
            return math.copysign(math.inf, y)


def agreed(row: Row, xs: tuple[float, ...]) -> tuple[float | None, ...]:
    """The value and the slopes at a point: what the row says of it, or what mpmath has there. A NaN stays one."""
    assert row.special is not None
    for at, said in row.special.at.items():
        if str(at if isinstance(at, tuple) else (at,)) == str(xs):
            return said
    functions = (row.special.value, *row.special.slopes)
    return tuple(math.nan if any(map(math.isnan, xs)) else exactly(f, xs) for f in functions)


def check_special(row: Row, at: Any) -> None:
    """Value and slopes at a point by mpmath, of numbers and of arrays, in both modes.

    Where the value is finite and a derivative exists, not even a warning: the tests run with warnings as errors.
    """
    xs = tuple(float(x) for x in (at if isinstance(at, tuple) else (at,)))
    value, *slopes = agreed(row, xs)
    finite = value is not None and math.isfinite(value) and all(d == d for d in slopes)
    quiet: Literal["warn", "ignore"] = "warn" if finite else "ignore"
    for operands in (tuple(map(BVar, xs)), tuple(BVar(np.array([x, x])) for x in xs)):
        ones = [BVar(1.0 if not x.shape else np.ones(2)) for x in operands]
        with np.errstate(divide=quiet, over=quiet, invalid=quiet):
            y, pullback = tp.vjp(lambda x: row.call(*x), operands)
            gradient = pullback(ones[0])
            tangents = [tangent_by(row, operands, k, one) for k, one in enumerate(ones)]
        atol = row.special.atol if row.special else 0.0
        close(y, value, atol, f"{row.name} at {at}")
        for k, slope in enumerate(slopes):
            close(gradient[k], slope, atol, f"the derivative of {row.name} at {at} by operand {k}, in reverse")
            close(tangents[k], slope, atol, f"the derivative of {row.name} at {at} by operand {k}, forward")


def tangent_by(row: Row, operands: tuple[Any, ...], k: int, one: Any) -> Any:
    """The derivative by one operand alone, forward."""
    return tp.jvp(lambda x: row.call(*operands[:k], x, *operands[k + 1 :]), operands[k], one)[1]


def close(found: Any, expected: float | None, atol: float, what: str) -> None:
    """Equal to rounding, infinities and NaNs included; None says that nothing is agreed."""
    if expected is not None:
        np.testing.assert_allclose(found.value, expected, rtol=4e-14, atol=atol, err_msg=what)


def checks_of(row: Row) -> dict[str, Check]:
    """The checks that a row asks for, by name."""
    checks: dict[str, Check] = {"value": check_value}
    if row.orders:
        checks |= {"pull": check_pull, "push": check_push, "adjoint": check_adjoint, "float32": check_single}
        checks["cotangent"] = check_cotangent
        if row.analytic is not None:
            checks["complex_step"] = check_complex_step
        if row.autograd is not None:
            checks["autograd"] = check_autograd
        if len(row.cases[0].shapes) > 1:
            checks["beside_plain"] = check_beside_plain
    if row.orders > 1:
        checks["reverse_over_forward"] = second_order("reverse", "forward")
        checks["forward_over_reverse"] = second_order("forward", "reverse")
        checks["reverse_over_reverse"] = second_order("reverse", "reverse")
    if row.orders > 2:
        checks["third"] = check_third
    return checks
