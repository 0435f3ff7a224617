//! The merging stage. It reads partials, and writes rollups.

use std::sync::Arc;

use crowdfold_engine::{
    Alarms, Committed, EngineError, MergeCounts, Merger, MergerCheckpoint, OperatorSet, is_whole, plan_starts,
};
use crowdfold_kafka::{
    Assigned, Message, Outgoing, RollupTopics, SinkSettings, SinkTopics, Source, SourceSettings, fault,
};
use crowdfold_model::{Span, Timestamp};
use metrics::{counter, gauge, histogram};

use crate::clock;
use crate::config::engine_message;
use crate::stage::{Stage, never_written, refused, sink_settings, source_settings};
use crate::tally::Tally;
use crate::telemetry::{Component, Counters};
use crate::wiring::OperatorSettings;
use crate::{WorkerContext, WorkerError};

/// The interval at which the stage queries the committed offsets of the group. The queries end when every partition has
/// a committed offset.
const QUERY_INTERVAL: Span = Span::SECOND.times(10);

/// The merging stage.
pub(crate) struct Merge {
    partials: String,
    rollups: Vec<String>,
    partial_partitions: u32,
    /// True after a query has found a committed offset for every partition of the topic of partials.
    whole: bool,
    /// The time of the last query for committed offsets.
    queried: Timestamp,
}

impl Stage for Merge {
    type Operator = Merger;
    const COMPONENT: Component = Component::Merge;

    fn new(context: &WorkerContext) -> Result<Self, WorkerError> {
        let names = context.config.topic_names();
        Ok(Self {
            partials: names.partials.clone(),
            rollups: names.rollups().to_vec(),
            partial_partitions: context.config.topics.partial_partitions,
            whole: false,
            queried: Timestamp::EPOCH,
        })
    }

    fn source(&self, context: &WorkerContext) -> SourceSettings {
        source_settings(context, Self::COMPONENT, &self.partials)
    }

    fn sink(&self, context: &WorkerContext) -> SinkSettings {
        let config = &context.config;
        let base = format!("{}.rollups", config.kafka.prefix);
        let rollups = if config.tenants.per_tenant_topics {
            RollupTopics::PerTenant { base, tenants: config.tenants.names.clone() }
        } else {
            RollupTopics::One(base)
        };
        let topics = SinkTopics { partials: None, rollups: Some(rollups), rejections: None };
        sink_settings(context, Self::COMPONENT, topics)
    }

    fn assign(
        &mut self,
        context: &WorkerContext,
        assigned: &Assigned,
        group: &[Option<Committed>],
        source: &Source,
        now: Timestamp,
    ) -> Result<Vec<(u32, Merger, bool)>, WorkerError> {
        let config = &context.config;
        if assigned.of != self.partial_partitions {
            return Err(refused(format!(
                "topic {} has {} partitions, but topics.partial_partitions is {}; set the key to the number of the \
                 topic, which never changes",
                self.partials, assigned.of, self.partial_partitions
            )));
        }
        let beacons = config.topics.beacon_partitions;
        let settings = OperatorSettings::new(config, beacons, assigned.of, "".into(), false);
        let numbers: Vec<_> = assigned.partitions.iter().map(|ours| ours.partition).collect();
        let empty = never_written(source, &self.rollups)?;
        let rules = config.rules();
        let floor = rules.ceil(now + rules.lateness);
        let restart = context.restart_from_now;
        let starts = plan_starts::<MergerCheckpoint>(&numbers, group, empty, floor, restart)
            .map_err(|error| refused(engine_message(&error)))?;
        self.whole = is_whole(&numbers, group);
        let mergers = starts.iter().zip(&assigned.partitions).map(|(start, ours)| {
            if start.offsets_lost {
                tracing::warn!(
                    partition = ours.partition,
                    "offsets were lost; windows that end before {} are not published again",
                    start.floor
                );
            }
            let mut merger = Merger::new(Arc::clone(&settings.merge), start, ours.start_offset, now);
            if self.whole {
                merger.know_whole();
            }
            (ours.partition, merger, start.checkpoint.is_none())
        });
        Ok(mergers.collect())
    }

