"""How a program is started with ranks of MPI on this machine, for `mpi4py.futures`.

The wheels of mpich put `mpiexec` beside Python; else it is the system's.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

# Ranks of one machine talk through its memory; nothing is to look for another network. A large message goes on at each
# look that mpi4py.futures takes at it: the millisecond that it sleeps between them by default makes 2 MB take 0.1 s.
ENVIRONMENT = {"FI_PROVIDER": "tcp", "FI_TCP_IFACE": "lo", "MPI4PY_FUTURES_BACKOFF": "0"}


def missing() -> str | None:
    """Why there can be no ranks here; None where there can."""
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    return None if _mpiexec() else "there is no mpiexec: MPI itself is not installed"


def command(workers: int, *program: str) -> list[str]:
    """What starts a program (`file.py` or `-m module`, and its arguments) with a caller and so many workers."""
    return [
        *(_mpiexec() or "mpiexec", "-n", str(workers + 1), "-host", "127.0.0.1"),
        *(sys.executable, "-m", "mpi4py.futures", *program),
    ]


def _mpiexec() -> str | None:
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")
