//! Reads rows and histograms from the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric};
use crowdfold_query::{Coverage, DistributionSummary, Policy, Row};
use rusqlite::{Connection, params};

use super::plan::{Part, Plan, Rows};
use super::ranges::{Ranges, decode};
use super::sums::{Cells, Key, Sums, empty, values_of};
use super::{Store, step, time};
use crate::ConsoleError;

/// The changes of a request that reduce the number of rows.
const FEWER: &str = "shorten the period, set a longer step, or name a table with fewer rows";

/// The columns of `rollups` that histograms need.
const WINDOWS: &str = "SELECT start, cell, policy, kind, length, 1, histograms FROM rollups \
     WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4";
const REST: &str = "SELECT start, cell, policy, kind, length, 1, histograms FROM rollups \
     WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4 AND EXISTS (SELECT 1 FROM tables AS one \
     WHERE one.tenant = rollups.tenant AND one.breakdown = rollups.breakdown AND one.start = rollups.start \
     AND one.state IN (0, 3))";

/// The selection of the rows to read.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The tenant.
    pub tenant: String,
    /// The name of the breakdown, such as `os.browser`.
    pub breakdown: String,
    /// The dimensions whose values are needed. Rows that differ only in other dimensions are added up, and the other
    /// dimensions have the value `*`. `None` means all dimensions.
    pub dimensions: Option<BTreeSet<String>>,
    /// The earliest start of a selected window.
    pub since: Timestamp,
    /// The end of the period. Selected windows start before this time.
    pub until: Timestamp,
    /// The length of the intervals. The windows of an interval are added up. `None` means that all windows form one
    /// interval.
    pub step: Option<Span>,
}

impl Store {
    /// Returns the rows of a table, added up over the windows of each interval.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read, or if there are too many rows.
    pub fn rows(&self, selection: &Selection) -> Result<Vec<Row>, ConsoleError> {
        let connection = self.lock();
        let plan = self.plan(&connection, selection)?;
        let mut sums = Sums { cells: Cells::of(selection), ..Sums::default() };
        for part in &plan.parts {
            let sql = match part.rows {
                Rows::Windows => &self.sql.windows,
                Rows::Rest => &self.sql.rest,
                Rows::Hours => &self.sql.hours,
            };
            let mut statement = connection.prepare_cached(sql)?;
            let values = params![selection.tenant, selection.breakdown, part.from, part.to];
            let mut found = statement.query(values)?;
            while let Some(row) = found.next()? {
                sums.add(row, step(selection))?;
                if sums.len() > self.limits.kept {
                    return Err(ConsoleError::TooMany { most: self.limits.kept, fix: FEWER });
                }
            }
        }
        let policies = policies(&connection)?;
        let names = Names::of(selection);
        let row = |(key, total): (Key, &super::sums::Total)| {
            let mut row = total.row(&key, policies.get(&key.policy)?);
            names.fill(&mut row, &key, &sums.cells);
            let (windows, incomplete) = plan.windows.get(&time(key.start)).copied().unwrap_or((1, 0));
            if let Some(added) = &mut row.added {
                added.windows = windows;
            }
            row.coverage = (incomplete > 0).then_some(Coverage { partitions: 0, of: 0 });
            Some(row)
        };
        Ok(sums.sorted().into_iter().filter_map(row).collect())
    }

    /// Returns the cells of a table, each with the sum of the published histograms of a metric. All other values in
    /// these rows are 0. The published rows without a histogram form separate rows.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read, or if there are too many rows.
    pub fn histograms(&self, selection: &Selection, metric: ValueMetric) -> Result<Vec<Row>, ConsoleError> {
        let connection = self.lock();
        let selection = Selection { step: None, ..selection.clone() };
        let plan = self.plan(&connection, &selection)?;
        let mut sums = HistogramSums { cells: Cells::of(&selection), ..HistogramSums::default() };
        for part in &plan.parts {
            sums.read(&connection, (&selection, part), metric)?;
        }
        let policies = policies(&connection)?;
        let names = Names::of(&selection);
        let mut rows = Vec::new();
        for (key, sum) in sums.cells() {
            let Some(policy) = policies.get(&key.policy) else { continue };
            for (count, histogram) in
                [(sum.with, Some(sum.ranges.histogram())), (sum.rows.saturating_sub(sum.with), None)]
            {
                if count <= 0 {
                    continue;
                }
                let mut row = empty(&key, policy, count);
                names.fill(&mut row, &key, &sums.cells);
                // the caller does not need the other numbers; the value 0 makes the row consistent
                row.beacons = Some(0);
                row.sums = [Some(0); SumMetric::COUNT];
                row.errors = Some(BTreeMap::new());
                let zero = || DistributionSummary { sessions: Some(0), ..DistributionSummary::default() };
                row.values = ValueMetric::ALL.map(|_| Some(zero()));
                row.values[metric as usize] = Some(DistributionSummary { histogram, ..zero() });
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Returns, for each interval, the number of published windows of a table, and the number of incomplete windows
    /// among them.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn published(&self, selection: &Selection) -> Result<BTreeMap<Timestamp, (u64, u64)>, ConsoleError> {
        Ok(Plan::of(&self.lock(), selection)?.windows)
    }

    /// Returns the rows to read. Refuses a selection with too many rows.
    fn plan(&self, connection: &Connection, selection: &Selection) -> Result<Plan, ConsoleError> {
        let plan = Plan::of(connection, selection)?;
        let most = self.limits.read;
        if plan.size > most { Err(ConsoleError::TooMany { most, fix: FEWER }) } else { Ok(plan) }
    }
}

/// The names that all rows of a selection have.
struct Names<'a> {
    selection: &'a Selection,
    dimensions: Vec<String>,
}

impl<'a> Names<'a> {
    fn of(selection: &'a Selection) -> Self {
        Self { selection, dimensions: selection.breakdown.split('.').map(str::to_owned).collect() }
    }

