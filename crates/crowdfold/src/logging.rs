//! Writes the log to stderr.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging to stderr, with a filter in the syntax of `tracing`. Further calls in the same process have no
/// effect.
pub fn start(format: LogFormat, filter: &str) {
    let to_stderr = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        // Otherwise, the subscriber would print its own errors to stderr, and panic if stderr is closed.
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Text => to_stderr.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => to_stderr.json().flatten_event(true).try_init(),
    };
    // The error is ignored. It means that logging has already been started, which occurs only if several tests share a
    // process.
    drop(started);
}
