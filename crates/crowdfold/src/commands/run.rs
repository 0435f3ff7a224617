//! `run`: runs the streaming worker.

use std::sync::Arc;

use crowdfold_kafka::topics::Spec;
use crowdfold_worker::telemetry::{Component, Server, Status};
use crowdfold_worker::{Config, Stop, Worker, WorkerContext, WorkerError, roles, specs, watch, wiring};

use crate::cli::{self, Stage};
use crate::error::CrowdfoldError;
use crate::{hardening, memory};

/// Runs the worker until SIGTERM or SIGINT, or until a stage cannot continue.
///
/// # Errors
/// Returns the error that ended the worker or prevented its start.
pub fn run(args: &cli::Run, config: Config) -> Result<(), CrowdfoldError> {
    let stages: &[Component] = match args.stage {
        None => &[Component::Combine, Component::Merge],
        Some(Stage::Combine) => &[Component::Combine],
        Some(Stage::Merge) => &[Component::Merge],
    };
    let config = if stages.contains(&Component::Merge) { config.keyed()? } else { config };
    if stages.contains(&Component::Merge) {
        config.warn_of_counts_only();
    }
    hardening::open_files(0)?;
    memory::warn(&config);
    let components: Vec<_> = stages.iter().copied().chain([Component::Topics]).collect();
    let status = Arc::new(Status::new(&components));
    let stop = Stop::at_signals()?;
    let server = Server::start(config.metrics.listen, Arc::clone(&status))?;
    if let Some(address) = server.address {
        tracing::info!("metrics and health at http://{address}");
    }
    let specs = specs::of_stages(&config, stages);
    let rights: Vec<_> = stages.iter().flat_map(|component| roles::of_stage(&config, *component)).collect();
    let context = WorkerContext {
        client: wiring::client(&config)?,
        config: Arc::new(config),
        status,
        stop,
        restart_from_now: args.restart_from_now,
        accept_loss: args.accept_loss,
    };
    work(&context, stages, &specs).map_err(|error| error.among(&rights))?;
    tracing::info!("stopped");
    Ok(())
}

fn work(context: &WorkerContext, stages: &[Component], specs: &[Spec]) -> Result<(), WorkerError> {
    let WorkerContext { client, status, stop, .. } = context;
    if watch::refuse_unbounded(client, specs, status, stop)? {
        let worker = Worker::start(context, stages);
        watch::keep_looking(client, specs, status, stop);
        worker.join()?;
    }
    Ok(())
}
