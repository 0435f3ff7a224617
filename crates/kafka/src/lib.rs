//! Kafka clients: the writer of beacons ([`Writer`]), the source of records ([`Source`]), the transactional sink
//! ([`Sink`]), and the administration of topics and their time-to-live ([`topics`]). No other crate uses Kafka.
//!
//! The maximum time for which a record can be read is a sum of settings of the topic and its brokers:
//!
//! ```
//! use crowdfold_kafka::topics::Times;
//! use crowdfold_model::Span;
//!
//! let times = Times {
//!     retention: Span::MINUTE * 44,
//!     segment: Span::MINUTE * 11,
//!     check: Span::MINUTE * 5,
//!     delete_delay: Span::MINUTE,
//!     ahead: Span::ZERO,
//! };
//! assert_eq!(times.bounds().readable, Span::HOUR);
//! assert_eq!(times.bounds().on_disk, Span::MINUTE * 61);
//! assert_eq!(times.to_string(), "retention 44m + segment 11m + check 5m");
//! ```
//!
//! **Architecture invariant.** Two modules have unsafe code. `batch` reads many records from the queue of a partition
//! in one call. librdkafka's poll needs a lock and an allocation for each record; avoiding them halves the cost of
//! reading. `admin_calls` sends requests that rust-rdkafka does not support: the ACLs of a topic, and the largest
//! timestamp of a partition.
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
    Assigned, AssignedPartition, Committed, Event, OnDamaged, PartitionReader, Read, ReadBuffer, Skipped,
    Source, SourceError, SourceSettings,
};
pub use writer::{Receipt, Writer, WriterSettings, Written};
