//! The error type of the commands, and the exit code for each kind of error.

use std::fmt;
use std::io;

use anyhow::anyhow;
use crowdfold_config::ConfigError;
use crowdfold_worker::WorkerError;
use crowdfold_worker::config::kafka_message;

/// The error that ended a command.
#[derive(Debug)]
pub enum CrowdfoldError {
    /// An error occurred while the command was running. The exit code is 1.
    Running(anyhow::Error),
    /// The configuration or the command line is invalid. The exit code is 2.
    Usage(String),
    /// A check found that a guarantee does not hold. The exit code is 3.
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

    /// Returns true if the program that reads the output has closed the pipe, as `head` does. The process then exits
    /// with code 0.
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
        let message = kafka_message(&error);
        if error.is_impossible_plan() { Self::Usage(message) } else { Self::Running(anyhow!(message)) }
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
            // the message of a variant contains that of its source, so the sources must not be printed again
            other => Self::Running(anyhow!(other.to_string())),
        }
    }
}
