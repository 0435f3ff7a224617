//! Auditing what is on the broker: records in, findings out. Trusts nothing of what it reads, not even that it is ours.
//!
//! [`Auditor`] takes record after record, with keys and headers, in the order of their partitions. It holds no row: of
//! each table its key, of each tenant's window a few totals.
//!
//! ```
//! use crowdfold_console::audit::{Auditor, Contents, Record, Rules};
//!
//! let mut auditor = Auditor::new(Rules::default());
//! let topic = auditor.topic("somebody.rollups", Contents::Rollups, &[]);
//! let value = br#"{"user":"jane@mail.example"}"#;
//! auditor.record(topic, &Record { partition: 0, offset: 7, value: Some(value), ..Record::default() });
//! let audit = auditor.finish();
//! let found: Vec<_> = audit.found.iter().map(|found| (found.what.name(), found.field.as_deref())).collect();
//! assert_eq!(found, [("unknown-schema", Some("/schema")), ("identifier", Some("/user"))]);
//! ```

mod entry;
mod finding;
mod json;
mod missing;
mod numbers;
mod path;
mod rows;
mod shape;
mod tables;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::{BTreeMap, HashSet};

pub use finding::{Found, Place, What};
pub use crowdfold_scan::{Identifier, Writing};
pub use shape::Contents;

use crowdfold_scan::{Hit, Scanner};
use entry::{Entry, Kind};
use json::Node;
use shape::Walk;
use tables::Tables;

/// What an audit holds records to.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The least number of sessions of a row, besides what its own policy says.
    pub least: Option<Least>,
    /// Whether a row's own k may be below 10.
    pub allow_small_k: bool,
    /// Names that are not scanned for identifiers: tenants, topics.
    pub names: HashSet<String>,
    /// Values to be found, in every encoding (`audit.known`).
    pub known: Vec<String>,
    /// Fields (a dimension, or `tenant`) in which one kind of identifier is none: content ids may be UUIDs.
    pub allowed: Vec<(String, Identifier)>,
    /// How many places are told of each finding and topic.
    pub limit: usize,
}

/// The least that rows must keep, tenant by tenant.
#[derive(Clone, Debug)]
pub struct Least {
    /// The policy's name. Rows under another are held to what they state themselves.
    pub policy: &'static str,
    /// For tenants that have no policy of their own.
    pub common: Bounds,
    /// For the others, by name.
    pub own: BTreeMap<String, Bounds>,
}

/// What rows of a tenant must keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least number of sessions: k, and τ + k − 1 under `differential-privacy`.
    pub sessions: u64,
    /// The least margin, under `threshold`.
    pub margin: u64,
    /// The least noise, under `threshold`.
    pub noise: u64,
    /// Whether `detail` states which table is the detail table.
    pub knows_detail: bool,
    /// The name of the detail table's drill-down, `cdn.connection`; absent where there is none.
    pub detail: Option<String>,
}

impl Least {
    fn kind(&self) -> Kind {
        if self.policy == "threshold" { Kind::Threshold } else { Kind::DifferentialPrivacy }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { least: None, allow_small_k: false, names: HashSet::new(), known: Vec::new(), allowed: Vec::new(), limit: 20 }
    }
}

/// One record.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// Its partition.
    pub partition: u32,
    /// Its place in it.
    pub offset: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// Names and values of its headers.
    pub headers: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

/// What was found in all records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// What was found, by topic, partition and offset.
    pub found: Vec<Found>,
    /// How many more there are of what was found too often, by finding and topic.
    pub more: Vec<(&'static str, String, u64)>,
    /// What was read, topic by topic.
    pub topics: Vec<Looked>,
    /// Whether there were more tables than can be held, so that some were not compared.
    pub is_partial: bool,
}

/// How much was looked at in one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its name.
    pub topic: String,
    /// What it should hold.
    pub contents: Contents,
    /// Records.
    pub records: u64,
    /// Whole tables.
    pub tables: u64,
}

