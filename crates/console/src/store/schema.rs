//! Creates the tables of the store. The columns of numbers are derived from the lists of metrics.

use crowdfold_model::{ErrorClass, SumMetric, ValueMetric};
use rusqlite::{Connection, Transaction};

use crate::ConsoleError;

/// The version of the tables. A store with another version is refused.
const VERSION: i64 = 2;

/// `rollups` contains published rows. `sums` contains the sums of the rows of an hour, and `histograms` the sums of
/// their histograms. `tables` contains one row for each published table; its column `state` is described in [`State`].
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS policies (id INTEGER PRIMARY KEY, policy TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS offsets (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part));
    CREATE TABLE IF NOT EXISTS tables (
        tenant TEXT, breakdown TEXT, start INTEGER, ending INTEGER NOT NULL, rows INTEGER NOT NULL,
        seen INTEGER NOT NULL, sessions INTEGER NOT NULL, folded INTEGER NOT NULL, smallest INTEGER NOT NULL,
        partial INTEGER NOT NULL, detail INTEGER NOT NULL, k INTEGER, state INTEGER NOT NULL,
        PRIMARY KEY (tenant, breakdown, start)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS tables_by_start ON tables (start);
    CREATE INDEX IF NOT EXISTS tables_by_state ON tables (state, tenant, breakdown, start);
    CREATE TABLE IF NOT EXISTS rollups (
        tenant TEXT, breakdown TEXT, start INTEGER, cell TEXT, policy INTEGER, kind INTEGER, length INTEGER,
        sessions INTEGER NOT NULL, beacons INTEGER, {numbers}, histograms BLOB,
        PRIMARY KEY (tenant, breakdown, start, cell, policy, kind)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sums (
        tenant TEXT, breakdown TEXT, start INTEGER, cell TEXT, policy INTEGER, kind INTEGER, length INTEGER,
        published INTEGER NOT NULL, sessions INTEGER NOT NULL, beacons INTEGER, {numbers},
        PRIMARY KEY (tenant, breakdown, start, cell, policy, kind, length)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS histograms (
        tenant TEXT, breakdown TEXT, metric TEXT, start INTEGER, cell TEXT, policy INTEGER, kind INTEGER,
        length INTEGER, published INTEGER NOT NULL, ranges BLOB NOT NULL,
        PRIMARY KEY (tenant, breakdown, metric, start, cell, policy, kind, length)) WITHOUT ROWID;
";

/// The kind of a row that contains only session counts.
pub(super) const COUNTS_ONLY: i64 = 2;

/// The state of a published table.
pub(super) struct State;

impl State {
    /// The rows of the table are not part of the sums of its hour.
    pub(super) const WINDOW: i64 = 0;
    /// The rows of the table are part of the sums of its hour, and are also kept as they were published.
    pub(super) const ADDED: i64 = 1;
    /// The rows of the table are kept as part of the sums of its hour only.
    pub(super) const HOUR: i64 = 2;
    /// The rows of the table are never added up, because its window is not shorter than an hour.
    pub(super) const LONG: i64 = 3;
}

/// Opens the tables of a store, or creates them in an empty file. Adds columns for new metrics.
pub(super) fn create(connection: &mut Connection, path: &str) -> Result<(), ConsoleError> {
    let failed = |error| ConsoleError::Open { path: path.to_owned(), error };
    // No other connection uses the store, so no file of shared memory is needed. Such a file could not be created on a
    // full disk, but the rows of the store must stay readable.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(failed)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let objects: i64 =
        connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(ConsoleError::Newer { path: path.to_owned(), version, known: VERSION });
    }
    if version < VERSION && objects > 0 {
        return Err(ConsoleError::Older { path: path.to_owned(), version, known: VERSION });
    }
    // with this journal, a crash loses at most the last batch, which is then read from the topic again
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    // rows past their time-to-live must not stay readable in the free space of the file
    connection.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    // temporary files could be on a full or read-only disk
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    let transaction = connection.transaction().map_err(failed)?;
    let columns: Vec<String> = numbers().map(|column| format!("{column} INTEGER")).collect();
    transaction.execute_batch(&TABLES.replace("{numbers}", &columns.join(", "))).map_err(failed)?;
    for table in ["rollups", "sums"] {
        add_columns(&transaction, table).map_err(failed)?;
    }
    if version != VERSION {
        transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Adds the columns of metrics that did not exist when the table was created.
fn add_columns(transaction: &Transaction<'_>, table: &str) -> Result<(), rusqlite::Error> {
    let mut statement = transaction.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let known = statement.query_map([table], |row| row.get(0))?;
    let known: Vec<String> = known.collect::<Result<_, _>>()?;
    for column in numbers().filter(|column| !known.contains(column)) {
        transaction.execute(&format!("ALTER TABLE {table} ADD COLUMN {column} INTEGER"), [])?;
    }
    Ok(())
}

/// The number of columns that [`numbers`] returns.
pub(super) const NUMBERS: usize = SumMetric::COUNT + 2 * ValueMetric::COUNT + ErrorClass::COUNT;

/// Returns the names of the columns whose numbers are added up. The order is: sums, then the sums and sessions of
/// values, then the classes of errors.
pub(super) fn numbers() -> impl Iterator<Item = String> {
    let sums = SumMetric::ALL.into_iter().map(|metric| format!("sum_{}", metric.name()));
    let values = ValueMetric::ALL.into_iter().map(|metric| format!("value_{}", metric.name()));
    let sessions = ValueMetric::ALL.into_iter().map(|metric| format!("sessions_{}", metric.name()));
    let errors = ErrorClass::ALL.into_iter().map(|class| format!("errors_{}", class.name()));
    sums.chain(values).chain(sessions).chain(errors)
}

/// The SQL statements whose columns are derived from the lists of metrics.
#[derive(Debug)]
pub(super) struct Sql {
    /// Adds a published row, unless the store contains it already.
    pub(super) insert: String,
    /// Writes the sums of a cell in an hour.
    pub(super) replace: String,
    /// Reads the rows of all windows in a period.
    pub(super) windows: String,
    /// Reads the rows of the windows in a period that are not part of the sums of hours.
    pub(super) rest: String,
    /// Reads the sums of hours in a period.
    pub(super) hours: String,
}

impl Sql {
    pub(super) fn new() -> Self {
        let names = numbers().collect::<Vec<_>>().join(", ");
        let marks = |others: usize| vec!["?"; others + NUMBERS].join(", ");
        let read = |table: &str, published: &str, more: &str| {
            format!(
                "SELECT start, cell, policy, kind, length, {published}, sessions, beacons, {names} FROM {table} \
                 WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4{more}"
            )
        };
        let is_rest = " AND EXISTS (SELECT 1 FROM tables AS one WHERE one.tenant = rollups.tenant \
                       AND one.breakdown = rollups.breakdown AND one.start = rollups.start AND one.state IN (0, 3))";
        Self {
            insert: format!(
                "INSERT OR IGNORE INTO rollups (tenant, breakdown, start, cell, policy, kind, length, sessions, \
                 beacons, histograms, {names}) VALUES ({})",
                marks(10)
            ),
            replace: format!(
                "INSERT OR REPLACE INTO sums (tenant, breakdown, start, cell, policy, kind, length, published, \
                 sessions, beacons, {names}) VALUES ({})",
                marks(10)
            ),
            windows: read("rollups", "1", ""),
            rest: read("rollups", "1", is_rest),
            hours: read("sums", "published", ""),
        }
    }
}
