//! Verification of the time-to-live of topics, by their settings and by measurement.

use std::time::Instant;

use crowdfold_model::{Span, Timestamp};

use super::ahead::of_largest;
use super::configs::Configs;
use super::finding::{Finding, MAX_GZIP_BYTES, Unbounded};
use super::{Admin, Bounds, Clock, Purpose, Spec, Times};
use crate::KafkaError;

#[cfg(test)]
mod tests;

/// The tolerance for differences between clocks, and for the rounding of a measured age to seconds.
pub(super) const TOLERANCE: Span = Span::from_millis(5_000);

/// The result of [`Admin::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One report for each specification, in the same order.
    pub topics: Vec<TopicReport>,
}

/// The findings of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicReport {
    /// The name of the topic.
    pub topic: String,
    /// The purpose of the topic.
    pub purpose: Purpose,
    /// The maximum time for which a record may be readable.
    pub ttl: Span,
    /// The maximum times for which a record can be read and can stay on disk, as computed from the settings of the
    /// topic and the brokers. `None` if the topic does not exist.
    pub bounds: Option<Bounds>,
    /// The settings from which the bounds are computed. `None` if the topic does not exist.
    pub times: Option<Times>,
    /// The age of the oldest readable record of each partition. `None` if the partition is empty or has no leader.
    pub oldest: Vec<Option<Span>>,
    /// The differences between the topic and its specification.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns true if a finding is a breach ([`Finding::is_breach`]). The commands then exit with 3.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.topics.iter().flat_map(|topic| &topic.findings).any(Finding::is_breach)
    }

    /// Returns the findings that prevent the start of a worker, with their topics.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, &Finding)> {
        self.topics.iter().flat_map(|report| {
            let refused = report.findings.iter().filter(|finding| finding.refuses_start());
            refused.map(|finding| (report.topic.as_str(), finding))
        })
    }
}

impl TopicReport {
    /// Returns the age of the oldest readable record of all partitions. `None` if no partition has a measured record.
    #[must_use]
    pub fn oldest(&self) -> Option<Span> {
        self.oldest.iter().flatten().max().copied()
    }
}

impl Admin {
    /// Compares topics with their specifications. Reads the settings of each topic, and measures the age of the oldest
    /// record and the largest timestamp of each partition. This needs the permissions to describe topics and brokers,
    /// but no permission to read records.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond or refuses. A topic that differs from its specification is a
    /// finding and not an error.
    #[expect(
        clippy::disallowed_methods,
        reason = "brokers stamp records during the check, and may respond slowly"
    )]
    pub fn check(&self, specs: &[Spec], now: Timestamp) -> Result<Report, KafkaError> {
        let asked = Instant::now();
        let brokers = self.brokers()?;
        let topics = specs.iter().map(|spec| {
            let mut report = TopicReport {
                topic: spec.topic.clone(),
                purpose: spec.purpose,
                ttl: spec.ttl.into(),
                bounds: None,
                times: None,
                oldest: Vec::new(),
                findings: Vec::new(),
            };
            let Some(topic) = self.find(&spec.topic)? else {
                report.findings.push(Finding::Missing);
                return Ok(report);
            };
            let configs = self.configs(&topic, &brokers)?;
            let times = configs.times();
            let bounds = times.bounds();
            (report.bounds, report.times) = (Some(bounds), Some(times));
            report.findings = of_settings(spec, topic.count(), &configs);
            let oldest = self.oldest(&topic, now)?;
            let age = |time: &Option<Timestamp>| time.map(|time| now.saturating_since(time));
            report.oldest = oldest.times.iter().map(age).collect();
            report.findings.extend(of_ages(&report.oldest, bounds.readable.min(spec.ttl.into())));
            let largest = self.largest(&topic)?;
            let now = now.saturating_add(asked.elapsed().into());
            report.findings.extend(of_largest(spec, &largest, times.retention, now));
            if !oldest.leaderless.is_empty() {
                report.findings.push(Finding::Unmeasured { partitions: oldest.leaderless });
            }
            Ok(report)
        });
        Ok(Report { topics: topics.collect::<Result<_, KafkaError>>()? })
    }
}

