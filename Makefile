# What a user and a contributor run. Each target sets up what it needs in .venv and is quick when run again.

PYTHON ?= python3
STACK ?= dev
BIN := .venv/bin

.PHONY: help preview test lint integration bench lock
.DEFAULT_GOAL := help

help:
	@echo "make preview [STACK=dev]  show what the stack would be: resources, policies, outputs, who gets in"
	@echo "make test                 run the tests"
	@echo "make lint                 run the linters and the type checker"
	@echo "make bench                compare the speed of the preview with that of the imports it needs"
	@echo "make lock                 pin the newest versions of what the project depends on"

preview: .venv/.installed
	@$(BIN)/private-pypi preview $(STACK)

test: .venv/.installed-dev
	$(BIN)/pytest --cov --cov-report=term

lint: .venv/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

bench: .venv/.installed
	@$(BIN)/python tests/bench.py

lock: .venv/.installed-dev
	$(BIN)/uv pip compile --upgrade $(LOCK) pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --upgrade $(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --custom-compile-command "make lock"

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.11")'
	@echo "Setting up .venv: a minute or two, this once."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "Adding the tools for tests and linting to .venv."
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@
