//! Tests `audit` on a real broker. It finds nothing in the output of the real worker, and reports every breach that a
//! test created.

mod breaches;
mod clean;
mod readers;
mod rows;

use std::process::{Command, Output};

use crowdfold_testkit::{Kafka, binary};
use serde_json::Value;

/// Runs the audit as users do, without a configuration.
fn audit(kafka: &Kafka, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("crowdfold"));
    command.args(["audit", "--brokers", kafka.bootstrap()]).args(arguments).env_clear();
    command.output().expect("a program that runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Returns the report as JSON, with the exit code.
fn report(kafka: &Kafka, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = audit(kafka, &[arguments, &["--format", "json"]].concat());
    let printed = text(&output.stdout);
    let report =
        serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}{}", text(&output.stderr)));
    (output.status.code(), report)
}

/// Returns the finding, partition, offset and field of each breach, in order.
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
