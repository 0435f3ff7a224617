//! The sections `[address]`, `[consent]`, `[content]` and `[audit]`, which determine the beacons and the parts of
//! beacons that are kept.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::fields;

/// The section `[address]`: the use of IP addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// The part of an address that becomes a dimension value.
    pub policy: AddressPolicy,
    /// The path of an MMDB file with the countries of addresses.
    #[serde(deserialize_with = "fields::optional_path")]
    pub country_mmdb: Option<PathBuf>,
    /// The path of an MMDB file with the autonomous systems of addresses.
    #[serde(deserialize_with = "fields::optional_path")]
    pub asn_mmdb: Option<PathBuf>,
}

/// The part of an address that becomes a dimension value, besides country and network operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressPolicy {
    /// No part of the address.
    #[default]
    Strip,
    /// The network of the address (IPv4 /24 or IPv6 /32), as the dimension `network`.
    Truncate,
}

/// The section `[consent]`: opt-outs, bots and content for children.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consent {
    /// True if the request header `Sec-GPC: 1` opts a session out.
    pub gpc: bool,
    /// True if the request header `DNT: 1` opts a session out.
    pub dnt: bool,
    /// True if beacons of bots are excluded.
    pub drop_bots: bool,
    /// The section `[consent.child_directed]`: tenants and content for children, which are excluded.
    pub child_directed: ChildDirected,
}

impl Default for Consent {
    fn default() -> Self {
        Self { gpc: true, dnt: true, drop_bots: false, child_directed: ChildDirected::default() }
    }
}

/// The section `[consent.child_directed]`: tenants and content for children, which are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChildDirected {
    /// The tenants whose beacons are excluded.
    #[serde(deserialize_with = "fields::words")]
    pub tenants: Vec<String>,
    /// The content ids whose beacons are excluded.
    #[serde(deserialize_with = "fields::words")]
    pub content: Vec<String>,
}

/// The section `[content]`: the use of content ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// The regular expression that public content ids match.
    #[serde(deserialize_with = "fields::optional_text")]
    pub pattern: Option<String>,
    /// The use of content ids.
    pub policy: ContentPolicy,
    /// True to permit the dimension `content` in one breakdown with `region`, `asn`, `network` or a custom dimension of
    /// the family `place`.
    pub allow_below_place: bool,
}

/// The use of content ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentPolicy {
    /// Content ids are a dimension.
    #[default]
    Keep,
    /// Content ids are dropped in the airlock.
    Drop,
}

/// The section `[audit]`. Its implementation of `Debug` shows no values, because they may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Values that must never occur in published records.
    #[serde(deserialize_with = "fields::words")]
    pub known: Vec<String>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audit {{ known: {} values }}", self.known.len())
    }
}
