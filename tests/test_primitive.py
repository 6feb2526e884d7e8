"""`op`: primitives of one's own, over plain values and over BVars, in both modes, and what they are refused for."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from typing_extensions import TypeVar

import typedprop as tp
from tests import untyped
from typedprop import BVar, Dim, L, Local1, Local2, Local3, R
from typedprop.errors import DTypeError, EscapedBVarError, NotDifferentiableError, ShapeError
from typedprop.testing import check_grads

# SciPy comes without types.
integrate: Any = import_module("scipy.integrate")
special: Any = import_module("scipy.special")
any_tp: Any = untyped.tp
lift: Any = untyped.lift
rand: Any = untyped.rand

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
K = TypeVar("K", bound=int)


# -- Over plain values -----------------------------------------------------------------------------------------------


@tp.op
def sine(x: R[N]) -> Local1[R[N], R[N]]:
    return Local1(tp.sin(x), lambda g: g * tp.cos(x)).push(lambda t: t * tp.cos(x))


@tp.op
def matvec(w: L[M, N], x: R[N]) -> Local2[L[M, N], R[N], R[M]]:
    return Local2(w @ x, lambda g: (tp.outer(g, x), w.T @ g)).push(lambda dw, dx: dw @ x + w @ dx)


@tp.op
def affine(w: L[M, N], x: R[N], b: R[M]) -> Local3[L[M, N], R[N], R[M], R[M]]:
    return Local3(w @ x + b, lambda g: (tp.outer(g, x), w.T @ g, g)).push(lambda dw, dx, db: dw @ x + w @ dx + db)


@tp.op
def product(x: float, y: float) -> Local2[float, float, float]:
    return Local2(x * y, lambda g: (g * y, g * x)).push(lambda dx, dy: dx * y + x * dy)


@pytest.mark.parametrize("dtype", untyped.DTYPES)
@pytest.mark.parametrize(
    ("f", "args"),
    [
        (sine, [(3,)]),
        (matvec, [(2, 3), (3,)]),
        (affine, [(2, 3), (3,), (2,)]),
        (product, [(), ()]),
    ],
)
def test_both_modes_at_order_1(f: Any, args: list[tuple[int, ...]], dtype: Any) -> None:
    operands = [lift(*shape, seed=k, dtype=dtype) for k, shape in enumerate(args)]
    check_grads(f, operands, order=1)


def test_it_is_the_operation_that_it_wraps() -> None:
    w, x, b = lift(2, 3), lift(3, seed=1), lift(2, seed=2)
    ours = any_tp.value_and_grad(lambda *p: (affine(*p) ** 2).sum(), argnums=(0, 1, 2))(w, x, b)
    theirs = any_tp.value_and_grad(lambda w, x, b: ((w @ x + b) ** 2).sum(), argnums=(0, 1, 2))(w, x, b)
    assert ours[0] == theirs[0]
    assert all(map(np.allclose, (g.value for g in ours[1]), (g.value for g in theirs[1])))


def test_values_outside_of_a_gradient() -> None:
    x, y = lift(3), rand(3, seed=1)
    assert type(sine(x)) is type(sine(y)) is BVar
    assert np.array_equal(sine(y).value, np.sin(y))
    assert product(2.0, BVar(3.0)).value == 6.0
    assert product(2, 3).value == 6.0 and type(product(2, 3).value) is float


@pytest.mark.parametrize("plain_position", [0, 1])
def test_plain_operands_beside_bvars(plain_position: int) -> None:
    operands: list[Any] = [rand(2, 3), rand(3, seed=1)]

    def f(b: Any) -> Any:
        given = list(operands)
        given[1 - plain_position] = b
        return matvec(*given)

    check_grads(f, (BVar(operands[1 - plain_position]),), order=1)


def test_a_plain_operand_may_be_overwritten_afterwards() -> None:
    x = rand(3)
    at = x.copy()
    _, pullback = any_tp.vjp(lambda w: matvec(w, x), lift(2, 3))
    x[:] = np.nan
    assert np.array_equal(pullback(BVar(np.ones(2))).value, np.outer(np.ones(2), at))


def test_they_compose_as_functions_do() -> None:
    check_grads(lambda w, x: sine(matvec(w, sine(x))), (lift(2, 3), lift(3)), order=1)


def test_the_same_operand_twice_adds_up() -> None:
    assert any_tp.grad(lambda x: product(x, x))(3.0) == 6.0
    assert any_tp.jvp(lambda x: product(x, x), BVar(3.0), BVar(2.0))[1].value == 12.0


def test_an_operand_that_is_constant() -> None:
    assert any_tp.grad(lambda x: product(x, BVar(5.0)))(3.0) == 5.0
    assert any_tp.jvp(lambda x: product(BVar(5.0), x), BVar(3.0), BVar(2.0))[1].value == 10.0


def test_it_keeps_the_functions_name_and_docstring() -> None:
    @tp.op
    def documented(x: float) -> Local1[float, float]:
        """Says what it does."""
        return Local1(x, lambda g: g)

    assert (documented.__name__, documented.__doc__) == ("documented", "Says what it does.")


def test_further_arguments_pass_by_keyword() -> None:
    @tp.op
    def power(x: R[N], *, exponent: int, scale: float = 1.0) -> Local1[R[N], R[N]]:
        return Local1(scale * x**exponent, lambda g: scale * exponent * g * x ** (exponent - 1))

    x = lift(3)
    assert np.allclose(any_tp.grad(lambda x: power(x, exponent=3, scale=2.0).sum())(x).value, 6 * x.value**2)
    with pytest.raises(TypeError, match="power: scale is a BVar, but a keyword argument is not differentiated"):
        any_tp.grad(lambda s: power(x, exponent=2, scale=s).sum())(2.0)

    @tp.op
    def by_position(x: R[N], exponent: float) -> Local1[R[N], R[N]]:
        return Local1(x**exponent, lambda g: exponent * g * x ** (exponent - 1))

    with pytest.raises(
        TypeError, match=r"by_position: called with 2 operands, but its Local1 is of 1; .* keyword-only"
    ):
        by_position(x, 3.0)


def test_registered_types() -> None:
    @tp.op
    def root(x: Decimal) -> Local1[Decimal, Decimal]:
        y = x.sqrt()
        return Local1(y, lambda g: g / (2 * y)).push(lambda t: t / (2 * y))

    value, gradient = tp.backprop(lambda x: root(x * x * 4), BVar(Decimal(3)))
    assert (value.value, gradient.value) == (Decimal(6), Decimal(2))
    assert tp.jvp(root, BVar(Decimal(16)), BVar(Decimal(8)))[1].value == Decimal(1)

    @tp.op
    def wrong(x: Fraction) -> Local1[Fraction, Fraction]:
        pull: Any = float
        return Local1(x, pull)

    with pytest.raises(
        DTypeError, match=r"wrong: the pull's cotangent of x \(argument 0\) is a float, but .* Fraction"
    ):
        tp.backprop(wrong, BVar(Fraction(1, 3)))


# -- Several results -------------------------------------------------------------------------------------------------


@tp.op
def polar(x: float, y: float) -> Local2[float, float, tuple[float, float]]:
    r = math.hypot(x, y)

    def pull(g: tuple[float, float]) -> tuple[float, float]:
        to_r, to_angle = g
        return to_r * x / r - to_angle * y / r**2, to_r * y / r + to_angle * x / r**2

    def push(dx: float, dy: float) -> tuple[float, float]:
        return (x * dx + y * dy) / r, (x * dy - y * dx) / r**2

    return Local2((r, math.atan2(y, x)), pull).push(push)


def result(f: Any, k: int) -> Any:
    return lambda *args: f(*args)[k]


def test_several_results() -> None:
    r, angle = polar(3.0, 4.0)
    assert (r.value, angle.value) == (5.0, math.atan2(4.0, 3.0))
    check_grads(polar, (BVar(3.0), BVar(4.0)), order=1)
    # One result alone, the other's cotangent is zero.
    assert any_tp.grad(lambda x: polar(x, 4.0)[0])(3.0) == 0.6
    assert any_tp.grad(lambda x: polar(x, 4.0)[1])(3.0) == -0.16
    assert any_tp.jvp(lambda x: polar(x, 4.0)[1], BVar(3.0), BVar(1.0))[1].value == -0.16


def test_three_results_of_different_shapes() -> None:
    @tp.op
    def moments(x: R[N]) -> Local1[R[N], tuple[float, R[N], L[N, N]]]:
        def pull(g: tuple[float, R[N], L[N, N]]) -> R[N]:
            to_sum, to_x, to_outer = g
            return to_sum + to_x + (to_outer + to_outer.T) @ x

        def push(t: R[N]) -> tuple[float, R[N], L[N, N]]:
            return float(t.sum()), t, tp.outer(t, x) + tp.outer(x, t)

        return Local1((float(x.sum()), x, tp.outer(x, x)), pull).push(push)

    check_grads(moments, (lift(3),), order=1)
    for k in range(3):
        check_grads(result(moments, k), (lift(3),), order=1)


# -- One mode only ---------------------------------------------------------------------------------------------------


@tp.op
def pulled_only(x: R[N]) -> Local1[R[N], R[N]]:
    return Local1(2.0 * x, lambda g: 2.0 * g)


@tp.op
def pushed_only(x: R[N]) -> Local1[R[N], R[N]]:
    return Local1[R[N], R[N]](2.0 * x).push(lambda t: 2.0 * t)


def test_pull_alone_gives_reverse_mode() -> None:
    check_grads(pulled_only, (lift(3),), order=1, modes=("rev",))
    with pytest.raises(
        NotDifferentiableError,
        match=r"pulled_only has no push, .* reverse mode only \(grad, vjp\); .* Local1\(value, pull\)\.push\(push\)",
    ):
        tp.jvp(pulled_only, lift(3), lift(3))


def test_push_alone_gives_forward_mode() -> None:
    check_grads(pushed_only, (lift(3),), order=1, modes=("fwd",))
    assert np.array_equal(any_tp.jacobian(pushed_only, "fwd")(lift(3)).value, 2.0 * np.eye(3))
    with pytest.raises(
        NotDifferentiableError, match=r"pushed_only has no pull, .* forward mode only .*; .* Local1\(value, pull\)"
    ) as caught:
        any_tp.grad(lambda x: pushed_only(x).sum())(lift(3))
    assert "test_primitive.py" in caught.value.__notes__[0]


# -- Second order over plain values ----------------------------------------------------------------------------------


def test_a_second_derivative_says_how_to_get_it() -> None:
    wanted = r"sine: a derivative of its derivative was asked for, .* @tp\.op\(differentiable=True\)"
    seconds: list[Callable[[Any], Any]] = [
        lambda x: any_tp.grad(lambda y: any_tp.grad(lambda z: sine(z).sum())(y).sum())(x),
        lambda x: any_tp.hvp(lambda y: sine(y).sum(), x, x),
        lambda x: any_tp.hessian(lambda y: sine(y).sum())(x),
        lambda x: any_tp.jvp(lambda y: any_tp.jvp(sine, y, x)[1], x, x),
        lambda x: any_tp.grad(lambda y: any_tp.jvp(sine, y, x)[1].sum())(x),
    ]
    for second in seconds:
        with pytest.raises(NotDifferentiableError, match=wanted):
            second(lift(3))


def test_the_outer_gradient_may_go_through_it_once() -> None:
    # The inner gradient does not touch it, so no second derivative is asked for.
    def f(x: Any) -> Any:
        return sine(x).sum() * any_tp.grad(lambda y: (y**3).sum())(x).sum()

    check_grads(f, (lift(3),), order=1)


def test_mixed_derivatives_that_do_not_vary_its_operands() -> None:
    # Linear in the cotangent, whose derivative is the push; the operand x is constant.
    x = lift(3)

    def f(w: Any) -> Any:
        def inner(z: Any) -> Any:
            return (sine(z) * w).sum()

        return (any_tp.grad(inner)(x) ** 2).sum()

    check_grads(f, (lift(3, seed=2),), order=3)
    check_grads(lambda t: any_tp.jvp(polar_of, x[0], t)[1], (BVar(2.0),), order=2)
    with pytest.raises(NotDifferentiableError, match="pulled_only has no push"):
        any_tp.grad(lambda w: any_tp.grad(lambda z: (pulled_only(z) * w).sum())(x).sum())(lift(3, seed=2))


def polar_of(x: Any) -> Any:
    return polar(x, 1.5)


# -- Over BVars ------------------------------------------------------------------------------------------------------


@tp.op(differentiable=True)
def smooth_sine(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
    return Local1(tp.sin(x), lambda g: g * tp.cos(x)).push(lambda t: t * tp.cos(x))


@tp.op(differentiable=True)
def smooth_matvec(w: BVar[L[M, N]], x: BVar[R[N]]) -> Local2[BVar[L[M, N]], BVar[R[N]], BVar[R[M]]]:
    return Local2(w @ x, lambda g: (tp.outer(g, x), w.T @ g)).push(lambda dw, dx: dw @ x + w @ dx)


@tp.op(differentiable=True)
def quotient(
    x: BVar[float], y: BVar[float], z: BVar[float]
) -> Local3[BVar[float], BVar[float], BVar[float], BVar[float]]:
    value = x / (y * z)
    return Local3(value, lambda g: (g / (y * z), -g * value / y, -g * value / z)).push(
        lambda dx, dy, dz: dx / (y * z) - value * dy / y - value * dz / z
    )


@tp.op(differentiable=True)
def smooth_polar(x: BVar[float], y: BVar[float]) -> Local2[BVar[float], BVar[float], tuple[BVar[float], BVar[float]]]:
    r = tp.sqrt(x * x + y * y)

    def pull(g: tuple[BVar[float], BVar[float]]) -> tuple[BVar[float], BVar[float]]:
        to_r, to_ratio = g
        return to_r * x / r - to_ratio * y / x**2, to_r * y / r + to_ratio / x

    return Local2((r, y / x), pull).push(lambda dx, dy: ((x * dx + y * dy) / r, dy / x - y * dx / x**2))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (smooth_sine, [lift(3)]),
        (smooth_matvec, [lift(2, 3), lift(3)]),
        (quotient, [BVar(1.3), BVar(0.7), BVar(1.9)]),
        (smooth_polar, [BVar(1.3), BVar(0.7)]),
        (lambda x: smooth_polar(x, 0.7)[1], [BVar(1.3)]),
        (lambda w, x: smooth_sine(smooth_matvec(w, x)), [lift(2, 3), lift(3)]),
    ],
)
def test_every_order(f: Any, args: list[Any]) -> None:
    check_grads(f, args, order=3)


def test_float32_at_second_order() -> None:
    check_grads(smooth_matvec, (lift(2, 3, dtype=np.float32), lift(3, dtype=np.float32)), order=2)


def test_its_own_rule_is_used_at_every_order() -> None:
    # A straight-through estimator: the derivative of the value is 0, that of the rule is 3x².
    @tp.op(differentiable=True)
    def stepped(x: BVar[float]) -> Local1[BVar[float], BVar[float]]:
        return Local1(BVar(math.floor(x.value)), lambda g: g * 3.0 * x * x)

    def f(x: Any) -> Any:
        return stepped(x) * x

    x = 2.5
    assert f(BVar(x)).value == 5.0
    assert any_tp.grad(f)(x) == 2.0 + x * 3 * x * x
    assert any_tp.grad(any_tp.grad(f))(x) == 12 * x * x
    assert any_tp.grad(any_tp.grad(any_tp.grad(f)))(x) == 24 * x


def test_external_code_at_every_order() -> None:
    # The value is SciPy's, the rule is made of operations; the derivative of erf does not need its value.
    @tp.op(differentiable=True)
    def erf(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
        value: Any = BVar(special.erf(x.value))
        return Local1[BVar[R[N]], BVar[R[N]]](value, lambda g: g * slope(x)).push(lambda t: t * slope(x))

    def slope(x: BVar[R[N]]) -> BVar[R[N]]:
        return 2.0 / math.sqrt(math.pi) * tp.exp(-x * x)

    check_grads(lambda x: erf(x) ** 2, (lift(3),), order=3)


def test_a_rule_that_would_lose_a_derivative_is_refused() -> None:
    @tp.op(differentiable=True)
    def expm1(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
        y: Any = BVar(special.expm1(x.value))
        return Local1(y, lambda g: g * (y + 1.0))

    @tp.op(differentiable=True)
    def right(x: BVar[R[N]]) -> Local1[BVar[R[N]], BVar[R[N]]]:
        y: Any = BVar(special.expm1(x.value))
        return Local1[BVar[R[N]], BVar[R[N]]](y, lambda g: g * (right(x) + 1.0))

    check_grads(expm1, (lift(3),), order=1, modes=("rev",))
    with pytest.raises(NotDifferentiableError, match=r"expm1: the rule uses the value, .* write expm1\(x\) for it"):
        check_grads(expm1, (lift(3),), order=2, modes=("rev",))
    check_grads(right, (lift(3),), order=3, modes=("rev",))


def test_a_missing_mode_is_missing_where_it_is_needed() -> None:
    @tp.op(differentiable=True)
    def cube(x: BVar[float]) -> Local1[BVar[float], BVar[float]]:
        return Local1(x**3, lambda g: 3.0 * g * x**2)

    assert any_tp.grad(any_tp.grad(any_tp.grad(cube)))(2.0) == 6.0
    for f in (cube, lambda x: any_tp.grad(lambda y: cube(y) * cube(y))(x)):
        with pytest.raises(NotDifferentiableError, match="cube has no push"):
            any_tp.jvp(f, BVar(2.0), BVar(1.0))
    # The gradient of a cube does not use the cube, so nobody asks how that changes.
    assert tp.hvp(cube, BVar(2.0), BVar(1.0)).value == 12.0


# -- Mistakes in a rule ----------------------------------------------------------------------------------------------


def rule(value: Any = None, pull: Any = None, push: Any = None, *, differentiable: bool = False) -> Any:
    """A primitive of a vector x and a matrix w, right but for what is given."""

    def f(x: Any, w: Any) -> Any:
        y = w @ x if value is None else value(x, w)
        local = Local2(y, pull or (lambda g: (w.T @ g, any_tp.outer(g, x))))
        return local.push(push or (lambda dx, dw: w @ dx + dw @ x))

    f.__name__ = "f"
    return any_tp.op(differentiable=True)(f) if differentiable else any_tp.op(f)


def derivatives(f: Any) -> list[Callable[[], Any]]:
    at = (lift(3), lift(2, 3))
    return [
        lambda: any_tp.vjp(lambda p: f(*p), at)[1](lift(2)),
        lambda: any_tp.jvp(lambda p: f(*p), at, at),
    ]


@pytest.mark.parametrize("differentiable", [False, True])
def test_the_rule_is_right_if_nothing_is_given(differentiable: bool) -> None:
    check_grads(rule(differentiable=differentiable), (lift(3), lift(2, 3)), order=1 + differentiable)


PULL = "f: the pull's cotangent of "


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"pull": lambda g: (np.ones(2), np.ones((2, 3)))},
            ShapeError,
            PULL + r"x \(argument 0\) is R\[2\], but .* R\[3\]",
        ),
        ({"pull": lambda g: (np.ones(3), np.ones((3, 2)))}, ShapeError, PULL + r"w \(argument 1\) is L\[3, 2\], but"),
        ({"pull": lambda g: (1.0, np.ones((2, 3)))}, ShapeError, PULL + r"x \(argument 0\) is float, but .* is R\[3\]"),
        (
            {"pull": lambda g: np.ones(3)},
            TypeError,
            "f: the pull returned a ndarray; wanted a tuple of 2, one an operand",
        ),
        ({"pull": lambda g: (np.ones(3),)}, TypeError, "f: the pull returned 1 cotangents; wanted a tuple of 2"),
        ({"pull": lambda g: [np.ones(3), np.ones((2, 3))]}, TypeError, "f: the pull returned a list; wanted a tuple"),
        ({"pull": lambda g: (None, np.ones((2, 3)))}, DTypeError, PULL + r"x \(argument 0\) is a NoneType"),
        ({"pull": lambda g: (np.ones(3) * 1j, np.ones((2, 3)))}, DTypeError, PULL + r"x \(argument 0\) is an array of"),
        ({"pull": lambda g: (lift(3), np.ones((2, 3)))}, TypeError, PULL + r"x \(argument 0\) is a BVar; a rule over"),
    ],
)
def test_a_wrong_pull(given: dict[str, Any], error: type[Exception], message: str) -> None:
    reverse, forward = derivatives(rule(**given))
    with pytest.raises(error, match=message):
        reverse()
    forward()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"push": lambda dx, dw: np.ones(3)}, ShapeError, r"f: the push's tangent is R\[3\], but the value is R\[2\]"),
        ({"push": lambda dx, dw: None}, DTypeError, "f: the push's tangent is a NoneType, but the value is an array"),
        ({"push": lambda dx, dw: lift(2)}, TypeError, "f: the push's tangent is a BVar"),
    ],
)
def test_a_wrong_push(given: dict[str, Any], error: type[Exception], message: str) -> None:
    reverse, forward = derivatives(rule(**given))
    reverse()
    with pytest.raises(error, match=message):
        forward()


@pytest.mark.parametrize("several", [False, True])
def test_a_buffer_of_the_users_is_copied_and_not_written_to(several: bool) -> None:
    """A value, a cotangent and a tangent that the rule's author keeps, and uses again at the next call."""
    buffer, kept = np.empty(3), np.ones(3)

    def doubled(x: Any) -> Any:
        np.multiply(x, 2.0, out=buffer)
        return Local1((buffer, x + 1.0) if several else buffer, lambda g: kept).push(
            lambda t: (kept, t) if several else kept
        )

    f = untyped.tp.op(doubled)

    def first(x: Any) -> Any:
        return f(x)[0] if several else f(x)

    one, two = first(lift(3)), first(lift(3, seed=1))
    assert one == lift(3) * 2.0 and two == lift(3, seed=1) * 2.0
    assert not np.shares_memory(one.value, buffer)
    gradient = tp.grad(lambda x: (first(x) + first(x)).sum())(rand(3))
    assert np.array_equal(gradient, [2.0, 2.0, 2.0])
    _, tangent = tp.jvp(lambda x: first(x) + first(x), lift(3), lift(3))
    assert np.array_equal(tangent.value, [2.0, 2.0, 2.0])
    assert np.array_equal(kept, [1.0, 1.0, 1.0])


