//! Integration tests.
mod fold;
mod generate;
mod kafka_broker;
mod kafka_read;
mod kafka_sink;
mod kafka_source;
mod kafka_support;
mod kafka_topics;
mod oracle;
mod privacy;
mod walls;
mod worker;
