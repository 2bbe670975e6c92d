.POSIX:
PYTHON ?= python3
V = .venv
PY = $(V)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK = 1

# "venv --without-pip" and "pip --python" work where python3-venv or ensurepip is absent
# and where the system's Python is marked as externally managed. uv is used if it is there.
INSTALL = if command -v uv >/dev/null 2>&1 && VIRTUAL_ENV=$(V) uv pip sync -q --require-hashes $(1); then :; \
  elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
    $(PYTHON) -m pip --python $(PY) install -q --require-hashes --only-binary :all: -r $(1); \
  else $(PY) -m ensurepip >/dev/null && $(PY) -m pip install -q --require-hashes --only-binary :all: -r $(1); fi

.PHONY: help run test lint translations bench fault contract mutation lock clean

help: ## What can be done here
	@grep -E '^[a-z]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 15

run: $(V)/.run ## Set up and start the demo on http://127.0.0.1:8000 (HOST, PORT)
	@$(PY) -m patient_portal.words compile
	@exec $(PY) -m patient_portal.cli demo

test: $(V)/.test ## Every test, on SQLite, PostgreSQL and a real browser
	@$(PY) -m patient_portal.words compile
	@sh scripts/ensure_browser.sh $(PY)
	@$(PY) -m pytest -q -n 2 tests

lint: $(V)/.test ## ruff, mypy --strict, import floors
	@$(V)/bin/ruff check .
	@$(V)/bin/ruff format --check .
	@$(PY) -m mypy
	@$(V)/bin/lint-imports

translations: $(V)/.test ## Extract the words, update every catalog, compile, check
	@$(PY) -m patient_portal.words extract
	@$(PY) -m patient_portal.words update
	@$(PY) -m patient_portal.words compile
	@$(PY) -m patient_portal.words check

bench: $(V)/.test ## Speed against a bare Flask + SQLAlchemy + WTForms app, and of the alert path
	@$(PY) -m patient_portal.words compile
	@$(PY) -m tests.bench

fault: $(V)/.test ## The long fault suite; writes docs/fault-table.md (FAULT_SOAK_SECONDS)
	@$(PY) -m patient_portal.words compile
	@FAULT_TABLE=docs/fault-table.md ALLOW_SKIPS=1 $(PY) -m pytest -q -m "fault or not fault" tests/fault
	@$(PY) -m pytest -q -m fault tests --ignore=tests/fault

contract: $(V)/.test ## Our schema of the SMS gateway against Twilio's own (needs Node and the network)
	@$(PY) -m tests.contract

mutation: $(V)/.test ## Change the domain in a thousand ways; a test must notice each (long)
	@$(PY) scripts/mutate.py

lock: ## Resolve the dependencies again (needs uv)
	uv pip compile -q pyproject.toml --universal --generate-hashes --no-header --no-annotate -o requirements.lock
	uv pip compile -q pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate -o requirements-dev.lock

clean: ## Remove what the commands above made
	rm -rf $(V) .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find translations patient_portal -name '*.mo' -type f -exec rm -f {} +

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 run")'
	@echo "Making $(V)"
	@$(PYTHON) -m venv --without-pip $(V)

$(V)/.run: requirements.lock $(PY)
	@if test -e $(V)/.test; then $(MAKE) -s $(V)/.test; else \
	  echo "Installing what the portal needs (once)"; $(call INSTALL,requirements.lock); fi
	@touch $@

$(V)/.test: requirements-dev.lock $(PY)
	@echo "Installing what the tests need (once)"
	@$(call INSTALL,requirements-dev.lock)
	@touch $@ $(V)/.run
