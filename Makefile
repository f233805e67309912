# proxx-worker: `make help` lists the targets. Nothing here asks for more than Python 3.11+, git, make and a C compiler.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
# One stamp per lock: a target is set up again only when the lock or the package's metadata changed.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Any Python from 3.11 on serves; `make PYTHON=/path/to/python setup` names one.
PYTHON ?= $(shell deploy/setup/find-python)

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(DEV) ## Make .venv from the lock files: the worker and everything needed to work on it

$(BIN)/python:
	deploy/setup/make-venv "$(PYTHON)" $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $(RUNTIME) $@

.PHONY: ffmpeg
ffmpeg: ## Install FFmpeg with the system's package manager where it is missing
	deploy/setup/install-ffmpeg
