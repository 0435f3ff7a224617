//! What each command does, and nothing else: the way in is [`dispatch`].

pub mod check;

use std::io::{self, Write as _};

use crate::cli::{Cli, Command};
use crate::config::{Config, Sources};
use crate::failure::Failure;

/// Reads the configuration and does what the command line says.
///
/// # Errors
/// The [`Failure`] whose exit code the process ends with.
pub fn dispatch(cli: &Cli, sources: &Sources) -> Result<(), Failure> {
    let config = Config::load(sources)?;
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    match &cli.command {
        Command::Check => check::run(&config, &mut stdout)?,
        other => return Err(Failure::Usage(format!("{other:?} is not wired yet"))),
    }
    Ok(stdout.flush()?)
}
