//! Tests that a separate principal erases counted beacons. It is separate because the permission to delete records also
//! allows deleting the topic.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;

use crowdfold_kafka::Cluster;
use crowdfold_kafka::topics::Admin;
use crowdfold_testkit::eventually;

use super::support::{Grant, broker, client, connect_as, grant_as_printed, remove, set};
use crate::kafka_support::settings;
use crate::worker::support::{Deployment, Worker, assert_same_rows, now, window_ago};

fn log_starts(deployment: &Deployment<'_>) -> Vec<i64> {
    let partitions: Vec<_> = (0..deployment.partitions).collect();
    let cluster = Cluster::open(&settings(deployment.kafka)).unwrap();
    cluster
        .log_starts(&deployment.topic("beacons"), &partitions)
        .unwrap()
        .into_iter()
        .map(Option::unwrap)
        .collect()
}

#[test]
fn eraser_deletes_counted_beacons_and_counting_continues_if_the_eraser_loses_its_permission() {
    let mut deployment = Deployment::new(broker());
    deployment.set("ttl.erase_counted", "true");
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let mut deployment = deployment.with_topics();
    for (role, user) in [("combiner", "worker"), ("merger", "worker"), ("eraser", "eraser")] {
        set(&mut deployment, &format!("principals.{role}"), user);
    }
    grant_as_printed(&deployment, &["worker", "eraser"]);
    connect_as(&mut deployment, "SCRAM-SHA-512", "worker");
    for (key, value) in broker().security().sasl("SCRAM-SHA-512", "eraser") {
        set(&mut deployment, &format!("kafka.eraser.{key:?}"), &value);
    }
    // The principal of the worker does not have the permission to delete records.
    let beacons = deployment.topic("beacons");
    let tried = Admin::open(&client("worker")).unwrap().erase_before(&beacons, &BTreeMap::from([(0, 0)]));
    let refused = format!("principal User:worker may not Delete topic {beacons}");
    assert!(tried.unwrap_err().to_string().starts_with(&refused));

    let mut log = deployment.players(64, 150, window_ago(2_000, 60_000), 20_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "w");
    deployment.await_committed(deployment.last_end(&outcome));
    eventually("each partition begins at the committed offset", || {
        let committed: Vec<_> =
            deployment.committed("combine").into_iter().map(|held| held.unwrap().0).collect();
        (log_starts(&deployment) == committed && committed.iter().all(|start| *start > 0)).then_some(())
    });
    worker.await_ready();
    assert!(!worker.log().contains("cannot be deleted"), "{}", worker.log());

    remove(&Grant {
        principal: "eraser".into(),
        operations: vec!["Delete".into()],
        resources: vec!["--topic".into(), beacons.clone()],
    });
    let starts = log_starts(&deployment);
    let more = deployment.players(65, 150, (now() / 2_000 + 2) * 2_000, 6_000);
    deployment.produce_live(&more);
    for (all, more) in log.iter_mut().zip(more) {
        all.extend(more);
    }
    let outcome = deployment.evaluate(&log);
    deployment.await_committed(deployment.last_end(&outcome));
    let expected = outcome.rollups(&deployment.rules);
    assert_same_rows(&deployment.rows("read_committed"), &expected);
    let reason =
        format!("counted beacons cannot be deleted: principal User:eraser may not Delete topic {beacons}");
    eventually("/readyz reports the missing permission", || {
        worker.get("/readyz").1.contains(&reason).then_some(())
    });
    assert_eq!(log_starts(&deployment), starts);
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{log_text}");
    assert_eq!(log_text.matches(&reason).count(), 1, "{log_text}");
}
