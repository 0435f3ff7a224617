//! The faults that every release survives (docs/internals/protocol.md), on a real broker: the program as a process that is
//! killed or frozen at its numbered steps, compared with the oracle.

mod aborted;
mod broker;
mod grown;
mod leaderless;
mod random;
mod repeated;
mod rolled;
mod stuck;

use std::collections::BTreeSet;

use crowdfold_testkit::binary;

use crate::worker::support::{Deployment, Row, armed_binary, assert_same_rows};

/// The rows are the oracle's, and what aborted transactions left behind is byte for byte what was committed.
fn assert_nothing_lost_or_doubled(deployment: &Deployment<'_>, expected: &[serde_json::Value]) -> usize {
    let rows = deployment.rows("read_committed");
    assert_same_rows(&rows, expected);
    assert_aborted_are_committed(deployment, &rows)
}

/// How many rows aborted transactions left behind.
fn assert_aborted_are_committed(deployment: &Deployment<'_>, rows: &[Row]) -> usize {
    let committed: BTreeSet<_> = rows.iter().map(|row| (&row.key, &row.value)).collect();
    let all = deployment.rows("read_uncommitted");
    for row in &all {
        assert!(committed.contains(&(&row.key, &row.value)), "only aborted: {}", row.json);
    }
    all.len() - rows.len()
}

#[test]
fn what_is_released_has_no_fault_points() {
    let holds = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(15).any(|word| word == b"CROWDFOLD_FAULT")
    };
    assert!(!holds(binary("crowdfold")));
    assert!(holds(armed_binary()));
}
