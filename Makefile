# The one list of commands; CI calls `make test` and nothing else.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

.DEFAULT_GOAL := help
.PHONY: help setup dev web run test proof lint format bench lock image sbom clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.setup ## Make .venv with what the product needs
dev: $(VENV)/.dev ## Add what tests, lints and notebooks need

$(VENV)/.setup: requirements.lock requirements-build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gridsvc needs Python 3.11 or newer; set PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.setup requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

web: ## Build the map page (skipped with a line where Node is missing)
	@sh .ci/web.sh

run: setup web ## Do the main job on the sample, then serve it on http://127.0.0.1:8000
	$(BIN)/gridsvc demo
	$(BIN)/gridsvc serve --port $(PORT)

lint: dev ## Format check, lints, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: dev ## Format and mend what can be mended by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: dev ## Everything CI checks, at small size
	@sh .ci/test-servers.sh
	@$(MAKE) --no-print-directory lint web
	@sh .ci/web.sh test
	$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder -m "not proof" $(ARGS)

proof: dev ## The issue-sized checks; writes docs/proof.md (PART=name for one)
	@sh .ci/test-servers.sh qgis
	@$(MAKE) --no-print-directory web
	$(BIN)/python -m tests.proof $(PART)

# A peer without a wheel for this machine is no reason to stop: its lines then say "not installed".
bench: dev ## Benchmarks against the peers; writes docs/benchmarks.md
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.lookup
	$(BIN)/python -m benchmarks.exporting
	$(BIN)/python -m benchmarks.tiles
	$(BIN)/python -m benchmarks.balance
	$(BIN)/python -m benchmarks.balance optimal
	$(BIN)/python -m benchmarks.balance.repairs
	$(BIN)/python -m benchmarks.assignment
	$(BIN)/python -m benchmarks.page

lock: dev ## Pin again after a change of dependencies (needs uv on the PATH)
	uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes --group dev -o requirements-dev.lock pyproject.toml
	uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes -c requirements-dev.lock -o requirements.lock pyproject.toml
	uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes --group build -c requirements-dev.lock -o requirements-build.lock
	uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes --group sbom -c requirements-dev.lock -o requirements-sbom.lock
	uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes --extra peers -c requirements-dev.lock -o requirements-peers.lock pyproject.toml

sbom: dev ## List what is shipped: var/sbom/*.cdx.json (CycloneDX) and docs/reference/licences.md
	@sh .ci/sbom.sh $(BIN)/python

image: ## Build the image and do the main job in it, without a Docker engine (as root on Debian)
	@sh .ci/image.sh

clean: ## Remove what the commands above made
	rm -rf $(VENV) var api/web/node_modules api/web/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
