//! Writes to the store: adds rows, adds windows up to hours, and deletes expired rows.

use std::collections::BTreeSet;

use crowdfold_model::{ErrorClass, FOLDED, SumMetric, Timestamp, ValueMetric};
use crowdfold_query::{Numbers, Row};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Transaction, params, params_from_iter};

use super::schema::{COUNTS_ONLY, IS_COMPLETE};
use super::{AHEAD, Added, Batch, Store, millis};
use crate::ConsoleError;

/// The length of an hour in milliseconds. Old windows are added up to hours.
const HOUR: i64 = 3_600_000;

impl Store {
    /// Adds the rows of a batch and stores its offsets in one transaction.
    ///
    /// # Errors
    /// Returns an error if the database cannot be written, for example because the disk is full. No part of the batch
    /// is then stored.
    pub fn add(&self, batch: &Batch, now: Timestamp) -> Result<Added, ConsoleError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut added = Added::default();
        let mut windows = BTreeSet::new();
        let oldest = now.saturating_sub(self.lifetimes.rollups);
        for row in &batch.rows {
            let is_late = row.window.end > now.saturating_add(AHEAD);
            if row.window.end <= oldest || is_late || millis(row.window.end) == i64::MAX {
                added.out_of_time += 1;
            } else if self.insert(&transaction, row)? {
                added.rows += 1;
                windows.insert((row.tenant.clone(), row.window.start, row.window.end));
            } else {
                added.repeated += 1;
            }
        }
        for ((topic, part), next) in &batch.offsets {
            transaction
                .prepare_cached(
                    "INSERT INTO offsets VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET next = excluded.next",
                )?
                .execute(params![topic, part, next])?;
        }
        transaction.commit()?;
        added.windows = windows.into_iter().collect();
        Ok(added)
    }

    /// Adds old windows up to hours, and deletes expired rows. Tables of which the store does not contain all rows yet
    /// are not added up, because the other rows may be in the next batch.
    ///
    /// # Errors
    /// Returns an error if the database cannot be written.
    pub fn maintain(&self, now: Timestamp) -> Result<(), ConsoleError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let detail = millis(now.saturating_sub(self.lifetimes.detail)) / HOUR * HOUR;
        let expired = millis(now.saturating_sub(self.lifetimes.rollups));
        let mut deleted = transaction.execute("DELETE FROM tables WHERE ending <= ?1", [expired])?;
        // an hour expires at the same time as its first window
        deleted += transaction
            .execute("DELETE FROM rollups WHERE start < ?1 AND start + length <= ?1", [expired])?;
        transaction.execute(&self.sql.add_up, params![HOUR, detail])?;
        let added_up = format!("DELETE FROM rollups WHERE start < ?2 AND span < ?1 AND {IS_COMPLETE}");
        transaction.execute(&added_up, params![HOUR, detail])?;
        let mark = "UPDATE tables SET added = 1 WHERE start < ?1 AND added = 0 AND seen >= rows";
        transaction.execute(mark, [detail])?;
        transaction.commit()?;
        if deleted > 0 {
            // the journal still contains pages with deleted rows
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Adds a row. Returns false if the store already contains the row, or if its table was published before with
    /// another number of rows.
    fn insert(&self, transaction: &Transaction<'_>, row: &Row) -> Result<bool, ConsoleError> {
        let breakdown = row.breakdown_name();
        let start = millis(row.window.start);
        let (rows, sessions) = (whole(row.rows), whole(row.sessions));
        let known: Option<(i64, bool)> = transaction
            .prepare_cached(
                "SELECT rows, added FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3",
            )?
            .query_row(params![row.tenant, breakdown, start], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if known.is_some_and(|(known, added)| known != rows || added) {
            return Ok(false);
        }
        let policy = serde_json::to_string(&row.policy).unwrap_or_default();
        let policy = policy_id(transaction, &policy)?;
        let values = fields(row, policy);
        if transaction.prepare_cached(&self.sql.insert)?.execute(params_from_iter(values))? == 0 {
            return Ok(false);
        }
        let is_folded = row.dimensions.values().any(|value| value == FOLDED);
        transaction
            .prepare_cached(
                "INSERT INTO tables VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?6, ?8, ?9, ?10, 0) \
                 ON CONFLICT DO UPDATE SET seen = seen + 1, sessions = sessions + excluded.sessions, \
                 folded = folded + excluded.folded, smallest = MIN(smallest, excluded.smallest), \
                 partial = MAX(partial, excluded.partial)",
            )?
            .execute(params![
                row.tenant,
                breakdown,
                start,
                millis(row.window.end),
                rows,
                sessions,
                if is_folded { sessions } else { 0 },
                row.coverage.is_some(),
                detail(row),
                row.policy.k.map(whole),
            ])?;
        Ok(true)
    }
}

fn policy_id(transaction: &Transaction<'_>, policy: &str) -> Result<i64, ConsoleError> {
    transaction.prepare_cached("INSERT OR IGNORE INTO policies (policy) VALUES (?1)")?.execute([policy])?;
    let mut statement = transaction.prepare_cached("SELECT id FROM policies WHERE policy = ?1")?;
    Ok(statement.query_row([policy], |row| row.get(0))?)
}

/// Returns 1 if the row is in the detail table, 0 if it is in another table, and -1 if the row does not contain this
/// information.
fn detail(row: &Row) -> i64 {
    row.detail.map_or(-1, i64::from)
}

/// Returns the kind of a row, which is part of the key by which rows are added up: 2 if the row contains only session
/// counts, and otherwise the same number as [`detail`]. If rows with and without numbers were added to each other, the
/// sums would cover fewer sessions than the session count.
fn kind(row: &Row) -> i64 {
    if row.numbers() == Some(Numbers::Absent) { COUNTS_ONLY } else { detail(row) }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the values of the columns of a row, in the order of the statement.
fn fields(row: &Row, policy: i64) -> Vec<Value> {
    let cell: Vec<&str> = row.breakdown.iter().filter_map(|dimension| row.value(dimension)).collect();
    let length = whole(row.window.length().as_millis());
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
    let mut fields = vec![
        Value::Text(row.tenant.clone()),
        Value::Text(row.breakdown_name()),
        Value::Integer(millis(row.window.start)),
        Value::Integer(length),
        Value::Text(serde_json::to_string(&cell).unwrap_or_default()),
        Value::Integer(policy),
        Value::Integer(kind(row)),
        Value::Integer(length),
        Value::Integer(1),
        Value::Integer(whole(row.sessions)),
        number(row.beacons),
        summaries(row),
    ];
    let of = |metric| row.distribution(metric);
    fields.extend(SumMetric::ALL.map(|metric| number(row.sum(metric))));
    fields.extend(ValueMetric::ALL.map(|metric| number(of(metric).map(|summary| summary.sum))));
    fields.extend(
        ValueMetric::ALL.map(|metric| number(of(metric).and_then(|summary| summary.sessions).map(whole))),
    );
    fields.extend(ErrorClass::ALL.map(|class| {
        number(row.errors.as_ref().map(|errors| errors.get(class.name()).copied().unwrap_or_default()))
    }));
    fields
}

/// Returns the histograms of the row as JSON, in the order of the metrics.
fn summaries(row: &Row) -> Value {
    let histograms: Vec<_> = ValueMetric::ALL
        .map(|metric| row.distribution(metric).and_then(|summary| summary.histogram.as_ref()))
        .into_iter()
        .collect();
    if histograms.iter().all(Option::is_none) {
        return Value::Null;
    }
    serde_json::to_string(&histograms).map_or(Value::Null, Value::Text)
}
