//! What the airlock is told by the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crowdfold_beacon::{Fields, LogFields};
use crowdfold_scan::PublicIds;

use crowdfold_model::{Millis, Partitioner};

/// How the records of a topic are written, where no `content-type` header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object, an array of them, or NDJSON.
    Json,
    /// CMCD event-mode lines, or a query.
    Cmcd,
    /// Captures of HTTP requests or lines of a CDN's log, one JSON object each.
    Capture,
}

/// What is kept of an address once country and ASN have been looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Nothing.
    Strip,
    /// IPv4 /24 or IPv6 /32, as the dimension `network`.
    Truncate,
}

/// What the airlock is told by the configuration. Checked by whoever reads the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Form of records without a `content-type`.
    pub format: Format,
    /// Other producers' names: ours to the path of object keys in theirs (`[source.fields]`).
    pub fields: BTreeMap<String, Vec<String>>,
    /// Where a CDN's log keeps what is read of it: ours to the path of object keys in theirs (`[source.log]`).
    pub log: BTreeMap<String, Vec<String>>,
    /// The closed catalogue of tenants.
    pub tenants: Vec<String>,
    /// The tenant of beacons that name none: an index into `tenants`.
    pub default_tenant: usize,
    /// How producers choose partitions.
    pub partitioner: Partitioner,
    /// How far a beacon's time may be ahead of its record's timestamp, ms.
    pub max_skew: Millis,
    /// What is kept of an address.
    pub address: AddressPolicy,
    /// MMDB with countries.
    pub country_mmdb: Option<PathBuf>,
    /// MMDB with autonomous systems.
    pub asn_mmdb: Option<PathBuf>,
    /// `Sec-GPC: 1` opts out.
    pub gpc: bool,
    /// `DNT: 1` opts out.
    pub dnt: bool,
    /// Tenants dropped whole.
    pub child_directed_tenants: Vec<String>,
    /// Contents dropped whole.
    pub child_directed_content: Vec<String>,
    /// Bots are dropped.
    pub drop_bots: bool,
    /// Values that no free text may contain (`audit.known`).
    pub known: Vec<String>,
    /// Whether the content id is kept as a dimension.
    pub keep_content: bool,
    /// Content ids that the operator declares public (`content.pattern`).
    pub public_content: Option<PublicIds>,
    /// Key of the 64 bits by network, where `release.min_networks` is on.
    pub guard_key: Option<[u8; 32]>,
    /// Longest record, bytes; a longer one is `too_large`.
    pub max_record: usize,
    /// Most beacons of one record, or of one request where requests are packed; what follows is one that is `too_large`.
    pub max_beacons: usize,
}

impl Settings {
    /// Returns the names of the fields of a JSON beacon.
    pub fn field_names() -> impl Iterator<Item = &'static str> {
        Fields::names()
    }

    /// The names that `log` may have.
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
            max_skew: 60_000,
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
