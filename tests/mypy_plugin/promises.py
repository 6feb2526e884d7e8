"""Do values have the sizes that types promise, sums and products of sizes and bare ints among them?"""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

from tests.typing.promises import Promises
from typedprop import Add, Dim, Mul


class PromisesOfSums(Promises):
    """As `Promises`; a sum is held to account once the Dims in it are known."""

    def _fits(self, size: int, promised: Any) -> bool:
        if isinstance(promised, int):
            return size == promised
        if get_origin(promised) in (Add, Mul):
            wanted = self._value(promised)
            return wanted is None or size == wanted
        return super()._fits(size, promised)

    def _value(self, size: Any) -> int | None:
        if isinstance(size, int):
            return size
        if isinstance(size, TypeVar):
            return None
        if isinstance(size, type) and issubclass(size, Dim):
            return self._sizes.get(size)
        arguments = get_args(size)
        if get_origin(size) not in (Add, Mul):
            return arguments[0] if arguments else None
        left, right = map(self._value, arguments)
        if left is None or right is None:
            return None
        return left + right if get_origin(size) is Add else left * right
