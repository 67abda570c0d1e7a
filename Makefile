# Needs python3, make and a network; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# One test on each core, with one thread each.
SIDE_BY_SIDE := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8

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
	$(SIDE_BY_SIDE) --dist worksteal

check: $(VENV)/installed-all site ## lint, check types, and build the documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

site: $(VENV)/installed-all ## build the documents into site/index.html
	@$(BIN)/python docs/site/build.py

acceptance: $(VENV)/installed-all ## train on MNIST and renew docs/figures.md; QUICK=1 leaves out the long part
ifdef QUICK
	$(SIDE_BY_SIDE) --dist loadgroup -m "acceptance and not (slow or timed)" --durations=0
	MORPHOSPACE_LOAD_SECONDS=20 $(BIN)/python -m pytest -m "acceptance and timed and not slow" --durations=0
else
	$(BIN)/python -m pytest -m acceptance --durations=0
endif

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
