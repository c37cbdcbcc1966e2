# `make` lists what there is. People and CI call the same targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: run test soak live-page loom check lint fmt readme bench bench-user bench-live outage check-api openapi up down logs ps stack-test clean ci help

# A workspace of its own, so that the peers it measures are no part of the product.
BENCH := --manifest-path shared/bench/Cargo.toml --target-dir target/bench

# The long ones, which say what they have seen.
SOAK := cargo nextest run --package lyceum-notification --run-ignored only --no-capture

run: ## Build and start the whole platform with demo data; make run ARGS=--help lists the options
	@cargo run --quiet --package lyceum -- $(ARGS)

test: ## Run every test on SQLite, and on Postgres when a server binary or TEST_POSTGRES_URL is there
	@.ci/test

soak: ## A thousand people on both transports, then a thousand letters, while processes are killed; minutes
	@cargo build --quiet --package lyceum-user
	@LYCEUM_TEST_ENGINE=sqlite $(SOAK) -E 'test(/^mail::killed::/)'
	@LYCEUM_TEST_ENGINE=postgres .ci/with-postgres $(SOAK) -E 'test(/^(ledger|mail::killed)::/)'

live-page: ## Drive the live page in Chromium; pictures of it in target/live-page
	@LYCEUM_REQUIRE_CHROMIUM=1 cargo nextest run --package lyceum --no-capture -E 'test(/^live_page::/)'

loom: ## Check the breaker under every interleaving of a few threads; part of make test
	@.ci/loom

check: lint ## Everything that needs no running code: lints, dependencies, file sizes, OpenAPI, docs that say what is
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps
	@.ci/dependencies
	@.ci/file-lengths
	@.ci/openapi --check
	@.ci/operations
	@.ci/docs
	@.ci/observability
	@.ci/kubernetes

lint: ## Format and lints, as errors
	cargo fmt --all --check
	cargo fmt --all --manifest-path shared/bench/Cargo.toml --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --all --manifest-path shared/bench/Cargo.toml

bench: ## Run the benchmarks: each package's own, then ours beside its peers
	cargo bench --workspace --bench '*'
	cargo bench $(BENCH) --bench peers -- $(ARGS)

bench-user: ## The user service on Postgres beside the least that could answer the same: ratios, memory; three minutes
	cargo build --quiet --release --package lyceum-user --package lyceum-course --package lyceum-notification
	cargo build --quiet --release $(BENCH) --package lyceum-bench-user
	@.ci/with-postgres target/bench/release/lyceum-bench-user $${CARGO_TARGET_DIR:-target}/release $(ARGS)

bench-live: ## Open streams by the thousand beside a bare actix-ws loop: memory, broadcasts, delays, letters; fifteen minutes
	cargo build --quiet --release --package lyceum-notification
	cargo build --quiet --release $(BENCH) --package lyceum-bench-live
	@ulimit -n $$(ulimit -H -n); \
	.ci/with-postgres target/bench/release/lyceum-bench-live $${CARGO_TARGET_DIR:-target}/release $(ARGS)

outage: ## Three services in a row, the last one dead: table, plot, and whether the claims hold; four minutes
	@cargo bench --quiet $(BENCH) --bench outage -- $(ARGS)

check-api: ## Ask the running services all kinds of things, as their OpenAPI has them; two to three minutes
	@.ci/check-api

openapi: ## Write docs/openapi/*.json from the code
	@.ci/openapi

up: ## Build and start the whole stack in Docker, and wait until it is healthy
	docker compose up --build --wait

down: ## Stop the stack; its data stays (docker compose down --volumes takes that too)
	docker compose --profile '*' down

logs: ## Follow the stack's logs; make logs ARGS=course follows one service
	docker compose logs --follow --tail 100 $(ARGS)

ps: ## What of the stack runs, and how it is
	@docker compose --profile '*' ps --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'

stack-test: ## Start the stack as a project of its own, test it, take it down; ARGS names single tests
	@.ci/stack-test $(ARGS)

clean: ## Remove build results; data/ stays
	cargo clean

readme: ## Do what README.md says: make run, its commands, Ctrl-C, and once more
	@.ci/readme

ci: check test check-api readme stack-test ## What a change must pass

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
