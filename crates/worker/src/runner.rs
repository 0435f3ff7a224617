//! The main loop of both stages. It reads records, passes them to the operators, and commits the results.

use std::time::Duration;

use crowdfold_engine::OperatorSet;
use crowdfold_kafka::{
    Assigned, Event, KafkaError, Offset, ReadBuffer, Sink, Skipped, Source, SourceError, TransactError, fault,
};
use crowdfold_model::{Span, Timestamp};

use crate::backoff::{Backoff, Fencings};
use crate::config::source_message;
use crate::invalid_offsets::{self, InvalidOffsets};
use crate::reading::{ReadError, read_all};
use crate::stage::Stage;
use crate::tally::Tally;
use crate::telemetry::Counters;
use crate::threads::Threads;
use crate::{WorkerContext, WorkerError, clock};

/// The maximum time to wait for records. After it, operators check if they have something to commit.
const MAX_WAIT: Duration = Duration::from_millis(50);

/// The minimum time between two log entries of a repeated error.
const LOG_INTERVAL: Span = Span::SECOND.times(10);

/// The state of the main loop of one stage.
pub(crate) struct StageRunner<'a, S: Stage> {
    context: &'a WorkerContext,
    stage: S,
    source: Source,
    sink: Sink,
    topic: String,
    operators: OperatorSet<S::Operator>,
    threads: Threads<ReadBuffer>,
    tally: Tally,
    counters: Counters,
    fencings: Fencings,
    backoff: Backoff,
    invalid: InvalidOffsets,
    /// True if the group has assigned partitions since the consumer joined it.
    joined: bool,
    /// The last transient error. It is removed when it is reported or when a transaction succeeds.
    last_error: Option<String>,
    warned: Timestamp,
    reported: Timestamp,
}

impl<'a, S: Stage> StageRunner<'a, S> {
    /// Runs the stage until shutdown. Returns an error if it cannot continue.
    pub(crate) fn run(context: &'a WorkerContext) -> Result<(), WorkerError> {
        let Some(mut this) = Self::open(context)? else { return Ok(()) };
        while !context.stop.is_set() {
            this.turn()?;
        }
        // on shutdown, commit the prepared batches and count them; the next worker reads the open windows again
        this.commit_all()?;
        this.reported = Timestamp::EPOCH;
        this.report();
        Ok(())
    }

