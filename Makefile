# The first Python from 3.11 to 3.13 that runs here.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
OUT := _build
JOBS ?=
DRAWN_FROM := data/cohort.csv data/study.yml data/published.csv

.DEFAULT_GOAL := help
.PHONY: help book ensemble pdf test test-all benchmarks reconstruct lock clean

help:  ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

book: $(VENV)/.installed  ## run the notebooks and write the book to _build/html/index.html
	@$(BIN)/rhcc book --out $(OUT) $(if $(JOBS),--jobs $(JOBS))

ensemble: $(VENV)/.installed  ## draw 25 cohorts that hold the print, and data/ensemble.csv of them
	$(BIN)/rhcc ensemble --count 25 --resume --statistics data/ensemble.csv \
	  --out $(OUT)/ensemble-$$(cat $(DRAWN_FROM) | cksum | cut -d' ' -f1)

pdf: $(VENV)/.installed  ## the same, and the book as _build/html/book.pdf (needs Chromium)
	@$(BIN)/rhcc book --out $(OUT) --pdf $(if $(JOBS),--jobs $(JOBS))

test: $(VENV)/.installed  ## run the tests, without the slow ones
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow"

test-all: $(VENV)/.installed  ## run all tests
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/python -m pytest -n auto --dist loadgroup

benchmarks: $(VENV)/.installed  ## time the book, the estimators, a score, a registry and an ensemble
	$(BIN)/python benchmarks/bench_book.py
	$(BIN)/python benchmarks/bench_estimators.py
	$(BIN)/python benchmarks/bench_score.py
	$(BIN)/python benchmarks/bench_registry.py
	$(BIN)/python benchmarks/bench_reconstruct.py
	$(BIN)/python benchmarks/bench_ensemble.py

reconstruct: $(VENV)/.installed  ## make data/cohort.csv again from the printed numbers
	$(BIN)/rhcc reconstruct
	$(BIN)/rhcc reconstruct --study data/invented.yml --ledger data/invented_published.csv \
	  --out data/invented_rebuilt.csv --seed 1 --steps 20000000 --rounds 6

lock:  ## resolve requirements.lock and environment.yml again (needs uv)
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --quiet --output-file requirements.lock
	sed '/      - /d' environment.yml > environment.new
	sed -n '/==/s/^\([^\]*[^\ ]\) *\\*$$/      - \1/p' requirements.lock >> environment.new
	echo '      - --editable .' >> environment.new
	mv environment.new environment.yml

clean:  ## remove the book and the environment
	rm -rf $(OUT) $(VENV)

$(VENV)/.locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed" >&2; exit 1; }
	@echo "installing the packages of requirements.lock into $(VENV): a minute or two" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	  --require-hashes -r requirements.lock
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --editable .
	@touch $@
