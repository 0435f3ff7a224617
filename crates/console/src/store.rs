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

/// The most that a window may be ahead of the clock. Later ones are refused, because they would never expire.
const AHEAD: Span = Span::HOUR;

/// The lifetimes of rows.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// The time after which rows of windows are added up to hours.
    pub detail: Span,
    /// The time after which rows are deleted.
    pub rollups: Span,
}

/// A store of rollups.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    lifetimes: Lifetimes,
    sql: schema::Sql,
}

/// The rows of a batch of records, with the position after them.
#[derive(Debug, Default)]
pub struct Batch {
    /// The rows.
    pub rows: Vec<Row>,
    /// The next offset of each partition of each topic.
    pub offsets: BTreeMap<(String, i32), i64>,
}

/// The result of adding a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Rows that were not in the store.
    pub rows: u64,
    /// Rows that are in the store already, or belong to a second publication of their table.
    pub repeated: u64,
    /// Rows whose time-to-live is over, or whose window is in the future.
    pub out_of_time: u64,
    /// The tenants and windows of new rows.
    pub windows: Vec<(String, Timestamp, Timestamp)>,
}

impl Store {
    /// Opens the store in a directory, or an empty one in memory.
    ///
    /// # Errors
    /// The file cannot be opened, or a newer version of the program wrote it.
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
        Ok(Self { connection: Mutex::new(connection), lifetimes, sql: schema::Sql::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // a transaction that panicked was rolled back when it was dropped
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next offset of each partition of a topic.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn offsets(&self, topic: &str) -> Result<BTreeMap<i32, i64>, ConsoleError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT part, next FROM offsets WHERE topic = ?1")?;
        let offsets = statement.query_map([topic], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(offsets.collect::<Result<_, _>>()?)
    }
}

/// Converts a time to an integer of the database, which has 63 bits.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Converts an integer of the database to a time.
fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}
