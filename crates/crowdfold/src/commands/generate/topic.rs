//! Sends the beacons of synthetic players to a topic, in real time.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use crowdfold_config::{Format, Partitioner};
use crowdfold_kafka::acl::{Operation, Right};
use crowdfold_kafka::{ClientSettings, Cluster, Principal};
use crowdfold_loadgen::{Limit, Players, PlayersConfig, Report, Truth, write_cells, write_end};
use crowdfold_model::{Span, Timestamp};
use crowdfold_worker::Config;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use super::{clock, usage};
use crate::cli::Generate;
use crate::error::CrowdfoldError;

/// The time limit for the acknowledgements of the last records.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest sleep between two checks of the clock and of signals.
const NAP: Duration = Duration::from_millis(50);

/// Sends each report when it is due, until a limit is reached or a signal arrives. If `truth` is set, writes the exact
/// cells to its file.
pub(super) fn run(
    args: &Generate,
    config: &Config,
    players: PlayersConfig,
    truth: Option<(Truth, BufWriter<File>)>,
) -> Result<(), CrowdfoldError> {
    if !config.source.fields.is_empty() {
        let what =
            "source.fields renames the fields of beacons, but `generate` writes crowdfold's default names";
        return Err(CrowdfoldError::Usage(format!("{what}; remove the section, or choose another topic")));
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .context("signal handlers cannot be installed")?;
    }
    let topic = Topic::open(config)?;
    let start = clock::now();
    let start_ms = start.as_millis();
    let limit = Limit {
        until_ms: args.duration.map(|length| start_ms.saturating_add(length.as_millis() as u64)),
        records: args.beacons,
    };
    let players = Players::new(PlayersConfig { start_ms, ..players }).map_err(usage)?;
    tracing::info!(topic = topic.name, brokers = config.kafka.brokers.join(","), "sending beacons");
    let sent = send(players, limit, &topic, truth, &stop)?;
    topic.finish()?;
    let seconds = (clock::now() - start).max(Span::from_millis(1)).as_secs_f64();
    tracing::info!(beacons = sent, per_second = (sent as f64 / seconds).round(), "generated");
    Ok(())
}

fn send(
    players: Players,
    limit: Limit,
    topic: &Topic,
    mut truth: Option<(Truth, BufWriter<File>)>,
    stop: &AtomicBool,
) -> anyhow::Result<u64> {
    const NO_TRUTH: &str = "the truth cannot be written";
    let mut sent = 0;
    let mut most_behind = Span::ZERO;
    for report in players {
        let due = Timestamp::from_millis(report.sent_ms);
        let allowed = limit.allows(sent, report.sent_ms);
        if !allowed || !wait_until(due, topic, stop) {
            break;
        }
        most_behind = clock::now().saturating_since(due).max(most_behind);
        topic.send(&report)?;
        sent += 1;
        if let Some((truth, lines)) = &mut truth {
            truth.watch(&report);
            write_cells(&truth.complete(), lines).context(NO_TRUTH)?;
        }
    }
    if most_behind >= Span::SECOND {
        tracing::warn!(
            behind_ms = most_behind.as_millis(),
            "beacons were sent later than their event time; lower --rate or --sessions"
        );
    }
    if let Some((truth, lines)) = truth {
        write_end(truth, lines).context(NO_TRUTH)?;
    }
    Ok(sent)
}

/// Waits until the given time. Meanwhile, the producer processes acknowledgements. Returns false if a signal arrives
/// before that time.
fn wait_until(time: Timestamp, topic: &Topic, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let left = Duration::from(time.saturating_since(clock::now()));
        if left.is_zero() {
            return true;
        }
        topic.producer.poll(Duration::ZERO);
        std::thread::sleep(left.min(NAP));
    }
}

/// The beacons topic, and a producer that writes to it.
struct Topic {
    name: String,
    producer: BaseProducer<Deliveries>,
    principal: Principal,
    headers: Option<OwnedHeaders>,
}

/// Counts the records that could not be written.
#[derive(Default)]
struct Deliveries {
    lost: AtomicU64,
    /// The code of the last error. The code is sufficient, because it determines the message of the error.
    last: std::sync::Mutex<Option<RDKafkaErrorCode>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.lost.fetch_add(1, Ordering::Relaxed);
            *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = error.rdkafka_error_code();
        }
    }
}

