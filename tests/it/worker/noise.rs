//! Tests of noise on a broker, under both policies. If a worker is killed, its successor must draw the same noise.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, binary};

use super::support::{Deployment, Row, Worker, by_time, tables, window_ago};

/// Pairs of a cell and its number of sessions in every window.
const CELLS: [(&str, u64); 4] = [("phone", 900), ("desktop", 700), ("tv", 600), ("console", 12)];

const WINDOWS: u64 = 8;

const MINUTE: u64 = 60_000;

/// Returns the log, in which each session sends one beacon in every window.
fn beacons(deployment: &Deployment<'_>, start: u64) -> Vec<Vec<Record>> {
    let mut log = vec![Vec::new(); deployment.partitions as usize];
    for window in 0..WINDOWS {
        let sessions =
            CELLS.iter().flat_map(|(device, sessions)| (0..*sessions).map(move |nth| (device, nth)));
        for (at, (device, nth)) in (0..).zip(sessions) {
            let ts = start + window * MINUTE + at * 20;
            let session = format!("{device}-{nth:04}");
            let payload = format!(
                r#"{{"ts":{ts},"session":"{session}","event":"heartbeat","device":"{device}","playing_ms":10000,"bitrate_kbps":3000}}"#
            );
            let partition = deployment.partition_of(&session) as usize;
            log[partition].push(Record { timestamp: Some(ts), payload: payload.into_bytes() });
        }
    }
    log
}

/// Creates a deployment whose policy has a secret for the noise.
fn deployment<'k>(breakdowns: &[&str]) -> Deployment<'k> {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.window = MINUTE;
    deployment.rules.breakdowns = breakdowns.iter().map(|dimension| vec![(*dimension).into()]).collect();
    deployment.rules.tenants.truncate(1);
    let secret = deployment.dir.path().join("secret");
    fs::write(&secret, "0123456789abcdef".repeat(4)).unwrap();
    deployment.set("release.privacy.secret_file", &format!("{:?}", secret.display().to_string()));
    deployment
}

/// Produces beacons. Kills a worker after it has drawn noise and sent rows of at least one window, and starts a
/// successor, which publishes all windows. Returns the rows of the successor.
///
/// Asserts that the aborted rows have the same bytes as the committed rows, and that `fold` prints the same rows.
fn rows_of_successor(deployment: &Deployment<'_>) -> Vec<Row> {
    let log = beacons(deployment, window_ago(MINUTE, 20 * MINUTE));
    deployment.produce(&log);
    // On a busy machine, the worker may be killed before it has sent rows. In this case, the next fault is tried.
    for fault in ["merge.6.taken:2:kill", "merge.6.offsets-sent:1:kill"].into_iter().cycle().take(12) {
        let mut worker = Worker::start_armed(deployment, "a", fault);
        worker.wait();
        if fault.contains("offsets-sent") && deployment.rows("read_uncommitted").len() >= 3 {
            break;
        }
    }
    let _worker = Worker::start(deployment, "a");
    let last = log.iter().flatten().filter_map(|record| record.timestamp).max().unwrap() / MINUTE * MINUTE;
    deployment.await_committed(last + MINUTE);

    let rows = deployment.rows("read_committed");
    let committed: BTreeSet<_> = rows.iter().map(|row| &row.value).collect();
    let all = deployment.rows("read_uncommitted");
    assert!(
        all.iter().all(|row| committed.contains(&row.value)),
        "a row of an aborted transaction has different noise"
    );
    let aborted = all.len() - rows.len();
    assert!(aborted >= 3, "only {aborted} of {} rows were aborted", all.len());

    let input = deployment.dir.path().join("input.ndjson");
    let lines: Vec<u8> = by_time(&log)
        .into_iter()
        .flat_map(|record| [record.value.unwrap(), b"\n".to_vec()].concat())
        .collect();
    fs::write(&input, lines).unwrap();
    let mut fold = Command::new(binary("crowdfold"));
    let folded = fold.args(["fold", "--config"]).arg(deployment.config("a")).arg(&input).output().unwrap();
    assert!(folded.status.success(), "{}", String::from_utf8_lossy(&folded.stderr));
    let of_fold: BTreeSet<_> =
        folded.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let of_run: BTreeSet<_> = rows.iter().map(|row| row.value.as_slice()).collect();
    assert_eq!(of_run, of_fold);
    rows
}

