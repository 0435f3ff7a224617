//! Removal of segments that are kept by a timestamp in the future.
//!
//! A client can neither see the end of a segment nor begin a new one. It can delete records up to an offset
//! (DeleteRecords), after which a broker deletes, at its next check, each segment that ends before that offset and is
//! not the last. And it can lower `segment.ms` and `segment.bytes`, so that the next records begin a new segment. As
//! measured on Kafka 4.3:
//! - A record that is dated further ahead than `segment.ms` begins a segment that does not end by time, because
//!   `segment.ms` counts from the largest timestamp of the first batch. So it ends by size. A record that is less far
//!   ahead can be anywhere in its segment, which ends by time.
//! - `segment.bytes` is at least 1 MiB. Records that are written before the segment is full belong to it too, so
//!   records are deleted after that. A batch larger than `segment.bytes` is refused, so it is never lowered below
//!   `max.message.bytes`.
//! - A partition to which no producer writes never begins a new segment. `retention.bytes = 0` makes brokers begin one
//!   and delete the old one, in all partitions of the topic. Therefore this is done only if no producer writes to any of
//!   them, after all their records were deleted.
//!
//! The largest timestamp includes segments that still exist, so it shows when they are gone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crowdfold_model::{Span, Timestamp};

use super::ahead::of_largest;
use super::configs::{Configs, check_interval};
use super::{Admin, Finding, Spec};
use crate::admin_calls::describe_acls;
use crate::{KafkaError, RDKafkaErrorCode, Topic};

#[cfg(test)]
mod tests;

/// The records that a purge will delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The topic.
    pub topic: String,
    /// The partitions with a segment dated in the future, each with its first offset and its end.
    pub ahead: BTreeMap<u32, (i64, i64)>,
    /// The other partitions, whose records are deleted if no producer writes to the topic.
    pub others: BTreeMap<u32, (i64, i64)>,
    /// Consumer groups with unread records among them.
    pub unread: Vec<Unread>,
    /// True if there may be groups that this principal cannot see.
    pub may_miss_groups: bool,
}

/// A consumer group with unread records among those that a purge deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The name.
    pub group: String,
    /// The number of unread records in partitions with a record dated in the future.
    pub ahead: u64,
    /// The number of unread records in the other partitions.
    pub others: u64,
}

/// The result of a purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The number of deleted records, including those written meanwhile.
    pub records: u64,
    /// Partitions whose old segment still exists.
    pub left: Vec<u32>,
}

/// The duration of each round in which settings are lowered so that new records begin a new segment. They are short,
/// because each partition of a busy topic begins many segments meanwhile, and a broker maps two files of each into
/// memory.
const ROUNDS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// `segment.ms` during a round, well below its duration.
const SEGMENT_MS: u64 = 5_000;
/// `segment.bytes` during a round, unless messages are larger: Kafka's minimum.
const SEGMENT_BYTES: u64 = 1 << 20;
/// The longest delay of a busy broker's check after its interval.
const LATE: Duration = Duration::from_secs(5);
/// The interval of progress queries.
const TURN: Duration = Duration::from_millis(250);

/// A topic's own settings.
type Own = BTreeMap<String, String>;

