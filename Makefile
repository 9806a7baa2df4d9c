# Everything a checkout can do. Needs Python 3.11 or later and make; the rest is installed into .venv.
#
#   make demo    the June 2026 scenario over a million subjects, to a report in out/june-2026
#   make test    all tests
#   make check   format, lint, types, import floors

PYTHON ?= python3
SUBJECTS ?= 1000000
PYTEST ?=
# One more than two cores: a test that waits for a clock or a process leaves its core to another.
WORKERS ?= 3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := abac migrations tests $(wildcard benchmarks scripts)

# What tests start is compiled once, also where the surroundings would have it compiled every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format laws bench bench-peers bench-peers-http pycasbin-suite wheel constraints clean

help:  ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

# --- the environment: made once, and again when what it is made from changes ------------------------------

.make/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'abac needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ...' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo 'python3 -m venv failed; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@mkdir -p .make && touch $@

.make/cli: .make/venv pyproject.toml constraints.txt
	@echo 'installing abac into $(VENV)'
	@$(PIP) install -c constraints.txt -e '.[cli]'
	@touch $@

.make/dev: .make/venv pyproject.toml constraints.txt
	@echo 'installing abac and its development tools into $(VENV)'
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch .make/cli $@

setup: .make/dev  ## install everything a developer needs

# --- what it is for ---------------------------------------------------------------------------------------

demo: .make/cli  ## simulate June 2026 over a million subjects (SUBJECTS=n for another number)
	@$(BIN)/abac simulate june-2026 --subjects $(SUBJECTS) --out out/june-2026

# --- holding it to what it promises -----------------------------------------------------------------------

test: .make/dev  ## run all tests (PYTEST='-k name' for some of them)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST)

check: .make/dev  ## format, lint, types, import floors
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --verbose >.make/lint-imports 2>&1 || { cat .make/lint-imports; exit 1; }
	@$(BIN)/abac check policies

format: .make/dev  ## put every file into the one format
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

laws: .make/dev  ## the long laws: many more examples than `make test` takes
	@ABAC_LAWS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m law $(PYTEST)

bench: .make/dev  ## the benchmarks, as ratios within one run
	@$(BIN)/python -m pytest benchmarks -p no:xdist --benchmark-only $(PYTEST)

bench-peers: .make/peers/done  ## one policy in ten engines: equal answers, one table of ratios
	@.make/peers/bin/python -m benchmarks.peers

.make/peers/done: .make/venv benchmarks/peers/requirements.txt pyproject.toml
	@$(PYTHON) -m venv .make/peers
	@.make/peers/bin/python -m pip --disable-pip-version-check --quiet install -r benchmarks/peers/requirements.txt -e .
	@.make/peers/bin/python -m pip --disable-pip-version-check --quiet install --only-binary oso oso \
	  || echo 'oso has no wheel for this Python; left out'
	@touch $@

bench-peers-http: .make/dev  ## the decision point over HTTP beside a bare floor and Cerbos: one table of CPU a request
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -qq wrk >/dev/null; } \
	  || { echo 'needs wrk: apt-get install wrk' >&2; exit 1; }
	@mkdir -p .make/http && { command -v npm >/dev/null \
	  && npm install --prefix .make/http --no-audit --no-fund --silent cerbos || echo 'no npm: Cerbos is left out' >&2; }
	@$(BIN)/python -m benchmarks.http

pycasbin-suite: .make/dev  ## pycasbin's own tests with our enforcers (CHECKOUT=path)
	@$(BIN)/python scripts/pycasbin_suite.py $(CHECKOUT)

# --- shipping ---------------------------------------------------------------------------------------------

wheel: .make/dev  ## build the wheel and the source archive into dist/
	@$(BIN)/python -m build --outdir dist .

constraints: .make/venv  ## take the newest versions that pyproject.toml allows
	@$(PIP) install --upgrade --upgrade-strategy eager -e '.[dev]' hatchling
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable; } >.make/constraints
	@mv .make/constraints constraints.txt && touch .make/dev .make/cli

clean:  ## remove what make made, reports apart
	rm -rf $(VENV) .make build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .benchmarks .hypothesis
	find abac tests -name __pycache__ -type d -prune -exec rm -rf {} +
