//! Checks the topics and their time-to-live, before the worker starts and while it runs.

use std::time::Duration;

use crowdfold_kafka::ClientSettings;
use crowdfold_kafka::topics::{Admin, Finding, Report, Spec};
use metrics::gauge;

use crate::config::finding_message;
use crate::telemetry::{Component, Status};
use crate::{Backoff, Stop, WorkerError, clock};

/// The interval between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Checks the topics before the start of the worker. Retries until the brokers respond. Returns false on shutdown.
///
/// # Errors
/// Returns [`WorkerError::Breach`] if a topic keeps records without a limit, for longer than configured, or for too
/// short a time.
pub fn refuse_unbounded(
    client: &ClientSettings,
    specs: &[Spec],
    status: &Status,
    stop: &Stop,
) -> Result<bool, WorkerError> {
    let mut backoff = Backoff::default();
    loop {
        match check(client, specs) {
            Ok(report) => {
                let message = |(topic, finding): (&str, &Finding)| {
                    format!("topic {topic} {}", finding_message(finding))
                };
                let refusals: Vec<_> = report.refusals().map(message).collect();
                if !refusals.is_empty() {
                    return Err(WorkerError::Breach(refusals.join("\ncrowdfold: ")));
                }
                report_findings(&report, status);
                return Ok(true);
            }
            Err(failure) if failure.may_pass() => {
                let pause = backoff.delay();
                tracing::warn!("{failure}; retrying in {pause:?}");
                status.report(Component::Topics, clock::now(), vec![failure.to_string()]);
                if stop.sleep(pause) {
                    return Ok(false);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Checks the topics every minute until shutdown. Findings appear on `/readyz`, in the log and in the metrics. A
/// finding does not end the worker, because that would not fix the topic.
pub fn keep_looking(client: &ClientSettings, specs: &[Spec], status: &Status, stop: &Stop) {
    while !stop.sleep(CHECK_INTERVAL) {
        match check(client, specs) {
            Ok(report) => report_findings(&report, status),
            Err(failure) => {
                tracing::warn!("topics cannot be checked: {failure}");
                status.report(Component::Topics, clock::now(), vec![failure.to_string()]);
            }
        }
    }
}

fn check(client: &ClientSettings, specs: &[Spec]) -> Result<Report, WorkerError> {
    Ok(Admin::open(client)?.check(specs, clock::now())?)
}

fn report_findings(report: &Report, status: &Status) {
    let mut reasons = Vec::new();
    for topic in &report.topics {
        for finding in topic.findings.iter().filter(|finding| Finding::is_breach(finding)) {
            let reason = format!("topic {} {}", topic.topic, finding_message(finding));
            tracing::warn!("{reason}");
            reasons.push(reason);
        }
        if let Some(bounds) = topic.bounds {
            for (kind, bound) in [("readable", bounds.readable), ("disk", bounds.on_disk)] {
                gauge!("crowdfold_ttl_bound_seconds", "topic" => topic.topic.clone(), "kind" => kind)
                    .set(bound.as_secs_f64());
            }
        }
    }
    status.report(Component::Topics, clock::now(), reasons);
}
