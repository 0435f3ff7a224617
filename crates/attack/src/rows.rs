//! Reads published rows, which are the only input of an attack.
#![expect(clippy::unwrap_used, reason = "a row without a field is a bug")]

use crowdfold_testkit::oracle::BOUNDED;
use serde_json::Value;

use crate::scenario::FIELDS;

/// A row of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) cell_key: Vec<String>,
    pub(crate) sessions: u64,
    /// The values in the order of [`BOUNDED`]. `None` if the policy has no secret.
    pub(crate) fields: Option<[f64; FIELDS]>,
}

/// A table of one window.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) is_detail: bool,
    pub(crate) rows: Vec<Row>,
}

/// All tables of one window.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) tables: Vec<Table>,
    pub(crate) k: u64,
    pub(crate) margin: u64,
    pub(crate) noise: f64,
}

impl Published {
    /// Reads rows of one tenant and window.
    pub(crate) fn read(rollups: &[Value]) -> Self {
        let policy = &rollups[0]["policy"];
        let mut names: Option<&Value> = None;
        let mut tables: Vec<Table> = Vec::new();
        for rollup in rollups {
            if names != Some(&rollup["breakdown"]) {
                names = Some(&rollup["breakdown"]);
                tables.push(Table { is_detail: rollup["detail"] == true, rows: Vec::new() });
            }
            tables.last_mut().unwrap().rows.push(row(rollup));
        }
        let number = |name: &str| policy[name].as_u64().unwrap();
        Self { tables, k: number("k"), margin: number("margin"), noise: number("noise") as f64 }
    }

    /// Returns the number of sessions of the window, which is the same in every table.
    pub(crate) fn sessions(&self) -> u64 {
        self.tables[0].rows.iter().map(|row| row.sessions).sum()
    }

    /// Returns the exact totals, if there is a detail table.
    pub(crate) fn totals(&self) -> Option<[f64; FIELDS]> {
        let detail = self.tables.iter().find(|table| table.is_detail)?;
        let mut totals = [0.0; FIELDS];
        for row in &detail.rows {
            for (total, value) in totals.iter_mut().zip(row.fields?) {
                *total += value;
            }
        }
        Some(totals)
    }
}

fn row(rollup: &Value) -> Row {
    let names = rollup["breakdown"].as_array().unwrap();
    let cell_key =
        names.iter().map(|name| rollup["dimensions"][name.as_str().unwrap()].as_str().unwrap().into());
    let mut fields = [0.0; FIELDS];
    let mut known = true;
    for (value, (field, ..)) in fields.iter_mut().zip(BOUNDED) {
        let at = match field.strip_prefix("errors.") {
            // The detail table omits classes that do not occur.
            Some(class) if rollup["errors"].is_object() => match rollup["errors"].get(class) {
                None => continue,
                Some(errors) => errors,
            },
            Some(_) => &Value::Null,
            None if rollup[field].is_object() => &rollup[field]["sum"],
            None => &rollup[field],
        };
        match at.as_f64() {
            Some(number) => *value = number,
            None => known = false,
        }
    }
    Row {
        cell_key: cell_key.collect(),
        sessions: rollup["sessions"].as_u64().unwrap(),
        fields: known.then_some(fields),
    }
}
