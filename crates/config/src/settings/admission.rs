//! `[address]`, `[consent]`, `[content]` and `[audit]`: the parts of a beacon that are kept.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::fields;

/// `[address]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// The part of an address that is kept.
    pub policy: AddressPolicy,
    /// MMDB file with countries.
    #[serde(deserialize_with = "fields::optional_path")]
    pub country_mmdb: Option<PathBuf>,
    /// MMDB file with autonomous systems.
    #[serde(deserialize_with = "fields::optional_path")]
    pub asn_mmdb: Option<PathBuf>,
}

/// The part of an address that is kept once country and network operator have been looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressPolicy {
    /// Nothing.
    #[default]
    Strip,
    /// IPv4 /24 or IPv6 /32, as the dimension `network`.
    Truncate,
}

/// `[consent]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consent {
    /// `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// `DNT: 1` opts out.
    pub dnt: bool,
    /// Beacons of bots are dropped.
    pub drop_bots: bool,
    /// `[consent.child_directed]`.
    pub child_directed: ChildDirected,
}

impl Default for Consent {
    fn default() -> Self {
        Self { gpc: true, dnt: true, drop_bots: false, child_directed: ChildDirected::default() }
    }
}

/// `[consent.child_directed]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChildDirected {
    /// Tenants whose beacons are dropped.
    #[serde(deserialize_with = "fields::words")]
    pub tenants: Vec<String>,
    /// Content ids whose beacons are dropped.
    #[serde(deserialize_with = "fields::words")]
    pub content: Vec<String>,
}

/// `[content]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Content {
    /// Regular expression of public ids.
    #[serde(deserialize_with = "fields::optional_text")]
    pub pattern: Option<String>,
    /// Use of content ids.
    pub policy: ContentPolicy,
    /// `content` may share a breakdown with region, asn or network.
    pub allow_below_place: bool,
}

/// Use of content ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentPolicy {
    /// Content ids are a dimension.
    #[default]
    Keep,
    /// Content ids do not pass the airlock.
    Drop,
}

/// `[audit]`. Its `Debug` shows no value.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Values that must never be published.
    #[serde(deserialize_with = "fields::words")]
    pub known: Vec<String>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audit {{ known: {} values }}", self.known.len())
    }
}
