//! The settings, with one struct for each section of `deploy/default.toml`. That file documents each key.

mod admission;
mod collect;
mod console;
mod dimensions;
mod kafka;
mod principals;
mod quality;
mod release;
mod source;
mod tenants;
mod topics;
mod windows;
mod worker;

use serde::Deserialize;

pub use admission::{Address, AddressPolicy, Audit, ChildDirected, Consent, Content, ContentPolicy};
pub use collect::{Acknowledge, Collect, Tls};
pub use console::{Console, ConsoleToken};
pub use dimensions::{CustomDimension, Dimensions};
pub use kafka::{Kafka, Properties, Property};
pub use principals::Principals;
pub use quality::{Quality, TenantQuality};
pub use release::{DetailTable, Privacy, Release, ReleasePolicy, TenantRelease};
pub use source::{Format, OnDamaged, Partitioner, Source};
pub use tenants::Tenants;
pub use topics::{Topics, Ttl};
pub use windows::{Merge, Metrics, Sessions, Windows};
pub use worker::Worker;

pub(crate) use kafka::is_topic;

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The section `[kafka]`: the Kafka cluster and its clients.
    pub kafka: Kafka,
    /// The section `[principals]`: the principals of the roles.
    pub principals: Principals,
    /// The section `[source]`: the topic of beacons and its records.
    pub source: Source,
    /// The section `[worker]`: the threads of the worker.
    pub worker: Worker,
    /// The section `[windows]`: the windows of event time.
    pub windows: Windows,
    /// The section `[sessions]`: time-out and number of sessions.
    pub sessions: Sessions,
    /// The section `[tenants]`: the tenants and their attributes.
    pub tenants: Tenants,
    /// The section `[address]`: the use of IP addresses.
    pub address: Address,
    /// The section `[consent]`: opt-outs, bots and content for children.
    pub consent: Consent,
    /// The section `[content]`: the use of content ids.
    pub content: Content,
    /// The section `[dimensions]`: the custom dimensions.
    pub dimensions: Dimensions,
    /// The section `[quality]`: the thresholds of a good session.
    pub quality: Quality,
    /// The section `[release]`: the conditions for publishing rows.
    pub release: Release,
    /// The section `[merge]`: the time-out of the merger.
    pub merge: Merge,
    /// The section `[ttl]`: the time-to-live of the topics.
    pub ttl: Ttl,
    /// The section `[topics]`: partitions and replicas of the topics.
    pub topics: Topics,
    /// The section `[collect]`: the collector.
    pub collect: Collect,
    /// The section `[console]`: the server of the page, the API and the gauges.
    pub console: Console,
    /// The section `[metrics]`: the server of metrics and health checks.
    pub metrics: Metrics,
    /// The section `[audit]`: the values for which audits search.
    pub audit: Audit,
}
