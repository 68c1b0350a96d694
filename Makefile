# Everything happens in one virtual environment, .venv, which is made anew when what it holds has changed.
# Without make: the two lines of the rule for $(STAMP) are all there is to an installation.
PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install servers native demo test test-slow lint types bench peers gpu proofs fuzz reliability soak docs clean

$(STAMP): pyproject.toml constraints.txt
	$(PY) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[torch,test,lint]'
	@touch $@

help: ## show this
	@sed -n 's/^\([a-z-]*\):.* ## /\1|/p' Makefile | awk -F'|' '{ printf "make %-11s %s\n", $$1, $$2 }'

install: $(STAMP) ## make the virtual environment, with everything for use, tests and checks

servers: ## install the servers that tests talk to (as root on Debian; elsewhere those tests are skipped)
	@command -v redis-server >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends redis-server >/dev/null; } || \
	  echo "no redis-server here: tests of the Redis cache will be skipped"

TURBO := plugins/leaven-turbo
NATIVE := $(VENV)/.native
$(NATIVE): $(STAMP) $(wildcard $(TURBO)/native/* $(TURBO)/src/*/*) $(TURBO)/pyproject.toml $(TURBO)/meson.build
	$(TURBO)/build.sh $(BIN)/python
	@touch $@

native: $(NATIVE) ## build and install the native JPEG decoder (as root on Debian with all that it needs)

ROUNDS ?= 100000
fuzz: $(NATIVE) ## run ROUNDS=100000 mutated files through the native decoder, under the sanitizers
	$(TURBO)/fuzz/run.sh $(BIN)/python $(ROUNDS)

demo: $(STAMP) ## train on handwritten digits, from start to end
	$(BIN)/leaven demo

JOBS ?= 2
test: $(STAMP) servers ## run the tests, in JOBS=2 processes
	$(BIN)/python -m pytest -q -m "not slow" -n $(JOBS)

test-slow: $(STAMP) servers ## run the tests that take long
	$(BIN)/python -m pytest -q -m slow || [ $$? -eq 5 ]  # 5: there are none

lint: $(STAMP) ## check style and docstrings
	$(BIN)/ruff check .

types: $(STAMP) ## check the types of both packages
	$(BIN)/mypy

bench: $(STAMP) ## measure the loader
	$(BIN)/leaven bench loader examples/digits.toml

peers: $(NATIVE) ## measure the loader beside others, at the same work
	$(BIN)/leaven bench peers --work rrc --work full --work val --work large

gpu: $(STAMP) ## run the tests that need a CUDA device, and measure augmentation and training on it
	$(BIN)/python -m pytest -q -k cuda tests/plugins
	$(BIN)/python tests/bench/gpu/augment.py
	$(BIN)/python tests/bench/gpu/resnet.py

proofs: $(NATIVE) ## show on 1,000 photographs that repacking loses nothing, and all ways to a part of a file agree
	$(BIN)/python tests/bench/turbo/proofs.py

reliability: $(STAMP) ## show what delivery promises, as the table of docs/reliability.md
	$(BIN)/python tests/bench/reliability/all.py

MINUTES ?= 20
soak: $(STAMP) ## run a loader for MINUTES=20, and watch memory and descriptors
	$(BIN)/python tests/bench/reliability/soak.py --minutes $(MINUTES)

docs: $(STAMP) ## run what is written in the documentation
	$(BIN)/python -m pytest -q tests/test_docs.py

clean: ## remove the virtual environment and everything that was built or written
	rm -rf $(VENV) build dist runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
