"""Why a mutant lives: reasons for groups of them, by what they change and where."""

from __future__ import annotations

import re
from typing import Any

# Module, scope, change (regular expressions that must match from the beginning), and the reason.
REASONS: tuple[tuple[str, str, str, str], ...] = ()


def reason_of(entry: dict[str, Any]) -> str | None:
    """The reason why a mutant is allowed to live, or None."""
    scope, _, change = entry["mutant"].removeprefix(f"{entry['module']}: ").partition(": ")
    for module, where, what, reason in REASONS:
        if re.match(module, entry["module"]) and re.match(where, scope) and re.match(what, change):
            return reason
    return None
