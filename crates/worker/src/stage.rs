//! The trait that the combining and the merging stage implement, and functions that both use.

use crowdfold_engine::{Committed, EngineError, Operator, OperatorSet};
use crowdfold_kafka::{
    Assigned, Message, OnDamaged, Outgoing, SinkSettings, SinkTopics, Source, SourceSettings,
};
use crowdfold_model::Timestamp;

use crate::roles;
use crate::tally::Tally;
use crate::telemetry::{Component, Counters};
use crate::{WorkerContext, WorkerError};

/// A stage of the worker: combining or merging. [`crate::runner::StageRunner`] calls these functions.
pub(crate) trait Stage: Sized {
    /// The type of the operator that processes one partition.
    type Operator: Operator + Send;
    /// The name under which the stage reports its status.
    const COMPONENT: Component;

    /// Creates the stage from the configuration. Reads the files that it needs.
    fn new(context: &WorkerContext) -> Result<Self, WorkerError>;
    /// Returns the settings of the consumer.
    fn source(&self, context: &WorkerContext) -> SourceSettings;
    /// Returns the settings of the producer.
    fn sink(&self, context: &WorkerContext) -> SinkSettings;
    /// Creates the operators of the assigned partitions. Returns (partition, operator, is new) for each; a partition is
    /// new if it has no checkpoint yet.
    fn assign(
        &mut self,
        context: &WorkerContext,
        assigned: &Assigned,
        group: &[Option<Committed>],
        source: &Source,
        now: Timestamp,
    ) -> Result<Vec<(u32, Self::Operator, bool)>, WorkerError>;
    /// Passes one record to an operator.
    fn feed(operator: &mut Self::Operator, message: &Message<'_>, now: Timestamp) -> Result<(), EngineError>;
    /// Runs after a batch of records was passed to an operator.
    fn fed(_: &mut Self::Operator) {}
    /// Runs if the records before an offset could not be read and are lost.
    fn skip_to(_: &mut Self::Operator, _: i64) {}
    /// Returns true if an operator cannot accept records before the next commit.
    fn is_full(operator: &Self::Operator) -> bool;
    /// Runs after all committed records of a partition were passed to its operator.
    fn at_end(_: &mut Self::Operator) {}
    /// Adds the records that an operator has prepared for the next transaction.
    fn load<'a>(operator: &'a Self::Operator, into: &mut Vec<Outgoing<'a>>);
    /// Runs in each turn, after all partitions were read. Here the stage can query offsets, and pass the result to its
    /// operators.
    fn at_ends(&mut self, _: &Source, _: &mut OperatorSet<Self::Operator>) {}
    /// Counts the prepared output of an operator after its transaction was committed.
    fn count(operator: &Self::Operator, tally: &mut Tally, now: Timestamp);
    /// Runs after an offset of a partition was committed.
    fn committed(&self, _partition: u32, _offset: i64) {}
    /// Runs after all partitions were revoked or lost.
    fn revoked(&self) {}
    /// Adds the totals of an operator to the tally before the operator is dropped.
    fn retire(_: &Self::Operator, _: &mut Tally) {}
    /// Updates the metrics of the stage. Runs every second. Returns the reasons why the stage is not ready.
    fn report(
        &self,
        context: &WorkerContext,
        operators: &OperatorSet<Self::Operator>,
        tally: &Tally,
        counters: &Counters,
        now: Timestamp,
    ) -> Vec<String>;
}

/// Returns the settings of the producer of a stage.
pub(crate) fn sink_settings(
    context: &WorkerContext,
    component: Component,
    topics: SinkTopics,
) -> SinkSettings {
    let id = roles::transactional_ids(&context.config, component) + &context.config.kafka.instance;
    SinkSettings { hurry: context.stop.flag(), ..SinkSettings::new(&id, topics) }
}

/// Returns the settings of the consumer of a stage.
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

/// Returns true if no record was ever written to any of these topics.
pub(crate) fn never_written(source: &Source, topics: &[String]) -> Result<bool, WorkerError> {
    for topic in topics {
        let partitions: Vec<_> = (0..source.cluster().topic(topic)?.count()).collect();
        let ends = source.cluster().log_ends(topic, &partitions)?;
        // a partition whose end offset is unknown may contain records
        if ends.iter().any(|end| *end != Some(0)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates the error for a problem that prevents the start, and that a person must fix.
pub(crate) fn refused(message: impl ToString) -> WorkerError {
    WorkerError::Refused(message.to_string())
}
