//! Integration tests.
mod kafka_broker;
