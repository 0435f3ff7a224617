//! Tests a partition without a leader. It is not idle, because the end of its log is unknown.

use crowdfold_kafka::Cluster;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, Options, eventually, unique};

use super::assert_nothing_lost_or_doubled;
use crate::kafka_support::settings;
use crate::worker::support::{Deployment, Worker, field, now, sleep};

/// The broker that is stopped. Partition 2 of the beacons is on it.
const GONE: u32 = 3;

/// The number of partitions of the brokers' internal topics. With a power of two, all names with one prefix would be in
/// the same partition.
const INTERNAL: i32 = 7;

/// Returns the partition of an internal topic for a name, as Java computes it.
fn home(name: &str) -> usize {
    let hash = name.chars().fold(0_i32, |hash, letter| hash.wrapping_mul(31).wrapping_add(letter as i32));
    (hash.wrapping_abs() % INTERNAL) as usize
}

/// Creates a deployment whose beacons have one replica on each broker. Its groups and transactions belong to brokers
/// that keep running, because another test covers coordinators that die.
fn deploy(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    let cluster = Cluster::open(&settings(kafka)).unwrap();
    let leaders = |topic: &str| -> Option<Vec<i32>> {
        cluster.topic(topic).ok()?.partitions.iter().map(|partition| partition.leader).collect()
    };
    // The internal topics are created at their first use.
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
    // Live beacons may be delayed while a broker is stopped, and windows must not close before they arrive.
    deployment.set("source.idle_timeout", "\"15s\"");
    // A member that rejoins waits for all partitions, and this machine may be slow.
    deployment.set("kafka.properties.\"session.timeout.ms\"", "30000");
    deployment.set("kafka.properties.\"heartbeat.interval.ms\"", "1000");
    kafka.create_topic_on(&deployment.topic("beacons"), &[1, 2, GONE]);
    deployment.with_topics()
}

/// Returns the end of the last window that each partition's combiner has closed.
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

/// Runs two workers on the same beacons: the released one, and one with a seeded bug. The first waits and loses no
/// sessions. The test must detect the losses of the second.
#[test]
fn while_a_partition_has_no_leader_windows_wait_for_it() {
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
    // The broker is stopped in the middle of a window, and restarted when the seeded bug has taken effect.
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
    // The partition stays at its last window, and the others continue.
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
    // Later records of all partitions close the remaining windows.
    for deployment in [&right, &wrong] {
        (0..deployment.partitions).for_each(|partition| deployment.tombstone(partition, 1, now()));
    }
    let last = right.last_end(&outcome);
    right.await_committed(last);
    wrong.await_committed(last);
    let expected = outcome.rollups(&right.rules);
    eprintln!("nothing was sent for {longest} ms at most");
    assert_nothing_lost_or_doubled(&right, &expected);
    let sessions =
        |rows: &[serde_json::Value]| rows.iter().map(|row| row["sessions"].as_u64().unwrap()).sum::<u64>();
    let lost: Vec<_> = wrong.rows("read_committed").into_iter().map(|row| row.json).collect();
    assert!(sessions(&lost) < sessions(&expected), "the seeded bug lost nothing");
    eprintln!(
        "away for {} ms; sessions in rows: {}, with the seeded bug {}",
        until - away,
        sessions(&expected),
        sessions(&lost)
    );
}
