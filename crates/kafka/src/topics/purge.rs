//! Removal of segments that do not expire because of a timestamp in the future.
//!
//! A client can neither see where a segment ends nor begin a new one. It can do two things. It can delete records up
//! to an offset (DeleteRecords): at its next check, the broker deletes each segment that ends before that offset,
//! except the last segment of the partition. And it can lower `segment.ms` and `segment.bytes`, so that the next
//! records begin a new segment. Measurements on Kafka 4.3 showed:
//! - A record whose timestamp is ahead by more than `segment.ms` begins a new segment. That segment ends only by
//!   size, because the broker counts `segment.ms` from the largest timestamp of the first batch. If the timestamp is
//!   ahead by less than `segment.ms`, the record can be anywhere in its segment, and the segment ends by time.
//! - The minimum of `segment.bytes` is 1 MiB. Records that producers write before the segment is full are in the same
//!   segment. Therefore the purge deletes records only after it has waited for the segment to end. The broker refuses
//!   a batch that is larger than `segment.bytes`, so the purge never lowers it below `max.message.bytes`.
//! - A partition to which no producer writes never begins a new segment. With `retention.bytes = 0`, brokers begin a
//!   new segment and delete the old one, in all partitions of the topic. The purge uses this setting only if no
//!   producer writes to any partition of the topic. It deletes the records of all partitions first.
//!
//! The request for the largest timestamp of a partition covers all segments that still exist, so its result shows
//! when the old segments were deleted.

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

/// The plan of a purge, which contains the records to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The name of the topic.
    pub topic: String,
    /// The partitions with a timestamp in the future, each with its first and its end offset.
    pub ahead: BTreeMap<u32, (i64, i64)>,
    /// The other partitions, each with its first and its end offset. The purge deletes their records only if no
    /// producer writes to the topic.
    pub others: BTreeMap<u32, (i64, i64)>,
    /// The consumer groups that have not read all records of the partitions in `ahead` and `others`.
    pub unread: Vec<Unread>,
    /// True if other groups may have unread records too, because this principal may not see all groups.
    pub may_miss_groups: bool,
}

/// A consumer group that has not read all records that a purge deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The name of the group.
    pub group: String,
    /// The number of unread records in the partitions with a timestamp in the future.
    pub ahead: u64,
    /// The number of unread records in the other partitions.
    pub others: u64,
}

/// The result of [`Admin::purge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The number of deleted records, including records that were written during the purge.
    pub records: u64,
    /// The partitions whose segment with the timestamp in the future still exists.
    pub left: Vec<u32>,
}

/// The duration of each round in which `segment.ms` and `segment.bytes` are lowered. The rounds are short, because
/// each partition of a busy topic begins many segments during a round, and a broker maps two files of each segment
/// into memory.
const ROUNDS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(30)];
/// The value of `segment.ms` during a round. It is shorter than the round, so that segments end within it.
const SEGMENT_MS: u64 = 5_000;
/// The value of `segment.bytes` during a round, unless `max.message.bytes` is larger. It is the minimum that Kafka
/// allows.
const SEGMENT_BYTES: u64 = 1 << 20;
/// The maximum delay with which a busy broker begins its check for old segments.
const CHECK_DELAY: Duration = Duration::from_secs(5);
/// The interval at which the progress is queried.
const QUERY_INTERVAL: Duration = Duration::from_millis(250);

/// The settings that are set on the topic itself, by name.
type Own = BTreeMap<String, String>;

impl Admin {
    /// Returns the records that a purge of the topic would delete. `unbounded` contains the findings of
    /// [`super::Change::unbounded`]. Returns `None` if no record has a timestamp in the future. Changes nothing.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond or refuses.
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
            let unread_in = |ranges| unread_records(ranges, &committed);
            let (ahead, others) = (unread_in(&ahead), unread_in(&others));
            if ahead + others > 0 {
                unread.push(Unread { group, ahead, others });
            }
        }
        Ok(Some(Purge { topic: topic.clone(), ahead, others, unread, may_miss_groups }))
    }

    /// Deletes all records of the partitions with a timestamp in the future, and makes the brokers begin new segments
    /// there and delete the old ones. If no producer writes to the topic, this is possible only by deleting the records
    /// of all partitions of the topic. Records that producers write during the purge may be deleted too. Needs the
    /// permissions Delete and AlterConfigs on the topic. `progress` receives a message at the beginning of each step.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond or refuses. The topic's settings are restored first, if
    /// possible.
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
            look: Duration::from(check_interval(brokers.iter())).saturating_add(CHECK_DELAY),
            is_replicated: topic.partitions.iter().any(|partition| partition.replicas.len() > 1),
            topic,
        };
        // the first offset of each partition whose records are deleted
        let mut begins = starts(&purge.ahead);
        // this request checks the permission before anything is changed: it fails if the permission is missing, and
        // otherwise deletes nothing, because no record is before these offsets
        self.erase_before(name, &begins)?;
        let mut left: Vec<u32> = begins.keys().copied().collect();
        for lowered_for in ROUNDS {
            progress("lowering segment.bytes and segment.ms so that new records begin a new segment");
            let written = work.with_settings(&work.lowered, || work.delete_after(lowered_for, &left))?;
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
                work.with_settings(&nothing, delete_all)?;
            } else {
                work.wait(false, || look(&mut left))?;
            }
            if left.is_empty() || written != Written::InPurged {
                break;
            }
        }
        let partitions: Vec<u32> = begins.keys().copied().collect();
        let ends = known(name, &partitions, self.cluster.log_starts(name, &partitions)?)?;
        let records = begins.values().zip(ends).map(|(start, end)| end.abs_diff(*start)).sum();
        Ok(Purged { records, left })
    }
}

