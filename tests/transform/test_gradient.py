from __future__ import annotations

import inspect
import math
from collections import OrderedDict
from fractions import Fraction
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import numpy as np
import pytest

from tests.untyped import DTYPES, BVar, anp, autograd, difference, lift, rand, tp
from typedprop.errors import NotDifferentiableError

T = TypeVar("T")


@attrs.frozen
class Line(tp.Record):  # type: ignore[misc]  # the untyped view of Record
    slope: Any
    offset: Any


@attrs.frozen
class Model(Generic[T]):
    first: Line
    others: list[Line]
    scale: Any
    name: str = "model"
    hidden: Any = None


@attrs.frozen
class Weighted:
    weight: Any


class Pair(NamedTuple):
    a: Any
    b: Any


def line(seed: int = 0, dtype: Any = np.float64) -> Line:
    return Line(lift(3, 3, seed=seed, dtype=dtype), lift(3, seed=seed + 1, dtype=dtype))


def model(dtype: Any = np.float64) -> Model[Any]:
    return Model(line(0, dtype), [line(2, dtype), line(4, dtype)], BVar(0.5))


def run(net: Model[Any], x: Any) -> Any:
    for layer in (net.first, *net.others):
        x = tp.tanh(layer.slope @ x + layer.offset)
    return (x * net.scale).sum()


# -- The gradient is of the argument's type --------------------------------------------------------------------------


def test_scalars() -> None:
    gradient = tp.grad(lambda x: x * x * x)(BVar(2.0))
    assert type(gradient) is BVar and type(gradient.value) is float and gradient.value == 12.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_records(dtype: Any) -> None:
    net, x = model(dtype), rand(3, dtype=dtype)
    gradient = tp.grad(run)(net, x)
    assert type(gradient) is Model and type(gradient.first) is Line and [*map(type, gradient.others)] == [Line, Line]
    assert gradient.name == "model" and gradient.hidden is None
    for mine, its in zip(tp.tree.leaves(gradient), tp.tree.leaves(net), strict=True):
        assert mine.shape == its.shape and mine.dtype == its.dtype

    def reference(parameters: Any) -> Any:
        y = x
        for slope, offset in parameters[0]:
            y = anp.tanh(anp.dot(slope, y) + offset)
        return anp.sum(y * parameters[1])

    layers = [(layer.slope.value, layer.offset.value) for layer in (net.first, *net.others)]
    wanted, by_scale = autograd.grad(reference)((layers, 0.5))
    rtol = 1e-12 if dtype is np.float64 else 1e-3
    for layer, (slope, offset) in zip((gradient.first, *gradient.others), wanted, strict=True):
        np.testing.assert_allclose(layer.slope.value, slope, rtol=rtol)
        np.testing.assert_allclose(layer.offset.value, offset, rtol=rtol)
    assert gradient.scale.value == pytest.approx(by_scale, rel=rtol)


@pytest.mark.parametrize(
    "argument",
    [
        (BVar(2.0), BVar(3.0)),
        [BVar(2.0), BVar(3.0)],
        Pair(BVar(2.0), BVar(3.0)),
        {"a": BVar(2.0), 1: BVar(3.0)},
        OrderedDict(x=BVar(2.0), y=BVar(3.0)),
    ],
    ids=lambda argument: type(argument).__name__,
)
def test_containers(argument: Any) -> None:
    def f(tree: Any) -> Any:
        x, y = tree.values() if isinstance(tree, dict) else tree
        return x * x * y

    gradient = tp.grad(f)(argument)
    assert type(gradient) is type(argument)
    assert [leaf.value for leaf in tp.tree.leaves(gradient)] == [12.0, 4.0]
    if isinstance(argument, dict):
        assert [*gradient] == [*argument]


def test_a_list_grows_with_its_length() -> None:
    for n in (1, 2, 5):
        layers = [lift(2, 2, seed=k) for k in range(n)]
        gradient = tp.grad(lambda ws: sum((w * w).sum() for w in ws))(layers)
        assert len(gradient) == n
        assert all(g == 2.0 * w for g, w in zip(gradient, layers, strict=True))


def test_alternatives_by_match() -> None:
    """A sum type: the gradient is of the variant that was given."""

    def f(shape: Line | Pair) -> Any:
        match shape:
            case Line(slope, offset):
                return slope * offset
            case Pair(a, _):
                return a * a

    assert tp.grad(f)(Line(BVar(2.0), BVar(3.0))) == Line(BVar(3.0), BVar(2.0))
    assert tp.grad(f)(Pair(BVar(2.0), BVar(3.0))) == Pair(BVar(4.0), BVar(0.0))


