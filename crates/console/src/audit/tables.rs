//! Whether tables are whole, come once, and agree with the others of their window.
//!
//! Rows of one table lie in one partition, and few of other tables, from workers that publish at the same time, between
//! them: so a few tables a partition are open at a time. Of a whole one its key is kept, and of each tenant's window the
//! totals of the first: so memory grows with the number of tables, not of rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use crowdfold_airlock::Dimension;
use crowdfold_release::Family;

use super::missing::Reach;
use super::rows::THRESHOLD;
use super::totals::Totals;
use super::{Finds, Spot, What};
use crate::row::Row;

/// How many tables are held, about 200 bytes each.
const MOST: usize = 5_000_000;
/// How many tables of one partition are open at a time; workers that merge are seldom more.
const MOST_OPEN: usize = 16;
/// How many parts of tables are held until the end.
const MOST_PARTS: usize = 100_000;

/// A tenant and one of its windows.
pub(super) type Moment = (u32, u64, u64);
/// A table: its moment and its drill-down.
pub(super) type Key = (Moment, u32);

#[derive(Default)]
pub(super) struct Tables {
    names: HashMap<String, u32>,
    open: BTreeMap<(usize, u32), Vec<Open>>,
    published: HashMap<Key, Spot>,
    parts: BTreeMap<Key, Vec<Part>>,
    moments: BTreeMap<Moment, Windowful>,
    counted: Vec<u64>,
    pub(super) reach: Reach,
    full: bool,
}

/// A table of which rows are coming.
struct Open {
    key: Key,
    drilldown: Vec<Dimension>,
    rows: u64,
    first: Spot,
    last: Spot,
    ranges: Vec<(u64, u64)>,
    last_row: u64,
    last_label: Vec<String>,
    labels: HashSet<Vec<String>>,
    totals: Totals,
    policy: (String, Option<u64>),
    histogram: bool,
    /// Its first rows may lie before what is read.
    cut: bool,
}

/// Rows of a table that is not whole where they lie.
struct Part {
    rows: u64,
    ranges: Vec<(u64, u64)>,
    first: Spot,
    cut: bool,
}

/// What is kept of a tenant's window.
#[derive(Default)]
pub(super) struct Windowful {
    pub(super) drilldowns: Vec<(u32, Vec<Family>, Spot)>,
    exact: Option<(Totals, Spot)>,
    pub(super) policy: Option<((String, Option<u64>), Spot)>,
    histogram: Option<(u32, Spot)>,
}

impl Tables {
    /// Takes in a sound row at its place; `beginning` says that no record of its partition came before and that there
    /// may have been some.
    pub(super) fn row(&mut self, row: &Row, spot: Spot, beginning: bool, finds: &mut Finds) {
        let key = self.key(row);
        let goes_on =
            |open: &Open| open.key == key && open.rows == row.rows && (row.row != 1 || open.last_row == 0);
        let open = self.open.entry((spot.topic, spot.partition)).or_default();
        if let Some(open) = open.iter_mut().rev().find(|open| goes_on(open)) {
            return open.take(row, spot, finds);
        }
        let mut done: Vec<Open> = open.extract_if(.., |open| open.is_whole()).collect();
        if open.len() == MOST_OPEN {
            done.push(open.remove(0));
        }
        let mut next = Open::new(key, row, spot, beginning && row.row > 1);
        next.take(row, spot, finds);
        open.push(next);
        done.into_iter().for_each(|open| self.close(open, finds));
    }

    /// Something that is no row lies here: whatever tables are open end.
    pub(super) fn interrupt(&mut self, spot: Spot, finds: &mut Finds) {
        for open in self.open.remove(&(spot.topic, spot.partition)).unwrap_or_default() {
            self.close(open, finds);
        }
    }

    /// All has been read.
    pub(super) fn finish(&mut self, finds: &mut Finds) {
        for open in std::mem::take(&mut self.open).into_values().flatten() {
            self.close(open, finds);
        }
        let parts = std::mem::take(&mut self.parts);
        for (key, parts) in &parts {
            self.judge(*key, parts, finds);
        }
        if !self.full && parts.len() < MOST_PARTS {
            self.reach.judge(&self.moments, &parts.into_keys().collect(), finds);
        }
        self.overlaps(finds);
    }

    /// Whole tables by topic.
    pub(super) fn counted(&self, topic: usize) -> u64 {
        self.counted.get(topic).copied().unwrap_or(0)
    }

