//! Creation of topics, and changes of their settings.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crowdfold_model::{Span, Timestamp};

use super::ahead::of_largest;
use super::configs::{Configs, check_interval, default_delete_delay};
use super::{Admin, Clock, Finding, Spec, ttl};
use crate::KafkaError;

#[cfg(test)]
mod tests;

/// The size of a segment in bytes. A new segment begins at this size, or earlier if `segment.ms` has passed.
const SEGMENT_BYTES: u32 = 256 << 20;

/// The changes that one topic needs. [`fmt::Display`] describes them, but not the findings in
/// [`unbounded`](Self::unbounded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the topic.
    pub topic: String,
    /// The numbers of partitions and replicas with which the topic is created. `None` if the topic exists.
    pub create: Option<(u32, u32)>,
    /// The settings that will be added or changed.
    pub settings: Vec<Difference>,
    /// Descriptions of differences that crowdfold does not change.
    pub left: Vec<String>,
    /// Findings of records with a timestamp in the future. Their segments are kept for too long, whatever the settings
    /// are.
    pub unbounded: Vec<Finding>,
    /// The settings that are set on the topic itself and that crowdfold does not manage. They are written back
    /// unchanged.
    others: BTreeMap<String, String>,
    /// All settings that crowdfold manages, with their new values.
    ours: BTreeMap<&'static str, String>,
}

/// A setting that will change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of the setting.
    pub key: &'static str,
    /// The current value. `None` if the topic does not exist.
    pub from: Option<String>,
    /// The new value.
    pub to: String,
    /// True if the new value keeps records longer than the current one.
    pub lengthens: bool,
}

impl Change {
    /// Returns true if neither the topic nor its settings must change.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.create.is_none() && self.settings.is_empty()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.create {
            Some((partitions, replicas)) => {
                writeln!(
                    f,
                    "topic {}: create with {partitions} partitions and {replicas} replicas",
                    self.topic
                )?;
            }
            None if self.settings.is_empty() && self.unbounded.is_empty() => {
                writeln!(f, "topic {}: no change needed", self.topic)?;
            }
            None if self.settings.is_empty() => {
                writeln!(f, "topic {}: no change of settings needed", self.topic)?
            }
            None => writeln!(f, "topic {}: alter settings", self.topic)?,
        }
        for Difference { key, from, to, lengthens } in &self.settings {
            let from = from.as_ref().map(|from| format!("{from} -> ")).unwrap_or_default();
            let longer = if *lengthens { "   (keeps records longer than before)" } else { "" };
            writeln!(f, "  {key}: {from}{to}{longer}")?;
        }
        self.left.iter().try_for_each(|left| writeln!(f, "  not changed: {left}"))
    }
}

impl Admin {
    /// Returns the changes that topics need to meet their specifications. Changes nothing.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond or refuses, or if no settings can meet a specification.
    pub fn plan(&self, specs: &[Spec], now: Timestamp) -> Result<Vec<Change>, KafkaError> {
        let brokers = self.brokers()?;
        let check = check_interval(brokers.iter());
        let mut changes = Vec::with_capacity(specs.len());
        for spec in specs {
            let mut ours = settings(spec, check)?;
            changes.push(match self.find(&spec.topic)? {
                None => {
                    bound_on_disk(spec, default_delete_delay(brokers.iter()), &mut ours);
                    creation(spec, ours)
                }
                Some(topic) => {
                    let configs = self.configs(&topic, &brokers)?;
                    bound_on_disk(spec, configs.times().delete_delay, &mut ours);
                    let retention = ours["retention.ms"].parse().map_or(Span::MAX, Span::from_millis);
                    let largest = self.largest(&topic)?;
                    let unbounded = of_largest(spec, &largest, retention, now);
                    Change { unbounded, ..alteration(spec, topic.count(), &configs, ours) }
                }
            });
        }
        Ok(changes)
    }

    /// Makes the changes that [`Admin::plan`] returned. Never deletes a topic, and never changes the number of
    /// partitions or replicas of an existing topic.
    ///
    /// # Errors
    /// Returns the first error. Changes that were made before the error remain.
    pub fn apply(&self, changes: &[Change]) -> Result<(), KafkaError> {
        for change in changes.iter().filter(|change| !change.is_nothing()) {
            let Change { topic, ours, others, .. } = change;
            if let Some((partitions, replication)) = change.create {
                self.create(topic, partitions, replication, ours.iter())?;
            } else {
                let others = others.iter().map(|(key, value)| (key.as_str(), value.as_str()));
                self.alter(topic, others.chain(ours.iter().map(|(key, value)| (*key, value.as_str()))))?;
            }
            self.await_effect(change)?;
        }
        Ok(())
    }

