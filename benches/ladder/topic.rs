//! The topic that all steps read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crowdfold_loadgen::{Mix, Players, PlayersConfig};
use crowdfold_model::murmur2;
use crowdfold_testkit::{Kafka, unique};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::PARTITIONS;

/// A topic with beacons.
pub(crate) struct Topic {
    pub(crate) name: String,
    /// The size of the values in bytes.
    pub(crate) bytes: u64,
}

/// Creates a topic with beacons of the last twenty minutes. Each record has a key, and is in the partition that a
/// producer would choose for this key.
pub(crate) fn filled(kafka: &Kafka, beacons: u64) -> Topic {
    let name = unique("beacons");
    kafka.create_topic(
        &name,
        PARTITIONS,
        &[("message.timestamp.after.max.ms", "60000"), ("retention.ms", "2640000"), ("segment.ms", "660000")],
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let sessions = 40_000;
    let config = PlayersConfig {
        sessions,
        start_ms: now - 20 * 60_000,
        // The interval is chosen so that all beacons are within fifteen minutes.
        heartbeat_ms: (u64::from(sessions) * 15 * 60_000 / beacons.max(1)).clamp(1_000, 30_000) as u32,
        mix: Mix::lean(),
        ..PlayersConfig::default()
    };
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("compression.codec", "lz4")
        .set("linger.ms", "50")
        .set("batch.num.messages", "1000")
        .create()
        .unwrap();
    let mut bytes = 0;
    for report in Players::new(config).unwrap().take(beacons as usize) {
        let session = report.session().unwrap_or_default();
        bytes += report.payload.len() as u64;
        let partition = (murmur2(session.as_bytes()) & 0x7fff_ffff) % PARTITIONS;
        let mut record = BaseRecord::<[u8], [u8]>::to(&name)
            .partition(partition as i32)
            .key(session.as_bytes())
            .timestamp(report.sent_ms as i64)
            .payload(&report.payload);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            producer.poll(Duration::from_millis(10));
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    Topic { name, bytes }
}