    /// Whether there were more tables than can be held, so that some were not compared.
    pub(super) const fn is_full(&self) -> bool {
        self.full
    }

    fn key(&mut self, row: &Row) -> Key {
        let moment = (self.number(&row.tenant), row.window.start, row.window.end);
        (moment, self.number(&row.drilldown_name()))
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(name.into(), number);
        number
    }

    fn close(&mut self, open: Open, finds: &mut Finds) {
        self.reach.note(open.key.0, open.first);
        let whole = open.is_whole();
        if self.published.len() >= MOST {
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
            if self.parts.len() < MOST_PARTS {
                self.parts.entry(key).or_default().push(part);
            } else {
                self.judge(key, &[part], finds);
            }
        }
    }

    /// Compares a whole table with the others of its window.
    fn compare(&mut self, open: Open, finds: &mut Finds) {
        let Open { key: (moment, drilldown), first, last, policy, totals, histogram, .. } = open;
        let held = self.moments.entry(moment).or_default();
        match &held.policy {
            Some((other, spot)) if *other != policy => finds.pair(What::TwoPolicies, first, *spot),
            Some(_) => {}
            None => held.policy = Some((policy.clone(), first)),
        }
        let families: Vec<Family> = open.drilldown.iter().map(|dimension| Family::of(*dimension)).collect();
        if policy.0 == THRESHOLD {
            for (_, others, spot) in &held.drilldowns {
                if let Some(family) = families.iter().find(|family| others.contains(family)) {
                    finds.pair(What::Families(family.name()), first, *spot);
                }
            }
            match &held.exact {
                Some((other, spot)) if !other.agrees_with(&totals) => {
                    finds.differ(other.differing(&totals), last, *spot);
                }
                Some(_) => {}
                None => held.exact = Some((totals, last)),
            }
            match held.histogram {
                Some((other, spot)) if histogram && other != drilldown => {
                    finds.pair(What::Histograms, first, spot)
                }
                None if histogram => held.histogram = Some((drilldown, first)),
                _ => {}
            }
        }
        held.drilldowns.push((drilldown, families, first));
    }

    /// What becomes of rows that are not a whole table where they lie.
    fn judge(&self, key: Key, parts: &[Part], finds: &mut Finds) {
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

    /// Windows of one tenant that overlap, of which one could be taken from the other.
    fn overlaps(&self, finds: &mut Finds) {
        let mut latest: Option<(Moment, Spot)> = None;
        for (moment, held) in &self.moments {
            let Some((_, _, spot)) = held.drilldowns.first() else { continue };
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
    fn is_whole(&self) -> bool {
        matches!(self.ranges[..], [(1, last)] if last == self.rows)
    }

    fn new(key: Key, row: &Row, spot: Spot, cut: bool) -> Self {
        Self {
            key,
            drilldown: row.drilldown.iter().filter_map(|name| Dimension::named(name)).collect(),
            rows: row.rows,
            first: spot,
            last: spot,
            ranges: Vec::new(),
            last_row: 0,
            last_label: Vec::new(),
            labels: HashSet::new(),
            totals: Totals::of(row.coverage),
            policy: (row.policy.name.clone(), row.policy.k),
            histogram: false,
            cut,
        }
    }

    fn take(&mut self, row: &Row, spot: Spot, finds: &mut Finds) {
        if self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&row.row)) {
            finds.at(What::RepeatedRow, spot, Some("/row".into()), Some(self.last));
            return;
        }
        let label: Vec<String> =
            row.drilldown.iter().filter_map(|name| row.value(name)).map(str::to_owned).collect();
        let first = self.ranges.is_empty();
        if !first && (label <= self.last_label || row.row < self.last_row)
            || !self.labels.insert(label.clone())
        {
            finds.at(What::Order, spot, Some("/dimensions".into()), Some(self.last));
        }
        if (&row.policy.name, row.policy.k) != (&self.policy.0, self.policy.1) {
            finds.at(What::TwoPolicies, spot, Some("/policy".into()), Some(self.first));
        }
        self.number(row.row);
        self.totals.add(row);
        self.histogram |= [&row.startup_ms, &row.bandwidth_kbps, &row.bitrate_kbps]
            .into_iter()
            .flatten()
            .any(|spread| spread.histogram.is_some());
        (self.last, self.last_row, self.last_label) = (spot, row.row, label);
    }

    /// Notes that a row is there.
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
