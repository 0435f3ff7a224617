//! Runs `fold` on small inputs from public bug reports. Compares the results with the correct results, which are
//! described in the same directories as the inputs (`tests/data/cases`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::NamedTempFile;

/// One run of `fold`, and statements that must be true for its result.
struct Case {
    line: usize,
    arguments: Vec<String>,
    statements: Vec<String>,
}

/// Parses the cases of an `expected.txt`. The README in `tests/data/cases` describes the format.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        match line.trim() {
            "" => {}
            comment if comment.starts_with('#') => {}
            run if !line.starts_with(' ') => {
                let arguments: Vec<_> = run.split(' ').map(String::from).collect();
                assert_eq!(arguments[0], "fold", "line {}: each case runs `fold`", number + 1);
                cases.push(Case { line: number + 1, arguments, statements: Vec::new() });
            }
            statement => {
                cases.last_mut().expect("a case before the statement").statements.push(statement.into())
            }
        }
    }
    cases
}

/// The result of a run of `fold`.
struct Outcome {
    rows: Vec<Value>,
    ledger: Value,
    exit: Option<i32>,
    stderr: String,
}

fn run(case: &Case, folder: &Path) -> Outcome {
    let ledger = NamedTempFile::new().expect("a file");
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(&case.arguments)
        .arg("--ledger")
        .arg(ledger.path())
        .current_dir(folder)
        .output()
        .expect("the program runs");
    let rows: Vec<Value> = String::from_utf8(stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row is JSON"))
        .collect();
    let ledger = fs::read(ledger.path()).expect("read");
    Outcome {
        rows,
        ledger: serde_json::from_slice(&ledger).unwrap_or_default(),
        exit: status.code(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Returns the number at a path of field names with dots between them. Returns 0 if the field is missing or null.
fn number(value: &Value, path: &str) -> i64 {
    let field = path.split('.').fold(value, |value, name| &value[name]);
    assert!(field.is_null() || field.is_i64() || field.is_u64(), "{path} is not a number: {field}");
    field.as_i64().unwrap_or(0)
}

fn matches(row: &Value, labels: &[(&str, &str)]) -> bool {
    labels.iter().all(|(name, value)| row["dimensions"][name] == **value)
}

/// Returns the numbers for the left side of a statement: one number, or one number for each window.
fn numbers(subject: &str, outcome: &Outcome) -> Vec<i64> {
    if subject == "exit" {
        return vec![outcome.exit.unwrap_or(-1).into()];
    }
    if let Some(path) = subject.strip_prefix("ledger ") {
        assert!(!outcome.ledger.is_null(), "there is no ledger: {}", outcome.stderr);
        return vec![number(&outcome.ledger, path)];
    }
    let (subject, by_window) =
        subject.strip_suffix(" by window").map_or((subject, false), |rest| (rest, true));
    let (path, labels) = subject.split_once(" where ").unwrap_or((subject, ""));
    let labels: Vec<(&str, &str)> = labels
        .split(" and ")
        .filter(|label| !label.is_empty())
        .map(|label| label.split_once('=').expect("a dimension and its value"))
        .collect();
    let mut windows = BTreeMap::new();
    for row in &outcome.rows {
        let sum: &mut i64 = windows.entry(row["window"]["start"].as_i64()).or_default();
        let counts = if labels.is_empty() { row["detail"] == true } else { matches(row, &labels) };
        if counts {
            *sum += number(row, path);
        }
    }
    let sums: Vec<i64> = windows.into_values().collect();
    if by_window { sums } else { vec![sums.iter().sum()] }
}

/// Returns the actual value if a statement is false. Returns `None` if it is true.
fn failure(statement: &str, outcome: &Outcome) -> Option<String> {
    if let Some(text) = statement.strip_prefix("stderr has ") {
        return (!outcome.stderr.contains(text)).then(|| outcome.stderr.clone());
    }
    let found = |subject: &str| numbers(subject.trim(), outcome);
    let wanted = |text: &str| -> Vec<i64> {
        text.split_whitespace().map(|word| word.parse().expect("a number")).collect()
    };
    if let Some((subject, limit)) = statement.split_once(" <= ") {
        let (found, limit) = (found(subject), wanted(limit)[0]);
        return (found.is_empty() || found.iter().any(|number| *number > limit))
            .then(|| format!("found {found:?}"));
    }
    let (subject, value) = statement.split_once(" = ").expect("SUBJECT = NUMBERS");
    let found = found(subject);
    (found != wanted(value)).then(|| format!("found {found:?}"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/cases")
}

#[test]
fn every_statement_about_the_cases_from_public_bug_reports_is_true() {
    let mut failures = Vec::new();
    let mut statements = 0;
    let mut folders: Vec<_> =
        fs::read_dir(folder()).expect("read").map(|entry| entry.expect("read").path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    for folder in folders {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let text =
            fs::read_to_string(folder.join("expected.txt")).expect("a file expected.txt in each folder");
        for case in cases(&text) {
            assert!(
                !case.statements.is_empty(),
                "{name}/expected.txt line {}: there are no statements",
                case.line
            );
            let outcome = run(&case, &folder);
            // Each beacon must have exactly one outcome, even if it is invalid.
            if !outcome.ledger.is_null() && outcome.ledger["balanced"] != true {
                failures.push(format!("{name} line {}: the ledger does not balance", case.line));
            }
            statements += case.statements.len();
            let failed = case.statements.iter().filter_map(|statement| {
                let failure = failure(statement, &outcome)?;
                Some(format!(
                    "{name} line {}: {}: {statement}: {failure}",
                    case.line,
                    case.arguments.join(" ")
                ))
            });
            failures.extend(failed);
        }
    }
    assert!(statements > 0, "no case was found");
    assert!(
        failures.is_empty(),
        "{} of {statements} statements do not hold:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn false_statement_is_detected() {
    let row = |window: u64, device: &str, plays: u64| serde_json::json!({"window": {"start": window}, "dimensions": {"device": device}, "plays": plays, "detail": true});
    let outcome = Outcome {
        rows: vec![row(1, "tv", 2), row(1, "stb", 3), row(2, "tv", 4)],
        ledger: serde_json::json!({"beacons": {"late": 7}}),
        exit: Some(1),
        stderr: "crowdfold: no beacon could be read".into(),
    };
    for (right, wrong) in [
        ("plays = 9", "plays = 8"),
        ("plays by window = 5 4", "plays by window = 5 4 0"),
        ("plays by window <= 5", "plays by window <= 4"),
        ("plays where device=tv by window = 2 4", "plays where device=tv by window = 2 5"),
        ("plays where device=phone = 0", "plays where device=phone = 1"),
        ("errors.network = 0", "errors.network = 1"),
        ("ledger beacons.late = 7", "ledger beacons.late = 0"),
        ("exit = 1", "exit = 0"),
        ("stderr has no beacon could be read", "stderr has rejected"),
    ] {
        assert_eq!(failure(right, &outcome), None, "{right}");
        assert!(failure(wrong, &outcome).is_some(), "{wrong}");
    }
}
