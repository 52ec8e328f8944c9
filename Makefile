# What a user and a contributor run. Each target sets up what it needs in .venv and is quick when run again.

PYTHON ?= python3
STACK ?= dev
BIN := .venv/bin

.PHONY: help preview test lint integration pulumi-and-cargo bench lock
.DEFAULT_GOAL := help

help:
	@echo "make preview [STACK=dev]  show what the stack would be: resources, policies, outputs, who gets in"
	@echo "make test                 run the tests"
	@echo "make lint                 run the linters and the type checker"
	@echo "make integration          run the tests on the real Pulumi engine against a local AWS endpoint"
	@echo "make bench                compare the speed of the preview with that of the imports it needs"
	@echo "make lock                 pin the newest versions of what the project depends on"

preview: .venv/.installed
	@$(BIN)/private-pypi preview $(STACK)

test: .venv/.installed-dev
	$(BIN)/pytest --cov --cov-report=term

lint: .venv/.installed-integration
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

integration: pulumi-and-cargo .venv/.installed-integration
	@echo "Building the AWS endpoint in tests/integration/aws-emulator: some minutes the first time."
	@cd tests/integration/aws-emulator && cargo build --quiet --release
	$(BIN)/pytest tests/integration --numprocesses auto

pulumi-and-cargo:
	@command -v pulumi >/dev/null || { echo "The integration tests need the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "The integration tests need Rust, to build the AWS endpoint they run against: https://rustup.rs" >&2; exit 1; }

bench: .venv/.installed
	@$(BIN)/python tests/bench.py

lock: .venv/.installed-dev
	$(BIN)/uv pip compile --upgrade $(LOCK) pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --upgrade $(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(BIN)/uv pip compile --upgrade $(LOCK) --group integration --constraint requirements.txt \
		--constraint requirements-dev.txt --output-file tests/integration/requirements.txt

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

.venv/.installed-integration: .venv/.installed-dev tests/integration/requirements.txt
	@echo "Adding the clients for the integration tests to .venv."
	@$(PIP) install --require-hashes --requirement tests/integration/requirements.txt
	@touch $@
