//! A partition without a leader is not silent: nobody can tell what its log holds.

use crowdfold_kafka::Cluster;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, Options, eventually, unique};

use super::assert_nothing_lost_or_doubled;
use crate::kafka_support::settings;
use crate::worker::support::{Deployment, Worker, field, now, sleep};

/// The broker that goes, and with it partition 2 of the beacons.
const GONE: u32 = 3;

/// How many partitions the brokers' own topics have. Were it a power of two, all names of one prefix would go together.
const INTERNAL: i32 = 7;

/// The partition of an internal topic that a name belongs to, as Java has it.
fn home(name: &str) -> usize {
    let hash = name.chars().fold(0_i32, |hash, letter| hash.wrapping_mul(31).wrapping_add(letter as i32));
    (hash.wrapping_abs() % INTERNAL) as usize
}

/// A deployment whose beacons have one replica on each broker, and whose groups and transactions are kept by brokers
/// that stay: a coordinator that dies is another test's.
fn deploy(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    let cluster = Cluster::open(&settings(kafka)).unwrap();
    let leaders = |topic: &str| -> Option<Vec<i32>> {
        cluster.topic(topic).ok()?.partitions.iter().map(|partition| partition.leader).collect()
    };
    // made when somebody first asks for them
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
    // what this test sends may be held up while a broker is away, and must not be outrun by silence
    deployment.set("source.idle_timeout", "\"15s\"");
    // whoever joins again waits for all partitions, and this machine may be slow
    deployment.set("kafka.properties.\"session.timeout.ms\"", "30000");
    deployment.set("kafka.properties.\"heartbeat.interval.ms\"", "1000");
    kafka.create_topic_on(&deployment.topic("beacons"), &[1, 2, GONE]);
    deployment.with_topics()
}

/// Until when each partition's combiner has closed.
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

/// Two workers see the same: one as it is, and one with the seeded bug. The first waits, and loses nothing; of the
/// second this test must notice what it loses.
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
    // it goes in the middle of a window, and comes back when the seeded bug has taken effect
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
    // as far as it was before, whatever the others do
    eventually("the others go on", || {
        let closed = closed(&right);
        (closed[0].min(closed[1]) > away + window).then_some(())
    });
    assert!(closed(&right)[2] <= away, "{:?} at {away}", closed(&right));
    assert!(!right.is_committed(away + window));

    kafka.restart(GONE);
    let rest = of(&log, |partition, at| partition == 2 && at >= away);
    right.produce(&rest);
    wrong.produce(&rest);
    // later records of all close what there is
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
