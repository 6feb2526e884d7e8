"""A plugin for mypy that calculates with the sizes of arrays.

It is switched on in mypy's configuration:

    [mypy]
    plugins = typedprop.mypy_plugin

With it mypy takes ints for sizes (`R[20]`), finds sizes from literals (`tp.zeros(20, 100)` is an `L[20, 100]`), adds
and multiplies them (`tp.concatenate`, `tp.ravel`), reads the strings of `tp.einsum`, allows broadcasting where run time
does, and names both sizes where arguments disagree. docs/mypy-plugin.md shows each. It is never needed: a program that
checks with it also runs without it, and other type checkers do not know of it.

One idea a file, from the bottom up: polynomial (sizes in normal form), size_types and arrays (what mypy's types say of
them), calls (arguments), a file for each family of rules, table (which function has which), unifying (messages),
called_at_once (`tp.grad(loss)(net)`), literals (annotations), and the hooks, in a private module because pyright cannot
read the types of mypy's classes.
"""

from __future__ import annotations

from mypy.plugin import Plugin

# First, for it tells of a version of mypy in which the others may not even be imported.
from typedprop.mypy_plugin.compatible import NEWEST, OLDEST  # isort: split

from typedprop.mypy_plugin._hooks import SizesPlugin

__all__ = ["NEWEST", "OLDEST", "plugin"]


def plugin(version: str) -> type[Plugin]:
    """The plugin, for mypy; `version` is mypy's own, which importing this module has already looked at."""
    return SizesPlugin
