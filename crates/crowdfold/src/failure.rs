//! How a command fails, and the exit code that says so.

use std::fmt;
use std::io;

use crowdfold_config::ConfigError;

/// How a command fails.
#[derive(Debug)]
pub enum Failure {
    /// Something went wrong while it ran: exit code 1.
    Running(anyhow::Error),
    /// Configuration or usage do not serve: exit code 2.
    Usage(String),
    /// A check found a breach: exit code 3.
    Breach(String),
}

impl Failure {
    /// The exit code of the process.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Running(_) => 1,
            Self::Usage(_) => 2,
            Self::Breach(_) => 3,
        }
    }

    /// Whether it may pass by itself: a cluster that does not answer, or not yet.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let Self::Running(error) = self else { return false };
        error.downcast_ref().is_some_and(crowdfold_kafka::Error::is_transient)
    }

    /// Whether it may pass where it worked before: who was let in once may be again.
    #[must_use]
    pub fn may_pass_again(&self) -> bool {
        let Self::Running(error) = self else { return false };
        let refused = matches!(error.downcast_ref(), Some(crowdfold_kafka::Error::Refused { .. }));
        refused || self.may_pass()
    }

    /// Whether whoever read our output has gone, as `head` does: no failure of ours.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let broken = |cause: &(dyn std::error::Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        };
        matches!(self, Self::Running(error) if error.chain().any(broken))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(error) => write!(f, "{error:#}"),
            Self::Usage(message) | Self::Breach(message) => f.write_str(message),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Running(error)
    }
}

impl From<crowdfold_kafka::Error> for Failure {
    fn from(error: crowdfold_kafka::Error) -> Self {
        Self::Running(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Running(error.into())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}
