"""The tests in other environments than the usual one, each a virtual environment of its own in `.venvs`.

    python -m tests.environments oldest     # every dependency at its lower bound
    python -m tests.environments newest     # every dependency at its newest release
    python -m tests.environments pythons    # every Python from 3.11 on that is found here
    python -m tests.environments compiled   # the engine compiled by mypyc, as a wheel has it that is built so

Needs nothing but the standard library. Those tests are left out that ask type checkers, whose versions are pinned, and
those that run the examples and benchmarks, whose dependencies are not the library's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Those of the documentation need the tools that build it.
_OF_THE_DOCS = ("test_docs.py", "test_site.py", "test_browser.py", "test_coming_from.py")
# What the library has optional support for; `dev` has exact versions of the same.
EXTRAS = ("special", "scipy", "safetensors", "dask", "joblib", "mpi")
_ELSEWHERE = ("typing", "mypy_plugin", "test_waiting.py", "examples", "benchmarks", *_OF_THE_DOCS)
TESTS = ("tests", *(f"--ignore=tests/{name}" for name in _ELSEWHERE))


def lower_bounds() -> list[str]:
    """Every dependency and optional one, pinned at its lower bound: `numpy==2.2`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    pins = set[str]()
    for requirement in [*project["dependencies"], *(r for extra in EXTRAS for r in optional[extra])]:
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)(;.*)?", requirement)
        if match is None:
            raise SystemExit(f"{requirement}: wanted name>=version, so that the lower bound can be tested")
        pins.add(f"{match[1]}=={match[2]}{match[3] or ''}")
    return sorted(pins)


def pythons() -> Iterator[tuple[str, str]]:
    """Name and path of one interpreter of each Python from 3.11 on, free-threaded ones too, on the path or of pyenv."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable]
    candidates += [
        found for minor in range(11, 20) for t in ("", "t") if (found := shutil.which(f"python3.{minor}{t}"))
    ]
    candidates += map(str, sorted(versions.glob("3.*/bin/python")))
    seen = set[str]()
    tell = "import sys, sysconfig as s; print(*sys.version_info[:2], 't' * bool(s.get_config_var('Py_GIL_DISABLED')))"
    for candidate in candidates:
        told = subprocess.run([candidate, "-c", tell], capture_output=True, text=True, check=False).stdout.split()
        name = ".".join(told[:2]) + "".join(told[2:])
        if told and (int(told[0]), int(told[1])) >= (3, 11) and name not in seen:
            seen.add(name)
            yield f"python{name}", candidate


def run(
    name: str, interpreter: str, constraints: Path | None, arguments: list[str], project: tuple[str, ...] = ("-e", ".")
) -> bool:
    """Make the environment, install the project and what it is tested with, test; whether all went well."""
    folder = ROOT / ".venvs" / name
    # The compiled engine is there to be measured, too.
    extras = (*EXTRAS, "bench") if name == "compiled" else EXTRAS
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    if constraints is not None:
        install += ["--constraint", str(constraints)]
    commands = [
        [interpreter, "-m", "venv", "--clear", str(folder)],
        [*install, *project[:-1], f"{project[-1]}[{','.join(extras)},test]"],
        [python, "-c", "import sys, numpy; print(sys.version, 'numpy', numpy.__version__, flush=True)"],
        [python, "-m", "pytest", "-q", *(arguments or TESTS)],
    ]
    print(f"== {name}: {interpreter}", flush=True)
    return all(subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in commands)


def main(kind: str, arguments: list[str]) -> int:
    (ROOT / ".venvs").mkdir(exist_ok=True)
    if kind == "oldest":
        pins = ROOT / ".venvs" / "oldest.txt"
        pins.write_text("\n".join(lower_bounds()) + "\n")
        print(pins.read_text())
        results = {kind: run(kind, sys.executable, pins, arguments)}
    elif kind == "newest":
        results = {kind: run(kind, sys.executable, None, arguments)}
    elif kind == "pythons":
        results = {name: run(name, interpreter, None, arguments) for name, interpreter in pythons()}
    elif kind == "compiled":
        os.environ["TYPEDPROP_COMPILE"] = "1"
        results = {kind: run(kind, sys.executable, ROOT / "constraints.txt", arguments, (".",))}
    else:
        raise SystemExit(__doc__)
    for name, is_well in results.items():
        print(f"{name}: {'passed' if is_well else 'FAILED'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:]))
