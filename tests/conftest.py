"""What tests share: the settings of Hypothesis, and the documentation as a site."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Before anything imports NumPy: the arrays are small here, and threads that wait for each other beside a second test
# process make SciPy's triangular solver, for one, 18 times slower.
for _library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import hypothesis  # noqa: E402  # after the settings that NumPy reads
import pytest  # noqa: E402

# Tests never time: on a busy machine a deadline fails for no fault of the code. Derandomized, a failure in CI is one at
# the desk.
hypothesis.settings.register_profile("typedprop", deadline=None, derandomize=True)
# With --hypothesis-profile=soak: other examples at each run, and many more of them.
hypothesis.settings.register_profile("soak", deadline=None, max_examples=10_000, print_blob=True)
hypothesis.settings.load_profile("typedprop")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, newly built; tests that use it are in the group "site", so that it is built once."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", str(folder / "doctrees"), "docs", str(folder / "html")]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    assert finished.returncode == 0, finished.stderr
    return folder / "html"
