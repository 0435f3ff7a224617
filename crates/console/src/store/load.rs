//! Reads rows and facts from the store.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{ErrorClass, Span, SumMetric, Timestamp, ValueMetric, Window};
use crowdfold_query::{Added, DistributionSummary, Policy, Range, Row, TableFacts};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Store, millis, time};
use crate::ConsoleError;

/// The changes of a request that reduce the number of rows.
const FEWER: &str = "shorten the period, set a longer step, or name a table with fewer rows";

/// Defines `starts`, the distinct starts of windows from ?1 to ?2 and at most one later start. Each step seeks the next
/// start in the index, so not all tables of a window are read.
const STARTS: &str = "WITH RECURSIVE starts (start) AS (SELECT MIN(start) FROM tables WHERE start >= ?1 UNION ALL \
     SELECT (SELECT MIN(one.start) FROM tables AS one WHERE one.start > starts.start) FROM starts \
     WHERE starts.start < ?2)";

/// The selection of the rows to read.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The tenant.
    pub tenant: String,
    /// The name of the breakdown, such as `os.browser`.
    pub breakdown: String,
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
        let step = step(selection);
        let Selection { tenant, breakdown, since, until, .. } = selection;
        let values = params![tenant, breakdown, millis(*since), millis(*until), step];
        check_size(&connection, selection, self.limits.read)?;
        let windows = published(&connection, selection)?;
        let policies = policies(&connection)?;
        let mut statement = connection.prepare_cached(&self.sql.load)?;
        let names: Vec<String> = breakdown.split('.').map(str::to_owned).collect();
        let mut found = statement.query(values)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let bucket: i64 = row.get(0)?;
            let (count, incomplete) = windows.get(&time(bucket)).copied().unwrap_or((1, 0));
            let Some(policy) = policies.get(&row.get::<_, i64>(2)?) else { continue };
            let mut read = read(row, policy)?;
            read.tenant.clone_from(tenant);
            read.breakdown.clone_from(&names);
            read.dimensions = names.iter().cloned().zip(cells(&row.get::<_, String>(1)?)).collect();
            let length = selection.step.unwrap_or(Span::from_millis(1));
            read.window.start = time(bucket).max(*since);
            read.window.end = read.window.start.saturating_add(length);
            if let Some(added) = &mut read.added {
                added.windows = count;
            }
            if incomplete > 0 {
                read.coverage = Some(crowdfold_query::Coverage { partitions: 0, of: 0 });
            }
            if rows.len() == self.limits.kept {
                return Err(ConsoleError::TooMany { most: self.limits.kept, fix: FEWER });
            }
            rows.push(read);
        }
        Ok(rows)
    }

    /// Returns, for each interval, the number of published windows of a table, and the number of incomplete windows
    /// among them.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn published(&self, selection: &Selection) -> Result<BTreeMap<Timestamp, (u64, u64)>, ConsoleError> {
        published(&self.lock(), selection)
    }

    /// Returns, for each interval, the number of windows in which another tenant has a table, but this tenant has none.
    /// Intervals without such a window are not contained.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn withheld(&self, selection: &Selection) -> Result<BTreeMap<Timestamp, u64>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "{STARTS} SELECT start / ?4 * ?4 AS bucket, COUNT(*) FROM starts WHERE start < ?2 AND NOT EXISTS \
             (SELECT 1 FROM tables AS own WHERE own.start = starts.start AND own.tenant = ?3) GROUP BY bucket"
        ))?;
        let Selection { tenant, since, until, .. } = selection;
        let values = params![millis(*since), millis(*until), tenant, step(selection)];
        let windows = statement.query_map(values, |row| Ok((time(row.get(0)?), row.get(1)?)))?;
        Ok(windows.collect::<Result<_, _>>()?)
    }

    /// Returns the end of the newest hour to which windows of a table were added up, or `None` if there is no such hour.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn end_of_hours(&self, tenant: &str, breakdown: &str) -> Result<Option<Timestamp>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT start FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND added = 1 \
             ORDER BY start DESC LIMIT 1",
        )?;
        let start: Option<i64> = statement.query_row([tenant, breakdown], |row| row.get(0)).optional()?;
        Ok(start.map(|start| time(start).floor(Span::HOUR).saturating_add(Span::HOUR)))
    }

    /// Returns the length of the newest window of a tenant.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn window_length(&self, tenant: &str) -> Result<Option<Span>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT ending - start FROM tables WHERE start = (SELECT MAX(start) FROM tables WHERE tenant = ?1) \
             AND tenant = ?1 LIMIT 1",
        )?;
        let length: Option<u64> = statement.query_row([tenant], |row| row.get(0)).optional()?;
        Ok(length.map(Span::from_millis))
    }

    /// Calls `each` for each published row of a table, with the histogram of a metric. All other values in these rows
    /// are 0.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read, or if there are too many rows.
    pub fn histograms(
        &self,
        selection: &Selection,
        metric: ValueMetric,
        mut each: impl FnMut(&Row),
    ) -> Result<(), ConsoleError> {
        let connection = self.lock();
        check_size(&connection, selection, self.limits.read)?;
        let Selection { tenant, breakdown, since, until, .. } = selection;
        let policies = policies(&connection)?;
        let mut statement = connection.prepare_cached(
            "SELECT start, cell, policy, kind, length, published, sessions, beacons, summaries FROM rollups \
             WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4",
        )?;
        let names: Vec<String> = breakdown.split('.').map(str::to_owned).collect();
        let mut found = statement.query(params![tenant, breakdown, millis(*since), millis(*until)])?;
        while let Some(row) = found.next()? {
            let Some(policy) = policies.get(&row.get::<_, i64>(2)?) else { continue };
            let summaries: Option<String> = row.get(8)?;
            let histograms: Vec<Option<Vec<Range>>> =
                summaries.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            let mut read = empty(row, policy)?;
            read.window.start = time(row.get(0)?);
            read.window.end = read.window.start.saturating_add(Span::from_millis(1));
            read.tenant.clone_from(tenant);
            read.breakdown.clone_from(&names);
            read.dimensions = names.iter().cloned().zip(cells(&row.get::<_, String>(1)?)).collect();
            // the caller does not need the other numbers; the value 0 makes the row consistent
            read.sums = [Some(0); SumMetric::COUNT];
            read.errors = Some(BTreeMap::new());
            read.values = ValueMetric::ALL
                .map(|_| Some(DistributionSummary { sessions: Some(0), ..DistributionSummary::default() }));
            if let Some(Some(summary)) = read.values.get_mut(metric as usize) {
                summary.histogram = histograms.into_iter().nth(metric as usize).flatten();
            }
            each(&read);
        }
        Ok(())
    }

    /// Calls `each` for each table of a tenant in a period, in order of the tables' names and windows.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read, or if there are too many tables.
    pub fn facts(
        &self,
        tenant: &str,
        (since, until): (Timestamp, Timestamp),
        mut each: impl FnMut(&TableFacts),
    ) -> Result<(), ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT breakdown, start, ending, sessions, folded, smallest, k, partial OR seen < rows FROM tables \
             WHERE tenant = ?1 AND start >= ?2 AND start < ?3",
        )?;
        let mut found = statement.query(params![tenant, millis(since), millis(until)])?;
        let mut seen = 0;
        while let Some(row) = found.next()? {
            seen += 1;
            if seen > self.limits.read {
                return Err(ConsoleError::TooMany {
                    most: self.limits.read,
                    fix: "set since to a later time",
                });
            }
            each(&TableFacts {
                tenant: tenant.to_owned(),
                breakdown: row.get(0)?,
                window: Window { start: time(row.get(1)?), end: time(row.get(2)?) },
                sessions: row.get(3)?,
                folded: row.get(4)?,
                smallest: row.get(5)?,
                k: row.get(6)?,
                is_incomplete: row.get(7)?,
            });
        }
        Ok(())
    }

    /// Returns the starts of the windows of all tenants in a period.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn starts(&self, since: Timestamp, until: Timestamp) -> Result<BTreeSet<Timestamp>, ConsoleError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached(&format!("{STARTS} SELECT start FROM starts WHERE start < ?2"))?;
        let starts =
            statement.query_map(params![millis(since), millis(until)], |row| row.get(0).map(time))?;
        Ok(starts.collect::<Result<_, _>>()?)
    }

    /// Returns the names of the breakdowns of a tenant. The value is true if the breakdown was the detail table in its
    /// newest window.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn breakdowns(&self, tenant: &str) -> Result<BTreeMap<String, bool>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT breakdown, detail, MAX(start) FROM tables WHERE tenant = ?1 GROUP BY breakdown",
        )?;
        let breakdowns =
            statement.query_map([tenant], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? == 1)))?;
        Ok(breakdowns.collect::<Result<_, _>>()?)
    }

    /// Returns the tenants. Each has three times: the start of its first window, and the start and the end of its
    /// newest window.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn tenants(&self) -> Result<BTreeMap<String, (Timestamp, Timestamp, Timestamp)>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT tenant, MIN(start), MAX(start), MAX(ending) FROM tables GROUP BY tenant",
        )?;
        let tenants = statement.query_map([], |row| {
            Ok((row.get(0)?, (time(row.get(1)?), time(row.get(2)?), time(row.get(3)?))))
        })?;
        Ok(tenants.collect::<Result<_, _>>()?)
    }
}

