//! Logs on stderr.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging to stderr with a filter. Only the first call of a process has an effect.
pub fn start(format: LogFormat, filter: &str) {
    let to_stderr = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        // errors of the subscriber are printed to stderr, which panics if stderr itself is closed
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Text => to_stderr.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => to_stderr.json().flatten_event(true).try_init(),
    };
    // Only tests that share a process can have started it before.
    drop(started);
}
