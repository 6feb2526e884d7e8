"""Which versions of mypy the plugin is tested with, and what others are told.

A plugin sees the inside of mypy, which has no stable interface. mypy reports an ImportError of a plugin as one line and
stops; a plugin that raises later makes it print a traceback, so this module is the first that the package imports.
"""

from __future__ import annotations

import re

from mypy.version import __version__

OLDEST = (2, 2)
NEWEST = (2, 4)


def problem_with(version: str) -> str | None:
    """What is wrong with a version of mypy, and what to do; None if it is one that the plugin is tested with."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found and OLDEST <= (int(found[1]), int(found[2])) <= NEWEST:
        return None
    return (
        f"this plugin works with mypy {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}, and this is mypy "
        f"{version}: install one of those, or take the plugin out of the configuration, which it is never needed in"
    )


_problem = problem_with(__version__)
if _problem is not None:
    raise ImportError(_problem)