/// Returns the length of the intervals in milliseconds. If the selection has no step, all windows are in one interval,
/// which begins at 0.
fn step(selection: &Selection) -> i64 {
    selection.step.map_or(i64::MAX, |step| i64::try_from(step.as_millis()).unwrap_or(i64::MAX))
}

/// Refuses a selection with more rows than this. The number of rows of an hour is estimated as the number of rows of its
/// largest table, because most tables of an hour have the same rows.
fn check_size(connection: &Connection, selection: &Selection, most: usize) -> Result<(), ConsoleError> {
    let Selection { tenant, breakdown, since, until, .. } = selection;
    let mut statement = connection.prepare_cached(
        "SELECT COALESCE(SUM(size), 0) FROM (SELECT CASE WHEN added THEN MAX(seen) ELSE SUM(seen) END AS size \
         FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4 \
         GROUP BY added, start / 3600000)",
    )?;
    let values = params![tenant, breakdown, millis(*since), millis(*until)];
    let size: usize = statement.query_row(values, |row| row.get(0))?;
    if size > most { Err(ConsoleError::TooMany { most, fix: FEWER }) } else { Ok(()) }
}

fn published(
    connection: &Connection,
    selection: &Selection,
) -> Result<BTreeMap<Timestamp, (u64, u64)>, ConsoleError> {
    let Selection { tenant, breakdown, since, until, .. } = selection;
    let mut statement = connection.prepare_cached(
        "SELECT start / ?5 * ?5 AS bucket, COUNT(*), SUM(partial OR seen < rows) FROM tables \
         WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4 GROUP BY bucket",
    )?;
    let values = params![tenant, breakdown, millis(*since), millis(*until), step(selection)];
    let windows = statement.query_map(values, |row| Ok((time(row.get(0)?), (row.get(1)?, row.get(2)?))))?;
    Ok(windows.collect::<Result<_, _>>()?)
}

