//! The settings: one struct per section of `deploy/default.toml`, which documents each key.

mod admission;
mod collect;
mod kafka;
mod principals;
mod quality;
mod release;
mod source;
mod tenants;
mod topics;
mod windows;

use serde::Deserialize;

pub use admission::{Address, AddressPolicy, Audit, ChildDirected, Consent, Content, ContentPolicy};
pub use collect::{Acknowledge, Collect, Tls};
pub use kafka::{Kafka, Properties, Property};
pub use principals::Principals;
pub use quality::{Quality, TenantQuality};
pub use release::{DetailTable, Privacy, Release, ReleasePolicy, TenantRelease};
pub use source::{Format, OnDamaged, Partitioner, Source};
pub use tenants::Tenants;
pub use topics::{Topics, Ttl};
pub use windows::{Merge, Metrics, Sessions, Windows};

pub(crate) use kafka::is_topic;

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[kafka]`.
    pub kafka: Kafka,
    /// `[principals]`.
    pub principals: Principals,
    /// `[source]`.
    pub source: Source,
    /// `[windows]`.
    pub windows: Windows,
    /// `[sessions]`.
    pub sessions: Sessions,
    /// `[tenants]`.
    pub tenants: Tenants,
    /// `[address]`.
    pub address: Address,
    /// `[consent]`.
    pub consent: Consent,
    /// `[content]`.
    pub content: Content,
    /// `[quality]`.
    pub quality: Quality,
    /// `[release]`.
    pub release: Release,
    /// `[merge]`.
    pub merge: Merge,
    /// `[ttl]`.
    pub ttl: Ttl,
    /// `[topics]`.
    pub topics: Topics,
    /// `[collect]`.
    pub collect: Collect,
    /// `[metrics]`.
    pub metrics: Metrics,
    /// `[audit]`.
    pub audit: Audit,
}
