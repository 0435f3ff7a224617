//! Runs the program: reads its arguments and its environment, runs a command, and returns the exit code.

use std::io::Write as _;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::commands::dispatch;
use crate::{hardening, logging, test_build};
use clap::Parser as _;
use clap::error::ErrorKind;
use crowdfold_config::Sources;

/// Parses the arguments of this process, runs the command, prints its error, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answer(&error),
    };
    let environment: Vec<_> = std::env::vars_os().collect();
    if let Some(refusal) = test_build::refusal(&environment) {
        let _ = writeln!(std::io::stderr(), "crowdfold: {refusal}");
        return ExitCode::from(2);
    }
    logging::start(cli.global.log_format, &cli.log_filter());
    hardening::harden();
    let sources = Sources {
        file: cli.global.config.clone(),
        environment,
        flags: cli.overrides(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
    };
    match dispatch(&cli, &sources) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // If stderr cannot be written to, the error is ignored, because there is no other place to report it.
            let _ = writeln!(std::io::stderr(), "crowdfold: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Prints help and version to stdout. Prints usage errors to stderr, in the same format as all errors.
fn answer(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(2);
    }
    let message = error.to_string();
    let _ = write!(std::io::stderr(), "crowdfold: {}", message.strip_prefix("error: ").unwrap_or(&message));
    ExitCode::from(2)
}
