"""The package in mypy's own process: its names wait there until somebody asks for one.

`plugins = typedprop.mypy_plugin` has mypy import this package, and the plugin needs none of its names. NumPy and the
rules would take a third of a second of every run, so they are left out where mypy has been imported. The first look at
a public name loads them all, and what is left is an ordinary module. Everybody else has all names at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from threading import RLock
from types import ModuleType

_LOADING = RLock()


class _Waiting(ModuleType):
    """A package whose `__init__` has yet to be run in full, which it is when one of `__all__` is asked for."""

    def __getattr__(self, name: str) -> object:
        if name not in _public(self):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        with _LOADING:
            if isinstance(self, _Waiting):  # no other thread has been first
                importlib.reload(self)
                self.__class__ = ModuleType  # type: ignore[assignment]  # the class of a module may be changed
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        # Importing `typedprop.op` binds the module to a name that is a function's in public.
        if not (isinstance(value, ModuleType) and name in _public(self)):
            super().__setattr__(name, value)


def _public(package: ModuleType) -> Sequence[str]:
    names: Sequence[str] = vars(package).get("__all__", ())
    return names


def waits(package: ModuleType) -> bool:
    """Whether mypy is importing the package for its plugin, so that its `__init__` is to leave out what takes long.

    It is run again, and then is to leave out nothing, when a name is asked for.
    """
    if "mypy.plugin" not in sys.modules or "__all__" in vars(package):
        return False
    package.__class__ = _Waiting
    return True
