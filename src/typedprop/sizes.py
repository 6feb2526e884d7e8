"""`Add[M, N]` and `Mul[M, N]`: sizes that are sums and products of other sizes, as in `R[Add[M, N]]`.

A joined vector has M + N elements and a flattened matrix M * N; these names say so in an annotation. The parameters are
what a size of `R` and `L` may be: a `Dim`, a type variable, a `Literal` (or an int, with the mypy plugin), or another
sum or product. A difference is a sum with a negative number: `Add[N, Literal[-1]]`.

With `typedprop.mypy_plugin`, mypy calculates with them: it compares them as polynomials, so that `Add[M, N]` is
`Add[N, M]` and `Mul[Literal[2], M]` is `Add[M, M]`, and it gives them to the results of `tp.concatenate`, `tp.ravel`
and their like. To other checkers each is an unknown size of its own, equal only to one that is written alike. At run
time a `Record` and `tp.checked` hold the sizes of arrays to them.
"""

from __future__ import annotations

from typing import Generic, Never

from typing_extensions import TypeVar

M = TypeVar("M", bound=int)
N = TypeVar("N", bound=int)


class Add(int, Generic[M, N]):
    """The size M + N. It names a size in a type and has no values."""

    __slots__ = ()

    def __new__(cls, name_for_a_size: Never, /) -> Never:
        """Raises TypeError."""
        raise TypeError(f"{cls.__name__}[M, N] names a size in a type; it makes no values")


class Mul(int, Generic[M, N]):
    """The size M * N. It names a size in a type and has no values."""

    __slots__ = ()

    def __new__(cls, name_for_a_size: Never, /) -> Never:
        """Raises TypeError."""
        raise TypeError(f"{cls.__name__}[M, N] names a size in a type; it makes no values")
