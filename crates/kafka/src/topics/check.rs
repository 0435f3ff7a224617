//! Verification of topics by their settings and by measurement.

use std::time::Instant;

use crowdfold_model::{Span, Timestamp};

use super::ahead::of_largest;
use super::configs::Configs;
use super::finding::{Finding, MOST_GZIP, Unbounded};
use super::{Admin, Bounds, Clock, Purpose, Spec, Times};
use crate::KafkaError;

#[cfg(test)]
mod tests;

/// The tolerance for differences between clocks. The age of a record is known to the second.
pub(super) const TOLERANCE: Span = Span::from_millis(5_000);

/// The findings, topic by topic in the order of the specifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// One report for each specification.
    pub topics: Vec<TopicReport>,
}

/// The findings of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicReport {
    /// The name.
    pub topic: String,
    /// The purpose.
    pub purpose: Purpose,
    /// The longest time for which a record may be read.
    pub ttl: Span,
    /// The longest time for which a record can be read and be on disk, by the settings of topic and brokers; `None` if
    /// the topic does not exist.
    pub bounds: Option<Bounds>,
    /// The settings from which the bounds are computed.
    pub times: Option<Times>,
    /// The age of the oldest readable record of each partition; `None` if it is empty or has no leader.
    pub oldest: Vec<Option<Span>>,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns true if a finding is a breach: exit 3.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.topics.iter().flat_map(|topic| &topic.findings).any(Finding::is_breach)
    }

    /// Returns the findings because of which a worker must not start, each with its topic and the fix.
    pub fn refusals(&self) -> impl Iterator<Item = String> {
        self.topics.iter().flat_map(|report| {
            let refused = report.findings.iter().filter(|finding| finding.refuses_start());
            refused.map(|finding| format!("topic {} {finding}", report.topic))
        })
    }
}

impl TopicReport {
    /// Returns the age of the oldest record of all partitions.
    #[must_use]
    pub fn oldest(&self) -> Option<Span> {
        self.oldest.iter().flatten().max().copied()
    }
}

impl Admin {
    /// Reads settings, and measures the oldest record and the largest timestamp of each partition. Needs the permission to describe topics and brokers, but not to read records.
    ///
    /// # Errors
    /// A broker does not respond or refuses. Problems of a topic are findings, not errors.
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
    let forever = [
        (times.retention, Unbounded::Retention),
        (times.ahead, Unbounded::Ahead),
        (times.segment, Unbounded::Other("segment.ms")),
        (times.check, Unbounded::Other("log.retention.check.interval.ms")),
    ];
    findings.extend(
        forever.into_iter().filter(|(time, _)| *time == Span::MAX).map(|(_, why)| Finding::Unbounded(why)),
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
    findings.extend(of_unpacking(spec, configs));
    // partitions of the beacons topic may be added at any time; readers of rollups and rejections do not depend on the
    // number
    if spec.purpose == Purpose::Partials && partitions != spec.partitions {
        findings.push(Finding::Partitions { there: partitions, wanted: spec.partitions });
    }
    findings
}

/// Checks the size of gzip batches when unpacked, which librdkafka does not limit. Brokers recompress batches if the
/// topic has its own codec.
fn of_unpacking(spec: &Spec, configs: &Configs<'_>) -> Option<Finding> {
    let batch = configs.get("max.message.bytes")?.parse().ok()?;
    let may_be_gzip = matches!(configs.get("compression.type"), None | Some("producer" | "gzip"));
    let is_read = spec.purpose.is_read_by_us();
    (is_read && may_be_gzip && batch > MOST_GZIP).then_some(Finding::Unpacks { batch })
}

/// Checks the time on disk, if the time for which records can be read is within its bound.
fn of_disk(spec: &Spec, on_disk: Span) -> Option<Finding> {
    let most = Span::from(spec.ttl).saturating_add(spec.on_disk_slack.into());
    (on_disk != Span::MAX && on_disk > most).then(|| Finding::OnDisk {
        bound: on_disk,
        ttl: spec.ttl.into(),
        slack: spec.on_disk_slack.into(),
    })
}

fn of_ages(oldest: &[Option<Span>], bound: Span) -> Vec<Finding> {
    let overstayed = |(partition, age): (u32, &Option<Span>)| {
        let age = age.filter(|age| *age > bound.saturating_add(TOLERANCE))?;
        Some(Finding::Overstayed { partition, age, bound })
    };
    (0..).zip(oldest).filter_map(overstayed).collect()
}
