//! Measurement of the oldest readable record, without reading it.

use crowdfold_model::{Span, Timestamp};

use super::Admin;
use crate::{KafkaError, Topic};

/// The number of repetitions if the oldest records are deleted during a measurement.
const ATTEMPTS: u32 = 5;

/// The measurements of one topic.
pub(super) struct Oldest {
    /// The timestamp of the first record of each partition, rounded down to the second.
    pub(super) times: Vec<Option<Timestamp>>,
    /// Partitions without a leader.
    pub(super) leaderless: Vec<u32>,
}

impl Admin {
    /// Bisects the time of the first record: if the first offset at or after a time (ListOffsets) is the start of the
    /// log, the first record is not older. About thirty requests determine the second for all partitions together, and
    /// no permission to read a beacon is needed.
    pub(super) fn oldest(&self, topic: &Topic, now: Timestamp) -> Result<Oldest, KafkaError> {
        let mut times = vec![None; topic.partitions.len()];
        let mut asked: Vec<u32> = (0..topic.count()).collect();
        let starts = self.cluster.log_starts(&topic.name, &asked)?;
        let leaderless =
            (0..).zip(&starts).filter(|(_, start)| start.is_none()).map(|(partition, _)| partition);
        let leaderless = leaderless.collect();
        for _ in 0..ATTEMPTS {
            let starts = self.cluster.log_starts(&topic.name, &asked)?;
            let found = self.search(&topic.name, &asked, &starts, now)?;
            let after = self.cluster.log_starts(&topic.name, &asked)?;
            let mut moved = Vec::new();
            for (((partition, before), after), found) in asked.into_iter().zip(starts).zip(after).zip(found) {
                // records were deleted during the search, so the result belongs to none of the remaining ones
                if before == after { times[partition as usize] = found } else { moved.push(partition) }
            }
            asked = moved;
            if asked.is_empty() {
                break;
            }
        }
        Ok(Oldest { times, leaderless })
    }

    /// Returns the timestamp of the record at `starts` for each partition; `None` if there is none.
    fn search(
        &self,
        topic: &str,
        partitions: &[u32],
        starts: &[Option<i64>],
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>, KafkaError> {
        let first = self.cluster.first_since(topic, partitions, &vec![0; partitions.len()])?;
        // at or after the first second, before the second one; no clock is a day ahead
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
