# Needs python3, make and a network; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check site acceptance web bench clean

help: ## show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "installing Morphospace into $(VENV) (a minute or two, the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-all: $(VENV)/installed
	@echo "installing what tests and checks need into $(VENV)"
	@$(PIP) --editable '.[all]'
	@touch $@

demo: $(VENV)/installed ## train a space of handwritten digits and show what one does with it
	@$(BIN)/morpho demo

test: $(VENV)/installed-all ## run the tests
	$(BIN)/python -m pytest

check: $(VENV)/installed-all site ## lint, check types, and build the documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

site: $(VENV)/installed-all ## build the documents into site/index.html
	@$(BIN)/python docs/site/build.py

acceptance: $(VENV)/installed-all ## train on MNIST and renew docs/figures.md; QUICK=1 leaves out the long part
	$(BIN)/python -m pytest -m "acceptance$(if $(QUICK), and not slow,)" --durations=0

web: ## check, test and build the explorer's page into the package; needs Node 20.19 or later
	cd web && npm ci --no-audit --no-fund --loglevel error && npm run check && npm test && npm run build

.venv-peers/installed: benchmarks/peers.txt
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/peers.txt
	@touch $@

bench: $(VENV)/installed-all .venv-peers/installed ## time Morphospace beside its peers; an hour with nothing else running
	@$(BIN)/python benchmarks/bench.py --peers .venv-peers/bin/python

clean: ## remove the environment and caches
	rm -rf $(VENV) .venv-peers site web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
