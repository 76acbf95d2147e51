# Each target makes what it needs. PYTHON is only used to make the virtual environment.
PYTHON ?= python3
BIN := .venv/bin
PDS := tests/pds/node_modules/.stamp
# The tests start many processes, each of which would have to compile the program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test faults races kills growth fuzz lint lock clean

.venv/.stamp: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# A real PDS for the tests. Its SQLite is compiled where it cannot be downloaded, which takes less time unoptimized.
$(PDS): tests/pds/package-lock.json tests/pds/package.json
	@cd tests/pds && if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' && \
	  CFLAGS=-O1 CXXFLAGS=-O1 npm ci; then touch node_modules/.stamp; \
	elif [ "$$CI" = true ]; then echo 'the tests on a real PDS need Node 20, npm and a C++ compiler' >&2; exit 1; \
	else echo 'no Node 20, npm and C++ compiler: the tests on a real PDS will be skipped' >&2; fi

demo: .venv/.stamp  ## the example announcements through all platforms, without an account
	$(BIN)/broadcast rehearse

test: .venv/.stamp $(PDS)  ## every test
	$(BIN)/python -m pytest -n 2

faults: .venv/.stamp $(PDS)  ## every fault at every request, and every interleaving; `make test` takes a choice of them
	BROADCAST_FAULTS=all $(BIN)/python -m pytest -n 2 tests/faults

races: .venv/.stamp $(PDS)  ## 50 times 16 processes that publish the same at once, to each kind of ledger
	BROADCAST_RACES=50x16 BROADCAST_ROUNDS=50 $(BIN)/python -m pytest tests/faults/test_races.py \
	  tests/ledger/test_sql_races.py

kills: .venv/.stamp  ## 500 times a publish, and 500 times a writer of a ledger, killed at random moments
	BROADCAST_KILLS=500 $(BIN)/python -m pytest -n 2 tests/faults/test_kills.py tests/ledger/test_kills.py

growth: .venv/.stamp  ## how the time of every shape of input grows from 25 KB to 100 KB, as a table: a quarter of an hour
	PYTHONPATH=tests $(BIN)/python -m growth

.venv/.fuzz: requirements-fuzz.lock .venv/.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fuzz.lock
	touch $@

fuzz: .venv/.fuzz  ## an hour of fuzzing, led by coverage, at every entrance; `make test` takes a slice of it
	PYTHONPATH=tests $(BIN)/python -m fuzz --minutes $(or $(MINUTES),60)

lint: .venv/.stamp  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock:  ## the locked dependencies, from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock
	uv pip compile --group fuzz --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements-fuzz.lock

clean:
	rm -rf .venv .broadcast .fuzz public dist build tests/pds/node_modules
