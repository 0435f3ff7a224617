//! Checks of topics and their time-to-live while the worker runs.

use std::time::Duration;

use crowdfold_kafka::ClientSettings;
use crowdfold_kafka::topics::{Admin, Finding, Report, Spec};
use metrics::gauge;

use crate::telemetry::{Component, Status};
use crate::{Backoff, Stop, WorkerError, clock};

/// The interval of checks.
const AGAIN: Duration = Duration::from_secs(60);

/// Checks the topics, with retries until a broker responds. Returns false if stopped before that.
///
/// # Errors
/// [`WorkerError::Breach`] if a topic keeps personal data without a limit, longer than configured, or too short.
pub fn refuse_unbounded(
    client: &ClientSettings,
    specs: &[Spec],
    status: &Status,
    stop: &Stop,
) -> Result<bool, WorkerError> {
    let mut backoff = Backoff::default();
    loop {
        match look(client, specs) {
            Ok(report) => {
                let refusals: Vec<_> = report.refusals().collect();
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

/// Checks the topics repeatedly until stopped. Findings appear on `/readyz`, in the log and in the metrics. They do not
/// end the worker, because stopping would not fix them.
pub fn keep_looking(client: &ClientSettings, specs: &[Spec], status: &Status, stop: &Stop) {
    while !stop.sleep(AGAIN) {
        match look(client, specs) {
            Ok(report) => report_findings(&report, status),
            Err(failure) => {
                tracing::warn!("topics cannot be checked: {failure}");
                status.report(Component::Topics, clock::now(), vec![failure.to_string()]);
            }
        }
    }
}

fn look(client: &ClientSettings, specs: &[Spec]) -> Result<Report, WorkerError> {
    Ok(Admin::open(client)?.check(specs, clock::now())?)
}

fn report_findings(report: &Report, status: &Status) {
    let mut reasons = Vec::new();
    for topic in &report.topics {
        for finding in topic.findings.iter().filter(|finding| Finding::is_breach(finding)) {
            let reason = format!("topic {} {finding}", topic.topic);
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
