# `make demo` and `make test` work from a fresh clone: they see to what they need first.

.PHONY: demo test attack player soak bench fuzz memcheck lint fmt doctor

# Watch it work: a broker, players and the worker in one process. make demo ARGS="--for 60s"
PROFILE ?= release
demo:
	@.ci/prerequisites build
	cargo run --profile $(PROFILE) --locked -p crowdfold -- demo $(ARGS)

# All tests; those that speak Kafka start a real one, and players play in a real browser. The last line builds with
# seeded bugs, which no other build may have, for the simulation to find. They wait, for brokers, clocks and
# players, more than they compute: three at a time, also where there are two cores. RUST_TEST_THREADS says otherwise.
CORES = $(shell getconf _NPROCESSORS_ONLN)
test: export RUST_TEST_THREADS ?= $(shell [ $(CORES) -gt 3 ] && echo $(CORES) || echo 3)
test:
	@.ci/prerequisites build test browser
	cargo test --locked $(ARGS)
	cargo test --locked --package crowdfold-pipeline --features seeded-bugs --test simulation -- replay_would_not_repeat

# Players to open in a browser of your own, which report to a collector: make player COLLECTOR=http://127.0.0.1:8080
COLLECTOR ?= http://127.0.0.1:8080
TENANT ?= default
player:
	@.ci/prerequisites browser
	node tests/live/serve.js target/tmp/live $(COLLECTOR) $(TENANT)

# The project attacks the rows that it publishes, and prints what it finds. make attack SEED=7 SCENARIOS=500 ARGS="3 5"
SEED ?= 1
SCENARIOS ?= 2000
attack: export SEED := $(SEED)
attack: export SCENARIOS := $(SCENARIOS)
attack:
	@.ci/prerequisites build
	cargo test --locked --test it -- --nocapture invariant_6
	cargo run --locked --release --package crowdfold-attack --example attack -- $(ARGS)

# The long form: a million schedules of the simulation, hundreds of random faults on a real broker, and a worker under a
# steady load, whose memory must not grow. A short form of the last: make soak SCHEDULES=1 FAULTS=1 STEADY=300
SCHEDULES ?= 1000000
FAULTS ?= 200
STEADY ?= 1800
soak:
	@.ci/prerequisites build test
	CROWDFOLD_SCHEDULES=$(SCHEDULES) cargo test --locked --package crowdfold-pipeline --test simulation -- --nocapture every_schedule
	CROWDFOLD_FAULTS=$(FAULTS) cargo test --locked --test it faults -- --nocapture
	CROWDFOLD_STEADY=$(STEADY) cargo test --locked --test it worker::steady -- --nocapture

bench:
	@.ci/prerequisites build test
	cargo bench --locked $(ARGS)

# Ten minutes of fuzzing for each parser. make fuzz TARGETS="json envelope" EACH=60
fuzz:
	@.ci/prerequisites build ci
	@EACH=$(EACH) .ci/fuzz $(TARGETS)

# The two modules with unsafe code, on a real Kafka under valgrind's memcheck.
MEMCHECK = "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite", \
	"--errors-for-leak-kinds=definite", "--suppressions=$(CURDIR)/.ci/valgrind.supp"
memcheck:
	@.ci/prerequisites build test
	cargo test --locked --config 'target."cfg(all())".runner = [$(MEMCHECK)]' \
		--test it -- --test-threads=1 kafka_source kafka_damage kafka_read secured::listed ttl::ahead::records_within

lint:
	@.ci/prerequisites build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings

fmt:
	cargo fmt --all

# What is missing on this machine, if anything; installs nothing.
doctor:
	@.ci/prerequisites --say build test browser ci && echo "everything is there"
