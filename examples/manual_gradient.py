"""A gradient by hand, of a record: where you know better than the chain rule, or where there is code to wrap.

`MT(5, 7, 2)` is a point in the record that Haskell's backprop uses to show the same. The function of it is computed
three times: by operations, by a primitive of its own with a hand-written pullback, and by a primitive whose rule is
itself differentiable. All agree, and the third gives the second derivatives too. There is nothing to draw.
"""

from __future__ import annotations

import sys

import attrs

import typedprop as tp
from typedprop import BVar, Local3, Record


# %% The record, and a function by operations
@attrs.frozen
class MT(Record):
    x: BVar[float]
    y: BVar[float]
    z: BVar[float]


def by_operations(p: MT) -> BVar[float]:
    return p.x * p.y**2 / p.z


# %% By hand, over plain numbers: any code may stand here, and it gives first derivatives
@tp.op
def first_order(x: float, y: float, z: float) -> Local3[float, float, float, float]:
    value = x * y**2 / z

    def pull(g: float) -> tuple[float, float, float]:
        return g * y**2 / z, g * 2.0 * x * y / z, -g * value / z

    def push(dx: float, dy: float, dz: float) -> float:
        return dx * y**2 / z + dy * 2.0 * x * y / z - dz * value / z

    return Local3(value, pull).push(push)


# %% By hand, over BVars: the rule is made of operations, so it is differentiated in turn
@tp.op(differentiable=True)
def any_order(
    x: BVar[float], y: BVar[float], z: BVar[float]
) -> Local3[BVar[float], BVar[float], BVar[float], BVar[float]]:
    value = x * y**2 / z

    def pull(g: BVar[float]) -> tuple[BVar[float], BVar[float], BVar[float]]:
        return g * y**2 / z, g * 2.0 * x * y / z, -g * value / z

    def push(dx: BVar[float], dy: BVar[float], dz: BVar[float]) -> BVar[float]:
        return dx * y**2 / z + dy * 2.0 * x * y / z - dz * value / z

    return Local3(value, pull).push(push)


def by_first_order(p: MT) -> BVar[float]:
    return first_order(p.x, p.y, p.z)


def by_any_order(p: MT) -> BVar[float]:
    return any_order(p.x, p.y, p.z)


# %% All agree
def main() -> int:
    at = MT(BVar(5.0), BVar(7.0), BVar(2.0))
    wanted = MT(BVar(24.5), BVar(35.0), BVar(-61.25))
    right = True
    for f in (by_operations, by_first_order, by_any_order):
        value, gradient = tp.backprop(f, at)
        print(f"{f.__name__:15} {value.value:8} {gradient}")
        right = right and gradient == wanted
    second = tp.hvp(by_any_order, at, MT(BVar(0.0), BVar(1.0), BVar(0.0)))
    print(f"the gradient's derivative by y: {second}")
    try:
        tp.hvp(by_first_order, at, at)
        right = False
    except tp.NotDifferentiableError as error:
        print(f"NotDifferentiableError: {error}")
    return 0 if right and second == MT(BVar(7.0), BVar(5.0), BVar(-17.5)) else 1


if __name__ == "__main__":
    sys.exit(main())
