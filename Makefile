# The few ways to run things. `make help` lists them.
.DEFAULT_GOAL := help
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -n 2

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup:  ## make .venv (only when the lock file has changed)
	@scripts/setup

demo: setup  ## three emulated ECUs take an update, each verifying it for itself
	@.venv/bin/muptane demo

test: setup  ## everything that CI runs
	@$(PY) scripts/test.py

attacks: setup  ## play every attack, in CPython and in real MicroPython (long)
	@.venv/bin/muptane attack run all --nodes cpython
	@.venv/bin/muptane attack run all --nodes micropython

faults: setup  ## every flow with a fault at every moment: make faults [FLOW=all] [FAULT=all] [GEOMETRY=all] [SAMPLE=0] (hours)
	@mkdir -p build
	@.venv/bin/muptane faults run $(or $(FLOW),all) --fault $(or $(FAULT),all) --geometry $(or $(GEOMETRY),all) \
		--sample $(or $(SAMPLE),0) --json build/faults.json
	@.venv/bin/muptane faults document build/faults.json

threats: setup  ## write docs/threats.md from the attacks
	@.venv/bin/muptane attack threats

threats-check: setup  ## is docs/threats.md today's?
	@.venv/bin/muptane attack threats-check

fuzz: setup  ## fuzz what faces the wire: make fuzz [EXECS=1000000] [TARGET=cbor] [KEEP=1]
	@$(PY) -m scripts.fuzz --execs $(or $(EXECS),20000) --target "$(TARGET)" --keep "$(KEEP)"

mutants: setup  ## what the device tests miss: make mutants [MODULE=trusted] [SAMPLE=20] [SEED=1] [JOBS=2] [AGAIN=1] (long)
	@$(PY) -m scripts.mutants $(MODULE) --sample $(or $(SAMPLE),0) --seed $(or $(SEED),1) --jobs $(or $(JOBS),2) --again "$(AGAIN)"

guards: setup  ## which fault needs which guard of the store: make guards [GUARD=words] [JOBS=2] (long)
	@$(PY) -m scripts.guards $(GUARD) --jobs $(or $(JOBS),2)

properties: setup  ## the properties of tests/property, played for long: make properties [SEED=0]
	@MUPTANE_PROPERTIES=long $(PYTEST) tests/property --hypothesis-seed=$(or $(SEED),0)

installs: setup  ## a real firmware from one build to the next, in every way: make installs [IMAGES=folder] (long)
	@$(PY) -m scripts.installs $(if $(IMAGES),--images "$(IMAGES)")

measure-bus: setup  ## what the link and a transfer reach of the wire's limit, into docs/measured.md
	@.venv/bin/muptane measure bus --document

measure-oem: setup  ## what a request costs the back office, up to 100,000 vehicles, into docs/measured.md
	@scripts/postgres || true
	@.venv/bin/muptane measure oem --document

ciphers: setup  ## how fast X25519 and ChaCha20 are here, on both interpreters
	@$(PY) -m scripts.ciphers

interop: setup  ## tools of others against our ECUs: gallia, scapy, udsdoc, tshark
	@scripts/interop

lint: setup  ## ruff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: setup  ## mypy --strict on host and device, against the stubs of the boards
	@$(PY) scripts/check_types.py

requirements: setup  ## docs/requirements.md: which tests prove each rule
	@$(PY) scripts/requirements.py

requirements-check: setup  ## every rule is proved, not applicable or waiting, and the page is today's
	@$(PY) scripts/requirements.py --check

flash: setup  ## copy the device code to a board: make flash BOARD=pyboard_v11 PORT=/dev/ttyACM0 [ARGS=--dry-run]
	@$(PY) scripts/flash.py $(BOARD) $(PORT) $(ARGS)

clean:  ## remove everything that can be made again
	rm -rf .venv build *.egg-info host/*.egg-info

.PHONY: help setup demo test interop properties attacks faults threats threats-check fuzz mutants guards installs ciphers measure-bus measure-oem lint types flash clean requirements requirements-check
