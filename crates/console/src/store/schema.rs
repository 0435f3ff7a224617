//! Creates the tables of the store. The columns of numbers are derived from the lists of metrics.

use crowdfold_model::{ErrorClass, SumMetric, ValueMetric};
use rusqlite::Connection;

use crate::ConsoleError;

/// The version of the tables. A store with a newer version is refused.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS policies (id INTEGER PRIMARY KEY, policy TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS offsets (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part));
    CREATE TABLE IF NOT EXISTS tables (
        tenant TEXT, breakdown TEXT, start INTEGER, ending INTEGER NOT NULL, rows INTEGER NOT NULL,
        seen INTEGER NOT NULL, sessions INTEGER NOT NULL, folded INTEGER NOT NULL, smallest INTEGER NOT NULL,
        partial INTEGER NOT NULL, detail INTEGER NOT NULL, k INTEGER, added INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (tenant, breakdown, start)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS tables_by_start ON tables (start);
    CREATE TABLE IF NOT EXISTS rollups (
        tenant TEXT, breakdown TEXT, start INTEGER, span INTEGER, cell TEXT, policy INTEGER, kind INTEGER,
        length INTEGER NOT NULL, published INTEGER NOT NULL, sessions INTEGER NOT NULL, beacons INTEGER,
        summaries TEXT,
        PRIMARY KEY (tenant, breakdown, start, span, cell, policy, kind)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS rollups_by_start ON rollups (start);
";

/// The kind of a row that contains only session counts.
pub(super) const COUNTS_ONLY: i64 = 2;

/// The condition that the store contains all rows of the table of a row in `rollups`.
pub(super) const IS_COMPLETE: &str = "EXISTS (SELECT 1 FROM tables AS one WHERE one.tenant = rollups.tenant \
     AND one.breakdown = rollups.breakdown AND one.start = rollups.start AND one.seen >= one.rows)";

/// Creates the tables. If an older version of the program created them, adds columns for new metrics.
pub(super) fn create(connection: &Connection, path: &str) -> Result<(), ConsoleError> {
    let failed = |error| ConsoleError::Open { path: path.to_owned(), error };
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(ConsoleError::Newer { path: path.to_owned(), version, known: VERSION });
    }
    // with this journal, a crash loses at most the last batch, which is then read from the topic again
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    // rows past `ttl.rollups` must not stay readable in the free space of the file
    connection.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    connection.pragma_update(None, "cache_size", -65_536).map_err(failed)?;
    connection.execute_batch(TABLES).map_err(failed)?;
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_info('rollups')").map_err(failed)?;
    let known = statement.query_map([], |row| row.get(0)).map_err(failed)?;
    let known: Vec<String> = known.collect::<Result<_, _>>().map_err(failed)?;
    for column in numbers().filter(|column| !known.contains(column)) {
        connection
            .execute(&format!("ALTER TABLE rollups ADD COLUMN {column} INTEGER"), [])
            .map_err(failed)?;
    }
    connection.pragma_update(None, "user_version", VERSION).map_err(failed)
}

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
    /// Adds the rows of all windows before a time to the rows of their hours. Rows of incomplete tables are not added.
    pub(super) add_up: String,
    /// Reads the sums of each cell in each interval.
    pub(super) load: String,
}

impl Sql {
    pub(super) fn new() -> Self {
        let columns: Vec<String> = numbers().collect();
        let names = columns.join(", ");
        let summed: Vec<String> = columns.iter().map(|column| format!("SUM({column})")).collect();
        let summed = summed.join(", ");
        let marks = vec!["?"; 12 + columns.len()].join(", ");
        let plus: Vec<String> =
            columns.iter().map(|column| format!("{column} = {column} + excluded.{column}")).collect();
        let plus = plus.join(", ");
        Self {
            insert: format!(
                "INSERT OR IGNORE INTO rollups (tenant, breakdown, start, span, cell, policy, kind, length, \
                 published, sessions, beacons, summaries, {names}) VALUES ({marks})"
            ),
            add_up: format!(
                "INSERT INTO rollups (tenant, breakdown, start, span, cell, policy, kind, length, published, \
                 sessions, beacons, {names}) \
                 SELECT tenant, breakdown, start / ?1 * ?1 AS hour, ?1, cell, policy, kind, length, \
                 SUM(published), SUM(sessions), SUM(beacons), {summed} FROM rollups \
                 WHERE start < ?2 AND span < ?1 AND {IS_COMPLETE} \
                 GROUP BY tenant, breakdown, hour, cell, policy, kind, length \
                 ON CONFLICT DO UPDATE SET published = published + excluded.published, \
                 sessions = sessions + excluded.sessions, beacons = beacons + excluded.beacons, {plus}"
            ),
            load: format!(
                "SELECT start / ?5 * ?5 AS bucket, cell, policy, kind, length, SUM(published), SUM(sessions), \
                 SUM(beacons), {summed} FROM rollups \
                 WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4 \
                 GROUP BY bucket, cell, policy, kind, length"
            ),
        }
    }
}
