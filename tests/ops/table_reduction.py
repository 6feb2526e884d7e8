"""Reductions, along every axis, with and without keepdims; running sums and products; positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.oracles import autograd_numpy as anp
from tests.ops.row import Array, Case, Domain, Function, Row, Shape, away_from, between, case, distinct, lifted
from tests.untyped import tp

wide = between(-2, 2)
sizeable = away_from(0.0, gap=0.3)


def reductions(*more: Case, empty: bool = False) -> tuple[Case, ...]:
    """Vectors, matrices and arrays of three axes, along each axis, in every layout."""
    return (
        case((4,)),
        case((4,), axis=0),
        case((4,), axis=-1, keepdims=True),
        case((1,)),
        case((4,), layout="strided"),
        case((2, 3)),
        case((2, 3), axis=0),
        case((2, 3), axis=1, keepdims=True),
        case((2, 3), keepdims=True),
        case((3, 2), axis=-2, layout="transposed"),
        case((0, 3), axis=1),
        case((2, 3, 2), axis=1),
        case((2, 3, 2), axis=-1, layout="strided"),
        case((2, 3, 2)),
        *((case((0,)), case((0, 3), axis=0)) if empty else ()),
        *more,
    )


def reduction(
    name: str,
    call: Function,
    value: Function,
    domain: Domain = wide,
    *,
    cases: tuple[Case, ...] | None = None,
    smooth: bool = True,
    analytic: Any = None,
    autograd: Function | None = None,
) -> Row:
    """A reduction at all the usual cases."""
    return Row(
        name,
        call,
        value,
        cases or reductions(),
        domain,
        smooth=smooth,
        orders=3,
        analytic=analytic,
        autograd=autograd,
    )


def with_zeros(*zeros: int) -> Domain:
    """Numbers away from 0, and exactly 0 at these places, in C order."""

    def draw(rng: np.random.Generator, shape: Shape) -> Array:
        x = sizeable(rng, shape)
        x.reshape(-1)[[k for k in zeros if k < x.size]] = 0.0
        return x

    return draw


def selected(pick: Function) -> Function:
    """A reduction that selects an element, for complex numbers: the one that `pick` finds by the real parts."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = np.asarray(x)
        flat = x.reshape(-1) if axis is None else x
        along = 0 if axis is None else axis
        index = np.expand_dims(pick(flat.real, axis=along), along)
        y = np.take_along_axis(flat, index, along)
        if axis is None:
            return y.reshape((1,) * x.ndim) if keepdims else y.reshape(())
        return y if keepdims else np.squeeze(y, along)

    return reduce


