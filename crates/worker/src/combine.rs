//! The combining stage. It reads beacons, and writes partials and notes on rejected beacons.

use std::sync::Arc;
use std::time::Duration;

use crowdfold_airlock::{Airlock, Placement, Record, SessionHasher, Shared};
use crowdfold_engine::{Combiner, CombinerCheckpoint, Committed, EngineError, OperatorSet, plan_starts};
use crowdfold_kafka::{
    Assigned, Message, Outgoing, SinkSettings, SinkTopics, Source, SourceSettings, Stamp, fault,
};
use crowdfold_model::{Span, Timestamp};
use metrics::gauge;

use crate::clock;
use crate::config::{airlock_message, engine_message};
use crate::databases::Databases;
use crate::erase::Eraser;
use crate::stage::{Stage, never_written, refused, sink_settings, source_settings};
use crate::tally::Tally;
use crate::telemetry::{AbsentPaths, Component, Counters, Lags};
use crate::wiring::{self, OperatorSettings};
use crate::{WorkerContext, WorkerError};

/// The interval at which the stage queries the end offsets of its partitions.
const QUERY_INTERVAL: Span = Span::SECOND;

/// The maximum time to wait for the end offsets. A partition whose end offset is unknown does not count as idle.
const QUERY_TIMEOUT: Duration = Duration::from_secs(1);

/// The combining stage.
pub(crate) struct Combine {
    shared: Arc<Shared>,
    databases: Databases,
    beacons: String,
    partials: String,
    rejections: String,
    partial_partitions: u32,
    /// The time of the last query for end offsets.
    queried: Timestamp,
    eraser: Option<Eraser>,
    lags: Lags,
    absent_paths: AbsentPaths,
}

impl Stage for Combine {
    type Operator = Combiner;
    const COMPONENT: Component = Component::Combine;

    fn new(context: &WorkerContext) -> Result<Self, WorkerError> {
        let settings = context.config.airlock()?;
        let databases = Databases::of(&settings);
        let shared = Shared::new(settings, SessionHasher::random())
            .map_err(|error| refused(airlock_message(&error)))?;
        let names = context.config.topic_names();
        let eraser = wiring::eraser(&context.config)?
            .map(|client| Eraser::start(&client, &names.beacons, Arc::clone(&context.status)));
        Ok(Self {
            shared: Arc::new(shared),
            databases,
            beacons: names.beacons.clone(),
            partials: names.partials.clone(),
            rejections: names.rejections.clone(),
            partial_partitions: context.config.topics.partial_partitions,
            queried: Timestamp::EPOCH,
            eraser: eraser.transpose()?,
            lags: Lags::default(),
            absent_paths: AbsentPaths::default(),
        })
    }

    fn source(&self, context: &WorkerContext) -> SourceSettings {
        source_settings(context, Self::COMPONENT, &self.beacons)
    }

    fn sink(&self, context: &WorkerContext) -> SinkSettings {
        let topics = SinkTopics {
            partials: Some(self.partials.clone()),
            rollups: None,
            rejections: Some(self.rejections.clone()),
        };
        sink_settings(context, Self::COMPONENT, topics)
    }

    fn assign(
        &mut self,
        context: &WorkerContext,
        assigned: &Assigned,
        group: &[Option<Committed>],
        source: &Source,
        now: Timestamp,
    ) -> Result<Vec<(u32, Combiner, bool)>, WorkerError> {
        let config = &context.config;
        let of = source.cluster().topic(&self.partials)?.count();
        if of != self.partial_partitions {
            return Err(refused(format!(
                "topic {} has {of} partitions, but topics.partial_partitions is {}; set the key to the number of the \
                 topic, which never changes",
                self.partials, self.partial_partitions
            )));
        }
        let settings = OperatorSettings::new(
            config,
            assigned.of,
            of,
            self.beacons.as_str().into(),
            config.source.trust_timestamps,
        );
        let numbers: Vec<_> = assigned.partitions.iter().map(|ours| ours.partition).collect();
        let empty = never_written(source, std::slice::from_ref(&self.partials))?;
        let rules = config.rules();
        let floor = rules.ceil(now + rules.lateness);
        let restart = context.restart_from_now;
        let starts = plan_starts::<CombinerCheckpoint>(&numbers, group, empty, floor, restart)
            .map_err(|error| refused(engine_message(&error)))?;
        let mut combiners = Vec::with_capacity(starts.len());
        for (start, ours) in starts.iter().zip(&assigned.partitions) {
            if start.offsets_lost {
                tracing::warn!(
                    partition = ours.partition,
                    "offsets were lost; windows that end before {} are not computed again",
                    start.floor
                );
            }
            if let Some(gone) = ours.gap {
                tracing::warn!(
                    partition = ours.partition,
                    gone,
                    "records were lost; the windows they belong to are withheld"
                );
            }
            if start.checkpoint.is_some() {
                self.committed(ours.partition, ours.start_offset);
            }
            let placement = Placement { partition: ours.partition, of: assigned.of };
            let airlock = Airlock::new(&self.shared, Some(placement));
            let combine = Arc::clone(&settings.combine);
            let mut combiner = Combiner::new(combine, airlock, start, ours.start_offset, ours.gap.is_some());
            combiner.count_lost(ours.gap.unwrap_or(0));
            combiners.push((ours.partition, combiner, start.checkpoint.is_none()));
        }
        Ok(combiners)
    }