    /// Queries the committed offsets until every partition has one. A single query is not enough: if several workers
    /// start at the same time, the offsets of the other workers may not be committed yet.
    fn at_ends(&mut self, source: &Source, operators: &mut OperatorSet<Merger>) {
        let now = clock::now();
        if self.whole
            || operators.by_partition().is_empty()
            || now.saturating_since(self.queried) < QUERY_INTERVAL
        {
            return;
        }
        self.queried = now;
        // if the query fails, the next call repeats it
        self.whole = source.committed().is_ok_and(|group| group.iter().all(Option::is_some));
        if self.whole {
            operators.values_mut().for_each(Merger::know_whole);
        }
    }

    fn feed(merger: &mut Merger, message: &Message<'_>, now: Timestamp) -> Result<(), EngineError> {
        merger.record(message.payload(), message.offset(), now)
    }

    fn at_end(merger: &mut Merger) {
        merger.at_end();
    }

    /// Always returns false. A merger keeps cells in memory while it waits for other partitions, but only for
    /// `merge.timeout`.
    fn is_full(_: &Merger) -> bool {
        false
    }

    fn load<'a>(merger: &'a Merger, into: &mut Vec<Outgoing<'a>>) {
        if merger.publication().is_some_and(|next| next.checkpoint.forced.is_some()) {
            fault::point("4.deciding");
        }
        let rollups = merger.publication().into_iter().flat_map(|publication| &publication.rollups);
        into.extend(rollups.map(Outgoing::Rollup));
    }

    fn count(merger: &Merger, _: &mut Tally, now: Timestamp) {
        let Some(publication) = merger.publication() else { return };
        if publication.checkpoint.forced.is_some() {
            fault::point("4.decided");
        }
        if !publication.rollups.is_empty() {
            let age = now.saturating_since(publication.checkpoint.closed_until);
            histogram!("crowdfold_freshness_seconds").record(age.as_secs_f64());
        }
        for rollup in &publication.rollups {
            let breakdown: Vec<_> = rollup.breakdown().iter().map(|dimension| dimension.name()).collect();
            counter!("crowdfold_rollups_total", "breakdown" => breakdown.join(".")).increment(1);
        }
    }

    fn retire(merger: &Merger, tally: &mut Tally) {
        tally.merged.add(merger.merged());
        tally.alarms.add(merger.alarms());
    }

    fn report(
        &self,
        context: &WorkerContext,
        operators: &OperatorSet<Merger>,
        tally: &Tally,
        counters: &Counters,
        now: Timestamp,
    ) -> Vec<String> {
        let (mut merged, mut alarms): (MergeCounts, Alarms) = (tally.merged, tally.alarms);
        let mergers = || operators.by_partition().values();
        for merger in mergers() {
            merged.add(merger.merged());
            alarms.add(merger.alarms());
        }
        counters.merged(&merged, &alarms);
        let balanced = mergers().all(Merger::balanced);
        gauge!("crowdfold_ledger_balanced", "stage" => Self::COMPONENT.name())
            .set(f64::from(u8::from(balanced)));
        let mut reasons = Vec::new();
        if !balanced {
            reasons.push("the ledger does not balance; report this as a bug".into());
        }
        let waiting = mergers().map(|merger| merger.waiting(now)).max().unwrap_or_default();
        let bound = Span::from(context.config.ttl.partials);
        let headroom = bound.saturating_sub(waiting);
        gauge!("crowdfold_ttl_headroom_seconds", "topic" => self.partials.clone())
            .set(headroom.as_secs_f64());
        if headroom < bound / 3 || waiting > context.config.merge.timeout.into() {
            reasons.push(format!(
                "a window has been waiting {} s for the partials of a beacon partition",
                waiting.as_secs()
            ));
        }
        reasons
    }
}