    /// Replaces all settings of a topic, and waits up to fifteen seconds until a broker reports them.
    pub(super) fn replace(&self, topic: &str, own: &BTreeMap<String, String>) -> Result<(), KafkaError> {
        self.alter(topic, own.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
        for _ in 0..QUERIES {
            if let Some(found) = self.find(topic)?
                && self.configs(&found, &[])?.own() == *own
            {
                return Ok(());
            }
            std::thread::sleep(QUERY_INTERVAL);
        }
        Err(KafkaError::NotApplied { topic: topic.to_owned(), principal: self.cluster.principal() })
    }

    /// Waits up to fifteen seconds until a broker reports the new settings, because the controller accepts a change
    /// before the brokers apply it.
    fn await_effect(&self, change: &Change) -> Result<(), KafkaError> {
        let mut refusal = None;
        for _ in 0..QUERIES {
            if let Some(topic) = self.find(&change.topic)? {
                refusal = None;
                match self.configs(&topic, &[]) {
                    Ok(configs) => {
                        let own = configs.own();
                        if change.ours.iter().all(|(key, value)| own.get(*key) == Some(value)) {
                            return Ok(());
                        }
                    }
                    // a broker that does not know a new topic yet responds as if the permission were missing
                    Err(error @ KafkaError::Forbidden { .. }) if change.create.is_some() => {
                        refusal = Some(error)
                    }
                    Err(error) => return Err(error),
                }
            }
            std::thread::sleep(QUERY_INTERVAL);
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        // the cause is unknown, because rust-rdkafka drops a broker's error for a single change
        Err(KafkaError::NotApplied { topic: change.topic.clone(), principal: self.cluster.principal() })
    }
}

/// The number of times that a broker is queried for its settings after a change.
const QUERIES: u32 = 150;
/// The time between two queries for the settings.
const QUERY_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the settings that a topic needs to meet its specification. `check` is the interval at which brokers check
/// for old records.
fn settings(spec: &Spec, check: Span) -> Result<BTreeMap<&'static str, String>, KafkaError> {
    let topic = || spec.topic.clone();
    let ahead = match spec.clock {
        Clock::Append => Span::ZERO,
        Clock::Create { ahead } => ahead.into(),
    };
    let (retention, segment) = ttl::settings(spec.ttl.into(), check, ahead).ok_or_else(|| {
        let ahead = (!ahead.is_zero()).then_some(ahead);
        KafkaError::TtlTooShort { topic: topic(), ttl: spec.ttl.into(), check, ahead }
    })?;
    if retention < spec.least.into() {
        let (ttl, least) = (spec.ttl.into(), spec.least.into());
        return Err(KafkaError::OutageTooLong { topic: topic(), ttl, retention, least });
    }
    let mut settings = BTreeMap::from([
        ("cleanup.policy", "delete".to_owned()),
        ("retention.ms", retention.as_millis().to_string()),
        ("retention.bytes", "-1".into()),
        ("segment.ms", segment.as_millis().to_string()),
        ("segment.bytes", SEGMENT_BYTES.to_string()),
        ("max.message.bytes", spec.max_message_bytes.to_string()),
        ("min.insync.replicas", spec.min_in_sync().to_string()),
        ("unclean.leader.election.enable", "false".into()),
    ]);
    match spec.clock {
        Clock::Append => {
            settings.insert("message.timestamp.type", "LogAppendTime".into());
        }
        Clock::Create { .. } => {
            settings.insert("message.timestamp.type", "CreateTime".into());
            settings.insert("message.timestamp.after.max.ms", ahead.as_millis().to_string());
        }
    }
    Ok(settings)
}

/// Adds a setting that limits the time for which brokers keep deleted files to the slack. Adds nothing if the
/// current time, `delay`, is not longer than that.
fn bound_on_disk(spec: &Spec, delay: Span, ours: &mut BTreeMap<&'static str, String>) {
    let slack = Span::from(spec.on_disk_slack);
    if delay > slack {
        ours.insert("file.delete.delay.ms", slack.as_millis().to_string());
    }
}

/// Returns the change that creates a topic with the settings `ours`.
fn creation(spec: &Spec, ours: BTreeMap<&'static str, String>) -> Change {
    let set = |(key, to): (&&'static str, &String)| Difference {
        key,
        from: None,
        to: to.clone(),
        lengthens: false,
    };
    Change {
        topic: spec.topic.clone(),
        create: Some((spec.partitions, spec.replication)),
        settings: ours.iter().map(set).collect(),
        left: Vec::new(),
        unbounded: Vec::new(),
        others: BTreeMap::new(),
        ours,
    }
}

/// Returns the change that gives an existing topic the settings `ours`.
fn alteration(
    spec: &Spec,
    partitions: u32,
    now: &Configs<'_>,
    ours: BTreeMap<&'static str, String>,
) -> Change {
    let own = now.own();
    // a value is set on the topic even if it equals the broker's default, because the default can change
    let differs = |(key, to): &(&&'static str, &String)| own.get(**key) != Some(*to);
    let difference = |(key, to): (&&'static str, &String)| {
        let from = now.get(key).map(str::to_owned);
        let lengthens = lengthens(key, from.as_deref(), to);
        Difference { key, from, to: to.clone(), lengthens }
    };
    let settings = ours.iter().filter(differs).map(difference).collect();
    let mut left = Vec::new();
    if partitions != spec.partitions {
        left.push(format!("the topic has {partitions} partitions, but {} are configured", spec.partitions));
    }
    if now.is("remote.storage.enable", "true") {
        left.push(
            "remote.storage.enable is true, so records move to a storage tier that crowdfold cannot bound"
                .into(),
        );
    }
    let others = own.into_iter().filter(|(key, _)| !ours.contains_key(key.as_str())).collect();
    Change { topic: spec.topic.clone(), create: None, settings, left, unbounded: Vec::new(), others, ours }
}

/// Returns true if a new value of a setting keeps records longer than the old value.
fn lengthens(key: &str, from: Option<&str>, to: &str) -> bool {
    let limit = |value: &str| value.parse::<i64>().ok().map(|limit| u64::try_from(limit).unwrap_or(u64::MAX));
    let timed =
        matches!(key, "retention.ms" | "retention.bytes" | "segment.ms" | "message.timestamp.after.max.ms");
    timed && from.and_then(limit).zip(limit(to)).is_some_and(|(from, to)| to > from)
}