impl Admin {
    /// Returns the records that a purge of the topic would delete; `None` if none is dated in the future. Changes
    /// nothing.
    ///
    /// # Errors
    /// A broker does not respond or refuses.
    pub fn plan_purge(&self, spec: &Spec, unbounded: &[Finding]) -> Result<Option<Purge>, KafkaError> {
        let ahead = ahead(unbounded);
        if ahead.is_empty() {
            return Ok(None);
        }
        let topic = &spec.topic;
        let count = self.cluster.topic(topic)?.count();
        let all: Vec<u32> = (0..count).collect();
        let (starts, ends) = (self.cluster.log_starts(topic, &all)?, self.cluster.log_ends(topic, &all)?);
        let known = all.iter().zip(starts.into_iter().zip(ends));
        let known = known.filter_map(|(partition, (start, end))| Some((*partition, (start?, end?))));
        let (ahead, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            known.partition(|(partition, _)| ahead.contains(partition));
        let failed = |code| KafkaError::coded("query the visible groups", code);
        let mut may_miss_groups = !describe_acls::may_describe(self.client.inner()).map_err(failed)?;
        let mut unread = Vec::new();
        for group in self.cluster.groups()? {
            let Some(committed) = self.cluster.committed(&group, topic, &all)? else {
                may_miss_groups = true;
                continue;
            };
            let lacks = |ranges| lacking(ranges, &committed);
            let (ahead, others) = (lacks(&ahead), lacks(&others));
            if ahead + others > 0 {
                unread.push(Unread { group, ahead, others });
            }
        }
        Ok(Some(Purge { topic: topic.clone(), ahead, others, unread, may_miss_groups }))
    }

    /// Deletes all records up to the current end of the partitions with a record dated in the future, and makes brokers
    /// begin new segments there, so that the old ones leave the disk. If no producer writes to the topic, this requires
    /// deleting the records of all its partitions. Records that are written meanwhile may be deleted too. Needs the
    /// permissions Delete and AlterConfigs on the topic. `progress` receives each step.
    ///
    /// # Errors
    /// A broker does not respond or refuses. The topic's settings are restored before that, if possible.
    #[expect(clippy::disallowed_methods, reason = "brokers check for old segments in real time")]
    pub fn purge(
        &self,
        spec: &Spec,
        purge: &Purge,
        now: Timestamp,
        mut progress: impl FnMut(&str),
    ) -> Result<Purged, KafkaError> {
        let began = Instant::now();
        let name = &spec.topic;
        let brokers = self.brokers()?;
        let topic = self.cluster.topic(name)?;
        let configs = self.configs(&topic, &brokers)?;
        let work = Work {
            admin: self,
            spec,
            own: configs.own(),
            lowered: lowered(&configs),
            retention: configs.times().retention,
            look: Duration::from(check_interval(brokers.iter())).saturating_add(LATE),
            is_replicated: topic.partitions.iter().any(|partition| partition.replicas.len() > 1),
            topic,
        };
        // the starts of the partitions whose records are deleted
        let mut begins = starts(&purge.ahead);
        // without the permission this fails before anything is changed, because no record is before these offsets
        self.erase_before(name, &begins)?;
        let mut left: Vec<u32> = begins.keys().copied().collect();
        for lowered_for in ROUNDS {
            progress("lowering segment.bytes and segment.ms so that new records begin a new segment");
            let written = work.put_back_after(&work.lowered, || work.delete_after(lowered_for, &left))?;
            progress("the records were deleted; waiting for the brokers to delete their segments");
            let look = |left: &mut Vec<u32>| {
                *left = work.still_ahead(now.saturating_add(began.elapsed().into()))?;
                Ok(left.is_empty())
            };
            if written == Written::Nothing {
                begins.extend(starts(&purge.others));
                let nothing = with(&work.own, &[("retention.bytes", "0".into())]);
                let delete_all = || {
                    self.erase_before(name, &work.ends()?)?;
                    work.wait(work.is_replicated, || look(&mut left))
                };
                work.put_back_after(&nothing, delete_all)?;
            } else {
                work.wait(false, || look(&mut left))?;
            }
            if left.is_empty() || written != Written::There {
                break;
            }
        }
        let partitions: Vec<u32> = begins.keys().copied().collect();
        let ends = known(name, &partitions, self.cluster.log_starts(name, &partitions)?)?;
        let records = begins.values().zip(ends).map(|(start, end)| end.abs_diff(*start)).sum();
        Ok(Purged { records, left })
    }
}

/// The partitions that received records during a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// A partition with a record dated in the future.
    There,
    /// Only other partitions.
    Elsewhere,
    /// No partition of the topic.
    Nothing,
}

/// A topic that is being purged.
struct Work<'a> {
    admin: &'a Admin,
    spec: &'a Spec,
    topic: Topic,
    own: Own,
    lowered: Own,
    retention: Span,
    /// The time after which each broker has checked for old segments.
    look: Duration,
    is_replicated: bool,
}

