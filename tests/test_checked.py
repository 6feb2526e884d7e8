"""`checked`: arguments and result of a function are held to its annotations."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any, Generic, Literal, Self, TypeVar

import attrs
import numpy as np
import pytest

import typedprop as tp
from typedprop import Add, BVar, Dim, DTypeError, L, R, Record, ShapeError
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


def test_a_size_that_only_a_number_gives() -> None:
    @tp.checked
    def start(n: N, pixels: Pixels, more: N | None = None) -> tuple[R[N], R[Pixels]]:
        return untyped(np.zeros(3)), untyped(np.zeros(2))

    start(untyped(3), Pixels(2))
    with pytest.raises(ShapeError) as failure:
        start(untyped(4), Pixels(2))
    assert str(failure.value) == (
        "start: the result[0] is annotated R[N] and has shape (3,), so N is 3, but N is 4 by n, annotated N"
    )

    @tp.checked
    def padded(n: N, x: R[Add[N, Literal[1]]], m: N) -> None: ...

    padded(untyped(2), untyped(mean), untyped(2))
    with pytest.raises(ShapeError, match=r"padded: x is annotated .*its length must be 5, as N is 4$"):
        padded(untyped(4), untyped(mean), untyped(4))
    with pytest.raises(ShapeError, match=r"padded: m is annotated N and is 3, but N is 2 by n, annotated N$"):
        padded(untyped(2), untyped(mean), untyped(3))


def test_an_async_function() -> None:
    @tp.checked
    async def halved(x: R[N], y: R[N]) -> R[N]:
        await asyncio.sleep(0)
        half: R[N] = untyped(x[: len(x) // 2])
        return half

    with pytest.raises(ShapeError, match=r"halved: y is annotated R\[N\] and has shape \(2,\)"):
        asyncio.run(halved(untyped(mean), untyped(np.ones(2))))
    with pytest.raises(ShapeError, match=r"halved: the result is annotated R\[N\] and has shape \(1,\)"):
        asyncio.run(halved(untyped(mean), untyped(mean)))


def test_a_generator_is_held_to_its_arguments() -> None:
    @tp.checked
    def rows(x: L[M, N], y: R[N]) -> Iterator[R[N]]:
        yield from x

    assert len(list(rows(untyped(x), untyped(mean)))) == 2
    with pytest.raises(ShapeError, match=r"rows: y is annotated R\[N\] and has shape \(2,\)"):
        rows(untyped(x), untyped(np.ones(2)))


def seven() -> R[Any]:
    return tp.ones(7)


@attrs.frozen
class Model(Record, Generic[M, N]):
    weight: BVar[L[N, M]]
    offset: BVar[R[N]] | None = None
    named: dict[str, BVar[R[M]]] = attrs.Factory(dict)
    layers: list[Layer[M, N]] = attrs.Factory(list)

    @classmethod
    @tp.checked
    def of(cls, weight: L[N, M], offset: R[N]) -> Model[M, N]:
        return cls(BVar(weight), BVar(offset))

    @property
    @tp.checked
    def middle(self) -> R[M]:
        return seven()

    @cached_property
    @tp.checked
    def last(self) -> R[M]:
        return seven()

    @tp.checked
    def beside(self, other: Model[M, N]) -> Self:
        return self


def test_class_methods_properties_and_other_records() -> None:
    model = Model.of(untyped(x), untyped(np.ones(2)))
    with pytest.raises(ShapeError, match=r"Model\.of: offset is annotated R\[N\] and has shape \(3,\)"):
        Model.of(untyped(x), untyped(mean))
    with pytest.raises(ShapeError, match=r"Model\.middle: the result is annotated R\[M\].*but M is 3 by self\.weight"):
        print(model.middle)
    with pytest.raises(ShapeError, match=r"Model\.last: the result is annotated R\[M\].*but M is 3 by self\.weight"):
        print(model.last)
    with pytest.raises(ShapeError, match=r"Model\.beside: other\.weight is annotated .* N is 2 by self\.weight"):
        model.beside(Model(BVar(tp.ones(5, 3))))


def test_collections_and_unions() -> None:
    @tp.checked
    def f(
        model: Model[M, N], by_name: Mapping[str, R[M]], some: list[R[N]], either: R[N] | L[N, M]
    ) -> dict[str, R[M] | None]:
        return {"first": by_name.get("a"), "second": untyped(either if either.ndim == 1 else None)}

    model, two = Model(BVar(tp.ones(2, 3))), np.ones(2)
    f(model, untyped({"a": mean}), untyped([two]), untyped(x))
    for arguments, message in (
        (
            ({"a": two}, [two], two),
            r"f: by_name\['a'\] is annotated R\[M\] and has shape \(2,\), so M is 2, but M is 3",
        ),
        (({}, [two, mean], two), r"f: some\[1\] is annotated R\[N\] and has shape \(3,\), so N is 3, but N is 2"),
        (({}, x, two), r"f: some is annotated list\[R\[N\]\], but holds a ndarray of shape \(2, 3\)"),
        (({}, [], x.T), r"f: either is annotated L\[N, M\] and has shape \(3, 2\).*Is it transposed"),
        (({}, [], x[None]), r"f: either is annotated R\[N\], a vector, but holds a Tensor3"),
        (({}, [], two), r"f: the result\['second'\] is annotated R\[M\] and has shape \(2,\)"),
    ):
        with pytest.raises((ShapeError, DTypeError), match=message):
            f(model, *untyped(arguments))
    with pytest.raises(DTypeError, match=r"f: model is annotated Model\[M, N\], but holds a value of type dict$"):
        f(untyped({}), {}, [], untyped(two))


def test_partials_and_objects_that_are_called() -> None:
    class Called:
        def __call__(self, x: R[N], y: R[N]) -> None: ...

    for called in (tp.checked(partial(Called(), untyped(mean))), partial(tp.checked(Called()), untyped(mean))):
        called(y=untyped(mean))
        with pytest.raises(ShapeError, match=r"^(Called\.__call__: )?.*y is annotated R\[N\] and has shape \(2,\)"):
            called(y=untyped(np.ones(2)))
    f = tp.checked(partial(centred.__wrapped__, untyped(x)))  # type: ignore[attr-defined]  # of functools.wraps
    with pytest.raises(
        ShapeError, match=r"^centred: mean is annotated R\[N\] and has shape \(2,\), so N is 2, but N is 3"
    ):
        f(untyped(np.ones(2)))


def test_names_that_are_defined_later_or_locally() -> None:
    class Local(Dim): ...

    @tp.checked
    def f(x: R[Local], y: R[Later]) -> "R[Later]":  # noqa: UP037  # quoted, as it may be
        return tp.ones(3)

    with pytest.raises(ShapeError, match=r"^f: the result is annotated R\[Later\] and has .*but Later is 2 by y"):
        f(untyped(mean), untyped(np.ones(2)))


class Later(Dim): ...


def test_what_is_no_function() -> None:
    with pytest.raises(TypeError, match=r"checked: wanted a function, got a float$"):
        untyped(tp.checked)(3.0)
    for kind in (classmethod, staticmethod):
        with pytest.raises(TypeError) as failure:
            tp.checked(untyped(kind)(centred))
        assert str(failure.value).endswith(f"{kind.__name__}: write @{kind.__name__} above @tp.checked, not below it")
