//! Tests of the faults in docs/internals/protocol.md, on a real broker. The worker runs as a process, and is killed or
//! suspended at its fault points. Its rows must equal those of the oracle.

mod aborted;
mod broker;
mod grown;
mod leaderless;
mod random;
mod repeated;
mod rolled;
mod stuck;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use crowdfold_testkit::{binary, binary_with};

use crate::worker::support::{Deployment, Row, armed_binary, assert_same_rows};

/// Asserts that the committed rows equal the expected ones, and that each row of an aborted transaction equals a
/// committed row byte for byte. Returns the number of rows of aborted transactions.
fn assert_nothing_lost_or_counted_twice(
    deployment: &Deployment<'_>,
    expected: &[serde_json::Value],
) -> usize {
    let rows = deployment.rows("read_committed");
    assert_same_rows(&rows, expected);
    assert_aborted_are_committed(deployment, &rows)
}

/// Asserts that each row of an aborted transaction equals a committed row. Returns the number of rows of aborted
/// transactions.
fn assert_aborted_are_committed(deployment: &Deployment<'_>, rows: &[Row]) -> usize {
    let committed: BTreeSet<_> = rows.iter().map(|row| (&row.key, &row.value)).collect();
    let all = deployment.rows("read_uncommitted");
    for row in &all {
        assert!(
            committed.contains(&(&row.key, &row.value)),
            "this row is only in an aborted transaction: {}",
            row.json
        );
    }
    all.len() - rows.len()
}

#[test]
fn release_build_has_no_fault_points() {
    let holds = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(15).any(|word| word == b"CROWDFOLD_FAULT")
    };
    assert!(!holds(binary("crowdfold")));
    assert!(holds(armed_binary()));
}

/// Runs a binary with one argument. If `allowed` is true, sets `CROWDFOLD_TEST=1`, which allows a test build to start.
fn run(binary: &Path, argument: &str, allowed: bool) -> Output {
    let mut command = Command::new(binary);
    command.arg(argument).env_remove("CROWDFOLD_TEST");
    if allowed {
        command.env("CROWDFOLD_TEST", "1");
    }
    command.output().unwrap()
}

#[test]
fn test_build_names_its_feature_and_starts_only_if_crowdfold_test_is_set() {
    let seeded = binary_with("crowdfold", "crowdfold-seeded-bugs", "seeded-bugs");
    for (binary, feature) in [(armed_binary(), "fault points"), (seeded, "seeded bugs")] {
        let version = run(&binary, "--version", false);
        assert!(version.status.success());
        let version = String::from_utf8(version.stdout).unwrap();
        assert!(version.ends_with(&format!(" (test build with {feature})\n")), "{version}");

        let refused = run(&binary, "check", false);
        assert_eq!(refused.status.code(), Some(2));
        assert_eq!(
            String::from_utf8(refused.stderr).unwrap(),
            format!(
                "crowdfold: this binary was built for tests, with {feature}; build it without these features, or set \
                 CROWDFOLD_TEST=1 to run it in a test\n"
            )
        );
        assert!(refused.stdout.is_empty());
        assert!(run(&binary, "check", true).status.success());
    }
    let released = run(&binary("crowdfold"), "--version", false);
    assert!(!String::from_utf8(released.stdout).unwrap().contains("test build"));
}