def test_what_is_not_used_gets_zeros_of_its_own() -> None:
    unused = Line(lift(2, 3, dtype=np.float32), lift(0))
    gradient = tp.grad(lambda tree: tree[0] * 2.0)((BVar(1.0), unused, [BVar(3.0)]))
    assert gradient[0].value == 2.0
    assert gradient[1].slope == BVar(np.zeros((2, 3))) and gradient[1].slope.dtype == np.float32
    assert gradient[1].offset.shape == (0,)
    assert gradient[2] == [BVar(0.0)]


def test_an_overwritten_field_gets_zero() -> None:
    new = BVar(5.0)
    old, by_new = tp.grad(lambda r, n: (lambda s: s.slope * s.offset)(attrs.evolve(r, slope=n)), (0, 1))(
        Line(BVar(2.0), BVar(3.0)), new
    )
    assert old == Line(BVar(0.0), BVar(5.0)) and by_new.value == 3.0


@pytest.mark.parametrize("output", [0.0, 3, np.float64(2.0), BVar(4.0)])
def test_a_loss_that_does_not_depend(output: Any) -> None:
    value, gradient = tp.value_and_grad(lambda x: output)(lift(3))
    assert type(value) is BVar and value.value == (output.value if type(output) is BVar else output)
    assert gradient == BVar(np.zeros(3))


def test_plain_arguments_come_back_plain() -> None:
    gradient = tp.grad(lambda x: x * x)(3.0)
    assert type(gradient) is float and gradient == 6.0
    assert type(tp.grad(lambda x: x * x)(3)) is float
    for dtype in DTYPES:
        array = rand(2, 3, dtype=dtype)
        found = tp.grad(lambda x: (x * x).sum())(array)
        assert type(found) is np.ndarray and found.dtype == dtype
        np.testing.assert_array_equal(found, 2 * array)


# -- argnums, further arguments, the value ---------------------------------------------------------------------------


def test_argnums() -> None:
    def f(x: Any, y: Any, z: Any) -> Any:
        return x * y * y * z

    args = BVar(2.0), BVar(3.0), BVar(5.0)
    wanted = 45.0, 60.0, 18.0
    for k in (0, 1, 2):
        assert tp.grad(f, k)(*args).value == wanted[k]
        assert tp.grad(f, argnums=k)(*args).value == wanted[k]
    assert tuple(g.value for g in tp.grad(f, (0, 1, 2))(*args)) == wanted
    assert tuple(g.value for g in tp.grad(f, (2, 0))(*args)) == (18.0, 45.0)
    value, gradients = tp.value_and_grad(f, (0, 1))(*args)
    assert value.value == 90.0 and tuple(g.value for g in gradients) == (45.0, 60.0)
    value, gradient = tp.value_and_grad(f)(*args)
    assert value.value == 90.0 and gradient.value == 45.0
    # A tuple of one number gives a tuple of one gradient.
    assert tp.grad(f, (1,))(*args) == (BVar(60.0),)


def test_a_plain_argument_beside_a_bvar() -> None:
    """Each comes back as it was given."""
    by_x, by_y = tp.grad(lambda x, y: x * y.weight, (0, 1))(2.0, Weighted(BVar(3.0)))
    assert type(by_x) is float and by_x == 3.0 and by_y == Weighted(BVar(2.0))
    by_x, by_y = tp.grad(lambda x, y: x * y, (0, 1))(2.0, BVar(3.0))
    assert type(by_x) is float and by_y == BVar(2.0)


def test_argnums_with_the_same_value_twice() -> None:
    x = BVar(3.0)
    assert tp.grad(lambda a, b: a * a * b, (0, 1))(x, x) == (BVar(18.0), BVar(9.0))


def test_further_arguments_may_have_any_name() -> None:
    def f(x: Any, y: Any, *, self: Any, chosen: Any, args: Any) -> Any:
        return x * y * self * chosen * args

    assert tp.grad(f, 1)(BVar(2.0), BVar(3.0), self=5.0, chosen=7.0, args=11.0).value == 770.0
    assert tp.grad(f)(BVar(2.0), BVar(3.0), self=5.0, chosen=7.0, args=11.0).value == 1155.0


def test_argnums_out_of_range() -> None:
    with pytest.raises(NotDifferentiableError, match=r"argnums is 1, but 1 positional arguments were given"):
        tp.grad(lambda x: x, argnums=1)(BVar(1.0))
    with pytest.raises(NotDifferentiableError, match="grad of f: argnums is 2, but 1 positional arguments were given"):

        def f(x: Any) -> Any:
            return x

        tp.grad(f, 2)(BVar(1.0))


