# On a machine with Python 3.11 or later and make, each target sets up what it needs.
#
#   make digits             train on scikit-learn's handwritten digits   -> out/digits.png
#   make digits MNIST=dir   train on MNIST's four IDX files in dir
#   make test               lint, type-check and test everything
#   make bench              all work by all contenders, in 10 minutes -> docs/performance/measured.md
#   make bench-growth       how time and memory grow, in two minutes -> docs/performance/growth.md
#   make bench-quick        the figures that the targets name, in two minutes
#                           (what is compared to: .venv/bin/pip install -e .[bench,peers])
#   make bench-four-ways    four ways to write a network, timed in a minute -> docs/four-ways.md
#   make docs               build the documentation as a site -> docs/_build/html
#   make look               pictures of the site, for a desktop and a phone (needs Chromium) -> out/site
#   make oldest             test with every dependency at its lower bound (newest: at its newest release)
#   make pythons            test on every Python from 3.11 on that is found here
#   make compiled           compile the engine with mypyc, as a wheel of its own, and test that
#   make soak               the laws on 10,000 random programs each, and threads, faults and load at full size: hours
#   make mypy-versions      test the mypy plugin on each version of mypy that it works with
#   make mutants            plant small faults in the engine and the rules; the tests must find them (an hour or two)
#   make format             format the code and mend what the linter can
#   make clean              remove what make and the tools made
#
# PYTHON=python3.13 chooses the interpreter that the virtual environment is made with.

PYTHON ?= python3
# Where the benchmarks run: `IN=.venvs/compiled` has the engine that `make compiled` made.
IN ?= .venv
MNIST ?=
BIN := .venv/bin
# What `soak` runs at full size.
SOAK := tests/test_concurrency.py tests/test_faults.py tests/test_load.py
READY := .venv/ready

# The tests that ask other programs, run the examples, or run much of the same: of the library they cover nothing more,
# and would take longer under coverage; and the interrupts that come at any time, so also while coverage holds a lock, which nobody gives back.
APART := typing examples benchmarks test_docs.py test_site.py test_browser.py test_coming_from.py test_faults.py \
	test_load.py test_random_programs.py test_pitfalls.py test_concurrency.py transform/test_nesting.py ops/test_mutants.py
# Of these every line and every branch is run, of the rest 98 %.
ENGINE := $(addprefix src/typedprop/,$(addsuffix .py,tape arithmetic bvar op elementwise2 outer_sum index_sum tree record flat leaves) \
	transform/* ops/*)
comma := ,
space := $(subst ,, )

.PHONY: test soak mypy pyright oldest newest pythons compiled mypy-versions mutants digits bench bench-growth bench-quick bench-four-ways docs look format clean

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j 2 mypy pyright
	$(BIN)/pytest -q -n 2 --dist loadgroup --cov --cov-report= tests $(addprefix --ignore=tests/,$(APART))
	$(BIN)/coverage report --skip-covered --fail-under=98
	$(BIN)/coverage report --skip-covered --fail-under=100 --include="$(subst $(space),$(comma),$(ENGINE))"
	$(BIN)/pytest -q -n 2 --dist loadgroup $(addprefix tests/,$(APART))

mypy: $(READY)
	$(BIN)/mypy

pyright: $(READY)
	$(BIN)/pyright --pythonpath $(BIN)/python --warnings

soak: $(READY)
	TYPEDPROP_SOAK=1 $(BIN)/pytest -v -s $(SOAK)
	$(BIN)/pytest -v --hypothesis-profile=soak tests/test_random_programs.py

oldest newest pythons compiled:
	$(PYTHON) -m tests.environments $@

mypy-versions: $(READY)
	$(BIN)/python -m tests.mypy_plugin.versions

mutants: $(READY)
	$(BIN)/python -m tests.mutation

digits: $(READY)
	$(BIN)/python examples/digits.py $(if $(MNIST),--mnist "$(MNIST)")

bench: $(READY)
	$(IN)/bin/python -m benchmarks.bench

bench-growth: $(READY)
	$(IN)/bin/python -m benchmarks.growth

bench-quick: $(READY)
	$(IN)/bin/python -m benchmarks.quick

bench-four-ways: $(READY)
	$(IN)/bin/python -m benchmarks.four_ways

docs: $(READY)
	$(BIN)/python -m sphinx -q -E -a -W --keep-going -b html docs docs/_build/html

look: docs
	$(BIN)/python -m tests.look

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venvs out docs/_build build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: $(READY)
.PHONY: .venv

# The file is written last, so an installation that broke off starts again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("typedprop needs Python 3.11 or later, and $(PYTHON) is %d.%d: make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,examples]"
	@touch $@
