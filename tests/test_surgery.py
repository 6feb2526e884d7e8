"""Differentiable record surgery: making records of records, with Python's own means."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, NamedTuple

import attrs
import pytest

import typedprop as tp
from tests.untyped import lift
from typedprop import BVar, Dim, L, R, Record, tree
from typedprop.testing import check_grads


class Inputs(Dim): ...


class Outputs(Dim): ...


@attrs.frozen
class Layer(Record):
    weight: BVar[L[Outputs, Inputs]]
    bias: BVar[R[Outputs]]
    name: str = "layer"


@attrs.frozen
class Model(Record):
    layers: tuple[Layer, Layer]
    scale: BVar[float]


def layer(seed: int = 0, name: str = "layer") -> Layer:
    return Layer(lift(2, 3, seed=seed), lift(2, seed=seed + 1), name)


def run(layer: Layer) -> BVar[float]:
    return tp.sum(layer.weight) * 2.0 + layer.bias @ layer.bias


# -- attrs.evolve ----------------------------------------------------------------------------------------------------


def test_evolve_is_differentiable_in_the_old_record_and_in_the_new_field() -> None:
    def f(old: Layer, bias: BVar[R[Outputs]]) -> BVar[float]:
        return run(attrs.evolve(old, bias=bias * 3.0))

    old, bias = layer(), BVar(tp.vector([1.0, 2.0], Outputs(2)))
    by_old, by_bias = tp.grad(f, argnums=(0, 1))(old, bias)
    # The overwritten field gets zeros of its own shape, the static field is carried.
    assert by_old == Layer(BVar(tp.full(Outputs(2), Inputs(3), fill_value=2.0)), BVar(tp.zeros(Outputs(2))))
    assert by_bias == bias * 18.0
    check_grads(f, (old, bias), order=2)


def test_evolve_with_a_function_of_the_old_field() -> None:
    def f(old: Layer) -> BVar[float]:
        return run(attrs.evolve(old, weight=tp.tanh(old.weight), name="squashed"))

    check_grads(f, (layer(),), order=2)


def test_evolve_deep_inside() -> None:
    def f(model: Model, bias: BVar[R[Outputs]]) -> BVar[float]:
        first, second = model.layers
        changed = attrs.evolve(model, layers=(first, attrs.evolve(second, bias=bias)))
        return changed.scale * sum((run(layer) for layer in changed.layers), BVar(0.0))

    model = Model((layer(0, "a"), layer(2, "b")), BVar(1.5))
    gradient = tp.grad(f)(model, model.layers[0].bias)
    assert not gradient.layers[1].bias.value.any() and gradient.layers[0].bias.value.all()
    assert (gradient.layers[0].name, gradient.layers[1].name) == ("a", "b")
    check_grads(f, (model, model.layers[0].bias), order=2)


def test_copy_replace_is_evolve() -> None:
    replace: Any = getattr(copy, "replace", None)
    if replace is None:
        pytest.skip("copy.replace came with Python 3.13")

    def f(old: Layer) -> BVar[float]:
        return run(replace(old, bias=old.bias * 2.0))

    gradient = tp.grad(f)(layer())
    assert gradient.bias == layer().bias * 8.0


# -- dataclasses.replace, named tuples -------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Pair:
    left: BVar[float]
    right: BVar[float]
    label: str = ""


class Point(NamedTuple):
    x: BVar[float]
    y: BVar[float]


def test_dataclasses_replace() -> None:
    def f(pair: Pair, left: BVar[float]) -> BVar[float]:
        new = dataclasses.replace(pair, left=left * pair.right, label="new")
        return new.left * new.left + new.right

    pair = Pair(BVar(2.0), BVar(3.0), "old")
    by_pair, by_left = tp.grad(f, argnums=(0, 1))(pair, BVar(5.0))
    assert by_pair == Pair(BVar(0.0), BVar(2.0 * 15.0 * 5.0 + 1.0), "old")
    assert by_left.value == 2.0 * 15.0 * 3.0
    check_grads(f, (pair, BVar(5.0)), order=2)


def test_named_tuple_replace() -> None:
    def f(p: Point) -> BVar[float]:
        q = p._replace(x=p.y * p.y)
        return q.x * q.y

    assert tp.grad(f)(Point(BVar(2.0), BVar(3.0))) == Point(BVar(0.0), BVar(27.0))


# -- Dicts and lists -------------------------------------------------------------------------------------------------

Weights = dict[str, BVar[float]]


def test_dict_union() -> None:
    def f(defaults: Weights, given: Weights) -> BVar[float]:
        merged = defaults | given
        merged |= {"c": merged["a"] * merged["b"]}
        return merged["a"] + merged["b"] * 2.0 + merged["c"]

    defaults = {"a": BVar(2.0), "b": BVar(3.0)}
    given = {"b": BVar(5.0), "unused": BVar(7.0)}
    by_defaults, by_given = tp.grad(f, argnums=(0, 1))(defaults, given)
    assert by_defaults == {"a": BVar(6.0), "b": BVar(0.0)}
    assert by_given == {"b": BVar(4.0), "unused": BVar(0.0)}


def test_dict_comprehension_and_unpacking() -> None:
    def f(weights: Weights) -> BVar[float]:
        squares = {key.upper(): w * w for key, w in weights.items() if key != "c"}
        everything = {**squares, **weights}
        return sum(everything.values(), BVar(0.0))

    gradient = tp.grad(f)({key: BVar(float(k)) for k, key in enumerate("abc", 1)})
    assert gradient == {"a": BVar(3.0), "b": BVar(5.0), "c": BVar(1.0)}


def test_list_comprehension() -> None:
    def f(layers: list[Layer]) -> BVar[float]:
        doubled = [attrs.evolve(each, bias=each.bias * 2.0) for each in layers]
        return sum((run(each) for each in [*doubled, layers[0]][1:]), BVar(0.0))

    layers = [layer(seed) for seed in range(3)]
    gradient = tp.grad(f)(layers)
    assert [g.bias == each.bias * k for g, each, k in zip(gradient, layers, [2.0, 8.0, 8.0], strict=True)] == [True] * 3


def test_insertion_removal_and_slices_of_a_list() -> None:
    def f(items: list[BVar[float]]) -> BVar[float]:
        own = list(items)
        own.append(own.pop(0) * 2.0)
        own[1:2] = [own[1] * own[1], own[0]]
        own.reverse()
        return sum((item * float(10**k) for k, item in enumerate(own)), BVar(0.0))

    # [a, b, c] becomes [2a, b, c², b], the last first.
    assert tp.grad(f)([BVar(1.0), BVar(2.0), BVar(3.0)]) == [BVar(2.0), BVar(1010.0), BVar(600.0)]


# -- tree.map --------------------------------------------------------------------------------------------------------


def test_tree_map_over_several_trees() -> None:
    def momentum(model: Model, velocity: Model, gradient: Model) -> Model:
        return tree.map(lambda p, v, g: p + 0.9 * v - 0.1 * g * g, model, velocity, gradient)

    models = [Model((layer(k, "a"), layer(k + 1, "b")), BVar(1.0 + k)) for k in (0, 5, 9)]
    stepped = momentum(*models)
    assert type(stepped) is Model and stepped.layers[1].name == "b"
    assert stepped.scale.value == 1.0 + 0.9 * 6.0 - 0.1 * 10.0 * 10.0

    def f(a: Model, b: Model, c: Model) -> BVar[float]:
        return sum((run(each) for each in momentum(a, b, attrs.evolve(c, layers=a.layers)).layers), BVar(0.0))

    # Trees that differ in a static value are refused, so the layers of all three have the same names.
    check_grads(f, models, order=2)


def test_tree_map_changes_the_kind_of_leaf() -> None:
    def norms(model: Model) -> BVar[float]:
        squares = tree.map(lambda leaf: (leaf * leaf).sum() if leaf.shape else leaf * leaf, model)
        return sum(tree.leaves(squares), BVar(0.0))

    model = Model((layer(0), layer(1)), BVar(1.5))
    assert tp.grad(norms)(model) == 2.0 * model


# -- match -----------------------------------------------------------------------------------------------------------


def test_match() -> None:
    def f(value: Layer | Pair | Point | Weights | list[BVar[float]]) -> BVar[float]:
        match value:
            case Layer(weight, bias, name="doubled"):
                return 2.0 * (tp.sum(weight) + tp.sum(bias))
            case Layer(bias=bias):
                return tp.sum(bias)
            case Pair(left=left) if left > 1.0:
                return left * left
            case Point(x, y):
                return x * y
            case {"a": a, **rest}:
                return a * float(len(rest))
            case [first, *_, last]:
                return first / last
            case _:
                return BVar(0.0)

    ones = Layer(BVar(tp.ones(Outputs(2), Inputs(3))), BVar(tp.ones(Outputs(2))), "doubled")
    assert tp.grad(f)(ones) == 2.0 * ones
    plain = attrs.evolve(ones, name="plain")
    assert tp.grad(f)(plain) == attrs.evolve(plain, weight=0.0 * plain.weight)
    assert tp.grad(f)(Pair(BVar(3.0), BVar(4.0))) == Pair(BVar(6.0), BVar(0.0))
    assert tp.grad(f)(Pair(BVar(0.5), BVar(4.0))) == Pair(BVar(0.0), BVar(0.0))
    assert tp.grad(f)(Point(BVar(3.0), BVar(4.0))) == Point(BVar(4.0), BVar(3.0))
    assert tp.grad(f)({"a": BVar(1.0), "b": BVar(2.0)}) == {"a": BVar(1.0), "b": BVar(0.0)}
    assert tp.grad(f)([BVar(1.0), BVar(5.0), BVar(2.0)]) == [BVar(0.5), BVar(0.0), BVar(-0.25)]


# -- Optional --------------------------------------------------------------------------------------------------------


@attrs.frozen
class Affine(Record):
    slope: BVar[float]
    offset: BVar[float] | None = None


def test_optional() -> None:
    def f(model: Affine, x: float) -> BVar[float]:
        y = model.slope * x
        return y if model.offset is None else y + model.offset

    assert tp.grad(f)(Affine(BVar(2.0)), 3.0) == Affine(BVar(3.0))
    assert tp.grad(f)(Affine(BVar(2.0), BVar(1.0)), 3.0) == Affine(BVar(3.0), BVar(1.0))


def test_a_field_that_is_filled_in() -> None:
    def f(model: Affine) -> BVar[float]:
        filled = attrs.evolve(model, offset=model.slope * 2.0) if model.offset is None else model
        assert filled.offset is not None
        return filled.offset * filled.slope

    assert tp.grad(f)(Affine(BVar(3.0))) == Affine(BVar(12.0))
