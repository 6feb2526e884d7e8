# fmt: off
"""What the plugin refuses, and how it says so: above each line stands its message."""

from __future__ import annotations

from typing import Generic

import attrs
import numpy as np
from typing_extensions import TypeVar

import typedprop as tp
from typedprop import Add, BVar, Dim, L, Mul, R, Record, Tensor3

I = TypeVar("I", bound=int)
H = TypeVar("H", bound=int)
O = TypeVar("O", bound=int)
M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Pixels(Dim): ...
class Hidden(Dim): ...
class Digits(Dim): ...


@attrs.frozen
class Network(Record, Generic[I, H, O]):
    weight1: BVar[L[H, I]]
    bias1: BVar[R[H]]
    weight2: BVar[L[O, H]]
    bias2: BVar[R[O]]


def run(net: Network[I, H, O], x: R[I]) -> BVar[R[O]]:
    return net.weight2 @ (net.weight1 @ x + net.bias1) + net.bias2


def joined(x: R[M], y: R[N], both: R[Add[M, N]]) -> R[Mul[M, N]]:
    return tp.kron(x, y)


p, h, d = Pixels(784), Hidden(100), Digits(10)
w1, b1, w2, b2 = BVar(tp.zeros(h, p)), BVar(tp.zeros(h)), BVar(tp.zeros(d, h)), BVar(tp.zeros(d))
net = Network(w1, b1, w2, b2)
x, target = tp.zeros(p), tp.zeros(d)
ten, t = tp.zeros(10), tp.zeros(2, 3, 4)

# -- Ints in annotations -----------------------------------------------------------------------------------------------

# valid-type: R[...]: -2 is not a size; write an int of 0 or more
negative: R[-2]
# valid-type: R takes 1 size and a dtype, and 4 is no dtype; L is for 2 sizes
two: R[3, 4]
# assignment: Incompatible types in assignment (expression has type "L[Literal[3], Literal[2], float64]", variable has type "L[Literal[2], Literal[3], float64]")
turned: L[2, 3] = tp.zeros(3, 2)

# -- Sizes from literals -----------------------------------------------------------------------------------------------

# operator: Unsupported operand types for @ ("L[Literal[20], Literal[100], float64]" and "R[Literal[20], float64]")
tp.zeros(20, 100) @ tp.zeros(20)
# arg-type: "zeros" makes no array of the size -3
tp.zeros(-3)
# arg-type: "vector" is given data of the shape R[2] and sizes for R[3]
tp.vector([1.0, 2.0], 3)
# arg-type: "matrix" is given data whose item 1 is R[1] beside R[2]; all must be of one shape
tp.matrix([[1.0, 2.0], [1.0]])
# arg-type: "broadcast_to": R[10] does not fill L[10, 2]
tp.broadcast_to(ten, (10, 2))

# -- Arithmetic on sizes -----------------------------------------------------------------------------------------------

