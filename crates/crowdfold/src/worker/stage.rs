//! The differences between the stages, and what their starts share.

use crowdfold_kafka::{
    Assigned, Message, OnDamaged, Outgoing, SinkSettings, SinkTopics, Source, SourceSettings,
};
use crowdfold_model::Millis;
use crowdfold_pipeline::{Committed, Halt, Operator, OperatorSet};

use super::Setting;
use super::tally::Tally;
use crate::failure::Failure;
use crate::roles;
use crate::telemetry::{Component, Counters};

/// A stage: what differs between combining and merging.
pub(super) trait Stage: Sized {
    /// The operator of one partition.
    type Operator: Operator;
    /// The component of the worker that it is.
    const COMPONENT: Component;

    /// Asks the cluster what it must know before it can start.
    fn new(setting: &Setting) -> Result<Self, Failure>;
    fn source(&self, setting: &Setting) -> SourceSettings;
    fn sink(&self, setting: &Setting) -> SinkSettings;
    /// Creates operators for the assigned partitions, each with whether nothing was committed for it.
    fn assign(
        &mut self,
        setting: &Setting,
        assigned: &Assigned,
        group: &[Option<Committed>],
        source: &Source,
        now: Millis,
    ) -> Result<Vec<(u32, Self::Operator, bool)>, Failure>;
    fn feed(operator: &mut Self::Operator, message: &Message<'_>, now: Millis) -> Result<(), Halt>;
    /// After a batch was fed.
    fn fed(_: &mut Self::Operator) {}
    /// Records before this offset that were not fed cannot be read, and are lost.
    fn skip_to(_: &mut Self::Operator, _: i64) {}
    fn is_full(operator: &Self::Operator) -> bool;
    /// All that is committed of a partition is fed.
    fn at_end(_: &mut Self::Operator) {}
    /// Adds the records of an operator for the next transaction.
    fn load<'a>(operator: &'a Self::Operator, into: &mut Vec<Outgoing<'a>>);
    /// Partitions that are read to their end, and where that was.
    fn at_ends(&mut self, _: &Source, _: &mut OperatorSet<Self::Operator>) {}
    /// Counts what is due, before it is marked as committed.
    fn count(operator: &Self::Operator, tally: &mut Tally, now: Millis);
    /// An offset is known to be committed.
    fn committed(&self, _partition: u32, _offset: i64) {}
    /// No partition is ours any more.
    fn revoked(&self) {}
    /// Adds the totals of an operator that is dropped.
    fn retire(_: &Self::Operator, _: &mut Tally) {}
    /// Reports every second; returns the reasons why the stage is not ready.
    fn report(
        &self,
        setting: &Setting,
        operators: &OperatorSet<Self::Operator>,
        tally: &Tally,
        counters: &Counters,
        now: Millis,
    ) -> Vec<String>;
}

/// Where a stage writes, and under which name.
pub(super) fn sink_settings(setting: &Setting, component: Component, topics: SinkTopics) -> SinkSettings {
    let id = roles::transactional_ids(&setting.config, component) + &setting.config.kafka.instance;
    SinkSettings { hurry: setting.stop.flag(), ..SinkSettings::new(&id, topics) }
}

/// What a stage reads, and as whom.
pub(super) fn source_settings(setting: &Setting, component: Component, topic: &str) -> SourceSettings {
    let group = roles::group(&setting.config, component);
    let mut settings = SourceSettings::new(topic, &group, &setting.config.kafka.instance);
    settings.accept_loss = setting.accept_loss;
    settings.on_damaged = match component {
        Component::Combine if setting.config.source.on_damaged == crowdfold_config::OnDamaged::Skip => {
            OnDamaged::Skip
        }
        Component::Combine => OnDamaged::Stop,
        _ => OnDamaged::Never,
    };
    settings
}

/// Whether nothing was ever written to any of these topics.
pub(super) fn never_written(source: &Source, topics: &[String]) -> Result<bool, Failure> {
    for topic in topics {
        let partitions: Vec<_> = (0..source.cluster().topic(topic)?.count()).collect();
        let ends = source.cluster().log_ends(topic, &partitions)?;
        // an end that nobody can tell may hide something
        if ends.iter().any(|end| *end != Some(0)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Shared by both stages: an error of the start that is the operator's to mend.
pub(super) fn refused(message: impl ToString) -> Failure {
    Failure::Usage(message.to_string())
}
