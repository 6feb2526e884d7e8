"""Optimisers: the weights of PyTorch's after each step, types that belong together, and nothing shared."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, assert_type

import attrs
import numpy as np
import pytest
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, R, Record, optim

# What PyTorch's optimisers did: see torch_optimizers.py beside it.
TORCH: Any = json.loads((Path(__file__).parents[1] / "data" / "torch_optimizers.json").read_text())

D = TypeVar("D", bound=np.generic)


class Rows(Dim): ...


class Columns(Dim): ...


@attrs.frozen
class Weights(Record, Generic[D]):
    matrix: BVar[L[Rows, Columns, D]]
    vector: BVar[R[Any, D]]
    scalar: BVar[float]


@attrs.frozen
class Point(Record):
    x: BVar[float]
    y: BVar[float]


def weights(values: Any, dtype: str = "float64") -> Any:
    lift: Any = BVar
    return Weights(
        lift(np.array(values["matrix"], dtype)), lift(np.array(values["vector"], dtype)), BVar(values["scalar"])
    )


OPTIMIZERS: dict[str, Callable[[], optim.Optimizer]] = {
    "sgd": lambda: optim.sgd(0.1),
    "momentum": lambda: optim.sgd(0.1, momentum=0.9),
    "nesterov": lambda: optim.sgd(0.1, 0.8, nesterov=True),
    "sgd, weight decay": lambda: optim.chain(optim.add_decayed_weights(0.05), optim.sgd(0.1, 0.9)),
    "adam": lambda: optim.adam(0.01),
    "adam, other constants": lambda: optim.adam(0.1, b1=0.8, b2=0.9, eps=1e-3),
    "adam, weight decay": lambda: optim.chain(optim.add_decayed_weights(0.05), optim.adam(0.01)),
    "adamw": lambda: optim.adamw(0.01, weight_decay=0.1),
    "rmsprop": lambda: optim.rmsprop(0.01),
    "rmsprop, momentum": lambda: optim.rmsprop(0.01, decay=0.99, eps=1e-4, momentum=0.9),
    "rmsprop, centered": lambda: optim.rmsprop(0.01, 0.95, 1e-2, centered=True, momentum=0.5),
    "adagrad": lambda: optim.adagrad(0.1),
    "adagrad, other constants": lambda: optim.adagrad(0.1, initial_accumulator=0.1, eps=1e-7),
}

optimizers = pytest.mark.parametrize("optimizer", [make() for make in OPTIMIZERS.values()], ids=OPTIMIZERS)


def close(found: Any, expected: Any, tolerance: float) -> None:
    for name in ("matrix", "vector", "scalar"):
        np.testing.assert_allclose(getattr(found, name).value, expected[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TORCH["weights"])
def test_the_steps_of_torch(name: str, dtype: str) -> None:
    optimizer = OPTIMIZERS[name]()
    net = weights(TORCH["start"], dtype)
    state = optimizer.init(net)
    for gradient, expected in zip(TORCH["gradients"], TORCH["weights"][name][dtype], strict=True):
        updates, state = optimizer.update(weights(gradient, dtype), state, net)
        net = net + updates
        # Rounding alone: PyTorch's float32 scalar is a float64 here.
        close(net, expected, 1e-13 if dtype == "float64" else 3e-6)
        assert net.matrix.dtype == net.vector.dtype == dtype
        assert type(net.scalar.value) is float


def test_every_golden_number_is_used() -> None:
    assert set(TORCH["weights"]) == set(OPTIMIZERS)


@pytest.mark.parametrize("by", TORCH["clipped"])
def test_the_clipping_of_torch(by: str) -> None:
    clipping = optim.clip(0.25) if by == "value" else optim.clip_by_global_norm(1.0)
    net = weights(TORCH["start"])
    changed = 0
    for gradient, expected in zip(TORCH["gradients"], TORCH["clipped"][by], strict=True):
        clipped, state = clipping.update(weights(gradient), clipping.init(net), net)
        assert state == clipping.init(net)
        # PyTorch divides by the norm plus 1e-6.
        close(clipped, expected, 1e-15 if by == "value" else 2e-6)
        changed += clipped != weights(gradient)
    assert 0 < changed < len(TORCH["gradients"]), "some gradients are short enough, some are not"


# -- One state for one record ------------------------------------------------------------------------------------------


def test_types() -> None:
    net = Weights(BVar(tp.zeros(Rows(2), Columns(3))), BVar(tp.zeros(4)), BVar(0.0))
    o = optim.adam(1e-3)
    state = o.init(net)
    assert_type(state, optim.AdamState[Weights[np.float64]])
    assert_type(state.mean.matrix, BVar[L[Rows, Columns]])
    updates, state = o.update(net, state, net)
    assert_type(updates, Weights[np.float64])
    assert_type(net + updates, Weights[np.float64])

    chained = optim.chain(optim.clip(1.0), o)
    chain_state = chained.init(net)
    assert_type(chain_state, optim.ChainState[Weights[np.float64]])

    def step(any_optimizer: optim.Optimizer, gradient: Point, state: optim.State[Point], at: Point) -> Point:
        updates, _ = any_optimizer.update(gradient, state, at)
        assert_type(updates, Point)
        return at + updates

    point = Point(BVar(1.0), BVar(2.0))
    assert step(optim.sgd(0.5), point, optim.sgd(0.5).init(point), point) == 0.5 * point
    pair = (BVar(1.0), [BVar(2.0)])
    assert_type(optim.apply_updates(pair, pair), tuple[BVar[float], list[BVar[float]]])
    assert optim.apply_updates(pair, pair) == (BVar(2.0), [BVar(4.0)])


def test_what_does_not_belong_together() -> None:
    net: Weights[np.float64] = weights(TORCH["start"])
    point = Point(BVar(1.0), BVar(2.0))
    o = optim.adam(1e-3)
    with pytest.raises(
        tp.tree.StructureError, match=r"adam: the gradient is not built like the record: .*Point.*Weights"
    ):
        o.update(point, o.init(net), net)  # type: ignore[misc]  # the gradient of another record
    with pytest.raises(tp.tree.StructureError, match="adam: the state's mean is not built like the record"):
        o.update(point, o.init(net), point)  # type: ignore[misc]  # the state of another record
    with pytest.raises(TypeError, match="adam: the state is a SGDState; wanted the AdamState that this optimiser's"):
        o.update(net, optim.sgd(0.1).init(net), net)
    others = optim.sgd(1.0), optim.rmsprop(1.0), optim.adagrad(1.0), optim.clip(1.0), optim.chain(o)
    for other in (*others, optim.clip_by_global_norm(1.0), optim.add_decayed_weights(1.0)):
        with pytest.raises(TypeError, match="the state is a AdamState; wanted the "):
            other.update(point, o.init(point), point)
    with pytest.raises(TypeError, match="chain: the state is a ChainState"):
        optim.chain(o, o).update(point, optim.chain(o).init(point), point)
    wide: Any = {"w": BVar(np.zeros((1, 3)))}
    tall: Any = {"w": BVar(np.zeros((3, 3)))}
    with pytest.raises(
        tp.ShapeError, match=r"sgd: the gradient at \['w'\] has shape \(3, 3\), and the record has shape"
    ):
        optim.sgd(0.1).update(tall, optim.sgd(0.1).init(wide), wide)
    narrow: Any = {"w": BVar(np.zeros((1, 3), np.float32))}
    with pytest.raises(tp.DTypeError, match=r"sgd: the gradient at \['w'\] is float32, and the record is float64"):
        optim.sgd(0.1).update(narrow, optim.sgd(0.1).init(wide), wide)
    with pytest.raises(tp.NotDifferentiableError, match="adagrad: the record: there is no BVar in this list"):
        optim.adagrad(0.1).init([1.0])
    with pytest.raises(tp.NotDifferentiableError, match=r"sgd: the gradient: the BVar at \.x is inside of a gradient"):
        tp.grad(lambda p: optim.sgd(0.1).update(p, optim.sgd(0.1).init(point), point)[0].x)(point)


@optimizers
def test_nothing_is_shared_or_changed(optimizer: optim.Optimizer) -> None:
    net, gradient = weights(TORCH["start"]), weights(TORCH["gradients"][0])
    state: Any = optimizer.init(net)
    for _ in range(3):
        before = pickle.dumps((net, gradient, state))
        updates, new_state = optimizer.update(gradient, state, net)
        again, again_state = optimizer.update(gradient, state, net)
        assert pickle.dumps((net, gradient, state)) == before
        assert again == updates and again_state == new_state
        arrays = [
            leaf.value
            for tree in (net, gradient, state, updates, new_state, again, again_state)
            for leaf in tp.tree.leaves(tree)
            if leaf.shape
        ]
        for k, a in enumerate(arrays):
            for b in arrays[:k]:
                assert not np.shares_memory(a, b)
        net, state = net + updates, new_state


@optimizers
def test_one_optimiser_serves_many_records(optimizer: optim.Optimizer) -> None:
    """Its memory is all in the state: two records taken in turns go as they would alone."""
    gradients = [{"x": BVar(np.array([1.0, -k]))} for k in range(4)]
    starts = [{"x": BVar(np.array([s, 2.0]))} for s in (0.0, 5.0)]

    def alone(at: Any) -> Any:
        state = optimizer.init(at)
        for gradient in gradients:
            updates, state = optimizer.update(gradient, state, at)
            at = optim.apply_updates(at, updates)
        return at

    states: Any = [optimizer.init(at) for at in starts]
    ats: Any = list(starts)
    for gradient in gradients:
        for k in range(2):
            updates, states[k] = optimizer.update(gradient, states[k], ats[k])
            ats[k] = optim.apply_updates(ats[k], updates)
    assert ats == [alone(at) for at in starts]


@optimizers
def test_states_are_trees(optimizer: optim.Optimizer) -> None:
    """All that changes from step to step is at the leaves, so that a saved state goes on where it was."""
    net = weights(TORCH["start"])
    state: Any = optimizer.init(net)
    for gradient in map(weights, TORCH["gradients"][:3]):
        updates, state = optimizer.update(gradient, state, net)
        net = net + updates
    gradient = weights(TORCH["gradients"][3])
    copied: Any = tp.tree.unflatten(tp.tree.flatten(optimizer.init(net))[1], tp.tree.leaves(state))
    for other in (copied, pickle.loads(pickle.dumps(state))):
        assert optimizer.update(gradient, other, net) == optimizer.update(gradient, state, net)


# -- Trees of all kinds, extreme numbers, settings ---------------------------------------------------------------------


def test_static_values_and_unions_are_carried() -> None:
    @attrs.frozen
    class Layer(Record):
        weight: BVar[R[Any]]
        bias: BVar[R[Any]] | None
        name: str

    layers = [Layer(BVar(tp.ones(2)), None, "first"), Layer(BVar(tp.ones(3)), BVar(tp.zeros(3)), "second")]
    o = optim.adamw(0.5, weight_decay=0.1, where=lambda path: "bias" not in path)
    updates, _ = o.update(layers, o.init(layers), layers)
    assert [layer.name for layer in updates] == ["first", "second"]
    assert updates[0].bias is None
    bias = updates[1].bias
    assert bias is not None
    assert bias.value.tolist() == [0.0] * 3
    # Adam's first step is the learning rate by the gradient's sign; the decay comes to it.
    np.testing.assert_allclose(updates[1].weight.value, -0.5 - 0.5 * 0.1, rtol=1e-6)


def test_memory_layouts_are_kept() -> None:
    at: Any = {"x": BVar(np.asfortranarray(np.arange(6.0).reshape(2, 3)))}
    for optimizer in (optim.sgd(0.1), optim.sgd(0.1, 0.9), optim.adam(0.1), optim.rmsprop(0.1), optim.adagrad(0.1)):
        updates, _ = optimizer.update(at, optimizer.init(at), at)
        assert updates["x"].value.flags.f_contiguous


def test_zero_gradients_stay_finite() -> None:
    at: Any = {"x": BVar(np.zeros(3)), "y": BVar(0.0)}
    for make in OPTIMIZERS.values():
        optimizer = make()
        updates, state = optimizer.update(at, optimizer.init(at), at)
        updates, _ = optimizer.update(at, state, at)
        assert updates == at


def test_global_norm() -> None:
    assert optim.global_norm({"a": BVar(np.array([3.0, 0.0], np.float32)), "b": BVar(-4.0)}) == 5.0
    assert optim.global_norm([BVar(np.full(4, 1e200)), BVar(np.full(4, np.float32(1e30)))]) == pytest.approx(2e200)
    assert optim.global_norm([BVar(np.full(4, 1e-200))]) == pytest.approx(2e-200)
    assert optim.global_norm([BVar(np.full(4, np.float32(1e30)))]) == pytest.approx(2e30)
    assert optim.global_norm(BVar(np.zeros(0))) == 0.0
    assert optim.global_norm([BVar(np.inf), BVar(1.0)]) == math.inf
    assert math.isnan(optim.global_norm([BVar(np.array([1.0, math.nan])), BVar(math.inf)]))


def test_a_gradient_that_is_no_number_is_seen() -> None:
    at: Any = (BVar(np.zeros(2)), BVar(0.0))
    clipping = optim.clip_by_global_norm(1.0)
    for bad in (math.inf, -math.inf, math.nan):
        gradient: Any = (BVar(np.array([1.0, bad])), BVar(2.0))
        clipped, _ = clipping.update(gradient, clipping.init(at), at)
        assert np.isnan(clipped[0].value).all() and math.isnan(clipped[1].value)


def test_a_schedule_is_followed() -> None:
    rates = [0.5, 0.25, 1.0]
    at: Any = [BVar(0.0)]
    for make in (optim.sgd, optim.adam, optim.adamw, optim.rmsprop, optim.adagrad):
        asked: list[int] = []

        def schedule(step: int, asked: list[int] = asked) -> float:
            asked.append(step)
            return rates[step]

        optimizer, plain = make(schedule), make(1.0)
        state: Any = optimizer.init(at)
        plain_state: Any = plain.init(at)
        for rate in rates:
            gradient: Any = [BVar(3.0)]
            updates, state = optimizer.update(gradient, state, at)
            expected, plain_state = plain.update(gradient, plain_state, at)
            assert updates[0].value == pytest.approx(rate * expected[0].value, rel=1e-15)
        assert asked == [0, 1, 2]


def test_settings_that_cannot_be() -> None:
    makers: Any = optim
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: makers.sgd(-0.1), r"sgd: learning_rate is -0.1; wanted a number of 0 or more"),
        (lambda: makers.adam(math.nan), r"adam: learning_rate is nan"),
        (lambda: makers.adam(math.inf), r"adam: learning_rate is inf"),
        (lambda: makers.sgd(0.1, momentum=1.0), r"sgd: momentum is 1.0; wanted a number of 0 or more and below 1"),
        (lambda: makers.sgd(0.1, nesterov=True), r"sgd: nesterov needs a momentum above 0"),
        (lambda: makers.adamw(0.1, b1=1.5), r"adamw: b1 is 1.5; wanted"),
        (lambda: makers.adam(0.1, b2=-0.1), r"adam: b2 is -0.1; wanted"),
        (lambda: makers.adamw(0.1, weight_decay=-1.0), r"adamw: weight_decay is -1.0; wanted"),
        (lambda: makers.rmsprop(0.1, decay=1.0), r"rmsprop: decay is 1.0; wanted"),
        (lambda: makers.adagrad(0.1, initial_accumulator=-1.0), r"adagrad: initial_accumulator is -1.0; wanted"),
        (lambda: makers.clip(0.0), r"clip: max_delta is 0.0; wanted a number above 0"),
        (lambda: makers.clip_by_global_norm(math.nan), r"clip_by_global_norm: max_norm is nan; wanted"),
        (lambda: makers.chain(), r"chain: there are no steps; give at least one optimiser"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message):
            call()
    for setting in (np.array([0.1]), np.array(0.1), 1j, np.complex128(0.1), True, "0.1", None):
        makes: list[Callable[[Any], Any]] = [makers.sgd, lambda v: makers.adam(0.1, b1=v), makers.clip]
        for make in makes:
            with pytest.raises(TypeError, match=f" is of type {type(setting).__name__}; wanted a number"):
                make(setting)


def test_numbers_of_numpys_promote_nothing() -> None:
    """A setting that is an np.float64, as of a sweep over np.linspace, with parameters of float32."""
    a, b = np.float64(0.1), np.float64(0.9)
    made: dict[str, optim.Optimizer] = {
        "sgd": optim.sgd(a, b),
        "nesterov": optim.sgd(a, b, nesterov=True),
        "adam": optim.adam(a, b, b, a),
        "adamw": optim.adamw(a, b, b, a, weight_decay=a),
        "rmsprop": optim.rmsprop(a, b, a, centered=True, momentum=b),
        "adagrad": optim.adagrad(a, a, a),
        "schedule": optim.sgd(optim.warmup(2, optim.exponential_decay(a, 2, b), start=a)),
        "clipped": optim.chain(optim.clip(a), optim.clip_by_global_norm(a), optim.add_decayed_weights(a), optim.sgd(a)),
    }
    point: Any = BVar(np.ones(3, np.float32))
    for name, optimizer in made.items():
        state: Any = optimizer.init(point)
        for _ in range(2):
            updates, state = optimizer.update(point, state, point)
            for leaf in (updates, *tp.tree.leaves(state)):
                assert not leaf.shape or leaf.dtype == np.float32, name
