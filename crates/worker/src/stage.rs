//! The differences between the stages, and the code that their start shares.

use crowdfold_engine::{Committed, EngineError, Operator, OperatorSet};
use crowdfold_kafka::{
    Assigned, Message, OnDamaged, Outgoing, SinkSettings, SinkTopics, Source, SourceSettings,
};
use crowdfold_model::Timestamp;

use crate::roles;
use crate::tally::Tally;
use crate::telemetry::{Component, Counters};
use crate::{WorkerContext, WorkerError};

/// A stage, combining or merging.
pub(crate) trait Stage: Sized {
    /// The operator of one partition.
    type Operator: Operator;
    /// The component of the worker.
    const COMPONENT: Component;

    /// Queries what the stage needs to know before it can start.
    fn new(context: &WorkerContext) -> Result<Self, WorkerError>;
    fn source(&self, context: &WorkerContext) -> SourceSettings;
    fn sink(&self, context: &WorkerContext) -> SinkSettings;
    /// Creates operators for the assigned partitions. For each, the flag is true if no offset was committed.
    fn assign(
        &mut self,
        context: &WorkerContext,
        assigned: &Assigned,
        group: &[Option<Committed>],
        source: &Source,
        now: Timestamp,
    ) -> Result<Vec<(u32, Self::Operator, bool)>, WorkerError>;
    fn feed(operator: &mut Self::Operator, message: &Message<'_>, now: Timestamp) -> Result<(), EngineError>;
    /// Called after a batch was fed.
    fn fed(_: &mut Self::Operator) {}
    /// Called when records before an offset cannot be read and are lost.
    fn skip_to(_: &mut Self::Operator, _: i64) {}
    fn is_full(operator: &Self::Operator) -> bool;
    /// Called when all committed records of a partition were fed.
    fn at_end(_: &mut Self::Operator) {}
    /// Adds the records of an operator for the next transaction.
    fn load<'a>(operator: &'a Self::Operator, into: &mut Vec<Outgoing<'a>>);
    /// Called with partitions that are read to their end, and the end offsets.
    fn at_ends(&mut self, _: &Source, _: &mut OperatorSet<Self::Operator>) {}
    /// Counts the due records before they are marked as committed.
    fn count(operator: &Self::Operator, tally: &mut Tally, now: Timestamp);
    /// Called when an offset is known to be committed.
    fn committed(&self, _partition: u32, _offset: i64) {}
    /// Called when no partition is assigned anymore.
    fn revoked(&self) {}
    /// Adds the totals of an operator that is dropped.
    fn retire(_: &Self::Operator, _: &mut Tally) {}
    /// Reports the state every second. Returns the reasons why the stage is not ready.
    fn report(
        &self,
        context: &WorkerContext,
        operators: &OperatorSet<Self::Operator>,
        tally: &Tally,
        counters: &Counters,
        now: Timestamp,
    ) -> Vec<String>;
}

/// Returns the settings of a stage's sink.
pub(crate) fn sink_settings(
    context: &WorkerContext,
    component: Component,
    topics: SinkTopics,
) -> SinkSettings {
    let id = roles::transactional_ids(&context.config, component) + &context.config.kafka.instance;
    SinkSettings { hurry: context.stop.flag(), ..SinkSettings::new(&id, topics) }
}

/// Returns the settings of a stage's source.
pub(crate) fn source_settings(context: &WorkerContext, component: Component, topic: &str) -> SourceSettings {
    let group = roles::group(&context.config, component);
    let mut settings = SourceSettings::new(topic, &group, &context.config.kafka.instance);
    settings.accept_loss = context.accept_loss;
    settings.on_damaged = match component {
        Component::Combine if context.config.source.on_damaged == crowdfold_config::OnDamaged::Skip => {
            OnDamaged::Skip
        }
        Component::Combine => OnDamaged::Stop,
        _ => OnDamaged::Never,
    };
    settings
}

/// Returns true if nothing was ever written to any of these topics.
pub(crate) fn never_written(source: &Source, topics: &[String]) -> Result<bool, WorkerError> {
    for topic in topics {
        let partitions: Vec<_> = (0..source.cluster().topic(topic)?.count()).collect();
        let ends = source.cluster().log_ends(topic, &partitions)?;
        // a partition with an unknown end may contain records
        if ends.iter().any(|end| *end != Some(0)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the error for a problem at the start that the operator must fix.
pub(crate) fn refused(message: impl ToString) -> WorkerError {
    WorkerError::Refused(message.to_string())
}
