//! Logs on stderr.

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;

use crate::cli::{LogFormat, LogLevel};

/// Sends what is traced from now on to stderr. Once a process: a second call changes nothing.
pub fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let to_stderr = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => to_stderr.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => to_stderr.json().flatten_event(true).try_init(),
    };
    // Only tests that share a process can have started it before.
    drop(started);
}
