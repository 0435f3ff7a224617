//! Reads published rows as any consumer of the rollups does.

use std::collections::BTreeMap;

use crowdfold_testkit::rows::remove_histograms;
use serde_json::Value;

use super::Deployment;
use super::records::Seen;

/// One record of the topic `rollups`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) json: Value,
}

/// The start of the window, the tenant and the dimensions of the breakdown.
type Table = (u64, String, Vec<String>);

impl Row {
    pub(crate) fn table(&self) -> Table {
        let json = &self.json;
        let names =
            json["breakdown"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        (
            json["window"]["start"].as_u64().unwrap(),
            json["tenant"].as_str().unwrap().to_owned(),
            names.collect(),
        )
    }
}

impl Deployment<'_> {
    /// Returns the rollups in the order of partitions and offsets.
    pub(crate) fn rows(&self, isolation: &str) -> Vec<Row> {
        let row = |Seen { partition, offset, key, value, .. }| {
            let json = serde_json::from_slice(&value).unwrap();
            Row { partition, offset, key, value, json }
        };
        self.records("rollups", isolation).into_iter().map(row).collect()
    }
}

/// Returns the rows by table. Asserts that each table is published once and completely, with its rows in order, in one
/// partition and with its own key. Rows of another worker's transactions may be between them.
pub(crate) fn tables(rows: &[Row]) -> BTreeMap<Table, Vec<Value>> {
    let mut tables = BTreeMap::<Table, Vec<&Row>>::new();
    for row in rows {
        let (start, tenant, breakdown) = row.table();
        let key = format!("{tenant}/{}/{start}", breakdown.join("."));
        assert_eq!(String::from_utf8_lossy(&row.key), key);
        tables.entry(row.table()).or_default().push(row);
    }
    for (table, rows) in &tables {
        for (row, number) in rows.iter().zip(1_u64..) {
            assert_eq!(row.partition, rows[0].partition, "{table:?} is in two partitions");
            assert_eq!(row.json["row"], number, "{table:?} is not in order or published twice");
            assert_eq!(row.json["rows"], rows.len(), "{table:?} is incomplete or published twice");
        }
    }
    let values = |rows: Vec<&Row>| rows.into_iter().map(|row| row.json.clone()).collect();
    tables.into_iter().map(|(table, rows)| (table, values(rows))).collect()
}

/// Asserts that the rows of each table are contiguous in the topic. This holds if there is only one worker.
pub(crate) fn assert_side_by_side(rows: &[Row]) {
    for (one, next) in rows.iter().zip(rows.iter().skip(1)) {
        if one.key == next.key && one.partition == next.partition {
            let key = String::from_utf8_lossy(&one.key);
            assert_eq!(next.offset, one.offset + 1, "another record is between two rows of {key}");
        }
    }
}

/// Asserts that the rows equal those of the oracle in every field, except histograms, which the oracle does not
/// compute.
pub(crate) fn assert_same_rows(rows: &[Row], expected: &[Value]) {
    let mut ours: Vec<Value> = tables(rows).into_values().flatten().collect();
    ours.iter_mut().for_each(take_histograms);
    let mut theirs = expected.to_vec();
    let cell_key = |row: &Value| {
        format!(
            "{:?}",
            (row["window"]["start"].as_u64(), &row["tenant"], &row["breakdown"], row["row"].as_u64())
        )
    };
    ours.sort_by_key(cell_key);
    theirs.sort_by_key(cell_key);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "the program's rows are on the left, the oracle's on the right");
    }
    assert_eq!(ours.len(), theirs.len(), "rows");
}

/// Removes the histograms of a row. Asserts that each histogram is empty or has as many sessions as its metric.
fn take_histograms(row: &mut Value) {
    for (name, histogram) in remove_histograms(row) {
        let sessions = row[&name]["sessions"].clone();
        let ranges = histogram.as_array().unwrap().iter().map(|range| range[2].as_u64().unwrap());
        let total: u64 = ranges.sum();
        assert!(
            total == 0 || sessions == total,
            "{name}: {histogram} has {total} sessions, but the metric has {sessions}"
        );
    }
}
