//! What was published, read as a customer would.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Deployment;
use super::records::Seen;

/// One record of the rollups.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) json: Value,
}

/// Tenant, window and drill-down.
type Table = (u64, String, Vec<String>);

impl Row {
    pub(crate) fn table(&self) -> Table {
        let json = &self.json;
        let names =
            json["drilldown"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        (
            json["window"]["start"].as_u64().unwrap(),
            json["tenant"].as_str().unwrap().to_owned(),
            names.collect(),
        )
    }
}

impl Deployment<'_> {
    /// The rollups, in the order of partitions and offsets.
    pub(crate) fn rows(&self, isolation: &str) -> Vec<Row> {
        let row = |Seen { partition, offset, key, value, .. }| {
            let json = serde_json::from_slice(&value).unwrap();
            Row { partition, offset, key, value, json }
        };
        self.records("rollups", isolation).into_iter().map(row).collect()
    }
}

/// The rows by table. Each table must be there once, whole, its rows side by side and in order, under its own key.
pub(crate) fn tables(rows: &[Row]) -> BTreeMap<Table, Vec<Value>> {
    let mut tables = BTreeMap::<Table, Vec<Value>>::new();
    let mut rows = rows.iter().peekable();
    while let Some(first) = rows.next() {
        let (start, tenant, drilldown) = first.table();
        let key = format!("{tenant}/{}/{start}", drilldown.join("."));
        assert_eq!(String::from_utf8_lossy(&first.key), key);
        let mut table = vec![first.json.clone()];
        let mut last = first;
        while let Some(next) = rows.next_if(|next| {
            next.key == first.key && next.partition == first.partition && next.json["row"] != 1
        }) {
            assert_eq!(next.offset, last.offset + 1, "something lies between two rows of {key}");
            table.push(next.json.clone());
            last = next;
        }
        for (row, number) in table.iter().zip(1_u64..) {
            assert_eq!((&row["row"], &row["rows"]), (&number.into(), &table.len().into()), "rows of {key}");
        }
        let before = tables.insert(first.table(), table);
        assert!(before.is_none(), "{key} was published twice");
    }
    tables
}

/// The rows are those of the oracle, which has no histograms, in every field.
pub(crate) fn assert_same_rows(rows: &[Row], expected: &[Value]) {
    let mut ours: Vec<Value> = tables(rows).into_values().flatten().collect();
    ours.iter_mut().for_each(take_histograms);
    let mut theirs = expected.to_vec();
    let label = |row: &Value| {
        format!(
            "{:?}",
            (row["window"]["start"].as_u64(), &row["tenant"], &row["drilldown"], row["row"].as_u64())
        )
    };
    ours.sort_by_key(label);
    theirs.sort_by_key(label);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs, "ours on the left, the oracle's on the right");
    }
    assert_eq!(ours.len(), theirs.len(), "rows");
}

/// Histograms stand in one drill-down only, and speak of no more sessions than the row.
fn take_histograms(row: &mut Value) {
    for name in ["startup_ms", "bandwidth_kbps", "bitrate_kbps"] {
        let sessions = row[name]["sessions"].clone();
        let Some(histogram) = row[name].as_object_mut().unwrap().remove("histogram") else { continue };
        let ranges = histogram.as_array().unwrap().iter().map(|range| range[2].as_u64().unwrap());
        let told: u64 = ranges.sum();
        assert!(told == 0 || sessions == told, "{name}: {told} of {sessions} in {histogram}");
    }
}
