//! The settings with which an airlock is created.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crowdfold_beacon::{Fields, LogFields};
use crowdfold_scan::PublicIds;

use crowdfold_model::{CustomDimensions, CustomSource, Partitioner, Span};

/// The form of records that have no header `content-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON beacons: an object, an array of objects, or NDJSON.
    Json,
    /// CMCD: lines of event mode, or the query of a request.
    Cmcd,
    /// Captured HTTP requests or lines of a CDN log, one JSON object each.
    Capture,
}

/// The part of an IP address that is kept after country, region and autonomous system are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// No part of the address is kept.
    Strip,
    /// The network is kept as the dimension `network`: the first 24 bits of an IPv4 address, or the
    /// first 32 bits of an IPv6 address.
    Truncate,
}

/// The settings with which an airlock is created. The configuration has already verified their values.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The form of records that have no header `content-type`.
    pub format: Format,
    /// The keys under which producers send fields. Each entry maps crowdfold's name of a field to a path of object keys
    pub fields: BTreeMap<String, Vec<String>>,
    /// The keys under which a CDN log contains values. Each entry maps crowdfold's name of a value to a path of object
    /// keys.
    pub log: BTreeMap<String, Vec<String>>,
    /// The locations of the values of custom dimensions. Each entry is a source, and custom dimensions refer to it by
    /// its index.
    pub custom_sources: Vec<CustomSource>,
    /// The custom dimensions of each tenant.
    pub custom: CustomDimensions,
    /// The names of all tenants. A beacon with another tenant is rejected.
    pub tenants: Vec<String>,
    /// The tenant of beacons that do not name one, as an index into `tenants`.
    pub default_tenant: usize,
    /// The method by which producers select partitions.
    pub partitioner: Partitioner,
    /// The maximum time by which a beacon's own time may be later than the timestamp of its record.
    pub max_skew: Span,
    /// The part of an IP address that is kept.
    pub address: AddressPolicy,
    /// The MMDB file with countries and regions, or `None` if they are not looked up.
    pub country_mmdb: Option<PathBuf>,
    /// The MMDB file with autonomous systems, or `None` if they are not looked up.
    pub asn_mmdb: Option<PathBuf>,
    /// True if the header `Sec-GPC: 1` opts a session out.
    pub gpc: bool,
    /// True if the header `DNT: 1` opts a session out.
    pub dnt: bool,
    /// The tenants whose beacons are all excluded.
    pub child_directed_tenants: Vec<String>,
    /// The content ids whose beacons are all excluded.
    pub child_directed_content: Vec<String>,
    /// True if bots are excluded.
    pub drop_bots: bool,
    /// Values that must not occur in published text, such as names of test viewers. A text that contains such a
    /// value is redacted.
    pub known: Vec<String>,
    /// True if the content id is kept as a dimension.
    pub keep_content: bool,
    /// Content ids that the operator declares public.
    pub public_content: Option<PublicIds>,
    /// The key that determines which of 64 bits a network has, or `None` if networks are not counted.
    pub guard_key: Option<[u8; 32]>,
    /// The maximum length of a record in bytes. A longer record is rejected as `too_large`.
    pub max_record: usize,
    /// The maximum number of beacons in one record, or in one request of a packed record. The beacons beyond this
    /// number count as one beacon, which is rejected as `too_large`.
    pub max_beacons: usize,
}

impl Settings {
    /// Returns the names that `fields` may contain.
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        Fields::names()
    }

    /// Returns the names that `log` may contain.
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
            custom_sources: Vec::new(),
            custom: CustomDimensions::default(),
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
