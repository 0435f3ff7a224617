//! The rules of an audit: minimums for rows, and texts that do not count as identifiers.

use std::collections::{BTreeMap, HashSet};

use crowdfold_model::Dimension;
use crowdfold_scan::{Hit, Identifier, PublicIds, Scanner};

use crate::entry::Kind;

/// The rules that an audit checks records against.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The minimum number of sessions of a row, in addition to its own policy.
    pub least: Option<Least>,
    /// True if a row's own k may be below 10.
    pub allow_small_k: bool,
    /// Names that are not scanned for identifiers: tenants, topics.
    pub names: HashSet<String>,
    /// Values to be found in every encoding (`audit.known`).
    pub known: Vec<String>,
    /// Fields (a dimension, or `tenant`) in which one kind of identifier is allowed, because content ids may be UUIDs.
    pub allowed: Vec<(String, Identifier)>,
    /// Content ids that the operator declares public (`content.pattern`).
    pub public_content: Option<PublicIds>,
    /// The maximum number of locations that are reported for each finding and topic.
    pub limit: usize,
}

/// The minimums for rows, tenant by tenant.
#[derive(Clone, Debug)]
pub struct Least {
    /// The policy's name. Rows under another policy are checked against their own values.
    pub policy: &'static str,
    /// For tenants without their own policy.
    pub common: Bounds,
    /// For other tenants, by name.
    pub own: BTreeMap<String, Bounds>,
}

/// The minimums for rows of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The minimum number of sessions: k, or τ + k − 1 under `differential-privacy`.
    pub sessions: u64,
    /// The minimum margin, under `threshold`.
    pub margin: u64,
    /// The minimum noise, under `threshold`.
    pub noise: u64,
    /// True if `detail` identifies the detail table.
    pub knows_detail: bool,
    /// The name of the detail table's breakdown, `cdn.connection`; absent if there is none.
    pub detail: Option<String>,
}

impl Least {
    pub(crate) fn kind(&self) -> Kind {
        if self.policy == "threshold" { Kind::Threshold } else { Kind::DifferentialPrivacy }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            least: None,
            allow_small_k: false,
            names: HashSet::new(),
            known: Vec::new(),
            allowed: Vec::new(),
            public_content: None,
            limit: 20,
        }
    }
}

impl Rules {
    /// Returns the identifiers found in a text in a field with this name.
    pub(crate) fn scan(&self, scanner: &mut Scanner, text: &str, field: &str) -> Vec<Hit> {
        if self.names.contains(text) || is_public(field, text) {
            return Vec::new();
        }
        let mut hits = scanner.scan(text);
        let is_public = self.is_public_content(field, text);
        let is_allowed = |kind| self.allowed.iter().any(|(name, allowed)| name == field && *allowed == kind);
        hits.retain(|(kind, _)| !(is_allowed(*kind) || is_public && kind.may_be_public()));
        hits
    }

    /// Returns true if a text is a content id that the operator declares public.
    pub(crate) fn is_public_content(&self, field: &str, text: &str) -> bool {
        field == Dimension::Content.name()
            && self.public_content.as_ref().is_some_and(|ids| ids.contain(text))
    }
}

/// The numbers of private autonomous systems (RFC 6996). They have more digits than others, but are not addresses.
const PRIVATE_ASN: std::ops::RangeInclusive<u32> = 4_200_000_000..=4_294_967_294;

/// Returns true if a text is allowed although it looks like an identifier: a masked network, or a private autonomous
/// system.
fn is_public(field: &str, text: &str) -> bool {
    match field {
        "asn" => text
            .strip_prefix("AS")
            .and_then(|number| number.parse().ok())
            .is_some_and(|number| PRIVATE_ASN.contains(&number)),
        "network" => is_masked(text),
        _ => false,
    }
}

/// Recognises `203.0.113.0/24` and `2001:db8::/32`, without host bits.
fn is_masked(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    match length {
        "24" => address.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.to_bits() & 0xff == 0),
        "32" => address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_bits() << 32 == 0),
        _ => false,
    }
}
