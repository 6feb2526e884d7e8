"""A sum whose rounding depends on its terms and their order alone, and grows with the logarithm of their number.

The terms come one at a time; neighbours are added, then neighbours of these sums, and so on, as a tournament is played.
No more partial sums are kept than the number of terms has binary digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from typing_extensions import TypeVar

T = TypeVar("T")


class PairwiseSum(Generic[T]):
    """The sum of what was added, with the given way to add two terms."""

    __slots__ = ("_partial", "_plus")

    def __init__(self, plus: Callable[[T, T], T]) -> None:
        self._plus = plus
        # Sums of 2**k neighbours, the earliest and largest first: the binary digits of the number of terms.
        self._partial: list[tuple[int, T]] = []

    def add(self, term: T) -> None:
        """Add the next term."""
        count = 1
        while self._partial and self._partial[-1][0] == count:
            before = self._partial.pop()[1]
            term = self._plus(before, term)
            count *= 2
        self._partial.append((count, term))

    def total(self) -> T | None:
        """The sum so far; None where nothing was added."""
        if not self._partial:
            return None
        total = self._partial[-1][1]
        for _, before in reversed(self._partial[:-1]):
            total = self._plus(before, total)
        return total
