# On a fresh machine with only Python 3.11+ and make, each of these sets itself up first.
#
#   make demo     the main job, whole: systems → golden records → systems, with stand-ins for every vendor
#   make up       stand-ins, Dagster and the pages, until Ctrl-C
#   make test     the everyday tests, or some: make test ARGS=tests/store (with CI=true also how much they reach)
#   make prove    the tests that take minutes: every fault on every system, broken connectors, many processes
#   make check    format, lint, types, and who may import whom
#   make bench    how fast each step is, beside its floor
#   make lock     write the locks anew after pyproject.toml changed (needs uv)

PYTHON ?= python3
BIN := .venv/bin
LOCKS := .requirements
# Packages come from wherever this machine's pip is told to look; their hashes come from us.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
UV_LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-strip-extras --quiet --custom-compile-command "make lock" --extra build

.PHONY: demo up test prove check bench lock clean
.DEFAULT_GOAL := demo

demo: .venv/ready
	$(BIN)/omnihub demo

up: .venv/ready
	$(BIN)/omnihub up

test: .venv/ready-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(if $(CI),--cov --cov-report=term $(if $(ARGS),--cov-fail-under=0)) $(ARGS)

prove: .venv/ready-dev $(if $(shell command -v java),.venv/ready-spark)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m long $(ARGS)

check: .venv/ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: .venv/ready-bench
	$(BIN)/python -m tests.bench $(ARGS)

lock:
	$(UV_LOCK) --output-file $(LOCKS)/requirements.txt
	$(UV_LOCK) --extra dev --output-file $(LOCKS)/requirements-dev.txt
	$(UV_LOCK) --extra dev --extra spark --constraints $(LOCKS)/requirements-dev.txt \
		--output-file $(LOCKS)/requirements-spark.txt
	$(UV_LOCK) --extra dev --extra bench --constraints $(LOCKS)/requirements-dev.txt \
		--output-file $(LOCKS)/requirements-bench.txt

clean:
	rm -rf .venv .omnihub .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "OmniHub needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

# The project itself is installed with what the lock brought (--no-build-isolation), so nothing unlocked is fetched.
.venv/ready: $(LOCKS)/requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing OmniHub into .venv, once …"
	$(PIP) --require-hashes -r $(LOCKS)/requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-dev: $(LOCKS)/requirements-dev.txt .venv/ready
	@echo "Installing what tests and checks need …"
	$(PIP) --require-hashes -r $(LOCKS)/requirements-dev.txt
	@touch $@

# Spark comes as source: half a gigabyte, and a minute to put together.
.venv/ready-spark: $(LOCKS)/requirements-spark.txt .venv/ready-dev
	@echo "Installing Spark, for a full re-match on it …"
	$(PIP) --require-hashes --no-build-isolation -r $(LOCKS)/requirements-spark.txt
	@touch $@

.venv/ready-bench: $(LOCKS)/requirements-bench.txt .venv/ready-dev
	@echo "Installing the peer the bench measures beside …"
	$(PIP) --require-hashes -r $(LOCKS)/requirements-bench.txt
	@touch $@
