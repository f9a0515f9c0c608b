# The two commands: `make run` and `make test`. Everything else is for developers.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# The newest Python that all locked packages have wheels for comes first; override with PYTHON=…
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
# Whole products and browsers take the longest, and have a target of their own.
SERVERS := tests/browser tests/chatproject/serve tests/realtime/test_servers.py tests/realtime/test_on_servers.py \
	tests/realtime/test_client.py tests/conversations/files/test_servers.py tests/docs/test_examples.py \
	tests/faults/test_batches.py tests/faults/test_reports.py
# What starts servers runs two files at a time; of the rest, which waits more than it computes, three keep two cores busy.
THREE := $(BIN)/python -m pytest -n 3 --dist loadfile
TWO := $(BIN)/python -m pytest -n 2 --dist loadfile
LOCK := $(BIN)/python -m piptools compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes

# Without compiled files each of the many processes would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test servers faults bench locust soak check audit lock clean

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## */\t/' | expand -t 12

run: $(VENV)/run.stamp  ## install what is needed and run the product (PORT, HOST, DATA_DIR, DATABASE_URL, REDIS_URL, OPENAI_*)
	@exec $(BIN)/python manage.py serve

test: $(VENV)/dev.stamp  ## install what tests need and run them, but for `servers` (ARGS="-k name" for some of all)
ifdef ARGS
	@exec $(BIN)/python -m pytest $(ARGS)
else
	@$(THREE) --ignore=tests/faults $(addprefix --ignore=,$(SERVERS)); first=$$?; \
		$(TWO) tests/faults $(addprefix --ignore=,$(filter tests/faults/%,$(SERVERS))) && exit $$first
endif

servers: $(VENV)/dev.stamp  ## run the tests that start the whole product, or a browser: some ten minutes
	@exec $(TWO) $(SERVERS)

faults: $(VENV)/dev.stamp  ## run the long tests that kill processes
	@exec $(BIN)/python -m pytest -m faults $(ARGS)

bench: $(VENV)/bench.stamp  ## measure all figures of docs/benchmarks.md with their targets (ARGS="rooms --repeat 2" for some)
	@exec $(BIN)/python -m bench $(ARGS)

locust: $(VENV)/bench.stamp  ## have a thousand people use the product for five minutes (ARGS="--users 200 --minutes 2")
	@exec $(BIN)/python -m bench.people $(ARGS)

soak: $(VENV)/bench.stamp  ## have people come, talk and leave for half an hour; nothing may be left of them (ARGS="--minutes 5")
	@exec $(BIN)/python -m bench.soak $(ARGS)

check: $(VENV)/dev.stamp  ## format, lint, types, then all tests but the long ones (also of migrations)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy .
	@$(MAKE) --no-print-directory test; first=$$?; $(MAKE) --no-print-directory servers && exit $$first

audit: $(VENV)/dev.stamp  ## look for known weaknesses in what is locked
	@$(BIN)/python -m tests.audit

lock: $(VENV)/dev.stamp  ## write requirements*.txt anew from requirements*.in (UPGRADE=--upgrade for newer releases)
	$(LOCK) $(UPGRADE) requirements.in --output-file requirements.txt
	$(LOCK) $(UPGRADE) requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) $(UPGRADE) requirements-bench.in --output-file requirements-bench.txt

clean:  ## remove .venv; DATA_DIR stays
	rm -rf $(VENV)

$(VENV)/run.stamp: $(BIN)/python requirements.txt
	@echo "Installing what the product runs on (this once; a minute or two) ..."
	$(INSTALL) --requirement requirements.txt
	@touch $@

# The development lock contains the product's: one installation satisfies both.
$(VENV)/dev.stamp: $(BIN)/python requirements.txt requirements-dev.txt
	@echo "Installing what the product and its tests need (this once; a minute or two) ..."
	$(INSTALL) --requirement requirements-dev.txt
	@touch $(VENV)/run.stamp $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements-bench.txt
	@echo "Installing what measurements need (this once) ..."
	$(INSTALL) --requirement requirements-bench.txt
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "There is no Python here: install 3.11 or newer (apt-get install python3 python3-venv)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: install a newer one and say where it is (make run PYTHON=/path/to/python3.11)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