#[test]
fn successor_of_a_worker_killed_during_a_commit_draws_the_same_noise() {
    let mut deployment = deployment(&["device"]);
    deployment.set("release.policy", "\"differential-privacy\"");
    deployment.set("release.privacy.epsilon", "10");
    let deployment = deployment.with_topics();
    let tables = tables(&rows_of_successor(&deployment));
    assert_eq!(tables.len() as u64, WINDOWS);
    let mut exact = 0;
    for ((start, ..), table) in &tables {
        // The cell with twelve sessions is never published.
        assert_eq!(table.len(), 3, "{start}: {table:?}");
        for (row, (device, truth)) in table.iter().zip([CELLS[1], CELLS[0], CELLS[2]]) {
            assert_eq!(
                (&row["dimensions"]["device"], &row["policy"]["name"]),
                (&device.into(), &"differential-privacy".into())
            );
            let (sessions, sigma) =
                (row["sessions"].as_f64().unwrap(), row["policy"]["sigma"].as_f64().unwrap());
            assert!(
                (sessions - truth as f64).abs() <= 6.0 * sigma,
                "{sessions} differs from {truth} by more than 6 σ, and σ is {sigma}"
            );
            exact += u64::from(sessions == truth as f64);
        }
    }
    assert!(exact < WINDOWS, "{exact} rows have no noise");
}

#[test]
fn successor_draws_the_same_noise_under_threshold() {
    /// The clamp of `playing_ms` in a window of a minute.
    const CLAMP: f64 = 60_000.0;
    let mut deployment = deployment(&["device", "cdn"]);
    deployment.rules.k = 50;
    let deployment = deployment.with_topics();
    let tables = tables(&rows_of_successor(&deployment));
    assert_eq!(tables.len() as u64, 2 * WINDOWS);
    let mut exact = 0;
    let noisy = tables.iter().filter(|(_, table)| table[0]["detail"] == false);
    for ((start, ..), table) in noisy {
        // The smallest row is merged with the cell of twelve sessions.
        assert_eq!(table.len(), 3, "{start}: {table:?}");
        for (row, (device, sessions)) in table.iter().zip([("*", 612), CELLS[1], CELLS[0]]) {
            assert_eq!((&row["dimensions"]["device"], &row["sessions"]), (&device.into(), &sessions.into()));
            let (playing, truth) = (row["playing_ms"].as_f64().unwrap(), 10_000.0 * sessions as f64);
            let sigma = CLAMP * row["policy"]["noise"].as_f64().unwrap();
            assert!(
                (playing - truth).abs() <= 6.0 * sigma,
                "{playing} differs from {truth} by more than 6 σ, and σ is {sigma}"
            );
            exact += u64::from(playing == truth);
        }
    }
    assert!(exact < WINDOWS, "{exact} rows have no noise");
}

#[test]
fn worker_logs_once_that_tables_without_a_secret_show_session_counts_only() {
    let without_secret = || {
        let mut deployment = Deployment::new(Kafka::shared());
        deployment.rules.breakdowns = vec![vec!["device".into()], vec!["cdn".into()]];
        deployment
    };
    for (deployment, times) in [(without_secret(), 1), (deployment(&["device", "cdn"]), 0)] {
        let deployment = deployment.with_topics();
        let mut worker = Worker::start(&deployment, "worker");
        worker.await_ready();
        worker.signal("TERM");
        worker.wait();
        let log = worker.log();
        assert_eq!(log.matches("session counts only").count(), times, "{log}");
    }
}
