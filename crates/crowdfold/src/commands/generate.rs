//! `generate`: writes the beacons of synthetic players to a file or to the beacons topic. On request, it also writes
//! the exact cells that result from the players' activity.

mod topic;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use crowdfold_config::CustomDimension;
use crowdfold_loadgen::{Custom, Limit, LoadgenError, Players, PlayersConfig, Truth, write};
use crowdfold_model::{Dimension, Span};
use crowdfold_release::Policy;
use crowdfold_worker::{Config, clock};

use crate::cli::Generate;
use crate::error::CrowdfoldError;
use crate::output;

/// The length of event time in a file, in milliseconds, if neither `--for` nor `--beacons` is set.
const FILE_LENGTH: u64 = 5 * 60_000;

/// Generates beacons until a limit is reached. On a topic, SIGINT and SIGTERM also end it.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] if the flags contradict each other, and another error if a file or the topic
/// cannot be written to.
pub fn run(args: &Generate, config: &Config, stdout: &mut impl Write) -> Result<(), CrowdfoldError> {
    let players = players(args, config).map_err(usage)?;
    refuse_files(args)?;
    let truth = match &args.truth {
        Some(path) => Some((truth(config).map_err(usage)?, create(path)?)),
        None => None,
    };
    let Some(output) = &args.output else {
        return topic::run(args, config, players, truth);
    };
    // In a file, event time begins at a fixed date instead of now, so the same seed always gives the same bytes.
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

/// Returns an error if beacons would be written to a closed standard output, or beacons and truth to the same file.
fn refuse_files(args: &Generate) -> Result<(), CrowdfoldError> {
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

/// Returns the settings of the players that the flags request. The players belong to all tenants except child-directed
/// tenants, whose beacons are not counted.
fn players(args: &Generate, config: &Config) -> Result<PlayersConfig, LoadgenError> {
    let sessions = u32::try_from(args.sessions).unwrap_or(u32::MAX);
    let excluded = &config.consent.child_directed.tenants;
    let mut players = PlayersConfig {
        sessions,
        seed: args.seed,
        tenants: config.tenants.names.iter().filter(|name| !excluded.contains(name)).cloned().collect(),
        custom: custom(config),
        ..PlayersConfig::default()
    };
    if let Some(rate) = args.rate {
        players.heartbeat_ms =
            PlayersConfig::heartbeat_for(sessions, u32::try_from(rate).unwrap_or(u32::MAX));
    }
    players.check()?;
    Ok(players)
}

/// Returns the custom dimensions that players can report in JSON. Such a dimension has a path. Its values are the
/// configured list, or invented values.
fn custom(config: &Config) -> Vec<Custom> {
    let dimension = |tenant: Option<&str>, (name, settings): (&String, &CustomDimension)| {
        let values = settings.values.clone();
        Some(Custom {
            name: name.clone(),
            tenant: tenant.map(str::to_owned),
            path: settings.from.clone()?,
            values: values.unwrap_or_else(|| ["one", "two", "three"].map(|n| format!("{name}-{n}")).to_vec()),
        })
    };
    let settings = &config.dimensions;
    let tenants = config.tenants.names.iter();
    let of_tenants = tenants.flat_map(|tenant| {
        let own = settings.tenants.get(tenant);
        let is_own = move |name: &&String| own.is_some_and(|own| own.contains_key(*name));
        let common = settings.common.iter().filter(move |(name, _)| !is_own(name));
        let all = common.chain(own.into_iter().flatten());
        all.filter_map(move |entry| dimension(Some(tenant), entry)).collect::<Vec<_>>()
    });
    of_tenants.collect()
}

/// Returns a collector of the exact cells, for the windows and breakdowns of this configuration.
fn truth(config: &Config) -> Result<Truth, LoadgenError> {
    let names = |policy: &Policy| -> Vec<Vec<&str>> {
        let named = |breakdown: &Vec<Dimension>| breakdown.iter().map(|dimension| dimension.name()).collect();
        policy.breakdowns().iter().map(named).collect()
    };
    let policies = config.policies();
    let length = Span::from(config.windows.length).as_millis();
    let truth = Truth::with_custom(length, &names(policies.common()), &custom(config))?
        .with_qualities(config.rules().qualities);
    policies.own().try_fold(truth, |truth, (tenant, policy)| truth.with_own(tenant, &names(policy)))
}

fn create(path: &Path) -> Result<BufWriter<File>, CrowdfoldError> {
    let file = File::create(path).with_context(|| cannot_be_written(path))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

fn cannot_be_written(path: &Path) -> String {
    format!("{} cannot be written to", path.display())
}

fn usage(error: LoadgenError) -> CrowdfoldError {
    CrowdfoldError::Usage(error.to_string())
}
