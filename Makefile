# demo, test, lint, bench, fuzz and sanitize: each makes what it needs, on a machine with nothing but Python >= 3.11; the native
# engine also wants a C++17 compiler, without which all but sanitize work on torch alone.
PYTHON ?= python3
# Where pip finds torch. Empty: wherever pip is set up to look. On Linux, the small CPU build:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Another version than the one of constraints.txt, in an environment of its own: make test TORCH=2.14.1 VENV=.venv-2.14
TORCH ?= $(shell sed -n 's/^torch==//p' constraints.txt)
VENV ?= .venv
RECURRA := $(VENV)/bin/recurra
# An editable install knows modules by their places: the mark has another name whenever a file comes, goes or moves.
READY := $(VENV)/.ready-$(shell find src -name '*.py' | LC_ALL=C sort | cksum | cut -d ' ' -f 1)
# How long the campaign of malformed input is, and which one: make fuzz FUZZ_MINUTES=5 FUZZ_SEED=2
FUZZ_MINUTES ?= 30
FUZZ_SEED ?= 1
STEP := @sh tools/step.sh
# Other people's packages come as wheels alone: one that would have to be built fails at once, on every machine.
INSTALL := $(VENV)/bin/python -m pip --disable-pip-version-check install --only-binary :all: -c $(VENV)/constraints.txt
NATIVE := CMakeLists.txt $(shell find native -type f)

.PHONY: demo test lint bench fuzz native studio sanitize clean
.DELETE_ON_ERROR:

# The engine is built with tools of the environment, not in pip's isolation: the next build compiles only what changed.
$(READY): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Recurra needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: make PYTHON=python3.12 ...")'
	@test -x $(VENV)/bin/pip || sh tools/step.sh "making an environment in $(VENV)" $(PYTHON) -m venv $(VENV)
	@sed 's/^torch==.*/torch==$(TORCH)/' constraints.txt > $(VENV)/constraints.txt
	$(STEP) "installing torch $(TORCH)" $(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(STEP) "installing what the engine is compiled with: cmake, nanobind, ninja, scikit-build-core" $(INSTALL) cmake nanobind ninja scikit-build-core
	$(STEP) "installing recurra: compiling its engine, and getting its readers, the peers of its tests, ruff and pyrefly" $(INSTALL) --no-build-isolation -e '.[dev]'
	@rm -f $(VENV)/.ready* && touch $@

# As all others do, but it fails where the compiler does, instead of going on with torch alone.
native: export RECURRA_NATIVE = 1
native: $(READY)
	$(RECURRA) info

demo: $(READY)
	sh tools/demo.sh $(VENV)/bin

test: $(READY)
	$(VENV)/bin/python -m pytest

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyrefly check --python-interpreter-path $(VENV)/bin/python
	$(VENV)/bin/python tools/check_docs.py
	$(VENV)/bin/python tools/check_limits.py
	$(VENV)/bin/python tools/check_words.py
	$(VENV)/bin/python tools/check_vulnerabilities.py

bench: $(READY)
	$(RECURRA) bench

# Malformed files, run folders, command lines and calls, each in a process with limits; what fails is kept in build/fuzz.
fuzz: $(READY)
	$(VENV)/bin/python -m tools.fuzz --minutes $(FUZZ_MINUTES) --seed $(FUZZ_SEED)

# The studio's page, from its sources in studio/ to what the package ships; wants Node and npm, which nothing else does.
studio:
	cd studio && npm install --no-save --no-audit --no-fund && npm run build

# The C++ programs of tests/native, with the compiler's checks of memory, undefined behaviour and threads.
sanitize: $(READY)
	for sanitizer in address thread; do \
		PATH="$(abspath $(VENV)/bin):$$PATH" && \
		cmake -G Ninja -S . -B build/sanitize-$$sanitizer -DRECURRA_SANITIZE=$$sanitizer && \
		cmake --build build/sanitize-$$sanitizer && \
		ctest --test-dir build/sanitize-$$sanitizer --output-on-failure --no-tests=error || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache
