//! Checks that each table is complete, is published once, and is consistent with the other tables of its window.
//!
//! The rows of one table are in one partition. Rows of other tables may be between them, if several workers publish at
//! the same time. Therefore several tables of a partition may be open, which means that their rows are being read. When
//! a table is complete, only its key is kept. For each window of a tenant, the totals of the first table are kept. So
//! the required memory grows with the number of tables, and not with the number of rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use crowdfold_model::{Dimension, Family, Timestamp};

use ahash::RandomState;

use crate::entry::{Entry, Kind, Policy};
use crate::missing::Reach;
use crate::stars::Stars;
use crate::totals::{Shown, Totals};
use crate::{Finds, Rules, Spot, What};

/// The maximum number of tables in memory. Each needs a few hundred bytes.
const MAX_TABLES: usize = 5_000_000;
/// The maximum number of open tables of one partition. Several tables are open if several workers merge, and few
/// deployments have more workers than this.
const MAX_OPEN: usize = 16;
/// The maximum number of incomplete tables that are kept until the end of the audit.
const MAX_PARTS: usize = 100_000;

/// A window of a tenant: the number of the tenant, the start and the end.
pub(crate) type TenantWindow = (u32, Timestamp, Timestamp);
/// The key of a table: its window, and the number of its breakdown.
pub(crate) type Key = (TenantWindow, u32);

/// The tables that were read so far.
#[derive(Default)]
pub(crate) struct Tables {
    /// The numbers of tenants and breakdowns, by name.
    names: HashMap<String, u32, RandomState>,
    /// A buffer for the name of a breakdown.
    name: String,
    hasher: RandomState,
    /// The open tables, by topic and partition.
    open: BTreeMap<(usize, u32), Vec<Open>>,
    /// The complete tables, each with the location of its first row.
    published: HashMap<Key, Spot, RandomState>,
    /// The parts of tables that were incomplete when they were closed.
    parts: BTreeMap<Key, Vec<Part>>,
    windows: BTreeMap<TenantWindow, Windowful>,
    /// The number of complete tables of each topic.
    counted: Vec<u64>,
    pub(crate) reach: Reach,
    /// True if there are more tables than the maximum.
    full: bool,
}

/// A table that is open: its rows are being read.
struct Open {
    key: Key,
    breakdown: Vec<Dimension>,
    rows: u64,
    first: Spot,
    last: Spot,
    /// The ranges of consecutive row numbers that were read, sorted.
    ranges: Vec<(u64, u64)>,
    last_row: u64,
    last_cell_key: Vec<String>,
    /// The hashes of the dimension values of the rows that were read, with a random key for each audit.
    cell_keys: HashSet<u64, RandomState>,
    stars: Stars,
    totals: Totals,
    policy: Policy,
    detail: Option<bool>,
    /// True if the first rows of the table may precede the first record that is read.
    cut: bool,
}

/// A part of a table: the rows that were read while the table was open.
struct Part {
    rows: u64,
    ranges: Vec<(u64, u64)>,
    first: Spot,
    cut: bool,
}

/// The state of one window of a tenant.
#[derive(Default)]
pub(crate) struct Windowful {
    /// The complete tables: the number of the breakdown, its families, and the location of the first row.
    pub(crate) breakdowns: Vec<(u32, Vec<Family>, Spot)>,
    /// The totals of the first table with exact numbers, and the location of its last row.
    exact: Option<(Box<Totals>, Spot)>,
    /// The totals of the first table with noise or without numbers, and the location of its last row.
    covered: Option<(Box<Totals>, Spot)>,
    pub(crate) policy: Option<(Policy, Spot)>,
    detail: Option<(u32, Spot)>,
}

impl Tables {
    /// Adds a row to its table. `is_first` is true if earlier records of the partition were skipped, and the row is in
    /// the first record that was read.
    pub(crate) fn row(
        &mut self,
        row: &Entry<'_>,
        rules: &Rules,
        spot: Spot,
        is_first: bool,
        finds: &mut Finds,
    ) {
        let key = self.key(row);
        let continues =
            |open: &Open| open.key == key && open.rows == row.rows && (row.row != 1 || open.last_row == 0);
        let open = self.open.entry((spot.topic, spot.partition)).or_default();
        if let Some(open) = open.iter_mut().rev().find(|open| continues(open)) {
            return open.take(row, spot, &self.hasher, finds);
        }
        let mut done: Vec<Open> = open.extract_if(.., |open| open.is_whole()).collect();
        if open.len() == MAX_OPEN {
            done.push(open.remove(0));
        }
        let mut next = Open::new(key, row, rules, spot, is_first && row.row > 1);
        next.take(row, spot, &self.hasher, finds);
        open.push(next);
        done.into_iter().for_each(|open| self.close(open, finds));
    }

    /// Closes all open tables of a partition, because a record that is not a row was read from it.
    pub(crate) fn interrupt(&mut self, spot: Spot, finds: &mut Finds) {
        for open in self.open.remove(&(spot.topic, spot.partition)).unwrap_or_default() {
            self.close(open, finds);
        }
    }

    /// Closes all tables after the last record, and reports findings about incomplete and missing tables.
    pub(crate) fn finish(&mut self, finds: &mut Finds) {
        for open in std::mem::take(&mut self.open).into_values().flatten() {
            self.close(open, finds);
        }
        let parts = std::mem::take(&mut self.parts);
        for (key, parts) in &parts {
            self.check(*key, parts, finds);
        }
        if !self.full && parts.len() < MAX_PARTS {
            self.reach.check(&self.windows, &parts.into_keys().collect(), finds);
        }
        self.overlaps(finds);
    }

    /// Returns the number of complete tables of a topic.
    pub(crate) fn counted(&self, topic: usize) -> u64 {
        self.counted.get(topic).copied().unwrap_or(0)
    }

    /// Returns true if some tables were not compared with other tables, because there were too many tables for the
    /// memory.
    pub(crate) const fn is_full(&self) -> bool {
        self.full
    }

    /// Returns the key of the table of a row.
    fn key(&mut self, row: &Entry<'_>) -> Key {
        let moment = (self.number(row.tenant), row.start, row.end);
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        row.write_breakdown(&mut name);
        let number = self.number(&name);
        self.name = name;
        (moment, number)
    }

    /// Returns the number of a name. A new name receives the next number.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(name.into(), number);
        number
    }

    /// Closes an open table. If it is complete, compares it with the other tables of its window. Otherwise keeps its
    /// rows as a part.
    fn close(&mut self, open: Open, finds: &mut Finds) {
        self.reach.note(open.key.0, open.first);
        let whole = open.is_whole();
        if self.published.len() >= MAX_TABLES {
            self.full = true;
            return;
        }
        if whole {
            let first = open.first;
            if let Some(other) = self.published.get(&open.key) {
                finds.pair(What::Twice, first, *other);
                return;
            }
            self.published.insert(open.key, first);
            if self.counted.len() <= first.topic {
                self.counted.resize(first.topic + 1, 0);
            }
            self.counted[first.topic] += 1;
            self.compare(open, finds);
        } else {
            let Open { key, rows, ranges, first, cut, .. } = open;
            let part = Part { rows, ranges, first, cut };
            if self.parts.len() < MAX_PARTS {
                self.parts.entry(key).or_default().push(part);
            } else {
                self.check(key, &[part], finds);
            }
        }
    }

    /// Compares a complete table with the other tables of its window.
    fn compare(&mut self, open: Open, finds: &mut Finds) {
        let Open { key: (moment, breakdown), first, last, policy, totals, detail, .. } = open;
        let held = self.windows.entry(moment).or_default();
        match &held.policy {
            Some((other, spot)) if *other != policy => finds.pair(What::TwoPolicies, first, *spot),
            Some(_) => {}
            None => held.policy = Some((policy, first)),
        }
        let families: Vec<Family> = open.breakdown.iter().map(|dimension| dimension.family()).collect();
        if policy.kind == Kind::Threshold {
            open.stars.check(&open.breakdown, finds);
            for (_, others, spot) in &held.breakdowns {
                if let Some(family) = families.iter().find(|family| others.contains(family)) {
                    finds.pair(What::Families(family.name()), first, *spot);
                }
            }
            if totals.lacks_noise() {
                finds.at(What::NoNoise, first, Some("/errors".into()), None);
            }
            let others = [&held.exact, &held.covered].into_iter().flatten();
            let differing = others.filter_map(|(other, spot)| Some((other.differing(&totals)?, *spot)));
            if let Some((field, spot)) = differing.take(1).next() {
                finds.differ(&field, last, spot);
            }
            match (&held.covered, totals.shown) {
                (Some((other, spot)), Shown::Noisy(_) | Shown::Hidden) if other.shown != totals.shown => {
                    finds.pair(What::TwoPolicies, first, *spot);
                }
                _ => {}
            }
            let kept = if totals.shown == Shown::Exact { &mut held.exact } else { &mut held.covered };
            kept.get_or_insert_with(|| (Box::new(totals), last));
            match held.detail {
                Some((other, spot)) if detail == Some(true) && other != breakdown => {
                    finds.pair(What::Details, first, spot);
                }
                None if detail == Some(true) => held.detail = Some((breakdown, first)),
                _ => {}
            }
        }
        held.breakdowns.push((breakdown, families, first));
    }

    /// Checks the parts of a table that was incomplete when it was closed.
    fn check(&self, key: Key, parts: &[Part], finds: &mut Finds) {
        let [first, ..] = parts else { return };
        if let Some(other) = self.published.get(&key) {
            parts.iter().for_each(|part| finds.pair(What::Twice, part.first, *other));
            return;
        }
        if let Some(other) = parts.iter().find(|part| part.rows != first.rows) {
            finds.pair(What::Numbers, other.first, first.first);
            return;
        }
        let mut ranges: Vec<(u64, u64)> = parts.iter().flat_map(|part| part.ranges.iter().copied()).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
            parts[1..].iter().for_each(|part| finds.pair(What::Twice, part.first, first.first));
            return;
        }
        parts[1..].iter().for_each(|part| finds.pair(What::Scattered, part.first, first.first));
        let there: u64 = ranges.iter().map(|(from, to)| to - from + 1).sum();
        let before = if parts.iter().any(|part| part.cut) { ranges[0].0 - 1 } else { 0 };
        let missing = first.rows.saturating_sub(there).saturating_sub(before);
        if missing > 0 {
            finds.at(What::Incomplete(missing), first.first, None, None);
        }
    }

    /// Reports windows of one tenant that overlap. If windows overlap, the rows of one window can be subtracted from
    /// the rows of another window.
    fn overlaps(&self, finds: &mut Finds) {
        let mut latest: Option<(TenantWindow, Spot)> = None;
        for (moment, held) in &self.windows {
            let Some((_, _, spot)) = held.breakdowns.first() else { continue };
            let (tenant, start, end) = *moment;
            match latest {
                Some(((same, _, until), other)) if same == tenant && start < until => {
                    finds.pair(What::Overlap, *spot, other);
                    if end > until {
                        latest = Some((*moment, *spot));
                    }
                }
                _ => latest = Some((*moment, *spot)),
            }
        }
    }
}

