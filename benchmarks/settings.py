"""The conditions that every measured process runs under, the same for all contenders.

They have to be set before the process starts, so each measurement is a process of its own with this environment.
"""

from __future__ import annotations

import os

_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}

# By default glibc hands big arrays back to the system and fetches them again, zeroed page by page: that costs more than
# the arithmetic of a layer, and it strikes whoever happens to free last.
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 30)}

# Hashes order sets, and with them what some libraries do first.
_REPEATABLE = {"PYTHONHASHSEED": "0"}


def environment(*, keep_memory: bool = True) -> dict[str, str]:
    """The environment of a measured process: BLAS on one thread, memory kept, hashes fixed.

    Several threads need `keep_memory` off: glibc serves all but the first from heaps of 64 MB, which it makes and
    unmaps again and again under these thresholds, so that two threads by hand are no faster than one.
    """
    # Who imports a library a second time finds its bytecode on disk, and that is what the import is measured with.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **_ONE_THREAD, **_REPEATABLE, **(_KEEP_MEMORY if keep_memory else {})}
