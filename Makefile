# `make demo` and `make test` work from a fresh clone: they see to what they need first.

.PHONY: demo test bench lint fmt doctor

# Watch it work: a broker, players and the worker in one process. make demo ARGS="--for 60s"
demo:
	@.ci/prerequisites build
	cargo run --release --locked -p crowdfold -- demo $(ARGS)

# All tests; those that speak Kafka start a real one.
test:
	@.ci/prerequisites build test
	cargo test --locked $(ARGS)

bench:
	@.ci/prerequisites build test
	cargo bench --locked $(ARGS)

lint:
	@.ci/prerequisites build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings

fmt:
	cargo fmt --all

# What is missing on this machine, if anything; installs nothing.
doctor:
	@.ci/prerequisites --say build test ci && echo "everything is there"
