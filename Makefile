# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three at a time: most tests wait for a server. A file, or a class of it, stays together and shares its servers.
# The longest begin first (tests/support/longest_first.py), not those with the most tests in them.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

# Compiled once and kept: the tests start some hundred daemons and commands, and each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-quick tests tests-quick lint lint-style lint-risks lint-types lint-layers bench bench-dashboard screenshot fuzz attack audit capture capture-check soak chaos debian-packages deb clean

help:
	@echo "make demo        the main job, seen to work (needs nothing but Python 3.11)"
	@echo "make test        everything: lint, types, import contracts, all tests, with real servers"
	@echo "make test-quick  the same without servers and the slowest tests"
	@echo "make deb         the Debian package, into dist/"
	@echo "make bench       what everything costs, beside PostSRSd, Postfix, Sisimai; writes docs/measured.md (twenty minutes)"
	@echo "make bench-dashboard  the part of it that asks for the dashboard's pages (five minutes)"
	@echo "make screenshot  the picture in the README, afresh"
	@echo "make fuzz        200,000 damaged mails (minutes)"
	@echo "make attack      what strangers may try at every door (5 minutes)"
	@echo "make chaos       everything killed, filled, stopped and spoiled while mail is delivered (10 minutes)"
	@echo "make soak        two months of mixed load within ten minutes: does anything grow?"
	@echo "make audit       is anything known to be wrong with the libraries that are installed? (asks PyPI, or a folder; see docs/testing.md)"
	@echo "make capture-check  do seven real mail servers still say what fixtures/bounces has of them? (as root, minutes)"
	@echo "make capture     ... and write it afresh; see docs/testing.md for these"

demo: $(VENV)/installed
	$(BIN)/bounce-sidecar demo

# The look at the sources beside the tests: each waits for nothing that the other does.
test: debian-packages $(VENV)/installed-for-tests
	@$(MAKE) --no-print-directory --jobs 5 lint tests

test-quick: $(VENV)/installed-for-tests
	@$(MAKE) --no-print-directory --jobs 5 lint tests-quick

tests:
	$(PYTEST)

tests-quick:
	$(PYTEST) -m "not servers and not slow"

# All at once, and all that is wrong: the types alone take as long as the others together.
lint: $(VENV)/installed-for-tests
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,--jobs 4) --keep-going --output-sync lint-style lint-risks lint-types lint-layers

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-risks:
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive sidecar wiki_adapter

lint-types:
	$(BIN)/mypy

lint-layers:
	$(BIN)/lint-imports --no-cache

# ARGS are theirs: make bench ARGS="verp intake --rounds 30", make fuzz ARGS="--seed 2", make capture ARGS="dma".
bench: $(VENV)/installed-for-tests
	@sh tests/support/install-debian-packages.sh libsisimai-perl gcc libc6-dev
	$(BIN)/python -m tests.bench $(ARGS)

bench-dashboard: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.bench dashboard $(ARGS)

screenshot: debian-packages $(VENV)/installed-for-tests
	$(BIN)/python -m tests.screenshot

soak: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.soak $(ARGS)

fuzz: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.fuzz $(ARGS)

attack: $(VENV)/installed-for-attack
	$(BIN)/python -m tests.attack $(ARGS)

audit: $(VENV)/installed-for-audit
	@$(BIN)/python -m tests.audit $(if $(ADVISORIES),"$(ADVISORIES)")

chaos: debian-packages $(VENV)/installed-for-tests
	$(BIN)/python -m tests.chaos $(ARGS)

capture: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.capture $(ARGS)

capture-check: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.capture --check $(ARGS)

deb:
	sh deploy/build-deb.sh dist

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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@ $(VENV)/installed

# Coverage guides the fuzz where atheris can be had; elsewhere it goes on without, and says so.
$(VENV)/installed-for-attack: $(VENV)/installed-for-tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[attack]' || echo "no atheris"
	@touch $@

# What the venv began with, a pip and a setuptools as old as its Python, is not ours. pip-audit needs a pip: the newest;
# setuptools goes, and comes back, new, only if a library asks for it.
$(VENV)/installed-for-audit: $(VENV)/installed-for-tests
	$(BIN)/python -m pip uninstall --quiet --yes --disable-pip-version-check setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip --editable '.[test,bench,audit]'
	@touch $@

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
