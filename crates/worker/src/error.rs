//! The error type of this crate.

use std::io;
use std::net::SocketAddr;

use crowdfold_config::ConfigError;
use crowdfold_engine::EngineError;
use crowdfold_kafka::acl::Right;
use crowdfold_kafka::{KafkaError, SourceError};
use metrics_exporter_prometheus::BuildError;

/// The error that ends a worker, or prevents its start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A client could not be created, or a request failed.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The source of a stage cannot continue.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The sink of a stage cannot continue.
    #[error("{0}")]
    Fatal(String),
    /// An operator stopped its partition.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Another worker uses the same instance name.
    #[error("{0}")]
    Namesake(String),
    /// The thread of a stage panicked.
    #[error("the thread of a stage panicked")]
    Panicked,
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration does not fit the deployment, or a flag is needed.
    #[error("{0}")]
    Refused(String),
    /// A topic keeps personal data without a limit, longer than configured, or too short.
    #[error("{0}")]
    Breach(String),
    /// The address of the pages is in use, or does not belong to this host.
    #[error("metrics.listen {address} cannot be bound: {error}; choose another address")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        error: io::Error,
    },
    /// The runtime of the pages cannot start.
    #[error("the async runtime cannot start: {0}")]
    Runtime(#[source] io::Error),
    /// The metrics recorder cannot be installed, because there can be only one.
    #[error("the metrics recorder cannot be installed: {0}")]
    Metrics(#[from] BuildError),
}

impl WorkerError {
    /// Returns true if the error may disappear by itself, such as an unreachable cluster.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Kafka(error) if error.is_transient())
    }

    /// Returns true if the error may disappear after a successful start. This includes refused authentication, because
    /// it succeeded before.
    #[must_use]
    pub const fn may_pass_again(&self) -> bool {
        matches!(self, Self::Kafka(KafkaError::Refused { .. })) || self.may_pass()
    }

    /// Replaces a missing permission by the first of `rights` that implies it.
    #[must_use]
    pub fn among(self, rights: &[Right]) -> Self {
        match self {
            Self::Kafka(error) => Self::Kafka(error.among(rights)),
            other => other,
        }
    }
}
