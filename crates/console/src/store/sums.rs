//! Adds up the numbers of rows.

use std::collections::{BTreeMap, HashMap};

use crowdfold_model::{ErrorClass, FOLDED, Span, SumMetric, Timestamp, ValueMetric, Window};
use crowdfold_query::{Added, DistributionSummary, Policy, Row};
use rusqlite::types::{Value, ValueRef};

use super::Selection;
use super::schema::NUMBERS;

/// The rows that can be added up: rows of one interval that have equal values in all other fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The start of the interval.
    pub(super) start: i64,
    /// The number of the cell in [`Cells`].
    pub(super) cell: usize,
    pub(super) policy: i64,
    pub(super) kind: i64,
    /// The length of the windows.
    pub(super) length: i64,
}

/// The cells of a table, each with a number. Cells that differ only in dimensions that are not needed have the same
/// number.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The numbers of the cells, as they are stored and without the values that are not needed.
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
    /// For each dimension, true if its value is needed. If the list is empty, all values are needed.
    needed: Vec<bool>,
}

impl Cells {
    pub(super) fn of(selection: &Selection) -> Self {
        let needed = selection.dimensions.as_ref().map_or_else(Vec::new, |dimensions| {
            selection.breakdown.split('.').map(|dimension| dimensions.contains(dimension)).collect()
        });
        Self { needed, ..Self::default() }
    }

    pub(super) fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let cell = if self.needed.contains(&false) {
            let values = values_of(text).into_iter().zip(&self.needed);
            let values = values.map(|(value, needed)| if *needed { value } else { FOLDED.to_owned() });
            serde_json::to_string(&values.collect::<Vec<_>>()).unwrap_or_default()
        } else {
            text.to_owned()
        };
        let number = self.numbers.get(&cell).copied().unwrap_or_else(|| {
            self.texts.push(cell.clone());
            self.texts.len() - 1
        });
        self.numbers.insert(cell, number);
        self.numbers.insert(text.to_owned(), number);
        number
    }

    pub(super) fn text(&self, number: usize) -> &str {
        self.texts.get(number).map_or("", String::as_str)
    }
}

/// Returns the values of the dimensions of a cell.
pub(super) fn values_of(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The sums of the rows of a key.
#[derive(Clone, Debug)]
pub(super) struct Total {
    pub(super) published: i64,
    pub(super) sessions: i64,
    pub(super) beacons: Option<i64>,
    pub(super) numbers: [Option<i64>; NUMBERS],
}

/// Sums of rows, by key.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) cells: Cells,
    pub(super) totals: HashMap<Key, Total>,
}

impl Sums {
    /// Adds a row of the statements in [`Sql`](super::schema::Sql) to the sums of its interval. A sum that exceeds the
    /// range of integers has the highest or lowest integer.
    pub(super) fn add(&mut self, row: &rusqlite::Row<'_>, step: i64) -> Result<(), rusqlite::Error> {
        let start: i64 = row.get(0)?;
        let key = Key {
            start: start / step * step,
            cell: self.cells.number(row.get_ref(1)?.as_str()?),
            policy: row.get(2)?,
            kind: row.get(3)?,
            length: row.get(4)?,
        };
        let total = self.totals.entry(key).or_insert(Total {
            published: 0,
            sessions: 0,
            beacons: None,
            numbers: [None; NUMBERS],
        });
        total.published = total.published.saturating_add(row.get(5)?);
        total.sessions = total.sessions.saturating_add(row.get(6)?);
        plus(&mut total.beacons, row.get_ref(7)?);
        for (at, number) in total.numbers.iter_mut().enumerate() {
            plus(number, row.get_ref(8 + at)?);
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.totals.len()
    }

    /// Returns the sums, ordered by interval and cell.
    pub(super) fn sorted(&self) -> Vec<(Key, &Total)> {
        let mut sorted: Vec<_> = self.totals.iter().map(|(key, total)| (*key, total)).collect();
        let order = |key: &Key| (key.start, self.cells.text(key.cell), key.policy, key.kind, key.length);
        sorted.sort_unstable_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
        sorted
    }
}

/// Adds a number, unless it is absent.
fn plus(sum: &mut Option<i64>, number: ValueRef<'_>) {
    if let ValueRef::Integer(number) = number {
        *sum = Some(sum.unwrap_or_default().saturating_add(number));
    }
}

impl Total {
    /// Returns the values of the last columns of a row in `sums`.
    pub(super) fn columns(&self) -> impl Iterator<Item = Value> {
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
        let first = [Some(self.published), Some(self.sessions), self.beacons];
        first.into_iter().chain(self.numbers).map(number)
    }

    /// Returns the sums as a row.
    pub(super) fn row(&self, key: &Key, policy: &Policy) -> Row {
        let mut row = empty(key, policy, self.published);
        row.sessions = u64::try_from(self.sessions).unwrap_or_default();
        row.beacons = self.beacons;
        let (sums, rest) = self.numbers.split_at(SumMetric::COUNT);
        let (values, rest) = rest.split_at(ValueMetric::COUNT);
        let (sessions, errors) = rest.split_at(ValueMetric::COUNT);
        row.sums.copy_from_slice(sums);
        for ((value, sum), sessions) in row.values.iter_mut().zip(values).zip(sessions) {
            let sessions = sessions.and_then(|sessions| u64::try_from(sessions).ok());
            *value = sum.map(|sum| DistributionSummary { sessions, sum, ..DistributionSummary::default() });
        }
        let errors: BTreeMap<String, i64> = ErrorClass::ALL
            .into_iter()
            .zip(errors)
            .filter_map(|(class, sessions)| Some((class.name().to_owned(), (*sessions)?)))
            .collect();
        row.errors = (!errors.is_empty()).then_some(errors);
        row
    }
}

/// Creates a row that is the sum of a number of published rows, without tenant, dimensions and numbers.
pub(super) fn empty(key: &Key, policy: &Policy, rows: i64) -> Row {
    Row {
        tenant: String::new(),
        window: Window { start: Timestamp::EPOCH, end: Timestamp::EPOCH },
        breakdown: Vec::new(),
        detail: (key.kind >= 0).then_some(key.kind == 1),
        dimensions: BTreeMap::new(),
        row: 1,
        rows: 1,
        coverage: None,
        sessions: 0,
        beacons: None,
        sums: [None; SumMetric::COUNT],
        errors: None,
        values: ValueMetric::ALL.map(|_| None),
        policy: policy.clone(),
        added: Some(Added {
            windows: 1,
            rows: u64::try_from(rows).unwrap_or_default(),
            length: Span::from_millis(u64::try_from(key.length).unwrap_or_default()),
        }),
    }
}