/// Where a record lies, in few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    topic: usize,
    partition: u32,
    offset: i64,
}

/// What was found so far: the first of each kind, and how many more.
struct Finds {
    limit: usize,
    names: Vec<String>,
    /// The record that is looked at.
    here: Spot,
    found: Vec<(Spot, Found)>,
    told: BTreeMap<(&'static str, usize), u64>,
}

impl Finds {
    /// In the record that is looked at.
    fn push(&mut self, what: What, field: String) {
        self.at(what, self.here, Some(field), None);
    }

    /// In a table, and in another.
    fn pair(&mut self, what: What, spot: Spot, other: Spot) {
        self.at(what, spot, None, Some(other));
    }

    /// Tables that differ in a field.
    fn differ(&mut self, field: &str, spot: Spot, other: Spot) {
        self.at(What::Totals, spot, Some(field.into()), Some(other));
    }

    fn at(&mut self, what: What, spot: Spot, field: Option<String>, other: Option<Spot>) {
        let told = self.told.entry((what.name(), spot.topic)).or_default();
        *told += 1;
        if *told > self.limit as u64 {
            return;
        }
        let place = |spot: Spot| Place {
            topic: self.names[spot.topic].clone(),
            partition: spot.partition,
            offset: spot.offset,
        };
        let found = Found { what, place: place(spot), field, other: other.map(place) };
        self.found.push((spot, found));
    }
}

/// Takes in records.
pub struct Auditor {
    rules: Rules,
    scanner: Scanner,
    /// Room for a row's key.
    key: String,
    finds: Finds,
    tables: Tables,
    topics: Vec<Looked>,
    /// Partitions whose first records are not read, until the first that is.
    cut: HashSet<(usize, u32)>,
}

impl Auditor {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let here = Spot { topic: 0, partition: 0, offset: 0 };
        let finds =
            Finds { limit: rules.limit, names: Vec::new(), here, found: Vec::new(), told: BTreeMap::new() };
        Self {
            scanner: Scanner::new(&rules.known),
            rules,
            key: String::new(),
            finds,
            tables: Tables::default(),
            topics: Vec::new(),
            cut: HashSet::new(),
        }
    }

    /// Begins a topic: what it should hold, and the partitions of which the first records are not read (they are gone,
    /// or older than what is asked for), so that a table there may lack its first rows. Returns its number.
    pub fn topic(&mut self, name: &str, contents: Contents, cut: &[u32]) -> usize {
        let topic = self.topics.len();
        self.topics.push(Looked { topic: name.into(), contents, records: 0, tables: 0 });
        self.finds.names.push(name.into());
        self.cut.extend(cut.iter().map(|partition| (topic, *partition)));
        cut.iter().for_each(|partition| self.tables.reach.cut(topic, *partition));
        topic
    }

    /// Takes in a record of the topic with that number.
    pub fn record(&mut self, topic: usize, record: &Record<'_>) {
        let Some(looked) = self.topics.get_mut(topic) else { return };
        looked.records += 1;
        let contents = looked.contents;
        let spot = Spot { topic, partition: record.partition, offset: record.offset };
        self.finds.here = spot;
        let beginning = self.cut.remove(&(topic, record.partition));
        for (number, (name, value)) in record.headers.iter().enumerate() {
            self.bytes(name, &format!("header {number} (its name)"));
            self.bytes(value.unwrap_or_default(), &format!("header {number}"));
        }
        let node = self.node(record.value);
        let row = node.as_ref().and_then(|node| self.value(contents, node));
        // a key that equals the row's was scanned with it
        let mut key = std::mem::take(&mut self.key);
        if let Some(row) = &row {
            row.write_key(&mut key);
        }
        match record.key {
            Some(bytes) if row.is_some() && key.as_bytes() == bytes => {}
            other => {
                self.bytes(without_time(other.unwrap_or_default()), "key");
                if row.is_some() {
                    self.finds.push(What::Key, "key".into());
                }
            }
        }
        self.key = key;
        if contents == Contents::Rejections {
            return;
        }
        match row {
            Some(row) if row.is_sound() => self.tables.row(&row, spot, beginning, &mut self.finds),
            _ => self.tables.interrupt(spot, &mut self.finds),
        }
    }

