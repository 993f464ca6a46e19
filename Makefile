# Everything a newcomer needs: Python >= 3.11 and make. Each verb sets up what it uses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/sh

.PHONY: demo test faults soak lint format setup setup-dev lock clean policy-fuzz
.DELETE_ON_ERROR:

# The product's main job with generated people, from consent to a verified bundle. SERVE=1 keeps it up.
demo: setup
	$(BIN)/mydata demo $(if $(SERVE),--serve) $(ARGS)

# The whole suite: real PostgreSQL, real OPA, real browser, real JavaScript clients.
test: setup-dev
	$(BIN)/python -m tests.run $(ARGS)

# More than the suite's sample of failing disks and killed writers under the ledger: FAULTS=1000 takes an hour.
# A stopped run goes on (.cache/faults.jsonl); FRESH=1 begins anew, SHARD=2/4 does a part. Ends with a total.
faults: setup-dev
	MYDATA_FAULTS=$(FAULTS) MYDATA_FAULTS_SHARD=$(SHARD) MYDATA_FAULTS_FRESH=$(FRESH) $(BIN)/python -m tests.ledger.faults $(ARGS)

# A ledger of ten million entries: grown, proved from, searched, verified again. An hour or two, 10 GB; SIZE=... for less.
soak: setup-dev
	$(BIN)/python -m bench.ledger --only grown --sizes 100000 1000000 $(or $(SIZE),10000000) $(ARGS)

# Linters, types, import contracts.
lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

setup: $(VENV)/.run
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("MyData Gateway needs Python 3.11 or newer; found " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

# A million changed questions to both policy engines: no difference in allow, codes, obligations. Takes a while.
policy-fuzz: setup-dev
	$(BIN)/python -m tests.policy.fuzz --count 1000000 $(ARGS)

# Re-pin every dependency with hashes and no addresses (needs uv on PATH).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group build pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group build --group dev pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) .cache build demo-out *.egg-info
