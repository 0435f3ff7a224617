//! The synthetic players, which produce like real ones.

use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use crowdfold_kafka::{ClientSettings, RDKafkaErrorCode};
use crowdfold_loadgen::{Faults, Players, PlayersConfig, Report};
use crowdfold_model::Millis;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::event_clock::EventClock;
use super::gauges::Gauges;
use super::{CROWDED, QUIET};
use crate::clock;
use crate::config::{Config, millis};
use crate::failure::Failure;
use crate::worker::Stop;

/// Sessions of the first tenant at any moment: some 330 beacons a second of event time.
const SESSIONS: u32 = 3_000;

/// Sessions of the second tenant, at most.
const FEW: u32 = 100;

/// How far the players may be ahead of the worker, ms of event time: what the mock cluster keeps of a partition
/// (5 MB) holds several times as much.
const LEAD: Millis = 100_000;

/// Between two looks at the clock.
const NAP: Duration = Duration::from_millis(5);

/// What is sent at the end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far the players are.
#[derive(Default)]
pub(super) struct Progress {
    sent: AtomicU64,
    event: AtomicU64,
}

impl Progress {
    /// Beacons sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Event time of the last, ms since the epoch; 0 before the first.
    pub(super) fn event(&self) -> Millis {
        self.event.load(Ordering::Relaxed)
    }
}

/// The players and where they report to.
pub(super) struct LoadGenerator {
    crowds: Vec<Peekable<Players>>,
    producer: BaseProducer<Deliveries>,
    topic: String,
    partitions: usize,
    lateness: Millis,
    event_clock: EventClock,
    progress: Arc<Progress>,
    gauges: Arc<Gauges>,
}

impl LoadGenerator {
    /// Starts the players: one tenant with a crowd, and one with too few for any row.
    ///
    /// # Errors
    /// When there can be no producer.
    pub(super) fn open(
        config: &Config,
        client: &ClientSettings,
        event_clock: EventClock,
        progress: Arc<Progress>,
        gauges: Arc<Gauges>,
    ) -> Result<Self, Failure> {
        // those who come and go within a window count too, so a third of k
        let few = u32::try_from(config.policy().k() / 3).unwrap_or(u32::MAX).clamp(1, FEW);
        let players = |tenant: &str, sessions, seed, faults| {
            let tenants = vec![tenant.to_owned()];
            let start_ms = event_clock.start();
            let players =
                PlayersConfig { sessions, seed, start_ms, tenants, faults, ..PlayersConfig::default() };
            Players::new(players).map(Iterator::peekable)
        };
        // what else arrives, garbage and the like, is nobody's: once is enough
        let crowds =
            vec![players(CROWDED, SESSIONS, 1, Faults::some())?, players(QUIET, few, 2, Faults::default())?];
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
            producer: producer.context("no producer can be made for the beacons' topic")?,
            topic: config.topic_names().beacons,
            partitions: config.topics.beacon_partitions as usize,
            lateness: millis(config.windows.lateness),
            event_clock,
            progress,
            gauges,
        })
    }

    /// Plays until told to stop.
    ///
    /// # Errors
    /// When the topic does not take what is sent.
    pub(super) fn play(mut self, stop: &Stop) -> anyhow::Result<()> {
        let mut limit = 0;
        while let Some(report) = self.next() {
            while report.sent_ms > limit {
                if stop.is_set() {
                    return self.finish();
                }
                limit = self.event_clock.at(clock::now()).min(self.read_until() + LEAD);
                if report.sent_ms > limit {
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

    /// The next report of any.
    fn next(&mut self) -> Option<Report> {
        let mut next: Option<(Millis, usize)> = None;
        for (at, crowd) in self.crowds.iter_mut().enumerate() {
            let due = crowd.peek().map(|report| (report.sent_ms, at));
            next = next.into_iter().chain(due).min();
        }
        self.crowds[next?.1].next()
    }

    /// Event time up to which the worker has read every partition.
    fn read_until(&self) -> Millis {
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
                // the error names a code, never the record
                Err((error, _)) => {
                    return Err(anyhow!(error).context(format!("topic {} is closed", self.topic)));
                }
            }
        }
    }

    fn finish(&self) -> anyhow::Result<()> {
        let flushed = self.producer.flush(PATIENCE);
        match self.producer.context().lost.load(Ordering::Relaxed) {
            0 => flushed.with_context(|| format!("topic {} does not take beacons", self.topic)),
            lost => Err(anyhow!("{lost} beacons were not taken by topic {}", self.topic)),
        }
    }
}

/// What became of what was sent.
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
