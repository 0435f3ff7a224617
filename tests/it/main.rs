//! Integration tests.
mod kafka_broker;
mod walls;
mod kafka_sink;
mod kafka_source;
mod kafka_support;
mod kafka_topics;
