//! Integration tests.
mod kafka_broker;
mod walls;
