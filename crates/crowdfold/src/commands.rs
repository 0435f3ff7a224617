//! The commands, and their [`dispatch`].

pub mod audit;
pub mod check;
pub mod collect;
pub mod console;
pub mod demo;
pub mod fold;
pub mod generate;
pub mod query;
pub mod run;
pub mod shell;
pub mod topics;

use std::io::{self, Write};

use crowdfold_config::Sources;
use crowdfold_worker::Config;

use crate::cli::{Cli, Command};
use crate::error::CrowdfoldError;

/// Reads the configuration and runs the command.
///
/// # Errors
/// Returns the error of the command. It determines the exit code of the process.
pub fn dispatch(cli: &Cli, sources: &Sources) -> Result<(), CrowdfoldError> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    // These commands need no configuration.
    match &cli.command {
        Command::Completions { shell } => shell::completions(*shell, &mut stdout)?,
        Command::Man(args) => shell::manual(args, &mut stdout)?,
        command => configured(command, Config::load(sources)?, &mut stdout)?,
    }
    Ok(stdout.flush()?)
}

/// Runs a command with the configuration.
fn configured(command: &Command, config: Config, stdout: &mut impl Write) -> Result<(), CrowdfoldError> {
    match command {
        Command::Check(args) => Ok(check::run(args, &config, stdout)?),
        Command::Topics(args) => topics::run(&args.command, &config, stdout),
        Command::Run(args) => run::run(args, config),
        Command::Collect => collect::run(config),
        Command::Fold(args) => fold::run(args, &config.keyed()?, stdout),
        Command::Generate(args) => generate::run(args, &config, stdout),
        Command::Query(args) => query::run(args, &config, stdout),
        Command::Console(_) => console::run(&config),
        Command::Audit(args) => audit::run(args, &config, stdout),
        Command::Demo(args) => demo::run(args, config, stdout),
        Command::Completions { .. } | Command::Man(_) => Ok(()),
    }
}
