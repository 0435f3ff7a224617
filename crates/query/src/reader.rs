//! Reads the records of a topic of rollups.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crowdfold_model::{ROLLUP_SCHEMA, Timestamp, Window};
use serde::Deserialize;

use crate::Query;
use crate::row::Row;

#[cfg(test)]
mod tests;

/// A reader that receives the values of records one by one, in the order of the topic. The reader checks that each
/// table is complete and occurs only once.
#[derive(Debug, Default)]
pub struct Reader {
    query: Option<Query>,
    rows: Vec<Row>,
    tables: HashMap<TableKey, Seen>,
    breakdowns: BTreeSet<String>,
    /// The number of records with an unknown schema, by the name of the schema. The name is empty for records without a
    /// schema.
    other_schemas: BTreeMap<String, u64>,
    malformed: u64,
    /// The time from the start of the first to the end of the last window outside the queried period.
    outside: Option<Window>,
    repeated_rows: u64,
    repeated_tables: HashSet<TableKey>,
}

/// The tenant, the breakdown and the start of the window, which identify a table.
type TableKey = (String, String, Timestamp);

#[derive(Debug)]
struct Seen {
    /// The number of rows of the table. Each row contains this number; the first row that was read determines it.
    rows: u64,
    numbers: HashSet<u64>,
    partial_coverage: bool,
}

/// The maximum number of unknown schemas that are counted by name.
const SCHEMAS_NAMED: usize = 8;

/// The field `schema` of a record. Only records with the known schema are parsed further.
#[derive(Deserialize)]
struct Schema {
    schema: Option<String>,
}

impl Row {
    /// Parses a row from the value of a record. Returns `None` if the value is not a consistent row of this version of
    /// the schema.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let Schema { schema } = serde_json::from_slice(value).ok()?;
        let row: Self =
            (schema.as_deref() == Some(ROLLUP_SCHEMA)).then(|| serde_json::from_slice(value).ok())??;
        (row.is_sound() && row.numbers().is_some()).then_some(row)
    }
}

impl Reader {
    /// Creates a reader that stores every row.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a reader that stores only the rows that the query may use. The reader checks all tables in the queried
    /// period, but stores no other rows.
    #[must_use]
    pub fn for_query(query: &Query) -> Self {
        Self { query: Some(query.clone()), ..Self::default() }
    }

    /// Reads the value of one record. If the record cannot be read, it is counted, and [`Reader::notes`] reports the
    /// count.
    pub fn push(&mut self, value: &[u8]) {
        let Ok(Schema { schema }) = serde_json::from_slice(value) else {
            self.malformed += 1;
            return;
        };
        if schema.as_deref() != Some(ROLLUP_SCHEMA) {
            self.pass_over(&schema.unwrap_or_default());
            return;
        }
        match serde_json::from_slice::<Row>(value) {
            Ok(row) if row.is_sound() && row.numbers().is_some() => self.take(row),
            _ => self.malformed += 1,
        }
    }

    fn pass_over(&mut self, schema: &str) {
        let name = short(schema);
        let known = self.other_schemas.contains_key(&name) || self.other_schemas.len() < SCHEMAS_NAMED;
        *self.other_schemas.entry(if known { name } else { "…".into() }).or_default() += 1;
    }

    fn take(&mut self, row: Row) {
        if self.query.as_ref().is_some_and(|query| !query.in_time(&row)) {
            let Window { start, end } = self.outside.unwrap_or(row.window);
            self.outside = Some(Window { start: start.min(row.window.start), end: end.max(row.window.end) });
            return;
        }
        let breakdown = row.breakdown_name();
        if !self.breakdowns.contains(&breakdown) {
            self.breakdowns.insert(breakdown.clone());
        }
        let key = (row.tenant.clone(), breakdown, row.window.start);
        let seen = self.tables.entry(key.clone()).or_insert_with(|| Seen {
            rows: row.rows,
            numbers: HashSet::new(),
            partial_coverage: row.coverage.is_some(),
        });
        // A table with the same key and another number of rows is another publication of that table. Only the first
        // publication is used.
        if row.rows != seen.rows || !seen.numbers.insert(row.row) {
            self.repeated_rows += 1;
            self.repeated_tables.insert(key);
            return;
        }
        if self.query.as_ref().is_none_or(|query| query.selects(&row)) {
            self.rows.push(row);
        }
    }

    /// Returns the rows that were stored so far, in the order of the records.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns the breakdowns that occurred in the queried period so far, by name (`os.browser`).
    pub fn breakdowns(&self) -> impl Iterator<Item = &str> {
        self.breakdowns.iter().map(String::as_str)
    }

    /// Returns the time from the start of the first to the end of the last window that was read and is outside the
    /// queried period. Returns `None` if there was no such window.
    #[must_use]
    pub const fn outside(&self) -> Option<Window> {
        self.outside
    }

    /// Returns the tenants that occurred in the queried period so far. The boolean is true if the tenant published a
    /// table of this breakdown.
    #[must_use]
    pub fn tenants(&self, breakdown: &str) -> BTreeMap<&str, bool> {
        let mut tenants = BTreeMap::new();
        for (tenant, table, _) in self.tables.keys() {
            *tenants.entry(tenant.as_str()).or_default() |= table == breakdown;
        }
        tenants
    }

    /// Returns the notes on records that a person needs to interpret the answer. Each note is one line. There are no
    /// notes if all records could be read and all tables are complete.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (schema, records) in &self.other_schemas {
            let named = if schema.is_empty() { "no schema".into() } else { format!("schema {schema:?}") };
            notes.push(format!(
                "skipped records of {named}: {records}, because this version reads {ROLLUP_SCHEMA}"
            ));
        }
        if self.malformed > 0 {
            notes.push(format!("skipped records that are not rollups: {}", self.malformed));
        }
        let missing = self.tables.values().map(|seen| seen.rows - seen.numbers.len() as u64);
        let (tables, rows) = missing
            .filter(|n| *n > 0)
            .fold((0, 0_u64), |(tables, rows), n| (tables + 1, n.saturating_add(rows)));
        if tables > 0 {
            notes.push(format!(
                "incomplete tables: {tables} (missing rows: {rows}), so their sums are too low"
            ));
        }
        if self.repeated_rows > 0 {
            notes.push(format!(
                "tables published more than once: {} (extra rows: {}), of which only the first is used; check for a \
                 second deployment that writes to the topic",
                self.repeated_tables.len(),
                self.repeated_rows
            ));
        }
        let covered = self.tables.values().filter(|seen| seen.partial_coverage).count();
        if covered > 0 {
            notes.push(format!(
                "tables computed without some source partitions: {covered}, so their sums are too low"
            ));
        }
        notes
    }
}

/// Returns the first 40 characters of a name from the records.
fn short(name: &str) -> String {
    name.chars().take(40).collect()
}
