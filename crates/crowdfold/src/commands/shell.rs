//! `completions` and `man`: completion scripts of shells, and manual pages. Both are generated from the definition of
//! the command line.

use std::fs;
use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::{Cli, Manual};
use crate::error::CrowdfoldError;

/// The name of the program on the command line.
const NAME: &str = "crowdfold";

/// Prints the completion script of a shell.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn completions(shell: Shell, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    Ok(out.write_all(&script)?)
}

/// Prints the manual page of a command, or writes all pages to a directory.
///
/// # Errors
/// Returns [`CrowdfoldError::Usage`] if there is no such command, or an error if the output cannot be written.
pub fn manual(args: &Manual, out: &mut impl Write) -> Result<(), CrowdfoldError> {
    let mut root = Cli::command().disable_help_subcommand(true);
    // Adds the flags that every command accepts to each command.
    root.build();
    if let Some(directory) = &args.output {
        fs::create_dir_all(directory)?;
        for command in all(&root) {
            page(command).generate_to(directory)?;
        }
        return Ok(());
    }
    let mut command = &root;
    for name in &args.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            CrowdfoldError::Usage(format!(
                "\"{name}\" is not a command of {}; the commands are: {}",
                command.get_bin_name().unwrap_or(NAME),
                known.join(", ")
            ))
        })?;
    }
    Ok(page(command).render(out)?)
}

/// Returns a command and all its subcommands.
fn all(command: &clap::Command) -> Vec<&clap::Command> {
    let inner = command.get_subcommands().flat_map(all);
    std::iter::once(command).chain(inner).collect()
}

/// Returns the page of a command.
fn page(command: &clap::Command) -> Man {
    // Without this call, the subcommand `help` would be added when a part of the command line is built again.
    let command = command.clone().disable_help_subcommand(true);
    Man::new(command).source(format!("{NAME} {}", env!("CARGO_PKG_VERSION")))
}
