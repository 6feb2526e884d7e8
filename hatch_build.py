"""The part of a build that compiles the engine: in a wheel, if the environment says `TYPEDPROP_COMPILE=1`.

Without it the wheel is pure Python, and nothing here runs. See mypyc_build.py.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledEngine(BuildHookInterface):
    """Adds the extension modules to a wheel."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling: mypyc, what it builds with, and the types of what is imported."""
        if not _wanted():
            return []
        return ["mypy[mypyc]==2.4.1", "setuptools>=75", *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the wheel is put together. An editable installation stays pure Python."""
        if not _wanted() or version == "editable":
            return
        sys.path.insert(0, self.root)
        from mypyc_build import compiled

        self._folder = Path(tempfile.mkdtemp())
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for made in compiled(Path(self.root) / "src", self._folder):
            build_data["force_include"][str(made)] = str(made.relative_to(self._folder))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made on the way."""
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder)


def _wanted() -> bool:
    return os.environ.get("TYPEDPROP_COMPILE", "0") not in ("", "0")
