//! The settings of the airlock.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crowdfold_beacon::{Fields, LogFields};
use crowdfold_scan::PublicIds;

use crowdfold_model::{Partitioner, Span};

/// The form of records without a `content-type` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object, an array of them, or NDJSON.
    Json,
    /// CMCD event-mode lines, or a query.
    Cmcd,
    /// Captured HTTP requests or lines of a CDN log, one JSON object each.
    Capture,
}

/// The part of an address that is kept after the lookup of country and ASN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// No part.
    Strip,
    /// IPv4 /24 or IPv6 /32, as the dimension `network`.
    Truncate,
}

/// The settings of the airlock. The caller checks them when it reads the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The form of records without a `content-type`.
    pub format: Format,
    /// The names of fields in the beacons of other producers, from our name to a path of object keys
    /// (`[source.fields]`).
    pub fields: BTreeMap<String, Vec<String>>,
    /// The locations of values in the lines of a CDN log, from our name to a path of object keys (`[source.log]`).
    pub log: BTreeMap<String, Vec<String>>,
    /// The closed catalogue of tenants.
    pub tenants: Vec<String>,
    /// The tenant of beacons that do not contain one, as an index into `tenants`.
    pub default_tenant: usize,
    /// The method by which producers select partitions.
    pub partitioner: Partitioner,
    /// The maximum time by which a beacon may be ahead of its record.
    pub max_skew: Span,
    /// The part of an address that is kept.
    pub address: AddressPolicy,
    /// The MMDB file with countries.
    pub country_mmdb: Option<PathBuf>,
    /// The MMDB file with autonomous systems.
    pub asn_mmdb: Option<PathBuf>,
    /// True if `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// True if `DNT: 1` opts out.
    pub dnt: bool,
    /// Tenants whose beacons are all excluded.
    pub child_directed_tenants: Vec<String>,
    /// Contents whose beacons are all excluded.
    pub child_directed_content: Vec<String>,
    /// True if bots are excluded.
    pub drop_bots: bool,
    /// Values that free text must not contain (`audit.known`).
    pub known: Vec<String>,
    /// True if the content id is kept as a dimension.
    pub keep_content: bool,
    /// Content ids that the operator declares public (`content.pattern`).
    pub public_content: Option<PublicIds>,
    /// The key of the 64 bits by network, if `release.min_networks` is set.
    pub guard_key: Option<[u8; 32]>,
    /// The maximum length of a record in bytes. A longer one is `too_large`.
    pub max_record: usize,
    /// The maximum number of beacons of one record, or of one request in a packed record. All others count as one
    /// beacon that is `too_large`.
    pub max_beacons: usize,
}

impl Settings {
    /// Returns the names of the fields of a JSON beacon.
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        Fields::names()
    }

    /// Returns the valid names in `log`.
    pub fn log_names() -> impl Iterator<Item = String> {
        LogFields::names()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: Format::Json,
            fields: BTreeMap::new(),
            log: BTreeMap::new(),
            tenants: vec!["default".into()],
            default_tenant: 0,
            partitioner: Partitioner::Murmur2,
            max_skew: Span::MINUTE,
            address: AddressPolicy::Strip,
            country_mmdb: None,
            asn_mmdb: None,
            gpc: true,
            dnt: true,
            child_directed_tenants: Vec::new(),
            child_directed_content: Vec::new(),
            drop_bots: false,
            known: Vec::new(),
            keep_content: true,
            public_content: None,
            guard_key: None,
            max_record: 1 << 20,
            max_beacons: 10_000,
        }
    }
}
