# `make up` runs Trunkline on this machine, `make test` proves it. Both make their environment
# themselves: Python 3.11+ and make are all they need. `make help` lists the rest.

PYTHON := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up down test check fuzz chaos bench lock clean environment

help:
	@echo "make up     start everything here; ARGS=--detach returns when it is ready"
	@echo "make down   stop it"
	@echo "make test   environment, checks, tests; ARGS=tests/sip runs some tests only"
	@echo "make check  lint, format, types, import rules"
	@echo "make fuzz   mutated SIP messages against the parser, requests against the API"
	@echo "make chaos  50 kills of worker, API, PostgreSQL and Temporal under a working customer"
	@echo "make bench  measurements, with the peers' figures beside ours"
	@echo "make lock   write the locked requirements anew (needs uv)"
	@echo "make clean  remove what can be made again; data in var/ stays"

# exec: the program itself, not a shell in between, gets the signals that make passes on.
up: environment
	@exec $(PYTHON) trunkline.py up $(ARGS)

down:
	@if [ -x $(PYTHON) ]; then exec $(PYTHON) trunkline.py down; else echo "Trunkline is not running."; fi

test: environment
	@exec sh scripts/test.sh $(ARGS)

check: environment
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command as main; main()'

fuzz: environment
	$(PYTHON) -m tests.fuzz_sip $(ARGS)
	CONFORMANCE_EXAMPLES=100 $(PYTHON) -m pytest -q tests/api/test_conformance.py

chaos: environment
	$(PYTHON) -m tests.chaos $(ARGS)

bench: environment
	$(PYTHON) -m benchmarks $(ARGS)

lock:
	@sh scripts/lock.sh

clean: down
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

environment:
	@sh scripts/environment.sh
