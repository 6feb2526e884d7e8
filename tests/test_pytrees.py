"""Records as pytrees of JAX and optree; skipped where these are not installed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import attrs
import numpy as np
import pytest

import typedprop
from tests.untyped import BVar, tp
from typedprop import NotDifferentiableError, R, Record
from typedprop.pytrees import register_jax, register_optree


@attrs.frozen
class Layer(Record):
    weight: typedprop.BVar[R[Any, Any]]
    scale: typedprop.BVar[float]


@attrs.frozen
class Net(Record):
    layers: list[Layer]
    name: str = "net"


def net() -> Net:
    return Net([Layer(BVar(np.array([1.0, 2.0], np.float32)), BVar(3.0)), Layer(BVar(np.ones(2)), BVar(4.0))])


def library(name: str) -> Any:
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'typedprop[{name}]'")
    return import_module(name)


def test_jax() -> None:
    jax = library("jax")
    register_jax(Net)
    leaves, structure = jax.tree.flatten(net())
    assert [np.shape(leaf) for leaf in leaves] == [(2,), (), (2,), ()]
    assert jax.tree.unflatten(structure, leaves) == net()
    doubled = jax.tree.map(lambda x: 2 * x, net())
    assert type(doubled) is Net and doubled.name == "net"
    assert doubled.layers[0].weight.dtype == np.float32 and doubled.layers[1].scale.value == 8.0
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(net())]
    assert paths[0] == ".layers[0].weight"

    def loss(x: Any) -> Any:
        return jax.numpy.sum(x.layers[0].weight.value ** 2) * x.layers[0].scale.value

    gradient = jax.jit(jax.grad(loss))(net())
    assert type(gradient) is Net and type(gradient.layers[0].weight.value) is np.ndarray
    assert np.allclose(gradient.layers[0].weight.value, [6.0, 12.0]) and gradient.layers[0].scale.value == 5.0
    assert (gradient + gradient).layers[0].scale.value == 10.0
    with pytest.raises(
        NotDifferentiableError, match=r"register_jax: the BVar at \.layers\[0\]\.weight is inside of a gr"
    ):
        tp.grad(lambda x: jax.tree.map(lambda y: y, x).layers[0].scale)(net())
    with pytest.raises(ValueError, match="Duplicate"):
        register_jax(Net)


def test_optree() -> None:
    optree = library("optree")
    register_optree(Net)
    leaves, structure = optree.tree_flatten(net(), namespace="typedprop")
    assert [type(leaf) for leaf in leaves] == [BVar] * 4
    assert optree.tree_unflatten(structure, leaves) == net()
    doubled = optree.tree_map(lambda b: b * 2.0, net(), namespace="typedprop")
    assert type(doubled) is Net and doubled == net() * 2.0
    assert optree.tree_paths(net(), namespace="typedprop")[0] == (".layers[0].weight",)
    with pytest.raises(ValueError, match="already registered"):
        register_optree(Net)


def test_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, register in (("jax", register_jax), ("optree", register_optree)):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=rf"register_{name} needs {name}, .*: pip install 'typedprop\[{name}\]'"):
            register(Net)