    /// Writes the tenant, the interval and the dimensions to a row.
    fn fill(&self, row: &mut Row, key: &Key, cells: &Cells) {
        let values = values_of(cells.text(key.cell));
        row.tenant.clone_from(&self.selection.tenant);
        row.breakdown.clone_from(&self.dimensions);
        row.dimensions = self.dimensions.iter().cloned().zip(values).collect();
        let length = self.selection.step.unwrap_or(Span::from_millis(1));
        row.window.start = time(key.start).max(self.selection.since);
        row.window.end = row.window.start.saturating_add(length);
    }
}

/// The sums of the histograms of each cell.
#[derive(Default)]
struct HistogramSums {
    cells: Cells,
    sums: HashMap<Key, HistogramSum>,
}

#[derive(Default)]
struct HistogramSum {
    ranges: Ranges,
    /// The number of published rows.
    rows: i64,
    /// The number of published rows that have a histogram.
    with: i64,
}

impl HistogramSums {
    fn read(
        &mut self,
        connection: &Connection,
        (selection, part): (&Selection, &Part),
        metric: ValueMetric,
    ) -> Result<(), ConsoleError> {
        let Selection { tenant, breakdown, .. } = selection;
        let mut statement = connection.prepare_cached(match part.rows {
            Rows::Windows => WINDOWS,
            Rows::Rest => REST,
            Rows::Hours => {
                "SELECT start, cell, policy, kind, length, published FROM sums \
                 WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4"
            }
        })?;
        let mut found = statement.query(params![tenant, breakdown, part.from, part.to])?;
        while let Some(row) = found.next()? {
            let sum = self.of(row)?;
            sum.rows = sum.rows.saturating_add(row.get(5)?);
            if part.rows == Rows::Hours {
                continue;
            }
            let bytes = row.get_ref(6)?.as_blob_or_null()?.unwrap_or_default();
            if let Some((_, ranges)) = decode(bytes).find(|(name, _)| *name == metric.name().as_bytes()) {
                sum.ranges.add(ranges);
                sum.with += 1;
            }
        }
        if part.rows == Rows::Hours {
            let mut statement = connection.prepare_cached(
                "SELECT start, cell, policy, kind, length, published, ranges FROM histograms \
                 WHERE tenant = ?1 AND breakdown = ?2 AND metric = ?5 AND start >= ?3 AND start < ?4",
            )?;
            let values = params![tenant, breakdown, part.from, part.to, metric.name()];
            let mut found = statement.query(values)?;
            while let Some(row) = found.next()? {
                let sum = self.of(row)?;
                sum.with = sum.with.saturating_add(row.get(5)?);
                sum.ranges.add(row.get_ref(6)?.as_blob()?);
            }
        }
        Ok(())
    }

    fn of(&mut self, row: &rusqlite::Row<'_>) -> Result<&mut HistogramSum, ConsoleError> {
        let cell = self.cells.number(row.get_ref(1)?.as_str()?);
        let key = Key { start: 0, cell, policy: row.get(2)?, kind: row.get(3)?, length: row.get(4)? };
        Ok(self.sums.entry(key).or_default())
    }

    fn cells(&self) -> Vec<(Key, &HistogramSum)> {
        let mut cells: Vec<_> = self.sums.iter().map(|(key, sum)| (*key, sum)).collect();
        cells.sort_unstable_by_key(|(key, _)| (self.cells.text(key.cell), key.policy, key.kind, key.length));
        cells
    }
}

fn policies(connection: &Connection) -> Result<BTreeMap<i64, Policy>, ConsoleError> {
    let mut statement = connection.prepare_cached("SELECT id, policy FROM policies")?;
    let texts = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let texts: Vec<(i64, String)> = texts.collect::<Result<_, _>>()?;
    let read = |(id, text): (i64, String)| Some((id, serde_json::from_str(&text).ok()?));
    Ok(texts.into_iter().filter_map(read).collect())
}
