# What a user and a contributor run. Each target sets up what it needs in .venv and is quick when run again.

PYTHON ?= python3
STACK ?= dev
BIN := .venv/bin

.PHONY: help preview diff install test proof lint integration crash pulumi-and-cargo aws-emulator aws-reference bench bench-cdk pictures lock
.DEFAULT_GOAL := help

help:
	@echo "make preview [STACK=dev]  show what the stack would be: resources, policies, outputs, who gets in"
	@echo "make diff [STACK=dev]     show what the branch changes for people: who gains, who loses, what can be lost"
	@echo "make install              set up .venv with what requirements.txt pins"
	@echo "make test                 run the tests"
	@echo "make proof                prove for every caller that the policies allow what the config gives"
	@echo "make lint                 run the linters and the type checker"
	@echo "make integration          run the tests on the real Pulumi engine against a local AWS endpoint"
	@echo "make crash                kill the engine at every call to AWS that changes something, and carry on"
	@echo "make bench [PARTS=...]    compare times, memory and calls to AWS with those of what else could be run"
	@echo "make bench-cdk            the same, with an AWS CDK app beside it; needs Node"
	@echo "make pictures             draw docs/pictures/ from what the commands print"
	@echo "make aws-reference        take anew what the local AWS endpoint knows from AWS's own data"
	@echo "make lock                 pin the newest versions of what the project depends on"

# A .venv names its Python and its folder. Where one of them is another now, or gone, it is made anew.
ifneq ($(or $(realpath $(BIN)/python),gone) in $(CURDIR),$(realpath .venv/made-by) in $(realpath .venv/made-in))
$(shell rm -f .venv/.installed)
endif

preview: .venv/.installed
	@$(BIN)/private-pypi preview $(STACK)

diff: .venv/.installed
	@$(BIN)/private-pypi diff $(STACK)

install: .venv/.installed

test: .venv/.installed-dev
	$(BIN)/pytest --cov --cov-report=term

proof: .venv/.installed-dev
	$(BIN)/pytest tests/unit/test_every_caller.py tests/proof

lint: .venv/.installed-integration
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/pages.py .venv/pages
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/zizmor --offline --quiet $(WORKFLOWS)

# The project's own, and those of the pages in docs/, which `lint` copies out.
WORKFLOWS = .github/workflows/*.yml .venv/pages/*.yml

integration: aws-emulator .venv/.installed-integration
	$(BIN)/pytest tests/integration --numprocesses auto

crash: aws-emulator .venv/.installed-integration
	$(BIN)/pytest tests/integration/crash_sweep.py --numprocesses auto

aws-emulator: pulumi-and-cargo
	@echo "Building the AWS endpoint in tests/integration/aws-emulator: some minutes the first time."
	@cd tests/integration/aws-emulator && cargo build --quiet --release

pulumi-and-cargo:
	@command -v pulumi >/dev/null || { echo "The integration tests need the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "The integration tests need Rust, to build the AWS endpoint they run against: https://rustup.rs" >&2; exit 1; }

# Of cfn-lint only the schemas that it ships are needed, and none of what it depends on.
aws-reference: .venv/.installed-dev
	@$(BIN)/uv pip install --quiet --no-deps --upgrade --target .venv/cfn-lint cfn-lint
	PYTHONPATH=.venv/cfn-lint $(BIN)/python tests/integration/aws-emulator/reference/generate.py

bench: .venv/.installed-integration
	@$(BIN)/python -m bench $(PARTS) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-cdk: .venv/.installed-bench
	@$(MAKE) --no-print-directory bench

pictures: .venv/.installed-dev
	@$(BIN)/python tests/pictures.py

lock: .venv/.installed-dev
	$(LOCK) pyproject.toml --group build --output-file requirements.txt
	$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group integration --constraint requirements.txt --constraint requirements-dev.txt \
		--output-file tests/integration/requirements.txt
	$(LOCK) --group bench --constraint requirements.txt --constraint requirements-dev.txt \
		--constraint tests/integration/requirements.txt --output-file bench/requirements.txt

# With extras, without which pip refuses what is pinned as soon as there is a newer version of it.
LOCK := $(BIN)/uv pip compile --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Each step takes the first one's stamp away until it is done, so that what was broken off begins anew.
.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.11")'
	@echo "Setting up .venv: a minute or two, this once."
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@ln -s "$$($(BIN)/python -c 'import os, sys; print(os.path.realpath(sys.executable))')" .venv/made-by
	@ln -s "$$(pwd -P)" .venv/made-in
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@echo "Adding the tools for tests and linting to .venv."
	@rm .venv/.installed
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch .venv/.installed $@

.venv/.installed-integration: .venv/.installed-dev tests/integration/requirements.txt
	@echo "Adding the clients for the integration tests to .venv."
	@rm .venv/.installed
	@$(PIP) install --require-hashes --requirement tests/integration/requirements.txt
	@touch .venv/.installed .venv/.installed-dev $@

.venv/.installed-bench: .venv/.installed-integration bench/requirements.txt
	@echo "Adding the AWS CDK to .venv."
	@rm .venv/.installed
	@$(PIP) install --require-hashes --requirement bench/requirements.txt
	@touch .venv/.installed .venv/.installed-dev .venv/.installed-integration $@
