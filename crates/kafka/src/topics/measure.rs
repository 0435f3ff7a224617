//! Measurement of the age of the oldest readable record, without reading the record.

use crowdfold_model::{Span, Timestamp};

use super::Admin;
use crate::{KafkaError, Topic};

/// The maximum number of measurements of a partition. A measurement is repeated if the oldest record was deleted during
/// the measurement.
const ATTEMPTS: u32 = 5;

/// The measurements of one topic.
pub(super) struct Oldest {
    /// The timestamp of the first record of each partition, rounded down to seconds. `None` if the partition is empty
    /// or has no leader, or if records were deleted during every measurement.
    pub(super) times: Vec<Option<Timestamp>>,
    /// The partitions without a leader.
    pub(super) leaderless: Vec<u32>,
}

impl Admin {
    /// Determines the timestamp of the first record of each partition by bisection, with a precision of one second.
    /// Each step asks ListOffsets for the first offset whose record has a given timestamp or a later one. If that
    /// offset is the start of the log, the first record is not older than the given timestamp. About thirty requests
    /// are enough for all partitions together. They need no permission to read the records.
    pub(super) fn oldest(&self, topic: &Topic, now: Timestamp) -> Result<Oldest, KafkaError> {
        let mut times = vec![None; topic.partitions.len()];
        let mut remaining: Vec<u32> = (0..topic.count()).collect();
        let starts = self.cluster.log_starts(&topic.name, &remaining)?;
        let leaderless =
            (0..).zip(&starts).filter(|(_, start)| start.is_none()).map(|(partition, _)| partition);
        let leaderless = leaderless.collect();
        for _ in 0..ATTEMPTS {
            let starts = self.cluster.log_starts(&topic.name, &remaining)?;
            let found = self.search(&topic.name, &remaining, &starts, now)?;
            let after = self.cluster.log_starts(&topic.name, &remaining)?;
            let mut moved = Vec::new();
            for (((partition, before), after), found) in
                remaining.into_iter().zip(starts).zip(after).zip(found)
            {
                // if the start of the log moved, records were deleted during the search, so the result may belong to a
                // deleted record
                if before == after { times[partition as usize] = found } else { moved.push(partition) }
            }
            remaining = moved;
            if remaining.is_empty() {
                break;
            }
        }
        Ok(Oldest { times, leaderless })
    }

    /// Returns, for each partition, the timestamp of the record at its offset in `starts`. Returns `None` if the
    /// partition is empty.
    fn search(
        &self,
        topic: &str,
        partitions: &[u32],
        starts: &[Option<i64>],
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>, KafkaError> {
        let first = self.cluster.first_since(topic, partitions, &vec![0; partitions.len()])?;
        // the timestamp is not before the start of the range, and is before its end; the first range ends one day after
        // now, because no clock is ahead by a day
        let mut ranges = vec![(0, now.saturating_add(Span::DAY).since_epoch().as_secs()); partitions.len()];
        while ranges.iter().any(|(from, to)| to - from > 1) {
            let middles: Vec<u64> = ranges.iter().map(|(from, to)| from.midpoint(*to)).collect();
            let millis: Vec<i64> = middles.iter().map(|second| (second * 1_000) as i64).collect();
            let found = self.cluster.first_since(topic, partitions, &millis)?;
            for (((range, middle), found), start) in ranges.iter_mut().zip(middles).zip(found).zip(starts) {
                if found.is_some() && found <= *start { range.0 = middle } else { range.1 = middle }
            }
        }
        let time = |((from, _), first): ((u64, u64), Option<i64>)| {
            first.map(|_| Timestamp::from_millis(from * 1_000))
        };
        Ok(ranges.into_iter().zip(first).map(time).collect())
    }
}
