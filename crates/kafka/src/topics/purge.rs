//! Removing segments that a timestamp in the future holds.
//!
//! A client can neither see where a segment ends nor begin a new one. What it can do: delete records up to an offset
//! (DeleteRecords), after which a broker deletes, at its next look, each segment that ends before that offset and is not
//! the last; and lower `segment.ms` and `segment.bytes`, so that the next records begin a new segment. As measured on
//! Kafka 4.3:
//! - `segment.bytes` is 1 MiB at least, and a batch larger than it is refused, so it is never lowered below
//!   `max.message.bytes`.
//! - `segment.ms` counts from the largest timestamp of a segment's first batch. Where that is the one dated ahead, only
//!   the size helps, and records that are written before the segment is full lie in it too: the next round deletes them.
//! - A partition to which nobody writes never begins a new segment. Where all partitions of the topic are empty,
//!   `retention.bytes = 0` has brokers begin one and delete the old.
//!
//! The largest timestamp counts segments that are still there, so it says when they are gone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ahead::of_largest;
use super::configs::{Configs, check_interval};
use super::span::millis;
use super::{Admin, Finding, Spec};
use crate::admin_calls::describe_acls;
use crate::{Error, RDKafkaErrorCode, Topic};

#[cfg(test)]
mod tests;

/// What a purge deletes, before it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The topic.
    pub topic: String,
    /// Partitions with a segment that is dated ahead, each with its first offset and its end.
    pub partitions: BTreeMap<u32, (i64, i64)>,
    /// Consumer groups that have not read all of it.
    pub unread: Vec<Unread>,
    /// Whether there may be groups that this principal may not see.
    pub may_miss_groups: bool,
}

/// A consumer group that has not read all that a purge deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub group: String,
    /// How many records it has not read.
    pub records: u64,
}

/// What a purge did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many records were deleted, those among them that were written meanwhile.
    pub records: u64,
    /// Partitions whose old segment is still there.
    pub left: Vec<u32>,
}

impl Purge {
    /// How many records it deletes.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.partitions.values().map(|(start, end)| end.abs_diff(*start)).sum()
    }
}

/// How long settings are lowered for records to come that begin a new segment, round by round. The first suffices where
/// much is written; the others are for little, and few segments come of them then.
const ROUNDS: [Duration; 3] = [Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];
/// `segment.ms` meanwhile: well below a round.
const SEGMENT_MS: u64 = 5_000;
/// `segment.bytes` meanwhile, if messages are not larger: the least that Kafka takes.
const SEGMENT_BYTES: u64 = 1 << 20;
/// How much later than its interval a busy broker may look.
const LATE: Duration = Duration::from_secs(5);
/// How often the brokers are asked for what they have done.
const TURN: Duration = Duration::from_millis(250);

/// A topic's own settings.
type Own = BTreeMap<String, String>;

impl Admin {
    /// Returns what a purge of the topic would delete; `None` where nothing in it is dated ahead. Changes nothing.
    ///
    /// # Errors
    /// A broker does not answer or refuses.
    pub fn plan_purge(&self, spec: &Spec, unbounded: &[Finding]) -> Result<Option<Purge>, Error> {
        let ahead = ahead(unbounded);
        if ahead.is_empty() {
            return Ok(None);
        }
        let topic = &spec.topic;
        let starts = known(topic, &ahead, self.cluster.log_starts(topic, &ahead)?)?;
        let ends = known(topic, &ahead, self.cluster.log_ends(topic, &ahead)?)?;
        let partitions: BTreeMap<_, _> = ahead.iter().copied().zip(starts.into_iter().zip(ends)).collect();
        let failed = |code| Error::coded("ask which groups may be seen", code);
        let mut may_miss_groups = !describe_acls::may_describe(self.client.inner()).map_err(failed)?;
        let mut unread = Vec::new();
        for group in self.cluster.groups()? {
            let Some(committed) = self.cluster.committed(&group, topic, &ahead)? else {
                may_miss_groups = true;
                continue;
            };
            let records = lacking(partitions.values().copied().zip(committed));
            if records > 0 {
                unread.push(Unread { group, records });
            }
        }
        Ok(Some(Purge { topic: topic.clone(), partitions, unread, may_miss_groups }))
    }

