//! Audits published records: searches topics for personal data, and for rows that break a promise of crowdfold. It
//! makes no assumption about the program that wrote the records. This crate uses neither Kafka nor a clock.
//!
//! [`Auditor`] receives the records of topics, with keys and headers. The records of a partition must arrive in the
//! order of their offsets. The auditor does not store rows; it stores the key of each table, and a few totals for
//! each window of a tenant.
//!
//! ```
//! use crowdfold_audit::{Auditor, Contents, Record, Rules};
//!
//! let mut auditor = Auditor::new(Rules::default());
//! let topic = auditor.topic("somebody.rollups", Contents::Rollups, &[]);
//! let value = br#"{"user":"jane@mail.example"}"#;
//! auditor.record(topic, &Record { partition: 0, offset: 7, value: Some(value), ..Record::default() });
//! let audit = auditor.finish();
//! let found: Vec<_> = audit.found.iter().map(|found| (found.what.name(), found.field.as_deref())).collect();
//! assert_eq!(found, [("unknown-schema", Some("/schema")), ("identifier", Some("/user"))]);
//! ```
#![forbid(unsafe_code)]

mod entry;
mod finding;
mod json;
mod missing;
mod numbers;
mod path;
mod rows;
mod rules;
mod shape;
mod stars;
mod tables;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::{BTreeMap, HashSet};

pub use crowdfold_scan::{Identifier, Writing};
pub use finding::{Found, RecordLocation, What};
pub use rules::{Bounds, Least, Rules};
pub use shape::Contents;

use crowdfold_scan::Scanner;
use entry::Entry;
use json::Node;
use shape::Walk;
use tables::Tables;

/// A record of a topic.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// The partition of the record.
    pub partition: u32,
    /// The offset of the record in its partition.
    pub offset: i64,
    /// The key, or `None` if the record has no key.
    pub key: Option<&'a [u8]>,
    /// The value, or `None` if the record has no value.
    pub value: Option<&'a [u8]>,
    /// The names and values of the headers.
    pub headers: Vec<(&'a [u8], Option<&'a [u8]>)>,
}

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The findings, ordered by topic, partition and offset.
    pub found: Vec<Found>,
    /// The number of findings above the limit [`Rules::limit`], as (name of the finding, topic, number).
    pub more: Vec<(&'static str, String, u64)>,
    /// The numbers of records and tables of each topic.
    pub topics: Vec<TopicCounts>,
    /// True if some tables were not compared with other tables, because there were too many tables for the memory.
    pub is_partial: bool,
}

/// The numbers of records and tables that were read from one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCounts {
    /// The name of the topic.
    pub topic: String,
    /// The kind of records that the topic should contain.
    pub contents: Contents,
    /// The number of committed records.
    pub records: u64,
    /// The number of records of aborted or open transactions.
    pub uncommitted: u64,
    /// The number of complete tables.
    pub tables: u64,
}

/// The location of a record. `topic` is the number of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spot {
    topic: usize,
    partition: u32,
    offset: i64,
}

/// The findings so far. At most `limit` findings of each kind and topic are kept. Further findings are only counted.
struct Finds {
    limit: usize,
    names: Vec<String>,
    /// The location of the current record.
    here: Spot,
    /// True if the current record is committed.
    committed: bool,
    found: Vec<(Spot, Found)>,
    /// The number of findings of each kind and topic.
    reported: BTreeMap<(&'static str, usize), u64>,
}

impl Finds {
    /// Adds a finding about a field of the current record.
    fn push(&mut self, what: What, field: String) {
        self.at(what, self.here, Some(field), None);
    }

    /// Adds a finding about a table at `spot` that is inconsistent with another table.
    fn pair(&mut self, what: What, spot: Spot, other: Spot) {
        self.at(what, spot, None, Some(other));
    }

    /// Adds a finding about two tables whose totals differ in a field.
    fn differ(&mut self, field: &str, spot: Spot, other: Spot) {
        self.at(What::Totals, spot, Some(field.into()), Some(other));
    }

    fn at(&mut self, what: What, spot: Spot, field: Option<String>, other: Option<Spot>) {
        let reported = self.reported.entry((what.name(), spot.topic)).or_default();
        *reported += 1;
        if *reported > self.limit as u64 {
            return;
        }
        let location = |spot: Spot| RecordLocation {
            topic: self.names[spot.topic].clone(),
            partition: spot.partition,
            offset: spot.offset,
        };
        let committed = self.committed;
        let found = Found { what, location: location(spot), field, other: other.map(location), committed };
        self.found.push((spot, found));
    }
}

/// An audit in progress, which receives records.
pub struct Auditor {
    rules: Rules,
    scanner: Scanner,
    /// A buffer for the key that a row should have.
    key: String,
    finds: Finds,
    tables: Tables,
    topics: Vec<TopicCounts>,
    /// The partitions whose first records are skipped, and of which no record was read yet.
    cut: HashSet<(usize, u32)>,
}

impl Auditor {
    /// Creates an audit that has not received any records yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let here = Spot { topic: 0, partition: 0, offset: 0 };
        let finds = Finds {
            limit: rules.limit,
            names: Vec::new(),
            here,
            committed: true,
            found: Vec::new(),
            reported: BTreeMap::new(),
        };
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

