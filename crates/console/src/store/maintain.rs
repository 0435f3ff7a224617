//! Adds windows up to hours, and deletes expired rows.

use std::collections::BTreeMap;

use crowdfold_model::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::facts::published;
use super::ranges::{Ranges, decode};
use super::schema::State;
use super::sums::{Cells, Key, Sums};
use super::{HOUR, Store, millis};
use crate::ConsoleError;

/// The approximate number of rows that one transaction adds up or deletes. Requests wait for the end of a transaction.
const ROWS: i64 = 10_000;

/// A breakdown of a tenant.
type Table<'a> = (&'a str, &'a str);

impl Store {
    /// Adds windows up to the sums of their hours, deletes the rows of windows that are older than
    /// [`Lifetimes::detail`](super::Lifetimes::detail), and deletes expired rows. Tables of which the store does not
    /// contain all rows yet are not added up, because the other rows may be in the next batch.
    ///
    /// # Errors
    /// Returns an error if the database cannot be written.
    pub fn maintain(&self, now: Timestamp) -> Result<(), ConsoleError> {
        let ended = millis(now) / HOUR * HOUR;
        let detail = millis(now.saturating_sub(self.lifetimes.detail)) / HOUR * HOUR;
        let expired = millis(now.saturating_sub(self.lifetimes.rollups));
        let known = published(&self.lock(), None)?;
        let mut deleted = 0;
        for one in &known {
            let table = (one.tenant.as_str(), one.breakdown.as_str());
            deleted += self.repeat(|transaction| expire(transaction, table, expired))?;
            self.repeat(|transaction| self.add_up(transaction, table, (expired, ended)))?;
            deleted += self.repeat(|transaction| drop_windows(transaction, table, detail))?;
        }
        if deleted > 0 {
            // the journal still contains pages with deleted rows
            self.lock().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Repeats a step, each time in its own transaction, until it does nothing. Returns the sum of its results.
    fn repeat(
        &self,
        step: impl Fn(&Transaction<'_>) -> Result<usize, ConsoleError>,
    ) -> Result<usize, ConsoleError> {
        let mut total = 0;
        loop {
            let mut connection = self.lock();
            let transaction = connection.transaction()?;
            let done = step(&transaction)?;
            transaction.commit()?;
            drop(connection);
            if done == 0 {
                return Ok(total);
            }
            total += done;
            // requests may wait for the connection
            std::thread::yield_now();
        }
    }

    /// Adds the next windows of a table to the sums of their hours. Returns the number of windows.
    fn add_up(
        &self,
        transaction: &Transaction<'_>,
        table: Table<'_>,
        (expired, ended): (i64, i64),
    ) -> Result<usize, ConsoleError> {
        // an hour whose first window may have expired is not added up, because it would be deleted immediately
        let starts = starts(
            transaction,
            "SELECT start, seen FROM tables WHERE state = 0 AND tenant = ?1 AND breakdown = ?2 AND start < ?3 \
             AND seen >= rows AND start / 3600000 * 3600000 >= ?4 ORDER BY start LIMIT 1000",
            params![table.0, table.1, ended, expired],
        )?;
        for windows in starts.chunk_by(|one, other| one / HOUR == other / HOUR) {
            self.add_to_hour(transaction, table, windows)?;
            for start in windows {
                set_state(transaction, (table.0, table.1, *start), State::ADDED)?;
            }
        }
        Ok(starts.len())
    }

    /// Adds windows of one hour to its sums.
    fn add_to_hour(
        &self,
        transaction: &Transaction<'_>,
        (tenant, breakdown): Table<'_>,
        windows: &[i64],
    ) -> Result<(), ConsoleError> {
        let Some(hour) = windows.first().map(|start| start / HOUR * HOUR) else { return Ok(()) };
        let mut sums = Sums::default();
        let mut histograms = Histograms::read(transaction, (tenant, breakdown), hour)?;
        let earlier = (&self.sql.hours, hour);
        for (sql, start) in
            [earlier].into_iter().chain(windows.iter().map(|start| (&self.sql.windows, *start)))
        {
            let mut statement = transaction.prepare_cached(sql)?;
            let mut found = statement.query(params![tenant, breakdown, start, start + 1])?;
            while let Some(row) = found.next()? {
                sums.add(row, HOUR)?;
            }
        }
        for start in windows {
            histograms.add(transaction, (tenant, breakdown), *start)?;
        }
        let mut replace = transaction.prepare_cached(&self.sql.replace)?;
        for (key, total) in sums.sorted() {
            let key = [
                Value::Text(tenant.to_owned()),
                Value::Text(breakdown.to_owned()),
                Value::Integer(hour),
                Value::Text(sums.cells.text(key.cell).to_owned()),
                Value::Integer(key.policy),
                Value::Integer(key.kind),
                Value::Integer(key.length),
            ];
            replace.execute(params_from_iter(key.into_iter().chain(total.columns())))?;
        }
        histograms.write(transaction, (tenant, breakdown), hour)
    }
}

/// Deletes expired rows of a table. An hour expires at the same time as its first window. Returns the number of deleted
/// rows.
fn expire(
    transaction: &Transaction<'_>,
    (tenant, breakdown): Table<'_>,
    expired: i64,
) -> Result<usize, ConsoleError> {
    let mut deleted = transaction
        .prepare_cached(
            "DELETE FROM sums WHERE tenant = ?1 AND breakdown = ?2 AND start < ?3 AND start + length <= ?3",
        )?
        .execute(params![tenant, breakdown, expired])?;
    if deleted > 0 {
        deleted += transaction
            .prepare_cached(
                "DELETE FROM histograms WHERE tenant = ?1 AND breakdown = ?2 AND start < ?3 AND start + length <= ?3",
            )?
            .execute(params![tenant, breakdown, expired])?;
        // other windows of such an hour remain only if they are also kept as they were published
        let of_hour = "tenant = ?1 AND breakdown = ?2 AND start / 3600000 * 3600000 < ?3 \
             AND start / 3600000 * 3600000 + ending - start <= ?3";
        transaction
            .prepare_cached(&format!("DELETE FROM tables WHERE state = 2 AND {of_hour}"))?
            .execute(params![tenant, breakdown, expired])?;
        transaction
            .prepare_cached(&format!("UPDATE tables SET state = 0 WHERE state = 1 AND {of_hour}"))?
            .execute(params![tenant, breakdown, expired])?;
    }
    let windows = starts(
        transaction,
        "SELECT start, seen FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND start < ?3 AND ending <= ?3 \
         ORDER BY start LIMIT 1000",
        params![tenant, breakdown, expired],
    )?;
    for start in &windows {
        for table in ["rollups", "tables"] {
            transaction
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3"
                ))?
                .execute(params![tenant, breakdown, start])?;
        }
    }
    Ok(deleted + windows.len())
}

/// Deletes the published rows of the next windows before a time that are part of the sums of their hours. Returns the
/// number of windows.
fn drop_windows(
    transaction: &Transaction<'_>,
    (tenant, breakdown): Table<'_>,
    before: i64,
) -> Result<usize, ConsoleError> {
    let starts = starts(
        transaction,
        "SELECT start, seen FROM tables WHERE state = 1 AND tenant = ?1 AND breakdown = ?2 AND start < ?3 \
         ORDER BY start LIMIT 1000",
        params![tenant, breakdown, before],
    )?;
    for start in &starts {
        transaction
            .prepare_cached("DELETE FROM rollups WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3")?
            .execute(params![tenant, breakdown, start])?;
        set_state(transaction, (tenant, breakdown, *start), State::HOUR)?;
    }
    Ok(starts.len())
}

/// Returns the starts of the first windows that a statement finds. They have approximately [`ROWS`] rows.
fn starts(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<i64>, ConsoleError> {
    let mut statement = transaction.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    let (mut starts, mut rows) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        starts.push(row.get(0)?);
        rows += row.get::<_, i64>(1)?;
        if rows >= ROWS {
            break;
        }
    }
    Ok(starts)
}

fn set_state(
    transaction: &Transaction<'_>,
    (tenant, breakdown, start): (&str, &str, i64),
    state: i64,
) -> Result<(), ConsoleError> {
    transaction
        .prepare_cached("UPDATE tables SET state = ?4 WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3")?
        .execute(params![tenant, breakdown, start, state])?;
    Ok(())
}

/// The sums of the histograms of an hour, by metric and cell, with the number of published rows.
#[derive(Default)]
struct Histograms {
    cells: Cells,
    sums: BTreeMap<String, std::collections::HashMap<Key, (i64, Ranges)>>,
}

impl Histograms {
    fn read(transaction: &Transaction<'_>, table: Table<'_>, hour: i64) -> Result<Self, ConsoleError> {
        let mut histograms = Self::default();
        let mut statement = transaction.prepare_cached(
            "SELECT metric, cell, policy, kind, length, published, ranges FROM histograms \
             WHERE tenant = ?1 AND breakdown = ?2 AND metric = ?3 AND start = ?4",
        )?;
        for metric in crowdfold_model::ValueMetric::ALL {
            let mut found = statement.query(params![table.0, table.1, metric.name(), hour])?;
            while let Some(row) = found.next()? {
                let key = histograms.key(row)?;
                let sum =
                    histograms.sums.entry(metric.name().to_owned()).or_default().entry(key).or_default();
                sum.0 = row.get(5)?;
                sum.1.add(row.get_ref(6)?.as_blob()?);
            }
        }
        Ok(histograms)
    }

