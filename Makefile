# `make demo` and `make test` work from a fresh clone: they print and install the missing system packages first.
# With CROWDFOLD_INSTALL=no they only print the missing packages.

.PHONY: demo setup check test attack player soak bench instructions coverage fuzz memcheck rules charts image readers lint \
	fmt doctor

# Run the demo: mock broker, synthetic players and worker in one process. make demo ARGS="--for 60s"
PROFILE ?= release
demo:
	@.ci/prerequisites build
	cargo run --profile $(PROFILE) --locked -p crowdfold -- demo $(ARGS)

# Install the system packages that the other targets need.
setup:
	@.ci/prerequisites build test browser ci

# Run the checks that need neither a broker nor a browser: formatting, clippy, tests of libraries and of the command
# line, and a short simulation. The checks take about two minutes on two cores, without the build.
check: lint
	CROWDFOLD_SCHEDULES=$(CHECK_SCHEDULES) cargo test --locked --workspace --exclude crowdfold-suite

# Number of simulation schedules in `make check`; `make test` runs 100,000.
CHECK_SCHEDULES ?= 5000

# Run all tests. Tests that need Kafka start a real broker, and players run in a real browser. The last command builds
# the simulation with seeded bugs, which it must find. No other build may contain seeded bugs. Most tests wait for
# brokers, clocks and players, so at least three tests run in parallel, even on two cores. RUST_TEST_THREADS sets
# another number.
CORES = $(shell getconf _NPROCESSORS_ONLN)
test: export RUST_TEST_THREADS ?= $(shell [ $(CORES) -gt 3 ] && echo $(CORES) || echo 3)
test:
	@echo "make test takes 20 to 30 minutes on two cores, and longer for the first build. Shorter: make check"
	@.ci/prerequisites build test browser
	.ci/filtered-tests --locked $(ARGS)
	.ci/filtered-tests --locked --package crowdfold-engine --features seeded-bugs --test simulation -- \
		in_the_state_of_sessions

# Serve pages with players that report to a collector. make player COLLECTOR=http://127.0.0.1:8080
COLLECTOR ?= http://127.0.0.1:8080
TENANT ?= default
player:
	@.ci/prerequisites browser
	node tests/live/serve.js target/tmp/live $(COLLECTOR) $(TENANT)

# Attack published rows, and print the results. make attack SEED=7 SCENARIOS=500 ARGS="3 5"
SEED ?= 1
SCENARIOS ?= 2000
attack: export SEED := $(SEED)
attack: export SCENARIOS := $(SCENARIOS)
attack:
	@.ci/prerequisites build
	.ci/filtered-tests --locked --test it -- --nocapture invariant_6
	cargo run --locked --release --package crowdfold-attack --example attack -- $(ARGS)

# Run the long tests: a million schedules of the simulation, 200 random faults on a real broker, and a worker under
# steady load, whose memory must not grow. To run only a short test of the memory:
# make soak SCHEDULES=1 FAULTS=1 STEADY=300
SCHEDULES ?= 1000000
FAULTS ?= 200
STEADY ?= 1800
soak:
	@.ci/prerequisites build test
	CROWDFOLD_SCHEDULES=$(SCHEDULES) .ci/filtered-tests --locked --package crowdfold-engine --test simulation -- \
		--nocapture every_schedule
	CROWDFOLD_FAULTS=$(FAULTS) .ci/filtered-tests --locked --test it -- --nocapture faults
	CROWDFOLD_STEADY=$(STEADY) .ci/filtered-tests --locked --test it -- --nocapture worker::steady

# Run the benchmarks. make bench ARGS="--bench fold"
bench:
	@.ci/prerequisites build test
	cargo bench --locked $(ARGS)

# Count instructions and allocations per beacon, and compare the counts with benches/cost/instructions.txt.
# To replace that file with the new counts: make instructions ARGS=--write
instructions:
	@.ci/prerequisites build ci
	@.ci/instructions $(ARGS)

# Print the share of lines that the tests without a broker and a browser run, for each crate.
coverage:
	@.ci/prerequisites build ci
	@.ci/coverage $(ARGS)

# Fuzz each parser for ten minutes. make fuzz TARGETS="json envelope" EACH=60
fuzz:
	@.ci/prerequisites build ci
	@EACH=$(EACH) .ci/fuzz $(TARGETS)

# Test the two modules with unsafe code on a real Kafka under valgrind's memcheck.
MEMCHECK = "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", \
	"--errors-for-leak-kinds=definite", "--suppressions=$(CURDIR)/.ci/valgrind.supp"
memcheck:
	@.ci/prerequisites build test
	.ci/filtered-tests --locked --config 'target."cfg(all())".runner = [$(MEMCHECK)]' \
		--test it -- --test-threads=1 kafka_source kafka_damage kafka_read secured::listed ttl::ahead::only_records

# Check the rules for Prometheus and the queries of the dashboards, and run the tests of the rules.
rules:
	.ci/prometheus promtool check rules deploy/prometheus/*.yaml
	.ci/prometheus promtool test rules deploy/prometheus/tests/*.yaml
	@mkdir -p target/tools
	.ci/dashboard-queries >target/tools/queries.yaml
	.ci/prometheus promtool check rules target/tools/queries.yaml

# Check the Helm chart. The first run builds Helm with Go, which takes a few minutes. Strimzi's generator of its
# definitions needs Java 21 or newer.
charts:
	@.ci/prerequisites build test ci
	.ci/charts

# Build the image, write its SBOM to target/tools/image, and test the image on a real Kafka. BINARY names a program that
# the image contains instead of a new build: make image BINARY=target/release/crowdfold
image:
	@.ci/prerequisites build test ci image
	.ci/image $(BINARY)

# Run the recipes of docs/guides/reading-rollups.md on a real Kafka. The first run downloads about 400 MB.
readers:
	@.ci/prerequisites build test ci readers
	cargo build --locked --package crowdfold --package crowdfold-testkit --bins
	python3 -m venv target/tools/readers/venv
	target/tools/readers/venv/bin/pip install --quiet --disable-pip-version-check --requirement .ci/readers.txt
	target/tools/readers/venv/bin/python .ci/readers target/debug/crowdfold target/debug/test-broker target/tools/readers

# Check formatting, run clippy, and check that the API documentation builds without warnings.
lint:
	@.ci/prerequisites build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked

# Format the code.
fmt:
	cargo fmt --all

# Print the system packages that are missing, without installing them.
doctor:
	@.ci/prerequisites --say build test browser ci && echo "nothing is missing"
