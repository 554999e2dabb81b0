# make run | test | bench | validity | lint | docs | audit. `make test` installs what it needs where it is missing.
CARGO ?= cargo
PIPELINE ?= pipelines/lending.toml

.PHONY: run test bench validity lint docs audit

run:
	$(CARGO) run --release --locked -- run $(PIPELINE)

test:
	@./tests/needs.sh
	@./tests/run.sh

bench:
	$(CARGO) bench --locked

validity:
	$(CARGO) run --release --locked --example validity
	EVENHAND_VALIDITY_RUNS=10000 $(CARGO) test --release --locked --lib -- cover_in_more_runs --nocapture

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

audit:
	$(CARGO) deny --locked check bans licenses sources