    /// Registers a topic with the kind of its records, and returns the number of the topic. `cut` contains the
    /// partitions that are not read from their first record, because this record was deleted or is older than
    /// requested. In these partitions, the first table may lack its first rows.
    pub fn topic(&mut self, name: &str, contents: Contents, cut: &[u32]) -> usize {
        let topic = self.topics.len();
        self.topics.push(TopicCounts { topic: name.into(), contents, records: 0, uncommitted: 0, tables: 0 });
        self.finds.names.push(name.into());
        self.cut.extend(cut.iter().map(|partition| (topic, *partition)));
        cut.iter().for_each(|partition| self.tables.reach.cut(topic, *partition));
        topic
    }

    /// Audits a committed record of the topic with this number.
    pub fn record(&mut self, topic: usize, record: &Record<'_>) {
        let Some(counts) = self.topics.get_mut(topic) else { return };
        counts.records += 1;
        let contents = counts.contents;
        let spot = Spot { topic, partition: record.partition, offset: record.offset };
        self.finds.here = spot;
        let is_first = self.cut.remove(&(topic, record.partition));
        self.headers(record);
        let node = self.node(record.value);
        let row = node.as_ref().and_then(|node| self.value(contents, node));
        self.key(record, row.as_ref());
        if contents == Contents::Rejections {
            return;
        }
        match row {
            Some(row) if row.is_sound() => {
                self.tables.row(&row, &self.rules, spot, is_first, &mut self.finds)
            }
            _ => self.tables.interrupt(spot, &mut self.finds),
        }
    }

    /// Audits a record of an aborted or open transaction. A row in it does not belong to a table. Consumers without
    /// `read_committed` can read the record, so identifiers and small rows in it are breaches too.
    pub fn uncommitted(&mut self, topic: usize, record: &Record<'_>) {
        let Some(counts) = self.topics.get_mut(topic) else { return };
        counts.uncommitted += 1;
        let contents = counts.contents;
        self.finds.here = Spot { topic, partition: record.partition, offset: record.offset };
        self.finds.committed = false;
        self.headers(record);
        let node = self.node(record.value);
        let row = node.as_ref().and_then(|node| self.value(contents, node));
        self.key(record, row.as_ref());
        self.finds.committed = true;
    }

    fn headers(&mut self, record: &Record<'_>) {
        for (number, (name, value)) in record.headers.iter().enumerate() {
            self.bytes(name, &format!("header {number} (its name)"));
            self.bytes(value.unwrap_or_default(), &format!("header {number}"));
        }
    }

    /// Checks and scans the key of a record. If the key equals the key of the row, it is not scanned, because it
    /// consists of values that were scanned with the row.
    fn key(&mut self, record: &Record<'_>, row: Option<&Entry<'_>>) {
        let mut key = std::mem::take(&mut self.key);
        if let Some(row) = row {
            row.write_key(&mut key);
        }
        if row.is_none() || record.key != Some(key.as_bytes()) {
            self.bytes(without_time(record.key.unwrap_or_default()), "key");
            if row.is_some() {
                self.finds.push(What::Key, "key".into());
            }
        }
        self.key = key;
    }

    /// Parses a value as JSON. If the value is not JSON, adds a finding, scans the bytes, and returns `None`.
    fn node<'v>(&mut self, value: Option<&'v [u8]>) -> Option<Node<'v>> {
        let node = value.and_then(|value| serde_json::from_slice::<Node<'v>>(value).ok());
        if node.is_none() {
            self.finds.push(What::NotAnObject, "value".into());
            self.bytes(value.unwrap_or_default(), "value");
        }
        node
    }

    /// Checks a value. Returns a row if the value has the structure of a row.
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

    /// Scans bytes for identifiers. Bytes that are not UTF-8 are replaced.
    fn bytes(&mut self, bytes: &[u8], field: &str) {
        for (kind, writing) in self.scanner.scan(&String::from_utf8_lossy(bytes)) {
            self.finds.push(What::Identifier(kind, writing), field.into());
        }
    }

    /// Finishes the audit after all records. Compares the tables, and returns the findings.
    #[must_use]
    pub fn finish(mut self) -> Audit {
        self.tables.finish(&mut self.finds);
        let Finds { mut found, reported, names, limit, .. } = self.finds;
        found.sort_by_key(|(spot, _)| (spot.topic, spot.partition, spot.offset));
        let more = reported.into_iter().filter_map(|((what, topic), count)| {
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

/// Returns a key without the timestamp at its end, if it ends with a slash and the start of a window.
fn without_time(key: &[u8]) -> &[u8] {
    let end = key.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let (before, after) = key.split_at(end);
    let time = std::str::from_utf8(after).ok().and_then(|text| text.strip_prefix('/')?.parse().ok());
    if time.is_some_and(|time| TIMES.contains(&time)) { before } else { key }
}

/// The timestamps of the years 2000 to 2100, in milliseconds since the epoch. They have more digits than an IPv4
/// address in the form of one number.
const TIMES: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;
