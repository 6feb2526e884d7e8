"""What `grad` and `value_and_grad` share: a scalar function, run with a tape and swept back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from typedprop.arithmetic import one_like
from typedprop.bvar import BVar
from typedprop.errors import NotDifferentiableError
from typedprop.leaves import leaf_type
from typedprop.transform.run import Inputs, Run, as_given, to_be_lifted


class Differentiated:
    """A scalar function and the positions of the arguments that it is differentiated by: one, or a tuple of them."""

    __slots__ = ("argnums", "first", "function", "most", "name", "names", "numbers")

    def __init__(self, function: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> None:
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        self.function: Callable[..., Any] = function
        self.argnums: int | tuple[int, ...] = argnums
        # The frequent case, in which nothing is to be chosen among the arguments.
        self.first: bool = argnums == 0
        self.numbers: tuple[int, ...] = numbers
        self.most: int = max(numbers)
        self.name: str = f"grad of {getattr(function, '__name__', 'f')}"
        self.names: list[str] = [f"{self.name}, argument {k}" for k in numbers]

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Run:
        """The recorded run of the function."""
        if self.most >= len(args):
            raise NotDifferentiableError(
                f"{self.name}: argnums is {self.argnums}, but {len(args)} positional arguments were given"
            )
        if self.first:
            return Run(self.function, Inputs(args[0], self.names[0]), args[1:], kwargs)
        chosen = []
        for k, name in zip(self.numbers, self.names, strict=True):
            inputs = Inputs(args[k], name)
            chosen.append(inputs.structure._around(inputs.leaves))
        return Run(self._with, Inputs(tuple(chosen), self.name), (args, kwargs))

    def _with(self, chosen: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The function of `args` with the chosen ones in their places."""
        arguments = list(args)
        for k, x in zip(self.numbers, chosen, strict=True):
            arguments[k] = x
        return self.function(*arguments, **kwargs)

    def gradient_of(self, run: Run) -> Any:
        """The gradient by a run's inputs, a tuple of them where a tuple of positions was given; uses up the tape.

        One clear error if the run gave no scalar.
        """
        loss = run.output
        seed: Any = 1.0
        if type(loss) is BVar:
            value = loss._value
            while type(value) is BVar:
                value = value._value
            # It is a float almost always.
            if type(value) is not float:
                if loss.shape:
                    raise NotDifferentiableError(
                        f"{self.name}: the loss must be a scalar BVar[float], but the function returned a BVar of "
                        f"shape {loss.shape}; reduce it with .sum() or .mean(), or use vjp or jacobian"
                    )
                seed = one_like(loss)
        elif isinstance(loss, bool) or not (isinstance(loss, float | int | np.floating) or leaf_type(type(loss))):
            what = f"an array of shape {loss.shape}" if isinstance(loss, np.ndarray) else f"a {type(loss).__name__}"
            raise NotDifferentiableError(
                f"{self.name}: the loss must be a scalar BVar[float], but the function returned {what}"
            )
        node = run.node(loss)
        gradient = run.pull([] if node is None else [(node, seed)])
        if self.first:
            return gradient
        args, _ = run.args
        gradients = tuple(
            as_given(g) if to_be_lifted(args[k]) else g for k, g in zip(self.numbers, gradient, strict=True)
        )
        return gradients if isinstance(self.argnums, tuple) else gradients[0]

    def gradient(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The gradient at these arguments."""
        return self.gradient_of(self.run(args, kwargs))
