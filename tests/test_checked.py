"""`checked`: arguments and result of a function are held to its annotations."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any, Generic, Literal, TypeVar

import attrs
import numpy as np
import pytest

import typedprop as tp
from typedprop import BVar, Dim, DTypeError, L, R, Record, ShapeError
from typedprop.shape_check import UncheckedWarning

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)
F = TypeVar("F", np.float32, np.float64)


def untyped(x: object) -> Any:
    """What a library without types hands over."""
    return x


class Pixels(Dim): ...


@attrs.frozen
class Layer(Record, Generic[M, N]):
    weight: BVar[L[N, M]]
    bias: BVar[R[N]]

    @tp.checked
    def __call__(self, x: R[M]) -> BVar[R[N]]:
        return self.weight @ x + self.bias


@attrs.frozen
class Named(Layer[M, N], Generic[M, N]):
    name: str = ""


@tp.checked
def centred(x: L[M, N], mean: R[N]) -> L[M, N]:
    """The rows without their mean."""
    return x - mean


x, mean = np.ones((2, 3)), np.ones(3)


def test_what_fits_passes() -> None:
    assert (centred(untyped(x), untyped(mean)) == 0).all()
    assert (centred(untyped(x), mean=untyped(mean)) == 0).all()
    assert centred.__name__ == "centred"
    assert centred.__doc__ == "The rows without their mean."


def test_an_argument_of_another_size() -> None:
    with pytest.raises(ShapeError) as failure:
        centred(untyped(x), untyped(np.ones(2)))
    assert str(failure.value) == (
        "centred: mean is annotated R[N] and has shape (2,), so N is 2, "
        "but N is 3 by x, annotated L[M, N] and of shape (2, 3). Is x transposed? Then pass its .T"
    )


def test_an_argument_of_another_rank_or_dtype_or_kind() -> None:
    with pytest.raises(ShapeError, match=r"centred: x is annotated L\[M, N\], a matrix, but holds a vector of shape"):
        centred(untyped(mean), untyped(mean))
    with pytest.raises(
        DTypeError, match=r"centred: mean is annotated R\[N\], whose dtype is float64, but holds float32"
    ):
        centred(untyped(x), untyped(mean.astype(np.float32)))
    with pytest.raises(DTypeError, match="centred: mean is annotated R\\[N\\], but holds a value of type list"):
        centred(untyped(x), untyped([1.0]))
    with pytest.raises(DTypeError, match=r"centred: x is annotated L\[M, N\], plain data, but holds a BVar"):
        centred(untyped(BVar(x)), untyped(mean))


def test_the_result() -> None:
    @tp.checked
    def transposed(x: L[M, N]) -> L[M, N]:
        out: L[M, N] = untyped(x.T)
        return out

    with pytest.raises(ShapeError) as failure:
        transposed(untyped(x))
    assert str(failure.value) == (
        "transposed: the result is annotated L[M, N] and has shape (3, 2), so M is 3, "
        "but M is 2 by x, annotated L[M, N] and of shape (2, 3). Is it transposed? Then pass its .T"
    )


def test_results_in_tuples_and_optional_arguments() -> None:
    @tp.checked
    def halves(x: R[N], offset: R[N] | None = None) -> tuple[R[N], R[Any]]:
        return x, x[:1] if offset is None else x[1:]

    halves(untyped(mean))
    with pytest.raises(ShapeError, match=r"halves: offset is annotated R\[N\]"):
        halves(untyped(mean), untyped(np.ones(2)))

    @tp.checked
    def both(x: R[N]) -> tuple[R[N], R[N]]:
        return x, x[1:]

    with pytest.raises(ShapeError, match=r"both: the result\[1\] is annotated R\[N\] and has shape \(2,\), so N is 2"):
        both(untyped(mean))


def test_several_arguments_of_one_annotation() -> None:
    @tp.checked
    def total(*terms: R[N], **more: R[N]) -> R[N]:
        out: R[N] = sum([*terms, *more.values()], start=untyped(np.zeros(3)))
        return out

    total(untyped(mean), untyped(mean), last=untyped(mean))
    with pytest.raises(
        ShapeError, match=r"total: terms\[1\] is annotated R\[N\] and has shape \(2,\).* N is 3 by terms\[0\]"
    ):
        total(untyped(mean), untyped(np.ones(2)))
    with pytest.raises(ShapeError, match=r"total: last is annotated R\[N\] and has shape \(2,\)"):
        total(untyped(mean), last=untyped(np.ones(2)))


def test_sizes_given_as_numbers() -> None:
    @tp.checked
    def rows(x: L[M, N], count: M, pixels: Pixels, flat: R[Pixels]) -> None: ...

    rows(untyped(x), untyped(2), Pixels(3), untyped(mean))
    with pytest.raises(ShapeError) as failure:
        rows(untyped(x), untyped(5), Pixels(3), untyped(mean))
    assert str(failure.value) == (
        "rows: count is annotated M and is 5, but M is 2 by x, annotated L[M, N] and of shape (2, 3)"
    )
    with pytest.raises(ShapeError, match=r"rows: pixels is annotated Pixels and is 4, but Pixels is 3 by flat"):
        rows(untyped(x), untyped(2), Pixels(4), untyped(mean))


def test_literals_any_and_dtype_variables() -> None:
    @tp.checked
    def f(a: R[Literal[3]], b: R[Any], c: R[N, F], d: R[N, F]) -> None: ...

    f(untyped(mean), tp.ones(7), untyped(mean), untyped(mean))
    with pytest.raises(ShapeError, match=r"f: a is annotated R\[Literal\[3\]\], but has shape .*its length must be 3"):
        f(untyped(np.ones(2)), tp.ones(7), untyped(mean), untyped(mean))
    with pytest.raises(DTypeError, match="f: d is annotated R\\[N, F\\] and holds float32, but F is float64 by c"):
        f(untyped(mean), tp.ones(7), untyped(mean), untyped(mean.astype(np.float32)))


def test_records_and_methods() -> None:
    layer = Layer(BVar(tp.ones(2, 3)), BVar(tp.ones(2)))
    assert layer(untyped(mean)).shape == (2,)
    with pytest.raises(
        ShapeError,
        match=r"Layer.__call__: x is annotated R\[M\] and has shape \(2,\), so M is 2, but M is 3 by self.weight",
    ):
        layer(untyped(np.ones(2)))
    named = Named(layer.weight, layer.bias, "first")
    with pytest.raises(ShapeError, match=r"Layer.__call__: x is annotated R\[M\].* M is 3 by self.weight"):
        named(untyped(np.ones(2)))

    @tp.checked
    def loss(layer: Layer[M, N], x: R[M], target: R[N]) -> BVar[float]:
        error = layer(x) - target
        return error.dot(error)

    assert type(tp.grad(loss)(layer, untyped(mean), untyped(np.ones(2)))) is Layer
    with pytest.raises(
        ShapeError,
        match=r"loss: target is annotated R\[N\] and has shape \(3,\), so N is 3, but N is 2 by layer\.weight",
    ):
        tp.grad(loss)(layer, untyped(mean), untyped(mean))


def test_a_wrong_call_is_the_functions_own_error() -> None:
    with pytest.raises(TypeError, match=r"centred\(\) missing 1 required positional argument: 'mean'"):
        untyped(centred)(x)


def test_what_is_not_checked_is_said() -> None:
    def f(x: Unknown, y: R[N]) -> None: ...  # type: ignore[name-defined]  # noqa: F821  # is what is tested

    f.__annotations__["x"] = "Unknown[N]"
    g = tp.checked(f)
    with pytest.warns(UncheckedWarning, match=r"f: some annotations .* not checked: x: Unknown\[N\] \(NameError: "):
        g(1, untyped(mean))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g(1, untyped(mean))


def test_what_has_no_annotation_is_anything() -> None:
    @tp.checked
    def f(scale, x: R[N], y: R[N]):  # type: ignore[no-untyped-def]  # is what is tested
        return scale * x @ y

    assert untyped(f)(2.0, mean, mean) == 6.0
    with pytest.raises(ShapeError, match=r"f: y is annotated R\[N\] and has shape \(2,\), so N is 2, but N is 3 by x"):
        untyped(f)(2.0, mean, mean[:2])


def test_what_is_no_function() -> None:
    async def f() -> None: ...

    asyncio.run(f())
    with pytest.raises(TypeError, match="checked: wanted a function, got an async function"):
        tp.checked(f)
    with pytest.raises(TypeError, match=r"checked: wanted a function, got a float$"):
        untyped(tp.checked)(3.0)
