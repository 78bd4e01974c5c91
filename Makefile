# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help demo test test-quick lint debian-packages clean

help:
	@echo "make demo        the main job, seen to work (needs nothing but Python 3.11)"
	@echo "make test        everything: lint, types, import contracts, all tests, with real servers"
	@echo "make test-quick  the same without servers"

demo: $(VENV)/installed
	$(BIN)/bounce-sidecar demo

test: debian-packages $(VENV)/installed-for-tests lint
	$(PYTEST)

test-quick: $(VENV)/installed-for-tests lint
	$(PYTEST) -m "not servers"

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# What the tests need and a Python package cannot bring. Without root: the tests say what is missing.
debian-packages:
	@sh tests/support/install-debian-packages.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "apt install python3-venv, then try again"; rm -rf $(VENV); exit 1; }

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-for-tests: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
