//! Tests of `crowdfold audit` on a real broker. It must find no breach in the output of the worker, and must report
//! every breach in topics that a test wrote.

mod breaches;
mod clean;
mod readers;
mod rows;

use std::process::{Command, Output};

use crowdfold_testkit::{Kafka, binary};
use serde_json::Value;

/// Runs `crowdfold audit` with these arguments, and without environment variables.
fn audit(kafka: &Kafka, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("crowdfold"));
    command.args(["audit", "--brokers", kafka.bootstrap()]).args(arguments).env_clear();
    command.output().expect("a program that runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Runs `crowdfold audit`. Returns its exit code, and its report as JSON.
fn report(kafka: &Kafka, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = audit(kafka, &[arguments, &["--format", "json"]].concat());
    let printed = text(&output.stdout);
    let report =
        serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}{}", text(&output.stderr)));
    (output.status.code(), report)
}

/// Returns each breach of a report as a string with its finding, partition, offset and field.
fn found(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let line = |found: &Value| {
        let word = |name: &str| match &found[name] {
            Value::String(text) => text.clone(),
            Value::Null => "-".into(),
            other => other.to_string(),
        };
        format!("{} {}/{} {}", word("finding"), word("partition"), word("offset"), word("field"))
    };
    findings.filter(|found| found["breach"] == true).map(line).collect()
}
