//! The program `crowdfold`: the command line, the commands, and their output.
//!
//! ```
//! use clap::Parser;
//! use crowdfold::cli::{Cli, Command};
//!
//! let cli = Cli::try_parse_from(["crowdfold", "fold", "beacons.ndjson", "--output", "rows.ndjson"])?;
//! assert!(matches!(cli.command, Command::Fold(fold) if fold.files.len() == 1));
//! # Ok::<(), clap::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod error;
pub mod hardening;
mod ledger_file;
pub mod logging;
mod memory;
mod output;
pub mod process;
mod terminal;
mod test_build;
