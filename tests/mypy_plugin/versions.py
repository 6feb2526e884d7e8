"""The plugin under every version of mypy that it is said to work with, and under one that it is not.

    python -m tests.mypy_plugin.versions           # 2.4.1, 2.3.1, 2.2.0, and 2.1.0, which is told that it is too old

Each has a virtual environment of its own in `.venvs`. The tests are those of this folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("2.4.1", "2.3.1", "2.2.0")
TOO_OLD = "2.1.0"


def environment(version: str) -> str:
    """The interpreter of an environment with this version of mypy."""
    folder = ROOT / ".venvs" / f"mypy-{version}"
    python = str(folder / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, f"mypy=={version}", "--editable", ".[test,scipy]"], cwd=ROOT, check=True)
    return python


def passes(version: str) -> bool:
    """Whether the tests of the plugin pass."""
    # Which version is pinned is not this one's affair.
    command = [environment(version), "-m", "pytest", "-q", "tests/mypy_plugin", "-k", "not pinned"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def is_told(version: str) -> bool:
    """Whether mypy ends with one line that says what to do."""
    command = [environment(version), "-m", "mypy", "--config-file=/dev/stdin", "-c", "import typedprop"]
    done = subprocess.run(
        command,
        input="[mypy]\nplugins = typedprop.mypy_plugin\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    print(done.stderr, end="")
    return done.returncode == 2 and len(done.stderr.splitlines()) == 1 and f"this is mypy {version}" in done.stderr


if __name__ == "__main__":
    results = {version: passes(version) for version in VERSIONS} | {TOO_OLD: is_told(TOO_OLD)}
    for version, is_well in results.items():
        print(f"mypy {version}: {'passed' if is_well else 'FAILED'}")
    sys.exit(0 if all(results.values()) else 1)
