"""What a checker cannot do, in a few lines without typedprop: the evidence for the reasons in the other programs.

At its end, what mypy cannot say.
"""
# fmt: off

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Concatenate, Generic, Never, ParamSpec, TypeVar, TypeVarTuple, assert_type

import attrs
import numpy as np

M = TypeVar("M")
N = TypeVar("N")
P = TypeVar("P")
Q = TypeVar("Q")
A = ParamSpec("A")
Ts = TypeVarTuple("Ts")


class Vector(Generic[N]):
    def size(self) -> float: raise
    def dot(self, other: "Vector[N]") -> float: raise


class Matrix(Generic[M, N]): ...


class Refusing:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # object declares a method

    def __bool__(self) -> Never: raise


class Box(Generic[P]):
    content: P


@attrs.frozen
class Line:
    slope: float


@attrs.frozen
class Pair(Generic[N]):
    left: Vector[N]
    right: Vector[N]


def length(v: Vector[N]) -> float: raise
def copy(v: Vector[N]) -> Vector[N]: raise
def sum_of(v: Vector[N], w: Vector[N]) -> Vector[N]: raise
def both(v: Vector[N], w: Vector[N]) -> float: raise
def add(x: int, y: str) -> float: raise

def gradient(f: Callable[[P], float]) -> Callable[[P], P]: raise
def slope(f: Callable[Concatenate[P, A], float]) -> Callable[Concatenate[P, A], P]: raise
def pulled(f: Callable[[P], Q], at: P) -> tuple[Q, P]: raise
def solution(solver: Callable[[P], Q], residual: Callable[[Q, P], Q]) -> Callable[[P], Q]: raise
def least(f: Callable[[P, *Ts], float], at: P, /, *args: *Ts) -> P: raise
def boxed(content: P) -> Box[P]: raise
def exchanged(new: P, box: Box[P], old: P) -> P: raise
def table(kind: type[P], zero: Callable[[P], P]) -> None: raise
def joined(items: list[Matrix[Any, N]] | tuple[Matrix[Any, N], ...]) -> Matrix[Any, N]: raise


def programs(
    v: Vector[int], w: Vector[str], m: Matrix[str, int], n: Matrix[bytes, int], b: Refusing
) -> None:
    # Mistakes that pass. NumPy takes any object.
    np.array([b])
    # E: pyright=reportGeneralTypeIssues  # gap: mypy pyrefly zuban ty "does not look at whether `__bool__` returns"
    not b
    # E: pyright=reportUnhashable  # gap: mypy pyrefly zuban ty "does not look at whether a key can be hashed"
    {b: 1}
    # E: mypy=call-arg
    # gap: pyright zuban ty "takes any keyword in attrs.evolve, which mypy and pyrefly know by a plugin of their own"
    attrs.evolve(Line(1.0), offset=2.0)
    # E: mypy=arg-type pyright=reportArgumentType
    # gap: pyrefly "takes no arguments at all for a variadic type variable"
    # gap: ty "does not match the arguments of a variadic type variable (`*Ts`)"
    least(add, 1)
    # E: mypy=arg-type,return-value pyright=reportArgumentType
    # gap: pyrefly zuban ty "takes the class and the result of the lambda for one wider type"
    table(str, lambda text: 0)
    # E: mypy=arg-type pyright=reportArgumentType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    gradient(length)(1)
    # E: mypy=misc
    # gap: pyright pyrefly ty "takes two types of one variable for their union, if the state is made in the call"
    exchanged("new", boxed(1), 1)
    box = boxed(1)
    exchanged("new", box, 1)  # E: mypy=misc pyright=reportArgumentType

    # Right lines that are refused.
    # gap: zuban ty "does not solve for two generic functions in one call"
    assert_type(solution(copy, sum_of)(v), Vector[int])
    # gap: pyrefly zuban "forgets that the result of a transformation is generic: write a def"
    assert_type(pulled(gradient(length), v), tuple[Vector[int], Vector[int]])
    # gap: pyright=reportAssertTypeFailure,reportOperatorIssue "cannot infer a lambda here: write backprop(lambda ...)"
    # gap: mypy=operator pyrefly zuban ty "cannot infer a lambda here: write backprop(lambda ...)"
    assert_type(gradient(lambda t: t * 2.0)(1.0), float)
    # gap: pyright=reportAssertTypeFailure zuban ty "forgets the sizes of an unbound method: write Layer[A, B].loss"
    assert_type(gradient(Vector.size)(v), Vector[int])
    # gap: mypy=assert-type zuban "functools.partial loses the types of its parameters"
    assert_type(gradient(partial(both, w=v))(v), Vector[int])
    # gap: mypy=arg-type,assert-type "joins the items of a list to one type: write a tuple"
    assert_type(joined([m, n]), Matrix[Any, int])
    assert_type(joined((m, n)), Matrix[Any, int])

    # Messages. Of these mistakes mypy names one size or none (test_messages.py has the words) ...
    both(v, w)  # E: mypy=misc pyright=reportArgumentType
    Pair(v, w)  # E: mypy=misc pyright=reportArgumentType
    # E: mypy=misc pyright=reportArgumentType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    slope(both)(v, w)
    # ... and both of the same ones in these forms.
    v.dot(w)  # E: mypy=arg-type pyright=reportArgumentType
    Pair[int](v, w)  # E: mypy=arg-type pyright=reportArgumentType
    # E: mypy=arg-type pyright=reportArgumentType
    # gap: ty "does not solve the variables of a generic function that is an argument"
    declared: Vector[int] = slope(both)(v, w)
    print(declared)