# arg-type: Item 1 for "concatenate" is L[2, 4], beside L[2, 3]: all sizes but that of axis 0 must be equal
tp.concatenate([tp.zeros(2, 3), tp.zeros(2, 4)])
# operator: Unsupported operand types for + ("R[Literal[20], float64]" and "R[Literal[10], float64]")
tp.concatenate((ten, ten)) + ten
# arg-type: Item 1 for "stack" is R[3], beside R[10]: they must be of one shape
tp.stack([ten, tp.zeros(3)])
# operator: Unsupported operand types for + ("R[Literal[11], float64]" and "R[Literal[10], float64]")
tp.append(ten, 1.0) + ten
# arg-type: Argument 1 to "tail" is R[0]; a vector of one element or more is wanted
tp.tail(tp.zeros(0))
# arg-type: Argument 1 to "head" is R[0]; a vector of one element or more is wanted
tp.head(tp.zeros(0))
# arg-type: "split" of R[10]: 10 does not divide into 3 equal pieces
tp.split(ten, 3)
# arg-type: "split" of R[10]: the positions [7, 2] do not ascend from 0 to 10
tp.split(ten, [7, 2])
# arg-type: "split_rows" of L[5, 3]: there are 5 rows, not 7
tp.split_rows(tp.zeros(5, 3), 7)
# operator: Unsupported operand types for + ("R[Literal[9], float64]" and "R[Literal[10], float64]")
ten[1:] + ten
# arg-type: "reshape" of L[3, 4] to L[5, 2]: 12 elements are not 10
tp.reshape(tp.zeros(3, 4), (5, 2))
# arg-type: "reshape" of BVar[L[3, 4]]: 12 elements do not divide by 5
BVar(tp.zeros(3, 4)).reshape((5, -1))
# arg-type: "reshape" of R[10] to L[3, 3]: 10 elements are not 9
ten.reshape(3, 3)
# operator: Unsupported operand types for + ("R[Literal[24], float64]" and "R[Literal[10], float64]")
tp.ravel(t) + ten
# arg-type: "transpose": the axes [0, 2] do not name each axis of L[3, 4] once
tp.transpose(tp.zeros(3, 4), (0, 2))
# arg-type: "swapaxes": Tensor3[2, 3, 4] has no axis 3
tp.swapaxes(t, 0, 3)
# operator: Unsupported operand types for + ("R[Literal[30], float64]" and "R[Literal[10], float64]")
tp.tile(ten, 3) + ten
# arg-type: "repeat" of R[3]: 2 repeats for 3 elements
tp.repeat(tp.zeros(3), [1, 2])
# operator: Unsupported operand types for + ("R[Literal[12], float64]" and "R[Literal[10], float64]")
tp.pad(ten, 1) + ten
# arg-type: "squeeze" of L[2, 3]: axis 0 is of size 2, not 1
tp.squeeze(tp.zeros(2, 3), 0)
# arg-type: "diff" of R[10]: fewer than 11 elements along axis 0
tp.diff(ten, 11)
# operator: Unsupported operand types for @ ("L[Literal[6], Literal[12], float64]" and "R[Literal[10], float64]")
tp.kron(tp.zeros(2, 3), tp.zeros(3, 4)) @ ten
# arg-type: Argument 2 to "conv1d" is Tensor3[5, 2, 2], for 2 channels; argument 1 is Tensor3[2, 3, 4], with 3
tp.conv1d(t, tp.zeros(5, 2, 2))
# arg-type: "conv1d": the kernel with its dilation is longer than Tensor3[2, 3, 4]
tp.conv1d(t, tp.zeros(5, 3, 5))
# arg-type: "max_pool1d": windows of 9 elements are larger than Tensor3[2, 3, 4]
tp.max_pool1d(t, 9)
# operator: Unsupported operand types for + ("R[Literal[12], float64]" and "R[Literal[10], float64]")
tp.convolve(ten, tp.zeros(3)) + ten
# arg-type: Argument 3 ("both") to "joined" is R[8], but argument 1 ("x") is R[3]: M + N cannot be both 8 and 7
joined(tp.zeros(3), tp.zeros(4), tp.zeros(8))
# assignment: Incompatible types in assignment (expression has type "R[Literal[12], float64]", variable has type "R[Literal[10], float64]")
ten = joined(tp.zeros(3), tp.zeros(4), tp.zeros(7))

# -- einsum ------------------------------------------------------------------------------------------------------------

# arg-type: Argument 3 to "einsum" is BVar[L[Digits, Hidden]], but argument 2 is BVar[L[Hidden, Pixels]]: "j" in "ij,jk->ik" cannot be both Pixels and Digits
tp.einsum("ij,jk->ik", w1, w2)
# arg-type: Argument 2 to "einsum" is BVar[L[Hidden, Pixels]], of rank 2, but "ijk" in "ijk->ik" has 3 letters
tp.einsum("ijk->ik", w1)
# arg-type: "k" in the result of "ij->ik" is in no operand
tp.einsum("ij->ik", w1)
# arg-type: "ij" is for 1 operands, and 2 are given
tp.einsum("ij", w1, w2)
# arg-type: The result of "ij->ii" has a letter twice
tp.einsum("ij->ii", w1)
# arg-type: "i;j" is not made of letters, commas, "..." and one "->"
tp.einsum("i;j", w1)
# arg-type: The result of "...i->i" lacks the "..." that the operands have
tp.einsum("...i->i", w1)
# operator: Unsupported operand types for + ("BVar[R[Hidden, float64]]" and "R[Pixels, float64]")
tp.einsum("ij,j->i", w1, x) + x
# arg-type: Argument 2 to "tensordot" is L[3, 4], but argument 1 is L[3, 4]: axis 0 of size 3 is summed with axis 1 of size 4
tp.tensordot(tp.zeros(3, 4), tp.zeros(3, 4), 1)

# -- Broadcasting ------------------------------------------------------------------------------------------------------

# operator: Unsupported operand types for + ("Tensor3[Literal[2], Literal[3], Literal[4], float64]" and "R[Literal[3], float64]")
t + tp.zeros(3)
# operator: Unsupported operand types for + ("BVar[Tensor3[Literal[2], Literal[3], Literal[4], float64]]" and "Tensor3[Literal[2], Literal[2], Literal[4], float64]")
BVar(t) + tp.zeros(2, 2, 4)
# arg-type: Argument 2 to "maximum" is R[3], but argument 1 is Tensor3[2, 3, 4]: they do not go together
tp.maximum(t, tp.zeros(3))