def test_further_arguments_pass_through() -> None:
    labels = np.array([1, 2, 3])
    seen = []

    def f(x: Any, y: Any, *more: Any, factor: Any, **options: Any) -> Any:
        seen.append((y, more, options))
        return (x * y).sum() * factor

    gradient = tp.grad(f)(lift(3), labels, "anything", factor=2.0, verbose=True)
    assert np.array_equal(gradient.value, [2.0, 4.0, 6.0])
    assert seen[0][0] is labels and seen[0][1:] == (("anything",), {"verbose": True})
    assert tp.backprop(f, lift(3), labels, factor=2.0)[1] == gradient


def test_a_further_argument_may_be_a_bvar() -> None:
    """It is a constant of this gradient, even where it is the argument of another."""
    constant = BVar(3.0)
    assert tp.grad(lambda x, c: x * x * c)(BVar(2.0), constant).value == 12.0
    assert tp.grad(lambda y: tp.grad(lambda x, c: x * x * c)(BVar(2.0), y))(constant).value == 4.0


def test_value_and_grad_agrees_with_both() -> None:
    net, x = model(), rand(3)
    value, gradient = tp.value_and_grad(run)(net, x)
    assert value == run(net, x) and gradient == tp.grad(run)(net, x)
    value, gradient = tp.backprop(run, net, x)
    assert value == run(net, x) and gradient == tp.grad(run)(net, x)


def test_names_and_signatures_are_kept() -> None:
    for transformed in (tp.grad(run), tp.value_and_grad(run)):
        assert transformed.__name__ == "run" and inspect.signature(transformed) == inspect.signature(run)


def test_backprop_of_what_is_not_a_scalar_is_of_the_sum() -> None:
    x = lift(2, 3)
    value, gradient = tp.backprop(lambda a: a * a, x)
    assert value == x * x and gradient == 2.0 * x
    single = lift(3, dtype=np.float32)
    value, gradient = tp.backprop(lambda a: a * a, single)
    assert value.dtype == gradient.dtype == np.float32
    value, gradient = tp.backprop(lambda a: 3.0, x)
    assert value.value == 3.0 and gradient == BVar(np.zeros((2, 3)))
    value, gradient = tp.backprop(lambda a: Fraction(1, 3), x)
    assert value.value == Fraction(1, 3) and gradient == BVar(np.zeros((2, 3)))


def test_the_argument_is_unchanged_and_the_result_its_own() -> None:
    x = lift(3)
    before = x.value.copy()
    for f in (lambda a: a.sum(), lambda a: a @ a, lambda a: a[0], lambda a: (a + a).sum(), lambda a: a.reshape(3)[1]):
        value, gradient = tp.value_and_grad(f)(x)
        assert np.array_equal(x.value, before)
        assert not np.shares_memory(gradient.value, x.value)
        assert type(value.value) is float
    for f in (lambda a: a, lambda a: x, lambda a: x.reshape(3)):
        assert not np.shares_memory(tp.backprop(f, x)[0].value, x.value)
    # Be the argument a view of the result, or the result one of the argument.
    assert not np.shares_memory(tp.backprop(lambda a: x, x.reshape((1, 3)))[0].value, x.value)
    value, gradient = tp.backprop(lambda a: a, x)
    assert not np.shares_memory(value.value, x.value) and not np.shares_memory(gradient.value, value.value)
    for view in (lambda a: a.T, lambda a: a.reshape(6), lambda a: a[0], lambda a: a[:, 1]):
        value, gradient = tp.backprop(view, lift(2, 3))
        assert not np.shares_memory(value.value, gradient.value)
    first, second = tp.grad(lambda a, b: (a + b).sum(), (0, 1))(rand(3), rand(3))
    first += 1
    assert np.array_equal(second, np.ones(3))


def test_constants_in_the_function_stay_constants() -> None:
    weights = BVar(np.array([1.0, 2.0, 3.0]))
    gradient = tp.grad(lambda x: x @ weights)(np.zeros(3))
    gradient += 10
    assert np.array_equal(weights.value, [1.0, 2.0, 3.0])
    assert np.array_equal(tp.grad(lambda x: x @ weights)(np.zeros(3)), [1.0, 2.0, 3.0])


# -- Higher orders ---------------------------------------------------------------------------------------------------


def test_higher_derivatives_of_scalars() -> None:
    f: Any = tp.exp
    for _ in range(5):
        f = tp.grad(f)
        assert f(0.5) == pytest.approx(math.exp(0.5), rel=1e-15)
    g: Any = lambda x: x**5 / (1 + x * x)  # noqa: E731
    # By the series of x^5 / (1 + x^2) at 0: x^5 - x^7 + ...
    derivatives = []
    for _ in range(5):
        g = tp.grad(g)
        derivatives.append(g(0.0))
    assert derivatives == pytest.approx([0.0, 0.0, 0.0, 0.0, 120.0])


