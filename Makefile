# The few ways to run things. `make help` lists them.
.DEFAULT_GOAL := help
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -n 2

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup:  ## make .venv (only when the lock file has changed)
	@scripts/setup

demo: setup  ## three emulated ECUs take an update, each verifying it for itself
	@.venv/bin/muptane demo

test: setup  ## everything that CI runs
	@$(PY) scripts/test.py

fuzz: setup  ## fuzz what faces the wire: make fuzz [EXECS=1000000] [TARGET=cbor] [KEEP=1]
	@$(PY) -m scripts.fuzz --execs $(or $(EXECS),20000) --target "$(TARGET)" --keep "$(KEEP)"

lint: setup  ## ruff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup  ## mypy --strict on host and device, against the stubs of the boards
	@$(PY) scripts/check_types.py

flash: setup  ## copy the device code to a board: make flash BOARD=pyboard_v11 PORT=/dev/ttyACM0 [ARGS=--dry-run]
	@$(PY) scripts/flash.py $(BOARD) $(PORT) $(ARGS)

clean:  ## remove everything that can be made again
	rm -rf .venv build *.egg-info host/*.egg-info

.PHONY: help setup demo test fuzz lint types flash clean
