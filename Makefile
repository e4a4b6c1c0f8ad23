# The commands of the help desk. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
UV ?= uv
PYTEST ?= -n 3 --dist worksteal
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes

.PHONY: help run setup test test-quick lint format key lock check-lock

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

run: .venv/run.installed ## Start the help desk from nothing (PORT=8000); Ctrl-C ends it
	@exec .venv/bin/python manage.py up --port $(PORT) --end-with-parent

setup: .venv/dev.installed ## Install everything that tests and checks need

test: .venv/dev.installed ## Run the whole test suite (PYTEST="-n 2 tests/inbox" for a part)
	@exec .venv/bin/python -m pytest $(PYTEST)

test-quick: .venv/dev.installed ## Run the suite without the tests that take long, in four minutes
	@exec .venv/bin/python -m pytest -m "not thorough" $(PYTEST)

lint: .venv/dev.installed ## Check style, format and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

format: .venv/dev.installed ## Put the code into its format
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

key: ## Print a new key for HELPDESK_ENCRYPTION_KEYS
	@$(PYTHON) -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"

lock: ## Choose versions anew and write both lock files (needs uv)
	@$(UV) lock --quiet
	@$(UV) export --quiet --frozen --no-emit-project --no-default-groups --no-header --format requirements-txt -o requirements.lock
	@$(UV) export --quiet --frozen --no-emit-project --all-groups --no-header --format requirements-txt -o .ci/requirements-dev.lock

check-lock: .venv/dev.installed ## Check that the lock files belong to pyproject.toml
	@.venv/bin/python .ci/check_lock.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Making the environment in .venv …"
	@$(PYTHON) -m venv .venv

# Installed again only when the content of the lock changed, so that later starts need no network. The lock of the
# tests holds all of the other one.
.venv/%.installed: .venv/bin/python FORCE
	@case $* in run) lock=requirements.lock ;; *) lock=.ci/requirements-dev.lock ;; esac; \
	if ! cmp -s $$lock $@; then \
		echo "Installing the packages of $$lock …"; \
		$(PIP) -r $$lock && cp $$lock $@ || { rm -f $@; exit 1; }; \
	fi

FORCE:
