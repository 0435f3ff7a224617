//! Tests of several crates together. Most of them run the program as a process, with a real Kafka.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test prints the location of a failure and its seed"
)]
mod alerts;
mod audit;
mod cdn;
mod collect;
mod console;
mod encoder;
mod faults;
mod fold;
mod generate;
mod invariants;
mod kafka_broker;
mod kafka_compression;
mod kafka_damage;
mod kafka_read;
mod kafka_sink;
mod kafka_source;
mod kafka_support;
mod kafka_topics;
mod layers;
mod live;
mod oracle;
mod secured;
mod ttl;
mod worker;
