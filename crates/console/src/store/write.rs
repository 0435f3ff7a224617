//! Adds published rows to the store.

use std::collections::{BTreeSet, HashMap};

use crowdfold_model::{ErrorClass, FOLDED, SumMetric, Timestamp, ValueMetric};
use crowdfold_query::{Numbers, Row};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Transaction, params, params_from_iter};

use super::schema::{COUNTS_ONLY, State};
use super::{AHEAD, Added, Batch, HOUR, Store, millis, ranges};
use crate::ConsoleError;

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
        let (mut windows, mut policies) = (BTreeSet::new(), HashMap::new());
        let oldest = now.saturating_sub(self.lifetimes.rollups);
        for row in &batch.rows {
            let is_ahead = row.window.end > now.saturating_add(AHEAD);
            if row.window.end <= oldest {
                added.expired += 1;
            } else if is_ahead || millis(row.window.end) == i64::MAX {
                added.ahead += 1;
            } else if self.insert(&transaction, row, &mut policies)? {
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

    /// Adds a row. Returns false if the store already contains the row or all rows of its table, or if its table was
    /// published before with another number of rows.
    fn insert(
        &self,
        transaction: &Transaction<'_>,
        row: &Row,
        policies: &mut HashMap<String, i64>,
    ) -> Result<bool, ConsoleError> {
        let breakdown = row.breakdown_name();
        let start = millis(row.window.start);
        let (rows, sessions) = (whole(row.rows), whole(row.sessions));
        let known: Option<(i64, i64)> = transaction
            .prepare_cached(
                "SELECT rows, seen FROM tables WHERE tenant = ?1 AND breakdown = ?2 AND start = ?3",
            )?
            .query_row(params![row.tenant, breakdown, start], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if known.is_some_and(|(known, seen)| known != rows || seen >= known) {
            return Ok(false);
        }
        let policy = serde_json::to_string(&row.policy).unwrap_or_default();
        let policy = match policies.get(&policy) {
            Some(id) => *id,
            None => *policies.entry(policy.clone()).or_insert(policy_id(transaction, &policy)?),
        };
        let values = fields(row, policy);
        if transaction.prepare_cached(&self.sql.insert)?.execute(params_from_iter(values))? == 0 {
            return Ok(false);
        }
        let is_folded = row.dimensions.values().any(|value| value == FOLDED);
        transaction
            .prepare_cached(
                "INSERT INTO tables VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?6, ?8, ?9, ?10, ?11) \
                 ON CONFLICT DO UPDATE SET seen = seen + 1, \
                 sessions = MIN(sessions + excluded.sessions, 9223372036854775807), \
                 folded = MIN(folded + excluded.folded, 9223372036854775807), \
                 smallest = MIN(smallest, excluded.smallest), \
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
                if length(row) < HOUR { State::WINDOW } else { State::LONG },
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

/// Returns the length of the window of a row in milliseconds.
fn length(row: &Row) -> i64 {
    whole(row.window.length().as_millis())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the values of the columns of a row, in the order of the statement.
fn fields(row: &Row, policy: i64) -> Vec<Value> {
    let cell: Vec<&str> = row.breakdown.iter().filter_map(|dimension| row.value(dimension)).collect();
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
    let mut fields = vec![
        Value::Text(row.tenant.clone()),
        Value::Text(row.breakdown_name()),
        Value::Integer(millis(row.window.start)),
        Value::Text(serde_json::to_string(&cell).unwrap_or_default()),
        Value::Integer(policy),
        Value::Integer(kind(row)),
        Value::Integer(length(row)),
        Value::Integer(whole(row.sessions)),
        number(row.beacons),
        ranges::encode(row).map_or(Value::Null, Value::Blob),
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