/// Returns the findings for the settings of a topic and its brokers.
fn of_settings(spec: &Spec, partitions: u32, configs: &Configs<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let times = configs.times();
    let bound = times.bounds().readable;
    let policy = configs.get("cleanup.policy").unwrap_or_default();
    if policy != "delete" {
        findings.push(Finding::Unbounded(Unbounded::CleanupPolicy(policy.into())));
    }
    if configs.is("remote.storage.enable", "true") {
        findings.push(Finding::Unbounded(Unbounded::RemoteStorage));
    }
    let unlimited = [
        (times.retention, Unbounded::Retention),
        (times.ahead, Unbounded::Ahead),
        (times.segment, Unbounded::Other("segment.ms")),
        (times.check, Unbounded::Other("log.retention.check.interval.ms")),
    ];
    findings.extend(
        unlimited.into_iter().filter(|(time, _)| *time == Span::MAX).map(|(_, why)| Finding::Unbounded(why)),
    );
    if bound != Span::MAX && bound > spec.ttl.into() {
        findings.push(Finding::Beyond { bound, ttl: spec.ttl.into() });
    } else if let Some(finding) = of_disk(spec, times.bounds().on_disk) {
        findings.push(finding);
    }
    if times.retention < spec.least.into() {
        findings.push(Finding::TooShort { retention: times.retention, least: spec.least.into() });
    }
    let bytes = configs.get("retention.bytes").unwrap_or("-1");
    if spec.purpose.is_read_by_us() && bytes != "-1" {
        findings.push(Finding::RetentionBytes(bytes.into()));
    }
    if configs.is_create_time() != matches!(spec.clock, Clock::Create { .. }) {
        findings.push(Finding::Clock { wanted: spec.clock });
    }
    findings.extend(of_decompression(spec, configs));
    // check only partials, because combiner and merger compute the partition of a cell from the configured number
    if spec.purpose == Purpose::Partials && partitions != spec.partitions {
        findings.push(Finding::Partitions { there: partitions, wanted: spec.partitions });
    }
    findings
}

/// Checks the maximum size of gzip batches after decompression, which librdkafka does not limit. Batches can be gzip
/// if the topic's codec is gzip, or if the brokers keep the codec of the producer.
fn of_decompression(spec: &Spec, configs: &Configs<'_>) -> Option<Finding> {
    let batch = configs.get("max.message.bytes")?.parse().ok()?;
    let may_be_gzip = matches!(configs.get("compression.type"), None | Some("producer" | "gzip"));
    let is_read = spec.purpose.is_read_by_us();
    (is_read && may_be_gzip && batch > MAX_GZIP_BYTES).then_some(Finding::GzipTooLarge { batch })
}

/// Returns a finding if records can stay on disk for too long. `on_disk` is the time that results from the settings.
fn of_disk(spec: &Spec, on_disk: Span) -> Option<Finding> {
    let most = Span::from(spec.ttl).saturating_add(spec.on_disk_slack.into());
    (on_disk != Span::MAX && on_disk > most).then(|| Finding::OnDisk {
        bound: on_disk,
        ttl: spec.ttl.into(),
        slack: spec.on_disk_slack.into(),
    })
}

/// Returns a finding for each partition whose oldest readable record is older than `bound`.
fn of_ages(oldest: &[Option<Span>], bound: Span) -> Vec<Finding> {
    let overstayed = |(partition, age): (u32, &Option<Span>)| {
        let age = age.filter(|age| *age > bound.saturating_add(TOLERANCE))?;
        Some(Finding::Overstayed { partition, age, bound })
    };
    (0..).zip(oldest).filter_map(overstayed).collect()
}
