# demo, test, lint and bench: each makes what it needs, on a machine with nothing but Python >= 3.11.
PYTHON ?= python3
# Where pip finds torch. Empty: wherever pip is set up to look. On Linux, the small CPU build:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
VENV ?= .venv
RECURRA := $(VENV)/bin/recurra
READY := $(VENV)/.ready

.PHONY: demo test lint bench clean
.DELETE_ON_ERROR:

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Recurra needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)
	sh tools/demo.sh $(VENV)/bin

test: $(READY)
	$(VENV)/bin/python -m pytest

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyrefly check
	$(VENV)/bin/python tools/check_docs.py

bench: $(READY)
	$(RECURRA) bench

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache
