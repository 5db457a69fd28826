# make run    install into .venv and open the studio on 127.0.0.1
# make test   the same set-up, then style, types and every test
# make lock   resolve the pinned requirements again (needs uv)

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test check tests lock clean chromium

run: .venv/installed
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

test: check tests

# In the order of collection: the few but long browser tests would come last, on one core alone.
# Two for two cores: three were slower.
tests: .venv/installed-dev chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Pruning Studio needs Python 3.11, 3.12 or 3.13; none was found."; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The browser tests drive Chromium. On Debian, with the right to, it is installed; elsewhere the
# tests say what is missing.
chromium:
	@tests/browser/install_chromium.sh

lock:
	uv pip compile --universal --python-version 3.11 --no-header -q pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --no-header -q --group dev \
		-c requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache test-artifacts
