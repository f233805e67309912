# proxx-worker: `make help` lists the targets. They need Python 3.11+, git and make, and install what else is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
# Container images like to set it. pytest would then rewrite each test module in each process at each run: 7 s of CPU for each.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
# Stamps: a set-up that was interrupted is made again, a lock is installed again only when it or the package's metadata changed.
MADE := $(VENV)/.made
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# The lock is complete, so nothing is left to resolve, and `pip check` says so. Without --no-deps, pip 23.2 looks for what an extra
# asks for (`coverage[toml]`) afresh, finds the release of the day and stops, because that one has no hash here.
FROM_LOCK := $(PIP) install --no-deps --require-hashes --requirement
THIS := $(PIP) install --no-deps --no-build-isolation --editable .
# Any Python from 3.11 on serves; `make PYTHON=/path/to/python setup` names one.
PYTHON ?= $(shell deploy/setup/find-python)

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-13s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(DEV) ## Make .venv from the lock files: the worker and everything needed to work on it

$(MADE):
	deploy/setup/make-venv "$(PYTHON)" $(VENV)
	touch $@

$(RUNTIME): requirements.lock pyproject.toml | $(MADE)
	$(FROM_LOCK) requirements.lock
	$(THIS)
	$(PIP) check
	touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(MADE)
	$(FROM_LOCK) requirements-dev.lock
	$(THIS)
	$(PIP) check
	touch $(RUNTIME) $@

.PHONY: demo
demo: $(RUNTIME) ## Two profiles from a generated clip to finished proxies, through a real workspace
	deploy/setup/install-tools ffmpeg ffprobe
	$(BIN)/python deploy/demo/demo.py demo

# Three processes for two processors, as many tests wait for a child or a timeout. A file's tests stay together, so that what they
# share is made once, and keep their order: acceptance first, the quick ones last, so that all end at about the same time.
# `make test PARALLEL=` runs one test after the other.
# `nproc` is GNU's, `sysctl` macOS's.
PROCESSORS := $(shell nproc 2>/dev/null || sysctl -n hw.logicalcpu)
PARALLEL := --numprocesses $(shell expr $(PROCESSORS) \* 3 / 2) --dist loadfile --no-loadscope-reorder

.PHONY: test
test: $(DEV) ## The tests, in parallel, except the heavy ones, which include half of the acceptance tests
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc tmux
	$(BIN)/pytest $(PARALLEL) -m "not heavy and not benchmarks" $(PYTEST_ARGS)

# Both have an environment of their own. That of the lower bounds is made again when they change, that of the newest every time.
LOWEST := .cache/lowest
NEWEST := .cache/newest
OF_PACKAGES = bin/pytest $(PARALLEL) tests/unit tests/integration -m "not heavy" $(PYTEST_ARGS)

$(LOWEST)/.made: requirements-lowest.lock pyproject.toml
	deploy/setup/make-venv "$(PYTHON)" $(LOWEST)
	$(subst $(BIN),$(LOWEST)/bin,$(FROM_LOCK)) requirements-lowest.lock
	$(subst $(BIN),$(LOWEST)/bin,$(THIS))
	$(subst $(BIN),$(LOWEST)/bin,$(PIP)) check
	touch $@

.PHONY: test-lowest
test-lowest: $(LOWEST)/.made ## Unit and integration tests with each dependency at its lower bound
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc
	$(LOWEST)/$(OF_PACKAGES)

.PHONY: test-newest
test-newest: ## The same tests with the newest release of each dependency
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc
	deploy/setup/make-venv "$(PYTHON)" $(NEWEST)
	$(subst $(BIN),$(NEWEST)/bin,$(PIP)) install --upgrade pip
	$(subst $(BIN),$(NEWEST)/bin,$(PIP)) install --upgrade --group build --editable ".[dev,console]"
	$(NEWEST)/$(OF_PACKAGES)

.PHONY: test-ffmpeg
test-ffmpeg: $(DEV) ## The tests whose outcome depends on FFmpeg, with another one: FFMPEG=/path/to/ffmpeg FFPROBE=/path/to/ffprobe
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc
	$(BIN)/pytest -m "ffmpeg and not heavy" --ffmpeg="$(FFMPEG)" --ffprobe="$(FFPROBE)" $(PYTEST_ARGS)

# Those of deploy/setup/other-ffmpegs that have every encoder.
OTHER_FFMPEGS := debian13 pypi8 sid
.PHONY: heavy
heavy: farm-tools heavy-suites every-ffmpeg newcomer ## All heavy tests: heavy-suites with the farm tools, every-ffmpeg, newcomer

.PHONY: heavy-suites
heavy-suites: $(DEV) ## All real clips, also by other FFmpegs, fault sweeps, soak, fuzz
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc chromium valgrind
	deploy/setup/other-ffmpegs .cache/ffmpegs $(OTHER_FFMPEGS)
	$(BIN)/pytest -m "heavy and not benchmarks" $(PYTEST_ARGS)

.PHONY: farm-tools
farm-tools: ## Install what the farm tests need, with the system's package manager
	deploy/setup/install-tools ffmpeg ffprobe setpriv systemd-analyze prometheus prometheus-node-exporter \
	    slurmctld slurmd sbatch munged redis-server parallel debootstrap buildah podman crun

.PHONY: farm
farm: $(DEV) farm-tools ## Of the heavy suites, those that run what is in deploy/ and systemd/ for real; as root on Debian
	$(BIN)/pytest tests/farm $(PYTEST_ARGS)

