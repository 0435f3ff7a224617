//! `run`: the streaming worker.

use std::sync::Arc;

use crate::cli::{self, Stage};
use crate::config::Config;
use crate::failure::Failure;
use crate::telemetry::{Part, Server, Status};
use crate::worker::{Setting, Stop, Worker};
use crate::{clock, wiring};

/// Runs until SIGTERM or SIGINT, or until a stage cannot go on.
///
/// # Errors
/// What ended it.
pub fn run(args: &cli::Run, config: Config) -> Result<(), Failure> {
    let stages: &[Part] = match args.stage {
        None => &[Part::Combine, Part::Merge],
        Some(Stage::Combine) => &[Part::Combine],
        Some(Stage::Merge) => &[Part::Merge],
    };
    let status = Arc::new(Status::new(stages, clock::now()));
    let stop = Stop::at_signals()?;
    let server = Server::start(config.metrics.listen, Arc::clone(&status)).map_err(anyhow::Error::from)?;
    if let Some(address) = server.address {
        tracing::info!("metrics and health at http://{address}");
    }
    let setting = Setting {
        client: wiring::client(&config)?,
        config: Arc::new(config),
        status,
        stop,
        restart_from_now: args.restart_from_now,
        accept_loss: args.accept_loss,
    };
    Worker::start(&setting, stages).join()?;
    tracing::info!("ended");
    Ok(())
}
