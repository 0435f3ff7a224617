//! The streaming worker: one thread for each stage, each with one consumer and one transactional producer.

mod backoff;
mod combine;
mod databases;
mod erase;
mod merge;
mod runner;
mod stage;
mod stop;
mod tally;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crowdfold_kafka::ClientSettings;

use crate::config::Config;
use crate::telemetry::{Component, Status};

pub(crate) use backoff::Backoff;
use combine::Combine;
use merge::Merge;
use runner::StageRunner;
pub(crate) use stop::Stop;

/// The parameters of a worker.
#[derive(Clone)]
pub(crate) struct Setting {
    /// The configuration.
    pub(crate) config: Arc<Config>,
    /// The settings of Kafka clients.
    pub(crate) client: ClientSettings,
    /// The status to which each stage reports.
    pub(crate) status: Arc<Status>,
    /// The shutdown signal.
    pub(crate) stop: Arc<Stop>,
    /// `--restart-from-now`.
    pub(crate) restart_from_now: bool,
    /// `--accept-loss`.
    pub(crate) accept_loss: bool,
}

/// The threads of a worker.
pub(crate) struct Worker {
    threads: Vec<JoinHandle<Result<(), crate::error::CrowdfoldError>>>,
}

impl Worker {
    /// Starts the stages.
    #[must_use]
    pub(crate) fn start(setting: &Setting, stages: &[Component]) -> Self {
        let threads = stages.iter().map(|component| {
            let (setting, component) = (setting.clone(), *component);
            let stage = thread::Builder::new().name(component.name().into());
            let spawned = stage.spawn(move || {
                let ended = match component {
                    Component::Merge => StageRunner::<Merge>::run(&setting),
                    _ => StageRunner::<Combine>::run(&setting),
                };
                // the end of one stage ends the worker, because half a worker would only appear to be alive
                setting.stop.now();
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
    pub(crate) fn join(self) -> Result<(), crate::error::CrowdfoldError> {
        let mut first = Ok(());
        for thread in self.threads {
            let ended = thread
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("the thread of a stage panicked").into()));
            first = first.and(ended);
        }
        first
    }
}
