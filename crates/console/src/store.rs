//! The store of rollups: SQLite in memory or on disk.

mod load;
mod schema;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use rusqlite::Connection;

use crate::ConsoleError;

pub use load::Selection;

/// The name of the file of the store.
const FILE: &str = "console.sqlite";

/// The maximum time by which a window may be ahead of the clock. Rows of later windows are refused, because they would
/// stay too long in the store.
const AHEAD: Span = Span::HOUR;

/// The maximum numbers of rows of one request. They limit its memory and its time.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The rows that are read from the database.
    read: usize,
    /// The rows that are in memory at the same time, after the windows of each interval are added up.
    kept: usize,
}

const LIMITS: Limits = Limits { read: 4_000_000, kept: 100_000 };

/// The times after which rows are added up and deleted.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// The time after which the rows of windows are added up to rows of hours.
    pub detail: Span,
    /// The time after which rows are deleted.
    pub rollups: Span,
}

/// A store of rollups.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    lifetimes: Lifetimes,
    limits: Limits,
    sql: schema::Sql,
}

/// The rows of a batch of records, with the offsets after the batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// The rows.
    pub rows: Vec<Row>,
    /// The next offset to read, for each topic and partition.
    pub offsets: BTreeMap<(String, i32), i64>,
}

/// The result of adding a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// The number of rows that were not in the store before.
    pub rows: u64,
    /// The number of rows that the store already contained, or that belong to a second publication of their table.
    pub repeated: u64,
    /// The number of rows whose time-to-live is over, or whose window is in the future.
    pub out_of_time: u64,
    /// The new windows, as (tenant, start, end).
    pub windows: Vec<(String, Timestamp, Timestamp)>,
}

impl Store {
    /// Opens the store in a directory. Without a directory, creates an empty store in memory.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, or if a newer version of the program wrote it.
    pub fn open(directory: Option<&Path>, lifetimes: Lifetimes) -> Result<Self, ConsoleError> {
        let path = directory.map(|directory| directory.join(FILE));
        let connection = match &path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let shown = path.map_or_else(|| "in memory".into(), |path| path.display().to_string());
        let failed = |error| ConsoleError::Open { path: shown.clone(), error };
        let connection = connection.map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::create(&connection, &shown)?;
        Ok(Self { connection: Mutex::new(connection), lifetimes, limits: LIMITS, sql: schema::Sql::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // a poisoned lock is harmless, because the transaction of the thread that panicked was rolled back
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next offset to read of each partition of a topic.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn offsets(&self, topic: &str) -> Result<BTreeMap<i32, i64>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT part, next FROM offsets WHERE topic = ?1")?;
        let offsets = statement.query_map([topic], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(offsets.collect::<Result<_, _>>()?)
    }
}

/// Converts a time to an integer of the database, which has 63 bits and a sign.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Converts an integer of the database to a time.
fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}
