"""Optional libraries: imported where they are used, with an error that says what to install where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def extra(module: str, *, name: str, needed_by: str) -> ModuleType:
    """The module of an optional library; `name` is the extra of typedprop that installs it.

    Raises ImportError, with the line to install it by, where the library is not there.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != library:
            raise
        raise ImportError(
            f"{needed_by} needs {library}, which is not installed: pip install 'typedprop[{name}]'", name=library
        ) from None
