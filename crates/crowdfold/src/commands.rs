//! The commands, and their [`dispatch`].

pub mod audit;
pub mod check;
pub mod collect;
pub mod demo;
pub mod fold;
pub mod generate;
pub mod query;
pub mod run;
pub mod topics;

use std::io::{self, Write as _};

use crowdfold_config::Sources;
use crowdfold_worker::Config;

use crate::cli::{Cli, Command};
use crate::error::CrowdfoldError;

/// Reads the configuration and runs the command.
///
/// # Errors
/// The [`CrowdfoldError`] that determines the exit code of the process.
pub fn dispatch(cli: &Cli, sources: &Sources) -> Result<(), CrowdfoldError> {
    let config = Config::load(sources)?;
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match &cli.command {
        Command::Check(args) => check::run(args, &config, &mut stdout)?,
        Command::Topics(args) => topics::run(&args.command, &config, &mut stdout)?,
        Command::Run(args) => run::run(args, config)?,
        Command::Collect => collect::run(config)?,
        Command::Fold(args) => fold::run(args, &config.keyed()?, &mut stdout)?,
        Command::Generate(args) => generate::run(args, &config, &mut stdout)?,
        Command::Query(args) => query::run(args, &config, &mut stdout)?,
        Command::Audit(args) => audit::run(args, &config, &mut stdout)?,
        Command::Demo(args) => demo::run(args, config, &mut stdout)?,
    }
    Ok(stdout.flush()?)
}
