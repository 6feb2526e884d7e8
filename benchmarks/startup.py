"""How long it takes to begin: the import beyond numpy's own, and the first gradient of the digits network.

Each figure is from fresh processes, with compiled bytecode on disk and BLAS warmed up by one product.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from benchmarks.settings import environment

_IMPORT = """
import numpy
from time import perf_counter
start = perf_counter()
import typedprop
print(perf_counter() - start)
"""

# The network of examples/digits.py: 64-48-24-10, a batch of 32.
_FIRST_GRADIENT = """
import numpy as np
from time import perf_counter
import typedprop as tp
from benchmarks.by_typedprop import loss, network
from benchmarks.work import Classifier
np.ones((64, 64)) @ np.ones((64, 64))
work = Classifier.draw(32, "float64", (64, 48, 24, 10))
net = network(work.parameters)
start = perf_counter()
tp.grad(loss)(net, work.x, work.target)
print(perf_counter() - start)
"""


def seconds(program: str, times: int) -> float:
    """The median of what the program prints."""
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True, capture_output=True)
    printed = [
        subprocess.run([sys.executable, "-c", program], env=environment(), check=True, capture_output=True, text=True)
        for _ in range(times)
    ]
    return median(float(run.stdout) for run in printed)


def main() -> None:
    """Print both figures, in seconds."""
    json.dump({"import": seconds(_IMPORT, 11), "first gradient": seconds(_FIRST_GRADIENT, 11)}, sys.stdout)


if __name__ == "__main__":
    main()
