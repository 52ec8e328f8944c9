# What a user and a contributor run. Each target sets up what it needs in .venv and is quick when run again.

PLUGIN ?= stand-in
BIN := .venv/bin

# The Python that .venv is made with: once there is one, its own, unless another is named.
PYTHON ?= $(or $(and $(wildcard .venv/installed.json),$(realpath $(BIN)/python)),python3)

RUN := requirements.txt
DEV := $(RUN) requirements-dev.txt
INTEGRATION := $(DEV) tests/integration/requirements.txt
BENCH := $(INTEGRATION) bench/requirements.txt

# Set-up leaves compiling to the first import, which has to keep what it compiles.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help preview diff install install-dev install-integration install-bench test proof lint integration crash aws-smoke pulumi-and-cargo aws-emulator aws-reference bench bench-cdk dist pictures example lock
.DEFAULT_GOAL := help

help:
	@echo "make preview [STACK=dev]  show what the stack would be: resources, policies, outputs, who gets in"
	@echo "make diff [STACK=dev]     show what the branch changes for people: who gains, who loses, what can be lost;"
	@echo "     [BASE=REVISION]      from this revision on, where it cannot be told where the branch began"
	@echo "                          both of the stack that pulumi stack select chose, or dev, if none is named"
	@echo "make install              set up .venv with what requirements.txt pins"
	@echo "make test                 run the tests"
	@echo "make proof                prove for every caller that the policies allow what the config gives"
	@echo "make lint                 run the linters, the type checker, and the tests of pages, locks and pictures"
	@echo "make integration          run the tests on the real Pulumi engine against a local AWS endpoint"
	@echo "make crash                kill the engine at every call to AWS that changes something, and carry on"
	@echo "                          both with PLUGIN=real: by the AWS plugin that the Pulumi CLI has installed"
	@echo "make aws-smoke            ask an AWS account of yours what no test can settle; it costs some cents"
	@echo "make bench [PARTS=...]    compare times, memory and calls to AWS with those of what else could be run"
	@echo "make bench-cdk            the same, with an AWS CDK app beside it; needs Node"
	@echo "make dist                 build the sdist and the wheel in dist/"
	@echo "make pictures             draw docs/pictures/ from what the commands print"
	@echo "make example              write examples/own-repository/ and schema/ as private-pypi does"
	@echo "make aws-reference        take anew what the local AWS endpoint knows from AWS's own data"
	@echo "make lock                 pin the newest versions of what the project depends on"

preview: install
	@$(BIN)/private-pypi preview $(STACK)

diff: install
	@$(BIN)/private-pypi diff $(STACK) $(if $(BASE),--base '$(BASE)')

test: install-dev
	$(BIN)/pytest tests/unit --numprocesses 2 --dist worksteal --cov --cov-report= --cov-fail-under=0
	@$(BIN)/coverage report

proof: install-dev
	$(BIN)/pytest tests/unit/test_every_caller.py tests/proof

lint: install-dev
	$(BIN)/pytest tests/project --numprocesses 2
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/pages.py .venv/pages
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --schemafile schema/pulumi-stack.schema.json Pulumi.*.yaml examples/own-repository/Pulumi.*.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot $(DEPENDABOT) .venv/pages/*.dependabot.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .venv/pages/*.gitlab-ci.yaml
	$(BIN)/zizmor --offline --quiet $(WORKFLOWS) $(DEPENDABOT)

# The project's own, those of a new repository, and those of the pages in docs/, which `lint` copies out, with what else
# CI reads.
WORKFLOWS = .github/workflows/*.yml examples/own-repository/.github/workflows/*.yml .venv/pages/*.yml
DEPENDABOT = .github/dependabot.yml examples/own-repository/.github/dependabot.yml

integration: aws-emulator install-integration
	PLUGIN=$(PLUGIN) $(BIN)/pytest tests/integration --numprocesses auto

crash: aws-emulator install-integration
	PLUGIN=$(PLUGIN) $(BIN)/pytest tests/integration/crash_sweep.py --numprocesses auto

# Asks before it starts, and refuses to run in CI.
aws-smoke: install-dev
	@$(BIN)/python tests/aws/smoke.py

aws-emulator: pulumi-and-cargo
	@echo "Building the AWS endpoint in tests/integration/aws-emulator: some minutes the first time."
	@cd tests/integration/aws-emulator && cargo build --quiet --release

pulumi-and-cargo:
	@command -v pulumi >/dev/null || { echo "The integration tests need the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/" >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "The integration tests need Rust, to build the AWS endpoint they run against: https://rustup.rs" >&2; exit 1; }

# Of cfn-lint only the schemas that it ships are needed, and none of what it depends on.
aws-reference: install-dev
	@$(BIN)/uv pip install --quiet --no-deps --upgrade --target .venv/cfn-lint cfn-lint
	PYTHONPATH=.venv/cfn-lint $(BIN)/python tests/integration/aws-emulator/reference/generate.py

bench: install-integration
	@PLUGIN=$(PLUGIN) $(BIN)/python -m bench $(PARTS) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-cdk: install-bench
	@$(MAKE) --no-print-directory bench

dist: install-dev
	@rm -rf dist
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python

pictures: install-dev
	@$(BIN)/python tests/pictures.py

example: install-dev
	@$(BIN)/python tools/example.py

lock: install-dev
	$(LOCK) pyproject.toml --group build --output-file requirements.txt
	$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group integration --constraint requirements.txt --constraint requirements-dev.txt \
		--output-file tests/integration/requirements.txt
	$(LOCK) --group bench --constraint requirements.txt --constraint requirements-dev.txt \
		--constraint tests/integration/requirements.txt --output-file bench/requirements.txt

# With extras, without which pip refuses what is pinned as soon as there is a newer version of it.
LOCK := $(BIN)/uv pip compile --upgrade --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

# Where nothing is to be installed, these take a moment.
install:
	@"$(PYTHON)" tools/install.py $(RUN)

install-dev:
	@"$(PYTHON)" tools/install.py $(DEV)

install-integration:
	@"$(PYTHON)" tools/install.py $(INTEGRATION)

install-bench:
	@"$(PYTHON)" tools/install.py $(BENCH)
