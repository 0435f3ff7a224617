//! The synthetic players of the demo, and the producer that writes their beacons to Kafka.

use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use crowdfold_kafka::{ClientSettings, RDKafkaErrorCode};
use crowdfold_loadgen::{Faults, Players, PlayersConfig, Report};
use crowdfold_model::{Span, Timestamp};
use crowdfold_worker::{Config, Stop, clock};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::event_clock::EventClock;
use super::gauges::Gauges;
use super::{CROWDED, SMALL};
use crate::error::CrowdfoldError;

/// The number of live sessions of the first tenant. They send about 330 beacons per second of event time.
const SESSIONS: u32 = 3_000;

/// The maximum number of sessions of the second tenant.
const FEW: u32 = 100;

/// The maximum event time by which the players may be ahead of the worker. The mock cluster keeps 5 MB of each
/// partition, which is several times the size of the beacons of this time.
const LEAD: Span = Span::SECOND.times(100);

/// The time between two checks for beacons that are due.
const NAP: Duration = Duration::from_millis(5);

/// The time limit for writing the last records before the exit.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The progress of the players, which the display reads from another thread.
#[derive(Default)]
pub(super) struct Progress {
    sent: AtomicU64,
    event: AtomicU64,
}

impl Progress {
    /// Returns the number of sent beacons.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Returns the event time of the last beacon, or the epoch if no beacon was sent yet.
    pub(super) fn event(&self) -> Timestamp {
        Timestamp::from_millis(self.event.load(Ordering::Relaxed))
    }
}

/// The players of both tenants, and their producer.
pub(super) struct LoadGenerator {
    crowds: Vec<Peekable<Players>>,
    producer: BaseProducer<Deliveries>,
    topic: String,
    partitions: usize,
    lateness: Span,
    event_clock: EventClock,
    progress: Arc<Progress>,
    gauges: Arc<Gauges>,
}

impl LoadGenerator {
    /// Creates the players. One tenant has many sessions, the other tenant has too few sessions for any row.
    ///
    /// # Errors
    /// Returns an error if the producer cannot be created.
    pub(super) fn open(
        config: &Config,
        client: &ClientSettings,
        event_clock: EventClock,
        progress: Arc<Progress>,
        gauges: Arc<Gauges>,
    ) -> Result<Self, CrowdfoldError> {
        // A third of k sessions are live at the same time. A window contains more sessions, because sessions end and
        // others begin in it.
        let few = u32::try_from(config.policy().k() / 3).unwrap_or(u32::MAX).clamp(1, FEW);
        let players = |tenant: &str, sessions, seed, faults| {
            let tenants = vec![tenant.to_owned()];
            let start_ms = event_clock.start().as_millis();
            let players =
                PlayersConfig { sessions, seed, start_ms, tenants, faults, ..PlayersConfig::default() };
            Players::new(players).map(Iterator::peekable)
        };
        // Invalid beacons belong to no tenant, so only one of the generators sends them.
        let crowds =
            vec![players(CROWDED, SESSIONS, 1, Faults::some())?, players(SMALL, few, 2, Faults::default())?];
        let mut producer = ClientConfig::new();
        producer.set("linger.ms", "20").set("compression.type", "lz4");
        for (key, value) in &client.properties {
            producer.set(key, value);
        }
        producer
            .set("bootstrap.servers", &client.brokers)
            .set("client.id", format!("{}-players", config.kafka.prefix))
            .set("partitioner", "murmur2_random");
        let producer = producer.create_with_context(Deliveries::default());
        Ok(Self {
            crowds,
            producer: producer.context("the producer for the beacons topic cannot be created")?,
            topic: config.topic_names().beacons,
            partitions: config.topics.beacon_partitions as usize,
            lateness: config.windows.lateness.into(),
            event_clock,
            progress,
            gauges,
        })
    }

    /// Sends each beacon when it is due, until `stop` is set.
    ///
    /// # Errors
    /// Returns an error if beacons cannot be written to the topic.
    pub(super) fn play(mut self, stop: &Stop) -> anyhow::Result<()> {
        let mut limit = Timestamp::EPOCH;
        while let Some(report) = self.next() {
            while Timestamp::from_millis(report.sent_ms) > limit {
                if stop.is_set() {
                    return self.finish();
                }
                limit = self.event_clock.at(clock::now()).min(self.read_until() + LEAD);
                if Timestamp::from_millis(report.sent_ms) > limit {
                    self.producer.poll(Duration::ZERO);
                    stop.sleep(NAP);
                }
            }
            self.send(&report)?;
            self.progress.sent.fetch_add(1, Ordering::Relaxed);
            self.progress.event.store(report.sent_ms, Ordering::Relaxed);
        }
        self.finish()
    }

    /// Returns the earliest report that no player has sent yet.
    fn next(&mut self) -> Option<Report> {
        let mut next: Option<(u64, usize)> = None;
        for (at, crowd) in self.crowds.iter_mut().enumerate() {
            let due = crowd.peek().map(|report| (report.sent_ms, at));
            next = next.into_iter().chain(due).min();
        }
        self.crowds[next?.1].next()
    }

    /// Returns the event time up to which the worker has read all partitions.
    fn read_until(&self) -> Timestamp {
        let lags = self.gauges.lags();
        match lags.iter().max() {
            Some(most) if lags.len() == self.partitions => {
                clock::now().saturating_sub(*most).saturating_add(self.lateness).max(self.event_clock.start())
            }
            _ => self.event_clock.start(),
        }
    }

    fn send(&self, report: &Report) -> anyhow::Result<()> {
        let mut record = BaseRecord::<str, [u8]>::to(&self.topic)
            .payload(&report.payload)
            .timestamp(i64::try_from(report.sent_ms).unwrap_or(i64::MAX));
        record.key = report.session();
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    self.producer.poll(NAP);
                    record = again;
                }
                // The error contains only a code, and no content of the record.
                Err((error, _)) => {
                    return Err(
                        anyhow!(error).context(format!("beacons cannot be written to topic {}", self.topic))
                    );
                }
            }
        }
    }

    fn finish(&self) -> anyhow::Result<()> {
        let flushed = self.producer.flush(TIMEOUT);
        match self.producer.context().lost.load(Ordering::Relaxed) {
            0 => {
                flushed.with_context(|| format!("the last beacons cannot be written to topic {}", self.topic))
            }
            lost => Err(anyhow!("{lost} beacons could not be written to topic {}", self.topic)),
        }
    }
}

/// Counts the records that could not be written.
#[derive(Default)]
struct Deliveries {
    lost: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}
