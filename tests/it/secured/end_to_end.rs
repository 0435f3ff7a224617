//! Tests that the printed permissions are sufficient for the whole path from beacons to rollups.

use super::support::{broker, connect, connect_as, crowdfold, grant_as_printed, output_text, set};
use crate::worker::support::{Deployment, Worker, assert_same_rows, window_ago};

/// Each stage runs as a separate process with its own principal. The combiner authenticates with a password, the merger
/// with a token, and the reader with a certificate.
#[test]
fn separate_principals_of_the_stages_are_sufficient() {
    let mut deployment = Deployment::new(broker()).with_topics();
    for (role, principal) in [("combiner", "combiner"), ("merger", "merger"), ("auditor", "auditor")] {
        set(&mut deployment, &format!("principals.{role}"), principal);
    }
    deployment.set("principals.readers", "[\"CN=reader\"]");
    grant_as_printed(&deployment, &["combiner", "merger", "auditor", "CN=reader"]);
    let log = deployment.players(31, 150, window_ago(2_000, 40_000), 20_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);

    connect_as(&mut deployment, "SCRAM-SHA-512", "combiner");
    let combine = Worker::start_with(&deployment, "c", &["--stage", "combine"]);
    let security = broker().security();
    connect(&mut deployment, "SASL", &security.token("merger", security.issuer().secret()));
    let merge = Worker::start_with(&deployment, "m", &["--stage", "merge"]);
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    combine.await_ready();
    merge.await_ready();

    connect(&mut deployment, "MUTUAL", &security.mutual(&security.authority().certificate("reader")));
    let output = crowdfold(&deployment, &["query", "--by", "device", "--format", "csv"]);
    assert!(output.status.success() && output.stdout.len() > 100, "{}", output_text(&output));
    connect_as(&mut deployment, "SCRAM-SHA-256", "auditor");
    let output = crowdfold(&deployment, &["topics", "check"]);
    assert!(output_text(&output).contains("bounded"), "{}", output_text(&output));
    assert_eq!(output.status.code(), Some(0), "{}", output_text(&output));
    let output = crowdfold(&deployment, &["audit"]);
    assert!(output_text(&output).contains("records read, no breach found"), "{}", output_text(&output));
    assert_eq!(output.status.code(), Some(0), "{}", output_text(&output));
    // The next principal may not describe the topics, so its audit is incomplete.
    connect_as(&mut deployment, "SCRAM-SHA-256", "nobody");
    let output = crowdfold(&deployment, &["audit"]);
    assert!(output_text(&output).contains("not checked: "), "{}", output_text(&output));
    assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
    for worker in [combine, merge] {
        let (status, log) = worker.terminate();
        assert!(status.success(), "{status}: {log}");
    }
}

/// One process runs both stages. It has one principal, with the permissions of both roles.
#[test]
fn one_principal_for_both_stages_is_sufficient() {
    let mut deployment = Deployment::new(broker()).with_topics();
    set(&mut deployment, "principals.combiner", "worker");
    set(&mut deployment, "principals.merger", "worker");
    grant_as_printed(&deployment, &["worker"]);
    let log = deployment.players(32, 150, window_ago(2_000, 40_000), 20_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    connect_as(&mut deployment, "PLAIN", "worker");
    let worker = Worker::start(&deployment, "w");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    worker.await_ready();
}
