//! Reads facts about tenants, tables and windows from the store.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Span, Timestamp, Window};
use crowdfold_query::TableFacts;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema::State;
use super::{Selection, Store, millis, step, time};
use crate::ConsoleError;

/// Defines `starts`, the distinct starts of windows from ?1 to ?2 and at most one later start. Each step seeks the next
/// start in the index, so not all tables of a window are read.
const STARTS: &str = "WITH RECURSIVE starts (start) AS (SELECT MIN(start) FROM tables WHERE start >= ?1 UNION ALL \
     SELECT (SELECT MIN(one.start) FROM tables AS one WHERE one.start > starts.start) FROM starts \
     WHERE starts.start < ?2)";

/// The published windows of one breakdown of a tenant.
pub(super) struct Published {
    pub(super) tenant: String,
    pub(super) breakdown: String,
    first: i64,
    newest: i64,
    end: i64,
    is_detail: bool,
}

impl Store {
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

    /// Returns the end of the newest hour of a table that is kept as sums only, or `None` if there is no such hour.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn end_of_hours(&self, tenant: &str, breakdown: &str) -> Result<Option<Timestamp>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT start FROM tables WHERE state = ?1 AND tenant = ?2 AND breakdown = ?3 \
             ORDER BY start DESC LIMIT 1",
        )?;
        let values = params![State::HOUR, tenant, breakdown];
        let start: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
        Ok(start.map(|start| time(start).floor(Span::HOUR).saturating_add(Span::HOUR)))
    }

    /// Returns the length of the newest window of a tenant.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn window_length(&self, tenant: &str) -> Result<Option<Span>, ConsoleError> {
        let published = published(&self.lock(), Some(tenant))?;
        let newest = published.iter().max_by_key(|one| one.newest);
        Ok(newest.map(|one| time(one.end).saturating_since(time(one.newest))))
    }

    /// Returns the newest window that begins at or after `since` and whose table is complete, or `None` if there is
    /// none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn newest_complete(
        &self,
        tenant: &str,
        breakdown: &str,
        since: Timestamp,
    ) -> Result<Option<Window>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT start, ending FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 \
             AND NOT partial AND seen >= rows ORDER BY start DESC LIMIT 1",
        )?;
        let window = statement.query_row(params![tenant, breakdown, millis(since)], |row| {
            Ok(Window { start: time(row.get(0)?), end: time(row.get(1)?) })
        });
        Ok(window.optional()?)
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
            "SELECT start, ending, sessions, folded, smallest, k, partial OR seen < rows FROM tables \
             WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4",
        )?;
        let mut seen = 0;
        for table in published(&connection, Some(tenant))? {
            let (since, until) = (millis(since), millis(until));
            let mut found = statement.query(params![tenant, table.breakdown, since, until])?;
            let mut facts = TableFacts {
                tenant: tenant.to_owned(),
                breakdown: table.breakdown,
                window: Window { start: Timestamp::EPOCH, end: Timestamp::EPOCH },
                sessions: 0,
                folded: 0,
                smallest: 0,
                k: None,
                is_incomplete: false,
            };
            while let Some(row) = found.next()? {
                seen += 1;
                if seen > self.limits.read {
                    let fix = "set since to a later time";
                    return Err(ConsoleError::TooMany { most: self.limits.read, fix });
                }
                facts.window = Window { start: time(row.get(0)?), end: time(row.get(1)?) };
                (facts.sessions, facts.folded) = (row.get(2)?, row.get(3)?);
                (facts.smallest, facts.k) = (row.get(4)?, row.get(5)?);
                facts.is_incomplete = row.get(6)?;
                each(&facts);
            }
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
        let published = published(&self.lock(), Some(tenant))?;
        Ok(published.into_iter().map(|one| (one.breakdown, one.is_detail)).collect())
    }

    /// Returns the tenants. Each has three times: the start of its first window, and the start and the end of its
    /// newest window.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn tenants(&self) -> Result<BTreeMap<String, (Timestamp, Timestamp, Timestamp)>, ConsoleError> {
        let mut tenants = BTreeMap::new();
        for one in published(&self.lock(), None)? {
            let times = (time(one.first), time(one.newest), time(one.end));
            tenants
                .entry(one.tenant)
                .and_modify(|(first, newest, end): &mut (Timestamp, Timestamp, Timestamp)| {
                    *first = times.0.min(*first);
                    *newest = times.1.max(*newest);
                    *end = times.2.max(*end);
                })
                .or_insert(times);
        }
        Ok(tenants)
    }
}

/// Returns the published breakdowns of a tenant, or of all tenants. Each step seeks the next breakdown in the index, so
/// not all tables are read.
pub(super) fn published(
    connection: &Connection,
    tenant: Option<&str>,
) -> Result<Vec<Published>, ConsoleError> {
    let mut next = connection.prepare_cached(
        "SELECT tenant, breakdown FROM tables WHERE (tenant, breakdown) > (?1, ?2) ORDER BY tenant, breakdown LIMIT 1",
    )?;
    let mut first = connection.prepare_cached(
        "SELECT start FROM tables WHERE tenant = ?1 AND breakdown = ?2 ORDER BY start LIMIT 1",
    )?;
    let mut newest = connection.prepare_cached(
        "SELECT start, ending, detail FROM tables WHERE tenant = ?1 AND breakdown = ?2 \
         ORDER BY start DESC LIMIT 1",
    )?;
    let mut published = Vec::new();
    let mut last = (tenant.unwrap_or_default().to_owned(), String::new());
    loop {
        let found = next.query_row(params![last.0, last.1], |row| Ok((row.get(0)?, row.get(1)?)));
        let Some(found): Option<(String, String)> = found.optional()? else { break };
        if tenant.is_some_and(|tenant| tenant != found.0) {
            break;
        }
        let pair = params![found.0, found.1];
        let start = first.query_row(pair, |row| row.get(0))?;
        let (newest, end, detail): (i64, i64, i64) =
            newest.query_row(pair, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        published.push(Published {
            tenant: found.0.clone(),
            breakdown: found.1.clone(),
            first: start,
            newest,
            end,
            is_detail: detail == 1,
        });
        last = found;
    }
    Ok(published)
}