    fn add(
        &mut self,
        transaction: &Transaction<'_>,
        table: Table<'_>,
        start: i64,
    ) -> Result<(), ConsoleError> {
        let mut statement = transaction.prepare_cached(
            "SELECT 0, cell, policy, kind, length, histograms FROM rollups \
             WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3 AND histograms IS NOT NULL",
        )?;
        let mut found = statement.query(params![table.0, table.1, start])?;
        while let Some(row) = found.next()? {
            let key = self.key(row)?;
            for (metric, ranges) in decode(row.get_ref(5)?.as_blob()?) {
                let metric = String::from_utf8_lossy(metric).into_owned();
                let sum = self.sums.entry(metric).or_default().entry(key).or_default();
                sum.0 += 1;
                sum.1.add(ranges);
            }
        }
        Ok(())
    }

    fn key(&mut self, row: &rusqlite::Row<'_>) -> Result<Key, ConsoleError> {
        let cell = self.cells.number(row.get_ref(1)?.as_str()?);
        Ok(Key { start: 0, cell, policy: row.get(2)?, kind: row.get(3)?, length: row.get(4)? })
    }

    fn write(&self, transaction: &Transaction<'_>, table: Table<'_>, hour: i64) -> Result<(), ConsoleError> {
        let mut replace = transaction.prepare_cached(
            "INSERT OR REPLACE INTO histograms VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        for (metric, cells) in &self.sums {
            for (key, (rows, ranges)) in cells {
                let cell = self.cells.text(key.cell);
                replace.execute(params![
                    table.0,
                    table.1,
                    metric,
                    hour,
                    cell,
                    key.policy,
                    key.kind,
                    key.length,
                    rows,
                    ranges.bytes(),
                ])?;
            }
        }
        Ok(())
    }
}
