//! Tests that `run` and `fold` publish the same rollups for the same beacons, because they share their code.

use std::process::Command;

use crowdfold_testkit::{Kafka, binary};
use serde_json::Value;

use super::support::{Deployment, Worker, now, tables};
use crate::kafka_support::{Record, produce};

/// Returns `text` with every time between `from` and `to` shifted by `by` ms. A time is any number of thirteen digits.
fn shift(text: &str, from: u64, to: u64, by: u64) -> String {
    let mut shifted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let digits = rest[at..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len() - at);
        let number = &rest[at..at + digits];
        shifted.push_str(&rest[..at]);
        match number.parse::<u64>() {
            Ok(time) if digits == 13 && (from..=to).contains(&time) => {
                shifted.push_str(&(time + by).to_string())
            }
            _ => shifted.push_str(number),
        }
        rest = &rest[at + digits..];
    }
    shifted.push_str(rest);
    shifted
}

/// Asserts that the rows of `fold` for a file equal the rows of `run` for the same lines in a topic. Returns the number
/// of rows.
fn compare(deployment: &Deployment<'_>, text: &str, partition: impl Fn(&Value) -> u32, time: &str) -> usize {
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times = || lines.iter().map(|line| line[time].as_u64().unwrap());
    let (first, last) = (times().min().unwrap(), times().max().unwrap());
    // The times are shifted by whole windows. The last window is so long ago that it closes as soon as the partitions
    // are idle.
    let rules = &deployment.rules;
    let margin = rules.window + rules.lateness + rules.max_skew + 10_000;
    let by = (now() - margin - last) / rules.window * rules.window;
    let text = shift(text, first - 86_400_000, last + 86_400_000, by);

    let input = deployment.dir.path().join("input.ndjson");
    std::fs::write(&input, &text).unwrap();
    let mut fold = Command::new(binary("crowdfold"));
    let folded = fold.args(["fold", "--config"]).arg(deployment.config("a")).arg(&input).output().unwrap();
    assert!(folded.status.success(), "{}", String::from_utf8_lossy(&folded.stderr));
    let mut of_fold: Vec<_> = String::from_utf8(folded.stdout).unwrap().lines().map(String::from).collect();

    let records = text.lines().zip(&lines).map(|(line, before)| Record {
        timestamp: Some((before[time].as_u64().unwrap() + by) as i64),
        ..Record::new(partition(before), line)
    });
    produce(deployment.kafka, &deployment.topic("beacons"), &records.collect::<Vec<_>>());
    let _worker = Worker::start(deployment, "a");
    deployment.await_committed((last + by) / rules.window * rules.window + rules.window);
    let rows = deployment.rows("read_committed");
    tables(&rows);
    let mut of_run: Vec<_> = rows.into_iter().map(|row| String::from_utf8(row.value).unwrap()).collect();
    of_run.sort();
    of_fold.sort();
    assert_eq!(of_run, of_fold);
    of_fold.len()
}

#[test]
fn run_and_fold_publish_the_same_rows_for_json_beacons_in_four_partitions() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.window = 60_000;
    deployment.rules.lateness = 30_000;
    deployment.rules.idle = 90_000;
    deployment.rules.k = 20;
    deployment.rules.breakdowns =
        breakdowns(&[&["os", "browser"], &["cdn"], &["stream", "format", "content"]]);
    let deployment = deployment.with_topics();
    let session = |beacon: &Value| deployment.partition_of(beacon["session"].as_str().unwrap());
    let rows = compare(&deployment, include_str!("../../data/scenario/beacons.ndjson"), session, "ts");
    assert_eq!(rows, 113);
}

#[test]
fn run_and_fold_publish_the_same_rows_for_captured_requests_of_real_players() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.partitions = 1;
    deployment.rules.window = 300_000;
    deployment.rules.idle = 60_000;
    deployment.rules.k = 2;
    deployment.rules.breakdowns =
        breakdowns(&[&["device", "os", "browser"], &["stream", "format", "content"], &["quality"]]);
    deployment.set("source.format", "\"capture\"");
    let deployment = deployment.with_topics();
    let rows =
        compare(&deployment, include_str!("../../data/captures/players.ndjson"), |_| 0, "received_at_ms");
    assert!(rows >= 3, "{rows} rows");
}

fn breakdowns(names: &[&[&str]]) -> Vec<Vec<String>> {
    names.iter().map(|names| names.iter().map(ToString::to_string).collect()).collect()
}