impl Open {
    /// Returns true if all rows of the table were read.
    fn is_whole(&self) -> bool {
        matches!(self.ranges[..], [(1, last)] if last == self.rows)
    }

    fn new(key: Key, row: &Entry<'_>, rules: &Rules, spot: Spot, cut: bool) -> Self {
        Self {
            key,
            breakdown: row.breakdown.iter().filter_map(|name| rules.dimension(row.tenant, name)).collect(),
            rows: row.rows,
            first: spot,
            last: spot,
            ranges: Vec::new(),
            last_row: 0,
            last_cell_key: Vec::new(),
            cell_keys: HashSet::default(),
            stars: Stars::default(),
            totals: Totals::of(row),
            policy: row.policy,
            detail: row.detail,
            cut,
        }
    }

    /// Adds a row, and compares it with the previous rows of the table.
    fn take(&mut self, row: &Entry<'_>, spot: Spot, hasher: &RandomState, finds: &mut Finds) {
        if self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&row.row)) {
            finds.at(What::RepeatedRow, spot, Some("/row".into()), Some(self.last));
            return;
        }
        let first = self.ranges.is_empty();
        let rises = first || row.cell_key().gt(self.last_cell_key.iter().map(String::as_str));
        let cell_key = hasher.hash_one(row.cell_key().collect::<Vec<_>>());
        if !rises || !first && row.row < self.last_row || !self.cell_keys.insert(cell_key) {
            finds.at(What::Order, spot, Some("/dimensions".into()), Some(self.last));
        }
        if row.policy != self.policy {
            finds.at(What::TwoPolicies, spot, Some("/policy".into()), Some(self.first));
        } else if row.detail != self.detail || Shown::of(row) != self.totals.shown {
            finds.at(What::TwoPolicies, spot, Some("/detail".into()), Some(self.first));
        }
        self.number(row.row);
        self.totals.add(row);
        self.stars.add(row, &self.breakdown, spot);
        (self.last, self.last_row) = (spot, row.row);
        self.last_cell_key.resize_with(row.breakdown.len(), String::new);
        for (last, value) in self.last_cell_key.iter_mut().zip(row.cell_key()) {
            last.clear();
            last.push_str(value);
        }
    }

    /// Records that the row with this number was read.
    fn number(&mut self, row: u64) {
        if let Some((_, to)) = self.ranges.last_mut().filter(|(_, to)| *to + 1 == row) {
            *to = row;
            return;
        }
        self.ranges.push((row, row));
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, held| {
            let joins = held.1 + 1 == next.0;
            if joins {
                held.1 = next.1;
            }
            joins
        });
    }
}
