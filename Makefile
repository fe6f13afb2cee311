PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test ui bench clean
.DEFAULT_GOAL := run

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo 'installing into .venv: a few minutes the first time'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

run: .venv/installed
	@$(BIN)/collie run

test: .venv/installed
	$(BIN)/pytest --numprocesses auto --dist loadfile

ui: .venv/installed
	@$(BIN)/collie ui

bench: .venv/installed
	@$(BIN)/python benchmarks/peers.py
	@$(BIN)/python -m benchmarks $(SUBJECT)

clean:
	rm -rf data .mypy_cache .pytest_cache .ruff_cache .hypothesis