def test_second_derivative_is_the_hessian() -> None:
    def f(x: Any) -> Any:
        return tp.sum(tp.exp(x * x[0])) + (x @ x) ** 2

    def reference(x: Any) -> Any:
        return anp.sum(anp.exp(x * x[0])) + anp.dot(x, x) ** 2

    x = rand(4)
    rows = [tp.grad(lambda y: tp.grad(f)(y)[i])(x) for i in range(4)]  # noqa: B023
    np.testing.assert_allclose(rows, autograd.hessian(reference)(x), rtol=1e-12)
    np.testing.assert_allclose(
        rows[1], difference(lambda v: float(tp.grad(f)(np.asarray(v))[1]), x), rtol=1e-6, atol=1e-6
    )


def test_a_gradient_penalty_on_a_record() -> None:
    net, x = model(), rand(3)

    def penalty(net: Model[Any], x: Any) -> Any:
        by_input = tp.grad(run, 1)(net, BVar(x))
        return run(net, x) + 0.1 * (by_input @ by_input)

    gradient = tp.grad(penalty)(net, x)
    assert type(gradient) is Model

    def at(flat: Any) -> float:
        leaves, structure = tp.tree.flatten(net)
        pieces, start = [], 0
        for leaf in leaves:
            pieces.append(BVar(flat[start : start + leaf.size].reshape(leaf.shape)))
            start += leaf.size
        return float(penalty(structure.unflatten(pieces), x).value)

    leaves = tp.tree.leaves(net)
    flat = np.concatenate([np.ravel(leaf.value) for leaf in leaves])
    found = np.concatenate([np.ravel(leaf.value) for leaf in tp.tree.leaves(gradient)])
    np.testing.assert_allclose(found, difference(at, flat), rtol=1e-5, atol=1e-8)


def test_a_gradient_of_a_step_of_descent() -> None:
    """Differentiating through an update of a record, by the rate."""
    net, x = model(), rand(3)

    def after(rate: Any) -> Any:
        return run(tp.tree.map(lambda p, g: p - rate * g, net, tp.grad(run)(net, x)), x)

    slope = tp.grad(after)(0.1)
    assert slope == pytest.approx(float(difference(lambda r: after(BVar(float(r))).value, 0.1)), rel=1e-6)


def test_a_record_computes_inside_of_a_gradient() -> None:
    def f(a: Any, b: Any) -> Any:
        c = a - 0.5 * b + b / 2.0
        return (c.slope * c.slope).sum() + c.offset.sum()

    a, b = line(0), line(2)
    by_a, by_b = tp.grad(f, (0, 1))(a, b)
    np.testing.assert_allclose(by_a.slope.value, 2 * a.slope.value, rtol=1e-14)
    np.testing.assert_allclose(by_b.slope.value, 0, atol=1e-15)


# -- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", [None, "text", [], (), {}, [1.0, 2.0], object(), Line(1.0, None)])
def test_an_argument_without_bvars(argument: Any) -> None:
    with pytest.raises(NotDifferentiableError) as caught:
        tp.grad(lambda x: BVar(1.0))(argument)
    message = str(caught.value)
    assert "tp.register" not in message
    assert message.startswith("grad of <lambda>, argument 0: there is no BVar in this ")
    assert type(argument).__name__ in message and "BVar(1.0)" in message


def test_an_argument_of_a_type_that_is_not_known() -> None:
    class Money:
        pass

    for transformed in (tp.grad(lambda x: x), lambda money: tp.vjp(lambda x: x, money)):
        with pytest.raises(NotDifferentiableError) as caught:
            transformed(Money())
        assert "there is no BVar in this Money to differentiate" in str(caught.value)
        assert str(caught.value).endswith(
            "To differentiate by values of type Money, give it to tp.register; for a container of BVars, give it to "
            "tree.register_node"
        )
    # A record is known already.
    with pytest.raises(NotDifferentiableError, match=r"BVar\(1\.0\)$"):
        tp.grad(lambda x: x)(Line(1.0, None))


def test_an_iterator_is_not_looked_at() -> None:
    with pytest.raises(NotDifferentiableError, match=r"no BVar in this generator .*; pass a list of it"):
        tp.grad(lambda x: next(x))(b for b in [BVar(1.0)])


def test_the_argument_is_named() -> None:
    def loss(x: Any, y: Any) -> Any:
        return x * y

    with pytest.raises(NotDifferentiableError, match="grad of loss, argument 1: there is no BVar in this str"):
        tp.grad(loss, (0, 1))(BVar(1.0), "no")
    with pytest.raises(TypeError, match="grad of loss, argument 1: True \\(bool\\) cannot be differentiated"):
        tp.grad(loss, 1)(BVar(1.0), True)
    with pytest.raises(NotDifferentiableError, match="backprop: there is no BVar in this str"):
        tp.backprop(loss, "no", 1.0)