impl Work<'_> {
    /// Runs an action while the topic has other settings.
    fn put_back_after<T>(
        &self,
        meanwhile: &Own,
        act: impl FnOnce() -> Result<T, KafkaError>,
    ) -> Result<T, KafkaError> {
        let done = self.admin.replace(&self.topic.name, meanwhile).and_then(|()| act());
        let put_back = self.admin.replace(&self.topic.name, &self.own);
        let done = done?;
        put_back?;
        Ok(done)
    }

    /// Waits for new records, then deletes all of these partitions up to the end. Returns which partitions received
    /// records.
    #[expect(clippy::disallowed_methods, reason = "segments roll in real time")]
    fn delete_after(&self, wait: Duration, partitions: &[u32]) -> Result<Written, KafkaError> {
        let (before, began) = (self.ends()?, Instant::now());
        while began.elapsed() < wait {
            std::thread::sleep(TURN);
        }
        let mut after = self.ends()?;
        let is_new = |partition: &u32| before.get(partition) != after.get(partition);
        let written = if partitions.iter().any(is_new) {
            Written::There
        } else if before != after || after.len() < self.topic.partitions.len() {
            Written::Elsewhere
        } else {
            Written::Nothing
        };
        after.retain(|partition, _| partitions.contains(partition));
        self.admin.erase_before(&self.topic.name, &after)?;
        Ok(written)
    }

    /// Returns the end of each partition that has a leader.
    fn ends(&self) -> Result<BTreeMap<u32, i64>, KafkaError> {
        let all: Vec<u32> = (0..self.topic.count()).collect();
        let ends = self.admin.cluster.log_ends(&self.topic.name, &all)?;
        Ok(all.into_iter().zip(ends).filter_map(|(partition, end)| Some((partition, end?))).collect())
    }

    /// Returns the partitions that have a segment dated in the future.
    fn still_ahead(&self, now: Timestamp) -> Result<Vec<u32>, KafkaError> {
        let largest = self.admin.largest(&self.topic)?;
        Ok(ahead(&of_largest(self.spec, &largest, self.retention, now)))
    }

    /// Waits until `is_done` returns true or each broker has checked for old segments; with `to_the_end`, always until
    /// the latter.
    #[expect(clippy::disallowed_methods, reason = "brokers check for old segments in real time")]
    fn wait(
        &self,
        to_the_end: bool,
        mut is_done: impl FnMut() -> Result<bool, KafkaError>,
    ) -> Result<(), KafkaError> {
        let began = Instant::now();
        loop {
            let is_over = began.elapsed() >= self.look;
            let is_done = is_done()?;
            if is_over || (is_done && !to_the_end) {
                return Ok(());
            }
            std::thread::sleep(TURN);
        }
    }
}

/// Returns the partitions of the findings that are dated in the future.
fn ahead(findings: &[Finding]) -> Vec<u32> {
    let partition = |finding: &Finding| match finding {
        Finding::Ahead { partition, .. } => Some(*partition),
        _ => None,
    };
    findings.iter().filter_map(partition).collect()
}

/// Returns the offsets, each of which must be known.
fn known(topic: &str, partitions: &[u32], offsets: Vec<Option<i64>>) -> Result<Vec<i64>, KafkaError> {
    let offset = |(offset, partition): (Option<i64>, &u32)| {
        let what = || format!("query the offsets of partition {partition} of topic {topic}");
        offset.ok_or_else(|| KafkaError::coded(what(), RDKafkaErrorCode::LeaderNotAvailable))
    };
    offsets.into_iter().zip(partitions).map(offset).collect()
}

/// Returns the start of each of these partitions.
fn starts(ranges: &BTreeMap<u32, (i64, i64)>) -> BTreeMap<u32, i64> {
    ranges.iter().map(|(partition, (start, _))| (*partition, *start)).collect()
}

/// Returns the number of records of the ranges (start, end) after the committed offset of the partition, if there is
/// one.
fn lacking(ranges: &BTreeMap<u32, (i64, i64)>, committed: &[Option<i64>]) -> u64 {
    let lacks = |(partition, (start, end)): (&u32, &(i64, i64))| {
        let committed = (*committed.get(*partition as usize)?)?;
        u64::try_from(end.saturating_sub(committed.max(*start))).ok()
    };
    ranges.iter().filter_map(lacks).sum()
}

/// Returns a topic's own settings with other values.
fn with(own: &Own, changed: &[(&str, String)]) -> Own {
    let mut own = own.clone();
    own.extend(changed.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    own
}

/// Returns settings with which new records soon begin a new segment, and none is refused.
fn lowered(configs: &Configs<'_>) -> Own {
    let number = |key: &str| configs.get(key).and_then(|value| value.parse::<u64>().ok());
    let bytes = SEGMENT_BYTES.max(number("max.message.bytes").unwrap_or(0));
    let at_most = |key: &str, most: u64| number(key).map_or(most, |present| present.min(most)).to_string();
    let changed = [
        ("segment.bytes", at_most("segment.bytes", bytes)),
        ("segment.ms", at_most("segment.ms", SEGMENT_MS)),
    ];
    with(&configs.own(), &changed)
}
