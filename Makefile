# What one does with Clave day by day. Each target is a script that may be called itself, with words of its own.
.DEFAULT_GOAL := help
.PHONY: help dev server test-fast test lint bench

help: ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev: ## Run the demo on http://localhost:8000; what changes in clave/ is on the page a few seconds later
	script/dev

server: ## Run the demo as it is
	script/server

test-fast: ## Run the tests that need nothing but Python, on SQLite
	script/test-fast

test: ## Run every test, on SQLite and PostgreSQL (as root installs the servers it needs)
	script/test

lint: ## Check form, types, layers, templates, translations, secrets (script/lint --fix formats)
	script/lint

bench: ## Measure (docs/performance.md)
	script/bench