# -- Messages ----------------------------------------------------------------------------------------------------------

# arg-type: Argument 2 ("x") to "run" is R[Digits], but argument 1 ("net") is Network[Pixels, Hidden, Digits]: I cannot be both Digits and Pixels
run(net, target)
# arg-type: Argument 2 ("bias1") to "Network" is BVar[R[Digits]], but argument 1 ("weight1") is BVar[L[Hidden, Pixels]]: H cannot be both Digits and Hidden
Network(w1, b2, w2, b2)
# arg-type: Argument 3 ("weight2") to "Network" is BVar[L[Hidden, Digits]], but argument 1 ("weight1") is BVar[L[Hidden, Pixels]]: H cannot be both Digits and Hidden; did you mean "w2"?
Network(w1, b1, w2.T, b2)
# arg-type: Argument 2 ("target") to "softmax_cross_entropy" is R[Pixels], but argument 1 ("logits") is BVar[R[Digits]]: N cannot be both Pixels and Digits
tp.softmax_cross_entropy(run(net, x), x)
# arg-type: Argument 2 ("b") to "matmul" is BVar[R[Hidden]], but argument 1 ("a") is BVar[L[Hidden, Pixels]]: N cannot be both Hidden and Pixels; did you mean "net.weight1.T"?
tp.matmul(net.weight1, b1)
# arg-type: Argument 1 ("a") to "inv" is L[3, 4]: N cannot be both 4 and 3
tp.linalg.inv(tp.zeros(3, 4))
# arg-type: Argument 2 ("y") to "dot" is R[3, float32], but argument 1 ("x") is R[3]: D cannot be both float32 and float64
tp.dot(tp.zeros(3), tp.zeros(3, dtype=np.float32))
# arg-type: Argument 2 ("a") to "where" is R[3], but argument 1 ("condition") is R[10, bool]: N cannot be both 3 and 10
tp.where(ten > 0, tp.zeros(3), 0.0)
# call-arg: Unexpected keyword argument "learning_rate" for "evolve" of "Network[Pixels, Hidden, Digits]"
attrs.evolve(net, learning_rate=b1)


# -- In the body of a function of all sizes ----------------------------------------------------------------------------


def flattened(a: L[M, N], x: R[M]) -> R[Add[M, N]]:
    # return-value: Incompatible return value type (got "R[Mul[M, N], float64]", expected "R[Add[M, N], float64]")
    return tp.ravel(a)


def twice(x: R[M], y: R[N]) -> R[Add[N, M]]:
    # return-value: Incompatible return value type (got "R[Mul[Literal[2], M], float64]", expected "R[Add[M, N], float64]")
    return tp.concatenate((x, x))


def third(t: Tensor3[2, M, N]) -> R[Mul[M, N]]:
    # return-value: Incompatible return value type (got "R[Mul[Mul[Literal[2], M], N], float64]", expected "R[Mul[M, N], float64]")
    return tp.ravel(t)


# -- Functions by other names, and those that a transformation makes ---------------------------------------------------


def net_error(net: Network[I, H, O], x: R[I], target: R[O]) -> BVar[float]:
    return tp.softmax_cross_entropy(run(net, x), target)


gradient = tp.grad(net_error)
# arg-type: Argument 3 ("target") to "gradient" is R[Pixels], but argument 1 is Network[Pixels, Hidden, Digits]: O cannot be both Pixels and Digits
gradient(net, x, x)
# arg-type: Argument 3 to "tp.grad(net_error)" has incompatible type "R[Pixels, float64]"; expected "R[Digits, float64]"
tp.grad(net_error)(net, x, x)
# arg-type: Argument 3 to "tp.value_and_grad(net_error, 0)" has incompatible type "R[Pixels, float64]"; expected "R[Digits, float64]"
print(tp.value_and_grad(net_error, 0)(net, x, x)[0] if x.any() else "")
# arg-type: Argument 2 to "tp.checkpoint(run)" has incompatible type "R[Digits, float64]"; expected "R[Pixels, float64]"
outputs = [tp.checkpoint(run)(net, target) for _ in range(3)]


