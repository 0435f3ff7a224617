//! The error type of commands, and their exit codes.

use std::fmt;
use std::io;

use crowdfold_config::ConfigError;
use crowdfold_worker::WorkerError;

/// The error of a command.
#[derive(Debug)]
pub enum CrowdfoldError {
    /// An error while running: exit code 1.
    Running(anyhow::Error),
    /// An invalid configuration or usage: exit code 2.
    Usage(String),
    /// A check found a breach: exit code 3.
    Breach(String),
}

impl CrowdfoldError {
    /// Returns the exit code of the process.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Running(_) => 1,
            Self::Usage(_) => 2,
            Self::Breach(_) => 3,
        }
    }

    /// Returns true if the reader of the output has closed it, as `head` does, which is not an error.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        };
        matches!(self, Self::Running(error) if error.chain().any(broken))
    }
}

impl fmt::Display for CrowdfoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(error) => write!(f, "{error:#}"),
            Self::Usage(message) | Self::Breach(message) => f.write_str(message),
        }
    }
}

impl From<anyhow::Error> for CrowdfoldError {
    fn from(error: anyhow::Error) -> Self {
        Self::Running(error)
    }
}

impl From<crowdfold_kafka::KafkaError> for CrowdfoldError {
    fn from(error: crowdfold_kafka::KafkaError) -> Self {
        if error.is_impossible_plan() {
            return Self::Usage(error.to_string());
        }
        Self::Running(error.into())
    }
}

impl From<io::Error> for CrowdfoldError {
    fn from(error: io::Error) -> Self {
        Self::Running(error.into())
    }
}

impl From<ConfigError> for CrowdfoldError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<WorkerError> for CrowdfoldError {
    fn from(error: WorkerError) -> Self {
        match error {
            WorkerError::Kafka(error) => error.into(),
            WorkerError::Config(error) => error.into(),
            WorkerError::Refused(message) => Self::Usage(message),
            WorkerError::Breach(message) => Self::Breach(message),
            other => Self::Running(other.into()),
        }
    }
}