def variance(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Any:
    """The variance without absolute values: analytic, where NumPy's is not."""
    c = x - x.mean(axis=axis, keepdims=True)
    count = np.ones(x.shape).sum(axis=axis, keepdims=keepdims)
    return (c * c).sum(axis=axis, keepdims=keepdims) / (count - ddof)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def in_order(q: float) -> Function:
    """A quantile by sorting, for complex numbers, which NumPy sorts by their real parts."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        flat = np.moveaxis(x, axis, 0) if axis is not None else x.reshape(-1)
        ordered = np.sort(flat, axis=0)
        place = q * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        y = ordered[low] + (place - low) * (ordered[high] - ordered[low])
        if not keepdims:
            return y
        return y.reshape((1,) * x.ndim) if axis is None else np.expand_dims(y, axis)

    return reduce


# Of a number, these are that number.
scalar = case(())
many = (case((2, 3, 2), axis=(0, 2)), case((2, 3), axis=(0, 1), keepdims=True))
spread = tuple(at for at in reductions(*many) if at.shapes != ((1,),))
unbiased = tuple(case(*at.shapes, layout=at.layout, **at.static, ddof=1) for at in spread[:-2])

SUMS = (
    reduction("sum", tp.sum, np.sum, cases=reductions(scalar, *many, empty=True), analytic=True),
    reduction("mean", tp.mean, np.mean, cases=reductions(scalar, *many), analytic=True),
    reduction(
        "BVar.sum", lambda x, **k: lifted(x).sum(**k), np.sum, cases=reductions(scalar, empty=True), analytic=True
    ),
    reduction("BVar.mean", lambda x, **k: lifted(x).mean(**k), np.mean, cases=reductions(scalar), analytic=True),
    reduction("prod", tp.prod, np.prod, analytic=True),
    reduction("prod", tp.prod, np.prod, with_zeros(1), analytic=True),
    reduction("prod", tp.prod, np.prod, with_zeros(0, 2), analytic=True),
    reduction("logsumexp", tp.logsumexp, logsumexp, cases=reductions(*many), analytic=True),
    reduction("special.logsumexp", tp.special.logsumexp, logsumexp, analytic=True),
)
SPREADS = (
    reduction("var", tp.var, np.var, cases=(*spread, case((1,))), analytic=variance),
    reduction("var", tp.var, np.var, cases=unbiased, analytic=variance),
    reduction(
        "std",
        tp.std,
        np.std,
        cases=(*spread, case((1,))),
        domain=distinct(),
        analytic=lambda x, **k: np.sqrt(variance(x, **k)),
    ),
    reduction("std", tp.std, np.std, cases=unbiased, domain=distinct(), autograd=anp.std),
)
SELECTIONS = (
    *(
        reduction(name, call, value, distinct(), cases=reductions(scalar), smooth=False, analytic=selected(pick))
        for name, call, value, pick in (
            ("max", tp.max, np.max, np.argmax),
            ("min", tp.min, np.min, np.argmin),
            ("BVar.max", lambda x, **k: lifted(x).max(**k), np.max, np.argmax),
            ("BVar.min", lambda x, **k: lifted(x).min(**k), np.min, np.argmin),
        )
    ),
    reduction("median", tp.median, np.median, distinct(), smooth=False, analytic=in_order(0.5)),
    *(
        reduction(
            "quantile",
            lambda x, q=q, **k: tp.quantile(x, q, **k),
            lambda x, q=q, **k: np.quantile(x, q, **k),
            distinct(),
            smooth=False,
            analytic=in_order(q),
        )
        for q in (0.0, 0.3, 1.0)
    ),
)


def doubled(x: Any) -> Any:
    return tp.concatenate([x, x])


# Of a vector beside itself, every element ties with another one, wherever it moves: ties without a kink.
TIES = tuple(
    Row(
        name,
        lambda x, f=ours: f(doubled(x)),
        lambda x, f=value: f(np.concatenate([x, x])),
        (case((4,)), case((1,)), case((3,)), case((5,), layout="strided")),
        distinct(),
        smooth=False,
        orders=3,
        analytic=lambda x, f=analytic: f(np.concatenate([x, x])),
    )
    for name, ours, value, analytic in (
        ("max", tp.max, np.max, selected(np.argmax)),
        ("min", tp.min, np.min, selected(np.argmin)),
        ("median", tp.median, np.median, in_order(0.5)),
        ("sort", tp.sort, np.sort, np.sort),
    )
)

running = (
    case((4,)),
    case((4,), axis=0),
    case((1,)),
    case((0,)),
    case((4,), axis=-1, layout="strided"),
    case((2, 3)),
    case((2, 3), axis=0),
    case((3, 2), axis=1, layout="transposed"),
    case((2, 3, 2), axis=1),
    case((9,)),
)
RUNNING = (
    Row("cumsum", tp.cumsum, np.cumsum, running, wide, orders=3, analytic=True),
    Row("cumprod", tp.cumprod, np.cumprod, running, sizeable, orders=3, analytic=True),
    Row("cumprod", tp.cumprod, np.cumprod, running, with_zeros(1), orders=3, analytic=True),
    Row("cumprod", tp.cumprod, np.cumprod, running, with_zeros(0, 2, 3), orders=3, analytic=True),
)
POSITIONS = tuple(
    Row(
        name,
        getattr(tp, name),
        getattr(np, name),
        tuple(
            case(*at.shapes, layout=at.layout, **{k: v for k, v in at.static.items() if k == "axis"})
            for at in reductions()
            if "keepdims" not in at.static
        ),
        distinct(),
        smooth=False,
        orders=0,
    )
    for name in ("argmax", "argmin")
)

ORDER = Row(
    "argsort",
    tp.argsort,
    lambda x, axis=-1: np.argsort(x, axis, stable=True),
    (
        *(case((n,)) for n in (4, 1, 0)),
        case((4,), layout="strided"),
        case((2, 3)),
        case((3, 2), axis=0, layout="transposed"),
        case((2, 3, 2), axis=1),
        case((5,), axis=0),
    ),
    distinct(),
    smooth=False,
    orders=0,
)

ROWS: tuple[Row, ...] = (*SUMS, *SPREADS, *SELECTIONS, *TIES, *RUNNING, *POSITIONS, ORDER)
