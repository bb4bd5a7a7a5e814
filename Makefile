# The commands of the project. `make` alone lists them.
#
# The environment (.venv) is made by the first command that needs it and again when the requirements change:
# its stamp carries their digest.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

BIN := .venv/bin
ARGS ?=
digest = $(shell cat $(wildcard $(1)) | sha256sum | cut -c1-16)
RUNTIME := .venv/.runtime-$(call digest,requirements.txt)
TESTING := .venv/.testing-$(call digest,requirements.txt requirements-dev.txt)
# What generates and compiles a typed client of the API.
CLIENT := tests/typescript
GENERATING := $(CLIENT)/node_modules/.generating-$(call digest,$(CLIENT)/package-lock.json)
# The peers that the benchmarks compare with stay out of the product's environment.
BENCH_BIN := var/bench-environment/bin
BENCHING := var/bench-environment/.benching-$(call digest,requirements.txt bench/requirements.txt)

# The demo and the checks must not meet the services, files or secrets of whoever runs them: nothing is passed on of
# what can be set. The embedded product passes on all but the services.
without = env $(foreach name,$(1),-u $(name) -u $(name)_FILE)
CONFIGURING := $(sort $(shell sed -nE 's/^\#?([A-Z_]+)=.*/\1/p' deploy/environment.example | sed 's/_FILE$$//'))
PRIVATE := $(call without,$(CONFIGURING))
EMBEDDED := $(call without,DATABASE_URL REDIS_URL CACHE_URL CELERY_BROKER_URL)
DEMO := $(PRIVATE) VAR_DIR="$(CURDIR)/var/demo"
CHECK := $(PRIVATE) VAR_DIR="$(CURDIR)/var/check"
AS_IN_PRODUCTION := PRODUCTION=true ALLOWED_HOSTS=erp.example.com CSRF_TRUSTED_ORIGINS=https://erp.example.com \
	DATABASE_URL=postgresql://erp@localhost/erp REDIS_URL=redis://localhost:6379/0

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/:.* ## /\t/' | expand -t 16

.PHONY: demo
demo: $(RUNTIME) ## make sample exports, sync them with a real worker, show the books
	@$(DEMO) GROWING_SECONDS=0 LOG_LEVEL=WARNING $(BIN)/python manage.py demo $(ARGS)

.PHONY: demo-serve
demo-serve: $(RUNTIME) ## look at what the demo synced, in the browser
	@$(DEMO) $(BIN)/python manage.py serve $(ARGS)

.PHONY: serve
serve: $(RUNTIME) ## web, worker and clock on the embedded database and broker
	@$(EMBEDDED) $(BIN)/python manage.py serve $(ARGS)

.PHONY: up
up: $(RUNTIME) ## the same on DATABASE_URL and REDIS_URL of the environment
	@$(BIN)/python manage.py serve --services $(ARGS)

.PHONY: doctor
doctor: $(RUNTIME) ## what is wrong with this installation, and what to do
	@$(BIN)/python manage.py doctor $(ARGS)

.PHONY: test
test: $(TESTING) test-packages lint $(GENERATING) ## every check and every test, two runs at a time
	@failed=0; \
	$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-sqlite test-postgres || failed=1; \
	$(MAKE) --no-print-directory test-faults || failed=1; \
	exit $$failed

.PHONY: test-packages
test-packages: ## install the Debian packages that the tests need, where they are missing
	@deploy/install-test-packages

.PHONY: typescript
typescript: $(TESTING) test-packages $(GENERATING) ## a typed client from the API's document, compiled and run
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -q tests/test_api_typescript.py $(ARGS)

EXAMPLES ?= 5000

.PHONY: schemathesis
schemathesis: $(TESTING) test-packages ## EXAMPLES made-up requests to every call of the API
	TEST_DATABASE=postgres GENERATED_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q --timeout=3600 \
		tests/test_api_generated.py $(ARGS)

.PHONY: test-sqlite
test-sqlite: $(TESTING) ## the rooms, admin and commands on SQLite and the file-system broker
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -q $(ARGS)

.PHONY: test-postgres
test-postgres: $(TESTING) $(GENERATING) ## the rooms and the API on a private PostgreSQL and Redis
	TEST_DATABASE=postgres $(BIN)/python -m pytest -q $(ARGS)

FAULTS := TEST_DATABASE=postgres $(BIN)/python -m pytest -q tests/faults $(ARGS)

.PHONY: test-faults
test-faults: $(TESTING) ## each promise once: real processes killed, stopped and starved
	@together=0; alone=0; none_chosen=5; \
	$(FAULTS) -m "not alone" -n 3 --dist loadfile || together=$$?; \
	$(FAULTS) -m alone || alone=$$?; \
	case $$together-$$alone in 0-0|0-$$none_chosen|$$none_chosen-0) ;; *) exit 1 ;; esac

TRIALS ?= 200

.PHONY: faults
faults: $(TESTING) test-packages ## break promises TRIALS times, in all FILES or some; writes docs/faults.md
ifeq ($(ARGS),)
	TEST_DATABASE=postgres FAULT_TRIALS=$(TRIALS) $(BIN)/python -m tests.faults $(FILES)
else # some of them, and no report
	TEST_DATABASE=postgres FAULT_TRIALS=$(TRIALS) $(BIN)/python -m pytest -q -s --timeout=1800 tests/faults $(ARGS)
endif

.PHONY: lint
lint: $(TESTING) ## format, lint, types, arrows, migrations, deployment check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@$(CHECK) $(BIN)/python manage.py makemigrations --check --dry-run
	@$(CHECK) $(AS_IN_PRODUCTION) SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))') \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

.PHONY: format
format: $(TESTING) ## format the source and repair what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: messages
messages: $(RUNTIME) ## compile the translations; make serve and make demo do it too
	@$(BIN)/python -m erp.messages

.PHONY: bench
bench: $(BENCHING) test-packages ## the benchmarks; writes bench/RESULTS.md
	$(BENCH_BIN)/python -m bench $(ARGS)

.PHONY: clean
clean: ## remove what the checks and the demo left; keeps var/ of make serve
	rm -rf var/demo var/check .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(RUNTIME):
	@deploy/make-environment $@ requirements.txt

$(TESTING): $(RUNTIME)
	@deploy/make-environment $@ requirements-dev.txt

$(GENERATING): | test-packages
	@echo "Installing the packages of $(CLIENT) ..." >&2
	@cd $(CLIENT) && npm ci --silent --no-progress
	@touch $@

$(BENCHING):
	@deploy/make-environment $@ requirements.txt bench/requirements.txt
