//! The steps that process the records of the topic from memory, without Kafka.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record, SessionHasher, Settings, Shared};
use crowdfold_engine::{Combiner, CombinerSettings, Operator as _, Rules, Start};
use crowdfold_kafka::Stamp;
use crowdfold_model::{Dimension, Qualities, Span, Timestamp};

use crate::read::{self, BATCH};
use crate::{Cost, PARTITIONS, cpu, peak_mib};

/// The maximum number of records that are read into memory.
const MOST: u64 = 1_000_000;

/// The timestamps and values of the records of one partition.
type Records = Vec<(Timestamp, Box<[u8]>)>;

/// Turns bytes into observations.
pub(crate) fn admit(brokers: &str, topic: &str, beacons: u64) -> Cost {
    let shared = shared();
    let mut airlocks: Vec<_> = (0..PARTITIONS).map(|partition| airlock(&shared, partition)).collect();
    let mut admitted = 0;
    let cost = measured(brokers, topic, beacons, |partition, batch, _| {
        for record in batch {
            airlocks[partition].admit(&as_record(record), &mut |_, outcome| {
                admitted += u64::from(outcome.is_ok());
            });
        }
    });
    assert_eq!(admitted, cost.beacons, "every beacon is valid");
    cost
}

/// Turns bytes into the cells of closed windows.
pub(crate) fn combine(brokers: &str, topic: &str, beacons: u64) -> Cost {
    let shared = shared();
    let settings = Arc::new(CombinerSettings {
        rules: rules(),
        partitions: PARTITIONS,
        partial_partitions: 2,
        tenants: Settings::default().tenants,
        topic: "beacons".into(),
        trust_timestamps: true,
        max_skew: Span::MINUTE,
        idle_timeout: Span::MINUTE,
    });
    let combiner = |partition| {
        let fresh = Start { partition, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
        Combiner::new(Arc::clone(&settings), airlock(&shared, partition), &fresh, 0, false)
    };
    let mut combiners: Vec<_> = (0..PARTITIONS).map(combiner).collect();
    let now = Timestamp::from_millis(u64::MAX / 2);
    let cost = measured(brokers, topic, beacons, |partition, batch, first| {
        let combiner = &mut combiners[partition];
        for (record, offset) in batch.iter().zip(first..) {
            combiner.buffer(&as_record(record), offset, now).unwrap();
            if combiner.is_full() {
                combiner.mark_committed();
            }
        }
        combiner.insert_buffered();
    });
    for combiner in &combiners {
        assert!(combiner.balanced() && combiner.totals().rejected() == 0, "every beacon is valid");
    }
    cost
}

/// Reads records into memory, and measures the CPU time that `process` uses for them. `process` receives batches of all
/// partitions in turn, each with the offset of its first record.
fn measured(
    brokers: &str,
    topic: &str,
    beacons: u64,
    mut process: impl FnMut(usize, &[(Timestamp, Box<[u8]>)], i64),
) -> Cost {
    let mut records: Vec<Records> = (0..PARTITIONS).map(|_| Vec::new()).collect();
    read::each(brokers, topic, beacons.min(MOST), |partition, message| {
        let (Stamp::Create(time) | Stamp::Append(time)) = message.timestamp() else { return };
        records[partition as usize].push((time, message.payload().into()));
    });
    let before = cpu("self");
    let mut at = 0;
    while records.iter().any(|records| at < records.len()) {
        for (partition, records) in records.iter().enumerate() {
            let end = records.len().min(at + BATCH);
            process(partition, &records[at.min(end)..end], at as i64);
        }
        at += BATCH;
    }
    let beacons = records.iter().map(|records| records.len() as u64).sum();
    Cost { beacons, cpu: cpu("self") - before, peak_mib: peak_mib("self"), per_second: None }
}

fn as_record((timestamp, payload): &(Timestamp, Box<[u8]>)) -> Record<'_> {
    Record { payload, content_type: None, timestamp: Some(*timestamp) }
}

fn shared() -> Arc<Shared> {
    Arc::new(Shared::new(Settings::default(), SessionHasher::random()).unwrap())
}

fn airlock(shared: &Arc<Shared>, partition: u32) -> Airlock {
    Airlock::new(shared, Some(Placement { partition, of: PARTITIONS }))
}

/// The breakdowns of the default configuration.
pub(crate) fn breakdowns() -> Vec<Vec<Dimension>> {
    use Dimension as D;
    vec![
        vec![D::Country, D::Asn],
        vec![D::Device, D::Os, D::Browser],
        vec![D::Player, D::PlayerVersion],
        vec![D::Stream, D::Format, D::Content],
        vec![D::Cdn, D::Connection],
    ]
}

fn rules() -> Arc<Rules> {
    Arc::new(Rules {
        window: Span::MINUTE,
        lateness: Span::SECOND * 30,
        idle: Span::SECOND * 90,
        breakdowns: breakdowns().into(),
        qualities: Qualities::default(),
        max_sessions: 10_000_000,
    })
}