    /// Deletes all records up to the present end of the partitions that hold one dated ahead, and has brokers begin new
    /// segments there, so that the old ones leave the disk. Records that are written meanwhile may be deleted too. Needs
    /// the rights Delete and AlterConfigs on the topic. `now` is in ms since the epoch; `say` gets each step.
    ///
    /// # Errors
    /// A broker does not answer or refuses. The topic's settings are put back before that, if it is possible.
    #[expect(clippy::disallowed_methods, reason = "brokers look for old segments in real time")]
    pub fn purge(
        &self,
        spec: &Spec,
        purge: &Purge,
        now: u64,
        mut say: impl FnMut(&str),
    ) -> Result<Purged, Error> {
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
            look: Duration::from_millis(check_interval(brokers.iter())).saturating_add(LATE),
            is_replicated: topic.partitions.iter().any(|partition| partition.replicas.len() > 1),
            topic,
        };
        // where each partition began of which records are deleted
        let mut begins: BTreeMap<u32, i64> =
            purge.partitions.iter().map(|(partition, (start, _))| (*partition, *start)).collect();
        // where the right is missing this fails before anything is changed: nothing lies before these offsets
        self.erase_before(name, &begins)?;
        let mut left: Vec<u32> = begins.keys().copied().collect();
        for lowered_for in ROUNDS {
            say("lowering segment.bytes and segment.ms, so that new records begin a new segment");
            let was_written = work.put_back_after(&work.lowered, || work.delete(&left, lowered_for))?;
            say("records are deleted; waiting for the brokers to delete their segments");
            let look = |left: &mut Vec<u32>| {
                *left = work.still_ahead(now.saturating_add(millis(began.elapsed())))?;
                Ok(left.is_empty())
            };
            match work.empty()? {
                Some(empty) if !was_written => {
                    for (partition, offset) in empty {
                        begins.entry(partition).or_insert(offset);
                    }
                    // nothing can be read, and nobody writes
                    let nothing = with(&work.own, &[("retention.bytes", "0".into())]);
                    work.put_back_after(&nothing, || work.wait(work.is_replicated, || look(&mut left)))?;
                }
                _ => work.wait(false, || look(&mut left))?,
            }
            if left.is_empty() || !was_written {
                break;
            }
        }
        let partitions: Vec<u32> = begins.keys().copied().collect();
        let ends = known(name, &partitions, self.cluster.log_starts(name, &partitions)?)?;
        let records = begins.values().zip(ends).map(|(start, end)| end.abs_diff(*start)).sum();
        Ok(Purged { records, left })
    }
}

/// One topic that is being purged.
struct Work<'a> {
    admin: &'a Admin,
    spec: &'a Spec,
    topic: Topic,
    own: Own,
    lowered: Own,
    retention: u64,
    /// After this long each broker has looked for old segments.
    look: Duration,
    is_replicated: bool,
}

impl Work<'_> {
    /// Does something while the topic has other settings.
    fn put_back_after<T>(&self, meanwhile: &Own, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let done = self.admin.replace(&self.topic.name, meanwhile).and_then(|()| act());
        let put_back = self.admin.replace(&self.topic.name, &self.own);
        let done = done?;
        put_back?;
        Ok(done)
    }

    /// Waits for new records, then deletes all up to the end. Returns whether there were new ones.
    #[expect(clippy::disallowed_methods, reason = "segments roll in real time")]
    fn delete(&self, partitions: &[u32], wait: Duration) -> Result<bool, Error> {
        let name = &self.topic.name;
        let ends = || known(name, partitions, self.admin.cluster.log_ends(name, partitions)?);
        let (before, began) = (ends()?, Instant::now());
        while began.elapsed() < wait {
            std::thread::sleep(TURN);
        }
        let after = ends()?;
        self.admin.erase_before(name, &partitions.iter().copied().zip(after.iter().copied()).collect())?;
        Ok(before != after)
    }

    /// The end of each partition, where nothing can be read in any of them.
    fn empty(&self) -> Result<Option<Vec<(u32, i64)>>, Error> {
        let all: Vec<u32> = (0..self.topic.count()).collect();
        let starts = self.admin.cluster.log_starts(&self.topic.name, &all)?;
        let ends = self.admin.cluster.log_ends(&self.topic.name, &all)?;
        let is_empty = starts == ends;
        let ends: Option<Vec<i64>> = ends.into_iter().collect();
        Ok(ends.filter(|_| is_empty).map(|ends| all.into_iter().zip(ends).collect()))
    }

    /// The partitions that have a segment which is dated ahead.
    fn still_ahead(&self, now: u64) -> Result<Vec<u32>, Error> {
        let largest = self.admin.largest(&self.topic)?;
        Ok(ahead(&of_largest(self.spec, &largest, self.retention, now)))
    }

    /// Waits until all is done, or each broker has looked; for that in any case where it is asked for.
    #[expect(clippy::disallowed_methods, reason = "brokers look for old segments in real time")]
    fn wait(&self, to_the_end: bool, mut is_done: impl FnMut() -> Result<bool, Error>) -> Result<(), Error> {
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

/// The partitions of which something dated ahead was found.
fn ahead(findings: &[Finding]) -> Vec<u32> {
    let partition = |finding: &Finding| match finding {
        Finding::Ahead { partition, .. } => Some(*partition),
        _ => None,
    };
    findings.iter().filter_map(partition).collect()
}

/// Offsets, each of which must be known.
fn known(topic: &str, partitions: &[u32], offsets: Vec<Option<i64>>) -> Result<Vec<i64>, Error> {
    let offset = |(offset, partition): (Option<i64>, &u32)| {
        let what = || format!("ask for offsets of partition {partition} of topic {topic}");
        offset.ok_or_else(|| Error::coded(what(), RDKafkaErrorCode::LeaderNotAvailable))
    };
    offsets.into_iter().zip(partitions).map(offset).collect()
}

/// How many records of the ranges (start, end) lie behind what was committed, where something was.
fn lacking(partitions: impl Iterator<Item = ((i64, i64), Option<i64>)>) -> u64 {
    let lacks = |((start, end), committed): ((i64, i64), Option<i64>)| {
        u64::try_from(end.saturating_sub(start.max(committed?))).ok()
    };
    partitions.filter_map(lacks).sum()
}

/// A topic's own settings with other values.
fn with(own: &Own, changed: &[(&str, String)]) -> Own {
    let mut own = own.clone();
    own.extend(changed.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    own
}

/// Settings by which new records soon begin a new segment, and none is refused.
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