def test_a_kept_tuple_of_results_is_copied() -> None:
    kept = (np.ones(3), np.ones(3))

    def f(x: Any) -> Any:
        np.multiply(x, 2.0, out=kept[0])
        return Local1(kept, lambda g: 2.0 * g[0] + g[1])

    out = untyped.tp.op(f)(lift(3))
    kept[0][:] = np.nan
    assert out[0] == lift(3) * 2.0


def test_what_is_the_rules_alone_is_not_copied() -> None:
    """A value that its pull and push remember too, or nobody, is not copied, whatever the interpreter counts."""
    made: list[int] = []

    def remembered(x: Any) -> Any:
        y = np.exp(x)
        made.append(id(y))
        return Local1(y, lambda g: g * y).push(lambda t: t * y)

    def forgotten(x: Any) -> Any:
        y = np.exp(x)
        made.append(id(y))
        return Local1(y)

    for f in (remembered, forgotten):
        out = untyped.tp.op(f)(lift(3))
        assert id(out._value) == made.pop()


def test_wrong_results_of_a_rule_over_bvars() -> None:
    plain = rule(pull=lambda g: (np.ones(3), np.ones((2, 3))), differentiable=True)
    with pytest.raises(TypeError, match=PULL + r"x \(argument 0\) is a ndarray; a differentiable rule gives BVars"):
        derivatives(plain)[0]()
    wrong = rule(push=lambda dx, dw: lift(3), differentiable=True)
    with pytest.raises(ShapeError, match=r"f: the push's tangent is R\[3\], but the value is R\[2\]"):
        derivatives(wrong)[1]()
    single = rule(push=lambda dx, dw: lift(2, dtype=np.float32), differentiable=True)
    with pytest.raises(DTypeError, match="f: the push's tangent is float32, but the value is float64"):
        derivatives(single)[1]()
    value = rule(value=lambda x, w: w.value @ x.value, differentiable=True)
    with pytest.raises(TypeError, match="f: the value is a ndarray; a differentiable rule gives BVars"):
        value(lift(3), lift(2, 3))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (lambda x, w: "text", DTypeError, "f: the value: a str cannot be differentiated"),
        (lambda x, w: np.ones(2, int), DTypeError, "f: the value: an array of dtype int64"),
        (lambda x, w: BVar(1.0), TypeError, r"f: the value is a BVar, but .* @tp\.op\(differentiable=True\)"),
    ],
)
def test_a_wrong_value(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rule(value=value)(lift(3), lift(2, 3))


def test_several_tangents_are_a_tuple() -> None:
    @tp.op
    def two(x: float) -> Local1[float, tuple[float, float]]:
        push: Any = lambda t: t  # noqa: E731  # wrong on purpose
        return Local1((x, x), lambda g: g[0] + g[1]).push(push)

    with pytest.raises(TypeError, match="two: the push returned no tuple of 2 tangents, one a result"):
        tp.jvp(two, BVar(1.0), BVar(1.0))


def test_it_must_return_a_local() -> None:
    with pytest.raises(TypeError, match="wanted a Local1, Local2 or Local3 from the function, got a float; write"):
        any_tp.op(lambda x: 2.0 * x)(BVar(1.0))


@pytest.mark.parametrize("operand", [np.ones(3, int), "text", np.ones(3) * 1j])
def test_operands_are_floats(operand: Any) -> None:
    untyped_sine: Any = sine
    with pytest.raises(DTypeError, match=r"sine: x \(argument 0\): .* cannot be differentiated"):
        untyped_sine(operand)


def test_an_error_in_the_rule_says_where() -> None:
    def pull(g: Any) -> Any:
        raise ZeroDivisionError("in the pull")

    with pytest.raises(ZeroDivisionError, match="in the pull") as caught:
        derivatives(rule(pull=pull))[0]()
    assert "pulling a cotangent of shape (2,) back through f" in caught.value.__notes__[0]
    assert "test_primitive.py" in caught.value.__notes__[0]


# -- Nobody else's memory --------------------------------------------------------------------------------------------


def test_the_function_cannot_write_to_its_operands() -> None:
    def write(x: Any, _: Any) -> Any:
        x[0] = 1.0
        return x

    x, w = lift(3), lift(2, 3)
    with pytest.raises(ValueError, match="read-only"):
        rule(value=write)(x, w)
    plain = rand(3)
    with pytest.raises(ValueError, match="read-only"):
        rule(value=write)(plain, w)
    assert plain.flags.writeable


def test_the_pull_cannot_write_to_its_cotangent() -> None:
    def pull(g: Any) -> Any:
        g *= 2
        return np.ones(3), np.ones((2, 3))

    with pytest.raises(ValueError, match="read-only"):
        derivatives(rule(pull=pull))[0]()


def test_a_value_that_is_its_operand_is_copied() -> None:
    @tp.op
    def same(x: R[N]) -> Local1[R[N], R[N]]:
        return Local1(x, lambda g: g).push(lambda t: t)

    x = rand(3)
    assert not np.shares_memory(same(x).value, x)
    b = lift(3)
    assert not np.shares_memory(same(b).value, b.value)
    gradient = any_tp.grad(lambda x: (same(x) + x).sum())(b)
    assert np.array_equal(gradient.value, [2.0, 2.0, 2.0])
    cotangent = lift(3)
    _, pullback = tp.vjp(same, b)
    assert not np.shares_memory(pullback(cotangent).value, cotangent.value)
    assert pullback(cotangent) == pullback(cotangent) == cotangent


def test_a_cotangent_that_the_rule_keeps_is_copied() -> None:
    kept = np.ones(3)

    @tp.op
    def total(x: R[N]) -> Local1[R[N], float]:
        cotangent: Any = kept
        return Local1[R[N], float](float(x.sum()), lambda g: cotangent).push(lambda t: float(t.sum()))

    @tp.op
    def shifted(x: R[N]) -> Local1[R[N], R[N]]:
        tangent: Any = kept[:]
        return Local1(x + 1.0, lambda g: g).push(lambda t: tangent)

    b = lift(3)
    once = any_tp.grad(total)(b)
    thrice = any_tp.grad(lambda x: total(x) + total(x) + total(x))(b)
    pushed = any_tp.jvp(shifted, b, b)[1]
    for found in (once, thrice, pushed):
        assert not np.shares_memory(found.value, kept)
    assert np.array_equal(thrice.value, [3.0, 3.0, 3.0])
    assert np.array_equal(kept, np.ones(3))


def test_external_code_in_double_precision() -> None:
    # The value may be float64; the cotangent comes back in the operand's float32.
    @tp.op
    def in_double(x: R[N, np.float32]) -> Local1[R[N, np.float32], R[N]]:
        wide = x.astype(np.float64)
        y: Any = np.sin(wide)
        pull: Any = lambda g: g * np.cos(wide)  # noqa: E731  # float64, too wide on purpose
        return Local1[R[N, np.float32], R[N]](y, pull)

    gradient = any_tp.grad(lambda x: in_double(x).sum())(lift(3, dtype=np.float32))
    assert gradient.dtype == np.float32


@pytest.mark.parametrize("differentiable", [False, True])
def test_nothing_is_held(differentiable: bool) -> None:
    class Traced(np.ndarray[Any, Any]):
        pass

    alive: list[weakref.ref[Any]] = []

    def value(x: Any, w: Any) -> Any:
        made = np.ones(2).view(Traced)
        alive.append(weakref.ref(made))
        return BVar(np.asarray(made)) if differentiable else np.asarray(made)

    gc.disable()
    try:
        derivatives(rule(value=value, differentiable=differentiable))[0]()
        assert alive and all(ref() is None for ref in alive)
    finally:
        gc.enable()


@pytest.mark.parametrize("keeps", ["an array", "a tuple"])
def test_what_a_rule_keeps_for_itself_is_not_written_to(keeps: str) -> None:
    kept: list[Any] = []

    @untyped.tp.op  # type: ignore[untyped-decorator]  # untyped on purpose
    def sums(x: Any, y: Any) -> Any:
        ones = (np.ones(2), np.ones(2))
        kept.extend(ones if keeps == "an array" else (ones,))
        pull = (lambda g: ones) if keeps == "a tuple" else (lambda g: (kept[-2], kept[-1]))
        push = (lambda dx, dy: kept[-1]) if keeps == "an array" else (lambda dx, dy: ones[0])
        return Local2(x + y, pull).push(push)

    def f(x: Any, y: Any) -> Any:
        return sums(x, y) + sums(y, x) + x

    x = lift(2)
    _, pullback = any_tp.vjp(lambda pair: f(*pair), (x, x))
    found = [pullback(x), pullback(x), any_tp.grad(lambda a, b: sums(a, b).sum(), (0, 1))(x, x)]
    _, tangent = any_tp.jvp(lambda a: sums(a, a), x, x)
    arrays = kept if keeps == "an array" else [array for pair in kept for array in pair]
    assert found[0] == found[1] and (tangent.value == 1.0).all()
    assert all((array == 1.0).all() for array in arrays)
    for leaf in [*any_tp.tree.leaves(found), tangent]:
        assert not any(np.may_share_memory(leaf.value, array) for array in arrays)


def test_a_new_array_of_a_rule_is_not_copied() -> None:
    places: list[int] = []

    @untyped.tp.op  # type: ignore[untyped-decorator]  # untyped on purpose
    def twice(x: Any) -> Any:
        def pull(g: Any) -> Any:
            doubled = 2.0 * g
            places.append(doubled.ctypes.data)
            return doubled

        return Local1(2.0 * x, pull)

    gradient = any_tp.grad(lambda x: twice(x).sum())(lift(2))
    assert [gradient.value.ctypes.data] == places


def test_a_finished_gradients_bvar_is_refused() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        return x * x

    any_tp.grad(f)(2.0)
    with pytest.raises(EscapedBVarError):
        product(kept[0], 1.0)


# -- An ordinary differential equation, solved by SciPy --------------------------------------------------------------


class States(Dim): ...


class Rates(Dim): ...


def velocity(y: Any, rates: Any) -> Any:
    """Two species: prey that grows and is eaten, predators that eat and die; on plain arrays and on BVars."""
    prey, predators = y
    growth, eaten, born, death = rates
    return any_tp.stack([growth * prey - eaten * prey * predators, born * prey * predators - death * predators])


@tp.op
def populations(start: R[N], rates: R[K], *, time: float) -> Local2[R[N], R[K], R[N]]:
    """The state at `time`, and the derivative by the adjoint method: a second equation, integrated backward."""
    exactly: Any = {"rtol": 1e-10, "atol": 1e-12, "method": "DOP853"}
    forward = integrate.solve_ivp(lambda _, y: velocity(y, rates), (0.0, time), start, dense_output=True, **exactly)

    def pull(g: R[N]) -> tuple[R[N], R[K]]:
        size = len(start)

        def backward(t: float, augmented: Any) -> Any:
            adjoint = BVar(augmented[:size])
            _, pullback = any_tp.vjp(lambda p: velocity(*p), (BVar(forward.sol(t)), BVar(rates)))
            to_state, to_rates = pullback(adjoint)
            return -np.concatenate([to_state.value, to_rates.value])

        last = np.concatenate([g, np.zeros(len(rates))])
        result: Any = integrate.solve_ivp(backward, (time, 0.0), last, **exactly).y[:, -1]
        return result[:size], result[size:]

    end: Any = forward.y[:, -1]
    return Local2(end, pull)


def test_an_ode_solver_with_its_adjoint() -> None:
    start = BVar(tp.vector([1.0, 0.5], States(2)))
    rates = BVar(tp.vector([1.1, 0.4, 0.1, 0.4], Rates(4)))
    target = tp.vector([2.0, 0.6], States(2))

    def loss(start: BVar[R[States]], rates: BVar[R[Rates]]) -> BVar[float]:
        error = populations(start, rates, time=2.0) - target
        return error @ error

    check_grads(loss, (start, rates), order=1, modes=("rev",))

    # Against the derivative of a Runge-Kutta method of fixed steps, which is differentiated through.
    def stepped(y: Any, rates: Any, steps: int = 200) -> Any:
        h = 2.0 / steps
        for _ in range(steps):
            k1 = velocity(y, rates)
            k2 = velocity(y + 0.5 * h * k1, rates)
            k3 = velocity(y + 0.5 * h * k2, rates)
            k4 = velocity(y + h * k3, rates)
            y = y + (h / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        error = y - target
        return error @ error

    ours = any_tp.grad(loss, argnums=(0, 1))(start, rates)
    theirs = any_tp.grad(stepped, argnums=(0, 1))(start, rates)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.value, other.value, rtol=1e-7)
