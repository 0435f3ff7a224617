//! The store of rollups: SQLite in memory or on disk.

mod facts;
mod load;
mod maintain;
mod plan;
mod ranges;
mod schema;
mod sums;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use rusqlite::Connection;

use crate::ConsoleError;

pub use load::Selection;

/// The name of the file of the store.
const FILE: &str = "console.sqlite";

/// The name of the file that a console locks while it uses the store.
const LOCK: &str = "console.lock";

/// The maximum time by which a window may be ahead of the clock. Rows of later windows are refused, because they would
/// stay too long in the store.
const AHEAD: Span = Span::HOUR;

/// The length of an hour in milliseconds. Windows are added up to hours.
const HOUR: i64 = 3_600_000;

/// The maximum numbers of rows of one request. They limit its memory and its time.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The rows that are read from the database.
    read: usize,
    /// The rows that are in memory at the same time, after the windows of each interval are added up.
    kept: usize,
}

const LIMITS: Limits = Limits { read: 2_000_000, kept: 50_000 };

/// The times after which rows are added up and deleted.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// The time after which windows are kept as part of the sums of their hours only.
    pub detail: Span,
    /// The time after which rows are deleted.
    pub rollups: Span,
}

/// A store of rollups.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// Keeps the lock on the directory of the store. `None` if the store is in memory.
    _lock: Option<File>,
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
    /// The number of rows whose time-to-live is over.
    pub expired: u64,
    /// The number of rows whose window ends more than an hour after the current time.
    pub ahead: u64,
    /// The new windows, as (tenant, start, end).
    pub windows: Vec<(String, Timestamp, Timestamp)>,
}

impl Store {
    /// Opens the store in a directory. Without a directory, creates an empty store in memory.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened, if another console uses it, or if another version of the program
    /// wrote it.
    pub fn open(directory: Option<&Path>, lifetimes: Lifetimes) -> Result<Self, ConsoleError> {
        let lock = directory.map(lock).transpose()?.flatten();
        let path = directory.map(|directory| directory.join(FILE));
        let connection = match &path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let shown = path.map_or_else(|| "in memory".into(), |path| path.display().to_string());
        let failed = |error| ConsoleError::Open { path: shown.clone(), error };
        let mut connection = connection.map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::create(&mut connection, &shown)?;
        Ok(Self {
            connection: Mutex::new(connection),
            _lock: lock,
            lifetimes,
            limits: LIMITS,
            sql: schema::Sql::new(),
        })
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

/// Locks the directory of a store. Two consoles would read each record twice, and would wait for each other. Returns
/// `None` if the file of the lock cannot be created; SQLite then reports the reason, or locks the store itself.
fn lock(directory: &Path) -> Result<Option<File>, ConsoleError> {
    let path = directory.join(LOCK);
    let Ok(file) = File::options().create(true).truncate(false).write(true).open(&path) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(ConsoleError::InUse { path: directory.join(FILE).display().to_string() })
        }
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// Returns the length of the intervals in milliseconds. If the selection has no step, all windows are in one interval,
/// which begins at 0.
fn step(selection: &Selection) -> i64 {
    selection.step.map_or(i64::MAX, |step| i64::try_from(step.as_millis()).unwrap_or(i64::MAX))
}

/// Converts a time to an integer of the database, which has 63 bits and a sign.
fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Converts an integer of the database to a time.
fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}
