//! The streaming worker: one thread for each stage, each with one consumer and one transactional producer.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crowdfold_kafka::ClientSettings;

use crate::combine::Combine;
use crate::config::Config;
use crate::merge::Merge;
use crate::runner::StageRunner;
use crate::telemetry::{Component, Status};
use crate::{Stop, WorkerError};

/// The context in which a worker runs: its configuration, clients, status, shutdown signal and flags.
#[derive(Clone)]
pub struct WorkerContext {
    /// The configuration.
    pub config: Arc<Config>,
    /// The settings of Kafka clients.
    pub client: ClientSettings,
    /// The status to which each stage reports.
    pub status: Arc<Status>,
    /// The shutdown signal.
    pub stop: Arc<Stop>,
    /// `--restart-from-now`.
    pub restart_from_now: bool,
    /// `--accept-loss`.
    pub accept_loss: bool,
}

/// The threads of a worker.
pub struct Worker {
    threads: Vec<JoinHandle<Result<(), WorkerError>>>,
}

impl Worker {
    /// Starts the stages.
    #[must_use]
    pub fn start(context: &WorkerContext, stages: &[Component]) -> Self {
        let threads = stages.iter().map(|component| {
            let (context, component) = (context.clone(), *component);
            let stage = thread::Builder::new().name(component.name().into());
            let spawned = stage.spawn(move || {
                let ended = match component {
                    Component::Merge => StageRunner::<Merge>::run(&context),
                    _ => StageRunner::<Combine>::run(&context),
                };
                // the end of one stage ends the worker, because half a worker would only appear to be alive
                context.stop.now();
                ended
            });
            spawned.unwrap_or_else(|error| panic!("the thread cannot be started: {error}"))
        });
        Self { threads: threads.collect() }
    }

    /// Waits for the stages to end.
    ///
    /// # Errors
    /// The first error of a stage.
    pub fn join(self) -> Result<(), WorkerError> {
        let mut first = Ok(());
        for thread in self.threads {
            let ended = thread.join().unwrap_or(Err(WorkerError::Panicked));
            first = first.and(ended);
        }
        first
    }
}
