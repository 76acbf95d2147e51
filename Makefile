# Each target makes what it needs. PYTHON is only used to make the virtual environment.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint lock clean

.venv/.stamp: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: .venv/.stamp  ## the example announcements through all platforms, without an account
	$(BIN)/broadcast rehearse

test: .venv/.stamp  ## every test
	$(BIN)/python -m pytest -n 2

lint: .venv/.stamp  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock:  ## the locked dependencies, from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock

clean:
	rm -rf .venv .broadcast public dist build
