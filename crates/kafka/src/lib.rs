//! The Kafka clients: [`Writer`] for the collector's beacons, [`Source`] for reading beacons and partials, [`Sink`] for
//! transactional output, [`TopicReader`] for reading rollups, and [`topics`] for topics and their time-to-live.
//!
//! Architecture invariant: two modules have unsafe code. `batch` reads a partition's queue without a lock and an
//! allocation per record (measured: half the cost of librdkafka's poll); `admin_calls` requests ACLs and the largest
//! timestamp of a partition, for which rust-rdkafka has no call.
#![deny(unsafe_code)]

pub mod acl;
mod admin_calls;
mod batch;
mod client;
mod cluster;
mod error;
pub mod fault;
mod read;
mod sink;
mod source;
pub mod topics;
mod writer;

pub use batch::{Message, Record, Stamp};
pub use client::{ClientSettings, Principal};
pub use cluster::{Cluster, Partition, Topic};
pub use error::KafkaError;
pub use rdkafka::consumer::ConsumerGroupMetadata;
pub use rdkafka::error::RDKafkaErrorCode;
pub use read::{TopicReader, read};
pub use sink::{HURRY, Offset, Outgoing, RollupTopics, Sink, SinkSettings, SinkTopics, TransactError};
pub use source::{
    Assigned, AssignedPartition, Committed, Event, OnDamaged, Read, Skipped, Source, SourceError,
    SourceSettings,
};
pub use writer::{Receipt, Writer, WriterSettings, Written};