.PHONY: every-ffmpeg
every-ffmpeg: $(DEV) ## All tests whose outcome depends on FFmpeg, with other versions, which are fetched into .cache
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace cc
	deploy/setup/other-ffmpegs .cache/ffmpegs $(OTHER_FFMPEGS)
	for pair in $(OTHER_FFMPEGS); do \
	    $(BIN)/pytest -m ffmpeg --ffmpeg=.cache/ffmpegs/$$pair/bin/ffmpeg --ffprobe=.cache/ffmpegs/$$pair/bin/ffprobe $(PYTEST_ARGS); \
	done

.PHONY: newcomer
newcomer: ## The README's two commands on a fresh Debian 12, 13 and sid, in a clean clone of the last commit inside a folder with mode 0700
	deploy/setup/newcomer bookworm sh -c "make demo && make test"
	deploy/setup/newcomer trixie sh -c "make demo && make test"
	deploy/setup/newcomer sid sh -c "make demo && make test"

# An environment of its own, see pyproject.toml. What it makes goes into mutants/, and a run that was cut off goes on from there.
MUTANTS := .cache/mutants
PACKAGE := contract
$(MUTANTS)/.made: requirements-mutants.lock pyproject.toml
	deploy/setup/make-venv "$(PYTHON)" $(MUTANTS)
	$(subst $(BIN),$(MUTANTS)/bin,$(FROM_LOCK)) requirements-mutants.lock
	$(subst $(BIN),$(MUTANTS)/bin,$(THIS))
	$(subst $(BIN),$(MUTANTS)/bin,$(PIP)) check
	touch $@

.PHONY: mutants
mutants: $(MUTANTS)/.made ## List changes to a package's code that no test notices: PACKAGE=contract, planning, verification or workspace
	$(MUTANTS)/bin/mutmut run --max-children 1 "proxx_worker.$(PACKAGE).*" </dev/null
	$(MUTANTS)/bin/mutmut results

.PHONY: bench
bench: $(DEV) ## Measure, and write docs/benchmarks.md (no figure makes it pass or fail)
	deploy/setup/install-tools ffmpeg ffprobe setpriv strace
	$(BIN)/pytest -m benchmarks -s $(PYTEST_ARGS)

.PHONY: coverage
coverage: $(DEV) ## The same tests as `test`, with coverage, which must reach the floors in .ci/coverage_floor.py
	$(BIN)/coverage erase
	$(MAKE) --no-print-directory test PYTEST_ARGS="--cov --cov-report= $(PYTEST_ARGS)"
	$(BIN)/python .ci/coverage_floor.py

.PHONY: lint
lint: $(DEV) ## Style, types (on Linux and macOS), and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/lint-imports

.PHONY: format
format: $(DEV) ## Format, and fix what can be fixed safely
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: schemas
schemas: $(RUNTIME) ## Write docs/schema/ from the models
	mkdir -p docs/schema
	$(BIN)/proxx-worker schema jobspec > docs/schema/jobspec.schema.json
	$(BIN)/proxx-worker schema result > docs/schema/result.schema.json
	$(BIN)/proxx-worker schema validation > docs/schema/validation.schema.json
	$(BIN)/python -m proxx_worker.report.document > docs/schema/report.schema.json
	$(BIN)/python -m proxx_worker.desk.documents list > docs/schema/list.schema.json
	$(BIN)/python -m proxx_worker.desk.documents event > docs/schema/event.schema.json

# `uv` is no part of the lock: whoever renews the lock brings one.
.PHONY: pictures
pictures: $(DEV) ## Draw docs/pictures/
	deploy/setup/install-tools ffmpeg ffprobe setpriv chromium
	mkdir -p docs/pictures
	$(BIN)/python deploy/pictures/packages.py > docs/pictures/packages.svg
	$(BIN)/python -m deploy.pictures.report docs/pictures
	$(BIN)/python -m deploy.pictures.console docs/pictures

LOCK := uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --quiet
.PHONY: lock
lock: ## Update the lock files (needs uv on PATH)
	$(LOCK) --upgrade --output-file requirements.lock
	$(LOCK) --upgrade --extra dev --extra console --extra report --extra relink --constraints requirements.lock --output-file requirements-dev.lock
	$(LOCK) --upgrade --extra dev --extra console --extra report --extra relink --resolution lowest-direct --output-file requirements-lowest.lock
	$(LOCK) --upgrade --group mutants --constraints requirements.lock --output-file requirements-mutants.lock

RELEASED := .cache/released
.PHONY: release
release: $(DEV) ## Build dist/: wheel and sdist, twice with the same bytes, and try the wheel in an empty environment
	deploy/setup/install-tools ffmpeg ffprobe setpriv
	deploy/release/build $(abspath $(BIN))/python dist
	deploy/setup/make-venv "$(PYTHON)" $(RELEASED)
	$(subst $(BIN),$(RELEASED)/bin,$(FROM_LOCK)) requirements.lock
	$(subst $(BIN),$(RELEASED)/bin,$(PIP)) install --no-deps --no-index dist/*.whl
	cd $(RELEASED) && bin/proxx-worker --version && bin/proxx-worker check

.PHONY: ci
ci: ## What CI runs, from the root of a clean clone
	.ci/run

.PHONY: clean
clean: ## Remove .venv, caches, and what `make demo` made
	rm -rf $(VENV) demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* mutants
