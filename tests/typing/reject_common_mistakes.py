"""The mistakes that are really made, for docs/reading-the-message.md: each has a title and a way out above it.

Where mypy names no sizes, the same mistake follows in a form of which it names both.
"""
# fmt: off

from __future__ import annotations

from typing import Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import BVar, Dim, L, Local2, R, Record

I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
B = TypeVar("B", bound=int)


class Pixels(Dim): ...
class Hidden(Dim): ...
class Digits(Dim): ...
class Batch(Dim): ...


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


@attrs.frozen
class Line(Record):
    slope: BVar[float]
    offset: BVar[float]


def logits(net: Network[I, H, O], x: R[I]) -> BVar[R[O]]:
    return net.weight2 @ tp.sigmoid(net.weight1 @ x + net.bias1) + net.bias2


def loss(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    return tp.softmax_cross_entropy(logits(net, x), target)


def line_error(line: Line, x: float, y: float) -> BVar[float]:
    return (line.slope * x + line.offset - y) ** 2


pixels, hidden, digits, batch = Pixels(784), Hidden(100), Digits(10), Batch(32)
x, target, images = tp.ones(pixels), tp.zeros(digits), tp.ones(batch, pixels)
weight1, bias1 = BVar(tp.ones(hidden, pixels)), BVar(tp.zeros(hidden))
weight2, bias2 = BVar(tp.ones(digits, hidden)), BVar(tp.zeros(digits))
x32, sums = tp.ones(pixels, dtype=np.float32), tp.ones(batch)
net = Network(weight1, bias1, weight2, bias2)
line = Line(BVar(1.0), BVar(0.0))

#: A transposed weight
#: A matrix has its rows first: `weight1` is an `L[Hidden, Pixels]`, and the size next to the `@` is the one that must
#: agree. Without the `.T` it does.
weight1.T @ x  # E: mypy=operator pyright=reportOperatorIssue

#: The weight of another layer
#: `weight2` takes what the hidden layer gives, of size `Hidden`: write `weight1 @ x`.
weight2 @ x  # E: mypy=operator pyright=reportOperatorIssue

#: The bias of another layer
#: `weight1 @ x` has the size `Hidden`, and so has `bias1`.
weight1 @ x + bias2  # E: mypy=operator pyright=reportOperatorIssue

#: The batched form without its transposition
#: A batch has one sample a row. Each row is multiplied by `weight1` as in `images @ weight1.T`.
images @ weight1  # E: mypy=operator pyright=reportOperatorIssue

#: A target of the wrong size
#: The loss wants a probability for each logit; `x` is the image.
tp.softmax_cross_entropy(logits(net, x), x)  # E: mypy=misc pyright=reportArgumentType,reportCallIssue
#> The same by operators is
-(x @ tp.log_softmax(logits(net, x)))  # E: mypy=operator pyright=reportOperatorIssue

#: A difference of unlike vectors
#: An operator says the sizes of both sides.
logits(net, x) - x  # E: mypy=operator pyright=reportOperatorIssue

#: float32 data with float64 weights
#: Convert one side: `x32.astype(np.float64)`, or make the weights with `dtype=np.float32`.
weight1 @ x32  # E: mypy=operator pyright=reportOperatorIssue

#: An array that is not lifted, in a record
#: A record's parameters are BVars: `BVar(tp.zeros(hidden))`.
Network(weight1, tp.zeros(hidden), weight2, bias2)  # E: mypy=arg-type pyright=reportArgumentType

#: A record whose fields do not fit each other
#: One name is one size in all fields. `bias1: BVar[R[H]]` goes with `weight1: BVar[L[H, I]]`: pass `bias1`.
Network(weight1, bias2, weight2, bias2)  # E: mypy=misc pyright=reportArgumentType
#> With the sizes of the record it is
Network[Pixels, Hidden, Digits](weight1, bias2, weight2, bias2)  # E: mypy=arg-type pyright=reportArgumentType

#: A loss that is not a scalar
#: A gradient is of a scalar. Reduce it by `.sum()` or `.mean()`, or take `tp.vjp` or `tp.jacobian`.
tp.grad(logits)(net, x)  # E: mypy=arg-type pyright=reportArgumentType

#: Data in the wrong order
#: `loss` takes the image, then the target.
# E: mypy=misc pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(loss)(net, target, x)
#> With the type of the gradient it is
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
gradient: Network[Pixels, Hidden, Digits] = tp.grad(loss)(net, target, x)

#: The gradient of one record for another
#: A gradient is of the type of the first argument of the function that it is of: a step of `net` takes one of `loss`.
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
net - 0.1 * tp.grad(line_error)(line, 1.0, 2.0)

#: A gradient that is declared as another field
#: The gradient by `weight1` has the type of `weight1`.
# E: mypy=assignment pyright=reportAssignmentType
# gap: ty "does not solve the variables of a generic function that is an argument"
step: BVar[L[Digits, Hidden]] = tp.grad(loss)(net, x, target).weight1

#: A whole record where one of its fields is meant
#: Write `weight1 - 0.1 * tp.grad(loss)(net, x, target).weight1`.
# E: mypy=operator pyright=reportOperatorIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
weight1 - 0.1 * tp.grad(loss)(net, x, target)

#: A field that does not exist
#: The gradient has the fields of the record, which completion lists after the dot.
# E: mypy=attr-defined pyright=reportAttributeAccessIssue
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.grad(loss)(net, x, target).weight3

#: A pullback that is given the argument for the result
#: It takes a cotangent of the output's type, here an `R[Digits]`.
# E: mypy=arg-type pyright=reportArgumentType
# gap: ty "does not solve the variables of a generic function that is an argument"
tp.vjp(logits, net, x)[1](net)

#: NumPy's function for a BVar
#: It would lose the gradient: write `tp.exp`.
np.exp(weight1)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue

#: A Python number of a BVar
#: For the plain number write `loss(net, x, target).value`.
float(loss(net, x, target))  # E: mypy=arg-type pyright=reportArgumentType

#: Two sums along the wrong axis
#: `axis=0` sums over the rows and leaves the columns: the sum over each row's pixels is `axis=1`.
images.sum(axis=0) + sums  # E: mypy=operator pyright=reportOperatorIssue

#: A pullback that returns its cotangents in the wrong order
#: One for each operand, in their order and of their types: `(tp.outer(g, x), w.T @ g)`.
@tp.op
def matvec(w: L[H, I], x: R[I]) -> Local2[L[H, I], R[I], R[H]]:
    # E: mypy=arg-type,return-value pyright=reportReturnType
    return Local2(w @ x, lambda g: (w.T @ g, tp.outer(g, x)))
