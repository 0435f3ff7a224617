//! `collect`: the HTTP collector.

mod metrics;
mod parameters;
mod topic;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use anyhow::anyhow;
use crowdfold_airlock::Settings;
use crowdfold_collector::{Certificates, Collector, Server as CollectorServer};
use crowdfold_config::Acknowledge;
use crowdfold_kafka::topics::{Clock, Finding};
use crowdfold_kafka::{KafkaError, Writer};
use crowdfold_model::{Span, Timestamp};
use crowdfold_worker::config::{fields_message, finding_message, kafka_message};
use crowdfold_worker::telemetry::{AbsentPaths, Component, Counters, Server, Status};
use crowdfold_worker::{Config, Stop, clock, roles, wiring};

use crate::error::CrowdfoldError;
use crate::hardening;

use topic::{Found, Topic};

/// The interval at which the certificate files are checked for changes.
const AGAIN: Span = Span::SECOND.times(10);

/// For this time after an error of Kafka, the collector is not ready, and does not log further errors.
const RECENT: Span = Span::SECOND.times(10);

/// Runs the collector until SIGTERM, SIGINT or a permanent error.
///
/// # Errors
/// Returns an error if the configuration is invalid, if a permanent error ended the collector, or if some acknowledged
/// beacons were not written to Kafka before the exit.
pub fn run(config: Config) -> Result<(), CrowdfoldError> {
    let settings = parameters::settings(&config);
    let mapping = config.airlock()?;
    let files = parameters::files(&config).map(Certificates::load).transpose();
    let certificates = files.map_err(|error| CrowdfoldError::Usage(parameters::message(&error)))?;
    hardening::open_files(settings.connections as u64)?;
    let client = wiring::client(&config)?;
    let topic = config.topic_names().beacons;
    let status = Arc::new(Status::new(&[Component::Collect]));
    let stop = Stop::at_signals()?;
    let pages = Server::start(config.metrics.listen, Arc::clone(&status))?;
    metrics::describe();
    if let Some(address) = pages.address {
        tracing::info!("metrics and health at http://{address}");
    }
    let longest = config.ttl.beacons;
    let writer = Writer::open(&client, settings.writer(&topic, longest))?;
    let collector =
        Collector::new(settings, writer).map_err(|error| CrowdfoldError::Usage(fields_message(&error)))?;
    let server = CollectorServer::start(Arc::clone(&collector), certificates.clone())
        .map_err(|error| anyhow!(parameters::message(&error)))?;
    let scheme = if certificates.is_some() { "https" } else { "http" };
    tracing::info!("receiving beacons at {scheme}://{}", server.address);
    let watching = Watching {
        found: topic::watch(client, topic, Arc::clone(&stop)),
        counters: Counters::new(config.policy().k()),
        absent_paths: AbsentPaths::default(),
        mapping,
        partitions: 0,
        wanted: 0,
        unseen: None,
        last_error: None,
        looked: clock::now(),
        collector: &collector,
        certificates: certificates.as_deref(),
        status: &status,
        config: &config,
    };
    let ended = watching.until(&stop);
    stop.now();
    status.report(Component::Collect, clock::now(), vec!["stopping".into()]);
    let written = server.stop();
    ended?;
    match config.collect.acknowledge {
        _ if written => {}
        Acknowledge::Written => {
            tracing::warn!(
                "shutdown: some beacons were not written to Kafka in time; none of them was acknowledged"
            )
        }
        Acknowledge::Queued => {
            return Err(anyhow!(
                "shutdown: some acknowledged beacons were not written to Kafka in time and may be lost"
            )
            .into());
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// The loop of the collector. Every second it checks the topic, the errors of brokers and the certificate files, and
/// reports metrics and readiness.
struct Watching<'a> {
    found: Receiver<Found>,
    counters: Counters,
    absent_paths: AbsentPaths,
    /// The settings that contain the paths of fields and of custom dimensions.
    mapping: Settings,
    partitions: u32,
    /// The number of partitions that brokers report. `partitions` is the number that the collector uses.
    wanted: u32,
    /// The error of the last look-up of the topic. `None` if that look-up succeeded.
    unseen: Option<String>,
    /// The last error of Kafka, and the time at which it occurred.
    last_error: Option<(String, Timestamp)>,
    /// The time at which the certificate files were last checked.
    looked: Timestamp,
    collector: &'a Collector,
    certificates: Option<&'a Certificates>,
    status: &'a Status,
    config: &'a Config,
}

impl Watching<'_> {
    fn until(mut self, stop: &Stop) -> Result<(), CrowdfoldError> {
        loop {
            let now = clock::now();
            self.topic()?;
            self.kafka(now)?;
            self.certificates(now);
            self.report(now);
            if stop.sleep(Duration::from_millis(if self.partitions == 0 { 50 } else { 1_000 })) {
                return Ok(());
            }
        }
    }

    /// Applies changes of the topic. If the collector has no partitions yet, a permanent error ends it. If it has
    /// partitions, an error makes it not ready.
    fn topic(&mut self) -> Result<(), CrowdfoldError> {
        loop {
            match self.found.try_recv() {
                Ok(Found::Topic(Topic { partitions, is_create_time })) => {
                    if let Some(is_create_time) = is_create_time {
                        self.clock(is_create_time)?;
                    }
                    self.unseen = None;
                    self.wanted = partitions;
                }
                Ok(Found::Nothing(error)) => {
                    if self.partitions == 0 && !error.is_transient() {
                        return Err(self.as_granted(error));
                    }
                    let message = kafka_message(&error);
                    tracing::warn!("{message}");
                    self.unseen = Some(message);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        if self.wanted != self.partitions && self.collector.set_partitions(self.wanted) {
            self.partitions = self.wanted;
            let topic = self.config.topic_names().beacons;
            tracing::info!("topic {topic} has {} partitions", self.partitions);
        }
        Ok(())
    }

    /// Handles errors that brokers returned for written records. Returns an error if it is permanent.
    fn kafka(&mut self, now: Timestamp) -> Result<(), CrowdfoldError> {
        if let Some(by_broker) = self.collector.stamped_by_broker() {
            self.clock(!by_broker)?;
        }
        if let Some(error) = self.collector.fatal() {
            return Err(self.as_granted(error));
        }
        let Some(error) = self.collector.last_error() else { return Ok(()) };
        if matches!(error, KafkaError::Forbidden { .. }) {
            return Err(self.as_granted(error));
        }
        let message = kafka_message(&error);
        let is_logged =
            self.last_error.as_ref().is_some_and(|(_, last)| now.saturating_since(*last) < RECENT);
        if !is_logged {
            tracing::warn!("{message}");
        }
        self.last_error = Some((message, now));
        Ok(())
    }

    /// Checks that timestamps are set by the clock that `source.trust_timestamps` requires (of the producer or of the
    /// broker), because watermarks depend on timestamps.
    fn clock(&self, is_create_time: bool) -> Result<(), CrowdfoldError> {
        let trusted = self.config.source.trust_timestamps;
        if is_create_time == trusted {
            return Ok(());
        }
        let ahead = self.config.source.ahead();
        let wanted = if trusted { Clock::Create { ahead } } else { Clock::Append };
        let topic = self.config.topic_names().beacons;
        Err(CrowdfoldError::Breach(format!("topic {topic} {}", finding_message(&Finding::Clock { wanted }))))
    }

    fn as_granted(&self, error: KafkaError) -> CrowdfoldError {
        error.among(&roles::of_stage(self.config, Component::Collect)).into()
    }

    fn certificates(&mut self, now: Timestamp) {
        let Some(certificates) = self.certificates else { return };
        if now.saturating_since(self.looked) < AGAIN {
            return;
        }
        self.looked = now;
        match certificates.refresh() {
            Ok(false) => {}
            Ok(true) => tracing::info!("the certificate was reloaded"),
            // A certificate file may be read while it is being replaced, so an error does not end the collector.
            Err(error) => tracing::warn!("{}; the certificate in use is kept", parameters::message(&error)),
        }
    }

    fn report(&self, now: Timestamp) {
        let held = self.collector.held();
        metrics::write(&self.counters, &self.collector.counted(), held);
        self.absent_paths.report(&self.collector.sent_fields(), &self.mapping);
        let mut reasons = Vec::new();
        match &self.unseen {
            Some(error) => reasons.push(error.clone()),
            None if self.partitions == 0 => reasons.push("looking for the topic".into()),
            None => {}
        }
        if let Some((error, last)) = &self.last_error
            && now.saturating_since(*last) < RECENT
        {
            reasons.push(error.clone());
        }
        if held > self.collector.memory() / 10 * 9 {
            reasons.push(
                "Kafka is slow, and the buffered beacons are near the limit of collect.max_memory_bytes"
                    .into(),
            );
        }
        self.status.report(Component::Collect, now, reasons);
    }
}