/// The partitions that received records during a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// A partition with a timestamp in the future.
    InPurged,
    /// Only other partitions.
    Elsewhere,
    /// No partition received records.
    Nothing,
}

/// A purge in progress.
struct Work<'a> {
    admin: &'a Admin,
    spec: &'a Spec,
    topic: Topic,
    /// The settings of the topic before the purge, which are restored at the end.
    own: Own,
    /// The settings of the topic during a round.
    lowered: Own,
    retention: Span,
    /// The time after which every broker has checked for old segments at least once.
    look: Duration,
    is_replicated: bool,
}

impl Work<'_> {
    /// Gives the topic the settings `meanwhile` while an action runs. Restores the topic's own settings afterwards,
    /// even after an error.
    fn with_settings<T>(
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

    /// Waits for the time `wait`, in which new records can begin new segments. Then deletes all records of
    /// `partitions`. Returns the partitions that received records during the wait.
    #[expect(clippy::disallowed_methods, reason = "segments roll in real time")]
    fn delete_after(&self, wait: Duration, partitions: &[u32]) -> Result<Written, KafkaError> {
        let (before, began) = (self.ends()?, Instant::now());
        while began.elapsed() < wait {
            std::thread::sleep(QUERY_INTERVAL);
        }
        let mut after = self.ends()?;
        let is_new = |partition: &u32| before.get(partition) != after.get(partition);
        let written = if partitions.iter().any(is_new) {
            Written::InPurged
        } else if before != after || after.len() < self.topic.partitions.len() {
            Written::Elsewhere
        } else {
            Written::Nothing
        };
        after.retain(|partition, _| partitions.contains(partition));
        self.admin.erase_before(&self.topic.name, &after)?;
        Ok(written)
    }

    /// Returns the end offset of each partition that has a leader.
    fn ends(&self) -> Result<BTreeMap<u32, i64>, KafkaError> {
        let all: Vec<u32> = (0..self.topic.count()).collect();
        let ends = self.admin.cluster.log_ends(&self.topic.name, &all)?;
        Ok(all.into_iter().zip(ends).filter_map(|(partition, end)| Some((partition, end?))).collect())
    }

    /// Returns the partitions that still have a segment with a timestamp in the future.
    fn still_ahead(&self, now: Timestamp) -> Result<Vec<u32>, KafkaError> {
        let largest = self.admin.largest(&self.topic)?;
        Ok(ahead(&of_largest(self.spec, &largest, self.retention, now)))
    }

    /// Waits for [`Work::look`], until every broker has checked for old segments. If `to_the_end` is false, the wait
    /// ends as soon as `is_done` returns true.
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
            std::thread::sleep(QUERY_INTERVAL);
        }
    }
}

/// Returns the partitions of the findings that report a timestamp in the future.
fn ahead(findings: &[Finding]) -> Vec<u32> {
    let partition = |finding: &Finding| match finding {
        Finding::Ahead { partition, .. } => Some(*partition),
        _ => None,
    };
    findings.iter().filter_map(partition).collect()
}

/// Returns the offsets without `Option`. Returns an error if an offset is `None`, which means that its partition has no
/// leader.
fn known(topic: &str, partitions: &[u32], offsets: Vec<Option<i64>>) -> Result<Vec<i64>, KafkaError> {
    let offset = |(offset, partition): (Option<i64>, &u32)| {
        let what = || format!("query the offsets of partition {partition} of topic {topic}");
        offset.ok_or_else(|| KafkaError::coded(what(), RDKafkaErrorCode::LeaderNotAvailable))
    };
    offsets.into_iter().zip(partitions).map(offset).collect()
}

/// Returns the first offset of each partition. `ranges` contains (first offset, end offset).
fn starts(ranges: &BTreeMap<u32, (i64, i64)>) -> BTreeMap<u32, i64> {
    ranges.iter().map(|(partition, (start, _))| (*partition, *start)).collect()
}

/// Returns the number of records in `ranges` that a group has not read: those from its committed offset on. A partition
/// without a committed offset adds nothing.
fn unread_records(ranges: &BTreeMap<u32, (i64, i64)>, committed: &[Option<i64>]) -> u64 {
    let unread_in = |(partition, (start, end)): (&u32, &(i64, i64))| {
        let committed = (*committed.get(*partition as usize)?)?;
        u64::try_from(end.saturating_sub(committed.max(*start))).ok()
    };
    ranges.iter().filter_map(unread_in).sum()
}

/// Returns a copy of a topic's own settings with some values changed or added.
fn with(own: &Own, changed: &[(&str, String)]) -> Own {
    let mut own = own.clone();
    own.extend(changed.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    own
}

/// Returns a topic's own settings with `segment.bytes` and `segment.ms` lowered, so that new records soon begin a new
/// segment. `segment.bytes` is at least `max.message.bytes`, so that brokers refuse no batch.
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
