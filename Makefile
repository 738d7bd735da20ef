# `make` alone lists what there is. Everything runs in ./.venv, made from constraints.txt.

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
PYTEST_ARGS ?=

RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check check-full bench docs-full clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

demo: $(READY)  ## train on the built-in data, label held-out images, write a report (4 minutes)
	$(RUN) -m pixelwise demo --overwrite

test: $(READY)  ## run the tests
	$(RUN) -m pytest -m "not slow" $(PYTEST_ARGS)

check: $(READY)  ## lint, strict types, import layers
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

check-full: check  ## check, and every test, the slow ones too
	HYPOTHESIS_PROFILE=thorough $(RUN) -m pytest $(PYTEST_ARGS)

bench: $(READY)  ## measure speed and memory; writes dated files to benchmarks/results
	$(RUN) -m benchmarks.speed

docs-full: $(READY)  ## run every code block of the documentation, the long ones too
	$(RUN) -m pytest tests/end_to_end/test_readme.py $(PYTEST_ARGS)

clean:  ## delete the environment and all caches
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt $(PIP_ARGS) --editable ".[dev]"
	touch $@
