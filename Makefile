# Every command of the project. `make demo` and `make test` do all the set-up a fresh Debian needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

# uv has a small venv of its own: an exact sync would remove it from .venv.
$(UV):
	$(PYTHON) -m venv --without-pip .tools
	$(PYTHON) -m pip --python .tools/bin/python install --quiet --disable-pip-version-check uv

.venv/.synced: pyproject.toml uv.lock $(UV)
	$(UV) sync --frozen --quiet --extra demo
	@touch $@

setup: .venv/.synced ## install everything into .venv

demo: setup ## the main job with sample data, everything embedded (ARGS=--exit ends after it)
	$(RUN)/grouper demo $(ARGS)

up: setup ## start the service on this machine
	$(RUN)/grouper up $(ARGS)

check: setup ## lint, types, import contract
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

# Debian's Chromium drives the browser tests; without apt or its rights they say so and stop.
chromium:
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium >/dev/null)

# Those with services mostly wait, those without mostly calculate: together they take as long as one.
# No test that fits ARGS among one half is no failure; none at all is.
SERVED_LOG := .tools/served-tests.log
# Without ARGS it measures how much of core is reached, branches counted, and wants no less than this.
FLOOR := 90
COVERAGE = $(if $(ARGS),,--cov --cov-report=term --cov-report=html --cov-fail-under=$(FLOOR))
test: setup chromium ## unit, property, service, flow, browser and security tests
	@$(RUN)/pytest -m "not slow" tests/browser tests/flow tests/security $(ARGS) >$(SERVED_LOG) 2>&1 & served=$$!; \
	$(RUN)/pytest -m "not slow" tests/unit tests/property tests/service $(COVERAGE) $(ARGS); bare=$$?; \
	wait $$served; served=$$?; cat $(SERVED_LOG); \
	case "$$bare $$served" in "0 0" | "0 5" | "5 0") ;; "0 "*) exit $$served ;; *) exit $$bare ;; esac

test-slow: setup chromium ## fault and scale tests
	$(RUN)/pytest -m slow $(ARGS)

# A page is written only once it is whole.
PAGES := states=core.vocabulary.state_machines permissions=core.vocabulary.permissions \
	errors=core.engine.dataset.errors_page reports=core.reports.layout_page kpis=core.kpis.page \
	legacy-api=core.migration.reading.api_page
docs: setup ## write the generated pages of docs/ again
	@for page in $(PAGES); do \
		$(RUN)/python -m $${page#*=} >.tools/page && mv .tools/page docs/$${page%%=*}.md || exit 1; \
	done

screenshots: setup chromium ## every page for every role, into screenshots/ (ARGS="--into FOLDER")
	$(RUN)/python -m tests.browser.screenshots $(ARGS)

bench: setup ## ratios to raw COPY, the csv reader and polars (ARGS="--rows 1000000")
	$(RUN)/python -m benchmarks $(ARGS)

.PHONY: help setup demo up check chromium test test-slow docs screenshots bench