    /// Connects to the brokers, with retries. Returns `None` on shutdown.
    fn open(context: &'a WorkerContext) -> Result<Option<Self>, WorkerError> {
        let mut backoff = Backoff::default();
        let connect = || -> Result<_, WorkerError> {
            let stage = S::new(context)?;
            let sink = Sink::open(&context.client, stage.sink(context))?;
            let source = Source::open(&context.client, stage.source(context))?;
            Ok((stage, source, sink))
        };
        loop {
            match connect() {
                Ok((stage, source, sink)) => {
                    let topic = stage.source(context).topic;
                    let counters = Counters::new(context.config.policies().max_k());
                    return Ok(Some(Self {
                        context,
                        stage,
                        source,
                        sink,
                        topic,
                        operators: OperatorSet::default(),
                        threads: Threads::new(S::COMPONENT.name(), context.config.worker.threads),
                        tally: Tally::default(),
                        counters,
                        fencings: Fencings::default(),
                        backoff: Backoff::default(),
                        invalid: InvalidOffsets::default(),
                        joined: false,
                        last_error: None,
                        warned: Timestamp::EPOCH,
                        reported: Timestamp::EPOCH,
                    }));
                }
                Err(failure) if failure.may_pass() => {
                    let pause = backoff.delay();
                    tracing::warn!(stage = S::COMPONENT.name(), "{failure}; retrying in {pause:?}");
                    context.status.report(S::COMPONENT, clock::now(), vec![failure.to_string()]);
                    if context.stop.sleep(pause) {
                        return Ok(None);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Runs one turn: handles events of the group, commits what is due, and reads the partitions. Several threads read
    /// the partitions; everything else happens in this thread.
    fn turn(&mut self) -> Result<(), WorkerError> {
        self.serve_group()?;
        self.commit_all()?;
        let drained = self.read()?;
        self.stage.at_ends(&self.source, &mut self.operators);
        self.report();
        if drained && self.operators.due(clock::now()).is_empty() {
            self.source.wait(MAX_WAIT);
        }
        Ok(())
    }

    fn serve_group(&mut self) -> Result<(), WorkerError> {
        match self.source.poll(Duration::ZERO) {
            Ok(None) => {}
            Ok(Some(Event::Assigned(assigned))) => self.assign(assigned)?,
            Ok(Some(Event::Revoked(_))) => {
                fault::point("8.revoked");
                self.commit_all()?;
                self.drop_all();
                fault::point("8.dropped");
            }
            Ok(Some(Event::Lost(_))) => self.drop_all(),
            Ok(Some(Event::Skipped(Skipped { partition, from, to }))) => {
                let topic = &self.topic;
                tracing::warn!(
                    topic,
                    partition,
                    from,
                    to,
                    "unreadable records are skipped and lost; the windows they may belong to are withheld"
                );
                self.operators.get_mut(partition).into_iter().for_each(|operator| S::skip_to(operator, to));
            }
            // join again: an open transaction may delay the committed offsets, or the consumer may be unusable
            Err(SourceError::Request(
                error @ (KafkaError::Kafka { .. } | KafkaError::OffsetsPending { .. }),
            )) => self.rejoin(&error.to_string())?,
            Err(error) => self.tolerate(error)?,
        }
        Ok(())
    }

    /// Creates the operators of newly assigned partitions, with retries.
    fn assign(&mut self, mut assigned: Assigned) -> Result<(), WorkerError> {
        let group = self.invalid.group(&mut assigned, &mut self.source);
        let assigned_operators = loop {
            match self.stage.assign(self.context, &assigned, &group, &self.source, clock::now()) {
                Ok(assigned_operators) => break assigned_operators,
                Err(failure) if failure.may_pass_again() => {
                    if self.pause(failure.to_string()) {
                        return Ok(());
                    }
                }
                Err(failure) => return Err(failure),
            }
        };
        let numbers: Vec<_> = assigned_operators.iter().map(|(partition, ..)| *partition).collect();
        tracing::info!(stage = S::COMPONENT.name(), partitions = ?numbers, of = assigned.of, "assigned");
        for (partition, operator, fresh) in assigned_operators {
            self.operators.assign(partition, operator, fresh);
        }
        fault::point("2.assigned");
        self.joined = true;
        Ok(())
    }

    /// Reads all partitions. Returns true if no more records are available.
    fn read(&mut self) -> Result<bool, WorkerError> {
        let progress = read_all::<S>(&mut self.threads, &mut self.source, &mut self.operators);
        // first count the refused offsets of all partitions, because handling one of them makes the worker join its
        // group again
        for error in &progress.errors {
            if let ReadError::Source(SourceError::OutOfRange { partition, offset, .. }) = error {
                self.invalid.count(*partition, *offset);
            }
        }
        for error in progress.errors {
            match error {
                ReadError::Engine(error) => return Err(error.into()),
                ReadError::Source(error) => self.tolerate(error)?,
            }
            // the consumer joined the group again, so the remaining errors belong to the previous consumer
            if self.operators.by_partition().is_empty() {
                return Ok(true);
            }
        }
        Ok(progress.drained)
    }

    /// Commits the results of all operators that are due. Repeats this until no operator is due.
    fn commit_all(&mut self) -> Result<(), WorkerError> {
        loop {
            let now = clock::now();
            let due = self.operators.due(now);
            // without group metadata no offsets can be committed, so another worker reads these records again
            let Some(group) = self.source.group_metadata().cloned() else { return Ok(()) };
            if due.is_empty() {
                return Ok(());
            }
            let mut load = Vec::new();
            let first = self.operators.is_first(&due);
            if !first {
                for operator in
                    due.iter().filter_map(|partition| self.operators.by_partition().get(partition))
                {
                    S::load(operator, &mut load);
                }
            }
            let offsets = self.operators.offsets(&due).into_iter();
            let offsets: Vec<_> =
                offsets.map(|(partition, offset, metadata)| Offset { partition, offset, metadata }).collect();
            fault::point(if first { "2.first-commit" } else { "5.prepared" });
            let begun = clock::begin();
            match self.sink.transact(&load, &offsets, &self.topic, &group) {
                Ok(()) => {
                    fault::point(if first { "2.first-committed" } else { "6.known" });
                    metrics::histogram!("crowdfold_transaction_seconds", "stage" => S::COMPONENT.name())
                        .record(begun.elapsed());
                    self.mark_committed(&due, now);
                }
                Err(TransactError::Aborted(code)) => {
                    let why = format!("a transaction was aborted ({code}); retrying it");
                    if self.pause(why) {
                        return Ok(());
                    }
                }
                Err(TransactError::Unknown(why)) => {
                    if !self.resolve_outcome(&due, now, &why)? {
                        return Ok(());
                    }
                }
                Err(TransactError::Fenced(code)) => return self.rejoin_after_fencing(&code.to_string(), now),
                Err(TransactError::Fatal(why)) => return Err(WorkerError::Fatal(why)),
            }
        }
    }

    fn mark_committed(&mut self, due: &[u32], now: Timestamp) {
        if !self.operators.is_first(due) {
            for operator in due.iter().filter_map(|partition| self.operators.by_partition().get(partition)) {
                S::count(operator, &mut self.tally, now);
            }
        }
        for (partition, offset, _) in self.operators.offsets(due) {
            self.stage.committed(partition, offset);
        }
        self.operators.committed(due, now);
        self.backoff.reset();
        self.last_error = None;
    }

    /// Determines the unknown outcome of a transaction. A new producer with the same transactional id ends the
    /// transaction, and then the committed offsets show the outcome. Returns false on shutdown, or if the consumer
    /// joined the group again. In these cases the committed offsets are read at the next assignment.
    fn resolve_outcome(&mut self, due: &[u32], now: Timestamp, why: &str) -> Result<bool, WorkerError> {
        tracing::warn!(stage = S::COMPONENT.name(), "the outcome of a transaction is unknown: {why}");
        loop {
            // the next worker can determine the outcome too, and an unreachable cluster must not delay the shutdown
            if self.context.stop.is_set() {
                return Ok(false);
            }
            match self.sink.reopen().map_err(WorkerError::from) {
                Ok(()) => break,
                Err(failure) if failure.may_pass_again() => {
                    if self.pause(failure.to_string()) {
                        return Ok(false);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        match self.source.committed().map_err(WorkerError::from) {
            Ok(stored) => {
                let group: Vec<_> =
                    stored.iter().map(|held| held.as_ref().map(invalid_offsets::copy)).collect();
                if self.operators.is_committed(due, &group) {
                    self.mark_committed(due, now);
                }
                Ok(true)
            }
            // join the group again, because a new consumer reads the committed offsets before it reads records
            Err(failure) if failure.may_pass_again() => self.rejoin(&failure.to_string()).map(|()| false),
            Err(failure) => Err(failure),
        }
    }

    /// Joins the group again after fencing. Returns an error after too many fencings.
    fn rejoin_after_fencing(&mut self, why: &str, now: Timestamp) -> Result<(), WorkerError> {
        if self.fencings.count(now) {
            return Err(WorkerError::Namesake(self.namesake(why)));
        }
        self.rejoin(&format!("the producer was fenced: {why}"))
    }

    /// Returns the error after too many fencings, with the address of the other worker if the brokers report it.
    fn namesake(&self, why: &str) -> String {
        let instance = &self.context.config.kafka.instance;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let other = self
            .source
            .namesake()
            .map_or_else(String::new, |other| format!(", at {other} according to the group"));
        format!(
            "this worker was fenced three times within ten minutes ({why}): kafka.instance \"{instance}\" is used by \
             this worker on host {host} and probably by another worker{other}; give each worker its own kafka.instance"
        )
    }

    /// Drops all state, and joins the group again with a new consumer and a new producer that have the same names.
    fn rejoin(&mut self, why: &str) -> Result<(), WorkerError> {
        tracing::warn!(stage = S::COMPONENT.name(), "{why}; rejoining the group");
        self.drop_all();
        self.joined = false;
        loop {
            let fresh = Source::open(&self.context.client, self.stage.source(self.context));
            match fresh.and_then(|source| self.sink.reopen().map(|()| source)).map_err(WorkerError::from) {
                Ok(source) => {
                    self.source = source;
                    return Ok(());
                }
                Err(failure) if failure.may_pass_again() => {
                    if self.pause(failure.to_string()) {
                        return Ok(());
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Reports an error and waits before the next attempt. The wait becomes longer after each error. Returns true on
    /// shutdown.
    fn pause(&mut self, why: String) -> bool {
        let pause = self.backoff.delay();
        tracing::warn!(stage = S::COMPONENT.name(), "{why}; retrying in {pause:?}");
        self.context.status.report(S::COMPONENT, clock::now(), vec![why]);
        self.context.stop.sleep(pause)
    }

    fn drop_all(&mut self) {
        for operator in self.operators.by_partition().values() {
            S::retire(operator, &mut self.tally);
        }
        self.operators.revoke_all();
        self.stage.revoked();
    }

    /// Reports an error from which librdkafka recovers, in the log and on `/readyz`. Joins the group again after
    /// fencing or an invalid offset. Returns any other error, which ends the stage.
    fn tolerate(&mut self, error: SourceError) -> Result<(), WorkerError> {
        let message = source_message(&error);
        // fencing may be temporary, if a broker died before it responded to the request to join
        if matches!(error, SourceError::Fenced | SourceError::Fatal { .. }) {
            return self.rejoin_after_fencing(&message, clock::now());
        }
        // an invalid offset may be temporary, if a broker was restarted or if the topic was deleted, because its offsets
        // are deleted later; joining again shows if records are lost
        if matches!(error, SourceError::OutOfRange { .. }) {
            return if self.pause(message.clone()) { Ok(()) } else { self.rejoin(&message) };
        }
        if !error.is_transient() {
            return Err(error.into());
        }
        // while a broker is down, this error occurs ten times per second, so do not log each occurrence
        let now = clock::now();
        if now.saturating_since(self.warned) >= LOG_INTERVAL {
            tracing::warn!(stage = S::COMPONENT.name(), "{message}");
            self.warned = now;
        }
        self.last_error = Some(message);
        self.context.stop.sleep(MAX_WAIT);
        Ok(())
    }

    /// Updates metrics and status, once per second.
    fn report(&mut self) {
        let now = clock::now();
        if now.saturating_since(self.reported) < Span::SECOND {
            return;
        }
        self.reported = now;
        let mut reasons = self.stage.report(self.context, &self.operators, &self.tally, &self.counters, now);
        reasons.extend(self.last_error.take());
        if !self.joined {
            reasons.push("waiting for the group to assign partitions".into());
        }
        self.context.status.report(S::COMPONENT, now, reasons);
    }
}
