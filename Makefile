# Two commands: `make up` (a working system) and `make test` (every test). Everything is fetched from PyPI and npm.
# What is set up already is not done again; .venv, node_modules and .solc can be removed at any time.
PYTHON ?= python3
FOUNDRY := node_modules/@foundry-rs
PINNED := $(CURDIR)/$(FOUNDRY)/anvil-linux-amd64/bin:$(CURDIR)/$(FOUNDRY)/forge-linux-amd64/bin:$(CURDIR)/$(FOUNDRY)/cast-linux-amd64/bin

export PYTHON
export PATH := $(CURDIR)/.venv/bin:$(PINNED):$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/.solc

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
LOCAL := --network ethereum:local:foundry

PICTURES := register-seal-light register-start-phone verify-verified-dark deals-settle-light desk-requests-dark

.PHONY: docs gas-snapshot pictures help setup machine ports up test test-unit test-contracts test-invariants test-proofs test-e2e test-app demo lint bench deep abi browser lock

help:
	@echo "make up       set up, then run everything: chain, contracts, oracles, index, web app (Ctrl-C stops)"
	@echo "make test     set up, then every test          make demo     two stories, step by step"
	@echo "make lint     style, types, layers, licences   make bench    the benchmarks: docs/benchmarks.md"
	@echo "make deep     long fuzzing                     make abi      write ABIs and CREATE2 addresses anew"
	@echo "make docs     graphs of docs/architecture.md, anew"
	@echo "make setup    only set up                      make lock     resolve the Python dependencies anew"

# Set-up

VERIFIER := verifier-js/dist/countersign-verify.html

setup: .venv/.package node_modules/.ready .solc/.ready $(VERIFIER)

machine:
	@tools/check_machine

ports: machine
	@$(PYTHON) tools/ports.py

.venv/.ready: requirements.lock | machine
	@echo "Set-up: Python packages, as locked, into .venv (a minute or two the first time)"
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv
	@$(PIP) --no-deps --require-hashes --requirement requirements.lock
	@touch $@

.venv/.package: .venv/.ready pyproject.toml
	@echo "Set-up: countersign itself, editable"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# halmos and Ape ask for different versions of one library.
.venv-halmos/.ready: requirements-halmos.lock | machine
	@echo "Set-up: the prover, into .venv-halmos"
	@test -x .venv-halmos/bin/pip || $(PYTHON) -m venv .venv-halmos
	@.venv-halmos/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes \
		--requirement requirements-halmos.lock
	@touch $@

node_modules/.ready: package-lock.json package.json .npmrc | machine
	@echo "Set-up: npm packages, as locked, into node_modules"
	@npm ci --silent
	@touch $@

verifier-js/node_modules/.ready: verifier-js/package-lock.json verifier-js/package.json verifier-js/.npmrc | machine
	@echo "Set-up: the second verifier's packages, as locked"
	@cd verifier-js && npm ci --silent
	@touch $@

$(VERIFIER): verifier-js/node_modules/.ready verifier-js/build.mjs $(shell find verifier-js/src verifier-js/page deployments -type f)
	@echo "Set-up: the second verifier, as one page"
	@cd verifier-js && npm run --silent build
	@touch $@

.solc/.ready: tools/install_solc.py .venv/.ready node_modules/.ready
	@echo "Set-up: Solidity compiler"
	@$(PY) tools/install_solc.py
	@touch $@

SOURCES := $(shell find contracts -name '*.sol' -not -path '*/.cache/*')

.build/.ready: $(SOURCES) ape-config.yaml | setup
	@echo "Set-up: contracts, compiled"
	@ape compile --force --verbosity WARNING  # Ape overlooks a change that lies in a library only
	@touch $@

# One build for forge's tests, halmos and slither: the compiler in WebAssembly takes minutes.
.build/forge/.ready: $(SOURCES) $(shell find tests/contracts -name '*.sol') foundry.toml | setup
	@echo "Set-up: contracts and their tests, compiled for forge (a few minutes the first time)"
	@forge build --quiet
	@touch $@

# Use

up: ports setup
	@$(PY) -m scripts.up

demo: setup .build/.ready
	@$(PY) -m scripts.demo

bench: setup .build/.ready
	$(PY) -m bench --out docs/benchmarks.md

# Test

test: test-unit test-contracts test-invariants test-proofs test-e2e test-app

test-unit: setup .build/.ready
	@echo "== Unit and repository tests"
	$(PY) -m pytest tests/unit tests/checks tests/repo -n auto --dist loadgroup

test-contracts: setup .build/.ready
	@echo "== Contract tests (Ape, anvil)"
	ape test tests/contracts $(LOCAL)

test-invariants: .build/forge/.ready
	@echo "== Invariants (forge); the same seed every time, 'make deep' takes another one"
	FOUNDRY_FUZZ_SEED=0x5ea1 forge test

test-proofs: .build/forge/.ready .venv-halmos/.ready
	@echo "== Proofs (halmos)"
	.venv-halmos/bin/python tools/prove.py

test-e2e: setup .build/.ready
	@echo "== End to end: real chain, real files"
	$(PY) -m pytest tests/e2e

test-app: setup .build/.ready
	@echo "== Web app"
	$(PY) -m pytest tests/app

deep: .build/.ready .build/forge/.ready .venv-halmos/.ready
	FOUNDRY_PROFILE=deep forge test
	.venv-halmos/bin/python tools/prove.py --deep
	$(PY) -m pytest -p tools.deep tests/unit -n auto
	$(PY) -m pytest -p tools.deep tests/e2e

lint: .build/forge/.ready
	ruff check .
	ruff format --check .
	mypy --strict countersign app
	lint-imports
	forge fmt --check contracts tests/contracts
	$(PY) -m tools.static_analysis
	$(PY) tools/licences.py

# Maintain

abi: setup
	@ape compile --force --verbosity WARNING
	@$(PY) tools/export_abi.py

docs: setup .build/.ready
	$(PY) -m tools.architecture

# A raised entry names the decision that allows it: make gas-snapshot ADR=9
gas-snapshot: setup .build/.ready
	$(PY) -m tools.gas_snapshot $(if $(ADR),--adr $(ADR))

pictures: setup .build/.ready
	$(PY) -m tools.screenshots --out .build/screenshots
	cp $(PICTURES:%=.build/screenshots/%.png) docs/images/

browser: setup
	@tools/install_browser

# uv is needed only here.
lock: .venv/.ready
	@$(PIP) uv
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --extra app --extra checks --extra media --group dev --group bench --output-file requirements.lock pyproject.toml
	echo halmos==0.3.3 | $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make lock" --output-file requirements-halmos.lock -