def locally(both: R[7], also: R[Hidden]) -> None:
    def inner(a: BVar[R[N]], b: R[N]) -> None: ...

    # arg-type: Argument 2 ("b") to "inner" is R[Digits], but argument 1 ("a") is BVar[R[Hidden]]: N cannot be both Digits and Hidden
    inner(b1, target)
    step = tp.grad(net_error)
    # arg-type: Argument 2 ("x") to "step" is R[Hidden], but argument 1 is Network[Pixels, Hidden, Digits]: I cannot be both Hidden and Pixels
    step(net, also, target)
    other = joined
    # arg-type: Argument 3 ("both") to "other" is R[10], but argument 1 ("x") is R[3]: M + N cannot be both 10 and 7
    other(tp.zeros(3), tp.zeros(4), ten)
    # assignment: Incompatible types in assignment (expression has type "R[Literal[12], float64]", variable has type "R[Literal[7], float64]")
    seven: R[7] = other(tp.zeros(3), tp.zeros(4), both)
    print(seven)


# -- Axes that are not there, and counts that do not fit ---------------------------------------------------------------

V = TypeVar("V")
three, batch = tp.zeros(3), tp.zeros(1, 2, 4, 4)


def alike(a: BVar[V], b: BVar[V]) -> BVar[V]:
    return a + b


# arg-type: "transpose": the axes [0, 0, 1] do not name each axis of Tensor3[2, 3, 4] once
t.transpose(0, 0, 1)
# arg-type: "moveaxis": Tensor3[2, 3, 4] has no axis 3
tp.moveaxis(t, 3, 0)
# arg-type: "swapaxes": Tensor3[2, 3, 4] has no axis 3
tp.swapaxes(t, 0, 3)
# arg-type: "swapaxes": Tensor3[2, 3, 4] has no axis -4
t.swapaxes(-4, 0)
# arg-type: "squeeze" of Tensor3[2, 3, 4]: axis 1 is of size 3, not 1
tp.squeeze(t, 1)
# arg-type: "diff" of R[3]: fewer than 4 elements along axis 0
tp.diff(three, 4)
# arg-type: "repeat" of R[3]: 2 repeats for 3 elements
tp.repeat(three, [1, 2])
# arg-type: "max_pool2d": windows of 5 elements are larger than Tensor4[1, 2, 4, 4]
tp.max_pool2d(batch, 5)
# arg-type: Argument 2 to "conv2d" is Tensor4[1, 3, 2, 2], for 3 channels; argument 1 is Tensor4[1, 2, 4, 4], with 2
tp.conv2d(batch, tp.zeros(1, 3, 2, 2))
# arg-type: "conv2d": the kernel with its dilation is longer than Tensor4[1, 2, 4, 4]
tp.conv2d(batch, tp.zeros(1, 2, 2, 2), dilation=5)
# arg-type: "broadcast_to": R[3] does not fill L[3, 2]
tp.broadcast_to(three, (3, 2))
# arg-type: "tensordot" of Tensor3[2, 3, 4] and R[3]: they do not both have 2 axes
tp.tensordot(t, three, 2)
# arg-type: Matrix 0 is L[2, 3], and the next L[2, 3]: their inner sizes differ
tp.linalg.multi_dot((tp.zeros(2, 3), tp.zeros(2, 3)))
# arg-type: Argument 3 to "einsum" is L[4, 3]: its axes of "..." in "...i,...i->...i" do not broadcast with those before
tp.einsum("...i,...i->...i", tp.zeros(2, 3), tp.zeros(4, 3))
# arg-type: The result of "i->ii" has a letter twice
tp.einsum("i->ii", three)
# arg-type: Argument 2 ("b") to "alike" is BVar[R[10]], but argument 1 ("a") is BVar[R[3]]: V cannot be both R[10] and R[3]
alike(BVar(three), BVar(ten))
# arg-type: Argument 2 ("b") to "alike" is BVar[float], but argument 1 ("a") is BVar[R[3]]: V cannot be both float and R[3]
alike(BVar(three), BVar(1.0))
# arg-type: Argument 2 ("y") to "dot" is R[2], but argument 1 ("x") is R[3]: N cannot be both 2 and 3
tp.dot(three, tp.zeros(2))
# arg-type: Argument 2 ("b") to "matmul" is L[2, 3], but argument 1 ("a") is L[2, 3]: K cannot be both 2 and 3; did you mean to transpose argument 2 (.T)?
tp.matmul(tp.zeros(2, 3), tp.zeros(2, 3) + 1.0)
# arg-type: Argument 2 ("b") to "matmul" is L[2, 3], but argument 1 ("a") is L[2, 3]: K cannot be both 2 and 3; did you mean "tp.zeros(2, 3).T"?
tp.matmul(tp.zeros(3, 2).T, tp.zeros(2, 3).T.T)
# call-arg: Missing positional argument "both" in call to "joined"
joined(three, three)
# index: Invalid index type "tuple[slice[None, None, None], int, slice[None, None, None]]" for "R[Literal[3], float64]"; expected type "tuple[slice[None, None, None], None]"
three[:, 0, :]