impl Topic {
    /// Checks that the topic exists, and creates a producer that uses the configured partitioner.
    fn open(config: &Config) -> Result<Self, CrowdfoldError> {
        let name = config.topic_names().beacons;
        let brokers = config.kafka.brokers.join(",");
        let properties = config.kafka.properties.resolve("kafka.properties")?;
        let client_id = format!("{}-generate", config.kafka.prefix);
        let settings = ClientSettings {
            brokers: brokers.clone(),
            client_id: client_id.clone(),
            properties: properties.iter().cloned().collect(),
        };
        let there = Cluster::open(&settings).and_then(|cluster| cluster.topic(&name));
        there.map_err(|error| error.needing(Operation::Write))?;

        let mut producer = ClientConfig::new();
        producer.set("linger.ms", "20").set("compression.type", "lz4").set("batch.size", "500000");
        for (key, value) in properties {
            producer.set(key, value);
        }
        producer
            .set("bootstrap.servers", brokers)
            .set("client.id", client_id)
            // Without idempotence, a retry could write a record twice. The truth counts each record once.
            .set("enable.idempotence", "true")
            .set("partitioner", partitioner(config.source.partitioner));
        let json = Header { key: "content-type", value: Some("application/json") };
        Ok(Self {
            producer: producer
                .create_with_context(Deliveries::default())
                .context("the producer for the beacons topic cannot be created")?,
            headers: (config.source.format != Format::Json).then(|| OwnedHeaders::new().insert(json)),
            principal: settings.principal(),
            name,
        })
    }

    /// Queues a report. The timestamp of the record is the time of sending in the report.
    fn send(&self, report: &Report) -> anyhow::Result<()> {
        let mut record = BaseRecord::<str, [u8]>::to(&self.name)
            .payload(&report.payload)
            .timestamp(i64::try_from(report.sent_ms).unwrap_or(i64::MAX));
        record.key = report.session();
        record.headers.clone_from(&self.headers);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    self.producer.poll(NAP);
                    record = again;
                }
                Err(_) if self.is_forbidden(None) => return Err(self.forbidden()),
                // The error contains only a code, and no content of the record.
                Err((error, _)) => {
                    return Err(
                        anyhow!(error).context(format!("beacons cannot be written to topic {}", self.name))
                    );
                }
            }
        }
    }

    /// Waits until all records are acknowledged. Returns an error if some records are not acknowledged.
    fn finish(&self) -> anyhow::Result<()> {
        let flushed = self.producer.flush(TIMEOUT);
        let deliveries = self.producer.context();
        let lost = deliveries.lost.load(Ordering::Relaxed);
        let left = self.producer.in_flight_count();
        let last = *deliveries.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (lost, last) {
            (0, _) if left == 0 && flushed.is_ok() => Ok(()),
            _ if self.is_forbidden(last) => Err(self.forbidden()),
            (0, _) => Err(anyhow!("{left} beacons were not acknowledged within {TIMEOUT:?}")),
            (lost, Some(code)) => {
                Err(anyhow!("{lost} beacons could not be written to topic {}: {code}", self.name))
            }
            (lost, None) => Err(anyhow!("{lost} beacons could not be written to topic {}", self.name)),
        }
    }
}

impl Topic {
    fn forbidden(&self) -> anyhow::Error {
        let right = Right::of_topic(Operation::Write, &self.name);
        crowdfold_kafka::KafkaError::Forbidden { principal: self.principal.clone(), right }.into()
    }

    /// Returns true if the last error, or the producer's fatal error, is a missing permission to write. If an
    /// idempotent producer may not write to any topic, it has a fatal error before its first record.
    fn is_forbidden(&self, last: Option<RDKafkaErrorCode>) -> bool {
        use RDKafkaErrorCode as C;
        let fatal = self.producer.client().fatal_error().map(|(code, _)| code);
        [last, fatal]
            .iter()
            .flatten()
            .any(|code| matches!(code, C::TopicAuthorizationFailed | C::ClusterAuthorizationFailed))
    }
}

/// Returns librdkafka's name of the partitioner. Records without a key are written to random partitions.
const fn partitioner(partitioner: Partitioner) -> &'static str {
    match partitioner {
        Partitioner::Murmur2 => "murmur2_random",
        Partitioner::Crc32 => "consistent_random",
        Partitioner::Fnv1a => "fnv1a_random",
    }
}
