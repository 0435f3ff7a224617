//! `generate`: synthetic players, into a file or onto the beacons' topic, with what they did on the side.

mod topic;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use crowdfold_loadgen::{ConfigError, Limit, Players, PlayersConfig, Truth, write};
use crowdfold_model::Dimension;
use crowdfold_release::Policy;

use crate::cli::Generate;
use crate::clock;
use crate::config::{Config, millis};
use crate::failure::Failure;
use crate::output;

/// How much goes into a file where neither `--for` nor `--beacons` says, ms.
const FILE_LENGTH: u64 = 5 * 60_000;

/// Generates.
///
/// # Errors
/// When players cannot do what is asked (usage), and when a file or the topic cannot be written to.
pub fn run(args: &Generate, config: &Config, stdout: &mut impl Write) -> Result<(), Failure> {
    let players = players(args, config).map_err(usage)?;
    refuse_files(args)?;
    let truth = match &args.truth {
        Some(path) => Some((truth(config).map_err(usage)?, create(path)?)),
        None => None,
    };
    let Some(output) = &args.output else {
        return topic::run(args, config, players, truth);
    };
    // In a file time is the players' own: the same seed gives the same bytes, whenever.
    let length = args.duration.map(|length| length.as_millis() as u64);
    let length = length.or_else(|| args.beacons.is_none().then_some(FILE_LENGTH));
    let limit = Limit {
        until_ms: length.map(|length| players.start_ms.saturating_add(length)),
        records: args.beacons,
    };
    let players = Players::new(players).map_err(usage)?;
    let (truth, mut lines) = truth.unzip();
    let truth = truth.zip(lines.as_mut().map(|lines| lines as &mut dyn Write));
    let beacons = if output == Path::new("-") {
        write(players, limit, stdout, truth).context("standard output cannot be written to")
    } else {
        let file = create(output)?;
        write(players, limit, file, truth).with_context(|| cannot_be_written(output))
    }?;
    tracing::info!(beacons, "generated");
    Ok(())
}

/// Refuses a standard output that is closed, and one file for both beacons and truth.
fn refuse_files(args: &Generate) -> Result<(), Failure> {
    let mut outputs = Vec::new();
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => {
            output::refuse_closed()?;
            outputs.push(("standard output", None));
        }
        Some(path) => outputs.push(("--output", Some(path))),
        None => {}
    }
    outputs.extend(args.truth.as_deref().map(|path| ("--truth", Some(path))));
    output::refuse_same(&[], &outputs)
}

/// The players that are asked for, from the tenants that are counted.
fn players(args: &Generate, config: &Config) -> Result<PlayersConfig, ConfigError> {
    let sessions = u32::try_from(args.sessions).unwrap_or(u32::MAX);
    let excluded = &config.consent.child_directed.tenants;
    let mut players = PlayersConfig {
        sessions,
        seed: args.seed,
        tenants: config.tenants.names.iter().filter(|name| !excluded.contains(name)).cloned().collect(),
        ..PlayersConfig::default()
    };
    if let Some(rate) = args.rate {
        players.heartbeat_ms =
            PlayersConfig::heartbeat_for(sessions, u32::try_from(rate).unwrap_or(u32::MAX));
    }
    players.check()?;
    Ok(players)
}

/// What the worker must find with this configuration.
fn truth(config: &Config) -> Result<Truth, ConfigError> {
    let names = |policy: &Policy| -> Vec<Vec<&str>> {
        let named = |breakdown: &Vec<Dimension>| breakdown.iter().map(|dimension| dimension.name()).collect();
        policy.breakdowns().iter().map(named).collect()
    };
    let policies = config.policies();
    let truth = Truth::new(millis(config.windows.length), &names(policies.common()))?;
    policies.own().try_fold(truth, |truth, (tenant, policy)| truth.with_own(tenant, &names(policy)))
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).with_context(|| cannot_be_written(path))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn cannot_be_written(path: &Path) -> String {
    format!("{} cannot be written to", path.display())
}

fn usage(error: ConfigError) -> Failure {
    Failure::Usage(error.to_string())
}
