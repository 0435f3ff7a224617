//! Tests with a partition that has no leader. It must not count as idle, because it may contain unread records.

use crowdfold_kafka::Cluster;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, Options, eventually, unique};

use super::assert_nothing_lost_or_counted_twice;
use crate::kafka_support::settings;
use crate::worker::support::{Deployment, Worker, field, now, sleep};

/// The broker that the test stops. Partition 2 of the beacons topic is on this broker only.
const GONE: u32 = 3;

/// The number of partitions of the brokers' internal topics. It is not a power of two. With a power of two, all names
/// with the same prefix could be in the same partition.
const INTERNAL: i32 = 7;

/// Returns the partition of an internal topic to which a group or transactional id belongs. It is computed from Java's
/// hash of a string.
fn home(name: &str) -> usize {
    let hash = name.chars().fold(0_i32, |hash, letter| hash.wrapping_mul(31).wrapping_add(letter as i32));
    (hash.wrapping_abs() % INTERNAL) as usize
}

/// Creates a deployment with one partition of the beacons topic on each broker. The coordinators of its groups and
/// transactions are on brokers that this test does not stop. Another test covers killed coordinators.
fn deploy(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    let cluster = Cluster::open(&settings(kafka)).unwrap();
    let leaders = |topic: &str| -> Option<Vec<i32>> {
        cluster.topic(topic).ok()?.partitions.iter().map(|partition| partition.leader).collect()
    };
    // Brokers create the internal topics at their first use.
    let groups = eventually("there is a topic of offsets", || {
        deployment.committed("combine");
        leaders("__consumer_offsets")
    });
    let transactions = eventually("there is a topic of transactions", || {
        drop(crowdfold_kafka::Sink::open(
            &settings(kafka),
            crowdfold_kafka::SinkSettings::new(&unique("first"), crowdfold_kafka::SinkTopics::default()),
        ));
        leaders("__transaction_state")
    });
    let stays = |prefix: &str| {
        ["combine", "merge"].into_iter().all(|stage| {
            let gone = GONE as i32;
            groups[home(&format!("{prefix}-{stage}"))] != gone
                && transactions[home(&format!("{prefix}-{stage}-a"))] != gone
        })
    };
    while !stays(&deployment.prefix) {
        deployment.prefix = unique("w");
    }
    deployment.partitions = 3;
    deployment.set("topics.replication", "2");
    // While a broker is stopped, beacons may be delayed. With this timeout, windows do not close before they arrive.
    deployment.set("source.idle_timeout", "\"15s\"");
    // The session timeout is long because of busy machines.
    deployment.set("kafka.properties.\"session.timeout.ms\"", "30000");
    deployment.set("kafka.properties.\"heartbeat.interval.ms\"", "1000");
    kafka.create_topic_on(&deployment.topic("beacons"), &[1, 2, GONE]);
    deployment.with_topics()
}

/// Returns the end of the last closed window of each partition, according to the committed checkpoints of the
/// combiners.
fn closed(deployment: &Deployment<'_>) -> Vec<u64> {
    deployment
        .committed("combine")
        .iter()
        .map(|held| held.as_ref().and_then(|held| field(&held.1, "c")).unwrap_or(0))
        .collect()
}

fn of(log: &[Vec<Record>], wanted: impl Fn(usize, u64) -> bool) -> Vec<Vec<Record>> {
    let keep = |(partition, records): (usize, &Vec<Record>)| {
        records.iter().filter(|record| wanted(partition, record.timestamp.unwrap())).cloned().collect()
    };
    log.iter().enumerate().map(keep).collect()
}

/// Runs two workers on the same beacons. The first is correct: it waits for the partition, and loses no sessions. The
/// second has a seeded bug that treats the partition as idle, and the test must detect that it loses sessions.
#[test]
fn windows_wait_for_a_partition_that_has_no_leader() {
    let options = Options { brokers: 3, ..Options::default() };
    let options = options.with("offsets.topic.num.partitions", &INTERNAL.to_string());
    let kafka = Kafka::start(options.with("transaction.state.log.num.partitions", &INTERNAL.to_string()));
    let (right, wrong) = (deploy(&kafka), deploy(&kafka));
    let worker = Worker::start(&right, "a");
    let faulty = Worker::start_armed(&wrong, "a", "combine.1.unknown-is-silent:1:err");
    worker.await_ready();
    faulty.await_ready();

    let window = right.rules.window;
    let start = (now() / window + 2) * window;
    // The broker is stopped in the middle of a window, and restarted when the seeded bug has had an effect.
    let away = start + 2 * window + window / 2;
    let log = right.players(61, 150, start, 120_000);
    let mut sent = start;
    let mut longest = 0;
    let mut produce = |wanted: &dyn Fn(usize) -> bool| {
        let from = sent;
        sent = now().max(from);
        longest = longest.max(sent - from);
        let due = of(&log, |partition, at| wanted(partition) && (from..sent).contains(&at));
        right.produce(&due);
        wrong.produce(&due);
        sleep(200);
        sent
    };
    let away = loop {
        let sent = produce(&|_| true);
        if sent >= away {
            break sent;
        }
    };
    kafka.kill(GONE);
    let mut until = away;
    while closed(&wrong)[2] < away + 2 * window {
        until = produce(&|partition| partition != 2);
        assert!(until < start + 120_000, "the seeded bug has no effect: {:?}", closed(&wrong));
    }
    let log = of(&log, |_, at| at < until);
    let outcome = right.evaluate(&log);
    // The other partitions continue, but no further window of the partition without a leader closes.
    eventually("the other partitions continue", || {
        let closed = closed(&right);
        (closed[0].min(closed[1]) > away + window).then_some(())
    });
    assert!(closed(&right)[2] <= away, "{:?} at {away}", closed(&right));
    assert!(!right.is_committed(away + window));

    kafka.restart(GONE);
    let rest = of(&log, |partition, at| partition == 2 && at >= away);
    right.produce(&rest);
    wrong.produce(&rest);
    // Later records in all partitions close the remaining windows.
    for deployment in [&right, &wrong] {
        (0..deployment.partitions).for_each(|partition| deployment.tombstone(partition, 1, now()));
    }
    let last = right.last_end(&outcome);
    right.await_committed(last);
    wrong.await_committed(last);
    let expected = outcome.rollups(&right.rules);
    eprintln!("the longest pause of the producer was {longest} ms");
    assert_nothing_lost_or_counted_twice(&right, &expected);
    let sessions =
        |rows: &[serde_json::Value]| rows.iter().map(|row| row["sessions"].as_u64().unwrap()).sum::<u64>();
    let lost: Vec<_> = wrong.rows("read_committed").into_iter().map(|row| row.json).collect();
    assert!(sessions(&lost) < sessions(&expected), "the seeded bug lost nothing");
    eprintln!(
        "the broker was stopped for {} ms; sessions in rows: {}, with the seeded bug {}",
        until - away,
        sessions(&expected),
        sessions(&lost)
    );
}
