# Each verb makes its own environment and installs what it needs, so it works first thing in a fresh clone.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help demo test lint bench tables docs calibrations clean

help: ## List the verbs.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.core: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing mien into $(VENV) …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "installing what the tests need …"
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@$(PIP) 'setuptools<81' click # what face_recognition asks for beside dlib, which dlib-bin brings without a compiler
	@$(PIP) --no-deps face_recognition==1.3.0
	@touch $@

demo: $(VENV)/.core ## Synthetic people: enrol, verify, identify, cluster, and a report with pictures in demo/.
	@$(BIN)/mien demo --output demo

test: lint ## Lint, types and every test.
	@$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/.dev ## Style, types, and the direction of imports.
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }

bench: $(VENV)/.bench ## Speed and accuracy against named peers, in one run.
	@$(BIN)/python -m benchmarks

tables: $(VENV)/.dev ## Classical encoders against deep ones, on the real photos.
	@$(BIN)/python -m benchmarks tables

docs: $(VENV)/.dev ## The reference pages, from the docstrings, in build/docs/.
	@$(BIN)/pdoc --docformat google --output-directory build/docs mien mien.photos mien.models mien.faces \
		mien.similarity mien.decisions mien.evaluation mien.gallery mien.synthesis mien.training \
		mien.training.losses mien.training.mining mien.training.sampling mien.training.large_heads \
		mien.training.backbones mien.training.data mien.training.recipe mien.training.trainer
	@echo "look at build/docs/index.html"

calibrations: $(VENV)/.dev ## Make the shipped calibrations anew from the LFW photos.
	@$(BIN)/python -m benchmarks.calibrations

clean: ## Remove what the verbs made.
	rm -rf $(VENV) demo bench-results build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .lint-imports.log
