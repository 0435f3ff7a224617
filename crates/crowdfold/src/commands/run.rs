//! `run`: the streaming worker.

use std::sync::Arc;

use crowdfold_kafka::acl::Right;
use crowdfold_kafka::topics::Spec;

use crate::cli::{self, Stage};
use crate::config::Config;
use crate::error::CrowdfoldError;
use crate::telemetry::{Component, Server, Status};
use crate::worker::{Setting, Stop, Worker};
use crate::{hardening, memory, roles, specs, watch, wiring};

/// Runs until SIGTERM or SIGINT, or until a stage cannot continue.
///
/// # Errors
/// The error that ended it.
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
    let server = Server::start(config.metrics.listen, Arc::clone(&status)).map_err(anyhow::Error::from)?;
    if let Some(address) = server.address {
        tracing::info!("metrics and health at http://{address}");
    }
    let specs = specs::of_stages(&config, stages);
    let rights: Vec<_> = stages.iter().flat_map(|component| roles::of_stage(&config, *component)).collect();
    let setting = Setting {
        client: wiring::client(&config)?,
        config: Arc::new(config),
        status,
        stop,
        restart_from_now: args.restart_from_now,
        accept_loss: args.accept_loss,
    };
    work(&setting, stages, &specs).map_err(|failure| as_granted(failure, &rights))?;
    tracing::info!("stopped");
    Ok(())
}

fn work(setting: &Setting, stages: &[Component], specs: &[Spec]) -> Result<(), CrowdfoldError> {
    let Setting { client, status, stop, .. } = setting;
    if watch::refuse_unbounded(client, specs, status, stop)? {
        let worker = Worker::start(setting, stages);
        watch::keep_looking(client, specs, status, stop);
        worker.join()?;
    }
    Ok(())
}

/// Replaces a missing permission by the one to be granted, which implies it: the permission to write a topic implies
/// the one to describe it, for instance.
fn as_granted(failure: CrowdfoldError, rights: &[Right]) -> CrowdfoldError {
    match failure {
        CrowdfoldError::Running(error) => match error.downcast::<crowdfold_kafka::KafkaError>() {
            Ok(error) => error.among(rights).into(),
            Err(error) => CrowdfoldError::Running(error),
        },
        other => other,
    }
}
