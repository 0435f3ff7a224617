//! Detection of timestamps in the future. Kafka deletes a segment (a file of a partition) when its largest timestamp
//! is older than the retention. Therefore one record with a timestamp in the future keeps all records of its segment
//! for longer than the retention.

use crowdfold_model::{Span, Timestamp};

use super::{Admin, Finding, Spec};
use crate::{KafkaError, RDKafkaErrorCode, Topic};

#[cfg(test)]
mod tests;

/// The largest timestamps in the partitions of a topic.
#[derive(Debug)]
pub(super) struct Largest {
    /// The largest timestamp of each partition. `None` if no record of the partition has a timestamp, or if the leader
    /// did not report one.
    pub(super) times: Vec<Option<Timestamp>>,
    /// The partitions whose leaders do not support the request (Kafka before 3.0).
    pub(super) unknown: Vec<u32>,
}

impl Admin {
    /// Returns the largest timestamp of each partition. This needs the permission to describe the topic, but not the
    /// permission to read it.
    pub(super) fn largest(&self, topic: &Topic) -> Result<Largest, KafkaError> {
        let all: Vec<u32> = (0..topic.count()).collect();
        let ends = self.cluster.log_ends(&topic.name, &all)?;
        let times = match self.cluster.largest_timestamps(&topic.name, &all) {
            Ok(times) => times,
            Err(KafkaError::Kafka { code, .. }) if is_unsupported(code) => {
                return Ok(Largest { times: vec![None; all.len()], unknown: all });
            }
            Err(error) => return Err(error),
        };
        // A broker before Kafka 3.0 treats the special value of the request as a time before all records, and
        // responds with the timestamp of the first record. To detect such a broker, check whether a record with a
        // later timestamp existed before the request.
        let next = |time: Timestamp| i64::try_from(time.as_millis().checked_add(1)?).ok();
        let nexts: Vec<Option<i64>> = times.iter().map(|time| time.and_then(next)).collect();
        let since: Vec<i64> = nexts.iter().map(|next| next.unwrap_or(i64::MAX)).collect();
        let later = self.cluster.first_since(&topic.name, &all, &since)?;
        let answers = all.into_iter().zip(nexts).zip(later.into_iter().zip(ends));
        let unknown = answers.filter(|((_, next), (later, end))| is_contradicted(*next, *later, *end));
        Ok(Largest { times, unknown: unknown.map(|((partition, _), _)| partition).collect() })
    }
}

/// Returns true if the reported largest timestamp is wrong. `next` is the millisecond after the reported timestamp,
/// or `None` if there is no later millisecond. `later` is the first offset with a timestamp of at least `next`.
/// `end_before` is the end of the partition before the request.
fn is_contradicted(next: Option<i64>, later: Option<i64>, end_before: Option<i64>) -> bool {
    next.is_some() && later.is_some_and(|later| end_before.is_some_and(|end| later < end))
}

/// Returns true for error codes of a broker or a librdkafka that does not support the request.
const fn is_unsupported(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(code, C::UnsupportedVersion | C::UnsupportedFeature)
}

/// Returns the findings about the largest timestamps of a topic. `now` is the current time. `retention` is the topic's
/// `retention.ms`.
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