fn policies(connection: &Connection) -> Result<BTreeMap<i64, Policy>, ConsoleError> {
    let mut statement = connection.prepare_cached("SELECT id, policy FROM policies")?;
    let texts = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let texts: Vec<(i64, String)> = texts.collect::<Result<_, _>>()?;
    let read = |(id, text): (i64, String)| Some((id, serde_json::from_str(&text).ok()?));
    Ok(texts.into_iter().filter_map(read).collect())
}

fn cells(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Creates a row from the columns that do not depend on the metrics.
fn empty(row: &rusqlite::Row<'_>, policy: &Policy) -> Result<Row, rusqlite::Error> {
    let kind: i64 = row.get(3)?;
    let length: u64 = row.get(4)?;
    Ok(Row {
        tenant: String::new(),
        window: Window { start: Timestamp::EPOCH, end: Timestamp::EPOCH },
        breakdown: Vec::new(),
        detail: (kind >= 0).then_some(kind == 1),
        dimensions: BTreeMap::new(),
        row: 1,
        rows: 1,
        coverage: None,
        sessions: row.get(6)?,
        beacons: row.get(7)?,
        sums: [None; SumMetric::COUNT],
        errors: None,
        values: ValueMetric::ALL.map(|_| None),
        policy: policy.clone(),
        added: Some(Added { windows: 1, rows: row.get(5)?, length: Span::from_millis(length) }),
    })
}

/// Reads a row with its sums.
fn read(row: &rusqlite::Row<'_>, policy: &Policy) -> Result<Row, rusqlite::Error> {
    let mut read = empty(row, policy)?;
    let first = 8;
    for (at, sum) in read.sums.iter_mut().enumerate() {
        *sum = row.get(first + at)?;
    }
    let first = first + SumMetric::COUNT;
    for (at, value) in read.values.iter_mut().enumerate() {
        let sum: Option<i64> = row.get(first + at)?;
        let sessions: Option<u64> = row.get(first + ValueMetric::COUNT + at)?;
        *value = sum.map(|sum| DistributionSummary { sessions, sum, ..DistributionSummary::default() });
    }
    let first = first + 2 * ValueMetric::COUNT;
    let mut errors = BTreeMap::new();
    for (at, class) in ErrorClass::ALL.into_iter().enumerate() {
        if let Some(sessions) = row.get::<_, Option<i64>>(first + at)? {
            errors.insert(class.name().to_owned(), sessions);
        }
    }
    read.errors = (!errors.is_empty()).then_some(errors);
    Ok(read)
}