    /// Parses a value.
    fn node<'v>(&mut self, value: Option<&'v [u8]>) -> Option<Node<'v>> {
        let node = value.and_then(|value| serde_json::from_slice::<Node<'v>>(value).ok());
        if node.is_none() {
            self.finds.push(What::NotAnObject, "value".into());
            self.bytes(value.unwrap_or_default(), "value");
        }
        node
    }

    /// Checks a value, and returns the row that it is.
    fn value<'n>(&mut self, contents: Contents, node: &'n Node<'n>) -> Option<Entry<'n>> {
        let (scanner, rules) = (&mut self.scanner, &self.rules);
        let mut scan = |text: &str, name: &str| rules.scan(scanner, text, name);
        if !(Walk { scan: &mut scan, finds: &mut self.finds }).of(contents, node) {
            return None;
        }
        match contents {
            Contents::Rollups => {
                let row = Entry::of(node)?;
                rows::row(&row, &self.rules, &mut self.finds);
                Some(row)
            }
            Contents::Rejections => {
                rows::rejection(node, &mut self.finds);
                None
            }
        }
    }

    /// Looks at what should be text.
    fn bytes(&mut self, bytes: &[u8], field: &str) {
        for (kind, writing) in self.scanner.scan(&String::from_utf8_lossy(bytes)) {
            self.finds.push(What::Identifier(kind, writing), field.into());
        }
    }

    /// All records have been taken in.
    #[must_use]
    pub fn finish(mut self) -> Audit {
        self.tables.finish(&mut self.finds);
        let Finds { mut found, told, names, limit, .. } = self.finds;
        found.sort_by_key(|(spot, _)| (spot.topic, spot.partition, spot.offset));
        let more = told.into_iter().filter_map(|((what, topic), count)| {
            let more = count.checked_sub(limit as u64).filter(|more| *more > 0)?;
            Some((what, names[topic].clone(), more))
        });
        let more = more.collect();
        let mut topics = self.topics;
        for (number, topic) in topics.iter_mut().enumerate() {
            topic.tables = self.tables.counted(number);
        }
        Audit {
            found: found.into_iter().map(|(_, found)| found).collect(),
            more,
            topics,
            is_partial: self.tables.is_full(),
        }
    }
}

/// A key without the start of a window at its end.
fn without_time(key: &[u8]) -> &[u8] {
    let end = key.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let (before, after) = key.split_at(end);
    let time = std::str::from_utf8(after).ok().and_then(|text| text.strip_prefix('/')?.parse().ok());
    if time.is_some_and(|time| TIMES.contains(&time)) { before } else { key }
}

/// Times in ms, from 2000 to 2100: longer than an address is as a number.
const TIMES: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;

impl Rules {
    /// What is found in a text that stands in a field of that name.
    fn scan(&self, scanner: &mut Scanner, text: &str, field: &str) -> Vec<Hit> {
        if self.names.contains(text) || is_public(field, text) {
            return Vec::new();
        }
        let mut hits = scanner.scan(text);
        hits.retain(|(kind, _)| !self.allowed.iter().any(|(name, allowed)| name == field && allowed == kind));
        hits
    }
}

/// Numbers of autonomous systems that are nobody's (RFC 6996): longer than others, and no address either.
const PRIVATE_ASN: std::ops::RangeInclusive<u32> = 4_200_000_000..=4_294_967_294;

/// Whether a text is what it is allowed to be though it looks like an identifier: a masked network, or a private
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

/// `203.0.113.0/24` and `2001:db8::/32`, with no bit of a host.
fn is_masked(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    match length {
        "24" => address.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.to_bits() & 0xff == 0),
        "32" => address.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_bits() << 32 == 0),
        _ => false,
    }
}
