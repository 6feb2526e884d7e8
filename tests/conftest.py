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

from benchmarks.machine import is_compiled  # noqa: E402

# Tests never time: on a busy machine a deadline fails for no fault of the code. Derandomized, a failure in CI is one at
# the desk.
hypothesis.settings.register_profile("typedprop", deadline=None, derandomize=True)
# With --hypothesis-profile=soak: other examples at each run, and many more of them.
hypothesis.settings.register_profile("soak", deadline=None, max_examples=10_000, print_blob=True)
hypothesis.settings.load_profile("typedprop")

# Tests that look at the engine as Python: where mypyc compiled it, there is nothing for them to look at. By a file, or
# by the name of a test: why.
_OF_PYTHON = {
    "tests/ops/test_mutants.py": "it puts other functions in the place of rules",
    "tests/ops/test_reference.py": "the page is made from the functions of the sources",
    "test_an_exported_operation_has_a_row": "a compiled class has methods of mypyc's own",
    "test_an_error_from_outside_before_the_first_rule": "it gives the sweep a list of its own, which is not asked",
    "test_the_entry_of_a_result_is_looked_for_where_another_thread_was_faster": "it gives the tape such a list",
    "test_classes_made_without_end_are_not_kept": "it replaces a constant, which is compiled in",
    "test_a_constant_that_is_not_finite_is_named": "the constant is known by the frame of the operator",
}
# It is not even to be imported.
collect_ignore = ["ops/test_mutants.py"] if is_compiled() else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what looks at Python where the engine is compiled."""
    for item in items if is_compiled() else ():
        for name, reason in _OF_PYTHON.items():
            if name in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=f"the engine is compiled: {reason}"))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, newly built; tests that use it are in the group "site", so that it is built once."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", str(folder / "doctrees"), "docs", str(folder / "html")]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)
    assert finished.returncode == 0, finished.stderr
    return folder / "html"
