"""What a figure depends on besides the code: the processor and the versions, in words. Nothing that names a host."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

import typedprop
import typedprop.tape


def described() -> str:
    """One line, such as `2 cores of an AMD EPYC, Linux; Python 3.11.14, NumPy 2.4.0 with OpenBLAS 0.3.31, ...`."""
    return (
        f"{cores()} cores, {_processor()}, {platform.system()}; {platform.python_implementation()} "
        f"{platform.python_version()}, NumPy {np.__version__} with {_blas()}, typedprop {typedprop.__version__}"
        f"{COMPILED if is_compiled() else ''}"
    )


COMPILED = " with a compiled engine"


def is_compiled() -> bool:
    """Whether typedprop's engine is compiled, or Python."""
    return not str(typedprop.tape.__file__).endswith(".py")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load() -> float | None:
    """How many processes wanted to run in the last minute, where the system says so."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return f"{value.strip()} ({platform.machine()})"
    return platform.processor() or platform.machine()


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    name = "OpenBLAS" if "openblas" in blas["name"] else blas["name"]
    return f"{name} {'.'.join(str(blas['version']).split('.')[:3])}"
