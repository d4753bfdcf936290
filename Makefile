# `make demo` and `make test` each set up what they need, alone, on a machine with python3 (3.11 or newer) and make.
PYTHON ?= python3
BIN := .venv/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test bench pictures figures evidence docs wheel-test mutation clean

help:
	@echo "make demo      check Theorem 1, certify a witness, learn in tables and online, draw the pictures into demo/"
	@echo "make test      the whole suite, by tox: light (no torch), py311 (lint, types, everything), proofs (by Coq)"
	@echo "make mutation  change what decides in one place after the other, and see a test fail for each: hours"
	@echo "make bench     the speed of the exact enumeration on this machine"
	@echo "make pictures  draw the documentation's pictures again"
	@echo "make figures   draw every study's figure from the results that are there"
	@echo "make evidence  write docs/evidence.md again from the results that are there"
	@echo "make docs      the documentation, with the report, into docs/_build/html"
	@echo "make wheel-test  build a source distribution, and a wheel of that alone, and work with it outside the tree"
	@echo "make clean     remove the environments and what the demo drew"

demo: .venv/deep
	$(BIN)/mbgen demo --out demo

test: .venv/tox
	$(BIN)/tox $(if $(CI),,--parallel-no-spinner)

mutation: .venv/tox
	$(BIN)/tox exec -e py311 -- python -m tests.mutation

bench: .venv/base
	$(BIN)/mbgen bench theory

pictures: .venv/deep
	$(BIN)/mbgen demo --steps 0 --out docs/pictures

# Exit status 1 says that no run of the study has finished.
figures: .venv/base
	for study in $$($(BIN)/python -c "from experiments.studies.registry import STUDIES; print(*STUDIES)"); do \
		$(BIN)/mbgen $$study --out docs/pictures/$$study-desk.png docs/pictures/$$study-desk.svg || [ $$? = 1 ] || exit; \
	done
	$(BIN)/mbgen online --curves docs/pictures/online-curves-desk.png
	$(BIN)/mbgen maze-coverage --curves docs/pictures/maze-coverage-curves-desk.png || [ $$? = 1 ]

# The page that says what the evidence says; a test holds it to the results.
evidence: .venv/base
	$(BIN)/mbgen claims --out docs/evidence.md --pictures docs/pictures

docs: .venv/tox
	$(BIN)/tox run -e docs

# In a folder of its own, where nothing of the source can be imported by chance. `build` makes the wheel of what the source
# distribution holds, so that this is tried too.
wheel-test:
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder/builder"; \
	"$$folder/builder/bin/pip" install --quiet build; \
	"$$folder/builder/bin/python" -m build --outdir "$$folder" .; \
	$(PYTHON) -m venv "$$folder/fresh"; \
	"$$folder/fresh/bin/pip" install --quiet "$$(echo "$$folder"/*.whl)[deep,report]"; \
	cd "$$folder"; mbgen=fresh/bin/mbgen; \
	$$mbgen --version; \
	$$mbgen theorem check push-tree; \
	$$mbgen run --agent er --env PanFlute --size 3 --regime high --scale smoke --acceleration none --out run; \
	$$mbgen theorem decide --results results; \
	$$mbgen report --results results --out report; \
	$$mbgen theorem explore push-tree --out explorer.html

# One environment, three layers: what the command needs, what the online agents need, and what runs the tests.
.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/base: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --editable .
	touch $@

.venv/deep: .venv/base
	$(BIN)/pip install --quiet --editable '.[deep]'
	touch $@

.venv/tox: .venv/bin/python constraints.txt
	$(BIN)/pip install --quiet tox
	touch $@

clean:
	rm -rf .venv .tox demo docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
