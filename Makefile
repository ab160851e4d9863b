# Everything here works on a fresh machine with Python >= 3.11 and make; uv is used when present.
PYTHON   ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One more than processors, where now and then one waits for a process that it started. It stands before the value of
# all other targets, beside which it would count as set already.
test: PARALLEL ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PARALLEL ?= auto
MINUTES  ?= 10
CONTAINER_TOOL ?= docker
IMAGE    ?= lbcontroller:latest
# What runs on a real kube-apiserver; what of it cannot is in tests/support/real_cluster/exceptions.py.
ON_REAL ?= tests/apiserver tests/integration tests/conformance tests/faults/test_leadership.py

# Some environments forbid to keep compiled modules. Each test process would then compile everything again.
unexport PYTHONDONTWRITEBYTECODE

# Tiers with a target of their own.
TIERS := apiserver benchmarks chart conformance faults

.DEFAULT_GOAL := help
.PHONY: help install demo test test-benchmarks test-conformance test-faults test-faults-all soak test-laws test-chart \
	test-apiserver apiserver test-unit bench calls check format docs image cases clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.dev  ## make .venv with the lbcontroller command and all tools

demo: $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.demo)  ## run the controller on the embedded API server and AWS, and show what it does
	$(BIN)/lbcontroller demo

test: $(VENV)/.dev  ## run what everybody runs before a commit, in four minutes; the tiers below come on top in CI
	$(BIN)/python -m pytest -q -n $(PARALLEL) --dist loadscope tests $(TIERS:%=--ignore tests/%)

test-conformance: $(VENV)/.dev  ## compare with what LBC makes of recorded manifests, take it over, and make each mistake
	$(BIN)/python -m pytest -q -n $(PARALLEL) --dist loadscope tests/conformance

test-faults: $(VENV)/.dev  ## run lives in which every AWS call fails in every way, and the process is killed
	$(BIN)/python -m pytest -q -n $(PARALLEL) tests/faults

test-faults-all: $(VENV)/.dev  ## run the fault tier with a kill after every call, for the night
	$(BIN)/python -m pytest -q -n $(PARALLEL) --nightly tests/faults

test-chart: $(VENV)/.dev $(VENV)/.chart  ## render, lint and check the Helm chart and the Dockerfile, with Helm itself
	$(BIN)/python -m pytest -q tests/chart

test-laws: $(VENV)/.dev  ## try the laws of tests/properties on all of their examples; `make test` tries a tenth
	LAWS=thorough $(BIN)/python -m pytest -q -n $(PARALLEL) tests/properties

test-apiserver: $(VENV)/.dev $(VENV)/.chart apiserver  ## run the tests of the whole program on a real kube-apiserver
	$(BIN)/python -m pytest -q -n $(PARALLEL) --dist loadscope --api-server=real $(ON_REAL)

apiserver: $(if $(KUBEBUILDER_ASSETS),,.cache/apiserver/.built)  ## build kube-apiserver and etcd, which takes Go and minutes

soak: $(VENV)/.dev  ## churn 100 Services and 20 Ingresses for MINUTES while calls fail; print memory, threads, connections
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

test-unit: $(VENV)/.dev  ## run the pure tests only
	$(BIN)/python -m pytest -q tests/unit tests/cases tests/architecture

test-benchmarks: $(VENV)/.dev  ## run the benchmarks in small, for what they count
	$(BIN)/python -m pytest -q -n $(PARALLEL) --dist loadscope tests/benchmarks

bench: $(VENV)/.dev  ## print call counts and CPU of pod replacements, rollouts, endpoint events and starts as JSON
	$(BIN)/python -m tests.benchmarks.run

calls: $(VENV)/.dev  ## print the AWS calls of every recorded case beside those of LBC, as a Markdown table
	$(BIN)/python -m tests.conformance.calls

check: $(VENV)/.dev  ## lint, types and layers: what CI runs before the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

image:  ## build the image of the controller, with docker or CONTAINER_TOOL
	$(CONTAINER_TOOL) build --tag $(IMAGE) .

docs: $(VENV)/.dev  ## generate docs/reference, iam/ and the generated files of the chart from the code
	$(BIN)/lbcontroller docs docs/reference --chart helm/lbcontroller --iam iam

cases: $(VENV)/.dev  ## rewrite the golden files of tests/cases from today's behaviour
	$(BIN)/python -m pytest -q tests/cases --update-cases

clean:  ## remove what the other targets made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

.cache/apiserver/.built: tests/apiserver/go.mod tests/apiserver/go.sum tests/apiserver/build
	tests/apiserver/build $(@D)
	@touch $@

# A stamp is redone when what it was made from changes; .demo has what `lbcontroller demo` needs, .dev what most of the
# tests need, .chart what those of the chart need besides.
$(VENV)/.demo $(VENV)/.dev $(VENV)/.chart: $(VENV)/.%: pyproject.toml constraints.txt
	.ci/install $(PYTHON) $(VENV) $*
	@touch $@
