"""mypy with the plugin, in this process: a daemon that looks at one program after another in milliseconds."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from mypy.dmypy_server import Server
from mypy.main import process_options
from mypy.modulefinder import BuildSource

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
CONFIGURATION = """\
[mypy]
strict = True
plugins = {plugins}
mypy_path = {root}/src:{root}
explicit_package_bases = True
show_error_end = False
pretty = False
"""


class Message(NamedTuple):
    """What mypy says of a line."""

    line: int
    severity: str
    text: str
    code: str


def configuration(folder: Path, *, plugin: bool) -> Path:
    """A configuration file of mypy."""
    file = folder / ("with.ini" if plugin else "without.ini")
    file.write_text(CONFIGURATION.format(root=ROOT, plugins="typedprop.mypy_plugin" if plugin else ""))
    return file


class Daemon:
    """A daemon with a program of its own, which changes from check to check."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "program.py"
        self._time = 10**9
        cache = ROOT / ".mypy_cache" / "mypy_plugin"
        options = [f"--config-file={configuration(folder, plugin=True)}", f"--cache-dir={cache}", str(self._file)]
        _, parsed = process_options(options, server_options=True, require_targets=False)
        self._server = Server(parsed, str(folder / "status.json"))

    def check(self, program: str) -> list[Message]:
        """What mypy says of a program."""
        self._file.write_text(program)
        # Files are told apart by whole seconds.
        self._time += 10
        os.utime(self._file, (self._time, self._time))
        source = BuildSource(str(self._file), self._file.stem, None)
        answer: dict[str, Any] = self._server.check([source], False, False, 80)
        assert not answer["err"], answer["err"]
        return messages(answer["out"], self._file.name)


_LINE = re.compile(r"^(?P<file>.*?):(?P<line>\d+): (?P<severity>\w+): (?P<text>.*?)(?:  \[(?P<code>[\w-]+)\])?$")


def messages(output: str, name: str) -> list[Message]:
    """The messages of one file."""
    return [
        Message(int(found["line"]), found["severity"], found["text"], found["code"] or "")
        for line in output.splitlines()
        if (found := _LINE.match(line)) and Path(found["file"]).name == name
    ]