    fn feed(combiner: &mut Combiner, message: &Message<'_>, now: Timestamp) -> Result<(), EngineError> {
        let timestamp = match message.timestamp() {
            Stamp::Create(timestamp) | Stamp::Append(timestamp) => timestamp,
            // this is a fallback, because a broker that supports transactions always sets a timestamp
            Stamp::Missing => Timestamp::EPOCH,
        };
        let payload = message.payload();
        let content_type = if combiner.needs_content_type(payload) { message.content_type() } else { None };
        let record = Record { payload, content_type, timestamp: Some(timestamp) };
        combiner.buffer(&record, message.offset(), now)
    }

    fn fed(combiner: &mut Combiner) {
        combiner.insert_buffered();
    }

    fn skip_to(combiner: &mut Combiner, offset: i64) {
        combiner.skip_to(offset);
    }

    fn retire(combiner: &Combiner, tally: &mut Tally) {
        tally.lost += combiner.lost();
        tally.ignored.add(combiner.ignored());
        tally.sent_fields.add(combiner.sent_fields());
    }

    fn is_full(combiner: &Combiner) -> bool {
        combiner.is_full()
    }

    fn load<'a>(combiner: &'a Combiner, into: &mut Vec<Outgoing<'a>>) {
        for batch in combiner.prepared() {
            into.extend(batch.partials.iter().map(|partial| Outgoing::Partial {
                partition: partial.partition,
                key: &partial.key,
                value: &partial.value,
            }));
            into.extend(batch.notes.iter().map(Outgoing::Rejection));
        }
    }

    /// Queries the end offsets of the partitions, and reports to each combiner if its partition was read to the end.
    /// The end offset includes the records of open transactions.
    fn at_ends(&mut self, source: &Source, operators: &mut OperatorSet<Combiner>) {
        let queried = clock::now();
        if queried.saturating_since(self.queried) < QUERY_INTERVAL {
            return;
        }
        self.queried = queried;
        self.databases.refresh(&self.shared, queried);
        let numbers: Vec<_> = operators.by_partition().keys().copied().collect();
        if numbers.is_empty() {
            return;
        }
        let ends =
            source.cluster().log_ends_within(&self.beacons, &numbers, QUERY_TIMEOUT).unwrap_or_default();
        for (nth, number) in numbers.iter().enumerate() {
            let Some(combiner) = operators.get_mut(*number) else { continue };
            let mut end = ends.get(nth).copied().flatten();
            // a seeded bug that a test selects and must detect: a partition with an unknown end offset is treated as
            // idle
            if end.is_none() && fault::errs("1.unknown-is-silent") {
                end = source.position(*number);
            }
            if end.is_some() && end == source.position(*number) && !combiner.is_full() {
                combiner.at_end(queried);
            } else {
                combiner.not_at_end();
            }
        }
    }

    fn count(combiner: &Combiner, tally: &mut Tally, _: Timestamp) {
        for batch in combiner.prepared() {
            tally.combined.add(&batch.counts);
        }
    }

    fn committed(&self, partition: u32, offset: i64) {
        if let Some(eraser) = &self.eraser {
            eraser.counted(partition, offset);
        }
    }

    fn revoked(&self) {
        if let Some(eraser) = &self.eraser {
            eraser.revoked();
        }
    }

    fn report(
        &self,
        context: &WorkerContext,
        operators: &OperatorSet<Combiner>,
        tally: &Tally,
        counters: &Counters,
        now: Timestamp,
    ) -> Vec<String> {
        counters.combined(&tally.combined);
        let combiners = || operators.by_partition().values();
        counters.lost(tally.lost + combiners().map(Combiner::lost).sum::<u64>());
        let mut ignored = tally.ignored;
        combiners().for_each(|combiner| ignored.add(combiner.ignored()));
        counters.ignored(&ignored);
        let mut sent_fields = tally.sent_fields;
        combiners().for_each(|combiner| sent_fields.add(combiner.sent_fields()));
        self.absent_paths.report(&sent_fields, self.shared.settings());
        counters
            .open_session_windows(combiners().map(|combiner| combiner.open_session_windows() as u64).sum());
        let balanced = combiners().all(Combiner::balanced);
        gauge!("crowdfold_ledger_balanced", "stage" => Self::COMPONENT.name())
            .set(f64::from(u8::from(balanced)));
        let mut reasons = Vec::new();
        if !balanced {
            reasons.push("the ledger does not balance; report this as a bug".into());
        }
        let behind = |combiner: &Combiner| combiner.watermark().map(|mark| now.saturating_since(mark));
        let lag = |combiner: &Combiner| Some((combiner.partition(), behind(combiner)?));
        self.lags.write(&combiners().filter_map(lag).collect());
        // the age of the oldest record that a worker must read again after a restart; the age is unknown if producers
        // set the timestamps
        if let Some(behind) =
            combiners().filter_map(behind).max().filter(|_| !context.config.source.trust_timestamps)
        {
            let bound = Span::from(context.config.ttl.beacons);
            let headroom = bound.saturating_sub(behind + context.config.replay().into());
            gauge!("crowdfold_ttl_headroom_seconds", "topic" => self.beacons.clone())
                .set(headroom.as_secs_f64());
            if headroom < bound / 3 {
                reasons.push(format!(
                    "the combiner is {} s behind; beacons may expire before they are counted",
                    behind.as_secs()
                ));
            }
        } else if operators.by_partition().is_empty() && !context.config.source.trust_timestamps {
            // a worker without partitions reads nothing again after a restart
            gauge!("crowdfold_ttl_headroom_seconds", "topic" => self.beacons.clone())
                .set(Span::from(context.config.ttl.beacons).as_secs_f64());
        }
        reasons
    }
}
