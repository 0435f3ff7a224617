//! Creates topics with packed records.

use std::time::{SystemTime, UNIX_EPOCH};

use crowdfold_loadgen::{Mix, Players, PlayersConfig};
use crowdfold_model::{Timestamp, murmur2};
use crowdfold_testkit::envelope::{Body, CONTENT_TYPE, FULL, Http, Packer, Reader, browser, pack, reader};
use crowdfold_testkit::{Kafka, unique};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::PARTITIONS;
use crate::topic::Topic;

/// The number of events in a request with CMCD.
const EVENTS: u64 = 10;

/// Creates a topic with the beacons of [`crate::topic::filled`], of which each was sent in a request of its own.
pub(crate) fn json(kafka: &Kafka, beacons: u64) -> Topic {
    let sessions = 40_000;
    let config = PlayersConfig {
        sessions,
        start_ms: now() - 20 * 60_000,
        heartbeat_ms: (u64::from(sessions) * 15 * 60_000 / beacons.max(1)).clamp(1_000, 30_000) as u32,
        mix: Mix::lean(),
        ..PlayersConfig::default()
    };
    let mut filling = Filling::new(kafka);
    for report in Players::new(config).unwrap().take(beacons as usize) {
        let session = report.session().unwrap_or_default();
        filling.push(session, report.sent_ms, &Body::Json(&report.payload));
    }
    filling.finish()
}

/// Creates a topic with requests of hls.js, with an event for each second. All events are within fifteen minutes.
pub(crate) fn cmcd(kafka: &Kafka, beacons: u64) -> Topic {
    let requests = beacons / EVENTS;
    let sessions = (requests / 90).max(1);
    let start = now() - 20 * 60_000;
    let mut filling = Filling::new(kafka);
    for request in 0..requests {
        let (session, nth) = (request % sessions, request / sessions);
        let time = start + nth * EVENTS * 1_000 + session * EVENTS * 1_000 / sessions;
        let id = format!("6f1c1f8e-0000-4000-8000-{session:012x}");
        let event = |event: u64| {
            format!(
                "bl=(12300),br=(3200),cid=\"movie-{:04}\",e=t,mtp=(5400),pt=20000,sf=h,sid=\"{id}\",sn={},st=v,sta=p,\
                 ts={},v=2\n",
                session % 500,
                nth * EVENTS + event,
                time + event * 1_000,
            )
        };
        let body: String = (0..EVENTS).map(event).collect();
        filling.push(&id, time + EVENTS * 1_000, &Body::Events(body.as_bytes()));
    }
    filling.finish()
}

/// A topic that is being filled.
struct Filling {
    topic: Topic,
    producer: BaseProducer,
    reader: Reader,
    /// The record under construction of each partition, and the latest time of receipt in it.
    records: Vec<(Packer, u64)>,
    requests: usize,
}

impl Filling {
    fn new(kafka: &Kafka) -> Self {
        let name = unique("packed");
        let kept = [
            ("message.timestamp.after.max.ms", "60000"),
            ("retention.ms", "2640000"),
            ("segment.ms", "660000"),
        ];
        kafka.create_topic(&name, PARTITIONS, &kept);
        let producer = ClientConfig::new()
            .set("bootstrap.servers", kafka.bootstrap())
            .set("compression.codec", "lz4")
            .set("linger.ms", "50")
            .create()
            .unwrap();
        let records = (0..PARTITIONS).map(|_| (Packer::default(), 0)).collect();
        Self { topic: Topic { name, bytes: 0 }, producer, reader: reader(), records, requests: 0 }
    }

    /// Adds a request of a session. The context is that of a browser.
    fn push(&mut self, session: &str, received_at: u64, body: &Body<'_>) {
        let partition = (murmur2(session.as_bytes()) & 0x7fff_ffff) % PARTITIONS;
        self.requests += 1;
        let http = Http { received_at: Some(Timestamp::from_millis(received_at)), ..browser(self.requests) };
        let (packer, last) = &mut self.records[partition as usize];
        assert!(pack(packer, &mut self.reader, &http, body));
        *last = received_at.max(*last);
        if packer.len() >= FULL {
            self.send(partition);
        }
    }

    fn send(&mut self, partition: u32) {
        let (packer, last) = &mut self.records[partition as usize];
        let payload = packer.take();
        self.topic.bytes += payload.len() as u64;
        let kind = Header { key: "content-type", value: Some(CONTENT_TYPE) };
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic.name)
            .partition(partition as i32)
            .timestamp(*last as i64)
            .headers(OwnedHeaders::new().insert(kind))
            .payload(&payload);
        while let Err((_, back)) = self.producer.send(record) {
            record = back;
            self.producer.poll(std::time::Duration::from_millis(10));
        }
    }

    fn finish(mut self) -> Topic {
        for partition in 0..PARTITIONS {
            if !self.records[partition as usize].0.is_empty() {
                self.send(partition);
            }
        }
        self.producer.flush(std::time::Duration::from_secs(120)).unwrap();
        self.topic
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}
