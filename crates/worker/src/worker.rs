//! The streaming worker. It runs each stage in a thread of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crowdfold_kafka::ClientSettings;

use crate::combine::Combine;
use crate::config::Config;
use crate::merge::Merge;
use crate::runner::StageRunner;
use crate::telemetry::{Component, Status};
use crate::{Stop, WorkerError};

/// The context of a worker: its configuration, the settings of its clients, its status, the shutdown flag and
/// command-line flags.
#[derive(Clone)]
pub struct WorkerContext {
    /// The configuration.
    pub config: Arc<Config>,
    /// The settings of Kafka clients.
    pub client: ClientSettings,
    /// The status to which each stage reports.
    pub status: Arc<Status>,
    /// The shutdown flag.
    pub stop: Arc<Stop>,
    /// True if `--restart-from-now` was given. All partitions then start with the records that are written from now on.
    pub restart_from_now: bool,
    /// True if `--accept-loss` was given. The worker then continues even if records were deleted before they were read.
    pub accept_loss: bool,
}

/// A running worker: the threads of its stages.
pub struct Worker {
    threads: Vec<JoinHandle<Result<(), WorkerError>>>,
}

impl Worker {
    /// Starts a thread for each of these stages.
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
                // if one stage ends, the other stage must end too, because the process would otherwise appear to be
                // alive
                context.stop.now();
                ended
            });
            spawned.unwrap_or_else(|error| panic!("the thread cannot be started: {error}"))
        });
        Self { threads: threads.collect() }
    }

    /// Waits until all stages have ended.
    ///
    /// # Errors
    /// Returns the first error of a stage.
    pub fn join(self) -> Result<(), WorkerError> {
        let mut first = Ok(());
        for thread in self.threads {
            let ended = thread.join().unwrap_or(Err(WorkerError::Panicked));
            first = first.and(ended);
        }
        first
    }
}
