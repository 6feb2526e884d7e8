"""In mypy's own process the package's names wait until one is asked for; elsewhere they are all there at once."""

from __future__ import annotations

import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from tests.mypy_plugin.checking import configuration
from typedprop.waiting import waits


def run(program: str) -> str:
    """What a program prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


# -- The package itself ------------------------------------------------------------------------------------------------


def test_without_mypy_all_is_there_at_once() -> None:
    run(
        "import typedprop, types\n"
        "assert type(typedprop) is types.ModuleType\n"
        "later = {'CorruptFileError', 'asarray', 'debug_nans', 'linalg', 'load', 'optim', 'save', 'special'}\n"
        "later |= {'summary', 'testing', 'trace'}\n"
        "assert set(typedprop.__all__) - set(vars(typedprop)) == later\n"
    )


@pytest.mark.xdist_group("mypy_plugin")  # which share a cache
def test_a_run_of_mypy_leaves_numpy_out(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import typedprop as tp\n"
        "reveal_type(tp.concatenate((tp.zeros(3), tp.zeros(4))))\n"
        "tp.softmax_cross_entropy(tp.zeros(3), tp.zeros(4))\n"
        "tp.matmul(tp.zeros(2, 3), tp.zeros(4))\n"
    )
    said = run(
        "import sys\n"
        "from mypy import api\n"
        f"out, _, _ = api.run(['--config-file={configuration(tmp_path, plugin=True)}', "
        f"'--cache-dir={Path(__file__).parents[1] / '.mypy_cache' / 'mypy_plugin'}', r'{tmp_path / 'program.py'}'])\n"
        "print(out)\n"
        "assert 'typedprop.mypy_plugin' in sys.modules and 'numpy' not in sys.modules, sorted(sys.modules)\n"
    )
    assert "R[Literal[7], numpy.float64]" in said
    # The names of the parameters are positional, and so not in the cache of mypy.
    assert 'Argument 2 ("target") to "softmax_cross_entropy" is R[4], but argument 1 ("logits") is R[3]' in said
    assert 'Argument 2 ("b") to "matmul" is R[4], but argument 1 ("a") is L[2, 3]' in said


FIRST = {
    "a name": "tp.BVar",
    "from": "from typedprop import op, sigmoid, special",
    "star": "from typedprop import *; assert sigmoid(0.0) == 0.5 and callable(checked) and linalg.inv",
    "a module that has the name of its function": "import typedprop.checked, typedprop.op",
    "what is in it": "from typedprop.op import Elementwise; from typedprop.checked import checked",
    "a module that all others come before": "from typedprop.record import Record",
    "what is loaded later": "import typedprop.linalg; tp.linalg.inv; from typedprop import optim; tp.testing",
    "a bridge": "import typedprop.scipy",
    "two threads": "from threading import Barrier, Thread\n"
    "both, found = Barrier(2), []\n"
    "def look(): both.wait(); found.append(tp.zip_with)\n"
    "def use(): both.wait(); import typedprop.record; found.append(typedprop.record.Record)\n"
    "threads = [Thread(target=each) for each in (look, use)]\n"
    "[t.start() for t in threads]; [t.join() for t in threads]; assert len(found) == 2",
}


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_after_the_first_look_it_is_an_ordinary_package(first: str) -> None:
    run(
        "import sys, types, mypy.plugin\n"
        "import typedprop as tp\n"
        "assert tp.__version__ and not hasattr(tp, 'nothing') and set(tp.__all__) < set(dir(tp))\n"
        "assert 'numpy' not in sys.modules\n"
        f"{first}\n"
        "import typedprop.checked, typedprop.op\n"
        "for name in tp.__all__:\n"
        "    module = name in ('linalg', 'optim', 'special', 'testing', 'tree')\n"
        "    assert isinstance(getattr(tp, name), types.ModuleType) == module, name\n"
        "assert type(tp) is types.ModuleType and set(tp.__all__) < set(vars(tp))\n"
        "@tp.checked\n"
        "def f(x: tp.R[tp.Dim]) -> tp.R[tp.Dim]: return x\n"
        "f(tp.ones(2))\n"
        "assert tp.grad(tp.exp)(tp.BVar(0.0)).value == 1.0\n"
    )


def test_without_numpy_it_says_so_each_time() -> None:
    run(
        "import sys\n"
        "sys.modules['numpy'] = None\n"
        "try: import typedprop\n"
        "except ModuleNotFoundError as error: assert error.name == 'numpy'\n"
        "else: assert False\n"
    )
    run(
        "import sys, mypy.plugin\n"
        "sys.modules['numpy'] = None\n"
        "import typedprop\n"
        "for _ in range(2):\n"
        "    try: typedprop.BVar\n"
        "    except ModuleNotFoundError as error: assert error.name == 'numpy'\n"
        "    else: assert False\n"
    )


# -- A small package that waits ----------------------------------------------------------------------------------------

INIT = """\
import sys
from typedprop.waiting import waits
runs = globals().get("runs", 0) + 1
if not waits(sys.modules[__name__]):
    from {name}.slow import slow
    from {name}.last import last
__all__ = ["slow", "last"]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    name = f"waiting_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(INIT.format(name=name))
    (folder / "slow.py").write_text("import time\ntime.sleep(0.2)\ndef slow(): return 'slow'\n")
    (folder / "last.py").write_text("def last(): return 'last'\n")
    (folder / "other.py").write_text(f"from {name} import last\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "mypy.plugin", ModuleType("mypy.plugin"))
    return importlib.import_module(name)


def test_its_names_wait(package: ModuleType) -> None:
    assert package.runs == 1 and "slow" not in vars(package) and type(package) is not ModuleType
    assert package.slow() == "slow"
    assert package.runs == 2 and {"slow", "last"} < set(vars(package)) and type(package) is ModuleType


def test_a_name_that_it_does_not_have(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=rf"^module '{package.__name__}' has no attribute 'nothing'$"):
        package.nothing  # noqa: B018  # that there is none is what is tested
    assert package.runs == 1


def test_a_function_wins_over_its_module(package: ModuleType) -> None:
    module = importlib.import_module(f"{package.__name__}.slow")
    assert package.runs == 1 and package.slow is module.slow
    other = importlib.import_module(f"{package.__name__}.other")
    assert other.last() == "last" and package.other is other


def test_many_threads_look_first(package: ModuleType) -> None:
    names = ["slow", "last"] * 8
    with ThreadPoolExecutor(len(names)) as pool:
        found = pool.map(lambda name: getattr(package, name)(), names)
        assert [*found] == names
    assert package.runs == 2 and type(package) is ModuleType


def test_it_may_be_loaded_again(package: ModuleType) -> None:
    assert package.last
    importlib.reload(package)
    assert package.last and package.slow and type(package) is ModuleType


def test_without_mypy_it_does_not_wait(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mypy.plugin")
    assert not waits(ModuleType("package"))
