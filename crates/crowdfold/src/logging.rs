//! Logs on stderr.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Sends what is traced from now on, and passes the filter, to stderr. Once a process: a second call changes nothing.
pub fn start(format: LogFormat, filter: &str) {
    let to_stderr = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        // it would tell of them on stderr, and panic where that is what is broken: whoever reads it may go, we stay
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Text => to_stderr.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => to_stderr.json().flatten_event(true).try_init(),
    };
    // Only tests that share a process can have started it before.
    drop(started);
}
