//! The rules of an audit: the minimums for rows, and the strings that do not count as identifiers.

use std::collections::{BTreeMap, HashSet};

use crowdfold_model::{CustomDimensions, Dimension, Span};
use crowdfold_scan::{Hit, Identifier, PublicIds, Scanner};

use crate::entry::Kind;

/// The rules against which an audit checks records.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The minimums for rows. Each row must also meet the minimums of the policy in the row. `None` if only that policy
    /// applies.
    pub least: Option<Least>,
    /// True if the k in a row's policy may be below 10.
    pub allow_small_k: bool,
    /// Names of tenants and topics, which are not scanned for identifiers.
    pub names: HashSet<String>,
    /// Values that must not occur in any record, in any encoding.
    pub known: Vec<String>,
    /// Exceptions: each is a field (a dimension, or `tenant`) and a kind of identifier that this field may contain. For
    /// example, content ids may be UUIDs.
    pub allowed: Vec<(String, Identifier)>,
    /// The pattern of content ids that the operator declares public.
    pub public_content: Option<PublicIds>,
    /// The custom dimensions of each tenant.
    pub custom: CustomDimensions,
    /// The idle time-out of sessions, or `None` if it is unknown. If it is unknown, durations
    /// have no maximum.
    pub idle_timeout: Option<Span>,
    /// For each kind and topic, the maximum number of findings that are reported with their location.
    pub limit: usize,
}

/// The minimums for the rows of each tenant.
#[derive(Clone, Debug)]
pub struct Least {
    /// The name of the policy to which the minimums apply. A row with another policy is checked only against the policy
    /// in the row.
    pub policy: &'static str,
    /// The minimums for tenants that are not in `own`.
    pub common: Bounds,
    /// The minimums for tenants that have their own settings, by name of the tenant.
    pub own: BTreeMap<String, Bounds>,
}

/// The minimums for rows of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The minimum number of sessions of a row: k, or τ + k − 1 under `differential-privacy`.
    pub sessions: u64,
    /// The minimum of the parameter `margin` under the policy `threshold`.
    pub margin: u64,
    /// The minimum of the parameter `noise` under the policy `threshold`.
    pub noise: u64,
    /// True if the detail table of the tenant is known, and `detail` contains it.
    pub knows_detail: bool,
    /// The name of the detail table's breakdown, such as `cdn.connection`. `None` if the tenant has no detail table.
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
            custom: CustomDimensions::default(),
            idle_timeout: None,
            limit: 20,
        }
    }
}

impl Rules {
    /// Returns the identifiers in a string, except those that the rules allow in a field with this name.
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

    /// Returns the dimension with this name, for a tenant.
    pub(crate) fn dimension(&self, tenant: &str, name: &str) -> Option<Dimension> {
        self.custom.named(tenant, name)
    }

    /// Returns true if a string is a content id that the operator declares public.
    pub(crate) fn is_public_content(&self, field: &str, text: &str) -> bool {
        field == Dimension::Content.name()
            && self.public_content.as_ref().is_some_and(|ids| ids.contain(text))
    }
}

/// The numbers of private autonomous systems (RFC 6996). They have the form of IPv4 addresses that are written as one
/// number, but they are not addresses.
const PRIVATE_ASN: std::ops::RangeInclusive<u32> = 4_200_000_000..=4_294_967_294;

/// Returns true if a string looks like an identifier but is allowed: a masked network, or the number of a private
/// autonomous system.
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

/// Returns true if a string is a network without host bits, such as `203.0.113.0/24` or `2001:db8::/32`.
fn is_masked(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    match length {
        "24" => address.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.to_bits() & 0xff == 0),
        "32" => address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_bits() << 32 == 0),
        _ => false,
    }
}
