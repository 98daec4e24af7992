# Every target only calls tools; `make help` lists them.
PY := .venv/bin/python
export OMP_NUM_THREADS ?= 1

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/' | column -t -s: 

setup:           ## take what is missing (environments, packages); quick when nothing is
	@deploy/setup.sh

setup-browser:
	@deploy/setup.sh --browser

demo:            ## the whole story on this machine; CHECK=1 plays it in headless Chromium and proves it
ifdef CHECK
	@deploy/setup.sh --browser
	@$(PY) -m deploy.demo --check
else
	@deploy/setup.sh
	@$(PY) -m deploy.demo
endif

test: setup-browser ## all the set-up, then every test in two processes (T=path for a part, in one)
	@$(PY) -m pytest -q $(or $(T),-n 2 --dist loadgroup --no-loadscope-reorder tests)

drill: setup-browser ## the long and violent tests
	@$(PY) -m pytest -q tests/drills

lint: setup      ## ruff, mypy, import rules
	@.venv/bin/ruff check . && .venv/bin/mypy trustcore/primitives provenance/marks provenance/manifests provenance/oracle provenance/verify rendering/protocol.py && .venv/bin/lint-imports

bench: setup-browser ## one benchmark: make bench NAME=train (see docs/benchmarks.md)
	@$(PY) -m tests.benchmarks.$(NAME)

lock:            ## make the pinned lists again from deploy/locks/*.in (needs uv)
	@deploy/lock.sh

.PHONY: help setup setup-browser demo test drill lint bench lock
