//! Timestamps in the future. A segment expires by its largest timestamp, so one record dated in the future keeps the
//! segment, with everything written to it later, until that timestamp is old enough.

use crowdfold_model::{Span, Timestamp};

use super::{Admin, Finding, Spec};
use crate::{KafkaError, RDKafkaErrorCode, Topic};

#[cfg(test)]
mod tests;

/// The largest timestamps of a topic.
#[derive(Debug)]
pub(super) struct Largest {
    /// The largest timestamp of each partition.
    pub(super) times: Vec<Option<Timestamp>>,
    /// Partitions whose leaders do not support the request.
    pub(super) unknown: Vec<u32>,
}

impl Admin {
    /// Queries the largest timestamp of each partition. Needs the permission to describe the topic, but not to read it.
    pub(super) fn largest(&self, topic: &Topic) -> Result<Largest, KafkaError> {
        let all: Vec<u32> = (0..topic.count()).collect();
        let ends = self.cluster.log_ends(&topic.name, &all)?;
        let times = match self.cluster.largest_timestamps(&topic.name, &all) {
            Ok(times) => times,
            Err(KafkaError::Kafka { code, .. }) if is_unknown(code) => {
                return Ok(Largest { times: vec![None; all.len()], unknown: all });
            }
            Err(error) => return Err(error),
        };
        // A broker before 3.0 treats the query as a time before all records and responds with the first record's
        // timestamp. So check whether there is a later record among those that existed before the query.
        let next = |time: Timestamp| i64::try_from(time.as_millis().checked_add(1)?).ok();
        let nexts: Vec<Option<i64>> = times.iter().map(|time| time.and_then(next)).collect();
        let asked: Vec<i64> = nexts.iter().map(|next| next.unwrap_or(i64::MAX)).collect();
        let later = self.cluster.first_since(&topic.name, &all, &asked)?;
        let answers = all.into_iter().zip(nexts).zip(later.into_iter().zip(ends));
        let unknown = answers.filter(|((_, next), (later, end))| is_contradicted(*next, *later, *end));
        Ok(Largest { times, unknown: unknown.map(|((partition, _), _)| partition).collect() })
    }
}

/// Returns true if a record at or after `next`, the time after the reported maximum, existed before the query. Nothing
/// follows the largest number.
fn is_contradicted(next: Option<i64>, later: Option<i64>, end_before: Option<i64>) -> bool {
    next.is_some() && later.is_some_and(|later| end_before.is_some_and(|end| later < end))
}

/// Returns true if a broker or librdkafka does not support the request.
const fn is_unknown(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(code, C::UnsupportedVersion | C::UnsupportedFeature)
}

/// Returns the findings for the largest timestamps of a topic at a time, given its `retention.ms`.
pub(super) fn of_largest(spec: &Spec, largest: &Largest, retention: Span, now: Timestamp) -> Vec<Finding> {
    let latest = spec.latest(now);
    let ahead = |(partition, time): (u32, &Option<Timestamp>)| {
        let time = time.filter(|time| *time > latest)?;
        Some(Finding::Ahead {
            partition,
            dated: time,
            expires: time.saturating_add(retention),
            by: time - now,
        })
    };
    let mut findings: Vec<_> = (0..).zip(&largest.times).filter_map(ahead).collect();
    if !largest.unknown.is_empty() {
        findings.push(Finding::TooOld { partitions: largest.unknown.clone() });
    }
    findings
}
